"""Opening text files of rows: the engine reads them; rows that do not fit the header are told apart."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from opslab import workspace
from opslab.errors import DataError, Problem
from opslab.tables.dialect import (
    LONGEST_LINE,
    as_utf8,
    column_names,
    dialect_of,
    encoding_of,
    legacy_encoding,
    long_cells,
    refuse_names,
)
from opslab.tables.import_report import MOST_TOLD, Decision, Reading, Rejection
from opslab.tables.source import ROW, Opening, Table, literal, quoted, reason_of, types_of

_MOST_REJECTED = 0.1


@dataclass(frozen=True)
class _Source:
    """A file as the engine is given it: UTF-8, with its rows' numbers where some were left out."""

    path: Path
    mark: str
    above: int
    rejections: tuple[Rejection, ...] = ()
    rejected: int = 0
    numbered: bool = False


class _NotUtf8Error(Exception):
    """Somewhere in the file stands what is not UTF-8."""


def open_delimited(at: Opening, path: Path) -> Table:
    """Open a CSV or TSV file; ``strict`` refuses what otherwise is left out or renamed, and told."""
    with ThreadPoolExecutor(1) as pool:
        sha256 = pool.submit(workspace.sha256, path)
        encoding = encoding_of(path, at.shown, at.answers)
        try:
            made = _opened(at, path, encoding)
        except _NotUtf8Error:
            if at.answers.encoding:
                values = {"encoding": at.answers.encoding}
                raise DataError.of("tables.encoding", file=at.shown, line=None, **values) from None
            encoding = legacy_encoding(path, at.shown)
            made = _opened(at, path, encoding)
        return replace(
            made, reading=replace(made.reading, sha256=sha256.result(), encoding=encoding)
        )


def _opened(at: Opening, path: Path, encoding: str) -> Table:
    plain = (
        path if encoding == "utf-8" else as_utf8(path, encoding, at.scratch / "utf8.csv", at.shown)
    )
    dialect = dialect_of(plain, at.shown, at.answers)
    names, decisions = list(dialect.header), list[Decision]()
    if at.strict:
        refuse_names(dialect.header, at.shown)
    else:
        names, decisions = column_names(dialect.header)
    if dialect.above:
        decisions.insert(0, Decision("tables.decided_preamble", {"count": dialect.above}))
        plain = _below(plain, dialect.above, at.scratch / "below.csv")
    source = _Source(plain, dialect.mark, dialect.above)
    try:
        _load(at, source, names)
    except duckdb.Error:  # rows do not fit the header: without them, and with their numbers
        source = _rewritten(at, source, len(names))
        _load(at, source, names)
    table = _loaded(at, names, dialect.header, numbered=source.numbered)
    reading = replace(
        table.reading,
        delimiter=dialect.delimiter,
        decisions=tuple(decisions),
        rejected=source.rejected,
        rejections=source.rejections,
    )
    return replace(table, reading=reading)


def _below(path: Path, above: int, target: Path) -> Path:
    """Write what stands below some lines of a file again and return where."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            for _ in range(above):
                source.readline()
            with target.open("w", encoding="utf-8", newline="") as stream:
                shutil.copyfileobj(source, stream)
    except UnicodeDecodeError:
        raise _NotUtf8Error from None
    return target


def open_rows(
    at: Opening, header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]
) -> Table:
    """Open numbered rows of text that a file of another format gave, all as wide as their header."""
    names, decisions = column_names(header)
    path = at.scratch / "rows.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow([*names, ROW])
        writer.writerows([*cells, str(number - 1)] for number, cells in rows)
    try:
        _load(at, _Source(path, ",", 0, numbered=True), names)
    except duckdb.Error as error:
        raise DataError.of("tables.unreadable", file=at.shown, reason=reason_of(error)) from None
    table = _loaded(at, names, header, numbered=True)
    return replace(table, reading=replace(table.reading, decisions=tuple(decisions)))


def _loaded(at: Opening, names: Sequence[str], headings: Sequence[str], *, numbered: bool) -> Table:
    own = ", ".join(quoted(name) for name in names)
    types = types_of(at.connection, f"(SELECT {own} FROM source)", at.shown, "rowid")
    ((rows,),) = at.connection.execute("SELECT count(*) FROM source").fetchall()

    def piece(_cursor: duckdb.DuckDBPyConnection, start: int, stop: int) -> str:
        return f"(SELECT {own} FROM source WHERE rowid >= {start} AND rowid < {stop})"

    place = ROW if numbered else f"rowid AS {ROW}"
    relation = f"(SELECT {own}, {place} FROM source)"
    reading = Reading(at.shown, "csv", rows, len(names))
    return Table(reading, types, relation, at.connection, piece, tuple(headings))


def _load(at: Opening, source: _Source, names: Sequence[str]) -> None:
    """Load every cell as text."""
    columns = [f"{literal(name)}: 'VARCHAR'" for name in names]
    if source.numbered:
        columns.append(f"'{ROW}': 'BIGINT'")
    try:
        at.connection.execute(
            "CREATE OR REPLACE TABLE source AS SELECT * "
            f"FROM read_csv({literal(str(source.path.resolve()))}, auto_detect = false, header = true, "
            f"delim = {literal(source.mark)}, quote = '\"', escape = '\"', "
            f"columns = {{{', '.join(columns)}}}, encoding = 'utf-8', max_line_size = {LONGEST_LINE})"
        )
    except duckdb.Error as error:
        if "Invalid unicode" in str(error):
            raise _NotUtf8Error from None
        raise


def _rewritten(at: Opening, source: _Source, width: int) -> _Source:
    """Return the rows that are as wide as the header, in one notation and numbered, and tell the others."""
    target = at.scratch / "fitting.csv"
    number = rejected = 0
    told: list[Rejection] = []
    with target.open("w", encoding="utf-8", newline="") as fitting:
        writer = csv.writer(fitting, quoting=csv.QUOTE_ALL)
        for line, row in _records(source, at.shown):
            if row == []:
                continue
            if number == 0 or (row is not None and len(row) == width):
                writer.writerow([*(row or []), str(number - 1)])
            elif at.strict:
                raise DataError.of("tables.bad_row", file=at.shown, line=line, columns=width)
            else:
                rejected += 1
                if len(told) < MOST_TOLD:
                    values = {"line": line, "found": len(row or []), "columns": width}
                    key = "tables.rejected_width" if row else "tables.rejected_quote"
                    told.append(Rejection(number, key, values))
            number += 1
    if rejected > _MOST_REJECTED * max(number - 1, 1):
        values = {"count": rejected, "rows": number - 1, "columns": width}
        raise DataError(Problem("tables.many_misfits", values, at.shown, told[0].values["line"]))
    return _Source(target, ",", 0, tuple(told), rejected, numbered=True)


def _records(source: _Source, shown: str) -> Iterator[tuple[int, list[str] | None]]:
    """Give each record with the line that it ends at; None for one with a quote out of place."""
    with source.path.open(encoding="utf-8-sig", newline="") as stream, long_cells():
        reader = csv.reader(stream, delimiter=source.mark, strict=True)
        start = 1
        while True:
            try:
                row = next(reader)
                yield reader.line_num + source.above, row
            except StopIteration:
                return
            except UnicodeDecodeError:
                raise _NotUtf8Error from None
            except csv.Error as error:
                if "unexpected end" in str(error) or "field larger" in str(error):
                    raise DataError.of(
                        "tables.open_quote", file=shown, line=start + source.above
                    ) from None
                yield reader.line_num + source.above, None
            start = reader.line_num + 1
