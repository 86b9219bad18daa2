"""What came in: messages of customers, redacted, and what was left out or taken out on the way."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from opslab.tables import Reading


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """What a customer wrote, redacted.

    Attributes
    ----------
    uid : str
        Stable: the same message has the same in the next run; from its source, its id there and
        its text.
    row : int
        Its number among the data rows of its source, from 1.
    text : str
        With tokens for personal data.
    words : str
        What an encoder reads of it.
    customer : str or None
        A key that tells customers apart, and names none.
    traits : mapping of str to str
        For whom: segment, plan, version, country, channel, and the columns that the study names.
    discontent : float or None
        From 0, content, to 1, the worst that the scale of its stars or score has.
    handling : float or None
        Minutes that people worked on it.
    """

    uid: str
    source: str
    id: str
    row: int
    text: str
    words: str = ""
    language: str | None = None
    date: datetime.date | None = None
    customer: str | None = None
    revenue: float | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    rating: float | None = None
    score: float | None = None
    discontent: float | None = None
    handling: float | None = None


@dataclass(frozen=True)
class Intake:
    """The messages in their canonical order, and what was left out or taken out on the way.

    Attributes
    ----------
    messages : tuple of CustomerMessage
        By the hash of their words, then by uid: no order of rows or files plays a part.
    readings : tuple of Reading
    rows : tuple of (str, int)
        Source and row number of everything that came in, in the order of the input.
    redacted : Counter
        By kind of personal data.
    persons : frozenset of str
        Words in lower case that name writers and who they write to: kept out of what names themes.
    furniture : tuple of (str, str, str)
        What was cut around the messages: uid, kind as in `opslab.feedback.letters`, and text,
        redacted.
    empty, outside, cut, repeated, shared, erased : int
        Rows without text, rows outside the study's days, texts cut at `LONGEST`, rows whose id and
        text came before, messages that share their id with another one, and rows of customers who
        were erased.
    """

    messages: tuple[CustomerMessage, ...]
    readings: tuple[Reading, ...]
    rows: tuple[tuple[str, int], ...]
    redacted: Counter[str]
    persons: frozenset[str] = frozenset()
    furniture: tuple[tuple[str, str, str], ...] = ()
    empty: int = 0
    outside: int = 0
    cut: int = 0
    repeated: int = 0
    shared: int = 0
    erased: int = 0
