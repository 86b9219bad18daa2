"""Differences in differences with staggered starts: imputation, averages, event study, pre-trend.

All functions take ``outcome`` (teams, periods; the logarithm or the level; NaN: nothing known) and
``starts`` (teams; position of the first period with the change, the number of periods and more
where it never came). A cell is a team in a period; it is untreated before the team's start. What
cannot be estimated is NaN, never an exception and never a number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import fdtrc

from opslab.uncertainty.distributions import Values

Cells = NDArray[np.bool_]

_ROUNDING = 1e-9  # what is below it is nothing


class Effects(NamedTuple):
    """What came less what would have come.

    Attributes
    ----------
    cells : array (teams, periods)
        NaN before the start and where it is not estimable.
    not_estimable : array of int
        Periods with the change in some team and without any team to compare.
    """

    cells: Values
    not_estimable: NDArray[np.intp]


def impute(outcome: Values, starts: Values, compared: Cells | None = None) -> Effects:
    """Return effects by imputation: team and period effects from untreated cells alone.

    A cell is estimable where its team and its period both have untreated cells, and a chain of such
    cells (same team or same period) joins the two.

    Parameters
    ----------
    outcome : array (teams, periods)
    starts : array (teams,)
    compared : array of bool (teams, periods), optional
        Untreated cells that are to be used; all by default.

    Examples
    --------
    >>> import numpy as np
    >>> impute(np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 9.0]]), np.array([3, 2])).cells
    array([[nan, nan, nan],
           [nan, nan,  2.]])

    Sources
    -------
    Borusyak, Jaravel, Spiess (2024), Revisiting event-study designs: the imputation estimator.
    """
    untreated = _untreated(outcome, starts)
    cells = untreated if compared is None else compared
    alone = (np.isfinite(outcome) ^ untreated).any(0) & ~cells.any(0)
    effects = np.where(untreated, np.nan, outcome - fitted(outcome, cells))
    return Effects(effects, np.flatnonzero(alone))


def last_before(outcome: Values, starts: Values) -> Effects:
    """Return effects by group against those that never got it, from the last period before.

    The last period before is each team's last one with a value before its start; what it would have
    come to is by the team and period effects of those that never got it. Without such a team those
    that got it last are compared, until they got it.

    Examples
    --------
    >>> import numpy as np
    >>> last_before(np.array([[1.0, 2.0, 3.0], [5.0, 7.0, 9.0]]), np.array([3, 2])).cells
    array([[nan, nan, nan],
           [nan, nan,  1.]])

    Sources
    -------
    Callaway, Sant'Anna (2021), without covariates; Sun, Abraham (2021) for the group that got it
    last in the place of those that never did.
    """
    untreated = _untreated(outcome, starts)
    latest = (starts >= min(starts.max(), outcome.shape[1]))[:, None]
    last = np.cumsum(untreated[:, ::-1], 1)[:, ::-1] == 1
    return impute(outcome, starts, untreated & (latest | last))


def averages(effects: Values, starts: Values) -> dict[str, float]:
    """Return the averages of the effects of cells, NaN of none.

    ``simple`` is the mean of all cells; ``group`` of the teams' own means, which weighs groups by
    their teams; ``calendar`` of the periods' means; ``dynamic`` of the means by periods since the
    start. Where cells are missing each mean is over those that are there.

    Parameters
    ----------
    effects : array (teams, periods)
        `Effects.cells`.
    starts : array (teams,)

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.array([[np.nan, 1.0, 2.0], [np.nan, np.nan, 6.0]])
    >>> averages(cells, np.array([1, 2]))
    {'simple': 3.0, 'group': 3.75, 'calendar': 2.5, 'dynamic': 2.75}

    Sources
    -------
    Callaway, Sant'Anna (2021), section 3.1; ``aggte`` of their R package did.
    """
    means = {
        "simple": effects.ravel(),
        "group": _means(effects.T),
        "calendar": _means(effects),
        "dynamic": np.array([mean for mean, _ in by_step(effects, starts).values()]),
    }
    return {name: float(_means(values)) for name, values in means.items()}


def simple(outcome: Values, starts: Values) -> Values:
    """Return the simple average of the effects by imputation, alone in an array.

    Examples
    --------
    >>> import numpy as np
    >>> simple(np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 9.0]]), np.array([3, 2]))
    array([2.])
    """
    return np.array([averages(impute(outcome, starts).cells, starts)["simple"]])


def by_step(effects: Values, starts: Values) -> dict[int, tuple[float, int]]:
    """Return the mean effect and its teams by periods since the start, from 0.

    Periods without any effect are left out.

    Examples
    --------
    >>> import numpy as np
    >>> by_step(np.array([[np.nan, 1.0, 2.0], [np.nan, np.nan, 6.0]]), np.array([1, 2]))
    {0: (3.5, 2), 1: (2.0, 1)}
    """
    known = np.isfinite(effects)
    step = since(effects, starts)[known]
    groups = {int(k): effects[known][step == k] for k in np.unique(step)}
    return {k: (float(group.mean()), len(group)) for k, group in groups.items()}


def leads(outcome: Values, starts: Values, count: int) -> dict[int, float]:
    """Return placebo effects of `count` periods before the start, from untreated cells alone.

    A regression of the untreated cells on team and period effects and an indicator of each of the
    last `count` periods before the start; the periods before those are the reference. The keys run
    from ``-count`` to -1. NaN: not estimable, as with a start of all at once and no period before
    these.

    Examples
    --------
    >>> import numpy as np
    >>> outcome = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.5, 9.0]])
    >>> {k: round(value, 6) for k, value in leads(outcome, np.array([4, 3]), 1).items()}
    {-1: 0.5}

    Sources
    -------
    Borusyak, Jaravel, Spiess (2024), test 1: pre-trends apart from the effects.
    """
    steps = _steps(outcome, starts, count)
    values, _ = _coefficients(outcome, _untreated(outcome, starts), steps)
    return dict(enumerate(values.tolist(), -count))


def pre_trend(outcome: Values, starts: Values, count: int) -> tuple[float, float] | None:
    """Return F and p of the test that nothing happened in `count` periods before the start.

    The last ones in which a team with the change is known; two others are kept to compare with.

    The squares of all `leads` together, against what noise alone would make of them: the ANOVA-type
    statistic, which needs no inverse of a covariance that few teams cannot carry. The covariance is
    of the noise of all teams, each in the place of each (as of Conley and Taber, 2011), which holds
    from one team with the change on, and is larger where they vary more (`understated`); noise is
    what teams, periods and leads leave. The reference is
    F with Box's degrees of freedom and teams less two. By simulation it rejects in at most 7 of 100
    cases without a trend, but in next to none of six teams and fewer: there it says nothing. None:
    a lead is not estimable, or there are not three teams with a value before their start.

    Sources
    -------
    Brunner, Dette, Munk (1997); Box (1954).
    """
    untreated = _untreated(outcome, starts)
    first = starts[starts > 0].min(initial=outcome.shape[1])
    steps = _steps(outcome, starts, first) & untreated
    steps = steps[steps.any((1, 2))]
    if not len(steps):
        return None
    steps = steps[-max(1, min(count, len(steps) - 2)) :]
    coefficients, weights = _coefficients(outcome, untreated, steps)
    noise = residual(outcome - np.tensordot(coefficients, steps, 1), untreated)
    moved = weights @ noise.T * scales(untreated)
    free = (untreated[:, :first].sum(1) > 1).sum() - 2
    covariance = np.einsum("kij,lij", moved, moved)
    total = np.trace(covariance)
    if free < 1 or not total > _ROUNDING**2:
        return None
    larger = max(understated(outcome, starts), 1.0)
    statistic = float(coefficients @ coefficients / total * free / larger)
    return statistic, float(fdtrc(total**2 / np.sum(covariance**2), free, statistic))


def understated(outcome: Values, starts: Values) -> float:
    """Return the variance of a difference of both groups, by what it is with noise alike in all.

    Noise is what team and period effects leave of the cells without the change, of each group its
    own: where few teams with the change vary more than the others, intervals are too narrow. 1
    where one of the groups is not there.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.array([[3.0, -3, 3, -3], [-1, 1, -1, 1], [-1, 1, -1, 1], [-1, 1, -1, 1]])
    >>> round(understated(noise, np.array([3, 4, 4, 4])), 3)
    2.467
    """
    cells = _untreated(outcome, starts)
    noise = residual(outcome, cells)
    known = cells.sum(1) > 1
    sizes, treated = (noise**2).sum(1)[known] / cells.sum(1)[known], starts[known] < len(noise.T)
    groups = [sizes[treated], sizes[~treated]]
    if not all(map(len, groups)) or sizes.sum() < _ROUNDING:
        return 1.0
    own = sum(group.mean() / len(group) for group in groups)
    return float(own / sizes.mean() / sum(1 / len(group) for group in groups))


def two_way(outcome: Values, starts: Values) -> float:
    """Return the two-way fixed effects estimate: wrong where effects differ by group or grow.

    The coefficient of "has the change" beside team and period effects, over all cells with a value.

    Examples
    --------
    >>> import numpy as np
    >>> round(two_way(np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 9.0]]), np.array([3, 2])), 6)
    2.0

    Sources
    -------
    Goodman-Bacon (2021), and why it is wrong.
    """
    slope, _ = _coefficients(outcome, np.isfinite(outcome), ~_untreated(outcome, starts)[None])
    return float(slope[0])


def since(outcome: Values, starts: Values) -> Values:
    """Return the periods since the start of each cell, below 0 before it."""
    return np.arange(outcome.shape[1]) - starts[:, None]


def _untreated(outcome: Values, starts: Values) -> Cells:
    return np.isfinite(outcome) & (since(outcome, starts) < 0)


def residual(outcome: Values, cells: Cells) -> Values:
    """Return what the team and period effects of cells leave of them; 0 of all others."""
    return np.where(cells, outcome - fitted(outcome, cells), 0.0)


def fitted(values: Values | Cells, cells: Cells) -> Values:
    """Return team plus period effects, by least squares on cells; NaN where not estimable.

    The periods are eliminated; what is left is the Laplacian of the graph of teams, which is made
    regular by the indicators of its connected parts.
    """
    weights, filled = cells * 1.0, np.where(cells, values, 0.0)
    share = weights / np.maximum(weights.sum(0), 1.0)
    mean = (filled * share).sum(0)
    laplacian = np.diag(weights.sum(1)) - weights @ share.T
    _, part = connected_components(laplacian)
    joined = part[:, None] == part
    team = np.linalg.solve(laplacian + joined, filled.sum(1) - weights @ mean)
    return np.where(joined @ weights > 0, team[:, None] + mean - team @ share, np.nan)


def scales(known: Cells) -> Values:
    """Return by how much a team's noise (column) grows in another's place (row), to be as much.

    The root of the periods known of the one, by those known of both.
    """
    both = known * 1.0 @ known.T
    root: Values = np.sqrt(np.diag(both)[:, None] / np.maximum(both, 1.0))
    return root


def _steps(outcome: Values, starts: Values, count: int) -> Cells:
    """Return which cells are so many periods before the start, from the first to the last."""
    known = starts * (starts < outcome.shape[1])  # 0 of those that never got it: nothing is before
    cells: Cells = since(outcome, known) == np.arange(-count, 0)[:, None, None]
    return cells


def _coefficients(outcome: Values, cells: Cells, indicators: Cells) -> tuple[Values, Values]:
    """Return coefficients beside team and period effects, and the weight of each outcome in each.

    Least squares on cells; NaN: not estimable.
    """
    left = np.array([(values - fitted(values, cells))[cells] for values in indicators])
    left *= np.abs(left) > _ROUNDING
    weights = np.zeros(indicators.shape)
    weights[:, cells] = inverse = np.linalg.pinv(left.T)
    known = np.isclose(np.diag(inverse @ left.T), 1.0)
    return np.where(known, inverse @ outcome[cells], np.nan), weights


def _means(values: Values) -> Values:
    """Return means over the first axis of what is known, NaN of nothing."""
    return np.ma.filled(np.ma.masked_invalid(values).mean(0), np.nan)
