"""Calendars against RFC 5545's printed dates, dateutil's rules, changes of clocks by hand, and broken files."""

import contextlib
import datetime
import itertools
import re
import tempfile
import threading
from collections import Counter
from datetime import UTC, date, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opslab.errors import DataError
from opslab.tables import Answers, calendars, read_export
from opslab.tables.calendars import HEADER, calendar_rows
from opslab.tables.source import Opening

quick = settings(deadline=None, max_examples=40)
PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")

MONDAYS = """
BEGIN:VEVENT
UID:weekly@example.test
DTSTART;TZID=Europe/Paris:20250303T100000
DTEND;TZID=Europe/Paris:20250303T110000
RRULE:FREQ=WEEKLY;COUNT=8
EXDATE;TZID=Europe/Paris:20250317T100000
SUMMARY:Roadmap
ORGANIZER;CN=Ann:mailto:ann@example.test
ATTENDEE:mailto:bob@example.test
ATTENDEE:mailto:eve@example.test
LOCATION:Room 4
END:VEVENT
BEGIN:VEVENT
UID:weekly@example.test
RECURRENCE-ID;TZID=Europe/Paris:20250331T100000
DTSTART;TZID=Europe/Paris:20250331T140000
DTEND;TZID=Europe/Paris:20250331T153000
SUMMARY:Roadmap (moved)
END:VEVENT
BEGIN:VEVENT
UID:leave@example.test
DTSTART;VALUE=DATE:20250310
DTEND;VALUE=DATE:20250311
SUMMARY:Leave
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
UID:off@example.test
DTSTART:20250312T090000Z
DTEND:20250312T100000Z
STATUS:CANCELLED
SUMMARY:Called off
END:VEVENT
"""
# As Outlook writes a zone: no name of the IANA list, its rules from 1601.
ROMANCE = """
BEGIN:VTIMEZONE
TZID:{zone}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def read_calendar(content, *, file="team.ics", until=None):
    """Return what a file gives: its rows by column, and counts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, file)
        path.write_bytes(content)
        rows = calendar_rows(Opening(None, file, Answers(until=until), path.parent, True, path))
        counts = rows.decisions[0].values if rows.decisions else Counter()
        return SimpleNamespace(rows=[row for _, row in rows.rows], counts=counts)


def calendar(*parts, head=""):
    lines = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{head}\n"
    lines += "\n".join(parts) + "\nEND:VCALENDAR\n"
    return re.sub("\n+", "\r\n", lines).encode()


def meeting(*lines, uid="a@example.test", title="Stand-up"):
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", *lines, "END:VEVENT"])


def read(*parts, until=None, head=""):
    return read_calendar(calendar(*parts, head=head), until=until)


def column(events, name):
    return [row[HEADER.index(name)] for row in events.rows]


def local(text, zone):
    """Return a time that a row gives in UTC as the clocks of a zone show it."""
    moment = datetime.datetime.fromisoformat(text)
    assert moment.utcoffset() == timedelta()
    return moment.astimezone(zone).isoformat()


def starts(*lines, until=None, zone=PARIS):
    return [local(text, zone) for text in column(read(meeting(*lines), until=until), "started_at")]


def refusal(content, *, until=None, language="en"):
    with pytest.raises(DataError) as caught:
        read_calendar(content, until=until)
    said = caught.value.text(language)
    assert said.startswith("team.ics")
    assert "\n" not in said
    return caught.value.problems[0].key.removeprefix("tables.calendar_"), said


def refused(*lines, says, parts=()):
    """Assert that a meeting with some lines is refused, at the line that says why."""
    content = calendar(*parts, meeting(*lines))
    key, said = refusal(content)
    assert key == "unreadable"
    assert says in said
    (number,) = re.findall(r"line (\d+)", said)
    return content.decode().splitlines()[int(number) - 1]


def hours(events):
    ends, begins = (
        [datetime.datetime.fromisoformat(text) for text in column(events, name)]
        for name in ("ended_at", "started_at")
    )
    return [(end - begin) / timedelta(hours=1) for begin, end in zip(begins, ends, strict=True)]


def test_a_calendar():
    events = read(MONDAYS)
    assert [row[:2] for row in events.rows] == [
        ("2025-03-03T09:00:00+00:00", "2025-03-03T10:00:00+00:00"),
        ("2025-03-10", "2025-03-11"),
        ("2025-03-10T09:00:00+00:00", "2025-03-10T10:00:00+00:00"),
        ("2025-03-12T09:00:00+00:00", "2025-03-12T10:00:00+00:00"),
        ("2025-03-24T09:00:00+00:00", "2025-03-24T10:00:00+00:00"),
        ("2025-03-31T12:00:00+00:00", "2025-03-31T13:30:00+00:00"),
        ("2025-04-07T08:00:00+00:00", "2025-04-07T09:00:00+00:00"),
        ("2025-04-14T08:00:00+00:00", "2025-04-14T09:00:00+00:00"),
        ("2025-04-21T08:00:00+00:00", "2025-04-21T09:00:00+00:00"),
    ]
    weekly, leave, off = (events.rows[place][2:] for place in (0, 1, 3))
    assert weekly == ("weekly@example.test", "Roadmap", "False", "CONFIRMED", "True", "True")
    assert leave == ("leave@example.test", "Leave", "True", "CONFIRMED", "False", "False")
    assert off == ("off@example.test", "Called off", "False", "CANCELLED", "True", "False")
    assert column(events, "title").count("Roadmap (moved)") == 1
    assert events.counts == {"series": 1, "moved": 1, "excluded": 1, "open_ended": 0}


