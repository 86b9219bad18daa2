"""Which checks an analysis makes, in the order in which they are read, by the form of the data."""

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.experiments.spec import Experiment

SPENT = {"name": "spent", "type": "mean", "column": "spent", "role": "primary", "goal": "increase"}
BOUGHT = {
    "name": "bought",
    "type": "proportion",
    "column": "bought",
    "role": "secondary",
    "goal": "increase",
}
RATE = {
    "name": "rate",
    "type": "ratio",
    "numerator": "bought",
    "denominator": "visits",
    "role": "secondary",
    "goal": "increase",
}
CUPED = SPENT | {"covariates": ["before"]}
PERIOD = {"time": "seen", "start": "2026-09-01", "end": "2026-09-14"}


def units(n=1_400, seed=4):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": ["old", "new"] * (n // 2)})
    frame["seen"] = pd.Timestamp("2026-09-01") + pd.to_timedelta(np.arange(n) // 2 % 14, unit="D")
    frame["land"] = np.where(np.arange(n) // 2 % 3, "de", "fr")
    frame["before"] = random.normal(10, 2, n)
    frame["spent"] = random.normal(20, 2, n)
    frame["bought"] = (random.random(n) < 0.3).astype(float)
    frame["visits"] = random.integers(1, 5, n).astype(float)
    return frame


def checks(frame, *metrics, as_of=None, **fields):
    """Return the checks of an analysis by name, in order."""
    spec = Experiment(
        experiment="all",
        arms={"column": "arm", "control": "old"},
        metrics=metrics or [SPENT],
        **({"unit": "unit"} | fields),
    )
    as_of = as_of and datetime.date.fromisoformat(as_of)
    return {check.name: check for check in experiments.analyze(spec, frame, as_of=as_of).checks}


def values_of(check):
    return dict(check.detail.values)


WITH_DAYS = ["sample_ratio", "constant_split", "sample_ratio_days"]


def test_units_without_days():
    assert list(checks(units())) == ["sample_ratio", "leaked_units", "outliers"]


def test_units_with_all_that_can_be_declared():
    frame = units()
    frame.loc[::9, "before"] = np.nan
    frame.loc[::7, "spent"] = np.nan
    declared = {"segments": ["land"], "period": PERIOD, "registered": "00"}
    given = checks(frame, CUPED | {"missing": "drop"}, BOUGHT, as_of="2026-09-20", **declared)
    assert list(given) == [
        "plan_unchanged",
        *WITH_DAYS,
        "sample_ratio_segments",
        "leaked_units",
        "missing_values",
        "covariate_balance",
        "covariate_coverage",
        "period",
        "weekly_cycle",
        "outliers",
        "steady_effect",
    ]
    assert {name for name, check in given.items() if check.status != "pass"} == {"plan_unchanged"}


def test_days_of_exposure_end_where_the_look_is():
    """A look on the 7th of 14 days: one week, without a gap."""
    frame = units()
    given = checks(frame[frame.seen < "2026-09-08"], period=PERIOD, as_of="2026-09-07")
    names = ["leaked_units", "period", "weekly_cycle", "outliers", "steady_effect"]
    assert list(given) == [*WITH_DAYS, *names]
    assert (given["period"].status, given["period"].value) == ("fail", 7)
    assert (given["weekly_cycle"].status, given["weekly_cycle"].value) == ("pass", 7)


def test_a_period_without_the_day_of_units_tells_only_a_look_before_its_end():
    declared = {name: day for name, day in PERIOD.items() if name != "time"}
    given = checks(units(), period=declared, as_of="2026-09-07")
    assert list(given) == ["sample_ratio", "leaked_units", "period", "outliers"]


@pytest.mark.parametrize("column", ["numerator", "denominator"])
def test_of_a_ratio_the_column_with_most_gaps_speaks(column):
    frame = units()
    frame.loc[frame.index[:200:2], RATE[column]] = np.nan  # 100 of the 700 of old
    frame.loc[frame.index[:10], {"bought": "visits", "visits": "bought"}[RATE[column]]] = np.nan
    check = checks(frame, RATE | {"role": "primary", "missing": "drop"})["missing_values"]
    empty = frame[RATE[column]].isna().groupby(frame.arm).sum()
    table = [[empty[arm], 700 - empty[arm]] for arm in ("old", "new")]
    assert check.value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert (check.status, values_of(check)["count"]) == ("fail", empty.sum())
    assert values_of(check)["to"] == pytest.approx(1 - empty.min() / 700)


def test_gaps_of_a_covariate_are_those_of_the_arms():
    frame = units()
    frame.loc[frame.index[:300:3], "before"] = np.nan
    frame.loc[frame.index[300:700:2], "before"] = np.nan
    check = checks(frame, CUPED)["covariate_coverage"]
    empty = frame.before.isna().groupby(frame.arm).sum()
    table = [[empty[arm], 700 - empty[arm]] for arm in ("old", "new")]
    assert check.value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert (values_of(check)["metric"], check.status) == ("before", "fail")


def test_empty_values_that_count_as_0_are_told_apart():
    frame = units()
    frame.loc[frame.index[:200:2], "spent"] = np.nan
    for missing, status in (("zero", "warn"), ("drop", "fail")):
        check = checks(frame, SPENT | {"missing": missing})["missing_values"]
        assert (check.status, values_of(check)["count"]) == (status, 100)


def test_finer_rows_count_units_and_days_of_their_own():
    frame = pd.concat([units(), units(seed=5)])
    given = checks(frame, period=PERIOD, data={"rows": "finer"})
    assert list(given)[-4:] == ["outliers", "repeated_rows", "few_clusters", "steady_effect"]
    assert given["few_clusters"].value == 700


def test_totals_by_day_and_of_whole_arms():
    sums = units().assign(users=1).groupby(["arm", "seen"])[["users", "spent"]].sum().reset_index()
    given = checks(sums, unit="users", data={"rows": "totals"}, period=PERIOD)
    assert "few_clusters" in given
    assert not {"leaked_units", "totals_only"} & set(given)
    counts = {"old": (5_000, 1_600), "new": (5_000, 1_650)}
    named = [check.name for check in experiments.from_counts(counts, "old").checks]
    assert named == ["sample_ratio", "totals_only"]


def test_triggered_units_are_held_against_all_of_them():
    frame = units().assign(met=0)
    frame.loc[frame.index[:500:2], "met"] = 1  # of old
    frame.loc[frame.index[1:300:2], "met"] = 1  # of new
    check = checks(frame, trigger="met")["trigger_ratio"]
    table = [[250, 450], [150, 550]]
    assert check.value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert values_of(check)["share"] == pytest.approx(400 / 1_400)


@pytest.mark.parametrize(("lost", "status"), [("bought", "warn"), ("spent", "fail")])
def test_outcomes_that_stop_early_are_looked_for_in_each_metric(lost, status):
    frame = units()
    frame.loc[frame.seen > "2026-09-11", lost] = 0.0 if lost == "bought" else np.nan
    metrics = [SPENT | {"missing": "drop"}, BOUGHT]
    check = checks(frame, *metrics, period=PERIOD)["outcome_windows"]
    assert (check.status, check.value, values_of(check)["metric"]) == (status, 3, lost)
    assert values_of(check)["day"] == datetime.date(2026, 9, 12)


def test_an_arm_without_events_speaks_where_it_decides():
    """Two silent metrics: the one that decides is told."""
    frame = units()
    frame["other"] = frame.bought
    frame.loc[frame.arm == "new", ["bought", "other"]] = 0.0
    other = BOUGHT | {"name": "other", "column": "other"}
    for metrics in ([BOUGHT, other | {"role": "primary"}], [other | {"role": "primary"}, BOUGHT]):
        check = checks(frame, *metrics)["silent_arm"]
        assert (check.status, values_of(check)["metric"]) == ("fail", "other")


def test_totals_tell_a_silent_arm_by_units_not_by_days():
    frame = units().assign(users=1)
    frame.loc[frame.arm == "new", "bought"] = 0.0
    sums = frame.groupby(["arm", "seen"])[["users", "bought"]].sum().reset_index()
    metric = BOUGHT | {"role": "primary"}
    check = checks(sums, metric, unit="users", data={"rows": "totals"}, period=PERIOD)["silent_arm"]
    assert (check.status, values_of(check)["arm"]) == ("fail", "new")
    assert check.value == frame.bought.sum()  # both arms have 700 units


OTHER = SPENT | {"name": "other", "column": "other", "role": "secondary"}


@pytest.mark.parametrize(
    ("empty", "said"),
    [
        ({}, None),
        ({"spent": 100}, ("fail", "spent")),
        ({"other": 100}, ("warn", "other")),
        ({"spent": 100, "other": 300}, ("fail", "spent")),  # the one that decides speaks
        ({"spent": 0, "other": 100}, ("warn", "other")),  # even gaps of that one pass
        ({"spent": 0, "other": 0}, ("pass", "spent")),
        ({"other": 0}, ("pass", "other")),
    ],
)
@pytest.mark.parametrize("role", ["primary", "guardrail"])
def test_gaps_of_a_metric_that_decides_speak_and_those_of_others_are_a_remark(empty, said, role):
    """So many of the 700 of old more than of new are empty; of each arm 20 where it is 0."""
    frame = units().assign(other=lambda rows: rows.spent + 1, third=1.0 + np.arange(1_400) % 7)
    for name, more in empty.items():
        frame.loc[frame.index[: 2 * more : 2] if more else frame.index[:40], name] = np.nan
    metrics = [known | {"missing": "drop"} for known in (OTHER, SPENT)]
    if role == "guardrail":
        metrics[1] |= {"role": role, "margin": {"relative": 0.05}}
        metrics.append(SPENT | {"name": "third", "column": "third"})
    for declared in (metrics, metrics[::-1]):
        check = checks(frame, *declared).get("missing_values")
        assert (check and (check.status, values_of(check)["metric"])) == said


@pytest.mark.parametrize(("far", "said"), [("spent", "fail"), ("other", "warn")])
def test_outliers_of_a_metric_that_does_not_decide_are_a_remark(far, said):
    frame = units().assign(other=lambda rows: rows.spent + 1)
    frame.loc[frame.index[8], far] = 5_000.0
    check = checks(frame, OTHER, SPENT)["outliers"]
    values = values_of(check)
    assert (check.status, values["metric"], values["rows"]) == (said, far, (9,))


@pytest.mark.parametrize(("registered", "failed"), [(None, True), ("right", False)])
def test_phases_that_were_not_registered_are_a_condition(registered, failed):
    phases = [{"from": "2026-09-01", "weights": {"old": 1, "new": 1}}]
    if registered:
        spec = {"experiment": "all", "arms": {"column": "arm", "control": "old"}}
        spec |= {"metrics": [SPENT], "unit": "unit", "period": PERIOD, "phases": phases}
        registered = Experiment(**spec).fingerprint
    given = checks(units(), period=PERIOD, phases=phases, registered=registered)
    assert ("phases_planned" in given) == failed
    if failed:
        assert given["phases_planned"].status == "fail"


def test_denominators_of_ratios_are_compared_but_not_sums_over_the_units_of_a_day():
    frame = units()
    frame.loc[frame.arm == "new", "visits"] += 1.0
    rate = RATE | {"role": "primary"}
    check = checks(frame, rate, rate | {"name": "again", "role": "secondary"})["denominators"]
    new, old = (frame.visits[frame.arm == arm] for arm in ("new", "old"))
    expected = stats.ttest_ind(new, old, equal_var=False).pvalue
    assert (check.status, values_of(check)["covariate"]) == ("fail", "visits")
    assert check.value == pytest.approx(expected, rel=1e-6)
    sums = frame.assign(users=1).groupby(["arm", "seen"])[["users", "bought", "visits"]].sum()
    declared = {"unit": "users", "data": {"rows": "totals"}, "period": PERIOD}
    assert "denominators" not in checks(sums.reset_index(), rate, **declared)


@pytest.mark.parametrize(("a_day", "compared"), [(49, False), (50, True)])
def test_days_are_compared_from_50_units_of_each_arm_on_each(a_day, compared):
    frame = units(1_400 * 2)
    frame["turn"] = frame.groupby(["arm", "seen"]).cumcount()
    small = (frame.seen == "2026-09-05") & (frame.arm == "new") & (frame.turn >= a_day)
    assert ("steady_effect" in checks(frame[~small], period=PERIOD)) == compared
    gone = (frame.seen == "2026-09-05") & (frame.arm == "new")
    assert "steady_effect" not in checks(frame[~gone], period=PERIOD)


def test_an_effect_of_some_days_alone_is_not_steady():
    frame = units(1_400 * 2)
    frame.loc[(frame.arm == "new") & (frame.seen > "2026-09-12"), "spent"] += 3.0
    check = checks(frame, period=PERIOD)["steady_effect"]
    assert (check.status, values_of(check)["metric"]) == ("fail", "spent")


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_only_a_metric_that_decides_leans(role):
    """Uneven values in arms of 1 to 19: by hand, the skewness of the difference of two means."""
    frame = units()
    frame["arm"] = np.where(np.arange(1_400) % 20, "old", "new")
    frame["other"] = np.random.default_rng(5).pareto(4, 1_400)
    other = OTHER | {"role": role}
    metrics = [other] if role == "primary" else [SPENT, other]
    check = checks(frame, *metrics).get("skewness")
    skewness = stats.skew(frame.other, bias=False)
    lean = skewness * (70**-2 - 1_330**-2) / (1 / 70 + 1 / 1_330) ** 1.5
    assert lean > 0.2
    if role == "secondary":
        assert check is None
    else:
        assert (check.status, check.value) == ("fail", pytest.approx(lean, rel=1e-6))
