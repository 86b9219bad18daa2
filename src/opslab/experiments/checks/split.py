"""Was the split between the arms constant: if not, since when, and which phases to declare."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from opslab.experiments.checks.rules import WARN_BELOW, check, status_of
from opslab.experiments.checks.sample_ratio import chi_square, homogeneity, sample_ratio_over
from opslab.results import Check

_SCALES = ((100, 10), (100, 5), (100, 1), (1000, 1))  # of proposed weights, and their steps
_FITS = 0.05  # p above which rounded weights go with the units


def check_constant_split(
    days: Mapping[str, Sequence[int]],
    arms: Sequence[str],
    phase_of: Callable[[str], str | None] = lambda _: None,
) -> Check | None:
    """Test whether the arms had the same shares of the units on every day of a phase.

    One test of homogeneity over arm x day, summed over the phases. Where a split changes, effects
    are mixed with differences between days (Simpson), so a failure says since when, and which
    phases the spec would have to declare.

    Parameters
    ----------
    days : mapping
        Units of each arm by day, YYYY-MM-DD.
    arms : sequence of str
    phase_of : callable
        From a day to its phase; a single one where none are declared.

    Returns
    -------
    Check or None
        None with a single day.

    Examples
    --------
    >>> days = {"2026-01-05": (500, 500), "2026-01-06": (900, 100)}
    >>> check_constant_split(days, ["A", "B"]).detail.values["phases"][:62]
    'phases: [{from: 2026-01-05, weights: {"A": 50, "B": 50}}, {fro'
    """
    names = sorted(days)
    if len(names) < 2:  # noqa: PLR2004 - it takes two to differ
        return None
    phases = groupby(names, phase_of)
    p_value = homogeneity(*([days[day] for day in inside] for _, inside in phases))
    status, said, change = status_of(p_value), "", dict[str, Any]()
    if status == "fail":
        said, change = _change(names, [days[day] for day in names], arms)
    values = {"days": len(names), "p": p_value, **change}
    return check("constant_split", status, p_value, values, said)


def changes(table: Sequence[Sequence[int]]) -> list[int]:
    """Return the days since which the split was another one, counted from 0, the clearest first.

    Binary segmentation by the statistic of `homogeneity`, with Bonferroni's correction.

    Parameters
    ----------
    table : sequence of sequence of int
        Units of each arm, day by day.

    Examples
    --------
    >>> changes([(500, 500), (500, 500), (900, 100), (900, 100)])
    [2]

    Sources
    -------
    Scott and Knott (1974).
    """
    if len(table) < 2:  # noqa: PLR2004 - it takes two to differ
        return []
    before = np.cumsum(table, axis=0)
    halves = np.stack([before[:-1], before[-1] - before[:-1]], axis=1)
    last = int(np.argmax(chi_square(halves)))
    if homogeneity(halves[last].tolist()) * len(halves) > WARN_BELOW:
        return []
    since = last + 1
    return [since, *changes(table[:since]), *(since + day for day in changes(table[since:]))]


def _change(
    names: Sequence[str], table: Sequence[Sequence[int]], arms: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """Return what a failure says: an arm that starts later, the clearest change, or neither."""
    since = changes(table)
    if not since:
        return "unclear", {}
    starts = [0, *sorted(since)]
    units = np.add.reduceat(table, starts)
    phases = ", ".join(
        f"{{from: {names[start]}, weights: {_weights(counts, arms)}}}"
        for start, counts in zip(starts, units, strict=True)
    )
    shares, late = units / units.sum(axis=1, keepdims=True), not units[0].all()
    after = 1 if late else starts.index(since[0])
    moved = shares[after] - shares[after - 1]
    arm = int(units[0].argmin() if late else abs(moved).argmax())
    first, day = map(datetime.date.fromisoformat, (names[0], names[starts[after]]))
    old, new = map(float, shares[after - 1 : after + 1, arm])
    values = {"phases": f"phases: [{phases}]", "arm": arms[arm], "day": day, "first": first}
    return "late" if late else "fail", values | {"from": old, "to": new}


def _weights(counts: Any, arms: Sequence[str]) -> str:
    """Return the roundest weights that go with the units, or else the units."""
    weights = list(map(int, counts))
    for scale, step in _SCALES:
        rounded = [round(scale * share / step) * step for share in counts / counts.sum()]
        if sample_ratio_over([(counts, rounded)]).p_value > _FITS:
            weights = rounded
            break
    return json.dumps(dict(zip(arms, weights, strict=True)), ensure_ascii=False)
