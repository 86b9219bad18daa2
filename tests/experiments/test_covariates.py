"""Ratios and covariate adjustment against numpy, statsmodels and a bootstrap; what is told and refused."""

import doctest
import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from conftest import first_quickly, page_of
from opslab import experiments
from opslab.errors import DataError, SpecError
from opslab.experiments.inference import covariates
from opslab.experiments.inference.covariates import contrast, usable
from opslab.experiments.inference.power import units_needed
from opslab.experiments.moments import arm_moments
from opslab.experiments.moments.arm_moments import CrossMoments, merge_cross
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES
from opslab.tables import source

MEAN = {"name": "y", "type": "mean", "column": "y", "role": "primary", "goal": "increase"}
CUPED = MEAN | {"covariates": ["x"]}
RATIO = {
    "name": "r",
    "type": "ratio",
    "numerator": "m",
    "denominator": "d",
    "role": "primary",
    "goal": "increase",
}
RATIO_CUPED = RATIO | {"covariates": [{"numerator": "m0", "denominator": "d0"}, "x"]}


def experiment(*metrics, control="old", new="new", **fields):
    arms = {"column": "arm", "control": control, "weights": {control: 1, new: 1}}
    return Experiment(experiment="a test", unit="unit", arms=arms, metrics=metrics, **fields)


def analyzed(frame, *metrics, **fields):
    (one,) = experiments.analyze(experiment(*metrics, **fields), frame).comparisons
    return one


def rows(seed=1, n=4_000, shift=0.2, slopes=(1.5, 0.5), share=0.3):
    """Return units with pre-period columns on which the outcomes hang, by different slopes in the two arms."""
    random = np.random.default_rng(seed)
    new = random.random(n) < share
    x, z = random.normal(10, 2, n), random.normal(0, 1, n)
    d0, d = random.poisson(4, n) + 1.0, random.poisson(5, n) + 1.0
    rate = random.normal(2, 0.4, n)
    y = np.where(new, slopes[0], slopes[1]) * (x - 10) + z + random.normal(50 + shift * new, 1, n)
    return pd.DataFrame(
        {
            "unit": np.arange(n),
            "arm": np.where(new, "new", "old"),
            "x": x,
            "z": z,
            "y": y,
            "d": d,
            "d0": d0,
            "m": d * rate + random.normal(0, 1, n) + shift * new * d,
            "m0": d0 * rate + random.normal(0, 1, n),
            "hit": (random.random(n) < 0.2 + 0.05 * (x > 10) + 0.02 * new).astype(int),
        }
    )


def cross(matrix):
    centred = matrix - matrix.mean(0)
    return CrossMoments(
        len(matrix), len(matrix), tuple(matrix.mean(0)), tuple(map(tuple, centred.T @ centred))
    )


def arms_of(frame, *columns):
    return [cross(frame.loc[frame.arm == arm, list(columns)].to_numpy()) for arm in ("new", "old")]


def by_numpy(frame, linear, covariate_columns):
    """Return difference and variance of A = Z - theta*' X, from the raw rows."""
    parts = []
    for arm in ("new", "old"):
        part = frame[frame.arm == arm]
        estimate, z = linear(part)
        x = part[covariate_columns].to_numpy()
        theta = np.linalg.lstsq(x - x.mean(0), z - z.mean(), rcond=None)[0]
        parts.append((estimate, z, x, theta))
    (rt, zt, xt, tt), (rc, zc, xc, tc) = parts
    theta = (len(zc) * tt + len(zt) * tc) / (len(zt) + len(zc))
    p = len(covariate_columns)
    variance = sum(
        ((a := z - x @ theta) - a.mean()) @ (a - a.mean()) / (len(z) - 1 - p) / len(z)
        for z, x in ((zt, xt), (zc, xc))
    )
    return rt - rc - theta @ (xt.mean(0) - xc.mean(0)), variance


def test_examples_run():
    assert doctest.testmod(covariates).failed == doctest.testmod(arm_moments).failed == 0


