"""From exports to a panel of teams and weeks: against pandas, scipy and by hand; every oddity told."""

# ruff: noqa: PD011 - the values of a panel are an array

import datetime
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gmean

from opslab.errors import DataError, SpecError
from opslab.messages import LANGUAGES
from opslab.timesaved.change.panel import read_panel
from opslab.timesaved.change.spec import ChangeReview

MONDAY = datetime.date(2025, 3, 3)
DAY = datetime.date(2025, 6, 1)
TIME = "Project,User,Group,Type,Start Date,Start Time,End Date,End Time,Duration (h)"
TICKETS = "Issue key,Status,Created,Resolved,Resolution,Custom field (Squad)"
REAL = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, *lines):
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def spec(data="log.csv", pilot=None, teams=None, since=None, **measure):
    many = isinstance(data, list)
    source = [{"path": name} for name in data] if many else {"path": data}
    return ChangeReview(
        change="Triage bot",
        data=source,
        measure={"name": "work", "quantity": "hours", "unit": "group"} | measure,
        pilot=pilot or {"chosen": "everybody", "start": datetime.date(2026, 1, 5)},
        teams=teams and {"path": teams},
        since=since,
    )


def panel(*args, day=DAY, data=None, **kwargs):
    return read_panel(spec(*args, **kwargs), day, data)


def entry(user, team, start, hours, project="Triage", kind="Regular", end=None, text=None):
    start = pd.Timestamp(start)
    end = start + pd.Timedelta(hours=hours) if end is None else end and pd.Timestamp(end)
    parts = [f"{start:%Y-%m-%d}", f"{start:%H:%M:%S}"]
    parts += [f"{end:%Y-%m-%d}", f"{end:%H:%M:%S}"] if end else ["", ""]
    seconds = round(abs(hours) * 3600)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return ",".join([project, user, team, kind, *parts, text or ("-" * (hours < 0) + clock)])


def weeks(count=4, users=(("ana", "Nord"), ("ben", "Nord"), ("zoe", "Süd")), skip=()):
    """Return an entry of 1 to 5 hours on each working day of each user."""
    return [
        entry(
            user, team, f"{MONDAY + datetime.timedelta(7 * week + day)} 09:00", 1 + (day + week) % 5
        )
        for week in range(count)
        for day in range(5)
        for user, team in users
        if (team, week) not in skip
    ]


def told(result):
    return {name: examples for name, (_, examples) in result.odd.items()}


def refused(key, kind, *args, **kwargs):
    with pytest.raises(kind) as caught:
        panel(*args, **kwargs)
    (problem,) = caught.value.problems
    assert problem.key == f"change.{key}"
    for language in LANGUAGES:
        assert "{" not in problem.text(language).replace("{path", "").replace(
            "{column", ""
        ).replace("{colonne", "")
    return problem


# --- Logged time


def test_hours_of_teams_and_weeks_are_those_of_pandas():
    write("log.csv", TIME, *weeks())
    result = panel()
    frame = pd.read_csv("log.csv")
    frame["hours"] = pd.to_timedelta(frame["Duration (h)"]).dt.total_seconds() / 3600
    frame["week"] = pd.to_datetime(frame["Start Date"]).dt.to_period("W").dt.start_time
    expected = frame.pivot_table(index="Group", columns="week", values="hours", aggfunc="sum")
    np.testing.assert_allclose(result.values, expected, rtol=1e-12)
    assert result.units == tuple(expected.index) == ("Nord", "Süd")
    assert result.periods == tuple(expected.columns.date)
    assert result.rows.tolist() == [[10] * 4, [5] * 4]
    assert result.starts.tolist() == [4, 4]
    assert (result.effort, result.odd, len(result.readings)) == (True, {}, 1)


