"""What is shown of a run under way: a line of a terminal; elsewhere a long cell, by tenths."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from opslab.messages import printable
from opslab.progress import bar
from opslab.runs.job import Progress

_CLEAR = "\r\x1b[2K"


@contextmanager
def telling(notebook: str, *, quiet: bool = False) -> Iterator[Progress | None]:
    """Give what shows the cell at work on standard error, or nothing when quiet."""
    terminal, tenths = sys.stderr.isatty(), set[int]()

    def tell(shown: str) -> None:
        sys.stderr.write(shown)
        sys.stderr.flush()

    def show(number: int, count: int, cell: str, percent: int = 0) -> None:
        shown = printable(f"{notebook}: cell {number} of {count}, {cell}")
        shown += f" {bar(percent)}" * bool(percent)
        if terminal:
            tell(f"{_CLEAR}{shown}")
        elif percent // 10 not in {0, *tenths}:
            tenths.add(percent // 10)
            tell(f"{shown}\n")

    if quiet:
        yield None
        return
    if terminal:
        tell(printable(f"{notebook}: starting"))
    try:
        yield show
    finally:
        if terminal:
            tell(_CLEAR)
