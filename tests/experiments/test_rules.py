"""The rules of the checks: each at its bound, just below and just above, with all that it says."""

import datetime
import math

import numpy as np
import pytest
from scipy import stats

from opslab.experiments.checks import rules
from opslab.experiments.checks.influence import MOVED, Influence
from opslab.experiments.checks.rules import Day
from opslab.experiments.moments.arm_moments import ArmMoments, Moments
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import Calendar, Comparison
from opslab.experiments.units.unit_table import Gaps, Units

HALVES = {"old": 0.5, "new": 0.5}
DAY = datetime.date(2026, 9, 9)


def said(check):
    """Return what a check says: its status, its key without the area, its values."""
    area, _, key = check.detail.key.partition(".")
    assert area == "experiments"
    return check.status, key, dict(check.detail.values)


def about(number):
    return pytest.approx(number, rel=1e-8)


@pytest.mark.parametrize(
    ("p_value", "status"),
    [
        (0.0, "fail"),
        (math.nextafter(0.001, 0), "fail"),
        (0.001, "warn"),
        (math.nextafter(0.01, 0), "warn"),
        (0.01, "pass"),
        (1.0, "pass"),
    ],
)
def test_a_p_value_fails_below_1_in_1000_and_warns_below_1_in_100(p_value, status):
    assert rules.status_of(p_value) == status


def test_the_bounds():
    assert (rules.FAIL_BELOW, rules.WARN_BELOW) == (0.001, 0.01)
    assert (rules.FEWEST_EXPECTED, rules.FEWEST_CLUSTERS) == (5, 40)
    assert (MOVED, rules.CERTAIN) == (0.5, 14.0)


@pytest.mark.parametrize(
    ("registered", "status"),
    [("00ab", "pass"), (" 00AB\n", "pass"), ("00ac", "fail"), ("", "fail")],
)
def test_a_plan_is_the_registered_one_or_not(registered, status):
    check = rules.check_plan_unchanged(registered, "00ab")
    values = {"registered": registered, "fingerprint": "00ab"}
    assert said(check) == (status, f"plan_unchanged_{status}", values)
    assert (check.name, check.value, check.blocking) == ("plan_unchanged", None, False)
    assert rules.check_plan_unchanged(None, "00ab") is None


@pytest.mark.parametrize(
    ("counts", "shares", "farthest", "status"),
    [
        ((500, 500), (0.5, 0.5), 0, "pass"),
        ((500, 590), (0.5, 0.5), 0, "warn"),  # p .0064
        ((590, 500), (0.5, 0.5), 0, "warn"),
        ((500, 620), (0.5, 0.5), 0, "fail"),  # p .0003
        ((300, 330, 420), (1 / 3, 1 / 3, 1 / 3), 2, "fail"),
        ((420, 300, 330), (1 / 3, 1 / 3, 1 / 3), 0, "fail"),
        ((330, 300, 270), (0.4, 0.3, 0.3), 0, "pass"),
    ],
)
def test_the_sample_ratio_names_the_arm_that_is_farthest_off(counts, shares, farthest, status):
    check = rules.check_sample_ratio("abc"[: len(counts)], [(counts, shares)])
    expected = [sum(counts) * share for share in shares]
    p_value = stats.chisquare(counts, expected).pvalue
    values = {
        "arm": "abc"[farthest],
        "units": counts[farthest],
        "expected": about(expected[farthest]),
        "p": about(p_value),
    }
    assert said(check) == (status, f"sample_ratio_{status}", values)
    assert (check.name, check.value) == ("sample_ratio", about(p_value))


def within(name, shares, **levels):
    """Return the check of levels given as counts by arm, in the order of the shares."""
    given = {
        level.replace("_", "-").lstrip("-"): [(counts, list(shares.values()))]
        for level, counts in levels.items()
    }
    return rules.check_sample_ratio_within(name, list(shares), given)


def adjusted(*counts):
    return stats.false_discovery_control([stats.chisquare(pair).pvalue for pair in counts])


