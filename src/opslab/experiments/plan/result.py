"""What a plan returns: sizes, weeks, looks, the price of looking, A/A tests. No numerics."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from opslab.evidence import SourceFile
from opslab.experiments.spec import Experiment
from opslab.results import Message, Result
from opslab.tables.import_report import Reading


@dataclass(frozen=True)
class MetricPlan:
    """What one metric asks for, in the arm that needs most units.

    Attributes
    ----------
    metric, role, type, goal, arm : str
    source : {"history", "assumed"}
    baseline : float or None
        The control's value, in the metric's unit.
    deviation : float or None
        Standard deviation of a unit's share in the estimate, covariates taken out.
    raw_deviation : float or None
        The same without covariates.
    correlation : float or None
        With the covariates: 1 - correlation² of the variance is left.
    effect : tuple or None
        ``("relative" or "absolute", size)``: the mde, or a guardrail's margin.
    difference : float or None
        The same in the metric's unit, above 0.
    alpha : float
        Two-sided, of this comparison: the design's shared among primaries and arms.
    units : float or None
        Units over all arms that the effect asks for, before they are rounded up.
    days : float or None
        The same at the traffic expected.
    mde : float or None
        Smallest difference that the planned units find, in the metric's unit.
    power : float or None
        Of the planned units, for the effect.
    not_plannable : Message or None
        Why there are no numbers.
    """

    metric: str
    role: str
    type: str
    goal: str
    arm: str
    source: Literal["history", "assumed"]
    alpha: float
    baseline: float | None = None
    deviation: float | None = None
    raw_deviation: float | None = None
    correlation: float | None = None
    effect: tuple[str, float] | None = None
    difference: float | None = None
    units: float | None = None
    days: float | None = None
    mde: float | None = None
    power: float | None = None
    not_plannable: Message | None = None


@dataclass(frozen=True)
class Week:
    """What is known after so many weeks.

    Attributes
    ----------
    week : int
    units : int
        Over all arms, settled or not.
    mde : mapping
        By metric: the smallest difference found with the design's power, in the metric's unit.
    """

    week: int
    units: int
    mde: Mapping[str, float | None]


@dataclass(frozen=True)
class PlannedLook:
    """A look of a sequential design, for the first primary metric.

    Attributes
    ----------
    number : int
    day : datetime.date or None
    information : float
        Share of the planned units.
    units : int
    efficacy : float
        z from which on it stops for an effect, on both sides.
    futility : float or None
        z below which there is no hope left.
    alpha : float
        Nominal two-sided level of the look.
    spent : float
        Alpha spent up to it.
    stops : float
        Chance to have stopped by it when the effect is the mde.
    stops_without : float
        The same when there is no effect.
    """

    number: int
    day: datetime.date | None
    information: float
    units: int
    efficacy: float
    futility: float | None
    alpha: float
    spent: float
    stops: float
    stops_without: float


@dataclass(frozen=True)
class Resampled:
    """A/A tests of a metric on the history: how often a difference is claimed where there is none.

    Attributes
    ----------
    metric : str
    runs, claims : int
    rate, low, high : float
        Share of claims with its exact 95 % interval.
    expected : float
        The level that was tested at.
    buckets : int
        Parts of the units that were dealt anew.
    """

    metric: str
    runs: int
    claims: int
    rate: float
    low: float
    high: float
    expected: float
    buckets: int


@dataclass(frozen=True, kw_only=True, repr=False)
class PlanResult(Result):
    """The result of `opslab.experiments.plan_experiment`.

    Attributes
    ----------
    experiment : Experiment
        As it is registered: with the planned units, its fingerprint and its day.
    fingerprint : str
    metrics : tuple of MetricPlan
    weeks : tuple of Week
    looks : tuple of PlannedLook
        Of a sequential design.
    inflation : float or None
        Largest number of units over that of a fixed design.
    average_units, average_units_without : float or None
        Of a sequential design: expected units when the effect is the mde, and when there is none.
    units : int or None
        Planned, over all arms.
    days : int or None
        That the units take, last windows included.
    traffic : tuple of float
        Units expected on each weekday, Monday first.
    price : tuple of dict
        Of a fixed design that is looked at ``looks`` times: ``rate``, its false-positive rate.
    resampled : tuple of Resampled
    source : object
        What it was made from, for `what_if`.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "sizes": "metrics",
        "weeks": "weeks",
        "looks": "looks",
        "price": "price",
        "traffic": "traffic",
        "resampled": "resampled",
        "registered": "",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    experiment: Experiment
    fingerprint: str
    metrics: tuple[MetricPlan, ...]
    weeks: tuple[Week, ...] = ()
    looks: tuple[PlannedLook, ...] = ()
    inflation: float | None = None
    average_units: float | None = None
    average_units_without: float | None = None
    units: int | None = None
    days: int | None = None
    traffic: tuple[float, ...] = ()
    price: tuple[dict[str, Any], ...] = ()
    resampled: tuple[Resampled, ...] = ()
    readings: tuple[Reading, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    source: Any = field(default=None, compare=False)

    def what_if(self, **changes: float) -> PlanResult:
        """Return the plan with other numbers, at once, as the history is not read again.

        Parameters
        ----------
        **changes
            ``mde`` of the primary metrics, as it was declared; ``alpha``; ``power``; and either
            ``units`` over all arms or ``weeks``, for what these would find.
        """
        answer: PlanResult = self.room("planning").what_if(self, **changes)
        return answer

    @property
    def leading(self) -> MetricPlan:
        """The first primary metric: what the first screen speaks of."""
        return next(plan for plan in self.metrics if plan.role == "primary")

    def files(self) -> Mapping[str, bytes]:
        """Return the spec as it is registered, by the name of its file."""
        return self.room("record").files_of(self)  # type: ignore[no-any-return]
