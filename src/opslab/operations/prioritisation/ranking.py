"""The order of a backlog from draws: chances, ties, what would change it, what to find out."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np
from scipy.special import ndtr

from opslab.messages import Language
from opslab.operations.prioritisation import checks
from opslab.operations.prioritisation.agreement import kendall_w, stability
from opslab.operations.prioritisation.ratings import View, read_ratings
from opslab.operations.prioritisation.result import SURE, PrioritisationResult, Standing
from opslab.operations.prioritisation.score import rice
from opslab.operations.prioritisation.spec import FACTORS, KINDS, Backlog
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.draws import scores

_LEADING, _PAIRED = 100, 20
_ENDS = (0.05, 0.95)
_PER_SCORE = 1 / 1.6448536269514722  # of a normal score, whose 95th percentile that is


def prioritise(
    backlog: Backlog,
    *,
    as_of: datetime.date | None = None,
    draws: int = 10_000,
    seed: int = 1,
    language: Language = "en",
) -> PrioritisationResult:
    """Return a backlog's order, how sure it is, and what would change it.

    Parameters
    ----------
    backlog : Backlog
    as_of : datetime.date, optional
    draws : int
    seed : int
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError
        For a sheet that contradicts itself: row, what, and what to do.
    """
    ratings = read_ratings(backlog, backlog.sheets)
    stated = ratings.scores
    leading = sorted(stated, key=lambda key: (-stated[key], key))[:_LEADING]
    factors = drawn([ratings.items[key] for key in leading], draws, seed)
    order = np.argsort(-rice(*factors).mean(axis=1), kind="stable")
    views, factors = [ratings.items[leading[at]] for at in order], factors[:, order]
    values = rice(*factors)
    values *= 1 + 1e-12 * scores("coins", values.size, seed).reshape(values.shape)
    errors = effort_errors(values.shape, seed)
    columns = *zip(*map(said, views), strict=True), *placed(values, factors, backlog.top)
    standings = [*map(Standing._make, zip(*columns, strict=True))]
    if all(standing.exact for standing in standings):  # nothing says how sure the order is
        standings = [known._replace(first=None, top=None) for known in standings]
    raters = {view.rater for each in views for view in each}
    common = [[view.score for view in each] for each in views if len(each) == len(raters)]
    before = read_ratings(backlog, [backlog.previous]).scores if backlog.previous else {}
    result = PrioritisationResult(
        backlog=backlog,
        as_of=as_of or backlog.date,
        language=language,
        draws=draws,
        seed=seed,
        ratings=ratings,
        standings=standings,
        views=views,
        ahead=(values[:_PAIRED, None] > values[:_PAIRED]).mean(axis=2).tolist(),
        alone=float(((values.mean(axis=1) / errors.T).argmax(axis=1) == 0).mean()),
        concordance=kendall_w([*zip(*common, strict=True)]),
        stability=stability(stated, before),
        checks=(),
    )
    return replace(result, checks=checks.run(result))


def placed(values: Values, factors: Values, top: int) -> Iterator[Sequence[Any]]:
    """Give the columns of `Standing` from draws of scores, of shape (items, draws), and of factors.

    An item joins the tie band of the band's first item while that one is ahead of it in less than
    `SURE` of the draws.

    The score is a product: at so many times a factor (effort: divided by it) it is as large as that
    of the nearest item on the other side of the line. Expected value of partial perfect
    information, over the score of the top: E[max(E[s | f] - t, 0)] - max(E[s] - t, 0), where t is
    the least score among the best others; E[s | f] is f / E[f] x E[s], the factors being
    independent.
    """
    rank = (-values).argsort(axis=0).argsort(axis=0) + 1
    means, ties, leader = values.mean(axis=1), list[int](), 0
    for at in range(len(means)):
        leader = at if (values[leader] > values[at]).mean() >= SURE else leader
        ties.append(leader + 1)
    line = np.where(np.arange(len(means)) < top, means[top:].max(initial=0), means[:top].min())
    parts = np.stack([factors[0], factors[1], 1 / factors[3]])
    if_known = parts / parts.mean(axis=2, keepdims=True) * means[:, None] - line[:, None]
    gains = np.maximum(if_known, 0).mean(axis=2) - np.maximum(means - line, 0)
    yield means.tolist()
    yield from np.quantile(values, _ENDS, axis=1).tolist()
    yield from ((rank <= most).mean(axis=1).tolist() for most in (1, top))
    yield rank.mean(axis=1).tolist()
    yield from np.quantile(rank, _ENDS, axis=1, method="nearest").tolist()
    yield ties
    yield [at or None for at in (line / means).tolist()]
    yield from (gains / means[:top].sum()).tolist()


def drawn(items: Sequence[Sequence[View]], draws: int, seed: int) -> Values:
    """Return the draws of each factor of each item: an array of shape (4, items, draws).

    In each draw an item is as one of its raters sees it (linear pool). Streams bear the item's
    place, so that names and rows change nothing.
    """
    values = np.empty((len(FACTORS), len(items), draws))
    for at, views in enumerate(items):
        chosen = (ndtr(scores(f"rater/{at}", draws, seed)) * len(views)).astype(int)
        for factor, name in enumerate(FACTORS):
            stream = scores(f"{name}/{at}", draws, seed)
            values[factor, at] = np.choose(chosen, [view.drawn[name].at(stream) for view in views])
    return values


def effort_errors(shape: tuple[int, ...], seed: int) -> Values:
    """Return ratios of actual to estimated effort as published: 5 % .20, median 1, 95 % 3.13."""
    z = scores("effort errors", int(np.prod(shape)), seed).reshape(shape)
    return np.asarray(np.where(z < 0, 0.20**-_PER_SCORE, 3.13**_PER_SCORE) ** z)


def said(views: Sequence[View]) -> tuple[Any, ...]:
    """Return the first columns of `Standing`, from what raters say of an item."""
    ratings = [view.rating for view in views]
    spreads = ([view.stated[name] for view in views] for name in ("reach", "impact", "effort"))
    given = (
        fmean(bool(getattr(rating, f"{name}_{kind}")) for rating in ratings for name in FACTORS)
        for kind in KINDS
    )
    cost, weeks = map(views[0].stated.get, ("cost_of_delay", "weeks"))
    delay = cost / weeks if cost and weeks else None
    score = fmean(view.score for view in views)
    return ratings[0].item, score, delay, *given, *(max(each) / min(each) for each in spreads)
