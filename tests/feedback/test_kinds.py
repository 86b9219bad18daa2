"""Kinds of points: what was learned, questions by their form, mere praise, and no silent guess."""

import re
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from opslab.feedback import kinds
from opslab.feedback.encoders import UNIVERSAL_SHA256, Universal
from opslab.feedback.kinds import features, kinds_of, says_nothing

PATTERNS = tomllib.loads((files("opslab.feedback") / "words" / "kinds.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def told():
    encoder = Universal()

    def tell(*texts):
        return kinds_of(texts, encoder.encode(texts), encoder.sha256)

    return tell


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "problem",
            [
                "crashes",
                "The kiosk freezes whenever I scan a ticket",
                "Impossible d'ouvrir le portail depuis mardi",
                "Le badge ne fonctionne plus",
                "My voucher was refused at the till",
            ],
        ),
        (
            "wish",
            [
                "please add a calendar view",
                "It would be nice if I could sort the list",
                "J'aimerais pouvoir trier la liste",
                "Il manque une vue par semaine",
            ],
        ),
        (
            "other",
            ["Great app!", "Thanks", "super", "Une équipe formidable, merci", "I use it every day"],
        ),
    ],
)
def test_what_was_learned_holds_in_both_languages_and_in_short(told, kind, texts):
    assert told(*texts) == [kind] * len(texts)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("question", "How do I change the colour of a label?"),
        ("question", "how do i change the colour of a label"),
        ("question", "Comment changer la couleur d'une étiquette ?"),
        ("question", "Est-ce que la livraison est gratuite"),
        ("question", "Where is my locker?"),
        ("wish", "Could you add a calendar view?"),
        ("wish", "Is it possible to add a calendar view?"),
        ("wish", "Serait-il possible d\u2019ajouter une vue par semaine ?"),
        ("problem", "Why does it crash every morning?"),
        ("problem", "Plus aucun son depuis la mise à jour ?"),
        ("problem", "When I open the map it crashes"),
    ],
)
def test_a_question_asks_for_an_answer(told, kind, text):
    assert told(text) == [kind]


def test_a_kind_does_not_hang_on_the_company_of_a_text(told):
    texts = ["crashes", "please add a calendar view", "Thanks", "Where is my locker?"]
    assert told(*texts) == [told(text)[0] for text in texts]


def test_another_encoder_gives_no_kind():
    vectors = np.zeros((2, 512), np.float32)
    assert kinds_of(["crashes", "Thanks"], vectors, "another") == [None, None]


def test_no_texts_have_no_kinds():
    assert kinds_of([], np.zeros((0, 1), np.float32), UNIVERSAL_SHA256) == []


def test_equal_scores_are_a_problem(monkeypatch):
    """Equal but for the last bits, in which processors differ."""
    size = 512 + len(PATTERNS["cues"])
    level = {"encoder": "e", "intercepts": [0, 1e-6, 1e-6], "weights": np.zeros((3, size))}
    tables = {"kinds.toml": PATTERNS, "kinds_weights.toml": level}
    monkeypatch.setattr(kinds, "_table", tables.get)
    assert kinds_of(["a"], np.zeros((1, 512), np.float32), "e") == ["problem"]


def test_the_weights_are_made_for_these_cues_and_this_encoder():
    learned = kinds._table("kinds_weights.toml")
    seen = features(["a", "b"], np.zeros((2, 512), np.float32))
    assert np.shape(learned["weights"]) == (len(kinds.LEARNED), seen.shape[1])
    assert learned["encoder"] == UNIVERSAL_SHA256
    assert learned["cues"] == list(PATTERNS["cues"])


@pytest.mark.parametrize("apostrophe", ["'", "\u2019"])
def test_a_cue_is_seen_with_either_apostrophe(apostrophe):
    text = f"It won{apostrophe}t start"
    row = features([text], np.zeros((1, 512), np.float32))[0, 512:]
    assert row[list(PATTERNS["cues"]).index("not")] > 0


@pytest.mark.parametrize("name", ["form", "turn", "request", "against", *PATTERNS["cues"]])
def test_no_pattern_fits_an_empty_text(name):
    pattern = PATTERNS["cues"].get(name) or PATTERNS[name]
    assert not re.search(pattern, "")


@pytest.mark.parametrize(
    "text",
    ["Great app!", "Super appli, merci", "good", "top", "love it", "J'adore", "Thank you!", "👍"],
)
def test_mere_praise_says_nothing(text):
    assert says_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "Great maps",
        "Super appli mais lente",
        "Not good",
        "Don't like it",
        "Pas top",
        "Good, but",
        "It would be good",
        "Why?",
        "Nul",
        "Always need it",
        "I love the calendar",
    ],
)
def test_what_can_be_acted_on_is_no_mere_praise(text):
    assert not says_nothing(text)
