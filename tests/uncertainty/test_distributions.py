"""Moments and quantiles against scipy.stats, printed values and hand-computed fractions."""

import numpy as np
import pytest
import un
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from opslab.errors import InputError

SHARES = (0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99)


def quantiles(distribution):
    return [un.quantile(distribution, share) for share in SHARES]


def test_beta_pert_by_hand():
    """a=2, m=5, b=14: alpha = 1 + 4*3/12 = 2, beta = 4, mean (2+20+14)/6 = 6, var (mu-a)(b-mu)/7 = 32/7."""
    made = un.pert(2, 5, 14)
    assert (made.alpha, made.beta) == (2, 4)
    assert made.mean == pytest.approx(6)
    assert made.sd**2 == pytest.approx(4 * 8 / 7)
    assert quantiles(made) == pytest.approx(list(stats.beta(2, 4, loc=2, scale=12).ppf(SHARES)))


@pytest.mark.parametrize("mode", [1, 9])
def test_the_mode_may_be_an_end(mode):
    assert un.pert(1, mode, 9).mean == pytest.approx((1 + 4 * mode + 9) / 6)
    assert un.triangular(1, mode, 9).mean == pytest.approx((10 + mode) / 3)
    assert np.isfinite(quantiles(un.triangular(1, mode, 9))).all()


@given(st.floats(-50, 50), st.floats(0, 1), st.floats(0.1, 100))
@settings(deadline=None)
def test_classic_pert_has_the_printed_moments(low, place, width):
    made = un.pert_classic(low, low + place * width, low + width)
    assert made.mean == pytest.approx((low + 4 * (low + place * width) + low + width) / 6, abs=1e-9)
    assert made.sd == pytest.approx(width / 6)
    middle = un.pert(low, low + width / 2, low + width)
    assert middle.sd == pytest.approx(width / np.sqrt(28))  # not a sixth: the beta-PERT's own


def test_triangular_against_scipy():
    peer = stats.triang((5 - 2) / 12, loc=2, scale=12)
    made = un.triangular(2, 5, 14)
    assert (made.mean, made.sd) == pytest.approx((peer.mean(), peer.std()))
    assert quantiles(made) == pytest.approx(list(peer.ppf(SHARES)))


def test_lognormal_from_a_90_percent_interval():
    made = un.lognormal(5, 20)
    assert made.mu == pytest.approx(np.log(10))
    assert made.sigma == pytest.approx(np.log(4) / 3.2897, rel=1e-4)
    assert made.mean == pytest.approx(
        10.93, abs=0.005
    )  # 5 to 20 minutes: the mean is 10.9, not 12.5
    peer = stats.lognorm(made.sigma, scale=10)
    assert (made.mean, made.sd) == pytest.approx((peer.mean(), peer.std()))
    assert quantiles(made) == pytest.approx(list(peer.ppf(SHARES)))


def test_normal_from_an_interval_of_any_level():
    assert un.normal(2, 6).sd == pytest.approx(4 / 3.2897, rel=1e-4)
    made = un.normal(2, 6, 0.5)
    assert [un.quantile(made, 0.25), un.quantile(made, 0.75)] == pytest.approx([2, 6])


@given(st.floats(0.001, 0.99), st.floats(0.001, 0.99))
@settings(deadline=None)
def test_a_beta_from_an_interval_has_that_interval(one, other):
    low, high = sorted((one, other))
    assume(high - low > 0.002)
    made = un.beta_interval(low, high)
    assert stats.beta(made.alpha, made.beta).cdf([low, high]) == pytest.approx(
        [0.05, 0.95], abs=1e-6
    )


def test_beta_from_mode_and_strength():
    made = un.beta(0.3, 10)
    assert (made.alpha, made.beta) == pytest.approx((4, 8))
    assert made.mean == pytest.approx(1 / 3)


def test_uniform():
    assert quantiles(un.Beta(1, 1, -3, 5)) == pytest.approx([-3 + 8 * share for share in SHARES])


