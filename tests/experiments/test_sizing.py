"""Units, effects, power and days of a plan: R's and printed numbers, statsmodels, simulations."""

import datetime
import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import (
    power_proportions_2indep,
    samplesize_proportions_2indep_onetail,
)

from opslab.experiments.plan import sizing as module
from opslab.experiments.plan import traffic as traffic_module
from opslab.experiments.plan.sizing import Belief, Means, Shares, Sizing, design_effect
from opslab.experiments.plan.traffic import Traffic, usual, whole_days
from opslab.experiments.sequential.boundaries import boundaries, inflation

quick = settings(deadline=None, max_examples=40)
MONDAY = datetime.date(2026, 11, 30)


def test_examples_run():
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(traffic_module).failed == 0


# R, documentation of power.t.test and power.prop.test (stats), as printed there or by its formula
# with tol = 1e-12: n an arm, strict = FALSE.
@pytest.mark.parametrize(
    ("estimate", "difference", "wanted", "n"),
    [
        (Means(1.0), 1.0, 0.9, 22.02110),
        (Means(1.0), 0.5, 0.8, 63.76576),
        (Shares(0.5), 0.25, 0.9, 76.7),
    ],
)
def test_units_of_r(estimate, difference, wanted, n):
    digits = len(str(n).partition(".")[2])
    assert round(Sizing(estimate, 0.05, wanted).units(difference) / 2, digits) == n


@pytest.mark.parametrize(
    ("estimate", "n", "difference", "power"),
    [(Means(1.0), 20, 1.0, 0.8689528), (Shares(0.5), 50, 0.25, 0.7401659)],
)
def test_power_of_r(estimate, n, difference, power):
    assert Sizing(estimate, 0.05, 0.8).power(2 * n, difference) == pytest.approx(power, abs=5e-8)


@pytest.mark.parametrize(("share", "other"), [(0.5, 0.75), (0.01, 0.012), (0.97, 0.98), (0.3, 0.1)])
@pytest.mark.parametrize(("alpha", "wanted"), [(0.05, 0.8), (0.01, 0.95)])
def test_proportions_by_the_closed_form(share, other, alpha, wanted):
    # Fleiss, Levin and Paik (2003), equation 4.14 without a correction: power.prop.test solves it.
    pooled = (share + other) / 2
    z_alpha, z_power = stats.norm.isf(alpha / 2), stats.norm.ppf(wanted)
    spread = z_alpha * math.sqrt(2 * pooled * (1 - pooled))
    spread += z_power * math.sqrt(share * (1 - share) + other * (1 - other))
    better = 1 if other > share else -1
    test = Sizing(Shares(share, better=better), alpha, wanted)
    assert test.units(abs(other - share)) / 2 == pytest.approx(
        spread**2 / (other - share) ** 2, rel=1e-12
    )


@pytest.mark.parametrize("ratio", [1.0, 0.25, 4.0])
@pytest.mark.parametrize(("alpha", "wanted"), [(0.05, 0.8), (0.01, 0.9)])
def test_statsmodels(alpha, wanted, ratio):
    weights = (ratio / (1 + ratio), 1 / (1 + ratio))
    one_sided = {"alpha": alpha / 2, "power": wanted, "ratio": ratio, "alternative": "larger"}
    for exact, solver in ((True, TTestIndPower()), (False, NormalIndPower())):
        control = solver.solve_power(0.2, **one_sided)
        units = Sizing(Means(1.0, weights, exact=exact), alpha, wanted).units(0.2)
        assert units == pytest.approx(control * (1 + ratio), rel=1e-7)
    shares = Sizing(Shares(0.1, weights), alpha, wanted)
    units = shares.units(0.03)
    power = power_proportions_2indep(
        0.03,
        0.1,
        units * weights[0],
        1 / ratio,
        alpha / 2,
        alternative="larger",
        return_results=False,
    )
    assert power == pytest.approx(wanted, abs=1e-9)


def test_statsmodels_sizes_of_one_tail():
    arm = samplesize_proportions_2indep_onetail(0.05, 0.2, 0.8, alpha=0.05)
    assert Sizing(Shares(0.2), 0.05, 0.8).units(0.05) / 2 == pytest.approx(arm, rel=1e-12)


