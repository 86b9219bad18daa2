"""Meetings that recur (RFC 5545): each occurrence in its last revision.

dateutil counts the times of a rule; what it would search for without end is refused before.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from opslab.errors import DataError

_MOST_ROWS, _MOST_POSITIONS = 200_000, 31  # of a file; of a rule, as every BYSETPOS costs a pass
_BY_TIME = {  # soon searched
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "WKST",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
}
_PARTS = {"HOURLY": _BY_TIME, "MINUTELY": _BY_TIME, "SECONDLY": set[str]()}
_END = re.compile(r";(COUNT|UNTIL)=[^;]*")
_LONGEST_TITLE = 40  # so that it fits in a line
_LAST_DAY, _FAR = (datetime.date(year, 12, 31) for year in (2199, 9990))
NOTHING, DAY = datetime.timedelta(), datetime.timedelta(days=1)
ANY_DAY = datetime.date(1970, 12, 31)
MIDNIGHT = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - the clock's, whatever the zone


@dataclass(frozen=True)
class Event:
    """A VEVENT; what repeats it is in the wall clock of its start."""

    file: str
    line: int
    component: Any
    cancels: bool  # METHOD:CANCEL
    start: Any = None
    length: datetime.timedelta = NOTHING
    instance: Any = None  # RECURRENCE-ID
    range: str = ""  # of `instance`: THISANDFUTURE
    sequence: int = 0
    rules: Sequence[Any] = ()
    extra: Sequence[Any] = ()  # RDATE: starts, or periods as start and length
    excluded: Sequence[Any] = ()  # EXDATE: starts, or days of a timed event

    def text(self, name: str) -> str:
        """Return the first value of a property as text."""
        return str((self.values(name) or [""])[0]).strip()

    def values(self, name: str) -> list[Any]:
        """Return all values of a property."""
        values = self.component.get(name, [])
        return values if isinstance(values, list) else [values]

    def refused(self, key: str, **values: Any) -> DataError:
        """Return the error that names the event."""
        title = self.text("SUMMARY") or self.text("UID") or "VEVENT"
        title = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
        return DataError.of(key, file=self.file, line=self.line, title=title, **values)

    def too_many(self) -> DataError:
        """Return the error that the event takes the file over what is read."""
        year = str(_LAST_DAY.year)
        return self.refused("tables.calendar_many", limit=_MOST_ROWS, year=year)


class Occurrence(NamedTuple):
    """One meeting: what it says, its start and end, and whether it is of a series."""

    event: Event
    start: Any
    end: Any
    recurring: bool


@dataclass
class Expansion:
    """The occurrences of a file's events, and how many series, changes and exceptions they are of."""

    occurrences: list[Occurrence] = field(default_factory=list)
    series: int = 0
    moved: int = 0
    excluded: int = 0
    open_ended: int = 0


def expand(events: Sequence[Event], until: datetime.date | None) -> Expansion:
    """Return every occurrence that starts by a day; without one no series may go on for ever."""
    families = list(_families(events))
    endless = [
        host for host, _ in families if any(not {"COUNT", "UNTIL"} & {*rule} for rule in host.rules)
    ]
    if endless and until is None:
        values = {"count": len(endless), "day": "until: 2025-12-31"}
        raise endless[0].refused("tables.calendar_endless", **values)
    expansion = Expansion(open_ended=len(endless))
    for host, changes in families:
        with unreadable(host.file, host.line, ValueError, OverflowError):
            expansion.occurrences += _occurrences(
                host, changes, until or datetime.date.max, expansion
            )
        if len(expansion.occurrences) > _MOST_ROWS:
            raise host.too_many()
    return expansion


@contextmanager
def unreadable(file: str, line: int, *kinds: type[Exception]) -> Iterator[None]:
    """Tell what a library, or a date beyond the calendar's end, raises as one message."""
    try:
        yield
    except DataError:
        raise
    except kinds as error:
        reason = re.sub(r"\S*[/\\]", "", str(error).partition("\n")[0])[:120]
        reason = reason or type(error).__name__
        key = "tables.calendar_unreadable"
        raise DataError.of(key, file=file, line=line, reason=reason) from error


