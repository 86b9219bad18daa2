"""Sums over the rows: one pass over a table gives the moments of every metric in every arm.

They are centred, so that a large mean does not eat the digits of the variance, and mergeable, so that the
moments of parts add up to those of the whole (Chan, Golub and LeVeque 1983).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

from opslab.errors import DataError, Problem
from opslab.tables.source import ROW, Table, literal, quoted

_FIRST_ROWS = 10_000
_NO_VARIATION = 1e-14
# How far, in standard deviations, a shift may stand from the mean: farther costs digits of the variance.
_NEAR, _FAR, _ROUNDING = 3.0, 10.0, 1e-12
_LARGEST, _LARGEST_SUM = 1e50, 1e120  # beyond them squares of sums overflow
_SMALL_WHOLE = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT")
_CELLS, _PASSES = 5, 3
_NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
_FLOATING = ("DOUBLE", "FLOAT", "DECIMAL")


@dataclass(frozen=True)
class Moments:
    """Count, mean and centred sum of squares of one metric in one arm.

    Attributes
    ----------
    n : int
        Values used, not rows.
    mean : float
        In the metric's unit; 0 when there is no value.
    squares : float
        Sum of squared deviations from the mean.
    """

    n: int
    mean: float
    squares: float

    @property
    def variance(self) -> float:
        """Sample variance (divisor n - 1); 0 where it is beyond the digits of the data."""
        if self.n < 2:  # noqa: PLR2004 - a variance takes two
            return 0.0
        variance = self.squares / (self.n - 1)
        return variance if variance > (_NO_VARIATION * self.mean) ** 2 else 0.0

    @classmethod
    def about(cls, shift: float, n: int, total: float, squares: float) -> Moments:
        """Return the moments from sums of deviations from ``shift`` and of their squares."""
        if n == 0:
            return cls(0, 0.0, 0.0)
        return cls(n, shift + total / n, max(squares - total * total / n, 0.0))

    @classmethod
    def of_whole(cls, n: int, total: int, squares: int) -> Moments:
        """Return the moments from exact sums of whole numbers and of their squares."""
        return cls(n, total / n, (n * squares - total * total) / n) if n else cls(0, 0.0, 0.0)


def merge(first: Moments, second: Moments) -> Moments:
    """Return the moments of two parts together.

    Examples
    --------
    >>> merge(Moments(1, 2.0, 0.0), Moments(1, 4.0, 0.0))
    Moments(n=2, mean=3.0, squares=2.0)
    """
    n = first.n + second.n
    if first.n == 0 or second.n == 0:
        return first if second.n == 0 else second
    apart = second.mean - first.mean
    mean = first.mean + apart * second.n / n
    return Moments(n, mean, first.squares + second.squares + apart * apart * first.n * second.n / n)


@dataclass(frozen=True)
class Column:
    """One column to sum: what an empty value means, and whether values must be 0 or 1."""

    name: str
    zero_for_missing: bool = False
    binary: bool = False


@dataclass(frozen=True)
class ArmMoments:
    """What one pass found in one arm: its rows, and per column the moments and the empty values."""

    rows: int
    moments: Mapping[Column, Moments]
    missing: Mapping[Column, int]


def collect(
    table: Table, arm: str, columns: Sequence[Column], where: str = "TRUE"
) -> dict[str | None, ArmMoments]:
    """Return the moments of columns by arm, in one pass over the table.

    Parameters
    ----------
    table : Table
    arm : str
        Column of the arm.
    columns : sequence of Column
    where : str
        SQL condition on the rows to use.

    Returns
    -------
    dict
        By the arm's label as text; None stands for rows without an arm.

    Raises
    ------
    DataError
        When a column holds text that is no number, an infinite value, or for a binary one anything but
        0 and 1: with the row.
    """
    refuse_types(table, columns)
    finite = False
    values = {column: _value(table, column.name) for column in columns}
    while True:
        shifts = _shifts(table, columns, values, where)
        parts = table.fetch_slices(
            partial(_query, arm=arm, columns=columns, values=values, shifts=shifts, where=where)
        )
        if finite or all(
            abs(cell) < _LARGEST_SUM for part in parts for row in part for cell in row[2:] if cell is not None
        ):
            break
        _refuse_infinite(table, columns, values, where)
        values = {
            column: value if _whole(table, column) else f"CASE WHEN isfinite({value}) THEN {value} END"
            for column, value in values.items()
        }
        finite = True
    _refuse_values(table, columns, values, parts, where)
    found = _merged(parts, columns, shifts)
    floating = [column for column in columns if not column.binary and not _whole(table, column)]
    for label, whole in found.items():
        known, about = whole, shifts
        for _ in range(_PASSES):
            far = [column for column in floating if _is_far(known.moments[column], about[column])]
            if not far:
                break
            # The first rows were unlike the others: once more, about this arm's own mean.
            about = {**about, **{column: known.moments[column].mean for column in far}}
            named = "IS NULL" if label is None else f"= {literal(label)}"
            own = f"({where}) AND CAST({quoted(arm)} AS VARCHAR) {named}"
            query = partial(_query, arm=arm, columns=far, values=values, shifts=about, where=own)
            again = table.fetch_slices(query)
            known = replace(known, moments={**known.moments, **_merged(again, far, about)[label].moments})
        found[label] = known
    return found


def _merged(
    parts: Sequence[Sequence[tuple[Any, ...]]], columns: Sequence[Column], shifts: Mapping[Column, float]
) -> dict[str | None, ArmMoments]:
    found: dict[str | None, list[ArmMoments]] = {}
    for row in (row for part in parts for row in part):
        found.setdefault(row[0], []).append(_arm(row, columns, shifts))
    return {
        label: reduce(_merge_arms, found[label]) for label in sorted(found, key=lambda label: label or "")
    }


def _is_far(moments: Moments, shift: float) -> bool:
    """Whether sums about the shift have lost digits of the variance that sums about the mean keep."""
    return abs(moments.mean - shift) > max(_FAR * math.sqrt(moments.variance), _ROUNDING * abs(moments.mean))


def _whole(table: Table, column: Column) -> bool:
    """Whether the engine sums the column's squares without any rounding."""
    return table.types[column.name] in _SMALL_WHOLE


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
        if not table.types[column.name].startswith((*_NUMERIC, *_FLOATING, "BOOLEAN", "VARCHAR", "ENUM"))
    ]
    if wrong:
        raise DataError(*wrong)


