"""Writing tables that people open in Excel or LibreOffice: CSV in two dialects, and XLSX."""

from __future__ import annotations

import datetime
import html
import math
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain, starmap
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from opslab import workspace
from opslab.errors import DataError, MachineError, ParameterError
from opslab.tables.cells import UNKNOWN, csv_cell, is_risky

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
"""What a sheet of a workbook holds, its header counted, and a cell of it, in UTF-16 units."""

_SAMPLE_ROWS = 100  # that set the width of a column
_MOST_DIGITS = 15  # that Excel keeps of a number
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NO_NAME = re.compile(r"[\[\]:*?/\\\t\r\n]|^'|'$|^\s*$")
_EPOCH = datetime.datetime(1899, 12, 30)  # noqa: DTZ001 - a clock's, whatever the zone
_FIRST_DAY = "1900-03-01"  # before it Excel counts a day that never was
_LONGEST_NAME = 31  # of a sheet
_Cell = TypeVar("_Cell")
_NUMBER, _TEXT = "><v>{}</v>", ' t="inlineStr"><is><t xml:space="preserve">{}</t></is>'
_FORMS = {  # of a cell in the sheet's XML, by its style
    "number": _NUMBER,
    "truth": f' t="b"{_NUMBER}',
    "text": _TEXT,
    "quoted": _TEXT,
    "header": _TEXT,
    "day": _NUMBER,
    "time": _NUMBER,
}


