"""The permutation test of few units, against scipy's with the same statistic."""

import numpy as np
import pytest
from scipy import stats
from test_finer_rows import MEAN, PER_ROW, analyzed, rows

from opslab.experiments.inference.permutation import permutation_p


def studentised(one, other, axis=-1):
    return abs(stats.ttest_ind(one, other, axis=axis, equal_var=False).statistic)


def paired(one, other, axis=-1):
    return abs(stats.ttest_rel(one, other, axis=axis).statistic)


@pytest.mark.parametrize("n", [(4, 5), (6, 3), (3, 3)])
def test_all_assignments_give_the_exact_p_of_scipy(n):
    random = np.random.default_rng(sum(n))
    one, other = random.normal(1, 1, n[0]), random.gamma(2, 1, n[1])
    expected = stats.permutation_test(
        (one, other), studentised, vectorized=True, n_resamples=np.inf, alternative="greater"
    )
    assert permutation_p(one[:, None], other[:, None]) == pytest.approx(expected.pvalue, rel=1e-12)


def test_pairs_are_exchanged_within_themselves():
    random = np.random.default_rng(1)
    one, other = random.normal(1, 1, 8), random.normal(0, 1, 8)
    expected = stats.permutation_test(
        (one, other),
        paired,
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    assert permutation_p(one[:, None], other[:, None], paired=True) == pytest.approx(
        expected.pvalue, rel=1e-12
    )


def test_drawn_assignments_come_near_welch():
    random = np.random.default_rng(3)
    one, other = random.normal(0.6, 1, 25), random.normal(0, 2, 30)
    p_value = permutation_p(one[:, None], other[:, None], draws=2_000)
    assert p_value == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue, abs=0.04)
    assert p_value >= 1 / 2_001
    assert permutation_p(one[:, None] + 100, other[:, None], draws=200) == pytest.approx(1 / 201)


def told(one):
    (note,) = (note for note in one.notes if note.key == "experiments.permutation")
    return note.values["p"]


def test_few_units_get_it_beside():
    frame = rows(10)
    totals = frame.groupby(["arm", "shop"]).sales.sum()
    expected = permutation_p(*(totals[arm].to_numpy()[:, None] for arm in ("new", "old")))
    assert told(analyzed(frame, MEAN)) == pytest.approx(expected, rel=1e-12)


def test_the_order_of_rows_changes_nothing():
    frame = rows(30)
    assert told(analyzed(frame, PER_ROW)) == told(
        analyzed(frame.sample(frac=1, random_state=5), PER_ROW)
    )
