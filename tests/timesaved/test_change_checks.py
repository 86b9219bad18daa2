"""What is wrong with a measured change is said with its teams or rows, and what still holds."""

import datetime
from dataclasses import replace

import numpy as np
import pytest
from changed import declared, reviewed, table, values, week

from opslab.errors import SpecError
from opslab.messages import LANGUAGES, catalogue, text
from opslab.timesaved import review_change
from opslab.timesaved.change import checks
from opslab.timesaved.change.result import Series, Verdict
from opslab.uncertainty.proportions import Interval

EVENT = {"name": "New tool", "date": str(week(14))}


def status(result, name):
    return result.check(name).status


def said(result, name, language="en"):
    detail = result.check(name).detail
    return text(detail.key, language, **detail.values)


def test_a_clean_comparison_passes_every_check():
    result = reviewed(expected={"low": 0.1, "high": 0.4})
    assert {check.status for check in result.checks} == {"pass"}
    assert [check.name for check in result.checks][:2] == ["pilot", "pre_trend"]
    assert len(result.checks) == 11
    for check in result.checks:
        for language in LANGUAGES:
            assert text(check.detail.key, language, **check.detail.values)


def test_every_check_has_its_name_and_words_in_both_languages():
    """All reasons that a panel may hold, and what the module itself yields."""
    logged = [*checks._GRAVE.split(), *checks._LOGGED.split()]
    for language in LANGUAGES:
        words = catalogue(language, "change")
        for name in logged:
            assert f"check_{name}" in words
            assert f"{name}_warn" in words
        assert {f"{name}_fail" for name in checks._GRAVE.split()} == {
            name for name in words if name.startswith("log_") and name.endswith("_fail")
        }


# ---- The design


@pytest.mark.parametrize(
    ("teams", "treated", "expected"),
    [
        (8, 4, "pass"),
        (6, 3, "pass"),
        (5, 2, "warn"),
        (4, 2, "warn"),
        (3, 1, "fail"),
        (8, 1, "warn"),
    ],
)
def test_few_teams_are_said_and_fewer_are_a_condition(teams, treated, expected):
    result = reviewed(values(teams=teams, treated=treated), treated=treated)
    assert status(result, "few_teams") == expected
    assert str(teams) in said(result, "few_teams")


def test_groups_that_part_before_the_change_block():
    made = values(noise=0.02)
    made[:4] *= np.exp(-0.04 * np.arange(30))
    result = reviewed(made)
    assert result.pre_trend < 0.05
    assert (status(result, "pre_trend"), result.broken, result.action) == ("fail", True, "stop")
    assert result.evidence() == []
    assert result.effect[0] < 0  # shown all the same
    accepted = reviewed(made, accept={"pre_trend": "a holiday of one site"})
    assert not accepted.broken
    assert accepted.evidence()[0].grade == "B"  # what was accepted does not count


def test_where_the_groups_cannot_be_compared_before_it_is_said():
    result = reviewed(values(teams=2, treated=1), treated=1)
    assert result.pre_trend is None
    assert result.check("pre_trend").detail.key == "change.pre_trend_unknown"
    assert status(result, "pre_trend") == "warn"


@pytest.mark.parametrize(("start", "expected"), [(14, "pass"), (7, "warn"), (2, "fail")])
def test_few_periods_before_are_said(start, expected):
    result = reviewed(values(start=start), start=start)
    assert status(result, "periods_before") == expected
    assert result.check("periods_before").value == start


def test_the_weeks_a_pilot_was_picked_by_are_no_past():
    selected = [str(week(0)), str(week(11))]
    result = reviewed(chosen="worst_first", pilot={"selected": selected})
    assert result.check("periods_before").value == 2
    assert status(result, "periods_before") == "fail"


# ---- What else happened


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, "pass"),  # it touched all teams alike
        ({"units": ["T00", "T01"]}, "fail"),
        ({"units": ["T06"]}, "fail"),  # a team to compare with is as much of a doubt
        ({"units": ["T00"], "date": str(week(20))}, "warn"),
        ({"units": ["T00"], "date": str(week(12))}, "fail"),
        ({"units": ["T00"], "date": str(week(11))}, "pass"),
        ({"units": [f"T{at:02}" for at in range(8)]}, "pass"),
    ],
)
def test_two_changes_at_once_are_told_apart_only_by_teams(event, expected):
    result = reviewed(events=[EVENT | event])
    assert status(result, "events") == expected
    assert ("New tool" in said(result, "events")) == (expected != "pass")


