"""Where a measured change looks surer than it is: truths that are known by construction."""

import datetime
from itertools import product

import numpy as np
import pandas as pd
import pytest
from changed import declared, reviewed, values, week
from test_change_power import noise, simple

from opslab.timesaved import review_change
from opslab.timesaved.change import checks, differences, few_teams
from opslab.timesaved.change.checks import cancelled_otherwise

TIME = np.arange(30)
TUESDAY = {f"T{team:02}": week(14) + datetime.timedelta(1) for team in range(4)}


def parting():
    """Teams that fall by 3 % a week before the change, and no more after it."""
    made = values(effect=0)
    made[:4] *= np.exp(np.where(TIME < 16, -0.03 * TIME, -0.48))
    return made


# ---- Alike before


@pytest.mark.parametrize("gap", ["tuesday", 11, 12, 13])
def test_a_week_that_is_left_out_does_not_switch_the_test_off(gap):
    """The sample's usual start on a Monday stops; so must a start a day later, or a holiday."""
    assert reviewed(parting()).action == "stop"
    made = parting()
    if gap == "tuesday":
        result = reviewed(made, chosen="volunteers", pilot={"starts": TUESDAY})
    else:
        made[:, gap] = np.nan
        result = reviewed(made)
    assert result.action == "stop"
    assert result.pre_trend < 0.01


@pytest.mark.parametrize(("teams", "status"), [(6, "warn"), (8, "pass")])
def test_a_test_that_cannot_reject_is_no_pass(teams, status):
    check = reviewed(values(teams=teams, treated=3), treated=3).check("pre_trend")
    assert check.status == status
    assert check.detail.key.endswith("unknown") == (status == "warn")


@pytest.mark.parametrize("kind", ["gaps", "late", "noisy"])
def test_no_trend_stops_at_most_one_in_ten(kind):
    random, stopped, starts = np.random.default_rng(1), 0, np.array([14] * 3 + [30] * 9)
    for _ in range(60):
        outcome = 0.1 * noise(random, (12, 30), 0.3)
        if kind == "gaps":
            outcome[random.random(outcome.shape) < 0.3] = np.nan
        elif kind == "late":
            outcome[5:, :22] = np.nan
        else:
            outcome[:3] *= 4
        tested = differences.pre_trend(outcome, starts, 3)
        stopped += tested is not None and tested[1] < 0.05
    assert stopped <= 6


# ---- Gaps


@pytest.mark.parametrize("kind", ["gaps", "gone", "late"])
def test_what_is_not_known_does_not_narrow_an_interval(kind):
    """Of 100 panels without an effect 95 hold it; 88 are within Monte Carlo error."""
    random, held, starts = np.random.default_rng(1), 0, np.array([14] * 2 + [30] * 10)
    for _ in range(100):
        outcome = 0.2 * noise(random, (12, 30), 0.3)
        if kind == "gaps":
            outcome[random.random(outcome.shape) < 0.4] = np.nan
        else:
            outcome[4:, slice(14, 30) if kind == "gone" else slice(22)] = np.nan
        known, errors, freedom = few_teams.changes(simple, outcome, starts)
        ends = few_teams.interval(known[0], errors[0], freedom)
        held += ends.low <= 0 <= ends.high
    assert held >= 88


def test_teams_that_tell_nothing_change_nothing():
    made = values(teams=12, treated=2, noise=0.2)
    made[4:, 14:] = np.nan
    all_teams, four = reviewed(made, treated=2), reviewed(made[:4], treated=2)
    assert all_teams.effect == pytest.approx(four.effect)
    assert all_teams.check("few_teams").value == 4


# ---- Noise that differs


def test_teams_that_vary_more_are_told_with_what_that_does():
    """One of 12 with three times the deviation: (9 + 1/11) / ((9 + 11) / 12 * (1 + 1/11)) = 5."""
    made = values(teams=12, treated=1, weeks=400, start=390, noise=0.1)
    random = np.random.default_rng(3)
    made[0] = 10 * np.exp(0.005 * np.arange(400) + 0.3 * random.standard_normal(400))
    check = reviewed(made, treated=1, start=390, chosen="volunteers").check("noise")
    assert (check.status, check.value) == ("fail", pytest.approx(5, rel=0.15))
    assert reviewed().check("noise").status == "pass"


# ---- One grade, and what to do


def graded(**more):
    result = reviewed(**more)
    return result.grade, {known.grade for known in result.evidence()}, result.action


def test_page_and_evidence_have_one_grade_and_no_failed_check_recommends():
    two = {"made": values(noise=0.03)[:, 12:], "start": 2}
    assert graded(chosen="drawn", **two) == ("D", {"D"}, "measure")
    three = {"made": values(teams=3, treated=2, noise=0.02), "treated": 2}
    assert graded(chosen="drawn", **three) == ("D", {"D"}, "measure")
    accepted = {"accept": {"periods_before": "the log began then"}}
    assert graded(chosen="drawn", **two, **accepted) == ("A", {"A"}, "keep")


