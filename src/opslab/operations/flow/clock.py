"""Working time: instants as days of work, so that every duration is a difference of two."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from opslab.operations.flow.spec import WEEK, Calendar

EPOCH = 719_163
"""Ordinal of 1970-01-01."""


def working_days(instants: Any, calendar: Calendar | None) -> Any:
    """Return how many days of working time have passed by each instant.

    A day of working time has as many hours as the calendar's hours: from 9 to 17, 8. Where the
    clock is changed within them, the hours that passed are counted, 23 of 24.

    Parameters
    ----------
    instants : array of float
        Days since 1970-01-01 UTC, of 1970 to 2099; NaN stays NaN.
    calendar : Calendar or None
        None: all time counts, and the instants are returned.

    Returns
    -------
    array of float
        Only differences mean anything. It never falls, and stands still where nobody works.

    Examples
    --------
    A week from Thursday 1 January 1970 has five days of work.

    >>> working_days([0.0, 7.0], Calendar())
    array([0., 5.])
    """
    return np.interp(instants, *_worked(calendar)) if calendar else np.asarray(instants)


def midnights(days: Any, calendar: Calendar | None) -> Any:
    """Return the instants at which days begin by the clock of the calendar's zone, UTC without.

    Examples
    --------
    >>> midnights([1], Calendar(timezone="Asia/Tokyo")).round(3)
    array([0.625])
    """
    zone = ZoneInfo((calendar or Calendar()).timezone)
    begins = (datetime.datetime.fromordinal(EPOCH + int(day)) for day in days)
    return np.array([at.replace(tzinfo=zone).timestamp() for at in begins]) / 86_400


@lru_cache(8)
def _worked(calendar: Calendar) -> tuple[Any, Any]:
    """Return the instants at which work begins and ends, and what was worked until each."""
    zone = ZoneInfo(calendar.timezone)
    edges = [  # an hour that the clock skips or shows twice is read by the offset before the change
        (
            datetime.datetime.combine(day, datetime.time(), zone) + datetime.timedelta(hours=hour)
        ).timestamp()
        for day in map(datetime.date.fromordinal, range(EPOCH, 766_645))  # 1970 to 2099
        if WEEK[day.weekday()] in calendar.days and day not in calendar.holidays
        for hour in calendar.hours
    ]
    knots = np.maximum.accumulate(edges) / 86_400
    worked = np.diff(knots, prepend=0)
    worked[::2] = 0
    return knots, worked.cumsum() * 24 / np.diff(calendar.hours)
