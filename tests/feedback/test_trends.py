"""Since when: against statsmodels' generalised linear model, whole weeks, and counts that vary."""

import datetime
import json
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from conftest import ROOT
from opslab.feedback.trends import trends

START = datetime.date(2026, 1, 5)


def feedback(*weekly, sources=None):
    """Return theme, days, sources of messages from each source's (in the theme, outside) by week."""
    rows = [
        (theme, START + datetime.timedelta(7 * week + at % 7), f"s{source}")
        for source, weeks in enumerate(weekly)
        for week, counts in enumerate(weeks)
        for theme, count in zip((True, False), counts, strict=True)
        for at in range(count)
    ]
    theme, days, sources = zip(*rows, strict=True)
    return np.array(theme)[:, None], list(days), list(sources)


WEEKS = [(12, 60), (1, 55), (9, 70), (2, 66), (11, 50), (8, 61), (1, 57), (7, 59)]
WEEKS += [(26, 60), (10, 66), (9, 50), (19, 71)]


def test_of_one_source_it_is_the_quasi_poisson_model():
    (row,) = trends(*feedback(WEEKS)).to_dict("records")
    said, total = np.array([(yes, yes + no) for yes, no in WEEKS]).T
    design = sm.add_constant(1.0 * (np.arange(12) >= 8))
    model = sm.GLM(said, design, sm.families.Poisson(), offset=np.log(total))
    fit = model.fit(scale="X2", use_t=True)
    assert fit.scale > 1
    assert (row["ratio"], row["error"]) == pytest.approx((np.exp(fit.params[1]), fit.bse[1]))
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.exp(fit.conf_int()[1])))
    assert row["q"] == pytest.approx(fit.pvalues[1], rel=1.0)  # exact given the total, not Wald's
    assert row["rising"]
    assert (row["recent"], row["messages"], row["of"]) == (4, 64, 311)
    assert row["weeks"] == [yes for yes, _ in WEEKS]
    assert row["ended"] == str(max(feedback(WEEKS)[1]))


def test_days_before_the_first_whole_week_are_left_out():
    theme, days, sources = feedback(WEEKS[:8])
    early = [START - datetime.timedelta(day) for day in (1, 2)]
    more = np.vstack([theme, [[True], [True]]]), days + early, sources + ["s0"] * 2
    pd.testing.assert_frame_equal(trends(*more), trends(theme, days, sources))
    unknown = np.vstack([theme, [[True]] * 9]), days + [None] * 9, sources + ["s0"] * 9
    pd.testing.assert_frame_equal(trends(*unknown), trends(theme, days, sources))


def test_a_week_that_has_not_ended_is_no_fall():
    """The same counts each day, the last week two days old by the calendar."""
    days = [START + datetime.timedelta(day) for day in range(58) for _ in range(20)]
    theme = np.array([at % 4 == 0 for at in range(len(days))])[:, None]
    (row,) = trends(theme, days, ["s"] * len(days)).to_dict("records")
    assert row["ratio"] == pytest.approx(1)
    assert row["weeks"] == [35] * 8


def test_volume_is_no_trend():
    (row,) = trends(*feedback([(5 * size, 50 * size) for size in (1, 1, 1, 1, 3, 3)])).to_dict(
        "records"
    )
    assert row["ratio"] == pytest.approx(1)
    assert not row["rising"]


def test_a_source_that_grows_is_no_trend():
    """The survey speaks of the theme ten times as often, and has grown."""
    mail, survey = [(3, 97)] * 9, [(15, 35)] * 6 + [(90, 210)] * 3
    (row,) = trends(*feedback(mail, survey)).to_dict("records")
    assert row["ratio"] == pytest.approx(1)
    theme, days, _ = feedback(mail, survey)
    (pooled,) = trends(theme, days, ["all"] * len(days)).to_dict("records")
    assert pooled["ratio"] > 1.5


def test_too_short_or_too_little_is_not_told():
    assert trends(*feedback(WEEKS[:2])).empty
    assert trends(*feedback([(1, 2)] * 9)).empty
    theme, _, sources = feedback(WEEKS)
    assert trends(theme, [None] * len(theme), sources).empty


def test_a_new_theme_rises_and_a_handful_does_not():
    (new,) = trends(*feedback([(0, 60)] * 8 + [(12, 60)] * 4)).to_dict("records")
    assert new["rising"]
    assert 0 < new["low"] < new["ratio"] < new["high"] < np.inf
    (few,) = trends(*feedback([(0, 60)] * 8 + [(2, 60), (2, 60), (1, 60), (2, 60)])).to_dict(
        "records"
    )
    assert not few["rising"]
    assert few["messages"] < 8


