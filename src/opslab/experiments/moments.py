"""Sums over the rows: one pass over a table gives the moments of every metric in every arm.

They are centred, so that a large mean does not eat the digits of the variance, and mergeable, so that the
moments of parts add up to those of the whole (Chan, Golub and LeVeque 1983).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Any

from opslab.experiments.cross_moments import CrossMoments, cell_count, cross_sql, from_cells, merge_cross
from opslab.experiments.summed import (
    CELLS,
    LARGEST,
    Column,
    Joint,
    capped_sql,
    is_whole,
    refuse_infinite,
    refuse_types,
    refuse_values,
    value_sql,
)
from opslab.tables.source import ROW, Table, literal, quoted

_FIRST_ROWS = 10_000
_NO_VARIATION = 1e-14
# How far, in standard deviations, a shift may stand from the mean: farther costs digits of the variance.
_NEAR, _FAR, _ROUNDING = 3.0, 10.0, 1e-12
_LARGEST_SUM = 1e120
_PASSES = 3
_Cell = tuple[int | None, str | None, str | None]
"""Place of a dimension, a level of it, an arm; without a dimension all rows of the arm."""


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
class ArmMoments:
    """What one pass found in one arm: its rows, and per column the moments and the empty values."""

    rows: int
    moments: Mapping[Column, Moments]
    missing: Mapping[Column, int]
    capped: Mapping[Column, int] = field(default_factory=dict)
    joint: Mapping[Joint, CrossMoments] = field(default_factory=dict)


Arms = dict[str | None, ArmMoments]
"""What one pass found, by the arm's label as text; None stands for rows without an arm."""


@dataclass(frozen=True)
class Collected:
    """The moments of every arm over all rows, and within the levels of each dimension.

    Attributes
    ----------
    whole : dict
    levels : tuple of dict, one for each dimension
        By the level as text, its arms; None stands for rows whose level is empty.
    """

    whole: Arms
    levels: tuple[dict[str | None, Arms], ...] = ()


def collect(
    table: Table, arm: str, columns: Sequence[Column], where: str = "TRUE", joints: Sequence[Joint] = ()
) -> Arms:
    """Return the moments of columns by arm, in one pass; the parameters are those of `collect_by`."""
    return collect_by(table, arm, columns, where, joints).whole


