"""A period of broken splits: found where there is one, and not where there is none."""

import datetime

import numpy as np
import pytest
from scipy import stats

from opslab.experiments.program.broken_period import ALARM, Split, broken_period, by_month, spread

FIRST = datetime.date(2025, 1, 6)


def program(random, tests=60, weeks=52, broken=(), scale=8.0):
    at = random.integers(0, weeks, tests)
    arms = random.integers(1, 4, tests)
    factor = np.where(np.isin(at, broken), scale, 1.0)
    return [
        Split(FIRST + datetime.timedelta(7 * int(week)), float(statistic), int(freedom))
        for week, statistic, freedom in zip(at, factor * random.chisquare(arms), arms, strict=True)
    ]


def test_a_broken_stretch_is_found_with_its_ends():
    splits = program(np.random.default_rng(1), 300, broken=range(20, 32))
    found = broken_period(splits)
    assert found.p_value <= ALARM
    assert abs((found.start - FIRST).days - 140) <= 14
    assert abs((found.end - FIRST).days - (32 * 7 - 1)) <= 14
    assert found.starts[0] <= found.start <= found.starts[1]
    assert found.ends[0] <= found.end <= found.ends[1]
    assert found.tests == sum(found.start <= split.start <= found.end for split in splits)
    assert found.spread > 4
    assert 0.8 < found.spread_outside < 1.2


def test_neither_the_order_of_tests_nor_a_day_less_changes_it():
    splits = program(np.random.default_rng(2), 200, broken=range(20, 32))
    assert broken_period(splits) == broken_period(splits[::-1])
    assert broken_period([*splits, Split(None, 1e6, 1)]) == broken_period(splits)


def test_one_very_bad_test_is_no_period():
    splits = program(np.random.default_rng(3))
    assert broken_period([*splits, Split(FIRST, 1e5, 1)]) is None


@pytest.mark.parametrize("seed", range(20))
def test_none_in_a_program_of_twelve_tests(seed):
    random = np.random.default_rng(seed)
    assert broken_period(program(random, 12, 12, broken=range(3, 6))) is None


def test_false_alarms_come_no_oftener_than_stated():
    random = np.random.default_rng(4)
    alarms = sum(broken_period(program(random), seed) is not None for seed in range(150))
    assert stats.binomtest(alarms, 150, ALARM, alternative="greater").pvalue > 0.01


def test_splits_that_are_all_wide_are_no_period():
    """A program whose units come in clusters: every chi-square is too wide, and no week stands out."""
    random, alarms = np.random.default_rng(5), 0
    for seed in range(40):
        wide = [split._replace(statistic=2 * split.statistic) for split in program(random)]
        alarms += broken_period(wide, seed) is not None
    assert stats.binomtest(alarms, 40, ALARM, alternative="greater").pvalue > 0.01


def test_spread_and_months():
    splits = [Split(FIRST, 2.0, 1), Split(FIRST, 30.0, 2), Split(datetime.date(2025, 3, 1), 1.0, 1)]
    together, p_value = spread(splits)
    assert together == 33 / 4
    assert p_value == pytest.approx(stats.chi2.sf(33, 4))
    january, march = by_month(splits, None)
    assert (january.start, january.tests, january.failures) == (datetime.date(2025, 1, 1), 2, 1)
    assert (march.tests, march.failures, march.broken) == (1, 0, False)
    assert spread([]) == (0.0, 1.0)
