"""One pass over a table gives the moments of every metric in every arm."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

from opslab.experiments.moments.arm_moments import (
    ArmMoments,
    Collected,
    Labelled,
    Moments,
    merge_arms,
)
from opslab.experiments.moments.columns import Column, Joint
from opslab.experiments.moments.passes import Asked, cell_count, from_cells, pass_sql
from opslab.experiments.moments.values import (
    CELLS,
    LARGEST,
    capped_sql,
    finite,
    is_whole,
    refuse_cells,
    refuse_types,
    value_sql,
)
from opslab.tables.source import ROW, Table, literal, quoted

_FIRST_ROWS = 10_000
# How far, in standard deviations, a shift may stand from the mean: farther costs digits of the
# variance.
_NEAR, _FAR, _ROUNDING = 3.0, 10.0, 1e-12
_LARGEST_SUM = 1e120
_MEANS = "opslab_means"

Shifts = Mapping[Column, float]
Parts = list[list[tuple[Any, ...]]]


class Cell(NamedTuple):
    """The rows that are summed together: of an arm, within a level of a dimension or in all."""

    dimension: int | None
    level: str | None
    arm: str | None


def collect_by(
    table: Table,
    arm: str,
    columns: Sequence[Column],
    where: str = "TRUE",
    joints: Sequence[Joint] = (),
    dimensions: Sequence[str] = (),
) -> Collected:
    """Return the moments of columns by arm, and by arm within each dimension, in one pass.

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
    columns = list(dict.fromkeys([*columns, *_columns_of(joints)]))
    joints = [joint for joint in dict.fromkeys(joints) if len(joint.columns) > 1]
    refuse_types(table, columns)
    values = {column: value_sql(table, column) for column in columns}
    asked = Asked(arm, columns, values, where, dimensions, derived=joints)
    shifts, fills = _shifts(table, asked), dict[Column, float]()
    parts = _summed(table, asked, shifts, fills)
    if _overflow(parts):
        refuse_cells(table, columns, where)
        kept = {
            each: value if is_whole(table, each) else finite(value)
            for each, value in values.items()
        }
        asked = replace(asked, values=kept)
        shifts = _shifts(table, asked)
        parts = _summed(table, asked, shifts, fills)
    refuse_cells(table, _suspects(parts, columns), where)
    cells = _merged(parts, asked, lambda _cell: shifts)
    gaps = [joint for joint in joints if any(joint not in arm.joint for arm in cells.values())]
    if gaps:  # a column is empty in some rows: these joints are summed by themselves
        fills = _pooled_means(cells)
        alone = replace(asked, columns=_columns_of(gaps), joints=gaps, derived=())
        again = _merged(_summed(table, alone, shifts, fills), alone, lambda _cell: shifts)
        cells = _updated(cells, again)
    asked = replace(asked, joints=gaps, derived=[joint for joint in joints if joint not in gaps])
    for dimension in (None, *range(len(dimensions))):
        inside = {cell: arm for cell, arm in cells.items() if cell.dimension == dimension}
        cells |= _updated(inside, _about_own_means(table, asked, inside, shifts, fills))
    levels: tuple[dict[str | None, Labelled], ...] = tuple({} for _ in dimensions)
    for cell, moments in cells.items():
        if cell.dimension is not None:
            levels[cell.dimension].setdefault(cell.level, {})[cell.arm] = moments
    whole = {cell.arm: moments for cell, moments in cells.items() if cell.dimension is None}
    return Collected(whole, levels)


def _columns_of(joints: Iterable[Joint]) -> list[Column]:
    return list(dict.fromkeys(column for joint in joints for column in joint.columns))


def _updated(
    cells: Mapping[Cell, ArmMoments], again: Mapping[Cell, ArmMoments]
) -> dict[Cell, ArmMoments]:
    """Return the cells with what was summed again of them."""
    return dict(cells) | {
        cell: replace(
            cells[cell],
            moments={**cells[cell].moments, **arm.moments},
            joint={**cells[cell].joint, **arm.joint},
        )
        for cell, arm in again.items()
    }


