"""What a message says: one thing, or several where it is long."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.redaction import without_tokens

LONG = 25
"""Words from which a message of several sentences makes several points."""

_LEAST = 4  # words of a point: shorter sentences stay with the one before
_END = re.compile(r"(?<=[.!?…;])\s+(?=\W*\w)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A message, or a part of it that makes a point.

    Attributes
    ----------
    owner : int
        The number of its message.
    position : int
        0 for the whole message, and from 1 for its points.
    text, words : str
        As it is shown, and as an encoder reads it.
    language : str or None
    split : bool
        Whether the message makes several points.
    """

    owner: int
    position: int
    text: str
    words: str
    language: str | None
    split: bool


def points(text: str) -> list[str]:
    """Return the sentences of a long text, those of a few words with the one before.

    Examples
    --------
    >>> points("Short and good.")
    ['Short and good.']
    """
    if len(text.split()) < LONG:
        return [text]
    parts = list[str]()
    for sentence in _END.split(text):
        if parts and min(len(sentence.split()), len(parts[-1].split())) < _LEAST:
            parts[-1] += f" {sentence}"
        else:
            parts.append(sentence)
    return parts


def passages(messages: Sequence[CustomerMessage]) -> list[Passage]:
    """Return whole messages, then the points of those that make several, each by its hash.

    Parameters
    ----------
    messages : sequence of CustomerMessage
    """
    rows = list[Passage]()
    for owner, message in enumerate(messages):
        parts = points(message.text)
        split = len(parts) > 1
        for position, part in enumerate([message.text, *parts * split]):
            words = (message.words if position == 0 else "") or without_tokens(part)
            if words:
                rows.append(Passage(owner, position, part, words, message.language, split))
    return sorted(rows, key=lambda passage: (passage.position > 0, *_canonical(passage)))


def finer(said: Sequence[Passage], rows: Sequence[int]) -> list[int]:
    """Return of these rows the points, and the messages that make a single one, by their hash."""
    parts = [row for row in rows if said[row].position or not said[row].split]
    return sorted(parts, key=lambda row: _canonical(said[row]))


def _canonical(passage: Passage) -> tuple[str, int, int]:
    digest = hashlib.sha256(passage.words.casefold().encode("utf-8", "replace")).hexdigest()
    return digest, passage.owner, passage.position
