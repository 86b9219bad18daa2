"""Few units: a permutation test beside the t-test, which rests on how regular the units are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np

from opslab.experiments.inference.metric_columns import MetricColumns
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
    """Give the two-sided p-value of no effect on any unit, from assignments that could have been.

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
    arm, base = (
        np.column_stack([side, np.ones(len(side))])[:, :2]  # a mean is a ratio to 1
        for side in (treated, control)
    )
    both, n = np.concatenate([arm, base]), len(arm)
    orders = _assignments(n, len(base), paired=paired, draws=draws, seed=seed)
    exact = len(orders) == (2**n if paired else comb(len(both), n))
    statistics = _statistics(both[orders[:, :n]], both[orders[:, n:]], paired=paired)
    observed = _statistics(arm[np.newaxis], base[np.newaxis], paired=paired)[0]
    hits = int((statistics >= observed * (1 - 1e-12)).sum())
    return hits / len(statistics) if exact else (hits + 1) / (len(statistics) + 1)


def _assignments(n: int, m: int, *, paired: bool, draws: int, seed: int) -> Any:
    """Return the units in each assignment, those treated first, shape (assignments, n + m)."""
    generator = np.random.default_rng(seed)
    if paired:
        few = 2**n <= draws
        swaps = list(product((0, n), repeat=n)) if few else generator.integers(0, 2, (draws, n)) * n
        treated = np.arange(n) + np.asarray(swaps)
        return np.hstack([treated, (treated + n) % (2 * n)])
    if comb(n + m, n) > draws:
        return np.argsort(generator.random((draws, n + m)), axis=1)
    units = set(range(n + m))
    return np.array([[*chosen, *units.difference(chosen)] for chosen in combinations(units, n)])


def _statistics(arm: Any, control: Any, *, paired: bool) -> Any:
    """Return the studentised differences of ratios, for arrays (assignments, units, 2)."""
    estimates, moved = [], []
    for side in (arm, control):
        above, below = np.moveaxis(side.mean(axis=1), 1, 0)[:, :, np.newaxis]
        estimates.append((above / below)[:, 0])
        moved.append((side[:, :, 0] - above / below * side[:, :, 1]) / below)
    difference = abs(estimates[0] - estimates[1])
    if paired:
        variance = (moved[0] - moved[1]).var(axis=1, ddof=1) / arm.shape[1]
    else:
        variance = sum(away.var(axis=1, ddof=1) / away.shape[1] for away in moved)
    with np.errstate(divide="ignore", invalid="ignore"):
        studentised = difference / np.sqrt(variance)
    return np.where(variance > 0, studentised, np.where(difference > 0, np.inf, 0.0))


def with_permutation(
    comparison: Comparison, columns: MetricColumns, units: UnitTable
) -> Comparison:
    """Return a comparison of sums over units with the permutation p-value as a note."""
    if comparison.p_value is None or columns.metric.ranked:
        return comparison
    values = ", ".join(f"CAST({quoted(column.name)} AS DOUBLE)" for column in columns.own)
    arm, stratum = f"CAST({quoted(units.arm)} AS VARCHAR)", units.strata or "NULL"
    rows = units.table.fetch(
        f"SELECT {arm}, {stratum}, {values} FROM {units.table.relation} "
        f"WHERE {units.where} ORDER BY {ROW}"
    )
    pair = (comparison.arm, comparison.control)
    known = [row for row in rows if None not in row[2:]]
    sides = [[row for row in known if row[0] == arm] for arm in pair]
    if units.strata is None:
        p_value = permutation_p(*(sorted(row[2:] for row in side) for side in sides))
    else:
        cells = [{row[1]: row[2:] for row in side} for side in sides]
        if any(len(side) != len(cell) for side, cell in zip(sides, cells, strict=True)):
            return comparison  # strata of several units, whose exchange is another one
        shared = sorted(cells[0].keys() & cells[1].keys() - {None})
        pairs = [[cell[level] for level in shared] for cell in cells]
        p_value = permutation_p(*pairs, paired=True)
    note = Message("experiments.permutation", {"p": p_value})
    return replace(comparison, notes=(*comparison.notes, note))
