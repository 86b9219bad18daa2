"""How long people worked on messages: units, refusals, before and after against scipy."""

import datetime
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_since import DAY, RUN, SINCE, base, filed, moved, reports, run  # noqa: F401 - fixtures

from opslab import feedback, timesaved
from opslab.errors import DataError, SpecError
from opslab.evidence import Evidence
from opslab.feedback.handling import handling_time, minutes_of
from opslab.feedback.spec import Study
from opslab.timesaved.inventory import Measurement


def tickets(tmp_path, times, unit="minutes", column="Handle time"):
    frame = pd.DataFrame(
        {
            "id": range(len(times)),
            "text": [f"message {at}" for at in range(len(times))],
            "Handle time": times,
        }
    )
    frame.to_csv(tmp_path / "tickets.csv", index=False)
    source = {"path": str(tmp_path / "tickets.csv"), "handling": {"column": column, "unit": unit}}
    return Study(study="shop", sources=(source,))


@pytest.mark.parametrize(
    ("unit", "minutes"), [("minutes", 90.0), ("hours", 5400.0), ("seconds", 1.5)]
)
def test_times_travel_with_the_message_in_minutes_and_a_blank_is_not_known(tmp_path, unit, minutes):
    messages = feedback.find_themes(study=tickets(tmp_path, ["90", "", "0"], unit)).intake.messages
    assert {each.row: each.handling for each in messages} == {1: minutes, 2: None, 3: 0.0}


@pytest.mark.parametrize("cell", ["-3", "ten", "00:12:30", "inf"])
def test_what_is_no_time_is_refused_with_its_row(tmp_path, cell):
    with pytest.raises(DataError) as caught:
        feedback.find_themes(study=tickets(tmp_path, ["5", "6", cell]))
    assert "row 4" in str(caught.value)
    assert "tickets.csv" in str(caught.value)


def test_a_column_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="Time spent"):
        feedback.find_themes(study=tickets(tmp_path, [5], column="Time spent"))


def test_a_column_of_no_stated_unit_counts_for_nothing():
    frame = pd.DataFrame({"text": ["late", "broken"], "handling": [5, 6]})
    assert {each.handling for each in feedback.find_themes(frame).intake.messages} == {None}


def test_before_and_after_are_scipy_s_welch_on_logarithms():
    rng = np.random.default_rng(1)
    before, after = rng.lognormal(2.3, 0.6, 45), rng.lognormal(2.0, 0.9, 31)
    late = pd.Series([False] * 45 + [True] * 31)
    times = pd.Series(np.append(before, after))
    row = handling_time(times, late, pd.Series("desk", times.index))
    test = stats.ttest_ind(np.log(after), np.log(before), equal_var=False)
    ends = np.exp(test.confidence_interval(0.95))
    assert row["saved"] == pytest.approx(1 - stats.gmean(after) / stats.gmean(before))
    assert (row["saved_high"], row["saved_low"]) == pytest.approx(tuple(1 - ends))
    typical = stats.gmean(before), stats.gmean(after)  # so that page and part saved agree
    assert (row["minutes_before"], row["minutes_after"]) == pytest.approx(typical)
    assert (row["count_before"], row["count_after"]) == (45, 31)
    shuffled = rng.permutation(len(times))
    parts = (part.iloc[shuffled] for part in (times, late, pd.Series("desk", times.index)))
    assert handling_time(*parts)["saved"] == pytest.approx(row["saved"], rel=1e-12)


def test_another_tool_s_clock_plays_no_part_and_nor_does_a_zero():
    times = pd.Series([10.0, 20] * 20 + [5.0, 10] * 20 + [1000.0] * 30 + [0.0] * 40)
    late = pd.Series([False] * 40 + [True] * 70 + [False] * 20 + [True] * 20)
    sources = pd.Series(["desk"] * 80 + ["phone"] * 30 + ["desk"] * 40)
    row = handling_time(times, late, sources)
    assert row["saved"] == pytest.approx(0.5)
    assert (row["count_before"], row["count_after"]) == (40, 40)
    assert handling_time(times[:59], late[:59], sources[:59]) == {}  # 19 after
    same = handling_time(pd.Series([5.0] * 40), pd.Series([False, True] * 20), sources[:40])
    assert same["saved"] == pytest.approx(0)
    assert minutes_of(pd.Series([1.0]), "hours", "x")[0] == 60


# ---- In a run


