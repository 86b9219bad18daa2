"""Personal data: every kind with its checksum, and what only looks like it.

Numbers are reserved ones or published tests.
"""

import importlib.util
import re
import string
import sys
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from opslab.feedback import redaction
from opslab.feedback.redaction import (
    KINDS,
    iban,
    luhn,
    nir,
    redact,
    siret,
    without_tokens,
)
from opslab.messages import catalogue

_SPEC = importlib.util.spec_from_file_location("planted", ROOT / "benchmarks" / "redaction.py")
planted = importlib.util.module_from_spec(_SPEC)
sys.modules["planted"] = planted
_SPEC.loader.exec_module(planted)

REGIONS = planted.REGIONS
SENTENCES = [
    *(
        around.format(planted.plain(case)[0])
        for cases in planted.PLANTED.values()
        for case in cases
        for around in planted.AROUND
    ),
    *planted.HARMLESS,
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to max+shop@example.co.uk now", "write to [EMAIL] now"),
        ("see https://example.com/a?b=c, please", "see [LINK] please"),
        ("from 203.0.113.42 and 2001:db8::8a2e:370:7334", "from [IP] and [IP]"),
        ("card 4111 1111 1111 1111.", "card [CARD]."),
        ("card 4111-1111-1111-1112.", "card 4111-1111-1111-1112."),
        ("5555555555554444", "[CARD]"),
        ("IBAN FR14 2004 1010 0505 0001 3M02 606 merci", "IBAN [IBAN] merci"),
        ("GB82WEST12345698765433", "GB82WEST12345698765433"),
        ("n° 2 55 08 14 168 025 38 ok", "n° [NIR] ok"),
        ("2 55 08 14 168 025 39", "2 55 08 14 168 025 39"),
        ("SIRET 732 829 320 00074", "SIRET [SIRET]"),
        ("SIRET 732 829 320 00075", "SIRET 732 829 320 00075"),
        ("call +33 6 39 98 12 34", "call [PHONE]"),
        ("appelez le 06 39 98 12 34 ce soir", "appelez le [PHONE] ce soir"),
        ("thanks @some_user!", "thanks [HANDLE]!"),
        (
            "version 10.2.3 of 2026-09-01, order 12345678",
            "version 10.2.3 of 2026-09-01, order 12345678",
        ),
        ("999.1.1.1 is no address", "999.1.1.1 is no address"),
    ],
)
def test_each_kind_by_its_form_and_checksum(text, expected):
    assert redact(text, regions=REGIONS)[0] == expected


def test_own_patterns_come_first_and_are_counted():
    text, counts = redact("AB-123456 and a@b.fr", patterns={"order": r"\bAB-\d{6}\b"})
    assert text == "[ORDER] and [EMAIL]"
    assert counts == {"order": 1, "email": 1}


def test_the_writer_is_known_where_the_export_names_them():
    assert redact("Best, Zoé Lambert", names=["Zoé Lambert"])[0] == "Best, [NAME] [NAME]"


def test_an_encoder_reads_no_tokens():
    assert without_tokens("Call [PHONE] or write to [EMAIL] today") == "Call or write to today"


@settings(deadline=None)
@given(st.text(alphabet="0123456789", min_size=2, max_size=19))
def test_luhn_agrees_with_the_table_of_doubled_digits(digits):
    table = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(
        table[int(digit)] for digit in digits[-2::-2]
    )
    assert luhn(digits) == (total % 10 == 0)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_taken_and_redacting_twice_changes_nothing(text):
    once, _ = redact(text, regions=REGIONS)
    assert redact(once, regions=REGIONS)[0] == once


@pytest.mark.parametrize("check", [iban, nir, siret])
def test_one_wrong_digit_is_caught(check):
    good = {
        "iban": "FR1420041010050500013M02606",
        "nir": "255081416802538",
        "siret": "73282932000074",
    }
    number = good[check.__name__]
    assert check(number)
    last = number[-1]
    assert not any(check(number[:-1] + digit) for digit in "0123456789" if digit != last)


def test_corsica_and_the_post_office():
    """2A counts as 19 (decree of 1976); La Poste's establishments have a digit sum by 5 (INSEE)."""
    number = "18507" + "2A" + "123456"
    key = 97 - int(number.replace("2A", "19")) % 97
    assert nir(f"{number}{key:02d}")
    assert siret("35600000000048")


@pytest.mark.parametrize("kind", planted.PLANTED)
def test_what_is_planted_is_gone(kind):
    cases = planted.PLANTED[kind]
    kept = {
        case: words for case in cases for a in planted.AROUND if (words := planted.left(case, a))
    }
    assert not kept


def test_harmless_sentences_stay_and_the_page_tells_what_was_measured():
    assert len(planted.PLANTED) >= 40
    assert len(planted.HARMLESS) >= 60
    assert not planted.changed()
    page = (ROOT / "docs" / "redaction.md").read_text(encoding="utf-8")
    assert "\n".join(planted.table()) in page


@pytest.mark.parametrize(
    "text",
    [
        "mapping 127.0.0.1 to the log",
        "call +33 6 39 98 12 34",
        "password: [EMAIL] and code [CODE]",
        "C:\\Users\\lea\\x and /home/lea/home/max/home/zoe",
        "a@b.fr" * 30,
        "pwd=x1pwd=x2pwd=x3 @a@b@c",
        "12 rue de la Paix, 75002 Paris 06 39 98 12 34 FR1420041010050500013M02606",
    ],
)
def test_redacting_twice_changes_nothing_where_one_token_touches_another(text):
    once, _ = redact(text, regions=REGIONS)
    assert redact(once, regions=REGIONS) == (once, Counter())