@pytest.mark.parametrize(
    ("worst", "status", "count"),
    [((100, 100), "pass", 0), ((100, 150), "warn", 1), ((100, 165), "fail", 1)],
)
def test_the_worst_segment_speaks_and_may_fail(worst, status, count):
    check = within("sample_ratio_segments", HALVES, a=(101, 99), b=worst, c=(95, 105))
    whole = sum(worst)
    p_value = adjusted((101, 99), worst, (95, 105)).min()
    values = {
        "level": "c" if status == "pass" else "b",
        "arm": "old",
        "units": 95 if status == "pass" else worst[0],
        "expected": 100 if status == "pass" else whole / 2,
        "count": count,
        "levels": 3,
        "p": about(p_value),
    }
    assert said(check) == (status, f"sample_ratio_segments_{status}", values)
    assert (check.name, check.value) == ("sample_ratio_segments", about(p_value))


@pytest.mark.parametrize(
    ("worst", "status"), [((100, 100), "pass"), ((100, 150), "warn"), ((100, 190), "warn")]
)
def test_days_say_where_and_never_fail(worst, status):
    check = within(
        "sample_ratio_days", HALVES, _2026_09_08=(100, 101), _2026_09_09=worst, _2026_09_10=(99, 97)
    )
    assert check.status == status
    assert check.name == "sample_ratio_days"
    if status != "pass":
        assert check.detail.values["level"] == DAY
        assert (check.detail.values["arm"], check.detail.values["units"]) == ("old", 100)


def test_the_arm_that_is_farthest_off_is_named_within_a_level():
    shares = {"a": 0.2, "b": 0.5, "c": 0.3}
    check = within("sample_ratio_segments", shares, x=(40, 100, 60), y=(45, 40, 115))
    values = dict(check.detail.values)
    assert (values["arm"], values["units"], values["expected"]) == ("b", 40, 100)
    absent = within("sample_ratio_segments", shares, x=(40, 100, 60), y=(40, 160, 0))
    values = dict(absent.detail.values)
    assert (values["level"], values["arm"], values["units"]) == ("y", "b", 160)
    check = within("sample_ratio_segments", HALVES, x=(50, 50), y=(0, 60))
    assert (check.detail.values["arm"], check.detail.values["units"]) == ("old", 0)
    check = within("sample_ratio_segments", HALVES, x=(50, 50), y=(60, 0))
    assert dict(check.detail.values) == {
        "level": "y",
        "arm": "old",
        "units": 60,
        "expected": 30,
        "count": 1,
        "levels": 2,
        "p": about(adjusted((50, 50), (60, 0)).min()),
    }


@pytest.mark.parametrize(
    ("phases", "units", "expected"),
    [
        # 10 of 100, then 50 of 100: as designed, although 60 of 200 are not
        ([((90, 10), (9, 1)), ((50, 50), (1, 1))], 140, 140),
        ([((70, 30), (9, 1)), ((50, 50), (1, 1))], 120, 140),
        # too few expected in the first phase, or a single arm: the second alone speaks
        ([((30, 10), (9, 1)), ((50, 50), (1, 1))], 50, 50),
        ([((20, 20), (9, 1)), ((50, 50), (1, 1))], 50, 50),
        ([((40, 0), (1, 0)), ((50, 50), (1, 1))], 50, 50),
    ],
)
def test_a_level_is_held_against_the_weights_of_each_of_its_phases(phases, units, expected):
    levels = {"x": phases, "y": [((500, 500), (1, 1))]}
    check = rules.check_sample_ratio_within("sample_ratio_segments", ["old", "new"], levels)
    values = dict(check.detail.values)
    assert values["levels"] == 2
    if units != expected:
        p_value = stats.chi2.sf(20**2 / 90 + 20**2 / 10, 2)
        assert (values["level"], values["units"], values["expected"]) == ("x", units, expected)
        assert check.value == about(2 * p_value)
    else:
        assert check.status == "pass"
    whole = rules.check_sample_ratio(["old", "new"], phases)
    statistic, freedom = 0.0, 0
    for counts, weights in phases:
        if min(weights) > 0:
            statistic += stats.chisquare(counts, sum(counts) * np.divide(weights, sum(weights)))[0]
            freedom += 1
    assert whole.value == about(stats.chi2.sf(statistic, freedom))


