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
from opslab.warehouse.address import Address
from opslab.warehouse.dialects import Dialect, rewritten
from opslab.warehouse.table import RemoteTable, empty, failure

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
def session(data: Address, *, keeps: bool) -> Iterator[RemoteTable]:
    """Give a session on the database whose URL an environment variable holds.

    It only reads; where rows are kept it makes temporary tables, which end with it.
    """
    variable, connection = data.connection.removeprefix("env:"), None
    url = os.environ.get(variable, "")
    if not url.startswith(("postgresql://", "postgres://")):
        raise DataError.of("warehouse.no_url", field="data.connection", variable=variable)
    with suppress(psycopg.Error):  # whose text names host and user
        connection = psycopg.connect(url, connect_timeout=_SECONDS)
    if connection is None:
        raise MachineError.of("warehouse.no_connection", variable=variable)
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = not keeps  # temporary tables are writing to PostgreSQL
        # all rows are summed: a join by loops is a wrong guess of how few there are
        connection.execute("SET TIME ZONE 'UTC'; SET enable_nestloop = off")
        yield empty(PostgresTable, connection)


class PostgresTable(RemoteTable):
    """A table of PostgreSQL."""

    dialect: ClassVar[Dialect] = "postgres"

    def add(self, name: str, data: Address) -> tuple[str, dict[str, str]]:
        """Make a table or a query readable under a name; return what it is called, and its types.

        Raises `DataError` for all but a single query that only reads.
        """
        (_, *more), source = data.source.split(), data.source
        shown = f"{'query' if more else source} ({data.snapshot or data.connection})"
        try:
            (tree,) = sqlglot.parse(source if more else f"SELECT * FROM {source}", read="postgres")
        except (sqlglot.errors.SqlglotError, ValueError):
            tree = None
        if not isinstance(tree, exp.Query) or tree.find(*_CHANGES):
            raise DataError.of("warehouse.no_select", file=shown)
        self.sources[name] = tree
        return shown, self.described(name)

    def described(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was added or kept, as DuckDB calls it."""
        known = self.connection.adapters.types
        columns = self.run(self.native(f"SELECT * FROM {name} LIMIT 0")).description
        kinds = [getattr(known.get(column.type_code), "name", "other") for column in columns]
        return {
            column.name: _TYPES.get(kind, kind.upper())
            for column, kind in zip(columns, kinds, strict=True)
        }

    def keep(self, name: str, sql: str) -> None:
        """Keep a query under a name: in a session that only reads itself, else its rows."""
        query = rewritten(sql, self.dialect, self.sources)
        if not self.connection.read_only:
            kept = f"opslab_kept_{next(_NUMBERS)}"
            self.run(f"CREATE TEMPORARY TABLE {kept} AS {query.sql(self.dialect)}")
            self.run(f"ANALYZE {kept}")
            query = exp.select("*").from_(kept)
        self.sources[name] = query

    def run(self, sql: str) -> Any:
        """Return the cursor of a query in PostgreSQL's own SQL."""
        try:
            return self.connection.execute(sql.encode())
        except psycopg.OperationalError as error:
            reason = type(error).__name__
            raise MachineError.of("warehouse.broken_off", reason=reason) from None
        except psycopg.ProgrammingError as error:  # a name, a right, a type
            raise DataError.of("warehouse.refused", reason=error.diag.message_primary) from None
        except psycopg.Error as error:  # whose text may hold values
            raise failure(error) from None
