"""Differences within strata and pairs: units are compared with those they were randomised among."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from opslab.experiments.inference.covariates import Contrast, linearised
from opslab.experiments.moments.arm_moments import CrossMoments, merge_cross


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
    freedom = pairs - 1 - len(kept)
    if freedom < 1:
        return Contrast((estimate, base), estimate - base, 0.0, 0.0, 0.0, inf)
    x, z = apart[:, columns], apart[:, 0]
    gap, scatter = (covariates[0] - covariates[1])[list(kept)], x.T @ x
    slope = np.linalg.solve(scatter, x.T @ z)
    adjusted = z - x @ slope
    spread = 1 / pairs + float(gap @ np.linalg.solve(scatter, gap))
    variance = float(adjusted @ adjusted) / freedom * spread
    raw = float(fixed[:, 0] @ fixed[:, 0]) / ((pairs - 1) * pairs)
    covariance = float(adjusted @ fixed[:, 0]) / (freedom * pairs)
    return Contrast(
        (estimate, base),
        float(estimate - base - slope @ gap),
        variance,
        raw,
        _possible(covariance, variance, raw),
        float(freedom),
    )


def _stratified(strata: Strata, own: int, widths: Sequence[int], kept: Sequence[int]) -> Contrast:
    sizes = np.array([[side.n for side in cell] for cell in strata.cells])
    units = sizes.sum(axis=0)
    weights = sizes.sum(axis=1) / units.sum()
    pooled, keep = merge_cross(*strata.sides).means, [0, *(1 + order for order in kept)]
    estimates, covariates, scatters = [], [], []
    for side in (0, 1):
        cells = [cell[side] for cell in strata.cells]
        means = weights @ np.array([cell.means for cell in cells])
        estimate, loadings = linearised(means.tolist(), own, widths, pooled)
        loadings = loadings[keep]
        estimates.append(estimate)
        covariates.append(loadings[1:] @ means)
        scatters.append(loadings @ np.array([cell.scatter for cell in cells]) @ loadings.T)
    within = [scatter.sum(axis=0) for scatter in scatters]
    slopes = [np.linalg.solve(scatter[1:, 1:], scatter[1:, 0]) for scatter in within]
    slope = (units[1] * slopes[0] + units[0] * slopes[1]) / units.sum()
    adjusted = np.concatenate(([1.0], -slope))
    spreads, freedoms, factors = [], [], []
    for n, scatter, whole in zip(sizes.T, scatters, within, strict=True):
        left, alone = max((n - 1).sum(), 1), n == 1
        freedom = np.where(alone, left, n - 1)
        spreads.append(np.where(alone[:, None, None], whole, scatter) / freedom[:, None, None])
        freedoms.append(freedom)
        factors.append(weights**2 / n * left / max(left - len(kept), 1))
    freedom, factor = np.concatenate(freedoms), np.concatenate(factors)
    terms = factor * (np.concatenate(spreads) @ adjusted @ adjusted)
    variance, squares = float(terms.sum()), float((terms**2 / freedom).sum())
    raw = float((weights**2 / sizes[:, 1] * spreads[1][:, 0, 0]).sum())
    covariance = -float((factors[1] * (spreads[1][:, 0] @ adjusted)).sum())
    limit = float(units.sum() - 2 * len(strata.cells) - len(kept))
    return Contrast(
        (float(estimates[0]), float(estimates[1])),
        float(estimates[0] - estimates[1] - slope @ (covariates[0] - covariates[1])),
        variance,
        raw,
        _possible(covariance, variance, raw),
        max(variance**2 / squares if squares else limit, 1.0),
    )


def _possible(covariance: float, variance: float, other: float) -> float:
    """Return a covariance within the bounds of the variances, which its divisor can pass."""
    bound = math.sqrt(variance * other)
    return min(max(covariance, -bound), bound)


def _merged(sides: Sequence[CrossMoments]) -> CrossMoments:
    whole = sides[0]
    for side in sides[1:]:
        whole = merge_cross(whole, side)
    return whole
