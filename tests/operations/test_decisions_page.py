"""What a reader sees of a review of decisions: for each action, in both languages; its figures."""

import datetime
import importlib.util
import json
import re
import sys
from dataclasses import replace

import pytest

from conftest import ROOT, page_of, run_cells
from opslab.messages import Bilingual, catalogue
from opslab.operations.decisions.alignment import Alignment, FunctionAnswers, Priority
from opslab.operations.decisions.log import Log
from opslab.operations.decisions.presentation import _SENTENCES
from opslab.operations.decisions.result import (
    Bin,
    Calibration,
    DecisionsResult,
    Known,
    Latency,
    Quality,
)
from opslab.operations.decisions.review import checks_of
from opslab.operations.decisions.spec import DecisionReview
from opslab.operations.decisions.stability import Stability
from opslab.results import Check, Message
from opslab.uncertainty.proportions import Interval, newcombe, wilson

TODAY = datetime.date(2026, 10, 5)
DAY = datetime.date.fromisoformat
NONE = Interval(None)


def said(english, french):
    return Bilingual(english, french=french)


def plain(text):
    """Return a text with the spaces that a reader sees."""
    return re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", text)


def known(name, state, days, **more):
    values = {
        "id": name,
        "decision": said(f"Which {name}?", f"Quel choix : {name} ?"),
        "row": 2,
        "team": said("Sales", "Ventes"),
        "owner": said("Head of sales", "Direction des ventes"),
        "state": state,
        "raised": TODAY - datetime.timedelta(days),
        "ended": None if state == "open" else TODAY,
        "days": float(days),
    }
    return Known(**values | more)


DECISIONS = (
    known("RSE", "decided", 30),
    known("ACME", "open", 210),
    known("KPMG", "open", 20),
    known("SAP", "decided", 40, review=DAY("2026-09-01"), late=True),
)
LATENCIES = (
    Latency(
        "all",
        "",
        80,
        64,
        8,
        8,
        Interval(44.1, 37.8, 51.1),
        Interval(168.0, 120.4, None),
        37.8,
        0.1,
        0.1,
    ),
    Latency(
        "before",
        "",
        40,
        34,
        1,
        5,
        Interval(51.1, 40.6, 63.7),
        Interval(180.0, 140.0, 250.0),
        48.3,
        0.0,
        0.1,
    ),
    Latency(
        "since",
        "",
        40,
        30,
        7,
        3,
        Interval(35.7, 30.1, 44.8),
        Interval(None, 90.3, None),
        34.3,
        0.2,
        0.1,
    ),
    Latency(
        "team",
        said("Sales", "Ventes"),
        20,
        16,
        2,
        2,
        Interval(None, 30.1, None),
        NONE,
        34.3,
        0.2,
        0.1,
    ),
)


def quality(name, before, since, unknown=3):
    both = [sum(ends) for ends in zip(before, since, strict=True)]
    first, second = wilson(*before), wilson(*since)
    change = newcombe(first, second)
    return Quality(name, *both, wilson(*both), unknown, first, second, change, *since)


