"""The rules of the checks: what passes, what warns, what fails, from plain numbers."""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtr

from opslab.experiments.checks.influence import Influence
from opslab.experiments.checks.sample_ratio import (
    SampleRatio,
    Split,
    homogeneity,
    sample_ratio_over,
)
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm
from opslab.experiments.inference.strata import Strata, contrast_within
from opslab.experiments.moments.arm_moments import ArmMoments, Levels
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import Calendar
from opslab.experiments.units.unit_table import Gaps, Units
from opslab.results import Check, Message, Status

FAIL_BELOW, WARN_BELOW = 0.001, 0.01
LEAKED_SHARE = 0.01  # of all units, in more than one arm: beyond it they stop the decision
FEWEST_EXPECTED = 5  # units of the smallest arm on a day or in a segment, for chi-square
_ROUNDED = 1e-14  # of a covariate's mean: an error that only rounding makes
FEWEST_CLUSTERS = 40
FEWEST_A_DAY = 50  # units of an arm, for a comparison of days
LEANS = 0.2
"""Skewness of a difference beyond which its test errs too often to one side: 4.2 % for 2.5 %."""
_ROWS = 3  # of a group of units that are named
CERTAIN = 14.0  # successes expected where there are none: by chance once in a million


class Day(NamedTuple):
    """What is known of a metric on a day over all arms: of a share its successes too."""

    units: int
    values: int
    successes: int | None


def status_of(p_value: float) -> Status:
    """Return what a p-value of a data check means: fail below .001, warn below .01."""
    return "fail" if p_value < FAIL_BELOW else "warn" if p_value < WARN_BELOW else "pass"


def check(
    name: str, status: Status, value: float | None, values: Mapping[str, Any], said: str = ""
) -> Check:
    """Return a check whose sentence is that of its status, or another one."""
    return Check(name, status, Message(f"experiments.{name}_{said or status}", values), value)


def _tested(name: str, p_value: float, values: Mapping[str, Any]) -> Check:
    """Return a check that a p-value decides."""
    return check(name, status_of(p_value), p_value, {**values, "p": p_value})


def check_plan_unchanged(registered: str | None, fingerprint: str) -> Check | None:
    """Compare the plan with the one that was registered; None when none was."""
    if registered is None:
        return None
    same = registered.strip().casefold() == fingerprint
    values = {"registered": registered, "fingerprint": fingerprint}
    return check("plan_unchanged", "pass" if same else "fail", None, values)


def check_sample_ratio(arms: Sequence[str], phases: Sequence[Split]) -> Check:
    """Compare the units of each arm with the designed shares: chi-square, summed over phases."""
    test = sample_ratio_over(phases)
    return _tested("sample_ratio", test.p_value, _farthest(arms, phases, test))


def check_sample_ratio_within(
    name: str, arms: Sequence[str], levels: Mapping[str, Sequence[Split]]
) -> Check | None:
    """Compare the units of each arm with the designed shares on each day, or in each segment.

    It says where the fault is. P-values are adjusted over the levels (Benjamini and Hochberg); the
    worst level speaks.

    Parameters
    ----------
    name : str
        ``sample_ratio_days`` or ``sample_ratio_segments``.
    arms : sequence of str
    levels : mapping
        Units and designed weights in each phase, by the level's name.

    Returns
    -------
    Check or None
        None with fewer than two levels that hold enough units for the test.
    """
    enough = {
        level: known
        for level, phases in levels.items()
        if (known := list(filter(_is_enough, phases)))
    }
    if len(enough) < 2:  # noqa: PLR2004 - one level is the whole
        return None
    tests = [sample_ratio_over(phases) for phases in enough.values()]
    p_values = [test.p_value for test in tests]
    adjusted = benjamini_hochberg(p_values)
    order = min(range(len(tests)), key=lambda level: (adjusted[level], p_values[level]))
    level, days = list(enough)[order], name == "sample_ratio_days"
    values = {
        "level": datetime.date.fromisoformat(level) if days else level,
        **_farthest(arms, enough[level], tests[order]),
        "count": sum(p_value < WARN_BELOW for p_value in adjusted),
        "levels": len(tests),
    }
    within = _tested(name, adjusted[order], values)
    # Days only say where: of small arms single days fail more often than they say.
    return replace(within, status="warn") if within.status == "fail" and days else within


def _farthest(arms: Sequence[str], phases: Sequence[Split], test: SampleRatio) -> dict[str, Any]:
    """Return the arm that is farthest from its designed share, its units and those expected."""
    units = np.sum([counts for counts, _ in phases], axis=0).tolist()
    return max(
        (
            {"arm": arm, "units": count, "expected": expected}
            for arm, count, expected in zip(arms, units, test.expected, strict=True)
        ),
        key=lambda known: abs(known["units"] - known["expected"]),
    )


def _is_enough(phase: Split) -> bool:
    """Whether a phase has several arms, of which each expects enough units for chi-square."""
    counts, weights = phase
    designed = [weight / sum(weights) for weight in weights if weight > 0]
    return len(designed) > 1 and sum(counts) * min(designed) >= FEWEST_EXPECTED


