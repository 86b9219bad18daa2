"""How far stated ranges are to be trusted: widened by the share of them that held the truth."""

from __future__ import annotations

import dataclasses
import math

from scipy.special import ndtri

from opslab.errors import InputError
from opslab.uncertainty.distributions import (
    Distribution,
    Fixed,
    Lognormal,
    Normal,
    Quantiles,
    StudentT,
    with_moments,
)

UNTRAINED = 0.55
"""Share of untrained people's 90 % intervals that hold the truth.

Hubbard, How to Measure Anything.
"""

_WORTH = 10  # past estimates that the share of untrained people is worth beside one's own


def hit_rate(hits: int, estimates: int) -> float:
    """Return the share of future 90 % intervals to expect the truth in, from one's own past ones.

    (hits + 5.5) / (estimates + 10): few past estimates leave one near the untrained.

    Examples
    --------
    >>> hit_rate(0, 0)
    0.55
    """
    if not 0 <= hits <= estimates:
        raise InputError.of("uncertainty.hits", hits=hits, estimates=estimates)
    return (hits + _WORTH * UNTRAINED) / (estimates + _WORTH)


def widening(rate: float, level: float = 0.9) -> float:
    """Return the factor on the sd of intervals stated at `level` that hold the truth at `rate`.

    It is at least 1: nobody's ranges are made narrower.

    Examples
    --------
    >>> round(widening(0.55), 2)
    2.18
    """
    if not 0 < rate < 1:
        raise InputError.of("uncertainty.open_share", given=rate)
    return max(1.0, float(ndtri((1 + level) / 2) / ndtri((1 + rate) / 2)))


def widened(
    distribution: Distribution, factor: float, low: float = -math.inf, high: float = math.inf
) -> Distribution:
    """Return a distribution with `factor` times the sd (lognormal: of the log) and the same mean.

    A worse estimator must not earn a bigger benefit: a lognormal's mu falls by half of what sigma^2
    gains. What has ends is stretched about its mean, within `low` to `high`, as a beta of the same
    mean, and no wider than a beta with one hump can be.
    """
    if isinstance(distribution, Normal):
        return Normal(distribution.mean, distribution.sd * factor)
    if isinstance(distribution, Lognormal):
        wider = distribution.sigma * factor
        shift = (wider**2 - distribution.sigma**2) / 2
        return dataclasses.replace(distribution, mu=distribution.mu - shift, sigma=wider)
    if isinstance(distribution, StudentT):
        return dataclasses.replace(distribution, scale=distribution.scale * factor)
    mean = distribution.mean
    if isinstance(distribution, Quantiles) and (low, high) == (-math.inf, math.inf):
        values = tuple(mean + factor * (value - mean) for value in distribution.values)
        return dataclasses.replace(distribution, values=values)
    if isinstance(distribution, Fixed) or factor == 1:
        return distribution
    start = max(low, mean - factor * (mean - distribution.low))
    end = min(high, mean + factor * (distribution.high - mean))
    return with_moments(mean, distribution.sd * factor, start, end)
