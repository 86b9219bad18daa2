"""What made a roadmap look surer, or earlier, than what was known of it: none of that comes back."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_roadmap_plan import DAY, SAMPLE, announced, initiative, named, on, planned, statuses

from opslab.errors import DataError, SpecError
from opslab.operations import Roadmap, plan_roadmap
from opslab.operations.flow.spec import Ahead
from opslab.operations.roadmap.binding import Work, weeks_ahead

WIDE = {"low": 1, "high": 40}


def days(step):
    return (step.half - DAY).days, (step.sure - DAY).days


# Late and open


@pytest.mark.parametrize(
    "late",
    [
        initiative("a", -273, weeks={"low": 2, "high": 4}),
        initiative("a", -217, -163, confidence=0.8),
        initiative("a", -217, -163),
        initiative("a", -217, weeks=3),
    ],
)
def test_what_outlasts_its_range_is_never_done_today(late):
    """It is as if it began today, no chance is told, and it is named."""
    fresh = {**late, "starts": DAY, "ends": late.get("ends") and on(54)}
    result = planned(late, initiative("b", 0, 300, confidence=0.9, depends_on="a"))
    alone = planned({name: fresh[name] for name in fresh if fresh[name]}).steps[0]
    assert days(result.step("a")) == days(alone) > (0, 0)
    assert named(result, "refuted") == ["a"]
    assert statuses(result)["refuted"] == "fail"
    on_path = planned(late, initiative("b", 0, 90, confidence=0.9, depends_on="a"))
    assert (on_path.chance, on_path.action) == (None, "range")


def test_a_later_window_of_what_is_late_is_never_earlier():
    """Among windows that are refuted, and among those that are not."""
    for ends in (range(-200, -60, 10), range(-35, 0, 5)):
        halves = [
            days(planned(initiative("a", -210, end, confidence=0.8)).steps[0]) for end in ends
        ]
        assert np.diff(halves, axis=0).min() >= -3  # noise of the draws


def test_nobody_begins_before_what_he_waits_for_is_done():
    """The day on which it was finished takes no work away: a day later, or a day ago."""
    late = {"depends_on": "a", "confidence": 0.7}
    gone = planned(initiative("a", -217, -97, finished=on(-1)), initiative("b", -96, 5, **late))
    soon = planned(initiative("a", -217, 1, weeks=31.3), initiative("b", -96, 5, **late))
    assert gone.step("b").start == on(-1)
    assert abs(np.subtract(days(gone.step("b")), days(soon.step("b")))).max() <= 5


@st.composite
def roadmaps(draw):
    """Give heavy tails, windows, what is finished, and a dependency to add."""
    rows = list[dict]()
    for name in "abcd":
        start, kind = draw(st.integers(-300, 60)), draw(st.sampled_from("rwcf"))
        row = initiative(name, start)
        row |= {"f": {"finished": on(min(start + 30, -1))}}.get(kind, {})
        if kind == "r":
            low = draw(st.integers(1, 9))
            row |= {"weeks": {"low": low, "high": low + draw(st.integers(0, 60))}}
        elif kind in "wc":
            row |= {"ends": on(start + draw(st.integers(1, 300)))}
            row |= {"confidence": 0.7} if kind == "c" else {}
        if kind == "f" and start > -1:
            row["starts"] = on(-40)
        waits = [one["id"] for one in rows if draw(st.booleans())]
        rows.append(row | {"depends_on": ";".join(waits)})
    step = draw(st.integers(1, 3))
    return rows, step, draw(st.integers(0, step - 1)), draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(roadmaps())
def test_a_dependency_never_brings_a_date_forward(drawn):
    rows, step, before, slipped = drawn
    more = [dict(row) for row in rows]
    more[step]["depends_on"] += f";{rows[before]['id']}"
    fields = {"announced": announced(range(-10, 90, 5)) if slipped else (), "draws": 200}
    alone, bound = planned(*rows, **fields), planned(*more, **fields)
    for one in alone.steps:
        assert days(bound.step(one.id)) >= days(one)
        assert bound.step(one.id).sure >= one.sure


# Past dates


def test_past_slips_are_those_that_were():
    """Seven of ten held to the day: so does the next with 70 %, where a normal says 23 %."""
    result = planned(initiative("a", 0, 147), announced=announced([0] * 7 + [90] * 3), draws=20_000)
    assert result.chance == pytest.approx(0.7, abs=0.01)
    assert result.sure == on(147 + 90)
    assert result.action == "reserve"


def test_a_slip_is_counted_once():
    """Not at every step of a chain, nor again when a later end has been announced."""
    late, four = announced([10, 20, 30, 40] * 3), range(4)
    chain = [
        initiative("abcd"[at], 45 * at, 45 * at + 44, depends_on="xabc"[at] * bool(at))
        for at in four
    ]
    last = planned(*chain, announced=late).step("d")
    assert 25 <= last.slip_days < 46  # the truth of such chains is 40, once at every step 98
    said = {"initiative": "A", "announced": on(-5), "date": on(40)}
    again = planned(initiative("a", 0, 70), announced=[*late, said]).steps[0]
    assert again.half == on(40 + 20)
    assert again.first_announced == on(40)


def test_to_announce_later_is_not_to_work_longer():
    late, said = announced([0, 30] * 6), {"initiative": "a", "announced": on(-5), "date": on(90)}
    kept, moved = (planned(initiative("a", 0, end), announced=[*late, said]) for end in (90, 121))
    assert kept.sure == moved.sure == on(120)
    assert (kept.chance, moved.chance) == (pytest.approx(0.5, abs=0.03), 1)


def test_the_first_end_is_one_that_was_announced_before_it_came():
    said = [
        {"initiative": "A", "announced": on(9), "date": on(500)},
        {"initiative": "a", "announced": on(-9), "date": on(-20)},
        {"initiative": "A", "announced": on(-8), "date": on(50)},
    ]
    assert planned(initiative("a", 0, 60), announced=said).steps[0].first_announced == on(50)


def test_more_confidence_is_no_earlier_end_and_the_record_contradicts_it():
    result = planned(initiative("a", 0, 364, confidence=0.9), announced=announced([90] * 12))
    assert result.half == on(364)
    assert named(result, "overconfident") == ["a"]
    assert statuses(planned(initiative("a", 0, 9, confidence=0.9)))["overconfident"] == "pass"


# What is announced


def test_without_any_spread_no_chance_is_told():
    for row in (initiative("a", 0, 42), initiative("a", 0, 42, weeks=6)):
        result = planned(row, initiative("z", 0, 9, confidence=0.9))
        assert (result.chance, result.vague, result.action) == (None, ("a",), "range")
        assert named(result, "uncertainty") == ["a"]
        assert not result.step("a").uncertain
        assert result.step("z").uncertain


def test_the_announced_end_is_that_of_the_last_open_steps():
    early = initiative("a", -273, 268, finished=on(-34))
    assert planned(early, initiative("b", -34, 74, confidence=0.8)).planned == on(74)
    first = initiative("a", -34, 39, confidence=0.9)
    last = initiative("b", weeks={"low": 20, "high": 30}, depends_on="a")
    result = planned(first, last)
    assert (result.planned, result.chance, result.action) == (None, None, "open")
    assert planned(initiative("a", -273, -97, finished=on(-112)), last).planned is None
    assert planned(initiative("a", -9, 0, finished=DAY)).action == "done"


@pytest.mark.parametrize(
    ("confidence", "action"), [(0.4, "replan"), (0.51, "reserve"), (0.9, "hold")]
)
def test_an_end_is_held_from_85_percent(confidence, action):
    assert planned(initiative("a", 0, 119, confidence=confidence)).action == action


def test_no_end_is_held_while_others_are_missed():
    missed = initiative("a", 0, 30, confidence=0.3)
    result = planned(missed, initiative("z", 0, 300, confidence=0.95))
    assert (result.missed, result.action) == (("a",), "replan")
    assert result.chance > 0.9


def test_the_path_does_not_hang_on_the_seed():
    rows = [initiative(name, weeks={"low": 8, "high": 12}) for name in "abc"]
    roadmap = Roadmap(
        roadmap="shop", initiatives=[*rows, initiative("d", weeks=2, depends_on="a;b;c")]
    )
    for seed in (1, 2, 3):
        assert {*plan_roadmap(roadmap, DAY, draws=2_000, seed=seed).path} == {*"abcd"}


def test_what_waits_for_a_finished_step_may_end_before_its_announced_end():
    done = initiative("a", -273, 87, finished=on(-34))
    result = planned(done, initiative("b", -33, 56, confidence=0.8, depends_on="a"))
    assert statuses(result)["sequence"] == "pass"


# Load and sheets


def test_an_owner_is_the_same_however_it_is_written():
    start = (datetime.date(2026, 11, 2) - DAY).days
    rows = [
        initiative(name, start, start + 11, owner=owner, load=0.6)
        for name, owner in (("a", "Shop / Data"), ("b", " SHOP, data"))
    ]
    result = planned(*rows, initiative("c", weeks=1, owner="shop data", depends_on="a"))
    assert max(load.load for load in result.loads) == 1.2
    assert result.step("c").across == ()
    assert named(result, "several_owners") == ["a", "b"]


def test_tenths_add_up_to_a_whole():
    rows = [initiative(f"a{load}", 0, 40, load=load) for load in (0.2, 0.4, 0.3, 0.1)]
    assert statuses(planned(*rows))["load"] == "pass"


def test_a_range_that_contradicts_its_window_is_told():
    rows = [
        initiative("a", 0, 84, weeks={"low": 40, "high": 90}),
        initiative("b", 0, 350, weeks={"low": 2, "high": 3}),
        initiative("c", 0, 84, weeks={"low": 7, "high": 20}),
    ]
    assert named(planned(*rows), "contradiction") == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-09-01,,,2026-08-31,", "before it started"),
        (",,0,,", "no weeks at all"),
        (",,4,,shop/T01; T02", "T02 does not name a theme"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, row, said):
    sheet = tmp_path / "roadmap.csv"
    sheet.write_text(f"id,initiative,starts,ends,weeks,finished,Feedback themes\na,A,{row}\n")
    with pytest.raises((DataError, SpecError), match=said):
        plan_roadmap(Roadmap.load(sheet), DAY)


def test_a_sheet_needs_no_column_of_dependencies(tmp_path):
    sheet = tmp_path / "roadmap.csv"
    sheet.write_text("id,initiative,starts,ends\na,A,2026-10-05,2026-12-01\n")
    assert plan_roadmap(Roadmap.load(sheet), DAY, draws=200).steps[0].id == "a"


def test_the_feedback_themes_of_an_initiative_are_in_its_record(tmp_path):
    sheet = tmp_path / "roadmap.csv"
    sheet.write_text("id,initiative,weeks,Thèmes\na,A,4,shop/T01; shop/T02b\nb,B,4,\n", "utf-8")
    steps = plan_roadmap(Roadmap.load(sheet), DAY, draws=200).record()["steps"]
    assert [step["themes"] for step in steps] == [["shop/T01", "shop/T02b"], []]


# Tickets


def test_tickets_that_come_in_are_work_too():
    """Four done and two added a week: 20 take 10 weeks; after a quarter nothing more is added."""
    pace = np.repeat([[4], [2]], 12, 1)
    assert weeks_ahead(Work(0, 20, None, pace), 2, 1, "a").tolist() == [10, 10]
    assert weeks_ahead(Work(0, 60, None, pace), 2, 1, "a").tolist() == [22, 22]  # (60 + 26) / 4


def test_what_the_flow_declares_of_growth_and_splits_is_used():
    pace, asked = np.repeat([[4], [0]], 12, 1), Ahead(growth=4, split=0.5)
    work = Work(0, 20, None, pace, asked, part=0.5)
    assert weeks_ahead(work, 2, 1, "a").tolist() == [15, 15]  # 30 at 4 - 2 a week
    daily = work._replace(asked=Ahead(growth=0.2, unit="day"))
    assert weeks_ahead(daily, 2, 1, "a").tolist() == [7, 7]  # 20 at 4 - 0.7 a week


@pytest.fixture(scope="module")
def bound():
    roadmap = Roadmap.load(SAMPLE / "product_roadmap.yaml")
    rows = [initiative("a", 0, 60, tickets="SHOP-2; SHOP-999")]
    return plan_roadmap(roadmap.changed(initiatives=rows), draws=500)


def test_each_key_without_tickets_is_told(bound):
    assert bound.steps[0].tickets > 0
    assert named(bound, "unmatched") == ["a (shop-999)"]


def test_earlier_forecasts_from_tickets_are_made_again_and_told(bound):
    """The record that told of 7 of 31 without what comes in: as many as that hold 85 % no longer."""
    check = bound.check("ticket_record")
    hits, count = (check.detail.values[name] for name in ("hits", "count"))
    assert count >= 10
    assert hits / count > 0.5
    assert check.status == "warn"
