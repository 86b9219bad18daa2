"""The command ``opslab new``: a starting point of one's own, a notebook, a case or a sheet."""

from __future__ import annotations

import datetime
import os
import shlex
import sys
from typing import TYPE_CHECKING

import click

from opslab.cli.group import say

if TYPE_CHECKING:
    from opslab.messages import Language


@click.command()
@click.argument("kind", metavar="NOTEBOOK|case|sheet")
@click.argument("name", metavar="[NAME]", required=False)
@click.option(
    "--from", "origin", metavar="NOTEBOOK|FILE.xlsx", help="What to copy; for a case its workbook."
)
@click.option("--sheet", is_flag=True, help="Write the questions of a case as a workbook.")
@click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    help="Of a case or a sheet; by default the terminal's language.",
)
def new(
    kind: str, name: str | None, origin: str | None, sheet: bool, language: Language | None
) -> None:
    """Write a starting point of one's own. Nothing is overwritten.

    `new NOTEBOOK` writes a small notebook of that name, or with --from the copy of another.

    `new case NAME` writes a case, and its inventory, from the answers to ten questions, which are
    asked in the terminal, or in a workbook.

    `new sheet NAME` writes a sheet to fill in, such as backlog or checklist, as a workbook and CSV.
    """
    from opslab.errors import ParameterError
    from opslab.messages import text

    terminal = os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    spoken: Language = language or ("fr" if terminal.startswith("fr") else "en")
    click.get_current_context().meta["language"] = spoken
    if kind == "case":
        if name is None:
            raise ParameterError.of("runs.new_case_name")
        _case(name, spoken, sheet=sheet, filled=origin)
        return
    if kind == "sheet":
        from opslab.runs.new_workspace import new_sheet

        files = new_sheet(name, spoken)
        key = "runs.sheet_done" if files else "runs.sheet_there"
        say(text(key, spoken, name=name, files=[*map(str, files)]))
        return
    from opslab.runs.new_notebook import new_notebook
    from opslab.runs.registry import notebooks

    if name is not None and kind in notebooks():
        fields = notebooks()[kind].parameters().model_fields
        raise ParameterError.of("runs.new_spec", name=kind, spec=fields["spec"].default)
    if name is not None or sheet or language:
        raise ParameterError.of("runs.new_too_many")

    say(text("runs.new_done", spoken, name=kind, file=str(new_notebook(kind, origin))))


def _case(name: str, language: Language, *, sheet: bool, filled: str | None) -> None:
    """Write a case, or the workbook that asks for it."""
    from opslab import workspace
    from opslab.businesscase import interview, interview_sheet
    from opslab.errors import InputError
    from opslab.messages import text
    from opslab.runs.folder import machine_errors

    inventory, case, book = interview.paths(name)
    quoted = shlex.quote(name)
    interview.refuse_target(name, [book] if sheet else [inventory, case])
    if sheet:
        files = {book: (interview.STARTER / f"case.{language}.xlsx").read_bytes()}
    elif filled:
        files = interview_sheet.draft_of(name, workspace.resolve(filled), language).files
    elif sys.stdin.isatty():
        files = _asked(name, language)
    else:
        raise InputError.of("businesscase.new_terminal", name=quoted)
    with machine_errors("cases"):
        interview.write(files)
    key = "businesscase.new_sheet" if sheet else "businesscase.new_done"
    say(text(key, language, name=quoted, file=book, inventory=inventory, case=case))


def _asked(title: str, language: Language) -> dict[str, bytes]:
    """Ask all, then what is wrong again, until nothing is.

    What was answered before, or is usual, is taken for an empty answer.
    """
    from opslab.businesscase import interview
    from opslab.errors import InputError
    from opslab.messages import printable, text

    # today is proposed: the answer decides
    answers = {"today": f"{datetime.datetime.now().astimezone():%Y-%m-%d}"}
    questions, heading = interview.questions(language), ""
    again = {question.name: "" for question in questions}
    while again:
        for question in questions:
            name = question.name
            if name not in again or not answers.get(question.needs, "not empty"):
                continue
            if question.heading != heading:
                heading = question.heading
                say(f"\n{heading}")
            default = answers.get(name) or question.default.format_map(answers)
            hint = "/".join(question.choices) or question.example
            label = printable(f"{again[name]}  {question.label} ({hint})")
            try:
                given = click.prompt(label, printable(default), show_default=bool(default))
            except click.Abort as error:
                raise InputError.of("businesscase.new_stopped") from error
            answers[name] = given.strip()
        draft = interview.draft(title, answers, language)
        again = {}
        for names, problem in draft.wrong.items():
            message = text(problem.key, language, **problem.values)
            again |= dict.fromkeys(names, "") | {names[0]: f"  ! {message}\n"}
    return draft.files