# The examples of RFC 5545, section 3.8.5.3, with the dates that it prints; all start at 9:00 in New York.
AT_NINE = "DTSTART;TZID=America/New_York:{}T090000"
RFC = [
    ("19970902", "FREQ=DAILY;COUNT=10", [f"1997-09-{day:02}" for day in range(2, 12)]),
    (
        "19970902",
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        ["1997-09-02", "1997-09-12", "1997-09-22", "1997-10-02", "1997-10-12"],
    ),
    (
        "19970902",
        "FREQ=WEEKLY;COUNT=10",
        [
            "1997-09-02",
            "1997-09-09",
            "1997-09-16",
            "1997-09-23",
            "1997-09-30",
            "1997-10-07",
            "1997-10-14",
            "1997-10-21",
            "1997-10-28",
            "1997-11-04",
        ],
    ),
    (
        "19970902",
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        [
            "1997-09-02",
            "1997-09-04",
            "1997-09-09",
            "1997-09-11",
            "1997-09-16",
            "1997-09-18",
            "1997-09-23",
            "1997-09-25",
            "1997-09-30",
            "1997-10-02",
        ],
    ),
    (
        "19970902",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        [
            "1997-09-02",
            "1997-09-04",
            "1997-09-16",
            "1997-09-18",
            "1997-09-30",
            "1997-10-02",
            "1997-10-14",
            "1997-10-16",
        ],
    ),
    (
        "19970905",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        [
            "1997-09-05",
            "1997-10-03",
            "1997-11-07",
            "1997-12-05",
            "1998-01-02",
            "1998-02-06",
            "1998-03-06",
            "1998-04-03",
            "1998-05-01",
            "1998-06-05",
        ],
    ),
    (
        "19970907",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        [
            "1997-09-07",
            "1997-09-28",
            "1997-11-02",
            "1997-11-30",
            "1998-01-04",
            "1998-01-25",
            "1998-03-01",
            "1998-03-29",
            "1998-05-03",
            "1998-05-31",
        ],
    ),
    (
        "19970922",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        ["1997-09-22", "1997-10-20", "1997-11-17", "1997-12-22", "1998-01-19", "1998-02-16"],
    ),
    (
        "19970902",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        [
            "1997-09-02",
            "1997-09-15",
            "1997-10-02",
            "1997-10-15",
            "1997-11-02",
            "1997-11-15",
            "1997-12-02",
            "1997-12-15",
            "1998-01-02",
            "1998-01-15",
        ],
    ),
    (
        "19970930",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        [
            "1997-09-30",
            "1997-10-01",
            "1997-10-31",
            "1997-11-01",
            "1997-11-30",
            "1997-12-01",
            "1997-12-31",
            "1998-01-01",
            "1998-01-31",
            "1998-02-01",
        ],
    ),
    (
        "19970610",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        [f"{year}-{month}-10" for year in range(1997, 2002) for month in ("06", "07")],
    ),
    (
        "19970101",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        [
            "1997-01-01",
            "1997-04-10",
            "1997-07-19",
            "2000-01-01",
            "2000-04-09",
            "2000-07-18",
            "2003-01-01",
            "2003-04-10",
            "2003-07-19",
            "2006-01-01",
        ],
    ),
    (
        "19970904",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        ["1997-09-04", "1997-10-07", "1997-11-06"],
    ),
    (
        "19970805",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
    ),
    (
        "19970805",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
    ),
    (
        "20070115",
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        ["2007-01-15", "2007-01-30", "2007-02-15", "2007-03-15", "2007-03-30"],
    ),
]


@pytest.mark.parametrize(("first", "rule", "printed"), RFC)
def test_dates_that_the_rfc_prints(first, rule, printed):
    found = starts(AT_NINE.format(first), f"RRULE:{rule}", zone=NEW_YORK)
    assert [text[:10] for text in found] == printed
    assert {text[10:19] for text in found} == {"T09:00:00"}


FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@quick
@given(
    frequency=st.sampled_from(sorted(FREQUENCIES)),
    interval=st.integers(1, 4),
    count=st.integers(1, 30),
    days=st.lists(st.sampled_from(DAYS), max_size=3, unique=True),
    day=st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    hour=st.integers(0, 23),
    zone=st.sampled_from(
        ["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
)
def test_equals_dateutil(frequency, interval, count, days, day, hour, zone):
    weekdays = [DAYS.index(day) for day in days] or None
    while weekdays and day.weekday() not in weekdays:  # a rule is read that begins with its meeting
        day += timedelta(days=1)
    first = datetime.datetime.combine(day, datetime.time(hour))
    rule = f"FREQ={frequency};INTERVAL={interval};COUNT={count}" + (
        f";BYDAY={','.join(days)}" if days else ""
    )
    walls = rrule(FREQUENCIES[frequency], first, interval, count=count, byweekday=weekdays)
    expected = [
        wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for wall in walls
    ]  # a wall clock that the change skips is taken as before it (RFC 5545, section 3.3.5)
    events = read(
        meeting(f"DTSTART;TZID={zone}:{first:%Y%m%dT%H%M%S}", "DURATION:PT50M", f"RRULE:{rule}")
    )
    found = [datetime.datetime.fromisoformat(text) for text in column(events, "started_at")]
    assert found == expected
    assert hours(events) == pytest.approx([50 / 60] * len(expected))


def test_ten_o_clock_stays_ten_o_clock_in_paris():
    # Europe/Paris: +01:00 until 2025-03-30 01:00 UTC, +02:00 until 2025-10-26 01:00 UTC.
    for first, change, hours_utc in (("27", "2025-03-30", "98"), ("23", "2025-10-26", "89")):
        day = f"2025{change[5:7]}{first}T100000"
        events = read(meeting(f"DTSTART;TZID=Europe/Paris:{day}", "RRULE:FREQ=DAILY;COUNT=6"))
        found = column(events, "started_at")
        assert len(found) == 6
        assert [text[11:13] for text in found] == [
            f"0{hours_utc[text[:10] >= change]}" for text in found
        ]


def test_a_series_in_utc_stays_in_utc_whatever_the_calendar_prefers():
    lines = ("DTSTART:20250324T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2")
    events = read(meeting(*lines), head="X-WR-TIMEZONE:Europe/Paris")
    assert [text[11:] for text in column(events, "started_at")] == ["09:00:00+00:00"] * 2


def test_a_night_keeps_its_exact_length():
    # RFC 5545, 3.8.5.3: a DTEND gives every occurrence the same exact duration.
    for first, last in (("20250307", "20250308"), ("20251031", "20251101")):
        events = read(
            meeting(
                f"DTSTART;TZID=America/New_York:{first}T220000",
                f"DTEND;TZID=America/New_York:{last}T060000",
                "RRULE:FREQ=DAILY;COUNT=3",
            )
        )
        assert hours(events) == [8, 8, 8]


@pytest.mark.parametrize(("days", "expected"), [(("29", "30", "03"), 7), (("25", "26", "10"), 9)])
def test_a_meeting_over_the_change_of_clocks_has_the_hours_that_pass(days, expected):
    first, last, month = days
    lines = (f"DTSTART;TZID=Europe/Paris:2025{month}{first}T220000",)
    lines += (f"DTEND;TZID=Europe/Paris:2025{month}{last}T060000",)
    assert hours(read(meeting(*lines))) == [expected]


def test_an_hour_that_the_clocks_skip_or_repeat():
    # RFC 5545, 3.3.5: a skipped time is read with the offset before, a repeated one is the first of the two.
    assert starts("DTSTART;TZID=Europe/Paris:20250323T023000", "RRULE:FREQ=WEEKLY;COUNT=3") == [
        *("2025-03-23T02:30:00+01:00", "2025-03-30T03:30:00+02:00", "2025-04-06T02:30:00+02:00"),
    ]
    found = starts("DTSTART;TZID=America/New_York:20251102T013000", zone=NEW_YORK)
    assert found == ["2025-11-02T01:30:00-04:00"]


@pytest.mark.parametrize("zone", ["Romance Standard Time", "(UTC+01:00) Paris, Madrid"])
def test_zones_that_the_file_defines(zone):
    lines = (f'DTSTART;TZID="{zone}":20250324T100000', f'DTEND;TZID="{zone}":20250324T110000')
    body = meeting(*lines, "RRULE:FREQ=WEEKLY;COUNT=2")
    for parts in ((ROMANCE.format(zone=zone), body), (body, ROMANCE.format(zone=zone))):
        events = read(*parts)
        assert [text[:16] for text in column(events, "started_at")] == [
            *("2025-03-24T09:00", "2025-03-31T08:00"),
        ]
        assert hours(events) == [1, 1]


def test_a_zone_is_the_one_of_its_own_file():
    first = ROMANCE.format(zone="Ours")
    second = first.replace("+0100", "-0500").replace("+0200", "-0400")
    body = meeting('DTSTART;TZID="Ours":20250115T100000')
    assert column(read(first, body), "started_at") == ["2025-01-15T09:00:00+00:00"]
    assert column(read(second, body), "started_at") == ["2025-01-15T15:00:00+00:00"]
    assert refusal(calendar(body))[0] == "unreadable"


@pytest.mark.parametrize("name", ["DTSTART", "DTEND", "EXDATE", "RECURRENCE-ID"])
@pytest.mark.parametrize(
    "zone",
    ["Mars/Base", "Romance Standard Time", "/citadel.org/1/Europe/Paris", "Europe", "../UTC"],
)
def test_a_zone_that_nobody_knows(name, zone):
    lines = {"DTSTART": ":20250303T100000", "DTEND": ":20250303T110000"}
    lines[name] = f";TZID={zone}:20250303T110000"
    line = refused(*(part + value for part, value in lines.items()), says=zone)
    assert line == f"{name};TZID={zone}:20250303T110000"


def test_a_utc_time_in_a_zone_is_in_utc():
    # RFC 5545, 3.2.19: TZID must not be applied to times in UTC; the instant is what the Z says.
    lines = ("DTSTART;TZID=Europe/Paris:20250303T100000Z", "DURATION:PT1H")
    assert read(meeting(*lines)).rows[0][0] == "2025-03-03T10:00:00+00:00"


def test_floating_times_have_no_offset():
    lines = ("DTSTART:20250329T100000", "DTEND:20250329T110000")
    events = read(meeting(*lines, "RRULE:FREQ=DAILY;UNTIL=20250331T100000"))
    assert column(events, "started_at") == [f"2025-03-{day}T10:00:00" for day in (29, 30, 31)]
    assert column(events, "ended_at") == [f"2025-03-{day}T11:00:00" for day in (29, 30, 31)]


PARIS_AT_TEN = "DTSTART;TZID=Europe/Paris:20250303T100000"


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        ([PARIS_AT_TEN, "DURATION:PT1H30M"], "2025-03-03T09:00", "2025-03-03T10:30"),
        ([PARIS_AT_TEN, "DURATION:P1DT2H3M4S"], "2025-03-03T09:00", "2025-03-04T11:03"),
        ([PARIS_AT_TEN], "2025-03-03T09:00", "2025-03-03T09:00"),
        (["DTSTART;VALUE=DATE:20250303"], "2025-03-03", "2025-03-04"),
        (["DTSTART;VALUE=DATE:20250303", "DTEND;VALUE=DATE:20250303"], "2025-03-03", "2025-03-04"),
        (["DTSTART;VALUE=DATE:20250303", "DTEND;VALUE=DATE:20250306"], "2025-03-03", "2025-03-06"),
        (["DTSTART;VALUE=DATE:20250303", "DURATION:P3D"], "2025-03-03", "2025-03-06"),
        (["DTSTART;VALUE=DATE:20250303", "DURATION:P2W"], "2025-03-03", "2025-03-17"),
        (["DTSTART;VALUE=DATE;TZID=Europe/Paris:20250303"], "2025-03-03", "2025-03-04"),
        ([PARIS_AT_TEN, "DTEND:20250303T100000Z"], "2025-03-03T09:00", "2025-03-03T10:00"),
        (["DTEND:20250303T100000Z", PARIS_AT_TEN], "2025-03-03T09:00", "2025-03-03T10:00"),
        (
            [PARIS_AT_TEN.lower().replace("europe/paris", "Europe/Paris"), "duration:pt1h"],
            "2025-03-03T09:00",
            "2025-03-03T10:00",
        ),
    ],
)
def test_ends(lines, start, end):
    events = read(meeting(*lines))
    assert [tuple(text[:16] for text in row[:2]) for row in events.rows] == [(start, end)]
    assert column(events, "all_day") == [str(len(start) == 10)]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["DTEND:20250303T100000Z"],
        ["DTSTART:20250303T100000Z", "DTEND:20250303T090000Z"],
        [PARIS_AT_TEN, "DTEND:20250303T083000Z"],
        ["DTSTART;VALUE=DATE:20250303", "DTEND;VALUE=DATE:20250301"],
        ["DTSTART:20250303T100000Z", "DTEND;VALUE=DATE:20250304"],
        ["DTSTART;VALUE=DATE:20250303", "DTEND:20250304T100000Z"],
        ["DTSTART:20250303T100000Z", "DTEND:20250303T110000"],
        ["DTSTART:20250303T100000Z", "DTEND:20250303T110000Z", "DURATION:PT1H"],
        ["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;UNTIL=20250305"],  # a day, not a time
        ["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;UNTIL=20250305T100000"],
        ["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;UNTIL=20250302T100000Z"],
        ["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20250304"],
        ["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20250304T100000"],
        ["DTSTART;VALUE=DATE:20250303", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20250304T100000Z"],
    ],
)
def test_times_that_contradict_one_another_are_refused(lines):
    assert refused(*lines, says="DTSTART, DTEND") == "BEGIN:VEVENT"


