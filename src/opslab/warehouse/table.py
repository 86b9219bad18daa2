"""A table whose rows stay in another engine: that engine sums them, by the same SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from zoneinfo import available_timezones

from opslab.errors import DataError, ExtraError
from opslab.tables.dates import in_utc
from opslab.tables.import_report import Reading
from opslab.tables.source import ROW, Table, quoted
from opslab.warehouse.address import Address

_SOURCE = "opslab_source"


class Engine(Protocol):
    """Another engine, in which queries of ours run."""

    form: str
    """Name of the engine, as `Reading.format`."""

    def add(self, name: str, data: Any) -> str:
        """Make a table or a query readable under a name; return what a reader is shown."""

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in DuckDB's SQL."""

    def types(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was added or kept, as DuckDB calls it."""

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query under a name."""


@dataclass(frozen=True, kw_only=True)
class RemoteTable(Table):
    """A table in another engine.

    Its rows have neither an order nor numbers: `ROW` is empty in all of them.
    """

    remote: ClassVar[bool] = True
    connection: Any = None
    engine: Engine

    def fetch(self, sql: str, *, threads: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `relation`; in which order it sums is the engine's."""
        del threads
        return self.engine.fetch(sql)

    def described(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was kept under a name."""
        return self.engine.types(name)

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query under a name, for later queries: in the engine."""
        self.engine.keep(name, sql)

    def fetch_slices(self, query: Callable[[str], str]) -> list[list[tuple[Any, ...]]]:
        """Return the rows of a query over the whole table as those of its only slice."""
        return [self.fetch(query(self.relation))]

    def largest(
        self, source: str, columns: Sequence[str], most: int, looks: Sequence[str]
    ) -> tuple[Any, ...]:
        """Return the largest rows of a source, and aggregates over all of its rows."""
        order = ", ".join(f"{column} DESC NULLS LAST" for column in columns)
        rows = self.fetch(f"SELECT {', '.join(columns)} FROM {source} ORDER BY {order} LIMIT {most}")
        return rows, *self.aggregates(looks, source)


@contextmanager
def open_remote(data: Any, zone: str | None, *, keeps: bool) -> Iterator[RemoteTable]:
    """Open a table of a warehouse, or a Spark frame.

    Parameters
    ----------
    data : Address or pyspark.sql.DataFrame
    zone : str or None
        Zone of clock times, as the spec states it.
    keeps : bool
        Whether rows will be kept aside there, in temporary tables.

    Raises
    ------
    ExtraError
        When the package of the engine is not installed.
    MachineError
        When there is no connection.
    DataError
        When the table or the query cannot be read.
    """
    with _engine(data, keeps=keeps) as engine:
        yield _opened(engine, _SOURCE, data, zone)


def open_beside(table: RemoteTable, data: Any, zone: str | None) -> RemoteTable:
    """Open a second table in the engine of one."""
    return _opened(table.engine, f"{_SOURCE}_2", data, zone)


def _engine(data: Any, *, keeps: bool) -> AbstractContextManager[Engine]:
    try:
        if isinstance(data, Address):
            from opslab.warehouse.postgres import opened

            return opened(data.variable, keeps=keeps)
        from opslab.warehouse.spark import session_of

        return session_of(data)
    except ModuleNotFoundError as error:
        extra = "warehouse" if isinstance(data, Address) else "spark"
        raise ExtraError.of("warehouse.extra", extra=extra, package=error.name) from None


def _opened(engine: Engine, name: str, data: Any, zone: str | None) -> RemoteTable:
    shown = engine.add(name, data)
    if zone and zone not in available_timezones():
        raise DataError.of("tables.no_zone", file=shown, zone=zone)
    types = engine.types(name)
    if ROW in map(str.casefold, types):
        raise DataError.of("tables.reserved", file=shown, field=ROW)
    columns = [f"{_column(column, kind, zone)} AS {quoted(column)}" for column, kind in types.items()]
    relation = f"(SELECT {', '.join(columns)}, CAST(NULL AS BIGINT) AS {ROW} FROM {name})"
    ((rows,),) = engine.fetch(f"SELECT count(*) FROM {name}")
    reading = Reading(shown, engine.form, rows, len(types))
    return RemoteTable(
        reading=reading, types=types, relation=relation, extent=0, engine=engine
    )


def _column(name: str, kind: str, zone: str | None) -> str:
    """Return SQL of a column, clock times of a stated zone brought to UTC."""
    return in_utc(quoted(name), zone) if zone and kind == "TIMESTAMP" else quoted(name)


def plain(value: Any) -> Any:
    """Return a cell as Python counts: an exact decimal as a whole number, or a float."""
    if type(value).__name__ != "Decimal":
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def known_types(kinds: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return columns by DuckDB's name of their type; of another one by its own name."""
    return {name: known.get(kind, kind.upper()) for name, kind in kinds.items()}
