"""Arrivals, departures and what is in between: week by week, by status, and by Little's law."""

from typing import Any

import numpy as np

from opslab.operations.flow.clock import midnights, working_days
from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import CANCELLED, DONE, Lifecycles
from opslab.operations.flow.result import Little, WeekRow
from opslab.operations.flow.spec import Calendar

MONDAY = 4
"""1970-01-05."""
ALIKE = 0.1
"""Arrivals and departures that differ by more, relative to the larger, are not alike."""


def occupancy(visits: Any, edges: Any, statuses: int) -> Any:
    """Return how many tickets are in each status at instants, and the exact days until then.

    Parameters
    ----------
    visits : History or DataFrame
        ``status``, ``entered`` and ``left``; the open ones, whose `left` is NaN, go on.
    edges : array of float, shape (edges,)
        Instants in order. A visit counts that was entered before it, and not left before it.
    statuses : int
        How many statuses there are.

    Returns
    -------
    array of float, shape (2, edges, statuses)
        Tickets; and days that they have spent there, all together, up to each edge.

    Examples
    --------
    >>> import pandas as pd
    >>> visits = pd.DataFrame({"status": [0, 0], "entered": [1.0, 8], "left": [9, np.nan]})
    >>> tickets, days = occupancy(visits, np.array([0.0, 7, 14]), 1)
    >>> tickets.ravel().tolist(), days.ravel().tolist()
    ([0.0, 1.0, 1.0], [0.0, 6.0, 14.0])
    """
    since = edges - edges[0]  # small numbers, so that their sums keep the digits

    def passed(instants: Any) -> Any:
        instants = np.sort(instants - edges[0])
        count = np.searchsorted(instants, since)
        return np.array([count, count * since - np.append(0, instants).cumsum()[count]])

    masks = (visits.status == status for status in range(statuses))
    parts = [passed(visits.entered[here]) - passed(visits.left[here]) for here in masks]
    return np.stack(parts, axis=2)


def week_rows(
    history: History, lifecycles: Lifecycles, calendar: Calendar | None = None
) -> list[WeekRow]:
    """Return a row for each whole week of the history, those in which nothing happened too.

    Weeks begin on Monday (ISO 8601), 0:00 in the calendar's zone, UTC without one. A first or last
    week that the history covers only in part is left out, since it would be read as a slow one.
    What happened in a week lies from its first instant to before the next week's.

    Parameters
    ----------
    history : History
    lifecycles : Lifecycles
    calendar : Calendar, optional

    Returns
    -------
    list of WeekRow
        `created`: None where the export does not tell. `in_progress`: started and not ended at the
        end of the week. `by_status`: tickets in each status then, done and cancelled ones too.
    """
    weeks = np.arange((history.start - 1 - MONDAY) // 7, (history.end - MONDAY) // 7 + 2)
    mondays = weeks * 7 + MONDAY
    edges = midnights(mondays, calendar)
    whole = (edges >= history.start) & (edges <= history.end)
    edges, mondays = edges[whole], mondays[whole]
    if not len(edges):
        return []
    started, ended, outcome, _ = lifecycles
    ends = ended[outcome == DONE], ended[outcome == CANCELLED], np.maximum(started, ended)
    passed = np.array(
        [np.searchsorted(np.sort(when), edges) for when in (history.created, started, *ends)]
    )
    counts: list[Any] = [*np.diff(passed[:4]), (passed[1] - passed[4])[1:]]
    if np.isnan(history.created).any():
        counts[0] = np.full(len(edges) - 1, None)
    tickets = occupancy(history, edges, len(history.statuses))[0, 1:]
    days = mondays.astype("datetime64[D]").tolist()
    by_status = map(tuple, tickets.astype(int).tolist())
    return [*map(WeekRow, days, *np.array(counts, object).tolist(), by_status)]


def little(
    history: History, lifecycles: Lifecycles, calendar: Calendar | None = None
) -> Little | None:
    """Return work in progress, rate of departures and mean time, and whether the law ties them.

    It is exact on a window that begins and ends empty. Elsewhere it is refused where arrivals and
    departures differ by more than 10 % of the larger, or by more than chance would have it: 1.96
    standard errors of the difference of two Poisson counts, the root of their sum.

    Parameters
    ----------
    history : History
        Its window; tickets that ended before do not count.
    lifecycles : Lifecycles
    calendar : Calendar, optional
        Of working time, in which days are then counted; weeks are those of the calendar on the
        wall.

    Returns
    -------
    Little or None
        `in_progress`: mean over time of tickets started and not ended. `rate`: departures a day.
        `days`: mean days from start to end of those that left. `arrivals`, `departures`: a week.
        None where nothing left.

    Sources
    -------
    Little (1961), A proof for the queuing formula L = lambda W; Little (2011), Little's law as
    viewed on its 50th anniversary, theorem LL.2 (a finite window).
    """
    started, ended, _, watched = lifecycles
    gone = np.maximum(started, ended) >= history.start
    came, left = (started >= history.start).sum(), gone.sum()
    weeks = (history.end - history.start) / 7
    instants = started, ended, watched, np.fmin(ended, history.end)
    started, ended, watched, last = working_days(np.array(instants), calendar)
    length = np.diff(working_days([history.start, history.end], calendar)).item()
    if not left * length:
        return None
    inside = np.fmax(last - watched, 0)
    alike = min(ALIKE * max(came, left), 1.96 * (came + left) ** 0.5)
    return Little(
        inside.sum() / length,
        left / length,
        (ended - started)[gone].mean(),
        came / weeks,
        left / weeks,
        bool(abs(came - left) <= alike),
    )
