"""What a change review measured sharpens an inventory, counts once, and is part of the run."""

import datetime
import json
import runpy
from functools import cache

import nbformat
import numpy as np
import pytest
import yaml
from changed import filed, reviewed, values
from click.testing import CliRunner
from declared import RANGED
from nbclient import NotebookClient

from conftest import ROOT
from opslab import businesscase, timesaved
from opslab.cli import main
from opslab.errors import DataError, InputError, SpecError
from opslab.operations import Contribution, review_contribution
from opslab.provenance import hash_of
from opslab.timesaved import Inventory, TimeSavedParameters
from opslab.timesaved.inventory import Measurement

DAY = datetime.date(2026, 9, 28)
TASK = {"task": "tag", "role": "pm", "initiative": "desk"}
RUN = "change_review/desk/2026-08-02-0123abcd"


@cache
def measured(chosen="staggered", treated=4, **measure):
    return reviewed(
        values(treated=treated), treated=treated, chosen=chosen, measure=measure, **TASK
    )


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    return tmp_path / "reports"


def inventory(*changes, line=RANGED, **more):
    return Inventory(inventory="team", lines=(line,), changes=changes, date=DAY, **more)


def estimated(*changes, **more):
    return timesaved.estimate(inventory(*changes, **more), draws=1_000)


# ---- What it measured counts


def test_it_is_the_measurement_that_one_would_have_typed(reports):
    """The same hours as with the effect and its ends typed in."""
    filed(reports, measured())
    value, low, high = measured().effect
    typed = TASK | {"quantity": "reduction", "basis": "did"}
    typed |= {"over": "everybody", "value": -value, "low": -high, "high": -low}
    by_hand = timesaved.estimate(inventory(), [Measurement(**typed)], draws=1_000)
    cited = estimated("change_review/desk")
    assert cited.savings == by_hand.savings
    assert cited.updates == by_hand.updates
    assert cited.freed != estimated().freed


@pytest.mark.parametrize(
    ("chosen", "treated", "basis", "grade"),
    [
        ("drawn", 4, "randomised", "A"),
        ("staggered", 4, "did", "B"),
        ("volunteers", 4, "did", "C"),
        ("everybody", 8, "its", "D"),  # of 30 weeks: a season could have made it
    ],
)
def test_a_saving_has_the_grade_of_the_review_and_no_better(reports, chosen, treated, basis, grade):
    filed(reports, measured(chosen, treated))
    result = estimated("change_review/desk")
    assert [update.basis for update in result.updates] == [basis]
    assert {saving.grade for saving in result.savings} == {grade}
    assert {known.grade for known in result.evidence()} == {grade}


def test_by_name_it_is_the_latest_run_until_the_day_and_by_folder_that_one(reports, tmp_path):
    filed(reports, measured())
    later = "change_review/desk/2026-09-27-aaaa0000"
    filed(reports, measured("drawn"), later)
    filed(reports, measured("volunteers"), "change_review/desk/2026-09-29-bbbb0000")

    def basis(name):
        return [update.basis for update in estimated(name).updates]

    assert basis("change_review/desk") == ["randomised"]
    assert basis(RUN) == ["did"]
    spec = tmp_path / "specs" / "team.yaml"
    spec.parent.mkdir()
    lines = {"inventory": "team", "date": str(DAY), "lines": [RANGED]}
    spec.write_text(yaml.safe_dump(lines | {"changes": [f"../reports/{RUN}"]}))
    result = timesaved.estimate(Inventory.load(spec), draws=1_000)
    assert [update.basis for update in result.updates] == ["did"]


# ---- What is refused


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"status": "check_failed"}, "blocking check"),
        ({"exploratory": [{"key": "explore.without", "values": {}}]}, "exploratory"),
    ],
)
def test_a_red_or_exploratory_run_is_refused_by_its_place(reports, record, words):
    filed(reports, measured(), **record)
    with pytest.raises(SpecError, match=rf"changes\[1\].*({words})"):
        estimated("change_review/desk")


