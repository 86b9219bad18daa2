"""The gate: a decision table by hand, properties of the rules, sheets as people keep them, and Kubernetes' own roadmap."""

import datetime
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from opslab.errors import InputError
from opslab.operations.launch_readiness.gate import readiness
from opslab.operations.launch_readiness.spec import Briefing, Item, Launch
from opslab.operations.launch_readiness.versions import counted

DAY, START = datetime.date(2026, 10, 6), datetime.date(2026, 10, 20)
DONE = {
    "item": "rollback",
    "function": "it",
    "owner": "hugo",
    "due": "2026-10-10",
    "status": "green",
    "blocking": True,
    "evidence": "https://example.test/1",
}
SPARE = DONE | {"item": "price list", "blocking": False}
TOLD = {"function": "support", "people": 10, "briefed": 8, "owner": "ines", "date": "2026-10-05"}
IT = {"function": "it", "people": 3, "briefed": 3, "owner": "hugo", "date": "2026-10-05"}


def judged(*items, day=DAY, **more):
    more = {"launch_date": START, "tier": "product", "briefing": (TOLD, IT)} | more
    return readiness(Launch(launch="returns", checklist=items, **more), day)


# --- The rules


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("green", ())),
        ({"evidence": None}, ("amber", ("no_evidence",))),
        ({"evidence": "tbd"}, ("amber", ("no_evidence",))),
        ({"owner": "?"}, ("amber", ("no_owner",))),
        ({"owner": None, "blocking": False}, ("green", ())),
        ({"owner": None, "evidence": None}, ("amber", ("no_evidence", "no_owner"))),
        ({"status": "amber"}, ("amber", ())),
        ({"status": "amber", "due": "2026-10-06"}, ("amber", ())),  # the day itself is not past
        ({"status": "amber", "due": "2026-10-05"}, ("red", ("overdue",))),
        ({"status": "amber", "due": "2026-10-20"}, ("amber", ())),
        ({"status": "amber", "due": "2026-10-21"}, ("red", ("after_launch",))),
        ({"due": "2026-10-05"}, ("green", ())),  # what is proven may be past
        ({"due": "2026-10-05", "evidence": None}, ("red", ("no_evidence", "overdue"))),
        ({"status": "red"}, ("red", ())),
        ({"status": None}, ("red", ("no_status",))),
        ({"status": "na"}, ("red", ("no_reason",))),
        ({"status": "na", "reason": "one country only"}, ("na", ())),
        ({"status": "na", "reason": "one country only", "owner": None}, ("red", ("no_owner",))),
        ({"status": "amber", "due": None, "function": None}, ("amber", ("no_function", "no_date"))),
    ],
)
def test_what_an_item_counts_as(changes, expected):
    item = Item(**DONE | changes)
    assert counted(item, item.due, DAY, START) == expected


RED = {"status": "red", "evidence": None}
NA = {"status": "na", "reason": "one country only"}


@pytest.mark.parametrize(
    ("items", "more", "expected"),
    [
        ([DONE], {}, "go"),
        ([DONE, SPARE], {}, "go"),
        ([DONE | RED, SPARE], {}, "no_go"),
        ([DONE | RED, *(SPARE | {"item": str(n), "weight": 1000} for n in range(99))], {}, "no_go"),
        ([DONE | {"weight": 9}, SPARE | RED], {}, "go"),  # 90 % of the weight: what a product needs
        ([DONE | {"weight": 8.9}, SPARE | RED], {}, "conditional"),
        ([DONE | {"weight": 4}, SPARE | RED], {"tier": "feature"}, "go"),
        ([DONE | {"weight": 4}, SPARE | RED], {"threshold": 0.81}, "conditional"),
        ([DONE, SPARE | NA], {}, "go"),
        ([DONE, SPARE | {"blocking": True} | NA], {}, "conditional"),
        ([SPARE], {}, "conditional"),  # nothing blocks: never a go
        ([SPARE], {"accept": {"briefing": "internal"}}, "conditional"),
        ([DONE], {"briefing": ()}, "conditional"),
        ([DONE], {"briefing": (), "accept": {"briefing": "an internal tool"}}, "go"),
        ([DONE], {"briefing": (TOLD | {"briefed": 7}, IT)}, "conditional"),
        ([DONE], {"briefing": (TOLD | {"briefed": 7}, IT), "briefed": 0.7}, "go"),
        ([DONE], {"briefing": (TOLD | {"people": None}, IT)}, "conditional"),
        ([DONE], {"briefing": (TOLD | {"open_questions": "who pays?;what if it is closed?"}, IT)}, "conditional"),
        ([DONE], {"briefing": (TOLD | {"open_questions": "2", "answered": 2}, IT)}, "go"),
        ([DONE | RED], {"briefing": (TOLD | {"briefed": 0}, IT)}, "no_go"),
        ([DONE | {"status": None}, SPARE], {}, "no_go"),
        ([DONE | {"status": None}], {}, "stop"),  # more than half say nothing
    ],
)  # fmt: skip
def test_the_decision(items, more, expected):
    assert judged(*items, **more).action == expected


