"""The metrics that a spec declares: what is measured, what it is for, and how. One file is one type.

A new type is a class in a file of its own, a member of `Metric`, and a case where
`inference.metric_comparisons` says how each type is compared; the type checker asks for the case.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from opslab.experiments.metrics.base import Declaration, Form, Scale
from opslab.experiments.metrics.mean import Mean
from opslab.experiments.metrics.proportion import Proportion
from opslab.experiments.metrics.quantile import Quantile
from opslab.experiments.metrics.ratio import Ratio

__all__ = ["Mean", "Metric", "Proportion", "Quantile", "Ratio", "scale_of", "types_with"]

Metric = Mean | Proportion | Ratio | Quantile
DeclaredMetric = Annotated[Metric, Field(discriminator="type")]

_TYPES: dict[str, type[Declaration]] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(Metric)
}


def scale_of(type_name: str) -> Scale:
    """Return the scale on which metrics of a type are told."""
    return _TYPES[type_name].scale


def types_with(form: Form) -> list[str]:
    """Return the types of metrics that can be had from a form of data."""
    return [name for name, kind in _TYPES.items() if form in kind.forms]
