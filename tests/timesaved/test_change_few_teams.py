"""Few teams told from chance: against scipy, statsmodels, brute force and closed formulas."""

from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from opslab.timesaved.change.differences import averages, by_step, impute, two_way
from opslab.timesaved.change.few_teams import changes, interval, jackknife, verdicts

ONE_START = np.array([8, 8, 8, 20, 20, 20, 20])
SEVERAL = np.array([6, 6, 9, 12, 12, 99])


def simple(outcome, starts):
    return np.array([averages(impute(outcome, starts).cells, starts)["simple"]])


def quick(outcome, starts):
    """Return the same of one start without gaps, by the difference of means."""
    changed = starts < outcome.shape[1]
    moved = means(outcome, starts.min())
    return np.array([moved[changed].mean() - moved[~changed].mean()])


def with_steps(outcome, starts):
    cells = impute(outcome, starts).cells
    steps = by_step(cells, starts)
    return np.array(
        [averages(cells, starts)["simple"], *(steps.get(k, (np.nan,))[0] for k in range(12))]
    )


def panel(teams, periods, seed=1):
    random = np.random.default_rng(seed)
    noise = random.normal(0, 0.2, (teams, periods)).cumsum(axis=1) / 3
    return noise + random.normal(3, 0.5, (teams, 1)) + random.normal(0, 0.3, periods)


def means(outcome, start):
    """Return each team's mean after less its mean before."""
    return outcome[:, start:].mean(axis=1) - outcome[:, :start].mean(axis=1)


def by_method(outcome, starts, estimate=simple, **options):
    return {
        v.method: v
        for v in verdicts(estimate, outcome, starts, **{"drawn": True, "seed": 1} | options)
    }


class TestChanges:
    def test_one_start_is_the_t_test_of_two_samples_of_scipy(self):
        outcome = panel(7, 20)
        moved = means(outcome, 8)
        reference = stats.ttest_ind(moved[:3], moved[3:])
        ends = reference.confidence_interval()
        own = by_method(outcome, ONE_START)["changes"]
        assert own.primary
        assert own.p == pytest.approx(reference.pvalue)
        expected = (moved[:3].mean() - moved[3:].mean(), ends.low, ends.high)
        assert own.interval == pytest.approx(expected)

    def test_weeks_of_learning_of_one_start_count_for_nobody(self):
        outcome = panel(7, 20)
        outcome[:3, 8:10] = np.nan
        rest = np.delete(outcome, [8, 9], axis=1)
        reference = stats.ttest_ind(means(rest, 8)[:3], means(rest, 8)[3:])
        assert by_method(outcome, ONE_START)["changes"].p == pytest.approx(
            reference.pvalue, rel=0.05
        )

    def test_a_single_team_is_judged_by_the_spread_of_the_others(self):
        """The prediction interval of a further normal value."""
        outcome, starts = panel(9, 20), np.array([8, *[20] * 8])
        moved = means(outcome, 8)
        others = moved[1:]
        reach = stats.t.ppf(0.975, 7) * others.std(ddof=1) * np.sqrt(1 + 1 / 8)
        value = moved[0] - others.mean()
        found = by_method(outcome, starts)
        assert found["changes"].interval == pytest.approx((value, value - reach, value + reach))
        assert found["jackknife"].interval[1:] == (None, None)
        assert found["jackknife"].p is None

    def test_two_teams_tell_nothing(self):
        own = by_method(panel(2, 20), np.array([8, 20]))["changes"]
        assert (own.interval.low, own.interval.high, own.p) == (None, None, None)

    def test_what_cannot_be_estimated_has_no_verdict(self):
        assert verdicts(simple, panel(4, 20), np.full(4, 8), drawn=True, seed=1) == ()

    def test_several_starts_by_brute_force_from_weights_of_cells(self):
        """Weights by asking for the estimate of every cell alone; noise by a regression on dummies."""
        outcome, (teams, periods) = panel(6, 16), (6, 16)
        weights = np.zeros((teams, periods))
        for cell in np.ndindex(teams, periods):
            only = np.zeros((teams, periods))
            only[cell] = 1
            weights[cell] = simple(only, SEVERAL)[0]
        value = np.sum(weights * outcome)
        team, period = np.indices(outcome.shape).reshape(2, -1)
        changed = np.arange(periods) >= SEVERAL[:, None]
        dummies = np.c_[np.eye(teams)[team], np.eye(periods)[period]]
        flat = (outcome - value * changed).ravel()
        noise = (flat - dummies @ np.linalg.pinv(dummies) @ flat).reshape(outcome.shape)
        variance = np.sum((weights @ noise.T) ** 2) / (teams - 2)
        values, errors, freedom = changes(simple, outcome, SEVERAL)
        assert (values[0], errors[0], freedom) == pytest.approx((value, variance**0.5, 4))

    @pytest.mark.parametrize("starts", [ONE_START, np.array([5, 5, 5, 5, 12, 12, 30])])
    def test_p_and_interval_agree(self, starts):
        sure = set()
        for seed in range(6):
            outcome = panel(7, 20, seed) - 0.15 * seed * (np.arange(20) >= starts[:, None])
            own = verdicts(simple, outcome, starts, drawn=True, seed=1)[0]
            assert own.primary
            assert (own.p < 0.05) == (not own.interval.low <= 0 <= own.interval.high)
            sure.add(own.p < 0.05)
        assert sure == {True, False}

    def test_order_of_teams_and_unit_do_not_matter(self):
        outcome, order = panel(6, 16), np.array([3, 1, 5, 0, 2, 4])
        once = by_method(outcome, SEVERAL)
        again = by_method(7 * outcome[order], SEVERAL[order])
        for method, verdict in once.items():
            assert again[method].p == pytest.approx(verdict.p)
            assert again[method].interval.value == pytest.approx(7 * verdict.interval.value)

    def test_gaps_are_no_news(self):
        """What team and period effects explain is no noise, wherever cells are missing."""
        outcome = np.add.outer(np.arange(6.0), np.sin(np.arange(16)))
        outcome[0, 3] = outcome[4, 13] = outcome[5, :4] = np.nan
        values, errors, _ = changes(simple, outcome, SEVERAL)
        assert (values[0], errors[0]) == pytest.approx((0, 0), abs=1e-12)