# Cross moments


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10**6), st.integers(0, 30), st.integers(1, 30))
def test_merging_the_parts_gives_the_whole(seed, first, second):
    matrix = np.random.default_rng(seed).normal(100, 3, (first + second, 3))
    none = CrossMoments(0, 0, (0.0,) * 3, ((0.0,) * 3,) * 3)
    merged = merge_cross(cross(matrix[:first]) if first else none, cross(matrix[first:]))
    whole = cross(matrix)
    assert (merged.n, merged.given) == (whole.n, whole.given)
    assert merged.means == pytest.approx(whole.means, rel=1e-12)
    assert np.array(merged.scatter) == pytest.approx(np.array(whole.scatter), rel=1e-9, abs=1e-9)


@pytest.mark.slow
def test_the_same_bits_at_any_thread_count_and_nearly_the_same_in_any_order(monkeypatch, tmp_path):
    frame = rows(n=60_000)
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=10_000)
    frame.to_csv(tmp_path / "t.csv", index=False)
    spec = experiment(CUPED, RATIO_CUPED)
    monkeypatch.setattr(source, "_SLICE_ROWS", 13_000)
    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("OPSLAB_THREADS", threads)
        found.append(experiments.analyze(spec, tmp_path / "t.parquet").comparisons)
    assert found[0] == found[1] == found[2]
    monkeypatch.setattr(source, "_SLICE_ROWS", 10**6)
    for data in (
        frame,
        frame.sample(frac=1, random_state=2),
        pl.from_pandas(frame),
        tmp_path / "t.csv",
    ):
        for one, other in zip(found[0], experiments.analyze(spec, data).comparisons, strict=True):
            assert other.method == one.method
            for name in ("difference", "lift", "p_value", "standard_error", "variance_reduction"):
                assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9), name


# Ratios


def test_a_ratio_is_the_delta_method_and_agrees_with_a_bootstrap():
    frame = rows(n=1_500)
    one = analyzed(frame, RATIO)
    linear = {}
    for arm, part in frame.groupby("arm"):
        ratio = part.m.sum() / part.d.sum()
        s = np.cov(part.m, part.d)
        error = (
            (s[0, 0] - 2 * ratio * s[0, 1] + ratio**2 * s[1, 1]) / len(part) / part.d.mean() ** 2
        )
        linear[arm] = ratio, error
    assert (one.method, one.n) == (
        "ratio",
        tuple((frame.arm == arm).sum() for arm in ("new", "old")),
    )
    assert one.estimate == pytest.approx((linear["new"][0], linear["old"][0]), rel=1e-12)
    assert one.standard_error == pytest.approx(
        math.sqrt(linear["new"][1] + linear["old"][1]), rel=1e-10
    )
    assert one.p_value == pytest.approx(
        2 * stats.t.sf(one.difference / one.standard_error, one.degrees_of_freedom), rel=1e-9
    )
    random, drawn = np.random.default_rng(0), {}
    for arm, part in frame.groupby("arm"):
        places = random.integers(0, len(part), (2_000, len(part)))
        drawn[arm] = part.m.to_numpy()[places].sum(1) / part.d.to_numpy()[places].sum(1)
    assert one.standard_error == pytest.approx((drawn["new"] - drawn["old"]).std(), rel=0.05)
    lifts = np.quantile(drawn["new"] / drawn["old"] - 1, [0.025, 0.975])
    assert one.lift_interval == pytest.approx(lifts, abs=0.1 * (lifts[1] - lifts[0]))


def test_a_denominator_of_ones_gives_the_mean():
    frame = rows(n=800).assign(d=1.0)
    ratio = analyzed(frame, RATIO)
    mean = analyzed(frame, MEAN | {"column": "m"})
    for name in ("difference", "p_value", "standard_error", "degrees_of_freedom", "lift"):
        assert getattr(ratio, name) == pytest.approx(getattr(mean, name), rel=1e-9)
    assert ratio.lift_interval == pytest.approx(mean.lift_interval, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda t: t.assign(d=0.0), "denominator_zero"),
        (lambda t: t.assign(d=np.where(t.unit % 2, 1.0, -1.0)), "denominator_zero"),
        (lambda t: t.assign(m=3 * t.d), "no_variation"),
        (lambda t: t.assign(m=np.where(t.arm == "new", 3, 2) * t.d), "no_spread"),
        (
            lambda t: t[(t.arm == "old") | (t.unit == t.unit[t.arm == "new"].min())],
            "too_few_values",
        ),
    ],
)
def test_a_ratio_that_cannot_be_estimated_says_why(change, key):
    result = experiments.analyze(experiment(RATIO), change(rows(n=200)))
    assert result.comparisons[0].not_estimable.key == f"experiments.{key}"
    assert result.decision.action in ("do_not_ship", "stop_broken")
    json.dumps(result.record(), allow_nan=False)
    assert all(result.headline(language) for language in LANGUAGES)


