"""Forecasts: scores against scikit-learn and closed forms, parts that add up, what is not told."""

import csv
import datetime
import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from conftest import ROOT
from opslab.errors import InputError
from opslab.operations.decisions.calibration import EDGES, brier, calibrate
from opslab.operations.decisions.result import Known
from opslab.operations.decisions.spec import Change
from opslab.uncertainty.proportions import Interval, newcombe, wilson

DAY = datetime.date(2026, 3, 2)
CHANGE = Change(name="log", date=datetime.date(2026, 6, 1))


def known(probability, outcome, day=DAY, state="decided", name="x"):
    """Return a decision with a forecast."""
    return Known(
        name, name, 2, None, None, state, day, day, 0.0, probability=probability, outcome=outcome
    )


def several(pairs, **more):
    return [known(said, came, name=f"d{at}", **more) for at, (said, came) in enumerate(pairs)]


forecasts = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


# --- The score and its parts


def test_a_score_by_hand():
    """(0.1^2 + 0.9^2 + 2 x 0.3^2) / 4; groups of .9 with 1 of 2, and of .3 with none of 2."""
    parts = brier([0.9, 0.9, 0.3, 0.3], [True, False, False, False])
    assert parts == pytest.approx((0.25, (0.4**2 + 0.3**2) / 2, 0.0625, 0.25 * 0.75, 0))


def test_forecasts_of_a_forecaster_who_is_calibrated_have_no_reliability_term():
    """Of 10 at 20 % 2 come true, of 10 at 80 % 8: the score is the mean of p (1 - p), Murphy 1973."""
    said, came = [0.2] * 10 + [0.8] * 10, [1] * 2 + [0] * 8 + [1] * 8 + [0] * 2
    parts = brier(said, came)
    assert parts == pytest.approx((0.16, 0, 0.09, 0.25, 0))


@given(forecasts)
def test_the_score_is_that_of_scikit_learn(pairs):
    said, came = zip(*pairs, strict=True)
    assert brier(said, came).score == pytest.approx(
        brier_score_loss(came, said, labels=[False, True]), abs=1e-15
    )


@given(forecasts, st.integers(1, 7))
def test_the_parts_add_up_however_forecasts_are_grouped(pairs, width):
    said, came = zip(*pairs, strict=True)
    for groups in (None, [int(value * width) for value in said], [0] * len(said)):
        score, reliability, resolution, uncertainty, within = brier(said, came, groups)
        assert abs(reliability - resolution + uncertainty + within - score) < 1e-12
        assert groups or within == 0


def test_without_the_terms_within_bins_the_parts_are_another_number():
    """Stephenson et al. 2008: with bins, reliability - resolution + uncertainty is not the score."""
    random = np.random.default_rng(7)
    said = random.beta(1, 15, 2_000)
    came = random.random(2_000) < said
    score, reliability, resolution, uncertainty, within = brier(said, came, (said * 10).astype(int))
    bins = [(said[inside], came[inside]) for inside in _bins(said)]
    variance = sum(((p - p.mean()) ** 2).sum() for p, _ in bins) / 2_000
    covariance = 2 * sum(((y - y.mean()) * (p - p.mean())).sum() for p, y in bins) / 2_000
    assert within == pytest.approx(variance - covariance, abs=1e-15)
    assert abs(reliability - resolution + uncertainty - score) > 1e-5


def _bins(said):
    return [(said * 10).astype(int) == at for at in sorted({*(said * 10).astype(int)})]


@pytest.mark.parametrize(
    ("said", "came"), [([], []), ([1.2], [1]), ([-0.1], [1]), ([0.5], [1, 0]), ([np.nan], [1])]
)
def test_what_is_no_forecast_is_refused(said, came):
    with pytest.raises(InputError, match="probability from 0 to 1"):
        brier(said, came)


# --- Of decisions


def test_the_sample_scores_what_it_was_made_with():
    truth = json.loads((ROOT / "data/sample/product_decisions_truth.json").read_text("utf-8"))
    with (ROOT / "data/sample/product_decisions_log.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    decisions = [
        known(
            float(row["probability"]) if row["probability"] else None,
            {"yes": True, "no": False}.get(row["outcome"]),
            datetime.date.fromisoformat(row["raised"]),
            "withdrawn" if row["withdrawn"] else "decided",
            row["id"],
        )
        for row in rows
    ]
    since = Change(name="log", date=datetime.date.fromisoformat(truth["since"]))
    result = calibrate(decisions, since)
    assert result.forecasts == truth["forecasts"]
    assert result.brier.value == pytest.approx(truth["brier"], abs=1e-6)
    assert result.before.value == pytest.approx(truth["before"]["brier"], abs=1e-6)
    assert result.since.value == pytest.approx(truth["after"]["brier"], abs=1e-6)
    assert result.change.value == pytest.approx(result.since.value - result.before.value)
    assert result.change.high < 0
    assert result.pending == 4
    assert sum(group.forecasts for group in result.bins) == result.forecasts


