"""Themes as communities of a graph of neighbours: their number found, not told, and no noise bin.

Neighbours by cosine in two views of the texts, their meaning (the encoder) and their spelling;
edges that fall off with the distance, each text on its own scale (after McInnes, Healy & Melville
2018); communities by Louvain (Blondel et al. 2008) over several resolutions, refined by centroids
and neighbours together; the resolution by silhouette (Rousseeuw 1987). What each part gave:
docs/feedback-methods.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from opslab.feedback.encoders import unit
from opslab.feedback.neighbours import NEIGHBOURS, fuzzy, nearest, spelt
from opslab.feedback.store import blocks

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST = 20
"""Different texts from which themes are looked for; of fewer, only repeated ones make a theme."""

RESOLUTIONS = (1.0, 2.0, 3.0, 4.5, 6.5, 9.0, 13.0)  # the first is that of modularity itself
_WEIGHTS = (1, 0.3)  # of the cosine to a centroid: by meaning, and by spelling
VOTE = 0.3  # weight of the neighbours' themes beside the cosine to a theme's centroid
CLEAR = 0.10  # silhouette from which the best resolution is taken, and not the first
MOST_FITTED = 20_000  # texts that shape the graph; others join the theme they are nearest to
_ROUNDS, _SUBSAMPLES, _SILHOUETTE_TEXTS = 5, 3, 3000
_ASKED = 5000  # fitted texts among which the neighbours of further ones are sought


class Kin(NamedTuple):
    """Which theme of earlier runs a theme is; empty for a new one, and the one it is a part of."""

    id: str = ""
    parent: str = ""


class Settled(NamedTuple):
    """Labels of texts, which theme of earlier runs each label is, and what merged into what."""

    labels: Integers
    kin: Sequence[Kin] = ()
    merged: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Themes of texts.

    Attributes
    ----------
    labels, second : array of int, shape (n,)
        The theme of each text, from 0, and the runner-up (the same where there is only one theme).
    margin, cosine : array of float, shape (n,)
        By how much its theme leads, in the units of `likeness` and `VOTE`; and how near its
        centroid is.
    groups : array of int, shape (themes,)
        The coarse level: the group of each theme.
    centroids : array of float, shape (themes, dimensions)
    stability : array of float, shape (themes,)
        How much of a theme comes back on subsamples of 80 %: mean over them of the highest Jaccard
        similarity with a theme found there (Hennig 2007); NaN where that is not known.
    resolution, silhouette : float or None
        What was chosen, and why; None where each text is its own theme.
    kin : sequence of Kin
        Of each theme; empty where no run came before.
    merged : mapping of str to str
        Themes of earlier runs that are parts of others now, by their ids.
    """

    labels: Integers
    second: Integers
    margin: Floats
    cosine: Floats
    groups: Integers
    centroids: Vectors
    stability: Floats
    resolution: float | None = None
    silhouette: float | None = None
    kin: Sequence[Kin] = ()
    merged: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def alone(cls, vectors: Vectors) -> Clusters:
        """Return each text as a theme of its own: for texts too few to have neighbours."""
        own, nothing = np.arange(len(vectors)), np.zeros(len(vectors))
        return cls(
            labels=own,
            second=own,
            margin=nothing,
            cosine=nothing,
            groups=own,
            centroids=vectors,
            stability=nothing + np.nan,
        )

    @property
    def confidence(self) -> Floats:
        """How surely each text is in its theme: what the coverage dial cuts by."""
        return self.margin + self.cosine


