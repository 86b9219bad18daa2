"""How large a theme is: the share surely in it, with the rest assigned, and one cautious interval.

Where people judged a random sample, the interval is of the true share, by double sampling
(Tenenbein 1970): all messages are sorted by a method that errs, some of them by people too. Few of
these fall on each theme, so its rates of error are drawn towards the mean of all themes, by a weak
prior (Kerman 2011). Without judges the interval goes from Wilson's low end of the sure share to his
high end of the share with the rest assigned: it leaves open whether an unsorted message belongs to
its nearest theme or to none, and knows of no error of sorting. How often both hold the truth:
docs/validation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import betaincinv, ndtri

from opslab.feedback.clustering import Floats
from opslab.uncertainty import beta_interval

Bools = NDArray[np.bool_]
Judged = Sequence[tuple[int, int, int, int]]

_NEUTRAL = 1 / 3  # judged ones of the rarer answer that the mean of all themes is worth


def wilson(right: int, judged: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share.

    Parameters
    ----------
    right, judged : int
        How many of how many; at least one is judged.

    Returns
    -------
    (float, float)
        From 0 to 1.

    Raises
    ------
    ZeroDivisionError
        When none is judged: any share may be the true one.

    Examples
    --------
    >>> low, high = wilson(18, 20)
    >>> round(low, 3), round(high, 3)
    (0.699, 0.972)

    Sources
    -------
    Wilson (1927), as in statsmodels' ``proportion_confint(right, judged, method="wilson")``.
    """
    z = float(ndtri(0.975))
    share, weight = right / judged, z * z / judged
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight * weight / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def beta_of(low: float, high: float) -> dict[str, float]:
    """Return the parameters of the beta distribution of a share with that 95 % interval.

    An end at 0 or 1, which no beta reaches, is moved by a thousandth of the way to the other one.

    Examples
    --------
    >>> {name: round(value) for name, value in beta_of(0.08, 0.18).items()}
    {'a': 21, 'b': 146}
    """
    fitted = beta_interval(max(low, high / 1000), min(high, 1 - (1 - low) / 1000), 0.95)
    return dict(zip("ab", vars(fitted).values(), strict=False))


def by_customer(standing: Any, customers: Any) -> Any:
    """Return where each known customer stands: in each theme that a message of theirs stands in.

    Parameters
    ----------
    standing : array of bool, shape (messages, themes)
    customers : sequence of str or None, or of numbers
        A key for each message; None where unknown.

    Returns
    -------
    array of bool, shape (customers, themes)
        In the order of the customers' keys.

    Examples
    --------
    >>> by_customer(np.eye(3, dtype=bool), ["a", None, "a"]).tolist()
    [[True, False, True]]
    """
    people, keys = pd.factorize(np.array(customers), sort=True)
    rows = np.flatnonzero(people >= 0)
    places = np.ones(len(rows)), (people[rows], rows)
    return sparse.csr_matrix(places, (len(keys), len(people))) @ standing > 0


def shares_of(inside: Bools, nearest: Bools, judged: Judged) -> list[list[float]]:
    """Return the share of each theme, and the low and the high end of its 95 % interval.

    From a judged sample it is the true share; without one the rest counts half with the theme it
    is nearest to, and the interval goes from none of it to all.

    Parameters
    ----------
    inside, nearest
        As of `true_shares`.
    judged : sequence of (row, theme, true theme, at most)
        None where there is no sample. The true theme is -1, and at most the runner-up, where people
        only say that it is another one: the interval holds both.
    """
    if judged:
        sure = true_shares(inside, nearest, [(row, met, true) for row, met, true, _ in judged])
        most = true_shares(inside, nearest, [(row, met, most) for row, met, _, most in judged])
        return np.vstack([sure[:2], most[2]]).T.tolist()  # type: ignore[no-any-return]
    count, sums = max(len(inside), 1), np.array([inside.sum(axis=0), nearest.sum(axis=0)])
    return [
        [(least + most) / 2 / count, wilson(least, count)[0], wilson(most, count)[1]]
        for least, most in sums.T.tolist()
    ]


def true_shares(inside: Bools, nearest: Bools, judged: Sequence[tuple[int, int, int]]) -> Floats:
    """Return the share of messages, or of customers, truly in each theme, from a judged sample.

    Of those surely in a theme, of the unsorted that are nearest to it, and of those elsewhere, the
    sample tells how many belong to it. The interval is that of the beta with the mean and the
    variance of the estimate.

    Parameters
    ----------
    inside, nearest : array of bool, shape (messages, themes) or (customers, themes)
        Who surely stands in a theme, and the same with the unsorted in their nearest one, as the
        judges met them: before judged messages are moved.
    judged : sequence of (row, theme, true theme)
        A random sample of what is true in `nearest`: the message or its customer, the theme that
        was judged, and the one it is truly about, -1 where it is none of these.
        Where a judge only says that it is wrong, take the low end with -1, and the high end with
        the theme that is second nearest: the truth lies between.

    Returns
    -------
    array of float, shape (3, themes)
        The estimate, and the low and the high end of its 95 % interval.

    Examples
    --------
    >>> inside = np.repeat([[True, False], [False, True]], [60, 40], axis=0)
    >>> judged = [*((row, 0, 0) for row in range(9)), (9, 0, 1), (60, 1, 1), (61, 1, 1)]
    >>> true_shares(inside, inside, judged).round(2).tolist()
    [[0.57, 0.43], [0.41, 0.29], [0.71, 0.59]]
    """
    row, met, true = np.array(judged).T[..., None]
    themes, (own, near) = np.arange(inside.shape[1]), (inside[row[:, 0]], nearest[row[:, 0]])
    here = met == themes
    places = np.array([here & own, here & ~own, ~here])
    truly = (true == themes) & (here | ~near)  # who is said to be where they stand anyway adds none
    asked, right = places.sum(axis=1), (places & truly).sum(axis=1)
    mean = ((right.sum(axis=1) + 0.5) / (asked.sum(axis=1) + 1))[:, None]
    prior = _NEUTRAL / np.minimum(mean, 1 - mean)
    worth = prior + asked
    rates = (prior * mean + right) / worth
    surely, most = inside.mean(axis=0), nearest.mean(axis=0)
    weights = np.array([surely, most - surely, most.sum() - most])
    share = (weights * rates).sum(axis=0)
    spread = weights * rates * (1 - rates) / (worth + 1) + rates**2 / len(inside)
    variance = (weights * spread).sum(axis=0) - share**2 / len(inside)
    strength = np.maximum(share * (1 - share) / variance - 1, 0.1)  # at least: anything may be
    ends = betaincinv(share * strength, (1 - share) * strength, [[0.025], [0.975]])
    return np.vstack([share, ends])