def check_leaked_units(units: Units, stayed: Mapping[str, int], leaked_rows: int = 0) -> Check:
    """Say whether units in more than one arm are too many, or lean to the arm they came to first.

    Parameters
    ----------
    units : Units
    stayed : mapping
        Units that are in one arm alone, by arm.
    leaked_rows : int
        With finer rows: those of units in more than one arm.
    """
    if units.leaked == 0:
        return check("leaked_units", "pass", 0, {"units": units.units})
    of_rows = leaked_rows / units.rows
    said = "rows" if of_rows > LEAKED_SHARE else ""
    share = of_rows if said else units.leaked / units.units
    p_value = homogeneity([(units.leaked_first.get(arm, 0), n) for arm, n in stayed.items()])
    fails = share > LEAKED_SHARE or status_of(p_value) == "fail"
    values = {"count": units.leaked, "share": share, "row": units.leaked_row, "p": p_value}
    return check("leaked_units", "fail" if fails else "warn", units.leaked, values, said)


def check_skewness(leans: Mapping[tuple[str, str], float]) -> Check | None:
    """Say where unequal arms and uneven values make a test err to one side.

    With a skewness g of the difference the error of one side is 2.5 % + 8.5 % g (Edgeworth's first
    term for Student's t); docs/validation.md measures it.

    Parameters
    ----------
    leans : mapping
        The skewness of the difference by metric and arm.

    Returns
    -------
    Check or None
        None where no test leans.
    """
    worst = max(leans, key=lambda key: leans[key], default=None)
    if worst is None or leans[worst] <= LEANS:
        return None
    values = {"metric": worst[0], "arm": worst[1], "lean": leans[worst]}
    return check("skewness", "fail", leans[worst], values)


def check_steady_effect(days: Sequence[Calendar], smallest: int) -> Check | None:
    """Say whether the effect differs between days more than chance makes it.

    Parameters
    ----------
    days : sequence of Calendar
    smallest : int
        Units of an arm on a day, at least: the test takes enough of them.
    """
    known = [day for day in days if day.p_value is not None]
    if smallest < FEWEST_A_DAY or not known:
        return None
    worst = min(known, key=lambda day: day.p_value or 0.0)
    p_value = min(1.0, len(known) * (worst.p_value or 0.0))
    return _tested("steady_effect", p_value, {"metric": worst.metric, "arm": worst.arm})


def check_trigger_ratio(phases: Sequence[Sequence[tuple[int, int]]]) -> Check:
    """Compare the share of triggered units between arms: a change cannot alter whom it reaches.

    Parameters
    ----------
    phases : sequence of sequence of tuple
        In each phase, for each arm, the units that were triggered and those that were not.
    """
    met, others = (
        sum(counts) for counts in zip(*(arm for arms in phases for arm in arms), strict=True)
    )
    return _tested("trigger_ratio", homogeneity(*phases), {"share": met / (met + others)})


def check_few_clusters(arms: Mapping[str, ArmMoments]) -> Check:
    """Say whether each arm has enough units for errors that rest on differences between units."""
    units = min(arm.rows for arm in arms.values())
    status: Status = "pass" if units >= FEWEST_CLUSTERS else "warn"
    return check("few_clusters", status, units, {"units": units, "fewest": FEWEST_CLUSTERS})


def check_empty(
    name: str, gaps: Mapping[str, Sequence[Sequence[Gaps]]], zeros: Collection[str] = ()
) -> Check | None:
    """Compare the share of units with empty values between arms; the worst column speaks.

    Parameters
    ----------
    name : str
        ``missing_values`` of metrics, or ``covariate_coverage``.
    gaps : mapping
        What is empty of each metric or covariate, in each phase, for each arm.
    zeros : collection of str
        Metrics whose empty values count as 0: a difference may be the effect itself, and only
        warns.

    Returns
    -------
    Check or None
        None when nothing is empty.
    """
    tests = {
        column: homogeneity(
            *([(arm.units, arm.all_units - arm.units) for arm in arms] for arms in phases)
        )
        for column, phases in gaps.items()
        if any(arm.units for arms in phases for arm in arms)
    }
    if not tests:
        return None
    tests = dict(zip(tests, holm(list(tests.values())), strict=True))
    held = {
        column: max(p_value, FAIL_BELOW if column in zeros else 0.0)
        for column, p_value in tests.items()
    }
    worst = min(held, key=held.__getitem__)
    status = status_of(held[worst])
    arms = [arm for phase in gaps[worst] for arm in phase]
    known = [1 - arm.units / max(arm.all_units, 1) for arm in arms]
    count = sum(arm.values for arm in arms)
    values = {"metric": worst, "count": count, "from": min(known), "to": max(known)}
    said = "zero" if worst in zeros and status == "warn" else ""
    return check(name, status, tests[worst], {**values, "p": tests[worst]}, said)


