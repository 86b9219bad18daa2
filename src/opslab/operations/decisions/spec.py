"""What a team keeps of its decisions, and what people answer when asked what comes first."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from opslab.evidence import Grade
from opslab.operations.cited import Citing
from opslab.specs import Day, Declared, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import Sheet, SheetFile, read_sheet


class Decision(Declared):
    """A row of the decision log."""

    id: Label = Field(min_length=1, max_length=60)
    """name by which the history of statuses and further rows know it"""
    decision: Words = Field(min_length=1, max_length=200)
    """the question that was, or is, to be decided"""
    raised: Day
    """day on which it was raised"""
    decided: Day | None = None
    """day of the first decision"""
    withdrawn: Day | None = None
    """day on which the question was taken back"""
    reversed: Day | None = None
    """day on which what had been decided was taken back or changed"""
    status: Label | None = None
    """where it stands, in the words of the log"""
    chosen: Words | None = None
    """what was decided; of an experiment its action: ship, do_not_ship, extend …"""
    options: Label | None = None
    """how many options were compared, or their names, parted by ;"""
    do_nothing: Literal["yes", "no"] | None = None
    """whether doing nothing was one of the options"""
    evidence: Label | None = None
    """links to what it stands on, parted by spaces or ;"""
    grade: Grade | None = None
    """the best evidence it stands on: A (randomised) to F (opinion)"""
    experiment: Label | None = None
    """experiment it stands on, by the name of its readout: checkout-button"""
    forecast: Words | None = None
    """what was expected of it, so that it can be seen whether it came true"""
    probability: Number | None = Field(None, ge=0, le=1)
    """chance that was given to it"""
    outcome: Literal["yes", "no"] | None = None
    """whether it came true"""
    review: Day | None = None
    """day on which the outcome is looked at"""
    owner: Words | None = None
    """who decides"""
    team: Words | None = None
    """whose decision it is; groups of fewer than five decisions are not shown apart"""


class StatusChange(Declared):
    """A row of the history of statuses of decisions."""

    id: Label
    """of the decision"""
    changed: datetime.datetime
    """when, as a day or an instant; of an instant the day counts that it is in UTC"""
    to: Label | None = None
    """status from then on; an empty one is told and left out"""


class Statuses(Declared):
    """What the words of the log's statuses mean; others are refused with what is near."""

    open: tuple[Label, ...] = ("Open", "Draft", "Proposed", "Ouverte", "Brouillon", "Proposée")
    """asked, and not decided"""
    decided: tuple[Label, ...] = ("Decided", "Accepted", "Décidée", "Acceptée")
    """decided, either way"""
    against: tuple[Label, ...] = ("Rejected", "Rejetée")
    """decided, and the answer is no: from one answer to the other counts as taken back"""
    withdrawn: tuple[Label, ...] = ("Withdrawn", "Retirée")
    """taken back before it was decided, or what had been decided taken back"""
    closed: tuple[Label, ...] = ()
    """over without a decision, such as Superseded; says nothing against an earlier decision"""
    ignored: tuple[Label, ...] = ()
    """says nothing of the decision, such as Active"""


class Change(Declared):
    """A change of the way of deciding, whose effect is asked."""

    name: Words
    """what was changed"""
    date: Day
    """first day of it: decisions raised from then on are compared with earlier ones"""


class Answer(Declared):
    """A row of the alignment survey: one person's answers."""

    person: Label = Field(min_length=1)
    """anything that tells one person from another; never shown"""
    function: Words
    """such as product, engineering, sales"""
    priority_1: Words | None = None
    """what comes first this quarter"""
    priority_2: Words | None = None
    """what comes second"""
    priority_3: Words | None = None
    """what comes third"""
    goal: Words | None = None
    """the goal of the quarter, in this person's words"""


class Survey(SheetFile):
    """Answers of one survey."""

    date: Day
    """when it was held"""
    goal: tuple[Words, ...] = ()
    """the goal of the quarter: every way to write it that counts as naming it"""
    invited: int | None = Field(None, ge=1)
    """how many people were asked, those included who did not answer"""


class DecisionReview(Citing):
    """A review of decisions: a spec (YAML), or a decision log alone."""

    SHEET: ClassVar[str] = "log"
    CITES: ClassVar[tuple[str, ...]] = ("roadmaps",)

    decisions: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the log"""
    date: Day | None = None
    """day as of which the readout speaks"""
    log: SheetFile
    """the decision log"""
    history: SheetFile | None = None
    """dated changes of statuses, where the tool keeps them"""
    statuses: Statuses = Statuses()
    """what the words of the log's statuses mean"""
    only: dict[str, tuple[Label, ...]] = Field({})
    """rows that count: values of columns of the log, such as {type: [Standards Track]}"""
    raised_since: Day | None = None
    """decisions raised from this day on count"""
    since: Change | None = None
    """a change of the way of deciding: before and after"""
    reversal_days: int = Field(90, ge=1, le=3650)
    """within so many days of the decision a change of mind counts as a reversal"""
    least_grade: Grade = "C"
    """evidence of this grade or better counts"""
    surveys: tuple[Survey, ...] = ()
    """alignment surveys, the earliest first; the last one is told, beside the first"""
    same: dict[str, tuple[Label, ...]] = Field({})
    """other names of a priority, by the name that is shown"""
    roadmaps: tuple[str, ...] = Field((), max_length=2)
    """folders of two roadmap runs, from this spec's folder: how many Now items stayed"""
    runs: tuple[str, ...] = ()
    """folders, from this spec's, in which experiments' runs are looked for beside the reports"""
    accept: dict[str, Text] = Field({})
    """checks that do not count, with the reason"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the sheets"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [survey.date for survey in self.surveys]
        if days != sorted(days) or len({*days}) < len(days):
            raise fault("decisions.surveys")
        if len(self.roadmaps) == 1:
            raise fault("decisions.roadmaps")
        return self

    def rows(self, data: Any = None) -> Sheet[Decision]:
        """Return the rows of the log, or of a frame in its place."""
        return read_sheet(self, self.log, Decision, "decision-log", french=self.french, data=data)
