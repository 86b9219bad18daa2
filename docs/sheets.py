"""Write the sheets of `opslab init` and `opslab new sheet` from the profiles and docs/sheets.toml.

Each sheet is a workbook and a CSV file in each language: headings, one example row, which is left
out when read, and in the workbook a note on each heading, lists to choose from, and a second sheet
that says how to fill it in. Where a spec is of use, one stands beside them.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from opslab.messages import LANGUAGES, Language
from opslab.runs.new_workspace import SHEETS
from opslab.tables.profiles import Column, known_profiles

sys.path.insert(0, str(Path(__file__).parent))
from case_sheet import packed

WORDS = Path(__file__).with_suffix(".toml")
GUIDE: dict[Language, str] = {"en": "How to fill in", "fr": "Comment remplir"}
EXAMPLE: dict[Language, str] = {
    "en": "This row is an example and counts for nothing: write over it, or leave it.",
    "fr": "Cette ligne est un exemple et ne compte pas : écrivez par-dessus, ou laissez-la.",
}
TABLE: dict[Language, tuple[str, str, str]] = {
    "en": ("Column", "What goes in", "For example"),
    "fr": ("Colonne", "Ce qui s'y écrit", "Par exemple"),
}
WRONG: dict[Language, dict[str, str]] = {
    "en": {
        "list": "Choose one of: {choices}.",
        "count": "Write a number, 0 or more, without a unit.",
        "above": "Write a number above 0, without a unit.",
        "scale": "Usual are {choices}. Keep this one all the same?",
        "number": "Write a number, without a unit.",
        "share": "Write a share from 0 % to 100 %.",
        "date": "Write a date.",
    },
    "fr": {
        "list": "Choisissez parmi : {choices}.",
        "count": "Écrivez un nombre, 0 ou plus, sans unité.",
        "above": "Écrivez un nombre supérieur à 0, sans unité.",
        "scale": "D'habitude : {choices}. Garder tout de même cette valeur ?",
        "number": "Écrivez un nombre, sans unité.",
        "share": "Écrivez une part de 0 % à 100 %.",
        "date": "Écrivez une date.",
    },
}
LONG = 24  # characters of an example
ROWS = 500  # that are made ready to be filled in
FORMATS = {"share": "0%", "date": "yyyy-mm-dd"}
BOUNDS = {
    "count": ("decimal", "0", "1E+15"),
    "above": ("decimal", "0.000001", "1E+15"),
    "number": ("decimal", "-1E+15", "1E+15"),
    "share": ("decimal", "0", "1"),
    "date": ("date", "36526", "73050"),  # 2000 to 2099
}
"""Of what a cell may hold: its type, the least and the most."""
FILL = PatternFill("solid", fgColor="DCE6F1")
LINE = Border(bottom=Side("thin", color="7F7F7F"))


class Asked(NamedTuple):
    """A column of a sheet in one language."""

    name: str
    column: Column
    heading: str
    note: str
    example: Any
    choices: list[str]
    above: bool
    scale: list[float]


def words() -> dict[str, Any]:
    """Return what docs/sheets.toml says of each sheet."""
    return tomllib.loads(WORDS.read_text("utf-8"))


def said(given: Any, language: Language) -> Any:
    """Return what is said in a language, or in both."""
    return given[language] if isinstance(given, dict) else given


def spaced(text: str, language: Language) -> str:
    """Return a text with the spaces that French does not break."""
    if language == "en":
        return text
    return re.sub("(?<=[«]) | (?=[»;:?!%])", "\N{NO-BREAK SPACE}", text)


def asked(sheet: dict[str, Any], language: Language) -> list[Asked]:
    """Return the columns of a sheet, in its order."""
    known = known_profiles()[sheet["profile"]].columns
    columns = []
    for name, about in sheet["columns"].items():
        columns.append(
            Asked(
                name,
                known[name],
                known[name].headers[1 + LANGUAGES.index(language)],
                spaced(said(about["note"], language), language),
                said(about.get("example"), language),
                said(about.get("choices", []), language),
                about.get("above", False),
                about.get("scale", []),
            )
        )
    return columns


def workbook(sheet: dict[str, Any], language: Language) -> Workbook:
    """Return the workbook of a sheet."""
    book = Workbook()
    book.properties.creator = "opslab"
    book.properties.language = language
    page: Any = book.active
    page.title = said(sheet["title"], language)
    columns = asked(sheet, language)
    guide: Any = book.create_sheet(GUIDE[language])
    for number, column in enumerate(columns, 1):
        _fill_column(page, number, column, language, _scale(guide, column))
    page.row_dimensions[1].height = 48
    page.freeze_panes = "B2"
    page.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{ROWS}"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "1:1"
    page.cell(2, 1).comment = _comment(EXAMPLE[language])
    _write_guide(guide, sheet, columns, language)
    return book


def _scale(guide: Any, column: Asked) -> str:
    """Write the numbers that a cell may choose from beside the guide, and return their cells.

    A list inside of the rule would part 0,5 in two where the decimal mark is a comma.
    """
    if not column.scale:
        return ""
    number = max(guide.max_column + 1, 5)
    for row, value in enumerate((column.heading, *column.scale), 1):
        cell = guide.cell(row, number, value)
        cell.number_format = FORMATS.get(column.column.kind, "General")
        cell.font = Font(color="7F7F7F", bold=row == 1)
    letter = get_column_letter(number)
    return f"'{guide.title}'!${letter}$2:${letter}${1 + len(column.scale)}"


def _fill_column(page: Any, number: int, column: Asked, language: Language, scale: str) -> None:
    """Write a column: its heading with the note, the example, and what its cells take."""
    head, cell = page.cell(1, number, column.heading), page.cell(2, number, column.example)
    head.font, head.fill, head.border = Font(bold=True), FILL, LINE
    head.alignment = Alignment(wrap_text=True, vertical="top")
    head.comment = _comment(column.note)
    cell.font = Font(italic=True, color="595959")
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    long = len(str(column.example or "")) > LONG
    page.column_dimensions[get_column_letter(number)].width = 34 if long else 16
    kind = "text" if column.column.or_text else column.column.kind
    form = FORMATS.get(column.column.kind, "General")
    cell.number_format = page.column_dimensions[get_column_letter(number)].number_format = form
    wrong = WRONG[language]
    if column.choices:
        listed = ",".join(column.choices)
        rule = DataValidation("list", formula1=f'"{listed}"')
        rule.error = wrong["list"].format(choices=", ".join(column.choices))
    elif scale:
        rule = DataValidation("list", formula1=scale, errorStyle="warning")
        usual = [written(column._replace(example=value), language) for value in column.scale]
        rule.error = wrong["scale"].format(choices=" ; ".join(usual))
    elif kind in BOUNDS:
        kind = "above" if column.above else kind
        type_, low, high = BOUNDS[kind]
        rule = DataValidation(type_, operator="between", formula1=low, formula2=high)
        rule.error = wrong[kind]
    else:
        return
    rule.allow_blank = True
    rule.showErrorMessage = True
    page.add_data_validation(rule)
    rule.add(f"{get_column_letter(number)}2:{get_column_letter(number)}{ROWS}")


def _comment(text: str) -> Comment:
    return Comment(text, "opslab", height=60 + 18 * (len(text) // 40), width=280)


def _write_guide(
    page: Any, sheet: dict[str, Any], columns: list[Asked], language: Language
) -> None:
    """Write the second sheet: the rules, then every column."""
    page.cell(1, 1, said(sheet["title"], language)).font = Font(bold=True, size=14)
    last = 1
    for last, rule in enumerate((spaced(text, language) for text in sheet["rules"][language]), 2):
        page.cell(last, 1, f"\N{BULLET} {rule}")
        page.merge_cells(start_row=last, end_row=last, start_column=1, end_column=3)
        page.row_dimensions[last].height = 16 * (1 + len(rule) // 105)
    for number, heading in enumerate(TABLE[language], 1):
        cell = page.cell(last + 2, number, heading)
        cell.font, cell.fill = Font(bold=True), FILL
    for row, column in enumerate(columns, last + 3):
        texts = (column.heading, column.note, written(column, language))
        for number, text in enumerate(texts, 1):
            page.cell(row, number, text)
    for cells in page.iter_rows(min_row=2, max_col=3):
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.number_format = "@"
    for letter, width in zip("ABC", (34, 64, 32), strict=True):
        page.column_dimensions[letter].width = width
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True


def written(column: Asked, language: Language) -> str:
    """Return an example as it is written in a text file."""
    example = column.example
    if example is None:
        return ""
    if column.column.kind == "share":
        example = f"{example:.0%}" if language == "en" else f"{example * 100:g} %"
    if isinstance(example, datetime.date):
        return example.isoformat()
    return (
        str(example).replace(".", ",")
        if isinstance(example, float) and language == "fr"
        else str(example)
    )


def text_file(sheet: dict[str, Any], language: Language) -> bytes:
    """Return the CSV file of a sheet, as a spreadsheet of that language opens it."""
    columns, stream = asked(sheet, language), io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";" if language == "fr" else ",", lineterminator="\n")
    writer.writerow([column.heading for column in columns])
    writer.writerow([written(column, language) for column in columns])
    return stream.getvalue().encode("utf-8-sig")


def files() -> dict[str, bytes]:
    """Return all sheets by their file names."""
    content = {}
    for name, sheet in words().items():
        for language in LANGUAGES:
            content[f"{name}.{language}.xlsx"] = packed(workbook(sheet, language))
            content[f"{name}.{language}.csv"] = text_file(sheet, language)
            if "spec" in sheet:
                content[f"{name}.{language}.yaml"] = sheet["spec"][language].encode()
    return content


def write() -> None:
    """Write them where the package keeps them."""
    SHEETS.mkdir(exist_ok=True)
    for name, content in files().items():
        (SHEETS / name).write_bytes(content)


if __name__ == "__main__":
    write()
