"""An open table in the embedded engine (DuckDB): its columns, its rows in slices that repeat."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from opslab.errors import DataError
from opslab.tables.import_report import FileAnswers, Reading

if TYPE_CHECKING:
    import pandas as pd

ROW = "opslab_row"
"""Name of the added column with a row's place.

One more than it is the line or row that an editor or a spreadsheet shows; of a frame and of a
Parquet file the number of the row.
"""
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

# of a row group as DuckDB writes them; a slice that cuts none reads none twice
_GROUP_ROWS = 122_880
_SLICE_ROWS, _MOST_SLICES = 25 * _GROUP_ROWS, 8


SIGNS = re.compile(r"[*?\[]")
"""Of a pattern, as the engine takes paths."""
OUR_FAULTS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.FatalException,
)
"""What the engine says of wrong SQL, or when it is broken: no file of a user can be the cause."""


@dataclass(frozen=True)
class Opening:
    """A table that is being opened: where its rows go, what it is called, how it is to be read."""

    connection: duckdb.DuckDBPyConnection
    shown: str
    answers: FileAnswers
    scratch: Path
    strict: bool = True
    path: Path = Path()

    def error(self, key: str, **values: Any) -> DataError:
        """Return the error about the file, with ``line`` and ``field`` as of `DataError.of`."""
        return DataError.of(key, file=self.shown, **values)


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
    extent : int
        One more than the last of `ROW`, in which rows that were left out leave gaps.
    headings : tuple of str
        What the file itself calls its columns, in their order.
    scanned : str
        SQL of what is read in place, which may turn out to be unreadable at any query.
    data : pandas.DataFrame, polars.DataFrame, pyarrow.Table or None
        The frame that is read in place: other threads' cursors do not see it by its name.
    written : Table or None
        The table whose columns were given their types: its cells are as they stand in the file.
    """

    reading: Reading
    types: Mapping[str, str]
    relation: str
    connection: duckdb.DuckDBPyConnection
    extent: int
    headings: tuple[str, ...] = ()
    scanned: str = ""
    data: Any = None
    written: Table | None = None
    _threads: int = field(default_factory=thread_count)
    remote: ClassVar[bool] = False
    """Whether the rows stay in another engine, where they have no order and no numbers."""

    def fetch(self, sql: str, *, threads: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `relation`.

        With one thread float sums repeat to the last bit.
        """
        self.connection.execute(f"SET threads = {threads or self._threads}")
        with self._readable():
            return self.connection.execute(sql).fetchall()

    def arrays(self, sql: str) -> dict[str, Any]:
        """Return the columns of a query over `relation` as NumPy arrays."""
        with self._readable():
            return self.connection.execute(sql).fetchnumpy()

    def arrow(self, sql: str) -> Any:
        """Return the rows of a query over `relation` as a table of Arrow."""
        with self._readable():
            return self.connection.sql(sql).to_arrow_table()

    def aggregates(self, expressions: Iterable[str], source: str = "") -> tuple[Any, ...]:
        """Return expressions over all rows of `relation`, or of another source, as one row."""
        (row,) = self.fetch(f"SELECT {', '.join(expressions)} FROM {source or self.relation}")
        return row

    def described(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was kept under a name."""
        return {column: kind for column, kind, *_ in self.fetch(f"DESCRIBE {name}")}

    def largest(
        self, source: str, columns: Sequence[str], most: int, looks: Sequence[str]
    ) -> tuple[Any, ...]:
        """Return the largest rows of a source, and aggregates over all of its rows, in one pass."""
        # A heap, as the engine would sort all rows for so many.
        return self.aggregates([f"max(row({', '.join(columns)}), {most})", *looks], source)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Tell an error of the engine as the user's where the rows alone cannot be read."""
        try:
            yield
        except duckdb.Error:
            if self.scanned:
                with suppress(*OUR_FAULTS), reading_errors(self.reading.name, self.reading.format):
                    self.connection.execute(
                        f"SELECT bit_xor(hash(COLUMNS(*))) FROM {self.scanned}"
                    ).fetchall()
            raise

    def over(self, source: str, types: Mapping[str, str], reading: Reading) -> Table:
        """Return a table of the same engine with some columns of a source that holds `ROW` too."""
        relation = f"(SELECT {', '.join([*map(quoted, types), ROW])} FROM {source})"
        known = dict(zip(self.types, self.headings, strict=False))
        headings = tuple(known[name] for name in types if name in known)
        return replace(
            self, types=types, relation=relation, headings=headings, reading=reading, data=None
        )

    def frame(self) -> pd.DataFrame:
        """Return the whole table as a data frame, in the order of the file; lists as lists."""
        with self._readable():
            frame: pd.DataFrame = self.connection.execute(
                f"SELECT * FROM {self.relation} ORDER BY {ROW}"
            ).df()
        del frame[ROW]
        for name, kind in self.types.items():
            if kind.endswith("[]"):
                frame[name] = frame[name].map(
                    lambda cell: list(cell) if hasattr(cell, "__iter__") else None
                )
        return frame

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query as a table of that name, for later queries."""
        with self._readable():
            self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")

    def forget(self) -> None:
        """Free the rows of `relation`, once those that are needed are kept under other names."""
        self.connection.unregister("source")
        self.connection.execute("DROP TABLE IF EXISTS source; DROP TABLE IF EXISTS typed")

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
        size = _slice_size(self.extent)
        starts = range(0, max(self.extent, 1), size)
        ((database,),) = self.connection.execute("SELECT current_database()").fetchall()
        cursors = [self.connection.cursor() for _ in starts]

        def work(start: int, cursor: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
            begin(cursor, database)
            return cursor.execute(query(self._slice(cursor, start, start + size))).fetchall()

        with self._readable(), ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(work, starts, cursors))

    def _slice(self, cursor: duckdb.DuckDBPyConnection, start: int, stop: int) -> str:
        """Return SQL of the rows between two values of `ROW`."""
        if self.data is None:
            return f"(SELECT * FROM {self.relation} WHERE {ROW} >= {start} AND {ROW} < {stop})"
        rows = getattr(self.data, "iloc", self.data)
        cursor.register(f"slice_{start}", rows[start:stop])
        return f"slice_{start}"


def _slice_size(rows: int) -> int:
    """Return the rows of a slice: about the same for each, in few slices, as each costs a plan."""
    slices = min(rows // _SLICE_ROWS + 1, _MOST_SLICES)
    size = rows // slices + 1
    return size if size < _GROUP_ROWS else -(-size // _GROUP_ROWS) * _GROUP_ROWS


def begin(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Make a connection ready for one of the engine's databases, without a progress bar."""
    connection.execute(f"SET enable_progress_bar = false; USE {database}")


def quoted(name: str) -> str:
    """Return a column name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text as SQL takes it."""
    return "'" + value.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """Return a file's path as SQL takes it, so that none of its signs is one of a pattern."""
    return literal(SIGNS.sub(r"[\g<0>]", str(path.resolve())))


def types_of(opening: Opening, relation: str, taken: str = ROW) -> dict[str, str]:
    """Return the engine's type of each column; raise for a name that the engine or opslab needs."""
    described = opening.connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    for name in types:
        if name.casefold() in (ROW, taken):  # the engine does not tell upper from lower case
            raise opening.error("tables.reserved", field=name)
    return types


@contextmanager
def reading_errors(name: str, form: str = "") -> Iterator[None]:
    """Tell what the engine cannot read as the analyst's table; wrong SQL stays our own fault.

    What the engine says is told without the values it quotes: they may be a unit's id, or a folder.
    """
    try:
        yield
    except OUR_FAULTS:
        raise
    except duckdb.Error as error:
        key = "tables.unreadable_frame" if form == "frame" else "tables.unreadable"
        reason = re.sub(r"(['\"]).*?\1", "…", str(error).splitlines()[0])
        raise DataError.of(key, file=name, reason=reason) from None