def _families(events: Sequence[Event]) -> Iterator[tuple[Event, Mapping[Any, Event]]]:
    """Yield each meeting or series once, in its last revision, and its changes by the start they replace."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.text("UID") or str(event.line), []).append(event)
    for group in groups.values():
        group.sort(key=lambda event: (event.cancels, event.sequence))
        hosts = [event for event in group if event.instance is None]
        off = any(host.cancels for host in hosts)
        hosts = [host for host in hosts if not host.cancels] or hosts
        hosts = [
            replace(host, cancels=off) for host in hosts if host.sequence == hosts[-1].sequence
        ]
        distinct = {
            (host.start, host.length, str(host.rules), host.text("SUMMARY")): host for host in hosts
        }
        changed = [
            replace(event, cancels=off or event.cancels) for event in group if event.instance
        ]
        changes = {
            wall_clock(event.instance, (hosts or [event])[0].start): event for event in changed
        }
        if not hosts:
            yield from ((event, {}) for event in changes.values())
        for host in distinct.values():
            yield host, changes
            changes = {}


def _occurrences(
    host: Event, changes: Mapping[Any, Event], until: datetime.date, expansion: Expansion
) -> Iterator[Occurrence]:
    """Yield the occurrences of a family that start by a day, and count what became of all."""
    recurring = bool(host.rules or host.extra or host.instance)

    def occurrence(event: Event, start: Any, length: datetime.timedelta) -> Iterator[Occurrence]:
        if wall_clock(start, until) <= until:
            yield Occurrence(event, start, later(start, length), recurring)

    if not (changes or host.rules or host.extra or host.excluded):
        yield from occurrence(host, host.start, host.length)
        return
    shifts = {instance: _shift(host, event) for instance, event in changes.items() if event.range}
    limit = wall_clock(min(until, _FAR), MIDNIGHT) + DAY - min([NOTHING, *shifts.values()])
    starts = _starts(host, limit)
    gone = {start for start in starts if {start, wall_clock(start, ANY_DAY)} & {*host.excluded}}
    expansion.series += bool(host.rules or host.extra)
    expansion.excluded += len(gone)
    expansion.moved += len(changes.keys() & (starts - gone))
    for start in changes.keys() - gone:
        yield from occurrence(changes[start], changes[start].start, changes[start].length)
    lengths = {
        wall_clock(date[0], host.start): date[1] for date in host.extra if isinstance(date, tuple)
    }
    for start in starts - gone - changes.keys():
        changed = max((instance for instance in shifts if instance <= start), default=None)
        event = host if changed is None else changes[changed]
        moment = start if changed is None else start + shifts[changed]
        expansion.moved += event is not host
        zoned = moment.replace(tzinfo=host.start.tzinfo) if is_timed(moment) else moment
        yield from occurrence(event, later(zoned, NOTHING), lengths.get(start, event.length))


def _shift(host: Event, change: Event) -> datetime.timedelta:
    """Return by how much a change moves an occurrence and all that follow."""
    kept = is_timed(change.start) == is_timed(host.start) and not change.rules
    if change.range != "THISANDFUTURE" or not kept:
        raise change.refused("tables.calendar_rule", rule=f"RANGE={change.range}")
    shift: datetime.timedelta = wall_clock(change.start, host.start) - wall_clock(
        change.instance, host.start
    )
    return shift


def _starts(host: Event, limit: datetime.datetime) -> set[Any]:
    """Return the starts of a series by the wall clock, exceptions included; refuse too many of them."""
    wall, starts = wall_clock(host.start, host.start), set()
    first = wall_clock(wall, MIDNIGHT)
    moments = [iter([wall]), (date[0] if isinstance(date, tuple) else date for date in host.extra)]
    moments += [itertools.takewhile(limit.__gt__, _times(host, rule, first)) for rule in host.rules]
    for moment in itertools.chain(*moments):
        starts.add(wall_clock(moment, wall))
        if len(starts) > _MOST_ROWS or wall_clock(moment, ANY_DAY) > _LAST_DAY:
            raise host.too_many()
    return starts


def _times(host: Event, rule: Any, first: datetime.datetime) -> Iterator[datetime.datetime]:
    """Return the times of a rule; refuse one that the search would not find."""
    from dateutil.rrule import rrulestr  # with calendars only: it takes 20 ms

    text, parts = rule.to_ical().decode(), {*rule}
    fits = parts <= _PARTS.get(rule.get("FREQ", [""])[0], parts)
    fits = fits and rule.get("INTERVAL", [1])[0] > 0
    fits = fits and len(rule.get("BYSETPOS", [])) <= _MOST_POSITIONS
    # The search for a day that never comes ends with the year 9999; the calendar repeats every 400
    # years.
    late = first.replace(year=9500 + (first.year - 9500) % 400)
    try:
        fits = fits and any(rrulestr(_END.sub("", text), dtstart=late))
    except (ValueError, TypeError):
        fits = False
    if not fits:
        raise host.refused("tables.calendar_rule", rule=text[:80])
    return iter(rrulestr(text, dtstart=first))


def is_timed(date: Any) -> bool:
    """Whether a date has a time of day."""
    return isinstance(date, datetime.datetime)


def is_zoned(date: Any) -> bool:
    """Whether a date has a time of day in a zone."""
    return getattr(date, "tzinfo", None) is not None


def wall_clock(date: Any, like: datetime.date) -> Any:
    """Return a time as clocks show it where another one is.

    It is a day where the other is a day, and has the other's time where it is a day itself.
    """
    if not isinstance(like, datetime.datetime):
        return datetime.date(date.year, date.month, date.day)
    if not is_timed(date):
        return datetime.datetime.combine(date, like.time())
    local = date.astimezone(like.tzinfo) if date.tzinfo and like.tzinfo else date
    return local.replace(tzinfo=None)


def later(start: Any, length: datetime.timedelta) -> Any:
    """Return a time so much later by the clock of the sun (RFC 5545, 3.8.5.3: the same exact duration)."""
    if not is_zoned(start):
        return start + length
    return (start.astimezone(datetime.UTC) + length).astimezone(start.tzinfo)


def comparable(date: Any) -> Any:
    """Return a time without a zone, in UTC if it had one."""
    return wall_clock(date.astimezone(datetime.UTC) if is_zoned(date) else date, MIDNIGHT)
