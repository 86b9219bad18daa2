"""Records of a text file: cells as of RFC 4180, and the lines that break it, each by itself.

Header and rows go through the same parser, and no line is lost: it is in a record, or in one
without cells. A quote that opens and is not closed where a cell can end costs its own line only.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

LONGEST_LINE = 1 << 23
_MOST_LINES = 100_000  # of one record
_PIECE = 1 << 20


class Notation(NamedTuple):
    """What parts cells, what goes around them, and what stands before a quote inside them."""

    mark: str
    quote: str = '"'
    escape: str = '"'
    spaced: bool = False  # a space after each mark


class Record(NamedTuple):
    """A record that is not empty: its lines, from 1; no cells where it breaks the rules."""

    line: int
    end: int
    cells: list[str]


def records(
    lines: Iterable[str], notation: Notation, *, width: int = 0, start: int = 1
) -> Iterator[Record]:
    """Give the records of lines that keep their ends.

    Parameters
    ----------
    lines : iterable of str
    notation : Notation
    width : int
        Columns of the header, where it is known: several lines make one record only as wide.
    start : int
        Number of the first line.
    """
    numbered, waiting = enumerate(lines, start), deque[tuple[int, str]]()
    quote, escape, stray = notation.quote, notation.escape, re.compile(_stray(notation))
    taken: list[tuple[int, str]] = []

    def further() -> Iterator[str]:
        length = 0
        while len(taken) < _MOST_LINES and length < LONGEST_LINE:
            following = waiting.popleft() if waiting else next(numbered, None)
            if following is None:
                return
            taken.append(following)
            length += len(following[1])
            yield following[1]

    while True:
        taken = []
        source = further()
        line = next(source, None)
        if line is None:
            return
        text, number = line.rstrip("\r\n"), taken[0][0]
        if not text.strip(" "):
            continue
        if not notation.spaced and quote not in text and escape not in text:
            yield Record(number, number, text.split(notation.mark))
            continue
        cells = _cells(line, source, notation)
        if any(stray.search(entry[1]) for entry in taken) and _run_together(cells, notation.quote):
            cells = []
        if len(taken) > 1 and (not cells or len(cells) != (width or len(cells))):
            waiting.extendleft(reversed(taken[1:]))
            cells, taken = [], taken[:1]
        yield Record(number, taken[-1][0], cells)


def _cells(line: str, source: Iterator[str], notation: Notation) -> list[str]:
    """Return the cells of a record that begins with a line; none where a quote is out of place."""
    doubled = notation.escape == notation.quote
    reader = csv.reader(
        chain([line], source),
        delimiter=notation.mark,
        quotechar=notation.quote,
        doublequote=doubled,
        escapechar=None if doubled else notation.escape,
        skipinitialspace=notation.spaced,
        strict=True,
    )
    try:
        return next(reader)
    except csv.Error:
        return []


def _run_together(cells: Sequence[str], quote: str) -> bool:
    """Whether a quote closes in another cell than it opens, as the mark before it is not there."""
    odd = [cell.endswith(quote) for cell in cells if cell.count(quote) % 2]
    return (False, True) in pairwise(odd)


def _stray(notation: Notation) -> str:
    """Return the pattern of a quote within a cell, as it never is where all are in order."""
    quote, mark = map(re.escape, (notation.quote, notation.mark))
    other = rf"[^\r\n{quote}{mark}]"
    return f"{quote}(?<={other}{quote}){other}"  # soon seen, as it begins with a sign of its own


def has_stray_quotes(path: Path, notation: Notation) -> bool:
    """Whether a quote stands within a cell."""
    stray = re.compile(_stray(notation).encode())
    with path.open("rb") as stream:  # by whole lines, so that none is parted
        pieces = iter(lambda: stream.read(_PIECE) + stream.readline(LONGEST_LINE), b"")
        return any(map(stray.search, pieces))


@contextmanager
def long_cells() -> Iterator[None]:
    """Let cells of Python's reader be as long as those of the engine."""
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(before)
