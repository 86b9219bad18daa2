"""The order of a backlog from draws: chances, ties, what would change it, what to find out."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from opslab.messages import Language
from opslab.operations.prioritisation import checks
from opslab.operations.prioritisation.agreement import kendall_w, stability
from opslab.operations.prioritisation.ratings import View, read_ratings
from opslab.operations.prioritisation.result import SURE, Place, PrioritisationResult
from opslab.operations.prioritisation.score import rice
from opslab.operations.prioritisation.spec import FACTORS, Backlog
from opslab.tables.sheets import source_files
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
    keys = sorted(stated, key=lambda key: (-stated[key], key))[:_LEADING]
    factors = drawn([ratings.items[key] for key in keys], draws, seed)
    order = np.argsort(-rice(*factors).mean(axis=1), kind="stable")
    keys, factors = [keys[at] for at in order], factors[:, order]
    views = [ratings.items[key] for key in keys]
    values = rice(*factors)
    values *= 1 + 1e-12 * scores("coins", values.size, seed).reshape(values.shape)
    means = values.mean(axis=1)
    errors = effort_errors(values.shape, seed)
    columns = (
        [said[0].rating.item for said in views],
        means.tolist(),
        [stated[key] for key in keys],
        *placed(values, backlog.top),
        *known(factors, means, backlog.top),
    )
    most = max(map(len, views))
    common = [[view.score for view in said] for said in views if len(said) == most]
    before = backlog.previous and read_ratings(backlog, [backlog.previous]).scores
    result = PrioritisationResult(
        backlog=backlog,
        as_of=as_of or backlog.date,
        language=language,
        draws=draws,
        seed=seed,
        ratings=ratings,
        places=[*map(Place._make, zip(*columns, strict=True))],
        views=views,
        ahead=(values[:_PAIRED, None] > values[:_PAIRED]).mean(axis=2).tolist(),
        alone=float(((means[:, None] / errors).argmax(axis=0) == 0).mean()),
        concordance=kendall_w([*zip(*common, strict=True)]),
        stability=stability(stated, before) if before else {},
        sources=source_files(backlog, filter(None, ratings.readings), len(stated)),
        checks=(),
    )
    return replace(result, checks=checks.run(result))


def placed(values: Values, top: int) -> tuple[Sequence[Any], ...]:
    """Return what draws of scores, of shape (items, draws), say of each item's place.

    An item joins the tie band of the band's first item while that one is ahead of it in less than
    `SURE` of the draws.
    """
    rank = (-values).argsort(axis=0).argsort(axis=0) + 1
    ties, leader = list[int](), 0
    for at in range(len(values)):
        leader = at if (values[leader] > values[at]).mean() >= SURE else leader
        ties.append(leader + 1)
    return (
        *np.quantile(values, _ENDS, axis=1).tolist(),
        *((rank <= most).mean(axis=1).tolist() for most in (1, top)),
        rank.mean(axis=1).tolist(),
        *np.quantile(rank, _ENDS, axis=1, method="nearest").tolist(),
        ties,
    )


def known(factors: Values, means: Values, top: int) -> list[Sequence[float]]:
    """Return what takes each item across the line of the top, and what knowing a factor brings.

    The score is a product: at so many times a factor (effort: divided by it) it is as large as that
    of the nearest item on the other side. Expected value of partial perfect information, over the
    score of the top: E[max(E[s | f] - t, 0)] - max(E[s] - t, 0), where t is the least score among
    the best others; E[s | f] is f / E[f] x E[s], as the factors are independent.
    """
    line = np.where(np.arange(len(means)) < top, means[top:].max(initial=0), means[:top].min())
    parts = np.stack([factors[0], factors[1], 1 / factors[3]])
    if_known = parts / parts.mean(axis=2, keepdims=True) * means[:, None] - line[:, None]
    gains = np.maximum(if_known, 0).mean(axis=2) - np.maximum(means - line, 0)
    return [(line / means).tolist(), *(gains / means[:top].sum()).tolist()]


def drawn(items: Sequence[Sequence[View]], draws: int, seed: int) -> Values:
    """Return the draws of each factor of each item: an array of shape (4, items, draws).

    In each draw an item is as one of its raters sees it (linear pool). Streams bear the item's
    place, so that names and rows change nothing.
    """
    values = np.empty((len(FACTORS), len(items), draws))
    for place, views in enumerate(items):
        chosen = (ndtr(scores(f"rater/{place}", draws, seed)) * len(views)).astype(int)
        for at, name in enumerate(FACTORS):
            stream = scores(f"{name}/{place}", draws, seed)
            values[at, place] = np.choose(chosen, [view.drawn[name].at(stream) for view in views])
    return values


def effort_errors(shape: tuple[int, ...], seed: int) -> Values:
    """Return ratios of actual to estimated effort as published: 5 % .20, median 1, 95 % 3.13."""
    z = scores("effort errors", int(np.prod(shape)), seed).reshape(shape)
    return np.asarray(np.where(z < 0, 0.20**-_PER_SCORE, 3.13**_PER_SCORE) ** z)
