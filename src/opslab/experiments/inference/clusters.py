"""What clusters do to the error of a quantile over rows."""

from __future__ import annotations

from collections.abc import Mapping

from opslab.experiments.inference.covariates import contrast
from opslab.experiments.moments.collection import collect
from opslab.experiments.moments.columns import Column, Joint
from opslab.experiments.moments.values import finite_sql
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
    value, label = finite_sql(table, column.name), f"CAST({quoted(arm)} AS VARCHAR)"
    value = f"coalesce({value}, 0.0)" if column.zero_for_missing else value
    cuts = " ".join(
        f"WHEN {literal(name)} THEN CAST({cut!r} AS DOUBLE)" for name, cut in at.items()
    )
    rows = f"count({value})"
    below = f"count(*) FILTER ({value} <= CASE {label} {cuts} END)"
    query = (
        f"SELECT {label} AS arm, CAST({below} AS DOUBLE) AS below, CAST({rows} AS DOUBLE) AS n, "
        f"min({ROW}) AS {ROW} FROM {table.relation} WHERE {where} "
        f"GROUP BY {label}, {quoted(unit)} HAVING {rows} > 0"
    )
    table.keep("opslab_shares", f"SELECT * FROM ({query}) ORDER BY {ROW}")
    types = {"arm": "VARCHAR", "below": "DOUBLE", "n": "DOUBLE"}
    joint = Joint((Column("below", centred=True), Column("n", centred=True)))
    shares = table.over("opslab_shares", types, table.reading)
    arms = collect(shares, "arm", joint.own, joints=[joint])
    spread = quantile * (1 - quantile)
    sides = {name: arms[name].joint[joint] for name in at}
    return {
        name: contrast(side, side, own=2).control_variance * side.n * side.means[1] / spread
        for name, side in sides.items()
        if side.n > 1
    }
