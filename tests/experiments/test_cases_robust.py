"""Faults that hide behind a right number: silent guardrails, counts, groups of outliers, attrition.

Each kind is made here from a seed, and read from the collection of cases where that is at hand.
"""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from test_proportions import brute_force_score
from test_real_data import ROOT

from opslab import experiments
from opslab.errors import DataError, SpecError
from opslab.experiments.inference.attrition import lee_bounds
from opslab.experiments.spec import Experiment

CONVERTED = {
    "name": "converted",
    "type": "proportion",
    "column": "converted",
    "role": "primary",
    "goal": "increase",
}
CRASHED = {
    "name": "crashed",
    "type": "proportion",
    "column": "crashed",
    "role": "guardrail",
    "goal": "decrease",
    "margin": {"absolute": 0.005},
}


def case(name):
    spec = ROOT / "cases" / "experiments" / name / "spec.yaml"
    if not spec.is_file():
        pytest.skip(f"{name} is not there; name the folder of real data in OPSLAB_REAL_DATA")
    return experiments.analyze(Experiment.load(spec))


def experiment(*metrics, **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    declared = {"experiment": "a test", "unit": "unit", "arms": arms, "metrics": metrics}
    return Experiment(**declared | fields)


def analyzed(frame, *metrics, **fields):
    return experiments.analyze(experiment(*metrics, **fields), frame)


def named(result, metric):
    return next(known for known in result.comparisons if known.metric == metric)


def users(n=10_000, seed=1):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": ["old", "new"] * (n // 2)})
    frame["converted"] = (random.random(n) < 0.1 + 0.04 * (frame.arm == "new")).astype(int)
    return frame.assign(crashed=0)


def by_brute_force(arm, control):
    """Return the 95 % score interval of a difference, by root finding on the statistic itself."""
    quantile = stats.norm.ppf(0.975)
    estimate = arm[0] / arm[1] - control[0] / control[1]

    def beyond(null, sign):
        return brute_force_score(null, arm, control, ratio=False) - sign * quantile

    low = optimize.brentq(beyond, -0.5, estimate - 1e-12, args=(1,), xtol=1e-14)
    return low, optimize.brentq(beyond, estimate + 1e-12, 0.5, args=(-1,), xtol=1e-14)


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_guardrail_without_events_is_within_its_margin(crashes):
    frame = users()
    frame.loc[0, "crashed"] = crashes  # the control's first user
    result = analyzed(frame, CONVERTED, CRASHED)
    crashed = named(result, "crashed")
    expected = by_brute_force((0, 5_000), (crashes, 5_000))
    assert crashed.difference_interval == pytest.approx(expected, abs=1e-10)
    assert max(map(abs, expected)) < 0.0012
    assert (crashed.verdict, crashed.method, result.decision.action) == ("safe", "score", "ship")


@pytest.mark.parametrize(("n", "verdict"), [(400, "unproven"), (1_600, "safe")])
def test_silence_of_few_units_does_not_clear_a_guardrail(n, verdict):
    """0 of n against 0 of n: the interval is about +- 3.84 / n."""
    assert named(analyzed(users(n), CONVERTED, CRASHED), "crashed").verdict == verdict


def test_events_in_every_unit_are_silence_too():
    rising = CRASHED | {"goal": "increase"}
    assert (
        named(analyzed(users().assign(crashed=1), CONVERTED, rising), "crashed").verdict == "safe"
    )


def test_no_relative_margin_holds_where_the_control_has_no_event():
    relative = CRASHED | {"margin": {"relative": 0.5}}
    assert named(analyzed(users(), CONVERTED, relative), "crashed").verdict == "unproven"


def test_what_decides_is_still_not_estimable_where_nothing_varies():
    primary = {name: value for name, value in CRASHED.items() if name != "margin"}
    result = analyzed(users(), primary | {"role": "primary"})
    assert named(result, "crashed").not_estimable.key == "experiments.no_variation"


def test_a_silent_guardrail_of_few_clusters():
    frame = pd.concat([users(60)] * 3, ignore_index=True)
    result = analyzed(frame, CONVERTED, CRASHED, data={"rows": "finer"})
    assert named(result, "crashed").verdict == "unproven"


@pytest.mark.parametrize(("name", "reach"), [("zero", 0.0008), ("one", 0.0012)])
def test_the_cases_of_silent_guardrails(name, reach):
    result = case(f"guardrail-{name}-crash")
    crash = named(result, "crash")
    assert max(map(abs, crash.difference_interval)) < reach
    assert (crash.verdict, result.decision.action) == ("safe", "ship")


SPENT = {"name": "spent", "type": "mean", "column": "spent", "role": "primary", "goal": "increase"}
COUNTS = {"unit": "users", "data": {"path": "t.csv", "rows": "totals"}}


def same(first, second):
    """Whether two comparisons hold the same numbers: to 1e-12, and alike in all else."""
    for name, value in vars(first).items():
        other = getattr(second, name)
        if isinstance(value, float) or (isinstance(value, tuple) and value and value != other):
            assert value == pytest.approx(other, rel=1e-12, abs=1e-15), name
        else:
            assert value == other, name


def totals(frame):
    frame = frame.assign(squares=frame.spent**2)
    groups = frame.groupby("arm")
    sums = groups[["converted", "spent", "squares"]].sum()
    return sums.assign(users=groups.size(), mean=groups.spent.mean(), sd=groups.spent.std())


@pytest.mark.parametrize("rare", [False, True])  # Welch's test, and the score test
def test_counts_give_what_their_units_give(rare):
    random = np.random.default_rng(3)
    frame = users(4_000).assign(spent=random.gamma(2, 10, 4_000))
    if rare:
        frame["converted"] *= random.random(4_000) < 0.02
    by_unit = analyzed(frame, CONVERTED, SPENT)
    counts = totals(frame).reset_index()
    by_sum = analyzed(counts, CONVERTED, SPENT | {"squares": "squares"}, **COUNTS)
    by_mean = analyzed(counts, CONVERTED, SPENT | {"column": "mean", "sd": "sd"}, **COUNTS)
    assert by_unit.comparisons[0].method == ("score" if rare else "welch")
    for other in (by_sum, by_mean):
        assert other.arms == by_unit.arms
        for comparison, expected in zip(other.comparisons, by_unit.comparisons, strict=True):
            same(comparison, expected)
    columns = ["users", "converted"]
    for frame_columns, name in ((columns, "converted"), (["users", "mean", "sd"], "spent")):
        arms = {row.arm: tuple(row[frame_columns]) for _, row in counts.iloc[::-1].iterrows()}
        called = experiments.from_counts(arms, control="old", name=name)
        alone = experiment(CONVERTED if name == "converted" else SPENT)
        (comparison,) = experiments.analyze(alone, frame).comparisons
        same(called.comparisons[0], comparison)


@pytest.mark.parametrize("rare", [False, True])
@pytest.mark.parametrize("seed", [5, 6])
def test_counts_of_whole_numbers_give_the_very_digits_of_their_units(rare, seed):
    """Arms of unequal sizes, no number rounded on the way: nothing differs at all."""
    random = np.random.default_rng(seed)
    frame = users(4_018, seed)[: 4_000 + seed].assign(
        spent=lambda rows: random.integers(0, 50, len(rows))
    )
    if rare:
        frame["converted"] *= random.random(len(frame)) < 0.02
    counts = totals(frame).reset_index()
    by_unit = analyzed(frame, CONVERTED, SPENT)
    by_sum = analyzed(counts, CONVERTED, SPENT | {"squares": "squares"}, **COUNTS)
    assert by_sum.comparisons == by_unit.comparisons
    assert by_sum.arms == by_unit.arms
    arms = {row.arm: (row.users, row.converted) for row in counts.itertuples()}
    called = experiments.from_counts(arms, control="old", name="converted")
    assert called.comparisons == analyzed(frame, CONVERTED).comparisons


def test_counts_leave_the_data_usable_and_say_what_is_not_checked():
    result = experiments.from_counts({"old": (50_000, 1_600), "new": (50_000, 2_250)}, "old")
    names = {check.name for check in result.checks}
    assert names - {"plausibility"} == {"sample_ratio", "totals_only"}
    assert "totals_only" in [check.name for check in result.conditions]
    assert (result.decision.action, result.status) == ("ship", "complete")
    old, new = (1_600, 50_000), (2_250, 50_000)
    table = np.array([[new[0], old[0]], [new[1] - new[0], old[1] - old[0]]])
    assert result.comparisons[0].p_value == pytest.approx(1.2e-26, rel=0.02)
    assert math.log(result.comparisons[0].p_value) == pytest.approx(
        math.log(stats.chi2_contingency(table, correction=False).pvalue), rel=0.01
    )
    assert "Counts: each arm is a single row" in str(result.method)
    assert "Daily totals" not in str(result.method)
    assert result.record()["plan"]["rows"] == "counts"


def test_counts_take_a_goal_weights_a_level_and_an_effect_worth_detecting():
    result = experiments.from_counts(
        {"new": (2_000, 31.0, 9.0), "old": (1_000, 30.0, 8.0)},
        control="old",
        name="load time",
        goal="decrease",
        weights={"old": 1, "new": 2},
        alpha=0.01,
        mde=0.02,
        language="fr",
    )
    (comparison,) = result.comparisons
    expected = stats.ttest_ind_from_stats(31, 9, 2_000, 30, 8, 1_000, equal_var=False)
    assert comparison.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (comparison.verdict, result.plan.alpha, result.language) == ("lost", 0.01, "fr")
    assert result.check("sample_ratio").status == "pass"


def test_a_single_day_is_the_same_as_none():
    counts = totals(users().assign(spent=1.0)).reset_index().assign(day="2026-10-01")
    period = {"time": "day", "start": "2026-10-01", "end": "2026-10-01"}
    plain, dated = (
        analyzed(counts, CONVERTED, **COUNTS | fields) for fields in ({}, {"period": period})
    )
    same(plain.comparisons[0], dated.comparisons[0])


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ({"old": (100, 5), "new": (100, 101)}, "Row 2 holds 101.0, more than its units"),
        ({"old": (100, 5), "new": (100, -1)}, "Row 2 holds -1.0"),
        ({"old": (100, 5.5), "new": (100, 6)}, "Row 1 holds 5.5, and a proportion counts"),
        ({"old": (100.5, 5), "new": (100, 6)}, "Row 1 holds 100.5, and totals count whole"),
        ({"old": (100, 5), "new": (0, 0)}, "units: Row 2 is the only one of its arm"),
        ({"old": (100, 5), "new": (100, float("nan"))}, "empty|Row 2"),
        ({"old": (100, 5), "new": (100, float("inf"))}, "Row 2 holds an infinite value"),
        ({"old": (100, 5.0, 2.0), "new": (100, 5.0, -2.0)}, "sd: Row 2 holds -2.0"),
        ({"newer": (100, 5), "new": (100, 5)}, "old"),
    ],
)
def test_impossible_counts_are_told_by_row(arms, words):
    with pytest.raises(DataError, match=words):
        experiments.from_counts(arms, control="old")


