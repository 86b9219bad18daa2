"""Boundaries of a group sequential test, and what they do: by recursive integration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, inf, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, roots_legendre

from opslab.experiments.sequential.spending import Family, spent, within

_REACH = 10.0
"""Standard deviations around the mean beyond which a path is left out: 1e-23 of all."""
_POINTS, _PANEL = 16, 4.0
"""Gauss-Legendre points on a panel, and its largest width in standard deviations of a step."""
_CLOSEST = 1e-3
"""Smallest gain, as a share of the information after it: less is no look of its own, and a step
that asks for too many points."""
_LARGEST_DRIFT = 25.0
_nodes = cache(roots_legendre)


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
        z below which a look finds no hope for a positive effect; it may be ignored; -inf where no
        miss is allowed yet.
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
    power: float = 0.0,
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
        Two-sided error rate, within 0 and 1.
    family, exponent
        As in `spent`.
    final : bool
        Whether the last of these looks spends all that is left, whatever its share.
    futility : tuple or None
        Family and exponent for the chance of a miss.
    power : float
        The design's, to be given with futility.
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
        When shares do not increase, or by less than a thousandth of themselves; or a number is out
        of range.

    Examples
    --------
    >>> [f"{bound:.4f}" for bound in boundaries((0.25, 0.5, 0.75, 1), 0.05).efficacy]
    ['4.3326', '2.9631', '2.3590', '2.0141']

    Sources
    -------
    Lan and DeMets (1983); Armitage, McPherson and Rowe (1969), for the recursion; Pampallona,
    Tsiatis and Kim (2001), for futility; Jennison and Turnbull (2000), chapters 7 and 19.
    """
    within(0, 1, alpha=alpha)
    shares = checked(information)
    within(0, 1, information_before_the_last=(0.5, *shares)[-2])
    ended = final or shares[-1] >= 1
    total = [spent(share, alpha / 2, family, exponent) for share in shares]
    total[-1] = alpha / 2 if final else total[-1]
    efficacy, _ = _spend(shares, total, 0.0)
    design = Boundaries(shares, efficacy, (None,) * len(shares), tuple(2 * side for side in total))
    if futility is None:
        return design
    within(alpha / 2, 1, power=power)
    missed = [spent(share, 1 - power, *futility) for share in shares]
    missed[-1] = 1.0 if ended else missed[-1]
    if drift is None:
        within(1 - 1e-12, inf, last_planned_information=shares[-1])
        drift = _drift(lambda at: 1 - power - _spend(shares, missed, -at, efficacy)[1])
    hopeless, _ = _spend(shares, missed, -drift, efficacy)
    return replace(design, futility=tuple(-z for z in hopeless), drift=drift)


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
    within(-inf, inf, drift=drift)
    steps, stops = Steps(design.information, drift), []
    for bound, hopeless in zip(design.efficacy, design.futility, strict=True):
        low = -bound if hopeless is None else max(hopeless, -bound)
        lower = steps.below(-bound)
        stops.append((steps.above(bound), lower, steps.below(low) - lower))
        steps.keep(low, bound)
    return Crossing(*zip(*stops, strict=True))


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
    within(design.spent[-1] / 2, 1, power=power)
    return _drift(lambda drift: sum(crossing(design, drift).upper) - power)


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
    within(0, 1, alpha=alpha)
    shares = checked(information)
    efficacy = (-float(ndtri(alpha / 2)),) * len(shares)
    design = Boundaries(shares, efficacy, (None,) * len(shares), ())
    return 2 * sum(crossing(design, 0.0).upper)


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
        self._times, self._drift = (0.0, *information), drift
        self._points, self._mass = np.zeros(1), np.ones(1)

    def above(self, bound: float) -> float:
        """Return the chance to come to this look, and to a z at or above the bound there."""
        return float(self._mass @ ndtr(-self._away(bound)))

    def below(self, bound: float) -> float:
        """Return the chance to come to this look, and to a z at or below the bound there."""
        return float(self._mass @ ndtr(self._away(bound)))

    def keep(self, low: float, high: float) -> None:
        """Go on to the next look with the paths between these two z."""
        before, now, *later = self._times
        if later:
            middle, gap = self._drift * sqrt(now), now - before
            low = max(low, middle - _REACH)
            width = max(min(high, middle + _REACH) - low, 0.0)
            finest = sqrt(min(gap, later[0] - now) / now)
            panels = max(ceil(width / finest / _PANEL), 1)
            points, weights = _nodes(_POINTS)
            starts = np.arange(panels)[:, None]
            z = low + width / panels * (starts + (points + 1) / 2).ravel()
            density = np.exp(self._away(z[:, None]) ** 2 / -2) @ self._mass * sqrt(now / gap)
            self._mass = np.tile(weights, panels) * density * width / panels / sqrt(8 * pi)
            self._points = z * sqrt(now)
        self._times = self._times[1:]

    def _away(self, bound: Any) -> Any:
        before, now = self._times[:2]
        mean = self._points + self._drift * (now - before)
        return (bound * sqrt(now) - mean) / sqrt(now - before)


def _spend(
    shares: tuple[float, ...], total: Sequence[float], drift: float, below: Sequence[float] = ()
) -> tuple[tuple[float, ...], float]:
    """Return the upper boundaries that spend these totals, and what they spend.

    They are symmetric, or the lower ones are minus `below`, which the upper ones never pass.
    """
    steps, bounds, used = Steps(shares, drift), list[float](), 0.0
    for look, allowed in enumerate(total):
        bound = _bound(steps, allowed - used)
        low = -below[look] if below else -bound
        bounds.append(max(bound, low))
        used += steps.above(bounds[-1])
        steps.keep(low, bounds[-1])
    return tuple(bounds), used


def _bound(steps: Steps, chance: float) -> float:
    """Return the z at or above which this chance lies; the lowest if there is not so much."""
    if chance <= 0:
        return inf
    if steps.above(-_REACH) <= chance:
        return -_REACH
    highest = 1e-9 - ndtri(chance)  # as if no path had been stopped
    return float(brentq(lambda z: steps.above(z) - chance, -_REACH, highest, xtol=1e-12))


def _drift(rising: Callable[[float], float]) -> float:
    return float(brentq(rising, 0.0, _LARGEST_DRIFT, xtol=1e-11))


def checked(information: Sequence[float]) -> tuple[float, ...]:
    """Return information that increases, or refuse it."""
    shares = tuple(map(float, information))
    within(0, inf, looks=len(shares))
    for before, share in zip((0.0, *shares), shares, strict=False):
        if not before < share * (1 - _CLOSEST) < inf:
            raise ValueError(f"information == {share}, must be > {before} by {_CLOSEST:g} of it.")
    return shares
