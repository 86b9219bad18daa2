"""Data that cannot mean what the spec says: refused with the file, the column and the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opslab.documents import Location
from opslab.errors import DataError, Problem, did_you_mean
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.moments.arm_moments import ArmMoments, Labelled
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import (
    finite_sql,
    problem,
    refuse_cells,
    refuse_rows,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.leaks import Units, count_units, without_leaked
from opslab.experiments.units.unit_table import UnitTable
from opslab.tables.source import Table, quoted

_MOST_ARMS = 50


def refuse_columns(
    experiment: Experiment, table: Table, wanted: Iterable[tuple[str, Location]]
) -> None:
    """Raise for every column that the spec names and the table has not got, all at once."""
    DataError.refuse(
        [
            experiment.problem(
                "experiments.missing_column",
                *location,
                name=name,
                near=did_you_mean(name, table.types),
                data=table.reading.name,
                columns=list(table.types)[:12],
            )
            for name, location in wanted
            if name not in table.types
        ]
    )


def refuse_units(experiment: Experiment, table: Table, units: Units, *, once: bool) -> None:
    """Raise where no rows are left, rows name no unit, or units stand in several but should not."""
    if units.rows == 0:
        period = experiment.period
        start, end = (period.start, period.end) if period else (None, None)
        raise DataError.of(
            "experiments.no_rows_in_period", file=table.reading.name, start=start, end=end
        )
    faults = {"no_unit": (units.nameless, units.nameless_row)}
    if once:
        faults["repeated_units"] = (units.repeated, units.repeated_row)
    DataError.refuse(
        [
            problem(table, key, experiment.unit, count=count, row=row)
            for key, (count, row) in faults.items()
            if count
        ]
    )


def usable_units(
    experiment: Experiment, table: Table, within: str, *, once: bool
) -> tuple[Units, str]:
    """Return what the unit column holds, and the SQL condition on rows of units in one arm.

    Parameters
    ----------
    experiment : Experiment
    table : Table
    within : str
        SQL condition on the rows.
    once : bool
        Whether a unit stands in one row.

    Raises
    ------
    DataError
        When units cannot be told.
    """
    unit, arm = experiment.unit, experiment.arms.column
    units = count_units(table, unit, arm, within)
    refuse_units(experiment, table, units, once=once)
    return units, without_leaked(table, unit, arm, within) if units.leaked else within


def refuse_rows_of(experiment: Experiment, table: Table, where: str) -> None:
    """Raise for rows whose cells cannot be summed, or are empty without a meaning."""
    problems = []
    for order, metric in enumerate(experiment.metrics):
        binary = metric.binary and experiment.data.rows != "totals"
        columns = [Column(name, binary=binary) for name in metric.own.values()]
        refuse_cells(table, columns, where)
        for name in metric.own.values() if metric.missing == "refuse" else ():
            ((empty, rows),) = table.fetch(
                f"SELECT count(*) FILTER (({finite_sql(table, name)}) IS NULL), count(*) "
                f"FROM {table.relation} WHERE {where}"
            )
            problems += _undeclared(experiment, order, "missing_rows", table, name, empty, rows)
    DataError.refuse(problems)


def _undeclared(
    experiment: Experiment,
    order: int,
    key: str,
    table: Table,
    column: str,
    empty: int,
    rows: int,
) -> list[Problem]:
    """Return the problem of a metric's empty values whose meaning the spec does not state."""
    values = {"column": column, "data": table.reading.name, "count": empty}
    if not empty:
        return []
    location = ("metrics", order, "missing")
    return [experiment.problem(f"experiments.{key}", *location, **values, share=empty / rows)]


def arms_of(experiment: Experiment, units: UnitTable, labelled: Labelled) -> dict[str, ArmMoments]:
    """Return the arms in the spec's order; raise when they are not those that the spec declares."""
    table, column = units.table, experiment.arms.column
    labels = [label for label in labelled if label is not None]
    if None in labelled:
        refuse_rows(table, "no_arm", f"{quoted(column)} IS NULL AND {units.where}", column)
    if len(labels) > _MOST_ARMS:
        raise DataError(problem(table, "too_many_arms", column, count=len(labels)))
    declared = list(experiment.arms.weights or [])
    if not declared:
        declared = list(dict.fromkeys([experiment.arms.control, *labels]))
    shown = [label[:40] for label in labels]
    problems = [
        problem(
            table,
            "unknown_arm",
            column,
            label=label[:40],
            near=did_you_mean(label, declared),
            rows=labelled[label].rows,
            arms=declared,
        )
        for label in labels
        if label not in declared
    ]
    absent = [label for label in declared if label not in labelled]
    if absent and units.units.leaked and not problems:
        leaked = {"count": units.units.leaked, "row": units.units.leaked_row}
        problems.append(problem(table, "only_leaked", experiment.unit, arms=absent, **leaked))
    elif len(labels) == 1 and not problems:
        key = "one_arm" if absent else "only_arm"
        problems.append(problem(table, key, column, label=shown[0], arms=absent))
    elif absent:
        problems.append(problem(table, "absent_arm", column, arms=absent, found=shown))
    problems += [
        experiment.problem(
            "experiments.arm_name",
            "arms",
            "names",
            label=label,
            near=did_you_mean(label, declared),
            arms=declared,
        )
        for label in experiment.arms.names
        if label not in declared
    ]
    DataError.refuse(problems)
    return {experiment.arms.shown(label): labelled[label] for label in declared}


def refuse_missing(
    experiment: Experiment,
    table: Table,
    arms: Mapping[str, ArmMoments],
    metrics: Mapping[str, MetricColumns],
) -> None:
    """Raise for columns without any value, and for empty values whose meaning is not stated."""
    problems: list[Problem] = []
    rows = sum(arm.rows for arm in arms.values())
    orders = {metric.name: order for order, metric in enumerate(experiment.metrics)}

    for name, columns in metrics.items():
        for column in columns.own:
            count = sum(arm.missing[column] for arm in arms.values())
            if count == rows:
                problems.append(problem(table, "all_missing", column.name, rows=rows))
            elif columns.metric.missing == "refuse":
                problems += _undeclared(
                    experiment, orders[name], "missing_policy", table, column.name, count, rows
                )
        for column in columns.joint.covariate_columns:
            bare = [label for label, arm in arms.items() if arm.missing[column] == arm.rows]
            if bare:
                problems.append(problem(table, "covariate_missing", column.name, arms=bare))
    DataError.refuse(problems)