def test_levels_below_the_bound_are_counted_and_not_those_at_it(monkeypatch):
    levels = {"a": (100, 150), "b": (100, 100)}
    assert within("sample_ratio_segments", HALVES, **levels).detail.values["count"] == 1
    bound = within("sample_ratio_segments", HALVES, **levels).value
    monkeypatch.setattr(rules, "WARN_BELOW", bound)
    assert within("sample_ratio_segments", HALVES, **levels).detail.values["count"] == 0


@pytest.mark.parametrize(("units", "levels"), [(49, None), (50, 2), (51, 2)])
def test_a_level_counts_from_five_units_expected_in_the_smallest_arm(units, levels):
    shares = {"a": 0.9, "b": 0.1}
    check = within("sample_ratio_segments", shares, x=(450, 50), y=(units - 5, 5))
    assert (check and check.detail.values["levels"]) == levels


def test_an_arm_that_a_phase_does_not_have_leaves_the_others_to_be_compared():
    levels = {"x": [((50, 90, 0), (1, 1, 0))], "y": [((50, 50, 50), (1, 1, 1))]}
    check = rules.check_sample_ratio_within("sample_ratio_segments", ["a", "b", "c"], levels)
    values = dict(check.detail.values)
    assert (values["levels"], values["level"], values["units"]) == (2, "x", 50)
    assert check.value == about(2 * stats.chisquare((50, 90)).pvalue)


def test_a_single_level_is_the_whole():
    assert within("sample_ratio_segments", HALVES, x=(10, 90)) is None
    assert within("sample_ratio_segments", HALVES) is None


def test_the_p_value_that_is_smaller_before_it_is_adjusted_speaks_first():
    check = within("sample_ratio_segments", HALVES, a=(100, 150), b=(100, 152), c=(100, 100))
    assert adjusted((100, 150), (100, 152), (100, 100))[:2].tolist() == about(
        [adjusted((100, 150), (100, 152), (100, 100))[0]] * 2
    )
    assert check.detail.values["level"] == "b"
    assert check.detail.values["count"] == 2


STAYED = {"old": 5_000, "new": 5_000}


def leaked(units, old, new, stayed=STAYED):
    first = {"old": old, "new": new}
    counted = Units(units, 2 * units, 9, 3, old + new, 17, leaked_first=first)
    return rules.check_leaked_units(counted, stayed)


def test_without_leaked_units_it_does_not_matter_how_many_repeat():
    clean = rules.check_leaked_units(Units(500, 700, repeated=9, repeated_row=3), STAYED)
    assert said(clean) == ("pass", "leaked_units_pass", {"units": 500})
    assert (clean.name, clean.value) == ("leaked_units", 0)


@pytest.mark.parametrize(
    ("units", "old", "new", "status"),
    [
        (10_000, 50, 50, "warn"),  # 1 % itself
        (9_999, 50, 50, "fail"),
        (10_000, 51, 50, "fail"),
        (10_000, 1, 0, "warn"),
        (10_000, 35, 60, "warn"),  # p .010
        (10_000, 33, 64, "warn"),  # p .0016
        (10_000, 32, 66, "fail"),  # p .0006
        (10_000, 66, 32, "fail"),
    ],
)
def test_leaked_units_stop_by_their_share_or_their_lean(units, old, new, status):
    check = leaked(units, old, new)
    count = old + new
    values = {"count": count, "share": count / units, "row": 17}
    p_value = check.detail.values["p"]
    assert said(check) == (status, f"leaked_units_{status}", {**values, "p": p_value})
    assert (check.name, check.value) == ("leaked_units", count)
    if min(old, new) > 20:
        table = [(old, 5_000), (new, 5_000)]
        assert p_value == about(stats.chi2_contingency(table, correction=False).pvalue)