class TestJackknife:
    def test_by_a_loop(self):
        outcome = panel(6, 16)
        values, covariance, freedom = jackknife(with_steps, outcome, SEVERAL)
        left = np.array(
            [
                with_steps(np.delete(outcome, g, axis=0), np.delete(SEVERAL, g)) - values
                for g in range(6)
            ]
        )
        for a, b in product(range(13), repeat=2):
            expected = 5 / 6 * sum(left[:, a] * left[:, b])
            assert covariance[a, b] == pytest.approx(expected, nan_ok=True)
        assert freedom == 5

    def test_one_start_is_hc3_of_the_changes_by_statsmodels(self):
        """Of a regression of the changes on who has it; HC3 leaves out (G - 1) / G."""
        outcome = panel(7, 20)
        changed = sm.add_constant((ONE_START == 8).astype(float))
        fit = sm.OLS(means(outcome, 8), changed).fit(cov_type="HC3")
        _, covariance, _ = jackknife(simple, outcome, ONE_START)
        assert covariance[0, 0] == pytest.approx(6 / 7 * fit.cov_params()[1, 1])

    def test_one_start_by_its_closed_formula(self):
        """(G - 1) / G (s1^2 / (n1 - 1) + s0^2 / (n0 - 1))."""
        outcome = panel(7, 20)
        moved = means(outcome, 8)
        expected = 6 / 7 * (moved[:3].var(ddof=1) / 2 + moved[3:].var(ddof=1) / 3)
        verdict = by_method(outcome, ONE_START)["jackknife"]
        assert jackknife(simple, outcome, ONE_START)[1][0, 0] == pytest.approx(expected)
        reach = stats.t.ppf(0.975, 6) * expected**0.5
        assert verdict.interval.high - verdict.interval.value == pytest.approx(reach)

    def test_what_one_team_holds_up_has_no_error(self):
        """From 7 periods after its start on the first team alone; 6 after, the one that waits."""
        starts = np.array([6, 9, 12, 12, 12, 99])
        values, covariance, _ = jackknife(with_steps, panel(6, 16), starts)
        alone = np.isnan(np.diag(covariance)) & np.isfinite(values)
        assert alone[1:].tolist() == [False] * 6 + [True] * 4 + [False] * 2


