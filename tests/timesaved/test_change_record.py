"""What a review of a change leaves to programs: its record, its rows, and its evidence."""

import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest
from changed import reviewed, values, week
from scipy import stats

from opslab.claims import counted
from opslab.evidence import Evidence
from opslab.messages import LANGUAGES, text

TASK = {"task": "triage", "role": "agent", "initiative": "desk"}
EVERYBODY = {"treated": 8, "chosen": "everybody"}


SHORT = {"made": values(treated=8, weeks=12, start=6), "start": 6, **EVERYBODY}
SERIES = {"made": values(treated=8), **EVERYBODY}
DESIGNS = [
    ("did", TASK | {"expected": {"low": 0.1, "high": 0.3}}),
    ("its", SERIES),
    ("before_after", SHORT),
    ("plan", {"made": values(weeks=14), "start": 20}),
    ("did", {"made": values(teams=2, treated=1), "treated": 1}),
]


@pytest.mark.parametrize(("design", "more"), DESIGNS)
def test_the_record_is_json_without_anything_that_is_no_number(design, more):
    result = reviewed(**more)
    record = json.loads(json.dumps(result.record(), allow_nan=False))
    assert (record["schema"], record["design"]) == ("opslab.change/1", design)
    assert record["status"] == "complete"
    assert len(record["effect"]) == 3
    assert record["periods"][0] == "2026-01-05"
    assert [Evidence.from_record(known).claim for known in record["evidence"]] == [
        known.claim for known in result.evidence()
    ]


@pytest.mark.parametrize(("design", "more"), DESIGNS)
def test_the_tables_to_take_away_have_their_numbers(design, more):
    result = reviewed(**more)
    sheets = {name: pd.DataFrame(rows) for name, rows in result.sheets().items()}
    assert {"result", "teams"} <= {*sheets}
    assert ("powers" in sheets) == (design != "before_after")  # of too few periods
    assert ("averages" in sheets) == (design == "did")
    assert ("lags" in sheets) == (design == "its")
    assert result.takeaway("fr")


def test_a_row_is_a_team_in_a_period_with_what_would_have_come():
    """By hand: divided by 1 + the cell's own effect, whose logs average to the headline."""
    made = values()
    made[2, 5] = np.nan
    result = reviewed(made, pilot={"phase_in": 2})
    frame = result.frame()
    assert len(frame) == 8 * 30
    assert 8 < len(frame.columns) < 20
    frame = frame.set_index(["team", "first_day"])
    after, before = frame.loc["T00", week(20)], frame.loc["T00", week(3)]
    assert after["value"] == pytest.approx(made[0, 20])
    assert after["without_change"] - after["value"] == pytest.approx(-after["effect"])
    assert (after["with_change"], before["with_change"]) == (True, False)
    assert math.isnan(before["without_change"])
    assert not frame.loc["T00", week(14)]["in_model"]  # phase-in
    assert math.isnan(frame.loc["T02", week(5)]["value"])
    counted_cells = frame[frame["without_change"].notna()]
    ratio = np.log(counted_cells["value"] / counted_cells["without_change"]).mean()
    assert math.expm1(ratio) == pytest.approx(result.effect[0])


# ---- Evidence


def test_what_is_saved_is_a_share_with_its_interval_and_claim():
    result = reviewed(**TASK, owner="head")
    share, hours = result.evidence()
    assert (share.id, share.unit, share.per) == ("desk/reduction", "share", "once")
    assert (share.kind, share.grade, share.benefit) == ("causal", "B", "capacity")
    assert (share.claim, hours.claim) == ("reduction:agent/triage", "hours:agent/triage")
    value, low, high = result.effect
    quantity = share.quantity
    assert (quantity.value, quantity.low, quantity.high) == (-value, -high, -low)
    assert quantity.distribution.sd == pytest.approx((high - low) / 2 / stats.norm.ppf(0.975))
    assert share.period == (week(0), week(30) - datetime.timedelta(1))
    assert share.population == "T00, T01, T02, T03"
    assert hours.quantity.value == -result.per_year.value > 0
    assert (hours.unit, hours.per, hours.benefit) == ("hours", "year", "capacity")
    assert {share.owner, hours.owner} == {"head"}
    for known in (share, hours):
        for language in LANGUAGES:
            assert "T00" in text(known.statement[0], language, **known.statement[1])


