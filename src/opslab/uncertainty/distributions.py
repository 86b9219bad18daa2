"""Distributions of uncertain quantities, each made from what a person can state.

Every one turns standard normal scores into its own values, rising with them: the same scores give
common random numbers, whatever the ranges become.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtr, ndtri, stdtrit

from opslab.errors import InputError

Values = NDArray[np.float64]

_REACH, _STEPS = 8.0, 1024  # scores beyond 8 do not come about in 10^15 draws
_STEP = 2 * _REACH / _STEPS
_GRID = np.linspace(-_REACH, _REACH, _STEPS + 1)
_TABLE_FROM = 4_096  # values from which a table is worth it: a thirtieth of the time, to 1e-5


@dataclass(frozen=True)
class Fixed:
    """A known number."""

    value: float
    sd = 0.0

    @property
    def mean(self) -> float:
        """The number itself."""
        return self.value

    def at(self, scores: Values) -> Values:
        """Return the number, once for each score."""
        return np.full(np.shape(scores), self.value)


@dataclass(frozen=True)
class Normal:
    """A normal distribution."""

    mean: float
    sd: float

    def at(self, scores: Values) -> Values:
        """Return the values at standard normal scores."""
        return self.mean + self.sd * scores


@dataclass(frozen=True)
class Lognormal:
    """exp of a normal distribution with mean ``mu`` and standard deviation ``sigma``.

    With ``reduction``, 1 less that: the share that is gone when what remains is lognormal, below 0
    when there is more than before.
    """

    mu: float
    sigma: float
    reduction: bool = False

    @property
    def mean(self) -> float:
        """exp(mu + sigma^2 / 2), which is above the median; or 1 less it."""
        mean = math.exp(self.mu + self.sigma**2 / 2)
        return 1 - mean if self.reduction else mean

    @property
    def sd(self) -> float:
        """exp(mu + sigma^2 / 2) times the root of exp(sigma^2) - 1."""
        return math.exp(self.mu + self.sigma**2 / 2) * math.sqrt(math.expm1(self.sigma**2))

    def at(self, scores: Values) -> Values:
        """Return the values at standard normal scores."""
        if self.reduction:
            return -np.expm1(self.mu - self.sigma * scores)
        return np.exp(self.mu + self.sigma * scores)


@dataclass(frozen=True)
class Beta:
    """A beta distribution between ``low`` and ``high``."""

    alpha: float
    beta: float
    low: float = 0.0
    high: float = 1.0

    @property
    def mean(self) -> float:
        """Low plus alpha / (alpha + beta) of the width."""
        return self.low + (self.high - self.low) * self.alpha / (self.alpha + self.beta)

    @property
    def sd(self) -> float:
        """Root of alpha beta / ((alpha + beta)^2 (alpha + beta + 1)), times the width."""
        strength = self.alpha + self.beta
        root = math.sqrt(self.alpha * self.beta / (strength + 1))
        return (self.high - self.low) * root / strength

    def at(self, scores: Values) -> Values:
        """Return the values at standard normal scores; many from a table, to 1e-5 of the width."""
        if np.size(scores) >= _TABLE_FROM:
            return _looked_up(self.at(_GRID), scores)
        shares = betaincinv(self.alpha, self.beta, ndtr(scores))
        return np.asarray(self.low + (self.high - self.low) * shares)


@dataclass(frozen=True)
class Triangular:
    """A triangular distribution: least, most likely and most possible value."""

    low: float
    mode: float
    high: float

    @property
    def mean(self) -> float:
        """(low + mode + high) / 3."""
        return (self.low + self.mode + self.high) / 3

    @property
    def sd(self) -> float:
        """Root of (a^2 + m^2 + b^2 - am - ab - mb) / 18."""
        a, m, b = self.low, self.mode, self.high
        return math.sqrt((a * a + m * m + b * b - a * m - a * b - m * b) / 18)

    def at(self, scores: Values) -> Values:
        """Return the values at standard normal scores."""
        width, below = self.high - self.low, ndtr(scores)
        rising = self.low + np.sqrt(below * width * (self.mode - self.low))
        falling = self.high - np.sqrt(ndtr(-np.asarray(scores)) * width * (self.high - self.mode))
        return np.asarray(np.where(below * width < self.mode - self.low, rising, falling))


@dataclass(frozen=True)
class StudentT:
    """Student's t distribution, moved and stretched: of an estimate from few observations."""

    location: float
    scale: float
    degrees_of_freedom: float

    @property
    def mean(self) -> float:
        """The location."""
        return self.location

    @property
    def sd(self) -> float:
        """Scale times root of df / (df - 2); infinite at 2 degrees of freedom and fewer."""
        df = self.degrees_of_freedom
        return self.scale * math.sqrt(df / (df - 2)) if df > 2 else math.inf  # noqa: PLR2004 - t has no variance

    def at(self, scores: Values) -> Values:
        """Return the values at standard normal scores; many of them from a table."""
        if np.size(scores) >= _TABLE_FROM:
            return _looked_up(self.at(_GRID), scores)
        below = stdtrit(self.degrees_of_freedom, ndtr(-np.abs(scores)))
        return np.asarray(self.location - self.scale * np.sign(scores) * below)


