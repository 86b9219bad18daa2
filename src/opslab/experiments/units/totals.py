"""Data that holds totals by arm and day: the days, which the arms share, stand for units."""

from __future__ import annotations

import datetime

from opslab.errors import DataError
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import finite_sql, refuse_rows, refuse_types, value_sql
from opslab.experiments.spec import Experiment
from opslab.experiments.units.leaks import Units
from opslab.experiments.units.periods import moments_of
from opslab.experiments.units.refusals import refuse_rows_of, refuse_units
from opslab.experiments.units.row_sums import RowSums, largest_values
from opslab.experiments.units.unit_table import UnitTable, kept_units, row_count
from opslab.tables.source import ROW, Table, quoted

_DAY = "opslab_day"


def units_of_totals(experiment: Experiment, table: Table, as_of: datetime.date | None) -> UnitTable:
    """Return the days of a table, each with its totals.

    Raises
    ------
    DataError
        When a row counts no units, or more successes than units.
    """
    moment = moments_of(table, experiment.period, as_of, experiment.data.timezone)
    if moment.day is None:
        raise DataError(experiment.problem("experiments.totals_time", "period"))
    arm, unit, within = experiment.arms.column, experiment.unit, moment.within
    rows = row_count(table, within)
    units = Units(rows, rows)
    refuse_units(experiment, table, units, once=True)
    _refuse_counts(experiment, table, within)
    sums = RowSums(table, within, [arm, _DAY])
    counted = sums.total(unit, unit, zero=True)
    metrics = tuple(metric.over_days(sums, unit) for metric in experiment.metrics)
    query = (
        f"SELECT {quoted(arm)}, {moment.day} AS {_DAY}, min({ROW}) AS {ROW}, "
        f"{', '.join(sums.columns)} FROM {table.relation} WHERE {within} GROUP BY 1, 2"
    )
    kept = kept_units(table, query)
    return UnitTable(kept, arm, metrics, "TRUE", units, rows, _DAY, _DAY, counted)


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
