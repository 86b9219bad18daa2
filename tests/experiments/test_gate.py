"""The gate: sound, usable or not to be trusted, from the checks to headline, evidence and exit code."""

import datetime
import os
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.experiments.gate import ALWAYS, BY_P_VALUE, GRADES, gated, state_of
from opslab.experiments.spec import CheckName, Decision
from opslab.messages import LANGUAGES, catalogue
from opslab.results import Check, Message

NAMES = get_args(CheckName)
CASES = (
    Path(
        os.environ.get("OPSLAB_REAL_DATA")
        or Path(__file__).resolve().parents[3] / "shared" / "data"
    )
    / "cases"
    / "experiments"
)


def check(name="outliers", status="fail", *, blocking=False):
    return Check(name, status, Message(f"experiments.{name}_{status}"), None, blocking)


@pytest.mark.parametrize("name", NAMES)
def test_what_blocks_by_itself_is_as_documented(name):
    known = gated(check(name), Decision())
    assert (known.status, known.blocking, known.accepted) == ("fail", name in ALWAYS, "")


def test_these_always_block():
    assert sorted(ALWAYS) == [
        "constant_split",
        "covariate_balance",
        "event_units",
        "leaked_units",
        "missing_values",
        "sample_ratio",
        "sample_ratio_segments",
        "silent_arm",
        "trigger_ratio",
    ]
    assert set(NAMES) >= ALWAYS | BY_P_VALUE


def test_these_are_no_fault_yet_while_they_only_warn():
    assert sorted(BY_P_VALUE) == [
        "constant_split",
        "covariate_balance",
        "covariate_coverage",
        "denominators",
        "missing_values",
        "sample_ratio",
        "sample_ratio_segments",
        "steady_effect",
        "trigger_ratio",
    ]


def test_the_best_grade_of_each_state():
    assert GRADES == {"sound": "A", "usable": "B", "broken": None}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", ["pass", "warn", "fail"])
def test_a_rule_bears_on_the_checks_that_it_names_and_on_no_other(name, status):
    for rule in (Decision(blocking=(name,)), Decision(accept={name: "known before"})):
        for other in {"sample_ratio", "outliers", "sample_ratio_days"} - {name}:
            known = gated(check(other, status), rule)
            assert known.blocking == (other == "sample_ratio")
            assert (known.status, known.accepted) == (status, "")
    given = Check("period", "warn", Message("experiments.period_warn", {"days": 3}), 3)
    known = gated(given, Decision(blocking=("period",)))
    assert (known.name, known.detail, known.value) == ("period", given.detail, 3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", ["pass", "warn", "fail"])
def test_a_declared_check_really_blocks(name, status):
    """A remark turns into a failure, but for a p-value that is only below .01."""
    known = gated(check(name, status), Decision(blocking=(name,)))
    fails = status == "fail" or (status == "warn" and name not in BY_P_VALUE)
    assert known.blocking
    assert known.status == ("fail" if fails else status)
    assert state_of([known]) == ("broken" if fails else "sound")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_accepted_is_a_condition(name):
    known = gated(check(name), Decision(accept={name: "known before"}))
    assert (known.status, known.blocking, known.accepted) == ("fail", False, "known before")
    assert state_of([known]) == "usable"
    assert gated(check(name, "warn"), Decision(accept={name: "known before"})).status == "warn"


@pytest.mark.parametrize(
    ("checks", "state"),
    [
        ([], "sound"),
        ([check(status="pass"), check(status="warn")], "sound"),
        ([check(status="warn", blocking=True)], "sound"),
        ([check(status="pass", blocking=True)], "sound"),
        ([check(status="warn"), check()], "usable"),
        ([check(), check(blocking=True)], "broken"),
    ],
)
def test_the_state_of_the_data(checks, state):
    assert state_of(checks) == state


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_check_has_a_name_and_a_condition(name, language):
    words = catalogue(language, "experiments")
    assert {f"check_{name}", f"condition_{name}"} <= set(words)


METRIC = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}


def analyzed(frame, **changes):
    spec = {
        "experiment": "gate",
        "unit": "unit",
        "arms": {"column": "arm", "control": "old"},
        "metrics": [METRIC | {"covariates": ["before"]}],
    }
    return experiments.analyze(experiments.Experiment(**spec | changes), frame)


