"""Meetings that recur (RFC 5545): each occurrence in its last revision; dateutil counts rules."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opslab.errors import DataError
from opslab.tables.source import Opening

MOST_ROWS = 200_000
_LONGEST_TITLE = 40  # so that it fits in a line
NOTHING, DAY = datetime.timedelta(), datetime.timedelta(days=1)
ANY_DAY = datetime.date(1970, 12, 31)
MIDNIGHT = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - the clock's, whatever the zone


@dataclass
class Event:
    """A VEVENT; what repeats it is in the wall clock of its start."""

    opening: Opening
    line: int
    component: Any
    start: Any = None
    length: datetime.timedelta = NOTHING
    instance: Any = None  # RECURRENCE-ID
    range: str = ""  # of `instance`: THISANDFUTURE
    sequence: int = 0
    rules: Sequence[str] = ()
    endless: bool = False
    extra: Sequence[Any] = ()  # RDATE
    excluded: set[Any] = field(default_factory=set)  # EXDATE: starts, or days of a timed event
    zones: set[str] = field(default_factory=set)  # "floating" for times without one

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
        return self.opening.error(key, line=self.line, title=title, **values)


def families(events: Sequence[Event]) -> Iterator[tuple[Event, Mapping[Any, Event]]]:
    """Yield each meeting or series in its last revision, and its changes by what they replace."""
    groups: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        groups.setdefault(event.text("UID") or str(event.line), []).append(event)
    for group in groups.values():
        hosts = [event for event in group if not event.instance]
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
        for host in (distinct or changes).values():
            yield host, changes if host is first else {}


def occurrences(
    host: Event, changes: Mapping[Any, Event], until: datetime.date, tally: Counter[str]
) -> Iterator[tuple[Event, Any]]:
    """Yield each start in a family, at least up to a day, behind the event that says what it is.

    What became of the occurrences is counted.
    """
    shifts = {instance: _shift(host, event) for instance, event in changes.items() if event.range}
    last = datetime.datetime.combine(until, MIDNIGHT.time()) - min([NOTHING, *shifts.values()])
    starts = _starts(host, last + DAY)
    gone = {date for date in starts if {date, wall_clock(date, ANY_DAY)} & host.excluded}
    tally.update(series=bool(host.rules or host.extra), excluded=len(gone))
    for start in (starts | changes.keys()) - gone:
        changed = max((instance for instance in shifts if instance <= start), default=None)
        event = changes.get(start) or changes.get(changed) or host
        tally["moved"] += event is not host and start in starts
        moment = start + shifts.get(changed, NOTHING)
        if is_timed(moment):
            moment = later(moment.replace(tzinfo=host.start.tzinfo), NOTHING)
        yield event, event.start if start in changes else moment


def _shift(host: Event, change: Event) -> Any:
    """Return by how much a change moves an occurrence and all that follow."""
    alike = is_timed(change.start) == is_timed(host.start)
    if change.range != "THISANDFUTURE" or change.rules or not alike:
        raise change.refused("tables.calendar_rule", rule=f"RANGE={change.range}")
    return wall_clock(change.start, host.start) - wall_clock(change.instance, host.start)


def _starts(host: Event, limit: datetime.datetime) -> set[Any]:
    """Return the starts of a series by the wall clock, exceptions included; refuse too many."""
    wall = wall_clock(host.start, host.start)
    ruled = (itertools.takewhile(limit.__gt__, _times(host, rule)) for rule in host.rules)
    starts = {wall, *host.extra}
    for moment in itertools.chain(*ruled):
        starts.add(wall_clock(moment, wall))
        if len(starts) > MOST_ROWS:
            raise host.refused("tables.calendar_many", limit=MOST_ROWS)
    return starts


def _times(host: Event, rule: str) -> Iterator[datetime.datetime]:
    """Return the times of a rule; refuse one that the search would not find."""
    from dateutil.rrule import rrulestr  # with calendars only: it takes 50 ms

    first = wall_clock(wall_clock(host.start, host.start), MIDNIGHT)
    # The search for a day that never comes ends with the year 9999; the calendar repeats every 400
    # years.
    late = first.replace(year=9500 + (first.year - 9500) % 400)
    try:
        if any(rrulestr(rule, dtstart=late).replace(count=None, until=None)):
            return iter(rrulestr(rule, dtstart=first))
    except (ValueError, TypeError):
        pass
    raise host.refused("tables.calendar_rule", rule=rule[:80])


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
