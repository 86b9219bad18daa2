"""The event log: opened beside the assignments, checked, and summed for each unit."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opslab.documents import Location
from opslab.errors import DataError, did_you_mean
from opslab.experiments.metrics import Metric
from opslab.experiments.metrics.base import Window
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import (
    finite_sql,
    refuse_cells,
    refuse_rows,
    with_values,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.periods import has_offset, local_time, moment_of
from opslab.experiments.units.refusals import refuse_columns
from opslab.experiments.units.row_sums import exact_sum, largest_values
from opslab.tables.reader import open_another
from opslab.tables.source import ROW, Table, literal, quoted
from opslab.warehouse.table import RemoteTable

ASSIGNED = "opslab_assigned"
"""Table of the first assignment of each unit."""
DAY = datetime.timedelta(days=1)
_NONE = datetime.timedelta(0)


@dataclass(frozen=True)
class EventSum:
    """One sum over a unit's events.

    Attributes
    ----------
    name : str
        The column that it becomes.
    event : str
    value : str or None
        The column that is summed; without it events count.
    window : Window
    binary : bool
        Whether it only matters that there was one.
    missing : str
        What an event without a value means.
    known : bool
        Whether it is counted how many events have a value.
    """

    name: str
    event: str
    value: str | None
    window: Window
    binary: bool = False
    missing: str = "zero"
    known: bool = False

    @classmethod
    def of(cls, metric: Metric, name: str, window: Window) -> EventSum:
        """Return what a metric sums within a window."""
        return cls(name, str(metric.event), metric.value, window, metric.binary, metric.missing)

    @property
    def bounds(self) -> tuple[int, int]:
        """Start and end of the window, in whole microseconds, as the engine counts time."""
        unit = datetime.timedelta(microseconds=1)
        return self.window.start // unit, self.window.end // unit

    def inside(self) -> str:
        """Return SQL of the events that count."""
        start, end = self.bounds
        return f"event = {literal(self.event)} AND since >= {start} AND since < {end}"

    def unit_value(self, total: str, moment: str, end: str) -> str:
        """Return SQL of a unit's value: empty where the window is not over by the log's end."""
        value = f"coalesce({total}, 0)"
        value = f"CAST({value} > 0 AS INTEGER)" if self.binary else f"CAST({value} AS DOUBLE)"
        if self.window.end <= _NONE:
            return value
        over = f"{moment} + to_microseconds({self.bounds[1]})"
        return f"CASE WHEN {over} <= {end} THEN {value} END"


@dataclass(frozen=True)
class EventLog:
    """The event log, open: its columns in SQL."""

    table: Table
    unit: str
    event: str
    moment: str
    key: str | None = None
    zone: str | None = None

    @classmethod
    def opened(cls, experiment: Experiment, assignments: Table, events: Any) -> EventLog:
        """Open the event log beside the assignments."""
        data = experiment.data
        if isinstance(assignments, RemoteTable):
            table: Table = assignments.beside(events, data.timezone)
        else:
            table = open_another(assignments, events, answers=data)
        fields = ("event_column", "event_time", "event_id")
        wanted: dict[Location, str | None] = {("unit",): experiment.unit}
        wanted |= {("data", field): getattr(data, field) for field in fields}
        for order, metric in enumerate(experiment.metrics):
            wanted["metrics", order, "value"] = metric.value
        refuse_columns(experiment, table, ((name, field) for field, name in wanted.items() if name))
        texts = {experiment.unit, data.event_column, data.event_id}
        amounts = {metric.value for metric in experiment.metrics}
        table = with_values(table, data, texts, amounts)
        time = data.event_time or only_time(table)
        if time is None:
            raise DataError(
                experiment.problem("experiments.event_time", "data", events=table.reading.name)
            )
        unit, event = quoted(experiment.unit), quoted(data.event_column)
        key, zone = quoted(data.event_id) if data.event_id else None, data.timezone
        log = cls(table, unit, event, moment_of(table, time, zone), key, zone)
        assigned = (experiment.period and experiment.period.time) or only_time(assignments)
        logs = ((table, time), (assignments, str(assigned)))
        names = {has_offset(one, column): one.reading.name for one, column in logs}
        if zone is None and len(names) > 1:
            raise DataError(
                experiment.problem(
                    "experiments.ask_zone", "data", zoned=names[True], local=names[False]
                )
            )
        return log

    def counts(self) -> dict[str, int]:
        """Return how often each event occurs, the most frequent first."""
        counts = self.table.fetch(
            f"SELECT CAST({self.event} AS VARCHAR), count(*) FROM {self.table.relation} "
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000"
        )
        return {str(name): count for name, count in counts}

    def among(self, events: Iterable[str]) -> str:
        """Return the SQL condition on rows of some events."""
        return f"{self.event} IN ({', '.join(map(literal, dict.fromkeys(events)))})"

    def refuse(
        self, experiment: Experiment, known: Collection[str], sums: Sequence[EventSum]
    ) -> None:
        """Raise for events that never occur, without an id, and amounts that cannot be summed."""
        table, event_id = self.table, experiment.data.event_id
        DataError.refuse(
            [
                experiment.metric_problem(
                    metric.name,
                    "event",
                    "no_such_event",
                    name=metric.event,
                    near=did_you_mean(metric.event, known),
                    data=table.reading.name,
                    found=sorted(known)[:12],
                )
                for metric in experiment.metrics
                if metric.event is not None and metric.event not in known
            ]
        )
        if event_id:
            among = self.among(asked.event for asked in sums)
            refuse_rows(table, "no_event_id", f"{self.key} IS NULL AND {among}", event_id)
        for asked in sums:
            if asked.value is None:
                continue
            column, among = Column(asked.value), f"{self.event} = {literal(asked.event)}"
            refuse_cells(table, [column], among)
            if asked.missing == "refuse":
                empty = f"({finite_sql(table, asked.value)}) IS NULL AND {among}"
                refuse_rows(table, "no_amount", empty, asked.value, event=asked.event)

    def horizon(self, as_of: datetime.date | None) -> datetime.date:
        """Return the last day that is known: the readout's, or an earlier last one with events."""
        table = self.table
        latest = local_time(f"max({self.moment})", self.zone)
        ((last,),) = table.fetch(f"SELECT CAST({latest} AS DATE) FROM {table.relation}")
        if last is None:
            raise DataError.of("experiments.no_rows", file=table.reading.name)
        day: datetime.date = last
        return min(day, as_of) if as_of else day

    def sums_by_unit(self, assignments: Table, moment: str, sums: Sequence[EventSum]) -> str:
        """Return SQL of each unit's sums ``s0``, ``s1``, … by its row, in a pass over the events.

        Parameters
        ----------
        assignments : Table
            Of the engine that holds `ASSIGNED`.
        moment : str
            Column of the moment of assignment.
        sums : sequence of EventSum
        """
        table, same = self.table, self.same_unit(assignments)
        common = f"(SELECT {self.unit} AS unit FROM {table.relation}) AS e JOIN {ASSIGNED} AS a"
        if not assignments.fetch(f"SELECT 1 FROM {common} ON {same} LIMIT 1"):
            raise DataError.of(
                "experiments.no_common_unit",
                file=table.reading.name,
                assignments=assignments.reading.name,
            )
        among = self.among(asked.event for asked in sums)
        amounts = list(dict.fromkeys(asked.value for asked in sums if asked.value))
        numbers = [finite_sql(table, name) for name in amounts]
        largest = dict(zip(amounts, largest_values(table, numbers, among), strict=True))
        read = [f"{self.unit} AS unit", f"{self.event} AS event", f"({self.moment}) AS happened"]
        read += [f"{number} AS v{order}" for order, number in enumerate(numbers)]
        totals = []
        for order, asked in enumerate(sums):
            among_window = f" FILTER ({asked.inside()})"
            total = f"count(*){among_window}"
            if asked.value is not None and not asked.binary:
                value = f"v{amounts.index(asked.value)}"
                total = exact_sum(value, largest[asked.value], among_window)
                if asked.known:
                    total = f"count({value}){among_window}"
            totals.append(f"{total} AS s{order}")
        start = min((asked.bounds[0] for asked in sums), default=0)
        end = max((asked.bounds[1] for asked in sums), default=0)
        # A short key per unit, whatever its id is; events of other units and times fall out at the
        # join.
        return (
            f"SELECT unit_row, {', '.join(totals)} FROM ("
            f"SELECT a.{unit_key(assignments)} AS unit_row, e.*, "
            f"epoch_us(e.happened) - epoch_us(a.{moment}) AS since "
            f"FROM (SELECT {', '.join(read)} FROM {table.relation} WHERE {among}) AS e "
            f"JOIN {ASSIGNED} AS a ON {same}) "
            f"WHERE since >= {start} AND since < {end} GROUP BY unit_row"
        )

    def same_unit(self, assignments: Table) -> str:
        """Return SQL that joins the units of both logs, where one may hold numbers, one text."""
        assigned = assignments.described(ASSIGNED)
        events = {quoted(name): kind for name, kind in self.table.types.items()}
        kinds = {"e.unit": events[self.unit], "a.opslab_unit": assigned["opslab_unit"]}
        alike = len({*kinds.values()}) == 1
        if alike or {"VARCHAR", "FLOAT", "DOUBLE"}.isdisjoint(kinds.values()):
            return " = ".join(kinds)
        return " = ".join(
            # A gap among whole numbers makes floats of them: 12.0 is the unit 12.
            f"CAST(CASE WHEN {side} = trunc({side}) AND abs({side}) < 1e15 "
            f"THEN CAST({side} AS BIGINT) END AS VARCHAR)"
            if kind in ("FLOAT", "DOUBLE")
            else f"CAST({side} AS VARCHAR)"
            for side, kind in kinds.items()
        )


def unit_key(assignments: Table) -> str:
    """Return the column of `ASSIGNED` that joins a unit's sums: its row where rows have numbers."""
    return "opslab_unit" if assignments.remote else ROW


def only_time(table: Table) -> str | None:
    """Return the only column of moments, if there is one."""
    times = [name for name, kind in table.types.items() if kind.startswith(("TIMESTAMP", "DATE"))]
    return times[0] if len(times) == 1 else None