def _value(table: Table, name: str) -> str:
    """Return SQL of a column as a number, empty where it holds none."""
    column = quoted(name)
    if table.types[name] in _SMALL_WHOLE:
        return f"CAST({column} AS INTEGER)"
    if not table.types[name].startswith(("VARCHAR", "ENUM")):
        return f"CAST({column} AS DOUBLE)"
    bare = f"lower(trim(CAST({column} AS VARCHAR)))"
    return f"CASE {bare} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE TRY_CAST({bare} AS DOUBLE) END"


def _shifts(
    table: Table, columns: Sequence[Column], values: Mapping[Column, str], where: str
) -> dict[Column, float]:
    """Return what to take off each column: the first rows' mean where it dwarfs their spread, else 0."""
    wanted = [column for column in columns if not column.binary and not _whole(table, column)]
    if not wanted:
        return dict.fromkeys(columns, 0.0)
    known = [
        f"CASE WHEN abs({values[column]}) <= {_LARGEST} THEN {values[column]}"
        f"{' ELSE 0.0' if column.zero_for_missing else ''} END"
        for column in wanted
    ]
    head = f"(SELECT * FROM {table.relation} WHERE {ROW} < {_FIRST_ROWS} AND {where})"
    figures = ", ".join(f"avg({value}), coalesce(var_pop({value}), 0.0)" for value in known)
    (found,) = table.fetch(f"SELECT {figures} FROM {head}", threads=1)
    return dict.fromkeys(columns, 0.0) | {
        column: mean
        for column, mean, variance in zip(wanted, found[::2], found[1::2], strict=True)
        if mean is not None and abs(mean) > _NEAR * math.sqrt(variance)
    }


