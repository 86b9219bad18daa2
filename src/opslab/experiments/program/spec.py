"""What the analyst declares: where the experiments are, and since when they follow a standard."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from opslab import archive
from opslab.documents import Location
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import SheetFile

READOUT = "experiment_readout"
"""The notebook whose runs a program stands on."""


_CLEARLY, _CLEARLY_NOT = 0.01, 0.2
_ABOVE = {"high": ("low", "lift"), "end": ("start",), "units": ("successes",), "decided": ("date",)}


class Ordered(Declared):
    """A row whose ends, days and counts must rise."""

    @field_validator(*_ABOVE, check_fields=False)
    @classmethod
    def _above(cls, given: Any, info: ValidationInfo) -> Any:
        ends = [info.data.get(name) for name in _ABOVE[info.field_name or ""]]
        known = [end for end in (*ends, given) if end is not None]
        if known != sorted(known):
            raise fault(f"program.{info.field_name}")
        return given


class ListedTest(Ordered):
    """A row of the table of tests: an experiment with one effect, or one of its arms with counts.

    With an effect: ``lift`` and its ``error``, or its interval, or its p-value. With counts: a row
    for each arm, with ``units`` and ``successes``, or ``mean`` and ``mean_error``.
    """

    test: Label
    """name or key of the experiment; rows of one name belong together"""
    arm: Label | None = None
    """the arm of the row, where there is a row for each"""
    metric: Words | None = None
    """what was measured"""
    start: Day | None = None
    """first day"""
    end: Day | None = None
    """last day"""
    lift: Number | None = None
    """relative effect on the metric that decided: 0.02 for 2 %"""
    error: Number | None = Field(None, gt=0)
    """its standard error"""
    low: Number | None = None
    """lower end of its interval"""
    high: Number | None = None
    """upper end of its interval"""
    p_value: Number | None = Field(None, ge=0, le=1)
    """two-sided"""
    successes: Number | None = Field(None, ge=0)
    """units of the arm with the outcome"""
    units: int | None = Field(None, ge=0)
    """units of the arm, or of the test"""
    mean: Number | None = None
    """mean of the metric in the arm"""
    mean_error: Number | None = Field(None, gt=0)
    """its standard error"""
    weight: Number = Field(1, ge=0)
    """designed weight of the arm; equal ones when left out"""
    decision: Words | None = None
    """what was decided"""
    by_rule: Literal["yes", "no"] | None = None
    """whether it was decided by the rule that was registered beforehand"""

    @field_validator("p_value")
    @classmethod
    def _agrees(cls, given: float | None, info: ValidationInfo) -> float | None:
        lift, error, low, high = map(info.data.get, ("lift", "error", "low", "high"))
        if lift is not None and error:
            low, high = lift - 2 * error, lift + 2 * error
        if given is None or low is None or high is None:
            return given
        if given > _CLEARLY_NOT if low > 0 or high < 0 else given < _CLEARLY:
            raise fault("program.p_value")
        return given


class Idea(Ordered):
    """A row of the list of ideas: when an idea was written down, and when it was decided."""

    idea: Label
    """name of the idea"""
    date: Day
    """day on which it was written down"""
    decided: Day | None = None
    """day of the decision; empty while it is open"""


class Holdout(Ordered):
    """What a long-running holdout says of all that was shipped together."""

    lift: Number
    """relative effect of everything shipped, against the group that was held out"""
    low: Number
    """lower end of its interval, at 95 %"""
    high: Number
    """upper end of its interval, at 95 %"""
    since: Day | None = None
    """first day of the holdout"""


class Program(FromFile):
    """Many experiments together."""

    program: Title
    """name of the program; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for it"""
    date: Day
    """day as of which it speaks: later tests are left out"""
    tests: SheetFile | tuple[ListedTest, ...] = ()
    """table of tests"""
    runs: tuple[str, ...] = ()
    """run folders of readouts, or folders that hold some, from the spec's folder"""
    ideas: SheetFile | tuple[Idea, ...] = ()
    """when ideas were written down and decided"""
    standardised: Day | None = None
    """day since when experiments follow the standard"""
    alpha: Number = Field(0.05, gt=0, lt=0.5)
    """two-sided error rate of the tests whose row says nothing else"""
    power: Number = Field(0.8, gt=0, lt=1)
    """power that the tests were planned for"""
    goal: Literal["increase", "decrease"] = "increase"
    """direction in which a lift of the table, and the holdout's, is good"""
    holdout: Holdout | None = None

    def named(self) -> dict[Location, str]:
        """Return the tables, and the record of every readout in the run folders."""
        paths = {**super().named()}
        for at, run in enumerate(self.runs):
            root = self.beside(run).absolute()
            cards = ((file, archive.Card.read(file)) for file in sorted(root.rglob(archive.RUN)))
            files = [file for file, card in cards if card is None or card.notebook == READOUT]
            for number, file in enumerate(files or [root / archive.RUN]):
                paths["runs", at, number] = str(file.with_name(archive.RESULT))
        return paths
