"""From an assignment log and an event log to one row per unit: what each did within its windows."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opslab.errors import DataError, Problem, did_you_mean
from opslab.experiments.metrics import Mean, Metric, Proportion, Window, columns_of
from opslab.experiments.moments.columns import (
    Column,
    refuse_infinite,
    refuse_rows,
    refuse_types,
    texts,
    value_sql,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.leaks import count_units, without_leaked
from opslab.experiments.units.periods import Moment, moment_of, moments_of
from opslab.experiments.units.refusals import refuse_columns, refuse_units
from opslab.experiments.units.unit_table import (
    Spans,
    UnitTable,
    exact_sum,
    finite,
    kept_units,
    largest_values,
    named,
    stratum,
)
from opslab.results import Message
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.reader import open_another
from opslab.tables.source import ROW, Table, literal, quoted

_ASSIGNED = "opslab_assigned"
_DAY = datetime.timedelta(days=1)
_MOST_SPANS, _FEWEST_SPANS = 14, 3  # in which an effect is followed since exposure


@dataclass(frozen=True)
class _Asked:
    """One sum over a unit's events: its column, its window, and how an event counts."""

    name: str
    event: str
    value: str | None
    window: Window
    binary: bool
    missing: str = "zero"


def unit_table_of_logs(
    experiment: Experiment, table: Table, events: Any, as_of: datetime.date | None
) -> UnitTable:
    """Return one row per unit of an assignment log, with what its events add up to.

    A unit is in the arm of its first assignment. A metric counts it once its window is over: by the
    end of the readout's day, and of the last day of which there are events.

    Parameters
    ----------
    experiment : Experiment
    table : Table
        The assignment log.
    events : path or frame
        The event log.
    as_of : datetime.date, optional

    Raises
    ------
    DataError
        When a log lacks a column, an event never occurs, or no unit's window is over.
    """
    moment = _assigned_at(experiment, table, as_of)
    units = count_units(table, experiment.unit, experiment.arms.column, moment.within)
    if units.rows == 0 and (experiment.period is None or experiment.period.time is None):
        raise DataError.of("experiments.none_by_day", file=table.reading.name, day=as_of)
    refuse_units(experiment, table, units, once=False)
    used = moment.within
    if units.leaked:
        used = without_leaked(table, experiment.unit, experiment.arms.column, used)
    own = _own_columns(experiment)
    _keep_assigned(experiment, table, moment, used, own)
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {_ASSIGNED}")
    log = _Log.opened(experiment, table, events)
    horizon = _horizon(log, as_of)
    covariates = named([f"{metric.name} (before)" for metric in experiment.metrics], own)
    columns = named([metric.name for metric in experiment.metrics], [*own, *covariates])
    metrics: list[Metric] = []
    asked: list[_Asked] = []
    for metric, column, before in zip(experiment.metrics, columns, covariates, strict=True):
        if (
            not isinstance(metric, Mean | Proportion)
            or metric.event is None
            or metric.window is None
        ):
            metrics.append(metric)
            continue
        share = isinstance(metric, Proportion)
        asked.append(
            _Asked(column, metric.event, metric.value, metric.window, share, metric.missing)
        )
        added: tuple[str, ...] = ()
        if metric.covariate_window:
            asked.append(
                _Asked(before, metric.event, metric.value, metric.covariate_window, binary=False)
            )
            added = (before,)
        metrics.append(
            metric.model_copy(
                update={
                    "column": column,
                    "missing": "drop",
                    "covariates": (*metric.covariates, *added),
                }
            )
        )
    log.refuse(experiment, asked)
    trends = _trends(experiment, [*own, *columns, *covariates])
    made = _joined(table, log, asked, trends, own, horizon)
    immature = _immature(experiment, made, metrics, horizon)
    return UnitTable(
        made,
        experiment.arms.column,
        tuple(metrics),
        "TRUE",
        units,
        rows,
        "CAST(CAST(opslab_moment AS DATE) AS VARCHAR)",
        stratum(experiment.strata),
        notes={
            name: (Message("experiments.immature", {"count": count, "day": horizon}),)
            for name, count in immature.items()
            if count
        },
        immature=immature,
        horizon=horizon,
        events=log.table.reading,
        trends={
            name: Spans(
                tuple(one.name for one in spans),
                (spans[0].window.end - spans[0].window.start) // _DAY,
            )
            for name, spans in trends.items()
        },
    )


