"""From a spec and its data to a result: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import DataError, Problem, did_you_mean
from opslab.experiments import checks
from opslab.experiments.comparisons import judge
from opslab.experiments.decision import decide
from opslab.experiments.measured import Measured, caps, compared, deviations, measured, tails
from opslab.experiments.metrics import Metric, columns_of
from opslab.experiments.moments import ArmMoments, collect
from opslab.experiments.result import ArmSummary, Check, DataUsed, ExperimentResult, Plan
from opslab.experiments.spec import Experiment
from opslab.experiments.summed import Column, first_row
from opslab.experiments.units import Units, count_units, without_leaked
from opslab.tables.columns import typed
from opslab.tables.deciding import Wanted
from opslab.tables.opening import open_table
from opslab.tables.source import Table, quoted

_MOST_ARMS = 50


def analyze(
    experiment: Experiment, data: Any = None, *, as_of: datetime.date | None = None
) -> ExperimentResult:
    """Analyse one experiment.

    Parameters
    ----------
    experiment : Experiment
    data : path, pandas.DataFrame, polars.DataFrame or pyarrow.Table, optional
        One row per unit; by default the file that the spec names.
    as_of : datetime.date, optional
        The day as of which the result speaks; an earlier one than the period's end is an interim look.

    Returns
    -------
    ExperimentResult

    Raises
    ------
    SpecError
        When the spec asks for what this version does not compute, by name.
    DataError
        When the data cannot be trusted to mean what the spec says, with file, column and row.

    Examples
    --------
    >>> from opslab import experiments, workspace
    >>> experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
    >>> experiments.analyze(experiment).decision.action
    'ship'
    """
    experiment.refuse_uncomputed()
    source = data if data is not None else experiment.data_path()
    if source is None:
        raise DataError(experiment.problem("experiments.no_data", "data"))
    missing = experiment.missing_data() if data is None else []
    if missing:
        raise DataError(*missing)
    with open_table(source, answers=experiment.data) as table:
        _refuse_columns(experiment, table)
        return _analyze(experiment, _with_values(experiment, table), as_of)


def _analyze(experiment: Experiment, table: Table, as_of: datetime.date | None) -> ExperimentResult:
    if table.reading.rows == 0:
        raise DataError.of("experiments.no_rows", file=table.reading.name)
    within = _period_condition(experiment, table, as_of)
    units = count_units(table, experiment.unit, experiment.arms.column, within)
    _refuse_units(experiment, table, units)
    used = (
        within if not units.leaked else without_leaked(table, experiment.unit, experiment.arms.column, within)
    )
    capped = caps(experiment.metrics, table, used)
    metrics = {metric.name: measured(metric, capped.get(metric.name)) for metric in experiment.metrics}
    found = collect(
        table,
        experiment.arms.column,
        [column for one in metrics.values() for column in one.all_own],
        used,
        list(dict.fromkeys(joint for one in metrics.values() for joint in one.joints)),
    )
    arms = _arms(experiment, table, found, units, within)
    weights = experiment.arms.weights or dict.fromkeys(arms, 1.0)
    _refuse_missing(experiment, table, arms, metrics)
    control, alpha = experiment.arms.control, experiment.design.alpha
    order = tails(list(metrics.values()), arms, (table, experiment.arms.column, used), alpha)
    pairs = (compared(one, arms, control, alpha, order.get(name)) for name, one in metrics.items())
    comparisons = judge([one for pair in pairs for one in pair], alpha)
    summaries = [
        ArmSummary(name, arms[name].rows, weight / sum(weights.values())) for name, weight in weights.items()
    ]
    made = _checks(experiment, summaries, units, arms, metrics, as_of)
    decision = decide(experiment, made, comparisons, deviations(comparisons, arms, metrics), weights, as_of)
    rows_used = sum(arm.rows for arm in arms.values())
    return ExperimentResult(
        plan=_plan(experiment, weights),
        arms=tuple(summaries),
        checks=tuple(made),
        comparisons=tuple(comparisons),
        decision=decision,
        data=DataUsed(
            reading=table.reading,
            rows_used=rows_used,
            outside_period=table.reading.rows - units.rows,
            leaked_rows=units.rows - rows_used,
        ),
        as_of=as_of,
    )


def _with_values(experiment: Experiment, table: Table) -> Table:
    """Return the table with its columns of numbers and times read in whatever notation they are written."""
    needed: set[str | None] = {name for metric in experiment.metrics for name in _columns(metric)}
    needed |= {experiment.period.time} if experiment.period else set()
    texts = {name for name, kind in table.types.items() if kind == "VARCHAR"}
    if not texts & needed:
        return table
    wanted = [
        Wanted(name, (name,), "text" if name in texts - needed else None, ask=True) for name in table.types
    ]
    return typed(table, wanted, experiment.data, strict=True)


def _columns(metric: Metric) -> list[str]:
    """Return every column that a metric needs, its own ones first."""
    covariates = (name for covariate in metric.covariates for name in columns_of(covariate))
    return [*metric.own.values(), *covariates]


def _refuse_columns(experiment: Experiment, table: Table) -> None:
    """Raise for every column of the spec that the table has not got, all at once."""
    wanted: list[tuple[str, tuple[str | int, ...]]] = [
        (experiment.unit, ("unit",)),
        (experiment.arms.column, ("arms", "column")),
    ]
    if experiment.period and experiment.period.time:
        wanted.append((experiment.period.time, ("period", "time")))
    for place, metric in enumerate(experiment.metrics):
        wanted += [(name, ("metrics", place, field)) for field, name in metric.own.items()]
        wanted += [
            (name, ("metrics", place, "covariates", order))
            for order, covariate in enumerate(metric.covariates)
            for name in columns_of(covariate)
        ]
    found: list[Problem] = []
    for name, location in wanted:
        if name in table.types:
            continue
        near = did_you_mean(name, table.types)
        key = "experiments.missing_column_near" if near else "experiments.missing_column"
        values = {"name": name, "near": near, "data": table.reading.name, "columns": list(table.types)[:12]}
        found.append(experiment.problem(key, *location, **values))
    if found:
        raise DataError(*found)


def _period_condition(experiment: Experiment, table: Table, as_of: datetime.date | None) -> str:
    """Return the SQL condition for rows inside the period, both days included, and not after `as_of`."""
    period = experiment.period
    if period is None or period.time is None or period.start is None or period.end is None:
        return "TRUE"
    column = quoted(period.time)
    moment = f"CAST({column} AS TIMESTAMP)"
    kind = table.types[period.time]
    empty = first_row(table, f"{column} IS NULL", period.time)
    if empty is not None:
        file = table.reading.name
        raise DataError(Problem("experiments.no_time", {"row": empty[0]}, file, field=period.time))
    if kind.startswith("VARCHAR"):
        moment = (  # with an offset it is brought to UTC; a plain cast would drop the offset
            f"CASE WHEN {column} LIKE '%:%' "
            f"AND regexp_matches({column}, '[0-9](Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$') "
            f"THEN make_timestamp(epoch_us(TRY_CAST({column} AS TIMESTAMPTZ))) "
            f"ELSE TRY_CAST({column} AS TIMESTAMP) END"
        )
        # A cast alone would take 4/9/26 for a day in the year 4.
        bad = first_row(table, f"({moment}) IS NULL OR {column} NOT LIKE '____-__-__%'", period.time)
        if bad is not None:
            values = {"row": bad[0], "value": str(bad[1])[:24]}
            raise DataError(Problem("experiments.bad_time", values, table.reading.name, field=period.time))
    elif kind == "TIMESTAMP WITH TIME ZONE":
        moment = f"make_timestamp(epoch_us({column}))"
    elif not kind.startswith(("TIMESTAMP", "DATE")):
        raise DataError(
            Problem("experiments.time_type", {"kind": kind.lower()}, table.reading.name, field=period.time)
        )
    after = min(period.end, as_of or period.end) + datetime.timedelta(days=1)
    return f"(({moment}) >= TIMESTAMP '{period.start}' AND ({moment}) < TIMESTAMP '{after}')"


def _refuse_units(experiment: Experiment, table: Table, units: Units) -> None:
    if units.rows == 0:
        period = experiment.period
        start, end = (period.start, period.end) if period else (None, None)
        raise DataError.of("experiments.no_rows_in_period", file=table.reading.name, start=start, end=end)
    found = []
    if units.nameless:
        nameless = {"count": units.nameless, "row": units.nameless_row}
        found.append(Problem("experiments.no_unit", nameless, table.reading.name, field=experiment.unit))
    if units.repeated:
        repeated = {"count": units.repeated, "row": units.repeated_row}
        found.append(
            Problem("experiments.repeated_units", repeated, table.reading.name, field=experiment.unit)
        )
    if found:
        raise DataError(*found)


def _arms(
    experiment: Experiment,
    table: Table,
    found: Mapping[str | None, ArmMoments],
    units: Units,
    where: str,
) -> dict[str, ArmMoments]:
    """Return the arms in the spec's order; raise when they are not those that the spec declares."""
    file, column = table.reading.name, experiment.arms.column
    nameless = found.get(None)
    labels = [label for label in found if label is not None]
    if nameless:
        row = first_row(table, f"{quoted(column)} IS NULL AND {where}", column)
        armless = {"count": nameless.rows, "row": row[0] if row else None}
        raise DataError(Problem("experiments.no_arm", armless, file, field=column))
    if len(labels) > _MOST_ARMS:
        raise DataError(Problem("experiments.too_many_arms", {"count": len(labels)}, file, field=column))
    declared = list(experiment.arms.weights or [])
    if not declared:
        declared = [experiment.arms.control, *(label for label in labels if label != experiment.arms.control)]
    problems = []
    for label in labels:
        if label in declared:
            continue
        near = did_you_mean(label, declared)
        key = "experiments.unknown_arm_near" if near else "experiments.unknown_arm"
        values = {"label": label[:40], "near": near, "rows": found[label].rows, "arms": declared}
        problems.append(Problem(key, values, file, field=column))
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
    if problems:
        raise DataError(*problems)
    return {name: found[name] for name in declared}


