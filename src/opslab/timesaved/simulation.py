"""Hours freed, from draws: what is done, what a change takes away, what comes of it over the months.

For a task H = people x eligible share x times a week x minutes / 60 x working weeks is done in a year. Several
initiatives on one task multiply, H x product of (1 - a_k r_k): 30 % and 30 % free 51 %. The joint figure is
parted by Shapley: multiplied out, it is a sum of one term for each set of initiatives, and a set's term is
shared evenly among its members (Harsanyi 1959).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from opslab.timesaved.inventory import Line
from opslab.timesaved.ramp import power_sum
from opslab.uncertainty.distributions import Distribution, Fixed, Values

Scores = Callable[[str], Values]
STEPS = ("possible", "adopted", "kept", "new_work", "freed", "recaptured")


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


@dataclass(frozen=True)
class Part:
    """What one line brings, in hours a year: a number for each draw.

    Attributes
    ----------
    steps : Mapping of str to array
        ``possible`` (used by all), ``adopted`` (by those who use it, by month), ``kept`` (less decay),
        ``new_work``, ``freed`` (kept less new work), ``recaptured`` (that became work).
    full : array
        Possible, less the new work of all: before adoption, decay and training.
    years : sequence of array
        Freed in each year of the horizon.
    """

    piece: Piece
    steps: Mapping[str, Values]
    full: Values
    years: Sequence[Values]


def shapley(dividends: Mapping[frozenset[int], Values], player: int) -> Values:
    """Return a player's Shapley value: its even share of the dividend of each set it belongs to."""
    return np.asarray(sum(value / len(members) for members, value in dividends.items() if player in members))


def simulate(
    pieces: Sequence[Piece], weeks: float, scores: Scores
) -> Iterator[tuple[Values, Sequence[Part]]]:
    """Give each task in turn: the hours a year that it takes, and what each of its lines brings.

    Parameters
    ----------
    pieces : sequence of Piece
        The lines of a task one after the other.
    weeks : float
        Working weeks a year.
    scores : callable
        The standard normal scores of a stream, by name; any length.
    """
    drawn: dict[tuple[str, Distribution], Values] = {}  # those that many tasks share

    def value(piece: Piece, name: str) -> Values:
        stream, distribution = piece.quantities[name]
        if isinstance(distribution, Fixed):
            return np.asarray(distribution.value)
        if name not in ("adoption", "decay", "recapture"):
            return distribution.at(scores(stream))
        key = stream, distribution
        if key not in drawn:
            drawn[key] = distribution.at(scores(stream))
        return drawn[key]

    for key in dict.fromkeys(piece.key for piece in pieces):
        lines = [piece for piece in pieces if piece.key == key]
        people = lines[0].line.people * value(lines[0], "eligible_share")
        yearly = people * (weeks / 60)
        gross = yearly * value(lines[0], "frequency") * value(lines[0], "minutes")
        yield gross, _parts(lines, people, yearly, gross, value)


def _parts(
    lines: Sequence[Piece], people: Values, yearly: Values, gross: Values, value: Callable[[Piece, str], Values]
) -> list[Part]:
    months = len(lines[0].ramp)
    years = [slice(start, min(start + 12, months)) for start in range(0, months, 12)]
    factors = [(1 - value(piece, "decay")) ** (1 / 12) for piece in lines]
    adoptions = [value(piece, "adoption") for piece in lines]
    possible, adopted = {}, {}
    kept: list[dict[frozenset[int], Values]] = [{} for _ in years]
    reductions = [value(piece, "reduction") for piece in lines]
    for size in range(1, len(lines) + 1):
        for members in map(frozenset, combinations(range(len(lines)), size)):
            one = -gross * math.prod((-reductions[k] for k in members), start=np.asarray(1.0))
            used = one * math.prod((adoptions[k] for k in members), start=np.asarray(1.0))
            ramp = np.prod([lines[k].ramp for k in members], axis=0)
            factor = math.prod((factors[k] for k in members), start=np.asarray(1.0))
            possible[members], adopted[members] = one, used * ramp.mean()
            for place, year in enumerate(years):
                weight = power_sum(ramp[year], factor) * factor ** (12 * place)
                kept[place][members] = used * weight / (year.stop - year.start)
    parts = []
    for k, piece in enumerate(lines):
        line, extra = piece.line, yearly * value(piece, "new_minutes")
        training = people * adoptions[k] * line.training_hours
        freed = [
            shapley(kept[place], k) - extra * adoptions[k] * piece.ramp[year].mean()
            for place, year in enumerate(years)
        ]
        freed[0] = freed[0] - training * (12 / (years[0].stop - years[0].start))
        share = [(year.stop - year.start) / months for year in years]
        steps = {
            "possible": shapley(possible, k),
            "adopted": shapley(adopted, k),
            "kept": np.asarray(sum(w * shapley(one, k) for w, one in zip(share, kept, strict=True))),
            "new_work": extra * adoptions[k] * piece.ramp.mean() + training * (12 / months),
        }
        net = steps["kept"] - steps["new_work"]
        steps |= {"freed": net, "recaptured": np.where(net > 0, net * value(piece, "recapture"), net)}
        parts.append(Part(piece, steps, steps["possible"] - extra, freed))
    return parts
