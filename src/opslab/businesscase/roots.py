"""The zeros of a sum of exponentials, all of them: what every internal rate of return is."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from opslab.uncertainty.distributions import Values

ROUNDING = 1e-12
"""A sum this small against the sum of its sizes is zero."""


def zeros(weights: Values, powers: Values) -> list[float]:
    """Return all zeros of sum of weight exp(power x), powers rising, no weight zero.

    Times exp(-s x), s between two powers where the sign changes, the sum keeps its zeros and its
    derivative has one change of sign less: between the zeros of that derivative, found likewise, it
    is monotone (Laguerre 1883, the proof of Descartes' rule of signs for real powers).

    Examples
    --------
    >>> weights, powers = np.array([6.0, -5.0, 1.0]), np.array([0.0, 1.0, 2.0])
    >>> [round(math.exp(x), 9) for x in zeros(weights, powers)]
    [2.0, 3.0]
    """
    changes = np.flatnonzero(weights[1:] * np.sign(weights[:-1]) < 0)
    if not len(changes):
        return []
    split = powers[changes[0] : changes[0] + 2].mean()
    bends = weights * (powers - split)
    # Outside these ends the first or the last term outweighs all others together.
    sizes = np.abs(weights)
    low = -max(0.0, math.log(2 * sizes[1:].sum()) - math.log(sizes[0])) / (powers[1] - powers[0])
    high = max(0.0, math.log(2 * sizes[:-1].sum()) - math.log(sizes[-1])) / (
        powers[-1] - powers[-2]
    )

    def value(x: float) -> float:
        terms = weights * np.exp(powers * x - (powers * x).max())
        return float(terms.sum() / np.abs(terms).sum())

    turns = [x for x in zeros(bends / np.abs(bends).max(), powers) if low < x < high]
    points = [(x, value(x)) for x in (low, *turns, high)]
    points = [(x, shown if abs(shown) > ROUNDING else 0.0) for x, shown in points]
    roots = []
    for (start, before), (end, after) in pairwise(points):
        if before * after < 0:
            roots.append(float(brentq(value, start, end, xtol=1e-15, rtol=1e-15, maxiter=500)))
        elif after == 0 and before != 0:
            roots.append(end)
    return roots
