"""How long things take where some are still open, some were given up, and some came in late."""

from __future__ import annotations

from math import log, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

_Z = float(ndtri(0.975))
_FEW = 5
_CLOSE = 1e-9  # 17 of 20 are 85 %, whatever their sum is as a float


class Curve(NamedTuple):
    """Shares done, given up and open, after each day on which something ended.

    Attributes
    ----------
    days : array
    waiting : array
        Share still open after each.
    at_risk, ended : array of int
        How many were watched and open, and how many of them ended, either way.
    done, cancelled : array
        Shares that ended so after each: with `waiting` they add up to one.
    error : array
        Standard error of `done`.
    longest : float
        Days up to which anything is known.
    thin : float
        First of the days on which fewer than 5 were at risk while others were still to come in:
        what ends then moves the curve by much, whatever comes later. Infinite where there is none.
    """

    days: Any
    waiting: Any
    at_risk: Any
    ended: Any
    done: Any
    cancelled: Any
    error: Any
    longest: float
    thin: float


def kaplan_meier(days: Any, ended: Any, entry: Any = 0) -> Curve:
    """Estimate which share is still open after so many days, where there is one way to end.

    Parameters
    ----------
    days : sequence of float
        Until each ended, or until it was last seen.
    ended : sequence of bool
        Whether it did; an open one is censored.
    entry : sequence of float, optional
        Days after which each was first watched; 0 or less: from the beginning on.

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
    return aalen_johansen(days, np.asarray(ended, bool), entry)


def aalen_johansen(days: Any, outcome: Any, entry: Any = 0) -> Curve:
    """Estimate the shares done, given up and open after so many days.

    What was given up can never be done: it competes, it is not censored.

    Parameters
    ----------
    days : sequence of float
        Until each ended, or until it was last seen; those with NaN are left out.
    outcome : sequence of int
        0: still open, censored; 1: done; 2: cancelled.
    entry : sequence of float, optional
        Days after which each was first watched; 0 or less: from the beginning on. What ended by
        then is left out. Where all that are watched end before others come in, nothing is open
        from there on: see `thin` of the curve.

    Returns
    -------
    Curve

    Examples
    --------
    >>> curve = aalen_johansen([2, 3, 4, 5], [1, 2, 1, 0])
    >>> curve.done.tolist(), curve.cancelled.tolist(), curve.waiting.tolist()
    ([0.25, 0.25, 0.5], [0.0, 0.25, 0.25], [0.75, 0.5, 0.25])

    Sources
    -------
    Aalen and Johansen (1978); late entry, and few at risk: Klein and Moeschberger (2003), section
    4.6, and Lai and Ying (1991); variance:
    Marubini and Valsecchi (1995), section 10.2, which is Greenwood's where nothing is cancelled.
    """
    table = np.array(np.broadcast_arrays(days, outcome, entry), float)
    table[2, table[2] <= 0] = -1  # what ends at once is seen too
    spans, ends, since = table[:, table[0] > table[2]]
    at = np.unique(spans[ends > 0])
    done, cancelled = (
        np.bincount(np.searchsorted(at, spans[ends == kind]), minlength=len(at)) for kind in (1, 2)
    )
    ended = done + cancelled
    at_risk = np.searchsorted(np.sort(since), at) - np.searchsorted(np.sort(spans), at)
    waiting = np.cumprod(1 - ended / at_risk)
    share = np.append(1.0, waiting)[:-1] / at_risk
    first, second = np.cumsum(share * done), np.cumsum(share * cancelled)
    hazard = ended / at_risk / np.maximum(at_risk - ended, 1)
    both, step = share * done / at_risk, share**2 * done * (1 - done / at_risk)
    level, slope, square = np.cumsum(
        [hazard, hazard * first + both, (hazard * first + 2 * both) * first + step], axis=1
    )
    error = np.sqrt(np.maximum(level * first**2 - 2 * slope * first + square, 0))
    thin = at[(at_risk < _FEW) & (at < since.max(initial=0))].min(initial=np.inf)
    longest = spans.max(initial=0)
    return Curve(at, waiting, at_risk, ended, first, second, error, float(longest), float(thin))


def quantile(curve: Curve, share: float = 0.5) -> tuple[float | None, float | None, float | None]:
    """Return the day by which a share is done and its 95 % interval, None for what is not reached.

    It is the first day by which so many are done, as in lifelines and statsmodels; where the curve
    is flat at just that share, R's survfit takes the middle to the next. The ends of the interval
    are the first days at which the share is no longer excluded.

    Examples
    --------
    >>> quantile(kaplan_meier([3, 5, 5, 8], [True, True, False, True]))
    (5.0, 3.0, None)

    Sources
    -------
    Brookmeyer and Crowley (1982), on the scale of log(-log) of the share that is not done; with
    competing ends as `cloglog` of R's etm: Allignol, Schumacher and Beyersmann (2011).
    """
    rest = curve.waiting + curve.cancelled
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = -rest * np.log(rest) / curve.error
        far = (np.log(-np.log(rest)) - log(-log(1 - share))) * slope
    ends = (curve.days[at] for at in (curve.done >= share - _CLOSE, far >= -_Z, far > _Z))
    day, low, high = (float(reached[0]) if len(reached) else None for reached in ends)
    return day, low, high


def restricted_mean(curve: Curve, horizon: float) -> tuple[float, float]:
    """Return the average number of days open up to a horizon, and its standard error.

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
    days, waiting, at_risk, ended = (values[inside] for values in curve[:4])
    areas = np.diff([0.0, *days, horizon]) * [1.0, *waiting]
    later = areas[:0:-1].cumsum()[::-1]
    left = np.maximum(at_risk - ended, 1)  # where nothing is left, nothing comes later
    return float(areas.sum()), sqrt(float((later**2 * ended / (at_risk * left)).sum()))


def change(before: Curve, since: Curve) -> tuple[float, float, float, float]:
    """Return days saved on average with their 95 % interval, and the horizon that both reach.

    A group of which none is open is known beyond its longest time.
    """
    curves = (before, since)
    open_yet = [curve.longest for curve in curves if not len(curve.days) or curve.waiting[-1] > 0]
    horizon = min(open_yet or [max(curve.longest for curve in curves)])
    (slow, doubt), (fast, other) = (restricted_mean(curve, horizon) for curve in curves)
    saved, half = slow - fast, _Z * sqrt(doubt**2 + other**2)
    return saved, saved - half, saved + half, horizon