def test_neither_the_order_of_rows_nor_threads_nor_a_split_change_a_digit(monkeypatch):
    rows = [
        entry(f"u{n % 7}", f"team {n % 3}", f"2025-03-{3 + n % 26} 09:00", 0.1 + n % 17 / 7)
        for n in range(200)
    ]
    rows = list(dict.fromkeys(rows))
    write("log.csv", TIME, *rows)
    first = panel(quantity="minutes")
    write("log.csv", TIME, *reversed(rows))
    monkeypatch.setenv("OPSLAB_THREADS", "1")
    other = panel(quantity="minutes")
    write("a.csv", TIME, *rows[:90])
    write("b.csv", TIME, *rows[90:])
    split = panel(["a.csv", "b.csv"], quantity="minutes")
    for result in (other, split):
        assert result.values.tobytes() == first.values.tobytes()
        assert (result.units, result.periods) == (first.units, first.periods)
    assert len(split.readings) == 2


def test_a_frame_in_the_place_of_the_export():
    write("log.csv", TIME, *weeks())
    frame = pd.read_csv("log.csv")
    Path("log.csv").unlink()
    assert panel(data=frame).values.sum() == 4 * 3 * 15


def test_minutes_are_the_geometric_mean_of_entries():
    rows = weeks(3)
    write("log.csv", TIME, *rows)
    result = panel(quantity="minutes")
    first = [entry_minutes(row) for row in rows[:15] if "Süd" in row]
    assert result.values[1, 0] == pytest.approx(gmean(first), rel=1e-9)
    assert result.effort


def entry_minutes(row):
    return pd.to_timedelta(row.rsplit(",", 1)[1]).total_seconds() / 60


def test_a_week_of_other_work_is_zero_and_a_week_without_any_is_unknown():
    rows = weeks(5, skip={("Nord", 1), ("Nord", 2), ("Süd", 2)})
    rows += [entry("ana", "Nord", f"2025-03-{day} 09:00", 2, "Other") for day in (10, 11)]
    write("log.csv", TIME, *rows)
    result = panel(only={"PROJECT": ["triage"]})
    assert result.values[0].tolist() == [30, 0, pytest.approx(np.nan, nan_ok=True), 30, 30]
    assert told(result) == {
        "empty": ("Nord 2025-03-10",),
        "gaps": ("Nord 2025-03-17", "Süd 2025-03-17"),
    }
    assert panel(only={"project": ["Triage"]}, quantity="count").values[0, 1] == 0


def test_hours_per_person_divide_by_those_who_logged_anything():
    rows = [*weeks(2), entry("kim", "Nord", "2025-03-05 09:00", 3, "Other")]
    write("log.csv", TIME, *rows)
    result = panel(per="person", only={"project": ["Triage"]})
    assert result.values.tolist() == [[10, 15], [15, 15]]


def test_what_is_wrong_with_an_entry_is_told_by_its_row_and_left_out():
    odd = {
        "breaks": entry("ana", "Nord", "2025-03-04 12:00", 1, kind="Break"),
        "running": entry("ana", "Nord", "2025-03-04 14:00", 1, end=""),
        "zeros": entry("ana", "Nord", "2025-03-04 15:00", 0),
        "negative": entry("ana", "Nord", "2025-03-04 16:00", 1, end="2025-03-04 15:30"),
        "long": entry("ana", "Nord", "2025-03-04 17:00", 16.5),
        "unnamed": entry("ana", "", "2025-03-04 08:00", 1),
        "future": entry("ana", "Nord", "2025-03-31 09:00", 1),
    }
    base = weeks()
    write("log.csv", TIME, *base, *odd.values())
    result = panel(day=datetime.date(2025, 3, 30))
    assert told(result) == {name: (str(len(base) + 2 + at),) for at, name in enumerate(odd)}
    assert result.values.sum() == 4 * 45
    assert "future" not in panel(day=datetime.date(2025, 3, 31)).odd


def test_sixteen_hours_count_and_at_most_twelve_rows_are_shown():
    base = weeks(2)
    zeros = [entry("ana", "Nord", f"2025-03-04 10:{n:02}", 0) for n in range(20)]
    write("log.csv", TIME, *base, entry("kim", "Nord", "2025-03-04 01:00", 16), *zeros)
    result = panel()
    assert result.values[0, 0] == 30 + 16
    count, rows = result.odd["zeros"]
    assert (count, len(rows), rows[0]) == (20, 12, str(len(base) + 3))


