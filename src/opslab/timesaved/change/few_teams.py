"""An effect of few teams told from chance: by their own changes, by permutation, by resampling.

All functions take ``outcome`` (teams, periods; NaN: nothing known), ``starts`` (teams; position of
the first period with the change) and an `Estimate`. It is linear in the outcome, is not moved by
what is the same in all periods of a team or in all teams of a period, treats teams alike, and
returns as many numbers whatever teams it is given: imputation and averages of its effects do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from opslab.timesaved.change.differences import residual, scales, since
from opslab.timesaved.change.result import Verdict
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.proportions import Interval

Estimate = Callable[[Values, Values], Values]
"""From outcome and starts to one number or several, the headline's first; NaN: not estimable."""


_ORDERS, _VECTORS, _ALL = 5_000, 1_000, 12  # the true one among them; teams of which all


def changes(estimate: Estimate, outcome: Values, starts: Values) -> tuple[Values, Values, int]:
    """Return estimates, their standard errors from the teams' own changes, and degrees of freedom.

    What an estimate makes of a team's noise is asked of every team's noise in turn, as if it were
    that team's; the variance is the sum over teams of the mean square. Noise is what team, period
    and the first estimate leave, larger where it is known in fewer periods; degrees of freedom are
    teams known on both sides of the first start, less two. With a common start and
    without gaps that is the t test of two samples, of the teams' means after less before. A single
    team with the change is judged by the spread of the others. It rests on noise of equal size in
    all teams; effects that differ by team, or grow, make the errors larger.

    Returns
    -------
    tuple of array (numbers,), array (numbers,), int

    Examples
    --------
    >>> import numpy as np
    >>> def estimate(y, starts):
    ...     change = y[:, [1]] - y[:, [0]]
    ...     return change[starts == 1].mean(axis=0) - change[starts > 1].mean(axis=0)
    >>> y = np.array([[0, 1], [0, 3], [0, 4], [0, 8.0]])
    >>> changes(estimate, y, np.array([2, 2, 1, 1]))
    (array([4.]), array([2.23606798]), 2)

    Sources
    -------
    Donald, Lang (2007), section II, two groups; Conley, Taber (2011), the others' spread where few
    have the change. That several starts keep 95 % is seen by simulation (docs/validation.md).
    """
    values, known = estimate(outcome, starts), np.isfinite(outcome)
    noise = residual(outcome - values[0] * (since(outcome, starts) >= 0), known)
    _, alike, count = np.unique(np.c_[starts, known], axis=0, return_index=True, return_counts=True)
    alone = np.eye(len(starts))[alike, :, None]
    first = starts[starts > 0].min(initial=outcome.shape[1])
    both = known[:, :first].any(axis=1) & known[:, first:].any(axis=1)
    size, freedom = scales(known)[alike], int(both.sum()) - 2
    shares = [
        [estimate(0 * outcome + at * row, starts) for row in (noise * each[:, None])[both]]
        for at, each in zip(alone, size, strict=True)
    ]
    return values, np.sqrt(count @ np.sum(np.square(shares), axis=1) / max(freedom, 1)), freedom


def jackknife(estimate: Estimate, outcome: Values, starts: Values) -> tuple[Values, Values, int]:
    """Return estimates, their covariance by leaving out a team at a time, and degrees of freedom.

    (G - 1) / G times the sum of squares about the estimates themselves; G - 1 degrees of freedom.
    The covariance is NaN of what is not estimable without one of the teams: no number rests on a
    team whose weight cannot be seen.

    Examples
    --------
    >>> import numpy as np
    >>> def estimate(y, starts):
    ...     change = y[:, [1]] - y[:, [0]]
    ...     return change[starts == 1].mean(axis=0) - change[starts > 1].mean(axis=0)
    >>> y = np.array([[0, 1], [0, 3], [0, 4], [0, 8.0]])
    >>> jackknife(estimate, y, np.array([2, 2, 1, 1]))
    (array([4.]), array([[7.5]]), 3)

    Sources
    -------
    CV3: MacKinnon, Nielsen, Webb (2023).
    """
    values, teams = estimate(outcome, starts), len(starts)
    moved = values - [estimate(outcome[kept], starts[kept]) for kept in np.eye(teams) == 0]
    return values, (teams - 1) / teams * moved.T @ moved, teams - 1


