"""The analysis from end to end: numbers against scipy and statsmodels, checks, decisions, what comes out."""

import datetime
import json
import math
import warnings
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

from conftest import first_quickly, page_of
from opslab import experiments, workspace
from opslab.errors import SpecError
from opslab.experiments.inference import proportions
from opslab.experiments.inference.comparisons import Side, compare, judge
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.record import plain
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES
from opslab.messages import text as words_of
from opslab.messages.numbers import Numbers
from opslab.results import Check, Message

MEAN = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
SHARE = {
    "name": "bought",
    "type": "proportion",
    "column": "bought",
    "role": "primary",
    "goal": "increase",
}


def experiment(*metrics, arms=("control", "new"), weights=True, **fields):
    weights = dict.fromkeys(arms, 1.0) if weights is True else weights
    return Experiment(
        experiment="A test",
        unit="unit",
        arms={"column": "arm", "control": arms[0], "weights": weights},
        metrics=metrics,
        **fields,
    )


def table(**arms):
    """Return one row per unit from the values of each arm: a list, or lists by column."""
    parts = []
    for arm, values in arms.items():
        columns = values if isinstance(values, dict) else {"spend": values}
        parts.append(pd.DataFrame({"arm": arm, **columns}))
    return pd.concat(parts, ignore_index=True).rename_axis("unit").reset_index()


def counts(**arms):
    """Return the table of a proportion from (successes, units) of each arm."""
    return table(**{arm: {"bought": [1] * yes + [0] * (n - yes)} for arm, (yes, n) in arms.items()})


def only(result):
    (one,) = result.comparisons
    return one


def known(values):
    """Return the numbers in nested values, None left out."""
    if isinstance(values, dict):
        values = values.values()
    if isinstance(values, list | tuple | type({}.values())):
        return [number for value in values for number in known(value)]
    return [values] if isinstance(values, int | float) and not isinstance(values, bool) else []


def close(one, other, tolerance=1e-9):
    """Compare two comparisons: texts exactly, numbers within a relative tolerance."""
    first, second = dict(leaves(plain(one))), dict(leaves(plain(other)))
    assert first.keys() == second.keys()
    for name, value in first.items():
        if value is None or isinstance(value, str | bool):
            assert value == second[name], name
        else:
            assert second[name] == pytest.approx(value, rel=tolerance, abs=1e-300), name


