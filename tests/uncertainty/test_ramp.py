"""Ramps against their defining points, printed facts and numerical integration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from opslab.uncertainty.ramp import bass, by_month, logistic, power_sum


def test_the_logistic_goes_through_10_50_and_90_percent():
    assert logistic(np.array([0, 4.5, 9]), 9) == pytest.approx([0.1, 0.5, 0.9])
    assert (logistic(np.arange(5.0), 0) == 1).all()


def test_bass_peaks_where_the_formula_says():
    """p=0.03, q=0.38 (Bass 1969): the pace peaks at ln(q/p)/(p+q) = 6.19, with F = 1/2 - p/(2q) = 0.4605."""
    p, q = 0.03, 0.38
    fine = np.linspace(0, 30, 300_001)
    peak = fine[np.argmax(np.gradient(bass(fine, p, q), fine))]
    assert peak == pytest.approx(np.log(q / p) / (p + q), abs=1e-3) == pytest.approx(6.19, abs=0.01)
    assert bass(np.array([peak]), p, q)[0] == pytest.approx(0.5 - p / (2 * q), abs=1e-4)
    assert bass(np.array([0.0]), p, q)[0] == 0


def test_bass_solves_its_own_equation():
    """dF/dt = (p + q F)(1 - F), integrated by scipy."""
    solved = integrate.solve_ivp(
        lambda _, f: (0.02 + 0.3 * f) * (1 - f),
        (0, 24),
        [0],
        rtol=1e-9,
        atol=1e-10,
        t_eval=[6, 12, 24],
    )
    assert bass(np.array([6, 12, 24]), 0.02, 0.3) == pytest.approx(solved.y[0], abs=1e-6)


@pytest.mark.parametrize("curve", [lambda t: logistic(t, 5), lambda t: bass(t, 0.03, 0.4)])
def test_a_month_is_its_mean_and_not_its_end(curve):
    exact = [
        integrate.quad(lambda t: float(curve(np.array(t))), month, month + 1)[0]
        for month in range(12)
    ]
    assert by_month(curve, 12) == pytest.approx(exact, abs=1e-4)
    assert by_month(curve, 12)[0] < curve(np.array([1.0]))[0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 1))
@settings(deadline=None)
def test_months_add_up_without_an_array_of_months(weights, factor):
    weights = np.array(weights)
    exact = (weights * factor ** np.arange(len(weights))).sum()
    assert power_sum(weights, np.array([factor]))[0] == pytest.approx(exact)
