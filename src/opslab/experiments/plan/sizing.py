"""Units, smallest effect and power of one comparison: exact inverses of one another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt
from typing import Literal, NamedTuple

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from opslab.experiments.inference.power import least, t_power
from opslab.experiments.inference.proportions import Counts, score_difference, score_ratio
from opslab.experiments.sequential.boundaries import Boundaries, crossing, drift_for
from opslab.experiments.sequential.posteriors import decision_values
from opslab.experiments.sequential.spending import within
from opslab.uncertainty.update import update

MOST = 1e15
"""Units beyond which no plan goes."""
_SURE = 30.0  # a drift at which every look stops
_TINY = 1e-9  # of a standard deviation, where the search for the smallest effect starts


class Belief(NamedTuple):
    """What a Bayesian design ships by, in the metric's unit, an improvement being above 0.

    Attributes
    ----------
    mean, sd : float
        Of the prior.
    loss : float
        Expected loss below which an arm is shipped.
    """

    mean: float
    sd: float
    loss: float

    def power(self, error: float, difference: float) -> float:
        """Return the chance that the expected loss of shipping comes below the accepted one."""
        after = update(self.mean, self.sd, 0.0, error)
        loss = self.loss / after.sd  # in deviations of the posterior
        needed = brentq(
            lambda mean: decision_values(mean, 1.0, 1).loss_shipping - loss,
            -loss - 1,
            38.0,
            xtol=1e-14,
        )
        estimate = (float(needed) * after.sd - after.mean) / after.measured_share
        return float(ndtr((difference - estimate) / error))


@dataclass(frozen=True)
class Means:
    """A difference of means, or of ratios or quantiles by what a unit adds to their error.

    Attributes
    ----------
    scale : float
        Standard deviation between units, covariates taken out, in the metric's unit.
    weights : tuple of float
        Shares of all units that the arm and the control get.
    raw : float or None
        Standard deviation before covariates, which the error of a relative margin needs.
    baseline : float or None
        With a relative margin: the control's mean, times -1 where less is better.
    exact : bool
        False for normal quantiles in the place of those of t.

    Sources
    -------
    The relative margin as Hauschke, Kieser, Diletti and Burke (1999).
    """

    scale: float
    weights: tuple[float, float] = (0.5, 0.5)
    raw: float | None = None
    baseline: float | None = None
    exact: bool = True
    largest = inf

    def errors(self, difference: float) -> tuple[float, float]:
        """Return the errors of the estimate times the root of the units: as tested, and true."""
        arm, control = self.weights
        factor = difference / self.baseline if self.baseline else 0.0
        before = (self.raw or self.scale) ** 2
        kept = self.scale**2 * (1 - 2 * factor) + factor**2 * before
        return (sqrt(self.scale**2 / arm + kept / control),) * 2


@dataclass(frozen=True)
class Shares:
    """A difference of proportions by the score test.

    Attributes
    ----------
    share : float
        The control's.
    weights : tuple of float
        Shares of all units that the arm and the control get.
    better : int
        1 where more is better, else -1.
    margin : {"", "absolute", "relative"}
        How a margin is told that is to be kept, where both shares are the same.
    left : float
        Share of the standard deviation that covariates leave.

    Sources
    -------
    Fleiss, Levin and Paik (2003), section 4.2, pooled under the null; with a margin Farrington and
    Manning (1990), their restricted estimates.
    """

    share: float
    weights: tuple[float, float] = (0.5, 0.5)
    better: int = 1
    margin: Literal["", "absolute", "relative"] = ""
    left: float = 1.0
    exact = False

    @property
    def scale(self) -> float:
        """Standard deviation between units."""
        within(0, 1, share=self.share)
        return self.left * sqrt(self.share * (1 - self.share))

    @property
    def largest(self) -> float:
        """The largest difference that there can be."""
        if self.margin:
            return self.share if self.margin == "relative" else 1.0
        return 1 - self.share if self.better > 0 else self.share

    def errors(self, difference: float) -> tuple[float, float]:
        """Return the errors of the estimate times the root of the units: as tested, and true."""
        share, both = self.share, sum(self.weights)
        arm, control = (weight * 2 / both for weight in self.weights)
        change = self.better * difference
        moved, null = (share, -change) if self.margin else (share + change, 0.0)
        counts = Counts(moved * arm, arm, share * control, control)  # type: ignore[arg-type]
        ratio, statistic = 1.0, score_difference(null, counts)
        if self.margin == "relative":
            ratio = max(1 + null / share, 0.0)
            statistic = score_ratio(ratio, counts)
        variance = moved * (1 - moved) / arm + ratio**2 * share * (1 - share) / control
        scale = self.left * sqrt(2 / both)
        # Of two units the statistic's factor for small samples is the root of 2.
        return scale * difference / (abs(statistic) * sqrt(2)), scale * sqrt(variance)


@dataclass(frozen=True)
class Sizing:
    """How many units, which effect and how much power go together in one comparison.

    Power is the chance to find an effect on its own side, as R's ``power.t.test`` and
    ``power.prop.test`` count it by default.

    Attributes
    ----------
    estimate : Means or Shares
    alpha : float
        Two-sided error rate of this comparison.
    wanted : float
        Power of the design, above alpha.
    looks : Boundaries or None
        Of a sequential design.
    belief : Belief or None
        Of a Bayesian one.

    Raises
    ------
    ValueError
        When a number is out of its range.

    Examples
    --------
    >>> test = Sizing(Means(1.0), alpha=0.05, wanted=0.9)
    >>> f"{test.units(1.0) / 2:.5f} an arm, {test.power(40, 1.0):.6f}"
    '22.02110 an arm, 0.868953'
    >>> test = Sizing(Shares(0.5), alpha=0.05, wanted=0.9)
    >>> f"{test.units(0.25) / 2:.5f} an arm, {test.power(100, 0.25):.6f}"
    '76.70693 an arm, 0.740166'

    Sources
    -------
    Owen (1965), noncentral t; Jennison and Turnbull (2000), for looks on the way.
    """

    estimate: Means | Shares
    alpha: float
    wanted: float
    looks: Boundaries | None = None
    belief: Belief | None = None

    def __post_init__(self) -> None:
        estimate = self.estimate
        within(0, 1, alpha=self.alpha)
        within(self.alpha, 1, power=self.wanted)
        within(0, inf, scale=estimate.scale, weight=min(estimate.weights))
        if self.belief:
            within(0, inf, sd=self.belief.sd, loss=self.belief.loss)

    def power(self, units: float, difference: float) -> float:
        """Return the chance to find a difference, in the metric's unit, with units over all arms.

        A sequential design stops at one of its looks, with these units at the last.
        """
        if self.looks is None:
            return self._single(units, difference)
        return sum(crossing(self.looks, self.drift_at(units, difference)).upper)

    def drift_at(self, units: float, difference: float) -> float:
        """Return what z is expected to be at the last look with so many units."""
        drift = self._critical + float(ndtri(self._single(units, difference)))
        return min(max(drift, -_SURE), _SURE)

    def units(self, difference: float) -> float:
        """Return the units over all arms that a difference asks for, not rounded; at most 1e15."""
        within(0, self.estimate.largest, difference=difference)
        return least(lambda units: self._reached(units, difference), self.fewest, MOST)

    def difference(self, units: float) -> float | None:
        """Return the smallest difference that so many units find; None where they find none."""
        if units < self.fewest:
            return None
        scale = self.estimate.scale
        low, most = _TINY * scale, min(self.estimate.largest, scale / _TINY)
        smallest = least(lambda size: self._reached(units, size), low, most)
        return smallest if self._reached(units, smallest) else None

    @property
    def fewest(self) -> float:
        """Units over all arms below which an arm has no variance."""
        return 2 / min(self.estimate.weights)

    @cached_property
    def _critical(self) -> float:
        return float(ndtri(1 - self.alpha / 2))

    @cached_property
    def _target(self) -> float:
        """The power of a single test with the same drift."""
        if self.looks is None:
            return self.wanted
        return float(ndtr(drift_for(self.looks, self.wanted) - self._critical))

    def _reached(self, units: float, difference: float) -> bool:
        return self._single(units, difference) >= self._target

    def _single(self, units: float, difference: float) -> float:
        tested, true = self.estimate.errors(difference)
        if self.belief:
            return self.belief.power(true / sqrt(units), difference)
        freedom = units * sum(self.estimate.weights) - 2 if self.estimate.exact else inf
        return t_power(sqrt(units) * difference / true, freedom, self.alpha, 1, tested / true)


def design_effect(rows: float, icc: float, variation: float = 0.0) -> float:
    """Return the factor by which clusters widen the variance of a mean over rows.

    Parameters
    ----------
    rows : float
        Of a unit, on average.
    icc : float
        Correlation of rows within a unit.
    variation : float
        Standard deviation of rows by unit over their mean.

    Examples
    --------
    >>> design_effect(21, 0.05), design_effect(20, 0.05, 0.5)
    (2.0, 2.2)

    Sources
    -------
    Eldridge, Ashby and Kerry (2006), equation 3.
    """
    return 1 + ((1 + variation**2) * rows - 1) * icc
