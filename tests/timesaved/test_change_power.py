"""The smallest change that can be shown: against statsmodels, and by simulation."""

import datetime

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from opslab.timesaved.change.differences import averages, impute
from opslab.timesaved.change.few_teams import changes
from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.power import powers, smallest_change


def noise(random, shape, correlation):
    values = random.normal(size=shape)
    values[..., 1:] *= np.sqrt(1 - correlation**2)
    for week in range(1, shape[-1]):
        values[..., week] += correlation * values[..., week - 1]
    return values


def simple(outcome, starts):
    return np.array([averages(impute(outcome, starts).cells, starts)["simple"]])


def panel(outcome, starts):
    monday = datetime.date(2026, 1, 5)
    weeks = tuple(monday + datetime.timedelta(7 * week) for week in range(outcome.shape[1]))
    units = tuple(f"Team {team}" for team in range(len(outcome)))
    rows, none = np.ones(outcome.shape), np.zeros(outcome.shape)
    return Panel(units, weeks, outcome, rows, starts, {}, (), True, none)


@pytest.mark.parametrize(("teams", "pilots"), [(4, 2), (5, 1), (6, 3), (12, 4), (24, 12), (40, 3)])
def test_power_of_the_smallest_change_is_eighty_percent_by_statsmodels(teams, pilots):
    """Spread alone, so that it is the standard deviation of a team's change; and by noncentral t."""
    size = smallest_change(teams, pilots, 8, 0.5, 0.0) / 0.5
    power = TTestIndPower().power(size, pilots, 0.05, ratio=(teams - pilots) / pilots)
    assert power == pytest.approx(0.8, abs=1e-6)
    edge = stats.t.ppf(0.975, teams - 2)
    shift = size / np.sqrt(1 / pilots + 1 / (teams - pilots))
    own = stats.nct.sf(edge, teams - 2, shift) + stats.nct.cdf(-edge, teams - 2, shift)
    assert own == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_power_by_simulation_of_weeks(correlation):
    size = smallest_change(8, 4, 6, 0.1, 0.3, correlation)
    random = np.random.default_rng(1)
    values = 0.3 * noise(random, (20_000, 8, 12), correlation)
    moved = values[..., 6:].mean(-1) - values[..., :6].mean(-1) + random.normal(0, 0.1, (20_000, 8))
    p = stats.ttest_ind(moved[:, :4] - size, moved[:, 4:], axis=1).pvalue
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.01)


def test_weeks_that_are_alike_tell_less():
    sizes = [smallest_change(12, 6, 8, 0.0, 0.2, c) for c in (0.0, 0.3, 0.6)]
    assert sizes == sorted(sizes)
    assert sizes[0] == pytest.approx(smallest_change(12, 6, 16, 0.0, 0.2) * np.sqrt(2))


@pytest.mark.parametrize(("teams", "pilots"), [(3, 1), (2, 1), (8, 0), (8, 8)])
def test_fewer_than_four_teams_or_nobody_to_compare_never(teams, pilots):
    assert smallest_change(teams, pilots, 52, 0.01, 0.01) is None


def test_five_percent_with_four_teams_is_refused():
    """Hours that vary from week to week by a fifth, as in logs."""
    random = np.random.default_rng(1)
    outcome = 0.2 * noise(random, (4, 26), 0.3)
    table = powers(panel(outcome, np.full(4, 26)), outcome, 0)
    four = [power for power in table if power.teams == 4]
    assert [power.weeks for power in four] == [4, 8, 13, 26]
    assert all(power.smallest is None or power.smallest > 0.05 for power in four)
    assert four[-1].smallest <= 10


def test_the_table_holds_in_panels_of_the_same_kind():
    """Estimated from 26 weeks of 24 teams, beside the true spread, noise and correlation."""
    random = np.random.default_rng(1)
    ratios = []
    for _ in range(12):
        outcome = 0.25 * noise(random, (24, 40), 0.5) + random.normal(3, 1, (24, 1)) + np.arange(40)
        starts = np.where(np.arange(24) % 2, 26, 40)
        outcome[:, 26:] += 100 * (starts == 26)[:, None]
        found = {(p.teams, p.weeks): p.smallest for p in powers(panel(outcome, starts), outcome, 0)}
        ratios.append([found[12, w] / smallest_change(12, 6, w, 0, 0.25, 0.5) for w in (4, 8, 13)])
    assert np.mean(ratios, axis=0) == pytest.approx([1, 1, 1], abs=0.1)


