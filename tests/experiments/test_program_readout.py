"""A program's page: what it says in both languages, of much, of little and of nothing; its sample."""

import csv
import datetime
import json
import re
import runpy
from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.meta_analysis import combine_effects

from conftest import ROOT
from opslab import experiments, report

SAMPLE = ROOT / "data" / "sample"
NOTEBOOK = ROOT / "notebooks" / "experiment_program.ipynb"
DAY = datetime.date(2026, 10, 5)
LANGUAGES = ("en", "fr")


@pytest.fixture(scope="module")
def result():
    return experiments.review_program(experiments.Program.load(SAMPLE / "program.yaml"))


@pytest.fixture(scope="module")
def truth():
    return json.loads((SAMPLE / "program_truth.json").read_text(encoding="utf-8"))


def reviewed(tests=(), **fields):
    return experiments.review_program(
        experiments.Program(program="shop", date=DAY, tests=tests, **fields)
    )


def listed(count, lift=0.0, **fields):
    """Return so many tests with one error, their lifts around a value in turn."""
    return [
        {"test": f"test {at}", "lift": lift + 0.001 * (at % 3 - 1), "error": 0.01, **fields}
        for at in range(count)
    ]


def page(result, language):
    """Return all that the page says, as plain lines."""
    say = result.voice(language)
    parts = [block for name in result.PARTS for block in getattr(result, name).blocks(language)]
    return say.plain(result.first_screen(language), *parts)


# The page


@pytest.mark.parametrize(
    ("language", "headline", "told"),
    [
        (
            "en",
            "12 of 72 tests (17%) won. A typical true lift is +0.2% (-0.1% to +0.5%). About 12% of",
            (
                "Splits broke in tests that started from 2 March 2026 to 29 March 2026 (p ≤ 0.001)",
                "True lifts differ by about 1.0%: size tests to detect 1.0% to 2.0%.",
                "9 tests started between 2 March 2026 and 29 March 2026, when splits broke",
                "1 of them without unit counts",
                "The next test will most likely have a true lift between",
                "Of 17 shipped tests 11 can be added up: announced was +26.7%; +17.5%",
                "The holdout, which measures all that was shipped at once, says +21.0%",
                "a decision takes a median of 39 days (29 to 52); before it took 76 days",
                "Over its first 132 days an idea now waits 25 days less on average (12 to 39).",
                "9 of 74 tests with unit counts have broken splits (p below .001), 8 of them inside",
            ),
        ),
        (
            "fr",
            "12 tests sur 72 (17 %) sont des succès. L'effet relatif réel d'un test typique est de",
            (
                "Les répartitions étaient faussées dans les tests commencés du 2 mars 2026",
                "L'effet relatif réel du prochain test sera très probablement compris entre",
                "Sur 17 tests déployés, 11 peuvent être cumulés : +26,7 % étaient annoncés",
                "une idée attend en moyenne 25 jours de moins (12 à 39)",
                "Le groupe non exposé, qui mesure d'un coup tout ce qui a été déployé, donne +21,0 %",
                "la durée médiane d'une décision est de 39 jours (29 à 52) ; elle était de 76 jours",
                "Effet relatif réel moyen",
            ),
        ),
    ],
)
def test_the_page_says_what_the_tests_show_together(result, language, headline, told):
    def plain(words):
        return " ".join(words.replace("\N{MINUS SIGN}", "-").split())

    assert plain(result.headline(language)).startswith(headline)
    said = plain(page(result, language))
    assert [words for words in told if words not in said] == []
    assert "nan" not in said
    assert "None" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_tell_their_numbers_to_those_who_do_not_see_them(result, language):
    figures = result.figures(language)
    assert list(figures) == ["tests", "shipped", "periods", "cycles"]
    say = result.voice(language)
    assert say.signed_percent(result.impact.announced) in figures["shipped"].alt
    assert say.date(datetime.date(2026, 3, 1)) in figures["periods"].alt
    assert all(f"{cycle.median:.0f}" in figures["cycles"].alt for cycle in result.cycles[1:])
    leading = max((test for test in result.tests if test.shrunk), key=lambda test: test.shrunk)
    assert f"{leading.test}: {say.signed_percent(leading.shrunk)}" in figures["tests"].alt.replace(
        "\N{NO-BREAK SPACE}:", ":"
    )


