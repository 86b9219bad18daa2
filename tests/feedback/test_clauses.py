"""Clauses: what people would accept as a title, without greetings, fillers and fragments."""

import pytest

from opslab.feedback.clauses import clauses


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello there, please can you tell me why my card is late?", "en", "why my card is late"),
        ("Honestly, and then the heating stops at night!!", "en", "the heating stops at night"),
        (
            "Again: no refund after weeks of waiting, thanks",
            "en",
            "no refund after weeks of waiting",
        ),
        ("Nice shop but the lamp arrived broken", "en", "the lamp arrived broken"),
        ("The tap drips because nobody fixed it", "en", "The tap drips"),
        ("Bonjour, d'ailleurs j'aimerais un mode nuit svp", "fr", "j'aimerais un mode nuit"),
        ("Petit mot : le four ne chauffe plus du tout.", "fr", "le four ne chauffe plus"),
        ("Franchement la page est vide quand je clique", "fr", "la page est vide"),
        ("Die Lampe ist kaputt. Danke", "de", "Die Lampe ist kaputt"),
    ],
)
def test_a_clause_stands_without_its_furniture(text, language, expected):
    found = clauses(text, language)
    assert expected in found
    assert not any(
        clause.lower().startswith(("hello", "bonjour", "and ", "but ")) for clause in found
    )


def test_a_long_sentence_is_cut_at_a_clause_and_nowhere_else():
    text = (
        "The parcel came to the wrong door and I had to look for it in the whole street"
        " with my neighbour and his two dogs until it was dark"
    )
    assert clauses(text, "en") == {"The parcel came to the wrong door"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("call me on [PHONE] about it", "en"),
        ("I WANT MY MONEY BACK NOW", "en"),
        ("to the left of the", "en"),
        ("my order is about to", "en"),
        ("which is a pity really for us", "en"),
        ("it does that", "en"),
        ("the problem between the boiler", "en"),
        ("my number is 12345 here", "en"),
        ("Too short", "en"),
        ("qui ne marche pas bien", "fr"),
        ("le problème avec la", "fr"),
        ("la chaudière ne veut pas de", "fr"),
        ("", "fr"),
    ],
)
def test_fragments_tokens_and_shouting_are_no_titles(text, language):
    assert clauses(text, language) == set()
