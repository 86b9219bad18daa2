"""Checks that say where a fault is: by day and by segment, last days, whole weeks, a changed plan."""

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from opslab import experiments
from opslab.experiments.checks import rules
from opslab.experiments.spec import Experiment

SPEND = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
PAID = {
    "name": "paid",
    "type": "proportion",
    "column": "paid",
    "role": "secondary",
    "goal": "increase",
}
SPEC = """\
experiment: a test
unit: unit
arms: {column: arm, control: old, weights: {old: 1, new: 1}}
metrics:
  - {name: spend, type: mean, column: spend, role: primary, goal: increase}
"""


def analyzed(frame, *metrics, end="2026-09-28", as_of=None, **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    period = {"time": "seen", "start": "2026-09-01", "end": end}
    spec = Experiment(
        experiment="a test", unit="unit", arms=arms, metrics=metrics, period=period, **fields
    )
    return experiments.analyze(spec, frame, as_of=as_of)


def named(result, name):
    return next((one for one in result.checks if one.name == name), None)


def units(n=5_600, seed=1):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"unit": np.arange(n), "arm": np.where(random.random(n) < 0.5, "new", "old")}
    )
    frame["seen"] = pd.Timestamp("2026-09-01") + pd.to_timedelta(np.arange(n) % 28 + 0.3, unit="D")
    frame["land"] = random.choice(["de", "fr", "it"], n)
    frame["spend"] = random.gamma(2, 10, n)
    frame["paid"] = (random.random(n) < 0.3).astype(float)
    return frame


def without(frame, where):
    """Lose most units of the new arm there."""
    return frame[~(where & (frame.arm == "new") & (frame.unit % 10 < 6))]


def test_a_planted_fault_is_found_on_its_day_which_only_says_where():
    frame = units()
    frame = without(frame, frame.seen.dt.day == 9)
    result = analyzed(frame, SPEND, segments=["land"])
    check = named(result, "sample_ratio_days")
    counts = pd.crosstab(frame.seen.dt.day, frame.arm)
    p_values = [stats.chisquare(row).pvalue for row in counts.to_numpy()]
    assert check.value == pytest.approx(multipletests(p_values, method="fdr_bh")[1].min(), rel=1e-8)
    assert (check.status, check.detail.key) == ("warn", "experiments.sample_ratio_days_fail")
    assert dict(check.detail.values)["level"] == datetime.date(2026, 9, 9)
    assert (dict(check.detail.values)["units"], dict(check.detail.values)["levels"]) == (
        counts[dict(check.detail.values)["arm"]][9],
        28,
    )
    assert named(result, "sample_ratio_segments").status == "pass"
    split = named(result, "constant_split")
    expected = stats.chi2_contingency(counts, correction=False).pvalue
    assert split.value == pytest.approx(expected, rel=1e-8)
    assert (split.status, split.blocking, result.broken) == ("fail", True, True)


def test_a_planted_fault_is_found_in_its_segment():
    frame = units()
    result = analyzed(without(frame, frame.land == "it"), SPEND, segments=["land"])
    check = named(result, "sample_ratio_segments")
    assert (check.status, dict(check.detail.values)["level"]) == ("fail", "land: it")
    assert (named(result, "sample_ratio").status, result.broken) == ("fail", True)


def test_days_of_few_units_are_left_out():
    assert named(analyzed(units(200), SPEND), "sample_ratio_days") is None
    counts = {"a": (500, 480), "b": (9, 0), "c": (10, 12)}
    levels = {level: [(units, (1, 1))] for level, units in counts.items()}
    check = rules.check_sample_ratio_within("sample_ratio_segments", ["old", "new"], levels)
    assert (check.status, dict(check.detail.values)["levels"]) == ("pass", 2)


def test_days_without_any_fault_pass_in_the_share_that_was_meant():
    """1,000 times 28 days of 200 units: after the correction .1 % fail by chance, within Monte Carlo error."""
    random, failed = np.random.default_rng(5), 0
    for _ in range(1_000):
        levels = {
            f"2026-09-{day + 1:02}": [((int(one), 200 - int(one)), (1, 1))]
            for day, one in enumerate(random.binomial(200, 0.5, 28))
        }
        failed += (
            rules.check_sample_ratio_within("sample_ratio_days", ["old", "new"], levels).value
            < 0.001
        )
    assert failed <= 6


@pytest.mark.parametrize("empty", [np.nan, 0.0])
def test_last_days_without_outcomes_are_told(empty):
    frame = units()
    frame.loc[frame.seen.dt.day > 24, "paid"] = empty
    metric = PAID | {"missing": "drop", "role": "primary"}
    check = named(analyzed(frame, SPEND, metric), "outcome_windows")
    assert (check.status, check.value) == ("fail", 4)
    assert (check.detail.key, dict(check.detail.values)["metric"]) == (
        "experiments.last_days",
        "paid",
    )
    assert dict(check.detail.values)["day"] == datetime.date(2026, 9, 25)
    assert analyzed(frame, SPEND, metric, decision={"blocking": ["outcome_windows"]}).broken


def test_days_without_a_rare_success_are_chance():
    frame = units()
    frame["paid"] = 0.0
    frame.loc[frame.index[::400], "paid"] = 1.0
    assert frame[frame.paid == 1].seen.dt.day.nunique() < 28
    assert named(analyzed(frame, SPEND, PAID), "outcome_windows") is None


@pytest.mark.parametrize(
    ("end", "key"), [("2026-09-28", "pass"), ("2026-09-27", "warn"), ("2026-09-28", "gaps")]
)
def test_weeks_are_whole_or_it_is_said(end, key):
    frame = units()
    lost = frame.seen.dt.day.between(8, 14) & (key == "gaps")
    check = named(analyzed(frame[~lost], SPEND, end=end), "weekly_cycle")
    assert check.detail.key == f"experiments.weekly_cycle_{key}"
    assert check.status == ("pass" if key == "pass" else "warn")
    if key == "gaps":
        assert (check.value, dict(check.detail.values)["gaps"]) == (28, 7)


