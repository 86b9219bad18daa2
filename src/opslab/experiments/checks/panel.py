"""Which checks an analysis makes: each gets from the collected moments what it looks at."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opslab.experiments.checks import data_checks as checks
from opslab.experiments.checks.influence import Influence, influence, largest_units
from opslab.experiments.inference.measured import Measured
from opslab.experiments.metrics import Mean
from opslab.experiments.moments.arm_moments import ArmMoments
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import ArmSummary
from opslab.experiments.spec import Experiment
from opslab.experiments.units.trigger import Triggered
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Check

Levels = Mapping[str | None, Mapping[str, ArmMoments]]


@dataclass(frozen=True)
class Grounds:
    """What the checks look at.

    Attributes
    ----------
    arms : sequence of ArmSummary
    moments : mapping
        Of each arm.
    metrics : mapping
        By name.
    days : mapping or None
        Moments of each arm by day.
    segments : mapping
        By segment column, the same by level.
    triggered : Triggered or None
    where : str
        SQL condition on the rows behind the effects.
    """

    arms: Sequence[ArmSummary]
    moments: Mapping[str, ArmMoments]
    metrics: Mapping[str, Measured]
    days: Levels | None
    segments: Mapping[str, Levels]
    triggered: Triggered | None
    where: str


def checked(
    experiment: Experiment, units: UnitTable, grounds: Grounds, as_of: datetime.date | None
) -> list[Check]:
    """Return the checks in the order in which a reader asks for them."""
    blocking: set[str] = set(experiment.decision.blocking)
    made = [
        checks.check_plan_unchanged(
            experiment.registered, experiment.fingerprint, "plan_unchanged" in blocking
        ),
        checks.check_sample_ratio(grounds.arms, "sample_ratio" in blocking),
        *_within(units, grounds),
        None
        if units.counted
        else checks.check_leaked_units(units.units, "leaked_units" in blocking),
        *_of_columns(experiment, units, grounds, blocking),
        _windows(units, grounds, blocking),
        *_of_time(experiment, grounds, as_of, blocking),
        None if units.strata else _outliers(experiment, units, grounds, "outliers" in blocking),
    ]
    if experiment.data.rows != "unit":
        made.append(checks.check_few_clusters(grounds.moments, "few_clusters" in blocking))
    if grounds.triggered:
        found = grounds.triggered
        made.append(checks.check_trigger_ratio(found.met, found.units, "trigger_ratio" in blocking))
    return [check for check in made if check is not None]


def counted_units(units: UnitTable, arms: Mapping[str, ArmMoments]) -> dict[str, int]:
    """Return the units of each arm: its rows, or with totals the sum of what they count."""
    if units.counted is None:
        return {name: arm.rows for name, arm in arms.items()}
    column = Column(units.counted)
    sums = {name: arm.moments[column] for name, arm in arms.items()}
    return {name: round(found.n * found.mean) for name, found in sums.items()}


def _within(units: UnitTable, grounds: Grounds) -> list[Check | None]:
    expected = {arm.name: arm.expected for arm in grounds.arms}
    days = {
        str(day): counted_units(units, arms)
        for day, arms in (grounds.days or {}).items()
        if day is not None
    }
    levels = {
        f"{segment}: {level if level is not None else ''}".strip(): counted_units(units, arms)
        for segment, inside in grounds.segments.items()
        for level, arms in inside.items()
    }
    return [
        checks.check_sample_ratio_within("sample_ratio_days", days, expected),
        checks.check_sample_ratio_within("sample_ratio_segments", levels, expected),
    ]


def _of_columns(
    experiment: Experiment, units: UnitTable, grounds: Grounds, blocking: set[str]
) -> list[Check | None]:
    empty = {name: list(arms.values()) for name, arms in units.empty.items()}
    covariates: dict[Column, None] = {}
    for name, one in grounds.metrics.items():
        if units.finer is None:
            column = max(
                one.own, key=lambda own: sum(arm.missing[own] for arm in grounds.moments.values())
            )
            empty[name] = [
                (arm.missing[column],) * 2 + (arm.rows,) for arm in grounds.moments.values()
            ]
        covariates |= dict.fromkeys(one.joint.columns[len(one.own) :] if one.joint else ())
    return [
        checks.check_missing_values(empty, "missing_values" in blocking),
        checks.check_covariate_balance(
            grounds.moments,
            experiment.arms.control,
            list(covariates),
            "covariate_balance" in blocking,
        ),
    ]


def _of_time(
    experiment: Experiment, grounds: Grounds, as_of: datetime.date | None, blocking: set[str]
) -> list[Check | None]:
    period = experiment.period
    if period is None or period.end is None:
        return []
    made = [checks.check_period(period.end, as_of, "period" in blocking)]
    if grounds.days is not None and period.start is not None:
        end = min(period.end, as_of or period.end)
        # Rows that are finer than the unit have days of their own, which are not those of exposure.
        seen = (
            None
            if experiment.data.rows == "finer"
            else sum(day is not None for day in grounds.days)
        )
        made.append(checks.check_weekly_cycle(period.start, end, seen, "weekly_cycle" in blocking))
    return made


def _windows(units: UnitTable, grounds: Grounds, blocking: set[str]) -> Check | None:
    """Look for outcomes that are not complete: windows that are not over, or last days without any."""
    blocks = "outcome_windows" in blocking
    if units.horizon is not None:
        rows = sum(arm.rows for arm in grounds.moments.values())
        return checks.check_outcome_windows(units.immature, rows, units.horizon, blocks)
    if grounds.days is None or units.finer is not None:
        return None
    found: dict[str, dict[str, tuple[int, int, int | None]]] = {}
    for name, one in grounds.metrics.items():
        column = one.own[0]
        for day, arms in grounds.days.items():
            if day is None:
                continue
            rows = sum(arm.rows for arm in arms.values())
            values = rows - sum(arm.missing[column] for arm in arms.values())
            hits = None
            if column.binary:
                hits = round(
                    sum(arm.moments[column].n * arm.moments[column].mean for arm in arms.values())
                )
            found.setdefault(name, {})[day] = (rows, values, hits)
    return checks.check_last_days(found, blocks)


def _outliers(
    experiment: Experiment, units: UnitTable, grounds: Grounds, blocking: bool
) -> Check | None:
    """Look at the largest unit of every mean that is not capped."""
    wanted = {
        name: one.own[0]
        for name, one in grounds.metrics.items()
        if isinstance(one.metric, Mean) and one.uncapped is None and len(one.own) == 1
    }
    largest = largest_units(
        units.table, units.arm, list(dict.fromkeys(wanted.values())), grounds.where
    )
    control, found = experiment.arms.control, dict[str, Influence]()
    for name, column in wanted.items():
        base = (control, grounds.moments[control].moments[column])
        for arm, one in grounds.moments.items():
            there = {
                side: largest[side][column]
                for side in (arm, control)
                if column in largest.get(side, {})
            }
            if arm == control or not there:
                continue
            told = influence((arm, one.moments[column]), base, there)
            if told is not None:
                found[name if len(grounds.moments) == 2 else f"{name}, {arm}"] = told  # noqa: PLR2004 - one pair names itself
    return checks.check_outliers(found, experiment.design.alpha, blocking)
