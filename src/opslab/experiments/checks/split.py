"""Was the split between the arms constant: if not, since when, and which phases to declare."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from opslab.experiments.checks.rules import CERTAIN, WARN_BELOW, status_of
from opslab.experiments.checks.sample_ratio import chi_square, homogeneity, sample_ratio
from opslab.results import Check, Message

Days = Mapping[str, Mapping[str, int]]
"""Units by day (YYYY-MM-DD), by arm."""

_STEPS = (10, 5, 1, 0.1)  # percent, to which proposed weights are rounded
_FITS = 0.05  # p above which rounded weights go with the units


def check_constant_split(phases: Sequence[Days], arms: Sequence[str]) -> Check | None:
    """Test whether the arms had the same shares of the units on every day of a phase.

    One test of homogeneity over arm x day, summed over the phases. Where a split changes, effects
    are mixed with differences between days (Simpson), so a failure says since when, and which
    phases the spec would have to declare.

    Parameters
    ----------
    phases : sequence of mapping
        Units by day and arm; a single phase where none are declared.
    arms : sequence of str

    Returns
    -------
    Check or None
        None with a single day.

    Examples
    --------
    >>> before, after = {"A": 500, "B": 500}, {"A": 900, "B": 100}
    >>> check = check_constant_split([{"2026-01-05": before, "2026-01-06": after}], ["A", "B"])
    >>> check.status, check.detail.values["phases"][:57]
    ('fail', 'phases: [{from: 2026-01-05, weights: {A: 50, B: 50}}, {fro')
    """
    days = {day: phase[day] for phase in phases for day in sorted(phase)}
    if len(days) < 2:  # noqa: PLR2004 - it takes two to differ
        return None
    p_value = homogeneity(*(_table(phase, arms) for phase in phases))
    status, said = status_of(p_value), str(status_of(p_value))
    values: dict[str, Any] = {"days": len(days), "p": p_value}
    if status == "fail":
        said, change = _change(days, arms)
        values |= change
    detail = Message(f"experiments.constant_split_{said}", values)
    return Check("constant_split", status, detail, p_value)


def changes(table: Sequence[Sequence[int]]) -> list[int]:
    """Return the places of the days since which the split was another one, the clearest first.

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
    place = int(np.argmax(chi_square(halves)))
    if homogeneity(halves[place].tolist()) * len(halves) > WARN_BELOW:
        return []
    place += 1
    later = [place + further for further in changes(table[place:])]
    return [place, *changes(table[:place]), *later]


def _table(days: Days, arms: Sequence[str]) -> list[list[int]]:
    return [[days[day].get(arm, 0) for arm in arms] for day in sorted(days)]


def _change(days: Days, arms: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return what a failure says: an arm that starts later, the clearest change, or neither."""
    names, table = sorted(days), _table(days, arms)
    found = changes(table)
    if not found:
        return "unclear", {}
    ends = [0, *sorted(found), len(table)]
    units = [np.sum(table[start:end], axis=0) for start, end in pairwise(ends)]
    values: dict[str, Any] = {
        "phases": _proposal([names[start] for start in ends[:-1]], units, arms)
    }
    counts = np.array(table)
    first = (counts > 0).argmax(axis=0)
    late = int(first.argmax())
    missed = counts[: first[late]].sum() * counts[:, late].sum() / counts.sum()
    if missed > CERTAIN:
        since = {"day": _date(names[first[late]]), "first": _date(names[int(first.min())])}
        return "late", values | since | {"arm": arms[late]}
    after = ends.index(found[0])
    old, new = (units[order] / units[order].sum() for order in (after - 1, after))
    most = int(abs(new - old).argmax())
    shares = {"from": float(old[most]), "to": float(new[most])}
    return "fail", values | shares | {"arm": arms[most], "day": _date(names[found[0]])}


def _proposal(starts: Sequence[str], units: Sequence[Any], arms: Sequence[str]) -> str:
    """Return the phases as the spec takes them."""
    import yaml

    phases = [
        {"from": _date(start), "weights": dict(zip(map(str, arms), _rounded(counts), strict=True))}
        for start, counts in zip(starts, units, strict=True)
    ]
    shown: str = yaml.safe_dump(
        phases, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return f"phases: {shown.strip()}"


def _rounded(counts: Any) -> list[float]:
    """Return the roundest percentages that go with the units, or else the units."""
    shares, given = 100 * counts / counts.sum(), counts > 0
    if given.sum() < 2:  # noqa: PLR2004 - a single arm has all
        return [100 if known else 0 for known in given]
    for step in _STEPS:
        weights = [round(round(share / step) * step, 1) for share in shares]
        if all((weight > 0) == known for weight, known in zip(weights, given, strict=True)) and (
            sample_ratio(counts, weights).p_value > _FITS
        ):
            return [int(weight) if weight == int(weight) else weight for weight in weights]
    return [int(count) for count in counts]


def _date(day: str) -> datetime.date:
    return datetime.date.fromisoformat(day)
