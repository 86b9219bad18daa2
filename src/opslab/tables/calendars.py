"""Reading an iCalendar file (RFC 5545) into rows of meetings, repetitions written out.

icalendar parses the lines; what it passes over in silence is refused before.
"""

from __future__ import annotations

import datetime
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from opslab.errors import DataError
from opslab.tables import recurrence
from opslab.tables.import_report import Answers, Decision, Rows
from opslab.tables.recurrence import (
    ANY_DAY,
    DAY,
    NOTHING,
    Event,
    Occurrence,
    comparable,
    is_timed,
    is_zoned,
    later,
    wall_clock,
)
from opslab.tables.source import Opening

_UTC_IN_A_ZONE = re.compile(r";TZID=[^:;]+(?=[^:]*:\d{8}T\d{6}Z)")  # a library drops the Z
_PART = re.compile(r"[A-Z-]+=[^=]+")
_ZONE_PART = re.compile(r"FREQ=YEARLY|INTERVAL=1|(BYDAY|BYMONTH|BYMONTHDAY|COUNT|UNTIL|WKST)=.+")
_BUSY = "X-MICROSOFT-CDO-BUSYSTATUS"
_TIMES = ("DTEND", "DTSTART", "DURATION", "EXDATE", "RDATE", "RECURRENCE-ID", "RRULE", "SEQUENCE")
_ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "SEQUENCE")
_READ = re.compile(  # all else is passed over, broken or not
    "BEGIN|END|CALSCALE|METHOD|TZID|TZNAME|TZOFFSETFROM|TZOFFSETTO|EXRULE|UID|SUMMARY|LOCATION|"
    f"ORGANIZER|ATTENDEE|STATUS|TRANSP|{_BUSY}|{'|'.join(_TIMES)}"
)
_READ_IN = re.compile("VCALENDAR(/VEVENT|/VTIMEZONE(/STANDARD|/DAYLIGHT)?)?")
_LAST_SECOND = datetime.datetime(1970, 1, 1, 23, 59, 59)  # noqa: DTZ001 - the clock's


class Meeting(NamedTuple):
    """A row: times in ISO 8601, of a whole day as days up to the day after."""

    uid: str
    title: str
    started_at: str
    ended_at: str
    all_day: str
    status: str
    busy: str
    recurring: str
    location: str
    organizer: str
    attendees: str


HEADER = Meeting._fields


class Events(NamedTuple):
    """The meetings of a file."""

    rows: tuple[Meeting, ...]  # one for each occurrence, by start, end and uid
    zones: tuple[str, ...]  # those met; "floating" for times without one
    counts: Mapping[str, int]  # of series, and what became of their occurrences
    encoding: str  # "utf-8" or "cp1252"


class _Line(NamedTuple):
    """An unfolded line."""

    number: int
    text: str


def calendar_rows(opening: Opening) -> Rows:
    """Return the meetings of a file as rows."""
    until = opening.answers.until if isinstance(opening.answers, Answers) else None
    events = read_calendar(opening.path.read_bytes(), file=opening.shown, until=until)
    decisions = (
        [Decision("tables.decided_series", events.counts)] if events.counts["series"] else []
    )
    if events.zones:
        decisions.append(Decision("tables.decided_zones", {"zones": list(events.zones)}))
    return Rows(HEADER, enumerate(events.rows, 1), events.encoding, decisions)


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
    events = [event for part in _calendars(lines, file) for event in _events(part, file)]
    families = list(recurrence.families(events))
    endless = [host for host, _ in families if host.endless]
    if endless and until is None:
        values = {"count": len(endless), "day": "until: 2025-12-31"}
        raise endless[0].refused("tables.calendar_endless", **values)
    tally, rows = Counter(series=0, moved=0, excluded=0, open_ended=len(endless)), list[Any]()
    for host, changes in families:
        with _unreadable(file, host.line, ValueError, OverflowError):
            for occurrence in recurrence.occurrences(host, changes, until, tally):
                if until is None or wall_clock(occurrence.start, until) <= until:
                    rows.append(_row(host, occurrence))
        if len(rows) > recurrence.MOST_ROWS:
            raise host.too_many()
    meetings = tuple(meeting for *_, meeting in sorted(rows))
    zones = sorted({zone for event in events for zone in event.zones})
    return Events(meetings, tuple(zones), tally, encoding)


@contextmanager
def _unreadable(file: str, line: int, *kinds: type[Exception]) -> Iterator[None]:
    """Tell what a library, or a date beyond the calendar's end, raises as one message."""
    try:
        yield
    except DataError:
        raise
    except kinds as error:
        reason = re.sub(r"\S*[/\\]", "", str(error).partition("\n")[0])[:120]
        raise _refused(file, line, reason or type(error).__name__) from error


