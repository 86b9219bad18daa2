"""Sums over the rows: one pass over a table gives the moments of every metric in every arm.

They are centred, so that a large mean does not eat the digits of the variance, and mergeable, so
that the moments of parts add up to those of the whole (Chan, Golub and LeVeque 1983).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import combinations_with_replacement
from typing import Any

from opslab.experiments.moments.columns import (
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
from opslab.experiments.moments.cross_moments import (
    CrossMoments,
    cell_count,
    from_cells,
    merge_cross,
)
from opslab.experiments.moments.passes import Asked, pass_sql
from opslab.tables.source import ROW, Table, literal, quoted

_FIRST_ROWS = 10_000
_NO_VARIATION = 1e-14
# How far, in standard deviations, a shift may stand from the mean: farther costs digits of the
# variance.
_NEAR, _FAR, _ROUNDING = 3.0, 10.0, 1e-12
_LARGEST_SUM = 1e120
_MEANS = "opslab_means"
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
        if n < 2:  # noqa: PLR2004 - one value has no spread
            return cls(n, shift + total if n else 0.0, 0.0)
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
    table: Table,
    arm: str,
    columns: Sequence[Column],
    where: str = "TRUE",
    joints: Sequence[Joint] = (),
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
        When a column holds text that is no number, an infinite value, or for a binary one anything
        but 0 and 1: with the row.
    """
    joints = list(dict.fromkeys(joints))
    columns = list(dict.fromkeys([*columns, *_columns_of(joints)]))
    refuse_types(table, columns)
    finite = False
    values = {column: value_sql(table, column) for column in columns}
    while True:
        shifts = _shifts(table, columns, values, where)
        asked = Asked(arm, columns, values, where, dimensions, derived=joints)
        parts = table.fetch_slices(
            partial(pass_sql, asked=asked, shifts=_literals(shifts), fills=shifts)
        )
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
            column: value
            if is_whole(table, column)
            else f"CASE WHEN isfinite({value}) THEN {value} END"
            for column, value in values.items()
        }
        finite = True
    refuse_values(table, columns, values, parts, where)
    found = _merged(parts, asked, lambda _cell: shifts)
    gaps = [joint for joint in joints if any(joint not in one.joint for one in found.values())]
    if gaps:  # one of the columns is empty in some rows: these joints are summed by themselves
        asked = replace(asked, columns=_columns_of(gaps), joints=gaps, derived=())
        parts = table.fetch_slices(
            partial(pass_sql, asked=asked, shifts=_literals(shifts), fills=shifts)
        )
        whole = _merged(parts, asked, lambda _cell: shifts)
        found = {
            cell: replace(one, joint={**one.joint, **whole[cell].joint})
            for cell, one in found.items()
        }
    floating = [column for column in columns if not column.binary and not is_whole(table, column)]
    for place in (None, *range(len(dimensions))):
        inside = {cell: one for cell, one in found.items() if cell[0] == place}
        far = {
            column
            for column in floating
            if any(_is_far(one.moments[column], shifts[column]) for one in inside.values())
        }
        if far:  # the first rows were unlike the others: once more, about each cell's own mean
            touched = [joint for joint in joints if far & set(joint.columns)]
            asked = replace(
                asked,
                columns=list(
                    dict.fromkeys([*(one for one in floating if one in far), *_columns_of(touched)])
                ),
                joints=[joint for joint in touched if joint in gaps],
                derived=[joint for joint in touched if joint not in gaps],
            )
            found |= _about_own_means(table, asked, inside, (place, shifts))
    levels: tuple[dict[str | None, Arms], ...] = tuple({} for _ in dimensions)
    for (place, level, label), moments in found.items():
        if place is not None:
            levels[place].setdefault(level, {})[label] = moments
    return Collected(
        {label: one for (place, _, label), one in found.items() if place is None}, levels
    )


def _columns_of(joints: Sequence[Joint]) -> list[Column]:
    return list(dict.fromkeys(column for joint in joints for column in joint.columns))


def _literals(shifts: Mapping[Column, float]) -> dict[Column, str]:
    return {
        column: f"CAST({shift!r} AS DOUBLE)" if shift else "" for column, shift in shifts.items()
    }