def test_an_entry_that_stands_twice_counts_once_in_one_file_and_in_two():
    base = weeks(2)
    write("log.csv", TIME, *base, base[3])
    assert told(panel())["twice"] == (str(len(base) + 2),)
    assert panel().values.sum() == 90
    write("a.csv", TIME, *base[:20])
    write("b.csv", TIME, *base[15:])
    both = panel(["a.csv", "b.csv"])
    assert both.values.sum() == 90
    assert both.odd["twice"][0] == 5
    assert both.odd["twice"][1][0].startswith("a.csv ")


def test_without_clocks_like_entries_of_a_day_count_unless_another_file_has_them_too():
    head = "Date,Client,Project,Task,Hours,First Name,Last Name,Department"
    rows = [f"{MONDAY + datetime.timedelta(n)},,P,Standup,0.5,Ana,B,Nord" for n in range(12)]
    write("a.csv", head, *rows, rows[0])
    assert panel("a.csv", unit="department").values.tolist() == [[4.0, 2.5]]
    write("b.csv", head, rows[0], rows[0], *rows[8:])
    assert panel(["a.csv", "b.csv"], unit="Department").values.tolist() == [[4.0, 2.5]]


def test_overlaps_count_as_logged_and_are_told_with_their_hours():
    base = weeks(2)  # ana: 09:00 to 10:00 on the first Monday
    write("log.csv", TIME, *base, entry("ana", "Nord", "2025-03-03 09:30", 2))
    result = panel()
    assert result.values[0, 0] == 32
    assert result.odd["overlap"] == (1, ("0.5",))


def test_on_a_night_of_the_clocks_the_duration_of_the_tool_counts():
    """On 30 March 2025 it was 01:30 and an hour later 03:30 in Paris; 90 minutes are no clock."""
    base = weeks(5)
    night = entry("ana", "Nord", "2025-03-30 01:30", 1, end="2025-03-30 03:30")
    other = entry("ana", "Nord", "2025-03-29 01:30", 1, end="2025-03-29 04:00")
    write("log.csv", TIME, *base, night, other)
    result = panel()
    assert result.values[0, 3] == 32
    assert told(result) == {"clock": (str(len(base) + 2),), "differ": (str(len(base) + 3),)}
    back = entry("ana", "Nord", "2025-10-26 02:50", 0.5, end="2025-10-26 02:20")
    write("log.csv", TIME, *base, back)
    assert set(told(panel(day=datetime.date(2025, 11, 1)))) >= {"clock"}


# --- Teams, columns, values


def test_people_are_mapped_to_teams_and_nobody_is_named():
    write("log.csv", TIME, *weeks(), entry("kim", "", "2025-03-04 09:00", 5))
    write("teams.csv", "person,team", "ANA,Rot", "Ben,rot", "zoë,Blau")
    result = panel(unit="user", teams="teams.csv")
    assert result.units == ("Blau", "Rot")
    assert result.values.sum() == 4 * 45
    assert result.odd == {"unmapped": (1, ("62",))}  # a row of the log, no name
    seen = repr((result.units, result.odd)).lower()
    assert not any(name in seen for name in ("ana", "ben", "zoe", "kim"))


def test_a_person_in_two_teams_is_refused_without_the_name():
    write("log.csv", TIME, *weeks())
    write("teams.csv", "person,team", "ana,Rot", "ben,Rot", "Ana,Blau")
    problem = refused("member_twice", DataError, unit="user", teams="teams.csv")
    assert (problem.file, problem.row, problem.values["first"]) == ("teams.csv", 4, 2)
    assert "ana" not in problem.text().lower()


@pytest.mark.parametrize("unit", ["user", "Utilisateur", "person"])
def test_people_are_no_teams(unit):
    head = TIME.replace("User", "Utilisateur") if unit == "Utilisateur" else TIME
    write("log.csv", head, *weeks())
    problem = refused("personal", SpecError, unit=unit)
    assert "of teams, not of people" in problem.text()
    refused("personal", SpecError, only={unit: ["ana"]})


def test_the_most_frequent_writing_names_a_team():
    write(
        "log.csv", TIME, *weeks(users=(("a", "Nord"), ("b", "nord "), ("c", "NORD"), ("d", "Nord")))
    )
    assert panel().units == ("Nord",)


