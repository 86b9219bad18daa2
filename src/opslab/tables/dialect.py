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
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Dialect:
    """How the rows of a text file are written.

    Attributes
    ----------
    delimiter : str
        Name in `_MARKS`; ``none`` for a file of one column.
    header : tuple of str
    above : int
        Lines above the header.
    """

    delimiter: str
    header: tuple[str, ...]
    above: int

    @property
    def mark(self) -> str:
        """The delimiter itself."""
        return _MARKS[self.delimiter]


def encoding_of(opening: Opening) -> str:
    """Return ``utf-8``, ``utf-16`` or ``cp1252`` by the first bytes; the rest may tell otherwise."""
    if opening.answers.encoding:
        return opening.answers.encoding
    head = _first_bytes(opening.path)
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if marked:
        return marked
    if b"\x00" in head:
        few, many = sorted((head[::2].count(0), head[1::2].count(0)))
        if few * 20 > many or many * 8 < len(head):
            raise opening.error("tables.binary")
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return legacy_encoding(opening)
    return "utf-8"


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_PIECE)


def legacy_encoding(opening: Opening) -> str:
    """Return the encoding of a file that is not UTF-8; raise where some of its characters are.

    No one encoding reads a file that was put together from two.
    """
    text = opening.path.read_bytes().decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    others = [character for character in text if character > "\x7f" and character != "\ufffd"]
    usual = sum(
        "\xa0" <= character <= "\u017f" or "\u2010" <= character <= "\u20bf" for character in others
    )
    # some pairs of Windows-1252 are a letter of UTF-8 too
    if broken and (usual or len(others) > broken):
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        raise opening.error("tables.encoding_mixed", line=line)
    return "cp1252"


def as_utf8(opening: Opening, encoding: str) -> Path:
    """Return a file that holds the same in UTF-8: the file itself, or one that is written for it."""
    path, codec = opening.path, encoding
    if encoding == "utf-8":
        return path
    if encoding == "utf-16":
        head = _first_bytes(path)
        if not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            codec = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    target = opening.scratch / "utf8.txt"
    try:
        with (
            path.open(encoding=codec, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as stream,
        ):
            shutil.copyfileobj(source, stream)
    except UnicodeError:
        line = _first_bad_line(path, codec)
        raise opening.error("tables.encoding", line=line, encoding=encoding) from None
    return target


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
    fits = {name: _fit(rows[name]) for name in names}
    delimiter, *others = sorted(names, key=lambda name: fits[name], reverse=True)
    fit = fits[delimiter]
    if fit.parted and others and fits[others[0]] == fit:
        raise opening.error("tables.ask_delimiter", names=sorted((delimiter, others[0])))
    if not (fit.parted or answer):
        delimiter = "none"
    if not rows[delimiter]:
        raise opening.error("tables.empty_file")
    header = rows[delimiter][fit.header]
    if len(header) > MOST_COLUMNS:
        raise opening.error("tables.too_many_columns", columns=len(header), most=MOST_COLUMNS)
    return Dialect(
        delimiter, tuple(header), _lines_above(head, delimiter, fit.header) + bool(excel)
    )


def _head(opening: Opening, path: Path) -> tuple[str, bool]:
    """Return the first lines of a file and whether they are all of it."""
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
        while not re.search(rb"[\r\n]", head[1:-1]) and len(head) < _LONGEST_HEAD:
            more = stream.read(_PIECE)
            if not more:
                break
            head += more
        whole = not stream.read(1)
    if not whole and not re.search(rb"[\r\n]", head):
        raise opening.error("tables.long_line", line=1, most=_LONGEST_HEAD >> 20)
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=whole), whole
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise opening.error("tables.encoding", line=line, encoding="utf-8") from None


def _first_rows(head: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    """Return the first rows; the last one is left out where the head may have cut it."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=_MARKS[delimiter])
    try:
        with long_cells():
            rows = list(islice(reader, _HEAD_ROWS + 1))
    except csv.Error:
        return []
    return [row for row in (rows if whole or len(rows) < 2 else rows[:-1]) if row]  # noqa: PLR2004


def _lines_above(head: str, delimiter: str, header: int) -> int:
    reader, line = csv.reader(io.StringIO(head, newline=""), delimiter=_MARKS[delimiter]), 0
    with long_cells():
        for row in reader:
            header -= bool(row)
            if header < 0:
                break
            line = reader.line_num
    return line


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


def free_name(wanted: str, taken: Counter[str]) -> str:
    """Return a name that is not taken yet, whatever its case, and take it."""
    name, number = wanted, 1
    while taken[name.casefold()]:
        number += 1
        name = f"{wanted} ({number})"
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
