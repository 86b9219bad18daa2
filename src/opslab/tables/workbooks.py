"""Workbooks (XLSX): the rows of one sheet, as text."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from opslab.errors import DataError, Problem, did_you_mean
from opslab.tables.import_report import Decision, FileAnswers, Rejection, Rows
from opslab.tables.numbers import clear_number

_MOST_BYTES = 4 << 30  # unpacked
_PREAMBLE, _HEAD_ROWS = 20, 1_000
_PIECE = 1 << 20
_EXACT = 1e15  # whole numbers below it are written as such


def read_workbook(path: Path, shown: str, answers: FileAnswers) -> Rows:
    """Return the rows of the sheet that holds the table; several such sheets are a question."""
    import openpyxl

    formulas = _formulas_without_value(path, shown)
    with _told(shown):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: sheet for sheet in book.worksheets if sheet.sheet_state == "visible"}
        filled = {}
        for name, sheet in sheets.items():
            sheet.reset_dimensions()  # what a file says of its own size may be anything
            if any(
                value not in (None, "")
                for row in sheet.iter_rows(values_only=True)
                for value in row
            ):
                filled[name] = sheet
    name = _chosen(answers.sheet, list(sheets), list(filled), shown)
    with _told(shown):
        found = _rows(filled[name], shown)
    if len(filled) > 1 or len(sheets) > len(filled):
        found.decisions.append(Decision("tables.decided_sheet", {"sheet": name}))
    if formulas:
        found.decisions.append(
            Decision("tables.decided_formulas", {"count": formulas}, assumed=True)
        )
    return found


def _chosen(asked: str | None, sheets: Sequence[str], filled: Sequence[str], shown: str) -> str:
    if asked is not None:
        if asked not in sheets:
            values = {
                "sheet": asked,
                "near": did_you_mean(asked, sheets),
                "sheets": list(sheets)[:12],
            }
            raise DataError(Problem("tables.no_sheet", values, shown))
        if asked not in filled:
            raise DataError.of("tables.empty_sheet", file=shown, sheet=asked)
        return asked
    if not filled:
        raise DataError.of("tables.empty_file", file=shown)
    if len(filled) > 1:
        raise DataError.of("tables.ask_sheet", file=shown, sheets=list(filled)[:12])
    return filled[0]


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """Tell whatever goes wrong in openpyxl, which has no error class of its own, as one message."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise DataError.of("tables.no_workbook", file=shown) from error


def _formulas_without_value(path: Path, shown: str) -> int:
    """Return how many formulas the program that wrote the workbook has not computed."""
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MOST_BYTES:
                raise DataError.of("tables.large_workbook", file=shown, most=_MOST_BYTES >> 30)
            count = 0
            for name in packed.namelist():
                if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                    continue
                rest = b""
                with packed.open(name) as stream:
                    while piece := stream.read(_PIECE):
                        *cells, rest = (rest + piece).split(b"</c>")
                        count += sum(map(_lacks_value, cells))
            return count
    except DataError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise DataError.of("tables.no_workbook", file=shown) from error


def _lacks_value(cell: bytes) -> bool:
    return b"<f" in cell and not re.search(rb"<v>[^<]", cell) and b't="str"' not in cell


def _rows(sheet: Any, shown: str) -> Rows:
    """Return the header and the rows below it; titles above are passed over, and told."""
    head = list(islice(sheet.iter_rows(), _HEAD_ROWS))
    widths = [len([cell for cell in cells if _text(cell)]) for cells in head]
    first = next((place for place, width in enumerate(widths) if width), 0)
    named = (place for place, width in enumerate(widths[: first + _PREAMBLE]) if width > 1)
    start = next(named, first)
    if any(not isinstance(cell.value, str | None) for cell in head[start]):
        start = first  # rows of values below a single heading
    header = _trimmed([_text(cell) for cell in head[start]])
    found = Rows(header, iter(()))
    if start > first:
        found.decisions.append(Decision("tables.decided_preamble", {"count": start}))

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        with _told(shown):
            yield from below()

    def below() -> Iterator[tuple[int, Sequence[str]]]:
        errors = 0
        for number, cells in islice(enumerate(sheet.iter_rows(), 1), start + 1, None):
            values = _trimmed([_text(cell) for cell in cells])
            if not values:
                continue
            errors += sum(cell.data_type == "e" for cell in cells)
            if len(values) > len(header):
                told = {"line": number, "found": len(values), "columns": len(header)}
                found.rejections.append(
                    Rejection(number - start - 1, "tables.rejected_width", told)
                )
                continue
            yield number - start - 1, values + [""] * (len(header) - len(values))
        if errors:
            found.decisions.append(
                Decision("tables.decided_errors", {"count": errors}, assumed=True)
            )

    found.rows = rows()
    return found


def _trimmed(values: list[str]) -> list[str]:
    while values and not values[-1]:
        values.pop()
    return values


def _text(cell: Any) -> str:
    """Return a cell as a program writes it in a text file."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if whole else clear_number(repr(value))
    if isinstance(value, datetime.datetime):
        timed = value.time() != datetime.time() or "h" in str(cell.number_format).lower()
        return (
            value.isoformat(" ", "microseconds" if value.microsecond else "seconds")
            if timed
            else value.date().isoformat()
        )
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = "-" if seconds < 0 else "", abs(seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return (
        str(value).strip()
        if not isinstance(value, datetime.date | datetime.time)
        else value.isoformat()
    )
