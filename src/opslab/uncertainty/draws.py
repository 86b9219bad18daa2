"""Draws that repeat: one stream of scores for each named quantity, whatever other quantities there are."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from opslab.uncertainty.distributions import Distribution, Values

_ENDS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Summary:
    """What draws say: mean, 5th, 50th and 95th percentile, and their Monte Carlo standard errors."""

    mean: float
    low: float
    median: float
    high: float
    mean_error: float
    end_error: float


def scores(name: str, n: int, seed: int) -> Values:
    """Return the n standard normal scores of a named quantity.

    The stream hangs on the seed and the SHA-256 of the name alone: it stays when other quantities come or go,
    and two options that use the name share it (common random numbers).

    Parameters
    ----------
    name : str
    n : int
        Draws, at least 1.
    seed : int
        At least 0.
    """
    digest = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *map(int, digest)])).standard_normal(n)


def draw(distribution: Distribution, name: str, n: int, seed: int) -> Values:
    """Return n draws of a named quantity; see `scores`."""
    return distribution.at(scores(name, n, seed))


def summarise(draws: Values) -> Summary:
    """Return what draws say, with the Monte Carlo error of the mean and the larger one of the two ends.

    The error of a percentile is half the distance between the order statistics one standard error of the
    rank, sqrt(n p (1-p)), below and above it.
    """
    n = len(draws)
    ranks = [rank for share in _ENDS for rank in _ranks(share, n)]
    ordered = np.partition(draws, sorted(set(ranks)))
    found = [float(ordered[rank]) for rank in ranks]
    ends = max(found[2] - found[0], found[8] - found[6]) / 2
    error = float(draws.std()) / math.sqrt(n)
    return Summary(float(draws.mean()), found[1], found[4], found[7], error, ends)


def _ranks(share: float, n: int) -> tuple[int, int, int]:
    middle, error = share * (n - 1), math.sqrt(n * share * (1 - share))
    low, place, high = (min(max(round(rank), 0), n - 1) for rank in (middle - error, middle, middle + error))
    return low, place, high
