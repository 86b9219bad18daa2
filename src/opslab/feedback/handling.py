"""How long people worked on messages, before and after something was done for their theme."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from opslab.errors import DataError
from opslab.feedback.contrasts import FEWEST

MINUTES = {"seconds": 1 / 60, "minutes": 1.0, "hours": 60.0}


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
        ``count``, ``median`` and ``mean`` with ``_before`` and ``_after``; ``saved``, by which part
        the geometric mean went down (below 0: up), with its 95 % interval ``saved_low`` and
        ``saved_high``. Nothing where fewer than `FEWEST` times are known on either side.

    Sources
    -------
    Welch (1947), on logarithms.

    Examples
    --------
    >>> times = pd.Series([10.0, 11, 12, 13] * 10 + [5.0, 6, 7, 8] * 10)
    >>> compared = handling_time(times, times.index >= 40, pd.Series("help desk", times.index))
    >>> compared["mean_before"], compared["mean_after"], round(compared["saved"], 2)
    (11.5, 6.5, 0.44)
    """
    known = minutes.astype(float) > 0
    own = known & sources.isin(sources[known].mode()[:1])
    sides = [minutes[own & (late == side)].astype(float) for side in (False, True)]
    if min(map(len, sides)) < FEWEST:
        return {}
    logs = [np.log(side) for side in sides]
    parts = [max(log.var(), 1e-9) / len(log) for log in logs]
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(log) - 1) for part, log in zip(parts, logs, strict=True)
    )
    change, reach = logs[1].mean() - logs[0].mean(), stdtrit(freedom, 0.975) * sum(parts) ** 0.5
    ends = (1 - np.exp([change, change + reach, change - reach])).tolist()
    figures = {
        f"{name}_{when}": float(getattr(side, name)())
        for when, side in zip(("before", "after"), sides, strict=True)
        for name in ("count", "median", "mean")
    }
    return figures | dict(zip(("saved", "saved_low", "saved_high"), ends, strict=True))
