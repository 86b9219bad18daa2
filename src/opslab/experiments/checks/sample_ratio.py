"""Sample ratio mismatch: do the arms hold the shares of units that the design gave them."""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtrc

_FEWEST_ARMS = 2
ENOUGH_EXPECTED = 20
"""Units expected in the smallest cell of a table, from which on chi-square is near enough."""
_DRAWS, _AT_ONCE, _ENOUGH = 9_999, 500, 100


Split = tuple[Sequence[int], Sequence[float]]
"""Units of each arm, and the designed weights on any common scale."""


class SampleRatio(NamedTuple):
    """Chi-square test of the arms' counts against the designed shares.

    Attributes
    ----------
    statistic : float
        Pearson's chi-square.
    degrees_of_freedom : int
        Arms with a designed weight above 0, minus 1.
    p_value : float
        Probability of a mismatch this large when the assignment works as designed.
    expected : tuple[float, ...]
        Units expected per arm, in input order; 0 for an arm with weight 0.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    expected: tuple[float, ...]


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """Test the arms' counts against the designed weights.

    Arms with weight 0 are left out: units found there are another defect, for the caller to tell.

    Parameters
    ----------
    counts : sequence of int, one per arm
        Numbers of units found.
    weights : sequence of float, one per arm
        Designed weights on any common scale.

    Returns
    -------
    SampleRatio
        Statistic, degrees of freedom, p-value and the expected counts.

    Raises
    ------
    ValueError
        When lengths differ, a count or weight is impossible, fewer than two arms have a weight
        above 0, or those arms hold no unit.

    Examples
    --------
    >>> result = sample_ratio([44700, 45489], [1, 1])
    >>> f"chi-square = {result.statistic:.4f}, p = {result.p_value:.6f}"
    'chi-square = 6.9024, p = 0.008608'

    Sources
    -------
    Pearson (1900); for experiments Fabijan et al. (2019). The example counts are the Cookie Cats
    test's.
    """
    if len(counts) != len(weights):
        raise ValueError(f"len(counts) == {len(counts)}, must be {len(weights)} as len(weights).")
    for position, (count, weight) in enumerate(zip(counts, weights, strict=True)):
        if not (isfinite(count) and count >= 0):
            raise ValueError(f"counts[{position}] == {count}, must be >= 0.")
        if not (isfinite(weight) and weight >= 0):
            raise ValueError(f"weights[{position}] == {weight}, must be >= 0.")
    designed = [position for position, weight in enumerate(weights) if weight > 0]
    if len(designed) < _FEWEST_ARMS:
        raise ValueError(f"arms with weight > 0 == {len(designed)}, must be >= {_FEWEST_ARMS}.")
    units = sum(counts[position] for position in designed)
    if units == 0:
        raise ValueError("units in arms with weight > 0 == 0, must be >= 1.")
    whole = sum(weights)
    expected = tuple(units * weight / whole for weight in weights)
    statistic = float(sum((counts[arm] - expected[arm]) ** 2 / expected[arm] for arm in designed))
    degrees_of_freedom = len(designed) - 1
    return SampleRatio(
        statistic, degrees_of_freedom, float(chdtrc(degrees_of_freedom, statistic)), expected
    )


def sample_ratio_over(phases: Sequence[Split]) -> SampleRatio:
    """Test the arms' counts in each phase against its own weights; statistics and freedoms add up.

    Parameters
    ----------
    phases : sequence of Split
        Counts and weights, as in `sample_ratio`. A phase may give a single arm a weight; a unit in
        an arm without one fits no design.

    Returns
    -------
    SampleRatio

    Examples
    --------
    >>> test = sample_ratio_over([([50, 50], [1, 1]), ([280, 20], [9, 1])])
    >>> f"{test.statistic:.2f} {test.degrees_of_freedom} {test.expected}"
    '3.70 2 (320.0, 80.0)'
    """
    statistic, freedom, expected = 0.0, 0, np.zeros(len(phases[0][0]))
    for counts, weights in phases:
        designed = sum(weight > 0 for weight in weights)
        if any(count and not weight for count, weight in zip(counts, weights, strict=True)):
            statistic = inf
        elif sum(counts) and designed >= _FEWEST_ARMS:
            statistic += sample_ratio(counts, weights).statistic
            freedom += designed - 1
        expected += sum(counts) * np.array(weights) / sum(weights)
    p_value = float(chdtrc(freedom, statistic)) if freedom else float(isfinite(statistic))
    return SampleRatio(statistic, freedom, p_value, tuple(map(float, expected)))


def homogeneity(*tables: Sequence[Sequence[int]]) -> float:
    """Return the p-value that counts are spread alike over the rows of each table: Pearson's.

    Where less than 20 are expected in some cell it is simulated, over all tables jointly: up to
    9,999 draws with the tables' margins, ended by 100 that are as extreme, so that only a small
    p-value costs all of them.

    Parameters
    ----------
    *tables : sequence of sequence of int
        Counts, such as the units of each arm (columns) on each day (rows): one table for each phase
        or stratum, whose statistics and degrees of freedom add up. Rows and columns that are empty
        throughout are left out.

    Returns
    -------
    float
        The same for every order of rows, columns and tables; 1 where no table has two of each.

    Examples
    --------
    >>> f"{homogeneity([(100, 900), (130, 870)]):.4f}"
    '0.0355'
    >>> f"{homogeneity([(1, 9), (8, 2)]):.4f}"
    '0.0060'

    Sources
    -------
    Pearson (1900); Besag and Clifford (1991), for the end of the draws.
    """
    filled = [counts for counts in map(_filled, tables) if min(counts.shape) > 1]
    if not filled:
        return 1.0
    statistic = float(sum(map(chi_square, filled)))
    if min(_expected(counts).min() for counts in filled) >= ENOUGH_EXPECTED:
        freedom = sum((len(counts) - 1) * (counts.shape[1] - 1) for counts in filled)
        return float(chdtrc(freedom, statistic))
    return _simulated(filled, statistic)


def chi_square(counts: Any) -> Any:
    """Return Pearson's statistic of tables, shape (..., rows, columns)."""
    expected = _expected(counts)
    away = (counts - expected) ** 2
    return np.divide(away, expected, where=expected > 0, out=away).sum(axis=(-2, -1))


