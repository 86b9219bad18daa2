"""Whether forecasts would have held: made again at earlier days, with what was known by then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import betaincinv

from opslab.uncertainty.proportions import Interval

SAID = 0.85
"""The confidence whose forecasts are looked at."""
AHEAD = 4
"""Weeks that each of them looks ahead, one a week."""


def held(drawn: Any, came: int, said: float = SAID) -> float:
    """Return whether "at least so many", said with 85 %, held: 1, 0, or between them in a tie.

    Counts come in steps: a limit that is said to be reached with 85 % is reached with 90 % as well,
    so that the plain share that held would flatter. Where what came is just the limit, it counts by
    the part of the tie that 85 % needs; then forecasts whose chances are right hold in 85 %.

    Parameters
    ----------
    drawn : array of int, shape (draws,)
        What was thought possible.
    came : int

    Sources
    -------
    Czado, Gneiting and Held (2009), Predictive Model Assessment for Count Data, eq. 2: the
    probability integral transform of counts, not randomised.

    Examples
    --------
    >>> drawn = np.repeat([2, 3, 4], [10, 10, 80])
    >>> [round(held(drawn, came), 3) for came in (2, 3, 4)]
    [0.0, 0.5, 1.0]
    """
    below, upto = (drawn < came).mean(), (drawn <= came).mean()
    return float(np.clip((upto - (1 - said)) / max(upto - below, 1e-9), 0, 1))


def rate(results: Sequence[float]) -> Interval:
    """Return the share of forecasts that held, with an interval that knows of their overlap.

    Windows of four weeks, one a week, share three of them with the next: they count as often as
    windows that do not overlap, a quarter of them. The interval is the exact one of that many.

    Parameters
    ----------
    results : sequence of float
        Of `rolling`.

    Sources
    -------
    Clopper and Pearson (1934). Sums of h neighbours overlap by 1 - j/h at lag j, and so correlate;
    those squares of Bartlett's sum to about h: n / h of n are independent.

    Examples
    --------
    >>> [round(end, 3) for end in rate([1.0] * 32 + [0.0] * 8)]
    [0.8, 0.444, 0.975]
    """
    if not results:
        return Interval(None)
    share, count = float(np.mean(results)), max(len(results) / AHEAD, 1)
    hits, misses = share * count + 1e-9, (1 - share) * count + 1e-9
    low, high = betaincinv([hits, hits + 1], [misses + 1, misses], [0.025, 0.975]).tolist()
    return Interval(share, low, high)
