"""Spark as the engine: queries over a frame run in the frame's own session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.errors import PySparkException
from sqlglot import exp

from opslab.errors import DataError
from opslab.warehouse.address import is_spark
from opslab.warehouse.dialects import rewritten
from opslab.warehouse.table import known_types, plain

_TYPES = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), "BIGINT"),
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}
_NUMBERS = itertools.count(1)
_UTC = (
    "timestampadd(MICROSECOND, unix_micros({name}), TIMESTAMP_NTZ '1970-01-01 00:00:00') AS {name}"
)


@contextmanager
def session_of(frame: Any) -> Iterator[Spark]:
    """Give the session of a frame; its temporary views end here."""
    spark = Spark(frame.sparkSession)
    try:
        yield spark
    finally:
        spark.close()


class Spark:
    """A session of Spark."""

    form = "spark"

    def __init__(self, session: Any) -> None:
        self._session = session
        self._frames: list[Any] = []
        self._views: dict[str, str] = {}
        self._instants: dict[str, set[str]] = {}

    def add(self, name: str, data: Any) -> str:
        """Make a frame readable under a name; return what a reader is shown."""
        if not is_spark(data) or data.sparkSession is not self._session:
            raise DataError.of("warehouse.two_places", file="data")
        instants = {column for column, kind in data.dtypes if kind == "timestamp"}
        names = [(column, "`" + column.replace("`", "``") + "`") for column in data.columns]
        columns = [_UTC.format(name=name) if column in instants else name for column, name in names]
        self._view(name, data.selectExpr(*columns))
        self._instants[name] = instants
        return "data"

    def types(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was added or kept, as DuckDB calls it."""
        kinds = dict(self._session.table(self._views[name]).dtypes)
        instants = dict.fromkeys(self._instants.get(name, ()), "timestamp")
        return known_types(kinds | instants, _TYPES)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in DuckDB's SQL."""
        try:
            return [tuple(map(plain, row)) for row in self._query(sql).collect()]
        except PySparkException as error:
            reason = error.getCondition() or type(error).__name__
            raise DataError.of("warehouse.failed", file="data", reason=reason) from None

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query under a name: persisted until the session is closed here."""
        frame = self._query(sql).persist()
        self._frames.append(frame)
        self._view(name, frame)

    def close(self) -> None:
        """Drop the views, and what was persisted."""
        for view in self._views.values():
            self._session.catalog.dropTempView(view)
        for frame in self._frames:
            frame.unpersist()

    def _view(self, name: str, frame: Any) -> None:
        self._views[name] = f"opslab_view_{next(_NUMBERS)}"
        frame.createTempView(self._views[name])

    def _query(self, sql: str) -> Any:
        sources = {name: exp.to_table(view) for name, view in self._views.items()}
        return self._session.sql(rewritten(sql, "spark", sources).sql("spark"))