def _assigned_at(experiment: Experiment, table: Table, as_of: datetime.date | None) -> Moment:
    period = experiment.period
    found = moments_of(table, period, as_of) if period else None
    if period and found:
        # Who was assigned before the period does not come in anew when the log names the unit
        # again.
        unit, start = quoted(experiment.unit), f"({found.moment}) < TIMESTAMP '{period.start}'"
        before = f"SELECT {unit} FROM {table.relation} WHERE {start} AND {unit} IS NOT NULL"
        if table.fetch(f"{before} LIMIT 1"):
            return Moment(found.moment, f"{found.within} AND {unit} NOT IN ({before})")
        return found
    name = _only_time(table)
    if name is None:
        raise DataError(experiment.problem("experiments.logs_time", "period"))
    moment = moment_of(table, name)
    if as_of is None:
        return Moment(moment, "TRUE")
    return Moment(moment, f"({moment}) < TIMESTAMP '{as_of + _DAY}'")


def _only_time(table: Table) -> str | None:
    times = [name for name, kind in table.types.items() if kind.startswith(("TIMESTAMP", "DATE"))]
    return times[0] if len(times) == 1 else None


def _own_columns(experiment: Experiment) -> list[str]:
    """Return the columns of the assignment log that the analysis needs, the arm's first."""
    metrics = experiment.metrics
    named_ones = [name for metric in metrics for name in metric.own.values()]
    named_ones += [
        name for metric in metrics for one in metric.covariates for name in columns_of(one)
    ]
    trigger = [experiment.trigger] if experiment.trigger else []
    return list(
        dict.fromkeys(
            [
                experiment.arms.column,
                *named_ones,
                *experiment.segments,
                *experiment.strata,
                *trigger,
            ]
        )
    )


def _keep_assigned(
    experiment: Experiment, table: Table, moment: Moment, used: str, own: Sequence[str]
) -> None:
    """Keep the first assignment of each unit."""
    columns = ", ".join([f"{quoted(experiment.unit)} AS opslab_unit", *map(quoted, own)])
    first = f"{columns}, {moment.moment} AS opslab_moment, {ROW}"
    again = (
        f"QUALIFY row_number() OVER (PARTITION BY opslab_unit ORDER BY opslab_moment, {ROW}) = 1"
    )
    query = f"SELECT {first} FROM {table.relation} WHERE {used}"
    ((rows, units),) = table.fetch(f"SELECT count(*), count(DISTINCT opslab_unit) FROM ({query})")
    table.keep(_ASSIGNED, query if rows == units else f"SELECT * FROM ({query}) {again}")


@dataclass(frozen=True)
class _Log:
    """The event log, open: its columns in SQL."""

    table: Table
    unit: str
    name: str
    moment: str

    @classmethod
    def opened(cls, experiment: Experiment, table: Table, events: Any) -> _Log:
        """Open the event log beside the assignments."""
        found = open_another(table, events, answers=experiment.data)
        data = experiment.data
        values = {metric.value for metric in experiment.metrics if metric.value}
        wanted: list[tuple[str, tuple[str | int, ...]]] = [
            (experiment.unit, ("unit",)),
            (data.event_column, ("data", "event_column")),
        ]
        wanted += [(name, ("data", "event_time")) for name in [data.event_time] if name]
        for place, metric in enumerate(experiment.metrics):
            wanted += [(name, ("metrics", place, "value")) for name in [metric.value] if name]
        refuse_columns(experiment, found, wanted)
        texts = {name for name, kind in found.types.items() if kind == "VARCHAR"}
        if texts:
            plain = {experiment.unit, data.event_column} & texts
            kinds = [
                Wanted(name, (name,), "text" if name in plain else None, ask=name in values)
                for name in found.types
            ]
            found = typed(found, kinds, data, strict=True)
        time = data.event_time or _only_time(found)
        if time is None:
            raise DataError(
                experiment.problem("experiments.event_time", "data", events=found.reading.name)
            )
        return cls(
            found, quoted(experiment.unit), quoted(data.event_column), moment_of(found, time)
        )

    def refuse(self, experiment: Experiment, asked: Sequence[_Asked]) -> None:
        """Raise for events that never occur, and for amounts that cannot be summed."""
        found = {
            str(name): count
            for name, count in self.table.fetch(
                f"SELECT {self.name}, count(*) FROM {self.table.relation} "
                "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000"
            )
        }
        problems = []
        for place, metric in enumerate(experiment.metrics):
            if metric.event is None or metric.event in found:
                continue
            near, known = did_you_mean(metric.event, found), sorted(found)[:12]
            values = {
                "name": metric.event,
                "near": near,
                "data": self.table.reading.name,
                "found": known,
            }
            location = ("metrics", place, "event")
            problems.append(experiment.problem("experiments.no_such_event", *location, **values))
        DataError.refuse(problems)
        for one in asked:
            if one.value is None:
                continue
            column = Column(one.value)
            refuse_types(self.table, [column])
            among = f"{self.name} = {literal(one.event)}"
            refuse_infinite(self.table, [column], {column: value_sql(self.table, column)}, among)
            refuse_rows(
                self.table, "text_value", f"{texts(self.table, column)} AND {among}", one.value
            )
            if one.missing == "refuse":
                empty = f"({finite(self.table, one.value)}) IS NULL AND {among}"
                refuse_rows(self.table, "no_amount", empty, one.value, event=one.event)


