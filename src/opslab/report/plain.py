"""Blocks as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap, zip_longest
from textwrap import wrap

from opslab.report.blocks import (
    Block,
    Cell,
    Facts,
    Folded,
    Heading,
    Pairs,
    Paragraph,
    Points,
    Table,
    Verdict,
)
from opslab.report.figures import Figure
from opslab.report.sections import Sections

_WIDTH, _COLUMN = 96, 40  # letters of a line, and of a column at most


def plain(blocks: Iterable[Block | Figure]) -> str:
    """Return blocks as text, a blank line between them."""
    return "\n\n".join(filter(None, ("\n".join(_lines(block)) for block in blocks)))


def _lines(block: Block | Figure) -> Iterator[str]:
    match block:
        case Heading(text):
            yield from (text, {2: "=", 3: "-"}[block.level] * len(text))
        case Paragraph():
            yield from wrap(_text(Cell(block.text, refs=block.refs)), _WIDTH)
        case Points(items):
            yield from _points(items)
        case Pairs() | Sections():
            yield from _named(block)
        case Facts(items):
            yield from starmap(_fact, items)
        case Table():
            yield from _table(block)
        case Verdict():
            yield from (
                block.kicker,
                block.title,
                *filter(None, [block.question]),
                "",
            )
            yield from (block.action, *wrap(block.headline, _WIDTH))
            yield from _points([*block.reasons, *block.more])
            yield from ("", *_lines(block.facts))
        case Folded(_, inside):
            yield plain(inside)
        case Figure():
            yield from wrap(block.alt, _WIDTH)


def _named(block: Pairs | Sections) -> Iterator[str]:
    if isinstance(block, Sections):
        for title, lines in block.items:
            yield from (_text(title), *_points(lines))
        return
    width = max((len(name) for name, _ in block.items), default=0)
    yield from (f"{name:<{width}}  {value}" for name, value in block.items)


def _points(items: Iterable[str | Cell]) -> Iterator[str]:
    for item in items:
        yield from wrap(f"- {_text(item)}", _WIDTH, subsequent_indent="  ")


def _fact(name: str, value: str, remarks: Sequence[str]) -> str:
    return f"{name} \N{EN DASH} {value}" + (f" ({'; '.join(remarks)})" if remarks else "")


def _text(item: str | Cell) -> str:
    cell = item if isinstance(item, Cell) else Cell(item)
    parts = [cell.text, f"({cell.interval})" if cell.interval else ""]
    parts += [f"[{reference.label}]" for reference in cell.refs]
    return " ".join(filter(None, [*parts, f"· {cell.remark}" if cell.remark else ""]))


def _table(table: Table) -> Iterator[str]:
    yield table.caption
    groups = [(None, table.rows), *((group.head, group.rows) for group in table.groups)]
    rows = [list(map(_text, row)) for _, inside in groups for row in inside]
    longest = [max(map(len, column)) for column in zip_longest(table.columns, *rows, fillvalue="")]
    widths = [max(1, min(width, _COLUMN)) for width in longest]
    yield from _row(table.columns, widths, table.numeric)
    yield "  ".join("-" * width for width in widths)
    for head, inside in groups:
        if head is not None:
            yield _text(head)
        for row in inside:
            yield from _row([*map(_text, row)], widths, table.numeric)


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a row: a cell that is longer than its column goes on below."""
    columns = [wrap(cell, width) or [""] for cell, width in zip(cells, widths, strict=False)]
    for line in zip_longest(*columns, fillvalue=""):
        shown = (
            f"{piece:>{width}}" if column in numeric else f"{piece:<{width}}"
            for column, (piece, width) in enumerate(zip(line, widths, strict=False))
        )
        yield "  ".join(shown).rstrip()