def collect_by(
    table: Table,
    arm: str,
    columns: Sequence[Column],
    where: str = "TRUE",
    joints: Sequence[Joint] = (),
    dimensions: Sequence[str] = (),
) -> Collected:
    """Return the moments of columns by arm, and by arm within each dimension, in one pass over the table.

    Parameters
    ----------
    table : Table
    arm : str
        Column of the arm.
    columns : sequence of Column
    where : str
        SQL condition on the rows to use.
    joints : sequence of Joint
        Columns to sum together as well.
    dimensions : sequence of str
        SQL of texts: the levels that rows are broken down by, each dimension by itself.

    Returns
    -------
    Collected

    Raises
    ------
    DataError
        When a column holds text that is no number, an infinite value, or for a binary one anything but
        0 and 1: with the row.
    """
    columns = list(dict.fromkeys([*columns, *(column for joint in joints for column in joint.columns)]))
    refuse_types(table, columns)
    finite = False
    values = {column: value_sql(table, column) for column in columns}
    while True:
        shifts = _shifts(table, columns, values, where)
        query = partial(_query, arm=arm, values=values, fills=shifts, dimensions=dimensions)
        parts = table.fetch_slices(partial(query, columns=columns, shifts=shifts, where=where, joints=joints))
        if finite or all(
            abs(cell) < _LARGEST_SUM
            for part in parts
            for row in part
            for cell in row[2:-2]
            if cell is not None
        ):
            break
        refuse_infinite(table, columns, values, where)
        values = {
            column: value if is_whole(table, column) else f"CASE WHEN isfinite({value}) THEN {value} END"
            for column, value in values.items()
        }
        finite = True
    refuse_values(table, columns, values, parts, where)
    found = _merged(parts, columns, shifts, joints)
    floating = [column for column in columns if not column.binary and not is_whole(table, column)]
    for (place, level, label), whole in found.items():
        known, about = whole, shifts
        for _ in range(_PASSES):
            far = [column for column in floating if _is_far(known.moments[column], about[column])]
            if not far:
                break
            # The first rows were unlike the others: once more, about these rows' own mean.
            touched = [joint for joint in joints if set(far) & set(joint.columns)]
            far = list(dict.fromkeys([*far, *(column for joint in touched for column in joint.columns)]))
            about = {**about, **{column: known.moments[column].mean for column in far}}
            own = f"({where}) AND CAST({quoted(arm)} AS VARCHAR) {_is(label)}"
            own += f" AND ({dimensions[place]}) {_is(level)}" if place is not None else ""
            again = partial(_query, arm=arm, values=values, fills=shifts, dimensions=())
            parts = table.fetch_slices(partial(again, columns=far, shifts=about, where=own, joints=touched))
            (part,) = _merged(parts, far, about, touched).values()
            known = replace(
                known, moments={**known.moments, **part.moments}, joint={**known.joint, **part.joint}
            )
        found[place, level, label] = known
    levels: tuple[dict[str | None, Arms], ...] = tuple({} for _ in dimensions)
    for (place, level, label), moments in found.items():
        if place is not None:
            levels[place].setdefault(level, {})[label] = moments
    return Collected({label: one for (place, _, label), one in found.items() if place is None}, levels)


def _is(label: str | None) -> str:
    return "IS NULL" if label is None else f"= {literal(label)}"


def _merged(
    parts: Sequence[Sequence[tuple[Any, ...]]],
    columns: Sequence[Column],
    shifts: Mapping[Column, float],
    joints: Sequence[Joint],
) -> dict[_Cell, ArmMoments]:
    found: dict[_Cell, list[ArmMoments]] = {}
    for row in (row for part in parts for row in part):
        place, level = row[-2:]
        found.setdefault((place, level, row[0]), []).append(_arm(row, columns, shifts, joints))
    return {
        cell: reduce(_merge_arms, found[cell])
        for cell in sorted(found, key=lambda cell: (cell[0] is not None, cell[0] or 0, *_order(cell)))
    }


def _order(cell: _Cell) -> tuple[bool, str, bool, str]:
    _, level, label = cell
    return level is not None, level or "", label is not None, label or ""


def _is_far(moments: Moments, shift: float) -> bool:
    """Whether sums about the shift have lost digits of the variance that sums about the mean keep."""
    return abs(moments.mean - shift) > max(_FAR * math.sqrt(moments.variance), _ROUNDING * abs(moments.mean))


def _shifts(
    table: Table, columns: Sequence[Column], values: Mapping[Column, str], where: str
) -> dict[Column, float]:
    """Return what to take off each column: the first rows' mean where it dwarfs their spread, else 0."""
    wanted = [column for column in columns if not column.binary and not is_whole(table, column)]
    if not wanted:
        return dict.fromkeys(columns, 0.0)
    known = [
        f"CASE WHEN abs({values[column]}) <= {LARGEST} THEN {capped_sql(values[column], column.cap)[0]}"
        f"{' ELSE 0.0' if column.zero_for_missing else ''} END"
        for column in wanted
    ]
    head = f"(SELECT * FROM {table.relation} WHERE {ROW} < {_FIRST_ROWS} AND {where})"
    figures = ", ".join(f"avg({value}), coalesce(var_pop({value}), 0.0)" for value in known)
    (found,) = table.fetch(f"SELECT {figures} FROM {head}", threads=1)
    return dict.fromkeys(columns, 0.0) | {
        column: mean
        for column, mean, variance in zip(wanted, found[::2], found[1::2], strict=True)
        if mean is not None and (column.centred or abs(mean) > _NEAR * math.sqrt(variance))
    }


