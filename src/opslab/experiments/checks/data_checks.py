"""Checks of the data that come before any effect is believed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

from opslab.experiments.checks.influence import Influence
from opslab.experiments.checks.sample_ratio import homogeneity, sample_ratio
from opslab.experiments.inference.effects import welch
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm
from opslab.experiments.moments.arm_moments import ArmMoments
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import ArmSummary
from opslab.experiments.units.leaks import Units
from opslab.results import Check, Message, Status

FAIL_BELOW, WARN_BELOW = 0.001, 0.01
FEWEST_EXPECTED = 5
"""Units that the smallest arm is to expect on a day or in a segment, for the chi-square test."""
FEWEST_CLUSTERS = 40
MOVED = 0.5
"""Standard errors by which one unit may move an effect."""
CERTAIN = 14.0
"""Successes expected on days that have none: chance would do that once in a million."""


def status_of(p_value: float) -> Status:
    """Return what a p-value of a data check means: fail below .001, warn below .01."""
    return "fail" if p_value < FAIL_BELOW else "warn" if p_value < WARN_BELOW else "pass"


def _made(
    name: str,
    status: Status,
    value: float | None,
    blocking: bool,
    values: Mapping[str, Any],
    key: str = "",
) -> Check:
    """Return a check whose sentence is that of its status, or of a key."""
    detail = Message(f"experiments.{name}_{key or status}", values)
    return Check(name, status, detail, value, blocking)


def check_sample_ratio(arms: Sequence[ArmSummary], blocking: bool) -> Check:
    """Compare the units of each arm with the designed shares: chi-square over all arms."""
    found = sample_ratio([arm.units for arm in arms], [arm.expected for arm in arms])
    status = status_of(found.p_value)
    farthest = max(
        range(len(arms)), key=lambda place: abs(arms[place].units - found.expected[place])
    )
    values = {
        "p": found.p_value,
        "arm": arms[farthest].name,
        "units": arms[farthest].units,
        "expected": found.expected[farthest],
    }
    return _made("sample_ratio", status, found.p_value, blocking, values)


def check_leaked_units(units: Units, blocking: bool) -> Check:
    """Count the units that stand in more than one arm."""
    if units.leaked == 0:
        return _made("leaked_units", "pass", 0, blocking, {"units": units.units})
    values = {"count": units.leaked, "share": units.leaked / units.units, "row": units.leaked_row}
    return _made("leaked_units", "fail", units.leaked, blocking, values)


def check_missing_values(
    empty: Mapping[str, Sequence[tuple[int, int, int]]], blocking: bool
) -> Check | None:
    """Compare the share of empty values between arms, for each metric that has some: the worst one speaks.

    Parameters
    ----------
    empty : mapping
        By metric, for each arm: empty values, units with some, and units. The units are compared.
    blocking : bool

    Returns
    -------
    Check or None
        None when nothing is empty.
    """
    found = {
        name: homogeneity([(some, units - some) for _, some, units in arms])
        for name, arms in empty.items()
        if any(some for _, some, _ in arms)
    }
    if not found:
        return None
    metric = min(found, key=lambda name: found[name])
    p_value, status = found[metric], status_of(found[metric])
    values = {
        "metric": metric,
        "count": sum(values for values, _, _ in empty[metric]),
        "p": p_value,
    }
    return _made("missing_values", status, p_value, blocking, values)


def check_covariate_balance(
    arms: Mapping[str, ArmMoments], control: str, covariates: Sequence[Column], blocking: bool
) -> Check | None:
    """Compare each covariate between each arm and the control by Welch's test with Holm: the worst speaks.

    Returns
    -------
    Check or None
        None without covariates.
    """
    found = []
    for column in covariates:
        base = arms[control].moments[column]
        for name, arm in arms.items():
            one = arm.moments[column]
            if name == control or min(one.n, base.n) < 2 or one.variance == base.variance == 0:  # noqa: PLR2004 - as for any variance
                continue
            test = welch(one.mean, one.variance, one.n, base.mean, base.variance, base.n)
            found.append((test.p_value, column.name, name, one.mean, base.mean))
    if not found:
        return None
    adjusted = holm([p_value for p_value, *_ in found])
    p_value, (_, covariate, name, mean, base_mean) = min(zip(adjusted, found, strict=True))
    status = status_of(p_value)
    values = {
        "covariate": covariate,
        "arm": name,
        "to": mean,
        "from": base_mean,
        "control": control,
        "p": p_value,
    }
    return _made("covariate_balance", status, p_value, blocking, values)


def check_period(
    end: datetime.date | None, as_of: datetime.date | None, blocking: bool
) -> Check | None:
    """Say when a fixed-horizon test is read before its end."""
    if end is None or as_of is None:
        return None
    if as_of >= end:
        return _made("period", "pass", 0, blocking, {"end": end})
    days = (end - as_of).days
    return _made("period", "warn", days, blocking, {"end": end, "days": days})


def check_sample_ratio_within(
    name: str, levels: Mapping[str, Mapping[str, int]], expected: Mapping[str, float]
) -> Check | None:
    """Compare the units of each arm with the designed shares on each day, or in each segment, to say where.

    P-values are adjusted over the levels (Benjamini and Hochberg); the worst level speaks. It never
    blocks: the whole test does.

    Parameters
    ----------
    name : str
        ``sample_ratio_days`` or ``sample_ratio_segments``.
    levels : mapping
        Units by arm, by the level's name.
    expected : mapping
        Designed shares.

    Returns
    -------
    Check or None
        None with fewer than two levels that hold enough units for the test.
    """
    fewest = FEWEST_EXPECTED / min(expected.values())
    enough = {level: counts for level, counts in levels.items() if sum(counts.values()) >= fewest}
    if len(enough) < 2:  # noqa: PLR2004 - one level is the whole
        return None
    found = [
        sample_ratio([counts.get(arm, 0) for arm in expected], list(expected.values())).p_value
        for counts in enough.values()
    ]
    adjusted = benjamini_hochberg(found)
    worst = min(range(len(found)), key=lambda place: (adjusted[place], found[place]))
    status = status_of(adjusted[worst])
    level, counts = list(enough.items())[worst]
    whole = sum(counts.values())
    farthest = max(expected, key=lambda arm: abs(counts.get(arm, 0) - whole * expected[arm]))
    values = {
        "level": datetime.date.fromisoformat(level) if name == "sample_ratio_days" else level,
        "arm": farthest,
        "units": counts.get(farthest, 0),
        "expected": whole * expected[farthest],
        "p": adjusted[worst],
        "count": sum(p_value < WARN_BELOW for p_value in adjusted),
        "levels": len(found),
    }
    return _made(name, status, adjusted[worst], False, values)


def check_trigger_ratio(
    triggered: Mapping[str, int], units: Mapping[str, int], blocking: bool
) -> Check:
    """Compare the share of triggered units between the arms: a change cannot alter whom it could reach."""
    p_value = homogeneity([(met, units[arm] - met) for arm, met in triggered.items()])
    status, rate = status_of(p_value), sum(triggered.values()) / sum(units.values())
    values = {"share": rate, "p": p_value}
    return _made("trigger_ratio", status, p_value, blocking, values)


def check_weekly_cycle(
    start: datetime.date, end: datetime.date, seen: int | None, blocking: bool
) -> Check:
    """Say whether the days of exposure make whole weeks, and whether days are missing among them."""
    days = (end - start).days + 1
    gaps = days - seen if seen is not None else 0
    values = {"days": days, "weeks": days // 7, "gaps": gaps}
    key = "gaps" if gaps > 0 else "warn" if days % 7 else "pass"
    status: Status = "pass" if key == "pass" else "warn"
    return _made("weekly_cycle", status, days, blocking, values, key)


def check_outcome_windows(
    immature: Mapping[str, int], units: int, horizon: datetime.date, blocking: bool
) -> Check:
    """Say how many units of an assignment log are left out because their window is not over."""
    if not any(immature.values()):
        values: dict[str, object] = {"units": units, "day": horizon}
        return _made("outcome_windows", "pass", 0, blocking, values)
    metric = max(immature, key=lambda name: immature[name])
    count = immature[metric]
    values = {"metric": metric, "count": count, "share": count / units, "day": horizon}
    status: Status = "fail" if count == units else "warn"
    return _made("outcome_windows", status, count, blocking, values, "warn")


def check_last_days(
    days: Mapping[str, Mapping[str, tuple[int, int, int | None]]], blocking: bool
) -> Check | None:
    """Look for outcomes that end before the period does: last days without any value, or without any success.

    Days without a success count where that many units would have had one all but surely, at the
    rate of the days before.

    Parameters
    ----------
    days : mapping
        By metric, by day: units, values, and for a proportion the successes, over all arms.

    Returns
    -------
    Check or None
        None where no metric stops early.
    """
    worst: tuple[int, str, str] | None = None
    for metric, found in days.items():
        ordered = sorted(found)
        known = [day for day in ordered if found[day][1] and found[day][2] != 0]
        after = ordered[ordered.index(known[-1]) + 1 :] if known else []
        if not after:
            continue
        units = sum(found[day][1] for day in after)
        rate = sum(found[day][2] or 0 for day in known) / sum(found[day][1] for day in known)
        if (not units or units * rate > CERTAIN) and (worst is None or len(after) > worst[0]):
            worst = (len(after), metric, after[0])
    if worst is None:
        return None
    count, metric, first = worst
    values = {"metric": metric, "days": count, "day": datetime.date.fromisoformat(first)}
    status: Status = "fail" if blocking else "warn"
    detail = Message("experiments.last_days", values)
    return Check("outcome_windows", status, detail, count, blocking)


def check_outliers(found: Mapping[str, Influence], alpha: float, blocking: bool) -> Check | None:
    """Say whether a single unit, far larger than any other, moves an effect far or across significance.

    Parameters
    ----------
    found : mapping
        The most influential unit by metric and arm, shown as ``metric, arm``.
    """
    if not found:
        return None

    def turns(one: Influence) -> bool:
        return (one.p_value <= alpha) != (one.p_without <= alpha)

    name, one = max(found.items(), key=lambda item: (item[1].alone, turns(item[1]), item[1].moved))
    status: Status = "warn" if one.alone and (turns(one) or one.moved > MOVED) else "pass"
    if blocking and status == "warn":
        status = "fail"
    values = {
        "metric": name,
        "arm": one.arm,
        "row": one.row,
        "share": one.share,
        "from": one.difference,
        "to": one.without,
        "p": one.p_value,
        "p_without": one.p_without,
    }
    value = one.moved if math.isfinite(one.moved) else None
    key = "pass" if status == "pass" else "warn"
    return _made("outliers", status, value, blocking, values, key)


def check_few_clusters(arms: Mapping[str, ArmMoments], blocking: bool) -> Check:
    """Say whether each arm has enough units for errors that rest on differences between units."""
    units = min(arm.rows for arm in arms.values())
    status: Status = "pass" if units >= FEWEST_CLUSTERS else "warn"
    values = {"units": units, "fewest": FEWEST_CLUSTERS}
    return _made("few_clusters", status, units, blocking, values)


def check_plan_unchanged(registered: str | None, fingerprint: str, blocking: bool) -> Check | None:
    """Compare the plan with the one that was registered; None when none was."""
    if registered is None:
        return None
    same = registered.strip().casefold() == fingerprint
    values = {"registered": registered, "fingerprint": fingerprint}
    key: Status = "pass" if same else "fail"
    return _made("plan_unchanged", key, None, blocking, values)
