"""Dates and times as tools write them: English, French and German months, day or month first.

Nothing is guessed from one cell: ``04/03/2025`` is the fourth of March where another cell of the
column can only be day first, and a question where none tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opslab.tables.numbers import is_missing, matches, plain_text
from opslab.tables.source import ROW, literal

_MONTHS = {
    1: "jan january janv janvier januar",
    2: "feb february fev fevr fevrier februar",
    3: "mar march mars marz maerz mrz",
    4: "apr april avr avril",
    5: "may mai",
    6: "jun june juin juni",
    7: "jul july juil juillet juli",
    8: "aug august aou aout",
    9: "sep sept september septembre",
    10: "oct october octobre okt oktober",
    11: "nov november novembre",
    12: "dec december decembre dez dezember",
}
MONTHS = {name: number for number, names in _MONTHS.items() for name in names.split()}
"""Number of each month by its English, French and German names, without accents."""

_TIME = (
    r"(?:(?:[t ,]+|,? (?:at|a|um) )([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]{1,6})?))?"
    r"(?: ?([ap])[.]?m[.]?)?(?: uhr)?)?"
)
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[t ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?)?"
_TIMED = r".*[0-9][:h][0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[ap][.]?m[.]?)?"
_SHIFT = r"([+-])([01]?[0-9])(?::?([0-5][0-9]))?(?: [(][a-z]+[)])?"
_OFFSET = rf" ?(?:z|utc|gmt|(?:utc|gmt)?{_SHIFT})"
_YEAR_FIRST = rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}"
_NUMERIC = rf"([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{4}}|[0-9]{{2}}){_TIME}"
_WIDTHS = {"%Y": "[0-9]{4}", "%p": "[AP]M"}  # of what programs write; other parts have two digits
_MONTH = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
_WEEKDAY = r"(?:[a-z]{2,10}[.]?,? )?"
_YEAR = "([0-9]{4}|[0-9]{2})"
_DAY_MONTH = (
    rf"{_WEEKDAY}([0-9]{{1,2}})(?:er|st|nd|rd|th)?[-/ .]+{_MONTH}[.]?[-/ ,.]+{_YEAR}{_TIME}"
)
_MONTH_DAY = rf"{_WEEKDAY}{_MONTH}[.]? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){_TIME}"
_LOCAL = (_ISO, _YEAR_FIRST, _NUMERIC, _DAY_MONTH, _MONTH_DAY)
_LIKE = re.compile("|".join(f"(?:{form})" for form in _LOCAL))
_DIGITS = "[0-9]{5,13}(?:[.][0-9]+)?"
_TIMES, _DAYS = (
    "time|date|datetime|timestamp|ts|created|updated|modified|closed|at|on",
    "date|datum",
)
_NO_TIME = r"^(?!.*\b(?:by|ids?|users?|counts?|numbers?)\b).*"  # "Created by" is a person
NUMBERED = {
    "serials": (36_526, 73_051, _DAYS),
    "compact": (19_000_101, 21_000_101, _DAYS),
    "seconds": (946_684_800, 4_102_444_800, _TIMES),
    "milliseconds": (946_684_800_000, 4_102_444_800_000, _TIMES),
}
"""Numbers that can be times, by what they count: from, below, and words of their headings."""
_VERSION, _PADDED = re.compile(r"([0-9]{1,2}|[0-9]{4})([.][0-9]{1,2}){2}"), re.compile(r"\b0[0-9]")
_CLOCK = r"\4:\5:\6 \7m"
_FORMATS = (
    "%Y-%m-%d :: m",
    "%Y-%m-%d %H:%M: m",
    "%Y-%m-%d %H:%M:%S m",
    "%Y-%m-%d %H:%M:%S.%f m",
    "%Y-%m-%d %I:%M: %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M:%S.%f %p",
)
_CHANGES = (60, 30)  # minutes by which clocks go back
_PIVOT = "69"  # two-digit years from here on are of the twentieth century, as POSIX has it


def look_like_versions(texts: Sequence[str]) -> bool:
    """Whether cells that could be days are versions: ``3.12.10``, and none as ``3.02.10``."""
    cells = list(map(plain_text, texts))
    return all(map(_VERSION.fullmatch, cells)) and not any(map(_PADDED.search, cells))


def looks_like_date(text: str) -> bool:
    """Whether a cell is a date in some notation."""
    return bool(_LIKE.fullmatch(re.sub(f"^({_TIMED}){_OFFSET}$", r"\1", plain_text(text))))


def numbered(heading: str, texts: Sequence[str]) -> str:
    """Return what numbers below a heading of times count, among `NUMBERED`; empty if they do not.

    Examples
    --------
    >>> numbered("Created at", ["1773482400"]), numbered("Load time", ["45000"])
    ('seconds', '')
    """
    words = plain_text(re.sub("([a-z])([A-Z])", r"\1 \2", heading)).replace("_", " ")
    for name, (low, high, known) in NUMBERED.items():
        if re.search(f"{_NO_TIME}\\b(?:{known})\\b", words) and all(
            re.fullmatch(_DIGITS, text) and low <= float(text) < high for text in texts
        ):
            return name
    return ""


@dataclass(frozen=True)
class DateEvidence:
    """What a column's cells tell of their notation: counts of cells.

    Attributes
    ----------
    given, words : int
        Cells with something, and with a word for nothing.
    day_first, month_first : int
        Cells such as ``25/03/2025`` and ``03/25/2025``, or with dots between, which are day first.
    unclear, low : int
        Cells such as ``04/03/2025``, and all in which neither part is above 12.
    iso_low : int
        Cells that begin with the year, their day at most 12.
    offset, local : int
        Times with an offset to UTC, and times without.
    short : int
        Years of two digits.
    serials, compact, seconds, milliseconds : int
        Numbers that can be times, as of `NUMBERED`.
    neither : int
        Cells that are no date.
    misfit : Mapping or None
        Row and cell of the first of them.
    first_day, first_month : int or None
        Rows of a first cell that is day first, month first.
    """

    given: int
    words: int
    day_first: int
    month_first: int
    unclear: int
    low: int
    iso_low: int
    offset: int
    local: int
    short: int
    serials: int
    compact: int
    seconds: int
    milliseconds: int
    neither: int
    misfit: Mapping[str, Any] | None
    first_day: int | None
    first_month: int | None

    @property
    def proofs(self) -> dict[str, int]:
        """Cells by what they prove to come first."""
        counts = {"day": self.day_first, "month": self.month_first}
        return {first: count for first, count in counts.items() if count}

    @property
    def both(self) -> dict[str, int]:
        """What a question says of a column that proves both."""
        return {"first": (self.first_day or 0) + 1, "second": (self.first_month or 0) + 1}

    @property
    def swapped(self) -> bool:
        """Whether a spreadsheet of another locale has taken day for month in its true dates.

        It leaves as text what it cannot take: the days above 12.
        """
        if self.low or len(self.proofs) != 1:
            return False
        return 0 < self.iso_low == self.given - sum(self.proofs.values())

    @staticmethod
    def sql() -> tuple[str, dict[str, str], list[str]]:
        """Return as of `NumberEvidence.sql`; ``bare`` is the time without its offset."""
        missing, numeric = is_missing("cell"), matches("bare", _NUMERIC)
        first, second = (f"TRY_CAST({_group(_NUMERIC, part)} AS INTEGER)" for part in (1, 2))
        dotted = "regexp_matches(cell, '^[0-9]+[.]')"
        low = f"{numeric} AND {first} <= 12 AND {second} <= 12"
        both = f"{low} AND {first} <> {second}"
        iso = matches("bare", f"{_ISO}|{_YEAR_FIRST}")
        iso_day = "TRY_CAST(regexp_extract(bare, '^[0-9]{4}.[0-9]+.([0-9]+)', 1) AS INTEGER)"
        known = " OR ".join(matches("bare", form) for form in _LOCAL)
        conditions = {
            "given": f"NOT {missing}",
            "words": missing,
            "day_first": f"{numeric} AND {first} > 12 AND {second} <= 12 OR {both} AND {dotted}",
            "month_first": f"{numeric} AND {second} > 12 AND {first} <= 12",
            "unclear": f"{both} AND NOT {dotted}",
            "low": low,
            "iso_low": f"{iso} AND {iso_day} <= 12",
            "offset": "bare <> cell",
            "local": "bare = cell AND regexp_matches(cell, '[0-9][:h][0-9]{2}')",
            "short": " OR ".join(
                f"length({_group(form, 3)}) = 2" for form in (_NUMERIC, _DAY_MONTH)
            ),
            **{name: _numbered(name) for name in NUMBERED},
            "neither": f"NOT ({known} OR {missing})",
        }
        rows = [f"min({ROW}) FILTER ({which})" for which in ("day_first", "month_first")]
        return _without_offset(), conditions, rows


def _numbered(name: str) -> str:
    low, high, _ = NUMBERED[name]
    number = "TRY_CAST(cell AS DOUBLE)"
    return f"{matches('cell', _DIGITS)} AND {number} >= {low} AND {number} < {high}"


def _without_offset() -> str:
    local = f"regexp_replace(cell, {literal(f'{_OFFSET}$')}, '')"
    return f"CASE WHEN {matches('cell', _TIMED + _OFFSET)} THEN {local} ELSE cell END"


def _group(form: str, part: int) -> str:
    return f"regexp_extract(bare, {literal(f'^{form}$')}, {part})"


class Order(NamedTuple):
    """The order of a date's parts: the day first, day and month swapped behind the year."""

    day_first: bool
    swapped: bool = False


