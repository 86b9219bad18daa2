"""A period in which units were not split as designed: found in the sample ratios of many tests."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from math import exp
from typing import Any

import numpy as np
from scipy.special import gammaincc

from opslab.experiments.program.result import FAILS, BrokenPeriod, PeriodRatio

ALARM = 0.01
"""Below this p-value a period is called broken: of a hundred healthy programs one at most."""
LEAST = 20
"""Dated tests with sample ratios, from which on a period is looked for."""
_SHUFFLES = 999
_TELLING = 20.0  # of -log p: a single test, however bad, makes no period

Ratio = tuple[datetime.date, float]
"""First day of a test, and the p-value of how its units were split, against its design."""


def by_month(ratios: Sequence[Ratio]) -> tuple[PeriodRatio, ...]:
    """Return the sample ratios by month of start."""
    months = Counter(day.replace(day=1) for day, _ in ratios)
    failures = Counter(day.replace(day=1) for day, p_value in ratios if p_value < FAILS)
    return tuple(
        PeriodRatio(month, tests, failures[month]) for month, tests in sorted(months.items())
    )


def is_in(period: BrokenPeriod | None, day: datetime.date | None) -> bool:
    """Return whether a test that started on a day lies in the period."""
    return bool(period and day and period.start <= day <= period.end)


def broken_period(ratios: Sequence[Ratio], seed: int = 0) -> BrokenPeriod | None:
    """Return the period whose sample ratios stand out from the others', None where none does.

    Every run of weeks is compared with all others by the likelihood ratio of -log p, which is
    exponential where units are split as designed; the p-value is the share of 999 orders of the
    tests in which some run stands out as much. Also the period's p-values together have to fail.

    Sources
    -------
    Kulldorff (1997), scan statistics; Huang, Kulldorff and Gregorio (2007), exponential ones;
    Fisher (1932), p-values together.
    """
    if len(ratios) < LEAST:
        return None
    days, p_values = zip(*sorted(ratios), strict=True)
    weeks, begins = np.unique([(day.toordinal() - 1) // 7 for day in days], return_index=True)
    edges = np.append(begins, len(days))
    values = -np.log(np.maximum(p_values, exp(-_TELLING)))
    orders = np.tile(np.sort(values), (_SHUFFLES, 1))
    orders = np.random.default_rng(seed).permuted(orders, axis=1)
    sums = np.pad(np.cumsum(np.vstack([values, orders]), axis=1), ((0, 0), (1, 0)))[:, edges]
    best, run = np.zeros(1 + _SHUFFLES), (0, 0)
    for first, edge in enumerate(begins):
        inside = sums[:, first + 1 :] - sums[:, first : first + 1]
        ratio = _likelihood_ratio(inside, edges[first + 1 :] - edge, sums[:, -1:], len(days))
        if ratio[0].max() > best[0]:
            run = first, first + int(ratio[0].argmax())
        best = np.maximum(best, ratio.max(axis=1))
    p_value = float((best >= best[0] * (1 - 1e-9)).mean())
    within = values[edges[run[0]] : edges[run[1] + 1]]
    if p_value > ALARM or gammaincc(len(within), within.sum()) > FAILS:
        return None
    monday = datetime.date.fromordinal(int(weeks[run[0]]) * 7 + 1)
    sunday = datetime.date.fromordinal(int(weeks[run[1]]) * 7 + 7)
    return BrokenPeriod(monday, sunday, len(within), p_value)


def _likelihood_ratio(inside: Any, count: Any, whole: Any, among: int) -> Any:
    """Return the log likelihood ratio of a larger mean inside than outside, 0 where it is less."""
    rest, others = np.maximum(whole - inside, 1e-12), np.maximum(among - count, 1)
    inside = np.maximum(inside, 1e-12)
    gain = count * np.log(inside / count) + (among - count) * np.log(rest / others)
    larger = (inside / count > rest / others) & (count < among)
    return np.where(larger, among * np.log(whole / among) - gain, 0.0)
