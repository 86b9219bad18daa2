"""What the cells of a column count as, in SQL, and what they may not hold: refused with the row."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from opslab.errors import DataError, Problem
from opslab.experiments.moments.columns import TEXTS, Column
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.import_report import FileAnswers
from opslab.tables.source import NUMBER_TYPES, ROW, Table, quoted

LARGEST = 1e50
"""Beyond it squares of sums overflow."""
CELLS = 6
"""How many figures the query of moments gives for each column."""


def with_values(
    table: Table, answers: FileAnswers, plain: Container[object], asked: Container[object]
) -> Table:
    """Return a table with its columns of numbers and times read in whatever notation.

    Parameters
    ----------
    table : Table
    answers : FileAnswers
        What the spec says of the notation.
    plain : container of str
        Columns that stay texts.
    asked : container of str
        Columns of which an ambiguous notation is a question.
    """
    texts = {name for name, kind in table.types.items() if kind == "VARCHAR"}
    if table.remote:  # which has types of its own
        return table
    if not texts and not answers.timezone:
        return table
    wanted = [
        Wanted(
            name, (name,), "text" if name in texts and name in plain else None, ask=name in asked
        )
        for name in table.types
    ]
    return typed(table, wanted, answers, strict=True)


def is_whole(table: Table, column: Column) -> bool:
    """Whether the engine sums the column's squares without any rounding."""
    return column.is_whole(table.types[column.name])


def value_sql(table: Table, column: Column) -> str:
    """Return SQL of a column as a number, empty where it holds none."""
    value = column.number(quoted(column.name), table.types[column.name])
    if column.scaled_with is None:
        return value
    other, cap = value_sql(table, column.scaled_with), column.scaled_with.cap
    beyond = capped_sql(other, cap)[1]
    return f"CASE WHEN {beyond} THEN {value} * (CAST({cap!r} AS DOUBLE) / {other}) ELSE {value} END"


def finite(value: str) -> str:
    """Return SQL of a value, empty where it is infinite."""
    return f"CASE WHEN isfinite({value}) THEN {value} END"


def finite_sql(table: Table, column: str) -> str:
    """Return SQL of a column as a finite number, empty where it holds none."""
    return finite(f"CAST({value_sql(table, Column(column))} AS DOUBLE)")


def filled_sql(table: Table, column: Column) -> str:
    """Return SQL of a column as a finite number, an empty one as 0 where it counts so."""
    value = finite_sql(table, column.name)
    return f"coalesce({value}, 0.0)" if column.zero_for_missing else value


def capped_sql(value: str, cap: float | None) -> tuple[str, str]:
    """Return SQL of a value cut at a cap, and of whether it is; what is infinite stays as it is."""
    if cap is None:
        return value, ""
    beyond = f"({value} > CAST({cap!r} AS DOUBLE) AND isfinite({value}))"
    return f"CASE WHEN {beyond} THEN CAST({cap!r} AS DOUBLE) ELSE {value} END", beyond


def cap_values(
    table: Table, wanted: Sequence[tuple[Column, float]], where: str
) -> list[float | None]:
    """Return each column's quantile: the smallest value of all arms with that share up to it."""
    refuse_types(table, [column for column, _ in wanted])
    figures = []
    for column, quantile in wanted:
        figures.append(f"CAST(quantile_disc({filled_sql(table, column)}, {quantile!r}) AS DOUBLE)")
    return list(table.fetch(f"SELECT {', '.join(figures)} FROM {table.relation} WHERE {where}")[0])


def problem(table: Table, key: str, column: str, **values: Any) -> Problem:
    """Return a problem of one column, its key without the area."""
    return Problem(f"experiments.{key}", values, table.reading.name, field=column)


def refuse_types(table: Table, columns: Iterable[Column]) -> None:
    """Raise a `DataError` for columns that are dates or other things that have no sum."""
    kinds = {column.name: table.types[column.name] for column in columns}
    summed = (*NUMBER_TYPES, *TEXTS, "BOOLEAN")
    DataError.refuse(
        [
            problem(table, "column_type", name, kind=kind.lower())
            for name, kind in kinds.items()
            if not kind.startswith(summed)
        ]
    )


def refuse_cells(table: Table, columns: Sequence[Column], where: str) -> None:
    """Raise a `DataError` for cells that cannot be summed: the first fault of each column.

    They are dates and the like, infinite values, those whose squares overflow, texts, and in a
    binary column anything but 0 and 1.
    """
    refuse_types(table, columns)
    problems = []
    for column in columns:
        value = value_sql(table, column)
        faults = {
            "infinite": f"isinf({value})",
            "too_large": f"isfinite({value}) AND abs({value}) > {LARGEST}",
        }
        if table.types[column.name].startswith(TEXTS):
            faults["text_value"] = (
                f"({finite(value)}) IS NULL AND {quoted(column.name)} IS NOT NULL"
            )
        if column.binary:
            faults["not_binary"] = f"({finite(value)}) NOT IN (0, 1)"
        for key, condition in faults.items():
            fault = _fault(table, key, f"{condition} AND {where}", column.name)
            if fault is not None:
                problems.append(fault)
                break
    DataError.refuse(problems)


def _fault(table: Table, key: str, condition: str, column: str, **values: Any) -> Problem | None:
    """Return the problem of the rows that meet a condition: the first, its value, their count."""
    source = f"FROM {table.relation} WHERE {condition}"
    rows = table.fetch(f"SELECT {ROW} + 1, {quoted(column)} {source} ORDER BY {ROW} LIMIT 1")
    if not rows:
        return None
    ((row, value),) = rows
    ((count,),) = table.fetch(f"SELECT count(*) {source}")
    return problem(table, key, column, row=row, value=str(value)[:24], count=count, **values)


def refuse_rows(table: Table, key: str, condition: str, column: str, **values: Any) -> None:
    """Raise a `DataError` where rows meet a condition: the first one, its value, and their count.

    Parameters
    ----------
    table : Table
    key : str
        Of the catalogue, without its area.
    condition : str
        SQL.
    column : str
    **values
        What the message names besides.
    """
    fault = _fault(table, key, condition, column, **values)
    if fault is not None:
        raise DataError(fault)
