"""The language of a text: told by script and words, believed where stated, never forced."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from opslab import feedback
from opslab.feedback.checks import panel
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.languages import identify
from opslab.feedback.result import Assignment, Point

EXPECTED = ("en", "fr")
REAL = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)
SCRIPTS = {
    "zh": ("付款失败", "iPhone 上无法打开"),
    "ja": ("返品できない", "アプリ", "配送が遅い"),
    "ko": ("환불해 주세요", "Login 안돼요"),
    "el": ("Πού είναι το δέμα μου;",),
    "he": ("איפה החבילה שלי",),
    "th": ("จ่ายเงินไม่ได้",),
    "ar": ("أين الطرد الخاص بي", "لم يصل الطرد حتى الآن!"),
    "fa": ("بسته من هنوز نرسیده است، لطفا پیگیری کنید",),
    "ru": ("Где моя посылка? Жду уже неделю",),
    "uk": ("Посилка досі не прийшла, будь ласка, поверніть гроші",),
    "hi": ("मेरा पार्सल कहाँ है",),
    "ta": ("என் பொதி எங்கே",),
}
WORDS = {
    "en": ("My parcel has not arrived yet", "Where is the refund for my order?"),
    "fr": ("Mon colis n'est pas encore arrivé", "Où est le remboursement de ma commande ?"),
    "de": ("Mein Paket ist noch nicht angekommen", "Die Zahlung hat nicht funktioniert"),
    "es": ("Mi paquete todavía no ha llegado", "¿Dónde está el reembolso de mi pedido?"),
    "it": ("Il mio pacco non è ancora arrivato",),
    "nl": ("Mijn pakje is nog niet aangekomen",),
    "pt": ("A minha encomenda ainda não chegou",),
    "pl": ("Moja paczka jeszcze nie dotarła",),
    "sv": ("Mitt paket har inte kommit fram än",),
}


def told(texts, stated=None, expected=EXPECTED):
    return identify(texts, expected, stated or [None] * len(texts))


@pytest.mark.parametrize("language", [*SCRIPTS, *WORDS])
def test_script_first_then_words(language):
    texts = {**SCRIPTS, **WORDS}[language]
    assert told(texts) == [language] * len(texts)


@pytest.mark.parametrize("text", ["Super", "Top", "OK", "nul", "5/5", "👍", "", "  ", "Wow 🔥"])
def test_what_is_too_short_is_in_no_language_expected_or_not(text):
    assert told([text]) == told([text], expected=["de"]) == [None]


def test_expected_languages_are_likelier_but_not_forced():
    assert told(["Parfait, merci"]) == ["fr"]
    assert told([WORDS["de"][0]], expected=["fr"]) == ["de"]
    assert told(["Minu pakk ei ole veel saabunud"], expected=["et"]) == ["et"]
    assert told([WORDS["en"][0]], expected=["xx"]) == ["en"]  # no such language


def test_a_brand_in_latin_letters_does_not_make_the_text_english():
    assert told(["Netflix 打不开了", "Spotify не открывается"]) == ["zh", "ru"]
    assert told(["I love the letter я in this app"]) == ["en"]


@pytest.mark.parametrize(
    ("stated", "language"),
    [
        ("fr", "fr"),
        ("fr_CA", "fr"),
        ("PT-br", "pt"),
        ("zh-Hant", "zh"),
        ("iw", "he"),
        ("deu", "de"),
        ("English (United Kingdom)", "en"),
        ("Allemand", "de"),
        *((nonsense, None) for nonsense in ("und", "xx", "", " ", "n/a", "mul", "zxx", "1", "??")),
    ],
)
def test_a_stated_language_is_believed_where_it_is_one(stated, language):
    assert told(["Super"], [stated]) == [language]
    assert told(["👍"], [stated]) == [language]


def test_a_script_that_the_stated_language_lacks_is_believed_more():
    assert told(["付款失败", SCRIPTS["ar"][0]], ["en", "fr"]) == ["zh", "ar"]
    assert told(["Cộng đồng", "Kako ste"], ["vi", "sr"]) == ["vi", "sr"]


def test_order_and_company_change_nothing():
    texts = [text for kind in (SCRIPTS, WORDS) for some in kind.values() for text in some]
    assert told(texts[::-1])[::-1] == told(texts) == [told([text])[0] for text in texts]


def checked(languages, known):
    """The check on languages, of messages in one theme of a real result."""
    result = feedback.find_themes(["The app crashes"] * 6)
    assignments = [
        Assignment(
            CustomerMessage(f"u{n}", "s", str(n), n, "text", language=language),
            Point(text="text", theme="T01"),
        )
        for n, language in enumerate(languages)
    ]
    checks = panel(result.study, assignments, result.themes, None, fallback=False, known=known)
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("languages", "status", "key", "count"),
    [
        (["en"] * 50 + ["fr"] * 50, "pass", "languages_all", 0),
        (["en"] * 90 + ["de"] * 10, "warn", "languages_others", 10),
        (["en"] * 97 + ["de"] * 3, "pass", "languages_others", 3),
        (["en"] * 85 + ["de"] * 5 + ["sv"] * 10, "warn", "languages_strange", 10),
        ([None] * 100, "warn", "languages_none", 0),
    ],
)
def test_the_check_tells_what_encoder_and_study_do_not_know(languages, status, key, count):
    check = checked(languages, frozenset({"en", "fr", "de"}))["languages"]
    assert (check.status, check.value) == (status, count / 100)
    assert check.detail.key == f"feedback.{key}"
    assert check.detail.values["count"] == count


def test_an_encoder_of_unknown_languages_calls_none_strange():
    check = checked(["en"] * 90 + ["sv"] * 10, None)["languages"]
    assert check.detail.key == "feedback.languages_others"


def test_short_praise_is_no_language_of_its_own_that_themes_could_follow():
    long = [
        f"{a} {b}"
        for a in ("my parcel is late", "where is my parcel", "I want a refund", "no refund yet")
        for b in ("today", "again", "right now", "since last May", "and nobody answers", "please")
    ]
    result = feedback.find_themes([*long, *["Super"] * 30, *["Top"] * 30, *["👍"] * 30])
    assert not result.broken
    spoken = {each.message.words: each.message.language for each in result.assignments}
    assert spoken["Super"] is spoken["Top"] is None
    assert not {check.name for check in result.checks} & {"leakage"}  # one language, no comparison
    assert result.check("languages").detail.values["unknown"] > 0.5


def test_labelled_languages_of_a_real_export():
    path = REAL / "cases" / "feedback" / "h_lang.csv"
    if not path.is_file():
        pytest.skip("no labelled languages at hand; name their folder in OPSLAB_REAL_DATA")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = list(zip(rows, told([row["text"] for row in rows]), strict=True))
    long = [row["truth_lang"] == language for row, language in pairs if len(row["text"]) >= 20]
    assert sum(long) >= 0.95 * len(long) > 100
    assert not any(row["truth_lang"] in {"ar", "zh"} and told == "en" for row, told in pairs)
