"""Whether raters agree, and whether this order is last quarter's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

from scipy.stats import kendalltau, rankdata


def kendall_w(ranks: Sequence[Sequence[float]]) -> float | None:
    """Return Kendall's W, corrected for ties: 0 no agreement, 1 all alike.

    With mean ranks for ties, 12 S / (m^2 (n^3 - n) - m sum T) (Siegel and Castellan 1988, eq. 9.17)
    is S over m times all squared deviations of ranks from their mean.

    Parameters
    ----------
    ranks : sequence of shape (raters, items)
        Ranks, or scores that have them.

    Returns
    -------
    float or None
        None with one rater, or where nobody prefers anything.

    Examples
    --------
    >>> kendall_w([[1, 2, 3], [1, 2, 3], [1, 3, 2]])
    0.7777777777777778
    """
    if len(ranks) <= 1:
        return None
    ranked = rankdata([*ranks], axis=1)
    apart = ranked - ranked.mean(axis=1, keepdims=True)
    total = len(ranked) * (apart**2).sum()
    return float((apart.sum(axis=0) ** 2).sum() / total) if total else None


def stability(now: Mapping[str, float], before: Mapping[str, float]) -> dict[str, Any]:
    """Return Kendall's tau-b of two orders over what both have, what entered and what left."""
    common = sorted(now.keys() & before.keys())
    entered, left = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    sides = ([side[key] for key in common] for side in (now, before))
    tau = float(kendalltau(*sides).statistic) if len(common) > 1 else nan
    return {} if isnan(tau) else {"tau": tau, "entered": entered, "left": left}
