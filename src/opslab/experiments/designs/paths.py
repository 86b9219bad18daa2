"""The looks at each comparison of a group sequential or always-valid design, and what they say."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Literal

from scipy.special import ndtr, ndtri

from opslab.errors import SpecError
from opslab.experiments.design import Spending
from opslab.experiments.designs.looks import Days, is_last, most_looks, waiting
from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.comparisons import refused
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.result import Comparison, Look, LookPath
from opslab.experiments.sequential.boundaries import boundaries
from opslab.experiments.sequential.confidence_sequence import always_valid_p, multiplier
from opslab.experiments.sequential.stopping import after_stopping, repeated_p

FEWEST = 500
"""Units of a pair from which on a confidence sequence speaks, where the plan says nothing."""
_LEAST, _MOST = 1e-12, 1 - 1e-9  # nominal levels: the least costs the error rate no more than itself
_FARTHEST = 38.0  # standard errors that a double still tells from others
Ended = Literal["", "efficacy", "harm", "futility", "last"]


def paths(
    grounds: Grounds, days: Days, count: int | None = None
) -> list[tuple[Comparison, LookPath]]:
    """Return each comparison as its design reads it at its last look, with the looks before.

    With ``count`` it is read at the last of so many looks.

    Raises
    ------
    SpecError
        When no unit counted by a look, none came in between two, or the plan had been reached.
    """
    return [
        _Pair(grounds, columns, arm, days[:count]).read()
        for columns in grounds.metrics.values()
        for arm in grounds.arms
        if arm != grounds.control
    ]


@dataclass(frozen=True)
class _Bounds:
    """What a design reads each look by: bounds of the statistic, and its p-values."""

    efficacy: Sequence[float]
    futility: Sequence[float | None]
    p_values: Sequence[float]


@dataclass(frozen=True)
class _Pair:
    """One metric in one arm and the control, at every look."""

    grounds: Grounds
    columns: MetricColumns
    arm: str
    days: Days

    @cached_property
    def cuts(self) -> list[Grounds]:
        """What is known at each look: of the units whose values were fixed by then."""
        wait = waiting(self.grounds.experiment.design, self.columns.metric)
        return [
            self.grounds.until(day - wait) if day and self.grounds.days else self.grounds
            for day in self.days
        ]

    def at(self, look: int, alpha: float) -> Comparison:
        """Return the comparison at a look, its intervals at level 1 - alpha."""
        cut = self.cuts[look]
        pair = {name: cut.arms[name] for name in cut.arms if name in (self.arm, cut.control)}
        if len(pair) < 2:  # noqa: PLR2004 - an arm and the control
            self._refuse("look_empty", look)
        sums = replace(cut.sums(pair, cut.strata), alpha=alpha)
        return compared(self.columns, sums)[0]

    def read(self) -> tuple[Comparison, LookPath]:
        """Return the comparison as the design reads it, and the path of its looks."""
        design, metric = self.grounds.experiment.design, self.columns.metric
        primary, group = metric.role == "primary", design.method == "group_sequential"
        known = [self.at(look, design.alpha) for look in range(len(self.days))]
        units = [sum(comparison.n) for comparison in known]
        planned, last = self.grounds.planned(self.arm), is_last(self.grounds.experiment, self.days)
        first = 0 if group else next(
            (at for at, n in enumerate(units) if n >= (design.smallest or FEWEST)), len(units)
        )
        path = LookPath(metric.name, self.arm, metric.role, ())
        if first == len(units):
            values = {"n": units[-1], "count": design.smallest or FEWEST}
            return refused(known[-1], "look_early", **values), path
        self._refuse_standing(known[first:], first)
        end = len(units)
        if group and primary:  # reached: what came after it does not count
            end = next((at + 1 for at, n in enumerate(units) if n >= planned), end)
        units, last = units[first:end], last or units[end - 1] >= planned
        statistics = [_statistic(comparison) for comparison in known[first:end]]
        if group and not primary:
            planned = max(planned, units[-1])
        information = [n / planned for n in units]
        alpha = design.alpha / (self.grounds.family if primary else 1)
        bounds = (
            self._spending(statistics, information, alpha, last=last)
            if group
            else _sequence(statistics, units, planned, alpha)
        )
        crossed = (abs(z) >= bound for z, bound in zip(statistics, bounds.efficacy, strict=True))
        beyond = next((at for at, over in enumerate(crossed) if over), None)
        ended: Ended = "last" if last else ""
        if primary and beyond is not None:
            ended = "efficacy" if statistics[beyond] > 0 else "harm"
            end = first + beyond + 1 if group else end
        elif primary and not last and statistics[-1] < (bounds.futility[-1] or -math.inf):
            ended = "futility"
        count = end - first
        looks = tuple(
            self._look(first + at, statistics[at], information[at], bounds, at)
            for at in range(count)
        )
        read = self._read(end - 1, looks[-1])
        if group and primary and ended in ("efficacy", "harm", "last"):
            seen = (statistics[:count], information[:count], bounds.efficacy[:count])
            read = self._stopped(read, end - 1, after_stopping(*seen, alpha), statistics[count - 1])
        return read, replace(path, looks=looks, ended=ended)

    def _spending(
        self, statistics: Sequence[float], information: Sequence[float], alpha: float, *, last: bool
    ) -> _Bounds:
        design = self.grounds.experiment.design
        spending, family, drift = design.spending or Spending(), None, None
        own = spending.family, spending.exponent
        if design.futility and self.columns.metric.role == "primary":
            family = (design.futility.family, design.futility.exponent)
            count = int(most_looks(design))
            shares = [(look + 1) / count for look in range(count)]
            drift = boundaries(
                shares, alpha, *own, futility=family, power=design.power
            ).drift
        found = boundaries(
            information,
            alpha,
            *own,
            final=last,
            futility=family,
            power=design.power if family else None,
            drift=drift,
        )
        p_values = [
            repeated_p(
                statistic, information[: at + 1], *own, final=last and at == len(information) - 1
            )
            for at, statistic in enumerate(statistics)
        ]
        return _Bounds(found.efficacy, found.futility, p_values)

    def _look(
        self, look: int, statistic: float, information: float, bounds: _Bounds, at: int
    ) -> Look:
        bound = bounds.efficacy[at]
        nominal = _nominal(bound)
        known = self.at(look, nominal)
        return Look(
            self.days[look],
            known.n,
            information,
            statistic,
            bound if math.isfinite(bound) else None,
            bounds.futility[at],
            nominal,
            known.difference,
            *known.difference_interval,
            known.lift,
            *known.lift_interval,
            bounds.p_values[at],
        )

    def _read(self, look: int, last: Look) -> Comparison:
        known = self.at(look, last.nominal)
        return replace(known, p_value=None if known.p_value is None else last.p_value, harm_p=None)

    def _stopped(
        self,
        known: Comparison,
        look: int,
        ends: tuple[float, float, float, float],
        statistic: float,
    ) -> Comparison:
        """Return a comparison with what may be said of it after stopping.

        Ends are in units of z: each is read off the interval that reaches just so far to its side.
        """
        if known.difference is None:
            return known
        p_value, median, *sides = ends
        sign = 1 if known.goal == "increase" else -1
        low, high = sorted(sign * side for side in sides)
        roots = [self._root(look, sign * statistic - end) for end in (sign * median, low, high)]
        (difference, *interval), (lift, *lifts) = zip(*roots, strict=True)
        return replace(
            known,
            difference=difference,
            difference_interval=tuple(interval),
            lift=lift,
            lift_interval=tuple(lifts),
            p_value=p_value,
        )

    def _root(self, look: int, reach: float) -> tuple[float | None, float | None]:
        """Return the estimate less so many of its errors, and the lift that belongs to it."""
        known = self.at(look, _nominal(abs(reach)))
        side = reach < 0
        return known.difference_interval[side], known.lift_interval[side]

    def _refuse_standing(self, known: Sequence[Comparison], first: int) -> None:
        """Raise for a look by which nothing counted, or nothing more than before."""
        before = 0
        for look, comparison in enumerate(known, first):
            if min(comparison.n) < 2:  # noqa: PLR2004 - a variance takes two
                self._refuse("look_empty", look)
            if sum(comparison.n) <= before:
                self._refuse("look_same", look)
            before = sum(comparison.n)

    def _refuse(self, key: str, look: int) -> None:
        experiment, values = self.grounds.experiment, {"metric": self.columns.metric.name}
        place = ("looked",) if experiment.looked else ("design", "looks")
        day = self.days[look]
        raise SpecError(experiment.problem(f"experiments.{key}", *place, day=day, **values))


def _sequence(
    statistics: Sequence[float], units: Sequence[int], planned: float, alpha: float
) -> _Bounds:
    p_values = [
        always_valid_p(statistic, n, planned, alpha)
        for statistic, n in zip(statistics, units, strict=True)
    ]
    bounds = [multiplier(n, planned, alpha) for n in units]
    return _Bounds(bounds, [None] * len(units), list(accumulate(p_values, min)))


def _statistic(known: Comparison) -> float:
    """Return the normal deviate of a two-sided p-value, signed so that more is better."""
    if known.difference is None or known.p_value is None:
        return 0.0
    sign = math.copysign(1, known.difference) * (1 if known.goal == "increase" else -1)
    return sign * min(-float(ndtri(known.p_value / 2)), _FARTHEST)


def _nominal(bound: float) -> float:
    """Return the two-sided level of a look that is read at a bound."""
    return min(max(2 * float(ndtr(-bound)), _LEAST), _MOST)
