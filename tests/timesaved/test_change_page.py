"""What a reader sees of a review of a change: for each design and direction, in both languages."""

import datetime
import importlib.util
import math
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from conftest import ROOT, page_of, run_cells
from opslab.messages import Bilingual, catalogue, text
from opslab.results import Check, Message
from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.presentation import _SAID
from opslab.timesaved.change.result import (
    NOTHING,
    Artefact,
    Average,
    Belief,
    ChangeResult,
    Comparison,
    Lag,
    Power,
    Series,
    Step,
    TeamChange,
    Verdict,
)
from opslab.timesaved.change.spec import ChangeReview
from opslab.uncertainty.proportions import Interval

TODAY, MONDAY = datetime.date(2026, 10, 5), datetime.date(2026, 3, 2)
WEEKS = tuple(MONDAY + datetime.timedelta(7 * at) for at in range(30))
TEAMS = tuple(Bilingual(f"Team {name}", french=f"Équipe {name}") for name in "ABCDEFGH")
FRENCH = {name: name.replace("Team", "Équipe") for name in TEAMS}
MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"


def plain(text):
    """Return a text with the spaces that a reader sees."""
    return re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", text)


def review(pilot=None, measure=None, **more):
    """Return a review whose words stand in both languages."""
    values = {
        "change": {"en": "Triage assistant", "fr": "Assistant de triage"},
        "question": {"en": "Does it save time?", "fr": "Fait-il gagner du temps ?"},
        "owner": {"en": "Head of support", "fr": "Direction du support"},
        "date": TODAY,
        "data": {"path": "log.csv"},
        "measure": {
            "name": {"en": "hours on triage", "fr": "heures de triage"},
            "quantity": "hours",
            "unit": "team",
            **(measure or {}),
        },
        "pilot": pilot
        or {
            "chosen": "staggered",
            "starts": dict.fromkeys(TEAMS[:4], "2026-06-01") | {TEAMS[4]: "2027-06-07"},
        },
        "events": [{"name": {"en": "New prices", "fr": "Nouveaux tarifs"}, "date": "2026-07-06"}],
        "expected": {"low": 0.1, "high": 0.3},
        "french": FRENCH,
    }
    if {"level", "share", "increase"} & {*map(str, (measure or {}).values())}:
        del values["expected"]  # nothing is saved there as a share
    return ChangeReview.model_validate(values | more)


def panel(pilots=4, teams=8, *, effort=True):
    starts = np.array([13] * pilots + [30] * (teams - pilots))
    values = np.full((teams, 30), 20.0)
    return Panel(TEAMS[:teams], WEEKS, values, values, starts, {}, (), effort, 0 * values)


