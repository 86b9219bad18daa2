"""Score test and Miettinen-Nurminen intervals against Newcombe's table and a brute-force inversion."""

import doctest
import math

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from opslab.experiments.inference import proportions
from opslab.experiments.inference.proportions import (
    miettinen_nurminen_difference,
    miettinen_nurminen_lift,
    score_test,
)

quick = settings(deadline=None, max_examples=50)
arm_counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
large_counts = st.integers(10**4, 10**7).flatmap(
    lambda n: st.tuples(st.integers(0, 50), st.just(n))
)
counts = st.tuples(arm_counts, arm_counts) | st.tuples(large_counts, large_counts)
levels = st.sampled_from([0.8, 0.95, 0.999])


def brute_force_score(null, arm, control, *, ratio):
    """Score statistic with the constrained likelihood maximised by root finding on its derivative."""
    (x1, n1), (x2, n2) = arm, control
    slope = null if ratio else 1.0
    shift = 0.0 if ratio else null
    low = max(0.0, -shift / slope)
    high = min(1.0, (1.0 - shift) / slope)

    def derivative(p2):
        p1 = slope * p2 + shift
        terms = ((x2, p2), (-(n2 - x2), 1 - p2), (slope * x1, p1), (-slope * (n1 - x1), 1 - p1))
        return sum(weight / at for weight, at in terms if weight)

    inset = (high - low) * 1e-13
    if high <= low or derivative(low + inset) <= 0:
        p2 = low
    elif derivative(high - inset) >= 0:
        p2 = high
    else:
        p2 = optimize.brentq(derivative, low + inset, high - inset, xtol=1e-300, rtol=1e-15)
    p1 = min(max(slope * p2 + shift, 0.0), 1.0)
    variance = p1 * (1 - p1) / n1 + slope**2 * p2 * (1 - p2) / n2
    variance *= (n1 + n2) / (n1 + n2 - 1)
    return (x1 / n1 - slope * x2 / n2 - shift) / math.sqrt(variance)


def test_examples_run():
    assert doctest.testmod(proportions).failed == 0


