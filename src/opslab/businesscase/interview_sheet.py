"""The questions of a case as a workbook, ``starter/case.en.xlsx``, and what was filled in.

`docs/case_sheet.py` writes the workbooks from the questions.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import duckdb

from opslab import workspace
from opslab.businesscase.interview import Draft, draft, questions
from opslab.errors import DataError, Problem
from opslab.messages import Language
from opslab.tables import Answers
from opslab.tables.numbers import excerpt
from opslab.tables.source import Opening
from opslab.tables.workbooks import read_sheet, unread

SHEET = "Questions"


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
    sheet = read_sheet(Opening(duckdb.connect(), shown, Answers(sheet=SHEET), path, path=path))
    problems = unread(sheet.decisions, shown)
    cells = {
        question.name: Problem("", file=shown, field=question.label)
        for question in questions(language)
    }
    answers: dict[str, str] = {}
    for row, texts in sheet.rows[1:]:
        label, given, grade, source, _, name, *_ = (*texts, *[""] * 6)
        if name in cells.keys() - answers.keys():
            for key, cell in {"": given, "_grade": grade.upper(), "_source": source}.items():
                answers[name + key] = cell
                cells[name + key] = Problem("", {}, shown, None, label, row, excerpt(cell))
        elif name:
            problems.append(Problem("businesscase.new_row", {"name": name}, shown, row=row))
    DataError.refuse(problems)
    case = draft(title, answers, language)
    problems = [
        dataclasses.replace(cells[names[0]], key=problem.key, values=problem.values)
        for names, problem in case.wrong.items()
    ]
    DataError.refuse(sorted(problems, key=lambda problem: problem.row or 0))
    return case
