"""The value of information against closed forms (Raiffa and Schlaifer) and against nested simulation."""

import numpy as np
import pytest
import un
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from conftest import evpi_normal


def options(benefit):
    return np.column_stack([benefit, np.zeros(len(benefit))])


@given(st.floats(-3, 3), st.floats(0.1, 3))
@settings(deadline=None)
def test_evpi_normal_is_the_integral(mean, sd):
    gain = integrate.quad(
        lambda x: max(x, 0) * stats.norm.pdf(x, mean, sd),
        mean - 9 * sd,
        mean + 9 * sd,
        points=[0],
        limit=200,
    )[0]
    assert evpi_normal(mean, sd) == pytest.approx(gain - max(mean, 0), abs=1e-6)


@pytest.mark.parametrize(("z", "loss"), [(0, 0.3989), (0.5, 0.1978), (1, 0.0833), (2, 0.0085)])
def test_the_unit_normal_loss_is_the_printed_table(z, loss):
    assert evpi_normal(z * 1000, 1000) / 1000 == pytest.approx(loss, abs=5e-5)


def test_evpi_of_draws():
    found, error = un.evpi(options(un.draw(un.Normal(5_000, 10_000), "npv", 100_000, 1)))
    assert found == pytest.approx(evpi_normal(5_000, 10_000), abs=4 * error)
    assert 0 < error < 30


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_evppi_of_a_normal_linear_decision(share):
    """NB = 1 + sqrt(share) x + sqrt(1-share) rest: knowing x leaves N(1, share), so EVPPI = evpi_normal."""
    x, rest = (un.scores(name, 100_000, 4) for name in ("x", "rest"))
    benefit = 1 + np.sqrt(share) * x + np.sqrt(1 - share) * rest
    assert un.evppi(x, options(benefit)) == pytest.approx(evpi_normal(1, np.sqrt(share)), abs=0.004)
    both = un.evppi(np.column_stack([x, rest]), options(benefit))
    assert both == pytest.approx(evpi_normal(1, 1), abs=0.004)


def test_evppi_of_a_bent_benefit_against_the_exact_conditional_mean():
    x, rest = (un.scores(name, 100_000, 5) for name in ("x", "rest"))
    benefit = np.exp(x / 2) - 1.3 + rest
    exact = np.maximum(np.exp(x / 2) - 1.3, 0).mean() - max(benefit.mean(), 0)
    assert un.evppi(x, options(benefit)) == pytest.approx(exact, abs=0.006)


@given(st.integers(0, 1_000))
@settings(deadline=None)
def test_evppi_lies_between_nothing_and_evpi(seed):
    x, rest = (un.scores(name, 500, seed) for name in ("x", "rest"))
    benefit = options(x * rest + 0.2)
    assert 0 <= un.evppi(x, benefit) <= un.evpi(benefit)[0]


def test_a_settled_decision_needs_no_study():
    benefit = options(un.draw(un.Normal(50, 1), "npv", 10_000, 1))
    assert un.evpi(benefit)[0] == 0
    assert evpi_normal(50, 1) == pytest.approx(0, abs=1e-12)
    assert un.evppi(np.ones(10_000), benefit) == 0
