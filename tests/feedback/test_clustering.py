"""Themes of vectors: known clusters come back; formulas against peers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import adjusted_rand_score, silhouette_score

from opslab.feedback import clustering
from opslab.feedback.encoders import levelled, unit


def blobs(count=300, themes=6, spread=0.5, seed=1):
    random = np.random.default_rng(seed)
    centres = unit(random.normal(size=(themes, 40)))
    truth = random.integers(0, themes, count)
    return unit(centres[truth] + spread * random.normal(size=(count, 40)) / np.sqrt(40)), truth


def test_separate_themes_are_found_with_their_number_untold():
    vectors, truth = blobs()
    clusters = clustering.cluster(vectors, [1] * len(vectors), 5)
    assert adjusted_rand_score(truth, clusters.labels) > 0.98
    assert len(clusters.centroids) == 6
    assert clusters.stability.min() > 0.9
    assert np.all(clusters.margin >= 0)


def test_the_same_twice_and_another_seed_is_near():
    vectors, _ = blobs(spread=1.5)
    first, again = (clustering.cluster(vectors, [1] * 300, 5, seed=3) for _ in range(2))
    for name in ("labels", "second", "margin", "cosine", "groups", "centroids", "stability"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


def test_small_themes_are_given_up():
    vectors, _ = blobs(spread=1.2)
    clusters = clustering.cluster(vectors, [1] * 300, 40)
    assert np.bincount(clusters.labels).min() >= 20
    assert len(clusters.centroids) <= 7


def test_texts_beyond_those_fitted_join_their_theme():
    vectors, truth = blobs(400)
    clusters = clustering.cluster(vectors, [1] * 400, 5, shaping=200)
    assert len(clusters.labels) == 400
    assert adjusted_rand_score(truth[200:], clusters.labels[200:]) > 0.98


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=30), st.integers(0, 99))
def test_silhouette_of_texts_that_all_stand_twice_is_that_of_scikit_learn_for_them_once(
    labels, seed
):
    labels = np.unique(labels, return_inverse=True)[1]
    vectors = unit(np.random.default_rng(seed).normal(size=(len(labels), 5)))
    distances = np.maximum(1 - vectors @ vectors.T, 0)
    np.fill_diagonal(distances, 0)
    if 1 < labels.max() + 1 < len(labels):
        expected = silhouette_score(distances, labels, metric="precomputed")
        twice = clustering.silhouette(np.tile(distances, (2, 2)), np.tile(labels, 2))
        assert twice == pytest.approx(expected, abs=1e-5)


def test_nearest_are_those_of_a_full_sort():
    vectors, _ = blobs(150)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    expected = np.argsort(-likeness, axis=1, kind="stable")[:, :10]
    assert (clustering.nearest(vectors, 10)[0] == expected).mean() > 0.999


def test_an_edge_falls_off_on_the_scale_of_each_text():
    near = np.array([[1, 2], [0, 2], [1, 0]])
    cosines = np.float32([[0.9, 0.5], [0.9, 0.7], [0.7, 0.5]])
    graph = clustering.fuzzy(near, cosines).toarray()
    # each other's nearest, or the nearest of either
    assert graph[0, 1] == graph[1, 2] == pytest.approx(1.0)
    # the fuzzy union of two times exp(-2)
    assert graph[0, 2] == pytest.approx(2 * np.exp(-2) - np.exp(-4))
    assert np.array_equal(graph, graph.T)


def test_between_languages_meaning_counts_as_much_more_as_spelling_adds_within():
    meaning = sparse.csr_matrix(np.float32([[0, 1, 0.5], [1, 0, 0], [0.5, 0, 0]]))
    spelling = sparse.csr_matrix(np.float32([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    graph = clustering.spelt(meaning, spelling, ["en", "en", None]).toarray()
    assert graph[0, 1] == pytest.approx(1.7)
    assert graph[0, 2] == pytest.approx(0.5 * 1.7)


def test_levelled_languages_have_one_mean():
    vectors, _ = blobs(100)
    languages = ["en"] * 60 + ["fr"] * 38 + ["de", None]
    shifted = vectors.copy()
    shifted[60:98] += 0.1
    before, level = unit(shifted), levelled(unit(shifted), languages)
    apart = [
        np.linalg.norm(part[:60].mean(axis=0) - part[60:98].mean(axis=0))
        for part in (before, level)
    ]
    assert apart[0] > 0.4
    assert apart[1] < 0.1