def check_covariate_balance(
    phases: Levels, control: str, covariates: Sequence[Column], name: str = "covariate_balance"
) -> Check | None:
    """Compare each covariate between each arm and the control; the worst of them speaks.

    Welch's test, or that of the difference within phases, adjusted by Holm.

    Parameters
    ----------
    phases : mapping
        The sums of each arm in each phase; a single one where none are declared.
    control : str
    covariates : sequence of Column
    name : str
        ``covariate_balance``, or ``denominators`` of ratios.

    Returns
    -------
    Check or None
        None without covariates.
    """
    tests = []
    names = dict.fromkeys(name for arms in phases.values() for name in arms if name != control)
    for column in covariates:
        levels = {
            level: {name: sums.moments[column].cross(0) for name, sums in arms.items()}
            for level, arms in phases.items()
        }
        for arm in names:
            strata = Strata.of(levels, arm, control)
            within = contrast_within(strata) if strata.cells and strata.estimable else None
            if within is not None and within.variance > (_ROUNDED * within.estimate[1]) ** 2:
                distance = abs(within.difference) / math.sqrt(within.variance)
                p_value = 2 * float(stdtr(within.degrees_of_freedom, -distance))
                to, base = within.estimate
                values = {"covariate": column.name, "arm": arm, "to": to, "from": base}
                tests.append((p_value, values))
    if not tests:
        return None
    adjusted = holm([p_value for p_value, _ in tests])
    worst = min(range(len(tests)), key=lambda order: (adjusted[order], tests[order][0]))
    return _tested(name, adjusted[worst], {**tests[worst][1], "control": control})


def check_outliers(
    influences: Sequence[Influence], alpha: float, *, fixed: bool = True
) -> Check | None:
    """Say whether an effect rests on a few units; the worst speaks, of a fixed test with its p."""
    if not influences:
        return None
    worst = max(influences, key=lambda known: (known.carries(alpha), known.apart, known.moved))
    carried, (before, after), whole = worst.carries(alpha), worst.differences, worst.whole
    values: dict[str, Any] = {"metric": whole.metric, "with": whole.arm, "arm": worst.arm}
    values |= {"count": len(worst.rows), "rows": tuple(dict.fromkeys(worst.rows[:_ROWS]))}
    values |= {"share": worst.share, "from": before, "to": after}
    said = "reversed" if carried and not worst.apart else ""
    if fixed:
        values |= {"p": whole.p_value, "p_without": worst.trimmed.p_value}
    elif carried:
        said = "reversed_looked" if said else "fail_looked"
    return check("outliers", "fail" if carried else "pass", worst.moved, values, said)


def check_period(end: datetime.date | None, as_of: datetime.date | None) -> Check | None:
    """Say when a fixed-horizon test is read before its end."""
    if end is None or as_of is None:
        return None
    if as_of >= end:
        return check("period", "pass", 0, {"end": end})
    days = (end - as_of).days
    return check("period", "fail", days, {"end": end, "days": days, "day": as_of})


def check_weekly_cycle(start: datetime.date, end: datetime.date, seen: int | None) -> Check:
    """Say whether the days of exposure make whole weeks, and whether some are missing."""
    days = (end - start).days + 1
    gaps = days - seen if seen is not None else 0
    said = "gaps" if gaps > 0 else "warn" if days % 7 else "pass"
    status: Status = "pass" if said == "pass" else "warn"
    values = {"days": days, "weeks": days // 7, "gaps": gaps}
    return check("weekly_cycle", status, days, values, said)


def check_outcome_windows(
    immature: Mapping[str, int], units: int, horizon: datetime.date, said: str = ""
) -> Check:
    """Say how many units are left out because their window is not over, or values not final."""
    if not any(immature.values()):
        return check("outcome_windows", "pass", 0, {"units": units, "day": horizon})
    metric = max(immature, key=immature.__getitem__)
    count = immature[metric]
    values = {"metric": metric, "count": count, "share": count / units, "day": horizon}
    status: Status = "fail" if count == units else "warn"
    return check("outcome_windows", status, count, values, said or "warn")


def check_last_days(days: Mapping[str, Mapping[str, Day]]) -> Check | None:
    """Look for outcomes that end before the period does: last days without values or successes.

    Days without a success count where that many units would have had one all but surely, at the
    rate of the days before.

    Parameters
    ----------
    days : mapping
        By metric, by day.

    Returns
    -------
    Check or None
        None where no metric stops early.
    """
    stopped: dict[str, list[str]] = {}
    for metric, by_day in days.items():
        known = [name for name, day in by_day.items() if day.values and day.successes != 0]
        after = sorted(name for name in by_day if known and name > max(known))
        if not after:
            continue
        units = sum(by_day[name].values for name in after)
        successes = sum(by_day[name].successes or 0 for name in known)
        rate = successes / sum(by_day[name].values for name in known)
        if not units or units * rate > CERTAIN:
            stopped[metric] = after
    if not stopped:
        return None
    metric = max(stopped, key=lambda name: len(stopped[name]))
    first, count = datetime.date.fromisoformat(stopped[metric][0]), len(stopped[metric])
    detail = Message("experiments.last_days", {"metric": metric, "days": count, "day": first})
    return Check("outcome_windows", "fail", detail, count)
