"""The one door for exports: open, recognise, name, type, and tell what was done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from opslab import workspace
from opslab.errors import InputError
from opslab.messages import Language, text
from opslab.tables import meetings
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.headings import free_name
from opslab.tables.import_report import Answers, Decision, Reading
from opslab.tables.profiles import (
    FOLDER,
    Column,
    Kind,
    Match,
    Profile,
    bare_heading,
    profile_for,
    unwrapped,
    yaml_text,
)
from opslab.tables.reader import open_table
from opslab.tables.source import ROW, Table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_KINDS: Mapping[str, Kind] = {
    "VARCHAR": "text",
    "BIGINT": "number",
    "DOUBLE": "number",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "BOOLEAN": "boolean",
}


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
    answers = answers or Answers()
    with open_table(data, name=name, answers=answers, strict=False) as raw:
        table = _named(raw, answers)
        yield _without_personal(table) if personal == "drop" else table


def _named(raw: Table, answers: Answers) -> Table:
    """Return the table with the columns of the profile that fits it, each of one type."""
    headings = raw.headings or tuple(raw.types)
    match = profile_for(headings, answers.profile, raw.reading.name)
    wanted = _wanted(raw, headings, match)
    if match is None:
        return typed(raw, wanted, answers)
    profile = match.profile
    own_headings = set(map(bare_heading, profile.day_first_if))
    day_first = not own_headings.isdisjoint(map(bare_heading, headings))
    raw = replace(raw, reading=_with_profile(raw.reading, match))
    table = typed(raw, wanted, answers, day_first_assumed=day_first)
    return meetings.with_hours(table) if profile.table == "meetings" else table


def read_export(data: Any, **options: Any) -> tuple[pd.DataFrame, Reading]:
    """Return an export as a data frame, and how it was read; parameters as of `open_export`."""
    with open_export(data, **options) as table:
        return table.frame(), table.reading


def _with_profile(reading: Reading, match: Match) -> Reading:
    values = {"tool": match.profile.tool, "count": len(match.taken)}
    decisions = [Decision("tables.decided_profile", values)]
    rows = reading.rows + reading.rejected
    if rows in match.profile.row_caps:
        decisions.append(Decision("tables.decided_row_cap", {"count": rows}, assumed=True))
    return reading.adding(decisions, profile=match.profile.profile)


def _wanted(table: Table, headings: Sequence[str], match: Match | None) -> list[Wanted]:
    """Return the columns to make: the profile's, then the others under their own headings."""
    sources, wanted = list(table.types), list[Wanted]()
    wrappers: Sequence[str] = ()
    taken: Counter[str] = Counter({ROW: 1})
    used: set[int] = set()
    if match is not None:
        profile, wrappers = match.profile, match.profile.wrappers
        if profile.table == "meetings":
            taken.update(meetings.ADDED)
        used = match.taken
        for name, positions in match.positions.items():
            column, time = profile.columns[name], match.times.get(name)
            own = tuple(sources[position] for position in positions)
            clock = None if time is None else sources[time]
            wanted.append(Wanted(name, own, column.kind, clock, column))
            taken[name.casefold()] += 1
    groups: dict[str, list[str]] = {}
    for position, (source, heading) in enumerate(zip(sources, headings, strict=True)):
        if position not in used:
            groups.setdefault(" ".join(heading.split()) or source, []).append(source)
    for heading, group in groups.items():
        name = free_name(unwrapped(heading, wrappers) or heading, taken)
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
        reading, types = table.reading, table.types
    percents = {
        decision.column
        for decision in reading.decisions
        if decision.key == "tables.decided_percent"
    }
    columns: dict[str, Column] = {}
    taken = Counter[str]()
    for heading, kind in types.items():
        name = re.sub(r"[^a-z0-9]+", "_", bare_heading(heading)).strip("_") or "column"
        columns[free_name(name, taken, "_{}")] = Column(
            headers=(heading.replace("*", ""),),
            kind="percent" if heading in percents else _KINDS.get(kind, "list"),
            personal="email" if heading in reading.personal else None,
        )
    stem = workspace.slug(data.stem)
    target = workspace.root() / FOLDER / f"{stem}.yaml"
    if workspace.is_there(target):
        raise InputError.of("tables.draft_there", file=workspace.shown(target))
    profile = Profile(
        profile=stem,
        tool=data.stem,
        table="feedback",
        recognised_by=tuple(columns)[:3],
        columns=columns,
    )
    target.parent.mkdir(exist_ok=True)
    note = text("tables.draft_note", language)
    target.write_text(f"# {note}\n{yaml_text(profile)}", encoding="utf-8")
    return target


def _without_personal(table: Table) -> Table:
    dropped = table.reading.personal
    if not dropped:
        return table
    headings = {
        name: heading
        for name, heading in zip(table.types, table.headings, strict=True)
        if name not in dropped
    }
    types = {name: table.types[name] for name in headings}
    decision = Decision("tables.decided_dropped", {"names": list(dropped)})
    reading = table.reading.adding([decision], columns=len(types))
    return replace(table.over(table.relation, types, reading), headings=tuple(headings.values()))
