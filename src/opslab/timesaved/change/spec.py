"""What the analyst declares of a change: who got it when and why, what was logged and hoped."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from opslab.names import plain
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.import_report import Answers
from opslab.tables.sheets import SheetFile
from opslab.uncertainty.ranges import Part

Quantity = Literal["hours", "minutes", "elapsed", "count", "share"]
"""Hours of work in a week, minutes of each entry, days from creation to end (no work), items in a
week, share of items."""
Chosen = Literal["drawn", "staggered", "volunteers", "worst_first", "everybody"]


class Export(Answers):
    """An export of a tool, or a panel of one's own, and the answers its reading may need."""

    path: str
    """export (CSV, workbook, JSON, calendar), from the spec's folder"""


class Measure(Declared):
    """What is measured of each team in each week."""

    name: Words
    """what readers call it, such as hours on triage"""
    quantity: Quantity
    """hours (of work, a week), minutes (of each entry), elapsed (days from creation to end: no
    work), count (items a week) or share (of items)"""
    goal: Literal["decrease", "increase"] = "decrease"
    """which way is better"""
    unit: str
    """column of the teams, queues, sites; with `teams` the column of the people in it"""
    period: Literal["week", "month"] = "week"
    """over what is summed"""
    only: dict[str, tuple[Label, ...]] = Field({})
    """rows that count: values of columns, such as {project: [Triage]}"""
    holds: dict[str, tuple[Label, ...]] = Field({})
    """of a share: the rows that count as yes, by values of columns"""
    within_days: Number | None = Field(None, gt=0)
    """of a share: ended within so many days of creation counts as yes"""
    per: Literal["unit", "person"] = "unit"
    """of hours: of the whole team, or of each person who logged anything in that week"""
    follow_up_days: Number = Field(28, gt=0)
    """of elapsed: each ticket is watched so long, an open one counts as this long"""
    scale: Literal["log", "level"] | None = None
    """log: changes in percent; level: in the unit itself; by default level of a share, else log"""

    @property
    def relative(self) -> bool:
        """Whether effects are shares of what would have been: differences of logarithms."""
        return self.scale == "log" or (self.scale is None and self.quantity != "share")

    @model_validator(mode="after")
    def _of_use(self) -> Self:
        uses = {"holds": "share", "within_days": "share", "follow_up_days": "elapsed share"}
        for field in uses.keys() & self.model_dump(exclude_defaults=True):
            if self.quantity not in uses[field]:
                raise fault("change.no_use", field=field, quantity=self.quantity)
        return self


class Pilot(Declared):
    """Who got the change when, and how they were chosen."""

    chosen: Chosen
    """drawn (by lot), staggered (one group after the other, by plan), volunteers, worst_first, or
    everybody (at once)"""
    starts: dict[Label, Day] = Field({})
    """first day of the change by team; a team that is not named never got it"""
    start: Day | None = None
    """first day, of everybody"""
    phase_in: int = Field(2, ge=0, le=26)
    """weeks after the start that do not count: one learns, and what is new is used with zeal"""
    selected: tuple[Day, Day] | None = None
    """of worst_first: first and last day of what they were chosen by, which is no baseline"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        chosen, start, picked = self.chosen, self.start, self.selected
        days = [start] if start else [*self.starts.values()]
        weeks = {day.isocalendar()[:2] for day in days}
        faults = {
            "one_start": bool(start) == bool(self.starts)
            or (chosen != "worst_first" and bool(start) != (chosen == "everybody")),
            "start_twice": len({*map(plain, self.starts)}) < len(self.starts),
            "not_staggered": chosen == "staggered" and len(weeks) == 1,
            "selected": picked
            and (chosen != "worst_first" or not picked[0] <= picked[1] < min(days)),
        }
        for key, wrong in faults.items():
            if wrong:
                raise fault(f"change.{key}")
        return self


class Event(Declared):
    """Something else that happened, and may explain what is seen."""

    name: Words
    """what happened"""
    date: Day
    """first day of it"""
    units: tuple[Label, ...] = ()
    """teams it touched; all when left out"""


class Member(Declared):
    """A row of the sheet of teams."""

    person: Label
    """as the log names them; never shown"""
    team: Words
    """whose team they are in"""


class ChangeReview(FromFile):
    """A review of a change: what it did to what teams log."""

    SHEET: ClassVar[str] = "data"

    change: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the change"""
    date: Day | None = None
    """day as of which the readout speaks; what is logged later does not count"""
    data: Export | tuple[Export, ...]
    """the export, or several of one tool"""
    measure: Measure
    pilot: Pilot
    teams: SheetFile | None = None
    """sheet of people and their teams, where the log names people alone"""
    since: Day | None = None
    """first day that counts"""
    season: bool = False
    """of one group: a yearly season (two harmonics) in the model; from two years of weeks on"""
    lag: int | None = Field(None, ge=0)
    """of one group: lags of the Newey-West errors told beside; by default 4 (n/100)^(2/9)"""
    expected: Part | None = None
    """share that was hoped to be saved, as a range that was to hold in nine of ten cases"""
    calibration: Literal["untrained", "trained"] = "untrained"
    """of that range"""
    events: tuple[Event, ...] = ()
    """what else happened"""
    task: Label | None = None
    """task of the inventory of `time_saved` that this measures"""
    role: Label | None = None
    """its role"""
    initiative: Label | None = None
    """its initiative"""
    working_weeks: Number = Field(45, gt=0, le=52)
    """a year, for hours a year"""
    accept: dict[str, Text] = Field({})
    """checks that do not count, with the reason"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the data: teams"""

    @model_validator(mode="after")
    def _saved(self) -> Self:
        saved = self.measure.relative and self.measure.goal == "decrease"
        if self.expected is not None and not saved:
            raise fault("change.expected_saved")
        return self
