"""Boundaries of a group sequential test, and what they do: by recursive integration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf, log, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri, roots_legendre

from opslab.experiments.sequential.spending import Family, spent

_REACH = 12.0
"""Standard deviations around the mean beyond which a path is left out: 1e-33 of all."""
_POINTS, _PANEL = 16, 4.0
"""Gauss-Legendre points on a panel, and its largest width in standard deviations of a step."""
_CLOSEST = 1e-5
"""Smallest gain of information over what was there: below it a step asks for too many points."""
_LARGEST_DRIFT = 40.0


@dataclass(frozen=True)
class Boundaries:
    """The boundaries of a group sequential test, on the scale of z.

    Attributes
    ----------
    information : tuple of float, one per look
        Shares of the planned information.
    efficacy : tuple of float
        z from which on a look stops for an effect; the lower one is minus it; inf where nothing can
        be spent yet.
    futility : tuple of float or None
        z below which a look finds no hope for a positive effect; it may be ignored.
    spent : tuple of float
        Two-sided error rate spent up to each look.
    drift : float or None
        With futility: expected z at information 1 for which the chance of a miss is spent.
    """

    information: tuple[float, ...]
    efficacy: tuple[float, ...]
    futility: tuple[float | None, ...]
    spent: tuple[float, ...]
    drift: float | None = None


class Crossing(NamedTuple):
    """Chances to stop at each look.

    Attributes
    ----------
    upper, lower : tuple of float, one per look
        Chance that this look is the first beyond a boundary, at its upper and its lower side.
    futile : tuple of float
        Chance that it is the first below the futility boundary and not beyond the lower one.
    """

    upper: tuple[float, ...]
    lower: tuple[float, ...]
    futile: tuple[float, ...]


def boundaries(
    information: Sequence[float],
    alpha: float,
    family: Family = "obrien_fleming",
    exponent: float | None = None,
    *,
    final: bool = False,
    futility: tuple[Family, float | None] | None = None,
    power: float | None = None,
    drift: float | None = None,
) -> Boundaries:
    """Return the boundaries at these looks; each side spends half of the error rate.

    Futility spends the chance of a miss, 1 - `power`, along the upper side. It is not binding:
    efficacy is computed as if nobody followed it.

    Parameters
    ----------
    information : sequence of float
        Increasing shares of the planned information at the looks that happened, or are planned;
        only the last may be 1 or more.
    alpha : float
        Two-sided error rate, within 0 and .5.
    family, exponent
        As in `spent`.
    final : bool
        Whether the last of these looks spends all that is left, whatever its share.
    futility : tuple or None
        Family and exponent for the chance of a miss.
    power : float or None
        With futility: the design's.
    drift : float or None
        With futility: expected z at information 1 for which the design, at its planned looks, has
        this power: the `drift` of its planned boundaries. When left out these looks are the plan.

    Returns
    -------
    Boundaries
        A last look that ends the test has one number for futility and efficacy.

    Raises
    ------
    ValueError
        When shares do not increase, or by less than 1e-5 of themselves; or a number is out of
        range.

    Examples
    --------
    >>> [f"{bound:.4f}" for bound in boundaries((0.25, 0.5, 0.75, 1), 0.05).efficacy]
    ['4.3326', '2.9631', '2.3590', '2.0141']

    Sources
    -------
    Lan and DeMets (1983); Armitage, McPherson and Rowe (1969), for the recursion; Pampallona,
    Tsiatis and Kim (2001), for futility; Jennison and Turnbull (2000), chapters 7 and 19.
    """
    if not 0 < 2 * alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be > 0 and < 0.5.")
    shares = _checked(information)
    for position, share in enumerate(shares[:-1]):
        if share >= 1:
            raise ValueError(f"information[{position}] == {share}, must be < 1 before the last.")
    efficacy, total = _efficacy(shares, alpha, family, exponent, final=final)
    empty = (None,) * len(shares)
    design = Boundaries(shares, efficacy, empty, total)
    if futility is None:
        return design
    if power is None or not alpha / 2 < power < 1:
        raise ValueError(f"power == {power}, must be > alpha / 2 and < 1 where futility is.")
    ended = final or shares[-1] >= 1
    if drift is None:
        if not ended:
            raise ValueError(f"drift == {drift}, must be given where these looks are not the plan.")
        drift = _root(
            lambda given: _hopeless(design, given, futility, power, ended=True)[1] - (1 - power),
            drift_for(design, power),
        )
    bounds, _ = _hopeless(design, drift, futility, power, ended=ended)
    return Boundaries(shares, efficacy, bounds, total, drift)


def crossing(design: Boundaries, drift: float) -> Crossing:
    """Return the chances to stop at each look.

    Parameters
    ----------
    design : Boundaries
        Its futility is followed.
    drift : float
        Expected z at information 1, the effect times the square root of that information; at share
        t it is drift sqrt(t).

    Returns
    -------
    Crossing

    Raises
    ------
    ValueError
        When the drift is not finite.

    Examples
    --------
    >>> stops = crossing(boundaries((0.5, 1), 0.05), 2.8)
    >>> [f"{chance:.4f}" for chance in stops.upper]
    ['0.1629', '0.6352']
    """
    if not abs(drift) < inf:
        raise ValueError(f"drift == {drift}, must be finite.")
    upper, lower, futile = [], [], []
    steps = Steps(design.information, drift)
    for bound, hopeless in zip(design.efficacy, design.futility, strict=True):
        low = -bound if hopeless is None else max(hopeless, -bound)
        upper.append(steps.above(bound))
        lower.append(steps.below(-bound))
        futile.append(max(steps.below(low) - lower[-1], 0.0) if low > -bound else 0.0)
        steps.keep(low, bound)
    return Crossing(tuple(upper), tuple(lower), tuple(futile))


def drift_for(design: Boundaries, power: float) -> float:
    """Return the drift at which the upper boundary is crossed with this chance.

    Parameters
    ----------
    design : Boundaries
    power : float
        Of the upper side alone, as for a fixed test with a known direction.

    Returns
    -------
    float
        Expected z at information 1.

    Raises
    ------
    ValueError
        When the power is not above the error rate of one side, or not below 1.
    """
    if not design.spent[-1] / 2 < power < 1:
        raise ValueError(f"power == {power}, must be > {design.spent[-1] / 2} and < 1.")
    return _root(lambda drift: power - sum(crossing(design, drift).upper), 3.0)


def inflation(design: Boundaries, power: float) -> float:
    """Return the largest sample over the sample of the fixed test with the same power.

    Parameters
    ----------
    design : Boundaries
        At its planned looks.
    power : float
        Of the upper side alone, for both tests.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As `drift_for`.

    Examples
    --------
    >>> f"{inflation(boundaries((0.2, 0.4, 0.6, 0.8, 1), 0.05, 'pocock'), 0.8):.4f}"
    '1.2126'
    """
    fixed = float(ndtri(1 - design.spent[-1] / 2) + ndtri(power))
    return (drift_for(design, power) / fixed) ** 2 * design.information[-1]


def average_sample(design: Boundaries, drift: float) -> float:
    """Return the expected sample as a share of the planned one, futility being followed.

    Parameters
    ----------
    design : Boundaries
    drift : float
        As in `crossing`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As `crossing`.
    """
    shares = np.array(design.information)
    stops = np.sum(crossing(design, drift), axis=0)
    return float(shares[-1] + stops[:-1] @ (shares[:-1] - shares[-1]))


def false_positive_rate(information: Sequence[float], alpha: float) -> float:
    """Return how often a fixed two-sided test, read at each of these looks, finds a null effect.

    Parameters
    ----------
    information : sequence of float
        Increasing, on any scale, such as units so far.
    alpha : float
        Two-sided error rate of the single look that was planned.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When information does not increase, or alpha is out of range.

    Examples
    --------
    >>> f"{false_positive_rate(range(1, 6), 0.05):.4f}"
    '0.1417'

    Sources
    -------
    Armitage, McPherson and Rowe (1969), table 2.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be > 0 and < 1.")
    shares = _checked(information)
    bound, looks = -float(ndtri(alpha / 2)), len(shares)
    design = Boundaries(shares, (bound,) * looks, (None,) * looks, (alpha,) * looks)
    stops = crossing(design, 0.0)
    return sum(stops.upper) + sum(stops.lower)