@pytest.mark.parametrize(("rows", "status"), [(200, "warn"), (201, "fail"), (6_000, "fail")])
def test_a_leaked_unit_with_many_rows_stops(rows, status):
    units = Units(10_000, 20_000, 9, 3, 1, 17, leaked_first={"old": 1})
    check = rules.check_leaked_units(units, STAYED, rows)
    values = {"count": 1, "share": 1 / 10_000, "row": 17, "p": check.detail.values["p"]}
    if status == "fail":
        assert said(check) == (status, "leaked_units_rows", values | {"share": rows / 20_000})
    else:
        assert said(check) == (status, "leaked_units_warn", values)


def test_the_lean_is_held_against_the_units_that_stayed():
    assert leaked(10_000, 60, 30, {"old": 6_000, "new": 3_000}).status == "warn"
    assert leaked(10_000, 30, 60, {"old": 6_000, "new": 3_000}).status == "fail"
    absent = Units(10_000, 10_200, 0, None, 20, 17, leaked_first={"new": 20})
    assert rules.check_leaked_units(absent, STAYED).status == "fail"


@pytest.mark.parametrize(
    ("reached", "status"), [((50, 50), "pass"), ((50, 85), "warn"), ((50, 95), "fail")]
)
def test_a_trigger_reaches_the_same_share_of_each_arm(reached, status):
    units = {"old": 400, "new": 420}
    arms = zip(reached, units.values(), strict=True)
    check = rules.check_trigger_ratio([[(met, whole - met) for met, whole in arms]])
    p_value = stats.chi2_contingency(
        [reached, [400 - reached[0], 420 - reached[1]]], correction=False
    ).pvalue
    values = {"share": about(sum(reached) / 820), "p": about(p_value)}
    assert said(check) == (status, f"trigger_ratio_{status}", values)
    assert (check.name, check.value) == ("trigger_ratio", about(p_value))


def test_a_trigger_is_compared_within_phases():
    """A share that differs between phases is no fault; that of one of their arms is."""
    alike = [[(180, 1_620), (20, 180)], [(250, 250), (250, 250)]]
    check = rules.check_trigger_ratio(alike)
    assert (check.status, check.value) == ("pass", 1)
    assert check.detail.values["share"] == about(700 / 3_000)
    apart = [[(180, 1_620), (60, 140)], [(250, 250), (250, 250)]]
    statistic = stats.chi2_contingency(apart[0], correction=False).statistic
    check = rules.check_trigger_ratio(apart)
    assert (check.status, check.value) == ("fail", about(stats.chi2.sf(statistic, 2)))


@pytest.mark.parametrize(("fewest", "status"), [(39, "warn"), (40, "pass"), (41, "pass")])
def test_forty_clusters_in_the_smallest_arm_are_enough(fewest, status):
    arms = {"old": ArmMoments(60, {}, {}), "new": ArmMoments(fewest, {}, {})}
    check = rules.check_few_clusters(arms)
    assert said(check) == (status, f"few_clusters_{status}", {"units": fewest, "fewest": 40})
    assert (check.name, check.value) == ("few_clusters", fewest)


@pytest.mark.parametrize("name", ["missing_values", "covariate_coverage"])
@pytest.mark.parametrize(
    ("empty", "status"), [((20, 20), "pass"), ((20, 42), "warn"), ((55, 20), "fail")]
)
def test_empty_values_are_compared_between_arms(empty, status, name):
    # Rows of units: each unit with some holds two of them.
    gaps = {"spend": [[Gaps(2 * units, units, 400) for units in empty]]}
    check = rules.check_empty(name, gaps)
    table = [empty, [400 - units for units in empty]]
    p_value = stats.chi2_contingency(table, correction=False).pvalue
    values = {
        "metric": "spend",
        "count": 2 * sum(empty),
        "from": about(1 - max(empty) / 400),
        "to": about(1 - min(empty) / 400),
        "p": about(p_value),
    }
    assert said(check) == (status, f"{name}_{status}", values)
    assert (check.name, check.value) == (name, about(p_value))


