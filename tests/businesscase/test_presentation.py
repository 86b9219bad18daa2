"""The document: both languages whole in every variant, its figures those of the result, links that lead somewhere."""

import dataclasses
import importlib.util
import io
import re
import sys
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans, sampled_from
from made_case import HOSTILE, LONG, VARIANTS, made_case

from conftest import ROOT
from opslab.messages import catalogue
from opslab.report import voice
from opslab.report.blocks import (
    Cell,
    Folded,
    Group,
    Heading,
    Pairs,
    Paragraph,
    Points,
    Table,
    html,
)
from opslab.report.figures import HALF, Figure

THIN, WIDE, MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
BENEFIT = "Benefit, and how it is calculated"
PAGES = ["decision", "options", "depends"]
ANNEXES = ["promise", "waterfall", "scenarios", "money", "ledger", "checks", "answers", "method"]


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "test_french", ROOT / "tests" / "runs" / "test_french.py"
        )
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


_made = {}
_said = set()


@pytest.fixture(scope="module", autouse=True)
def _listening():
    """Keep the keys of all messages that are said."""
    whole_text = voice.text

    def text(key, *given, **values):
        _said.add(key)
        return whole_text(key, *given, **values)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(voice, "text", text)
        yield


@cache
def variant(name):
    """Return a variant, made once."""
    return made_case(**VARIANTS[name])


def laid_out(result, language="en"):
    """Return a result's parts that show something, laid out once."""
    key = id(result), language
    if key not in _made:
        parts = {name: unfolded(getattr(result, name).blocks(language)) for name in result.PARTS}
        _made[key] = result, {name: blocks for name, blocks in parts.items() if blocks}
    return _made[key][1]


def unfolded(blocks):
    return [
        one for block in blocks for one in (block.blocks if isinstance(block, Folded) else [block])
    ]


@pytest.fixture(scope="module", params=list(VARIANTS))
def result(request):
    return variant(request.param)


@pytest.fixture(scope="module")
def whole():
    return variant("whole")


def blocks(result, language):
    return [
        result.first_screen(language),
        *(one for part in laid_out(result, language).values() for one in part),
    ]


def figures(result, language):
    return [one for one in blocks(result, language) if isinstance(one, Figure)]


def page(result, language):
    return str(html([one for one in blocks(result, language) if not isinstance(one, Figure)]))


def table(result, section, head, language="en"):
    found = [
        one
        for one in laid_out(result, language)[section]
        if isinstance(one, Table) and one.columns[0] == head
    ]
    assert len(found) == 1
    return found[0]


def row(rows, name):
    return next(one for one in rows if words(one[0]) == name)


def words(cell):
    return cell.text if isinstance(cell, Cell) else cell


def own_words(result):
    """Return what the analyst and the test wrote: it is shown as written."""

    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for one in value.values():
                yield from texts(one)
        elif isinstance(value, list | tuple):
            for one in value:
                yield from texts(one)
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                yield from texts(getattr(value, field.name))

    codes = {
        "do_nothing",
        "recommended",
        "minimum",
        "stretch",
        "other",
        "time",
        "decisions",
        "alignment",
        "capacity",
        "quality",
        "hard",
        "enabled",
        "share",
        "months",
        "hours",
        "fixed",
        "lognormal",
        "evidence",
        "approve",
    }
    said = [
        *texts(result.case.model_dump()),
        *texts(result.ledger),
        *texts(result.previous),
        *texts(result.checks),
        *texts(result.sources),
    ]
    return french().words(" ".join(one for one in said if one not in codes))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_variant_has_its_sections_in_order(result, language):
    made = laid_out(result, language)
    wanted = [*PAGES, *ANNEXES]
    assert [name for name in wanted if name in made] == list(made)
    assert set(wanted) - set(made) <= {"promise"}
    for part in made.values():
        assert isinstance(part[0], Heading)
    turned = [name for name, part in made.items() if part[0].new_page]
    assert turned == ["options"]
    assert not re.search(
        r"\{\w+[}:]|\bnan\b|\bNone\b(?! of)|\binf\b", page(result, language).replace("{0}", "")
    )


