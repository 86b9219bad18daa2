"""How many units a comparison of two means needs."""

from collections.abc import Callable
from math import ceil, exp, inf, isfinite, isinf, isnan, pi, sqrt

from scipy.special import nctdtr, ndtr, ndtri, stdtrit

_SMALLEST_ARM = 2  # a sample variance needs two units
_HALVINGS = 200
_PRECISION = 1e-13
_WHOLE = 1e-7  # a solution this close above a whole unit is that unit


def units_needed(
    standard_deviation: float,
    difference: float,
    alpha: float,
    power: float,
    weights: tuple[float, float] = (1, 1),
) -> int:
    """Give the number of units over two arms that a two-sided t test of their means needs.

    Parameters
    ----------
    standard_deviation : float
        Standard deviation of the metric between units, in metric units, the same in both arms.
    difference : float
        Smallest difference of the means to be found, in metric units; its sign does not matter.
    alpha : float
        Two-sided significance level, between 0 and 1.
    power : float
        Probability to find that difference, above alpha and below 1.
    weights : tuple of float
        Designed weights of the two arms, on any common scale.

    Returns
    -------
    int
        Units over both arms, each arm's share rounded up, at least 2 units an arm.

    Raises
    ------
    ValueError
        When an input is impossible.

    Examples
    --------
    >>> units_needed(standard_deviation=1, difference=0.5, alpha=0.05, power=0.8)
    128

    Sources
    -------
    Cohen (1988), table 2.4.1 (64 units an arm in the example); noncentral t as in Owen (1965).
    """
    _require_inputs(standard_deviation, difference, alpha, power, weights)
    shares = [weight / sum(weights) for weight in weights]
    effect_per_root_unit = abs(difference) / standard_deviation * sqrt(shares[0] * shares[1])

    def reached(units: float) -> bool:
        return t_power(effect_per_root_unit * sqrt(units), units - 2, alpha) >= power

    enough = least(reached, _SMALLEST_ARM / min(shares))
    return sum(ceil(enough * share - _WHOLE) for share in shares)


def exaggeration(size: float, standard_error: float, alpha: float) -> tuple[float, float]:
    """Give how far significant estimates overstate a true effect on average, and the power.

    Parameters
    ----------
    size : float
        The true effect, in metric units, above 0.
    standard_error : float
        Of its estimate, in metric units, above 0.
    alpha : float
        Two-sided significance level.

    Returns
    -------
    tuple of float
        Mean size of a significant estimate over the true effect (1.13 at a power of .8), the power.

    Examples
    --------
    >>> ratio, power = exaggeration(size=2.8, standard_error=3.3, alpha=0.05)
    >>> f"{ratio:.1f} times, power {power:.2f}"
    '2.9 times, power 0.14'

    Sources
    -------
    Gelman and Carlin (2014), type M error, for normal estimates.
    """
    true, critical = size / standard_error, float(ndtri(1 - alpha / 2))
    above, below = (float(ndtr(sign * true - critical)) for sign in (1, -1))
    density = [exp(-((critical - sign * true) ** 2) / 2) / sqrt(2 * pi) for sign in (1, -1)]
    power = above + below
    return (true * (above - below) + sum(density)) / (power * true), power


def t_power(
    noncentrality: float,
    degrees_of_freedom: float,
    alpha: float,
    sides: int = 2,
    stretch: float = 1.0,
) -> float:
    """Return the power of a t test at a two-sided level; infinite degrees of freedom: a normal one.

    Parameters
    ----------
    noncentrality : float
        True effect over the true standard error of its estimate.
    degrees_of_freedom, alpha : float
    sides : int
        1 counts only the rejections on the side of the effect.
    stretch : float
        Standard error that the test uses, over the true one.
    """
    critical = float(stdtrit(degrees_of_freedom, 1 - alpha / 2)) * stretch
    if isinf(degrees_of_freedom):
        right, left = (float(ndtr(side * noncentrality - critical)) for side in (1, -1))
    else:
        right = 1.0 - float(nctdtr(degrees_of_freedom, noncentrality, critical))
        left = float(nctdtr(degrees_of_freedom, noncentrality, -critical))
    # scipy gives nan for a tail below 1e-16
    return right if sides == 1 or isnan(left) else right + left


def least(reached: Callable[[float], bool], low: float, most: float = inf) -> float:
    """Return the least value from ``low`` on that reaches something; ``most`` where none does."""
    enough = low
    while not reached(enough):
        if enough >= most:
            return most
        low, enough = enough, min(2 * enough, most)
    for _ in range(_HALVINGS):
        middle = (low + enough) / 2
        if enough - low <= _PRECISION * enough:
            break
        low, enough = (low, middle) if reached(middle) else (middle, enough)
    return enough


def _require_inputs(
    standard_deviation: float,
    difference: float,
    alpha: float,
    power: float,
    weights: tuple[float, float],
) -> None:
    if not (isfinite(standard_deviation) and standard_deviation > 0):
        raise ValueError(f"standard_deviation == {standard_deviation}, must be > 0.")
    if not isfinite(difference) or difference == 0:
        raise ValueError(f"difference == {difference}, must be a finite number other than 0.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be > 0 and < 1.")
    if not alpha < power < 1:
        raise ValueError(f"power == {power}, must be > alpha == {alpha} and < 1.")
    for position, weight in enumerate(weights):
        if not (isfinite(weight) and weight > 0):
            raise ValueError(f"weights[{position}] == {weight}, must be > 0.")
