"""Draws that repeat: each named quantity has a stream of its own, whatever others there are."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from opslab.uncertainty.distributions import Distribution, Values


@dataclass(frozen=True)
class Summary:
    """Mean, 5th, 50th and 95th percentile of draws, and their Monte Carlo standard errors."""

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
    """Return what draws say, with the error of their mean and the larger error of the two ends.

    The error of a percentile is half the distance between the order statistics one standard error
    of the rank, sqrt(n p (1-p)), below and above it.
    """
    ordered = np.sort(draws)
    return Summary(
        mean=float(draws.mean()),
        low=_ranked(ordered, 0.05),
        median=_ranked(ordered, 0.5),
        high=_ranked(ordered, 0.95),
        mean_error=float(draws.std()) / math.sqrt(len(draws)),
        end_error=max(_ranked(ordered, at, 1) - _ranked(ordered, at, -1) for at in (0.05, 0.95))
        / 2,
    )


def _ranked(ordered: Values, share: float, errors: int = 0) -> float:
    """Return the value at a share of the rank, so many standard errors of the rank away."""
    n = len(ordered)
    rank = round(share * (n - 1) + errors * math.sqrt(n * share * (1 - share)))
    return float(ordered[min(max(rank, 0), n - 1)])
