"""Data that cannot mean what the spec says: refused with the file, the column and the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opslab.documents import Location
from opslab.errors import DataError, Problem, did_you_mean
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.moments.arm_moments import ArmMoments, Arms, Labelled
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import (
    finite_sql,
    problem,
    refuse_cells,
    refuse_rows,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.periods import Moment
from opslab.experiments.units.unit_table import Units, UnitTable, count_units, without_leaked
from opslab.tables.source import Table, quoted

_MOST_ARMS = 50
MOST_LEVELS = 50


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
    experiment: Experiment, table: Table, moment: Moment, *, once: bool
) -> tuple[Units, str]:
    """Return what the unit column holds, and the SQL condition on rows of units in one arm.

    Parameters
    ----------
    experiment : Experiment
    table : Table
    moment : Moment
    once : bool
        Whether a unit stands in one row.

    Raises
    ------
    DataError
        When units cannot be told.
    """
    unit, arm, within = experiment.unit, experiment.arms.column, moment.within
    units = count_units(table, unit, arm, within, moment.moment)
    refuse_units(experiment, table, units, once=once)
    return units, without_leaked(table, unit, arm, within) if units.leaked else within


def refuse_rows_of(experiment: Experiment, table: Table, where: str) -> None:
    """Raise for rows whose cells cannot be summed, or are empty without a meaning."""
    problems = []
    for metric in experiment.metrics:
        binary = metric.binary and experiment.data.rows != "totals"
        columns = [Column(name, binary=binary) for name in metric.own.values()]
        refuse_cells(table, columns, where)
        for name in metric.own.values() if metric.missing == "refuse" else ():
            ((empty, rows),) = table.fetch(
                f"SELECT count(*) FILTER (({finite_sql(table, name)}) IS NULL), count(*) "
                f"FROM {table.relation} WHERE {where}"
            )
            if empty:
                problems.append(
                    experiment.metric_problem(
                        metric.name, "missing", "missing_rows", **_empty(table, name, empty, rows)
                    )
                )
    DataError.refuse(problems)


def _empty(table: Table, column: str, count: int, rows: int) -> dict[str, object]:
    return {"column": column, "data": table.reading.name, "count": count, "share": count / rows}


def arms_of(experiment: Experiment, units: UnitTable, labelled: Labelled) -> dict[str, ArmMoments]:
    """Return the arms in the spec's order; raise when they are not those that the spec declares."""
    table, column = units.table, experiment.arms.column
    labels = [label for label in labelled if label is not None]
    if None in labelled:
        refuse_rows(table, "no_arm", f"{quoted(column)} IS NULL AND {units.where}", column)
    if len(labels) > _MOST_ARMS:
        raise DataError(problem(table, "too_many_arms", column, count=len(labels)))
    control, shown = experiment.arms.control, [label[:40] for label in labels]
    declared = list(experiment.weights or dict.fromkeys([control, *labels]))

    def unknown(label: str, **values: Any) -> dict[str, Any]:
        near = did_you_mean(label, declared)
        return {"label": label[:40], "near": near, "arms": declared, **values}

    problems = [
        problem(table, "unknown_arm", column, **unknown(label, rows=labelled[label].rows))
        for label in labels
        if label not in declared
    ]
    absent, leaked = [label for label in declared if label not in labelled], units.units.leaked
    if absent and leaked and not problems:
        values = {"arms": absent, "count": leaked, "row": units.units.leaked_row}
        problems.append(problem(table, "only_leaked", experiment.unit, **values))
    elif len(labels) == 1 and not problems:
        key = "one_arm" if absent else "only_arm"
        problems.append(problem(table, key, column, label=shown[0], arms=absent))
    elif absent:
        problems.append(problem(table, "absent_arm", column, arms=absent, found=shown))
    problems += [
        experiment.problem("experiments.arm_name", "arms", "names", **unknown(label))
        for label in experiment.arms.names
        if label not in declared
    ]
    DataError.refuse(problems)
    return {experiment.arms.shown(label): labelled[label] for label in declared}


def refuse_many_levels(units: UnitTable, segments: Sequence[str]) -> None:
    """Raise for a column with too many levels to be a segment, before it groups anything."""
    if not segments:
        return
    looks = ", ".join(f"approx_count_distinct({quoted(name)})" for name in segments)
    table = units.table
    (counts,) = table.fetch(f"SELECT {looks} FROM {table.relation} WHERE {units.where}")
    DataError.refuse(
        [
            problem(table, "many_levels", name, count=count, most=MOST_LEVELS)
            for name, count in zip(segments, counts, strict=True)
            if count > 2 * MOST_LEVELS  # the count is approximate
        ][:1]
    )


def refuse_missing(
    experiment: Experiment,
    table: Table,
    arms: Arms,
    metrics: Mapping[str, MetricColumns],
) -> None:
    """Raise for columns without any value, and for empty values whose meaning is not stated."""
    problems: list[Problem] = []
    rows = sum(arm.rows for arm in arms.values())
    for metric, columns in metrics.items():
        for column in columns.own:
            count, name = sum(arm.missing[column] for arm in arms.values()), column.name
            if count == rows:
                problems.append(problem(table, "all_missing", name, rows=rows))
            elif count and columns.metric.missing == "refuse":
                problems.append(
                    experiment.metric_problem(
                        metric, "missing", "missing_policy", **_empty(table, name, count, rows)
                    )
                )
        for column in columns.joint.covariate_columns:
            bare = [label for label, arm in arms.items() if arm.missing[column] == arm.rows]
            if bare:
                problems.append(problem(table, "covariate_missing", column.name, arms=bare))
    DataError.refuse(problems)
