"""Reading an iCalendar file (RFC 5545) into rows of meetings, repetitions written out.

A line is read, or is known to say nothing of when a meeting is, or is refused.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from opslab.errors import DataError
from opslab.tables.import_report import Decision, Rows
from opslab.tables.source import Opening

HEADER = ("started_at", "ended_at", "uid", "title", "all_day", "status", "busy", "recurring")
MOST_ROWS = 200_000
_LAST_DAY = datetime.date(2999, 12, 31)
_TIME = r"[12]\d{7}(?:T\d{6}Z?)?"
_ZONED = rf'(?:;VALUE=DATE(?:-TIME)?|;X-[^":;]*|;TZID=(?:"[^"]+"|[^":;]+))*:{_TIME}'
_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_KNOWN = re.compile(  # a line behind the parts that it is in
    rf"""(?xi)
    VCALENDAR\ (?: BEGIN:VCALENDAR | VERSION:2\.0 | CALSCALE:GREGORIAN | METHOD:PUBLISH
      | METHOD:REQUEST )
    | VCALENDAR/VEVENT\ (?P<event> BEGIN:VEVENT
        | (?: DTSTART{_ZONED} | DTEND{_ZONED} | RECURRENCE-ID{_ZONED} )
        | EXDATE{_ZONED}(?:,{_TIME})*
        | DURATION:P(?=\w) (?:\d{{1,4}}W)? (?:\d{{1,5}}D)?
          (?:T(?=\d) (?:\d{{1,6}}H)? (?:\d{{1,6}}M)? (?:\d{{1,6}}S)? )?
        | RRULE: (?=.*FREQ=) (?!.*\b(\w+)=.*\b\2=) (?!(?=.*COUNT=).*UNTIL=)  # no part twice
          (?!(?=.*FREQ=[DW]).*BY(?!DAY={_DAY}(?:,{_DAY})*(?:;|$)))
          (?: (?: FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY) | INTERVAL=[1-9]\d{{0,3}}
            | COUNT=[1-9]\d{{0,6}} | UNTIL={_TIME} | WKST={_DAY} | BYSETPOS=-?[1-9]
            | BYDAY=[-+]?[1-5]?{_DAY}(?:,[-+]?[1-5]?{_DAY})*
            | BY(?:MONTH|MONTHDAY|YEARDAY)=-?[1-9]\d{{0,2}}(?:,-?[1-9]\d{{0,2}})* ) (?:;|$) )+
        | SEQUENCE:\d{{1,7}} | STATUS:(?:TENTATIVE|CONFIRMED|CANCELLED)
        | TRANSP:(?:OPAQUE|TRANSPARENT) | X-MICROSOFT-CDO-BUSYSTATUS:[A-Z]+
        | (?:UID|SUMMARY)[:;].* )
    | VCALENDAR/VTIMEZONE(?:/STANDARD|/DAYLIGHT)?\ (?P<zone>
        (?:BEGIN|END):\w+ | TZID:(?:\S|\ )+ | TZOFFSET(?:FROM|TO):[-+]\d{{4}}(?:\d\d)?
        | DTSTART:\d{{8}}T\d{{6}} | RDATE:\d{{8}}T\d{{6}}(?:,\d{{8}}T\d{{6}})*
        | RRULE:(?:(?:FREQ=YEARLY|INTERVAL=1|BY(?:DAY|MONTH)=[-+\w]+|UNTIL={_TIME})(?:;|$))+ )
    | VCALENDAR(?:/VEVENT|/VTIMEZONE(?:/STANDARD|/DAYLIGHT)?)?\ (?: END:\w+
        | (?:X-(?!MICROSOFT-CDO-BUSYSTATUS)[\w-]+|ATTACH|ATTENDEE|CATEGORIES|CLASS|COLOR|COMMENT
          |CONFERENCE|CONTACT|CREATED|DESCRIPTION|DTSTAMP|GEO|IMAGE|LAST-MODIFIED|LOCATION|NAME
          |ORGANIZER|PRIORITY|PRODID|REFRESH-INTERVAL|RELATED-TO|REQUEST-STATUS|RESOURCES|SOURCE
          |TZNAME|TZURL|URL)[:;].* )
    | VCALENDAR/(?:VTODO|VJOURNAL|VFREEBUSY|VEVENT/VALARM|VTODO/VALARM)\ .*"""
)
_VALUE = re.compile(r'(?i)([\w-]+)(?:;TZID=("[^"]*"|[^":;]+)|;(?:"[^"]*"|[^":;])*)*:(.*)')
_TIMED = {"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RRULE"}
_LENGTH = TypeAdapter(datetime.timedelta)


@dataclass
class _Event:
    """A VEVENT; its times are in UTC where they have a zone, but for DTSTART."""

    line: int = field(compare=False)
    texts: dict[str, str] = field(default_factory=dict)
    times: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[Any, _Event] = field(default_factory=dict)  # by the starts that they replace

    def add(self, line: str, zones: str) -> None:
        """Read a line; raise where it cannot be read, or its property is there twice."""
        name, zone, value = _VALUE.findall(line)[0]
        name = name.upper()
        if name in self.texts and name != "EXDATE":
            raise ValueError(name)
        value = value.strip() if name in {"UID", "SUMMARY"} else value.strip().upper()
        self.texts[name] = re.sub(
            r"\\(.)", lambda sign: "\n" if sign[1] in "nN" else sign[1], value
        )
        if name in _TIMED:
            stamps = re.findall(_TIME, value)
            moments = [_moment(stamp, zone.strip('"'), zones) for stamp in stamps]
            self.times[name] += moments if name == "DTSTART" else map(_utc, moments)

    def check(self) -> None:
        """Raise where times are missing, or contradict one another."""
        ends = [*self.times["DTEND"], *self.times["RRULE"]]  # with the UNTIL of the rule
        kinds = set(map(_kind, [self.start, *ends, *self.times["EXDATE"]]))
        both = {"DTEND", "DURATION"} <= self.texts.keys()
        if both or len(kinds) > 1 or min([self.start, *ends]) < self.start:
            raise ValueError(self.line)
        if next(_starts(self, _LAST_DAY), None) != self.start:  # a rule of no defined meaning
            raise ValueError(self.line)

    @property
    def local(self) -> Any:
        """Return DTSTART in its zone, from which a rule counts."""
        return self.times["DTSTART"][0]

    @property
    def start(self) -> Any:
        """Return DTSTART in UTC."""
        return _utc(self.local)

    @property
    def length(self) -> datetime.timedelta:
        """Return how long it lasts: at least a day if it has no time of day."""
        if self.times["DTEND"]:
            length: datetime.timedelta = self.times["DTEND"][0] - self.start
        else:
            length = _LENGTH.validate_python(self.texts.get("DURATION", "P0D"))
        return max(length, datetime.timedelta(days=not isinstance(self.start, datetime.datetime)))

    @property
    def revision(self) -> tuple[bool, int]:
        """Return what sorts series before their changes, and the last word last."""
        return "RECURRENCE-ID" in self.texts, int(self.texts.get("SEQUENCE", 0))


def calendar_rows(opening: Opening) -> Rows:
    """Return the meetings of a file as rows, by start, end and uid; times with a zone are in UTC.

    Raises
    ------
    DataError
        When it is no whole calendar, holds what is not read, never ends (without ``until``), or has
        over 200,000 rows.
    """
    until = getattr(opening.answers, "until", None)
    last = min(until or _LAST_DAY, _LAST_DAY)
    hosts = _series(opening, _events(opening, _unfolded(opening)))
    ruled = [host for host in hosts if "RRULE" in host.texts]
    endless = [host for host in ruled if not re.search("COUNT|UNTIL", host.texts["RRULE"])]
    if endless and not until:
        raise opening.error(
            "tables.calendar_endless",
            line=endless[0].line,
            count=len(endless),
            day="until: 2025-12-31",
        )
    tally, rows = Counter(series=0, moved=0, excluded=0, open_ended=len(endless)), list[Any]()
    for host in hosts:
        rows += _rows(host, last, tally)
        if len(rows) > MOST_ROWS:
            raise opening.error("tables.calendar_many", line=host.line, limit=MOST_ROWS)
    decisions = [Decision("tables.decided_series", tally)] if any(tally.values()) else []
    return Rows(HEADER, enumerate(sorted(rows), 1), "utf-8", decisions)


def _unfolded(opening: Opening) -> list[tuple[int, str]]:
    """Return the unfolded lines with their numbers."""
    lines: list[tuple[int, list[bytes]]] = []
    content = opening.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(content.splitlines(), 1):
        if lines and line[:1] in b" \t":  # or empty
            lines[-1][1].append(line[1:])
        else:
            lines.append((number, [line]))
    with suppress(UnicodeDecodeError, LookupError):  # a fold may part the bytes of a letter
        texts = [(number, b"".join(parts).decode().rstrip()) for number, parts in lines]
        if texts[0][1].upper() == "BEGIN:VCALENDAR":
            return texts
    raise opening.error("tables.calendar_none")


def _refused(opening: Opening, line: int, text: str) -> DataError:
    return opening.error("tables.calendar_unreadable", line=line, reason=text[:120])


def _events(opening: Opening, lines: list[tuple[int, str]]) -> list[_Event]:
    """Return the events of a calendar; refuse a line that is not known."""
    events: list[list[tuple[int, str]]] = []
    zones: list[str] = []
    stack: list[str] = []  # the parts that the line is in
    for number, text in lines:
        tag, _, part = text.upper().partition(":")
        if tag == "BEGIN":
            stack.append(part)
        match = _KNOWN.fullmatch(f"{'/'.join(stack)} {text}")
        if not match or (tag == "END" and part != stack[-1]):
            raise _refused(opening, number, text)
        if match["zone"]:  # Outlook's begin in 1601, and a library counts every time from there
            zones.append(text.replace("DTSTART:1601", "DTSTART:1970"))
        if match["event"]:
            events += [[]] if tag == "BEGIN" else []
            events[-1].append((number, text))
        if tag == "END":
            stack = stack[:-1] or [tag]  # nothing may follow
    if stack != ["END"]:
        raise opening.error("tables.calendar_cut", line=lines[-1][0], part=stack[-1])
    return [_event(opening, event, "\n".join(zones)) for event in events]


def _event(opening: Opening, lines: list[tuple[int, str]], zones: str) -> _Event:
    """Return an event, or refuse it."""
    event = _Event(lines[0][0])
    try:
        for line in lines:
            event.add(line[1], zones)
        line = event.line, "DTSTART, DTEND, DURATION, EXDATE, RRULE"
        event.check()
    except (ValueError, TypeError, LookupError, OSError) as error:
        raise _refused(opening, *line) from error
    return event


def _moment(text: str, zone: str = "", zones: str = "") -> Any:
    """Return a day, or a time in its zone."""
    moment = datetime.datetime.fromisoformat(text)
    if "T" not in text:
        return moment.date()
    return moment.replace(tzinfo=_zone(zone, zones)) if zone and not moment.tzinfo else moment


@lru_cache
def _zone(name: str, zones: str) -> datetime.tzinfo:
    """Return a zone by its name: one that all know, or the file's own."""
    with suppress(LookupError, ValueError, OSError):
        return ZoneInfo(name)
    from dateutil.tz import tzical  # with calendars only: it takes 50 ms

    zone: datetime.tzinfo | None = tzical(StringIO(zones)).get(name)
    if zone is None:
        raise LookupError(name)
    return zone


