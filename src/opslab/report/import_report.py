"""The import report: how a file was read, what was decided, which rows were left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from opslab.messages import Language, one_line
from opslab.report.blocks import Cell, Pairs, Points
from opslab.report.voice import Blocks, Voice
from opslab.results import Message
from opslab.tables.exports import KINDS
from opslab.tables.import_report import Decision, Reading, Rejection
from opslab.tables.sentences import proposal
from opslab.tables.source import Table as OpenTable

_MESSAGES = (
    "decimal",
    "delimiter",
    "first",
    "kind",
    "question",
    "unit",
)  # values that are messages themselves


def import_report(
    reading: Reading, language: Language, rows: Sequence[tuple[str, str]] = ()
) -> Blocks:
    """Return how a file was read.

    Parameters
    ----------
    reading : Reading
    language : {"en", "fr"}
    rows : sequence of (label, value)
        What the analysis says of the rows it used.
    """
    say = Voice(language, "tables")
    blocks: Blocks = [Pairs([*pairs(reading, say), *rows, *_hash(reading, say)])]
    if reading.decisions:
        cells = (
            (", ".join(names), Cell(words, tone="open" if assumed else "plain"))
            for names, words, assumed in decisions(reading, say)
        )
        blocks.append(say.table("import", "what decision", cells, file=reading.name))
    if reading.rejected:
        blocks += [say.remark("rejected_label"), Points(rejections(reading, say))]
    return blocks


def lines(table: OpenTable, language: Language) -> list[str]:
    """Return how a file was read as lines for a terminal: file, columns, decisions."""
    say, reading = Voice(language, "tables"), table.reading
    shown = [
        say.message(Message("errors.placed", {"place": label, "message": value}))
        for label, value in [*pairs(reading, say), *_hash(reading, say)]
    ]
    about = defaultdict[str, list[str]](list)
    for decision in reading.decisions:
        about[decision.column or ""].append(_assumed(decision, say))
    shown += [f"  {words}" for words in about[""]]
    width = min(max(map(len, table.types), default=0), 32)
    for (name, kind), heading in zip(table.types.items(), table.headings, strict=True):
        other = "list" if kind.endswith("[]") else "other"
        words = [say(f"type_{KINDS.get(kind, other)}")]
        words += [say("decided_renamed", heading=heading)] if heading != name else []
        shown.append(one_line(f"  {name:<{width}}  {'; '.join([*words, *about[name]])}"))
    shown += [f"  {words}" for words in rejections(reading, say)]
    proposed = proposal(table)
    return [*shown, say("proposed_text", **proposed)] if proposed else shown


def pairs(reading: Reading, say: Voice) -> list[tuple[str, str]]:
    """Return what the file is, as label and value."""
    encoding = {"utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
    values = {
        "file": reading.name,
        "format_label": say(f"format_{reading.format}"),
        "encoding_label": encoding.get(reading.encoding or "", reading.encoding),
        "delimiter": reading.delimiter and say(f"delimiter_{reading.delimiter}"),
        "profile_label": reading.profile,
        "personal_label": say.listed(reading.personal),
        "rows": say.integer(reading.rows),
        "rejected_label": reading.rejected and say.integer(reading.rejected),
    }
    return [(say(name), str(value)) for name, value in values.items() if value]


def _hash(reading: Reading, say: Voice) -> list[tuple[str, str]]:
    return [(say("sha256"), reading.sha256)] if reading.sha256 else []


def decisions(reading: Reading, say: Voice) -> list[tuple[list[str], str, bool]]:
    """Return columns, what was decided of them, whether it was assumed; equal ones together."""
    columns = defaultdict[tuple[str, bool], list[str]](list)
    for decision in reading.decisions:
        name = decision.column or say("whole_file")
        columns[_assumed(decision, say), decision.assumed].append(name)
    return [(names, words, assumed) for (words, assumed), names in columns.items()]


def rejections(reading: Reading, say: Voice) -> list[str]:
    """Return the rows that were left out, each with its reason."""
    shown = [
        say("rejected_row", row=rejection.row, reason=reason(rejection, say))
        for rejection in reading.rejections
    ]
    more = reading.rejected - len(shown)
    return [*shown, *([say("rejected_more", count=more)] if more > 0 else [])]


def _assumed(decision: Decision, say: Voice) -> str:
    words = reason(decision, say)
    return f"{words} ({say('assumed')})" if decision.assumed else words


def reason(of: Decision | Rejection, say: Voice) -> str:
    """Return a decision or a reason as a sentence without its full stop."""
    values = {
        name: say.message(Message(value)) if name in _MESSAGES else value
        for name, value in of.values.items()
    }
    return say.message(Message(of.key, values))
