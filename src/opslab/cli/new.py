"""The command ``opslab new``: a starting point of one's own, from the answers to ten questions."""

from __future__ import annotations

import datetime
import os
import shlex
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
    from opslab.errors import InputError
    from opslab.messages import text
    from opslab.runs.folder import machine_errors
    from opslab.runs.registry import spec

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
    models = {"inventory": spec("inventory"), "case": spec("case")}

    def make(answers: Mapping[str, Answer]) -> Draft:
        return interview.draft(name, answers, models, spoken)

    if filled:
        here = filled if workspace.is_there(filled) else workspace.resolve(filled)
        draft = interview_sheet.draft_of(here, make, spoken)
    elif sys.stdin.isatty():
        draft = _interview(make, interview.questions(spoken), spoken)
    else:
        raise InputError.of("businesscase.new_terminal", name=shlex.quote(name))
    with machine_errors("cases"):
        interview.write({file: content.encode() for file, content in draft.files.items()})
    inventory, case = files
    say(text("businesscase.new_done", spoken, inventory=inventory, case=case))
    in_french = " -p language=fr" if spoken == "fr" else ""
    say(f"  opslab run time_saved -p spec={inventory}{in_french}")
    say(f"  opslab run business_case -p spec={case}{in_french}")


def _interview(
    make: Callable[[Mapping[str, Answer]], Draft],
    asked: Sequence[Question],
    language: Language,
) -> Draft:
    """Ask until nothing is wrong: an answer again at once, or with those that it contradicts."""
    from opslab.businesscase.interview import Answer
    from opslab.errors import InputError
    from opslab.messages import text

    today = datetime.datetime.now().astimezone().date()  # proposed: the answer decides
    answers = {"today": Answer(today.isoformat())}
    waiting, heading = deque(asked), ""
    while True:
        question = waiting.popleft()
        if question.heading != heading:
            heading = question.heading
            say(f"\n{heading}")
        needed = not question.needs or answers[question.needs].given
        answers[question.name] = Answer(_answer(question, answers) if needed else "")
        draft, later = make(answers), {other.name for other in waiting}
        wrong = [item for item in draft.wrong if later.isdisjoint(item[0])]
        InputError.refuse([problem for names, problem in wrong if not names])  # of NAME
        again = {name for names, _ in wrong for name in names}
        for _, problem in wrong:
            say(f"  ! {text(problem.key, language, **problem.values)}")
        waiting.extendleft(reversed([other for other in asked if other.name in again]))
        if not waiting:
            return draft


def _answer(question: Question, answers: Mapping[str, Answer]) -> str:
    """Ask one thing; what was answered before, or is usual, is taken for an empty answer."""
    from opslab.errors import InputError
    from opslab.messages import printable

    known = {name: str(answer.given) for name, answer in answers.items()}
    names = {key: name for name, key in question.choices.items()}
    usual = question.default.format_map(known)
    default = known.get(question.name) or names.get(usual, usual)
    hint = "/".join(question.choices) or " / ".join([question.example, *question.units][:2])
    label = f"  {question.label} ({hint})"
    try:
        given: str = click.prompt(label, printable(default), show_default=bool(default))
    except click.Abort as error:
        raise InputError.of("businesscase.new_stopped") from error
    return given.strip()
