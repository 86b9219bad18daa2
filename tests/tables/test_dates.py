"""Dates and times as tools write them: months in two languages, day or month first by the column, zones."""

import calendar
import datetime
import unicodedata
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from babel.dates import get_day_names, get_month_names
from exported import assumed, cells, columns, decided, quoted_csv, read, refused, values

PARIS = ZoneInfo("Europe/Paris")
PROFILE = """\
profile: mine
tool: Mine
table: tickets
recognised_by: [id]
columns:
  id: {headers: [Numéro]}
  created_at: {headers: [Créé], time: [Heure], kind: datetime}
  due: {headers: [Échéance], kind: date}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a workspace with a profile that declares two columns of times."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    return tmp_path


def declared(heading, *given):
    return quoted_csv(
        ("Numéro", heading), *((f"n{place}", cell) for place, cell in enumerate(given, 1))
    )


def at(text):
    return datetime.datetime.fromisoformat(text)


def utc(moment):
    """Return a time with an offset as the readings give it: in UTC, without saying so."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


# --- Months by name

CASES = (str.lower, str.upper, str.title)


def month_names(language):
    """Return the twelve names of the months in each of the ways a tool may write them."""
    found = [list(get_month_names("wide", locale=language).values())]
    short = list(get_month_names("abbreviated", locale=language).values())
    found += [
        short,
        [name.rstrip(".") for name in short],
        [name.rstrip(".") + "." for name in short],
    ]
    if language == "en":
        found += [calendar.month_abbr[1:], [*short[:8], "Sept", *short[9:]]]
    return [[case(name) for name in names] for names in found for case in CASES]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_every_month_in_every_notation(tmp_path, language, form):
    patterns = {
        "{day} {month} {year}": None,
        "{day:02}/{month}/{short:02} 10:07 AM": datetime.time(10, 7),
        "{day}-{month}-{short:02}": None,
        "{day:02}.{month}.{year} 22:07:09": datetime.time(22, 7, 9),
        "{day} {month} {year} à 9h05": datetime.time(9, 5),
        "{month} {day}, {year} at 3:05 pm": datetime.time(15, 5),
        "{month} {day} {year}": None,
    }
    expected = {}
    for names in month_names(language):
        for month, name in enumerate(names, 1):
            day = datetime.date(2020 + month, month, 2 * month + 1)
            for pattern, time in patterns.items():
                written = pattern.format(
                    day=day.day, month=name, year=day.year, short=day.year % 100
                )
                moment = datetime.datetime.combine(day, time or datetime.time())
                expected[unicodedata.normalize(form, written)] = moment
    found, reading = cells(tmp_path, *expected)
    wrong = [
        (written, value)
        for (written, moment), value in zip(expected.items(), found, strict=True)
        if value != moment
    ]
    assert wrong == []
    assert not assumed(reading)


def test_days_of_the_week_are_passed_over(tmp_path):
    week = [datetime.date(2025, 3, day) for day in range(3, 10)]  # a Monday to a Sunday
    written = []
    for language, width in (
        ("en", "wide"),
        ("en", "abbreviated"),
        ("fr", "wide"),
        ("fr", "abbreviated"),
    ):
        names, month = (
            get_day_names(width, locale=language),
            {"en": "March", "fr": "mars"}[language],
        )
        written += [f"{names[day.weekday()]} {day.day} {month} 2025" for day in week]
    written += [f"{day:%a, %d %b %Y}" for day in week]
    written += [f"{day:%A, %B} {day.day}, 2025" for day in week]
    found, _ = cells(tmp_path, *written)
    assert found == [datetime.datetime.combine(day, datetime.time()) for day in week] * 6


def test_ordinals(tmp_path):
    found, _ = columns(
        tmp_path,
        {"fr": ["1er août 2025", "2 août 2025"], "en": ["August 1st, 2025", "22nd Aug 2025"]},
    )
    assert found == {
        "fr": [at("2025-08-01"), at("2025-08-02")],
        "en": [at("2025-08-01"), at("2025-08-22")],
    }


