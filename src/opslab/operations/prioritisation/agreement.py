"""Whether raters agree, and whether this order is last quarter's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb, isnan, nan
from typing import Any

import numpy as np
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
    """Return Kendall's tau-b of two orders, the pairs they have and keep, what came and went."""
    common = sorted(now.keys() & before.keys())
    new, old = (np.array([side[key] for key in common]) for side in (now, before))
    signs = ([np.sign(side[at] - side[:at]) for at in range(len(common))] for side in (new, old))
    tau = float(kendalltau(new, old).statistic) if len(common) > 1 else nan
    return {
        "kept": sum(int((one == other).sum()) for one, other in zip(*signs, strict=True)),
        "pairs": comb(len(common), 2),
        "tau": None if isnan(tau) else tau,
        "entered": sorted(now.keys() - before.keys()),
        "left": sorted(before.keys() - now.keys()),
    }
