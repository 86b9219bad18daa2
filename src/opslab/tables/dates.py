"""Dates and times as tools write them: English and French months, and day or month first by the column.

Nothing is guessed from one cell: ``04/03/2025`` is the fourth of March where another cell of the
column can only be day first, and a question where none tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opslab.tables.numbers import is_missing, plain_text
from opslab.tables.source import literal

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
_LIKE = re.compile("|".join(f"(?:{form})" for form in (rf"{_ISO}{_OFFSET}", *_LOCAL)))
_VERSION, _PADDED = re.compile(r"[0-9]{1,2}([.][0-9]{1,2}){2}"), re.compile(r"\b0[0-9]")
_CLOCK = r"\4:\5:\6 \7m"
_IN_ORDER = r"\1-\2-\3 " + _CLOCK
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


def machine_form(cells: Sequence[str]) -> tuple[str, str]:
    """Return the form of dates in a program's own notation that a sample is in, and the engine's type."""
    for form, kind in ((_DAY, "DATE"), (_MOMENT, "TIMESTAMP")):
        if all(map(re.compile(form).fullmatch, cells)):
            return form, kind
    return "", ""


def look_like_versions(cells: Sequence[str]) -> bool:
    """Whether cells that could be days are rather versions: ``3.12.10``, and none as ``3.02.10``."""
    told = [plain_text(cell) for cell in cells]
    return all(map(_VERSION.fullmatch, told)) and not any(map(_PADDED.search, told))


def looks_like_date(cell: str) -> bool:
    """Whether a cell is a date in some notation."""
    return bool(_LIKE.fullmatch(plain_text(cell)))


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


def date_evidence(told: str, row: str) -> list[str]:
    """Return the SQL of the counts of `DateEvidence`, in the order of its fields."""
    missing = is_missing(told)
    parts = [f"TRY_CAST({_group(told, _NUMERIC, place)} AS INTEGER)" for place in (1, 2)]
    numeric = _matches(told, _NUMERIC)
    dotted = f"regexp_matches({told}, '^[0-9]+[.]')"
    low = [f"{part} <= 12" for part in parts]
    both = f"{' AND '.join(low)} AND {parts[0]} <> {parts[1]}"
    day = f"{numeric} AND ({parts[0]} > 12 AND {low[1]} OR {both} AND {dotted})"
    month = f"{numeric} AND {parts[1]} > 12 AND {low[0]}"
    offset = _matches(told, rf"{_ISO}{_OFFSET}")
    timed = f"regexp_matches({told}, '[0-9][:h][0-9]{{2}}')"
    known = " OR ".join(_matches(told, form) for form in _LOCAL)
    conditions = (
        f"NOT {missing}",
        missing,
        day,
        month,
        f"{numeric} AND {both} AND NOT {dotted}",
        offset,
        f"{timed} AND NOT {offset}",
        " OR ".join(f"length({_group(told, form, 3)}) = 2" for form in (_NUMERIC, _DAY_MONTH)),
        f"NOT ({known} OR {offset} OR {missing})",
    )
    counts = [f"count(*) FILTER ({told} IS NOT NULL AND ({condition}))" for condition in conditions]
    return [*counts, f"min({row}) FILTER ({day})", f"min({row}) FILTER ({month})"]


def _group(told: str, form: str, place: int) -> str:
    return f"regexp_extract({told}, {literal(f'^{form}$')}, {place})"


def _matches(told: str, form: str) -> str:
    return f"regexp_full_match({told}, {literal(form)})"


def moment(told: str, *, day_first: bool, zone: str | None) -> str:
    """Return SQL of a text as a time: in UTC where it has an offset or a zone is given, else as written.

    Parameters
    ----------
    told : str
        SQL.
    day_first : bool
    zone : str or None
        Zone of the times without an offset.
    """
    numeric = (r"\3-\2-\1 " if day_first else r"\3-\1-\2 ") + _CLOCK
    local = " ".join(
        (
            f"CASE WHEN {_matches(told, _ISO)} THEN TRY_CAST(upper({told}) AS TIMESTAMP)",
            f"WHEN {_matches(told, _YEAR_FIRST)} THEN {_parsed(told, _YEAR_FIRST, _IN_ORDER)}",
            f"WHEN {_matches(told, _NUMERIC)} THEN {_parsed(told, _NUMERIC, numeric)}",
            f"WHEN {_matches(told, _DAY_MONTH)} THEN {_parsed_month(told, _DAY_MONTH, 2, 1)}",
            f"WHEN {_matches(told, _MONTH_DAY)} THEN {_parsed_month(told, _MONTH_DAY, 1, 2)} END",
        )
    )
    if zone is not None:
        local = in_utc(local, zone)
    instant = f"upper(regexp_replace({told}, ' (z|utc|gmt|[+-])', '\\1'))"
    instant = f"TRY_CAST(regexp_replace({instant}, '(UTC|GMT)$', 'Z') AS TIMESTAMPTZ)"
    offset = _matches(told, rf"{_ISO}{_OFFSET}")
    return f"CASE WHEN {offset} THEN make_timestamp(epoch_us({instant})) ELSE {local} END"


def day(told: str, *, day_first: bool) -> str:
    """Return SQL of a text as a day: the one that is written, whatever offset stands behind its time."""
    written = f"TRY_CAST({told}[1:10] AS DATE)"
    local = f"CAST({moment(told, day_first=day_first, zone=None)} AS DATE)"
    return f"CASE WHEN {_matches(told, rf'{_ISO}{_OFFSET}')} THEN {written} ELSE {local} END"


def in_utc(local: str, zone: str) -> str:
    """Return SQL of a local time of a zone in UTC; of an hour that the clocks show twice, the first."""
    named = literal(zone)
    later = f"timezone({named}, {local})"
    cases = [
        f"WHEN timezone({named}, {later} - INTERVAL {minutes} MINUTE) = {local} "
        f"THEN {later} - INTERVAL {minutes} MINUTE"
        for minutes in _CHANGES
    ]
    return f"make_timestamp(epoch_us(CASE {' '.join(cases)} ELSE {later} END))"


def local_condition(told: str) -> str:
    """Return the SQL condition that a cell holds a time without an offset."""
    return f"NOT {_matches(told, rf'{_ISO}{_OFFSET}')}"


def zone_troubles(local: str, zone: str) -> tuple[str, str]:
    """Return the SQL conditions that a local time does not exist, and that it exists twice, in a zone."""
    named = literal(zone)
    there = f"timezone({named}, timezone({named}, {local}))"
    again = " OR ".join(
        f"timezone({named}, timezone({named}, {local}) {sign} INTERVAL {minutes} MINUTE) = {local}"
        for sign in "+-"
        for minutes in _CHANGES
    )
    return f"{there} <> {local}", f"({again})"


def _parsed(told: str, form: str, order: str) -> str:
    return _stamp(f"regexp_replace({told}, {literal(f'^{form}$')}, {literal(order)})")


def _parsed_month(told: str, form: str, month: int, day: int) -> str:
    number, year = f"{_map()}[{_group(told, form, month)}]", _group(told, form, 3)
    rest = (
        f"regexp_replace({told}, {literal(f'^{form}$')}, {literal(rf'-{chr(92)}{day} ' + _CLOCK)})"
    )
    return _stamp(f"{year} || '-' || CAST({number} AS VARCHAR) || {rest}")


def _map() -> str:
    pairs = ", ".join(f"{literal(name)}: {number}" for name, number in MONTHS.items())
    return f"MAP {{{pairs}}}"


def _stamp(written: str) -> str:
    formats = ", ".join(map(literal, _FORMATS))
    century = f"CASE WHEN ({written})[1:2] >= '{_PIVOT}' THEN '19' ELSE '20' END"
    century = f"CASE WHEN ({written})[3] = '-' THEN {century} ELSE '' END"
    return f"try_strptime({century} || replace({written}, ',', '.'), [{formats}])"
