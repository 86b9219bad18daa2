"""Sums over the rows of a unit or a day, which do not depend on the order of the rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from opslab.experiments.moments.values import finite_sql
from opslab.tables.source import ROW, Table, quoted

_BITS = 80  # that the largest value of an exact sum takes: far more than a float holds
_LARGEST_POWER = 1000  # of two, that a float holds with room to spare
_TAKEN = (ROW, "opslab_moment", "opslab_unit", "opslab_day", "opslab_slope")


def exact_sum(value: str, largest: float, among: str = "") -> str:
    """Return SQL of a sum that does not depend on the order of the rows, in any number of threads.

    Each value is a whole number of a grid so fine (2^-80 of the largest) that no digit is lost
    which a float of the sum's size could hold; whole numbers add up exactly.

    Parameters
    ----------
    value : str
        SQL of finite floats.
    largest : float
        Of their absolute values.
    among : str, optional
        SQL of a filter on the rows.
    """
    scale = 2.0 ** min(_BITS - (math.frexp(largest)[1] if largest else 0), _LARGEST_POWER)
    sums = f"sum(CAST(round({value} * {scale!r}) AS HUGEINT)){among}"
    return f"CAST({sums} AS DOUBLE) / {scale!r}"


def largest_values(table: Table, values: Sequence[str], where: str) -> list[float]:
    """Return the largest absolute value of each expression; 0 where there is none."""
    if not values:
        return []
    looks = ", ".join(f"coalesce(max(abs({value})), 0)" for value in values)
    (sizes,) = table.fetch(f"SELECT {looks} FROM {table.relation} WHERE {where}")
    return list(map(float, sizes))


def free_names(wanted: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Return names that no other column has; upper and lower case are the same to the engine."""
    used = {name.casefold() for name in (*taken, *_TAKEN)}
    names = []
    for name in wanted:
        free = name
        while free.casefold() in used:
            free += "*"
        used.add(free.casefold())
        names.append(free)
    return names


class RowSums:
    """The sums over rows that metrics ask for, by the name of the column that each becomes."""

    def __init__(self, table: Table, where: str, taken: Iterable[str]) -> None:
        self._table, self._where, self._taken = table, where, list(taken)
        self._sql: dict[str, str] = {}

    @property
    def columns(self) -> list[str]:
        """SQL of the columns of a query that groups the rows."""
        return [f"{sql} AS {quoted(name)}" for name, sql in self._sql.items()]

    def value(self, column: str) -> str:
        """Return SQL of a row's value, empty where the cell holds no number."""
        return finite_sql(self._table, column)

    def given(self, columns: Iterable[str]) -> str:
        """Return the SQL condition that none of some columns is empty."""
        return " AND ".join(f"({self.value(name)}) IS NOT NULL" for name in columns)

    def add(self, name: str, sql: str) -> str:
        """Add an aggregate under a name; return the name that it has."""
        (free,) = free_names([name], [*self._taken, *self._sql])
        self._sql[free] = sql
        return free

    def total(self, name: str, column: str, *, zero: bool, among: str = "TRUE") -> str:
        """Add the total of a column; return the name that it has.

        Parameters
        ----------
        name : str
        column : str
        zero : bool
            Whether the total of empty cells alone is 0.
        among : str
            SQL condition on the rows.
        """
        value = f"CASE WHEN {among} THEN {self.value(column)} END"
        (largest,) = largest_values(self._table, [value], self._where)
        total = exact_sum(value, largest)
        return self.add(name, f"coalesce({total}, 0.0)" if zero else total)
