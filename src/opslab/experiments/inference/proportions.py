"""Two proportions from counts: the score test and the Miettinen-Nurminen intervals that invert it.

The test and both intervals use one statistic, so an interval excludes 0 exactly when the test
rejects.
"""

from collections.abc import Callable
from functools import partial
from math import acos, copysign, cos, inf, pi, sqrt
from typing import Literal, NamedTuple

from scipy.special import ndtr, ndtri

_HALVINGS = 100  # more than a double has bits; the search stops as soon as it can no longer halve
_POLISHING_STEPS = 3


class ScoreTest(NamedTuple):
    """Two-sided score test that two proportions are equal.

    Attributes
    ----------
    statistic : float
        Standard normal score; positive when the arm's proportion is the larger.
    p_value : float
        Two-sided p-value.
    """

    statistic: float
    p_value: float


class Counts(NamedTuple):
    """Counts of two arms.

    Attributes
    ----------
    successes_arm : int
        Units with the outcome.
    n_arm : int
        Units, at least 1.
    successes_control : int
    n_control : int
    """

    successes_arm: int
    n_arm: int
    successes_control: int
    n_control: int

    @property
    def failures(self) -> tuple[int, int]:
        """Units without the outcome, in the arm and in the control."""
        return self.n_arm - self.successes_arm, self.n_control - self.successes_control

    @property
    def fewest(self) -> int:
        """The smallest number of successes or failures in either arm."""
        return min(self.successes_arm, self.successes_control, *self.failures)


def score_test(successes_arm: int, n_arm: int, successes_control: int, n_control: int) -> ScoreTest:
    """Test that two proportions are equal, from counts.

    The square of the statistic is Pearson's chi-square times (N - 1) / N, N being both arms
    together.

    Parameters
    ----------
    successes_arm, successes_control : int
        Numbers of units with the outcome.
    n_arm, n_control : int
        Numbers of units, at least 1 each.

    Returns
    -------
    ScoreTest
        Statistic and two-sided p-value. Where no unit or every unit has the outcome the counts hold
        no evidence of a difference: statistic 0, p-value 1; the intervals then tell how little is
        known.

    Raises
    ------
    ValueError
        When a count is negative, a number of units is 0 or successes exceed units.

    Examples
    --------
    >>> result = score_test(56, 70, 48, 80)
    >>> f"z = {result.statistic:.3f}, p = {result.p_value:.4f}"
    'z = 2.641, p = 0.0083'

    Sources
    -------
    Miettinen and Nurminen (1985), equations 8 and 9 at a difference of 0.
    """
    counts = _counts(successes_arm, n_arm, successes_control, n_control)
    statistic = score_difference(0.0, counts)
    return ScoreTest(statistic, 2.0 * float(ndtr(-abs(statistic))))


def miettinen_nurminen_difference(
    successes_arm: int, n_arm: int, successes_control: int, n_control: int, level: float = 0.95
) -> tuple[float, float]:
    """Give the interval of the difference of two proportions by inverting the score test.

    Parameters
    ----------
    successes_arm, successes_control : int
        Numbers of units with the outcome.
    n_arm, n_control : int
        Numbers of units, at least 1 each.
    level : float
        Confidence level of the two-sided interval, between 0 and 1.

    Returns
    -------
    tuple of float
        Lower and upper limit of arm - control, between -1 and 1 (0.01 is one percentage point).

    Raises
    ------
    ValueError
        When the counts or the level are impossible.

    Examples
    --------
    >>> low, high = miettinen_nurminen_difference(56, 70, 48, 80)
    >>> f"{low:.4f} to {high:.4f}"
    '0.0528 to 0.3382'

    Sources
    -------
    Miettinen and Nurminen (1985), equations 8 and 9, appendix 1; the example is Newcombe (1998),
    table II.
    """
    counts = _counts(successes_arm, n_arm, successes_control, n_control)
    quantile = _normal_quantile(level)

    score = partial(score_difference, counts=counts)
    estimate = successes_arm / n_arm - successes_control / n_control
    return _crossing(score, estimate, -1.0, quantile), _crossing(score, estimate, 1.0, quantile)


