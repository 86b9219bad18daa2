"""Working time, starts and ends of tickets, percentiles, ages, groups and the effect of a change."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.errors import SpecError
from opslab.operations.flow.clock import working_days
from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import (
    CANCELLED,
    DONE,
    OPEN,
    elapsed,
    lifecycles,
    rule_readings,
)
from opslab.operations.flow.result import Interval
from opslab.operations.flow.spec import Calendar, Flow
from opslab.operations.flow.times import ageing, effect_of, percentiles, segments, shares
from opslab.uncertainty.survival import aalen_johansen

STATUSES = ("To Do", "Doing", "Review", "Done", "Closed", "Cancelled")
KINDS = ("backlog", "active", "waiting", "done", "done", "cancelled")
NAN = np.nan


def history(*tickets, start=0.0, end=100.0, resolved=None, lacks=(), **attributes):
    """Return a history of tickets that are given as visits: (day, status), ..."""
    visits = [(at, STATUSES.index(to), day) for at, of in enumerate(tickets) for day, to in of]
    ticket, status, entered = (np.array(values) for values in zip(*visits, strict=True))
    left = [[*days[1:], NAN] for days in ([day for day, _ in of] for of in tickets)]
    count = len(tickets)
    return History(
        keys=np.array([f"A-{at:05}" for at in range(count)]),
        created=np.array([of[0][0] for of in tickets], float),
        resolved=np.array([NAN] * count if resolved is None else resolved, float),
        statuses=STATUSES,
        kinds=KINDS,
        ticket=ticket,
        status=status,
        entered=entered.astype(float),
        left=np.concatenate(left),
        start=start,
        end=end,
        attributes={name: np.array(values) for name, values in attributes.items()},
        assignees=0,
        shape="changes",
        tool="Jira",
        lacks=lacks,
        assumed=(),
        flags={},
        readings=(),
    )


def flow(**fields):
    return Flow(flow="Delivery", tickets={"path": "tickets.csv"}, **fields)


TICKETS = history(
    [(1, "To Do"), (3, "Doing"), (5, "Done")],
    [(1, "To Do"), (2, "Doing"), (4, "Done"), (6, "Doing")],  # reopened
    [(1, "To Do"), (4, "Done"), (8, "Closed")],  # never started
    [(1, "To Do"), (2, "Doing"), (4, "Done"), (5, "Cancelled")],
    [(1, "To Do"), (5, "Cancelled"), (6, "To Do")],  # cancelled and reopened
    [(1, "Doing"), (5, "Done"), (7, "Doing"), (8, "Done"), (9, "Closed")],
    [(1, "To Do"), (2, "Doing"), (7, "Cancelled")],
    [(1, "To Do"), (2, "Done"), (3, "Doing")],  # started after it had been done
    resolved=[5, 4, NAN, 4, 5, 2, NAN, NAN],
)


@pytest.mark.parametrize(
    ("start", "done", "started", "ended", "outcome"),
    [
        (
            "active",
            "last",
            [3, 2, NAN, 2, NAN, 1, 2, 3],
            [5, NAN, 4, 5, NAN, 8, 7, NAN],
            "10120120",
        ),
        ("active", "first", [3, 2, NAN, 2, NAN, 1, 2, NAN], [5, 4, 4, 4, NAN, 5, 7, 2], "11110121"),
        ("created", "last", [1] * 8, [5, NAN, 4, 5, NAN, 8, 7, NAN], "10120120"),
        ("Closed", "last", [NAN] * 8, [5, NAN, 4, 5, NAN, 8, 7, NAN], "10120120"),
    ],
)
def test_starts_and_ends_by_the_declared_rule(start, done, started, ended, outcome):
    lives = lifecycles(TICKETS, flow(start=start, done=done))
    assert np.array_equal(lives.started, np.array(started, float), equal_nan=True)
    assert np.array_equal(lives.ended, np.array(ended, float), equal_nan=True)
    assert "".join(map(str, lives.outcome)) == outcome
    assert np.array_equal(np.isnan(lives.ended), lives.outcome == OPEN)


def test_without_starts_in_the_export_creation_is_the_start():
    lives = lifecycles(history([(1, "To Do"), (5, "Done")], lacks=("start",)), flow())
    assert (lives.started, lives.outcome) == ([1], [DONE])


def test_a_start_that_is_no_status_is_refused():
    with pytest.raises(SpecError) as caught:
        lifecycles(TICKETS, flow(start="Ready"))
    (problem,) = caught.value.problems
    assert problem.key == "flow.start_unknown"
    assert "Ready" in problem.text()
    assert "To Do, Doing" in problem.text("fr")


def test_what_started_before_the_history_is_watched_from_there_on():
    lives = lifecycles(history([(1, "Doing"), (9, "Done")], [(7, "Doing")], start=5.0), flow())
    assert lives.watched.tolist() == [5, 7]
    days, outcome, entry = elapsed(lives, 100.0, None)
    assert (days.tolist(), outcome.tolist(), entry.tolist()) == ([8, 93], [DONE, OPEN], [4, 0])
    days, outcome, _ = elapsed(lives, 8.0, None)
    assert (days.tolist(), outcome.tolist()) == ([7, 1], [OPEN, OPEN])


def test_the_usual_rules_are_read_beside_the_declared_one():
    readings = rule_readings(TICKETS, flow())
    known = {reading.rule: (reading.finished, reading.median_finished) for reading in readings}
    assert known == {
        "declared": (2, 2),  # 2 and 7 days
        "resolved": (5, 3),  # 4, 3, 3, 4, 1 days
        "created_first": (6, 3),  # 4, 3, 3, 3, 4, 1 days
        "created_last": (3, 4),  # 4, 3, 7 days
        "active_first": (4, 2),  # 2, 2, 2, 4 days
    }
    declared = rule_readings(TICKETS, flow(start="created", done="last"))
    assert [reading.rule for reading in declared] == [
        "declared",
        "created_first",
        "active_last",
        "active_first",
        "resolved",
    ]


def test_finished_tickets_alone_are_quicker_than_all():
    """Ten took 2 days, ten are open for 99: half of them are not done in 2 days."""
    quick = [[(1 + at, "Doing"), (3 + at, "Done")] for at in range(10)]
    reading, *_ = rule_readings(history(*quick, *[[(1, "Doing")]] * 11), flow())
    assert (reading.median_finished, reading.median.value) == (2, None)


def paris(*at):
    moment = datetime.datetime(*at, tzinfo=ZoneInfo("Europe/Paris"))
    return moment.timestamp() / 86_400


def test_days_of_work():
    week = [paris(2026, 9, 7), paris(2026, 9, 14)]
    assert np.diff(working_days(week, Calendar(timezone="Europe/Paris"))) == pytest.approx(5)
    office = Calendar(timezone="Europe/Paris", hours=(9, 17), holidays=("2026-09-08",))
    assert np.diff(working_days(week, office)) == pytest.approx(4)
    friday, monday = paris(2026, 9, 11, 16), paris(2026, 9, 14, 11)
    assert np.diff(working_days([friday, monday], office)) == pytest.approx(3 / 8)
    assert np.isnan(working_days([NAN, 1.0], office)).tolist() == [True, False]
    assert working_days([NAN, 1.5], None)[1] == 1.5


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (6, 7, 24)])
def test_a_day_on_which_the_clock_is_changed_has_its_true_hours(month, day, hours):
    calendar = Calendar(timezone="Europe/Paris", days=("sun",))
    ends = [paris(2026, month, day), paris(2026, month, day + 1)]
    assert np.diff(working_days(ends, calendar)) * 24 == pytest.approx(hours)
    night = Calendar(timezone="Europe/Paris", days=("sun",), hours=(1, 4))
    assert np.diff(working_days(ends, night)) * 3 == pytest.approx(hours - 21)


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(SpecError) as caught:
        Calendar(timezone="Europe/Pari")
    assert "Europe/Pari" in caught.value.text()


@settings(max_examples=40)
@given(
    st.lists(st.floats(17_000, 22_000), min_size=2),
    st.sampled_from(["Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata"]),
    st.sampled_from([(0, 24), (9, 17.5), (2.75, 3)]),
)
def test_working_time_never_falls_and_is_never_more_than_time(instants, zone, hours):
    instants = np.sort(instants)
    worked = np.diff(working_days(instants, Calendar(timezone=zone, hours=hours)))
    assert (worked >= 0).all()
    assert (worked <= np.diff(instants) * 24 / (hours[1] - hours[0]) + 1e-9).all()


def test_times_count_only_working_time():
    """From Friday to Monday are three days, and one of work."""
    days = [datetime.date(2026, 9, day).toordinal() - 719_163 for day in (11, 14)]
    kept = history([(days[0], "Doing"), (days[1], "Done")], end=days[1] + 1)
    assert [
        rule_readings(kept, flow(calendar=calendar))[0].median_finished
        for calendar in (None, Calendar())
    ] == [3, 1]


def world(count=400, seed=3, **fields):
    """Return tickets of a year: half are done in 10 days, a fifth is cancelled."""
    random = np.random.default_rng(seed)
    begun = np.sort(random.uniform(0, 365, count))
    ended = begun + random.exponential(10 / np.log(2), count)
    over = np.where(random.random(count) < 0.2, "Cancelled", "Done")
    tickets = [
        [(start, "Doing"), (end, to)] if end < 365 else [(start, "Doing")]
        for start, end, to in zip(begun, ended, over, strict=True)
    ]
    return history(*tickets, end=365.0, **fields)


def known_of(kept, spec):
    lives = lifecycles(kept, spec)
    return lives, aalen_johansen(*elapsed(lives, kept.end, spec.calendar))


def test_cancelled_tickets_compete_in_percentiles_and_shares():
    _, curve = known_of(world(), flow())
    known = percentiles(curve)
    middle = known[50]
    assert middle.low < np.log(1 - 0.5 / 0.8) / np.log(0.5) * 10 < middle.high
    assert known[85].value is None
    assert known[95] == Interval(None, None, None)
    rows = np.array(shares(curve))
    assert len(rows) <= 62
    assert rows[0].tolist() == [0, 0, 0, 1]
    assert rows[:, 1:].sum(1) == pytest.approx(1, abs=1e-12)
    assert rows[-1, :3].tolist() == [curve.days[-1], curve.done[-1], curve.cancelled[-1]]
    assert (np.diff(rows[1:, 0]) > 0).all()


def test_open_tickets_stand_among_past_times():
    kept = history(
        [(90, "Doing"), (95, "Review")],
        [(1, "To Do"), (60, "Doing")],
        [(3, "To Do")],
        [(90, "Doing")],
        [(1, "Doing"), (2, "Done")],
    )
    limits = {50: Interval(10.0), 85: Interval(30.0), 95: Interval(None)}
    rows = ageing(kept, lifecycles(kept, flow()), flow(), limits)
    assert rows == [
        ("A-00001", "Doing", 40, 85),
        ("A-00000", "Review", 10, None),
        ("A-00003", "Doing", 10, None),
    ]


@pytest.mark.parametrize(
    ("visits", "median", "last"),
    [
        ([(1, "To Do")], None, (0, 0, 0, 1)),
        ([(1, "Doing"), (1, "Done")], 0, (0, 1, 0, 0)),
        ([(1, "Doing"), (2, "Cancelled")], None, (1, 0, 1, 0)),
    ],
)
def test_one_ticket_says_little(visits, median, last):
    kept = history(visits)
    lives, curve = known_of(kept, flow())
    assert percentiles(curve)[50] == Interval(median, None, None)
    assert shares(curve)[-1] == last
    assert ageing(kept, lives, flow(), percentiles(curve)) == []
    assert rule_readings(kept, flow())[0].rule == "declared"


def test_a_group_of_which_one_is_done_at_the_end_has_no_times():
    """Of few that are watched so long, one would make half of the curve."""
    kept = history(*[[(90, "Doing")]] * 9, [(1, "Doing"), (95, "Done")], team=["x"] * 10)
    (row,) = segments(kept, lifecycles(kept, flow()), flow(segments=("team",)))
    assert (row.tickets, row.done, row.median) == (10, 1, Interval(None, None, None))


def test_groups_are_told_with_their_intervals_and_small_ones_without_times():
    teams = ["Blue"] * 196 + ["Red"] * 200 + ["Green"] * 4
    kept = world(team=teams)
    blue, green, red = segments(kept, lifecycles(kept, flow()), flow(segments=("team",)))
    assert [(row.group, row.tickets) for row in (blue, green, red)] == [
        ("Blue", 196),
        ("Green", 4),
        ("Red", 200),
    ]
    assert green.median == green.p85 == Interval(None, None, None)
    assert blue.median.low < blue.median.value < blue.median.high
    own = world(team=teams)
    lives = lifecycles(own, flow())
    alone = aalen_johansen(*elapsed(lives, own.end, None)[:, :196])
    assert percentiles(alone)[50] == blue.median


def test_groups_beyond_the_twelve_largest_are_told_together():
    names = [f"team {at:02}" for at in range(20) for _ in range(20 + at)][:400]
    kept = world(count=len(names), team=names)
    rows = segments(kept, lifecycles(kept, flow()), flow(segments=("team",)))
    assert len(rows) == 13
    assert rows[-1].group == "…"
    assert sum(row.tickets for row in rows) == len(names)
    assert min(row.tickets for row in rows[:-1]) >= 20


@pytest.mark.parametrize(
    "column", ["Assignee", "reporter", "Responsable", "Attribué à", "Product owner"]
)
def test_nobody_is_ranked_by_name(column):
    kept = world(**{column: ["x"] * 400})
    with pytest.raises(SpecError) as caught:
        segments(kept, lifecycles(kept, flow()), flow(segments=(column,)))
    assert [problem.key for problem in caught.value.problems] == ["flow.segment_of_people"]
    assert column in caught.value.text()
    assert column in caught.value.text("fr")


SINCE = datetime.date(1970, 7, 20)  # day 200


def changed(factor, seed=5, count=600):
    """Return tickets of 300 days; all work goes on faster by a factor from day 200 on."""
    random = np.random.default_rng(seed)
    begun = np.sort(random.uniform(0, 300, count))
    work = random.exponential(12, count)
    before = np.clip(200 - begun, 0, None)
    ended = begun + np.where(work < before, work, before + (work - before) / factor)
    tickets = [
        [(start, "Doing"), (end, "Done")] if end < 300 else [(start, "Doing")]
        for start, end in zip(begun, ended, strict=True)
    ]
    return history(*tickets, end=300.0)


def test_the_effect_of_a_change():
    since = flow(since={"name": "Smaller tickets", "date": SINCE})
    kept = changed(2)
    effect = effect_of(kept, lifecycles(kept, since), since)
    assert effect["saved"].low < 6 < effect["saved"].high
    assert effect["saved"].low > 2
    assert effect["before"] - effect["after"] == pytest.approx(effect["saved"].value)
    assert effect["horizon"] <= 100
    assert effect_of(kept, lifecycles(kept, since), flow()) == {}
    late = flow(since={"name": "x", "date": datetime.date(1971, 7, 1)})
    assert effect_of(kept, lifecycles(kept, late), late) == {"refused": "few"}


def test_no_effect_is_told_where_nothing_changed():
    """In 40 worlds without a change about 2 intervals exclude 0; old tickets do not count as slow."""
    since = flow(since={"name": "x", "date": SINCE})
    effects = [
        effect_of(kept, lifecycles(kept, since), since)["saved"]
        for kept in (changed(1, seed) for seed in range(40))
    ]
    assert sum(saved.low > 0 or saved.high < 0 for saved in effects) <= 6
    values = np.array([saved.value for saved in effects])
    assert abs(values.mean()) < 3 * values.std() / 40**0.5


def test_how_tickets_that_straddle_a_change_went_on_is_left_out():
    """They end quickly after it: uncut, they would make the time before look short."""
    since = flow(since={"name": "x", "date": SINCE})
    kept = changed(20)
    lives = lifecycles(kept, since)
    effect = effect_of(kept, lives, since)
    horizon = effect["horizon"]
    true = 12 * (1 - np.exp(-horizon / 12))
    assert abs(effect["before"] - true) < 1.5
    assert (lives.outcome == CANCELLED).sum() == 0
