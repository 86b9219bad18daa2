"""What to do first: themes by who says them, how discontent they are, and whether it grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from opslab.feedback.contrasts import Array, votes
from opslab.feedback.shares import by_customer

CERTAINTY = 0.9
"""How sure it must be that a theme comes after another one, for the two to be told apart."""
BANDS = 3
"""First, then, later."""
KNOWN = 0.9
"""Share of a source's messages whose customer must be known for customers to be counted."""
LEAST_SEVERITY, LEAST_TREND = 0.1, 0.5
"""Floors of the two factors: what is said by many is never worth nothing."""
_USUAL = 4  # messages of the average discontent that are added to those of a theme
_CHANGE = 0.4  # usual change of a theme, as a logarithm: a ratio of 1.5 either way


class Ranking(NamedTuple):
    """The themes in order, and what the order rests on.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each theme, in the order of its columns: ``theme``; the factors ``weight``,
        ``severity`` and ``trend``, each with its relative standard error (``weight_error`` …);
        ``priority``, their product, and its ``error``; ``rank`` and ``band`` (1 = first), none
        where a theme is only listed.
    parts : tuple of str
        What counted: ``customers``, ``messages`` or ``revenue``, then ``severity`` and ``trend``
        where they are known. What is not known is left out for all themes alike.
    """

    table: pd.DataFrame
    parts: tuple[str, ...]


def rank(
    inside: Array,
    customers: Sequence[str | None],
    sources: Sequence[str],
    revenues: Sequence[float | None],
    discontent: Sequence[float | None],
    trend: pd.DataFrame,
    ranked: Sequence[bool],
) -> Ranking:
    """Rank themes by people x severity x trend, and tell which stand apart.

    Parameters
    ----------
    inside : array of bool, shape (messages, themes)
    customers : sequence of str or None, shape (messages,)
        Counted once each where nearly all are known in every source; messages otherwise, in all
        sources alike.
    sources : sequence of str, shape (messages,)
    revenues : sequence of float or None, shape (messages,)
        A year's; counted once a customer where it is known of every customer.
    discontent : sequence of float or None, shape (messages,)
        From `severity.discontent_of`.
    trend : pandas.DataFrame
        From `trends.trends`; empty where the days do not tell one.
    ranked : sequence of bool, shape (themes,)
        False for themes that are praise or thanks: they are listed.

    Examples
    --------
    >>> inside = np.array([[True, False]] * 90 + [[False, True]] * 20)
    >>> nobody = [None] * 110
    >>> ranking = rank(inside, nobody, ["x"] * 110, nobody, nobody, pd.DataFrame(), [True] * 2)
    >>> ranking.table[["weight", "priority", "rank", "band"]].to_numpy().tolist()
    [[90.0, 90.0, 1.0, 1.0], [20.0, 20.0, 2.0, 2.0]]
    >>> ranking.parts
    ('messages',)

    Sources
    -------
    Error of a product: delta method on logarithms. Factors are drawn towards what is usual: Efron
    and Morris (1975).
    """
    basis, weight, weight_error = _people(inside, customers, sources, revenues)
    rated = np.array(discontent, float)
    severity, severity_error = _severity(inside, rated, votes(customers), sources)
    growth, growth_error = _growth(trend, inside.shape[1])
    table = pd.DataFrame(
        {
            "theme": range(inside.shape[1]),
            "weight": weight,
            "weight_error": weight_error,
            "severity": severity,
            "severity_error": severity_error,
            "trend": growth,
            "trend_error": growth_error,
            "priority": weight * severity * growth,
            "error": np.sqrt(weight_error**2 + severity_error**2 + growth_error**2),
        }
    )
    order = table[np.array(ranked, bool)].sort_values("priority", ascending=False, kind="stable")
    table.loc[order.index, "rank"] = np.arange(len(order)) + 1.0
    table.loc[order.index, "band"] = bands(order["priority"].tolist(), order["error"].tolist())
    known = {basis: True, "severity": not np.isnan(rated).all(), "trend": len(trend) > 0}
    return Ranking(table, tuple(part for part in known if known[part]))


def bands(priorities: Sequence[float], errors: Sequence[float]) -> list[int]:
    """Return the band of each theme, the first one first; at most `BANDS`.

    A band ends before the theme that is clearly below the band's first.

    Examples
    --------
    >>> bands([100, 90, 40, 35, 10, 1], [0.2] * 6)
    [1, 1, 2, 2, 3, 3]
    """
    band, numbers, first = 1, list[int](), (0.0, 0.0)
    for priority, error in zip(np.log(np.maximum(priorities, 1e-9)), errors, strict=True):
        apart = first[0] - priority > ndtri(CERTAINTY) * np.hypot(first[1], error)
        if not numbers or (apart and band < BANDS):
            band, first = band + bool(numbers), (priority, error)
        numbers.append(band)
    return numbers


def _people(
    inside: Array,
    customers: Sequence[str | None],
    sources: Sequence[str],
    revenues: Sequence[float | None],
) -> tuple[str, Array, Array]:
    """Return what is counted, how much of it each theme has, and its relative error."""
    keys = pd.Series(np.array(customers, object))
    countable = keys.notna().groupby(np.array(sources, object)).mean().min() >= KNOWN
    keys = keys if countable else pd.Series(range(len(keys)))
    people = by_customer(inside, keys)
    worth = pd.Series(np.array(revenues, float)).groupby(keys).max().to_numpy()
    paid = countable and bool((worth >= 0).all()) and worth.sum() > 0
    worth = worth if paid else np.ones(len(worth))
    weight = people.T @ worth
    basis = "revenue" if paid else "customers" if countable else "messages"
    return basis, weight, np.sqrt(people.T @ worth**2) / np.maximum(weight, 1e-9)


def _severity(
    inside: Array, rated: Array, counted: Array, sources: Sequence[str]
) -> tuple[Array, Array]:
    """Return the mean discontent of each theme, and its relative error; 1 where none is known.

    Each source is taken at the mean of all: what is harsh in one is the usual in another.
    """
    known = ~np.isnan(rated)
    if not known.any():
        return np.ones(inside.shape[1]), np.zeros(inside.shape[1])
    usual = np.average(rated[known], weights=counted[known])
    weighed = pd.DataFrame({"sum": np.nan_to_num(rated) * counted, "all": known * counted})
    totals = weighed.groupby(np.array(sources, object)).transform("sum")
    level = (rated - (totals["sum"] / totals["all"]).to_numpy() + usual)[known].clip(0, 1)
    count = (known * counted) @ inside + _USUAL
    mean = ((level * counted[known]) @ inside[known] + _USUAL * usual) / count
    severity = np.maximum(mean, LEAST_SEVERITY)
    return severity, level.std() / np.sqrt(count) / severity


def _growth(trend: pd.DataFrame, themes: int) -> tuple[Array, Array]:
    """Return the ratio of late to before, drawn towards 1, and its error; 1 where none is told."""
    if trend.empty:
        return np.ones(themes), np.zeros(themes)
    error = trend["error"].to_numpy()
    certain = _CHANGE**2 / (_CHANGE**2 + error**2)
    ratio = np.exp(certain * np.log(trend["ratio"].to_numpy()))
    return np.maximum(ratio, LEAST_TREND), np.sqrt(certain) * error