def miettinen_nurminen_lift(
    successes_arm: int, n_arm: int, successes_control: int, n_control: int, level: float = 0.95
) -> tuple[float, float | None]:
    """Give the interval of the relative lift of two proportions by inverting the score test.

    Parameters
    ----------
    successes_arm, successes_control : int
        Numbers of units with the outcome.
    n_arm, n_control : int
        Numbers of units, at least 1 each.
    level : float
        Confidence level of the two-sided interval, between 0 and 1.

    Returns
    -------
    tuple of (float, float or None)
        Lower and upper limit of arm / control - 1, as fractions, -1 or more. The upper limit is
        None, unbounded, when the control has no success.

    Raises
    ------
    ValueError
        When the counts or the level are impossible.

    Examples
    --------
    >>> low, high = miettinen_nurminen_lift(56, 70, 48, 80)
    >>> f"{low:+.1%} to {high:+.1%}"
    '+7.9% to +67.2%'

    Sources
    -------
    Miettinen and Nurminen (1985), equations 10 to 12.
    """
    counts = _counts(successes_arm, n_arm, successes_control, n_control)
    quantile = _normal_quantile(level)

    score = partial(score_ratio, counts=counts)
    proportion_control = successes_control / n_control
    if proportion_control > 0:
        estimate = successes_arm / n_arm / proportion_control
        beyond = _first_doubling(lambda ratio: score(ratio) < -quantile, 2.0 * max(1.0, estimate))
        high = _crossing(score, estimate, beyond, quantile) - 1.0
    else:
        estimate = _first_doubling(lambda ratio: score(ratio) <= quantile, 1.0)
        high = None
    low = _crossing(score, estimate, 0.0, quantile) - 1.0 if successes_arm else -1.0
    return low, high


def non_inferiority_p(
    successes_arm: int,
    n_arm: int,
    successes_control: int,
    n_control: int,
    margin: float,
    goal: Literal["increase", "decrease"],
    *,
    relative: bool,
) -> float:
    """Return the one-sided score p-value of "worse than the control by the margin or more".

    Parameters
    ----------
    successes_arm, n_arm, successes_control, n_control : int
        Counts.
    margin : float
        Largest loss that is still acceptable, above 0: a difference of proportions, or a fraction
        of the control's proportion when relative.
    goal : {"increase", "decrease"}
        Direction in which the metric is good.
    relative : bool

    Returns
    -------
    float
        Below alpha / 2 exactly when the Miettinen-Nurminen interval at level 1 - alpha clears the
        margin.

    Raises
    ------
    ValueError
        When a count or the margin is impossible.

    Examples
    --------
    >>> round(non_inferiority_p(80, 100, 82, 100, 0.1, "increase", relative=False), 4)
    0.0766

    Sources
    -------
    Farrington and Manning (1990), with the variance factor of Miettinen and Nurminen (1985).
    """
    counts = _counts(successes_arm, n_arm, successes_control, n_control)
    if not margin > 0:
        raise ValueError(f"margin == {margin}, must be > 0.")
    worse = -margin if goal == "increase" else margin
    if relative:
        statistic = score_ratio(max(1 + worse, 0.0), counts)
    else:
        statistic = score_difference(min(max(worse, -1.0), 1.0), counts)
    return float(ndtr(-statistic if goal == "increase" else statistic))


def score_difference(difference: float, counts: Counts) -> float:
    """Return the score statistic of "arm - control = difference"."""
    successes_arm, n_arm, successes_control, n_control = counts
    if difference < 0:  # the same question with the labels swapped
        swapped = Counts(successes_control, n_control, successes_arm, n_arm)
        return -score_difference(-difference, swapped)
    control = _constrained_control(difference, counts)
    arm = min(control + difference, 1.0)
    variance = arm * (1 - arm) / n_arm + control * (1 - control) / n_control
    distance = successes_arm / n_arm - successes_control / n_control - difference
    return _standardised(distance, variance, n_arm + n_control)


