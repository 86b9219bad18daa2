"""What runs tell: decided, launched, learned, changed with intervals, asked; what is put aside."""

import copy
import datetime
import itertools

import numpy as np
import pytest
from digest_runs import digest, experiment, figure, file_run, found, lines, reports

from opslab.evidence import Quantity
from opslab.messages import Bilingual

assert reports  # a fixture

BEFORE, NOW = "2026-08-10-0123abcd", "2026-09-10-0123abcd"


def two(reports, then, now, notebook="flow_review"):
    """File a run before the days and one in them, and return the digest."""
    file_run(reports, f"{notebook}/desk/{BEFORE}", then)
    file_run(reports, f"{notebook}/desk/{NOW}", now)
    return digest()


def test_a_change_has_both_intervals_and_its_own(reports):
    """By hand: variances of independent samples add, so the half-width is 1.96 root(2^2 + 1^2)."""
    result = two(
        reports, found(figure(scale=2.0)), found(figure(location=30.0, data="b"), data="b")
    )
    [item] = result.of("changed")
    half = 1.96 * np.hypot(2.0, 1.0)
    assert item.change == pytest.approx((10.0, 10.0 - half, 10.0 + half))
    [said] = lines(result, "changed")
    assert said.startswith("Days from start to done in desk, the median, open tickets counted: ")
    assert said.endswith(
        ": 30.0 days (28.0 to 32.0), +10.0 days (+5.62 to +14.4)"
        " since 10 August 2026, from 20.0 days (16.1 to 23.9)"
    )
    assert result.aside == {}


def test_the_interval_holds_the_true_change_as_often_as_it_says():
    """Simulated: of 4,000 pairs of samples 95 % hold it, to three standard errors of that share."""
    from opslab.uncertainty.proportions import Interval, newcombe

    rng = np.random.default_rng(1)
    held = 0
    for then, now in rng.normal((20, 25), (2, 1), (4_000, 2)):
        change = newcombe(
            Interval(then, then - 3.92, then + 3.92), Interval(now, now - 1.96, now + 1.96)
        )
        held += change.low <= 5 <= change.high
    assert abs(held / 4_000 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 4_000)


def test_what_is_no_sure_change_is_counted_and_not_told(reports):
    other = figure(location=22.0, data="b")
    cases = {
        "unsure": other,
        "same_data": figure(location=40.0),
        "other_unit": figure(location=40.0, data="b", unit="tickets"),
        "no_interval": figure(
            data="b",
            quantity=Quantity(
                "quantiles", dict.fromkeys(("p5", "p50", "p95"), 9.0), 9.0, None, None, 0.95
            ),
        ),
    }
    for reason, now in cases.items():
        result = two(reports, found(figure()), found(now, data="b"))
        assert result.of("changed") == [], reason
        assert result.aside == {reason: 1}
        assert [run.split("/")[0] for run in result.quiet] == ["flow_review"]
        detail = repr(result.detail)
        assert result.voice()(f"aside_{reason}", count=1).split()[2] in detail
        result = two(reports, found(), found())
    assert "Nothing that is sure: 1 figure moved" in repr(
        two(reports, found(figure()), found(other, data="b")).brief
    )


def test_a_run_of_the_same_files_brings_no_news(reports):
    result = two(reports, experiment(), experiment(), "experiment_readout")
    assert result.news == []
    assert "1 readout was made, and none of them brings news" in result.headline()


