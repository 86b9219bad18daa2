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
THEMES = str(RUNS / "feedback_themes" / "shop-feedback" / "2026-09-27-dfee1b55")
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
    "share": ({"kpis": [LATER | {"unit": "%", "target": 0.5}], "scale": 0.01}, [40] * 4),
    "unstable": ({"kpis": [LATER]}, [30, 0, 11, 11]),
    "stale": ({}, [30]),
    "inside a week": ({"launch_date": "2026-09-02"}, [30] * 4),
    "other names": ({"kpis": [KPI, KPI | {"name": "zz"}, LATER | {"name": "xy"}]}, [30] * 4),
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
    values = [value * fields.get("scale", 1) for value in [10, 12] * 5 + since]
    kpis = fields.get("kpis", [KPI])
    rows = [
        f'"{kpi["name"]}",{day},{value}\n'
        for kpi in kpis
        for day, value in zip(days, values, strict=True)
    ]
    (folder / "kpis.csv").write_text("kpi,date,value\n" + "".join(rows), encoding="utf-8")
    fields.pop("scale", None)
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
    own = {
        "xx",
        "zz",
        "xy",
        "checkout",
        "page",
        "kpi",
        "kpis",
        "series",
        "ai",
    }  # a profile, a file; « j'ai »
    shown = page(result, "fr").replace("Does the short label raise completed checkouts?", "")
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
    for said in (
        "There was no experiment: nobody can say",
        "The decision before the launch is not part",
        "has not been analysed",
        "No past launches",
    ):
        assert said in shown
    assert not re.search("launch_readiness|feedback_themes|experiment_readout|cite", shown)
    assert "does not show that the launch is the cause" in shown


def test_an_experiment_is_told_with_its_interval_in_both_languages(tmp_path):
    result = reviewed(tmp_path, [11] * 4, experiment=EXPERIMENT)
    assert "short_label" in page(result, "en")
    assert "libellé court" in page(result, "fr")
    assert re.search(r"\+0,81\spt\sà\s\+4,16\spt", page(result, "fr"))
    for said in ("checkout-button, from 1 September 2026 to 28 September", "Does the short label"):
        assert said in page(result, "en")
    assert "It started after the launch." in page(result, "en")
    filed = json.loads((RUNS / EXPERIMENT / "result.json").read_text("utf-8"))["evidence"][0]
    (row,) = result.experiment
    assert (row["value"], row["low"]) == (filed["quantity"]["value"], filed["quantity"]["low"])


GATE = {
    "schema": "opslab.launch_readiness/1",
    "as_of": "2026-08-28",
    "status": "complete",
    "launch": "page",
    "launch_date": "2026-08-31",
    "decision": "conditional",
    "readiness": 0.84,
    "threshold": 0.8,
    "blockers": [],
    "conditions": [{"item": "rollback rehearsed", "owner": "ops", "due": "2026-09-04"}],
    "items": [{"item": "a"}],
}


@pytest.fixture
def citing(tmp_path, monkeypatch):
    """Return the review that cites a run in its record's form."""

    def review(name, record, **fields):
        filed = cited.CitedRun(None, record)
        path = "opslab.operations.launch_report.review.cited_run"
        monkeypatch.setattr(path, lambda *_, **__: filed)
        return reviewed(tmp_path, [11] * 4, **{name: "runs/cited"} | fields)

    return review


def test_the_gate_is_told_as_it_was_filed(citing):
    """A run of the readiness in its record's form: what the gate said, and on what conditions."""
    shown = page(citing("gate", GATE), "en")
    for said in ("conditional go", "84.0%", "80.0%", "rollback rehearsed"):
        assert said in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"launch": "another"}, "another launch, or on another day; cite the one of page"),
        ({"launch_date": "2026-09-01"}, "another launch, or on another day"),
        ({"as_of": "2026-09-01"}, "dated no later than the launch"),
        ({"status": "check_failed"}, "stopped by its own checks"),
        ({"decision": "stop"}, "stopped by its own checks"),
    ],
)
def test_a_gate_of_something_else_or_that_decided_nothing_is_refused(citing, change, said):
    with pytest.raises(SpecError, match=said):
        citing("gate", GATE | change)