# Of little and of nothing


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("tests", "english", "action"),
    [
        ([], "nothing can be said yet", "stop"),
        (listed(1), "nothing can be said yet", "stop"),
        (listed(4), "0 of 4 tests (0%) won.", "wait"),
        (listed(12, by_rule="yes"), "0 of 12 tests (0%) won.", "bolder"),
        (listed(12), "0 of 12 tests (0%) won.", "rule"),
        (listed(30, lift=0.05), "30 of 30 tests (100%) won.", "complete"),
    ],
    ids=["none", "one", "four", "no win", "no rule", "all win"],
)
def test_few_tests_and_no_wins_have_words_too(language, tests, english, action):
    result = reviewed(tests)
    said = page(result, language)
    assert result.action == action
    assert english in result.headline("en")
    assert "nan" not in said
    assert "None" not in said
    assert json.loads(json.dumps(result.record(), allow_nan=False))["action"] == action
    assert result.evidence() == []


def test_without_ideas_or_days_the_page_says_so():
    said = page(reviewed(listed(12)), "en")
    assert "There is no list of ideas" in said
    assert "Nothing tells how many units each arm had" in said
    assert "No shipped test can be added up" in said


def test_ideas_alone_tell_how_long_a_decision_takes():
    ideas = [{"idea": f"idea {at}", "date": datetime.date(2026, 1, 1 + at)} for at in range(8)]
    ideas = [idea | {"decided": datetime.date(2026, 2, 20)} for idea in ideas[:3]] + ideas[3:]
    result = reviewed(listed(12), ideas=ideas)
    assert result.cycles[0].median is None
    assert "over 274 days" in page(result, "en")
    assert "plus de 274 jours" in page(result, "fr")


def test_a_thousand_tests_are_a_page_that_shows_the_leading_ones():
    random = np.random.default_rng(3)
    lifts, errors = random.normal(0.004, 0.014, 1_000), random.uniform(0.005, 0.02, 1_000)
    data = pd.DataFrame({"test": [f"t{at}" for at in range(1_000)], "lift": lifts, "error": errors})
    result = experiments.review_program(experiments.Program(program="shop", date=DAY), data)
    assert len(result.tests) == 1_000
    assert len(json.dumps(result.record())) < 1_000_000
    for language in LANGUAGES:
        figure = result.figures(language)["tests"]
        assert figure.drawing.get_figheight() < 9  # inches: less than a sheet of paper
        assert "result.frame()" in figure.caption


# What to do


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, "larger"),
        ({"exaggeration": 1.49}, "trust"),
        ({"exaggeration": None}, "larger"),
        ({"by_rule": 0.79}, "rule"),
        ({"by_rule": 0.8}, "larger"),
        ({"risk": 0.21}, "confirm"),
        ({"risk": 0.2}, "larger"),
        ({"failures": 2}, "repair"),
        ({"failures": 1}, "larger"),
        ({"pooled": 9}, "wait"),
        ({"pooled": 10}, "larger"),
    ],
)
def test_what_to_do_follows_a_rule_that_is_told(result, changes, action):
    given = dict(changes)
    if "failures" in changes:  # of 20 tests with unit counts in the last three months
        recent = {"start": DAY, "ratio_p": 1.0, "by_rule": True, "left_out": ""}
        tests = [replace(test, **recent) for test in result.tests[:20]]
        failures = given.pop("failures")
        given["tests"] = (
            *(replace(test, ratio_p=0.0) for test in tests[:failures]),
            *tests[failures:],
        )
    if "by_rule" in changes:
        known = round(given.pop("by_rule") * 80)
        given["tests"] = tuple(
            replace(test, by_rule=at < known) for at, test in enumerate(result.tests[:80])
        )
    if "risk" in changes:
        given["risk"] = replace(result.risk, rate=changes["risk"])
    if "pooled" in changes:
        given["pooled"] = replace(result.pooled, count=changes["pooled"])
    changed = replace(result, **given)
    assert changed.action == action
    assert changed.first_screen().action == changed.voice()(f"action_{action}")


# What is left behind


def test_the_record_holds_numbers_and_the_evidence_claims_days_alone(result):
    record = json.loads(json.dumps(result.record(), allow_nan=False))
    assert record["schema"] == "opslab.program/1"
    assert len(record["tests"]) == 5
    assert len(result.sheets()["full"]) == len(result.tests)
    assert {file["file"].rpartition("/")[2] for file in record["inputs"]} >= {
        "program.yaml",
        "program_tests.csv",
        "program_ideas.csv",
        "result.json",
    }
    (evidence,) = result.evidence()
    assert (evidence.kind, evidence.grade, evidence.unit) == ("descriptive", "D", "days")
    assert evidence.quantity.value == result.cycle_change[0]
    ends = evidence.quantity.distribution.at(np.array([-1.96, 1.96]))
    assert list(ends) == pytest.approx(result.cycle_change[1:3], rel=1e-3)


