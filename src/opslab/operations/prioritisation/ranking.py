"""The order of a backlog from draws: chances, ties, what would change it, what to find out."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from operator import attrgetter
from statistics import fmean
from typing import Any

import numpy as np
from scipy.special import ndtr

from opslab.messages import Language
from opslab.operations.prioritisation import checks
from opslab.operations.prioritisation.agreement import kendall_w, stability
from opslab.operations.prioritisation.ratings import View, exact, read_ratings
from opslab.operations.prioritisation.result import HALF, SURE, PrioritisationResult, Standing
from opslab.operations.prioritisation.score import rice
from opslab.operations.prioritisation.spec import FACTORS, KINDS, Backlog
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.draws import scores
from opslab.uncertainty.information import evppi

_LEADING, _NEAR = 100, 15
_REACH = 2  # times the score of an item, which might bring it into the top
_CLAIMS = ("first", "top", "know_reach", "know_impact", "know_effort")
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
    ratings, before = read_ratings(backlog)
    means = leaders(ratings.items)
    views = [ratings.items[key] for key in means]
    factors = drawn(views, draws, seed)
    values = rice(*factors[:4])
    values *= 1 + 1e-12 * scores("coins", values.size, seed).reshape(values.shape)
    planned = rice(*factors[[0, 1, 2, 4]]) / effort_errors(values.shape, seed)
    expected = np.array([*means.values()])
    columns = (
        means,
        *zip(*map(said, views), strict=True),
        *placed(values, factors, expected, backlog.top),
    )
    standings = [*map(Standing._make, zip(*columns, strict=True))]
    bare = np.array([*map(exact, views)])[expected >= expected[: backlog.top].min() / _REACH]
    if bare[0] or bare.mean() >= HALF:  # nothing says how sure the order is
        claims: dict[str, Any] = dict.fromkeys(_CLAIMS)
        standings = [known._replace(**claims) for known in standings]
    raters = len({view.rater for each in ratings.items.values() for view in each})
    common = [
        [view.score for view in sorted(each, key=attrgetter("rater"))]
        for each in ratings.items.values()
        if len(each) == raters
    ]
    result = PrioritisationResult(
        backlog=backlog,
        as_of=as_of or backlog.date,
        language=language,
        draws=draws,
        seed=seed,
        ratings=ratings,
        standings=standings,
        views=views,
        undecided=[*undecided([*means][:_NEAR], values)],
        alone=float((planned.argmax(axis=0) == 0).mean()),
        raters=raters,
        concordance=kendall_w([*zip(*common, strict=True)]),
        stability=stability(ratings.scores, before.scores) if backlog.previous else {},
        checks=(),
    )
    return replace(result, checks=checks.run(result))


def leaders(items: Mapping[str, Sequence[View]]) -> dict[str, float]:
    """Return the items that are drawn with their exact expected scores, the highest first.

    They are those that lead by it, and in turn those that lead by their upper ends.
    """
    means = {key: fmean(view.expected for view in said) for key, said in items.items()}
    most = {key: max(view.most for view in said) for key, said in items.items()}
    by = [sorted(means, key=lambda key: (-known[key], key)) for known in (means, most)]
    leading = {*[*dict.fromkeys(chain(*zip(*by, strict=True)))][:_LEADING]}
    return {key: means[key] for key in by[0] if key in leading}


def placed(values: Values, factors: Values, means: Values, top: int) -> Iterator[Sequence[Any]]:
    """Give the columns of `Standing` from draws of scores, of shape (items, draws), and of factors.

    The score is a product: at so many times a factor (effort: divided by it) it is as large as that
    of the nearest item on the other side of the line. What knowing a factor f of an item of score s
    is worth (EVPPI), over the score of the top: E[max(E[s | f] - t, 0)] - max(E[s] - t, 0), where t
    is the least score among the best others; of the items that are nearest to the line.
    """
    rank = (-values).argsort(axis=0).argsort(axis=0) + 1
    line = np.where(np.arange(len(means)) < top, means[top:].max(initial=0), means[:top].min())
    near = np.abs(line / means - 1).argsort(kind="stable")[:_NEAR]
    gains = np.full((3, len(means)), np.nan)
    scale = means / values.mean(axis=1)
    for at in near:
        benefit = np.stack([0 * values[at], scale[at] * values[at] - line[at]], axis=1)
        parts = factors[0, at], factors[1, at], 1 / factors[3, at]
        gains[:, at] = [evppi(part, benefit) for part in parts]
    yield means.tolist()
    yield from np.quantile(values, _ENDS, axis=1).tolist()
    yield from ((rank <= most).mean(axis=1).tolist() for most in (1, top))
    yield rank.mean(axis=1).tolist()
    yield from np.quantile(rank, _ENDS, axis=1, method="nearest").tolist()
    yield bands(values)
    yield [at or None for at in (line / means).tolist()]
    gains /= means[:top].sum()
    yield from np.where(np.isnan(gains), np.array(None), gains).tolist()


def bands(values: Values) -> list[int]:
    """Return the first place of each item's tie band, from draws of shape (items, draws).

    An item joins the band of the first one that it is undecided with: ahead of it, or behind it,
    in less than `SURE` of the draws. Else it starts a band.
    """
    ties, leader = list[int](), 0
    for at in range(len(values)):
        ahead = (values[leader] > values[at]).mean()
        leader = leader if at == leader or 1 - SURE < ahead < SURE else at
        ties.append(leader + 1)
    return ties


def undecided(names: Sequence[str], values: Values) -> Iterator[tuple[str, str]]:
    """Give the pairs of the first items of which neither is ahead in `SURE` of the draws."""
    for (a, first), (b, second) in combinations(enumerate(names), 2):
        if 1 - SURE < (values[a] > values[b]).mean() < SURE:
            yield first, second


def drawn(items: Sequence[Sequence[View]], draws: int, seed: int) -> Values:
    """Return the draws of each factor of each item: an array of shape (5, items, draws).

    In each draw an item is as one of its raters sees it (linear pool), whose mean effort comes
    last. Streams bear the item's place, so that names and rows change nothing.
    """
    values = np.empty((len(FACTORS) + 1, len(items), draws))
    every = np.arange(draws)
    for at, views in enumerate(items):
        chosen = (ndtr(scores(f"rater/{at}", draws, seed)) * len(views)).astype(int)
        for factor, name in enumerate(FACTORS):
            stream = scores(f"{name}/{at}", draws, seed)
            shapes = [view.drawn[name] for view in views]
            values[factor, at] = np.stack([shape.at(stream) for shape in shapes])[chosen, every]
        values[-1, at] = np.array([shape.mean for shape in shapes])[chosen]
    return values


def effort_errors(shape: tuple[int, ...], seed: int) -> Values:
    """Return ratios of actual to estimated effort as published: 5 % .20, median 1, 95 % 3.13."""
    z = scores("effort errors", int(np.prod(shape)), seed).reshape(shape)
    return np.asarray(np.where(z < 0, 0.20**-_PER_SCORE, 3.13**_PER_SCORE) ** z)


def said(views: Sequence[View]) -> tuple[Any, ...]:
    """Return the first columns of `Standing`, from what raters say of an item."""
    names = ("reach", "impact", "effort")
    given = (
        fmean(f"{name}_{kind}" in view.backed for view in views for name in FACTORS)
        for kind in KINDS
    )
    cost, weeks = (
        [view.stated[name] for view in views if name in view.stated]
        for name in ("cost_of_delay", "weeks")
    )
    return (
        fmean(view.score for view in views),
        fmean(cost) / fmean(weeks) if cost and weeks else None,
        *given,
        *(fmean(view.drawn[name].mean for view in views) for name in names),
    )
