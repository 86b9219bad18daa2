"""Quantiles against numpy's order statistics, a bootstrap and a simulation; what has no tail to tell from."""

import doctest
import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from conftest import first_quickly, page_of
from opslab import experiments
from opslab.experiments.inference import quantiles
from opslab.experiments.inference.quantiles import (
    OrderStatistics,
    order_statistics,
    quantile_contrast,
    ranks,
)
from opslab.experiments.moments.columns import Column
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES
from opslab.tables.reader import open_table

P90 = {
    "name": "load",
    "type": "quantile",
    "column": "load",
    "quantile": 0.9,
    "role": "primary",
    "goal": "decrease",
}


def experiment(*metrics, control="old", new="new"):
    arms = {"column": "arm", "control": control, "weights": {control: 1, new: 1}}
    return Experiment(experiment="a test", unit="unit", arms=arms, metrics=metrics)


def analyzed(frame, *metrics, **arms):
    return experiments.analyze(experiment(*metrics, **arms), frame).comparisons[-1]


def rows(n=4_000, factor=1.1, seed=2):
    random = np.random.default_rng(seed)
    new = random.random(n) < 0.5
    load = random.lognormal(6, 0.5, n) * np.where(new, factor, 1.0)
    return pd.DataFrame({"unit": np.arange(n), "arm": np.where(new, "new", "old"), "load": load})


def statistics(values, quantile, level=0.95):
    values = np.sort(values)
    return OrderStatistics(
        *(float(values[place - 1]) for place in ranks(len(values), quantile, level))
    )


def test_examples_run():
    assert doctest.testmod(quantiles).failed == 0


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_quantile_is_compared_by_its_order_statistics(quantile, alpha):
    frame = rows()
    spec = Experiment(
        experiment="a",
        unit="unit",
        arms={"column": "arm", "control": "old"},
        design={"alpha": alpha},
        metrics=[P90 | {"quantile": quantile}],
    )
    (one,) = experiments.analyze(spec, frame).comparisons
    arms = {arm: part.to_numpy() for arm, part in frame.groupby("arm").load}
    expected = tuple(
        np.quantile(arms[arm], quantile, method="inverted_cdf") for arm in ("new", "old")
    )
    assert one.estimate == expected
    assert one.difference == expected[0] - expected[1]
    z, variance = stats.norm.isf(alpha / 2), 0.0
    for values in arms.values():
        n, ordered = len(values), np.sort(values)
        reach = z * math.sqrt(n * quantile * (1 - quantile))
        low, high = math.floor(n * quantile - reach), math.ceil(n * quantile + reach)
        variance += ((ordered[high - 1] - ordered[low - 1]) / (2 * z)) ** 2
    assert one.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)
    assert one.p_value == pytest.approx(
        2 * stats.norm.sf(abs(one.difference) / one.standard_error), rel=1e-9
    )
    assert (one.method, one.degrees_of_freedom) == ("quantile", None)
    assert one.difference_interval == pytest.approx(
        (one.difference - z * one.standard_error, one.difference + z * one.standard_error), rel=1e-9
    )
    low, high = one.lift_interval
    assert low < one.lift < high
    assert (low > 0 or high < 0) == (one.p_value < alpha)


def test_the_error_agrees_with_a_bootstrap():
    frame = rows(n=5_000)
    one, random = analyzed(frame, P90), np.random.default_rng(0)
    drawn = {}
    for arm, values in frame.groupby("arm").load:
        places = random.integers(0, len(values), (1_500, len(values)))
        drawn[arm] = np.quantile(values.to_numpy()[places], 0.9, axis=1)
    assert one.standard_error == pytest.approx((drawn["new"] - drawn["old"]).std(), rel=0.1)


def test_coverage():
    random, held, truth = np.random.default_rng(4), 0, math.exp(0.5 * stats.norm.ppf(0.9))
    for _ in range(2_000):
        sides = [
            statistics(random.lognormal(0, 0.5, n) * factor, 0.9)
            for n, factor in ((400, 1.2), (900, 1.0))
        ]
        found = quantile_contrast(*sides, 0.95)
        held += abs(found.difference - 0.2 * truth) <= stats.norm.ppf(0.975) * math.sqrt(
            found.variance
        )
    assert held / 2_000 == pytest.approx(0.95, abs=0.015)


