"""The business case: from evidence and assumptions to a decision that a sponsor can sign."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Case": "spec",
    "CaseParameters": "parameters",
    "CaseResult": "result",
    "Money": "money",
    "build": "assembly",
    "diff": "promise",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'opslab.businesscase' has no attribute {name!r}")
    return getattr(import_module(f"opslab.businesscase.{_HOMES[name]}"), name)
