"""The sample of a measured change: made again the same, and told as it truly is."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import runpy
import zipfile
from collections import defaultdict

import numpy as np
import pytest
import yaml

from conftest import ROOT, page_of
from opslab.messages import LANGUAGES
from opslab.timesaved.change.review import review_change
from opslab.timesaved.change.spec import ChangeReview

SAMPLE = ROOT / "data" / "sample"
TRUTH = json.loads((SAMPLE / "product_change_truth.json").read_text("utf-8"))
SPEC = ChangeReview.load(SAMPLE / "product_change.yaml")
TASK = SPEC.measure.only["task"][0]


@pytest.fixture(scope="module")
def result():
    return review_change(SPEC)


@pytest.fixture(scope="module")
def hours():
    """Return hours by team and week, counted from the file by hand: what is planted left out."""
    with (SAMPLE / "product_change_time.csv").open(encoding="utf-8") as file:
        rows = [*{tuple(row.items()): row for row in csv.DictReader(file)}.values()]
    known = defaultdict(float)
    for row in rows:
        day = datetime.datetime.strptime(row["Start Date"], "%m/%d/%Y").date()  # noqa: DTZ007
        if row["Task"] == TASK and row["Type"] == "Regular" and row["Duration (decimal)"] != "0.00":
            hour, minute, _ = map(int, row["Duration (h)"].split(":"))
            week = day - datetime.timedelta(days=day.weekday())
            known[row["Group"], week] += hour + minute / 60
    return known


def test_the_sample_is_made_again_the_same(tmp_path):
    runpy.run_path(str(ROOT / "data" / "make_change.py"))["write"](tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    for file in files:
        assert file.read_bytes() == (SAMPLE / file.name).read_bytes()


def test_the_spec_says_what_the_sample_was_made_with():
    made = runpy.run_path(str(ROOT / "data" / "make_change.py"))
    starts = {team: day for day, teams in made["STARTS"].items() for team in teams}
    assert starts == SPEC.pilot.starts
    assert (SPEC.pilot.phase_in, str(SPEC.date)) == (made["PHASE_IN"], TRUTH["as_of"])
    assert sorted({*made["TEAMS"]} - {*starts}) == TRUTH["never"]
    assert {*SPEC.french} == {*made["TEAMS"]}


def test_the_sample_is_of_the_inventory_that_it_measures():
    """Task, role and initiative stand in the product desk, whose truth is what remains at last."""
    desk = json.loads((SAMPLE / "product_desk_truth.json").read_text("utf-8"))
    (line,) = (
        line
        for line in desk["lines"]
        if (line["task"], line["role"]) == (SPEC.task, SPEC.role)
        and line["initiative"] == SPEC.initiative
    )
    last = TRUTH["left_by_weeks_since_start"][-1]
    assert last == pytest.approx(1 - line["reduction"] * line["adoption"], abs=0.005)
    made = runpy.run_path(str(ROOT / "data" / "make_change.py"))["TEAMS"].values()
    people = sum(count for _, count in made)
    with (SAMPLE / "product_desk.csv").open(encoding="utf-8") as file:
        said = next(
            row["people"]
            for row in csv.DictReader(file)
            if (row["task"], row["role"]) == (SPEC.task, SPEC.role)
        )
    assert people == int(said)
    minutes = sum(level * count for level, count in made) / people
    assert minutes == pytest.approx(line["frequency"] * line["minutes"], rel=0.01)


# --- The numbers


def test_the_panel_is_what_the_file_holds(result, hours):
    """Summed from the file by hand; the overlap is the one cell that may be read in two ways."""
    panel = result.panel
    overlap = ("Basket", datetime.date(2026, 3, 16))
    assert len(panel.units) == TRUTH["teams"]
    assert len(panel.periods) == TRUTH["weeks"]
    for i, team in enumerate(panel.units):
        for j, week in enumerate(panel.periods):
            value = panel.values[i, j]
            if (team, week) == overlap:
                assert hours[team, week] - 1 / 6 <= value + 1e-9 <= hours[team, week] + 2e-9
            elif np.isnan(value):
                assert (team, week) not in hours
            else:
                assert value == pytest.approx(hours[team, week])
    late = panel.units.index(TRUTH["late"]["team"])
    first = panel.periods.index(datetime.date.fromisoformat(TRUTH["late"]["first_week"]))
    known = ~np.isnan(panel.values[late])
    assert (known[:first].any(), known[first:].all()) == (False, True)


def test_the_interval_covers_the_truth(result):
    assert (result.design, result.grade) == ("did", "B")
    assert result.relative
    value, low, high = result.effect
    assert low <= TRUTH["effect"]["simple"] <= high < 0
    assert low < value < high
    assert result.action == "keep"
    for average in result.averages:
        assert average.effect.low <= TRUTH["effect"][average.name] <= average.effect.high
    shown = {average.name: average.effect for average in result.averages}
    assert shown["simple"].value == result.effect.value
    assert len({round(effect.value, 6) for effect in shown.values()}) == 4


def test_before_and_after_would_overstate_and_two_ways_understate(result):
    """The ratio of medians counted by hand; the two-way estimate as the result tells it."""
    panel, starts = result.panel, SPEC.pilot.starts
    sides = {True: [], False: []}
    for i, team in enumerate(panel.units):
        for j, week in enumerate(panel.periods):
            if team in starts and not np.isnan(panel.values[i, j]):
                sides[week >= starts[team]].append(panel.values[i, j])
    naive = np.median(sides[True]) / np.median(sides[False]) - 1
    assert naive < TRUTH["effect"]["simple"] - 0.05
    assert naive < result.effect.value
    assert result.effect.value < result.two_way < 0


def test_the_effect_grows(result):
    steps = {step.periods: step.effect.value for step in result.steps}
    first = np.mean([steps[k] for k in range(2, 6)])
    last = np.mean([steps[k] for k in range(14, 20)])
    assert last < first < 0
    assert not {0, 1} & {*steps}  # phase-in
    assert result.pre_trend > 0.05


def test_what_was_planted_is_told(result):
    told = {name: count for name, (count, _) in result.panel.odd.items()}
    assert told == {"breaks": 1, "running": 1, "twice": 1, "overlap": 1, "late": 1}
    assert not result.broken
    open_checks = {check.name for check in result.checks if check.status != "pass"}
    assert open_checks == {"log_overlap", "log_late"}  # the rest is left out or counted once
    assert {check.name for check in result.checks} >= {f"log_{name}" for name in told}


def texts(content: bytes) -> str:
    """Return what is readable in a file, in a workbook's sheets too."""
    if content[:2] != b"PK":
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def test_no_output_names_a_person(result):
    said = json.dumps(result.record(), default=str) + result.frame(full=True).to_csv()
    said += "".join(repr(getattr(result, part)) for part in result.PARTS)
    for language in LANGUAGES:
        said += page_of(result, language)
        said += "".join(map(texts, result.takeaway(language).values()))
    assert not re.search(r"PM \d\d|pm\d\d@", said)
    assert "Checkout" in said
    assert "Paiement en ligne" in said


# --- The page of instructions


def test_the_specs_of_the_page_hold(tmp_path):
    """Each with its day, without which a run is refused."""
    page = (ROOT / "docs" / "change.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) > 3
    for number, block in enumerate(blocks):
        if "change:" in block:
            path = tmp_path / f"{number}.yaml"
            path.write_text(block, "utf-8")
            review = ChangeReview.load(path)
            assert review.change == yaml.safe_load(block)["change"]
            assert review.date
