"""What the analyst declares: a backlog, who rated it, and how its reach is counted."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import SheetFile
from opslab.uncertainty.ranges import Amount, Stated

FACTORS = ("reach", "impact", "confidence", "effort")
"""Of the score, in its order."""
KINDS = ("reason", "evidence")
"""What may stand behind a factor."""


def _above_zero(stated: Stated) -> Stated:
    if 0 in (stated.low, stated.likely, stated.high):
        raise fault("prioritisation.zero")
    return stated


Positive = Annotated[Amount, AfterValidator(_above_zero)]
Note = Words | None


class Rating(Declared):
    """What one person says of one item: a row of the sheet."""

    id: Label | None = None
    """joins what raters call by different names"""
    item: Words = Field(min_length=1, max_length=160)
    """the idea, as readers see it"""
    rater: Words | None = None
    """who says so, where several do"""
    reach: Positive
    """customers, orders … that it touches in the period"""
    impact: Positive
    """on each of them: 3, 2, 1, 0.5 or 0.25"""
    confidence: Number | None = Field(None, gt=0)
    """how sure the three others are, where they have no ranges: 1, 0.8 or 0.5"""
    effort: Positive
    """what it takes, such as person-months"""
    cost_of_delay: Positive | None = None
    """what a week later costs"""
    weeks: Positive | None = None
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

    @property
    def ranged(self) -> bool:
        """Whether a factor has a range."""
        return any(ends.low != ends.high for ends in (self.reach, self.impact, self.effort))

    @property
    def unsure(self) -> bool:
        """Whether its confidence is below 100 %."""
        return self.confidence is not None and self.confidence < 1


class RatedSheet(SheetFile):
    """A sheet, and who filled it in where its rows do not say."""

    rater: Words | None = None
    """who filled it in"""
    totals: Literal["drop", "keep"] | None = "keep"
    """what is done with totals below the rows; an item may be called one"""


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
    data: RatedSheet | tuple[RatedSheet, ...]
    """the sheet, or one of each rater"""
    reach: Words | None = None
    """period and population of reach, such as customers a quarter; else its heading's brackets"""
    top: int = Field(3, ge=1, le=50)
    """how many items there is room for"""
    uncertainty: Literal["ranges", "confidence"] | None = None
    """what says how sure the numbers are; by default ranges, as soon as an item has any"""
    previous: RatedSheet | None = None
    """last quarter's sheet"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the sheet"""

    @property
    def sheets(self) -> tuple[RatedSheet, ...]:
        """The sheets, however many there are."""
        return self.data if isinstance(self.data, tuple) else (self.data,)
