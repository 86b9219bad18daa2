"""The audit: Wilson's interval against statsmodels, its coverage, and the sheet's draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from opslab.feedback.audit import judge, random_sample, wilson


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_statsmodels(counts):
    assert wilson(*counts) == pytest.approx(proportion_confint(*counts, method="wilson"), abs=1e-9)


def test_the_interval_covers_the_true_precision_at_its_rate():
    """Exact: 95 % on average from 60 to 98 %, with the method's known ripple at each."""
    rights = np.arange(101)
    ends = np.array([wilson(int(right), 100) for right in rights])
    rates = []
    for precision in np.arange(0.6, 0.985, 0.01):
        inside = (ends[:, 0] <= precision) & (precision <= ends[:, 1])
        rates.append(binom.pmf(rights, 100, precision)[inside].sum())
    assert np.mean(rates) == pytest.approx(0.95, abs=0.005)
    assert min(rates) > 0.92


def test_the_sheet_is_a_draw_that_order_does_not_change():
    uids = [f"m{number}" for number in range(500)]
    names = {uids[at] for at in random_sample(uids, 1)}
    turned = uids[::-1]
    assert names == {turned[at] for at in random_sample(turned, 1)}
    assert len(names) == 120
    assert names != {uids[at] for at in random_sample(uids, 2)}


def test_judgements_of_another_theme_do_not_count():
    themes = {"a": "parcel", "b": "parcel", "c": "refund"}
    rows = [
        {"message": "a", "theme": "parcel", "right": "oui"},
        {"message": "b", "theme": "parcel", "right": "No"},
        {"message": "c", "theme": "parcel", "right": "yes"},
        {"message": "a", "theme": "parcel", "right": ""},
    ]
    audit = judge(rows, themes)
    assert (audit.judged, audit.right, audit.stale) == (2, 1, 1)
    assert judge(rows[3:], themes) is None
