"""Every word in both languages, numbers as their readers write them, and values that stay values."""

import ast
import datetime
import doctest
import re
import string
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslab
from opslab import messages
from opslab.messages import LANGUAGES, Bilingual, catalogue, numbers, one_line, text, units
from opslab.messages.numbers import Numbers
from opslab.messages.units import counted

SOURCE = Path(opslab.__file__).parent
AREAS = sorted(path.stem for path in (SOURCE / "messages" / "en").glob("*.toml"))
KEYS = {f"{area}.{name}" for area in AREAS for name in catalogue("en", area)}
DAY = datetime.date(2026, 9, 28)
THIN, WIDE, MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
TWICE = {
    "businesscase.column_driver timesaved.column_quantity",
    "businesscase.column_kind timesaved.column_benefit",
    "businesscase.column_measured timesaved.measured_data",
    "businesscase.kind_capacity timesaved.benefit_capacity",
    "businesscase.kind_hard timesaved.benefit_hard",
    "businesscase.kind_quality timesaved.benefit_quality",
    "businesscase.row_hours timesaved.fact_freed",
    "businesscase.section_checks words.fact_checks",
    "businesscase.unit_month tables.first_month",
}
"""What areas still word twice; nothing comes to it, and it ends empty."""
VOICED = {"experiments", "feedback", "timesaved", "businesscase", "tables"}
VOICED |= {"flow"}
VOICED |= {"prioritisation", "launch_readiness", "launch_report", "standards", "plan", "program"}
VOICED |= {"roadmap", "decisions", "practices", "contribution"}
VOICED |= {"digest", "change"}


def test_examples_run():
    assert doctest.testmod(messages).failed == 0
    assert doctest.testmod(numbers).failed == 0
    assert doctest.testmod(units).failed == 0


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_have_every_message(area):
    assert sorted(path.stem for path in (SOURCE / "messages" / "fr").glob("*.toml")) == AREAS
    assert list(catalogue("en", area)) == list(catalogue("fr", area))


def fields(template):
    return [
        (name, form) for _, name, form, _ in string.Formatter().parse(template) if name is not None
    ]


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_name_the_same_values(area):
    for name, english in catalogue("en", area).items():
        french = catalogue("fr", area)[name]
        plain = [
            {
                (value, form.partition(":")[0])
                for value, form in fields(said)
                if "plural" not in form
            }
            for said in (english, french)
        ]
        assert plain[0] == plain[1], name
        assert {value for value, _ in fields(english)} == {value for value, _ in fields(french)}, (
            name
        )
        for value, form in fields(english) + fields(french):
            kind, _, detail = form.partition(":")
            assert value.isidentifier(), name
            assert not kind or callable(getattr(Numbers, kind)), name
            assert kind != "plural" or len(detail.split("|")) == 2, name


@pytest.mark.parametrize("area", AREAS)
def test_french_is_typeset(area):
    code = r"`[^`]*`|\{[^}]*\}|missing: \w+|type: |data: |path: |rows: |nom: |relative: |per: row|"
    code += r"claim: |per: |unit: |period: |robust: |time: |registered: |event_time: |method: |"
    code += r"design: |settled: |scale: |family: |exponent: "
    for name, said in catalogue("fr", area).items():
        assert not re.search(r"\w[;!?»]|«\w|\w:(\s|$)", re.sub(code, "", said)), name
        assert said == said.strip(), name


HOLE = None  # what an f-string takes from a value
VERBS = {  # of a voice: how the message is called whose name it is given
    "paragraph": "{}",
    "remark": "{}",
    "heading": "section_{}",
    "fact": "fact_{}",
    "table": "table_{}",
}


def named(argument):
    """Return the texts that an argument may be, each in its parts."""
    match argument:
        case ast.Constant(value=str(words)):
            return [[words]]
        case ast.JoinedStr(values=values):
            return [[part.value if isinstance(part, ast.Constant) else HOLE for part in values]]
        case ast.IfExp(body=body, orelse=other):
            return named(body) + named(other)
        case _:
            return [[HOLE]]


