"""How long it takes from idea to decision, where some ideas are still open."""

from __future__ import annotations

from math import log, sqrt
from typing import Any, NamedTuple

import numpy as np

from opslab.experiments.program.pooling import Z

_HALF = 0.5


class Curve(NamedTuple):
    """The estimate of Kaplan and Meier, at each day on which something was decided.

    Attributes
    ----------
    days : array
    waiting : array
        Share still open after each.
    at_risk, decided : array of int
    longest : float
        Days up to which anything is known.
    """

    days: Any
    waiting: Any
    at_risk: Any
    decided: Any
    longest: float


def kaplan_meier(days: Any, decided: Any) -> Curve:
    """Estimate which share is still open after so many days.

    Parameters
    ----------
    days : sequence of float, one per idea
        Until it was decided, or until today.
    decided : sequence of bool, one per idea
        Whether it was; an open one is censored.

    Returns
    -------
    Curve

    Examples
    --------
    >>> kaplan_meier([3, 5, 5, 8], [True, True, False, True]).waiting.tolist()
    [0.75, 0.5, 0.0]

    Sources
    -------
    Kaplan and Meier (1958).
    """
    spans, over = np.asarray(days, float), np.asarray(decided, bool)
    at, counts = np.unique(spans[over], return_counts=True)
    at_risk = len(spans) - np.searchsorted(np.sort(spans), at)
    return Curve(at, np.cumprod(1 - counts / at_risk), at_risk, counts, float(spans.max()))


def median_days(curve: Curve) -> tuple[float | None, float | None, float | None]:
    """Return the median and its 95 % interval, None for what is not reached.

    Sources
    -------
    Brookmeyer and Crowley (1982), on the scale of log(-log).
    """
    days, waiting, at_risk, decided, _ = curve
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(decided / at_risk / (at_risk - decided)))
        far = (log(log(2)) - np.log(-np.log(waiting))) * np.log(waiting) / error
    ends = (days[passed] for passed in (waiting <= _HALF, far >= -Z, far > Z))
    median, low, high = (float(reached[0]) if len(reached) else None for reached in ends)
    return median, low, high


def restricted_mean(curve: Curve, horizon: float) -> tuple[float, float]:
    """Return the average number of days up to a horizon, and its standard error.

    Examples
    --------
    >>> mean, error = restricted_mean(kaplan_meier([2, 4, 6], [True, True, False]), 6)
    >>> round(mean, 3), round(error, 3)
    (4.0, 0.943)

    Sources
    -------
    Klein and Moeschberger (2003), section 4.5.
    """
    inside = curve.days < horizon
    days, waiting, at_risk, decided = (values[inside] for values in curve[:4])
    areas = np.diff([0.0, *days, horizon]) * [1.0, *waiting]
    later = areas[:0:-1].cumsum()[::-1]
    left = np.maximum(at_risk - decided, 1)  # where nothing is left, nothing comes later
    return float(areas.sum()), sqrt(float((later**2 * decided / (at_risk * left)).sum()))


def change(before: Curve, since: Curve) -> tuple[float, float, float, float]:
    """Return days saved on average with their 95 % interval, and the horizon that both reach.

    A group of which none is open is known beyond its longest time.
    """
    curves = (before, since)
    open_yet = [curve.longest for curve in curves if not len(curve.days) or curve.waiting[-1] > 0]
    horizon = min(open_yet or [max(curve.longest for curve in curves)])
    (slow, doubt), (fast, other) = (restricted_mean(curve, horizon) for curve in curves)
    saved, half = slow - fast, Z * sqrt(doubt**2 + other**2)
    return saved, saved - half, saved + half, horizon
