"""What a column, a check and a term mean: explained in both languages, and what they are here."""

from __future__ import annotations

import re
from functools import cache

import pytest

from conftest import ROOT
from opslab import businesscase, experiments, feedback, operations, timesaved
from opslab.errors import ParameterError
from opslab.messages import LANGUAGES, catalogue
from opslab.runs.registry import spec, specs

SAMPLE = ROOT / "data" / "sample"
RESULTS = {
    "experiments": lambda: experiments.analyze(
        experiments.Experiment.load(SAMPLE / "checkout.yaml")
    ),
    "feedback": lambda: feedback.find_themes(
        study=feedback.Study.load(SAMPLE / "shop_feedback.yaml")
    ),
    "timesaved": lambda: timesaved.estimate(
        timesaved.Inventory.load(SAMPLE / "product_desk.yaml"), draws=1_000
    ),
    "change": lambda: timesaved.review_change(
        timesaved.ChangeReview.load(SAMPLE / "product_change.yaml")
    ),
    "businesscase": lambda: businesscase.build(
        businesscase.Case.load(SAMPLE / "product_ops.yaml"), draws=1_000
    ),
    "plan": lambda: experiments.plan_experiment(
        experiments.Experiment.load(SAMPLE / "delivery_plan.yaml")
    ),
    "program": lambda: experiments.review_program(
        experiments.Program.load(SAMPLE / "program.yaml")
    ),
    "flow": lambda: operations.review_flow(
        operations.Flow.load(SAMPLE / "delivery_flow.yaml"), draws=1_000
    ),
    "prioritisation": lambda: operations.prioritise(
        operations.Backlog.load(SAMPLE / "backlog.yaml")
    ),
    "launch_readiness": lambda: operations.readiness(
        operations.Launch.load(SAMPLE / "launch.yaml")
    ),
    "launch_report": lambda: operations.review_launch(
        operations.LaunchReview.load(SAMPLE / "launch_review.yaml")
    ),
    "standards": lambda: operations.review_standards(
        operations.Standard.load(SAMPLE / "standard.yaml")
    ),
    "contribution": lambda: operations.review_contribution(
        operations.Contribution.load(SAMPLE / "product_contribution.yaml")
    ),
    "roadmap": lambda: operations.plan_roadmap(
        operations.Roadmap.load(SAMPLE / "product_roadmap.yaml"), draws=1_000
    ),
    "decisions": lambda: operations.review_decisions(
        operations.DecisionReview.load(SAMPLE / "product_decisions.yaml")
    ),
    "practices": lambda: operations.review_practices(
        operations.PracticeReview.load(SAMPLE / "product_practices.yaml"), draws=1_000
    ),
    "digest": lambda: operations.write_digest(
        operations.Digest.load(SAMPLE / "product_digest.yaml")
    ),
}
AREAS = tuple(RESULTS)
EXPLAINED = catalogue("en", "explain")
CHECKS = {
    name.removeprefix("check_")
    for area in (*AREAS, "words")
    for name in catalogue("en", area)
    if name.startswith("check_")
}


@cache
def result_of(area):
    """Return the result of the area's sample."""
    return RESULTS[area]()


def keys_of(name):
    """Return what may explain a name: itself, and its first words."""
    parts = name.split("_")
    return {"_".join(parts[:end]) for end in range(1, len(parts) + 1)}


@pytest.mark.parametrize("area", AREAS)
def test_every_column_of_the_short_frame_is_explained(area):
    columns = list(result_of(area).frame())
    assert 8 < len(columns) < 20
    assert [name for name in columns if not keys_of(name) & set(EXPLAINED)] == []
    for name in columns:
        assert repr(result_of(area).explain(name))


