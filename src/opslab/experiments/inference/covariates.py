"""Linearised and covariate-adjusted differences (CUPED), from two arms' cross moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from opslab.experiments.moments.arm_moments import CrossMoments, merge_cross

Unusable = Literal["constant", "collinear", "denominator"]

# Share of the parts' variance that rounding leaves where a linearised variable is constant.
_ROUNDING = 1e-12
_NO_VARIATION = 1e-14
_COLLINEAR = 1e-9  # a covariate with less variance of its own repeats the others
_CLEAR = 3.0  # standard errors that a denominator's mean must be away from 0


class Contrast(NamedTuple):
    """A difference of two arms' estimates with what its tests and intervals need.

    Attributes
    ----------
    estimate : tuple[float, float]
        Unadjusted estimates in the arm and in the control, in metric units.
    difference : float
        Arm less control, adjusted when covariates are used.
    variance : float
        Squared standard error of the difference.
    control_variance : float
        Squared standard error of the control's unadjusted estimate.
    covariance : float
        Covariance of the difference and the control's unadjusted estimate.
    degrees_of_freedom : float
        Satterthwaite's.
    """

    estimate: tuple[float, float]
    difference: float
    variance: float
    control_variance: float
    covariance: float
    degrees_of_freedom: float


def contrast(
    treated: CrossMoments,
    control: CrossMoments,
    own: int = 1,
    widths: Sequence[int] = (),
    kept: Sequence[int] = (),
) -> Contrast:
    """Give the difference of two means or ratios, adjusted by covariates.

    A ratio R = sum(m) / sum(d) acts through its linearised unit variable Z = (m - R d) / mean(d); a
    mean through Z = y. With slopes theta of Z on the covariates X within each arm, and w = n / N,
    both arms take theta* = w_control theta_treated + w_treated theta_control. The variance of A = Z
    - theta*' X is that of adjusting each arm by its own theta about the pooled mean, with the extra
    term (theta_treated - theta_control)' Var(X) (theta_treated - theta_control) / N that the pooled
    mean costs.

    Parameters
    ----------
    treated, control : CrossMoments
        Of the metric's own columns, then of its covariates.
    own : int
        1 for a mean, 2 for a ratio (numerator, denominator).
    widths : sequence of int
        For each covariate 1, or 2 for a ratio, which is linearised about the ratio of both arms
        together.
    kept : sequence of int
        Places of the covariates to use, as `usable` gives them.

    Returns
    -------
    Contrast

    Examples
    --------
    >>> arm = CrossMoments(4, 4, (6.0, 2.0), ((20.0, 4.0), (4.0, 2.0)))
    >>> control = CrossMoments(4, 4, (4.0, 2.0), ((20.0, 8.0), (8.0, 4.0)))
    >>> ratios = contrast(arm, control, own=2)
    >>> (ratio, base), difference = ratios.estimate, ratios.difference
    >>> f"{ratio:.0f} - {base:.0f} = {difference:.0f}, {ratios.variance:.4f}"
    '3 - 2 = 1, 0.3750'

    Sources
    -------
    Deng, Knoblich and Lu (2018), section 3 (ratio); Deng, Xu, Kohavi and Walker (2013) (CUPED); Lin
    (2013) (a slope for each arm).
    """
    pooled = merge_cross(treated, control).means
    arm, base = (linearised(side.means, own, widths, pooled) for side in (treated, control))
    variables, kept = [0, *(1 + order for order in kept)], list(kept)
    scatters = [
        _scatter(side, linear)[np.ix_(variables, variables)]
        for side, linear in ((treated, arm), (control, base))
    ]
    counts = np.array([treated.n, control.n])
    freedom = counts - 1 - len(kept)
    slopes = [_slopes(scatter) for scatter in scatters]
    slope = (control.n * slopes[0] + treated.n * slopes[1]) / counts.sum()
    adjusted = np.concatenate(([1.0], -slope))
    errors = np.array([max(adjusted @ scatter @ adjusted, 0.0) for scatter in scatters])
    errors = errors / freedom / counts
    weighed, scale = float((errors**2 / freedom).sum()), int(freedom[1] * control.n)
    gap = (arm.covariates - base.covariates)[kept]
    return Contrast(
        (arm.estimate, base.estimate),
        float(arm.estimate - base.estimate - slope @ gap),
        float(errors.sum()),
        float(scatters[1][0, 0]) / scale,
        -float(adjusted @ scatters[1][:, 0]) / scale,
        float(errors.sum()) ** 2 / weighed if weighed else float(freedom.sum()),
    )


def usable(
    treated: CrossMoments, control: CrossMoments, own: int, widths: Sequence[int]
) -> tuple[list[int], dict[int, Unusable]]:
    """Return the places of the covariates that can be used, and why the others cannot.

    Parameters
    ----------
    treated, control, own, widths
        As in `contrast`.
    """
    both = merge_cross(treated, control)
    scatters = [
        _scatter(side, linearised(side.means, own, widths, both.means))
        for side in (treated, control)
    ]
    kept: list[int] = []
    unusable: dict[int, Unusable] = {}
    for order, width in enumerate(widths):
        if width > 1 and not is_clear(both, own + sum(widths[:order]) + 1):
            unusable[order] = "denominator"
            continue
        before, here = [1 + other for other in kept], 1 + order
        spreads = [scatter[here, here] for scatter in scatters]
        left = [
            spread - _explained(scatter, before, here)
            for spread, scatter in zip(spreads, scatters, strict=True)
        ]
        if 0.0 in spreads:
            unusable[order] = "constant"
        elif any(alone <= _COLLINEAR * spread for alone, spread in zip(left, spreads, strict=True)):
            unusable[order] = "collinear"
        else:
            kept.append(order)
    return kept, unusable


def is_clear(side: CrossMoments, column: int) -> bool:
    """Return whether a column's mean is at least three standard errors away from 0."""
    mean, squares = side.means[column], side.scatter[column, column]
    return bool(mean != 0 and abs(mean) >= _CLEAR * (squares / (side.n - 1) / side.n) ** 0.5)


