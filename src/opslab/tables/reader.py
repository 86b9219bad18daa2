"""Opening a table: a file of any format we read, or a data frame in memory."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from opslab import provenance, workspace
from opslab.errors import MachineError
from opslab.scratch import make_scratch
from opslab.tables.calendars import calendar_rows
from opslab.tables.delimited import SHEETS, open_delimited, open_rows
from opslab.tables.import_report import Answers, FileAnswers, Reading, Rows
from opslab.tables.json_records import read_json
from opslab.tables.source import (
    ROW,
    SIGNS,
    Opening,
    Table,
    begin,
    literal,
    path_literal,
    reading_errors,
    types_of,
)
from opslab.tables.workbooks import WORKBOOKS, read_workbook

_TEXTS = (".csv", ".tsv", ".txt")
_READERS: Mapping[str, Callable[[Opening], Rows]] = {
    **dict.fromkeys(WORKBOOKS, read_workbook),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), read_json),
    ".ics": calendar_rows,
}
_FORMS = {".xlsm": "xlsx", ".ndjson": "jsonl"}  # else as the ending
_FORMATS = (*_TEXTS, *_READERS, ".parquet")
_FRAMES = ("pandas.DataFrame", "polars.DataFrame", "polars.LazyFrame", "pyarrow.Table")
_NUMBERS = itertools.count(1)
_FREE = ["threads", "enable_progress_bar", "parquet_metadata_cache", "enable_external_file_cache"]
_MEMORY = "2GB"  # beyond it the engine moves rows to the scratch folder


@contextmanager
def open_table(
    data: Any, *, answers: FileAnswers | None = None, strict: bool = True, beside: Any = None
) -> Iterator[Table]:
    """Open a table for reading, its columns with the names and types that the file gives them.

    Parameters
    ----------
    data : path, pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table or duckdb relation
        A path ends in ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.xlsm``, ``.xlsb``, ``.xls``,
        ``.ods``, ``.json``, ``.jsonl``, ``.ndjson``, ``.parquet`` or ``.ics``.
    answers : Answers, optional
        Where the file can be read in two ways.
    strict : bool
        Refuse a file whose header or rows would otherwise be mended, and told.
    beside : path or frame, optional
        A second table that `open_another` will open in the same engine.

    Raises
    ------
    DataError
        When it is missing, empty, not what its name says, or asks a question.
    """
    with _database(data, beside) as (connection, scratch):
        yield _open(connection, data, answers, scratch, strict=strict)


def _open(
    connection: duckdb.DuckDBPyConnection,
    data: Any,
    answers: FileAnswers | None,
    scratch: Path,
    *,
    strict: bool = True,
) -> Table:
    is_path = isinstance(data, str | Path)
    shown, path = (workspace.shown(data), Path(data)) if is_path else ("data", Path())
    opening = Opening(connection, shown, answers or Answers(), scratch, strict, path)
    with reading_errors(shown, "" if is_path else "frame"):
        return _open_file(opening) if is_path else _open_frame(opening, data)


@contextmanager
def _database(*data: Any) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Give a database of its own in an engine, which takes 40 times as long to start, and scratch.

    The engine may read the files beside those given, and nothing else.
    """
    paths = [os.path.realpath(each) for each in data if isinstance(each, str | Path)]
    engine = _engine(frozenset(map(_readable_folder, paths)))
    connection = engine.connection.cursor()
    name = f"opslab_{next(_NUMBERS)}"
    connection.execute(f"ATTACH ':memory:' AS {name}")
    begin(connection, name)
    scratch = Path(tempfile.mkdtemp(dir=engine.scratch))
    try:
        yield connection, scratch
    finally:
        # at the end of the process the engine may be gone
        with suppress(duckdb.ConnectionException):
            connection.execute(f"USE memory; DETACH {name}")
            connection.close()
        if arrow := sys.modules.get("pyarrow"):  # keeps what frames held, else
            arrow.default_memory_pool().release_unused()
        shutil.rmtree(scratch, ignore_errors=True)


def _readable_folder(path: str) -> str:
    """Return the folder of a file, or the nearest above whose name the engine takes as it is."""
    folder = str(Path(path).parent)
    return _readable_folder(folder) if SIGNS.search(folder) else folder


