"""Runs that a case cites: found, whole, and refused with the reason where they are not; what evidence must bear."""

import copy
import hashlib
import json

import pytest
import yaml
from cases import (
    KPI,
    benefit,
    cost,
    fields,
    file_run,
    finding,
    hours_case,
    money,
    share,
    units,
    win,
)

from opslab.archive import sealed
from opslab.businesscase import build
from opslab.businesscase.ledger import files
from opslab.businesscase.spec import Case
from opslab.errors import InputError, OpslabError
from opslab.evidence import Quantity

RUN = "time_saved/desk/2026-10-01-0123abcd"


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """A workspace with one run of hours saved; returns its reports."""
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    file_run(tmp_path / "reports", RUN, [finding()])
    return tmp_path / "reports"


def load(reports, declared):
    path = reports.parent / "case.yaml"
    path.write_text(yaml.safe_dump(declared, sort_keys=False, allow_unicode=True))
    return Case.load(path, "case.yaml")


def made(reports, declared=None, **more):
    return build(load(reports, declared or hours_case()), draws=1_000, **more)


def refused(reports, declared=None):
    """Return the problems; each has file, line, field and a text in both languages."""
    with pytest.raises(InputError) as caught:
        made(reports, declared)
    assert caught.value.exit_code == 2
    for problem in caught.value.problems:
        assert problem.file == "case.yaml"
        assert problem.line
        assert problem.field
        assert problem.text() != problem.text("fr")
    return caught.value.problems


def key(problems):
    [problem] = problems
    return problem.key.rpartition(".")[2]


def retold(reports, change):
    """Change the record of the run and note the new hash, as if it had been filed so."""
    folder = reports / RUN
    record = json.loads((folder / "result.json").read_text())
    change(record)
    content = json.dumps(record).encode()
    (folder / "result.json").write_bytes(content)
    told = json.loads((folder / "run.json").read_text())
    told["outputs"]["result.json"] = hashlib.sha256(content).hexdigest()
    (folder / "run.json").write_text(json.dumps(sealed(told)))


def test_a_run_is_found_and_said_to_be_cited(reports):
    result = made(reports)
    assert result.cites == (RUN,)
    entry = result.entry("e")
    assert (entry.run, entry.link, entry.grade) == (RUN, f"../../../{RUN}/readout.html", "B")
    assert entry.value == pytest.approx(207)
    assert {one.name for one in result.sources} == {"case.yaml", f"{RUN}/result.json"}
    assert (
        files(load(reports, hours_case()), load(reports, hours_case()).date)[1]
        == reports / RUN / "result.json"
    )


def test_given_evidence_and_filed_evidence_are_one(reports):
    filed, handed = made(reports), build(Case(**hours_case()), {"e": [finding()]}, draws=1_000)
    assert filed.recommended == handed.recommended


def test_the_latest_run_by_then_is_taken(reports):
    file_run(reports, "time_saved/desk/2026-09-01-aaaaaaaa", [finding(grade="E")])
    file_run(reports, "time_saved/desk/2026-10-06-bbbbbbbb", [finding(grade="A")])
    assert made(reports).cites == (RUN,)
    import datetime

    assert made(reports, as_of=datetime.date(2026, 10, 6)).cites == (
        "time_saved/desk/2026-10-06-bbbbbbbb",
    )


def test_a_run_named_by_its_id_is_taken(reports):
    file_run(reports, "time_saved/desk/2026-10-03-bbbbbbbb", [finding(grade="E")])
    assert made(reports, hours_case(run=RUN)).cites == (RUN,)


def test_a_missing_run_says_what_to_run(reports):
    [problem] = refused(reports, hours_case(run="flow_review/desk"))
    assert problem.key == "filed_runs.no_run"
    assert problem.field == "evidence[1].run"
    assert "opslab run flow_review" in problem.text()


def test_a_missing_run_says_where_it_was_looked_for(reports):
    [problem] = refused(reports, hours_case(run="flow_review/desk"))
    assert "reports" in problem.text()


def test_only_later_runs(reports):
    file_run(reports, "flow_review/desk/2026-11-01-0123abcd", [finding()])
    assert key(refused(reports, hours_case(run="flow_review/desk"))) == "run_later"


def test_several_runs_of_a_day_that_differ(reports):
    file_run(reports, "time_saved/desk/2026-10-01-aaaaaaaa", [finding(grade="C")])
    [problem] = refused(reports)
    assert problem.key == "filed_runs.several_runs"
    assert "aaaaaaaa" in problem.text()
    assert "0123abcd" in problem.text()


