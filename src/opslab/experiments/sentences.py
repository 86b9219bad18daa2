"""The sentences of an experiment's readout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opslab.experiments.result import Comparison, ExperimentResult, Message
from opslab.messages import Language, numbers, text


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


def effect_values(result: ExperimentResult, one: Comparison, language: Language) -> Mapping[str, Any]:
    """Return what a sentence about an effect names, formatted."""
    return {
        "metric": one.metric,
        "arm": one.arm,
        "control": one.control,
        "from_value": value(one, one.estimate[1], language),
        "to_value": value(one, one.estimate[0], language),
        "effect": lift_or_difference(one, language),
        "interval": interval(one, language),
        "level": 1 - result.plan.alpha,
        "p": one.p_value,
    }


def value(one: Comparison, estimate: float | None, language: Language) -> str:
    """Return an arm's estimate: a share as a percentage, a mean in its own unit."""
    if estimate is None:
        return text("words.none", language)
    if one.type == "proportion":
        digits = 1 if estimate >= 0.01 else 2  # noqa: PLR2004 - shares below one percent need two decimals
        return numbers.percent(estimate, digits, language=language)
    return numbers.number(estimate, 4, language=language)


def difference(one: Comparison, amount: float | None, language: Language) -> str:
    """Return a difference in the metric's unit: percentage points, or the mean's own."""
    if amount is None:
        return text("words.none", language)
    if one.type == "proportion":
        return numbers.signed_points(amount, language=language)
    return numbers.signed_number(amount, 3, language=language)


def lift(amount: float | None, language: Language) -> str:
    """Return a relative change."""
    return (
        text("words.none", language)
        if amount is None
        else numbers.signed_percent(amount, 1, language=language)
    )


def lift_or_difference(one: Comparison, language: Language) -> str:
    """Return the lift, or the difference where the control leaves no lift to speak of."""
    return lift(one.lift, language) if _lift_is_bounded(one) else difference(one, one.difference, language)


def interval(one: Comparison, language: Language) -> str:
    """Return the interval that goes with `lift_or_difference`, as ``low to high``."""
    if _lift_is_bounded(one):
        low, high = (lift(bound, language) for bound in one.lift_interval)
    else:
        low, high = (difference(one, bound, language) for bound in one.difference_interval)
    return text("words.range", language, low=low, high=high)


def lift_interval(one: Comparison, language: Language) -> str:
    """Return the lift's interval, or in words that it has no bound."""
    if one.difference is None:
        return text("words.none", language)
    low, high = one.lift_interval
    if low is None and high is None:
        return text("experiments.unbounded", language)
    if high is None:
        return text("experiments.unbounded_above", language, low=lift(low, language))
    if low is None:
        return text("experiments.unbounded_below", language, high=lift(high, language))
    return text("words.range", language, low=lift(low, language), high=lift(high, language))


def difference_interval(one: Comparison, language: Language) -> str:
    """Return the interval of the difference."""
    if one.difference is None:
        return text("words.none", language)
    low, high = (difference(one, bound, language) for bound in one.difference_interval)
    return text("words.range", language, low=low, high=high)


def _lift_is_bounded(one: Comparison) -> bool:
    return one.lift is not None and None not in one.lift_interval
