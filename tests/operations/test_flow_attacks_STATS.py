"""What looked right and was wrong: late entry, two clocks, cancelled work, silence, missing columns."""

import dataclasses
import datetime

import numpy as np
import pytest
from test_flow_forecast import END, days, forecast
from test_flow_stages import HAND, MONDAY, flow_of, history_of
from test_flow_times import flow, history

from opslab.errors import SpecError
from opslab.operations.flow import limits, queues, stages
from opslab.operations.flow.clock import midnights
from opslab.operations.flow.forecast import ahead, futures
from opslab.operations.flow.lifecycles import (
    CANCELLED,
    DONE,
    OPEN,
    Lifecycles,
    elapsed,
    lifecycles,
    reached,
    rule_readings,
)
from opslab.operations.flow.result import Interval
from opslab.operations.flow.spec import Ahead, Calendar
from opslab.operations.flow.times import effect_of, percentiles, segments
from opslab.uncertainty.survival import aalen_johansen

OFFICE = Calendar(hours=(9, 17))


def known_of(kept, spec):
    lives = lifecycles(kept, spec)
    return lives, aalen_johansen(*elapsed(lives, kept.end, spec.calendar))


def test_one_quick_ticket_says_nothing_of_those_that_come_in_later():
    """60 tickets take 60 to 80 days, and are seen from day 70 on; a new one takes a day and a half."""
    long = [[(at, "Doing"), (at + 60 + 10 * (at % 3), "Done")] for at in range(60)]
    kept = history(*long, [(70.5, "Doing"), (72, "Done")], start=70, end=140, team=["x"] * 61)
    lives, curve = known_of(kept, flow())
    assert curve.thin == 1.5
    assert set(percentiles(curve).values()) == {Interval(None)}
    assert rule_readings(kept, flow())[0].median == Interval(None)
    (row,) = segments(kept, lives, flow(segments=("team",)))
    assert row.median == row.p85 == Interval(None)
    _, whole = known_of(dataclasses.replace(kept, start=0.0), flow())
    assert (whole.thin, reached(whole).value) == (np.inf, 70)


def test_enough_watched_are_told_though_others_come_in_later():
    early = aalen_johansen([3.0] * 6 + [9] * 5, [1] * 6 + [0] * 5, [0] * 6 + [5] * 5)
    assert (early.thin, reached(early).value) == (np.inf, 3)


def test_all_days_are_told_by_one_clock():
    """Fourteen days are ten of work: by Little's law, in the replay, and not in the evidence."""
    moves = [
        [("In Progress", at + 0.4), ("In Review", at + 2.4), ("Done", at + 14.4)]
        for week in range(20)
        for at in range(7 * week, 7 * week + 5)
    ]
    kept = history_of(*moves, end=MONDAY + 7 * 22)
    spec = flow_of(calendar=OFFICE)
    lives, curve = known_of(kept, spec)
    assert reached(curve).value == pytest.approx(10)
    law = queues.little(kept, lives, spec.calendar)
    assert law.days == pytest.approx(10)
    assert law.in_progress == pytest.approx(law.rate * law.days)
    assert law.departures == pytest.approx(100 / 22)  # a week on the wall
    replayed = limits.replay(kept, lives, 3, spec.calendar)
    assert replayed["days"][0] == pytest.approx(10)
    assert sum(row.days for row in stages.stage_rows(kept, lives, spec, 9, 1)) == pytest.approx(10)
    told = stages.calendar_days(kept, lives, spec, 200, 1)
    assert told["lead time"].value == pytest.approx(14)
    assert told["waiting"].value == pytest.approx(12)
    assert told["waiting"].low <= 12 <= told["waiting"].high


@pytest.mark.parametrize(("cancelled", "told"), [(0.5, False), (0.0, True)])
def test_work_that_is_given_up_is_not_work_that_became_faster(cancelled, told):
    random = np.random.default_rng(2)
    begun, work = np.sort(random.uniform(0, 300, 300)), random.exponential(12, 300)
    lost = (begun >= 200) & (random.random(300) < cancelled)
    ended = begun + np.where(lost, 1, work)
    tickets = [
        [(start, "Doing"), (end, "Cancelled" if given_up else "Done")][: 1 + (end < 300)]
        for start, end, given_up in zip(begun, ended, lost, strict=True)
    ]
    kept = history(*tickets, end=300.0)
    since = flow(since={"name": "x", "date": datetime.date(1970, 7, 20)})
    effect = effect_of(kept, lifecycles(kept, since), since)
    assert ("saved" in effect) == told
    assert effect.get("refused", "") == ("" if told else "cancelled")
    assert effect["before_cancelled_share"].value == 0
    assert effect["after_cancelled_share"].value == pytest.approx(cancelled, abs=0.1)


