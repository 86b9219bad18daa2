"""From a metric to the columns that are summed for it, and from their sums to its comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opslab.experiments.inference.clusters import inflation
from opslab.experiments.inference.comparisons import (
    compare,
    compare_jointly,
    compare_quantiles,
    effect,
    without_strata,
)
from opslab.experiments.inference.quantiles import OrderStatistics, order_statistics, ranks
from opslab.experiments.inference.strata import Strata
from opslab.experiments.metrics import Metric, Proportion, Quantile, Ratio, columns_of
from opslab.experiments.moments.arm_moments import ArmMoments, collect
from opslab.experiments.moments.columns import Column, Joint, cap_values
from opslab.experiments.moments.cross_moments import CrossMoments
from opslab.experiments.result import Comparison
from opslab.experiments.spec import Experiment
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message
from opslab.tables.source import Table


@dataclass(frozen=True)
class Measured:
    """A metric, its own columns, and for a ratio or with covariates the columns that are summed together."""

    metric: Metric
    own: tuple[Column, ...]
    joint: Joint | None
    covariates: tuple[tuple[str, int], ...]
    uncapped: Measured | None = None

    @property
    def all_own(self) -> tuple[Column, ...]:
        """Its own columns, and with a cap the same without it."""
        return (*self.own, *(self.uncapped.own if self.uncapped else ()))

    @property
    def joints(self) -> list[Joint]:
        """What is summed together, with a cap also without it."""
        found = (self.joint, self.uncapped.joint if self.uncapped else None)
        return [joint for joint in found if joint]


def measured(metric: Metric, cap: float | None = None, *, within: bool = False) -> Measured:
    """Return the columns behind a metric; a cap cuts its own column, or a ratio's numerator.

    ``within`` strata even a single column is summed as those are that go together.
    """
    together = isinstance(metric, Ratio) or bool(metric.covariates) or within
    zero, binary = metric.missing == "zero", isinstance(metric, Proportion)
    own = tuple(Column(name, zero, binary, together) for name in metric.own.values())
    named = [columns_of(covariate) for covariate in metric.covariates]
    joint = Joint(
        own, tuple(tuple(Column(name, centred=True) for name in names) for names in named)
    )
    named_as = tuple(("/".join(names), len(names)) for names in named)
    found = Measured(metric, own, joint if together else None, named_as)
    if cap is None:
        return found
    own = (replace(own[0], cap=cap), *own[1:])
    return replace(
        found, own=own, joint=replace(joint, own=own) if together else None, uncapped=found
    )


def caps(metrics: Sequence[Metric], table: Table, where: str) -> dict[str, float | None]:
    """Return the value of each metric's cap by its name; one query finds all that are quantiles."""
    found: dict[str, float | None] = {one.name: one.cap.value for one in metrics if one.cap}
    asked = [(one, one.cap.quantile) for one in metrics if one.cap and one.cap.quantile is not None]
    if asked:
        wanted = [(measured(one).own[0], quantile) for one, quantile in asked]
        values = cap_values(table, wanted, where)
        found |= dict(zip((one.name for one, _ in asked), values, strict=True))
    return found


def tails(
    metrics: Sequence[Measured],
    arms: Mapping[str, ArmMoments],
    source: tuple[Table, str, str],
    alpha: float,
) -> dict[str, dict[str, OrderStatistics]]:
    """Return each quantile's order statistics by arm; ``source``: table, column of the arm, rows to use."""
    found = {}
    for one in metrics:
        if isinstance(one.metric, Quantile):
            (column,), quantile = one.own, one.metric.quantile
            wanted = {
                name: ranks(arm.moments[column].n, quantile, 1 - alpha)
                for name, arm in arms.items()
            }
            table, arm_column, where = source
            found[one.metric.name] = order_statistics(table, arm_column, column, wanted, where)
    return found


def compared(
    one: Measured,
    arms: Mapping[str, ArmMoments],
    control: str,
    alpha: float,
    order: Mapping[str, OrderStatistics] | None = None,
    strata: Mapping[str | None, Mapping[str, ArmMoments]] | None = None,
) -> list[Comparison]:
    """Return a metric's comparisons of every arm with the control.

    A quantile takes its order statistics; with ``strata``, the arms within each, units are compared
    there.
    """
    others = [name for name in arms if name != control]
    made = []
    for name in others:
        if one.joint is None:
            (column,) = one.own
            simple = {
                arm: (arm, arms[arm].moments[column], arms[arm].missing[column])
                for arm in (name, control)
            }
            if isinstance(one.metric, Quantile):
                found = compare_quantiles(
                    one.metric, simple[name], simple[control], alpha, order or {}
                )
            else:
                found = compare(one.metric, simple[name], simple[control], alpha)
        else:
            found = _compared_jointly(one, one.joint, arms, (name, control), alpha, strata)
        made.append(found)
    if one.uncapped is None:
        return made
    return [
        replace(
            found, uncapped=effect(plain), notes=(_capped(one.own[0], found, arms), *found.notes)
        )
        for found, plain in zip(
            made, compared(one.uncapped, arms, control, alpha, strata=strata), strict=True
        )
    ]


