"""An open table in the embedded engine (DuckDB): its columns, its rows in slices that repeat."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from opslab.errors import DataError
from opslab.tables.import_report import FileAnswers, Reading

if TYPE_CHECKING:
    import pandas as pd

ROW = "opslab_row"
"""Name of the added column with a row's place, from 0."""
NUMBER_TYPES = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "DOUBLE",
    "FLOAT",
    "DECIMAL",
)

_GROUP_ROWS = (
    122_880  # of a row group as DuckDB writes them; a slice that cuts none reads none twice
)
_SLICE_ROWS, _MOST_SLICES = 25 * _GROUP_ROWS, 8


@dataclass(frozen=True)
class Opening:
    """A table that is being opened: where its rows go, what it is called, how it is to be read."""

    connection: duckdb.DuckDBPyConnection
    shown: str
    answers: FileAnswers
    scratch: Path
    strict: bool = True


def thread_count() -> int:
    """Return how many threads to use: ``OPSLAB_THREADS``, or as many as the process may run on."""
    named = os.environ.get("OPSLAB_THREADS", "")
    if named.isdecimal() and int(named):
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Table:
    """An open table.

    Attributes
    ----------
    reading : Reading
    types : Mapping[str, str]
        The engine's type of each column, in the table's order.
    relation : str
        SQL of the whole table, its columns and `ROW`.
    headings : tuple of str
        What the file itself calls its columns, in their order.
    """

    reading: Reading
    types: Mapping[str, str]
    relation: str
    connection: duckdb.DuckDBPyConnection
    _slice: Callable[[duckdb.DuckDBPyConnection, int, int], str]
    headings: tuple[str, ...] = ()
    _threads: int = field(default_factory=thread_count)

    def fetch(self, sql: str, *, threads: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `relation`; with one thread float sums repeat to the last bit."""
        self.connection.execute(f"SET threads = {threads or self._threads}")
        return self.connection.execute(sql).fetchall()

    def over(self, source: str, types: Mapping[str, str], reading: Reading) -> Table:
        """Return a table of the same engine with some columns of another source, which holds `ROW` too."""
        names = ", ".join(map(quoted, types))

        def piece(_cursor: duckdb.DuckDBPyConnection, start: int, stop: int) -> str:
            return f"(SELECT {names} FROM {source} WHERE {ROW} >= {start} AND {ROW} < {stop})"

        relation = f"(SELECT {names}, {ROW} FROM {source})"
        return replace(self, types=types, relation=relation, reading=reading, _slice=piece)

    def frame(self) -> pd.DataFrame:
        """Return the whole table as a data frame, in the order of the file; lists as lists."""
        names = ", ".join(map(quoted, self.types))
        made: pd.DataFrame = self.connection.execute(
            f"SELECT {names} FROM {self.relation} ORDER BY {ROW}"
        ).df()
        for name, kind in self.types.items():
            if kind.endswith("[]"):
                made[name] = made[name].map(
                    lambda cell: list(cell) if hasattr(cell, "__iter__") else None
                )
        return made

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query as a table of that name, for later queries."""
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")

    def fetch_slices(self, query: Callable[[str], str]) -> list[list[tuple[Any, ...]]]:
        """Return the rows of one query for each slice of the table, in the order of the slices.

        Sums repeat to the last bit: the slices are the same whatever the machine, each is summed by
        one thread in the order of its rows, and slices run side by side.

        Parameters
        ----------
        query : callable
            Takes the SQL of a slice and returns the query over it.
        """
        self.connection.execute("SET threads = 1")  # one for each of the cursors below
        size = _slice_size(self.reading.rows)
        bounds = range(0, max(self.reading.rows, 1), size)
        workers = min(self._threads, len(bounds))
        ((database,),) = self.connection.execute("SELECT current_database()").fetchall()
        cursors = [self.connection.cursor() for _ in range(workers)]
        for cursor in cursors:
            begin(cursor, database)

        def work(worker: int) -> list[list[tuple[Any, ...]]]:
            cursor = cursors[worker]
            return [
                cursor.execute(query(self._slice(cursor, start, start + size))).fetchall()
                for start in bounds[worker::workers]
            ]

        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(work, range(workers)))
        return [parts[place % workers][place // workers] for place in range(len(bounds))]


def _slice_size(rows: int) -> int:
    """Return the rows of a slice: about the same for each, and few slices, as each one is planned anew."""
    slices = min(max(-(-rows // _SLICE_ROWS), 1), _MOST_SLICES)
    size = max(-(-rows // slices), 1)
    return size if size < _GROUP_ROWS else -(-size // _GROUP_ROWS) * _GROUP_ROWS


def begin(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Make a connection ready for one of the engine's databases, without a bar that shows slow queries."""
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"USE {database}")


def quoted(name: str) -> str:
    """Return a column name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text as SQL takes it."""
    return "'" + value.replace("'", "''") + "'"


def types_of(
    connection: duckdb.DuckDBPyConnection, relation: str, shown: str, taken: str = ROW
) -> dict[str, str]:
    """Return the engine's type of each column; raise for a name that the engine or opslab needs itself."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    for name in types:
        if name.casefold() in (ROW, taken):  # the engine does not tell upper from lower case
            raise DataError.of("tables.reserved", file=shown, field=name)
    return types


def reason_of(error: duckdb.Error) -> str:
    """Return what the engine says, without the values it quotes: they may be a unit's id, or a folder."""
    return re.sub(r"(['\"]).*?\1", "…", str(error).splitlines()[0])
