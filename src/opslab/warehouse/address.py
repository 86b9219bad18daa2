"""Where a warehouse keeps a table: the variable of its connection, and what is read there."""

from __future__ import annotations

from typing import NamedTuple


class Address(NamedTuple):
    """A table or a query of a warehouse.

    Attributes
    ----------
    connection : str
        ``env:`` and the environment variable that holds its URL.
    source : str
        ``schema.table``, or a SELECT in the warehouse's own SQL.
    snapshot : str or None
        Name of the state that is read.
    """

    connection: str
    source: str
    snapshot: str | None = None
