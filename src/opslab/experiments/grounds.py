"""What an analysis stands on: the sums of every metric in every arm, whole and in parts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from opslab.experiments.checks.influence import Pair
from opslab.experiments.checks.rules import CERTAIN
from opslab.experiments.checks.sample_ratio import Split, sample_ratio_over
from opslab.experiments.designs.looks import waiting
from opslab.experiments.inference.metric_columns import MetricColumns, caps, metric_columns
from opslab.experiments.inference.metric_comparisons import ArmSums
from opslab.experiments.moments.arm_moments import Arms, Collected, Levels, merge_levels
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import ArmSummary
from opslab.experiments.spec import Experiment
from opslab.experiments.units.refusals import arms_of, refuse_many_levels, refuse_missing
from opslab.experiments.units.trigger import Triggered, collect_triggered
from opslab.experiments.units.unit_table import UnitTable
from opslab.tables.source import literal, quoted

_BREAK, _EMPTY = "\x1f", "\x1e"  # between a stratum and a segment, and for an empty one

Segments = Mapping[str, Mapping[str | None, Levels]]
"""By segment column and its level, the arms within each stratum."""


_FLOW = 0.05  # of the usual units of a day: fewer are strays
_LESS = 0.1  # of its units: a last look that lacks no more of them is one


@dataclass(frozen=True)
class Grounds:
    """What an analysis stands on.

    Attributes
    ----------
    experiment : Experiment
    units : UnitTable
        With a trigger only those that met the change.
    triggered : Triggered or None
    metrics : mapping
        The columns that are summed for each metric, by its name.
    arms : mapping
        The sums of each arm, in the spec's order.
    strata, days : mapping or None
        The same within each stratum (a phase is one, or begins its name), and by day.
    segments : mapping
        By segment column and level, the same within each stratum; None stands for no strata.
    nominal : float or None
        Of a design that is looked at on the way: the level at which its last look is read.
    ends : datetime.date or None
        Of such a design: the day with which its data ends, before that of the readout.
    """

    experiment: Experiment
    units: UnitTable
    triggered: Triggered | None
    metrics: Mapping[str, MetricColumns]
    arms: Arms
    strata: Levels | None
    days: Levels | None
    segments: Segments
    nominal: float | None = None
    ends: datetime.date | None = None

    @property
    def control(self) -> str:
        """The control arm, as it is among the arms."""
        return self.experiment.arms.shown(self.experiment.arms.control)

    @property
    def alpha(self) -> float:
        """The error rate at which intervals are read: the design's, or that of its last look."""
        return self.nominal or self.experiment.design.alpha

    @property
    def family(self) -> int:
        """The number of comparisons that decide: primary metrics times arms but the control."""
        primaries = sum(metric.role == "primary" for metric in self.experiment.metrics)
        return primaries * (len(self.arms) - 1)

    def planned(self, arm: str) -> float:
        """Return the planned units of an arm and the control together."""
        units, weights = self.experiment.design.units or 0, self.weights
        return units * (weights[arm] + weights[self.control]) / sum(weights.values())

    def until(self, day: datetime.date) -> Grounds:
        """Return the same of the units that came in up to a day."""
        known = (self.days or {}).items()
        days: Levels = {key: arms for key, arms in known if key and key <= str(day)}
        arms = merge_levels(days)
        where = f"({self.units.where}) AND {self.units.day} <= {literal(str(day))}"
        return replace(
            self,
            units=replace(self.units, where=where),
            arms={name: arms[name] for name in self.arms if name in arms},
            strata=self.strata and self.by_phase(arms, days),
            days=days,
        )

    @property
    def everybody(self) -> tuple[Arms, Levels | None]:
        """The sums of all units, and by day; with a trigger also of those that did not meet it."""
        if self.triggered:
            return self.triggered.arms, self.triggered.days
        return self.arms, self.days

    @property
    def weights(self) -> dict[str, float]:
        """The designed weight of each arm; with phases the share that they gave it."""
        if not self.experiment.phases:
            return self._weights_in(None)
        expected = sample_ratio_over(self.splits(*self.everybody)).expected
        return dict(zip(self.arms, np.array(expected) / sum(expected), strict=True))

    @property
    def summaries(self) -> tuple[ArmSummary, ...]:
        """The units of each arm, and the share that the design gave it."""
        counts, weights = self.unit_counts(self.everybody[0]), self.weights
        return tuple(
            ArmSummary(name, counts[name], float(weight / sum(weights.values())))
            for name, weight in weights.items()
        )

    @cached_property
    def pairs(self) -> dict[tuple[str, str], Pair]:
        """By metric and arm: the pairs that few units can move, where no cap keeps them from it."""
        if self.units.moments:
            return {}
        return {
            (name, arm): Pair(self.units, columns, self.arms, (arm, self.control), self.alpha)
            for name, columns in self.metrics.items()
            if columns.metric.outliers and columns.uncapped is None
            for arm in self.arms
            if arm != self.control
        }

    @property
    def wait(self) -> datetime.timedelta:
        """How long, at least, a unit of a design with looks waits until it counts."""
        design, metrics = self.experiment.design, self.experiment.metrics
        waits = [waiting(design, known) for known in metrics if known.role == "primary"]
        return datetime.timedelta(0) if design.method == "fixed" else min(waits)

    def known_until(self, as_of: datetime.date | None) -> datetime.date | None:
        """Return the readout's day, or that of the last unit where the days after it are missing.

        They are where these weekdays would have brought units all but surely; of a design with
        looks a tenth of its units, in days whose units would count, unless it has all of them, or
        the look was written down.
        """
        period, design = self.experiment.period, self.experiment.design
        by_day = self.units.came or {
            day: sum(self.unit_counts(arms).values())
            for day, arms in (self.days or {}).items()
            if day is not None
        }
        came = {datetime.date.fromisoformat(day): n for day, n in by_day.items()}
        finer = self.units.finer is not None  # days of rows are not those of exposure
        if finer or not came or not period or not period.start or not period.end:
            return as_of
        units, fixed = sum(came.values()), design.method == "fixed"
        if as_of in self.experiment.looked or units >= (design.units or np.inf):
            return as_of
        last = max(day for day, count in came.items() if count >= _FLOW * units / len(came))
        end = min(as_of - self.wait if as_of else period.end, period.end)
        least = CERTAIN if fixed else max(CERTAIN, _LESS * units)
        ended = _expected(came, period.start, last, end) > least
        missing = {last} if ended else set[datetime.date]()
        horizon = None if fixed or not self.units.events else self.units.horizon
        if horizon and self.units.events and as_of:
            events = self.units.events.rows / ((horizon - period.start).days + 1)
            missing |= {horizon} if events * (as_of - horizon).days > CERTAIN else set()
        return min(missing, default=as_of)

    def sums(self, arms: Arms, strata: Levels | None = None) -> ArmSums:
        """Return what comparisons are made of, from the sums of arms and within strata."""
        return ArmSums(arms, self.control, self.alpha, strata, self.units)

    def by_phase(self, arms: Arms, levels: Levels | None) -> Levels:
        """Return sums by the first day of their phase, from those by day or stratum.

        Without phases all of the arms are given under None.
        """
        if not self.experiment.phases:
            return {None: arms}
        phases: dict[str | None, dict[str | None, Arms]] = {}
        for level, inside in (levels or {}).items():
            start = self.experiment.phase_of(level)
            if start is not None:  # a unit without a stratum lies in none
                phases.setdefault(start, {})[level] = inside
        return {start: merge_levels(inside) for start, inside in phases.items()}

    def splits(self, arms: Arms, levels: Levels | None) -> list[Split]:
        """Return the units of each arm in each phase, and the weights that it gave them.

        The parameters are those of `by_phase`.
        """
        return [
            ([counts.get(name, 0) for name in self.arms], list(self._weights_in(start).values()))
            for start, inside in self.by_phase(arms, levels).items()
            for counts in [self.unit_counts(inside)]
        ]

    def _weights_in(self, start: str | None) -> dict[str, float]:
        """Return the designed weights in the phase that starts on a day."""
        phases = dict(zip(self.experiment.starts, self.experiment.phases, strict=True))
        weights = phases[start].weights if start else self.experiment.arms.weights
        return {name: weights[name] if weights else 1.0 for name in self.arms}

    def unit_counts(self, arms: Arms) -> dict[str, int]:
        """Return the units of each arm: its rows, or with totals the sum of what they count."""
        if self.units.counted is None:
            return {name: arm.rows for name, arm in arms.items()}
        column = Column(self.units.counted)
        sums = {name: arm.moments[column] for name, arm in arms.items()}
        return {name: round(moments.n * moments.mean) for name, moments in sums.items()}


