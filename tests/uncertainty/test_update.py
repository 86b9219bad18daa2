"""Prior and data against the conjugate formulas on a grid, and against numbers by hand."""

import numpy as np
import pytest
import un
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.errors import InputError


def test_by_hand():
    """Prior N(0, 2^2), data 3 with s = 1: weight 4/5, mean 2.4, variance 4/5, z = 3/sqrt(5)."""
    found = un.update(0, 2, 3, 1)
    assert (found.mean, found.sd**2, found.measured_share) == pytest.approx((2.4, 0.8, 0.8))
    assert found.z == pytest.approx(3 / np.sqrt(5))
    assert not found.conflict
    assert un.update(0, 1, 4, 1).conflict


@given(st.floats(-2, 2), st.floats(0.2, 2), st.floats(-2, 2), st.floats(0.2, 2))
@settings(deadline=None)
def test_against_the_product_of_densities_on_a_grid(m0, t0, d, s):
    grid = np.linspace(-16, 16, 16_001)
    weights = np.exp(-((grid - m0) ** 2) / (2 * t0**2) - (grid - d) ** 2 / (2 * s**2))
    mean = np.average(grid, weights=weights)
    sd = np.sqrt(np.average((grid - mean) ** 2, weights=weights))
    found = un.update(m0, t0, d, s)
    assert (found.mean, found.sd) == pytest.approx((mean, sd), abs=1e-6)


def test_a_certain_prior_learns_nothing_and_is_refused():
    with pytest.raises(InputError):
        un.update(0, 0, 1, 1)
