"""Caps: where they lie, that they cut the upper tail alone, and that the uncapped result stands beside."""

import json

import numpy as np
import pandas as pd
import pytest

from conftest import page_of
from opslab import experiments
from opslab.errors import DataError, SpecError
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES

MEAN = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
RATIO = {
    "name": "r",
    "type": "ratio",
    "numerator": "spend",
    "denominator": "d",
    "role": "primary",
    "goal": "increase",
}


def analyzed(frame, metric, **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    return experiments.analyze(
        Experiment(experiment="a test", unit="unit", arms=arms, metrics=[metric], **fields), frame
    )


def rows(n=3_001):
    random = np.random.default_rng(3)
    new, past = random.random(n) < 0.5, random.lognormal(2, 1, n)
    frame = {
        "unit": np.arange(n),
        "arm": np.where(new, "new", "old"),
        "past": past,
        "d": random.poisson(3, n) + 1.0,
        "spend": past * random.lognormal(0, 0.8, n) * (1 + 0.2 * new),
        "orders": random.geometric(0.1, n).astype("int32"),
    }
    return pd.DataFrame(frame)


@pytest.mark.parametrize(
    "metric", [MEAN, MEAN | {"covariates": ["past"]}, RATIO, MEAN | {"column": "orders"}]
)
@pytest.mark.parametrize("cap", [{"quantile": 0.99}, {"quantile": 0.5}, {"value": 12.5}])
def test_a_capped_metric_is_the_metric_of_the_capped_column(metric, cap, tmp_path):
    frame = rows()
    name = metric.get("column", "spend")
    at = cap.get("value") or float(np.quantile(frame[name], cap["quantile"], method="inverted_cdf"))
    cut = frame.assign(**{name: frame[name].clip(upper=at).astype(float)})
    cut["d"] *= cut[name] / frame[name]  # of a ratio both sides are cut alike
    (expected,) = analyzed(cut, metric).comparisons
    (without,) = analyzed(frame, metric).comparisons
    frame.to_csv(tmp_path / "t.csv", index=False)
    for data in (frame, tmp_path / "t.csv"):
        (one,) = analyzed(data, metric | {"cap": cap}).comparisons
        for field in ("difference", "p_value", "standard_error", "lift"):
            assert getattr(one, field) == pytest.approx(getattr(expected, field), rel=1e-9), field
        assert one.method == expected.method
        assert one.uncapped.difference == pytest.approx(without.difference, rel=1e-9)
        assert one.uncapped.p_value == pytest.approx(without.p_value, rel=1e-9)
        values = dict(one.notes[0].values)
        ratio = metric["type"] == "ratio"
        assert one.notes[0].key == ("experiments.capped_ratio" if ratio else "experiments.capped")
        assert values["cap"] == pytest.approx(at, rel=1e-12)
        counts = [(frame.loc[frame.arm == arm, name] > at).sum() for arm in ("new", "old")]
        assert [values["count"], values["control_count"]] == counts


def test_the_lower_tail_is_left_alone():
    frame = rows().assign(spend=lambda t: -t.spend)
    (one,) = analyzed(frame, MEAN | {"cap": {"value": 0}}).comparisons
    assert one.difference == pytest.approx(one.uncapped.difference, rel=1e-9)
    assert dict(one.notes[0].values)["count"] == 0


@pytest.mark.parametrize("missing", ["drop", "zero"])
def test_empty_values_are_no_values_of_the_quantile_unless_they_are_0(missing):
    frame = rows()
    frame.loc[frame.unit % 3 == 0, "spend"] = np.nan
    (one,) = analyzed(frame, MEAN | {"missing": missing, "cap": {"quantile": 0.9}}).comparisons
    values = frame.spend.dropna() if missing == "drop" else frame.spend.fillna(0)
    assert dict(one.notes[0].values)["cap"] == np.quantile(values, 0.9, method="inverted_cdf")
    assert sum(one.n) == len(values)


def test_a_cap_that_cuts_everything_is_not_estimable():
    (one,) = analyzed(rows(), MEAN | {"cap": {"value": 0}}).comparisons
    assert one.not_estimable.key == "experiments.no_variation"


def test_a_cap_on_a_ratio_leaves_the_ratio_of_each_unit_as_it_is():
    random = np.random.default_rng(5)
    frame = rows().assign(d=lambda t: random.geometric(0.3, len(t)))
    frame.loc[frame.unit % 100 == 7, "d"] = 500
    frame["spend"] = 20.0 * frame.d
    for cap in ({"quantile": 0.98}, {"value": 60}):
        (one,) = analyzed(frame, RATIO | {"cap": cap}).comparisons
        assert one.estimate == pytest.approx((20, 20), rel=1e-12)
    noisy = frame.assign(spend=frame.spend + random.normal(0, 1, len(frame)))
    result = analyzed(noisy, RATIO | {"cap": {"value": 60}})
    (one,) = result.comparisons
    assert one.estimate == pytest.approx((20, 20), abs=0.1)
    high, low = one.difference_interval
    assert abs(high - low) < 0.2
    for language, words in zip(
        LANGUAGES, ("in the same proportion", "même proportion"), strict=True
    ):
        assert page_of(result, language).count(words) == 2  # in the note, and in the method


@pytest.mark.parametrize("missing", ["drop", "zero"])
def test_the_capped_side_of_a_ratio_may_be_empty_or_text(missing, tmp_path):
    frame = rows(600)
    frame.loc[frame.unit % 7 == 0, "spend"] = np.nan
    frame.loc[frame.unit % 5 == 0, "d"] = np.nan
    metric = RATIO | {"missing": missing, "cap": {"value": 9}}
    known = frame.dropna() if missing == "drop" else frame.fillna({"spend": 0.0, "d": 0.0})
    share = np.where(known.spend > 9, 9 / known.spend.where(known.spend > 0, 1), 1.0)
    sums = pd.DataFrame({"m": known.spend * share, "d": known.d * share}).groupby(known.arm).sum()
    frame.to_csv(tmp_path / "t.csv", index=False)
    for data in (frame, tmp_path / "t.csv"):
        (one,) = analyzed(data, metric).comparisons
        assert one.estimate == pytest.approx(
            [sums.m[arm] / sums.d[arm] for arm in ("new", "old")], rel=1e-9
        )


@pytest.mark.parametrize("kind", ["mean", "ratio", "covariate"])
@pytest.mark.parametrize("refunds", [False, True])
def test_a_cap_that_comes_out_at_0_is_told_as_that(kind, refunds):
    frame = rows().assign(spend=lambda t: t.spend.where(t.unit % 33 == 0, 0.0))
    if refunds:
        frame.loc[frame.unit % 50 == 1, "spend"] = -5.0
    metric = {"mean": MEAN, "ratio": RATIO, "covariate": MEAN | {"covariates": ["past"]}}[kind]
    result = analyzed(frame, metric | {"cap": {"quantile": 0.95}})
    (one,) = result.comparisons
    assert one.not_estimable.key == "experiments.cap_too_low"
    assert (one.p_value, one.difference, one.standard_error, one.verdict) == (
        None,
        None,
        None,
        "not_estimable",
    )
    assert one.uncapped.p_value is not None
    assert "the cap comes out at 0, since 95% of the values or more" in page_of(result, "en")
    assert "établit à 0" in page_of(result, "fr")
    assert result.decision.action == "no_decision"
    raised = analyzed(frame, metric | {"cap": {"quantile": 0.99}})
    assert raised.comparisons[0].not_estimable is None


def test_a_ratio_takes_no_cap_below_0():
    for cap in ({"value": -3}, {"value": 0}):
        (one,) = analyzed(rows(), RATIO | {"cap": cap}).comparisons
        assert one.not_estimable.key == "experiments.cap_leaves_nothing"


def test_a_metric_that_is_0_throughout_has_no_variation_with_a_cap_either():
    (one,) = analyzed(rows().assign(spend=0.0), MEAN | {"cap": {"quantile": 0.9}}).comparisons
    assert one.not_estimable.key == "experiments.no_variation"


@pytest.mark.parametrize(
    ("change", "key"), [(np.inf, "infinite"), ("text", "text_value"), (np.nan, "all_missing")]
)
def test_a_cap_hides_no_broken_value(change, key, tmp_path):
    frame = rows(60).astype({"spend": object})
    frame.loc[frame.index[0 if key == "all_missing" else 5 :], "spend"] = change
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError) as told:
        analyzed(tmp_path / "t.csv", MEAN | {"cap": {"quantile": 0.9}, "missing": "drop"})
    assert told.value.problems[0].key == f"experiments.{key}"


@pytest.mark.parametrize(
    "metric",
    [
        {"type": "proportion", "column": "spend"},
        {"type": "quantile", "column": "spend", "quantile": 0.5},
    ],
)
def test_a_proportion_and_a_quantile_take_no_cap(metric):
    with pytest.raises(SpecError, match="no amounts to cap"):
        analyzed(rows(), MEAN | metric | {"cap": {"value": 3}})


def test_the_readout_shows_capped_beside_uncapped():
    result = analyzed(rows(), MEAN | {"cap": {"quantile": 0.99}})
    (one,) = result.comparisons
    record = json.loads(json.dumps(result.record(), allow_nan=False))["comparisons"][0]
    assert record["uncapped"]["difference"] == one.uncapped.difference
    assert result.frame(full=True).uncapped_lift_low.tolist() == [one.uncapped.lift_interval[0]]
    for language, word in zip(LANGUAGES, ("uncapped", "sans plafond"), strict=True):
        assert word in page_of(result, language)
