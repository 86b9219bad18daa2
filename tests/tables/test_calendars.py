"""Calendars against RFC 5545's printed dates, dateutil's rules, changes of clocks by hand, and broken files."""

import contextlib
import datetime
import doctest
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
from opslab.tables import Answers, read_export, recurrence
from opslab.tables import calendars as module
from opslab.tables.calendars import HEADER, calendar_rows
from opslab.tables.source import Opening

quick = settings(deadline=None, max_examples=40)

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


def read_calendar(content, *, file, until=None):
    """Return what a file gives: its rows, zones, counts and encoding."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, file)
        path.write_bytes(content)
        rows = calendar_rows(Opening(None, file, Answers(until=until), path.parent, True, path))
        told = {decision.key: decision.values for decision in rows.decisions}
        return SimpleNamespace(
            rows=tuple(row for _, row in rows.rows),
            zones=tuple(told.get("tables.decided_zones", {}).get("zones", ())),
            counts=told.get("tables.decided_series", Counter()),
            encoding=rows.encoding,
        )


def calendar(*parts, head=""):
    lines = (
        f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{head}\n"
        + "\n".join(parts)
        + "\nEND:VCALENDAR\n"
    )
    return re.sub("\n+", "\r\n", lines).encode()


def meeting(*lines, uid="a@example.test", title="Stand-up"):
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", *lines, "END:VEVENT"])


def read(*parts, until=None, head=""):
    return read_calendar(calendar(*parts, head=head), file="team.ics", until=until)


def column(events, name):
    return [row[HEADER.index(name)] for row in events.rows]


def starts(*lines, until=None):
    return column(read(meeting(*lines), until=until), "started_at")


def refusal(content, *, until=None, language="en"):
    with pytest.raises(DataError) as caught:
        read_calendar(content, file="team.ics", until=until)
    said = caught.value.text(language)
    assert said.startswith("team.ics")
    assert "\n" not in said
    return caught.value.problems[0].key.removeprefix("tables.calendar_"), said


def hours(events):
    ends, begins = (
        [datetime.datetime.fromisoformat(text) for text in column(events, name)]
        for name in ("ended_at", "started_at")
    )
    return [(end - begin) / timedelta(hours=1) for begin, end in zip(begins, ends, strict=True)]


def test_examples_run():
    assert doctest.testmod(module).failed == 0


def test_a_calendar():
    events = read(MONDAYS)
    series = [row for row in events.rows if row[0] == "weekly@example.test"]
    assert [row[2:4] for row in series] == [
        ("2025-03-03T10:00:00+01:00", "2025-03-03T11:00:00+01:00"),
        ("2025-03-10T10:00:00+01:00", "2025-03-10T11:00:00+01:00"),
        ("2025-03-24T10:00:00+01:00", "2025-03-24T11:00:00+01:00"),
        ("2025-03-31T14:00:00+02:00", "2025-03-31T15:30:00+02:00"),
        ("2025-04-07T10:00:00+02:00", "2025-04-07T11:00:00+02:00"),
        ("2025-04-14T10:00:00+02:00", "2025-04-14T11:00:00+02:00"),
        ("2025-04-21T10:00:00+02:00", "2025-04-21T11:00:00+02:00"),
    ]
    assert [row[1] for row in series] == ["Roadmap"] * 3 + ["Roadmap (moved)"] + ["Roadmap"] * 3
    assert series[0][4:] == (
        "false",
        "CONFIRMED",
        "true",
        "true",
        "Room 4",
        "ann@example.test",
        "2",
    )
    others = [row for row in events.rows if row not in series]
    assert others == [
        (
            "leave@example.test",
            "Leave",
            "2025-03-10",
            "2025-03-11",
            "true",
            "CONFIRMED",
            "false",
            "false",
            "",
            "",
            "",
        ),
        (
            "off@example.test",
            "Called off",
            "2025-03-12T09:00:00+00:00",
            "2025-03-12T10:00:00+00:00",
            "false",
            "CANCELLED",
            "true",
            "false",
            "",
            "",
            "",
        ),
    ]
    assert events.zones == ("Europe/Paris", "UTC")
    assert (
        events.counts["series"],
        events.counts["moved"],
        events.counts["excluded"],
        events.counts["open_ended"],
    ) == (1, 1, 1, 0)
    assert events.encoding == "utf-8"
    assert all(len(row) == len(HEADER) == 11 for row in events.rows)
    assert column(events, "started_at")[:2] == ["2025-03-03T10:00:00+01:00", "2025-03-10"]


# The examples of RFC 5545, section 3.8.5.3, with the dates that it prints; all start at 9:00 in New York.
NEW_YORK = "DTSTART;TZID=America/New_York:{}T090000"
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
    found = starts(NEW_YORK.format(first), f"RRULE:{rule}")
    assert [text[:10] for text in found] == printed
    assert {text[10:19] for text in found} == {"T09:00:00"}
    # EDT ends on the last Sunday of October in these years, and begins on the first of April (until 2006).
    for text in found:
        summer = (
            datetime.datetime.fromisoformat(text[:19])
            .replace(tzinfo=ZoneInfo("America/New_York"))
            .dst()
        )
        assert text.endswith("-04:00" if summer else "-05:00")


@pytest.mark.parametrize("rule", ["HOURLY;INTERVAL=3", "MINUTELY;COUNT=2", "SECONDLY;COUNT=2"])
def test_what_repeats_within_a_day_is_refused(rule):
    key, said = refusal(calendar(meeting("DTSTART:20250303T100000Z", f"RRULE:FREQ={rule}")))
    assert key == "unreadable"
    assert rule in said


def test_every_twenty_minutes_of_a_day_as_the_rfc_prints_it():
    rule = "RRULE:FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40"
    first = starts(NEW_YORK.format("19970902"), rule, until=date(1997, 9, 3))
    assert len(first) == 2 * 24
    assert (first[0][11:16], first[1][11:16], first[23][11:16]) == ("09:00", "09:20", "16:40")


def test_friday_the_thirteenth_without_the_first_day():
    # Section 3.8.5.3 again; its DTSTART is taken out by an EXDATE.
    events = read(
        meeting(
            NEW_YORK.format("19970902"),
            "EXDATE;TZID=America/New_York:19970902T090000",
            "RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        ),
        until=date(2000, 12, 31),
    )
    assert [text[:10] for text in column(events, "started_at")] == [
        *("1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13", "2000-10-13"),
    ]
    assert (events.counts["excluded"], events.counts["open_ended"]) == (1, 1)


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
    first = datetime.datetime.combine(day, datetime.time(hour))
    rule = f"FREQ={frequency};INTERVAL={interval};COUNT={count}" + (
        f";BYDAY={','.join(days)}" if days else ""
    )
    weekdays = [DAYS.index(day) for day in days] or None
    walls = {
        first,
        *rrule(FREQUENCIES[frequency], first, interval, count=count, byweekday=weekdays),
    }
    expected = [
        wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for wall in sorted(walls)
    ]  # a wall clock that the change skips is taken as before it (RFC 5545, section 3.3.5)
    events = read(
        meeting(f"DTSTART;TZID={zone}:{first:%Y%m%dT%H%M%S}", "DURATION:PT50M", f"RRULE:{rule}")
    )
    found = [datetime.datetime.fromisoformat(text) for text in column(events, "started_at")]
    assert found == expected
    assert hours(events) == pytest.approx([50 / 60] * len(expected))


def test_ten_o_clock_stays_ten_o_clock_in_paris():
    # Europe/Paris: +01:00 until 2025-03-30 01:00 UTC, +02:00 until 2025-10-26 01:00 UTC.
    for first, change in (("20250327", "2025-03-30"), ("20251023", "2025-10-26")):
        found = starts(
            f"DTSTART;TZID=Europe/Paris:{first}T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=6"
        )
        before, after = ("+01:00", "+02:00") if change < "2025-06" else ("+02:00", "+01:00")
        assert found == [
            f"{text[:10]}T10:00:00{after if text[:10] >= change else before}" for text in found
        ]
        assert change in {text[:10] for text in found}
        assert len(found) == 6


def test_a_series_in_utc_stays_in_utc_whatever_the_calendar_prefers():
    events = read(
        meeting("DTSTART:20250324T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2"),
        head="X-WR-TIMEZONE:Europe/Paris",
    )
    assert column(events, "started_at") == [
        "2025-03-24T09:00:00+00:00",
        "2025-03-31T09:00:00+00:00",
    ]


def test_a_night_keeps_its_exact_length():
    # RFC 5545, 3.8.5.3: a DTEND gives every occurrence the same exact duration: eight hours, also in the night
    # of 23 or 25 hours. America/New_York changes at 2:00 on 2025-03-09 and 2025-11-02.
    for first, ends in (
        ("20250307", ["06:00", "07:00", "06:00"]),
        ("20251031", ["06:00", "05:00", "06:00"]),
    ):
        last = f"{int(first) + 1}" if first == "20250307" else "20251101"
        events = read(
            meeting(
                f"DTSTART;TZID=America/New_York:{first}T220000",
                f"DTEND;TZID=America/New_York:{last}T060000",
                "RRULE:FREQ=DAILY;COUNT=3",
            )
        )
        assert hours(events) == [8, 8, 8]
        assert [text[11:16] for text in column(events, "ended_at")] == ends


def test_a_meeting_over_the_change_of_clocks_has_the_hours_that_pass():
    events = read(
        meeting(
            "DTSTART;TZID=Europe/Paris:20250329T220000", "DTEND;TZID=Europe/Paris:20250330T060000"
        )
    )
    assert hours(events) == [7]
    events = read(
        meeting(
            "DTSTART;TZID=Europe/Paris:20251025T220000", "DTEND;TZID=Europe/Paris:20251026T060000"
        )
    )
    assert hours(events) == [9]


def test_an_hour_that_the_clocks_skip_or_repeat():
    # RFC 5545, 3.3.5: a skipped time is read with the offset before, a repeated one is the first of the two.
    assert starts("DTSTART;TZID=Europe/Paris:20250323T023000", "RRULE:FREQ=WEEKLY;COUNT=3") == [
        "2025-03-23T02:30:00+01:00",
        "2025-03-30T03:30:00+02:00",
        "2025-04-06T02:30:00+02:00",
    ]
    assert starts("DTSTART;TZID=America/New_York:20251102T013000") == ["2025-11-02T01:30:00-04:00"]


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize(
    ("zone", "iana"),
    [("Romance Standard Time", "Europe/Paris"), ("W. Europe Standard Time", "Europe/Berlin")],
)
def test_zones_of_outlook(zone, iana, defined):
    events = read(
        ROMANCE.format(zone=zone) if defined else "",
        meeting(
            f"DTSTART;TZID={zone}:20250324T100000",
            f"DTEND;TZID={zone}:20250324T110000",
            "RRULE:FREQ=WEEKLY;COUNT=2",
        ),
    )
    assert column(events, "started_at") == [
        "2025-03-24T10:00:00+01:00",
        "2025-03-31T10:00:00+02:00",
    ]
    assert hours(events) == [1, 1]
    assert events.zones == ((zone,) if defined else (iana,))


def test_a_zone_is_the_one_of_its_own_file():
    first = ROMANCE.format(zone="Ours")
    second = first.replace("+0100", "-0500").replace("+0200", "-0400")
    body = meeting('DTSTART;TZID="Ours":20250115T100000')
    assert column(read(first, body), "started_at") == ["2025-01-15T10:00:00+01:00"]
    assert column(read(second, body), "started_at") == ["2025-01-15T10:00:00-05:00"]
    assert refusal(calendar(body))[0] == "zone"


def test_each_calendar_of_a_file_has_zones_of_its_own():
    zone = ROMANCE.format(zone="Ours")
    other = zone.replace("+0100", "-0500").replace("+0200", "-0400")
    body = "DTSTART;TZID=Ours:20250115T100000"
    content = calendar(zone, meeting(body, uid="a")) + calendar(other, meeting(body, uid="b"))
    assert column(read_calendar(content, file="team.ics"), "started_at") == [
        *("2025-01-15T10:00:00+01:00", "2025-01-15T10:00:00-05:00"),
    ]


def test_a_zone_may_be_defined_after_its_use():
    events = read(meeting("DTSTART;TZID=Ours:20250615T100000"), ROMANCE.format(zone="Ours"))
    assert column(events, "started_at") == ["2025-06-15T10:00:00+02:00"]


def test_a_zone_with_a_vendor_before_it():
    events = read(meeting("DTSTART;TZID=/citadel.org/20210210_1/Europe/Paris:20250615T100000"))
    assert column(events, "started_at") == ["2025-06-15T10:00:00+02:00"]
    assert events.zones == ("Europe/Paris",)


@pytest.mark.parametrize("name", ["DTSTART", "DTEND", "EXDATE", "RDATE", "RECURRENCE-ID"])
def test_a_zone_that_nobody_knows(name):
    lines = {
        "DTSTART": ":20250303T100000",
        "DTEND": ":20250303T110000",
        name: ";TZID=Mars/Base:20250303T110000",
    }
    key, said = refusal(calendar(meeting(*(part + value for part, value in lines.items()))))
    assert key == "zone"
    assert "Mars/Base" in said
    assert "Stand-up" in said
    assert "line 4" in said


def test_a_folder_of_zones_is_no_zone():
    key, said = refusal(calendar(meeting("DTSTART;TZID=Europe:20250303T100000")))
    assert key == "unreadable"
    assert "Europe" in said
    assert "site-packages" not in said


def test_a_utc_time_in_a_zone_is_in_utc():
    # RFC 5545, 3.2.19: TZID must not be applied to times in UTC; the instant is what the Z says.
    events = read(
        meeting(
            "DTSTART;TZID=Europe/Paris:20250303T100000Z",
            "DTEND;X-A=b;TZID=Europe/Paris:20250303T110000Z",
        )
    )
    assert [row[2:4] for row in events.rows] == [
        ("2025-03-03T10:00:00+00:00", "2025-03-03T11:00:00+00:00")
    ]


def test_floating_times_have_no_offset():
    events = read(
        meeting(
            "DTSTART:20250329T100000",
            "DTEND:20250329T110000",
            "RRULE:FREQ=DAILY;UNTIL=20250331T100000",
        )
    )
    assert column(events, "started_at") == [f"2025-03-{day}T10:00:00" for day in (29, 30, 31)]
    assert column(events, "ended_at") == [f"2025-03-{day}T11:00:00" for day in (29, 30, 31)]
    assert events.zones == ("floating",)


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        (
            ["DTSTART;TZID=Europe/Paris:20250303T100000", "DURATION:PT1H30M"],
            "2025-03-03T10:00:00+01:00",
            "2025-03-03T11:30:00+01:00",
        ),
        (
            ["DTSTART;TZID=Europe/Paris:20250303T100000"],
            "2025-03-03T10:00:00+01:00",
            "2025-03-03T10:00:00+01:00",
        ),
        (["DTSTART;VALUE=DATE:20250303"], "2025-03-03", "2025-03-04"),
        (["DTSTART;VALUE=DATE:20250303", "DTEND;VALUE=DATE:20250303"], "2025-03-03", "2025-03-04"),
        (["DTSTART;VALUE=DATE:20250303", "DURATION:P3D"], "2025-03-03", "2025-03-06"),
        (["DTSTART;VALUE=DATE;TZID=Europe/Paris:20250303"], "2025-03-03", "2025-03-04"),
        (
            ["DTSTART;TZID=Europe/Paris:20250303T100000", "DTEND:20250303T100000Z"],
            "2025-03-03T10:00:00+01:00",
            "2025-03-03T11:00:00+01:00",
        ),
        (
            [
                "dtstart;tzid=Europe/Paris:20250303T100000",
                "dtend;tzid=Europe/Paris:20250303T110000",
            ],
            "2025-03-03T10:00:00+01:00",
            "2025-03-03T11:00:00+01:00",
        ),
    ],
)
def test_ends(lines, start, end):
    events = read(meeting(*lines))
    assert [row[2:4] for row in events.rows] == [(start, end)]
    assert column(events, "all_day") == ["true" if len(start) == 10 else "false"]


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART:20250303T100000Z", "DTEND:20250303T090000Z"],
        ["DTSTART;TZID=Europe/Paris:20250303T100000", "DTEND:20250303T083000Z"],
        ["DTSTART;VALUE=DATE:20250303", "DTEND;VALUE=DATE:20250301"],
        ["DTSTART:20250303T100000Z", "DURATION:-PT1H"],
        ["DTSTART:20250303T100000Z", "DTEND;VALUE=DATE:20250304"],
        ["DTSTART:20250303T100000Z", "DTEND:20250303T110000"],
    ],
)
def test_an_end_that_cannot_be(lines):
    key, said = refusal(calendar(meeting(*lines)))
    assert key == ("unreadable" if lines[1] == "DTEND;VALUE=DATE:20250304" else "times")
    assert "line 4" in said


@pytest.mark.parametrize(
    ("lines", "status", "busy"),
    [
        ([], "CONFIRMED", "true"),
        (["STATUS:TENTATIVE"], "TENTATIVE", "true"),
        (["STATUS:cancelled"], "CANCELLED", "true"),
        (["STATUS:X-OTHER"], "CONFIRMED", "true"),
        (["TRANSP:OPAQUE"], "CONFIRMED", "true"),
        (["TRANSP:TRANSPARENT"], "CONFIRMED", "false"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], "CONFIRMED", "false"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"], "CONFIRMED", "true"),
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
    long = "A title that is much too long to be told in one line of a message"
    content = calendar(
        meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=WEEKLY;COUNT=2", uid="a", title="Finite"),
        meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=WEEKLY", uid="b", title=long),
        meeting(
            "DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=-1", uid="c", title="Outlook's"
        ),
    )
    key, said = refusal(content)
    assert key == "endless"
    assert "2 series have no end" in said
    assert "A title that is much too long to be tol…" in said
    assert "until: 2025-12-31" in said
    assert "2 séries n'ont pas de fin" in refusal(content, language="fr")[1]
    assert read_calendar(content, file="team.ics", until=date(2025, 3, 9)).counts["open_ended"] == 2


@pytest.mark.parametrize(
    ("last", "days"),
    [
        ("20250305T090000Z", [3, 4, 5]),  # 10:00 in Paris is 9:00 UTC: the last day counts
        ("20250305T085959Z", [3, 4]),
        ("20250305T100000", [3, 4, 5]),  # not as the RFC has it: taken as a time in Paris
        ("20250305T095959", [3, 4]),
        ("20250305", [3, 4, 5]),  # nor this: a day, to its end
    ],
)
def test_the_last_day_of_a_rule(last, days):
    found = starts("DTSTART;TZID=Europe/Paris:20250303T100000", f"RRULE:FREQ=DAILY;UNTIL={last}")
    assert found == [f"2025-03-0{day}T10:00:00+01:00" for day in days]


def test_a_last_day_counts_to_its_end():
    found = starts(
        "DTSTART;TZID=Europe/Paris:20250303T100000", "RRULE:FREQ=DAILY;BYHOUR=10,23;UNTIL=20250304"
    )
    assert [text[5:16] for text in found] == [
        "03-03T10:00",
        "03-03T23:00",
        "03-04T10:00",
        "03-04T23:00",
    ]


def test_an_until_without_a_zone_west_of_greenwich():
    # Read as UTC it would lose the last one.
    found = starts(
        "DTSTART;TZID=America/New_York:20250303T100000", "RRULE:FREQ=DAILY;UNTIL=20250305T100000"
    )
    assert [text[:10] for text in found] == ["2025-03-03", "2025-03-04", "2025-03-05"]


def test_exceptions_hit_the_one_hour_they_name():
    # 9:00, 10:00 and 11:00 in Paris, in winter: 10:00 is 9:00 UTC, and 11:00 is 10:00 UTC.
    rule = [
        "DTSTART;TZID=Europe/Paris:20250106T090000",
        "DURATION:PT30M",
        "RRULE:FREQ=DAILY;BYHOUR=9,10,11;COUNT=3",
    ]
    events = read(meeting(*rule, "EXDATE;TZID=Europe/Paris:20250106T100000"))
    assert [text[11:16] for text in column(events, "started_at")] == ["09:00", "11:00"]
    assert events.counts["excluded"] == 1
    events = read(
        meeting(*rule),
        meeting(
            "RECURRENCE-ID:20250106T090000Z", "DTSTART:20250106T150000Z", "DTEND:20250106T160000Z"
        ),
    )
    assert column(events, "started_at") == [
        *("2025-01-06T09:00:00+01:00", "2025-01-06T11:00:00+01:00", "2025-01-06T15:00:00+00:00"),
    ]
    assert events.counts["moved"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;VALUE=DATE:20250304",
        "EXDATE;TZID=Europe/Paris:20250304T100000",
        "EXDATE:20250304T090000Z",
        "EXDATE;TZID=America/New_York:20250304T040000",
        "EXDATE:20250304T100000",
        "EXDATE:20250304T090000Z,20990101T090000Z",
    ],
)
def test_exdates_of_every_kind(line):
    events = read(
        meeting("DTSTART;TZID=Europe/Paris:20250303T100000", "RRULE:FREQ=DAILY;COUNT=3", line)
    )
    assert [text[:10] for text in column(events, "started_at")] == ["2025-03-03", "2025-03-05"]
    assert events.counts["excluded"] == 1


def test_exdates_of_a_day_and_of_a_floating_time():
    events = read(
        meeting(
            "DTSTART;VALUE=DATE:20250303",
            "RRULE:FREQ=DAILY;COUNT=3",
            "EXDATE;TZID=Europe/Paris:20250304T000000",
        )
    )
    assert column(events, "started_at") == ["2025-03-03", "2025-03-05"]
    events = read(
        meeting(
            "DTSTART:20250303T100000",
            "RRULE:FREQ=DAILY;COUNT=3",
            "EXDATE;TZID=Europe/Paris:20250304T100000",
        )
    )
    assert column(events, "started_at") == ["2025-03-03T10:00:00", "2025-03-05T10:00:00"]


def test_rdates():
    lines = [
        "DTSTART;TZID=Europe/Paris:20250303T100000",
        "DTEND;TZID=Europe/Paris:20250303T110000",
        "RDATE:20250610T080000Z",
    ]
    events = read(meeting(*lines))
    assert column(events, "started_at") == [
        *("2025-03-03T10:00:00+01:00", "2025-06-10T10:00:00+02:00"),
    ]
    assert hours(events) == [1, 1]
    assert column(events, "recurring") == ["true"] * 2
    assert events.counts["series"] == 1
    period = "RDATE;VALUE=PERIOD:20250701T080000Z/PT3H"
    assert refusal(calendar(meeting(*lines[:2], period)))[0] == "field"


WEEKS = [
    "DTSTART;TZID=Europe/Paris:20250303T100000",
    "DTEND;TZID=Europe/Paris:20250303T110000",
    "RRULE:FREQ=WEEKLY;COUNT=5",
]


def test_this_and_all_that_follow():
    # RFC 5545, 3.8.4.4: what follows moves by the same difference, and takes the length of the changed one.
    events = read(
        meeting(*WEEKS),
        meeting(
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20250317T100000",
            "DTSTART;TZID=Europe/Paris:20250318T140000",
            "DTEND;TZID=Europe/Paris:20250318T143000",
            title="Later",
        ),
        meeting(
            "RECURRENCE-ID;TZID=Europe/Paris:20250324T100000",
            "DTSTART;TZID=Europe/Paris:20250324T080000",
            title="Once",
        ),
    )
    assert [row[1:3] for row in events.rows] == [
        ("Stand-up", "2025-03-03T10:00:00+01:00"),
        ("Stand-up", "2025-03-10T10:00:00+01:00"),
        ("Later", "2025-03-18T14:00:00+01:00"),
        ("Once", "2025-03-24T08:00:00+01:00"),
        ("Later", "2025-04-01T14:00:00+02:00"),
    ]
    assert hours(events) == [1, 1, 0.5, 0, 0.5]
    assert events.counts["moved"] == 3


def test_all_that_follow_from_the_first_on():
    events = read(
        meeting(*WEEKS),
        meeting(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20250303T090000Z",
            "DTSTART;TZID=Europe/Paris:20250302T090000",
            "DURATION:PT2H",
        ),
        until=date(2025, 3, 23),
    )
    assert column(events, "started_at") == [
        f"2025-03-{day}T09:00:00+01:00" for day in ("02", "09", "16", "23")
    ]
    assert hours(events) == [2] * 4


def test_all_that_follow_by_days_and_by_years():
    days = meeting("DTSTART;VALUE=DATE:20250303", "RRULE:FREQ=WEEKLY;COUNT=4")
    change = "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20250317"
    events = read(
        days,
        meeting(change, "DTSTART;VALUE=DATE:20250318", "DTEND;VALUE=DATE:20250320", title="Longer"),
    )
    assert [row[1:4] for row in events.rows] == [
        *(("Stand-up", "2025-03-03", "2025-03-04"), ("Stand-up", "2025-03-10", "2025-03-11")),
        *(("Longer", "2025-03-18", "2025-03-20"), ("Longer", "2025-03-25", "2025-03-27")),
    ]
    for year in (2023, 2028):
        events = read(days, meeting(change, f"DTSTART;VALUE=DATE:{year}0317"))
        shift = date(year, 3, 17) - date(2025, 3, 17)
        moved = [date(2025, 3, 17) + shift, date(2025, 3, 24) + shift]
        assert sorted(column(events, "started_at")) == sorted(
            map(str, [date(2025, 3, 3), date(2025, 3, 10), *moved])
        )
    endless = meeting("DTSTART;VALUE=DATE:20250303", "RRULE:FREQ=WEEKLY")
    events = read(endless, meeting(change, "DTSTART;VALUE=DATE:20230320"), until=date(2023, 4, 2))
    assert column(events, "started_at") == ["2023-03-20", "2023-03-27"]


def test_a_range_that_could_only_be_guessed_is_refused():
    change = ["RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20250317T100000"]
    for lines in (
        ["DTSTART;TZID=Europe/Paris:20250317T110000", "RRULE:FREQ=DAILY;COUNT=3"],
        ["DTSTART;VALUE=DATE:20250317"],
    ):
        key, said = refusal(calendar(meeting(*WEEKS), meeting(*change, *lines)))
        assert key == "rule"
        assert "THISANDFUTURE" in said
    prior = "RECURRENCE-ID;RANGE=THISANDPRIOR;TZID=Europe/Paris:20250317T100000"  # of RFC 2445
    assert "THISANDPRIOR" in refusal(calendar(meeting(*WEEKS), meeting(prior, WEEKS[0])))[1]


def test_a_change_without_its_series():
    events = read(
        meeting("RECURRENCE-ID:20250303T100000Z", "DTSTART:20250303T110000Z", "DURATION:PT1H")
    )
    assert [row[2] for row in events.rows] == ["2025-03-03T11:00:00+00:00"]
    assert column(events, "recurring") == ["true"]
    assert (events.counts["series"], events.counts["moved"]) == (0, 0)


def test_a_change_without_its_series_does_not_repeat():
    events = read(
        meeting("RECURRENCE-ID:20250303T100000Z", "DTSTART:20250303T110000Z", "RRULE:FREQ=DAILY")
    )
    assert [row[2] for row in events.rows] == ["2025-03-03T11:00:00+00:00"]
    assert (events.counts["series"], events.counts["open_ended"]) == (0, 0)


def test_a_change_of_what_is_excluded_is_excluded():
    change = meeting("RECURRENCE-ID:20250310T090000Z", "DTSTART:20250310T140000Z")
    events = read(meeting(*WEEKS, "EXDATE:20250310T090000Z"), change)
    assert [text[:10] for text in column(events, "started_at")] == [
        *("2025-03-03", "2025-03-17", "2025-03-24", "2025-03-31"),
    ]
    assert (events.counts["moved"], events.counts["excluded"]) == (0, 1)


def test_rows_of_one_time_have_one_order():
    changes = [
        meeting(f"RECURRENCE-ID:202503{day}T090000Z", "DTSTART:20250401T140000Z", title=title)
        for day, title in (("10", "c"), ("17", "a"), ("24", "b"))
    ]
    assert column(read(meeting(*WEEKS), *changes), "title") == [
        "Stand-up",
        "Stand-up",
        "a",
        "b",
        "c",
    ]


def test_a_change_of_no_occurrence_is_a_meeting_all_the_same():
    events = read(
        meeting(*WEEKS), meeting("RECURRENCE-ID:20250304T090000Z", "DTSTART:20250304T110000Z")
    )
    assert len(events.rows) == 6
    assert events.counts["moved"] == 0


def test_one_occurrence_cancelled_or_made_a_day():
    events = read(
        meeting(*WEEKS),
        meeting(
            "RECURRENCE-ID:20250310T090000Z",
            "DTSTART:20250310T090000Z",
            "DURATION:PT1H",
            "STATUS:CANCELLED",
        ),
        meeting("RECURRENCE-ID:20250317T090000Z", "DTSTART;VALUE=DATE:20250318"),
        meeting("RECURRENCE-ID;VALUE=DATE:20250324", "DTSTART:20250324T140000Z"),
    )
    assert column(events, "status") == [
        "CONFIRMED",
        "CANCELLED",
        "CONFIRMED",
        "CONFIRMED",
        "CONFIRMED",
    ]
    assert column(events, "started_at") == [
        *("2025-03-03T10:00:00+01:00", "2025-03-10T09:00:00+00:00", "2025-03-18"),
        *("2025-03-24T14:00:00+00:00", "2025-03-31T10:00:00+02:00"),
    ]


def test_a_rule_copied_into_a_change_says_nothing():
    events = read(
        meeting(*WEEKS),
        meeting("RECURRENCE-ID:20250310T090000Z", "DTSTART:20250310T140000Z", WEEKS[2]),
    )
    assert len(events.rows) == 5


def test_a_change_moved_before_or_after_the_last_day():
    lines = ["RECURRENCE-ID:20250324T090000Z", "DTSTART:20250306T140000Z"]
    events = read(meeting(*WEEKS), meeting(*lines), until=date(2025, 3, 10))
    assert [text[:10] for text in column(events, "started_at")] == [
        "2025-03-03",
        "2025-03-06",
        "2025-03-10",
    ]
    lines = ["RECURRENCE-ID:20250310T090000Z", "DTSTART:20250320T140000Z"]
    events = read(meeting(*WEEKS), meeting(*lines), until=date(2025, 3, 17))
    assert [text[:10] for text in column(events, "started_at")] == ["2025-03-03", "2025-03-17"]


def test_the_last_revision_counts():
    newer = meeting("DTSTART:20250303T150000Z", "SEQUENCE:2", title="New")
    older = meeting("DTSTART:20250303T100000Z", "SEQUENCE:1", title="Old")
    for parts in ((newer, older), (older, newer)):
        assert column(read(*parts), "title") == ["New"]


def test_two_meetings_of_one_uid_both_stay_and_a_copy_does_not():
    one, other = meeting("DTSTART:20250303T150000Z"), meeting("DTSTART:20250304T150000Z")
    assert [text[:10] for text in column(read(one, other, one), "started_at")] == [
        "2025-03-03",
        "2025-03-04",
    ]
    third = meeting("DTSTART:20250303T150000Z", title="Retro")
    assert column(read(one, third), "title") == ["Retro", "Stand-up"]


def test_meetings_without_a_uid():
    nameless = meeting("DTSTART:20250303T150000Z").replace("UID:a@example.test\n", "")
    assert column(read(nameless, nameless), "uid") == ["", ""]


def test_several_calendars_in_one_file():
    content = calendar(meeting("DTSTART:20250303T100000Z", uid="a")) + calendar(
        meeting("DTSTART:20250302T100000Z", uid="b")
    )
    events = read_calendar(content, file="team.ics")
    assert column(events, "uid") == ["b", "a"]


def test_a_message_that_takes_a_meeting_back_is_refused():
    request = calendar(meeting(*WEEKS, "SEQUENCE:0"), head="METHOD:REQUEST")
    whole = calendar(meeting("DTSTART:20250303T090000Z", "SEQUENCE:1"), head="METHOD:CANCEL")
    assert column(read_calendar(request, file="team.ics"), "status") == ["CONFIRMED"] * 5
    for content in (whole, request + whole, whole + request):
        key, said = refusal(content)
        assert (key, "METHOD:CANCEL" in said) == ("unreadable", True)


def test_everything_else_in_a_file_is_passed_over():
    other = """