def test_several_runs_of_a_day_that_agree_to_nine_digits(reports):
    """The other language of one readout, another machine's last digit."""
    quantity = finding().quantity
    near = Quantity(quantity.family, dict(quantity.parameters), 207.0 + 1e-12, 100.0, 330.0, 0.9)
    file_run(reports, "time_saved/desk/2026-10-01-aaaaaaaa", [finding(quantity=near)])
    assert made(reports).cites == ("time_saved/desk/2026-10-01-0123abcd",)


def test_a_red_run_carries_nothing(reports):
    file_run(reports, RUN, [finding()], status="check_failed")
    assert key(refused(reports)) == "red_run"


def test_an_exploratory_run_carries_nothing(reports):
    """Nor did it promise anything: the case before this one is read by the same way."""
    file_run(reports, RUN, [finding()], exploratory=[{"key": "explore.without", "values": {}}])
    assert key(refused(reports)) == "explored_run"


def test_one_digit_changed_is_told(reports):
    path = reports / RUN / "result.json"
    text = path.read_text()
    path.write_text(text.replace("207.0", "297.0"))
    assert text != path.read_text()
    assert key(refused(reports)) == "tampered"


def test_failed_and_foreign_folders_are_no_runs(reports):
    (reports / "time_saved/desk/2026-10-04-0123abcd.failed").mkdir()
    (reports / "time_saved/desk/latest").mkdir()
    (reports / "time_saved/desk/notes.txt").touch()
    assert made(reports).cites == (RUN,)


def test_a_folder_with_an_impossible_day_is_no_run(reports):
    (reports / "time_saved/desk/2026-99-99-0123abcd").mkdir()
    assert made(reports).cites == (RUN,)


def test_a_file_where_the_runs_should_be(reports):
    (reports / "flow_review").mkdir()
    (reports / "flow_review/desk").touch()
    assert key(refused(reports, hours_case(run="flow_review/desk"))) == "no_run"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run.json", "bad_record"),
        ("result.json", "tampered"),
        ("readout.html", "tampered"),
        ("notebook.ipynb", "tampered"),
    ],
)
def test_half_a_run_is_not_cited(reports, name, said):
    (reports / RUN / name).unlink()
    assert key(refused(reports)) == said


@pytest.mark.parametrize(
    "told",
    [
        {"notebook": "flow_review"},
        {"name": "other"},
        {"as_of": "2026-10-02"},
        {"as_of": None},
        {"outputs": {}},
        {"outputs": {"result.json": None}},
    ],
)
def test_a_run_is_what_its_folder_says(reports, told):
    """A run of another name moved into the folder, or a run.json that was changed."""
    path = reports / RUN / "run.json"
    changed = json.loads(path.read_text()) | told
    for about in (changed, sealed(changed)):
        path.write_text(json.dumps(about))
        assert key(refused(reports)) in ("tampered", "bad_record")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"3",
        b"{",
        b'{"status": NaN}',
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
@pytest.mark.parametrize("name", ["run.json", "result.json"])
def test_other_json_is_refused(reports, name, content):
    (reports / RUN / name).write_bytes(content)
    if name == "result.json":
        told = json.loads((reports / RUN / "run.json").read_text())
        told["outputs"]["result.json"] = hashlib.sha256(content).hexdigest()
        (reports / RUN / "run.json").write_text(json.dumps(sealed(told)))
    assert key(refused(reports)) in ("bad_record", "red_run")


DELETED = object()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", DELETED),
        ("id", 3),
        ("unit", None),
        ("per", "day"),
        ("benefit", "big"),
        ("grade", "Z"),
        ("kind", ""),
        ("statement", "words"),
        ("statement", {"key": 3, "values": {}}),
        ("quantity", None),
        ("quantity", {}),
        ("claim", None),
        ("sources", 3),
        ("sources", [{"name": "x"}]),
        ("date", "yesterday"),
        ("period", []),
        ("population", None),
    ],
)
def test_malformed_evidence_is_refused(reports, field, value):
    def change(record):
        if value is DELETED:
            del record["evidence"][0][field]
        else:
            record["evidence"][0][field] = value

    retold(reports, change)
    assert key(refused(reports)) == "bad_record"


@pytest.mark.parametrize(
    "statement", [{"key": "nope.x", "values": {}}, {"key": "timesaved.evidence", "values": {}}]
)
def test_a_statement_that_cannot_be_told_is_refused(reports, statement):
    retold(reports, lambda record: record["evidence"][0].update(statement=statement))
    assert key(refused(reports)) == "bad_record"


