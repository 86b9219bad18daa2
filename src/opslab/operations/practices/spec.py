"""What a team keeps of its capabilities and processes: canvas, anchors, cards, log of uses."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from opslab.operations.cited import Citing
from opslab.specs import Day, Declared, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import SheetFile
from opslab.uncertainty.ranges import Amount, Minutes

Level = Literal["below", "good", "better", "best"]
LEVELS: tuple[Level, ...] = ("below", "good", "better", "best")
"""From the lowest; the canvas is Chris Compston's, its layout here our own."""


class Assessment(Declared):
    """A row of the canvas: where one assessor sees a team's capability on a day."""

    capability: Words = Field(min_length=1, max_length=120)
    """such as Experimentation"""
    team: Words = Field(min_length=1, max_length=80)
    """whose capability it is"""
    assessor: Label = Field(min_length=1)
    """anything that tells one assessor from another; never shown"""
    date: Day
    """day of the assessment"""
    level: Level
    """below, good, better or best; by what can be observed"""
    target: Level | None = None
    """level aimed at"""
    evidence: Words | None = None
    """what was observed"""
    next_action: Words | None = None
    """what is done next"""
    action_owner: Words | None = None
    """who does it"""
    action_due: Day | None = None
    """by when"""
    action_done: Day | None = None
    """when it was done"""


class Anchors(Declared):
    """What can be observed at each level of a capability."""

    good: Text
    """what is seen at Good; without it, the level is Below"""
    better: Text
    """what is seen besides at Better"""
    best: Text
    """what is seen besides at Best"""


class Process(Declared):
    """A card of a minimum viable process: the smallest steps that solve a problem."""

    process: Words = Field(min_length=1, max_length=120)
    """its name, which stays the same"""
    problem: Words
    """what goes wrong without it"""
    steps: Words
    """its first version: the fewest steps that help, parted by ;"""
    owner: Words
    """who keeps it, changes it, ends it"""
    trigger: Words
    """what sets it off"""
    artefact: Words | None = None
    """what comes out: a page, a template, a record"""
    minutes: Minutes
    """minutes that a use takes each person who takes part"""
    people: Number = Field(1, gt=0)
    """people who take part in a use"""
    uses: Amount
    """uses a month"""
    saved: Minutes
    """minutes that a use saves, of all whom it saves something"""
    eligible: int | None = Field(None, ge=1)
    """teams that could use it"""
    using: int | None = Field(None, ge=0)
    """teams that used it in the last four weeks, where no log tells"""
    started: Day | None = None
    """since when it is in use"""
    sunset: Day
    """day on which it ends unless it is kept"""


class Use(Declared):
    """A row of the log of uses."""

    process: Label
    """its name, as on the card"""
    team: Words
    """who used it"""
    date: Day
    """when"""
    step: Label | None = None
    """the last step that was reached, where the log tells"""


class Rule(Declared):
    """What is done with a process, declared beforehand."""

    sure: Number = Field(0.8, gt=0.5, lt=1)
    """chance of a net benefit from which it is kept; of a net loss, from which it is simplified"""
    adopted: Number = Field(0.6, gt=0, le=1)
    """share of eligible teams from which it is adopted; below it is extended where it pays"""
    losses: int = Field(2, ge=1, le=10)
    """reviews running with a net loss after which it is killed"""
    days: int = Field(28, ge=1, le=366)
    """days after a loss that counted from which the next one counts, so that two reviews of a week
    are not two losses"""


class PracticeReview(Citing):
    """A review of practices: a spec (YAML), or a canvas alone."""

    SHEET: ClassVar[str] = "canvas"
    NOTEBOOK: ClassVar[str] = "practice_review"
    CITES: ClassVar[tuple[str, ...]] = ("standards", "previous")
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"canvas", "processes", "uses"})

    practices: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for it"""
    date: Day | None = None
    """day as of which the readout speaks"""
    canvas: SheetFile | tuple[Assessment, ...] = ()
    """the canvas, in a file or here"""
    anchors: dict[str, Anchors] = Field({})
    """what can be observed at each level, by capability"""
    assessors: dict[str, PositiveInt] = Field({})
    """how many assessors each team has, so that those missing are told"""
    processes: SheetFile | tuple[Process, ...] = ()
    """cards of minimum viable processes"""
    uses: SheetFile | tuple[Use, ...] = ()
    """log of uses, from which adoption is counted"""
    standards: dict[str, str] = Field({})
    """of a process, the folder of a run of `standards_review` that tells its adoption"""
    rule: Rule = Rule()
    """what is done with a process"""
    previous: str | None = None
    """`last`, or the folder of a run: losses running are counted from it"""
    accept: dict[str, Text] = Field({})
    """checks that do not count, with the reason"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the sheets"""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.canvas or self.processes):
            raise fault("practices.nothing")
        return self
