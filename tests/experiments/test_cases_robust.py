"""Faults that hide behind a right number: silent guardrails, counts, groups of outliers, attrition.

Each kind is made here from a seed, and read from the collection of cases where that is at hand.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from opslab import experiments
from opslab.experiments.spec import Experiment
from tests.experiments.test_proportions import brute_force_score
from tests.experiments.test_real_data import ROOT

CONVERTED = {
    "name": "converted",
    "type": "proportion",
    "column": "converted",
    "role": "primary",
    "goal": "increase",
}
CRASHED = {
    "name": "crashed",
    "type": "proportion",
    "column": "crashed",
    "role": "guardrail",
    "goal": "decrease",
    "margin": {"absolute": 0.005},
}


def case(name):
    spec = ROOT / "cases" / "experiments" / name / "spec.yaml"
    if not spec.is_file():
        pytest.skip(f"{name} is not there; name the folder of real data in OPSLAB_REAL_DATA")
    return experiments.analyze(Experiment.load(spec))


def experiment(*metrics, **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    declared = {"experiment": "a test", "unit": "unit", "arms": arms, "metrics": metrics}
    return Experiment(**declared | fields)


def analyzed(frame, *metrics, **fields):
    return experiments.analyze(experiment(*metrics, **fields), frame)


def named(result, metric):
    return next(known for known in result.comparisons if known.metric == metric)


def users(n=10_000, seed=1):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": ["old", "new"] * (n // 2)})
    frame["converted"] = (random.random(n) < 0.1 + 0.04 * (frame.arm == "new")).astype(int)
    return frame.assign(crashed=0)


def by_brute_force(arm, control):
    """Return the 95 % score interval of a difference, by root finding on the statistic itself."""
    quantile = stats.norm.ppf(0.975)
    estimate = arm[0] / arm[1] - control[0] / control[1]

    def beyond(null, sign):
        return brute_force_score(null, arm, control, ratio=False) - sign * quantile

    low = optimize.brentq(beyond, -0.5, estimate - 1e-12, args=(1,), xtol=1e-14)
    return low, optimize.brentq(beyond, estimate + 1e-12, 0.5, args=(-1,), xtol=1e-14)


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_guardrail_without_events_is_within_its_margin(crashes):
    frame = users()
    frame.loc[0, "crashed"] = crashes  # the control's first user
    result = analyzed(frame, CONVERTED, CRASHED)
    crashed = named(result, "crashed")
    expected = by_brute_force((0, 5_000), (crashes, 5_000))
    assert crashed.difference_interval == pytest.approx(expected, abs=1e-10)
    assert max(map(abs, expected)) < 0.0012
    assert (crashed.verdict, crashed.method, result.decision.action) == ("safe", "score", "ship")


@pytest.mark.parametrize(("n", "verdict"), [(400, "unproven"), (1_600, "safe")])
def test_silence_of_few_units_does_not_clear_a_guardrail(n, verdict):
    """0 of n against 0 of n: the interval is about +- 3.84 / n."""
    assert named(analyzed(users(n), CONVERTED, CRASHED), "crashed").verdict == verdict


def test_events_in_every_unit_are_silence_too():
    rising = CRASHED | {"goal": "increase"}
    assert (
        named(analyzed(users().assign(crashed=1), CONVERTED, rising), "crashed").verdict == "safe"
    )


def test_no_relative_margin_holds_where_the_control_has_no_event():
    relative = CRASHED | {"margin": {"relative": 0.5}}
    assert named(analyzed(users(), CONVERTED, relative), "crashed").verdict == "unproven"


def test_what_decides_is_still_not_estimable_where_nothing_varies():
    primary = {name: value for name, value in CRASHED.items() if name != "margin"}
    result = analyzed(users(), primary | {"role": "primary"})
    assert named(result, "crashed").not_estimable.key == "experiments.no_variation"


def test_a_silent_guardrail_of_few_clusters():
    frame = pd.concat([users(60)] * 3, ignore_index=True)
    result = analyzed(frame, CONVERTED, CRASHED, data={"rows": "finer"})
    assert named(result, "crashed").verdict == "unproven"


@pytest.mark.parametrize(("name", "reach"), [("zero", 0.0008), ("one", 0.0012)])
def test_the_cases_of_silent_guardrails(name, reach):
    result = case(f"guardrail-{name}-crash")
    crash = named(result, "crash")
    assert max(map(abs, crash.difference_interval)) < reach
    assert (crash.verdict, result.decision.action) == ("safe", "ship")