@pytest.mark.parametrize("arms", [{}, {"old": (1, 2), "new": (1, 2, 3)}, {"old": (1,)}])
def test_counts_of_another_shape_are_a_mistake_of_the_caller(arms):
    with pytest.raises(ValueError, match="each must be"):
        experiments.from_counts(arms, control="old")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (SPENT, "does not say how spent varies"),
        (SPENT | {"squares": "wrong"}, "wrong: Row 1 holds"),
        (SPENT | {"squares": "nothing"}, "nothing: Row 1 is the only one of its arm"),
        (
            {**SPENT, "type": "ratio", "numerator": "spent", "denominator": "converted"},
            "does not say how spent varies",
        ),
    ],
)
def test_means_need_their_spread(metric, words):
    if metric["type"] == "ratio":
        metric = {name: value for name, value in metric.items() if name != "column"}
    counts = totals(users().assign(spent=3.0)).reset_index()
    counts = counts.assign(wrong=counts.spent**2 / counts.users * (1 - 1e-8), nothing=np.nan)
    with pytest.raises(DataError, match=words):
        analyzed(counts, metric, **COUNTS)


def test_the_spread_belongs_to_counts_alone():
    days = pd.DataFrame(
        {"arm": ["old", "new"] * 9, "users": 100, "spent": range(18), "sd": 1.0}
    ).assign(day=lambda table: [f"2026-10-0{1 + order // 2}" for order in range(18)])
    period = {"time": "day", "start": "2026-10-01", "end": "2026-10-09"}
    for fields in ({}, {"period": period}):
        with pytest.raises(DataError, match="a single row per arm"):
            analyzed(days, SPENT | {"sd": "sd"}, **COUNTS, **fields)
    with pytest.raises(DataError, match="several rows per arm need the day"):
        analyzed(days, SPENT, **COUNTS)
    with pytest.raises(SpecError, match="a single row per arm"):
        analyzed(days, SPENT | {"sd": "sd"})
    with pytest.raises(SpecError, match="Give only one of squares"):
        analyzed(days, SPENT | {"sd": "sd", "squares": "spent"}, **COUNTS)