def test_the_column_whose_gaps_differ_most_speaks():
    even, uneven, none = (
        [[Gaps(units, units, 400) for units in pair]] for pair in ((90, 90), (1, 30), (0, 0))
    )
    for gaps in ({"even": even, "uneven": uneven, "none": none}, {"u": uneven, "e": even}):
        values = dict(rules.check_empty("missing_values", gaps).detail.values)
        assert (values["metric"][0], values["count"]) == ("u", 31)
    lone = {"none": none, "lone": [[Gaps(0, 0, 9), Gaps(1, 1, 9)]]}
    assert rules.check_empty("missing_values", lone).detail.values["metric"] == "lone"
    assert rules.check_empty("missing_values", {"none": none}) is None
    assert rules.check_empty("missing_values", {}) is None


@pytest.mark.parametrize(
    ("zeros", "status", "key"),
    [((), "fail", "fail"), (("spend",), "warn", "zero"), (("other",), "fail", "fail")],
)
def test_empty_values_that_count_as_0_only_warn(zeros, status, key):
    gaps = {"spend": [[Gaps(5, 5, 400), Gaps(60, 60, 400)]]}
    check = rules.check_empty("missing_values", gaps, zeros)
    assert (check.status, check.detail.key) == (status, f"experiments.missing_values_{key}")
    assert check.value == check.detail.values["p"] < 1e-6
    even = {"spend": [[Gaps(50, 50, 400), Gaps(50, 50, 400)]]}
    check = rules.check_empty("missing_values", even, zeros)
    assert (check.status, check.detail.key) == ("pass", "experiments.missing_values_pass")


def test_the_gap_that_is_a_fault_speaks_before_one_that_may_be_the_effect():
    gaps = {
        "zero": [[Gaps(5, 5, 400), Gaps(90, 90, 400)]],
        "fault": [[Gaps(5, 5, 400), Gaps(40, 40, 400)]],
    }
    for order in (1, -1):
        given = dict(list(gaps.items())[::order])
        check = rules.check_empty("missing_values", given, ["zero"])
        assert (check.status, check.detail.values["metric"]) == ("fail", "fault")


def arm(*means, n=200):
    """Return an arm whose covariates a, b, ... have these means and variance 1."""
    moments = {Column("ab"[k]): Moments(n, mean, n - 1.0) for k, mean in enumerate(means)}
    return ArmMoments(n, moments, {})


BOTH = [Column("a"), Column("b")]


@pytest.mark.parametrize(
    ("mean", "status"), [(10.0, "pass"), (10.31, "warn"), (9.69, "warn"), (10.4, "fail")]
)
def test_a_covariate_is_balanced(mean, status):
    check = rules.check_covariate_balance(
        {None: {"old": arm(10), "new": arm(mean)}}, "old", BOTH[:1]
    )
    p_value = 2 * stats.t.sf(abs(mean - 10) / 0.1, 398)
    values = {
        "covariate": "a",
        "arm": "new",
        "to": mean,
        "from": 10.0,
        "control": "old",
        "p": about(p_value),
    }
    assert said(check) == (status, f"covariate_balance_{status}", values)
    assert (check.name, check.value) == ("covariate_balance", about(p_value))


def test_the_worst_covariate_and_arm_speak_adjusted_over_all():
    arms = {"old": arm(10, 5), "new": arm(10.1, 5.05), "bold": arm(10.2, 5.33)}
    check = rules.check_covariate_balance({None: arms}, "old", BOTH)
    p_values = [2 * stats.t.sf(apart / 0.1, 398) for apart in (0.1, 0.2, 0.05, 0.33)]
    expected = 4 * min(p_values)  # the smallest of Holm's
    values = dict(check.detail.values)
    assert (values["covariate"], values["arm"], values["to"], values["from"]) == (
        *("b", "bold"),
        *(5.33, 5),
    )
    assert (check.value, check.status) == (about(expected), "warn")
    # Adjusted alike, at 1: the one that was smaller before speaks.
    close = {"old": arm(10, 5), "new": arm(10.001, 5.002), "bold": arm(10.0, 5.001)}
    check = rules.check_covariate_balance({None: close}, "old", BOTH)
    assert (check.value, check.detail.values["arm"]) == (1, "new")
    assert check.detail.values["covariate"] == "b"


