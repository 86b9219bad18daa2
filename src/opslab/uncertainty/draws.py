"""Draws that repeat: one stream of scores for each named quantity, whatever other quantities there are."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from opslab.uncertainty.distributions import Distribution, Values


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

    The stream hangs on the seed and the SHA-256 of the name alone: it stays when other quantities
    come or go, and two options that use the name share it (common random numbers).

    Parameters
    ----------
    name : str
    n : int
        Draws, at least 1.
    seed : int
        At least 0.
    """
    digest = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
    words = np.random.SeedSequence([seed, *map(int, digest)])
    return np.random.Generator(np.random.SFC64(words)).standard_normal(n)


def draw(distribution: Distribution, name: str, n: int, seed: int) -> Values:
    """Return n draws of a named quantity; see `scores`."""
    return distribution.at(scores(name, n, seed))


def summarise(draws: Values) -> Summary:
    """Return what draws say, with the Monte Carlo error of the mean and the larger one of the two ends.

    The error of a percentile is half the distance between the order statistics one standard error
    of the rank, sqrt(n p (1-p)), below and above it.
    """
    n, ordered = len(draws), np.sort(draws)
    found = []
    for share in (0.05, 0.5, 0.95):
        middle, error = share * (n - 1), math.sqrt(n * share * (1 - share))
        ranks = (min(max(round(middle + step * error), 0), n - 1) for step in (-1, 0, 1))
        found.append([float(ordered[rank]) for rank in ranks])
    ends = max(found[0][2] - found[0][0], found[2][2] - found[2][0]) / 2
    (_, low, _), (_, median, _), (_, high, _) = found
    error = float(draws.std()) / math.sqrt(n)
    return Summary(float(draws.mean()), low, median, high, error, ends)
