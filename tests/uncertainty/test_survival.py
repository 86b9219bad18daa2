"""Survival: against statsmodels, printed numbers, lifelines' and simple sums; and what must hold."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from opslab.uncertainty.survival import (
    aalen_johansen,
    change,
    kaplan_meier,
    quantile,
    restricted_mean,
)

# Freireich et al. (1963), weeks of remission under 6-MP and placebo, as every textbook prints them.
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# Advanced lung cancer, Loprinzi et al. (1994), in R's survival: days, negative where censored.
LUNG = """
306 455 -1010 210 883 -1022 310 361 218 166 170 654 728 71 567 144 613 707 61 88 301 81 624
371 394 520 574 118 390 12 473 26 533 107 53 122 814 -965 93 731 460 153 433 145 583 95 303
519 643 765 735 189 53 246 689 65 5 132 687 345 444 223 175 60 163 65 208 -821 428 230 -840
305 11 132 226 426 705 363 11 176 791 95 -196 167 -806 284 641 147 -740 163 655 239 88 245
-588 30 179 310 477 166 -559 450 364 107 177 156 -529 11 429 351 15 181 283 201 524 13 212 524
288 363 442 199 550 54 558 207 92 60 -551 -543 293 202 353 -511 267 -511 371 387 457 337 201
-404 222 62 -458 -356 353 163 31 340 229 -444 -315 182 156 329 -364 291 179 -376 -384 268 -292
142 -413 -266 194 320 181 285 -301 348 197 -382 -303 -296 180 186 145 -269 -300 -284 350 -272
-292 -332 285 -259 110 286 270 81 131 -225 269 -225 -243 -279 -276 135 79 59 -240 -202 -235
105 -224 239 -237 -173 -252 -221 -185 -92 13 -222 -192 183 -211 -175 -197 -203 116 -188 -191
-105 -174 -177
"""


def drawn(seed):
    random = np.random.default_rng(seed)
    days = np.ceil(random.exponential(30, 45))
    limit = np.ceil(random.exponential(45, 45))
    return np.minimum(days, limit), days <= limit


@pytest.mark.parametrize("seed", range(8))
def test_curve_and_median_agree_with_statsmodels(seed):
    days, ended = drawn(seed)
    curve = kaplan_meier(days, ended)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs divides by 0 at the end of the curve
        other = SurvfuncRight(days, ended.astype(int))
        ends = other.quantile_ci(0.5, method="cloglog")
    assert curve.waiting == pytest.approx(other.surv_prob)
    median, low, high = quantile(curve)
    assert (median, low) == (other.quantile(0.5), ends[0])
    # Where nothing is open they end with the last day; a variance that is not known ends nowhere.
    assert ends[1] in ((np.inf, days.max()) if high is None else (high,))


def test_the_remissions_of_freireich():
    curve = kaplan_meier(TREATED, RELAPSED)
    assert [round(share, 4) for share in curve.waiting] == [
        0.8571,
        0.8067,
        0.7529,
        0.6902,
        0.6275,
        0.5378,
        0.4482,
    ]
    assert quantile(curve)[0] == 23
    assert quantile(kaplan_meier(PLACEBO, [True] * 21))[0] == 8


def test_without_open_ideas_the_restricted_mean_is_the_mean_of_capped_days():
    days = np.array([3, 7, 7, 12, 40])
    mean, error = restricted_mean(kaplan_meier(days, [True] * 5), 20)
    capped = np.minimum(days, 20)
    assert mean == pytest.approx(capped.mean())
    assert error == pytest.approx(capped.std() / 5**0.5)  # by Greenwood, n and not n - 1


def test_days_saved_are_those_of_both_groups_up_to_a_day_that_both_reach():
    before, since = (
        kaplan_meier([50, 60, 70, 80], [True] * 4),
        kaplan_meier([10, 20, 30], [True, True, False]),
    )
    saved, low, high, horizon = change(before, since)
    assert horizon == 30
    assert saved == pytest.approx(30 - (10 + 20 + 30) / 3)
    assert low < saved < high


def test_a_median_that_is_not_reached_is_none():
    assert quantile(kaplan_meier([5, 9, 9, 9], [True, False, False, False])) == (None, 5, None)
    assert quantile(kaplan_meier([5, 9], [False, False])) == (None, None, None)


def test_the_interval_of_the_lung_data_is_that_of_r_on_the_scale_of_log_log():
    """R prints 284 to 361 by conf.type = "log-log"; 285 to 363 is that of its default, log."""
    days = np.array(LUNG.split(), float)
    assert quantile(kaplan_meier(abs(days), days > 0)) == (310, 284, 361)


def peer_data():
    """Return what lifelines 0.30.3 was given."""
    random = np.random.default_rng(4)
    days = np.round(random.exponential(20, 40) + np.arange(40) * 1e-3, 3)
    outcome = random.choice([0, 1, 2], 40, p=[0.25, 0.55, 0.2])
    late = np.where(random.random(40) < 0.4, days * random.random(40), 0)
    return days, outcome, np.round(late, 3)


def test_competing_ends_agree_with_lifelines():
    days, outcome, _ = peer_data()
    curve = aalen_johansen(days, outcome)
    at = np.searchsorted(curve.days, [8.119, 17.801, 30.402])
    assert curve.done[at] == pytest.approx([0.10970516, 0.28191373, 0.43871619], abs=1e-8)
    assert curve.error[at] == pytest.approx([0.05182297, 0.07569603, 0.08562194], abs=1e-8)


def test_late_entry_agrees_with_lifelines():
    days, outcome, entry = peer_data()
    curve = kaplan_meier(days, outcome > 0, entry)
    at = np.searchsorted(curve.days, [8.617, 15.906, 37.779])
    assert curve.waiting[at] == pytest.approx([0.68983107, 0.48220099, 0.12524701], abs=1e-8)
    assert quantile(curve) == (15.906, 8.617, 23.1)
    assert quantile(curve, 0.85)[0] == 37.779


@pytest.mark.parametrize("seed", range(6))
def test_competing_ends_and_late_entry_agree_with_statsmodels(seed):
    random = np.random.default_rng(seed)
    days = np.ceil(random.exponential(20, 60)) + 1
    outcome = random.choice([0, 1, 2], 60)
    entry = np.where(random.random(60) < 0.4, np.floor(days * random.random(60)), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs divides by 0 at the end of the curve
        other = CumIncidenceRight(days, outcome)
        late = SurvfuncRight(days, outcome > 0, entry=entry)
    curve = aalen_johansen(days, outcome)
    at = np.searchsorted(other.times, curve.days)  # theirs has the days of censoring too
    done, cancelled, error = (values[at] for values in (*other.cinc, other.cinc_se[0]))
    assert curve.done == pytest.approx(done)
    assert curve.cancelled == pytest.approx(cancelled)
    known = np.isfinite(error)  # not where all that are left end at once
    assert known.sum() > 20
    assert curve.error[known] == pytest.approx(error[known])
    assert kaplan_meier(days, outcome > 0, entry).waiting == pytest.approx(late.surv_prob)


def test_a_median_of_two_days_with_late_entry_is_six_without():
    """Five were seen from day 5 on only: as many like them had ended before and are not here."""
    days, ended = [1, 2, 2, 3, 6, 6, 7, 8, 9], [True] * 3 + [False] + [True] * 5
    entry = [0] * 4 + [5] * 5
    assert quantile(kaplan_meier(days, ended))[0] == 6
    assert quantile(kaplan_meier(days, ended, entry))[0] == 2
    assert SurvfuncRight(days, ended, entry=np.array(entry)).quantile(0.5) == 2


def test_what_is_cancelled_can_never_be_done():
    """With cancelled tickets as censored, 1 - Kaplan-Meier says that all are done in the end."""
    days, outcome = [2, 4, 6, 8], [2, 1, 2, 1]
    curve = aalen_johansen(days, outcome)
    assert curve.done[-1] == pytest.approx(0.5)
    assert quantile(curve, 0.85)[0] is None
    assert kaplan_meier(days, np.array(outcome) == 1).waiting[-1] == 0


def test_a_share_that_is_reached_exactly_is_reached():
    """As floats 1 - 17/20 is above 0.15, so 85 % would come a day late."""
    assert quantile(kaplan_meier(range(1, 21), [True] * 20), 0.85)[0] == 17


def test_the_variance_is_greenwoods_where_nothing_is_cancelled():
    curve = kaplan_meier(TREATED, RELAPSED)
    sums = np.cumsum(curve.ended / curve.at_risk / (curve.at_risk - curve.ended))
    assert curve.error == pytest.approx(curve.waiting * np.sqrt(sums))


def test_who_ended_before_being_watched_and_who_never_started_do_not_count():
    plain = aalen_johansen([3, 5, 8], [1, 2, 0])
    more = aalen_johansen([3, 2, 5, 8, np.nan], [1, 1, 2, 0, 1], [0, 2, 0, 0, 0])
    assert all(np.array_equal(*values) for values in zip(plain, more, strict=True))
    assert quantile(aalen_johansen([], [])) == (None, None, None)


tickets = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 2), st.integers(-5, 30)), min_size=1, max_size=60
)


@given(tickets, st.randoms(use_true_random=False))
def test_shares_add_up_to_one_in_any_order_of_the_tickets(rows, random):
    curve = aalen_johansen(*zip(*rows, strict=True))
    assert curve.waiting + curve.done + curve.cancelled == pytest.approx(1, abs=1e-12)
    assert (np.diff(curve.done) >= 0).all()
    assert (np.diff(curve.waiting) <= 0).all()
    mixed = random.sample(rows, len(rows))
    again = aalen_johansen(*zip(*mixed, strict=True))
    assert all(np.array_equal(*values) for values in zip(curve, again, strict=True))


@settings(max_examples=50)
@given(tickets, st.sampled_from([0.25, 2, 8]), st.sampled_from([0.1, 0.5, 0.85]))
def test_time_in_other_units_has_quantiles_in_those_units(rows, scale, share):
    days, outcome, entry = (np.array(values, float) for values in zip(*rows, strict=True))
    plain = quantile(aalen_johansen(days, outcome, entry), share)
    scaled = quantile(aalen_johansen(scale * days, outcome, scale * entry), share)
    assert scaled == tuple(day if day is None else scale * day for day in plain)


@given(tickets, st.sampled_from([0.1, 0.5, 0.85]))
def test_a_quantile_lies_within_its_interval(rows, share):
    day, low, high = quantile(aalen_johansen(*zip(*rows, strict=True)), share)
    if day is None:
        assert high is None
    else:
        assert low is None or low <= day
        assert high is None or day <= high
