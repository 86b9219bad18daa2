"""Small exports that follow each tool's real columns and notations, and public feedback; skipped where they are not.

The files are not ours to ship. Keep them as ``shared/data`` beside the repository, or name that folder in
``OPSLAB_REAL_DATA``. What is expected was counted by the csv module, pandas and by hand.
"""

import csv
import datetime
import functools
import os
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from exported import assumed, decided, rejected, values

from opslab.tables import read_export

ROOT = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)
OPS, FEEDBACK = Path("ops", "formats"), Path("feedback")
SIGNS = {"comma": ",", "semicolon": ";"}
EXPORTS = {
    OPS / "actionableagile_wide.csv": ("actionableagile", "utf-8", "comma"),
    OPS / "calendar_fr.ics": ("icalendar", "utf-8", None),
    OPS / "calendar_outlook_fr.csv": ("outlook-calendar", "cp1252", "semicolon"),
    OPS / "capability_canvas.csv": ("canvas", "utf-8", "comma"),
    OPS / "clockify_detailed_en.csv": ("clockify", "utf-8", "comma"),
    OPS / "clockify_detailed_fr_excel_cp1252.csv": ("clockify", "cp1252", "semicolon"),
    OPS / "harvest_detailed.csv": ("harvest", "utf-8", "comma"),
    OPS / "jira_cloud_en.csv": ("jira-cloud", "utf-8", "comma"),
    OPS / "jira_cloud_fr.csv": ("jira-cloud", "utf-8", "comma"),
    OPS / "jira_fr_excel_cp1252.csv": ("jira-cloud", "cp1252", "semicolon"),
    OPS / "jira_transitions_long.csv": ("jira-history", "utf-8", "comma"),
    OPS / "launch_checklist.csv": ("checklist", "utf-8", "comma"),
    OPS / "linear_issues.csv": ("linear", "utf-8", "comma"),
    OPS / "rice_backlog_fr.csv": ("backlog", "utf-8", "semicolon"),
    OPS / "toggl_detailed.csv": ("toggl", "utf-8", "comma"),
    OPS / "zendesk_tickets.csv": ("zendesk", "utf-8", "comma"),
    FEEDBACK / "airline_tweets.csv": ("feedback", "utf-8", "comma"),
    FEEDBACK / "app_reviews_garmin_connect_classified.csv": ("app-store-reviews", "utf-8", "comma"),
    FEEDBACK / "app_reviews_garmin_connect_themes.csv": ("app-store-reviews", "utf-8", "comma"),
    FEEDBACK / "app_reviews_huawei_health_classified.csv": ("app-store-reviews", "utf-8", "comma"),
    FEEDBACK / "app_reviews_huawei_health_themes.csv": ("app-store-reviews", "utf-8", "comma"),
    FEEDBACK / "banking77.csv": ("feedback", "utf-8", "comma"),
    FEEDBACK / "clinc150.csv": ("feedback", "utf-8", "comma"),
    FEEDBACK / "sib200_en_fr.csv": ("feedback", "utf-8", "comma"),
    FEEDBACK / "stackoverflow_titles.csv": ("feedback", "utf-8", "comma"),
}
LEFT_OUT = {  # meetings that take no working time
    "calendar_fr.ics": [(2, "rejected_all_day"), (4, "rejected_cancelled")],
    "calendar_outlook_fr.csv": [(3, "rejected_all_day")],
}


def data_file(name):
    path = ROOT / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; name its folder in OPSLAB_REAL_DATA")
    return path


@functools.cache
def opened(name):
    return read_export(data_file(name))


def raw(name, encoding="utf-8-sig", sign=","):
    """Return the rows of a file as the csv module gives them, by heading."""
    with data_file(name).open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream, delimiter=sign))