def collect_grounds(experiment: Experiment, units: UnitTable) -> Grounds:
    """Sum every metric in every arm, in one pass over the units.

    Raises
    ------
    DataError
        When arms or values are not those that the spec declares.
    """
    triggered = None
    if experiment.trigger:
        triggered, units = collect_triggered(experiment, units)
    table, within = units.table, units.strata is not None
    capped = caps(units.metrics, table, units.where)
    metrics = {
        metric.name: metric_columns(metric, capped.get(metric.name), within=within)
        for metric in units.metrics
    }
    segments = {name: _segment(name, units.strata) for name in experiment.segments}
    refuse_many_levels(units, experiment.segments)
    dimensions = [sql for sql in (units.strata, units.day, *segments.values()) if sql]
    dimensions = list(dict.fromkeys(dimensions))
    joints = [joint for columns in metrics.values() for joint in columns.joints]
    counted = [Column(units.counted)] if units.counted else []
    collected = Collected(units.moments or {})
    if units.moments is None:
        collected = collect_by(table, units.arm, counted, units.where, joints, dimensions)
    arms = arms_of(experiment, units, collected.whole)
    refuse_missing(experiment, table, arms, metrics)
    levels = collected.inside(dimensions, arms)
    return Grounds(
        experiment,
        units,
        triggered,
        metrics,
        arms,
        levels.get(units.strata),
        levels.get(units.day),
        {name: _within(levels[sql], units.strata) for name, sql in segments.items()},
    )


