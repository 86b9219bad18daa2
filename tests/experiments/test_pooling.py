"""Effects together: against printed examples, statsmodels and simulated programs."""

import math

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from opslab.experiments.program.pooling import (
    Z,
    false_positive_risk,
    overstated,
    pooled,
    random_effects,
    rate,
    shrink,
    success_rate,
)

# Colditz et al. (1994), the 13 trials of the BCG vaccine, as metafor's dat.bcg prints them:
# cases and others among the vaccinated, cases and others among those who were not.
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    float,
)


@pytest.fixture(scope="module")
def bcg():
    cases, others, controls, rest = BCG.T
    ratios = np.log(cases / (cases + others) / (controls / (controls + rest)))
    variances = 1 / cases - 1 / (cases + others) + 1 / controls - 1 / (controls + rest)
    return ratios, np.sqrt(variances)


def test_the_bcg_trials_give_what_metafor_prints(bcg):
    estimated = random_effects(*bcg)
    assert round(estimated.variance, 4) == 0.3132
    assert round(estimated.mean, 4) == -0.7145
    assert round((1 / (bcg[1] ** 2 + estimated.variance)).sum() ** -0.5, 4) == 0.1798
    # Those of Knapp and Hartung.
    assert round(estimated.error, 4) == 0.1808
    half = stats.t.ppf(0.975, 12) * estimated.error
    assert [round(estimated.mean + side * half, 4) for side in (-1, 1)] == [-1.1084, -0.3206]


def test_lifts_are_told_as_lifts(bcg):
    estimated = random_effects(*bcg)
    told = pooled(estimated)
    assert told.mean == pytest.approx(math.exp(-0.71453) - 1, abs=1e-5)
    assert told.deviation == pytest.approx(math.sqrt(estimated.variance))
    reach = stats.t.ppf(0.975, 11) * math.sqrt(estimated.variance + estimated.error**2)
    assert math.log1p(told.next_high) == pytest.approx(estimated.mean + reach)
    assert told.next_low < told.low < told.mean < told.high < told.next_high


def test_the_variance_is_where_the_restricted_likelihood_is_highest():
    random = np.random.default_rng(3)
    for tests in (3, 8, 40):
        errors = random.uniform(0.5, 2, tests)
        effects = random.normal(1, np.hypot(errors, 1.5))

        def minus(between, effects=effects, errors=errors):
            weights = 1 / (errors**2 + between)
            mean = np.average(effects, weights=weights)
            squares = weights * (effects - mean) ** 2
            return 0.5 * (np.log(weights.sum()) - np.log(weights).sum() + squares.sum())

        best = optimize.minimize_scalar(
            minus, bounds=(0, 50), method="bounded", options={"xatol": 1e-9}
        )
        highest = best.x if best.fun < minus(0.0) else 0.0
        assert random_effects(effects, errors).variance == pytest.approx(highest, abs=1e-4)


def test_paule_and_mandel_of_statsmodels_is_near():
    random = np.random.default_rng(1)
    errors = random.uniform(0.5, 1.5, 400)
    effects = random.normal(2, np.hypot(errors, 1))
    other = combine_effects(effects, errors**2, method_re="iterated", use_t=True)
    estimated = random_effects(effects, errors)
    assert estimated.variance == pytest.approx(other.tau2, rel=0.1)
    assert estimated.mean == pytest.approx(other.mean_effect_re, abs=0.01)
    assert estimated.error == pytest.approx(other.sd_eff_w_re_hksj, rel=0.02)


def test_effects_that_are_all_alike_have_no_spread():
    estimated = random_effects([0.1, 0.1, 0.1], [0.05, 0.02, 0.03])
    assert estimated.mean == pytest.approx(0.1)
    assert estimated.variance == 0
    usual = sum(1 / error**2 for error in (0.05, 0.02, 0.03)) ** -0.5
    assert estimated.error == pytest.approx(usual)  # Knapp and Hartung alone: 0


