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
    own : tuple of Column
    joint : Joint or None
        What is summed together: with two columns, covariates or strata.
    covariates : tuple
        Name of each covariate, and how many columns it has.
    uncapped : MetricColumns or None
        With a cap: the same without it.
    """

    metric: Metric
    own: tuple[Column, ...]
    joint: Joint | None
    covariates: tuple[tuple[str, int], ...]
    uncapped: MetricColumns | None = None

    @property
    def covariate_columns(self) -> tuple[Column, ...]:
        """The columns of the covariates."""
        return self.joint.covariate_columns if self.joint else ()

    @property
    def all_own(self) -> tuple[Column, ...]:
        """Its own columns, and with a cap the same without it."""
        return (*self.own, *(self.uncapped.own if self.uncapped else ()))

    @property
    def joints(self) -> list[Joint]:
        """What is summed together, with a cap also without it."""
        joints = (self.joint, self.uncapped.joint if self.uncapped else None)
        return [joint for joint in joints if joint]


def metric_columns(
    metric: Metric, cap: float | None = None, *, within: bool = False
) -> MetricColumns:
    """Return the columns behind a metric; a cap cuts its own column, or a ratio's numerator.

    ``within`` strata even a single column is summed as those are that go together. Of what is found
    among finer rows nothing is summed over units.
    """
    if metric.ranked and metric.per == "row":
        return MetricColumns(metric, (), None, ())
    together = len(metric.own) > 1 or bool(metric.covariates) or within
    own = tuple(metric.column_of(name, centred=together) for name in metric.own.values())
    named = metric.covariate_columns
    covariates = tuple(tuple(Column(name, centred=True) for name in names) for names in named)
    joint = Joint(own, covariates) if together else None
    widths = tuple(("/".join(names), len(names)) for names in named)
    columns = MetricColumns(metric, own, joint, widths)
    if cap is None:
        return columns
    own = (replace(own[0], cap=cap), *own[1:])
    return replace(columns, own=own, joint=joint and replace(joint, own=own), uncapped=columns)


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
