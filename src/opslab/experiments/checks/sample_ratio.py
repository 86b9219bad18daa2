"""Sample ratio mismatch: do the arms hold the shares of units that the design gave them."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

_FEWEST_ARMS = 2


class SampleRatio(NamedTuple):
    """Chi-square test of the arms' counts against the designed shares."""

    statistic: float
    """Pearson's chi-square."""
    degrees_of_freedom: int
    """Arms with a designed weight above 0, minus 1."""
    p_value: float
    """Probability of a mismatch this large when the assignment works as designed."""
    expected: tuple[float, ...]
    """Units expected per arm, in input order; 0 for an arm with weight 0."""


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


def homogeneity(table: Sequence[Sequence[int]]) -> float:
    """Return Pearson's p-value that counts are spread alike over the rows of a table.

    Parameters
    ----------
    table : sequence of sequence of int
        Counts; rows and columns that are empty throughout are left out.

    Returns
    -------
    float
        1 where the table has a single row or column.

    Examples
    --------
    >>> f"{homogeneity([(10, 90), (20, 80)]):.4f}"
    '0.0477'

    Sources
    -------
    Pearson (1900).
    """
    counts = np.atleast_2d(np.array([row for row in table if any(row)]))
    counts = counts[:, counts.any(axis=0)]
    rows, columns = counts.shape
    if min(rows, columns) < _FEWEST_ARMS:
        return 1.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return float(chdtrc((rows - 1) * (columns - 1), statistic))
