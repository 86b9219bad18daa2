"""What the team declares: initiatives, what they wait for, the tickets they are bound to."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from opslab.documents import Location
from opslab.operations.cited import record_file
from opslab.operations.flow.spec import Flow
from opslab.specs import (
    Day,
    Declared,
    FromFile,
    Label,
    Number,
    Text,
    ThemeName,
    Title,
    Words,
    fault,
)
from opslab.tables.sheets import SheetFile
from opslab.uncertainty.ranges import Amount


def parted(names: str | None, signs: str = ";") -> list[str]:
    """Return the names in a cell that are parted by any of the signs.

    Examples
    --------
    >>> parted("SHOP-1; SHOP-2"), parted(None)
    (['SHOP-1', 'SHOP-2'], [])
    """
    return [name for part in re.split(f"[{signs}]", names or "") if (name := part.strip())]


def listed(cell: object) -> object:
    """Return the names in a cell, see `parted`; a list as it is."""
    return parted(cell) if cell is None or isinstance(cell, str) else cell


class Initiative(Declared):
    """A row of the roadmap: a piece of work with its owner, window, gate and what it waits for."""

    id: Label = Field(min_length=1, max_length=40)
    """name by which others depend on it; stays the same from one version to the next"""
    initiative: Words = Field(min_length=1, max_length=160)
    """what it is, as readers see it"""
    owner: Words | None = None
    """team or person that answers for it"""
    starts: Day | None = None
    """first day: not before it, even if all it waits for is done"""
    ends: Day | None = None
    """last day, as it is announced"""
    weeks: Amount | None = None
    """how long it takes, as a range; by default its window, as late as past ones were"""
    depends_on: Label | None = None
    """ids of what has to be done before, parted by ; or ,"""
    confidence: Number | None = Field(None, gt=0, le=1)
    """chance that is given to its window, where it has no range of weeks"""
    kpi: Words | None = None
    """figure that it moves, with baseline and target"""
    gate: Words | None = None
    """what must be shown before the next stage"""
    tickets: Label | None = None
    """keys of its epics, or what the column of `match` holds for its tickets, parted by ;"""
    themes: Annotated[tuple[ThemeName, ...], BeforeValidator(listed)] = ()
    """themes of customers' feedback that it answers, parted by ;, such as shop-feedback/T03"""
    load: Number = Field(1, ge=0, le=1)
    """share of its owner, the whole team, that it takes while it lasts"""
    finished: Day | None = None
    """day it was done"""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.starts and self.ends and self.ends < self.starts:
            raise fault("roadmap.order", starts=self.starts, ends=self.ends)
        if self.starts and self.finished and self.finished < self.starts:
            raise fault("roadmap.done_before", starts=self.starts, finished=self.finished)
        if self.weeks and not (self.weeks.likely or self.weeks.high):
            raise fault("roadmap.no_weeks")
        if not (self.finished or self.weeks or (self.starts and self.ends)):
            raise fault("roadmap.no_window")
        return self


class Announcement(Declared):
    """A row of the history of dates: when a date was announced, and which."""

    initiative: Label
    """id of the initiative, of this roadmap or an earlier one"""
    announced: Day
    """day on which the date was announced"""
    date: Day | None = None
    """date that was announced"""
    release: Label | None = None
    """instead: the release that was announced, such as v1.24"""
    delivered: Label | None = None
    """day or release of delivery; by default the day on which the sheet says it was finished"""


class Bound(Declared):
    """How initiatives are bound to the tickets of a flow."""

    flow: str
    """spec of the flow review whose tickets they are, from this spec's folder"""
    match: str = "parent_key"
    """column of the export that tells a ticket's initiative"""


class Roadmap(FromFile):
    """A roadmap: a spec (YAML), or its initiatives alone with all else as by default."""

    SHEET: ClassVar[str] = "initiatives"

    roadmap: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the roadmap"""
    date: Day | None = None
    """day as of which the readout speaks"""
    initiatives: SheetFile | Annotated[tuple[Initiative, ...], Field(min_length=1)]
    """the initiatives, in a file or here"""
    bound: Bound | None = None
    """tickets from which done share and date update themselves"""
    announced: SheetFile | tuple[Announcement, ...] = ()
    """dates as they were announced over time, in a file or here"""
    releases: dict[str, Day] = Field({})
    """days of releases that announcements name"""
    previous: str | None = None
    """`last`, or the folder of a run, from this spec's folder: what moved since is told"""
    now_days: int = Field(30, ge=1, le=400)
    """what is under way or starts within so many days is told as Now"""
    next_days: int = Field(120, ge=1, le=800)
    """what starts within so many days is told as Next, the rest as Later"""
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the sheets"""

    def named(self) -> dict[Location, str]:
        """Return the sheets, the flow with the files it names, and the record of the last run."""
        paths = {**super().named()}
        if self.previous and self.previous != "last":
            paths["previous",] = record_file(self.previous)
        if self.bound:
            paths["bound", "flow"] = self.bound.flow
            if (flow := self.beside(self.bound.flow)).is_file():
                for at, file in enumerate(Flow.load(flow).files()[1:]):
                    paths["bound", "flow", at] = str(file.absolute())
        return paths