@pytest.mark.parametrize("month", ["foo", "marzo", "febrero", "Janvar", "13"])
def test_a_month_nobody_knows_is_no_date(tmp_path, month):
    assert cells(tmp_path, "3 mars 2025", f"4 {month} 2025")[0] == [
        "3 mars 2025",
        f"4 {month} 2025",
    ]


# --- The notations of the tools

TOOLS = {
    "Jira, English": ("12/Mar/25 9:41 AM", "2025-03-12T09:41", False),
    "Jira, French": ("27/janv./26 10:07 AM", "2026-01-27T10:07", False),
    "Jira, French and decomposed": ("05/fe\u0301vr./25 8:32 PM", "2025-02-05T20:32", False),
    "Jira, saved by a French Excel": ("17/02/2025 05:35", "2025-02-17T05:35", False),
    "Jira's API": ("2025-03-12T09:41:07.123+0100", "2025-03-12T08:41:07.123", True),
    "status changes": ("2025-04-18T02:53:50.223+00:00", "2025-04-18T02:53:50.223", True),
    "ActionableAgile": ("2025-04-18", "2025-04-18", False),
    "Linear": ("2025-03-02T09:00:00.000Z", "2025-03-02T09:00", True),
    "Zendesk": ("2025-02-07 01:17", "2025-02-07T01:17", False),
    "Play Console": ("2025-03-02T09:00:07Z", "2025-03-02T09:00:07", True),
    "tweets": ("2015-02-24 11:35:52 -0800", "2015-02-24T19:35:52", True),
    "an offset of hours only": ("2025-12-07 10:00 -05", "2025-12-07T15:00", True),
    "named UTC": ("2025-12-07 10:00:00 UTC", "2025-12-07T10:00", True),
    "SQL": ("2025-12-07 10:00:00.250000", "2025-12-07T10:00:00.250", False),
    "German": ("25.03.2025 13:30", "2025-03-25T13:30", False),
    "year first": ("2025/03/25 13:30", "2025-03-25T13:30", False),
    "one digit": ("2025-3-5 4:05", "2025-03-05T04:05", False),
    "a comma before the time": ("25/03/2025, 13:30:15", "2025-03-25T13:30:15", False),
    "mail": ("Mon, 03 Mar 2025 10:00:00", "2025-03-03T10:00", False),
    "prose": ("Mar. 4th, 2025 at 3:05 p.m.", "2025-03-04T15:05", False),
}


def test_the_notations_of_the_tools(tmp_path):
    for zoned in (True, False):
        some = {
            written: at(moment) for written, moment, offset in TOOLS.values() if offset == zoned
        }
        found, reading = cells(tmp_path, *some)
        assert dict(zip(some, found, strict=True)) == some
        assert not assumed(reading)


def test_american_notations(tmp_path):
    written = [
        "04/30/2025 09:00:00 AM",
        "3/5/2025 1:30:00 PM",
        "3/25/2025 1:30pm",
    ]  # Clockify, Outlook, Airtable
    expected = [at("2025-04-30T09:00"), at("2025-03-05T13:30"), at("2025-03-25T13:30")]
    assert cells(tmp_path, *written)[0] == expected


def test_a_date_and_its_clock_in_two_columns(here):
    rows = quoted_csv(
        ("Numéro", "Créé", "Heure"),
        ("1", "04/30/2025", "09:00:00 AM"),
        ("2", "04/01/2025", "12:15 AM"),
        ("3", "04/02/2025", ""),
        ("4", "", "10:00 AM"),
    )
    frame, _ = read(here, rows, profile="mine")
    assert values(frame["created_at"]) == [
        at("2025-04-30T09:00"),
        at("2025-04-01T00:15"),
        at("2025-04-02"),
        None,
    ]


