"""How a text file of rows is written: its encoding, what parts its cells, what goes around them."""

from __future__ import annotations

import codecs
import io
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from opslab.tables.import_report import Decision
from opslab.tables.records import Notation, Record, long_cells, records
from opslab.tables.source import Opening

MARKS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "bar": "|",
    "caret": "^",
    "tilde": "~",
    "space": " ",
    "none": "\x1f",
}
_USUAL = ("comma", "semicolon", "tab", "bar")
_RARE = ("caret", "tilde", "space")
MOST_COLUMNS = 5_000
_PIECE, _LONGEST_HEAD = 1 << 20, 1 << 21
_HEAD_ROWS = 200
_STEADY = 0.9  # share of rows of one width
_FEWEST = 3  # rows and columns that make a table of what stands below another width
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BINARY = (b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0")  # ZIP, Parquet, old workbooks
_OTHERS = (
    "iso-8859-15",
    "cp850",
    "mac_roman",
    "cp1251",
    "cp1250",
    "shift_jis",
    "gb18030",
    "euc_kr",
)
_USUAL_LETTER = re.compile("[\xa0-\u017f\u2010-\u20bf]")
# what Windows-1252 makes of other encodings: no word of the languages it is for has them
_NO_WORD = re.compile(
    "[\ufffd¤]|[À-ÿ]{3}|[A-Za-zÀ-ÿ][¡-¿\u00d7÷Žžƒˆ†‡‰\u02dcðþýŸ“”\u2018][a-z]"
    "|[A-Za-z][Žžƒˆ‰\u02dc„\u201a]|[Žžƒˆ‰\u02dc][a-z]|[a-z][Š¹]"
    "|[À-ÿ][¡-¿][¡-ÿ]|£[a-zà-ÿ]|œ[wmlrbk]|õ[b-df-z]"
)


def head_rows(opening: Opening) -> int:
    """Return how many first lines or rows are looked at: those that answers name too."""
    header = opening.answers.header
    named = (header,) if isinstance(header, int) else () if header in (None, "none") else header
    return _HEAD_ROWS + max(opening.answers.skip_rows or 0, *named, 0)


class TextFile(NamedTuple):
    """A file that holds the text in UTF-8, often the given file itself.

    `end` is what ends its lines, empty where they end in more than one way.
    """

    path: Path
    encoding: str
    end: str
    lines: int


def text_file(opening: Opening) -> TextFile:
    """Return a file with the same text in UTF-8; what is neither that nor UTF-16 is asked of.

    Text of the usual words of Western Europe is taken for Windows-1252.
    """
    path, answer = opening.path, opening.answers.encoding
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
    if head.startswith(_BINARY):
        raise opening.error("tables.binary")
    encoding: str = answer or ("utf-16" if _is_utf16(opening, head) else "utf-8")
    lines = _lines_of_utf8(path) if encoding == "utf-8" else None
    if lines is not None:
        return TextFile(path, encoding, *lines)
    if encoding == "utf-8" and not answer:
        encoding = _legacy_encoding(opening)
    codec = encoding
    if encoding == "utf-16" and not head.startswith(_UTF_16):
        if b"\x00" not in head:  # where its marks and line ends have them
            raise opening.error("tables.encoding", line=1, encoding=encoding)
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
    return TextFile(target, encoding, *(_lines_of_utf8(target) or ("", 0)))


def _is_utf16(opening: Opening, head: bytes) -> bool:
    if head.startswith(_UTF_16) or b"\x00" not in head:
        return head.startswith(_UTF_16)
    few, many = sorted((head[::2].count(0), head[1::2].count(0)))
    if few * 20 > many or many * 8 < len(head):
        raise opening.error("tables.binary")
    return True


def _lines_of_utf8(path: Path) -> tuple[str, int] | None:
    """Return what ends the lines, and how many there are; none for another encoding."""
    decoder, last = codecs.getincrementaldecoder("utf-8")(), b""
    ends = dict.fromkeys((b"\r\n", b"\n", b"\r"), 0)
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                if not piece.isascii() or decoder.getstate()[0]:
                    decoder.decode(piece)
                for end in ends if b"\r" in piece else (b"\n",):
                    ends[end] += piece.count(end)
                ends[b"\r\n"] += last == b"\r" and piece[:1] == b"\n"
                last = piece[-1:]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    for sign in (b"\n", b"\r"):
        ends[sign] -= ends[b"\r\n"]
    (end, count), *others = [item for item in ends.items() if item[1]] or [(b"\n", 0)]
    return ("", 0) if others else (end.decode(), count + (last not in ends))


def _legacy_encoding(opening: Opening) -> str:
    """Return the encoding of a file that is not UTF-8; raise where some of its characters are.

    No one encoding reads a file that was put together from two.
    """
    content = opening.path.read_bytes()
    texts = [row.decode(errors="replace") for row in content.split(b"\n") if not row.isascii()]
    line = content.decode(errors="replace").partition("\ufffd")[0].count("\n") + 1
    # some pairs of Windows-1252 are a letter of UTF-8 too, seldom a usual one
    if any("\ufffd" not in text and _USUAL_LETTER.search(text) for text in texts):
        raise opening.error("tables.encoding_mixed", line=line)
    doubt = _NO_WORD.search(content.decode("cp1252", errors="replace"))
    if doubt is None:
        return "cp1252"
    start = content.rfind(b"\n", 0, doubt.start()) + 1
    row, shown = content[start:].partition(b"\n")[0], max(doubt.start() - start - 12, 0)
    readings = [
        f"{encoding}: {row.decode(encoding, errors='replace')[shown : shown + 30].strip()}"
        for encoding in ("cp1252", *_OTHERS)
    ]
    raise opening.error(
        "tables.ask_encoding",
        line=line,
        readings=[each for each in readings if "\ufffd" not in each],
    )


def _first_bad_line(path: Path, codec: str) -> int:
    content = path.read_bytes()
    try:
        content.decode(codec)
    except UnicodeDecodeError as error:
        return content[: error.start].decode(codec, errors="replace").count("\n") + 1
    return 1


class _Fit(NamedTuple):
    """How well a notation fits, better ones greater.

    More than one column, rows of one width, from the first row on.
    """

    parted: bool = False
    steady: bool = False
    at_once: int = 0
    consistent: float = 0.0
    columns: int = 1

    @classmethod
    def of(cls, rows: Sequence[Record]) -> _Fit:
        """Return the fit of a file's first records."""
        widths = [len(row.cells) for row in rows]
        columns, _ = max(
            Counter(width for width in widths if width > 1).items(),
            key=lambda item: (item[1], item[0]),
            default=(1, 0),
        )
        if columns == 1:
            return cls()
        first, last = widths.index(columns), len(widths) - widths[::-1].index(columns)
        inside = widths[first:last]  # without what stands above and below
        if len(inside) < _FEWEST:
            inside = widths[first:]
        consistent = inside.count(columns) / len(inside)
        spaced = [bool(row.cells) and row.cells[-1].startswith(" ") for row in rows]
        prose = sum(spaced[first:last]) * 2 >= len(inside)  # a space behind each comma
        at_once = 2 * (widths[0] >= columns and (prose or not spaced[0]))
        if columns >= _FEWEST and widths[0] == columns - 1:
            at_once = 1  # a header as R writes it
        parted = bool(at_once) or (
            consistent >= _STEADY
            and not prose
            and (columns >= _FEWEST or _has_figures(rows[first + 1 : last]))
            and max(_FEWEST, (len(widths) - first) / 2) <= len(inside)
        )
        return cls(parted, consistent >= _STEADY, at_once, consistent, columns)


@dataclass(frozen=True)
class Dialect:
    """How the rows of a text file are written.

    Attributes
    ----------
    delimiter : str
        Name in `MARKS`; ``none`` for a file of one column.
    notation : Notation
    head : list of Record
        The first records, those without cells too.
    fit : _Fit
    decisions : tuple of Decision
    """

    delimiter: str
    notation: Notation
    head: list[Record]
    fit: _Fit
    decisions: tuple[Decision, ...] = ()


def _has_figures(rows: Sequence[Record]) -> bool:
    """Whether most rows have a cell without a letter, as lines of prose have none."""
    figures = [
        any(cell.strip() and cell.upper() == cell.lower() for cell in row.cells) for row in rows
    ]
    return 2 * sum(figures) > len(rows)


def dialect_of(opening: Opening, file: TextFile) -> tuple[TextFile, Dialect]:
    """Return how a UTF-8 file is written, from its first rows, and the file that is to be read.

    It is another one where each row of the given one was a single cell in quotes.
    """
    text = _head(opening, file.path)
    excel = re.match(r"sep=(.)\r?\n", text)  # a line of Excel's own
    start = 1 + bool(excel)
    lines = list(islice(io.StringIO(text, newline=""), start - 1, head_rows(opening)))
    answer = opening.answers.delimiter
    if answer:
        return file, _dialect(lines, answer, start)
    dialects = [_dialect(lines, name, start) for name in _USUAL]
    best, other, *_ = sorted(dialects, key=lambda each: each.fit, reverse=True)
    named = [each for each in dialects if excel and each.notation.mark == excel[1]]
    if named and (named[0].fit.parted or not best.fit.parted):
        return file, named[0]
    if best.fit.parted and other.fit == best.fit:
        names = sorted((best.delimiter, other.delimiter))
        raise opening.error("tables.ask_delimiter", names=names)
    if not best.fit.parted:
        best = _rare(opening, lines, start, dialects)
    inner = [f"{row.cells[0]}\n" for row in best.head if row.cells]
    wrapped = best.delimiter == "none" and all(line[:1] in '"\r\n' for line in lines)
    if wrapped and any(_dialect(inner, name, 1).fit.steady for name in _USUAL):
        return _unwrapped(opening, file)
    if excel:
        decision = Decision("tables.decided_other_sep", {"mark": excel[1]}, assumed=True)
        best = replace(best, decisions=(*best.decisions, decision))
    return file, best


def _head(opening: Opening, path: Path) -> str:
    """Return the first whole lines of a file."""
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
        if not re.search(rb"[\r\n]", head[1:-1]):
            head += stream.read(_LONGEST_HEAD)
        whole = not stream.read(1)
    if not whole:
        *lines, _ = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", head)
        head = b"".join(lines)
        if not head:
            raise opening.error("tables.long_line", line=1, most=_LONGEST_HEAD >> 20)
    text = codecs.decode(head, "utf-8-sig")
    if re.match(r"\s*<(!doctype|html|head|body|table|\?xml)\b", text, re.IGNORECASE):
        raise opening.error("tables.web_page")
    if re.match(r'\s*(\[\s*)?\{\s*"', text):
        raise opening.error("tables.web_page")
    return text


def _dialect(lines: Sequence[str], name: str, start: int) -> Dialect:
    """Return the notation with a delimiter that breaks the fewest of some lines."""
    mark, text = MARKS[name], "".join(lines)
    spaced = f'{mark} "' in text or all(
        line.count(f"{mark} ") == line.count(mark) > 0 for line in (*lines[:1], *lines[-1:])
    )
    notations = [Notation(mark, spaced=spaced)]
    if '\\"' in text and not re.search(r'\\[^"\\]', text):
        notations.append(Notation(mark, escape="\\", spaced=spaced))
    if re.search(rf"{re.escape(mark)}'|'{re.escape(mark)}", text):
        notations.append(Notation(mark, "'", "'"))
    dialects = []
    with long_cells():
        for notation in notations:
            head = list(records(lines, notation, start=start))
            dialects.append(Dialect(name, notation, head, _Fit.of(head)))
    best = max(dialects, key=lambda each: (each.fit.consistent, each.fit.at_once, -_left(each)))
    if best.notation.escape != '"':
        decision = Decision("tables.decided_quotes", {"sign": best.notation.escape}, assumed=True)
        best = replace(best, decisions=(decision,))
    return best


def _rare(opening: Opening, lines: Sequence[str], start: int, usual: Sequence[Dialect]) -> Dialect:
    """Return the reading of a file that no usual delimiter parts: often as one column.

    Raises
    ------
    DataError
        With a question where one of them parts many of its rows all the same.
    """
    for other in usual:
        fit = other.fit
        if fit.columns >= _FEWEST and fit.consistent > _STEADY / 2 and _has_figures(other.head[2:]):
            raise opening.error("tables.ask_delimiter", names=sorted((other.delimiter, "none")))
    for name in _RARE:
        other = _dialect(lines, name, start)
        fit = other.fit
        if fit.at_once and fit.consistent == 1 and len(other.head) > 1 and fit.columns >= _FEWEST:
            if name == "space":
                raise opening.error("tables.ask_delimiter", names=["none", "space"])
            values = {"delimiter": f"tables.delimiter_{name}"}
            decision = Decision("tables.decided_delimiter", values, assumed=True)
            return replace(other, decisions=(decision, *other.decisions))
    return _dialect(lines, "none", start)


def _left(dialect: Dialect) -> int:
    """Return how many cells a quote still goes around."""
    cells = [cell for row in dialect.head for cell in row.cells]
    return sum(len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'" for cell in cells)


def _unwrapped(opening: Opening, file: TextFile) -> tuple[TextFile, Dialect]:
    """Read a file again whose rows are single cells in quotes, as they are without them."""
    target = opening.scratch / "inner.csv"
    with (
        file.path.open(encoding="utf-8-sig", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as stream,
        long_cells(),
    ):
        for record in records(source, Notation(MARKS["none"])):
            stream.write(f"{(record.cells or [''])[0]}\n")
    inner, dialect = dialect_of(opening, file._replace(path=target))
    decisions = (Decision("tables.decided_unwrapped", assumed=True), *dialect.decisions)
    return inner, replace(dialect, decisions=decisions)
