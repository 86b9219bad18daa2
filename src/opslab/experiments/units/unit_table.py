"""One row per unit: what every form of the data comes to."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from opslab.experiments.metrics import Metric
from opslab.experiments.moments.arm_moments import Labelled
from opslab.experiments.spec import Experiment
from opslab.experiments.units.leaks import Units
from opslab.results import Message
from opslab.tables.import_report import Reading
from opslab.tables.source import ROW, Table, quoted

MOMENT = "opslab_moment"
"""Column of the moment at which a kept unit came in."""


@dataclass(frozen=True)
class Spans:
    """A metric's value in each span since exposure: the columns, and the days of a span."""

    columns: tuple[str, ...]
    days: int


class Gaps(NamedTuple):
    """What is empty of a metric in an arm."""

    values: int
    """Empty values: of the units, or of their rows."""
    units: int
    """Units with some."""
    all_units: int


@dataclass(frozen=True)
class NearName:
    """An event whose name nearly is that of one that counts."""

    event: str
    near: str
    count: int
    share: float
    """Of the events of both names."""


@dataclass(frozen=True)
class EventCounts:
    """The events that count, and those that do not though they might have been meant."""

    counted: Mapping[str, int]
    """By arm, each once."""
    repeated: Mapping[str, int]
    """Rows that repeat one of them, by arm."""
    differing: int = 0
    """Ids whose rows do not agree."""
    strangers: int = 0
    """Events of units that are not in the experiment."""
    near_units: int = 0
    """Of these such whose unit's id nearly is that of one in it."""
    nameless: int = 0
    """Events without a unit."""
    near_names: Sequence[NearName] = ()


class FinerRows(NamedTuple):
    """Rows that are parts of units."""

    table: Table
    where: str
    """SQL condition on the rows to use."""
    unit: str
    """Column of the unit."""


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
    trends: Mapping[str, Spans] = field(default_factory=dict)
    gaps: Mapping[str, Mapping[str, Gaps]] = field(default_factory=dict)
    finer: FinerRows | None = None
    events: Reading | None = None
    event_counts: EventCounts | None = None
    repeated_rows: int = 0


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
    types = {column: kind for column, kind, *_ in table.fetch(f"DESCRIBE {name}") if column != ROW}
    return table.over(name, types, table.reading)


def row_count(table: Table, where: str) -> int:
    """Return how many rows meet a condition."""
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {table.relation} WHERE {where}")
    return int(rows)
