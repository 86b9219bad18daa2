"""Data with one row per unit: the usual form."""

from __future__ import annotations

import datetime

from opslab.experiments.spec import Experiment
from opslab.experiments.units.periods import moments_of
from opslab.experiments.units.refusals import usable_units
from opslab.experiments.units.unit_table import UnitTable, row_count, stratum
from opslab.tables.source import Table


def units_of_rows(experiment: Experiment, table: Table, as_of: datetime.date | None) -> UnitTable:
    """Return the units of a table: its rows."""
    moment = moments_of(table, experiment.period, as_of)
    units, used = usable_units(experiment, table, moment.within, once=True)
    return UnitTable(
        table,
        experiment.arms.column,
        experiment.metrics,
        used,
        units,
        row_count(table, used),
        moment.day,
        stratum(experiment.strata),
    )
