"""The score of an item, as Intercom prints it."""

from __future__ import annotations

from typing import TypeVar


from opslab.uncertainty.distributions import Values

Amounts = TypeVar("Amounts", float, Values)


def rice(reach: Amounts, impact: Amounts, confidence: Amounts, effort: Amounts) -> Amounts:
    """Return reach x impact x confidence / effort (McBride 2018, Intercom).

    Examples
    --------
    >>> rice(1200, 2, 0.8, 3)
    640.0
    """
    return reach * impact * confidence / effort
