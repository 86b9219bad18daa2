"""Every word in both languages, numbers as their readers write them, and values that stay values."""

import ast
import datetime
import doctest
import re
import string
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslab
from opslab import messages
from opslab.messages import LANGUAGES, catalogue, numbers, one_line, text

SOURCE = Path(opslab.__file__).parent
AREAS = sorted(path.stem for path in (SOURCE / "messages" / "en").glob("*.toml"))
KEYS = {f"{area}.{name}" for area in AREAS for name in catalogue("en", area)}
DAY = datetime.date(2026, 9, 28)
THIN, WIDE, MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def test_examples_run():
    assert doctest.testmod(messages).failed == 0
    assert doctest.testmod(numbers).failed == 0


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
            assert not kind or callable(getattr(numbers, kind)), name
            assert kind != "plural" or len(detail.split("|")) == 2, name


@pytest.mark.parametrize("area", AREAS)
def test_french_is_typeset(area):
    code = (
        r"`[^`]*`|\{[^}]*\}|missing: \w+|type: \w+|data: |path: |rows: |nom: |relative: |per: row|"
    )
    code += r"period: |time: |registered: |event_time: "
    for name, said in catalogue("fr", area).items():
        assert not re.search(r"\w[;!?»]|«\w|\w:(\s|$)", re.sub(code, "", said)), name
        assert said == said.strip(), name


@cache
def used():
    """Return the keys that the code names in full, and a pattern for those that it puts together."""
    literals, patterns = set(), set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in inside
            ):
                if re.fullmatch(rf"({'|'.join(AREAS)})\.[a-z0-9_]+", node.value):
                    literals.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    part.value if isinstance(part, ast.Constant) else None for part in node.values
                ]
                if re.match(rf"({'|'.join(AREAS)})\.[a-z0-9_]*$", parts[0] or ""):
                    patterns.add(
                        "".join("[a-z0-9_]+" if part is None else re.escape(part) for part in parts)
                    )
    return literals, patterns


def test_every_message_that_the_code_names_is_there():
    literals, patterns = used()
    assert len(literals) > 50
    assert len(patterns) > 5
    assert sorted(literals - KEYS) == []
    assert [
        pattern
        for pattern in sorted(patterns)
        if not any(re.fullmatch(pattern, key) for key in KEYS)
    ] == []


def test_every_message_is_named_by_the_code():
    literals, patterns = used()
    # A pattern that leaves the whole name open says nothing; such names come from pydantic or a tuple nearby.
    telling = {pattern for pattern in patterns if not pattern.endswith(r"\.[a-z0-9_]+")}
    words = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    open_areas = {pattern.partition(r"\.")[0] for pattern in patterns - telling}
    unused = [
        key
        for key in sorted(KEYS)
        if key not in literals
        and key.removesuffix("_near") not in literals
        and not any(re.fullmatch(pattern, key) for pattern in telling)
        and not (key.split(".")[0] in open_areas and key.split(".")[1] in words)
    ]
    assert unused == []


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
            f"1{DASH}28 septembre 2026",
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
        ("date", (datetime.date(2026, 8, 1),), "1 August 2026", "1 août 2026"),
        ("listed", ([],), "", ""),
        ("listed", (["a"],), "a", "a"),
        ("listed", (["a", "b"],), "a and b", "a et b"),
        ("listed", (["a", "b", "c"],), "a, b and c", "a, b et c"),
        ("either", (["a", "b", "c"],), "a, b or c", "a, b ou c"),
    ],
)
def test_formats(kind, arguments, english, french):
    assert getattr(numbers, kind)(*arguments, language="en") == english
    assert getattr(numbers, kind)(*arguments, language="fr") == french


