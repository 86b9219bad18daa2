"""Polluted text files by kind, made from one invented table, each with its right readings.

The kinds are those of Pollock (Vitagliano, Hameed, Jiang, Reisener, Wu, Naumann: "Pollock: A Data
Loading Benchmark", PVLDB 16(8), 2023), and a few that people meet with exports. Tables, words and
code are our own.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

HEADINGS = ("Opened", "At", "Hours", "People", "Ref", "Area", "Summary", "Link", "Note")
ROWS, END = 83, "\r\n"
_QUOTED = (6, 7)  # the columns that are always in quotes
_AREAS = ("Billing", "Search", "Login, sessions", "Exports", "Mobile app", "Onboarding, help")
_ACCENTED = ("Café", "Réglages", "Übersicht, Liste", "Mañana", "Œuvres", "Où")
_CYRILLIC = ("Поиск", "Оплата", "Вход, выход", "Отчёт", "Помощь", "Настройки")
_OPENINGS = ("The page", "Our nightly export", "A saved view", "The weekly report", "One import")
_MIDDLES = ("stops after the second step", "keeps its old filter", "loads twice, then waits")
_ENDS = (
    'on a 13-inch (13") screen',
    "for people who joined late, not for others",
    "when it is reopened",
)
_NOTES = ("", "", "", "seen twice", "asked, no answer yet", "urgent")


@dataclass(frozen=True)
class Truth:
    """One right reading of a file.

    Attributes
    ----------
    headings : tuple of tuple of str, or None
        The names that are right for each column; None where the file gives none.
    rows : tuple of tuple of str
        The cells as the file writes them, without quotes.
    variants : Mapping
        Other texts that are right for a cell, by (row, column) from 0.
    reports : str
        Pattern of the decision that has to be there, since something was passed over.
    lost : int
        Rows that are passed over, if they are counted as left out instead.
    """

    headings: tuple[tuple[str, ...], ...] | None
    rows: tuple[tuple[str, ...], ...]
    variants: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    reports: str = ""
    lost: int = 0


@dataclass(frozen=True)
class Polluted:
    """One file: its kind, name and bytes, and its right readings; none where it holds no table."""

    kind: str
    name: str
    content: bytes
    truths: tuple[Truth, ...]


@dataclass(frozen=True)
class Grid:
    """A table as it is written: every cell with its quotes, the header first."""

    cells: tuple[tuple[str, ...], ...]

    @property
    def truth(self) -> Truth:
        """The right reading of the table without pollution."""
        header, *rows = [tuple(map(_bare, row)) for row in self.cells]
        return Truth(tuple((name,) for name in header), tuple(rows))

    def lines(self, mark: str = ",") -> list[str]:
        """Return the lines without their ends."""
        return [mark.join(row) for row in self.cells]

    def quoted(self, mark: str, sign: str = '"', escape: str | None = None) -> list[str]:
        """Return the lines with quotes where this mark or this sign needs them."""
        return [
            mark.join(_cell(_bare(cell), mark, sign, escape) for cell in row) for row in self.cells
        ]


def invented(
    seed: int, rows: int = ROWS, areas: Sequence[str] = _AREAS, *, euro: bool = False
) -> Grid:
    """Return an invented table of nine columns: days, times, numbers, ids, words, texts, links."""
    draw = random.Random(seed)
    day = datetime.date(2025, 3, 13)
    cells = [tuple(_cell(name, column=column) for column, name in enumerate(HEADINGS))]
    for number in range(rows):
        day += datetime.timedelta(draw.randint(0, 2))
        ref = f"{draw.choice('KLMN')}T-{draw.randint(1000, 9999)}"
        texts = (
            f"{day:%d/%m/%Y}",
            f"{number * 15 // 60 % 24:02}:{number * 15 % 60:02}",
            f"{draw.randint(40, 9900) / 100:.2f}",
            str(draw.randint(0, 30)),
            ref,
            draw.choice(areas),
            f"{draw.choice(_OPENINGS)} {draw.choice(_MIDDLES)}, {draw.choice(_ENDS)}",
            f"https://tracker.example/{ref.replace('-', '_')}.html",
            draw.choice(_NOTES) + (" 5 €" if euro and number % 3 == 0 else ""),
        )
        cells.append(tuple(_cell(text, column=column) for column, text in enumerate(texts)))
    return Grid(tuple(cells))


def _bare(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _cell(
    text: str,
    mark: str = ",",
    sign: str = '"',
    escape: str | None = None,
    column: int | None = None,
) -> str:
    if column in _QUOTED or sign in text or any(part in text for part in mark):
        return sign + text.replace(sign, (sign if escape is None else escape) + sign) + sign
    return text


def written(lines: Iterable[str], end: str = END) -> str:
    return "".join(line + end for line in lines)


def every_row(grid: Grid) -> Iterator[Polluted]:
    """Give the pollutions of a single row: at every row, and at every column of it."""
    truth, lines = grid.truth, grid.lines()
    for row, cells in enumerate(grid.cells):

        def with_line(line: str, row: int = row) -> bytes:
            return written([*lines[:row], line, *lines[row + 1 :]]).encode()

        for column, cell in enumerate(cells):
            name = f"{row}_{column}"
            more = ",".join([*cells[:column], "", *cells[column:]])
            yield Polluted("a separator too many", f"more_{name}", with_line(more), (truth,))
            if column:
                less = ",".join(
                    [*cells[: column - 1], cells[column - 1] + cell, *cells[column + 1 :]]
                )
                yield Polluted("a separator too few", f"less_{name}", with_line(less), (truth,))
            quote = ",".join([*cells[:column], '"' + cell, *cells[column + 1 :]])
            variant = _with_quote(truth, row, column)
            yield Polluted("a quote too many", f"quote_{name}", with_line(quote), (variant,))


def _with_quote(truth: Truth, row: int, column: int) -> Truth:
    """Return the truth in which the stray quote may stand for itself."""
    if row:
        text = truth.rows[row - 1][column]
        return replace(truth, variants={(row - 1, column): ('"' + text,)})
    headings = list(truth.headings or ())
    headings[column] = (*headings[column], '"' + headings[column][0])
    return replace(truth, headings=tuple(headings))


def other_delimiter(grid: Grid, marks: Sequence[str] = (" ", ";", "\t", "|")) -> Iterator[Polluted]:
    """Give files in which one row has another delimiter, the marks in turn."""
    lines = grid.lines()
    for row, cells in enumerate(grid.cells):
        line = marks[row % len(marks)].join(cells)
        content = written([*lines[:row], line, *lines[row + 1 :]]).encode()
        yield Polluted("another delimiter in one row", f"mark_{row}", content, (grid.truth,))


def ends(grid: Grid) -> Iterator[Polluted]:
    """Give files of other record ends, of none and of two at the end, and of next to no rows."""
    truth, lines = grid.truth, grid.lines()
    whole = written(lines)

    def polluted(kind: str, name: str, text: str, *truths: Truth) -> Polluted:
        return Polluted(kind, name, text.encode(), truths)

    yield polluted("as it is", "source", whole, truth)
    yield polluted("other record ends", "lf", written(lines, "\n"), truth)
    yield polluted("other record ends", "cr", written(lines, "\r"), truth)
    mixed = "".join(line + (END if row % 2 else "\n") for row, line in enumerate(lines))
    yield polluted("other record ends", "mixed", mixed, truth)
    yield polluted("end of the file", "no_end", whole.removesuffix(END), truth)
    yield polluted("end of the file", "double_end", whole + END, truth)
    yield polluted("no payload", "empty", "")
    yield polluted("header only", "header_only", written(lines[:1]), replace(truth, rows=()))
    yield polluted("one row", "one_row", written(lines[:2]), replace(truth, rows=truth.rows[:1]))
    yield polluted("no header", "no_header", written(lines[1:]), replace(truth, headings=None))


def dialects(grid: Grid) -> Iterator[Polluted]:
    """Give files of other delimiters, quotes and escapes, and of lines that are quoted whole."""
    truths = (grid.truth,)
    marks = {"semicolon": ";", "tab": "\t", "bar": "|", "caret": "^", "space": " "}
    for name, mark in marks.items():
        content = written(grid.quoted(mark)).encode()
        yield Polluted("delimiter of the file", name, content, truths)
    lines = {
        ("delimiter of the file", "comma_space"): grid.lines(", "),
        ("quote character", "single"): grid.quoted(",", "'"),
        ("escape character", "backslash"): grid.quoted(",", escape="\\"),
        ("escape character", "no_escape"): grid.quoted(",", escape=""),
        ("every cell quoted", "all"): [
            ",".join('"' + _bare(cell).replace('"', '""') + '"' for cell in row)
            for row in grid.cells
        ],
        ("every line quoted", "lines"): [
            '"' + line.replace('"', '""') + '"' for line in grid.lines()
        ],
    }
    for (kind, name), given in lines.items():
        yield Polluted(kind, name, written(given).encode(), truths)


def encodings(seed: int) -> Iterator[Polluted]:
    """Give files of other encodings, each with letters that only the right one reads."""
    accented = invented(seed, areas=_ACCENTED, euro=True)
    plain = invented(seed, areas=[area for area in _ACCENTED if area.isascii() or "Œ" not in area])
    cyrillic = invented(seed, areas=_CYRILLIC)
    for codec, grid in {
        "utf-8": accented,
        "utf-8-sig": accented,
        "utf-16": accented,
        "cp1252": accented,
        "latin-1": plain,
        "iso8859-15": accented,
        "cp1251": cyrillic,
        "mac-roman": accented,
    }.items():
        yield Polluted("encoding", codec, written(grid.lines()).encode(codec), (grid.truth,))