def _utc(moment: Any) -> Any:
    return moment.astimezone(datetime.UTC) if getattr(moment, "tzinfo", None) else moment


def _kind(moment: Any) -> tuple[type, Any]:
    return type(moment), getattr(moment, "tzinfo", None)


def _series(opening: Opening, events: list[_Event]) -> list[_Event]:
    """Return each meeting or series in its last revision, with its changes."""
    hosts: dict[Any, _Event] = {}
    for event in sorted(events, key=lambda event: event.revision):
        uid = event.texts.get("UID", event.line)
        key, revisions = uid, hosts
        for instance in event.times["RECURRENCE-ID"]:
            if uid not in hosts or _kind(instance) != _kind(hosts[uid].start):
                raise _refused(opening, event.line, "RECURRENCE-ID")
            key, revisions = instance, hosts[uid].changes
        older = revisions.get(key, event)
        if older.revision == event.revision and older != event:  # which one is the last?
            raise _refused(opening, event.line, f"UID:{uid}")
        revisions[key] = event
    return list(hosts.values())


def _starts(event: _Event, last: datetime.date) -> Iterator[Any]:
    """Yield the starts of a meeting or series up to a day, those that are excluded too."""
    clock = datetime.datetime.fromisoformat(f"{event.local:%Y-%m-%dT%H:%M:%S}")
    clocks: Iterable[datetime.datetime] = [clock]
    if "RRULE" in event.texts:
        from dateutil.rrule import rrulestr  # with calendars only: it takes 50 ms

        rule = re.sub(r";?UNTIL=\w+", "", event.texts["RRULE"]).strip(";")
        clocks = rrulestr(rule, dtstart=clock)
    for clock in clocks:
        start = clock.date()
        if isinstance(event.local, datetime.datetime):
            start = _utc(clock.replace(tzinfo=event.local.tzinfo))
        if clock.date() > last or any(start > until for until in event.times["RRULE"]):
            return
        yield start


