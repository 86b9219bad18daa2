"""The messages that speak for a theme: its medoid, and others that differ from all before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from opslab.feedback.clustering import Vectors
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.points import Passage
from opslab.feedback.store import let_go

_LIKENESS = 0.6  # weight of being typical against being new (Carbonell & Goldstein 1998, lambda)
_MOST, _CANDIDATES = 4, 400
_READ = 256  # rows of a file at a time: each may bring 640 kB of what is beside it into memory
_SHORT, _LONG = 15, 400  # characters: quotes of another length come last


def quotes(
    heads: Sequence[CustomerMessage],
    said: Sequence[Passage],
    rows: Sequence[int],
    vectors: Vectors,
    centroid: Vectors,
) -> tuple[CustomerMessage, ...]:
    """Return the medoid, then others by maximal marginal relevance, new kinds first.

    Parameters
    ----------
    heads : sequence of CustomerMessage
    said : sequence of Passage
        What they say.
    rows : sequence of int
        The theme's surest passages; each language and source should be heard at least once.
    vectors : array, shape (passages, dimensions)
    centroid : array, shape (dimensions,)
    """
    parts = (part @ centroid for part in _parts(vectors, rows))
    typical = np.concatenate([np.empty(0), *parts])
    typical -= [0.0 if _SHORT <= len(said[row].text) <= _LONG else 0.3 for row in rows]
    few = np.sort(np.argsort(-typical, kind="stable")[:_CANDIDATES])
    typical, candidates = typical[few], [rows[at] for at in few.tolist()]
    own = np.concatenate([vectors[:0], *_parts(vectors, candidates)])
    messages = [replace(heads[said[row].owner], text=said[row].text) for row in candidates]
    kinds = [set(enumerate((message.language, message.source))) for message in messages]
    chosen = np.argsort(-typical, kind="stable")[:1].tolist()
    while len(chosen) < min(_MOST, len(candidates)):
        heard = set().union(*(kinds[row] for row in chosen))
        left = sorted(set(range(len(candidates))) - set(chosen))
        alike = np.asarray(own[left] @ own[chosen].T).max(axis=1)
        worth = (_LIKENESS * typical[left] - (1 - _LIKENESS) * alike).round(6)
        new = np.array([len(kinds[row] - heard) for row in left])
        chosen.append(left[np.lexsort((-worth, -new))[0]])
    return tuple(messages[row] for row in chosen)


def _parts(vectors: Vectors, rows: Sequence[int]) -> Iterator[Vectors]:
    """Yield some rows of a table, all at once where memory holds it."""
    step = _READ if hasattr(vectors, "_mmap") else max(len(rows), 1)
    for first in range(0, len(rows), step):
        yield np.asarray(vectors[rows[first : first + step]])
        let_go(vectors)
