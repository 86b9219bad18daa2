"""The messages that speak for a theme: its medoid, and others that differ from all before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opslab.feedback.clustering import Vectors
from opslab.feedback.customer_message import CustomerMessage

_LIKENESS = 0.6  # weight of being typical against being new (Carbonell & Goldstein 1998, lambda)
_MOST, _CANDIDATES = 4, 400
_SHORT, _LONG = 15, 400  # characters: quotes of another length come last


def quotes(
    messages: Sequence[CustomerMessage], vectors: Vectors, centroid: Vectors
) -> tuple[CustomerMessage, ...]:
    """Return the medoid, then others by maximal marginal relevance, new kinds first.

    Parameters
    ----------
    messages : sequence of CustomerMessage
        The theme's surest; each language and source of theirs should be heard at least once.
    vectors : array, shape (messages, dimensions)
    centroid : array, shape (dimensions,)
    """
    kinds = [set(enumerate((message.language, message.source))) for message in messages]
    typical = np.asarray(vectors @ centroid, np.float64)
    typical -= [0.0 if _SHORT <= len(message.text) <= _LONG else 0.3 for message in messages]
    candidates: list[int] = np.argsort(-typical, kind="stable")[:_CANDIDATES].tolist()
    chosen = candidates[:1]
    while len(chosen) < min(_MOST, len(candidates)):
        heard = set().union(*(kinds[row] for row in chosen))
        left = sorted(set(candidates) - set(chosen))
        alike = np.asarray(vectors[left] @ vectors[chosen].T).max(axis=1)
        worth = (_LIKENESS * typical[left] - (1 - _LIKENESS) * alike).round(6)
        new = np.array([len(kinds[row] - heard) for row in left])
        chosen.append(left[np.lexsort((-worth, -new))[0]])
    return tuple(messages[row] for row in chosen)
