"""Widening: the printed factor, the mean that does not rise, ends that hold."""

import numpy as np
import pytest
import un
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opslab.errors import InputError


def test_the_factor_of_the_untrained():
    """1.645 / 0.755 = 2.18 for 90 % intervals that hold the truth 55 times in 100."""
    assert un.widening(0.55) == pytest.approx(1.645 / 0.755, abs=0.003)
    assert un.widening(0.9) == pytest.approx(1)
    assert un.widening(0.97) == 1  # never narrower than stated


def test_the_mean_of_5_to_20_minutes_stays():
    """Without the shift of mu it would go from 10.9 to 15.2: the worse estimator would earn more."""
    stated = un.lognormal(5, 20)
    wider = un.widened(stated, un.widening(0.55))
    assert wider.mean == pytest.approx(stated.mean) == pytest.approx(10.93, abs=0.01)
    assert un.Lognormal(stated.mu, wider.sigma).mean == pytest.approx(15.2, abs=0.1)
    assert wider.sigma == pytest.approx(2.18 * stated.sigma, rel=0.002)


def any_distribution():
    ends = st.tuples(st.floats(0.01, 0.9), st.floats(0.02, 0.09), st.floats(0, 1))
    return ends.flatmap(
        lambda of: st.sampled_from(
            [
                un.lognormal(of[0], of[0] + of[1]),
                un.pert(of[0], of[0] + of[2] * of[1], of[0] + of[1]),
                un.triangular(of[0], of[0] + of[2] * of[1], of[0] + of[1]),
                un.beta_interval(of[0], of[0] + of[1]),
                un.normal(of[0], of[0] + of[1]),
                un.Lognormal(-of[0], of[1], reduction=True),
                un.Fixed(of[0]),
            ]
        )
    )


@given(any_distribution(), st.floats(0.2, 0.89))
@settings(deadline=None)
def test_a_worse_hit_rate_never_raises_the_mean_and_keeps_the_ends(made, rate):
    wider = un.widened(made, un.widening(rate), 0.0, 1.0)
    assert wider.mean == pytest.approx(made.mean)
    assert wider.sd >= made.sd * 0.999
    if isinstance(wider, un.Beta):
        assert 0 <= wider.low < wider.high <= 1
        assert max(wider.alpha, wider.beta) >= 0.999  # one hump
        assert wider.sd <= made.sd * un.widening(rate) * 1.001


@given(st.floats(0.05, 0.4), st.floats(0.05, 0.3))
@settings(deadline=None)
def test_far_from_the_ends_the_sd_grows_by_the_factor(low, width):
    made = un.beta_interval(low + 0.2, low + 0.2 + width)
    factor = 1.2
    assume(made.sd * factor < 0.2)
    assert un.widened(made, factor, 0, 1).sd == pytest.approx(made.sd * factor)


def test_own_hit_rate_starts_near_the_untrained():
    assert un.hit_rate(0, 0) == 0.55
    assert un.hit_rate(90, 100) == pytest.approx(95.5 / 110)
    assert un.widening(un.hit_rate(10_000, 10_000)) == 1
    with pytest.raises(InputError):
        un.hit_rate(3, 2)


def test_widened_intervals_hold_the_truth_as_often_as_stated():
    """Simulation: people whose sd is 2.18 times too small are right 55 times in 100, and 90 once widened."""
    factor, random = un.widening(0.55), np.random.default_rng(5)
    truth, stated = np.exp(random.normal(2, 0.3, 4_000)), 0.3 / factor
    hits = []
    for widen in (1.0, factor):
        middles = np.log(truth) + random.normal(0, 0.3, 4_000)
        half = 1.645 * stated * widen
        hits.append(((middles - half < np.log(truth)) & (np.log(truth) < middles + half)).mean())
    assert hits == pytest.approx([0.55, 0.9], abs=0.03)