def test_without_a_task_the_claim_is_the_changes_own():
    share, hours = reviewed().evidence()
    assert share.claim == "change:desk/hours on triage"
    assert hours.claim == "hours:/desk"
    assert counted(hours.claim).thing == "hours"


def test_elapsed_time_and_counts_are_quality_and_no_hours():
    for quantity in ("elapsed", "count"):
        (known,) = reviewed(measure={"quantity": quantity}, **TASK).evidence()
        assert (known.benefit, known.unit) == ("quality", "share")


def test_where_more_is_better_the_gain_is_a_rise():
    (share, *_) = reviewed(values(effect=0.25), measure={"goal": "increase"}).evidence()
    assert share.id == "desk/increase"
    assert share.quantity.value == pytest.approx(0.25, abs=0.05)


def test_a_share_gives_points_and_a_level_of_hours_gives_hours_alone():
    made = np.clip(values() / 40, 0, 1)
    (share,) = reviewed(made, measure={"quantity": "share"}).evidence()
    assert (share.unit, share.benefit) == ("share", "quality")
    result = reviewed(measure={"scale": "level"})
    assert [known.unit for known in result.evidence()] == ["hours"]
    assert result.evidence()[0].quantity.value == -result.per_year.value


def test_hours_that_are_lost_are_below_zero():
    hours = reviewed(values(effect=0.3)).evidence()[1]
    assert hours.quantity.high < 0


@pytest.mark.parametrize(
    ("more", "kind", "grade"),
    [
        ({"chosen": "drawn"}, "causal", "A"),
        ({"chosen": "volunteers"}, "causal", "C"),
        (SERIES, "descriptive", "D"),
        (SHORT, "descriptive", "D"),
        ({"made": values(start=2), "start": 2, "chosen": "drawn"}, "descriptive", "D"),
    ],
)
def test_the_grade_is_the_designs_and_less_under_a_condition(more, kind, grade):
    assert {(known.kind, known.grade) for known in reviewed(**more).evidence()} == {(kind, grade)}


# ---- What an inventory takes


@pytest.mark.parametrize(
    ("more", "basis", "grade"),
    [
        ({"chosen": "drawn"}, "randomised", "A"),
        ({"chosen": "staggered"}, "did", "B"),
        ({"chosen": "volunteers"}, "did", "C"),
        (SERIES, "its", "D"),
        (SHORT, "before_after", "D"),
    ],
)
def test_what_was_measured_of_a_task_has_its_basis_and_no_better_grade(more, basis, grade):
    result = reviewed(**more, **TASK)
    measured = result.record()["measurement"]
    assert (measured["basis"], measured["grade"]) == (basis, grade)
    assert {name: measured[name] for name in TASK} == TASK
    assert measured["value"] == -result.effect[0]


@pytest.mark.parametrize(
    "more",
    [
        {},  # no task
        {**TASK, "measure": {"quantity": "elapsed"}},
        {**TASK, "measure": {"goal": "increase"}},
        {**TASK, "measure": {"scale": "level"}},
        {**TASK, "made": values(teams=2, treated=1), "treated": 1},
    ],
)
def test_what_is_no_share_of_a_tasks_work_is_none(more):
    assert reviewed(**more).record()["measurement"] is None


def test_hours_of_which_more_is_wanted_are_no_saving():
    result = reviewed(values(effect=0.25), measure={"goal": "increase"})
    assert result.per_year.value > 0
    assert {known.unit for known in result.evidence()} == {"share"}
