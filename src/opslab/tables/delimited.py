"""Text files of rows: read by the engine, and line by line where it finds a fault."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from opslab.tables.dialect import MOST_COLUMNS, Dialect, TextFile, dialect_of, text_file
from opslab.tables.footers import is_remark, without_foot
from opslab.tables.import_report import Decision, Reading, Rows
from opslab.tables.layout import TYPES, Layout, kind_of, kinds_of, layout_of
from opslab.tables.records import (
    LONGEST_LINE,
    Notation,
    Record,
    has_stray_quotes,
    long_cells,
    records,
)
from opslab.tables.source import (
    OUR_FAULTS,
    ROW,
    Opening,
    Table,
    literal,
    path_literal,
    quoted,
    types_of,
)

_NEVER = "\x02\x03"  # in no text; with it the engine refuses rows that are a cell too wide
_WRITTEN = Notation(",")  # in what is written for the engine
SHEETS = ("xlsx", "xlsb", "xls", "ods")
"""Formats of workbooks."""
_WIDE, _SEEN = 500, 100
_FOOT = 10  # lines of remarks below a table


def open_delimited(opening: Opening) -> Table:
    """Open a CSV or TSV file; ``strict`` refuses what is otherwise left out or renamed."""
    file, dialect = dialect_of(opening, text_file(opening))
    layout = layout_of(opening, dialect.head)
    facts: dict[str, Any] = {"encoding": file.encoding, "delimiter": dialect.delimiter}
    rows = Rows(layout.header, iter(()), decisions=[*dialect.decisions, *layout.decisions])
    if file.encoding == "cp1252" and opening.answers.encoding is None:
        rows.decisions.append(Decision("tables.decided_encoding", assumed=True))
    names = _names(opening, rows)
    try:
        if len(names) > _WIDE:  # where the engine takes longer to plan than we to read
            raise duckdb.InvalidInputException
        _load(opening, file.path, dialect.notation, names, skip=layout.end, end=file.end or "\n")
        ((count,),) = opening.connection.execute("SELECT count(*) FROM source").fetchall()
        # so no line was lost, or is part of another
        whole = count == file.lines - layout.end and not dialect.notation.spaced
        if whole and not has_stray_quotes(file.path, dialect.notation):
            table = _table(opening, names, rows, f"rowid + {layout.end}", format="csv", **facts)
            return without_foot(opening, table)
    except OUR_FAULTS:
        raise
    except duckdb.Error:  # what breaks the rules is looked for line by line
        pass
    rows.rows = _fitting(opening, file, dialect, layout, rows)
    return without_foot(opening, _load_numbered(opening, rows, names, "csv", **facts))


def _names(opening: Opening, rows: Rows) -> list[str]:
    if len(rows.header) > MOST_COLUMNS:
        raise opening.error("tables.too_many_columns", columns=len(rows.header), most=MOST_COLUMNS)
    if opening.strict:
        _refuse_names(opening, rows.header)
    names, decisions = column_names(rows.header)
    for decision in decisions:
        if opening.strict and decision.key == "tables.decided_renamed":
            raise opening.error("tables.reserved", field=decision.values["heading"])
    rows.decisions += decisions
    return names


def column_names(header: Sequence[str]) -> tuple[list[str], list[Decision]]:
    """Return names that the engine can tell apart, and what was decided to get them."""
    names: list[str] = []
    decisions: list[Decision] = []
    taken = {ROW, "rowid"}
    for number, heading in enumerate(header, 1):
        name = " ".join(heading.split())
        if not name:
            name = f"column {number}"
            decisions.append(Decision("tables.decided_unnamed", {"place": number}, name))
        names.append(free_name(name, taken))
        if names[-1] != name:
            decisions.append(Decision("tables.decided_renamed", {"heading": name}, names[-1]))
    return names, decisions


def free_name(wanted: str, taken: set[str], form: str = " ({})") -> str:
    """Return a name that is not taken yet, whatever its case, and take it."""
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = wanted + form.format(number)
    taken.add(name.casefold())
    return name


def _refuse_names(opening: Opening, header: Sequence[str]) -> None:
    """Raise for a header in which a column could not be named without a doubt."""
    if len(header) < 2:  # noqa: PLR2004 - a unit and an arm at the least
        raise opening.error("tables.one_column")
    counts = Counter(map(str.casefold, filter(None, header)))
    similar = sorted({name for name in header if counts[name.casefold()] > 1})
    if similar:
        repeated = [name for name in similar if header.count(name) > 1]
        key = "tables.repeated_header" if repeated else "tables.similar_header"
        raise opening.error(key, line=1, names=repeated or similar)


def _fitting(
    opening: Opening, file: TextFile, dialect: Dialect, layout: Layout, rows: Rows
) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the rows that are as wide as the header, by their lines; leave the others out."""
    width, count = len(layout.header), 0
    waiting: list[Record] = []  # misfits since the last row, which may be the end of the file
    seen: list[list[str]] = []  # the first rows
    end = layout.end

    def leave_out() -> None:
        for line, _, cells in waiting:
            if opening.strict:
                key = "tables.bad_row" if cells else "tables.open_quote"
                raise opening.error(key, line=line, columns=width)
            key = "tables.rejected_width" if cells else "tables.rejected_quote"
            rows.reject(line, key, found=len(cells), columns=width)
        waiting.clear()

    with file.path.open(encoding="utf-8-sig", newline="") as stream, long_cells():
        for record in records(stream, dialect.notation, width=width):
            if record.line <= layout.end:
                continue
            count += 1
            gap, end = record.line > end + 1, record.end
            if gap and _is_header(record.cells, seen):
                raise opening.error("tables.several_tables", line=record.line)
            if len(record.cells) != width:
                waiting.append(record)
                continue
            leave_out()
            seen += [record.cells] if len(seen) < _SEEN else []
            yield record.line, record.cells
    foot: list[int] = []
    while waiting and len(foot) < _FOOT and is_remark(waiting[-1].cells):
        foot.append(waiting.pop().line)
    leave_out()
    rows.refuse_misfits(opening.shown, count)
    for line in reversed(foot):
        rows.reject(line, "tables.rejected_footer")


