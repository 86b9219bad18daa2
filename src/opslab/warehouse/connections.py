"""Opening a table of a warehouse, or a Spark frame, by the package that an extra brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from opslab.errors import ExtraError
from opslab.warehouse.address import Address
from opslab.warehouse.table import RemoteTable


def is_remote(data: Any) -> bool:
    """Whether the rows of data are in another engine: an address, or a Spark frame."""
    return isinstance(data, Address) or hasattr(data, "sparkSession")


@contextmanager
def open_remote(data: Any, zone: str | None, *, keeps: bool) -> Iterator[RemoteTable]:
    """Open a table of a warehouse, or a Spark frame.

    Parameters
    ----------
    data : Address or pyspark.sql.DataFrame
    zone : str or None
        Of clock times, as the spec states it.
    keeps : bool
        Whether rows are kept aside there, in temporary tables.

    Raises
    ------
    ExtraError
        When the engine's package is not installed.
    MachineError
        When there is no connection.
    DataError
        When the table or the query cannot be read.
    """
    name, extra = ("postgres", "warehouse") if isinstance(data, Address) else ("spark", "spark")
    try:
        engine = import_module(f"opslab.warehouse.{name}")
    except ModuleNotFoundError as error:
        raise ExtraError.of("warehouse.extra", extra=extra, package=error.name) from None
    with engine.session(data, keeps=keeps) as table:
        yield table.beside(data, zone)
