"""Welch, Fieller and non-inferiority against scipy, printed values, closed forms and each other."""

import doctest
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from opslab.experiments.inference import effects
from opslab.experiments.inference.effects import fieller, non_inferiority_p, welch

quick = settings(deadline=None, max_examples=50)
means = st.floats(-1e3, 1e3, allow_subnormal=False)
variances = st.floats(1e-3, 1e4)
sizes = st.integers(2, 10**6)
levels = st.sampled_from([0.8, 0.95, 0.999])
moments = st.tuples(means, variances, sizes, means, variances, sizes)


def estimates(mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control):
    """Return two independent means as `fieller` and `non_inferiority_p` take them."""
    test = welch(mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control)
    control_error = variance_control / n_control
    return (
        mean_arm - mean_control,
        variance_arm / n_arm + control_error,
        mean_control,
        control_error,
        -control_error,
        test.degrees_of_freedom,
    )


def lift_of(arm_and_control, level=0.95):
    return fieller(*estimates(*arm_and_control), level)


def non_inferiority(*values_margin_goal, relative):
    *values, margin, goal = values_margin_goal
    return non_inferiority_p(*estimates(*values), margin, goal, relative=relative)


def test_examples_run():
    assert doctest.testmod(effects).failed == 0


def test_welch_student_sleep_as_printed_by_r():
    # R documentation, t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p = 0.07939.
    drug_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    drug_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    result = welch(
        np.mean(drug_1), np.var(drug_1, ddof=1), 10, np.mean(drug_2), np.var(drug_2, ddof=1), 10
    )
    assert round(result.difference / result.standard_error, 4) == -1.8608
    assert round(result.degrees_of_freedom, 3) == 17.776
    assert round(result.p_value, 5) == 0.07939
    assert (round(result.low, 7), round(result.high, 7)) == (-3.3654832, 0.2054832)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("n_arm", "n_control"), [(2, 2), (3, 400), (150, 90)])
def test_welch_equals_scipy(n_arm, n_control, level):
    random = np.random.default_rng(n_arm)
    arm, control = random.normal(3, 2, n_arm), random.lognormal(0, 1, n_control)
    expected = stats.ttest_ind(arm, control, equal_var=False)
    interval = expected.confidence_interval(level)
    result = welch(
        arm.mean(), arm.var(ddof=1), n_arm, control.mean(), control.var(ddof=1), n_control, level
    )
    assert result.difference == pytest.approx(arm.mean() - control.mean(), rel=1e-12)
    assert result.degrees_of_freedom == pytest.approx(expected.df, rel=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


@pytest.mark.parametrize("t", [3.0, 1e4, 1e9, 1e12])
def test_tail_closed_form_with_two_degrees_of_freedom(t):
    # Two units an arm, equal variances: 2 degrees of freedom, whose tail is elementary.
    result = welch(t, 1.0, 2, 0.0, 1.0, 2)
    assert result.degrees_of_freedom == 2
    root = math.sqrt(2 + t * t)
    assert result.p_value == pytest.approx(2 / (root * (root + t)), rel=1e-9, abs=0)


@pytest.mark.parametrize("t", [9.0, 15.0, 25.0, 36.0])
@pytest.mark.parametrize("n", [6, 100, 50_000])
def test_far_tail_is_right_and_not_zero(t, n):
    # Reference: the t density integrated beyond t in units of its value there, so nothing underflows.
    result = welch(t, n / 2, n, 0.0, n / 2, n)
    df = result.degrees_of_freedom

    def relative_density(step):
        return math.exp(-(df + 1) / 2 * math.log1p((2 * t * step + step**2) / (df + t * t)))

    scale = (df + t * t) / ((df + 1) * t)
    cuts = [0, *(scale * 2.0**power for power in range(6)), math.inf]
    area = sum(
        integrate.quad(relative_density, low, high, epsabs=0, epsrel=1e-12)[0]
        for low, high in itertools.pairwise(cuts)
    )
    log_constant = (
        special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * math.log(df * math.pi)
    )
    expected = 2 * area * math.exp(log_constant - (df + 1) / 2 * math.log1p(t * t / df))
    assert result.p_value > 0
    assert result.p_value == pytest.approx(expected, rel=1e-9, abs=0)
    assert result.p_value == pytest.approx(2 * stats.t.sf(t, df), rel=1e-9, abs=0)


@quick
@given(moments)
def test_welch_swapped_labels_flip_signs(values):
    forward, backward = welch(*values), welch(*values[3:], *values[:3])
    assert backward.difference == -forward.difference
    assert backward.p_value == pytest.approx(forward.p_value, rel=1e-9)
    assert (backward.low, backward.high) == pytest.approx(
        (-forward.high, -forward.low), rel=1e-9, abs=1e-9
    )


@quick
@given(moments, st.sampled_from([1e-6, 0.01, 60.0, 1e9]))
def test_other_units_scale_the_difference_and_leave_p_and_lift(values, scale):
    mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control = values
    assume(abs(mean_control) > 1e-3)
    scaled = (
        mean_arm * scale,
        variance_arm * scale**2,
        n_arm,
        mean_control * scale,
        variance_control * scale**2,
        n_control,
    )
    before, after = welch(*values), welch(*scaled)
    assert after.high == pytest.approx(before.high * scale, rel=1e-6, abs=1e-9 * scale)
    assert after.p_value == pytest.approx(before.p_value, rel=1e-6, abs=1e-300)
    assert lift_of(scaled).lift == pytest.approx(lift_of(values).lift, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        (1, -1, 10, 1, 1, 10),
        (1, 1, 1, 1, 1, 10),
        (1, 1, 10, 1, 1, 0),
        (1, 0, 10, 2, 0, 10),
        (math.nan, 1, 10, 1, 1, 10),
        (1, math.inf, 10, 1, 1, 10),
    ],
)
def test_welch_refuses_the_impossible(values):
    with pytest.raises(ValueError, match="must be"):
        welch(*values)


