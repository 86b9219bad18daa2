"""What drives a result: the tornado, and shares of the variance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from opslab.uncertainty.distributions import Distribution, Values

_REACH = 8.0  # scores

Model = Callable[[Callable[[str], Values]], Values]
"""A result as a function of its quantities' scores: ``model(scores)``, with ``scores(name)``."""


@dataclass(frozen=True)
class Bar:
    """One quantity of a tornado: the result with it at its 10th and at its 90th percentile."""

    name: str
    low: float
    high: float

    @property
    def span(self) -> float:
        """How far the result moves."""
        return abs(self.high - self.low)


def mean_score(distribution: Distribution) -> float:
    """Return the score at which a distribution takes its mean, such as sigma / 2 of a lognormal."""

    def above(score: float) -> float:
        return float(distribution.at(np.array([score]))[0]) - distribution.mean

    ends = above(-_REACH), above(_REACH)
    return float(brentq(above, -_REACH, _REACH)) if ends[0] < 0 < ends[1] else 0.0


def tornado(
    model: Model,
    names: Sequence[str],
    share: float = 0.1,
    base: Callable[[str], float] = lambda _: 0.0,
) -> tuple[float, tuple[Bar, ...]]:
    """Return the result with every quantity at its base, and a bar for each, the widest first.

    Bars that are as wide to nine digits stand in the order of their names.

    Parameters
    ----------
    model : callable
        See `Model`; it takes vectors of any length.
    names : sequence of str
    share : float
        Each quantity goes to its own quantile at this share and at 1 less it, the rest at the
        base.
    base : callable
        The score of a quantity by its name; the median by default.
    """
    reach = float(ndtri(1 - share))
    ends_of = {name: slice(2 * index + 1, 2 * index + 3) for index, name in enumerate(names)}

    def scores(name: str) -> Values:
        moved = np.full(2 * len(names) + 1, base(name))
        if name in ends_of:
            moved[ends_of[name]] = -reach, reach
        return moved

    results = np.broadcast_to(model(scores), 2 * len(names) + 1)
    ends = zip(names, results[1::2], results[2::2], strict=True)
    bars = [Bar(name, float(low), float(high)) for name, low, high in ends]
    # Equal but for last bits, which hang on the processor and on the order of rows, is equal.
    return float(results[0]), tuple(
        sorted(bars, key=lambda bar: (-float(f"{bar.span:.9g}"), bar.name))
    )


def first_order(quantity: Values, result: Values, bins: int = 50) -> float:
    """Return the share of a result's variance that goes with one quantity: Var(E[Y|X]) / Var(Y).

    From the draws at hand: means of the result in bins of equal counts, less what chance alone
    would give ((bins - 1) / (n - bins) of the rest); at least 0.

    Parameters
    ----------
    quantity, result : array of shape (n,)
    bins : int
    """
    n = len(result) - len(result) % bins
    groups = result[:n][np.argsort(quantity[:n], kind="stable")].reshape(bins, -1)
    total, within = float(groups.var()), float(groups.var(axis=1).mean())
    if total == 0:
        return 0.0
    return max(0.0, (total - within - within * (bins - 1) / (n - bins)) / total)
