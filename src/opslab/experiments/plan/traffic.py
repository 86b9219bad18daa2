"""From units to days and back, at the pace of each weekday."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

_WEEK = 7


@dataclass(frozen=True)
class Traffic:
    """The units that come on each weekday, Monday first, to a test that starts on a day.

    Examples
    --------
    >>> weekdays = Traffic((100.0,) * 5 + (0.0, 0.0), datetime.date(2026, 11, 30))
    >>> weekdays.units(10), weekdays.days(750)
    (800.0, 9.5)
    """

    by_weekday: tuple[float, ...]
    start: datetime.date

    @cached_property
    def _week(self) -> Any:
        first = self.start.weekday()
        return np.cumsum([0.0, *self.by_weekday[first:], *self.by_weekday[:first]])

    def units(self, days: float) -> float:
        """Return the units that come within some days, which need not be whole."""
        weeks, rest = divmod(max(days, 0.0), _WEEK)
        return float(weeks * self._week[-1] + np.interp(rest, range(_WEEK + 1), self._week))

    def days(self, units: float) -> float:
        """Return the days within which so many units come."""
        weeks, rest = divmod(units, self._week[-1])
        return float(weeks * _WEEK + np.interp(rest, self._week, range(_WEEK + 1)))


def whole_days(arrivals: Mapping[datetime.date, int]) -> dict[datetime.date, int]:
    """Leave out a first or last day with less than half the units of its weekday: a part of a day.

    Of a day whose weekday is not seen again nothing can be said.
    """
    counts = [*arrivals.values()]
    first, last = (
        bool(same) and 2 * counts[at] < float(np.mean(same))
        for at, same in ((0, counts[_WEEK::_WEEK]), (-1, counts[-1 - _WEEK :: -_WEEK]))
    )
    return dict([*arrivals.items()][first : len(counts) - last])


def usual(arrivals: Mapping[datetime.date, int], share: float) -> tuple[float, ...]:
    """Return the mean units of each weekday; nothing by less than a week."""
    counts = [*arrivals.items()]
    of = [[count for day, count in counts if day.weekday() == weekday] for weekday in range(_WEEK)]
    return tuple(share * float(np.mean(counts)) for counts in of) if all(of) else ()
