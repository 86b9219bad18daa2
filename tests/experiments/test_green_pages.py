"""Data over which a page must not be plainly green: faults that single checks used to pass over."""

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.experiments.gate import state_of
from opslab.experiments.spec import Experiment

START, END = "2026-10-05", "2026-10-18"
SPEND = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
BOUGHT = SPEND | {"name": "bought", "type": "proportion", "column": "bought"}
RATIO = {
    "name": "orders a visit",
    "type": "ratio",
    "numerator": "orders",
    "denominator": "visits",
    "role": "primary",
    "goal": "increase",
}


def units(n=6_000, share=0.5, seed=1):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n)})
    frame["arm"] = np.where(random.random(n) < share, "new", "old")
    frame["day"] = pd.Timestamp(START) + pd.to_timedelta(random.integers(0, 14, n), "D")
    frame["spend"] = random.normal(10, 3, n)
    frame["bought"] = (random.random(n) < 0.2).astype(int)
    frame["visits"] = random.poisson(4, n) + 1
    frame["orders"] = random.binomial(frame.visits, 0.2)
    frame["land"] = random.choice(["de", "fr"], n)
    frame["met"] = (random.random(n) < 0.5).astype(int)
    return frame


def analyzed(frame, *metrics, weights=(1, 1), **fields):
    spec = {
        "experiment": "green",
        "unit": "unit",
        "arms": {
            "column": "arm",
            "control": "old",
            "weights": dict(zip(("old", "new"), weights, strict=True)),
        },
        "period": {"time": "day", "start": START, "end": END},
        "metrics": metrics or [SPEND],
    }
    return experiments.analyze(
        Experiment(**spec | fields), frame, as_of=datetime.date(2026, 10, 18)
    )


def named(result, name):
    return next((check for check in result.checks if check.name == name), None)


def test_uneven_values_in_unequal_arms_are_a_condition():
    """The skewness of the difference, against scipy's of the pooled values."""
    frame = units(5_000, share=0.9)
    random = np.random.default_rng(2)
    frame["spend"] = np.where(random.random(5_000) < 0.03, random.lognormal(3, 1.5, 5_000), 0)
    result = analyzed(frame, SPEND, weights=(1, 9))
    check = named(result, "skewness")
    new, old = ((frame.arm == arm).sum() for arm in ("new", "old"))
    apart = abs(new**-2.0 - old**-2.0) / (1 / new + 1 / old) ** 1.5
    assert check.value == pytest.approx(stats.skew(frame.spend, bias=False) * apart, rel=1e-6)
    assert (check.status, state_of(result.checks)) == ("fail", "usable")
    alike = frame.assign(arm=np.where(frame.unit % 2, "new", "old"))
    assert named(analyzed(alike, SPEND), "skewness") is None
    regular = frame.assign(spend=random.normal(10, 3, 5_000))
    assert named(analyzed(regular, SPEND, weights=(1, 9)), "skewness") is None
    informs = analyzed(frame, BOUGHT, SPEND | {"role": "secondary"}, weights=(1, 9))
    assert named(informs, "skewness") is None


def test_outcomes_lost_on_some_days_of_an_arm_are_a_condition():
    frame = units()
    lost = (frame.arm == "old") & (frame.day >= "2026-10-16")
    result = analyzed(frame.assign(bought=frame.bought.where(~lost, 0)), BOUGHT)
    assert named(result, "steady_effect").status == "fail"
    assert result.decision.action == "ship"
    assert "Provided that" in result.headline()
    assert named(analyzed(frame, BOUGHT), "steady_effect").status == "pass"
    few = analyzed(units(600), BOUGHT)  # 20 of an arm on a day are too few to compare days
    assert named(few, "steady_effect") is None


def test_phases_that_nobody_registered_are_a_condition():
    frame = units()
    split = {"old": 1, "new": 1}
    phases = [{"from": START, "weights": split}, {"from": "2026-10-12", "weights": split}]
    result = analyzed(frame, phases=phases)
    assert (named(result, "phases_planned").status, state_of(result.checks)) == ("fail", "usable")
    registered = analyzed(frame, phases=phases, registered=result.plan.fingerprint)
    assert named(registered, "phases_planned") is None
    assert state_of(registered.checks) == "sound"
    assert named(analyzed(frame), "phases_planned") is None


