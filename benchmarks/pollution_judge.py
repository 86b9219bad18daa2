"""Whether a table that was read is the one that was polluted: text, numbers, days and times."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pollution_kinds import Truth

_DAYS = ("%d/%m/%Y", "%d.%m.%Y", "%d/%m/%y", "%d-%b-%y", "%Y/%m/%d", "%m/%d/%Y", "%m/%d/%y")
_NOTHING = ("", "-", "n/a", "na", "nan", "nil", "none", "null")
_NUMBERED = re.compile(r"(column|unnamed:) ?\d+$", re.IGNORECASE)  # a heading that a side made up
_RANK = ("silent", "left out", "right")


def judged(read: Any, truths: Sequence[Truth]) -> tuple[str, str]:
    """Return the verdict, ``right``, ``left out`` or ``silent``, and where the table differs."""
    if not truths:
        return "silent", f"a table of {len(read.headings)} columns where there is none"
    verdicts = [_judged(read, truth) for truth in truths]
    return max(verdicts, key=lambda pair: _RANK.index(pair[0]))


def _judged(read: Any, truth: Truth) -> tuple[str, str]:
    different = _different_heading(read.headings, truth)
    if different:
        return "silent", different
    missing, strange = _aligned(read.rows, truth)
    if strange is not None:
        return "silent", f"row {strange + 1} of the table is no row of the file"
    silent = truth.reports and not any(
        re.search(truth.reports, key.removeprefix("tables.")) for key, _ in read.decisions
    )
    if silent and not truth.lost:
        return "silent", f"no decision of {truth.reports}"
    lost = missing + (truth.lost if silent else 0)
    if lost > read.rejected:
        return "silent", f"{lost} rows lost, {read.rejected} reported"
    return ("left out", f"{missing} rows left out") if lost or truth.reports else ("right", "")


def _different_heading(headings: Sequence[Sequence[str]], truth: Truth) -> str:
    wanted = truth.headings
    if wanted is None:
        wide = len(truth.rows[0]) if truth.rows else len(headings)
        return "" if len(headings) == wide else f"{len(headings)} columns"
    if len(headings) != len(wanted):
        return f"{len(headings)} columns for {len(wanted)}"
    for names, right in zip(headings, wanted, strict=True):
        texts = set(map(_plain, right))
        if texts.isdisjoint(map(_plain, names)) and not ("" in texts and _NUMBERED.match(names[0])):
            return f"heading {names[0]!r} for {right[0]!r}"
    return ""


def _aligned(rows: Sequence[Sequence[Any]], truth: Truth) -> tuple[int, int | None]:
    """Return how many rows of the truth are missing, and the first row that is none of them."""
    at = 0
    for number, row in enumerate(rows):
        start = at
        while at < len(truth.rows) and not _same_row(row, truth, at):
            at += 1
        if at == len(truth.rows):
            return start, number
        at += 1
    return len(truth.rows) - len(rows), None


def _same_row(row: Sequence[Any], truth: Truth, at: int) -> bool:
    texts = truth.rows[at]
    return len(row) == len(texts) and all(
        same(cell, text) or any(same(cell, other) for other in truth.variants.get((at, column), ()))
        for column, (cell, text) in enumerate(zip(row, texts, strict=True))
    )


def same(cell: Any, text: str) -> bool:
    """Whether a cell says what the file says."""
    if isinstance(cell, list):  # columns of one heading: their cells, without the empty ones
        texts = [part for part in text.split("\n") if part.strip()]
        return len(cell) == len(texts) and all(map(same, cell, texts))
    if isinstance(cell, str):
        return cell == text or _plain(cell) == _plain(text)
    if cell is None:
        return text.strip().casefold() in _NOTHING
    if isinstance(cell, bool):
        return text.strip().casefold() in (("true", "1", "yes") if cell else ("false", "0", "no"))
    if isinstance(cell, int | float | Decimal):
        return any(
            abs(float(cell) - number) <= 1e-9 * max(1, abs(number)) for number in _numbers(text)
        )
    if isinstance(cell, datetime.time | datetime.timedelta):
        if isinstance(cell, datetime.time):
            cell = datetime.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
        return any(cell.total_seconds() == hours * 3600 for hours in _hours(text))
    return _moment(cell) in _moments(text)


def _moment(cell: Any) -> Any:
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        return datetime.datetime.combine(cell, datetime.time())
    return cell


def _plain(text: str) -> str:
    return " ".join(text.split())


@lru_cache(65536)
def _numbers(text: str) -> tuple[float, ...]:
    """Return the numbers that a text can be: with a currency, a comma, a percent sign, as hours."""
    plain = re.sub(r"[\s$€£'\u00a0\u202f]", "", text)
    share = 100 if plain.endswith("%") else 1
    numbers = list(_hours(text))
    grouped = re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?%?", plain)
    with suppress(ValueError):
        numbers.append(float(plain.rstrip("%").replace(",", "" if grouped else ".")) / share)
    if re.fullmatch(r"\(.+\)", plain):
        numbers += [-number for number in _numbers(plain[1:-1])]
    return tuple(numbers)


@lru_cache(65536)
def _hours(text: str) -> tuple[float, ...]:
    match = re.fullmatch(r"\s*(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?\s*", text)
    if not match:
        return ()
    return (int(match[1]) + int(match[2]) / 60 + float(match[3] or 0) / 3600,)


@lru_cache(65536)
def _moments(text: str) -> tuple[datetime.datetime, ...]:
    """Return the moments that a text can be; month first only where day first cannot be."""
    text = _plain(text)
    with suppress(ValueError):
        return (datetime.datetime.fromisoformat(text),)
    for form in _DAYS:
        for clock in ("", " %H:%M", " %H:%M:%S"):
            with suppress(ValueError):
                return (datetime.datetime.strptime(text, form + clock),)  # noqa: DTZ007
    return ()