def test_a_negative_denominator_is_fine():
    frame = rows(n=900)
    one, turned = analyzed(frame, RATIO), analyzed(frame.assign(m=-frame.m, d=-frame.d), RATIO)
    assert turned.difference == pytest.approx(one.difference, rel=1e-9)
    assert turned.p_value == pytest.approx(one.p_value, rel=1e-9)


def test_a_unit_counts_for_a_ratio_when_both_columns_are_there():
    frame = rows(n=600)
    frame.loc[:9, "m"] = np.nan
    frame.loc[5:19, "d"] = np.nan
    one = analyzed(frame, RATIO | {"missing": "drop"})
    other = analyzed(frame.dropna(subset=["m", "d"]), RATIO)
    assert (sum(one.n), sum(one.missing)) == (580, 20)
    assert one.difference == pytest.approx(other.difference, rel=1e-10)
    zero, filled = (
        analyzed(frame, RATIO | {"missing": "zero"}),
        analyzed(frame.fillna({"m": 0, "d": 0}), RATIO),
    )
    assert (sum(zero.n), sum(zero.missing)) == (600, 20)
    assert zero.p_value == pytest.approx(filled.p_value, rel=1e-9)
    with pytest.raises(DataError, match="missing"):
        analyzed(frame, RATIO)


# Covariates


@pytest.mark.parametrize("names", [["x"], ["x", "z"]])
def test_cuped_is_the_regression_with_a_slope_for_each_arm(names):
    frame = rows(n=3_000)
    one = analyzed(frame, MEAN | {"covariates": names})
    centred = frame.assign(
        t=(frame.arm == "new") * 1.0, **{name: frame[name] - frame[name].mean() for name in names}
    )
    fit = smf.ols(f"y ~ t * ({' + '.join(names)})", centred).fit(cov_type="HC1")
    assert one.method == "cuped"
    assert one.difference == pytest.approx(fit.params["t"], rel=1e-9)
    # The regression takes the pooled means for known; what they cost is the extra term. HC errors also weigh
    # the residuals by their distance from the pooled mean, hence the two percent.
    gap = np.array([fit.params[f"t:{name}"] for name in names])
    within = [frame.loc[frame.arm == arm, names] for arm in ("new", "old")]
    spread = sum(len(part) * np.atleast_2d(np.cov(part.to_numpy().T)) for part in within) / len(
        frame
    )
    extra = gap @ spread @ gap / len(frame)
    assert one.standard_error**2 - extra == pytest.approx(fit.bse["t"] ** 2, rel=0.02)
    assert extra > 0.1 * one.standard_error**2
    difference, variance = by_numpy(frame, lambda part: (part.y.mean(), part.y.to_numpy()), names)
    assert one.difference == pytest.approx(difference, rel=1e-9)
    assert one.standard_error**2 == pytest.approx(variance, rel=1e-9)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10**6), st.integers(6, 40), st.integers(6, 40), st.integers(1, 3))
def test_one_slope_for_both_is_a_slope_each_with_the_extra_term(seed, n_new, n_old, p):
    random = np.random.default_rng(seed)
    sides = []
    for n in (n_new, n_old):
        x = random.normal(5, 2, (n, p))
        sides.append(np.column_stack([x @ random.normal(0, 2, p) + random.normal(0, 1, n), x]))
    found = contrast(*map(cross, sides), 1, [1] * p, range(p))
    total, slopes, spreads = 0.0, [], []
    for side in sides:
        y, x = side[:, 0] - side[:, 0].mean(), side[:, 1:] - side[:, 1:].mean(0)
        slopes.append(np.linalg.lstsq(x, y, rcond=None)[0])
        rest = y - x @ slopes[-1]
        total += rest @ rest / (len(y) - 1 - p) / len(y)
        spreads.append(x.T @ x / (len(y) - 1 - p))
    gap, n = slopes[0] - slopes[1], n_new + n_old
    pooled = (n_new * spreads[0] + n_old * spreads[1]) / n
    assert found.variance == pytest.approx(total + gap @ pooled @ gap / n, rel=1e-9)