@pytest.mark.parametrize("slope", [-0.01, 0.01])
def test_a_mere_trend_is_neither_kept_nor_undone(slope):
    made = values(treated=0, weeks=14, start=7, noise=0.02) * np.exp(slope * np.arange(14))
    result = reviewed(made, chosen="everybody", start=7)
    assert (result.design, result.grade, result.action) == ("before_after", "D", "measure")


def test_a_lot_without_anybody_to_compare_is_not_green():
    result = reviewed(values(teams=6, treated=6), chosen="drawn", treated=6)
    check = result.check("pilot")
    assert (result.design, check.status) == ("its", "warn")
    assert check.detail.key == "change.pilot_everybody"


def test_a_lot_of_six_is_not_blamed_for_its_few_draws():
    """3 of 6 have 20 draws, of which the true one and its mirror image show as much: p = .1."""
    made = values(teams=6, treated=3, noise=0.02, effect=-0.4)
    result = reviewed(made, treated=3, chosen="drawn")
    assert next(at.p for at in result.verdicts if at.method == "permutation") == 0.1
    assert (result.check("opposed").status, result.action) == ("warn", "keep")


def test_an_effect_that_turned_is_not_kept():
    made, time = values(treated=0, weeks=40, noise=0.02), np.arange(40)
    made[:4] *= np.exp(np.where(time >= 14, -0.4 + 0.025 * (time - 14), 0))
    result = reviewed(made)
    assert result.effect.high < 0
    assert (result.check("lasting").status, result.action) == ("fail", "measure")
    assert reviewed().check("lasting").status == "pass"


def test_one_comparable_week_is_a_condition():
    starts = {f"T{team:02}": week(14 if team < 5 else 17) for team in range(6)}
    made = values(teams=6, treated=6)
    result = reviewed(made, pilot={"starts": starts, "phase_in": 2})
    assert result.check("no_comparison").status == "fail"
    assert result.action == "measure"


# ---- What could be shown


def test_a_start_before_the_data_hides_no_power():
    starts = {f"T{team:02}": week(14 if team else -3) for team in range(4)}
    check = reviewed(pilot={"starts": starts}).check("promise")
    assert 0 < check.value < 0.25


def test_little_before_is_unknown_and_not_never():
    check = reviewed(values(weeks=6, start=20), start=20).check("promise")
    assert (check.status, check.detail.key) == ("warn", "change.promise_unknown")


def test_one_pilot_of_twelve_is_asked_for_as_such():
    made = values(teams=12, treated=0, weeks=12)
    result = reviewed(made, treated=1, start=14, chosen="volunteers")
    assert {at.pilots for at in result.powers if at.teams == 12} == {1}


# ---- Hours, teams


def test_hours_a_year_of_work_every_second_week_are_half():
    made = values()
    half = made.copy()
    half[:, 1::2] = 0
    whole, less = reviewed(made).per_year.value, reviewed(half).per_year.value
    assert less == pytest.approx(whole / 2, rel=0.1)
    half[:, 1::2] = np.nan
    assert reviewed(half).per_year.value == pytest.approx(whole / 2, rel=0.15)


def test_a_team_in_its_phase_in_is_not_among_those_measured():
    starts = {f"T{team:02}": week(14 if team < 3 else 29) for team in range(4)}
    result = reviewed(values(treated=3), pilot={"starts": starts, "phase_in": 2})
    assert [at.team for at in result.teams if at.measured] == ["T00", "T01", "T02"]
    assert result.evidence()[0].population == "T00, T01, T02"


# ---- Series, before and after


@pytest.mark.parametrize("quantity", ["hours", "count"])
@pytest.mark.parametrize("slope", [-0.02, 0.02])
def test_a_team_that_appears_late_does_not_bend_a_series(slope, quantity):
    time, random = np.arange(40), np.random.default_rng(0)
    made = 1000 * np.exp(slope * time + 0.005 * random.standard_normal((4, 40)))
    made[1:, :12] = np.nan
    made = made.round()
    result = reviewed(made, chosen="everybody", start=20, measure={"quantity": quantity})
    assert result.effect.value == pytest.approx(0, abs=0.01)
    assert result.action == "measure"


def test_who_logs_when_is_no_effect_before_and_after():
    made = values(teams=6, treated=0, weeks=12, start=6, noise=0.05)
    made[:3] *= 4
    made[:3, :3] = made[3:, 9:] = np.nan
    result = reviewed(made, chosen="everybody", start=6)
    assert result.effect.value == pytest.approx(0, abs=0.06)


def test_checks_that_say_nobody_can_tell_are_checks():
    series = reviewed(values(treated=8), treated=8, chosen="everybody")
    names = {check.name for at in (reviewed(), series) for check in at.checks} | {
        f"log_{at}" for at in ("empty",)
    }
    assert names >= checks._UNTOLD


# ---- Time that counts twice


