"""The rules of the checks on outcomes: counted twice, lost on the way, or too good to be true."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Any

from opslab.experiments.checks.rules import CERTAIN, check
from opslab.experiments.metrics import Metric
from opslab.experiments.moments.arm_moments import Moments, merge
from opslab.experiments.result import Comparison, metric_and_arm
from opslab.experiments.units.unit_table import EventCounts, NearName
from opslab.results import Check, Status

FEW = 0.01
"""Events that were repeated, or not counted, as a share of those that count: it changes little."""
IMPLAUSIBLE = 0.4
"""Lift beyond which a whole interval is a fault more often than an effect."""
_NOTHING = 1e-12  # of the largest arm's mean square: what rounding leaves of 0


def _shared(name: str, values: Mapping[str, Any], said: str = "") -> Check:
    """Return a check of events that a share decides."""
    share = values["share"]
    status: Status = "fail" if share >= FEW else "warn" if share else "pass"
    return check(name, status, values["count"], values, said)


def check_repeated_events(counts: EventCounts, arms: Iterable[str]) -> Check:
    """Say how many rows of the event log came twice, and were counted once."""
    repeated = {arm: counts.repeated.get(arm, 0) for arm in arms}
    count, most = sum(repeated.values()), max(repeated, key=repeated.__getitem__)
    values = {
        "count": count,
        "share": count / max(count + sum(counts.counted.values()), 1),
        "arm": most,
        "arm_count": repeated[most],
        "differing": counts.differing,
    }
    return _shared("repeated_events", values, "differ" if counts.differing else "")


def check_repeated_rows(count: int, rows: int) -> Check:
    """Say how many rows are like another one in every column; they count all the same."""
    return _shared("repeated_rows", {"count": count, "share": count / rows})


def check_event_names(near: Sequence[NearName]) -> Check:
    """Say which events nearly have the name of one that counts, and do not count."""
    worst = max(near, key=attrgetter("share"), default=NearName("", "", 0, 0.0))
    return _shared("event_names", vars(worst))


def check_event_units(counts: EventCounts) -> Check:
    """Say how many events belong to no unit, to others than the experiment's, or nearly to them."""
    count, near = max(counts.near_units, counts.nameless), counts.near_units
    share = count / max(count + sum(counts.counted.values()), 1)
    values = {"count": count, "share": share, "strangers": counts.strangers}
    others = "strangers" if counts.strangers and not near else ""
    return _shared("event_units", values, "nameless" if count > near else others)


def _mean_square(arm: Moments) -> float:
    return arm.mean**2 + arm.squares / max(arm.n, 1)


def check_silent_arm(
    metric: Metric, arms: Mapping[str, Moments], units: Mapping[str, int] | None, control: str
) -> Check | None:
    """Look for an arm without any outcome, where at the others' rate that is all but impossible.

    Of the others' units at least mean^2 / mean of squares are not 0 (Cauchy and Schwarz): of a
    share exactly its rate.

    Parameters
    ----------
    metric : Metric
    arms : mapping
        Moments of one of its columns.
    units : mapping or None
        With totals: the units of each arm.
    control : str

    Returns
    -------
    Check or None
        None where no arm is silent; a metric that decides nothing only warns.
    """
    largest = max(map(_mean_square, arms.values()))
    silent = {name: arm.n for name, arm in arms.items() if _mean_square(arm) <= _NOTHING * largest}
    if not largest or not silent:
        return None
    loud = reduce(merge, (arm for name, arm in arms.items() if name not in silent))
    rate = loud.n * loud.mean**2 / (loud.squares + loud.n * loud.mean**2)
    if units and metric.binary:
        rate = loud.n * loud.mean / sum(units[name] for name in arms.keys() - silent.keys())
    counts = {name: (units or silent)[name] for name in silent}
    arm = max(counts, key=counts.__getitem__)
    expected = round(rate * counts[arm], 6)  # a count of units, which no order of rows may move
    if expected <= CERTAIN:
        return None
    said = "wanted" if metric.goal == "decrease" and arm != control else "fail"
    values = {"metric": metric.name, "arm": arm, "expected": expected}
    status: Status = "warn" if metric.role == "secondary" else "fail"
    return check("silent_arm", status, expected, values, said)


def check_cap(comparisons: Iterable[Comparison], alpha: float) -> Check | None:
    """Look for an effect that has the other sign, and significantly, without its cap."""
    turned = [
        known
        for known in comparisons
        if known.uncapped and known.role != "secondary"
        if known.uncapped.p_value is not None and known.uncapped.p_value <= alpha
        if (known.uncapped.difference or 0.0) * (known.difference or 0.0) < 0
    ]
    return check("cap", "fail", None, metric_and_arm(turned[0])) if turned else None


def check_plausibility(comparisons: Iterable[Comparison], silent: Collection[str]) -> Check | None:
    """Look for an effect on a primary metric that is larger than effects are (Twyman's law).

    Parameters
    ----------
    comparisons : iterable of Comparison
    silent : collection of str
        Metrics of which an arm has no outcome: these are told as such.

    Returns
    -------
    Check or None
        None where no interval lies beyond 40% of the control's value.
    """
    beyond = [
        comparison
        for comparison in comparisons
        if comparison.role == "primary" and comparison.metric not in silent
        if (comparison.lift_interval[0] or 0.0) > IMPLAUSIBLE
        or (comparison.lift_interval[1] or 0.0) < -IMPLAUSIBLE
    ]
    if not beyond:
        return None
    worst = max(beyond, key=lambda comparison: abs(comparison.lift or 0.0))
    values = metric_and_arm(worst) | {"lift": worst.lift}
    return check("plausibility", "fail", None, values)
