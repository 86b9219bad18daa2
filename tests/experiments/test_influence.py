"""The farthest units: which of them are a group, and what is left without them, by numpy and scipy."""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opslab import experiments
from opslab.experiments.checks import influence
from opslab.experiments.checks.influence import _with, groups
from opslab.experiments.moments.arm_moments import CrossMoments
from opslab.experiments.spec import Experiment

METRIC = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
RATIO = {
    "name": "rate",
    "type": "ratio",
    "numerator": "clicks",
    "denominator": "views",
    "role": "primary",
    "goal": "increase",
}


def of(values):
    values = np.asarray(values, float)
    means = values.mean(axis=0)
    return CrossMoments(len(values), len(values), means, (values - means).T @ (values - means))


def test_examples_run():
    assert doctest.testmod(influence).failed == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=4, max_size=40),
    st.integers(0, 2),
)
def test_the_moments_without_units_are_those_of_the_others(values, gone):
    values = np.array(values)
    found, expected = _with(of(values), values[:gone], -1), of(values[gone:])
    size = np.abs(values).max()
    assert found.n == expected.n
    assert found.means == pytest.approx(expected.means, rel=1e-9, abs=1e-11 * size)
    assert found.scatter.ravel() == pytest.approx(
        expected.scatter.ravel(), rel=1e-7, abs=1e-9 * size**2
    )
    again = _with(found, values[:gone], 1)
    assert again.scatter.ravel() == pytest.approx(
        of(values).scatter.ravel(), rel=1e-7, abs=1e-9 * size**2
    )


def brute_force_groups(sizes, others):
    """The p-value of each gap by the beta-prime tail of a sum of exponentials, one by one."""
    sizes = [size for size in sizes if size > 0]
    gaps = [(j + 1) * np.log(sizes[j] / sizes[j + 1]) for j in range(len(sizes) - 1)]
    apart = []
    for j, gap in enumerate(gaps):
        below = gaps[j + 1 :]
        if not below or sizes[j] <= 2.5 * sizes[j + 1]:
            continue
        if j + 1 > min(others / 4, max(5, others / 100)):
            continue
        mean = sum(below) / len(below)
        p_value = stats.f.sf(gap / mean, 2, 2 * len(below)) if mean else 0.0
        if p_value * (j + 1) * (j + 2) < 0.02:
            apart.append(j + 1)
    return apart


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("planted", [(), (40.0,), (90.0, 80.0, 70.0), (9e4,) * 8])
def test_groups_are_those_of_an_f_test_of_each_gap(seed, planted):
    random = np.random.default_rng(seed)
    tail = random.pareto(3, 199) + 1
    sizes = np.sort(np.concatenate([tail, planted]))[::-1]
    assert groups(sizes, 4_000) == brute_force_groups(sizes, 4_000)
    if planted and planted[-1] > 60:
        assert len(planted) in groups(sizes, 4_000)


@pytest.mark.parametrize(
    ("others", "largest"),
    [
        (3, 0),
        (4, 1),
        (16, 4),
        (19, 4),
        (20, 5),
        (100, 5),
        (500, 5),
        (599, 5),
        (600, 6),
        (4_000, 40),
    ],
)
def test_a_group_is_a_quarter_of_few_and_a_hundredth_of_many(others, largest):
    tail = np.sort(1.0 + np.random.default_rng(3).random(150))[::-1]
    for planted in (largest, largest + 1):
        sizes = np.concatenate([np.full(planted, 1e6), tail])
        expected = [planted] if planted == largest and planted else []
        assert groups(sizes, others) == brute_force_groups(sizes, others) == expected


@pytest.mark.parametrize("times", [2.4, 2.5, 2.6])
def test_a_group_is_two_and_a_half_times_as_far_as_the_next(times):
    sizes = np.array([times, *[1.0] * 30])
    assert groups(sizes, 400) == ([1] if times > 2.5 else [])


def test_the_last_gap_says_nothing_and_ties_below_say_all():
    assert groups(np.array([9.0, 4.0]), 400) == []
    assert groups(np.array([9.0, 9.0, 9.0, 1.0, 1.0, 1.0, 1.0]), 400) == [3]


def test_a_gap_in_an_exact_long_tail_is_as_rare_as_it_says():
    """Pareto tails of three kinds, 400 each: a group in at most 2 % and chance."""
    random = np.random.default_rng(5)
    for alpha in (1.5, 2.5, 4.0):
        alarms = sum(
            bool(groups(np.sort(random.pareto(alpha, 2_000) + 1)[:-201:-1], 2_000))
            for _ in range(400)
        )
        assert alarms <= stats.binom.isf(0.001, 400, 0.02)


