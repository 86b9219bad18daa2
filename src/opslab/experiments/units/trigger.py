"""The effect on triggered units, diluted to all: what shipping changes overall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

from scipy.special import stdtrit

from opslab.errors import DataError, Problem
from opslab.experiments.inference.effects import fieller
from opslab.experiments.metrics import Mean, Proportion
from opslab.experiments.moments.arm_moments import ArmMoments, Moments, collect
from opslab.experiments.moments.columns import Column, refuse_rows, value_sql
from opslab.experiments.result import Comparison, Effect
from opslab.experiments.spec import Experiment
from opslab.experiments.units.unit_table import UnitTable


def diluted(
    one: Comparison, triggered: tuple[int, int], control: tuple[Moments, Moments], alpha: float
) -> Effect | None:
    """Give the effect on all units of a change that only the triggered ones could meet.

    It is the trigger rate r times the triggered effect d, with variance r^2 Var(d) + d^2 r (1 - r)
    / N; the lift is relative to the mean of all units of the control.

    Parameters
    ----------
    one : Comparison
        Over the triggered units.
    triggered : tuple of int
        Triggered units and all units, of both arms.
    control : tuple of Moments
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
    if one.difference is None or one.standard_error is None:
        return None
    met, units = triggered
    inside, whole = control
    rate, freedom = met / units, one.degrees_of_freedom or inf
    difference = rate * one.difference
    variance = (rate * one.standard_error) ** 2 + one.difference**2 * rate * (1 - rate) / units
    reach = float(stdtrit(freedom, 1 - alpha / 2)) * sqrt(variance)
    # The adjusted difference shares with the control's mean what covariates left of its variance.
    own = inside.variance / inside.n * (1 - (one.variance_reduction or 0.0))
    lift = fieller(
        difference,
        variance,
        whole.mean,
        whole.variance / whole.n,
        -rate * inside.n / whole.n * own,
        freedom,
        1 - alpha,
    )
    return Effect(
        difference,
        (difference - reach, difference + reach),
        lift.lift,
        (lift.low, lift.high),
        one.p_value,
    )


@dataclass(frozen=True)
class Triggered:
    """Which units met the change.

    Attributes
    ----------
    where : str
        SQL condition on their rows.
    met, units : mapping
        Triggered units and all units, by arm.
    columns : mapping
        Column of each mean and proportion, by the metric's name.
    whole : mapping
        Moments of all units, by arm.
    """

    where: str
    met: Mapping[str, int]
    units: Mapping[str, int]
    columns: Mapping[str, Column]
    whole: Mapping[str, ArmMoments]

    @property
    def rate(self) -> float:
        """Share of the units that were triggered."""
        return sum(self.met.values()) / sum(self.units.values())

    def diluted(
        self, comparisons: Sequence[Comparison], arms: Mapping[str, ArmMoments], alpha: float
    ) -> list[Comparison]:
        """Return the comparisons of means and proportions with their diluted effect beside them."""
        made = []
        for one in comparisons:
            column = self.columns.get(one.metric)
            if column is None:
                made.append(one)
                continue
            counts = [
                sum(found[arm] for arm in (one.arm, one.control))
                for found in (self.met, self.units)
            ]
            own = next(known for known in arms[one.control].moments if known.name == column.name)
            control = (arms[one.control].moments[own], self.whole[one.control].moments[column])
            made.append(replace(one, diluted=diluted(one, (counts[0], counts[1]), control, alpha)))
        return made


def collect_triggered(experiment: Experiment, units: UnitTable) -> Triggered:
    """Return which units met the change, and the moments of all; raise where the column is not 0 and 1."""
    table, name = units.table, str(experiment.trigger)
    trigger = Column(name, binary=True)
    columns = {
        metric.name: Column(
            str(metric.column), metric.missing == "zero", isinstance(metric, Proportion)
        )
        for metric in units.metrics
        if isinstance(metric, Mean | Proportion) and metric.cap is None
    }
    found = collect(table, units.arm, [trigger, *columns.values()], units.where)
    if any(arm.missing[trigger] for arm in found.values()):
        refuse_rows(
            table, "no_trigger", f"{value_sql(table, trigger)} IS NULL AND {units.where}", name
        )
    arms = {arm: moments for arm, moments in found.items() if arm is not None}
    met = {arm: round(one.moments[trigger].mean * one.rows) for arm, one in arms.items()}
    if not any(met.values()):
        raise DataError(Problem("experiments.none_triggered", {}, table.reading.name, field=name))
    where = f"({units.where}) AND {value_sql(table, trigger)} = 1"
    return Triggered(where, met, {arm: one.rows for arm, one in arms.items()}, columns, arms)
