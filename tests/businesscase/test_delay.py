"""Cost of delay against every order tried, and a printed example."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab.businesscase.delay import cd3, delay_cost
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


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: cd3([1], [0]), "delay_items"),
        (lambda: cd3([1, 2], [1]), "delay_items"),
        (lambda: cd3([math.nan], [1]), "delay_items"),
        (lambda: delay_cost([1, 2], [1, 2], (0, 0)), "delay_order"),
    ],
)
def test_refusals(call, key):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.problems[0].key == f"businesscase.{key}"
    assert caught.value.text("fr") != caught.value.text("en")