@pytest.mark.parametrize("evidence", [[], None])
def test_a_run_without_evidence(reports, evidence):
    retold(reports, lambda record: record.update(evidence=evidence))
    assert key(refused(reports)) == "no_evidence"


@pytest.mark.parametrize("evidence", [3, "x", {"a": 1}, [3], [None], [[]]])
def test_evidence_that_is_none(reports, evidence):
    retold(reports, lambda record: record.update(evidence=evidence))
    assert key(refused(reports)) == "bad_record"


def picked(pick):
    declared = hours_case()
    declared["evidence"][0]["pick"] = pick
    return declared


def test_findings_are_picked_by_id(reports):
    file_run(
        reports,
        RUN,
        [finding(), finding("desk/pm/merge"), finding("desk/qa/test", population="qa")],
    )
    assert [one.id for one in made(reports).ledger if one.kind == "evidence"] == [
        "e-1",
        "e-2",
        "e-3",
    ]
    two = made(reports, picked(["desk/pm/*", "desk/pm/tag"])).ledger
    assert [one.id for one in two if one.kind == "evidence"] == ["e-1", "e-2"]
    assert [
        one.id for one in made(reports, picked(["desk/pm/tag"])).ledger if one.kind == "evidence"
    ] == ["e"]


def test_a_finding_that_is_not_there_is_told_with_the_nearest(reports):
    [problem] = refused(reports, picked(["desk/pm/tga"]))
    assert (problem.key, problem.field) == ("filed_runs.no_finding", "evidence[1].pick[1]")
    assert "desk/pm/tag" in problem.text()


def test_every_missing_run_is_told_at_once(reports):
    declared = hours_case()
    declared["evidence"] += [
        {"id": "b", "run": "flow_review/b"},
        {"id": "c", "run": "flow_review/c"},
    ]
    assert [one.field for one in refused(reports, declared)] == [
        "evidence[2].run",
        "evidence[3].run",
    ]


def test_runs_beside_the_case_are_found_after_the_reports(reports):
    other = reports.parent / "attached"
    file_run(other, "flow_review/desk/2026-09-01-0123abcd", [finding()])
    file_run(other, "time_saved/desk/2026-10-04-0123abcd", [finding(grade="E")])
    result = made(reports, hours_case(run="flow_review/desk", runs=["attached"]))
    assert result.cites == ()
    assert result.entry("e").link is None
    assert made(reports, hours_case(runs=["attached"])).entry("e").grade == "B"


@pytest.mark.parametrize("folder", ["../..", "/etc", "a\x00b", "~nobody/x", "x" * 5_000, ""])
def test_folders_of_runs_that_are_none(reports, folder):
    assert key(refused(reports, hours_case(run="flow_review/desk", runs=[folder]))) == "no_run"


def test_the_same_draws_whatever_the_id_or_the_number(reports):
    """The stream hangs on the finding: picked alone or among others, under any id."""
    file_run(reports, RUN, [finding(), finding("desk/pm/merge")])
    one = made(reports, picked(["desk/pm/tag"]))
    declared = hours_case(found="zz")
    declared["evidence"][0]["pick"] = ["desk/pm/tag"]
    assert made(reports, declared).recommended == one.recommended


# What evidence must bear


def given(declared, found):
    """Return the keys and fields of the refusals of a case and its findings."""
    with pytest.raises(InputError) as caught:
        build(Case(**declared), {"e": found}, draws=1_000)
    assert caught.value.text() != caught.value.text("fr")
    return [(one.key.removeprefix("businesscase."), one.field) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("second", "key"),
    [
        ({"unit": "tickets"}, "mixed_unit"),
        ({"per": "once"}, "mixed_per"),
        ({"benefit": "quality"}, "mixed_benefit"),
    ],
)
def test_findings_that_cannot_be_added(second, key):
    found = [finding(), finding("desk/pm/merge", **second)]
    assert given(hours_case(), found) == [(key, "benefits[1].evidence")]


def test_a_softer_kind_lets_kinds_be_mixed():
    found = [finding(), finding("desk/pm/merge", benefit="quality")]
    result = build(Case(**hours_case(line={"kind": "quality"})), {"e": found}, draws=1_000)
    assert result.recommended.benefits["quality"] == result.recommended.benefits["all"]


def test_a_case_calls_nothing_harder_than_its_evidence():
    assert given(hours_case(line={"kind": "hard"}), [finding()]) == [("firmer", "benefits[1].kind")]