@pytest.mark.parametrize(
    "written",
    ["%d/%m/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S%p", "%d %B %Y, %I:%M %p", "%Y-%m-%d %I:%M %p"],
)
def test_every_half_hour_of_a_day_on_a_clock_of_twelve(tmp_path, written):
    day = datetime.datetime.combine(datetime.date(2025, 3, 25), datetime.time())
    times = [day + datetime.timedelta(minutes=30 * half) for half in range(48)]
    found, _ = cells(tmp_path, *(time.strftime(written) for time in times))
    assert found == times
    dotted = [time.strftime(written).replace("AM", "a.m.").replace("PM", "p.m.") for time in times]
    assert cells(tmp_path, *dotted)[0] == times


def test_years_of_two_digits_as_posix_has_them(tmp_path):
    written = [f"25/12/{year:02}" for year in range(100)]
    found, reading = cells(tmp_path, *written)
    assert found == list(pd.to_datetime(written, format="%d/%m/%y"))
    assert decided(reading, "x")["decided_short_years"] == {"count": 100}


@pytest.mark.parametrize("written", ["2025-03-25 10:00:00.500", "2025-03-25T10:00:00.500"])
def test_parts_of_seconds_are_kept(tmp_path, written):
    assert cells(tmp_path, written)[0] == [at("2025-03-25T10:00:00.500")]


@pytest.mark.parametrize("written", ["2025-03-25 10:00:00,500", "25/03/2025 10:00:00.500"])
def test_parts_of_seconds_are_kept_in_any_notation(tmp_path, written):
    assert cells(tmp_path, written)[0] == [at("2025-03-25T10:00:00.500")]


# --- Day or month first


@pytest.mark.parametrize("sign", ["/", "-"])
@pytest.mark.parametrize(
    ("proof", "first", "expected"),
    [("13{0}03{0}2025", "day", "2025-03-04"), ("03{0}13{0}2025", "month", "2025-04-03")],
)
def test_the_last_of_many_dates_decides_for_all(tmp_path, sign, proof, first, expected):
    unclear = f"04{sign}03{sign}2025"
    found, reading = cells(tmp_path, *[unclear] * 1_500, proof.format(sign))
    assert found == [at(expected)] * 1_500 + [at("2025-03-13")]
    assert decided(reading, "x") == {
        "decided_first": {"first": f"tables.first_{first}", "count": 1}
    }


@pytest.mark.parametrize(
    ("proof", "expected"), [("25/03/2025", "2025-03-04"), ("03/25/2025", "2025-04-03")]
)
def test_another_column_decides_for_unclear_dates(here, proof, expected):
    rows = quoted_csv(
        ("Numéro", "Créé", "Échéance"), ("1", "04/03/2025", proof), ("2", "05/05/2025", "")
    )
    frame, reading = read(here, rows, profile="mine")
    assert list(frame["created_at"]) == [at(expected), at("2025-05-05")]
    assert decided(reading, "created_at")["decided_first_as"]["other"] == "due"


def test_columns_that_prove_opposite_orders_decide_nothing_for_a_third(here):
    rows = quoted_csv(("Numéro", "Créé", "a", "b"), ("1", "04/03/2025", "25/03/2025", "03/25/2025"))
    refused(here, rows, "ask_day_first", profile="mine")


def test_unclear_dates_are_a_question_where_declared(here):
    error = refused(
        here,
        declared("Créé", "04/03/2025", "05/03/2025 10:00", "05/05/2025"),
        "ask_day_first",
        profile="mine",
    )
    assert str(error) == (
        "export.csv, created_at: 2 dates are written like 04/03/2025, and nothing in the file says whether the day"
        " comes first; say `day_first: true` or `day_first: false`."
    )
    found, reading = cells(here, "04/03/2025", "05/03/2025")
    assert found == ["04/03/2025", "05/03/2025"]
    assert decided(reading, "x") == {"decided_kept_text": {"question": "tables.kept_ask_day_first"}}
    assert assumed(reading) == ["decided_kept_text"]


