"""Exports of ticket tools become one history: each shape, each fault by its rows, and real files."""

import datetime
import json
import os
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from opslab.errors import DataError
from opslab.operations.flow.export import read_history
from opslab.operations.flow.spec import Flow
from opslab.operations.flow.statuses import kind_of

SAMPLE = ROOT / "data" / "sample"
HEAD = "issue_key,changed_at,from_status,to_status\n"
STAGES = (
    {"stage": {"en": "To Do", "fr": "À faire"}, "kind": "backlog"},
    {"stage": "Doing", "kind": "active", "also": ["In Progress"]},
    {"stage": "Done", "kind": "done"},
)


def shared(name):
    root = (
        os.environ.get("OPSLAB_REAL_DATA")
        or Path(__file__).resolve().parents[3] / "shared" / "data"
    )
    path = Path(root) / "ops" / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand; name its folder in OPSLAB_REAL_DATA")
    return path


def day(text):
    return pd.Timestamp(text, tz="UTC").timestamp() / 86_400


def history(folder, text, changes=None, tickets=None, **fields):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    if changes:
        (folder / "h.csv").write_text(HEAD + changes, encoding="utf-8")
        fields["history"] = {"path": str(folder / "h.csv")}
    path = {"path": str(folder / "t.csv"), **(tickets or {})}
    return read_history(Flow(flow="F", tickets=path, **fields))


def path_of(told, key):
    """Return the statuses of a ticket in the order of its visits."""
    (at,) = np.nonzero(told.keys == key)[0]
    return [str(told.statuses[n]) for n in told.status[told.ticket == at]]


def log(*rows):
    return HEAD + "".join(f"{row}\n" for row in rows)


def test_changes_become_visits(tmp_path):
    told = history(
        tmp_path,
        log(
            "A-1,2026-03-02T10:00:00Z,,To Do",
            "A-1,2026-03-03T10:00:00Z,To Do,In Progress",
            "A-1,2026-03-04T22:00:00Z,In Progress,Done",
            "A-2,2026-03-02T12:00:00Z,,To Do",
        ),
    )
    assert told.keys.tolist() == ["A-1", "A-2"]
    assert (told.statuses, told.kinds) == (
        ("To Do", "In Progress", "Done"),
        ("backlog", "active", "done"),
    )
    np.testing.assert_allclose(told.left - told.entered, [1, 1.5, np.nan, np.nan])
    assert told.start == day("2026-03-02 10:00")
    assert told.end == day("2026-03-04 22:00")
    assert (told.shape, told.tool, told.lacks, told.flags) == (
        "changes",
        "Jira status history",
        (),
        {},
    )
    assert set(told.assumed) == set(told.statuses)
    np.testing.assert_allclose(told.created, [day("2026-03-02 10:00"), day("2026-03-02 12:00")])


def test_newest_first_and_mixed_tickets_are_read_in_the_order_of_time(tmp_path):
    rows = [
        "A-1,2026-03-02T10:00:00Z,,To Do",
        "B-1,2026-03-02T11:00:00Z,,To Do",
        "A-1,2026-03-03T10:00:00Z,To Do,In Progress",
        "B-1,2026-03-04T11:00:00Z,To Do,In Progress",
        "A-1,2026-03-05T10:00:00Z,In Progress,In Review",
        "A-1,2026-03-05T10:00:00Z,In Review,Done",
    ]
    forwards, backwards = (history(tmp_path, log(*order)) for order in (rows, rows[::-1]))
    for told in (forwards, backwards):
        assert path_of(told, "A-1") == ["To Do", "In Progress", "In Review", "Done"]
    np.testing.assert_array_equal(forwards.entered, backwards.entered)
    assert forwards.flags == {"same_instant": (7,)}
    assert backwards.flags == {"same_instant": (2,)}


def test_faults_are_flagged_by_their_rows(tmp_path):
    told = history(
        tmp_path,
        log(
            "A-1,2026-03-02T10:00:00Z,,To Do",
            "A-1,2026-03-03T10:00:00Z,To Do,In Progress",
            "A-1,2026-03-03T10:00:00Z,To Do,In Progress",
            "A-1,2026-03-04T10:00:00Z,In Progress,In Progress",
            "A-1,2026-03-05T10:00:00Z,In Progress,To Do",
            "A-1,2026-03-06T10:00:00Z,To Do,In Progress",
            "A-1,2026-03-09T10:00:00Z,In Progress,Done",
            " a-1 ,2026-03-20T10:00:00Z,Done,To Do",
            "A-2,2026-03-20T10:00:00Z,,To Do",
            "A-3,2026-03-05T10:00:00Z,,",
        ),
        date="2026-03-10",
    )
    assert told.flags == {"repeated": (4,), "loops": (5,), "later": (9, 10), "undated": (11,)}
    assert path_of(told, "A-1") == ["To Do", "In Progress", "To Do", "In Progress", "Done"]
    assert told.keys.tolist() == ["A-1"]
    assert told.end == day("2026-03-11")


