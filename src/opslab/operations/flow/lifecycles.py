"""When each ticket started and ended: by the declared rule, and by the other usual ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from opslab.errors import SpecError
from opslab.operations.flow.clock import working_days
from opslab.operations.flow.history import History
from opslab.operations.flow.result import RuleReading
from opslab.operations.flow.spec import Calendar, Flow
from opslab.uncertainty.proportions import Interval
from opslab.uncertainty.survival import Curve, aalen_johansen, kaplan_meier, quantile

OPEN, DONE, CANCELLED = 0, 1, 2
"""Outcomes of a ticket, as `opslab.uncertainty.survival` counts them."""
_RULES = ("declared", "created_last", "created_first", "active_last", "active_first", "resolved")


class Lifecycles(NamedTuple):
    """When tickets started and ended, by a rule; one value a ticket, instants as of `History`.

    Attributes
    ----------
    started : array of float
        NaN: not started. A ticket that was done or cancelled without ever being started has NaN.
    ended : array of float
        When it was done or cancelled; NaN: open at the end of the history.
    outcome : array of int
        `OPEN`, `DONE` or `CANCELLED`.
    watched : array of float
        From when it is watched: its start, or later where the history begins after that (late
        entry: those that ended before are not in the file).
    """

    started: Any
    ended: Any
    outcome: Any
    watched: Any


def lifecycles(history: History, flow: Flow) -> Lifecycles:
    """Return when each ticket started and ended by the declared rule.

    A ticket starts when it is created, at its first entry into an active status, or into the
    status that is named; where the export tells of no start (`History.lacks`), when it is created.
    It is done from its last stay in done statuses on, or from its first entry into any: by the
    last, one that left done again is open. One whose last stay is in cancelled statuses was
    cancelled when that stay began (by the first, unless it had been done); one that was reopened is
    open. A ticket that ended before it started, or without, is told apart: it has an outcome and no
    start, and no time can be computed of it.

    Parameters
    ----------
    history : History
    flow : Flow

    Returns
    -------
    Lifecycles

    Raises
    ------
    SpecError
        The start is a status that the export does not know, or creation, which it does not tell.
    """
    start = "created" if "start" in history.lacks else flow.start
    if start not in {"created", "active", *history.statuses}:
        known = ", ".join(history.statuses)
        raise SpecError.of("flow.start_unknown", field="start", start=start, statuses=known)
    if flow.start == "created" and np.isnan(history.created).all():
        raise SpecError.of("flow.start_untold", field="start")
    return by_rule(history, start, flow.done)


def by_rule(history: History, start: str, done: str) -> Lifecycles:
    """Return when each ticket started and ended by a rule; every ticket has a visit.

    Done may be ``resolved`` too: a resolution was entered, whichever it was, and whatever the
    status was then.
    """
    kinds = np.array(history.kinds)[history.status]
    visits = np.searchsorted(history.ticket, np.arange(len(history.keys) + 1))

    def entry(extreme: np.ufunc, chosen: Any) -> Any:
        return extreme.reduceat(np.where(chosen, history.entered, np.nan), visits[:-1])

    new = (kinds[1:] != kinds[:-1]) | (np.diff(history.ticket) > 0)
    since = entry(np.fmax, np.append(True, new))
    last = kinds[visits[1:] - 1]
    finished = {
        "first": entry(np.fmin, kinds == "done"),
        "last": np.where(last == "done", since, np.nan),
        "resolved": history.resolved,
    }[done]
    ended = np.where(np.isnan(finished) & (last == "cancelled"), since, finished)
    outcome = np.where(np.isnan(finished), CANCELLED, DONE) * ~np.isnan(ended)
    started = history.created
    if start != "created":
        names = kinds if start == "active" else np.array(history.statuses)[history.status]
        started = entry(np.fmin, names == start)
    started = np.where(started > ended, np.nan, started)
    return Lifecycles(started, ended, outcome, np.maximum(started, history.start))


def elapsed(lives: Lifecycles, until: float, calendar: Calendar | None) -> Any:
    """Return what was known at an instant of each ticket, for `aalen_johansen`; shape (3, tickets).

    Days from its start to its end, or so far, NaN without a start; its outcome, `OPEN` where it
    ended later; days after which it was watched.
    """
    instants = [np.fmin(lives.ended, until), lives.watched, lives.started]
    ended, watched, started = working_days(instants, calendar)
    return np.array([ended - started, lives.outcome * (lives.ended <= until), watched - started])


def reached(known: Curve, share: float = 0.5) -> Interval:
    """Return the days by which a share is done, None where they cannot be told.

    Not reached; or, with late entry, reached only after a day on which fewer than 5 were watched
    while others were still to come in (`Curve.thin`).
    """
    days, *ends = quantile(known, share)
    return Interval(days, *ends) if (days or 0) < known.thin else Interval(None)


def rule_readings(history: History, flow: Flow) -> list[RuleReading]:
    """Return how long work takes by the declared rule, and what the other usual rules would say.

    ``declared`` comes first; then, from creation until done (``created_last``, ``created_first``),
    from the first active status (``active_last``, ``active_first``), and from creation until a
    resolution was entered (``resolved``). A rule by which nothing is finished, since the export
    lacks what it needs, and one that says the same as another before it are left out. A median is
    the first day by which half are done, of finished tickets alone too.
    """
    readings: dict[Any, RuleReading] = {}
    for rule in _RULES:
        start, _, done = rule.rpartition("_")
        own = rule == "declared"
        lives = lifecycles(history, flow) if own else by_rule(history, start or "created", done)
        known = elapsed(lives, history.end, flow.calendar)
        alone = kaplan_meier(*known[:2, (known[1] == DONE) & ~(lives.ended < history.start)])
        reading = int(alone.ended.sum()), quantile(alone)[0], reached(aalen_johansen(*known))
        if own or reading[0]:
            readings.setdefault(reading, RuleReading(rule, *reading))
    return list(readings.values())