def test_no_explanation_is_of_a_thing_that_nobody_meets():
    """It is of a column, a check, a field of a result or a spec, or of words that pages use."""
    known = CHECKS | {"check"}
    for area in AREAS:
        result = result_of(area)
        known |= {key for name in result.frame(full=True) for key in keys_of(name)}
        known |= {*dir(result), *result.frame()}
    known |= {*result_of("feedback").messages()}
    for model in map(spec, specs()):
        schema = model.model_json_schema()
        for declared in (schema, *schema.get("$defs", {}).values()):
            known |= {*declared.get("properties", {})}
    pages = " ".join(
        said
        for area in (*AREAS, "words", "explore", "uncertainty")
        for said in catalogue("en", area).values()
    )
    pages += " ".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("[!r]*.md"))
    headed = heads("en")
    orphans = [
        name
        for name in EXPLAINED
        if name not in known and headed[name].casefold() not in pages.casefold()
    ]
    assert orphans == []


def test_every_check_is_explained():
    assert len(CHECKS) > 50
    assert CHECKS - {"evidence", *EXPLAINED} == set()


def heads(language):
    """Return what each explanation is headed by."""
    return {
        name: said.partition(":")[0].strip()
        for name, said in catalogue(language, "explain").items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_explanation_has_a_head_and_a_few_sentences(language):
    said = catalogue(language, "explain")
    headed = heads(language)
    assert len({head.casefold() for head in headed.values()}) == len(said)
    for name, words in said.items():
        assert 0 < len(headed[name]) < 60, name
        assert 40 < len(words) < 520, name
        assert words[-1] in ".?", name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_term_tells_what_it_means_and_what_it_is_here(language):
    result = result_of("experiments")
    frame, told = result.frame(), repr(result.explain("p_value", language))
    assert told.startswith({"en": "p-value: how often chance alone", "fr": "Valeur p"}[language])
    voice = result.voice(language)
    for value in frame["p_value"].dropna():
        assert voice.number(value) in told
    assert all(metric in told for metric in frame["metric"].unique())


def test_a_column_and_its_ends_are_told_together():
    result = result_of("experiments")
    told = repr(result.explain("lift"))
    ends = [name for name in result.frame() if name.startswith("lift")]
    assert len(ends) >= 3
    assert all(name in told for name in ends)
    assert "p_value" not in told


def test_what_is_not_there_is_an_empty_cell():
    told = repr(result_of("experiments").explain("not_estimable"))
    assert "nan" not in told.casefold()
    assert "None" not in told


def test_a_check_tells_what_it_looks_at_and_what_it_found():
    result = result_of("experiments")
    check = result.check("sample_ratio")
    for language in LANGUAGES:
        told = " ".join(repr(result.explain("sample_ratio", language)).split())
        voice = result.voice(language)
        assert voice(f"status_{check.status}") in told
        assert " ".join(catalogue(language, "explain")["sample_ratio"].split()) in told
        assert " ".join(voice.message(check.detail).split()) in told


@pytest.mark.parametrize("asked", ["p-value", "P value", "p_value", " P_VALUE "])
def test_a_term_is_asked_for_as_it_is_said(asked):
    result = result_of("experiments")
    assert repr(result.explain(asked.strip())) == repr(result.explain("p_value"))


def test_all_that_can_be_asked_is_listed():
    result = result_of("timesaved")
    told = repr(result.explain())
    names = {*result.frame(), *(check.name for check in result.checks), *EXPLAINED}
    assert all(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", told) for name in names)


def test_what_nothing_explains_is_refused_with_the_nearest():
    result = result_of("experiments")
    with pytest.raises(ParameterError, match=r"Did you mean p_value\?") as refused:
        result.explain("p_valeu")
    assert refused.value.exit_code == 2
    assert "Vouliez-vous dire p_value" in refused.value.text("fr")
    with pytest.raises(ParameterError, match=r"explain\(\) lists what is"):
        result.explain("qqqqqqqq")


def test_it_shows_itself_in_a_cell_as_text_that_runs_nothing():
    result = result_of("experiments")
    part = result.explain("lift")
    html = "".join(block._repr_html_() for block in part.blocks())
    assert "<table" in html
    assert "<script" not in html
