"""What clusters do to the error of a quantile over rows."""

from __future__ import annotations

from collections.abc import Mapping

from opslab.experiments.inference.covariates import contrast
from opslab.experiments.moments.arm_moments import collect
from opslab.experiments.moments.columns import Column, Joint
from opslab.experiments.moments.cross_moments import CrossMoments
from opslab.experiments.units.unit_table import finite
from opslab.tables.source import ROW, Table, literal, quoted


def inflation(
    table: Table,
    unit: str,
    arm: str,
    column: Column,
    at: Mapping[str, float],
    quantile: float,
    where: str,
) -> dict[str, float]:
    """Give the factor by which the variance of a quantile over rows grows, as rows of a unit go together.

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
    value, label = finite(table, column.name), f"CAST({quoted(arm)} AS VARCHAR)"
    value = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
    cuts = " ".join(
        f"WHEN {literal(name)} THEN CAST({cut!r} AS DOUBLE)" for name, cut in at.items()
    )
    query = (
        f"SELECT {label} AS arm, "
        f"CAST(count(*) FILTER ({value} <= CASE {label} {cuts} END) AS DOUBLE) AS below, "
        f"CAST(count({value}) AS DOUBLE) AS n, min({ROW}) AS {ROW} "
        f"FROM {table.relation} WHERE {where} GROUP BY {label}, {quoted(unit)} HAVING count({value}) > 0"
    )
    table.keep("opslab_shares", f"SELECT * FROM ({query}) ORDER BY {ROW}")
    types = {"arm": "VARCHAR", "below": "DOUBLE", "n": "DOUBLE"}
    own = (Column("below", centred=True), Column("n", centred=True))
    joint = Joint(own)
    found = collect(table.over("opslab_shares", types, table.reading), "arm", own, joints=[joint])
    spread = quantile * (1 - quantile)
    return {
        name: _variance(found[name].joint[joint]) * _sum_of(found[name].joint[joint], 1) / spread
        for name in at
        if found[name].joint[joint].n > 1
    }


def _sum_of(side: CrossMoments, place: int) -> float:
    """Return the sum of a column."""
    return side.n * side.means[place]


def _variance(side: CrossMoments) -> float:
    """Return the squared standard error of a ratio of sums, units as clusters."""
    return contrast(side, side, own=2).control_variance