@pytest.mark.parametrize(
    ("written", "open_questions"),
    [(None, 0), ("0", 0), ("3", 3), ("Who pays?", 1), ("a;b", 2)],
)
def test_open_questions_are_a_number_or_a_list(written, open_questions):
    assert Briefing(function="support", open_questions=written).unanswered == open_questions


def test_a_condition_has_its_owner_and_its_day():
    result = judged(
        DONE,
        SPARE | RED | {"due": None, "owner": None},
        briefing=(IT, TOLD | {"briefed": 0, "date": "2026-10-08"}),
    )
    told = [(known.item, known.owner, known.due) for known in result.demands]
    assert told == [
        ("support", "ines", datetime.date(2026, 10, 8)),
        ("price list", None, None),
    ]
    late = judged(
        DONE,
        briefing=(
            IT,
            TOLD | {"briefed": 0, "date": "2026-10-01"},
        ),
    )
    assert [known.due for known in late.demands] == [START]  # the session is over: by the launch
    held = judged(
        DONE,
        briefing=(
            IT,
            TOLD | {"date": "2026-10-01"},
        ),
    )
    assert [known.due for known in held.sessions][1:] == [datetime.date(2026, 10, 1)]


# --- Properties

ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "function": st.sampled_from(["it", "support", None]),
            "owner": st.sampled_from(["hugo", "ines", "?", None]),
            "due": st.sampled_from([None, "2026-10-01", "2026-10-10", "2026-10-30", "T-3"]),
            "status": st.sampled_from(["green", "green", "green", "amber", "red", "na", None]),
            "blocking": st.booleans(),
            "evidence": st.sampled_from([None, "https://example.test/1", "https://example.test/2"]),
            "reason": st.sampled_from([None, "one country only"]),
            "weight": st.floats(0.1, 100),
        }
    ),
    min_size=1,
    max_size=8,
)
BEST = ("no_go", "conditional", "go")


def named(items):
    return [{"item": f"item {n}"} | item for n, item in enumerate(items)]


def rank(items):
    return BEST.index(judged(*items).decision)


@given(ITEMS, st.lists(st.floats(0.001, 1e6), min_size=8, max_size=8))
def test_no_weighting_turns_a_blocked_launch_into_a_go(items, weights):
    items = named(items)
    weighed = [item | {"weight": weight} for item, weight in zip(items, weights, strict=False)]
    before, after = judged(*items), judged(*weighed)
    assert (before.decision == "no_go") == (after.decision == "no_go")
    assert [known.item for known in before.blockers] == [known.item for known in after.blockers]


@given(ITEMS, st.randoms(use_true_random=False))
def test_order_and_names_change_nothing(items, random):
    items = named(items)
    mixed = random.sample(items, len(items))
    first, second = judged(*items), judged(*mixed)
    assert first.decision == second.decision
    assert first.now.readiness == pytest.approx(second.now.readiness, abs=1e-9)
    assert [known.item for known in first.todo if known.due] == [
        known.item for known in second.todo if known.due
    ]
    third = judged(*(item | {"item": f"another {item['item']}"} for item in items))
    assert (first.decision, first.now.readiness) == (third.decision, third.now.readiness)


@given(ITEMS)
def test_a_red_blocker_more_never_improves(items):
    items = named(items)
    worse = judged(*items, DONE | RED)
    assert worse.decision == "no_go"
    assert worse.now.readiness <= judged(*items).now.readiness


@given(ITEMS, st.integers(0, 7))
def test_an_item_made_better_never_worsens(items, which):
    items = named(items)
    which %= len(items)
    proof = {"status": "green", "owner": "hugo", "evidence": "https://example.test/1"}
    if items[which]["status"] != "na":
        better = [item | proof if n == which else item for n, item in enumerate(items)]
        assert rank(better) >= rank(items)
        assert judged(*better).now.readiness >= judged(*items).now.readiness