@pytest.mark.parametrize(("twice", "status"), [(1, "warn"), (20, "fail")])
def test_many_entries_that_overlap_are_a_condition(twice, status):
    """Two logs of the same work with other durations: of 240 entries one, and 20."""
    random = np.random.default_rng(4)
    hours = [(team, at, 1 + random.random()) for team in range(8) for at in range(30)]
    hours += [(team, at, 0.5) for team, at, _ in hours[:twice]]
    log = pd.DataFrame(
        [
            {
                "User": f"P{team}",
                "Project": "Triage",
                "Group": f"T{team:02}",
                "Start Date": f"{week(at):%m/%d/%Y}",
                "Start Time": "09:00:00 AM",
                "Duration (h)": f"{int(spent)}:{int(spent % 1 * 60):02}:00",
                "End Date": f"{week(at):%m/%d/%Y}",
                "End Time": f"{9 + int(spent):02}:{int(spent % 1 * 60):02}:00 AM",
            }
            for team, at, spent in hours
        ]
    )
    review = declared(values(), chosen="volunteers", measure={"unit": "group"})
    review = review.changed(data={"path": "log.csv"})
    assert review_change(review, data=log).check("log_overlap").status == status


@pytest.mark.parametrize(("per", "status"), [("unit", "fail"), ("person", None)])
def test_who_leaves_is_no_saving(per, status):
    """Two people a team; of two of the four pilots one goes with the change."""
    log = pd.DataFrame(
        [
            {
                "User": f"P{team}{person}",
                "Project": "Triage",
                "Group": f"T{team:02}",
                "Start Date": f"{week(at):%m/%d/%Y}",
                "Start Time": "09:00:00 AM",
                "Duration (h)": f"1:{(team + 7 * at) % 9:02}:00",
            }
            for team in range(8)
            for at in range(30)
            for person in range(2)
            if person == 0 or at < 14 or team > 1
        ]
    )
    review = declared(values(), chosen="volunteers", measure={"unit": "group", "per": per})
    result = review_change(review.changed(data={"path": "log.csv"}), data=log)
    assert {at.name: at.status for at in result.checks}.get("log_people") == status
    if status:
        assert result.panel.odd["people"] == (2, ("T00", "T01"))
        assert result.action in {"measure", "stop"}


# ---- Tickets that are left out


def queues(before=0.0, since=0.0, others=(0.0, 0.0), *, slowest=True, teams=8, seed=1):
    """Return tickets of which the times to done never change, and a share is cancelled.

    Eight a week of each team, in the first half with the change from week 14 on; the slowest of the
    week are cancelled, or any.
    """
    random, rows = np.random.default_rng(seed), []
    for team, at in product(range(teams), range(30)):
        days = np.sort(3 * np.exp(0.6 * random.standard_normal(8)))[::-1]
        share = (before, since)[at >= 14] if team < 4 else others[at >= 14]
        gone = np.arange(8) < round(share * 8) if slowest else random.random(8) < share
        opened = pd.Timestamp(week(at)) + pd.Timedelta(hours=9)
        rows += [
            (
                f"{team}-{at}-{number}",
                "Cancelled" if out else "Done",
                opened,
                opened + pd.Timedelta(days=day),
                f"T{team:02}",
            )
            for number, (day, out) in enumerate(zip(days, gone, strict=True))
        ]
    names = ["Issue key", "Status", "Created", "Resolved", "Custom field (Squad)"]
    return pd.DataFrame(rows, columns=names)


def of_tickets(frame, teams=8, chosen="volunteers", **measure):
    review = declared(
        np.zeros((teams, 30)),
        treated=min(teams, 4),
        chosen=chosen,
        measure={"quantity": "elapsed", "unit": "squad", "follow_up_days": 14} | measure,
        data={"path": "jira.csv"},
        date=week(33),
    )
    return review_change(review, seed=1, data=frame)


def test_tickets_that_are_cancelled_on_one_side_alone_are_a_condition():
    """No time to done changed: of four teams the slowest three in eight were given up."""
    result = of_tickets(queues(since=0.4))
    assert result.effect.high < 0
    check = result.check("log_cancelled")
    assert (check.status, check.value, result.action) == ("fail", 4 * 16 * 3, "measure")
    assert of_tickets(queues(before=0.4)).check("log_cancelled").status == "fail"
    alone = of_tickets(queues(since=0.4, teams=4), teams=4, chosen="everybody")
    assert (alone.design, alone.check("log_cancelled").status) == ("its", "fail")


def test_a_month_in_which_the_change_began_is_neither_before_nor_since():
    """Three in eight since: a month of both would make the share before look larger."""
    given = queues(since=0.4, teams=4)
    result = of_tickets(given, teams=4, chosen="everybody", period="month")
    assert cancelled_otherwise(result) == 3 / 8


@pytest.mark.parametrize(
    ("shares", "slowest"),
    [
        ({"before": 0.4, "since": 0.4}, True),
        ({"since": 0.4, "others": (0, 0.4)}, True),  # beside the others nothing changed
        *(
            ({"before": 0.2, "since": 0.2, "others": (0.1, 0.1), "seed": at}, False)
            for at in (1, 2, 3)
        ),
        ({"before": 0.1, "since": 0.13, "others": (0.1, 0.1)}, False),
    ],
)
def test_as_many_cancelled_tickets_as_elsewhere_are_no_doubt(shares, slowest):
    result = of_tickets(queues(**shares, slowest=slowest))
    assert result.check("log_cancelled").status == "pass"
    assert "log_cancelled" not in result.doubted