@pytest.mark.parametrize("name", ["counts-totals", "counts-totals-oneday"])
def test_the_cases_of_counts(name):
    result = case(name)
    (comparison,) = result.comparisons
    assert comparison.p_value == pytest.approx(1.18e-26, rel=0.01)
    assert comparison.lift == pytest.approx(0.40625)
    assert "totals_only" in [check.name for check in result.conditions]


@pytest.mark.parametrize(("name", "count"), [("five-whales", 5), ("ten-bots-ratio", 10)])
def test_the_cases_of_outliers(name, count):
    result = case(name)
    check = result.check("outliers")
    values = dict(check.detail.values)
    assert (check.status, values["count"], values["arm"]) == ("fail", count, "B")
    assert values["p"] < 0.05
    assert values["p_without"] > 0.4
    assert "outliers" in [known.name for known in result.conditions]
    ways = {known.way: known.effect for known in result.companions}
    assert ways["ranks"].p_value > 0.4


ARMS = ("new", "old")


def answered(shares, n=2_000, seed=4):
    """Return users of whom only some have a value: a share of each arm, and more of the high ones."""
    random = np.random.default_rng(seed)
    frame = users(n, seed).assign(spent=random.gamma(2, 10, n))
    chance = frame.arm.map(dict(zip(ARMS, shares, strict=True))) * (0.9 + 0.1 * (frame.spent > 20))
    empty = random.random(n) > chance
    return frame.assign(spent=frame.spent.mask(empty), converted=frame.converted.mask(empty))