@pytest.mark.parametrize("name", EXPORTS, ids=lambda path: path.name)
def test_every_file_is_read_whole(name):
    profile, encoding, delimiter = EXPORTS[name]
    frame, reading = opened(name)
    assert (reading.profile, reading.encoding, reading.delimiter) == (profile, encoding, delimiter)
    left_out = LEFT_OUT.get(name.name, [])
    assert rejected(reading) == left_out
    expected = ["decided_encoding"] if encoding == "cp1252" else []
    expected += ["decided_first_assumed"] * 2 if "outlook" in name.name else []
    assert assumed(reading) == expected  # so no cell was emptied
    if name.suffix == ".csv":
        rows = raw(name, "utf-8-sig" if encoding == "utf-8" else encoding, SIGNS[delimiter])
        assert len(frame) == len(rows) - len(left_out)


@pytest.mark.parametrize(
    "name", [name for name in EXPORTS if name.parent == FEEDBACK], ids=lambda path: path.name
)
def test_comments_are_kept_to_the_letter(name):
    frame, _ = opened(name)
    expected = pd.read_csv(data_file(name), dtype=str, keep_default_na=False)
    for column, heading in (
        ("id", "id"),
        ("text", "text"),
        ("label", "label"),
        ("language", "lang"),
    ):
        assert [value or "" for value in values(frame[column])] == list(expected[heading])


# --- Working time


def clock(text):
    hours, minutes, seconds = map(Decimal, text.split(":"))
    return hours + minutes / 60 + seconds / 3600


def totals(people, days, hours):
    found = defaultdict(float)
    for person, day, spent in zip(people, days, hours, strict=True):
        found[person, str(day)[:7]] += float(spent)
    return dict(found)


def expected_totals():
    rows = raw(OPS / "toggl_detailed.csv")
    people, days = ([row[name] for row in rows] for name in ("User", "Start date"))
    return totals(people, days, (clock(row["Duration"]) for row in rows))


@pytest.mark.parametrize(
    "name",
    ["toggl_detailed.csv", "clockify_detailed_en.csv", "clockify_detailed_fr_excel_cp1252.csv"],
)
def test_hours_by_person_and_month_agree(name):
    frame, _ = opened(OPS / name)
    assert totals(frame["person"], frame["started_at"], frame["hours"]) == pytest.approx(
        expected_totals(), rel=1e-12
    )


def test_hours_of_harvest_agree_within_its_rounding():
    frame, _ = opened(OPS / "harvest_detailed.csv")
    people = frame["first_name"] + " " + frame["last_name"]
    found, expected = totals(people, frame["date"], frame["hours"]), expected_totals()
    entries = totals(people, frame["date"], [1] * len(frame))
    assert set(found) == set(expected)
    for key, hours in expected.items():
        assert abs(found[key] - hours) <= 0.005 * entries[key] + 1e-9
    exact = [clock(row["Duration"]) for row in raw(OPS / "toggl_detailed.csv")]
    assert all(
        abs(Decimal(str(one)) - other) <= Decimal("0.005")
        for one, other in zip(frame["hours"], exact, strict=True)
    )


@pytest.mark.parametrize(
    "name", ["clockify_detailed_en.csv", "clockify_detailed_fr_excel_cp1252.csv"]
)
def test_days_and_clocks_agree(name):
    frame, _ = opened(OPS / name)
    expected, _ = opened(OPS / "toggl_detailed.csv")
    for column in ("person", "project", "description", "started_at", "ended_at", "hours"):
        assert values(frame[column]) == values(expected[column]), column
    rows = raw(OPS / "toggl_detailed.csv")
    assert list(frame["started_at"]) == [
        datetime.datetime.fromisoformat(f"{row['Start date']} {row['Start time']}") for row in rows
    ]


# --- Tickets


def test_a_french_export_and_the_same_saved_by_excel_are_equal():
    french, _ = opened(OPS / "jira_cloud_fr.csv")
    excel, _ = opened(OPS / "jira_fr_excel_cp1252.csv")
    pd.testing.assert_frame_equal(french, excel)
    english, _ = opened(OPS / "jira_cloud_en.csv")
    assert list(french) == list(english)
    assert list(french.dtypes) == list(english.dtypes)


