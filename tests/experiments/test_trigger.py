"""Triggered effects, diluted to all units: unbiased, with an interval that covers; who was triggered."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.errors import DataError
from opslab.experiments.inference.comparisons import Side, compare
from opslab.experiments.inference.effects import fieller
from opslab.experiments.metrics import Mean
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.spec import Experiment
from opslab.experiments.units.trigger import Cell, diluted

METRIC = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
SHARE = {
    "name": "bought",
    "type": "proportion",
    "column": "bought",
    "role": "secondary",
    "goal": "increase",
}
RATIO = {
    "name": "basket",
    "type": "ratio",
    "numerator": "spend",
    "denominator": "orders",
    "role": "secondary",
    "goal": "increase",
}


def analyzed(frame, *metrics, trigger="met", **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    spec = Experiment(
        experiment="a test", unit="unit", arms=arms, metrics=metrics, trigger=trigger, **fields
    )
    return experiments.analyze(spec, frame)


def units(n=4_000, rate=0.25, effect=3.0, seed=1):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"unit": np.arange(n), "arm": np.where(random.random(n) < 0.5, "new", "old")}
    )
    frame["met"] = (random.random(n) < rate).astype(int)
    reached = (frame.met == 1) & (frame.arm == "new")
    frame["past"] = random.normal(0, 4, n)
    frame["spend"] = random.gamma(4, 5, n) + 4 * frame.met + effect * reached + frame.past
    frame["bought"] = (random.random(n) < 0.3 + 0.1 * reached).astype(int)
    frame["orders"] = random.poisson(3, n) + 1.0
    return frame


def of(values):
    return Moments(len(values), float(values.mean()), float(((values - values.mean()) ** 2).sum()))


def test_the_effect_is_that_on_triggered_units_and_its_share_of_all():
    frame = units()
    result = analyzed(frame, METRIC, SHARE, RATIO)
    met = frame[frame.met == 1]
    one, share, ratio = result.comparisons
    test = stats.ttest_ind(*(met.spend[met.arm == arm] for arm in ("new", "old")), equal_var=False)
    assert one.p_value == pytest.approx(test.pvalue, rel=1e-9)
    rate = len(met) / len(frame)
    assert result.data_used.trigger_rate == pytest.approx(rate, rel=1e-12)
    for found in (one, share):
        assert found.diluted.difference == pytest.approx(rate * found.difference, rel=1e-12)
        low, high = found.diluted.difference_interval
        variance = (rate * found.standard_error) ** 2 + found.difference**2 * rate * (
            1 - rate
        ) / len(frame)
        reach = stats.t.ppf(0.975, found.degrees_of_freedom) * variance**0.5
        assert (low, high) == pytest.approx(
            (rate * found.difference - reach, rate * found.difference + reach), rel=1e-9
        )
    control = frame.spend[frame.arm == "old"].mean()
    assert one.diluted.lift == pytest.approx(rate * one.difference / control, rel=1e-9)
    assert ratio.diluted is None
    assert [note.key for note in ratio.notes] == ["experiments.form_trigger"]
    assert [arm.units for arm in result.arms] == [
        (frame.arm == arm).sum() for arm in ("old", "new")
    ]


def test_covariates_sharpen_the_diluted_effect_too():
    frame = units()
    (plain,), (sharp,) = (
        analyzed(frame, METRIC | more).comparisons for more in ({}, {"covariates": ["past"]})
    )
    widths = [np.diff(one.diluted.difference_interval)[0] for one in (plain, sharp)]
    assert widths[1] < 0.95 * widths[0]
    assert sharp.diluted.lift_interval[0] < sharp.diluted.lift < sharp.diluted.lift_interval[1]


def test_diluted_effects_are_unbiased_and_covered():
    """1,000 experiments of 400 units, a quarter triggered: truth is rate x effect = 0.75 on all units."""
    random, inside, inside_lift, found = np.random.default_rng(7), 0, 0, []
    metric, truth = Mean(**METRIC), 0.25 * 3.0
    for _ in range(1_000):
        met, new = random.random(400) < 0.25, np.arange(400) % 2 == 0
        values = random.gamma(4, 5, 400) + 4 * met + 3.0 * (met & new)
        sides = [of(values[met & arm]) for arm in (new, ~new)]
        pair = [
            Side(name, side.cross(side.n)) for name, side in zip(("new", "old"), sides, strict=True)
        ]
        one = compare(metric, *pair, 0.05)
        all_units = diluted(one, [Cell(int(met.sum()), 400, sides[1], of(values[~new]))], 0.05)
        found.append(all_units.difference)
        low, high = all_units.difference_interval
        inside += low < truth < high
        low, high = all_units.lift_interval
        inside_lift += (
            low < truth / 21.0 < high
        )  # 20 + 4 x 0.25 for the control's mean of all units
    assert np.mean(found) == pytest.approx(truth, abs=3.5 * np.std(found) / 1_000**0.5)
    assert inside / 1_000 == pytest.approx(0.95, abs=0.025)
    assert inside_lift / 1_000 == pytest.approx(0.95, abs=0.025)


def test_a_stratum_of_one_unit_has_the_spread_of_the_whole():
    """By hand: the variance of the control's mean over all units, within two strata."""
    random, metric = np.random.default_rng(4), Mean(**METRIC)
    sides = [of(random.gamma(4, 5, 40)) for _ in range(2)]
    pair = [Side(name, side.cross(40)) for name, side in zip(("new", "old"), sides, strict=True)]
    effect = compare(metric, *pair, 0.05)
    values = random.gamma(4, 5, 50)
    large, single = of(values), Moments(1, 30.0, 0.0)
    cells = [Cell(79, 100, sides[1], large), Cell(1, 2, Moments(1, 30.0, 0.0), single)]
    lift = diluted(effect, cells, 0.05)
    whole, rate = of(np.append(values, 30.0)), 80 / 102
    shares = (100 / 102, 2 / 102)
    variance = rate**2 * effect.standard_error**2
    variance += effect.difference**2 * rate * (1 - rate) / 102
    expected = fieller(
        rate * effect.difference,
        variance,
        shares[0] * large.mean + shares[1] * 30.0,
        shares[0] ** 2 * large.variance / 50 + shares[1] ** 2 * whole.variance,
        -rate
        * (79 / 80 * shares[0] * sides[1].variance / 50 + 1 / 80 * shares[1] * whole.variance),
        effect.degrees_of_freedom,
        0.95,
    )
    assert (lift.lift, *lift.lift_interval) == pytest.approx(
        (expected.lift, expected.low, expected.high), rel=1e-12
    )


