"""How large an effect is: beside the smallest worth finding, in a week, and what luck adds."""

from __future__ import annotations

from typing import Literal, NamedTuple

from opslab.experiments.inference.comparisons import error_of
from opslab.experiments.inference.power import exaggeration
from opslab.experiments.result import Comparison, ExperimentResult

_WEEK = 7


class Weekly(NamedTuple):
    """What an effect adds up to in a week.

    Attributes
    ----------
    units : float
        Units that came in a week, over all arms.
    value : float
        Change of the metric's total over these units, were all of them in the arm.
    low : float
    high : float
    """

    units: float
    value: float
    low: float
    high: float


def smallest(comparison: Comparison) -> float | None:
    """Return the smallest effect worth finding, in the metric's unit; None where none is declared.

    A relative one has no size where the control's estimate is 0.
    """
    kind, size = comparison.mde or ("", 0.0)
    if kind == "relative":
        size *= abs(comparison.estimate[1] or 0.0)
    return size or None


def beside_smallest(comparison: Comparison) -> Literal["above", "around", "below"] | None:
    """Return where the interval lies to the smallest effect worth finding; None where it is open.

    Examples
    --------
    >>> beside_smallest(
    ...     Comparison(
    ...         "orders", "primary", "mean", "increase", "new", "old", (9, 9), (0, 0),
    ...         difference_interval=(0.1, 0.4), mde=("absolute", 0.2),
    ...     )
    ... )
    'around'
    """
    size, (low, high) = smallest(comparison), comparison.difference_interval
    if size is None or low is None or high is None:
        return None
    low, high = (low, high) if comparison.goal == "increase" else (-high, -low)
    return "above" if low >= size else "below" if high < size else "around"


def weekly(result: ExperimentResult, comparison: Comparison) -> Weekly | None:
    """Return what a difference between units comes to over those of a week.

    None without a period, for a ratio or a quantile, which do not add up, and under a cap.
    """
    plan = result.plan
    apart = {"ratio", "quantile"}.intersection((comparison.method or "").split("_"))
    if plan.rows == "totals" and comparison.type != "ratio":
        apart = set()
    effect = comparison.diluted if plan.trigger else comparison
    if apart or comparison.uncapped or effect is None or plan.start is None or plan.end is None:
        return None
    low, high = effect.difference_interval
    days = (min(result.data_used.known_until or plan.end, plan.end) - plan.start).days + 1
    if effect.difference is None or low is None or high is None or days < 1:
        return None
    units = known = sum(arm.units for arm in result.arms) * _WEEK / days
    if plan.rows == "unit" and any("bounds" in note.key for note in comparison.notes):
        # Empty values were left out: as many of the units as had one get the effect.
        known *= sum(comparison.n) / sum((*comparison.n, *comparison.missing))
    return Weekly(units, *(known * amount for amount in (effect.difference, low, high)))


def overstated(result: ExperimentResult, comparison: Comparison) -> float | None:
    """Return how far a win overstates the smallest effect worth finding, were that the true one.

    None where nothing was won, where the test is as strong as the design asks for, where the
    interval lies above that effect, and for designs that may stop on the way.
    """
    size, alpha = smallest(comparison), result.plan.alpha
    error = error_of(comparison, alpha)
    fixed = result.plan.method == "fixed"
    if not fixed or comparison.verdict != "won" or size is None or error is None:
        return None
    if beside_smallest(comparison) == "above":
        return None
    ratio, power = exaggeration(size, error, alpha)
    return ratio if power < result.plan.power else None