# Farrington and Manning (1990), equation 4: the restricted estimates are sought here on a grid of
# the likelihood, not by their cubic.
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("margin", [0.05, 0.2])
def test_margin_by_restricted_estimates(share, margin):
    def likelihood(control):  # expected, of one unit an arm: the arm is worse by the margin
        arm = control - margin
        logs = np.log([arm, 1 - arm, control, 1 - control])
        return logs @ [share, 1 - share, share, 1 - share]

    controls = np.linspace(margin + 1e-7, 1 - 1e-7, 2_000_001)
    arms = controls - margin
    total = share * np.log(arms) + (1 - share) * np.log(1 - arms)
    control = controls[
        np.argmax(total + share * np.log(controls) + (1 - share) * np.log1p(-controls))
    ]
    assert likelihood(control) >= likelihood(min(share + margin, 0.99)) - 1e-9
    restricted = control * (1 - control) + (control - margin) * (1 - control + margin)
    z_alpha, z_power = stats.norm.ppf([0.975, 0.9])
    needed = z_alpha * math.sqrt(restricted) + z_power * math.sqrt(2 * share * (1 - share))
    test = Sizing(Shares(share, margin="absolute"), 0.05, 0.9)
    assert test.units(margin) / 2 == pytest.approx((needed / margin) ** 2, rel=1e-5)


def test_relative_margin_of_a_mean_counts_the_error_of_the_control():
    # Hauschke, Kieser, Diletti and Burke (1999): theta = 1 - margin, n an arm for a t test of
    # mean_T - theta mean_C = 0 at equal means: sigma^2 (1 + theta^2) / (1 - theta)^2.
    theta = 0.9
    test = Sizing(Means(4.0, baseline=20.0, exact=False), 0.05, 0.8)
    z = sum(stats.norm.ppf([0.975, 0.8]))
    expected = z**2 * 16 * (1 + theta**2) / (20 * (1 - theta)) ** 2
    assert test.units(2.0) / 2 == pytest.approx(expected, rel=1e-12)


def estimates():
    weights = st.tuples(st.floats(0.05, 0.5), st.floats(0.05, 0.5))
    means = st.builds(Means, st.floats(0.1, 50), weights, exact=st.booleans())
    shares = st.builds(
        Shares,
        st.floats(0.01, 0.6),
        weights,
        st.sampled_from([1]),
        st.sampled_from(["", "absolute", "relative"]),
    )
    return st.one_of(means, shares)


DESIGNS = [
    None,
    boundaries((0.25, 0.5, 0.75, 1), 0.05),
    boundaries((0.5, 1), 0.05, "pocock"),
    boundaries((0.4, 1), 0.05, futility=("obrien_fleming", None), power=0.8, final=True),
]


@pytest.mark.parametrize("looks", DESIGNS)
@quick
@given(estimate=estimates(), part=st.floats(0.01, 0.9))
def test_inverses_of_one_another(looks, estimate, part):
    test = Sizing(estimate, 0.05, 0.8, looks)
    difference = part * min(estimate.largest, estimate.scale)
    units = test.units(difference)
    if units == test.fewest:  # fewer have no variance
        return
    assert test.difference(units) == pytest.approx(difference, rel=1e-9)
    assert test.power(units, difference) == pytest.approx(0.8, abs=1e-8)
    assert test.units(test.difference(1.7 * units)) == pytest.approx(1.7 * units, rel=1e-9)


@pytest.mark.parametrize("exact", [True, False])
def test_looks_inflate(exact):
    # Jennison and Turnbull (2000) by gsDesign: four O'Brien-Fleming type looks 1.0196, five Pocock
    # type 1.2126.
    fixed = Sizing(Means(1.0, exact=exact), 0.05, 0.8).units(0.1)
    five = boundaries((0.2, 0.4, 0.6, 0.8, 1), 0.05, "pocock")
    for looks, factor in ((boundaries((0.25, 0.5, 0.75, 1), 0.05), 1.0196), (five, 1.2126)):
        units = Sizing(Means(1.0, exact=exact), 0.05, 0.8, looks).units(0.1)
        assert units / fixed == pytest.approx(factor, abs=2e-4)
        assert units / fixed == pytest.approx(
            inflation(looks, 0.8), rel=1e-9 if not exact else 1e-3
        )


@pytest.mark.parametrize("wanted", [0.8, 0.9])
def test_looks_multiply_a_fixed_size_by_their_inflation(wanted):
    looks = boundaries((1 / 3, 2 / 3, 1), 0.05)
    test, fixed = (Sizing(Means(1.0, exact=False), 0.05, wanted, path) for path in (looks, None))
    assert test.units(0.2) / fixed.units(0.2) == pytest.approx(inflation(looks, wanted), rel=1e-9)


def test_belief_against_a_simulated_posterior():
    belief, rng = Belief(0.1, 0.4, 0.01), np.random.default_rng(3)
    error, effect = 0.2, 0.35
    estimates = rng.normal(effect, error, 200_000)
    precision = 1 / error**2 + 1 / belief.sd**2
    mean = (estimates / error**2 + belief.mean / belief.sd**2) / precision
    spread = precision**-0.5
    losses = spread * stats.norm.pdf(mean / spread) - mean * stats.norm.cdf(-mean / spread)
    simulated = np.mean(losses < belief.loss)
    assert belief.power(error, effect) == pytest.approx(simulated, abs=0.004)