@pytest.mark.parametrize(
    ("verdict", "lift", "said"),
    [
        ("won", (0.08, 0.02, 0.14), ": short beat old, +8.0% (+2.0% to +14.0%)"),
        ("lost", (-0.08, -0.14, -0.02), ": short lost to old, -8.0% (-14.0% to -2.0%)"),
        ("open", (0.01, -0.02, 0.04), ", short against old: inconclusive, +1.0% (-2.0% to +4.0%)"),
        ("won", (None, None, None), ": short beat old, 2.0% (1.0% to 3.0%)"),
    ],
)
def test_an_experiment_is_won_lost_or_inconclusive(reports, verdict, lift, said):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment(verdict=verdict, lift=lift))
    assert lines(digest(), "learned") == [f"orders{said}"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_action_and_verdict_has_its_words(reports, language):
    from opslab.businesscase.voice import TONES
    from opslab.experiments.result import Verdict

    say = digest().voice(language)
    for action in ("ship", "do_not_ship", "extend", "no_decision", "stop_broken"):
        assert say(f"experiment_{action}", arm="a")
    for verdict in Verdict.__args__:
        assert say(f"effect_{verdict}", metric="m", arm="a", control="c", now="1")
    for action in TONES.keys() - {"reached", "below_kill", "missed", "dropped", "conflict", "debt"}:
        assert say(f"case_{action}", case="c")
    values = {
        "readiness": 0.5,
        "threshold": 0.9,
        "blockers": 1,
        "conditions": 2,
        "day": datetime.date(2026, 9, 1),
    }
    for action in ("go", "conditional", "no_go", "stop"):
        assert say(f"gate_{action}", **values)


def case(by="2026-10-01", **more):
    decision = {"wanted": "Approve two posts", "by": by, "who": "cpo"}
    return {
        "action": "stage",
        "plan": {"decision": decision, "case": "Team"},
        "targets": [{"status": "debt"}, {"status": "reached"}],
    } | more


def test_a_case_proposes_and_asks(reports):
    words = {
        "wanted": {"en": "Approve two posts", "fr": "Deux postes"},
        "who": {"en": "cpo", "fr": "DP"},
    }
    file_run(reports, f"business_case/team/{NOW}", case(wanted=words))
    assert lines(digest(), "decided") == []  # by nobody yet
    assert lines(digest(), "learned") == [
        "“Team”: the business case proposes to approve the first stage only"
    ]
    assert lines(digest(), "asked") == [
        "cpo: Approve two posts (by 1 October 2026)",
        "Measure what was promised: 1 target has no figure yet",
    ]
    assert lines(digest("fr"), "asked", "fr")[0] == "DP : Deux postes (d'ici au 1er octobre 2026)"


def test_a_case_of_an_earlier_version_says_no_english_in_french(reports):
    file_run(reports, f"business_case/team/{NOW}", case("2026-09-15"))
    assert (
        lines(digest(), "asked")[0]
        == "Decide on the business case “Team” (overdue since 15 September 2026)"
    )
    assert "posts" not in " ".join(lines(digest("fr"), "asked", "fr"))


def test_a_gate_and_a_launch_report(reports):
    gate = {
        "decision": "go",
        "readiness": 0.93,
        "threshold": 0.9,
        "blockers": [],
        "conditions": [{}],
        "launch_date": "2026-09-20",
    }
    file_run(reports, f"launch_readiness/returns/{NOW}", gate)
    rows = [
        {"name": "calls", "state": "missed"},
        {"name": "use", "state": "met"},
        {"name": "x", "state": "open"},
    ]
    name = {"name": Bilingual("calls", french="appels"), "launch": "t"}
    told = figure("t/calls", statement=("launch_report.evidence", name))
    file_run(reports, f"launch_report/tracking/{NOW}", {"kpis": rows, "evidence": [told]})
    assert lines(digest(), "launched") == [
        "Go for 20 September 2026: every blocking item is proven, readiness 93% (needed: 90%)",
        "1 of 2 targets due are met; missed: calls",
    ]
    assert "appels" in lines(digest("fr"), "launched", "fr")[1]
    file_run(reports, f"launch_readiness/returns/{NOW}", gate | {"readiness": 0.5758})
    assert "readiness 57% (needed: 90%)" in lines(digest(), "launched")[0]  # as its own page says


def themes(*names, rising=()):
    return {
        "themes": [
            {
                "id": name,
                "title": f"{name} / le {name}",
                "share": 0.2,
                "interval": [0.1, 0.3],
                "phrases": [
                    {"language": "en", "title": name},
                    {"language": "fr", "title": f"le {name}"},
                ],
            }
            for name in names
        ],
        "trends": [
            {"theme": name, "rising": name in rising, "ratio": 1.6, "low": 1.2, "high": 2.1}
            for name in names
        ],
    }


def test_growing_themes_are_told_and_else_the_largest(reports):
    file_run(reports, f"feedback_themes/shop/{NOW}", themes("late", "slow"))
    [first] = lines(digest(), "learned")
    assert first.endswith("the largest, 20.0% (10.0% to 30.0%) of the messages, such as “late”")
    file_run(
        reports, f"feedback_themes/shop/{NOW}", themes("late", "slow", "dark", rising=["slow"])
    )
    assert lines(digest(), "learned") == [
        "Growing theme, 1.60 (1.20 to 2.10) times as frequent, such as “slow”"
    ]
    assert "le slow" in lines(digest("fr"), "learned", "fr")[0]


def test_no_theme_is_new_or_known_by_its_number(reports):
    """T01 is the largest of each run, whatever it is about: feedback knows no theme again."""
    one, other = themes("late"), themes("dark")
    one["themes"][0]["id"] = other["themes"][0]["id"] = "T01"
    one["trends"] = other["trends"] = []
    file_run(reports, f"feedback_themes/shop/{BEFORE}", one)
    file_run(reports, f"feedback_themes/shop/{NOW}", other)
    [told] = lines(digest(), "learned")
    assert told.endswith("“dark”")


def roadmap(sure, half="2027-01-10"):
    return {"sure": sure, "half": half, "evidence": [figure("plan/desk", unit="month")]}


def test_a_roadmap_tells_an_end_that_moved(reports):
    file_run(reports, f"roadmap/plan/{BEFORE}", roadmap("2027-02-01"))
    file_run(reports, f"roadmap/plan/{NOW}", roadmap("2027-02-03"))
    assert digest().of("changed") == []
    file_run(reports, f"roadmap/plan/{NOW}", roadmap("2027-03-01"))
    assert "1 March 2027" in lines(digest(), "changed")[0]


def decision(name, ended=None, state="decided", reversed=None, late=False, review=None):  # noqa: A002
    return {
        "id": str(name),
        "experiment": None,
        "decision": name,
        "ended": ended,
        "state": state,
        "reversed": reversed,
        "late": late,
        "review": review,
        "raised": "2020-01-06",
    }


def test_decisions_of_the_days_and_overdue_reviews(reports):
    log = [
        decision("old", "2026-08-01"),
        decision({"en": "new", "fr": "neuf"}, "2026-09-03"),
        decision("gone", "2026-09-04", "withdrawn"),
        decision("back", "2026-08-01", reversed="2026-09-05"),
        decision("look", "2026-08-02", late=True, review="2026-09-01"),
    ]
    file_run(reports, f"decision_review/log/{NOW}", {"decisions": log})
    assert lines(digest(), "decided") == [  # the newest first
        "“back”, taken back on 5 September 2026",
        "“new”, decided on 3 September 2026",
    ]
    assert lines(digest(), "asked") == ["Look back at “look” (overdue since 1 September 2026)"]
    assert "neuf" in lines(digest("fr"), "decided", "fr")[1]


LOG = [decision("a", "2026-08-28"), decision("b", "2026-09-03")]
GATE = {
    "decision": "go",
    "readiness": 0.93,
    "threshold": 0.9,
    "blockers": [],
    "conditions": [],
    "launch_date": "2026-09-20",
}


@pytest.mark.parametrize(
    ("notebook", "record", "section"),
    [
        ("decision_review", {"decisions": LOG}, "decided"),
        ("experiment_readout", experiment("desk"), "decided"),
        ("experiment_readout", experiment("desk"), "learned"),
        ("launch_readiness", GATE, "launched"),
        ("feedback_themes", themes("late"), "learned"),
        ("flow_review", found(figure()), "learned"),
    ],
)
def test_a_readout_that_is_made_again_on_the_same_files_loses_nothing(
    reports, notebook, record, section
):
    """Only what was told before these days is no news; a second run in them hides none of it."""
    record = record | {"inputs": [{"file": "x.csv", "sha256": "a"}]}
    file_run(reports, f"{notebook}/desk/{NOW}", record)
    told = lines(digest(), section)
    assert told
    file_run(reports, f"{notebook}/desk/2026-09-20-0123abcd", record)
    assert lines(digest(), section) == told


def test_no_decision_falls_between_two_digests(reports):
    """Written down after the last readout that the last digest read: told as soon as it is held."""
    late = decision("c", "2026-08-30")
    file_run(reports, f"decision_review/log/{BEFORE}", {"decisions": LOG[:1]})
    file_run(reports, f"decision_review/log/{NOW}", {"decisions": [*LOG, late]})
    assert [line[1] for line in lines(digest(), "decided")] == ["b", "c"]
    back = LOG[0] | {"reversed": "2026-08-30"}
    file_run(reports, f"decision_review/log/{NOW}", {"decisions": [back]})
    assert lines(digest(), "decided") == ["“a”, taken back on 30 August 2026"]


def test_a_decision_is_told_though_a_run_before_read_the_same_files(reports):
    """The same log as of a later day holds more: the file that did not change hides none of it."""
    files = {"inputs": [{"file": "x.csv", "sha256": "a"}]}
    late = decision("look", "2026-07-01", late=True, review="2026-09-01")
    file_run(reports, f"decision_review/log/{BEFORE}", files | {"decisions": [late]})
    file_run(reports, f"decision_review/log/{NOW}", files | {"decisions": [*LOG, late]})
    assert [line[1] for line in lines(digest(), "decided")] == ["b", "a"]
    assert len(lines(digest(), "asked")) == 1
    rows = [capability(["good"], ["below"], day, day) for day in ("2026-08-05", "2026-09-05")]
    for run, held in ((BEFORE, rows[:1]), (NOW, rows)):
        record = files | {"capabilities": held, "actions": []}
        file_run(reports, f"practice_review/canvas/{run}", record)
    assert lines(digest(), "learned") == ["Of 1 capability assessed again, 1 moved up and 0 down"]


def test_an_old_decision_is_not_new_by_its_number_alone(reports):
    """A log whose numbers changed holds no more decisions, however near the days they are."""
    days = ["2026-04-01", "2026-08-08", "2026-08-20"]
    old = [decision(f"q{at}", day) for at, day in enumerate(days)]
    renamed = [row | {"id": f"DEC-{row['id']}"} for row in old]
    file_run(reports, f"decision_review/log/{BEFORE}", {"decisions": old[:2]})
    file_run(reports, f"decision_review/log/{NOW}", {"decisions": renamed})
    assert lines(digest(), "decided") == ["“q2”, decided on 20 August 2026"]
    rows = [capability(["good"], ["below"], "2026-08-08", name) for name in ("old", "new")]
    for run, held in ((BEFORE, rows[:1]), (NOW, rows[1:])):
        record = {"capabilities": held, "actions": []}
        file_run(reports, f"practice_review/canvas/{run}", record)
    assert lines(digest(), "learned") == []


def test_what_is_written_down_late_is_news_for_a_month(reports):
    """Where the record before holds a part of a long log, what it lacks says nothing."""
    late = [decision(day, day) for day in ("2026-07-31", "2026-08-01", "2026-08-10")]
    closed = decision("open", "2026-08-03")
    before = {"decisions": [closed | {"state": "open", "ended": None}]}
    file_run(reports, f"decision_review/log/{BEFORE}", before)
    file_run(reports, f"decision_review/log/{NOW}", {"decisions": [*late, closed]})
    told = [line.split("”")[0][1:] for line in lines(digest(), "decided")]
    assert told == ["2026-08-10", "open", "2026-08-01"]
    file_run(reports, f"decision_review/log/{BEFORE}", before | {"decisions_in_all": 1_502})
    assert lines(digest(), "decided") == ["“open”, decided on 3 August 2026"]


def test_no_movement_of_a_practice_falls_between_two_digests(reports):
    rows = [capability(["good"], ["below"], "2026-08-30", name) for name in "ab"]
    file_run(reports, f"practice_review/canvas/{BEFORE}", {"capabilities": rows[:1], "actions": []})
    file_run(reports, f"practice_review/canvas/{NOW}", {"capabilities": rows, "actions": []})
    assert lines(digest(), "learned") == ["Of 1 capability assessed again, 1 moved up and 0 down"]


def test_a_decision_by_an_experiments_rule_is_one_decision(reports):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment())
    assert lines(digest(), "decided") == ["Ship “short”, by the experiment's own rule"]
    logged = decision("short label", "2026-09-11") | {"experiment": "experiment_readout/shop"}
    file_run(reports, f"decision_review/log/{NOW}", {"decisions": [logged]})
    for followed, words in (
        (None, ""),
        (True, ", as the experiment's own rule said"),
        (False, ", against the experiment's own rule"),
    ):
        row = logged | {"followed": followed}
        file_run(reports, f"decision_review/log/{NOW}", {"decisions": [row]})
        result = digest()
        assert lines(result, "decided") == [f"“short label”, decided on 11 September 2026{words}"]
    assert len(result.of("learned")) == 1
    broken = experiment(action="stop_broken")
    file_run(reports, f"experiment_readout/shop/{NOW}", broken, status="check_failed")
    assert len(lines(digest(), "decided")) == 2  # decided on what tells nothing


