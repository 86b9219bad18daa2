"""The effect on triggered units, diluted to all: what shipping changes overall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf
from typing import NamedTuple

from opslab.errors import DataError
from opslab.experiments.course import Effect
from opslab.experiments.inference.comparisons import effect, inferred
from opslab.experiments.inference.covariates import Contrast
from opslab.experiments.inference.metric_columns import metric_columns
from opslab.experiments.moments.arm_moments import (
    ArmMoments,
    Arms,
    Levels,
    Moments,
    merge,
)
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import problem, refuse_rows, value_sql
from opslab.experiments.result import Comparison
from opslab.experiments.spec import Experiment
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message


class Cell(NamedTuple):
    """What is known of a stratum, or of all units where there are no strata.

    Attributes
    ----------
    met : int
        Triggered units of both arms.
    units : int
        All units of both arms.
    control : Moments or None
        Of the control's triggered units; None where there is none.
    all_control : Moments
        Of all of the control's units.
    """

    met: int
    units: int
    control: Moments | None
    all_control: Moments


def diluted(comparison: Comparison, cells: Sequence[Cell], alpha: float) -> Effect | None:
    """Give the effect on all units of a change that only the triggered ones could meet.

    It is the trigger rate r times the triggered effect d, with variance r^2 Var(d) + d^2 r (1 - r)
    / N; the lift is relative to the mean of all units of the control, with strata weighed by their
    share of all units. A stratum with a single unit has the spread of the whole.

    Parameters
    ----------
    comparison : Comparison
        Over the triggered units.
    cells : sequence of Cell
        The strata that hold units of both arms.
    alpha : float

    Returns
    -------
    Effect or None
        None without a standard error.

    Sources
    -------
    Deng and Hu (2015), section 3: the diluted effect of a trigger analysis.
    """
    if comparison.difference is None or comparison.standard_error is None:
        return None
    met, units = (sum(counts) for counts in list(zip(*cells, strict=True))[:2])
    rate, freedom = met / units, comparison.degrees_of_freedom or inf
    difference = rate * comparison.difference
    variance = (rate * comparison.standard_error) ** 2
    variance += comparison.difference**2 * rate * (1 - rate) / units
    whole = reduce(merge, (cell.all_control for cell in cells))
    mean = mean_variance = covariance = 0.0
    # The adjusted difference shares with the control's mean what covariates left of its variance.
    left = 1 - (comparison.variance_reduction or 0.0)
    for cell in cells:
        n, share = cell.all_control.n, cell.units / units
        mean += share * cell.all_control.mean
        mean_variance += share**2 * _spread(cell.all_control, whole) / n
        if cell.control is not None and met:
            own = _spread(cell.control, whole) * left
            covariance -= rate * cell.met / met * share * own / n
    estimates = Contrast((mean, mean), difference, variance, mean_variance, covariance, freedom)
    overall = effect(inferred(comparison, estimates, 1 - alpha, ""))
    return replace(overall, p_value=comparison.p_value)


def _spread(moments: Moments, whole: Moments) -> float:
    return moments.variance if moments.n > 1 else whole.variance


@dataclass(frozen=True)
class Triggered:
    """Which units met the change, out of all of them.

    Attributes
    ----------
    trigger : Column
        1 for those that met it.
    columns : mapping
        Column of each metric that can be diluted, by its name.
    arms : mapping
        The sums of all units, by arm.
    strata : mapping
        The same within each stratum; all of them under None where there are no strata.
    days : mapping or None
        The same by day.
    """

    trigger: Column
    columns: Mapping[str, Column]
    arms: Arms
    strata: Levels
    days: Levels | None

    def met(self, arm: ArmMoments) -> int:
        """Return the triggered units among those that were summed."""
        return round(arm.moments[self.trigger].mean * arm.rows)

    @property
    def rate(self) -> float:
        """Share of the units that were triggered."""
        arms = self.arms.values()
        return sum(map(self.met, arms)) / sum(arm.rows for arm in arms)

    def diluted(self, comparison: Comparison, inside: Levels, alpha: float) -> Comparison:
        """Return a comparison with its diluted effect beside it, or why there is none.

        Parameters
        ----------
        comparison : Comparison
        inside : mapping
            The triggered units' sums, as in ``strata``.
        alpha : float
        """
        column = self.columns.get(comparison.metric)
        if column is None:
            note = Message("experiments.form_trigger")
            return replace(comparison, notes=(*comparison.notes, note))
        cells = []
        for stratum, arms in self.strata.items():
            pair = [arms[name] for name in (comparison.arm, comparison.control) if name in arms]
            if len(pair) > 1 and pair[1].moments[column].n:
                known = inside.get(stratum, {}).get(comparison.control)
                control = known.moments[column] if known and known.moments[column].n else None
                met, units = sum(map(self.met, pair)), sum(side.rows for side in pair)
                cells.append(Cell(met, units, control, pair[1].moments[column]))
        return replace(comparison, diluted=diluted(comparison, cells, alpha))


def collect_triggered(experiment: Experiment, units: UnitTable) -> tuple[Triggered, UnitTable]:
    """Return which units met the change, and these units alone.

    Raises
    ------
    DataError
        When the column is not 0 and 1, or nowhere 1.
    """
    table, name = units.table, str(experiment.trigger)
    trigger = Column(name, binary=True)
    columns = {
        metric.name: metric_columns(metric, within=units.strata is not None).own[0]
        for metric in units.metrics
        if "trigger" in metric.forms and metric.cap is None
    }
    value = value_sql(table, trigger)
    dimensions = [sql for sql in (units.strata, units.day) if sql]
    summed = [trigger, *columns.values()]
    collected = collect_by(table, units.arm, summed, units.where, (), dimensions)
    if any(arm.missing[trigger] for arm in collected.whole.values()):
        refuse_rows(table, "no_trigger", f"{value} IS NULL AND {units.where}", name)
    arms = {label: arm for label, arm in collected.whole.items() if label is not None}
    inside = collected.inside(dimensions, arms)
    strata: Levels = {None: arms}
    if units.strata:
        strata = {level: named for level, named in inside[units.strata].items() if level}
    triggered = Triggered(trigger, columns, arms, strata, inside.get(units.day))
    if not triggered.rate:
        raise DataError(problem(table, "none_triggered", name))
    return triggered, replace(units, where=f"({units.where}) AND {value} = 1")