def test_every_engine_and_order_gives_the_same_values(tmp_path):
    frame = rows(n=3_000)
    one = analyzed(frame, P90)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for data in (
        frame.sample(frac=1),
        pl.from_pandas(frame),
        tmp_path / "t.csv",
        tmp_path / "t.parquet",
    ):
        assert analyzed(data, P90) == one
    turned = analyzed(frame, P90, control="new", new="old")
    assert (turned.difference, turned.p_value) == (-one.difference, one.p_value)
    whole = analyzed(frame.assign(load=frame.load.round().astype("int32")), P90)
    assert whole.estimate == pytest.approx(one.estimate, abs=0.5)


@pytest.mark.parametrize("order", ["shuffled", "sorted", "alternating"])
@pytest.mark.parametrize("quantile", [0.01, 0.9])
def test_the_order_of_the_rows_does_not_change_the_answer(order, quantile):
    frame = rows(n=20_000)
    if order == "alternating":  # every fifth row is unlike the others
        frame.loc[frame.index[::5], "load"] += 1e6
    whole = analyzed(frame, P90 | {"quantile": quantile})
    moved = frame.sort_values("load") if order == "sorted" else frame.sample(frac=1, random_state=1)
    assert analyzed(moved, P90 | {"quantile": quantile}) == whole


@pytest.mark.parametrize("n", [37, 1_000, 4_097, 99_999])
def test_the_engine_gives_the_value_at_every_rank(n, tmp_path):
    path = tmp_path / "t.parquet"
    values = np.random.default_rng(n).permutation(n) + 1.0  # the value is its rank
    pd.DataFrame({"arm": "a", "x": values}).to_parquet(path)
    with open_table(path) as table:
        for quantile in np.random.default_rng(1).uniform(0.3, 0.7, 40):
            (around,) = order_statistics(
                table, "arm", Column("x"), {"a": n}, quantile, 0.95, "TRUE"
            ).values()
            assert around == ranks(n, quantile, 0.95)


@pytest.mark.parametrize("missing", ["drop", "zero"])
def test_empty_values_are_left_out_or_count_as_zero(missing):
    frame = rows()
    frame.loc[frame.unit % 4 == 0, "load"] = np.nan
    one = analyzed(frame, P90 | {"missing": missing})
    other = frame.dropna() if missing == "drop" else frame.fillna({"load": 0.0})
    assert (one.estimate, one.p_value) == (
        analyzed(other, P90).estimate,
        analyzed(other, P90).p_value,
    )
    assert (sum(one.missing), sum(one.n)) == (1_000, len(other))


@pytest.mark.parametrize(
    ("frame", "quantile", "key"),
    [
        (rows(n=60), 0.99, "short_tail"),
        (rows(n=60), 0.01, "short_tail"),
        (rows(n=400).assign(load=lambda t: np.where(t.unit % 9, 3.0, t.load)), 0.5, "tied_values"),
        (rows(n=400).assign(load=3.0), 0.5, "tied_values"),
        (rows(n=300)[lambda t: (t.arm == "old") | (t.unit < 0)], 0.5, None),
    ],
)
def test_a_quantile_that_cannot_be_estimated_says_why(frame, quantile, key):
    if key is None:
        frame = pd.concat([frame, pd.DataFrame({"unit": [-1], "arm": ["new"], "load": [1.0]})])
        key = "too_few_values"
    result = experiments.analyze(experiment(P90 | {"quantile": quantile}), frame)
    assert result.comparisons[0].not_estimable.key == f"experiments.{key}"
    assert result.comparisons[0].difference is None
    json.dumps(result.record(), allow_nan=False)


@pytest.mark.parametrize("margin", first_quickly({"relative": 0.1}, {"absolute": 80}))
def test_a_guardrail_is_safe_exactly_when_its_p_value_says_so(margin):
    guard = P90 | {"name": "guard", "role": "guardrail", "margin": margin}
    seen = set()
    for factor in np.linspace(0.8, 1.4, 19):
        one = analyzed(rows(factor=factor), P90, guard)
        assert (one.verdict == "safe") == (one.harm_p < 0.025)
        seen.add(one.verdict)
    assert seen == {"safe", "unproven", "harmed"}


def test_the_readout_names_the_method_in_both_languages():
    result = experiments.analyze(experiment(P90 | {"mde": {"relative": 0.01}}), rows(factor=1.0))
    assert result.decision.action in ("extend", "do_not_ship")
    (found,) = result.evidence()
    assert found.quantity.family == "normal"
    assert found.quantity.parameters["scale"] == pytest.approx(
        result.comparisons[0].standard_error, rel=1e-9
    )
    for language in LANGUAGES:
        assert "Quantile" in page_of(result, language)