def test_an_interim_look_counts_the_days_so_far():
    check = named(analyzed(units(), SPEND, as_of=datetime.date(2026, 9, 14)), "weekly_cycle")
    assert (check.status, check.value) == ("pass", 14)


def spec(folder, text):
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return Experiment.load(folder / "spec.yaml")


def test_the_fingerprint_is_that_of_the_plan_and_not_of_its_layout(tmp_path):
    plain = spec(tmp_path, SPEC).fingerprint
    block = SPEC.replace(
        "{column: arm, control: old, weights: {old: 1, new: 1}}",
        "  # two of them\n  weights: {new: 1.0, old: 1.0}\n  control: 'old'\n  column: arm",
    )
    lines = SPEC.splitlines(keepends=True)
    for same in (
        block,
        "".join([*lines[1:], lines[0]]),
        SPEC + "owner: growth\n",
        SPEC + "question: Why?\n",
        SPEC + "themes: [shop/T01]\n",
        SPEC + "data: {path: elsewhere.csv}\n",
        SPEC + "design: {alpha: 0.05}\n",
        SPEC + "registered: 0123456789abcdef\n",
    ):
        assert spec(tmp_path, same).fingerprint == plain, same
    assert spec(tmp_path, SPEC + "themes: [shop/T01]\n").themes == ("shop/T01",)
    # Registered plans rest on it: fields of later versions must not change it.
    assert plain == "1cd1d86d63afa328"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("new: 1}", "new: 2}"),
        ("goal: increase", "goal: decrease"),
        ("column: spend", "column: spent"),
        ("unit: unit", "unit: shop"),
        ("goal: increase}", "goal: increase, mde: {relative: 0.1}}"),
        ("goal: increase}", "goal: increase, missing: drop}"),
        ("metrics:", "design: {alpha: 0.1}\nmetrics:"),
        ("metrics:", "segments: [land]\nmetrics:"),
        ("metrics:", "strata: [land]\nmetrics:"),
        ("metrics:", "decision: {primaries: any}\nmetrics:"),
        ("metrics:", "data: {rows: finer}\nmetrics:"),
        ("metrics:", "period: {end: 2026-09-28}\nmetrics:"),
        ("metrics:", "trigger: met\nmetrics:"),
    ],
)
def test_every_change_of_the_plan_changes_the_fingerprint(old, new, tmp_path):
    assert SPEC.count(old) == 1
    assert spec(tmp_path, SPEC.replace(old, new)).fingerprint != spec(tmp_path, SPEC).fingerprint


@pytest.mark.parametrize("blocking", [True, False])
def test_a_plan_that_changed_after_it_was_registered_is_said(blocking, tmp_path):
    frame = units(400)
    add = "decision: {blocking: [plan_unchanged]}\n" if blocking else ""
    written = spec(tmp_path, SPEC + add).fingerprint
    same = experiments.analyze(
        spec(tmp_path, f"{SPEC}{add}registered: '{written.upper()}'\n"), frame
    )
    assert named(same, "plan_unchanged").status == "pass"
    assert same.record()["plan"]["fingerprint"] == written
    text = SPEC.replace("goal: increase", "goal: decrease") + add
    changed = experiments.analyze(spec(tmp_path, f"{text}registered: '{written}'\n"), frame)
    check = named(changed, "plan_unchanged")
    assert (check.status, check.blocking, changed.broken) == ("fail", blocking, blocking)
    assert named(experiments.analyze(spec(tmp_path, SPEC + add), frame), "plan_unchanged") is None


def test_windows_are_part_of_the_plan():
    def plan(to):
        metric = {
            "name": "m",
            "type": "mean",
            "event": "buy",
            "window": {"to": to},
            "role": "primary",
            "goal": "increase",
        }
        return Experiment(
            experiment="a", unit="u", arms={"column": "arm", "control": "old"}, metrics=[metric]
        ).fingerprint

    assert plan("7d") == plan("168h") != plan("8d")


def test_missing_values_that_differ_between_arms_are_an_alarm():
    frame = units()
    frame.loc[(frame.arm == "new") & (frame.unit % 9 == 0), "spend"] = np.nan
    check = named(analyzed(frame, SPEND | {"missing": "drop"}), "missing_values")
    expected = stats.chi2_contingency(
        pd.crosstab(frame.arm, frame.spend.isna()), correction=False
    ).pvalue
    assert (check.status, check.value) == ("fail", pytest.approx(expected, rel=1e-8))


def test_what_is_wrong_with_a_secondary_metric_is_a_remark():
    """Empty values that lean to an arm: of what decides they stop, of the rest they are told."""
    frame = units()
    lost = (frame.arm == "new") & (frame.unit % 4 == 0)
    frame["paid"] = frame.paid.mask(lost)
    result = analyzed(frame, SPEND, PAID | {"missing": "drop"})
    assert (named(result, "missing_values").status, result.broken) == ("warn", False)
    primary = analyzed(frame, PAID | {"missing": "drop", "role": "primary"})
    assert (named(primary, "missing_values").status, primary.broken) == ("fail", True)
    both = frame.assign(spend=frame.spend.mask((frame.arm == "old") & (frame.unit % 4 == 1)))
    result = analyzed(both, SPEND | {"missing": "drop"}, PAID | {"missing": "drop"})
    worst = named(result, "missing_values")
    assert (worst.status, dict(worst.detail.values)["metric"]) == ("fail", "spend")