class Steps:
    """The paths that were not stopped, from look to look: points and the chance at each.

    Parameters
    ----------
    information : sequence of float
        Checked shares of the looks.
    drift : float
        Expected z at information 1.
    """

    def __init__(self, information: Sequence[float], drift: float) -> None:
        self._times = (0.0, *information)
        self._drift, self._look = drift, 1
        self._points, self._mass = np.zeros(1), np.ones(1)

    def above(self, bound: float) -> float:
        """Return the chance to come to this look, and to a z at or above the bound there."""
        return float(self._mass @ ndtr(-self._away(bound)))

    def below(self, bound: float) -> float:
        """Return the chance to come to this look, and to a z at or below the bound there."""
        return float(self._mass @ ndtr(self._away(bound)))

    def log_above(self, bound: float) -> float:
        """Return the logarithm of `above`, right where it is very small."""
        return float(logsumexp(log_ndtr(-self._away(bound)), b=self._mass))

    def keep(self, low: float, high: float) -> None:
        """Go on to the next look with the paths between these two z."""
        now, gap = self._times[self._look], self._gap(self._look)
        self._look += 1
        if self._look == len(self._times):
            return
        centre, reach = self._drift * now, _REACH * sqrt(now)
        low, high = max(low * sqrt(now), centre - reach), min(high * sqrt(now), centre + reach)
        if low >= high:
            self._points, self._mass = np.zeros(1), np.zeros(1)
            return
        finest = sqrt(min(gap, self._gap(self._look)))
        points, weights = _panels(ceil((high - low) / (_PANEL * finest)))
        points, weights = low + (high - low) * points, (high - low) * weights
        away = points[:, None] - self._points - self._drift * gap
        density = np.exp(away**2 / (-2 * gap)) @ self._mass / sqrt(2 * pi * gap)
        self._points, self._mass = points, weights * density

    def _gap(self, look: int) -> float:
        return self._times[look] - self._times[look - 1]

    def _away(self, bound: float) -> Any:
        gap = self._gap(self._look)
        mean = self._points + self._drift * gap
        return (bound * sqrt(self._times[self._look]) - mean) / sqrt(gap)


