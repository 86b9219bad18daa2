"""What is ahead: when items will be done, and how many by a day, drawn from the past in blocks."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np

from opslab.operations.flow.backtest import AHEAD, held, rate
from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import DONE, OPEN, Lifecycles, elapsed
from opslab.operations.flow.result import Forecast
from opslab.operations.flow.spec import Ahead, Flow
from opslab.uncertainty.draws import draw
from opslab.uncertainty.survival import Curve, aalen_johansen

DAYS = {"week": 7, "day": 1}
"""Days of a unit."""
FEWEST = 11
"""Finished items below which nothing is forecast."""
HORIZON = 1_092
"""Days, three years: what is not done by then is not forecast."""
STALE = 14
"""Days that an export may end before the day of the review."""
_CLOSE = 1e-6  # of a day: midnight is its end
_RUNS = 1_000  # drawn at a time, and at each earlier day


def throughput(ended: Any, outcome: Any, start: float, end: float, unit: str) -> Any:
    """Return how many items were finished in each whole week or day, zeros included.

    Units are counted back from the end, so that the last is whole and new; what is left over at the
    start is no whole unit and is left out. An instant between two belongs to the earlier.

    Parameters
    ----------
    ended : array of float, shape (tickets,)
        Days since 1970-01-01 UTC; NaN where open.
    outcome : array of int, shape (tickets,)
        What is not `DONE` is not counted: a cancelled item is not finished.
    start, end : float
        From when and until when tickets are watched.
    unit : {"week", "day"}

    Returns
    -------
    array of int, shape (units,)
        The oldest first.

    Examples
    --------
    >>> throughput(np.array([1.0, 8.5, 9.0, 20.0]), np.array([1, 1, 2, 1]), 0.0, 23.0, "week")
    array([1, 0, 1])
    """
    edges = np.arange((end - start) // DAYS[unit] + 1) * DAYS[unit]
    return np.histogram(end - ended[outcome == DONE], edges)[0][::-1]


def enough(counts: Any, asked: Ahead) -> bool:
    """Return whether a past is long enough to draw from: 8 weeks, 4 blocks, 11 finished items.

    Examples
    --------
    >>> bool(enough(np.full(8, 3), Ahead(block=2))), enough(np.full(8, 3), Ahead(block=3))
    (True, False)
    """
    return len(counts) >= max(56 // DAYS[asked.unit], 4 * asked.block) and counts.sum() >= FEWEST


def futures(
    counts: Any, units: int, block: int, draws: int, generator: np.random.Generator, week: int = 1
) -> Any:
    """Return futures as they may come: items done by the end of each unit, the first column 0.

    Blocks of the past follow one another, since busy weeks follow busy weeks; a block may run over
    the end into the beginning. Each future first draws a past of its own, then itself from that:
    how much is done in a usual week is not known but estimated, and a short past tells it badly.
    Its own past has a block less than the real one, by which the variance of its mean is unbiased.

    Parameters
    ----------
    counts : array of int, shape (past units,)
        At least two blocks of them.
    units, block, draws : int
    week : int, optional
        Units that come again in their order, 7 where they are days: blocks are whole ones of them
        and begin where the future does, so that a Saturday is drawn from Saturdays.

    Returns
    -------
    array of int, shape (draws, units + 1)

    Sources
    -------
    Politis and Romano (1992), circular blocks; Efron and Tibshirani (1993), An Introduction to the
    Bootstrap, sections 8.6 (blocks) and 6.5 (n - 1).

    Examples
    --------
    >>> futures(np.full(8, 3), 4, 2, 2, np.random.default_rng(1))
    array([[ 0,  3,  6,  9, 12],
           [ 0,  3,  6,  9, 12]])
    """
    counts, block = counts[len(counts) % week :], -(-block // week) * week
    past = len(counts)
    kept = -(-past // block) - 1
    pasts = generator.integers(past // week, size=(draws, kept)) * week
    slots = generator.integers(kept, size=(draws, -(-units // block)))
    firsts = np.take_along_axis(pasts, slots, 1)
    drawn = counts[(firsts[..., None] + np.arange(block)) % past].reshape(draws, -1)
    return np.insert(drawn[:, :units].cumsum(1), 0, 0, 1)


def rolling(counts: Any, asked: Ahead, seed: int) -> list[float]:
    """Return how each forecast held that could have been made, one a week, four weeks ahead.

    Each draws from what was finished before its day alone, and is left out where that would have
    been refused.

    Parameters
    ----------
    counts : array of int, shape (units,)
        Of `throughput`.
    asked : Ahead
        Its unit, block and history.
    seed : int

    Returns
    -------
    list of float
        The oldest first; see `held`.

    Examples
    --------
    >>> len(rolling(np.full(20, 3), Ahead(), 1))
    9
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    week = 7 // DAYS[asked.unit]
    units, results = AHEAD * week, []
    for origin in range(len(counts) % week, len(counts) - units + 1, week):
        past = counts[:origin][-(asked.history or 0) :]
        if enough(past, asked):
            drawn = futures(past, units, asked.block, _RUNS, generator, week)[:, -1]
            results.append(held(drawn, counts[origin:][:units].sum()))
    return results


