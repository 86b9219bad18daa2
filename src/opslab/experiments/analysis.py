"""From a spec and its data to a result: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import DataError
from opslab.experiments.checks.data_checks import FEWEST_CLUSTERS
from opslab.experiments.checks.panel import Grounds, checked, counted_units
from opslab.experiments.decision import decide
from opslab.experiments.inference.comparisons import judge
from opslab.experiments.inference.measured import (
    caps,
    compared,
    deviations,
    measured,
    quantiles_of_rows,
    tails,
)
from opslab.experiments.inference.novelty import trends
from opslab.experiments.inference.permutation import with_permutations
from opslab.experiments.inference.segments import by_segment, refuse_many_levels
from opslab.experiments.metrics import Metric, Quantile, columns_of
from opslab.experiments.moments.arm_moments import ArmMoments, collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import ArmSummary, Comparison, DataUsed, ExperimentResult, Plan
from opslab.experiments.spec import Experiment
from opslab.experiments.units.logs import unit_table_of_logs
from opslab.experiments.units.refusals import arms_of, refuse_columns, refuse_missing
from opslab.experiments.units.trigger import collect_triggered
from opslab.experiments.units.unit_table import UnitTable, unit_table
from opslab.messages import Language
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.reader import open_table
from opslab.tables.source import Table, quoted


def analyze(
    experiment: Experiment,
    data: Any = None,
    *,
    as_of: datetime.date | None = None,
    language: Language = "en",
) -> ExperimentResult:
    """Analyse one experiment.

    Parameters
    ----------
    experiment : Experiment
    data : path, pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table or duckdb relation,
    optional
        In the form that the spec says, by default the file that it names; for logs a mapping with
        ``assignments`` and ``events``.
    as_of : datetime.date, optional
        The day as of which the result speaks; an earlier one than the period's end is an interim
        look.
    language : {"en", "fr"}
        In which the result shows itself.

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
    logs = experiment.data.events is not None or isinstance(data, Mapping)
    named = {str(field): experiment.beside(path) for (_, field), path in experiment.named().items()}
    source, events = data if data is not None else named.get("path"), None
    if logs:
        given: Mapping[str, Any] = data if isinstance(data, Mapping) else named
        source, events = given.get("assignments"), given.get("events")
    if source is None or (logs and events is None):
        raise DataError(experiment.problem("experiments.no_data", "data"))
    missing = experiment.missing_files() if data is None else []
    DataError.refuse(missing)
    with open_table(source, answers=experiment.data) as raw:
        refuse_columns(experiment, raw, _wanted_columns(experiment))
        table = _with_values(experiment, raw)
        if table.reading.rows == 0:
            raise DataError.of("experiments.no_rows", file=table.reading.name)
        make = partial(unit_table_of_logs, events=events) if logs else unit_table
        result = _analyze(experiment, table, make(experiment, table, as_of=as_of), as_of)
        return replace(result, language=language)


def _analyze(
    experiment: Experiment, table: Table, units: UnitTable, as_of: datetime.date | None
) -> ExperimentResult:
    arm, control, alpha = units.arm, experiment.arms.control, experiment.design.alpha
    where, met = units.where, None
    if experiment.trigger:
        met = collect_triggered(experiment, units)
        where = met.where
    within = units.strata is not None
    on_rows = [one for one in units.metrics if isinstance(one, Quantile) and one.per == "row"]
    declared = [one for one in units.metrics if one not in on_rows]
    capped = caps(declared, units.table, where)
    metrics = {one.name: measured(one, capped.get(one.name), within=within) for one in declared}
    dimensions = [one for one in dict.fromkeys((units.strata, units.day)) if one]
    dimensions += [f"CAST({quoted(name)} AS VARCHAR)" for name in experiment.segments]
    refuse_many_levels(units.table, experiment.segments, where)
    found = collect_by(
        units.table,
        arm,
        [column for one in metrics.values() for column in one.all_own]
        + [Column(name) for name in (units.counted,) if name],
        where,
        list(dict.fromkeys(joint for one in metrics.values() for joint in one.joints)),
        dimensions,
    )
    arms = arms_of(experiment, units, found.whole)
    weights = experiment.arms.weights or dict.fromkeys(arms, 1.0)
    refuse_missing(experiment, units, arms, metrics)
    broken_down = [
        {level: _known(inside, arms) for level, inside in one.items()} for one in found.levels
    ]
    strata = broken_down.pop(0) if units.strata else None
    days = (
        strata
        if units.strata and units.strata == units.day
        else broken_down.pop(0)
        if units.day
        else None
    )
    order = tails(list(metrics.values()), arms, (units.table, arm, where), alpha)
    pairs = [
        found_one
        for name, one in metrics.items()
        for found_one in compared(one, arms, control, alpha, order.get(name), strata)
    ]
    if experiment.data.rows == "finer":
        pairs = with_permutations(pairs, metrics, units, FEWEST_CLUSTERS)
    pairs += [
        one
        for metric in on_rows
        for one in quantiles_of_rows(metric, experiment, units, list(arms))
    ]
    comparisons = judge(_as_declared(experiment, units, pairs), alpha)
    if met is not None:
        comparisons = met.diluted(comparisons, arms, alpha)
    segments = dict(zip(experiment.segments, broken_down, strict=True))
    effects, interactions = by_segment(metrics, segments, control, alpha)
    counted = met.units if met is not None else counted_units(units, arms)
    summaries = tuple(
        ArmSummary(name, counted[name], weight / sum(weights.values()))
        for name, weight in weights.items()
    )
    made = checked(
        experiment, units, Grounds(summaries, arms, metrics, days, segments, met, where), as_of
    )
    decision = decide(
        experiment, made, comparisons, deviations(comparisons, arms, metrics), weights, as_of
    )
    return ExperimentResult(
        plan=_plan(experiment, weights),
        arms=summaries,
        checks=tuple(made),
        comparisons=tuple(comparisons),
        decision=decision,
        data_used=DataUsed(
            reading=table.reading,
            rows_used=units.rows_used,
            outside_period=table.reading.rows - units.units.rows,
            leaked_rows=units.units.rows - units.rows_used,
            events=units.events,
            horizon=units.horizon,
            trigger_rate=met.rate if met else None,
        ),
        as_of=as_of,
        segments=tuple(_as_declared(experiment, units, effects)),
        interactions=tuple(interactions),
        trends=tuple(trends(units, control, alpha, where)),
    )


