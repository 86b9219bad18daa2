"""The sentences of an experiment's readout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opslab.experiments.result import Comparison, ExperimentResult, Interval
from opslab.messages import Language, numbers, text
from opslab.results import Message

_SMALL_SHARE = 0.01  # shares below it need two decimals


def say(message: Message, language: Language) -> str:
    """Return a message in the reader's language."""
    return text(message.key, language, **message.values)


def headline(result: ExperimentResult, language: Language) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return text("experiments.headline_broken", language)
    one = leading(result)
    if one is None or one.difference is None:
        return text("experiments.headline_none", language)
    return text("experiments.headline_effect", language, **effect_values(result, one, language))


def action(result: ExperimentResult, language: Language) -> str:
    """Return what to do, in a few words."""
    decision = result.decision
    if decision.action != "extend":
        return text(f"experiments.action_{decision.action}", language, arm=decision.arm)
    if decision.more_days is not None:
        return text("experiments.action_extend_days", language, days=decision.more_days)
    return text("experiments.action_extend_units", language, units=decision.more_units)


def leading(result: ExperimentResult) -> Comparison | None:
    """Return the comparison that the headline speaks of: the first primary metric, in the arm to ship.

    Without an arm to ship it is the arm with the largest gain.
    """
    metric = next(one.metric for one in result.comparisons if one.role == "primary")
    known = [one for one in result.comparisons if one.metric == metric]
    shipped = [one for one in known if one.arm == result.decision.arm]
    if shipped:
        return shipped[0]
    estimable = [one for one in known if one.difference is not None]
    sign = 1 if known[0].goal == "increase" else -1
    return max(estimable, key=lambda one: sign * (one.difference or 0.0), default=None)


def effect_values(
    result: ExperimentResult, one: Comparison, language: Language
) -> Mapping[str, Any]:
    """Return what a sentence about an effect names, formatted."""
    return {
        "metric": one.metric,
        "arm": one.arm,
        "control": one.control,
        "from_value": values(one, language)[1],
        "to_value": values(one, language)[0],
        "effect": lift_or_difference(one, language),
        "interval": interval(one, language),
        "level": 1 - result.plan.alpha,
        "p": one.p_value,
    }


def values(one: Comparison, language: Language) -> tuple[str, str]:
    """Return the estimates in the arm and in the control, with as many decimals as one another.

    A share is told as a percentage, a mean in its own unit.
    """
    known = [abs(estimate) for estimate in one.estimate if estimate is not None]
    largest = max(known, default=0.0)
    share = one.type == "proportion"
    digits = (1 if largest >= _SMALL_SHARE else 2) if share else numbers.decimals(largest, 4)
    show = numbers.percent if share else numbers.decimal
    arm, control = (
        text("words.none", language)
        if estimate is None
        else show(estimate, digits, language=language)
        for estimate in one.estimate
    )
    return arm, control


def difference(one: Comparison, language: Language) -> str:
    """Return the difference in the metric's unit: percentage points, or the mean's own."""
    return _differences(one, language)[0]


def difference_interval(one: Comparison, language: Language) -> str:
    """Return the interval of the difference, with as many decimals as the difference."""
    if one.difference is None:
        return text("words.none", language)
    _, low, high = _differences(one, language)
    return text("words.range", language, low=low, high=high)


def lift(one: Comparison, language: Language) -> str:
    """Return the relative change."""
    return _lifts(one, language)[0]


def lift_interval(one: Comparison, language: Language) -> str:
    """Return the lift's interval, or in words that it has no bound."""
    if one.difference is None:
        return text("words.none", language)
    _, low, high = _lifts(one, language)
    match one.lift_interval:
        case (None, None):
            return text("experiments.unbounded", language)
        case (_, None):
            return text("experiments.unbounded_above", language, low=low)
        case (None, _):
            return text("experiments.unbounded_below", language, high=high)
    return text("words.range", language, low=low, high=high)


def lift_or_difference(one: Comparison, language: Language) -> str:
    """Return the lift, or the difference where the control leaves no lift to speak of."""
    return lift(one, language) if bounded(one) else difference(one, language)


def interval(one: Comparison, language: Language) -> str:
    """Return the interval that goes with `lift_or_difference`, as ``low to high``."""
    return lift_interval(one, language) if bounded(one) else difference_interval(one, language)


def bounded(one: Comparison) -> bool:
    """Return whether the lift has an interval with two ends."""
    return one.lift is not None and None not in one.lift_interval


def _differences(one: Comparison, language: Language) -> list[str]:
    """Return the difference and the bounds of its interval, with as many decimals as one another."""
    amounts = (one.difference, *one.difference_interval)
    if one.type == "proportion":
        digits = max(2, _telling(one.difference_interval, 100, 1))
        return _shown(amounts, numbers.signed_points, digits, language)
    largest = max((abs(amount) for amount in amounts if amount is not None), default=0.0)
    digits = max(numbers.decimals(largest, 3), _telling(one.difference_interval, 1, 2))
    return _shown(amounts, numbers.signed_decimal, digits, language)


def _lifts(one: Comparison, language: Language) -> list[str]:
    """Return the lift and the bounds of its interval, with as many decimals as one another."""
    digits = max(1, _telling(one.lift_interval, 100, 1))
    return _shown((one.lift, *one.lift_interval), numbers.signed_percent, digits, language)


def _shown(
    amounts: tuple[float | None, ...], show: Callable[..., str], digits: int, language: Language
) -> list[str]:
    none = text("words.none", language)
    return [
        none if amount is None else show(amount, digits, language=language) for amount in amounts
    ]


def _telling(interval: Interval, scale: float, significant: int) -> int:
    """Return the decimals at which half the interval's width still shows so many digits."""
    low, high = interval
    return (
        0
        if low is None or high is None
        else numbers.decimals((high - low) / 2 * scale, significant)
    )
