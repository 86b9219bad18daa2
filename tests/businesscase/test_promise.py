"""Promise against actual: what the last case promised, what was measured since, what has changed."""

import datetime
import json
import math

import pytest
from cases import KPI, benefit, cost, file_run, finding, hours_case, money, share, simple

from opslab.businesscase import build, diff
from opslab.businesscase.spec import Case
from opslab.errors import InputError
from opslab.evidence import Quantity
from opslab.uncertainty.update import update

BEFORE = "business_case/test-case/2026-09-01-0123abcd"


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    return tmp_path / "reports"


def record_of(declared, evidence=None):
    return json.loads(
        json.dumps(build(Case(**declared), evidence, draws=1_000).record(), allow_nan=False)
    )


def file_case(reports, declared, run=BEFORE, change=None):
    told = record_of(declared)
    if change:
        change(told)
    file_run(reports, run, told.pop("evidence"), told.pop("status"), **told)


def again(**more):
    return simple(previous="business_case/test-case", **more)


def built(declared, **more):
    return build(Case(**declared), draws=1_000, **more)


def test_the_last_case_is_the_latest_before_the_day(reports):
    file_case(reports, simple(version="1"))
    file_case(reports, simple(version="2"), "business_case/test-case/2026-10-04-0123abcd")
    file_case(reports, simple(version="3"), "business_case/test-case/2026-10-05-0123abcd")
    result = built(again())
    assert (result.previous.run, result.previous.version) == (
        "business_case/test-case/2026-10-04-0123abcd",
        "2",
    )
    assert result.previous.date == datetime.date(2026, 10, 4)
    assert "business_case/test-case/2026-10-04-0123abcd" in result.cites
    assert built(again(), as_of=datetime.date(2026, 9, 2)).previous.version == "1"
    assert built(simple()).previous is None


def test_a_case_of_the_day_itself_is_no_earlier_one(reports):
    file_case(reports, simple(), "business_case/test-case/2026-10-05-0123abcd")
    with pytest.raises(InputError) as caught:
        built(again())
    assert caught.value.problems[0].key == "filed_runs.run_later"


def test_a_case_that_is_missing_or_tampered_with(reports):
    with pytest.raises(InputError) as caught:
        built(again())
    assert caught.value.problems[0].key == "filed_runs.no_run"
    assert caught.value.problems[0].field == "previous"
    file_case(reports, simple())
    path = reports / BEFORE / "result.json"
    path.write_text(path.read_text().replace('"target": 5.0', '"target": 6.0'))
    with pytest.raises(InputError) as caught:
        built(again())
    assert caught.value.problems[0].key == "filed_runs.tampered"


def test_a_red_case_promised_nothing(reports):
    told = record_of(simple()) | {"status": "check_failed"}
    file_run(reports, BEFORE, told.pop("evidence"), told.pop("status"), **told)
    with pytest.raises(InputError) as caught:
        built(again())
    assert caught.value.problems[0].key == "filed_runs.red_run"


def test_nothing_changed_nothing_told(reports):
    file_case(reports, simple())
    result = built(again())
    assert result.previous.changes == ()
    assert result.previous.npv == result.recommended.npv
    assert result.previous.positive == result.recommended.positive[0]
    assert result.previous.recommended == "ask"


def two_lines(**more):
    made = simple(**more)
    made["assumptions"] += [money("extra", (10, 20)), money("fee", 7)]
    made["benefits"].append(benefit("more", "extra"))
    made["costs"].append(cost("fee", "fee"))
    made["options"].append(
        {"name": "big", "kind": "stretch", "benefits": ["gained", "more"], "costs": ["paid", "fee"]}
    )
    return made


def test_changes_are_exactly_what_differs(reports):
    file_case(reports, two_lines())
    now = two_lines(previous="business_case/test-case")
    now["assumptions"][3].update(low=12, high=24)
    changes = {(one.kind, one.id): (one.before, one.after) for one in built(now).previous.changes}
    assert set(changes) == {("assumption", "extra"), ("benefit", "more"), ("option", "big")}
    before, after = changes["assumption", "extra"]
    assert [value * 1.2 for value in before] == pytest.approx(after)


def test_what_came_and_what_went_is_told(reports):
    file_case(reports, two_lines())
    now = again()
    now["assumptions"].append(money("new", 3))
    changes = {
        (one.kind, one.id): (one.before is None, one.after is None)
        for one in built(now).previous.changes
    }
    assert changes == {
        ("assumption", "extra"): (False, True),
        ("assumption", "fee"): (False, True),
        ("assumption", "new"): (True, False),
        ("benefit", "more"): (False, True),
        ("option", "big"): (False, True),
    }