def test_one_claim_in_two_findings_of_a_line():
    found = [finding(), finding("desk/pm/again", claim="hours:desk/pm/tag")]
    assert given(hours_case(), found) == [("claimed_twice", "benefits[1].evidence")]


def test_one_finding_in_two_lines_of_an_option():
    declared = hours_case()
    declared["benefits"].append(declared["benefits"][0] | {"name": "again"})
    declared["options"][1]["benefits"].append("again")
    assert given(declared, [finding()]) == [("claimed_twice", "benefits[2].claim")]


def test_one_finding_in_two_options_is_no_sum():
    declared = hours_case()
    declared["benefits"].append(declared["benefits"][0] | {"name": "again"})
    declared["options"].append(
        {"name": "other", "kind": "other", "benefits": ["again"], "costs": ["paid"]}
    )
    assert build(Case(**declared), {"e": [finding()]}, draws=1_000)


def test_one_finding_under_two_ids(reports):
    declared = hours_case()
    declared["evidence"].append({"id": "f", "run": "time_saved/desk"})
    declared["benefits"][0]["evidence"] = ["e", "f"]
    assert key(refused(reports, declared)) == "claimed_twice"


def with_idle(claim, **idle):
    declared = hours_case(assumptions=[money("over", 900)])
    declared["costs"].append(cost("overtime", "over", claim=claim))
    declared["options"][0]["costs"].append("overtime")
    declared["options"][1].update(idle)
    return declared


def test_evidence_and_an_ended_cost_of_doing_nothing_with_one_claim():
    twice = [("claimed_twice", "costs[3].claim")]
    assert given(with_idle("hours:desk/pm/tag"), [finding()]) == twice
    assert build(Case(**with_idle({"budget": "overtime"})), {"e": [finding()]}, draws=1_000)


def test_evidence_and_a_cost_ended_in_part_with_one_claim():
    declared = with_idle("hours:desk/pm/tag", costs=["paid", "overtime"], reach={"overtime": 0.5})
    assert given(declared, [finding()]) == [("claimed_twice", "costs[3].claim")]


def test_a_cost_of_another_option_ends_nothing_here():
    declared = with_idle("hours:desk/pm/tag")
    declared["options"][0]["costs"].remove("overtime")
    declared["options"].append(
        {"name": "other", "kind": "other", "benefits": ["hours"], "costs": ["overtime"]}
    )
    assert build(Case(**declared), {"e": [finding()]}, draws=1_000)


def test_hours_need_a_worth_and_an_adoption():
    declared = hours_case()
    for name in ("worth", "adoption"):
        del declared["benefits"][0][name]
    assert given(declared, [finding()]) == [
        ("no_worth_given", "benefits[1]"),
        ("no_adoption", "benefits[1].adoption"),
    ]


def test_a_worth_of_another_unit():
    assert given(hours_case(), [finding(unit="tickets")]) == [("other_unit", "benefits[1].worth")]


def test_money_of_another_currency_is_refused():
    declared = hours_case()
    del declared["benefits"][0]["worth"]
    assert given(declared, [finding(unit="USD")]) == [("no_worth_given", "benefits[1]")]
    assert (
        build(Case(**declared), {"e": [finding(unit="EUR")]}, draws=1_000).lines[0].value.mean > 0
    )


def test_shares_per_unit_need_a_volume():
    declared = hours_case()
    declared["benefits"][0].pop("worth")
    declared["benefits"][0]["worth"] = "rate"
    assert given(declared, [win()]) == [("no_volume", "benefits[1].volume")]


def volume(**more):
    return hours_case(
        line={"volume": "n"} | more.pop("line", {}), assumptions=[units("n", 1_000, "year", **more)]
    )


def test_a_volume_where_nothing_is_per_unit_is_refused():
    assert ("benefits[1].volume") in [field for _, field in given(volume(), [finding()])]


def test_a_volume_of_another_currency_is_converted_or_refused():
    def declared(currency):
        return fields(
            [
                money("w", 0.3, "EUR"),
                share("part", 0.5),
                money("pay", 10),
                money("v", 1e6, currency=currency),
            ],
            [benefit("b", evidence=["e"], worth="w", volume="v", share="part", signed_by="head")],
            [cost("paid", "pay")],
            evidence=[{"id": "e", "run": "experiment_readout/shop"}],
            finance={
                "exchange": [
                    {"from": "USD", "to": "EUR", "rate": 0.5, "date": "2026-01-01", "source": "x"}
                ]
            },
        )

    def gains(currency):
        return (
            build(Case(**declared(currency)), {"e": [win()]}, draws=1_000)
            .recommended.benefits["all"]
            .mean
        )

    try:
        dollars = gains("USD")
    except OpslabError:
        return
    assert dollars == pytest.approx(gains("EUR") / 2)