@lru_cache(maxsize=64)
def _panels(panels: int) -> tuple[Any, Any]:
    """Return points and weights on 0 to 1."""
    points, weights = roots_legendre(_POINTS)
    starts = np.arange(panels)[:, None]
    return ((starts + (points + 1) / 2) / panels).ravel(), np.tile(weights / 2 / panels, panels)


def _efficacy(
    shares: tuple[float, ...], alpha: float, family: Family, exponent: float | None, *, final: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    total = [2 * spent(share, alpha / 2, family, exponent) for share in shares]
    if final:
        total[-1] = alpha
    steps, bounds = Steps(shares, 0.0), list[float]()
    for upto, before in zip(total, (0.0, *total), strict=False):
        bounds.append(_bound(steps, (upto - before) / 2))
        steps.keep(-bounds[-1], bounds[-1])
    return tuple(bounds), tuple(total)


def _bound(steps: Steps, chance: float) -> float:
    """Return the z at or above which this chance lies."""
    if chance <= 0:
        return inf
    highest = -float(ndtri(chance))  # as if no path had been stopped
    for end in (highest, -_REACH):
        if (steps.log_above(end) - log(chance)) * end >= 0:
            return end
    return float(brentq(lambda z: steps.log_above(z) - log(chance), -_REACH, highest, xtol=1e-12))


def _hopeless(
    design: Boundaries,
    drift: float,
    futility: tuple[Family, float | None],
    power: float,
    *,
    ended: bool,
) -> tuple[tuple[float | None, ...], float]:
    """Return the futility boundary at this drift, and the chance of a miss."""
    shares, bounds, missed = design.information, list[float](), 0.0
    # Mirrored, so that a miss lies above.
    steps = Steps(shares, -drift)
    for look, (share, efficacy) in enumerate(zip(shares, design.efficacy, strict=True)):
        allowed = spent(share, 1 - power, *futility) - missed
        last = ended and look == len(shares) - 1
        hopeless = efficacy if last else min(-_bound(steps, allowed), efficacy)
        missed += steps.below(-inf) if hopeless == -inf else steps.above(-hopeless)
        bounds.append(hopeless)
        steps.keep(-efficacy, -hopeless)
    return tuple(None if bound == -inf else bound for bound in bounds), missed


def _root(difference: Callable[[float], float], guess: float) -> float:
    """Return the drift at which a falling function is 0."""
    width = 0.5
    low, high = guess - width, guess + width
    while difference(low) < 0 and low > -_LARGEST_DRIFT:
        low, width = low - width, 2 * width
    while difference(high) > 0 and high < _LARGEST_DRIFT:
        high, width = high + width, 2 * width
    return float(brentq(difference, low, high, xtol=1e-11))


def _checked(information: Sequence[float]) -> tuple[float, ...]:
    shares, before = tuple(map(float, information)), 0.0
    if not shares:
        raise ValueError("len(information) == 0, must be >= 1.")
    for position, share in enumerate(shares):
        if not before < share < inf:
            raise ValueError(f"information[{position}] == {share}, must be > {before} and finite.")
        if share - before < _CLOSEST * share:
            raise ValueError(
                f"information[{position}] == {share}, must be above {before} by {_CLOSEST:g} of it."
            )
        before = share
    return shares
