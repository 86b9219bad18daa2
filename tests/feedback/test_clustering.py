"""Themes of vectors: known clusters come back, whatever the seed of the data; formulas against peers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, silhouette_score

from opslab.feedback import clustering
from opslab.feedback.encoders import unit


def blobs(count=300, themes=6, spread=0.5, seed=1):
    random = np.random.default_rng(seed)
    centres = unit(random.normal(size=(themes, 40)))
    truth = random.integers(0, themes, count)
    return unit(centres[truth] + spread * random.normal(size=(count, 40)) / np.sqrt(40)), truth


def test_separate_themes_are_found_with_their_number_untold():
    vectors, truth = blobs()
    found = clustering.cluster(vectors, [1] * len(vectors), 5)
    assert adjusted_rand_score(truth, found.labels) > 0.98
    assert len(found.centroids) == 6
    assert found.stability.min() > 0.9
    assert np.all(found.margin >= 0)


def test_the_same_twice_and_another_seed_is_near():
    vectors, _ = blobs(spread=1.5)
    one, again = (clustering.cluster(vectors, [1] * 300, 5, seed=3) for _ in range(2))
    for name in ("labels", "second", "margin", "cosine", "groups", "centroids", "stability"):
        assert np.array_equal(getattr(one, name), getattr(again, name)), name


def test_small_themes_are_given_up():
    vectors, _ = blobs(spread=1.2)
    found = clustering.cluster(vectors, [1] * 300, 40)
    assert np.bincount(found.labels).min() >= 20
    assert len(found.centroids) <= 7


def test_texts_beyond_those_fitted_join_their_theme(monkeypatch):
    vectors, truth = blobs(400)
    monkeypatch.setattr(clustering, "MOST_FITTED", 200)
    found = clustering.cluster(vectors, [1] * 400, 5)
    assert adjusted_rand_score(truth[200:], found.labels[200:]) > 0.98


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=30), st.integers(0, 99))
def test_silhouette_is_that_of_scikit_learn(labels, seed):
    labels = np.unique(labels, return_inverse=True)[1]
    vectors = unit(np.random.default_rng(seed).normal(size=(len(labels), 5)))
    distances = 1 - vectors @ vectors.T
    np.fill_diagonal(distances, 0)
    if 1 < labels.max() + 1 < len(labels):
        expected = silhouette_score(np.maximum(distances, 0), labels, metric="precomputed")
        assert clustering.silhouette(distances, labels) == pytest.approx(expected, abs=1e-5)


def test_nearest_are_those_of_a_full_sort():
    vectors, _ = blobs(150)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    expected = np.argsort(-likeness, axis=1, kind="stable")[:, :10]
    assert (clustering.nearest(vectors, 10) == expected).mean() > 0.999


def test_an_edge_weighs_the_share_of_neighbours_in_common():
    graph = clustering.shared_neighbours(np.array([[1, 2], [0, 2], [0, 1], [0, 1]])).toarray()
    assert graph[0, 1] == pytest.approx(1.0)  # both know {0, 1, 2}
    assert graph[0, 3] == pytest.approx(2 / 4)  # {0, 1, 2} and {3, 0, 1}
    assert graph[2, 3] == 0  # no neighbours of one another
    assert np.array_equal(graph, graph.T)


def test_levelled_languages_have_one_mean():
    vectors, _ = blobs(100)
    languages = ["en"] * 60 + ["fr"] * 38 + ["de", None]
    shifted = vectors.copy()
    shifted[60:98] += 0.1
    before, level = unit(shifted), clustering.levelled(unit(shifted), languages)
    apart = [np.linalg.norm(one[:60].mean(axis=0) - one[60:98].mean(axis=0)) for one in (before, level)]
    assert apart[0] > 0.4
    assert apart[1] < 0.1
