"""Many effects together: random effects by REML, what each is worth beside them, wins that last."""

from __future__ import annotations

from math import hypot, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv, ndtr, ndtri, stdtrit

from opslab.experiments.program.result import Pooled, Rate

FEWEST = 3
"""Tests from which on their spread can be told from chance."""
Z = float(ndtri(0.975))


class RandomEffects(NamedTuple):
    """The distribution of true effects, as estimated.

    Attributes
    ----------
    mean, error : float
        Average true effect, its standard error by Knapp and Hartung.
    variance : float
        Of true effects between tests.
    tests : int
    """

    mean: float
    error: float
    variance: float
    tests: int


class Shrunk(NamedTuple):
    """Effects as the other tests let one believe them, shape (tests,) each.

    Attributes
    ----------
    mean, error : array
    pull : array
        Share of the common mean in each: 1 where its own estimate tells nothing.
    """

    mean: Any
    error: Any
    pull: Any


def random_effects(effects: Any, errors: Any) -> RandomEffects:
    """Estimate the distribution of true effects by restricted maximum likelihood.

    Parameters
    ----------
    effects : sequence of float, one per test
        Any scale, the same for all.
    errors : sequence of float, one per test
        Their standard errors, above 0.

    Returns
    -------
    RandomEffects

    Raises
    ------
    ValueError
        With fewer than three tests, or an error that is not above 0.

    Examples
    --------
    >>> estimated = random_effects([0.1, 0.3, 0.35, 0.65, 0.45], [0.05, 0.1, 0.1, 0.1, 0.1])
    >>> f"{estimated.mean:.4f} ({estimated.error:.4f}), variance {estimated.variance:.4f}"
    '0.3600 (0.0944), variance 0.0363'

    Sources
    -------
    Viechtbauer (2005), REML; Knapp and Hartung (2003), the error, which never falls below the usual
    one (Röver, Knapp and Friede 2015), since effects alike by chance would have none.
    """
    values, variances = np.asarray(effects, float), np.asarray(errors, float) ** 2
    count = len(values)
    if count < FEWEST or not ((variances > 0) & np.isfinite(values + variances)).all():
        raise ValueError(f"effects must be {FEWEST} or more and finite, errors finite and > 0.")

    def weighed(between: float) -> tuple[Any, float, Any]:
        weights = 1 / (variances + between)
        mean = float(np.average(values, weights=weights))
        return weights, mean, weights * (values - mean) ** 2

    def score(between: float) -> float:
        weights, _, squares = weighed(between)
        return float(weights @ (squares - 1) + weights @ weights / weights.sum())

    far = 10 * (np.ptp(values) ** 2 + variances.max())
    between = 0.0
    if score(between) > 0:
        between = float(brentq(score, 0.0, far, xtol=1e-14 * far, rtol=1e-12))
    weights, mean, squares = weighed(between)
    error = sqrt(max(float(squares.sum()) / (count - 1), 1.0) / weights.sum())
    return RandomEffects(mean, error, between, count)


def pooled(estimated: RandomEffects, turn: int = 1) -> Pooled:
    """Return the average with its interval (t, k - 1), and where the next true effect lies.

    Effects were estimated as log(1 + lift), with ``turn`` -1 as minus that, and are told as lifts.
    The prediction interval takes t with k - 2 degrees of freedom (Higgins, Thompson and
    Spiegelhalter 2009).
    """
    mean, error, variance, count = estimated
    half, reach = stdtrit([count - 1, count - 2], 0.975) * [error, hypot(sqrt(variance), error)]
    lifts = turn * np.expm1(turn * (mean + np.array([0, -half, half, -reach, reach])))
    return Pooled(count, sqrt(variance), *lifts.tolist())


def shrink(estimated: RandomEffects, effects: Any, errors: Any) -> Shrunk:
    """Return each effect as all of them let one believe it: empirical Bayes.

    Parameters
    ----------
    estimated : RandomEffects
    effects, errors : array of float, shape (tests,)
        An infinite error: nothing is known but the others.

    Returns
    -------
    Shrunk
        The error has in it what is not known of the common mean and of the spread between tests.

    Examples
    --------
    >>> shrunk = shrink(RandomEffects(0.0, 0.0, 1.0, 10**9), [2.0], [1.0])
    >>> float(shrunk.mean[0]), float(shrunk.error[0].round(4))
    (1.0, 0.7071)

    Sources
    -------
    Morris (1983), sections 4 and 5.
    """
    mean, doubt, variance, tests = estimated
    own = np.asarray(errors, float) ** 2
    known = own[np.isfinite(own)]
    usual = np.median(known) if len(known) else 0.0
    pull = 1 / (1 + variance / own)
    away = np.asarray(effects, float) - mean
    unsure = 2 / max(tests - FEWEST, 1) * (usual + variance) / (own + variance) * (pull * away) ** 2
    error = np.sqrt(variance * pull + (pull * doubt) ** 2 + unsure)
    return Shrunk(mean + (1 - pull) * away, error, pull)


def overstated(effects: Any, shrunk: Any) -> tuple[float | None, float | None]:
    """Return how far wins overstate, and how often their sign is wrong.

    The first is the sum of their estimates over that of their shrunk effects, None where the latter
    is not above 0; the second the average chance that a true effect is not above 0, given the data.
    Both are what Gelman and Carlin (2014) call errors of type M and S, over the wins at hand.
    """
    mean, error, _ = shrunk
    if not len(effects):
        return None, None
    believed = float(mean.sum())
    wrong = float(ndtr(-mean / error).mean())
    return (float(np.sum(effects)) / believed if believed > 0 else None), wrong


def rate(count: int, among: int) -> Rate | None:
    """Return a share with its exact interval (Clopper and Pearson 1934); None of nothing.

    Examples
    --------
    >>> wins = rate(2, 10)
    >>> f"{wins.rate:.2f} ({wins.low:.4f} to {wins.high:.4f})"
    '0.20 (0.0252 to 0.5561)'
    """
    if not among:
        return None
    counts = np.array([count, among - count])
    low, rest = np.nan_to_num(betaincinv(counts, among - counts + 1, 0.025)).tolist()
    return Rate(count, among, count / among, low, 1 - rest)


def success_rate(win_rate: float, alpha: float, power: float) -> float:
    """Return the share of tests whose true effect is one, from the share that won.

    Parameters
    ----------
    win_rate : float
        Share of tests that were significant in the direction that is good.
    alpha : float
        Two-sided significance level.
    power : float
        Of a test whose effect is one.

    Returns
    -------
    float
        From 0 to 1: where fewer won than chance alone lets win, 0.

    Examples
    --------
    >>> round(success_rate(0.1025, 0.05, 0.8), 4)
    0.1

    Sources
    -------
    Kohavi, Deng and Vermeer (2022), section 5.
    """
    return min(max((win_rate - alpha / 2) / (power - alpha / 2), 0.0), 1.0)


def false_positive_risk(success: float, alpha: float, power: float) -> float:
    """Return the share of wins behind which there is no effect.

    Parameters
    ----------
    success : float
        Share of tests whose true effect is one.
    alpha, power : float
        As in `success_rate`.

    Returns
    -------
    float

    Examples
    --------
    >>> f"{false_positive_risk(0.10, 0.05, 0.8):.1%}"
    '22.0%'

    Sources
    -------
    Kohavi, Deng and Vermeer (2022), equation 6 and table 2.
    """
    false = alpha / 2 * (1 - success)
    return false / (false + power * success)
