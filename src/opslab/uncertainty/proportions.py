"""Shares with their intervals, and by how much two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from opslab.messages import recorded


class Interval(NamedTuple):
    """A number with its 95 % interval; None: not reached, or nothing to tell it from."""

    value: float | None
    low: float | None = None
    high: float | None = None


def wilson(count: int, of: int) -> Interval:
    """Return a share with its score interval; None of none.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(18, 20)]
    [0.9, 0.699, 0.972]

    Sources
    -------
    Wilson (1927).
    """
    if not of:
        return Interval(None)
    low, high = binomtest(count, of).proportion_ci(method="wilson")
    return Interval(count / of, float(low), float(high))


def newcombe(before: Interval, since: Interval) -> Interval:
    """Return by how much a number is larger than an earlier one of others; no ends without theirs.

    Examples
    --------
    >>> [round(end, 4) for end in newcombe(wilson(48, 80), wilson(56, 70))]
    [0.2, 0.0524, 0.3339]

    Sources
    -------
    Newcombe (1998), method 10, of shares; the example is his table II (a), 56/70 less 48/80. Of any
    number: Zou and Donner (2008).
    """
    (first, low, high), (second, least, most) = np.array([before, since], float)
    change = second - first
    down, up = np.hypot(second - least, high - first), np.hypot(most - second, first - low)
    ends = (change, change - down, change + up)
    return Interval(*(None if np.isnan(end) else float(end) for end in ends))


def spread(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with each interval as three cells.

    Examples
    --------
    >>> spread({"stage": "Review", "share": Interval(0.4, 0.3, 0.5)})
    {'stage': 'Review', 'share': 0.4, 'share_low': 0.3, 'share_high': 0.5}
    """
    ends = ("", "_low", "_high")
    return {
        f"{name}{end}": part
        for name, cell in cells.items()
        for end, part in zip(ends, cell if isinstance(cell, Interval) else [cell], strict=False)
    }


def fields_of(value: Any) -> Any:
    """Return a part of a result with its fields by name; an interval is its three numbers."""
    if isinstance(value, tuple) and hasattr(value, "_asdict") and not isinstance(value, Interval):
        return {name: fields_of(field) for name, field in value._asdict().items()}
    return [*map(fields_of, value)] if isinstance(value, tuple) else recorded(value)