def test_a_missing_first_change_is_told_by_its_status_before(tmp_path):
    tickets = (
        "Issue key,Summary,Status,Issue Type,Assignee,Created,Resolved\n"
        "A-1,one,Done,Bug,Ada,2026-03-02 10:00,2026-03-01 10:00\n"
        "A-2,two,To Do,Bug,,2026-03-03 10:00,\n"
        "A-3,three,Done,Task,Ben,2026-03-03 10:00,2026-03-04 10:00\n"
    )
    changes = "A-1,2026-03-04T10:00:00Z,To Do,In Progress\nA-1,2026-03-05T10:00:00Z,In Progress,Done\nZ-9,2026-03-05T10:00:00Z,,Done\n"
    told = history(tmp_path, tickets, changes, segments=("Issue Type",))
    assert path_of(told, "A-1") == ["To Do", "In Progress", "Done"]
    assert path_of(told, "A-2") == ["To Do"]
    assert told.flags == {"closed_early": (2,), "unchanged": (4,), "unmatched": (4,)}
    assert told.attributes["Issue Type"].tolist() == ["Bug", "Bug"]
    assert "assignee" not in told.attributes
    assert told.assignees == 2
    assert told.start == day("2026-03-04 10:00")  # A-1 was created before: it enters late
    np.testing.assert_allclose(told.created, [day("2026-03-02 10:00"), day("2026-03-03 10:00")])
    assert np.isnan(told.resolved).all()


def test_rows_of_tickets_with_dates(tmp_path):
    told = history(
        tmp_path,
        (
            "number,title,state,state_reason,created_at,closed_at,labels\n"
            '1,a,closed,completed,2026-03-02T10:00:00Z,2026-03-04T10:00:00Z,"bug,ui"\n'
            "2,b,closed,not_planned,2026-03-02T10:00:00Z,2026-03-05T10:00:00Z,\n"
            "3,c,open,,2026-03-03T10:00:00Z,,\n"
            "4,d,closed,completed,2026-03-03T10:00:00Z,2026-03-01T10:00:00Z,\n"
            "5,e,open,,2026-03-03T10:00:00Z,2026-03-04T10:00:00Z,\n"
            "6,f,closed,completed,2026-03-03T10:00:00Z,,\n"
        ),
    )
    assert told.keys.tolist() == ["1", "2", "3", "5"]
    assert path_of(told, "1") == ["Created", "Done"]
    assert path_of(told, "2") == ["Created", "Cancelled"]
    assert path_of(told, "5") == path_of(told, "3") == ["Created"]
    assert told.flags == {"closed_early": (5,), "resolved_open": (6,), "undated": (7,)}
    assert (told.shape, told.tool, told.lacks) == (
        "dates",
        "GitHub",
        ("reopened", "stages", "start"),
    )
    assert told.attributes["labels"].tolist() == ["bug; ui", "", "", ""]
    assert told.statuses[0].french == "Créé"


def test_the_names_of_the_command_line_of_github(tmp_path):
    told = history(
        tmp_path,
        "number,title,state,stateReason,createdAt,closedAt\n7,a,CLOSED,NOT_PLANNED,2026-03-02T10:00:00Z,2026-03-04T10:00:00Z\n",
    )
    assert path_of(told, "7") == ["Created", "Cancelled"]


def test_work_items_of_azure(tmp_path):
    told = history(
        tmp_path,
        (
            "ID,Work Item Type,Title,State,Created Date,Activated Date,Resolved Date,Closed Date,State Change Date,Tags\n"
            "1,Bug,a,Closed,2026-03-02 10:00,2026-03-03 10:00,2026-03-04 10:00,2026-03-05 10:00,2026-03-05 10:00,ui; x\n"
            "2,Bug,b,Removed,2026-03-02 10:00,,,,2026-03-06 10:00,\n"
            "3,Bug,c,Active,2026-03-02 10:00,2026-03-03 10:00,,,2026-03-03 10:00,\n"
        ),
    )
    assert path_of(told, "1") == ["Created", "Started", "Done"]
    assert path_of(told, "2") == ["Created", "Cancelled"]
    assert path_of(told, "3") == ["Created", "Started"]
    assert told.lacks == ("reopened", "stages")
    assert told.entered[2] == day("2026-03-05 10:00")
    assert told.attributes["labels"][0] == "ui; x"