def test_bayesian_sizes_invert():
    test = Sizing(Means(2.0), 0.05, 0.8, belief=Belief(0.0, 0.5, 0.005))
    units = test.units(0.1)
    assert test.difference(units) == pytest.approx(0.1, rel=1e-9)
    assert test.power(units, 0.1) == pytest.approx(0.8, abs=1e-9)


def test_design_effect_of_eldridge():
    # Eldridge, Ashby and Kerry (2006): 1 + ((cv^2 + 1) m - 1) icc, at cv .65, m 10, icc .05.
    assert design_effect(10, 0.05, 0.65) == pytest.approx(1 + ((0.65**2 + 1) * 10 - 1) * 0.05)
    assert design_effect(1, 0.3) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sizing(Means(1.0), 0.0, 0.8),
        lambda: Sizing(Means(1.0), 0.05, 0.05),
        lambda: Sizing(Means(1.0), 0.05, 1.0),
        lambda: Sizing(Means(-1.0), 0.05, 0.8),
        lambda: Sizing(Means(math.nan), 0.05, 0.8),
        lambda: Sizing(Means(1.0, (0.0, 0.5)), 0.05, 0.8),
        lambda: Sizing(Shares(1.2), 0.05, 0.8),
        lambda: Sizing(Means(1.0), 0.05, 0.8, belief=Belief(0.0, 0.0, 0.1)),
        lambda: Sizing(Means(1.0), 0.05, 0.8, belief=Belief(0.0, 1.0, 0.0)),
        lambda: Sizing(Means(1.0), 0.05, 0.8).units(0.0),
        lambda: Sizing(Shares(0.9), 0.05, 0.8).units(0.2),
    ],
)
def test_impossible_input_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        wrong()


def test_what_no_units_find():
    test = Sizing(Shares(0.5), 0.05, 0.8)
    assert test.difference(3.9) is None
    assert test.difference(4) is None  # not even 0 against 1
    assert test.difference(1_000) is not None


def test_days_are_the_inverse_of_units():
    traffic = Traffic((100.0, 90, 110, 95, 120, 30, 20), datetime.date(2026, 12, 3))
    for units in (1.0, 95.0, 555.5, 565.0, 4_321.0):
        assert traffic.units(traffic.days(units)) == pytest.approx(units, rel=1e-12)
    assert traffic.units(1) == 95
    assert traffic.units(3) == 95 + 120 + 30
    assert traffic.units(-2) == 0


def test_usual_days_leave_out_parts_of_days():
    days = {MONDAY + datetime.timedelta(days=day): 100 + 10 * (day % 7) for day in range(21)}
    days[MONDAY], days[max(days)] = 3, 4
    whole = whole_days(days)
    assert (len(whole), whole_days({})) == (19, {})
    assert usual(whole, 0.5) == (50.0, 55.0, 60.0, 65.0, 70.0, 75.0, 80.0)
    short = {day: count for day, count in days.items() if (day - MONDAY).days < 6}
    assert usual(whole_days(short), 1.0) == ()


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.05, 0.4])
def test_power_is_what_a_simulation_finds(share):
    test = Sizing(Shares(share, (0.4, 0.6)), 0.05, 0.8)
    units = test.units(0.01)
    n = np.array([math.ceil(0.4 * units), math.ceil(0.6 * units)])
    rng = np.random.default_rng(5)
    arm, control = rng.binomial(n[:, None], [[share + 0.01], [share]], (2, 200_000)) / n[:, None]
    pooled = (n[0] * arm + n[1] * control) / n.sum()
    z = (arm - control) / np.sqrt(pooled * (1 - pooled) * (1 / n).sum())
    assert np.mean(z > stats.norm.ppf(0.975)) == pytest.approx(0.8, abs=0.01)


@pytest.mark.slow
def test_sequential_power_is_what_a_simulation_finds():
    looks = boundaries((0.25, 0.5, 0.75, 1), 0.05)
    units = Sizing(Means(1.0), 0.05, 0.8, looks).units(0.2)
    per_look, rng = round(units / 8), np.random.default_rng(8)
    arm, control = (
        np.cumsum(rng.normal(mean, per_look**-0.5, (50_000, 4)), axis=1) / np.arange(1, 5)
        for mean in (0.2, 0.0)
    )
    z = (arm - control) / np.sqrt(2 / (per_look * np.arange(1, 5)))
    first = (z >= looks.efficacy).any(axis=1)
    assert np.mean(first) == pytest.approx(0.8, abs=0.01)