def test_a_covariate_is_balanced_within_phases():
    """It may differ between phases, whose shares differ; within them it may not."""
    early = {"old": arm(10, n=900), "new": arm(10, n=100)}
    late = {"old": arm(20, n=500), "new": arm(20, n=500)}
    check = rules.check_covariate_balance({"a": early, "b": late}, "old", BOTH[:1])
    assert (check.status, check.value) == ("pass", 1)
    late["new"] = arm(20.5, n=500)
    check = rules.check_covariate_balance({"a": early, "b": late}, "old", BOTH[:1])
    assert (check.status, check.detail.values["arm"]) == ("fail", "new")
    error = np.sqrt((1 / 900 + 1 / 100 + 2 / 500) / 4)
    assert check.value == pytest.approx(2 * stats.norm.sf(0.25 / error), rel=0.5)


def test_without_covariates_that_vary_nothing_is_compared():
    flat = ArmMoments(9, {Column("a"): Moments(9, 1.0, 0.0)}, {})
    assert (
        rules.check_covariate_balance({None: {"old": flat, "new": flat}}, "old", BOTH[:1]) is None
    )
    assert rules.check_covariate_balance({None: {"old": arm(1), "new": arm(2)}}, "old", []) is None


@pytest.mark.parametrize(
    ("mean", "error", "compared"),
    [(1e10, 1e-5, False), (1e10, 1e-3, True), (1e-10, 1e-13, True), (-1e10, 1e-5, False)],
)
def test_a_covariate_that_varies_by_rounding_alone_is_none_however_large_or_small(
    mean, error, compared
):
    scatter = error**2 * 200 * 199 / 2
    same = ArmMoments(200, {Column("a"): Moments(200, mean, scatter)}, {})
    check = rules.check_covariate_balance({None: {"old": same, "new": same}}, "old", BOTH[:1])
    assert (check is not None) == compared


def known(difference, p_value, metric="spend"):
    return Comparison(
        *(metric, "primary", "mean", "increase", "new", "old", (9, 9), (0, 0)),
        difference=difference,
        p_value=p_value,
        standard_error=2.0,
    )


def group(before=3.0, after=3.0, p=0.2, p_without=0.3, *, apart=True, metric="spend"):
    """Return what a group of units does; errors are 2, so that 1 moves the effect by half of one."""
    whole, trimmed = known(before, p, metric), known(after, p_without, metric)
    return Influence(apart, "old", (7, 3, 9, 1), 0.25, whole, trimmed, trimmed)


@pytest.mark.parametrize(
    ("largest", "status", "key"),
    [
        (group(), "pass", "pass"),
        (group(3.0, 2.0), "pass", "pass"),  # half an error, not more
        (group(3.0, 1.9), "fail", "fail"),
        (group(3.0, 4.1), "fail", "fail"),
        (group(p=0.05), "fail", "fail"),  # significant at alpha itself
        (group(p=0.051), "pass", "pass"),
        (group(p_without=0.05), "fail", "fail"),
        (group(p_without=0.051), "pass", "pass"),
        (group(p=0.04, p_without=0.05), "pass", "pass"),
        (group(3.0, -3.0, apart=False), "pass", "pass"),
        (group(3.0, -0.1, p=0.05, apart=False), "fail", "reversed"),
        (group(3.0, 0.0, p=0.05, apart=False), "pass", "pass"),
        (group(3.0, 0.1, p=0.05, apart=False), "pass", "pass"),
        (group(-3.0, 0.1, p=0.05, apart=False), "fail", "reversed"),
        (group(3.0, -3.0, p=0.051, p_without=0.01, apart=False), "pass", "pass"),
    ],
)
def test_an_effect_rests_on_a_group_that_moves_it_or_on_the_farthest_that_turn_it(
    largest, status, key
):
    check = rules.check_outliers([largest], 0.05)
    before, after = largest.whole, largest.trimmed
    values = {
        "metric": "spend",
        "with": "new",
        "arm": "old",
        "count": 4,
        "rows": (7, 3, 9),
        "share": 0.25,
        "from": before.difference,
        "to": after.difference,
        "p": before.p_value,
        "p_without": after.p_value,
    }
    assert said(check) == (status, f"outliers_{key}", values)
    assert (check.name, check.value) == ("outliers", abs(after.difference - before.difference) / 2)