def moment(order: Order, zone: str | None) -> str:
    """Return SQL of a text as a time; as of `DateEvidence.sql` it is of ``cell`` and ``bare``.

    It is in UTC where it has an offset or a zone is given, or counts from 1970; else as written.
    """
    local = _local(order)
    sign, *parts = (f"regexp_extract(cell, {literal(f'{_SHIFT}$')}, {part})" for part in (1, 2, 3))
    hours, minutes = (f"coalesce(TRY_CAST({sign} || {part} AS INTEGER), 0)" for part in parts)
    zoned = once("local", local, in_utc("local", zone)) if zone else local
    return (
        f"CASE WHEN bare <> cell THEN {local} - to_minutes({hours} * 60 + {minutes}) "
        f"WHEN {is_local()} THEN {zoned} ELSE {local} END"
    )


def quick(order: Order, zone: str | None) -> str:
    """Return SQL of a ``text`` just as a program writes it as a time, as of `moment`; else none.

    It is a few of `moment`'s notations, read in a fifth of the time: what reads as it is written.
    """
    day = "%d/%m/%Y" if order.day_first else "%m/%d/%Y"
    forms = ["%Y-%m-%d %H:%M:%S"] * (not order.swapped)
    forms += [f"{day} {clock}" for clock in ("%H:%M:%S", "%I:%M:%S %p", "%H:%M", "%I:%M %p")]
    cases = " ".join(
        f"WHEN {matches('text', re.sub('%.', _width, form))} "
        f"THEN try_strptime(text, {literal(form)})"
        for form in forms
    )
    read = f"CASE {cases} END"  # a form that fails costs more than to see that it does not fit
    return once("time", read, in_utc("time", zone)) if zone else read


