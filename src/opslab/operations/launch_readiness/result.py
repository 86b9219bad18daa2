"""What the gate returns: the decision, what blocks it, its conditions, and how it came there."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from opslab.evidence import SourceFile
from opslab.operations.launch_readiness.spec import Briefing, Item, Launch, Status
from opslab.results import Result
from opslab.tables.import_report import Reading


class Judged(Item):
    """An item as it counts on a day, or a function's briefing as an item of the gate."""

    row: int
    """of the sheet"""
    due: datetime.date | None = None
    """the day that was written or meant"""
    days_left: int | None = None
    """until then"""
    slip_days: int | None = None
    """by which it is due later than was first announced; earlier is below 0"""
    counts_as: Status
    """green once it is proven"""
    why: tuple[str, ...] = ()
    """what it lacks, in words of the catalogue (``why_<name>``)"""

    briefing: Briefing | None = Field(None, exclude=True)
    """what it stands for, of a function to brief"""

    @property
    def open(self) -> bool:
        """Whether it is neither proven nor left out."""
        return self.counts_as in ("amber", "red")


class State(NamedTuple):
    """The checklist as it stands, or stood, on a day.

    Attributes
    ----------
    day : datetime.date
    left : int or None
        Days from it until the launch, where that has a day.
    items : tuple of Judged
    aside : Mapping of str to sequence of int
        Rows that are no items of their own, or of another launch, by the check that tells them.
    reading : Reading or None
    """

    day: datetime.date
    left: int | None
    items: tuple[Judged, ...]
    aside: Mapping[str, list[int]]
    reading: Reading | None

    @property
    def blockers(self) -> int:
        """Blocking items that are not proven."""
        return sum(judged.blocking and judged.open for judged in self.items)

    @property
    def readiness(self) -> float:
        """Weight of the green items over the weight of all but those that do not apply."""
        counted = [judged for judged in self.items if judged.counts_as != "na"]
        green = sum(judged.weight for judged in counted if not judged.open)
        return round(green / (sum(judged.weight for judged in counted) or 1), 9)


@dataclass(frozen=True, kw_only=True, repr=False)
class ReadinessResult(Result):
    """The result of `opslab.operations.readiness`.

    Ask
    ---
    ``now.items`` are the items as they count, each with its row; ``todo`` all that is open, by day;
    ``compare(other)`` puts two launches, or two days of one, side by side; ``frame()`` and
    ``to_excel(path)`` the tables; ``explain(term)`` what a word means.

    Attributes
    ----------
    states : tuple of State
        The checklist by day, that of today last.
    blockers, demands, todo : tuple of Judged
        Blocking items that are not proven, what a conditional launch has to meet besides, and all
        that is open: by day, the undated last.
    briefed : tuple of Briefing
    sessions : tuple of Judged
        The same as items of the gate.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "gate": "blockers",
        "dates": "",
        "trend": "states",
        "brief": "sessions",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    launch: Launch
    states: tuple[State, ...]
    blockers: tuple[Judged, ...]
    demands: tuple[Judged, ...]
    todo: tuple[Judged, ...]
    briefed: tuple[Briefing, ...]
    sessions: tuple[Judged, ...]
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def now(self) -> State:
        """The checklist as it stands."""
        return self.states[-1]

    @property
    def decision(self) -> str:
        """What comes out of the rules: nothing buys a blocker out."""
        if self.blockers:
            return "no_go"
        ready = self.now.readiness >= self.launch.needed
        unmet = self.demands or any(not check.accepted for check in self.conditions)
        return "go" if ready and not unmet else "conditional"

    @property
    def action(self) -> str:
        """What to do: stop, go, conditional, no_go."""
        return "stop" if self.broken else self.decision

    @property
    def slips(self) -> dict[str, Any]:
        """Items with a day before, how many keep it, by how many days all moved on average."""
        days = [known.slip_days for known in self.now.items if known.slip_days is not None]
        late = [day for day in days if day > 0]
        return {
            "items": len(days),
            "held": sum(day <= 0 for day in days),
            "mean_days": fmean(days) if days else None,
            "late_days": fmean(late) if late else None,
            "undated": sum(not known.due for known in self.now.items),
        }