def test_what_carries_the_effect_speaks_then_a_group_then_what_moves_it_most():
    units = {
        "carries": group(3.0, -0.1, p=0.05, apart=False, metric="carries"),
        "group": group(3.0, 2.9, metric="group"),
        "most": group(3.0, 0.5, apart=False, metric="most"),
        "less": group(3.0, 0.9, apart=False, metric="less"),
    }
    for gone in ("", "carries", "group", "most"):
        units.pop(gone, None)
        for order in (1, -1):
            check = rules.check_outliers(list(units.values())[::order], 0.05)
            assert check.detail.values["metric"] == next(iter(units))
    assert rules.check_outliers([], 0.05) is None


@pytest.mark.parametrize(
    ("leans", "said_of"),
    [
        ({}, None),
        ({("spend", "new"): 0.2}, None),
        ({("spend", "new"): 0.21}, ("spend", "new")),
        ({("spend", "new"): 0.3, ("spend", "bold"): 0.4, ("paid", "new"): 0.1}, ("spend", "bold")),
    ],
)
def test_a_test_leans_from_a_skewness_of_a_fifth(leans, said_of):
    for given in (leans, dict(reversed(leans.items()))):
        check = rules.check_skewness(given)
        if said_of is None:
            assert check is None
            continue
        values = {"metric": said_of[0], "arm": said_of[1], "lean": leans[said_of]}
        assert said(check) == ("fail", "skewness_fail", values)
        assert (check.name, check.value) == ("skewness", leans[said_of])


def effects_by_day(*p_values):
    """Return tests of whether an effect differs between days, of metrics a, b, ..."""
    return [
        Calendar("abc"[order], "new", 1, (), (), p_value) for order, p_value in enumerate(p_values)
    ]


@pytest.mark.parametrize(
    ("p_values", "smallest", "status", "p_value"),
    [
        ([], 50, None, None),
        ([None], 50, None, None),
        ([0.0004], 49, None, None),
        ([0.0004], 50, "fail", 0.0004),
        ([0.0004, 0.3], 50, "fail", 0.0008),
        ([0.3, 0.0004, 0.2], 50, "warn", 0.0012),
        ([None, 0.0004, None], 50, "fail", 0.0004),
        ([0.8, 0.7], 50, "pass", 1.0),
    ],
)
def test_effects_of_days_are_compared_with_enough_units(p_values, smallest, status, p_value):
    check = rules.check_steady_effect(effects_by_day(*p_values), smallest)
    if status is None:
        assert check is None
        return
    worst = min((known, order) for order, known in enumerate(p_values) if known is not None)[1]
    values = {"metric": "abc"[worst], "arm": "new", "p": about(p_value)}
    assert said(check) == (status, f"steady_effect_{status}", values)
    assert (check.name, check.value) == ("steady_effect", about(p_value))


def test_gaps_are_adjusted_over_columns():
    gaps = {
        name: [[Gaps(20, 20, 400), Gaps(units, units, 400)]]
        for name, units in (("a", 43), ("b", 22), ("c", 25))
    }
    alone = rules.check_empty("missing_values", {"a": gaps["a"]})
    check = rules.check_empty("missing_values", gaps)
    assert (alone.status, dict(check.detail.values)["metric"]) == ("warn", "a")
    assert check.value == about(3 * alone.value)


@pytest.mark.parametrize(
    ("end", "as_of", "days", "status"),
    [
        (DAY, datetime.date(2026, 9, 8), 1, "fail"),
        (DAY, datetime.date(2026, 8, 9), 31, "fail"),
        (DAY, DAY, 0, "pass"),
        (DAY, datetime.date(2026, 9, 10), 0, "pass"),
    ],
)
def test_a_look_before_the_end_is_said(end, as_of, days, status):
    check = rules.check_period(end, as_of)
    values = {"end": end, "days": days, "day": as_of} if days else {"end": end}
    assert said(check) == (status, f"period_{status}", values)
    assert (check.name, check.value) == ("period", days)


def test_without_an_end_or_a_day_there_is_no_look():
    assert rules.check_period(None, DAY) is None
    assert rules.check_period(DAY, None) is None