def score_ratio(ratio: float, counts: Counts) -> float:
    """Return the score statistic of "arm / control = ratio"."""
    successes_arm, n_arm, successes_control, n_control = counts
    total, successes = n_arm + n_control, successes_arm + successes_control
    failures_arm, failures_control = counts.failures
    # The maximum of the likelihood on arm = ratio x control is the smaller root of a quadratic; its
    # discriminant is written as a sum of squares and the root by its conjugate, so nothing cancels.
    linear = n_arm * ratio + successes_arm + n_control + successes_control * ratio
    discriminant = (
        total * (1 - ratio) - failures_arm + ratio * failures_control
    ) ** 2 + 4 * ratio * failures_arm * failures_control
    control = min(2 * successes / (linear + sqrt(discriminant)), 1.0)
    arm = min(ratio * control, 1.0)
    variance = arm * (1 - arm) / n_arm + ratio**2 * control * (1 - control) / n_control
    distance = successes_arm / n_arm - ratio * (successes_control / n_control)
    return _standardised(distance, variance, total)


def _constrained_control(difference: float, counts: Counts) -> float:
    """Return the control's likeliest proportion given arm = control + difference, which is >= 0."""
    successes_arm, n_arm, successes_control, n_control = counts
    total, successes = n_arm + n_control, successes_arm + successes_control
    if difference == 0:
        return successes / total
    largest = 1.0 - difference
    square = ((n_arm + 2 * n_control) * difference - total - successes) / (3 * total)
    linear = (
        (n_control * difference - total - 2 * successes_control) * difference + successes
    ) / total
    constant = successes_control * difference * largest / total
    cube = square**3 - linear * square / 2 + constant / 2
    radius = copysign(sqrt(max(square**2 - linear / 3, 0.0)), cube)
    angle = acos(max(-1.0, min(1.0, cube / radius**3))) if radius else 0.0
    control = min(max(2 * radius * cos((pi + angle) / 3) - square, 0.0), largest)
    # Rare outcomes put two roots of the cubic side by side, where the arc cosine loses half its
    # digits; Newton's steps on the factored likelihood equation bring them back.
    failures_arm, failures_control = counts.failures
    for _ in range(_POLISHING_STEPS):
        a, b, c, d = control, 1.0 - control, control + difference, largest - control
        value = (
            successes_control * b * c * d
            - failures_control * a * c * d
            + successes_arm * a * b * d
            - failures_arm * a * b * c
        )
        slope = (
            successes_control * (b * d - c * d - b * c)
            - failures_control * (c * d + a * d - a * c)
            + successes_arm * (b * d - a * d - a * b)
            - failures_arm * (b * c + a * b - a * c)
        )
        if slope >= 0:
            break
        control = min(max(control - value / slope, 0.0), largest)
    return control


def _standardised(distance: float, variance: float, total: int) -> float:
    """Return distance in standard errors; a certain miss is infinitely far, an exact hit 0."""
    if variance > 0:
        return distance / sqrt(variance * total / (total - 1))
    return copysign(inf, distance) if distance else 0.0


def _crossing(
    score: Callable[[float], float], inside: float, outside: float, quantile: float
) -> float:
    """Return the value nearest to `outside` whose score is still within the quantile."""
    if abs(score(outside)) <= quantile:
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        if abs(score(middle)) <= quantile:
            inside = middle
        else:
            outside = middle
    return inside


def _first_doubling(reached: Callable[[float], bool], value: float) -> float:
    while not reached(value):
        value *= 2
    return value


def _normal_quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level == {level}, must be > 0 and < 1.")
    return -float(ndtri((1.0 - level) / 2.0))


def _counts(successes_arm: int, n_arm: int, successes_control: int, n_control: int) -> Counts:
    sides = {"arm": (successes_arm, n_arm), "control": (successes_control, n_control)}
    for arm, (successes, n) in sides.items():
        if not n >= 1:
            raise ValueError(f"n_{arm} == {n}, must be >= 1.")
        if not 0 <= successes <= n:
            raise ValueError(f"successes_{arm} == {successes}, must be >= 0 and <= {n}.")
    return Counts(successes_arm, n_arm, successes_control, n_control)