def asked_of_voices(nodes):
    """Return the names of messages that a module asks voices for, each in its parts."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="say" | "self"), args=[name, *_]):
                yield from named(name)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="say" | "self"), attr=verb), args=[name, *more]
            ) if verb in VERBS:
                for parts in named(name):
                    before, after = VERBS[verb].split("{}")
                    yield [before, *parts, after]
                for parts in named(more[0]) if verb == "table" and more else ():
                    if HOLE not in parts:
                        yield from (["column_", column] for column in "".join(parts).split())


def fits(name, parts, words):
    """Say whether a name is made of the parts, each hole filled by one of the words."""
    if not parts:
        return not name
    part, *rest = parts
    if part is not HOLE:
        return name.startswith(part) and fits(name.removeprefix(part), rest, words)
    ends = range(1, len(name) + 1)
    return any(name[:end] in words and fits(name[end:], rest, words) for end in ends)


class Anything:
    """Words that hold every word."""

    def __contains__(self, word):
        return True


@dataclass
class Module:
    """What one module says of messages."""

    areas: set[str]  # whose words its voices have
    keys: set[str]  # area.name in full
    patterns: list[list[str | None]]  # area.name with holes
    names: list[list[str | None]]  # asked of voices
    words: set[str]  # that may fill a hole


@cache
def modules():
    return [read(path) for path in sorted(SOURCE.rglob("*.py"))]


def read(path):
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    strings = [parts for node in nodes if isinstance(node, ast.JoinedStr) for parts in named(node)]
    within = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    whole = re.compile(rf"(?:{'|'.join(AREAS)})\.[a-z0-9_]+").fullmatch
    texts = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in within
    }
    keys = {text for text in texts if whole(text) and not names_a_module(text)}
    starts = [[key, HOLE] for key in keys if key.endswith("_")]
    return Module(
        areas={*path.relative_to(SOURCE).parts[:2], *areas_of_voices(nodes)} & VOICED,
        keys={key for key in keys if not key.endswith("_")},
        patterns=[parts for parts in strings if parts[0] and whole(f"{parts[0]}x")] + starts,
        names=list(asked_of_voices(nodes)),
        words=words_of(nodes),
    )


def names_a_module(text):
    """Whether it is how the face of a room names a module below it."""
    rooms = ("operations", "experiments", "timesaved")
    return any((SOURCE / room / f"{text.replace('.', '/')}.py").is_file() for room in rooms)


def areas_of_voices(nodes):
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="Voice"), args=[_, ast.Constant(value=area)]):
                yield area


def words_of(nodes):
    words = set()
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                words |= {text, text.replace("-", ""), *re.findall(r"\w+", text)}
            case ast.Constant(value=int(number)):
                words.add(str(number))
            case ast.arg(arg=word) | ast.keyword(arg=str(word)) | ast.Attribute(attr=word):
                words.add(word)
            case ast.Name(id=word) | ast.ClassDef(name=word):
                words |= {word, word.lower()}
    return words


def test_every_message_that_the_code_names_is_there():
    keys = set().union(*(module.keys for module in modules()))
    assert len(keys) > 50
    assert sorted(keys - KEYS) == []
    for module in modules():
        wanted = [(parts, KEYS) for parts in module.patterns]
        if module.areas:
            here = {name for area in module.areas | {"words"} for name in catalogue("en", area)}
            wanted += [(parts, here) for parts in module.names]
        assert [
            parts
            for parts, names in wanted
            if not any(fits(name, parts, Anything()) for name in names)
        ] == []


@pytest.mark.parametrize("area", [area for area in AREAS if area != "explain"])
def test_every_message_is_named_by_the_code(area):
    """In full, with an f-string whose holes words of the code fill, or by a voice of the area.

    Explanations are asked for by name: tests/report/test_explanations.py holds what they explain.
    """
    here = [module for module in modules() if area in module.areas or area == "words"]
    shared = [module for module in modules() if not module.areas]
    words = set().union(*(module.words for module in here + shared))
    everywhere = set().union(*(module.words for module in modules()))
    keys = set().union(*(module.keys for module in modules()))
    unused = [
        name
        for name in catalogue("en", area)
        for full in [{f"{area}.{name}", f"{area}.{name.removesuffix('_near')}"}]  # picked by near
        if not full & keys
        and re.sub("^short_([a-z]+)_", r"\1.", name) not in KEYS  # the same, said shorter
        and not any(fits(name, parts, words) for m in here + shared for parts in m.names)
        and not any(fits(k, p, everywhere) for m in modules() for p in m.patterns for k in full)
    ]
    assert unused == []


def test_no_text_is_worded_twice():
    """What two areas say in the same words of both languages belongs into the words of all."""
    worded = defaultdict(list)
    for area in AREAS:
        for name, english in catalogue("en", area).items():
            worded[english, catalogue("fr", area)[name]].append(f"{area}.{name}")
    twice = {
        " ".join(keys) for keys in worded.values() if len({key.split(".")[0] for key in keys}) > 1
    }
    assert sorted(twice - TWICE) == []


@pytest.mark.parametrize(
    ("kind", "arguments", "english", "french"),
    [
        ("integer", (0,), "0", "0"),
        ("integer", (1234567,), "1,234,567", f"1{THIN}234{THIN}567"),
        ("integer", (-1200,), f"{MINUS}1,200", f"{MINUS}1{THIN}200"),
        ("integer", (41.7,), "42", "42"),
        ("integer", (-0.2,), "0", "0"),
        ("decimal", (1234.5,), "1,234.50", f"1{THIN}234,50"),
        ("decimal", (-0.126, 2), f"{MINUS}0.13", f"{MINUS}0,13"),
        ("decimal", (2.0, 0), "2", "2"),
        ("decimal", (-0.001,), "0.00", "0,00"),
        ("percent", (-0.0001,), "0.0%", f"0,0{THIN}%"),
        ("number", (0,), "0", "0"),
        ("number", (12.3456,), "12.35", "12,35"),
        ("number", (0.0012345,), "0.001234", "0,001234"),
        ("number", (1234567.8,), "1,234,568", f"1{THIN}234{THIN}568"),
        ("number", (12.3456, 2), "12", "12"),
        ("signed_number", (0.25,), "+0.250", "+0,250"),
        ("signed_number", (-1234.5,), f"{MINUS}1,234", f"{MINUS}1{THIN}234"),
        ("percent", (0.25,), "25.0%", f"25,0{THIN}%"),
        ("percent", (0.9995, 0), "100%", f"100{THIN}%"),
        ("percent", (-0.031,), f"{MINUS}3.1%", f"{MINUS}3,1{THIN}%"),
        ("percent", (12.5, 0), "1,250%", f"1{THIN}250{THIN}%"),
        ("signed_percent", (0.0412,), "+4.1%", f"+4,1{THIN}%"),
        ("signed_percent", (-0.0412, 2), f"{MINUS}4.12%", f"{MINUS}4,12{THIN}%"),
        ("signed_percent", (0.0,), "0.0%", f"0,0{THIN}%"),
        ("signed_percent", (-0.0004,), "0.0%", f"0,0{THIN}%"),
        ("signed_decimal", (-0.288, 2), f"{MINUS}0.29", f"{MINUS}0,29"),
        ("given", (0.05,), "0.05", "0,05"),
        ("given", (1200,), "1,200", f"1{THIN}200"),
        ("given_percent", (0.02,), "2%", f"2{THIN}%"),
        ("given_percent", (0.025,), "2.5%", f"2,5{THIN}%"),
        ("given_percent", (0.07,), "7%", f"7{THIN}%"),
        ("period", ((DAY, DAY),), "28 September 2026", "28 septembre 2026"),
        (
            "period",
            ((datetime.date(2026, 9, 1), DAY),),
            f"1{DASH}28 September 2026",
            f"1er{DASH}28 septembre 2026",
        ),
        (
            "period",
            ((datetime.date(2026, 9, 1), datetime.date(2027, 2, 1)),),
            f"1 September 2026 {DASH} 1 February 2027",
            f"1er septembre 2026 {DASH} 1er février 2027",
        ),
        (
            "period",
            ((datetime.date(2026, 2, 1), DAY),),
            f"1 February {DASH} 28 September 2026",
            f"1er février {DASH} 28 septembre 2026",
        ),
        (
            "period",
            ((datetime.date(2026, 8, 31), DAY),),
            f"31 August {DASH} 28 September 2026",
            f"31 août {DASH} 28 septembre 2026",
        ),
        (
            "period",
            ((datetime.date(2025, 12, 21), datetime.date(2026, 1, 17)),),
            f"21 December 2025 {DASH} 17 January 2026",
            f"21 décembre 2025 {DASH} 17 janvier 2026",
        ),
        (
            "period",
            ((datetime.date(2025, 9, 28), DAY),),
            f"28 September 2025 {DASH} 28 September 2026",
            f"28 septembre 2025 {DASH} 28 septembre 2026",
        ),
        ("signed_points", (0.0123,), f"+1.23{WIDE}pp", f"+1,23{WIDE}pt"),
        ("signed_points", (-0.5, 0), f"{MINUS}50{WIDE}pp", f"{MINUS}50{WIDE}pt"),
        ("p_value", (1.0,), "1.0", "1,0"),
        ("p_value", (0.5,), "0.50", "0,50"),
        ("p_value", (0.0312,), "0.031", "0,031"),
        ("p_value", (0.00312,), "0.0031", "0,0031"),
        ("p_value", (0.000123,), "0.0001", "0,0001"),
        ("p_value", (0.0001,), "0.0001", "0,0001"),
        ("p_value", (0.00009999,), f"<{WIDE}0.0001", f"<{WIDE}0,0001"),
        ("p_value", (0.0,), f"<{WIDE}0.0001", f"<{WIDE}0,0001"),
        ("p_equation", (0.0312,), f"p{WIDE}={WIDE}0.031", f"p{WIDE}={WIDE}0,031"),
        ("p_equation", (1e-9,), f"p{WIDE}<{WIDE}0.0001", f"p{WIDE}<{WIDE}0,0001"),
        ("date", (DAY,), "28 September 2026", "28 septembre 2026"),
        ("date", (datetime.date(2026, 8, 1),), "1 August 2026", "1er août 2026"),
        ("date", (datetime.date(2026, 8, 11),), "11 August 2026", "11 août 2026"),
        ("short_date", (datetime.date(2027, 2, 1),), "1 Feb", "1er févr."),
        ("short_date", (datetime.date(2027, 2, 21),), "21 Feb", "21 févr."),
        ("listed", ([],), "\N{EN DASH}", "\N{EN DASH}"),
        ("listed", (["a"],), "a", "a"),
        ("listed", (["a", "b"],), "a and b", "a et b"),
        ("listed", (["a", "b", "c"],), "a, b and c", "a, b et c"),
        ("either", (["a", "b", "c"],), "a, b or c", "a, b ou c"),
    ],
)
def test_formats(kind, arguments, english, french):
    assert getattr(Numbers("en"), kind)(*arguments) == english
    assert getattr(Numbers("fr"), kind)(*arguments) == french


def test_of_a_long_list_only_the_first_are_named():
    for count, english, french in (
        (3, "without a, b and c", "sans a, b et c"),
        (4, "without a, b, c and 1 more", "sans a, b, c et 1 autre"),
        (9, "without a, b, c and 6 more", "sans a, b, c et 6 autres"),
    ):
        names = [*"abcdefghi"[:count]]
        assert text("explore.without", names=names) == english
        assert text("explore.without", "fr", names=names) == french


@pytest.mark.parametrize(
    ("arguments", "options", "english", "french"),
    [
        ((1234, "EUR"), {}, "€1,234", f"1{THIN}234{WIDE}€"),
        ((-1234, "EUR"), {}, f"{MINUS}€1,234", f"{MINUS}1{THIN}234{WIDE}€"),
        ((1234, "EUR"), {"signed": True}, "+€1,234", f"+1{THIN}234{WIDE}€"),
        ((0, "EUR"), {"signed": True}, "€0", f"0{WIDE}€"),
        ((12.5, "EUR", 2), {}, "€12.50", f"12,50{WIDE}€"),
        ((12.4, "EUR", 0, "k"), {}, "€12k", f"12{WIDE}k€"),
        ((-1.25, "EUR", 1, "M"), {}, f"{MINUS}€1.3M", f"{MINUS}1,3{WIDE}M€"),
        ((0.5, "EUR"), {}, "€1", f"1{WIDE}€"),
        ((2.5, "EUR"), {}, "€3", f"3{WIDE}€"),
        ((1.005, "EUR", 2), {}, "€1.01", f"1,01{WIDE}€"),
        ((-0.4, "EUR", 0, "k"), {}, "€0", f"0{WIDE}€"),
        ((-0.04, "EUR", 1, "M"), {"signed": True}, "€0", f"0{WIDE}€"),
        ((950, "CHF"), {}, f"CHF{WIDE}950", f"950{WIDE}CHF"),
        ((950, "CHF", 0, "k"), {}, f"CHF{WIDE}950k", f"950{WIDE}k{WIDE}CHF"),
    ],
)
def test_amounts(arguments, options, english, french):
    assert Numbers("en").amount(*arguments, **options) == english
    assert Numbers("fr").amount(*arguments, **options) == french


@given(
    st.floats(-1e9, 1e9),
    st.sampled_from(["EUR", "USD", "GBP", "CHF"]),
    st.integers(0, 2),
    st.sampled_from(["", "k", "M"]),
    st.booleans(),
)
def test_an_amount_has_one_sign_and_does_not_break(value, currency, digits, scale, signed):
    for language in LANGUAGES:
        shown = Numbers(language).amount(value, currency, digits, scale, signed=signed)
        none = not re.search("[1-9]", shown)
        assert " " not in shown
        assert "-" not in shown
        assert shown.count(MINUS) == (value < 0 and not none)
        assert shown.count("+") == (signed and value > 0 and not none)
        assert none or shown[0] == MINUS or value > 0
        assert (scale in shown) if scale and not none else "k" not in shown


def test_what_is_written_in_both_languages_is_spoken_in_the_readers():
    basket = Bilingual("basket", french="panier")
    assert text("specs.missing", "en", name=basket).startswith("basket is")
    assert text("specs.missing", "fr", name=basket).startswith("panier manque")
    known = (basket, "cart")
    assert "basket and cart" in text("parameters.unknown", "en", name="x", known=known)
    assert "panier et cart" in text("parameters.unknown", "fr", name="x", known=known)
    assert (str(basket), basket.spoken("en"), basket.spoken("fr")) == ("basket", "basket", "panier")
    assert Bilingual("cart").spoken("fr") == "cart"
    assert {basket: 1}["basket"] == 1


@pytest.mark.parametrize(
    ("days", "english", "french"),
    [
        (0, "Run 0 more days", "Poursuivre pendant 0 jour"),
        (1, "Run 1 more day", "Poursuivre pendant 1 jour"),
        (2, "Run 2 more days", "Poursuivre pendant 2 jours"),
        (1500, "Run 1,500 more days", f"Poursuivre pendant 1{THIN}500 jours"),
    ],
)
def test_plural(days, english, french):
    assert text("experiments.action_extend_days", "en", days=days) == english
    assert text("experiments.action_extend_days", "fr", days=days) == french


@pytest.mark.parametrize(
    ("count", "english", "french"),  # by CLDR 46, plurals of cardinal numbers
    [
        (0, "hours", "heure"),
        (1, "hour", "heure"),
        (1.5, "hours", "heure"),
        (1.99, "hours", "heure"),
        (2, "hours", "heures"),
        (45.8, "hours", "heures"),
        (-1, "hour", "heure"),
        (1e6, "hours", "heures"),
        ("1.0", "hours", "heures"),  # a text is read by its language's marks
        ("1,0", "hours", "heure"),
        (f"{MINUS}1", "hour", "heure"),
        (f"1{THIN}000", "hours", "heures"),
        (f"{DASH}", "hours", "heure"),
    ],
)
def test_a_plural_goes_with_the_number_as_displayed(count, english, french):
    assert Numbers("en").plural(count, ["hour", "hours"]) == english
    assert Numbers("fr").plural(count, ["heure", "heures"]) == french


def test_a_plural_goes_with_what_the_message_has_shown_before(monkeypatch):
    templates = {"hours": "{n:decimal:1} {n:plural:one|many}", "kept": "{n:plural:one|many} {n}"}
    monkeypatch.setattr(messages, "catalogue", lambda language, area: templates)
    assert text("x.hours", "en", n=1) == "1.0 many"
    assert text("x.hours", "fr", n=1.96) == "2,0 many"
    assert text("x.hours", "fr", n=1.94) == "1,9 one"
    assert text("x.kept", "en", n="1") == "one 1"


@pytest.mark.parametrize(
    ("unit", "several"),
    [
        ("week of delay", "weeks of delay"),
        ("question a month", "questions a month"),
        ("late launch an analyst", "late launches an analyst"),
        ("hour each week", "hours each week"),
        ("broken test", "broken tests"),
        ("decision in the log", "decisions in the log"),
        ("entry per page", "entries per page"),
        ("test (CI)", "tests (CI)"),
        ("man-day", "man-days"),
        ("box", "boxes"),
        ("analysis", "analyses"),
        ("bus", "buses"),
        ("person", "people"),
        ("tickets", "tickets"),
        ("FTE", "FTE"),
        ("h", "h"),
        ("hour / week", "hours per week"),
        ("", ""),
    ],
)
def test_an_english_unit_agrees_with_its_number(unit, several):
    assert counted(unit, 1, "en") == unit.replace("/", "per")
    assert counted(unit, "1.0", "en") == several
    assert counted(unit, "45.8", "en") == several
    assert counted(unit, 0, "en") == several


@pytest.mark.parametrize(
    ("unit", "several"),
    [
        ("semaine de retard", "semaines de retard"),
        ("question par mois", "questions par mois"),
        ("test cassé", "tests cassés"),
        ("demande d'accès", "demandes d'accès"),
        ("travail en cours", "travaux en cours"),
        ("heure à rattraper", "heures à rattraper"),
        ("dossier non traité", "dossiers non traités"),
        ("jour-homme", "jours-hommes"),
        ("canal", "canaux"),
        ("niveau", "niveaux"),
        ("prix", "prix"),
        ("tests cassés", "tests cassés"),
        ("ETP", "ETP"),
        ("heure / semaine", "heures par semaine"),
    ],
)
def test_a_french_unit_agrees_with_its_number(unit, several):
    for count in (0, 1, 1.5, "1,9"):
        assert counted(unit, count, "fr") == unit.replace("/", "par")
    assert counted(unit, "2,0", "fr") == several
    assert counted(unit, f"12{THIN}000", "fr") == several


def test_units_that_are_known_are_told_in_the_readers_language():
    assert [counted("hours", count, "fr") for count in ("1,5", "2")] == ["heure", "heures"]
    assert [counted("week", count, "fr") for count in (1, 3)] == ["semaine", "semaines"]
    assert counted("hours", 1, "en") == "hour"
    assert counted("hours / week", 30, "fr") == "heures par semaine"


def test_no_french_line_starts_with_a_mark():
    shown = text("errors.placed", "fr", place="panier : neuf", message="a : b")
    assert shown == f"panier : neuf{WIDE}: a : b"  # a user's own words stay as they are
    for area in AREAS:
        assert not [
            said for said in catalogue("fr", area).values() if re.search(" [:;?!»]|« ", said)
        ]


@given(st.floats(0, 1))
def test_a_p_value_is_never_shown_as_zero(value):
    for language in LANGUAGES:
        shown = Numbers(language).p_value(value)
        assert re.search(r"[1-9]", shown)
        assert shown.startswith("<") == (value < 1e-4)
        assert "-" not in shown


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_no_number_has_a_hyphen_for_a_minus(value):
    for language in LANGUAGES:
        for kind in (
            "integer",
            "decimal",
            "number",
            "signed_number",
            "percent",
            "signed_percent",
            "signed_points",
        ):
            shown = getattr(Numbers(language), kind)(value)
            assert "-" not in shown
            assert shown == one_line(shown)
            if kind.startswith("signed"):
                none = not re.search("[1-9]", shown)
                assert none or shown[0] == (MINUS if value < 0 else "+")
                assert not none or shown[0] == "0"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain é 中 😀", "plain é 中 😀"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("\x1b[31mred\x1b]0;title\x07", "�[31mred�]0;title�"),
        ("\x9b2J", "�2J"),
        ("user\u202egpj.exe", "user�gpj.exe"),
        ("\u2066a\u2069\u200f\u061c", "�a���"),
        ("a\u2028b\u2029c\x85d", "a�b�c�d"),
        ("a\x00b\x7f", "a�b�"),
        ("\ud800", "�"),
        ("zero\u200bwidth\ufeff", "zero�width�"),
        (f"12{THIN}%{WIDE}x", f"12{THIN}%{WIDE}x"),
        ("", ""),
    ],
)
def test_one_line(given, shown):
    assert one_line(given) == shown


@given(st.text())
def test_one_line_is_one_printable_line_of_the_same_length(given):
    shown = one_line(given)
    assert len(shown) == len(given)
    assert len(shown.splitlines()) <= 1
    assert all(letter.isprintable() or letter in THIN + WIDE for letter in shown)
    assert one_line(shown) == shown


NASTY = [
    "{0}",
    "{name.__class__}",
    "{near}",
    "{{",
    "}",
    "{name!r}",
    "{:>99999999}",
    "%s",
    "a\x1b[2J\nb",
]


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("language", LANGUAGES)
def test_values_are_never_templates(nasty, language):
    said = text("specs.unknown_near", language, name=nasty, near="unit")
    assert one_line(nasty) in said
    assert "\x1b" not in said
    listed = text("parameters.unknown", language, name="x", known=[nasty, nasty])
    assert listed.count(one_line(nasty)) == 2
    assert "\x1b" not in listed
    assert "\n" not in listed


def test_a_template_cannot_reach_into_a_value(monkeypatch):
    class Value:
        secret = "s3cret"

        def __str__(self):
            return "value"

        def __format__(self, form):
            return self.secret

    templates = {
        "plain": "{a}",
        "dotted": "{a.secret}",
        "indexed": "{a[0]}",
        "converted": "{a!r}",
        "unknown": "{b}",
    }
    monkeypatch.setattr(messages, "catalogue", lambda language, area: templates)
    assert text("x.plain", a=Value()) == "value"
    for name in ("dotted", "indexed", "unknown"):
        with pytest.raises(KeyError):
            text(f"x.{name}", a=Value())
    assert "s3cret" not in text("x.converted", a=Value())


def test_a_message_that_is_not_there_is_our_defect():
    with pytest.raises(KeyError):
        text("specs.no_such_message")
    with pytest.raises(KeyError):
        text("specs.unknown")


@pytest.mark.parametrize(
    ("unit", "count", "language", "shown"),
    [
        ("semaines", 1, "fr", "semaine"),
        ("semaines", 2, "fr", "semaines"),
        ("weeks", 1, "en", "week"),
        ("hours", 2, "fr", "heures"),
    ],
)
def test_a_known_unit_written_as_several_agrees_too(unit, count, language, shown):
    assert counted(unit, count, language) == shown
