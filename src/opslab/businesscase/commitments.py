"""What a team commits to: its hours, risks it watches, targets, gains still to be measured."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from opslab.businesscase.declarations import Gain, Id, Name, When
from opslab.specs import Day, Declared, Number, Text, Words, fault
from opslab.uncertainty.ranges import Part

_MOST_SCORE = 5


class Team(Declared):
    """People whose hours are counted: no more can be freed than they work."""

    role: Name
    """as in the inventory"""
    people: Number = Field(gt=0)
    """how many of them, in full posts"""
    hours: Number = Field(gt=0, le=2500)
    """contract hours of one of them a year"""


class Risk(Declared):
    """What may go wrong: who watches it, by which sign, what it would cost."""

    risk: Text
    """what may go wrong, in one sentence"""
    owner: Name
    """who watches it"""
    trigger: Text
    """the sign by which it is seen to come"""
    response: Text | None = None
    """what is done then, or before"""
    likelihood: Part | None = None
    """chance that it comes, as a share or a range of shares"""
    amount: Id | None = None
    """assumption: what it costs once if it comes; then it is simulated, and needs a likelihood"""
    starts: When | None = None
    """when it would be paid: a roadmap id (when done) or a day; by default the horizon's start"""
    options: tuple[Name, ...] = ()
    """who bears it; by default every option but doing nothing"""


class Measured(Declared):
    """What was measured of a target: value and 90 % interval, from the case or from evidence."""

    value: Number | None = None
    """what was measured, in the target's unit"""
    low: Number | None = None
    """low end of its 90 % interval"""
    high: Number | None = None
    """high end of its 90 % interval"""
    on: Day | None = None
    """day of the measurement"""
    source: Text | None = None
    """where it was read"""
    evidence: Id | None = None
    """instead: an id under `evidence`, one finding"""
    file: str | None = None
    """file that it was read from; gone or changed, it is told"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [one is not None for one in (self.value, self.low, self.high, self.on)]
        if any(given) == (self.evidence is not None) or (any(given) and not all(given)):
            raise fault("businesscase.measured_form")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise fault("businesscase.measured_order")
        return self


class Kpi(Declared):
    """A target that the team accepts to be held to."""

    id: Id
    """its name in the next version's promise against actual"""
    name: Name
    """by which readers see it"""
    gain: Gain
    """which of the three gains it stands for"""
    unit: Words = Field(max_length=40)
    """of its values, such as hours a week"""
    baseline: Number
    """value before the work began"""
    baseline_source: Text | None = None
    """where that was read"""
    target: Number
    """value that is promised"""
    low: Number
    """low end of the 90 % range that is promised"""
    high: Number
    """high end of the 90 % range that is promised"""
    date: Day
    """day by which it is reached"""
    kill: Number
    """value at which the work is stopped"""
    source: Text
    """where it is read from"""
    owner: Name
    """who is held to it"""
    measured: Measured | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        rising = self.target > self.baseline
        if not self.low <= self.target <= self.high or self.low == self.high:
            raise fault(
                "businesscase.kpi_range", low=self.low, high=self.high, given=f"{self.target:g}"
            )
        if self.target == self.baseline or (
            self.kill >= self.target if rising else self.kill <= self.target
        ):
            raise fault("businesscase.kpi_kill", given=f"{self.kill:g}")
        return self


class Debt(Declared):
    """A gain that is not measured yet: told, never counted."""

    gain: Gain
    """which of the three gains it belongs to"""
    statement: Text
    """what is gained, and not measured yet"""
    measure: Text
    """how it will be measured"""
    by: Day
    """day by which it is measured"""
    owner: Name
    """who measures it"""


class Beyond(Declared):
    """A gain that is not told in money: weighed, never part of the NPV."""

    name: Name
    """what is gained, such as trust"""
    weight: Number = Field(gt=0, le=10)
    """how much it counts beside the others: above 0, up to 10"""
    scores: dict[Name, Number]
    """from 0 (none) to 5, by option"""

    @model_validator(mode="after")
    def _on_scale(self) -> Self:
        if not all(0 <= score <= _MOST_SCORE for score in self.scores.values()):
            raise fault("businesscase.beyond_score")
        return self
