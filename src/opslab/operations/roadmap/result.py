"""What a roadmap returns: each initiative's date as it is likely now, what it waits for, checks."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from opslab.evidence import SourceFile
from opslab.operations.roadmap.spec import Roadmap
from opslab.results import Result
from opslab.tables.import_report import Reading

Day = datetime.date | None


class Step(NamedTuple):
    """An initiative as it stands.

    Attributes
    ----------
    row : int
        Of the sheet.
    horizon : {"done", "now", "next", "later"}
    starts, ends : datetime.date or None
        As they are announced.
    start, half, sure : datetime.date
        Likely start, and the days by which it is done with a confidence of 50 and 85 %.
    slip_days : float
        Mean days after the announced end; 0 where none is announced.
    slip_low, slip_high : float
        Middle 90 % of its draws.
    critical : float
        Share of draws in which the roadmap's end waits for it.
    slack_days : float
        Median days by which it may be late before the end moves.
    depends_on : tuple of str
    pushes : tuple of (str, float)
        Ids that a month's delay of it moves, and by how many days on average.
    done, tickets : int or None
        Tickets done, and all, where it is bound to tickets.
    source : {"finished", "tickets", "range", "window"}
        What its date stands on.
    moved_days : int or None
        Days by which `sure` moved since the last run; None where it was not there.
    across : tuple of str
        Other owners that it waits for.
    first_announced : datetime.date or None
        The end that was announced first.
    weeks : tuple
        Its range as it is declared: low, likely, high, shape.
    themes : tuple of str
        Of customers' feedback that it answers.
    uncertain : bool
        Whether anything tells how sure its date is.
    refuted : bool
        Whether it has taken longer than all but 5 % of what was thought, so that nothing does.
    """

    id: str
    initiative: str
    row: int
    owner: str | None
    horizon: str
    starts: Day
    ends: Day
    start: datetime.date
    half: datetime.date
    sure: datetime.date
    slip_days: float
    slip_low: float
    slip_high: float
    critical: float
    slack_days: float
    depends_on: tuple[str, ...]
    across: tuple[str, ...]
    pushes: tuple[tuple[str, float], ...]
    done: int | None
    tickets: int | None
    source: str
    confidence: float | None
    kpi: str | None
    gate: str | None
    moved_days: int | None
    first_announced: Day = None
    uncertain: bool = True
    refuted: bool = False
    weeks: tuple[float | str | None, ...] = ()
    themes: tuple[str, ...] = ()


class Load(NamedTuple):
    """Share of an owner that is taken on the fullest day of a month; above 1 is too much."""

    owner: str
    month: datetime.date
    load: float


class Slips(NamedTuple):
    """How late past dates turned out: what was first announced against what came.

    Attributes
    ----------
    count, held : int
    mean, low, high : float or None
        Mean, and the middle 80 %, which the next date is expected in; releases or days.
    unit : {"days", "releases"}
    still_open : int
        Announced, and not delivered or not due: told, and not counted as held.
    used : bool
        Whether there were enough of them to be used for the plan.
    unknown : int
        Passed, and nothing tells whether they held: not counted.
    days : tuple of float
        Each slip.
    firsts : Mapping of str to float
        The end that was announced first, by the initiative's id without case: ordinals of days;
        places of releases where there are no days.
    """

    count: int  # type: ignore[assignment]
    held: int
    mean: float | None
    low: float | None
    high: float | None
    unit: str
    still_open: int
    used: bool
    unknown: int = 0
    days: tuple[float, ...] = ()
    firsts: Mapping[str, float] = {}


SURE = 0.85
"""Confidence of a day that is told as sure."""
OFTEN = 0.05
"""Share of courses in which the end waits for a step, below which it is left aside."""


@dataclass(frozen=True, kw_only=True, repr=False)
class RoadmapResult(Result):
    """The result of `opslab.operations.plan_roadmap`.

    Ask
    ---
    ``frame()`` and ``to_excel(path)`` give the initiatives; ``compare(other)`` two roadmaps side by
    side; ``explain(term)`` what a word means.

    Attributes
    ----------
    steps : sequence of Step
        In the order of their likely starts.
    planned : datetime.date or None
        Announced end of the whole: the latest of the open steps that no open step waits for; None
        where one of these has none.
    half, sure : datetime.date
        End of the whole with a confidence of 50 and 85 %.
    chance : float or None
        Chance that the announced end holds; None without one, or where some are `vague`.
    path : tuple of str
        Ids of the steps for which the end waits in a quarter of the courses, the earliest first,
        without what is finished.
    merge_days : float
        Mean days by which the end is later than the path of mean durations says (merge bias).
    loads : sequence of Load
    slips : Slips or None
    dropped, entered : tuple of str
        Initiatives of the last run that are gone, and new ones; both empty without a last run.
    last : Mapping
        The steps of the last run's record by id.
    passed : tuple of str
        Later runs that could not be compared with.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "now_next_later": "steps",
        "dates": "",
        "dependencies": "",
        "load": "loads",
        "slip": "",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    roadmap: Roadmap
    draws: int
    seed: int
    steps: Sequence[Step]
    planned: Day
    half: datetime.date
    sure: datetime.date
    chance: float | None = None
    path: tuple[str, ...]
    merge_days: float
    loads: Sequence[Load]
    slips: Slips | None
    previous_day: Day
    dropped: tuple[str, ...]
    entered: tuple[str, ...]
    last: Mapping[str, Any] = field(default_factory=dict)
    passed: tuple[str, ...] = ()
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def still(self) -> list[Step]:
        """What is not finished."""
        return [step for step in self.steps if step.horizon != "done"]

    @property
    def missed(self) -> tuple[str, ...]:
        """Ids of the open steps whose announced end is likely missed."""
        return tuple(step.id for step in self.still if step.ends and step.half > step.ends)

    @property
    def vague(self) -> tuple[str, ...]:
        """Ids of the steps that the end waits for, of whose date nothing tells how sure it is."""
        waited = [step for step in self.still if step.refuted or step.critical >= OFTEN]
        return tuple(step.id for step in waited if not step.uncertain)

    @property
    def action(self) -> str:
        """What to do first.

        Stop; done (close the roadmap); range (say how sure dates are: no chance can be told); open
        (announce an end); replan (the announced end, or that of a step, is likely missed); reserve
        (it holds, but by less than 85 %); ease (an owner's load); hold.
        """
        needed = {
            "stop": self.broken,
            "done": not self.still,
            "range": self.vague,
            "open": not self.planned,
            "replan": self.missed or (self.chance or 0) < 1 / 2,
            "reserve": (self.chance or 0) < SURE,
            "ease": any(load.load > 1 for load in self.loads),
        }
        return next((action for action in needed if needed[action]), "hold")

    def step(self, name: str) -> Step:
        """Return an initiative by its id."""
        return {step.id: step for step in self.steps}[name]
