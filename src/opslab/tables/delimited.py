"""Text files of rows, read by the engine; rows that do not fit are left out, and told."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import duckdb

from opslab.tables.dialect import (
    LONGEST_LINE,
    Dialect,
    column_names,
    dialect_of,
    long_cells,
    refuse_names,
    text_file,
)
from opslab.tables.import_report import Decision, Reading, Rows
from opslab.tables.source import ROW, Opening, Table, literal, path_literal, quoted, types_of


def open_delimited(opening: Opening) -> Table:
    """Open a CSV or TSV file; ``strict`` refuses what is otherwise left out or renamed."""
    path, encoding = text_file(opening)
    dialect = dialect_of(opening, path)
    names, decisions = list(dialect.header), list[Decision]()
    if opening.strict:
        refuse_names(opening, dialect.header)
    else:
        names, decisions = column_names(dialect.header)
    if dialect.above:
        decisions.insert(0, Decision("tables.decided_preamble", {"count": dialect.above}))
    facts = {"encoding": encoding, "delimiter": dialect.delimiter, "decisions": tuple(decisions)}
    try:
        # with a line break in the header the engine would take all rows for a part of it
        if dialect.above or re.search("[\r\n]", "".join(dialect.header)):
            path = _below(opening, path, dialect)
        _load(opening, path, dialect.mark, names)
    except duckdb.InvalidInputException:  # rows do not fit the header: without them, and numbered
        rows = Rows(dialect.header, iter(()))
        rows.rows = _fitting(opening, path, dialect, rows)
        return _load_numbered(opening, rows, names, "csv", **facts)
    return _table(opening, names, dialect.header, "rowid", format="csv", **facts)


def _below(opening: Opening, path: Path, dialect: Dialect) -> Path:
    """Write what stands below the header again, below one without words, and return where."""
    target = opening.scratch / "below.csv"
    with (
        path.open(encoding="utf-8-sig", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as stream,
    ):
        *_, last = (source.readline() for _ in range(dialect.end))
        ending = last[len(last.rstrip("\r\n")) :]
        stream.write(dialect.mark.join(map(str, range(len(dialect.header)))) + ending)
        shutil.copyfileobj(source, stream)
    return target


def _fitting(
    opening: Opening, path: Path, dialect: Dialect, rows: Rows
) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the rows that are as wide as the header, by their numbers; leave the others out."""
    width, number = len(dialect.header), 0
    with path.open(encoding="utf-8-sig", newline="") as stream, long_cells():
        for number, (line, cells) in enumerate(_records(opening, stream, dialect)):
            if number == 0:
                continue
            if cells and len(cells) == width:
                yield number, cells
            elif opening.strict:
                raise opening.error("tables.bad_row", line=line, columns=width)
            else:
                key = "tables.rejected_width" if cells else "tables.rejected_quote"
                rows.reject(number, key, line=line, found=len(cells), columns=width)
    rows.refuse_misfits(opening.shown, number)


def _records(
    opening: Opening, stream: TextIO, dialect: Dialect
) -> Iterator[tuple[int, Sequence[str]]]:
    """Give each record behind the line it ends at; no cells where a quote is out of place."""
    reader = csv.reader(stream, delimiter=dialect.mark, strict=True)
    above = dialect.end - 1
    while True:
        start = above + reader.line_num + 1
        try:
            cells: Sequence[str] = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error) or "field larger" in str(error):
                raise opening.error("tables.open_quote", line=start) from None
            cells = ()
        if cells != []:
            yield above + reader.line_num, cells


def open_rows(opening: Opening, rows: Rows, form: str) -> Table:
    """Open numbered rows of text, all as wide as their header, that another format gave."""
    names, decisions = column_names(rows.header)
    table = _load_numbered(opening, rows, names, form, encoding=rows.encoding)
    reading = table.reading.adding([*rows.decisions, *decisions])
    return replace(table, reading=reading)


def _load_numbered(
    opening: Opening, rows: Rows, names: Sequence[str], form: str, **facts: Any
) -> Table:
    path = opening.scratch / "rows.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(range(len(names) + 1))  # a name could hold a line break
        writer.writerows([*cells, str(number - 1)] for number, cells in rows.rows)
    _load(opening, path, ",", names, f", '{ROW}': 'BIGINT'")
    facts |= {"rejected": rows.rejected, "rejections": tuple(rows.rejections)}
    return _table(opening, names, rows.header, ROW, format=form, **facts)


def _load(opening: Opening, path: Path, mark: str, names: Sequence[str], number: str = "") -> None:
    """Load every cell as text."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names) + number
    opening.connection.execute(
        "CREATE OR REPLACE TABLE source AS SELECT * "
        f"FROM read_csv({path_literal(path)}, auto_detect = false, header = true, "
        f"delim = {literal(mark)}, quote = '\"', escape = '\"', columns = {{{columns}}}, "
        f"encoding = 'utf-8', max_line_size = {LONGEST_LINE})"
    )


def _table(
    opening: Opening, names: Sequence[str], headings: Sequence[str], number: str, **facts: Any
) -> Table:
    """Return the table that was loaded; `number` is the column with a row's place."""
    own = ", ".join(map(quoted, names))
    types = types_of(opening, f"(SELECT {own} FROM source)", "rowid")
    ((rows, last),) = opening.connection.execute(
        f"SELECT count(*), coalesce(max({number}), -1) FROM source"
    ).fetchall()
    reading = Reading(opening.shown, rows=rows, columns=len(names), **facts)
    relation = f"(SELECT {own}, {number} AS {ROW} FROM source)"
    return Table(reading, types, relation, opening.connection, last + 1, tuple(headings))
