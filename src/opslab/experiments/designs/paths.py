"""The looks at each comparison of a group sequential or always-valid design, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

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
_LEAST, _MOST = (
    1e-12,
    1 - 1e-9,
)  # nominal levels: the least costs the error rate no more than itself
_MORE = 1.001  # times the units of the look before: information has to grow
_FARTHEST = 38.0  # standard errors that a double still tells from others


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


class _Reading(NamedTuple):
    """What a design reads looks by: bounds of the statistic, and p-values that hold at each."""

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
            self.refuse("look_empty", look)
        return compared(self.columns, replace(cut.sums(pair, cut.strata), alpha=alpha))[0]

    def refuse(self, key: str, look: int) -> None:
        """Raise for a look, a key without its area."""
        experiment, values = self.grounds.experiment, {"metric": self.columns.metric.name}
        place = ("looked",) if experiment.looked else ("design", "looks")
        problem = experiment.problem(f"experiments.{key}", *place, day=self.days[look], **values)
        raise SpecError(problem)

    def read(self) -> tuple[Comparison, LookPath]:
        """Return the comparison as the design reads it, and the path of its looks."""
        experiment, metric = self.grounds.experiment, self.columns.metric
        design, primary = experiment.design, metric.role == "primary"
        group, planned = design.method == "group_sequential", self.grounds.planned(self.arm)
        known = [self.at(look, design.alpha) for look in range(len(self.days))]
        units = [sum(comparison.n) for comparison in known]
        least, end = (1 if group else design.smallest or FEWEST), len(units)
        for look, (before, n) in enumerate(zip((0, *units), units, strict=False)):
            if n < _MORE * before or min(known[look].n) < 2:  # noqa: PLR2004 - a variance takes two
                self.refuse("look_same" if n else "look_empty", look)
        path = LookPath(metric.name, self.arm, metric.role, ())
        first = sum(n < least for n in units)
        if first == end:
            return refused(known[-1], "look_early", n=units[-1], count=least), path
        if group and primary:  # once all planned units are there, what comes does not count
            end = next((look for look, n in enumerate(units, 1) if n >= planned), end)
            if end < len(units) and self.days[end] in experiment.looked:
                self.refuse("look_beyond", end)
        last = is_last(experiment, self.days) or units[end - 1] >= planned
        statistics = list(map(_statistic, known[first:end]))
        scale = planned if primary else max(planned, units[end - 1])
        information = [n / scale for n in units[first:end]]
        alpha = design.alpha / (self.grounds.family if primary else 1)
        reading = (
            self.spent(statistics, information, alpha, last=last)
            if group
            else _sequence(statistics, units[first:end], planned, alpha)
        )
        beyond = [abs(z) >= bound for z, bound in zip(statistics, reading.efficacy, strict=True)]
        ended: Literal["", "efficacy", "harm", "futility", "last"] = "last" if last else ""
        if primary and any(beyond):
            crossed = beyond.index(True)
            ended = "efficacy" if statistics[crossed] > 0 else "harm"
            end = first + crossed + 1 if group else end
        elif primary and not last and statistics[-1] < (reading.futility[-1] or -math.inf):
            ended = "futility"
        looks = tuple(
            self.look(look, *of)
            for look, of in enumerate(
                zip(statistics[: end - first], information, *reading, strict=False), first
            )
        )
        read = self.at(end - 1, looks[-1].nominal)
        p_value = None if read.p_value is None else looks[-1].p_value
        read = replace(read, p_value=p_value, harm_p=None)
        if group and primary and ended not in ("", "futility") and read.difference is not None:
            read = self.stopped(read, looks, reading.efficacy, alpha)
        return read, replace(path, looks=looks, ended=ended)

    def spent(
        self, statistics: Sequence[float], information: Sequence[float], alpha: float, *, last: bool
    ) -> _Reading:
        """Return what a group sequential design reads looks by."""
        design = self.grounds.experiment.design
        spending, futility, drift = design.spending or Spending(), None, None
        if design.futility and self.columns.metric.role == "primary":
            futility, count = (design.futility.family, design.futility.exponent), most_looks(design)
            plan = [look / count for look in range(1, int(count) + 1)]
            own = (alpha, spending.family, spending.exponent)
            drift = boundaries(plan, *own, futility=futility, power=design.power).drift
        family, exponent = spending.family, spending.exponent
        found = boundaries(
            information,
            alpha,
            family,
            exponent,
            final=last,
            futility=futility,
            power=design.power,
            drift=drift,
        )
        p_values = [
            repeated_p(
                statistic,
                information[:count],
                family,
                exponent,
                final=last and count == len(information),
            )
            for count, statistic in enumerate(statistics, 1)
        ]
        return _Reading(found.efficacy, found.futility, p_values)

    def look(
        self,
        look: int,
        statistic: float,
        information: float,
        bound: float,
        futility: float | None,
        p_value: float,
    ) -> Look:
        """Return what stood at a look."""
        known = self.at(look, nominal := _nominal(bound))
        return Look(
            self.days[look],
            known.n,
            information,
            statistic,
            bound if math.isfinite(bound) else None,
            futility,
            nominal,
            known.difference,
            *known.difference_interval,
            known.lift,
            *known.lift_interval,
            p_value,
        )

    def stopped(
        self, known: Comparison, looks: Sequence[Look], bounds: Sequence[float], alpha: float
    ) -> Comparison:
        """Return a comparison with what may be said of it after stopping.

        Ends are in units of z: each is read off the interval that reaches just so far to its side.
        """
        seen = [(look.statistic, look.information or 0.0) for look in looks]
        after = after_stopping(*zip(*seen, strict=True), bounds[: len(seen)], alpha)
        sign, statistic = (1 if known.goal == "increase" else -1), looks[-1].statistic
        roots = []
        for effect in (after.median, *sorted((after.low, after.high), key=lambda end: sign * end)):
            reach = sign * (statistic - effect)
            ends = self.at(len(looks) - 1, _nominal(abs(reach)))
            roots.append((ends.difference_interval[reach < 0], ends.lift_interval[reach < 0]))
        (difference, low, high), (lift, lift_low, lift_high) = zip(*roots, strict=True)
        return replace(
            known,
            difference=difference,
            difference_interval=(low, high),
            lift=lift,
            lift_interval=(lift_low, lift_high),
            p_value=after.p_value,
        )


def _sequence(
    statistics: Sequence[float], units: Sequence[int], planned: float, alpha: float
) -> _Reading:
    """Return what an always-valid design reads looks by."""
    seen = zip(statistics, units, strict=True)
    p_values = [always_valid_p(statistic, n, planned, alpha) for statistic, n in seen]
    bounds = [multiplier(n, planned, alpha) for n in units]
    return _Reading(bounds, [None] * len(units), list(accumulate(p_values, min)))


def _statistic(known: Comparison) -> float:
    """Return the normal deviate of a two-sided p-value, signed so that more is better."""
    if known.difference is None or known.p_value is None:
        return 0.0
    sign = math.copysign(1, known.difference) * (1 if known.goal == "increase" else -1)
    return sign * min(-float(ndtri(known.p_value / 2)), _FARTHEST)


def _nominal(bound: float) -> float:
    """Return the two-sided level of a look that is read at a bound."""
    return min(max(2 * float(ndtr(-bound)), _LEAST), _MOST)