def test_few_events_among_zeros_are_no_group():
    sizes = np.array([20.0] * 12 + [0.1] * 188)
    assert groups(sizes, 12) == []
    assert groups(np.array([]), 0) == []
    assert groups(np.array([3.0]), 1) == []


def analyzed(frame, *metrics, blocking=(), **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    spec = Experiment(
        experiment="a test",
        unit="unit",
        arms=arms,
        metrics=metrics,
        decision={"blocking": blocking},
        **fields,
    )
    result = experiments.analyze(spec, frame)
    return result, next((one for one in result.checks if one.name == "outliers"), None)


def whale():
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"unit": np.arange(2_000), "arm": np.where(random.random(2_000) < 0.5, "new", "old")}
    )
    frame["spend"] = random.gamma(2, 10, 2_000) + 2.4 * (frame.arm == "new")
    row = frame.index[frame.arm == "old"][500]
    frame.loc[row, "spend"] = 1_800.0
    return frame, row


def shown(check):
    return dict(check.detail.values)


def test_a_whale_is_shown_by_row_and_share_and_never_by_id():
    frame, row = whale()
    frame["unit"] = "secret-" + frame.unit.astype(str)
    result, check = analyzed(frame, METRIC)
    old = frame.spend[frame.arm == "old"]
    assert check.status == "fail"
    assert (shown(check)["rows"], shown(check)["count"], shown(check)["arm"]) == (
        (row + 1,),
        1,
        "old",
    )
    assert shown(check)["share"] == pytest.approx(1_800 / old.sum(), rel=1e-9)
    new = frame.spend[frame.arm == "new"]
    rest, whole = (stats.ttest_ind(new, one, equal_var=False) for one in (old.drop(row), old))
    assert shown(check)["p_without"] == pytest.approx(rest.pvalue, rel=1e-9)
    assert shown(check)["p"] == pytest.approx(whole.pvalue, rel=1e-9)
    assert shown(check)["to"] == pytest.approx(new.mean() - old.drop(row).mean(), rel=1e-9)
    assert "secret" not in str(result.record())


def test_a_whale_is_a_condition_and_stops_only_where_the_spec_says_so():
    frame, _ = whale()
    result, check = analyzed(frame, METRIC, blocking=["outliers"])
    assert (shown(check)["p"] <= 0.05) != (shown(check)["p_without"] <= 0.05)
    assert (check.status, result.broken) == ("fail", True)
    result, check = analyzed(frame, METRIC)
    assert (result.broken, [one.name for one in result.conditions]) == (False, ["outliers"])


def test_a_capped_metric_has_no_whale():
    frame, _ = whale()
    assert analyzed(frame, METRIC | {"cap": {"quantile": 0.99}})[1] is None


def test_ordinary_data_passes():
    frame, row = whale()
    _, check = analyzed(frame.drop(index=row), METRIC)
    assert check.status == "pass"
    assert check.value < 0.5


def views(n=4_000, seed=2):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": ["old", "new"] * (n // 2)})
    frame["views"] = random.negative_binomial(2, 0.3, n) + 1
    frame["clicks"] = random.binomial(frame.views, 0.2)
    return frame, random


@pytest.mark.parametrize("bots", [1, 7, 20])
def test_bots_that_hide_one_another_are_a_group_in_a_ratio_too(bots):
    frame, random = views()
    rows = random.choice(frame.index[frame.arm == "new"], bots, replace=False)
    frame.loc[rows, "views"] = 500
    frame.loc[rows, "clicks"] = random.integers(300, 400, bots)
    _, check = analyzed(frame, RATIO)
    assert (check.status, shown(check)["count"], shown(check)["arm"]) == ("fail", bots, "new")
    assert set(shown(check)["rows"]) <= {row + 1 for row in rows}
    clicks = frame[frame.arm == "new"].clicks
    assert shown(check)["share"] == pytest.approx(clicks[rows].sum() / clicks.sum())
    sums = frame.drop(index=rows).groupby("arm")[["clicks", "views"]].sum()
    rates = sums.clicks / sums.views
    assert shown(check)["to"] == pytest.approx(rates["new"] - rates["old"], rel=1e-9)


