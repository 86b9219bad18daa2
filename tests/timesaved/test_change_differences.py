"""Differences in differences: printed values of public data, statsmodels, and hostile panels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.timesaved.change.differences import (
    averages,
    by_step,
    impute,
    last_before,
    leads,
    pre_trend,
    two_way,
)

# County teen employment (Callaway, Sant'Anna 2021; data set "mpdta" of their R package did): 500
# counties, 2003 to 2007, by the year of the minimum wage's rise. The panel is balanced, and all
# estimates depend on sizes and means of log employment by group and year alone: these.
SIZES = {0: 309, 2004: 20, 2006: 40, 2007: 131}
MEANS = (
    (5.6546300225, 5.5919999981, 5.6048084338, 5.6388962821, 5.6611325404),
    (6.1796968336, 6.1065635630, 6.0594520867, 6.0267043543, 6.0853879884),
    (6.5739936282, 6.5178837163, 6.5279413332, 6.5574345745, 6.5430409682),
    (5.8429064964, 5.8107831276, 5.8208656703, 5.8238663992, 5.8200482468),
)
NAN = np.nan


@pytest.fixture(scope="module")
def counties():
    starts = [5, *(year - 2003 for year in SIZES if year)]
    sizes = list(SIZES.values())
    return np.repeat(np.array(MEANS), sizes, axis=0), np.repeat(starts, sizes)


def rounded(values, digits=4):
    return {name: round(value, digits) for name, value in values.items()}


def test_last_before_gives_the_averages_that_callaway_and_santanna_print(counties):
    """README and ``aggte`` of did 2.5.0 (bcallaway11/did), README of csdid for the calendar."""
    outcome, starts = counties
    effects = last_before(outcome, starts).cells
    assert rounded(averages(effects, starts)) == {
        "simple": -0.0400,
        "group": -0.0310,
        "calendar": -0.0417,
        "dynamic": -0.0772,
    }


def test_last_before_gives_the_effects_by_group_and_year_that_they_print(counties):
    """The same README: ATT(g,t), group, calendar and dynamic effects."""
    outcome, starts = counties
    effects = last_before(outcome, starts).cells
    first = [np.flatnonzero(starts == start)[0] for start in (1, 3, 4)]
    assert effects[first[0], 1:].round(4).tolist() == [-0.0105, -0.0704, -0.1373, -0.1008]
    assert effects[first[1], 3:].round(4).tolist() == [-0.0046, -0.0412]
    assert effects[first[2], 4:].round(4).tolist() == [-0.0261]
    assert np.nanmean(effects[first], axis=1).round(4).tolist() == [-0.0797, -0.0229, -0.0261]
    calendar = np.nanmean(effects[:, 1:], axis=0).round(4).tolist()
    assert calendar == [-0.0105, -0.0704, -0.0488, -0.0371]
    steps = by_step(effects, starts)
    assert [round(steps[k][0], 4) for k in range(4)] == [-0.0199, -0.0510, -0.1373, -0.1008]
    assert [steps[k][1] for k in range(4)] == [191, 60, 20, 20]


def test_imputation_and_two_way_give_what_is_printed_of_the_same_counties(counties):
    """-.0477: Borusyak, Jaravel and Spiess' estimator; -.0365: two-way fixed effects."""
    outcome, starts = counties
    assert round(averages(impute(outcome, starts).cells, starts)["simple"], 4) == -0.0477
    assert round(two_way(outcome, starts), 4) == -0.0365


def test_two_by_two_of_card_and_krueger():
    """Card, Krueger (1994), table 3: full-time equivalents; 2.76, rounded means give 2.75."""
    outcome, starts = np.array([[20.44, 21.03], [23.33, 21.17]]), np.array([1, 2])
    for effects in (impute(outcome, starts), last_before(outcome, starts)):
        assert effects.cells[0, 1] == pytest.approx(2.75)
        assert averages(effects.cells, starts) == pytest.approx(
            dict.fromkeys(("simple", "group", "calendar", "dynamic"), 2.75)
        )
    assert two_way(outcome, starts) == pytest.approx(2.75)


def growing():
    """Six teams, three starts, all get it in the end; hours fall by 1 more in each week with it."""
    starts = np.array([2, 2, 6, 6, 10, 10])
    since = np.arange(14) - starts[:, None] + 1
    truth = np.where(since > 0, -1.0 * since, NAN)
    level = 40 + 3.0 * np.arange(6)[:, None] + np.sin(np.arange(14))
    return level + np.nan_to_num(truth), starts, truth


