"""What the team declares: the launch, its checklist, earlier versions of it, who is briefed."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from opslab.names import folded, names_somebody
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, ThemeName, Title, Words
from opslab.tables.sheets import SheetFile

_NO_QUESTION = (
    r"\b(rien|r ?a ?s|nothing|de|questions?|so far|at all|a (ce (jour|stade)|signaler))\b"
)
Tier = Literal["feature", "product", "platform"]
Status = Literal["green", "amber", "red", "na"]
Accepted = Literal["briefing", "functions", "withdrawn", "near"]
TIERS: dict[Tier, float] = {"feature": 0.8, "product": 0.9, "platform": 0.95}
"""Weighted readiness that a launch needs by default, the smallest launches first."""


class Item(Declared):
    """A row of the checklist."""

    launch: Words | None = None
    """the launch that it belongs to, where a sheet holds several"""
    id: Label | None = None
    """its reference, which stays the same from one version of the sheet to the next"""
    item: Words = Field(min_length=1, max_length=200)
    """what has to be true, such as "five macros tested on two tickets\""""
    function: Words | None = None
    """support, sales, engineering …"""
    tier: Tier | None = None
    """smallest launch that it is asked of: feature, product or platform; all when empty"""
    owner: Words | None = None
    """who answers for it"""
    due: Annotated[Day | Label, Field(union_mode="left_to_right")] | None = None
    """a day, T-10 or J-10 (days before the launch), or the name of a milestone"""
    status: Status | None = None
    """green, amber, red or na, or one of the words people use for them"""
    blocking: bool = False
    """whether there is no launch without it"""
    evidence: Label | None = None
    """link or reference that proves it"""
    weight: Number = Field(1, gt=0)
    """in the readiness"""
    reason: Words | None = None
    """why it does not apply, for na"""

    @property
    def known_as(self) -> tuple[str, ...]:
        """What names it from one version of the checklist to the next: either will do."""
        text = folded(f"{self.item} / {self.function or ''}")
        return (folded(self.id), text) if self.id else (text,)


class Briefing(Declared):
    """Who has to know of the launch: a row of the briefing sheet."""

    function: Words = Field(min_length=1, max_length=80)
    """support, sales, marketing, customer success …"""
    audience: Words | None = None
    """who in it"""
    people: int | None = Field(None, ge=1)
    """people to be briefed"""
    briefed: int = Field(0, ge=0)
    """people who were"""
    date: Day | None = None
    """day of the session"""
    open_questions: Words | None = None
    """questions that came up: how many, or each of them, numbered, a line each or parted by ;"""
    answered: int = Field(0, ge=0)
    """how many of them are answered"""
    message: Words | None = None
    """what this function says; what everybody says where it is empty"""
    where_to_ask: Words | None = None
    """where this function asks; as everybody does where it is empty"""
    owner: Words | None = None
    """who briefs them"""

    @property
    def asked(self) -> int:
        """How many questions there are."""
        given = self.open_questions or ""
        counted = re.fullmatch(r"(\d+)(\s+[^\W\d]+){0,3}", given.strip())
        return int(counted[1]) if counted else len(self.questions_in(given))

    def questions_in(self, given: str) -> list[str]:
        """Return each question: parted by ; or numbered, or a line each. A bare number has none.

        A line may break inside a sentence, and a sentence may hold a number.
        """
        line = r"(?<=[?.!;])\s*[\r\n]|[\r\n]\s*(?=[^\w\s]|\d)" if "?" in given else r"[\r\n]"
        parts = re.split(
            rf";|{line}|\b\d+\)\s|{'' if '1. ' in given else '(?<=[?.!;] )'}\b\d+\.\s", given
        )
        return [
            part.strip() for part in parts if names_somebody(re.sub(_NO_QUESTION, "", folded(part)))
        ]

    @property
    def unanswered(self) -> int:
        """How many questions are open."""
        return self.asked - self.answered


class ChecklistFile(SheetFile):
    """A checklist in a file: each row is an item, also one that is called a total."""

    totals: Literal["drop", "keep"] | None = "keep"
    """what is done with totals below the rows; an item may be called one"""


class Snapshot(ChecklistFile):
    """The checklist as it was on an earlier day."""

    date: Day = Field(exclude=True)
    """that day"""


class Launch(FromFile):
    """A launch: a spec (YAML), or its checklist alone with all else as by default."""

    SHEET: ClassVar[str] = "checklist"

    launch: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the launch"""
    date: Day | None = None
    """day as of which the readout speaks"""
    launch_date: Day | None = None
    """day of the launch"""
    tier: Tier = "platform"
    """size of the launch, which sets what is asked of it; the strictest by default"""
    threshold: Number | None = Field(None, gt=0, le=1)
    """weighted readiness that it needs; by default .8 for a feature, .9 for a product, .95"""
    themes: tuple[ThemeName, ...] = ()
    """themes of customers' feedback that it answers, such as shop-feedback/T03"""
    what: Text | None = None
    """what is launched, for the one-page brief"""
    audience: Text | None = None
    """for whom"""
    message: Text | None = None
    """what everybody says"""
    where_to_ask: Text | None = None
    """where questions go"""
    checklist: ChecklistFile | Annotated[tuple[Item, ...], Field(min_length=1)]
    """the checklist, in a file or here"""
    only: Label | None = None
    """name of the launch, where the sheet holds several"""
    snapshots: tuple[Snapshot, ...] = ()
    """earlier versions of the checklist, each with its day"""
    milestones: dict[str, Day] = Field({})
    """days of what a due cell may name, such as v1.24"""
    briefing: SheetFile | tuple[Briefing, ...] = ()
    """who is briefed, in a file or here"""
    briefed: Number = Field(0.8, gt=0, le=1)
    """share of a function's people who have to be briefed"""
    accept: dict[Accepted, Text] = Field({})
    """doubts that are accepted beforehand, each with its reason"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the sheets"""

    @property
    def needed(self) -> float:
        """Weighted readiness that it needs."""
        return self.threshold or TIERS[self.tier]
