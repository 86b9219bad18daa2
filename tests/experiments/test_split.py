"""Is the split constant: against scipy, by simulation, and on splits that were changed on purpose."""

import datetime
import doctest
import json

import numpy as np
import pytest
from scipy import stats

from opslab.experiments.checks import sample_ratio, split
from opslab.experiments.checks.sample_ratio import homogeneity, sample_ratio_over
from opslab.experiments.checks.split import changes, check_constant_split


def drawn(units, shares, seed=1):
    """Return the units of two arms, day by day."""
    random = np.random.default_rng(seed)
    days = random.multinomial(units, np.full(len(shares), 1 / len(shares)))
    second = random.binomial(days, shares)
    return np.column_stack([days - second, second]).tolist()


def by_day(table):
    return {f"2026-03-{order + 1:02}": counts for order, counts in enumerate(table)}


def test_examples_run():
    assert doctest.testmod(split).failed == doctest.testmod(sample_ratio).failed == 0


@pytest.mark.parametrize("arms", [2, 3])
def test_large_counts_are_pearsons_chi_square(arms):
    table = np.random.default_rng(1).poisson(400, (14, arms))
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert homogeneity(table.tolist()) == pytest.approx(expected, rel=1e-9)
    phases = [table[:5].tolist(), table[5:].tolist()]
    tests = [stats.chi2_contingency(phase, correction=False) for phase in phases]
    expected = stats.chi2.sf(sum(test.statistic for test in tests), sum(test.dof for test in tests))
    assert homogeneity(*phases) == pytest.approx(expected, rel=1e-9)


def test_20_expected_in_each_cell_are_large_counts():
    table = [[25, 15], [15, 25]]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert homogeneity(table) == pytest.approx(expected, rel=1e-9)


def test_small_counts_are_simulated_as_scipy_draws_them():
    """scipy's own tables with fixed margins; and Fisher's exact test, which ranks by probability."""
    table = np.array([[30, 3], [25, 5], [20, 11], [28, 2], [31, 1]])
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = np.outer(rows, columns) / table.sum()
    others = stats.random_table(rows, columns, seed=7).rvs(40_000)
    hits = ((others - expected) ** 2 / expected).sum(axis=(1, 2)) >= (
        (table - expected) ** 2 / expected
    ).sum()
    assert homogeneity(table.tolist()) == pytest.approx(hits.mean(), rel=0.35, abs=0.0005)
    pair = [[3, 97], [14, 86]]
    assert homogeneity(pair) == pytest.approx(stats.fisher_exact(pair).pvalue, rel=0.35)


def test_a_p_value_knows_no_order():
    random, table = np.random.default_rng(3), drawn(300, np.full(14, 0.3))
    p_value = homogeneity(table, [[5, 9], [8, 2]])
    for _ in range(3):
        shuffled = random.permutation(table)[:, random.permutation(2)]
        assert homogeneity([[2, 8], [9, 5]], shuffled.tolist()) == p_value


def test_a_table_of_one_row_or_column_says_nothing():
    assert homogeneity([[5, 9]], [[0, 4], [0, 8]], []) == 1.0


@pytest.mark.parametrize(("arm", "units"), [(0.5, 12_000), (0.01, 3_000)])
def test_false_alarms_are_as_rare_as_they_say(arm, units):
    """A constant split, 400 times: 1 % below .01, within 4 standard errors, also of an arm of 1 %."""
    p_values = [homogeneity(drawn(units, np.full(14, arm), seed)) for seed in range(400)]
    assert np.mean(np.array(p_values) < 0.01) <= 0.03
    assert np.mean(np.array(p_values) < 0.001) <= 0.0075


def test_a_ramp_is_seen_where_single_days_are_not_sure():
    """12,000 units in 14 days, from 45 to 55 %: 97 of 100 at .001; single days see 41 (the issue's figures)."""
    tables = [drawn(12_000, np.linspace(0.45, 0.55, 14), seed) for seed in range(100)]
    assert sum(homogeneity(table) < 0.001 for table in tables) >= 92


@pytest.mark.parametrize("cuts", [[], [9], [3, 9]])
def test_the_days_of_a_change_are_located(cuts):
    shares = np.full(14, 0.5)
    for order, cut in enumerate(cuts):
        shares[cut:] = (0.8, 0.3)[order]
    assert sorted(changes(drawn(8_000, shares))) == cuts


def test_a_change_at_the_bound_itself_is_one(monkeypatch):
    table = [(260, 240), (250, 250), (200, 300), (210, 290)]
    p_value = homogeneity([(510, 490), (410, 590)])
    for bound, since in ((3 * p_value, [2]), (np.nextafter(3 * p_value, 0), [])):
        monkeypatch.setattr(split, "WARN_BELOW", bound)
        assert changes(table) == since


def test_a_change_is_told_with_its_day_and_the_phases_to_declare():
    shares = np.repeat([0.5, 0.1], [4, 6])
    check = check_constant_split(by_day(drawn(9_000, shares)), ["A", "B"])
    values = dict(check.detail.values)
    assert (check.status, check.detail.key) == ("fail", "experiments.constant_split_fail")
    assert values["day"] == datetime.date(2026, 3, 5)
    assert values["phases"] == (
        'phases: [{from: 2026-03-01, weights: {"A": 50, "B": 50}}, '
        '{from: 2026-03-05, weights: {"A": 90, "B": 10}}]'
    )