def test_what_a_contribution_owes_and_is_overdue_is_asked(reports):
    debt = {"owner": {"en": "ops", "fr": "opérations"}, "statement": "Pull together"}
    debts = [debt | {"by": "2026-09-01"}, debt | {"by": "2026-12-01"}]
    file_run(reports, f"contribution/team/{NOW}", {"plan": {"debts": debts}})
    assert lines(digest(), "asked") == [
        "ops: measure “Pull together” (overdue since 1 September 2026)"
    ]
    assert lines(digest("fr"), "asked", "fr")[0].startswith("opérations : mesurer")


def capability(median, before, date="2026-09-05", name="goals"):
    return {"median": median, "before": before, "date": date, "team": "all", "capability": name}


def test_practices_that_moved_are_counted_and_nobody_is_named(reports):
    record = {
        "capabilities": [
            capability(["better"], ["good"]),
            capability(["good", "better"], ["good"]),
            capability(["below"], ["good"]),
            capability(["best"], []),
            capability(["best"], ["below"], "2026-08-05"),
        ],
        "actions": [
            {"state": "late", "due": "2026-08-31"},
            {"state": "late", "due": "2026-09-02"},
            {"state": "done", "due": "2026-08-01"},
        ],
    }
    file_run(reports, f"practice_review/canvas/{NOW}", record)
    assert lines(digest(), "learned") == ["Of 3 capabilities assessed again, 2 moved up and 1 down"]
    assert lines(digest(), "asked") == [
        "2 actions of the practice review are overdue, the first since 31 August 2026"
    ]