# --- Days


def test_days_before_the_launch_are_calendar_days_whatever_the_clocks_do():
    """Clocks change in Europe on 25 October 2026 and in America on 1 November."""
    items = [
        SPARE | {"item": due, "due": due}
        for due in ("T-10", "J-10", "t \N{MINUS SIGN} 3", "J", "T-0")
    ]
    result = judged(DONE, *items, launch_date=datetime.date(2026, 11, 3))
    due = {known.item: known.due.isoformat() for known in result.now.items[1:]}
    assert due == {
        "T-10": "2026-10-24",
        "J-10": "2026-10-24",
        "t \N{MINUS SIGN} 3": "2026-10-31",
        "J": "2026-11-03",
        "T-0": "2026-11-03",
    }


def test_a_milestone_has_its_day():
    items = [DONE | {"due": "v1.24"}]
    result = judged(*items, milestones={"v1.24": "2026-10-09"})
    assert result.now.items[0].due == datetime.date(2026, 10, 9)


# --- Sheets


def sheet(folder, text, name="list.csv", **more):
    (folder / name).write_text(text, encoding="utf-8")
    fields = {"launch": "returns", "launch_date": START, "checklist": {"path": name}} | more
    return at(folder, Launch(**fields))


def at(folder, launch):
    (folder / "launch.yaml").touch()
    launch._file = folder / "launch.yaml"
    return launch


def refused(launch, day=DAY):
    with pytest.raises(InputError) as refusal:
        readiness(launch, day)
    return refusal.value.text("en")


HEAD = "item,owner,due,status,blocking,evidence\n"


def test_every_mistake_is_told_with_its_row_and_its_cell(tmp_path):
    rows = "a,hugo,32/01/2026,done,yes,doc-1\nb,hugo,2026-10-21,perhaps,yes,doc-1\n,hugo,2026-10-22,done,maybe,doc-1\n"
    said = refused(sheet(tmp_path, HEAD + rows))
    for part in (
        "row 2, due (“32/01/2026”)",
        "row 3, status (“perhaps”)",
        "green, amber, red or na",
        "row 4, item",
        "row 4, blocking (“maybe”)",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("rows", "more", "parts"),
    [
        ("a,h,T-3,done,yes,doc-1\nb,h,J-5,done,yes,doc-1\n", {"launch_date": None},
         ["T-3 and J-5", "rows 2 and 3", "launch_date"]),
        ("a,h,v1.24,done,yes,doc-1\n", {}, ["row 2", "v1.24", "milestones"]),
        ("a,h,T-3,done,yes,doc-1\nA ,h,T-4,done,yes,doc-1\n", {}, ["row 3", "row 2"]),
        ("", {}, ["no rows"]),
    ],
)  # fmt: skip
def test_contradictions_are_refused(tmp_path, rows, more, parts):
    said = refused(sheet(tmp_path, HEAD + rows, **more))
    assert not [part for part in parts if part not in said], said


def test_the_same_item_twice_is_told_and_kept_once(tmp_path):
    row = "a,hugo,2026-10-10,done,yes,doc-1\n"
    result = readiness(sheet(tmp_path, HEAD + row + row), DAY)
    assert len(result.now.items) == 1
    check = result.check("repeated")
    assert (check.status, check.detail.record()["values"]["rows"]) == ("warn", [3])


def test_words_of_both_languages_are_read(tmp_path):
    text = (
        "Point;Responsable;Échéance;Statut;Bloquant;Preuve;Raison\n"
        "a;ines;12/10/2026;Terminé;oui;doc-1;\nb;ines;14/10/2026;en cours;non;;\n"
        "c;ines;J-3;bloqué;;;\nd;ines;;s.o.;x;;un seul pays\n"
    )
    result = readiness(sheet(tmp_path, text), DAY)
    assert [known.counts_as for known in result.now.items] == ["green", "amber", "red", "na"]
    assert [known.blocking for known in result.now.items] == [True, False, False, True]
    assert result.now.items[2].due == datetime.date(2026, 10, 17)


