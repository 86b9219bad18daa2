"""The sample ratio test against scipy and published tests."""

import doctest
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opslab.experiments.checks import sample_ratio as module
from opslab.experiments.checks.sample_ratio import sample_ratio

quick = settings(deadline=None, max_examples=50)
arms = st.lists(st.tuples(st.integers(0, 10**7), st.floats(0.01, 100)), min_size=2, max_size=8)


def test_examples_run():
    assert doctest.testmod(module).failed == 0


def test_cookie_cats():
    # Cookie Cats mobile game test (gate 30 against gate 40), recomputed with scipy.stats.chisquare.
    result = sample_ratio([44700, 45489], [1, 1])
    assert round(result.statistic, 4) == 6.9024
    assert round(result.p_value, 6) == 0.008608
    assert result.degrees_of_freedom == 1
    assert result.expected == (45094.5, 45094.5)


def test_three_arms_hillstrom():
    # MineThatData e-mail challenge 2008, recomputed with scipy.stats.chisquare.
    result = sample_ratio([21306, 21307, 21387], [1, 1, 1])
    assert round(result.p_value, 6) == 0.903693
    assert result.degrees_of_freedom == 2


@quick
@given(arms)
def test_equals_scipy(pairs):
    counts, weights = [count for count, _ in pairs], [weight for _, weight in pairs]
    if sum(counts) == 0:
        return
    expected = [sum(counts) * weight / sum(weights) for weight in weights]
    reference = stats.chisquare(counts, expected, sum_check=False)
    result = sample_ratio(counts, weights)
    assert result.statistic == pytest.approx(reference.statistic, rel=1e-9, abs=1e-12)
    assert result.p_value == pytest.approx(reference.pvalue, rel=1e-6, abs=1e-300)
    assert result.expected == pytest.approx(expected)


@quick
@given(arms, st.floats(0.001, 1000), st.randoms(use_true_random=False))
def test_scale_of_weights_and_order_of_arms_do_not_matter(pairs, scale, random):
    if sum(count for count, _ in pairs) == 0:
        return
    shuffled = random.sample(pairs, len(pairs))
    result = sample_ratio(*zip(*pairs, strict=True))
    other = sample_ratio(
        [count for count, _ in shuffled], [weight * scale for _, weight in shuffled]
    )
    assert other.statistic == pytest.approx(result.statistic, rel=1e-6, abs=1e-6)


def test_an_arm_with_weight_zero_is_left_out():
    result = sample_ratio([480, 7, 520], [1, 0, 1])
    assert result[:3] == sample_ratio([480, 520], [1, 1])[:3]
    assert result.expected == (500.0, 0.0, 500.0)


def test_far_tail_is_not_zero():
    # With one degree of freedom the tail is erfc(sqrt(chi-square / 2)).
    result = sample_ratio([50_000, 55_000], [1, 1])
    assert 0 < result.p_value < 1e-50
    assert result.p_value == pytest.approx(
        math.erfc(math.sqrt(result.statistic / 2)), rel=1e-9, abs=0
    )


@pytest.mark.parametrize(
    ("counts", "weights"),
    [
        ([10, 10], [1, 0]),
        ([10], [1]),
        ([], []),
        ([10, -1], [1, 1]),
        ([10, 10], [1, -1]),
        ([10, 10], [1, math.nan]),
        ([10, 10], [1, math.inf]),
        ([10, 10], [-math.inf, 1]),
        ([10, math.inf], [1, 1]),
        ([math.nan, 10], [1, 1]),
        ([0, 0], [1, 1]),
        ([0, 0, 9], [1, 1, 0]),
        ([10, 10, 10], [1, 1]),
    ],
)
def test_impossible_input_is_refused(counts, weights):
    with pytest.raises(ValueError, match="must be"):
        sample_ratio(counts, weights)