def _width(part: re.Match[str]) -> str:
    return _WIDTHS.get(part[0], "[0-9]{2}")


def day(order: Order) -> str:
    """Return SQL of a text as the day that is written, whatever offset stands behind its time."""
    return f"CAST({_local(order)} AS DATE)"


def once(name: str, value: str, of: str) -> str:
    """Return SQL of an expression of a name, for which a value is taken that is worked out once."""
    return f"list_transform([{value}], lambda {name}: {of})[1]"


def _local(order: Order) -> str:
    """Return SQL of a text without its offset as the time that is written."""
    numeric = (r"\3-\2-\1 " if order.day_first else r"\3-\1-\2 ") + _CLOCK
    year_first = (r"\1-\3-\2 " if order.swapped else r"\1-\2-\3 ") + _CLOCK
    whole = "upper(bare)"
    if order.swapped:
        whole = f"regexp_replace({whole}, '^(....)-(..)-(..)', '\\1-\\3-\\2')"
    number = "TRY_CAST(cell AS DOUBLE)"
    forms = {
        matches("bare", _ISO): f"TRY_CAST({whole} AS TIMESTAMP)",
        matches("bare", _YEAR_FIRST): _stamp(_rewritten(_YEAR_FIRST, year_first)),
        matches("bare", _NUMERIC): _stamp(_rewritten(_NUMERIC, numeric)),
        matches("bare", _DAY_MONTH): _with_month(_DAY_MONTH, month=2, day=1),
        matches("bare", _MONTH_DAY): _with_month(_MONTH_DAY, month=1, day=2),
        _numbered("compact"): "try_strptime(cell, '%Y%m%d')",
        _numbered("serials"): f"to_timestamp(round(({number} - 25569) * 86400))",
        _numbered("seconds"): f"to_timestamp({number})",
        _numbered("milliseconds"): f"to_timestamp({number} / 1000)",
    }
    cases = " ".join(
        f"WHEN {condition} THEN CAST({value} AS TIMESTAMP)" for condition, value in forms.items()
    )
    return f"CASE {cases} END"