def test_a_sheet_of_several_launches_is_a_question(tmp_path):
    text = "launch,item,owner,status,blocking,evidence\nA,a,h,done,yes,doc-1\nB,b,h,red,yes,doc-1\n,c,h,done,yes,doc-1\n"
    said = refused(sheet(tmp_path, text))
    assert "A and B" in said
    assert "only" in said
    assert "A and B" in refused(sheet(tmp_path, text, only="C"))
    chosen = readiness(sheet(tmp_path, text, only="A"), DAY)
    assert [known.row for known in chosen.now.items] == [2, 4]  # nothing is lost by an empty cell
    assert not chosen.blockers


def test_larger_launches_are_asked_more(tmp_path):
    text = "item,tier,owner,status,blocking,evidence\na,,h,done,yes,doc-1\nb,platform,h,red,yes,\n"
    counts = {
        tier: len(readiness(sheet(tmp_path, text, tier=tier), DAY).blockers)
        for tier in ("feature", "product", "platform")
    }
    assert counts == {"feature": 0, "product": 0, "platform": 1}


def test_a_formula_stays_text_and_leaves_as_text(tmp_path):
    text = HEAD + '"=HYPERLINK(""http://x"")",<script>alert(1)</script>,T-3,amber,yes,@SUM(A1)\n'
    result = readiness(sheet(tmp_path, text), DAY)
    page = result.first_screen()._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    result.to_csv(tmp_path / "out.csv")
    assert "'=HYPERLINK" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_one_row_and_no_launch_date(tmp_path):
    result = readiness(sheet(tmp_path, HEAD + "a,h,,done,yes,doc-1\n", launch_date=None), DAY)
    assert result.check("timing").detail.key.endswith("timing_none")
    assert result.now.readiness == 1
    assert result.decision == "conditional"  # nobody is briefed


def test_the_feedback_themes_of_a_launch_are_in_its_record():
    assert judged(DONE, themes=["shop/T01"]).record()["themes"] == ("shop/T01",)
    assert "themes" not in judged(DONE).record()
    with pytest.raises(ValueError, match="does not name a theme"):
        judged(DONE, themes=["T01"])


def test_a_day_after_the_launch_is_told():
    assert judged(DONE, day=datetime.date(2026, 10, 21)).check("timing").status == "fail"


# --- Versions of the sheet


@pytest.fixture
def versions(tmp_path):
    weeks = {
        "2026-09-22": "a,h,T-20,red,yes,\nb,h,T-10,red,no,\nd,h,T-2,red,no,\n",
        "2026-09-29": "a,h,T-16,amber,yes,\nb,h,T-10,red,no,\nc,h,T-5,red,no,\n",
    }
    for day, rows in weeks.items():
        (tmp_path / f"{day}.csv").write_text(HEAD + rows, encoding="utf-8")
    now = "a,h,T-13,amber,yes,\nb,h,T-12,done,no,doc-1\nc,h,T-5,done,no,doc-1\ne,h,,amber,no,\n"
    snapshots = [{"path": f"{day}.csv", "date": day} for day in reversed(weeks)]
    return sheet(tmp_path, HEAD + now, snapshots=snapshots, tier="product", briefing=(TOLD,))


def test_slips_are_from_the_first_announcement(versions):
    """By hand: a moved from T-20 to T-13, b from T-10 to T-12, c stays; d is gone, e has no day."""
    result = readiness(versions, DAY)
    slips = {known.item: known.slip_days for known in result.now.items}
    assert slips == {"a": 7, "b": -2, "c": 0, "e": None}
    told = result.record()["slips"]
    assert told == {
        "items": 3,
        "held": 2,
        "mean_days": pytest.approx(5 / 3),
        "late_days": 7,
        "undated": 1,
    }


def test_each_version_is_judged_as_of_its_own_day(versions):
    """On 29 September T-16 (4 October) was not past; on 6 October T-16 would be."""
    trend = readiness(versions, DAY).record()["trend"]
    assert trend == [
        {"date": "2026-09-22", "readiness": 0, "blockers": 1},
        {"date": "2026-09-29", "readiness": 0, "blockers": 1},
        {"date": "2026-10-06", "readiness": 0.5, "blockers": 1},
    ]


def test_a_list_that_nobody_keeps_is_told(versions):
    assert readiness(versions, DAY).check("fresh").status == "pass"
    path = versions.file.parent
    for name in ("2026-09-22.csv", "2026-09-29.csv"):
        (path / name).write_text((path / "list.csv").read_text("utf-8"), encoding="utf-8")
    assert readiness(versions, DAY).check("fresh").detail.key.endswith("fresh_warn")
    alone = versions.changed(snapshots=())
    assert readiness(alone, DAY).check("fresh").detail.key.endswith("fresh_none")