def _known(
    inside: Mapping[str | None, ArmMoments], arms: Mapping[str, ArmMoments]
) -> dict[str, ArmMoments]:
    """Return a level's arms in the spec's order."""
    return {name: inside[name] for name in arms if name in inside}


def _as_declared(
    experiment: Experiment, units: UnitTable, comparisons: Sequence[Comparison]
) -> list[Comparison]:
    """Return the comparisons in the spec's order and under its types, with notes on their data."""
    order = {metric.name: (place, metric.type) for place, metric in enumerate(experiment.metrics)}
    made = [
        replace(
            one,
            type=order[one.metric][1],
            notes=(*units.notes.get(one.metric, ()), *one.notes),
            missing=_missing(one, units),
        )
        for one in comparisons
    ]
    return sorted(made, key=lambda one: order[one.metric][0])


def _missing(one: Comparison, units: UnitTable) -> tuple[int, int]:
    """Return the empty values behind a comparison; of finer rows the empty rows."""
    rows = units.empty.get(one.metric)
    if rows is None or one.segment is not None:
        return one.missing
    return rows[one.arm][0], rows[one.control][0]


def _with_values(experiment: Experiment, table: Table) -> Table:
    """Return the table with its columns of numbers and times read in whatever notation they are written."""
    needed: set[str | None] = {name for metric in experiment.metrics for name in _columns(metric)}
    needed |= {experiment.period.time if experiment.period else None, experiment.trigger}
    needed |= {experiment.unit} if experiment.data.rows == "totals" else set()
    texts = {name for name, kind in table.types.items() if kind == "VARCHAR"}
    if not texts & needed:
        return table
    wanted = [
        Wanted(name, (name,), "text" if name in texts - needed else None, ask=True)
        for name in table.types
    ]
    return typed(table, wanted, experiment.data, strict=True)


def _wanted_columns(experiment: Experiment) -> list[tuple[str, tuple[str | int, ...]]]:
    """Return every column that the spec asks of the table, with the field that names it."""
    wanted: list[tuple[str, tuple[str | int, ...]]] = [
        (experiment.unit, ("unit",)),
        (experiment.arms.column, ("arms", "column")),
    ]
    if experiment.period and experiment.period.time:
        wanted.append((experiment.period.time, ("period", "time")))
    if experiment.trigger:
        wanted.append((experiment.trigger, ("trigger",)))
    for field in ("strata", "segments"):
        wanted += [(name, (field, place)) for place, name in enumerate(getattr(experiment, field))]
    for place, metric in enumerate(experiment.metrics):
        wanted += [(name, ("metrics", place, field)) for field, name in metric.own.items()]
        wanted += [
            (name, ("metrics", place, "covariates", order))
            for order, covariate in enumerate(metric.covariates)
            for name in columns_of(covariate)
        ]
    return wanted


def _columns(metric: Metric) -> list[str]:
    """Return every column that a metric needs, its own ones first."""
    covariates = (name for covariate in metric.covariates for name in columns_of(covariate))
    return [*metric.own.values(), *covariates]


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
        rows="logs" if experiment.data.events else experiment.data.rows,
        strata=experiment.strata,
        segments=experiment.segments,
        trigger=experiment.trigger,
        fingerprint=experiment.fingerprint,
        title=experiment.title,
    )
