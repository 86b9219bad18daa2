"""Cost of delay against every order tried, a printed example and the closed form of two normals."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab.businesscase.delay import cd3, delay_cost, smallest_first, stays_first
from opslab.errors import InputError

items = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=6)


@given(items)
def test_cd3_is_the_cheapest_of_all_orders(pairs):
    """Smith's rule (1956), by trying every order."""
    values, weeks = zip(*pairs, strict=True)
    best = min(
        delay_cost(values, weeks, order) for order in itertools.permutations(range(len(pairs)))
    )
    assert delay_cost(values, weeks, cd3(values, weeks)) == best


def test_cost_of_delay_by_hand():
    """Joshua Arnold's ice-cream stand (Black Swan Farming): the second machine first is 20 ice creams better."""
    assert cd3([10, 30], [2, 4]) == (1, 0)
    assert delay_cost([10, 30], [2, 4], (0, 1)) - delay_cost([10, 30], [2, 4], (1, 0)) == 20
    assert cd3([6, 3, 6], [2, 1, 2]) == (1, 0, 2)  # ties: the shorter, then as given
    assert smallest_first([3, 1, 3, 2]) == (1, 3, 0, 2)


def test_an_order_is_as_stable_as_the_values():
    """P(X > Y) of two normals is Phi(difference / sd): the closed form for two items of one week."""
    rng = np.random.default_rng(8)
    values = np.vstack([rng.normal(11, 3, 40_000), rng.normal(10, 4, 40_000)])
    share = stays_first(values, np.ones_like(values), (0, 1))
    assert share == pytest.approx(0.5 * (1 + math.erf(1 / 5 / math.sqrt(2))), abs=0.01)
    three = np.array([[5.0, 5.0, 5.0, 1.0], [4.0, 6.0, 5.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert stays_first(three, np.ones_like(three), (0, 1, 2)) == 0.75  # a tie counts for it
    assert stays_first(values[:, :1], np.ones((2, 1)), cd3(values[:, 0], [1, 1])) == 1


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: cd3([1], [0]), "delay_items"),
        (lambda: cd3([1, 2], [1]), "delay_items"),
        (lambda: cd3([math.nan], [1]), "delay_items"),
        (lambda: delay_cost([1, 2], [1, 2], (0, 0)), "delay_order"),
        (lambda: stays_first(np.ones((2, 3)), np.zeros((2, 3)), (0, 1)), "delay_items"),
    ],
)
def test_refusals(call, key):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.problems[0].key == f"businesscase.{key}"
    assert caught.value.text("fr") != caught.value.text("en")
