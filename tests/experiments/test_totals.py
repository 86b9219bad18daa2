"""Totals by arm and day: the days, which the arms share, against scipy's paired t test and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.errors import DataError
from opslab.experiments.spec import Experiment

ENROLLED = {
    "name": "enrolled",
    "type": "mean",
    "column": "enrolled",
    "role": "primary",
    "goal": "increase",
}
MEAN = {
    "name": "revenue",
    "type": "mean",
    "column": "revenue",
    "role": "secondary",
    "goal": "increase",
}
RATIO = {
    "name": "paid",
    "type": "ratio",
    "numerator": "paid",
    "denominator": "enrolled",
    "role": "secondary",
    "goal": "increase",
}
START = pd.Timestamp("2026-05-04")


def experiment(*metrics, arms=("old", "new"), end="2026-05-31", **fields):
    return Experiment(
        experiment="a test",
        unit="clicks",
        data={"path": "t.csv", "rows": "totals"},
        arms={"column": "arm", "control": arms[0], "weights": dict.fromkeys(arms, 1.0)},
        period={"time": "day", "start": "2026-05-04", "end": end},
        metrics=metrics,
        **fields,
    )


def totals(days=28, arms=("old", "new"), seed=1):
    random = np.random.default_rng(seed)
    made = []
    for day in range(days):
        busy, mood = 300 + 100 * (day % 7), random.uniform(0.1, 0.3)
        for place, arm in enumerate(arms):
            clicks = random.poisson(busy)
            enrolled = random.binomial(clicks, mood + 0.01 * place)
            made.append(
                (
                    START + pd.Timedelta(days=day),
                    arm,
                    clicks,
                    enrolled,
                    random.binomial(enrolled, 0.5),
                    round(float(random.normal(5 * enrolled, 20)), 2),
                )
            )
    return pd.DataFrame(made, columns=["day", "arm", "clicks", "enrolled", "paid", "revenue"])


def by_day(frame, above, below, arm="new"):
    """Return the difference of ratios of sums, and the days' linearised variables of the two arms."""
    estimates, made = [], []
    for name in (arm, "old"):
        side = frame[frame.arm == name].sort_values("day")
        ratio = side[above].sum() / side[below].sum()
        estimates.append(ratio)
        made.append((side[above] - ratio * side[below]).to_numpy() / side[below].mean())
    return estimates, made


@pytest.mark.parametrize(
    ("metric", "above", "below"),
    [(ENROLLED, "enrolled", "clicks"), (MEAN, "revenue", "clicks"), (RATIO, "paid", "enrolled")],
)
def test_the_difference_is_that_of_the_sums_and_its_error_pairs_the_days(metric, above, below):
    frame = totals()
    (one,) = experiments.analyze(experiment(metric | {"role": "primary"}), frame).comparisons
    estimates, (new, old) = by_day(frame, above, below)
    paired = stats.ttest_rel(
        new, old
    )  # both means are 0 by construction: its spread is what counts
    error = np.std(new - old, ddof=1) / np.sqrt(28)
    assert paired.df == one.degrees_of_freedom == 27
    assert one.estimate == pytest.approx(tuple(estimates), rel=1e-12)
    assert one.standard_error == pytest.approx(error, rel=1e-9)
    assert one.p_value == pytest.approx(
        2 * stats.t.sf(abs(estimates[0] - estimates[1]) / error, 27), rel=1e-9
    )
    reach = stats.t.ppf(0.975, 27) * error
    low, high = one.difference_interval
    assert high - low == pytest.approx(2 * reach, rel=1e-9)
    assert (one.type, one.method) == (metric["type"], "paired_ratio")


def test_equal_days_give_the_paired_test_of_the_rates():
    """With the same units every day the ratio of sums is the mean of the days' rates."""
    frame = totals().assign(clicks=1_000)
    (one,) = experiments.analyze(experiment(ENROLLED), frame).comparisons
    rates = [(frame.enrolled / 1_000)[frame.arm == arm].to_numpy() for arm in ("new", "old")]
    expected = stats.ttest_rel(*rates)
    assert one.difference == pytest.approx(rates[0].mean() - rates[1].mean(), rel=1e-9)
    assert one.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert one.difference_interval == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)


def test_the_units_of_an_arm_are_what_the_totals_count():
    frame = totals()
    result = experiments.analyze(experiment(ENROLLED), frame)
    clicks = frame.groupby("arm").clicks.sum()
    assert [arm.units for arm in result.arms] == [clicks["old"], clicks["new"]]
    ratio = next(one for one in result.checks if one.name == "sample_ratio")
    assert ratio.value == pytest.approx(stats.chisquare(clicks).pvalue, rel=1e-9)
    days = next(one for one in result.checks if one.name == "sample_ratio_days")
    assert days.status == "pass"
    assert "leaked_units" not in {one.name for one in result.checks}


