"""Few units: a permutation test beside the t-test, which then rests on how regular the units are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np

from opslab.experiments.inference.measured import Measured
from opslab.experiments.result import Comparison
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message
from opslab.tables.source import ROW, quoted

DRAWS = 9_999


def permutation_p(
    treated: Sequence[Sequence[float]],
    control: Sequence[Sequence[float]],
    *,
    paired: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> float:
    """Give the two-sided p-value of no effect on any unit, from the assignments that could have been.

    All of them are looked at where there are no more than ``draws``, else that many at random.
    Between them the studentised difference of the means (or ratios) is compared, so that unequal
    spreads of the arms do little harm.

    Parameters
    ----------
    treated, control : sequence, shape (units, 1 or 2)
        A unit's value, or its numerator and denominator. With ``paired`` the n-th of one belongs to
        the n-th of the other.
    paired : bool
        Whether arms are exchanged within pairs only.
    draws, seed : int

    Returns
    -------
    float

    Examples
    --------
    >>> permutation_p([[3.0], [4.0], [5.0]], [[0.0], [1.0], [2.0]])
    0.1

    Sources
    -------
    Fisher (1935); studentised as in Chung and Romano (2013).
    """
    one, other = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    both = np.concatenate([one, other])
    chosen = _assignments(len(one), len(other), paired=paired, draws=draws, seed=seed)
    exact = len(chosen) == (2 ** len(one) if paired else comb(len(both), len(one)))
    if paired:
        rest = (chosen + len(one)) % len(both)
    else:
        rest = np.argsort(_among(chosen, len(both)), axis=1, kind="stable")[:, : len(other)]
    found = _statistics(both[chosen], both[rest], paired=paired)
    observed = _statistics(one[np.newaxis], other[np.newaxis], paired=paired)[0]
    hits = int((found >= observed * (1 - 1e-12)).sum())
    return hits / len(found) if exact else (hits + 1) / (len(found) + 1)


def _assignments(n: int, m: int, *, paired: bool, draws: int, seed: int) -> Any:
    """Return the places of the units that are treated in each assignment, shape (assignments, n)."""
    generator = np.random.default_rng(seed)
    if paired:
        few = 2**n <= draws
        swaps = list(product((0, n), repeat=n)) if few else generator.integers(0, 2, (draws, n)) * n
        return np.arange(n) + np.asarray(swaps)
    if comb(n + m, n) <= draws:
        return np.array(list(combinations(range(n + m), n)))
    return np.argsort(generator.random((draws, n + m)), axis=1)[:, :n]


def _among(chosen: Any, units: int) -> Any:
    """Return for each assignment which of the units are among those treated."""
    found = np.zeros((len(chosen), units), dtype=bool)
    np.put_along_axis(found, chosen, values=True, axis=1)
    return found


def _statistics(one: Any, other: Any, *, paired: bool) -> Any:
    """Return the studentised differences, for arrays of shape (assignments, units, 1 or 2)."""
    estimates, moved = [], []
    for side in (one, other):
        means = side.mean(axis=1)
        ratio = side.shape[2] > 1
        estimate = means[:, 0] / means[:, 1] if ratio else means[:, 0]
        away = side[:, :, 0] - estimate[:, np.newaxis] * (side[:, :, 1] if ratio else 1.0)
        estimates.append(estimate)
        moved.append(away / means[:, 1:] if ratio else away)
    difference = abs(estimates[0] - estimates[1])
    if paired:
        variance = (moved[0] - moved[1]).var(axis=1, ddof=1) / one.shape[1]
    else:
        variance = sum(away.var(axis=1, ddof=1) / away.shape[1] for away in moved)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = difference / np.sqrt(variance)
    return np.where(variance > 0, found, np.where(difference > 0, np.inf, 0.0))


def with_permutations(
    comparisons: Sequence[Comparison], metrics: dict[str, Measured], units: UnitTable, few: int
) -> list[Comparison]:
    """Return the comparisons of fewer than ``few`` units with the permutation p-value as a note."""
    return [
        replace(one, notes=(*one.notes, note))
        if one.metric in metrics
        and one.p_value is not None
        and min(one.n) < few
        and (note := _note(one, metrics[one.metric], units)) is not None
        else one
        for one in comparisons
    ]


def _note(one: Comparison, metric: Measured, units: UnitTable) -> Message | None:
    names = ", ".join(f"CAST({quoted(column.name)} AS DOUBLE)" for column in metric.own)
    within = units.strata or "NULL"
    rows = units.table.fetch(
        f"SELECT CAST({quoted(units.arm)} AS VARCHAR), {within}, {names} FROM {units.table.relation} "
        f"WHERE {units.where} ORDER BY {ROW}"
    )
    known = [row for row in rows if None not in row[2:]]
    sides = {arm: [row for row in known if row[0] == arm] for arm in (one.arm, one.control)}
    if units.strata is None:
        values = [sorted(row[2:] for row in sides[arm]) for arm in (one.arm, one.control)]
        p_value = permutation_p(values[0], values[1])
        return Message("experiments.permutation", {"p": p_value})
    by_stratum = [{row[1]: row[2:] for row in sides[arm]} for arm in (one.arm, one.control)]
    shared = sorted(set(by_stratum[0]) & set(by_stratum[1]) - {None})
    if any(len(side) != len(found) for side, found in zip(sides.values(), by_stratum, strict=True)):
        return None  # strata of several units, whose exchange is another one
    pairs = [[found[level] for level in shared] for found in by_stratum]
    return Message("experiments.permutation", {"p": permutation_p(pairs[0], pairs[1], paired=True)})