def test_the_same_day_and_month_asks_nothing(tmp_path):
    found, reading = cells(tmp_path, "05/05/2025", "12/12/2024")
    assert found == [at("2025-05-05"), at("2024-12-12")]
    assert not reading.decisions


@pytest.mark.parametrize(("answer", "expected"), [(True, "2025-03-04"), (False, "2025-04-03")])
def test_the_order_is_answered(tmp_path, answer, expected):
    found, reading = cells(tmp_path, "04/03/2025", day_first=answer)
    assert found == [at(expected)]
    first = "day" if answer else "month"
    assert decided(reading, "x") == {"decided_first_answer": {"first": f"tables.first_{first}"}}


def test_two_orders_in_one_column_are_refused_with_both_rows(here):
    written = ["04/03/2025", "25/03/2025", "05/03/2025", "03/26/2025"]
    error = refused(here, declared("Créé", *written), "ask_day_first_both", profile="mine")
    assert "Row 3 can only be day first and row 5 only month first" in str(error)
    found, reading = cells(here, *written)
    assert found == written
    assert decided(reading, "x") == {
        "decided_kept_text": {"question": "tables.kept_ask_day_first_both"}
    }
    frame, reading = read(here, declared("Créé", *written), profile="mine", day_first=True)
    assert values(frame["created_at"]) == [
        at("2025-03-04"),
        at("2025-03-25"),
        at("2025-03-05"),
        None,
    ]
    assert decided(reading, "created_at")["decided_emptied"] == {
        "count": 1,
        "row": 5,
        "cell": "03/26/2025",
        "kind": "tables.kind_datetime",
    }


def test_dots_are_day_first(tmp_path):
    found, reading = cells(tmp_path, "04.03.2025", "05.05.2025 10:00")
    assert found == [at("2025-03-04"), at("2025-05-05T10:00")]
    assert decided(reading, "x")["decided_first"] == {"first": "tables.first_day", "count": 1}


def test_an_impossible_date_proves_nothing(here):
    frame, _ = read(here, declared("Créé", "13/13/2025", "25/03/2025"), profile="mine")
    assert values(frame["created_at"]) == [None, at("2025-03-25")]


def test_numbers_of_versions_are_no_dates(tmp_path):
    written = ["3.12.10", "3.12.11", "4.1.12"]
    assert cells(tmp_path, *written)[0] == written


# --- Dates that are none


def test_impossible_dates_are_emptied_and_told_with_their_row(tmp_path):
    written = ["25/03/2025", "29/02/2024", "31/02/2025", "29/02/2025", "n/a", ""]
    found, reading = cells(tmp_path, *written)
    assert found == [at("2025-03-25"), at("2024-02-29"), None, None, None, None]
    told = decided(reading, "x")
    assert told["decided_emptied"] == {
        "count": 2,
        "row": 4,
        "cell": "31/02/2025",
        "kind": "tables.kind_datetime",
    }
    assert told["decided_words"] == {"count": 1}
    assert assumed(reading) == ["decided_emptied"]


@pytest.mark.parametrize(
    "written",
    [
        "2025-02-30",
        "2025-13-01",
        "2025-01-01 25:00",
        "25/03/2025 10:61",
        "25/03/2025 13:00 PM",
        "31 juin 2025",
    ],
)
def test_no_impossible_moment_becomes_another(tmp_path, written):
    found, reading = cells(tmp_path, "2025-06-15", written)
    assert found == [at("2025-06-15"), None]
    assert decided(reading, "x")["decided_emptied"]["row"] == 3


def test_a_word_among_declared_dates_is_emptied_and_told(here):
    frame, reading = read(here, declared("Échéance", "2025-03-25", "bientôt"), profile="mine")
    assert values(frame["due"]) == [at("2025-03-25"), None]
    assert decided(reading, "due")["decided_emptied"] == {
        "count": 1,
        "row": 3,
        "cell": "bientôt",
        "kind": "tables.kind_date",
    }