def leaves(value, name=()):
    """Yield every leaf of a record with its path."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves(inner, (*name, key))
    else:
        yield name, value


@pytest.fixture(scope="module")
def mixed():
    """Return a table with a mean, a proportion, gaps, three arms and a period."""
    random = np.random.default_rng(5)
    n = 3_000
    frame = pd.DataFrame(
        {
            "unit": np.arange(n),
            "arm": random.choice(["control", "new", "bold"], n),
            "spend": random.lognormal(2, 1, n),
            "bought": (random.random(n) < 0.3).astype(int),
            "rare": (random.random(n) < 0.01).astype(int),
            "load": random.normal(500, 80, n),
        }
    )
    frame.loc[frame.arm == "bold", "spend"] *= 1.2
    frame.loc[random.choice(n, 40, replace=False), "load"] = np.nan
    return frame


MIXED = (
    MEAN,
    SHARE,
    {
        "name": "rare",
        "type": "proportion",
        "column": "rare",
        "role": "secondary",
        "goal": "decrease",
    },
    {
        "name": "load",
        "type": "mean",
        "column": "load",
        "role": "guardrail",
        "goal": "decrease",
        "margin": {"relative": 0.05},
        "missing": "drop",
    },
)


def mixed_experiment(**fields):
    return experiment(*MIXED, arms=("control", "new", "bold"), **fields)


# Against scipy and statsmodels


@pytest.mark.parametrize(("seed", "alpha"), [(0, 0.05), (1, 0.01), (2, 0.2)])
def test_a_mean_is_compared_as_scipy_does(seed, alpha):
    random = np.random.default_rng(seed)
    new, control = random.lognormal(1, 1, 40 + 200 * seed), random.normal(4, 1, 70)
    one = only(
        experiments.analyze(
            experiment(MEAN, design={"alpha": alpha}), table(control=control, new=new)
        )
    )
    expected = stats.ttest_ind(new, control, equal_var=False)
    interval = expected.confidence_interval(1 - alpha)
    assert one.method == "welch"
    assert one.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert one.degrees_of_freedom == pytest.approx(expected.df, rel=1e-10)
    assert one.difference_interval == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert one.difference == pytest.approx(new.mean() - control.mean(), rel=1e-10)
    assert one.estimate == pytest.approx((new.mean(), control.mean()), rel=1e-13)
    assert one.lift == pytest.approx(new.mean() / control.mean() - 1, rel=1e-10)
    assert one.n == (len(new), 70)
    low, high = one.lift_interval
    assert low < one.lift < high
    assert (low > 0 or high < 0) == (one.p_value < alpha)


def test_a_proportion_with_large_counts_is_compared_by_welch():
    one = only(experiments.analyze(experiment(SHARE), counts(control=(300, 1000), new=(350, 1000))))
    expected = stats.ttest_ind([1] * 350 + [0] * 650, [1] * 300 + [0] * 700, equal_var=False)
    assert (one.method, one.p_value) == ("welch", pytest.approx(expected.pvalue, rel=1e-9))
    assert one.estimate == (0.35, 0.3)


@pytest.mark.parametrize(
    "arms",
    [
        {"control": (8, 40), "new": (3, 50)},
        {"control": (29, 500), "new": (60, 510)},
        {"control": (480, 500), "new": (471, 500)},
        {"control": (0, 30), "new": (4, 30)},
        {"control": (5, 5), "new": (0, 6)},
    ],
)
def test_a_proportion_with_small_counts_takes_the_score_test(arms):
    one = only(experiments.analyze(experiment(SHARE), counts(**arms)))
    given = (*arms["new"], *arms["control"])
    assert one.method == "score"
    assert one.p_value == proportions.score_test(*given).p_value
    assert one.difference_interval == proportions.miettinen_nurminen_difference(*given)
    assert one.lift_interval == proportions.miettinen_nurminen_lift(*given)
    low, high = one.difference_interval
    assert (low > 0 or high < 0) == (one.p_value < 0.05)


@pytest.mark.parametrize("n", [88, 103, 176, 1_000])
def test_thirty_is_not_a_small_count_whatever_the_rounding(n):
    assert n == 1_000 or 30 / n * n < 30
    assert (
        only(experiments.analyze(experiment(SHARE), counts(control=(30, n), new=(30, n)))).method
        == "welch"
    )
    assert (
        only(experiments.analyze(experiment(SHARE), counts(control=(29, n), new=(30, n)))).method
        == "score"
    )


# The same answer from every engine, in every order


def test_engines_agree(mixed, tmp_path):
    spec = mixed_experiment()
    mixed.to_csv(tmp_path / "t.csv", index=False)
    mixed.to_parquet(tmp_path / "t.parquet")
    polars = pl.from_pandas(mixed)
    whole = experiments.analyze(spec, mixed)
    assert len(whole.comparisons) == 8
    for data in (tmp_path / "t.csv", str(tmp_path / "t.parquet"), polars, polars.to_arrow()):
        other = experiments.analyze(spec, data)
        assert other.decision.action == whole.decision.action
        for first, second in zip(whole.comparisons, other.comparisons, strict=True):
            close(first, second)


def test_the_order_of_rows_hardly_matters(mixed):
    whole = experiments.analyze(mixed_experiment(), mixed)
    shuffled = experiments.analyze(mixed_experiment(), mixed.sample(frac=1, random_state=1))
    for first, second in zip(whole.comparisons, shuffled.comparisons, strict=True):
        close(first, second)


@pytest.mark.parametrize("metric", [MEAN, SHARE])
def test_swapped_labels_turn_the_sign(mixed, metric):
    two = mixed[mixed.arm != "bold"]
    one = only(experiments.analyze(experiment(metric), two))
    turned = only(experiments.analyze(experiment(metric, arms=("new", "control")), two))
    assert turned.difference == pytest.approx(-one.difference, rel=1e-9)
    assert turned.p_value == pytest.approx(one.p_value, rel=1e-9)
    low, high = one.difference_interval
    assert turned.difference_interval == pytest.approx((-high, -low), rel=1e-9)
    assert turned.estimate == one.estimate[::-1]
    assert 1 + turned.lift == pytest.approx(1 / (1 + one.lift), rel=1e-9)


@pytest.mark.parametrize("scale", [100.0, 1e-6, 1e9])
def test_another_unit_scales_the_difference_and_leaves_the_lift(mixed, scale):
    two = mixed[mixed.arm != "bold"]
    one = only(experiments.analyze(experiment(MEAN), two))
    scaled = only(experiments.analyze(experiment(MEAN), two.assign(spend=two.spend * scale)))
    assert scaled.difference == pytest.approx(one.difference * scale, rel=1e-9)
    assert scaled.standard_error == pytest.approx(one.standard_error * scale, rel=1e-9)
    assert (scaled.lift, scaled.p_value) == pytest.approx((one.lift, one.p_value), rel=1e-9)
    assert scaled.lift_interval == pytest.approx(one.lift_interval, rel=1e-9)


def test_a_negative_baseline_keeps_the_sign():
    random = np.random.default_rng(2)
    control, new = random.normal(-10, 1, 200), random.normal(-9, 1, 200)
    one = only(experiments.analyze(experiment(MEAN), table(control=control, new=new)))
    assert one.difference > 0
    assert one.lift == pytest.approx(one.difference / abs(control.mean()), rel=1e-9)
    assert 0 < one.lift_interval[0] < one.lift < one.lift_interval[1]
    assert one.verdict == "won"


def test_a_tiny_p_value_is_not_0():
    random = np.random.default_rng(2)
    result = experiments.analyze(
        experiment(MEAN), table(control=random.normal(0, 1, 900), new=random.normal(1.6, 1, 900))
    )
    one = only(result)
    assert 0 < one.p_value < 1e-100
    assert 0 < one.p_adjusted < 1e-100
    assert "< 0.0001" in str(result.effects).replace("\u00a0", " ")


# Several comparisons


def test_primaries_take_holm_and_secondaries_benjamini_hochberg(mixed):
    metrics = [
        *MIXED,
        {
            "name": "load too",
            "type": "mean",
            "column": "load",
            "role": "secondary",
            "goal": "decrease",
            "missing": "drop",
        },
    ]
    found = experiments.analyze(
        experiment(*metrics, arms=("control", "new", "bold")), mixed
    ).comparisons
    for role, method in (("primary", "holm"), ("secondary", "fdr_bh")):
        family = [one for one in found if one.role == role]
        assert len(family) == 4
        expected = multipletests([one.p_value for one in family], method=method)[1]
        assert [one.p_adjusted for one in family] == pytest.approx(list(expected), rel=1e-12)
        for one in family:
            assert (one.verdict == "open") == (one.p_adjusted > 0.05)
    assert all(one.p_adjusted is None for one in found if one.role == "guardrail")


def test_what_is_not_estimable_is_no_member_of_the_family():
    data = table(
        control={"spend": [1.0, 2, 3], "flat": 1.0}, new={"spend": [2.0, 3, 5], "flat": 1.0}
    )
    result = experiments.analyze(experiment(MEAN, MEAN | {"name": "flat", "column": "flat"}), data)
    assert result.comparisons[0].p_adjusted == result.comparisons[0].p_value
    assert result.comparisons[1].p_adjusted is None


# Guardrails


def guard(goal="increase", **margin):
    return {
        "name": "guard",
        "type": "mean",
        "column": "guard",
        "role": "guardrail",
        "goal": goal,
        "margin": margin,
    }


def guarded(shift, margin, goal):
    random = np.random.default_rng(9)
    base, new = random.normal(100, 10, 800), random.normal(100, 10, 700)
    control = {"spend": base, "guard": base}
    result = experiments.analyze(
        experiment(MEAN, guard(goal, **margin)),
        table(control=control, new={"spend": new, "guard": new + shift}),
    )
    return result.comparisons[1]


@pytest.mark.parametrize("margin", [{"relative": 0.03}, {"absolute": 3.0}])
@pytest.mark.parametrize("goal", ["increase", "decrease"])
def test_a_guardrail_is_safe_harmed_or_unproven(goal, margin):
    worse = -1.0 if goal == "increase" else 1.0
    verdicts = [guarded(worse * shift, margin, goal).verdict for shift in (-5, 0, 2.6, 8)]
    assert verdicts == ["safe", "safe", "unproven", "harmed"]


def judged(metric, arm, control, alpha=0.05):
    """Return the comparison of two arms' moments, without a table."""
    (given,) = [one for one in experiment(MEAN, metric).metrics if one.role == "guardrail"]
    sides = Side("new", arm.cross(arm.n)), Side("control", control.cross(control.n))
    (one,) = judge([compare(given, *sides, alpha)], alpha)
    return one


