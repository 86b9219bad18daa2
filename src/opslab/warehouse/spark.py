"""Spark as the engine: queries over a frame run in the frame's own session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlglot import exp

from opslab.errors import DataError
from opslab.warehouse.dialects import Dialect
from opslab.warehouse.table import RemoteTable, empty, failure

_NUMBERS = itertools.count(1)
_TYPES = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), "BIGINT"),
    "string": "VARCHAR",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}
_UTC = "timestampadd(MICROSECOND, unix_micros({0}), CAST('1970-01-01' AS TIMESTAMP_NTZ)) AS {0}"


@contextmanager
def session(data: Any, *, keeps: bool) -> Iterator[RemoteTable]:
    """Give the session of a frame; the views that are made in it end here."""
    del keeps
    table = empty(SparkTable, data.sparkSession)
    try:
        yield table
    finally:
        for source in table.sources.values():
            for view in source.find_all(exp.Table):
                table.connection.catalog.dropTempView(view.name)


class SparkTable(RemoteTable):
    """A Spark frame."""

    dialect: ClassVar[Dialect] = "spark"

    def add(self, name: str, data: Any) -> tuple[str, dict[str, str]]:
        """Make a frame readable under a name; return what it is called, and its columns' types."""
        if getattr(data, "sparkSession", None) is not self.connection:
            raise DataError.of("warehouse.two_sessions")
        columns = [(f"`{column.replace('`', '``')}`", kind) for column, kind in data.dtypes]
        clock = [_UTC.format(name) if kind == "timestamp" else name for name, kind in columns]
        self._view(name, data.selectExpr(*clock))
        return "data", _types(data)

    def described(self, name: str) -> dict[str, str]:
        """Return the type of each column of what was kept under a name, as DuckDB calls it."""
        return _types(self.connection.sql(self.native(f"SELECT * FROM {name}")))

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query under a name: with the executors, as long as it is needed."""
        self._view(name, self.connection.sql(self.native(sql)).localCheckpoint())

    def run(self, sql: str) -> Any:
        """Return the rows of a query in Spark's own SQL."""
        from pyspark.errors import PySparkException

        try:
            return self.connection.sql(sql).collect()
        except PySparkException as error:
            raise failure(error, error.getCondition()) from None

    def _view(self, name: str, frame: Any) -> None:
        view = f"opslab_view_{next(_NUMBERS)}"
        frame.createTempView(view)
        self.sources[name] = exp.select("*").from_(view)


def _types(frame: Any) -> dict[str, str]:
    return {name: _TYPES.get(kind, kind.upper()) for name, kind in frame.dtypes}
