"""What a flow review returns: how long work takes, where it waits, what is ahead, checks."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from opslab.evidence import SourceFile
from opslab.frames import Form, in_form
from opslab.operations.flow.history import History
from opslab.operations.flow.spec import Flow, Kind
from opslab.results import Result
from opslab.uncertainty.proportions import Interval


class RuleReading(NamedTuple):
    """How long work takes by one rule of what started and done mean.

    Attributes
    ----------
    rule : str
        ``rule_<name>`` in the words; ``declared`` is the spec's own.
    finished : int
    median_finished : float or None
        Days, of finished tickets alone.
    median : Interval
        Days, open tickets counted.
    """

    rule: str
    finished: int
    median_finished: float | None
    median: Interval


class StageRow(NamedTuple):
    """What happens in a status.

    Attributes
    ----------
    visits_per_ticket : float
    visit : Interval
        Median days of a visit, open ones counted.
    days : float
        Mean days of a ticket in it, all its visits together.
    share : Interval
        Of all ticket-days between start and done.
    waiting_now : int
        Tickets in it at the end.
    growth : Interval
        Tickets by which its queue grew a week.
    first : float
        Chance that it holds the largest share, of draws over weeks.
    """

    stage: str
    kind: Kind
    tickets: int
    visits: int
    visits_per_ticket: float
    visit: Interval
    days: float
    share: Interval
    waiting_now: int
    growth: Interval
    first: float


class WeekRow(NamedTuple):
    """A week: what was started, done and cancelled in it, what was in progress at its end."""

    week: datetime.date
    created: int | None
    started: int
    done: int
    cancelled: int
    in_progress: int
    by_status: tuple[int, ...]


class OpenRow(NamedTuple):
    """An open ticket that was started: its age, and where that stands among past ones."""

    key: str
    stage: str
    age: float
    passed: int | None
    """the highest percentile of past times (50, 85, 95) that its age has passed; None: none"""


class SegmentRow(NamedTuple):
    """How long the work of a group takes."""

    by: str
    group: str
    tickets: int
    done: int
    median: Interval
    p85: Interval


class Little(NamedTuple):
    """Little's law: work in progress = rate x time, where what comes in also goes out."""

    in_progress: float
    rate: float
    days: float
    arrivals: float
    departures: float
    holds: bool
    """whether arrivals and departures are alike, so that the law may be used"""


class Forecast(NamedTuple):
    """What is ahead, as it is drawn from the past.

    Attributes
    ----------
    items : int
    by : datetime.date or None
    when : Mapping of int to datetime.date or None
        Day by which they are done with a confidence of 50, 85, 95 %; None: not within the horizon.
    count : Mapping of int to int
        Items at least done by the day, with that confidence.
    chance : float or None
        That all are done by the day; never told as 1.
    fan : sequence of (int, float, float, float)
        Units from now, and the 15th, 50th and 85th percentile of items done by then.
    origins, hits : int
        Of the backtest: forecasts that were made at earlier days, and those that held.
    rate : Interval
        Share that held, where 0.85 was said.
    refused : str
        Why there is no forecast, ``forecast_<refused>`` in the words; empty where there is one.
    """

    items: int
    by: datetime.date | None
    when: Mapping[int, datetime.date | None] = {}
    count: Mapping[int, int] = {}  # type: ignore[assignment]
    chance: float | None = None
    fan: Sequence[tuple[int, float, float, float]] = ()
    origins: int = 0
    hits: int = 0
    rate: Interval = Interval(None)
    refused: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class FlowResult(Result):
    """The result of `opslab.operations.review_flow`.

    Ask
    ---
    ``frame()`` and ``to_excel(path)`` give the stages; ``tickets()`` a row for each ticket;
    ``explain(term)`` what a word means.

    Attributes
    ----------
    history : History
    lifecycles : lifecycles.Lifecycles
    total, finished, cancelled, started_open, not_started : int
        Tickets, and of them those that were done, cancelled, are in progress, have not begun.
    percentiles : Mapping of int to Interval
        Days from start within which 50, 85, 95 % of started tickets are done.
    shares : sequence of (float, float, float, float)
        Days since start, and the shares done, cancelled and open by then, which add up to one.
    rules : sequence of RuleReading
    stages : sequence of StageRow
        The one that holds most of the time first.
    efficiency : Interval
        Active share of the time between start and done; None without declared stages.
    bottleneck : str
        The stage that holds most time while its queue grows; empty where none can be named.
    weeks : sequence of WeekRow
    ageing : sequence of OpenRow
        Oldest first.
    little : Little or None
    rework : Interval
        Share of tickets that went back to an earlier stage.
    reopened : Interval
        Share of done tickets that left done again.
    defects : Interval
        Defects created for each ticket done.
    limit : Mapping
        Replay of a limit: ``limit``, ``in_progress``, ``days`` and ``waiting`` before and with it.
    segments : sequence of SegmentRow
    since : Mapping
        Effect of the change: mean days ``before``, ``after`` up to ``horizon``; ``saved`` as
        Interval.
    forecast : Forecast
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "rules": "rules",
        "times": "",
        "where": "stages",
        "week_by_week": "weeks",
        "open": "ageing",
        "groups": "segments",
        "ahead": "",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    flow: Flow
    draws: int
    seed: int
    history: History
    lifecycles: Any
    total: int
    finished: int
    cancelled: int
    started_open: int
    not_started: int
    percentiles: Mapping[int, Interval]
    shares: Sequence[tuple[float, float, float, float]]
    rules: Sequence[RuleReading]
    stages: Sequence[StageRow]
    efficiency: Interval
    bottleneck: str
    weeks: Sequence[WeekRow]
    ageing: Sequence[OpenRow]
    little: Little | None
    rework: Interval
    reopened: Interval
    defects: Interval
    limit: Mapping[str, Any]
    segments: Sequence[SegmentRow]
    since: Mapping[str, Any]
    forecast: Forecast
    sources: tuple[SourceFile, ...]

    def tickets(self, form: Form = "pandas") -> Any:
        """Return a row for each ticket: what it is, start, end, outcome and days; no persons.

        Parameters
        ----------
        form : {"pandas", "arrow", "polars"}
        """
        return in_form(self.room("record").tickets(self), form)

    @property
    def action(self) -> str:
        """What to do: stop, record, relieve a bottleneck, finish first, forecast anew, hold."""
        if self.broken:
            return "stop"
        if "stages" in self.history.lacks:
            return "record"
        if self.bottleneck:
            return "relieve"
        little = self.little
        if little and not little.holds and little.arrivals > little.departures:
            return "finish"
        return "forecast" if self.forecast.refused == "record" else "hold"