def cluster(
    vectors: Vectors,
    weights: Sequence[int],
    smallest: int,
    seed: int = 0,
    spelling: Vectors | None = None,
    languages: Sequence[str | None] = (),
    shaping: int = MOST_FITTED,
    settle: Callable[..., Settled] | None = None,
) -> Clusters:
    """Find the themes of texts, all assigned.

    Parameters
    ----------
    vectors : array, shape (n, dimensions)
        At length 1, in a canonical order that has nothing to do with the texts' meaning.
    weights : sequence of int
        Messages that each text stands for.
    smallest : int
        Messages that make a theme; the texts of smaller ones join the nearest theme.
    seed : int
    spelling : array, shape (n, dimensions), optional
        At length 1, from `encoders.spelling`.
    languages : sequence of str or None
        Of each text, where spelling is given.
    shaping : int
        How many of the first texts shape the graph.
    settle : callable, optional
        `registry.continuity.Past.settled`: which of the themes are those of the run before.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums of several threads differ in their last bits
        views = (vectors,) if spelling is None else (vectors, spelling)
        fitted = tuple(np.array(view[:shaping]) for view in views)
        graph = fuzzy(*nearest(fitted[0], NEIGHBOURS))
        if spelling is not None:
            graph = spelt(graph, fuzzy(*nearest(fitted[1], NEIGHBOURS)), languages[:shaping])
        clear, resolution, labels = _clearest(fitted, graph, seed)
        settled = Settled(without_small(fitted[0], labels, weights[:shaping], smallest))
        if settle:
            settled = settle(fitted, graph, settled.labels, resolution)
        labels = settled.labels
        first, second, margin = _placed(views, fitted, graph, labels)
        centres = centroids(vectors, first, int(labels.max()) + 1)
        return Clusters(
            labels=first,
            second=second,
            margin=margin,
            cosine=cosines_to(centres, vectors, first),
            groups=coarse(graph, labels, min(1.0, 0.7 * resolution), seed),
            centroids=centres,
            resolution=resolution,
            silhouette=clear,
            stability=stability(fitted, graph, labels, resolution, seed),
            kin=settled.kin,
            merged=settled.merged,
        )


def _placed(
    views: Sequence[Vectors], fitted: Sequence[Vectors], graph: sparse.csr_matrix, labels: Integers
) -> tuple[Integers, Integers, Floats]:
    """Return the theme of each text, the runner-up, and by how much the first leads."""
    known, parts = votes(graph, labels), []
    middle = [centroids(own, labels) for own in fitted]
    themes, several = np.arange(known.shape[1]), known.shape[1] > 1
    for rows in blocks(*views):
        some, shares = [view[rows] for view in views], [known[rows]]
        further = some[0][len(shares[0]) :]
        if len(further):
            near, _ = nearest(fitted[0][:_ASKED], NEIGHBOURS, further)
            shares.append((labels[near][..., None] == themes).mean(axis=1, dtype=np.float32))
        scores = likeness(some, middle) + VOTE * np.vstack(shares)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :2].copy()  # no view of all themes
        best, runner_up = np.take_along_axis(scores, order, 1).T[[0, -1]]
        parts.append((order[:, 0], order[:, -1], (best - runner_up * several).astype(np.float64)))
    first, second, margin = map(np.concatenate, zip(*parts, strict=True))
    return first, second, margin


def cosines_to(centres: Vectors, vectors: Vectors, labels: Integers) -> Floats:
    """Return how near each text is to the middle of its theme; to none where there is none."""
    if not len(centres):
        return np.zeros(len(labels))
    parts = [
        np.einsum("ij,ij->i", vectors[rows], centres[labels[rows]]) for rows in blocks(vectors)
    ]
    return np.concatenate([np.empty(0), *parts]).astype(np.float64)


def _clearest(
    views: Sequence[Vectors], graph: sparse.csr_matrix, seed: int
) -> tuple[float, float, Integers]:
    """Return the best silhouette's resolution and labels; the first's where none is clear."""
    some = views[0][:_SILHOUETTE_TEXTS]
    distances = 1 - some @ some.T
    np.fill_diagonal(distances, 0)
    choices = []
    for resolution in RESOLUTIONS:
        labels = numbered(refined(views, graph, louvain(graph, resolution, seed)))
        choices.append((silhouette(distances, labels[: len(some)]), resolution, labels))
    best = max(choices, key=itemgetter(0))
    return best if best[0] >= CLEAR else choices[0]


def louvain(graph: sparse.csr_matrix, resolution: float, seed: int) -> Integers:
    """Return a community for each text."""
    from sknetwork.clustering import Louvain

    if not graph.nnz:
        return np.arange(graph.shape[0])
    graph.sort_indices()
    model = Louvain(resolution=resolution, random_state=seed)
    return np.asarray(model.fit_predict(graph), np.int64)


def centroids(
    vectors: Vectors,
    labels: Integers,
    count: int | None = None,
    order: Sequence[int] | None = None,
) -> Vectors:
    """Return the mean direction of each theme; a label below 0 is none.

    Labels are those of the vectors, or of their rows in an order.
    """
    at = np.arange(len(labels)) if order is None else np.array(order, int)
    size = count or int(labels.max(initial=-1)) + 1
    sums = np.zeros((size, vectors.shape[1]), np.float32)
    for rows in blocks(vectors):
        own, whole = labels[rows], order is None and (labels >= 0).all()
        part = vectors[rows] if whole else vectors[at[rows][own >= 0]]
        sums += membership(own[own >= 0], size).T @ part
    return unit(sums)


def membership(labels: Integers, count: int | None = None) -> sparse.csr_matrix:
    """Return a row for each text with a 1 in the column of its theme."""
    size = len(labels)
    shape = (size, count or int(labels.max(initial=-1)) + 1)
    return sparse.csr_matrix((np.ones(size, np.float32), (np.arange(size), labels)), shape)


def likeness(views: Sequence[Vectors], middle: Sequence[Vectors]) -> Vectors:
    """Return how near each text is to each theme: the cosine to its centroid, in all views.

    Parameters
    ----------
    views : sequence of array, shape (n, dimensions)
    middle : sequence of array, shape (themes, dimensions)
        The centroids, in the same views.
    """
    parts = zip(_WEIGHTS, views, middle, strict=False)
    return np.asarray(sum(weight * (view @ own.T) for weight, view, own in parts))


def votes(graph: sparse.csr_matrix, labels: Integers, count: int | None = None) -> Vectors:
    """Return the share of each text's edges that lead to each theme."""
    total = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-9)
    shares = sparse.csr_matrix(sparse.diags((1 / total).astype(np.float32)) @ graph)
    return np.asarray((shares @ membership(labels, count)).toarray())


