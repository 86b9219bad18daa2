"""What people answered a survey, and what became of a roadmap, as a review returns them."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from opslab.uncertainty.proportions import Interval


class Priority(NamedTuple):
    """A priority, by how many people name it among their three, and as the first."""

    priority: str
    people: int
    first: int
    functions: int


class FunctionAnswers(NamedTuple):
    """The answers of a function; None where fewer than five people answered.

    Attributes
    ----------
    within : Interval
        Mean rank-biased overlap of pairs inside it.
    across : Interval
        Mean with people of other functions.
    named : int or None
        Who named the goal.
    top : tuple of str
        Priorities that most of them name.
    """

    function: str
    people: int
    within: Interval
    across: Interval
    named: int | None
    top: tuple[str, ...]


class Alignment(NamedTuple):
    """How far people agree on what comes first.

    Attributes
    ----------
    jaccard, overlap : Interval
        Mean over pairs of people: shared names of the three, and rank-biased overlap (p = .9);
        bootstrap over people. No interval below ten people; below five people nothing is told.
    named : Interval
        Share of those asked who name the goal; who leaves it empty does not.
    unsaid : int
        People who name no priority.
    priorities : tuple of Priority
        Those that two people or more name.
    small : int
        People in functions that are not told apart.
    others : int
        People who name a priority that nobody else names; it is not shown.
    twice : int
        People who name the same priority twice; it counts once.
    near : tuple of str
        Priorities that may be meant and are written else, with the rows in which they are.
    change_overlap, change_named : Interval
        Since the first survey.
    """

    date: datetime.date
    people: int
    invited: int | None
    jaccard: Interval
    overlap: Interval
    named: Interval
    named_count: int
    asked_goal: int
    unsaid: int
    priorities: tuple[Priority, ...]
    functions: tuple[FunctionAnswers, ...]
    small: int
    others: int = 0
    twice: int = 0
    near: tuple[str, ...] = ()
    first_date: datetime.date | None = None
    first_overlap: Interval = Interval(None)
    first_named: Interval = Interval(None)
    change_overlap: Interval = Interval(None)
    change_named: Interval = Interval(None)


class Stability(NamedTuple):
    """How many Now items of a roadmap stayed as they were in a later one."""

    earlier: datetime.date
    later: datetime.date
    items: int
    unchanged: int
    share: Interval
    moved: tuple[str, ...]
    gone: tuple[str, ...]
