"""What real exports do to a history: filters, strays, ties, doubts of clocks; each by its kind."""

import datetime

import numpy as np
import pytest

from opslab.errors import DataError
from opslab.operations.flow.export import read_history
from opslab.operations.flow.spec import Flow
from opslab.operations.flow.stages import reopened
from opslab.operations.flow.statuses import kind_of

HEAD = "issue_key,changed_at,from_status,to_status\n"
STAGES = (
    {"stage": "To Do", "kind": "backlog"},
    {"stage": "In Progress", "kind": "active"},
    {"stage": "In Review", "kind": "waiting"},
    {"stage": "Done", "kind": "done"},
)
FIRST = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)
JIRA = "Issue key,Summary,Status,Issue Type,Parent key,Resolution,Created,Updated,Resolved\n"


def at(days):
    return f"{FIRST + datetime.timedelta(days):%Y-%m-%dT%H:%M:%SZ}"


def number(days):
    return (FIRST - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) / datetime.timedelta(
        1
    ) + days


ACTIVITIES = (
    "case:concept:name,concept:name,lifecycle:transition,time:timestamp\n"
    f"c,Check,start,{at(0)}\nc,Check,complete,{at(1)}\n"
)


def read(folder, text, changes=None, **fields):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    if changes:
        (folder / "h.csv").write_text(changes, encoding="utf-8")
        fields["history"] = {"path": str(folder / "h.csv")}
    return read_history(Flow(flow="F", tickets={"path": str(folder / "t.csv")}, **fields))


def moves(key, *steps):
    """Return rows of a ticket that goes on through the stages at those days."""
    names = ["", *(stage["stage"] for stage in STAGES)]
    return [
        f"{key},{at(day)},{before},{name}\n"
        for day, before, name in zip(steps, names, names[1:], strict=False)
    ]


def team(tickets=60, spent=(4, 6, 9)):
    """Return a list of rows for each ticket of a team that starts one every other day."""
    return [
        moves(f"A-{n}", 2 * n, 2 * n + 1, 2 * n + 2, 2 * n + spent[n % len(spent)])
        for n in range(tickets)
    ]


def flat(rows):
    return HEAD + "".join(row for ticket in rows for row in ticket)


def ends(told):
    """Return the status in which each ticket ends."""
    last = np.isnan(told.left)
    return [str(told.statuses[n]) for n in told.status[last]]


def test_what_was_filtered_is_seen(tmp_path):
    rows = team(120, (20, 50, 80))
    last = number(240)
    running = [
        [row for row in ticket if row.split(",")[1] < at(240)] for ticket in rows if ticket[0]
    ]
    whole = read(tmp_path, flat(running), stages=STAGES)
    assert (whole.filtered, np.isnan(whole.complete_from)) == ("", True)
    assert last - 2 < whole.end <= last
    recent = [ticket for ticket in running if ticket[-1].split(",")[1] > at(180)]
    told = read(tmp_path, flat(recent), stages=STAGES)
    assert told.filtered == "recent"
    assert number(180) <= told.complete_from < number(183)
    assert told.start < number(110)
    day = datetime.date(1970, 1, 1) + datetime.timedelta(int(told.complete_from))
    begun = read(tmp_path, flat(recent), stages=STAGES, period=(day, datetime.date(2026, 12, 31)))
    assert begun.filtered == ""
    over = [ticket for ticket in running if "Done" in ticket[-1]]
    assert read(tmp_path, flat(over), stages=STAGES).filtered == "done_only"


def test_two_files_that_disagree(tmp_path):
    rows = team(9)
    tickets = "Issue key,Summary,Status,Created\n" + "".join(
        f"A-{n},x,{'In Progress' if n == 8 else 'Done'},{at(2 * n)}\n" for n in range(9)
    )
    rows[3] = rows[3][:-1]  # its Done is missing, as that of A-8 should be
    told = read(tmp_path, tickets, flat(rows), stages=STAGES)
    assert told.flags == {"disagree": (5, 10)}


def test_a_tie_is_put_in_the_order_of_the_work(tmp_path):
    rows = team()
    for ticket in rows[::3]:
        ticket[2] = ticket[2].replace(ticket[2].split(",")[1], ticket[3].split(",")[1])
        ticket[2:] = ticket[:1:-1]
    told = read(tmp_path, flat(rows), stages=STAGES)
    assert ends(told) == ["Done"] * 60
    assert len(told.flags["same_instant"]) == 20
    assert "skipped" not in told.flags
    loop = [
        f"B-1,{at(0)},,To Do\n",
        f"B-1,{at(1)},In Review,To Do\n",
        f"B-1,{at(1)},In Progress,In Review\n",
        f"B-1,{at(1)},To Do,In Progress\n",
        f"B-1,{at(2)},To Do,Done\n",
    ]
    told = read(tmp_path, flat([loop]), stages=STAGES)
    names = [told.statuses[n] for n in told.status]
    assert names == ["To Do", "In Progress", "In Review", "To Do", "Done"]