def _refused(file: str, line: int, reason: str) -> DataError:
    return DataError.of("tables.calendar_unreadable", file=file, line=line, reason=reason)


def _row(host: Event, occurrence: Occurrence) -> tuple[Any, Any, Meeting]:
    """Return a meeting behind its start and end in UTC, by which rows are sorted."""
    event, start, length = occurrence
    end = later(start, length)
    status = "CANCELLED" if event.cancels else event.text("STATUS").upper()
    free = event.text("TRANSP").upper() == "TRANSPARENT" or event.text(_BUSY).upper() == "FREE"
    meeting = Meeting(
        event.text("UID"),
        event.text("SUMMARY"),
        start.isoformat(),
        end.isoformat(),
        str(not is_timed(event.start)).lower(),
        status if status in {"TENTATIVE", "CANCELLED"} else "CONFIRMED",
        str(not free).lower(),
        str(bool(host.rules or host.extra or host.instance)).lower(),
        event.text("LOCATION"),
        re.sub("(?i)^mailto:", "", event.text("ORGANIZER")),
        str(len(event.values("ATTENDEE")) or ""),
    )
    return comparable(start), comparable(end), meeting


def _unfolded(content: bytes, file: str) -> tuple[str, list[_Line]]:
    """Return the encoding and the unfolded lines."""
    physical = re.sub(rb"\r\n?", b"\n", content.removeprefix(b"\xef\xbb\xbf"))
    numbers = [
        number
        for number, line in enumerate(physical.split(b"\n"), 1)
        if line and line[:1] not in b" \t"
    ]
    # before decoding: a fold may part the bytes of a letter
    unfolded = re.sub(rb"\n+[ \t]", b"", physical)
    try:
        encoding, text = "utf-8", unfolded.decode()
    except UnicodeDecodeError:
        encoding, text = "cp1252", unfolded.decode("cp1252", "replace")
    lines = list(map(_Line, numbers, filter(None, text.split("\n"))))
    if "\0" in text or not lines or lines[0].text.strip().upper() != "BEGIN:VCALENDAR":
        raise DataError.of("tables.calendar_none", file=file)
    return encoding, lines


def _calendars(lines: list[_Line], file: str) -> list[list[_Line]]:
    """Return of each calendar the lines to read; refuse what a library would drop in silence."""
    calendars: list[list[_Line]] = []
    stack: list[_Line] = []  # the parts that the line is in, where they begin

    def cut(line: int, part: str) -> DataError:
        return DataError.of("tables.calendar_cut", file=file, line=line, part=part)

    for line in lines:
        name = re.split("[;: ]", line.text, maxsplit=1)[0].upper()
        value = line.text.partition(":")[2].strip().upper()
        if name == "BEGIN":
            calendars += [] if stack else [[]]
            stack.append(_Line(line.number, value))
        path = "/".join(part.text for part in stack[:4])
        if not stack or stack[0].text != "VCALENDAR" or (name == "END" and value != stack[-1].text):
            raise cut(line.number, stack[-1].text if stack else value)
        if _READ_IN.fullmatch(path) and _READ.fullmatch(name):
            calendars[-1].append(_Line(line.number, _line_to_read(line, name, value, path, file)))
        if name == "END":
            stack.pop()
    if stack:
        raise cut(stack[-1].number, stack[-1].text)
    return calendars


def _line_to_read(line: _Line, name: str, value: str, path: str, file: str) -> str:
    """Return a line as the library takes it; refuse a rule that it would take for another."""
    in_zone = "VTIMEZONE" in path
    form = _ZONE_PART if in_zone else _PART
    parts = [form.fullmatch(part) for part in value.split(";") if part]
    if name == "EXRULE" or (name == "RRULE" and not (parts and all(parts))):
        raise _refused(file, line.number, line.text[:120])
    if name in {"BEGIN", "END"}:
        return f"{name}:{value}"
    text = _UTC_IN_A_ZONE.sub("", line.text)
    # Outlook's zones begin in 1601, and a library counts every time from there
    return text.replace("DTSTART:1601", "DTSTART:1970") if in_zone else text