def test_neither_order_nor_unit_changes_what_is_found():
    random = np.random.default_rng(5)
    errors = random.uniform(0.5, 2, 30)
    effects = random.normal(1, np.hypot(errors, 1.0))
    estimated, turned = random_effects(effects, errors), random_effects(effects[::-1], errors[::-1])
    assert estimated == pytest.approx(turned)
    larger = random_effects(1000 * effects, 1000 * errors)
    assert larger.mean == pytest.approx(1000 * estimated.mean)
    assert larger.variance == pytest.approx(1e6 * estimated.variance)
    minus = random_effects(-effects, errors)
    assert minus.mean == pytest.approx(-estimated.mean)


@pytest.mark.parametrize(
    ("effects", "errors"),
    [
        ([1, 2], [1, 1]),
        ([1, 2, 3], [1, 0, 1]),
        ([1, 2, math.nan], [1, 1, 1]),
        ([1, 2, 3], [1, math.inf, 1]),
    ],
)
def test_what_cannot_be_pooled_is_refused(effects, errors):
    with pytest.raises(ValueError, match=r"effects|errors"):
        random_effects(effects, errors)


def test_an_effect_is_shrunk_the_more_the_less_is_known_of_it():
    random = np.random.default_rng(2)
    errors = np.full(200, 1.0)
    errors[:3] = 0.01, 1.0, 20.0
    effects = random.normal(0, np.hypot(errors, 1.0))
    effects[:3] = 3.0
    estimated = random_effects(effects, errors)
    believed = shrink(estimated, effects, errors)
    precise, usual, vague = believed.mean[:3]
    assert precise == pytest.approx(3, abs=0.01)
    assert 1 < usual < 2.2
    assert abs(vague - estimated.mean) < 0.1
    nothing = shrink(estimated, [0.0], [np.inf])
    assert nothing.mean[0] == estimated.mean
    assert nothing.error[0] == pytest.approx(
        np.hypot(math.sqrt(estimated.variance), estimated.error)
    )


def test_wins_overstate_as_gelman_and_carlin_say():
    """Their type M and S errors, for one true effect: here drawn from a known distribution."""
    random = np.random.default_rng(7)
    true = random.normal(0, 1, 40_000)
    seen = random.normal(true, 1.0)
    won = seen > Z
    estimated = random_effects(seen[:4_000], np.ones(4_000))
    believed = shrink(estimated, seen[won], np.ones(won.sum()))
    times, wrong = overstated(seen[won], believed)
    assert times == pytest.approx(seen[won].sum() / true[won].sum(), rel=0.05)
    assert wrong == pytest.approx((true[won] <= 0).mean(), abs=0.01)
    assert overstated([], shrink(estimated, [], [])) == (None, None)


def test_exact_interval_of_a_share():
    for count, among in ((0, 10), (3, 17), (10, 10)):
        low, high = stats.binomtest(count, among).proportion_ci(method="exact")
        told = rate(count, among)
        assert (told.low, told.high) == (pytest.approx(low), pytest.approx(high))
    assert rate(0, 0) is None


@pytest.mark.parametrize(
    ("success", "risk"), [(1 / 3, 0.059), (0.15, 0.150), (0.10, 0.220), (0.08, 0.264)]
)
def test_false_positive_risk_as_printed(success, risk):
    """Kohavi, Deng and Vermeer (2022), table 2: Microsoft, Bing, Booking and others, Airbnb search."""
    assert round(false_positive_risk(success, 0.05, 0.8), 3) == risk
    won = 0.8 * success + 0.025 * (1 - success)
    assert success_rate(won, 0.05, 0.8) == pytest.approx(success)
    assert false_positive_risk(success, 0.05, 0.8) == pytest.approx(0.025 * (1 - success) / won)


def test_fewer_wins_than_chance_gives_are_no_success():
    assert success_rate(0.01, 0.05, 0.8) == 0
    assert false_positive_risk(0.0, 0.05, 0.8) == 1
    assert success_rate(0.95, 0.05, 0.8) == 1
    assert false_positive_risk(1.0, 0.05, 0.8) == 0


@pytest.mark.slow
def test_the_average_covers_the_truth():
    random = np.random.default_rng(11)
    held = []
    for _ in range(2_000):
        errors = random.uniform(0.005, 0.03, 25)
        estimated = random_effects(random.normal(0.01, np.hypot(errors, 0.02)), errors)
        half = stats.t.ppf(0.975, 24) * estimated.error
        held.append(abs(estimated.mean - 0.01) <= half)
    assert np.mean(held) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 2_000))