@pytest.mark.parametrize(
    "rule",
    [
        # RFC 5545, 3.8.5.3: what a rule means whose first day is another than DTSTART is undefined.
        "FREQ=WEEKLY;COUNT=3;BYDAY=TU",
        "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=13;BYDAY=FR",
        # no day meets it: the search ends with the year 9999
        "FREQ=YEARLY;COUNT=3;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;COUNT=3;BYDAY=MO;BYSETPOS=6",
        "FREQ=DAILY;COUNT=3;INTERVAL=7;BYDAY=TU",
        "FREQ=YEARLY;COUNT=3;BYMONTH=13",
        "FREQ=YEARLY;COUNT=3;BYYEARDAY=367",
    ],
)
def test_a_rule_that_does_not_begin_with_its_meeting_is_refused(rule):
    refused("DTSTART:20250303T100000Z", f"RRULE:{rule}", says="RRULE")  # a Monday


@pytest.mark.parametrize(
    "line",
    [
        *("RDATE:20250610T080000Z", "RDATE;VALUE=PERIOD:20250701T080000Z/PT3H"),
        *("EXRULE:FREQ=DAILY;INTERVAL=2", "RECURRENCE-ID;RANGE=THISANDFUTURE:20250303T100000Z"),
        *("a line that a mailer broke off", "NEW-SCHEDULE:daily", "DTSTART", "BEGIN:VEVENT"),
        *("DTEND:tomorrow", "DTEND:20250230T100000Z", "DTEND:100000", "DTEND:PT1H", "DTEND:"),
        *("DTEND 20250303T100000Z", "DTEND:20250303T110000Z,20250303T120000Z"),
        *("DTEND;VALUE=PERIOD:20250303T110000Z", "DTEND:20250303T240000Z", "DTSTART:20250304"),
        *("DURATION:an hour", "DURATION:-PT1H", "DURATION:P1M", "DURATION:P", "DURATION:PT"),
        *("DURATION:P999999999W", "SEQUENCE:one", "EXDATE:then", "EXDATE:", "RECURRENCE-ID:then"),
        *("STATUS:X-OTHER", "TRANSP:MAYBE", "UID:again", "SUMMARY:again"),
        *(
            f"RRULE:{rule}"
            for rule in (
                *(
                    "",
                    "FREQ=SOMETIMES;COUNT=2",
                    "FREQ=DAILY;COUNT",
                    "FREQ=DAILY;COUNT=2=3",
                    "D1 #3",
                ),
                *("FREQ=HOURLY;COUNT=2", "FREQ=MINUTELY", "FREQ=SECONDLY", "COUNT=3"),
                *("FREQ=DAILY;COUNT=2;COUNT=3", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;COUNT=-1"),
                *("FREQ=DAILY;COUNT=2;UNTIL=20250305T100000Z", "FREQ=DAILY;UNTIL=100000"),
                *("FREQ=DAILY;UNTIL=20250305T100000Z;COUNT=2", "FREQ=DAILY;UNTIL=20250230"),
                *("FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=99999", "FREQ=DAILY;COUNT=0"),
                *("FREQ=DAILY;BYHOUR=9,10", "FREQ=DAILY;BYMINUTE=0,20", "FREQ=DAILY;BYWHIM=1"),
                *("FREQ=DAILY;BYMONTH=3", "FREQ=WEEKLY;BYMONTHDAY=3", "FREQ=WEEKLY;BYDAY=1MO"),
                *("FREQ=DAILY;BYSETPOS=1", "BYMONTH=3;FREQ=DAILY", "FREQ=MONTHLY;BYSETPOS=1,2"),
                *(
                    "FREQ=YEARLY;BYWEEKNO=20",
                    "FREQ=YEARLY;RSCALE=CHINESE",
                    "FREQ=YEARLY;BYEASTER=0",
                ),
                *("FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=XX", "FREQ=WEEKLY;WKST=XX"),
                *("FREQ=DAILYCOUNT=2", "FREQ=DAILY,COUNT=2"),
            )
        ),
    ],
)
def test_a_line_that_is_not_read_is_refused(line):
    said = refused("DTSTART:20250303T100000Z", line, says=line[:80])
    assert said == line


@pytest.mark.parametrize(
    "head",
    [
        *("CALSCALE:HEBREW", "METHOD:CANCEL", "METHOD:REPLY", "METHOD:ADD", "VERSION:1.0"),
        *("DTSTART:20250303T100000Z", "BEGIN:X-UNHEARD-OF\nEND:X-UNHEARD-OF", "END:VEVENT"),
        "BEGIN:VTODO\nBEGIN:VEVENT\nDTSTART:20250303T100000Z\nEND:VEVENT\nEND:VTODO",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VTODO\nEND:VEVENT",
    ],
)
def test_a_calendar_of_another_kind_is_refused(head):
    content = calendar(meeting("DTSTART:20250303T100000Z"), head=head)
    key, said = refusal(content)
    assert key == "unreadable"
    assert any(line in said for line in head.splitlines())


def test_a_second_calendar_in_the_file_is_refused():
    first = calendar(meeting("DTSTART:20250303T100000Z", uid="a"))
    second = calendar(meeting("DTSTART:20250302T100000Z", uid="b"))
    key, said = refusal(first + second)
    assert (key, "BEGIN:VCALENDAR" in said) == ("unreadable", True)


@pytest.mark.parametrize(
    "content",
    [
        ROMANCE.format(zone="Ours").replace("FREQ=YEARLY", "FREQ=SECONDLY"),
        ROMANCE.format(zone="Ours").replace("INTERVAL=1", "INTERVAL=0"),
        ROMANCE.format(zone="Ours").replace("INTERVAL=1", "BYSECOND=1"),
        ROMANCE.format(zone="Ours").replace("TZOFFSETFROM:+0100", ""),
        ROMANCE.format(zone="Ours").replace("STANDARD", "DAYLIGHT").replace("1601", "2040"),
        "BEGIN:VTIMEZONE\nTZID:Ours\nEND:VTIMEZONE",
    ],
)
def test_a_zone_that_cannot_be_read(content):
    assert outcome(calendar(content, meeting("DTSTART;TZID=Ours:20250303T100000"))) == "unreadable"


@pytest.mark.parametrize(
    ("lines", "status", "busy"),
    [
        ([], "CONFIRMED", "True"),
        (["STATUS:TENTATIVE"], "TENTATIVE", "True"),
        (["STATUS:cancelled"], "CANCELLED", "True"),
        (["TRANSP:OPAQUE"], "CONFIRMED", "True"),
        (["TRANSP:TRANSPARENT"], "CONFIRMED", "False"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], "CONFIRMED", "False"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"], "CONFIRMED", "True"),
    ],
)
def test_status_and_busy(lines, status, busy):
    events = read(meeting("DTSTART:20250303T100000Z", *lines))
    assert (column(events, "status"), column(events, "busy")) == ([status], [busy])


def test_until_leaves_out_what_starts_later():
    events = read(
        meeting(
            "DTSTART;TZID=Europe/Paris:20250303T233000",
            "DURATION:PT2H",
            "RRULE:FREQ=DAILY",
            uid="endless",
        ),
        meeting("DTSTART;TZID=America/New_York:20250304T220000", "DURATION:PT1H", uid="single"),
        meeting("DTSTART:20250305T000000Z", uid="late"),
        meeting("DTSTART;VALUE=DATE:20250303", "RRULE:FREQ=DAILY;COUNT=5", uid="days"),
        until=date(2025, 3, 4),
    )
    assert column(events, "uid") == ["days", "endless", "days", "endless", "single"]
    assert (events.counts["series"], events.counts["open_ended"]) == (2, 1)


def test_a_series_without_an_end_asks():
    content = calendar(
        meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=WEEKLY;COUNT=2", uid="a"),
        meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=WEEKLY", uid="b"),
        meeting("DTSTART:20250303T100000Z", "rrule:freq=daily;interval=2", uid="c"),
    )
    key, said = refusal(content)
    assert key == "endless"
    assert "line 10" in said
    assert "2 series have no end" in said
    assert "until: 2025-12-31" in said
    assert "2 séries n'ont pas de fin" in refusal(content, language="fr")[1]
    assert read_calendar(content, until=date(2025, 3, 9)).counts["open_ended"] == 2


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        # 10:00 in Paris is 9:00 UTC: the last day counts
        (PARIS_AT_TEN, "20250305T090000Z", [3, 4, 5]),
        (PARIS_AT_TEN, "20250305T085959Z", [3, 4]),
        ("DTSTART:20250303T100000", "20250305T100000", [3, 4, 5]),
        ("DTSTART:20250303T100000", "20250305T095959", [3, 4]),
        ("DTSTART;VALUE=DATE:20250303", "20250305", [3, 4, 5]),
    ],
)
def test_the_last_day_of_a_rule(first, last, days):
    events = read(meeting(first, f"RRULE:UNTIL={last};FREQ=DAILY;"))
    assert [int(text[8:10]) for text in column(events, "started_at")] == days


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=Europe/Paris:20250304T100000",
        "EXDATE:20250304T090000Z",
        "EXDATE;TZID=America/New_York:20250304T040000",
        "EXDATE:20250304T090000Z,20990101T090000Z",
        "EXDATE:20250304T090000Z\nEXDATE;TZID=Europe/Paris:20250201T100000",
    ],
)
def test_exdates_of_every_kind(line):
    events = read(meeting(PARIS_AT_TEN, "RRULE:FREQ=DAILY;COUNT=3", line))
    assert [text[:10] for text in column(events, "started_at")] == ["2025-03-03", "2025-03-05"]
    assert events.counts["excluded"] == 1