def _rows(host: _Event, last: datetime.date, tally: Counter[str]) -> Iterator[tuple[str, ...]]:
    """Yield the occurrences of a meeting or series as rows, and count what became of them."""
    excluded, recurring = set(host.times["EXDATE"]), "RRULE" in host.texts
    most = MOST_ROWS + 1 + len(excluded) + len(host.changes)
    starts = set(islice(_starts(host, last), most))
    moved = host.changes.keys() & starts - excluded
    gone = (starts | host.changes.keys()) & excluded
    tally.update(series=recurring, moved=len(moved), excluded=len(gone))
    for start in starts - host.changes.keys() - excluded:
        yield _row(host, start, recurring=recurring)
    for instance, event in host.changes.items():
        if instance not in excluded and f"{event.local:%Y-%m-%d}" <= str(last):
            yield _row(event, event.start, recurring=recurring)


def _row(event: _Event, start: Any, *, recurring: bool) -> tuple[str, ...]:
    shown = {event.texts.get("TRANSP"), event.texts.get("X-MICROSOFT-CDO-BUSYSTATUS")}
    return (
        start.isoformat(),
        (start + event.length).isoformat(),
        event.texts.get("UID", ""),
        event.texts.get("SUMMARY", ""),
        str(not isinstance(start, datetime.datetime)),
        event.texts.get("STATUS", "CONFIRMED"),
        str(not shown & {"TRANSPARENT", "FREE"}),
        str(recurring),
    )
