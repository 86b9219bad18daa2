"""From whatever form the data has to one row per unit: finer rows and totals are summed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opslab.errors import DataError, Problem
from opslab.experiments.metrics import Metric, Proportion, Quantile, Ratio, columns_of
from opslab.experiments.moments.columns import (
    Column,
    refuse_infinite,
    refuse_rows,
    refuse_types,
    texts,
    value_sql,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.leaks import Units, count_units, without_leaked
from opslab.experiments.units.periods import Moment, moments_of
from opslab.experiments.units.refusals import refuse_units
from opslab.results import Message
from opslab.tables.import_report import Reading
from opslab.tables.source import ROW, Table, quoted

_BITS = 80  # that the largest value of an exact sum takes: far more than a float holds
_LARGEST_POWER = 1000  # of two, that a float holds with room to spare
_KEPT, _TAKEN = "opslab_units", (ROW, "opslab_moment", "opslab_unit", "opslab_day", "opslab_slope")


@dataclass(frozen=True)
class Spans:
    """A metric's value in each span since exposure: the columns, and the days of a span."""

    columns: tuple[str, ...]
    days: int


@dataclass(frozen=True)
class UnitTable:
    """One row per unit, and what the analysis has to know of how it was made.

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
    notes : mapping
        What a reader has to know about a metric, by its name.
    immature : mapping
        Units whose window is not over, by metric.
    horizon : datetime.date or None
        The day up to which events are known.
    trends : mapping
        Its values in the spans since exposure, by metric.
    empty : mapping
        With finer rows: empty ones, units with some, and units, by metric and arm.
    finer : tuple or None
        With finer rows: their table, and the condition on those used.
    events : Reading or None
        How the event log was read.
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
    notes: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    immature: Mapping[str, int] = field(default_factory=dict)
    horizon: datetime.date | None = None
    trends: Mapping[str, Spans] = field(default_factory=dict)
    empty: Mapping[str, Mapping[str, tuple[int, int, int]]] = field(default_factory=dict)
    finer: tuple[Table, str] | None = None
    events: Reading | None = None


def unit_table(experiment: Experiment, table: Table, as_of: datetime.date | None) -> UnitTable:
    """Return the units of a table: its rows, or sums of finer rows, or totals by arm and day.

    Raises
    ------
    DataError
        When units cannot be told, or rows of one unit disagree on what is one thing of the unit.
    """
    moment = moments_of(table, experiment.period, as_of) if experiment.period else None
    within = moment.within if moment else "TRUE"
    day = f"CAST(CAST({moment.moment} AS DATE) AS VARCHAR)" if moment else None
    if experiment.data.rows == "totals":
        return _of_totals(experiment, table, moment)
    units = count_units(table, experiment.unit, experiment.arms.column, within)
    refuse_units(experiment, table, units, once=experiment.data.rows == "unit")
    used = (
        within
        if not units.leaked
        else without_leaked(table, experiment.unit, experiment.arms.column, within)
    )
    if experiment.data.rows == "finer":
        return _of_finer_rows(experiment, table, moment, used, units)
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {table.relation} WHERE {used}")
    strata = stratum(experiment.strata)
    arm = experiment.arms.column
    return UnitTable(table, arm, experiment.metrics, used, units, rows, day, strata)


def stratum(columns: Sequence[str]) -> str | None:
    """Return SQL of the stratum that some columns name together; empty where one of them is."""
    parts = [f"CAST({quoted(name)} AS VARCHAR)" for name in columns]
    return " || ' / ' || ".join(parts) if parts else None


def exact_sum(value: str, largest: float) -> str:
    """Return SQL of a sum that does not depend on the order of the rows, in any number of threads.

    Each value is a whole number of a grid so fine (2^-80 of the largest) that no digit is lost
    which a float of the sum's size could hold; whole numbers add up exactly.

    Parameters
    ----------
    value : str
        SQL of finite floats.
    largest : float
        Of their absolute values.
    """
    scale = 2.0 ** min(_BITS - (math.frexp(largest)[1] if largest else 0), _LARGEST_POWER)
    return f"CAST(sum(CAST(round({value} * {scale!r}) AS HUGEINT)) AS DOUBLE) / {scale!r}"


def largest_values(table: Table, values: Sequence[str], where: str) -> list[float]:
    """Return the largest absolute value of each expression; 0 where there is none."""
    if not values:
        return []
    looks = ", ".join(f"coalesce(max(abs({value})), 0)" for value in values)
    return [
        float(found)
        for found in table.fetch(f"SELECT {looks} FROM {table.relation} WHERE {where}")[0]
    ]


def finite(table: Table, column: str) -> str:
    """Return SQL of a column as a finite number, empty where it holds none."""
    value = f"CAST({value_sql(table, Column(column))} AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN {value} END"


def named(wanted: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Return names that no other column has, upper and lower case being the same to the engine."""
    used = {name.casefold() for name in taken} | {*_TAKEN}
    made = []
    for name in wanted:
        free = name
        while free.casefold() in used:
            free += "*"
        used.add(free.casefold())
        made.append(free)
    return made


