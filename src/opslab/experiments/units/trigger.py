"""The effect on triggered units, diluted to all: what shipping changes overall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf, sqrt

from scipy.special import stdtrit

from opslab.errors import DataError
from opslab.experiments.inference.effects import fieller
from opslab.experiments.inference.metric_columns import metric_columns
from opslab.experiments.moments.arm_moments import ArmMoments, Moments
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import problem, refuse_rows, value_sql
from opslab.experiments.result import Comparison, Effect
from opslab.experiments.spec import Experiment
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message


def diluted(
    comparison: Comparison,
    triggered: int,
    units: int,
    control: Moments,
    all_control: Moments,
    alpha: float,
) -> Effect | None:
    """Give the effect on all units of a change that only the triggered ones could meet.

    It is the trigger rate r times the triggered effect d, with variance r^2 Var(d) + d^2 r (1 - r)
    / N; the lift is relative to the mean of all units of the control.

    Parameters
    ----------
    comparison : Comparison
        Over the triggered units.
    triggered, units : int
        Triggered units and all units, of both arms.
    control, all_control : Moments
        Of the control's triggered units and of all of its units.
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
    rate, freedom = triggered / units, comparison.degrees_of_freedom or inf
    difference = rate * comparison.difference
    variance = (rate * comparison.standard_error) ** 2
    variance += comparison.difference**2 * rate * (1 - rate) / units
    reach = float(stdtrit(freedom, 1 - alpha / 2)) * sqrt(variance)
    # The adjusted difference shares with the control's mean what covariates left of its variance.
    own = control.variance / control.n * (1 - (comparison.variance_reduction or 0.0))
    lift = fieller(
        difference,
        variance,
        all_control.mean,
        all_control.variance / all_control.n,
        -rate * control.n / all_control.n * own,
        freedom,
        1 - alpha,
    )
    return Effect(
        difference,
        (difference - reach, difference + reach),
        lift.lift,
        (lift.low, lift.high),
        comparison.p_value,
    )


@dataclass(frozen=True)
class Triggered:
    """Which units met the change.

    Attributes
    ----------
    met, units : mapping
        Triggered units and all units, by arm.
    columns : mapping
        Column of each metric that can be diluted, by its name.
    whole : mapping
        Moments of all units, by arm.
    """

    met: Mapping[str, int]
    units: Mapping[str, int]
    columns: Mapping[str, Column]
    whole: Mapping[str, ArmMoments]

    @property
    def rate(self) -> float:
        """Share of the units that were triggered."""
        return sum(self.met.values()) / sum(self.units.values())

    def diluted(
        self, comparison: Comparison, arms: Mapping[str, ArmMoments], alpha: float
    ) -> Comparison:
        """Return a comparison with its diluted effect beside it, or why there is none."""
        column = self.columns.get(comparison.metric)
        if column is None:
            note = Message("experiments.form_trigger")
            return replace(comparison, notes=(*comparison.notes, note))
        pair = (comparison.arm, comparison.control)
        met, units = (sum(counts[arm] for arm in pair) for counts in (self.met, self.units))
        control = arms[comparison.control].moments[column]
        all_control = self.whole[comparison.control].moments[column]
        effect = diluted(comparison, met, units, control, all_control, alpha)
        return replace(comparison, diluted=effect)


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
        metric.name: metric_columns(metric).own[0]
        for metric in units.metrics
        if "trigger" in metric.forms and metric.cap is None
    }
    value = value_sql(table, trigger)
    labelled = collect_by(table, units.arm, [trigger, *columns.values()], units.where).whole
    if any(arm.missing[trigger] for arm in labelled.values()):
        refuse_rows(table, "no_trigger", f"{value} IS NULL AND {units.where}", name)
    arms = {label: arm for label, arm in labelled.items() if label is not None}
    met = {label: round(arm.moments[trigger].mean * arm.rows) for label, arm in arms.items()}
    if not any(met.values()):
        raise DataError(problem(table, "none_triggered", name))
    everybody = {label: arm.rows for label, arm in arms.items()}
    inside = replace(units, where=f"({units.where}) AND {value} = 1")
    return Triggered(met, everybody, columns, arms), inside