@pytest.mark.parametrize("margin", [{"relative": 0.03}, {"absolute": 3.0}])
@pytest.mark.parametrize("goal", ["increase", "decrease"])
@pytest.mark.parametrize("sizes", [(8, 5), (700, 800), (30, 4_000)])
@pytest.mark.parametrize("baseline", first_quickly(100.0, -100.0))
def test_a_guardrail_is_safe_exactly_when_its_p_value_says_so(goal, margin, sizes, baseline):
    (size,) = margin.values()
    seen = []
    for shift in np.linspace(-12, 12, 241):
        arm = Moments(sizes[0], baseline + shift, 9.0 * sizes[0])
        one = judged(guard(goal, **margin), arm, Moments(sizes[1], baseline, 4.0 * sizes[1]))
        low, high = one.lift_interval if "relative" in margin else one.difference_interval
        worst, best = (-low, -high) if goal == "increase" else (high, low)
        assert (one.verdict == "safe") == (one.harm_p < 0.025) == (worst < size)
        assert (one.verdict == "harmed") == (best > size)
        seen.append(one.verdict)
    ordered = (
        ["harmed", "unproven", "safe"] if goal == "increase" else ["safe", "unproven", "harmed"]
    )
    assert list(dict.fromkeys(seen)) == ordered


@pytest.mark.parametrize("margin", [{"relative": 0.6}, {"absolute": 6.0}])
def test_the_p_value_of_a_guardrail_is_alpha_over_2_where_its_interval_touches_the_margin(margin):
    (size,) = margin.values()
    control = Moments(6, 10.0, 40.0)

    def at(mean):
        return judged(guard(**margin), Moments(9, mean, 500.0), control)

    unproven, safe = 0.0, 40.0
    for _ in range(60):
        middle = (unproven + safe) / 2
        unproven, safe = (unproven, middle) if at(middle).verdict == "safe" else (middle, safe)
    one = at(safe)
    assert (one.lift_interval if "relative" in margin else one.difference_interval)[
        0
    ] == pytest.approx(-size)
    assert one.harm_p == pytest.approx(0.025, rel=1e-9)


@pytest.mark.parametrize("goal", ["increase", "decrease"])
@pytest.mark.parametrize("margin", [{"relative": 0.5}, {"absolute": 0.1}])
def test_a_guardrail_with_small_counts_is_safe_exactly_when_its_p_value_says_so(goal, margin):
    metric = SHARE | {"name": "guard", "role": "guardrail", "goal": goal, "margin": margin}
    seen = set()
    for successes in range(0, 61, 3):
        for control in (0, 5, 12, 29):
            if successes == control == 0:
                continue
            arm, base = (Moments.of_whole(60, count, count) for count in (successes, control))
            one = judged(metric, arm, base)
            assert one.method == "score"
            assert (one.verdict == "safe") == (one.harm_p < 0.025), (successes, control)
            seen.add(one.verdict)
    assert seen == {"safe", "unproven", "harmed"}


def test_errors_that_appear_where_there_were_none_are_harm():
    metric = SHARE | {
        "name": "errors",
        "role": "guardrail",
        "goal": "decrease",
        "margin": {"relative": 0.1},
    }
    result = experiments.analyze(experiment(SHARE, metric), counts(control=(0, 200), new=(25, 200)))
    one = result.comparisons[1]
    assert (one.lift, one.verdict) == (None, "harmed")
    low, high = one.lift_interval
    assert low > 0.1
    assert high is None


def test_a_relative_margin_on_a_control_about_0_is_unproven():
    random = np.random.default_rng(0)
    control, new = random.normal(0, 1, 100), random.normal(3, 1, 100)
    data = table(control={"spend": control, "guard": control}, new={"spend": new, "guard": new})
    one = experiments.analyze(experiment(MEAN, guard(relative=0.1)), data).comparisons[1]
    assert one.lift_interval == (None, None)
    assert (one.verdict, one.harm_p) == ("unproven", None)
    assert one.difference_interval[0] > 2


# Nothing is estimated that cannot be


NOT_ESTIMABLE = {
    "no variation": table(control=[5.0] * 20, new=[5.0] * 20),
    "no variation but a tenth": table(control=[0.1] * 2_000, new=[0.1] * 2_100),
    "two constants": table(control=[0.1] * 5_000, new=[0.7] * 5_000),
    "one value": table(control=[1.0, 2.0, 3.0], new=[4.0]),
    "one value left": table(control=[1.0, 2.0, 3.0], new=[4.0, None, None]),
    "no value left": table(control=[1.0, 2.0, 3.0], new=[None, None, None]),
}


