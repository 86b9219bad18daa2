"""Three gains on one page: states, what counts once, what moved, what is owed, runs that cannot be used."""

from __future__ import annotations

import datetime
import hashlib
import html
import json
import re

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from opslab.archive import sealed
from opslab.cli import main
from opslab.errors import SpecError
from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.operations import Contribution, ContributionParameters, review_contribution
from opslab.operations.contribution.review import added, moved, state

DAY = datetime.date(2026, 10, 5)
DESK = "time_saved/desk/2026-10-01-0123abcd"
LOG = "decision_review/log/2026-10-01-0123abcd"
HOURS = ("timesaved.evidence", {"task": "tag", "role": "pm", "initiatives": ["desk"]})
SHARE = ("decisions.evidence_reversed", {"decisions": "log"})


def normal(value, scale):
    ends = value - 1.645 * scale, value + 1.645 * scale
    return Quantity("normal", {"location": value, "scale": scale}, value, *ends, 0.9)


def hours(name="desk/pm/tag", value=200.0, scale=20.0, content="", **more):
    known = {
        "id": name,
        "kind": "causal",
        "statement": HOURS,
        "quantity": normal(value, scale),
        "unit": "hours",
        "per": "year",
        "period": (None, None),
        "population": "pm",
        "claim": f"hours:{name.partition('/')[2]}",
        "benefit": "capacity",
        "grade": "D",
        "sources": (SourceFile("log.csv", hashlib.sha256(content.encode()).hexdigest(), 1),)
        if content
        else (),
    }
    return Evidence(**known | more)


def share(name="log/reversed", value=0.1, scale=0.02, **more):
    known = {"unit": "share", "per": "once", "statement": SHARE, "kind": "descriptive"}
    known |= {"claim": f"decisions:{name}", "benefit": "quality"}
    return hours(name, value, scale, **known | more)


