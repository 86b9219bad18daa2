"""Workbooks (XLSX): the rows of one sheet, as text."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from opslab.errors import DataError, did_you_mean
from opslab.tables.import_report import Decision, Rows
from opslab.tables.numbers import clear_number
from opslab.tables.source import Opening

_MOST_BYTES = 4 << 30  # unpacked
_MOST_ROWS = 1_048_575  # that a sheet holds below its header
_PREAMBLE, _HEAD_ROWS = 20, 1_000
_MOST_NAMES = 12  # of sheets that a message lists
_PIECE = 1 << 20
_EXACT = 1e15  # whole numbers below it are written as such
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class _Cell(NamedTuple):
    """What openpyxl gives of a cell; the format of days and times only."""

    value: Any
    kind: str
    format: str


def read_workbook(opening: Opening) -> Rows:
    """Return the rows of the sheet that holds the table; several such sheets are a question."""
    import openpyxl

    formulas = _formulas_without_value(opening)
    with _openpyxl(opening):
        book = openpyxl.load_workbook(
            opening.path, read_only=True, data_only=True, keep_links=False
        )
        sheets = {sheet.title: sheet for sheet in book.worksheets if sheet.sheet_state == "visible"}
        for sheet in sheets.values():
            sheet.reset_dimensions()  # what a file says of its own size may be anything
    filled = [name for name, sheet in sheets.items() if _is_filled(opening, sheet)]
    name = _chosen(opening, list(sheets), filled)
    rows = _rows(opening, sheets[name])
    if len(sheets) > 1:
        rows.decisions.append(Decision("tables.decided_sheet", {"sheet": name}))
    if formulas:
        count = {"count": formulas}
        rows.decisions.append(Decision("tables.decided_formulas", count, assumed=True))
    return rows


@contextmanager
def _openpyxl(opening: Opening) -> Iterator[None]:
    """Tell whatever goes wrong in openpyxl, which has no error class of its own, as one message."""
    try:
        yield
    except Exception as error:
        raise opening.error("tables.no_workbook") from error


def _cells(opening: Opening, sheet: Any) -> Iterator[list[_Cell]]:
    with _openpyxl(opening):
        for row in sheet.iter_rows():
            yield [
                _Cell(
                    cell.value,
                    cell.data_type,
                    cell.number_format if isinstance(cell.value, datetime.datetime) else "",
                )
                for cell in row
            ]


def _is_filled(opening: Opening, sheet: Any) -> bool:
    with _openpyxl(opening):
        rows = sheet.iter_rows(values_only=True)
        return any(value not in (None, "") for row in rows for value in row)


def _chosen(opening: Opening, sheets: Sequence[str], filled: Sequence[str]) -> str:
    asked = opening.answers.sheet
    if asked is not None:
        if asked not in sheets:
            near = did_you_mean(asked, sheets)
            values = {"sheet": asked, "near": near, "sheets": list(sheets[:_MOST_NAMES])}
            raise opening.error("tables.no_sheet", **values)
        if asked not in filled:
            raise opening.error("tables.empty_sheet", sheet=asked)
        return asked
    if not filled:
        raise opening.error("tables.empty_file")
    if len(filled) > 1:
        raise opening.error("tables.ask_sheet", sheets=list(filled[:_MOST_NAMES]))
    return filled[0]


def _formulas_without_value(opening: Opening) -> int:
    """Return how many formulas the program that wrote the workbook has not computed."""
    count = 0
    try:
        with zipfile.ZipFile(opening.path) as packed:
            if sum(part.file_size for part in packed.infolist()) > _MOST_BYTES:
                raise opening.error("tables.large_workbook", most=_MOST_BYTES >> 30)
            for name in packed.namelist():
                if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                    continue
                rest = b""
                with packed.open(name) as stream:
                    while piece := stream.read(_PIECE):
                        *cells, rest = (rest + piece).split(b"</c>")
                        count += sum(map(_lacks_value, cells))
    except DataError:
        raise
    except _BROKEN as error:
        raise opening.error("tables.no_workbook") from error
    return count


def _lacks_value(cell: bytes) -> bool:
    return b"<f" in cell and not re.search(rb"<v>[^<]", cell) and b't="str"' not in cell


def _rows(opening: Opening, sheet: Any) -> Rows:
    """Return the header and the rows below it; titles above are passed over, and told."""
    head = list(islice(_cells(opening, sheet), _HEAD_ROWS))
    widths = [len([cell for cell in cells if _text(cell)]) for cells in head]
    first = next((row for row, width in enumerate(widths) if width), 0)
    named = (row for row, width in enumerate(widths[: first + _PREAMBLE]) if width > 1)
    start = next(named, first)
    if any(not isinstance(cell.value, str | None) for cell in head[start]):
        start = first  # rows of values below a single heading
    rows = Rows(_texts(head[start]), iter(()))
    if start > first:
        rows.decisions.append(Decision("tables.decided_preamble", {"count": start}))
    rows.rows = _below(opening, sheet, start, rows)
    return rows


def _below(
    opening: Opening, sheet: Any, start: int, rows: Rows
) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the rows below the header, and tell at the end what became of them."""
    width, count, errors = len(rows.header), 0, 0
    for number, cells in enumerate(islice(_cells(opening, sheet), start + 1, None), 1):
        texts = _texts(cells)
        if not texts:
            continue
        count += 1
        errors += sum(cell.kind == "e" for cell in cells)
        if len(texts) > width:
            line = number + start + 1
            values = {"line": line, "found": len(texts), "columns": width}
            rows.reject(number, "tables.rejected_width", **values)
        else:
            yield number, texts + [""] * (width - len(texts))
    if errors:
        rows.decisions.append(Decision("tables.decided_errors", {"count": errors}, assumed=True))
    rows.refuse_misfits(opening.shown, count)
    if count == _MOST_ROWS:
        rows.decisions.append(Decision("tables.decided_row_cap", {"count": count}, assumed=True))


def _texts(cells: Sequence[_Cell]) -> list[str]:
    """Return the texts of a row, up to its last cell that is not empty."""
    texts = [_text(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _text(cell: _Cell) -> str:
    """Return a cell as a program writes it in a text file."""
    value = cell.value
    if value is None or cell.kind == "e":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if whole else clear_number(repr(value))
    if isinstance(value, datetime.datetime):
        if value.time() == datetime.time() and "h" not in cell.format.lower():
            return value.date().isoformat()
        return value.isoformat(" ", "microseconds" if value.microsecond else "seconds")
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = "-" if seconds < 0 else "", abs(seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value).strip()
