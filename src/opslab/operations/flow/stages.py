"""Where work waits: the time in each stage, its growing queues, and what speed costs elsewhere."""

from typing import Any

import numpy as np
import pandas as pd

from opslab.names import folded
from opslab.operations.flow.clock import working_days
from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import DONE, Lifecycles, elapsed, reached
from opslab.operations.flow.queues import occupancy
from opslab.operations.flow.result import StageRow
from opslab.operations.flow.spec import Flow
from opslab.uncertainty.proportions import Interval, wilson
from opslab.uncertainty.survival import aalen_johansen, kaplan_meier

WEEKS = 8
"""Weeks below which nothing is said of how sure a share or a growth is."""
BATCHES = 6
"""Stretches of weeks from which shares are drawn."""
SURE = 0.8
"""Chance of holding the largest share from which a stage is named."""
LEAST = 1e-12
"""Days that are added, since none cannot be divided by."""


def visits(history: History, lifecycles: Lifecycles, flow: Flow) -> Any:
    """Return the visits from the start to the end of tickets, in days of working time.

    Tickets start and end when they enter a status, so that no visit is cut. Those of done and of
    cancelled are left out; one that took no time, as dates without hours have them, is a visit.

    Returns
    -------
    DataFrame
        ``ticket``, ``status``, ``entered``, ``left`` (NaN: open), ``spent`` (open ones up to the
        end of the history), ``late`` (after so many days it was first watched, if above 0).
    """
    started, ended, _, watched = (column[history.ticket] for column in lifecycles)
    inside = (history.entered >= started) & ~(history.entered > ended)
    inside &= ~np.isin(history.kinds, ("done", "cancelled"))[history.status]
    last = np.fmin(history.left, history.end)
    instants = np.array([history.entered, history.left, last, watched])
    entered, left, last, watched = working_days(instants, flow.calendar)
    return pd.DataFrame(
        {
            "ticket": history.ticket,
            "status": history.status,
            "entered": entered,
            "left": left,
            "spent": last - entered,
            "late": watched - entered,
        }
    )[inside]