@pytest.mark.parametrize("name", NOT_ESTIMABLE)
def test_what_cannot_be_estimated_is_said(name):
    result = experiments.analyze(experiment(MEAN | {"missing": "drop"}), NOT_ESTIMABLE[name])
    one = only(result)
    assert one.not_estimable is not None
    assert one.verdict == "not_estimable"
    for empty in (
        one.difference,
        one.lift,
        one.p_value,
        one.p_adjusted,
        one.standard_error,
        one.method,
    ):
        assert empty is None
    assert one.difference_interval == one.lift_interval == (None, None)
    assert result.decision.action == "no_decision"
    why = result.voice("en").message(one.not_estimable)
    assert any(why in reason for reason in result.first_screen("en").reasons)
    assert all(math.isfinite(number) for number in known(result.record()))
    assert result.evidence() == []
    for language in LANGUAGES:
        shown = page_of(result, language)
        assert not any(word in shown for word in (">nan", ">inf", ">None<", "nan%", "inf%"))
        assert result.headline(language)
    assert result.frame().p_value.isna().all()


def test_two_constants_are_told_apart():
    result = experiments.analyze(experiment(MEAN), NOT_ESTIMABLE["two constants"])
    shown = page_of(result, "en")
    assert "0.1" in shown
    assert "0.7" in shown
    assert only(result).not_estimable.key == "experiments.no_spread"


@pytest.mark.parametrize("share", [0, 1])
def test_a_proportion_that_never_varies_is_not_estimable(share):
    result = experiments.analyze(
        experiment(SHARE), counts(control=(40 * share, 40), new=(60 * share, 60))
    )
    assert only(result).not_estimable.key == "experiments.no_variation"


def test_a_control_of_0_has_a_difference_and_no_lift():
    result = experiments.analyze(
        experiment(MEAN), table(control=[-1.0, 1.0] * 50, new=[2.0, 3.0] * 50)
    )
    one = only(result)
    assert one.lift is None
    assert one.lift_interval == (None, None)
    assert one.difference == 2.5
    assert one.difference_interval[0] > 2
    assert "+2.5" in result.headline()
    assert all(math.isfinite(number) for number in known(result.record()))
    assert "not clearly different from 0" in page_of(result, "en")


def test_an_unbounded_lift_is_said_in_words():
    random = np.random.default_rng(4)
    result = experiments.analyze(
        experiment(MEAN), table(control=random.normal(0.05, 1, 60), new=random.normal(0.3, 1, 60))
    )
    one = only(result)
    assert one.lift is not None
    assert one.lift_interval == (None, None)
    assert "not clearly different from 0" in page_of(result, "en")
    assert "pas nettement différente de 0" in page_of(result, "fr")
    assert Numbers("en").signed_number(one.difference) in result.headline()
    assert "not clearly different from 0" in result.figures["lift"].alt


# Checks


def check(result, name):
    return next(one for one in result.checks if one.name == name)


@pytest.mark.parametrize(
    ("weights", "sizes", "status"),
    [
        ({"control": 1, "new": 1}, (500, 520), "pass"),
        ({"control": 9, "new": 1}, (900, 100), "pass"),
        ({"control": 1, "new": 9}, (100, 900), "pass"),
        ({"control": 1, "new": 1}, (900, 100), "fail"),
        ({"control": 9, "new": 1}, (500, 500), "fail"),
        ({"control": 1, "new": 1}, (500, 590), "warn"),
        (None, (500, 520), "pass"),
        (None, (500, 700), "fail"),
    ],
)
def test_sample_ratio_is_held_against_the_designed_weights(weights, sizes, status):
    data = table(control=np.arange(sizes[0]) % 7, new=np.arange(sizes[1]) % 7)
    result = experiments.analyze(experiment(MEAN, weights=weights), data)
    designed = list((weights or {"control": 1, "new": 1}).values())
    expected = [sum(sizes) * weight / sum(designed) for weight in designed]
    found = check(result, "sample_ratio")
    assert found.value == pytest.approx(stats.chisquare(sizes, expected).pvalue, rel=1e-9)
    assert found.status == status
    assert result.broken == (status == "fail")
    assert result.plan.weights_assumed == (weights is None)


def test_a_list_of_blocking_checks_adds_to_those_that_always_block():
    data = table(control=np.arange(500) % 7, new=np.arange(700) % 7 + 3)
    result = experiments.analyze(experiment(MEAN, decision={"blocking": ["leaked_units"]}), data)
    assert check(result, "sample_ratio").status == "fail"
    assert (result.decision.action, result.evidence()) == ("stop_broken", [])


def test_what_is_accepted_beforehand_is_a_condition_and_shown():
    data = table(control=np.arange(500) % 7 + 20, new=np.arange(700) % 7 + 23)
    reason = {"en": "half of the log was deleted", "fr": "la moitié du journal a été supprimée"}
    spec = experiment(MEAN, decision={"accept": {"sample_ratio": reason}})
    result = experiments.analyze(spec, data)
    accepted = check(result, "sample_ratio")
    assert (accepted.status, accepted.blocking) == ("fail", False)
    assert result.decision.action == "ship"
    assert {evidence.grade for evidence in result.evidence()} == {"B"}
    clause = (
        "Provided that the arms can be compared although they do not have their planned shares."
    )
    assert result.headline("en").endswith(clause)
    screen = result.first_screen("en")
    assert (screen.action, screen.tone) == ("Ship new, on condition", "open")
    assert screen.facts.items[0].value == "usable"
    assert f"accepted beforehand: {reason['en']}" in page_of(result, "en")
    assert reason["fr"] in page_of(result, "fr")
    assert spec.fingerprint != experiment(MEAN).fingerprint


def test_a_check_is_not_both_blocking_and_accepted():
    with pytest.raises(SpecError, match="sample_ratio cannot block and be accepted"):
        experiment(
            MEAN, decision={"blocking": ["sample_ratio"], "accept": {"sample_ratio": "known"}}
        )


