"""How a text file of rows is written: its encoding, its delimiter, its header."""

from __future__ import annotations

import codecs
import csv
import io
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from opslab.tables.import_report import Decision
from opslab.tables.source import ROW, Opening

_MARKS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "none": "\x1f"}
_DELIMITERS = [name for name in _MARKS if name != "none"]
MOST_COLUMNS = 5_000
LONGEST_LINE = 1 << 23
_PIECE, _LONGEST_HEAD = 1 << 16, 1 << 21
_HEAD_ROWS = 200
_PREAMBLE = 20  # rows of titles that a report may put above its header
_STEADY = 0.9  # share of rows as wide as the header
_SURE = 3  # columns and rows that make a table of what stands below an unpadded title
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class _FirstRow(NamedTuple):
    """A row that is not empty, and how many lines stand above it and above the next."""

    cells: list[str]
    above: int
    end: int


@dataclass(frozen=True)
class Dialect:
    """How the rows of a text file are written.

    Attributes
    ----------
    delimiter : str
        Name in `_MARKS`; ``none`` for a file of one column.
    header : tuple of str
    above, end : int
        Lines above the header, and above what stands below it.
    """

    delimiter: str
    header: tuple[str, ...]
    above: int
    end: int

    @property
    def mark(self) -> str:
        """The delimiter itself."""
        return _MARKS[self.delimiter]


