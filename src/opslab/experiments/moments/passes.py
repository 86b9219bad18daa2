"""The SQL of one pass over the rows: the sums of columns, of products, and of columns that go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from opslab.experiments.moments.columns import Column, Joint, capped_sql
from opslab.experiments.moments.cross_moments import cross_sql
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
    """Return the SQL of a pass: arm, rows, the cells of each column, products, joints, dimension, level."""
    inner, outer = [f"CAST({quoted(asked.arm)} AS VARCHAR) AS arm"], ["count(*)"]
    for place, column in enumerate(asked.columns):
        added, cells = _cells(place, column, asked.values[column], shifts[column])
        inner += added
        outer += cells
    places = {column: place for place, column in enumerate(asked.columns)}
    outer += [f"sum(d{places[one]} * d{places[other]})" for one, other in asked.pairs]
    levels = [f"level{place}" for place in range(len(asked.dimensions))]
    inner += [
        f"{dimension} AS {name}" for dimension, name in zip(asked.dimensions, levels, strict=True)
    ]
    for column in dict.fromkeys(
        one for joint in asked.joints for one in joint.columns[len(joint.own) :]
    ):
        filled = f"coalesce({asked.values[column]}, CAST({fills[column]!r} AS DOUBLE))"
        inner.append(f"{_less(filled, shifts[column])} AS f{places[column]}")
    rows = f"SELECT {', '.join(inner)} FROM {source} WHERE {asked.where}"
    terms: list[str] = []
    for order, joint in enumerate(asked.joints):
        own = [f"d{places[column]}" for column in joint.own]
        given_own = [
            f"{'v' if column.zero_for_missing else 'd'}{places[column]}" for column in joint.own
        ]
        never_empty = [f"f{places[column]}" for column in joint.columns[len(own) :]]
        added, sums = cross_sql(f"j{order}", own, given_own, never_empty)
        terms += added
        outer += sums
    rows = f"SELECT *, {', '.join(terms)} FROM ({rows})" if terms else rows
    if not levels:
        return f"SELECT arm, {', '.join(outer)}, NULL, NULL FROM ({rows}) GROUP BY arm"
    # The levels of all dimensions together first, then the sums of these sums: each row is hashed
    # once.
    named = ", ".join(f"{figure} AS c{place}" for place, figure in enumerate(outer))
    together = f"SELECT arm, {', '.join(levels)}, {named} FROM ({rows}) GROUP BY ALL"
    summed = ", ".join(f"sum(c{place})" for place in range(len(outer)))
    which = " ".join(f"WHEN grouping({name}) = 0 THEN {place}" for place, name in enumerate(levels))
    sets = ", ".join(["(arm)", *(f"(arm, {name})" for name in levels)])
    return (
        f"SELECT arm, {summed}, CASE {which} END, coalesce({', '.join(levels)}) FROM ({together}) "
        f"GROUP BY GROUPING SETS ({sets})"
    )


def _less(value: str, shift: str) -> str:
    return f"{value} - {shift}" if shift else value


def _cells(place: int, column: Column, given_value: str, shift: str) -> tuple[list[str], list[str]]:
    """Return a column's SQL: what it adds to the rows, and its figures."""
    value, beyond = capped_sql(given_value, column.cap)
    given, squares, other, text, capped = f"d{place}", f"sum(d{place} * d{place})", "0", "0", "0"
    if value.startswith("CAST") and value.endswith("INTEGER)"):
        inner = [f"{value} AS d{place}"]
        squares = f"sum(CAST(d{place} AS BIGINT) * d{place})"
        if column.binary:  # any other whole number sets another bit; the square of 0 or 1 is itself
            squares, other = (
                f"sum(d{place})",
                f"coalesce(bit_or(d{place}) NOT IN (0, 1), FALSE)::INTEGER",
            )
    else:
        filled = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
        inner = [f"{_less(filled, shift)} AS d{place}"]
        if column.binary:
            inner.append(f"{filled} AS b{place}")
            other = f"count(*) FILTER (b{place} <> 0 AND b{place} <> 1)"
        if column.zero_for_missing:
            given = f"v{place}"
            inner.append(f"{value} AS v{place}")
    if "TRY_CAST" in value:
        inner.append(f"{quoted(column.name)} AS t{place}")
        text = f"count(t{place}) - count({given})"
    if beyond:
        inner.append(f"{beyond} AS cut{place}")
        capped = f"count(*) FILTER (cut{place})"
    return inner, [f"count({given})", f"sum(d{place})", squares, other, text, capped]
