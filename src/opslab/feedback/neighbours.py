"""The graph of texts and their nearest neighbours, by meaning and by spelling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Vectors = NDArray[np.float32]
Integers = NDArray[np.int64]

NEIGHBOURS = 15
EDGES = 0.7  # weight of an edge by spelling beside one by meaning
_BLOCK = 1024


def nearest(
    vectors: Vectors, count: int, queries: Vectors | None = None
) -> tuple[Integers, Vectors]:
    """Return the rows and cosines of each text's nearest others, or of queries' among the texts."""
    asked = vectors if queries is None else queries
    count = min(count, len(vectors) - (queries is None))
    near, cosines = [], []
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK] @ vectors.T
        if queries is None:
            np.fill_diagonal(block[:, start:], -np.inf)
        few = np.sort(np.argpartition(block, -count, axis=1)[:, -count:], axis=1)
        cosine = np.take_along_axis(block, few, 1)
        order = np.argsort(-cosine, axis=1, kind="stable")
        near.append(np.take_along_axis(few, order, 1))
        cosines.append(np.take_along_axis(cosine, order, 1))
    return np.vstack(near), np.vstack(cosines)


def fuzzy(near: Integers, cosines: Vectors) -> csr_matrix:
    """Return the graph of neighbours: 1 to the nearest, then falling off on each text's own scale.

    The weights of both directions are joined as a fuzzy union, as in UMAP (McInnes, Healy &
    Melville 2018, section 3.1), with the mean distance beyond the nearest as the scale.
    """
    count, size = near.shape
    beyond = (cosines[:, :1] - cosines).astype(np.float64)
    falling = np.exp(-beyond / np.maximum(beyond.mean(axis=1, keepdims=True), 1e-6))
    rows = np.repeat(np.arange(count), size)
    edges = (falling.astype(np.float32).ravel(), (rows, near.ravel()))
    graph = csr_matrix(edges, (count, count))
    return csr_matrix(graph + graph.T - graph.multiply(graph.T))


def spelt(meaning: csr_matrix, spelling: csr_matrix, languages: Sequence[str | None]) -> csr_matrix:
    """Return both graphs as one.

    Spelling joins texts of one language only, so that between languages the meaning counts as much
    more: otherwise themes would fall apart by language.
    """
    spoken = np.array(languages, object)
    edges = meaning.tocoo()
    apart = spoken[edges.row] != spoken[edges.col]
    edges.data[apart] *= np.float32(1 + EDGES)
    return csr_matrix(edges + np.float32(EDGES) * spelling)
