"""The sentences of an experiment's readout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opslab.experiments.basis import Action
from opslab.experiments.course import Interval
from opslab.experiments.magnitude import Weekly
from opslab.experiments.metrics import scale_of
from opslab.experiments.result import (
    Calendar,
    Comparison,
    ExperimentResult,
    Interaction,
    Trend,
    Verdict,
    metric_and_arm,
)
from opslab.messages.numbers import decimals
from opslab.report.blocks import Cell, Tone
from opslab.report.voice import Voice

ACTION_TONES: Mapping[Action, Tone] = {
    "ship": "good",
    "do_not_ship": "plain",
    "extend": "open",
    "no_decision": "open",
    "stop_broken": "bad",
}
VERDICT_TONES: Mapping[Verdict, Tone] = {
    "won": "good",
    "safe": "good",
    "lost": "bad",
    "harmed": "bad",
    "open": "plain",
    "unproven": "open",
    "not_estimable": "plain",
}
_BOUNDS = {  # by whether the lower one is missing, and the upper one
    (False, False): "range",
    (False, True): "unbounded_above",
    (True, False): "unbounded_below",
    (True, True): "unbounded",
}
_SMALL_SHARE = 0.01  # shares below it need two decimals


@dataclass(frozen=True)
class ExperimentVoice(Voice):
    """The voice of one experiment: what each of its sentences may name, and how an effect is told.

    Attributes
    ----------
    level : float
        Of the intervals.
    control : str
    arm : str or None
        The arm that is compared with the control, where there is only one.
    """

    level: float
    control: str
    arm: str | None

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message; the level of the intervals, control and arm need not be given."""
        common = {"level": self.level, "control": self.control, "arm": self.arm}
        return super().__call__(key, **common | values)

    def estimates(self, comparison: Comparison) -> tuple[str, str]:
        """Return the estimates in the arm and in the control, with as many decimals as one another.

        A share is told as a percentage, a mean in its own unit.
        """
        largest = max((abs(value) for value in comparison.estimate if value is not None), default=0)
        if is_share(comparison):
            digits, show = 1 if largest >= _SMALL_SHARE else 2, self.percent
        else:
            digits, show = decimals(largest, 4), self.decimal
        arm, control = self._shown(comparison.estimate, show, digits)
        return arm, control

    def difference(self, comparison: Comparison) -> Cell:
        """Return the difference with its interval: percentage points, or the mean's own unit."""
        interval = comparison.difference_interval
        amounts = (comparison.difference, *interval)
        if is_share(comparison):
            digits, show = max(2, _telling(interval, 100, 1)), self.signed_points
        else:
            largest = max((abs(amount) for amount in amounts if amount is not None), default=0.0)
            digits = max(decimals(largest, 3), _telling(interval, 1, 2))
            show = self.signed_decimal
        difference, low, high = self._shown(amounts, show, digits)
        return Cell(difference, interval=self.range(low, high))

    def lift(self, comparison: Comparison) -> Cell:
        """Return the relative change with its interval, or in words that it has no bound."""
        interval = comparison.lift_interval
        digits = max(1, _telling(interval, 100, 1))
        lift, low, high = self._shown((comparison.lift, *interval), self.signed_percent, digits)
        key = _BOUNDS[interval[0] is None, interval[1] is None]
        return Cell(lift, interval=self(key, low=low, high=high))

    def change(self, comparison: Comparison) -> Cell:
        """Return the lift, or the difference where the control leaves no lift to speak of."""
        return self.lift(comparison) if bounded(comparison) else self.difference(comparison)

    def week(self, week: Weekly) -> tuple[str, str]:
        """Return what an effect comes to in a week, and its interval."""
        digits = _telling((week.low, week.high), 1, 2)
        value, *ends = self._shown(week[1:], self.signed_decimal, digits)
        return value, self.range(*ends)

    def p_values(self, tested: Comparison | Interaction) -> list[str]:
        """Return the p-value and the adjusted one."""
        values = (tested.p_value, tested.p_adjusted)
        return [self.none if value is None else self.p_value(value) for value in values]

    def _shown(
        self, amounts: Sequence[float | None], show: Callable[[float, int], str], digits: int
    ) -> list[str]:
        return [self.none if amount is None else show(amount, digits) for amount in amounts]