def _suspects(parts: Parts, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that may hold texts, or other than 0 and 1 in a binary one."""
    rows = [row[2:] for part in parts for row in part]
    flags = (slice(CELLS * order + 3, CELLS * order + 5) for order in range(len(columns)))
    return [
        column
        for column, flag in zip(columns, flags, strict=True)
        if any(any(row[flag]) for row in rows)
    ]


def _pooled_means(cells: Mapping[Cell, ArmMoments]) -> dict[Column, float]:
    """Return what an empty covariate stands at: the mean over all arms, whatever the order."""
    whole = reduce(merge_arms, (arm for cell, arm in cells.items() if cell.dimension is None))
    return {column: moments.mean for column, moments in whole.moments.items()}


def _summed(table: Table, asked: Asked, shifts: Shifts, fills: Shifts) -> Parts:
    """Return the sums over each slice of the table, about shifts that all arms share."""
    offsets = {
        column: f"CAST({shift!r} AS DOUBLE)" if shift else "" for column, shift in shifts.items()
    }
    return table.fetch_slices(partial(pass_sql, asked=asked, shifts=offsets, fills=fills))


def _overflow(parts: Parts) -> bool:
    sums = (cell for part in parts for row in part for cell in row[2:-2] if cell is not None)
    return not all(abs(cell) < _LARGEST_SUM for cell in sums)


def _about_own_means(
    table: Table,
    asked: Asked,
    cells: Mapping[Cell, ArmMoments],
    shifts: Shifts,
    fills: Shifts,
) -> dict[Cell, ArmMoments]:
    """Sum the cells of a dimension anew, each about its own means, where shifts were far from them.

    The first rows were unlike the others then.
    """
    far = [
        column
        for column in asked.columns
        if not column.binary and not is_whole(table, column)
        if any(_is_far(arm.moments[column], shifts[column]) for arm in cells.values())
    ]
    if not far:
        return {}
    joints, derived = (
        [joint for joint in kind if not {*far}.isdisjoint(joint.columns)]
        for kind in (asked.joints, asked.derived)
    )
    columns = list(dict.fromkeys([*far, *_columns_of([*joints, *derived])]))
    means = {
        cell: {column: arm.moments[column].mean for column in columns}
        for cell, arm in cells.items()
    }
    dimension = next(iter(cells)).dimension
    dimensions = [] if dimension is None else [asked.dimensions[dimension]]
    asked = replace(asked, columns=columns, joints=joints, derived=derived, dimensions=dimensions)
    names = {column: f"opslab_s{order}" for order, column in enumerate(columns)}
    rows = ", ".join(
        f"({_literal(cell.arm)}, {_literal(cell.level)}, {', '.join(map(repr, own.values()))})"
        for cell, own in means.items()
    )
    heads = ", ".join(["opslab_arm", "opslab_level", *names.values()])
    table.keep(_MEANS, f"SELECT * FROM (VALUES {rows}) AS m({heads})")
    on = f"CAST({quoted(asked.arm)} AS VARCHAR) IS NOT DISTINCT FROM m.opslab_arm"
    on += f" AND ({dimensions[0]}) IS NOT DISTINCT FROM m.opslab_level" if dimensions else ""
    own_means = {column: f"CAST({name} AS DOUBLE)" for column, name in names.items()}

    def query(source: str) -> str:
        joined = f"(SELECT t.*, m.* FROM {source} AS t JOIN {_MEANS} AS m ON {on})"
        return pass_sql(joined, asked, own_means, fills)

    parts = [
        [(*row[:-2], dimension, row[-1]) for row in part if (row[-2] is None) != bool(dimensions)]
        for part in table.fetch_slices(query)
    ]
    return _merged(parts, asked, means.__getitem__)


def _literal(text: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if text is None else literal(text)


def _merged(
    parts: Parts, asked: Asked, shifts_of: Callable[[Cell], Shifts]
) -> dict[Cell, ArmMoments]:
    """Return what the parts hold together, the cells in the order of their names."""
    slices: dict[Cell, list[ArmMoments]] = {}
    for row in (row for part in parts for row in part):
        cell = Cell(row[-2], row[-1], row[0])
        slices.setdefault(cell, []).append(_arm(row, asked, shifts_of(cell)))
    order = sorted(slices, key=lambda cell: [() if part is None else (part,) for part in cell])
    return {cell: reduce(merge_arms, slices[cell]) for cell in order}


def _is_far(moments: Moments, shift: float) -> bool:
    """Whether sums about the shift lose digits of the variance that those about the mean keep."""
    near = max(_FAR * math.sqrt(moments.variance), _ROUNDING * abs(moments.mean))
    return moments.n > 1 and abs(moments.mean - shift) > near


def _shifts(table: Table, asked: Asked) -> dict[Column, float]:
    """Return what to take off each column: the first rows' mean where it dwarfs their spread."""
    wanted = [
        column for column in asked.columns if not column.binary and not is_whole(table, column)
    ]
    if not wanted:
        return dict.fromkeys(asked.columns, 0.0)
    figures = []
    for column in wanted:
        value = asked.values[column]
        empty = " ELSE 0.0" if column.zero_for_missing else ""
        known = f"CASE WHEN abs({value}) <= {LARGEST} THEN {capped_sql(value, column.cap)[0]}"
        figures += [f"avg({known}{empty} END)", f"coalesce(var_pop({known}{empty} END), 0.0)"]
    first_rows = "TRUE" if table.remote else f"{ROW} < {_FIRST_ROWS}"
    head = f"(SELECT * FROM {table.relation} WHERE {first_rows} AND {asked.where})"
    (first,) = table.fetch(f"SELECT {', '.join(figures)} FROM {head}", threads=1)
    return dict.fromkeys(asked.columns, 0.0) | {
        column: mean
        for column, mean, variance in zip(wanted, first[::2], first[1::2], strict=True)
        if mean is not None and (column.centred or abs(mean) > _NEAR * math.sqrt(variance))
    }


def _arm(row: tuple[Any, ...], asked: Asked, shifts: Shifts) -> ArmMoments:
    """Return an arm's moments from a row of sums, in the order in which `pass_sql` gives them."""
    _, rows, *cells = row
    moments, missing, capped = {}, {}, {}
    totals: dict[Column, Any] = {}
    products: dict[tuple[Column, Column], Any] = {}
    for column in asked.columns:
        (given, total, squares, *_, capped[column]), cells = cells[:CELLS], cells[CELLS:]
        n = rows if column.zero_for_missing else given
        missing[column] = rows - given
        totals[column], products[column, column] = total, squares
        if isinstance(total, int):
            moments[column] = Moments.of_whole(n, total, squares)
        else:
            moments[column] = Moments.about(shifts[column], n, total or 0.0, squares or 0.0)
    pairs = asked.pairs
    products |= dict(zip(pairs, cells, strict=False))
    cells = cells[len(pairs) :]
    joint = {}
    for together in asked.derived:
        if any(missing[column] for column in together.columns):
            continue
        sums = [products[pair] for pair in combinations_with_replacement(together.columns, 2)]
        counts = [rows, rows, *(totals[column] for column in together.columns), *sums]
        joint[together] = from_cells(counts, [shifts[column] for column in together.columns])
    for together in asked.joints:
        size = cell_count(len(together.columns))
        joint[together] = from_cells(cells[:size], [shifts[column] for column in together.columns])
        cells = cells[size:]
    return ArmMoments(rows, moments, missing, capped, joint)
