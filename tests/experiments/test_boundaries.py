"""Boundaries against other integrations, rpact's and printed constants, and what looking costs."""

import doctest
from itertools import accumulate
from math import e, inf, log, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from opslab.experiments.sequential import boundaries as module
from opslab.experiments.sequential import spending
from opslab.experiments.sequential.boundaries import (
    Boundaries,
    average_sample,
    boundaries,
    crossing,
    drift_for,
    false_positive_rate,
    inflation,
)
from opslab.experiments.sequential.spending import spent

quick = settings(deadline=None, max_examples=25)
DESIGNS = {
    "early": ((0.1, 0.2, 0.3, 1), "obrien_fleming", None),
    "even": ((0.2, 0.4, 0.6, 0.8, 1), "pocock", None),
    "near": ((0.3, 0.31, 0.9, 0.92, 1), "power", 2.0),
    "single": ((1,), "obrien_fleming", None),
}


def simpson(information, low, high, drift, points=2_001):
    """Return the chances above and below at each look, by Simpson's rule on sums, not on z."""
    above, below, before, places, mass = [], [], 0.0, np.zeros(1), np.ones(1)
    for now, lowest, highest in zip(information, low, high, strict=True):
        scale = sqrt(now - before)
        mean = places + drift * (now - before)
        above.append(float(mass @ norm.sf((highest * sqrt(now) - mean) / scale)))
        below.append(float(mass @ norm.cdf((lowest * sqrt(now) - mean) / scale)))
        ends = [max(lowest, -9 + min(drift, 0)), min(highest, 9 + max(drift, 0))]
        grid = np.linspace(*(end * sqrt(now) for end in ends), points)
        weights = np.full(points, 2.0)
        weights[1::2], weights[[0, -1]] = 4.0, 1.0
        weights *= (grid[1] - grid[0]) / 3
        mass = weights * (norm.pdf((grid[:, None] - mean) / scale) @ mass) / scale
        places, before = grid, now
    return above, below


@pytest.mark.parametrize("area", [module, spending])
def test_examples_run(area):
    assert doctest.testmod(area).failed == 0


def test_spending_functions():
    # Written out from Lan and DeMets (1983) with scipy's normal distribution.
    for share in (0.01, 0.3, 0.999, 1, 1.4):
        known = min(share, 1)
        assert spent(share, 0.025) == pytest.approx(
            2 * norm.sf(norm.isf(0.0125) / sqrt(known)), rel=1e-12
        )
        assert spent(share, 0.025, "pocock") == pytest.approx(0.025 * log(1 + (e - 1) * known))
        assert spent(share, 0.025, "power", 3) == pytest.approx(0.025 * known**3)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("drift", [0.0, 2.8, -1.0])
def test_crossing_by_simpson(name, drift):
    information, family, exponent = DESIGNS[name]
    design = boundaries(information, 0.05, family, exponent)
    stops = crossing(design, drift)
    low = [-bound for bound in design.efficacy]
    above, below = simpson(information, low, design.efficacy, drift)
    assert stops.upper == pytest.approx(above, abs=1e-9)
    assert stops.lower == pytest.approx(below, abs=1e-9)
    if drift == 0:
        assert list(accumulate(2 * chance for chance in above)) == pytest.approx(
            design.spent, abs=1e-9
        )


def test_crossing_by_the_multivariate_normal():
    information = (0.3, 0.6, 1.0)
    design = boundaries(information, 0.05, "pocock")
    correlation = [
        [sqrt(min(one, other) / max(one, other)) for other in information] for one in information
    ]
    within = multivariate_normal(
        [2.5 * sqrt(share) for share in information], correlation, seed=1, abseps=1e-8, releps=1e-8
    ).cdf(np.array(design.efficacy), lower_limit=-np.array(design.efficacy))
    stops = crossing(design, 2.5)
    assert 1 - sum(stops.upper) - sum(stops.lower) == pytest.approx(within, abs=2e-6)


def test_printed_bounds_of_spending():
    # Lan and DeMets' own program (Reboussin and others 2000) prints these for four equal looks.
    assert boundaries((0.25, 0.5, 0.75, 1), 0.05).efficacy == pytest.approx(
        (4.3326, 2.9631, 2.3590, 2.0141), abs=5e-5
    )


def test_bounds_of_rpact():
    # Constants in rpact's own tests of two-sided designs, printed to eight digits.
    design = boundaries((0.3, 0.4, 0.8, 1), 0.05, "power", 2.5)
    assert design.efficacy == pytest.approx((3.0276355, 2.8984727, 2.2289649, 2.0639032), abs=6e-8)
    assert design.spent == pytest.approx((0.0024647515, 0.0050596443, 0.028621671, 0.05), abs=1e-9)
    design = boundaries((0.15, 0.25, 0.8, 1), 0.025)
    assert design.efficacy[0] == pytest.approx(6.3431527, abs=6e-8)
    # At the second look rpact spends 1e-6 with an error of its own (4.8600403): Simpson decides.
    above, _ = simpson((0.15, 0.25), (-9, -9), (design.efficacy[0], design.efficacy[1]), 0.0, 4_001)
    assert 2 * sum(above) == pytest.approx(1.1742122e-06, abs=1e-13)
    assert design.efficacy[2:] == pytest.approx((2.560259, 2.292451), abs=6e-7)