def _horizon(log: _Log, as_of: datetime.date | None) -> datetime.date:
    """Return the last day that is known: the readout's, or the last one with events if that is earlier."""
    ((last,),) = log.table.fetch(
        f"SELECT CAST(max({log.moment}) AS DATE) FROM {log.table.relation}"
    )
    if last is None:
        raise DataError.of("experiments.no_rows", file=log.table.reading.name)
    known: datetime.date = last
    return min(known, as_of) if as_of else known


def _trends(experiment: Experiment, taken: Sequence[str]) -> dict[str, list[_Asked]]:
    """Return, for each metric with a long enough window, what to sum in each span since exposure."""
    found: dict[str, list[_Asked]] = {}
    for metric in experiment.metrics:
        window = metric.window
        if metric.event is None or window is None or metric.role == "guardrail":
            continue
        days = (window.end - window.start) // _DAY
        length = next((size for size in (1, 7, 28) if days // size <= _MOST_SPANS), 0)
        if not length or days // length < _FEWEST_SPANS:
            continue
        spans = []
        names = named([f"{metric.name} [{place}]" for place in range(days // length)], taken)
        for place, name in enumerate(names):
            start = window.start + place * length * _DAY
            span = Window.model_validate({"from": start, "to": start + length * _DAY})
            spans.append(
                _Asked(
                    name,
                    metric.event,
                    metric.value,
                    span,
                    isinstance(metric, Proportion),
                    metric.missing,
                )
            )
        found[metric.name] = spans
    return found


def _joined(
    table: Table,
    log: _Log,
    asked: Sequence[_Asked],
    trends: Mapping[str, Sequence[_Asked]],
    own: Sequence[str],
    horizon: datetime.date,
) -> Table:
    """Sum the events of each unit, in one pass over the event log."""
    every = [*asked, *(span for spans in trends.values() for span in spans)]
    moment, until = "opslab_moment", f"TIMESTAMP '{horizon + _DAY}'"
    used = [name for name in dict.fromkeys(one.value for one in every) if name]
    values = {name: f"v{place}" for place, name in enumerate(used)}
    names = ", ".join(literal(name) for name in dict.fromkeys(one.event for one in every))
    among = f"{log.name} IN ({names})"
    largest = dict(
        zip(
            used,
            largest_values(log.table, [finite(log.table, name) for name in used], among),
            strict=True,
        )
    )
    read = [f"{log.unit} AS unit", f"{log.name} AS event", f"({log.moment}) AS happened"]
    read += [f"{finite(log.table, name)} AS {values[name]}" for name in used]
    start = min((one.window.start for one in every), default=_DAY * 0)
    end = max((one.window.end for one in every), default=_DAY * 0)
    sums = []
    for place, one in enumerate(every):
        inside = (
            f"event = {literal(one.event)} AND since >= {_seconds(one.window.start)} "
            f"AND since < {_seconds(one.window.end)}"
        )
        if one.binary or one.value is None:
            sums.append(f"count(*) FILTER ({inside}) AS s{place}")
        else:
            summed = exact_sum(values[one.value], largest[one.value])
            sums.append(
                f"{summed.replace(')) AS DOUBLE', f')) FILTER ({inside}) AS DOUBLE')} AS s{place}"
            )
    same = _same_unit(log, table)
    common = f"(SELECT {log.unit} AS unit FROM {log.table.relation}) AS e JOIN {_ASSIGNED} AS a ON {same}"
    if not table.fetch(f"SELECT 1 FROM {common} LIMIT 1"):
        told = {"assignments": table.reading.name}
        raise DataError(Problem("experiments.no_common_unit", told, log.table.reading.name))
    # A short key per unit, whatever its id is; events of other units and times fall out at the
    # join.
    events = (
        f"SELECT place, {', '.join(sums)} FROM ("
        f"SELECT a.{ROW} AS place, e.*, epoch_us(e.happened) - epoch_us(a.{moment}) AS since "
        f"FROM (SELECT {', '.join(read)} FROM {log.table.relation} WHERE {among}) AS e "
        f"JOIN {_ASSIGNED} AS a ON {same}) "
        f"WHERE since >= {_seconds(start)} AND since < {_seconds(end)} GROUP BY place"
    )
    columns = [f"a.{quoted(name)}" for name in own] + [f"a.{moment}", f"a.{ROW}"]
    for place, one in enumerate(every):
        value = f"coalesce(s{place}, 0)"
        value = f"CAST({value} > 0 AS INTEGER)" if one.binary else f"CAST({value} AS DOUBLE)"
        over = f"a.{moment} + to_microseconds({_seconds(one.window.end)}) <= {until}"
        value = f"CASE WHEN {over} THEN {value} END" if one.window.end > _DAY * 0 else value
        columns.append(f"{value} AS {quoted(one.name)}")
    summed = f"({events}) AS s ON s.place = a.{ROW}"
    joined = f"SELECT {', '.join(columns)} FROM {_ASSIGNED} AS a LEFT JOIN {summed}"
    return kept_units(table, joined)


def _seconds(span: datetime.timedelta) -> int:
    """Return a span in whole microseconds, as the engine counts time."""
    return span // datetime.timedelta(microseconds=1)


def _same_unit(log: _Log, table: Table) -> str:
    """Return SQL that joins the units of both logs, where one may hold them as numbers, one as text."""
    types = [
        next(
            kind for name, kind, *_ in table.fetch(f"DESCRIBE {_ASSIGNED}") if name == "opslab_unit"
        ),
        next(kind for name, kind in log.table.types.items() if quoted(name) == log.unit),
    ]
    sides = ("a.opslab_unit", "e.unit")
    if types[0] == types[1] or not any(kind in ("VARCHAR", "FLOAT", "DOUBLE") for kind in types):
        return f"{sides[1]} = {sides[0]}"
    texts = [
        # A gap among whole numbers makes floats of them: 12.0 is the unit 12.
        f"CAST(CASE WHEN {side} = trunc({side}) AND abs({side}) < 1e15 "
        f"THEN CAST({side} AS BIGINT) END AS VARCHAR)"
        if kind in ("FLOAT", "DOUBLE")
        else f"CAST({side} AS VARCHAR)"
        for side, kind in zip(sides, types, strict=True)
    ]
    return f"{texts[1]} = {texts[0]}"


def _immature(
    experiment: Experiment, made: Table, metrics: Sequence[Metric], horizon: datetime.date
) -> dict[str, int]:
    """Return how many units' windows are not over, by metric; raise where that is so for all of them."""
    found, problems = {}, []
    for place, metric in enumerate(metrics):
        if metric.event is None or metric.window is None:
            continue
        (name,) = metric.own.values()
        ((rows, known),) = made.fetch(
            f"SELECT count(*), count({quoted(name)}) FROM {made.relation}"
        )
        found[metric.name] = rows - known
        if rows and not known:
            days = -(-metric.window.end // _DAY)
            values = {"days": days, "day": horizon}
            problems.append(
                experiment.problem("experiments.none_mature", "metrics", place, "window", **values)
            )
    DataError.refuse(problems)
    return found