def test_leaked_units_are_counted_and_left_out():
    data = table(control=np.arange(100.0), new=np.arange(100.0) + 3)
    leaked = pd.DataFrame({"unit": [3, 4, 150], "arm": ["new", "new", "control"], "spend": 1e6})
    spec = experiment(MEAN, decision={"blocking": ["sample_ratio"]})
    result = experiments.analyze(spec, pd.concat([data, leaked]))
    found = check(result, "leaked_units")
    assert (found.status, found.value) == ("fail", 3)
    assert (result.data_used.leaked_rows, result.data_used.rows_used) == (6, 197)
    clean = experiments.analyze(spec, data[~data.unit.isin([3, 4, 150])])
    close(only(clean), only(result))
    assert experiments.analyze(experiment(MEAN), pd.concat([data, leaked])).broken


MOMENTS = pd.date_range("2026-01-01", periods=400, freq="6h")  # 100 days, four a day


@pytest.mark.parametrize("kind", ["text", "text with time", "date", "timestamp", "zone"])
def test_the_period_holds_both_its_days(kind, tmp_path):
    moments = {
        "text": pa.array(MOMENTS.strftime("%Y-%m-%d")),
        "text with time": pa.array(MOMENTS.strftime("%Y-%m-%dT%H:%M")),
        "date": pa.array(MOMENTS.date),
        "timestamp": pa.array(MOMENTS),
        "zone": pa.array(MOMENTS.tz_localize("UTC")),
    }[kind]
    columns = {
        "unit": range(400),
        "arm": ["control", "new"] * 200,
        "spend": np.arange(400) % 9,
        "seen": moments,
    }
    pq.write_table(
        pa.table({name: pa.array(values) for name, values in columns.items()}),
        tmp_path / "t.parquet",
    )
    period = {"time": "seen", "start": "2026-01-11", "end": "2026-01-30"}
    result = experiments.analyze(experiment(MEAN, period=period), tmp_path / "t.parquet")
    assert result.data_used.rows_used == 80
    assert result.data_used.outside_period == 320
    assert [arm.units for arm in result.arms] == [40, 40]
    expected = (np.arange(400) % 9)[40:120]
    assert only(result).estimate == pytest.approx((expected[1::2].mean(), expected[::2].mean()))


@pytest.mark.parametrize("policy", ["drop", "zero"])
def test_empty_values_are_compared_between_arms(policy):
    spends = {"control": [None] * 30 + [1.0, 2.0] * 85, "new": [None] * 10 + [1.0, 3.0] * 95}
    result = experiments.analyze(experiment(MEAN | {"missing": policy}), table(**spends))
    found = check(result, "missing_values")
    expected = stats.chi2_contingency([[30, 170], [10, 190]], correction=False)
    assert found.value == pytest.approx(expected.pvalue, rel=1e-9)
    # As zeros they may be the effect itself: told, and no fault.
    assert found.status == ("fail" if policy == "drop" else "warn")
    one = only(result)
    assert one.missing == (10, 30)
    assert one.n == ((190, 170) if policy == "drop" else (200, 200))
    assert one.estimate == pytest.approx((2.0, 1.5) if policy == "drop" else (1.9, 1.275))


def test_an_early_look_is_said():
    period = {"start": "2026-09-01", "end": "2026-09-28"}
    data = table(control=np.arange(100) % 7, new=np.arange(100) % 7)
    for day, status in ((28, "pass"), (20, "fail")):
        result = experiments.analyze(
            experiment(MEAN, period=period), data, as_of=datetime.date(2026, 9, day)
        )
        assert (check(result, "period").status, check(result, "period").value) == (status, 28 - day)


# Decisions

DAYS = {"start": "2026-09-01", "end": "2026-09-20"}


def spread(n, mean, scale=1.0):
    """Return n values with exactly this mean, and a spread like a normal's."""
    quantiles = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return mean + scale * quantiles


def test_ship_and_do_not_ship():
    spec = experiment(MEAN)
    for shift, action, arm in (
        (0.5, "ship", "new"),
        (-0.5, "do_not_ship", None),
        (0.0, "do_not_ship", None),
    ):
        result = experiments.analyze(
            spec, table(control=spread(400, 10), new=spread(400, 10 + shift))
        )
        assert (result.decision.action, result.decision.arm) == (action, arm)
        keys = [reason.key for reason in result.decision.reasons]
        assert keys[1:] == ([] if shift else ["experiments.no_mde"]), (
            "an open question without a size says so"
        )


def test_extend_by_the_units_and_days_that_power_asks_for():
    control, new = spread(200, 10), spread(200, 10.1)
    spec = experiment(MEAN | {"mde": {"relative": 0.02}}, period=DAYS)
    result = experiments.analyze(spec, table(control=control, new=new))
    pooled = math.sqrt((control.var(ddof=1) + new.var(ddof=1)) / 2)
    per_arm = TTestIndPower().solve_power(0.02 * control.mean() / pooled, alpha=0.05, power=0.8)
    more = 2 * math.ceil(per_arm) - 400
    assert result.decision.action == "extend"
    assert result.decision.more_units == more > 0
    assert result.decision.more_days == math.ceil(more / (400 / 20))
    assert str(result.decision.more_days) in page_of(result, "en")
    early = experiments.analyze(
        spec, table(control=control, new=new), as_of=datetime.date(2026, 9, 10)
    )
    assert early.decision.more_days == math.ceil(more / (400 / 10))
    timeless = experiments.analyze(
        experiment(MEAN | {"mde": {"relative": 0.02}}), table(control=control, new=new)
    )
    assert (timeless.decision.more_units, timeless.decision.more_days) == (more, None)


def test_extend_with_unequal_weights_and_several_arms_counts_all_of_them():
    data = table(control=spread(300, 10), new=spread(150, 10.05), bold=spread(150, 10.06))
    weights = {"control": 2, "new": 1, "bold": 1}
    metric = MEAN | {"mde": {"absolute": 0.2}}
    result = experiments.analyze(
        experiment(metric, arms=("control", "new", "bold"), weights=weights), data
    )
    pooled = math.sqrt((299 * data.spend[:300].var() + 149 * data.spend[300:450].var()) / 448)
    # Two p-values are adjusted together, so each is planned at half of alpha; ratio: units of control over arm.
    arm = TTestIndPower().solve_power(0.2 / pooled, alpha=0.025, power=0.8, ratio=2)
    needed = 4 * arm
    assert result.decision.action == "extend"
    assert result.decision.more_units == pytest.approx(needed - 600, abs=5)


