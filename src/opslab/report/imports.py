"""The import report in a readout: how a file was read, what was decided, which rows were left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opslab.messages import Language, numbers, one_line, text
from opslab.report.blocks import Block, Cell, Pairs, Paragraph, Points, Table
from opslab.tables.import_report import Decision, Reading, Rejection
from opslab.tables.source import Table as OpenTable

_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "number",
    "DOUBLE": "number",
    "DATE": "date",
    "TIMESTAMP": "time",
    "BOOLEAN": "truth",
}
_SAID = ("decimal", "first", "kind", "question")  # values that are messages themselves


def import_report(
    reading: Reading, language: Language, rows: Sequence[tuple[str, str]] = ()
) -> list[Block]:
    """Return how a file was read.

    Parameters
    ----------
    reading : Reading
    language : {"en", "fr"}
    rows : sequence of (label, value)
        What the analysis says of the rows it used.
    """
    blocks: list[Block] = [Pairs([*pairs(reading, language), *rows, *_hash(reading, language)])]
    told = decisions(reading, language)
    if told:
        columns = [text(f"tables.column_{name}", language) for name in ("what", "decision")]
        cells = [
            (", ".join(names), Cell(said, tone="open" if assumed else "plain"))
            for names, said, assumed in told
        ]
        blocks.append(
            Table(
                text("tables.table_import", language, file=reading.name), columns, cells, wide=True
            )
        )
    if reading.rejected:
        blocks.append(Paragraph(text("tables.rejected_label", language), small=True))
        blocks.append(Points(rejections(reading, language)))
    return blocks


def lines(table: OpenTable, language: Language) -> list[str]:
    """Return how a file was read as lines for a terminal: the file, its columns, what was decided."""
    reading, types = table.reading, table.types
    made = [
        text("errors.placed", language, place=label, message=value)
        for label, value in [*pairs(reading, language), *_hash(reading, language)]
    ]
    about: dict[str, list[str]] = {}
    for one in reading.decisions:
        said = say(one, language) + (
            f" ({text('tables.assumed', language)})" if one.assumed else ""
        )
        about.setdefault(one.column or "", []).append(said)
    made += [f"  {said}" for said in about.get("", [])]
    width = min(max(map(len, types), default=0), 32)
    for (name, kind), heading in zip(types.items(), table.headings, strict=True):
        shown = text(
            f"tables.type_{_TYPES.get(kind, 'list' if kind.endswith('[]') else 'other')}", language
        )
        own = [text("tables.decided_renamed", language, heading=heading)] if heading != name else []
        told = "; ".join([shown, *own, *about.get(name, [])])
        made.append(one_line(f"  {name:<{width}}  {told}"))
    return [*made, *(f"  {one}" for one in rejections(reading, language))]


def pairs(reading: Reading, language: Language) -> list[tuple[str, str]]:
    """Return what the file is, as label and value."""
    encoding, delimiter = (reading.encoding or "").replace("-", ""), reading.delimiter
    personal, rejected = reading.personal, reading.rejected
    told = {
        "file": reading.name,
        "format_label": text(f"tables.format_{reading.format}", language),
        "encoding_label": text(f"tables.encoding_{encoding}", language) if encoding else "",
        "delimiter": text(f"tables.delimiter_{delimiter}", language) if delimiter else "",
        "profile_label": reading.profile,
        "personal_label": numbers.listed(personal, language=language) if personal else "",
        "rows": numbers.integer(reading.rows, language=language),
        "rejected_label": numbers.integer(rejected, language=language) if rejected else "",
    }
    return [(text(f"tables.{name}", language), value) for name, value in told.items() if value]


def _hash(reading: Reading, language: Language) -> list[tuple[str, str]]:
    return [(text("tables.sha256", language), reading.sha256)] if reading.sha256 else []


def decisions(reading: Reading, language: Language) -> list[tuple[list[str], str, bool]]:
    """Return columns, what was decided of them, and whether it was assumed; equal decisions as one."""
    found: dict[tuple[str, bool], list[str]] = {}
    for one in reading.decisions:
        name = one.column or text("tables.whole_file", language)
        found.setdefault((say(one, language), one.assumed), []).append(name)
    assumed = text("tables.assumed", language)
    return [
        (names, f"{said} ({assumed})" if guess else said, guess)
        for (said, guess), names in found.items()
    ]


def rejections(reading: Reading, language: Language) -> list[str]:
    """Return the rows that were left out, each with its reason."""
    told = [
        text("tables.rejected_row", language, row=one.row, reason=say(one, language))
        for one in reading.rejections
    ]
    more = reading.rejected - len(told)
    return [*told, *([text("tables.rejected_more", language, count=more)] if more > 0 else [])]


def say(one: Decision | Rejection, language: Language) -> str:
    """Return a decision or a reason as a sentence without its full stop."""
    return text(one.key, language, **_values(one.values, language))


def _values(values: Mapping[str, Any], language: Language) -> dict[str, Any]:
    return {
        name: text(value, language) if name in _SAID else value for name, value in values.items()
    }