def headline(result: ExperimentResult, say: ExperimentVoice) -> str:
    """Return the sentence that a sponsor reads first, with the conditions it stands under."""
    state, values = finding(result, say)
    if (values.get("metric"), values.get("arm")) in result.corrected:
        state = result.plan.method
    sentence = say(f"headline_{state}", **values)
    if result.broken or not result.conditions:
        return sentence
    clauses = [say(f"condition_{check.name}") for check in result.conditions]
    return say("headline_condition", sentence=sentence, conditions=clauses)


def finding(result: ExperimentResult, say: ExperimentVoice) -> tuple[str, dict[str, Any]]:
    """Return ``broken``, ``none`` or ``effect``, and what a sentence about the effect names."""
    comparison = leading(result)
    if result.broken:
        return "broken", {}
    if comparison is None:
        return "none", {}
    to_value, from_value = say.estimates(comparison.adjusted)
    values = {"from_value": from_value, "to_value": to_value, "p": comparison.p_value}
    return "effect", values | named(comparison, say.change(comparison))


def named(comparison: Comparison, change: Cell) -> dict[str, str]:
    """Return what a sentence about an effect names."""
    return metric_and_arm(comparison) | {"effect": change.text, "interval": change.interval}


def action(result: ExperimentResult, say: ExperimentVoice) -> str:
    """Return what to do, in a few words."""
    decision, by = result.decision, ""
    if decision.action == "extend":
        by = "_units" if decision.more_units else ""
        by = "_days" if decision.more_days else by
    if decision.action == "ship" and result.conditions:
        by = "_condition"
    return say(
        f"action_{decision.action}{by}",
        arm=decision.arm,
        days=decision.more_days,
        units=decision.more_units,
    )


def leading(result: ExperimentResult) -> Comparison | None:
    """Return the comparison of the headline: the first primary metric, in the arm to ship.

    Without an arm to ship it is the arm with the largest gain; None where there is no effect.
    """
    metric, shipped = primary_metric(result), result.decision.arm
    estimable = [
        comparison
        for comparison in result.comparisons
        if comparison.metric == metric and shipped in (None, comparison.arm)
        if comparison.difference is not None
    ]

    def gain(comparison: Comparison) -> float:
        difference = comparison.difference or 0.0
        return difference if comparison.goal == "increase" else -difference

    return max(estimable, key=gain, default=None)


def primary_metric(result: ExperimentResult) -> str:
    """Return the first primary metric."""
    return next(known.metric for known in result.comparisons if known.role == "primary")


def differs(test: Interaction, alpha: float) -> bool:
    """Return whether a test shows that the effect differs between segments."""
    return test.p_adjusted is not None and test.p_adjusted <= alpha


def figure_of(effects: Trend | Calendar, result: ExperimentResult) -> str:
    """Return the name of the figure that shows effects over time."""
    if effects.kind == "trend":
        return f"trend/{effects.metric}/{effects.arm}"
    return "days" if len(result.days) == 1 else f"days/{effects.arm}"


def course_of(effects: Trend | Calendar, result: ExperimentResult) -> str:
    """Return what is said of an effect over time.

    Since exposure it is steady, grows or fades; by day it is alike, differs, or is unknown where it
    is not used.
    """
    if effects.p_value is None or (effects.kind == "days" and result.broken):
        return "unknown"
    changes = effects.p_value <= result.plan.alpha
    if isinstance(effects, Calendar):
        return "differ" if changes else "alike"
    mean = sum(span.difference or 0.0 for span in effects.spans)
    grows = ((effects.slope or 0.0) > 0) == (mean > 0)
    return "steady" if not changes else "grows" if grows else "fades"


def is_share(comparison: Comparison) -> bool:
    """Return whether a metric is told as a percentage, its difference in percentage points."""
    return scale_of(comparison.type) == "share"


def bounded(comparison: Comparison) -> bool:
    """Return whether the lift has an interval with two ends."""
    return comparison.lift is not None and None not in comparison.lift_interval


def _telling(interval: Interval, scale: float, significant: int) -> int:
    """Return the decimals at which half the interval's width still shows so many digits."""
    low, high = interval
    if low is None or high is None:
        return 0
    return decimals((high - low) / 2 * scale, significant)