def write_csv(frame: Any, path: str | Path, *, excel: Literal["fr"] | None = None) -> Path:
    """Write a table as CSV: UTF-8 with a byte order mark, CR LF, quotes where needed.

    Days are written 2026-10-05, times 2026-10-05 08:12:00, truths TRUE and FALSE, numbers with the
    fewest digits that give them back. The French dialect has semicolons, decimal commas,
    05/10/2026, 05/10/2026 08:12:00, VRAI and FAUX. In both, a time with a zone is ISO with its
    offset, pandas times that all stand at midnight are days, a list is its items joined by ``";
    "``, a missing value and an empty text are an empty cell, and anything else is its ``str``. The
    index is not written; the levels of a column's name are joined by ``" / "``.

    No text may run as a formula: an apostrophe goes before a text that starts with a tab or a line
    break, before one whose first character is ``=``, ``+``, ``-`` or ``@`` (spaces, control, format
    and unassigned characters aside, and wide forms too, by NFKC), and before such a text behind
    apostrophes. To undo it, take one apostrophe off where that leaves such a text. It holds for a
    file opened with its own separator. Numbers stay as they are. A spreadsheet still takes a text
    ``007`` for 7, and 15 digits of a whole number: `write_xlsx` keeps both.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
    path : path
        Replaced once the file is whole.
    excel : {"fr"}, optional
        The Excel that opens the file by a double click.

    Raises
    ------
    DataError
        When a cell, a name or the path cannot be written; `MachineError` when the machine refuses.
    """
    if excel not in (None, "fr"):
        raise ParameterError.of("tables.write_dialect", field="excel", given=excel)
    french = excel == "fr"
    target = workspace.expanded(path)
    shown = workspace.shown(target)
    columns = _columns(frame, shown)
    mark = ";" if french else ","

    def cell(value: Any) -> str:
        plain = _plain(value)
        text = _text(plain, french=french)
        return csv_cell(text) if isinstance(plain, str | list) else text

    with (
        _draft(target, shown) as draft,
        draft.open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        stream.writelines(
            (mark.join(cells) or '""') + "\r\n" for cells in _rows(columns, shown, cell)
        )
    return target


def write_xlsx(frame: Any, path: str | Path, *, sheet: str = "Sheet1") -> Path:
    """Write a table, or several by the names of their sheets, as a workbook.

    Cells are as in `write_csv`, with numbers, truths, days and times as such. A text is always a
    text; one that would become a formula once it is edited bears Excel's mark for texts. Written as
    text: exact numbers of more than 15 digits, times with a zone, days before 1900-03-01. Times are
    kept to the millisecond, line breaks are LF, and U+FFFD stands for each character that XML
    forbids.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, pyarrow.Table or list of dict, or a mapping
        Of the names of sheets to such tables.
    path : path
        Replaced once the file is whole. The same tables give the same bytes.
    sheet : str
        The name of the sheet for a single table.

    Raises
    ------
    DataError
        When a cell, a name, the size or the path cannot be written; `MachineError` when the machine
        refuses.
    """
    from openpyxl import Workbook

    target = workspace.expanded(path)
    shown = workspace.shown(target)
    tables = frame if isinstance(frame, Mapping) else {sheet: frame}
    sheets = {name: _columns(table, shown) for name, table in tables.items()}
    _check_sheets(sheets, shown)
    with _draft(target, shown) as draft:
        workbook, empty = Workbook(write_only=True), draft.with_name(f"{draft.name}~")
        workbook.properties.creator = "opslab"
        rows = [
            _laid_out(workbook.create_sheet(name), columns, shown)
            for name, columns in sheets.items()
        ]
        workbook.save(empty)
        _fill(empty, draft, rows)
    return target


def workbook(sheets: Mapping[str, Any]) -> bytes:
    """Return tables by the names of their sheets as the bytes of a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        return write_xlsx(sheets, Path(folder, "result.xlsx")).read_bytes()


class _NoCellError(Exception):
    """A value that no cell can hold: the key of the message, and what it tells."""


def _missing(value: Any) -> bool:
    if isinstance(value, float | Decimal):
        return math.isnan(value)
    return value is None or type(value).__name__ in {"NAType", "NaTType"}


def _plain(value: Any) -> Any:
    """Return a value as one of the kinds that a cell can hold; None where it is missing."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        value = value.item()
    if _missing(value):
        return None
    if isinstance(value, float | Decimal) and abs(value) == math.inf:
        raise _NoCellError("tables.write_infinite", {})
    if isinstance(value, int | float | Decimal | datetime.date):
        return value
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    kind: Any = type(value)
    if kind.__str__ is object.__str__ or issubclass(kind, bytes | bytearray):
        raise _NoCellError("tables.write_kind", {"kind": kind.__name__})
    return str(value)


def _text(plain: Any, *, french: bool = False) -> str:
    """Return a plain value as a dialect writes it."""
    if plain is None or isinstance(plain, str):
        return plain or ""
    if isinstance(plain, bool):
        return (("FALSE", "TRUE"), ("FAUX", "VRAI"))[french][plain]
    if isinstance(plain, list):
        return "; ".join(_text(_plain(item), french=french) for item in plain)
    if isinstance(plain, datetime.date):
        text = str(plain)
        if not french or getattr(plain, "tzinfo", None):
            return text
        return f"{text[8:10]}/{text[5:7]}/{text[:4]}{text[10:].replace('.', ',')}"
    if isinstance(plain, int):
        return str(int(plain))
    text = f"{plain:f}" if isinstance(plain, Decimal) else repr(plain)
    if "e" in text and 1e-15 <= abs(plain) < 1e21:  # noqa: PLR2004 - short enough to be read in full
        text = np.format_float_positional(plain, trim="0")
    return text.replace(".", ",") if french else text


def _sheet_cell(value: Any) -> tuple[str, str]:
    """Return what a workbook's cell holds, nothing in an empty one, and its style."""
    plain = _plain(value)
    text = _text(plain)
    if isinstance(plain, bool):
        return str(int(plain)), "truth"
    if isinstance(plain, float):
        return text, "number"
    if isinstance(plain, int | Decimal):
        exact = Decimal(plain)
        kept = len(exact.as_tuple().digits) <= _MOST_DIGITS >= abs(exact.adjusted())
        return text, "number" if kept else "quoted"
    if (
        isinstance(plain, datetime.date)
        and not getattr(plain, "tzinfo", None)
        and text >= _FIRST_DAY
    ):
        timed = isinstance(plain, datetime.datetime)
        since = plain - (_EPOCH if timed else _EPOCH.date())
        return str(since / datetime.timedelta(1)), "time" if timed else "day"
    text = _NO_XML.sub(UNKNOWN, re.sub("\r\n?", "\n", text))
    # the format's escape, which Excel undoes
    text = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    if (characters := _units(text)) > MOST_CHARACTERS:
        values = {"characters": characters, "most": MOST_CHARACTERS}
        raise _NoCellError("tables.write_long", values)
    return text, "quoted" if is_risky(text) else "text"


def _units(text: str) -> int:
    """Return the length of a text as Excel counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _columns(frame: Any, shown: str) -> dict[str, list[Any]]:
    """Return the columns of a table by name; of rows that are mappings, in the order they come."""
    titles: Iterable[Any]
    if isinstance(frame, list) and all(isinstance(row, Mapping) for row in frame):
        titles = dict.fromkeys(chain.from_iterable(frame))
        values = [[row.get(title) for row in frame] for title in titles]
    elif hasattr(frame, "iloc") and hasattr(frame, "columns"):
        titles, values = frame.columns, [_values(series) for _, series in frame.items()]
    elif hasattr(frame, "get_columns"):  # Polars
        titles, values = frame.columns, [column.to_list() for column in frame.get_columns()]
    elif hasattr(frame, "column_names"):  # Arrow
        titles, values = frame.column_names, [column.to_pylist() for column in frame.columns]
    else:
        raise DataError.of("tables.write_frame", file=shown, kind=type(frame).__name__)
    names = list(map(_name, titles))
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if not names:
        raise DataError.of("tables.write_nothing", file=shown)
    if "" in names:
        raise DataError.of("tables.blank_header", file=shown, place=names.index("") + 1)
    if twice:
        raise DataError.of("tables.repeated_header", file=shown, names=twice)
    return dict(zip(names, values, strict=True))


def _name(name: Any) -> str:
    """Return a column's name as text: that of a pandas midnight is its day."""
    levels = name if isinstance(name, tuple) else (name,)
    texts = [str(level) for level in levels if not _missing(level)]
    return " / ".join(text.removesuffix(" 00:00:00") for text in texts if text.strip())


def _values(series: Any) -> list[Any]:
    # no zone, no type of Arrow
    plain = isinstance(series.dtype, np.dtype) and series.dtype.kind == "M"
    if plain and series.dt.normalize().equals(series):
        series = series.dt.date
    return list(series.tolist())


def _rows(
    columns: Mapping[str, list[Any]], shown: str, cell: Callable[[Any], _Cell]
) -> Iterator[list[_Cell]]:
    """Give the header, then each row, cell by cell as a format writes it."""
    names = list(columns)
    for row, values in enumerate(chain([names], zip(*columns.values(), strict=True))):
        cells: list[_Cell] = []
        try:
            for value in values:
                cells.append(cell(value))  # noqa: PERF401 - their count tells the column
        except _NoCellError as error:
            key, facts = error.args
            name = names[len(cells)][:60]
            raise DataError.of(key, file=shown, field=name, row=row, **facts) from None
        yield cells


def _check_sheets(sheets: Mapping[str, Mapping[str, list[Any]]], shown: str) -> None:
    if not sheets:
        raise DataError.of("tables.write_nothing", file=shown)
    taken = {"history"}
    for name, columns in sheets.items():
        rows = 1 + len(next(iter(columns.values())))
        if rows > MOST_ROWS or len(columns) > MOST_COLUMNS:
            raise DataError.of(
                "tables.write_size",
                file=shown,
                field=name,
                most=MOST_ROWS,
                rows=rows,
                columns=len(columns),
                widest=MOST_COLUMNS,
            )
        wrong = _NO_XML.search(name) or _NO_NAME.search(name) or _units(name) > _LONGEST_NAME
        if wrong or name.casefold() in taken:
            raise DataError.of("tables.write_sheet", file=shown, name=name)
        taken.add(name.casefold())


def _laid_out(sheet: Any, columns: Mapping[str, list[Any]], shown: str) -> Iterator[str]:
    """Lay out an empty sheet for a table, and give its rows in the sheet's XML."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    looks = {style: WriteOnlyCell(sheet) for style in _FORMS}
    looks["quoted"].quotePrefix = looks["header"].quotePrefix = True
    looks["header"].font = Font(bold=True)
    looks["day"].number_format, looks["time"].number_format = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
    forms = {style: f'" s="{look.style_id}"{_FORMS[style]}</c>' for style, look in looks.items()}
    letters = [get_column_letter(number) for number in range(1, len(columns) + 1)]
    for letter, (name, values) in zip(letters, columns.items(), strict=True):
        longest = max(len(str(value)) for value in [name, *values[:_SAMPLE_ROWS]])
        sheet.column_dimensions[letter].width = min(max(longest + 3, 12), 60)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{letters[-1]}{1 + len(next(iter(columns.values())))}"

    def row(number: int, contents: list[tuple[str, str]]) -> str:
        cells = (
            f'<c r="{letter}{number}{forms[style if number > 1 else "header"]}'.format(
                html.escape(text)
            )
            for letter, (text, style) in zip(letters, contents, strict=True)
            if text
        )
        return f'<row r="{number}">{"".join(cells)}</row>'

    return starmap(row, enumerate(_rows(columns, shown, _sheet_cell), 1))


def _fill(empty: Path, target: Path, sheets: Iterable[Iterable[str]]) -> None:
    """Copy a workbook with its sheets' rows, and without the times at which its parts were written.

    openpyxl can write the rows too, but takes several times as long.
    """
    rows = {f"xl/worksheets/sheet{place}.xml": sheet for place, sheet in enumerate(sheets, 1)}
    with zipfile.ZipFile(empty) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            content = old.read(name)
            with new.open(entry, "w") as part:
                if name in rows:
                    before, after = re.split(rb"<sheetData *(?:/>|></sheetData>)", content)
                    part.write(before + b"<sheetData>")
                    part.writelines(row.encode() for row in rows[name])
                    content = b"</sheetData>" + after
                elif name == "docProps/core.xml":
                    content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"2000-01-01T00:00:00Z", content)
                part.write(content)


@contextmanager
def _draft(target: Path, shown: str) -> Iterator[Path]:
    """Give a file to write beside the one that is meant, and move it there once it is whole."""
    try:
        if target.is_dir() or not target.parent.is_dir():
            raise DataError.of("tables.write_folder", file=shown)
        with tempfile.TemporaryDirectory(prefix=".opslab-", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            yield draft
            draft.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MachineError.of("tables.write_machine", file=shown, reason=reason) from error