def kept_units(table: Table, query: str, *, name: str = _KEPT) -> Table:
    """Keep a query's rows, in the order of `ROW`, as a table of units of the same file."""
    table.keep(name, f"SELECT * FROM ({query}) ORDER BY {ROW}")
    types = {column: kind for column, kind, *_ in table.fetch(f"DESCRIBE {name}") if column != ROW}
    return table.over(name, types, table.reading)


def _of_finer_rows(
    experiment: Experiment, table: Table, moment: Moment | None, used: str, units: Units
) -> UnitTable:
    """Sum the rows of each unit; a metric per row becomes the ratio of two sums."""
    unit, arm = quoted(experiment.unit), experiment.arms.column
    fixed = _fixed_columns(experiment)
    refuse_rows(table, "no_arm", f"{quoted(arm)} IS NULL AND {used}", arm)
    _refuse_changing(table, unit, fixed, used)
    _refuse_rows(experiment, table, used)
    sums = _Sums(table, used, [arm, *fixed])
    metrics = tuple(_of_rows(metric, sums) for metric in experiment.metrics)
    columns = [f"min({quoted(arm)}) AS {quoted(arm)}", f"min({ROW}) AS {ROW}"]
    columns += [f"min({quoted(name)}) AS {quoted(name)}" for name in fixed]
    columns += [f"min({moment.moment}) AS opslab_moment"] if moment else []
    columns += [f"{sql} AS {quoted(name)}" for name, sql in sums.made.items()]
    query = f"SELECT {', '.join(columns)} FROM {table.relation} WHERE {used} GROUP BY {unit}"
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {table.relation} WHERE {used}")
    return UnitTable(
        kept_units(table, query),
        arm,
        metrics,
        "TRUE",
        units,
        rows,
        "CAST(CAST(opslab_moment AS DATE) AS VARCHAR)" if moment else None,
        stratum(experiment.strata),
        empty=_empty_rows(experiment, table, used),
        finer=(table, used),
    )


def _empty_rows(
    experiment: Experiment, table: Table, where: str
) -> dict[str, dict[str, tuple[int, int, int]]]:
    """Return the empty rows, the units with some, and the units, by metric and arm."""
    unit, arm = quoted(experiment.unit), f"CAST({quoted(experiment.arms.column)} AS VARCHAR)"
    looks = [
        " OR ".join(f"({finite(table, name)}) IS NULL" for name in metric.own.values())
        for metric in experiment.metrics
    ]
    inner = ", ".join(f"count(*) FILTER ({look}) AS m{place}" for place, look in enumerate(looks))
    outer = ", ".join(
        f"sum(m{place}), count(*) FILTER (m{place} > 0)" for place in range(len(looks))
    )
    rows = table.fetch(
        f"SELECT arm, count(*), {outer} FROM (SELECT {arm} AS arm, {inner} FROM {table.relation} "
        f"WHERE {where} GROUP BY {arm}, {unit}) GROUP BY arm"
    )
    return {
        metric.name: {row[0]: (int(row[2 + 2 * place]), row[3 + 2 * place], row[1]) for row in rows}
        for place, metric in enumerate(experiment.metrics)
    }


