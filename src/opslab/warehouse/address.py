"""Where a warehouse keeps a table: the variable of its connection, and what is read there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Address:
    """A table or a query of a warehouse.

    Attributes
    ----------
    variable : str
        The environment variable that holds the URL of the connection.
    table : str or None
        ``schema.table``.
    query : str or None
        A single SELECT, in the warehouse's own SQL.
    snapshot : str or None
        Name of the state that is read.
    """

    variable: str
    table: str | None = None
    query: str | None = None
    snapshot: str | None = None

    @property
    def shown(self) -> str:
        """What a reader is shown: no part of the connection but its variable."""
        what = f"{self.table or 'query'} (env:{self.variable})"
        return f"{what}, {self.snapshot}" if self.snapshot else what


def is_spark(data: Any) -> bool:
    """Whether data is a Spark frame, of a classic session or of Spark Connect."""
    module = type(data).__module__
    return module.startswith("pyspark.sql") and type(data).__name__ == "DataFrame"


def is_remote(data: Any) -> bool:
    """Whether the rows of data are in another engine."""
    return isinstance(data, Address) or is_spark(data)
