"""What a team commits to: risks it watches, targets it is held to, gains still to be measured."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from opslab.businesscase.declarations import Gain, Id, Name, When
from opslab.specs import Day, Declared, Number, Text, Words, fault
from opslab.uncertainty.ranges import Part

_MOST_SCORE = 5


class Risk(Declared):
    """What may go wrong."""

    risk: Text
    owner: Name
    trigger: Text
    """the sign by which it is seen to come"""
    response: Text | None = None
    likelihood: Part | None = None
    amount: Id | None = None
    """assumption: what it costs once if it comes; then it is simulated, and needs a likelihood"""
    starts: When | None = None
    """when it would be paid: a roadmap id (when done) or a day; by default the horizon's start"""
    options: tuple[Name, ...] = ()
    """who bears it; by default every option but doing nothing"""


class Measured(Declared):
    """What was measured of a target: value and 90 % interval, from the case or from evidence."""

    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    on: Day | None = None
    source: Text | None = None
    evidence: Id | None = None
    """instead: an id under `evidence`, one finding"""
    file: str | None = None

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
    name: Name
    gain: Gain
    unit: Words = Field(max_length=40)
    baseline: Number
    baseline_source: Text | None = None
    target: Number
    low: Number
    """low end of the 90 % range that is promised"""
    high: Number
    date: Day
    """day by which it is reached"""
    kill: Number
    """value at which the work is stopped"""
    source: Text
    """where it is read from"""
    owner: Name
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
    statement: Text
    measure: Text
    """how it will be measured"""
    by: Day
    owner: Name


class Beyond(Declared):
    """A gain that is not told in money: weighed, never part of the NPV."""

    name: Name
    weight: Number = Field(gt=0, le=10)
    scores: dict[Name, Number]
    """from 0 (none) to 5, by option"""

    @model_validator(mode="after")
    def _on_scale(self) -> Self:
        if not all(0 <= score <= _MOST_SCORE for score in self.scores.values()):
            raise fault("businesscase.beyond_score")
        return self
