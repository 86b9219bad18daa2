"""The columns that are summed for a metric: its own, and those that go together with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opslab.experiments.metrics import Metric
from opslab.experiments.moments.columns import Column, Joint
from opslab.experiments.moments.values import cap_values
from opslab.tables.source import Table


@dataclass(frozen=True)
class MetricColumns:
    """A metric and the columns that are summed for it.

    Attributes
    ----------
    metric : Metric
    joint : Joint
        Its own columns, and those of the covariates.
    covariates : tuple
        Name of each covariate, and how many columns it has.
    uncapped : Joint or None
        With a cap: the same without it.
    """

    metric: Metric
    joint: Joint
    covariates: tuple[tuple[str, int], ...] = ()
    uncapped: Joint | None = None

    @property
    def own(self) -> tuple[Column, ...]:
        """Its own columns."""
        return self.joint.own

    @property
    def joints(self) -> list[Joint]:
        """What is summed, with a cap also without it."""
        return [self.joint, *([self.uncapped] if self.uncapped else [])]


def metric_columns(
    metric: Metric, cap: float | None = None, *, within: bool = False
) -> MetricColumns:
    """Return the columns behind a metric; a cap cuts its own column, or both of a ratio alike.

    A unit whose numerator is beyond the cap keeps its own ratio: both of its sides are scaled.

    ``within`` strata even a single column is summed as those are that go together. Of what is found
    among finer rows nothing is summed over units.
    """
    if metric.ranked and metric.per == "row":
        return MetricColumns(metric, Joint(()))
    names, named = list(metric.own.values()), metric.covariate_columns
    together = len(names) > 1 or bool(named) or within
    own = tuple(metric.column_of(name, centred=together) for name in names)
    covariates = tuple(tuple(Column(name, centred=True) for name in names) for names in named)
    columns = MetricColumns(
        metric, Joint(own, covariates), tuple(("/".join(names), len(names)) for names in named)
    )
    if cap is None:
        return columns
    first = replace(own[0], cap=cap)
    scaled = (replace(column, scaled_with=first if cap > 0 else None) for column in own[1:])
    capped = Joint((first, *scaled), covariates)
    return replace(columns, joint=capped, uncapped=columns.joint)


def caps(metrics: Sequence[Metric], table: Table, where: str) -> dict[str, float | None]:
    """Return the value of each metric's cap by its name; one query finds all that are quantiles."""
    values = {metric.name: metric.cap.value for metric in metrics if metric.cap}
    asked = {
        metric.name: (metric_columns(metric).own[0], metric.cap.quantile)
        for metric in metrics
        if metric.cap and metric.cap.quantile is not None
    }
    if asked:
        values |= zip(asked, cap_values(table, list(asked.values()), where), strict=True)
    return values