def test_a_group_that_is_alike_in_both_arms_moves_nothing():
    frame, random = views()
    rows = [*frame.index[frame.arm == "new"][:5], *frame.index[frame.arm == "old"][:5]]
    frame["spend"] = random.gamma(2, 10, len(frame))
    frame.loc[rows, "spend"] = 900.0 + random.random(10)
    assert analyzed(frame, METRIC)[1].status == "pass"


def test_the_farthest_that_turn_the_sign_are_told_without_a_gap():
    """No gap up to the top, where the new arm alone has ten: .1 % of units that make it better."""
    random = np.random.default_rng(6)
    frame = pd.DataFrame({"unit": np.arange(10_000), "arm": ["old", "new"] * 5_000})
    frame["spend"] = random.normal(0, 5, 10_000) - 0.6 * (frame.arm == "new")
    top = frame.index[frame.arm == "new"][:10]
    frame.loc[top, "spend"] = 1_000.0 + random.random(10)
    for arm in ("new", "old"):
        between = frame.index[frame.arm == arm][10:18]
        frame.loc[between, "spend"] = 560 / 1.8 ** np.arange(8)
    _, check = analyzed(frame, METRIC)
    assert (check.status, check.detail.key) == ("fail", "experiments.outliers_reversed")
    new, old = (frame.drop(index=top).query("arm == @arm").spend for arm in ("new", "old"))
    assert shown(check)["to"] == pytest.approx(new.mean() - old.mean(), rel=1e-9)
    assert (shown(check)["to"] < 0 < shown(check)["from"], shown(check)["count"]) == (True, 10)


def test_empty_and_infinite_free_values_are_what_the_metric_counts():
    frame, row = whale()
    frame.loc[frame.index[:50], "spend"] = np.nan
    for policy in ("drop", "zero"):
        _, check = analyzed(frame, METRIC | {"missing": policy})
        kept = frame.dropna() if policy == "drop" else frame.fillna(0.0)
        arms = [kept.spend[kept.arm == arm] for arm in ("new", "old")]
        rest = arms[1].drop(row)
        assert shown(check)["to"] == pytest.approx(arms[0].mean() - rest.mean(), rel=1e-9)


def companions(result):
    return {one.way: one.effect for one in result.companions}


@pytest.mark.parametrize("ties", [False, True])
def test_companions_of_a_mean_are_those_of_numpy_and_scipy(ties):
    random = np.random.default_rng(7)
    frame = pd.DataFrame({"unit": np.arange(3_000), "arm": ["old", "new"] * 1_500})
    frame["spend"] = random.lognormal(1, 1.5, 3_000) * np.where(frame.arm == "new", 1.1, 1.0)
    if ties:
        frame["spend"] = frame.spend.round()
    result, _ = analyzed(frame, METRIC)
    ways = companions(result)
    new, old = (frame.spend[frame.arm == arm].to_numpy() for arm in ("new", "old"))
    plain = stats.ttest_ind(new, old, equal_var=False)
    ranks = stats.brunnermunzel(old, new)
    assert list(ways) == ["plain", "capped", "trimmed", "ranks"]
    assert ways["plain"].p_value == pytest.approx(plain.pvalue, rel=1e-9)
    assert ways["ranks"].p_value == pytest.approx(ranks.pvalue, rel=1e-9)
    ahead = (new[:, None] > old).mean() + (new[:, None] == old).mean() / 2
    assert ways["ranks"].difference == pytest.approx(ahead - 0.5, rel=1e-9)
    apart = frame.spend - frame.spend.mean()
    order = np.argsort(-apart.abs().to_numpy(), kind="stable")
    kept = frame.drop(index=order[:3])
    reach = apart.abs().iloc[order[3]]
    nearer = frame.assign(spend=frame.spend.mean() + apart.clip(-reach, reach))
    for way, other in (("trimmed", kept), ("capped", nearer)):
        arms = [other.spend[other.arm == arm] for arm in ("new", "old")]
        expected = stats.ttest_ind(*arms, equal_var=False)
        assert ways[way].p_value == pytest.approx(expected.pvalue, rel=1e-8), way
        assert ways[way].difference == pytest.approx(arms[0].mean() - arms[1].mean(), rel=1e-8)
        low, high = expected.confidence_interval()
        assert ways[way].difference_interval == pytest.approx((low, high), rel=1e-8)


