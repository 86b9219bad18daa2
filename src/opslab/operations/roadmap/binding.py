"""Initiatives bound to tickets: what is done of them, and how long the rest takes at their pace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from opslab.errors import SpecError, did_you_mean
from opslab.operations.flow.backtest import SAID
from opslab.operations.flow.clock import EPOCH
from opslab.operations.flow.export import read_history
from opslab.operations.flow.forecast import DAYS, enough, futures, more_work, throughput
from opslab.operations.flow.lifecycles import CANCELLED, DONE, OPEN, lifecycles
from opslab.operations.flow.spec import Ahead, Flow
from opslab.operations.roadmap.spec import Initiative, Roadmap, parted
from opslab.tables.import_report import Reading

LONGEST = 260
"""Weeks after which a forecast ends."""
_RECENT = 26  # weeks of an initiative's own to draw from: how many are added changes as it goes
_ADDED = 13  # weeks for which that goes on
_RUNS = 200  # drawn at each earlier day
_EVERY, _ORIGINS = 14, 26  # days between earlier days, and how many: a year


class Work(NamedTuple):
    """Tickets of an initiative, without the cancelled.

    Attributes
    ----------
    done, tickets : int
    begun : datetime.date or None
        When the first of them was started.
    pace : array of int, shape (2, weeks)
        Tickets done, and added, in each past week to draw from; empty where there are too few. None
        are added where the flow declares how many are (`growth`).
    asked : Ahead
        What the flow declares of growth and of tickets that are split.
    part : float
        Its part of the open tickets of the flow, to which the growth belongs.
    """

    done: int
    tickets: int
    begun: date | None = None
    pace: Any = ()
    asked: Ahead = Ahead()
    part: float = 1.0


class Tickets(NamedTuple):
    """What the export tells.

    Attributes
    ----------
    work : Mapping of str to Work
        By initiative.
    shared : sequence of str
        Tickets of several initiatives.
    end : datetime.date or None
        Its last day.
    readings : tuple of Reading
    unmatched : sequence of (str, str)
        Initiative and key that no ticket has.
    past : sequence of float
        1 of each earlier forecast whose 85 % day held, 0 of the others.
    """

    work: Mapping[str, Work]
    shared: Sequence[str] = ()
    end: date | None = None
    readings: tuple[Reading, ...] = ()
    unmatched: Sequence[tuple[str, str]] = ()
    past: Sequence[float] = ()


def bound_work(roadmap: Roadmap, items: Iterable[Initiative], day: date) -> Tickets:
    """Return the tickets of each initiative that names some, by its id.

    The pace is that of the initiative's own tickets: done and added a week, from the first start
    on, weeks without any counted; of the last half year, since fewer are added as work goes on.
    Where its weeks are not `enough`, it is that of any one group of the export (an epic, a label)
    in a week in which it was worked on: what the flow spares for one.

    Raises
    ------
    SpecError, DataError
        When the export cannot be read, or has no column of that name.
    """
    named = {item.id: parted(item.tickets) for item in items if item.tickets}
    if not roadmap.bound:
        lost = [(name, key) for name in named for key in named[name]]
        return Tickets({name: Work(0, 0) for name in named}, unmatched=lost)
    flow, match = Flow.load(roadmap.beside(roadmap.bound.flow)), roadmap.bound.match
    history = read_history(flow, as_of=day)
    if match not in history.attributes:
        near = did_you_mean(match, history.attributes)
        values = {"given": match, "near": near, "known": [*history.attributes]}
        raise SpecError(roadmap.problem("roadmap.no_match", "bound", "match", **values))
    table = pd.DataFrame(lifecycles(history, flow)._asdict(), index=history.keys)
    groups: Any = [*map(parted, history.attributes[match])]
    table = table.assign(created=history.created, group=groups).explode("group")
    known = {*table.group}
    lost = [(name, key) for name in named for key in named[name] if key not in known]
    work, keys = _works(table, history.end, named, flow.forecast)
    return Tickets(
        work,
        sorted({key for key in keys if keys.count(key) > 1}),
        date.fromordinal(EPOCH + int(history.end)),
        history.readings,
        lost,
        _replayed(table, history.start, history.end, flow.forecast),
    )


def _works(
    table: pd.DataFrame, end: float, named: Mapping[str, Sequence[str]], asked: Ahead
) -> tuple[dict[str, Work], list[str]]:
    """Return the work of each name by its groups, as it stood at an instant; and its tickets."""
    ended = table.ended.where(table.ended <= end)
    table = table.assign(
        ended=ended,
        outcome=table.outcome * ended.notna(),
        started=table.started.where(table.started <= end),
    )[table.created <= end]
    table = table[table.outcome != CANCELLED]
    added, none = "growth" not in asked.model_fields_set, np.zeros((2, 0), int)

    def weeks(held: pd.DataFrame) -> Any:
        start, until = held.started.min(), held.ended.fillna(end).max()
        if not start < until:
            return none
        pairs = (held.ended, held.outcome), (held.created, 0 * held.outcome + DONE)
        return np.array([throughput(*pair, start, until, "week") for pair in pairs])

    anyone = np.hstack([none, *(weeks(held) for _, held in table.groupby("group"))])
    ahead = max(table.index[table.outcome == OPEN].nunique(), 1)
    work, keys = dict[str, Work](), list[str]()
    for name, groups in named.items():
        held = table[table.group.isin(groups)]
        held = held[~held.index.duplicated()]
        usable = (each for each in (weeks(held), anyone) if enough(each[0], Ahead()))
        past = next(usable, none) if len(held) else none
        past = (past if past is anyone else past[:, -_RECENT:]) * [[1], [added]]
        begun = held.started.min()
        begun = None if pd.isna(begun) else date.fromordinal(EPOCH + int(begun))
        done = int((held.outcome == DONE).sum())
        work[name] = Work(done, len(held), begun, past, asked, (len(held) - done) / ahead)
        keys += held.index.tolist()
    return work, keys


def weeks_ahead(work: Work, draws: int, seed: int, name: str, longest: int = LONGEST) -> Any:
    """Return in how many weeks an initiative's tickets are done, those that come in meanwhile too.

    Weeks are drawn as they were, with what was done and what was added in each. As much is added
    for a quarter more: of epics it is least at their end. The tickets are done once what was done
    reaches what is open and what was added.

    Parameters
    ----------
    work : Work
        With a pace.
    draws, seed : int
    name : str
        Of the stream of draws.
    longest : int
        Weeks that are looked at.

    Returns
    -------
    array of int, shape (draws,)
        `longest` + 1 where that is not enough.

    Examples
    --------
    >>> weeks_ahead(Work(0, 7, None, np.repeat([[3], [1]], 4, 1)), 3, 1, "a")
    array([4, 4, 4])
    """
    growth, split = more_work(work.asked, draws, seed)
    weeks, key = np.arange(longest + 1), [seed, *name.encode()]
    done, added = (
        futures(each, longest, 2, draws, np.random.Generator(np.random.PCG64(key)))
        for each in work.pace
    )
    coming = added[:, np.minimum(weeks, _ADDED)]
    coming = coming + growth * work.part * 7 / DAYS[work.asked.unit] * weeks
    left = (work.tickets - work.done) * (1 + split) - 1e-9
    return (np.maximum.accumulate(done - coming, 1) < left).sum(axis=1)


def _replayed(table: pd.DataFrame, start: float, end: float, asked: Ahead) -> list[float]:
    """Return whether each 85 % day held that was forecast for a group, where it has come."""
    alive = table[table.outcome != CANCELLED]
    closed = alive.ended.fillna(np.inf).groupby(alive.group).max()
    results = list[float]()
    for at in end - _EVERY * np.arange(1, min(_ORIGINS, (end - start) // _EVERY) + 1):
        groups = {str(name): [name] for name in closed.index[closed > at]}
        for name, work in _works(table, at, groups, asked)[0].items():
            if work.begun and work.done < work.tickets and np.size(work.pace):
                weeks = weeks_ahead(work, _RUNS, 1, name, int(end - at) // 7)
                sure = at + 7 * np.quantile(weeks, SAID, method="inverted_cdf")
                results += [float(closed[name] <= sure)] * bool(sure <= end)
    return results
