"""The questions of a case as a workbook to fill in, with lists to choose from, and back."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.datavalidation import DataValidation

from opslab.businesscase.interview import Answer, Draft, graded, questions
from opslab.errors import DataError, Problem, did_you_mean
from opslab.evidence import Grade
from opslab.messages import Language, text
from opslab.tables.numbers import excerpt

_COLUMNS = {
    "question": 60,
    "answer": 44,
    "unit": 10,
    "grade": 8,
    "source_column": 30,
    "example": 44,
}
_NAME = len(_COLUMNS)  # of the column with the names, from 0


def write_sheet(path: Path, language: Language, today: datetime.date) -> None:
    """Write a workbook that asks the questions of a case, with what is taken by default."""
    book = Workbook()
    sheet: Any = book.active
    sheet.append([*(text(f"businesscase.new_{name}", language) for name in _COLUMNS), "name"])
    heading, with_grade = "", graded()
    for question in questions(language):
        if question.heading != heading:
            heading = question.heading
            sheet.append([heading])
            sheet.cell(sheet.max_row, 1).font = Font(bold=True)
        default = question.default.replace("{today}", today.isoformat())
        default = "" if "{" in default else default
        unit = next(iter(question.units), None)
        cells = [question.label, default or None, unit, None, None, question.example, question.name]
        sheet.append(cells)
        lists = {2: question.choices, 3: question.units}
        lists |= {4: get_args(Grade)} if question.name in with_grade else {}
        for column, choices in lists.items():
            if choices:
                rule = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=True)
                sheet.add_data_validation(rule)
                rule.add(sheet.cell(sheet.max_row, column))
    for letter, width in zip("ABCDEF", _COLUMNS.values(), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.column_dimensions["G"].hidden = True
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as stream:  # x: nothing is overwritten
        book.save(stream)


def read_sheet(path: Path, shown: str) -> tuple[dict[str, Answer], dict[str, int]]:
    """Return the answers of a workbook, and the row in which each stands.

    Raises
    ------
    DataError
        Where it is no workbook with the questions, or one of them is there twice.
    """
    try:
        rows = list(load_workbook(path, data_only=True).active.iter_rows(values_only=True))
    except Exception as error:
        raise DataError.of("businesscase.new_no_sheet", file=shown) from error
    known = {question.name for question in questions("en")}
    answers, places, problems = dict[str, Answer](), dict[str, int](), list[Problem]()
    for number, row in enumerate(rows[1:], 2):
        cells = [*row, *[None] * (_NAME + 1)]
        name = str(cells[_NAME] or "")
        if name in known and name not in places:
            _, given, unit, grade, source = map(_given, cells[:5])
            answers[name] = Answer(given, str(unit), str(grade).upper(), str(source))
            places[name] = number
        elif name:
            values = {"name": name, "near": did_you_mean(name, known - places.keys())}
            problems.append(Problem("businesscase.new_row", values, shown, row=number))
    if not places:
        raise DataError.of("businesscase.new_no_sheet", file=shown)
    DataError.refuse(problems)
    return answers, places


def _given(cell: Any) -> str | float:
    """Return what a cell holds: a number as such, a day and a time as a text."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    return cell if isinstance(cell, int | float) else str(cell or "").strip()


def draft_of(
    path: Path, make: Callable[[Mapping[str, Answer]], Draft], language: Language
) -> Draft:
    """Return what the answers of a workbook make.

    Raises
    ------
    DataError
        With all that is wrong with them: each its row, what was asked, and what the cell holds.
    """
    shown = str(path)
    answers, places = read_sheet(path, shown)
    made = make(answers)
    labels = {question.name: question.label for question in questions(language)}
    problems = []
    for names, problem in made.wrong:
        name = next(iter(names), "")
        given = excerpt(str(answers.get(name, Answer()).given))
        where = {"row": places.get(name), "field": labels.get(name, problem.field)}
        problems.append(
            dataclasses.replace(problem, file=shown, line=None, cell=given or None, **where)
        )
    DataError.refuse(sorted(problems, key=lambda problem: problem.row or 0))
    return made