def numbered(labels: Integers) -> Integers:
    """Return labels without gaps, from 0."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def refined(views: Sequence[Vectors], graph: sparse.csr_matrix, labels: Integers) -> Integers:
    """Return labels moved to the theme of the nearest centroid and neighbours, until none moves."""
    for _ in range(_ROUNDS):
        there, own = np.unique(labels, return_inverse=True)
        middle = [centroids(view, own) for view in views]
        scores = likeness(views, middle) + VOTE * votes(graph, own)
        moved = there[np.argmax(scores, axis=1)]
        if np.array_equal(moved, labels):
            break
        labels = moved
    return labels


def without_small(
    vectors: Vectors, labels: Integers, weights: Sequence[int], smallest: int
) -> Integers:
    """Return labels of themes with so many messages; texts of others join the nearest one."""
    while True:
        sizes = np.bincount(labels, weights)
        least = int(np.argmin(sizes))
        if sizes[least] >= smallest or len(sizes) == 1:
            return labels
        others = np.delete(np.arange(len(sizes)), least)
        lost = labels == least
        near = np.argmax(vectors[lost] @ centroids(vectors, labels)[others].T, axis=1)
        labels = labels.copy()
        labels[lost] = others[near]
        labels = numbered(labels)


def silhouette(distances: Any, labels: Any, left_out: Literal[0, 1] = 1) -> float:
    """Return the mean silhouette (Rousseeuw 1987), each text's nearest companion left out.

    A text and its translation look like a clear theme, however fine: the nearest one proves
    nothing. It is 0 for a text alone or in a pair, and -1 for a single theme.

    Parameters
    ----------
    distances : array of float, shape (n, n)
        Zeros on the diagonal; of themes 1 - cosine.
    labels : array or sequence, shape (n,)
        The theme of each text.
    left_out : {1, 0}
        How many companions: with 0 it is Rousseeuw's own, scikit-learn's ``silhouette_score``.

    Examples
    --------
    >>> apart = np.abs(np.subtract.outer([0.0, 1, 2, 7, 8, 9], [0.0, 1, 2, 7, 8, 9]))
    >>> round(silhouette(apart, list("aaabbb")), 3), round(silhouette(apart, list("aaabbb"), 0), 3)
    (0.758, 0.807)

    Sources
    -------
    Rousseeuw (1987). Leaving out the companion is ours: docs/feedback-methods.md.
    """
    labels = numbered(labels)
    members = membership(labels)
    if members.shape[1] < 2:  # noqa: PLR2004 - nothing to compare with
        return -1.0
    rows, sizes = np.arange(len(labels)), np.bincount(labels)
    sums = np.asarray(members.T @ distances).T
    others = np.where(labels[:, None] == labels, distances, np.inf)
    np.fill_diagonal(others, np.inf)
    companion = np.where(sizes[labels] > 1, others.min(axis=1), 0)
    few = 1 + left_out
    inside = (sums[rows, labels] - left_out * companion) / np.maximum(sizes[labels] - few, 1)
    means = sums / sizes
    means[rows, labels] = np.inf
    outside = means.min(axis=1)
    widths = (outside - inside) / np.maximum(np.maximum(outside, inside), 1e-12)
    return float(np.where(sizes[labels] > few, widths, 0).mean())


def coarse(graph: sparse.csr_matrix, labels: Integers, resolution: float, seed: int) -> Integers:
    """Return the group of each theme: communities of themes, by the edges between their texts."""
    members = membership(labels)
    between = sparse.csr_matrix(members.T @ graph @ members)
    return louvain(between, resolution, seed) if between.shape[0] > 1 else np.zeros(1, np.int64)


def stability(
    views: Sequence[Vectors],
    graph: sparse.csr_matrix,
    labels: Integers,
    resolution: float,
    seed: int,
) -> Floats:
    """Return how much of each theme comes back on subsamples of 80 %, in the same graph."""
    random = np.random.default_rng(seed)
    total = np.zeros(int(labels.max()) + 1)
    for _ in range(_SUBSAMPLES):
        kept = np.sort(random.permutation(len(labels))[: max(2, round(0.8 * len(labels)))])
        part = graph[kept][:, kept]
        again = refined([view[kept] for view in views], part, louvain(part, resolution, seed))
        both = (membership(labels[kept], len(total)).T @ membership(again)).toarray()
        union = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
        total += (both / np.maximum(union, 1)).max(axis=1)
    return total / _SUBSAMPLES