def test_one_sided_futility_of_rpact():
    # rpact's efficacy is one-sided here: ours differ by the paths that crossed the lower side.
    design = boundaries((0.3, 0.7, 1), 0.06, "power", 2.2, futility=("power", 3.2), power=0.66)
    assert design.efficacy == pytest.approx((2.8594012, 2.2435708, 1.9735737), abs=5e-7)
    assert design.futility[:2] == pytest.approx((-1.1558435, 0.72836893), abs=5e-7)
    larger = inflation(design, 0.66)
    assert larger == pytest.approx(1.0555891, abs=5e-7)
    assert larger * average_sample(design, design.drift) == pytest.approx(0.86740735, abs=5e-7)
    assert larger * average_sample(design, 0.0) == pytest.approx(0.75480974, abs=5e-7)


@pytest.mark.parametrize(
    ("looks", "family", "futility", "largest", "average"),
    [
        (4, "obrien_fleming", None, 1.020, 0.84),
        (5, "obrien_fleming", None, 1.025, 0.82),
        (5, "pocock", None, 1.21, 0.80),
        (3, "obrien_fleming", ("obrien_fleming", None), 1.104, 0.63),
    ],
)
def test_price_of_looking_in_sample(looks, family, futility, largest, average):
    # Known rows; samples are shares of the fixed test's. The last one is at no effect.
    information = np.arange(1, looks + 1) / looks
    design = boundaries(information, 0.05, family, futility=futility, power=0.8 if futility else 0)
    larger = inflation(design, 0.8)
    assert larger == pytest.approx(largest, abs=5e-4 if largest < 1.2 else 5e-3)
    drift = 0.0 if futility else drift_for(design, 0.8)
    assert larger * average_sample(design, drift) == pytest.approx(average, abs=5e-3)


@pytest.mark.parametrize("name", DESIGNS)
def test_average_sample_and_power_by_simpson(name):
    information, family, exponent = DESIGNS[name]
    design = boundaries(information, 0.05, family, exponent)
    drift = drift_for(design, 0.9)
    above, below = simpson(
        information, [-bound for bound in design.efficacy], design.efficacy, drift
    )
    assert sum(above) == pytest.approx(0.9, abs=1e-9)
    left = 1 - np.cumsum(np.add(above, below))
    expected = information[0] + left[:-1] @ np.diff(information)
    assert average_sample(design, drift) == pytest.approx(expected, abs=1e-9)
    fixed = norm.isf(0.025) + norm.isf(0.1)
    assert inflation(design, 0.9) == pytest.approx((drift / fixed) ** 2)


def test_a_single_look_is_the_fixed_test():
    design = boundaries((1,), 0.05)
    assert design.efficacy == pytest.approx((norm.isf(0.025),))
    assert inflation(design, 0.8) == pytest.approx(1, abs=1e-10)
    futile = boundaries((1,), 0.05, futility=("pocock", None), power=0.8)
    assert futile.drift == pytest.approx(drift_for(design, 0.8), abs=1e-9)


@pytest.mark.parametrize("family", ["obrien_fleming", "pocock"])
def test_futility_spends_the_chance_of_a_miss(family):
    information, power = (0.25, 0.5, 0.75, 1.0), 0.85
    design = boundaries(information, 0.05, futility=(family, None), power=power)
    alone = boundaries(information, 0.05)
    assert design.efficacy == alone.efficacy  # not binding
    assert design.futility[-1] == design.efficacy[-1]
    # One-sided, as it is defined: what lies below counts as missed, whether harm or not.
    above, below = simpson(information, design.futility, design.efficacy, design.drift)
    assert list(accumulate(below)) == pytest.approx(
        [spent(share, 1 - power, family) for share in information], abs=1e-8
    )
    assert sum(above) == pytest.approx(power, abs=1e-8)
    stops = crossing(design, design.drift)
    assert sum(map(sum, stops)) == pytest.approx(1, abs=1e-12)
    assert np.add(stops.lower, stops.futile) == pytest.approx(below, abs=1e-6)


def test_futility_at_looks_that_happened():
    planned = boundaries((0.5, 1), 0.05, futility=("pocock", None), power=0.8)
    now = boundaries((0.4,), 0.05, futility=("pocock", None), power=0.8, drift=planned.drift)
    chance = norm.cdf(now.futility[0] - planned.drift * sqrt(0.4))
    assert chance == pytest.approx(spent(0.4, 0.2, "pocock"), abs=1e-10)
    with pytest.raises(ValueError, match=r"last_planned_information == 0\.4"):
        boundaries((0.4,), 0.05, futility=("pocock", None), power=0.8)


