"""How many units of each arm show anything of a metric that is 0 all through an arm."""

from __future__ import annotations

from typing import NamedTuple

from opslab.experiments.grounds import Grounds
from opslab.experiments.moments.columns import Column
from opslab.experiments.moments.values import finite, value_sql
from opslab.tables.source import quoted

_NOTHING = 1e-9  # of another arm's mean: below it an arm may be 0 throughout


class Active(NamedTuple):
    """The units of an arm with a value, and those whose value is not 0."""

    units: float
    active: float


def active_units(grounds: Grounds) -> dict[str, dict[str, Active]]:
    """Return the units of each arm by metric, where an arm may be silent; all others are left out.

    Of a share of totals the successes count.
    """
    silent = dict[str, dict[str, Active]]()
    for metric in grounds.experiment.metrics:
        for column in grounds.metrics[metric.name].own:
            moments = {name: arm.moments[column] for name, arm in grounds.arms.items()}
            sizes = [abs(arm.mean) for arm in moments.values() if arm.n]
            if not sizes or min(sizes) > _NOTHING * max(sizes):
                continue
            if metric.binary:
                units = grounds.unit_counts(grounds.arms)
                silent[metric.name] = {
                    name: Active(units[name], round(arm.n * arm.mean))
                    for name, arm in moments.items()
                }
            else:
                silent[metric.name] = _by_rows(grounds, column)
    return silent


def _by_rows(grounds: Grounds, column: Column) -> dict[str, Active]:
    units = grounds.units
    value, weight = finite(value_sql(units.table, column)), quoted(units.counted or "")
    value, weight = f"CAST({value} AS DOUBLE)", weight if units.counted else "1"
    rows = units.table.fetch(
        f"SELECT CAST({quoted(units.arm)} AS VARCHAR), coalesce(sum({weight}), 0), "
        f"coalesce(sum({weight}) FILTER ({value} <> 0), 0) FROM {units.table.relation} "
        f"WHERE {units.where} AND {column.zero_for_missing or f'{value} IS NOT NULL'} GROUP BY 1"
    )
    by_label = {label: Active(float(known), float(active)) for label, known, active in rows}
    return {name: by_label.get(name, Active(0.0, 0.0)) for name in grounds.arms}
