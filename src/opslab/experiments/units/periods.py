"""When a unit saw its arm: the rows of the period, and the day of each."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from opslab.errors import DataError
from opslab.experiments.moments.values import problem, refuse_rows
from opslab.experiments.phases import Period
from opslab.tables.dates import in_utc
from opslab.tables.source import Table, literal, quoted


class Moment(NamedTuple):
    """When a row's unit saw its arm, in SQL.

    Attributes
    ----------
    moment : str or None
        The timestamp, in UTC where an offset is given or a zone stated.
    within : str
        Condition for rows inside the period, both days included, up to the readout's day.
    zone : str or None
        Whose days count, as the spec states it.
    """

    moment: str | None = None
    within: str = "TRUE"
    zone: str | None = None

    @property
    def day(self) -> str | None:
        """The day as text."""
        if self.moment is None:
            return None
        return f"CAST(CAST({local_time(self.moment, self.zone)} AS DATE) AS VARCHAR)"


def local_time(moment: str, zone: str | None) -> str:
    """Return SQL of a moment as the clocks of a stated zone show it."""
    return f"timezone({literal(zone)}, timezone('UTC', {moment}))" if zone else moment


def midnight(day: datetime.date, zone: str | None) -> str:
    """Return SQL of the moment at which a day starts, in UTC where a zone is stated."""
    start = f"TIMESTAMP '{day}'"
    return in_utc(start, zone) if zone else start


def has_offset(table: Table, name: str) -> bool:
    """Whether the moments of a column came with an offset from UTC."""
    return table.types[name] == "TIMESTAMP WITH TIME ZONE" or any(
        decision.column == name and decision.key.endswith("decided_offsets")
        for decision in table.reading.decisions
    )


def moments_of(
    table: Table, period: Period | None, as_of: datetime.date | None, zone: str | None
) -> Moment:
    """Return when units saw their arm; without a moment when the spec names no column of it.

    Raises
    ------
    DataError
        When a row has no moment, or one that cannot be read.
    """
    if period is None or period.time is None or period.start is None or period.end is None:
        return Moment()
    moment = moment_of(table, period.time, zone)
    after = min(period.end, as_of or period.end) + datetime.timedelta(days=1)
    start, end = midnight(period.start, zone), midnight(after, zone)
    return Moment(moment, f"(({moment}) >= {start} AND ({moment}) < {end})", zone)


def moment_of(table: Table, name: str, zone: str | None) -> str:
    """Return SQL of a column as a timestamp; raise for rows without one.

    Times have been brought to UTC where a zone is stated; a day without a time starts in the zone.
    """
    column = quoted(name)
    moment = f"CAST({column} AS TIMESTAMP)"
    kind = table.types[name]
    refuse_rows(table, "no_time", f"{column} IS NULL", name)
    if kind.startswith("VARCHAR") and not table.remote:
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
    elif kind == "DATE" and zone:
        moment = in_utc(moment, zone)
    return moment
