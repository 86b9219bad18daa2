"""Actions: one however many rows repeat it, done by its first date, levels of the same assessors since."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab.operations import PracticeReview, review_practices
from opslab.operations.practices.spec import LEVELS

DAY = datetime.date(2026, 10, 5)
APRIL, JUNE, SEPTEMBER = (
    datetime.date(2026, 4, 13),
    datetime.date(2026, 6, 15),
    datetime.date(2026, 9, 14),
)


def row(level="good", who="a", day=SEPTEMBER, action="Fill in the checklist", **more):
    about = {"capability": "Launches", "team": "Shop", "assessor": who, "date": day}
    return about | {"level": level, "next_action": action} | more


def reviewed(*rows, day=DAY):
    return review_practices(PracticeReview(practices="x", canvas=rows), day)


def only(*rows):
    (action,) = reviewed(*rows).actions_due
    return action


def told(result, kind):
    """Return what the checks name of a kind."""
    (names,) = (check.detail.values[kind] for check in result.checks if kind in check.detail.values)
    return names


def on(month, day):
    return datetime.date(2026, month, day)


STATES = [
    # due, done, state, days: late by, left, or from the first mention to done
    (on(9, 30), None, "late", 5),
    (on(10, 5), None, "open", 0),
    (on(10, 15), None, "open", 10),
    (None, None, "undated", 0),
    (on(9, 30), on(9, 24), "done", 10),
    (on(9, 20), on(9, 24), "done", 10),
    (None, on(9, 24), "done", 10),
    (on(9, 30), on(10, 6), "late", 5),  # done tomorrow is not done
    (on(9, 30), on(9, 1), "done", 0),  # before it was written down
]


@pytest.mark.parametrize(("due", "done", "state", "days"), STATES)
def test_each_state(due, done, state, days):
    action = only(row(action_due=due, action_done=done))
    assert (action.state, action.days) == (state, days)
    assert (action.done is not None) == (state == "done")


def test_rows_of_two_assessors_and_two_rounds_are_one_action():
    rows = [
        row("below", "a", APRIL, action_due=on(6, 30), action_owner="Ines"),
        row("below", "b", APRIL, "fill in the checklist", action_due=on(6, 30)),
        row("good", "a", SEPTEMBER, action_due=on(11, 30), action_owner="TBD"),
        row("better", "b", SEPTEMBER, action_owner="Mia"),
    ]
    result = reviewed(*rows)
    (action,) = result.actions_due
    assert (action.promised, action.due, action.owner) == (on(6, 30), on(11, 30), "Mia")
    assert (action.state, action.days) == ("open", 56)
    assert action.moved == 1  # from below and below to good and better: the lower middle counts
    assert action.lag == (SEPTEMBER - APRIL).days
    assert told(result, "postponed") == ["Fill in the checklist"]


def test_of_another_team_it_is_another_action():
    rows = row(), row() | {"team": "Data"}, row(action="Write macros", who="b")
    assert len(reviewed(*rows).actions_due) == 3
    for nothing in (None, "n/a", "TBD", "-"):
        assert not reviewed(row(action=nothing)).actions_due


def test_who_follows_through_is_counted_by_the_first_date():
    def action(name, first, done=None, due=None):
        rows = [row(day=APRIL, action=name, action_due=first)]
        return [*rows, row(action=name, action_due=due or first, action_done=done)]

    rows = action("in time", on(6, 30), on(6, 30)) + action("too late", on(6, 30), on(7, 1))
    rows += action("postponed", on(6, 30), on(9, 1), on(9, 2)) + action("open", on(6, 30))
    rows += action("not due", DAY) + action("early", on(12, 1), on(6, 1))
    result = reviewed(*rows)
    assert (result.kept, result.fallen_due) == (1, 4)
    assert told(result, "late") == ["open"]


def test_of_one_day_an_action_hangs_on_no_assessor():
    """The earliest due date and the latest end count, and that rows differ is told."""
    ways = []
    for first, second in ("ab", "ba"):
        rows = [
            row(who=first, action_due=on(9, 30), action_owner="Ines", action_done=on(9, 1)),
            row(who=second, action_due=on(12, 30), action_owner="Zed", action_done=on(10, 4)),
        ]
        result = reviewed(*rows)
        (action,) = result.actions_due
        assert (action.due, action.promised, action.owner) == (on(9, 30), on(9, 30), "Ines")
        assert (action.done, result.kept, result.fallen_due) == (on(10, 4), 0, 1)
        assert told(result, "doubtful") == ["Fill in the checklist"]
        still = [{**each, "action_done": None} for each in rows]
        ways.append((reviewed(*still).actions_due, result.actions_due))
        assert reviewed(*still).actions_due[0].state == "late"
    assert ways[0] == ways[1]
    same = [row(who=who, action_due=on(9, 30), action_owner="Ines") for who in "ab"]
    assert not told(reviewed(*same), "doubtful")
    assert not told(
        reviewed(same[0], row(who="c")), "doubtful"
    )  # who says nothing contradicts none
    early = reviewed(row(action_due=on(9, 30), action_done=on(4, 1)))
    assert told(early, "doubtful") == ["Fill in the checklist"]


def test_an_action_that_a_later_round_takes_up_again_is_another_one():
    """Done in April and written down again in September: the second one waits."""
    first = row(day=APRIL, action_due=on(4, 30), action_done=APRIL)
    again = row(action_due=on(9, 20), action_owner="Mia")
    result = reviewed(first, again)
    assert [(act.state, act.due) for act in result.actions_due] == [
        ("late", on(9, 20)),
        ("done", on(4, 30)),
    ]
    assert (result.kept, result.fallen_due, result.action) == (1, 2, "late")
    copied = reviewed(first, row(action_due=on(4, 30), action_done=APRIL))
    beside = reviewed(first, row(who="b", day=APRIL + datetime.timedelta(2)))
    assert [len(each.actions_due) for each in (copied, beside)] == [1, 1]
    assert {act.state for each in (copied, beside) for act in each.actions_due} == {"done"}


def test_levels_since_are_of_those_who_assessed_both_times():
    rows = [
        row("below", "a", APRIL),
        row("best", "b", APRIL, action=None),
        row("better", "a", action=None),
        row("best", "c", action=None),
    ]
    action = only(*rows)
    assert (action.moved, action.lag) == (2, (SEPTEMBER - APRIL).days)
    assert only(row("below", "a", APRIL), row("best", "c", action=None)).moved is None
    assert only(row("good"), row("best", "b", action=None)).moved is None


def test_the_lag_is_of_the_first_round_that_was_higher():
    rows = [row("below", day=APRIL), row("good", day=JUNE), row("good")]
    assert (only(*rows).moved, only(*rows).lag) == (1, (JUNE - APRIL).days)
    fell = [row("good", day=APRIL), row("below", day=JUNE), row("below")]
    assert (only(*fell).moved, only(*fell).lag) == (-1, None)
    back = [row("good", day=APRIL), row("best", day=JUNE), row("good")]
    assert (only(*back).moved, only(*back).lag) == (0, (JUNE - APRIL).days)


def test_what_is_late_comes_first_and_what_is_done_last():
    rows = [
        row(action="done", action_due=on(9, 1), action_done=on(9, 20)),
        row(action="open", action_due=on(12, 1)),
        row(action="undated"),
        row(action="late", action_due=on(9, 20)),
        row(action="later", action_due=on(9, 10)),
    ]
    result = reviewed(*rows)
    names = [action.action for action in result.actions_due]
    assert names == ["later", "late", "undated", "open", "done"]
    undated = told(result, "undated")
    assert [*undated] == ["later", "late", "undated", "open"]  # nobody owns them


def test_below_target_without_an_open_action_is_told():
    about = {"target": "best"}
    assert not told(reviewed(row(**about)), "planned")
    done = reviewed(row(**about, action_due=on(9, 20), action_done=on(9, 20)))
    assert told(done, "planned") == ["Launches (Shop)"]
    assert not told(reviewed(row("best", action=None, **about)), "planned")


@given(
    st.lists(
        st.tuples(st.sampled_from(LEVELS), st.sampled_from("abc"), st.sampled_from([APRIL, JUNE])),
        min_size=1,
        unique_by=lambda each: each[1:],
    )
)
def test_a_level_is_counted_from_the_mention_on(given_rows):
    """An independent count: rank of the lower median of who assessed in April and in June."""
    rows = [row(level, who, day) for level, who, day in given_rows]
    (action,) = reviewed(*rows).actions_due
    held = {(who, day): LEVELS.index(level) for level, who, day in given_rows}
    same = [who for who in "abc" if (who, APRIL) in held and (who, JUNE) in held]
    if not same:
        assert action.moved is None
        return
    lower = (len(same) - 1) // 2
    then, now = (sorted(held[who, day] for who in same)[lower] for day in (APRIL, JUNE))
    assert action.moved == now - then