def test_a_run_that_is_missing_later_or_altered_is_refused(reports):
    with pytest.raises(SpecError, match="no run change_review/desk"):
        estimated("change_review/desk")
    filed(reports, measured(), "change_review/desk/2026-09-29-bbbb0000")
    with pytest.raises(SpecError, match="2026"):
        estimated("change_review/desk")
    home = filed(reports, measured())
    record = home / "result.json"
    record.write_text(record.read_text().replace('"did"', '"its"'))
    with pytest.raises(SpecError, match=r"result\.json"):
        estimated("change_review/desk")


def test_elapsed_time_is_no_work(reports):
    filed(reports, measured(quantity="elapsed"))
    with pytest.raises(SpecError, match=r"changes\[1\].*no work"):
        estimated("change_review/desk")


def test_what_measured_no_share_of_a_task_is_refused(reports):
    filed(reports, measured(scale="level"))
    with pytest.raises(SpecError, match="no share of the work"):
        estimated("change_review/desk")


def test_a_task_that_the_inventory_has_not_is_named_with_what_is_near(reports):
    filed(reports, measured())
    other = RANGED | {"task": "tags"}
    with pytest.raises(DataError, match="did you mean tags") as refused:
        estimated("change_review/desk", line=other)
    assert refused.value.problems[0].row is None
    assert refused.value.problems[0].file == RUN


@pytest.mark.parametrize("name", ["time_saved/desk", "desk", "change_review/", "../x/y/z"])
def test_another_thing_than_a_change_review_cannot_be_named(name):
    with pytest.raises(SpecError, match="changes"):
        inventory(name)


# ---- It is part of what the run stands on


def test_the_record_is_among_the_files_of_the_run_and_hashed(reports, tmp_path):
    home = filed(reports, measured())
    spec = tmp_path / "team.yaml"
    lines = {"inventory": "team", "date": str(DAY), "lines": [RANGED]}
    spec.write_text(yaml.safe_dump(lines | {"changes": ["change_review/desk"]}))
    files = TimeSavedParameters(spec="team.yaml").stands_on().files
    assert files == (spec, home / "result.json")
    result = timesaved.estimate(Inventory.load(spec), draws=1_000)
    inputs = {named["file"]: named["sha256"] for named in result.record()["inputs"]}
    assert inputs == {
        "team.yaml": hash_of(spec),
        f"{RUN}/result.json": hash_of(home / "result.json"),
    }