def test_columns_and_values_that_are_not_there_are_refused_with_what_is_near():
    write("log.csv", TIME, *weeks())
    problem = refused("unknown_near", SpecError, unit="Grup")
    assert problem.values["near"] == "Group"
    assert problem.field == "measure.unit"
    problem = refused("unknown_near", SpecError, only={"projet": ["Triage"]})
    assert problem.values["near"] == "Project"
    problem = refused("unknown_near", SpecError, only={"project": ["Triag"]})
    assert (problem.values["near"], problem.field) == ("Triage", "measure.only.project")
    problem = refused("unknown", SpecError, only={"project": ["Sales"]})
    assert problem.values["names"] == ["Triage"]


def test_values_of_a_list_column():
    head = TIME.replace("Type", "Tags")
    rows = [row.replace(",Regular,", ',"bug, Été",') for row in weeks(1)]
    rows += [row.replace(",Regular,", ",idea,") for row in weeks(2)[15:]]
    write("log.csv", head, *rows)
    assert panel(only={"tags": ["ete"]}).values.tolist() == [[30, 0], [15, 0]]


def test_a_row_of_two_teams_is_left_out_and_told():
    head = "Date,Client,Project,Task,Hours,First Name,Last Name,Teams"
    rows = [f"{MONDAY + datetime.timedelta(n)},,P,T,2,Ana,B,Nord" for n in range(12)]
    write("log.csv", head, *rows, '2025-03-04,,P,T,2,Ana,B,"Nord, Sud"')
    result = panel(unit="teams")
    assert result.values.tolist() == [[14, 10]]
    assert told(result) == {"several": ("14",)}


def test_nothing_left_is_refused():
    write("log.csv", TIME, *weeks(2), *weeks(1, (("kim", "Ost"),)))
    problem = refused("none_left", DataError, since=datetime.date(2025, 3, 5))
    assert "1 June 2025" in problem.text()
    assert "`since`" in problem.text("fr")
    assert told(panel())["short"] == ("Ost",)
    assert panel().units == ("Nord", "Süd")


@pytest.mark.parametrize(
    ("quantity", "more", "key"),
    [
        ("elapsed", {}, "cannot_time_entries"),
        ("share", {"holds": {"project": ["Triage"]}}, "cannot_time_entries"),
        ("count", {"per": "person"}, "no_people"),
    ],
)
def test_what_logged_time_cannot_tell(quantity, more, key):
    write("log.csv", TIME, *weeks())
    refused(key, SpecError, quantity=quantity, **more)


def test_two_kinds_and_no_kind():
    write("log.csv", TIME, *weeks())
    write("tickets.csv", TICKETS, *tickets())
    refused("two_kinds", DataError, ["log.csv", "tickets.csv"])
    write("other.csv", "a,b", "1,2", "3,4")
    assert "change-panel" in refused("no_kind", DataError, "other.csv").text()


# --- Periods and starts


def test_only_whole_periods_count_and_a_weekend_is_no_work():
    rows = [row for row in weeks(4) if "2025-03-03" not in row and "2025-03-28" not in row]
    write("log.csv", TIME, *rows)
    result = panel()
    assert [str(day) for day in result.periods] == ["2025-03-10", "2025-03-17"]
    assert told(result) == {"cut": ("2025-03-03", "2025-03-24")}
    assert len(panel(day=datetime.date(2025, 3, 23)).periods) == 2
    assert len(panel(day=datetime.date(2025, 3, 30)).periods) == 2
    write("log.csv", TIME, *weeks(4))
    assert len(panel(day=datetime.date(2025, 3, 30)).periods) == 4
    assert len(panel(day=datetime.date(2025, 3, 29)).periods) == 3  # a week that is not over
    since = panel(since=datetime.date(2025, 3, 10))
    assert (since.periods[0], since.odd) == (datetime.date(2025, 3, 10), {})
    assert told(panel(since=datetime.date(2025, 3, 11))) == {"cut": ("2025-03-10",)}


