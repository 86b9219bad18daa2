"""Reading an iCalendar file (RFC 5545) into rows of meetings, repetitions written out.

icalendar parses the lines; what it passes over in silence is refused before.
"""

from __future__ import annotations

import datetime
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from opslab.errors import DataError
from opslab.tables import recurrence
from opslab.tables.import_report import Decision, Rows
from opslab.tables.recurrence import (
    ANY_DAY,
    DAY,
    NOTHING,
    Event,
    comparable,
    is_timed,
    is_zoned,
    later,
    wall_clock,
)
from opslab.tables.source import Opening

HEADER = (
    *("uid", "title", "started_at", "ended_at", "all_day", "status", "busy", "recurring"),
    *("location", "organizer", "attendees"),
)
_NO_ZONE = re.compile(r";TZID=[^:;]+(?=[^:]*:\d{8}(?:T\d{6}Z|(?!T)))")  # a library would heed it
_RULES = {
    "CALSCALE": "GREGORIAN",
    "EXRULE": "",
    "METHOD": "(?!CANCEL).*",  # of a message that takes a meeting back, no export
    "RRULE": r"(?:;?(?:FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)|INTERVAL=[1-9]\d{0,7}|COUNT=-?\d{1,9}|"
    r"UNTIL=\d{8}[\dTZ]*|WKST=[A-Z]{2}|BY[A-Z]+=[-+\w,]{1,99}))+;?",
}
_ZONE_RULES = {"RRULE": r"(?:;?(?:FREQ=YEARLY|INTERVAL=1|(?:BY(?:DAY|MONTH)|UNTIL)=[-+\w]+))+;?"}
_READ_IN = re.compile("VCALENDAR(/VEVENT|/VTIMEZONE(/STANDARD|/DAYLIGHT)?)?")
_BUSY = "X-MICROSOFT-CDO-BUSYSTATUS"
_TIMES = ("DTEND", "DTSTART", "DURATION", "EXDATE", "RDATE", "RECURRENCE-ID", "RRULE", "SEQUENCE")
_DATES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
_LAST_SECOND = datetime.datetime(1970, 1, 1, 23, 59, 59)  # noqa: DTZ001 - the clock's


class _Line(NamedTuple):
    """An unfolded line."""

    number: int
    text: str


def calendar_rows(opening: Opening) -> Rows:
    """Return the meetings of a file as rows, by start, end and uid.

    Raises
    ------
    DataError
        When it is no whole calendar, cannot be read, never ends (without ``until``), or has over
        200,000 rows.
    """
    until = getattr(opening.answers, "until", None)
    last = min(until or datetime.date.max, datetime.date(9990, 12, 31))
    encoding, lines = _unfolded(opening)
    events = list(_events(opening, _kept(opening, lines)))
    families = list(recurrence.families(events))
    endless = [host for host, _ in families if host.endless]
    if endless and until is None:
        values = {"count": len(endless), "day": "until: 2025-12-31"}
        raise endless[0].refused("tables.calendar_endless", **values)
    tally, rows = Counter(series=0, moved=0, excluded=0, open_ended=len(endless)), list[Any]()
    for host, changes in families:
        with _unreadable(opening, host.line, ValueError, OverflowError):
            rows += [
                _row(host, event, start)
                for event, start in recurrence.occurrences(host, changes, last, tally)
                if wall_clock(start, ANY_DAY) <= last
            ]
        if len(rows) > recurrence.MOST_ROWS:
            raise host.refused("tables.calendar_many", limit=recurrence.MOST_ROWS)
    decisions = [Decision("tables.decided_series", tally)] if tally["series"] else []
    if zones := sorted({zone for event in events for zone in event.zones}):
        decisions.append(Decision("tables.decided_zones", {"zones": zones}))
    meetings = (meeting for *_, meeting in sorted(rows))
    return Rows(HEADER, enumerate(meetings, 1), encoding, decisions)


@contextmanager
def _unreadable(opening: Opening, line: int, *kinds: type[Exception]) -> Iterator[None]:
    """Tell what a library, or a date beyond the calendar's end, raises as one message."""
    try:
        yield
    except DataError:
        raise
    except kinds as error:
        reason = re.sub(r"\S*[/\\]", "", str(error).partition("\n")[0])[:120]
        values = {"reason": reason or type(error).__name__}
        raise opening.error("tables.calendar_unreadable", line=line, **values) from error


