"""Rows that are parts of a unit, as clusters of it: against pandas and statsmodels' cluster-robust errors."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from opslab import experiments
from opslab.errors import DataError, SpecError
from opslab.experiments.spec import Experiment

MEAN = {"name": "sales", "type": "mean", "column": "sales", "role": "primary", "goal": "increase"}
PER_ROW = MEAN | {"per": "row"}
RATIO = {
    "name": "basket",
    "type": "ratio",
    "numerator": "sales",
    "denominator": "orders",
    "role": "primary",
    "goal": "increase",
}
SHARE = {
    "name": "late",
    "type": "proportion",
    "column": "late",
    "role": "primary",
    "goal": "decrease",
}
P90 = {
    "name": "p90",
    "type": "quantile",
    "column": "sales",
    "quantile": 0.9,
    "per": "row",
    "role": "primary",
    "goal": "increase",
}


def experiment(*metrics, **fields):
    fields = {"data": {"path": "t.csv", "rows": "finer"}, **fields}
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    return Experiment(experiment="a test", unit="shop", arms=arms, metrics=metrics, **fields)


def analyzed(frame, *metrics, **fields):
    (one,) = experiments.analyze(experiment(*metrics, **fields), frame).comparisons
    return one


def rows(shops=120, seed=1):
    """Return weeks of shops: some shops have many, all weeks of one share its level."""
    random = np.random.default_rng(seed)
    weeks = random.integers(1, 15, shops)
    shop = np.repeat(np.arange(shops), weeks)
    level, new = random.normal(100, 20, shops), random.permutation(shops) < shops // 2
    frame = pd.DataFrame({"shop": shop, "arm": np.where(new, "new", "old")[shop]})
    frame["before"] = (level + random.normal(0, 5, shops))[shop]
    frame["orders"] = random.poisson(20, len(shop)) + 1
    frame["sales"] = level[shop] + random.normal(0, 10, len(shop)) + 5 * new[shop]
    frame["late"] = (random.random(len(shop)) < 0.15).astype(int)
    frame["region"] = np.array(["north", "south"])[shop % 2]
    return frame.sample(frac=1, random_state=seed, ignore_index=True)


def clustered(frame, outcome, weight=None):
    """Return the difference of arms and its error by shop from (weighted) least squares with clusters."""
    design = sm.add_constant((frame.arm == "new").astype(float))
    model = (
        sm.OLS(frame[outcome], design)
        if weight is None
        else sm.WLS(frame[outcome], design, weights=weight)
    )
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": frame["shop"], "use_correction": False})
    return fit.params["arm"], fit.bse["arm"]


def corrected(frame, error):
    """Scale an error without small-sample correction to divisors n - 1 in each arm (equal arms)."""
    shops = frame.shop.nunique() / 2
    return error * math.sqrt(shops / (shops - 1))


def test_the_mean_per_unit_is_welch_on_the_units_totals():
    frame = rows()
    totals = frame.groupby(["shop", "arm"]).sales.sum().reset_index()
    test = stats.ttest_ind(
        *(totals.sales[totals.arm == arm] for arm in ("new", "old")), equal_var=False
    )
    one = analyzed(frame, MEAN)
    assert (one.method, one.n) == ("welch", (60, 60))
    assert one.p_value == pytest.approx(test.pvalue, rel=1e-9)
    assert one.difference_interval == pytest.approx(tuple(test.confidence_interval()), rel=1e-9)


def test_the_mean_per_row_has_the_cluster_robust_error():
    frame = rows()
    one = analyzed(frame, PER_ROW)
    difference, error = clustered(frame, "sales")
    assert (one.type, one.method, one.n) == ("mean", "ratio", (60, 60))
    assert one.difference == pytest.approx(difference, rel=1e-9)
    assert one.standard_error == pytest.approx(corrected(frame, error), rel=1e-9)
    plain = stats.ttest_ind(
        *(frame.sales[frame.arm == arm] for arm in ("new", "old")), equal_var=False
    )
    assert one.p_value > 3 * plain.pvalue


def test_a_ratio_of_sums_is_the_weighted_regression_with_clusters():
    frame = rows()
    one = analyzed(frame, RATIO)
    difference, error = clustered(
        frame.assign(each=frame.sales / frame.orders), "each", frame.orders
    )
    assert one.difference == pytest.approx(difference, rel=1e-9)
    assert one.standard_error == pytest.approx(corrected(frame, error), rel=1e-9)


def test_a_proportion_counts_units_or_rows():
    frame = rows()
    ever = frame.groupby(["arm", "shop"]).late.max().groupby("arm").mean()
    one = analyzed(frame, SHARE)
    assert one.estimate == pytest.approx((ever["new"], ever["old"]), rel=1e-12)
    one = analyzed(frame, SHARE | {"per": "row"})
    difference, error = clustered(frame, "late")
    assert one.type == "proportion"
    assert one.difference == pytest.approx(difference, rel=1e-9)
    assert one.standard_error == pytest.approx(corrected(frame, error), rel=1e-9)


def test_a_quantile_per_row_widens_by_what_the_clusters_do():
    """The inflation of Deng, Knoblich and Lu: cluster-robust variance of the share below, by statsmodels."""
    frame = rows(400)
    one, alone = analyzed(frame, P90), analyzed(frame.assign(shop=frame.index), P90)
    assert (one.method, one.estimate) == ("clustered_quantile", alone.estimate)
    variance = 0.0
    for arm, estimate in zip(("new", "old"), one.estimate, strict=True):
        side = frame[frame.arm == arm]
        below = (side.sales <= estimate).astype(float)
        fit = sm.OLS(below, np.ones(len(side))).fit(
            cov_type="cluster", cov_kwds={"groups": side["shop"], "use_correction": False}
        )
        shops = side.shop.nunique()
        factor = fit.bse.iloc[0] ** 2 * shops / (shops - 1) / (0.9 * 0.1 / len(side))
        low, high = (np.sort(side.sales)[place] for place in _ranks(len(side), 0.9))
        variance += factor * ((high - low) / (2 * stats.norm.ppf(0.975))) ** 2
    assert one.standard_error == pytest.approx(math.sqrt(variance), rel=0.02)
    assert one.standard_error > 1.5 * alone.standard_error


def _ranks(n, quantile):
    reach = stats.norm.ppf(0.975) * math.sqrt(n * quantile * (1 - quantile))
    return math.floor(n * quantile - reach) - 1, math.ceil(n * quantile + reach) - 1


def test_covariates_belong_to_the_unit():
    frame = rows()
    units = frame.groupby("shop").agg(
        arm=("arm", "first"), sales=("sales", "sum"), before=("before", "first")
    )
    plain = Experiment(
        experiment="a test",
        unit="shop",
        arms={"column": "arm", "control": "old"},
        metrics=[MEAN | {"covariates": ["before"]}],
    )
    (expected,) = experiments.analyze(plain, units.reset_index()).comparisons
    one = analyzed(frame, MEAN | {"covariates": ["before"]})
    assert one.method == "cuped"
    for name in ("difference", "standard_error", "p_value", "variance_reduction"):
        assert getattr(one, name) == pytest.approx(getattr(expected, name), rel=1e-9), name


@pytest.mark.parametrize("field", ["covariates", "segments", "strata", "trigger"])
def test_what_changes_between_the_rows_of_a_unit_is_refused(field):
    """Covariates, segments, strata and the trigger say one thing of a unit."""
    frame = rows()
    frame["flag"] = 0
    frame.loc[[5, 9], "flag"] = 1
    metric = MEAN | ({"covariates": ["flag"]} if field == "covariates" else {})
    fields = {
        "segments": {"segments": ["flag"]},
        "strata": {"strata": ["flag"]},
        "trigger": {"trigger": "flag"},
    }
    with pytest.raises(DataError, match="data, flag: 2 units have rows that differ here"):
        analyzed(frame, metric, **fields.get(field, {}))


def test_empty_rows_mean_what_the_spec_says():
    frame = rows()
    frame.loc[[1, 3, 8], "sales"] = np.nan
    with pytest.raises(DataError, match="is empty in 3 rows"):
        analyzed(frame, MEAN)
    for metric, missing in ((PER_ROW, "drop"), (PER_ROW, "zero")):
        one = analyzed(frame, metric | {"missing": missing})
        known = frame.dropna() if missing == "drop" else frame.fillna(0.0)
        means = known.groupby("arm").sales.mean()
        assert one.estimate == pytest.approx((means["new"], means["old"]), rel=1e-12)
    only = frame.loc[3, "shop"]
    frame.loc[frame.shop == only, "sales"] = np.nan
    assert sum(analyzed(frame, MEAN | {"missing": "drop"}).n) == 119
    assert sum(analyzed(frame, MEAN | {"missing": "zero"}).n) == 120


def test_empty_rows_are_counted_by_arm():
    frame = rows()
    frame.loc[[1, 3, 8], "sales"] = np.nan
    counts = frame[frame.sales.isna()].arm.value_counts()
    for metric in (MEAN, PER_ROW):
        one = analyzed(frame, metric | {"missing": "drop"})
        assert one.missing == (counts.get("new", 0), counts.get("old", 0))


@pytest.mark.parametrize("missing", ["refuse", "drop", "zero"])
@pytest.mark.parametrize("metric", [MEAN, PER_ROW, RATIO])
def test_a_text_among_the_numbers_is_refused(metric, missing, tmp_path):
    frame = rows().astype({"sales": str})
    frame.loc[6, "sales"] = "much"
    frame.to_csv(tmp_path / "t.csv", index=False)
    for data, row in ((tmp_path / "t.csv", 8), (frame, 7)):
        with pytest.raises(DataError, match=f'Row {row} holds the text "much"'):
            analyzed(data, metric | {"missing": missing})


@pytest.mark.parametrize("cap", [{"value": 1_000}, {"quantile": 0.9}])
def test_a_cap_of_rows_is_refused_and_one_of_totals_is_not(cap):
    """A cap cuts the unit's total; cutting it where rows are meant would be a silent wrong number."""
    frame = rows()
    with pytest.raises(SpecError, match=r"metrics\[1\]\.cap"):
        analyzed(frame, PER_ROW | {"cap": cap})
    totals = frame.groupby(["arm", "shop"]).sales.sum()
    at = cap.get("value") or np.quantile(totals, 0.9, method="inverted_cdf")
    means = totals.clip(upper=at).groupby("arm").mean()
    one = analyzed(frame, MEAN | {"cap": cap})
    assert one.estimate == pytest.approx((means["new"], means["old"]), rel=1e-9)


