"""Quantiles by order statistics: an arm's values at three ranks give its quantile and error."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, inf, sqrt
from typing import NamedTuple

from scipy.special import ndtri

from opslab.experiments.inference.covariates import Contrast
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import filled_sql
from opslab.tables.source import Table, literal, quoted


class OrderStatistics(NamedTuple):
    """Values of one arm at three ranks.

    Attributes
    ----------
    lower : float
        At the lower end of the interval of the quantile's rank.
    value : float
        The quantile: the smallest value with at least its share at or below it.
    upper : float
        At the upper end.
    """

    lower: float
    value: float
    upper: float


class Ranks(NamedTuple):
    """Ranks of an arm's values, from 1.

    Attributes
    ----------
    lower : int
        Lower end of the interval of the quantile's rank.
    own : int
        The quantile's.
    upper : int
        Upper end.
    """

    lower: int
    own: int
    upper: int


class Ranked(NamedTuple):
    """What is known of one arm's values.

    Attributes
    ----------
    n : int
        Values.
    values : OrderStatistics or None
        At three ranks; None where the tail is too short.
    inflation : float or None
        Of the variance, where values come in clusters.
    """

    n: int
    values: OrderStatistics | None
    inflation: float | None = None


def ranks(n: int, quantile: float, level: float) -> Ranks | None:
    """Return the ranks (from 1) around a quantile, its own in the middle; None in a short tail.

    Parameters
    ----------
    n : int
        Values.
    quantile, level : float
        Between 0 and 1.

    Examples
    --------
    >>> ranks(1_000, 0.9, 0.95)
    Ranks(lower=881, own=900, upper=919)
    >>> ranks(30, 0.99, 0.95) is None
    True

    Sources
    -------
    Deng, Knoblich and Lu (2018), section 4: n (q -+ z sqrt(q (1 - q) / n)), rounded outwards.
    """
    reach = float(ndtri((1 + level) / 2)) * sqrt(n * quantile * (1 - quantile))
    lower, upper = floor(n * quantile - reach), ceil(n * quantile + reach)
    own = max(ceil(n * quantile - 1e-9), 1)
    return Ranks(lower, own, upper) if lower >= 1 and upper <= n else None


def order_statistics(
    table: Table,
    arm: str,
    column: Column,
    counts: Mapping[str, int],
    quantile: float,
    level: float,
    where: str,
) -> dict[str, OrderStatistics]:
    """Return each arm's values at the ranks around a quantile, exactly.

    Parameters
    ----------
    table : Table
    arm : str
        Column of the arm.
    column : Column
    counts : mapping
        How many values each arm has; one whose tail is too short is left out.
    quantile, level : float
        As in `ranks`.
    where : str
        SQL condition on the rows to use.
    """
    value = filled_sql(table, column)
    known = {name: around for name, n in counts.items() if (around := ranks(n, quantile, level))}
    # The engine takes a share: half a rank below one leads to it, however the share is rounded.
    shares = {name: [(rank - 0.5) / counts[name] for rank in known[name]] for name in known}
    looks = ", ".join(
        f"quantile_disc({value}, {shares[name]}) "
        f"FILTER (CAST({quoted(arm)} AS VARCHAR) = {literal(name)})"
        for name in known
    )
    if not looks:
        return {}
    (values,) = table.fetch(f"SELECT {looks} FROM {table.relation} WHERE {where}")
    return {name: OrderStatistics(*three) for name, three in zip(known, values, strict=True)}


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
    >>> arm, control = OrderStatistics(108.0, 112.0, 116.0), OrderStatistics(97.0, 100.0, 103.0)
    >>> estimates = quantile_contrast(arm, control, 0.95)
    >>> f"{estimates.difference:.0f} +- {estimates.variance**0.5:.3f}"
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
        (treated.value, control.value),
        treated.value - control.value,
        sum(errors),
        errors[1],
        -errors[1],
        inf,
    )


def inflation(
    table: Table,
    unit: str,
    arm: str,
    column: Column,
    at: Mapping[str, float],
    quantile: float,
    where: str,
) -> dict[str, float]:
    """Give the factor by which the variance of a quantile over rows grows, units being clusters.

    It is Var(share of rows at or below the quantile, units as clusters) / (q (1 - q) / rows).

    Parameters
    ----------
    table : Table
        Of rows.
    unit, arm : str
    column : Column
    at : mapping
        The quantile's value by arm.
    quantile : float
    where : str
        SQL condition on the rows to use.

    Returns
    -------
    dict
        By arm.

    Sources
    -------
    Deng, Knoblich and Lu (2018), section 4.
    """
    value, label = filled_sql(table, column), f"CAST({quoted(arm)} AS VARCHAR)"
    cuts = " ".join(
        f"WHEN {literal(name)} THEN CAST({cut!r} AS DOUBLE)" for name, cut in at.items()
    )
    shares = (
        f"SELECT {label} AS arm, count({value}) AS n, "
        f"count(*) FILTER ({value} <= CASE {label} {cuts} END) AS below FROM {table.relation} "
        f"WHERE {where} GROUP BY {label}, {quoted(unit)} HAVING count({value}) > 0"
    )
    sums = table.fetch(
        "SELECT arm, count(*), sum(n), sum(below), sum(n * n), sum(n * below), sum(below * below) "
        f"FROM ({shares}) GROUP BY arm"
    )
    factors = {}
    for name, units, n, below, n_n, n_below, below_below in sums:
        share = below / n
        squares = below_below - 2 * share * n_below + share**2 * n_n  # of below - share x n
        if name in at and units > 1:
            factors[name] = units / (units - 1) * squares / n / (quantile * (1 - quantile))
    return factors
