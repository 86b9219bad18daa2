"""What an analysis stands on: the sums of every metric in every arm, whole and in parts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from opslab.experiments.checks.rules import CERTAIN
from opslab.experiments.inference.metric_columns import MetricColumns, caps, metric_columns
from opslab.experiments.inference.segments import refuse_many_levels
from opslab.experiments.moments.arm_moments import Arms, Levels
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import ArmSummary
from opslab.experiments.spec import Experiment
from opslab.experiments.units.refusals import arms_of, refuse_missing
from opslab.experiments.units.trigger import Triggered, collect_triggered
from opslab.experiments.units.unit_table import UnitTable
from opslab.tables.source import quoted


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
        The same within each stratum, and by day.
    segments : mapping
        By segment column, the same by level.
    """

    experiment: Experiment
    units: UnitTable
    triggered: Triggered | None
    metrics: Mapping[str, MetricColumns]
    arms: Arms
    strata: Levels | None
    days: Levels | None
    segments: Mapping[str, Levels]

    @property
    def control(self) -> str:
        """The control arm, as it is among the arms."""
        return self.experiment.arms.shown(self.experiment.arms.control)

    @property
    def weights(self) -> dict[str, float]:
        """The designed weight of each arm."""
        weights = self.experiment.arms.weights
        return {name: weights[name] if weights else 1.0 for name in self.arms}

    @property
    def summaries(self) -> tuple[ArmSummary, ...]:
        """The units of each arm, and the share that the design gave it."""
        counts = self.triggered.units if self.triggered else self.unit_counts(self.arms)
        weights = self.weights
        return tuple(
            ArmSummary(name, counts[name], weight / sum(weights.values()))
            for name, weight in weights.items()
        )

    def known_until(self, as_of: datetime.date | None) -> datetime.date | None:
        """Return the readout's day, or that of the last unit where the days after it are missing.

        They are where that many days would have brought units all but surely, at the pace before.
        """
        period = self.experiment.period
        seen = [datetime.date.fromisoformat(day) for day in self.days or {} if day is not None]
        if not seen or period is None or period.start is None or period.end is None:
            return as_of
        last, end = max(seen), min(as_of or period.end, period.end)
        units = sum(self.unit_counts(self.arms).values())
        expected = units / ((last - period.start).days + 1) * (end - last).days
        return last if expected > CERTAIN else as_of

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
    segments = {name: f"CAST({quoted(name)} AS VARCHAR)" for name in experiment.segments}
    refuse_many_levels(units, experiment.segments)
    dimensions = [sql for sql in (units.strata, units.day, *segments.values()) if sql]
    dimensions = list(dict.fromkeys(dimensions))
    joints = [joint for columns in metrics.values() for joint in columns.joints]
    counted = [Column(units.counted)] if units.counted else []
    collected = collect_by(table, units.arm, counted, units.where, joints, dimensions)
    arms = arms_of(experiment, units, collected.whole)
    refuse_missing(experiment, table, arms, metrics)
    levels: dict[str | None, Levels] = {
        sql: {
            level: {name: labelled[name] for name in arms if name in labelled}
            for level, labelled in inside.items()
        }
        for sql, inside in zip(dimensions, collected.levels, strict=True)
    }
    return Grounds(
        experiment,
        units,
        triggered,
        metrics,
        arms,
        levels.get(units.strata),
        levels.get(units.day),
        {name: levels[sql] for name, sql in segments.items()},
    )
