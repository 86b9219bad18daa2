"""What a limit on work in progress would have done: a replay of history, not a forecast."""

from typing import Any

import numpy as np

from opslab.operations.flow.clock import working_days
from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import Lifecycles
from opslab.operations.flow.spec import Calendar


def replay(
    history: History, lifecycles: Lifecycles, limit: int, calendar: Calendar | None = None
) -> dict[str, Any]:
    """Return work in progress and times as they were, and as a limit would have had them.

    The same work arrives at the instants when it was started, and as much of it ends at the
    instants when something ended: capacity is unchanged. It is served in the order of arrival,
    before and with the limit. With it, a ticket starts once fewer than `limit` are in progress: the
    k-th at max(arrival k, departure k - limit). What was in progress when the history begins stays
    so, even above the limit.

    So a limit moves waiting out of the work, to before its start, and the time from arrival to end
    is the same. Whatever fewer things at once change (less switching, faster feedback, work that
    is never begun) is not in it, nor is the harm of waiting for one who is free.

    Parameters
    ----------
    history : History
    lifecycles : Lifecycles
    limit : int
        Tickets in progress at most, at least 1.
    calendar : Calendar, optional
        Of working time, in which days are then counted.

    Returns
    -------
    dict
        ``limit``, and before and with it: ``in_progress`` (mean over time of the history);
        ``days`` in progress and ``waiting`` before the start (means of those that ended). Empty
        where nothing ended.

    Examples
    --------
    Three tickets arrive on days 0, 1 and 2, and one ends on each of days 4, 6 and 8.

    >>> from types import SimpleNamespace as Window
    >>> arrived, ended = np.array([0.0, 1, 2]), np.array([4.0, 6, 8])
    >>> lifecycles = Lifecycles(arrived, ended, np.ones(3), arrived)
    >>> replay(Window(start=0, end=10), lifecycles, 1)
    {'limit': 1, 'in_progress': [1.5, 0.8], 'days': [5.0, 2.6666666666666665], \
'waiting': [0.0, 2.3333333333333335]}
    """
    seen = np.isfinite(lifecycles.started) & ~(lifecycles.ended < history.start)
    arrived, ended = working_days(np.sort(np.array(lifecycles[:2])[:, seen]), calendar)
    begin, end = working_days([history.start, history.end], calendar)
    length, gone = end - begin, np.isfinite(ended).sum()
    if not gone * length:
        return {}
    free = np.append(np.full(limit, -np.inf), ended)[: len(ended)]
    held = np.where(arrived < begin, arrived, np.maximum(arrived, free))
    times = np.fmin([arrived, held, ended], end)
    *begun, left = np.fmax(times, begin)
    days = np.mean((times[2] - times[:2])[:, :gone], axis=1)
    return {
        "limit": limit,
        "in_progress": ((left - begun).sum(axis=1) / length).tolist(),
        "days": days.tolist(),
        "waiting": (days[0] - days).tolist(),
    }