@pytest.mark.parametrize("level", [0, 1, 95, math.nan])
def test_impossible_levels_are_refused(level):
    with pytest.raises(ValueError, match="level =="):
        welch(1, 1, 10, 1, 1, 10, level)
    with pytest.raises(ValueError, match="level =="):
        fieller(1, 1, 10, 1, 0, 10, level)


@quick
@given(moments, levels)
def test_fieller_excludes_zero_exactly_when_welch_rejects(values, level):
    test, lift = welch(*values, level), lift_of(values, level)
    assume(lift.low is not None)
    assume(abs(test.p_value - (1 - level)) > 1e-9)
    assert (lift.low > 0 or lift.high < 0) == (test.p_value < 1 - level)


@quick
@given(moments, levels)
def test_fieller_limits_are_where_the_contrast_test_turns(values, level):
    mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control = values
    lift = lift_of(values, level)
    assume(lift.low is not None)
    quantile = stats.t.ppf((1 + level) / 2, welch(*values).degrees_of_freedom)
    sign = math.copysign(1, mean_control)
    for limit, side in ((lift.low, 1), (lift.high, -1)):
        factor = 1 + sign * limit
        error = math.sqrt(variance_arm / n_arm + factor**2 * variance_control / n_control)
        rounding = 1e-9 * (abs(mean_arm) + abs(factor * mean_control)) / error
        assert (mean_arm - factor * mean_control) / error == pytest.approx(
            side * quantile, rel=1e-6, abs=1e-6 + rounding
        )


@quick
@given(moments)
def test_fieller_negative_baseline_keeps_order_and_sign(values):
    mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control = values
    assume(mean_control != 0)
    mirrored = (-mean_arm, variance_arm, n_arm, -mean_control, variance_control, n_control)
    lift, mirror = lift_of(values), lift_of(mirrored)
    assert lift.lift * (mean_arm - mean_control) >= 0
    assert mirror.lift == -lift.lift
    if lift.low is None:
        assert mirror.low is mirror.high is lift.high is None
    else:
        assert lift.low <= lift.lift <= lift.high
        assert (mirror.low, mirror.high) == pytest.approx(
            (-lift.high, -lift.low), rel=1e-9, abs=1e-12
        )


def test_fieller_known_baseline_is_the_interval_divided():
    result = fieller(0.3, 0.01, 2.0, 0.0, 0.0, math.inf)
    half_width = 1.959963984540054 * 0.1 / 2
    assert result == pytest.approx((0.15, 0.15 - half_width, 0.15 + half_width), rel=1e-12)


def test_fieller_unbounded_at_the_level_where_the_baseline_is_unclear():
    # The control mean is 2.5 standard errors from 0: clear at 95 % (quantile 1.96), not at 99 % (2.58).
    clear = fieller(0.1, 0.02, 0.25, 0.01, -0.01, math.inf, 0.95)
    unclear = fieller(0.1, 0.02, 0.25, 0.01, -0.01, math.inf, 0.99)
    assert clear.low < clear.lift < clear.high
    assert unclear == (pytest.approx(0.4), None, None)


def test_fieller_no_lift_over_a_control_mean_of_zero():
    assert fieller(0.1, 0.02, 0.0, 0.01, -0.01, 50) == (None, None, None)


def test_fieller_keeps_its_digits_when_the_difference_dwarfs_its_error():
    # Difference 1e8 standard errors: the textbook quadratic would lose every digit of the width.
    lift = fieller(1.0, 1e-16, 1.0, 1e-18, 0.0, math.inf)
    half_width = 1.959963984540054 * math.sqrt(1e-16 + 1e-18)
    assert lift.high - lift.lift == pytest.approx(half_width, rel=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        (1, 0, 1, 1, 0, 9),
        (1, 1, 1, -1, 0, 9),
        (1, 1, 1, 1, 2, 9),
        (1, 1, math.nan, 1, 0, 9),
        (1, 1, 1, 1, 0, 0),
        (1, 1, 1, 1, math.inf, 9),
    ],
)
def test_fieller_refuses_the_impossible(values):
    with pytest.raises(ValueError, match="must be"):
        fieller(*values)


