"""What a checklist must not pass by: rows that vanish, words for proof, people who cannot have been told."""

import datetime
import json

import openpyxl
import pytest
from test_readiness import DAY, DONE, HEAD, IT, RED, SPARE, TOLD, at, judged, refused, sheet

from opslab import archive
from opslab.errors import SpecError
from opslab.names import leads_somewhere, named, names_somebody
from opslab.operations import Backlog, prioritise
from opslab.operations.cited import cited_run
from opslab.operations.launch_readiness.figures import floored
from opslab.operations.launch_readiness.gate import readiness
from opslab.operations.launch_readiness.spec import Briefing, Launch

OTHER = "2026-10-13"


# --- Rows


@pytest.mark.parametrize(
    "name", ["Total load at twice the peak", "Somme des paiements", "Summary mail sent", "Total"]
)
def test_an_item_that_is_called_a_total_counts(tmp_path, name):
    rows = f"a,h,T-9,done,yes,doc-1,1\nb,h,T-9,done,no,doc-1,1\n{name},h,T-9,red,yes,,2\n"
    head = HEAD.replace("evidence", "evidence,weight")
    assert [known.item for known in readiness(sheet(tmp_path, head + rows), DAY).blockers] == [name]


def test_an_idea_that_is_called_a_total_counts(tmp_path):
    rows = "item,reach,impact,confidence,effort\na,10,1,80%,1\nb,10,1,80%,1\nTotal refunds,20,2,80%,2\n"
    (tmp_path / "ideas.csv").write_text(rows, encoding="utf-8")
    given = {"path": "ideas.csv"}
    backlog = Backlog(prioritisation="ideas", data=given, reach="customers a month")
    result = prioritise(at(tmp_path, backlog))
    assert "Total refunds" in result.frame().item.tolist()


@pytest.mark.parametrize("only", ["Returns", "returns ", "RÉTURNS", "re-turns"])
def test_spelling_loses_no_row_of_a_launch(tmp_path, only):
    text = "launch,item,owner,status,blocking,evidence\nReturns,a,h,done,yes,doc-1\nreturns,b,h,red,yes,\nOther,c,h,red,yes,\n"
    launch = sheet(tmp_path, text, only=only)
    if only == "re-turns":
        assert "only" in refused(launch)
        return
    result = readiness(launch, DAY)
    assert [known.row for known in result.blockers] == [3]
    assert result.check("others").detail.record()["values"]["rows"] == [4]


def test_rows_that_may_belong_here_are_told(tmp_path):
    text = "launch,item,owner,status,blocking,evidence\nReturns,a,h,done,yes,doc-1\nReturn,b,h,red,yes,\n,c,h,done,yes,doc-1\n"
    result = readiness(sheet(tmp_path, text, only="Returns"), DAY)
    assert result.action == "conditional"
    assert (result.check("near").status, result.check("unnamed").status) == ("fail", "warn")
    assert result.check("near").detail.record()["values"]["rows"] == [3]
    assert result.check("unnamed").detail.record()["values"]["rows"] == [4]


def test_rows_for_larger_launches_are_told(tmp_path):
    text = "item,tier,owner,status,blocking,evidence\na,,h,done,yes,doc-1\nb,platform,h,red,yes,\n"
    result = readiness(sheet(tmp_path, text, tier="feature"), DAY)
    assert result.check("larger").detail.record()["values"]["rows"] == [3]
    assert "no tier given" in readiness(sheet(tmp_path, text), DAY).first_screen("en")._repr_html_()