def by_week(
    history: History, lifecycles: Lifecycles, flow: Flow, draws: int, seed: int
) -> tuple[Any, ...]:
    """Return visits, and each status's growth a week and share of the time: as it is, then draws.

    Weeks are whole ones, back from the end of the history; see `_off` for the draws. The growth of
    a queue is drawn from stretches of two weeks, since its changes follow from those weeks; its
    size wanders for long, so that shares are drawn from six stretches. Those are still too short
    for what wanders longer than they last: ten weeks to a stretch of the variance are added, by
    which intervals hold (docs/validation.md). Roots of days are drawn, so that none is below 0.

    Returns
    -------
    spans : DataFrame
        See `visits`.
    growth, share : array of float, shape (1 + draws, statuses)
        Tickets, and part of all days. The history's own are the first row, and the only one where
        it has fewer than 8 weeks.
    """
    spans = visits(history, lifecycles, flow)
    weeks = max(int((history.end - history.start) // 7), 1)
    edges = working_days(history.end - 7 * np.arange(weeks, -1, -1), flow.calendar)
    gains, parts = np.diff(occupancy(spans, edges, len(history.statuses)), axis=1)
    random = np.random.default_rng(seed)
    draws *= weeks >= WEEKS
    growth = _off(gains, weeks // 2, 1, draws, random)
    days = _off(parts, BATCHES, 1 + 60 / weeks, draws, random)
    days = days[0] * np.maximum(1 + days / (days[0] + LEAST), 0) ** 2 / 4
    return spans, growth, days / (days.sum(axis=1, keepdims=True) + LEAST)


def _off(parts: Any, batches: int, wide: float, draws: int, random: np.random.Generator) -> Any:
    """Return the mean of weeks, and draws of what it may be, from how far stretches differ.

    Means of stretches of weeks differ by all that goes on within them, however weeks hang together;
    the mean of a few of them is a multivariate t (Schmeiser, 1982, Batch size effects in the
    analysis of simulation output).
    """
    mean = parts.mean(axis=0)
    if not draws:
        return mean[None]
    size = len(parts) // batches
    means = parts[len(parts) - size * batches :].reshape(batches, size, -1).mean(axis=1)
    normal = random.standard_normal((draws, batches))
    normal -= normal.mean(axis=1, keepdims=True)
    scale = np.sqrt(wide / batches / random.chisquare(batches - 1, (draws, 1)))
    return np.vstack([mean, mean + scale * (normal @ means)])


def stage_rows(
    history: History, lifecycles: Lifecycles, flow: Flow, draws: int, seed: int
) -> list[StageRow]:
    """Return what happens in each status between start and end of tickets, in the order of work.

    Backlog is among them where tickets were in it after their start; done and cancelled are not.

    Parameters
    ----------
    history : History
    lifecycles : Lifecycles
    flow : Flow
        Its calendar.
    draws, seed : int
        See `by_week`.

    Returns
    -------
    list of StageRow
        `days`: mean of the tickets that were in it, open visits up to the end of the history.
        `share`: of the time in all these statuses. `first`: among active and waiting ones; 0 where
        the history is too short to tell.
    """
    spans, growth, share = by_week(history, lifecycles, flow, draws, seed)
    first = (share * np.isin(history.kinds, ("active", "waiting"))).argmax(axis=1)[1:]
    return [
        StageRow(
            history.statuses[stage],
            history.kinds[stage],
            tickets,
            len(here),
            len(here) / tickets,
            reached(kaplan_meier(here.spent, here.left.notna(), here.late.to_numpy())),
            here.spent.sum() / tickets,
            _interval(share[:, stage]),
            int(here.left.isna().sum()),
            _interval(growth[:, stage]),
            (first == stage).sum() / draws,
        )
        for stage, here in spans.groupby("status")
        for tickets in [here.ticket.nunique()]
    ]


def bottleneck(rows: list[StageRow]) -> str:
    """Return the stage that holds the largest share, surely, and whose queue grows; or "".

    It holds it in at least 80 % of draws, and the 95 % interval of its growth is above 0. The one
    with the longest mean is not meant: work may be long and nothing wait for it.
    """
    return "".join(row.stage for row in rows if row.first >= SURE and (row.growth.low or 0) > 0)


def efficiency(
    history: History, lifecycles: Lifecycles, flow: Flow, draws: int, seed: int
) -> Interval:
    """Return the share of active in active and waiting time; None without declared stages."""
    *_, share = by_week(history, lifecycles, flow, draws, seed)
    active, waiting = (share @ np.equal(history.kinds, kind) for kind in ("active", "waiting"))
    if not (flow.stages and share[0].any()):
        return Interval(None)
    return _interval(active / (active + waiting + LEAST))


def calendar_days(
    history: History, lifecycles: Lifecycles, flow: Flow, draws: int, seed: int
) -> dict[str, Interval]:
    """Return the ``lead time``, a median, and a started ticket's mean ``waiting``, as evidence.

    In days as they pass, whatever the calendar: who waits does so at night, too. The interval of
    waiting is that of its share of active and waiting time; none without declared stages.
    """
    plain = flow.model_copy(update={"calendar": None})
    spans = visits(history, lifecycles, plain)
    spent = spans.spent[np.isin(history.kinds, ("active", "waiting"))[spans.status]].sum()
    days = spent / max(spans.ticket.nunique(), 1)
    ends = efficiency(history, lifecycles, plain, draws, seed)
    value, high, low = (None if end is None else (1 - end) * days for end in ends)
    median = reached(aalen_johansen(*elapsed(lifecycles, history.end, None)))
    return {"lead time": median, "waiting": Interval(value, low, high)}


def rework(history: History, lifecycles: Lifecycles, flow: Flow) -> Interval:
    """Return the share of started tickets that went back to an earlier of the declared stages.

    Those of a shared status that work goes to from several stages, such as blocked, are told right
    where it is declared before them. None without declared stages.
    """
    spans = visits(history, lifecycles, flow)
    return _fell(spans.ticket, spans.status, spans.ticket if flow.stages else ())


def reopened(history: History) -> Interval:
    """Return the share of tickets once done that left done again; None where nothing tells.

    One that was cancelled after it had been done was not reopened. A tool's own count of reopenings
    is taken where the export tells no changes.
    """
    done, over = (np.equal(history.kinds, kind)[history.status] for kind in ("done", "cancelled"))
    ever = done & ("reopened" not in history.lacks)
    if ever.any() and history.shape != "changes":
        again = pd.to_numeric(history.attributes["reopens"][history.ticket[ever]]) > 0
        return wilson(again.sum(), len(again))
    return _fell(history.ticket, np.where(over, np.nan, done), history.ticket[ever])


def defects(history: History, lifecycles: Lifecycles, flow: Flow) -> Interval:
    """Return the defects created for each ticket done, as a ratio of two Poisson counts.

    Given their sum the first is binomial (Przyborowski and Wilenski, 1940); the ends of its share
    are Wilson's. None without a column of types, where none of the declared types is in it, where
    creation is not known, and where nothing was done.
    """
    done = (lifecycles.ended[lifecycles.outcome == DONE] >= history.start).sum()
    if "type" not in history.attributes or not done or np.isnan(history.created).any():
        return Interval(None)
    known, names = np.unique(history.attributes["type"], return_inverse=True)
    bad = np.isin([*map(folded, known)], [*map(folded, flow.defects)])
    if not bad.any():
        return Interval(None)
    count = (bad[names] & (history.created >= history.start)).sum()
    share = np.array(wilson(count, count + done))
    return Interval(*(share / (1 - share)))


def _fell(ticket: Any, level: Any, of: Any) -> Interval:
    """Return the share of tickets whose level fell from a visit to the next; None of none."""
    fell = (np.diff(level) < 0) & (np.diff(ticket) == 0)
    return wilson(*(len(np.unique(tickets)) for tickets in (ticket[1:][fell], of)))


def _interval(values: Any) -> Interval:
    """Return the first value, with the ends of the middle 95 % of the others where there are."""
    return Interval(
        values[0], *(np.quantile(values[1:], (0.025, 0.975)) if len(values) > 1 else ())
    )