def test_two_way_is_of_the_wrong_sign_where_effects_grow_and_imputation_right():
    outcome, starts, truth = growing()
    effects = impute(outcome, starts)
    assert effects.not_estimable.tolist() == [10, 11, 12, 13]
    assert np.isnan(effects.cells[:, 10:]).all()
    assert effects.cells[:, :10] == pytest.approx(truth[:, :10], nan_ok=True)
    right = averages(effects.cells, starts)["simple"]
    assert right == pytest.approx(np.nanmean(truth[:, :10]))
    assert right < -3.5
    assert two_way(outcome, starts) > 0
    assert last_before(outcome, starts).cells == pytest.approx(effects.cells, nan_ok=True)


def random_panel(seed, missing):
    generator = np.random.default_rng(seed)
    teams, periods = generator.integers(3, 9), generator.integers(4, 12)
    outcome = generator.normal(size=(teams, periods)).cumsum(axis=1)
    outcome[generator.random(outcome.shape) < missing] = NAN
    return outcome, generator.integers(0, periods + 4, size=teams)


def dummies(outcome, cells):
    """Columns of teams and periods, for all cells and for those asked."""
    team, period = np.indices(outcome.shape)
    every = np.c_[np.eye(outcome.shape[0])[team.ravel()], np.eye(outcome.shape[1])[period.ravel()]]
    return every, every[cells.ravel()]


RANK = pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")


@RANK
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 0.4]))
def test_imputation_is_least_squares_on_all_dummies(seed, missing):
    """Against statsmodels' OLS; estimable: the cell's row lies in the rows of the cells used."""
    outcome, starts = random_panel(seed, missing)
    changed = np.arange(outcome.shape[1]) >= starts[:, None]
    cells = np.isfinite(outcome) & ~changed
    if not cells.any():
        assert np.isnan(impute(outcome, starts).cells).all()
        return
    every, used = dummies(outcome, cells)
    expected = (every @ sm.OLS(outcome[cells], used).fit().params).reshape(outcome.shape)
    inside = np.abs(every - every @ np.linalg.pinv(used) @ used).max(axis=1) < 1e-8
    expected[~inside.reshape(outcome.shape)] = NAN
    truth = np.where(changed, outcome - expected, NAN)
    assert impute(outcome, starts).cells == pytest.approx(truth, abs=1e-8, nan_ok=True)


@RANK
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.2]), st.integers(1, 3))
def test_leads_and_two_way_are_least_squares_on_all_dummies(seed, missing, count):
    """Against statsmodels' OLS: where a coefficient is estimable it is the same."""
    outcome, starts = random_panel(seed, missing)
    periods = outcome.shape[1]
    step = np.arange(periods) - starts[:, None]
    known = np.isfinite(outcome)
    never = (starts >= periods)[:, None]
    placebos = [(step == -k) & ~never for k in range(count, 0, -1)]
    got = list(leads(outcome, starts, count).values())
    for cells, indicators, estimates in (
        (known & (step < 0), placebos, got),
        (known, [step >= 0], [two_way(outcome, starts)]),
    ):
        _, used = dummies(outcome, cells)
        regressors = np.c_[used, np.array([k[cells] for k in indicators]).T]
        kept = np.linalg.pinv(regressors) @ regressors if cells.any() else np.zeros((count, count))
        estimable = np.isclose(np.diag(kept)[-len(indicators) :], 1)
        assert np.isfinite(estimates).tolist() == estimable.tolist()
        if estimable.any():
            fit = sm.OLS(outcome[cells], regressors).fit().params[-len(indicators) :]
            assert np.array(estimates)[estimable] == pytest.approx(fit[estimable], abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.2]))
def test_levels_of_teams_and_periods_and_the_order_of_rows_change_nothing(seed, missing):
    outcome, starts = random_panel(seed, missing)
    generator = np.random.default_rng(seed)
    teams, periods = outcome.shape
    moved = outcome + 5 * generator.normal(size=(teams, 1)) + generator.normal(size=periods)
    order = generator.permutation(teams)
    for estimate in (impute, last_before):
        effects = estimate(outcome, starts)
        for values, dates, at in (
            (moved, starts, slice(None)),
            (outcome[order], starts[order], order),
        ):
            again = estimate(values, dates)
            assert again.cells == pytest.approx(effects.cells[at], abs=1e-9, nan_ok=True)
            assert again.not_estimable.tolist() == effects.not_estimable.tolist()
            assert averages(again.cells, dates) == pytest.approx(
                averages(effects.cells, starts), abs=1e-9, nan_ok=True
            )
    for test in (two_way, lambda *panel: [*leads(*panel, 2).values()]):
        expected = pytest.approx(test(outcome, starts), abs=1e-8, nan_ok=True)
        assert test(moved, starts) == expected
        assert test(outcome[order], starts[order]) == expected
    known = pre_trend(outcome, starts, 2)
    again = pre_trend(outcome[order], starts[order], 2)
    assert (known is None) == (again is None)
    assert known is None or again == pytest.approx(known, rel=1e-6)


