"""Where each capability of a team stands: rounds of assessments, medians, what moved."""

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
from opslab.operations.practices.result import Capability
from opslab.operations.practices.spec import LEVELS, Assessment, Level

ROUND = datetime.timedelta(31)
"""Assessments within so many days before the last one are of one round."""

Key = tuple[str, str]
"""Capability and team, folded: a name is one however it is written."""
Round = Mapping[str, Assessment]
"""The last assessment of each assessor within one round."""


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


def read_canvas(
    rows: Sequence[tuple[int, Assessment]], day: datetime.date, file: str | None = None
) -> Canvas:
    """Return the rounds of assessments of each capability of a team.

    A round is the last assessment and what was assessed in the 31 days before it, of each assessor
    the last; the round before it ends with the assessment before that, and so on.

    Parameters
    ----------
    rows : sequence of (int, Assessment)
        Each under the number that the user sees.
    day : datetime.date
        Later dates do not count.
    file : str, optional

    Raises
    ------
    DataError
        Where an assessor gave two levels to one capability on one day; nobody is named.
    """
    past = [(row, each) for row, each in rows if each.date <= day]
    firsts, problems = dict[Any, tuple[int, Level]](), []
    for row, each in past:
        first, level = firsts.setdefault(
            (*key_of(each), folded(each.assessor), each.date), (row, each.level)
        )
        if level != each.level:
            about = each.model_dump(include={"capability", "team", "date"})
            problems.append(
                Problem("practices.two_levels", about | {"first": first}, file, row=row)
            )
    DataError.refuse(problems)
    counted, groups = sorted(dict(past).values(), key=_order), dict[Key, list[Assessment]]()
    for each in counted:
        groups.setdefault(key_of(each), []).append(each)
    return Canvas(
        {key: _rounds(groups[key]) for key in sorted(groups)},
        counted,
        {folded(name): name for each in counted for name in (each.capability, each.team)},
        sorted({*dict(rows)} - {*dict(past)}),
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
        _capability(rounds, teams.get(key[1]))._replace(
            capability=canvas.names[key[0]], team=canvas.names[key[1]]
        )
        for key, rounds in canvas.rounds.items()
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


def _capability(rounds: Sequence[Round], expected: int | None) -> Capability:
    """Return where a capability of a team stands."""
    now, moves = rounds[0], both(rounds)
    last = next(iter(now.values()))
    levels = sorted(LEVELS.index(each.level) for each in now.values())
    aim = max(targets(now), key=LEVELS.index, default=None)
    ways = [LEVELS.index(since.level) - LEVELS.index(then.level) for then, since in moves]
    gone = len(rounds[1].keys() - now.keys()) if rounds[1:] else 0
    return Capability(
        capability=last.capability,
        team=last.team,
        date=last.date,
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