def file_run(reports, run, evidence=(), status="complete", **record):
    """File a run as the runner does; return its folder."""
    notebook, name, folder = run.split("/")
    said = [known.record() for known in evidence]
    content = json.dumps({"status": status, "evidence": said} | record).encode()
    home = reports / run
    home.mkdir(parents=True, exist_ok=True)
    files = {"result.json": content, "notebook.ipynb": b"{}", "readout.html": b"<html>"}
    for file, data in files.items():
        (home / file).write_bytes(data)
    card = {
        "notebook": notebook,
        "name": name,
        "as_of": folder[:10],
        "digest": folder[11:],
        "status": status,
        "headline": "",
        "outputs": {file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    }
    (home / "run.json").write_text(json.dumps(sealed(card)))
    return home


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    return tmp_path / "reports"


def source(gain="time", run="time_saved/desk", name="Desk", **more):
    return {"gain": gain, "name": name, "run": run} | more


ALL = [
    source(),
    source("decisions", "decision_review/log", "Reversals"),
    source("alignment", "decision_review/survey", "Goal"),
]
DEBT = {"gain": "alignment", "statement": "Pull together", "measure": "Three questions"}
DEBT |= {"by": "2026-09-30", "owner": "ops"}


def page(*gains, day=DAY, **more):
    return review_contribution(Contribution(contribution="team", gains=gains, **more), day)


def totals(result):
    return {total.gain: total for total in result.totals}


def shown(result, language="en"):
    """Return the words of the page, without its tags."""
    blocks = [result.first_screen(language)]
    for name in result.PARTS:
        blocks += getattr(result, name).blocks(language)
    page = " ".join(block._repr_html_() for block in blocks)
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


# ---- States


@pytest.mark.parametrize("kind", ["causal", "descriptive", "opinion"])
@pytest.mark.parametrize("grade", "ABCDEF")
def test_a_state_hangs_on_kind_and_grade_alone(kind, grade):
    measured = kind != "opinion" and grade in "ABCD"
    assert state(hours(kind=kind, grade=grade)) == ("measured" if measured else "estimated")


def test_nothing_at_all_is_three_debts_that_nobody_has_promised_to_measure(reports):
    result = page()
    assert {total.state for total in result.totals} == {"debt"}
    assert result.action == "measure"
    assert result.check("unpromised").status == "warn"
    assert result.evidence() == []
    assert "time, decision quality and alignment" in result.first_screen().reasons[0]
    assert "Message" not in shown(result)


def test_all_measured_is_reported_and_one_estimate_is_to_be_confirmed(reports):
    file_run(reports, DESK, [hours()])
    file_run(reports, LOG, [share()])
    survey = "decision_review/survey/2026-10-01-0123abcd"
    file_run(reports, survey, [share("survey/goal")])
    assert page(*ALL).action == "report"
    file_run(reports, survey, [share("survey/goal", grade="E")])
    result = page(*ALL)
    assert (result.action, totals(result)["alignment"].state) == ("confirm", "estimated")
    assert "alignment" in result.first_screen().action


def test_what_is_measured_is_not_mixed_with_what_is_estimated(reports):
    file_run(reports, DESK, [hours("desk/pm/a", 100.0), hours("desk/pm/b", 900.0, grade="E")])
    total = totals(page(source()))["time"]
    assert (total.state, total.quantity.value, total.grade) == ("measured", 100.0, "D")


def test_hours_at_full_use_are_not_added_to_hours_that_are_freed(reports):
    file_run(reports, DESK, [hours()])
    saved = ("practices.evidence_process", {"process": "brief"})
    process = hours("ops/brief", 50.0, statement=saved, kind="descriptive")
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", [process])
    result = page(source(), source(run="practice_review/ops", name="Processes"))
    assert totals(result)["time"].quantity.value == 200.0
    assert len(result.counted) == 2


def test_the_figure_of_time_is_hours_whatever_is_named_first(reports):
    known = [share("ops/at-target", 0.33, grade="E"), hours("ops/brief", 50.0, grade="E")]
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", known)
    total = totals(page(source(run="practice_review/ops")))["time"]
    assert (total.quantity.value, total.claims[0].evidence.unit) == (50.0, "hours")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_hours_that_are_lost_are_told_beside_those_that_are_measured(reports, language):
    file_run(reports, DESK, [hours()])
    saved = ("practices.evidence_process", {"process": "brief"})
    lost = [
        hours(f"ops/{name}", value, statement=saved, kind="descriptive", grade="E")
        for name, value in (("brief", 50.0), ("deck", -400.0))
    ]
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", lost)
    result = page(source(), source(run="practice_review/ops", name="Processes"))
    assert [other.quantity.value for other in totals(result)["time"].beside] == [-350.0]
    card = " ".join(result.first_screen(language).facts.items[0].remarks)
    for words in (result.headline(language), card):
        assert "Processes, \N{MINUS SIGN}350\N{NO-BREAK SPACE}h" in words


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_way_to_tell_hours_has_its_figure(reports, language):
    """Estimated hours at full use, named first, hide no hours that are lost."""
    guess = hours("desk/pm/ask", 270.0, grade="F")
    file_run(reports, DESK, [hours(), guess])
    saved = ("practices.evidence_process", {"process": "deck"})
    lost = hours("ops/deck", -400.0, statement=saved, kind="descriptive", grade="E")
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", [lost])
    result = page(source(), source(run="practice_review/ops", name="Processes"))
    total = totals(result)["time"]
    assert total.quantity.value == 200.0
    assert [other.quantity.value for other in total.beside] == [270.0, -400.0]
    kept = result.record()["totals"]["time"]["beside"]
    assert [other["ids"] for other in kept] == [["desk/pm/ask"], ["ops/deck"]]
    card = " ".join(result.first_screen(language).facts.items[0].remarks)
    for words in (result.headline(language), card):
        assert "Desk, 270\N{NO-BREAK SPACE}h" in words
        assert "Processes, \N{MINUS SIGN}400\N{NO-BREAK SPACE}h" in words


def test_weeks_of_delay_are_told_as_less_of_it_and_a_level_as_no_gain(reports):
    saved = {"statement": ("decisions.evidence_weeks-saved", {"decisions": "log"})}
    saved |= {"unit": {"en": "week of delay", "fr": "semaine de retard"}, "per": "unit"}
    saved |= {"population": {"en": "decision", "fr": "décision"}}
    file_run(reports, LOG, [share("log/weeks-saved", 1.68, 0.5, **saved), share()])
    run = "decision_review/log"
    gains = [source("decisions", run, "Faster", pick=["log/weeks-saved"])]
    gains.append(source("alignment", run, "Reversals", pick=["log/reversed"]))
    result = page(*gains)
    for language, words in (("en", "delay avoided per"), ("fr", "retard en moins par")):
        faster, reversals = result.first_screen(language).facts.items[1:]
        assert words in faster.value
        assert words in result.headline(language)
        level = result.voice(language)("level")
        assert (level in faster.remarks, level in reversals.remarks) == (False, True)
    tested = share("log/test", kind="causal")
    file_run(reports, LOG, [tested])
    [_, effect, _] = page(source("decisions", run)).first_screen().facts.items
    assert "how things stand" not in " ".join(effect.remarks)


def test_shares_are_never_added(reports):
    file_run(reports, LOG, [share(), share("log/evidence", 0.5)])
    total = totals(page(source("decisions", "decision_review/log", pick=["log/evidence", "*"])))
    assert total["decisions"].quantity.value == 0.5  # what the spec names first


def test_a_sum_of_independent_normals():
    """By hand: means add up, variances too; 1.645 standard deviations hold 90 %."""
    total = added([hours("desk/pm/a", 100, 30), hours("desk/pm/b", 200, 40)], seed=1)
    assert total.value == 300
    assert [total.low, total.high] == pytest.approx([300 - 82.2, 300 + 82.2], abs=2)


# ---- Counted once


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("hours:pm/tag", "hours:pm/tag"),
        ("hours:Product managers/Tags", "hours:product manager/tag"),
        ("hours:pm/tag", "hours:pm"),
        ("hours:pm/weekly status", "hours:/Weekly status"),
    ],
)
def test_hours_that_count_the_same_are_counted_once(reports, first, other):
    """Another inventory of the same task, another process of the same name: in doubt too little."""
    file_run(reports, DESK, [hours(claim=first, grade="E")])
    again = hours("ops/pm/tag", 500.0, claim=other, grade="D")
    file_run(reports, "practice_review/ops/2026-09-01-0123abcd", [again])
    result = page(source(), source(run="practice_review/ops", name="Processes"))
    assert [claim.evidence.quantity.value for claim in result.counted] == [500.0]
    assert result.claims[0].counted_in == "Processes"
    assert result.check("counted_twice").detail.values["names"] == ["Desk"]
    assert "counts the same as “Processes”" in shown(result)


