"""What one pass over the rows finds in an arm: counts, means and centred sums of its columns.

They are centred, so that a large mean does not eat the digits of the variance, and mergeable, so
that the moments of parts add up to those of the whole (Chan, Golub and LeVeque 1983).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from opslab.experiments.moments.columns import Column, Joint

_NO_VARIATION = 1e-14


@dataclass(frozen=True, eq=False)
class CrossMoments:
    """Count, means and centred sums of products of some columns in one arm.

    Attributes
    ----------
    n : int
        Rows used: those that hold the metric's own columns.
    given : int
        Rows whose own columns were not empty before any empty value was taken for 0.
    means : array, shape (k,)
        In the columns' units.
    scatter : array, shape (k, k)
        Sums of products of the deviations from the means.
    """

    n: int
    given: int
    means: Any
    scatter: Any

    def __post_init__(self) -> None:
        for name in ("means", "scatter"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))


def merge_cross(first: CrossMoments, second: CrossMoments) -> CrossMoments:
    """Return the moments of two parts together (Chan, Golub and LeVeque 1983, in several columns).

    Examples
    --------
    >>> low, high = (CrossMoments(1, 1, (x, 2 * x), ((0.0, 0.0),) * 2) for x in (1.0, 3.0))
    >>> both = merge_cross(low, high)
    >>> both.n, both.means.tolist(), both.scatter.tolist()
    (2, [2.0, 4.0], [[2.0, 4.0], [4.0, 8.0]])
    """
    n, given = first.n + second.n, first.given + second.given
    if first.n == 0 or second.n == 0:
        return replace(second if first.n == 0 else first, given=given)
    apart, share = second.means - first.means, second.n / n
    between = np.outer(apart, apart) * first.n * share
    scatter = first.scatter + second.scatter + between
    return CrossMoments(n, given, first.means + apart * share, scatter)


@dataclass(frozen=True)
class Moments:
    """Count, mean and centred sum of squares of one metric in one arm.

    Attributes
    ----------
    n : int
        Values used, not rows.
    mean : float
        In the metric's unit; 0 when there is no value.
    squares : float
        Sum of squared deviations from the mean.
    """

    n: int
    mean: float
    squares: float

    @property
    def variance(self) -> float:
        """Sample variance (divisor n - 1); 0 where it is beyond the digits of the data."""
        if self.n < 2:  # noqa: PLR2004 - a variance takes two
            return 0.0
        variance = self.squares / (self.n - 1)
        return variance if variance > (_NO_VARIATION * self.mean) ** 2 else 0.0

    def cross(self, given: int) -> CrossMoments:
        """Return the same of a single column, of which so many values were given."""
        return CrossMoments(self.n, given, (self.mean,), ((self.squares,),))

    @classmethod
    def about(cls, shift: float, n: int, total: float, squares: float) -> Moments:
        """Return the moments from sums of deviations from ``shift`` and of their squares."""
        if n < 2:  # noqa: PLR2004 - one value has no spread
            return cls(n, shift + total if n else 0.0, 0.0)
        return cls(n, shift + total / n, max(squares - total * total / n, 0.0))

    @classmethod
    def of_whole(cls, n: int, total: int, squares: int) -> Moments:
        """Return the moments from exact sums of whole numbers and of their squares."""
        return cls(n, total / n, (n * squares - total * total) / n) if n else cls(0, 0.0, 0.0)


def merge(first: Moments, second: Moments) -> Moments:
    """Return the moments of two parts together.

    Examples
    --------
    >>> merge(Moments(1, 2.0, 0.0), Moments(1, 4.0, 0.0))
    Moments(n=2, mean=3.0, squares=2.0)
    """
    n = first.n + second.n
    if first.n == 0 or second.n == 0:
        return first if second.n == 0 else second
    apart = second.mean - first.mean
    mean = first.mean + apart * second.n / n
    return Moments(n, mean, first.squares + second.squares + apart * apart * first.n * second.n / n)


@dataclass(frozen=True)
class ArmMoments:
    """What one pass finds in one arm: its rows, and per column the moments and the empty values."""

    rows: int
    moments: Mapping[Column, Moments]
    missing: Mapping[Column, int]
    capped: Mapping[Column, int] = field(default_factory=dict)
    joint: Mapping[Joint, CrossMoments] = field(default_factory=dict)

    def cross(self, joint: Joint) -> CrossMoments:
        """Return the moments of columns together, of a single one from its own moments."""
        if joint in self.joint:
            return self.joint[joint]
        (column,) = joint.columns
        return self.moments[column].cross(self.rows - self.missing[column])


def merge_arms(first: ArmMoments, second: ArmMoments) -> ArmMoments:
    """Return what two parts of the rows of an arm hold together."""
    return ArmMoments(
        first.rows + second.rows,
        {column: merge(first.moments[column], second.moments[column]) for column in first.moments},
        {column: first.missing[column] + second.missing[column] for column in first.missing},
        {column: first.capped[column] + second.capped[column] for column in first.capped},
        {
            columns: merge_cross(sums, second.joint[columns])
            for columns, sums in first.joint.items()
            if columns in second.joint
        },
    )


Arms = Mapping[str, ArmMoments]
"""What was found by arm."""
Levels = Mapping[str | None, Arms]
"""What was found by arm within each level of a column; None stands for rows without a level."""


def merge_levels(levels: Levels) -> Arms:
    """Return what was found by arm over all levels, the arms in the order of their names."""
    merged: dict[str, ArmMoments] = {}
    for arms in levels.values():
        for name, sums in arms.items():
            merged[name] = merge_arms(merged[name], sums) if name in merged else sums
    return {name: merged[name] for name in sorted(merged)}


Labelled = dict[str | None, ArmMoments]
"""What one pass found, by the arm's label as text; None stands for rows without an arm."""


@dataclass(frozen=True)
class Collected:
    """The moments of every arm over all rows, and within the levels of each dimension.

    Attributes
    ----------
    whole : dict
    levels : tuple of dict, one for each dimension
        By the level as text, its arms; None stands for rows whose level is empty.
    """

    whole: Labelled
    levels: tuple[dict[str | None, Labelled], ...] = ()

    def inside(self, dimensions: Sequence[str], arms: Arms) -> dict[str | None, Levels]:
        """Return what was found of some arms by level, in the order of these, by dimension."""
        return {
            sql: {
                level: {name: labelled[name] for name in arms if name in labelled}
                for level, labelled in levels.items()
            }
            for sql, levels in zip(dimensions, self.levels, strict=True)
        }
