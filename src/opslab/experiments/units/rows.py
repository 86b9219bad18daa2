"""Data in rows: one for each unit, or finer ones, of which those of each unit are summed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

from opslab.errors import DataError
from opslab.experiments.designs.looks import waiting
from opslab.experiments.moments.values import finite_sql, problem, refuse_rows
from opslab.experiments.spec import Experiment
from opslab.experiments.units.periods import Moment, moments_of
from opslab.experiments.units.refusals import refuse_rows_of, usable_units
from opslab.experiments.units.row_sums import RowSums
from opslab.experiments.units.unit_table import (
    MOMENT,
    FinerRows,
    Gaps,
    UnitTable,
    kept_units,
    row_count,
    rows_alike,
    stratum,
)
from opslab.tables.source import ROW, Table, quoted


def units_of_rows(experiment: Experiment, table: Table, as_of: datetime.date | None) -> UnitTable:
    """Return the units of a table: its rows."""
    moment = moments_of(table, experiment.period, as_of, experiment.data.timezone)
    units, used = usable_units(experiment, table, moment, once=True)
    rows, settled = row_count(table, used), experiment.design.settled
    known = UnitTable(
        table,
        experiment.arms.column,
        experiment.metrics,
        used,
        units,
        rows,
        moment.day,
        stratum(experiment, moment.day),
    )
    if settled is None or as_of is None or moment.day is None:
        return known
    wait = waiting(experiment.design, experiment.metrics[0])
    where = f"({used}) AND {moment.day} <= '{as_of - wait}'"
    left = rows - row_count(table, where)
    if left == rows:
        values = {"days": wait.days, "day": as_of}
        raise DataError(experiment.problem("experiments.none_settled", "design", **values))
    immature = {metric.name: left for metric in experiment.metrics}
    by_day = f"SELECT {moment.day}, count(*) FROM {table.relation} WHERE {used} GROUP BY 1"
    came = dict(table.fetch(by_day))
    return replace(known, where=where, immature=immature, horizon=as_of, came=came)


def units_of_finer_rows(
    experiment: Experiment, table: Table, as_of: datetime.date | None
) -> UnitTable:
    """Return the units of a table, each with sums of its rows.

    Raises
    ------
    DataError
        When rows of one unit disagree on what is one thing of the unit.
    """
    moment = moments_of(table, experiment.period, as_of, experiment.data.timezone)
    units, used = usable_units(experiment, table, moment, once=False)
    unit, arm = quoted(experiment.unit), experiment.arms.column
    fixed = experiment.columns("covariates", "segments", "strata", "trigger")
    refuse_rows(table, "no_arm", f"{quoted(arm)} IS NULL AND {used}", arm)
    _refuse_changing(table, unit, fixed, used)
    refuse_rows_of(experiment, table, used)
    sums = RowSums(table, used, [arm, *fixed])
    metrics = tuple(
        metric.over_units(sums) if metric.per == "unit" else metric.over_rows(sums)
        for metric in experiment.metrics
    )
    columns = [f"min({name}) AS {name}" for name in (ROW, *map(quoted, (arm, *fixed)))]
    columns += [f"min({moment.moment}) AS {MOMENT}"] if moment.moment else []
    columns += sums.columns
    day = Moment(moment.moment and MOMENT, zone=moment.zone).day
    query = f"SELECT {', '.join(columns)} FROM {table.relation} WHERE {used} GROUP BY {unit}"
    rows = row_count(table, used)
    return UnitTable(
        kept_units(table, query),
        arm,
        metrics,
        "TRUE",
        units,
        rows,
        day,
        stratum(experiment, day),
        gaps=_gaps(experiment, table, used),
        finer=FinerRows(table, used, experiment.unit),
        # Without a moment rows of a unit may rightly be alike.
        alike=rows_alike(table, used, rows) if moment.moment else None,
    )


def _gaps(experiment: Experiment, table: Table, where: str) -> dict[str, dict[str, Gaps]]:
    """Return what is empty of each metric, by metric and arm."""
    unit, arm = quoted(experiment.unit), f"CAST({quoted(experiment.arms.column)} AS VARCHAR)"
    inner, outer = [f"{arm} AS arm"], ["arm", "count(*)"]
    for order, metric in enumerate(experiment.metrics):
        names = metric.own.values()
        empty = " OR ".join(f"({finite_sql(table, name)}) IS NULL" for name in names)
        inner.append(f"count(*) FILTER ({empty}) AS m{order}")
        outer += [f"sum(m{order})", f"count(*) FILTER (m{order} > 0)"]
    rows = table.fetch(
        f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {table.relation} "
        f"WHERE {where} GROUP BY {arm}, {unit}) GROUP BY arm"
    )
    return {
        metric.name: {
            label: Gaps(int(counts[2 * order]), counts[2 * order + 1], units)
            for label, units, *counts in rows
        }
        for order, metric in enumerate(experiment.metrics)
    }


def _refuse_changing(table: Table, unit: str, columns: Sequence[str], where: str) -> None:
    """Raise for columns that differ between the rows of a unit: they were measured on the way."""
    if not columns:
        return
    names = [f"c{order}" for order in range(len(columns))]
    ends = ", ".join(f"min({quoted(name)}) <> max({quoted(name)})" for name in columns)
    inner = f"SELECT {ends}, min({ROW}) + 1 FROM {table.relation} WHERE {where} GROUP BY {unit}"
    looks = ", ".join(f"count(*) FILTER ({name}), min(first) FILTER ({name})" for name in names)
    (faults,) = table.fetch(f"SELECT {looks} FROM ({inner}) AS units({', '.join(names)}, first)")
    DataError.refuse(
        [
            problem(table, "changing", name, count=count, row=first)
            for name, count, first in zip(columns, faults[::2], faults[1::2], strict=True)
            if count
        ]
    )
