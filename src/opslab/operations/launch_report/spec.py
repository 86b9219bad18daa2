"""What the analyst declares: the launch, its figures with their targets, what else is known."""

from typing import Literal, Self

from pydantic import Field, model_validator

from opslab.documents import Location
from opslab.names import folded
from opslab.operations.cited import record_file
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import SheetFile

CITED = {
    "gate": "launch_readiness",
    "themes": "feedback_themes",
    "experiment": "experiment_readout",
}
"""Fields that name a run, and whose run it has to be."""
MOST = 1.5
"""Of what the unit % is for: shares from 0 to 1, or a little more."""


class Kpi(Declared):
    """A figure that the launch was to move, and its target."""

    name: Text
    """what readers call it, and its rows in the column kpi (there by its English name)"""
    direction: Literal["up", "down"]
    """which way is better"""
    target: Number
    """value to reach"""
    by: Day
    """day on which it is to be reached"""
    unit: Words = ""
    """what stands behind its numbers; % for values that are shares from 0 to 1"""
    why: Text = ""
    """why it tells whether the launch works"""

    @model_validator(mode="after")
    def _a_share(self) -> Self:
        if self.unit == "%" and abs(self.target) > MOST:
            raise fault("launch_report.no_share", given=self.target, name=self.name)
        return self


class Value(Declared):
    """A value of a KPI on a day."""

    kpi: Label
    """name of the KPI, in English"""
    date: Day
    """the day, or the first day of the week or month that the value is of"""
    value: Number | None = None
    """the value; an empty cell is a missing one"""


class PastLaunch(Declared):
    """A launch of the past: what the gate said, and what came of it."""

    launch: Label
    """the launch"""
    date: Day
    """its day"""
    decision: Literal["go", "conditional", "no_go"]
    """what the gate said; a no-go that was launched all the same was overruled"""
    readiness: Number | None = Field(None, ge=0, le=1)
    """share of its points that were ready"""
    hurt: Literal["yes", "no"]
    """whether customers or the business were harmed, as its review found"""


class Lesson(Declared):
    """What was learned."""

    lesson: Text
    """what to do otherwise, or again"""
    owner: Words | None = None
    """who sees to it"""


class LaunchReview(FromFile):
    """The review of a launch, some weeks later."""

    review: Title
    """name of the launch; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the launch"""
    date: Day
    """day as of which it is reviewed: later values are left out"""
    launch_date: Day
    """first day of the launch"""
    kpis: tuple[Kpi, ...] = Field(min_length=1)
    """the figures, the most important first"""
    series: SheetFile
    """their values, from before the launch on"""
    past: SheetFile | tuple[PastLaunch, ...] = ()
    """launches that the gate has judged"""
    gate: str | None = None
    """run folder of the launch's readiness"""
    themes: str | None = None
    """run folder of feedback themes"""
    experiment: str | None = None
    """run folder of an experiment's readout"""
    lessons: tuple[Lesson, ...] = ()
    """what was learned"""

    @model_validator(mode="after")
    def _one_target_each(self) -> Self:
        names = [folded(kpi.name) for kpi in self.kpis]
        for kpi in self.kpis:
            if names.count(folded(kpi.name)) > 1:
                raise fault("launch_report.repeated_kpi", name=kpi.name)
            if kpi.by < self.launch_date:
                raise fault("launch_report.due_before", name=kpi.name, by=kpi.by)
        return self

    def named(self) -> dict[Location, str]:
        """Return the sheets, and the records of the runs."""
        return {**super().named()} | {
            (name,): record_file(run) for name in CITED if (run := getattr(self, name))
        }
