"""opslab: experiments, customer feedback and time saved, from one spec to one readout.

The areas load on first use, so that ``import opslab`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from opslab.version import __version__

if TYPE_CHECKING:
    from opslab import experiments, report, timesaved
    from opslab.runs import run

__all__ = ["__version__", "experiments", "report", "run", "timesaved"]


def __getattr__(name: str) -> Any:
    if name in {"experiments", "report", "timesaved"}:
        return import_module(f"opslab.{name}")
    if name == "run":
        return import_module("opslab.runs").run
    raise AttributeError(f"module 'opslab' has no attribute {name!r}")
