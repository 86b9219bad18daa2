"""How long decisions take: open ones counted, withdrawn ones competing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from opslab.names import folded, usual
from opslab.operations.decisions.result import SURE, Kind, Known, Latency, State
from opslab.operations.decisions.spec import Change
from opslab.uncertainty.proportions import Interval
from opslab.uncertainty.survival import aalen_johansen, change, kaplan_meier, quantile

TEAM = 5
"""Decisions of a team, below which it is not shown apart."""
SIDE = 8
"""Decisions taken on either side of a change, below which the two are not compared."""
_STATES: tuple[State, ...] = ("open", "decided", "withdrawn")
Group = tuple[Kind, str, Sequence[Known]]
"""Of decisions: its kind, the team, and the decisions."""


def _times(decisions: Sequence[Known]) -> Any:
    """Return days, how each ended and from when it was watched, without those of no known day."""
    known = [at for at in decisions if at.days is not None]
    times = [(at.days, _STATES.index(at.state), at.entry) for at in known]
    return np.array(times, float).reshape(-1, 3).T


def latency(kind: Kind, group: str, decisions: Sequence[Known]) -> Latency:
    """Return how long a group of decisions takes.

    The median is the day by which half of all are decided. Of those that are withdrawn it will
    never be: it is not reached where more than half are.
    """
    days, states, _ = times = _times(decisions)
    curve, count = aalen_johansen(*times), Counter(at.state for at in decisions)
    return Latency(
        kind=kind,
        group=group,
        raised=len(decisions),
        **{state: count[state] for state in _STATES},
        median=Interval(*quantile(curve)),
        p85=Interval(*quantile(curve, SURE)),
        decided_only=float(np.median(days[states == 1])) if 1 in states else None,
        share_open=float([1, *curve.waiting][-1]),
        share_withdrawn=float([0, *curve.cancelled][-1]),
    )


def groups(decisions: Sequence[Known], since: Change | None) -> list[Group]:
    """Return all decisions, those before and since a change, and those of each team of five.

    Ways to write a team that differ in case, accents or punctuation are one.
    """
    parted: list[Group] = [("all", "", decisions)]
    if since:
        early = [at for at in decisions if at.raised < since.date]
        late = [at for at in decisions if at.raised >= since.date]
        parted += [("before", "", early), ("since", "", late)]
    names = usual(at.team for at in decisions if at.team)
    teams = defaultdict[str, list[Known]](list)
    for known in decisions:
        teams[folded(known.team or "")].append(known)
    large = [key for key in sorted(names) if len(teams[key]) >= TEAM]
    return [*parted, *(("team", names[key], teams[key]) for key in large)]


def _sides(parted: Sequence[Group]) -> list[Any]:
    """Return the times before and since a change."""
    return [_times(known) for kind, _, known in parted if kind in ("before", "since")]


def saved(parted: Sequence[Group]) -> tuple[Interval, float | None]:
    """Return the days a decision that a change saved on average, and up to which day it counts.

    What counts is how long a question stays open, whichever way it ends: a withdrawn one no longer
    waits, and an open one waits at least until the day. So more withdrawals do not pass for slower
    decisions, and what is still open is not left out. That they do not pass for faster ones is for
    `withdrawn` to tell. None where fewer than eight are decided on one side.
    """
    times = _sides(parted)
    if not times or any((states == 1).sum() < SIDE for _, states, _ in times):
        return Interval(None), None
    *ends, horizon = change(
        *(kaplan_meier(days, states > 0, entry) for days, states, entry in times)
    )
    return Interval(*ends), horizon


def withdrawn(parted: Sequence[Group], horizon: float | None) -> tuple[float, ...]:
    """Return the shares withdrawn before and since a change, by the day that saved time counts to.

    Empty where nothing is compared.
    """
    if horizon is None:
        return ()
    curves = (aalen_johansen(*times) for times in _sides(parted))
    return tuple(float(curve.cancelled[curve.days <= horizon].max(initial=0)) for curve in curves)