def test_counts_that_vary_make_few_false_alarms():
    """Negative binomial counts of twice the Poisson variance: ten themes at once, none rises."""
    rng, alarms, plain = np.random.default_rng(3), 0, 0
    for _ in range(40):
        said = rng.negative_binomial(6, 0.5, (10, 12))
        rows = np.repeat(np.arange(120), said.ravel())
        others = np.repeat(np.arange(12), 60)
        theme = np.append(rows // 12, np.full(len(others), -1))
        days = [START + datetime.timedelta(int(7 * week)) for week in np.append(rows % 12, others)]
        days[-1] += datetime.timedelta(6)
        found = trends(theme[:, None] == np.arange(10), days, ["s"] * len(days))
        alarms += (found["q"] < 0.05).any()
        plain += ((found["low"] > 1) | (found["high"] < 1)).sum()
    assert alarms <= 5  # of 40 at .05
    assert 4 <= plain <= 36  # of 400 at .05: 95 % of a binomial holds 12 to 28, the rest for the t


def test_the_sample_s_incident_rises_in_its_week_and_is_over_at_the_end():
    truth = json.loads((ROOT / "data/sample/feedback_truth.json").read_text(encoding="utf-8"))
    parts = []
    for name, file, day, options in (
        ("help desk", "tickets", "created_at", {}),
        ("app store", "reviews", "at", {}),
        ("survey", "survey", "date", {"sep": ";", "encoding": "cp1252"}),
    ):
        table = pd.read_csv(ROOT / f"data/sample/feedback_{file}.csv", **options)
        dates = pd.to_datetime(
            table[day].astype(str), format="mixed", dayfirst=name == "survey", errors="coerce"
        )
        parts.append(pd.DataFrame({"source": name, "id": table["id"], "day": dates}))
    table = pd.concat(parts).dropna()
    theme = (table["source"] + "/" + table["id"]).map(truth["messages"])
    assert theme.notna().mean() > 0.9
    names = sorted(set(theme.dropna()))
    inside = theme.to_numpy()[:, None] == np.array(names)
    first = table["day"].min()
    during = (table["day"] < first + pd.Timedelta(days=35)).to_numpy()
    for when, rising in ((during, [truth["incident"]["theme"]]), (during | True, [])):
        found = trends(
            inside[when], table["day"][when].dt.date.tolist(), table["source"][when].tolist()
        )
        assert [names[at] for at in found.loc[found["rising"], "theme"]] == rising


def test_a_source_without_a_past_says_little():
    """It has nearly no messages before: it takes no weight, and the interval agrees with the test."""
    steady = [(20, 180)] * 9
    late = [(1, 3)] * 6 + [(40, 300)] * 3
    (row,) = trends(*feedback(steady, late)).to_dict("records")
    assert row["low"] < 1 < row["high"]
    assert row["q"] > 0.05
    assert 0.8 < row["ratio"] < 1.2


def test_a_customer_counts_once_a_week():
    """A hundred messages that one of them writes on the last day lift no theme."""
    theme, days, sources = feedback([(5, 60)] * 12)
    writers = [f"c{at}" for at in range(len(days))]
    calm = trends(theme, days, sources, customers=writers)
    many = 100
    loud = (
        np.vstack([theme, [[True]] * many]),
        days + [days[-1]] * many,
        sources + ["s0"] * many,
    )
    (row,) = trends(*loud, customers=[*writers, *["loud"] * many]).to_dict("records")
    assert row["ratio"] == pytest.approx(calm["ratio"][0], abs=0.1)
    assert not row["rising"]
    assert trends(*loud).to_dict("records")[0]["rising"]  # where nobody knows who wrote


@pytest.mark.parametrize("year", [1970, 2015, 2031])
def test_a_wrong_year_changes_nothing(year):
    theme, days, sources = feedback(WEEKS)
    wrong = np.vstack([theme, [[True]]]), [*days, datetime.date(year, 3, 1)], [*sources, "s0"]
    pd.testing.assert_frame_equal(trends(*wrong), trends(theme, days, sources))


def test_after_a_gap_the_last_weeks_are_still_the_last_weeks():
    early = [(6, 60)] * 8 + [(30, 60)] * 4
    late = [(6, 60)] * 5 + [(24, 60)] * 4
    theme, days, sources = feedback(early)
    more, days_late, sources_late = feedback(late)
    moved = [day + datetime.timedelta(weeks=18) for day in days_late]
    (row,) = trends(np.vstack([theme, more]), days + moved, sources + sources_late).to_dict(
        "records"
    )
    assert row["messages"] == 4 * 24
    assert row["recent"] == 4
    assert row["ratio"] > 1.5


def test_a_week_of_which_nothing_is_known_is_no_zero():
    """Of an export that skips a week, messages a week are those since then."""
    (row,) = trends(*feedback([*WEEKS[:5], (0, 0), *WEEKS[6:]])).to_dict("records")
    assert row["weeks"] == [yes for yes, _ in WEEKS[6:]]
    (row,) = trends(*feedback([*WEEKS[:5], (0, 9), *WEEKS[6:]])).to_dict("records")
    assert row["weeks"] == [yes for yes, _ in WEEKS[:5]] + [0] + [yes for yes, _ in WEEKS[6:]]


def test_a_theme_whose_messages_have_no_day_has_no_trend():
    theme, days, sources = feedback([(9, 60)] * 8)
    none = np.column_stack([theme, np.zeros(len(days), bool)])
    row = trends(none, days, sources).iloc[1]
    assert row["ratio"] == 1
    assert row["low"] < 0.1
    assert row["high"] > 10


def test_two_weeks_that_bear_messages_tell_no_trend():
    """Their spread is not known: 0 / 0, and once a crash of the second run of every study."""
    first, second = datetime.date(2026, 9, 7), datetime.date(2026, 9, 28)
    days = [first] * 60 + [second] * 60
    inside = np.arange(120)[:, None] % 3 == np.arange(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not len(trends(inside, days, ["mail"] * 120, recent=1))
