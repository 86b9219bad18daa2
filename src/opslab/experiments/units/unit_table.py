"""One row per unit: what every form of the data comes to."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from opslab.experiments.metrics import Metric
from opslab.experiments.moments.arm_moments import Labelled
from opslab.experiments.spec import Experiment
from opslab.results import Message
from opslab.tables.import_report import Reading
from opslab.tables.source import ROW, Table, quoted

_MOST_COMPARED = 5_000_000  # rows, in every column
MOMENT = "opslab_moment"
"""Column of the moment at which a kept unit came in."""


@dataclass(frozen=True)
class Units:
    """What the unit column holds.

    Attributes
    ----------
    units : int
        Distinct units.
    rows : int
    repeated : int
        Units with more than one row, all in one arm.
    repeated_row : int or None
        Number of a row (from 1) that repeats such a unit.
    leaked : int
        Units with rows in more than one arm.
    leaked_row : int or None
        Number of a row that repeats such a unit.
    leaked_first : mapping
        The same units by the arm in which each of them came first.
    nameless : int
        Rows without a unit.
    nameless_row : int or None
    """

    units: int
    rows: int
    repeated: int = 0
    repeated_row: int | None = None
    leaked: int = 0
    leaked_row: int | None = None
    nameless: int = 0
    nameless_row: int | None = None
    leaked_first: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Spans:
    """A metric's value in each span since exposure: the columns, and the days of a span."""

    columns: tuple[str, ...]
    days: int


class Gaps(NamedTuple):
    """What is empty of a metric in an arm.

    Attributes
    ----------
    values : int
        Empty values: of the units, or of their rows.
    units : int
        Units with some.
    all_units : int
    """

    values: int
    units: int
    all_units: int


@dataclass(frozen=True)
class NearName:
    """An event whose name nearly is that of one that counts.

    Attributes
    ----------
    event : str
    near : str
    count : int
    share : float
        Of the events of both names.
    """

    event: str
    near: str
    count: int
    share: float


@dataclass(frozen=True)
class EventCounts:
    """The events that count, and those that do not though they might have been meant.

    Attributes
    ----------
    counted : Mapping[str, int]
        By arm, each once.
    repeated : Mapping[str, int]
        Rows that repeat one of them, by arm.
    differing : int
        Ids whose rows do not agree.
    strangers : int
        Events of units that are not in the experiment.
    near_units : int
        Of these such whose unit's id nearly is that of one in it.
    nameless : int
        Events without a unit.
    near_names : Sequence[NearName]
    """

    counted: Mapping[str, int]
    repeated: Mapping[str, int]
    differing: int = 0
    strangers: int = 0
    near_units: int = 0
    nameless: int = 0
    near_names: Sequence[NearName] = ()


class FinerRows(NamedTuple):
    """Rows that are parts of units.

    Attributes
    ----------
    table : Table
    where : str
        SQL condition on the rows to use.
    unit : str
        Column of the unit.
    """

    table: Table
    where: str
    unit: str


@dataclass(frozen=True)
class UnitTable:
    """One row per unit, and what the analysis has to know of how it came about.

    Attributes
    ----------
    table : Table
    arm : str
        Column of the arm.
    metrics : tuple of Metric
        In the spec's order, over this table's columns.
    where : str
        SQL condition on the rows to use.
    units : Units
    rows_used : int
        Rows of the data behind the units.
    day : str or None
        SQL of the day on which a unit came in.
    strata : str or None
        SQL of a unit's stratum.
    counted : str or None
        With totals: the column that holds numbers of units.
    moments : mapping or None
        With one row of totals for each arm: what it says of the arm.
    notes : mapping
        What a reader has to know about a metric, by its name.
    immature : mapping
        Units whose window is not over, by metric.
    horizon : datetime.date or None
        The day up to which events are known.
    came : mapping
        Units by the day on which they came in, where not all of them count yet.
    trends : mapping
        Its values in the spans since exposure, by metric.
    gaps : mapping
        What is empty, by metric and arm: with finer rows in them; with logs in the events, where
        some lack an amount.
    finer : FinerRows or None
    events : Reading or None
        How the event log was read.
    event_counts : EventCounts or None
    repeated_rows : int
        Rows that assign a unit again to the arm that it is in.
    alike : int or None
        With finer rows and totals by day: rows that repeat another one in every column.
    """

    table: Table
    arm: str
    metrics: tuple[Metric, ...]
    where: str
    units: Units
    rows_used: int
    day: str | None = None
    strata: str | None = None
    counted: str | None = None
    moments: Labelled | None = None
    notes: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    immature: Mapping[str, int] = field(default_factory=dict)
    horizon: datetime.date | None = None
    came: Mapping[str, int] = field(default_factory=dict)
    trends: Mapping[str, Spans] = field(default_factory=dict)
    gaps: Mapping[str, Mapping[str, Gaps]] = field(default_factory=dict)
    finer: FinerRows | None = None
    events: Reading | None = None
    event_counts: EventCounts | None = None
    repeated_rows: int = 0
    alike: int | None = None