class _Engine:
    """An engine whose settings are locked; what memory does not hold goes to its scratch folder."""

    def __init__(self, folders: Iterable[str]) -> None:
        self.scratch = make_scratch()
        self.connection = duckdb.connect(
            config={
                "temp_directory": str(self.scratch),
                "memory_limit": _MEMORY,
                "allocator_background_threads": "true",  # gives back what closed tables held
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "preserve_insertion_order": "true",
            }
        )
        readable = [*folders, str(self.scratch)]
        allowed = ", ".join(literal(f"{Path(folder, '_')}"[:-1]) for folder in readable)
        settings = [
            "TimeZone = 'UTC'",  # else the machine's own
            # of DuckDB 2.0.0: it fails on the first or last rows by a number made of the row's own
            "disabled_optimizers = 'late_materialization'",
            f"allowed_directories = [{allowed}]",
            f"allowed_configs = {_FREE}",
            "enable_external_access = false",
            "lock_configuration = true",
        ]
        for setting in settings:
            self.connection.execute(f"SET GLOBAL {setting}")
        weakref.finalize(self, _end, self.connection, self.scratch)


def _end(connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    connection.close()
    shutil.rmtree(scratch, ignore_errors=True)


@lru_cache(maxsize=2)
def _engine(folders: frozenset[str]) -> _Engine:
    return _Engine(sorted(folders))


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
    table.forget()
    ((scratch,),) = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    return _open(connection, data, answers, Path(tempfile.mkdtemp(dir=scratch)))


def _open_file(opening: Opening) -> Table:
    path = opening.path
    try:
        if path.is_dir():
            raise opening.error("tables.folder")
        if not path.is_file():
            raise opening.error(
                "tables.no_file" if path.exists() else "tables.missing_file",
                near=workspace.near_name(path),
            )
        if path.stat().st_size == 0:
            raise opening.error("tables.empty_file")
        suffix = path.suffix.lower()
        if suffix not in _FORMATS:
            raise opening.error(
                "tables.format" if suffix else "tables.no_suffix",
                suffix=suffix,
                formats=", ".join(_FORMATS),
            )
        before = provenance.state_of(path)
        with ThreadPoolExecutor(1) as pool:
            sha256 = pool.submit(workspace.sha256, path)
            if suffix == ".parquet":
                table = _open_parquet(opening, path)
            elif suffix in _TEXTS:
                table = open_delimited(opening)
            else:
                form = _FORMS.get(suffix, suffix[1:])
                table = open_rows(opening, _READERS[suffix](opening), form)
            _refuse_answers(opening, table.reading.format)
            provenance.note(path, sha256.result(), before)
            return replace(table, reading=replace(table.reading, sha256=sha256.result()))
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.ENOSPC:  # of what is written aside
            raise MachineError.of(
                "tables.write_machine", file=str(opening.scratch), reason=reason
            ) from error
        raise opening.error("tables.unreadable", reason=reason) from error


def _refuse_answers(opening: Opening, form: str) -> None:
    """Raise for an answer about the rows of a text or a sheet where they are neither."""
    for name in ("header", "skip_rows", "totals"):
        if getattr(opening.answers, name) is not None and form not in ("csv", *SHEETS):
            raise opening.error("tables.useless_answer", field=name)


def _open_parquet(opening: Opening, path: Path, form: str = "parquet") -> Table:
    connection = opening.connection
    # each slice is a query of its own; the system's own cache of files is enough
    connection.execute("SET parquet_metadata_cache = true; SET enable_external_file_cache = false")
    types = types_of(opening, f"read_parquet({path_literal(path)})", "file_row_number")
    scan = f"read_parquet({path_literal(path)}, file_row_number = true)"
    relation = f"(SELECT * EXCLUDE (file_row_number), file_row_number AS {ROW} FROM {scan})"
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {scan}").fetchall()
    reading = Reading(opening.shown, form, rows, len(types))
    return Table(reading, types, relation, connection, rows, scanned=scan)


def _open_frame(opening: Opening, data: Any) -> Table:
    connection = opening.connection
    if isinstance(data, duckdb.DuckDBPyRelation):  # of another connection: written out, once
        written = opening.scratch / "relation.parquet"
        data.write_parquet(str(written))
        return _open_parquet(opening, written, "frame")
    module = type(data).__module__.partition(".")[0]
    kind = f"{module}.{type(data).__name__}"
    if kind not in _FRAMES:
        raise opening.error("tables.kind", kind=kind.removeprefix("builtins."))
    if kind == "polars.LazyFrame":
        data = data.collect()
    if module == "pandas" and any(
        column.to_numpy().strides[0] < 0
        for _, column in data.items()
        if column.dtype.kind in "biufcmMO"
    ):
        data = data.copy()  # the engine does not read columns backwards
    connection.register("source", data)
    types = types_of(opening, "source")
    reading = Reading(opening.shown, "frame", len(data), len(types))
    relation = f"(SELECT *, row_number() OVER () - 1 AS {ROW} FROM source)"
    return Table(reading, types, relation, connection, len(data), scanned="source", data=data)
