"""The kind of each point: a problem, a wish, a question, or other (praise, thanks, nothing said).

A linear classifier on the encoder's vectors and on turns of phrase tells problem, wish and other;
questions are told by their form. `benchmarks/feedback_kinds.py` makes the weights from labelled app
reviews, and measures them on an app and in a language that they were not made from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from opslab.feedback.clustering import Floats, Vectors
from opslab.feedback.naming import stop_words, words
from opslab.feedback.words import table as _table

Kind = Literal["problem", "wish", "question", "other"]

LEARNED: tuple[Kind, ...] = ("problem", "wish", "other")
"""Kinds that the classifier tells, as its weights stand; of equal scores the first wins."""


def _has(text: str, pattern: str) -> bool:
    return bool(re.search(pattern, text.lower()))


def features(texts: Sequence[str], vectors: Vectors) -> Floats:
    """Return what the classifier sees of each text: its vector, and which cues are in it.

    Parameters
    ----------
    texts : sequence of str
    vectors : array, shape (texts, 512)

    Returns
    -------
    array, shape (texts, 512 + cues)
    """
    patterns = _table("kinds.toml")["cues"].values()
    return np.hstack(  # a cue weighs 0.6 beside vectors of length 1
        [vectors, [[0.6 * _has(text, pattern) for pattern in patterns] for text in texts]]
    )


def kinds_of(texts: Sequence[str], vectors: Vectors, encoder: str) -> list[Kind | None]:
    """Return the kind of each text, None where the encoder is not the one of the weights.

    A question for a change ("could you add …?") is a wish. One that only ends like a question
    ("no sound since the update?"), or asks for a reason ("why does it …?"), is the problem or the
    wish that its meaning says.

    Parameters
    ----------
    texts : sequence of str
        Points: a sentence or two each, in English or French.
    vectors : array, shape (texts, 512)
    encoder : str
        The sha256 of the encoder that made them.
    """
    learned = _table("kinds_weights.toml")
    if encoder != learned["encoder"] or not texts:
        return [None] * len(texts)
    scores = features(texts, vectors) @ np.transpose(learned["weights"]) + learned["intercepts"]
    best = scores.round(4).argmax(axis=1)  # last bits differ between processors
    return [_asked(text, LEARNED[at]) for text, at in zip(texts, best, strict=True)]


def _asked(text: str, learned: Kind) -> Kind:
    """Return the kind of a text of which the classifier says this."""
    phrases = _table("kinds.toml")
    if not _has(text, phrases["form"]):
        return learned
    if _has(text, phrases["request"]):
        return "wish"
    return "question" if learned == "other" or _has(text, phrases["turn"]) else learned


def praises(text: str) -> bool:
    """Return whether a text has a word of praise, whatever else it says."""
    return _has(text, _table("kinds.toml")["cues"]["praise"])


def says_nothing(text: str) -> bool:
    """Return whether a text only praises or thanks: its words name no thing to act on.

    Examples
    --------
    >>> says_nothing("Super appli, merci !"), says_nothing("Great maps")
    (True, False)
    """
    phrases = _table("kinds.toml")
    praise, said = set(phrases["praise"].split()), set(words(text))
    if said.isdisjoint(praise) and said:
        return False
    empty = stop_words("en") | stop_words("fr") | praise
    return empty >= said and not _has(text, phrases["against"])