QUALITIES = (
    quality("options", (24, 40), (30, 38)),
    quality("do_nothing", (20, 40), (24, 38)),
    quality("evidence", (8, 30), (12, 30)),
    quality("followed", (4, 6), (5, 6)),
    quality("reversed", (4, 34), (2, 30)),
    quality("reviewed", (12, 20), (10, 14)),
)
GOOD = tuple(
    quality(at.name, *([(4, 40), (2, 40)] if at.name == "reversed" else [(30, 40), (35, 40)]))
    for at in QUALITIES
)
CALIBRATION = Calibration(
    24,
    Interval(0.18, 0.12, 0.25),
    0.031,
    0.094,
    0.243,
    0.0,
    0.58,
    5,
    (Bin(9, 0.5, wilson(3, 9)), Bin(15, 0.7, wilson(11, 15))),
    Interval(0.21, 0.13, 0.3),
    Interval(0.15, 0.1, 0.22),
    Interval(-0.06, -0.14, 0.02),
)
ALIGNMENT = Alignment(
    date=DAY("2026-09-28"),
    people=31,
    invited=40,
    jaccard=Interval(0.31, 0.25, 0.4),
    overlap=Interval(0.42, 0.36, 0.5),
    named=wilson(14, 31),
    named_count=14,
    asked_goal=31,
    unsaid=2,
    priorities=(Priority(said("Speed up checkout", "Accélérer la commande"), 20, 9, 4),),
    functions=(
        FunctionAnswers(
            said("Product", "Produit"),
            9,
            Interval(0.6, 0.5, 0.7),
            Interval(0.4, 0.3, 0.5),
            7,
            (said("Speed", "Vitesse"),),
        ),
        FunctionAnswers(said("Legal", "Juridique"), 2, NONE, NONE, None, ()),
    ),
    small=1,
    first_date=DAY("2026-04-06"),
    first_overlap=Interval(0.3, 0.2, 0.4),
    first_named=wilson(8, 30),
    change_overlap=Interval(0.12, 0.02, 0.22),
    change_named=Interval(0.19, -0.05, 0.4),
)
STABILITY = Stability(
    DAY("2026-08-31"),
    TODAY,
    6,
    4,
    wilson(4, 6),
    (said("Shelf", "Rayon"),),
    (said("Wallet", "Portefeuille"),),
)
RESULT = DecisionsResult(
    review=DecisionReview(
        decisions="QX",
        log={"path": "log.csv"},
        since={"name": said("Decision forum", "Comité de décision"), "date": "2026-05-04"},
    ),
    as_of=TODAY,
    decisions=DECISIONS,
    latencies=LATENCIES,
    qualities=QUALITIES,
    calibration=CALIBRATION,
    alignment=ALIGNMENT,
    stability=STABILITY,
    saved=Interval(14.7, 4.2, 25.9),
    horizon=180.0,
    misspelt={"Acepted": ("Accepted", 3)},
    taken_back=6,
    readings=(),
    sources=(),
    checks=(),
)
MEND = {"decisions": DECISIONS[:1], "alignment": None, "qualities": GOOD}
SLOW = Interval(-14.7, -25.9, -4.2)
FEW = Message("decisions.few_fail", {"count": 3, "names": []})
GONE = Message("decisions.filtered_fail", {"count": 80, "names": []})


def lowered(name):
    return tuple(
        quality(at.name, (30, 40), (9, 40)) if at.name == name else at for at in GOOD
    )  # fewer than half since the change, more than half in all