def _query(
    source: str,
    arm: str,
    columns: Sequence[Column],
    values: Mapping[Column, str],
    shifts: Mapping[Column, float],
    fills: Mapping[Column, float],
    where: str,
    joints: Sequence[Joint],
    dimensions: Sequence[str],
) -> str:
    inner, outer = [f"CAST({quoted(arm)} AS VARCHAR) AS arm"], ["arm", "count(*)"]
    for place, column in enumerate(columns):
        value, beyond = capped_sql(values[column], column.cap)
        given, squares = f"d{place}", f"sum(d{place} * d{place})"
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
        capped = "0"
        if beyond:
            inner.append(f"{beyond} AS c{place}")
            capped = f"count(*) FILTER (c{place})"
        outer += [f"count({given})", f"sum(d{place})", squares, other, text, capped]
    levels = [f"level{place}" for place in range(len(dimensions))]
    inner += [f"{dimension} AS {name}" for dimension, name in zip(dimensions, levels, strict=True)]
    rows = f"SELECT {', '.join(inner)} FROM {source} WHERE {where}"
    added: list[str] = []
    places = {column: place for place, column in enumerate(columns)}
    for order, joint in enumerate(joints):
        own = [f"d{places[column]}" for column in joint.own]
        given_own = [f"{'v' if column.zero_for_missing else 'd'}{places[column]}" for column in joint.own]
        never_empty = [
            f"coalesce(d{places[column]}, CAST({fills[column] - shifts[column]!r} AS DOUBLE))"
            for column in joint.columns[len(own) :]
        ]
        terms, sums = cross_sql(f"j{order}", own, given_own, never_empty)
        added += terms
        outer += sums
    rows = f"SELECT *, {', '.join(added)} FROM ({rows})" if added else rows
    if not levels:
        return f"SELECT {', '.join(outer)}, NULL, NULL FROM ({rows}) GROUP BY arm"
    which = " ".join(f"WHEN grouping({name}) = 0 THEN {place}" for place, name in enumerate(levels))
    outer += [f"CASE {which} END", f"coalesce({', '.join(levels)})"]
    sets = ", ".join(["(arm)", *(f"(arm, {name})" for name in levels)])
    return f"SELECT {', '.join(outer)} FROM ({rows}) GROUP BY GROUPING SETS ({sets})"


def _arm(
    row: tuple[Any, ...],
    columns: Sequence[Column],
    shifts: Mapping[Column, float],
    joints: Sequence[Joint],
) -> ArmMoments:
    rows = row[1]
    moments, missing, cut = {}, {}, {}
    for place, column in enumerate(columns):
        given, total, squares, *_, cut[column] = row[2 + CELLS * place : 2 + CELLS * (place + 1)]
        n = rows if column.zero_for_missing else given
        missing[column] = rows - given
        if isinstance(total, int):
            moments[column] = Moments.of_whole(n, total, squares)
        else:
            moments[column] = Moments.about(shifts[column], n, total or 0.0, squares or 0.0)
    joint, start = {}, 2 + CELLS * len(columns)
    for one in joints:
        cells = row[start : start + cell_count(len(one.columns))]
        joint[one] = from_cells(cells, [shifts[column] for column in one.columns])
        start += len(cells)
    return ArmMoments(rows, moments, missing, cut, joint)


def _merge_arms(first: ArmMoments, second: ArmMoments) -> ArmMoments:
    return ArmMoments(
        first.rows + second.rows,
        {column: merge(first.moments[column], second.moments[column]) for column in first.moments},
        {column: first.missing[column] + second.missing[column] for column in first.missing},
        {column: first.capped[column] + second.capped[column] for column in first.capped},
        {one: merge_cross(first.joint[one], second.joint[one]) for one in first.joint},
    )