class _Sums:
    """The sums over rows that metrics ask for, by the column that each becomes."""

    def __init__(self, table: Table, where: str, taken: Sequence[str]) -> None:
        self.table, self.where, self.taken = table, where, list(taken)
        self.made: dict[str, str] = {}

    def value(self, column: str) -> str:
        return finite(self.table, column)

    def given(self, columns: Iterable[str]) -> str:
        return " AND ".join(f"({self.value(name)}) IS NOT NULL" for name in columns)

    def add(self, name: str, sql: str) -> str:
        (free,) = named([name], [*self.taken, *self.made])
        self.made[free] = sql
        return free

    def total(self, name: str, column: str, *, zero: bool, among: str = "TRUE") -> str:
        value = f"CASE WHEN {among} THEN {self.value(column)} END"
        (largest,) = largest_values(self.table, [value], self.where)
        summed = exact_sum(value, largest)
        return self.add(name, f"coalesce({summed}, 0.0)" if zero else summed)


def _of_rows(metric: Metric, sums: _Sums) -> Metric:
    """Return a metric over units for one that is declared over their rows."""
    zero = metric.missing == "zero"
    if isinstance(metric, Ratio):
        both = "TRUE" if zero else sums.given(metric.own.values())
        parts = {
            part: sums.total(f"{metric.name} ({part})", name, zero=zero, among=both)
            for part, name in metric.own.items()
        }
        return metric.model_copy(update=parts)
    if isinstance(metric, Quantile) and metric.per == "row":
        return metric
    column = str(metric.column)
    if metric.per == "row":
        counted = "count(*)" if zero else f"count({sums.value(column)})"
        shared = {
            name: getattr(metric, name)
            for name in ("name", "role", "goal", "mde", "margin", "covariates")
        }
        return Ratio(
            type="ratio",
            numerator=sums.total(metric.name, column, zero=True),
            denominator=sums.add(f"{metric.name} (rows)", f"CAST({counted} AS DOUBLE)"),
            missing="drop",
            cap=metric.cap,
            **shared,
        )
    if isinstance(metric, Proportion):
        made = f"max(CAST({sums.value(column)} AS INTEGER))"
        return metric.model_copy(
            update={"column": sums.add(metric.name, f"coalesce({made}, 0)" if zero else made)}
        )
    return metric.model_copy(update={"column": sums.total(metric.name, column, zero=zero)})


def _fixed_columns(experiment: Experiment) -> list[str]:
    """Return the columns that say one thing of a unit: covariates, segments, strata, trigger."""
    covariates = [
        name
        for metric in experiment.metrics
        for one in metric.covariates
        for name in columns_of(one)
    ]
    trigger = [experiment.trigger] if experiment.trigger else []
    return list(dict.fromkeys([*covariates, *experiment.segments, *experiment.strata, *trigger]))


def _refuse_changing(table: Table, unit: str, columns: Sequence[str], where: str) -> None:
    """Raise for columns that differ between the rows of one unit: they were measured on the way."""
    if not columns:
        return
    ends = ", ".join(f"min({quoted(name)}) <> max({quoted(name)})" for name in columns)
    names = ", ".join(f"c{place}" for place in range(len(columns)))
    inner = f"SELECT {ends}, min({ROW}) FROM {table.relation} WHERE {where} GROUP BY {unit}"
    looks = ", ".join(
        f"count(*) FILTER (c{place}), min(first) FILTER (c{place})" for place in range(len(columns))
    )
    (found,) = table.fetch(f"SELECT {looks} FROM ({inner}) AS units({names}, first)")
    problems = [
        Problem(
            "experiments.changing",
            {"count": count, "row": first + 1},
            table.reading.name,
            field=name,
        )
        for name, count, first in zip(columns, found[::2], found[1::2], strict=True)
        if count
    ]
    DataError.refuse(problems)


