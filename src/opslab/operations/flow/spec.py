"""What the analyst declares: an export of tickets, what its statuses are, what counts as done."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, get_args
from zoneinfo import available_timezones

from pydantic import Field, model_validator

from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.import_report import Answers
from opslab.uncertainty.ranges import Amount, Stated

Kind = Literal["backlog", "waiting", "active", "done", "cancelled"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Accepted = Literal[
    "assumed_stages",
    "filtered",
    "fresh",
    "row_cap",
    "unstarted",
    "unmatched",
    "unchanged",
    "disagree",
    "skipped",
    "undated",
    "resolved_open",
    "closed_early",
    "far",
    "reopened",
    "forecast_record",
]
WEEK: tuple[Weekday, ...] = get_args(Weekday)


class TicketFile(Answers):
    """An export of a ticket tool, or any log of changes, and the answers its reading may need."""

    path: str
    """export (CSV, workbook, JSON or Parquet), from the spec's folder"""


class Stage(Declared):
    """A status of the tool: what happens to a ticket in it."""

    stage: Words
    """its name in the export; readers see it"""
    kind: Kind
    """backlog (not begun), waiting, active, done or cancelled"""
    also: tuple[Label, ...] = ()
    """other names that it has or had in the export"""


class Calendar(Declared):
    """Time that counts, where weekends and nights do not."""

    timezone: str = "UTC"
    """whose days and clock they are, such as Europe/Paris"""
    days: tuple[Weekday, ...] = Field(WEEK[:5], min_length=1)
    """days that count"""
    hours: tuple[Number, Number] = (0, 24)
    """first and last hour of such a day; a day of working time has as many hours"""
    holidays: tuple[Day, ...] = ()
    """days that do not count"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= self.hours[0] < self.hours[1] <= 24:  # noqa: PLR2004 - hours of a day
            raise fault("flow.hours", first=self.hours[0], last=self.hours[1])
        if self.timezone not in available_timezones():
            raise fault("tables.no_zone", zone=self.timezone)
        return self


class Change(Declared):
    """A change of the way of working, whose effect on the flow is asked."""

    name: Words
    """what was changed"""
    date: Day
    """day from which it held"""


class Ahead(Declared):
    """What is to be forecast."""

    items: int | None = Field(None, ge=1)
    """how many items: when will they be done"""
    by: Day | None = None
    """a day: how many items will be done by then"""
    unit: Literal["week", "day"] = "week"
    """over which finished items are counted"""
    block: int = Field(2, ge=1, le=26)
    """units that are drawn together, since busy ones follow busy ones"""
    history: int | None = Field(None, ge=1)
    """units of the past to draw from; by default all of them"""
    growth: Amount = Stated(likely=0)
    """items that are added a unit while the work goes on, as a range"""
    split: Amount = Stated(likely=0)
    """share by which items turn out to be several, as a range: 0.2 for a fifth more"""
    teams: str | None = None
    """column of the teams that all have to finish their part: chances are multiplied"""


class Flow(FromFile):
    """A flow of work: a spec (YAML), or its export alone with all else as by default."""

    SHEET: ClassVar[str] = "tickets"

    flow: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the flow"""
    date: Day | None = None
    """day as of which the readout speaks: what came later is left out"""
    tickets: TicketFile
    """the export: one row a ticket, or one row a change of status"""
    history: TicketFile | None = None
    """the changes of status, where they are in a file of their own"""
    stages: tuple[Stage, ...] = ()
    """every status in the order of the work; assumed from their names where none are declared"""
    start: Label = "active"
    """when a ticket counts as started: created, active (its first active status), or a status"""
    done: Literal["last", "first"] = "last"
    """whether it is done at its last or its first entry into a done status"""
    period: tuple[Day, Day] | None = None
    """first and last day that is reviewed; by default all that the export holds"""
    calendar: Calendar | None = None
    """working time; by default time as it passes"""
    segments: tuple[str, ...] = Field((), max_length=4)
    """columns to tell tickets apart by, such as team, type, priority"""
    since: Change | None = None
    """a change whose effect is asked"""
    limit: int | None = Field(None, ge=1)
    """items in progress at most: what that would have done"""
    defects: tuple[Label, ...] = ("Bug", "Defect", "Anomalie")
    """types of tickets that are defects"""
    forecast: Ahead = Ahead()
    """what is to be forecast; by default the tickets that are open"""
    accept: dict[Accepted, Text] = Field({})
    """doubts that are accepted beforehand, each with its reason"""