def text_file(opening: Opening) -> tuple[Path, str]:
    """Return a file that holds the same text in UTF-8, often the file itself, and its own encoding.

    Without an answer the encoding is ``utf-8``, ``utf-16`` or ``cp1252``.
    """
    path, answer = opening.path, opening.answers.encoding
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
    encoding: str = answer or ("utf-16" if _is_utf16(opening, head) else "utf-8")
    if encoding == "utf-8" and _is_utf8(path):
        return path, encoding
    if encoding == "utf-8" and not answer:
        encoding = _legacy_encoding(opening)
    codec = encoding
    if encoding == "utf-16" and not head.startswith(_UTF_16):
        codec = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    target = opening.scratch / "utf8.txt"
    try:
        with (
            path.open(encoding=codec, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as stream_out,
        ):
            shutil.copyfileobj(source, stream_out)
    except UnicodeError:
        line = _first_bad_line(path, codec)
        raise opening.error("tables.encoding", line=line, encoding=encoding) from None
    return target, encoding


def _is_utf16(opening: Opening, head: bytes) -> bool:
    if head.startswith(_UTF_16) or b"\x00" not in head:
        return head.startswith(_UTF_16)
    few, many = sorted((head[::2].count(0), head[1::2].count(0)))
    if few * 20 > many or many * 8 < len(head):
        raise opening.error("tables.binary")
    return True


def _is_utf8(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            while stream.read(_PIECE):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _legacy_encoding(opening: Opening) -> str:
    """Return the encoding of a file that is not UTF-8; raise where some of its characters are.

    No one encoding reads a file that was put together from two.
    """
    text = opening.path.read_bytes().decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    others = re.findall("[^\x00-\x7f\ufffd]", text)
    usual = re.search("[\xa0-\u017f\u2010-\u20bf]", "".join(others))
    # some pairs of Windows-1252 are a letter of UTF-8 too
    if usual or len(others) > broken:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        raise opening.error("tables.encoding_mixed", line=line)
    return "cp1252"


def _first_bad_line(path: Path, codec: str) -> int:
    content = path.read_bytes()
    try:
        content.decode(codec)
    except UnicodeDecodeError as error:
        return content[: error.start].decode(codec, errors="replace").count("\n") + 1
    return 1


def dialect_of(opening: Opening, path: Path) -> Dialect:
    """Return how a UTF-8 file is written, from its first rows."""
    head, whole = _head(opening, path)
    excel = re.match(r"sep=(.)\r?\n", head)  # a line of Excel's own
    names, answer = _DELIMITERS, opening.answers.delimiter
    if excel:
        head = head[excel.end() :]
        names = [name for name in names if _MARKS[name] == excel[1]] or names
    if answer:
        names = [answer]
    rows = {name: _first_rows(head, name, whole=whole) for name in [*names, "none"]}
    fits = {name: _fit([row.cells for row in rows[name]]) for name in names}
    delimiter, *others = sorted(names, key=lambda name: fits[name], reverse=True)
    fit = fits[delimiter]
    if fit.parted and others and fits[others[0]] == fit:
        raise opening.error("tables.ask_delimiter", names=sorted((delimiter, others[0])))
    if not (fit.parted or answer):
        delimiter = "none"
    if not rows[delimiter]:
        raise opening.error("tables.empty_file")
    header, above, end = rows[delimiter][fit.header]
    if len(header) > MOST_COLUMNS:
        raise opening.error("tables.too_many_columns", columns=len(header), most=MOST_COLUMNS)
    return Dialect(delimiter, tuple(header), above + bool(excel), end + bool(excel))


def _head(opening: Opening, path: Path) -> tuple[str, bool]:
    """Return the first lines of a file and whether they are all of it."""
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
        if not re.search(rb"[\r\n]", head[1:-1]):
            head += stream.read(_LONGEST_HEAD)
        whole = not stream.read(1)
    if not whole and not re.search(rb"[\r\n]", head):
        raise opening.error("tables.long_line", line=1, most=_LONGEST_HEAD >> 20)
    return codecs.getincrementaldecoder("utf-8-sig")().decode(head), whole


def _first_rows(head: str, delimiter: str, *, whole: bool) -> list[_FirstRow]:
    """Return the first rows; the last one is left out where the head may have cut it."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=_MARKS[delimiter])
    rows, line = list[_FirstRow](), 0
    try:
        with long_cells():
            for cells in islice(reader, _HEAD_ROWS + 1):
                rows += [_FirstRow(cells, line, reader.line_num)] if cells else []
                line = reader.line_num
    except csv.Error:
        return []
    return rows if whole else rows[:-1] or rows


@contextmanager
def long_cells() -> Iterator[None]:
    """Let cells of Python's reader be as long as those of the engine."""
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(before)


@dataclass(frozen=True, order=True)
class _Fit:
    """How well a delimiter fits, better ones greater.

    More than one column, rows of one width, no title.
    """

    parted: bool = False
    steady: bool = False
    at_once: bool = False
    consistent: float = 0.0
    columns: int = 1
    header: int = 0


def _fit(rows: Sequence[Sequence[str]]) -> _Fit:
    if not rows:
        return _Fit()
    header = 0
    if sum(map(bool, rows[0])) <= 1:  # perhaps a title above the header
        wide = (row for row, cells in enumerate(rows[:_PREAMBLE]) if sum(map(bool, cells)) > 1)
        header = next(wide, 0)
    below = rows[header:]
    consistent = sum(len(row) == len(below[0]) for row in below) / len(below)
    if (
        header
        and len(rows[0]) == 1
        and not (consistent == 1 and len(below[0]) >= _SURE <= len(below))
    ):
        return _Fit()  # lines of text with a comma here and there, below their one heading
    return _Fit(
        len(below[0]) > 1, consistent >= _STEADY, not header, consistent, len(below[0]), header
    )


def column_names(header: Sequence[str]) -> tuple[list[str], list[Decision]]:
    """Return names that the engine can tell apart, and what was decided to get them."""
    names: list[str] = []
    decisions: list[Decision] = []
    taken: Counter[str] = Counter({ROW: 1, "rowid": 1})
    for number, heading in enumerate(header, 1):
        name = " ".join(heading.split())
        if not name:
            name = f"column {number}"
            decisions.append(Decision("tables.decided_unnamed", {"place": number}, name))
        names.append(free_name(name, taken))
    return names, decisions


def free_name(wanted: str, taken: Counter[str], form: str = " ({})") -> str:
    """Return a name that is not taken yet, whatever its case, and take it."""
    name, number = wanted, 1
    while taken[name.casefold()]:
        number += 1
        name = wanted + form.format(number)
    taken[name.casefold()] += 1
    return name


def refuse_names(opening: Opening, header: Sequence[str]) -> None:
    """Raise for a header in which a column could not be named without a doubt."""
    if len(header) < 2:  # noqa: PLR2004 - a unit and an arm at the least
        raise opening.error("tables.one_column")
    blank = [number for number, name in enumerate(header, 1) if not name.strip()]
    if blank:
        raise opening.error("tables.blank_header", line=1, place=blank[0])
    for key, counts in (
        ("tables.repeated_header", Counter(header)),
        ("tables.similar_header", Counter(name.casefold() for name in header)),
    ):
        twice = sorted({name for name in header if max(counts[name], counts[name.casefold()]) > 1})
        if twice:
            raise opening.error(key, line=1, names=twice)
