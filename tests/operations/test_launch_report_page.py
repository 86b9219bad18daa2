"""The page of a launch report: both languages whole in every situation, hostile texts, other runs."""

import datetime
import importlib.util
import json
import re
import sys

import pytest

import opslab
from conftest import ROOT
from opslab import operations
from opslab.errors import SpecError
from opslab.operations import cited

SAMPLE = ROOT / "data" / "sample"
RUNS = SAMPLE / "runs"
THEMES = str(RUNS / "feedback_themes" / "shop-feedback" / "2026-09-27-e9b00590")
EXPERIMENT = str(RUNS / "experiment_readout" / "checkout-button" / "2026-09-28-b37a29ed")
LAUNCHED = datetime.date(2026, 8, 31)
KPI = {"name": "xx", "direction": "up", "target": 20, "by": "2026-09-28"}
PAST = [
    {"launch": f"l{at}", "date": "2026-01-05", "decision": said, "hurt": hurt, "readiness": 0.9}
    for at, (said, hurt) in enumerate(
        [("go", "no")] * 7 + [("conditional", "yes")] * 3 + [("no_go", "no")]
    )
]
LATER = KPI | {"by": "2026-10-26"}
SITUATIONS = {
    "better": ({}, [30] * 4),
    "worse": ({"kpis": [LATER]}, [0] * 4),
    "steady": ({"kpis": [KPI | {"unit": "zz", "why": "xx"}]}, [11] * 4),
    "share": ({"kpis": [LATER | {"unit": "%", "target": 0.5}]}, [0.4] * 4),
    "not due": ({"kpis": [LATER]}, [11] * 4),
    "too little": ({"launch_date": "2026-07-01", "date": "2026-09-28"}, [11] * 4),
    "nothing since": ({}, []),
    "all cited": ({"themes": THEMES, "experiment": EXPERIMENT, "past": PAST}, [30] * 4),
    "few launches": ({"past": PAST[:3], "lessons": [{"lesson": "xx"}]}, [30] * 4),
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "test_french", ROOT / "tests" / "runs" / "test_french.py"
        )
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


def reviewed(folder, since, **fields):
    """Return the review of ten weekly values before the launch, and some since."""
    days = [LAUNCHED + datetime.timedelta(weeks=week) for week in range(-10, len(since))]
    values = [10, 12] * 5 + since
    kpis = fields.get("kpis", [KPI])
    rows = [
        f'"{kpi["name"]}",{day},{value}\n'
        for kpi in kpis
        for day, value in zip(days, values, strict=True)
    ]
    (folder / "kpis.csv").write_text("kpi,date,value\n" + "".join(rows), encoding="utf-8")
    spec = {
        "review": "page",
        "date": "2026-09-28",
        "launch_date": str(LAUNCHED),
        "kpis": [KPI],
        "series": {"path": "kpis.csv"},
    }
    (folder / "page.yaml").write_text(json.dumps(spec | fields), encoding="utf-8")
    return operations.review_launch(operations.LaunchReview.load(folder / "page.yaml"))


