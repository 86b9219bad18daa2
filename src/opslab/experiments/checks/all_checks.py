"""All checks of an analysis: each gets from the sums what it looks at."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from opslab.experiments.checks import events, rules
from opslab.experiments.checks.rules import Day
from opslab.experiments.checks.split import check_constant_split
from opslab.experiments.gate import gated
from opslab.experiments.grounds import Grounds
from opslab.experiments.moments.arm_moments import Arms, Levels, merge_levels
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import Calendar, Comparison
from opslab.experiments.sequential.split import CONCENTRATIONS, sequential_sample_ratio
from opslab.experiments.spec import Experiment
from opslab.experiments.units.unit_table import Gaps
from opslab.results import Check, Message


def all_checks(
    grounds: Grounds,
    as_of: datetime.date | None,
    comparisons: Sequence[Comparison],
    days: Sequence[Calendar],
) -> list[Check]:
    """Return the checks in the order in which a reader asks for them, through the gate."""
    rule = grounds.experiment.decision
    sizes = [
        arms[name].rows if name in arms else 0
        for day, arms in (grounds.days or {}).items()
        for name in (grounds.arms if day else ())
    ]
    steady = rules.check_steady_effect(days, min(sizes, default=0))
    checks = (*_checks(grounds, as_of), *_events(grounds, comparisons), steady)
    return [gated(check, rule) for check in checks if check is not None]


def _checks(grounds: Grounds, as_of: datetime.date | None) -> Iterator[Check | None]:
    experiment, units, triggered = grounds.experiment, grounds.units, grounds.triggered
    start = experiment.period and experiment.period.start
    late = bool(start and experiment.registered_on and experiment.registered_on > start)
    yield (
        rules.check("plan_unchanged", "fail", None, {"day": experiment.registered_on}, "late")
        if late
        else rules.check_plan_unchanged(experiment.registered, experiment.fingerprint)
    )
    yield _sample_ratio(grounds, as_of)
    yield from _sample_ratios_within(grounds)
    if experiment.phases and experiment.registered is None:
        yield rules.check("phases_planned", "fail", None, {})
    if units.moments:
        yield rules.check("totals_only", "fail", None, {})
    if experiment.data.rows != "totals":
        stayed = {arm.name: arm.units for arm in grounds.summaries}
        leaked_rows = units.units.rows - units.rows_used if units.finer else 0
        yield rules.check_leaked_units(units.units, stayed, leaked_rows)
    zeros = [metric.name for metric in experiment.metrics if metric.zero]
    phases = grounds.by_phase(grounds.arms, grounds.days)
    gaps = _gaps(grounds, phases)
    yield _by_role(
        experiment,
        lambda names: rules.check_empty(
            "missing_values", {name: gaps[name] for name in names}, zeros
        ),
    )
    joints = [columns.joint for columns in grounds.metrics.values()]
    covariates = list(dict.fromkeys(known for joint in joints for known in joint.covariate_columns))
    yield rules.check_covariate_balance(phases, grounds.control, covariates)
    ratios = [joint.own[1] for joint in joints if len(joint.own) > 1 and not units.counted]
    ratios = list(dict.fromkeys(ratios))
    yield rules.check_covariate_balance(phases, grounds.control, ratios, "denominators")
    unknown = {column.name: _empty(phases, column) for column in covariates}
    yield rules.check_empty("covariate_coverage", unknown)
    yield _outcome_windows(grounds)
    yield from _calendar(grounds, as_of)
    yield from _few_units(grounds)
    if units.alike is not None:
        yield events.check_repeated_rows(units.alike, units.rows_used)
    if experiment.data.rows != "unit" and not units.moments:
        yield rules.check_few_clusters(grounds.arms)
    if triggered:
        counts = [
            [(met, arm.rows - met) for arm in arms.values() for met in [triggered.met(arm)]]
            for arms in grounds.by_phase(*grounds.everybody).values()
        ]
        yield rules.check_trigger_ratio(counts)


def _sample_ratio(grounds: Grounds, as_of: datetime.date | None) -> Check:
    """Compare the units of each arm with their shares: day by day where they were looked at."""
    experiment, (arms, by_day) = grounds.experiment, grounds.everybody
    known = rules.check_sample_ratio(list(grounds.arms), grounds.splits(arms, by_day))
    end = experiment.period and experiment.period.end
    early = bool(as_of and end and as_of < end)
    days = sorted(day for day in by_day or () if day)
    looked = early or experiment.looked or experiment.design.method != "fixed"
    if not looked or not days or not by_day or not known.value:
        return known
    splits = [grounds.splits(by_day[day], {day: by_day[day]})[0] for day in days]
    counts, weights = zip(*splits, strict=True)
    p_value = sequential_sample_ratio(counts, weights)[-1]
    ends = {"low": min(CONCENTRATIONS), "high": max(CONCENTRATIONS)}
    values = {**known.detail.values, "p": p_value, **ends}
    status = rules.status_of(p_value)
    detail = Message(f"experiments.sample_ratio_daily_{status}", values)
    return Check("sample_ratio", status, detail, p_value)


def _few_units(grounds: Grounds) -> Iterator[Check | None]:
    """Look for effects that rest on few units, or on the tail of a skewed metric."""
    experiment, pairs = grounds.experiment, grounds.pairs
    influences = [known for pair in pairs.values() for known in pair.influences]
    fixed = experiment.design.method == "fixed"
    yield _by_role(
        experiment,
        lambda names: rules.check_outliers(
            [known for known in influences if known.whole.metric in names],
            grounds.alpha,
            fixed=fixed,
        ),
    )
    decide = {metric.name for metric in experiment.metrics if metric.role != "secondary"}
    yield rules.check_skewness({key: pair.lean for key, pair in pairs.items() if key[0] in decide})


def _events(grounds: Grounds, comparisons: Sequence[Comparison]) -> Iterator[Check | None]:
    """Look for outcomes that were lost, counted twice, or are too good to be true."""
    counts, metrics = grounds.units.event_counts, grounds.experiment.metrics
    if counts is not None:
        yield events.check_repeated_events(counts, list(grounds.arms))
        yield events.check_event_names(counts.near_names)
        yield events.check_event_units(counts)
    units = grounds.unit_counts(grounds.arms) if grounds.units.counted else None
    silent = [
        check
        for metric in metrics
        for column in grounds.metrics[metric.name].own
        for sums in [{name: arm.moments[column] for name, arm in grounds.arms.items()}]
        if (check := events.check_silent_arm(metric, sums, units, grounds.control))
    ]
    # A metric that decides speaks before one that only informs.
    yield max(silent, key=lambda check: (check.status == "fail", check.value), default=None)
    lost = [check.detail.values["metric"] for check in silent]
    yield events.check_plausibility(comparisons, lost)
    yield events.check_cap(comparisons, grounds.alpha)


def _sample_ratios_within(grounds: Grounds) -> Iterator[Check | None]:
    names, (_, by_day) = list(grounds.arms), grounds.everybody
    days = {
        day: grounds.splits(arms, {day: arms})
        for day, arms in (by_day or {}).items()
        if day is not None
    }
    splits = [{day: counts for day, [(counts, _)] in days.items()}]
    if grounds.triggered:  # who met the change on which day, arm by arm, is a split as well
        met = {day: grounds.unit_counts(arms) for day, arms in (grounds.days or {}).items() if day}
        splits.append({day: [met[day].get(arm, 0) for arm in names] for day in met})
    phase_of = grounds.experiment.phase_of
    checks = [check_constant_split(split, names, phase_of) for split in splits]
    yield min(filter(None, checks), key=lambda check: check.value or 0.0, default=None)
    yield rules.check_sample_ratio_within("sample_ratio_days", names, days)
    levels = {
        f"{segment}: {level if level is not None else ''}".strip(): grounds.splits(
            merge_levels(strata), strata
        )
        for segment, inside in grounds.segments.items()
        for level, strata in inside.items()
    }
    yield rules.check_sample_ratio_within("sample_ratio_segments", names, levels)


def _gaps(grounds: Grounds, phases: Levels) -> dict[str, list[list[Gaps]]]:
    """Return what is empty of each metric, by phase and arm, of its own column with most gaps."""
    of_units = {
        name: _empty(phases, max(columns.own, key=lambda column: _missing(grounds.arms, column)))
        for name, columns in grounds.metrics.items()
        if name not in grounds.units.gaps
    }
    return of_units | {name: [[*arms.values()]] for name, arms in grounds.units.gaps.items()}


def _empty(phases: Levels, column: Column) -> list[list[Gaps]]:
    return [
        [Gaps(arm.missing[column], arm.missing[column], arm.rows) for arm in arms.values()]
        for arms in phases.values()
    ]


def _missing(arms: Arms, column: Column) -> int:
    return sum(arm.missing[column] for arm in arms.values())


def _calendar(grounds: Grounds, as_of: datetime.date | None) -> Iterator[Check | None]:
    period = grounds.experiment.period
    if period is None or period.end is None:
        return
    if grounds.experiment.design.method == "fixed":
        yield rules.check_period(period.end, as_of)
    elif grounds.ends:
        values = {"day": grounds.ends, "end": period.end}
        yield rules.check("period", "fail", None, values, "stale")
    if grounds.days is not None and period.start is not None:
        # The days of the units that count.
        end = min(period.end, as_of - grounds.wait if as_of else period.end)
        seen = sum(day is not None for day in grounds.days)
        # Finer rows have days of their own, which are not those of exposure.
        finer = grounds.units.finer is not None
        yield rules.check_weekly_cycle(period.start, end, None if finer else seen)


def _by_role(
    experiment: Experiment, rule: Callable[[Collection[str]], Check | None]
) -> Check | None:
    """Return what a rule says of metrics that decide, or else of the others: as a remark."""
    others = [metric.name for metric in experiment.metrics if metric.role == "secondary"]
    check = rule([metric.name for metric in experiment.metrics if metric.role != "secondary"])
    minor = rule(others)
    if minor is None or minor.status == "pass" or (check and check.status != "pass"):
        return check or minor
    return replace(minor, status="warn")


def _outcome_windows(grounds: Grounds) -> Check | None:
    """Look for outcomes that are not complete: windows that are not over, or empty last days."""
    units, arms = grounds.units, grounds.arms
    if units.horizon is not None:
        rows = max(units.rows_used, sum(arm.rows for arm in arms.values()))
        said = "settled" if units.came else ""
        return rules.check_outcome_windows(units.immature, rows, units.horizon, said)
    if grounds.days is None or units.finer is not None:
        return None
    days = {day: arms for day, arms in grounds.days.items() if day is not None}
    known = {
        name: {day: _day(arms, columns.own[0]) for day, arms in days.items()}
        for name, columns in grounds.metrics.items()
    }
    return _by_role(
        grounds.experiment,
        lambda names: rules.check_last_days({name: known[name] for name in names}),
    )


def _day(arms: Arms, column: Column) -> Day:
    rows = sum(arm.rows for arm in arms.values())
    moments = [arm.moments[column] for arm in arms.values()]
    successes = round(sum(arm.n * arm.mean for arm in moments)) if column.binary else None
    return Day(rows, rows - _missing(arms, column), successes)
