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
from opslab.experiments.course import Look, LookPath
from opslab.experiments.design import Spending
from opslab.experiments.designs.looks import Days, is_last, most_looks, waiting
from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.comparisons import bare, refused
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.result import Comparison
from opslab.experiments.sequential.boundaries import boundaries
from opslab.experiments.sequential.confidence_sequence import always_valid_p, multiplier
from opslab.experiments.sequential.stopping import after_stopping, repeated_p

FEWEST = 500
"""Units of a pair from which on a confidence sequence speaks, where the plan says nothing."""
LEAST, _MOST = (
    1e-12,
    1 - 1e-9,
)  # nominal levels: the least costs the error rate no more than itself
MORE = 1.001  # times the units of the look before: information has to grow
_FARTHEST = 38.0  # standard errors that a double still tells from others


def paths(
    grounds: Grounds, days: Days, count: int | None = None
) -> list[tuple[Comparison, LookPath]]:
    """Return each comparison as its design reads it at its last look, with the looks before.

    With ``count`` it is read at the last of so many looks.

    Raises
    ------
    SpecError
        When no unit counted by a look, or the planned ones had been reached before it.
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
        return compared(self.columns, replace(cut.sums(pair, cut.strata), alpha=alpha))[0]

    def counted(self, look: int) -> int:
        """Return the values that counted by a look; refuse one by which none of a primary did.

        So is the last look of any other metric, which may have to wait longer.
        """
        arms, joint = self.cuts[look].arms, self.columns.joint
        names = (self.arm, self.grounds.control)
        pair = [arms[name].cross(joint).n if name in arms else 0 for name in names]
        if min(pair) >= 2:  # noqa: PLR2004 - a variance takes two
            return sum(pair)
        if self.columns.metric.role == "primary" or look == len(self.days) - 1:
            self.refuse("look_empty", look)
        return 0

    def refuse(self, key: str, look: int) -> None:
        """Raise for a look, a key without its area."""
        experiment, values = self.grounds.experiment, {"metric": self.columns.metric.name}
        field = ("looked",) if experiment.looked else ("design", "looks")
        problem = experiment.problem(f"experiments.{key}", *field, day=self.days[look], **values)
        raise SpecError(problem)

    def read(self) -> tuple[Comparison, LookPath]:
        """Return the comparison as the design reads it, and the path of its looks."""
        experiment, metric = self.grounds.experiment, self.columns.metric
        design, primary = experiment.design, metric.role == "primary"
        group, planned = design.method == "group_sequential", self.grounds.planned(self.arm)
        known, path = dict[int, Comparison](), LookPath(metric.name, self.arm, metric.role, ())
        units = dict[int, int]()
        for look in range(len(self.days)):  # one by which no more units counted says nothing new
            if self.counted(look) > MORE * max(units.values(), default=0):
                known[look] = self.at(look, design.alpha)
                units[look] = sum(known[look].n)
        least = 1 if group else design.smallest or FEWEST
        at = [look for look, n in units.items() if n >= least]
        if not at:
            early = {"n": max(units.values()), "count": least}
            return refused(bare(known[max(known)]), "look_early", **early), path
        if group and primary:  # once all planned units are there, what comes does not count
            over = next((order for order, look in enumerate(at, 1) if units[look] >= planned), None)
            beyond = at[over:] if over else []
            if beyond and self.days[beyond[0]] in experiment.looked:
                self.refuse("look_beyond", beyond[0])
            at = at[:over]
        last = is_last(experiment, self.days) or units[at[-1]] >= planned
        statistics = [_statistic(known[look]) for look in at]
        scale = planned if primary else max(planned, units[at[-1]])
        information = [units[look] / scale for look in at]
        alpha = design.alpha / (self.grounds.family if primary else 1)
        reading = (
            self.spent(statistics, information, alpha, last=last)
            if group
            else _sequence(statistics, [units[look] for look in at], planned, alpha)
        )
        crossed = [abs(z) >= bound for z, bound in zip(statistics, reading.efficacy, strict=True)]
        ended: Literal["", "efficacy", "harm", "futility", "last"] = "last" if last else ""
        if primary and any(crossed):
            order = crossed.index(True)
            ended = "efficacy" if statistics[order] > 0 else "harm"
            at = at[: order + 1] if group else at
        elif primary and not last and statistics[-1] < (reading.futility[-1] or -math.inf):
            ended = "futility"
        looks = tuple(
            self.look(*of) for of in zip(at, statistics, information, *reading, strict=False)
        )
        read = self.at(at[-1], looks[-1].nominal)
        p_value = None if read.p_value is None else looks[-1].p_value
        read = replace(read, p_value=p_value, harm_p=None)
        if group and primary and ended not in ("", "futility") and read.difference is not None:
            read = self.stopped(read, at[-1], looks, reading.efficacy, alpha)
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
        bounds = boundaries(
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
        return _Reading(bounds.efficacy, bounds.futility, p_values)

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
        self,
        known: Comparison,
        look: int,
        looks: Sequence[Look],
        bounds: Sequence[float],
        alpha: float,
    ) -> Comparison:
        """Return a comparison with what may be said of it after stopping.

        Ends are in units of z: each is read off the interval that reaches just so far to its side.
        """
        statistics, shares = zip(*((of.statistic, of.information) for of in looks), strict=True)
        after = after_stopping(statistics, shares, bounds[: len(looks)], alpha)
        sign, statistic = (1 if known.goal == "increase" else -1), looks[-1].statistic
        roots = []
        for effect in (after.median, *sorted((after.low, after.high), key=lambda end: sign * end)):
            reach = sign * (statistic - effect)
            ends = self.at(look, _nominal(abs(reach)))
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
    return min(max(2 * float(ndtr(-bound)), LEAST), _MOST)
