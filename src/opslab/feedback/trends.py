"""Since when: which themes are said more often of late, and which less."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc, stdtrit

from opslab.feedback.contrasts import CLEAR, FEWEST, Array, adjusted, balance, p_values
from opslab.feedback.history import counted

Measure = Literal["share", "rate"]
"""What is compared: the share of all messages, or messages a week."""

RECENT = 4
"""Weeks that are set against those before; a third of them where there are fewer than twelve."""
WEEKS = 3
"""Fewest weeks of which a trend can be told."""
BORROWED = 8
"""Degrees of freedom that the themes' median dispersion adds to a theme's own."""
STEADY = 4
"""Weeks from which it can be told whether the volume of messages is steady."""
RATIO, MESSAGES = 1.5, 8
"""Ratio above which a theme rises, and its messages of late from which it may."""


def measure_of(
    days: Sequence[datetime.date | None],
    sources: Sequence[str],
    customers: Sequence[str | None] = (),
    past: pd.DataFrame | None = None,
) -> Measure:
    """Return whether themes are compared by their share of all messages, or by their rate.

    The rate tells more, but it follows the volume. So it is taken only where the weekly messages of
    each source vary no more than by chance (Pearson's dispersion test of Poisson counts, .05) over
    `STEADY` whole weeks or more.

    Parameters
    ----------
    days, sources, customers, past
        As of `trends`.
    """
    table, count, _ = counted(np.empty((len(days), 0)), days, sources, customers, 7, past)
    totals = table["all"]
    means = totals.groupby("source").transform("mean")
    free = len(totals) - totals.index.get_level_values("source").nunique()
    moves = chdtrc(free, ((totals - means) ** 2 / means).sum()) < CLEAR
    return "share" if count < STEADY or moves else "rate"


def trends(
    inside: Array,
    days: Sequence[datetime.date | None],
    sources: Sequence[str],
    width: float = 7,
    customers: Sequence[str | None] = (),
    past: pd.DataFrame | None = None,
    measure: Measure = "share",
    recent: int | None = None,
) -> pd.DataFrame:
    """Compare each theme's share or rate of the last weeks with that before, in the same sources.

    Weeks are whole ones, back from the last day; messages before them or without a day are left
    out, and so are the few that 28 days or more part from others, such as a wrong year. In a
    week a customer counts once. Weekly counts vary more than by chance (quasi-Poisson): their
    Pearson dispersion, over the sources together and never below 1, inflates the test and the
    interval, with its own error (Student's t). Few weeks tell it badly, so it is drawn towards the
    median of all themes. What outlasts a week, such as a season, is not told from a trend.

    Parameters
    ----------
    inside : array of bool, shape (messages, themes)
    days : sequence of date or None, shape (messages,)
    sources : sequence of str, shape (messages,)
    width : float
        Days of a week.
    customers : sequence of str or None, shape (messages,), optional
        None counts as a customer of its own.
    past : pandas.DataFrame, optional
        Messages of earlier days, from `opslab.feedback.history.past_of`.
    measure : {"share", "rate"}
        Of all messages, or a week; weeks without any message of a source are missing in both.
    recent : int, optional
        Weeks that are set against those before; by default `RECENT`, or a third of fewer than
        twelve.

    Returns
    -------
    pandas.DataFrame
        A row for each theme, none where there are fewer than three weeks or too few messages:
        ``theme``, ``messages`` ``of`` all of late (a customer's in a week as one); ``ratio`` of the
        shares or rates (each at least half a message) with its 95 % interval ``low`` and ``high``,
        and the ``error`` of its logarithm; ``q``, adjusted over all themes; ``recent``, the weeks
        that are set against those before; ``weeks``, messages of each week since the last one
        of which nothing is known, the first one first; ``ended``, their last day; ``measure``;
        ``rising``.

    Sources
    -------
    Ratio over sources: Greenland and Robins (1985). Dispersion: McCullagh and Nelder (1989,
    chapter 6); of one theme in one source all is the generalised linear model's. Drawing it towards
    that of others: Smyth (2004).
    """
    table, count, ended = counted(inside, days, sources, customers, width, past)
    said, totals = table.drop(columns="all"), table["all"].to_numpy()
    each = totals if measure == "share" else np.ones(len(totals))
    ago, strata = (table.index.get_level_values(name) for name in ("ago", "source"))
    recent = recent or max(min(RECENT, count // 3), 1)
    weights, chances = balance(np.asarray(ago < recent), strata, each)
    sides, taking = np.maximum([weights, -weights], 0), weights != 0
    spoken = ago[taking].nunique()  # weeks that bear messages: the spread is told by them
    if min(count, spoken) < WEEKS or ((sides > 0) @ totals).min() < FEWEST:
        return pd.DataFrame()
    weeks, inflation, freedom = _inflation(said[taking], each[taking], recent)
    counts = said.to_numpy()
    rates = counts / each[:, None]
    shares = np.maximum(sides @ rates, 0.5 / ((sides > 0) @ each)[:, None])
    whole = ((1 - chances) * each)[weights > 0].sum()
    variance = np.where(taking, chances * (1 - chances), 0) @ counts / whole**2
    variance = np.where(variance > 0, variance, 4 * shares.prod(axis=0))  # as of half a message
    ratio, error = shares[0] / shares[1], np.sqrt(inflation * variance / shares.prod(axis=0))
    ratio[~counts[taking].any(axis=0)] = 1  # of a theme without a message in these weeks
    reach = np.exp(stdtrit(freedom, 0.975) * error)
    unknown = min({*range(count + 1)}.difference(weeks.index))
    frame = pd.DataFrame(
        {
            "theme": range(len(ratio)),
            "messages": (weights > 0) @ counts,
            "of": (weights > 0) @ totals,
            "ratio": ratio,
            "low": ratio / reach,
            "high": ratio * reach,
            "error": error,
            "q": p_values(rates, weights, chances, each, inflation, freedom),
            "recent": recent,
            "ended": str(ended)[:10],
            "measure": measure,
            "weeks": weeks.reindex(range(unknown)[::-1]).round().T.to_numpy(int).tolist(),
        }
    )
    rows = adjusted([frame])
    rising = (rows["ratio"] > RATIO) & (rows["q"] < CLEAR) & (rows["messages"] >= MESSAGES)
    return rows.assign(rising=rising)


def _inflation(said: pd.DataFrame, each: Array, recent: int) -> tuple[pd.DataFrame, Array, int]:
    """Return weekly counts, by how much they vary more than by chance, its degrees of freedom."""
    ago, strata = (said.index.get_level_values(name) for name in ("ago", "source"))
    sides = [strata, ago < recent]
    part = each / pd.Series(each).groupby(sides).transform("sum").to_numpy()
    expected = said.groupby(sides).transform("sum").mul(part, axis=0).groupby("ago").sum()
    weeks = said.groupby("ago").sum()
    own = len(weeks) - 2  # a week without messages tells nothing
    dispersion = (((weeks - expected) ** 2 / expected.clip(1e-9)).sum() / own).clip(1).to_numpy()
    prior = min(BORROWED, own * (len(dispersion) - 1))
    freedom = own + prior
    return weeks, (own * dispersion + prior * np.median(dispersion)) / freedom, freedom