def _compared_jointly(
    one: Measured,
    joint: Joint,
    arms: Mapping[str, ArmMoments],
    pair: tuple[str, str],
    alpha: float,
    strata: Mapping[str | None, Mapping[str, ArmMoments]] | None,
) -> Comparison:
    name, control = pair
    missing = [arms[arm].rows - arms[arm].joint[joint].given for arm in pair]
    filled = [
        Message("experiments.covariate_filled", {"covariate": column.name, "count": count})
        for column in joint.columns[len(one.own) :]
        if (count := arms[name].missing[column] + arms[control].missing[column])
    ]
    found, sides = None, [arms[arm].joint[joint] for arm in pair]
    if strata is not None:
        cells: dict[str | None, dict[str, CrossMoments]] = {
            level: {arm: side.joint[joint] for arm, side in inside.items()}
            for level, inside in strata.items()
            if level is not None
        }
        found = Strata.of(cells, name, control)
        if not found.cells:
            return without_strata(
                one.metric, (name, sides[0], missing[0]), (control, sides[1], missing[1])
            )
        sides = list(found.sides)
        nameless = [
            side.joint[joint].n for arm, side in strata.get(None, {}).items() if arm in pair
        ]
        if found.lone + sum(nameless):
            values = {"count": found.lone + sum(nameless)}
            filled.append(Message("experiments.lone_units", values))
    made = compare_jointly(
        one.metric,
        (name, sides[0], missing[0]),
        (control, sides[1], missing[1]),
        alpha,
        one.covariates,
        found,
    )
    return replace(made, notes=(*made.notes, *filled))


def quantiles_of_rows(
    metric: Quantile, experiment: Experiment, units: UnitTable, arms: Sequence[str]
) -> list[Comparison]:
    """Return the comparisons of a quantile over rows that are finer than the unit, which clusters them."""
    if units.finer is None:
        return []
    table, where = units.finer
    alpha, control = experiment.design.alpha, experiment.arms.control
    column = Column(metric.column, zero_for_missing=metric.missing == "zero")
    found = collect(table, units.arm, [column], where)
    sides = {
        name: (name, found[name].moments[column], found[name].missing[column]) for name in arms
    }
    wanted = {
        name: ranks(side.n, metric.quantile, 1 - alpha) for name, (_, side, _) in sides.items()
    }
    order = order_statistics(table, units.arm, column, wanted, where)
    at = {name: one.value for name, one in order.items()}
    factors = (
        inflation(table, experiment.unit, units.arm, column, at, metric.quantile, where)
        if at
        else {}
    )
    known = {name: one for name, one in order.items() if name in factors}
    return [
        compare_quantiles(metric, sides[name], sides[control], alpha, known, factors)
        for name in arms
        if name != control
    ]


def _capped(column: Column, one: Comparison, arms: Mapping[str, ArmMoments]) -> Message:
    values = {"column": column.name, "cap": column.cap, "arm": one.arm, "control": one.control}
    values["count"], values["control_count"] = (
        arms[arm].capped[column] for arm in (one.arm, one.control)
    )
    return Message("experiments.capped", values)


def deviations(
    comparisons: Sequence[Comparison],
    arms: Mapping[str, ArmMoments],
    metrics: Mapping[str, Measured],
) -> dict[tuple[str, str], float]:
    """Return the standard deviation behind each comparison: pooled, or after linearising and adjusting."""
    found = {}
    for one in comparisons:
        own = metrics[one.metric].own if one.metric in metrics else ()
        if one.standard_error is not None and one.method != "welch":
            variance = one.standard_error**2 * math.prod(one.n) / sum(one.n)
        elif len(own) != 1:
            variance = 0.0
        else:
            sides = [arms[name].moments[own[0]] for name in (one.arm, one.control)]
            freedom = sum(side.n for side in sides) - len(sides)
            variance = sum(side.squares for side in sides) / freedom if freedom > 0 else 0.0
        found[one.metric, one.arm] = math.sqrt(variance)
    return found
