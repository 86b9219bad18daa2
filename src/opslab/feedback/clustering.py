"""Themes as communities of a graph of shared neighbours: their number found, not told, and no noise bin.

Neighbours by cosine, in the vectors as they are and with their common directions damped (half whitened);
edges weigh the neighbours that two texts share (Jarvis & Patrick 1973, as Jaccard similarity); communities by
Louvain (Blondel et al. 2008) over several resolutions, refined by centroids and neighbours together; the
resolution by silhouette (Rousseeuw 1987). What each part gave: docs/feedback-methods.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from opslab.feedback.encoders import unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Places = NDArray[np.int64]

RESOLUTIONS = (1.0, 2.0, 3.0, 4.5, 6.5, 9.0, 13.0)
NEIGHBOURS, SPARE = 15, 10  # of a text in the graph, and more that stand in for those a subsample leaves out
VOTE = 0.3  # weight of the neighbours' themes beside the cosine to a theme's centroid
CLEAR = 0.12  # silhouette from which the best resolution is taken
USUAL = 2.0  # resolution where no silhouette is clear
MOST_FITTED = 20_000  # texts that the graph is built on; further ones join the theme they are nearest to
_ROUNDS, _SILHOUETTE_TEXTS, _BLOCK = 5, 3000, 1024


@dataclass(frozen=True)
class Clusters:
    """Themes of texts.

    Attributes
    ----------
    labels, second : array of int, shape (n,)
        The theme of each text, from 0, and the runner-up (the same where there is only one theme).
    margin, cosine : array of float, shape (n,)
        By how much its theme leads, in the units of `affinity`; and how near its centroid is.
    groups : array of int, shape (themes,)
        The coarse level: the group of each theme.
    centroids : array of float, shape (themes, dimensions)
    resolution, silhouette : float
        What was chosen, and why.
    stability : array of float, shape (themes,)
        How much of a theme comes back on subsamples of 80 %: mean over them of the highest Jaccard similarity
        with a theme found there (Hennig 2007).
    """

    labels: Places
    second: Places
    margin: NDArray[np.float64]
    cosine: NDArray[np.float64]
    groups: Places
    centroids: Vectors
    resolution: float
    silhouette: float
    stability: NDArray[np.float64]


def cluster(vectors: Vectors, weights: Sequence[int], smallest: int, seed: int = 0) -> Clusters:
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
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums of several threads differ in their last bits
        fitted = vectors[:MOST_FITTED]
        lists = [nearest(view, NEIGHBOURS + SPARE) for view in (fitted, whitened(fitted))]
        graph = joined(lists)
        found = {one: refined(fitted, graph, louvain(graph, one, seed)) for one in RESOLUTIONS}
        some = fitted[:_SILHOUETTE_TEXTS]
        distances = 1 - some @ some.T
        np.fill_diagonal(distances, 0)
        scores = {one: silhouette(distances, labels[: len(some)]) for one, labels in found.items()}
        best = max(scores, key=lambda one: scores[one])
        resolution = best if scores[best] >= CLEAR else USUAL
        labels = without_small(fitted, found[resolution], np.asarray(weights)[:MOST_FITTED], smallest)
        neighbours = lists[0][:, :NEIGHBOURS]
        if len(vectors) > len(fitted):
            rest = nearest(fitted, NEIGHBOURS, vectors[len(fitted) :])
            neighbours = np.vstack([neighbours, rest])
        centres = centroids(fitted, labels)
        scores_of = affinity(vectors, centres, labels[neighbours])
        order = np.argsort(-scores_of, axis=1, kind="stable")
        second = order[:, min(1, order.shape[1] - 1)]
        lead = np.take_along_axis(scores_of, np.stack([order[:, 0], second], 1), 1)
        return Clusters(
            order[:, 0],
            second,
            (lead[:, 0] - lead[:, 1] if order.shape[1] > 1 else lead[:, 0]).astype(np.float64),
            np.einsum("ij,ij->i", vectors, centres[order[:, 0]]).astype(np.float64),
            coarse(graph, labels, seed),
            centroids(vectors, order[:, 0], order.shape[1]),
            resolution,
            scores[resolution],
            stability(lists, fitted, labels, resolution, seed),
        )


def levelled(vectors: Vectors, languages: Sequence[str | None], least: int = 20) -> Vectors:
    """Return vectors without what only tells the language: each language's mean is moved to the mean of all.

    Parameters
    ----------
    vectors : array, shape (n, dimensions)
    languages : sequence of str or None
    least : int
        Texts of a language whose mean can be told; texts of others stay where they are.
    """
    spoken = np.array([name or "" for name in languages])
    level = vectors.copy()
    for name in sorted(set(languages) - {None}, key=str):
        own = spoken == name
        if own.sum() >= least:
            level[own] -= vectors[own].mean(axis=0) - vectors.mean(axis=0)
    return unit(level)


def nearest(vectors: Vectors, count: int, queries: Vectors | None = None) -> Places:
    """Return the places of each text's nearest others by cosine, nearest first; for queries, among them."""
    among = vectors if queries is None else queries
    count = min(count, len(vectors) - (queries is None))
    found = np.empty((len(among), count), np.int64)
    for start in range(0, len(among), _BLOCK):
        block = among[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(block))
        if queries is None:
            block[rows, rows + start] = -np.inf
        near = np.sort(np.argpartition(-block, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(-np.take_along_axis(block, near, 1), axis=1, kind="stable")
        found[start : start + _BLOCK] = np.take_along_axis(near, order, 1)
    return found


def whitened(vectors: Vectors) -> Vectors:
    """Return centred vectors with each principal direction divided by the fourth root of its variance."""
    centred = vectors - vectors.mean(axis=0)
    variances, directions = np.linalg.eigh((centred.T @ centred / len(vectors)).astype(np.float64))
    floor = max(float(variances[-1]) * 1e-4, 1e-12)
    return unit(centred @ (directions / np.maximum(variances, floor) ** 0.25).astype(np.float32))


def joined(lists: Sequence[Places], kept: NDArray[np.bool_] | None = None) -> sparse.csr_matrix:
    """Return the graph of shared neighbours, summed over lists of them; only over the texts kept."""
    graphs = [shared_neighbours(among(one, kept)) for one in lists]
    return sparse.csr_matrix(sum(graphs[1:], graphs[0]))


def among(neighbours: Places, kept: NDArray[np.bool_] | None) -> Places:
    """Return the nearest neighbours of the texts that are kept, among themselves."""
    if kept is None:
        return neighbours[:, :NEIGHBOURS]
    places = np.cumsum(kept) - 1
    own = neighbours[kept]
    first = np.argsort(~kept[own], axis=1, kind="stable")[:, :NEIGHBOURS]
    chosen = np.take_along_axis(own, first, 1)
    return np.where(kept[chosen], places[chosen], np.arange(len(own))[:, None])


def shared_neighbours(neighbours: Places) -> sparse.csr_matrix:
    """Return the graph whose edges join neighbours, and weigh the share of neighbours they have in common."""
    count, size = neighbours.shape
    rows = np.repeat(np.arange(count), size)
    links = sparse.csr_matrix((np.ones(count * size, np.float32), (rows, neighbours.ravel())), (count, count))
    links.data[:] = 1
    own = sparse.csr_matrix(((links + sparse.identity(count, np.float32, "csr")) > 0).astype(np.float32))
    edges = ((links + links.T) > 0).astype(np.float32)
    common = sparse.csr_matrix((own @ own.T).multiply(edges))
    common.setdiag(0)
    common.eliminate_zeros()
    common.data /= 2 * (size + 1) - common.data
    return common


def louvain(graph: sparse.csr_matrix, resolution: float, seed: int) -> Places:
    """Return a community for each text."""
    from sknetwork.clustering import Louvain

    if not graph.nnz:
        return np.arange(graph.shape[0])
    return np.asarray(Louvain(resolution=resolution, random_state=seed).fit_predict(graph), np.int64)


def centroids(vectors: Vectors, labels: Places, count: int | None = None) -> Vectors:
    """Return the mean direction of each theme."""
    return unit(membership(labels, count).T @ vectors)


def membership(labels: Places, count: int | None = None) -> sparse.csr_matrix:
    """Return a row for each text with a 1 in the column of its theme."""
    size = len(labels)
    shape = (size, count or int(labels.max()) + 1)
    return sparse.csr_matrix((np.ones(size, np.float32), (np.arange(size), labels)), shape)


def affinity(vectors: Vectors, centres: Vectors, votes: Places) -> NDArray[np.float32]:
    """Return how near each text is to each theme: cosine to its centroid, and the share of neighbours in it.

    Parameters
    ----------
    vectors : array, shape (n, dimensions)
    centres : array, shape (themes, dimensions)
    votes : array of int, shape (n, neighbours)
        The themes of each text's neighbours.
    """
    scores = np.asarray(vectors @ centres.T, np.float32)
    for column in range(votes.shape[1]):
        scores[np.arange(len(scores)), votes[:, column]] += np.float32(VOTE / votes.shape[1])
    return scores


def refined(vectors: Vectors, graph: sparse.csr_matrix, labels: Places) -> Places:
    """Return labels moved to the theme whose centroid and neighbours are nearest, until none moves."""
    total = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-9)
    step = sparse.diags(1 / total) @ graph
    for _ in range(_ROUNDS):
        votes = (step @ membership(labels)).toarray()
        moved = np.argmax(vectors @ centroids(vectors, labels).T + VOTE * votes, axis=1)
        if np.array_equal(moved, labels):
            break
        labels = np.unique(moved, return_inverse=True)[1].astype(np.int64)
    return labels


def without_small(vectors: Vectors, labels: Places, weights: NDArray[np.int64], smallest: int) -> Places:
    """Return labels in which each theme has so many messages; texts of others join the nearest theme."""
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
        labels = np.unique(labels, return_inverse=True)[1].astype(np.int64)


def silhouette(distances: NDArray[np.float32], labels: Places) -> float:
    """Return the mean silhouette (Rousseeuw 1987) of labels: 0 for a text alone, -1 for a single theme.

    Parameters
    ----------
    distances : array, shape (n, n)
    labels : array of int, shape (n,)
    """
    members = membership(np.unique(labels, return_inverse=True)[1])
    if members.shape[1] < 2:  # noqa: PLR2004 - nothing to compare with
        return -1.0
    rows, own = members.nonzero()
    sizes = np.asarray(members.sum(axis=0)).ravel()
    sums = np.asarray(members.T @ distances).T
    inside = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    widths = (outside - inside) / np.maximum(np.maximum(outside, inside), 1e-12)
    return float(np.where(sizes[own] > 1, widths, 0).mean())


def coarse(graph: sparse.csr_matrix, labels: Places, seed: int) -> Places:
    """Return the group of each theme: communities of the themes, by the edges between their texts."""
    members = membership(labels)
    between = sparse.csr_matrix(members.T @ graph @ members)
    return louvain(between, 1.0, seed) if between.shape[0] > 1 else np.zeros(1, np.int64)


def stability(
    lists: Sequence[Places], vectors: Vectors, labels: Places, resolution: float, seed: int, times: int = 3
) -> NDArray[np.float64]:
    """Return how much of each theme comes back on subsamples of 80 %, without new neighbours being sought."""
    random = np.random.default_rng(seed)
    total = np.zeros(int(labels.max()) + 1)
    for _ in range(times):
        kept = np.zeros(len(labels), bool)
        kept[random.permutation(len(labels))[: max(2, round(0.8 * len(labels)))]] = True
        graph = joined(lists, kept)
        again = refined(vectors[kept], graph, louvain(graph, resolution, seed))
        both = (membership(labels[kept], len(total)).T @ membership(again)).toarray()
        union = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
        total += (both / np.maximum(union, 1)).max(axis=1)
    return total / times


def positions(centres: Vectors, sizes: Sequence[int]) -> list[tuple[float, float]]:
    """Return themes on a plane: two directions in which they differ most, by their sizes."""
    from threadpoolctl import threadpool_limits

    if len(centres) < 3:  # noqa: PLR2004 - no plane
        return [(float(place), 0.0) for place in range(len(centres))]
    with threadpool_limits(1):
        centred = centres.astype(np.float64) - np.average(centres, axis=0, weights=sizes)
        directions = np.linalg.svd(centred * np.sqrt(sizes)[:, None], full_matrices=False)[2][:2]
    flat = centred @ directions.T
    flat *= np.sign(flat[np.argmax(np.abs(flat), axis=0), [0, 1]])
    return [(round(float(x), 6), round(float(y), 6)) for x, y in flat]