@pytest.mark.parametrize(
    ("days", "seen", "key", "weeks", "gaps"),
    [
        (14, 14, "pass", 2, 0),
        (14, None, "pass", 2, 0),
        (7, 7, "pass", 1, 0),
        (1, 1, "warn", 0, 0),
        (13, 13, "warn", 1, 0),
        (15, None, "warn", 2, 0),
        (14, 13, "gaps", 2, 1),
        (15, 13, "gaps", 2, 2),
        (14, 15, "pass", 2, -1),
    ],
)
def test_whole_weeks_without_gaps(days, seen, key, weeks, gaps):
    start = datetime.date(2026, 9, 1)
    check = rules.check_weekly_cycle(start, start + datetime.timedelta(days - 1), seen)
    values = {"days": days, "weeks": weeks, "gaps": gaps}
    status = "pass" if key == "pass" else "warn"
    assert said(check) == (status, f"weekly_cycle_{key}", values)
    assert (check.name, check.value) == ("weekly_cycle", days)


@pytest.mark.parametrize(("count", "status"), [(1, "warn"), (99, "warn"), (100, "fail")])
def test_windows_that_are_not_over_are_counted_and_all_of_them_stop(count, status):
    for immature in ({"a": 0, "b": count}, {"b": count, "a": 0}, {"b": count, "a": count - 1}):
        check = rules.check_outcome_windows(immature, 100, DAY)
        values = {"metric": "b", "count": count, "share": count / 100, "day": DAY}
        assert said(check) == (status, "outcome_windows_warn", values)
        assert (check.name, check.value) == ("outcome_windows", count)


@pytest.mark.parametrize("immature", [{}, {"a": 0, "b": 0}])
def test_windows_that_are_over_pass(immature):
    check = rules.check_outcome_windows(immature, 100, DAY)
    assert said(check) == ("pass", "outcome_windows_pass", {"units": 100, "day": DAY})
    assert (check.name, check.value) == ("outcome_windows", 0)


def days(*counts, first=1):
    """Return days of a metric from (values, successes), of 50 units each."""
    return {
        f"2026-09-{first + order:02}": Day(50, values, successes)
        for order, (values, successes) in enumerate(counts)
    }


@pytest.mark.parametrize(
    ("by_day", "stopped"),
    [
        (days((50, None), (50, None), (0, None)), 1),
        (days((50, None), (0, None), (0, None)), 2),
        (days((50, None), (0, None), (50, None)), 0),
        (days((50, None), (50, None)), 0),
        (days((0, None), (0, None)), 0),
        (days((50, 10), (50, 0), (50, 0)), 2),  # 20 expected
        (days((52, 13), (28, 0), (28, 0)), 0),  # 14 expected, not more
        (days((52, 13), (28, 0), (29, 0)), 2),
        (days((100, 15), (50, 0), (50, 0)), 2),  # 15 of 100
        (days((50, 10), (50, 0)), 0),
        (days((50, 20), (50, 0)), 1),
        (days((50, 0), (50, 20), (50, 0)), 1),
        (days((50, 20), (0, 0)), 1),
        (days((50, 1), (50, 1)), 0),
    ],
)
def test_outcomes_that_stop_early_are_told(by_day, stopped):
    for order in (1, -1):
        given = dict(list(by_day.items())[::order])
        check = rules.check_last_days({"spend": given})
        if not stopped:
            assert check is None
            continue
        first = datetime.date(2026, 9, len(by_day) - stopped + 1)
        values = {"metric": "spend", "days": stopped, "day": first}
        assert said(check) == ("fail", "last_days", values)
        assert (check.name, check.value) == ("outcome_windows", stopped)


def test_the_metric_that_stops_first_speaks():
    one, two = days((50, None), (50, None), (0, None)), days((50, None), (0, None), (0, None))
    whole = days((50, None), (50, None), (50, None))
    for given in (
        {"whole": whole, "one": one, "two": two},
        {"two": two, "one": one, "whole": whole},
    ):
        assert rules.check_last_days(given).detail.values["metric"] == "two"
    assert rules.check_last_days({}) is None
