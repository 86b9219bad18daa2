"""What a reader sees: sentences, tables and figures in a notebook's cells, and the page made of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslab.report.cells import publish, show
    from opslab.report.figures import Figure
    from opslab.report.voice import Voice

__all__ = ["Figure", "Voice", "publish", "show"]

_HOMES = {"Figure": "figures", "Voice": "voice", "publish": "cells", "show": "cells"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'opslab.report' has no attribute {name!r}")
    return getattr(import_module(f"opslab.report.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
