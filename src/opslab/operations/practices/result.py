"""What a review of practices returns: capabilities over time, actions, processes with a verdict."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from opslab.evidence import SourceFile
from opslab.operations.practices.spec import LEVELS, Level, PracticeReview
from opslab.results import Result
from opslab.tables.import_report import Reading
from opslab.uncertainty.proportions import Interval

Verdict = Literal["keep", "simplify", "extend", "kill", "open"]


class Capability(NamedTuple):
    """Where a team's capability stands.

    Levels are ordinal: medians and spread, never a mean. With an even number of assessors the
    median may lie between two levels, which are both told.

    Attributes
    ----------
    date : datetime.date
        Of the last assessment.
    assessors : int
    missing : int
        Assessors of the team who did not assess it on that date, or since the one before.
    median : tuple of Level
        One level, or the two that it lies between.
    low, high : Level
        Lowest and highest.
    at_target : int
        Assessors who see it at its target or above.
    before : tuple of Level
        Median of the same assessors the time before; empty without one.
    before_date : datetime.date or None
    same, up, down : int
        Of the assessors of both dates, those who see it as before, higher, lower.
    """

    capability: str
    team: str
    date: datetime.date
    assessors: int
    missing: int
    median: tuple[Level, ...]
    low: Level
    high: Level
    target: Level | None
    at_target: int
    before_date: datetime.date | None
    before: tuple[Level, ...]
    same: int
    up: int
    down: int

    @property
    def reached(self) -> bool | None:
        """Whether the median is at the target or above; None without a target."""
        if self.target is None:
            return None
        return LEVELS.index(self.median[0]) >= LEVELS.index(self.target)

    @property
    def moved(self) -> int | None:
        """1 or -1 where more of the same assessors see it higher or lower than before, else 0.

        None where nobody assessed it twice.
        """
        if not self.same + self.up + self.down:
            return None
        return (self.up > self.down) - (self.up < self.down)


class Action(NamedTuple):
    """What was to be done for a capability.

    Attributes
    ----------
    due, promised : datetime.date or None
        Its due date, and the one that was stated first.
    doubtful : bool
        Whether rows of one day differ in owner or dates (the earliest due date counts, the latest
        day of its end), or it was done before it was first mentioned.
    state : {"done", "late", "open", "undated"}
    days : int
        Late by, or left; of a done one from its first mention to done.
    moved : int or None
        Levels the median of the same assessors moved since; None before they assessed again.
    lag : int or None
        Days from its first mention until that median was first seen higher.
    """

    capability: str
    team: str
    action: str
    owner: str | None
    due: datetime.date | None
    promised: datetime.date | None
    done: datetime.date | None
    doubtful: bool
    state: str
    days: int
    moved: int | None
    lag: int | None


class Agreement(NamedTuple):
    """Krippendorff's alpha of ordinal levels on the last date; None where nobody varies.

    Attributes
    ----------
    alpha : Interval
        Bootstrap over what was assessed.
    units, ratings : int
        Capabilities with two assessors or more, and their ratings.
    """

    alpha: Interval
    units: int
    ratings: int


class ProcessCard(NamedTuple):
    """A process with what it costs and saves.

    Attributes
    ----------
    cost, saved, net : Interval
        Hours a year, mean and middle 90 % of the draws.
    pays, loses : float
        Chance that it saves more than it costs, and that it costs more than it saves.
    using, eligible : int or None
        Teams in the last four weeks.
    adoption : Interval
    source : {"log", "standards", "card", "none"}
        What adoption stands on; of ``standards``, documents in the place of teams.
    uses_logged : float or None
        Uses a month in the log; None where it tells none. They count in the place of the card's
        unless there are none and the card's range allows for that.
    contradicted : bool
        Whether the log lies beside the card's range of uses.
    drop_off : tuple of (str, int)
        Uses that ended at each step, where the log tells.
    losses : int
        Reviews running with a likely net loss, this one included; of two that lie closer than the
        rule says, one.
    lost : datetime.date or None
        Day of the last of them that counted.
    overdue : bool
        Whether its sunset has passed.
    verdict : {"keep", "simplify", "extend", "kill", "open"}
    why : str
        ``pays``, and is adopted; ``few`` use it, or ``unknown`` who; ``loss``: likely a net loss;
        ``losses``: one for so many reviews running; ``sunset``: past it without surely
        paying (``sunset_loss`` where it likely loses);
        ``unsure_saved``, ``unsure_minutes``: neither is likely enough, and the one that is less
        known is to be measured first; ``even``: it saves what it takes; ``unused``: by nobody.
    turns : tuple of (str, float)
        What would change the verdict: ``saved``, ``minutes``, ``using`` (teams) or ``documents``,
        and the value from which on (up or down, away from where it is). Uses are none: they scale
        cost and saving alike.
    """

    process: str
    row: int
    owner: str
    problem: str
    steps: str
    trigger: str
    sunset: datetime.date
    cost: Interval
    saved: Interval
    net: Interval
    pays: float
    loses: float
    using: int | None
    eligible: int | None
    adoption: Interval
    source: str
    uses_logged: float | None
    contradicted: bool
    drop_off: tuple[tuple[str, int], ...]
    losses: int
    lost: datetime.date | None
    overdue: bool
    verdict: Verdict
    why: str
    turns: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class PracticesResult(Result):
    """The result of `opslab.operations.review_practices`.

    Ask
    ---
    ``frame()`` has a row for each capability of a team and each process; ``compare(other)`` puts
    two reviews side by side; ``explain(term)`` says what a word means.

    Attributes
    ----------
    movement : Mapping of (Level, Level) to int
        From and to, of assessors and capabilities of both dates.
    kept, fallen_due : int
        Actions done by their first due date, of those whose first due date has passed.
    net : Interval or None
        Hours a year that all processes save beyond what they cost: mean and middle 90 %.
    previous_day : datetime.date or None
        Of the review from which losses running are counted.
    passed : tuple of str
        Later ones that were passed over to get to it, since they stopped or were altered.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "canvas": "capabilities",
        "agreement": "",
        "actions": "actions_due",
        "processes": "cards",
        "anchors": "",
        "checks": "checks",
        "data": "readings",
        "method": "",
    }

    review: PracticeReview
    capabilities: tuple[Capability, ...]
    agreement_of: Agreement | None
    movement: Mapping[tuple[Level, Level], int]
    actions_due: tuple[Action, ...]
    kept: int = 0
    fallen_due: int = 0
    cards: tuple[ProcessCard, ...]
    net: Interval | None = None
    draws: int = 0
    seed: int = 1
    previous_day: datetime.date | None = None
    passed: tuple[str, ...] = ()
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def waiting(self) -> list[Action]:
        """Actions that are not done: late, without a day, open."""
        return [action for action in self.actions_due if action.state != "done"]

    @property
    def action(self) -> str:
        """What to do first: stop, act on actions, end a process or the like, keep."""
        verdicts = {card.verdict for card in self.cards}
        needed = {
            "stop": self.broken,
            "late": any(action.state == "late" for action in self.waiting),
            "act": self.waiting,
            "kill": "kill" in verdicts,
            "simplify": "simplify" in verdicts,
            "overdue": any(card.overdue for card in self.cards),
            "measure": "open" in verdicts,
            "extend": "extend" in verdicts,
            "aim": self.capabilities and not any(known.target for known in self.capabilities),
        }
        return next((action for action in needed if needed[action]), "keep")
