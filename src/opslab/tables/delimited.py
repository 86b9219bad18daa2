"""Opening text files of rows: the engine reads them; rows that do not fit the header are told apart."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from opslab import workspace
from opslab.errors import DataError
from opslab.tables.dialect import (
    LONGEST_LINE,
    Dialect,
    as_utf8,
    column_names,
    dialect_of,
    encoding_of,
    legacy_encoding,
    long_cells,
    refuse_names,
)
from opslab.tables.reading import MOST_TOLD, Decision, FileAnswers, Reading, Rejection
from opslab.tables.source import ROW, Table, literal, quoted, reason_of, types_of

_MOST_REJECTED = 0.1
_MACHINE = (  # forms that the engine reads as it loads them, because they can mean one thing only
    ("DATE", re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}\Z")),
    ("TIMESTAMP", re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\Z")),
)
_ERRORS = {
    "Expected Number of Columns": "tables.bad_row",
    "unterminated quote": "tables.open_quote",
    "Maximum line size": "tables.open_quote",
    "Invalid unicode": "tables.encoding",
}


@dataclass(frozen=True)
class _Source:
    """A file as the engine is given it: UTF-8, with its rows' numbers where some were left out."""

    path: Path
    mark: str
    above: int
    sample: tuple[tuple[str, ...], ...] = ()
    rejections: tuple[Rejection, ...] = ()
    rejected: int = 0

    @classmethod
    def of(cls, path: Path, dialect: Dialect) -> _Source:
        return cls(path, dialect.mark, dialect.above, dialect.sample)


class _NotUtf8Error(Exception):
    """Somewhere in the file stands what is not UTF-8."""


def open_delimited(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    shown: str,
    answers: FileAnswers,
    scratch: Path,
    *,
    strict: bool,
) -> Table:
    """Open a CSV or TSV file; ``strict`` refuses what otherwise is left out or renamed, and told."""
    with ThreadPoolExecutor(1) as pool:
        sha256 = pool.submit(workspace.sha256, path)
        encoding = encoding_of(path, shown, answers)
        try:
            made = _opened(connection, path, encoding, shown, answers, scratch, strict=strict)
        except _NotUtf8Error:
            if answers.encoding:
                values = {"encoding": answers.encoding}
                raise DataError.of("tables.encoding", file=shown, line=None, **values) from None
            encoding = legacy_encoding(path, shown)
            made = _opened(connection, path, encoding, shown, answers, scratch, strict=strict)
        return replace(made, reading=replace(made.reading, sha256=sha256.result(), encoding=encoding))


def _opened(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    encoding: str,
    shown: str,
    answers: FileAnswers,
    scratch: Path,
    *,
    strict: bool,
) -> Table:
    plain = path if encoding == "utf-8" else as_utf8(path, encoding, scratch / "utf8.csv", shown)
    dialect = dialect_of(plain, shown, answers)
    names, decisions = list(dialect.header), list[Decision]()
    if strict:
        refuse_names(dialect.header, shown)
    else:
        names, decisions = column_names(dialect.header)
    if dialect.above:
        decisions.insert(0, Decision("tables.decided_preamble", {"count": dialect.above}))
    source = _Source.of(plain, dialect)
    try:
        _load(connection, source, names)
    except duckdb.Error:
        source = _load_as_text(connection, source, names, shown, scratch, strict=strict)
    table = _loaded(connection, names, dialect.header, shown, numbered=bool(source.rejected))
    reading = replace(
        table.reading,
        delimiter=dialect.delimiter,
        decisions=tuple(decisions),
        rejected=source.rejected,
        rejections=source.rejections,
    )
    return replace(table, reading=reading)


def open_rows(
    connection: duckdb.DuckDBPyConnection,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    shown: str,
    scratch: Path,
) -> Table:
    """Open rows of text that a file of another format gave, all as wide as their header."""
    names, decisions = column_names(header)
    path = scratch / "rows.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(names)
        writer.writerows(rows)
    try:
        _load(connection, _Source(path, ",", 0), names)
    except duckdb.Error as error:
        raise DataError.of("tables.unreadable", file=shown, reason=reason_of(error)) from None
    table = _loaded(connection, names, header, shown)
    return replace(table, reading=replace(table.reading, decisions=tuple(decisions)))