def test_of_two_runs_of_one_inventory_the_later_counts(reports):
    file_run(reports, DESK, [hours(value=300.0)])
    early = "time_saved/desk/2026-08-01-0123abcd"
    file_run(reports, early, [hours(value=100.0)])
    result = page(source(run=early, name="August"), source(name="October"))
    assert [claim.name for claim in result.counted] == ["October"]
    assert result.evidence()[0].run == DESK


def test_what_was_logged_counts_before_a_projection_that_cites_it(reports):
    """An inventory that rests on a review of a change is always later; a better grade still wins."""
    run, review = (
        "change_review/desk/2026-09-01-0123abcd",
        source(run="change_review/desk", name="Log"),
    )
    logged = {"change": "Desk", "measure": "hours", "teams": ["A"]}
    logged = hours(
        "desk/hours", 100.0, claim="hours:pm/tag", statement=("change.evidence_hours", logged)
    )
    file_run(reports, run, [logged])
    for grade, counted in (("D", "Log"), ("C", "Desk")):
        file_run(reports, DESK.replace("desk", grade.lower()), [hours(grade=grade)])
        result = page(source(run=f"time_saved/{grade.lower()}"), review)
        assert [claim.name for claim in result.counted] == [counted]


def test_a_decision_counted_in_two_gains_is_counted_in_the_first(reports):
    file_run(reports, LOG, [share()])
    run = "decision_review/log"
    result = page(source("decisions", run, "A"), source("alignment", run, "B"))
    assert [claim.name for claim in result.counted] == ["A"]
    assert totals(result)["alignment"].state == "debt"


