"""The page of practices: what it says for each action, its heat map in words, both languages, nobody named."""

import datetime
import importlib.util
import re
import sys
from dataclasses import replace
from functools import cache

import pytest

from conftest import ROOT, page_of, run_cells
from opslab import operations
from opslab.businesscase.claims import Gain, overlap
from opslab.claims import counted
from opslab.messages import LANGUAGES, Bilingual
from opslab.operations.practices.result import (
    Action,
    Agreement,
    Capability,
    PracticesResult,
    ProcessCard,
)
from opslab.operations.practices.spec import LEVELS, PracticeReview
from opslab.results import Check, Message
from opslab.uncertainty.proportions import Interval

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
TODAY, THEN = datetime.date(2026, 10, 5), datetime.date(2026, 4, 15)
TESTS = Bilingual("Testing", french="Expérimentation")
LAUNCH = Bilingual("Launches", french="Lancements")
SHOP, DATA = Bilingual("Shop", french="Boutique"), Bilingual("Data", french="Données")


def capability(name, team, median, target, before=(), **given):
    values = {
        "capability": name,
        "team": team,
        "date": TODAY,
        "assessors": 3,
        "missing": 0,
        "median": median,
        "low": median[0],
        "high": median[-1],
        "target": target,
        "at_target": 1,
        "before_date": THEN if before else None,
        "before": before,
        "same": 1 if before else 0,
        "up": 0,
        "down": 0,
    }
    return Capability(**values | given)


CAPABILITIES = (
    capability(TESTS, SHOP, ("good", "better"), "better", ("good",), up=2, low="below"),
    capability(TESTS, DATA, ("best",), "best", ("best",), same=3, at_target=3),
    capability(LAUNCH, SHOP, ("below",), "good", ("good",), down=2, missing=1),
    capability(LAUNCH, DATA, ("good",), None),
)


def action(words, state, due, days, **given):
    values = {"capability": TESTS, "team": SHOP, "owner": "Ines", "promised": due, "done": None}
    values |= {"moved": None, "lag": None, "doubtful": False}
    return Action(**values | {"action": words, "state": state, "due": due, "days": days} | given)


ACTIONS = (
    action(
        Bilingual("Read tickets", french="Lire des tickets"),
        "late",
        datetime.date(2026, 8, 31),
        35,
        moved=0,
    ),
    action(
        Bilingual("Write anchors", french="Rédiger les repères"), "undated", None, 0, owner=None
    ),
    action(
        Bilingual("Log tests", french="Consigner les essais"),
        "open",
        datetime.date(2026, 10, 30),
        25,
    ),
    action(
        Bilingual("Ask support", french="Interroger le support"),
        "open",
        datetime.date(2026, 11, 30),
        56,
    ),
    action(
        Bilingual("Name owners", french="Nommer des responsables"),
        "done",
        THEN,
        44,
        done=THEN,
        moved=1,
    ),
)


def card(name, net, verdict, why, **given):
    low, high = net - 60.0, net + 60.0
    values = {
        "process": name,
        "row": 2,
        "owner": "Mia",
        "problem": Bilingual("Tests stopped early", french="Tests arrêtés trop tôt"),
        "steps": Bilingual("Plan; run", french="Prévoir ; mener"),
        "trigger": Bilingual("A test", french="Un test"),
        "sunset": datetime.date(2027, 2, 1),
        "cost": Interval(100.0, 80.0, 120.0),
        "saved": Interval(100.0 + net, 80.0 + net, 120.0 + net),
        "net": Interval(float(net), low, high),
        "pays": 1.0,
        "loses": 0.0,
        "using": 2,
        "eligible": 3,
        "adoption": Interval(2 / 3, 0.2, 0.9),
        "source": "log",
        "uses_logged": None,
        "drop_off": (),
        "contradicted": None,
        "losses": 0,
        "lost": None,
        "overdue": False,
        "verdict": verdict,
        "why": why,
        "turns": (("saved", 12.5),),
    }
    return ProcessCard(**values | given)


