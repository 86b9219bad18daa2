"""From a metric to the columns that are summed for it, and from their sums to its comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opslab.experiments.comparisons import compare, compare_jointly
from opslab.experiments.metrics import Metric, Proportion, Ratio, columns_of
from opslab.experiments.moments import ArmMoments
from opslab.experiments.result import Comparison, Message
from opslab.experiments.summed import Column, Joint


@dataclass(frozen=True)
class Measured:
    """A metric, its own columns, and for a ratio or with covariates the columns that are summed together."""

    metric: Metric
    own: tuple[Column, ...]
    joint: Joint | None
    covariates: tuple[tuple[str, int], ...]


def measured(metric: Metric) -> Measured:
    """Return the columns behind a metric."""
    together = isinstance(metric, Ratio) or bool(metric.covariates)
    zero, binary = metric.missing == "zero", isinstance(metric, Proportion)
    own = tuple(Column(name, zero, binary, together) for name in metric.own.values())
    named = [columns_of(covariate) for covariate in metric.covariates]
    joint = Joint(own, tuple(tuple(Column(name, centred=True) for name in names) for names in named))
    return Measured(
        metric, own, joint if together else None, tuple(("/".join(names), len(names)) for names in named)
    )


def compared(one: Measured, arms: Mapping[str, ArmMoments], control: str, alpha: float) -> list[Comparison]:
    """Return a metric's comparisons of every arm with the control."""
    others = [name for name in arms if name != control]
    if one.joint is None:
        (column,) = one.own
        simple = {name: (name, arm.moments[column], arm.missing[column]) for name, arm in arms.items()}
        return [compare(one.metric, simple[name], simple[control], alpha) for name in others]
    made = []
    sides = {
        name: (name, arm.joint[one.joint], arm.rows - arm.joint[one.joint].given)
        for name, arm in arms.items()
    }
    for name in others:
        found = compare_jointly(one.metric, sides[name], sides[control], alpha, one.covariates)
        filled = [
            Message("experiments.covariate_filled", {"covariate": column.name, "count": count})
            for column in one.joint.columns[len(one.own) :]
            if (count := arms[name].missing[column] + arms[control].missing[column])
        ]
        made.append(replace(found, notes=(*found.notes, *filled)))
    return made


def deviations(
    comparisons: Sequence[Comparison], arms: Mapping[str, ArmMoments], metrics: Mapping[str, Measured]
) -> dict[tuple[str, str], float]:
    """Return the standard deviation behind each comparison: pooled, or after linearising and adjusting."""
    found = {}
    for one in comparisons:
        own = metrics[one.metric].own
        if one.standard_error is not None and one.method != "welch":
            variance = one.standard_error**2 * math.prod(one.n) / sum(one.n)
        elif len(own) > 1:
            variance = 0.0
        else:
            sides = [arms[name].moments[own[0]] for name in (one.arm, one.control)]
            freedom = sum(side.n for side in sides) - len(sides)
            variance = sum(side.squares for side in sides) / freedom if freedom > 0 else 0.0
        found[one.metric, one.arm] = math.sqrt(variance)
    return found