def _refuse_missing(
    experiment: Experiment, table: Table, arms: Mapping[str, ArmMoments], metrics: Mapping[str, Measured]
) -> None:
    """Raise for columns without any value, and for empty values whose meaning the spec does not state."""
    found = []
    rows, file = sum(arm.rows for arm in arms.values()), table.reading.name
    for place, one in enumerate(metrics.values()):
        for column in one.own:
            empty = sum(arm.missing[column] for arm in arms.values())
            if empty == rows:
                found.append(Problem("experiments.all_missing", {"rows": rows}, file, field=column.name))
            elif empty and one.metric.missing == "refuse":
                values = {"column": column.name, "data": file, "count": empty, "share": empty / rows}
                found.append(
                    experiment.problem("experiments.missing_policy", "metrics", place, "missing", **values)
                )
        for column in one.joint.columns[len(one.own) :] if one.joint else ():
            bare = [name for name, arm in arms.items() if arm.missing[column] == arm.rows]
            if bare:
                found.append(
                    Problem("experiments.covariate_missing", {"arms": bare}, file, field=column.name)
                )
    if found:
        raise DataError(*found)


def _checks(
    experiment: Experiment,
    summaries: Sequence[ArmSummary],
    units: Units,
    arms: Mapping[str, ArmMoments],
    metrics: Mapping[str, Measured],
    as_of: datetime.date | None,
) -> list[Check]:
    blocking = set(experiment.decision.blocking)
    names: dict[Column, list[str]] = {}
    covariates: dict[Column, None] = {}
    for name, one in metrics.items():
        for column in one.own:
            names.setdefault(column, []).append(name)
        covariates |= dict.fromkeys(one.joint.columns[len(one.own) :] if one.joint else ())
    made = [
        checks.check_sample_ratio(summaries, "sample_ratio" in blocking),
        checks.check_leaked_units(units, "leaked_units" in blocking),
        checks.check_missing_values(arms, names, "missing_values" in blocking),
        checks.check_covariate_balance(
            arms, experiment.arms.control, list(covariates), "covariate_balance" in blocking
        ),
        checks.check_period(
            experiment.period.end if experiment.period else None, as_of, "period" in blocking
        ),
    ]
    return [check for check in made if check is not None]


def _plan(experiment: Experiment, weights: Mapping[str, float]) -> Plan:
    period, file = experiment.period, experiment.file
    return Plan(
        experiment=experiment.experiment,
        slug=experiment.slug,
        question=experiment.question,
        owner=experiment.owner,
        unit=experiment.unit,
        control=experiment.arms.control,
        weights=tuple(weights.items()),
        weights_assumed=experiment.arms.weights is None,
        start=period.start if period else None,
        end=period.end if period else None,
        time=period.time if period else None,
        alpha=experiment.design.alpha,
        power=experiment.design.power,
        primaries=experiment.decision.primaries,
        spec=workspace.shown(file) if file else None,
        spec_sha256=workspace.sha256(Path(file)) if file else None,
    )
