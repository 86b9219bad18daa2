"""Workbooks of spreadsheets (XLSX, XLSB, XLS, ODS): the rows of one sheet, as text.

calamine reads the values; what it gives as empty cells is looked up in the sheet's XML, and told.
"""

from __future__ import annotations

import datetime
import fnmatch
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from typing import Any, NamedTuple

from opslab.errors import DataError, Problem, did_you_mean
from opslab.tables.dialect import head_rows
from opslab.tables.import_report import Decision, Rows
from opslab.tables.layout import layout_of
from opslab.tables.numbers import clear_number
from opslab.tables.records import Record
from opslab.tables.source import Opening

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_MOST_MEGABYTES = 500  # unpacked
_MOST_CELLS = 27_000_000  # from the first to the last, filled or not: 32 bytes each
_LAST_ROWS = (65_536, 1_048_576)  # of a sheet, old and new
GUIDES = {"How to fill in", "Comment remplir", "How to answer", "Comment répondre"}
"""Sheets of our own forms that say how to fill in the first one."""
_MOST_NAMES = 12  # of sheets that a message lists
_EXACT = 1 << 53  # whole numbers below it are written as such

_SHEET = rb"<(?:\w+:)?sheet\s[^<>]*:id=[\"']([^\"']*)"
_TARGET = rb"<Relationship\s(?=[^<>]*\bId=[\"']%s[\"'])[^<>]*\bTarget=[\"']/?(?:xl/)?([^\"']*)"
_REFERENCE = rb"\sr=[\"']([A-Za-z]*)(\d+)"
_EXTENT, _HEAD = rb"(?s)\x94\x01\x10(.{16})", 1_000  # as XLSB claims it, near the beginning
_TOLD = {  # how the XML of a sheet shows what its values do not
    "tables.decided_formulas": rb"<c\b(?![^<>]*\bt=[\"']str[\"'])[^<>]*>\s*<f\b[^<>]*>[^<]*"
    rb"(?:</f>)?\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>",
    "tables.decided_errors": rb"<c\s[^<>]*\bt=[\"']e[\"']",
    "tables.decided_hidden": rb"<(?:row|col)\s[^<>]*\bhidden=[\"'](?:1|true)[\"']",
}

_UNREAD = ("tables.decided_formulas", "tables.decided_errors")


class Sheet(NamedTuple):
    """The sheet of a workbook that holds the table.

    Rows have the numbers that the user sees, begin at the first filled column, and are all as wide
    as the widest. Rows that are empty are left out. In `headings`, what a merged cell holds is in
    every column below it.
    """

    rows: list[tuple[int, list[str]]]
    headings: list[Record]
    decisions: list[Decision]


def read_workbook(opening: Opening) -> Rows:
    """Return the rows of the sheet that holds the table; several such sheets are a question."""
    rows, headings, decisions = read_sheet(opening)
    layout = layout_of(opening, headings)
    while any(layout.header) and not layout.header[-1]:
        layout.header.pop()
    width, below = len(layout.header), [item for item in rows if item[0] > layout.end]
    fitting = ((row, texts[:width]) for row, texts in below if not any(texts[width:]))
    arranged = Rows(layout.header, fitting, decisions=[*decisions, *layout.decisions])
    for row, texts in below:
        if any(texts[width:]):
            last = max(column for column, text in enumerate(texts, 1) if text)
            arranged.reject(row, "tables.rejected_width", found=last, columns=width)
    arranged.refuse_misfits(opening.shown, len(below))
    return arranged


