"""The decision, by the rule that the spec declared before the data was seen."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opslab.experiments.inference.power import units_needed
from opslab.experiments.metrics import Metric
from opslab.experiments.result import Comparison, Decision
from opslab.experiments.spec import Experiment
from opslab.results import Check, Message

_LOCATING = ("sample_ratio_days", "sample_ratio_segments")
_OUT_OF_REACH = 10**12  # units: more than any experiment will see


@dataclass(frozen=True)
class Needed:
    """Units over all arms that a comparison asks for, and those there are."""

    units: int
    present: int

    @property
    def more(self) -> int:
        """Units still to be collected."""
        return self.units - self.present


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
        Pooled standard deviation by metric and arm: for the units that an open question still asks
        for.
    weights : mapping
        Designed weight of each arm.
    as_of : datetime.date or None
    """
    broken = [check for check in checks if check.blocking and check.status == "fail"]
    if broken:
        where = [check for check in checks if check.name in _LOCATING and check.status != "pass"]
        located = where if any(check.name == "sample_ratio" for check in broken) else []
        return Decision("stop_broken", None, tuple(check.detail for check in (*broken, *located)))
    reasons = tuple(reason(one) for one in comparisons if one.role != "secondary")
    arms = list(dict.fromkeys(one.arm for one in comparisons))
    by_arm = {arm: [one for one in comparisons if one.arm == arm] for arm in arms}
    passing = [arm for arm in arms if _passes(experiment, by_arm[arm])]
    if passing:
        return Decision("ship", max(passing, key=lambda arm: _gain(by_arm[arm])), reasons)
    family = sum(one.role == "primary" and one.p_value is not None for one in comparisons)
    needed = [
        needs
        for arm in arms
        if (needs := _needs(experiment, by_arm[arm], family, deviations, weights))
    ]
    if needed:
        most = max(needed, key=lambda needs: needs.more)
        return Decision("extend", None, reasons, most.more, _days(experiment, most, as_of))
    unsized = {metric.name for metric in experiment.metrics if metric.mde is None}
    left_open = [
        one.metric for one in comparisons if one.role == "primary" and one.verdict == "open"
    ]
    without = [Message("experiments.no_mde", {"metric": name}) for name in dict.fromkeys(left_open)]
    reasons += tuple(message for message in without if message.values["metric"] in unsized)
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
        if kind == "absolute" and one.type == "proportion":
            kind = "points"
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
    family: int,
    deviations: Mapping[tuple[str, str], float],
    weights: Mapping[str, float],
) -> Needed | None:
    """Return the units an arm's open questions ask for; None when more units would not help.

    ``family`` is the number of p-values that Holm adjusts together: each primary is asked for at
    alpha over that number.
    """
    primaries = [one for one in comparisons if one.role == "primary"]
    guardrails = [one for one in comparisons if one.role == "guardrail"]
    every = experiment.decision.primaries == "all"
    if any(one.verdict in ("harmed", "not_estimable") for one in guardrails) or any(
        one.verdict == "lost" or (every and one.verdict == "not_estimable") for one in primaries
    ):
        return None
    asked = [
        _asked(experiment, one, 1 if one.role == "guardrail" else family, deviations, weights)
        for one in comparisons
        if one.verdict == "unproven" or (every and one.role == "primary" and one.verdict == "open")
    ]
    if not every and all(one.verdict != "won" for one in primaries):  # one win will do: the nearest
        found = [
            _asked(experiment, one, family, deviations, weights)
            for one in primaries
            if one.verdict == "open"
        ]
        short = [needs for needs in found if needs is not None and needs.more > 0]
        asked.append(min(short, key=lambda needs: needs.more) if short else None)
    known = [needs for needs in asked if needs is not None]
    if len(known) < len(asked):
        return None
    return max(
        (needs for needs in known if needs.more > 0), key=lambda needs: needs.more, default=None
    )


def _asked(
    experiment: Experiment,
    one: Comparison,
    family: int,
    deviations: Mapping[tuple[str, str], float],
    weights: Mapping[str, float],
) -> Needed | None:
    """Return the units one open question asks for; None when no number of units would settle it."""
    metric = next(metric for metric in experiment.metrics if metric.name == one.metric)
    size = _size(metric, one)
    deviation = deviations[one.metric, one.arm]
    if (
        deviation == 0 and one.type == "proportion"
    ):  # 0 against all: the spread of both arms together
        share = sum(estimate or 0.0 for estimate in one.estimate) / 2
        deviation = math.sqrt(share * (1 - share))
    if not size or not deviation or _excludes(one, size):
        return None
    pair = (weights[one.arm], weights[one.control])
    design = experiment.design
    both = units_needed(deviation, size, design.alpha / family, design.power, pair)
    share = sum(pair) / sum(weights.values())
    needs = Needed(math.ceil(both / share), math.ceil(sum(one.n) / share))
    return needs if needs.units < _OUT_OF_REACH else None


def _size(metric: Metric, one: Comparison) -> float | None:
    """Return the effect to be found in the metric's unit: the mde, or for a guardrail its margin.

    A relative size has no meaning where the control's estimate is 0.
    """
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