def test_metrics_of_two_studies_are_two_things(reports):
    for name in ("a", "b"):
        known = share(f"{name}/checkout", claim="metric:checkout")
        file_run(reports, f"experiment_readout/{name}/2026-10-01-0123abcd", [known])
    runs = [source("decisions", f"experiment_readout/{name}", name) for name in ("a", "b")]
    assert len(page(*runs).counted) == 2


@given(st.permutations(["desk/pm/a", "desk/pm/b", "desk/sales/c"]))
def test_what_counts_does_not_hang_on_the_order(tmp_path_factory, names):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("w")
        (folder / "opslab.toml").touch()
        patch.setenv("OPSLAB_WORKSPACE", str(folder))
        patch.delenv("OPSLAB_REPORTS", raising=False)
        graded = dict(zip(sorted(names), "CDE", strict=True))
        file_run(folder / "reports", DESK, [hours(name, grade=graded[name]) for name in names])
        result = page(source(pick=list(names)))
    assert {claim.evidence.id for claim in result.counted} == set(names)
    assert totals(result)["time"].quantity.value == 400.0


# ---- Runs that cannot be used


def unused(result):
    return [missing.reason.key.rpartition(".")[2] for missing in result.missing]


def test_a_run_that_is_missing_later_or_too_old_is_said(reports):
    assert unused(page(source())) == ["no_run"]
    file_run(reports, "time_saved/desk/2026-10-06-0123abcd", [hours()])
    assert unused(page(source())) == ["run_later"]
    file_run(reports, "time_saved/desk/2025-10-03-0123abcd", [hours()])
    result = page(source())
    assert unused(result) == ["too_old"]
    assert result.claims == ()
    assert page(source(), oldest_days=367).claims


@pytest.mark.parametrize(
    ("filed", "key"),
    [
        ({"status": "check_failed"}, "red_run"),
        ({"exploratory": [{"key": "explore.without", "values": {}}]}, "explored_run"),
    ],
)
def test_a_red_or_exploratory_run_stops_the_page_where_it_is_the_only_one(reports, filed, key):
    file_run(reports, "time_saved/desk/2026-09-01-0123abcd", [hours()])
    file_run(reports, DESK, [hours()], **filed)
    result = page(source())
    assert unused(result) == [key]  # and the earlier run is not taken in its place
    assert (result.action, result.status, result.evidence()) == ("stop", "check_failed", [])
    file_run(reports, LOG, [share()])
    beside = page(source(), source("decisions", "decision_review/log"))
    assert (beside.action, beside.status) == ("restore", "complete")
    assert beside.check("readouts").status == "warn"


def test_one_digit_changed_is_not_used(reports):
    path = file_run(reports, DESK, [hours()]) / "result.json"
    path.write_text(path.read_text().replace("200.0", "900.0"))
    result = page(source())
    assert unused(result) == ["tampered"]
    assert "900" not in shown(result)


def test_a_pattern_that_matches_nothing_is_said_with_what_is_near(reports):
    file_run(reports, DESK, [hours()])
    result = page(source(pick=["desk/pm/tagg", "desk/pm/tag"]))
    assert unused(result) == ["no_finding"]
    assert len(result.claims) == 1
    assert "did you mean desk/pm/tag?" in shown(result)