SITUATIONS = {
    "speed": RESULT,
    "keep": replace(RESULT, **MEND),
    **{
        name: replace(RESULT, **MEND | {"qualities": lowered(name)})
        for name in ("options", "do_nothing", "evidence", "followed")
    },
    "align": replace(RESULT, **MEND | {"alignment": ALIGNMENT}),
    "review": replace(RESULT, **MEND | {"decisions": DECISIONS[3:]}),
    "reversed": replace(
        RESULT, **MEND | {"qualities": (*GOOD[:4], quality("reversed", (4, 40), (14, 40)), GOOD[5])}
    ),
    "forecasts": replace(
        RESULT, **MEND | {"calibration": CALIBRATION._replace(since=Interval(0.4, 0.3, 0.5))}
    ),
    "record": replace(
        RESULT, **MEND | {"qualities": (quality("options", (2, 3), (2, 3), 70), *GOOD[1:])}
    ),
    "stop": replace(RESULT, checks=(Check("few", "fail", FEW, 3, True),)),
}
OTHERS = {
    "slower": replace(RESULT, saved=SLOW),
    "unsure": replace(RESULT, saved=Interval(1.0, -20.0, 25.0)),
    "unreached": replace(
        RESULT, latencies=(LATENCIES[0]._replace(median=Interval(None, 40.0), p85=NONE),)
    ),
    "bare": replace(
        RESULT,
        review=DecisionReview(decisions="QX", log={"path": "log.csv"}),
        decisions=(),
        latencies=(LATENCIES[0]._replace(open=0),),
        qualities=(quality("followed", (0, 0), (0, 0)),),
        calibration=None,
        alignment=None,
        stability=None,
        saved=NONE,
        horizon=None,
        taken_back=0,
    ),
    "thin": replace(
        RESULT,
        calibration=CALIBRATION._replace(
            forecasts=3, bins=(), brier=Interval(0.2), since=NONE, change=NONE
        ),
        alignment=ALIGNMENT._replace(
            people=4,
            invited=None,
            jaccard=NONE,
            overlap=NONE,
            named=NONE,
            priorities=(),
            functions=(),
            small=4,
            others=2,
            twice=1,
            near=(said("Speed up checkout (3)", "Accélérer la commande (3)"),),
            first_date=None,
            change_overlap=NONE,
            change_named=NONE,
        ),
    ),
    "fresh": replace(
        RESULT, decisions=(known("RSE", "decided", 30, owner=None, reversed=TODAY), *DECISIONS)
    ),
    "condition": replace(RESULT, checks=(Check("filtered", "fail", GONE, 80),)),
}
ALL = SITUATIONS | OTHERS
SAID = {
    "speed": (
        "Settle what has waited",
        "within which 85% of all are settled: Which ACME? · Head of sales. Have it decided",
    ),
    "reversed": ("Find out why", "35% (22% to 50%) of decisions were taken back within 90 days"),
    "forecasts": ("Forecast less surely", "Forecasts score 0.40 (0.30 to 0.50), worse than always"),
    "record": ("Write down what", "does not tell: At least two options were compared. Fill"),
    "keep": ("Nothing in this log asks", None),
    "options": ("Compare at least two", "In only 22% (12% to 38%) of decisions were at least two"),
    "do_nothing": ("Always weigh up", "was doing nothing an option"),
    "evidence": (
        "Ask for evidence",
        "Only 22% (12% to 38%) of decisions stand on evidence of grade C",
    ),
    "followed": ("Decide experiments", "were decided by the rule"),
    "align": ("Agree on the goal", "Only 14 of 31 people name the goal of the quarter"),
    "review": ("Write down", "Overdue outcomes: Which SAP? · Head of sales. Write down whether"),
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        path = ROOT / "tests" / "runs" / "test_french.py"
        spec = importlib.util.spec_from_file_location("test_french", path)
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


@pytest.mark.parametrize("name", SAID)
def test_the_first_screen_says_what_to_do_and_why(name):
    """A share counts as it is since the change: in all, each of these is more than half."""
    result, (action, reason) = SITUATIONS[name], SAID[name]
    screen = result.first_screen("en")
    assert result.action == name
    assert screen.action.startswith(action)
    assert screen.tone == ("good" if name == "keep" else "open")
    assert reason is None or reason in plain(screen.reasons[0])
    assert len(screen.reasons) == len(result.needs)


def test_who_owns_nothing_is_not_asked():
    """An open question without an owner is told as such; nobody is sent to one that is not."""
    waiting = [at._replace(owner=None) for at in DECISIONS]
    (reason, *_) = replace(RESULT, decisions=waiting).first_screen("en").reasons
    assert "Which ACME? · owner missing." in plain(reason)


def test_each_figure_of_the_first_screen_says_of_which_decisions_it_is():
    """Since a change the share and its count are of those raised since, and say so."""
    facts = {fact.name: fact for fact in RESULT.first_screen("en").facts.items}
    evidence = facts["Decisions that stand on evidence"]
    assert plain(evidence.value) == "40% (25% to 58%)"
    assert [plain(remark) for remark in evidence.remarks] == [
        "grade C or better: 12 of 30",
        "of those raised since 4 May 2026",
    ]
    whole = replace(RESULT, qualities=tuple(at._replace(since=NONE) for at in QUALITIES))
    facts = {fact.name: fact for fact in whole.first_screen("en").facts.items}
    assert len(facts["Decisions that stand on evidence"].remarks) == 1


def test_what_is_needed_comes_in_its_order():
    assert RESULT.needs == ("speed", "evidence", "align", "review")
    assert [at.id for at in RESULT.waiting] == ["ACME"]
    assert [at.name for at in RESULT.weakest][:2] == ["evidence", "do_nothing"]


def test_a_log_that_cannot_be_relied_on_recommends_nothing_and_tells_no_number():
    screen = SITUATIONS["stop"].first_screen("en")
    assert (screen.action, screen.tone) == ("Stop: this log cannot be relied on", "bad")
    assert screen.headline.startswith("Only 3 decisions are taken.")
    assert not screen.reasons
    assert [fact.name for fact in screen.facts.items] == ["Checks"]
    assert "weeks" not in str(screen)


def test_a_failed_check_is_a_condition_unless_it_was_accepted():
    condition = OTHERS["condition"]
    assert condition.headline("en").endswith(
        "This depends on checks that failed: Open and withdrawn questions."
    )
    assert "the log was probably filtered" in condition.first_screen("en").reasons[-1]
    accepted = replace(condition, checks=(replace(condition.checks[0], accepted="a quick log"),))
    assert "depends" not in accepted.headline("en")
    kept = replace(condition, **MEND)
    assert (kept.action, kept.first_screen("en").tone) == ("keep", "open")


HEADLINES = {
    "speed": (
        "Half of the questions raised since 4 May 2026 are settled within 5.1 weeks (4.3 to 6.4), against "
        "7.3 weeks (5.8 to 9.1) before. "
        "Since “Decision forum”, a question stays open 2.1 weeks (0.6 to 3.7) less on average."
    ),
    "slower": "Since “Decision forum”, a question stays open 2.1 weeks (0.6 to 3.7) longer on average.",
    "unsure": "It is not certain that “Decision forum” saved time: 0.1 weeks (\N{MINUS SIGN}2.9 to 3.6) a question",
    "unreached": "Of 80 decisions, 64 have been taken so far: too few to say how long half of them take.",
    "bare": "Half of all questions are settled within 6.3 weeks (5.4 to 7.3). Counting only those already decided",
}


@pytest.mark.parametrize("name", HEADLINES)
def test_the_headline_tells_the_time_with_its_interval_and_whether_the_change_helped(name):
    assert HEADLINES[name] in plain(ALL[name].headline("en"))


@pytest.mark.parametrize("name", ALL)
def test_both_languages_are_whole_in_every_situation(name):
    check, result = french(), ALL[name]
    shown = page_of(result, "fr")
    assert not check.english_in(shown) - {"overlap", "in"}
    for figure in result.figures("fr").values():
        drawn = " ".join(
            text.get_text()
            for text in figure.drawing.findobj(lambda part: hasattr(part, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH
        assert re.search(r"\d", figure.alt)
    english = page_of(result, "en")
    assert not re.search(r"\{\w|nan\b|None(?! of)|\(\)|Interval", english + shown)
    assert "\N{EN DASH}" not in result.first_screen("en")._repr_html_()


def test_every_sentence_is_said_in_some_situation():
    """So none of the above passes because a sentence never comes up."""
    english = plain(" ".join(page_of(result, "en") for result in ALL.values()))
    drawn = [figure for result in ALL.values() for figure in result.figures("en").values()]
    english += plain(" ".join(figure.alt for figure in drawn))
    for key, words in catalogue("en", "decisions").items():
        if key.startswith(("on_", "need_", "action_", "share_", "figure_")):
            longest = max(re.split(r"\{[^{}]*\}|'", words), key=len).strip()
            assert longest in english, key
    asked = " ".join(_SENTENCES.values()).replace("/", "").split()
    assert len({*asked}) == len(asked)


def test_functions_of_fewer_than_five_are_counts_alone():
    """Their row has the number of people, and nothing that they said."""
    functions = RESULT.agreement.blocks("en")[-1]
    assert functions.rows[1][0].text == "Legal"
    assert [cell.text for cell in functions.rows[1][1:]] == ["2", *["\N{EN DASH}"] * 4]
    assert "Legal" not in RESULT.figures("en")["agreement"].alt


def test_the_figures_tell_their_numbers():
    latency, forecasts, agreement = RESULT.figures("en").values()
    assert "Since 4 May 2026 (40 decisions): 5.1 weeks (4.3 to 6.4)." in plain(latency.alt)
    assert "Sales (20 decisions): not reached (4.3 or more)." in plain(latency.alt)
    assert "Given about 70% (15 forecasts): 73% (48% to 89%)." in plain(forecasts.alt)
    assert "Product (9 people): 60% (50% to 70%)." in plain(agreement.alt)
    assert [*OTHERS["thin"].figures("en")] == ["latency"]


def test_open_decisions_and_overdue_outcomes_stand_with_their_owners_the_longest_first():
    still, late = RESULT.open.blocks("en")[-2:]
    assert [[cell.text for cell in row] for row in still.rows] == [
        ["Which ACME?", "Head of sales", "Sales", "30.0"],
        ["Which KPMG?", "Head of sales", "Sales", "2.9"],
    ]
    assert [cell.text for cell in late.rows[0]] == [
        "Which SAP?",
        "Head of sales",
        "1 September 2026",
    ]


@pytest.mark.parametrize("hostile", ["=1+1", "<script>alert(1)</script>", "{first}"])
def test_text_from_outside_is_shown_as_text(hostile, tmp_path):
    result = replace(RESULT, decisions=[at._replace(decision=hostile) for at in DECISIONS])
    assert "<script" not in page_of(result, "en")
    assert hostile.strip("=") in page_of(result, "en").replace("&lt;", "<").replace("&gt;", ">")
    assert result.to_excel(tmp_path / "a.xlsx").stat().st_size > 5_000


def test_the_record_is_the_same_in_both_languages_and_holds_the_action():
    record = json.loads(json.dumps(RESULT.record()))
    assert replace(RESULT, language="fr").record() == RESULT.record()
    assert record["action"] == "speed"
    assert 8 < len(RESULT.frame().columns) < 20


def test_the_record_of_a_long_log_stays_small_and_holds_what_is_late_and_last():
    day = datetime.timedelta(1)
    many = [
        known(f"D{at:05}", "decided", 0, raised=TODAY - at * day, ended=TODAY - at * day)
        for at in range(5_000)
    ]
    many[-1] = many[-1]._replace(late=True, review=TODAY)
    record = replace(RESULT, decisions=tuple(many)).record()
    assert len(json.dumps(record)) < 1_000_000
    assert (record["decisions_in_all"], len(record["decisions"])) == (5_000, 1_000)
    kept = {row["id"] for row in record["decisions"]}
    assert {"D00000", "D00998", "D04999"} <= kept
    assert "D00999" not in kept


def test_a_log_of_nothing_has_evidence_of_its_survey():
    result = replace(OTHERS["bare"], alignment=ALIGNMENT)
    periods = {each.id: each.period for each in result.evidence()}
    assert periods["qx/alignment-goal"] == (None, TODAY)


def test_evidence_is_of_the_period_that_the_page_tells():
    """Since a change shares, score and median are of what was raised since, and say so."""
    evidence = {each.id.split("/")[1]: each for each in RESULT.evidence()}
    share, brier = evidence["evidence"], evidence["brier"]
    assert (share.quantity.value, share.quantity.parameters["a"]) == (12 / 30, 12.5)
    assert (brier.quantity.value, brier.period[0]) == (0.15, DAY("2026-05-04"))
    assert share.statement[1]["decisions"] == "QX, questions raised since 4 May 2026"
    assert share.statement[1]["decisions"].french.endswith("posées depuis le 4 mai 2026")
    assert evidence["weeks-saved"].statement[1]["decisions"] == "QX"


CHECKED = {
    "answers": (ALIGNMENT._replace(people=4), "warn"),
    "response": (ALIGNMENT._replace(people=19), "fail"),
    "unasked": (ALIGNMENT._replace(invited=None), "warn"),
    "near": (ALIGNMENT._replace(near=("Speed (3)",)), "warn"),
    "twice": (ALIGNMENT._replace(twice=2), "warn"),
}


@pytest.mark.parametrize("name", CHECKED)
def test_a_survey_that_tells_little_is_told_by_its_check(name):
    def checks(result):
        log = Log(result.decisions, {}, {}, True, ())
        return {at.name: at for at in checks_of(result, log, {})}

    doubted, status = CHECKED[name]
    assert checks(replace(RESULT, alignment=doubted))[name].status == status
    assert name == "unasked" or checks(RESULT)[name].status == "pass"
    assert name not in checks(replace(RESULT, alignment=None))
    for language in ("en", "fr"):
        shown = page_of(
            replace(
                RESULT,
                alignment=doubted,
                checks=(*checks(replace(RESULT, alignment=doubted)).values(),),
            ),
            language,
        )
        assert not re.search(r"\{\w|None(?! of)", shown)


def test_roadmaps_that_are_not_a_month_apart_are_told():
    result = replace(RESULT, stability=STABILITY._replace(earlier=DAY("2026-01-05")))
    apart = {at.name: at for at in checks_of(result, Log((), {}, {}, True, ()), {})}["apart"]
    assert (apart.status, apart.value) == ("warn", 273)
    shown = checks_of(RESULT, Log((), {}, {}, True, ()), {})
    assert {at.name: at.status for at in shown}["apart"] == "pass"


@pytest.mark.slow
def test_the_exploring_cells_run_and_show_themselves(tmp_path, monkeypatch):
    """The median by statsmodels and the Brier score by numpy are those of the result."""
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(ROOT))
    monkeypatch.chdir(tmp_path)
    names = run_cells("decision_review")
    assert names["mine"] == names["ours"]
    assert names["score"] == pytest.approx(names["result"].calibration.brier.value)
    assert names["ask-spec"]
    assert names["compare"]._repr_mimebundle_()