def test_months():
    write("log.csv", TIME, *weeks(14))
    result = panel(period="month", day=datetime.date(2025, 7, 1))
    frame = pd.read_csv("log.csv")
    hours = pd.to_timedelta(frame["Duration (h)"]).dt.total_seconds() / 3600
    months = pd.to_datetime(frame["Start Date"]).dt.to_period("M").astype(str)
    expected = hours[frame["Group"] == "Nord"].groupby(months).sum()
    assert result.periods == tuple(datetime.date(2025, month, 1) for month in (3, 4, 5))
    assert result.values[0].tolist() == expected.to_list()[:3]  # 1 and 2 March: a weekend
    assert told(result) == {"cut": ("2025-06-01",)}


@pytest.mark.parametrize(
    ("start", "position", "begun"),
    [
        ("2025-03-17", 2, None),  # a Monday
        ("2025-03-18", 3, 2),
        ("2025-03-23", 3, 2),  # a Sunday
        ("2025-03-03", 0, None),
        ("2024-12-31", 0, None),
        ("2025-03-25", 4, 3),
        ("2025-04-01", 4, None),
    ],
)
def test_a_start_within_a_week_counts_as_of_the_next(start, position, begun):
    write("log.csv", TIME, *weeks(4))
    pilot = {"chosen": "volunteers", "starts": {"SUD": datetime.date.fromisoformat(start)}}
    result = panel(pilot=pilot)
    assert result.starts.tolist() == [4, position]
    assert np.flatnonzero(np.isnan(result.values[1])).tolist() == ([] if begun is None else [begun])
    assert not np.isnan(result.values[0]).any()
    assert result.odd == {}


def test_everybody_starts_at_once():
    write("log.csv", TIME, *weeks(4))
    pilot = {"chosen": "everybody", "start": datetime.date(2025, 3, 18)}
    assert panel(pilot=pilot).starts.tolist() == [3, 3]


def test_a_start_of_a_team_that_logs_nothing_is_refused():
    write("log.csv", TIME, *weeks(4))
    pilot = {"chosen": "drawn", "starts": {"Nordd": MONDAY}}
    problem = refused("unknown_near", SpecError, pilot=pilot)
    assert (problem.values["near"], problem.field) == ("Nord", "pilot.starts")


def test_teams_that_come_late_and_go_early():
    write("log.csv", TIME, *weeks(4, skip={("Süd", 0), ("Nord", 3)}))
    assert told(panel()) == {"gone": ("Nord",), "late": ("Süd",)}


# --- Tickets


def ticket(number, created, ended="", status=None, resolution="", squad="Core"):
    status = status or ("Done" if ended else "In Progress")
    return f"T-{number},{status},{created},{ended},{resolution},{squad}"


def tickets(count=10):
    """Return a ticket a day, which takes 1 to 5 days, of two squads."""
    return [
        ticket(
            f"{week}{day}{squad[0]}",
            f"{MONDAY + datetime.timedelta(7 * week + day)} 09:00",
            f"{MONDAY + datetime.timedelta(7 * week + 2 * day + 1)} 09:00",
            squad=squad,
        )
        for week in range(count)
        for day in range(5)
        for squad in ("Core", "Web")
    ]


def elapsed(*rows, day=DAY, **measure):
    write("log.csv", TICKETS, *rows)
    return panel(day=day, **{"quantity": "elapsed", "unit": "squad"} | measure)


def test_elapsed_days_by_week_of_creation_and_nobody_calls_them_work():
    result = elapsed(*tickets())
    assert result.values[0, 0] == pytest.approx(gmean([1, 2, 3, 4, 5]), rel=1e-9)
    assert not result.effort
    # the last end is on 14 May: a week is known when four more have passed
    last = datetime.date(2025, 5, 14) - datetime.timedelta(28)
    assert result.periods[-1] + datetime.timedelta(7) <= last
    assert result.odd["young"][0] > 0


def test_open_tickets_count_as_long_as_they_were_watched():
    rows = [
        *tickets(),
        ticket("open", "2025-03-04 10:00"),
        ticket("slow", "2025-03-04", "2025-05-01"),
    ]
    result = elapsed(*rows)
    assert result.values[0, 0] == pytest.approx(gmean([1, 2, 3, 4, 5, 28, 28]), rel=1e-9)
    shorter = elapsed(*rows, follow_up_days=3)
    assert shorter.values[0, 0] == pytest.approx(gmean([1, 2, 3, 3, 3, 3, 3]), rel=1e-9)
    assert len(shorter.periods) > len(result.periods)


