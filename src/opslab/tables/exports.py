"""The one door for exports: open, recognise, name, type, and tell what was done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from opslab import workspace
from opslab.errors import InputError
from opslab.messages import Language, text
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.dialect import free_name
from opslab.tables.import_report import MOST_TOLD, Answers, Decision, Reading, Rejection
from opslab.tables.profiles import FOLDER, Match, bare_heading, profile_for, unwrapped, yaml_text
from opslab.tables.reader import open_table
from opslab.tables.source import ROW, Table
from opslab.workspace import slug

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_KINDS = {
    "BIGINT": "number",
    "DOUBLE": "number",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "BOOLEAN": "boolean",
}
_LEFT = "opslab_left_out"
_MADE = ("hours", "counted_hours", _LEFT)  # columns that a table of meetings gets
_NOT_MEETINGS = (  # column, rule, reason
    ("all_day", "all_day", "all_day"),
    ("status", "status = 'CANCELLED'", "cancelled"),
    ("busy", "NOT busy", "free"),
)


@contextmanager
def open_export(
    data: Any,
    *,
    name: str | None = None,
    answers: Answers | None = None,
    personal: Literal["keep", "drop"] = "keep",
) -> Iterator[Table]:
    """Open an export of any tool: its columns under the names of its profile, each of one type.

    Without a profile every column keeps its heading, and its cells decide what it holds.

    Parameters
    ----------
    data : path, pandas.DataFrame, polars.DataFrame or pyarrow.Table
    name : str, optional
        What the file is called in messages.
    answers : Answers, optional
        Where the file can be read in two ways.
    personal : {"keep", "drop"}
        Whether columns with personal data are kept; which ones there are is told in either case.

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
    told = answers or Answers()
    with open_table(data, name=name, answers=told, strict=False) as raw:
        names = list(raw.types)
        headings = raw.headings or tuple(names)
        match = profile_for(headings, told.profile, raw.reading.name)
        wanted = _wanted(names, headings, match)
        assumed = match is not None and bool(
            {bare_heading(one) for one in match.profile.day_first_if}
            & set(map(bare_heading, headings))
        )
        told_so_far = _with_profile(raw.reading, match)
        table = typed(replace(raw, reading=told_so_far), wanted, told, day_first_assumed=assumed)
        if match is not None and match.profile.table == "meetings":
            table = _meetings(table)
        if personal == "drop":
            table = _without(table, table.reading.personal)
        yield table


def read_export(data: Any, **options: Any) -> tuple[pd.DataFrame, Reading]:
    """Return an export as a data frame, with the report of its import; parameters as of `open_export`."""
    with open_export(data, **options) as table:
        return table.frame(), table.reading


def _with_profile(reading: Reading, match: Match | None) -> Reading:
    if match is None:
        return reading
    said = [
        Decision("tables.decided_profile", {"tool": match.profile.tool, "count": len(match.taken)})
    ]
    rows = reading.rows + reading.rejected
    if rows in match.profile.row_caps:
        said.append(Decision("tables.decided_row_cap", {"count": rows}, assumed=True))
    return replace(reading, profile=match.profile.profile, decisions=(*reading.decisions, *said))


def _wanted(names: Sequence[str], headings: Sequence[str], match: Match | None) -> list[Wanted]:
    """Return the columns to make: those of the profile, then the others under their own headings."""
    made = []
    taken: Counter[str] = Counter({ROW: 1})
    if match is not None and match.profile.table == "meetings":
        taken.update(_MADE)
    used: set[int] = set()
    wrappers: Sequence[str] = ()
    if match is not None:
        wrappers = match.profile.wrappers
        for name, found in match.places.items():
            column = match.profile.columns[name]
            several = found if column.kind in ("list", "work_log", "text") else found[:1]
            clock = match.times.get(name)
            used |= {*several, *([] if clock is None else [clock])}
            made.append(
                Wanted(
                    name,
                    tuple(names[place] for place in several),
                    column.kind,
                    None if clock is None else names[clock],
                    column,
                )
            )
            taken[name.casefold()] += 1
    groups: dict[str, list[int]] = {}
    for place in (place for place in range(len(names)) if place not in used):
        heading = headings[place].strip()
        groups.setdefault(" ".join(heading.split()) or names[place], []).append(place)
    for heading, places in groups.items():
        name = free_name(unwrapped(heading, wrappers) or heading, taken)
        made.append(Wanted(name, tuple(names[place] for place in places)))
    return made