def _segment(name: str, strata: str | None) -> str:
    """Return SQL of a unit's segment, within strata behind its stratum; empty without one."""
    segment = f"CAST({quoted(name)} AS VARCHAR)"
    if strata is None:
        return segment
    return f"{strata} || {literal(_BREAK)} || coalesce({segment}, {literal(_EMPTY)})"


def _within(levels: Levels, strata: str | None) -> Mapping[str | None, Levels]:
    """Return what was found by segment, and within it by stratum."""
    if strata is None:
        return {level: {None: arms} for level, arms in levels.items()}
    segments: dict[str | None, dict[str | None, Arms]] = {}
    for pair, arms in levels.items():
        if pair is not None:  # a unit without a stratum is compared with none
            stratum, segment = pair.split(_BREAK, maxsplit=1)
            segments.setdefault(None if segment == _EMPTY else segment, {})[stratum] = arms
    return dict(sorted(segments.items(), key=lambda item: (item[0] is not None, item[0] or "")))


def _expected(
    came: Mapping[datetime.date, int],
    start: datetime.date,
    last: datetime.date,
    end: datetime.date,
) -> float:
    """Return the units to be expected after the last day, by what its weekday brought."""
    day, seen = datetime.timedelta(days=1), (last - start).days + 1
    counts = np.array([came.get(start + day * order, 0) for order in range(seen)])
    by_weekday = [counts[order::7].mean() if order < seen else counts.mean() for order in range(7)]
    return float(sum(by_weekday[order % 7] for order in range(seen, (end - start).days + 1)))
