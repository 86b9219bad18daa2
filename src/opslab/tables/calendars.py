"""Reading an iCalendar file (RFC 5545) into rows of meetings, repetitions written out.

Two libraries parse the lines and expand the rules; what they pass over in silence is refused
before.
"""

from __future__ import annotations

import datetime
import itertools
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from opslab.errors import DataError

HEADER = tuple(
    "uid title started_at ended_at all_day status busy recurring location organizer attendees".split()  # noqa: SIM905
)
_MOST_ROWS, _MOST_POSITIONS = 200_000, 31  # of a file; of a rule, as every BYSETPOS costs a pass
_BY_TIME = {
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "WKST",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
}  # soon searched
_PARTS = {"HOURLY": _BY_TIME, "MINUTELY": _BY_TIME, "SECONDLY": set[str]()}
_END = re.compile(r";(COUNT|UNTIL)=[^;]*")
_UTC_IN_A_ZONE = re.compile(r";TZID=[^:;]+(?=[^:]*:\d{8}T\d{6}Z)")  # a library drops the Z
_PART = re.compile(r"[A-Z-]+=[^=]+")
_ZONE_PART = re.compile(r"FREQ=YEARLY|INTERVAL=1|(BYDAY|BYMONTH|BYMONTHDAY|COUNT|UNTIL|WKST)=.+")
_BUSY = "X-MICROSOFT-CDO-BUSYSTATUS"
_TIMES = ("DTEND", "DTSTART", "DURATION", "EXDATE", "RDATE", "RECURRENCE-ID", "RRULE", "SEQUENCE")
_READ = {  # all else is passed over, broken or not
    *(
        "BEGIN",
        "END",
        "CALSCALE",
        "METHOD",
        "TZID",
        "TZNAME",
        "TZOFFSETFROM",
        "TZOFFSETTO",
        "EXRULE",
        "UID",
    ),
    *("SUMMARY", "LOCATION", "ORGANIZER", "ATTENDEE", "STATUS", "TRANSP", _BUSY, *_TIMES),
}
_READ_IN = re.compile("VCALENDAR(/VEVENT|/VTIMEZONE(/STANDARD|/DAYLIGHT)?)?")
_NOTHING, _DAY = datetime.timedelta(), datetime.timedelta(days=1)
_EPOCH, _LAST_DAY, _FAR = (datetime.date(year, 12, 31) for year in (1970, 2199, 9990))
_MIDNIGHT, _LAST_SECOND = datetime.datetime(1970, 1, 1), datetime.datetime(1970, 1, 1, 23, 59, 59)  # noqa: DTZ001


@dataclass(frozen=True)
class Events:
    """The meetings of a file; all-day ones have days, up to the day after, floating ones no offset."""

    rows: tuple[
        tuple[str, ...], ...
    ]  # one for each occurrence, as in `HEADER`, by start, end and uid
    zones: tuple[str, ...]  # those met; "floating" for times without one
    series: int  # expanded
    moved: int  # occurrences that a RECURRENCE-ID replaced, with all that follow where it says so
    excluded: int  # occurrences that an EXDATE took out
    open_ended: int  # series without an end, cut at `until`
    encoding: str  # "utf-8" or "cp1252"


@dataclass(frozen=True)
class _Event:
    """A VEVENT; what repeats it is in the wall clock of its start."""

    file: str
    line: int
    component: Any
    cancels: bool  # METHOD:CANCEL
    start: Any = None
    length: datetime.timedelta = _NOTHING
    instance: Any = None  # RECURRENCE-ID
    range: str = ""  # of `instance`: THISANDFUTURE
    sequence: int = 0
    rules: Sequence[Any] = ()
    extra: Sequence[Any] = ()  # RDATE: starts, or periods as start and length
    excluded: Sequence[Any] = ()  # EXDATE: starts, or days of a timed event

    def text(self, name: str) -> str:
        return str((self.values(name) or [""])[0]).strip()

    def values(self, name: str) -> list[Any]:
        found = self.component.get(name, [])
        return found if isinstance(found, list) else [found]

    def refused(self, key: str, **values: Any) -> DataError:
        title = self.text("SUMMARY") or self.text("UID") or "VEVENT"
        title = title if len(title) <= 40 else title[:39] + "…"  # noqa: PLR2004 - so that it fits in a line
        return DataError.of(key, file=self.file, line=self.line, title=title, **values)