def test_evidence_that_was_not_handed_over_is_told():
    with pytest.raises(InputError, match="e"):
        build(Case(**hours_case()), {}, draws=1_000)


def test_numbered_findings_take_no_assumption_away():
    declared = hours_case(assumptions=[money("e-1", 5)])
    try:
        result = build(Case(**declared), {"e": [finding(), finding("desk/pm/merge")]}, draws=1_000)
    except OpslabError:
        return
    assert [one.value for one in result.ledger if one.id == "e-1"] == [5]


BROKEN = [
    *((family, {"location": 1.0, "scale": 1.0}) for family in ("cauchy", "draws", "", "Normal")),
    ("student_t", {"location": 1.0, "scale": 0.0, "degrees_of_freedom": 5.0}),
    ("student_t", {"location": 1.0, "scale": -1.0, "degrees_of_freedom": 5.0}),
    ("student_t", {"location": 1.0, "scale": 1.0, "degrees_of_freedom": 0.0}),
    ("student_t", {"location": 1.0, "scale": 1.0, "degrees_of_freedom": 1.0}),
    ("student_t", {"location": float("nan"), "scale": 1.0, "degrees_of_freedom": 9.0}),
    ("normal", {"location": 1.0, "scale": -3.0}),
    ("normal", {"location": float("inf"), "scale": 3.0}),
    ("beta", {"a": 0.0, "b": 1.0}),
    ("beta", {"a": -1.0, "b": 1.0}),
    ("beta", {"a": float("inf"), "b": 1.0}),
    ("quantiles", {"p5": 3.0, "p50": 2.0, "p95": 1.0}),
    ("quantiles", {"p5": 3.0}),
    ("quantiles", {"p0": 1.0, "p100": 2.0}),
    ("quantiles", {"p5": 0.0, "p105": 1.0}),
    ("quantiles", {"p-5": 1.0, "p50": 2.0}),
    ("quantiles", {"p5": 1.0, "p50": float("nan")}),
]


@pytest.mark.parametrize(("family", "parameters"), BROKEN)
def test_a_record_whose_quantity_is_no_distribution(reports, family, parameters):
    def change(record):
        record["evidence"][0]["quantity"].update(family=family, parameters=parameters)

    retold(reports, change)
    assert key(refused(reports)) == "bad_record"


@pytest.mark.parametrize("family", ["normal", "beta"])
def test_other_families_are_drawn_as_they_say(family):
    """Against their own means and the closed form of their 10th percentile."""
    from scipy import stats

    wanted = {"normal": stats.norm(200, 30), "beta": stats.beta(20, 80)}[family]
    parameters = {"normal": {"location": 200.0, "scale": 30.0}, "beta": {"a": 20.0, "b": 80.0}}[
        family
    ]
    quantity = Quantity(family, parameters, wanted.mean(), *wanted.interval(0.9), 0.9)
    line = (
        build(Case(**hours_case()), {"e": [finding(quantity=quantity)]}, draws=20_000)
        .lines[0]
        .quantity
    )
    assert line.mean == pytest.approx(wanted.mean(), rel=0.01)
    assert (line.p10, line.p90) == (
        pytest.approx(wanted.ppf(0.1), rel=0.02),
        pytest.approx(wanted.ppf(0.9), rel=0.02),
    )


def test_a_targets_finding_of_another_unit_or_number(reports):
    declared = hours_case(kpis=[KPI | {"measured": {"evidence": "e"}}])
    with pytest.raises(InputError, match="weeks"):
        made(reports, declared)
    file_run(reports, RUN, [finding(), finding("desk/pm/merge")])
    with pytest.raises(InputError, match="one finding"):
        made(reports, declared)


def test_targets_that_cannot_be_measured_so_are_told_with_their_lines(reports):
    second = copy.deepcopy(KPI) | {"id": "k2", "measured": {"evidence": "e"}}
    problems = refused(reports, hours_case(kpis=[KPI | {"measured": {"evidence": "e"}}, second]))
    assert [one.field for one in problems] == [
        "kpis[1].measured.evidence",
        "kpis[2].measured.evidence",
    ]
