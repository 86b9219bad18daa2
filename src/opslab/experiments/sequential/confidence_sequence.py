"""Confidence sequences: an interval and a p-value that hold at every look, however many."""

from math import exp, inf, log, sqrt
from sys import float_info

from opslab.experiments.sequential.spending import within


def multiplier(n: float, planned: float, alpha: float) -> float:
    """Return how many standard errors the interval reaches to either side at this look.

    The estimate ± so many of its own standard errors holds the effect at all looks together, but
    for a chance of `alpha`. The proof lets the number of units grow; the first look has to be late
    enough for a normal approximation.

    Parameters
    ----------
    n : float
        Units of the compared pair by this look, both arms together.
    planned : float
        The number fixed beforehand, at which the sequence is narrowest; it costs width, never
        validity.
    alpha : float
        Two-sided error rate over all looks together.

    Returns
    -------
    float
        Above the normal quantile of a single look.

    Raises
    ------
    ValueError
        When a number is out of its range.

    Examples
    --------
    >>> [f"{multiplier(n, 10_000, 0.05):.3f}" for n in (500, 10_000, 100_000)]
    ['4.719', '3.035', '3.242']

    Sources
    -------
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021, arXiv 2103.06476), theorem on the
    asymptotic confidence sequence, and appendix on the mixture's parameter.
    """
    weight = _weight(n, planned, alpha)
    return sqrt(2 * (weight + 1) / weight * log(sqrt(weight + 1) / alpha))


def always_valid_p(statistic: float, n: float, planned: float, alpha: float) -> float:
    """Return the p-value of one look that may be taken at any time.

    It is `alpha` or less exactly when the interval of `multiplier` leaves out 0. Of several looks
    the smallest so far counts.

    Parameters
    ----------
    statistic : float
        Estimate over its standard error.
    n, planned : float
        As in `multiplier`.
    alpha : float
        The design's, for which the sequence is narrowest.

    Returns
    -------
    float
        Above 0, at most 1.

    Raises
    ------
    ValueError
        When a number is out of its range.

    Examples
    --------
    >>> f"{always_valid_p(3.0, 10_000, 10_000, 0.05):.4f}"
    '0.0549'

    Sources
    -------
    The closed inverse of `multiplier` in its error rate, the spread held fast; Johari, Koomen,
    Pekelis and Walsh (2022), for the running minimum.
    """
    within(-inf, inf, statistic=statistic)
    weight = _weight(n, planned, alpha)
    p_value = sqrt(weight + 1) * exp(-(statistic**2) * weight / (2 * (weight + 1)))
    return max(min(p_value, 1.0), float_info.min)


def _weight(n: float, planned: float, alpha: float) -> float:
    within(0, 1, alpha=alpha)
    within(0, inf, n=n, planned=planned)
    return n / planned * (log(1 - 2 * log(alpha)) - 2 * log(alpha))
