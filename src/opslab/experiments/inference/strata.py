"""Differences within strata and pairs: units are compared with those they were randomised among."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf
from typing import Any

import numpy as np

from opslab.experiments.inference.covariates import Contrast, linearised
from opslab.experiments.moments.arm_moments import CrossMoments, merge_cross

_FEW, _HANDFUL = 1_000, 0.2  # units of an arm in a stratum, and their share of it


@dataclass(frozen=True)
class Strata:
    """The strata that hold units of both arms of a pair.

    Attributes
    ----------
    cells : tuple
        The arm's and the control's cross moments in each stratum.
    lone : int
        Units left out, as their stratum has none of the other arm.
    sizes : tuple of float
        By which the strata are weighed; the units of both arms when left out.
    """

    cells: tuple[tuple[CrossMoments, CrossMoments], ...]
    lone: int = 0
    sizes: tuple[float, ...] = ()

    @property
    def weights(self) -> Any:
        """The share of each stratum."""
        sizes = np.array(self.sizes or [arm.n + control.n for arm, control in self.cells])
        return sizes / sizes.sum()

    @property
    def precise(self) -> Strata:
        """The same strata, weighed by n_arm n_control / (n_arm + n_control).

        That is by the precision of their differences, where units vary alike in all of them.
        """
        sizes = (1 / (1 / arm.n + 1 / control.n) for arm, control in self.cells)
        return replace(self, sizes=tuple(sizes))

    @property
    def paired(self) -> bool:
        """Whether each stratum is a pair: one unit of either arm."""
        return all(arm.n == control.n == 1 for arm, control in self.cells)

    @property
    def sides(self) -> tuple[CrossMoments, CrossMoments]:
        """Each arm's moments over all strata."""
        first, second = (reduce(merge_cross, side) for side in zip(*self.cells, strict=True))
        return first, second

    @property
    def within(self) -> tuple[CrossMoments, CrossMoments]:
        """The arms' moments with the scatter within strata; of pairs that of their differences."""
        arm, control = self.sides
        if self.paired:
            apart = np.array([treated.means - base.means for treated, base in self.cells])
            centred = apart - apart.mean(axis=0)
            scatters = [centred.T @ centred] * 2
        else:
            scatters = [sum(cell[side].scatter for cell in self.cells) for side in (0, 1)]
        return replace(arm, scatter=scatters[0]), replace(control, scatter=scatters[1])

    @property
    def estimable(self) -> bool:
        """Whether the spread can be told: by two pairs, or strata with two units of each arm."""
        if self.paired:
            return len(self.cells) > 1
        return all(sum(cell[side].n - 1 for cell in self.cells) > 0 for side in (0, 1))

    @classmethod
    def of(
        cls, levels: Mapping[str | None, Mapping[str, CrossMoments]], arm: str, control: str
    ) -> Strata:
        """Return the strata of two arms, each weighed by the units of all arms."""
        cells, sizes, lone = [], [], 0
        for moments in levels.values():
            sides = [moments[name] for name in (arm, control) if name in moments]
            if len(sides) > 1 and sides[0].n and sides[1].n:
                cells.append((sides[0], sides[1]))
                sizes.append(sum(side.n for side in moments.values()))
            else:
                lone += sum(side.n for side in sides)
        return cls(tuple(cells), lone, tuple(sizes))


def contrast_within(
    strata: Strata, own: int = 1, widths: Sequence[int] = (), kept: Sequence[int] = ()
) -> Contrast:
    """Give the difference of two arms within strata, each weighed by its share of the units.

    Pairs: the mean of the pairs' differences with its t test; covariates by regression of the
    differences of the metric on those of the covariates. Strata: sum of W (mean_arm - mean_control)
    with W the stratum's share of the units, and variance sum of W^2 (s2_arm / n_arm + s2_control /
    n_control); covariates by the slopes within strata. Where a stratum has one unit of an arm, its
    variance is taken to be that within the arm's other strata; where it has a handful (fewer than
    1,000, and than a fifth of the stratum), that of both arms in the stratum, if larger. A ratio
    acts through its linearised unit variable, as in `contrast`.

    Parameters
    ----------
    strata : Strata
    own, widths, kept
        As in `contrast`.

    Returns
    -------
    Contrast

    Examples
    --------
    >>> cells = [
    ...     (CrossMoments(1, 1, (y,), ((0.0,),)), CrossMoments(1, 1, (x,), ((0.0,),)))
    ...     for x, y in ((1.0, 2.0), (2.0, 5.0), (3.0, 5.0))
    ... ]
    >>> pairs = contrast_within(Strata(tuple(cells)))
    >>> f"{pairs.difference:.1f} +- {pairs.variance**0.5:.4f}, df = {pairs.degrees_of_freedom:.0f}"
    '2.0 +- 0.5774, df = 2'

    Sources
    -------
    Student (1908), for the pairs; Imbens and Rubin (2015), chapters 9 and 10; Deng, Knoblich and Lu
    (2018), for the ratio.
    """
    return (_paired if strata.paired else _stratified)(strata, own, widths, kept)