@pytest.mark.parametrize(
    ("arm", "control", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0528, 0.3382),
        ((9, 10), (3, 10), 0.1700, 0.8406),
        ((6, 7), (2, 7), 0.0342, 0.8534),
        ((5, 56), (0, 29), -0.0326, 0.1933),
        ((0, 10), (0, 20), -0.1658, 0.2844),
        ((0, 10), (0, 10), -0.2879, 0.2879),
        ((10, 10), (0, 20), 0.7156, 1.0000),
    ],
)
def test_difference_newcombe_1998_table_2_method_6(arm, control, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 6 (Miettinen-Nurminen).
    interval = miettinen_nurminen_difference(*arm, *control)
    assert tuple(round(limit, 4) for limit in interval) == (low, high)


CASES = [
    ((56, 70), (48, 80)),
    ((10, 10), (0, 20)),
    ((10, 10), (0, 10)),
    ((0, 15), (4, 40)),
    ((3, 50), (8, 40)),
    ((1, 7), (7, 7)),
    ((12, 12), (12, 12)),
    ((12, 1_000_000), (5, 900_000)),
    ((1, 1_000_000), (0, 10_000_000)),
    ((999_990, 1_000_000), (999_970, 1_000_000)),
    ((50_500, 1_000_000), (50_000, 1_000_000)),
]


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(("arm", "control"), CASES)
def test_difference_limits_lie_on_the_brute_force_quantile(arm, control, level):
    quantile = stats.norm.isf((1 - level) / 2)
    low, high = miettinen_nurminen_difference(*arm, *control, level)
    if low > -1 and arm[0] / arm[1] - control[0] / control[1] < 1:
        assert brute_force_score(low, arm, control, ratio=False) == pytest.approx(
            quantile, rel=1e-6
        )
    if high < 1:
        assert brute_force_score(high, arm, control, ratio=False) == pytest.approx(
            -quantile, rel=1e-6
        )


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(("arm", "control"), CASES)
def test_lift_limits_lie_on_the_brute_force_quantile(arm, control, level):
    quantile = stats.norm.isf((1 - level) / 2)
    low, high = miettinen_nurminen_lift(*arm, *control, level)
    if low > -1:
        assert brute_force_score(1 + low, arm, control, ratio=True) == pytest.approx(
            quantile, rel=1e-6
        )
    if high is not None:
        assert brute_force_score(1 + high, arm, control, ratio=True) == pytest.approx(
            -quantile, rel=1e-6
        )
    assert (high is None) == (control[0] == 0)
    assert (low == -1) == (arm[0] == 0)


@pytest.mark.parametrize(("arm", "control"), CASES)
def test_all_values_inside_are_accepted_and_all_outside_rejected(arm, control):
    quantile = stats.norm.isf(0.025)
    low, high = miettinen_nurminen_difference(*arm, *control)
    for step in range(1, 200):
        null = -1 + step / 100 + 1e-5
        assert (abs(brute_force_score(null, arm, control, ratio=False)) <= quantile) == (
            low <= null <= high
        )
    low, high = miettinen_nurminen_lift(*arm, *control)
    for step in range(-60, 61):
        null = 1.2**step * 1.0001
        inside = low <= null - 1 <= (math.inf if high is None else high)
        assert (abs(brute_force_score(null, arm, control, ratio=True)) <= quantile) == inside


@quick
@given(counts)
def test_score_is_pearson_chi_square_with_its_factor(pair):
    (x1, n1), (x2, n2) = pair
    assume(0 < x1 + x2 < n1 + n2)
    table = [[x1, n1 - x1], [x2, n2 - x2]]
    chi_square = stats.chi2_contingency(table, correction=False).statistic
    result = score_test(x1, n1, x2, n2)
    assert result.statistic**2 == pytest.approx(
        chi_square * (n1 + n2 - 1) / (n1 + n2), rel=1e-9, abs=1e-12
    )
    assert result.p_value == pytest.approx(2 * stats.norm.sf(abs(result.statistic)), rel=1e-9)
    assert result.statistic == 0 or (result.statistic > 0) == (x1 * n2 > x2 * n1)


def test_score_far_tail_is_not_zero():
    result = score_test(9_000, 10_000, 7_500, 10_000)
    assert 0 < result.p_value < 1e-100
    assert result.p_value == pytest.approx(2 * stats.norm.sf(result.statistic), rel=1e-9, abs=0)


@quick
@given(counts, levels)
@example(((3, 50), (8, 40)), 0.95)
@example(((0, 10), (0, 20)), 0.95)
@example(((10, 10), (0, 20)), 0.95)
@example(((0, 20), (10, 10)), 0.999)
@example(((7, 7), (9, 9)), 0.8)
def test_intervals_exclude_zero_exactly_when_the_test_rejects(pair, level):
    (x1, n1), (x2, n2) = pair
    p_value = score_test(x1, n1, x2, n2).p_value
    assume(abs(p_value - (1 - level)) > 1e-9)
    low, high = miettinen_nurminen_difference(x1, n1, x2, n2, level)
    assert (low > 0 or high < 0) == (p_value < 1 - level)
    low, high = miettinen_nurminen_lift(x1, n1, x2, n2, level)
    assert (low > 0 or (high is not None and high < 0)) == (p_value < 1 - level)


@quick
@given(counts, levels)
def test_swapped_labels_flip_the_difference_and_invert_the_ratio(pair, level):
    arm, control = pair
    low, high = miettinen_nurminen_difference(*arm, *control, level)
    assert miettinen_nurminen_difference(*control, *arm, level) == pytest.approx(
        (-high, -low), abs=1e-12
    )
    assert score_test(*control, *arm).statistic == pytest.approx(
        -score_test(*arm, *control).statistic
    )
    low, high = miettinen_nurminen_lift(*arm, *control, level)
    swapped_low, swapped_high = miettinen_nurminen_lift(*control, *arm, level)
    assert 1 + swapped_low == pytest.approx(0 if high is None else 1 / (1 + high), rel=1e-9)
    assert (swapped_high is None) == (low == -1)
    if swapped_high is not None:
        assert 1 + swapped_high == pytest.approx(1 / (1 + low), rel=1e-6)


@quick
@given(counts, levels)
def test_failures_for_successes_flip_the_difference(pair, level):
    (x1, n1), (x2, n2) = pair
    low, high = miettinen_nurminen_difference(x1, n1, x2, n2, level)
    flipped = miettinen_nurminen_difference(n1 - x1, n1, n2 - x2, n2, level)
    assert flipped == pytest.approx((-high, -low), rel=1e-6, abs=1e-12)


@quick
@given(counts)
def test_estimate_lies_inside_and_a_higher_level_is_wider(pair):
    (x1, n1), (x2, n2) = pair
    low, high = miettinen_nurminen_difference(x1, n1, x2, n2)
    wider_low, wider_high = miettinen_nurminen_difference(x1, n1, x2, n2, 0.99)
    assert -1 <= wider_low <= low <= x1 / n1 - x2 / n2 <= high <= wider_high <= 1
    low, high = miettinen_nurminen_lift(x1, n1, x2, n2)
    wider_low, wider_high = miettinen_nurminen_lift(x1, n1, x2, n2, 0.99)
    assert -1 <= wider_low <= low
    if high is not None:
        assert low <= x1 / n1 / (x2 / n2) - 1 + 1e-12
        assert x1 / n1 / (x2 / n2) - 1 - 1e-12 <= high <= wider_high


def test_no_success_anywhere_holds_no_evidence():
    assert score_test(0, 10, 0, 20) == (0.0, 1.0)
    assert score_test(10, 10, 20, 20) == (0.0, 1.0)
    assert miettinen_nurminen_lift(0, 10, 0, 20) == (-1.0, None)


def test_smallest_arms():
    assert score_test(1, 1, 0, 1).statistic == 1.0
    assert miettinen_nurminen_difference(1, 1, 0, 1)[1] == 1.0


@pytest.mark.parametrize(
    "values", [(-1, 5, 1, 5), (6, 5, 1, 5), (0, 0, 1, 5), (1, 5, 6, 5), (1, 5, 0, 0)]
)
@pytest.mark.parametrize(
    "function", [score_test, miettinen_nurminen_difference, miettinen_nurminen_lift]
)
def test_impossible_counts_are_refused(function, values):
    with pytest.raises(ValueError, match="must be >="):
        function(*values)


@pytest.mark.parametrize("function", [miettinen_nurminen_difference, miettinen_nurminen_lift])
def test_impossible_levels_are_refused(function):
    with pytest.raises(ValueError, match="level == 95"):
        function(1, 5, 2, 5, 95)