def test_merged_cells_are_refused_by_their_rows(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    for row in [
        HEAD.strip().split(","),
        *[[f"i{n}", "h", "T-9", "red", "yes", ""] for n in range(3)],
    ]:
        page.append(row)
    page.merge_cells("A1:A1")
    book.save(tmp_path / "list.xlsx")
    more = {"launch": "returns", "launch_date": "2026-10-20", "checklist": {"path": "list.xlsx"}}
    launch = at(tmp_path, Launch(**more))
    assert len(readiness(launch, DAY).blockers) == 3
    page.merge_cells("E2:E4")
    book.save(tmp_path / "list.xlsx")
    said = refused(launch)
    assert "Rows 2 to 4" in said
    assert "column 5" in said


@pytest.mark.parametrize(
    "pair",
    [
        ({"id": "R1"}, {"id": "r1", "status": "red"}),
        ({"id": "R1"}, {"status": "red"}),
        ({"status": "red"}, {"id": "R1"}),
        ({}, {"function": None, "status": "red"}),
        ({"function": None}, {"status": "red"}),
    ],
)
def test_an_item_twice_in_two_forms_is_refused(pair):
    said = refused(Launch(launch="returns", checklist=[DONE | each for each in pair]))
    assert "row 1" in said
    assert "row 2" in said


def test_items_of_two_functions_or_ids_may_share_their_words():
    items = [DONE, DONE | {"function": "legal"}, SPARE | {"id": "1"}, SPARE | {"id": "2"}]
    assert len(judged(*items).now.items) == 4


# --- Versions


@pytest.mark.parametrize(
    ("now", "action"),
    [
        ([], "conditional"),
        ([SPARE | {"item": "load test", "status": "red", "weight": 0.01}], "conditional"),
        ([DONE | {"item": "Load  Test"}], "go"),
        ([DONE | {"item": "load test at the peak", "id": "R3"}], "go"),
    ],
)
def test_a_blocker_that_left_is_a_condition(tmp_path, now, action):
    (tmp_path / "then.csv").write_text(
        "id,item,function,owner,status,blocking\nR3,load test,it,h,red,yes\n", encoding="utf-8"
    )
    launch = Launch(
        launch="returns",
        launch_date="2026-10-20",
        tier="product",
        checklist=[DONE, *now],
        snapshots=[{"path": "then.csv", "date": "2026-09-29"}],
        briefing=(TOLD, IT),
    )
    result = readiness(at(tmp_path, launch), DAY)
    assert result.action == action
    screen = result.first_screen("en")._repr_html_()
    assert ("load test" in screen and "2026-09-29" in screen) == (action != "go")
    accepted = launch.changed(accept={"withdrawn": "the peak is over"})
    assert readiness(accepted, DAY).action == "go"


@pytest.mark.parametrize(
    ("then", "now", "action"),
    [
        ("green,yes,doc-1", [], "go"),
        ("green,yes,", [], "conditional"),
        ("amber,yes,", [], "conditional"),
        ("green,yes,doc-1", [SPARE | {"item": "load test", "status": "red", "weight": 0.01}], "conditional"),
    ],
)  # fmt: skip
def test_a_blocker_that_left_proven_is_no_condition(tmp_path, then, now, action):
    head = "item,function,owner,status,blocking,evidence\n"
    (tmp_path / "a.csv").write_text(f"{head}load test,it,h,{then}\n", encoding="utf-8")
    launch = Launch(
        launch="returns",
        launch_date="2026-10-20",
        tier="product",
        checklist=[DONE, *now],
        snapshots=[{"path": "a.csv", "date": "2026-09-29"}],
        briefing=(TOLD, IT),
    )
    assert readiness(at(tmp_path, launch), DAY).action == action


def test_each_blocker_that_left_has_its_own_last_day(tmp_path):
    head, dates = "item,function,owner,status,blocking\n", ("2026-09-22", "2026-09-29")
    for day, names in zip(dates, ("early late", "late"), strict=True):
        rows = "".join(f"{name},it,h,red,yes\n" for name in names.split())
        (tmp_path / f"{day}.csv").write_text(head + rows, encoding="utf-8")
    snapshots = [{"path": f"{day}.csv", "date": day} for day in dates]
    result = readiness(at(tmp_path, Launch(launch="a", checklist=[DONE], snapshots=snapshots)), DAY)
    (english, french) = (result.first_screen(known)._repr_html_() for known in ("en", "fr"))
    assert "early (2026-09-22) and late (2026-09-29)" in english
    assert "early (2026-09-22) et late (2026-09-29)" in french


@pytest.mark.parametrize(
    ("due", "day", "why"),
    [("Jour J", "2026-10-20", ()), ("T", "2026-10-20", ()), ("T-0", "2026-10-20", ()),
     ("jour J - 3", "2026-10-17", ()), ("J+1", "2026-10-21", ("after_launch",)),
     ("T + 3", "2026-10-23", ("after_launch",))],
)  # fmt: skip
def test_the_day_of_the_launch_and_those_after_it_are_read(due, day, why):
    (item,) = judged(DONE | {"due": due, "status": "amber"}).now.items
    assert (str(item.due), item.why) == (day, why)


# --- A gate that stopped


def test_a_stopped_gate_is_no_go_for_anybody(tmp_path, monkeypatch):
    stopped = judged(DONE | {"status": None}, SPARE | {"status": None}, SPARE | {"item": "c"})
    assert (stopped.status, stopped.record()["decision"]) == ("check_failed", "stop")

    class Card:
        notebook, status, outputs = "launch_readiness", "check_failed", {}

    record = {archive.RESULT: json.dumps(stopped.record()).encode()}
    filed = archive.FiledRun(Card(), record, None)
    monkeypatch.setattr(archive, "read_run", lambda *_, **__: filed)
    with pytest.raises(SpecError, match="stopped"):
        cited_run(
            at(tmp_path, Launch(launch="a", checklist=[DONE])),
            "run",
            "gate",
            notebook="launch_readiness",
        )


# --- Words


STOPGAPS = ["no", "non", "none", "pending", "à venir", "coming soon", "aucune preuve", "not yet"]


@pytest.mark.parametrize(
    "word",
    [
        *STOPGAPS,
        "none yet",
        "TBC",
        "pending 12/10",
        "seen",
        "à venir le 3",
        "0",
        "100%",
        "ok 2",
        "prévu le 12/10",
        "to come in Q4 2026",
        "en cours 50 %",
        "demain 9h",
        "yes/no",
        "oui/non",
        "№ 7",
        "oct-12",
        "2026-10-05",
        "https://",
        "à venir PROJ-12",
        "v1.24",
    ],
)
def test_words_are_no_evidence(word):
    assert not leads_somewhere(word)
    assert judged(DONE | {"evidence": word}).action == "no_go"


@pytest.mark.parametrize(
    "word",
    [
        "https://a.test/x",
        "doc-1",
        "PROJ-12",
        "wiki/launch",
        "plan.pdf",
        "www.a.test/x",
        "PR #45",
        "Launch plan v2.docx",
        "share\\plans\\go",
        "docs/2026/plan",
        "see ticket ABC-123, closed",
    ],
)
def test_what_can_be_opened_is_evidence(word):
    assert judged(DONE | {"evidence": word}).action == "go"


def test_a_run_that_is_not_there_is_no_evidence(tmp_path):
    folder = "runs/a/2026-10-01-0123abcd"
    launch = at(tmp_path, Launch(launch="a", checklist=[DONE | {"evidence": folder}]))
    assert [known.why for known in readiness(launch, DAY).blockers] == [("no_evidence",)]
    (tmp_path / folder).mkdir(parents=True)
    assert not readiness(launch, DAY).blockers
    for behind, blocks in (("#effect", 0), ("/", 0), ("/readout.html", 1)):
        given = at(tmp_path, Launch(launch="a", checklist=[DONE | {"evidence": folder + behind}]))
        assert len(readiness(given, DAY).blockers) == blocks
    (tmp_path / folder / "readout.html").touch()
    assert not readiness(given, DAY).blockers
    lost = at(
        tmp_path, Launch(launch="a", checklist=[DONE | {"evidence": "runs/b" + folder[6:] + "#x"}])
    )
    assert readiness(lost, DAY).blockers


@pytest.mark.parametrize(
    "word",
    [
        "unassigned",
        "vacant",
        "à recruter",
        "nobody yet",
        "not assigned",
        "TBC",
        "non attribué",
        *STOPGAPS,
    ],
)
def test_words_are_no_owner(word):
    assert not names_somebody(word)
    assert judged(DONE | {"owner": word}).action == "no_go"


@pytest.mark.parametrize(
    "name", ["Noa", "Paz", "Nina", "Nonna", "Anna", "Vaclav", "Soo", "IT", "RH"]
)
def test_names_stay_names(name):
    assert names_somebody(name)
    assert named(name)


@pytest.mark.parametrize("reason", ["seen", "not yet", "à venir", "n/a", "none yet"])
def test_a_word_is_no_reason(reason):
    result = judged(DONE, SPARE | {"status": "na", "reason": reason})
    assert result.now.items[1].why == ("no_reason",)


# --- Briefing


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Who pays?\nWhat if it is closed?", 2),
        ("1. Who pays? 2. What if it is closed?", 2),
        ("1) Who pays?\r\n2) What if it is closed?", 2),
        ("3 open", 3),
        ("3 questions ouvertes", 3),
        ("aucune", 0),
        ("Who pays for 2 weeks?", 1),
        *dict.fromkeys(
            ["Aucune question", "RAS", "Rien", "Pas de question", "no questions"], 0
        ).items(),
        *dict.fromkeys(["none so far", "Aucune à ce jour", "non", "no", "R.A.S."], 0).items(),
        ("Who pays when\nthe shop is closed?", 1),
        ("Is it valid in\r\nFrance?\nSince when?", 2),
        ("Is it in plan 2. Basic?", 1),
        ("Who pays? 2. Since when?", 2),
        ("- Who pays\n- What if it is closed", 2),
        ("Price\nRollback", 2),
        ("1. Price 2. Rollback", 2),
        ("1) Price 2) Rollback", 2),
    ],
)
def test_questions_are_counted_as_people_write_them(written, asked):
    assert Briefing(function="support", open_questions=written).asked == asked