def test_a_row_without_an_arm_is_refused():
    frame = rows()
    frame.loc[3, "arm"] = None
    with pytest.raises(DataError, match="1 row has no arm"):
        analyzed(frame, MEAN)


def test_a_share_of_rows_takes_0_and_1():
    frame = rows()
    frame.loc[4, "late"] = 3
    with pytest.raises(DataError, match="Row 5 holds 3"):
        analyzed(frame, SHARE | {"per": "row"})


@pytest.mark.parametrize(
    ("shops", "broken"),
    [
        ([18], False),  # less than 1 % of the units and of the rows
        ([7], True),  # less than 1 % of the units with more than 1 % of the rows
        ([7, 8], True),
    ],
)
def test_units_in_two_arms_are_left_out_and_stop_where_they_are_many(shops, broken):
    frame = rows()
    for shop in shops:
        first, *others = frame.index[frame.shop == shop]
        assert others, "the shop needs two weeks"
        frame.loc[first, "arm"] = "old" if frame.arm[first] == "new" else "new"
    result = experiments.analyze(experiment(MEAN), frame)
    assert result.broken == broken
    assert sum(arm.units for arm in result.arms) == 120 - len(shops)
    assert result.data_used.leaked_rows == frame.shop.isin(shops).sum()


def test_few_units_are_told():
    for shops, status in ((30, "warn"), (80, "pass")):
        result = experiments.analyze(experiment(MEAN), rows(shops))
        check = next(one for one in result.checks if one.name == "few_clusters")
        assert (check.status, check.value) == (status, shops / 2)


def test_clusters_have_the_degrees_of_freedom_of_the_units():
    one = analyzed(rows(20), PER_ROW)
    assert one.degrees_of_freedom <= 18