def test_a_ratio_with_covariates_is_the_formula_on_the_rows():
    frame = rows(n=2_500)
    one = analyzed(frame, RATIO_CUPED)
    pooled = frame.m0.sum() / frame.d0.sum()
    wide = frame.assign(x0=(frame.m0 - pooled * frame.d0) / frame.d0.mean())

    def linear(part):
        ratio = part.m.sum() / part.d.sum()
        return ratio, ((part.m - ratio * part.d) / part.d.mean()).to_numpy()

    difference, variance = by_numpy(wide, linear, ["x0", "x"])
    assert one.method == "ratio_cuped"
    assert one.difference == pytest.approx(difference, rel=1e-9)
    assert one.standard_error**2 == pytest.approx(variance, rel=1e-9)
    assert one.variance_reduction > 0.3
    assert one.raw.p_value == pytest.approx(analyzed(frame, RATIO).p_value, rel=1e-9)
    again = by_bootstrap(wide.sample(1_200, random_state=3))
    assert again["formula"] == pytest.approx(again["bootstrap"], rel=0.07)


def by_bootstrap(frame):
    def linear(part):
        ratio = part.m.sum() / part.d.sum()
        return ratio, ((part.m - ratio * part.d) / part.d.mean()).to_numpy()

    drawn = [
        by_numpy(frame.sample(frac=1, replace=True, random_state=seed), linear, ["x0", "x"])[0]
        for seed in range(300)
    ]
    return {
        "formula": math.sqrt(by_numpy(frame, linear, ["x0", "x"])[1]),
        "bootstrap": np.std(drawn),
    }


@pytest.mark.parametrize(
    "metric", [CUPED, RATIO, RATIO_CUPED, CUPED | {"type": "proportion", "column": "hit"}]
)
def test_raw_is_the_analysis_without_covariates_and_swapped_labels_turn_the_sign(metric):
    frame = rows(n=2_000)
    one = analyzed(frame, metric)
    if "covariates" in metric:
        plain = analyzed(
            frame, {name: value for name, value in metric.items() if name != "covariates"}
        )
        assert one.raw.difference_interval == pytest.approx(plain.difference_interval, rel=1e-9)
        assert one.raw.lift_interval == pytest.approx(plain.lift_interval, rel=1e-9)
        assert one.variance_reduction == pytest.approx(
            1 - (one.standard_error / plain.standard_error) ** 2
        )
        assert one.lift == pytest.approx(one.difference / plain.estimate[1], rel=1e-9)
    else:
        assert (one.raw, one.variance_reduction) == (None, None)
    assert (min(one.lift_interval) > 0) == (one.p_value < 0.05)
    turned = analyzed(frame, metric, control="new", new="old")
    assert turned.difference == pytest.approx(-one.difference, rel=1e-9)
    assert turned.p_value == pytest.approx(one.p_value, rel=1e-9)
    assert turned.degrees_of_freedom == pytest.approx(one.degrees_of_freedom, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e7])
def test_the_units_of_metric_and_covariate_do_not_matter(scale):
    frame = rows(n=1_000)
    one = analyzed(frame, MEAN | {"covariates": ["x", "z"]})
    other = analyzed(
        frame.assign(y=frame.y * scale, x=frame.x / scale), MEAN | {"covariates": ["z", "x"]}
    )
    assert other.difference == pytest.approx(one.difference * scale, rel=1e-9)
    assert (other.p_value, other.variance_reduction) == pytest.approx(
        (one.p_value, one.variance_reduction), rel=1e-8
    )
    assert other.lift_interval == pytest.approx(one.lift_interval, rel=1e-8)


@pytest.mark.parametrize("late", [False, True])
def test_a_mean_of_1e9_keeps_its_digits(late):
    frame = rows(n=30_000).assign(y=lambda t: t.y.round(3), x=lambda t: t.x.round(3))
    big = frame.assign(y=frame.y + 1e9, x=frame.x + 1e9)
    if late:  # the first rows are unlike the others
        first = frame.unit < 10_000
        frame = frame[~first]
        big.loc[first, ["x", "y"]] = 0.0
        big.loc[first, "arm"] = "early"
        one = analyzed(frame, CUPED)
        arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1, "early": 1}}
        spec = Experiment(experiment="a", unit="unit", arms=arms, metrics=[CUPED])
        other = experiments.analyze(spec, big).comparisons[0]
    else:
        one, other = analyzed(frame, CUPED), analyzed(big, CUPED)
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-6)
    assert other.difference == pytest.approx(one.difference, abs=1e-6)


