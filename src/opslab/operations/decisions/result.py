"""What a review of decisions returns: latency, quality, forecasts, alignment; and the checks."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from opslab.evidence import SourceFile
from opslab.operations.decisions.alignment import Alignment
from opslab.operations.decisions.spec import DecisionReview
from opslab.operations.decisions.stability import Stability
from opslab.results import Result
from opslab.tables.import_report import Reading
from opslab.uncertainty.proportions import Interval

State = Literal["open", "decided", "withdrawn"]
Kind = Literal["all", "before", "since", "team"]


class Known(NamedTuple):
    """A decision as it stands on the day.

    Attributes
    ----------
    row : int
        Of the log.
    raised, ended : datetime.date
        ``ended``: of the first decision or the withdrawal; None while open, and where nothing
        tells the day.
    days : float or None
        From raised to ended, or until the day; None of what ended on a day that nothing tells.
    reversed : datetime.date or None
        First taken back after the first decision, whenever.
    options : int or None
    do_nothing : bool or None
    grade : str or None
        The best that its experiment's run carries, or as the log says.
    experiment : str or None
        Folder of the readout it stands on.
    followed : bool or None
        Whether what was chosen is what the experiment's rule said; None of what is no experiment.
    late : bool
        Whether its review is due and no outcome is written.
    entry : float
        Days after it was raised from which the history watches it: more than 0 where it begins
        later, and the log tells of no earlier decisions.
    """

    id: str
    decision: str
    row: int
    team: str | None
    owner: str | None
    state: State
    raised: datetime.date
    ended: datetime.date | None
    days: float | None
    reversed: datetime.date | None = None
    options: int | None = None
    do_nothing: bool | None = None
    grade: str | None = None
    experiment: str | None = None
    followed: bool | None = None
    probability: float | None = None
    outcome: bool | None = None
    review: datetime.date | None = None
    late: bool = False
    entry: float = 0


class Latency(NamedTuple):
    """How long decisions take: open ones are counted, withdrawn ones compete (Aalen-Johansen).

    Attributes
    ----------
    kind : {"all", "before", "since", "team"}
    group : str
        The team, as most rows write it.
    median, p85 : Interval
        Days by which half, and 85 %, are decided; None: not reached.
    decided_only : float or None
        Median of those that were decided: too short, told beside.
    share_open, share_withdrawn : float
        At the longest time that is known.
    """

    kind: Kind
    group: str
    raised: int
    decided: int
    open: int
    withdrawn: int
    median: Interval
    p85: Interval
    decided_only: float | None
    share_open: float
    share_withdrawn: float


class Quality(NamedTuple):
    """A share of decisions, of those of which it is known.

    Attributes
    ----------
    name : {"options", "do_nothing", "evidence", "followed", "reversed", "reviewed"}
    count, of : int
    share : Interval
        Wilson.
    unknown : int
        Decisions of which the log does not say.
    before, since : Interval
        Of those raised before and since the change; None without one.
    change : Interval
        Newcombe.
    latest_count, latest_of : int
        Of those raised since the change, of all without one.
    """

    name: str
    count: int  # type: ignore[assignment]
    of: int
    share: Interval
    unknown: int
    before: Interval = Interval(None)
    since: Interval = Interval(None)
    change: Interval = Interval(None)
    latest_count: int = 0
    latest_of: int = 0

    @property
    def latest(self) -> Interval:
        """The share since the change where it is known, else of all."""
        return self.share if self.since.value is None else self.since


class Bin(NamedTuple):
    """Forecasts of like probability: how many came true."""

    forecasts: int
    mean: float
    came_true: Interval


class Calibration(NamedTuple):
    """How good forecasts were.

    Attributes
    ----------
    brier : Interval
        Mean squared error, bootstrap over decisions; 0 is perfect, .25 always saying 50 %.
    reliability, resolution, uncertainty, within : float
        ``brier = reliability - resolution + uncertainty + within``, exactly (Stephenson, Coelho,
        Jolliffe 2008); ``within`` is 0 where equal forecasts are grouped.
    base_rate : float
    pending : int
        Forecasts without an outcome.
    bins : tuple of Bin
    before, since, change : Interval
        Of the Brier score, around a change.
    """

    forecasts: int
    brier: Interval
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    base_rate: float
    pending: int
    bins: tuple[Bin, ...]
    before: Interval = Interval(None)
    since: Interval = Interval(None)
    change: Interval = Interval(None)

    @property
    def newer(self) -> bool:
        """Whether the score since the change has an interval, and counts."""
        return self.since.low is not None

    @property
    def latest(self) -> Interval:
        """The score since the change where its interval is known, else of all."""
        return self.since if self.newer else self.brier


SURE = 0.85
"""Share of decisions that are taken within the limit of a usual time."""
LEAST = 0.5
"""A share below it is to be mended."""
BACK = 0.25
"""Share of decisions taken back, from which on it is too many."""
WORSE = 0.25
"""Brier score of always saying 50 %."""
FORECASTS = 10
"""Outcomes from which forecasts are judged."""
_GOOD = ("options", "do_nothing", "evidence", "followed", "reviewed")


@dataclass(frozen=True, kw_only=True, repr=False)
class DecisionsResult(Result):
    """The result of `opslab.operations.review_decisions`.

    Ask
    ---
    ``frame()`` has a row for each decision; ``compare(other)`` puts two reviews side by side;
    ``explain(term)`` says what a word means.

    Attributes
    ----------
    latencies : tuple of Latency
        All first, then before and since a change, then teams of five decisions and more.
    saved : Interval
        Days a decision that the change saved on average, up to the longest time that both reach
        (difference of restricted means); None without a change.
    horizon : float or None
        That time, in days.
    withdrawn : tuple of float
        Shares withdrawn by that time, before and since the change; empty where nothing is compared.
    misspelt : Mapping of str to tuple of (str, int)
        Statuses as they are written: what each was read as, and how often.
    taken_back : int
        Decisions whose status went back from decided, in all the time.
    alignment : Alignment or None
    stability : Stability or None
    cited : tuple of Path
        Records of the experiments' runs.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "latency": "latencies",
        "quality": "qualities",
        "forecasts": "",
        "agreement": "",
        "open": "",
        "checks": "checks",
        "data": "readings",
        "method": "",
    }

    review: DecisionReview
    decisions: tuple[Known, ...]
    latencies: tuple[Latency, ...]
    qualities: tuple[Quality, ...]
    calibration: Calibration | None
    alignment: Alignment | None
    stability: Stability | None
    saved: Interval
    horizon: float | None = None
    withdrawn: tuple[float, ...] = ()
    misspelt: Mapping[str, tuple[str, int]]
    taken_back: int = 0
    seed: int = 1
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]
    cited: tuple[Path, ...] = ()

    @property
    def tables(self) -> dict[str, tuple[Any, ...]]:
        """The tables of numbers, by name; of nothing empty."""
        return {
            "latency": self.latencies,
            "quality": self.qualities,
            "forecasts": self.calibration.bins if self.calibration else (),
            "priorities": self.alignment.priorities if self.alignment else (),
            "functions": self.alignment.functions if self.alignment else (),
        }

    @property
    def still_open(self) -> tuple[Known, ...]:
        """Decisions that are open, the one that has waited longest first."""
        return tuple(known for known in self.decisions if known.state == "open")

    @property
    def overdue(self) -> tuple[Known, ...]:
        """Decisions whose review is due without an outcome, the oldest review first."""
        known = [known for known in self.decisions if known.late]
        return tuple(sorted(known, key=lambda known: (str(known.review), known.id)))

    @property
    def limit(self) -> float | None:
        """Days by which 85 % are decided, or half of them where that is not reached."""
        usual = self.latencies[0]
        return usual.median.value if usual.p85.value is None else usual.p85.value

    @property
    def waiting(self) -> tuple[Known, ...]:
        """Open decisions that have waited longer than the limit."""
        limit = math.inf if self.limit is None else self.limit
        return tuple(known for known in self.still_open if (known.days or 0) > limit)

    @property
    def weakest(self) -> tuple[Quality, ...]:
        """Shares that are better the higher they are, since a change, the lowest first."""
        known = [at for at in self.qualities if at.name in _GOOD and at.latest.value is not None]
        return tuple(sorted(known, key=lambda at: (at.latest.value or 0, at.name)))

    @property
    def fresh(self) -> int:
        """Decisions that were taken back, and are too young to count in the share of those."""
        old = (self.as_of or datetime.date.max) - datetime.timedelta(self.review.reversal_days)
        return sum(at.ended > old for at in self.decisions if at.ended and at.reversed)

    @property
    def needs(self) -> tuple[str, ...]:
        """What is to be done, the first first; nothing where a blocking check failed.

        ``speed``: an open decision has waited longer than the limit; ``reversed``: a quarter or
        more are taken back; then what fewer than half of the decisions have, the rarest first
        (``options``, ``do_nothing``, ``evidence``, ``followed``); ``forecasts``: ten or more are
        worse than always saying 50 %; ``align``: fewer than half name the goal; ``review``:
        outcomes are overdue; ``record``: of most decisions the log does not tell it.
        """
        if self.broken:
            return ()
        shares, ahead = {at.name: at for at in self.qualities}, self.calibration
        back = shares["reversed"].latest.value if "reversed" in shares else None
        named = self.alignment.named.value if self.alignment else None
        wanted = {
            "speed": self.waiting,
            "reversed": (back or 0) >= BACK,
            **{at.name: (at.latest.value or 0) < LEAST for at in self.weakest},
            "forecasts": ahead
            and ahead.forecasts >= FORECASTS
            and (ahead.latest.value or 0) > WORSE,
            "align": named is not None and named < LEAST,
            "review": self.overdue,
            "record": self.unsaid,
        }
        return tuple(need for need, applies in wanted.items() if applies and need != "reviewed")

    @property
    def unsaid(self) -> tuple[str, ...]:
        """What the log does not tell of half of the decisions that are taken, or of more."""
        asked = ("options", "do_nothing", "evidence")
        return tuple(at.name for at in self.qualities if at.name in asked and at.of <= at.unknown)

    @property
    def action(self) -> str:
        """What to do first: ``stop``, the first of the needs, or ``keep``."""
        return "stop" if self.broken else next(iter(self.needs), "keep")