def filed(folder):
    return json.loads((RUNS / folder / "result.json").read_text("utf-8"))


def test_an_experiment_after_the_review_is_refused(citing):
    record = filed(EXPERIMENT) | {"as_of": "2026-09-29"}
    with pytest.raises(SpecError, match="an experiment no later than the review"):
        citing("experiment", record)
    assert citing("experiment", record, date="2026-09-29").experiment
    with pytest.raises(SpecError, match="stopped by its own checks"):
        citing("experiment", record | {"status": "check_failed"}, date="2026-09-29")


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (["2026-05-01", "2026-06-07"], "more than twelve weeks before the launch"),
        (["2026-05-01", "2026-06-08"], "It falls in the time of the launch"),
        (["2026-08-31", "2026-09-20"], "It falls in the time of the launch"),
        (["2026-09-01", "2026-09-20"], "It started after the launch"),
        ([None, None], "Its dates are not known"),
    ],
)
def test_when_an_experiment_ran_is_told(citing, period, said):
    record = filed(EXPERIMENT)
    record["evidence"] = [each | {"period": period} for each in record["evidence"]]
    assert said in page(citing("experiment", record), "en")


def test_themes_are_told_as_ratios_the_risen_first_and_never_past_the_review(citing):
    record = filed(THEMES)
    for at, trend in enumerate(record["trends"]):
        trend["weeks"] = [10] * 4 + ([10] * 4 if at != 5 else [40] * 4)
    record["as_of"] = "2026-12-31"  # the messages end on 27 September
    result = citing("themes", record)
    assert [row["times"] for row in result.feedback][:2] == [4, 1]
    assert re.search(r"4\.0 times \([\d.]{2,3}\sto\s[\d.]{2,3}\)", page(result, "en"))
    record["trends"][0]["weeks"] = [0] * 4 + [40] * 4
    assert re.search(r"new: at least [\d.]+ times", page(citing("themes", record), "en"))
    for trend in record["trends"]:
        del trend["ended"]
    with pytest.raises(SpecError, match="Run it again"):
        citing("themes", record)


def test_how_the_readiness_foretold_is_said_and_a_no_go_only_where_there_is_one(tmp_path):
    base = {"date": "2026-01-05", "decision": "go", "hurt": "no"}
    for readiness, said in ((0.9, "no worse than a coin"), (0.1, "worse than always saying 50%")):
        past = [base | {"launch": f"l{at}", "readiness": readiness} for at in range(10)]
        shown = page(reviewed(tmp_path, [11] * 4, past=past), "en")
        assert said in shown
        assert "overruled" not in shown
    assert "overruled" in page(reviewed(tmp_path, [11] * 4, past=PAST), "en")


def test_a_grey_band_is_explained_where_there_is_one(tmp_path):
    with_band = reviewed(tmp_path, [11] * 4).figures("en")["kpi_1"]
    without = reviewed(tmp_path, [11] * 4, launch_date="2026-07-01").figures("en")["kpi_1"]
    assert ("Grey" in with_band.caption, "Grey" in without.caption) == (True, False)


def test_the_headline_is_true_of_every_mix_of_targets(tmp_path):
    """The first that is off target, and how many of the others that are due are met."""

    def said(*targets, language="en"):
        kpis = [
            KPI | {"name": f"k{at}", "target": target, "by": by}
            for at, (target, by) in enumerate(targets)
        ]
        return reviewed(tmp_path, [11] * 4, kpis=kpis).headline(language)

    met, missed, later = (5, "2026-09-28"), (20, "2026-09-28"), (20, "2026-10-26")
    assert said(met, missed, met).startswith("Target missed: k1, 11.0 (at least 20.0 by 28 Sept")
    assert said(met, missed, met).endswith("The other targets due are all met.")
    assert said(met, missed).endswith("The other target due is met.")
    assert said(missed, missed, met).endswith("Of the other targets due, 1 of 2 is met.")
    assert said(later).endswith("no change since the launch (average 11.0, before 11.0).")
    assert "targets due" not in said(later, later)
    assert said(met, missed, met, language="fr").endswith("sont tous atteints.")


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
