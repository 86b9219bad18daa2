"""What is declared and exported amiss is refused or told: each by a small panel with a known truth."""

# ruff: noqa: PD011 - the values of a panel are an array

import datetime
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from changed import FIRST, declared, reviewed, table, values, week

from conftest import ROOT, run_cells
from opslab.errors import InputError, SpecError
from opslab.messages import LANGUAGES
from opslab.names import plain
from opslab.timesaved import ChangeReview, review_change
from opslab.timesaved.change.panel import read_panel

DAY = datetime.date(2026, 8, 2)
STARTS = {"T00": week(14), "T01": week(16)}
CLOCKIFY = "Project,User,Group,Start Date,Start Time,End Date,End Time,Duration (h)"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(key, make, **values):
    with pytest.raises(InputError) as caught:
        make()
    (problem,) = caught.value.problems
    assert problem.key == f"change.{key}"
    assert values.items() <= (problem.values | {"file": problem.file}).items()
    texts = [problem.text(language) for language in LANGUAGES]
    assert len({*texts}) == len(texts)
    return texts[0]


# ---- The pilot


@pytest.mark.parametrize(
    ("pilot", "key"),
    [
        ({"chosen": "drawn", "starts": {"T00": week(14), "t00": week(16)}}, "start_twice"),
        ({"chosen": "staggered", "starts": dict.fromkeys(STARTS, week(14))}, "not_staggered"),
        ({"chosen": "staggered", "starts": {"T00": week(14)}}, "not_staggered"),
        *(
            ({"chosen": chosen, "start": week(14)}, "one_start")
            for chosen in ("drawn", "staggered")
        ),
        ({"chosen": "volunteers", "start": week(14)}, "one_start"),
        ({"chosen": "everybody", "starts": STARTS}, "one_start"),
        ({"chosen": "worst_first", "start": week(14), "starts": STARTS}, "one_start"),
        ({"chosen": "drawn", "starts": STARTS, "selected": (week(0), week(4))}, "selected"),
        *(
            ({"chosen": "worst_first", "start": week(14), "selected": days}, "selected")
            for days in [(week(9), week(2)), (week(16), week(18)), (week(2), week(14))]
        ),
    ],
)
def test_a_pilot_that_says_two_things_is_refused(pilot, key):
    good = declared(values()).model_dump(exclude_defaults=True)
    with pytest.raises(SpecError) as caught:
        ChangeReview(**good | {"pilot": pilot})
    assert [problem.key for problem in caught.value.problems] == [f"change.{key}"]


def test_weeks_before_the_data_in_which_teams_were_chosen_are_no_baseline_and_told():
    made = values(treated=8)
    days = {"selected": [week(-20), week(-10)], "start": week(14), "starts": {}}
    result = reviewed(made, chosen="worst_first", pilot=days)
    assert (result.design, result.grade) == ("its", "D")
    told = {check.name: check for check in result.checks}["pilot"]
    assert told.status == "warn"


# ---- The measure


@pytest.mark.parametrize(
    "measure",
    [
        {"quantity": "count", "holds": {"status": ["Done"]}},
        {"quantity": "elapsed", "within_days": 2},
        {"quantity": "elapsed", "holds": {"status": ["Done"]}},
        {"quantity": "hours", "follow_up_days": 7},
    ],
)
def test_a_field_that_does_nothing_is_refused(measure):
    refused("no_use", lambda: declared(values(), measure=measure), quantity=measure["quantity"])


def test_a_panel_of_ones_own_has_no_tickets():
    measure = {"quantity": "share", "within_days": 2}
    refused("no_panel_rows", lambda: reviewed(values(noise=0.01) / 100, measure=measure))


# ---- Names


def spec(unit="group", starts=STARTS, teams=None, quantity="hours", data="log.csv", **measure):
    return ChangeReview(
        change="Bot",
        data={"path": data},
        date=DAY,
        measure={"name": "work", "quantity": quantity, "unit": unit} | measure,
        pilot={"chosen": "volunteers", "starts": starts, "phase_in": 0},
        teams=teams and {"path": teams},
    )


def clockify(names, weeks=12, more=(), user="{name}"):
    """Write two hours on Monday, and one or two on Tuesday, of each week and name."""
    rows = [
        f'Triage,"{user.format(name=name)}","{name}",{day},09:00:00,{day},{9 + hours:02}:00:00,'
        f"{hours:02}:00:00"
        for name in names
        for at in range(weeks)
        for day, hours in ((week(at), 2), (week(at) + datetime.timedelta(1), 1 + at % 2))
    ]
    Path("log.csv").write_text("\n".join([CLOCKIFY, *rows, *more]) + "\n", encoding="utf-8")


def the_panel(review):
    return read_panel(review, DAY)


def test_names_that_differ_by_a_sign_are_different_teams():
    clockify(["C", "C++", "C#", "★", "Java", "java"])
    panel = the_panel(spec(starts={"★": week(4), "c": week(6)}))
    assert panel.units == ("C", "C#", "C++", "Java", "★")
    assert panel.starts.tolist() == [6, 11, 11, 11, 4]
    assert panel.values.sum() == 5 * 38  # of one person, in two writings: once
    assert panel.odd["alike"] == (1, ("Java = java",))