def test_what_is_not_known_is_no_zero():
    types = np.array(["bug", "Story", "ANOMALIE", "Story"])
    kept = dataclasses.replace(HAND, attributes={"type": types})
    lives, spec = lifecycles(kept, flow_of()), flow_of()
    assert stages.defects(kept, lives, spec).value == pytest.approx(2 / 2)
    assert stages.defects(kept, lives, flow_of(defects=["Incident"])) == Interval(None)
    unknown = dataclasses.replace(kept, created=np.full(4, np.nan))
    assert stages.defects(unknown, lives, spec) == Interval(None)
    assert [row.created for row in queues.week_rows(unknown, lives)] == [None, None]
    assert [row.started for row in queues.week_rows(unknown, lives)] == [3, 0]
    with pytest.raises(SpecError) as caught:
        lifecycles(unknown, flow_of(start="created"))
    assert "created_at" in caught.value.text()
    assert "created_at" in caught.value.text("fr")


def test_cancelled_after_done_is_not_reopened():
    kept = history_of(*[[("In Progress", 0), ("Done", 1), ("Cancelled", 2)]] * 5)
    assert stages.reopened(kept).value == 0


def leaving(cancelled, **asked):
    """Return a forecast where four a week end, a share of them cancelled, and 40 are open."""
    ended = END - np.arange(0.5, 280, 7 / 4)
    outcome = np.where(np.arange(len(ended)) % 4 < 4 * cancelled, CANCELLED, DONE)
    begun = np.append(ended - 3, np.full(40, END - 1))
    ended, outcome = np.append(ended, np.full(40, np.nan)), np.append(outcome, np.full(40, OPEN))
    spec = flow(forecast=Ahead(**asked))
    kept = history([(1, "Doing")], start=END - 280, end=END)
    return ahead(spec, kept, Lifecycles(begun, ended, outcome, begun), 1_000, 1)


def test_what_will_be_cancelled_need_not_be_done():
    """Ten weeks at four a week, whether they are done or cancelled; 40 that are asked take twenty."""
    assert leaving(0).when[50] == days(70)
    assert abs((leaving(0.5).when[50] - days(70)).days) <= 14
    assert leaving(0.5, items=40).when[50] == days(140)


def test_a_forecast_never_lies_in_the_past():
    assert forecast([5] * 20, as_of=days(14)).refused == ""
    assert forecast([5] * 20, as_of=days(15)).refused == "stale"
    assert forecast([9] * 20, still_open=3, as_of=days(12)).refused == "stale"  # done by day 7
    for day in (0, -3, 1_200):
        assert forecast([5] * 20, by=days(day)).refused == "day"
    assert forecast([5] * 20, by=days(5), as_of=days(6)).refused == "day"


def test_a_week_is_over_at_the_end_of_its_last_day():
    assert forecast([5] * 20, by=days(7)).count[85] == 5
    assert forecast([5] * 20, by=days(6)).count[85] == 0
    assert forecast([5] * 20, still_open=5).when[85] == days(7)


def test_a_saturday_is_drawn_from_saturdays():
    drawn = futures(np.tile([2, 2, 2, 2, 2, 0, 0], 12)[3:], 14, 2, 50, np.random.default_rng(1), 7)
    assert np.array_equal(np.diff(drawn, axis=1), np.tile([2, 2, 2, 2, 2, 0, 0], (50, 2)))


def test_a_day_begins_where_the_calendar_is():
    paris = Calendar(timezone="Europe/Paris")
    assert midnights([MONDAY], paris) == pytest.approx(MONDAY - 1 / 24)
    assert midnights([MONDAY], None) == MONDAY
    late = -0.5 / 24  # Sunday 23:30 UTC is Monday 0:30 in Paris
    kept = history_of([("In Progress", late), ("Done", 9)], start=MONDAY - 7, end=MONDAY + 14)
    lives = lifecycles(kept, flow_of())
    assert [row.started for row in queues.week_rows(kept, lives)] == [1, 0, 0]
    assert [row.started for row in queues.week_rows(kept, lives, paris)] == [1, 0]
