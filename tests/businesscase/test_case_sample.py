"""The sample case: it holds what its truth says, stands on fresh evidence, and tells when a file is gone."""

from __future__ import annotations

import csv
import datetime
import html
import json
import re
import shutil
import statistics

import pytest
import yaml

from conftest import ROOT
from opslab import businesscase, documents, experiments, operations, timesaved, workspace
from opslab.runs.own_notebooks import find
from opslab.runs.runner import run_notebook

SAMPLE = ROOT / "data" / "sample"
TRUTH = json.loads((SAMPLE / "product_ops_truth.json").read_text(encoding="utf-8"))
PAYROLL = {"manager_post", "analyst_post", "researcher_post", "pm_hour"}


def built(folder, name="product_ops", **given):
    case = businesscase.Case.load(folder / f"{name}.yaml")
    return businesscase.build(case, runs=folder / "no-reports", **{"draws": 5_000, **given})


@pytest.fixture(scope="module")
def october():
    return built(SAMPLE)


@pytest.fixture(scope="module")
def april():
    return built(SAMPLE, "product_ops_april")


def test_the_decision_is_a_real_one(october, april):
    low, high = TRUTH["chance"]
    assert low < october.recommended.positive[0] < high
    assert october.action == TRUTH["action"]["product_ops"]
    assert april.action == TRUTH["action"]["product_ops_april"]
    assert april.recommended.npv.mean > october.recommended.npv.mean  # the first ask promised more
    assert {one.name for one in october.checks if one.status == "fail"} == set()


def test_options_stand_in_the_order_of_the_truth(october):
    order = sorted(october.options, key=lambda one: -one.npv.mean)
    assert [one.name for one in order] == TRUTH["order"]
    stretch = next(
        one
        for one in october.differences
        if one.b == TRUTH["order"][2] and one.a == TRUTH["order"][0]
    )
    assert stretch.npv.p10 > 0


def test_what_was_promised_in_april_is_held_against_what_was_measured(october):
    assert {one.kpi.id: one.status for one in october.targets} == TRUTH["targets"]
    assert [one.kpi.id for one in october.targets if one.before] == TRUTH["promised_in_april"]
    missed = next(one for one in october.targets if one.kpi.id == "weeks_to_decision")
    assert missed.promised == (3.2, 4.0, 5.0)  # April's words, not October's
    assert october.previous.version == "1"


def test_what_is_not_signed_stays_outside_and_what_is_overdue_is_told(october):
    outside = [one.name for one in october.lines if not one.counted]
    assert outside == TRUTH["outside_the_npv"]
    assert october.check("ledger").detail.values["ids"] == TRUTH["overdue"]


def of_one_language(value):
    """Return a spec with its English texts alone."""
    if isinstance(value, dict):
        if value.keys() == {"en", "fr"}:
            return value["en"]
        return {name: of_one_language(inner) for name, inner in value.items()}
    return [of_one_language(inner) for inner in value] if isinstance(value, list) else value


def pairs(value):
    """Give what a spec says in both languages, each text once."""
    if isinstance(value, dict) and value.keys() == {"en", "fr"}:
        yield value["en"], value["fr"]
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from pairs(inner)


def page(result, language):
    """Return what a reader is told, figures with it; the method's hashes left out."""
    blocks = [result.first_screen(language)]
    for name in result.PARTS:
        blocks += getattr(result, name).blocks(language) if name != "method" else []
    figures = " ".join(one.alt for one in result.figures(language).values())
    shown = " ".join(one._repr_html_() for one in blocks if hasattr(one, "_repr_html_"))
    return html.unescape(re.sub(r"<[^>]*>", " ", shown)) + figures


def test_the_spec_says_everything_in_both_languages(tmp_path, october):
    """Who reads French meets none of the English; the record and the English page are as before."""
    for path in SAMPLE.glob("product_*.*"):
        shutil.copy(path, tmp_path)
    shutil.copytree(SAMPLE / "runs", tmp_path / "runs")
    declared = documents.read(SAMPLE / "product_ops.yaml", "case").values
    alone = yaml.safe_dump(of_one_language(declared), allow_unicode=True)
    (tmp_path / "product_ops.yaml").write_text(alone, encoding="utf-8")
    plain = built(tmp_path)
    for name in ("options", "plan", "ledger"):
        assert plain.record()[name] == october.record()[name]
    english, french = page(october, "en"), page(october, "fr")
    assert english == page(plain, "en")
    every = dict(pairs(declared))
    within = {en for en in every if any(en in other and en != other for other in every)}
    told = {en: every[en] for en in every.keys() - within if " " in en and en in english}
    assert len(told) > 100
    for en, fr in told.items():
        assert not re.search(rf"(?<!\w){re.escape(en)}(?!\w)", french), en
        assert fr in french


