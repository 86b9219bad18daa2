"""No order of rows, file format, thread or slice changes a number, with covariates half empty."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from opslab import experiments
from opslab.experiments.spec import Experiment
from opslab.tables import source

METRIC = {"role": "primary", "goal": "increase", "missing": "drop"}
METRICS = (
    METRIC | {"name": "mean", "type": "mean", "column": "y", "covariates": ["x"]},
    METRIC
    | {
        "name": "ratio",
        "type": "ratio",
        "numerator": "y",
        "denominator": "d",
        "covariates": ["x", {"numerator": "x", "denominator": "z"}],
    },
    METRIC | {"name": "capped", "type": "mean", "column": "y", "cap": {"quantile": 0.95}},
)
SIZES = [40_000, pytest.param(2_000_000, marks=pytest.mark.slow)]


def table(n, seed=3):
    """Return units in the order of x: the first rows are unlike the others, and x has gaps."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "x": np.sort(random.gamma(2, 5, n)) + 100})
    frame["arm"] = np.where(random.random(n) < 0.5, "new", "old")
    frame["y"] = frame.x + random.normal(0, 3, n) + 0.1 * (frame.arm == "new")
    frame["d"] = random.integers(1, 5, n)
    frame["z"] = random.integers(1, 9, n) * 1.0
    frame["half"] = random.choice(["early", "late"], n)
    frame["day"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(random.integers(0, 7, n), unit="D")
    # Gaps are not at random: what stands for them must not move with the order of the rows.
    frame.loc[random.random(n) < np.linspace(0.2, 0.8, n), "x"] = np.nan
    frame.loc[random.random(n) < 0.5, "z"] = np.nan
    frame.loc[random.random(n) < 0.01, "y"] = np.nan
    return frame


def analyzed(data):
    spec = Experiment(
        experiment="a test",
        unit="unit",
        data={"path": "t", "rows": "unit"},
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        period={"time": "day", "start": "2026-03-01", "end": "2026-03-07"},
        segments=["half"],
        metrics=METRICS,
    )
    return experiments.analyze(spec, data)


def numbers(result):
    """Return every number of the comparisons, and the value of every check, by its place."""
    compared = [*result.comparisons, *result.segments]
    names = ("difference", "lift", "p_value", "standard_error", "degrees_of_freedom")
    figures = {
        (comparison.metric, comparison.segment, name): getattr(comparison, name)
        for comparison in compared
        for name in (*names, "variance_reduction")
    }
    for comparison in compared:
        for name in ("estimate", "difference_interval", "lift_interval"):
            for order, value in enumerate(getattr(comparison, name)):
                figures[comparison.metric, comparison.segment, name, order] = value
    return figures | {check.name: check.value for check in result.checks}


def same(result, other):
    figures = {key: value for key, value in numbers(result).items() if value is not None}
    again = {key: value for key, value in numbers(other).items() if value is not None}
    assert again == pytest.approx(figures, rel=1e-9, abs=1e-12)


def by_regression(frame):
    """Return statsmodels' effect and HC1 error of the mean, gaps at the mean over all rows."""
    frame = frame.assign(x=frame.x.fillna(frame.x.mean())).dropna(subset="y")
    x, treated = frame.x - frame.x.mean(), (frame.arm == "new") * 1.0
    exog = sm.add_constant(np.column_stack([treated, x, x * treated]))
    fit = sm.OLS(frame.y, exog).fit(cov_type="HC1")
    return fit.params.iloc[1], fit.bse.iloc[1]


def as_csv(frame, folder):
    path = folder / "t.csv"
    frame.to_csv(path, index=False)
    return path


def as_parquet(frame, folder):
    path = folder / "t.parquet"
    frame.to_parquet(path)
    return path


@pytest.mark.parametrize("n", SIZES)
def test_the_order_of_rows_changes_no_number(n):
    frame = table(n)
    result = analyzed(frame)
    difference, error = by_regression(frame)
    mean = result.comparisons[0]
    assert mean.difference == pytest.approx(difference, rel=1e-6)
    assert mean.standard_error == pytest.approx(error, rel=1e-3)
    for shuffled in (
        frame.iloc[::-1],
        frame.sample(frac=1, random_state=1),
        frame.sort_values(["z", "arm", "x"], na_position="first"),
        frame.sort_values("x", na_position="first"),
    ):
        same(result, analyzed(shuffled))


@pytest.mark.parametrize("n", SIZES)
def test_what_is_empty_counts_as_the_mean_over_all_rows_of_every_arm(n):
    frame = table(n)
    filled = frame.assign(x=frame.x.fillna(frame.x.mean()))
    figures = {
        key: value
        for key, value in numbers(analyzed(frame)).items()
        if key[0] == "mean" and key[1] is None
    }
    assert len(figures) == 12
    assert figures == pytest.approx(
        {key: numbers(analyzed(filled))[key] for key in figures}, rel=1e-9
    )


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("written", [as_csv, as_parquet])
def test_files_give_the_numbers_of_the_frame(n, written, tmp_path):
    frame = table(n)
    same(analyzed(frame), analyzed(written(frame, tmp_path)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("threads", "slices"), [(1, 1), (1, 7), (2, 3), (5, 11)])
def test_neither_threads_nor_slices_change_a_number(n, threads, slices, monkeypatch):
    frame = table(n)
    result = analyzed(frame)
    monkeypatch.setenv("OPSLAB_THREADS", str(threads))
    monkeypatch.setattr(source, "_slice_size", partial(_part, slices))
    same(result, analyzed(frame))


def _part(slices, rows):
    return -(-rows // slices)