def _loaded(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    headings: Sequence[str],
    shown: str,
    *,
    numbered: bool = False,
) -> Table:
    own = ", ".join(quoted(name) for name in names)
    types = types_of(connection, f"(SELECT {own} FROM source)", shown, "rowid")
    ((rows,),) = connection.execute("SELECT count(*) FROM source").fetchall()

    def piece(_cursor: duckdb.DuckDBPyConnection, start: int, stop: int) -> str:
        return f"(SELECT {own} FROM source WHERE rowid >= {start} AND rowid < {stop})"

    place = ROW if numbered else f"rowid AS {ROW}"
    relation = f"(SELECT {own}, {place} FROM source)"
    return Table(Reading(shown, "csv", rows, len(names)), types, relation, connection, piece, tuple(headings))


def _load_as_text(
    connection: duckdb.DuckDBPyConnection,
    source: _Source,
    names: Sequence[str],
    shown: str,
    scratch: Path,
    *,
    strict: bool,
) -> _Source:
    """Load every cell as text; where rows do not fit the header, without them and with their numbers."""
    source = replace(source, sample=())
    try:
        _load(connection, source, names)
    except duckdb.Error as error:
        told = str(error)
        key = next((key for said, key in _ERRORS.items() if said in told), "tables.bad_text")
        if key != "tables.bad_row" or strict:
            line = re.search(r"CSV Error on Line: (\d+)", told)
            raise DataError.of(
                key,
                file=shown,
                line=int(line[1]) if line else None,
                columns=len(names),
                reason=reason_of(error),
                encoding="utf-8",
            ) from None
        source = _without_misfits(source, len(names), shown, scratch)
        _load(connection, source, names)
    return source


def _load(connection: duckdb.DuckDBPyConnection, source: _Source, names: Sequence[str]) -> None:
    kinds = [
        _machine_kind([row[place] for row in source.sample if place < len(row)])
        for place in range(len(names))
    ]
    columns = [f"{literal(name)}: '{kind}'" for name, kind in zip(names, kinds, strict=True)]
    if source.rejected:
        columns.append(f"'{ROW}': 'BIGINT'")
    try:
        connection.execute(
            "CREATE OR REPLACE TABLE source AS SELECT * "
            f"FROM read_csv({literal(str(source.path.resolve()))}, auto_detect = false, header = true, "
            f"skip = {source.above}, delim = {literal(source.mark)}, quote = '\"', escape = '\"', "
            f"columns = {{{', '.join(columns)}}}, encoding = 'utf-8', max_line_size = {LONGEST_LINE}, "
            "dateformat = '%Y-%m-%d', timestampformat = '%Y-%m-%d %H:%M:%S')"
        )
    except duckdb.Error as error:
        if "Invalid unicode" in str(error):
            raise _NotUtf8Error from None
        raise


def _machine_kind(cells: Sequence[str]) -> str:
    """Return the type that all cells of a sample have in a program's own notation, or text."""
    given = [cell for cell in cells if cell]
    for kind, form in _MACHINE if given else ():
        if all(map(form.match, given)):
            return kind
    return "VARCHAR"


def _without_misfits(source: _Source, width: int, shown: str, scratch: Path) -> _Source:
    """Return the rows that are as wide as the header, numbered, and tell the others."""
    target = scratch / "fitting.csv"
    number = rejected = 0
    told: list[Rejection] = []
    with (
        source.path.open(encoding="utf-8-sig", newline="") as stream,
        target.open("w", encoding="utf-8", newline="") as fitting,
        long_cells(),
    ):
        reader = csv.reader(stream, delimiter=source.mark)
        writer = csv.writer(fitting, quoting=csv.QUOTE_ALL)
        for row in reader:
            if not row or reader.line_num <= source.above:
                continue
            if number == 0 or len(row) == width:
                writer.writerow([*row, str(number - 1)])
            else:
                rejected += 1
                if len(told) < MOST_TOLD:
                    values = {"line": reader.line_num, "found": len(row), "columns": width}
                    told.append(Rejection(number, "tables.rejected_width", values))
            number += 1
    if rejected > _MOST_REJECTED * max(number - 1, 1):
        line = told[0].values["line"]
        raise DataError.of(
            "tables.many_misfits", file=shown, line=line, count=rejected, rows=number - 1, columns=width
        )
    return _Source(target, ",", 0, rejections=tuple(told), rejected=rejected)