def test_as_of_a_day_what_ended_later_was_open():
    base, day = tickets(4), datetime.date(2025, 3, 23)
    early = elapsed(*base, day=day, follow_up_days=4)
    then = [row.split(",") for row in base if row.split(",")[2] < "2025-03-24"]
    known = [[*row[:3], row[3] if row[3] < "2025-03-24" else "", *row[4:]] for row in then]
    same = elapsed(*map(",".join, known), follow_up_days=4)
    assert early.values[:, : len(same.periods)].tolist() == same.values.tolist()
    assert early.values[0].tolist() == pytest.approx([gmean([1, 2, 3, 4, 4])] * 2)


def test_what_is_odd_about_a_ticket():
    rows = {
        "cancelled": ticket("a", "2025-03-04 09:00", "2025-03-05 09:00", resolution="Won't Do"),
        "undated": ticket("b", "2025-03-04 09:00", "", status="Done"),
        "negative": ticket("c", "2025-03-04 09:00", "2025-03-02 09:00"),
        "zeros": ticket("d", "2025-03-04 09:00", "2025-03-04 09:00"),
        "twice": tickets()[0],
        "future": ticket("e", "2026-03-04 09:00"),
    }
    base = tickets()
    result = elapsed(*base, *rows.values())
    seen = told(result)
    young = seen.pop("young")
    assert seen.pop("cut") == ("2025-04-14",)  # of which some are too young
    assert young[0] == str(base.index(next(row for row in base if row.startswith("T-63C"))) + 2)
    expected = {name: (str(len(base) + 2 + at),) for at, name in enumerate(rows)}
    assert seen == expected
    assert result.values[0, 0] == pytest.approx(gmean([1, 2, 3, 4, 5]), rel=1e-9)


@pytest.mark.parametrize("word", ["Cancelled", "Annulé", "Duplicate", "Won't fix", "Abandonné"])
def test_words_for_what_was_never_done(word):
    base = tickets()
    status = elapsed(*base, ticket("x", "2025-03-04 09:00", "2025-03-05 09:00", status=word))
    assert told(status)["cancelled"] == (str(len(base) + 2),)


def test_a_ticket_with_other_dates_in_one_file_is_refused_and_a_newer_file_has_the_last_word():
    base = tickets()
    write("log.csv", TICKETS, *base, ticket("00C", "2025-03-04 09:00"))
    problem = refused("ticket_twice", DataError, quantity="elapsed", unit="squad")
    assert (problem.row, problem.values["first"]) == (len(base) + 2, 2)
    write("old.csv", TICKETS, ticket("00C", "2025-03-03 09:00"))
    write("log.csv", TICKETS, *base)
    result = panel(["old.csv", "log.csv"], quantity="elapsed", unit="squad")
    assert result.values[0, 0] == pytest.approx(gmean([1, 2, 3, 4, 5]), rel=1e-9)
    assert told(result)["twice"] == ("old.csv 2",)


def test_tickets_a_week_and_a_week_without_any_is_zero():
    rows = [row for row in tickets(4) if "2025-03-1" not in row.split(",")[2] or "Web" in row]
    result = elapsed(*rows, quantity="count")
    frame = pd.DataFrame([row.split(",") for row in rows], columns=TICKETS.split(","))
    week = pd.to_datetime(frame["Created"]).dt.to_period("W")
    expected = pd.crosstab(frame["Custom field (Squad)"], week)
    assert (
        result.values.tolist()
        == expected.reindex(columns=week.drop_duplicates()).to_numpy().tolist()
    )
    assert told(result)["empty"] == ("Core 2025-03-10",)


def test_tickets_that_were_cancelled_later_count_as_created():
    row = ticket("x", "2025-03-04 09:00", "2025-03-05 09:00", status="Cancelled")
    result = elapsed(*tickets(4), row, quantity="count")
    assert result.values[0, 0] == 6
    assert "cancelled" not in result.odd