def test_an_interval_that_leaves_out_the_worthwhile_effect_ends_the_test():
    spec = experiment(MEAN | {"mde": {"absolute": 0.5}})
    result = experiments.analyze(spec, table(control=spread(200, 10), new=spread(200, 10.1)))
    assert only(result).difference_interval[1] < 0.5
    assert result.decision.action == "do_not_ship"


def test_an_unproven_guardrail_asks_for_units_and_a_harmed_one_ends_the_test():
    def decided(shift):
        arms = {"control": {"spend": spread(300, 10), "guard": spread(300, 10)}}
        arms["new"] = {"spend": spread(300, 11), "guard": spread(300, 10 - shift)}
        return experiments.analyze(experiment(MEAN, guard(absolute=0.2)), table(**arms)).decision

    assert decided(0).action == "ship"
    assert decided(0.1).action == "extend"
    per_arm = TTestIndPower().solve_power(0.2 / spread(300, 0).std(ddof=1), alpha=0.05, power=0.8)
    assert decided(0.1).more_units == 2 * math.ceil(per_arm) - 600
    assert decided(0.5).action == "do_not_ship"


def two_primaries(first, second, rule, mde=None):
    metrics = [
        MEAN | {"name": name, "column": name} | ({"mde": mde} if mde else {})
        for name in ("one", "two")
    ]
    arms = {"control": {"one": spread(300, 10), "two": spread(300, 10)}}
    arms["new"] = {"one": spread(300, 10 + first), "two": spread(300, 10 + second)}
    return experiments.analyze(
        experiment(*metrics, decision={"primaries": rule}), table(**arms)
    ).decision


@pytest.mark.parametrize(
    ("first", "second", "every", "some"),
    [
        (1, 1, "ship", "ship"),
        (1, 0, "do_not_ship", "ship"),
        (0, 1, "do_not_ship", "ship"),
        (1, -1, "do_not_ship", "do_not_ship"),
        (0, 0, "do_not_ship", "do_not_ship"),
    ],
)
def test_all_primaries_or_any_of_them(first, second, every, some):
    assert two_primaries(first, second, "all").action == every
    assert two_primaries(first, second, "any").action == some


def test_any_asks_for_the_nearest_win_and_all_for_the_farthest():
    units = {}
    for rule in ("all", "any"):
        metrics = [
            MEAN | {"name": name, "column": name, "mde": {"absolute": mde}}
            for name, mde in (("one", 0.2), ("two", 0.15))
        ]
        arms = {
            arm: {name: spread(300, 10 + shift) for name in ("one", "two")}
            for arm, shift in (("control", 0), ("new", 0.1))
        }
        decision = experiments.analyze(
            experiment(*metrics, decision={"primaries": rule}), table(**arms)
        ).decision
        assert decision.action == "extend"
        units[rule] = decision.more_units
    deviation = spread(300, 0).std(ddof=1)
    for rule, mde in (("any", 0.2), ("all", 0.15)):
        per_arm = TTestIndPower().solve_power(mde / deviation, alpha=0.025, power=0.8)
        assert units[rule] == 2 * math.ceil(per_arm) - 600


def test_under_any_a_primary_that_had_its_units_does_not_hold_up_the_other():
    metrics = [
        MEAN | {"name": name, "column": name, "mde": {"absolute": mde}}
        for name, mde in (("one", 0.255), ("two", 0.15))
    ]
    data = table(
        control={"one": spread(300, 10), "two": spread(300, 10)},
        new={"one": spread(300, 10.1), "two": spread(300, 10.1)},
    )
    found = {
        mde: experiments.analyze(
            experiment(*chosen, decision={"primaries": "any"}), data
        ).decision.action
        for mde, chosen in (("one", metrics[:1]), ("both", metrics))
    }
    assert found == {"one": "do_not_ship", "both": "extend"}


def test_under_any_a_guardrail_is_not_waited_for_when_no_primary_can_win():
    arms = {"control": {"spend": spread(300, 10), "guard": spread(300, 10)}}
    arms["new"] = {"spend": spread(300, 10), "guard": spread(300, 9.9)}
    metrics = (MEAN | {"mde": {"absolute": 0.5}}, guard(absolute=0.2))
    for rule in ("any", "all"):
        result = experiments.analyze(
            experiment(*metrics, decision={"primaries": rule}), table(**arms)
        )
        assert [one.verdict for one in result.comparisons] == ["open", "unproven"]
        assert result.decision.action == "do_not_ship"


def test_of_several_passing_arms_the_best_is_shipped():
    arms = ("control", "new", "bold")
    for goal, sign in (("increase", 1), ("decrease", -1)):
        data = table(
            control=spread(300, 10), new=spread(300, 10 + sign), bold=spread(300, 10 + 2 * sign)
        )
        decision = experiments.analyze(experiment(MEAN | {"goal": goal}, arms=arms), data).decision
        assert (decision.action, decision.arm) == ("ship", "bold")
    # The arm with the larger gain breaks a guardrail.
    guards = {"control": 10, "new": 10, "bold": 5}
    means = {"control": 10, "new": 11, "bold": 12}
    data = table(
        **{
            arm: {"spend": spread(300, means[arm]), "guard": spread(300, guards[arm])}
            for arm in arms
        }
    )
    decision = experiments.analyze(experiment(MEAN, guard(relative=0.05), arms=arms), data).decision
    assert (decision.action, decision.arm) == ("ship", "new")


