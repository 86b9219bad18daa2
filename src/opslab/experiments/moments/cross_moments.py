"""Moments of several columns together: their means, and how they vary with one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any


@dataclass(frozen=True)
class CrossMoments:
    """Count, means and centred sums of products of some columns in one arm.

    Attributes
    ----------
    n : int
        Rows used: those that hold the metric's own columns.
    given : int
        Rows whose own columns were not empty before any empty value was taken for 0.
    means : tuple of float, shape (k,)
        In the columns' units.
    scatter : tuple of tuple of float, shape (k, k)
        Sums of products of the deviations from the means.
    """

    n: int
    given: int
    means: tuple[float, ...]
    scatter: tuple[tuple[float, ...], ...]


def merge_cross(first: CrossMoments, second: CrossMoments) -> CrossMoments:
    """Return the moments of two parts together (Chan, Golub and LeVeque 1983, in several columns).

    Examples
    --------
    >>> low, high = (CrossMoments(1, 1, (x, 2 * x), ((0.0, 0.0),) * 2) for x in (1.0, 3.0))
    >>> merge_cross(low, high)
    CrossMoments(n=2, given=2, means=(2.0, 4.0), scatter=((2.0, 4.0), (4.0, 8.0)))
    """
    n, given = first.n + second.n, first.given + second.given
    if first.n == 0 or second.n == 0:
        kept = second if first.n == 0 else first
        return CrossMoments(n, given, kept.means, kept.scatter)
    apart = [other - mean for mean, other in zip(first.means, second.means, strict=True)]
    share = second.n / n
    means = tuple(mean + step * share for mean, step in zip(first.means, apart, strict=True))
    scatter = tuple(
        tuple(
            first.scatter[row][column]
            + second.scatter[row][column]
            + here * there * first.n * share
            for column, there in enumerate(apart)
        )
        for row, here in enumerate(apart)
    )
    return CrossMoments(n, given, means, scatter)


def cross_sql(
    name: str, own: Sequence[str], raw: Sequence[str], covariates: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return SQL that sums columns together: columns to add to the rows, then the sums of them.

    Parameters
    ----------
    name : str
        What the added columns' names begin with.
    own : sequence of str
        SQL of the metric's own shifted columns: a row counts where none of them is empty.
    raw : sequence of str
        The same before an empty value was taken for 0.
    covariates : sequence of str
        SQL of the shifted covariates, never empty.
    """
    present, given = (
        " AND ".join(f"{column} IS NOT NULL" for column in columns) for columns in (own, raw)
    )
    terms = [f"{name}_{order}" for order in range(len(own) + len(covariates))]
    added = [
        f"CASE WHEN {present} THEN {column} END AS {term}"
        for term, column in zip(terms, [*own, *covariates], strict=True)
    ]
    products = [f"sum({one} * {two})" for one, two in combinations_with_replacement(terms, 2)]
    sums = [f"count({terms[0]})", f"count(*) FILTER ({given})", *(f"sum({term})" for term in terms)]
    return added, sums + products


def cell_count(columns: int) -> int:
    """Return how many sums `cross_sql` asks for so many columns."""
    return 2 + columns + columns * (columns + 1) // 2


def from_cells(cells: Sequence[Any], shifts: Sequence[float]) -> CrossMoments:
    """Return the moments from the sums of `cross_sql` about ``shifts``."""
    n, given, *sums = cells
    size = len(shifts)
    if n == 0:
        return CrossMoments(0, given, (0.0,) * size, ((0.0,) * size,) * size)
    totals, scatter = sums[:size], [[0.0] * size for _ in shifts]
    places = combinations_with_replacement(range(size), 2)
    for (row, column), product in zip(places, sums[size:], strict=True):
        centred = product - totals[row] * totals[column] / n if n > 1 else 0.0
        scatter[row][column] = scatter[column][row] = (
            max(centred, 0.0) if row == column else centred
        )
    means = tuple(shift + total / n for shift, total in zip(shifts, totals, strict=True))
    return CrossMoments(n, given, means, tuple(map(tuple, scatter)))