def _about_own_means(
    table: Table,
    asked: Asked,
    inside: Mapping[_Cell, ArmMoments],
    about: tuple[int | None, Mapping[Column, float]],
) -> dict[_Cell, ArmMoments]:
    """Return the moments of the cells of one dimension again, each summed about its own means."""
    place, fills = about
    means = {
        cell: {column: one.moments[column].mean for column in asked.columns}
        for cell, one in inside.items()
    }
    rows = ", ".join(
        f"({_literal(label)}, {_literal(level)}, {', '.join(map(repr, own.values()))})"
        for (_, level, label), own in means.items()
    )
    names = [f"opslab_s{order}" for order in range(len(asked.columns))]
    table.keep(
        _MEANS, f"SELECT * FROM (VALUES {rows}) AS m(opslab_arm, opslab_level, {', '.join(names)})"
    )
    dimensions = [] if place is None else [asked.dimensions[place]]
    on = f"CAST({quoted(asked.arm)} AS VARCHAR) IS NOT DISTINCT FROM m.opslab_arm"
    on += f" AND ({dimensions[0]}) IS NOT DISTINCT FROM m.opslab_level" if dimensions else ""
    shifts = {
        column: f"CAST({name} AS DOUBLE)" for column, name in zip(asked.columns, names, strict=True)
    }

    def query(source: str) -> str:
        joined = f"(SELECT t.*, m.* FROM {source} AS t JOIN {_MEANS} AS m ON {on})"
        return pass_sql(joined, replace(asked, dimensions=dimensions), shifts, fills)

    parts = [
        [(*row[:-2], place, row[-1]) for row in part if (row[-2] is None) == (place is None)]
        for part in table.fetch_slices(query)
    ]
    again = _merged(parts, asked, means.__getitem__)
    return {
        cell: replace(
            one,
            moments={**one.moments, **again[cell].moments},
            joint={**one.joint, **again[cell].joint},
        )
        for cell, one in inside.items()
    }


def _literal(text: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if text is None else literal(text)


def _merged(
    parts: Sequence[Sequence[tuple[Any, ...]]],
    asked: Asked,
    shifts_of: Callable[[_Cell], Mapping[Column, float]],
) -> dict[_Cell, ArmMoments]:
    found: dict[_Cell, list[ArmMoments]] = {}
    for row in (row for part in parts for row in part):
        place, level = row[-2:]
        cell = (place, level, row[0])
        found.setdefault(cell, []).append(_arm(row, asked, shifts_of(cell)))
    return {
        cell: reduce(_merge_arms, found[cell])
        for cell in sorted(
            found, key=lambda cell: (cell[0] is not None, cell[0] or 0, *_order(cell))
        )
    }


def _order(cell: _Cell) -> tuple[bool, str, bool, str]:
    _, level, label = cell
    return level is not None, level or "", label is not None, label or ""


def _is_far(moments: Moments, shift: float) -> bool:
    """Whether sums about the shift have lost digits of the variance that sums about the mean keep."""
    near = max(_FAR * math.sqrt(moments.variance), _ROUNDING * abs(moments.mean))
    return moments.n > 1 and abs(moments.mean - shift) > near


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


def _arm(row: tuple[Any, ...], asked: Asked, shifts: Mapping[Column, float]) -> ArmMoments:
    rows = row[1]
    moments, missing, cut = {}, {}, {}
    totals: dict[Column, Any] = {}
    products: dict[tuple[Column, Column], Any] = {}
    for place, column in enumerate(asked.columns):
        given, total, squares, *_, cut[column] = row[2 + CELLS * place : 2 + CELLS * (place + 1)]
        n = rows if column.zero_for_missing else given
        missing[column] = rows - given
        totals[column], products[column, column] = total, squares
        if isinstance(total, int):
            moments[column] = Moments.of_whole(n, total, squares)
        else:
            moments[column] = Moments.about(shifts[column], n, total or 0.0, squares or 0.0)
    start, pairs = 2 + CELLS * len(asked.columns), asked.pairs
    products |= dict(zip(pairs, row[start : start + len(pairs)], strict=True))
    joint = {}
    for one in asked.derived:
        if any(missing[column] for column in one.columns):
            continue
        sums = [products[pair] for pair in combinations_with_replacement(one.columns, 2)]
        cells = [rows, rows, *(totals[column] for column in one.columns), *sums]
        joint[one] = from_cells(cells, [shifts[column] for column in one.columns])
    start += len(pairs)
    for one in asked.joints:
        own = row[start : start + cell_count(len(one.columns))]
        joint[one] = from_cells(own, [shifts[column] for column in one.columns])
        start += len(own)
    return ArmMoments(rows, moments, missing, cut, joint)


def _merge_arms(first: ArmMoments, second: ArmMoments) -> ArmMoments:
    return ArmMoments(
        first.rows + second.rows,
        {column: merge(first.moments[column], second.moments[column]) for column in first.moments},
        {column: first.missing[column] + second.missing[column] for column in first.missing},
        {column: first.capped[column] + second.capped[column] for column in first.capped},
        {
            one: merge_cross(side, second.joint[one])
            for one, side in first.joint.items()
            if one in second.joint
        },
    )