def test_what_is_cited_is_told_in_both_languages(october):
    """Tasks, roles, changes and arms come out of other runs' records."""
    french = page(october, "fr")
    for run, name in (("time_saved", "product-desk"), ("experiment_readout", "checkout-button")):
        (kept,) = (SAMPLE / "runs" / run / name).glob("*/result.json")
        record = json.loads(kept.read_text(encoding="utf-8"))
        said = [one.statement.values for one in october.ledger if one.run]
        cited = [(one["task"], one["role"]) for one in said if "task" in one]
        for one in record["evidence"]:
            words = one["statement"]["values"]
            if "metric" in words or (words["task"]["en"], words["role"]["en"]) in cited:
                for en, fr in pairs(words):
                    assert fr in french
                    assert " " not in en or en not in french  # single words are ids too


def test_units_agree_with_their_numbers_in_either_language(october):
    unit = october.entry("delay").unit
    people = next(one.unit for one in october.case.kpis if one.id == "adoption")
    english, french = october.voice("en"), october.voice("fr")
    assert [english.quantity(value, unit) for value in (1, 45.75)] == [
        "1\N{NO-BREAK SPACE}week of delay",
        "45.8\N{NO-BREAK SPACE}weeks of delay",
    ]
    assert french.quantity(1.56, unit) == "1,56\N{NO-BREAK SPACE}semaine de retard"
    assert english.quantity(0, people) == "0\N{NO-BREAK SPACE}people of 14"
    assert french.quantity(0, people) == "0\N{NO-BREAK SPACE}personne sur 14"
    price = october.entry("delay_cost").unit
    assert english.quantity(2200, price) == "€2,200 per week of delay"
    assert french.quantity(980, price).endswith("€ par semaine de retard")


def test_the_decision_log_holds_what_the_case_says_of_it(october):
    weeks: dict[str, list[float]] = {}
    with (SAMPLE / "product_ops_decisions.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            days = datetime.date.fromisoformat(row["decided_on"]) - datetime.date.fromisoformat(
                row["asked_on"]
            )
            weeks.setdefault(row["period"], []).append(days.days / 7)
    for period, truth in TRUTH["decisions"].items():
        assert len(weeks[period]) == truth["count"]
        assert statistics.median(weeks[period]) == pytest.approx(truth["median_weeks"], abs=0.01)
    target = next(one for one in october.targets if one.kpi.id == "weeks_to_decision")
    assert target.measured[1] == pytest.approx(
        TRUTH["decisions"]["pilot"]["median_weeks"], abs=0.05
    )


def test_the_payroll_file_gone_lowers_the_grades_and_widens_the_ranges(october, tmp_path):
    for path in SAMPLE.glob("product_*.*"):
        shutil.copy(path, tmp_path)
    shutil.copytree(SAMPLE / "runs", tmp_path / "runs")
    (tmp_path / "product_ops_payroll.csv").unlink()
    without = built(tmp_path)
    for name in PAYROLL:
        before, after = october.entry(name), without.entry(name)
        assert (before.grade, before.fallen, after.grade, after.fallen) == ("D", None, "F", "gone")
        assert after.high - after.low > before.high - before.low
    assert set(without.check("files").detail.values["ids"]) >= PAYROLL
    wide, narrow = without.recommended.costs, october.recommended.costs
    assert wide.p90 - wide.p10 > 2 * (narrow.p90 - narrow.p10)
    assert wide.mean == pytest.approx(narrow.mean, rel=0.02)
    lost = "Files behind the figures"
    assert [one for one in without.first_screen("en").reasons if lost in one.text]
    assert not [one for one in october.first_screen("en").reasons if lost in one.text]


def test_one_changed_byte_of_a_file_is_told_and_changes_nothing_else(october, tmp_path):
    for path in SAMPLE.glob("product_*.*"):
        shutil.copy(path, tmp_path)
    shutil.copytree(SAMPLE / "runs", tmp_path / "runs")
    file = tmp_path / "product_ops_contracts.csv"
    file.write_bytes(file.read_bytes().replace(b"24600", b"24601"))
    changed = {
        one.id
        for one in businesscase.diff(october.record(), built(tmp_path))
        if one.kind == "assumption"
    }
    assert changed == {"reporting_contract", "temporary_staff", "tool_price", "panel_price"}


FRESH = {
    ("experiment_readout", "checkout"): lambda spec: experiments.analyze(
        experiments.Experiment.load(spec)
    ),
    ("experiment_readout", "onboarding"): lambda spec: experiments.analyze(
        experiments.Experiment.load(spec)
    ),
    ("decision_review", "product_decisions"): lambda spec: operations.review_decisions(
        operations.DecisionReview.load(spec)
    ),
    ("practice_review", "product_practices"): lambda spec: operations.review_practices(
        operations.PracticeReview.load(spec)
    ),
    ("time_saved", "product_desk"): lambda spec: timesaved.estimate(timesaved.Inventory.load(spec)),
    (
        "feedback_themes",
        "shop_feedback",
    ): None,  # half a minute: what went in is compared, not what came out
}


