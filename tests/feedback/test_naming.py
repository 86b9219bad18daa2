"""Names: titles of the customers' own, telling phrases, no head twice, each language that speaks."""

from itertools import pairwise

import numpy as np
import pytest

from opslab.feedback.naming import name_themes, phrases_of, stem, stop_words, title, words

TEXTS = [
    *[
        "I forgot my password and cannot reset it",
        "the password reset fails",
        "reset my password please",
    ]
    * 4,
    *["the parcel is late", "where is my parcel", "parcel lost, parcel late"] * 4,
    *["J'ai oublié mon mot de passe", "le mot de passe n'est pas accepté", "mot de passe refusé"]
    * 4,
]
LANGUAGES = ["en"] * 24 + ["fr"] * 12
LABELS = np.array([0] * 12 + [1] * 12 + [0] * 12)


def letters(texts):
    """Vectors by the pairs of letters, for texts that are alike where they are spelt alike."""
    vectors = np.zeros((len(texts), 997), np.float32)
    for row, text in enumerate(texts):
        for first, second in pairwise(text.lower()):
            vectors[row, (ord(first) * 31 + ord(second)) % 997] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_each_theme_is_named_in_the_languages_that_speak_in_it():
    names = name_themes(TEXTS, LANGUAGES, LABELS, 2)
    assert [[part.language for part in theme] for theme in names] == [["en", "fr"], ["en"]]
    assert "password" in names[0][0].phrases[0]
    assert names[0][1].phrases[0] == "mot de passe"
    assert "parcel" in names[1][0].phrases[0]
    assert title(names[0]) == "Password / Mot de passe"


@pytest.mark.parametrize("encode", [None, letters])
def test_no_stop_word_at_either_end_and_no_title_twice(encode):
    labels = np.arange(len(TEXTS)) % 5  # themes without any meaning
    names = name_themes(TEXTS, LANGUAGES, labels, 5, encode)
    assert all(names)
    titles = [part.title for theme in names for part in theme]
    assert len(titles) == len(set(titles))
    for theme in names:
        for part in theme:
            assert len(set(part.phrases)) == len(part.phrases)
            for phrase in part.phrases:
                assert not {phrase.split()[0], phrase.split()[-1]} & stop_words(part.language)


def test_messages_without_a_theme_name_nothing():
    assert name_themes(["parcel late"], ["en"], np.array([-1]), 0) == []
    assert name_themes(["the of and"] * 5, ["en"] * 5, np.zeros(5, int), 1) == [()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qu'est-ce qu'on m'a pris aujourd'hui", ["est-ce", "on", "a", "pris", "aujourd'hui"]),
        ("C# and C++", ["c#", "and", "c++"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_phrases_do_not_cross_a_full_stop():
    assert "late parcel" not in phrases_of("it is late. parcel lost", frozenset())
    assert "parcel lost" in phrases_of("it is late. parcel lost", frozenset())


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("please add a dark mode", {"add a dark", "a dark"}),
        ("le train s'arrête loin", {"train s'arrête", "arrête", "arrête loin"}),
        ("on the 29th of June", {"th", "th of june"}),
        (
            "export to the wrong company name",
            {"wrong company", "company name", "export to the wrong"},
        ),
    ],
)
def test_phrases_are_no_cut_words(text, cut):
    stops = stop_words("en") | stop_words("fr")
    assert phrases_of(text, stops)
    assert not cut & phrases_of(text, stops)


COMPLAINTS = [
    "Hello, the kettle leaks when I fill it. Thierry Vandenbrouck",
    "The kettle leaks at the lid, please help",
    "My kettle leaks! Regards, Thierry Vandenbrouck",
    "Again: the kettle leaks, also my kettle smells",
    "the lid of the kettle leaks",
    "the invoice shows the wrong address",
    "Good morning, my invoice shows a wrong address",
    "Since then the invoice has the wrong address. Thierry Vandenbrouck",
    "wrong address on the invoice, thanks",
    "La bouilloire fuit par le couvercle",
    "Bonjour, la bouilloire fuit toujours",
    "Franchement, ma bouilloire fuit par le couvercle",
]
KETTLES = np.array([0] * 5 + [1] * 4 + [0] * 3)
SPOKEN = ["en"] * 9 + ["fr"] * 3


def test_a_title_is_a_clause_that_customers_wrote():
    names = name_themes(COMPLAINTS, SPOKEN, KETTLES, 2, letters)
    assert [part.language for part in names[0]] == ["en", "fr"]
    for theme in names:
        for part in theme:
            spoken = zip(COMPLAINTS, SPOKEN, strict=True)
            said = [text.lower() for text, name in spoken if name == part.language]
            assert any(part.title.lower() in text for text in said)
            assert part.title[0].isupper()
            assert 3 <= len(part.title.split()) <= 10
            assert len(part.title) <= 60
    assert "kettle" in names[0][0].title.lower()
    assert "bouilloire" in names[0][1].title.lower()
    assert "invoice" in names[1][0].title.lower()


def test_titles_hang_on_no_order_of_rows():
    order = np.random.default_rng(0).permutation(len(COMPLAINTS))
    shuffled = name_themes(
        [COMPLAINTS[at] for at in order], [SPOKEN[at] for at in order], KETTLES[order], 2, letters
    )
    assert shuffled == name_themes(COMPLAINTS, SPOKEN, KETTLES, 2, letters)


def test_a_person_names_no_theme():
    texts = [f"{text} Anna Sorel wrote this to you" for text in ("The tap drips.", "A tap drips.")]
    texts = [*texts * 3, *["the bill is too high"] * 3]
    labels = np.array([0] * 6 + [1] * 3)
    persons = {"anna", "sorel"}
    named = name_themes(texts, ["en"] * 9, labels, 2, letters, persons)
    free = name_themes(texts, ["en"] * 9, labels, 2, letters)
    assert not persons & set(" ".join([named[0][0].title, *named[0][0].phrases]).lower().split())
    assert persons & set(" ".join(free[0][0].phrases).lower().split())


def test_a_word_that_one_message_holds_stands_in_no_title():
    texts = ["the red tap drips in Berlin", "the tap drips", "my tap drips all night"] * 2
    texts[0] = "the red tap of Gregor drips"
    named = name_themes(
        [*texts, "the bill is high"], ["en"] * 7, np.array([0] * 6 + [1]), 2, letters
    )
    assert "Gregor" not in named[0][0].title


def test_without_a_fit_clause_the_typical_phrase_is_the_title():
    names = name_themes(
        ["parcel!", "parcel?", "bill", "a bill"], ["en"] * 4, np.array([0, 0, 1, 1]), 2, letters
    )
    assert [title(theme) for theme in names] == ["Parcel", "Bill"]


def test_two_themes_have_no_title_of_the_same_words():
    texts = ["the tap drips", "taps that drip are bad"] * 6
    names = name_themes(texts, ["en"] * 12, np.arange(12) // 6, 2, letters)
    heads = [
        frozenset(stem(word) for word in words(part.title)) - {"the"}
        for theme in names
        for part in theme
    ]
    assert len(heads) == len(set(heads)) == 2