def test_broken_data_stops_everything():
    result = experiments.analyze(
        experiment(MEAN), table(control=spread(300, 10), new=spread(600, 12))
    )
    assert result.broken
    assert (result.decision.action, result.decision.arm) == ("stop_broken", None)
    assert result.evidence() == []
    assert result.record()["status"] == "check_failed"
    assert result.record()["evidence"] == []
    assert "%" not in result.headline()


@pytest.mark.parametrize(
    "arms",
    [
        {"control": (0, 100), "new": (2, 100)},
        {"control": (0, 2), "new": (2, 2)},
        {"control": (1, 2), "new": (2, 2)},
    ],
)
@pytest.mark.parametrize("mde", [{"relative": 0.1}, {"absolute": 0.02}])
def test_a_handful_of_outcomes_still_ends_in_a_decision(arms, mde):
    result = experiments.analyze(experiment(SHARE | {"mde": mde}), counts(**arms))
    undefined = "relative" in mde and arms["control"][0] == 0  # a share of nothing is no size
    assert result.decision.action == ("do_not_ship" if undefined else "extend")
    assert undefined or result.decision.more_units > 0


def test_a_size_that_no_experiment_reaches_is_not_asked_for():
    control = np.array([1.0, -1.0] * 50) + 1e-12
    spec = experiment(MEAN | {"mde": {"relative": 0.01}})
    assert (
        experiments.analyze(spec, table(control=control, new=control[::-1] + 0.01)).decision.action
        == "do_not_ship"
    )


# What comes out

SHAPES = {
    "won": (MEAN, table(control=spread(400, 10), new=spread(400, 11))),
    "lost": (MEAN, table(control=spread(400, 10), new=spread(400, 9))),
    "open": (
        MEAN | {"mde": {"relative": 0.02}},
        table(control=spread(90, 10), new=spread(90, 10.1)),
    ),
    "small": (SHARE, counts(control=(3, 40), new=(20, 45))),
    "broken": (MEAN, table(control=spread(300, 10), new=spread(600, 12))),
    "not estimable": (MEAN, NOT_ESTIMABLE["no variation"]),
    "unbounded": (MEAN, table(control=spread(90, 0.01), new=spread(90, 2))),
    "no baseline": (SHARE, counts(control=(0, 40), new=(20, 45))),
}


@pytest.fixture(scope="module", params=SHAPES)
def shape(request):
    metric, data = SHAPES[request.param]
    return experiments.analyze(
        experiment(metric, period=DAYS), data, as_of=datetime.date(2026, 9, 20)
    )