@pytest.mark.parametrize("wrong", [{"briefed": 60}, {"open_questions": "a?\nb?", "answered": 3}])
def test_more_than_there_are_is_refused(tmp_path, wrong):
    said = refused(Launch(launch="a", checklist=[DONE], briefing=(IT, TOLD | wrong)))
    assert "row 2" in said
    assert "support" in said


def test_nobody_is_briefed_before_the_session():
    result = judged(DONE, briefing=(IT, TOLD | {"date": OTHER}))
    assert result.action == "conditional"
    assert [(known.why, str(known.due)) for known in result.demands] == [
        (("session_to_come",), OTHER)
    ]


def test_a_function_with_items_has_to_be_briefed():
    result = judged(DONE, SPARE | {"function": "Sales"})
    assert result.action == "conditional"
    assert result.check("functions").detail.record()["values"]["names"] == ["Sales"]
    for both in ("Support, IT", "support & it", "IT et Support", "Supports AND IT"):
        assert judged(DONE, SPARE | {"function": both}).check("functions").status == "pass"
    both = judged(DONE, SPARE | {"function": "Support, Ventes"}).check("functions")
    assert both.detail.record()["values"]["names"] == ["Support, Ventes"]
    client = (TOLD | {"function": "support-client"}, IT)
    told = judged(DONE, SPARE | {"function": "Support client"}, briefing=client)
    assert told.check("functions").status == "pass"
    accepted = judged(DONE, SPARE | {"function": "Sales"}, accept={"functions": "they sell it"})
    assert accepted.action == "go"
    spelt = judged(DONE, SPARE, briefing=(TOLD, IT | {"function": " It"}))
    assert spelt.action == "go"


