"""The document: both languages whole in every variant, its figures those of the result, links that lead somewhere."""

import dataclasses
import importlib.util
import re
import sys
from functools import cache

import pytest
from made_case import HOSTILE, LONG, VARIANTS, made_case

from conftest import ROOT
from opslab.messages import catalogue
from opslab.report import voice
from opslab.report.blocks import Cell, Group, Heading, Pairs, Paragraph, Points, Table, html
from opslab.report.figures import HALF, Figure

THIN, WIDE, MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
PAGES = ["decision", "options", "depends"]
ANNEXES = ["promise", "scenarios", "waterfall", "money", "ledger", "checks", "answers", "method"]


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
        parts = {name: getattr(result, name).blocks(language) for name in result.PARTS}
        _made[key] = result, {name: blocks for name, blocks in parts.items() if blocks}
    return _made[key][1]


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
    assert turned == ["options", "depends", list(made)[3]]
    assert not re.search(
        r"\{\w+[}:]|\bnan\b|\bNone\b|\binf\b", page(result, language).replace("{0}", "")
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


def test_the_first_screen_says_the_result_and_how_sure_it_is(whole):
    screen = whole.first_screen("en")
    assert (screen.action, screen.tone) == ("Approve: Two posts and a tool", "good")
    assert "NPV €310k over 36 months (€50k to €570k in 8 cases out of 10)" in screen.headline
    facts = {name: (value, " ".join(remarks)) for name, value, remarks in screen.facts.items}
    assert facts["NPV, median"][0] == "€310k"
    assert facts["ROI"] == (
        "60%",
        f"NPV over present value of costs, both means on hard benefits only: {MINUS}52%",
    )
    assert facts["Payback, median"][0] == "17 months"
    assert "discounted: 19 months" in facts["Payback, median"][1]
    assert facts["Probability that NPV > 0"][0] == "93% (± 0.1)"
    assert (
        f"worst 5%: below {MINUS}€54k, on average {MINUS}€132k"
        in facts["Probability that NPV > 0"][1]
    )


def test_french_amounts_are_written_as_french_readers_write_them(whole):
    screen = whole.first_screen("fr")
    assert f"VAN de 310{WIDE}k€ sur 36 mois" in screen.headline
    shown = page(whole, "fr")
    assert f"1{THIN}090{WIDE}k€" in shown
    assert f"93{THIN}% (± 0,1)" in shown
    assert f"{MINUS}52{THIN}%" in shown
    assert "15 décembre 2026" in shown
    assert f"24{THIN}000{WIDE}€ / an" in shown


@pytest.mark.parametrize(
    ("name", "action", "tone"),
    [
        ("whole", "Approve: ", "good"),
        ("staged", "Approve stage 1 only: Pilot with two teams", "open"),
        ("deferred", "Defer", "open"),
        ("negative", "Reject", "bad"),
        ("stopped", "Stop", "bad"),
    ],
)
def test_the_answer_follows_the_numbers(name, action, tone):
    screen = variant(name).first_screen("en")
    assert screen.action.startswith(action)
    assert screen.tone == tone


def test_never_is_an_answer():
    result = variant("never pays back")
    shown = page(result, "en")
    assert "never within 36 months" in shown
    assert "in at least half of the cases not paid back" in result.headline("en")
    assert "Not paid back within 36 months" in figures(result, "en")[0].alt
    assert "jamais en 36 mois" in page(result, "fr")


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
    assert rows[0][0].remark == "what the figures speak for"
    assert "€104k until the gate of 30 April 2027" in rows[1][1].text
    assert "cost €21k" in rows[2][1].text
    assert "€240k" in rows[3][1].text
    bare = table(variant("deferred"), "decision", "Answer").rows
    assert len(bare) == 3  # no stage 1 without one


def test_options_stand_on_the_same_criteria(whole):
    options = table(whole, "options", "Option")
    assert [words(one[0]) for one in options.rows] == [
        "Do nothing",
        *(one.name for one in whole.options),
    ]
    assert {len(one) for one in options.rows} == {len(options.columns)}
    best = row(options.rows, "Two posts and a tool")
    assert (best[3].text, best[3].interval) == ("€310k", "€50k\u00a0to\u00a0€570k")
    differences = table(whole, "options", "Against")
    _, more, better = row(differences.rows, "Four posts")
    assert (more.text, more.interval) == ("+€270k", f"{MINUS}€30k\u00a0to\u00a0+€570k")
    assert better == "81%"


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
    assert table(other, "options", "Against").rows == table(whole, "options", "Against").rows


def test_benefits_stand_under_the_three_gains_with_their_kind_and_grade(whole):
    benefits = table(whole, "options", "Benefit")
    assert [group.head.text.split(":")[0] for group in benefits.groups] == [
        "Time",
        "Decision quality",
        "Alignment",
    ]
    rows = [one for group in benefits.groups for one in group.rows]
    for line in whole.lines:
        found = row(rows, line.name)
        assert found[1:3] == [line.kind, line.grade]
        assert [ref.label for ref in found[0].refs] == list(line.refs)
        if not line.counted:
            assert found[4].text == "outside the NPV"
    assert benefits.groups[2].head.remark.startswith(
        "Not measured, owed: Whether teams share the same three"
    )


def test_a_gain_without_benefit_says_so():
    whole = made_case(debts=[])
    none = dataclasses.replace(
        whole, lines=tuple(one for one in whole.lines if one.gain != "alignment")
    )
    groups = table(none, "options", "Benefit").groups
    assert (
        groups[2].head.remark == "Nothing is claimed here, and nothing is planned to be measured."
    )


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
    assert row(scenarios, "Costs")[4] == "€245k"
    drivers = table(whole, "scenarios", "Quantity").rows
    first = drivers[0]
    assert first[1:] == ["68%\u00a0to\u00a092%", "€100k\u00a0to\u00a0€470k", "41%", "34%", "€9k"]
    years = table(whole, "money", "Year").rows
    assert [len(one) for one in years] == [7, 7, 7]
    assert words(years[0][1]) == "€166k"


def test_a_fallen_grade_says_why(whole):
    rows = table(whole, "ledger", "Id").rows
    changed, gone = row(rows, "A5"), row(rows, "A6")
    assert (changed[3].text, changed[3].tone) == ("F", "bad")
    assert "was E: its file costs.csv was changed" in changed[3].remark
    assert "is gone" in gone[3].remark
    assert "widened" in gone[2].remark
    assert "overdue since" in row(rows, "A1")[4].remark
    files = row(table(whole, "checks", "Check").rows, "Files behind the numbers")[3]
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
        "promised €240k"
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


def test_no_word_of_the_document_is_left_over():
    """Some variant says each message of the document; words of currencies, timings and units have no variant."""
    for name in VARIANTS:
        page(variant(name), "en")
    names = list(catalogue("en", "businesscase"))
    own = {
        f"businesscase.{name}"
        for name in names[names.index("gain_time") : names.index("debts_warn") + 1]
    }
    rare = (
        "unit_",
        "timing_",
        "terms_",
        "axis_",
        "origin_default",
        "no_roi",
        "waterfall_title_none",
        "next_none",
        "rest",
        "signed",
        "no_gain",
        "others_only",
        "table_every_benefit",
        "what_default",
        "what_option",
        "reason_no_switch",
        "reply_mind",
        "foot",
    )
    assert sorted(key for key in own - _said if not key.partition(".")[2].startswith(rare)) == []


def test_every_kind_of_block_is_known(whole):
    kinds = {type(one) for one in blocks(whole, "en")} - {type(whole.first_screen("en"))}
    assert kinds <= {Heading, Pairs, Paragraph, Points, Table, Figure}
    assert Group
