"""PostgreSQL as the engine: one transaction, so that every pass reads the same state."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import psycopg
import sqlglot
from sqlglot import exp

from opslab.errors import DataError, MachineError
from opslab.tables.import_report import Reading
from opslab.warehouse.address import Address
from opslab.warehouse.dialects import Dialect, rewritten
from opslab.warehouse.table import RemoteTable, plain

_SECONDS = 15  # to wait for a connection
_NUMBERS = itertools.count(1)
_TYPES = {
    # sums of whole numbers are taken as those of floats: nothing overflows
    **dict.fromkeys(("int2", "int4", "int8"), "BIGINT"),
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "numeric": "DECIMAL",
    "bool": "BOOLEAN",
    **dict.fromkeys(("text", "varchar", "bpchar", "name"), "VARCHAR"),
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}
_CHANGES = (exp.DML, exp.DDL, exp.Into, exp.Lock, exp.Command)


@contextmanager
def session(data: Address, *, keeps: bool) -> Iterator[PostgresTable]:
    """Give a session on the database whose URL an environment variable holds.

    It only reads; where rows are kept it makes temporary tables, which end with it.
    """
    variable, connection = data.variable, None
    url = os.environ.get(variable, "").strip()
    if not url.startswith(("postgresql://", "postgres://")):
        key = "other_engine" if url else "no_variable"
        raise DataError.of(f"warehouse.{key}", field="data.connection", variable=variable)
    with suppress(psycopg.Error):  # whose text names host and user
        connection = psycopg.connect(url, connect_timeout=_SECONDS)
    if connection is None:
        raise MachineError.of("warehouse.no_connection", variable=variable)
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = not keeps  # temporary tables are writing to PostgreSQL
        connection.execute("SET TIME ZONE 'UTC'")
        reading = Reading(data.shown, "postgres", 0, 0)
        yield PostgresTable(
            reading=reading, types={}, relation="", extent=0, connection=connection, sources={}
        )
        connection.rollback()


class PostgresTable(RemoteTable):
    """A table of PostgreSQL."""

    dialect: ClassVar[Dialect] = "postgres"

    def add(self, name: str, data: Address) -> tuple[str, dict[str, str]]:
        """Make a table or a query readable under a name; return what it is called, and its types.

        Raises `DataError` for all but a single query that only reads.
        """
        try:
            query = data.source if data.is_query else f"SELECT * FROM {data.source}"
            (tree,) = sqlglot.parse(query, read="postgres")
        except (sqlglot.errors.SqlglotError, ValueError):
            tree = None
        if not isinstance(tree, exp.Query) or tree.find(*_CHANGES):
            raise DataError.of("warehouse.no_select", file=data.shown)
        self.sources[name] = tree
        try:
            return data.shown, self.described(name)
        except psycopg.ProgrammingError as error:
            reason = error.diag.message_primary
            raise DataError.of("warehouse.refused", file=data.shown, reason=reason) from None

    def fetch(self, sql: str, *, threads: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `relation`; in which order it sums is the engine's."""
        del threads
        return [plain(row) for row in self._run(self.native(sql))]

    def described(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was added or kept, as DuckDB calls it."""
        cursor = self._run(self.native(f"SELECT * FROM {name} LIMIT 0"))
        known = self.connection.adapters.types
        kinds = {
            column.name: getattr(known.get(column.type_code), "name", "other")
            for column in cursor.description or ()
        }
        return {name: _TYPES.get(kind, kind.upper()) for name, kind in kinds.items()}

    def keep(self, name: str, sql: str) -> None:
        """Keep a query under a name: in a session that only reads itself, else its rows."""
        query = rewritten(sql, self.dialect, self.sources)
        if not self.connection.read_only:
            kept = f"opslab_kept_{next(_NUMBERS)}"
            self._run(f"CREATE TEMPORARY TABLE {kept} AS {query.sql(self.dialect)}")
            self._run(f"ANALYZE {kept}")
            query = exp.select("*").from_(kept)
        self.sources[name] = query

    def _run(self, sql: str) -> Any:
        try:
            return self.connection.execute(sql.encode())
        except (psycopg.DataError, psycopg.InternalError) as error:
            raise self.failure(type(error).__name__) from None
        except psycopg.OperationalError as error:
            file, reason = self.reading.name, type(error).__name__
            raise MachineError.of("warehouse.broken_off", file=file, reason=reason) from None