@dataclass(frozen=True)
class Quantiles:
    """A distribution known by its mean and some quantiles: straight between them, on normal scores.

    Attributes
    ----------
    shares, values : tuple of float
        The quantiles, rising; beyond the outermost, the outermost values.
    mean : float
        Of the whole; the values are moved so that the lines have it.
    """

    shares: tuple[float, ...]
    values: tuple[float, ...]
    mean: float

    @property
    def low(self) -> float:
        """The least value."""
        return self.values[0] + self._moved[0]

    @property
    def high(self) -> float:
        """The highest value."""
        return self.values[-1] + self._moved[0]

    @property
    def sd(self) -> float:
        """Of the lines."""
        return self._moved[1]

    def at(self, scores: Values) -> Values:
        """Return the values at standard normal scores."""
        return self._lines(scores) + self._moved[0]

    def _lines(self, scores: Values) -> Values:
        return np.asarray(np.interp(scores, ndtri(np.array(self.shares)), self.values))

    @cached_property
    def _moved(self) -> tuple[float, float]:
        weights = np.diff(ndtr(np.append(_GRID, _GRID[-1] + _STEP) - _STEP / 2))
        lines = self._lines(_GRID)
        mean = float(lines @ weights)
        return self.mean - mean, math.sqrt(float((lines - mean) ** 2 @ weights))


Distribution = Fixed | Normal | Lognormal | Beta | Triangular | StudentT | Quantiles


def _looked_up(table: Values, scores: Values) -> Values:
    """Return values at scores from those on `_GRID`, by straight lines."""
    steps: Values = (np.clip(scores, -_REACH, _REACH) + _REACH) * (1 / _STEP)
    whole = np.minimum(steps.astype(np.int32), _STEPS - 1)
    return np.asarray((steps - whole) * np.diff(table)[whole] + table[whole])


def quantile(distribution: Distribution, share: float) -> float:
    """Return the value below which a distribution has that share.

    Examples
    --------
    >>> round(quantile(lognormal(5, 20), 0.95), 9)
    20.0
    """
    return float(distribution.at(np.array([float(ndtri(share))]))[0])


def normal(low: float, high: float, level: float = 0.9) -> Distribution:
    """Return the normal distribution whose central interval at `level` is low to high.

    Parameters
    ----------
    low, high : float
    level : float
        Share that the interval is to hold, between 0 and 1.

    Raises
    ------
    InputError
        When low is not below high.
    """
    _in_order(low, low, high)
    return Normal((low + high) / 2, (high - low) / _width(level))


def lognormal(low: float, high: float, level: float = 0.9) -> Distribution:
    """Return the lognormal distribution whose central interval at `level` is low to high.

    mu = (ln low + ln high) / 2, sigma = ln(high / low) / 3.2897 at 90 %; parameters as of `normal`.

    Raises
    ------
    InputError
        When low is not above 0, or not below high.

    Examples
    --------
    >>> round(lognormal(5, 20).mean, 2)  # the median is 10
    10.93
    """
    _in_order(low, low, high)
    _positive(low)
    return Lognormal(math.log(low * high) / 2, math.log(high / low) / _width(level))