def page(result, language):
    blocks = [result.first_screen(language)]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks(language)
    return " ".join(block._repr_html_() for block in blocks if hasattr(block, "_repr_html_"))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_both_languages_are_whole_in_every_situation(situation, tmp_path):
    fields, since = SITUATIONS[situation]
    result, check = reviewed(tmp_path, since, **fields), french()
    own = {"xx", "zz", "page", "kpi", "kpis", "series", "ai"}  # a profile, a file; « j'ai »
    shown = page(result, "fr")
    assert not check.english_in(shown) - own
    for figure in result.figures("fr").values():
        drawn = " ".join(
            one.get_text() for one in figure.drawing.findobj(lambda one: hasattr(one, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH - own
        assert re.search(r"\d", figure.alt)
    english = page(result, "en")
    assert len(check.english_in(english)) > 5
    assert not re.search(r"\{\w|nan\b|None", english + shown)


def test_what_is_not_there_is_said(tmp_path):
    shown = page(reviewed(tmp_path, [11] * 4), "en")
    for said in ("No experiment: nobody can say", "No gate: cite", "No themes", "No past launches"):
        assert said in shown
    assert "does not show that the launch is the cause" in shown


def test_an_experiment_is_told_with_its_interval_in_both_languages(tmp_path):
    result = reviewed(tmp_path, [11] * 4, experiment=EXPERIMENT)
    assert "short_label" in page(result, "en")
    assert "libellé court" in page(result, "fr")
    assert re.search(r"0,8\s%\sà\s4,2", page(result, "fr"))
    filed = json.loads((RUNS / EXPERIMENT / "result.json").read_text("utf-8"))["evidence"][0]
    (row,) = result.experiment
    assert (row["value"], row["low"]) == (filed["quantity"]["value"], filed["quantity"]["low"])


GATE = {
    "schema": "opslab.launch_readiness/1",
    "launch": "page",
    "launch_date": "2026-08-31",
    "decision": "conditional",
    "readiness": 0.84,
    "threshold": 0.8,
    "blockers": [],
    "conditions": [{"item": "rollback rehearsed", "owner": "ops", "due": "2026-09-04"}],
    "items": [{"item": "a"}],
}


def test_the_gate_is_told_as_it_was_filed(tmp_path, monkeypatch):
    """A run of the readiness in its record's form: what the gate said, and on what conditions."""
    filed = cited.CitedRun(None, GATE)
    monkeypatch.setattr("opslab.operations.launch_report.review.cited_run", lambda *_, **__: filed)
    shown = page(reviewed(tmp_path, [11] * 4, gate="runs/gate"), "en")
    for said in ("conditional go", "84.0%", "80.0%", "rollback rehearsed"):
        assert said in shown
    with pytest.raises(SpecError, match=r"another launch \(page\)"):
        reviewed(tmp_path, [11] * 4, gate="runs/gate", launch_date="2026-09-01")


def test_a_run_of_another_notebook_is_refused(tmp_path):
    with pytest.raises(SpecError, match="no whole run of feedback_themes"):
        reviewed(tmp_path, [11] * 4, themes=EXPERIMENT)


def test_a_missing_run_or_table_is_told_before_anything_is_read(tmp_path):
    given = {
        "review": "page",
        "date": "2026-09-28",
        "launch_date": "2026-08-31",
        "kpis": [KPI],
        "series": {"path": "nowhere.csv"},
        "themes": "runs/none",
    }
    (tmp_path / "page.yaml").write_text(json.dumps(given), encoding="utf-8")
    missing = operations.LaunchReview.load(tmp_path / "page.yaml").missing_files()
    assert {problem.field for problem in missing} == {"series.path", "themes"}


HOSTILE = "<script>alert(1)</script>=HYPERLINK()"


def test_text_from_outside_is_shown_as_text(tmp_path):
    fields = {"why": HOSTILE, "unit": HOSTILE, "name": HOSTILE}
    lessons = [{"lesson": HOSTILE, "owner": HOSTILE}]
    result = reviewed(tmp_path, [30] * 4, kpis=[KPI | fields], lessons=lessons, question=HOSTILE)
    shown = page(result, "en")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert [*result.figures] == ["kpi_1"]  # no name of a KPI is a path
    assert result.to_csv(tmp_path / "out.csv").read_text("utf-8").count("\n=") == 0


def test_the_record_is_the_same_in_every_language_and_holds_no_dates(tmp_path):
    result = reviewed(tmp_path, [30] * 4, themes=THEMES, past=PAST)
    written = json.dumps(result.record(), allow_nan=False)
    again = operations.review_launch(result.review, language="fr")
    assert json.dumps(again.record(), allow_nan=False) == written
    assert result.frame().shape == (1, 13)
    assert result.compare(again)


def test_the_next_review_is_named(tmp_path):
    days = {"2026-09-13": "14 September 2026", "2026-09-14": "28 September 2026"}
    days |= {"2026-09-28": "26 October 2026", "2026-10-26": "\N{EN DASH}"}
    for day, said in days.items():
        facts = reviewed(tmp_path, [11] * 8, date=day).first_screen().facts.items
        assert {fact.name: fact.value for fact in facts}["Next review"] == said


@pytest.mark.slow
def test_a_run_without_any_value_since_the_launch_ends_with_3(workspace_folder):
    series = workspace_folder / "data" / "sample" / "launch_kpis.csv"
    rows = [row for row in series.read_text("utf-8").splitlines() if ",2026-09" not in row]
    series.write_text("\n".join(row for row in rows if ",2026-08-31" not in row), encoding="utf-8")
    run = opslab.run("launch_report", language="fr")
    assert (run.exit_code, run.status) == (3, "check_failed")
    assert "Arrêter" in run.readout.read_text("utf-8")
