"""Incidents: against scipy and statsmodels, planted ones to the day, and none where nothing is."""

import datetime
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from opslab.feedback import find_themes
from opslab.feedback.history import past_of
from opslab.feedback.incidents import _scan, chance_of, incidents, ratio_of, searched
from opslab.feedback.trends import measure_of

START = datetime.date(2026, 1, 5)
TWEETS = Path(os.environ.get("OPSLAB_REAL_DATA", "none")) / "feedback" / "airline_tweets.csv"


def messages(daily, source="s"):
    """Return themes, days and sources of messages from each day's (theme 0, theme 1, ..., none)."""
    rows = [
        (theme, START + datetime.timedelta(day))
        for day, counts in enumerate(daily)
        for theme, count in enumerate(counts)
        for _ in range(count)
    ]
    themes, days = zip(*rows, strict=True)
    width = len(daily[0]) - 1
    return np.array(themes)[:, None] == np.arange(width), list(days), [source] * len(days)


def flat(days, theme=4, others=36):
    """Return days of a theme among others, its counts varying a little."""
    return [[theme + at % 3 - 1, others - theme + 1 - at % 3, 20] for at in range(days)]


def with_incident(days, first, last, extra=12):
    daily = flat(days)
    for at in range(first, last + 1):
        daily[at][0] += extra
    return daily


def test_the_chance_is_scipy_s_binomial_and_beta_binomial():
    assert chance_of(9, 20, 0.2, 1.0, np.inf) == pytest.approx(
        stats.binomtest(9, 20, 0.2, alternative="greater").pvalue
    )
    # negative binomial counts with variance = 3 x mean: given their sum, by Bayes
    mean_in, mean_out, times, total = 4.0, 16.0, 3.0, 20
    law = [stats.nbinom(mean / (times - 1), 1 / times) for mean in (mean_in, mean_out)]
    joint = law[0].pmf(np.arange(total + 1)) * law[1].pmf(total - np.arange(total + 1))
    assert chance_of(9, total, 0.2, times, np.inf) == pytest.approx(joint[9:].sum() / joint.sum())


def test_of_few_of_many_messages_it_is_the_hypergeometric_test():
    exact = stats.hypergeom(100_000, 30, 10_000).sf(9)
    assert chance_of(10, 30, 0.1, 1.0, np.inf) == pytest.approx(exact, rel=0.01)


def test_the_baseline_s_own_error_is_in_the_chance():
    """Held against a rate taken as known, the same counts look much surer."""
    plug_in = stats.poisson(8 / 4).sf(7)
    assert chance_of(8, 16, 1 / 5, 1.0, np.inf) > 3 * plug_in


def test_the_interval_is_that_of_two_poisson_counts():
    low, ratio, high = ratio_of(12, 2, 30, 20, 1.0)
    ends = stats.binomtest(12, 42).proportion_ci(0.95, method="exact")
    assert ratio == pytest.approx((12 / 2) / (30 / 20))
    assert low == pytest.approx(ends.low / (1 - ends.low) * 10)
    assert high == pytest.approx(ends.high / (1 - ends.high) * 10)
    wide = ratio_of(12, 2, 30, 20, 2.0)
    assert wide[0] < low < high < wide[2]
    assert np.isfinite(ratio_of(12, 2, 0, 20, 1.0)).all()


def test_the_dispersion_is_the_quasi_poisson_model_s_without_the_window():
    random = np.random.default_rng(4)
    usual = random.uniform(20, 60, (40, 1))
    said = random.negative_binomial(usual / 2, 1 / 3).astype(float)
    said[10:13] += 40
    scan = _scan(said, usual, np.zeros(said.shape, bool), 0)
    outside = np.r_[0:10, 11:40]
    model = sm.GLM(
        said[outside], np.ones((39, 1)), sm.families.Poisson(), offset=np.log(usual[outside, 0])
    )
    assert scan[1, 0, 10, 0] == pytest.approx(model.fit(scale="X2").scale)
    assert scan[2, 0, 10, 0] == pytest.approx(model.fit().df_resid)
    assert scan[0].argmax() == np.ravel_multi_index((2, 10, 0), scan[0].shape)


@pytest.mark.parametrize(("days", "first", "last"), [(9, 4, 5), (56, 20, 22), (120, 119, 119)])
def test_a_planted_incident_is_dated_to_the_day(days, first, last):
    daily = with_incident(days, first, last, 24)
    (row,) = incidents(*messages(daily)).to_dict("records")
    assert row["theme"] == 0
    assert (row["start"], row["end"]) == tuple(
        str(START + datetime.timedelta(day)) for day in (first, last)
    )
    assert row["on"] == (last == days - 1)
    assert row["messages"] == sum(daily[at][0] for at in range(first, last + 1))
    assert 1 < row["low"] < row["ratio"] < row["high"]
    assert row["ratio"] == pytest.approx(row["messages"] / row["expected"])


