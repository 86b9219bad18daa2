"""What is believed after the data: chances, expected losses and intervals, all without drawing."""

from math import exp, inf, pi, sqrt
from typing import Literal, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincc, betaincinv, ndtr

from opslab.experiments.sequential.spending import within

_REACH, _STEP = 9.0, 0.02
"""Normal scores of a share that are looked at."""
_HIGHEST_LIFT = 1e12


class DecisionValues(NamedTuple):
    """What a posterior says of shipping.

    Attributes
    ----------
    win : float
        Chance that the effect is in the direction of the goal.
    exceed : float or None
        Chance that it is beyond the threshold.
    loss_shipping, loss_keeping : float
        Expected loss of shipping, of the effects against the goal; and of keeping the control, of
        those in its direction. Their difference is the expected effect.
    """

    win: float
    exceed: float | None
    loss_shipping: float
    loss_keeping: float


class BetaPosterior(NamedTuple):
    """What the posteriors of two shares say of their difference, or of the relative lift.

    Attributes
    ----------
    values : DecisionValues
    mean : float
        Expected difference; relative to the control's expected share where the scale is.
    low, high : float
        Of the equal-tailed credible interval.
    """

    values: DecisionValues
    mean: float
    low: float
    high: float


def decision_values(
    mean: float, sd: float, goal_sign: Literal[1, -1], threshold: float | None = None
) -> DecisionValues:
    """Return chances and expected losses of a normal posterior.

    Parameters
    ----------
    mean, sd : float
        Of the posterior; sd above 0.
    goal_sign : {1, -1}
        1 where more is better.
    threshold : float or None
        Size of an effect in the direction of the goal.

    Returns
    -------
    DecisionValues

    Raises
    ------
    ValueError
        When sd is not above 0.

    Examples
    --------
    >>> values = decision_values(0.02, 0.01, 1, 0.01)
    >>> " ".join(f"{number:.6f}" for number in values)
    '0.977250 0.841345 0.000085 0.020085'

    Sources
    -------
    The unit normal loss integral (Raiffa and Schlaifer 1961).
    """
    within(0, inf, sd=sd)
    mean *= goal_sign
    density = sd * exp(-((mean / sd) ** 2) / 2) / sqrt(2 * pi)
    return DecisionValues(
        float(ndtr(mean / sd)),
        None if threshold is None else float(ndtr((mean - threshold) / sd)),
        max(density - mean * float(ndtr(-mean / sd)), 0.0),
        max(density + mean * float(ndtr(mean / sd)), 0.0),
    )


def beta_posteriors(
    successes: int,
    units: int,
    successes_control: int,
    units_control: int,
    prior: tuple[float, float] = (1, 1),
    *,
    goal_sign: Literal[1, -1] = 1,
    threshold: float | None = None,
    relative: bool = False,
    alpha: float = 0.05,
) -> BetaPosterior:
    """Return what two proportions say with one Beta prior for both.

    Everything is an integral over the share that is known better, by the trapezoidal rule on the
    scale of its normal scores.

    Parameters
    ----------
    successes, units, successes_control, units_control : int
    prior : tuple of float
        Successes and failures that each share starts from.
    goal_sign : {1, -1}
        1 where more is better.
    threshold : float or None
        Size of an effect in the direction of the goal.
    relative : bool
        Whether threshold, losses and interval are those of the lift: shares of the control's value.
        The losses are then relative to the control's expected share.
    alpha : float
        The interval has level 1 - alpha.

    Returns
    -------
    BetaPosterior

    Raises
    ------
    ValueError
        When counts or the prior are impossible.

    Examples
    --------
    >>> posterior = beta_posteriors(120, 1000, 100, 1000)
    >>> f"{posterior.values.win:.4f} [{posterior.low:.4f}, {posterior.high:.4f}]"
    '0.9232 [-0.0075, 0.0475]'

    Sources
    -------
    Gelman and others, Bayesian Data Analysis, section 2.4; Kawasaki and Miyaoka (2012), for the
    comparison.
    """
    within(0, 1, alpha=alpha)
    a, b = prior[0] + successes, prior[1] + units - successes
    c, d = prior[0] + successes_control, prior[1] + units_control - successes_control
    within(0, inf, successes=a, failures=b, successes_control=c, failures_control=d)
    mean, mean_control = a / (a + b), c / (c + d)
    scores = np.arange(-_REACH, _REACH, _STEP)
    weights = np.exp(-(scores**2) / 2)
    weights /= weights.sum()
    shares, control = (betaincinv(*pair, ndtr(scores)) for pair in ((a, b), (c, d)))
    middle = slice(len(scores) * 4 // 9, len(scores) * 5 // 9)
    known_better = np.ptp(shares[middle]) < np.ptp(control[middle])

    def above(effect: float) -> float:
        add, factor = (0.0, 1 + effect) if relative else (effect, 1.0)
        if known_better:
            return float(weights @ betainc(c, d, np.clip((shares - add) / factor, 0, 1)))
        return float(weights @ betaincc(a, b, np.clip(control * factor + add, 0, 1)))

    def toward_goal(size: float) -> float:
        return above(size) if goal_sign > 0 else 1 - above(-size)

    def at(chance: float) -> float:
        highest = _HIGHEST_LIFT if relative else 1.0
        return float(brentq(lambda effect: above(effect) - chance, 1e-12 - 1, highest))

    below = weights @ (control * betainc(a, b, control) - mean * betainc(a + 1, b, control))
    losses = [max(float(loss), 0.0) for loss in (below, below + mean - mean_control)][::goal_sign]
    unit = mean_control if relative else 1.0
    beyond = None if threshold is None else toward_goal(threshold)
    values = DecisionValues(toward_goal(0.0), beyond, *(loss / unit for loss in losses))
    return BetaPosterior(values, (mean - mean_control) / unit, at(1 - alpha / 2), at(alpha / 2))