# --- Words of the page


@pytest.mark.parametrize("start", [None, datetime.date(2026, 8, 20)])
def test_no_plain_go_without_a_launch_ahead(start):
    result = judged(DONE | {"due": None}, launch_date=start)
    assert result.action == "conditional"
    if start:
        assert "Launched 47 days ago" in result.headline("en")


def test_what_falls_short_is_not_rounded_up():
    short = judged(DONE | {"weight": 79.6}, SPARE | RED | {"weight": 20.4}, tier="feature")
    assert short.action == "conditional"
    assert "79% (needed: 80%)" in short.headline("en")
    assert [floored(share) for share in (0.575, 0.29, 0.58, 0.999, 1)] == [
        0.57,
        0.29,
        0.58,
        0.99,
        1,
    ]


def test_the_table_says_whom_to_brief():
    told = TOLD | {
        "briefed": 4,
        "people": 12,
        "open_questions": "who?",
        "function": "customer success",
    }
    result = judged(DONE, briefing=(IT, told))
    gate = " ".join(block._repr_html_() for block in result.gate.blocks("en"))
    assert "Brief customer success: 4 of 12 briefed, 1 question open" in gate
    assert "1 open: 0 of 1 items and 1 of 2 briefings" in gate
    french = " ".join(block._repr_html_() for block in result.gate.blocks("fr"))
    assert "Informer customer success" in french
    assert "4 sur 12, 1 question ouverte" in french


def test_the_timeline_counts_from_the_launch_and_names_what_it_hides():
    items = [SPARE | {"item": str(n), "function": f"team {n:02}"} for n in range(22)]
    figure = judged(DONE, *items).figures("en")["dates"]
    ticks = [known.get_text() for known in figure.drawing.axes[0].get_xticklabels()]
    assert ticks[0].startswith("T\N{MINUS SIGN}")
    assert "3 more functions" in figure.caption


def test_one_version_is_no_trend():
    shown = " ".join(block._repr_html_() for block in judged(DONE).trend.blocks("en")[1:])
    assert "No earlier version" in shown