def _refuse_rows(experiment: Experiment, table: Table, where: str) -> None:
    """Raise for rows whose cells cannot be summed, or are empty without a meaning."""
    problems = []
    for place, metric in enumerate(experiment.metrics):
        for name in metric.own.values():
            column = Column(
                name, binary=isinstance(metric, Proportion) and experiment.data.rows != "totals"
            )
            refuse_types(table, [column])
            refuse_infinite(table, [column], {column: value_sql(table, column)}, where)
            if table.types[name].startswith(("VARCHAR", "ENUM")):
                refuse_rows(table, "text_value", f"{texts(table, column)} AND {where}", name)
            if metric.missing == "refuse":
                ((empty, rows),) = table.fetch(
                    f"SELECT count(*) FILTER (({finite(table, name)}) IS NULL), count(*) "
                    f"FROM {table.relation} WHERE {where}"
                )
                values = {
                    "column": name,
                    "data": table.reading.name,
                    "count": empty,
                    "share": empty / rows,
                }
                if empty:
                    problems.append(
                        experiment.problem(
                            "experiments.missing_rows", "metrics", place, "missing", **values
                        )
                    )
            if column.binary:
                refuse_rows(
                    table,
                    "not_binary",
                    f"{value_sql(table, column)} NOT IN (0, 1) AND {where}",
                    name,
                )
    DataError.refuse(problems)


def _of_totals(experiment: Experiment, table: Table, moment: Moment | None) -> UnitTable:
    """Sum totals by arm and day; the days, which the arms share, take the place of units."""
    if moment is None:
        raise DataError(experiment.problem("experiments.totals_time", "period"))
    arm, unit = experiment.arms.column, experiment.unit
    within = moment.within
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {table.relation} WHERE {within}")
    refuse_units(experiment, table, Units(rows, rows), once=True)
    for key, name in (("no_arm", arm), ("no_count", unit)):
        refuse_rows(table, key, f"{quoted(name)} IS NULL AND {within}", name)
    column = Column(unit)
    refuse_types(table, [column])
    value = value_sql(table, column)
    odd = f"({value} IS NULL OR {value} < 0 OR {value} <> round({value}) OR isinf({value}))"
    refuse_rows(table, "bad_count", f"{odd} AND {within}", unit)
    if largest_values(table, [value], within) == [0.0]:  # no unit at all
        refuse_rows(table, "bad_count", f"{value} = 0 AND {within}", unit)
    _refuse_rows(experiment, table, within)
    for metric in experiment.metrics:
        if isinstance(metric, Proportion):
            name = str(metric.column)
            own = finite(table, name)
            refuse_rows(
                table,
                "more_than_units",
                f"({own} > {value} OR {own} < 0) AND {within}",
                name,
                unit=unit,
            )
    day = f"CAST(CAST({moment.moment} AS DATE) AS VARCHAR)"
    sums = _Sums(table, within, [arm, "opslab_day"])
    counted_as = sums.total(unit, unit, zero=True)
    metrics = tuple(_of_day(metric, sums, unit) for metric in experiment.metrics)
    made = [f"{sql} AS {quoted(name)}" for name, sql in sums.made.items()]
    query = (
        f"SELECT {quoted(arm)}, {day} AS opslab_day, min({ROW}) AS {ROW}, {', '.join(made)} "
        f"FROM {table.relation} WHERE {within} GROUP BY 1, 2"
    )
    return UnitTable(
        kept_units(table, query),
        arm,
        metrics,
        "TRUE",
        Units(rows, rows),
        rows,
        "opslab_day",
        "opslab_day",
        counted_as,
    )


def _of_day(metric: Metric, sums: _Sums, unit: str) -> Metric:
    """Return a metric as the ratio of a day's total to the day's units, or to another total."""
    own = metric.own
    parts = (
        (own["numerator"], own["denominator"])
        if isinstance(metric, Ratio)
        else (own["column"], unit)
    )
    zero = metric.missing == "zero"
    both = "TRUE" if zero else sums.given(parts)
    above, below = (
        sums.total(f"{metric.name} ({part})", name, zero=zero, among=both)
        for part, name in zip(("total", "of"), parts, strict=True)
    )
    shared = {name: getattr(metric, name) for name in ("name", "role", "goal", "mde", "margin")}
    return Ratio(type="ratio", numerator=above, denominator=below, missing="drop", **shared)