def stratum(experiment: Experiment, day: str | None) -> str | None:
    """Return SQL of a unit's stratum: its phase, and what columns name; empty where one of them is.

    Parameters
    ----------
    experiment : Experiment
    day : str or None
        SQL of the day on which a unit came in.
    """
    parts = [f"CAST({quoted(name)} AS VARCHAR)" for name in experiment.strata]
    if experiment.phases:
        since = [f"WHEN {day} >= '{start}' THEN '{start}'" for start in experiment.starts[::-1]]
        parts.insert(0, f"CASE {' '.join(since)} END")
    return " || ' / ' || ".join(parts) if parts else None


def kept_units(table: Table, query: str) -> Table:
    """Keep a query's rows, in the order of `ROW`, as a table of units of the same file."""
    name = "opslab_units"
    table.keep(name, f"SELECT * FROM ({query}) ORDER BY {ROW}")
    types = {column: kind for column, kind in table.described(name).items() if column != ROW}
    return table.over(name, types, table.reading)


def row_count(table: Table, where: str) -> int:
    """Return how many rows meet a condition."""
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {table.relation} WHERE {where}")
    return int(rows)


def count_units(
    table: Table, unit: str, arm: str, where: str = "TRUE", moment: str | None = None
) -> Units:
    """Return what the unit column holds; heavier queries run only where units repeat or leak.

    Parameters
    ----------
    table : Table
    unit, arm : str
        Columns.
    where : str
        SQL condition on the rows to use.
    moment : str, optional
        SQL of the moment that tells which row of a unit came first; else the file's order does.
    """
    column = quoted(unit)
    source = f"{table.relation} WHERE {where}"
    ((rows, named),) = table.fetch(f"SELECT count(*), count({column}) FROM {source}")
    distinct = f"SELECT {column} FROM {source} AND {column} IS NOT NULL GROUP BY {column}"
    ((units,),) = table.fetch(f"SELECT count(*) FROM ({distinct})")
    nameless_row = None
    if named < rows:
        ((nameless_row,),) = table.fetch(
            f"SELECT min({ROW}) + 1 FROM {source} AND {column} IS NULL"
        )
    if units == named:
        return Units(units, rows, nameless=rows - named, nameless_row=nameless_row)
    ((repeated, repeated_row, leaked, leaked_row),) = table.fetch(
        f"SELECT count(*) FILTER (NOT leaked), min(later) FILTER (NOT leaked) + 1, "
        "count(*) FILTER (leaked), min(later) FILTER (leaked) + 1 "
        f"FROM ({_repeated(column, quoted(arm), source)})"
    )
    counted = Units(
        units, rows, repeated, repeated_row, leaked, leaked_row, rows - named, nameless_row
    )
    if not leaked:
        return counted
    label = f"CAST({quoted(arm)} AS VARCHAR)"
    unit = f"OVER (PARTITION BY {column}"
    firsts = table.fetch(
        f"SELECT arm, count(*) FROM (SELECT {label} AS arm, min({label}) {unit}) AS low, "
        f"max({label}) {unit}) AS high, row_number() {unit} ORDER BY {moment or 0}, {ROW}, {label})"
        f" AS place FROM {source} AND {column} IN (SELECT unit FROM ("
        f"{_repeated(column, quoted(arm), source)}) WHERE leaked)) WHERE place = 1 AND low <> high "
        "GROUP BY arm ORDER BY arm"
    )
    return replace(counted, leaked_first=dict(firsts))


def without_leaked(table: Table, unit: str, arm: str, where: str = "TRUE") -> str:
    """Return a SQL condition that leaves out the rows of units that stand in more than one arm."""
    column = quoted(unit)
    inner = _repeated(column, quoted(arm), f"{table.relation} WHERE {where}")
    table.keep("leaked", f"SELECT unit FROM ({inner}) WHERE leaked")
    return f"({where}) AND {column} NOT IN (SELECT unit FROM leaked)"


def _repeated(column: str, arm: str, source: str) -> str:
    return (
        f"SELECT {column} AS unit, min({arm}) <> max({arm}) AS leaked, "
        f"max({ROW}) AS later FROM {source} AND {column} IS NOT NULL "
        f"GROUP BY {column} HAVING count(*) > 1"
    )


def rows_alike(table: Table, where: str, rows: int) -> int | None:
    """Return how many of some rows repeat another one in every column; None for millions."""
    if rows > _MOST_COMPARED:
        return None
    different = f"count(DISTINCT hash({', '.join(map(quoted, table.types))}))"
    ((count,),) = table.fetch(f"SELECT {different} FROM {table.relation} WHERE {where}")
    return rows - int(count)
