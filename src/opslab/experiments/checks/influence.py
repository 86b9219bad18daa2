"""Outliers: what the single largest unit does to an effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opslab.experiments.inference.comparisons import Side
from opslab.experiments.inference.effects import welch_of_moments
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import value_sql
from opslab.experiments.units.unit_table import UnitTable
from opslab.tables.source import ROW, quoted

_ALONE = 3.0  # times the next one: in an ordinary long tail the largest is not
_FEWEST = 3  # units of an arm, one of which is taken away


@dataclass(frozen=True)
class Largest:
    """The unit of an arm that is farthest from 0: its value, its row (from 1), the next's size."""

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


def largest_units(units: UnitTable, columns: Sequence[Column]) -> dict[str, dict[Column, Largest]]:
    """Return the unit farthest from 0 of each arm and column; of several alike the first's row."""
    if not columns:
        return {}
    table, looks = units.table, []
    for column in columns:
        value = f"CAST({value_sql(table, column)} AS DOUBLE)"
        unit = f"struct_pack(size := abs({value}), before := -{ROW}, value := {value})"
        looks.append(f"max({unit}, 2) FILTER (isfinite({value}))")
    arms = table.fetch(
        f"SELECT CAST({quoted(units.arm)} AS VARCHAR), {', '.join(looks)} FROM {table.relation} "
        f"WHERE {units.where} GROUP BY 1"
    )
    return {
        name: {
            column: Largest(
                top[0]["value"], 1 - top[0]["before"], *(unit["size"] for unit in top[1:])
            )
            for column, top in zip(columns, tops, strict=True)
            if top  # an arm without any value has none
        }
        for name, *tops in arms
    }


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
    arm: Side[Moments], control: Side[Moments], largest: Mapping[str, Largest]
) -> Influence | None:
    """Return what the largest unit of either arm does to the difference; the stronger one speaks.

    Returns
    -------
    Influence or None
        None where an arm has fewer than three values, or nothing varies.
    """
    treated, base = arm.sums, control.sums
    whole, influences = welch_of_moments(treated, base), list[Influence]()
    if whole is None or min(treated.n, base.n) < _FEWEST:
        return None
    for side in (arm, control):
        if side.name not in largest:
            continue
        unit, total = largest[side.name], side.sums.n * side.sums.mean
        rest = without_unit(side.sums, unit.value)
        again = welch_of_moments(*((rest, base) if side is arm else (treated, rest)))
        if again is None:
            continue
        influences.append(
            Influence(
                side.name,
                unit.row,
                unit.value / total if total else 0.0,
                whole.difference,
                again.difference,
                whole.p_value,
                again.p_value,
                abs(again.difference - whole.difference) / whole.standard_error,
                abs(unit.value) > _ALONE * unit.second,
            )
        )
    return max(influences, key=lambda unit: unit.moved, default=None)
