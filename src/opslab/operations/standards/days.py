"""Days as people write them in documents: in figures, or with an English or French month."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress

from opslab.names import folded
from opslab.tables.dates import MONTHS

_FORMS = (
    r"(?P<year>\d{4}) (?P<month>\d\d?) (?P<day>\d\d?)\b",
    r"(?P<day>\d\d?) (?P<month>\d\d?) (?P<year>\d{4})\b",
    r"(?P<month>\d\d?) (?P<day>\d\d?) (?P<year>\d{4})\b",
    r"(?P<day>\d\d?) m(?P<month>\d+) (?P<year>\d{4})\b",
    r"m(?P<month>\d+) (?P<day>\d\d?) (?P<year>\d{4})\b",
)


def read_day(text: str) -> datetime.date | None:
    """Return the day that a text tells, in figures or with an English or French month.

    None where it tells none, or where it can be read in two ways.

    Examples
    --------
    >>> read_day("1er octobre 2026"), read_day("Oct 1st, 2026") == read_day("2026-10-01")
    (datetime.date(2026, 10, 1), True)
    >>> read_day("03/04/2026"), read_day("13/04/2026")
    (None, datetime.date(2026, 4, 13))
    """
    words = re.findall(r"\d+|[a-z]+", folded(text))
    plain = " ".join(
        f"m{MONTHS[word]}" if word in MONTHS else word
        for word in words
        if word in MONTHS or word.isdigit()
    )
    days = set()
    for form in _FORMS:
        if parts := re.match(form, plain):
            with suppress(ValueError):
                days.add(
                    datetime.date(**{key: int(part) for key, part in parts.groupdict().items()})
                )
    return days.pop() if len(days) == 1 else None