class Linearised(NamedTuple):
    """One arm's variables Z and X, linear in its columns.

    Attributes
    ----------
    estimate : float
        The mean or the ratio, in metric units.
    loadings : Any
        Of the columns on (Z, X), shape (1 + covariates, columns).
    covariates : Any
        Means of X.
    """

    estimate: float
    loadings: Any
    covariates: Any


def linearised(arm_means: Any, own: int, widths: Sequence[int], means: Any) -> Linearised:
    """Return an arm's linearised variables.

    Parameters
    ----------
    arm_means : array
        The arm's: a ratio is linearised about its own.
    own, widths
        As in `contrast`.
    means : array
        Of both arms together: a covariate's ratio is linearised about these.
    """
    loadings = np.zeros((1 + len(widths), len(arm_means)))
    estimate = arm_means[0]
    loadings[0, 0] = 1.0
    if own > 1:
        estimate = estimate / arm_means[1]
        loadings[0, :2] = 1 / arm_means[1], -estimate / arm_means[1]
    start = own
    for order, width in enumerate(widths, start=1):
        loadings[order, start] = 1.0
        if width > 1 and means[start + 1]:
            pooled = means[start] / means[start + 1]
            loadings[order, start : start + 2] = 1 / means[start + 1], -pooled / means[start + 1]
        start += width
    return Linearised(float(estimate), loadings, loadings[1:] @ arm_means)


def _scatter(side: CrossMoments, variables: Linearised) -> Any:
    """Return the scatter of (Z, X); 0 for one whose parts cancel but for their digits."""
    loadings = variables.loadings
    scatter = loadings @ side.scatter @ loadings.T
    rounding = _ROUNDING * (loadings**2 @ np.diag(side.scatter))
    rounding += side.n * (_NO_VARIATION * (abs(loadings) @ abs(side.means))) ** 2
    empty = np.diag(scatter) <= rounding
    scatter[empty, :] = scatter[:, empty] = 0.0
    return scatter


def _slopes(scatter: Any) -> Any:
    """Return the slopes of the first variable on the others, scaled so that units do not matter."""
    scale = np.sqrt(np.diag(scatter)[1:])
    return np.linalg.solve(scatter[1:, 1:] / np.outer(scale, scale), scatter[1:, 0] / scale) / scale


def _explained(scatter: Any, before: Sequence[int], here: int) -> float:
    """Return the part of a variable's scatter that the variables before it explain."""
    variables = [here, *before]
    part = scatter[np.ix_(variables, variables)]
    return float(_slopes(part) @ part[1:, 0]) if before else 0.0
