"""Time saved: tasks and what a change saves of them, from ranges to hours that can be defended."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Inventory": "inventory",
    "TimeSavedParameters": "parameters",
    "TimeSavedResult": "result",
    "estimate": "estimation",
    "interview_sheet": "sheets",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'opslab.timesaved' has no attribute {name!r}")
    return getattr(import_module(f"opslab.timesaved.{_HOMES[name]}"), name)
