"""Hours freed, from draws: what is done, what a change takes away, what comes of it by month.

For a task H = people x eligible share x times a week x minutes / 60 x working weeks is done in a
year. Several initiatives on one task multiply, H x product of (1 - a_k r_k): 30 % and 30 % free 51
%. The joint figure is parted by Shapley: multiplied out, it is a sum of one term for each set of
initiatives, and a set's term is shared evenly among its members (Harsanyi 1959).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from opslab.evidence import Grade
from opslab.timesaved.inventory import GRADES, Line
from opslab.uncertainty.distributions import Distribution, Fixed, Values
from opslab.uncertainty.ramp import power_sum

Scores = Callable[[str], Values]


@dataclass(frozen=True)
class Piece:
    """A line of the inventory, ready to be drawn.

    Attributes
    ----------
    row : int
    line : Line
    ramp : array of shape (months,)
        Share of the final adoption, by month.
    quantities : Mapping
        Of each field: the name of its stream of scores, and its distribution.
    """

    row: int
    line: Line
    ramp: Values
    quantities: Mapping[str, tuple[str, Distribution]]

    @property
    def key(self) -> tuple[str, str]:
        """The task and the role."""
        return self.line.task, self.line.role

    @property
    def names(self) -> tuple[str, str]:
        """By which it may be left out: its task, and its row."""
        return self.line.task, str(self.row)

    @property
    def grade(self) -> Grade:
        """As declared, and no better than the basis."""
        return max(self.line.grade or "A", GRADES[self.line.basis])


@dataclass(frozen=True)
class Part:
    """What one line brings, in hours a year: a number for each draw, means over the months.

    Attributes
    ----------
    steps : Mapping of str to array
        ``possible`` (used by all), ``adopted`` (by those who use it, by month), ``kept`` (less
        decay), ``new_work``, ``freed`` (kept less new work), ``recaptured`` (that became work).
    full : array
        Possible, less the new work of all: before adoption and decay.
    """

    piece: Piece
    steps: Mapping[str, Values]
    full: Values


def shapley(dividends: Mapping[frozenset[int], Values], player: int) -> Values:
    """Return a player's Shapley value: its even share of the dividend of each set it belongs to."""
    own = {members: value for members, value in dividends.items() if player in members}
    alone = own.pop(frozenset([player]))
    return np.asarray(sum((value / len(members) for members, value in own.items()), start=alone))


def simulate(
    pieces: Sequence[Piece], weeks: float, scores: Scores
) -> Iterator[tuple[Values, list[Part]]]:
    """Give each task in turn: the hours a year that it takes, and what each of its lines brings.

    Parameters
    ----------
    pieces : sequence of Piece
    weeks : float
        Working weeks a year.
    scores : callable
        The standard normal scores of a stream, by name; any length.
    """
    draws = _Draws(scores)
    for key in dict.fromkeys(piece.key for piece in pieces):
        lines = [piece for piece in pieces if piece.key == key]
        yearly = lines[0].line.people * weeks / 60 * draws.of(lines[0], "eligible_share")
        gross = yearly * draws.of(lines[0], "frequency") * draws.of(lines[0], "minutes")
        joint, parts = draws.dividends(lines, gross), []
        for player, piece in enumerate(lines):
            extra = yearly * draws.of(piece, "new_minutes")
            steps = {name: shapley(dividends, player) for name, dividends in joint.items()}
            steps["new_work"] = extra * draws.of(piece, "adoption") * piece.ramp.mean()
            steps["freed"] = net = steps["kept"] - steps["new_work"]
            steps["recaptured"] = np.where(net > 0, net * draws.of(piece, "recapture"), net)
            parts.append(Part(piece, steps, steps["possible"] - extra))
        yield gross, parts


@dataclass(frozen=True)
class _Draws:
    """The draws of quantities by piece; what many tasks have in common is drawn once."""

    scores: Scores
    shared: dict[object, Values] = field(default_factory=dict)

    def of(self, piece: Piece, name: str) -> Values:
        """Return a quantity of a piece, by its field."""
        stream, distribution = quantity = piece.quantities[name]
        if isinstance(distribution, Fixed):
            return np.asarray(distribution.value)
        if quantity in self.shared:
            return self.shared[quantity]
        drawn = distribution.at(self.scores(stream))
        if name in ("adoption", "decay", "recapture"):
            self.shared[quantity] = drawn
        return drawn

    def dividends(
        self, lines: Sequence[Piece], gross: Values
    ) -> dict[str, dict[frozenset[int], Values]]:
        """Return the dividend of each set of a task's lines, by step."""
        less = [-self.of(piece, "reduction") for piece in lines]
        joint: dict[str, dict[frozenset[int], Values]] = {"possible": {}, "adopted": {}, "kept": {}}
        for size in range(1, len(lines) + 1):
            for members in combinations(range(len(lines)), size):
                together, index = [lines[k] for k in members], frozenset(members)
                possible = -gross * _product([less[k] for k in members])
                used = possible * _product([self.of(piece, "adoption") for piece in together])
                ramp = _product([piece.ramp for piece in together])
                joint["possible"][index] = possible
                joint["adopted"][index] = used * ramp.mean()
                joint["kept"][index] = used * self.lasting(together, ramp)
        return joint

    def lasting(self, members: Sequence[Piece], ramp: Values) -> Values:
        """Return the mean over the months of the ramp and decay of changes together."""
        key = (ramp.tobytes(), *(piece.quantities["decay"] for piece in members))
        if key not in self.shared:
            factor = _product([1 - self.of(piece, "decay") for piece in members]) ** (1 / 12)
            self.shared[key] = power_sum(ramp, factor) / len(ramp)
        return self.shared[key]


def _product(factors: Sequence[Values]) -> Values:
    return np.asarray(math.prod(factors))