def test_a_word_among_other_dates_keeps_the_column_as_it_was_written(tmp_path):
    written = ["25/03/2025"] * 1_500 + ["bientôt"]
    assert cells(tmp_path, *written)[0] == written


@pytest.mark.parametrize(
    "written",
    [
        "infinity",
        "epoch",
        "25-01-05",
        "2025-02-30",
        "2025-1-5",
        "2025-01-05 10:00:00",
        "2025-01-05T10:00:00+02:00",
        "20250105",
        "today",
        "12",
    ],
)
def test_a_late_cell_is_read_as_an_early_one(tmp_path, written):
    early, _ = cells(tmp_path, written, "2025-01-01")
    late, _ = cells(tmp_path, *["2025-01-01"] * 300, written)
    assert [str(value) for value in (late[0], late[-1])] == [str(early[1]), str(early[0])]


# --- Offsets and zones

OFFSETS = [
    "2025-01-01T10:00:00+01:00",
    "2025-01-01T10:00:00.223-0500",
    "2025-01-01 10:00 +05:30",
    "2025-01-01T10:00Z",
    "2025-06-30T23:59:59.999999-14:00",
    "2024-02-29T00:30:00+09",
    "2025-01-01T00:00:00+00:00",
]


def test_mixed_offsets_become_utc(tmp_path):
    found, reading = cells(tmp_path, *OFFSETS)
    assert found == [utc(at(cell.replace(" +", "+"))) for cell in OFFSETS]
    assert decided(reading, "x") == {"decided_offsets": {"count": len(OFFSETS)}}


def test_times_with_and_without_an_offset_ask_for_the_zone(here):
    written = ["2025-07-01T10:00:00+09:00", "2025-07-01T10:00:00", "2025-01-01 10:00", "n/a"]
    error = refused(here, declared("Créé", *written), "ask_timezone", profile="mine")
    assert "1 time has an offset from UTC and 2 have none" in str(error)
    found, reading = cells(here, *written)
    assert found == written
    assert decided(reading, "x") == {"decided_kept_text": {"question": "tables.kept_ask_timezone"}}
    found, reading = cells(here, *written, timezone="Europe/Paris")
    assert found == [at("2025-07-01T01:00"), at("2025-07-01T08:00"), at("2025-01-01T09:00"), None]
    told = decided(reading, "x")
    assert told["decided_offsets"] == {"count": 1}
    assert told["decided_zone"] == {"zone": "Europe/Paris", "count": 2}


@pytest.mark.parametrize("others", [0, 1_500])
def test_one_time_without_an_offset_is_enough_to_ask(here, others):
    written = ["2025-07-01T10:00:00+09:00"] * (others + 1) + ["2025-07-01 10:00"]
    error = refused(here, declared("Créé", *written), "ask_timezone", profile="mine")
    assert "an offset from UTC and 1 has none" in str(error)


def test_times_without_an_offset_stay_as_they_are_written(tmp_path):
    found, reading = cells(tmp_path, "2025-07-01 10:00", "01/07/2025 10:00:30", "13/07/2025 10:00")
    assert found == [at("2025-07-01T10:00"), at("2025-07-01T10:00:30"), at("2025-07-13T10:00")]
    assert "decided_local" in decided(reading, "x")


def halves(first, days):
    start = datetime.datetime.combine(datetime.date.fromisoformat(first), datetime.time())
    return [start + datetime.timedelta(minutes=30 * half) for half in range(48 * days)]