@pytest.mark.parametrize(("n", "farthest"), [(999, 1), (1_000, 1), (1_001, 2), (2_002, 3)])
def test_the_farthest_are_one_in_a_thousand_of_the_two_arms(n, farthest):
    """Units of a third arm, far as they are, take no part."""
    random = np.random.default_rng(n)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.where(np.arange(n) % 2, "new", "old")})
    frame["spend"] = random.lognormal(1, 1.5, n)
    third = frame.tail(40).assign(arm="third", unit=lambda rows: rows.unit + n, spend=1e4)
    spec = Experiment(
        experiment="three",
        unit="unit",
        arms={"column": "arm", "control": "old"},
        metrics=[METRIC],
    )
    result = experiments.analyze(spec, pd.concat([third, frame], ignore_index=True))
    (trimmed,) = (
        one.effect for one in result.companions if (one.arm, one.way) == ("new", "trimmed")
    )
    away = (frame.spend - frame.spend.mean()).abs().to_numpy()
    kept = frame.drop(index=np.argsort(-away, kind="stable")[:farthest])
    arms = [kept.spend[kept.arm == arm] for arm in ("new", "old")]
    expected = stats.ttest_ind(*arms, equal_var=False)
    assert trimmed.difference == pytest.approx(arms[0].mean() - arms[1].mean(), rel=1e-8)
    assert trimmed.p_value == pytest.approx(expected.pvalue, rel=1e-8)


def test_companions_of_a_ratio_and_with_covariates():
    frame, random = views()
    frame["before"] = frame.clicks + random.normal(0, 1, len(frame))
    result, _ = analyzed(frame, RATIO, METRIC | {"column": "clicks", "covariates": ["before"]})
    ratio = {one.way: one.effect for one in result.companions if one.metric == "rate"}
    both = frame[["clicks", "views"]].sum()
    linear = frame.clicks - both.clicks / both.views * frame.views
    arms = [linear[frame.arm == arm] for arm in ("old", "new")]
    assert ratio["ranks"].p_value == pytest.approx(stats.brunnermunzel(*arms).pvalue, rel=1e-9)
    kept = frame.drop(index=np.argsort(-linear.abs().to_numpy(), kind="stable")[:4])
    sums = kept.groupby("arm")[["clicks", "views"]].sum()
    rates = sums.clicks / sums.views
    assert ratio["trimmed"].difference == pytest.approx(rates["new"] - rates["old"], rel=1e-9)
    mean = {one.way: one.effect for one in result.companions if one.metric == "spend"}
    comparison = result.comparisons[1]
    assert mean["plain"] == comparison.raw
    assert mean["covariates"].p_value == comparison.p_value
    assert list(mean) == ["plain", "covariates", "capped", "trimmed", "ranks"]
    assert result.record()["companions"][0]["effect"]["difference_interval"].keys() == {
        "low",
        "high",
    }


def test_the_page_says_where_ways_disagree():
    frame, _ = whale()
    result, _ = analyzed(frame, METRIC)
    page = str(result.effects)
    assert "The same effects computed in other ways" in page
    assert "depends on how it is computed" in " ".join(page.split())
    agreeing = frame.assign(spend=frame.spend.clip(upper=100) + 20 * (frame.arm == "new"))
    page = " ".join(str(analyzed(agreeing, METRIC)[0].effects).split())
    assert "depends on how it is computed" not in page


@pytest.mark.parametrize(
    "fields", [{"design": {"robust": False}}, {"strata": ["half"]}, {"data": {"rows": "finer"}}]
)
def test_companions_that_are_not_computed_are_told(fields):
    frame, _ = whale()
    frame["half"] = frame.unit % 2
    result, _ = analyzed(frame, METRIC, **fields)
    left_out = "data" not in fields  # rows of one unit are summed, and units compared
    assert bool(result.companions) != left_out
    assert ("are not computed in other ways" in " ".join(str(result.effects).split())) == left_out


def test_secondary_metrics_have_no_companions():
    frame, _ = whale()
    frame["other"] = frame.spend
    other = METRIC | {"name": "other", "column": "other", "role": "secondary"}
    result, _ = analyzed(frame, METRIC, other)
    assert {one.metric for one in result.companions} == {"spend"}


def test_companions_do_not_depend_on_the_order_of_rows():
    frame, _ = whale()
    shuffled = frame.sample(frac=1, random_state=4)
    first, second = (companions(analyzed(one, METRIC)[0]) for one in (frame, shuffled))
    for way, effect in first.items():
        assert second[way].p_value == pytest.approx(effect.p_value, rel=1e-9)
