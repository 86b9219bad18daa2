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
    from opslab.errors import Problem
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
    inventory, case = interview.paths(name)
    book = case.replace(".yaml", ".xlsx")
    interview.refuse_target(name, [book] if sheet else [inventory, case])
    if sheet:
        files = {book: interview_sheet.workbook(spoken)}
    elif filled:
        here = filled if workspace.is_there(filled) else workspace.resolve(filled)
        files = interview_sheet.draft_of(name, here, spoken).files
    elif sys.stdin.isatty():
        files = _asked(name, spoken).files
    else:
        raise InputError.of("businesscase.new_terminal", name=shlex.quote(name))
    with machine_errors("cases"):
        interview.write(files)
    values = {"file": book, "name": shlex.quote(name), "inventory": inventory, "case": case}
    say(text("businesscase.new_sheet" if sheet else "businesscase.new_done", spoken, **values))


def _asked(title: str, language: Language) -> Draft:
    """Ask all, then what is wrong again, until nothing is."""
    from opslab.businesscase import interview

    today = datetime.datetime.now().astimezone().date()  # proposed: the answer decides
    answers = {"today": today.isoformat()}
    again: dict[str, Problem | None] = dict.fromkeys(
        question.name for question in interview.questions(language)
    )
    while again:
        heading = ""
        for question in interview.questions(language):
            if question.name not in again or (question.needs and not answers[question.needs]):
                continue
            if question.heading != heading:
                heading = question.heading
                say(f"\n{heading}")
            if problem := again[question.name]:
                say(f"  ! {problem.text(language)}")
            answers[question.name] = _answer(question, answers)
        draft = interview.draft(title, answers, language)
        again = {}
        for names, problem in draft.wrong.items():
            again |= dict.fromkeys(names) | {names[0]: problem}
    return draft


def _answer(question: Question, answers: dict[str, str]) -> str:
    """Ask one thing; what was answered before, or is usual, is taken for an empty answer."""
    from opslab.errors import InputError
    from opslab.messages import printable

    default = answers.get(question.name) or question.default.format_map(answers)
    label = f"  {question.label} ({'/'.join(question.choices) or question.example})"
    try:
        given: str = click.prompt(label, printable(default), show_default=bool(default))
    except click.Abort as error:
        raise InputError.of("businesscase.new_stopped") from error
    return given.strip()