def timed(day, number):
    return (30.0, 40, 50)[number % 3] / (1 + (day > RUN))


@pytest.fixture
def result(base):  # noqa: F811
    done = SINCE | {"on": RUN + datetime.timedelta(1), "task": "Answer", "role": "agent"}
    return run(base, moved("T01", 1), done=(done,), handling=timed)


def test_it_is_evidence_of_logs_before_and_after(result):
    (known,) = [each for each in result.evidence() if each.grade == "D"]
    assert (known.kind, known.unit, known.claim) == (
        "descriptive",
        "share",
        "reduction:agent/Answer",
    )
    assert known.period == (DAY(2026, 8, 3), result.as_of)
    assert known.quantity.value == pytest.approx(0.5)
    assert known.quantity.low < 0.5 < known.quantity.high
    assert Evidence.from_record(json.loads(json.dumps(known.record()))).claim == known.claim


def test_the_record_has_what_an_inventory_takes_as_measured(result):
    record = json.loads(json.dumps(result.record()))
    measured = Measurement(**record["measurement"])
    assert (measured.task, measured.role, measured.grade) == ("Answer", "agent", "D")
    assert (measured.value, measured.basis, measured.over) == (
        pytest.approx(0.5),
        "before_after",
        "everybody",
    )
    (row,) = record["since"]["done"]
    assert row["minutes_before"] == pytest.approx(39.1, abs=0.1)
    assert row["minutes_after"] == pytest.approx(row["minutes_before"] / 2)
    table = result.tables()["done"]
    assert table[["saved", "state"]].to_numpy().tolist() == [[pytest.approx(0.5), "flat"]]


def test_two_done_for_a_theme_on_a_day_are_evidence_once(result):
    twice = replace(result, changes=result.changes | {"done": result.changes["done"] * 2})
    assert [each.id for each in twice.evidence()] == [each.id for each in result.evidence()]


def test_the_table_has_the_minutes_of_the_page(result):
    row = result.tables()["done"].iloc[0]
    assert row["minutes_before"] == pytest.approx(2 * row["minutes_after"])
    assert row["count_before"] > row["count_after"] > 20


def test_the_page_tells_minutes_and_that_nothing_is_proved(result):
    for language, words in (
        (
            "en",
            [
                "39.1 min before, 19.6 min after",
                "time per message: \N{MINUS SIGN}50%",
                "because of it",
            ],
        ),
        (
            "fr",
            [
                "39,1 min avant, 19,6 min après",
                "temps par message : \N{MINUS SIGN}50 %",
                "pas forcément",
            ],
        ),
    ):
        html = " ".join(block._repr_html_() for block in result.since.blocks(language))
        for part in words:
            assert part in re.sub("\\s", " ", html)


def test_an_inventory_cites_the_run_and_grades_the_saving_d(result, reports):  # noqa: F811
    filed(
        reports, "feedback_themes/shop/2026-08-30-0123abcd", json.loads(json.dumps(result.record()))
    )
    line = {"task": "Answer", "role": "agent", "initiative": "carrier", "people": 10, "adoption": 1}
    line |= {"frequency": 100, "minutes": {"low": 30, "high": 50}, "ramp_months": 1}
    line |= {"reduction": {"low": 0.1, "high": 0.6}}
    inventory = timesaved.Inventory(
        inventory="desk",
        lines=(line,),
        changes=("feedback_themes/shop",),
        date=DAY(2026, 9, 28),
    )
    estimated = timesaved.estimate(inventory, draws=1_000)
    assert [update.basis for update in estimated.updates] == ["before_after"]
    assert {saving.grade for saving in estimated.savings} == {"D"}
    (_, measured), *_ = inventory.measured_changes(None)
    assert measured.value == pytest.approx(0.5)


def test_a_run_without_handling_times_saves_no_hours(base, reports):  # noqa: F811
    record = run(base, moved("T01", 1)).record()
    filed(reports, "feedback_themes/shop/2026-08-30-0123abcd", json.loads(json.dumps(record)))
    line = {"task": "Answer", "role": "agent", "initiative": "carrier", "people": 10, "adoption": 1}
    line |= {"frequency": 100, "minutes": 30, "ramp_months": 1, "reduction": 0.2}
    inventory = timesaved.Inventory(
        inventory="desk", lines=(line,), changes=("feedback_themes/shop",), date=DAY(2026, 9, 28)
    )
    with pytest.raises(SpecError, match="task"):
        timesaved.estimate(inventory, draws=1_000)
