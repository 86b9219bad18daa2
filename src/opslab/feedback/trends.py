"""Since when: which themes are said more often of late, and which less."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from opslab.feedback.contrasts import CLEAR, FEWEST, Array, adjusted, balance, p_values

RECENT = 4
"""Weeks that are set against those before; a third of them where there are fewer than twelve."""
WEEKS = 3
"""Fewest weeks of which a trend can be told."""
BORROWED = 8
"""Degrees of freedom that the themes' median dispersion adds to a theme's own."""
GAP, STRAY = 28, 0.05
"""Days without a message beyond which less than such a share of all is a wrong date."""
RATIO, MESSAGES = 1.5, 8
"""Ratio above which a theme rises, and its messages of late from which it may."""


def trends(
    inside: Array,
    days: Sequence[datetime.date | None],
    sources: Sequence[str],
    width: float = 7,
    customers: Sequence[str | None] = (),
    recent: int | None = None,
) -> pd.DataFrame:
    """Compare each theme's share of the last weeks with its share before, in the same sources.

    Weeks are whole ones, back from the last day; messages before them or without a day are left
    out, and so are the few that `GAP` days or more part from others, such as a wrong year. In a
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
    recent : int, optional
        Weeks that are set against those before; by default `RECENT`, or a third of fewer than
        twelve.

    Returns
    -------
    pandas.DataFrame
        A row for each theme, none where there are fewer than three weeks or too few messages:
        ``theme``, ``messages`` ``of`` all of late (a customer's in a week as one); ``ratio`` of the
        shares (each at least half a message) with its 95 % interval ``low`` and ``high``, and the
        ``error`` of its logarithm; ``q``, adjusted over all themes; ``recent``, the weeks that are
        set against those before; ``weeks``, messages of each week, the first one first; ``ended``,
        their last day; ``rising``.

    Sources
    -------
    Ratio over sources: Greenland and Robins (1985). Dispersion: McCullagh and Nelder (1989,
    chapter 6); of one theme in one source all is the generalised linear model's. Drawing it towards
    that of others: Smyth (2004).
    """
    ago, count, ended = _weeks(days, width)
    inside, ago, sources = _once(inside, ago, sources, customers)
    recent = recent or max(min(RECENT, count // 3), 1)
    late, each = (ago < recent).to_numpy(), np.ones(len(ago))
    strata = pd.Series(np.array(sources, object)).where(ago < count).to_numpy()
    weights, chances = balance(late, strata, each)
    sides = np.maximum([weights, -weights], 0)
    size = (sides > 0).sum(axis=1, keepdims=True)
    if count < WEEKS or size.min() < FEWEST:
        return pd.DataFrame()
    said = pd.DataFrame(inside.astype(float))
    means = said.groupby([strata, late]).transform("mean")
    expected, weeks = (part.groupby(ago.where(weights != 0)).sum() for part in (means, said))
    own = len(weeks) - 2  # a week without messages tells nothing
    dispersion = (((weeks - expected) ** 2 / expected.clip(1e-9)).sum() / own).clip(1).to_numpy()
    prior = min(BORROWED, own * (len(dispersion) - 1))
    freedom = own + prior
    inflation = (own * dispersion + prior * np.median(dispersion)) / freedom
    shares = np.maximum(sides @ inside, 0.5 / size)
    whole = (1 - chances)[weights > 0].sum()
    variance = np.where(weights != 0, chances * (1 - chances), 0) @ inside / whole**2
    ratio, error = shares[0] / shares[1], np.sqrt(inflation * variance / shares.prod(axis=0))
    reach = np.exp(stdtrit(freedom, 0.975) * error)
    frame = pd.DataFrame(
        {
            "theme": range(len(ratio)),
            "messages": (weights > 0) @ (inside * 1.0),
            "of": sum(weights > 0),
            "ratio": ratio,
            "low": ratio / reach,
            "high": ratio * reach,
            "error": error,
            "q": p_values(inside, weights, chances, each, inflation, freedom),
            "recent": recent,
            "ended": str(ended)[:10],
            "weeks": weeks.reindex(range(count)[::-1], fill_value=0).T.to_numpy(int).tolist(),
        }
    )
    rows = adjusted([frame])
    rising = (rows["ratio"] > RATIO) & (rows["q"] < CLEAR) & (rows["messages"] >= MESSAGES)
    return rows.assign(rising=rising)


def _weeks(days: Sequence[datetime.date | None], width: float) -> tuple[pd.Series[float], int, Any]:
    """Return how many weeks ago each message is, how many whole weeks there are, the last day."""
    dates = pd.to_datetime(pd.Series(np.array(days, object)))
    runs = (dates.sort_values().diff() >= pd.Timedelta(days=GAP)).cumsum()[dates.notna()]
    dates = dates.where(runs.map(runs.value_counts(normalize=True)) >= STRAY)
    count = int(((dates.max() - dates.min()).days + 1) // width) if dates.notna().any() else 0
    last = dates.max()
    return ((last - dates).dt.days // width).astype(float), count, last


def _once(
    inside: Array, ago: pd.Series[float], sources: Sequence[str], customers: Sequence[str | None]
) -> tuple[Array, pd.Series[float], Any]:
    """Return messages with those of a customer in a week, and a source, as one."""
    writers = [name or at for at, name in enumerate(customers)] or [*ago.index]
    frame = pd.DataFrame(inside).assign(ago=ago, source=sources, writer=writers)
    once = frame.groupby(["ago", "source", "writer"], sort=False, dropna=False).any().reset_index()
    return once[[*range(inside.shape[1])]].to_numpy(), once["ago"], once["source"]