def test_rows_finer_than_a_day_are_summed_first():
    frame = totals()
    half = frame.copy()
    for name in ("clicks", "enrolled", "paid", "revenue"):
        half[name] = (frame[name] // 2).astype(frame[name].dtype)
        frame[name] = frame[name] - half[name]
    half["day"] += pd.Timedelta("11h")
    both = pd.concat([frame, half], ignore_index=True).sample(frac=1, random_state=1)
    found, whole = (
        experiments.analyze(experiment(ENROLLED, MEAN, RATIO), one) for one in (both, totals())
    )
    for one, other in zip(found.comparisons, whole.comparisons, strict=True):
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9)


def test_several_arms_are_each_paired_with_the_control():
    frame = totals(arms=("old", "new", "bold"))
    result = experiments.analyze(experiment(ENROLLED, arms=("old", "new", "bold")), frame)
    for one in result.comparisons:
        estimates, (new, old) = by_day(frame, "enrolled", "clicks", one.arm)
        assert one.difference == pytest.approx(estimates[0] - estimates[1], rel=1e-9)
        assert one.standard_error == pytest.approx(
            np.std(new - old, ddof=1) / np.sqrt(28), rel=1e-9
        )


def test_empty_totals_mean_what_the_spec_says():
    """An unfinished window: with `drop` its clicks do not count either; with `refuse` it is told."""
    frame = totals()
    late = frame.day >= START + pd.Timedelta(days=20)
    unfinished = frame.assign(enrolled=frame.enrolled.where(~late))
    with pytest.raises(DataError, match="enrolled in data is empty in 16 rows"):
        experiments.analyze(experiment(ENROLLED), unfinished)
    (one,) = experiments.analyze(experiment(ENROLLED | {"missing": "drop"}), unfinished).comparisons
    (expected,) = experiments.analyze(experiment(ENROLLED, end="2026-05-23"), frame).comparisons
    assert one.estimate == expected.estimate
    assert (one.p_value, one.standard_error) == pytest.approx(
        (expected.p_value, expected.standard_error), rel=1e-9
    )
    (zero,) = experiments.analyze(
        experiment(ENROLLED | {"missing": "zero"}), unfinished
    ).comparisons
    sums = unfinished.groupby("arm")[["enrolled", "clicks"]].sum()
    assert zero.estimate == pytest.approx(
        tuple((sums.enrolled / sums.clicks)[["new", "old"]]), rel=1e-12
    )


def test_an_unfinished_window_is_flagged():
    frame = totals()
    late = frame.day >= START + pd.Timedelta(days=20)
    unfinished = frame.assign(enrolled=frame.enrolled.where(~late))
    result = experiments.analyze(experiment(ENROLLED | {"missing": "drop"}), unfinished)
    check = next(one for one in result.checks if one.name == "outcome_windows")
    assert (check.status, check.value, str(dict(check.detail.values)["day"])) == (
        "fail",
        8,
        "2026-05-24",
    )
    blocked = experiment(ENROLLED | {"missing": "drop"}, decision={"blocking": ["outcome_windows"]})
    assert experiments.analyze(blocked, unfinished).broken


def test_a_day_of_one_arm_is_left_out_and_told():
    frame = totals().drop(index=[6])
    (one,) = experiments.analyze(experiment(ENROLLED), frame).comparisons
    (expected,) = experiments.analyze(experiment(ENROLLED), totals().drop(index=[6, 7])).comparisons
    assert one.difference == pytest.approx(expected.difference, rel=1e-12)
    assert one.n == (27, 27)
    assert "experiments.lone_units" in {note.key for note in one.notes}


@pytest.mark.parametrize(("value", "row"), [(-3, 3), (2.5, 3)])
def test_units_are_whole_numbers(value, row):
    frame = totals().astype({"clicks": float})
    frame.loc[row - 1, "clicks"] = value
    with pytest.raises(DataError, match=f"data, clicks: Row {row} holds {value}"):
        experiments.analyze(experiment(ENROLLED), frame)


def test_totals_without_units_arms_or_days_are_refused():
    frame = totals().astype({"clicks": float, "arm": object})
    for column, words in (
        ("clicks", "no number of units"),
        ("arm", "no arm"),
        ("day", "no date or time"),
    ):
        broken = frame.copy()
        broken.loc[4, column] = None
        with pytest.raises(DataError, match=words):
            experiments.analyze(experiment(ENROLLED), broken)


def test_ids_are_no_number_of_units():
    frame = totals().assign(clicks="user-7")
    with pytest.raises(DataError, match="data, clicks: Row 1 holds user-7"):
        experiments.analyze(experiment(ENROLLED), frame)


def test_a_share_of_the_units():
    share = ENROLLED | {"type": "proportion"}
    (one,) = experiments.analyze(experiment(share), totals()).comparisons
    (mean,) = experiments.analyze(experiment(ENROLLED), totals()).comparisons
    assert (one.type, one.estimate, one.p_value) == ("proportion", mean.estimate, mean.p_value)
    frame = totals()
    frame.loc[3, "enrolled"] = frame.clicks[3] + 1
    with pytest.raises(DataError, match="Row 4 holds"):
        experiments.analyze(experiment(share), frame)


def test_totals_without_any_unit_are_refused():
    with pytest.raises(DataError, match="Row 1 holds 0"):
        experiments.analyze(experiment(ENROLLED), totals().assign(clicks=0))
