"""When a unit saw its arm: the rows of the period, and the day of each."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from opslab.errors import DataError
from opslab.experiments.moments.values import problem, refuse_rows
from opslab.experiments.spec import Period
from opslab.tables.source import Table, quoted


class Moment(NamedTuple):
    """When a row's unit saw its arm, in SQL."""

    moment: str | None = None
    """The timestamp, in UTC where an offset is given."""
    within: str = "TRUE"
    """Condition for rows inside the period, both days included, up to the readout's day."""

    @property
    def day(self) -> str | None:
        """The day as text."""
        return f"CAST(CAST({self.moment} AS DATE) AS VARCHAR)" if self.moment else None


def moments_of(table: Table, period: Period | None, as_of: datetime.date | None) -> Moment:
    """Return when units saw their arm; without a moment when the spec names no column of it.

    Raises
    ------
    DataError
        When a row has no moment, or one that cannot be read.
    """
    if period is None or period.time is None or period.start is None or period.end is None:
        return Moment()
    moment = moment_of(table, period.time)
    after = min(period.end, as_of or period.end) + datetime.timedelta(days=1)
    within = f"(({moment}) >= TIMESTAMP '{period.start}' AND ({moment}) < TIMESTAMP '{after}')"
    return Moment(moment, within)


def moment_of(table: Table, name: str) -> str:
    """Return SQL of a column as a timestamp; raise for rows without one."""
    column = quoted(name)
    moment = f"CAST({column} AS TIMESTAMP)"
    kind = table.types[name]
    refuse_rows(table, "no_time", f"{column} IS NULL", name)
    if kind.startswith("VARCHAR"):
        moment = (  # with an offset it is brought to UTC; a plain cast would drop the offset
            f"CASE WHEN {column} LIKE '%:%' "
            f"AND regexp_matches({column}, '[0-9](Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$') "
            f"THEN make_timestamp(epoch_us(TRY_CAST({column} AS TIMESTAMPTZ))) "
            f"ELSE TRY_CAST({column} AS TIMESTAMP) END"
        )
        # A cast alone would take 4/9/26 for a day in the year 4.
        refuse_rows(
            table, "bad_time", f"(({moment}) IS NULL OR {column} NOT LIKE '____-__-__%')", name
        )
    elif kind == "TIMESTAMP WITH TIME ZONE":
        moment = f"make_timestamp(epoch_us({column}))"
    elif not kind.startswith(("TIMESTAMP", "DATE")):
        raise DataError(problem(table, "time_type", name, kind=kind.lower()))
    return moment