def _paired(strata: Strata, own: int, widths: Sequence[int], kept: Sequence[int]) -> Contrast:
    pooled, kept = merge_cross(*strata.sides).means, list(kept)
    values = [np.array([cell[side].means for cell in strata.cells]) for side in (0, 1)]
    arm, base = (linearised(rows.mean(axis=0), own, widths, pooled) for rows in values)
    estimate = (arm.estimate, base.estimate)
    moved, fixed = (
        (rows - rows.mean(axis=0)) @ side.loadings.T
        for rows, side in zip(values, (arm, base), strict=True)
    )
    apart = moved - fixed  # differences of the pairs, less their mean
    pairs, freedom = len(apart), len(apart) - 1 - len(kept)
    if freedom < 1:
        return Contrast(estimate, estimate[0] - estimate[1], 0.0, 0.0, 0.0, inf)
    z, x = apart[:, 0], apart[:, 1:][:, kept]
    gap, scatter = (arm.covariates - base.covariates)[kept], x.T @ x
    slope = np.linalg.solve(scatter, x.T @ z)
    adjusted = z - x @ slope
    spread = 1 / pairs + float(gap @ np.linalg.solve(scatter, gap))
    variance = float(adjusted @ adjusted) / freedom * spread
    raw = float(fixed[:, 0] @ fixed[:, 0]) / ((pairs - 1) * pairs)
    covariance = _possible(float(adjusted @ fixed[:, 0]) / (freedom * pairs), variance, raw)
    difference = float(estimate[0] - estimate[1] - slope @ gap)
    return Contrast(estimate, difference, variance, raw, covariance, float(freedom))


def _stratified(strata: Strata, own: int, widths: Sequence[int], kept: Sequence[int]) -> Contrast:
    pooled, kept = merge_cross(*strata.sides).means, list(kept)
    sizes = np.array([[side.n for side in cell] for cell in strata.cells])
    units = sizes.sum(axis=0)
    weights = strata.weights
    sides, slopes, spreads, freedoms = [], [], [], []
    for order, n in enumerate(sizes.T):
        cells = [cell[order] for cell in strata.cells]
        means = weights @ np.array([cell.means for cell in cells])
        side = linearised(means, own, widths, pooled)
        loadings = side.loadings[[0, *(1 + covariate for covariate in kept)]]
        scatter = loadings @ np.array([cell.scatter for cell in cells]) @ loadings.T
        whole, left, alone = scatter.sum(axis=0), max((n - 1).sum(), 1), n == 1
        freedom = np.where(alone, left, n - 1)
        spread = np.where(alone[:, None, None], whole, scatter) / freedom[:, None, None]
        # A handful beside many may lack all that is rare: its spread is then that of both arms.
        total = sizes.sum(axis=1)
        scatters = np.array([[known.scatter for known in cell] for cell in strata.cells])
        over = (
            loadings @ scatters.sum(axis=1) @ loadings.T / np.maximum(total - 2, 1)[:, None, None]
        )
        wider = (n < _FEW) & (n < _HANDFUL * total) & (over[:, 0, 0] > spread[:, 0, 0])
        sides.append(side)
        slopes.append(np.linalg.solve(whole[1:, 1:], whole[1:, 0]))
        spreads.append(np.where(wider[:, None, None], over, spread))
        freedoms.append(np.where(wider, total - 2, freedom))
    slope = (units[1] * slopes[0] + units[0] * slopes[1]) / units.sum()
    adjusted, spread, freedom = np.array([1.0, *-slope]), np.array(spreads), np.array(freedoms)
    left = np.maximum(units - len(sizes), 1)
    factor = weights**2 / sizes.T * (left / np.maximum(left - len(kept), 1))[:, None]
    terms = factor * (spread @ adjusted @ adjusted)
    variance, squares = float(terms.sum()), float((terms**2 / freedom).sum())
    raw = float((weights**2 / sizes[:, 1] * spread[1][:, 0, 0]).sum())
    covariance = -float((factor[1] * (spread[1][:, 0] @ adjusted)).sum())
    limit = float(units.sum() - 2 * len(sizes) - len(kept))
    arm, base = sides
    gap = (arm.covariates - base.covariates)[kept]
    return Contrast(
        (arm.estimate, base.estimate),
        float(arm.estimate - base.estimate - slope @ gap),
        variance,
        raw,
        _possible(covariance, variance, raw),
        max(variance**2 / squares if squares else limit, 1.0),
    )


def _possible(covariance: float, variance: float, other: float) -> float:
    """Return a covariance within the bounds of the variances, which its divisor can pass."""
    bound = math.sqrt(variance * other)
    return min(max(covariance, -bound), bound)