@pytest.mark.parametrize(
    ("first", "line"),
    [
        ("DTSTART;VALUE=DATE:20250303", "EXDATE;VALUE=DATE:20250304"),
        ("DTSTART:20250303T100000", "EXDATE:20250304T100000"),
    ],
)
def test_exdates_of_days_and_of_floating_times(first, line):
    events = read(meeting(first, "RRULE:FREQ=DAILY;COUNT=3", line))
    assert [text[:10] for text in column(events, "started_at")] == ["2025-03-03", "2025-03-05"]


WEEKS = [PARIS_AT_TEN, "DTEND;TZID=Europe/Paris:20250303T110000", "RRULE:FREQ=WEEKLY;COUNT=5"]


@pytest.mark.parametrize(
    "parts",
    [
        [meeting("RECURRENCE-ID:20250303T100000Z", "DTSTART:20250303T110000Z")],
        [
            meeting(*WEEKS),
            meeting("RECURRENCE-ID:20250303T090000Z", "DTSTART:20250303T110000Z", uid="other"),
        ],
        [meeting(*WEEKS), meeting("RECURRENCE-ID;VALUE=DATE:20250310", "DTSTART:20250310T110000Z")],
        [meeting(*WEEKS), meeting("RECURRENCE-ID:20250310T100000", "DTSTART:20250310T110000Z")],
    ],
)
def test_a_change_without_its_series_or_of_another_kind_is_refused(parts):
    key, said = refusal(calendar(*parts))
    assert (key, "RECURRENCE-ID" in said) == ("unreadable", True)


