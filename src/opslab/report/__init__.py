"""What a reader sees: sentences, tables and figures in a notebook's cells, and the page made of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslab.report.blocks import (
        Block,
        Cell,
        Facts,
        Group,
        Heading,
        Pairs,
        Paragraph,
        Points,
        Reference,
        Table,
        Verdict,
    )
    from opslab.report.cells import Result, publish, show
    from opslab.report.figures import Figure

__all__ = [
    "Block",
    "Cell",
    "Facts",
    "Figure",
    "Group",
    "Heading",
    "Pairs",
    "Paragraph",
    "Points",
    "Reference",
    "Result",
    "Table",
    "Verdict",
    "publish",
    "show",
]

_HOMES = {"Figure": "figures", "Result": "cells", "publish": "cells", "show": "cells"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'opslab.report' has no attribute {name!r}")
    return getattr(import_module(f"opslab.report.{_HOMES.get(name, 'blocks')}"), name)
