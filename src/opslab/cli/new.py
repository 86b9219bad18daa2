"""The command ``opslab new``: a starting point of one's own, from the answers to ten questions."""

from __future__ import annotations

import datetime
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opslab.cli.group import say

if TYPE_CHECKING:
    from opslab.businesscase.interview import Answer, Draft, Question
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
    from opslab.messages import text
    from opslab.runs.folder import machine_errors
    from opslab.runs.registry import spec

    spoken: Language = language or ("fr" if _terminal_language().startswith("fr") else "en")
    ctx.meta["language"] = spoken
    book = f"cases/{workspace.slug(name)}.xlsx"
    today = datetime.datetime.now().astimezone().date()  # a proposal: the answer decides
    paths = [book] if sheet else list(interview.paths(name).values())
    interview.refuse_target(name, paths)
    if sheet:
        with machine_errors(book):
            interview_sheet.write_sheet(workspace.root() / book, spoken, today)
        say(text("businesscase.new_sheet", spoken, file=book, name=name))
        return
    models = {"inventory": spec("inventory"), "case": spec("case")}

    def make(answers: Mapping[str, Answer]) -> Draft:
        return interview.draft(name, answers, models, spoken)

    if filled:
        made = interview_sheet.draft_of(filled, make, spoken)
    elif sys.stdin.isatty():
        made = _interview(make, interview.questions(spoken), today, spoken)
    else:
        raise interview.no_terminal(name)
    with machine_errors("cases"):
        interview.write(made.files)
    inventory, case = paths
    say(text("businesscase.new_done", spoken, inventory=inventory, case=case))
    in_french = " -p language=fr" if spoken == "fr" else ""
    say(f"  opslab run time_saved -p spec={inventory}{in_french}")
    say(f"  opslab run business_case -p spec={case}{in_french}")


def _terminal_language() -> str:
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _interview(
    make: Callable[[Mapping[str, Answer]], Draft],
    asked: Sequence[Question],
    today: datetime.date,
    language: Language,
) -> Draft:
    """Ask until nothing is wrong: an answer again at once, or with those that it contradicts."""
    from opslab.businesscase.interview import Answer
    from opslab.errors import InputError
    from opslab.messages import text

    answers = {"today": Answer(today.isoformat())}
    waiting, heading = deque(asked), ""
    while True:
        question = waiting.popleft()
        if question.heading != heading:
            heading = question.heading
            say(f"\n{heading}")
        asked_for = not question.needs or answers[question.needs].given
        answers[question.name] = Answer(_answer(question, answers) if asked_for else "")
        made, later = make(answers), {other.name for other in waiting}
        wrong = [
            (names, problem)
            for names, problem in made.wrong
            if later.isdisjoint(names) and (names or not waiting)
        ]
        again = {name for names, _ in wrong for name in names}
        if wrong and not again:
            raise InputError(*(problem for _, problem in wrong))
        for _, problem in wrong:
            say(f"  ! {text(problem.key, language, **problem.values)}")
        waiting.extendleft(reversed([other for other in asked if other.name in again]))
        if not waiting:
            return made


def _answer(question: Question, answers: Mapping[str, Answer]) -> str:
    """Ask one thing; what was answered before, or is usual, is taken for an empty answer."""
    from opslab.errors import InputError
    from opslab.messages import printable

    known = {name: str(answer.given) for name, answer in answers.items()}
    default = known.get(question.name) or question.default.format_map(known)
    hint = "/".join(question.choices) or question.example
    try:
        given: str = click.prompt(
            f"  {question.label} ({hint})", default=printable(default), show_default=bool(default)
        )
    except click.Abort as error:
        raise InputError.of("businesscase.new_stopped") from error
    return given.strip()
