"""What the analyst declares: a backlog, who rated it, and how its reach is counted."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from opslab.documents import Location
from opslab.operations.cited import record_file
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import SheetFile
from opslab.uncertainty.ranges import Amount, Stated

FACTORS = ("reach", "impact", "confidence", "effort")
"""Of the score, in its order."""
Note = str | None


class Rating(Declared):
    """What one person says of one item: a row of the sheet."""

    id: Label | None = None
    """joins what raters call by different names"""
    item: Words = Field(min_length=1, max_length=160)
    """the idea, as readers see it"""
    rater: Label | None = None
    """who says so, where several do"""
    reach: Amount
    """customers, orders … that it touches in the period"""
    impact: Amount
    """on each of them: 3, 2, 1, 0.5 or 0.25"""
    confidence: Number | None = Field(None, gt=0, le=1)
    """how sure the three others are, where they have no ranges: 1, 0.8 or 0.5"""
    effort: Amount
    """what it takes, such as person-months"""
    cost_of_delay: Amount | None = None
    """what a week later costs"""
    weeks: Amount | None = None
    """how long it takes"""
    reach_reason: Note = None
    """why this reach"""
    reach_evidence: Note = None
    """where it was counted: an address, or reports/…#evidence of a run"""
    impact_reason: Note = None
    """why this impact"""
    impact_evidence: Note = None
    """where it was measured"""
    confidence_reason: Note = None
    """why so sure"""
    confidence_evidence: Note = None
    """what says so"""
    effort_reason: Note = None
    """why this effort"""
    effort_evidence: Note = None
    """where it was estimated"""

    @model_validator(mode="after")
    def _above_zero(self) -> Self:
        for name in ("reach", "impact", "effort", "cost_of_delay", "weeks"):
            ends: Stated | None = getattr(self, name)
            if ends and 0 in (ends.low, ends.likely, ends.high):
                raise fault("prioritisation.zero", name=name)
        return self


class RatedSheet(SheetFile):
    """A sheet, and who filled it in where its rows do not say."""

    rater: Label | None = None
    """who filled it in"""


class Reach(Declared):
    """What reach counts: one period and one population for the whole list."""

    per: Literal["week", "month", "quarter", "year"]
    """the period in which it is counted"""
    of: Words = Field(min_length=1, max_length=60)
    """the population: customers, orders …"""


class Backlog(FromFile):
    """A backlog: a spec (YAML), or its sheet alone with all else as by default."""

    SHEET: ClassVar[str] = "data"

    prioritisation: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the order"""
    date: Day | None = None
    """day of the order"""
    data: RatedSheet | tuple[RatedSheet, ...] = ()
    """the sheet, or one of each rater"""
    items: tuple[Rating, ...] = ()
    """instead of a sheet: the rows here"""
    reach: Reach | None = None
    """what reach counts; else the brackets of its heading say so"""
    top: int = Field(3, ge=1, le=50)
    """how many items there is room for"""
    uncertainty: Literal["ranges", "confidence"] | None = None
    """what says how sure the numbers are; by default ranges, as soon as an item has any"""
    previous: RatedSheet | str | None = None
    """last quarter's sheet, or the folder of its run"""
    effort_unit: Words = "person-months"
    """what effort counts"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the sheet"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.data) == bool(self.items):
            raise fault("prioritisation.one_form")
        return self

    @property
    def sheets(self) -> tuple[RatedSheet, ...]:
        """The sheets, however many there are."""
        return self.data if isinstance(self.data, tuple) else (self.data,)

    def named(self) -> dict[Location, str]:
        """Return the tables, and the record of last quarter's run."""
        before = self.previous
        names: dict[Location, str] = {
            ("data", place, "path"): sheet.path for place, sheet in enumerate(self.sheets)
        }
        if before:
            names["previous",] = record_file(before) if isinstance(before, str) else before.path
        return names
