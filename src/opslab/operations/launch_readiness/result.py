"""What the gate returns: the decision, what blocks it, its conditions, and how it came there."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, get_args

from opslab.evidence import SourceFile
from opslab.operations.launch_readiness.spec import Briefing, Item, Launch, Status
from opslab.results import Result
from opslab.tables.import_report import Reading

Decision = Literal["go", "conditional", "no_go"]


class Judged(NamedTuple):
    """An item as it counts on a day.

    Attributes
    ----------
    row : int
    item : Item
    due : datetime.date or None
    counts : {"green", "amber", "red", "na"}
    why : tuple of str
        Why it counts differently than it is written, in words of the catalogue (``why_<name>``).
    """

    row: int
    item: Item
    due: datetime.date | None
    counts: Status
    why: tuple[str, ...]

    @property
    def open(self) -> bool:
        """Whether it is neither proven nor left out."""
        return self.counts in ("amber", "red")


class State(NamedTuple):
    """The checklist as it stands, or stood, on a day.

    Attributes
    ----------
    day, start : datetime.date, datetime.date or None
        That day, and that of the launch.
    items : tuple of Judged
    twice : tuple of int
        Rows that repeat another one.
    reading : Reading or None
    """

    day: datetime.date
    start: datetime.date | None
    items: tuple[Judged, ...]
    twice: tuple[int, ...]
    reading: Reading | None

    @property
    def blockers(self) -> int:
        """Blocking items that are not proven."""
        return sum(judged.item.blocking and judged.open for judged in self.items)

    @property
    def readiness(self) -> float:
        """Weight of the green items over the weight of all but those that do not apply."""
        weight = dict.fromkeys(get_args(Status), 0.0)
        for judged in self.items:
            weight[judged.counts] += judged.item.weight
        return weight["green"] / (sum(weight.values()) - weight["na"] or 1.0)


def in_order(items: Iterable[Judged]) -> tuple[Judged, ...]:
    """Return items by the day that they are due, the undated last, and by name."""
    last = datetime.date.max
    return tuple(sorted(items, key=lambda known: (known.due or last, known.item.item, known.row)))


@dataclass(frozen=True, kw_only=True, repr=False)
class ReadinessResult(Result):
    """The result of `opslab.operations.readiness`.

    Ask
    ---
    ``now.items`` are the items as they count, each with its row; ``actions`` what is to do by day;
    ``slips`` the days by which items have moved; ``compare(other)`` two launches, or two days of
    one, side by side; ``frame()`` and ``to_excel(path)`` the tables; ``explain(term)`` what a word
    means.

    Attributes
    ----------
    decision : {"go", "conditional", "no_go"}
    states : tuple of State
        The checklist by day, that of today last.
    blockers, demands : tuple of Judged
        Blocking items that are not proven, and what a conditional launch has to meet besides.
    todo : tuple of Judged
        All that is open.
    briefed : tuple of Briefing
    slips : Mapping
        Days by which an item is due later than was first announced, by what names the item.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "gate": "blockers",
        "dates": "",
        "actions": "todo",
        "trend": "states",
        "briefing": "briefed",
        "brief": "",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    launch: Launch
    decision: Decision
    states: tuple[State, ...]
    blockers: tuple[Judged, ...]
    demands: tuple[Judged, ...]
    todo: tuple[Judged, ...]
    briefed: tuple[Briefing, ...]
    slips: Mapping[tuple[str, ...], int]
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def now(self) -> State:
        """The checklist as it stands."""
        return self.states[-1]

    @property
    def action(self) -> str:
        """What to do: stop, go, conditional, no_go; explored, where more was asked."""
        if self.broken or self.asked:
            return "stop" if self.broken else "explored"
        return self.decision
