"""How bad: what stars and scores say on their own scale, and which themes are the worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opslab.errors import DataError
from opslab.feedback.contrasts import CLEAR, Array, adjusted, compare, votes
from opslab.tables.import_report import Score

SCALES = {"nps": (0, 10), "enps": (0, 10), "csat": (1, 5)}
"""Lowest and highest score of the kinds of survey that an export names."""


def discontent_of(frame: pd.DataFrame, file: str, stated: Score | None = None) -> pd.Series[float]:
    """Return how discontent each row is: 0 = content, 1 = as discontent as its scale allows.

    A score is read on the scale that the study states, or on that of its ``survey_type`` where that
    is an NPS or a CSAT; ``rating`` is 1 to 5 stars. A score of another scale is not read: NaN.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``score`` (higher is better), ``survey_type`` and ``rating``, what there is of them.
    file : str
        For the refusal.
    stated : Score, optional
        ``Answers.score``.

    Raises
    ------
    DataError
        When a score or a rating is beyond its scale.

    Examples
    --------
    >>> answers = pd.DataFrame({"survey_type": ["NPS", "CES"], "score": [2, 2]})
    >>> discontent_of(answers, "survey.csv").tolist()
    [0.8, nan]
    """
    known = frame.reindex(columns=["survey_type", "score", "rating"])
    for name in ("score", "rating"):
        known[name] = pd.to_numeric(known[name], errors="coerce").astype(float)
    discontent = np.full(len(frame), np.nan)
    for at, (kind, score, stars) in enumerate(known.itertuples(index=False)):
        scale = (stated.low, stated.high) if stated else SCALES.get(str(kind).strip().casefold())
        value, (low, high), key = stars, (1.0, 5.0), "feedback.ask_score"
        if scale and pd.notna(score):
            value, (low, high), key = score, scale, "tables.off_scale"
        if value < low or value > high:
            raise DataError.of(key, file=file, row=int(frame.index[at]) + 1)
        discontent[at] = (high - value) / (high - low)
    return pd.Series(discontent, frame.index)


def severities(
    inside: Array,
    discontent: Sequence[float | None],
    sources: Sequence[str],
    customers: Sequence[str | None],
) -> pd.DataFrame:
    """Compare the discontent of each theme's messages with the others of the same sources.

    Parameters
    ----------
    inside : array of bool, shape (messages, themes)
    discontent : sequence of float or None, shape (messages,)
        From 0 to 1; None where it is not known, which takes no part.
    sources : sequence of str, shape (messages,)
    customers : sequence of str or None, shape (messages,)

    Returns
    -------
    pandas.DataFrame
        What `compare` returns, ``theme``, ``q`` adjusted over all themes and ``worse``: more
        discontent than the others, q below .05. No row for a theme of fewer than 20 customers.

    Examples
    --------
    >>> inside = np.array([[True]] * 40 + [[False]] * 60)
    >>> rows = severities(inside, [0.9] * 40 + [0.2] * 60, ["store"] * 100, [None] * 100)
    >>> rows[["theme", "share", "elsewhere", "worse"]].round(2).values.tolist()
    [[0, 0.9, 0.2, True]]
    """
    known = np.array(discontent, float)
    if np.isnan(known).all():
        return pd.DataFrame()
    counts = votes(customers)
    numbers = pd.Series(pd.factorize(np.array(sources, object))[0], dtype=float)
    strata = numbers.where(~np.isnan(known))
    rows = [
        compare(np.nan_to_num(known)[:, None], theme, strata, counts).assign(theme=number)
        for number, theme in enumerate(inside.T)
    ]
    compared = adjusted(rows)
    return compared.assign(worse=(compared["q"] < CLEAR) & (compared["difference"] > 0))
