"""Dates and times as tools write them: English and French months, day or month first.

Nothing is guessed from one cell: ``04/03/2025`` is the fourth of March where another cell of the
column can only be day first, and a question where none tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opslab.tables.numbers import MachineForm, counts, is_missing, matches, plain_text
from opslab.tables.source import ROW, literal

_MONTHS = {
    1: "jan january janv janvier",
    2: "feb february fev fevr fevrier",
    3: "mar march mars",
    4: "apr april avr avril",
    5: "may mai",
    6: "jun june juin",
    7: "jul july juil juillet",
    8: "aug august aou aout",
    9: "sep sept september septembre",
    10: "oct october octobre",
    11: "nov november novembre",
    12: "dec december decembre",
}
MONTHS = {name: number for number, names in _MONTHS.items() for name in names.split()}
"""Number of each month by its English and French names, without accents."""

_TIME = (
    r"(?:(?:[t ,]+|,? (?:at|a) )([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]{1,6})?))?"
    r"(?: ?([ap])[.]?m[.]?)?)?"
)
_OFFSET = r" ?(?:z|utc|gmt|[+-][0-9]{2}(?::?[0-9]{2})?)"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[t ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?)?"
_WITH_OFFSET = rf"{_ISO}{_OFFSET}"
_YEAR_FIRST = rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}"
_NUMERIC = rf"([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{4}}|[0-9]{{2}}){_TIME}"
_MONTH = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
_WEEKDAY = r"(?:[a-z]{2,9}[.]?,? )?"
_YEAR = "([0-9]{4}|[0-9]{2})"
_DAY_MONTH = (
    rf"{_WEEKDAY}([0-9]{{1,2}})(?:er|st|nd|rd|th)?[-/ .]+{_MONTH}[.]?[-/ ,.]+{_YEAR}{_TIME}"
)
_MONTH_DAY = rf"{_WEEKDAY}{_MONTH}[.]? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){_TIME}"
_LOCAL = (_ISO, _YEAR_FIRST, _NUMERIC, _DAY_MONTH, _MONTH_DAY)
_LIKE = re.compile("|".join(f"(?:{form})" for form in (_WITH_OFFSET, *_LOCAL)))
_VERSION, _PADDED = re.compile(r"[0-9]{1,2}([.][0-9]{1,2}){2}"), re.compile(r"\b0[0-9]")
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
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = f"{_DAY} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}"
_CHANGES = (60, 30)  # minutes by which clocks go back
_PIVOT = "69"  # two-digit years from here on are of the twentieth century, as POSIX has it


def machine_form(texts: Sequence[str]) -> MachineForm | None:
    """Return the form of dates in a program's own notation that a sample is in, or none."""
    for form in (MachineForm(_DAY, "DATE"), MachineForm(_MOMENT, "TIMESTAMP")):
        if all(map(re.compile(form.pattern).fullmatch, texts)):
            return form
    return None


def look_like_versions(texts: Sequence[str]) -> bool:
    """Whether cells that could be days are versions: ``3.12.10``, and none as ``3.02.10``."""
    cells = list(map(plain_text, texts))
    return all(map(_VERSION.fullmatch, cells)) and not any(map(_PADDED.search, cells))


def looks_like_date(text: str) -> bool:
    """Whether a cell is a date in some notation."""
    return bool(_LIKE.fullmatch(plain_text(text)))


@dataclass(frozen=True)
class DateEvidence:
    """What a column's cells tell of their notation: counts of cells.

    Attributes
    ----------
    given, words : int
        Cells with something, and with a word for nothing.
    day_first, month_first : int
        Cells such as ``25/03/2025`` and ``03/25/2025``, or with dots between, which are day first.
    unclear : int
        Cells such as ``04/03/2025``.
    offset, local : int
        Times with an offset to UTC, and times without.
    short : int
        Years of two digits.
    neither : int
        Cells that are no date.
    first_day, first_month : int or None
        Rows of a first cell that is day first, month first.
    """

    given: int
    words: int
    day_first: int
    month_first: int
    unclear: int
    offset: int
    local: int
    short: int
    neither: int
    first_day: int | None
    first_month: int | None

    @property
    def misfits(self) -> int:
        """Cells that keep the column from being one of dates where no kind is declared."""
        return self.neither

    @staticmethod
    def sql(cell: str) -> list[str]:
        """Return SQL of the counts, in the order of the fields."""
        missing, numeric = is_missing(cell), matches(cell, _NUMERIC)
        first, second = (f"TRY_CAST({_group(cell, _NUMERIC, part)} AS INTEGER)" for part in (1, 2))
        dotted = f"regexp_matches({cell}, '^[0-9]+[.]')"
        both = f"{first} <= 12 AND {second} <= 12 AND {first} <> {second}"
        day = f"{numeric} AND ({first} > 12 AND {second} <= 12 OR {both} AND {dotted})"
        month = f"{numeric} AND {second} > 12 AND {first} <= 12"
        offset = matches(cell, _WITH_OFFSET)
        timed = f"regexp_matches({cell}, '[0-9][:h][0-9]{{2}}')"
        known = " OR ".join(matches(cell, form) for form in _LOCAL)
        conditions = (
            f"NOT {missing}",
            missing,
            day,
            month,
            f"{numeric} AND {both} AND NOT {dotted}",
            offset,
            f"{timed} AND NOT {offset}",
            " OR ".join(f"length({_group(cell, form, 3)}) = 2" for form in (_NUMERIC, _DAY_MONTH)),
            f"NOT ({known} OR {offset} OR {missing})",
        )
        rows = [f"min({ROW}) FILTER ({which})" for which in (day, month)]
        return [*counts(cell, conditions), *rows]