def test_the_order_of_the_log_changes_nothing():
    pairs = [(said, came) for said in (0.2, 0.5, 0.7, 0.8, 0.95, 0.6) for came in (True, False)]
    decisions = several(pairs)
    first = calibrate(decisions)
    again = calibrate(decisions[::-1])
    assert (again.brier, again.bins) == (first.brier, first.bins)
    assert again[2:6] == pytest.approx(first[2:6], abs=1e-15)
    assert calibrate(decisions, seed=2).brier != first.brier


def test_bins_hold_their_lower_end_and_count_what_came_true():
    pairs = [(said, said > 0.5) for said in (0.2, 0.4, 0.6, 0.8, 1.0, 0.0) for _ in range(2)]
    result = calibrate(several(pairs))
    assert [group.forecasts for group in result.bins] == [2, 2, 2, 2, 4]
    assert [group.mean for group in result.bins] == pytest.approx([0, 0.2, 0.4, 0.6, 0.9])
    assert result.bins[-1].came_true == wilson(4, 4)
    assert len(EDGES) == len(result.bins) + 1


def test_a_few_levels_stand_for_themselves():
    result = calibrate(several([(0.7, True), (0.7, False), (0.9, True)] * 4))
    assert [group.mean for group in result.bins] == pytest.approx([0.7, 0.9])
    assert result.within == 0


def test_few_forecasts_are_told_as_counts():
    result = calibrate(several([(0.7, True)] * 4 + [(0.6, False)] * 5))
    assert (result.forecasts, result.bins) == (9, ())
    assert result.brier.low < result.brier.value < result.brier.high
    four = calibrate(several([(0.7, True), (0.6, False), (0.9, True), (0.2, True)]))
    assert four.brier == Interval(pytest.approx((0.09 + 0.36 + 0.01 + 0.64) / 4))


def test_forecasts_that_are_all_alike_have_a_score_and_no_interval():
    result = calibrate(several([(0.9, True)] * 12))
    assert result.brier == Interval(pytest.approx(0.01))
    assert result.uncertainty == 0


def test_without_an_outcome_nothing_is_scored():
    assert calibrate([known(0.8, None), known(None, True), known(None, None)]) is None
    assert calibrate([]) is None


def test_what_was_withdrawn_does_not_count():
    decisions = [known(0.9, True), known(0.1, True, state="withdrawn"), known(0.5, None)]
    result = calibrate([*decisions, known(0.5, None, state="withdrawn")])
    assert (result.forecasts, result.pending) == (1, 1)
    assert result.brier.value == pytest.approx(0.01)


def test_a_change_counts_from_its_first_day():
    late, early = CHANGE.date, CHANGE.date - datetime.timedelta(1)
    result = calibrate([known(0.9, True, early), known(0.6, True, late)], CHANGE)
    assert (result.before.value, result.since.value) == pytest.approx((0.01, 0.16))
    assert result.change == Interval(pytest.approx(0.15))
    assert calibrate([known(0.9, True, early)], CHANGE).change == Interval(None)


def test_the_ends_of_a_change_are_those_of_both_as_zou_and_donner_have_them():
    """Difference 0.2: down by hypot(.2, .05), up by hypot(.1, .1)."""
    result = newcombe(Interval(0.3, 0.2, 0.35), Interval(0.5, 0.3, 0.6))
    ends = (0.2, 0.2 - np.hypot(0.2, 0.05), 0.2 + np.hypot(0.1, 0.1))
    assert result == pytest.approx(ends)


def test_the_interval_holds_the_score_of_a_calibrated_forecaster():
    """Coverage by simulation; docs/validation.md has more of it."""
    random = np.random.default_rng(11)
    levels = np.array([0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    true, held, rounds = float((levels * (1 - levels)).mean()), 0, 100
    for _ in range(rounds):
        said = random.choice(levels, 40)
        result = calibrate(several(zip(said, random.random(40) < said, strict=True)))
        held += result.brier.low <= true <= result.brier.high
    assert 0.88 <= held / rounds <= 1


def test_a_forecast_is_in_its_bin_whatever_its_last_bit():
    """0.6 and 0.7 - 0.1 differ in the last bit, and stand in the same bin."""
    pairs = itertools.chain(*[[(at / 10, True), (at / 10, False)] for at in range(1, 10)])
    result = calibrate(several([*pairs, (0.1 + 0.2, True), (0.7 - 0.1, True)]))
    assert [group.forecasts for group in result.bins] == [2, 5, 4, 5, 4]
