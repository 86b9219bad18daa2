"""The ledger's quantities as numbers: drawn, or at given scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from scipy.special import ndtr

from opslab.uncertainty.draws import scores
from opslab.uncertainty.distributions import Distribution, Fixed, Values


class Quantities(Protocol):
    """What a cash flow is made of."""

    def __call__(self, name: str) -> Values:
        """Return a quantity by its id in the ledger; one number where it is known."""
        ...

    def happens(self, line: str, probability: str) -> Values:
        """Return whether what a line tells comes about, given the id of its probability."""
        ...


@dataclass(frozen=True)
class AtScores:
    """Quantities at normal scores; in place of whether an event comes about stands its chance."""

    distributions: Mapping[str, Distribution]
    scores: Callable[[str], Values]

    def __call__(self, name: str) -> Values:
        """Return a quantity at its scores."""
        return self.distributions[name].at(np.asarray(self.scores(name), dtype=np.float64))

    def happens(self, line: str, probability: str) -> Values:
        """Return an event's chance."""
        del line
        return self(probability)


@dataclass(frozen=True)
class Draws:
    """Quantities drawn, each from a stream of its own, when they are first asked for.

    Attributes
    ----------
    distributions : Mapping of str to Distribution
    count, seed : int
    streams : Mapping of str to str
        Streams that bear another name than their quantity.
    here : slice
        Part of the draws that is looked at.
    """

    distributions: Mapping[str, Distribution]
    count: int
    seed: int
    streams: Mapping[str, str] = field(default_factory=dict)
    here: slice = field(default_factory=lambda: slice(None))
    _scores: dict[str, Values] = field(default_factory=dict)
    _values: dict[str, Values] = field(default_factory=dict)

    def part(self, here: slice) -> Draws:
        """Return the same draws, a part of them."""
        return replace(self, here=here)

    def scores(self, name: str) -> Values:
        """Return the normal scores of a quantity."""
        if name not in self._scores:
            stream = self.streams.get(name, name)
            self._scores[name] = scores(stream, self.count, self.seed)
        return self._scores[name][self.here]

    def __call__(self, name: str) -> Values:
        """Return the draws of a quantity."""
        if name not in self._values:
            used = self.distributions[name]
            every = self.part(slice(None))
            self._values[name] = (
                np.asarray(used.value) if isinstance(used, Fixed) else used.at(every.scores(name))
            )
        values = self._values[name]
        return values[self.here] if values.ndim else values

    def happens(self, line: str, probability: str) -> Values:
        """Return 1 where an event comes about, else 0."""
        comes_about = ndtr(self.scores(f"event/{line}")) < self(probability)
        return np.asarray(comes_about, dtype=np.float64)
