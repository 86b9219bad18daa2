"""Data that holds totals: by arm and day, where the days stand for units, or counts of each arm."""

from __future__ import annotations

import datetime

from opslab.errors import DataError
from opslab.experiments.moments.arm_moments import ArmMoments, Labelled, Moments
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import (
    finite_sql,
    refuse_cells,
    refuse_rows,
    refuse_types,
    value_sql,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.periods import moments_of
from opslab.experiments.units.refusals import refuse_rows_of, refuse_units
from opslab.experiments.units.row_sums import RowSums, largest_values
from opslab.experiments.units.unit_table import (
    Units,
    UnitTable,
    kept_units,
    row_count,
    rows_alike,
)
from opslab.tables.source import ROW, Table, quoted

_DAY = "opslab_day"
_DIGITS = 1e-9  # share of a sum of squares that must be left as spread: floats hold no more


def units_of_totals(experiment: Experiment, table: Table, as_of: datetime.date | None) -> UnitTable:
    """Return the days of a table, each with its totals, or what the one row of each arm says of it.

    Raises
    ------
    DataError
        When a row counts no units, or more successes than units.
    """
    moment = moments_of(table, experiment.period, as_of, experiment.data.timezone)
    arm, unit, within = experiment.arms.column, experiment.unit, moment.within
    rows = row_count(table, within)
    units = Units(rows, rows)
    refuse_units(experiment, table, units, once=True)
    _refuse_counts(experiment, table, within)
    arms = f"SELECT count(DISTINCT {quoted(arm)}) FROM {table.relation} WHERE {within}"
    if table.fetch(arms) == [(rows,)]:
        moments = _counts(experiment, table, within)
        return UnitTable(table, arm, experiment.metrics, within, units, rows, moments=moments)
    spread = any(metric.spread for metric in experiment.metrics)
    if moment.day is None or spread:
        key = "spread_form" if spread else "totals_time"
        raise DataError(experiment.problem(f"experiments.{key}", "period"))
    sums = RowSums(table, within, [arm, _DAY])
    counted = sums.total(unit, unit, zero=True)
    metrics = tuple(metric.over_days(sums, unit) for metric in experiment.metrics)
    query = (
        f"SELECT {quoted(arm)}, {moment.day} AS {_DAY}, min({ROW}) AS {ROW}, "
        f"{', '.join(sums.columns)} FROM {table.relation} WHERE {within} GROUP BY 1, 2"
    )
    kept = kept_units(table, query)
    alike = rows_alike(table, within, rows)
    return UnitTable(kept, arm, metrics, "TRUE", units, rows, _DAY, _DAY, counted, alike=alike)


def _refuse_counts(experiment: Experiment, table: Table, within: str) -> None:
    """Raise for rows without an arm or a number of units, and for shares of more than all units."""
    unit = experiment.unit
    for key, name in (("no_arm", experiment.arms.column), ("no_count", unit)):
        refuse_rows(table, key, f"{quoted(name)} IS NULL AND {within}", name)
    column = Column(unit)
    refuse_types(table, [column])
    value = value_sql(table, column)
    odd = f"({value} IS NULL OR {value} < 0 OR {value} <> round({value}) OR isinf({value}))"
    refuse_rows(table, "bad_count", f"{odd} AND {within}", unit)
    if largest_values(table, [value], within) == [0.0]:  # no unit at all
        refuse_rows(table, "bad_count", f"{value} = 0 AND {within}", unit)
    refuse_rows_of(experiment, table, within)
    for name in (
        name for metric in experiment.metrics if metric.binary for name in metric.own.values()
    ):
        own = finite_sql(table, name)
        beyond = f"({own} > {value} OR {own} < 0) AND {within}"
        refuse_rows(table, "more_than_units", beyond, name, unit=unit)


def _counts(experiment: Experiment, table: Table, within: str) -> Labelled:
    """Return the moments of each arm from its one row."""
    unit, names = experiment.unit, experiment.columns("unit", "metrics")
    refuse_cells(table, list(map(Column, names)), within)
    values = {name: f"({finite_sql(table, name)})" for name in names}
    n = values[unit] = f"nullif({values[unit]}, 0)"
    cells, columns = [f"CAST({quoted(experiment.arms.column)} AS VARCHAR)", n], list[Column]()
    faults = [("empty_total", name, f"{value} IS NULL") for name, value in values.items()]
    for metric in experiment.metrics:
        own, *_ = metric.own.values()
        mean, total = f"{values[own]} / {n}", values[own]
        spread = metric.spread or ({"binary": own} if metric.binary else {})
        match [*spread.items()]:
            case [("binary", _)]:
                squares = f"{total} * ({n} - {total}) / {n}"
                faults.append(("part_of_unit", own, f"{total} <> round({total})"))
            case [("sd", name)]:
                mean, squares = total, f"{values[name]} ** 2 * ({n} - 1)"
                faults.append(("bad_spread", name, f"{values[name]} < 0"))
            case [("squares", name)]:
                squares = f"{values[name]} - {total} * {mean}"
                faults.append(("bad_spread", name, f"{squares} < {_DIGITS} * {values[name]}"))
            case _:
                problem = "no_spread_known"
                raise DataError(experiment.metric_problem(metric.name, "type", problem, name=own))
        cells += [mean, squares]
        columns.append(metric.column_of(own))
    for key, name, fault in faults:
        refuse_rows(table, key, f"{fault} AND {within}", name)
    rows = table.fetch(f"SELECT {', '.join(cells)} FROM {table.relation} WHERE {within}")
    return {
        arm: ArmMoments(
            int(units),
            {
                column: Moments(int(units), mean, squares)
                for column, mean, squares in zip(columns, known[::2], known[1::2], strict=True)
            },
            dict.fromkeys(columns, 0),
        )
        for arm, units, *known in rows
    }