class TestPermutation:
    def test_two_groups_by_scipy(self):
        outcome = panel(7, 20)
        moved = means(outcome, 8)
        reference = stats.permutation_test(
            (moved[:3], moved[3:]),
            lambda a, b: abs(a.mean() - b.mean()),
            alternative="greater",
            vectorized=False,
        )
        verdict = by_method(outcome, ONE_START)["permutation"]
        assert verdict.p == pytest.approx(reference.pvalue)
        assert verdict.ways == 35
        assert verdict.interval.low is None

    def test_several_starts_are_all_orders_of_the_dates(self):
        """6! / (2! 2!) = 180."""
        verdict = by_method(panel(6, 16), SEVERAL)["permutation"]
        assert verdict.ways == 180

    def test_many_ways_are_drawn_and_the_true_one_counts(self):
        starts = np.repeat((8, 20), 9)
        outcome = panel(18, 20) - 5 * (np.arange(20) >= starts[:, None])
        assert quick(outcome, starts) == pytest.approx(simple(outcome, starts))
        verdict = by_method(outcome, starts, quick)["permutation"]
        assert verdict.ways == 5_000
        assert verdict.p == pytest.approx(1 / 5_000, abs=1 / 5_000)

    def test_what_cannot_be_estimated_is_left_out(self):
        """A team that appears late can be compared with, but never be the only one to wait."""
        outcome = panel(4, 12)
        outcome[3, :6] = np.nan
        assert np.isnan(simple(outcome, np.array([4, 4, 4, 12]))[0])
        assert by_method(outcome, np.array([12, 4, 4, 4]))["permutation"].ways == 3

    def test_stands_second_where_it_was_drawn_and_behind_where_not(self):
        outcome = panel(7, 20)
        drawn, chosen = (
            [v.method for v in verdicts(simple, outcome, ONE_START, drawn=drawn, seed=1)]
            for drawn in (True, False)
        )
        assert drawn == ["changes", "permutation", "jackknife", "bootstrap", "clustered"]
        assert chosen == ["changes", "bootstrap", "jackknife", "permutation", "clustered"]


class TestBootstrap:
    def test_by_brute_force_of_six_teams_with_both_conventions(self):
        """All 64 panels of signs, made and estimated anew; without identity and mirror p is less."""
        outcome, periods = panel(6, 16), 16
        flat = outcome - outcome.mean(0) - outcome.mean(1, keepdims=True) + outcome.mean()
        value = abs(simple(outcome, SEVERAL)[0])
        sizes = np.array(
            [
                abs(simple(outcome - flat + np.array(signs)[:, None] * flat, SEVERAL)[0])
                for signs in product((1, -1), repeat=6)
            ]
        )
        assert flat.shape == (6, periods)
        with_identity = np.mean(sizes >= value - 1e-9)
        without = np.mean(sizes > value + 1e-9)
        verdict = by_method(outcome, SEVERAL)["bootstrap"]
        assert (verdict.p, verdict.ways) == (pytest.approx(with_identity), 64)
        assert without == pytest.approx(with_identity - 2 / 64)

    def test_more_than_twelve_teams_are_drawn(self):
        found = [
            by_method(panel(14, 20), np.repeat((8, 20), 7), quick, seed=s)["bootstrap"]
            for s in (1, 1, 2)
        ]
        assert found[0].ways == 1_000
        assert found[0] == found[1]
        assert found[0].p == pytest.approx(found[2].p, abs=0.06)


class TestClustered:
    def test_one_start_by_statsmodels_with_its_factor(self):
        outcome = panel(7, 20)
        team, period = np.indices(outcome.shape).reshape(2, -1)
        changed = (period >= ONE_START[team]).astype(float)
        regressors = np.c_[changed, np.eye(7)[team], np.eye(20)[period, 1:]]
        fit = sm.OLS(outcome.ravel(), regressors).fit(cov_type="cluster", cov_kwds={"groups": team})
        low, high = stats.t.interval(0.95, 6, fit.params[0], fit.bse[0])
        verdict = by_method(outcome, ONE_START)["clustered"]
        assert verdict.interval == pytest.approx((fit.params[0], low, high))
        assert verdict.interval.value == pytest.approx(two_way(outcome, ONE_START))
        assert not verdict.primary

    def test_is_surer_than_the_primary(self):
        found = [by_method(panel(7, 20, seed), ONE_START) for seed in range(8)]
        width = {
            m: np.mean([f[m].interval.high - f[m].interval.low for f in found])
            for m in ("changes", "clustered")
        }
        assert width["clustered"] < width["changes"]


def test_intervals_by_scipy():
    assert interval(0.2, 0.1, 9) == pytest.approx((0.2, *stats.t.interval(0.95, 9, 0.2, 0.1)))
    assert interval(0.2, np.nan, 9) == (0.2, None, None)
    assert interval(np.nan, 0.1, 9).value is None
