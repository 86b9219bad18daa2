"""What a review of a change returns: the effect, how it was told, what else could explain it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from opslab.evidence import Grade, SourceFile
from opslab.results import Check, Result
from opslab.tables.import_report import Reading
from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.spec import ChangeReview
from opslab.uncertainty.proportions import Interval

Design = Literal["did", "its", "before_after", "plan"]
"""Differences in differences, an interrupted time series, before and after, and before anything is
measured: what could be shown at all."""


class Average(NamedTuple):
    """One way to average the effects of several groups and weeks (Callaway and Sant'Anna 2021).

    Attributes
    ----------
    name : {"simple", "group", "calendar", "dynamic"}
        Every team and week alike; groups by their own mean; weeks by theirs; weeks since the start.
    effect : Interval
        By imputation.
    last_before : float or None
        The same by comparison with the last period before alone (their group-time averages).
    """

    name: str
    effect: Interval
    last_before: float | None


class Step(NamedTuple):
    """The effect so many periods after the start (before it, below 0: there ought to be none)."""

    periods: int
    effect: Interval
    teams: int


class Verdict(NamedTuple):
    """One way to tell an effect from chance.

    Attributes
    ----------
    method : {"permutation", "changes", "jackknife", "bootstrap", "clustered"}
    interval : Interval
        None at its ends where the method gives none.
    p : float or None
    ways : int or None
        Assignments or sign vectors that were tried, the identity among them.
    primary : bool
        Whether the headline rests on it.
    """

    method: str
    interval: Interval
    p: float | None
    ways: int | None = None
    primary: bool = False


class TeamChange(NamedTuple):
    """A team: when it got the change, before and after, and its effect beside what was to come.

    Attributes
    ----------
    start : datetime.date or None
        None: never.
    before, after : float or None
        Means over its own periods, geometric on the log scale.
    effect : float or None
        On the scale of the headline.
    """

    team: str
    start: datetime.date | None
    periods: int
    before: float | None
    after: float | None
    effect: float | None

    @property
    def measured(self) -> bool:
        """Whether it is known with the change and before it."""
        return None not in (self.start, self.before, self.after)


class Lag(NamedTuple):
    """Errors of level and slope with so many lags (Newey and West 1987).

    Attributes
    ----------
    lag : int
        0: ordinary least squares.
    level_error, slope_error : float
        Without a correction for small samples.
    level_error_corrected : float
        Times the root of n / (n - k).
    """

    lag: int
    level_error: float
    slope_error: float
    level_error_corrected: float


class Series(NamedTuple):
    """One group over time: level and slope before, and how both changed.

    Attributes
    ----------
    level, slope : Interval
        Change at the start, and of the slope a period, on the model's scale (log for counts and log
        measures).
    effect : Interval
        Mean over the periods after the start, on the scale of the headline.
    last : Interval
        The same at the last period.
    lag : int
    lags : tuple of Lag
        The one used, its neighbours, and 0.
    autocorrelation : float
        Of the residuals, lag 1.
    dispersion : float or None
        Of counts: Pearson's chi-square by its degrees of freedom.
    periods : tuple of datetime.date
    values, expected : tuple of float or None
        What came, and what would have come without the change.
    """

    level: Interval
    slope: Interval
    effect: Interval
    last: Interval
    lag: int
    lags: tuple[Lag, ...]
    autocorrelation: float
    dispersion: float | None
    periods: tuple[datetime.date, ...]
    values: tuple[float | None, ...]
    expected: tuple[float | None, ...]


class Comparison(NamedTuple):
    """Before and after: medians, and their ratio with a bootstrap over teams.

    Attributes
    ----------
    before, after : float
        Medians of the values of teams and weeks.
    effect : Interval
        Ratio less 1 on the log scale, else the difference.
    trend : float or None
        Change that the slope of the weeks before alone would have brought.
    """

    before: float
    after: float
    effect: Interval
    trend: float | None


class Artefact(NamedTuple):
    """What picking the worst teams shows by itself: regression to the mean.

    Attributes
    ----------
    effect : float
        On the scale of the headline, in the direction of the goal.
    picked, of : int
    reliability : float
        Share of the variance between teams that stays.
    """

    effect: float
    picked: int
    of: int
    reliability: float


class Power(NamedTuple):
    """The smallest change that so many teams and weeks show in eight of ten cases.

    Attributes
    ----------
    teams, pilots : int
        In all, and with the change.
    weeks : int
        Before, and as many after.
    smallest : float or None
        On the scale of the headline, as a size; None: never.
    """

    teams: int
    pilots: int
    weeks: int
    smallest: float | None


class Belief(NamedTuple):
    """What was hoped, what was measured, and both together: shares that are saved.

    Attributes
    ----------
    prior, data, posterior : Interval
    measured_share : float
        Weight of the data.
    z : float
        How far hope and data are apart; beyond 2 they are not averaged.
    conflict : bool
    """

    prior: Interval
    data: Interval
    posterior: Interval
    measured_share: float
    z: float
    conflict: bool


NOTHING = Interval(None)
_POWERED = 1.43 / 2  # (t of .975 + t of .8) / t of .975: 1.43 of many degrees of freedom


@dataclass(frozen=True, kw_only=True, repr=False)
class ChangeResult(Result):
    """The result of `opslab.timesaved.review_change`.

    Ask
    ---
    ``frame()`` has a row for each team and period; ``compare(other)`` puts two reviews side by
    side; ``explain(term)`` says what a word means.

    Attributes
    ----------
    design : {"did", "its", "before_after", "plan"}
    grade : str or None
        Of the evidence, as lowered by checks that failed; None where there is none.
    effect : Interval
        Share by which the measure changed (-.2: a fifth less) on the log scale, else in its own
        unit.
    relative : bool
        Whether effects are shares of what would have been.
    late : Interval
        Mean over the last quarter of the numbers of periods since the start, of a comparison.
    averages, steps, verdicts, teams, powers, artefact, series, comparison, belief
        Empty or None where the design has none.
    two_way : float or None
        The two-way fixed effects estimate: shown only to say why not.
    pre_trend : float or None
        p of the test that nothing happened before the start.
    not_estimable : tuple of datetime.date
        Periods without a team that has not got the change yet.
    per_year : Interval
        Hours of work a year of the teams with the change (below 0: saved); None of what is no work.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "effects": "teams",
        "sureness": "verdicts",
        "averages": "averages",
        "others": "",
        "next": "powers",
        "hoped": "",
        "checks": "checks",
        "data": "readings",
        "method": "",
    }

    review: ChangeReview
    panel: Panel
    design: Design
    grade: Grade | None
    effect: Interval
    relative: bool
    late: Interval = NOTHING
    averages: tuple[Average, ...] = ()
    steps: tuple[Step, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    teams: tuple[TeamChange, ...] = ()
    powers: tuple[Power, ...] = ()
    two_way: float | None = None
    pre_trend: float | None = None
    not_estimable: tuple[datetime.date, ...] = ()
    artefact: Artefact | None = None
    series: Series | None = None
    comparison: Comparison | None = None
    belief: Belief | None = None
    per_year: Interval = NOTHING
    seed: int = 1
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def tables(self) -> dict[str, tuple[Any, ...]]:
        """The tables of numbers, by name; of nothing empty."""
        names = ("teams", "averages", "steps", "verdicts", "powers")
        lags = self.series.lags if self.series else ()
        return {name: getattr(self, name) for name in names} | {"lags": lags}

    @property
    def doubted(self) -> dict[str, Check]:
        """The checks that failed, do not block and are not accepted, by name."""
        return {at.name: at for at in self.conditions if not at.accepted}

    @property
    def power(self) -> Power | None:
        """What the panel's own teams can show in about as long as they are known before."""
        teams, first = len(self.panel.units), self.panel.first
        return min(
            self.powers, key=lambda at: (at.teams != teams, abs(at.weeks - first)), default=None
        )

    @property
    def measured(self) -> list[TeamChange]:
        """The teams that the effect is of: in a comparison those with an effect of their own."""
        known = [at for at in self.teams if at.measured]
        return [at for at in known if at.effect is not None] or known

    @property
    def faded(self) -> bool | None:
        """Whether the effect has turned by the end, or gone: then it may be none, not the mean.

        None where either is not known.
        """
        value, late = self.effect.value, self.series.last if self.series else self.late
        middle, low, high = late
        if self.better is None or value is None:
            return None
        if middle is None or low is None or high is None:
            return None
        return middle * value < 0 or (low <= 0 <= high and not low <= value <= high)

    @property
    def better(self) -> bool | None:
        """Whether the change helped; None where it cannot be told from none."""
        if "opposed" in self.doubted or not self.apart:
            return None
        return ((self.effect.high or 0) < 0) == (self.review.measure.goal == "decrease")

    @property
    def apart(self) -> bool:
        """Whether the interval holds no effect of none."""
        _, low, high = self.effect
        return low is not None and high is not None and not low <= 0 <= high

    @property
    def smallest(self) -> float | None:
        """The smallest change that such an interval shows in eight of ten cases, as a size."""
        _, low, high = self.effect
        if low is None or high is None or (self.relative and low <= -1):
            return None
        if not self.relative:
            return _POWERED * (high - low)
        ratio: float = ((1 + high) / (1 + low)) ** _POWERED
        return 1 - 1 / ratio if self.review.measure.goal == "decrease" else ratio - 1

    @property
    def begun(self) -> bool:
        """Whether the change began, and nothing counts since."""
        return self.design == "plan" and bool((self.panel.starts < len(self.panel.periods)).any())

    @property
    def action(self) -> str:
        """What to do: ``stop``, ``plan`` (nothing measured), ``keep``, ``undo`` or ``measure``.

        Neither to keep nor to undo on grade D, or where a check failed that is not accepted.
        """
        if self.broken or (self.design == "plan" and not self.begun):
            return "stop" if self.broken else "plan"
        if self.grade in (None, "D") or self.doubted:
            return "measure"
        return {True: "keep", False: "undo", None: "measure"}[self.better]
