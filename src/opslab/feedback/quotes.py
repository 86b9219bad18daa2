"""The messages that speak for a theme: its medoid, and others that differ from it and from one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIKENESS = 0.6  # weight of being typical against being new (Carbonell & Goldstein 1998, lambda)
_CANDIDATES = 400
_SHORT, _LONG = 15, 400  # characters: quotes of another length come last


def quotes(
    vectors: NDArray[np.float32],
    centroid: NDArray[np.float32],
    texts: Sequence[str],
    kinds: Sequence[tuple[Any, ...]],
    most: int = 4,
) -> list[int]:
    """Return the places of the quotes: the medoid, then by maximal marginal relevance, new kinds first.

    Parameters
    ----------
    vectors : array, shape (n, dimensions)
        Of the theme's surest messages.
    centroid : array, shape (dimensions,)
    texts : sequence of str
    kinds : sequence of tuple
        What should be heard at least once: each message's language, source …
    most : int
    """
    typical = np.asarray(vectors @ centroid, np.float64)
    typical -= [0.0 if _SHORT <= len(text) <= _LONG else 0.3 for text in texts]
    places = [int(one) for one in np.argsort(-typical, kind="stable")[:_CANDIDATES]]
    chosen = places[:1]
    heard = set(enumerate(kinds[chosen[0]])) if chosen else set()
    while len(chosen) < min(most, len(places)):
        left = [place for place in places if place not in chosen]
        alike = np.asarray(vectors[left] @ vectors[chosen].T).max(axis=1)
        worth = _LIKENESS * typical[left] - (1 - _LIKENESS) * alike
        new = [len(set(enumerate(kinds[place])) - heard) for place in left]
        best = max(
            range(len(left)), key=lambda at: (new[at], round(float(worth[at]), 6), -left[at])
        )
        chosen.append(left[best])
        heard |= set(enumerate(kinds[left[best]]))
    return chosen