def test_a_long_incident_is_told_as_one():
    (row,) = incidents(*messages(with_incident(120, 40, 61))).to_dict("records")
    assert (row["start"], row["end"]) == ("2026-02-14", "2026-03-07")


def test_two_incidents_do_not_hide_each_other():
    daily = with_incident(56, 10, 11, 24)
    daily[40][0] += 20
    found = incidents(*messages(daily))
    assert found["start"].tolist() == ["2026-01-15", "2026-02-14"]


def test_nothing_is_found_where_nothing_is():
    for days in (1, 2, 3, 8, 56, 200):
        assert incidents(*messages(flat(days))).empty
    theme, days, sources = messages(flat(9))
    assert incidents(theme[:0], [], []).empty
    assert incidents(theme, [None] * len(days), sources).empty
    assert incidents(theme[:, :0], days, sources).empty


def test_a_volume_that_doubles_is_no_incident():
    daily = [
        [count * (1 + (30 <= at < 35)) for count in counts] for at, counts in enumerate(flat(56))
    ]
    assert measure_of(*messages(daily)[1:]) == "share"
    assert incidents(*messages(daily)).empty
    assert not incidents(*messages(daily), measure="rate").empty


def test_a_source_that_starts_in_the_middle_is_no_incident():
    """The survey speaks of the theme ten times as often, and starts late."""
    theme, days, sources = messages(flat(56))
    more, later, survey = messages([[0, 0, 0]] * 50 + [[20, 5, 5]] * 6, "survey")
    both = np.vstack([theme, more]), days + later, sources + survey
    assert incidents(*both).empty
    assert not incidents(*both[:2], ["s"] * len(both[1])).empty


def test_a_weekday_that_is_always_high_is_no_incident():
    daily = flat(56)
    for at in range(0, 56, 7):
        daily[at][0] += 16
    assert incidents(*messages(daily)).empty
    daily[35][0] += 40
    (row,) = incidents(*messages(daily)).to_dict("records")
    assert row["start"] == row["end"] == str(START + datetime.timedelta(35))


def test_days_without_messages_are_zeros_of_a_rate_but_a_silent_week_is_missing():
    daily = with_incident(70, 60, 61, 20)
    daily[20:31] = [[0, 0, 0]] * 11
    daily[45] = [0, 0, 0]
    theme, days, sources = messages(daily)
    (rate,) = incidents(theme, days, sources, measure="rate").to_dict("records")
    (share,) = incidents(theme, days, sources).to_dict("records")
    assert (rate["start"], rate["end"]) == (share["start"], share["end"])
    kept = [at for at in range(70) if not 20 <= at < 31 and at not in (60, 61)]
    usual = sum(daily[at][0] for at in kept) / len(kept)
    assert rate["expected"] == pytest.approx(2 * usual, rel=0.1)  # but for the weekdays


def test_the_order_of_messages_is_nothing():
    theme, days, sources = messages(with_incident(56, 20, 22))
    order = np.random.default_rng(1).permutation(len(days))
    mixed = theme[order], [days[at] for at in order], [sources[at] for at in order]
    pd.testing.assert_frame_equal(incidents(*mixed), incidents(theme, days, sources))


def test_a_customer_counts_once_a_day():
    daily = with_incident(56, 20, 20, 40)
    theme, days, sources = messages(daily)
    loud = [f"c{at}" for at in range(len(days))]
    at = np.flatnonzero(theme[:, 0] & (np.array(days) == START + datetime.timedelta(20)))
    assert len(incidents(theme, days, sources, loud)) == 1
    for each in at[4:]:
        loud[each] = loud[at[0]]
    assert incidents(theme, days, sources, loud).empty