def test_versions_lie_before_the_day(versions):
    assert "29 September" in refused(versions, datetime.date(2026, 9, 29))


# --- The sample


def test_the_sample_says_what_is_true_of_it():
    result = readiness(Launch.load(ROOT / "data/sample/launch.yaml"))
    truth = json.loads((ROOT / "data/sample/launch_truth.json").read_text("utf-8"))
    record = result.record()
    for name in ("decision", "threshold"):
        assert record[name] == truth[name]
    assert record["readiness"] == pytest.approx(truth["readiness"])
    assert [known["item"] for known in record["blockers"]] == truth["blockers"]
    assert {known["item"] for known in record["conditions"]} == {*truth["conditions"]}
    assert record["slips"] == pytest.approx(truth["slips"])
    trend = [{name: point[name] for name in ("date", "blockers")} for point in record["trend"]]
    assert trend == truth["trend"]


# --- What is real


def shared(name):
    root = (
        os.environ.get("OPSLAB_REAL_DATA")
        or Path(__file__).resolve().parents[3] / "shared" / "data"
    )
    path = Path(root) / "ops" / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand; name its folder in OPSLAB_REAL_DATA")
    return path


@pytest.mark.parametrize("alone", [True, False])
def test_a_checklist_as_a_team_keeps_it(tmp_path, alone):
    path = shared("formats/launch_checklist.csv")
    launch = Launch.load(path)
    if not alone:
        launch = sheet(tmp_path, path.read_text("utf-8"), launch_date="2025-05-12", tier="feature")
    result = readiness(launch, datetime.date(2025, 5, 6))
    assert result.action == "no_go"
    assert {known.item: known.why for known in result.blockers} == {
        "Rollback rehearsed": ("overdue",),
        "DPIA signed": ("no_evidence", "no_owner", "overdue"),
    }
    assert result.check("no_reason").detail.record()["values"]["rows"] == [6]
    assert result.now.readiness == pytest.approx(2 / 10)  # macros alone; n/a without a reason stays


RELEASE = r"^v?1\.(\d+)$"


def test_kubernetes_targets_slip_as_pandas_says(tmp_path):
    """Releases as days: 390 features, 216 of them still at the release first announced, 1.5 later."""
    history = pd.read_csv(shared("kep_target_history.csv"), dtype=str)
    history = history[history.field == "stable"]
    history["number"] = history.to.str.extract(RELEASE)[0].astype(float)
    history["moment"] = pd.to_datetime(history.changed, utc=True)
    history = history.dropna(subset="number").sort_values("moment", kind="stable")
    milestones = {f"v1.{n}": datetime.date(2000, 1, 1) + datetime.timedelta(n) for n in range(99)}
    columns = {"due": "stable", "status": "now", "item": "enhancement"}
    cuts = [datetime.date(year, 1, 1) for year in range(2021, 2027)]
    first = history.groupby("kep").number.first()
    last = history.groupby("kep").number.last()
    assert ((last - first) == 0).sum() == 216
    assert ((last - first) <= 0).sum() == 221

    def written(name, targets):
        lines = [f"{kep},v1.{int(n)},done,yes,{kep}" for kep, n in targets.items()]
        head = "enhancement,stable,now,blocking,id\n"
        (tmp_path / name).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")

    def launch(**more):
        given = {"path": "now.csv", "columns": columns}
        more = {"launch": "kubernetes", "milestones": milestones, "checklist": given} | more
        return at(tmp_path, Launch(**more))

    written("now.csv", last)
    written("first.csv", first)
    announced = {"path": "first.csv", "date": "2020-01-01", "columns": columns}
    slips = readiness(launch(snapshots=[announced]), datetime.date(2026, 7, 15)).now.items
    slips = [known.slip_days for known in slips]
    assert (len(slips), sum(days == 0 for days in slips)) == (390, 216)
    assert sum(slips) / 390 == pytest.approx((last - first).mean()) == pytest.approx(1.5, abs=0.01)

    snapshots, seen = [], []
    for cut in cuts:
        then = history[history.moment < pd.Timestamp(cut, tz="UTC")].groupby("kep").number.last()
        written(f"{cut}.csv", then)
        seen.append(then)
        snapshots.append({"path": f"{cut}.csv", "date": cut, "columns": columns})
    result = readiness(launch(snapshots=snapshots), datetime.date(2026, 7, 15))
    first = pd.concat(seen, axis=1).bfill(axis=1).iloc[:, 0]
    expected = (last.loc[first.index] - first).dropna()
    slips = [known.slip_days for known in result.now.items if known.slip_days is not None]
    assert sorted(slips) == sorted(expected.astype(int))
    assert result.slips["items"] == len(expected)
    assert result.slips["held"] == (expected <= 0).sum()
    assert result.slips["mean_days"] == pytest.approx(expected.mean())