def test_rows_that_count_are_named_by_their_signs_too():
    clockify(["C", "C++", "Java"])
    panel = the_panel(spec("project", {"Triage": week(4)}, only={"group": ["c++"]}))
    assert panel.values.sum() == 38


def test_plain_names_keep_their_signs():
    assert plain(" C++ ") != plain("C#")
    assert plain("★") == "★"
    assert plain("ÉQUIPE  a") == plain("équipe A")


def test_a_start_by_another_sign_is_refused_with_what_is_near():
    clockify(["Team A", "Team B"])
    assert "mean Team A?" in refused(
        "unknown_near", lambda: the_panel(spec(starts={"Team-A": DAY}))
    )


def test_a_cell_that_lists_teams_is_refused():
    clockify(["T00", "T01", "T00, Guild"])
    refused("several", lambda: the_panel(spec()), first=50)
    clockify(["T00", "T01", "Legal, Risk"])
    assert len(the_panel(spec()).units) == 3


def test_a_team_that_is_called_as_a_person_is_refused():
    clockify(["A", "B", "C"], user="Anna {name}")
    Path("teams.csv").write_text("person,team\nAnna A,anna a\nAnna B,T01\nAnna C,T01\n")
    review = spec("person", {"T01": week(4)}, teams="teams.csv")
    assert "Anna" not in refused("member_named", lambda: the_panel(review))


def test_a_team_whose_people_are_misspelt_is_told_and_their_rows_are_a_condition():
    clockify(["A", "B", "C"], user="Anna {name}")
    Path("teams.csv").write_text("person,team\nAnna A,T00\nAnna B,T01\nAnna K,T02\n")
    panel = the_panel(spec("person", teams="teams.csv"))
    assert panel.odd["absent"] == (1, ("T02",))
    assert panel.odd["unmapped"][0] == 24
    result = review_change(spec("person", teams="teams.csv"), DAY)
    assert {at.name: at.status for at in result.checks}["log_unmapped"] == "fail"


def test_an_export_that_names_no_team_is_refused_before_the_spec_is():
    Path("log.csv").write_text(
        CLOCKIFY + "\n" + f"Triage,Ana,,{FIRST},09:00:00,{FIRST},10:00:00,01:00:00\n"
    )
    refused("no_units", lambda: the_panel(spec()), unit="group", file="log.csv")
    with pytest.raises(InputError) as caught:
        reviewed(values()[:, :0])
    assert "T00" not in str(caught.value)


def test_columns_are_named_once_and_as_they_are_written():
    frame = table(values()).rename(columns={"team": "équipe", "week": "semaine", "value": "valeur"})
    with pytest.raises(SpecError) as caught:
        review_change(declared(values(), measure={"unit": "squad"}), data=frame)
    names = caught.value.problems[0].values["names"]
    assert names[0] == "équipe"
    assert len({plain(name) for name in names}) == len(names)


# ---- What cannot be read, or not be


def test_rows_without_a_duration_are_a_condition():
    lost = [f"Triage,x,T00,{week(at)},09:00:00,,,n/a" for at in range(6)]
    clockify(["T00", "T01", "T02", "T03"], more=lost)
    panel = the_panel(spec())
    assert panel.odd["unread"][0] == 6
    result = review_change(spec(), DAY)
    told = {at.name: at for at in result.checks}["log_unread"]
    assert (told.status, told.value) == ("fail", 6)
    for language in LANGUAGES:
        assert "6" in told.detail.text(language) if hasattr(told.detail, "text") else True


def test_an_export_at_the_size_at_which_its_tool_cuts_off_is_told():
    rows = [
        f"T-{at},Done,{week(at % 30)} 09:00,{week(at % 30)} 12:00,Done,{'AB'[at % 2]}"
        for at in range(1_000)
    ]
    head = "Issue key,Status,Created,Resolved,Resolution,Custom field (Squad)"
    Path("jira.csv").write_text("\n".join([head, *rows]) + "\n")
    review = spec("squad", {"A": week(14)}, quantity="count", data="jira.csv")
    assert read_panel(review, DAY).odd["capped"] == (1, ("1000",))
    Path("jira.csv").write_text("\n".join([head, *rows[1:]]) + "\n")
    assert "capped" not in read_panel(review, DAY).odd


def tickets(seed, days=15):
    """Tickets of one queue of which the times to done have the same distribution all the time."""
    random, rows = np.random.default_rng(seed), []
    for number in range(58 * 30):
        opened = pd.Timestamp(FIRST) - pd.Timedelta(days=200) + pd.Timedelta(days=number % 406)
        ended = opened + pd.Timedelta(days=days * np.exp(random.standard_normal()))
        done = ended.date() <= DAY
        rows.append(
            f"T-{number},{'Done' if done else 'Open'},{opened:%Y-%m-%d} 09:00,"
            f"{f'{ended:%Y-%m-%d %H:%M}' if done else ''},{'Done' if done else ''},Core"
        )
    head = "Issue key,Status,Created,Resolved,Resolution,Custom field (Squad)"
    Path("jira.csv").write_text("\n".join([head, *rows]) + "\n")