@pytest.mark.parametrize("shares", [(0.9, 0.8), (0.7, 0.95), (0.8, 0.8)])
def test_bounds_of_a_share_are_those_of_the_worst_cases(shares):
    """Manski's, by filling in every empty value with 0 and with 1."""
    frame = answered(shares)
    result = analyzed(frame, CONVERTED | {"missing": "drop"})
    ends = []
    for new, old in ((0, 1), (1, 0)):
        filled = frame.converted.fillna(frame.arm.map({"new": new, "old": old}))
        means = filled.groupby(frame.arm).mean()
        ends.append(means["new"] - means["old"])
    assert named(result, "converted").bounds == pytest.approx(tuple(ends), abs=1e-12)
    assert "Manski" in str(result.effects)


@pytest.mark.parametrize("seed", range(8))
def test_lees_bounds_are_the_extremes_over_all_ways_to_leave_out_the_surplus(seed):
    """By trying every subset of the arm with more values."""
    random = np.random.default_rng(seed)
    n_new, n_old, units = random.integers(4, 9), random.integers(4, 9), (10, random.integers(9, 13))
    new, old = random.normal(0, 1, n_new).round(1), random.normal(0, 1, n_old).round(1)
    shares = n_new / units[0], n_old / units[1]
    more, less = (new, old) if shares[0] > shares[1] else (old, new)
    kept = math.ceil(round(len(more) * min(shares) / max(shares), 9))
    means = [np.mean(subset) for subset in itertools.combinations(more, kept)]
    ends = sorted((mean - less.mean()) * (1 if more is new else -1) for mean in means)
    expected = (ends[0], ends[-1])
    assert lee_bounds(new, old, units) == pytest.approx(expected, abs=1e-12)


def test_bounds_of_a_mean_trim_the_arm_with_more_values():
    frame = answered((0.95, 0.7))
    result = analyzed(frame, SPENT | {"missing": "drop"})
    new, old = (np.sort(frame.spent[frame.arm == arm].dropna()) for arm in ARMS)
    kept = math.ceil(len(old))  # as many units in either arm
    low, high = named(result, "spent").bounds
    assert low == pytest.approx(new[:kept].mean() - old.mean(), rel=1e-12)
    assert high == pytest.approx(new[-kept:].mean() - old.mean(), rel=1e-12)
    assert low < named(result, "spent").difference < high
    page = " ".join(str(result.effects).split())
    assert "in one direction only" in page
    assert result.record()["comparisons"][0]["bounds"] == {"low": low, "high": high}


def test_nothing_empty_has_no_bounds():
    frame = answered((1.2, 1.2))
    for metric in (SPENT | {"missing": "drop"}, SPENT | {"missing": "zero"}):
        result = analyzed(frame, metric)
        assert named(result, "spent").bounds == (None, None)
        assert "empty" not in str(result.effects)


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ({"covariates": ["before"]}, {}),
        ({"cap": {"quantile": 0.99}}, {}),
        ({"type": "ratio", "numerator": "spent", "denominator": "unit", "column": None}, {}),
        ({"type": "quantile", "quantile": 0.5}, {}),
        ({}, {"strata": ["half"]}),
        ({}, {"data": {"rows": "finer"}}),
    ],
)
def test_bounds_that_are_not_computed_are_told(metric, fields):
    frame = answered((0.95, 0.9)).assign(before=lambda table: table.unit % 7)
    frame["half"] = frame.unit // 2 % 2
    declared = {key: value for key, value in (SPENT | metric).items() if value is not None}
    result = analyzed(frame, declared | {"missing": "drop"}, **fields)
    assert named(result, "spent").bounds == (None, None)
    assert "is not bounded here" in " ".join(str(result.effects).split())


def test_zeros_that_are_spread_unevenly_are_told_and_block_nothing():
    frame = answered((0.9, 0.6))
    zero, drop = (analyzed(frame, SPENT | {"missing": policy}) for policy in ("zero", "drop"))
    assert [known.check("missing_values").status for known in (zero, drop)] == ["warn", "fail"]
    assert (zero.broken, drop.broken) == (False, True)
    both = analyzed(
        frame.assign(kept=frame.spent.where(frame.unit % 500 > 0)),
        SPENT | {"missing": "zero"},
        SPENT | {"name": "kept", "column": "kept", "missing": "drop"},
    )
    assert dict(both.check("missing_values").detail.values)["metric"] == "kept"
