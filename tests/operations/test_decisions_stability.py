"""Now items of two filed roadmaps: which stayed, which moved, which are gone."""

import datetime
import hashlib
import json

import pytest

from opslab.archive import sealed
from opslab.errors import SpecError
from opslab.operations import Roadmap, plan_roadmap
from opslab.operations.decisions.spec import DecisionReview
from opslab.operations.decisions.stability import stability
from opslab.uncertainty.proportions import wilson

DAY = datetime.date(2026, 10, 5)


def step(name, horizon="now", ends="2026-12-11", **more):
    return {"id": name, "initiative": name.upper(), "horizon": horizon, "ends": ends, **more}


def file_run(folder, day, steps, name="shop-plan", notebook="roadmap", status="complete"):
    """File a record as a run, as the runner does; return its folder's name."""
    home = folder / f"{day}-{len([*folder.iterdir()]):08x}"
    home.mkdir()
    content = json.dumps({"as_of": day, "status": status, "steps": steps}).encode()
    noted = {
        "notebook": notebook,
        "name": name,
        "as_of": day,
        "status": status,
        "headline": "",
        "digest": "0" * 64,
        "outputs": {"result.json": hashlib.sha256(content).hexdigest()},
    }
    (home / "result.json").write_bytes(content)
    (home / "run.json").write_text(json.dumps(sealed(noted)), "utf-8")
    return home.name


def between(folder, *runs, **fields):
    spec = {"decisions": "x", "log": {"path": "log.csv"}, "roadmaps": runs, **fields}
    path = folder / "review.yaml"
    path.write_text(json.dumps(spec), "utf-8")
    return stability(DecisionReview.load(path), DAY)


BEFORE = [
    step("stays"),
    step("done"),
    step("late"),
    step("postponed"),
    step("dropped"),
    step("dateless", ends=None),
    step("next", "next"),
]
AFTER = [
    step("Stays"),
    step("done", "done"),
    step("late", ends="2027-01-15"),
    step("postponed", "later"),
    step("dateless", ends=None),
    step("new"),
]


def test_what_stayed_is_still_now_or_done_with_its_end(tmp_path):
    runs = file_run(tmp_path, "2026-08-31", BEFORE), file_run(tmp_path, "2026-09-30", AFTER)
    result = between(tmp_path, *runs, french={"LATE": "EN RETARD"})
    assert (result.items, result.unchanged) == (6, 3)
    assert result.share == wilson(3, 6)
    assert (result.moved, result.gone) == (("LATE", "POSTPONED"), ("DROPPED",))
    assert result.moved[0].french == "EN RETARD"
    assert (result.later - result.earlier).days == 30
    assert between(tmp_path, *runs[::-1]).moved == result.moved


def test_a_roadmap_without_now_items_has_no_share(tmp_path):
    runs = [file_run(tmp_path, day, [step("a", "later")]) for day in ("2026-08-31", "2026-09-30")]
    result = between(tmp_path, *runs)
    assert (result.items, result.share.value) == (0, None)


def test_without_roadmaps_nothing_is_told(tmp_path):
    assert between(tmp_path) is None


@pytest.mark.parametrize("day", ["2026-09-30", "2026-10-06"])
def test_runs_of_one_day_or_of_a_day_to_come_are_refused(day, tmp_path):
    first = file_run(tmp_path, "2026-09-30", BEFORE)
    again = file_run(tmp_path, day, AFTER, *(["shop-plan-2"] if day == "2026-09-30" else []))
    with pytest.raises(SpecError, match="runs of two days, neither of them after"):
        between(tmp_path, first, again)


def test_runs_of_two_roadmaps_are_refused(tmp_path):
    runs = (
        file_run(tmp_path, "2026-08-31", BEFORE),
        file_run(tmp_path, "2026-09-30", AFTER, "other"),
    )
    with pytest.raises(SpecError, match="of two roadmaps, shop-plan and other"):
        between(tmp_path, *runs)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"notebook": "flow_review"}, "no whole run of roadmap"),
        ({"status": "check_failed"}, "stopped"),
    ],
)
def test_what_cannot_be_cited_is_refused(more, message, tmp_path):
    first = file_run(tmp_path, "2026-08-31", BEFORE)
    with pytest.raises(SpecError, match=message):
        between(tmp_path, first, file_run(tmp_path, "2026-09-30", AFTER, **more))


def test_an_altered_run_is_refused(tmp_path):
    runs = file_run(tmp_path, "2026-08-31", BEFORE), file_run(tmp_path, "2026-09-30", AFTER)
    record = tmp_path / runs[1] / "result.json"
    record.write_text(record.read_text("utf-8").replace("later", "now"), "utf-8")
    with pytest.raises(SpecError, match="not the one that was filed"):
        between(tmp_path, *runs)


def test_the_records_of_roadmaps_hold_what_is_read(tmp_path):
    """Real records, of a plan whose second item is postponed."""
    steps = [
        {"id": "a", "initiative": "A", "weeks": {"low": 8, "high": 12}, "ends": "2026-12-11"},
        {"id": "b", "initiative": "B", "weeks": {"low": 8, "high": 12}, "ends": "2026-12-11"},
    ]
    runs = []
    for day, ends in (("2026-08-31", "2026-12-11"), ("2026-09-30", "2027-01-15")):
        steps[1]["ends"] = ends
        plan = Roadmap(roadmap="Shop plan", initiatives=[*map(dict, steps)])
        result = plan_roadmap(plan, datetime.date.fromisoformat(day), draws=500)
        record = json.loads(json.dumps(result.record()))
        runs.append(file_run(tmp_path, day, record["steps"]))
    result = between(tmp_path, *runs)
    assert (result.items, result.unchanged, result.moved, result.gone) == (2, 1, ("B",), ())