def interval(value: float, error: float, freedom: int) -> Interval:
    """Return a 95 % interval by Student's t, without ends where the error is not known.

    Examples
    --------
    >>> [round(end, 3) for end in interval(4.0, 2.236068, 2)]
    [4.0, -5.621, 13.621]
    """
    reach = error * stdtrit(freedom, 0.975)
    ends = (value, value - reach, value + reach)
    return Interval(*(float(end) if np.isfinite(end) else None for end in ends))


def verdicts(
    estimate: Estimate, outcome: Values, starts: Values, *, drawn: bool, seed: int
) -> tuple[Verdict, ...]:
    """Return the ways to tell the first estimate from chance side by side, the primary first.

    The primary is `changes`: of those with an interval it keeps 95 % from six teams on, with one
    start or several, however few have the change or have it not yet (docs/validation.md).

    ``permutation``
        p of the share of assignments of the starts to teams whose estimate is as large or larger:
        all distinct ones up to 5,000, else 4,999 draws and the true one. Assignments that cannot be
        estimated are left out of ``ways``. Exact where the assignment was `drawn`, and then second;
        else it is what it would be had it been drawn.
    ``jackknife``
        Leaving out a team at a time, t with G - 1 degrees of freedom: too sure where two or three
        teams alone have the change, or alone have it not.
    ``bootstrap``
        Wild cluster bootstrap of the estimate, no effect imposed, Rademacher: all sign vectors up
        to 12 teams, else 999 draws and the identity; the identity and its mirror count. Somewhat
        too sure: 6 to 7 false alarms of 100 where 5 are promised.
    ``clustered``
        Clustered errors, CR1: times G / (G - 1) (N - 1) / (N - K), K of all team and period effects
        and the change, and t with G - 1. Meaningless where few teams have the change: shown only
        as what not to use.

    Returns
    -------
    tuple of Verdict
        None at all where the headline is not estimable.

    Sources
    -------
    Permutation: Phipson, Smyth (2010), the true one counts; bootstrap: Cameron, Gelbach, Miller
    (2008); CR1: Cameron, Miller (2015), section II.
    """
    values, errors, freedom = changes(estimate, outcome, starts)
    value, (teams, periods) = values[0], outcome.shape
    if np.isnan(value):
        return ()
    random, known = np.random.default_rng(seed), np.isfinite(outcome)
    dates = np.minimum(starts, periods)
    orders = [*islice(_orders(dates.tolist()), _ORDERS + 1)]
    if len(orders) > _ORDERS:
        orders = [dates, *random.permuted([dates] * (_ORDERS - 1), axis=1)]
    lots = np.array([estimate(outcome, np.array(order))[0] for order in orders])
    signs = random.choice((1, -1), (_VECTORS, teams))
    if teams <= _ALL:
        signs = np.array([*product((1, -1), repeat=teams)])
    signs[0] = 1  # the identity
    alone = np.eye(teams)[:, :, None]
    effects = value * (since(outcome, starts) >= 0)
    none, scores = (
        np.array([estimate(0 * outcome + at * noise, starts)[0] for at in alone])
        for noise in (residual(outcome, known), residual(outcome - effects, known))
    )
    rows = known.sum()
    factor = teams / (teams - 1) * (rows - 1) / (rows - teams - periods)
    others = (
        _by_rank("permutation", value, lots[np.isfinite(lots)]),
        _by_t("jackknife", value, jackknife(estimate, outcome, starts)[1][0, 0], teams - 1),
        _by_rank("bootstrap", value, signs @ none),
    )
    return (
        _by_t("changes", value, errors[0] ** 2, freedom),
        *others[:: 1 if drawn else -1],
        _by_t("clustered", value, factor * scores @ scores, teams - 1),
    )


def _orders(dates: list[int]) -> Iterator[Any]:
    """Yield the distinct orders of dates."""
    if not dates:
        yield ()
    for date in sorted(set(dates)):
        rest = [*dates]
        rest.remove(date)
        yield from ((date, *order) for order in _orders(rest))


def _by_t(method: str, value: float, variance: float, freedom: int) -> Verdict:
    error = variance**0.5
    p = float(2 * stdtr(freedom, -abs(value) / error))
    ends = interval(value, error, freedom)
    return Verdict(method, ends, None if np.isnan(p) else p, primary=method == "changes")


def _by_rank(method: str, value: float, values: Values) -> Verdict:
    p = np.mean(np.abs(values) >= abs(value) * (1 - 1e-9))  # equal but for rounding counts
    return Verdict(method, Interval(float(value)), float(p), len(values))
