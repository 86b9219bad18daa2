"""The largest unit: what is left without it, by numpy and scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opslab import experiments
from opslab.experiments.checks.influence import Largest, influence, without_unit
from opslab.experiments.inference.comparisons import Side
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.spec import Experiment


def of(values):
    values = np.asarray(values, float)
    return Moments(len(values), float(values.mean()), float(((values - values.mean()) ** 2).sum()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40))
def test_the_moments_without_a_value_are_those_of_the_others(values):
    found, expected = without_unit(of(values), values[0]), of(values[1:])
    size = max(map(abs, values))
    assert found.n == expected.n
    assert found.mean == pytest.approx(expected.mean, rel=1e-9, abs=1e-12 * size)
    assert found.squares == pytest.approx(expected.squares, rel=1e-7, abs=1e-11 * size**2)


def test_the_strongest_unit_speaks():
    random = np.random.default_rng(1)
    new, old = random.normal(10, 1, 50), random.normal(10, 1, 40)
    new[7], old[3] = 40.0, -300.0
    found = influence(
        Side("new", of(new)),
        Side("old", of(old)),
        {"new": Largest(40.0, 8), "old": Largest(-300.0, 4)},
    )
    rest = stats.ttest_ind(new, np.delete(old, 3), equal_var=False)
    whole = stats.ttest_ind(new, old, equal_var=False)
    assert (found.arm, found.row) == ("old", 4)
    assert found.share == pytest.approx(-300 / old.sum(), rel=1e-9)
    assert (found.p_value, found.p_without) == pytest.approx((whole.pvalue, rest.pvalue), rel=1e-9)
    assert found.difference == pytest.approx(new.mean() - old.mean(), rel=1e-9)
    assert found.without == pytest.approx(new.mean() - np.delete(old, 3).mean(), rel=1e-9)
    error = np.sqrt(new.var(ddof=1) / 50 + old.var(ddof=1) / 40)
    assert found.moved == pytest.approx(abs(found.without - found.difference) / error, rel=1e-9)


@pytest.mark.parametrize(("new", "old"), [([1, 2], [1, 2, 3]), ([5, 5, 5], [5, 5, 5])])
def test_too_few_or_constant_values_say_nothing(new, old):
    assert (
        influence(Side("new", of(new)), Side("old", of(old)), {"new": Largest(max(new), 1)}) is None
    )


def analyzed(frame, *metrics, blocking=()):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    spec = Experiment(
        experiment="a test",
        unit="unit",
        arms=arms,
        metrics=metrics,
        decision={"blocking": blocking},
    )
    result = experiments.analyze(spec, frame)
    return result, next((one for one in result.checks if one.name == "outliers"), None)


METRIC = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}


def whale():
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"unit": np.arange(2_000), "arm": np.where(random.random(2_000) < 0.5, "new", "old")}
    )
    frame["spend"] = random.gamma(2, 10, 2_000) + 2.4 * (frame.arm == "new")
    row = frame.index[frame.arm == "old"][500]
    frame.loc[row, "spend"] = 1_800.0
    return frame, row


def test_a_whale_is_shown_by_row_and_share_and_never_by_id():
    frame, row = whale()
    frame["unit"] = "secret-" + frame.unit.astype(str)
    result, check = analyzed(frame, METRIC)
    old = frame.spend[frame.arm == "old"]
    assert check.status == "warn"
    assert (dict(check.detail.values)["row"], dict(check.detail.values)["arm"]) == (row + 1, "old")
    assert dict(check.detail.values)["share"] == pytest.approx(1_800 / old.sum(), rel=1e-9)
    rest = stats.ttest_ind(frame.spend[frame.arm == "new"], old.drop(row), equal_var=False)
    assert dict(check.detail.values)["p_without"] == pytest.approx(rest.pvalue, rel=1e-9)
    assert "secret" not in str(result.record())


def test_a_whale_stops_only_where_the_spec_says_so():
    frame, _ = whale()
    result, check = analyzed(frame, METRIC, blocking=["outliers"])
    assert (dict(check.detail.values)["p"] <= 0.05) != (
        dict(check.detail.values)["p_without"] <= 0.05
    )
    assert (check.status, result.broken) == ("fail", True)
    assert not analyzed(frame, METRIC)[0].broken


def test_a_capped_metric_has_no_whale():
    frame, _ = whale()
    assert analyzed(frame, METRIC | {"cap": {"quantile": 0.99}})[1] is None


def test_ordinary_data_passes():
    frame, row = whale()
    _, check = analyzed(frame.drop(index=row), METRIC)
    assert check.status == "pass"
    assert check.value < 0.5