def units(n=4_000, known=(0.3, 0.3)):
    random = np.random.default_rng(11)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.array(["old", "new"])[np.arange(n) % 2]})
    frame["before"] = random.normal(10, 3, n)
    frame["spend"] = frame.before + random.normal(0, 3, n) + 1.0 * (frame.arm == "new")
    share = np.where(frame.arm == "new", known[1], known[0])
    return frame.assign(before=frame.before.where(random.random(n) < share))


@pytest.mark.parametrize(
    ("known", "status"), [((0.3, 0.3), "pass"), ((0.3, 0.355), "warn"), ((0.3, 0.4), "fail")]
)
def test_a_covariate_known_for_more_of_one_arm_is_said(known, status):
    """Against scipy's chi-square of known and unknown by arm."""
    frame = units(known=known)
    result = analyzed(frame)
    coverage = result.check("covariate_coverage")
    table = pd.crosstab(frame.arm, frame.before.isna())
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert coverage.value == pytest.approx(expected, rel=1e-9)
    assert (coverage.status, coverage.blocking) == (status, False)
    shares = sorted(frame.before.notna().groupby(frame.arm).mean())
    assert [dict(coverage.detail.values)[end] for end in ("from", "to")] == pytest.approx(shares)
    usable = status == "fail"
    assert result.decision.action == "ship"
    assert {evidence.grade for evidence in result.evidence()} == {"B" if usable else "A"}
    assert ("Provided that" in result.headline()) == usable
    assert ("À condition que" in result.headline("fr")) == usable
    assert result.first_screen("en").action == f"Ship new{', on condition' if usable else ''}"
    assert result.first_screen("en").tone == ("open" if usable else "good")
    assert result.status == "complete"


def case(name, as_of=None):
    if not (CASES / name).is_dir():
        pytest.skip(f"{name} is not there; name the folder of its data in OPSLAB_REAL_DATA")
    experiment = experiments.Experiment.load(CASES / name / "spec.yaml")
    return experiments.analyze(experiment, as_of=as_of or experiment.last_day)


@pytest.mark.parametrize(
    ("name", "check", "as_of"),
    [
        ("cuped-post-treatment", "covariate_balance", None),
        ("blocking-few", "few_clusters", None),
        ("blocking-period", "period", datetime.date(2026, 10, 6)),
        ("blocking-period", "weekly_cycle", datetime.date(2026, 10, 6)),
    ],
)
def test_the_cases_that_have_to_stop(name, check, as_of):
    result = case(name, as_of)
    assert (result.check(check).status, result.check(check).blocking) == ("fail", True)
    assert (result.decision.action, result.evidence()) == ("stop_broken", [])


@pytest.mark.parametrize("name", ["all-convert-both", "one-unit-an-arm"])
def test_the_cases_of_which_nothing_can_be_said(name):
    result = case(name)
    assert (result.decision.action, result.evidence()) == ("no_decision", [])
    assert any("because" in reason for reason in result.first_screen("en").reasons)


def test_the_case_of_unlike_coverage():
    result = case("cuped-coverage")
    assert result.check("covariate_coverage").status == "fail"
    assert {evidence.grade for evidence in result.evidence()} == {"B"}


def test_the_case_of_the_headline_with_covariates():
    (known,) = case("cuped-headline").comparisons
    arm, control = known.adjusted.estimate
    assert known.estimate[0] < known.estimate[1]
    assert (arm - control) / control == pytest.approx(known.lift)


def test_a_look_before_the_end_of_a_fixed_design_never_ships():
    """The data of the case, without any blocking declared: wait, or stop for harm."""
    if not (CASES / "blocking-period").is_dir():
        pytest.skip("the case is not there")
    experiment = experiments.Experiment.load(CASES / "blocking-period" / "spec.yaml")
    plain = experiment.model_copy(update={"decision": Decision()})
    result = experiments.analyze(plain, as_of=datetime.date(2026, 10, 6))
    assert (result.decision.action, result.decision.more_days) == ("extend", 8)