def test_another_rate_is_the_change(reports):
    file_case(reports, simple())
    kinds = [one.kind for one in built(again(finance={"rate": 0.05})).previous.changes]
    assert "finance" in kinds


def test_diff_is_the_list_of_changes(reports):
    file_case(reports, two_lines())
    now = built(again())
    assert diff(record_of(two_lines()), now) == now.previous.changes
    assert diff(record_of(again() | {"previous": None}), now) == ()


def test_one_input_byte_changes_what_depends_on_it(tmp_path, reports):
    """A file of the ledger: its line, the gain on it, the option; nothing else."""
    import hashlib

    (tmp_path / "pay.csv").write_bytes(b"1")
    noted = hashlib.sha256(b"1").hexdigest()
    declared = two_lines()
    declared["assumptions"][3].update(file=str(tmp_path / "pay.csv"), sha256=noted)
    before = record_of(declared)
    (tmp_path / "pay.csv").write_bytes(b"2")
    changes = {(one.kind, one.id) for one in diff(before, built(declared))}
    assert changes == {("assumption", "extra"), ("benefit", "more"), ("option", "big")}


def measured(value, low, high, /, **more):
    return KPI | more | {"measured": {"value": value, "low": low, "high": high, "on": "2026-10-01"}}


@pytest.mark.parametrize(
    ("kpi", "status"),
    [
        (measured(4.9, 4.6, 5.2), "reached"),
        (measured(5.0, 4.5, 5.5), "reached"),
        (measured(5.5, 5.0, 6.0), "on_the_way"),
        (measured(6.5, 6.2, 6.8), "below_kill"),
        (measured(6.45, 6.44, 6.46), "conflict"),
        (measured(7.0, 6.0, 8.0), "below_kill"),
        (KPI, "not_due"),
        (KPI | {"date": "2026-10-05"}, "debt"),
        (KPI | {"date": "2026-10-06"}, "not_due"),
    ],
)
def test_where_a_target_stands(kpi, status):
    result = built(simple(kpis=[kpi]))
    assert result.targets[0].status == status
    assert (result.check("debts").status == "warn") == (status == "debt")


RISING = {"baseline": 0, "target": 0.7, "low": 0.5, "high": 0.9, "kill": 0.3}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (0.75, "reached"),
        (0.6, "on_the_way"),
        (0.31, "conflict"),
        (0.3, "below_kill"),
        (0.1, "below_kill"),
    ],
)
def test_where_a_rising_target_stands(value, status):
    one = built(simple(kpis=[measured(value, value - 0.02, value + 0.02, **RISING)])).targets[0]
    assert one.status == status


def test_the_posterior_is_the_formula_and_none_in_conflict():
    one = built(simple(kpis=[measured(5.5, 5.0, 6.0)])).targets[0]
    width = 2 * 1.6448536269514722
    found = update(5, 2 / width, 5.5, 1 / width)
    assert one.posterior[1] == pytest.approx((5 / 4 + 5.5 / 1) / (1 / 4 + 1 / 1))
    assert one.measured_share == pytest.approx(0.8)
    half = 1.6448536269514722 * math.sqrt(1 / (1 / (2 / width) ** 2 + 1 / (1 / width) ** 2))
    assert one.posterior == (
        pytest.approx(found.mean - half),
        pytest.approx(found.mean),
        pytest.approx(found.mean + half),
    )
    assert built(simple(kpis=[measured(6.45, 6.44, 6.46)])).targets[0].posterior is None


def test_a_target_measured_by_a_finding_takes_its_interval_to_90():
    quantity = Quantity(
        "normal", {"location": 5.5, "scale": 0.5}, 5.5, 5.5 - 0.98, 5.5 + 0.98, 0.95
    )
    found = finding(quantity=quantity, unit="weeks")
    declared = hours_case(kpis=[KPI | {"measured": {"evidence": "k"}}])
    declared["evidence"].append({"id": "k", "run": "flow_review/desk"})
    one = build(Case(**declared), {"e": [finding()], "k": [found]}, draws=1_000).targets[0]
    assert one.measured == (
        pytest.approx(5.5 - 0.5 * 1.64485, abs=1e-3),
        5.5,
        pytest.approx(5.5 + 0.5 * 1.64485, abs=1e-3),
    )
    assert one.on == found.date


def test_a_finding_without_width_measures_nothing():
    found = finding(
        quantity=Quantity("normal", {"location": 5.5, "scale": 0.5}, 5.5, 5.5, 5.5, 0.9),
        unit="weeks",
    )
    declared = hours_case(kpis=[KPI | {"measured": {"evidence": "k"}}])
    declared["evidence"].append({"id": "k", "run": "flow_review/desk"})
    with pytest.raises(InputError) as caught:
        build(Case(**declared), {"e": [finding()], "k": [found]}, draws=1_000)
    assert caught.value.problems[0].field == "kpis[1].measured.evidence"


