"""Sums that no order of rows and no number of threads changes, against `math.fsum`."""

import itertools
import math

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.experiments.units.row_sums import exact_sum


def summed(values, threads=1):
    largest = max(map(abs, values))
    with duckdb.connect(config={"threads": threads}) as engine:
        engine.execute("CREATE TABLE t AS SELECT unnest(?::DOUBLE[]) AS v", [list(values)])
        return engine.execute(f"SELECT {exact_sum('v', largest)} FROM t").fetchone()[0]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.floats(-1e9, 1e9, width=32), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_any_order_gives_the_sum_that_was_meant(values, random):
    """The grid is 2^-80 of the largest value: far below the last digit of a sum of that size."""
    mixed = list(values)
    random.shuffle(mixed)
    found = summed(values)
    assert summed(mixed) == found
    assert found == pytest.approx(
        math.fsum(values), rel=1e-15, abs=len(values) * max(map(abs, values)) * 2.0**-80
    )


@pytest.mark.parametrize("scale", [1e-250, 1e-50, 1e-5, 1.0, 1e9, 1e50])
def test_every_scale_keeps_all_digits(scale):
    values = np.random.default_rng(1).lognormal(0, 2, 2_000) * scale
    for threads in (1, 2, 4):
        assert summed(values, threads) == pytest.approx(math.fsum(values), rel=2e-16)


def test_what_cancels_leaves_what_is_left():
    values = [1e15, 0.25, -1e15, 3.0, 1e-3]
    assert summed(values) == pytest.approx(math.fsum(values), abs=len(values) * 1e15 * 2.0**-80)
    one_by_one = itertools.accumulate([0.1] * 10)  # `sum` makes up for what is lost, since 3.12
    assert math.fsum([0.1] * 10) == summed([0.1] * 10) != list(one_by_one)[-1]


def test_many_large_values_do_not_overflow():
    values = np.full(200_000, 1e50)
    assert summed(values, 4) == pytest.approx(2e55, rel=2e-16)


def test_nothing_but_zeros_is_zero():
    assert summed([0.0, -0.0]) == 0.0