EFFECT = Interval(-0.18, -0.25, -0.11)
OPEN = Interval(-0.02, -0.12, 0.09)
POWERS = tuple(
    Power(teams, teams // 2, weeks, smallest)
    for teams, weeks, smallest in (
        (4, 13, None),
        (8, 8, 0.25),
        (8, 13, 0.21),
        (8, 30, 0.16),
        (24, 8, 0.12),
        (24, 13, 0.09),
    )
)
STEPS = tuple(
    Step(at, Interval(effect, effect - 0.06, effect + 0.06), 4)
    for at, effect in [*enumerate((0.01, -0.02, 0.0), -3), *enumerate((-0.1, -0.16, -0.2), 2)]
)
CHANGES = tuple(
    TeamChange(
        name, WEEKS[13] if at < 4 else None, 28, 20.0 + at, 17.0 + at, -0.1 if at < 4 else None
    )
    for at, name in enumerate(TEAMS)
)
GOOD = Check("evidence", "pass", Message("change.kicker", {"as_of": TODAY}))
DID = ChangeResult(
    review=review(),
    as_of=TODAY,
    panel=panel(),
    design="did",
    grade="B",
    effect=EFFECT,
    late=EFFECT,
    relative=True,
    averages=(
        Average("simple", EFFECT, -0.17),
        Average("group", Interval(-0.17, -0.24, -0.1), -0.16),
        Average("calendar", Interval(-0.16, -0.24, -0.1), None),
        Average("dynamic", Interval(-0.2, -0.27, -0.12), -0.19),
    ),
    steps=STEPS,
    verdicts=(
        Verdict("changes", EFFECT, 0.0012, primary=True),
        Verdict("permutation", Interval(-0.18), 0.0143, 70),
        Verdict("jackknife", Interval(-0.18, -0.26, -0.1), 0.002),
        Verdict("bootstrap", Interval(-0.18), 0.0078, 256),
        Verdict("clustered", Interval(-0.18, -0.22, -0.14), 0.00001),
    ),
    teams=CHANGES,
    powers=POWERS,
    two_way=-0.12,
    pre_trend=0.43,
    belief=Belief(
        Interval(0.2, 0.05, 0.4),
        Interval(0.18, 0.11, 0.25),
        Interval(0.18, 0.12, 0.24),
        0.8,
        0.3,
        False,
    ),
    per_year=Interval(-648.0, -900.0, -396.0),
    checks=(GOOD,),
    readings=(),
    sources=(),
)
SERIES = Series(
    level=Interval(-0.15, -0.25, -0.05),
    slope=Interval(-0.004, -0.01, 0.002),
    effect=EFFECT,
    last=Interval(-0.22, -0.33, -0.1),
    lag=3,
    lags=tuple(Lag(at, 0.05, 0.003, 0.054) for at in (3, 0, 2, 4)),
    autocorrelation=0.41,
    dispersion=None,
    periods=WEEKS,
    values=(*(20.0 + at / 10 for at in range(13)), None, None, *(17.0 for _ in range(15))),
    expected=tuple(20.0 + at / 10 for at in range(30)),
)
BARE = {"averages": (), "steps": (), "verdicts": (), "two_way": None, "pre_trend": None}
EVERYBODY = {"chosen": "everybody", "start": "2026-06-01"}
ITS = replace(
    DID,
    review=review(EVERYBODY),
    panel=panel(8),
    design="its",
    grade="C",
    series=SERIES,
    powers=(),
    teams=(),
    **BARE,
)
BEFORE = replace(
    DID,
    review=review({"chosen": "worst_first", "starts": dict.fromkeys(TEAMS[:4], "2026-06-01")}),
    design="before_after",
    grade=None,
    comparison=Comparison(24.0, 18.0, Interval(-0.25, -0.33, -0.14), -0.04),
    effect=Interval(-0.25, -0.33, -0.14),
    artefact=Artefact(-0.09, 4, 8, 0.6),
    powers=(),
    **BARE,
)
PLAN = replace(
    DID,
    design="plan",
    grade=None,
    effect=NOTHING,
    per_year=NOTHING,
    belief=None,
    teams=(),
    panel=panel(0),
    **BARE,
)
SOLO = {"chosen": "volunteers", "starts": {TEAMS[0]: "2026-06-01"}, "phase_in": 0}
ALL = {
    "did": DID,
    "rises": replace(
        DID,
        review=review(measure={"goal": "increase"}, expected=None),
        effect=Interval(0.12, 0.03, 0.22),
        belief=None,
    ),
    "worse": replace(
        DID,
        effect=Interval(0.12, 0.03, 0.22),
        per_year=Interval(432.0, 108.0, 792.0),
        pre_trend=0.01,
    ),
    "falls": replace(DID, review=review(measure={"goal": "increase"}, expected=None), belief=None),
    "open": replace(
        DID,
        effect=OPEN,
        grade="C",
        per_year=Interval(-72.0, -432.0, 324.0),
        powers=(*POWERS, Power(80, 40, 40, 0.02)),
    ),
    "hopeless": replace(DID, effect=OPEN, grade="C"),
    "late": replace(DID, teams=(CHANGES[0]._replace(start=WEEKS[17]), *CHANGES[1:])),
    "untold": replace(DID, effect=Interval(-0.1), **BARE, not_estimable=WEEKS[-2:]),
    "drawn": replace(
        DID,
        review=review({"chosen": "drawn", "starts": dict.fromkeys(TEAMS[:4], "2026-06-01")}),
        grade="A",
        verdicts=(Verdict("permutation", EFFECT, 0.0143, 70, primary=True),),
        belief=DID.belief._replace(conflict=True, z=2.6),
    ),
    "single": replace(
        DID,
        review=review(SOLO, {"quantity": "elapsed"}),
        panel=panel(1, effort=False),
        grade="C",
        per_year=NOTHING,
        verdicts=(Verdict("jackknife", EFFECT, 0.02, primary=True),),
    ),
    "bootstrap": replace(DID, verdicts=(Verdict("bootstrap", EFFECT, 0.02, 256, primary=True),)),
    "clustered": replace(DID, verdicts=(Verdict("clustered", EFFECT, 0.02, primary=True),)),
    "share": replace(
        DID,
        review=review(measure={"quantity": "share", "holds": {"state": ["late"]}}, expected=None),
        panel=panel(effort=False),
        relative=False,
        effect=Interval(-0.04, -0.07, -0.01),
        per_year=NOTHING,
        belief=None,
    ),
    "level": replace(
        DID,
        review=review(measure={"scale": "level"}, expected=None),
        relative=False,
        effect=Interval(-3.2, -5.04, -1.1),
        belief=None,
    ),
    "minutes": replace(
        DID,
        review=review(
            measure={"scale": "level", "quantity": "minutes", "period": "month"}, expected=None
        ),
        relative=False,
        effect=Interval(-3.2, -5.04, 1.1),
        belief=None,
    ),
    "count": replace(
        ITS,
        review=review(EVERYBODY, {"quantity": "count"}, season=True, expected=None),
        panel=panel(8, effort=False),
        per_year=NOTHING,
        belief=None,
    ),
    "days": replace(
        DID,
        review=review(measure={"scale": "level", "quantity": "elapsed"}, expected=None),
        panel=panel(effort=False),
        relative=False,
        per_year=NOTHING,
        effect=Interval(-3.2, -5.04, -1.1),
        belief=None,
    ),
    "person": replace(DID, review=review(measure={"per": "person"}), per_year=NOTHING),
    "its": ITS,
    "before_after": BEFORE,
    "bare": replace(BEFORE, comparison=Comparison(24.0, 18.0, BEFORE.effect, None), artefact=None),
    "plan": PLAN,
    "unknown": replace(PLAN, powers=()),
    "begun": replace(PLAN, panel=panel()),
    "selected": replace(
        BEFORE,
        review=review(
            {
                "chosen": "worst_first",
                "starts": dict.fromkeys(TEAMS[:4], "2026-06-01"),
                "selected": ["2026-03-02", "2026-03-29"],
            }
        ),
    ),
    "torn": replace(
        DID, checks=(Check("opposed", "fail", Message("change.opposed_fail"), 1), GOOD)
    ),
    "never": replace(PLAN, powers=(Power(8, 4, 8, None),)),
    "stop": replace(
        DID, checks=(Check("evidence", "fail", Message("change.pilot_worst_first"), 3, True), GOOD)
    ),
    "condition": replace(
        DID, checks=(Check("evidence", "fail", Message("change.pilot_worst_first"), 3), GOOD)
    ),
}
DID_WORDS = "compared with teams that did not have it at the time"
HEADLINES = {
    "did": f"After “Triage assistant”, hours on triage fell by 18% (11% to 25%), {DID_WORDS}: evidence of grade B.",
    "rises": f"hours on triage rose by 12% (3% to 22%), {DID_WORDS}: evidence of grade B.",
    "worse": f"hours on triage rose by 12% (3% to 22%) instead of falling, {DID_WORDS}: evidence of grade B.",
    "falls": f"hours on triage fell by 18% (11% to 25%) instead of rising, {DID_WORDS}: evidence of grade B.",
    "open": "no change in hours on triage can be shown: anything between 12% less and 9% more is",
    "untold": "Whether “Triage assistant” changed hours on triage cannot be told from this data.",
    "drawn": "fell by 18% (11% to 25%), compared with teams that did not have it at the time: evidence of grade A",
    "share": "hours on triage fell by 4 pp (1 pp to 7 pp), ",
    "level": "hours on triage fell by 3.2 h (1.1 h to 5.0 h), ",
    "minutes": "anything between 5.0 min less and 1.1 min more is possible",
    "days": "fell by 3.2 d (1.1 d to 5.0 d)",
    "its": "fell by 18% (11% to 25%), compared with where things were heading before: evidence of grade C.",
    "before_after": "fell by 25% (14% to 33%), from before to after, with nothing to compare it with: this is no evidence.",
    "plan": "With 8 teams and 30 weeks before and after, only a change of 16% or more would show.",
    "unknown": "What these teams could show cannot be told yet: that takes two teams or more",
    "never": "With 8 teams, no change in hours on triage would show, however large.",
    "stop": "The worst teams were chosen",
    "condition": "Some checks failed, so take this with caution.",
}
FRENCH_HEADLINES = {
    "did": "Après « Assistant de triage », la mesure « heures de triage » a baissé de 18 % (11 % à 25 %), par rapport aux équipes qui n'en disposaient pas au même moment : preuve de grade B.",
    "worse": "la mesure « heures de triage » a augmenté de 12 % (3 % à 22 %) au lieu de baisser, ",
    "open": "aucun changement de la mesure « heures de triage » ne peut être démontré : tout reste possible entre 12 % de moins et 9 % de plus, ",
    "its": "a baissé de 18 % (11 % à 25 %), par rapport à l'évolution engagée auparavant : preuve de grade C.",
    "before_after": "entre avant et après, sans point de comparaison : ce n'est pas une preuve.",
    "plan": "Avec 8 équipes et 30 semaines avant et après, seul un changement d'au moins 16 % se verrait.",
    "share": "a baissé de 4 pt (1 pt à 7 pt), ",
}
IMPROVED = r"\b(fell|rose) by|a (baissé|augmenté) de"


@pytest.mark.parametrize("name", HEADLINES)
def test_the_headline_tells_the_change_with_its_interval_and_its_grade(name):
    assert HEADLINES[name] in plain(ALL[name].headline("en"))


@pytest.mark.parametrize("name", FRENCH_HEADLINES)
def test_the_headline_is_said_in_french(name):
    assert FRENCH_HEADLINES[name] in plain(ALL[name].headline("fr"))


SCREENS = {
    "did": ("keep", "Keep it", "good"),
    "its": ("keep", "Keep it", "good"),
    "worse": ("undo", "Undo it", "bad"),
    "open": ("measure", "Go on measuring", "open"),
    "untold": ("measure", "Go on measuring", "open"),
    "before_after": ("measure", "Go on measuring", "open"),
    "condition": ("measure", "Go on measuring", "open"),
    "plan": ("plan", "Plan the measurement", "open"),
    "stop": ("stop", "Stop:", "bad"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_first_screen_says_what_to_do(name):
    """To keep it without reserve takes evidence of grade C at least, and checks that hold."""
    action, words, tone = SCREENS[name]
    screen = ALL[name].first_screen("en")
    assert ALL[name].action == action
    assert screen.action.startswith(words)
    assert (screen.action == "Keep it") == (tone == "good")
    assert screen.tone == tone


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_claimed_when_the_interval_holds_no_change(name):
    result = ALL[name]
    _, low, high = result.effect
    sure = low is not None and (low > 0) == (high > 0)
    if name in ("stop", "torn") or not sure:
        for language in ("en", "fr"):
            assert not re.search(IMPROVED, result.first_screen(language)._repr_html_())
            assert not re.search(
                IMPROVED, " ".join(f.alt for f in result.figures(language).values())
            )
        assert result.first_screen("en").tone != "good"
    else:
        assert re.search(IMPROVED, result.headline("en"))


def facts(name):
    return {
        fact.name: [plain(line) for line in (fact.value, *fact.remarks)]
        for fact in ALL[name].first_screen("en").facts.items
    }


def test_the_facts_tell_effect_hours_and_teams():
    shown = facts("did")
    assert shown["Measured effect"] == [
        f"{MINUS}18%",
        f"95% interval: {MINUS}25% to {MINUS}11%",
        "evidence of grade B",
    ]
    assert shown["Teams with the change"] == ["4 of 8", "30 weeks in all"]
    assert "Smallest change that would show" not in shown


HOURS = {
    "did": ["648 freed", "between 396 and 900, in the teams with the change (4)"],
    "worse": ["432 more", "between 108 and 792, in the teams with the change (4)"],
    "open": ["open", "anything from 432 freed to 324 more, in the teams with the change (4)"],
}


@pytest.mark.parametrize("name", HOURS)
def test_hours_a_year_are_said_in_words_not_by_signs(name):
    """Freed, more, or open where the interval holds none; in French too."""
    shown = facts(name)["Hours of work a year"]
    assert shown == HOURS[name]
    french = plain(ALL[name].first_screen("fr").facts._repr_html_())
    assert {"did": "648 libérées", "worse": "432 de plus", "open": "incertain"}[name] in french


def test_which_numbers_would_settle_an_open_answer_is_said():
    """The first of the table with at least the own teams and weeks that shows what was measured."""
    words = plain(page_of(ALL["open"], "en"))
    assert (
        "as the one measured (2%) would show with 80 teams and 40 weeks before and after" in words
    )
    never = plain(page_of(ALL["hopeless"], "en"))
    assert "as the one measured (2%) would not show with any of the numbers" in never
    assert "as the one measured" not in page_of(DID, "en")


def test_who_is_compared_is_said():
    assert "4 of 8 teams got the change on 1 June 2026. Each is" in plain(
        re.sub(r"</p>\s*<p>", " ", page_of(DID, "en"))
    )
    words = plain(page_of(ALL["late"], "en"))
    assert "the first on 1 June 2026, the last on 29 June 2026" in words


def test_columns_that_hold_nothing_are_left_out():
    untreated = [at._replace(start=None, after=None, effect=None) for at in CHANGES]
    table = rows(replace(PLAN, teams=tuple(untreated)), "effects", "teams")
    assert table[0] == ["Team A", "28", "20.0"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("single", "waiting, not work"),
        ("share", "a share of items"),
        ("count", "a number of items"),
    ],
)
def test_what_is_no_work_has_no_hours(name, why):
    shown = facts(name)
    assert shown["Hours of work"][0] == "none"
    assert why in shown["Hours of work"][1]
    assert "Hours of work a year" not in shown


@pytest.mark.parametrize(("name", "smallest"), [("open", "14%"), ("plan", "16%")])
def test_where_nothing_is_shown_the_smallest_change_that_would_is_told(name, smallest):
    assert facts(name)["Smallest change that would show"][0] == smallest


REASONS = {
    "before_after": "Picking the worst 4 of 8 teams by all of the time before shows \N{MINUS SIGN}9% by itself",
    "condition": "The worst teams were chosen",
}


@pytest.mark.parametrize("name", REASONS)
def test_what_else_may_explain_it_stands_on_the_first_screen(name):
    assert any(REASONS[name] in plain(reason) for reason in ALL[name].first_screen("en").reasons)


def test_what_cannot_be_relied_on_tells_no_number():
    screen = ALL["stop"].first_screen("en")
    assert [fact.name for fact in screen.facts.items] == ["Checks"]
    assert not screen.reasons
    assert "18%" not in str(screen)


JARGON = r"permutation|jackknife|bootstrap|Newey|imput|regression(?! to)|p =|cluster|did\b.*effects"


@pytest.mark.parametrize("name", ALL)
def test_the_first_screen_has_no_words_of_the_trade(name):
    assert not re.search(JARGON, ALL[name].first_screen("en")._repr_html_())


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        path = ROOT / "tests" / "runs" / "test_french.py"
        spec = importlib.util.spec_from_file_location("test_french", path)
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


@pytest.mark.parametrize("name", ALL)
def test_both_languages_are_whole_in_every_situation(name):
    check, result = french(), ALL[name]
    shown = page_of(result, "fr")
    assert not check.english_in(shown) - {"in"}
    for figure in result.figures("fr").values():
        drawn = " ".join(
            text.get_text()
            for text in figure.drawing.findobj(lambda part: hasattr(part, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH
    english = page_of(result, "en")
    assert not re.search(
        r"\{\w|nan\b|None(?! of)|\(\)|Interval\(|Team \w</t[hd]>.*Équipe", english + shown
    )
    assert len(english) < 60_000


def test_every_sentence_is_said_in_some_situation():
    """So none of the above passes because a sentence never comes up."""
    english = plain(" ".join(page_of(result, "en") for result in ALL.values()))
    drawn = [figure for result in ALL.values() for figure in result.figures("en").values()]
    english += plain(" ".join(f"{figure.alt} {figure.caption}" for figure in drawn))
    english = re.sub("&#39;", "'", english)
    prefixes = ("on_", "headline_", "action_", "value_", "no_work_", "figure_", "method_", "name_")
    unsaid = []
    for key, words in catalogue("en", "change").items():
        if key.startswith(prefixes) and key not in ("no_work_hours", "no_work_minutes"):
            longest = max(re.split(r"\{[^{}]*\}|'|\n", words), key=len).strip()
            unsaid += [key] * (longest not in english)
    assert unsaid == []
    assert set(_SAID) - {"reasons", "facts"} <= set(ChangeResult.PARTS)


def test_the_figures_tell_their_numbers():
    effect, hoped = DID.figures("en").values()
    assert f"{MINUS}2: {MINUS}2% ({MINUS}8% to +4%)." in plain(effect.alt)
    assert f"+4: {MINUS}20% ({MINUS}26% to {MINUS}14%)." in plain(effect.alt)
    assert "What was hoped, widened: 20% (5% to 40%)." in plain(hoped.alt)
    assert "What was measured: 18% (11% to 25%)." in plain(hoped.alt)
    series = ITS.figures("en")["effects"]
    assert f"{MINUS}13: 20.0." in plain(series.alt)
    assert "Without the change the last would have been 22.9." in plain(series.alt)
    assert "+4: 20.0." in plain(BEFORE.figures("en")["effects"].alt)
    assert dict(PLAN.figures("en")) == {}


def rows(result, part, name):
    """Return the rows of a part's table as text, intervals in brackets."""
    words = text(f"change.table_{name}", "en", unit="hours a week")
    (table,) = (
        at for at in getattr(result, part).blocks("en") if getattr(at, "caption", "") == words
    )
    return [
        [plain(cell.text + (f" ({cell.interval})" if cell.interval else "")) for cell in row]
        for row in table.rows
    ]


def test_intervals_stand_in_brackets_in_the_tables():
    assert rows(DID, "sureness", "verdicts")[:2] == [
        [
            "The teams' own changes (t test)",
            f"{MINUS}18% ({MINUS}25% to {MINUS}11%)",
            "0.0012",
            NONE,
        ],
        ["Starts handed out anew (permutation)", f"{MINUS}18%", "0.014", "70"],
    ]
    simple = rows(DID, "averages", "averages")[0]
    assert simple[1:] == [f"{MINUS}18% ({MINUS}25% to {MINUS}11%)", f"{MINUS}17%"]
    assert rows(DID, "effects", "teams")[3:5] == [
        ["Team D", "1 June 2026", "28", "23.0", "20.0", f"{MINUS}10%"],
        ["Team E", "not so far", "28", "24.0", "21.0", NONE],
    ]
    assert rows(DID, "next", "powers") == [
        ["8", "4", "8", "25%"],
        ["8", "4", "13", "21%"],
        ["8", "4", "30", "16%"],
        ["24", "12", "13", "9%"],
    ]  # these teams, or more teams for as long
    assert rows(ITS, "sureness", "lags")[0] == ["3", "0.0500", "0.00300", "0.0540"]


def test_level_and_slope_are_told_on_the_scale_of_the_headline():
    """exp(-.15) - 1 = -.139, not -.15."""
    words = plain(page_of(ITS, "en"))
    assert f"the level changed by {MINUS}14% ({MINUS}22% to {MINUS}5%)" in words
    assert round(math.expm1(-0.15), 2) == -0.14
    assert f"the trend by {MINUS}4% ({MINUS}10% to +2%) over ten periods" in words


def test_what_is_no_evidence_has_no_hours():
    assert "Hours of work a year" in facts("did")
    assert "Hours of work a year" not in facts("before_after")


@pytest.mark.parametrize("hostile", ["=1+1", "<script>alert(1)</script>", "{first}"])
def test_text_from_outside_is_shown_as_text(hostile):
    changes = [at._replace(team=hostile) for at in CHANGES]
    shown = page_of(replace(BEFORE, teams=tuple(changes)), "en")
    assert "<script" not in shown
    assert hostile in shown.replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.slow
def test_the_exploring_cells_run_and_show_themselves(tmp_path, monkeypatch):
    """The headline by statsmodels is that of the result."""
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(ROOT))
    monkeypatch.chdir(tmp_path)
    names = run_cells("change_review")
    assert names["mine"] == pytest.approx(names["ours"], abs=1e-6)
    assert names["two_way"] == pytest.approx(names["result"].two_way, abs=1e-6)
    assert names["result"].compare(names["other"])._repr_mimebundle_()
