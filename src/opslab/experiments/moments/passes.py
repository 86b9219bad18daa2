"""The SQL of one pass over the rows: sums of columns, of products, of what goes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from opslab.experiments.moments.arm_moments import CrossMoments
from opslab.experiments.moments.columns import Column, Joint
from opslab.experiments.moments.values import capped_sql
from opslab.tables.source import quoted


@dataclass(frozen=True)
class Asked:
    """What one pass sums.

    The ``joints`` are summed by themselves, over rows in which their own columns are given; the
    ``derived`` ones follow from the sums of their columns and of products, where no column has an
    empty value.
    """

    arm: str
    columns: Sequence[Column]
    values: Mapping[Column, str]
    where: str
    dimensions: Sequence[str] = ()
    joints: Sequence[Joint] = ()
    derived: Sequence[Joint] = ()

    @property
    def pairs(self) -> list[tuple[Column, Column]]:
        """The pairs of columns whose products are summed, each once."""
        return list(
            dict.fromkeys(pair for joint in self.derived for pair in combinations(joint.columns, 2))
        )


def pass_sql(
    source: str, asked: Asked, shifts: Mapping[Column, str], fills: Mapping[Column, float]
) -> str:
    """Return SQL of a pass: arm, rows, figures of columns, products, joints, dimension, level."""
    inner, outer = [f"CAST({quoted(asked.arm)} AS VARCHAR) AS arm"], ["count(*)"]
    orders = {column: order for order, column in enumerate(asked.columns)}
    for column, order in orders.items():
        added, figures = _figures(order, column, asked.values[column], shifts[column])
        inner += added
        outer += figures
    outer += [f"sum(d{orders[first]} * d{orders[second]})" for first, second in asked.pairs]
    levels = [f"level{order}" for order in range(len(asked.dimensions))]
    inner += [f"{sql} AS {name}" for sql, name in zip(asked.dimensions, levels, strict=True)]
    covariates = (column for joint in asked.joints for column in joint.covariate_columns)
    for column in dict.fromkeys(covariates):
        filled = f"coalesce({asked.values[column]}, CAST({fills[column]!r} AS DOUBLE))"
        inner.append(f"{_less(filled, shifts[column])} AS f{orders[column]}")
    rows = f"SELECT {', '.join(inner)} FROM {source} WHERE {asked.where}"
    terms: list[str] = []
    for order, joint in enumerate(asked.joints):
        own = [f"d{orders[column]}" for column in joint.own]
        given = [
            f"{'v' if column.zero_for_missing else 'd'}{orders[column]}" for column in joint.own
        ]
        never_empty = [f"f{orders[column]}" for column in joint.covariate_columns]
        added, sums = cross_sql(f"j{order}", own, given, never_empty)
        terms += added
        outer += sums
    rows = f"SELECT *, {', '.join(terms)} FROM ({rows})" if terms else rows
    return _grouped(rows, outer, levels)


def _grouped(rows: str, figures: Sequence[str], levels: Sequence[str]) -> str:
    """Return SQL of the figures by arm, and by arm within the levels of each dimension."""
    if not levels:
        return f"SELECT arm, {', '.join(figures)}, NULL, NULL FROM ({rows}) GROUP BY arm"
    # The levels of all dimensions together first, then the sums of these sums: each row is hashed
    # once.
    named = ", ".join(f"{figure} AS c{order}" for order, figure in enumerate(figures))
    together = (
        f"SELECT arm, {', '.join(levels)}, {named} FROM ({rows}) GROUP BY arm, {', '.join(levels)}"
    )
    summed = ", ".join(f"sum(c{order})" for order in range(len(figures)))
    which = " ".join(f"WHEN grouping({name}) = 0 THEN {order}" for order, name in enumerate(levels))
    sets = ", ".join(["(arm)", *(f"(arm, {name})" for name in levels)])
    return (
        f"SELECT arm, {summed}, CASE {which} END, coalesce({', '.join(levels)}) FROM ({together}) "
        f"GROUP BY GROUPING SETS ({sets})"
    )


def _less(value: str, shift: str) -> str:
    return f"{value} - {shift}" if shift else value


def _figures(order: int, column: Column, number: str, shift: str) -> tuple[list[str], list[str]]:
    """Return a column's SQL: what it adds to the rows, and its figures."""
    value, beyond = capped_sql(number, column.cap)
    deviation, given, other, text, capped = f"d{order}", f"d{order}", "0", "0", "0"
    squares = f"sum({deviation} * {deviation})"
    if value.startswith("CAST") and value.endswith("INTEGER)"):
        inner = [f"{value} AS {deviation}"]
        squares = f"sum(CAST({deviation} AS BIGINT) * {deviation})"
        if column.binary:  # another whole number sets another bit; the square of 0 or 1 is itself
            squares = f"sum({deviation})"
            other = f"coalesce(bit_or({deviation}) NOT IN (0, 1), FALSE)::INTEGER"
    else:
        filled = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
        inner = [f"{_less(filled, shift)} AS {deviation}"]
        if column.binary:
            inner.append(f"{filled} AS b{order}")
            other = f"count(*) FILTER (b{order} <> 0 AND b{order} <> 1)"
        if column.zero_for_missing:
            given = f"v{order}"
            inner.append(f"{value} AS {given}")
    if "TRY_CAST" in value:
        inner.append(f"{quoted(column.name)} AS t{order}")
        text = f"count(t{order}) - count({given})"
    if beyond:
        inner.append(f"{beyond} AS cut{order}")
        capped = f"count(*) FILTER (cut{order})"
    return inner, [f"count({given})", f"sum({deviation})", squares, other, text, capped]


def cross_sql(
    name: str, own: Sequence[str], raw: Sequence[str], covariates: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return SQL that sums columns together: columns to add to the rows, then the sums of them.

    Parameters
    ----------
    name : str
        What the added columns' names begin with.
    own : sequence of str
        SQL of the metric's own shifted columns: a row counts where none of them is empty.
    raw : sequence of str
        The same before an empty value was taken for 0.
    covariates : sequence of str
        SQL of the shifted covariates, never empty.
    """
    present, given = (
        " AND ".join(f"{column} IS NOT NULL" for column in columns) for columns in (own, raw)
    )
    terms = [f"{name}_{order}" for order in range(len(own) + len(covariates))]
    added = [
        f"CASE WHEN {present} THEN {column} END AS {term}"
        for term, column in zip(terms, [*own, *covariates], strict=True)
    ]
    products = [f"sum({one} * {two})" for one, two in combinations_with_replacement(terms, 2)]
    sums = [f"count({terms[0]})", f"count(*) FILTER ({given})", *(f"sum({term})" for term in terms)]
    return added, sums + products


def cell_count(columns: int) -> int:
    """Return how many sums `cross_sql` asks for so many columns."""
    return 2 + columns + columns * (columns + 1) // 2


def from_cells(cells: Sequence[Any], shifts: Sequence[float]) -> CrossMoments:
    """Return the moments from the sums of `cross_sql` about ``shifts``."""
    n, given, *sums = cells
    size = len(shifts)
    scatter = np.zeros((size, size))
    if n == 0:
        return CrossMoments(0, given, np.zeros(size), scatter)
    totals = np.array(sums[:size], dtype=float)
    if n > 1:
        scatter[np.triu_indices(size)] = sums[size:]
        scatter = np.triu(scatter - np.outer(totals, totals) / n)
        scatter += np.triu(scatter, 1).T
        np.fill_diagonal(scatter, np.diag(scatter).clip(0.0))
    return CrossMoments(n, given, np.array(shifts) + totals / n, scatter)