def test_what_was_promised_is_held_against_the_measure(reports):
    """The last case's range, though this one is softer; without data it is a debt at once."""
    file_case(reports, simple())
    softer = KPI | {"target": 6, "low": 5.5, "high": 6.4}
    one = built(again(kpis=[softer])).targets[0]
    assert (one.promised, one.status, one.before) == ((4.0, 5.0, 6.0), "debt", True)
    one = built(
        again(
            kpis=[softer | {"measured": {"value": 5.6, "low": 5, "high": 6.2, "on": "2026-10-01"}}]
        )
    ).targets[0]
    assert (one.promised, one.status) == ((4.0, 5.0, 6.0), "on_the_way")
    fresh = built(again(kpis=[KPI | {"id": "k2"}, KPI])).targets
    assert [(one.kpi.id, one.before, one.status) for one in fresh] == [
        ("k2", False, "not_due"),
        ("k1", True, "debt"),
    ]


def test_a_promise_that_is_dropped_is_told(reports):
    file_case(reports, simple(kpis=[KPI, KPI | {"id": "dropped"}]))
    assert "dropped" in json.dumps(built(again()).record())


def test_the_promised_value_at_which_the_work_stops_stands(reports):
    file_case(reports, simple())
    assert built(again(kpis=[measured(6.7, 6.2, 7.2, kill=6.9)])).targets[0].status == "below_kill"


def test_a_target_in_another_unit_is_a_promise_dropped(reports):
    file_case(reports, simple())
    days = KPI | {"unit": "days", "baseline": 49, "target": 35, "low": 28, "high": 42, "kill": 46}
    told = [(one.kpi.unit, one.status) for one in built(again(kpis=[days])).targets]
    assert told == [("days", "not_due"), ("weeks", "dropped")]


def put(path, value):
    def change(told):
        inner = told
        for part in path[:-1]:
            inner = inner[part]
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["options"], None),
        (["options"], []),
        (["options"], 3),
        (["options", 0, "npv", "mean"], "much"),
        (["options", 0, "npv", "p10"], None),
        (["options", 0, "kind"], "minimum"),
        (["options", 0, "positive"], ["x"]),
        (["options", 0, "name"], ["x"]),
        (["plan"], None),
        (["plan"], []),
        (["plan", "kpis"], None),
        (["plan", "kpis"], [3]),
        (["plan", "kpis"], {"a": 1}),
        (["plan", "version"], None),
        (["plan", "kpis"], [{"id": "k1"}]),
        (["plan", "kpis", 0, "low"], "x"),
        (["ledger"], 3),
        (["ledger"], None),
        (["ledger", 0], 3),
        (["ledger", 0, "id"], ["x"]),
        (["ledger", 0, "low"], None),
        (["lines"], None),
        (["lines", 0, "present"], None),
        (["options", 0, "positive"], []),
        (["plan", "kpis", 0, "id"], []),
        (["options", 0, "npv", "mean"], "12"),
        (["plan", "kpis", 0, "low"], 9.0),
        (["plan", "kpis", 0, "high"], float("nan")),
    ],
)
def test_a_malformed_case_is_refused(reports, path, value):
    file_case(reports, simple(), change=put(path, value))
    with pytest.raises(InputError) as caught:
        built(again(kpis=[measured(5.5, 5, 6)]))
    assert caught.value.problems[0].key == "filed_runs.bad_record"
    assert caught.value.text("fr") != caught.value.text()


def test_a_malformed_promise_names_its_run(reports):
    file_case(reports, simple(), change=put(["plan", "kpis", 0, "low"], "x"))
    with pytest.raises(InputError, match=BEFORE):
        built(again())


def test_a_share_may_be_a_target(reports):
    """Its own unit, its own scale; the earlier case is of another name and is cited by it."""
    other = simple(kpis=[KPI | RISING | {"unit": "share"}]) | {"case": "Other case"}
    other["assumptions"].append(share("use", 0.5))
    file_case(reports, other, "business_case/other-case/2026-09-01-0123abcd")
    declared = simple(
        previous="business_case/other-case",
        kpis=[measured(0.75, 0.7, 0.8, **RISING) | {"unit": "share"}],
    )
    result = built(declared)
    assert (result.targets[0].status, result.targets[0].before) == ("reached", True)
    assert result.previous.run == "business_case/other-case/2026-09-01-0123abcd"
