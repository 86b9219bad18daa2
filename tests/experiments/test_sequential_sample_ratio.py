"""The sequential sample ratio test against scipy's likelihoods and simulated assignments."""

import doctest
from math import nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import dirichlet_multinomial, multinomial

from opslab.experiments.sequential import split as module
from opslab.experiments.sequential.split import sequential_sample_ratio

quick = settings(deadline=None, max_examples=50)


def test_examples_run():
    assert doctest.testmod(module).failed == 0


@quick
@given(
    st.lists(st.tuples(*[st.integers(0, 2_000)] * 3), min_size=1, max_size=6),
    st.tuples(*[st.floats(0.1, 5)] * 3),
    st.sampled_from([10.0, 10_000.0]),
)
def test_bayes_factor_by_scipy(days, weights, concentration):
    result = sequential_sample_ratio(days, weights, [concentration])
    shares = np.array(weights) / sum(weights)
    smallest, seen = 1.0, np.zeros(3, dtype=int)
    for day, p_value in zip(days, result, strict=True):
        seen = seen + day
        factor = dirichlet_multinomial.logpmf(seen, concentration * shares, seen.sum())
        factor -= multinomial.logpmf(seen, seen.sum(), shares)
        smallest = min(smallest, np.exp(-factor))
        assert p_value == pytest.approx(smallest, rel=1e-6, abs=1e-300)


def test_order_of_days_matters_only_on_the_way():
    days = [(5_000, 5_100), (4_800, 5_100), (5_000, 5_200)]
    factors = [sequential_sample_ratio(order, [1, 1], [10_000]) for order in (days, days[::-1])]
    # Evidence only grows here, so the last day is the smallest in both orders.
    assert factors[0][-1] == pytest.approx(factors[1][-1])


def test_phases_multiply():
    first, second = [(900, 130), (880, 120)], [(520, 470), (600, 480)]
    both = sequential_sample_ratio(first + second, [(9, 1)] * 2 + [(1, 1)] * 2, [100.0])

    def factor(days, shares):
        seen = np.sum(days, axis=0)
        return dirichlet_multinomial.logpmf(
            seen, 100 * np.array(shares), seen.sum()
        ) - multinomial.logpmf(seen, seen.sum(), shares)

    ends = [
        0.0,
        factor(first[:1], (0.9, 0.1)),
        factor(first, (0.9, 0.1)),
        factor(first, (0.9, 0.1)) + factor(second[:1], (0.5, 0.5)),
        factor(first, (0.9, 0.1)) + factor(second, (0.5, 0.5)),
    ]
    assert both[-1] == pytest.approx(np.exp(-max(ends)))


def test_a_ramp_is_no_mismatch_of_the_whole():
    days = [(9_000, 1_000)] * 3 + [(5_000, 5_000)] * 3
    assert sequential_sample_ratio(days, [(9, 1)] * 3 + [(1, 1)] * 3)[-1] == 1
    assert sequential_sample_ratio(days, [1, 1])[-1] < 1e-100


def test_arms_without_weight_are_left_out():
    days = [(500, 0, 520), (510, 0, 560)]
    with_it = sequential_sample_ratio(days, [1, 0, 1])
    without = sequential_sample_ratio([(a, c) for a, _, c in days], [1, 1])
    assert with_it == without
    assert sequential_sample_ratio([(5, 0)], [1, 0])[-1] == pytest.approx(1)


def test_false_alarms_and_finds_over_daily_looks():
    # 2,000 assignments of 28 days at level .01; a chi-square every day would cry wolf far more often.
    random = np.random.default_rng(7)
    sound = random.binomial(1_000, 0.5, (2_000, 28))
    broken = random.binomial(1_000, 0.48, (200, 28))

    def share(worlds):
        return np.mean(
            [
                sequential_sample_ratio(np.stack([days, 1_000 - days], 1), [1, 1])[-1] <= 0.01
                for days in worlds
            ]
        )

    assert share(sound) <= 0.01 + 3 * sqrt(0.0099 / 2_000)
    assert share(broken) > 0.95


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([(1, -1)], [1, 1]), "counts == -1"),
        (([(1, 1)], [1, -1]), "weights == -1"),
        (([(1, 1)], [1, nan]), "weights == nan"),
        (([(1, 1)], [0, 0]), "weights_of_a_day == 0"),
        (([(1, 1)], [1, 1, 1]), "broadcast"),
        (([(1, 1)], [1, 1], [0]), "concentrations == 0"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        sequential_sample_ratio(*arguments)
