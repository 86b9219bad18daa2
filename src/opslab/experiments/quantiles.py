"""Quantiles by order statistics: the values at three ranks of each arm give the quantile and its error."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, inf, sqrt
from typing import NamedTuple

from scipy.special import ndtri

from opslab.experiments.covariates import Contrast
from opslab.experiments.summed import Column, value_sql
from opslab.tables.source import Table, literal, quoted


class OrderStatistics(NamedTuple):
    """Values of one arm at three ranks."""

    lower: float
    """At the lower end of the interval of the quantile's rank."""
    value: float
    """The quantile: the smallest value with at least its share at or below it."""
    upper: float
    """At the upper end."""


def ranks(n: int, quantile: float, level: float) -> tuple[int, int, int] | None:
    """Return the ranks (from 1) that bound a quantile, its own between them; None when the tail is too short.

    Parameters
    ----------
    n : int
        Values.
    quantile, level : float
        Between 0 and 1.

    Examples
    --------
    >>> ranks(1_000, 0.9, 0.95)
    (881, 900, 919)
    >>> ranks(30, 0.99, 0.95) is None
    True

    Sources
    -------
    Deng, Knoblich and Lu (2018), section 4: n (q -+ z sqrt(q (1 - q) / n)), rounded outwards.
    """
    reach = float(ndtri((1 + level) / 2)) * sqrt(n * quantile * (1 - quantile))
    lower, upper = floor(n * quantile - reach), ceil(n * quantile + reach)
    own = max(ceil(n * quantile - 1e-9), 1)
    return (lower, own, upper) if lower >= 1 and upper <= n else None


def order_statistics(
    table: Table, arm: str, column: Column, wanted: Mapping[str, tuple[int, int, int] | None], where: str
) -> dict[str, OrderStatistics]:
    """Return each arm's values at its ranks; one sort, which the engine moves to disk where memory is short.

    Parameters
    ----------
    table : Table
    arm : str
        Column of the arm.
    column : Column
    wanted : mapping
        Ranks by arm; an arm without any is left out.
    where : str
        SQL condition on the rows to use.
    """
    places = {
        (name, rank): place for name, three in wanted.items() if three for place, rank in enumerate(three)
    }
    if not places:
        return {}
    number = f"CAST({value_sql(table, column)} AS DOUBLE)"
    value = f"CASE WHEN isfinite({number}) THEN {number} END"
    value = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
    rows = (
        f"SELECT CAST({quoted(arm)} AS VARCHAR) AS arm, {value} AS value FROM {table.relation} WHERE {where}"
    )
    ranked = "SELECT *, row_number() OVER (PARTITION BY arm ORDER BY value) AS place"
    asked = " OR ".join(f"(arm = {literal(name)} AND place = {rank})" for name, rank in places)
    found = table.fetch(
        f"SELECT arm, place, value FROM ({ranked} FROM ({rows}) WHERE value IS NOT NULL) WHERE {asked}"
    )
    known = {(name, rank): value for name, rank, value in found}
    return {
        name: OrderStatistics(*(known[name, rank] for rank in three))
        for name, three in wanted.items()
        if three
    }


def quantile_contrast(treated: OrderStatistics, control: OrderStatistics, level: float) -> Contrast:
    """Give the difference of two arms' quantiles, with normal quantiles for its interval.

    Parameters
    ----------
    treated, control : OrderStatistics
    level : float
        That the ranks were taken for.

    Examples
    --------
    >>> one, two = OrderStatistics(108.0, 112.0, 116.0), OrderStatistics(97.0, 100.0, 103.0)
    >>> found = quantile_contrast(one, two, 0.95)
    >>> f"{found.difference:.0f} +- {found.variance**0.5:.3f}"
    '12 +- 2.551'

    Sources
    -------
    Deng, Knoblich and Lu (2018), section 4: variance ((Y_U - Y_L) / 2z)^2.
    """
    width = 2 * float(ndtri((1 + level) / 2))
    errors = [((side.upper - side.lower) / width) ** 2 for side in (treated, control)]
    return Contrast(
        (treated.value, control.value), treated.value - control.value, sum(errors), errors[1], -errors[1], inf
    )