def test_a_few_strays_do_not_make_a_period_complete():
    frame = units()
    early = frame[frame.day < "2026-10-12"]
    strays = frame[frame.day == "2026-10-18"].head(5)
    for kept in (early, pd.concat([early, strays])):
        result = analyzed(kept.assign(spend=kept.spend + 2 * (kept.arm == "new")))
        assert (result.decision.action, result.decision.more_days) == ("extend", 7)
    assert named(analyzed(frame), "period").status == "pass"


def test_whom_the_change_met_on_which_day_is_a_split_as_well():
    frame = units()
    first = frame.day < "2026-10-12"
    met = np.where(frame.arm == "old", first, ~first).astype(int)
    result = analyzed(frame.assign(met=met), trigger="met")
    assert (named(result, "constant_split").status, result.broken) == ("fail", True)
    assert named(analyzed(frame, trigger="met"), "constant_split").status == "pass"


def test_a_cap_that_turns_the_effect_is_a_condition():
    frame = units()
    few = (frame.unit % 10 == 0) & (frame.arm == "old")
    frame["spend"] = np.where(few, 40.0, frame.spend + (frame.arm == "new"))
    result = analyzed(frame, SPEND | {"cap": {"value": 12}})
    (known,) = result.comparisons
    assert known.difference > 0 > known.uncapped.difference
    assert named(result, "cap").status == "fail"
    assert named(analyzed(frame, SPEND | {"cap": {"value": 41}}), "cap") is None


def test_denominators_that_differ_are_a_condition():
    frame = units()
    lost = (frame.arm == "new") & (frame.unit % 5 == 0)
    result = analyzed(frame.assign(visits=frame.visits.where(~lost, 1)), RATIO)
    check = named(result, "denominators")
    assert (check.status, check.blocking, dict(check.detail.values)["covariate"]) == (
        "fail",
        False,
        "visits",
    )
    sound = named(analyzed(frame, RATIO), "denominators")
    new, old = (frame.visits[frame.arm == arm] for arm in ("new", "old"))
    expected = stats.ttest_ind(new, old, equal_var=False).pvalue
    assert (sound.status, sound.value) == ("pass", pytest.approx(expected, rel=1e-8))


def test_empty_values_of_many_metrics_are_adjusted():
    random = np.random.default_rng(5)
    frame, metrics, tests = units(), [], []
    for order in range(4):
        values = frame.spend.mask(random.random(len(frame)) < 0.2)
        frame[f"m{order}"] = values
        metrics.append(SPEND | {"name": f"m{order}", "column": f"m{order}", "missing": "drop"})
        table = pd.crosstab(frame.arm, values.isna())
        tests.append(stats.chi2_contingency(table, correction=False).pvalue)
    check = named(analyzed(frame, *metrics), "missing_values")
    assert check.value == pytest.approx(min(1, 4 * min(tests)), rel=1e-9)


def test_a_segment_in_which_units_of_an_arm_are_missing_stops():
    frame = units()
    lost = (frame.land == "fr") & (frame.arm == "new") & (frame.unit % 3 == 0)
    more = (frame.land == "de") & (frame.arm == "old") & (frame.unit % 3 == 0)
    result = analyzed(frame[~(lost | more)], segments=["land"])
    check = named(result, "sample_ratio_segments")
    assert (check.status, check.blocking, result.broken) == ("fail", True, True)
    reasons = result.first_screen("en").reasons
    assert len(set(reasons)) == len(reasons)


def test_a_win_below_the_effect_worth_finding_is_said():
    frame = units(40_000)
    frame["spend"] += 0.2 * (frame.arm == "new")
    result = analyzed(frame, SPEND | {"mde": {"absolute": 2}})
    assert result.decision.action == "ship"
    assert any(
        "below the smallest effect" in reason for reason in result.first_screen("en").reasons
    )
    large = analyzed(frame, SPEND | {"mde": {"absolute": 0.01}})
    assert not any("below the smallest" in reason for reason in large.first_screen("en").reasons)


def test_running_on_has_its_price():
    result = analyzed(units(600), SPEND | {"mde": {"absolute": 0.3}})
    assert result.decision.action == "extend"
    assert "experiments.reason_extend" in [reason.key for reason in result.decision.reasons]