def _query(
    source: str,
    arm: str,
    columns: Sequence[Column],
    values: Mapping[Column, str],
    shifts: Mapping[Column, float],
    where: str,
) -> str:
    inner, outer = [f"CAST({quoted(arm)} AS VARCHAR) AS arm"], ["arm", "count(*)"]
    for place, column in enumerate(columns):
        value, given, squares = values[column], f"d{place}", f"sum(d{place} * d{place})"
        other = f"count(*) FILTER (d{place} <> 0 AND d{place} <> 1)" if column.binary else "0"
        if value.startswith("CAST") and value.endswith("INTEGER)"):
            inner.append(f"{value} AS d{place}")
            squares = f"sum(CAST(d{place} AS BIGINT) * d{place})"
            if column.binary:  # any other whole number sets another bit; the square of 0 or 1 is itself
                squares, other = f"sum(d{place})", f"coalesce(bit_or(d{place}) NOT IN (0, 1), FALSE)::INTEGER"
        else:
            filled = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
            shift = f" - CAST({shifts[column]!r} AS DOUBLE)" if shifts[column] else ""
            inner.append(f"{filled}{shift} AS d{place}")
            if column.zero_for_missing:
                given = f"v{place}"
                inner.append(f"{value} AS v{place}")
        text = "0"
        if "TRY_CAST" in value:
            inner.append(f"{quoted(column.name)} AS t{place}")
            text = f"count(t{place}) - count({given})"
        outer += [f"count({given})", f"sum(d{place})", squares, other, text]
    rows = f"SELECT {', '.join(inner)} FROM {source} WHERE {where}"
    return f"SELECT {', '.join(outer)} FROM ({rows}) GROUP BY arm ORDER BY arm"


def _arm(row: tuple[Any, ...], columns: Sequence[Column], shifts: Mapping[Column, float]) -> ArmMoments:
    rows = row[1]
    moments, missing = {}, {}
    for place, column in enumerate(columns):
        given, total, squares, *_ = row[2 + _CELLS * place : 2 + _CELLS * (place + 1)]
        n = rows if column.zero_for_missing else given
        missing[column] = rows - given
        if isinstance(total, int):
            moments[column] = Moments.of_whole(n, total, squares)
        else:
            moments[column] = Moments.about(shifts[column], n, total or 0.0, squares or 0.0)
    return ArmMoments(rows, moments, missing)


def _merge_arms(first: ArmMoments, second: ArmMoments) -> ArmMoments:
    return ArmMoments(
        first.rows + second.rows,
        {column: merge(first.moments[column], second.moments[column]) for column in first.moments},
        {column: first.missing[column] + second.missing[column] for column in first.missing},
    )


def _refuse_infinite(
    table: Table, columns: Sequence[Column], values: Mapping[Column, str], where: str
) -> None:
    found = []
    for column in columns:
        for key, condition in (
            ("infinite", f"isinf({values[column]})"),
            ("too_large", _beyond(values[column])),
        ):
            row = first_row(table, f"{condition} AND {where}", column.name)
            if row is not None:
                shown = {"row": row[0], "value": str(row[1])[:24]}
                found.append(Problem(f"experiments.{key}", shown, table.reading.name, field=column.name))
                break
    if found:
        raise DataError(*found)


def _beyond(value: str) -> str:
    return f"isfinite({value}) AND abs({value}) > {_LARGEST}"


def _refuse_values(
    table: Table,
    columns: Sequence[Column],
    values: Mapping[Column, str],
    parts: Sequence[Sequence[tuple[Any, ...]]],
    where: str,
) -> None:
    found = []
    for place, column in enumerate(columns):
        rows = [row[2 + _CELLS * place : 2 + _CELLS * (place + 1)] for part in parts for row in part]
        value = values[column]
        for suspected, condition, key in (
            (
                any(row[4] for row in rows),
                f"{value} IS NULL AND {quoted(column.name)} IS NOT NULL",
                "text_value",
            ),
            (any(row[3] for row in rows), f"{value} NOT IN (0, 1)", "not_binary"),
        ):
            first = first_row(table, f"{condition} AND {where}", column.name) if suspected else None
            if first is not None:
                ((count,),) = table.fetch(
                    f"SELECT count(*) FROM {table.relation} WHERE {condition} AND {where}"
                )
                shown = {"row": first[0], "value": str(first[1])[:24], "count": count}
                found.append(Problem(f"experiments.{key}", shown, table.reading.name, field=column.name))
                break
    if found:
        raise DataError(*found)


def first_row(table: Table, condition: str, column: str) -> tuple[int, Any] | None:
    """Return the number (from 1) and the value of the first row that meets a condition."""
    rows = table.fetch(
        f"SELECT {ROW} + 1, {quoted(column)} FROM {table.relation} WHERE {condition} ORDER BY {ROW} LIMIT 1"
    )
    return (rows[0][0], rows[0][1]) if rows else None
