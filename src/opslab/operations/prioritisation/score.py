"""The score of an item, as Intercom prints it, and the mean of what it divides by."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from opslab.uncertainty.distributions import Distribution, Lognormal

_MIDDLES = ndtri((np.arange(4_000) + 0.5) / 4_000)


def rice(reach: Any, impact: Any, confidence: Any, effort: Any) -> Any:
    """Return reach x impact x confidence / effort (McBride 2018, Intercom): numbers or arrays.

    Examples
    --------
    >>> rice(1200, 2, 0.8, 3)
    640.0
    """
    return reach * impact * confidence / effort


def mean_inverse(effort: Distribution) -> float:
    """Return the mean of 1 / effort: exact of a lognormal, else over the middles of quantiles."""
    if isinstance(effort, Lognormal):
        return Lognormal(-effort.mu, effort.sigma).mean
    return float((1 / effort.at(_MIDDLES)).mean())
