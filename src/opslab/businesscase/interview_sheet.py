"""The questions of a case as a workbook, ``starter/case.en.xlsx``, and what was filled in.

`docs/case_sheet.py` writes the workbooks from the questions.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from opslab import workspace
from opslab.businesscase.interview import STARTER, Answer, Draft, questions
from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import Language
from opslab.tables.numbers import excerpt

_MOST_ROWS = 1_000


def workbook(language: Language) -> bytes:
    """Return the workbook that asks the questions, with lists to choose from."""
    return (STARTER / f"case.{language}.xlsx").read_bytes()


def draft_of(
    path: Path, make: Callable[[Mapping[str, Answer]], Draft], language: Language
) -> Draft:
    """Return what the answers of a workbook make.

    Raises
    ------
    DataError
        With all that is wrong with them: each its row, what was asked, and what the cell holds.
    """
    shown = workspace.shown(path)
    answers, rows = _read(path, shown)
    draft = make(answers)
    labels = {question.name: question.label for question in questions(language)}
    problems = []
    for names, problem in draft.wrong:
        cells = (excerpt(str(answers[name].given)) for name in names if name in answers)
        where: dict[str, Any] = {"row": rows.get(next(iter(names), "")), "line": None}
        where["cell"] = " / ".join(filter(None, cells)) or None
        where["field"] = ", ".join(labels[name] for name in names) or problem.field
        problems.append(dataclasses.replace(problem, file=shown, **where))
    DataError.refuse(problems)
    return draft


def _read(path: Path, shown: str) -> tuple[dict[str, Answer], dict[str, int]]:
    """Return the answers of a workbook by the names in column G, and the row of each."""
    if not workspace.is_there(path, file=True):
        raise DataError.of("tables.missing_file", file=shown, near=workspace.near_name(path))
    try:
        sheet = load_workbook(path, data_only=True).worksheets[0]
        cells = list(sheet.iter_rows(max_row=_MOST_ROWS, values_only=True))
    except Exception as error:
        raise DataError.of("businesscase.new_no_sheet", file=shown) from error
    known = {question.name for question in questions("en")}
    answers, rows, problems = dict[str, Answer](), dict[str, int](), list[Problem]()
    for number, row in enumerate(cells[1:], 2):
        _, given, unit, grade, source, _, name, *_ = chain(map(_text, row), repeat("", 7))
        if name in known - rows.keys():
            answers[name] = Answer(given, unit, grade.upper(), source)
            rows[name] = number
        elif name:
            near = {"name": name, "near": did_you_mean(name, known - rows.keys())}
            problems.append(Problem("businesscase.new_row", near, shown, row=number))
    if not rows:
        raise DataError.of("businesscase.new_no_sheet", file=shown)
    DataError.refuse(problems)
    return answers, rows


def _text(cell: Any) -> Any:
    """Return what a cell holds: a number as such, a day and a time as a text."""
    if isinstance(cell, datetime.datetime):
        cell = cell.date()
    number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return cell if number else "" if cell is None else str(cell).strip()