def test_every_variant_is_french_in_french(result):
    check, own = french(), own_words(result)
    shown = page(result, "fr")
    assert not check.english_in(shown) - own
    text = re.sub("<[^>]+>", " ", shown)
    assert not re.search(r"\d%", text.replace("20 %", ""))
    assert not re.search(r"[€$£]\d", text.replace("€233k", ""))
    for figure in figures(result, "fr"):
        drawn = " ".join(
            one.get_text() for one in figure.drawing.findobj(lambda one: hasattr(one, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH - own
        assert not re.search(r"[€]\d|\d[.]\d", drawn)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_links_lead_to_lines_of_the_ledger(result, language):
    shown = page(result, language)
    anchors = re.findall(r'id="(ledger-\d+)"', shown)
    assert len(anchors) == len(set(anchors)) == len(result.ledger)
    cited = set(re.findall(r'href="#([^"]+)"', shown))
    assert cited <= set(anchors)
    assert len(cited) > 5
    for entry, anchor in zip(result.ledger, anchors, strict=True):
        assert re.search(
            f'<span id="{anchor}">[^<]+</span>(<span class="remark">{entry.id}</span>)?', shown
        )
        for line in result.lines:
            assert entry.id not in line.refs or anchor in cited


@pytest.mark.parametrize("language", ["en", "fr"])
def test_alt_texts_carry_the_numbers(result, language):
    made = figures(result, language)
    for figure in made:
        assert len(re.findall(r"\d+", figure.alt)) >= 4
        assert figure.caption
    fan, options = made[:2]
    for option in result.options:
        assert option.name in options.alt
    assert fan.drawing.get_figwidth() == HALF  # beside the options, on paper
    for value in result.recommended.fan[-1]:
        assert f"{round(abs(value) / 1000)}" in fan.alt


def test_the_same_result_makes_the_same_page(whole):
    other = made_case()
    assert page(whole, "fr") == page(other, "fr")
    assert figures(whole, "fr")[0].svg() == figures(other, "fr")[0].svg()


def test_the_first_screen_says_what_is_asked_what_it_brings_and_how_sure_it_is(whole):
    screen = whole.first_screen("en")
    assert (screen.action, screen.tone) == ("Approve: Two posts and a tool", "good")
    assert "NPV of €310k over 36 months (between €50k and €570k in 8 cases out of 10)" in (
        screen.headline
    )
    assert "a chance of loss of 7%" in screen.headline
    facts = {name: (value, " ".join(remarks)) for name, value, remarks in screen.facts.items}
    assert facts["Cost now"] == (
        "€104k",
        "stage 1, until 30 April 2027 plus €5k for risks in all €520k over 36 months",
    )
    assert facts["Expected NPV"][0] == "€310k"
    assert "€50k\u00a0to\u00a0€570k" in facts["Expected NPV"][1]
    assert facts["Chance of a loss"] == (
        "7%",
        f"about 1 in 10 worst 5%: {MINUS}€132k; if all goes wrong: {MINUS}€366k",
    )
    assert facts["Payback"] == (
        "17 months",
        f"no payback in 12% of cases lowest point: {MINUS}€156k in month 9",
    )
    told = " ".join(one.text for one in screen.reasons)
    assert "€220k more than the next best option, Tool alone" in told
    assert "Tagging of feedback (€202k)" in told
    assert "45% of the benefits rest on what people say" in told
    assert "is below 41% (expected: 80%)" in told
    assert "Hours of tagging a week at 58\u00a0hours" in told


def test_the_share_that_people_say_is_that_of_the_check(whole):
    said = sum(
        line.present.mean for line in whole.taken if line.counted and line.grade in ("E", "F")
    )
    assert whole.said == pytest.approx(
        said / sum(line.present.mean for line in whole.taken if line.counted)
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "less than 1 in 20"),
        (0.049, "less than 1 in 20"),
        (0.05, "about 1 in 10"),
        (0.32, "about 3 in 10"),
        (0.93, "about 9 in 10"),
        (0.96, "more than 19 in 20"),
    ],
)
def test_a_chance_is_told_in_words(whole, share, words):
    assert whole.voice("en").odds(share) == words


def test_without_a_stage_what_it_costs_now_is_the_first_fiscal_year():
    facts = variant("deferred").first_screen("en").facts.items
    assert facts[0][1] == "€208k"  # 15 % at once, 25 % of the rest of 520k
    assert "in fiscal year 2027" in facts[0][2]


def test_a_fiscal_year_has_the_name_of_its_years():
    finance = {"currency": "EUR", "start": "2027-01-01", "fiscal_year": 4}
    say = made_case(finance=finance).voice("en")
    start = made_case().months[0]
    assert say.fiscal(start) == "2026/27"
    assert say.fiscal(start.replace(month=4)) == "2027/28"


def test_french_amounts_are_written_as_french_readers_write_them(whole):
    screen = whole.first_screen("fr")
    assert f"VAN attendue de 310{WIDE}k€ sur 36 mois" in screen.headline
    shown = page(whole, "fr")
    assert f"1{THIN}020{WIDE}k€" in shown
    assert f"probabilité de perte de 7{THIN}%" in screen.headline
    assert f"{MINUS}52{THIN}%" in shown
    assert "15 décembre 2026" in shown
    assert f"24{THIN}000{WIDE}€ par an" in shown


@pytest.mark.parametrize(
    ("name", "action", "tone"),
    [
        ("whole", "Approve: ", "good"),
        ("staged", "Approve stage 1 only: Pilot with two teams", "open"),
        ("deferred", "Defer", "open"),
        ("never pays back", "Another option is better: Tool alone", "open"),
        ("close", "Too close to call: run more draws", "open"),
        ("negative", "Reject", "bad"),
        ("stopped", "Stop", "bad"),
    ],
)
def test_the_answer_follows_the_numbers(name, action, tone):
    screen = variant(name).first_screen("en")
    assert screen.action.startswith(action)
    assert screen.tone == tone


VERDICTS = [
    ({}, "Payback in 17 months."),
    ({"payback": None}, "No payback within 36 months."),
    ({"npv": -30_000.0}, "Tool alone is better: expected NPV of €90k, €120k more."),
    (
        {"action": "other", "rule": "p_positive", "bound": 0.9, "chance": 0.62},
        "at least 90%; here it is 62%. Tool alone meets this rule, with an expected NPV of €90k.",
    ),
    ({"npv": -300.0, "action": "reject"}, "it loses €300 compared with doing nothing."),
    (
        {"npv": 400.0, "action": "close"},
        "from Do nothing is €400, with a Monte Carlo error of €900",
    ),
    (
        {"action": "close", "rule": "worst", "bound": -132_100.0, "error": 1.0},
        f"average at least {MINUS}€132,100; here they average {MINUS}€132,000. These draws cannot",
    ),
    ({"action": "close", "wide": ("n",)}, "At least one range is too wide"),
    ({"action": "close", "margin": 0.0, "error": 0.0}, "It is worth the same as Do nothing"),
]


def decided(more):
    """Return the headline of a made case, its choice and what is too wide as given."""
    given = dict(more)
    wide = given.pop("wide", ())
    changes = {name: given.pop(name) for name in ("margin", "error") if name in given}
    result = made_case(**given)
    choice = dataclasses.replace(result.choice, **changes)
    return dataclasses.replace(result, choice=choice, wide=wide).headline("en")


@pytest.mark.parametrize(("more", "sentence"), VERDICTS)
def test_the_headline_names_what_decides(more, sentence):
    assert sentence in decided(more)


def test_never_is_an_answer():
    result = variant("never pays back")
    shown = page(result, "en")
    assert "none within 36 months" in shown or "No payback within 36 months" in shown
    assert "No payback within 36 months" in figures(result, "en")[0].alt
    assert "non récupéré en 36 mois" in page(result, "fr")


def test_a_red_check_takes_the_money_away():
    result = variant("stopped")
    screen = result.first_screen("en")
    assert not screen.facts.items
    assert "no benefit is claimed" in screen.headline
    assert "€" not in screen.headline
    made = laid_out(result)
    for name in ("decision", "options", "depends", "scenarios", "waterfall", "money"):
        note = made[name][1]
        assert isinstance(note, Paragraph), name
        assert note.tone == "bad"
    assert not [
        one for one in made["decision"] if isinstance(one, Table) and one.columns[0] == "Answer"
    ]
    assert all(one.alt.startswith("Not valid") for one in figures(result, "en"))


def test_the_four_answers_say_what_they_set_off(whole):
    rows = table(whole, "decision", "Answer").rows
    assert [words(one[0]) for one in rows] == [
        "☐ Approve",
        "☐ Approve stage 1",
        "☐ Defer",
        "☐ Reject",
    ]
    assert rows[0][0].remark == "supported by the figures"
    assert "€520k over 36 months" in rows[0][1].text
    assert "gate by gate" in rows[0][1].text
    assert "€104k until 30 April 2027" in rows[1][1].text
    assert "costs €21k" in rows[2][1].text
    assert "€240k" in rows[3][1].text
    bare = table(variant("deferred"), "decision", "Answer").rows
    assert len(bare) == 3  # no stage 1 without one
    other = table(variant("never pays back"), "decision", "Answer").rows
    assert words(other[2][0]) == "☐ Approve Tool alone"
    assert other[2][0].remark
    close = table(variant("close"), "decision", "Answer").rows
    assert not [one for one in close if one[0].remark]


def test_options_stand_on_the_same_criteria(whole):
    options = table(whole, "options", "Option")
    assert [words(one[0]) for one in options.rows] == [
        "Do nothing",
        *(one.name for one in whole.options),
    ]
    assert {len(one) for one in options.rows} == {len(options.columns)}
    best = row(options.rows, "Two posts and a tool")
    assert (best[3].text, best[3].interval) == ("€310k", "€50k\u00a0to\u00a0€570k")
    assert best[3].remark == "IRR 31%"
    assert "2,400 h/year · 1.5 FTE" in best[0].remark
    other = row(options.rows, "Four posts")
    more, better = other[7], other[7].remark
    assert (more.text, more.interval) == ("+€270k", "+€70k\u00a0to\u00a0+€470k")
    assert better == "better in 81% of cases"


@pytest.mark.parametrize(
    ("rates", "words"),
    [((), "no IRR"), ((0.31,), "IRR 31%"), ((0.05, 0.8), "no single IRR: 5% and 80%")],
)
def test_an_irr_that_is_none_or_several_says_so(whole, rates, words):
    assert whole.voice("en").irr(rates) == words


def test_a_difference_is_told_from_the_recommended_option():
    whole = variant("whole")
    turned = [
        one.__class__(
            one.b,
            one.a,
            one.npv.__class__(
                *(-value for value in (one.npv.mean, one.npv.p90, one.npv.p50, one.npv.p10))
            ),
            1 - one.better,
        )
        for one in whole.differences
    ]
    other = dataclasses.replace(whole, differences=tuple(turned))
    assert table(other, "options", "Option").rows == table(whole, "options", "Option").rows


def test_gains_beyond_money_are_weighed(whole):
    (scores,) = [
        one
        for one in laid_out(whole)["options"]
        if isinstance(one, Table) and "not expressed in money" in one.caption
    ]
    assert list(scores.columns[1:]) == [one.name for one in whole.case.options]
    sums = dict(zip(scores.columns, scores.rows[-1], strict=True))
    assert sums["Do nothing"] == "5"  # 3 x 1 + 1 x 2
    assert sums["Two posts and a tool"] == "14.5"  # 3 x 4 + 1 x 2.5
    assert sums["Four posts"] == "0"  # no score is none


def test_a_calculation_can_be_followed_with_a_pocket_calculator(whole):
    rows = [one for group in table(whole, "options", BENEFIT).groups for one in group.rows]
    for line in whole.lines:
        told = row(rows, line.name)[0].remark.partition(" · ")[0]
        left, _, right = told.partition(" = ")
        numbers = [
            float(re.search(r"[\d,.]+", part)[0].replace(",", "")) / (100 if "%" in part else 1)
            for part in left.split(" \N{MULTIPLICATION SIGN} ")
        ]
        product = 1.0
        for number in numbers:
            product *= number
        shown = float(re.search(r"[\d.]+", right)[0]) * 1000
        assert product == pytest.approx(shown, rel=0.03), told


def test_benefits_stand_under_the_three_gains_with_their_kind_and_grade(whole):
    benefits = table(whole, "options", BENEFIT)
    assert [group.head.text.split(":")[0] for group in benefits.groups] == [
        "Time",
        "Decision quality",
        "Alignment",
    ]
    rows = [one for group in benefits.groups for one in group.rows]
    for line in whole.lines:
        found = row(rows, line.name)
        kind = {"hard": "cashable"}.get(line.kind, line.kind)
        assert (found[1].text, found[1].remark) == (kind, f"grade {line.grade}")
        assert [ref.label for ref in found[0].refs] == list(line.refs)
        if not line.counted:
            assert found[2].text == "outside the NPV"
    assert benefits.groups[2].head.remark.startswith(
        "Promised, not yet measured: Whether teams share the same three"
    )


def test_a_gain_without_benefit_says_so():
    whole = made_case(debts=[])
    none = dataclasses.replace(
        whole, lines=tuple(one for one in whole.lines if one.gain != "alignment")
    )
    groups = table(none, "options", BENEFIT).groups
    assert groups[2].head.remark == (
        "No money is claimed here; measured against a target: "
        "Teams that use the taxonomy and Duplicate requests a month."
    )
    kpis = tuple(kpi.model_copy(update={"gain": "time"}) for kpi in none.case.kpis)
    case = none.case.model_copy(update={"kpis": kpis})
    groups = table(dataclasses.replace(none, case=case), "options", BENEFIT).groups
    assert groups[2].head.remark == "Nothing is claimed here, and no measurement is planned."


def test_what_is_on_the_pages_is_what_the_result_holds(whole):
    shown = re.sub("<[^>]+>", " ", page(whole, "en"))
    for target in whole.targets:
        assert target.kpi.name in shown
    for risk in whole.case.risks:
        assert risk.risk in shown
        assert risk.trigger in shown
    for step in whole.case.roadmap:
        assert step.name in shown
    scenarios = table(whole, "scenarios", "Measure").rows
    assert [words(cell) for cell in row(scenarios, "NPV")[1:]] == [
        "€50k",
        "€310k",
        "€570k",
        "\N{EN DASH}",
    ]
    assert row(scenarios, "Costs")[4] == "€240k"
    drivers = table(whole, "scenarios", "Quantity").rows
    first = drivers[0]
    assert first[0].remark == "p10 to p90: 68%\u00a0to\u00a092%"
    assert first[1:] == ["€100k\u00a0to\u00a0€470k", "41%", "34%", "€9k"]
    years = table(whole, "money", "Year").rows
    assert [len(one) for one in years] == [7, 7, 7]
    assert words(years[0][1]) == "€166k"
    assert [words(one[0]) for one in years] == ["2027", "2028", "2029"]
    otherwise = row(
        next(
            one.rows
            for one in laid_out(whole)["money"]
            if isinstance(one, Table) and "at 10%" in one.columns
        ),
        "NPV",
    )
    assert otherwise[2] == "€310k"  # the case's own rate
    assert otherwise[-1] == "€310k"  # and its own horizon
    parties = table(whole, "money", "Who").rows
    assert [words(one[0]) for one in parties] == ["product managers", "not named"]
    assert row(parties, "product managers")[1:] == ["€120k", "€0", "€120k"]


def test_a_fallen_grade_says_why(whole):
    rows = table(whole, "ledger", "Id").rows
    changed, gone = row(rows, "A5"), row(rows, "A6")
    assert (changed[3].text, changed[3].tone) == ("F", "bad")
    assert "was E: its file costs.csv has changed" in changed[3].remark
    assert "is missing" in gone[3].remark
    assert "widened" in gone[2].remark
    assert "overdue since" in row(rows, "A1")[1].remark
    files = row(table(whole, "checks", "Check").rows, "Files behind the figures")[3]
    assert "Contractor for analyses, budget line 6228" in files.text
    assert "A5" in [one.label for one in files.refs]
    evidence = row(rows, "E1")
    assert (
        evidence[1].refs[0].href
        == "../../../time_saved/product-desk/2026-10-05-0a1b2c3d/readout.html"
    )


def test_the_ten_questions_are_answered_with_figures(whole):
    for result in (whole, variant("no evidence")):
        rows = table(result, "answers", "Question").rows
        assert len(rows) == 10
        assert all(re.search(r"\d|€", answer.text) for _, answer in rows)
    assert (
        "promised an NPV of €240k"
        in row(table(whole, "answers", "Question").rows, "What did the last case deliver?")[1].text
    )


def test_no_state_is_told_by_colour_alone(whole):
    cells = [
        cell
        for one in blocks(whole, "en")
        if isinstance(one, Table)
        for line in (*one.rows, *(each for group in one.groups for each in group.rows))
        for cell in line
    ]
    toned = [cell for cell in cells if isinstance(cell, Cell) and cell.tone != "plain"]
    assert len(toned) > 5
    assert all(cell.text.strip() and (len(cell.text) > 1 or cell.remark) for cell in toned)


def test_words_of_others_are_text(whole):
    shown = page(variant("hostile"), "en")
    assert "<script" not in shown
    assert HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in shown
    for figure in figures(variant("hostile"), "en"):
        assert "<script" not in figure.svg()
    assert LONG in page(variant("long"), "en")


def test_small_and_large_cases_have_their_own_unit():
    small = made_case(npv=4_000.0, costs=9_000.0)
    assert "€" in small.headline("en")
    large = made_case(npv=31_000_000.0, costs=52_000_000.0)
    assert "€31.0M" in large.headline("en")
    assert f"31,0{WIDE}M€" in large.headline("fr")


def test_a_case_of_another_currency_names_it():
    finance = {"currency": "CHF", "start": "2027-01-01"}
    result = made_case(finance=finance)
    assert f"CHF{WIDE}310k" in result.headline("en")
    assert f"310{WIDE}kCHF" not in result.headline("fr")
    assert f"310{WIDE}k{WIDE}CHF" in result.headline("fr")


def sentences(result, language):
    """Return what the program says of a case: text of all pages but the standing questions."""
    parts = [
        one
        for name, part in laid_out(result, language).items()
        if name not in ("answers", "method")
        for one in part
    ]
    drawn = [f"{one.alt} {one.caption}" for one in parts if isinstance(one, Figure)]
    shown = html([one for one in parts if not isinstance(one, Figure)])
    screen = html([result.first_screen(language)])
    return re.sub(r"<[^>]+>", " ", f"{screen} {shown} {' '.join(drawn)}")


ROADMAP = [
    {"id": "pilot", "name": "Pilot", "starts": "2027-01-01", "ends": "2027-04-30"},
    {"id": "rollout", "name": "Roll-out", "starts": "2027-05-01", "ends": "2027-09-30"},
]
WANTED = {"wanted": "Approve", "by": "2026-12-15", "who": "CPO"}
SAID = {
    name: {"en": english, "fr": french}
    for name, english, french in (
        ("stage", r"[Ss]tage 1", r"phase 1"),
        ("gates", r"gate by gate|Gate:", r"jalon (en|par) jalon|Jalon de décision :"),
        ("debts", r"Promised, not yet measured:", r"Promis, pas encore mesuré"),
        ("others", r"Tool alone|next best", r"Tool alone|deuxième option"),
        ("previous", r"promised an NPV", r"promettait une VAN"),
        ("hours", r"h/year|FTE|Hours freed a year", r"h/an|ETP|Heures libérées par"),
        ("payback", r"Payback in", r"(?<!pas )(?<!non )récupérée en \d"),
        ("never", r"No payback within", r"n('|&#39;)est pas récupérée|non récupérée en \d"),
        ("pays", r"no longer pays|and a tool comes first", r"est plus rentable|a tool en tête"),
        ("first", r"comes first|brings \W?€", r"en tête|rapporte"),
        (
            "twice",
            rf"(los\w+|costs?|saves|brings) {MINUS}",
            rf"(perd|coûte|gagner|rapporte) {MINUS}",
        ),
        ("median", r"median NPV|NPV, median", r"VAN médiane|médiane de la VAN"),
        ("haste", r"later costs", r"plus tard coûte"),
        ("leisure", r"later improves|almost no difference", r"améliore le résultat|presque rien"),
    )
}
NPVS = [310_000.0, 200.0, 0.0, -200.0, -300_000.0]


@settings(
    max_examples=25,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    stage=booleans(),
    gates=booleans(),
    npv=sampled_from(NPVS),
    payback=sampled_from([17.0, None]),
    debts=booleans(),
    alone=booleans(),
    previous=booleans(),
    hours=booleans(),
    waiting=sampled_from([21_000.0, 100.0, -21_000.0]),
    action=sampled_from([None, "close", "defer", "reject", "stage"]),
    language=sampled_from(["en", "fr"]),
)
def test_no_sentence_names_what_the_case_does_not_have(
    stage, gates, npv, payback, debts, alone, previous, hours, waiting, action, language
):
    if action == "stage" and not stage:
        action = "defer"
    if alone and action is None:
        action = "approve" if npv > 0 else "reject"
    if (action == "reject" and npv >= 0) or (action in ("stage", "defer", "approve") and npv <= 0):
        action = "close"
    rule = {"rule": "p_positive", "bound": 0.8} if action in ("stage", "defer") else {}
    result = made_case(
        npv=npv,
        payback=payback,
        alone=alone,
        previous=previous,
        measured=False,
        hours=hours,
        waiting=waiting,
        action=action,
        roadmap=[one | ({"gate": "20 %"} if gates else {}) for one in ROADMAP],
        decision=WANTED | ({"stage": "pilot"} if stage else {}),
        **({} if debts else {"debts": []}),
        **rule,
    )
    said = sentences(result, language)
    absent = {
        "stage": not stage,
        "gates": not gates,
        "debts": not debts,
        "others": alone,
        "previous": not previous,
        "hours": not hours,
        "payback": payback is None,
        "never": payback,
        "pays": npv <= 0,
        "first": npv <= 0 and alone,
        "twice": True,
        "median": True,
        "haste": waiting < 0,
        "leisure": waiting > 100,
    }
    for name, without in absent.items():
        found = re.search(SAID[name][language], said) if without else None
        assert not found, said[max(found.start() - 80, 0) : found.end() + 40]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_case_that_has_it_says_so(whole, language):
    """What the test above looks for is what is said."""
    said = sentences(whole, language)
    for name in ("stage", "gates", "debts", "others", "previous", "hours", "payback", "pays"):
        assert re.search(SAID[name][language], said), name
    assert re.search(SAID["never"][language], sentences(made_case(payback=None), language))
    assert re.search(SAID["haste"][language], said)
    assert re.search(SAID["leisure"][language], sentences(made_case(waiting=-9e3), language))


@pytest.mark.parametrize(("length", "parts"), [("one_page", 1), ("three_pages", 3), ("full", None)])
def test_a_length_shows_so_many_pages(length, parts):
    result = made_case(length=length)
    names = [name for name in result.PARTS if getattr(result, name).blocks("en")]
    assert names == [*PAGES, *ANNEXES][:parts]
    assert result.record() == variant("whole").record()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("length", "pages"), [("one_page", 1), ("three_pages", 3)])
