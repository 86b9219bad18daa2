"""Shares: Wilson against statsmodels, betas against scipy, true shares against Tenenbein."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom
from statsmodels.stats.proportion import proportion_confint

from opslab.evidence import Quantity
from opslab.feedback.shares import beta_of, by_customer, true_shares, wilson


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


@st.composite
def _counts(draw):
    total = draw(st.integers(1, 200_000))
    sure = draw(st.integers(0, total))
    return total, sure, draw(st.integers(sure, total))


@settings(deadline=None, max_examples=300)
@given(_counts())
def test_a_beta_has_the_ends_of_its_interval_as_quantiles(counts):
    total, sure, near = counts
    low, high = wilson(sure, total)[0], wilson(near, total)[1]
    parameters = beta_of(low, high)
    ends = beta.ppf([0.025, 0.975], parameters["a"], parameters["b"])
    assert ends == pytest.approx([low, high], abs=1.01e-3)
    Quantity("beta", parameters, sure / total, low, high, 0.95)


def test_customers_are_counted_once_and_unknown_ones_not_at_all():
    standing = np.array([[1, 0], [0, 1], [1, 0], [1, 1], [0, 0]], bool)
    customers = ["b", "b", "a", None, "c"]
    assert by_customer(standing, customers).tolist() == [
        [True, False],
        [True, True],
        [False, False],
    ]
    assert by_customer(standing, [None] * 5).shape == (0, 2)


def _two_themes(total, judged, random):
    """Return a sorting with two themes that errs, and what judges say of its first messages."""
    true = (random.random(total) > 0.3).astype(int)
    met = np.where(random.random(total) < np.where(true == 1, 0.1, 0.2), 1 - true, true)
    standing = np.eye(2, dtype=bool)[met]
    return standing, [(row, met[row], true[row]) for row in range(judged)], met, true


def test_two_themes_and_a_large_sample_are_tenenbeins_double_sampling():
    """His estimate and its variance (1970, eq. 2.3 and 3.4): p q (1 - K) / n + p q K / N."""
    total, judged = 40_000, 8_000
    standing, said, met, true = _two_themes(total, judged, np.random.default_rng(5))
    met_part, true_part = met[:judged], true[:judged]
    wrongly, rightly = (true_part[met_part == kind].mean() for kind in (0, 1))
    share = wrongly * (met == 0).mean() + rightly * (met == 1).mean()
    reliability = np.corrcoef(met_part, true_part)[0, 1] ** 2
    variance = share * (1 - share) * ((1 - reliability) / judged + reliability / total)
    value, low, high = true_shares(standing, standing, said)[:, 1]
    assert value == pytest.approx(share, abs=2e-4)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.02)
    assert low < value < high


def test_themes_have_no_order():
    random = np.random.default_rng(8)
    standing = np.eye(4, dtype=bool)[random.integers(0, 4, 200)]
    sure = standing & (random.random((200, 1)) < 0.8)
    rows = random.permutation(200)[:60]
    said = [(row, standing[row].argmax(), random.integers(-1, 4)) for row in rows]
    turned = [(row, 3 - met, 3 - true if true >= 0 else -1) for row, met, true in said[::-1]]
    there = true_shares(sure, standing, said)
    back = true_shares(sure[:, ::-1], standing[:, ::-1], turned)
    assert there == pytest.approx(back[:, ::-1], rel=1e-12)


def test_who_is_said_to_be_in_a_theme_where_they_stand_already_adds_nothing():
    standing = np.array([[True, True]] * 50 + [[True, False]] * 50)
    wrong = [(row, 1, -1) for row in range(10)] + [(row, 0, 0) for row in range(50, 80)]
    again = [(row, met, 0) for row, met, _ in wrong]
    assert np.array_equal(
        true_shares(standing, standing, wrong), true_shares(standing, standing, again)
    )


@pytest.mark.parametrize("judged", [[(0, 0, 0)], [(0, 0, -1)], [(0, 0, 1), (29, 1, 1)]])
def test_few_judgements_leave_almost_everything_open(judged):
    standing = np.repeat(np.eye(2, dtype=bool), [15, 15], axis=0)
    value, low, high = true_shares(standing, standing, judged)
    assert np.isfinite([value, low, high]).all()
    assert (
        np.sort([np.zeros(2), low, value, high, np.ones(2)], axis=0)[1:4] == [low, value, high]
    ).all()
    assert (high - low > 0.4).all()


@pytest.mark.parametrize(("themes", "judged"), [(5, 120), (13, 120), (25, 300)])
def test_intervals_hold_the_true_share_at_their_rate(themes, judged):
    """As in docs/validation.md: neighbours are mistaken for one another, the unsorted more often."""
    random, count, messages = np.random.default_rng(themes), 150, 1000
    shares = np.arange(1, themes + 1) ** -1.0
    shares /= shares.sum()
    covered = np.zeros(themes)
    naive = np.zeros(themes)
    for _ in range(count):
        true = random.choice(themes, messages, p=shares)
        unsure = random.random(messages) > 0.8
        wrong = random.random(messages) < np.where(unsure, 0.4, 0.2)
        step = random.choice([-1, 1], messages)
        met = np.where(wrong, (true + step) % themes, true)
        nearest = np.eye(themes, dtype=bool)[met]
        inside = nearest & ~unsure[:, None]
        rows = random.permutation(messages)[:judged]
        said = np.column_stack([rows, met[rows], true[rows]])
        _, low, high = true_shares(inside, nearest, said)
        covered += (low <= shares) & (shares <= high)
        ends = np.array([wilson(int(part), messages) for part in inside.sum(axis=0)]).T
        naive += (ends[0] <= shares) & (shares <= ends[1])
    assert 0.93 <= covered.mean() / count <= 0.975
    assert covered.min() / count > 0.8  # the smallest theme lies next to the largest one
    assert naive.mean() / count < 0.85  # what a readout said before: the sure ones alone
