"""Where a warehouse keeps a table: the variable of its connection, and what is read there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Address:
    """A table or a query of a warehouse.

    Attributes
    ----------
    connection : str
        ``env:`` and the environment variable that holds its URL.
    source : str
        ``schema.table``, or a SELECT in the warehouse's own SQL.
    """

    connection: str
    source: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.connection.removeprefix("env:")

    @property
    def is_query(self) -> bool:
        """Whether the source is a query."""
        return len(self.source.split()) > 1

    @property
    def shown(self) -> str:
        """What a reader is shown: of the connection its variable alone."""
        return f"{'query' if self.is_query else self.source} ({self.connection})"


def is_remote(data: Any) -> bool:
    """Whether the rows of data are in another engine: an address, or a Spark frame."""
    return isinstance(data, Address) or type(data).__module__.startswith("pyspark.")