def test_the_paper_has_so_many_pages(length, pages, language):
    pytest.importorskip("typst")
    reader = pytest.importorskip("pypdf").PdfReader
    result = made_case(length=length)
    (content,) = result.documents(language).values()
    assert len(reader(io.BytesIO(content)).pages) == pages


def test_no_word_of_the_document_is_left_over():
    """Some variant says each message of the document; words of currencies, timings and units have no variant."""
    for name in VARIANTS:
        page(variant(name), "en")
    for more, _ in VERDICTS:
        decided(more)
    names = list(catalogue("en", "businesscase"))
    own = {
        f"businesscase.{name}"
        for name in names[names.index("kind_hard") : names.index("no_likelihood") - 1]
    }
    rare = (
        *("unit_", "timing_", "terms_", "axis_", "finance_", "what_default", "what_option"),
        *("origin_default", "no_roi", "waterfall_title_none", "next_none", "rest", "signed"),
        *(
            "no_gain",
            "targets_only",
            "others_only",
            "table_every_benefit",
            "reply_mind",
            "foot",
            "posts",
        ),
        *("reason_turn_none", "reply_adoption_none", "rule_expected", "irr_several", "factor_"),
        *("odds_", "status_dropped", "status_missed"),
        *("decided_after", "draws", "hours_a_year", "idle_", "not_given", "outside_horizon"),
        *("sunk", "untaken", "volume_money"),
    )
    left = {key.partition(".")[2] for key in own - _said}
    assert sorted(key for key in left if not (key.startswith(rare) or key.endswith("_pass"))) == []


def test_every_kind_of_block_is_known(whole):
    kinds = {type(one) for one in blocks(whole, "en")} - {type(whole.first_screen("en"))}
    assert kinds <= {Heading, Pairs, Paragraph, Points, Table, Figure}
    assert Group
