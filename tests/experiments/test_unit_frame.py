"""The units as a frame: what an analysis sums, in every form of the data, against its own estimates."""

import math
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from opslab import experiments, frames, workspace
from opslab.errors import DataError, ParameterError
from opslab.experiments import unit_frame
from opslab.experiments.spec import Experiment

SAMPLES = ("checkout", "newsletter", "onboarding", "stores", "search_ranking", "express")
BASE = {
    "experiment": "frames",
    "unit": "user",
    "arms": {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
BASKET = {
    "name": "basket",
    "type": "ratio",
    "numerator": "spend",
    "denominator": "orders",
    "role": "secondary",
    "goal": "increase",
}


def experiment(*metrics, **fields):
    return Experiment(**BASE | {"metrics": metrics or (SPEND,)} | fields)


def rows(units=400):
    draw = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "user": [f"u{number}" for number in range(units)],
            "arm": np.where(draw.random(units) < 0.5, "old", "new"),
            "spend": draw.exponential(20, units).round(2),
            "orders": draw.integers(0, 4, units),
            "country": draw.choice(["de", "fr"], units),
            "before": draw.exponential(10, units).round(2),
            "met": draw.integers(0, 2, units),
            "at": pd.Timestamp("2026-09-07") + pd.to_timedelta(draw.integers(0, 14, units), "D"),
        }
    )
    frame.loc[::9, "spend"] = None
    return frame


def sample(name):
    return Experiment.load(workspace.resolve(f"data/sample/{name}.yaml"))


