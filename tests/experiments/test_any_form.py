"""What no form of the data changes: label swap, units of measurement, the order of rows, the engine that brings them."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conftest import first_quickly
from opslab import experiments
from opslab.experiments.spec import Experiment

MEAN = {"name": "y", "type": "mean", "column": "y", "role": "primary", "goal": "increase"}
RATIO = {
    "name": "r",
    "type": "ratio",
    "numerator": "y",
    "denominator": "d",
    "role": "secondary",
    "goal": "increase",
}
EVENT = {
    "name": "y",
    "type": "mean",
    "event": "buy",
    "value": "y",
    "window": {"to": "5d"},
    "role": "primary",
    "covariate_window": {"from": "-5d", "to": "0d"},
    "goal": "increase",
}
CUPED = MEAN | {"name": "c", "covariates": ["x"], "role": "secondary"}
FORMS = {
    "strata": ({"path": "t", "rows": "unit"}, {"strata": ("pair",)}, (MEAN, RATIO, CUPED)),
    "finer": (
        {"path": "t", "rows": "finer"},
        {},
        (MEAN, RATIO, CUPED, MEAN | {"name": "w", "per": "row"}),
    ),
    "segments": ({"path": "t", "rows": "unit"}, {"segments": ("half",)}, (MEAN, RATIO, CUPED)),
    "totals": (
        {"path": "t", "rows": "totals"},
        {"period": {"time": "day", "start": "2026-03-01", "end": "2026-03-08"}},
        (MEAN, RATIO),
    ),
    "logs": ({"assignments": "a", "events": "e"}, {}, (EVENT,)),
}


def analyzed(form, data, control="old"):
    rows, fields, metrics = FORMS[form]
    spec = Experiment(
        experiment="a test",
        unit="d" if form == "totals" else "unit",
        data=rows,
        metrics=metrics,
        arms={"column": "arm", "control": control, "weights": {"old": 1, "new": 1}},
        **fields,
    )
    result = experiments.analyze(spec, data)
    return [*result.comparisons, *result.segments]


def table(form, seed=1, n=96):
    """Return the data of a form: a table, or two logs."""
    random = np.random.default_rng(seed)
    unit = np.arange(n) if form != "finer" else random.integers(0, n // 2, 4 * n)
    new, x = random.permutation(n) % 2, random.normal(10, 2, n)
    frame = pd.DataFrame({"unit": unit, "arm": np.where(new[unit], "new", "old"), "x": x[unit]})
    frame["pair"], frame["half"] = unit % 8, unit % 2
    frame["day"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(frame.pair, unit="D")
    frame["y"] = frame.x * random.lognormal(0, 0.3, len(unit)) + new[unit]
    frame["d"] = random.integers(1, 9, len(unit))
    if form != "logs":
        return frame
    assignments = frame[["unit", "arm", "day"]].rename(columns={"day": "at"})
    who = random.integers(0, n, 20 * n)
    when = assignments["at"].to_numpy()[who] + pd.to_timedelta(
        random.uniform(-8, 30, len(who)), unit="D"
    )
    events = pd.DataFrame(
        {
            "unit": who,
            "event": "buy",
            "when": when.astype("datetime64[us]"),
            "y": random.gamma(2, 9, len(who)),
        }
    )
    return {"assignments": assignments, "events": events}


def changed(data, change):
    return (
        {name: change(one) for name, one in data.items()}
        if isinstance(data, dict)
        else change(data)
    )


def same(
    found,
    expected,
    names=(
        "difference",
        "standard_error",
        "p_value",
        "lift",
        "difference_interval",
        "lift_interval",
    ),
):
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert (one.method, one.n, one.segment) == (other.method, other.n, other.segment)
        for name in names:
            value = getattr(other, name)
            assert getattr(one, name) == (
                value if value is None else pytest.approx(value, rel=1e-9)
            ), name


@pytest.mark.parametrize("form", first_quickly(*FORMS))
def test_engines_and_the_order_of_rows_agree(form, tmp_path):
    data = table(form)
    expected = analyzed(form, data)
    assert all(one.p_value is not None for one in expected)
    same(analyzed(form, changed(data, lambda one: one.sample(frac=1, random_state=3))), expected)
    same(analyzed(form, changed(data, pl.from_pandas)), expected)
    same(analyzed(form, changed(data, lambda one: pl.from_pandas(one).lazy())), expected)
    same(analyzed(form, changed(data, lambda one: duckdb.sql("SELECT * FROM one"))), expected)
    same(
        analyzed(form, changed(data, lambda one: pa.Table.from_pandas(one, preserve_index=False))),
        expected,
    )

    def written(one):
        path = tmp_path / f"{len(one)}.parquet"
        duckdb.sql(
            f"COPY (SELECT * FROM one ORDER BY hash({one.columns[0]})) TO '{path}' (ROW_GROUP_SIZE 2048)"
        )
        return path

    same(analyzed(form, changed(data, written)), expected)


@pytest.mark.parametrize("form", first_quickly(*FORMS))
@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**31), scale=st.sampled_from([1e-6, 0.25, 1e3, 1e9]))
def test_units_of_measurement_scale_effects_and_nothing_else(form, seed, scale):
    data = table(form, seed)

    def scaled(one):
        return one.assign(y=one.y * scale) if "y" in one else one

    found, expected = analyzed(form, changed(data, scaled)), analyzed(form, data)
    same(
        found,
        expected,
        ("p_value", "lift", "lift_interval", "variance_reduction", "degrees_of_freedom"),
    )
    for one, other in zip(found, expected, strict=True):
        assert one.difference == pytest.approx(scale * other.difference, rel=1e-9)
        assert one.standard_error == pytest.approx(scale * other.standard_error, rel=1e-9)


@pytest.mark.parametrize("form", first_quickly(*FORMS))
@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**31))
def test_swapped_labels_flip_the_sign(form, seed):
    data = table(form, seed)
    for one, other in zip(analyzed(form, data, "new"), analyzed(form, data), strict=True):
        assert one.difference == pytest.approx(-other.difference, rel=1e-9)
        assert one.difference_interval == pytest.approx(
            [-end for end in other.difference_interval[::-1]], rel=1e-9
        )
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
        assert one.n == other.n[::-1]


@pytest.mark.parametrize("form", first_quickly(*FORMS))
def test_a_p_value_beyond_1e_16_is_not_0(form):
    def far(one):
        return one.assign(y=one.y + 30 * (one.arm == "new")) if "arm" in one and "y" in one else one

    data = changed(table(form, n=240), far)
    if form == "logs":
        new = set(data["assignments"].unit[data["assignments"].arm == "new"])
        data["events"]["y"] += 30 * data["events"].unit.isin(new)
    for one in analyzed(form, data):
        assert 0 < one.p_value < (1e-4 if form == "totals" else 1e-12), one.metric