@pytest.mark.parametrize("instance", [":20250310T090000Z", ";TZID=Europe/Paris:20250310T100000"])
def test_a_moved_occurrence(instance):
    change = meeting(f"RECURRENCE-ID{instance}", "DTSTART:20250311T140000Z", title="Moved")
    for parts in ((meeting(*WEEKS), change), (change, meeting(*WEEKS))):
        events = read(*parts)
        assert [text[5:10] for text in column(events, "started_at")] == [
            *("03-03", "03-11", "03-17", "03-24", "03-31"),
        ]
        assert column(events, "title")[1] == "Moved"
        assert events.counts["moved"] == 1


def test_a_change_of_what_is_excluded_is_excluded():
    change = meeting("RECURRENCE-ID:20250310T090000Z", "DTSTART:20250310T140000Z")
    events = read(meeting(*WEEKS, "EXDATE:20250310T090000Z"), change)
    assert [text[5:10] for text in column(events, "started_at")] == [
        *("03-03", "03-17", "03-24", "03-31"),
    ]
    assert (events.counts["moved"], events.counts["excluded"]) == (0, 1)
    lines = (*WEEKS, "EXDATE:20250324T090000Z")
    later = meeting("RECURRENCE-ID:20250324T090000Z", "DTSTART:20250304T140000Z")
    events = read(meeting(*lines), later, until=date(2025, 3, 9))  # before its day comes, too
    assert (len(events.rows), events.counts["excluded"]) == (1, 1)


def test_an_exception_of_a_meeting_that_does_not_repeat_is_told():
    events = read(meeting("DTSTART:20250303T100000Z", "EXDATE:20250303T100000Z"))
    assert (events.rows, events.counts["excluded"]) == ([], 1)


def test_rows_of_one_time_have_one_order():
    changes = [
        meeting(f"RECURRENCE-ID:202503{day}T090000Z", "DTSTART:20250401T140000Z", title=title)
        for day, title in (("10", "c"), ("17", "a"), ("24", "b"))
    ]
    titles = column(read(meeting(*WEEKS), *changes), "title")
    assert titles == ["Stand-up", "Stand-up", "a", "b", "c"]


def test_a_change_of_no_occurrence_is_a_meeting_all_the_same():
    change = meeting("RECURRENCE-ID:20250304T090000Z", "DTSTART:20250304T110000Z")
    events = read(meeting(*WEEKS), change)
    assert len(events.rows) == 6
    assert events.counts["moved"] == 0


def test_one_occurrence_cancelled_or_made_a_day():
    call_off = ("RECURRENCE-ID:20250310T090000Z", "DTSTART:20250310T090000Z", "STATUS:CANCELLED")
    day = ("RECURRENCE-ID:20250317T090000Z", "DTSTART;VALUE=DATE:20250318")
    events = read(meeting(*WEEKS), meeting(*call_off), meeting(*day))
    assert column(events, "status") == ["CONFIRMED", "CANCELLED", *["CONFIRMED"] * 3]
    assert column(events, "started_at")[2] == "2025-03-18"


def test_a_change_moved_before_or_after_the_last_day():
    lines = ["RECURRENCE-ID:20250324T090000Z", "DTSTART:20250306T140000Z"]
    events = read(meeting(*WEEKS), meeting(*lines), until=date(2025, 3, 10))
    assert [text[8:10] for text in column(events, "started_at")] == ["03", "06", "10"]
    lines = ["RECURRENCE-ID:20250310T090000Z", "DTSTART:20250320T140000Z"]
    events = read(meeting(*WEEKS), meeting(*lines), until=date(2025, 3, 17))
    assert [text[8:10] for text in column(events, "started_at")] == ["03", "17"]


