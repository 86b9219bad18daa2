"""Few units: a permutation test beside the t-test, which rests on how regular the units are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.result import Comparison
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message
from opslab.tables.source import ROW, quoted

DRAWS = 9_999
_BEYOND = 1e300  # a difference without any spread


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
    from scipy.stats import permutation_test

    units = np.array([*treated, *control], dtype=float)
    units = np.column_stack([units, np.ones(len(units))])[:, :2]  # a mean is a ratio to 1

    def statistic(arm: Any, base: Any, axis: int) -> Any:
        del axis  # units stand along the last one
        return _studentised(units[arm.astype(int)], units[base.astype(int)], paired=paired)

    test = permutation_test(
        (np.arange(len(treated)), np.arange(len(treated), len(units))),
        statistic,
        permutation_type="samples" if paired else "independent",
        n_resamples=draws,
        vectorized=True,
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def _studentised(arm: Any, control: Any, *, paired: bool) -> Any:
    """Return the studentised differences of ratios, for arrays (…, units, 2)."""
    estimates, moved = [], []
    for side in (arm, control):
        above, below = np.moveaxis(side.mean(axis=-2), -1, 0)[..., np.newaxis]
        estimates.append((above / below)[..., 0])
        moved.append((side[..., 0] - above / below * side[..., 1]) / below)
    difference = abs(estimates[0] - estimates[1])
    if paired:
        variance = (moved[0] - moved[1]).var(axis=-1, ddof=1) / arm.shape[-2]
    else:
        variance = sum(away.var(axis=-1, ddof=1) / away.shape[-1] for away in moved)
    with np.errstate(divide="ignore", invalid="ignore"):
        studentised = difference / np.sqrt(variance)
    return np.where(variance > 0, studentised, np.where(difference > 0, _BEYOND, 0.0))


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
