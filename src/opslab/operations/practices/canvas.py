"""Where each capability of a team stands: rounds, medians, what moved, what came of actions."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from opslab.errors import DataError, Problem
from opslab.names import folded, named
from opslab.operations.practices.agreement import Counts
from opslab.operations.practices.result import Action, Capability
from opslab.operations.practices.spec import LEVELS, Assessment, Level
from opslab.tables.sheets import Sheet

ROUND = datetime.timedelta(31)
"""Assessments within so many days before the last one are of one round."""

Key = tuple[str, str]
"""Capability and team, folded: a name is one however it is written."""
Round = Mapping[str, Assessment]
"""The last assessment of each assessor within one round."""


_STATES = ("late", "undated", "open", "done")


class Canvas(NamedTuple):
    """What the rows of a canvas say until a day.

    Attributes
    ----------
    rounds : Mapping of (str, str) to sequence of Mapping
        Of each capability of a team, the latest first; by capability, then team.
    rows : sequence of Assessment
        Those that count, by their dates.
    names : Mapping of str to str
        The last spelling of a capability or team, by its folded name.
    future : sequence of int
        Rows left out, of after the day.
    """

    rounds: Mapping[Key, Sequence[Round]]
    rows: Sequence[Assessment]
    names: Mapping[str, str]
    future: Sequence[int]


def read_canvas(sheet: Sheet[Assessment], day: datetime.date) -> Canvas:
    """Return the rounds of assessments of each capability of a team.

    A round is the last assessment and what was assessed in the 31 days before it, of each assessor
    the last; the round before it ends with the assessment before that, and so on.

    Parameters
    ----------
    sheet : Sheet
    day : datetime.date
        Later dates do not count.

    Raises
    ------
    DataError
        Where an assessor gave two levels to one capability on one day; nobody is named.
    """
    past = {row: each for row, each in sheet.rows if each.date <= day}
    firsts, problems = dict[Any, int](), []
    for row, each in past.items():
        first = firsts.setdefault((*key_of(each), folded(each.assessor), each.date), row)
        if past[first].level != each.level:
            about = each.model_dump(include={"capability", "team", "date"})
            problems.append(
                Problem("practices.two_levels", about | {"first": first}, sheet.file, row=row)
            )
    DataError.refuse(problems)
    counted, groups = sorted(past.values(), key=_order), dict[Key, list[Assessment]]()
    for each in counted:
        groups.setdefault(key_of(each), []).append(each)
    return Canvas(
        {key: _rounds(groups[key]) for key in sorted(groups)},
        counted,
        {folded(name): name for each in counted for name in (each.capability, each.team)},
        [row for row, each in sheet.rows if each.date > day],
    )


def key_of(each: Assessment) -> Key:
    """Return which capability of which team a row is of."""
    return folded(each.capability), folded(each.team)


def capabilities(canvas: Canvas, expected: Mapping[str, int]) -> tuple[Capability, ...]:
    """Return where each capability of a team stands in its last round, and what moved since.

    Parameters
    ----------
    canvas : Canvas
    expected : Mapping of str to int
        How many assessors a team has; those of the round before where it is not declared.
    """
    teams = {folded(team): expected[team] for team in expected}
    return tuple(
        _capability(canvas.names[name], canvas.names[team], rounds, teams.get(team))
        for (name, team), rounds in canvas.rounds.items()
    )


def median(levels: Iterable[Level]) -> tuple[Level, ...]:
    """Return the median of ordinal levels: one, or the two that it lies between.

    Examples
    --------
    >>> median(["best", "below", "good"]), median(["good", "best"]), median([])
    (('good',), ('good', 'best'), ())
    """
    ordered = sorted(levels, key=LEVELS.index)
    half = len(ordered) // 2
    return (*dict.fromkeys(ordered[max(len(ordered) - half - 1, 0) : half + 1]),)


def movement(canvas: Canvas) -> dict[tuple[Level, Level], int]:
    """Return how often those who assessed twice went from a level to another."""
    moves = Counter(
        (then.level, now.level) for rounds in canvas.rounds.values() for then, now in both(rounds)
    )
    return {pair: moves[pair] for pair in product(LEVELS, LEVELS) if moves[pair]}


def both(rounds: Sequence[Round]) -> list[tuple[Assessment, Assessment]]:
    """Return the assessments of those of the last round who were in one before, then and now.

    That is the latest that any of them was in: stragglers make a round of their own.
    """
    now, *earlier = rounds
    then = next((held for held in earlier if held.keys() & now.keys()), {})
    return [(then[who], now[who]) for who in sorted(now.keys() & then.keys())]


def counts(canvas: Canvas) -> Counts:
    """Return how often each level was given in each last round, of shape (units, levels)."""
    given = [[each.level for each in rounds[0].values()] for rounds in canvas.rounds.values()]
    table = [[levels.count(level) for level in LEVELS] for levels in given]
    return np.array(table, float).reshape(len(table), len(LEVELS))


def targets(last: Round) -> set[Level]:
    """Return the targets that are stated in a round; the highest counts."""
    return {each.target for each in last.values() if each.target}


def _order(each: Assessment) -> tuple[Any, ...]:
    """Return what rows are sorted by: of one day, the one that says most is the last."""
    return each.date, bool(each.target), named(each.evidence), each.model_dump_json()


def _rounds(given: Sequence[Assessment]) -> list[Round]:
    """Return the rounds of assessments in the order of their dates, the latest first."""
    rounds, end = list[dict[str, Assessment]](), datetime.date.max
    for each in reversed(given):
        if end - each.date > ROUND or not rounds:
            rounds.append({})
            end = each.date
        rounds[-1].setdefault(folded(each.assessor), each)
    return [*rounds]


def _capability(
    capability: str, team: str, rounds: Sequence[Round], expected: int | None
) -> Capability:
    """Return where a capability of a team stands."""
    now, moves = rounds[0], both(rounds)
    levels = sorted(LEVELS.index(each.level) for each in now.values())
    aim = max(targets(now), key=LEVELS.index, default=None)
    ways = [LEVELS.index(since.level) - LEVELS.index(then.level) for then, since in moves]
    gone = len(rounds[1].keys() - now.keys()) if rounds[1:] else 0
    return Capability(
        capability=capability,
        team=team,
        date=next(iter(now.values())).date,
        assessors=len(now),
        missing=gone if expected is None else max(expected - len(now), 0),
        median=median(each.level for each in now.values()),
        low=LEVELS[levels[0]],
        high=LEVELS[levels[-1]],
        target=aim,
        at_target=sum(level >= LEVELS.index(aim) for level in levels) if aim else 0,
        before_date=max((then.date for then, _ in moves), default=None),
        before=median(then.level for then, _ in moves),
        same=ways.count(0),
        up=sum(way > 0 for way in ways),
        down=sum(way < 0 for way in ways),
    )


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