@pytest.mark.parametrize(
    ("days", "english", "french"),
    [
        (0, "Extend by 0 days", "Prolonger de 0 jour"),
        (1, "Extend by 1 day", "Prolonger de 1 jour"),
        (2, "Extend by 2 days", "Prolonger de 2 jours"),
        (1500, "Extend by 1,500 days", f"Prolonger de 1{THIN}500 jours"),
    ],
)
def test_plural(days, english, french):
    assert text("experiments.action_extend_days", "en", days=days) == english
    assert text("experiments.action_extend_days", "fr", days=days) == french


def test_no_french_line_starts_with_a_mark():
    shown = text(
        "experiments.forest_title", "fr", metric="panier : neuf", effect="+1", interval="0"
    )
    assert shown == f"panier : neuf{WIDE}: +1 (0)"  # a user's own words stay as they are
    for area in AREAS:
        assert not [
            said for said in catalogue("fr", area).values() if re.search(" [:;?!»]|« ", said)
        ]


@given(st.floats(0, 1))
def test_a_p_value_is_never_shown_as_zero(value):
    for language in LANGUAGES:
        shown = numbers.p_value(value, language=language)
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
            shown = getattr(numbers, kind)(value, language=language)
            assert "-" not in shown
            assert shown == one_line(shown)
            if kind.startswith("signed"):
                none = not re.search("[1-9]", shown)
                assert none or shown[0] == (MINUS if value < 0 else "+")
                assert not none or shown[0] == "0"


@pytest.mark.parametrize(
    ("value", "currency", "arguments", "english", "french"),
    [
        (1234567.89, "EUR", (2,), "€1,234,567.89", f"1{THIN}234{THIN}567,89{WIDE}€"),
        (1234567.89, "EUR", (), "€1,234,568", f"1{THIN}234{THIN}568{WIDE}€"),
        (-1200, "EUR", (), f"{MINUS}€1,200", f"{MINUS}1{THIN}200{WIDE}€"),
        (-0.2, "EUR", (), "€0", f"0{WIDE}€"),
        (0, "EUR", (2,), "€0", f"0{WIDE}€"),
        (1200, "USD", (), "US$1,200", f"1{THIN}200{WIDE}$US"),
        (1200, "GBP", (), "£1,200", f"1{THIN}200{WIDE}£GB"),
        (1200, "CHF", (), f"CHF{WIDE}1,200", f"1{THIN}200{WIDE}CHF"),
        (2.5, "EUR", (), "€3", f"3{WIDE}€"),  # as a spreadsheet rounds
        (1.005, "EUR", (2,), "€1.01", f"1,01{WIDE}€"),
        (1.2, "EUR", (1, "k"), "€1.2k", f"1,2{WIDE}k€"),
        (-123.456, "EUR", (0, "k"), f"{MINUS}€123k", f"{MINUS}123{WIDE}k€"),
        (0.4, "EUR", (0, "k"), "€0", f"0{WIDE}€"),
        (12000, "EUR", (0, "M"), "€12,000M", f"12{THIN}000{WIDE}M€"),
        (12.345, "USD", (0, "k"), "US$12k", f"12{WIDE}k$US"),
        (12, "CHF", (0, "k"), f"CHF{WIDE}12k", f"12{WIDE}k{WIDE}CHF"),
    ],
)
def test_amounts_as_their_readers_write_them(value, currency, arguments, english, french):
    assert numbers.Numbers("en").amount(value, currency, *arguments) == english
    assert numbers.Numbers("fr").amount(value, currency, *arguments) == french
    gain = numbers.Numbers("en").amount(abs(value), currency, *arguments, signed=True)
    assert gain.startswith("+") == any(digit in "123456789" for digit in gain)


@given(st.floats(-1e12, 1e12), st.sampled_from(["", "k", "M"]))
def test_an_amount_has_no_hyphen_and_one_currency(value, scale):
    for language in LANGUAGES:
        shown = numbers.Numbers(language).amount(value, "EUR", scale=scale)
        assert "-" not in shown
        assert shown.count("€") == 1
        assert shown == one_line(shown)


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
