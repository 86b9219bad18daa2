"""People judge a sample of the messages: how many stand in the right theme, with its interval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opslab.feedback.shares import wilson
from opslab.tables.numbers import FALSE, TRUE

PROMISED = 100
"""Judged messages from which a precision is told as one."""

SHEET = 120
"""Messages on a sheet, in random order: any number from the top is a random sample."""

_YES = {*TRUE, "right", "1.0"}
_NO = {*FALSE, "wrong", "0.0"}


@dataclass(frozen=True)
class Audit:
    """What people found.

    Attributes
    ----------
    judged, right : int
    interval : tuple of float
        Wilson, at 95 %.
    stale : int
        Judgements of messages that no longer stand in the theme that was judged.
    """

    judged: int
    right: int
    interval: tuple[float, float]
    stale: int = 0


def random_sample(uids: Sequence[str], seed: int, most: int = SHEET) -> list[int]:
    """Return the positions of the messages on a sheet; the same seed draws the same messages."""

    def lot(position: int) -> bytes:
        return hashlib.sha256(f"{seed}\0{uids[position]}".encode()).digest()

    return sorted(range(len(uids)), key=lot)[:most]


def judge(rows: Sequence[Mapping[str, object]], themes: Mapping[str, str]) -> Audit | None:
    """Return what a filled-in sheet says; None when nothing on it is judged.

    Parameters
    ----------
    rows : sequence of mapping
        ``message``, ``theme`` (the name that was judged) and ``right`` (yes or no, oui ou non, 1 or
        0).
    themes : mapping
        The name of each message's theme now, by uid.
    """
    judged = right = stale = 0
    for row in rows:
        answer = str(row.get("right")).strip().casefold()
        if answer not in _YES | _NO:
            continue
        if themes.get(str(row.get("message"))) != str(row.get("theme")):
            stale += 1
            continue
        judged += 1
        right += answer in _YES
    if not judged + stale:
        return None
    return Audit(judged, right, wilson(right, judged) if judged else (0.0, 1.0), stale)