def test_weeks_without_anything_do_not_make_it_quiet():
    random = np.random.default_rng(1)
    outcome = noise(random, (12, 30), 0.0)
    starts = np.full(12, 30)
    gaps = outcome.copy()
    gaps[:, 10:20] = np.nan
    full, left = (
        powers(panel(values, starts), values, 0)[0].smallest for values in (outcome, gaps)
    )
    assert left == pytest.approx(full, rel=0.2)


@pytest.mark.parametrize("periods", [4, 7])
def test_little_is_nothing_to_estimate_from(periods):
    outcome = np.random.default_rng(1).normal(size=(8, periods))
    assert powers(panel(outcome, np.full(8, periods)), outcome, 4) == ()


def test_a_start_before_the_data_and_few_periods_before_hide_nothing():
    outcome = np.random.default_rng(1).normal(size=(8, 30))
    usual = powers(panel(outcome, np.array([14, 14, 14, 14, *[30] * 4])), outcome, 4)
    for starts in ([0, 14, 14, 14], [2, 2, 2, 2]):
        table = powers(panel(outcome, np.array([*starts, *[30] * 4])), outcome, 4)
        same = [(row, other) for row in table for other in usual if row[:3] == other[:3]]
        assert len(same) >= 24
        assert all(row.smallest == pytest.approx(other.smallest, rel=0.3) for row, other in same)


def test_one_pilot_of_twelve_is_no_half():
    """Two means of samples of 1 and 11, and of 6 and 6."""
    outcome = np.random.default_rng(1).normal(size=(12, 20))
    rows = [powers(panel(outcome, np.full(12, 20)), outcome, pilots) for pilots in (1, 6)]
    one, half = ([row for row in table if row.teams == 12 and row.weeks == 8] for table in rows)
    assert (one[0].pilots, half[0].pilots) == (1, 6)
    ratio = np.sqrt((1 + 1 / 11) / (1 / 6 + 1 / 6))
    assert one[0].smallest == pytest.approx(ratio * half[0].smallest)


@pytest.mark.parametrize("periods", [12, 20, 34])
@pytest.mark.parametrize(("spread", "correlation"), [(0.0, 0.0), (0.0, 0.5), (0.2, 0.3)])
def test_by_simulation_the_table_is_right_in_the_median(periods, spread, correlation):
    """Of 12 teams; a step of each team at the start, effect .4, a cell in ten missing."""
    random, half, ratios = np.random.default_rng(1), periods // 2, []
    starts = np.array([half] * 6 + [periods] * 6)
    for _ in range(30):
        outcome = 0.2 * noise(random, (12, periods), correlation)
        outcome[:, half:] += random.normal(0, spread, (12, 1))
        outcome[:6, half:] += 0.4
        outcome[random.random(outcome.shape) < 0.1] = np.nan
        table = powers(panel(outcome, starts), outcome, 6)
        known = {row.weeks: row.smallest for row in table if row.teams == 12}
        ratios.append(
            [known[w] / smallest_change(12, 6, w, spread, 0.2, correlation) for w in (4, 8, 13)]
        )
    assert np.median(ratios, axis=0) == pytest.approx(1, abs=0.15)


def test_the_smallest_change_agrees_with_the_error_of_the_verdict():
    """Equal weeks on both sides; reach of t at 2.5 % and at 20 %, which is nearly noncentral t."""
    random, ratios, starts = np.random.default_rng(1), [], np.array([14] * 3 + [28] * 9)
    reach = stats.t.ppf([0.975, 0.8], 10).sum()
    for _ in range(20):
        outcome = 0.2 * noise(random, (12, 28), 0.4)
        _, errors, _ = changes(simple, outcome, starts)
        table = powers(panel(outcome, starts), outcome, 3)
        own = next(row for row in table if row.teams == 12 and row.weeks == 14)
        ratios.append(own.smallest / errors[0] / reach)
    assert np.quantile(ratios, [0.1, 0.5, 0.9]) == pytest.approx(1, abs=0.25)


def test_what_never_varies_is_nothing_to_estimate_from():
    outcome = np.add.outer(np.arange(8.0), np.arange(20.0))
    assert powers(panel(outcome, np.full(8, 20)), outcome, 0) == ()


def test_the_panel_s_own_teams_and_weeks_are_in_the_table():
    outcome = np.random.default_rng(1).normal(size=(9, 30))
    table = powers(panel(outcome, np.array([18, *[30] * 8])), outcome, 0)
    assert sorted({power.teams for power in table}) == [4, 6, 8, 9, 12, 24, 40]
    assert sorted({power.weeks for power in table}) == [4, 8, 13, 18, 26]