@pytest.mark.slow
def test_a_notebook_saved_in_jupyterlab_files_the_change_that_it_cited(
    reports, tmp_path, monkeypatch
):
    filed(reports, measured())
    (tmp_path / "notebooks").mkdir()
    lines = {"inventory": "team", "date": str(DAY), "lines": [RANGED]}
    (tmp_path / "team.yaml").write_text(yaml.safe_dump(lines | {"changes": ["change_review/desk"]}))
    notebook = nbformat.read(ROOT / "notebooks/time_saved.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == "parameters")
    cell.source = 'spec = "team.yaml"\ndraws = 1_000\nseed = 1\nas_of = ""\nlanguage = "en"'
    monkeypatch.chdir(tmp_path)
    NotebookClient(
        notebook, resources={"metadata": {"path": str(tmp_path / "notebooks")}}
    ).execute()
    (tmp_path / "mine.ipynb").write_text(json.dumps(notebook))
    done = CliRunner().invoke(main, ["render", "mine.ipynb"])
    assert done.exit_code == 0, done.output
    (folder,) = reports.glob("time_saved/team/*")
    record = json.loads((folder / "result.json").read_text())
    assert f"{RUN}/result.json" in {named["file"] for named in record["inputs"]}
    ran = CliRunner().invoke(
        main, ["run", "time_saved", "-p", "spec=team.yaml", "-p", "draws=1000"]
    )
    assert ran.exit_code == 0, ran.output
    assert len([*reports.glob("time_saved/team/*")]) == 1  # known by the same inputs


# ---- It counts once


def contribution(reports):
    filed(reports, measured())
    time_saved = timesaved.estimate(inventory(), draws=1_000)
    filed(reports, time_saved, "time_saved/team/2026-08-02-0123abcd")
    names = {"Change": "change_review/desk", "Team": "time_saved/team"}
    gains = [{"gain": "time", "name": name, "run": run} for name, run in names.items()]
    gains[0]["pick"] = ["desk/hours"]
    return review_contribution(Contribution(contribution="all", gains=gains), DAY)


def test_a_contribution_counts_hours_of_a_task_once_and_the_better_grade(reports):
    result = contribution(reports)
    change, team = result.claims
    assert (change.counted_in, team.counted_in) == ("", "Change")
    assert (change.evidence.grade, team.evidence.grade) == ("B", "F")
    (total,) = (total for total in result.totals if total.gain == "time")
    assert total.quantity.value == pytest.approx(-measured().per_year.value)


@pytest.mark.parametrize(("lines", "key"), [(1, "mixed_use"), (2, "claimed_inventories")])
def test_a_case_that_counts_both_in_one_option_is_refused(lines, key):
    """In one line or in two: hours of one task, by two lists, saved today and at full use."""
    declared = runpy.run_path(str(ROOT / "tests/businesscase/cases.py"))["hours_case"]()
    change = [known for known in measured().evidence() if known.unit == "hours"]
    team = timesaved.estimate(inventory(), draws=1_000).evidence()
    declared["evidence"].append({"id": "f", "run": "change_review/desk"})
    first = declared["benefits"][0]
    if lines == 1:
        first["evidence"] = ["e", "f"]
    else:
        again = first | {"name": "again", "evidence": ["f"], "adoption": None}
        declared["benefits"].append(again)
        declared["options"][1]["benefits"].append("again")
    with pytest.raises(InputError) as refused:
        businesscase.build(businesscase.Case(**declared), {"e": team, "f": change}, draws=1_000)
    assert {problem.key for problem in refused.value.problems} == {f"businesscase.{key}"}
    assert lines == 1 or "hours: pm/tag" in str(refused.value)


# ---- Adoption is taken off once


@pytest.mark.parametrize("adoption", [1, 0.6, {"low": 0.4, "high": 0.8}])
def test_the_hours_are_those_of_the_review_whatever_the_adoption(reports, adoption):
    """By hand: the hours a year that the review itself derives of its teams."""
    review = measured()
    filed(reports, review)
    cells = np.isfinite(values())[:4, 14:]
    logged = np.where(cells, values()[:4, 14:], 0).mean(axis=1).sum()
    without = logged / (1 + review.effect.value)  # hours a week of the four teams
    line = RANGED | {"people": 4, "eligible_share": 1, "frequency": 1, "minutes": 15 * without}
    line |= {"reduction": {"low": 0.001, "high": 0.95}, "adoption": adoption, "ramp_months": 0}
    line |= {"decay": 0, "new_minutes": 0}
    result = timesaved.estimate(inventory("change_review/desk", line=line), draws=20_000)
    assert result.freed.mean == pytest.approx(-review.per_year.value, rel=0.01)
    _, low, high = review.per_year
    assert result.freed.low > -high * 0.97
    assert result.freed.high < -low * 1.03


def test_an_adoption_below_what_was_saved_is_refused(reports):
    filed(reports, measured())
    with pytest.raises(DataError, match="cannot have saved alone"):
        estimated("change_review/desk", line=RANGED | {"adoption": 0.15})


def test_the_page_says_what_became_of_adoption(reports):
    filed(reports, measured())
    for language, words in (("en", "taken off once"), ("fr", "déduite qu'une fois")):
        blocks = estimated("change_review/desk").method.blocks(language)
        assert words in " ".join(map(str, blocks))


def test_a_run_or_a_log_that_is_cited_twice_is_refused(reports):
    log = {"imports": [{"sha256": "abc"}]}
    filed(reports, measured(), **log)
    filed(reports, measured("drawn"), "change_review/again/2026-08-02-0123abcd", **log)
    filed(reports, measured("drawn"), "change_review/other/2026-08-02-0123abcd")
    for other in ("change_review/desk", RUN, "change_review/again"):
        with pytest.raises(SpecError, match=r"changes\[2\].*count twice"):
            estimated("change_review/desk", other)
    assert len(estimated("change_review/desk", "change_review/other").updates) == 1