def _group(cell: str, form: str, part: int) -> str:
    return f"regexp_extract({cell}, {literal(f'^{form}$')}, {part})"


def moment(cell: str, *, day_first: bool, zone: str | None) -> str:
    """Return SQL of a text as a time.

    It is in UTC where it has an offset or a zone is given, else as written.

    Parameters
    ----------
    cell : str
        SQL.
    day_first : bool
    zone : str or None
        Zone of the times without an offset.
    """
    numeric = (r"\3-\2-\1 " if day_first else r"\3-\1-\2 ") + _CLOCK
    forms = {
        _ISO: f"TRY_CAST(upper({cell}) AS TIMESTAMP)",
        _YEAR_FIRST: _stamp(_rewritten(cell, _YEAR_FIRST, r"\1-\2-\3 " + _CLOCK)),
        _NUMERIC: _stamp(_rewritten(cell, _NUMERIC, numeric)),
        _DAY_MONTH: _with_month(cell, _DAY_MONTH, month=2, day=1),
        _MONTH_DAY: _with_month(cell, _MONTH_DAY, month=1, day=2),
    }
    cases = " ".join(f"WHEN {matches(cell, form)} THEN {value}" for form, value in forms.items())
    local = f"CASE {cases} END"
    if zone is not None:
        local = in_utc(local, zone)
    instant = f"upper(regexp_replace({cell}, ' (z|utc|gmt|[+-])', '\\1'))"
    instant = f"TRY_CAST(regexp_replace({instant}, '(UTC|GMT)$', 'Z') AS TIMESTAMPTZ)"
    offset = matches(cell, _WITH_OFFSET)
    return f"CASE WHEN {offset} THEN make_timestamp(epoch_us({instant})) ELSE {local} END"


def day(cell: str, *, day_first: bool) -> str:
    """Return SQL of a text as the day that is written, whatever offset stands behind its time."""
    written = f"TRY_CAST({cell}[1:10] AS DATE)"
    local = f"CAST({moment(cell, day_first=day_first, zone=None)} AS DATE)"
    return f"CASE WHEN {matches(cell, _WITH_OFFSET)} THEN {written} ELSE {local} END"


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


def is_local(cell: str) -> str:
    """Return the SQL condition that a cell holds a time without an offset."""
    return f"NOT {matches(cell, _WITH_OFFSET)}"


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


def _rewritten(cell: str, form: str, order: str) -> str:
    return f"regexp_replace({cell}, {literal(f'^{form}$')}, {literal(order)})"


def _with_month(cell: str, form: str, *, month: int, day: int) -> str:
    numbers = ", ".join(f"{literal(name)}: {number}" for name, number in MONTHS.items())
    number = f"CAST(MAP {{{numbers}}}[{_group(cell, form, month)}] AS VARCHAR)"
    rest = _rewritten(cell, form, rf"-\{day} " + _CLOCK)
    return _stamp(f"{_group(cell, form, 3)} || '-' || {number} || {rest}")


def _stamp(written: str) -> str:
    formats = ", ".join(map(literal, _FORMATS))
    century = f"CASE WHEN ({written})[1:2] >= '{_PIVOT}' THEN '19' ELSE '20' END"
    century = f"CASE WHEN ({written})[3] = '-' THEN {century} ELSE '' END"
    return f"try_strptime({century} || replace({written}, ',', '.'), [{formats}])"