def test_the_share_that_ended_in_time_is_of_those_that_are_old_enough():
    rows = [*tickets(4), ticket("o", "2025-03-04 10:00"), ticket("new", "2025-04-01 09:00")]
    result = elapsed(*rows, quantity="share", within_days=2)
    assert result.values[:, 0].tolist() == [pytest.approx(2 / 6), pytest.approx(2 / 5)]
    both = elapsed(*rows, quantity="share", within_days=2, holds={"status": ["In progress"]})
    assert both.values[0, 0] == 0
    assert told(result)["young"] == ("43",)


def test_what_tickets_cannot_tell():
    write("log.csv", TICKETS, *tickets())
    problem = refused("cannot_tickets", SpecError, quantity="hours", unit="squad")
    assert "not how much work" in problem.text()
    refused("no_share", SpecError, quantity="share", unit="squad")
    write("log.csv", "Issue key,Status,Created,Squad", *(f"A-{n},x,2025-03-0{n},a" for n in (3, 4)))
    refused("no_ends", SpecError, quantity="elapsed", unit="squad")


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("ID,Team,Title,Status,Created,Started,Completed,Canceled", "{n},Core,t,Done,{c},,{e},"),
        (
            "ID,Work Item Type,State,Area Path,Created Date,Closed Date",
            "{n},Bug,Closed,Core,{c},{e}",
        ),
        (
            "Id,Requester,Group,Status,Created at,Solved at,First reply time in minutes",
            "{n},r,Core,Solved,{c},{e},5",
        ),
        (
            "Conversation ID,Conversation started at (UTC),First message,Last closed at,Team assigned",
            "{n},{c},hello,{e},Core",
        ),
    ],
    ids=["linear", "azure", "zendesk", "intercom"],
)
def test_each_tool_tells_elapsed_days(head, row):
    lines = [
        row.format(n=n, c=f"{day} 09:00:00", e=f"{day + datetime.timedelta(1 + n % 4)} 09:00:00")
        for n in range(70)
        for day in [MONDAY + datetime.timedelta(n)]
    ]
    write("log.csv", head, *lines)
    unit = next(name for name in ("Team assigned", "Team", "Area Path", "Group") if name in head)
    result = panel(quantity="elapsed", unit=unit)
    assert result.values[0, 0] == pytest.approx(gmean([1, 2, 3, 4, 1, 2, 3]), rel=1e-9)


# --- Calendars


def calendar(name, *events):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for number, (start, end) in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{name}{number}", "SUMMARY:Sync", f"DTSTART:{start}"]
        lines += [f"DTEND:{end}", "END:VEVENT"]
    return write(name, *lines, "END:VCALENDAR")


def test_meetings_of_calendars_that_are_a_team_each():
    days = [MONDAY + datetime.timedelta(n) for n in (0, 1, 7, 14, 18)]
    events = [(f"{day:%Y%m%d}T090000", f"{day:%Y%m%d}T103000") for day in days]
    calendar("nord.ics", *events, (f"{MONDAY:%Y%m%d}T100000", f"{MONDAY:%Y%m%d}T110000"))
    calendar("sud.ics", events[0], *events[3:])
    result = panel(["nord.ics", "sud.ics"], unit="file")
    assert result.units == ("nord", "sud")
    assert result.values.tolist() == [[3.5, 1.5, 3.0], [1.5, 0, 3.0]]
    assert result.effort
    assert told(result) == {"empty": ("sud 2025-03-10",)}
    refused("cannot_meetings", SpecError, ["nord.ics", "sud.ics"], unit="file", quantity="count")


def test_an_outlook_calendar_by_category():
    head = "Subject;Start Date;Start Time;End Date;End Time;All day event;Categories"
    rows = [
        f"Sync;{day:%Y-%m-%d};09:00;{day:%Y-%m-%d};10:30;False;Core"
        for day in (MONDAY + datetime.timedelta(n) for n in range(12))
    ]
    write("log.csv", head, *rows)
    assert panel(unit="categories").values.tolist() == [[10.5, 7.5]]


# --- A table of one's own