def test_an_english_export_against_the_csv_module():
    frame, reading = opened(OPS / "jira_cloud_en.csv")
    with data_file(OPS / "jira_cloud_en.csv").open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    places = {name: [place for place, one in enumerate(header) if one == name] for name in header}

    def column(name):
        return [row[places[name][0]] or None for row in rows]

    assert values(frame["key"]) == column("Issue key")
    assert values(frame["description"]) == column("Description")
    for name, heading in (("created_at", "Created"), ("resolved_at", "Resolved")):
        expected = pd.to_datetime(pd.Series(column(heading)), format="%d/%b/%y %I:%M %p")
        assert values(frame[name]) == values(expected)
    assert list(frame["labels"]) == [
        [row[place] for place in places["Labels"] if row[place]] for row in rows
    ]
    logged = [
        [int(row[place].rpartition(";")[2]) for place in places["Log Work"] if row[place]]
        for row in rows
    ]
    assert values(frame["logged_hours"]) == [
        sum(seconds) / 3600 if seconds else None for seconds in logged
    ]
    assert {"assignee", "reporter", "description", "work_logs"} <= set(reading.personal)


def test_changes_of_status_are_in_utc():
    frame, _ = opened(OPS / "jira_transitions_long.csv")
    expected = pd.to_datetime(
        [row["changed_at"] for row in raw(OPS / "jira_transitions_long.csv")], utc=True
    )
    assert list(frame["changed_at"]) == list(expected.tz_localize(None))


# --- The others


def test_the_calendar_by_hand():
    """Eight Mondays at 10:00 in Paris, one excluded, one moved to 14:00 for an hour and a half."""
    frame, reading = opened(OPS / "calendar_fr.ics")
    assert list(frame["started_at"].astype(str)) == [
        *("2025-03-03 09:00:00", "2025-03-10 09:00:00", "2025-03-24 09:00:00"),
        *(
            "2025-03-31 12:00:00",
            "2025-04-07 08:00:00",
            "2025-04-14 08:00:00",
            "2025-04-21 08:00:00",
        ),
    ]
    assert (len(frame), frame["hours"].sum(), frame["counted_hours"].sum()) == (7, 7.5, 7.5)
    told = decided(reading)["decided_series"]
    assert (told["series"], told["moved"], told["excluded"]) == (1, 1, 1)


def test_the_outlook_calendar_by_hand():
    frame, _ = opened(OPS / "calendar_outlook_fr.csv")
    assert frame["started_at"].astype(str).to_list() == ["2025-03-03 10:00:00"]
    assert list(frame["hours"]) == [1.0]


def test_a_french_spreadsheet_by_hand():
    frame, reading = opened(OPS / "rice_backlog_fr.csv")
    assert reading.profile == "backlog"
    assert list(frame["reach_likely"]) == [1200, 400, 5000, 90, 50]
    assert list(frame["impact_likely"]) == [2, 3, 0.5, 3, 1]
    assert list(frame["confidence"]) == pytest.approx([0.8, 0.5, 1.0, 0.8, 0.8])
    assert list(frame["effort_likely"]) == [3, 1.5, 0.5, 4, 0]
    assert values(frame["reach_high"]) == [1900, 800, 6500, 130, None]
    assert values(frame["effort_high"]) == [5.5, 3, 1, 8, None]


def test_support_tickets_against_pandas():
    frame, _ = opened(OPS / "zendesk_tickets.csv")
    expected = pd.read_csv(
        data_file(OPS / "zendesk_tickets.csv"), parse_dates=["Created at", "Solved at"]
    )
    for name, heading in (
        ("first_reply_minutes", "First reply time in minutes"),
        ("full_resolution_minutes", "Full resolution time in minutes"),
        ("resolution_hours", "Resolution time"),
        ("created_at", "Created at"),
        ("resolved_at", "Solved at"),
    ):
        assert values(frame[name]) == values(expected[heading]), name
    assert list(frame["tags"]) == [tags.split() for tags in expected["Tags"]]
