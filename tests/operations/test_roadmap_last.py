"""`previous: last`: a roadmap that finds its last run by itself, of those that may be compared with."""

import datetime
import hashlib
import json
import os
import shutil

import pytest

import opslab
from conftest import ROOT
from opslab import operations
from opslab.archive import sealed
from opslab.errors import SpecError
from opslab.operations import Roadmap

TODAY = datetime.date(2026, 10, 5)
SPEC = """roadmap: Shop plan
date: 2026-10-05
previous: last
initiatives:
  - {id: a, initiative: A, weeks: {low: 2, high: 4}, starts: 2026-10-19}
  - {id: b, initiative: B, weeks: 1, depends_on: a}
"""


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    (tmp_path / "plan.yaml").write_text(SPEC)
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


@pytest.fixture(scope="module")
def record():
    steps = [
        {"id": "a", "initiative": "A", "weeks": {"low": 2, "high": 4}},
        {"id": "b", "initiative": "B", "weeks": 1, "depends_on": "a"},
    ]
    roadmap = Roadmap(roadmap="Shop plan", initiatives=steps)
    return json.loads(json.dumps(operations.plan_roadmap(roadmap, TODAY, draws=1_000).record()))


def file_run(reports, name, record, status="complete", **more):
    """File a record as a run of the roadmap, as the runner does; later calls are filed later."""
    folder = reports / "roadmap" / "shop-plan" / name
    folder.mkdir(parents=True)
    content = json.dumps(record | {"as_of": name[:10], "status": status} | more).encode()
    files = {"result.json": content, "notebook.ipynb": b"{}", "readout.html": b"<html>"}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    noted = {
        "notebook": "roadmap",
        "name": "shop-plan",
        "as_of": name[:10],
        "status": status,
        "headline": "It holds.",
        "digest": name[11:],
        "outputs": {file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    }
    (folder / "run.json").write_text(json.dumps(sealed(noted)))
    at = 1_000_000_000 + len(list(reports.glob("*/*/*")))
    os.utime(folder, (at, at))
    return folder


def planned(**fields):
    roadmap = Roadmap.load("plan.yaml")
    return operations.plan_roadmap(roadmap.changed(**fields) if fields else roadmap, draws=1_000)


def files():
    """Return the records that the run's identity knows."""
    known = operations.RoadmapParameters.of(spec="plan.yaml").stands_on().files
    return [path.parent.name for path in known if path.name == "result.json"]


def test_the_latest_earlier_run_is_found_and_known_by_the_run(reports, record):
    assert planned().previous_day is None
    assert files() == []
    for name in ("2026-09-21-00000001", "2026-09-28-ffffffff", "2026-09-28-00000002"):
        file_run(reports, name, record)
    for name in ("2026-10-05-00000003", "2026-10-12-00000004"):  # of the day itself, and later
        file_run(reports, name, record)
    result = planned()
    assert result.previous_day == datetime.date(2026, 9, 28)
    assert result.roadmap.previous.endswith("2026-09-28-00000002")  # the last that was filed
    assert files() == ["2026-09-28-00000002"]
    assert "roadmap/shop-plan/2026-09-28-00000002/result.json" in {
        known["file"] for known in result.record()["inputs"]
    }
    assert {step.id: step.moved_days for step in result.steps} == {"a": 14, "b": 14}


def test_what_cannot_be_compared_with_is_passed_over_and_told(reports, record):
    file_run(reports, "2026-09-14-00000001", record)
    file_run(reports, "2026-09-21-00000002", record, exploratory=True)
    file_run(reports, "2026-09-26-00000003", record, status="check_failed")
    altered = file_run(reports, "2026-09-28-00000004", record)
    (altered / "result.json").write_text("{}")
    (reports / "roadmap" / "shop-plan" / "2026-09-29-00000005").mkdir()
    result = planned()
    passed = ["2026-09-29-00000005", *(f"2026-09-{at}" for at in ("28-00000004", "26-00000003"))]
    passed += ["2026-09-21-00000002"]
    assert result.previous_day == datetime.date(2026, 9, 14)
    assert list(result.passed) == passed
    assert "Passed over" in repr(result.dates)
    assert files() == [*passed[1:], "2026-09-14-00000001"]


def test_where_nothing_can_be_compared_with_that_is_told(reports, record):
    file_run(reports, "2026-09-26-00000003", record, status="check_failed")
    told = repr(planned().dates).replace("\n", " ")
    assert "no earlier run of this roadmap" in told
    assert "2026-09-26-00000003" in told


def test_a_later_run_is_no_last_one(reports, record):
    later = file_run(reports, "2026-10-12-00000004", record)
    with pytest.raises(SpecError) as caught:
        planned(previous=str(later))
    [problem] = caught.value.problems
    assert problem.key == "operations.later_run"
    assert problem.text() != problem.text("fr")
    same = file_run(reports, "2026-10-05-00000004", record)
    assert planned(previous=str(same)).previous_day == TODAY


def test_a_run_of_another_roadmap_is_refused_by_its_name(reports, record):
    run = file_run(reports, "2026-09-28-00000001", record)
    card = json.loads((run / "run.json").read_text())
    card = {name: value for name, value in card.items() if name != "seal"}
    (run / "run.json").write_text(json.dumps(sealed(card | {"name": "other-plan"})))
    with pytest.raises(SpecError) as caught:
        planned(previous=str(run))
    [problem] = caught.value.problems
    assert problem.key == "operations.other_previous"
    assert "other-plan" in problem.text()


@pytest.mark.slow
def test_a_scheduler_runs_the_sample_week_by_week_without_an_edit(reports):
    """Really filed: the second week is compared with the first; the same day again is the same run."""
    for path in (ROOT / "data" / "sample").glob("*"):
        if path.name.startswith(("product_roadmap", "delivery_flow")):
            shutil.copy(path, reports.parent)

    def run(day, **given):
        return opslab.run("roadmap", spec="product_roadmap.yaml", as_of=day, draws=1_000, **given)

    first, second = run("2026-09-28"), run("2026-10-05")
    assert second.result()["previous_day"] == "2026-09-28"
    assert run("2026-10-05").reused
    assert "It began with" in second.readout.read_text("utf-8")
    (first.folder / "result.json").write_text("{}")  # altered since: a new run, compared with none
    third = run("2026-10-05")
    assert third.folder != second.folder
    assert third.result()["previous_day"] is None
    assert first.folder.name in third.readout.read_text("utf-8")