def test_a_table_of_ones_own_takes_any_day_of_the_week():
    write(
        "log.csv",
        "Équipe;Semaine;Valeur;Lignes",
        "Nord;2025-03-05;1,5;4",
        "Nord;2025-03-10;2,5;6",
        "Sud;2025-03-09;3;1",
        "Sud;2025-03-16;;2",
        "Sud;2025-03-17;5;2",
    )
    result = panel(unit="équipe", quantity="minutes")
    assert result.units == ("Nord", "Sud")
    assert result.values.tolist()[0][:2] == [1.5, 2.5]
    assert np.isnan(result.values).tolist() == [[False, False, True], [False, True, False]]
    assert result.rows.tolist() == [[4, 6, 0], [1, 0, 2]]
    assert told(result) == {"blank": ("5",), "gaps": ("Sud 2025-03-10",), "gone": ("Nord",)}
    assert result.effort
    assert not panel(unit="équipe", quantity="elapsed").effort
    assert told(panel(unit="équipe", quantity="hours", day=datetime.date(2025, 3, 20)))["cut"] == (
        "2025-03-17",
    )


def test_a_team_and_week_twice_are_refused_with_both_rows():
    write("log.csv", "team,week,value", "a,2025-03-03,1", "a,2025-03-10,2", "A,2025-03-12,3")
    problem = refused("cell_twice", DataError, unit="team")
    assert (problem.row, problem.values["first"]) == (4, 3)


def test_a_share_above_one_is_refused():
    write("log.csv", "team,week,value", "a,2025-03-03,0.5", "a,2025-03-10,45")
    assert refused("share_above", DataError, unit="team", quantity="share").row == 3


# --- Files of the tools


def test_weeks_are_those_of_the_zone():
    """Sunday 23:30 in UTC is Monday in Paris."""
    base = tickets(3)
    write("log.csv", TICKETS, *base, ticket("x", "2025-03-09 23:30", "2025-03-11 23:30"))
    assert panel(quantity="count", unit="squad").values[0].tolist() == [6, 5, 5]
    head = "ID,Team,Title,Status,Created,Started,Completed,Canceled"
    rows = [
        f"{n},Core,t,Done,{MONDAY + datetime.timedelta(n)}T09:00:00.000Z,,," for n in range(12)
    ] + ["99,Core,t,Done,2025-03-09T23:30:00.000Z,,,"]
    write("log.csv", head, *rows)
    review = spec(quantity="count", unit="team")
    paris = review.changed(data={"path": "log.csv", "timezone": "Europe/Paris"})
    assert read_panel(review, DAY).values.tolist() == [[8, 5]]
    assert read_panel(paris, DAY).values.tolist() == [[7, 6]]


@pytest.mark.parametrize(
    "name",
    ["clockify_detailed_en.csv", "clockify_detailed_fr_excel_cp1252.csv", "harvest_detailed.csv"],
)
def test_four_tools_tell_the_same_work(name):
    folder = REAL / "ops" / "formats"
    if not (folder / "toggl_detailed.csv").is_file():
        pytest.skip("the shared exports are not there; name their folder in OPSLAB_REAL_DATA")
    people = pd.read_csv(folder / "toggl_detailed.csv")["User"].unique()
    teams = [f"{person},{('Rot', 'Blau')[at % 2]}" for at, person in enumerate(people)]
    write("teams.csv", "person,team", *teams)
    first, other = (
        panel(str(folder / file), unit="person", teams="teams.csv")
        for file in ("toggl_detailed.csv", name)
    )
    assert (other.units, other.periods) == (first.units, first.periods)
    assert other.rows.tolist() == first.rows.tolist()
    within = 0.005 * first.rows if "harvest" in name else 1e-9
    assert (abs(other.values - first.values) <= within).all()


@pytest.mark.parametrize(
    ("word", "doubted"), [("Discarded", True), ("In Progress", True), ("Terminé(e)", False)]
)
def test_an_end_whose_status_is_not_known_to_be_done_is_told(word, doubted):
    base = tickets()
    status = elapsed(*base, ticket("x", "2025-03-04 09:00", "2025-03-05 09:00", status=word))
    assert told(status).get("doubtful") == ((str(len(base) + 2),) if doubted else None)
