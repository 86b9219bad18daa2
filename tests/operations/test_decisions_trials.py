"""Experiments that a decision log names: their last run gives the grade and the rule's action."""

import datetime
import hashlib
import json
import os

import pandas as pd
import pytest

from opslab.archive import sealed
from opslab.operations import DecisionReview, DecisionsParameters, review_decisions

DAY = datetime.date(2026, 10, 5)
LOG = """id,decision,raised,status,decided,chosen,grade,experiment
a,Label,2026-09-01,Decided,2026-09-20,{},F,experiment_readout/label
b,Colour,2026-09-01,Open,,,,
"""


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


def file_run(reports, name, action="ship", *, grade="A", plan="pass", status="complete", **more):
    """File the record of a readout, as the runner does; later calls are filed later."""
    folder = reports / "experiment_readout" / "label" / name
    folder.mkdir(parents=True)
    record = {
        "as_of": name[:10],
        "status": status,
        "decision": {"action": action},
        "evidence": [{"grade": "C"}, {"grade": grade}],
        "checks": [{"name": "plan_unchanged", "status": plan}],
    }
    files = {"result.json": json.dumps(record | more).encode()}
    files |= {"notebook.ipynb": b"{}", "readout.html": b"<html>"}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    noted = {
        "notebook": "experiment_readout",
        "name": "label",
        "as_of": name[:10],
        "status": status,
        "headline": "A headline.",
        "digest": name[11:] + "0" * 56,
        "outputs": {file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    }
    (folder / "run.json").write_text(json.dumps(sealed(noted)))
    stamp = 1_700_000_000 + len([*folder.parent.iterdir()])
    os.utime(folder, (stamp, stamp))
    return folder


def reviewed(reports, chosen="ship"):
    path = reports.parent / "log.csv"
    path.write_text(LOG.format(chosen), encoding="utf-8")
    return review_decisions(DecisionReview(decisions="Test", log={"path": str(path)}), DAY)


@pytest.mark.parametrize(
    ("chosen", "action", "followed"),
    [
        ("ship", "ship", True),
        ("Déployé", "ship", True),
        ("rolled out", "do_not_ship", False),
        ("abandonner", "do_not_ship", True),
        ("stop", "extend", False),
        ("two cities first", "ship", None),
        ("", "ship", None),
        ("ship", "no_decision", None),
    ],
)
def test_what_was_chosen_is_what_the_rule_said_or_not(reports, chosen, action, followed):
    file_run(reports, "2026-09-18-0123abcd", action)
    known = reviewed(reports, chosen).decisions[0]
    assert (known.followed, known.grade) == (followed, "A")


def test_the_last_run_until_the_day_counts(reports):
    file_run(reports, "2026-09-18-00000001", grade="A")
    file_run(reports, "2026-09-20-00000003", "do_not_ship", grade="B")
    file_run(reports, "2026-09-21-00000005")
    known = reviewed(reports).decisions[0]
    assert (known.followed, known.grade) == (False, "B")


def test_a_run_after_the_decision_never_makes_it_one_by_the_rule(reports):
    """Decided on 20 September by a look that said extend; the final run comes a week later."""
    file_run(reports, "2026-09-15-00000001", "extend", grade="B")
    file_run(reports, "2026-09-28-00000002", "ship", grade="A")
    known = reviewed(reports, "ship").decisions[0]
    assert (known.followed, known.grade) == (False, "B")


def test_a_day_that_the_history_alone_knows_counts_too(reports):
    """The log names no day: a run after the one in the history is not used, and that is told."""
    file_run(reports, "2026-09-28-00000002", "ship", grade="A")
    folder = reports.parent
    log = LOG.format("ship").replace(",Decided,2026-09-20,", ",Decided,,")
    (folder / "log.csv").write_text(log, encoding="utf-8")
    (folder / "history.csv").write_text("id,changed,to\na,2026-09-20,Decided\n", encoding="utf-8")
    paths = {name: {"path": str(folder / f"{name}.csv")} for name in ("log", "history")}
    result = review_decisions(DecisionReview(decisions="Test", **paths), DAY)
    assert (result.decisions[0].followed, result.decisions[0].grade) == (None, "F")
    assert result.check("uncited").status == "warn"


@pytest.mark.parametrize(
    "last",
    [{"status": "check_failed"}, {"exploratory": [{"key": "x"}]}, {"altered": "{}"}, {"twice": 1}],
    ids=lambda last: next(iter(last)),
)
def test_a_last_run_that_cannot_be_relied_on_is_told_and_no_earlier_one_stands_for_it(
    reports, last
):
    file_run(reports, "2026-09-18-00000001")
    more = {name: last[name] for name in ("status", "exploratory") if name in last}
    run = file_run(reports, "2026-09-20-00000004", **more)
    if "altered" in last:
        (run / "result.json").write_text(last["altered"])
    if "twice" in last:
        file_run(reports, "2026-09-20-00000005", "do_not_ship", grade="B")
    result = reviewed(reports)
    assert (result.decisions[0].followed, result.decisions[0].grade) == (None, "F")
    assert result.check("uncited").status == "warn"


@pytest.mark.parametrize(
    "name",
    [
        "label",
        "experiment_readout/label",
        "reports/experiment_readout/label/2026-09-18-00000001",
        "test of the label in May",
    ],
)
def test_an_experiment_is_named_by_itself_or_by_a_run_of_it(reports, name):
    file_run(reports, "2026-09-18-00000001")
    if name[-1] == "1":
        file_run(reports, "2026-09-19-00000002", "do_not_ship")
    path = reports.parent / "log.csv"
    path.write_text(LOG.format("ship").replace("experiment_readout/label", name), encoding="utf-8")
    result = review_decisions(DecisionReview(decisions="Test", log={"path": str(path)}), DAY)
    assert result.decisions[0].followed is (None if " " in name else True)


def test_copies_of_runs_stand_where_the_reports_hold_none(reports):
    file_run(reports.parent / "kept", "2026-09-18-00000001", "do_not_ship", grade="B")
    path = reports.parent / "log.csv"
    path.write_text(LOG.format("ship"), encoding="utf-8")
    review = DecisionReview(
        decisions="T", log={"path": str(path)}, runs=[str(reports.parent / "kept")]
    )
    known = review_decisions(review, DAY).decisions[0]
    assert (known.followed, known.grade) == (False, "B")
    file_run(reports, "2026-09-17-00000002")
    assert review_decisions(review, DAY).decisions[0].followed


def test_a_rule_that_was_not_registered_and_a_run_that_is_not_there_are_told(reports):
    result = reviewed(reports)
    assert (result.decisions[0].followed, result.decisions[0].grade) == (None, "F")
    assert result.check("uncited").status == "warn"
    file_run(reports, "2026-09-18-00000001", plan="warn")
    result = reviewed(reports)
    assert (result.decisions[0].followed, result.decisions[0].grade) == (None, "A")
    assert result.check("unregistered").status == "warn"
    (share,) = [at for at in result.qualities if at.name == "followed"]
    assert (share.of, share.unknown) == (0, 1)


def test_the_records_are_among_what_the_run_stands_on(reports):
    run = file_run(reports, "2026-09-18-00000001")
    file_run(reports, "2026-10-06-00000002")
    path = reports.parent / "log.csv"
    path.write_text(LOG.format("ship"), encoding="utf-8")
    inputs = DecisionsParameters.of(spec=str(path), as_of=DAY).stands_on()
    assert [file.name for file in inputs.files] == ["log.csv", "result.json"]
    assert inputs.files[1].resolve() == (run / "result.json").resolve()


def test_no_file_is_read_for_a_log_in_memory():
    rows = pd.DataFrame([{"id": "a", "decision": "A", "raised": "2026-09-01"}])
    review = DecisionReview(decisions="Test", log={"path": "nowhere.csv"})
    assert review_decisions(review, DAY, data=rows).latencies[0].open == 1
