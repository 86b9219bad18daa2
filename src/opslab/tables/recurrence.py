"""Meetings that recur (RFC 5545): each occurrence in its last revision.

dateutil counts the times of a rule; what it would search for without end is refused before.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opslab.errors import DataError

MOST_ROWS = 200_000
_MOST_POSITIONS = 31  # of a rule, as every BYSETPOS costs a pass
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


@dataclass
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
    zones: set[str] = field(default_factory=set)  # of its start and end; "floating" without one

    def text(self, name: str) -> str:
        """Return the first value of a property as text."""
        return str((self.values(name) or [""])[0]).strip()

    def values(self, name: str) -> list[Any]:
        """Return all values of a property."""
        values = self.component.get(name, [])
        return values if isinstance(values, list) else [values]

    @property
    def endless(self) -> bool:
        """Whether a rule has no end."""
        return any(not {"COUNT", "UNTIL"} & {*rule} for rule in self.rules)

    def refused(self, key: str, **values: Any) -> DataError:
        """Return the error that names the event."""
        title = self.text("SUMMARY") or self.text("UID") or "VEVENT"
        title = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
        return DataError.of(key, file=self.file, line=self.line, title=title, **values)

    def too_many(self) -> DataError:
        """Return the error that the event takes the file over what is read."""
        year = str(_LAST_DAY.year)
        return self.refused("tables.calendar_many", limit=MOST_ROWS, year=year)


class Occurrence(NamedTuple):
    """One meeting, and the event that says what it is."""

    event: Event
    start: Any
    length: datetime.timedelta


def families(events: Sequence[Event]) -> Iterator[tuple[Event, Mapping[Any, Event]]]:
    """Yield each meeting or series in its last revision, and its changes by what they replace."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.text("UID") or str(event.line), []).append(event)
    for group in groups.values():
        group.sort(key=lambda event: (event.cancels, event.sequence))
        hosts = [event for event in group if event.instance is None]
        off = any(host.cancels for host in hosts)
        hosts = [host for host in hosts if not host.cancels] or hosts
        for event in group:
            event.cancels |= off
        distinct = {
            (host.start, host.length, str(host.rules), host.text("SUMMARY")): host
            for host in hosts
            if host.sequence == hosts[-1].sequence
        }
        first = next(iter(distinct.values()), None)
        changes = {
            wall_clock(event.instance, (first or event).start): event
            for event in group
            if event.instance
        }
        if first is None:
            yield from ((event, {}) for event in changes.values())
        for host in distinct.values():
            yield host, changes if host is first else {}


def occurrences(
    host: Event, changes: Mapping[Any, Event], until: datetime.date | None, tally: Counter[str]
) -> Iterator[Occurrence]:
    """Yield the occurrences of a family, at least those up to a day; count what became of them."""
    if not (changes or host.rules or host.extra or host.excluded):
        yield Occurrence(host, host.start, host.length)
        return
    shifts = {instance: _shift(host, event) for instance, event in changes.items() if event.range}
    last = wall_clock(min(until or _FAR, _FAR), MIDNIGHT) + DAY
    starts = _starts(host, last - min([NOTHING, *shifts.values()]))
    gone = {start for start in starts if {start, wall_clock(start, ANY_DAY)} & {*host.excluded}}
    tally.update(series=bool(host.rules or host.extra), excluded=len(gone))
    lengths: dict[Any, Any] = dict(date for date in host.extra if isinstance(date, tuple))
    for start in (starts | changes.keys()) - gone:
        if start in changes:
            event = changes[start]
            yield Occurrence(event, event.start, event.length)
            tally["moved"] += start in starts
            continue
        changed = max((instance for instance in shifts if instance <= start), default=None)
        event = host if changed is None else changes[changed]
        tally["moved"] += event is not host
        moment = start + shifts.get(changed, NOTHING)
        zoned = moment.replace(tzinfo=host.start.tzinfo) if is_timed(moment) else moment
        yield Occurrence(event, later(zoned, NOTHING), lengths.get(start, event.length))


def _shift(host: Event, change: Event) -> Any:
    """Return by how much a change moves an occurrence and all that follow."""
    alike = is_timed(change.start) == is_timed(host.start)
    if change.range != "THISANDFUTURE" or change.rules or not alike:
        raise change.refused("tables.calendar_rule", rule=f"RANGE={change.range}")
    return wall_clock(change.start, host.start) - wall_clock(change.instance, host.start)


def _starts(host: Event, limit: datetime.datetime) -> set[Any]:
    """Return the starts of a series by the wall clock, exceptions included; refuse too many."""
    wall, starts = wall_clock(host.start, host.start), set()
    first = wall_clock(wall, MIDNIGHT)
    extra = (date[0] if isinstance(date, tuple) else date for date in host.extra)
    ruled = (itertools.takewhile(limit.__gt__, _times(host, rule, first)) for rule in host.rules)
    for moment in itertools.chain([wall], extra, *ruled):
        starts.add(wall_clock(moment, wall))
        if len(starts) > MOST_ROWS or wall_clock(moment, ANY_DAY) > _LAST_DAY:
            raise host.too_many()
    return starts


def _times(host: Event, rule: Any, first: datetime.datetime) -> Iterator[datetime.datetime]:
    """Return the times of a rule; refuse one that the search would not find."""
    from dateutil.rrule import rrulestr  # with calendars only: it takes 50 ms

    text, parts = rule.to_ical().decode(), {*rule}
    fits = (
        parts <= _PARTS.get(rule.get("FREQ", [""])[0], parts)
        and rule.get("INTERVAL", [1])[0] > 0
        and len(rule.get("BYSETPOS", [])) <= _MOST_POSITIONS
    )
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
    """Return a time so much later, whatever the clocks do (RFC 5545, 3.8.5.3: exact duration)."""
    if not is_zoned(start):
        return start + length
    return (start.astimezone(datetime.UTC) + length).astimezone(start.tzinfo)


def comparable(date: Any) -> Any:
    """Return a time without a zone, in UTC if it had one."""
    return wall_clock(date.astimezone(datetime.UTC) if is_zoned(date) else date, MIDNIGHT)
