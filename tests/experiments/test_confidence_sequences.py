"""Confidence sequences against the paper's formula, their inverse, and many looks."""

import doctest
from math import inf, log, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from opslab.experiments.sequential import confidence_sequence as module
from opslab.experiments.sequential.confidence_sequence import always_valid_p, multiplier

quick = settings(deadline=None, max_examples=100)


def margin(n, rho, alpha):
    """Return half the width for unit variance, as Waudby-Smith and others (2021) write it."""
    return sqrt(2 * (n * rho**2 + 1) / (n**2 * rho**2) * log(sqrt(n * rho**2 + 1) / alpha))


def test_examples_run():
    assert doctest.testmod(module).failed == 0


@quick
@given(st.floats(1, 1e7), st.floats(10, 1e7), st.floats(1e-4, 0.4))
def test_the_papers_formula(n, planned, alpha):
    # A standard error of 1 / sqrt(n) is that of unit variance.
    rho = sqrt((-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned)
    assert multiplier(n, planned, alpha) / sqrt(n) == pytest.approx(margin(n, rho, alpha), rel=1e-9)
    assert multiplier(n, planned, alpha) > norm.isf(alpha / 2)


def test_narrowest_where_it_was_planned():
    best = minimize_scalar(
        lambda logarithm: margin(10_000, np.exp(logarithm), 0.05), bounds=(-9, 0), method="bounded"
    )
    assert multiplier(10_000, 10_000, 0.05) / 100 == pytest.approx(best.fun, rel=2e-3)


@quick
@given(st.floats(-8, 8), st.floats(1, 1e7), st.floats(10, 1e7), st.floats(1e-4, 0.4))
def test_p_agrees_with_the_interval(statistic, n, planned, alpha):
    p_value = always_valid_p(statistic, n, planned, alpha)
    assert 0 < p_value <= 1
    assert p_value == always_valid_p(-statistic, n, planned, alpha)
    assert p_value >= 2 * norm.sf(abs(statistic)) * (1 - 1e-12)
    reach = multiplier(n, planned, alpha)
    if abs(abs(statistic) - reach) > 1e-9:
        assert (p_value <= alpha) == (abs(statistic) > reach)
    assert always_valid_p(reach, n, planned, alpha) == pytest.approx(alpha, rel=1e-9)
    assert always_valid_p(abs(statistic) + 0.5, n, planned, alpha) <= p_value


def test_no_p_is_nought():
    assert 0 < always_valid_p(1e6, 1e4, 1e4, 0.05) < 1e-300


def test_many_looks_at_normal_values():
    # 4,000 paths of 1,000 looks, from 100 units on, each look 20 units later.
    random = np.random.default_rng(11)
    n = 100 + 20 * np.arange(1_000)
    reach = np.array([multiplier(size, 10_000, 0.05) for size in n])
    steps = random.normal(size=(4_000, 1_000)) * np.sqrt(np.diff(n, prepend=0))
    beyond = np.abs(np.cumsum(steps, axis=1)) > reach * np.sqrt(n)
    rate = beyond.any(axis=1).mean()
    assert 0.01 < rate <= 0.05 + 3 * sqrt(0.0475 / 4_000)
    fixed = np.abs(np.cumsum(steps, axis=1)) > 1.96 * np.sqrt(n)
    assert fixed.any(axis=1).mean() > 0.4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((nan, 10, 10, 0.05), "statistic == nan"),
        ((inf, 10, 10, 0.05), "statistic == inf"),
        ((1, 0, 10, 0.05), "n == 0"),
        ((1, 10, 0, 0.05), "planned == 0"),
        ((1, 10, 10, 0), "alpha == 0"),
        ((1, 10, 10, 1), "alpha == 1"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        always_valid_p(*arguments)