def test_the_frame_has_a_row_for_each_test(result):
    frame = result.frame()
    assert len(frame) == len(result.tests)
    assert list(frame[frame.left_out != ""].shrunk.dropna()) == []
    compared = result.compare(replace(result, tests=result.tests[1:])).frame()
    assert {"test", "arm", "metric", "figure"} <= set(compared)


# The sample


def rows():
    with (SAMPLE / "program_tests.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_sample_is_remade_byte_for_byte(tmp_path):
    write = runpy.run_path(str(ROOT / "data" / "make_program.py"))["write"]
    for path in write(tmp_path / "again"):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()


def test_chi_square_finds_the_tests_that_lost_units(result):
    counts = {}
    for row in rows():
        if row["arm"]:
            counts.setdefault((row["test"], row["start"]), []).append(int(row["units"]))
    broken = {test for (test, _), units in counts.items() if stats.chisquare(units).pvalue < 0.001}
    ours = {test.test for test in result.tests if test.ratio_p and test.ratio_p < 0.001}
    assert ours == broken
    starts = [start for (test, start) in counts if test in broken]
    assert sum(start.startswith("2026-03") for start in starts) == len(starts) - 1
    period = result.broken_period
    assert period.start <= datetime.date(2026, 3, 3)
    assert datetime.date(2026, 3, 25) <= period.end <= datetime.date(2026, 4, 5)


def test_the_truth_lies_where_the_page_says(result, truth):
    lifts = truth["lifts"]
    assert result.pooled.low < lifts["mean"] < result.pooled.high
    assert result.pooled.deviation == pytest.approx(lifts["deviation"], rel=0.25)
    covered = [
        test.shrunk_low < truth["tests"][test.test] < test.shrunk_high
        for test in result.tests
        if test.shrunk is not None and test.test in truth["tests"]
    ]
    assert np.mean(covered) > 0.88
    shipped = [test for test in result.tests if test.shipped and not test.left_out]
    shipped = [test for test in shipped if test.test in truth["tests"]]
    impact, true = result.impact, np.prod([1 + truth["tests"][test.test] for test in shipped]) - 1
    assert impact.announced == pytest.approx(np.prod([1 + test.lift for test in shipped]) - 1)
    assert impact.low < true < impact.high < impact.announced
    program = result.program.holdout
    assert program.low < truth["shipped"]["true"] < program.high


def test_statsmodels_agrees_on_the_average_and_on_the_median_wait(result):
    kept = [test for test in result.tests if not test.left_out]
    effects = np.log1p([test.lift for test in kept])
    variances = [(test.error / (1 + test.lift)) ** 2 for test in kept]
    iterated = combine_effects(effects, np.array(variances), method_re="iterated", use_t=True)
    assert result.pooled.mean == pytest.approx(np.expm1(iterated.mean_effect_re), abs=2e-4)
    assert result.pooled.deviation == pytest.approx(iterated.tau2**0.5, rel=0.1)
    ideas = pd.read_csv(SAMPLE / "program_ideas.csv", parse_dates=["date", "decided"])
    for name, group in (
        ("before", ideas.date < "2026-01-12"),
        ("since", ideas.date >= "2026-01-12"),
    ):
        mine = ideas[group]
        days = (mine.decided.fillna(pd.Timestamp(DAY)) - mine.date).dt.days
        curve = SurvfuncRight(days, mine.decided.notna())
        (ours,) = (cycle for cycle in result.cycles if cycle.group == name)
        assert ours.median == curve.quantile(0.5)
        assert ours.open == mine.decided.isna().sum()


# The cells to explore


def test_the_cells_to_explore_run_and_agree(result, tmp_path, monkeypatch, capsys):
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    tags = ["explore", "skip-execution", "nbval-skip"]
    cells = [
        (cell["id"], "".join(cell["source"]))
        for cell in notebook["cells"]
        if cell["metadata"].get("tags") == tags and cell["cell_type"] == "code"
    ]
    assert len(cells) == 6
    assert all(len(source.splitlines()) <= 10 for _, source in cells)
    monkeypatch.chdir(tmp_path)
    held = {"experiments": experiments, "report": report, "result": result}
    held |= {"program": result.program, "day": result.as_of}
    with mpl.rc_context():
        for name, source in cells:
            exec(compile(source, name, "exec"), held)
    plt.close("all")
    told = capsys.readouterr().out
    assert "median: 56 days here, 56 ours" in told
    means = [float(mean) for mean in re.findall(r"(?:ours|iterated|chi2): ([+-][\d.]+)%", told)]
    assert means == pytest.approx([100 * result.pooled.mean] * 3, abs=0.01)
    assert (tmp_path / "reports/take-away/experiment_program/tables.xlsx").exists()