def _events(lines: list[_Line], file: str) -> Iterator[Event]:
    """Yield the events of one calendar."""
    import icalendar  # with calendars only: it takes 270 ms

    # forgets what an earlier file called a zone of that name: it would win
    icalendar.use_zoneinfo()
    with _unreadable(file, lines[0].number, Exception), warnings.catch_warnings():
        # about /vendor/Europe/Paris, which `zones` tells as it is taken
        warnings.simplefilter("ignore")
        root = icalendar.Calendar.from_ical("\n".join(line.text for line in lines).encode())
    scale = str(root.get("CALSCALE", "GREGORIAN"))
    if scale.upper() != "GREGORIAN":
        raise _refused(file, lines[0].number, scale)
    cancels = str(root.get("METHOD", "")).upper() == "CANCEL"
    begins = [line.number for line in lines if line.text == "BEGIN:VEVENT"]
    for number, component in zip(begins, root.walk("VEVENT"), strict=True):
        with _unreadable(file, number, ValueError, OverflowError):
            event = Event(file, number, component, cancels)
            _set_times(event)
        yield event


def _set_times(event: Event) -> None:
    """Give an event its times, or refuse it."""
    component = event.component
    broken = [name or reason.partition("'")[2][:40] for name, reason in component.errors]
    broken = [name for name in broken if name.upper().startswith(_TIMES)]  # of a guest it may be
    broken += [name for name in _ONCE if len(event.values(name)) > 1]
    if broken:
        raise event.refused("tables.calendar_field", name=broken[0])
    starts, ends, instances = (
        _dates(event, name) for name in ("DTSTART", "DTEND", "RECURRENCE-ID")
    )
    if not starts + instances:
        raise event.refused("tables.calendar_field", name="DTSTART")
    event.start = (starts + instances)[0]
    event.length = _length(event, ends)
    event.sequence = int(event.text("SEQUENCE") or 0)
    for event.instance in instances:
        event.range = str(component["RECURRENCE-ID"].params.get("RANGE", "")).upper()
        if not event.range:  # what repeats is copied from its series
            return
    event.rules = [_rule(event, rule) for rule in event.values("RRULE")]
    event.extra, event.excluded = (
        _dates(event, name, like=event.start) for name in ("RDATE", "EXDATE")
    )


def _length(event: Event, ends: list[Any]) -> datetime.timedelta:
    length, start = NOTHING, event.start
    for duration in [] if ends else event.values("DURATION"):
        if not isinstance(getattr(duration, "dt", None), datetime.timedelta):
            raise event.refused("tables.calendar_field", name="DURATION")
        length = duration.dt
    for end in ends:
        alike = (is_timed(end), is_zoned(end)) == (is_timed(start), is_zoned(start))
        length = comparable(end) - comparable(start) if alike else -DAY
    if length < NOTHING:
        raise event.refused("tables.calendar_times")
    return length or (NOTHING if is_timed(start) else DAY)


def _dates(event: Event, name: str, like: datetime.date | None = None) -> list[Any]:
    """Return the days, times and periods (start and length) of a property."""
    dates: list[Any] = []
    for value in event.values(name):
        zone, as_days = value.params.get("TZID"), str(value.params.get("VALUE")).upper() == "DATE"
        for item in getattr(value, "dts", [value]):
            date = getattr(item, "dt", None)
            start, *end = date if isinstance(date, tuple) else (date,)
            # a time of day, a length, a text, or a period where a time is meant
            if not hasattr(start, "year") or (end and not like):
                raise event.refused("tables.calendar_field", name=name)
            if zone and is_timed(start) and not is_zoned(start):
                raise event.refused("tables.calendar_zone", zone=zone)
            if end and is_timed(end[0]):
                end = [comparable(end[0]) - comparable(start)]
            if as_days:  # with a zone it came as midnight
                start = wall_clock(start, ANY_DAY)
            if is_timed(start) and name in {"DTSTART", "DTEND"}:
                event.zones.add(getattr(start.tzinfo, "key", zone or "floating"))
            if like and (is_timed(start) or name == "RDATE"):
                start = wall_clock(start, like)
            dates.append((start, *end) if end else start)
    return dates


def _rule(event: Event, rule: Any) -> Any:
    """Return a rule with its UNTIL as wall clock of the start, and without a COUNT that is none."""
    lasts = rule.get("UNTIL", [])[:1] if isinstance(rule, dict) else [None]
    if not all(hasattr(last, "year") for last in lasts):  # a time of day, a length, a text
        raise event.refused("tables.calendar_field", name="RRULE")
    if rule.get("COUNT", [1])[0] < 1:  # Outlook's -1
        del rule["COUNT"]
    for last in lasts:
        whole_day = is_timed(event.start) and not is_timed(last)
        rule["UNTIL"] = [wall_clock(last, _LAST_SECOND if whole_day else event.start)]
    return rule
