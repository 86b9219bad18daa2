"""How long work takes: percentiles, ages, groups, and what a change did."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from opslab.errors import SpecError
from opslab.operations.flow.clock import EPOCH, midnights
from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import DONE, OPEN, Lifecycles, elapsed, reached
from opslab.operations.flow.result import OpenRow, SegmentRow
from opslab.operations.flow.spec import Flow
from opslab.uncertainty.proportions import Interval, wilson
from opslab.uncertainty.survival import Curve, aalen_johansen, change, restricted_mean

PERCENTILES = (50, 85, 95)
FEWEST = 5
"""Tickets done from which on times are told of a group: one that is done says nothing of many."""
MOST = 12
"""Groups of a column that are told apart."""
REST = "…"
"""All other groups of a column."""
_POINTS = 60
_PEOPLE = re.compile(
    r"assign|attribu[ée]e? [àa]|reporter|rapporteur|owner|creator|cr[ée]ateur|author|auteur"
    r"|requester|demandeur|responsable|e-?mail",
    re.IGNORECASE,
)


def percentiles(known: Curve) -> dict[int, Interval]:
    """Return the days from start by which 50, 85 and 95 % of all that was started are done.

    Open tickets are censored, cancelled ones compete: where 20 % are cancelled, 85 % are never
    done. None where it is not reached, and where `known.thin` comes before it: it cannot be told.

    Parameters
    ----------
    known : Curve
        Of all tickets: by `aalen_johansen`, of `lifecycles.elapsed`.
    """
    return {percent: reached(known, percent / 100) for percent in PERCENTILES}


def shares(known: Curve) -> list[tuple[float, float, float, float]]:
    """Return days since start with the shares done, cancelled and open, which add up to one.

    They are steps: a row holds from its day to before the next one's. Of more than 60, each
    second, third or so is given, the last one always.
    """
    steps = np.array([known.days, known.done, known.cancelled, known.waiting]).T
    kept = steps[:: -1 - len(steps) // _POINTS][::-1].tolist()
    return [(0.0, 0.0, 0.0, 1.0), *map(tuple, kept)]


def ageing(
    history: History, lives: Lifecycles, flow: Flow, limits: dict[int, Interval]
) -> list[OpenRow]:
    """Return the tickets that are started and open, oldest first, by how old they are.

    Parameters
    ----------
    history, lives, flow
    limits : dict of int to Interval
        What `percentiles` returned: the highest that an age has passed is told.
    """
    ages, outcome, _ = elapsed(lives, history.end, flow.calendar)
    still = np.flatnonzero((outcome == OPEN) & (ages >= 0))
    still = still[np.argsort(-ages[still], kind="stable")]
    last = history.status[np.searchsorted(history.ticket, still, "right") - 1]
    known = {at: days.value for at, days in limits.items() if days.value is not None}
    passed = [(None, *known)[below] for below in np.searchsorted([*known.values()], ages[still])]
    stages = [history.statuses[at] for at in last]
    return [*map(OpenRow, history.keys[still].tolist(), stages, ages[still].tolist(), passed)]


def segments(history: History, lives: Lifecycles, flow: Flow) -> list[SegmentRow]:
    """Return how long the work of each group takes, by each column that is asked for.

    Only started tickets are counted. A column has its 12 largest groups, all others together as
    `REST`; a group of which fewer than 5 are done has counts and no times.

    Raises
    ------
    SpecError
        A column is named like one of people, who are never compared; those that a profile marks as
        personal are not in a history.
    """
    rows = []
    known = elapsed(lives, history.end, flow.calendar)
    started = ~np.isnan(known[0])
    for column in flow.segments:
        if _PEOPLE.search(column):
            raise SpecError.of("flow.segment_of_people", field="segments", column=column)
        groups = history.attributes[column][started]
        names, counts = np.unique(groups, return_counts=True)
        small = names[np.argsort(-counts, kind="stable")[MOST:]]
        groups = np.where(np.isin(groups, small), REST, groups)
        for group in np.unique(groups).tolist():
            inside = known[:, started][:, groups == group]
            count, done = inside.shape[1], int((inside[1] == DONE).sum())
            curve = aalen_johansen(*inside[:, : count * (done >= FEWEST)])
            times = reached(curve), reached(curve, 0.85)
            rows.append(SegmentRow(column, group, count, done, *times))
    return rows


def effect_of(history: History, lives: Lifecycles, flow: Flow) -> dict[str, Any]:
    """Return what a change did to the days until tickets are done or cancelled; empty without one.

    The day begins at midnight in the calendar's zone, UTC without one. Tickets that were started
    before it are counted up to it, and what was open then counts as open: how such a ticket went on
    is the work of both ways. Both averages end at a horizon that both groups reach.

    Returns
    -------
    dict
        ``before``, ``after``: average days open up to ``horizon``; ``saved``: Interval, above 0
        where it became faster; ``before_cancelled_share``, ``after_cancelled_share``: Interval,
        of what was started, cancelled by the horizon. Where no effect can be told: ``refused``
        alone, ``few`` (less than 5 ended in a group, or late entry hides it), or with those shares,
        ``cancelled``: their intervals are apart, so that it is not known whether work became
        faster or was given up.
    """
    if not flow.since:
        return {}
    (day,) = midnights([flow.since.date.toordinal() - EPOCH], flow.calendar)
    before = aalen_johansen(*elapsed(lives, day, flow.calendar)[:, lives.started < day])
    now = elapsed(lives, history.end, flow.calendar)
    after = aalen_johansen(*now[:, lives.started >= day])
    saved, low, high, horizon = change(before, after)
    curves, sizes = (before, after), [int(curve.ended.sum()) for curve in (before, after)]
    if min(sizes) < FEWEST or min(before.thin, after.thin) < horizon:
        return {"refused": "few"}
    first, then = (
        wilson(round(share * size), size)
        for curve, size in zip(curves, sizes, strict=True)
        for share in [curve.cancelled[curve.days <= horizon].max(initial=0)]
    )
    known = {"before_cancelled_share": first, "after_cancelled_share": then}
    if max(first.low or 0, then.low or 0) > min(first.high or 1, then.high or 1):
        return known | {"refused": "cancelled"}
    mean, _ = restricted_mean(before, horizon)
    saving = Interval(saved, low, high)
    return known | {"before": mean, "after": mean - saved, "horizon": horizon, "saved": saving}