def test_redacting_the_planted_sentences_twice_changes_nothing():
    for text in SENTENCES:
        once, _ = redact(text, regions=REGIONS)
        assert redact(once, regions=REGIONS) == (once, Counter())


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from([*SENTENCES, *"0123456789 .-@:/[]", *string.ascii_uppercase]), max_size=6
    )
)
def test_pieces_of_personal_data_in_any_company_are_redacted_once_for_all(pieces):
    once, _ = redact("".join(pieces), regions=REGIONS)
    assert redact(once, regions=REGIONS)[0] == once


def test_no_order_of_kinds_plays_a_part(monkeypatch):
    text = "\n".join(SENTENCES)
    expected = redact(text, regions=REGIONS, names=["Lea Martin"])
    turned = redaction._kinds()[::-1]
    monkeypatch.setattr(redaction, "_kinds", lambda: turned)
    assert redact(text, regions=REGIONS[::-1], names=["Martin Lea"]) == expected


def test_of_what_overlaps_the_longest_names_the_token_and_nothing_is_left():
    assert redact("https://lea:pw12@example.com/4111111111111111")[0] == "[LINK]"
    assert redact("lea:pw12@example.com")[0] == "[PASSWORD]"
    plates = {"order": r"\b[A-Z]{2}-\d{3}-[A-Z]{2}\b"}
    assert redact("AB-123-CD", patterns=plates) == ("[ORDER]", {"order": 1})
    halves = {"half": r"\d{4} \d{4}(?= \d{4} \d{4}$)"}
    assert redact("4111 1111 1111 1111", patterns=halves)[0] == "[CARD]"


def test_a_token_of_ones_own_is_left_alone_whatever_its_name():
    own = {"n° 2 client": r"client", "paren)": r"\bxx\b"}
    once, _ = redact("client xx", patterns=own)
    assert once == "[N° 2 CLIENT] [PAREN)]"
    assert redact(once, patterns=own)[0] == once


def test_of_ones_own_all_goes_or_the_group_called_value():
    text = "order ORD-17"
    assert redact(text, patterns={"own": r"(?P<kind>ORD)-(?P<number>\d+)"})[0] == "order [OWN]"
    assert redact(text, patterns={"own": r"order (?P<value>\S+)"})[0] == "order [OWN]"
    assert redact(text, patterns={"own": r"(?=ORD)"})[0] == text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_kind_has_a_name_for_readers(language):
    known = catalogue(language, "feedback")
    assert not [kind for kind in KINDS if f"kind_{kind}" not in known]
    assert {kind.name for kind in redaction._kinds()} == set(KINDS)


def test_words_that_let_a_kind_be_looked_for_are_in_what_it_finds():
    """A word list that is too short would hide a pattern: each is tried without its list."""
    for kind in redaction._kinds():
        for text in SENTENCES:
            spans = list(kind.spans(text))
            assert not spans or any(word in text.lower() for word in kind.words), (kind.name, text)
            assert not spans or sum(map(str.isdigit, text)) >= kind.digits, (kind.name, text)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            "1",
            "1 ",
            "0",
            "a.",
            "a-",
            "1-",
            "1.",
            "01 ",
            "@",
            "a@",
            ":",
            "0:",
            "Aa1",
            "é",
            "_",
        ),
        *(
            "12 rue de ",
            "1 A ",
            "A1 A",
            "a at b dot ",
            "jean dot ",
            "(at)",
            "password: ",
            "code the ",
        ),
        *(
            "passport no no ",
            "born on the ",
            "/home/a",
            "C:\\Users\\a",
            "eyJa.",
            "a.b.c-",
            "[A]",
            "[A",
        ),
        *(
            "Regards, A",
            "A de la ",
            "1.12345 ",
            "1°1'",
            "FR14 ",
            "sid=",
            "sk-a",
            "0x",
            "+1",
            "\u00a0",
        ),
    ],
)
def test_no_text_takes_long(piece):
    """Time grows with the text: 4,000 signs, which is all that is read, take milliseconds."""
    redact("", regions=REGIONS)
    for end in ("", "!", "1", "@x", " 75002 Paris"):
        text = (piece * 4000)[: 4000 - len(end)] + end
        started = time.process_time()
        redact(text, regions=REGIONS)
        assert (
            time.process_time() - started < 0.25
        )  # about 0.03; a power of the length takes seconds


def test_numbers_of_other_countries_are_found_where_they_are_asked_for():
    assert redact("llama al 612 345 678", regions=["ES"])[0] == "llama al [PHONE]"
    assert redact("llama al 612 345 678", regions=["FR"])[0] == "llama al 612 345 678"
    assert redact("Fehler -2147352567 (80020009)", regions=REGIONS)[0].startswith(
        "Fehler -2147352567"
    )


def test_marks_of_the_page_agree_with_the_patterns():
    """Each group that a pattern names is one that can be replaced."""
    for kind in redaction._kinds():
        groups = kind.pattern.groupindex
        assert kind.pattern.groups == len(groups) or kind.name == "phone"
        assert not groups or "value" in groups
        assert not re.search(r"<[a-z]+>", re.sub(r"\(\?P<\w+>", "", kind.pattern.pattern))
