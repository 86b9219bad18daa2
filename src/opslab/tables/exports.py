"""The one door for exports: open, recognise, name, type, and tell what was done."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from opslab import workspace
from opslab.errors import DataError, InputError
from opslab.messages import Language, text
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.delimited import free_name
from opslab.tables.import_report import (
    MOST_TOLD,
    Answers,
    Decision,
    FileAnswers,
    Reading,
    Rejection,
)
from opslab.tables.profiles import (
    NO_PROFILE,
    TEXTS,
    Column,
    Kind,
    Match,
    Profile,
    bare_heading,
    known_profiles,
    profile_for,
    unwrapped,
    with_answers,
    yaml_text,
)
from opslab.tables.reader import open_table
from opslab.tables.source import ROW, Table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

KINDS: Mapping[str, Kind] = {
    "VARCHAR": "text",
    "BIGINT": "number",
    "DOUBLE": "number",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "BOOLEAN": "boolean",
}
_REASON = "opslab_left_out"
_HOURS = {"hours": "DOUBLE", "counted_hours": "DOUBLE"}
_ADDED = (*_HOURS, _REASON)
"""Columns that a table of meetings gets."""
_CASES = {  # why a meeting is left out, by the column that tells it
    "all_day": "WHEN all_day THEN 'all_day'",
    "status": "WHEN status = 'CANCELLED' THEN 'cancelled'",
    "busy": "WHEN NOT busy THEN 'free'",
}

_CONVERSATIONS = f"""
SELECT * REPLACE (string_agg(text, chr(10)) OVER whole AS text) FROM {{}}
WINDOW thread AS (
    PARTITION BY coalesce(CAST(thread AS VARCHAR), 'row ' || {ROW}) ORDER BY created_at, {ROW}
),
whole AS (thread ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
QUALIFY row_number() OVER thread = 1
"""


@contextmanager
def open_export(
    data: Any,
    *,
    answers: Answers | None = None,
    personal: Literal["keep", "drop"] = "keep",
    written: bool = False,
) -> Iterator[Table]:
    """Open an export of any tool: its columns under the names of its profile, each of one type.

    Without a profile every column keeps its heading, and its cells decide what it holds.

    Parameters
    ----------
    data : path, pandas.DataFrame, polars.DataFrame or pyarrow.Table
    answers : Answers, optional
        Where the file can be read in two ways.
    personal : {"keep", "drop"}
        Whether columns with personal data are kept; which ones there are is told in either case.
    written : bool
        Whether the cells are needed as they stand in the file too, in memory beside their values.

    Raises
    ------
    DataError
        When it cannot be read, or asks a question: file, row or column, what, and what to do.

    Examples
    --------
    >>> from opslab import workspace
    >>> with open_export(workspace.resolve("data/sample/checkout.csv")) as table:
    ...     table.reading.delimiter, table.types["revenue"]
    ('comma', 'DOUBLE')
    """
    answers = answers or Answers()
    if profile := known_profiles().get(answers.profile or ""):
        own = {name: own for name, own in profile.answers if getattr(answers, name) is None}
        answers = answers.model_copy(update=own)
    with open_table(data, answers=answers, strict=False) as raw:
        table = _named(raw, answers)
        if not (written or raw.scanned or raw.relation in table.relation):
            raw.connection.execute("DROP TABLE source")
            table = replace(table, written=None)
        yield _without_personal(table) if personal == "drop" else table


def _named(raw: Table, answers: Answers) -> Table:
    """Return the table with the columns of the profile that fits it, each of one type."""
    headings, reading = raw.headings or tuple(raw.types), raw.reading
    match = profile_for(headings, answers.profile, reading.name)
    profile = match.profile
    if match is not NO_PROFILE:
        decisions = [
            Decision("tables.decided_profile", {"tool": profile.tool, "count": len(match.taken)})
        ]
        rows = reading.rows + reading.rejected
        if rows in profile.row_caps:
            decisions.append(Decision("tables.decided_row_cap", {"count": rows}, assumed=True))
        reading = reading.adding(decisions, profile=profile.profile)
    match = with_answers(match, answers, headings, reading.name)
    wanted = _wanted(raw, headings, match)
    table = typed(replace(raw, reading=reading), wanted, answers, day_first_assumed=match.day_first)
    if score := answers.score:
        (row,) = table.aggregates(
            [f"min({ROW}) FILTER (score NOT BETWEEN {score.low} AND {score.high}) + 1"]
        )
        if row:
            raise DataError.of("tables.off_scale", file=reading.name, row=row)
    if profile.table == "meetings":
        return _with_hours(table)
    whole = not {"thread", "text", "created_at"} <= match.positions.keys()
    return table if whole else _conversations(table)


def _with_hours(table: Table) -> Table:
    """Return the meetings that take working time, with their hours; overlaps are counted once."""
    cases = " ".join(case for column, case in _CASES.items() if column in table.types)
    end = "ended_at" if "ended_at" in table.types else "CAST(NULL AS TIMESTAMP)"
    reason = f"CASE {cases} WHEN coalesce({end} < started_at, true) THEN 'no_end' END"
    source = f"(SELECT *, {reason} AS {_REASON} FROM {table.relation})"
    left_out = table.fetch(
        f"SELECT {ROW} + 1, {_REASON}, count(*) OVER () FROM {source} "
        f"WHERE {_REASON} IS NOT NULL ORDER BY 1 LIMIT {MOST_TOLD}"
    )
    before = f"ORDER BY started_at, {end}, {ROW} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW"
    earlier = f"max({end}) OVER ({before})"
    uncovered = f"epoch({end}) - epoch(greatest(started_at, coalesce({earlier}, started_at)))"
    table.keep(
        "meetings",
        f"SELECT * EXCLUDE ({_REASON}), (epoch({end}) - epoch(started_at)) / 3600 AS hours, "
        f"greatest({uncovered}, 0) / 3600 AS counted_hours FROM {source} WHERE {_REASON} IS NULL",
    )
    rows, hours, counted = table.aggregates(
        ["count(*)", "sum(hours)", "sum(counted_hours)"], "meetings"
    )
    overlap = {"hours": hours - counted} if rows and hours > counted else {}
    types = {**table.types, **_HOURS}
    reading = table.reading.adding(
        [Decision("tables.decided_overlap", overlap)] if overlap else [],
        [Rejection(row, f"tables.rejected_{reason}") for row, reason, _ in left_out],
        left_out[0][2] if left_out else 0,
        rows=rows,
        columns=len(types),
    )
    return replace(table.over("meetings", types, reading), headings=(*table.headings, *_HOURS))


def _conversations(table: Table) -> Table:
    """Return one row for each conversation: the texts of a thread in the order of their times."""
    table.keep("conversations", _CONVERSATIONS.format(table.relation))
    (rows,) = table.aggregates(["count(*)"], "conversations")
    replies = {"count": table.reading.rows - rows}
    joined = [Decision("tables.decided_conversations", replies)] if replies["count"] else []
    return table.over("conversations", table.types, table.reading.adding(joined, rows=rows))


def read_export(data: Any, **options: Any) -> tuple[pd.DataFrame, Reading]:
    """Return an export as a data frame, and how it was read; parameters as of `open_export`."""
    with open_export(data, **options) as table:
        return table.frame(), table.reading


def _wanted(table: Table, headings: Sequence[str], match: Match) -> list[Wanted]:
    """Return the columns to make: the profile's, then the others under their own headings."""
    sources, wanted, profile = list(table.types), list[Wanted](), match.profile
    taken = {ROW, *(_ADDED if profile.table == "meetings" else ())}
    for name, positions in match.positions.items():
        own, clock = (tuple(sources[position] for position in part) for part in positions)
        column = profile.columns[name]
        wanted.append(Wanted(name, own, column.kind, next(iter(clock), None), column))
        taken.add(name.casefold())
    groups, known = defaultdict[str, list[str]](list), match.taken
    for position, (source, heading) in enumerate(zip(sources, headings, strict=True)):
        if position not in known:
            groups[" ".join(heading.split()) or source].append(source)
    for heading, group in groups.items():
        name = free_name(unwrapped(heading, profile.wrappers), taken)
        wanted.append(Wanted(name, tuple(group)))
    return wanted


def draft_profile(data: Path, *, answers: Answers | None = None, language: Language = "en") -> Path:
    """Write a first column profile for a file of no known tool, and return where.

    Raises
    ------
    InputError
        When the profile is there already: nothing is overwritten.
    """
    answers = (answers or Answers()).model_copy(update={"profile": "none"})
    with open_export(data, answers=answers) as table:
        reading, types, headings = table.reading, table.types, table.headings
    percents = {
        decision.column
        for decision in reading.decisions
        if decision.key == "tables.decided_percent"
    }
    columns: dict[str, Column] = {}
    texts = TEXTS[2:][: len(answers.text)]
    taken = {*TEXTS} - {*texts} if texts else set()  # no other column is a part of those named
    for (wanted, kind), heading in zip(types.items(), headings, strict=True):
        name = re.sub(r"[^a-z0-9]+", "_", bare_heading(wanted)).strip("_") or "column"
        columns[free_name(name, taken, "_{}")] = Column(
            headers=(heading.replace("*", ""),),
            kind="percent" if wanted in percents else KINDS.get(kind, "list"),
            personal="email" if wanted in reading.personal else None,
        )
    stem = workspace.slug(data.stem)
    target = workspace.root() / workspace.PROFILES / f"{stem}.yaml"
    if workspace.is_there(target):
        raise InputError.of("tables.draft_there", file=workspace.shown(target))
    profile = Profile(
        profile=stem,
        tool=data.stem,
        table="feedback",
        recognised_by=tuple(columns)[:3],
        answers=FileAnswers(**answers.model_dump(include=set(FileAnswers.model_fields))),
        columns=columns,
    )
    target.parent.mkdir(exist_ok=True)
    note = text("tables.draft_note", language)
    target.write_text(f"# {note}\n{yaml_text(profile)}", encoding="utf-8")
    return target


def _without_personal(table: Table) -> Table:
    dropped = table.reading.personal
    decisions = [Decision("tables.decided_dropped", {"names": list(dropped)})] if dropped else []
    types = {name: kind for name, kind in table.types.items() if name not in dropped}
    reading = table.reading.adding(decisions, columns=len(types))
    return table.over(table.relation, types, reading)
