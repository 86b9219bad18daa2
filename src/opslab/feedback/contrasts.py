"""For whom: which themes are said more by some customers than by the others of the same source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betainc, ndtri, stdtr

FEWEST = 20
"""Customers on either side from which the two are compared."""

CLEAR = 0.05
"""Adjusted p-value below which a difference is told as one."""

CAUTION = 0.1
"""Least part of the binomial variance that the hypergeometric one is taken for."""

Array = NDArray[Any]


def contrasts(
    inside: Array,
    traits: Mapping[str, Sequence[str | None]],
    sources: Sequence[str],
    customers: Sequence[str | None],
) -> pd.DataFrame:
    """Contrast each theme between each value of each trait and the other messages.

    Parameters
    ----------
    inside : array of bool, shape (messages, themes)
        Or a sparse one.
    traits : mapping of str to sequence
        Such as segment, plan or version; None where a message has none. The trait ``source`` is
        compared across sources, all others within them.
    sources : sequence of str, shape (messages,)
    customers : sequence of str or None, shape (messages,)
        None counts as a customer of its own.

    Returns
    -------
    pandas.DataFrame
        By trait, value and theme, for values that `FEWEST` customers have and as many have not:
        ``trait``, ``value``, ``theme`` (column of ``inside``) and what `compare` returns; ``q`` is
        adjusted over all rows.

    Examples
    --------
    >>> inside = np.array([[True]] * 30 + [[False]] * 70)
    >>> plans = ["team"] * 40 + ["solo"] * 60
    >>> rows = contrasts(inside, {"plan": plans}, ["help desk"] * 100, [None] * 100)
    >>> rows[["value", "messages", "of", "share", "elsewhere"]].round(2).values.tolist()
    [['solo', 0.0, 60, 0.0, 0.75], ['team', 30.0, 40, 0.75, 0.0]]
    """
    rows, counted = [], votes(customers)
    numbers = pd.Series(pd.factorize(np.array(sources, object))[0], dtype=float)
    for trait, column in traits.items():
        values = pd.Series(np.array(column, object))
        strata = (numbers * (trait != "source")).where(values.notna())
        for value in sorted(set(values.dropna())):
            frame = compare(inside, (values == value).to_numpy(), strata, counted)
            rows.append(frame.assign(trait=trait, value=value, theme=frame.index))
    return adjusted(rows)


def votes(customers: Sequence[str | None]) -> Array:
    """Return what each message counts, so that each customer counts once, however much they write.

    Examples
    --------
    >>> votes(["a", None, "a"]).tolist()
    [0.5, 1.0, 0.5]
    """
    writers = pd.Series([name or at for at, name in enumerate(customers)], dtype=object)
    return 1 / writers.groupby(writers).transform("size").to_numpy()


def compare(outcomes: Array, group: Array, sources: Any, counted: Array) -> pd.DataFrame:
    """Compare a group of messages with the others of the same sources, by each outcome.

    Parameters
    ----------
    outcomes : array, shape (messages, outcomes)
        From 0 to 1. What lies between counts as if it were 0 or 1 by chance, which is cautious.
    group : array of bool, shape (messages,)
    sources : sequence of str or None, shape (messages,)
        Messages of None take no part.
    counted : array, shape (messages,)
        What each message counts, from `votes`.

    Returns
    -------
    pandas.DataFrame
        A row for each outcome, none where either side has fewer than `FEWEST` customers: ``of``
        messages of the group, in sources that have others too; ``messages``, the sum of their
        outcomes; ``share`` of the group's customers and ``elsewhere`` of the others, each
        source with the same weight in both; ``difference`` with its 95 % interval ``low`` and
        ``high``; ``q``, the p-value, not adjusted yet.

    Sources
    -------
    Newcombe (1998), method 10; of several sources on Kish's effective size.
    """
    weights, chances = balance(group, sources, counted)
    sides = np.maximum([weights, -weights], 0)
    size = sizes(sides, counted)
    shares, spread = sides @ outcomes, ndtri(0.975) ** 2 / size
    half = np.sqrt(shares * (1 - shares) * spread + spread**2 / 4)
    ends = (shares + spread / 2 + [[[-1]], [[1]]] * half) / (1 + spread) - shares
    share, elsewhere = shares
    apart = np.hypot(ends, ends[::-1, ::-1])[:, 0] * [[-1], [1]] + share - elsewhere
    taking = counted * (weights != 0)
    left = np.maximum(1 - taking @ outcomes / max(taking.sum(), 1), CAUTION)
    frame = pd.DataFrame(
        {
            "messages": (weights > 0) @ (outcomes * 1.0),
            "of": (weights > 0).sum(),
            "share": share,
            "elsewhere": elsewhere,
            "difference": share - elsewhere,
            "low": apart[0],
            "high": apart[1],
            "q": p_values(outcomes, weights, chances, counted, left),
        }
    )
    return frame if size.min() >= FEWEST else frame[:0]


def sizes(sides: Array, counted: Array) -> Array:
    """Return how many equal customers the weights of each side are worth (Kish 1965)."""
    squares = (sides**2 / counted).sum(axis=1, keepdims=True)
    return np.where(squares > 0, 1 / squares.clip(1e-12), 1e-9)


def balance(group: Array, sources: Any, counted: Array) -> tuple[Array, Array]:
    """Return what each message weighs in the difference of a group, and its source's share of it.

    The weights add up to 1 in the group and to -1 elsewhere, in each source to the same (Mantel and
    Haenszel 1959): what differs between sources is no difference of the group. They are 0 in a
    source with messages on one side only, and where the source is None.

    Examples
    --------
    >>> weights, _ = balance(np.array([1, 1, 0, 1, 0, 0]), list("aaabbb"), np.ones(6))
    >>> weights.round(2).tolist()
    [0.25, 0.25, -0.5, 0.5, -0.25, -0.25]
    """
    frame = pd.DataFrame({"inside": group * counted, "all": counted})
    totals = frame.groupby(np.asarray(sources), dropna=False).transform("sum")
    part = (totals["inside"] / totals["all"]).to_numpy()
    weights = counted * np.where(group, 1 - part, -part) * np.asarray(pd.notna(sources))
    return weights / max((weights * group).sum(), 1e-9), part


def p_values(
    outcomes: Array,
    weights: Array,
    chances: Array,
    counted: Array,
    inflation: Array | float = 1.0,
    freedom: float = np.inf,
) -> Array:
    """Return the two-sided p-values that a group has each outcome as often as the others.

    Given how often it is in each source, its count in the group is about binomial. The exact mid-p
    value (Lancaster 1961) becomes a normal score, which is divided by the root of the inflation:
    below 1 for shares, since messages are drawn without being put back; above it for counts that
    vary more than by chance.
    """
    count = ((counted * (weights > 0)) @ outcomes).round(9)
    total = ((counted * (weights != 0)) @ outcomes).round(9)
    expected = np.where(weights != 0, counted * chances, 0) @ outcomes
    chance = np.clip(expected / total.clip(1e-9), 1e-9, 1 - 1e-9)
    above = sum(betainc(count + more, total - count + 1 - more, chance) for more in (0, 1)) / 2
    least = np.clip(np.minimum(above, 1 - above), 1e-300, 0.5)
    return np.asarray(2 * stdtr(freedom, ndtri(least) / np.sqrt(inflation)))


def adjusted(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return all rows, their p-values ``q`` adjusted (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    rows = (
        pd.concat(frames, ignore_index=True)
        if frames
        else pd.DataFrame(columns=["difference", "q"])
    )
    return rows.assign(q=false_discovery_control(rows["q"].astype(float)))
