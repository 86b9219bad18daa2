"""Names: telling phrases, no stop words, no name twice, each language that speaks."""

import numpy as np
import pytest

from opslab.feedback.naming import name_themes, phrases_of, stop_words, title, words

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


def test_each_theme_is_named_in_the_languages_that_speak_in_it():
    names = name_themes(TEXTS, LANGUAGES, LABELS, 2)
    assert [[part.language for part in theme] for theme in names] == [["en", "fr"], ["en"]]
    assert "password" in names[0][0].phrases[0]
    assert names[0][1].phrases[0] == "mot de passe"
    assert "parcel" in names[1][0].phrases[0]
    assert title(names[0]).endswith(" / mot de passe")


def test_no_stop_word_at_either_end_and_no_name_twice():
    labels = np.arange(len(TEXTS)) % 5  # themes without any meaning
    names = name_themes(TEXTS, LANGUAGES, labels, 5)
    firsts = [part.phrases[0] for theme in names for part in theme]
    assert len(firsts) == len(set(firsts))
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