def test_a_gap_in_the_chain_is_flagged(tmp_path):
    rows = team(5)
    del rows[2][2]
    assert read(tmp_path, flat(rows), stages=STAGES).flags == {"skipped": (12,)}


def test_hours_that_clocks_tell_twice_or_skip(tmp_path):
    text = (
        "A-1,2026-03-29 01:30,,To Do\nA-1,2026-03-29 02:30,To Do,In Progress\n"
        "A-1,2026-10-25 01:30,In Progress,In Review\nA-1,2026-10-25 02:30,In Review,To Do\n"
        "A-1,2026-10-25 03:30,To Do,Done\n"
    )
    (tmp_path / "t.csv").write_text(HEAD + text)
    for zone, rows in (("Europe/Paris", (3, 5)), ("UTC", None)):
        path = {"path": str(tmp_path / "t.csv"), "timezone": zone}
        told = read_history(Flow(flow="F", tickets=path, stages=STAGES))
        assert told.flags.get("clock") == rows


def test_a_mistyped_year_moves_nothing(tmp_path):
    rows = team()
    plain = read(tmp_path, flat(rows), stages=STAGES)
    rows[3][3] = rows[3][3].replace("2026-", "2052-")
    rows.append(["Z-1,1970-01-01T00:00:00Z,,To Do\n"])
    told = read(tmp_path, flat(rows), stages=STAGES)
    assert told.flags == {"far": (17, 242)}
    assert (told.start, told.end) == (plain.start, plain.end)
    assert ends(told).count("In Review") == 1
    jira = JIRA + "".join(
        f"A-{n},x,Done,Task,,Done,{'1970-01-01T00:00Z' if n == 7 else at(n)},,{at(n + 2)}\n"
        for n in range(30)
    )
    told = read(tmp_path, jira)
    assert told.flags == {"far": (9,)}
    assert told.start == number(0)
    assert np.nanmin(told.created) == number(0)


def test_the_end_is_the_last_dated_row_of_any_kind(tmp_path):
    rows = [row.replace(",", ",{},", 1) for ticket in team(20) for row in ticket]
    head = "issue_key,changed_at,Field,From String,To String\n"
    text = head + "".join(
        ",".join([(cells := row.replace("{},", "").split(","))[0], cells[1], "status", *cells[2:]])
        for row in rows
    )
    told = read(tmp_path, f"{text}A-1,{at(200)},assignee,Ada,Ben\n", stages=STAGES)
    assert told.end == number(200)
    day = datetime.date(2026, 8, 1)
    accept = {"fresh": "nothing happened"}
    later = read(tmp_path, text, stages=STAGES, date=day)
    still = read(tmp_path, text, stages=STAGES, date=day, accept=accept)
    assert later.end < number(60)
    assert still.period[1] == day
    jira = JIRA + "".join(f"A-{n},x,Done,Task,,Done,{at(n)},{at(90)},{at(2)}\n" for n in range(3))
    assert read(tmp_path, jira).end == number(90)


def test_rows_that_the_reader_left_out_are_undated(tmp_path):
    rows = team()
    for ticket in rows[:3]:
        ticket[3] = ticket[3].replace(ticket[3].split(",")[1], "n/a")
    assert read(tmp_path, flat(rows), stages=STAGES).flags["undated"] == (5, 9, 13)


