"""Tables of meetings: those that take working time, with their hours."""

from __future__ import annotations

from dataclasses import replace

from opslab.tables.import_report import MOST_TOLD, Decision, Rejection
from opslab.tables.source import ROW, Table

_REASON = "opslab_left_out"
_HOURS = {"hours": "DOUBLE", "counted_hours": "DOUBLE"}
ADDED = (*_HOURS, _REASON)
"""Columns that a table of meetings gets."""
_CASES = {  # why a meeting is left out, by the column that tells it
    "all_day": "WHEN all_day THEN 'all_day'",
    "status": "WHEN status = 'CANCELLED' THEN 'cancelled'",
    "busy": "WHEN NOT busy THEN 'free'",
}


def with_hours(table: Table) -> Table:
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
