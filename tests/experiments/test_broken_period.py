"""A period of broken splits: found where there is one, and not where there is none."""

import datetime

import numpy as np
import pytest
from scipy import stats

from opslab.experiments.program.broken_period import ALARM, broken_period, by_month

FIRST = datetime.date(2025, 1, 6)


def program(random, tests=60, weeks=52, broken=(), scale=8.0):
    at = random.integers(0, weeks, tests)
    arms = random.integers(1, 4, tests)
    factor = np.where(np.isin(at, broken), scale, 1.0)
    p_values = stats.chi2.sf(factor * random.chisquare(arms), arms)
    days = [FIRST + datetime.timedelta(7 * int(week)) for week in at]
    return list(zip(days, p_values.tolist(), strict=True))


def test_a_broken_stretch_is_found_with_its_ends():
    splits = program(np.random.default_rng(1), 300, broken=range(20, 32))
    found = broken_period(splits)
    assert found.p_value <= ALARM
    assert abs((found.start - FIRST).days - 140) <= 14
    assert abs((found.end - FIRST).days - (32 * 7 - 1)) <= 14
    assert found.tests == sum(found.start <= day <= found.end for day, _ in splits)


def test_the_order_of_tests_changes_nothing():
    splits = program(np.random.default_rng(2), 200, broken=range(20, 32))
    assert broken_period(splits) == broken_period(splits[::-1])


def test_one_very_bad_test_is_no_period():
    splits = program(np.random.default_rng(3))
    assert broken_period([*splits, (FIRST, 0.0)]) is None


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
        alarms += broken_period(program(random, scale=2.0, broken=range(52)), seed) is not None
    assert stats.binomtest(alarms, 40, ALARM, alternative="greater").pvalue > 0.01


def test_months():
    splits = [(FIRST, 0.16), (FIRST, 3e-7), (datetime.date(2025, 3, 1), 0.3)]
    january, march = by_month(splits)
    assert (january.start, january.tests, january.failures) == (datetime.date(2025, 1, 1), 2, 1)
    assert (march.tests, march.failures) == (1, 0)
