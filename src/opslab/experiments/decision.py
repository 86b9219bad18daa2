"""The decision, by the rule that the spec declared before the data was seen."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opslab.experiments.power import units_needed
from opslab.experiments.result import Check, Comparison, Decision, Message
from opslab.experiments.spec import Experiment, Mean, Proportion


@dataclass(frozen=True)
class Needed:
    """Units over all arms that a comparison asks for, and those there are."""

    units: int
    present: int


def decide(
    experiment: Experiment,
    checks: Sequence[Check],
    comparisons: Sequence[Comparison],
    deviations: Mapping[tuple[str, str], float],
    weights: Mapping[str, float],
    as_of: datetime.date | None,
) -> Decision:
    """Return the decision.

    Parameters
    ----------
    experiment : Experiment
    checks : sequence of Check
    comparisons : sequence of Comparison
        Judged.
    deviations : mapping
        Pooled standard deviation by metric and arm: for the units that an open question still asks for.
    weights : mapping
        Designed weight of each arm.
    as_of : datetime.date or None
    """
    broken = [check for check in checks if check.blocking and check.status == "fail"]
    if broken:
        return Decision("stop_broken", None, tuple(check.detail for check in broken))
    reasons = tuple(reason(one) for one in comparisons if one.role != "secondary")
    arms = list(dict.fromkeys(one.arm for one in comparisons))
    by_arm = {arm: [one for one in comparisons if one.arm == arm] for arm in arms}
    passing = [arm for arm in arms if _passes(experiment, by_arm[arm])]
    if passing:
        return Decision("ship", max(passing, key=lambda arm: _gain(by_arm[arm])), reasons)
    needed = [needs for arm in arms if (needs := _needs(experiment, by_arm[arm], deviations, weights))]
    if needed:
        most = max(needed, key=lambda needs: needs.units - needs.present)
        more = most.units - most.present
        return Decision("extend", None, reasons, more, _days(experiment, most, as_of))
    return Decision("do_not_ship", None, reasons)


def reason(one: Comparison) -> Message:
    """Return what one comparison says for the decision, in one sentence."""
    if one.not_estimable is not None:
        return Message("experiments.reason_not_estimable", {"metric": one.metric, "arm": one.arm})
    values = {
        "metric": one.metric,
        "arm": one.arm,
        "p": one.p_adjusted if one.p_adjusted is not None else one.p_value,
    }
    if one.role == "guardrail":
        kind, size = one.margin or ("absolute", 0.0)
        values |= {"margin": size, "p": one.harm_p}
        return Message(f"experiments.reason_{one.verdict}_{kind}", values)
    direction = "up" if (one.difference or 0) > 0 else "down"
    return Message(f"experiments.reason_{one.verdict}_{direction}", values)


def _passes(experiment: Experiment, comparisons: Sequence[Comparison]) -> bool:
    primaries = [one.verdict for one in comparisons if one.role == "primary"]
    rule = all if experiment.decision.primaries == "all" else any
    won = rule(verdict == "won" for verdict in primaries) and "lost" not in primaries
    return won and all(one.verdict == "safe" for one in comparisons if one.role == "guardrail")


def _gain(comparisons: Sequence[Comparison]) -> float:
    first = next(one for one in comparisons if one.role == "primary")
    gain = first.lift if first.lift is not None else first.difference or 0.0
    return gain if first.goal == "increase" else -gain


def _needs(
    experiment: Experiment,
    comparisons: Sequence[Comparison],
    deviations: Mapping[tuple[str, str], float],
    weights: Mapping[str, float],
) -> Needed | None:
    """Return the units an arm's open questions ask for; None when more units would not help."""
    if any(
        one.verdict in ("lost", "harmed", "not_estimable") and one.role != "secondary" for one in comparisons
    ):
        return None
    metrics = {metric.name: metric for metric in experiment.metrics}
    asked: list[Needed] = []
    for one in comparisons:
        metric = metrics[one.metric]
        if one.verdict not in ("open", "unproven") or one.role == "secondary":
            continue
        size = _size(metric, one) if isinstance(metric, Mean | Proportion) else None
        if size is None or _excludes(one, size):
            if experiment.decision.primaries == "any" and one.role == "primary":
                continue
            return None
        family = sum(other.role == "primary" for other in comparisons) if one.role == "primary" else 1
        pair = (weights[one.arm], weights[one.control])
        both = units_needed(
            deviations[one.metric, one.arm],
            size,
            experiment.design.alpha / family,
            experiment.design.power,
            pair,
        )
        share = sum(pair) / sum(weights.values())
        asked.append(Needed(math.ceil(both / share), math.ceil(sum(one.n) / share)))
    open_ones = [needs for needs in asked if needs.units > needs.present]
    return max(open_ones, key=lambda needs: needs.units - needs.present) if open_ones else None


def _size(metric: Mean | Proportion, one: Comparison) -> float | None:
    """Return the effect to be found in the metric's unit: the mde, or for a guardrail its margin."""
    amount = metric.margin if metric.role == "guardrail" else metric.mde
    if amount is None:
        return None
    return (
        amount.absolute
        if amount.absolute is not None
        else (amount.relative or 0.0) * abs(one.estimate[1] or 0.0)
    )


def _excludes(one: Comparison, size: float) -> bool:
    """Whether the interval already rules out an effect as large as the one worth detecting."""
    low, high = one.difference_interval
    if one.role == "guardrail" or low is None or high is None:
        return False
    return high < size if one.goal == "increase" else low > -size


def _days(experiment: Experiment, needs: Needed, as_of: datetime.date | None) -> int | None:
    period = experiment.period
    if period is None or period.start is None or period.end is None or needs.present == 0:
        return None
    last = min(as_of, period.end) if as_of else period.end
    days = (last - period.start).days + 1
    return math.ceil((needs.units - needs.present) * days / needs.present) if days > 0 else None