def draft_profile(data: Path, *, answers: Answers | None = None, language: Language = "en") -> Path:
    """Write a first column profile for a file of no known tool into the workspace, and return where.

    Raises
    ------
    InputError
        When the profile is there already: nothing is overwritten.
    """
    told = (answers or Answers()).model_copy(update={"profile": "none"})
    with open_export(data, answers=told) as table:
        reading, types = table.reading, table.types
    percents = {one.column for one in reading.decisions if one.key == "tables.decided_percent"}
    columns: dict[str, dict[str, Any]] = {}
    for heading, kind in types.items():
        name = own = re.sub(r"[^a-z0-9]+", "_", bare_heading(heading)).strip("_") or "column"
        number = 1
        while name in columns:
            number += 1
            name = f"{own}_{number}"
        columns[name] = {"headers": [heading.replace("*", "")]}
        if heading in percents:
            columns[name]["kind"] = "percent"
        elif kind != "VARCHAR":
            columns[name]["kind"] = _KINDS.get(kind, "list")
        if heading in reading.personal:
            columns[name]["personal"] = "email"
    stem = slug(data.stem)
    target = workspace.root() / FOLDER / f"{stem}.yaml"
    if workspace.is_there(target):
        raise InputError.of("tables.draft_there", file=workspace.shown(target))
    made = {
        "profile": stem,
        "tool": data.stem,
        "table": "feedback",
        "recognised_by": list(columns)[:3],
    }
    body = yaml_text({**made, "columns": columns})
    target.parent.mkdir(exist_ok=True)
    target.write_text(f"# {text('tables.draft_note', language)}\n{body}", encoding="utf-8")
    return target


def _without(table: Table, dropped: Sequence[str]) -> Table:
    if not dropped:
        return table
    kept = {name: kind for name, kind in table.types.items() if name not in dropped}
    said = Decision("tables.decided_dropped", {"names": list(dropped)})
    reading = replace(table.reading, columns=len(kept), decisions=(*table.reading.decisions, said))
    headings = [one for one, name in zip(table.headings, table.types, strict=True) if name in kept]
    return replace(table.over(table.relation, kept, reading), headings=tuple(headings))


def _meetings(table: Table) -> Table:
    """Return the meetings that take working time: each with its hours, overlapping time counted once."""
    cases = [
        f"WHEN {rule} THEN '{key}'" for column, rule, key in _NOT_MEETINGS if column in table.types
    ]
    end = "ended_at" if "ended_at" in table.types else "CAST(NULL AS TIMESTAMP)"
    reason = f"CASE {' '.join(cases)} WHEN coalesce({end} < started_at, true) THEN 'no_end' END"
    told = f"(SELECT *, {reason} AS {_LEFT} FROM {table.relation})"
    left = table.fetch(
        f"SELECT {ROW} + 1, {_LEFT}, count(*) OVER () FROM {told} WHERE {_LEFT} IS NOT NULL "
        f"ORDER BY 1 LIMIT {MOST_TOLD}"
    )
    earlier = f"(ORDER BY started_at, {end}, {ROW} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)"
    earlier = f"max({end}) OVER {earlier}"
    uncovered = f"epoch({end}) - epoch(greatest(started_at, coalesce({earlier}, started_at)))"
    table.keep(
        "meetings",
        f"SELECT * EXCLUDE ({_LEFT}), (epoch({end}) - epoch(started_at)) / 3600 AS hours, "
        f"greatest({uncovered}, 0) / 3600 AS counted_hours FROM {told} WHERE {_LEFT} IS NULL",
    )
    ((rows, hours, once),) = table.fetch(
        "SELECT count(*), sum(hours), sum(counted_hours) FROM meetings"
    )
    reading = table.reading
    overlap = (
        [Decision("tables.decided_overlap", {"hours": hours - once})]
        if rows and hours > once
        else []
    )
    rejections = (Rejection(row, f"tables.rejected_{key}") for row, key, _ in left)
    types = {**table.types, "hours": "DOUBLE", "counted_hours": "DOUBLE"}
    reading = replace(
        reading,
        rows=rows,
        columns=len(types),
        decisions=(*reading.decisions, *overlap),
        rejected=reading.rejected + (left[0][2] if left else 0),
        rejections=(*reading.rejections, *rejections)[:MOST_TOLD],
    )
    return replace(
        table.over("meetings", types, reading), headings=(*table.headings, *list(types)[-2:])
    )