def _expected(counts: Any) -> Any:
    rows, columns = (counts.sum(axis=axis, keepdims=True).astype(float) for axis in (-1, -2))
    return rows * columns / np.maximum(rows.sum(axis=-2, keepdims=True), 1.0)


def _filled(table: Sequence[Sequence[int]]) -> Any:
    counts = np.atleast_2d(np.array([row for row in table if any(row)], dtype=np.int64))
    return counts[:, counts.any(axis=0)]


def _simulated(tables: Sequence[Any], statistic: float) -> float:
    # Sorted margins: what is drawn depends on no order.
    margins = sorted((sorted(counts.sum(axis=1)), sorted(counts.sum(axis=0))) for counts in tables)
    generator, hits, draws = np.random.default_rng(0), 0, 0
    while draws < _DRAWS and hits < _ENOUGH:
        more = min(_AT_ONCE, _DRAWS - draws)
        drawn = np.sum([chi_square(_drawn(*sums, more, generator)) for sums in margins], axis=0)
        draws, hits = draws + more, hits + int((drawn >= statistic * (1 - 1e-9)).sum())
    return (1 + hits) / (1 + draws)


def _drawn(rows: Sequence[int], columns: Sequence[int], size: int, generator: Any) -> Any:
    """Return tables that have these margins, cell by cell, shape (size, rows, columns)."""
    left, tables = np.tile(rows, (size, 1)), []
    for total in columns[:-1]:
        cells, wanted, below = [], np.full(size, total), left.sum(axis=1)
        for units in left.T:
            below = below - units
            cells.append(generator.hypergeometric(units, below, wanted))
            wanted = wanted - cells[-1]
        tables.append(np.stack(cells, axis=1))
        left = left - tables[-1]
    return np.stack([*tables, left], axis=2)
