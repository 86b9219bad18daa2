"""Whether assessors agree: Krippendorff's alpha of ordinal levels, and how often they are close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from opslab.operations.practices.result import Agreement
from opslab.uncertainty.proportions import Interval

FEWEST = 5
"""Units from which alpha has an interval."""
RESAMPLES = 2_000
_TAIL = 0.025

Counts = npt.NDArray[Any]
"""How often each level was given, of shape (units, levels)."""


def krippendorff(
    ratings: Sequence[Sequence[Any]], levels: Sequence[Any] | None = None
) -> float | None:
    """Return Krippendorff's alpha of ordinal levels: 1 all agree, 0 as by chance.

    What was given once only is paired with nothing and does not count. The distance of two levels
    is how many ratings lie between them, so that it needs no numbers for the levels.

    Parameters
    ----------
    ratings : sequence of shape (assessors, units)
        Levels; None where an assessor gave none.
    levels : sequence, optional
        From the lowest; the ratings in their own order by default.

    Returns
    -------
    float or None
        None where nothing was given twice, or where nobody varies: there is no chance to agree
        better than.

    Examples
    --------
    >>> levels = ("below", "good", "better", "best")
    >>> krippendorff([["good", "best", "below"], ["good", "better", None]], levels)
    0.8333333333333334
    >>> krippendorff([["good", "good"], ["good", "good"]], levels) is None
    True

    Sources
    -------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability, sections D and E.
    """
    given = {rating for row in ratings for rating in row} - {None}
    known = [*(sorted(given) if levels is None else levels)]
    counts = [[unit.count(level) for level in known] for unit in zip(*ratings, strict=True)]
    alpha = _alphas(
        _coincidences(np.array(counts, float).reshape(len(counts), len(known))).sum(axis=0)
    )
    return None if np.isnan(alpha) else float(alpha)


def agreement(counts: Counts, seed: int) -> Agreement | None:
    """Return how assessors agree, with an interval from resampled units; None without two of them.

    Parameters
    ----------
    counts : array of shape (units, levels)
        Levels from the lowest.
    seed : int
    """
    counts = counts[counts.sum(axis=1) > 1]
    if not (units := len(counts)):
        return None
    pairs, alpha = _coincidences(counts), Interval(None)
    value = _alphas(pairs.sum(axis=0))
    if not np.isnan(value):
        alpha = Interval(float(value))
        picks = np.random.default_rng(seed).multinomial(units, [1 / units] * units, RESAMPLES)
        drawn = _alphas(np.tensordot(picks, pairs, 1))
        if units >= FEWEST and np.isnan(drawn).mean() < _TAIL:
            low, high = np.nanquantile(drawn, (_TAIL, 1 - _TAIL)).tolist()
            alpha = Interval(float(value), low, high)
    return Agreement(alpha, units, int(counts.sum()))


def _coincidences(counts: Counts) -> Counts:
    """Return for each unit how often two levels were given to it, of shape (units, levels, levels).

    A unit with so many ratings counts as so many (Krippendorff 2011, section B).
    """
    counts = counts[counts.sum(axis=1) > 1]
    rest = counts.sum(axis=1)[:, None, None] - 1
    same = np.eye(counts.shape[1])
    return counts[:, :, None] * (counts[:, None, :] - same) / rest  # type: ignore[no-any-return]


def _alphas(pairs: Counts) -> Counts:
    """Return alpha of each table of coincidences, NaN where it is undefined."""
    held = pairs.sum(axis=-1)
    upto = held.cumsum(axis=-1) - held / 2
    distance = (upto[..., :, None] - upto[..., None, :]) ** 2
    chance = (held[..., :, None] * held[..., None, :] * distance).sum(axis=(-1, -2))
    apart = (pairs * distance).sum(axis=(-1, -2)) * (held.sum(axis=-1) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chance > 0, 1 - apart / chance, np.nan)
