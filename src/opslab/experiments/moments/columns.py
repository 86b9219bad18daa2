"""The columns that are summed, and what their cells may not hold: refused with the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opslab.errors import DataError, Problem
from opslab.tables.source import NUMBER_TYPES, ROW, Table, quoted

LARGEST = 1e50
"""Beyond it squares of sums overflow."""
CELLS = 6
"""How many figures the query of moments gives for each column."""
_SMALL_WHOLE = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT")


@dataclass(frozen=True)
class Column:
    """One column to sum: what an empty value means, and whether values must be 0 or 1.

    A ``centred`` one is summed about the first rows' mean in any case, for products with other
    columns; values above a ``cap`` count as the cap.
    """

    name: str
    zero_for_missing: bool = False
    binary: bool = False
    centred: bool = False
    cap: float | None = None


@dataclass(frozen=True)
class Joint:
    """Centred columns to sum together: a metric's own, and its covariates (one column, or two for a ratio).

    An empty covariate stands at the first rows' mean, the same value in every arm.
    """

    own: tuple[Column, ...]
    covariates: tuple[tuple[Column, ...], ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All of them, the own ones first."""
        return (*self.own, *(column for covariate in self.covariates for column in covariate))


def is_whole(table: Table, column: Column) -> bool:
    """Whether the engine sums the column's squares without any rounding."""
    return table.types[column.name] in _SMALL_WHOLE and not column.centred and column.cap is None


def value_sql(table: Table, wanted: Column) -> str:
    """Return SQL of a column as a number, empty where it holds none."""
    column = quoted(wanted.name)
    if is_whole(table, wanted):
        return f"CAST({column} AS INTEGER)"
    if not table.types[wanted.name].startswith(("VARCHAR", "ENUM")):
        return f"CAST({column} AS DOUBLE)"
    bare = f"lower(trim(CAST({column} AS VARCHAR)))"
    return f"CASE {bare} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE TRY_CAST({bare} AS DOUBLE) END"


def capped_sql(value: str, cap: float | None) -> tuple[str, str]:
    """Return SQL of a value cut at a cap, and of whether it is; what is no finite value stays as it is."""
    if cap is None:
        return value, ""
    beyond = f"({value} > CAST({cap!r} AS DOUBLE) AND isfinite({value}))"
    return f"CASE WHEN {beyond} THEN CAST({cap!r} AS DOUBLE) ELSE {value} END", beyond


def cap_values(
    table: Table, wanted: Sequence[tuple[Column, float]], where: str
) -> list[float | None]:
    """Return each column's quantile over all arms: the smallest value with that share at or below it."""
    refuse_types(table, [column for column, _ in wanted])
    figures = []
    for column, quantile in wanted:
        value = f"CASE WHEN isfinite({(number := value_sql(table, column))}) THEN {number} END"
        value = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
        figures.append(f"CAST(quantile_disc({value}, {quantile!r}) AS DOUBLE)")
    return list(table.fetch(f"SELECT {', '.join(figures)} FROM {table.relation} WHERE {where}")[0])


def refuse_types(table: Table, columns: Iterable[Column]) -> None:
    """Raise a `DataError` for columns that are dates or other things that have no sum."""
    wrong = [
        Problem(
            "experiments.column_type",
            {"kind": table.types[column.name].lower()},
            table.reading.name,
            field=column.name,
        )
        for column in columns
        if not table.types[column.name].startswith((*NUMBER_TYPES, "BOOLEAN", "VARCHAR", "ENUM"))
    ]
    DataError.refuse(wrong)


def refuse_infinite(
    table: Table, columns: Sequence[Column], values: Mapping[Column, str], where: str
) -> None:
    """Raise a `DataError` for infinite values and for those whose squares overflow."""
    found = []
    for column in columns:
        for key, condition in (
            ("infinite", f"isinf({values[column]})"),
            ("too_large", _beyond(values[column])),
        ):
            problem = fault(table, key, f"{condition} AND {where}", column.name)
            if problem is not None:
                found.append(problem)
                break
    DataError.refuse(found)


def _beyond(value: str) -> str:
    return f"isfinite({value}) AND abs({value}) > {LARGEST}"


def refuse_values(
    table: Table,
    columns: Sequence[Column],
    values: Mapping[Column, str],
    parts: Sequence[Sequence[tuple[Any, ...]]],
    where: str,
) -> None:
    """Raise a `DataError` for texts, and for values other than 0 and 1 in a binary column."""
    found = []
    for place, column in enumerate(columns):
        rows = [row[2 + CELLS * place : 2 + CELLS * (place + 1)] for part in parts for row in part]
        value = values[column]
        for suspected, condition, key in (
            (
                any(row[4] for row in rows),
                f"{value} IS NULL AND {quoted(column.name)} IS NOT NULL",
                "text_value",
            ),
            (any(row[3] for row in rows), f"{value} NOT IN (0, 1)", "not_binary"),
        ):
            problem = (
                fault(table, key, f"{condition} AND {where}", column.name) if suspected else None
            )
            if problem is not None:
                found.append(problem)
                break
    DataError.refuse(found)


def texts(table: Table, column: Column) -> str:
    """Return the SQL condition that a column of numbers holds a text instead."""
    return f"({value_sql(table, column)} IS NULL AND {quoted(column.name)} IS NOT NULL)"


def fault(table: Table, key: str, condition: str, column: str, **values: Any) -> Problem | None:
    """Return the problem of the rows that meet a condition: the first one, its value, and their count.

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
    row = _first_row(table, condition, column)
    if row is None:
        return None
    ((count,),) = table.fetch(f"SELECT count(*) FROM {table.relation} WHERE {condition}")
    told = {"row": row[0], "value": str(row[1])[:24], "count": count, **values}
    return Problem(f"experiments.{key}", told, table.reading.name, field=column)


def refuse_rows(table: Table, key: str, condition: str, column: str, **values: Any) -> None:
    """Raise a `DataError` where rows meet a condition; the parameters are those of `fault`."""
    problem = fault(table, key, condition, column, **values)
    if problem is not None:
        raise DataError(problem)


def _first_row(table: Table, condition: str, column: str) -> tuple[int, Any] | None:
    """Return the number (from 1) and the value of the first row that meets a condition."""
    rows = table.fetch(
        f"SELECT {ROW} + 1, {quoted(column)} FROM {table.relation} WHERE {condition} ORDER BY {ROW} LIMIT 1"
    )
    return (rows[0][0], rows[0][1]) if rows else None
