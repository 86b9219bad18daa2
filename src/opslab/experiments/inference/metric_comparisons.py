"""From the sums of every arm to the comparisons of a metric, by what its type is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from opslab.experiments.inference.comparisons import (
    Side,
    compare,
    compare_quantiles,
    effect,
    refused,
    without_effect,
)
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.inference.quantiles import Ranked, inflation, order_statistics
from opslab.experiments.inference.strata import Strata
from opslab.experiments.metrics import Mean, Proportion, Quantile, Ratio
from opslab.experiments.moments.arm_moments import Arms, Levels
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Joint
from opslab.experiments.result import NO_EFFECT, Comparison
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message


@dataclass(frozen=True)
class ArmSums:
    """What comparisons are made of.

    Attributes
    ----------
    arms : mapping
        The sums of each arm.
    control : str
    alpha : float
    strata : mapping or None
        The arms within each stratum, where units are compared there.
    units : UnitTable
        For quantiles, whose values have to be looked up.
    """

    arms: Arms
    control: str
    alpha: float
    strata: Levels | None
    units: UnitTable

    @property
    def others(self) -> list[str]:
        """The arms but the control."""
        return [name for name in self.arms if name != self.control]


def compared(columns: MetricColumns, sums: ArmSums) -> list[Comparison]:
    """Return a metric's comparisons of every arm with the control.

    This is the one place that asks for a metric's type: how it is compared.
    """
    match columns.metric:
        case Mean() | Proportion() | Ratio():
            if columns.uncapped:
                return [_capped(columns, sums, columns.uncapped, arm) for arm in sums.others]
            return [_by_sums(columns, sums, columns.joint, arm) for arm in sums.others]
        case Quantile() as metric:
            ranked = _ranked(metric, sums)
            base, alpha = ranked[sums.control], sums.alpha
            return [compare_quantiles(metric, ranked[arm], base, alpha) for arm in sums.others]
        case unknown:
            assert_never(unknown)


def _by_sums(columns: MetricColumns, sums: ArmSums, joint: Joint, arm: str) -> Comparison:
    """Return a comparison by the moments of columns that go together."""
    metric, arms, names = columns.metric, sums.arms, (arm, sums.control)
    arm_side, control = (
        Side(name, cross, arms[name].rows - cross.given)
        for name in names
        for cross in [arms[name].cross(joint)]
    )
    notes = [
        Message("experiments.covariate_filled", {"covariate": column.name, "count": count})
        for column in joint.covariate_columns
        if (count := sum(arms[name].missing[column] for name in names))
    ]
    strata = None
    if sums.strata is not None:
        named = {
            level: {name: moments.cross(joint) for name, moments in inside.items()}
            for level, inside in sums.strata.items()
        }
        nameless = named.pop(None, {})
        strata = Strata.of(named, *names)
        if not strata.cells:
            return refused(without_effect(metric, arm_side, control), "no_common_stratum")
        inside, base = strata.sides
        arm_side, control = replace(arm_side, sums=inside), replace(control, sums=base)
        lone = strata.lone + sum(nameless[name].n for name in names if name in nameless)
        notes += [Message("experiments.lone_units", {"count": lone})] if lone else []
    comparison = compare(metric, arm_side, control, sums.alpha, columns.covariates, strata)
    return replace(comparison, notes=(*comparison.notes, *notes))


def _capped(columns: MetricColumns, sums: ArmSums, uncapped: Joint, arm: str) -> Comparison:
    """Return a comparison under a cap, the effect without it beside."""
    capped, plain = (_by_sums(columns, sums, joint, arm) for joint in (columns.joint, uncapped))
    (column, *others), control = columns.own, sums.control
    cap, quantile = column.cap or 0.0, columns.metric.cap and columns.metric.cap.quantile
    count, control_count = (sums.arms[name].capped[column] for name in (arm, control))
    values = {"column": column.name, "cap": cap, "arm": arm, "control": control}
    values |= {"count": count, "control_count": control_count}
    key = "experiments.capped_ratio" if others else "experiments.capped"
    values |= {"denominator": others[0].name} if others else {}
    note = Message(key, values)
    capped = replace(capped, uncapped=effect(plain), notes=(note, *capped.notes))
    if plain.not_estimable or not (cap <= 0 if others else quantile and cap == 0):
        return capped
    key = "cap_too_low" if quantile else "cap_leaves_nothing"
    bare = replace(capped, **vars(NO_EFFECT), standard_error=None, harm_p=None, method=None)
    return refused(bare, key, cap=cap, quantile=quantile)


def _ranked(metric: Quantile, sums: ArmSums) -> dict[str, Side[Ranked]]:
    """Return the values at the ranks of every arm, of units or of rows that units cluster."""
    units, arms = sums.units, sums.arms
    column, table, where = metric.column_of(metric.column), units.table, units.where
    finer = units.finer if metric.per == "row" else None
    if finer:
        table, where = finer.table, finer.where
        labelled = collect_by(table, units.arm, [column], where).whole
        arms = {name: labelled[name] for name in arms}
    quantile, counts = metric.quantile, {name: arm.moments[column].n for name, arm in arms.items()}
    values = order_statistics(table, units.arm, column, counts, quantile, 1 - sums.alpha, where)
    factors: Mapping[str, float] = {}
    if finer and values:
        at = {name: ranked.value for name, ranked in values.items()}
        factors = inflation(table, finer.unit, units.arm, column, at, quantile, where)
        values = {name: ranked for name, ranked in values.items() if name in factors}
    return {
        name: Side(
            name,
            Ranked(counts[name], values.get(name), factors.get(name)),
            arm.missing[column],
        )
        for name, arm in arms.items()
    }


def deviations(
    comparisons: Sequence[Comparison], arms: Arms, metrics: Mapping[str, MetricColumns]
) -> dict[tuple[str, str], float]:
    """Return the standard deviation behind each comparison, by metric and arm.

    It is pooled, or after linearising and adjusting.
    """
    spreads = {}
    for comparison in comparisons:
        own = metrics[comparison.metric].own
        if comparison.standard_error is not None and comparison.method != "welch":
            n = comparison.n
            variance = comparison.standard_error**2 * math.prod(n) / sum(n)
        elif len(own) != 1:
            variance = 0.0
        else:
            sides = [arms[name].moments[own[0]] for name in (comparison.arm, comparison.control)]
            freedom = sum(side.n for side in sides) - len(sides)
            variance = sum(side.squares for side in sides) / freedom if freedom > 0 else 0.0
        spreads[comparison.metric, comparison.arm] = math.sqrt(variance)
    return spreads
