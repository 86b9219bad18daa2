"""A period in which units were not split as designed: found in the sample ratios of many tests."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from math import exp, log
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtrc

from opslab.experiments.program.result import BrokenPeriod, PeriodRatio

FAILS = 0.001
"""Below this p-value a sample ratio fails."""
ALARM = 0.01
"""Below this p-value a period is called broken: of a hundred healthy programs one at most."""
LEAST = 20
"""Dated tests with sample ratios, from which on a period is looked for."""
_SHUFFLES = 999
_TELLING = 20.0  # of -log p: a single test, however bad, makes no period
_NEAR = 20


class Split(NamedTuple):
    """How a test's units were split, against its design: Pearson's chi-square."""

    start: datetime.date | None
    statistic: float
    freedom: int

    @property
    def p_value(self) -> float:
        """Of a split this far from the design."""
        return float(chdtrc(self.freedom, self.statistic))


def spread(splits: Sequence[Split]) -> tuple[float, float]:
    """Return chi-square over its degrees of freedom of all together, and its p-value."""
    statistic = sum(split.statistic for split in splits)
    freedom = sum(split.freedom for split in splits)
    return statistic / max(freedom, 1), float(chdtrc(freedom, statistic)) if freedom else 1.0


def by_month(splits: Sequence[Split], broken: BrokenPeriod | None) -> tuple[PeriodRatio, ...]:
    """Return the sample ratios by month of start."""
    months: dict[datetime.date, list[Split]] = {}
    for split in splits:
        if split.start:
            months.setdefault(split.start.replace(day=1), []).append(split)
    return tuple(
        PeriodRatio(
            month,
            len(inside),
            sum(split.p_value < FAILS for split in inside),
            *spread(inside),
            any(is_in(broken, split.start) for split in inside),
        )
        for month, inside in sorted(months.items())
    )


def is_in(period: BrokenPeriod | None, day: datetime.date | None) -> bool:
    """Return whether a test that started on a day lies in the period."""
    return bool(period and day and period.start <= day <= period.end)


def broken_period(splits: Sequence[Split], seed: int = 0) -> BrokenPeriod | None:
    """Return the period whose sample ratios stand out from the others', None where none does.

    Every run of weeks is compared with all others by the likelihood ratio of -log p, which is
    exponential where units are split as designed; the p-value is the share of 999 orders of the
    tests in which some run stands out as much. Also the period's chi-squares together have to fail.

    Parameters
    ----------
    splits : sequence of Split
        Those without a day are left out.
    seed : int

    Notes
    -----
    The ends may as well lie where the likelihood is a twentieth of the best. The spread outside is
    that of the tests which do not fail by themselves.

    Sources
    -------
    Kulldorff (1997), scan statistics; Huang, Kulldorff and Gregorio (2007), exponential ones.
    """
    dated = sorted(split for split in splits if split.start)
    days = np.array([split.start.toordinal() for split in dated if split.start])
    if len(days) < LEAST:
        return None
    weeks, begins = np.unique((days - 1) // 7, return_index=True)
    ends = np.append(begins[1:], len(days))
    values = np.array([-log(max(split.p_value, exp(-_TELLING))) for split in dated])
    orders = np.tile(np.sort(values), (_SHUFFLES, 1))
    orders = np.random.default_rng(seed).permuted(orders, axis=1)
    sums = np.cumsum(np.vstack([values, orders]), axis=1)[:, ends - 1]
    best, ratios = np.zeros(1 + _SHUFFLES), np.zeros((len(weeks), len(weeks)))
    for first, begin in enumerate(begins):
        inside = sums[:, first:] - (sums[:, first - 1 : first] if first else 0)
        ratio = _ratio(inside, ends[first:] - begin, sums[:, -1:], len(days))
        best, ratios[first, first:] = np.maximum(best, ratio.max(axis=1)), ratio[0]
    p_value = float((best >= best[0] * (1 - 1e-9)).mean())
    first, last = divmod(int(ratios.argmax()), len(weeks))
    within = dated[begins[first] : ends[last]]
    others = [*dated[: begins[first]], *dated[ends[last] :]]
    wide, chance = spread(within)
    if p_value > ALARM or chance > FAILS:
        return None
    mondays = [datetime.date.fromordinal(int(week) * 7 + 1) for week in weeks]
    sundays = [monday + datetime.timedelta(6) for monday in mondays]
    starts, stops = np.nonzero(ratios >= best[0] - log(_NEAR))
    return BrokenPeriod(
        mondays[first],
        sundays[last],
        len(within),
        wide,
        spread([split for split in others if split.p_value >= FAILS])[0],
        p_value,
        (mondays[starts.min()], mondays[starts.max()]),
        (sundays[stops.min()], sundays[stops.max()]),
    )


def _ratio(inside: Any, count: Any, whole: Any, among: int) -> Any:
    """Return the log likelihood ratio of a larger mean inside than outside, 0 where it is less."""
    rest, others = np.maximum(whole - inside, 1e-12), np.maximum(among - count, 1)
    inside = np.maximum(inside, 1e-12)
    gain = count * np.log(inside / count) + (among - count) * np.log(rest / others)
    larger = (inside / count > rest / others) & (count < among)
    return np.where(larger, among * np.log(whole / among) - gain, 0.0)