def test_a_condition_of_a_run_reaches_the_headline(reports):
    failed = {"name": "briefing", "status": "fail", "blocking": False, "accepted": ""}
    failed |= {"detail": {"key": "launch_readiness.briefing_fail", "values": {}}, "value": 1.0}
    file_run(reports, DESK, [hours()], checks=[failed])
    result = page(source())
    assert [check.name for check in result.conditions] == ["conditions"]
    assert DESK in result.headline()
    file_run(reports, DESK, [hours()], checks=[failed | {"accepted": "known"}])
    assert page(source()).conditions == ()


def test_a_copy_is_taken_where_the_reports_hold_none_and_has_no_link(reports):
    file_run(reports.parent / "kept", DESK, [hours()])
    path = reports.parent / "team.yaml"
    declared = {"contribution": "team", "gains": [source()], "runs": ["kept"]}
    path.write_text(yaml.safe_dump(declared))
    result = review_contribution(Contribution.load(path), DAY)
    assert (result.claims[0].run.link, result.record()["cites"]) == (None, [])
    file_run(reports, DESK, [hours(value=300.0)])
    result = review_contribution(Contribution.load(path), DAY)
    assert result.record()["cites"] == [DESK]
    assert totals(result)["time"].quantity.value == 300.0


def test_of_runs_of_a_day_copies_are_one_and_others_are_named(reports):
    """A title or a comment changed is another run, and no other finding; a number is."""
    file_run(reports, LOG, [share()])
    other = "decision_review/log/2026-10-01-ffff0000"
    spec = SourceFile("log.yaml", "f" * 64, 1)
    file_run(reports, other, [share(sources=(spec,))], title="Autre titre")
    run = source("decisions", "decision_review/log", "Log")
    assert unused(page(run)) == []
    file_run(reports, other, [share(value=0.3)])
    result = page(run, debts=[DEBT])
    assert unused(result) == ["several_runs"]
    for name in (LOG, other):
        assert name in shown(result)
    result = page(source(), run, debts=[DEBT])
    file_run(reports, DESK, [hours()])
    result = page(source(), run)
    assert result.action == "restore"
    assert "decision quality" in result.first_screen().action
    assert "Measure" not in result.first_screen().action
    assert page(source("decisions", other)).claims


def test_of_copies_in_two_languages_the_link_leads_to_the_readers(reports):
    for mark, language in (("aaaa1111", "fr"), ("bbbb2222", "en")):
        run = f"decision_review/log/2026-10-01-{mark}"
        home = file_run(reports, run, [share()])
        card = json.loads((home / "run.json").read_text()) | {"parameters": {"language": language}}
        del card["seal"]
        (home / "run.json").write_text(json.dumps(sealed(card)))
    spec = Contribution(contribution="t", gains=[source("decisions", "decision_review/log")])
    for language, mark in (("fr", "aaaa1111"), ("en", "bbbb2222")):
        [claim] = review_contribution(spec, DAY, language=language).claims
        assert claim.run.id.endswith(mark)


def test_a_headline_has_no_room_for_an_interval_that_is_not_there(reports):
    known = Quantity("quantiles", dict.fromkeys(("p5", "p50", "p95"), 0.9), 0.9, None, None, 0.9)
    file_run(reports, LOG, [share(quantity=known)])
    for language in ("en", "fr"):
        words = page(source("decisions", "decision_review/log")).headline(language)
        assert not re.search(r"[;,(]\s*[);.]", words)


# ---- Debts


def test_a_debt_stands_with_owner_and_day_and_is_overdue_after_it(reports):
    result = page(debts=[DEBT])
    assert result.check("overdue").status == "warn"
    assert "Pull together: was due on 30 September 2026, ops" in shown(result)
    on_time = page(debts=[DEBT], day=datetime.date(2026, 9, 30))
    assert on_time.check("overdue").status == "pass"
    assert "Pull together: due on 30 September 2026, ops" in shown(on_time)


