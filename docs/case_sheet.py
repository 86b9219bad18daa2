"""Write the workbooks of `opslab new case NAME --sheet` from the questions: one a language."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any, get_args

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from opslab.businesscase.interview import STARTER, questions
from opslab.businesscase.interview_sheet import SHEET
from opslab.evidence import Grade
from opslab.messages import LANGUAGES, Language

COLUMNS: dict[Language, list[str]] = {
    "en": ["Question", "Answer", "Grade", "Source", "For example"],
    "fr": ["Question", "Réponse", "Grade", "Source", "Par exemple"],
}
CURRENCIES = ["EUR", "USD", "GBP", "CHF", "CAD"]
WIDTHS = (58, 44, 8, 28, 46)
GRADED = set(re.findall(r"(\w+)_grade", (STARTER / "case.en.yaml").read_text("utf-8")))


def workbook(language: Language) -> Workbook:
    """Return the workbook of a language: a row a question, its name in a hidden column."""
    book = Workbook()
    book.properties.creator = "opslab"
    sheet: Any = book.active
    sheet.title = SHEET
    sheet.append([*COLUMNS[language], "name"])
    heading = ""
    for question in questions(language):
        if question.heading != heading:
            heading = question.heading
            sheet.append([heading])
            sheet.cell(sheet.max_row, 1).font = Font(bold=True)
        default = "" if "{" in question.default else question.default
        sheet.append([question.label, default or None, None, None, question.example, question.name])
        row = sheet.max_row
        free = question.name == "currency"
        lists = {2: CURRENCIES if free else [*question.choices]}
        lists |= {3: get_args(Grade)} if question.name in GRADED else {}
        for column, choices in lists.items():
            if choices:
                rule = DataValidation(
                    "list",
                    formula1=f'"{",".join(choices)}"',
                    allow_blank=True,
                    showErrorMessage=not free,
                )
                sheet.add_data_validation(rule)
                rule.add(sheet.cell(row, column))
        if question.kind == "range":
            sheet.cell(row, 2).number_format = "@"  # else 3-6 becomes a day
        sheet.cell(row, 2).fill = PatternFill("solid", fgColor="FFF7DC")
    for letter, width in zip("ABCDE", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.column_dimensions["F"].hidden = True
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "B2"
    return book


def packed(book: Workbook) -> bytes:
    """Return a workbook as bytes that are the same each time: without the times of writing."""
    written, fixed = io.BytesIO(), io.BytesIO()
    book.save(written)
    with (
        zipfile.ZipFile(written) as source,
        zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            content = source.read(part)
            if part.filename == "docProps/core.xml":
                content = re.sub(rb"20\d\d-\d\d-\d\dT[\d:]+Z", b"2026-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0)), content)
    return fixed.getvalue()


def write() -> None:
    """Write both."""
    for language in LANGUAGES:
        (STARTER / f"case.{language}.xlsx").write_bytes(packed(workbook(language)))


if __name__ == "__main__":
    write()
