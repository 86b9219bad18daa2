"""A/B experiments: a spec, checks that stop bad data, effects to trust, a reasoned decision."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslab.experiments.analysis import analyze
    from opslab.experiments.parameters import ReadoutParameters
    from opslab.experiments.result import ExperimentResult
    from opslab.experiments.spec import Experiment

__all__ = ["Experiment", "ExperimentResult", "ReadoutParameters", "analyze"]

_HOMES = {
    "Experiment": "spec",
    "ExperimentResult": "result",
    "ReadoutParameters": "parameters",
    "analyze": "analysis",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'opslab.experiments' has no attribute {name!r}")
    return getattr(import_module(f"opslab.experiments.{_HOMES[name]}"), name)
