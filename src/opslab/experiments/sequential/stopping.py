"""What may be said when a group sequential test has stopped, and at each of its looks."""

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

from scipy.optimize import brentq
from scipy.special import ndtr

from opslab.experiments.sequential.boundaries import Boundaries, boundaries, checked, crossing
from opslab.experiments.sequential.spending import Family, within

_LARGEST = 30.0


class Stopped(NamedTuple):
    """What a stopped test says of the effect, by the stagewise ordering.

    Attributes
    ----------
    p_value : float
        Two-sided.
    median : float
        The effect at which a result this large comes half of the time, in standard errors of the
        estimate at the last look, as its z is.
    low, high : float
        Of the equal-tailed interval, in the same unit.
    """

    p_value: float
    median: float
    low: float
    high: float


def after_stopping(
    statistics: Sequence[float],
    information: Sequence[float],
    efficacy: Sequence[float],
    alpha: float,
) -> Stopped:
    """Return p-value, median-unbiased estimate and interval of a test that ended at its last look.

    An effect found at an earlier look is more extreme than any found later, and at one look the
    larger z is. The interval leaves out 0 exactly when a boundary was crossed, if the last look
    spends all of alpha. A stop without hope counts as a look that was the last.

    Parameters
    ----------
    statistics : sequence of float, one per look
        z at the looks; all but the last within the boundaries.
    information : sequence of float
        At the looks, increasing, on any scale.
    efficacy : sequence of float
        Two-sided boundaries of z at the looks; the last one is not used.
    alpha : float
        Two-sided error rate of the interval.

    Returns
    -------
    Stopped

    Raises
    ------
    ValueError
        When an earlier look crossed its boundary, or a number is not finite.

    Examples
    --------
    >>> stopped = after_stopping((1.2, 3.1), (0.5, 1), (2.963, 1.969), 0.05)
    >>> " ".join(f"{number:.3f}" for number in stopped)
    '0.005 3.038 0.990 5.024'

    Sources
    -------
    Tsiatis, Rosner and Mehta (1984); Jennison and Turnbull (2000), sections 8.4 and 8.5.
    """
    within(0, 1, alpha=alpha)
    last, times = statistics[-1], checked([share / information[-1] for share in information])
    within(-1e6, 1e6, last_statistic=last)
    *earlier, _ = zip(statistics, efficacy, times, strict=True)
    for statistic, bound, _ in earlier:
        within(-bound, bound, earlier_statistic=statistic)
    seen = Boundaries(times, (*efficacy[:-1], last), (None,) * len(times), ())

    def larger(effect: float) -> float:
        return sum(crossing(seen, effect).upper)

    def effect(chance: float) -> float:
        return float(brentq(lambda at: larger(at) - chance, min(last, 0) - 10, max(last, 0) + 10))

    side = larger(0.0)
    return Stopped(2 * min(side, 1 - side), effect(0.5), effect(alpha / 2), effect(1 - alpha / 2))


def repeated_p(
    statistic: float,
    information: Sequence[float],
    family: Family = "obrien_fleming",
    exponent: float | None = None,
    *,
    final: bool = False,
) -> float:
    """Return the p-value of a look that holds however the test goes on.

    It is the smallest error rate at which the boundary of this look would have been crossed.

    Parameters
    ----------
    statistic : float
        z at the last of the looks.
    information : sequence of float
        Shares of the planned information at the looks so far, as in `boundaries`.
    family, exponent, final
        As in `boundaries`.

    Returns
    -------
    float
        Two-sided, 1 for a z near 0; a z beyond 30 counts as 30.

    Raises
    ------
    ValueError
        As `boundaries`.

    Examples
    --------
    >>> f"{repeated_p(2.963, (0.25, 0.5)):.4f}"
    '0.0500'

    Sources
    -------
    Jennison and Turnbull (2000), section 9.5.
    """
    statistic = min(abs(statistic), _LARGEST)

    def short(logarithm: float) -> float:
        bounds = boundaries(information, exp(logarithm), family, exponent, final=final)
        return bounds.efficacy[-1] - statistic

    lowest = log(ndtr(-statistic))  # half of what a single look says
    return 1.0 if short(-1e-9) >= 0 else exp(brentq(short, lowest, -1e-9, xtol=1e-10))