def test_an_empty_covariate_stands_at_one_value_in_both_arms_and_is_told():
    frame = rows(n=2_000)
    frame.loc[frame.unit % 5 == 0, "x"] = np.nan
    result = experiments.analyze(experiment(CUPED), frame)
    (one,) = result.comparisons
    filled = analyzed(frame.fillna({"x": frame.x.mean()}), CUPED)
    assert sum(one.n) == 2_000
    assert one.difference == pytest.approx(filled.difference, rel=1e-9)
    assert one.standard_error == pytest.approx(filled.standard_error, rel=1e-9)
    (note,) = one.notes
    assert (note.key, dict(note.values)) == (
        "experiments.covariate_filled",
        {"covariate": "x", "count": 400},
    )


def test_covariates_that_tell_nothing_are_left_out_and_told():
    frame = rows(n=500).assign(
        flat=7.5, twice=lambda t: 2 * t.x + 3, sign=lambda t: np.where(t.unit % 2, 1.0, -1.0)
    )
    listed = ["flat", "x", "twice", {"numerator": "z", "denominator": "sign"}]
    one = analyzed(frame, MEAN | {"covariates": listed})
    told = {(note.key.partition(".")[2], dict(note.values)["covariate"]) for note in one.notes}
    assert told == {
        ("covariate_constant", "flat"),
        ("covariate_collinear", "twice"),
        ("covariate_denominator", "z/sign"),
    }
    assert one.p_value == pytest.approx(analyzed(frame, CUPED).p_value, rel=1e-9)
    none = analyzed(frame, MEAN | {"covariates": ["flat"]})
    assert (none.method, none.raw, none.notes[0].key) == (
        "welch",
        None,
        "experiments.covariate_constant",
    )
    assert none.p_value == pytest.approx(analyzed(frame, MEAN).p_value, rel=1e-9)


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (rows(n=300).assign(x=lambda t: 3 * t.y), "covariates_explain_all"),
        (rows(n=300).assign(y=5.0), "no_variation"),
        (rows(n=300).assign(y=1e9 + 0.1), "no_variation"),
        (rows(n=300, seed=4).groupby("arm").head(2), "too_few_for_covariates"),
    ],
)
def test_what_covariates_leave_nothing_of_is_not_estimable(frame, key):
    result = experiments.analyze(experiment(CUPED), frame)
    (one,) = result.comparisons
    assert one.not_estimable.key == f"experiments.{key}"
    assert (one.difference, one.p_value, one.method) == (None, None, None)
    json.dumps(result.record(), allow_nan=False)


def test_a_small_count_takes_the_score_test_without_covariates():
    frame = rows(n=200).assign(hit=lambda t: (t.unit % 20 == 0).astype(int))
    one = analyzed(frame, CUPED | {"type": "proportion", "column": "hit"})
    assert (one.method, one.raw, one.notes[0].key) == (
        "score",
        None,
        "experiments.covariate_small_counts",
    )
    assert one.p_value == analyzed(frame, MEAN | {"type": "proportion", "column": "hit"}).p_value


def test_usable_keeps_the_first_of_those_that_repeat_one_another():
    kept, unusable = usable(
        *arms_of(rows(n=100).assign(w=lambda t: t.x - t.z), "y", "x", "z", "w"), 1, [1, 1, 1]
    )
    assert (kept, unusable) == ([0, 1], {2: "collinear"})


@pytest.mark.parametrize("margin", first_quickly({"relative": 0.01}, {"absolute": 0.5}))
@pytest.mark.parametrize("goal", first_quickly("increase", "decrease"))
@pytest.mark.parametrize("sign", first_quickly(1, -1))
def test_a_guardrail_with_covariates_is_safe_exactly_when_its_p_value_says_so(margin, goal, sign):
    metric = CUPED | {
        "name": "g",
        "column": "g",
        "role": "guardrail",
        "goal": goal,
        "margin": margin,
    }
    seen = set()
    for shift in np.linspace(-1.2, 1.2, 25):
        frame = rows(n=600, shift=shift).assign(g=lambda t: sign * t.y)
        one = experiments.analyze(experiment(MEAN, metric), frame).comparisons[1]
        assert (one.verdict == "safe") == (one.harm_p < 0.025)
        seen.add(one.verdict)
    assert seen == {"safe", "unproven", "harmed"}