def test_without_a_comparison_what_touched_everybody_counts():
    made = values(treated=8)
    more = {"treated": 8, "chosen": "everybody"}
    assert status(reviewed(made, events=[EVENT], **more), "events") == "fail"
    late = EVENT | {"date": str(week(25))}
    assert status(reviewed(made, events=[late], **more), "events") == "warn"
    assert status(reviewed(made, events=[EVENT | {"units": ["T03"]}], **more), "events") == "fail"


def test_an_event_at_the_start_is_a_condition_and_leaves_no_better_grade_than_d():
    result = reviewed(chosen="drawn", events=[EVENT | {"units": ["T00"]}])
    assert not result.broken
    assert (result.grade, result.action) == ("D", "measure")
    assert {known.grade for known in result.evidence()} == {"D"}
    accepted = reviewed(
        chosen="drawn", events=[EVENT | {"units": ["T00"]}], accept={"events": "a new colour"}
    )
    assert {known.grade for known in accepted.evidence()} == {"A"}


def test_a_team_of_an_event_that_is_not_there_is_refused_with_what_is_near():
    with pytest.raises(SpecError, match=r"events\[1\].units.*T99"):
        reviewed(events=[EVENT | {"units": ["T99"]}])


def test_a_check_that_there_is_not_cannot_be_accepted_and_one_that_may_come_can():
    with pytest.raises(SpecError, match="few_team"):
        reviewed(accept={"few_team": "?"})
    assert reviewed(accept={"log_negative": "credits"}).checks


# ---- A series


def test_a_series_whose_rest_hangs_together_is_told():
    result = reviewed(values(treated=8), treated=8, chosen="everybody")
    assert status(result, "autocorrelation") == "pass"
    line = result.series._replace(autocorrelation=0.67, lag=1)
    assert isinstance(line, Series)
    again = _checked(result, series=line)
    assert status(again, "autocorrelation") == "warn"
    assert "0.67" in said(again, "autocorrelation")
    assert status(_checked(result, series=line._replace(autocorrelation=-0.6)), "autocorrelation")


def _checked(result, **changes):
    """Return a result with other parts, and its checks made anew."""
    other = replace(result, **changes)
    outcome = np.log(result.panel.values)
    return replace(other, checks=checks.run(other, outcome))


# ---- Ways to tell it from chance


def ways(permutation=0.01, bootstrap=0.01, ends=(-0.3, -0.1)):
    return (
        Verdict("changes", Interval(-0.2, *ends), 0.01, primary=True),
        Verdict("permutation", Interval(-0.2), permutation, 70),
        Verdict("bootstrap", Interval(-0.2), bootstrap, 256),
    )


@pytest.mark.parametrize(
    ("chosen", "given", "expected", "action"),
    [
        ("drawn", {}, "pass", "keep"),
        ("drawn", {"permutation": 0.06}, "fail", "measure"),
        ("volunteers", {"permutation": 0.06}, "warn", "keep"),
        ("drawn", {"bootstrap": 0.06}, "warn", "keep"),
        ("drawn", {"ends": (-0.4, 0.1)}, "warn", "measure"),
        ("drawn", {"ends": (-0.4, 0.1), "permutation": 0.2, "bootstrap": 0.2}, "pass", "measure"),
    ],
)
def test_a_lot_that_does_not_say_so_keeps_nobody_sure(chosen, given, expected, action):
    verdicts = ways(**given)
    result = _checked(reviewed(chosen=chosen), verdicts=verdicts, effect=verdicts[0].interval)
    assert (status(result, "opposed"), result.action) == (expected, action)
    if expected == "fail":
        assert "changed by \N{MINUS SIGN}20%" in repr(result)
        assert "other draws of the teams would have shown as much" in repr(result)
    if "ends" in given and expected == "warn":
        assert "no change at all" in said(result, "opposed")


def test_what_was_accepted_of_it_does_not_count():
    verdicts = ways(permutation=0.06)
    result = reviewed(chosen="drawn", accept={"opposed": "seven draws of one region were barred"})
    assert _checked(result, verdicts=verdicts).action == "keep"


def _fading(teams=8):
    """40 % less at the start, which wears off by 2.5 % a week and turns."""
    made, since = values(teams, treated=0, weeks=40, noise=0.02), np.arange(40) - 14
    made[:4] *= np.exp(np.where(since >= 0, -0.4 + 0.025 * since, 0))
    return made


@pytest.mark.parametrize(("chosen", "teams"), [("staggered", 8), ("everybody", 4)])
def test_an_effect_that_has_gone_is_not_kept(chosen, teams):
    result = reviewed(_fading(teams), chosen=chosen)
    assert result.effect.high < 0  # of the mean one would keep it
    assert "lasting" in [check.name for check in result.conditions]
    assert "has gone or turned" in said(result, "lasting")
    assert result.per_year.value is None
    assert result.evidence() == []
    kept = reviewed(_fading(teams), chosen=chosen, accept={"lasting": "it was switched off"})
    assert kept.per_year.value is not None
    assert kept.evidence()


