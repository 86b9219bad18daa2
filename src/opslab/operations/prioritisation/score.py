"""The score of an item, as Intercom prints it."""

from __future__ import annotations

from typing import Any


def rice(reach: Any, impact: Any, confidence: Any, effort: Any) -> Any:
    """Return reach x impact x confidence / effort (McBride 2018, Intercom): numbers or arrays.

    Examples
    --------
    >>> rice(1200, 2, 0.8, 3)
    640.0
    """
    return reach * impact * confidence / effort
