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
    """Return the rows of the quotes: the medoid, then by maximal marginal relevance, new kinds first.

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
    candidates: list[int] = np.argsort(-typical, kind="stable")[:_CANDIDATES].tolist()
    chosen = candidates[:1]
    heard = {part for row in chosen for part in enumerate(kinds[row])}
    while len(chosen) < min(most, len(candidates)):
        left = [row for row in candidates if row not in chosen]
        alike = np.asarray(vectors[left] @ vectors[chosen].T).max(axis=1)
        worth = _LIKENESS * typical[left] - (1 - _LIKENESS) * alike
        new = [len(set(enumerate(kinds[row])) - heard) for row in left]
        ranks = [*zip(new, worth.round(6).tolist(), (-row for row in left), strict=True)]
        chosen.append(left[ranks.index(max(ranks))])
        heard |= set(enumerate(kinds[chosen[-1]]))
    return chosen