def test_a_log_with_the_names_of_xes(tmp_path):
    told = history(
        tmp_path,
        (
            "case:concept:name,concept:name,time:timestamp,org:resource,amount\n"
            "c1,Open,2026-03-02T10:00:00+01:00,ada,12\n"
            "c1,Withdrawn,2026-03-03T10:00:00+01:00,ben,12\n"
        ),
    )
    assert (told.tool, told.kinds, told.assignees) == ("Event log", ("backlog", "cancelled"), 1)
    assert "org:resource" not in told.attributes
    assert told.entered[0] == day("2026-03-02 09:00")


def test_first_entries_into_stages(tmp_path):
    told = history(
        tmp_path,
        (
            "ID,Link,Name,To Do,Doing,Done,Type\n"
            "A,,a,2026-03-02,2026-03-02,2026-03-04,Bug\n"
            "B,,b,2026-03-03,,,Task\n"
        ),
    )
    assert path_of(told, "A") == ["To Do", "Doing", "Done"]
    assert path_of(told, "B") == ["To Do"]
    assert (told.shape, told.lacks) == ("stages", ("reopened", "cancelled", "hours"))
    assert told.attributes["Type"].tolist() == ["Bug", "Task"]


def test_declared_stages_merge_what_was_renamed_and_refuse_what_is_none(tmp_path):
    rows = [
        "A-1,2026-03-02T10:00:00Z,,a faire",
        "A-1,2026-03-03T10:00:00Z,a faire,In progress",
        "A-1,2026-03-04T10:00:00Z,In progress,DOING",
        "A-1,2026-03-05T10:00:00Z,DOING,Done",
    ]
    told = history(tmp_path, log(*rows), stages=STAGES)
    assert path_of(told, "A-1") == ["To Do", "Doing", "Done"]
    assert told.assumed == ()
    with pytest.raises(DataError, match=r"Blocked.*also") as refused:
        history(tmp_path, log(*rows, "A-1,2026-03-06T10:00:00Z,Done,Blocked"), stages=STAGES)
    assert refused.value.problems[0].row == 6


def test_local_times_over_the_change_of_clocks(tmp_path):
    told = history(
        tmp_path,
        log(
            "A-1,2026-03-28 12:00,,To Do",
            "A-1,2026-03-29 12:00,To Do,Done",
        ),
        tickets={"timezone": "Europe/Paris"},
    )
    np.testing.assert_allclose(told.left[0] - told.entered[0], 23 / 24)


def test_a_period_sets_both_ends(tmp_path):
    told = history(
        tmp_path,
        log(
            "A-1,2026-03-02T10:00:00Z,,To Do",
            "A-1,2026-03-12T10:00:00Z,To Do,Done",
        ),
        period=("2026-03-03", "2026-03-08"),
    )
    assert (told.start, told.end) == (day("2026-03-03"), day("2026-03-09"))
    assert path_of(told, "A-1") == ["To Do"]


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        (log(), {}, "no rows|No ticket"),
        (log("A-1,soon,,To Do"), {}, "no row can be used"),
        ("Wine,Price\nRed,3\n", {}, "keys of the tickets"),
        (log("A-1,2026-03-02T10:00:00Z,,To Do"), {"segments": ("team",)}, "no such column"),
        (
            "Issue key,Status,Assignee,Created\nA,To Do,Ada,2026-03-02\n",
            {"segments": ("assignee",)},
            "nobody",
        ),
        (
            "Issue key,Status,Created\nA,To Do,2026-03-02\na,To Do,2026-03-04\n",
            {},
            "other dates than in row 2",
        ),
    ],
)
def test_refusals(tmp_path, text, fields, expected):
    with pytest.raises(DataError, match=expected):
        history(tmp_path, text, **fields)


@pytest.mark.parametrize(
    ("name", "category", "kind"),
    [
        ("Terminé(e)", "", "done"),
        ("Won't Do", "", "cancelled"),
        ("Annulée", "", "cancelled"),
        ("À faire", "", "backlog"),
        ("En attente de validation", "", "waiting"),
        ("In Review", "", "waiting"),
        ("Ready to release", "", "waiting"),
        ("Coding", "", None),
        ("Verified", "Done", "done"),
        ("Won't Do", "Done", "cancelled"),
        ("In Review", "En cours", "waiting"),
        ("Open", "In Progress", "active"),
    ],
)
def test_what_names_say(name, category, kind):
    assert kind_of(name, category) == kind