def plainly(known):
    """Return the estimates without covariates and caps, which move none of them, and the counts."""
    return dict(
        zip((known.arm, known.control), zip(known.estimate, known.n, strict=True), strict=True)
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_the_frame_holds_what_the_analysis_sums(name):
    """By pandas' own means, sums and counts: of each metric and arm the estimate and its n."""
    spec = sample(name)
    result = experiments.analyze(spec, as_of=spec.last_day)
    units = spec.units(as_of=result.as_of)  # the look that stopped a sequential design
    assert units.index.name == "row"
    assert units.index.is_unique
    assert units.index.is_monotonic_increasing
    assert result.arms
    assert {arm.name: arm.units for arm in result.arms} == units.groupby("arm").size().to_dict()
    for known in result.comparisons:
        inside = units.dropna(subset=[known.metric]).groupby("arm")
        values = inside[known.metric].mean()
        if f"{known.metric} (numerator)" in units:
            sums = inside[
                [f"{known.metric} ({part})" for part in ("numerator", "denominator")]
            ].sum()
            values = sums.iloc[:, 0] / sums.iloc[:, 1]
        for arm, (estimate, n) in plainly(known).items():
            assert inside.size()[arm] == n
            if known.uncapped is None:
                assert values[arm] == pytest.approx(estimate, rel=1e-12)


def test_a_unit_is_shown_by_the_line_of_its_file(tmp_path):
    data = rows()
    data.to_csv(tmp_path / "units.csv", index=False)
    lines = (tmp_path / "units.csv").read_text().splitlines()
    units = experiment(SPEND | {"missing": "drop"}).units(tmp_path / "units.csv", ids=True)
    for row, user in units["unit"].items():
        assert lines[row - 1].split(",")[0] == user
    in_memory = experiment(SPEND | {"missing": "drop"}).units(data)
    assert in_memory.index.tolist() == list(range(1, len(data) + 1))
    pd.testing.assert_frame_equal(
        units.drop(columns="unit").reset_index(drop=True), in_memory.reset_index(drop=True)
    )


def test_ids_are_shown_only_where_they_are_asked_for():
    data = rows()
    units = experiment(SPEND | {"missing": "drop"}).units(data)
    assert not units.map(lambda cell: str(cell).startswith("u")).to_numpy().any()


@pytest.mark.parametrize(("missing", "empty"), [("drop", math.nan), ("zero", 0.0)])
def test_an_empty_value_is_what_the_spec_says(missing, empty):
    data = rows()
    units = experiment(SPEND | {"missing": missing, "cap": {"value": 5}}).units(data)
    expected = data.spend.astype(float).fillna(empty)  # and the cap is not applied
    np.testing.assert_array_equal(units.spend, expected)


@pytest.mark.parametrize("cell", ["abc", "inf"])
@pytest.mark.parametrize("missing", ["zero", "drop"])
def test_what_the_analysis_refuses_is_no_value(missing, cell):
    """Neither 0 nor empty: the frame would look sound."""
    table = rows().astype({"spend": str})
    table.loc[3, "spend"] = cell
    spec = experiment(SPEND | {"missing": missing})
    refused = []
    for ask in (spec.units, lambda data: experiments.analyze(spec, data)):
        with pytest.raises(DataError, match="Row 4 holds") as error:
            ask(table)
        refused.append(str(error.value))
    assert refused[0] == refused[1]


def test_a_ratio_shows_both_of_its_sides():
    data = rows()
    units = experiment(BASKET | {"role": "primary", "missing": "drop"}, segments=["country"]).units(
        data
    )
    assert list(units) == ["arm", "basket (numerator)", "basket (denominator)", "basket", "country"]
    expected = (data.spend / data.orders.replace(0, math.nan)).to_numpy()
    np.testing.assert_allclose(units.basket, expected, rtol=1e-15)


def test_phases_days_covariates_and_triggers_have_their_columns():
    data = rows()
    spec = experiment(
        SPEND | {"missing": "drop", "covariates": ["before"]},
        period={"time": "at", "start": "2026-09-07", "end": "2026-09-20"},
        phases=[
            {"from": "2026-09-07", "weights": {"old": 1, "new": 1}},
            {"from": "2026-09-10", "weights": {"old": 1, "new": 2}},
        ],
        strata=["country"],
        trigger="met",
    )
    units = spec.units(data)
    assert list(units) == ["arm", "spend", "before", "country", "day", "phase", "triggered"]
    assert units.day.tolist() == data["at"].tolist()
    later = data["at"] >= "2026-09-10"
    assert units.phase.tolist() == np.where(later, "2026-09-10", "2026-09-07").tolist()
    assert units.triggered.tolist() == (data.met == 1).tolist()
    (known,) = experiments.analyze(
        experiment(SPEND | {"missing": "drop"}, trigger="met"), data
    ).comparisons
    triggered = units[units.triggered].groupby("arm").spend.mean()
    assert known.estimate == pytest.approx((triggered["new"], triggered["old"]), rel=1e-12)


def test_a_name_that_is_taken_bears_a_star():
    spec = experiment(
        SPEND | {"name": "Country", "missing": "zero"},
        SPEND | {"name": "row", "role": "secondary", "missing": "zero"},
        segments=["country"],
    )
    assert list(spec.units(rows())) == ["arm", "Country", "row*", "country*"]


def test_windows_that_are_not_over_are_empty():
    spec = sample("onboarding")
    day = spec.period.end  # before the last windows are over
    result = experiments.analyze(spec, as_of=day)
    units = spec.units(as_of=day)
    empty = units["spend 14 days"].isna()
    assert 0 < empty.sum() < len(units)
    known = result.comparisons[-1]
    assert len(units) - empty.sum() == sum(known.n)
    pd.testing.assert_frame_equal(result.units(), units)


def test_a_quantile_of_rows_has_no_column():
    data = pd.concat([rows(), rows()])
    metric = {"name": "p90", "type": "quantile", "column": "before", "quantile": 0.9, "per": "row"}
    spec = experiment(
        SPEND | {"missing": "drop"},
        metric | {"role": "secondary", "goal": "increase"},
        data={"rows": "finer"},
    )
    units = spec.units(data)
    assert list(units) == ["arm", "spend"]
    assert len(units) == 400


def test_other_forms_hold_the_same():
    spec, data = experiment(SPEND | {"missing": "drop"}), rows()
    plain = spec.units(data).reset_index()
    arrow, polars = spec.units(data, form="arrow"), spec.units(data, form="polars")
    assert isinstance(arrow, pa.Table)
    assert isinstance(polars, pl.DataFrame)
    assert arrow.column_names == polars.columns == list(plain)
    assert arrow["row"].to_pylist() == polars["row"].to_list() == plain["row"].tolist()
    with pytest.raises(ParameterError, match="dask is no form"):
        spec.units(data, form="dask")


def test_totals_and_counts_have_no_units():
    result = experiments.from_counts({"a": (100, 40), "b": (100, 50)}, control="a")
    for ask in (result.units, lambda: result.without([1])):
        with pytest.raises(ParameterError, match="no rows of units here: totals have none"):
            ask()
    days = pd.DataFrame(
        {"day": ["2026-09-07", "2026-09-08"] * 2, "arm": ["old", "old", "new", "new"]}
    )
    days = days.assign(user=[50, 60, 50, 62], spend=[10.0, 12, 11, 15])
    period = {"time": "day", "start": "2026-09-07", "end": "2026-09-08"}
    spec = experiment(SPEND, data={"rows": "totals"}, period=period)
    with pytest.raises(ParameterError, match="no rows of units here"):
        spec.units(days)


def test_a_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    read, opened = [], unit_frame.opened_units
    monkeypatch.setattr(
        unit_frame, "opened_units", lambda *given: read.append(given) or opened(*given)
    )
    monkeypatch.setattr(frames, "_kept", {})
    rows().dropna().to_csv(tmp_path / "units.csv", index=False)
    spec = experiment(data={"path": str(tmp_path / "units.csv")})
    first = spec.units()
    first.loc[:, "spend"] = 0  # what an analyst does to it stays there
    again = spec.units()
    assert len(read) == 1
    assert again.spend.sum() > 0
    spec.units(ids=True)
    assert len(read) == 2
    rows().dropna().head(9).to_csv(tmp_path / "units.csv", index=False)
    assert len(spec.units()) == 9
    os.remove(tmp_path / "units.csv")  # noqa: PTH107
    with pytest.raises(DataError, match=r"units\.csv"):
        spec.units()


def test_what_would_not_fit_is_a_sample_of_each_arm_with_a_remark(monkeypatch):
    data = rows().assign(spend=1.0, arm=["old", "new"] * 200)  # every second row is of one arm
    monkeypatch.setattr(frames, "MOST_CELLS", 400)
    spec = experiment()
    with pytest.warns(frames.Remark, match="one row in 2 of 400"):
        units = spec.units(data)
    assert units.groupby("arm").size().to_dict() == {"new": 100, "old": 100}
    result = experiments.analyze(spec, data)
    with pytest.raises(ParameterError, match="Where units\\(\\) is a sample"):
        result.without(units.spend > 0)
    with pytest.raises(ParameterError, match="a mask or a part does not say"):
        result.without(units[units.arm == "new"])  # it stands for twice as many
    left = result.without(units.index[units["arm"] == "new"][:2])
    assert [arm.units for arm in left.arms] == [200, 198]


def test_a_column_of_numbers_or_rows_of_another_frame_name_no_units():
    data = rows().fillna(0)
    result = experiments.analyze(experiment(), data)
    units = result.units()
    large = units.spend > 20
    left = result.without(large).arms
    assert sum(arm.units for arm in left) == 400 - large.sum()
    for same in (
        units[large],
        units.index[large],
        [*units.index[large]],
        large.to_numpy(),
        [*large],
    ):
        assert result.without(same).arms == left
    for wrong in (large.astype(int), pd.Series(1, units.index), data[data.spend > 20]):
        with pytest.raises(ParameterError, match="These are no rows of units"):
            result.without(wrong)