def keys_and_texts(value, name=""):
    """Yield every text in a record with the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from keys_and_texts(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from keys_and_texts(inner, name)
    elif isinstance(value, str):
        yield name, value


def test_the_record_is_json_without_prose(shape):
    record = shape.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == json.loads(json.dumps(record))
    for name, text in keys_and_texts(record):
        assert " " not in text or name == "experiment", (name, text)
    assert record["schema"] == "opslab.experiment/1"
    before = json.dumps(record, sort_keys=True)
    for language in LANGUAGES:
        page_of(shape, language)
        shape.headline(language)
    assert json.dumps(shape.record(), sort_keys=True) == before


def test_the_headline_holds_the_number(shape):
    one = only(shape)
    for language in LANGUAGES:
        headline = shape.headline(language)
        assert "\n" not in headline
        if shape.broken or one.difference is None:
            continue
        if one.lift is not None and None not in one.lift_interval:
            effect = Numbers(language).signed_percent(one.lift)
        elif one.type == "mean":
            effect = Numbers(language).signed_number(one.difference)
        else:
            effect = Numbers(language).signed_points(one.difference)
        assert effect in headline


def test_parts_figures_and_first_screen_in_both_languages(shape):
    one = only(shape)
    for language in LANGUAGES:
        shown = page_of(shape, language)
        assert shown.count("<h1>") == 1
        assert not any(word in shown for word in (">nan", ">inf", ">None<", "nan%", "inf%"))
        figure = shape.figures(language)["lift"]
        assert figure.svg().startswith("<?xml")
        assert "spend" in figure.alt or "bought" in figure.alt
        if one.lift is not None:
            assert Numbers(language).signed_percent(one.lift) in figure.alt
    assert list(shape.PARTS) == [
        *("checks", "arms", "design", "effects", "segments", "trends", "data", "method"),
    ]
    assert (shape.segments.blocks(), shape.trends.blocks()) == ([], [])
    assert shape.effects == shape.comparisons
    (bundle, _) = shape._repr_mimebundle_()
    assert "<h1>A test</h1>" in bundle["text/html"]
    assert shape.headline() in repr(shape)


def test_evidence_is_the_primary_effect_with_its_uncertainty():
    metric, data = SHAPES["won"]
    result = experiments.analyze(
        experiment(
            metric,
            guard(absolute=1),
            MEAN | {"name": "other", "role": "secondary"},
            period=DAYS,
            owner="growth",
        ),
        data.assign(guard=data.spend),
        as_of=datetime.date(2026, 9, 20),
    )
    (one,) = result.evidence()
    first = result.comparisons[0]
    assert (one.id, one.kind, one.grade, one.claim) == (
        "a-test/spend/new",
        "causal",
        "A",
        "metric:spend",
    )
    assert (one.quantity.family, one.quantity.level) == ("student_t", 0.95)
    assert one.quantity.value == first.difference
    assert (one.quantity.low, one.quantity.high) == first.difference_interval
    parameters = one.quantity.parameters
    drawn = stats.t(parameters["degrees_of_freedom"], parameters["location"], parameters["scale"])
    assert drawn.interval(0.95) == pytest.approx(first.difference_interval, rel=1e-9)
    assert one.period == (datetime.date(2026, 9, 1), datetime.date(2026, 9, 20))
    assert (one.owner, one.date, one.per) == ("growth", datetime.date(2026, 9, 20), "unit")
    assert one.sources[0].rows == 800
    json.dumps(one.record(), allow_nan=False)


def test_evidence_of_a_score_test_is_a_normal_as_wide_as_its_interval():
    metric, data = SHAPES["small"]
    (one,) = experiments.analyze(experiment(metric), data).evidence()
    assert one.unit == "share"
    assert one.quantity.low < one.quantity.value < one.quantity.high
    assert one.quantity.family == "normal"
    assert one.quantity.parameters["location"] == one.quantity.value
    wide = stats.norm(scale=one.quantity.parameters["scale"]).interval(0.95)
    assert wide[1] - wide[0] == pytest.approx(one.quantity.high - one.quantity.low, rel=1e-9)


def test_the_frame_is_tidy_and_short(mixed):
    """A row for each metric, arm and segment; the verdict in the page's words."""
    mixed = mixed.assign(country=["fr", "de"] * (len(mixed) // 2) + ["fr"] * (len(mixed) % 2))
    result = experiments.analyze(mixed_experiment(segments=["country"]), mixed, language="fr")
    frame = result.frame()
    assert list(frame) == [
        "metric",
        "role",
        "arm",
        "segment",
        "n",
        "n_control",
        "estimate",
        "estimate_control",
        "difference",
        "difference_low",
        "difference_high",
        "lift",
        "lift_low",
        "lift_high",
        "p_value",
        "p_adjusted",
        "verdict",
    ]
    assert not frame.duplicated(["metric", "arm", "segment"]).any()
    whole, inside = frame[frame.segment == ""], frame[frame.segment != ""]
    assert len(whole) == len(result.comparisons) == 8
    assert inside.segment.tolist() == [known.segment for known in result.segments]
    assert set(inside.segment) == {"country: de", "country: fr"}
    assert set(inside.verdict) == {""}
    words = [words_of(f"experiments.verdict_{known.verdict}", "fr") for known in result.comparisons]
    assert whole.verdict.tolist() == words
    for row, known in zip(frame.itertuples(), (*result.comparisons, *result.segments), strict=True):
        assert (row.n, row.n_control) == known.n
        assert (row.estimate, row.estimate_control) == pytest.approx(known.estimate, nan_ok=True)
        low, high = known.difference_interval
        assert (row.difference, row.difference_low, row.difference_high) == pytest.approx(
            (known.difference, low, high), nan_ok=True
        )
    full = result.frame(full=True)
    pd.testing.assert_frame_equal(full[list(frame)], frame)
    expected = {
        "metric",
        "role",
        "type",
        "goal",
        "arm",
        "control",
        "segment",
        "n",
        "n_control",
        "missing",
        "missing_control",
        "estimate",
        "estimate_control",
        "difference",
        "difference_low",
        "difference_high",
        "lift",
        "lift_low",
        "lift_high",
        "p_value",
        "p_adjusted",
        "standard_error",
        "degrees_of_freedom",
        "method",
        "harm_p",
        "margin",
        "margin_kind",
        "verdict",
        "not_estimable",
        "variance_reduction",
        "bounds_low",
        "bounds_high",
        "raw_difference",
        "raw_difference_low",
        "raw_difference_high",
        "raw_lift",
        "raw_lift_low",
        "raw_lift_high",
        "mde",
        "mde_kind",
        "raw_p_value",
        "uncapped_difference",
        "uncapped_difference_low",
        "uncapped_difference_high",
        "uncapped_lift",
        "uncapped_lift_low",
        "uncapped_lift_high",
        "uncapped_p_value",
        "diluted_difference",
        "diluted_difference_low",
        "diluted_difference_high",
        "diluted_lift",
        "diluted_lift_low",
        "diluted_lift_high",
        "diluted_p_value",
        "precision_difference",
        "precision_difference_low",
        "precision_difference_high",
        "precision_lift",
        "precision_lift_low",
        "precision_lift_high",
        "precision_p_value",
    }
    assert set(full) == expected
    assert not any(isinstance(value, dict | list | tuple) for value in full.to_numpy().ravel())
    loads = full[(full.metric == "load") & (full.segment == "")]
    assert loads.missing.sum() == mixed.load[mixed.arm != "control"].isna().sum()
    broken = replace(result, checks=(Check("x", "fail", Message("words.yes"), blocking=True),))
    unused = words_of("experiments.verdict_not_used", "fr")
    assert set(broken.frame().query("segment == ''").verdict) == {unused}


HOSTILE = [
    "<script>alert(1)</script>",
    "{0.__class__} {metric}",
    "$x^2$ $\\frac$",
    "w" * 120,
    "a\u202eb\x07 & <b>",
    "=1+1",
]


@pytest.mark.parametrize("name", first_quickly(*HOSTILE))
def test_hostile_names_are_shown_as_text(name):
    metric, data = SHAPES["won"]
    spec = Experiment(
        experiment=f"x {name}"[:120],
        question=name,
        owner=name,
        unit="unit",
        arms={"column": "arm", "control": "control", "weights": {"control": 1, name: 1}},
        metrics=[metric | {"name": name}, guard(relative=0.05) | {"name": f"g{name}"[:120]}],
    )
    data = data.assign(arm=data.arm.replace("new", name), guard=data.spend)
    result = experiments.analyze(spec, data)
    for language in LANGUAGES:
        shown = page_of(result, language)
        assert "<script" not in shown
        assert "<b>" not in shown
        with warnings.catch_warnings(
            action="error"
        ):  # matplotlib warns when it finds no room or no glyph
            assert "<svg" in result.figures(language)["lift"].svg()
        assert "\u202e" not in result.headline(language)
    json.dumps(result.record(), allow_nan=False)


def test_relations_and_lazy_frames_go_in_as_tables_do():
    experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
    whole = experiments.analyze(experiment)
    path = str(workspace.resolve("data/sample/checkout.csv"))
    for data in (duckdb.sql(f"SELECT * FROM read_csv('{path}')"), pl.scan_csv(path)):
        for one, other in zip(
            experiments.analyze(experiment, data).comparisons, whole.comparisons, strict=True
        ):
            assert one.difference == pytest.approx(other.difference, rel=1e-9)
            assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