# ---- Changes


def filed(reports, result, digest="0123abcd"):
    run = f"contribution/team/{result.as_of}-{digest}"
    record = result.record()
    del record["evidence"]
    return file_run(reports, run, result.evidence(), **record)


def test_a_change_of_independent_runs_has_the_interval_of_a_difference(reports):
    """By hand: the standard deviation of the difference is 5 = root of 3² + 4²."""
    file_run(
        reports, "time_saved/desk/2026-07-01-0123abcd", [hours(value=100, scale=3, content="a")]
    )
    filed(reports, page(source(), day=datetime.date(2026, 7, 5)))
    file_run(reports, DESK, [hours(value=120, scale=4, content="b")])
    result = page(source(), previous="last")
    change = totals(result)["time"].change
    assert (change.kind, change.then, change.value) == ("moved", 100, 20)
    assert [change.low, change.high] == pytest.approx([20 - 8.22, 20 + 8.22], abs=0.3)
    assert "+20 hours a year at full use since 5 July 2026" in shown(result).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_the_same_run_and_the_same_files_are_the_same_data(reports):
    file_run(reports, "time_saved/desk/2026-07-01-0123abcd", [hours(content="a")])
    filed(reports, page(source(), day=datetime.date(2026, 7, 5)))
    assert totals(page(source(), previous="last"))["time"].change.kind == "same"
    file_run(reports, DESK, [hours(content="a")])
    result = page(source(), previous="last")
    assert totals(result)["time"].change.kind == "same"
    assert "same data as on 5 July 2026" in shown(result)


def test_a_finding_of_the_same_data_moves_no_sum(reports):
    """What stands on the same data in both cancels out: only what moved is uncertain."""
    old = hours("desk/pm/a", 100, 50, content="a")
    then, now = (hours("desk/pm/b", at, 1, content=f"b{at}") for at in (10, 30))
    change = moved([old, now], [old, then], seed=1)
    assert (change.value, change.then) == (20, 110)
    spread = 1.645 * 2**0.5
    assert [change.low, change.high] == pytest.approx([20 - spread, 20 + spread], abs=0.1)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([hours("desk/pm/a"), hours("desk/pm/b")], [hours("desk/pm/a")]),
        ([hours("desk/pm/a")], [hours("desk/pm/a"), hours("desk/pm/b")]),
        ([share("log/reversed")], [share("log/options", 0.9)]),
        ([share()], [share(claim="decisions:log/other")]),
        ([share(content="a")], [share(unit="decisions", content="a")]),
        ([hours(unit={"en": "k EUR", "fr": "k EUR"})], [hours(unit="EUR", value=200_000.0)]),
        ([hours()], [hours(per="week")]),
    ],
)
def test_no_change_is_told_of_other_findings_or_of_what_is_counted_otherwise(reports, then, now):
    change = moved(now, then, seed=1)
    assert (change.kind, change.value) == ("other", None)
    file_run(reports, "time_saved/desk/2026-07-01-0123abcd", then)
    filed(reports, page(source(pick=["*"]), day=datetime.date(2026, 7, 5)))
    file_run(reports, DESK, now)
    result = page(source(), previous="last")
    assert totals(result)["time"].change.kind == "other"
    assert "counted otherwise than on 5 July 2026: not compared" in shown(result)


def test_a_figure_that_is_gone_is_said(reports):
    file_run(reports, "time_saved/desk/2026-07-01-0123abcd", [hours()])
    filed(reports, page(source(), day=datetime.date(2026, 7, 5)))
    result = page(previous="last")
    assert totals(result)["time"].change.kind == "gone"
    assert "had a figure on 5 July 2026, none today" in shown(result)