def pert(low: float, mode: float, high: float) -> Distribution:
    """Return the beta-PERT (Vose 2008): alpha = 1 + 4(m-a)/(b-a), beta = 1 + 4(b-m)/(b-a).

    Parameters
    ----------
    low, mode, high : float
        Least, most likely and most possible value; the mode may be one of the ends.

    Raises
    ------
    InputError
        When they are not in order.

    Examples
    --------
    >>> pert(2, 5, 14).mean
    6.0
    """
    _in_order(low, mode, high)
    width = high - low
    return Beta(1 + 4 * (mode - low) / width, 1 + 4 * (high - mode) / width, low, high)


def pert_classic(low: float, mode: float, high: float) -> Distribution:
    """Return the beta with the moments of classic PERT (Malcolm and others 1959).

    Mean (a+4m+b)/6 and sd (b-a)/6: the latter is a convention, not the sd of the beta-PERT.
    Parameters as of `pert`.
    """
    _in_order(low, mode, high)
    return with_moments((low + 4 * mode + high) / 6, (high - low) / 6, low, high)


def triangular(low: float, mode: float, high: float) -> Distribution:
    """Return the triangular distribution; parameters as of `pert`."""
    _in_order(low, mode, high)
    return Triangular(low, mode, high)


def beta(mode: float, strength: float) -> Distribution:
    """Return the beta distribution of a share from its most likely value and its strength.

    alpha = 1 + mode x strength, beta = 1 + (1 - mode) x strength.

    Parameters
    ----------
    mode : float
        From 0 to 1.
    strength : float
        Observations it is worth, above 0.

    Raises
    ------
    InputError
        When the mode is no share, or the strength not above 0.
    """
    _in_order(0.0, mode, 1.0)
    _positive(strength)
    return Beta(1 + mode * strength, 1 + (1 - mode) * strength)


@lru_cache(maxsize=1024)
def beta_interval(low: float, high: float, level: float = 0.9) -> Distribution:
    """Return the beta distribution of a share whose central interval at `level` is low to high.

    Newton's method on both quantiles, in the scale of normal scores; parameters as of `normal`.

    Raises
    ------
    InputError
        When low or high is not strictly between 0 and 1, or they are not in order.
    """
    _in_order(low, low, high)
    for end in (low, high):
        _open(end)
    ends = np.array([low, high])
    wanted = np.array([-1, 1]) * _width(level) / 2

    def missed(logs: Values) -> Values:
        below = np.clip(betainc(*np.exp(logs), ends), 1e-300, 1 - 1e-16)
        return np.asarray(ndtri(below) - wanted)

    start = (low + high) / 2, (high - low) / _width(level)
    strength = max(start[0] * (1 - start[0]) / start[1] ** 2 - 1, 0.5)
    logs = np.log(np.array([start[0] * strength, (1 - start[0]) * strength]))
    for _ in range(200):
        off = missed(logs)
        if np.abs(off).max() < 1e-10:  # noqa: PLR2004 - of a normal score
            return Beta(*map(float, np.exp(logs)))
        slope = np.column_stack([(missed(logs + step) - off) / 1e-6 for step in np.eye(2) * 1e-6])
        logs = logs - np.clip(np.linalg.lstsq(slope, off, rcond=None)[0], -0.7, 0.7)
    raise InputError.of("uncertainty.no_beta", low=low, high=high)


def with_moments(mean: float, sd: float, low: float, high: float) -> Beta:
    """Return the beta with a mean and an sd, no wider than where it would get two humps."""
    middle = (mean - low) / (high - low)
    strength = middle * (1 - middle) * ((high - low) / sd) ** 2 - 1
    strength = max(strength, 1 / max(middle, 1 - middle))
    return Beta(middle * strength, (1 - middle) * strength, low, high)


def _open(share: float) -> None:
    if not 0 < share < 1:
        raise InputError.of("uncertainty.open_share", given=share)


def _width(level: float) -> float:
    _open(level)
    return 2 * float(ndtri((1 + level) / 2))


def _in_order(low: float, mode: float, high: float) -> None:
    for given in (low, mode, high):
        if not math.isfinite(given):
            raise InputError.of("uncertainty.not_finite", given=given)
    if low >= high:
        raise InputError.of("uncertainty.order", low=low, high=high)
    if not low <= mode <= high:
        raise InputError.of("uncertainty.mode", low=low, mode=mode, high=high)


def _positive(given: float) -> None:
    if not given > 0:
        raise InputError.of("uncertainty.not_positive", given=given)