def more_work(asked: Ahead, draws: int, seed: int) -> list[Any]:
    """Return draws of the growth a unit and of the share of items that split: two columns."""
    return [
        draw(known.distribution(share=False), name, draws, seed)[:, None]
        for name, known in (("growth", asked.growth), ("split", asked.split))
    ]


def simulate(
    pasts: Sequence[Any],
    items: Any,
    asked: Ahead,
    at: Any,
    draws: int,
    seed: int,
    cancelled: float = 0,
) -> tuple[Any, Any]:
    """Return the chance that every team has finished by each unit, and how many items are done.

    A team has finished once it has done its part of the list and what came in until then; what
    comes in later is not of the list.

    Parameters
    ----------
    pasts : sequence of array of int
        Finished items a unit, by team.
    items : array of float, shape (teams,)
        Their parts of the list; of items that come in they get as large a part.
    asked : Ahead
        Its unit, block, growth and split.
    at : array of int, shape (times,)
        Units from now at which done items are asked.
    draws, seed : int
    cancelled : float, optional
        Chance of each item, and share of what comes in, to leave the list without being done.

    Returns
    -------
    chance : array of float, shape (units + 1,)
        The product of the teams' shares of futures, unfinished ones counted.
    done : array of int, shape (draws, times)
        Of all teams together.

    Examples
    --------
    >>> past = [np.full(8, 3)] * 2
    >>> chance, done = simulate(past, np.array([7, 12]), Ahead(), np.array([0, 2]), 5, 1)
    >>> chance[:6], done[0]
    (array([0., 0., 0., 0., 1., 1.]), array([ 0, 12]))
    """
    growth, split = more_work(asked, draws, seed)
    generator = np.random.Generator(np.random.PCG64(seed))
    units, week = np.arange(HORIZON // DAYS[asked.unit] + 1), 7 // DAYS[asked.unit]
    chance, done = np.ones(1), np.zeros((draws, len(at)), int)
    for past, part in zip(pasts, items, strict=True):
        coming, hits = growth * (1 - cancelled) * part / max(items.sum(), 1), 0
        for run in np.array_split(np.arange(draws), -(-draws // _RUNS)):
            drawn = futures(past, units[-1], asked.block, len(run), generator, week)
            left = part - generator.binomial(int(part), cancelled, (len(run), 1))
            needed = left * (1 + split[run]) + coming[run] * units
            hits += np.maximum.accumulate(drawn >= needed - 1e-9, 1).sum(0)
            done[run] += drawn[:, at]
        chance = chance * hits / draws
    return chance, done


def _lists(asked: Ahead, history: History, lifecycles: Lifecycles) -> tuple[int, Any, list[Any]]:
    """Return the items of the list, the part of each team that has any, and each one's past."""
    outcome = lifecycles.outcome
    listed = outcome == OPEN
    items = asked.items or int(listed.sum())
    listed = listed if listed.any() else ~listed
    teams = history.attributes[asked.teams] if asked.teams else np.full(len(listed), "")
    names, sizes = np.unique(teams[listed], return_counts=True)
    start = np.fmax(history.start, history.complete_from)  # before it the file tells nothing
    series = [
        throughput(lifecycles.ended, outcome * (teams == team), start, history.end, asked.unit)
        for team in names
    ]
    return items, items * sizes / listed.sum(), series


def _lost(curve: Curve, lives: Lifecycles, end: float) -> float:
    """Return the mean chance of open tickets to be cancelled, given how old each is."""
    ages = np.nan_to_num(end - lives.started[lives.outcome == OPEN])
    past = np.searchsorted(curve.days, ages, "right")
    given_up, waiting = np.insert(curve.cancelled, 0, 0), np.insert(curve.waiting, 0, 1)
    left = given_up[-1] - given_up[past]
    return float(np.mean(left / np.maximum(waiting[past], left + 1e-9))) if len(ages) else 0.0


def ahead(
    flow: Flow,
    history: History,
    lifecycles: Lifecycles,
    draws: int,
    seed: int,
    as_of: datetime.date | None = None,
) -> Forecast:
    """Return when what is on the list will be done, and how many items by a day.

    An open ticket leaves the list done or cancelled: in each draw it is cancelled with the share of
    started tickets that were (Aalen-Johansen), if late entry does not hide it. Items that are asked
    for by their number are all to be done.

    What takes longer than three years is not forecast; a chance is never said to be above 99 %.

    The list is every open ticket, started or not, or as many items as are declared. Days are the
    ends of whole units, as many as have passed by then: what is done in the middle of a week counts
    at its end. Where several teams have to finish their parts, each has the part of the list that
    its open tickets are, its own past, and chances are multiplied: the later of two forecasts would
    be too early. Items that come in, or split, are shared out likewise.

    Parameters
    ----------
    flow : Flow
    history : History
        With the column of teams, where there is one.
    lifecycles : Lifecycles
    draws, seed : int
    as_of : datetime.date, optional
        Day of the review, by default the last of the history.

    Returns
    -------
    Forecast
        Refused with ``nothing_done``, ``nothing_open`` (no open ticket, and neither items nor a day
        declared), ``short``: fewer than 8 weeks, 4 blocks or 11 finished items of a team; ``stale``
        where the history ends more than 14 days before the day of the review, or dates would lie
        before it; ``day`` where the day that is asked does, or lies beyond three years.

    Sources
    -------
    Vacanti (2015), Actionable Agile Metrics for Predictability, chapters 14 and 15, but for the
    uncertain past (see `futures`).
    """
    asked, outcome, end = flow.forecast, lifecycles.outcome, history.end
    days, (items, parts, series) = DAYS[asked.unit], _lists(asked, history, lifecycles)
    pasts = [counts[-(asked.history or 0) :] for counts in series]
    today, last = (np.datetime64(day, "D").astype(int) + 1 for day in (as_of, asked.by))
    wrong = {
        "nothing_done": DONE not in outcome,
        "nothing_open": not (items or asked.by),
        "stale": today - end > STALE,
        "day": asked.by and not max(end, today) < last <= end + HORIZON,
        "short": not all(enough(past, asked) for past in pasts),
    }
    refused = next(filter(wrong.get, wrong), "")
    if refused:
        return Forecast(items, asked.by, refused=refused)
    by = int(np.clip((last - end + _CLOSE) // days, 0, HORIZON // days))
    at = np.append(by, np.arange(0, 365, 7) // days)
    curve = aalen_johansen(*elapsed(lifecycles, end, None))
    lost = 0 if asked.items or curve.thin < np.inf else _lost(curve, lifecycles, end)
    chance, done = simulate(pasts, parts, asked, at, draws, seed, lost)
    when = {said: int(np.searchsorted(chance, said / 100)) for said in (50, 85, 95)}
    ends = {said: ceil(end + unit * days - _CLOSE) - 1 for said, unit in when.items()}
    if ends[50] < today - 1:
        return Forecast(items, asked.by, refused="stale")
    spread = np.quantile(done, (0.05, 0.15, 0.5, 0.85), 0, method="inverted_cdf")
    fan = np.vstack([at, spread[1:]]).T[at <= max(when[95], by)].tolist()
    results = rolling(sum(series), asked, seed)
    return Forecast(
        items,
        asked.by,
        {
            said: np.datetime64(day, "D").item() if when[said] < len(chance) else None
            for said, day in ends.items()
        },
        dict(zip((95, 85, 50), spread[:, 0].tolist(), strict=False)) if asked.by else {},
        min(float(chance[by]), 0.99) if asked.by else None,
        [*map(tuple, fan[1:])],
        len(results),
        round(sum(results)),
        rate(results),
    )