def test_the_table_of_a_beta_is_exact_enough():
    """Many draws come from a table: at most 1e-5 of the width from scipy's quantiles."""
    for made in (un.Beta(2.3, 4.1), un.Beta(0.4, 3), un.Beta(60, 30, 5, 9)):
        scores = np.linspace(-4, 4, 5_001)
        peer = stats.beta(made.alpha, made.beta, loc=made.low, scale=made.high - made.low)
        assert np.abs(made.at(scores) - peer.ppf(stats.norm.cdf(scores))).max() < 1e-5 * (
            made.high - made.low
        )
        assert (np.diff(made.at(np.linspace(-9, 9, 10_000))) >= 0).all()


@pytest.mark.parametrize(
    "made",
    [
        un.normal(1, 3),
        un.lognormal(5, 20),
        un.pert(2, 5, 14),
        un.triangular(0, 1, 5),
        un.Lognormal(-0.3, 0.2, reduction=True),
        un.Fixed(3),
    ],
)
def test_draws_have_the_moments(made):
    drawn = un.draw(made, "x", 200_000, 1)
    assert drawn.mean() == pytest.approx(made.mean, abs=5 * made.sd / np.sqrt(200_000) + 1e-9)
    assert drawn.std() == pytest.approx(made.sd, rel=0.02, abs=1e-9)


def test_what_remains_after_a_reduction_is_lognormal():
    made = un.Lognormal(np.log(0.7), 0.25, reduction=True)
    assert un.quantile(made, 0.5) == pytest.approx(0.3)
    assert un.quantile(made, 0.01) < 0 < un.quantile(made, 0.05) + 0.2  # it may have got longer
    assert 1 - made.mean == pytest.approx(0.7 * np.exp(0.25**2 / 2))


def test_the_product_of_three_p95_is_not_the_p95_of_the_product():
    parts = [un.draw(un.lognormal(1, 4), name, 100_000, 3) for name in "abc"]
    ends = np.prod([np.quantile(part, 0.95) for part in parts])
    assert ends / np.quantile(np.prod(parts, axis=0), 0.95) == pytest.approx(2.4, abs=0.1)


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: un.lognormal(20, 5), "uncertainty.order"),
        (lambda: un.lognormal(5, 5), "uncertainty.order"),
        (lambda: un.lognormal(0, 5), "uncertainty.not_positive"),
        (lambda: un.lognormal(-2, 5), "uncertainty.not_positive"),
        (lambda: un.normal(6, 2), "uncertainty.order"),
        (lambda: un.pert(5, 2, 14), "uncertainty.mode"),
        (lambda: un.pert(2, 15, 14), "uncertainty.mode"),
        (lambda: un.triangular(9, 5, 1), "uncertainty.order"),
        (lambda: un.pert(float("nan"), 1, 2), "uncertainty.not_finite"),
        (lambda: un.normal(0, float("inf")), "uncertainty.not_finite"),
        (lambda: un.beta_interval(0.0, 0.4), "uncertainty.open_share"),
        (lambda: un.beta_interval(0.5, 1.4), "uncertainty.open_share"),
        (lambda: un.beta(1.4, 10), "uncertainty.mode"),
        (lambda: un.beta(0.4, 0), "uncertainty.not_positive"),
        (lambda: un.normal(1, 2, 90), "uncertainty.open_share"),
    ],
)
def test_impossible_ranges_are_refused(call, key):
    with pytest.raises(InputError) as refused:
        call()
    assert refused.value.problems[0].key == key
    assert refused.value.text("fr")


def test_the_chosen_distribution_is_told():
    assert un.describe(un.lognormal(5, 20)) == "lognormal, 90% from 5.0 to 20.0, mean 10.9"
    assert un.describe(un.pert(2, 5, 14)).startswith("beta, 90% from ")
    assert un.describe(un.Fixed(0.3), share=True) == "fixed: 30%"
    assert "90\u202f% de" in un.describe(un.beta_interval(0.1, 0.4), "fr", share=True)