def test_the_last_look_spends_what_is_left():
    early = boundaries((0.3, 0.6), 0.05, final=True)
    assert early.spent[-1] == 0.05
    assert sum(crossing(early, 0).upper) == pytest.approx(0.025, abs=1e-10)
    assert early.efficacy[-1] < boundaries((0.3, 0.6), 0.05).efficacy[-1]
    late = boundaries((0.3, 1.3), 0.05)
    assert sum(crossing(late, 0).upper) == pytest.approx(0.025, abs=1e-10)


def test_first_looks_do_not_depend_on_later_ones():
    assert boundaries((0.2, 0.5, 1), 0.05).efficacy[:2] == pytest.approx(
        boundaries((0.2, 0.5), 0.05).efficacy, abs=1e-12
    )


@quick
@given(
    st.lists(st.integers(5, 100), min_size=1, max_size=6, unique=True),
    st.floats(0.001, 0.4),
    st.sampled_from(["obrien_fleming", "pocock"]),
)
def test_exactly_alpha_is_spent(percent, alpha, family):
    information = [share / 100 for share in sorted(percent)]
    design = boundaries(information, alpha, family, final=True)
    assert 2 * sum(crossing(design, 0.0).upper) == pytest.approx(alpha, abs=1e-9)
    assert crossing(design, 1.0).upper == pytest.approx(crossing(design, -1.0).lower, abs=1e-12)


def test_price_of_looking_at_a_fixed_test():
    # Armitage, McPherson and Rowe (1969), table 2, at 5 %.
    printed = {1: 0.05, 2: 0.083, 3: 0.107, 4: 0.126, 5: 0.142, 10: 0.193, 20: 0.248, 50: 0.320}
    for looks, rate in {**printed, 100: 0.374}.items():
        assert false_positive_rate(range(1, looks + 1), 0.05) == pytest.approx(rate, abs=6e-4)
    assert false_positive_rate((0.1, 0.2, 0.3, 1), 0.05) == pytest.approx(0.143, abs=5e-4)
    above, _ = simpson(range(1, 29), [-1.96] * 28, [1.96] * 28, 0.0, 1_001)
    assert false_positive_rate(range(1, 29), 2 * norm.sf(1.96)) == pytest.approx(
        2 * sum(above), abs=1e-9
    )


def test_ever_more_points_change_nothing(monkeypatch):
    rough = boundaries((0.05, 0.06, 0.5, 0.501, 1), 0.05, "pocock")
    monkeypatch.setattr(module, "_PANEL", 1.5)
    fine = boundaries((0.05, 0.06, 0.5, 0.501, 1), 0.05, "pocock")
    assert rough.efficacy == pytest.approx(fine.efficacy, abs=1e-11)


def test_thirty_looks_keep_their_error_rate_and_their_power():
    design = boundaries(np.arange(1, 31) / 30, 0.05)
    both = crossing(design, 0.0)
    assert sum(both.upper) + sum(both.lower) == pytest.approx(0.05, abs=1e-9)
    assert sum(crossing(design, drift_for(design, 0.8)).upper) == pytest.approx(0.8, abs=1e-9)
    assert design.efficacy[0] == pytest.approx(12.2204, abs=1e-3)


def test_a_look_too_early_to_spend():
    design = boundaries((0.001, 1), 0.05)
    assert design.efficacy[0] == inf
    assert crossing(design, 0.0).upper[0] == 0
    assert design.efficacy[1] == pytest.approx(norm.isf(0.025), abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((), 0.05), "looks == 0, must be > 0"),
        (((0.5, 0.4), 0.05), "information == 0.4, must be > 0.5"),
        (((0.5, 0.5), 0.05), "information == 0.5, must be > 0.5"),
        (((0.5, 0.500001), 0.05), "must be > 0.5 by 0.001 of it"),
        (((0.0, 0.5), 0.05), "information == 0.0, must be > 0.0"),
        (((0.5, nan), 0.05), "information == nan, must be"),
        (((0.5, inf), 0.05), "information == inf, must be"),
        (((0.5, 1.0, 1.2), 0.05), "information_before_the_last == 1.0, must be > 0 and < 1"),
        (((0.5, 1), 0), "alpha == 0, must be > 0"),
        (((0.5, 1), 1), "alpha == 1, must be"),
        (((0.5, 1), nan), "alpha == nan, must be"),
        (((0.5, 1), 0.05, "power"), "exponent == 0, must be"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        boundaries(*arguments)


def test_refused_powers_and_drifts():
    design = boundaries((0.5, 1), 0.05)
    for power in (0.02, 1, nan):
        with pytest.raises(ValueError, match="power == "):
            drift_for(design, power)
        with pytest.raises(ValueError, match="power == "):
            boundaries((0.5, 1), 0.05, futility=("pocock", None), power=power)
    with pytest.raises(ValueError, match="drift == nan"):
        crossing(design, nan)
    with pytest.raises(ValueError, match="alpha == 2"):
        false_positive_rate((1, 2), 2)
    assert isinstance(design, Boundaries)
