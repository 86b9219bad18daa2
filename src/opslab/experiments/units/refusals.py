"""Data that cannot mean what the spec says: refused with the file, the column and the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opslab.errors import DataError, Problem, did_you_mean
from opslab.experiments.moments.arm_moments import ArmMoments
from opslab.experiments.moments.columns import refuse_rows
from opslab.experiments.spec import Experiment
from opslab.experiments.units.leaks import Units
from opslab.tables.source import Table, quoted

if TYPE_CHECKING:
    from opslab.experiments.inference.measured import Measured
    from opslab.experiments.units.unit_table import UnitTable

_MOST_ARMS = 50


def refuse_columns(
    experiment: Experiment, table: Table, wanted: Sequence[tuple[str, tuple[str | int, ...]]]
) -> None:
    """Raise for every column that the spec names and the table has not got, all at once."""
    found: list[Problem] = []
    for name, location in wanted:
        if name in table.types:
            continue
        near = did_you_mean(name, table.types)
        values = {
            "name": name,
            "near": near,
            "data": table.reading.name,
            "columns": list(table.types)[:12],
        }
        found.append(experiment.problem("experiments.missing_column", *location, **values))
    DataError.refuse(found)


def refuse_units(experiment: Experiment, table: Table, units: Units, *, once: bool) -> None:
    """Raise where no rows are left, rows name no unit, or units stand in several rows but should not."""
    if units.rows == 0:
        period = experiment.period
        start, end = (period.start, period.end) if period else (None, None)
        raise DataError.of(
            "experiments.no_rows_in_period", file=table.reading.name, start=start, end=end
        )
    found = []
    if units.nameless:
        nameless = {"count": units.nameless, "row": units.nameless_row}
        found.append(
            Problem("experiments.no_unit", nameless, table.reading.name, field=experiment.unit)
        )
    if units.repeated and once:
        repeated = {"count": units.repeated, "row": units.repeated_row}
        found.append(
            Problem(
                "experiments.repeated_units", repeated, table.reading.name, field=experiment.unit
            )
        )
    DataError.refuse(found)


def arms_of(
    experiment: Experiment, made: UnitTable, found: Mapping[str | None, ArmMoments]
) -> dict[str, ArmMoments]:
    """Return the arms in the spec's order; raise when they are not those that the spec declares."""
    table, units = made.table, made.units
    file, column = table.reading.name, experiment.arms.column
    nameless = found.get(None)
    labels = [label for label in found if label is not None]
    if nameless:
        refuse_rows(table, "no_arm", f"{quoted(column)} IS NULL AND {made.where}", column)
    if len(labels) > _MOST_ARMS:
        raise DataError(
            Problem("experiments.too_many_arms", {"count": len(labels)}, file, field=column)
        )
    declared = list(experiment.arms.weights or [])
    if not declared:
        declared = [
            experiment.arms.control,
            *(label for label in labels if label != experiment.arms.control),
        ]
    problems = []
    for label in labels:
        if label in declared:
            continue
        near = did_you_mean(label, declared)
        values = {"label": label[:40], "near": near, "rows": found[label].rows, "arms": declared}
        problems.append(Problem("experiments.unknown_arm", values, file, field=column))
    absent = [name for name in declared if name not in found]
    if absent and units.leaked and not problems:
        values = {"arms": absent, "count": units.leaked, "row": units.leaked_row}
        problems.append(Problem("experiments.only_leaked", values, file, field=experiment.unit))
    elif len(labels) == 1 and not problems:
        key = "experiments.one_arm" if absent else "experiments.only_arm"
        problems.append(Problem(key, {"label": labels[0][:40], "arms": absent}, file, field=column))
    elif absent:
        values = {"arms": absent, "found": [label[:40] for label in labels]}
        problems.append(Problem("experiments.absent_arm", values, file, field=column))
    DataError.refuse(problems)
    return {name: found[name] for name in declared}


def refuse_missing(
    experiment: Experiment,
    made: UnitTable,
    arms: Mapping[str, ArmMoments],
    metrics: Mapping[str, Measured],
) -> None:
    """Raise for columns without any value, and for empty values whose meaning the spec does not state."""
    found = []
    rows, file = sum(arm.rows for arm in arms.values()), made.table.reading.name
    places = {metric.name: place for place, metric in enumerate(experiment.metrics)}
    for name, one in metrics.items():
        place = places[name]
        for column in one.own:
            empty = sum(arm.missing[column] for arm in arms.values())
            if empty == rows:
                found.append(
                    Problem("experiments.all_missing", {"rows": rows}, file, field=column.name)
                )
            elif empty and one.metric.missing == "refuse":
                values = {
                    "column": column.name,
                    "data": file,
                    "count": empty,
                    "share": empty / rows,
                }
                found.append(
                    experiment.problem(
                        "experiments.missing_policy", "metrics", place, "missing", **values
                    )
                )
        for column in one.joint.columns[len(one.own) :] if one.joint else ():
            bare = [name for name, arm in arms.items() if arm.missing[column] == arm.rows]
            if bare:
                found.append(
                    Problem(
                        "experiments.covariate_missing", {"arms": bare}, file, field=column.name
                    )
                )
    DataError.refuse(found)
