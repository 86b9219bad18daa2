"""A table whose rows stay in another engine: that engine sums them, by the same SQL."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, Self

from opslab.errors import DataError
from opslab.tables.dates import in_utc
from opslab.tables.import_report import Reading
from opslab.tables.source import ROW, Table, quoted
from opslab.warehouse.dialects import Dialect, Sources, rewritten

_NOTHING = Reading("", "", 0, 0)


@dataclass(frozen=True, kw_only=True)
class RemoteTable(Table):
    """A table in another engine; its rows have neither order nor numbers: `ROW` is empty.

    Attributes
    ----------
    connection : psycopg.Connection or pyspark.sql.SparkSession
    sources : dict
        What has been added and kept.
    """

    remote: ClassVar[bool] = True
    dialect: ClassVar[Dialect]
    connection: Any
    sources: Sources

    @abstractmethod
    def add(self, name: str, data: Any) -> tuple[str, dict[str, str]]:
        """Make data readable under a name; return what it is called, and its columns' types."""

    @abstractmethod
    def run(self, sql: str) -> Iterable[Sequence[Any]]:
        """Return the rows of a query in the engine's own SQL."""

    def beside(self, data: Any, zone: str | None) -> Self:
        """Return a table of the same engine; of a stated zone its clock times are brought to UTC.

        Raises
        ------
        DataError
            When it cannot be read.
        """
        name = f"opslab_source_{len(self.sources)}"
        shown, types = self.add(name, data)
        columns = [
            f"{in_utc(quoted(column), zone)} AS {quoted(column)}"
            if zone and kind == "TIMESTAMP"
            else quoted(column)
            for column, kind in types.items()
        ]
        relation = f"(SELECT {', '.join(columns)}, CAST(NULL AS BIGINT) AS {ROW} FROM {name})"
        ((rows,),) = self.fetch(f"SELECT count(*) FROM {name}")
        reading = Reading(shown, self.dialect, rows, len(types))
        return replace(self, reading=reading, types=types, relation=relation)

    def native(self, sql: str) -> str:
        """Return a query over `relation` as the engine takes it."""
        return rewritten(sql, self.dialect, self.sources).sql(self.dialect)

    def fetch(self, sql: str, *, threads: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `relation`; in which order it sums is the engine's."""
        del threads
        return [tuple(map(_plain, row)) for row in self.run(self.native(sql))]

    def fetch_slices(self, query: Callable[[str], str]) -> list[list[tuple[Any, ...]]]:
        """Return the rows of a query over the whole table as those of its only slice."""
        return [self.fetch(query(self.relation))]

    def largest(
        self, source: str, columns: Sequence[str], most: int, looks: Sequence[str]
    ) -> tuple[Any, ...]:
        """Return the largest rows of a source, and aggregates over all of its rows."""
        order = ", ".join(f"{column} DESC" for column in columns)
        rows = f"SELECT {', '.join(columns)} FROM {source} ORDER BY {order} LIMIT {most}"
        return self.fetch(rows), *self.aggregates(looks, source)


def empty(kind: type[RemoteTable], connection: Any) -> RemoteTable:
    """Return a table of an engine before anything is read there."""
    return kind(
        reading=_NOTHING, types={}, relation="", extent=0, connection=connection, sources={}
    )


def failure(error: Exception, reason: str | None = None) -> DataError:
    """Return the error of a query that an engine cannot finish, without what its text quotes."""
    return DataError.of("warehouse.failed", reason=reason or type(error).__name__)


def _plain(cell: Any) -> Any:
    """Return an exact decimal as the whole number that it is, else as a float."""
    if not isinstance(cell, Decimal):
        return cell
    number = float(cell)
    return int(cell) if number.is_integer() else number