def test_a_spec_whose_comment_changed_is_no_other_data(reports):
    csv = SourceFile("log.csv", "c" * 64, 1)
    for day, spec in (("2026-07-01", "a" * 64), ("2026-10-01", "b" * 64)):
        sources = (csv, SourceFile("log.yaml", spec, 1))
        file_run(reports, f"decision_review/log/{day}-0123abcd", [share(sources=sources)])
    run = source("decisions", "decision_review/log")
    filed(reports, page(run, day=datetime.date(2026, 7, 5)))
    assert totals(page(run, previous="last"))["decisions"].change.kind == "same"


def test_a_change_is_written_as_its_figure_is(reports):
    for day, value in (("2026-07-01", 0.125), ("2026-10-01", 0.8696)):
        known = share(value=value, content=day)
        file_run(reports, f"decision_review/log/{day}-0123abcd", [known])
    run = source("decisions", "decision_review/log")
    filed(reports, page(run, day=datetime.date(2026, 7, 5)))
    words = shown(page(run, previous="last")).replace("\N{NO-BREAK SPACE}", " ")
    assert "+74 pp since 5 July 2026 (+70 pp to +79 pp, 90% interval)" in words


def test_a_gain_that_was_owed_is_new(reports):
    filed(reports, page(source(), day=datetime.date(2026, 7, 5), debts=[DEBT | {"gain": "time"}]))
    file_run(reports, DESK, [hours()])
    result = page(source(), previous="last")
    assert totals(result)["time"].change.kind == "new"
    assert result.previous_day is None  # a page without any run was red
    assert result.passed
    file_run(reports, "decision_review/log/2026-07-01-0123abcd", [share()])
    both = [source(), source("decisions", "decision_review/log")]
    filed(reports, page(*both, day=datetime.date(2026, 7, 6)))
    result = page(*both, previous="last")
    assert totals(result)["time"].change.kind == "new"
    assert result.claims[0].change.kind == "new"
    assert totals(result)["decisions"].change.kind == "same"


def test_a_later_page_is_no_last_one(reports):
    file_run(reports, LOG, [share()])
    run = source("decisions", "decision_review/log")
    folder = filed(reports, page(run, day=datetime.date(2026, 11, 5)))
    with pytest.raises(SpecError) as caught:
        page(run, previous=str(folder))
    assert caught.value.problems[0].key == "operations.later_run"


# ---- What comes out


def test_the_record_is_alike_in_both_languages_and_after_another_seed_but_for_draws(reports):
    file_run(reports, DESK, [hours("desk/pm/a"), hours("desk/pm/b")])
    result = page(source())
    assert json.dumps(result.record(), allow_nan=False)
    spec = result.contribution
    french = review_contribution(spec, DAY, language="fr")
    assert french.record() == result.record()
    other = review_contribution(spec, DAY, seed=2)
    assert totals(other)["time"].quantity.value == totals(result)["time"].quantity.value


def test_no_money_and_no_score(reports):
    file_run(reports, DESK, [hours()])
    file_run(reports, LOG, [share()])
    for language in ("en", "fr"):
        words = shown(page(*ALL, debts=[DEBT]), language)
        assert not any(sign in words for sign in "€$£")


@pytest.mark.parametrize("value", [-0.3, 0.0, 12.345, 4321.0])
def test_an_interval_that_holds_zero_says_so(reports, value):
    file_run(reports, DESK, [hours(value=value, scale=5.0)])
    holds = abs(value) < 1.645 * 5
    assert ("zero not ruled out" in shown(page(source()))) == holds
    assert ("zéro non exclu" in shown(page(source()), "fr")) == holds


