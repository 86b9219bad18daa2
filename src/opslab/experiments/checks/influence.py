"""Outliers: what the single largest unit does to an effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from opslab.experiments.inference.effects import welch
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.moments.columns import Column, value_sql
from opslab.tables.source import ROW, Table, literal, quoted

_ALONE = 3.0  # times the next one: in an ordinary long tail the largest is not
_FEWEST = 3  # units of an arm, one of which is taken away


@dataclass(frozen=True)
class Largest:
    """The unit of an arm that is farthest from 0: its value, its row (from 1), and the next one.s size."""

    value: float
    row: int
    second: float = 0.0


@dataclass(frozen=True)
class Influence:
    """The unit whose absence moves a difference of means most.

    Attributes
    ----------
    arm : str
        Its arm.
    row : int
        Its row in the data, from 1.
    share : float
        Its share of the arm's total.
    difference, without : float
        Arm less control, with it and without it.
    p_value, p_without : float
    moved : float
        How far the difference moves, in its standard errors.
    alone : bool
        Whether it is several times as large as any other unit of its arm.
    """

    arm: str
    row: int
    share: float
    difference: float
    without: float
    p_value: float
    p_without: float
    moved: float
    alone: bool = False


def largest_units(
    table: Table, arm: str, columns: Sequence[Column], where: str
) -> dict[str, dict[Column, Largest]]:
    """Return the unit farthest from 0 of each arm and column; of several alike the first one's row."""
    if not columns:
        return {}
    label = f"CAST({quoted(arm)} AS VARCHAR)"
    values = [f"CAST({value_sql(table, column)} AS DOUBLE)" for column in columns]
    sizes = [f"CASE WHEN isfinite({value}) THEN abs({value}) END" for value in values]
    looks = ", ".join(f"max({size}, 2)" for size in sizes)
    tops = {
        name: top
        for name, *top in table.fetch(
            f"SELECT {label}, {looks} FROM {table.relation} WHERE {where} GROUP BY 1"
        )
    }
    found: dict[str, dict[Column, Largest]] = {name: {} for name in tops}
    wanted = [
        (name, column, f"{label} = {literal(name)} AND {size} = CAST({top[0]!r} AS DOUBLE)", value)
        for name, top_values in tops.items()
        for column, size, value, top in zip(columns, sizes, values, top_values, strict=True)
        if top
    ]
    if not wanted:
        return found
    places = ", ".join(f"min({ROW}) FILTER ({which})" for _, _, which, _ in wanted)
    signs = ", ".join(f"min({value}) FILTER ({which})" for _, _, which, value in wanted)
    (row,) = table.fetch(f"SELECT {places}, {signs} FROM {table.relation} WHERE {where}")
    for (name, column, _, _), place, value in zip(wanted, row, row[len(wanted) :], strict=False):
        top = tops[name][columns.index(column)]
        found[name][column] = Largest(value, place + 1, top[1] if len(top) > 1 else 0.0)
    return found


def without_unit(moments: Moments, value: float) -> Moments:
    """Return the moments without one of their values.

    Examples
    --------
    >>> without_unit(Moments(3, 4.0, 14.0), 7.0)
    Moments(n=2, mean=2.5, squares=0.5)
    """
    n = moments.n - 1
    mean = moments.mean - (value - moments.mean) / n
    return Moments(n, mean, max(moments.squares - (value - mean) * (value - moments.mean), 0.0))


def influence(
    arm: tuple[str, Moments], control: tuple[str, Moments], largest: Mapping[str, Largest]
) -> Influence | None:
    """Return what the largest unit of either arm does to the difference of means; the stronger one speaks.

    Returns
    -------
    Influence or None
        None where an arm has fewer than three values, or nothing varies.
    """
    (name, treated), (_, base) = arm, control
    if min(treated.n, base.n) < _FEWEST or treated.variance + base.variance == 0:
        return None
    whole = _welch(treated, base)
    error = sqrt(treated.variance / treated.n + base.variance / base.n)
    found = []
    for side, moments in (arm, control):
        if side not in largest:
            continue
        one = largest[side]
        rest = without_unit(moments, one.value)
        pair = (rest, base) if side == name else (treated, rest)
        if pair[0].variance + pair[1].variance == 0:
            continue
        again = _welch(*pair)
        total = moments.n * moments.mean
        found.append(
            Influence(
                side,
                one.row,
                one.value / total if total else 0.0,
                whole[0],
                again[0],
                whole[1],
                again[1],
                abs(again[0] - whole[0]) / error,
                abs(one.value) > _ALONE * one.second,
            )
        )
    return max(found, key=lambda one: one.moved, default=None)


def _welch(treated: Moments, base: Moments) -> tuple[float, float]:
    test = welch(treated.mean, treated.variance, treated.n, base.mean, base.variance, base.n)
    return test.difference, test.p_value
