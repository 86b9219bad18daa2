"""Units: how many there are, which of them stand in more than one row or in more than one arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opslab.tables.source import ROW, Table, quoted


@dataclass(frozen=True)
class Units:
    """What the unit column holds.

    Attributes
    ----------
    units : int
        Distinct units.
    rows : int
    repeated : int
        Units with more than one row, all in one arm.
    repeated_row : int or None
        Number of a row (from 1) that repeats such a unit.
    leaked : int
        Units with rows in more than one arm.
    leaked_row : int or None
        Number of a row that repeats such a unit.
    leaked_first : mapping
        The same units by the arm in which each of them came first.
    nameless : int
        Rows without a unit.
    nameless_row : int or None
    """

    units: int
    rows: int
    repeated: int = 0
    repeated_row: int | None = None
    leaked: int = 0
    leaked_row: int | None = None
    nameless: int = 0
    nameless_row: int | None = None
    leaked_first: Mapping[str, int] = field(default_factory=dict)


def count_units(
    table: Table, unit: str, arm: str, where: str = "TRUE", moment: str | None = None
) -> Units:
    """Return what the unit column holds; heavier queries run only where units repeat or leak.

    Parameters
    ----------
    table : Table
    unit, arm : str
        Columns.
    where : str
        SQL condition on the rows to use.
    moment : str, optional
        SQL of the moment that tells which row of a unit came first; else the file's order does.
    """
    column = quoted(unit)
    source = f"{table.relation} WHERE {where}"
    ((rows, named),) = table.fetch(f"SELECT count(*), count({column}) FROM {source}")
    distinct = f"SELECT {column} FROM {source} AND {column} IS NOT NULL GROUP BY ALL"
    ((units,),) = table.fetch(f"SELECT count(*) FROM ({distinct})")
    nameless_row = None
    if named < rows:
        ((nameless_row,),) = table.fetch(
            f"SELECT min({ROW}) + 1 FROM {source} AND {column} IS NULL"
        )
    if units == named:
        return Units(units, rows, nameless=rows - named, nameless_row=nameless_row)
    ((repeated, repeated_row, leaked, leaked_row),) = table.fetch(
        f"SELECT count(*) FILTER (NOT leaked), min(later) FILTER (NOT leaked) + 1, "
        "count(*) FILTER (leaked), min(later) FILTER (leaked) + 1 "
        f"FROM ({_repeated(column, quoted(arm), source)})"
    )
    counted = Units(
        units, rows, repeated, repeated_row, leaked, leaked_row, rows - named, nameless_row
    )
    if not leaked:
        return counted
    label, first = f"CAST({quoted(arm)} AS VARCHAR)", f"({moment or 0}, {ROW})"
    firsts = table.fetch(
        f"SELECT arm, count(*) FROM (SELECT arg_min({label}, {first}) AS arm FROM {source} "
        f"GROUP BY {column} HAVING min({label}) <> max({label})) GROUP BY arm ORDER BY arm"
    )
    return replace(counted, leaked_first=dict(firsts))


def without_leaked(table: Table, unit: str, arm: str, where: str = "TRUE") -> str:
    """Return a SQL condition that leaves out the rows of units that stand in more than one arm."""
    column = quoted(unit)
    inner = _repeated(column, quoted(arm), f"{table.relation} WHERE {where}")
    table.keep("leaked", f"SELECT unit FROM ({inner}) WHERE leaked")
    return f"({where}) AND {column} NOT IN (SELECT unit FROM leaked)"


def _repeated(column: str, arm: str, source: str) -> str:
    return (
        f"SELECT {column} AS unit, min({arm}) <> max({arm}) AS leaked, "
        f"max({ROW}) AS later FROM {source} AND {column} IS NOT NULL "
        "GROUP BY ALL HAVING count(*) > 1"
    )
