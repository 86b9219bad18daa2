"""The metrics that a spec declares: what is measured, what it is for, and how. A file is a type.

A new type is a class in a file of its own, a member of `Metric`, and a case where
`inference.metric_comparisons` says how each type is compared; the type checker asks for the case.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from opslab.experiments.metrics.base import scale_of
from opslab.experiments.metrics.mean import Mean
from opslab.experiments.metrics.proportion import Proportion
from opslab.experiments.metrics.quantile import Quantile
from opslab.experiments.metrics.ratio import Ratio

__all__ = ["Mean", "Metric", "Proportion", "Quantile", "Ratio", "scale_of"]

Metric = Mean | Proportion | Ratio | Quantile
DeclaredMetric = Annotated[Metric, Field(discriminator="type")]