@pytest.mark.parametrize(
    ("counts", "weights"),
    [
        ((5_012, 4_988), {"A": 50, "B": 50}),
        ((4_460, 5_540), {"A": 45, "B": 55}),
        ((6_660, 3_340), {"A": 67, "B": 33}),
        ((95_500, 4_500), {"A": 955, "B": 45}),
        ((954_450, 45_550), {"A": 1_908_900, "B": 91_100}),
        ((7_000, 0), {"A": 100, "B": 0}),
    ],
)
def test_proposed_weights_are_as_round_as_the_units_allow(counts, weights):
    before = {"2026-03-01": counts, "2026-03-02": counts}
    after = {"2026-03-03": counts[::-1], "2026-03-04": counts[::-1]}
    if counts[0] * 0.9 < counts[1]:  # too near for a change of their own
        after = {"2026-03-03": (9_000, 1_000), "2026-03-04": (9_000, 1_000)}
    values = dict(check_constant_split(before | after, ["A", "B"]).detail.values)
    assert f"{{from: 2026-03-01, weights: {json.dumps(weights)}}}" in values["phases"]


@pytest.mark.parametrize(
    ("counts", "weights"),
    [
        ((29, 36), {"A": 40, "B": 60}),  # 44.6 % of few: tens
        ((4_460, 5_540), {"A": 45, "B": 55}),
        ((542, 908), {"A": 35, "B": 65}),  # 37.4 %: fives, p .0575; tens at p .042 do not go
        ((3_246, 6_754), {"A": 32, "B": 68}),
        ((324_460, 675_540), {"A": 324, "B": 676}),
    ],
)
def test_weights_are_tried_in_tens_fives_ones_and_tenths_of_a_hundred(counts, weights):
    days = {"2026-03-01": counts, "2026-03-02": (9_000, 1_000)}
    values = dict(check_constant_split(days, ["A", "B"]).detail.values)
    assert values["phases"] == (
        f"phases: [{{from: 2026-03-01, weights: {json.dumps(weights)}}}, "
        '{from: 2026-03-02, weights: {"A": 90, "B": 10}}]'
    )


def test_of_several_changes_the_clearest_is_told_with_the_arm_that_it_moved():
    days = by_day([[500, 300, 200]] * 3 + [[500, 280, 220]] * 3 + [[450, 100, 450]] * 3)
    values = dict(check_constant_split(days, ["A", "B", "C"]).detail.values)
    assert (values["arm"], values["day"]) == ("C", datetime.date(2026, 3, 7))
    assert (values["from"], values["to"]) == pytest.approx((0.21, 0.45), abs=0.011)


def test_an_arm_that_starts_later_is_named():
    table = [[90, 0]] * 5 + [[45, 45]] * 9
    check = check_constant_split(by_day(table), ["A", "B"])
    values = dict(check.detail.values)
    assert check.detail.key == "experiments.constant_split_late"
    assert (values["arm"], values["day"]) == ("B", datetime.date(2026, 3, 6))
    assert values["first"] == datetime.date(2026, 3, 1)
    assert 'weights: {"A": 100, "B": 0}' in values["phases"]


@pytest.mark.parametrize(
    ("first", "said", "day", "shares"),
    [((300, 0), "late", 3, (0.0, 0.5)), ((180, 120), "fail", 7, (0.5, 0.05))],
)
def test_of_two_changes_the_start_of_an_arm_speaks_else_the_clearer(first, said, day, shares):
    table = [first] * 2 + [(500, 500)] * 4 + [(950, 50)] * 4
    assert changes(table) == [6, 2]
    check = check_constant_split(by_day(table), ["A", "B"])
    values = dict(check.detail.values)
    assert check.detail.key == f"experiments.constant_split_{said}"
    assert values["day"] == datetime.date(2026, 3, day)
    if values["arm"] == "A":
        shares = tuple(1 - share for share in shares)
    assert (values["from"], values["to"]) == pytest.approx(shares)


def test_a_split_that_changes_to_and_fro_is_told_without_a_day():
    check = check_constant_split(by_day([[115, 85], [85, 115]] * 7), ["A", "B"])
    assert (check.status, check.detail.key) == ("fail", "experiments.constant_split_unclear")


def test_within_declared_phases_the_split_is_constant():
    table = by_day(drawn(9_000, np.repeat([0.5, 0.1], [4, 6])))
    declared = check_constant_split(
        table, ["A", "B"], lambda day: max("a" * (day < "2026-03-05"), "b")
    )
    assert declared.status == "fail"  # one phase again: what was declared is not what happened
    declared = check_constant_split(table, ["A", "B"], lambda day: str(day < "2026-03-05"))
    assert declared.status == "pass"
    assert check_constant_split(by_day([[5, 5]]), ["A", "B"]) is None


def test_sample_ratios_of_phases_add_up():
    phases = [((480, 520), (1, 1)), ((930, 70), (9, 1)), ((300, 0), (1, 0))]
    tests = [stats.chisquare((480, 520)), stats.chisquare((930, 70), (900, 100))]
    result = sample_ratio_over(phases)
    assert result.statistic == pytest.approx(sum(test.statistic for test in tests))
    assert (result.degrees_of_freedom, result.expected) == (2, (1700.0, 600.0))
    assert result.p_value == pytest.approx(stats.chi2.sf(result.statistic, 2), rel=1e-9)
    stray = sample_ratio_over([((480, 520), (1, 1)), ((300, 1), (1, 0))])
    assert stray.p_value == 0.0
    assert sample_ratio_over([((300, 0), (1, 0))]).p_value == 1.0
