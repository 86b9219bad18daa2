"""Before anybody measures: the smallest change that so many teams and weeks can show."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy.linalg import toeplitz
from scipy.special import nctdtrinc, stdtrit

from opslab.timesaved.change.differences import averages, impute, residual, since
from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.result import Power
from opslab.uncertainty.distributions import Values

TEAMS, WEEKS = (4, 6, 8, 12, 24, 40), (4, 8, 13, 26)
"""Of the table, beside the panel's own."""
_HALF, _NONE = 4, 1e-12  # least periods on either side; squares that are rounding
_CORRELATIONS = np.arange(25) / 25


def smallest_change(
    teams: int, pilots: int, weeks: int, spread: float, noise: float, correlation: float = 0.0
) -> float | None:
    """Return the smallest difference in differences that is shown in eight of ten cases.

    By a two-sided t test at 5 % of the teams' changes, the noncentral t solved exactly.

    Parameters
    ----------
    teams, pilots : int
        In all, and those with the change.
    weeks : int
        Before, and as many after.
    spread : float
        Standard deviation between teams of what changes by itself.
    noise, correlation : float
        Standard deviation within a team from week to week, and correlation of neighbouring weeks,
        which fades as a power of the distance (AR(1)).

    Returns
    -------
    float or None
        On the scale of the deviations. None, never: fewer than four teams, or nobody to compare.

    Examples
    --------
    >>> round(smallest_change(12, 6, 8, 0.05, 0.2, 0.3), 3)
    0.246
    >>> smallest_change(3, 1, 52, 0.05, 0.2) is None
    True

    Sources
    -------
    Noncentral t: Cohen (1988), chapter 2; mean of an AR(1): Bayley, Hammersley (1946).
    """
    if teams - 2 <= 1 or not 0 < pilots < teams:
        return None
    size = nctdtrinc(teams - 2, 0.2, stdtrit(teams - 2, 0.975))
    variance = spread**2 + noise**2 * _difference(weeks, correlation)
    return float(size * sqrt(variance * (1 / pilots + 1 / (teams - pilots))))


def powers(panel: Panel, outcome: Values, pilots: int) -> tuple[Power, ...]:
    """Return the smallest change by number of teams and weeks, from what varied so far.

    `pilots` are those of the panel's own teams; of other numbers, and where all have the change,
    half. Weeks are periods. With what all share and the mean effect taken off: the noise of teams,
    its correlation from one period to the next, and as spread between teams what their changes at
    the first start (without one: from the first half to the second) vary beyond it. Effects that
    differ by team, or grow, are in it, as in the error of the effect (`few_teams.changes`).

    Returns
    -------
    tuple of Power
        ``smallest`` on the scale of `outcome`; None: never. No rows where fewer than eight periods
        tell.
    """
    first, (count, periods) = panel.first, outcome.shape
    cells = impute(outcome, panel.starts).cells
    late = since(outcome, panel.starts) >= 0
    effect = averages(cells, panel.starts)["simple"]
    half = first if first < periods else periods // 2
    varied = _varied(outcome - np.where(late, effect, 0), half)
    own = {count: pilots} if 0 < pilots < count else {}
    return tuple(
        Power(size, some, weeks, smallest_change(size, some, weeks, *varied))
        for size in sorted({*TEAMS, count})
        for weeks in sorted({*WEEKS, first})
        for some in (own.get(size, size // 2),)
        if varied
    )


def _varied(outcome: Values, start: int) -> tuple[float, float, float] | None:
    """Return spread between teams, noise within, and its correlation, by restricted likelihood.

    Each team's periods are a level, a step at the start (its variance: the spread) and an AR(1);
    by correlation the two variances are those of analysis of variance. None: nothing tells.
    """
    known = np.isfinite(outcome)
    times = np.flatnonzero(known.sum(axis=0) > 1)
    noise, pairs, width = residual(outcome, known)[:, times], known[:, times] * 1.0, len(times) - 1
    if width < 2 * _HALF - 1 or np.sum(noise**2) < _NONE:
        return None
    squares = noise.T @ noise / np.maximum(pairs.T @ pairs - 1, 1)
    step = times >= np.clip(start, *times[[_HALF, -_HALF]])
    likely = []
    for correlation in _CORRELATIONS:
        near = correlation ** abs(times - times[:, None])
        inverse = np.linalg.inv(near)
        rows, whole = inverse.sum(axis=0), inverse.sum()
        inverse -= np.outer(rows, rows) / whole
        weights = inverse[:, step].sum(axis=1)
        sharp, total = weights[step].sum(), np.sum(inverse * squares)
        moved = weights @ squares @ weights / sharp
        within = (total - moved) / (width - 1)
        within, moved = (within, moved) if moved > within > 0 else (total / width,) * 2
        rest = np.linalg.slogdet(near)[1] + np.log(whole * moved)
        spread = sqrt((moved - within) / sharp)
        likely.append(((width - 1) * np.log(within) + rest, spread, sqrt(within), correlation))
    return min(likely)[1:]


def _difference(weeks: int, correlation: float) -> float:
    """Return the variance of the mean of weeks less that of the weeks before, of unit noise."""
    weights = np.repeat((-1, 1), weeks) / weeks
    return float(weights @ toeplitz(correlation ** np.arange(2 * weeks)) @ weights)