def in_utc(local: str, zone: str) -> str:
    """Return SQL of a zone's local time in UTC; of an hour that clocks show twice, the first."""
    named = literal(zone)
    later = f"timezone({named}, {local})"
    cases = [
        f"WHEN timezone({named}, {later} - INTERVAL {minutes} MINUTE) = {local} "
        f"THEN {later} - INTERVAL {minutes} MINUTE"
        for minutes in _CHANGES
    ]
    return f"make_timestamp(epoch_us(CASE {' '.join(cases)} ELSE {later} END))"


def is_local() -> str:
    """Return the SQL condition that a cell holds a time without an offset."""
    return f"bare = cell AND NOT ({_numbered('seconds')} OR {_numbered('milliseconds')})"


def zone_troubles(local: str, zone: str) -> tuple[str, str]:
    """Return the SQL conditions that a zone has no such local time, and that it has it twice."""
    named = literal(zone)
    there = f"timezone({named}, timezone({named}, {local}))"
    again = " OR ".join(
        f"timezone({named}, timezone({named}, {local}) {sign} INTERVAL {minutes} MINUTE) = {local}"
        for sign in "+-"
        for minutes in _CHANGES
    )
    return f"{there} <> {local}", f"({again})"


def _rewritten(form: str, order: str) -> str:
    return f"regexp_replace(bare, {literal(f'^{form}$')}, {literal(order)})"


def _with_month(form: str, *, month: int, day: int) -> str:
    numbers = ", ".join(f"{literal(name)}: {number}" for name, number in MONTHS.items())
    number = f"CAST(MAP {{{numbers}}}[{_group(form, month)}] AS VARCHAR)"
    rest = _rewritten(form, rf"-\{day} " + _CLOCK)
    return _stamp(f"{_group(form, 3)} || '-' || {number} || {rest}")


def _stamp(written: str) -> str:
    formats = ", ".join(map(literal, _FORMATS))
    century = f"CASE WHEN day[1:2] >= '{_PIVOT}' THEN '19' ELSE '20' END"
    century = f"CASE WHEN day[3] = '-' THEN {century} ELSE '' END"
    return once("day", written, f"try_strptime({century} || replace(day, ',', '.'), [{formats}])")