@pytest.mark.parametrize(("notebook", "name"), FRESH)
def test_the_copies_of_runs_hold_what_a_fresh_run_finds(notebook, name):
    parameters = find(notebook).parameters().of(spec=f"data/sample/{name}.yaml")
    (kept,) = (SAMPLE / "runs" / notebook / parameters.stands_on().name).glob("*/result.json")
    for one in json.loads(kept.with_name("run.json").read_text(encoding="utf-8"))["inputs"]:
        assert workspace.sha256(ROOT / one["file"]) == one["sha256"], (
            f"{one['file']} changed: copy a run of it again"
        )
    fresh = FRESH[notebook, name]
    if fresh is None:
        return
    told = {one["id"]: one for one in json.loads(kept.read_text(encoding="utf-8"))["evidence"]}
    found = {one.id: one.record() for one in fresh(SAMPLE / f"{name}.yaml").evidence()}
    assert told.keys() == found.keys()
    for one, other in ((told[name], found[name]) for name in told):
        for field in ("unit", "per", "claim", "benefit", "grade"):
            assert one[field] == other[field]
        for field in ("value", "low", "high"):
            assert one["quantity"][field] == pytest.approx(other["quantity"][field], rel=1e-9)


def test_april_s_copy_is_what_april_comes_to(april):
    (kept,) = (SAMPLE / "runs" / "business_case" / april.case.slug).glob("*/result.json")
    told = json.loads(kept.read_text(encoding="utf-8"))
    assert told["inputs"][0]["sha256"] == workspace.sha256(SAMPLE / "product_ops_april.yaml")
    again = built(SAMPLE, "product_ops_april", draws=told["draws"], seed=told["seed"])
    for one, other in zip(told["options"], again.options, strict=True):
        assert one["npv"]["mean"] == pytest.approx(other.npv.mean, rel=1e-9)


def blocks_of_the_page():
    """Return the case of the page, and the parts that are to be added to it."""
    page = (ROOT / "docs" / "business-case.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    whole = next(one for one in blocks if one.startswith("# yaml-language"))
    parts = [yaml.safe_load(one) for one in blocks if one != whole]
    return whole, [part for part in parts if "evidence" not in part and "wanted" not in part]


def test_the_minimal_case_of_the_page_runs(tmp_path):
    source, parts = blocks_of_the_page()
    (tmp_path / "launch.yaml").write_text(source, encoding="utf-8")
    result = built(tmp_path, "launch", draws=2_000)
    assert result.headline("en")
    assert len(parts) > 4


@pytest.mark.parametrize("part", blocks_of_the_page()[1], ids="+".join)
def test_what_the_page_adds_to_a_case_runs_and_counts(tmp_path, part):
    given = yaml.safe_load(blocks_of_the_page()[0])
    plain = tmp_path / "launch.yaml"
    plain.write_text(yaml.safe_dump(given), encoding="utf-8")
    before = built(tmp_path, "launch", draws=2_000)
    for name, added in part.items():
        given[name] = given.get(name, []) + added if isinstance(added, list) else added
    ours = next(one for one in given["options"] if one["kind"] == "recommended")
    for field in ("benefits", "costs"):
        ours[field] = ours[field] + [of_one_language(one["name"]) for one in part.get(field, ())]
    plain.write_text(yaml.safe_dump(given), encoding="utf-8")
    after = built(tmp_path, "launch", draws=2_000)
    changes = businesscase.diff(before.record(), after)
    moved = after.recommended.npv.mean - before.recommended.npv.mean
    assert bool(moved) == ("assumptions" in part)
    ruled = after.choice.rule != before.choice.rule
    assert changes or ruled or after.case.beyond_money


@pytest.mark.slow
def test_the_notebook_runs_on_the_copies_before_any_demo(workspace_folder):
    done = run_notebook("business_case", {"draws": 2000}, out="reports")
    assert done.exit_code == 0
    record = done.result()
    assert record["schema"].startswith("opslab.case/")
    page = done.readout.read_text(encoding="utf-8")
    assert "Two posts and the tool" in page


def test_a_choice_of_a_tool_has_the_same_form():
    """Two tools against staying: what is ended of the present one is a gain of both.

    By hand, without rises or discount: 32 months of 31,000 a year from May 2027 (July at the latest).
    """
    result = built(SAMPLE, "choose_tool")
    assert result.action == "approve"
    npvs = {option.name: option.npv.mean for option in result.options}
    assert npvs["The lean tracker"] > 0 > npvs["The full suite"]
    ended = [line for line in result.lines if line.kind == "hard"]
    assert {line.present.mean for line in ended} == {ended[0].present.mean}
    assert 31_000 * 30 / 12 * 0.8 < ended[0].present.mean < 31_000 * 32 / 12 * 1.1
    assert {check.name for check in result.checks if check.status == "fail"} == set()
    assert result.headline("fr").startswith("L'outil léger")