goals = st.sampled_from(["increase", "decrease"])
margins = st.floats(1e-3, 100)


@quick
@given(moments, margins, goals, st.sampled_from([0.01, 0.05, 0.2]))
def test_non_inferiority_agrees_with_the_two_sided_interval(values, margin, goal, alpha):
    interval = welch(*values, 1 - alpha)
    p_value = non_inferiority(*values, margin, goal, relative=False)
    assume(abs(p_value - alpha / 2) > 1e-9)
    safe = interval.low > -margin if goal == "increase" else interval.high < margin
    assert safe == (p_value < alpha / 2)
    gain = interval.difference if goal == "increase" else -interval.difference
    statistic = (gain + margin) / interval.standard_error
    expected = stats.t.sf(statistic, interval.degrees_of_freedom)
    assert p_value == pytest.approx(expected, rel=1e-6, abs=1e-300)


@quick
@given(moments, st.floats(0.001, 2), goals, levels)
def test_relative_non_inferiority_agrees_with_fieller(values, margin, goal, level):
    assume(values[3] != 0)
    lift = lift_of(values, level)
    assume(lift.low is not None)
    p_value = non_inferiority(*values, margin, goal, relative=True)
    assume(p_value is not None)
    assume(abs(p_value - (1 - level) / 2) > 1e-9)
    safe = lift.low > -margin if goal == "increase" else lift.high < margin
    assert safe == (p_value < (1 - level) / 2)


def test_relative_non_inferiority_counts_the_error_of_the_control_mean():
    # By hand: contrast 9.9 - 0.98 x 10 = 0.1; its variance 4/400 + 0.98**2 x 4/400 = 0.019604.
    p_value = non_inferiority(9.9, 4.0, 400, 10.0, 4.0, 400, 0.02, "increase", relative=True)
    freedom = welch(9.9, 4.0, 400, 10.0, 4.0, 400).degrees_of_freedom
    assert p_value == pytest.approx(stats.t.sf(0.1 / math.sqrt(0.019604), freedom), rel=1e-9)


@pytest.mark.parametrize(
    ("mean_arm", "mean_control", "goal", "expected"),
    [
        (9.0, 10.0, "increase", 0),  # a loss of exactly 10 %
        (11.0, 10.0, "decrease", 0),
        (-11.0, -10.0, "increase", 0),
        (-9.0, -10.0, "decrease", 0),
        (-10.0, -10.0, "increase", 1),
        (-12.0, -10.0, "increase", -1),
        (10.0, 10.0, "decrease", 1),
    ],
)
def test_relative_margin_lies_on_the_bad_side_of_either_baseline(
    mean_arm, mean_control, goal, expected
):
    p_value = non_inferiority(mean_arm, 1.0, 50, mean_control, 1.0, 50, 0.1, goal, relative=True)
    assert np.sign(round(0.5 - p_value, 9)) == expected


def test_a_margin_of_the_whole_control_mean_is_tested_by_the_arm_alone():
    # Losing 100 % or less of the control: the contrast is the arm's mean, whose error alone counts.
    p_value = non_inferiority_p(-1.0, 0.5, 10.0, 0.3, -0.3, 50, 1.0, "increase", relative=True)
    assert p_value == pytest.approx(stats.t.sf(9.0 / math.sqrt(0.2), 50), rel=1e-9)
    assert non_inferiority_p(-1.0, 0.3, 10.0, 0.3, -0.3, 50, 1.0, "increase", relative=True) is None


def test_non_inferiority_far_tail_is_not_zero():
    far = non_inferiority_p(10.0, 0.25, 5.0, 0.1, -0.1, 1000, 1.0, "increase", relative=False)
    assert 0 < far < 1e-70


def test_non_inferiority_refuses_the_impossible():
    with pytest.raises(ValueError, match="margin == 0"):
        non_inferiority(1, 1, 9, 1, 1, 9, 0, "increase", relative=False)
    with pytest.raises(ValueError, match="goal == 'up'"):
        non_inferiority(1, 1, 9, 1, 1, 9, 1, "up", relative=False)
    with pytest.raises(ValueError, match="control mean other than 0"):
        non_inferiority(1, 1, 9, 0, 1, 9, 0.1, "increase", relative=True)
    with pytest.raises(ValueError, match="variance_difference == 0"):
        non_inferiority_p(1, 0, 5, 1, 0, 9, 1, "increase", relative=False)
    with pytest.raises(ValueError, match="degrees_of_freedom == 0"):
        non_inferiority_p(1, 1, 5, 1, 0, 0, 1, "increase", relative=False)
