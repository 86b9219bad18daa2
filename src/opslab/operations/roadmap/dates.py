"""What an initiative's date stands on: finished, its tickets, a range of weeks, or its window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from opslab.operations.roadmap.binding import Work, weeks_ahead
from opslab.operations.roadmap.result import OFTEN
from opslab.operations.roadmap.spec import Initiative
from opslab.uncertainty.draws import scores

SPREAD = 0.3
"""Standard deviation of the logarithm of a window's length, where only its chance is given."""
SUREST = 0.99
"""Chance that a window is given at most: nothing is certain."""


class Drawn(NamedTuple):
    """From when on an initiative takes how many days.

    Attributes
    ----------
    source : {"finished", "tickets", "range", "window"}
    start : int
        Day from which it may be done, as of `datetime.date.toordinal`.
    days : array, shape (draws,)
    floor : array, shape (draws,)
        Day before which it is not finished, by how late past dates were.
    uncertain : bool
        Whether anything tells how sure that is.
    refuted : bool
        Whether it is under way and has taken longer than all but 5 % of the draws.
    """

    source: str
    start: int
    days: Any
    floor: Any
    uncertain: bool = True
    refuted: bool = False


def drawn(
    item: Initiative,
    work: Work | None,
    late: Sequence[float],
    ends: date | None,
    waited: Sequence[date],
    day: date,
    draws: int,
    seed: int,
) -> Drawn:
    """Return how long an initiative takes from when it may start.

    Parameters
    ----------
    item : Initiative
    work : Work or None
        Its tickets.
    late : sequence of float
        Days by which past dates were late; empty where they are too few. They include what was
        waited for, and so move the end that was announced, not how long the work takes.
    ends : datetime.date or None
        The end of its window that was announced first: to announce a later one is not to work
        longer.
    waited : sequence of datetime.date
        When what it waits for was finished; the day itself of each that is not. What was finished
        does not matter where a ticket was started: then it is known to be under way.
    day : datetime.date
    draws, seed : int

    Notes
    -----
    It is under way once its first day has passed and all it waits for was finished, since the later
    of the two. Of its draws those are kept that last longer than it has lasted; where fewer than
    5 % do, it is taken to begin today. What is left is, draw by draw, no less than if it had begun
    on its first day, or with any of what it waits for: to wait for more never brings it forward.

    A window with a confidence is lognormal, the quantile of that chance its announced length,
    `SPREAD` its spread, but never shorter than announced: nothing says that it would be.
    """
    today, first = day.toordinal(), (item.starts or day).toordinal()
    never = np.full(draws, -np.inf)
    if item.finished:
        return Drawn("finished", item.finished.toordinal() - 1, np.ones(draws), never)
    if work and (np.size(work.pace) or 0 < work.tickets == work.done):
        some = work.done < work.tickets
        days = 7 * weeks_ahead(work, draws, seed, item.id) if some else np.zeros(draws)
        return Drawn("tickets", today if work.begun else max(first, today), days, never)
    source, window = "range" if item.weeks else "window", (ends or day).toordinal() - first
    past = [] if item.weeks or item.confidence else late

    def length(score: Any, begun: float = np.inf) -> Any:
        return np.maximum(_work(item, window, score), floor(score) - begun)

    def floor(score: Any) -> Any:
        slip = np.quantile(past, ndtr(score), method="inverted_cdf") if past else never
        return first + window + slip

    def left(begun: int) -> tuple[Any, bool]:
        share = np.mean(length(score, begun) > today - begun)
        if begun >= today or share < OFTEN:
            return length(score), begun < today
        days = length(-ndtri(share * ndtr(-score)), begun)
        return np.maximum(days - (today - begun), 0), False

    score = scores(f"roadmap/{item.id}", draws, seed)
    known = [at.toordinal() for at in waited if at == day or not (work and work.begun)]
    begun = [max(first, at) for at in (0, *known)]
    start, refuted = max(begun), left(max(begun))[1]
    days = np.max([left(at)[0] for at in begun], axis=0) + max(today - start, 0)
    uncertain = not refuted and bool(past or np.ptp(length(score)))
    return Drawn(
        source,
        max(first, today) if start >= today else start,
        days,
        floor(score),
        uncertain,
        refuted,
    )


def _work(item: Initiative, window: float, score: Any) -> Any:
    """Return the days of its range of weeks, or of its window with its confidence."""
    if item.weeks:
        return 7 * item.weeks.distribution(share=False).at(score)
    surest = ndtri(min(item.confidence or SUREST, SUREST))
    spread = SPREAD * bool(item.confidence)
    return window * np.exp(spread * np.maximum(score - surest, 0))