def test_the_units_still_needed_count_on_the_covariates():
    frame = rows(n=2_000, shift=0.0, share=0.5, slopes=(1, 1))
    named = {"mde": {"absolute": 0.15}}
    raw = experiments.analyze(experiment(MEAN | named), frame).decision
    adjusted = experiments.analyze(experiment(CUPED | named), frame)
    (one,) = adjusted.comparisons
    deviation = one.standard_error * math.sqrt(math.prod(one.n) / sum(one.n))
    assert (raw.action, adjusted.decision.action) == ("extend", "extend")
    assert adjusted.decision.more_units == units_needed(deviation, 0.15, 0.05, 0.8) - 2_000
    assert adjusted.decision.more_units < raw.more_units / 2


# The balance check and refusals


@pytest.mark.parametrize(("shift", "status"), [(0.0, "pass"), (0.27, "warn"), (0.8, "fail")])
def test_covariates_that_differ_before_the_experiment_are_an_alarm(shift, status):
    frame = rows(n=2_000, share=0.5)
    x = frame.x - frame.groupby("arm").x.transform("mean") + shift * (frame.arm == "new")
    result = experiments.analyze(experiment(MEAN | {"covariates": ["z", "x"]}), frame.assign(x=x))
    check = next(one for one in result.checks if one.name == "covariate_balance")
    assert result.broken == (status == "fail")
    raw = [
        stats.ttest_ind(
            column[frame.arm == "new"], column[frame.arm == "old"], equal_var=False
        ).pvalue
        for column in (x, frame.z)
    ]
    assert check.value == pytest.approx(min(2 * min(raw), 1.0), rel=1e-6)
    assert (check.status, check.blocking) == (status, True)


@pytest.mark.parametrize("name", ["y", "arm", "unit"])
def test_a_covariate_is_no_outcome_no_arm_and_no_unit(name):
    with pytest.raises(SpecError, match="known before the experiment"):
        experiment(MEAN | {"covariates": [name]})


@pytest.mark.parametrize(
    ("covariates", "change", "key"),
    [
        (["nope"], {}, "missing_column"),
        ([{"numerator": "x", "denominator": "zz"}], {}, "missing_column_near"),
        (["x"], {"x": pd.Timestamp("2026-01-01")}, "column_type"),
        (["x"], {"x": np.inf}, "infinite"),
        (["x"], {"x": np.nan}, "covariate_missing"),
    ],
)
def test_a_covariate_that_is_no_number_is_refused(covariates, change, key):
    with pytest.raises(DataError) as told:
        analyzed(rows(n=50).assign(**change), MEAN | {"covariates": covariates})
    assert told.value.problems[0].key == f"experiments.{key}"


def test_a_covariate_of_text_is_refused_with_its_row(tmp_path):
    rows(n=50).assign(x="high").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match='Row 2 holds the text "high"'):
        analyzed(tmp_path / "t.csv", CUPED)


def test_a_covariate_without_values_in_one_arm_is_refused():
    frame = rows(n=50)
    frame.loc[frame.arm == "new", "x"] = np.nan
    with pytest.raises(DataError) as told:
        analyzed(frame, CUPED)
    assert dict(told.value.problems[0].values) == {"arms": ["new"]}


# What comes out


def test_the_readout_shows_adjusted_beside_raw_in_both_languages():
    result = experiments.analyze(experiment(CUPED, RATIO_CUPED | {"role": "secondary"}), rows())
    record = json.loads(json.dumps(result.record(), allow_nan=False))
    for one, told in zip(result.comparisons, record["comparisons"], strict=True):
        assert told["raw"]["difference"] == one.raw.difference
        assert told["raw"]["lift_interval"] == dict(
            zip(("low", "high"), one.raw.lift_interval, strict=True)
        )
        assert told["variance_reduction"] == one.variance_reduction
    assert result.frame(full=True).raw_difference.tolist() == [
        one.raw.difference for one in result.comparisons
    ]
    for language in LANGUAGES:
        shown = page_of(result, language)
        for word in ("Variance", "Lin 2013", "Knoblich"):
            assert word in shown
        assert not any(word in shown for word in (">nan", ">inf", ">None<"))
