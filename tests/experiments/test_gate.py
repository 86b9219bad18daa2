"""The gate: each check's bearing on the decision, by default, as declared, and as accepted."""

from typing import get_args

import pytest

from opslab.experiments import gate
from opslab.experiments.gate import gated, state_of
from opslab.experiments.spec import CheckName, Decision
from opslab.results import Check, Message

NAMES = get_args(CheckName)
STOP = {
    "sample_ratio",
    "constant_split",
    "leaked_units",
    "missing_values",
    "covariate_balance",
    "trigger_ratio",
    "silent_arm",
    "event_units",
}
TESTED = {
    "sample_ratio",
    "constant_split",
    "missing_values",
    "covariate_balance",
    "covariate_coverage",
    "trigger_ratio",
}


def check(name="outliers", status="fail", **fields):
    return Check(name, status, Message(f"experiments.{name}_{status}", {"n": 3}), 0.5, **fields)


def test_the_names_are_those_that_the_spec_knows():
    assert set(NAMES) >= STOP | TESTED


@pytest.mark.parametrize("status", ["pass", "warn", "fail"])
@pytest.mark.parametrize("name", NAMES)
def test_what_stops_by_default(name, status):
    passed = gated(check(name, status), Decision())
    assert (passed.status, passed.blocking, passed.accepted) == (status, name in STOP, "")


@pytest.mark.parametrize("status", ["pass", "warn", "fail"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_declared_blocking_stops_and_takes_nothing_off_the_defaults(name, status):
    passed = gated(check(name, status), Decision(blocking=(name,)))
    stops = status == "warn" and name not in TESTED
    assert (passed.status, passed.blocking) == ("fail" if stops else status, True)
    for other in STOP - {name}:
        assert gated(check(other), Decision(blocking=(name,))).blocking
    assert not gated(check("sample_ratio_days"), Decision(blocking=(name,))).blocking


@pytest.mark.parametrize("status", ["pass", "warn", "fail"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_accepted_says_why_and_does_not_stop(name, status):
    rule = Decision(accept={name: "a known ramp"})
    passed = gated(check(name, status), rule)
    assert (passed.status, passed.blocking, passed.accepted) == (status, False, "a known ramp")
    other = next(stop for stop in sorted(STOP) if stop != name)
    assert gated(check(other), rule).blocking
    assert gated(check(other), rule).accepted == ""


def test_the_gate_changes_nothing_else():
    given = check("period", "warn")
    passed = gated(given, Decision(blocking=("period",)))
    assert (passed.name, passed.detail, passed.value) == (given.name, given.detail, given.value)


@pytest.mark.parametrize(
    ("checks", "state"),
    [
        ([], "sound"),
        ([check(status="pass"), check(status="warn")], "sound"),
        ([check(status="pass", blocking=True), check(status="warn", blocking=True)], "sound"),
        ([check()], "usable"),
        ([check(status="pass", blocking=True), check()], "usable"),
        ([check(blocking=True)], "broken"),
        ([check(), check(blocking=True), check(status="pass")], "broken"),
        ([check(blocking=True), check()], "broken"),
        ([check(accepted="a known ramp")], "usable"),
    ],
)
def test_the_state_of_the_data(checks, state):
    assert state_of(checks) == state
    assert state_of(iter(checks)) == state


def test_the_grade_of_each_state():
    assert gate.GRADES == {"sound": "A", "usable": "B", "broken": None}
