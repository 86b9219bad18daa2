"""What was to be done: done, late, open or without a date, and whether levels moved since."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from opslab.names import folded, named
from opslab.operations.practices.canvas import ROUND, Canvas, Round, key_of, median
from opslab.operations.practices.result import Action
from opslab.operations.practices.spec import LEVELS, Assessment

_STATES = ("late", "undated", "open", "done")


def actions(canvas: Canvas, day: datetime.date) -> tuple[Action, ...]:
    """Return the actions of a canvas, those late first: one however many rows repeat it.

    Owner and due date are those of its last day that has one; its first due date is kept too. One
    that a later round takes up again after it was done is another one.

    Parameters
    ----------
    canvas : Canvas
    day : datetime.date
        What is done later is not done yet.
    """
    groups: dict[tuple[str, str, str], list[list[Assessment]]] = {}
    for each in canvas.rows:
        if each.next_action and named(each.next_action):
            group = groups.setdefault((*key_of(each), folded(each.next_action)), [[]])
            ended = [row.date for row in group[-1] if row.action_done]
            if ended and not each.action_done and each.date - ended[-1] > ROUND:
                group.append([])
            group[-1].append(each)
    listed = [
        _action(group, canvas.rounds[key[:2]], day)
        for key in sorted(groups)
        for group in groups[key]
    ]
    return (*sorted(listed, key=lambda act: (_STATES.index(act.state), act.due or day)),)


def follow_through(listed: Sequence[Action], day: datetime.date) -> tuple[int, int]:
    """Return how many actions were done by their first due date, of those whose date has passed.

    Examples
    --------
    >>> follow_through([], datetime.date(2026, 10, 5))
    (0, 0)
    """
    due = [(act.done, act.promised) for act in listed if act.promised and act.promised < day]
    return sum(done is not None and done <= promised for done, promised in due), len(due)


def _action(group: Sequence[Assessment], rounds: Sequence[Round], day: datetime.date) -> Action:
    """Return what the rows of an action say; of those of one day it hangs on no assessor."""
    first, last = group[0].date, group[-1]
    owners, dues, dones = (_stated(group, f"action_{name}") for name in ("owner", "due", "done"))
    due = next(iter(dues[-1]), None)
    done = next((done for done in dones[-1][-1:] if done <= day), None)
    moved, lag = _moved(rounds, first)
    return Action(
        capability=last.capability,
        team=last.team,
        action=last.next_action or "",
        owner=next(iter(owners[-1]), None),
        due=due,
        promised=next(iter(dues[0]), None),
        done=done,
        doubtful=any(len(days[-1]) > 1 for days in (owners, dues, dones))
        or bool(done and done < first),
        state="done" if done else "undated" if not due else "late" if due < day else "open",
        days=max((done - first).days, 0) if done else abs(((due or day) - day).days),
        moved=moved,
        lag=lag,
    )


def _stated(group: Sequence[Assessment], field: str) -> list[list[Any]]:
    """Return what is stated in a field, in order, on each day on which anything is."""
    days: dict[datetime.date, set[Any]] = {}
    for each in group:
        if (value := dict(each)[field]) and named(str(value)):
            days.setdefault(each.date, set()).add(value)
    return [*map(sorted, days.values())] or [[]]


def _moved(rounds: Sequence[Round], first: datetime.date) -> tuple[int | None, int | None]:
    """Return the levels that the median moved since, and after how many days it first was higher.

    Of those who assessed then and at the time. Of a median between two levels the lower counts: at
    least half see that level or a higher one.
    """
    ends = [max(each.date for each in held.values()) for held in rounds]
    start = sum(end >= first for end in ends) - 1
    moves = [_move(rounds[start], held) for held in rounds[:start]]
    rises = [end for end, move in zip(ends, moves, strict=False) if move and move > 0]
    return (moves or [None])[0], (rises[-1] - first).days if rises else None


def _move(then: Round, now: Round) -> int | None:
    """Return the levels from one round to another, of those who assessed in both."""
    same = then.keys() & now.keys()
    low, high = (median(held[who].level for who in same) for held in (then, now))
    return LEVELS.index(high[0]) - LEVELS.index(low[0]) if same else None
