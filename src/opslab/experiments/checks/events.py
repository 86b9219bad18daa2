"""The rules of the checks on outcomes: counted twice, lost on the way, or too good to be true."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from operator import attrgetter

from opslab.experiments.checks.activity import Active
from opslab.experiments.checks.rules import CERTAIN
from opslab.experiments.metrics import Metric
from opslab.experiments.result import Comparison
from opslab.experiments.units.unit_table import EventCounts, NearName
from opslab.results import Check, Message, Status

FEW = 0.01
"""Events that were repeated, or not counted, as a share of those that count: it changes little."""
IMPLAUSIBLE = 0.5
"""Lift beyond which a whole interval is a fault more often than an effect."""


def _status(share: float) -> Status:
    return "fail" if share >= FEW else "warn" if share else "pass"


def check_repeated_events(counts: EventCounts, arms: Sequence[str]) -> Check:
    """Say how many rows of the event log came twice, and were counted once."""
    repeated = {arm: counts.repeated.get(arm, 0) for arm in arms}
    count, most = sum(repeated.values()), max(arms, key=lambda arm: repeated[arm])
    share = count / max(count + sum(counts.counted.values()), 1)
    values = {"count": count, "share": share, "arm": most, "arm_count": repeated[most]}
    status = _status(share)
    said = "differ" if counts.differing else status
    values["differing"] = counts.differing
    return Check(
        "repeated_events", status, Message(f"experiments.repeated_events_{said}", values), count
    )


def check_event_names(near: Sequence[NearName]) -> Check:
    """Say which events nearly have the name of one that counts, and do not count."""
    if not near:
        return Check("event_names", "pass", Message("experiments.event_names_pass"), 0)
    worst = max(near, key=attrgetter("share"))
    status = _status(worst.share)
    detail = Message(f"experiments.event_names_{status}", vars(worst))
    return Check("event_names", status, detail, worst.count)


def check_event_units(counts: EventCounts) -> Check:
    """Say how many events belong to units that are not in the experiment, or nearly are."""
    near = counts.near_units
    share = near / max(near + sum(counts.counted.values()), 1)
    status = _status(share)
    said = "strangers" if counts.strangers and not near else status
    values = {"count": near, "share": share, "strangers": counts.strangers}
    return Check("event_units", status, Message(f"experiments.event_units_{said}", values), near)


def check_silent_arm(
    active: Mapping[str, Mapping[str, Active]], metrics: Iterable[Metric], control: str
) -> Check | None:
    """Look for an arm without any outcome, where at the others' rate that is all but impossible.

    Parameters
    ----------
    active : mapping
        By metric, by arm.
    metrics : iterable of Metric
    control : str

    Returns
    -------
    Check or None
        None where no arm is silent; a metric that decides nothing only warns.
    """
    silent = list[tuple[bool, float, Message]]()
    for metric in metrics:
        arms = active.get(metric.name, {})
        loud = [arm for arm in arms.values() if arm.active > 0]
        rate = sum(arm.active for arm in loud) / max(sum(arm.units for arm in loud), 1)
        for name, arm in arms.items():
            expected = arm.units * rate
            if arm.active > 0 or expected <= CERTAIN:
                continue
            wanted = metric.goal == "decrease" and name != control
            values = {"metric": metric.name, "arm": name, "expected": expected}
            key = "experiments.silent_arm_wanted" if wanted else "experiments.silent_arm_fail"
            silent.append((metric.role != "secondary", expected, Message(key, values)))
    if not silent:
        return None
    decides, expected, detail = max(silent, key=lambda fault: fault[:2])
    return Check("silent_arm", "fail" if decides else "warn", detail, expected)


def check_plausibility(comparisons: Iterable[Comparison], silent: Container[str]) -> Check | None:
    """Look for an effect on a primary metric that is larger than effects are (Twyman's law).

    Parameters
    ----------
    comparisons : iterable of Comparison
    silent : container of str
        Metrics of which an arm has no outcome: these are told as such.

    Returns
    -------
    Check or None
        None where no interval lies beyond half the control's value.
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
    values = {"metric": worst.metric, "arm": worst.arm, "lift": worst.lift}
    return Check("plausibility", "fail", Message("experiments.plausibility_fail", values))
