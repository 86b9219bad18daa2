"""Units needed against statsmodels and Cohen's table."""

import doctest
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from statsmodels.stats.power import TTestIndPower

from opslab.experiments.inference import power as module
from opslab.experiments.inference.power import units_needed

quick = settings(deadline=None, max_examples=60)


def test_examples_run():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(("effect", "per_arm"), [(0.2, 393), (0.5, 64), (0.8, 26)])
def test_cohen_1992_table_2(effect, per_arm):
    # Cohen (1992), A power primer, table 2: two means, alpha .05, power .80 (printed to the nearest unit).
    assert abs(units_needed(1, effect, 0.05, 0.8) / 2 - per_arm) <= 1


@pytest.mark.parametrize("ratio", [1, 0.25, 3, 19])
@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.05, 0.9), (0.01, 0.9), (0.2, 0.5)])
@pytest.mark.parametrize("effect", [0.5, 0.1, 0.02, 0.0005])
def test_equals_statsmodels_to_a_unit_per_arm(effect, alpha, power, ratio):
    control = TTestIndPower().solve_power(effect, alpha=alpha, power=power, ratio=ratio)
    expected = control * (1 + ratio)
    units = units_needed(1, effect, alpha, power, weights=(1, ratio))
    assert expected * (1 - 1e-7) <= units < expected * (1 + 1e-7) + 2


@pytest.mark.parametrize(
    ("alpha", "power"), [(0.05, 0.8), (0.001, 0.99), (1e-6, 0.999), (0.3, 0.31)]
)
@pytest.mark.parametrize("effect", [2.0, 1.0, 0.3])
def test_reaches_the_power_and_one_unit_less_an_arm_does_not(effect, alpha, power):
    # Reference: the normal power given the pooled error, integrated over that error. statsmodels is no
    # reference at small alpha and high power: its far tail is nan there and it returns too few units.
    def power_of(per_arm):
        df, shift = 2 * per_arm - 2, effect * math.sqrt(per_arm / 2)
        critical = stats.t.isf(alpha / 2, df)

        def at(error):
            density = stats.chi.pdf(error * math.sqrt(df), df) * math.sqrt(df)
            return density * (
                special.ndtr(shift - critical * error) + special.ndtr(-shift - critical * error)
            )

        spread = 12 / math.sqrt(2 * df)
        return integrate.quad(at, max(0, 1 - spread), 1 + spread, epsabs=1e-10, limit=200)[0]

    per_arm = units_needed(1, effect, alpha, power) // 2
    assert power_of(per_arm) >= power - 1e-8
    assert per_arm == 2 or power_of(per_arm - 1) < power


@quick
@given(st.floats(0.01, 1), st.floats(0.01, 1000), st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)))
def test_units_sign_and_order_of_weights_do_not_matter(effect, deviation, weights):
    units = units_needed(1, effect, 0.05, 0.8, weights)
    assert abs(units_needed(deviation, -effect * deviation, 0.05, 0.8, weights[::-1]) - units) <= 1
    assert units >= units_needed(1, effect, 0.05, 0.8) - 1


@quick
@given(st.floats(0.01, 1), st.floats(0.3, 0.98))
def test_more_power_or_a_smaller_effect_needs_no_fewer_units(effect, power):
    units = units_needed(1, effect, 0.05, power)
    assert units_needed(1, effect, 0.05, power + 0.01) >= units
    assert units_needed(1, effect * 0.9, 0.05, power) >= units


def test_at_least_two_units_an_arm():
    assert units_needed(1, 100, 0.05, 0.8) == 4
    assert units_needed(1, 100, 0.05, 0.8, weights=(9, 1)) == 20


@pytest.mark.parametrize(
    "changed",
    [
        {"standard_deviation": 0},
        {"difference": 0},
        {"difference": float("nan")},
        {"alpha": 0},
        {"alpha": 1},
        {"power": 0.05},
        {"power": 1},
        {"weights": (1, 0)},
        {"weights": (float("inf"), 1)},
    ],
)
def test_impossible_input_is_refused(changed):
    fine = {"standard_deviation": 1, "difference": 0.5, "alpha": 0.05, "power": 0.8}
    with pytest.raises(ValueError, match="must be"):
        units_needed(**(fine | changed))
