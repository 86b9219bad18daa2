"""Durations and shares as people write them: ``1 h 30``, ``90 min``, ``60 %``.

Patterns of cells in lower case with plain spaces and minus signs; the engine takes them too.
"""

from __future__ import annotations

import re

CLOCK = r"-?([0-9]+)(?:(?: ?h ?|:)([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]+)?))?)"
_NUMBER = "([0-9]+(?:[.,][0-9]{1,2})?)"
_EXACT_SECONDS = "(?:([0-9]+(?:[.,][0-9]+)?)s)?"
ISO = (
    rf"-?p(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:t(?:{_NUMBER}h)?(?:{_NUMBER}m(?:io)?)?{_EXACT_SECONDS})?"
)
_UNITS = (
    "w(?:ks?|eeks?)?|sem(?:aines?)?|wochen?",
    "d(?:ays?)?|j(?:ours?)?|tag(?:en?)?",
    "h(?:rs?|ours?|eures?)?|std|stunden?",
    "m(?:io|in(?:ute)?[sn]?)?",
    "s(?:ec(?:onde?)?s?)?|sek(?:unden?)?",
)
WORDED = "-?" + "".join(
    rf"(?:{_NUMBER} ?(?:{unit})[.]?(?:,? (?:and |et |und )?)?)?" for unit in _UNITS
)
DAYS = f"-?{_NUMBER} ?(?:{_UNITS[0]}|{_UNITS[1]})\\b.*"
SIZES = (40 * 3600, 8 * 3600, 3600, 60, 1)  # a week of five days of eight hours, as Jira has it
ISO_SIZES = (7 * 86_400, 86_400, 3600, 60, 1)
DAYTIME = "(?:0?[89]|[1-9][0-9]+):[0-5][0-9](?::[0-5][0-9])?"
"""A clock that may be a time of day: a duration of eight hours is no task's."""
_SHARE = "(-?[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+) ?(%?)"
_SPACES = str.maketrans("\u00a0\u202f\u2009\u2212", "   -")


def minutes_of(written: object) -> object:
    """Return the minutes of a duration in words or as hours and minutes; else what was given.

    Examples
    --------
    >>> minutes_of("1h30"), minutes_of("90 min"), minutes_of("1:30"), minutes_of("14:30")
    (90.0, 90.0, 90.0, '14:30')
    """
    cell = _plain(written)
    forms = {CLOCK: (3600, 60, 1), WORDED: SIZES}
    for form, sizes in forms.items():
        match = re.fullmatch(form, cell)
        if match and any(match.groups()) and not re.fullmatch(DAYTIME, cell):
            parts = (float((part or "0").replace(",", ".")) for part in match.groups())
            seconds = sum(part * size for part, size in zip(parts, sizes, strict=True))
            return -seconds / 60 if cell.startswith("-") else seconds / 60
    return written


def share_of(written: object) -> object:
    """Return a share written with a percent sign or a decimal comma; else what was given.

    Examples
    --------
    >>> share_of("60 %"), share_of("0,6"), share_of("most")
    (0.6, 0.6, 'most')
    """
    match = re.fullmatch(_SHARE, _plain(written))
    if not match:
        return written
    return float(match[1].replace(",", ".")) / (100 if match[2] else 1)


def _plain(written: object) -> str:
    return written.translate(_SPACES).strip().lower() if isinstance(written, str) else ""