def test_a_change_that_alters_whom_it_reaches_is_found():
    frame = units()
    extra = (frame.arm == "new") & (frame.index % 7 == 0)
    frame.loc[extra, "met"] = 1
    result = analyzed(frame, METRIC)
    check = next(one for one in result.checks if one.name == "trigger_ratio")
    expected = stats.chi2_contingency(pd.crosstab(frame.arm, frame.met), correction=False).pvalue
    assert check.value == pytest.approx(expected, rel=1e-8)
    assert (check.status, check.blocking, result.broken) == ("fail", True, True)
    good = next(one for one in analyzed(units(), METRIC).checks if one.name == "trigger_ratio")
    assert good.status == "pass"


def test_a_trigger_is_0_or_1_for_every_unit_and_1_for_some():
    frame = units().astype({"met": float})
    with pytest.raises(DataError, match="No unit encountered the change"):
        analyzed(frame.assign(met=0), METRIC)
    frame.loc[4, "met"] = np.nan
    with pytest.raises(DataError, match="does not say whether the unit encountered the change"):
        analyzed(frame, METRIC)
    frame.loc[4, "met"] = 2
    with pytest.raises(DataError, match="Row 5 holds 2"):
        analyzed(frame, METRIC)
    one_sided = frame.assign(met=(frame.arm == "new").astype(int))
    with pytest.raises(DataError):
        analyzed(one_sided, METRIC)


def test_everybody_triggered_is_the_plain_analysis():
    frame = units().assign(met=True)
    (one,), (plain,) = (analyzed(frame, METRIC, trigger=name).comparisons for name in ("met", None))
    assert one.p_value == pytest.approx(plain.p_value, rel=1e-12)
    assert one.diluted.difference_interval == pytest.approx(plain.difference_interval, rel=1e-9)
    assert one.diluted.lift_interval == pytest.approx(plain.lift_interval, rel=1e-9)