def _is_header(cells: Sequence[str], above: Sequence[Sequence[str]]) -> bool:
    """Whether a row below an empty line has nothing but words, where those above have figures."""
    if not above or len(cells) != len(above[0]) or {*map(kind_of, cells)} != {"text"}:
        return False
    return not {*TYPES}.isdisjoint(kinds_of(above, len(cells)))


def open_rows(opening: Opening, rows: Rows, form: str) -> Table:
    """Open numbered rows of text, all as wide as their header, that another format gave."""
    names, decisions = column_names(rows.header)
    rows.decisions += decisions
    table = _load_numbered(opening, rows, names, form, encoding=rows.encoding)
    return without_foot(opening, table) if form in SHEETS else table


def _load_numbered(
    opening: Opening, rows: Rows, names: Sequence[str], form: str, **facts: Any
) -> Table:
    path = opening.scratch / "rows.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([*cells, str(number - 1)] for number, cells in rows.rows)
    _load(opening, path, _WRITTEN, names, number=f", '{ROW}': 'BIGINT'")
    return _table(opening, names, rows, ROW, format=form, **facts)


def _load(
    opening: Opening,
    path: Path,
    notation: Notation,
    names: Sequence[str],
    *,
    skip: int = 0,
    end: str = "\n",
    number: str = "",
) -> None:
    """Load every cell as text, empty ones as none."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names) + number
    cells, nothing = "*", ""  # of what is written for the engine
    if not number:
        cells = ", ".join(f"nullif({quoted(name)}, '') AS {quoted(name)}" for name in names)
        nothing = _NEVER
    opening.connection.execute(
        f"CREATE OR REPLACE TABLE source AS SELECT {cells} "
        f"FROM read_csv({path_literal(path)}, auto_detect = false, header = false, skip = {skip}, "
        f"delim = {literal(notation.mark)}, quote = {literal(notation.quote)}, "
        f"escape = {literal(notation.escape)}, columns = {{{columns}}}, "
        f"new_line = {literal(end.encode('unicode_escape').decode())}, "
        f"encoding = 'utf-8', nullstr = {literal(nothing)}, max_line_size = {4 * LONGEST_LINE})"
    )


def _table(opening: Opening, names: Sequence[str], rows: Rows, number: str, **facts: Any) -> Table:
    """Return the table that was loaded; `number` gives a row's place."""
    own = ", ".join(map(quoted, names))
    types = types_of(opening, f"(SELECT {own} FROM source)", "rowid")
    ((count, last),) = opening.connection.execute(
        f"SELECT count(*), coalesce(max({number}), -1) FROM source"
    ).fetchall()
    reading = Reading(opening.shown, rows=count, columns=len(names), **facts)
    reading = reading.adding(rows.decisions, rows.rejections, rows.rejected)
    relation = f"(SELECT {own}, {number} AS {ROW} FROM source)"
    return Table(reading, types, relation, opening.connection, last + 1, tuple(rows.header))