def test_the_last_revision_counts():
    newer = meeting("DTSTART:20250303T150000Z", "SEQUENCE:10", title="New")
    older = meeting("DTSTART:20250303T100000Z", "SEQUENCE:9", title="Old")
    instance = "RECURRENCE-ID:20250310T090000Z"
    change = [instance, "DTSTART:20250310T140000Z"]
    for parts in ((newer, older), (older, newer)):
        assert column(read(*parts), "title") == ["New"]
    last = meeting(*change, "SEQUENCE:1", title="Last")
    for parts in ((last, meeting(*change)), (meeting(*change), last)):
        assert column(read(meeting(*WEEKS), *parts), "title")[1] == "Last"


def test_two_meetings_of_one_uid_are_refused_and_a_copy_is_not_counted():
    first, other = meeting("DTSTART:20250303T150000Z"), meeting("DTSTART:20250304T150000Z")
    assert len(read(first, first).rows) == 1
    key, said = refusal(calendar(first, other))
    assert (key, "UID:a@example.test" in said) == ("unreadable", True)
    assert len(read(meeting(*WEEKS), meeting(*WEEKS)).rows) == 5


def test_meetings_without_a_uid():
    nameless = meeting("DTSTART:20250303T150000Z").replace("UID:a@example.test\n", "")
    assert column(read(nameless, nameless), "uid") == ["", ""]


def test_everything_else_in_a_file_is_passed_over():
    other = """
BEGIN:VTODO
UID:todo
DTSTART:nonsense
RRULE:FREQ=SECONDLY
END:VTODO
BEGIN:VFREEBUSY
FREEBUSY:19970308T160000Z/PT3H
END:VFREEBUSY"""
    alarm = "BEGIN:VALARM\nTRIGGER:nonsense\nDTSTART:nonsense\nEND:VALARM"
    junk = 'ATTENDEE;CN=A"B:mailto:b@example.test\nLOCATION;LANGUAGE=fr:Salle\nCREATED:never'
    junk += "\nCOMMENT:a\nCOMMENT:b\nX-ALT-DESC;FMTTYPE=text/html:<a>\nDESCRIPTION:DTSTART:1"
    for method in ("PUBLISH", "REQUEST"):
        body = meeting("DTSTART:20250303T100000Z", junk, alarm)
        events = read(other, body, head=f"METHOD:{method}\nNAME:Team\nREFRESH-INTERVAL:PT1H")
        assert [row[0] for row in events.rows] == ["2025-03-03T10:00:00+00:00"]


@pytest.mark.parametrize(
    "content",
    [calendar(), calendar(ROMANCE.format(zone="Ours")), b"BEGIN:VCALENDAR\nEND:VCALENDAR"],
)
def test_no_meetings(content):
    assert read_calendar(content).rows == []


TITLE = "Comité été, 10 €\\, à l'étage"


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_encodings_and_line_ends(encoding, ending):
    content = calendar(meeting("DTSTART:20250303T100000Z", title=TITLE)).decode()
    events = read_calendar(content.replace("\r\n", ending).encode(encoding))
    assert column(events, "title") == ["Comité été, 10 €, à l'étage"]


@pytest.mark.parametrize("blank", [b" ", b"\t"])
@pytest.mark.parametrize("width", [1, 2, 7, 74])
def test_folded_lines(width, blank):
    # RFC 5545, 3.1: a fold may stand anywhere, also between the bytes of one letter.
    content = calendar(
        meeting("DTSTART;TZID=Europe/Paris:20250303T100000", "DURATION:PT1H", title=TITLE)
    )
    folded = b"\r\n".join(
        (b"\r\n" + blank).join(line[at : at + width] for at in range(0, len(line), width))
        if b":" in line and b"BEGIN" not in line and b"END" not in line
        else line
        for line in content.split(b"\r\n")
    )
    assert (width == 74) == (folded == content)
    events = read_calendar(folded)
    assert [(*row[:2], row[3]) for row in events.rows] == [
        ("2025-03-03T09:00:00+00:00", "2025-03-03T10:00:00+00:00", "Comité été, 10 €, à l'étage")
    ]


def test_the_line_that_is_told_is_the_line_in_the_file():
    content = calendar(
        meeting("DTSTART:20250303T100000Z", "DESCRIPTION:one\n two\n\tthree"),
        meeting("DTSTART:tomorrow", uid="b"),
    )
    line = content.split(b"\r\n").index(b"DTSTART:tomorrow") + 1
    for text in (content, content.replace(b"\r\n", b"\n")):
        assert f"line {line}" in refusal(text)[1]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "none"),
        (b"\xef\xbb\xbf", "none"),
        (b"\n\n", "none"),
        (b"/etc/hostname", "none"),
        (b"uid,title\na,b\n", "none"),
        (b"<html><body>Sign in</body></html>", "none"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "none"),
        (calendar(MONDAYS).decode().encode("utf-16"), "none"),
        (calendar(MONDAYS).replace(b"Leave", "Congé".encode("cp1252")), "none"),
        (b"BEGIN:VEVENT\nDTSTART:20250303T100000Z\nEND:VEVENT\n", "none"),
        (b"BEGIN:VCALENDAR", "cut"),
        (calendar(MONDAYS)[:200], "cut"),
        (calendar(MONDAYS).replace(b"END:VCALENDAR", b""), "cut"),
        (calendar(MONDAYS).replace(b"END:VEVENT", b"", 1), "unreadable"),
        (calendar(MONDAYS).replace(b"END:VEVENT", b"END:VTODO", 1), "unreadable"),
        (calendar(MONDAYS) + b"END:VCALENDAR\n", "unreadable"),
        (calendar(MONDAYS) + b"SUMMARY:left over\n", "unreadable"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 20_000, "unreadable"),
    ],
)
def test_not_a_calendar_or_not_all_of_it(content, key):
    assert refusal(content)[0] == key
    assert refusal(content, language="fr")[0] == key


