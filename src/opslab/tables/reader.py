"""Opening a table: a file of any format we read, or a data frame in memory."""

from __future__ import annotations

import atexit
import itertools
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from opslab import workspace
from opslab.errors import DataError, Problem
from opslab.tables import calendars
from opslab.tables.delimited import open_delimited, open_rows
from opslab.tables.dialect import as_utf8, encoding_of
from opslab.tables.import_report import MOST_TOLD, Answers, Decision, FileAnswers, Reading, Rows
from opslab.tables.records import read_records
from opslab.tables.source import ROW, Opening, Table, begin, literal, reason_of, types_of
from opslab.tables.workbooks import read_workbook

_MAGIC = {b"PK\x03\x04": ".xlsx", b"PAR1": ".parquet", b"\xd0\xcf\x11\xe0": ".xls"}
_TEXTS = (".csv", ".tsv", ".txt")
_FORMATS = (*_TEXTS, ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".parquet", ".ics")
_FRAMES = (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"))
_NUMBERS = itertools.count(1)
_MEMORY = "2GB"  # beyond it the engine moves rows to the scratch folder
_WORKBOOK_ROWS = 1_048_575  # that a sheet holds below its header


@contextmanager
def open_table(
    data: Any, *, name: str | None = None, answers: FileAnswers | None = None, strict: bool = True
) -> Iterator[Table]:
    """Open a table for reading, its columns under the names and with the types that the file gives them.

    Parameters
    ----------
    data : path, pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table or duckdb relation
        A path ends in ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.jsonl``, ``.parquet`` or
        ``.ics``.
    name : str, optional
        What the table is called in messages; a file's own path by default.
    answers : Answers, optional
        Where the file can be read in two ways.
    strict : bool
        Refuse a file whose header or rows would otherwise be mended, and told.

    Raises
    ------
    DataError
        When it is missing, empty, not what its name says, or asks a question.
    """
    with tempfile.TemporaryDirectory(prefix="opslab-") as scratch, _database() as connection:
        at = Opening(connection, name or _shown(data), answers or Answers(), Path(scratch), strict)
        with _told(at, data):
            yield _open(at, data)


def _shown(data: Any) -> str:
    return workspace.shown(data) if isinstance(data, str | Path) else "data"


def _open(at: Opening, data: Any) -> Table:
    return _open_file(at, Path(data)) if isinstance(data, str | Path) else _open_frame(at, data)


@contextmanager
def _told(at: Opening, data: Any) -> Iterator[None]:
    """Tell what the engine cannot read as the analyst's own table."""
    try:
        yield
    except duckdb.Error as error:
        key = "tables.unreadable" if isinstance(data, str | Path) else "tables.unreadable_frame"
        raise DataError.of(key, file=at.shown, reason=reason_of(error)) from None


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database of its own in the process's engine, which takes 40 times as long to start."""
    connection = _engine().cursor()
    name = f"opslab_{next(_NUMBERS)}"
    connection.execute(f"ATTACH ':memory:' AS {name}")
    begin(connection, name)
    try:
        yield connection
    finally:
        with suppress(
            duckdb.ConnectionException
        ):  # at the end of the process the engine may be gone
            connection.execute("USE memory")
            connection.execute(f"DETACH {name}")
            connection.close()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Return the process's engine; what does not fit into memory goes to a folder that ends with it."""
    scratch = tempfile.TemporaryDirectory(prefix="opslab-")
    connection = duckdb.connect(
        config={
            "temp_directory": scratch.name,
            "memory_limit": _MEMORY,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
        }
    )
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # else the machine's own
    atexit.register(scratch.cleanup)
    atexit.register(connection.close)
    return connection


def open_another(table: Table, data: Any, *, answers: FileAnswers | None = None) -> Table:
    """Open a second table in the engine of one whose rows have been kept under a name of their own.

    Parameters
    ----------
    table : Table
        Its `relation` cannot be read any more.
    data, answers
        As of `open_table`.
    """
    connection = table.connection
    connection.unregister("source")
    for name in ("source", "typed"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    ((engine,),) = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    at = Opening(connection, _shown(data), answers or Answers(), Path(tempfile.mkdtemp(dir=engine)))
    with _told(at, data):
        return _open(at, data)


def _open_file(at: Opening, path: Path) -> Table:
    shown = at.shown
    try:
        if path.is_dir():
            raise DataError.of("tables.folder", file=shown)
        if not path.is_file():
            near = workspace.near_name(path)
            raise DataError.of("tables.missing_file", file=shown, near=near)
        if path.stat().st_size == 0:
            raise DataError.of("tables.empty_file", file=shown)
        suffix = _format(path, shown)
        if suffix == ".parquet":
            return _open_parquet(at, path)
        if suffix in _TEXTS:
            return open_delimited(at, path)
        return _open_other(at, path, suffix)
    except OSError as error:
        raise DataError.of(
            "tables.unreadable", file=shown, reason=error.strerror or str(error)
        ) from error


def _format(path: Path, shown: str) -> str:
    """Return the format of a file by its ending; raise where its first bytes tell of another."""
    suffix = path.suffix.lower()
    with path.open("rb") as stream:
        found = _MAGIC.get(stream.read(4))
    if found == ".xls":
        raise DataError.of("tables.old_workbook", file=shown)
    if suffix not in _FORMATS:
        key = "tables.format" if suffix else "tables.no_suffix"
        raise DataError.of(key, file=shown, suffix=suffix, formats=", ".join(_FORMATS))
    if found and suffix in _TEXTS:
        raise DataError.of("tables.other_format", file=shown, suffix=found)
    return suffix


def _open_other(at: Opening, path: Path, suffix: str) -> Table:
    shown, answers, encoding = at.shown, at.answers, None
    if suffix in (".xlsx", ".xlsm"):
        found = read_workbook(path, shown, answers)
        suffix = ".xlsx"
    elif suffix == ".ics":
        found, encoding = _calendar_rows(path, shown, answers)
    else:
        encoding, suffix = encoding_of(path, shown, answers), ".jsonl"
        plain = (
            path
            if encoding == "utf-8"
            else as_utf8(path, encoding, at.scratch / "utf8.jsonl", shown)
        )
        try:
            found = read_records(plain, shown)
        except UnicodeDecodeError:
            raise DataError.of("tables.encoding", file=shown, encoding="utf-8") from None
    table = open_rows(at, found.header, found.rows)
    left, rows = len(found.rejections), table.reading.rows + len(found.rejections)
    if left * 10 > rows and suffix == ".xlsx":
        values = {"count": left, "rows": rows, "columns": table.reading.columns}
        raise DataError(
            Problem("tables.many_misfits", values, shown, found.rejections[0].values["line"])
        )
    decisions = [*found.decisions, *table.reading.decisions]
    if rows == _WORKBOOK_ROWS and suffix == ".xlsx":
        decisions.append(
            Decision("tables.decided_row_cap", {"count": _WORKBOOK_ROWS}, assumed=True)
        )
    reading = replace(
        table.reading,
        format=suffix[1:],
        sha256=workspace.sha256(path),
        encoding=encoding,
        decisions=tuple(decisions),
        rejected=left,
        rejections=tuple(found.rejections[:MOST_TOLD]),
    )
    return replace(table, reading=reading)


def _calendar_rows(path: Path, shown: str, answers: FileAnswers) -> tuple[Rows, str]:
    until = answers.until if isinstance(answers, Answers) else None
    events = calendars.read_calendar(path.read_bytes(), file=shown, until=until)
    told = {name: getattr(events, name) for name in ("series", "moved", "excluded", "open_ended")}
    decisions = [Decision("tables.decided_series", told)] if events.series else []
    if events.zones:
        decisions.append(Decision("tables.decided_zones", {"zones": list(events.zones)}))
    return Rows(calendars.HEADER, enumerate(events.rows, 1), decisions), events.encoding


def _open_parquet(at: Opening, path: Path) -> Table:
    connection, shown = at.connection, at.shown
    connection.execute("SET parquet_metadata_cache = true")  # each slice is a query of its own
    connection.execute("SET enable_external_file_cache = false")  # the system's own is enough
    escaped = re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", str(path.resolve()))
    types = types_of(connection, f"read_parquet({literal(escaped)})", shown, "file_row_number")
    scan = f"read_parquet({literal(escaped)}, file_row_number = true)"
    relation = f"(SELECT * EXCLUDE (file_row_number), file_row_number AS {ROW} FROM {scan})"
    (rows,) = connection.execute(f"SELECT count(*) FROM {scan}").fetchall()[0]

    def piece(_cursor: duckdb.DuckDBPyConnection, start: int, stop: int) -> str:
        if start == 0 and stop >= rows:
            return f"(SELECT * FROM {scan})"
        return (
            f"(SELECT * FROM {scan} WHERE file_row_number >= {start} AND file_row_number < {stop})"
        )

    reading = Reading(shown, "parquet", rows, len(types), workspace.sha256(path))
    return Table(reading, types, relation, connection, piece)


def _open_frame(at: Opening, data: Any) -> Table:
    connection, shown = at.connection, at.shown
    module = type(data).__module__.partition(".")[0]
    if isinstance(
        data, duckdb.DuckDBPyRelation
    ):  # of another connection: its rows are written out, once
        written = at.scratch / "relation.parquet"
        data.write_parquet(str(written))
        table = _open_parquet(at, written)
        return replace(table, reading=replace(table.reading, format="frame", sha256=None))
    if (module, type(data).__name__) == ("polars", "LazyFrame"):
        data = data.collect()
    if (module, type(data).__name__) not in _FRAMES:
        kind = f"{module}.{type(data).__name__}".removeprefix("builtins.")
        raise DataError.of("tables.kind", file=shown, kind=kind)
    if module == "pandas" and any(
        column.to_numpy().strides[0] < 0
        for _, column in data.items()
        if column.dtype.kind in "biufcmMO"
    ):
        data = data.copy()  # the engine does not read columns backwards
    connection.register("source", data)
    types = types_of(connection, "source", shown)
    rows = len(data)

    def piece(cursor: duckdb.DuckDBPyConnection, start: int, stop: int) -> str:
        part = data.iloc[start:stop] if module == "pandas" else data.slice(start, stop - start)
        cursor.register(f"slice_{start}", part)
        return f"slice_{start}"

    relation = f"(SELECT *, row_number() OVER () - 1 AS {ROW} FROM source)"
    reading = Reading(shown, "frame", rows, len(types))
    return Table(reading, types, relation, connection, piece)
