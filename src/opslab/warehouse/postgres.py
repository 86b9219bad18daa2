"""PostgreSQL as the engine: one transaction, so that every pass reads the same state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlglot
from psycopg import errors
from sqlglot import exp

from opslab.errors import DataError, MachineError
from opslab.warehouse.address import Address
from opslab.warehouse.dialects import rewritten
from opslab.warehouse.table import known_types, plain

_SECONDS = 15  # to wait for a connection
_SCHEMES = ("postgresql://", "postgres://")
_TYPES = {
    # sums of whole numbers are taken as those of floats: nothing overflows
    **dict.fromkeys(("int2", "int4", "int8"), "BIGINT"),
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "numeric": "DECIMAL",
    "bool": "BOOLEAN",
    **dict.fromkeys(("text", "varchar", "bpchar", "name"), "VARCHAR"),
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}
_WRITING = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Lock, exp.Command, exp.DDL)
_USERS = (  # what of a refusal lies with the table or the query that the spec names
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.InsufficientPrivilege,
    errors.InvalidSchemaName,
)


@contextmanager
def opened(variable: str, *, keeps: bool) -> Iterator[Postgres]:
    """Give a session on the database whose URL an environment variable holds.

    It reads only; where rows are kept aside it may make temporary tables, which end with it.
    """
    url = os.environ.get(variable, "").strip()
    if not url:
        raise DataError.of("warehouse.no_variable", field="data.connection", variable=variable)
    if not url.startswith(_SCHEMES):
        raise DataError.of("warehouse.other_engine", field="data.connection", variable=variable)
    wait = {} if "connect_timeout" in url else {"connect_timeout": _SECONDS}
    try:
        connection = psycopg.connect(url, **wait)
    except psycopg.Error:  # its text names host and user
        connection = None
    if connection is None:
        raise MachineError.of("warehouse.no_connection", variable=variable)
    try:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = not keeps
        connection.execute("SET TIME ZONE 'UTC'")
        yield Postgres(connection, variable, keeps=keeps)
    finally:
        connection.close()  # which takes back the transaction


class Postgres:
    """A session on PostgreSQL."""

    form = "postgres"

    def __init__(
        self, connection: psycopg.Connection[Any], variable: str, *, keeps: bool
    ) -> None:
        self._connection, self._variable, self._keeps = connection, variable, keeps
        self._sources: dict[str, exp.Expression] = {}
        self._kept = 0

    def add(self, name: str, data: Address) -> str:
        """Make a table or a query readable under a name; return what a reader is shown."""
        if data.variable != self._variable:  # cannot be: a spec names one connection
            raise DataError.of("warehouse.two_places", file=data.shown)
        self._sources[name] = _table(data) if data.table else _query(data)
        try:
            self.types(name)
        except _USERS as error:
            reason = (error.diag.message_primary or "").replace('"', "")
            key = "no_table" if data.table else "query_refused"
            raise DataError.of(f"warehouse.{key}", file=data.shown, reason=reason) from None
        return data.shown

    def types(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was added or kept, as DuckDB calls it."""
        cursor = self._execute(f"SELECT * FROM {name} LIMIT 0")
        known = self._connection.adapters.types
        kinds = {
            column.name: kind.name if (kind := known.get(column.type_code)) else "other"
            for column in cursor.description or ()
        }
        return known_types(kinds, _TYPES)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in DuckDB's SQL."""
        return [tuple(map(plain, row)) for row in self._execute(sql).fetchall()]

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query under a name: in a temporary table, or as a query in others."""
        query = self._rewritten(sql)
        if self._keeps:
            self._kept += 1
            kept = f"opslab_kept_{self._kept}"
            self._run(f"CREATE TEMPORARY TABLE {kept} AS {query.sql('postgres')}")
            self._run(f"ANALYZE {kept}")
            query = exp.to_table(kept)
        self._sources[name] = query

    def _rewritten(self, sql: str) -> exp.Expression:
        return rewritten(sql, "postgres", self._sources)

    def _execute(self, sql: str) -> psycopg.Cursor[Any]:
        return self._run(self._rewritten(sql).sql("postgres"))

    def _run(self, sql: str) -> psycopg.Cursor[Any]:
        try:
            return self._connection.execute(sql.encode())
        except (errors.NumericValueOutOfRange, errors.DivisionByZero) as error:
            raise OverflowError(type(error).__name__) from None
        except (psycopg.OperationalError, errors.QueryCanceled) as error:
            reason = type(error).__name__
            raise MachineError.of(
                "warehouse.broken_off", variable=self._variable, reason=reason
            ) from None


def _table(data: Address) -> exp.Expression:
    try:
        table = exp.to_table(data.table or "", dialect="postgres")
    except sqlglot.errors.SqlglotError:
        table = exp.Table()
    if not table.name or set(table.args) - {"this", "db", "catalog"}:
        raise DataError.of("warehouse.bad_table", field="data.table", table=data.table)
    return table


def _query(data: Address) -> exp.Expression:
    """Return a query's tree; raise for all but a single one that only reads."""
    try:
        parsed = sqlglot.parse(data.query or "", read="postgres")
    except sqlglot.errors.SqlglotError:
        parsed = []
    trees = [tree for tree in parsed if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], exp.Query) or trees[0].find(*_WRITING):
        raise DataError.of("warehouse.no_select", field="data.query")
    return trees[0]