BRIEF = card(Bilingual("Brief", french="Fiche"), 90, "keep", "pays")
TRIAGE = card(Bilingual("Triage", french="Tri"), 70, "extend", "few", source="card")
LIST = card(Bilingual("Checklist", french="Liste"), -90, "simplify", "loss", source="standards")
DECK = card(Bilingual("Deck", french="Point"), -200, "kill", "sunset", overdue=True, turns=())
RECORD = card(Bilingual("Record", french="Registre"), 5, "open", "unsure_saved")
AGREED = Message("practices.agreement_pass", {"alpha": 0.82, "reliable": 0.667, "count": 4})
CHECKS = (Check("agreement", "pass", AGREED),)
ANCHORS = {"Testing": {"good": "A hypothesis", "better": "A rule", "best": "Every launch"}}
REVIEW = PracticeReview(
    practices="xreview",
    processes=[
        {
            "process": "x",
            "problem": "x",
            "steps": "x",
            "owner": "x",
            "trigger": "x",
            "minutes": 1,
            "uses": 1,
            "saved": 1,
            "sunset": "2027-01-01",
        }
    ],
)
RESULT = PracticesResult(
    review=REVIEW,
    as_of=TODAY,
    capabilities=CAPABILITIES,
    agreement_of=Agreement(Interval(0.82, 0.6, 0.93), 4, 12),
    movement={("good", "better"): 4, ("good", "good"): 2},
    actions_due=ACTIONS,
    kept=2,
    fallen_due=5,
    cards=(BRIEF, TRIAGE, LIST, DECK, RECORD),
    net=Interval(-125.0, -300.0, 80.0),
    draws=10_000,
    readings=(),
    sources=(),
    checks=CHECKS,
)
MISSING = Message("practices.missing_fail", {"names": [LAUNCH], "count": 9, "share": 0.6})
APART = Message("practices.agreement_fail", {"alpha": 0.3, "reliable": 0.667, "count": 4})
DONE = {"actions_due": ACTIONS[-1:]}
SITUATIONS = {
    "late": RESULT,
    "act": replace(RESULT, actions_due=ACTIONS[2:]),
    "kill": replace(RESULT, **DONE),
    "simplify": replace(RESULT, **DONE, cards=(BRIEF, LIST)),
    "measure": replace(RESULT, **DONE, cards=(BRIEF, RECORD)),
    "overdue": replace(RESULT, **DONE, cards=(BRIEF._replace(overdue=True), RECORD)),
    "extend": replace(RESULT, **DONE, cards=(BRIEF, TRIAGE)),
    "keep": replace(RESULT, **DONE, cards=(BRIEF,)),
    "stop": replace(RESULT, checks=(Check("missing", "fail", MISSING, None, True), *CHECKS)),
    "apart": replace(
        RESULT, **DONE, cards=(), net=None, checks=(Check("agreement", "fail", APART),)
    ),
    "canvas": replace(RESULT, actions_due=(), kept=0, fallen_due=0, cards=(), net=None),
    "first": replace(
        RESULT,
        capabilities=tuple(
            known._replace(target=None, before_date=None, before=(), same=0, up=0, down=0)
            for known in CAPABILITIES
        ),
        movement={},
        agreement_of=None,
    ),
    "cards": replace(
        RESULT, capabilities=(), movement={}, agreement_of=None, actions_due=(), checks=()
    ),
}
SAID = {
    "late": ("Finish 1 late action", "1 of 3 capabilities are at their target or above."),
    "act": ("Follow up 2 actions", "(ended 15 April 2026), 1 moved up and 1 down"),
    "kill": ("End Deck (Mia)", "Surely saving more time than they take: 2 of 5 processes."),
    "simplify": (
        "Simplify Checklist (Mia)",
        "Surely saving more time than they take: 1 of 2 processes.",
    ),
    "measure": ("Measure what nobody can tell yet: Record (Mia)", "1 of 2 processes."),
    "overdue": ("Keep or end Brief (Mia): past the end date", "1 of 2 processes."),
    "extend": ("Extend Triage (Mia)", "2 of 2 processes."),
    "keep": ("Keep on: nothing is open", "1 of 1 process."),
    "stop": ("Stop: too few of those who were to assess did", "More than half"),
    "apart": ("Keep on", "Conditional on these checks, which failed: Agreement of the assessors."),
    "canvas": ("Keep on: nothing is open", "1 of 3 capabilities"),
    "first": ("Finish 1 late action", "4 capabilities were assessed, and none has a target."),
    "cards": ("End Deck (Mia)", "Surely saving more time than they take: 2 of 5 processes."),
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        path = ROOT / "tests" / "runs" / "test_french.py"
        spec = importlib.util.spec_from_file_location("test_french", path)
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


@cache
def sample():
    review = operations.PracticeReview.load(ROOT / "data" / "sample" / "product_practices.yaml")
    return operations.review_practices(review, draws=1_000)


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_first_screen_says_what_to_do(name):
    screen, (said, sentence) = SITUATIONS[name].first_screen("en"), SAID[name]
    assert screen.action.startswith(said)
    assert sentence in screen.headline
    assert screen.tone == {"stop": "bad", "keep": "good", "canvas": "good"}.get(name, "open")


@pytest.mark.parametrize("name", SITUATIONS)
def test_both_languages_are_whole_in_every_situation(name):
    check, result = french(), SITUATIONS[name]
    english, shown = page_of(result, "en"), page_of(result, "fr")
    assert not check.english_in(shown) - {"be", "good", "better", "best"}
    assert not re.search(r"\{\w|nan\b|None|: [.;)]|\(\)", english + shown)
    for language in LANGUAGES:
        for figure in result.figures(language).values():
            assert figure.alt


def test_what_cannot_be_trusted_recommends_nothing():
    screen = SITUATIONS["stop"].first_screen("en")
    assert [fact.name for fact in screen.facts.items] == ["Checks"]
    assert not screen.reasons
    assert SITUATIONS["stop"].evidence() == []


def test_the_next_three_actions_have_owner_and_date_the_latest_first():
    reasons = RESULT.first_screen("en").reasons
    assert [line.split(" (")[0] for line in reasons[:3]] == [
        "Read tickets",
        "Write anchors",
        "Log tests",
    ]
    assert reasons[0].endswith("Ines, due on 31 August 2026, 35 days late.")
    undated = replace(RESULT, actions_due=ACTIONS[1:2]).first_screen("en").reasons[0]
    assert undated.endswith("nobody yet; agree on a date.")
    assert "say of their own teams" in reasons[-1]


def test_the_heat_map_is_read_without_colour():
    figure = RESULT.figures("en")["canvas_0"]
    words = [text.get_text() for text in figure.drawing.axes[0].texts]
    assert words == [f"Good {DASH} Better ▲", "Best ✓ =", "Below ▼", "Good"]
    assert (
        f"Testing · Shop: Good {DASH} Better, higher than the round before, target Better."
        in figure.alt
    )
    assert "Launches · Shop: Below, lower than the round before, target Good." in figure.alt


@pytest.mark.parametrize(("names", "teams"), [(12, 5), (30, 1), (3, 12), (60, 2)])
def test_a_large_canvas_stays_legible(names, teams):
    """Words stay inside their cells, five teams stand beside one another, and the table ends."""
    many = tuple(
        capability(f"Capability with a longer name {name}", f"Team {team}", (level,), "best")
        for name in range(names)
        for team in range(teams)
        for level in [LEVELS[(name + team) % 4]]
    )
    result = replace(RESULT, capabilities=many)
    drawn = [each for name, each in result.figures("fr").items() if name.startswith("canvas")]
    assert len(drawn) == -(-teams // 5)
    for figure in drawn:
        axes = figure.drawing.axes[0]
        figure.drawing.canvas.draw()
        width = axes.get_window_extent().width / (axes.get_xlim()[1] - axes.get_xlim()[0])
        height = axes.get_window_extent().height / abs(axes.get_ylim()[1] - axes.get_ylim()[0])
        for text in axes.texts:
            box = text.get_window_extent()
            assert box.width <= width
            assert box.height <= height
            assert "…" not in text.get_text()
    page = page_of(result, "fr")
    assert len(page) < 250_000
    assert ("premières lignes" in page) == (names * teams > 90)


def test_levels_are_never_averaged():
    """No number stands where a level belongs: neither a mean of 1 to 4 nor its decimals."""
    (table,) = (block for block in RESULT.canvas.blocks("en") if hasattr(block, "columns"))
    assert table.columns[:3] == ["Capability", "Level now", "Target level"]
    levels = [
        re.sub("✓|from|to|\N{EN DASH}", "", f"{row[1].text} {row[1].remark} {row[2].text}")
        for row in table.rows
    ]
    assert {word for row in levels for word in row.split()} <= {
        "Below",
        "Good",
        "Better",
        "Best",
        "none",
    }


def test_a_median_between_two_levels_is_at_neither_target_alone():
    """By the definition: half of the assessors must be there."""
    between = capability("a", "b", ("good", "better"), "better")
    assert not between.reached
    assert between._replace(target="good").reached
    assert between._replace(target=None).reached is None
    assert [
        between._replace(up=u, same=s, down=d).moved
        for u, s, d in (
            (2, 1, 1),
            (1, 0, 2),
            (1, 1, 1),
            (0, 0, 0),
        )
    ] == [1, -1, 0, None]


def test_a_process_tells_verdict_hours_and_what_would_change_it():
    shown = " ".join(repr(RESULT.processes).split())
    assert "End · past its end date, and not surely" in shown
    assert f"{MINUS}200 ({MINUS}260 to {MINUS}140)" in shown
    assert "12 minutes saved a use" in shown
    assert "measure first what a use saves" in shown
    assert "99%" in shown
    assert "100%" not in shown
    alt = RESULT.figures("en")["processes"].alt
    assert f"Deck · end: {MINUS}200 ({MINUS}260 to {MINUS}140)." in alt


def test_a_first_round_has_no_movement():
    first = SITUATIONS["first"]
    assert "moved" not in first.headline("en")
    assert "first round" in repr(first.canvas)
    assert "What changed" not in repr(first.canvas)


def test_nobody_who_assessed_is_named():
    """Codes of the sheet's assessors, marked, are nowhere on the page, in the figures, the record."""
    review = sample().review
    rows = [
        {
            "capability": "Tests",
            "team": "Shop",
            "assessor": f"Zzmarked{at}",
            "date": day,
            "level": level,
        }
        for at, level in enumerate(("good", "best", "below"))
        for day in (THEN, TODAY)
    ]
    marked = PracticeReview(practices="marked", canvas=rows, rule=review.rule)
    result = operations.review_practices(marked, TODAY, draws=1_000)
    shown = "".join(page_of(result, language) for language in LANGUAGES)
    shown += str(result.record()) + result.frame(full=True).to_csv()
    shown += "".join(figure.alt for figure in result.figures("en").values())
    assert "Zzmarked" not in shown


@pytest.mark.parametrize("hostile", ["=1+1", "<script>alert(1)</script>", "{first}"])
def test_text_from_outside_is_shown_as_text(hostile):
    known = [each._replace(capability=hostile) for each in CAPABILITIES]
    result = replace(
        RESULT,
        capabilities=tuple(known),
        actions_due=tuple(each._replace(action=hostile, owner=hostile) for each in ACTIONS),
        cards=(BRIEF._replace(process=hostile, problem=hostile, steps=hostile),),
    )
    assert "<script" not in page_of(result, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_says_what_is_true_of_it(language):
    """Seven of 21 at target, eleven up, one down: counted by hand in product_practices_truth.json."""
    screen = sample().first_screen(language)
    assert re.findall(r"\d+", screen.headline)[:2] == (["7", "21"])
    assert re.search(r"2026\), 11 .* 1 ", screen.headline)
    assert len(screen.reasons) == 6  # three actions, what lacks one, the processes, what levels are
    shown = page_of(sample(), language)
    assert len(shown) < 250_000
    if language == "fr":
        assert not french().english_in(shown) - {
            "be",
            "data",
            "standards",
            "practices",
            "process",
            "uses",  # names of files and profiles
        }


def test_what_is_taken_away_opens(tmp_path):
    assert sample().to_excel(tmp_path / "a.xlsx").stat().st_size > 5_000
    assert 8 < len(sample().frame().columns) < 20


@pytest.mark.slow
def test_the_exploring_cells_check_the_headline(tmp_path, monkeypatch, capsys):
    """Medians by pandas, alpha over every pair, hours by the card: all as opslab says."""
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(ROOT))
    monkeypatch.chdir(tmp_path)
    names = run_cells("practice_review", draws=10_000)
    said = capsys.readouterr().out
    assert "21 of 21 medians" in said
    by_pairs, ours = re.search(r"by pairs ([\d.]+), opslab ([\d.]+)", said).groups()
    assert by_pairs == ours
    table = names["check-minutes"]
    assert ((table["by hand"] / table["opslab"] - 1).abs() < 0.05).all()
    assert "Launch checklist" in str(names["ask-people"]._repr_mimebundle_())


def test_two_reviews_side_by_side_tell_capabilities_and_processes():
    """Of each row something is told: a share of assessors, or hours with their range."""
    result = sample()
    cheaper = operations.review_practices(result.review.changed(rule={"sure": 0.7}), draws=1_000)
    untold = replace(
        cheaper,
        capabilities=tuple(
            each._replace(target=None) if each.team == "Data" else each
            for each in cheaper.capabilities
        ),
    )
    contrast = untold.compare(untold)
    (table,) = contrast.result.voice().contrast(contrast)
    assert len(table.rows) == len(cheaper.capabilities) - 7 + len(cheaper.cards)
    contrast = result.compare(cheaper)
    (table,) = contrast.result.voice().contrast(contrast)
    kinds = {row[0].text if hasattr(row[0], "text") else row[0] for row in table.rows}
    assert kinds == {"capability", "process"}
    assert not [
        row for row in table.rows if "None" in str(row[3:]) or row[3] == result.voice().none
    ]


def test_each_process_is_evidence_of_its_own_and_claims_its_hours_of_any_role():
    """Names alike in their first sixty letters, or without a Latin one, are two all the same."""
    long = "Weekly exchange between support and the product teams about complaints, "
    names = [f"{long}Shop", f"{long}Data", "日本", "中国", "Tag feedback"]
    known = [BRIEF._replace(process=name) for name in names]
    told = replace(RESULT, cards=tuple(known)).evidence()[1:]
    assert len({each.id for each in told}) == len({each.claim for each in told}) == 5
    assert told[-1].id == "xreview/tag-feedback"
    own = counted(told[-1].claim, "xreview")
    assert own.holds(counted("hours:product manager/Tag feedback", "desk"))
    assert not own.holds(counted("hours:product manager/Tag tickets", "desk"))
    task = counted("hours:product manager/Tag feedback", "desk")
    gains = [Gain(name, (), range(12), (what,)) for name, what in (("a", own), ("b", task))]
    assert overlap(*gains).key == "claimed_inventories"
    assert overlap(gains[0], replace(gains[1], apart=True)) is None