def test_the_whole_roadmap_as_a_checklist(tmp_path):
    """Owners as groups, statuses and targets of 600 enhancements; what names no release is refused."""
    roadmap = pd.read_csv(shared("kep_roadmap.csv"), dtype=str).drop_duplicates("kep")
    words = {"implemented": "green", "implementable": "amber", "provisional": "red"}
    roadmap["status"] = roadmap.status.map(words)
    roadmap["blocking"] = "no"
    roadmap.to_csv(tmp_path / "roadmap.csv", index=False)
    columns = {
        "id": "kep",
        "item": "title",
        "function": "owner_group",
        "due": "latest_milestone",
        "evidence": "readiness_review",
    }
    launch = Launch(
        launch="kubernetes",
        launch_date="2026-12-01",
        checklist={"path": "roadmap.csv", "columns": columns},
        milestones={f"v1.{n}": "2026-10-01" for n in range(99) if n != 37},
    )
    said = refused(at(tmp_path, launch))
    wrong = roadmap[~roadmap.latest_milestone.fillna("v1.1").isin(launch.milestones)]
    assert len(wrong) > 90
    assert said.count("milestones") == len(wrong)
    roadmap.loc[wrong.index, "latest_milestone"] = ""
    roadmap.to_csv(tmp_path / "roadmap.csv", index=False)
    result = readiness(launch, DAY)
    assert len(result.now.items) == len(roadmap)
    assert len(result.check("no_owner").detail.record()["values"]["rows"]) == sum(
        known.open for known in result.now.items
    )
    missing = roadmap.status.isna().sum()
    assert result.check("no_status").detail.record()["values"]["count"] == missing
    assert result.decision == "conditional"  # nothing blocks


def test_pythons_proposals_are_due_by_release(tmp_path):
    """736 proposals, due with the release that they name; nobody owns them, and few name one."""
    log = pd.read_csv(shared("pep_decision_log.csv"), dtype=str)
    log["status"] = log.status.map({"Final": "green", "Accepted": "amber", "Draft": "red"})
    log["blocking"] = log.type.eq("Process").map({True: "yes", False: "no"})
    log["python_version"] = log.python_version.where(
        log.python_version.str.match(r"^\d\.\d+$", na=False)
    )
    log["resolved"] = "decision-" + log.pep.where(
        log.resolved.notna()
    )  # a day alone proves nothing
    log.to_csv(tmp_path / "log.csv", index=False)
    columns = {
        "id": "pep",
        "item": "title",
        "function": "type",
        "due": "python_version",
        "evidence": "resolved",
    }
    releases = sorted(
        log.python_version.dropna().unique(), key=lambda name: [*map(int, name.split("."))]
    )
    launch = Launch(
        launch="python",
        launch_date="2026-10-20",
        checklist={"path": "log.csv", "columns": columns},
        milestones={name: f"2026-09-{n + 1:02}" for n, name in enumerate(releases[:30])}
        | dict.fromkeys(releases[30:], "2026-10-19"),
    )
    result = readiness(at(tmp_path, launch), DAY)
    assert len(result.now.items) == len(log)
    assert sum(bool(known.due) for known in result.now.items) == log.python_version.notna().sum()
    assert all("no_owner" in known.why for known in result.now.items if known.open)
    proven = log.status.eq("green") & log.resolved.notna() & log.blocking.eq("no")
    assert sum(known.counts_as == "green" for known in result.now.items) == proven.sum()
    assert result.decision == "no_go"


def test_five_thousand_rows_are_judged_and_their_record_stays_small(tmp_path):
    rows = [
        f"item {n},hugo,2026-10-{8 + n % 20:02},{'done' if n % 3 else 'amber'},{'yes' if n % 50 == 0 else 'no'},doc-1"
        for n in range(5_000)
    ]
    launch = sheet(tmp_path, HEAD + "\n".join(rows) + "\n")
    readiness(launch, DAY)
    result = readiness(launch, DAY)
    assert len(result.now.items) == 5_000
    assert len(json.dumps(result.record())) < 1_000_000