def test_earlier_runs_are_the_baseline_of_a_week_s_export():
    daily = with_incident(63, 58, 60, 24)
    theme, days, sources = messages(daily)
    new = np.array(days) >= START + datetime.timedelta(56)
    week = theme[new], [day for day in days if (day - START).days >= 56], ["s"] * int(new.sum())
    rows = [
        (str(START + datetime.timedelta(at)), "s", name, count)
        for at, counts in enumerate(daily[:56])
        for name, count in (("T01", counts[0]), ("T02", counts[1]), ("", sum(counts)))
    ]
    past = past_of(rows, {"T01": {0: 1.0}, "T02": {1: 1.0}}, 2)
    pd.testing.assert_frame_equal(incidents(*week, past=past), incidents(theme, days, sources))
    later = past.assign(day=past["day"] + pd.Timedelta(days=400))
    pd.testing.assert_frame_equal(incidents(*week, past=later), incidents(*week))
    early = with_incident(63, 20, 21, 24)  # an incident of then was told then
    old = [(day, source, name, count) for day, source, name, count in rows if name != "T01"]
    old += [(str(START + datetime.timedelta(at)), "s", "T01", early[at][0]) for at in range(56)]
    theme, days, sources = messages([[0, 0, 0]] * 56 + flat(7))
    again = past_of(old, {"T01": {0: 1.0}, "T02": {1: 1.0}}, 2)
    assert incidents(theme, days, sources, past=again).empty


def test_a_month_is_a_change_of_level_and_no_incident():
    assert incidents(*messages(with_incident(90, 30, 59, 16))).empty


@pytest.mark.parametrize(
    ("language", "words"), [("en", "where fewer than one is usual"), ("fr", "au lieu de moins")]
)
def test_of_a_theme_of_a_single_day_no_ratio_is_shown(language, words):
    """Against nothing on all other days it would be hundreds of times."""
    texts = ["The app crashes", "My parcel is late"] * 56 + ["The invoice is wrong"] * 8
    days = [START + datetime.timedelta(at // 2) for at in range(112)]
    days += [START + datetime.timedelta(30)] * 8
    dates = [str(day) for day in days]
    result = find_themes(pd.DataFrame({"text": texts, "date": dates}), language=language)
    (row,) = result.incidents.to_dict("records")
    assert row["messages"] == 8
    assert row["ratio"] > 50
    html = " ".join(block._repr_html_() for block in result.since.blocks(language))
    assert words in html
    assert "times as many" not in html


@pytest.mark.parametrize(
    ("days", "words"), [(1, "too few days"), (2, "too few days"), (3, "On no day")]
)
def test_of_one_day_or_two_no_calm_is_claimed(days, words):
    dates = [str(START + datetime.timedelta(at % days)) for at in range(12)]
    result = find_themes(pd.DataFrame({"text": ["The app crashes"] * 12, "date": dates}))
    assert words in " ".join(block._repr_html_() for block in result.since.blocks("en"))


def test_messages_without_a_usable_date_are_told():
    dates = [str(START + datetime.timedelta(at)) for at in range(30)] + [None] * 5 + ["1970-01-01"]
    result = find_themes(pd.DataFrame({"text": ["The app crashes"] * 36, "date": dates}))
    html = " ".join(block._repr_html_() for block in result.since.blocks("en"))
    assert "6 messages have no usable date" in html


def test_false_alarms_of_steady_counts_are_fewer_than_stated():
    random, alarms = np.random.default_rng(8), 0
    for _ in range(40):
        said = random.poisson(5, (56, 10)).astype(float)
        alarms += (searched(said, np.full(said.shape, 5.0))[0] < 1).any()
    assert alarms <= 15  # 40 x 56 / 365 x 4 = 25 are stated
    said[30:33, 4] += 12
    assert (searched(said, np.full(said.shape, 5.0))[0] < 1).any(axis=0)[4]


@pytest.mark.slow
@pytest.mark.skipif(not TWEETS.exists(), reason="real data is not here")
def test_airlines_cancel_flights_on_a_weekend_of_february():
    tweets = pd.read_csv(TWEETS, usecols=["id", "text", "created_at", "airline"])
    result = find_themes(
        pd.DataFrame(
            {"id": tweets["id"], "text": tweets["text"], "date": tweets["created_at"].str[:10]}
        )
    )
    airline = tweets.set_index("id")["airline"]
    own = result.assignments
    names = [theme.id for theme in result.themes]
    inside = np.array([[name in each.themes for name in names] for each in own])
    days = [each.message.date for each in own]
    sources = [airline[each.message.id] for each in own]
    found = incidents(inside, days, sources)
    titles = [result.theme(names[at]).title.casefold() for at in found["theme"]]
    (row,) = (
        row
        for row, title in zip(found.to_dict("records"), titles, strict=True)
        if "cancel" in title
    )
    assert (row["start"], row["end"]) == ("2015-02-21", "2015-02-22")
    assert 1.2 < row["low"] < row["ratio"] < row["high"] < 2.2
    random, alarms = np.random.default_rng(1), 0
    for _ in range(200):
        alarms += len(incidents(inside, random.permutation(np.array(days)).tolist(), sources))
    assert alarms <= 28  # 200 x 8 / 365 x 4 = 17.5 are stated, with two errors
