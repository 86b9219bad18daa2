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

from opslab.errors import DataError
from opslab.tables.import_report import Decision, FileAnswers
from opslab.tables.source import ROW

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
MOST_COLUMNS = 5_000
LONGEST_LINE = 1 << 23
_PIECE, _LONGEST_HEAD = 1 << 16, 1 << 21
_HEAD_ROWS = 200
_PREAMBLE = 20  # rows of titles that a report may put above its header
_STEADY = 0.9  # share of rows as wide as the header
_SURE = 3  # columns and rows that make a table of what stands below an unpadded title
_NO_DELIMITER = "\x1f"
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
        Name in `DELIMITERS`, or ``none`` for a file of one column.
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
        return DELIMITERS.get(self.delimiter, _NO_DELIMITER)


def encoding_of(path: Path, shown: str, answers: FileAnswers) -> str:
    """Return ``utf-8``, ``utf-16`` or ``cp1252``, as the first bytes tell; the rest may tell otherwise."""
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
    if answers.encoding:
        return answers.encoding
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if marked:
        return marked
    if b"\x00" in head:
        few, many = sorted((head[::2].count(0), head[1::2].count(0)))
        if few * 20 > many or many * 8 < len(head):
            raise DataError.of("tables.binary", file=shown)
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return legacy_encoding(path, shown)
    return "utf-8"


def legacy_encoding(path: Path, shown: str) -> str:
    """Return the encoding of a file that is not UTF-8; raise where some of its characters are.

    No one encoding reads a file that was put together from two.
    """
    told = path.read_bytes().decode("utf-8", errors="replace")
    broken = told.count("\ufffd")
    others = [character for character in told if character > "\x7f" and character != "\ufffd"]
    usual = sum(
        "\xa0" <= character <= "\u017f" or "\u2010" <= character <= "\u20bf" for character in others
    )
    if broken and (
        usual or len(others) > broken
    ):  # some pairs of Windows-1252 are a letter of UTF-8 too
        line = told.count("\n", 0, told.index("\ufffd")) + 1
        raise DataError.of("tables.encoding_mixed", file=shown, line=line)
    return "cp1252"


def as_utf8(path: Path, encoding: str, target: Path, shown: str) -> Path:
    """Write a file again as UTF-8 and return where."""
    codec = encoding
    if encoding == "utf-16":
        with path.open("rb") as stream:
            head = stream.read(_PIECE)
        if not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            codec = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    try:
        with (
            path.open(encoding=codec, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as stream,
        ):
            shutil.copyfileobj(source, stream)
    except UnicodeError:
        raise DataError.of(
            "tables.encoding", file=shown, line=_first_bad_line(path, codec), encoding=encoding
        ) from None
    return target


def _first_bad_line(path: Path, codec: str) -> int:
    content = path.read_bytes()
    try:
        content.decode(codec)
    except UnicodeDecodeError as error:
        return content[: error.start].decode(codec, errors="replace").count("\n") + 1
    return 1


def dialect_of(path: Path, shown: str, answers: FileAnswers) -> Dialect:
    """Return how a UTF-8 file is written, from its first rows."""
    head, whole = _head(path, shown)
    excel = re.match(r"sep=(.)\r?\n", head)  # a line of Excel's own
    if excel:
        head = head[excel.end() :]
    names = [name for name, sign in DELIMITERS.items() if excel and sign == excel[1]] or list(
        DELIMITERS
    )
    if answers.delimiter:
        names = [answers.delimiter]
    rows = {name: _first_rows(head, DELIMITERS[name], whole=whole) for name in names}
    fits = {name: _fit(rows[name]) for name in names}
    delimiter, *others = sorted(names, key=lambda name: fits[name], reverse=True)
    fit, found = fits[delimiter], rows[delimiter]
    if fit.parted and others and fits[others[0]] == fit:
        raise DataError.of("tables.ask_delimiter", file=shown, names=sorted((delimiter, others[0])))
    if not fit.parted and not answers.delimiter:
        delimiter, found = "none", _first_rows(head, _NO_DELIMITER, whole=whole)
    if not found:
        raise DataError.of("tables.empty_file", file=shown)
    header = found[fit.header]
    if len(header) > MOST_COLUMNS:
        raise DataError.of(
            "tables.too_many_columns", file=shown, columns=len(header), most=MOST_COLUMNS
        )
    above = _lines_above(head, DELIMITERS.get(delimiter, _NO_DELIMITER), fit.header)
    return Dialect(delimiter, tuple(header), above + bool(excel))


def _head(path: Path, shown: str) -> tuple[str, bool]:
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
        raise DataError.of("tables.long_line", file=shown, line=1, most=_LONGEST_HEAD >> 20)
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=whole), whole
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError.of("tables.encoding", file=shown, line=line, encoding="utf-8") from None


def _first_rows(head: str, mark: str, *, whole: bool) -> list[list[str]]:
    """Return the first rows; the last one is left out where the head may have cut it."""
    try:
        with long_cells():
            rows = list(
                islice(csv.reader(io.StringIO(head, newline=""), delimiter=mark), _HEAD_ROWS + 1)
            )
    except csv.Error:
        return []
    return [row for row in (rows if whole or len(rows) < 2 else rows[:-1]) if row]  # noqa: PLR2004


def _lines_above(head: str, mark: str, header: int) -> int:
    reader, line = csv.reader(io.StringIO(head, newline=""), delimiter=mark), 0
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
    """How well a delimiter fits, better ones greater: more than one column, rows of one width, no title."""

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
        wide = (place for place, row in enumerate(rows[:_PREAMBLE]) if sum(map(bool, row)) > 1)
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
    for place, heading in enumerate(header, 1):
        said = " ".join(heading.split())
        if not said:
            said = f"column {place}"
            decisions.append(Decision("tables.decided_unnamed", {"place": place}, said))
        names.append(free_name(said, taken))
    return names, decisions


def free_name(said: str, taken: Counter[str]) -> str:
    """Return a name that is not taken yet, whatever its case, and take it."""
    name, number = said, 1
    while taken[name.casefold()]:
        number += 1
        name = f"{said} ({number})"
    taken[name.casefold()] += 1
    return name


def refuse_names(header: Sequence[str], shown: str) -> None:
    """Raise for a header in which a column could not be named without a doubt."""
    if len(header) < 2:  # noqa: PLR2004 - a unit and an arm at the least
        raise DataError.of("tables.one_column", file=shown)
    blank = [place for place, name in enumerate(header, 1) if not name.strip()]
    if blank:
        raise DataError.of("tables.blank_header", file=shown, line=1, place=blank[0])
    for key, counts in (
        ("tables.repeated_header", Counter(header)),
        ("tables.similar_header", Counter(name.casefold() for name in header)),
    ):
        twice = sorted({name for name in header if max(counts[name], counts[name.casefold()]) > 1})
        if twice:
            raise DataError.of(key, file=shown, line=1, names=twice)