def test_a_resolution_does_not_end_what_is_in_progress(tmp_path):
    text = JIRA + "".join(
        f"A-{n},x,{status},Task,,Done,{at(n)},,{at(n + 3)}\n"
        for n, status in enumerate(["In Progress", "En cours", "In Arbeit", "Done", "Terminé"])
    )
    told = read(tmp_path, text)
    assert told.flags["resolved_open"] == (2, 3, 4)
    assert ends(told).count("Done") == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *dict.fromkeys(("Abgebrochen", "Abgelehnt", "Wird nicht erledigt"), "cancelled").items(),
        *dict.fromkeys(("Won't Fix", "Cannot Reproduce", "Not a bug"), "cancelled").items(),
        *dict.fromkeys(("Refusée", "Sans suite", "Closed as duplicate"), "cancelled").items(),
        *dict.fromkeys(("Erledigt", "Fertig", "Livré en prod", "2. Done"), "done").items(),
        *dict.fromkeys(("Done - deployed to prod", "Mise en production"), "done").items(),
        *dict.fromkeys(("Zu erledigen", "Offen", "1. To Do"), "backlog").items(),
        *dict.fromkeys(("In Arbeit", "Doing", "En développement"), "active").items(),
        *dict.fromkeys(("Rejected by QA", "Rejeté en recette", "Duplicate check")).items(),
    ],
)
def test_what_names_say(name, kind):
    assert kind_of(name) == kind


def test_reasons_tell_what_was_cancelled(tmp_path):
    reasons = ("Cannot Reproduce", "Incomplete", "Known Error", "Not a bug", "Won't Fix")
    reasons += ("Duplicate", "Obsolete", "Declined", "Wird nicht erledigt", "Fixed", "Fertig")
    text = JIRA + "".join(
        f"A-{n:02},x,Closed,Task,,{reason},{at(n)},,{at(n + 3)}\n"
        for n, reason in enumerate(reasons)
    )
    assert ends(read(tmp_path, text)) == [*["Cancelled"] * 9, "Done", "Done"]


def test_stages_that_nobody_entered_and_dates_behind_them(tmp_path):
    text = (
        "ID,Link,Name,To Do,In Progress,Verified,Closed,Due date,Type\n"
        "A,,a,2026-03-02,2026-03-02,,2026-03-04,2027-01-01,Bug\n"
        "B,,b,2026-03-03,2026-03-04,,,2027-01-01,Task\n"
    )
    told = read(tmp_path, text)
    assert told.statuses == ("To Do", "In Progress", "Closed")
    assert told.end < number(60)
    stages = (*STAGES[:2], {"stage": "Verified", "kind": "waiting"})
    told = read(tmp_path, text, stages=(*stages, {"stage": "Closed", "kind": "done"}))
    assert ends(told) == ["Closed", "In Progress"]


@pytest.mark.parametrize(
    ("text", "changes", "fields", "message"),
    [
        (f"issue_key,changed_at,Field,To String\nA-1,{at(0)},Sprint,2\n", None, {}, "Sprint"),
        (
            f"Issue key,Summary,Status,Created\nB-1,x,Done,{at(0)}\n",
            f"{HEAD}A-1,{at(1)},,Done\n",
            {},
            "No key.*A-1 and B-1",
        ),
        (f"{HEAD}A-1,{at(0)},,Done\n", None, {"date": "2026-01-01"}, "first change is of"),
        (
            ACTIVITIES,
            None,
            {},
            "activities are no statuses",
        ),
    ],
)
def test_refusals_give_the_reason(tmp_path, text, changes, fields, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, changes, **fields)


def test_reopens_are_read_where_a_tool_counts_them(tmp_path):
    text = "Id,Requester,First reply time in minutes,Status,Created at,Solved at,Reopens\n"
    text += "".join(f"{n},a,3,Solved,{at(n)},{at(n + 1)},{n % 4 // 2}\n" for n in range(8))
    text += f"9,a,3,Open,{at(9)},,2\n"
    told = read(tmp_path, text)
    assert "reopened" not in told.lacks
    assert reopened(told).value == 4 / 8


def test_parents_are_told_and_what_ended_before_the_period_is_not(tmp_path):
    text = JIRA + "".join(
        f"A-{n},x,Done,Task,{'a-1' if n > 1 else ''},Done,{at(n)},,{at(n + 20)}\n" for n in range(6)
    )
    assert read(tmp_path, text).flags == {"epics": (3,)}
    days = (datetime.date(2026, 1, 28), datetime.date(2026, 3, 1))  # of day 23
    told = read(tmp_path, text, period=days)
    assert told.keys.tolist() == ["A-3", "A-4", "A-5"]


def test_creation_that_nothing_tells_is_lacking(tmp_path):
    rows = [ticket[1:] for ticket in team(5)]
    assert read(tmp_path, flat(rows), stages=STAGES).lacks == ("created",)


def test_a_history_without_a_change_of_any_ticket_is_refused(tmp_path):
    with pytest.raises(DataError, match="No ticket has a date"):
        read(tmp_path, f"{JIRA}A-1,Fix,To Do,Bug,,,2026-01-05 09:00,2026-01-06 09:00,\n", HEAD)