# --- The sample


def test_the_sample_of_a_flow_is_remade_byte_for_byte(tmp_path):
    write = runpy.run_path(str(ROOT / "data" / "make_flow.py"))["write"]
    for path in write(tmp_path / "again"):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()


def test_the_sample_holds_what_was_put_in():
    truth = json.loads((SAMPLE / "delivery_flow_truth.json").read_text(encoding="utf-8"))
    told = read_history(Flow.load(SAMPLE / "delivery_flow.yaml"))
    last = np.array(told.kinds)[told.status[np.isnan(told.left)]]
    counts = {kind: int((last == kind).sum()) for kind in ("done", "cancelled", "backlog")}
    assert counts == {
        "done": truth["done"],
        "cancelled": truth["cancelled"],
        "backlog": truth["not_started"],
    }
    assert len(told.keys) == truth["tickets"]
    assert told.flags == {}
    done = told.statuses.index("Done")
    assert len({*told.ticket[(told.status == done) & ~np.isnan(told.left)]}) == truth["reopened"]


# --- Real files and formats of tools


def test_french_and_french_excel_agree_to_the_digit():
    french, excel = (
        read_history(Flow.load(shared(f"formats/{name}.csv")))
        for name in ("jira_cloud_fr", "jira_fr_excel_cp1252")
    )
    for name in ("keys", "created", "resolved", "ticket", "status", "entered", "left"):
        np.testing.assert_array_equal(getattr(french, name), getattr(excel, name))
    assert (french.start, french.end, french.lacks) == (excel.start, excel.end, excel.lacks)
    assert (np.array(french.kinds)[french.status] == "done").sum() == 42


def test_transitions_and_first_entries_agree_to_the_day():
    long, wide = (
        read_history(Flow.load(shared(f"formats/{name}.csv")))
        for name in ("jira_transitions_long", "actionableagile_wide")
    )
    first = {}
    for ticket, status, entered in zip(long.ticket, long.status, long.entered, strict=True):
        first.setdefault((long.keys[ticket], long.statuses[status]), np.floor(entered))
    entries = {
        (wide.keys[ticket], wide.statuses[status]): entered
        for ticket, status, entered in zip(wide.ticket, wide.status, wide.entered, strict=True)
    }
    last = {  # Done is dated by its last entry
        (long.keys[ticket], long.statuses[status]): np.floor(entered)
        for ticket, status, entered in zip(long.ticket, long.status, long.entered, strict=True)
    }
    assert entries.keys() == first.keys()
    assert all(entries[each] in (first[each], last[each]) for each in entries)


@pytest.mark.parametrize(
    ("name", "tickets", "done", "lacks"),
    [
        ("jira_cloud_en", 60, 44, {"stages", "start", "reopened"}),
        ("linear_issues", 30, 20, {"stages", "reopened"}),
        ("zendesk_tickets", 80, 69, {"stages", "start", "cancelled"}),
    ],
)
def test_formats_say_what_they_cannot_tell(name, tickets, done, lacks):
    told = read_history(Flow.load(shared(f"formats/{name}.csv")))
    assert (len(told.keys), set(told.lacks), {*told.flags} - {"epics"}) == (tickets, lacks, set())
    assert (np.array(told.kinds)[told.status] == "done").sum() == done


def test_the_history_of_a_real_service_agrees_with_pandas():
    path = shared("aea_jira_history.csv")
    told = read_history(Flow.load(path))
    rows = pd.read_csv(path, dtype=str)
    repeated = np.nonzero(rows.duplicated())[0] + 2
    assert told.flags["repeated"] == tuple(repeated)
    rows = rows.drop_duplicates().iloc[::-1]
    rows["at"] = pd.to_datetime(rows["As.Of.Date"], utc=True)
    rows = rows.sort_values(["ticket", "at"], kind="stable")
    rows = rows[(rows.ticket != rows.ticket.shift()) | (rows.Status != rows.Status.shift())]
    assert [told.statuses[n] for n in told.status] == rows["Status"].tolist()
    seconds = (rows["at"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    np.testing.assert_allclose(told.entered * 86_400, seconds, rtol=0, atol=1e-3)
    last = np.array(told.statuses)[told.status[np.isnan(told.left)]]
    assert (len(told.keys), (last == "Done").sum()) == (649, 347)
    assert told.resolved[0] < told.entered[(told.ticket == 0)][-1]  # Resolved is not Done
    half = read_history(Flow.load(path), as_of=datetime.date(2025, 6, 1))
    assert half.end == day("2025-06-02")
    assert len(half.keys) < 649
