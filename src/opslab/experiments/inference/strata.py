"""Differences within strata and pairs: units are compared with those they were randomised among."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np

from opslab.experiments.inference.covariates import Contrast, linearised
from opslab.experiments.moments.cross_moments import CrossMoments, merge_cross


@dataclass(frozen=True)
class Strata:
    """The strata that hold units of both arms of a pair.

    Attributes
    ----------
    cells : tuple
        The arm's and the control's cross moments in each stratum.
    lone : int
        Units left out, as their stratum has none of the other arm.
    """

    cells: tuple[tuple[CrossMoments, CrossMoments], ...]
    lone: int = 0

    @property
    def paired(self) -> bool:
        """Whether each stratum is a pair: one unit of either arm."""
        return all(arm.n == control.n == 1 for arm, control in self.cells)

    @property
    def sides(self) -> tuple[CrossMoments, CrossMoments]:
        """Each arm's moments over all strata."""
        first, second = (_merged([cell[side] for cell in self.cells]) for side in (0, 1))
        return first, second

    @property
    def within(self) -> tuple[CrossMoments, CrossMoments]:
        """The arms' moments with the scatter within strata; of pairs that of their differences."""
        arm, control = self.sides
        if self.paired:
            apart = np.array([np.subtract(cell[0].means, cell[1].means) for cell in self.cells])
            centred = apart - apart.mean(axis=0)
            scatters = [centred.T @ centred] * 2
        else:
            scatters = [sum(np.array(cell[side].scatter) for cell in self.cells) for side in (0, 1)]
        first, second = (tuple(map(tuple, scatter.tolist())) for scatter in scatters)
        return replace(arm, scatter=first), replace(control, scatter=second)

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
        """Return the strata of two arms, in the order of their names."""
        cells, lone = [], 0
        for moments in levels.values():
            sides = [moments[name] for name in (arm, control) if name in moments]
            if len(sides) > 1 and sides[0].n and sides[1].n:
                cells.append((sides[0], sides[1]))
            else:
                lone += sum(side.n for side in sides)
        return cls(tuple(cells), lone)


def contrast_within(
    strata: Strata, own: int = 1, widths: Sequence[int] = (), kept: Sequence[int] = ()
) -> Contrast:
    """Give the difference of two arms within strata, each weighed by its share of the units.

    Pairs: the mean of the pairs' differences with its t test; covariates by regression of the
    differences of the metric on those of the covariates. Strata: sum of W (mean_arm - mean_control)
    with W = N / sum(N) and variance sum of W^2 (s2_arm / n_arm + s2_control / n_control);
    covariates by the slopes within strata. Where a stratum has one unit of an arm, its variance is
    taken to be that within the arm's other strata. A ratio acts through its linearised unit
    variable, as in `contrast`.

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
    values = [np.array([cell[side].means for cell in strata.cells]) for side in (0, 1)]
    sides = strata.sides
    pooled = merge_cross(*sides).means
    estimates, deviations, covariates = [], [], []
    for side, rows in zip(sides, values, strict=True):
        means = np.array(side.means)
        estimate, loadings = linearised(side.means, own, widths, pooled)
        estimates.append(estimate)
        deviations.append((rows - means) @ loadings.T)
        covariates.append(loadings[1:] @ means)
    moved, fixed = deviations
    estimate, base = estimates
    apart = moved - fixed  # differences of the pairs, less their mean
    pairs, columns = len(apart), [1 + order for order in kept]
    x, z = apart[:, columns], apart[:, 0]
    gap = (covariates[0] - covariates[1])[list(kept)]
    slope, hat = np.zeros(len(kept)), 0.0
    if columns:
        scatter = x.T @ x
        slope = np.linalg.solve(scatter, x.T @ z)
        hat = float(gap @ np.linalg.solve(scatter, gap))
    adjusted = z - x @ slope
    freedom = pairs - 1 - len(kept)
    if freedom < 1:
        return Contrast((estimate, base), estimate - base, 0.0, 0.0, 0.0, inf)
    variance = float(adjusted @ adjusted) / freedom * (1 / pairs + hat)
    raw = float(fixed[:, 0] @ fixed[:, 0]) / ((pairs - 1) * pairs)
    covariance = _possible(float(adjusted @ fixed[:, 0]) / (freedom * pairs), variance, raw)
    return Contrast(
        (estimate, base),
        float(estimate - base - slope @ gap),
        variance,
        raw,
        covariance,
        float(freedom),
    )


def _stratified(strata: Strata, own: int, widths: Sequence[int], kept: Sequence[int]) -> Contrast:
    sizes = [arm.n + control.n for arm, control in strata.cells]
    weights = [size / sum(sizes) for size in sizes]
    pooled = merge_cross(*strata.sides).means
    keep = [0, *(1 + order for order in kept)]
    estimates, means, scatters = [], [], []
    for side in (0, 1):
        cells = [cell[side] for cell in strata.cells]
        weighed: Any = sum(
            weight * np.array(cell.means) for weight, cell in zip(weights, cells, strict=True)
        )
        estimate, loadings = linearised([float(mean) for mean in weighed], own, widths, pooled)
        loadings = loadings[keep]
        estimates.append(estimate)
        means.append(loadings[1:] @ weighed)
        scatters.append([loadings @ np.array(cell.scatter) @ loadings.T for cell in cells])
    counts = [sum(cell[side].n for cell in strata.cells) for side in (0, 1)]
    within: list[Any] = [sum(parts) for parts in scatters]
    slopes = [
        np.linalg.solve(scatter[1:, 1:], scatter[1:, 0]) if kept else np.zeros(0)
        for scatter in within
    ]
    slope = (counts[1] * slopes[0] + counts[0] * slopes[1]) / sum(counts)
    adjusted = np.concatenate(([1.0], -slope))
    terms, raw, covariance = [], 0.0, 0.0
    for side, parts in enumerate(scatters):
        cells = [cell[side] for cell in strata.cells]
        left = sum(cell.n - 1 for cell in cells)
        for weight, cell, part in zip(weights, cells, parts, strict=True):
            spread, freedom = (
                (part / (cell.n - 1), cell.n - 1) if cell.n > 1 else (within[side] / left, left)
            )
            factor = weight**2 / cell.n * max(left, 1) / max(left - len(kept), 1)
            terms.append((float(adjusted @ spread @ adjusted) * factor, freedom))
            if side:
                raw += weight**2 / cell.n * float(spread[0, 0])
                covariance -= factor * float(adjusted @ spread[:, 0])
    variance = sum(term for term, _ in terms)
    weighed_squares = sum(term**2 / freedom for term, freedom in terms)
    limit = max(float(sum(counts) - 2 * len(strata.cells) - len(kept)), 1.0)
    return Contrast(
        (float(estimates[0]), float(estimates[1])),
        float(estimates[0] - estimates[1] - slope @ (means[0] - means[1])),
        variance,
        raw,
        _possible(covariance, variance, raw),
        max(variance**2 / weighed_squares, 1.0) if weighed_squares else limit,
    )


def _possible(covariance: float, variance: float, other: float) -> float:
    """Return a covariance within the bounds of the variances, past which its divisor can push it."""
    bound = math.sqrt(variance * other)
    return min(max(covariance, -bound), bound)


def _merged(sides: Sequence[CrossMoments]) -> CrossMoments:
    whole = sides[0]
    for side in sides[1:]:
        whole = merge_cross(whole, side)
    return whole
