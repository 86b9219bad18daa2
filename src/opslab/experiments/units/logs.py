"""Data in two logs, of assignments and of events: what each unit did within its windows."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from opslab.errors import DataError
from opslab.experiments.metrics import Metric
from opslab.experiments.metrics.base import Window
from opslab.experiments.moments.values import finite_sql
from opslab.experiments.spec import Experiment
from opslab.experiments.units.event_counts import counted_once
from opslab.experiments.units.event_log import (
    ASSIGNED,
    DAY,
    EventLog,
    EventSum,
    only_time,
    unit_key,
)
from opslab.experiments.units.periods import Moment, midnight, moment_of, moments_of
from opslab.experiments.units.refusals import usable_units
from opslab.experiments.units.row_sums import free_names
from opslab.experiments.units.unit_table import (
    MOMENT,
    Gaps,
    Spans,
    UnitTable,
    kept_units,
    stratum,
)
from opslab.results import Message
from opslab.tables.source import ROW, Table, quoted

_MOST_SPANS, _FEWEST_SPANS = 14, 3  # in which an effect is followed since exposure


def units_of_logs(
    experiment: Experiment, table: Table, as_of: datetime.date | None, *, events: Any
) -> UnitTable:
    """Return one row per unit of an assignment log, with what its events add up to.

    A unit is in the arm of its first assignment. A metric counts it once its window is over: by the
    end of the readout's day, and of the last day of which there are events.

    Parameters
    ----------
    experiment : Experiment
    table : Table
        The assignment log.
    as_of : datetime.date or None
    events : path or frame
        The event log.

    Raises
    ------
    DataError
        When a log lacks a column, an event never occurs, or no unit's window is over.
    """
    moment = _assigned_at(experiment, table, as_of)
    units, used = usable_units(experiment, table, moment, once=False)
    arm = experiment.arms.column
    own = [arm, *experiment.columns("metrics", "covariates", "segments", "strata", "trigger")]
    rows, repeated = _keep_assigned(experiment, table, moment, used, own)
    log = EventLog.opened(experiment, table, events)
    horizon = log.horizon(as_of)
    names = [metric.name for metric in experiment.metrics]
    before = free_names([f"{name} (before)" for name in names], own)
    columns = free_names(names, [*own, *before])
    asked, metrics = _over_units(experiment, columns, before)
    counts = log.counts()
    log.refuse(experiment, counts, asked)
    spans, trends = _trends(experiment, [*own, *columns, *before])
    asked += spans
    events_asked = [total.event for total in asked]
    log, event_counts = counted_once(log, table, arm, counts, events_asked)
    kept = _joined(table, log, asked, own, horizon)
    immature = _immature(experiment, kept, metrics, horizon)
    day = Moment(MOMENT, zone=experiment.data.timezone).day
    return UnitTable(
        kept,
        arm,
        tuple(metrics),
        "TRUE",
        units,
        rows,
        day,
        stratum(experiment, day),
        notes={
            name: (Message("experiments.immature", {"count": count, "day": horizon}),)
            for name, count in immature.items()
            if count
        },
        immature=immature,
        horizon=horizon,
        events=log.table.reading,
        event_counts=event_counts,
        repeated_rows=repeated,
        trends=trends,
        gaps=_gaps(experiment, table, log),
    )


def _assigned_at(experiment: Experiment, table: Table, as_of: datetime.date | None) -> Moment:
    period, zone = experiment.period, experiment.data.timezone
    exposed = moments_of(table, period, as_of, zone)
    if period and period.start and exposed.moment:
        # Who was assigned before the period does not come in anew when the log names the unit
        # again.
        unit, start = quoted(experiment.unit), midnight(period.start, zone)
        early = f"({exposed.moment}) < {start} AND {unit} IS NOT NULL"
        before = f"SELECT {unit} FROM {table.relation} WHERE {early}"
        if table.fetch(f"{before} LIMIT 1"):
            return exposed._replace(within=f"{exposed.within} AND {unit} NOT IN ({before})")
        return exposed
    name = only_time(table)
    if name is None:
        raise DataError(experiment.problem("experiments.logs_time", "period"))
    moment = moment_of(table, name, zone)
    if as_of is None:
        return Moment(moment)
    within = f"({moment}) < {midnight(as_of + DAY, zone)}"
    if not table.fetch(f"SELECT 1 FROM {table.relation} WHERE {within} LIMIT 1"):
        raise DataError.of("experiments.none_by_day", file=table.reading.name, day=as_of)
    return Moment(moment, within)


def _keep_assigned(
    experiment: Experiment, table: Table, moment: Moment, used: str, own: Sequence[str]
) -> tuple[int, int]:
    """Keep the first assignment of each unit; return how many there are, and how many more."""
    columns = ", ".join([f"{quoted(experiment.unit)} AS opslab_unit", *map(quoted, own)])
    query = (
        f"SELECT {columns}, {moment.moment} AS {MOMENT}, {ROW} FROM {table.relation} WHERE {used}"
    )
    ((rows, units),) = table.fetch(f"SELECT count(*), count(DISTINCT opslab_unit) FROM ({query})")
    order = ", ".join([MOMENT, ROW, *map(quoted, own)])  # without numbers of rows by the rest
    first = f"row_number() OVER (PARTITION BY opslab_unit ORDER BY {order}) = 1"
    table.keep(ASSIGNED, query if rows == units else f"SELECT * FROM ({query}) QUALIFY {first}")
    return units, rows - units


def _over_units(
    experiment: Experiment, columns: Sequence[str], before: Sequence[str]
) -> tuple[list[EventSum], list[Metric]]:
    """Return what is summed of the events, and the metrics over the columns of these sums.

    Parameters
    ----------
    experiment : Experiment
    columns, before : sequence of str
        The column of each metric, and of what is summed of it before the assignment.
    """
    sums, metrics = list[EventSum](), list[Metric]()
    for metric, column, earlier in zip(experiment.metrics, columns, before, strict=True):
        if metric.event is None or metric.window is None:
            metrics.append(metric)
            continue
        sums.append(EventSum.of(metric, column, metric.window))
        covariates = metric.covariates
        if metric.covariate_window:
            sums.append(EventSum(earlier, metric.event, metric.value, metric.covariate_window))
            covariates += (earlier,)
        update = {"column": column, "missing": "drop", "covariates": covariates}
        metrics.append(metric.model_copy(update=update))
    return sums, metrics


def _gaps(experiment: Experiment, table: Table, log: EventLog) -> dict[str, dict[str, Gaps]]:
    """Return what lacks an amount of the events in a window, by metric and arm, where some do.

    Units are compared, of those with events: the events of one unit are not independent.
    """
    gaps, arm = {}, f"CAST({quoted(experiment.arms.column)} AS VARCHAR)"
    for metric in experiment.metrics:
        if metric.value is None or metric.window is None:
            continue
        events = EventSum.of(metric, "", metric.window)
        empty = f"({finite_sql(log.table, metric.value)}) IS NULL AND {log.among([events.event])}"
        if log.table.fetch(f"SELECT 1 FROM {log.table.relation} WHERE {empty} LIMIT 1"):
            counted = [replace(events, value=None), replace(events, known=True)]
            arms = table.fetch(
                f"SELECT {arm}, coalesce(sum(s0 - s1), 0), count(*) FILTER (s0 > s1), count(s0) "
                f"FROM {ASSIGNED} AS a LEFT JOIN ({log.sums_by_unit(table, MOMENT, counted)}) "
                f"ON unit_row = a.{unit_key(table)} GROUP BY 1"
            )
            gaps[metric.name] = {label: Gaps(int(values), *units) for label, values, *units in arms}
    return gaps


def _trends(
    experiment: Experiment, taken: Sequence[str]
) -> tuple[list[EventSum], dict[str, Spans]]:
    """Return what to sum in each span of time of the metrics with a long enough window."""
    sums, trends = list[EventSum](), dict[str, Spans]()
    for metric in experiment.metrics:
        window = metric.window
        if window is None or metric.role == "guardrail" or "spans" not in metric.forms:
            continue
        days = (window.end - window.start) // DAY
        length = next((size for size in (1, 7, 28) if days // size <= _MOST_SPANS), 0)
        if not length or days // length < _FEWEST_SPANS:
            continue
        names = free_names([f"{metric.name} [{order}]" for order in range(days // length)], taken)
        for order, name in enumerate(names):
            start = window.start + order * length * DAY
            span = Window.model_validate({"from": start, "to": start + length * DAY})
            sums.append(EventSum.of(metric, name, span))
        trends[metric.name] = Spans(tuple(names), length)
    return sums, trends


def _joined(
    table: Table,
    log: EventLog,
    sums: Sequence[EventSum],
    own: Sequence[str],
    horizon: datetime.date,
) -> Table:
    """Keep the units with their own columns and the sums of their events."""
    end = midnight(horizon + DAY, log.zone)
    columns = [f"a.{name}" for name in (*map(quoted, own), MOMENT, ROW)]
    columns += [
        f"{asked.unit_value(f's{order}', f'a.{MOMENT}', end)} AS {quoted(asked.name)}"
        for order, asked in enumerate(sums)
    ]
    events = log.sums_by_unit(table, MOMENT, sums)
    joined = f"{ASSIGNED} AS a LEFT JOIN ({events}) AS s ON s.unit_row = a.{unit_key(table)}"
    return kept_units(table, f"SELECT {', '.join(columns)} FROM {joined}")


def _immature(
    experiment: Experiment, units: Table, metrics: Sequence[Metric], horizon: datetime.date
) -> Mapping[str, int]:
    """Return how many units' windows are not over, by metric; raise where that is all of them."""
    immature, problems = {}, []
    for metric in metrics:
        if metric.window is None:
            continue
        (name,) = metric.own.values()
        ((rows, known),) = units.fetch(
            f"SELECT count(*), count({quoted(name)}) FROM {units.relation}"
        )
        immature[metric.name] = rows - known
        if rows and not known:
            days = -(-metric.window.end // DAY)
            problems.append(
                experiment.metric_problem(
                    metric.name, "window", "none_mature", days=days, day=horizon
                )
            )
    DataError.refuse(problems)
    return immature