def test_a_share_by_status_has_to_say_for_how_long_tickets_are_followed():
    tickets(1)
    given = {"unit": "squad", "starts": {"Core": week(20)}, "quantity": "share", "data": "jira.csv"}
    held = {"holds": {"status": ["Done"]}}
    refused("holds_state", lambda: read_panel(spec(**given, **held), DAY))
    panel = read_panel(spec(**given, **held, within_days=28), DAY)
    early, late = panel.values[0, :20].mean(), panel.values[0, -8:].mean()
    assert late == pytest.approx(early, abs=0.06)  # the same truth all the time
    assert panel.odd["young"][0] > 0
    custom = read_panel(spec(**given, holds={"resolution": ["Done"]}, within_days=28), DAY)
    assert custom.odd["young"] == panel.odd["young"]


@pytest.mark.parametrize("chosen", ["volunteers", "everybody"])
@pytest.mark.parametrize("scale", [1, 0.01])
def test_values_that_never_vary_are_no_measurement(chosen, scale):
    made = np.repeat((0.1 + np.arange(8.0))[:, None], 30, axis=1) * scale
    measure = {"quantity": "share"} if scale < 1 else {}
    treated = 8 if chosen == "everybody" else 4
    refused("constant", lambda: reviewed(made, chosen=chosen, treated=treated, measure=measure))


def test_an_interval_of_no_width_is_none():
    made = (0.1 + np.arange(8.0))[:, None] * np.exp(0.01 * np.arange(30))
    result = reviewed(made, chosen="volunteers")
    assert (result.effect.low, result.better, result.action) == (None, None, "measure")


def test_a_share_cannot_change_by_more_than_there_is():
    made = np.clip(values(teams=3, treated=3, weeks=22, start=11, noise=0.9) / 40, 0.01, 0.99)
    result = reviewed(made, treated=3, chosen="everybody", start=11, measure={"quantity": "share"})
    value, low, high = result.effect
    usual = made[:, 11:].mean() - value
    assert -usual - 1e-9 <= low <= value <= high <= 1 - usual + 1e-9


def test_a_year_that_is_mistyped_is_refused():
    clockify(["T00", "T01"], more=["Triage,x,T00,1926-01-05,09:00:00,1926-01-05,10:00:00,01:00:00"])
    refused("far", lambda: the_panel(spec()), first=2)


# ---- What it bears


def test_elapsed_time_bears_no_claim_of_hours():
    task = {"task": "tag", "role": "pm"}
    (hours, *_), (elapsed, *_) = (
        reviewed(chosen="volunteers", measure={"quantity": quantity}, **task).evidence()
        for quantity in ("hours", "elapsed")
    )
    assert hours.claim == "reduction:pm/tag"
    assert elapsed.claim == "change:desk/hours on triage"


# ---- The notebook


def test_what_a_series_has_not_is_not_asked_of_it(monkeypatch, tmp_path):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    table(values(treated=8)).to_csv("log.csv", index=False)
    Path("series.yaml").write_text(
        "change: Desk\ndate: 2026-08-02\ndata: {path: log.csv, profile: change-panel}\n"
        "measure: {name: hours, quantity: hours, unit: team}\n"
        f"pilot: {{chosen: everybody, start: {week(14)}}}\n"
    )
    names = run_cells("change_review", spec="series.yaml")
    assert names["result"].design == "its"
    assert not names["compared"]


# ---- Words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_that_can_be_one_has_both_forms(language):
    """Except of rows by their number, and of what is never below two."""
    text = (ROOT / f"src/opslab/messages/{language}/change.toml").read_text("utf-8")
    bare = re.findall(r"\{(\w+):integer\} ([^\W\d_]+[sx])\b", text)
    assert {name for name, _ in bare} <= {
        "first",
        "terms",
        "artefact_of",
        "teams",
        "enough_teams",
        "pilots",
    }


@pytest.mark.parametrize("numbers", [("0", "1"), ("0.0", "1.0"), ("0", "1.5")])
def test_values_that_are_numbers_are_named_as_the_file_has_them(numbers):
    """A tool's column of numbers is read with digits behind the point, which no file need have."""
    days = [week(at) for at in range(12)]
    rows = [
        f"{10 * number + at},R,9,Desk {at % 2},Solved,{day},{day},{numbers[(number + at) % 3 == 0]}"
        for number, day in enumerate(days)
        for at in range(6)
    ]
    head = "Id,Requester,First reply time in minutes,Group,Status,Created at,Solved at,Reopens"
    Path("zendesk.csv").write_text("\n".join([head, *rows]) + "\n")
    yes = numbers[1] if "." in numbers[1] else int(numbers[1])
    given = {"quantity": "share", "data": "zendesk.csv", "starts": {"Desk 0": week(6)}}
    panel = read_panel(spec(**given, holds={"reopens": [yes]}), DAY)
    assert np.nanmean(panel.values) == pytest.approx(1 / 3)
    refused("unknown", lambda: read_panel(spec(**given, holds={"reopens": [7]}), DAY))
