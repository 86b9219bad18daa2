"""How long people worked on messages, before and after something was done for their theme."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from opslab.errors import DataError
from opslab.feedback.contrasts import FEWEST

MINUTES = {"seconds": 1 / 60, "minutes": 1.0, "hours": 60.0}
FIGURES = "count_before count_after minutes_before minutes_after saved saved_low saved_high"


def minutes_of(column: pd.Series[Any], unit: str, file: str) -> pd.Series[float]:
    """Return handling times in minutes; NaN where a cell is blank.

    Parameters
    ----------
    column : pandas.Series
        By the row's place in its table, from 0.
    unit : {"minutes", "hours", "seconds"}
    file : str
        For the refusal.

    Raises
    ------
    DataError
        For a cell that is no number, or below 0.

    Examples
    --------
    >>> minutes_of(pd.Series([90, None]), "seconds", "tickets.csv").tolist()
    [1.5, nan]
    """
    times = pd.to_numeric(column, errors="coerce")
    for row in column.index[column.notna() & ~times.between(0, 1e9)][:1]:
        raise DataError.of("feedback.bad_handling", file=file, row=int(row) + 1, cell=column[row])
    return times * MINUTES[unit]


def handling_time(
    minutes: pd.Series[Any], late: pd.Series[bool], sources: pd.Series[str]
) -> dict[str, float]:
    """Compare the handling time of messages from a day on with that of those before.

    Times are skewed, so they are compared on the logarithmic scale, in the source that has most of
    them: two tools count differently. 0 counts as not known: nobody worked on it, or noted it.

    Parameters
    ----------
    minutes : pandas.Series of float, shape (messages,)
        Missing where they are not known.
    late : pandas.Series of bool, shape (messages,)
    sources : pandas.Series of str, shape (messages,)

    Returns
    -------
    dict
        `FIGURES`: times that are known before and after, their geometric means, ``saved``, by which
        part these went down (below 0: up), and its 95 % interval. Nothing where fewer than
        `FEWEST` times are known on either side.

    Sources
    -------
    Welch (1947), on logarithms.

    Examples
    --------
    >>> times = pd.Series([10.0, 11, 12, 13] * 10 + [5.0, 6, 7, 8] * 10)
    >>> compared = handling_time(times, times.index >= 40, pd.Series("help desk", times.index))
    >>> [round(compared[name], 2) for name in ("minutes_before", "minutes_after", "saved")]
    [11.45, 6.4, 0.44]
    """
    known = minutes.astype(float) > 0
    own = known & sources.isin(sources[known].mode()[:1])
    logs = [np.log(minutes[own & (late == side)].astype(float)) for side in (False, True)]
    counts, means = [len(log) for log in logs], [log.mean() for log in logs]
    if min(counts) < FEWEST:
        return {}
    parts = [max(log.var(), 1e-9) / len(log) for log in logs]
    freedom = sum(parts) ** 2 / sum(
        part**2 / (count - 1) for part, count in zip(parts, counts, strict=True)
    )
    change, reach = means[1] - means[0], stdtrit(freedom, 0.975) * sum(parts) ** 0.5
    numbers = [*counts, *np.exp(means), *(1 - np.exp([change, change + reach, change - reach]))]
    return dict(zip(FIGURES.split(), map(float, numbers), strict=True))
