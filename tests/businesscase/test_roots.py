"""All zeros of sums of exponentials, whatever the sizes: the count's parity, the residual, numpy's eigenvalues."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.businesscase.roots import zeros


@given(
    st.lists(
        st.tuples(st.floats(-9, 12), st.booleans(), st.integers(1, 400)), min_size=1, max_size=25
    )
)
@settings(deadline=None)
def test_sizes_of_21_decades_at_any_days(terms):
    weights = np.array([10.0**size * (1 if plus else -1) for size, plus, _ in terms])
    powers = np.cumsum([gap for *_, gap in terms]) / 365
    found = zeros(weights, powers)
    assert found == sorted(found)
    assert len(found) <= (weights[1:] * weights[:-1] < 0).sum()  # Descartes, Laguerre
    for x in found:
        shown = weights * np.exp(powers * x - (powers * x).max())
        assert abs(shown.sum()) <= 1e-9 * abs(shown).sum()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_parity_is_that_of_the_ends(seed):
    """Random weights have simple zeros: odd many when the first and the last differ in sign, else even."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([-1, 1], 12) * 10 ** rng.uniform(-9, 12, 12)
    assert len(zeros(weights, np.arange(12.0))) % 2 == (weights[0] * weights[-1] < 0)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_numpy_finds_the_same_roots_of_a_polynomial(seed):
    weights = np.random.default_rng(seed).normal(size=9)
    peer = np.roots(weights[::-1])
    real = sorted(peer[(abs(peer.imag) < 1e-9) & (peer.real > 0)].real)
    assert np.exp(zeros(weights, np.arange(9.0))) == pytest.approx(real, rel=1e-6)