@pytest.mark.parametrize("first", ["2025-03-29", "2025-10-25"])
def test_every_half_hour_around_a_change_of_the_clocks(tmp_path, first):
    times = halves(first, 3)
    found, _ = cells(
        tmp_path, *(f"{time:%Y-%m-%d %H:%M}" for time in times), timezone="Europe/Paris"
    )
    assert found == [utc(time.replace(tzinfo=PARIS, fold=0)) for time in times]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", "2025-03-08"),
        ("America/New_York", "2025-11-01"),
        ("America/Santiago", "2025-04-05"),  # at midnight
        ("America/Santiago", "2025-09-06"),
        ("Australia/Lord_Howe", "2025-10-04"),  # by half an hour
        ("Australia/Lord_Howe", "2025-04-05"),
        ("Asia/Kolkata", "2025-03-29"),
    ],
)
def test_changes_of_the_clocks_in_other_zones(tmp_path, zone, first):
    times = halves(first, 2)
    found, _ = cells(tmp_path, *(f"{time:%Y-%m-%d %H:%M}" for time in times), timezone=zone)
    assert found == [utc(time.replace(tzinfo=ZoneInfo(zone), fold=0)) for time in times]


def test_the_hour_that_is_left_out_and_the_one_that_comes_twice_are_told(tmp_path):
    written = [
        "2025-03-30 01:59",
        "2025-03-30 02:00",
        "2025-03-30 02:59",
        "2025-03-30 03:00",
        "2025-10-26 02:30",
    ]
    _, reading = cells(tmp_path, *written, "2025-10-26T02:30:00+01:00", timezone="Europe/Paris")
    told = decided(reading, "x")
    assert told["decided_gap"] == {"zone": "Europe/Paris", "count": 2}
    assert told["decided_fold"] == {"zone": "Europe/Paris", "count": 1}
    assert assumed(reading) == ["decided_gap", "decided_fold"]


@pytest.mark.parametrize(
    "written",
    [
        "2025-07-01 10:00",
        "2025-07-01 10:00:00",
        "2025-07-01T10:00:00",
        "01/07/2025 10:00:00",
        "1 juil. 2025 à 10h00",
    ],
)
def test_the_zone_holds_in_every_notation(tmp_path, written):
    found, reading = cells(tmp_path, written, timezone="Europe/Paris", day_first=True)
    assert found == [at("2025-07-01T08:00")]
    assert decided(reading, "x")["decided_zone"] == {"zone": "Europe/Paris", "count": 1}


@pytest.mark.parametrize(
    "written",
    [
        "2025-07-01",
        "01/07/2025",
        "1 juil. 2025",
        "2025-7-1",
    ],
)
def test_a_day_has_no_zone(here, written):
    frame, _ = read(
        here, declared("Échéance", written), profile="mine", timezone="Europe/Paris", day_first=True
    )
    assert list(frame["due"]) == [at("2025-07-01")]
    assert cells(here, written, timezone="Europe/Paris", day_first=True)[0] == [at("2025-07-01")]


def test_the_day_of_a_time_is_the_one_that_is_written(here):
    frame, _ = read(here, declared("Échéance", "2025-03-01T00:30:00+02:00"), profile="mine")
    assert list(frame["due"]) == [at("2025-03-01")]


@pytest.mark.parametrize("zone", ["Europe/Pari", "Mars", "europe/paris'; --"])
def test_a_zone_nobody_knows_is_refused(tmp_path, zone):
    error = refused(tmp_path, "id,x\n1,2025-07-01 10:00\n", "no_zone", timezone=zone)
    assert "such as Europe/Paris" in str(error)


# --- Where tools are known


def test_a_french_outlook_is_day_first_by_its_headings(tmp_path):
    french = "Objet;Date de début;Heure de début;Date de fin;Heure de fin;Journée entière\nA;04/03/2025;10:00;04/03/2025;11:30;Non\n"
    frame, reading = read(tmp_path, french, profile=None)
    assert list(frame["started_at"]) == [at("2025-03-04T10:00")]
    assert assumed(reading) == ["decided_first_assumed"] * 2
    english = "Subject,Start Date,Start Time,End Date,End Time,All day event\nA,4/3/2025,10:00,4/3/2025,11:30,False\n"
    refused(tmp_path, english, "ask_day_first", "ask_day_first", profile=None)
