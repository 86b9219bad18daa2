"""Linearised and covariate-adjusted differences (CUPED), from two arms' cross moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from opslab.experiments.moments.cross_moments import CrossMoments, merge_cross

Unusable = Literal["constant", "collinear", "denominator"]

_ROUNDING = 1e-12  # share of the parts' variance that rounding leaves where a linearised variable is constant
_NO_VARIATION = 1e-14
_COLLINEAR = 1e-9  # a covariate with less variance of its own repeats the others
_CLEAR = 3.0  # standard errors that a denominator's mean must be away from 0


class Contrast(NamedTuple):
    """A difference of two arms' estimates with what its tests and intervals need."""

    estimate: tuple[float, float]
    """Unadjusted estimates in the arm and in the control, in metric units."""
    difference: float
    """Arm less control, adjusted when covariates are used."""
    variance: float
    """Squared standard error of the difference."""
    control_variance: float
    """Squared standard error of the control's unadjusted estimate."""
    covariance: float
    """Covariance of the difference and the control's unadjusted estimate."""
    degrees_of_freedom: float
    """Satterthwaite's."""


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
    >>> one = CrossMoments(4, 4, (6.0, 2.0), ((20.0, 4.0), (4.0, 2.0)))
    >>> two = CrossMoments(4, 4, (4.0, 2.0), ((20.0, 8.0), (8.0, 4.0)))
    >>> found = contrast(one, two, own=2)
    >>> f"{found.estimate[0]:.0f} - {found.estimate[1]:.0f} = {found.difference:.0f}, {found.variance:.4f}"
    '3 - 2 = 1, 0.3750'

    Sources
    -------
    Deng, Knoblich and Lu (2018), section 3 (ratio); Deng, Xu, Kohavi and Walker (2013) (CUPED); Lin
    (2013) (a slope for each arm).
    """
    means = merge_cross(treated, control).means
    made = [_linearised(side, own, widths, means) for side in (treated, control)]
    keep = [0, *(1 + place for place in kept)]
    scatters = [scatter[np.ix_(keep, keep)] for _, _, scatter in made]
    freedom = [side.n - 1 - len(kept) for side in (treated, control)]
    counts = [treated.n, control.n]
    slopes = [_slopes(scatter) for scatter in scatters]
    slope = (control.n * slopes[0] + treated.n * slopes[1]) / sum(counts)
    adjusted = np.concatenate(([1.0], -slope))
    errors = [
        max(float(adjusted @ scatter @ adjusted), 0.0) / left / n
        for scatter, left, n in zip(scatters, freedom, counts, strict=True)
    ]
    weighed = sum(error**2 / left for error, left in zip(errors, freedom, strict=True))
    scale = freedom[1] * control.n
    estimates = (made[0][0], made[1][0])
    apart = (made[0][1] - made[1][1])[list(kept)]
    return Contrast(
        estimates,
        float(estimates[0] - estimates[1] - slope @ apart),
        sum(errors),
        float(scatters[1][0, 0]) / scale,
        -float(adjusted @ scatters[1][:, 0]) / scale,
        sum(errors) ** 2 / weighed if weighed else float(sum(freedom)),
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
    made = [_linearised(side, own, widths, both.means)[2] for side in (treated, control)]
    kept: list[int] = []
    unusable: dict[int, Unusable] = {}
    for place, width in enumerate(widths):
        if width > 1 and not is_clear(both, own + sum(widths[:place]) + 1):
            unusable[place] = "denominator"
            continue
        before, here = [1 + other for other in kept], 1 + place
        spreads = [scatter[here, here] for scatter in made]
        left = [
            spread - _explained(scatter, before, here)
            for spread, scatter in zip(spreads, made, strict=True)
        ]
        if 0.0 in spreads:
            unusable[place] = "constant"
        elif any(alone <= _COLLINEAR * spread for alone, spread in zip(left, spreads, strict=True)):
            unusable[place] = "collinear"
        else:
            kept.append(place)
    return kept, unusable


def is_clear(side: CrossMoments, place: int) -> bool:
    """Return whether a column's mean is at least three standard errors away from 0."""
    mean, squares = side.means[place], side.scatter[place][place]
    return mean != 0 and abs(mean) >= _CLEAR * (squares / (side.n - 1) / side.n) ** 0.5


def linearised(
    means_here: Sequence[float], own: int, widths: Sequence[int], means: Sequence[float]
) -> tuple[float, Any]:
    """Return an arm's estimate and the loadings of its columns on (Z, X), shape (1 + covariates, columns).

    Parameters
    ----------
    means_here : sequence of float
        The arm's means: a ratio is linearised about its own.
    own, widths
        As in `contrast`.
    means : sequence of float
        Of both arms together: a covariate's ratio is linearised about these.
    """
    loadings = np.zeros((1 + len(widths), len(means_here)))
    estimate = means_here[0]
    loadings[0, 0] = 1.0
    if own > 1:
        estimate /= means_here[1]
        loadings[0, :2] = 1 / means_here[1], -estimate / means_here[1]
    start = own
    for place, width in enumerate(widths, start=1):
        loadings[place, start] = 1.0
        if width > 1 and means[start + 1]:
            pooled = means[start] / means[start + 1]
            loadings[place, start : start + 2] = 1 / means[start + 1], -pooled / means[start + 1]
        start += width
    return float(estimate), loadings


def _linearised(
    side: CrossMoments, own: int, widths: Sequence[int], means: Sequence[float]
) -> tuple[float, Any, Any]:
    """Return an arm's estimate, the means of its linearised covariates, and the scatter of (Z, X)."""
    scatter = np.array(side.scatter)
    estimate, loadings = linearised(side.means, own, widths, means)
    made, here = loadings @ scatter @ loadings.T, np.array(side.means)
    rounding = _ROUNDING * (
        loadings**2 @ np.diag(scatter)
    )  # of parts that cancel but for their digits
    rounding += side.n * (_NO_VARIATION * (abs(loadings) @ abs(here))) ** 2
    empty = np.diag(made) <= rounding
    made[empty, :] = made[:, empty] = 0.0
    return estimate, loadings[1:] @ here, made


def _slopes(scatter: Any) -> Any:
    """Return the slopes of the first variable on the others; scaled first, so that units do not matter."""
    scale = np.sqrt(np.diag(scatter)[1:])
    return np.linalg.solve(scatter[1:, 1:] / np.outer(scale, scale), scatter[1:, 0] / scale) / scale


def _explained(scatter: Any, before: Sequence[int], here: int) -> float:
    """Return the part of a variable's scatter that the variables before it explain."""
    places = [here, *before]
    part = scatter[np.ix_(places, places)]
    return float(_slopes(part) @ part[1:, 0]) if before else 0.0