def read_calendar(content: bytes, *, file: str, until: datetime.date | None = None) -> Events:
    """Return the meetings of an iCalendar file.

    Parameters
    ----------
    content : bytes
        The file, in UTF-8 or else cp1252.
    file : str
        What the file is called in messages.
    until : datetime.date, optional
        The last day on which an occurrence may start; needed when a series never ends.

    Raises
    ------
    DataError
        When it is no whole calendar, cannot be read, never ends (without `until`), or has over
        200,000 rows.
    """
    encoding, lines = _unfolded(content, file)
    zones = set[str]()
    events = [event for part in _calendars(lines, file) for event in _events(part, file, zones)]
    families = list(_series(events))
    endless = [
        host for host, _ in families if any(not {"COUNT", "UNTIL"} & {*rule} for rule in host.rules)
    ]
    if endless and until is None:
        raise endless[0].refused(
            "tables.calendar_endless", count=len(endless), day="until: 2025-12-31"
        )
    tally, found = Counter[str](), []
    limit = _wall(min(until or _FAR, _FAR), _MIDNIGHT) + _DAY
    for host, changes in families:
        with _told(file, host.line):
            for texts, start, length in _occurrences(host, changes, limit, tally):
                if until is None or _wall(start, until) <= until:
                    found.append((start, _later(start, length), texts))
        if len(found) > _MOST_ROWS:
            raise host.refused("tables.calendar_many", limit=_MOST_ROWS, year=str(_LAST_DAY.year))
    found.sort(key=lambda row: (_comparable(row[0]), _comparable(row[1]), row[2]))
    rows = tuple(
        (*texts[:2], start.isoformat(), end.isoformat(), *texts[2:]) for start, end, texts in found
    )
    counts = (tally["series"], tally["moved"], tally["excluded"], len(endless))
    return Events(rows, tuple(sorted(zones)), *counts, encoding)


