"""Holm and Benjamini-Hochberg against statsmodels and the example of the 1995 paper."""

import doctest
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from opslab.experiments.inference import multiplicity
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm

quick = settings(deadline=None, max_examples=50)
several = st.lists(
    st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 0.01, 0.05, 1.0]), min_size=1, max_size=40
)

# Benjamini and Hochberg (1995), section 4.1: thrombolysis, 15 comparisons.
THROMBOLYSIS = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
THROMBOLYSIS += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]


def test_examples_run():
    assert doctest.testmod(multiplicity).failed == 0


def test_benjamini_hochberg_1995_example():
    # The paper: the false discovery rate procedure rejects 4 hypotheses at .05, familywise control 3.
    assert [p <= 0.05 for p in benjamini_hochberg(THROMBOLYSIS)] == [True] * 4 + [False] * 11
    assert [p <= 0.05 for p in holm(THROMBOLYSIS)] == [True] * 3 + [False] * 12


@pytest.mark.parametrize(("function", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
@quick
@given(p_values=several)
def test_equals_statsmodels(function, name, p_values):
    with mock.patch("gc.collect"):  # statsmodels collects garbage at each call, 0.17 s
        expected = multipletests(p_values, method=name)[1]
    assert function(p_values) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("function", [holm, benjamini_hochberg])
@quick
@given(p_values=several, random=st.randoms(use_true_random=False))
def test_order_is_kept_and_does_not_matter(function, p_values, random):
    places = random.sample(range(len(p_values)), len(p_values))
    shuffled = function([p_values[place] for place in places])
    adjusted = function(p_values)
    assert shuffled == [adjusted[place] for place in places]
    assert all(raw <= p <= 1 for raw, p in zip(p_values, adjusted, strict=True))


@pytest.mark.parametrize("function", [holm, benjamini_hochberg])
def test_one_none_and_untouched_input(function):
    assert function([]) == []
    assert function([0.04]) == [0.04]
    given_values = [0.03, 0.01]
    function(given_values)
    assert given_values == [0.03, 0.01]


@pytest.mark.parametrize("function", [holm, benjamini_hochberg])
@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_impossible_p_values_are_refused(function, wrong):
    with pytest.raises(ValueError, match=r"p_values\[1\]"):
        function([0.5, wrong])