def read_sheet(opening: Opening) -> Sheet:
    """Return the visible sheet that holds data, or the one that was asked for."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

    shown = SheetTypeEnum.WorkSheet, SheetVisibleEnum.Visible
    with _library(opening):
        _refuse_large(opening)
        with opening.path.open("rb") as stream:  # its kind is told by what is in it
            book = load_workbook(stream)
        sheets = [item.name for item in book.sheets_metadata if (item.typ, item.visible) == shown]
    asked = opening.answers.sheet
    if asked is not None and asked not in sheets:
        raise opening.error(
            "tables.no_sheet",
            sheet=asked,
            near=did_you_mean(asked, sheets),
            sheets=sheets[:_MOST_NAMES],
        )
    filled = {
        name: sheet
        for name in ([asked] if asked else sheets)
        if asked or name not in GUIDES
        if (sheet := _sheet(opening, book, name)).rows
    }
    if not filled:
        raise opening.error("tables.empty_sheet" if asked else "tables.empty_file", sheet=asked)
    if len(filled) > 1:
        raise opening.error("tables.ask_sheet", sheets=[*filled][:_MOST_NAMES])
    ((name, sheet),) = filled.items()
    if len(sheets) > 1:
        sheet.decisions.insert(0, Decision("tables.decided_sheet", {"sheet": name}))
    return sheet


@contextmanager
def _library(opening: Opening) -> Iterator[None]:
    """Tell whatever goes wrong in a library that reads files as one message."""
    try:
        yield
    except (DataError, KeyboardInterrupt):
        raise
    except BaseException as error:  # Rust's panic is no Exception
        raise opening.error("tables.no_workbook") from error


def _refuse_large(opening: Opening) -> None:
    """Refuse what would not fit in memory, and damaged parts, before anything is unpacked."""
    if not zipfile.is_zipfile(opening.path):
        return
    with zipfile.ZipFile(opening.path) as packed:
        size = sum(part.file_size for part in packed.infolist()) >> 20
        if size > _MOST_MEGABYTES:
            raise opening.error("tables.large_workbook", size=size, most=_MOST_MEGABYTES)
        if packed.testzip():
            raise zipfile.BadZipFile
        for name in fnmatch.filter(packed.namelist(), "xl/worksheets/*.bin"):
            if claim := re.search(_EXTENT, packed.open(name).read(_HEAD)):
                _, row, _, column = struct.unpack("<4I", claim[1])
                _refuse_wide(opening, name, row + 1, column + 1)


def _sheet(opening: Opening, book: Any, name: str) -> Sheet:
    with _library(opening):
        content = _content(opening, book.sheet_names.index(name))
        _refuse_wide(opening, name, *_extent(content))
        sheet = book.get_sheet_by_name(name)
        cells = enumerate(sheet.iter_rows(), 1)
    texts = ((number, list(map(_text, row))) for number, row in cells)
    rows = [(number, row) for number, row in texts if any(row)]
    if not rows:
        return Sheet([], [], [])
    filled = {column for _, row in rows for column, text in enumerate(row) if text}
    wide = slice(min(filled), max(filled) + 1)
    over = {number: list(row) for number, row in rows[: head_rows(opening)]}
    for (top, left), (_, right) in sheet.merged_cell_ranges or ():
        first, last = left - sheet.start[1], right - sheet.start[1] + 1
        if first >= 0 and (row := over.get(top + 1)):
            row[first:last] = row[first : first + 1] * (last - first)
    headings = [Record(number, number, row[wide]) for number, row in over.items()]
    counts = {key: len(re.findall(pattern, content)) for key, pattern in _TOLD.items()}
    if rows[-1][0] in _LAST_ROWS:
        counts["tables.decided_row_cap"] = len(rows) - 1
    rows = [(number, row[wide]) for number, row in rows]
    if not content:
        counts["tables.decided_blind"] = sum("" in row for _, row in rows)
    decisions = [
        Decision(key, {"count": count} | _first(key, content), assumed=True)
        for key, count in counts.items()
        if count
    ]
    return Sheet(rows, headings, decisions)


def _first(key: str, content: bytes) -> dict[str, str]:
    """Return the first of the cells that give no value, such as ``B2``."""
    cell = re.search(_TOLD[key], content) if key in _UNREAD else None
    reference = re.search(_REFERENCE, cell[0]) if cell else None
    return {"first": b"".join(reference.groups()).decode()} if reference else {}


def unread(decisions: Iterable[Decision], shown: str) -> list[Problem]:
    """Return as problems what a table may lose, and a form to fill in may not."""
    return [
        Problem(
            "tables.unread",
            decision.values,
            shown,
            row=int(re.sub(r"\D", "", decision.values["first"])),
            field=decision.values["first"],
        )
        for decision in decisions
        if decision.key in _UNREAD and "first" in decision.values
    ]


def _content(opening: Opening, position: int) -> bytes:
    """Return the XML of the sheet at a position; nothing where it is none of XLSX."""
    with suppress(KeyError, zipfile.BadZipFile), zipfile.ZipFile(opening.path) as packed:
        sheets = re.findall(_SHEET, packed.read("xl/workbook.xml"))
        relations = packed.read("xl/_rels/workbook.xml.rels")
        target = re.search(_TARGET % re.escape(sheets[position]), relations)
        content = packed.read(f"xl/{target[1].decode()}" if target else "")
        # a program may name the parts of the format in its own way: <x:c>
        return re.sub(rb"(</?)\w+:", rb"\1", content) if b":sheetData" in content else content
    return b""


def _extent(content: bytes) -> tuple[int, int]:
    """Return how many rows and columns the cells of a sheet span, from the first of all."""
    columns, rows = ({cell[part] for cell in re.finditer(_REFERENCE, content)} for part in (1, 2))
    last = max(columns, key=lambda letters: (len(letters), letters), default=b"").upper()
    width = reduce(lambda number, letter: 26 * number + letter - 64, last, 0)
    for row in content.split(b"<row")[1:]:  # cells need not say where they are
        width = max(width, row.count(b"<c ") + row.count(b"<c>"))
    return max((int(row[:9]) for row in rows), default=0), width


def _refuse_wide(opening: Opening, sheet: str, rows: int, columns: int) -> None:
    """Refuse cells so far apart that the library could not hold what is between."""
    if rows * columns > _MOST_CELLS:
        raise opening.error("tables.wide_workbook", sheet=sheet, rows=rows, columns=columns)


def _text(value: Any) -> str:
    """Return a cell as a program writes it in a text file."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if whole else clear_number(repr(value))
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = "-" if seconds < 0 else "", abs(seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)  # days and times in ISO 8601