def test_the_end_is_the_mean_of_the_last_quarter_of_steps():
    """By hand from the steps that are shown, each of as many teams."""
    result = reviewed(_fading())
    logs = [np.log1p(at.effect.value) for at in result.steps if at.periods >= 26 - 7]
    assert np.log1p(result.late.value) == pytest.approx(np.mean(logs))
    assert result.late.value == pytest.approx(np.exp(-0.4 + 0.025 * 22) - 1, abs=0.02)


def test_what_stays_or_is_unsure_has_not_gone():
    assert status(reviewed(), "lasting") == "pass"
    assert "lasting" not in [check.name for check in reviewed(values(effect=0.0)).checks]


# ---- What can be shown


def test_four_teams_promise_no_five_percent():
    made = values(teams=4, treated=2)
    result = reviewed(made, treated=2, expected={"low": 0.03, "high": 0.07})
    check = result.check("promise")
    assert (check.status, check.detail.key) == ("warn", "change.promise_measured_warn")
    assert check.value > 0.05
    assert "5% that was hoped for" in said(result, "promise")
    plenty = reviewed(made, treated=2, expected={"low": 0.4, "high": 0.6})
    assert status(plenty, "promise") == "pass"


def test_before_anything_is_measured_a_promise_is_weighed_too():
    result = reviewed(
        values(weeks=14, teams=4), treated=2, start=20, expected={"low": 0.03, "high": 0.07}
    )
    assert (result.design, status(result, "promise")) == ("plan", "warn")


def test_what_can_never_be_shown_is_said():
    result = reviewed(values(teams=3, weeks=14), treated=1, start=20)
    assert result.check("promise").detail.key == "change.promise_never"
    assert status(result, "promise") == "warn"


def test_without_a_hope_the_smallest_change_is_told():
    assert reviewed().check("promise").detail.key == "change.promise_measured_unasked"


# ---- What was logged


def test_a_team_that_appears_late_and_weeks_that_are_missing_are_named():
    made = values()
    made[6, :5] = np.nan
    made[1, 17:19] = np.nan
    result = reviewed(made)
    assert "T06" in said(result, "log_late")
    assert (result.check("log_gaps").value, status(result, "log_gaps")) == (2, "warn")
    assert f"T01 {week(17)}" in said(result, "log_gaps")
    assert result.effect[0] == pytest.approx(-0.2, abs=0.06)
    assert result.action == "keep"


def test_periods_with_nothing_are_left_out_of_logs_and_too_many_stop():
    made = values()
    made[6, 3] = 0.0
    result = reviewed(made)
    assert (result.check("log_empty").value, status(result, "log_empty")) == (1, "warn")
    assert f"T06 {week(3)}" in said(result, "log_empty")
    made[6, ::2] = 0.0  # 15 of 240, but of the 56 without the change, before it, 7
    result = reviewed(made)
    assert status(result, "log_empty") == "fail"
    assert (result.action, result.evidence()) == ("stop", [])


def test_counts_whose_empty_weeks_come_after_the_start_are_refused():
    """All fall by 60 %: what small teams still have is left of them, and looks like no fall."""
    mean = np.array([20.0] * 4 + [3.5] * 8)[:, None] * np.where(np.arange(30) < 14, 1, 0.4)
    made = np.random.default_rng(3).poisson(mean).astype(float)
    result = reviewed(made, measure={"quantity": "count"})
    assert result.effect.high < -0.1  # the truth is none
    assert result.action == "stop"
    assert reviewed(made[4:], chosen="everybody", measure={"quantity": "count"}).action != "stop"
    level = reviewed(made, measure={"quantity": "count", "scale": "level"})
    assert "log_empty" not in [check.name for check in level.checks]


def test_values_below_zero_are_refused_or_told_with_their_rows():
    made = values()
    made[5, 3] = -1.0
    result = reviewed(made)
    assert status(result, "log_negative") == "warn"
    assert "1 row (first: 154)" in said(result, "log_negative")  # 5 teams of 30 weeks, and 4
    made[5:7] = -1.0
    assert status(reviewed(made), "log_negative") == "fail"


def test_rows_of_the_future_do_not_count():
    made = values()
    review = declared(made, date=week(24) - datetime.timedelta(1))
    result = review_change(review, data=table(made))
    assert result.check("log_future").value == 6 * 8
    assert result.panel.periods[-1] == week(23)
