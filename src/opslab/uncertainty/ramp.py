"""How a change comes into use, month by month, and how it wears off."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from opslab.uncertainty.distributions import Values

_SOON, _STEPS = 1e-6, 60


def logistic(month: Values, to_90: float) -> Values:
    """Return the share in use at a moment: 10 % at month 0, 90 % at `to_90`, S-shaped.

    1 / (1 + exp(-k (t - t50))) with k = ln(81) / (t90 - t10).

    Parameters
    ----------
    month : array
        Moments in months since the start.
    to_90 : float
        Months until nine in ten use it; 0: all from the start.
    """
    if to_90 < _SOON:
        return np.ones(np.shape(month))
    return np.asarray(expit(math.log(81) / to_90 * (month - to_90 / 2)))


def bass(month: Values, p: float, q: float) -> Values:
    """Return the share in use at a moment after Bass (1969): (1 - e^-(p+q)t) / (1 + q/p e^-(p+q)t).

    Parameters
    ----------
    month : array
    p, q : float
        Innovation (above 0) and imitation, per month; the pace peaks at ln(q/p) / (p+q).
    """
    fading = np.exp(-(p + q) * np.asarray(month, dtype=np.float64))
    return np.asarray((1 - fading) / (1 + q / p * fading))


def by_month(curve: Callable[[Values], Values], months: int) -> Values:
    """Return the mean of a curve over each month (60 midpoints), not its value at the end."""
    moments = np.arange(months)[:, None] + (np.arange(_STEPS) + 0.5) / _STEPS
    return np.asarray(curve(moments).mean(axis=1))


def power_sum(weights: Values, factor: Values) -> Values:
    """Return the sum over months t of weights[t] factor^t, for each draw of the factor.

    By Horner's rule: the months are gone after it: no array of months times draws is ever made.
    """
    total = np.zeros(np.shape(factor))
    for weight in weights[::-1]:
        total *= factor
        total += weight
    return total