def _row(host: Event, event: Event, start: Any) -> tuple[Any, Any, tuple[str, ...]]:
    """Return a meeting behind its start and end in UTC, by which rows are sorted."""
    end = later(start, event.length)
    status = event.text("STATUS").upper()
    free = event.text("TRANSP").upper() == "TRANSPARENT" or event.text(_BUSY).upper() == "FREE"
    meeting = (
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


def _unfolded(opening: Opening) -> tuple[str, list[_Line]]:
    """Return the encoding and the unfolded lines."""
    content = opening.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    physical = re.sub(rb"\r\n?", b"\n", content)
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
        raise opening.error("tables.calendar_none")
    return encoding, lines


def _kept(opening: Opening, lines: list[_Line]) -> list[_Line]:
    """Return the lines to read; refuse what a library would drop in silence."""
    kept: list[_Line] = []
    stack: list[_Line] = []  # the parts that the line is in, where they begin
    for number, written in lines:
        name = re.split("[;: ]", written, maxsplit=1)[0].upper()
        value = written.partition(":")[2].strip().upper()
        if name == "BEGIN":
            stack.append(_Line(number, value))
        path = "/".join(part.text for part in stack[:4])
        if not path.startswith("VCALENDAR") or (name == "END" and value != stack[-1].text):
            raise opening.error("tables.calendar_cut", line=number, part=value or name)
        rule = (_ZONE_RULES if "VTIMEZONE" in path else _RULES).get(name, ".*")
        if _READ_IN.fullmatch(path):
            if not re.fullmatch(rule, value):
                values = {"reason": written[:120]}
                raise opening.error("tables.calendar_unreadable", line=number, **values)
            # Outlook's zones begin in 1601, and a library counts every time from there
            text = re.sub("^(DTSTART[^:]*:)1601", r"\g<1>1970", _NO_ZONE.sub("", written))
            kept.append(_Line(number, text))
        if name == "END":
            stack.pop()
    if stack:
        raise opening.error("tables.calendar_cut", line=stack[-1].number, part=stack[-1].text)
    return kept


def _events(opening: Opening, lines: list[_Line]) -> Iterator[Event]:
    """Yield the events of the calendars in a file."""
    import icalendar  # with calendars only: it takes 270 ms

    text = "\n".join(line.text for line in lines)
    numbers = (line.number for line in lines if line.text.upper() == "BEGIN:VEVENT")
    for part in re.split("(?im)^(?=BEGIN:VCALENDAR$)", text)[1:]:
        # forgets what an earlier calendar called a zone of that name: it would win
        icalendar.use_zoneinfo()
        with _unreadable(opening, 1, Exception), warnings.catch_warnings():
            # about /vendor/Europe/Paris, which `zones` tells as it is taken
            warnings.simplefilter("ignore")
            root = icalendar.Calendar.from_ical(part.encode())
        for component in root.walk("VEVENT"):
            event = Event(opening, next(numbers), component)
            with _unreadable(opening, event.line, ValueError, OverflowError, TypeError):
                _set_times(event)
            yield event


def _set_times(event: Event) -> None:
    """Give an event its times, or refuse it."""
    component = event.component
    for name, reason in component.errors:
        broken = (name or reason.partition("'")[2][:40]).upper()
        if broken.startswith(_TIMES):  # of a guest it may be
            raise event.refused("tables.calendar_field", name=broken)
    _set_zones(event)
    event.start, event.sequence = component.start, component.sequence
    event.instance = component.RECURRENCE_ID
    event.length = component.DURATION
    if event.length is None:
        event.length = comparable(component.end) - comparable(component.start)
    alike = is_zoned(component.end) == is_zoned(event.start)
    if event.length < NOTHING or not alike:
        raise event.refused("tables.calendar_times")
    event.length = event.length or (NOTHING if is_timed(event.start) else DAY)
    if event.instance:
        event.range = str(component["RECURRENCE-ID"].params.get("RANGE", "")).upper()
        if not event.range:  # what repeats is copied from its series
            return
    if any(end for _, end in component.rdates):
        raise event.refused("tables.calendar_field", name="RDATE")
    event.rules = [_rule(event, rule) for rule in component.rrules]
    event.extra = [wall_clock(date, event.start) for date, _ in component.rdates]
    event.excluded = {
        wall_clock(date, event.start) if is_timed(date) else date for date in component.exdates
    }


def _set_zones(event: Event) -> None:
    """Tell the zones of an event; refuse one that is not known."""
    for name in _DATES:
        for value in event.values(name):
            zone = value.params.get("TZID")
            for item in getattr(value, "dts", [value]):
                if zone and is_timed(item.dt) and not is_zoned(item.dt):
                    raise event.refused("tables.calendar_zone", zone=zone)
                if is_timed(item.dt) and name in {"DTSTART", "DTEND"}:
                    event.zones.add(getattr(item.dt.tzinfo, "key", zone or "floating"))


def _rule(event: Event, rule: Any) -> str:
    """Return a rule with its UNTIL as wall clock of the start, and without a COUNT that is none."""
    if rule.get("COUNT", [1])[0] < 1:  # Outlook's -1
        del rule["COUNT"]
    for last in rule.get("UNTIL", []):
        whole_day = is_timed(event.start) and not is_timed(last)
        rule["UNTIL"] = [wall_clock(last, _LAST_SECOND if whole_day else event.start)]
    event.endless |= not {"COUNT", "UNTIL"} & {*rule}
    return str(rule.to_ical().decode())