def test_every_cut_of_a_calendar_is_told():
    content = calendar(MONDAYS)
    for length in range(len(content) - 2):  # the last bytes are the line's end, and no loss
        assert refusal(content[:length])[0] in {"none", "cut", "unreadable"}


HOSTILE = [
    ("DAILY;COUNT=1000000", None, "many"),
    ("DAILY;UNTIL=29991231T000000Z", None, "many"),
    ("DAILY", date(9999, 12, 31), "many"),
    ("YEARLY;UNTIL=29991231T000000Z", None, None),
    ("YEARLY;INTERVAL=100;COUNT=3", None, None),
    ("YEARLY;INTERVAL=100", date(9999, 12, 31), None),
    ("YEARLY;COUNT=9999999", None, None),  # ends with the year 2999
    ("YEARLY;COUNT=1000000;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR", None, "many"),
    ("MONTHLY;COUNT=3;BYDAY=MO;BYSETPOS=1;INTERVAL=9999", None, None),
]


def outcome(content, until=None):
    """Return the key of the refusal, or None; a thread guards against a hang, and does not measure speed."""
    told = []

    def work():
        try:
            read_calendar(content, until=until)
            told.append(None)
        except DataError as error:
            told.append(error.problems[0].key.removeprefix("tables.calendar_"))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(120)
    assert told, "still searching, or an error that is no DataError"
    return told[0]


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "until", "key"), HOSTILE)
def test_rules_without_measure_come_to_an_end(rule, until, key):
    lines = ("DTSTART:20250303T100000Z", "DURATION:PT1H", f"RRULE:FREQ={rule}")
    assert outcome(calendar(meeting(*lines)), until) == key


def test_the_limit_holds_for_the_whole_file(monkeypatch):
    monkeypatch.setattr(calendars, "MOST_ROWS", 10)
    first, rule = "DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT={}"
    assert len(read(*(meeting(first, rule.format(5), uid=uid) for uid in "ab")).rows) == 10
    twelve = [first, rule.format(12), "EXDATE:20250304T100000Z,20250305T100000Z"]
    assert len(read(meeting(*twelve)).rows) == 10
    for parts in (
        [meeting(first, rule.format(11))],
        [meeting(first, rule.format(13), *twelve[2:])],
        [meeting(first, rule.format(6), uid="a"), meeting(first, rule.format(5), uid="b")],
        [meeting(first, uid=str(number)) for number in range(11)],
    ):
        assert refusal(calendar(*parts))[0] == "many"
    assert len(read(meeting(first, rule.format(11)), until=date(2025, 3, 8)).rows) == 6


def test_titles_are_data():
    for title in ("=cmd|' /C calc'!A0", "{file}", "a\\nb", "\N{RIGHT-TO-LEFT OVERRIDE}gpj"):
        events = read(meeting("DTSTART:20250303T100000Z", title=title))
        assert column(events, "title") == [title.replace("\\n", "\n")]
        broken = meeting("DTSTART:20250303T100000Z", f"SUMMARY:{title}", title=title)
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in refusal(calendar(broken))[1]


@quick
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 30))
def test_whatever_comes_is_read_or_refused(junk, place, length):
    content = calendar(MONDAYS)
    broken = content[:place] + junk + content[place + length :]
    with contextlib.suppress(DataError):
        events = read_calendar(broken, until=date(2025, 12, 31))
        assert all(len(row) == len(HEADER) for row in events.rows)


@quick
@given(st.permutations(MONDAYS.strip().replace("END:VEVENT\n", "END:VEVENT\n\n").split("\n\n")))
def test_the_order_of_the_file_does_not_matter(parts):
    assert read(*parts) == read(MONDAYS)


minutes = st.integers(0, 600)
spans = st.lists(st.tuples(minutes, st.integers(0, 90)), max_size=25)


@pytest.mark.slow
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spans)
def test_counted_hours_are_those_of_the_union(tmp_path, pairs):
    """Over the change of clocks, against a count minute by minute."""
    zero = datetime.datetime(2025, 3, 29, 22, tzinfo=UTC)
    written = "".join(
        f"BEGIN:VEVENT\nUID:{place}\nDTSTART:{zero + timedelta(minutes=start):%Y%m%dT%H%M%SZ}\n"
        f"DURATION:PT{length}M\nEND:VEVENT\n"
        for place, (start, length) in enumerate(pairs)
    )
    path = tmp_path / "team.ics"
    path.write_text(f"BEGIN:VCALENDAR\n{written}END:VCALENDAR\n", encoding="utf-8")
    frame, reading = read_export(path)
    union = {minute for start, length in pairs for minute in range(start, start + length)}
    assert frame["counted_hours"].sum() == pytest.approx(len(union) / 60)
    assert frame["hours"].sum() == pytest.approx(sum(length for _, length in pairs) / 60)
    assert (frame["counted_hours"] <= frame["hours"] + 1e-9).all()
    overlap = sum(length for _, length in pairs) > len(union)
    assert overlap == any(one.key == "tables.decided_overlap" for one in reading.decisions)


def test_every_message_is_told_in_both_languages(monkeypatch):
    monkeypatch.setattr(calendars, "MOST_ROWS", 10)
    said = {}
    daily = "RRULE:FREQ=DAILY"
    for content in (
        b"x",
        calendar(MONDAYS)[:200],
        calendar(meeting("DTSTART:x")),
        calendar(meeting("DTSTART:20250303T100000Z", daily)),
        calendar(meeting("DTSTART:20250303T100000Z", f"{daily};COUNT=1000000")),
    ):
        key, english = refusal(content)
        said[key] = (english, refusal(content, language="fr")[1])
    assert len(said) == 5
    assert all(english != french for english, french in said.values())
    assert len(set(itertools.chain(*said.values()))) == 10
