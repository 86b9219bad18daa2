"""How long it takes from idea to decision, where some ideas are still open."""

from __future__ import annotations

from math import log, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from opslab.experiments.program.pooling import Z
from opslab.experiments.program.result import CycleTime

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
    ideas : int
    """

    days: Any
    waiting: Any
    at_risk: Any
    decided: Any
    longest: float
    ideas: int


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
    waiting, longest = np.cumprod(1 - counts / at_risk), float(spans.max())
    return Curve(at, waiting, at_risk, counts, longest, len(spans))


def median_days(curve: Curve) -> tuple[float | None, float | None, float | None]:
    """Return the median and its 95 % interval, None for what is not reached.

    Sources
    -------
    Brookmeyer and Crowley (1982), on the scale of log(-log).
    """
    open_share, steps = curve.waiting, curve.decided / curve.at_risk
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(steps / (curve.at_risk - curve.decided)))
        distance = np.log(-np.log(open_share)) - log(log(2))
        far = distance * np.abs(np.log(open_share)) / error
    ends = [curve.days[passed] for passed in (open_share <= _HALF, ~(far < -Z), ~(far <= Z))]
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
    days, share = curve.days[inside], curve.waiting[inside]
    areas = np.diff(np.concatenate([[0.0], days, [horizon]])) * np.concatenate([[1.0], share])
    later = areas[::-1].cumsum()[::-1][1:]
    at_risk, decided = curve.at_risk[inside], curve.decided[inside]
    left = np.maximum(at_risk - decided, 1)  # where nothing is left, nothing comes later
    return float(areas.sum()), sqrt(float((later**2 * decided / (at_risk * left)).sum()))


def log_rank(days: Any, decided: Any, since: Any) -> float:
    """Return the two-sided p-value that two groups are decided equally fast (Mantel 1966).

    Parameters
    ----------
    days, decided : sequence, one per idea
        As `kaplan_meier` takes them.
    since : sequence of bool, one per idea
        Whether it is of the second group.
    """
    spans, over, second = np.asarray(days, float), np.asarray(decided, bool), np.asarray(since)
    at = np.unique(spans[over])[:, None]
    at_risk, events = spans >= at, (spans == at) & over
    count, among, here = events.sum(1), at_risk.sum(1), (at_risk & second).sum(1)
    expected = count * here / among
    spread = expected * (1 - here / among) * (among - count) / np.maximum(among - 1, 1)
    away = (events & second).sum() - expected.sum()
    return float(2 * ndtr(-abs(away) / sqrt(whole))) if (whole := spread.sum()) > 0 else 1.0


def cycle_time(group: Literal["all", "before", "since"], curve: Curve) -> CycleTime:
    """Return how long a group of ideas took."""
    days = (0.0, *curve.days.tolist(), curve.longest)
    waiting = [1.0, *curve.waiting.tolist()]
    still = curve.ideas - int(curve.decided.sum())
    return CycleTime(group, curve.ideas, still, *median_days(curve), days, (*waiting, waiting[-1]))


def change(before: Curve, since: Curve) -> tuple[float, float, float, float]:
    """Return days saved on average with their 95 % interval, and the horizon that both reach."""
    horizon = min(before.longest, since.longest)
    (slow, doubt), (fast, other) = (restricted_mean(curve, horizon) for curve in (before, since))
    saved, half = slow - fast, Z * sqrt(doubt**2 + other**2)
    return saved, saved - half, saved + half, horizon
