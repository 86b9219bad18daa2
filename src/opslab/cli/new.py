"""The command ``opslab new``: a starting point of one's own, from the answers to ten questions."""

from __future__ import annotations

import datetime
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opslab.cli.group import say

if TYPE_CHECKING:
    from opslab.businesscase.interview import Draft, Question
    from opslab.messages import Language


@click.command()
@click.argument("kind", type=click.Choice(["case"]))
@click.argument("name")
@click.option("--sheet", is_flag=True, help="Write the questions as a workbook to fill in.")
@click.option(
    "--from", "filled", metavar="FILE.xlsx", type=click.Path(path_type=Path), help="A filled one."
)
@click.option(
    "--language", type=click.Choice(["en", "fr"]), help="By default the terminal's language."
)
@click.pass_context
def new(
    ctx: click.Context,
    kind: str,  # noqa: ARG001 - the only one so far
    name: str,
    sheet: bool,
    filled: Path | None,
    language: Language | None,
) -> None:
    """Write a case called NAME, and its inventory, from the answers to ten questions.

    They are asked in the terminal, or in a workbook. Nothing is overwritten.
    """
    from opslab import workspace
    from opslab.businesscase import interview, interview_sheet
    from opslab.errors import InputError
    from opslab.messages import text
    from opslab.runs.folder import machine_errors

    terminal = os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    spoken: Language = language or ("fr" if terminal.startswith("fr") else "en")
    ctx.meta["language"] = spoken
    book = f"cases/{workspace.slug(name)}.xlsx"
    files = [book] if sheet else [*interview.paths(name).values()]
    interview.refuse_target(name, files)
    if sheet:
        with machine_errors(book):
            interview.write({book: interview_sheet.workbook(spoken)})
        say(text("businesscase.new_sheet", spoken, file=book, name=shlex.quote(name)))
        return
    if filled:
        here = filled if workspace.is_there(filled) else workspace.resolve(filled)
        draft = interview_sheet.draft_of(name, here, spoken)
    elif sys.stdin.isatty():
        draft = _asked(name, spoken)
    else:
        raise InputError.of("businesscase.new_terminal", name=shlex.quote(name))
    with machine_errors("cases"):
        interview.write({file: content.encode() for file, content in draft.files.items()})
    inventory, case = files
    say(text("businesscase.new_done", spoken, inventory=inventory, case=case))
    in_french = " -p language=fr" if spoken == "fr" else ""
    say(f"  opslab run time_saved -p spec={inventory}{in_french}")
    say(f"  opslab run business_case -p spec={case}{in_french}")


def _asked(title: str, language: Language) -> Draft:
    """Ask all, then what is wrong again, until nothing is."""
    from opslab.businesscase import interview
    from opslab.messages import text

    today = datetime.datetime.now().astimezone().date()  # proposed: the answer decides
    answers = {"today": today.isoformat()}
    asked = again = interview.questions(language)
    while True:
        heading = ""
        for question in again:
            if question.heading != heading:
                heading = question.heading
                say(f"\n{heading}")
            if not question.needs or answers[question.needs]:
                answers[question.name] = _answer(question, answers)
        draft = interview.draft(title, answers, language)
        if not draft.wrong:
            return draft
        for names, problem in draft.wrong:
            labels = [question.label for question in asked if question.name in names]
            say(f"  ! {', '.join(labels)}: {text(problem.key, language, **problem.values)}")
        wrong = {name for names, _ in draft.wrong for name in names}
        again = tuple(question for question in asked if question.name in wrong)


def _answer(question: Question, answers: dict[str, str]) -> str:
    """Ask one thing; what was answered before, or is usual, is taken for an empty answer."""
    from opslab.errors import InputError
    from opslab.messages import printable

    names = {key: name for name, key in question.choices.items()}
    usual = question.default.format_map(answers)
    default = answers.get(question.name) or names.get(usual, usual)
    label = f"  {question.label} ({'/'.join(question.choices) or question.example})"
    try:
        given: str = click.prompt(label, printable(default), show_default=bool(default))
    except click.Abort as error:
        raise InputError.of("businesscase.new_stopped") from error
    return given.strip()
