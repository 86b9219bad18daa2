"""The questions of a case as a workbook, ``starter/case.en.xlsx``, and what was filled in.

`docs/case_sheet.py` writes the workbooks from the questions.
"""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from opslab import workspace
from opslab.businesscase.interview import STARTER, Draft, draft, questions
from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import Language
from opslab.tables.numbers import excerpt

_MOST_ROWS, _COLUMNS = 1_000, 6


def workbook(language: Language) -> bytes:
    """Return the workbook that asks the questions, with lists to choose from."""
    return (STARTER / f"case.{language}.xlsx").read_bytes()


def draft_of(title: str, path: Path, language: Language) -> Draft:
    """Return what the answers of a workbook make.

    Raises
    ------
    DataError
        With all that is wrong with them: each its row, what was asked, and what the cell holds.
    """
    shown = workspace.shown(path)
    if not workspace.is_there(path, file=True):
        raise DataError.of("tables.missing_file", file=shown, near=workspace.near_name(path))
    try:
        books = [load_workbook(path, data_only=computed) for computed in (True, False)]
    except Exception as error:
        raise DataError.of("businesscase.new_no_sheet", file=shown) from error
    rows = (book.worksheets[0].iter_rows(2, _MOST_ROWS, 1, _COLUMNS) for book in books)
    known = {question.name for question in questions(language)}
    answers, cells, problems = dict[str, Any](), dict[str, dict[str, Any]](), list[Problem]()
    for values, formulas in zip(*rows, strict=True):
        label, given, grade, source, _, name = (_content(cell.value) for cell in values)
        where = {"file": shown, "row": values[0].row}
        if name in known - answers.keys():
            where["field"] = label
            for key, cell in {"": given, "_grade": str(grade).upper(), "_source": source}.items():
                answers[name + key] = cell
                cells[name + key] = where | {"cell": excerpt(str(cell))}
        elif name:
            near = {"name": name, "near": did_you_mean(name, known - answers.keys())}
            problems.append(Problem("businesscase.new_row", near, **where))
        for cell, formula in zip(values, formulas, strict=True):
            if cell.data_type == "e" or (cell.value is None and formula.value is not None):
                where["cell"] = excerpt(str(formula.value))
                problems.append(Problem("businesscase.new_formula", **where))
    if not answers:
        raise DataError.of("businesscase.new_no_sheet", file=shown)
    DataError.refuse(problems)
    case = draft(title, answers, language)
    DataError.refuse(
        [
            dataclasses.replace(problem, line=None, **cells[next(iter(names))])
            for names, problem in case.wrong
        ]
    )
    return case


def _content(cell: Any) -> Any:
    """Return what a cell holds: a number as such, a day and a time as a text."""
    if isinstance(cell, datetime.datetime):
        cell = cell.date()
    number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return cell if number else "" if cell is None else str(cell).strip()
