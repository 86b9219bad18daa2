"""The ledger's quantities as numbers: at given scores, or drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache

import numpy as np
from scipy.special import ndtr

from opslab.uncertainty.distributions import Distribution, Fixed, Values
from opslab.uncertainty.draws import scores

_MISSED = 0.05  # of a mean


class Quantities:
    """Quantities at normal scores.

    Parameters
    ----------
    known : Mapping of str to Distribution
        By their ids in the ledger.
    scores : callable
        The scores of a quantity by its id.
    """

    def __init__(self, known: Mapping[str, Distribution], scores: Callable[[str], Values]) -> None:
        self.known, self.scores = known, scores

    def __call__(self, name: str) -> Values:
        """Return a quantity."""
        return self.known[name].at(np.asarray(self.scores(name), dtype=np.float64))

    def happens(self, line: str, probability: str) -> Values:
        """Return the chance of what a line tells, in place of whether it comes about."""
        del line
        return self(probability)


class Draws(Quantities):
    """Quantities drawn, each from a stream of its own, when they are first asked for.

    Parameters
    ----------
    known : Mapping of str to Distribution
    count, seed : int
    streams : Mapping of str to str
        Streams that bear another name than their quantity.
    """

    def __init__(
        self, known: Mapping[str, Distribution], count: int, seed: int, streams: Mapping[str, str]
    ) -> None:
        @cache
        def drawn(name: str) -> Values:
            return scores(streams.get(name, name), count, seed)

        @cache
        def values(name: str) -> Values:
            used = known[name]
            return np.asarray(used.value) if isinstance(used, Fixed) else used.at(drawn(name))

        super().__init__(known, drawn)
        self.count, self.seed, self._values, self._here = count, seed, values, slice(None)

    def part(self, here: slice) -> Draws:
        """Return the same draws, a part of them."""
        part = copy(self)
        part._here = here  # noqa: SLF001 - its own kind
        return part

    def __call__(self, name: str) -> Values:
        """Return the draws of a quantity; one number where it is known."""
        values = self._values(name)
        return values[self._here] if values.ndim else values

    def missed(self, name: str) -> bool:
        """Return whether the draws miss a quantity's mean: it is too wide for so many.

        By a twentieth of it and four standard errors, as a tail without end makes them.
        """
        values, mean = np.atleast_1d(self._values(name)), self.known[name].mean
        gap = abs(float(values.mean()) - mean)
        error = float(values.std()) / math.sqrt(self.count)
        return gap > max(_MISSED * abs(mean), 4 * error)

    def happens(self, line: str, probability: str) -> Values:
        """Return 1 where what a line tells comes about, else 0."""
        drawn = self.scores(f"event/{line}")[self._here]
        return np.asarray(ndtr(drawn) < self(probability), dtype=np.float64)
