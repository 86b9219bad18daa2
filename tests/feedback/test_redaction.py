"""Personal data: every kind with its checksum, and what only looks like it.

Numbers are reserved ones or published tests.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.feedback.redaction import iban, luhn, nir, redact, siret, without_tokens

REGIONS = ("FR", "GB", "US")


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