def test_hours_are_told_once(reports):
    sums = [{"kind": "step", "name": "freed", "mean": 1372.0, "low": 715.0, "high": 2262.0}]
    file_run(reports, f"time_saved/desk/{NOW}", {"sums": sums})
    assert lines(digest(), "learned") == [
        "The changes would free 1,372 hours (715 to 2,262) a year once in use (estimate)"
    ]
    file_run(reports, f"time_saved/desk/{BEFORE}", {"sums": sums})
    assert digest().of("learned") == []


def test_what_is_asked_by_hand_stands_among_the_rest_by_its_day(reports):
    file_run(reports, f"business_case/team/{NOW}", case("2026-10-20"))
    asks = [{"ask": f"Say {day}", "of": "all", "by": f"2026-10-{day}"} for day in (25, 12)]
    told = lines(digest(asks=asks), "asked")
    assert [line.split(" (")[0] for line in told] == [
        "all: Say 12",
        "Decide on the business case “Team”",
        "all: Say 25",
        "Measure what was promised: 1 target has no figure yet",
    ]
    assert digest(asks=asks).first_screen().action == "4 requests, the first by 12 Oct"
    late = [*asks, {"ask": "Say it", "of": "all", "by": "2026-09-12"}]
    assert digest(asks=late).first_screen().action == "5 requests, 1 of them overdue"


def test_nothing_depends_on_the_order_in_which_runs_were_filed(tmp_path, monkeypatch):
    runs = {
        f"experiment_readout/shop/{NOW}": experiment(),
        f"flow_review/desk/{BEFORE}": found(figure()),
        f"flow_review/desk/{NOW}": found(
            figure("desk/a", 9), figure(location=40, data="b"), data="b"
        ),
        f"roadmap/plan/{NOW}": roadmap("2027-03-01"),
        f"business_case/team/{NOW}": case(),
    }
    records = []
    for number, order in enumerate(itertools.islice(itertools.permutations(runs), 0, 24, 5)):
        folder = tmp_path / str(number)
        monkeypatch.setenv("OPSLAB_REPORTS", str(folder))
        for filed, run in enumerate(order):
            file_run(folder, run, copy.deepcopy(runs[run]), filed=filed)
        records.append(digest().record())
    assert all(record == records[0] for record in records)
    assert {item["section"] for item in records[0]["news"]} == {
        "decided",
        "learned",
        "changed",
        "asked",
    }