@contextmanager
def _told(file: str, line: int | None) -> Iterator[None]:
    """Tell whatever goes wrong in a library as one message."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = (
            re.sub(r"\S*[/\\]", "", str(error).partition("\n")[0])[:120] or type(error).__name__
        )
        raise DataError.of(
            "tables.calendar_unreadable", file=file, line=line, reason=reason
        ) from error


def _unfolded(content: bytes, file: str) -> tuple[str, list[tuple[int, str]]]:
    """Return the encoding and the unfolded lines, each with its number."""
    physical = re.sub(rb"\r\n?", b"\n", content.removeprefix(b"\xef\xbb\xbf"))
    numbers = [
        at for at, line in enumerate(physical.split(b"\n"), 1) if line and line[:1] not in b" \t"
    ]
    unfolded = re.sub(
        rb"\n+[ \t]", b"", physical
    )  # before decoding: a fold may part the bytes of a letter
    try:
        encoding, text = "utf-8", unfolded.decode()
    except UnicodeDecodeError:
        encoding, text = "cp1252", unfolded.decode("cp1252", "replace")
    lines = list(zip(numbers, filter(None, text.split("\n")), strict=False))
    if "\0" in text or not lines or lines[0][1].strip().upper() != "BEGIN:VCALENDAR":
        raise DataError.of("tables.calendar_none", file=file)
    return encoding, lines


def _calendars(lines: list[tuple[int, str]], file: str) -> list[list[tuple[int, str]]]:
    """Return of each calendar the lines that are read; refuse what a library would drop without a word."""
    calendars: list[list[tuple[int, str]]] = []
    stack: list[tuple[str, int]] = []
    for row, line in lines:
        name, value = (
            re.split("[;: ]", line, maxsplit=1)[0].upper(),
            line.partition(":")[2].strip().upper(),
        )
        if name == "BEGIN":
            calendars += [] if stack else [[]]
            stack.append((value, row))
        path = "/".join(part for part, _ in stack[:4])
        if not stack or stack[0][0] != "VCALENDAR" or (name == "END" and value != stack[-1][0]):
            part = stack[-1][0] if stack else value
            raise DataError.of("tables.calendar_cut", file=file, line=row, part=part)
        if _READ_IN.fullmatch(path) and name in _READ:
            form = _ZONE_PART if "VTIMEZONE" in path else _PART
            parts = [form.fullmatch(part) for part in value.split(";") if part]
            if name == "EXRULE" or (name == "RRULE" and not (parts and all(parts))):
                raise DataError.of(
                    "tables.calendar_unreadable", file=file, line=row, reason=line[:120]
                )
            kept = f"{name}:{value}" if name in {"BEGIN", "END"} else _UTC_IN_A_ZONE.sub("", line)
            if (
                form is _ZONE_PART
            ):  # Outlook's zones begin in 1601, and a library counts every time from there
                kept = kept.replace("DTSTART:1601", "DTSTART:1970")
            calendars[-1].append((row, kept))
        if name == "END":
            stack.pop()
    if stack:
        raise DataError.of("tables.calendar_cut", file=file, line=stack[-1][1], part=stack[-1][0])
    return calendars


def _events(lines: list[tuple[int, str]], file: str, zones: set[str]) -> Iterator[_Event]:
    """Yield the events of one calendar, and add the time zones that they name."""
    import icalendar

    icalendar.use_zoneinfo()  # forgets what an earlier file called a zone of that name: it would win
    with _told(file, lines[0][0]), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # about /vendor/Europe/Paris, which `zones` tells as it is taken
        root = icalendar.Calendar.from_ical("\n".join(line for _, line in lines).encode())
        if str(root.get("CALSCALE", "GREGORIAN")).upper() != "GREGORIAN":
            raise ValueError(root["CALSCALE"])
    cancels = str(root.get("METHOD", "")).upper() == "CANCEL"
    begins = [number for number, line in lines if line == "BEGIN:VEVENT"]
    for number, component in zip(begins, root.walk("VEVENT"), strict=True):
        with _told(file, number):
            yield _checked(_Event(file, number, component, cancels), zones)


def _checked(event: _Event, zones: set[str]) -> _Event:
    """Return an event with its times, or refuse it."""
    component = event.component
    for name, reason in component.errors:
        broken = name or reason.partition("'")[2][:40]
        if broken.upper().startswith(_TIMES):  # attendees and the like count for less than the file
            raise event.refused("tables.calendar_field", name=broken)
    starts, ends, instances = (
        _dates(event, name, zones) for name in ("DTSTART", "DTEND", "RECURRENCE-ID")
    )
    if not starts + instances or len(starts) > 1 or len(ends) > 1:
        raise event.refused("tables.calendar_field", name="DTEND" if len(ends) > 1 else "DTSTART")
    start = (starts + instances)[0]
    length = component["DURATION"].dt if "DURATION" in component else _NOTHING
    for end in ends:
        length = _comparable(end) - _comparable(start) if _kind(end) == _kind(start) else -_DAY
    if length < _NOTHING:
        raise event.refused("tables.calendar_times")
    event = replace(event, start=start, length=length or (_NOTHING if _kind(start)[0] else _DAY))
    event = replace(
        event, sequence=int(component.get("SEQUENCE", 0)), instance=(*instances, None)[0]
    )
    if instances:
        event = replace(event, range=component["RECURRENCE-ID"].params.get("RANGE", "").upper())
        if not event.range:  # what repeats is copied from its series
            return event
    rules = [_rule(rule, start) for rule in event.values("RRULE")]
    extra, excluded = (_dates(event, name, zones, like=start) for name in ("RDATE", "EXDATE"))
    return replace(event, rules=rules, extra=extra, excluded=excluded)


def _dates(
    event: _Event, name: str, zones: set[str], like: datetime.date | None = None
) -> list[Any]:
    """Return the days, times and periods (start and length) of a property; note the zones of an event."""
    found = []
    for value in event.values(name):
        zone, as_days = value.params.get("TZID"), str(value.params.get("VALUE")).upper() == "DATE"
        for item in value.dts:
            start, *end = item.dt if isinstance(item.dt, tuple) else (item.dt,)
            if not hasattr(start, "year"):  # a time of day, or a length
                raise event.refused("tables.calendar_field", name=name)
            if zone and _kind(start) == (True, False):
                raise event.refused("tables.calendar_zone", zone=zone)
            if end and isinstance(end[0], datetime.datetime):
                end = [_comparable(end[0]) - _comparable(start)]
            start = _wall(start, _EPOCH) if as_days else start  # with a zone it came as midnight
            if _kind(start)[0] and name in {"DTSTART", "DTEND"}:
                zones.add(getattr(start.tzinfo, "key", zone or "floating"))
            start = _wall(start, like) if like and (_kind(start)[0] or name == "RDATE") else start
            found.append((start, *end) if end else start)
    return found


def _rule(rule: Any, start: datetime.date) -> Any:
    """Return a rule with its UNTIL as wall clock of the start, and without a COUNT that is none."""
    if rule.get("COUNT", [1])[0] < 1:  # Outlook's -1
        del rule["COUNT"]
    for last in rule.get("UNTIL", [])[:1]:
        rule["UNTIL"] = [_wall(last, _LAST_SECOND if _kind(start)[0] > _kind(last)[0] else start)]
    return rule


def _series(events: Sequence[_Event]) -> Iterator[tuple[_Event, dict[Any, _Event]]]:
    """Yield each meeting or series once, in its last revision, and what replaces its occurrences by start."""
    groups: dict[str, list[_Event]] = {}
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
        changes = {_wall(event.instance, (hosts or [event])[0].start): event for event in changed}
        yield from ((event, {}) for event in changes.values() if not hosts)
        yield from (
            (host, {} if place else changes) for place, host in enumerate(distinct.values())
        )


def _occurrences(
    host: _Event, changes: dict[Any, _Event], limit: Any, tally: Counter[str]
) -> Iterator[Any]:
    """Yield of each occurrence what its event says, its start and its length."""
    if not (changes or host.rules or host.extra or host.excluded):
        yield _texts(host, host), host.start, host.length
        return
    following = {instance: event for instance, event in changes.items() if event.range}
    for event in following.values():
        if (
            event.rules
            or event.range != "THISANDFUTURE"
            or _kind(event.start)[0] != _kind(host.start)[0]
        ):
            raise event.refused("tables.calendar_rule", rule=f"RANGE={event.range}")
    shifts = [_wall(event.start, host.start) - instance for instance, event in following.items()]
    starts = _starts(host, limit - min([_NOTHING, *shifts]))
    gone = {start for start in starts if {start, _wall(start, _EPOCH)} & {*host.excluded}}
    tally.update(series=bool(host.rules or host.extra), excluded=len(gone))
    tally["moved"] += len(changes.keys() & (starts - gone))
    for start in changes.keys() - gone:
        yield _texts(changes[start], host), changes[start].start, changes[start].length
    lengths = {
        _wall(date[0], host.start): date[1] for date in host.extra if isinstance(date, tuple)
    }
    steps = sorted(zip(following.items(), shifts, strict=True), key=lambda step: step[0][0])
    for start in starts - gone - changes.keys():
        event, moment = host, start
        for (instance, changed), shift in steps:
            if instance <= start:
                event, moment = changed, start + shift
        tally["moved"] += event is not host
        zoned = moment.replace(tzinfo=host.start.tzinfo) if _kind(moment)[0] else moment
        yield _texts(event, host), _later(zoned, _NOTHING), lengths.get(start, event.length)


def _starts(host: _Event, limit: datetime.datetime) -> set[Any]:
    """Return the starts of a series by the wall clock, exceptions included, or refuse it for their number."""
    from dateutil.rrule import rrulestr

    wall, found = _wall(host.start, host.start), set()
    first = _wall(wall, _MIDNIGHT)
    # The search for a day that never comes ends with the year 9999; the calendar repeats every 400
    # years.
    late = first.replace(year=9500 + (first.year - 9500) % 400)
    moments = [iter([wall]), (date[0] if isinstance(date, tuple) else date for date in host.extra)]
    for rule in host.rules:
        told, parts = rule.to_ical().decode(), {*rule}
        fits = (
            parts <= _PARTS.get(rule.get("FREQ", [""])[0], parts)
            and rule.get("INTERVAL", [1])[0] > 0
        )
        try:
            fits = fits and len(rule.get("BYSETPOS", [])) <= _MOST_POSITIONS
            fits = fits and any(rrulestr(_END.sub("", told), dtstart=late))
        except (ValueError, TypeError):
            fits = False
        if not fits:
            raise host.refused("tables.calendar_rule", rule=told[:80])
        moments.append(itertools.takewhile(limit.__gt__, rrulestr(told, dtstart=first)))
    for moment in itertools.chain(*moments):
        found.add(_wall(moment, wall))
        if len(found) > _MOST_ROWS or _wall(moment, _EPOCH) > _LAST_DAY:
            raise host.refused("tables.calendar_many", limit=_MOST_ROWS, year=str(_LAST_DAY.year))
    return found


def _texts(event: _Event, host: _Event) -> tuple[str, ...]:
    """Return a row without its start and end."""
    status = "CANCELLED" if event.cancels else event.text("STATUS").upper()
    status = status if status in {"TENTATIVE", "CANCELLED"} else "CONFIRMED"
    free = event.text("TRANSP").upper() == "TRANSPARENT" or event.text(_BUSY).upper() == "FREE"
    series = bool(host.rules or host.extra or host.instance)
    all_day, busy, recurring = (
        str(flag).lower() for flag in (not _kind(event.start)[0], not free, series)
    )
    organizer = re.sub("(?i)^mailto:", "", event.text("ORGANIZER"))
    attendees = str(len(event.values("ATTENDEE")) or "")
    told = (all_day, status, busy, recurring, event.text("LOCATION"), organizer, attendees)
    return event.text("UID"), event.text("SUMMARY"), *told


def _kind(date: Any) -> tuple[bool, bool]:
    """Return whether a date has a time of day, and whether that has a zone."""
    return isinstance(date, datetime.datetime), getattr(date, "tzinfo", None) is not None


def _wall(date: Any, like: datetime.date) -> Any:
    """Return a time as clocks show it where another one is; a day where that is a day, and the reverse."""
    if not isinstance(like, datetime.datetime):
        return datetime.date(date.year, date.month, date.day)
    if not isinstance(date, datetime.datetime):
        return datetime.datetime.combine(date, like.time())
    return (date.astimezone(like.tzinfo) if date.tzinfo and like.tzinfo else date).replace(
        tzinfo=None
    )


def _later(start: Any, length: datetime.timedelta) -> Any:
    """Return a time so much later by the clock of the sun (RFC 5545, 3.8.5.3: the same exact duration)."""
    if not _kind(start)[1]:
        return start + length
    return (start.astimezone(datetime.UTC) + length).astimezone(start.tzinfo)


def _comparable(date: Any) -> Any:
    """Return a time without a zone, in UTC if it had one."""
    return _wall(date.astimezone(datetime.UTC) if _kind(date)[1] else date, _MIDNIGHT)