def test_the_parameters_name_every_record_that_is_read(reports):
    folder = file_run(reports, DESK, [hours()])
    path = reports.parent / "team.yaml"
    spec = {"contribution": "team", "date": "2026-10-05", "gains": [source()]}
    path.write_text(yaml.safe_dump(spec))
    inputs = ContributionParameters.of(spec=str(path)).stands_on()
    assert (inputs.name, inputs.as_of) == ("team", DAY)
    assert set(inputs.files) == {path, folder / "result.json"}
    again = file_run(reports, "time_saved/desk/2026-10-01-ffff0000", [hours(value=1.0)])
    red = file_run(reports, "decision_review/log/2025-01-01-ffff0000", [], "check_failed")
    path.write_text(yaml.safe_dump(spec | {"gains": ALL[:2]}))
    known = {path, *(run / "result.json" for run in (folder, again, red))}
    assert set(ContributionParameters.of(spec=str(path)).stands_on().files) == known
    (again / "readout.html").write_text("<html>something else")  # of which the page would tell
    known -= {again / "result.json"}
    assert set(ContributionParameters.of(spec=str(path)).stands_on().files) == known


def test_without_a_day_it_says_so():
    with pytest.raises(SpecError) as caught:
        review_contribution(Contribution(contribution="team"))
    assert caught.value.problems[0].key == "parameters.as_of_needed"


# ---- What it passes on


def test_what_a_page_passes_on_is_what_its_runs_say(reports):
    known = hours()
    file_run(reports, DESK, [known])
    [passed] = page(source()).evidence()
    for name in ("id", "claim", "grade", "quantity", "kind", "unit", "per", "sources", "statement"):
        assert getattr(passed, name) == getattr(known, name)
    assert passed.run == DESK


@pytest.mark.parametrize("declared", [{"debts": [DEBT]}, {"gains": [source()]}])
def test_a_page_without_any_claim_is_filed_as_it_is(workspace_folder, declared):
    """A debt alone, a readout that is not there: no workbook, and no crash for want of one."""
    spec = workspace_folder / "team.yaml"
    spec.write_text(yaml.safe_dump({"contribution": "team", "date": "2026-10-05"} | declared))
    done = CliRunner().invoke(main, ["run", "contribution", "-p", f"spec={spec}", "--quiet"])
    assert done.exit_code == (3 if "gains" in declared else 0), done.output
    [folder] = (workspace_folder / "reports" / "contribution" / "team").iterdir()
    assert {"readout.html", "result.json"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "result.xlsx").exists()


def test_several_runs_of_a_day_outside_of_the_workspace_are_told_and_filed(
    workspace_folder, tmp_path
):
    """All records are called result.json: none of them has changed while another was read."""
    out = tmp_path / "out"
    for mark, value in (("aaaa1111", 0.1), ("bbbb2222", 0.3)):
        file_run(out, f"decision_review/log/2026-10-01-{mark}", [share(value=value)])
    file_run(out, "time_saved/desk/2025-01-01-0123abcd", [hours()])  # too old
    file_run(out, "practice_review/ops/2026-10-01-0123abcd", [])  # nothing in it
    file_run(out, "practice_review/ops/2026-10-01-ffff0000", [])
    gains = [source(), source("decisions", "decision_review/log")]
    gains += [source("alignment", "practice_review/ops")]
    spec = workspace_folder / "team.yaml"
    declared = {"contribution": "team", "date": "2026-10-05", "gains": gains}
    spec.write_text(yaml.safe_dump(declared))
    given = ["run", "contribution", "-p", f"spec={spec}", "--quiet", "--out", str(out)]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 3, done.output
    [folder] = (out / "contribution" / "team").iterdir()
    words = (folder / "readout.html").read_text()
    for mark in ("aaaa1111", "bbbb2222"):
        assert f"decision_review/log/2026-10-01-{mark}" in words


def test_two_pages_side_by_side_are_a_table_too(reports):
    """A column called value is one of them, and no name of the table's own."""
    file_run(reports, DESK, [hours()])
    result = page(source())
    file_run(reports, DESK, [hours(value=260.0)])
    frame = result.compare(page(source())).frame()
    [row] = frame[frame.figure == "value"].to_dict("records")
    assert (row["this"], row["other"], row["change"]) == (200.0, 260.0, 60.0)
