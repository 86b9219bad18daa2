"""Overlap of lists: the printed example, the infinite sum that is meant, and what must hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab.errors import InputError
from opslab.operations.decisions.overlap import jaccard, rank_biased_overlap

ranked = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=8, unique=True)
chances = st.floats(0.05, 0.95)


def by_definition(a, b, p, depth=3_000):
    """Sum the weighted agreement to a great depth, as it goes on beyond the lists.

    Webber et al. 2010, equations 1 to 4 and section 4.5: the shorter list is taken to agree beyond
    its end as far as at its end, both lists as far as at the end of the longer.
    """
    short, long = sorted((a, b), key=len)
    s, total = len(short), 0.0
    end = len({*short} & {*long[:s]}) / s
    for d in range(1, depth):
        at = min(d, len(long))
        shared = len({*short[:at]} & {*long[:at]}) + end * max(at - s, 0)
        total += (1 - p) * p ** (d - 1) * shared / at
    return total


def test_the_example_of_the_paper():
    """abcdefg and zcavwxy share 0, 0, 2, 2, 2, 2, 2 at depths 1 to 7: their table of agreement."""
    shared = [0, 0, 2, 2, 2, 2, 2]
    assert [round(count / depth, 3) for depth, count in enumerate(shared, 1)] == [
        0,
        0,
        0.667,
        0.5,
        0.4,
        0.333,
        0.286,
    ]
    p = 0.9
    expected = sum(count / d * p**d for d, count in enumerate(shared, 1)) * (1 - p) / p
    expected += 2 / 7 * p**7
    assert rank_biased_overlap("abcdefg", "zcavwxy") == pytest.approx(expected, abs=1e-15)


def test_three_items_by_hand():
    """Same three in the order abc and bca: 0, 1 of 2 and 3 of 3 shared."""
    p = 0.5
    expected = (1 - p) / p * (0 + p**2 * 1 / 2 + p**3 * 3 / 3) + 1 * p**3
    assert rank_biased_overlap("abc", "bca", p) == pytest.approx(expected)
    assert rank_biased_overlap("abc", "acb", p) == pytest.approx(0.5 + 0.25 * 0.5 + 0.25)


def test_lists_of_uneven_length_by_hand():
    """ab and abc: where the shorter ends it agrees wholly, and so on."""
    assert rank_biased_overlap("ab", "abc") == pytest.approx(1)
    assert rank_biased_overlap("a", "ba") == pytest.approx(0.1 / 0.9 * 0.9**2 / 2 + 0.9**2 / 2)


@given(ranked, ranked, chances)
def test_it_is_the_sum_that_goes_on(a, b, p):
    assert rank_biased_overlap(a, b, p) == pytest.approx(by_definition(a, b, p), abs=1e-9)


@given(ranked, ranked, chances)
def test_it_is_the_same_both_ways_and_within_its_bounds(a, b, p):
    assert rank_biased_overlap(a, b, p) == rank_biased_overlap(b, a, p)
    assert jaccard(a, b) == jaccard(b, a)
    assert -1e-12 <= rank_biased_overlap(a, b, p) <= 1 + 1e-12
    assert 0 <= jaccard(a, b) <= 1


@given(ranked, chances)
def test_a_list_agrees_with_itself_and_with_none_of_others(a, p):
    other = [name.upper() for name in a]
    assert rank_biased_overlap(a, a, p) == pytest.approx(1)
    assert (rank_biased_overlap(a, other, p), jaccard(a, other)) == (0, 0)
    assert jaccard(a, a[::-1]) == 1


@given(st.permutations("abc"))
def test_what_comes_first_weighs_most(order):
    """A list differs less when its last two change places than when its first two do."""
    last, first = [order[0], order[2], order[1]], [order[1], order[0], order[2]]
    assert rank_biased_overlap(order, last) > rank_biased_overlap(order, first)


def test_shared_names_of_all_names():
    assert jaccard(["a", "b", "c"], ["b", "c", "d", "e"]) == 0.4


@pytest.mark.parametrize("overlap", [jaccard, rank_biased_overlap])
def test_empty_lists_and_ties_are_refused(overlap):
    with pytest.raises(InputError, match="empty list"):
        overlap([], ["a"])
    with pytest.raises(InputError, match="empty list"):
        overlap(["a"], [])
    with pytest.raises(InputError, match="b stands in the list twice"):
        overlap(["a"], ["b", "a", "b"])


@pytest.mark.parametrize("p", [0, 1, -0.5, 1.5, float("nan")])
def test_the_chance_of_going_on_is_between_0_and_1(p):
    with pytest.raises(InputError):
        rank_biased_overlap("a", "b", p)