BEGIN:VTODO
UID:todo
DTSTART:nonsense
RRULE:FREQ=SECONDLY
END:VTODO
BEGIN:VFREEBUSY
FREEBUSY:19970308T160000Z/PT3H
END:VFREEBUSY
BEGIN:X-UNHEARD-OF
BEGIN:VEVENT
DTSTART:20250101T100000Z
END:VEVENT
END:X-UNHEARD-OF"""
    alarm = "BEGIN:VALARM\nTRIGGER:nonsense\nDTSTART:nonsense\nEND:VALARM"
    junk = 'ATTENDEE;CN=A"B:mailto:b@example.test\nATTENDEE:mailto:c@example.test\na line that a mailer broke off\nCREATED:never\nGEO:nowhere\nX-ALT-DESC;FMTTYPE'
    events = read(other, meeting("DTSTART:20250303T100000Z", junk, alarm))
    assert [row[2] for row in events.rows] == ["2025-03-03T10:00:00+00:00"]
    assert column(events, "attendees") == ["1"]


@pytest.mark.parametrize(
    "content",
    [calendar(), calendar(ROMANCE.format(zone="Ours")), b"BEGIN:VCALENDAR\nEND:VCALENDAR"],
)
def test_no_meetings(content):
    events = read_calendar(content, file="team.ics")
    assert (events.rows, events.zones, events.counts["series"]) == ((), (), 0)


TITLE = "Comité été, 10 €\\, à l'étage"


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_and_line_ends(encoding, ending):
    text = (
        calendar(meeting("DTSTART:20250303T100000Z", title=TITLE)).decode().replace("\r\n", ending)
    )
    events = read_calendar(text.encode(encoding), file="team.ics")
    assert column(events, "title") == ["Comité été, 10 €, à l'étage"]
    assert events.encoding == ("cp1252" if encoding == "cp1252" else "utf-8")


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
    events = read_calendar(folded, file="team.ics")
    assert [row[1:4] for row in events.rows] == [
        ("Comité été, 10 €, à l'étage", "2025-03-03T10:00:00+01:00", "2025-03-03T11:00:00+01:00")
    ]


def test_the_line_that_is_told_is_the_line_in_the_file():
    content = calendar(
        meeting("DTSTART:20250303T100000Z", "DESCRIPTION:one\n two\n three"),
        meeting("DTSTART:tomorrow", uid="b"),
    )
    line = content.split(b"\r\n").index(b"BEGIN:VEVENT", 6) + 1
    assert f"line {line}" in refusal(content)[1]
    assert content.split(b"\r\n")[line] == b"UID:b"


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
        (calendar(MONDAYS).replace(b"Leave", b"Le\0ve"), "none"),
        (b"BEGIN:VEVENT\nDTSTART:20250303T100000Z\nEND:VEVENT\n", "none"),
        (b"BEGIN:VCALENDAR", "cut"),
        (calendar(MONDAYS)[:200], "cut"),
        (calendar(MONDAYS).replace(b"END:VCALENDAR", b""), "cut"),
        (calendar(MONDAYS).replace(b"END:VEVENT", b"", 1), "cut"),
        (calendar(MONDAYS).replace(b"END:VEVENT", b"END:VTODO", 1), "cut"),
        (calendar(MONDAYS) + b"END:VCALENDAR\n", "cut"),
        (calendar(MONDAYS) + b"SUMMARY:left over\n", "cut"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 20_000, "cut"),
        (calendar(meeting("DTSTART:20250303T100000Z"), head="CALSCALE:HEBREW"), "unreadable"),
    ],
)
def test_not_a_calendar_or_not_all_of_it(content, key):
    assert refusal(content)[0] == key
    assert refusal(content, language="fr")[0] == key


def test_every_cut_of_a_calendar_is_told():
    content = calendar(MONDAYS)
    for length in range(0, len(content) - 4, 7):  # the last bytes are the line's end, and no loss
        assert refusal(content[:length])[0] in {
            "none",
            "cut",
            "unreadable",
        }  # the last within a rule


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ([], "unreadable"),
        (["DTEND:20250303T100000Z"], "unreadable"),
        (["DTSTART:tomorrow"], "field"),
        (["DTSTART:20250230T100000Z"], "field"),
        (["DTSTART:100000"], "unreadable"),
        (["DTSTART:PT1H"], "unreadable"),
        (["DTSTART 20250303T100000Z"], "field"),
        (["DTSTART:20250303T100000Z", "DTSTART:20250304T100000Z"], "unreadable"),
        (
            ["DTSTART:20250303T100000Z", "DTEND:20250303T110000Z", "DTEND:20250303T120000Z"],
            "unreadable",
        ),
        (["DTSTART:20250303T100000Z", "DURATION:an hour"], "field"),
        (["DTSTART:20250303T100000Z", "DURATION:P999999999W"], "field"),
        (["DTSTART:20250303T100000Z", "RECURRENCE-ID:then"], "field"),
        (["DTSTART:20250303T100000Z", "EXDATE:then"], "field"),
        (["DTSTART:20250303T100000Z", "SEQUENCE:one"], "field"),
        (["DTSTART:20250303T100000Z", "SEQUENCE:1", "SEQUENCE:2"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=SOMETIMES;COUNT=2"], "unreadable"),
        (["DTSTART:20250303T100000Z", "DURATION:PT1H", "DURATION:PT2H"], "unreadable"),
        (["DTSTART:99991231T230000Z", "DURATION:P2D"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE FREQ=DAILY"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=2=3"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:D1 #3"], "unreadable"),
        (
            [
                "DTSTART:20250303T100000Z",
                "RRULE:FREQ=DAILY;COUNT=3",
                "EXRULE:FREQ=DAILY;INTERVAL=2",
            ],
            "unreadable",
        ),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;UNTIL=100000"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:COUNT=3"], "rule"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=3;INTERVAL=0"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=3;BYHOUR=25"], "rule"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=3;BYWHIM=1"], "rule"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=YEARLY;COUNT=3;RSCALE=CHINESE"], "unreadable"),
        (["DTSTART:20250303T100000Z", "RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=0MO"], "rule"),
    ],
)
def test_a_meeting_that_cannot_be_read(lines, key):
    found, said = refusal(calendar(meeting(*lines)))
    assert found == key
    assert "line " in said
    assert "Stand-up" in said or key == "unreadable"


@pytest.mark.parametrize(
    "content",
    [
        ROMANCE.format(zone="Ours").replace("FREQ=YEARLY", "FREQ=SECONDLY"),
        ROMANCE.format(zone="Ours").replace("INTERVAL=1", "INTERVAL=0"),
        ROMANCE.format(zone="Ours").replace("INTERVAL=1", "BYSECOND=1"),
        ROMANCE.format(zone="Ours").replace("TZOFFSETFROM:+0100", ""),
        "BEGIN:VTIMEZONE\nTZID:Ours\nEND:VTIMEZONE",
    ],
)
def test_a_zone_that_cannot_be_read(content):
    assert outcome(calendar(content, meeting("DTSTART;TZID=Ours:20250303T100000"))) == "unreadable"


HOSTILE = [
    ("RRULE:FREQ=SECONDLY", date(2025, 12, 31), "unreadable"),
    ("RRULE:FREQ=SECONDLY;COUNT=1000000000", None, "unreadable"),
    ("RRULE:FREQ=MINUTELY;COUNT=3;BYHOUR=3;BYMONTHDAY=29;BYMONTH=2", None, "unreadable"),
    ("RRULE:FREQ=DAILY;COUNT=1000000", None, "many"),
    ("RRULE:FREQ=DAILY;UNTIL=99991231T000000Z", None, "many"),
    ("RRULE:FREQ=YEARLY;UNTIL=99991231T000000Z", None, None),
    ("RRULE:FREQ=YEARLY;INTERVAL=100;COUNT=3", None, None),
    ("RRULE:FREQ=YEARLY;INTERVAL=100", date(9999, 12, 31), None),
    (
        "RRULE:FREQ=YEARLY;COUNT=1000000;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=1,2,3,4;BYHOUR=1,2,3,4;BYMINUTE=1,2,3",
        None,
        "many",
    ),
    # Rules that no day meets: a search would look at every one up to the year 9999.
    ("RRULE:FREQ=YEARLY;COUNT=3;BYMONTH=2;BYMONTHDAY=30", None, "rule"),
    ("RRULE:FREQ=DAILY;COUNT=3;BYMONTH=2;BYMONTHDAY=30", None, "rule"),
    ("RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=MO;BYSETPOS=6", None, "rule"),
    (
        "RRULE:FREQ=DAILY;COUNT=3;BYSETPOS=" + ",".join(str(place) for place in range(2, 367)),
        None,
        "unreadable",
    ),
    ("RRULE:FREQ=DAILY;COUNT=3;BYSETPOS=" + ",".join(map(str, range(2, 35))), None, "rule"),
    ("RRULE:FREQ=DAILY;COUNT=3;INTERVAL=999999999999", None, "unreadable"),
    ("RRULE:FREQ=DAILY;COUNT=3;INTERVAL=99999999", None, None),
    ("RRULE:FREQ=YEARLY;COUNT=4;BYMONTH=2;BYMONTHDAY=29", None, None),
    ("RRULE:FREQ=YEARLY;COUNT=4;BYYEARDAY=" + ",".join(map(str, range(1, 20))), None, None),
]


def outcome(content, until=None):
    """Return the key of the refusal, or None; a thread guards against a hang, and does not measure speed."""
    told = []

    def work():
        try:
            read_calendar(content, file="team.ics", until=until)
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
    assert (
        outcome(calendar(meeting("DTSTART:20250303T100000Z", "DURATION:PT1H", rule)), until) == key
    )


@pytest.mark.slow
def test_a_shift_by_years_of_a_fine_rule_comes_to_an_end():
    times = ",".join(map(str, range(60)))
    series = meeting("DTSTART:20250303T100000Z", f"RRULE:FREQ=DAILY;BYMINUTE={times[:90]}")
    change = ("RECURRENCE-ID;RANGE=THISANDFUTURE:20250303T100500Z", "DTSTART:19250303T100500Z")
    assert outcome(calendar(series, meeting(*change)), date(2025, 3, 4)) == "many"


def test_the_limit_holds_for_the_whole_file(monkeypatch):
    monkeypatch.setattr(recurrence, "MOST_ROWS", 10)
    daily = ["DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT={}"]
    fits = calendar(*(meeting(daily[0], daily[1].format(5), uid=uid) for uid in "ab"))
    assert len(read_calendar(fits, file="team.ics").rows) == 10
    for parts in (
        [meeting(daily[0], daily[1].format(11))],
        [
            meeting(daily[0], daily[1].format(6), uid="a"),
            meeting(daily[0], daily[1].format(5), uid="b"),
        ],
        [meeting(daily[0], uid=str(number)) for number in range(11)],
        [meeting(daily[0], "RDATE:" + ",".join(f"202504{day:02}T100000Z" for day in range(1, 12)))],
    ):
        assert refusal(calendar(*parts))[0] == "many"
    assert len(read(meeting(daily[0], daily[1].format(11)), until=date(2025, 3, 8)).rows) == 6


def test_a_fine_rule_is_counted_to_the_day_and_no_further(monkeypatch):
    monkeypatch.setattr(recurrence, "MOST_ROWS", 100)
    found = starts(
        "DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;BYHOUR=9,21", until=date(2025, 3, 6)
    )
    assert [text[8:13] for text in found] == [
        "03T10",
        "03T21",
        *(f"0{day}T{hour}" for day in (4, 5, 6) for hour in ("09", "21")),
    ]


def test_titles_are_data():
    for title in ("=cmd|' /C calc'!A0", "{file}", "a\\nb", "\N{RIGHT-TO-LEFT OVERRIDE}gpj"):
        events = read(meeting("DTSTART:20250303T100000Z", title=title))
        assert column(events, "title") == [title.replace("\\n", "\n")]
        assert (
            "\N{RIGHT-TO-LEFT OVERRIDE}"
            not in refusal(calendar(meeting("DTSTART:then", title=title)))[1]
        )


@quick
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 30))
def test_whatever_comes_is_read_or_refused(junk, place, length):
    content = calendar(MONDAYS)
    broken = content[:place] + junk + content[place + length :]
    with contextlib.suppress(DataError):
        events = read_calendar(broken, file="team.ics", until=date(2025, 12, 31))
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
    monkeypatch.setattr(recurrence, "MOST_ROWS", 10)
    said = {}
    for content in (
        b"x",
        calendar(MONDAYS)[:200],
        calendar(meeting("DTSTART:x")),
        calendar(meeting("DTSTART:20250303T100000Z", "RRULE:")),
        calendar(meeting("DTSTART:20250303T100000Z", "DURATION:-PT1H")),
        calendar(meeting("DTSTART;TZID=Mars:20250303T100000")),
        calendar(meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;BYHOUR=25;COUNT=2")),
        calendar(meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY")),
        calendar(meeting("DTSTART:20250303T100000Z", "RRULE:FREQ=DAILY;COUNT=1000000")),
    ):
        key, english = refusal(content)
        said[key] = (english, refusal(content, language="fr")[1])
    assert len(said) == 9
    assert all(english != french for english, french in said.values())
    assert len(set(itertools.chain(*said.values()))) == 18
