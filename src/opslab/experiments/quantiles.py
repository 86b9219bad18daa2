"""Quantiles by order statistics: the values at three ranks of each arm give the quantile and its error."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, inf, sqrt
from typing import NamedTuple

from scipy.special import ndtri

from opslab.experiments.covariates import Contrast
from opslab.experiments.summed import Column, value_sql
from opslab.tables.source import ROW, Table, literal, quoted

_SAMPLE, _MARGIN = 100_000, 0.01  # rows of a thin sample, and how far its shares may be off


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
    """Return each arm's values at its ranks, exactly and in bounded memory.

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
    number = f"CAST({value_sql(table, column)} AS DOUBLE)"
    value = f"CASE WHEN isfinite({number}) THEN {number} END"
    value = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
    source = f"SELECT CAST({quoted(arm)} AS VARCHAR) AS arm, {value} AS value, {ROW} FROM {table.relation}"
    rows = f"(SELECT * FROM ({source} WHERE {where}) WHERE value IS NOT NULL)"
    found = {}
    for name, three in wanted.items():
        if three:
            own = f"(SELECT value, {ROW} FROM {rows} WHERE arm = {literal(name)})"
            found[name] = _at_ranks(table, own, three)
    return found


def _at_ranks(table: Table, rows: str, three: tuple[int, int, int]) -> OrderStatistics:
    """Return the values at three ranks; of many rows only those near them are sorted."""
    below, between = 0, "TRUE"
    every = table.reading.rows // _SAMPLE
    if every > 1:
        ((n,),) = table.fetch(f"SELECT count(*) FROM {rows}")
        ends = [max(three[0] / n - _MARGIN, 0.0), min(three[2] / n + _MARGIN, 1.0)]
        thin = f"SELECT quantile_disc(value, {ends!r}) FROM {rows} WHERE {ROW} % {every} = 0"
        ((bounds,),) = table.fetch(thin)
        if bounds:
            low, high = (f"CAST({bound!r} AS DOUBLE)" for bound in bounds)
            between = f"value BETWEEN {low} AND {high}"
            ((below, inside),) = table.fetch(
                f"SELECT count(*) FILTER (value < {low}), count(*) FILTER ({between}) FROM {rows}"
            )
            if not below < three[0] <= three[2] <= below + inside:  # the sample was unlike the others
                below, between = 0, "TRUE"
    asked = ", ".join(str(rank - below) for rank in three)
    ranked = f"SELECT value, row_number() OVER (ORDER BY value) AS place FROM {rows} WHERE {between}"
    found = dict(table.fetch(f"SELECT place, value FROM ({ranked}) WHERE place IN ({asked})"))
    return OrderStatistics(*(found[rank - below] for rank in three))


def quantile_contrast(
    treated: OrderStatistics,
    control: OrderStatistics,
    level: float,
    inflation: tuple[float, float] = (1.0, 1.0),
) -> Contrast:
    """Give the difference of two arms' quantiles, with normal quantiles for its interval.

    Parameters
    ----------
    treated, control : OrderStatistics
    level : float
        That the ranks were taken for.
    inflation : tuple of float
        Of the variance in the arm and in the control, where values come in clusters.

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
    errors = [
        ((side.upper - side.lower) / width) ** 2 * factor
        for side, factor in zip((treated, control), inflation, strict=True)
    ]
    return Contrast(
        (treated.value, control.value), treated.value - control.value, sum(errors), errors[1], -errors[1], inf
    )
