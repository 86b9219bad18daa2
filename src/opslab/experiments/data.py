"""Where the data of an experiment is, as the analyst declares it."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import model_validator

from opslab.specs import fault
from opslab.tables.import_report import FileAnswers


class Data(FileAnswers):
    """Where the data is: one table, or an assignment log with an event log."""

    path: str | None = None
    """table with one row per unit (CSV, workbook, JSON or Parquet), from the spec's folder"""
    connection: str | None = None
    """warehouse that holds the data: env: and the variable with its URL; logs name tables too"""
    table: str | None = None
    """schema.table of the warehouse"""
    query: str | None = None
    """a SELECT in place of a table"""
    rows: Literal["unit", "finer", "totals"] = "unit"
    """what a row is: the unit, a part of it (clusters), or the total of an arm (and day)"""
    assignments: str | None = None
    """log of who was assigned to which arm and when"""
    events: str | None = None
    """log of what units did and when"""
    event_column: str = "event"
    """column of the event log that names the event"""
    event_time: str | None = None
    """column of the event log with its moment; the only column of moments when left out"""
    event_id: str | None = None
    """column of the event log with the id of an event, which counts once; else identical rows do"""
    snapshot: str | None = None
    """name of the state of a table that is not a file; without one no run of it is filed"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        logs, stored = (self.assignments, self.events), (self.table, self.query)
        if not re.fullmatch(r"env:\w+", self.connection or "env:_"):
            raise fault("experiments.connection")  # not repeated: it may be a password
        if sum(map(bool, (self.path, *stored, any(logs)))) > 1:
            raise fault("experiments.data_both")
        if any(logs) and not all(logs):
            raise fault("experiments.data_logs")
        if any(stored) > bool(self.connection) or (self.connection and not any(logs + stored)):
            raise fault("experiments.data_connection")
        return self

    @property
    def sources(self) -> dict[str, str]:
        """The path of each part of the data, or what a warehouse calls it, by field."""
        fields = ("path", "assignments", "events")
        given = (self.path or self.table or self.query, self.assignments, self.events)
        return {field: source for field, source in zip(fields, given, strict=True) if source}
