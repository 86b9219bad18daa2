"""What is said after stopping, against other integrations, known values and simulated paths."""

import doctest
from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from opslab.experiments.sequential import stopping as module
from opslab.experiments.sequential.boundaries import boundaries
from opslab.experiments.sequential.stopping import after_stopping, repeated_p

quick = settings(deadline=None, max_examples=20)
FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_examples_run():
    assert doctest.testmod(module).failed == 0


def test_known_final_p():
    # Known: a Pocock-type boundary crossed at the last of five looks with z 2.45 has one-sided
    # final p .0242, not .0071.
    design = boundaries(FIVE, 0.05, "pocock")
    stopped = after_stopping((1, 1, 1, 1, 2.45), FIVE, design.efficacy, 0.05)
    assert stopped.p_value / 2 == pytest.approx(0.0242, abs=5e-5)
    assert norm.sf(2.45) == pytest.approx(0.0071, abs=5e-5)
    assert stopped.median < 2.45


def test_one_look_is_the_fixed_test():
    for statistic in (0.3, 2.2, -4.0):
        stopped = after_stopping((statistic,), (0.5,), (2.9,), 0.05)
        assert stopped.p_value == pytest.approx(2 * norm.sf(abs(statistic)))
        width = norm.isf(0.025)
        expected = (statistic, statistic - width, statistic + width)
        assert stopped[1:] == pytest.approx(expected, abs=1e-8)


def test_two_looks_by_other_integration():
    # The second look by scipy's adaptive quadrature, over the first one's z.
    times, bound, last = (0.4, 1.0), 2.6, 1.7
    stopped = after_stopping((0.5, last), times, (bound, 2.0), 0.1)

    def larger(effect):
        first = norm.sf(bound - effect * sqrt(0.4))
        later = quad(
            lambda z: (
                norm.pdf(z - effect * sqrt(0.4))
                * norm.sf((last - z * sqrt(0.4) - effect * 0.6) / sqrt(0.6))
            ),
            -bound,
            bound,
            epsabs=1e-12,
        )[0]
        return first + later

    assert stopped.p_value == pytest.approx(2 * larger(0), abs=1e-9)
    expected = {0.5: stopped.median, 0.05: stopped.low, 0.95: stopped.high}
    for chance, effect in expected.items():
        assert larger(effect) == pytest.approx(chance, abs=1e-9)


@quick
@given(
    st.lists(st.floats(-1.9, 1.9), min_size=2, max_size=2),
    st.floats(-5, 5),
    st.sampled_from(["obrien_fleming", "pocock"]),
)
def test_agrees_with_the_boundary_and_mirrors(earlier, last, family):
    design = boundaries((0.4, 0.7, 1), 0.05, family)
    path = (*earlier, last)
    stopped = after_stopping(path, design.information, design.efficacy, 0.05)
    if abs(abs(last) - design.efficacy[-1]) > 1e-6:
        crossed = abs(last) > design.efficacy[-1]
        assert (stopped.p_value <= 0.05) == crossed
        assert (not stopped.low <= 0 <= stopped.high) == crossed
        repeated = repeated_p(last, design.information, family)
        assert (repeated <= 0.05) == crossed
    assert stopped.low < stopped.median < stopped.high
    mirrored = after_stopping([-z for z in path], design.information, design.efficacy, 0.05)
    assert mirrored.p_value == pytest.approx(stopped.p_value, abs=1e-12)
    assert (mirrored.low, mirrored.high) == pytest.approx((-stopped.high, -stopped.low), abs=1e-8)


def test_scale_of_information_does_not_matter():
    units = after_stopping((1.0, 2.5), (400, 1000), (3.0, 2.0), 0.05)
    assert units == pytest.approx(after_stopping((1.0, 2.5), (0.4, 1.0), (3.0, 2.0), 0.05))


def test_an_earlier_stop_says_more():
    design = boundaries(FIVE, 0.05)
    early = after_stopping((1, 1, 3.0), FIVE[:3], design.efficacy[:3], 0.05)
    late = after_stopping((1, 1, 1, 1, 3.0), FIVE, design.efficacy, 0.05)
    assert early.p_value < late.p_value


def test_repeated_p_is_the_boundary_turned_round():
    for alpha in (1e-6, 0.01, 0.05, 0.3):
        for family, exponent in (("obrien_fleming", None), ("pocock", None), ("power", 2.0)):
            design = boundaries((0.3, 0.7), alpha, family, exponent, final=True)
            p_value = repeated_p(-design.efficacy[-1], (0.3, 0.7), family, exponent, final=True)
            assert p_value == pytest.approx(alpha, rel=1e-7)
    assert repeated_p(2.0, (1,)) == pytest.approx(2 * norm.sf(2.0))
    assert repeated_p(0.0, (0.5,)) == 1
    assert 0 < repeated_p(60, (0.25, 0.5)) < 1e-100
    levels = [repeated_p(z, (0.25, 0.5)) for z in np.linspace(0, 6, 25)]
    assert levels == sorted(levels, reverse=True)


@pytest.mark.slow
def test_the_bias_of_a_naive_estimate_is_gone():
    # 4,000 paths of three looks at an effect that is found in half of them.
    random = np.random.default_rng(5)
    design = boundaries((1 / 3, 2 / 3, 1), 0.05, "pocock")
    effect, below, held, naive = 2.0, 0, 0, 0
    for _ in range(4_000):
        sums = np.cumsum(random.normal(effect / 3, sqrt(1 / 3), 3))
        path = sums / np.sqrt(design.information)
        crossed = np.abs(path) >= design.efficacy
        end = int(np.argmax(crossed)) + 1 if crossed.any() else 3
        scale = 1 / sqrt(design.information[end - 1])
        stopped = after_stopping(path[:end], design.information[:end], design.efficacy[:end], 0.05)
        below += stopped.median * scale < effect
        held += stopped.low * scale <= effect <= stopped.high * scale
        naive += path[end - 1] * scale
    assert below / 4_000 == pytest.approx(0.5, abs=3 * 0.5 / sqrt(4_000))
    assert held / 4_000 == pytest.approx(0.95, abs=3 * sqrt(0.0475 / 4_000))
    assert naive / 4_000 > effect + 0.1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((3.5, 1), (0.5, 1), (2.9, 2), 0.05), "earlier_statistic == 3.5"),
        (((1, nan), (0.5, 1), (2.9, 2), 0.05), "last_statistic == nan"),
        (((1, inf), (0.5, 1), (2.9, 2), 0.05), "last_statistic == inf"),
        (((1, 1), (0.5, 1), (2.9, 2), 0), "alpha == 0"),
        (((1, 1), (0.5,), (2.9, 2), 0.05), "argument"),
        (((1, 1), (0.5, 0.4), (2.9, 2), 0.05), "information == 1.0, must be > 1.25"),
        (((1, 1), (0.5, 0.5), (2.9, 2), 0.05), "information == 1.0, must be > 1.0"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        after_stopping(*arguments)