def test_last_before_is_the_mean_change_of_those_that_never_got_it():
    """By hand: each cell's change from the last period before, less that of the others."""
    generator = np.random.default_rng(5)
    outcome, starts = generator.normal(size=(5, 6)), np.array([2, 3, 3, 6, 9])
    outcome[1, 2] = NAN  # the last known one is before
    effects = last_before(outcome, starts).cells
    for team, base in ((0, 1), (1, 1), (2, 2)):
        for period in range(starts[team], 6):
            change = outcome[team, period] - outcome[team, base]
            others = outcome[3:, period] - outcome[3:, base]
            assert effects[team, period] == pytest.approx(change - others.mean())
    assert np.isnan(effects[3:]).all()


def test_groups_of_a_single_team_and_a_single_team_with_the_change_are_answered():
    outcome = np.zeros((4, 8)) + np.arange(4)[:, None]
    starts = np.array([3, 4, 5, 8])
    outcome[np.arange(8) >= starts[:, None]] -= 0.5
    for estimate in (impute, last_before):
        assert set(rounded(averages(estimate(outcome, starts).cells, starts)).values()) == {-0.5}
        alone = estimate(outcome[[0, 3]], starts[[0, 3]]).cells
        assert averages(alone, starts[[0, 3]])["group"] == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("outcome", "starts", "not_estimable"),
    [
        (np.ones((3, 6)), [2, 2, 2], [2, 3, 4, 5]),  # all at once
        (np.ones((3, 6)), [0, 0, 0], [0, 1, 2, 3, 4, 5]),  # no period before
        (np.ones((3, 6)), [0, 9, 9], []),  # of the only team with the change
        (np.ones((3, 6)), [6, 7, 8], []),  # nobody got it
        (np.full((3, 6), NAN), [2, 3, 6], []),  # nothing known
        (np.array([[1, 1, NAN, NAN], [NAN, NAN, 1, 1.0]]), [1, 9], [1]),  # never side by side
        (np.ones((1, 6)), [3], [3, 4, 5]),  # one team
        (np.ones((3, 1)), [0, 1, 1], []),  # one period
    ],
)
def test_what_cannot_be_estimated_is_neither_a_number_nor_an_exception(
    outcome, starts, not_estimable
):
    starts = np.array(starts)
    for estimate in (impute, last_before):
        effects = estimate(outcome, starts)
        assert np.isnan(effects.cells).all()
        assert effects.not_estimable.tolist() == not_estimable
        assert all(np.isnan(value) for value in averages(effects.cells, starts).values())
        assert by_step(effects.cells, starts) == {}
    assert np.isnan(two_way(outcome, starts))
    assert all(np.isnan(value) for value in leads(outcome, starts, 2).values())
    assert pre_trend(outcome, starts, 2) is None


def test_a_team_that_appears_late_counts_from_then_on_and_a_chain_is_enough():
    starts = np.array([4, 9, 9])
    truth = np.array([[1, 2, 3, 4, 5.0], [2, 3, 4, 5, 6], [5, 6, 7, 8, 9]])
    truth[0, 4] -= 3
    outcome = truth.copy()
    outcome[0, 2:4] = outcome[1, 2:] = outcome[2, 0] = NAN  # 0 and 2 meet in week 1
    assert impute(outcome, starts).cells[0, 4] == pytest.approx(-3)
    outcome[0, 1] = outcome[1, 0] = NAN  # nothing joins them any more
    assert np.isnan(impute(outcome, starts).cells).all()


def noise(generator, teams, periods, correlation=0.5):
    values = generator.normal(size=(teams, periods))
    for period in range(1, periods):
        values[:, period] *= (1 - correlation**2) ** 0.5
        values[:, period] += correlation * values[:, period - 1]
    return values


@pytest.mark.parametrize(("teams", "pilots", "apart"), [(12, 2, 3), (12, 6, 0), (12, 12, 1)])
def test_the_pre_trend_test_keeps_its_five_percent_and_sees_a_trend(teams, pilots, apart):
    """Simulation, 150 panels: no more than 5 % but for chance; rejects what starts too early."""
    generator = np.random.default_rng(3)
    starts = np.where(np.arange(teams) < pilots, 12, 30)
    starts += apart * (np.arange(teams) % (2 if pilots < teams else teams)) * (starts < 30)
    early = (np.arange(24) - starts[:, None] >= -4) & (starts < 30)[:, None]
    panels = [noise(generator, teams, 24) for _ in range(150)]
    calm = np.mean([pre_trend(values, starts, 4)[1] < 0.05 for values in panels])
    moved = np.mean([pre_trend(values + 3 * early, starts, 4)[1] < 0.05 for values in panels])
    assert calm <= 0.05 + 2.6 * (0.05 * 0.95 / 150) ** 0.5
    assert moved > 0.5
