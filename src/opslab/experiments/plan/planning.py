"""From a spec with its planning to a plan: units, days, looks, weeks, and the registered spec."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from math import ceil
from typing import Any

from scipy.special import ndtr

from opslab.errors import SpecError
from opslab.evidence import SourceFile
from opslab.experiments.design import Design, Spending
from opslab.experiments.metrics import Metric
from opslab.experiments.plan.checks import (
    check_effects,
    check_error_rate,
    check_history,
    check_period,
)
from opslab.experiments.plan.history import Known, Past, read_past
from opslab.experiments.plan.parts import Part, belief_of, estimate_of
from opslab.experiments.plan.resampling import resample
from opslab.experiments.plan.result import MetricPlan, PlannedLook, PlanResult, Resampled, Week
from opslab.experiments.plan.sizing import MOST, Sizing
from opslab.experiments.plan.traffic import Traffic, usual
from opslab.experiments.sequential.boundaries import (
    Boundaries,
    average_sample,
    boundaries,
    crossing,
    false_positive_rate,
    inflation,
)
from opslab.experiments.sequential.confidence_sequence import multiplier
from opslab.experiments.spec import Experiment
from opslab.messages import Language
from opslab.results import Check, Message

_DAY, _WEEK = datetime.timedelta(days=1), 7
_SUNDAY = datetime.date(2000, 1, 2)  # a test without any day starts on a Monday
_WHOLE = 1e-7  # a number of units this close above a whole one is that one
_MOST_LOOKS, _LONGER = 60, 1.6  # of an always-valid design: looks, and units over the fixed ones


def plan_experiment(
    experiment: Experiment,
    data: Any = None,
    *,
    as_of: datetime.date | None = None,
    language: Language = "en",
    seed: int = 0,
) -> PlanResult:
    """Plan one experiment before it starts.

    Parameters
    ----------
    experiment : Experiment
        Its ``planning`` says what the plan stands on: a history, or what is assumed.
    data : path, frame or mapping, optional
        The history, as `opslab.experiments.analyze` takes data; by default the file of the spec.
    as_of : datetime.date, optional
        The day of the plan, on which it is registered; later rows of the history are left out.
    language : {"en", "fr"}
        In which the result shows itself.
    seed : int
        Of the A/A tests that are drawn from the history.

    Returns
    -------
    PlanResult

    Raises
    ------
    SpecError
        When a metric that decides has neither a history nor an assumption, or weights are left out.
    DataError
        When the history lacks a column, or cannot mean what the spec says.
    """
    past = read_past(experiment, data, as_of)
    planner = _Planner(experiment, past, as_of)
    (arm, control), runs = planner.weights, experiment.planning.resamples
    share, alpha = arm / (arm + control), experiment.design.alpha
    drawn = resample(past.buckets, share, alpha, runs, seed)
    kept = replace(past, buckets={})  # for what is asked further
    return replace(planner, past=kept, resampled=drawn).result(language)


def what_if(
    result: PlanResult,
    *,
    mde: float | None = None,
    units: float | None = None,
    weeks: float | None = None,
    **design: float,
) -> PlanResult:
    """Return the plan with another mde of the primary metrics, alpha, power, or so many units."""
    planner: _Planner = result.source
    experiment = planner.experiment
    metrics = [
        dict(metric) | {"mde": {metric.mde.kind_and_size[0]: mde}}
        if mde is not None and metric.mde and metric.role == "primary"
        else metric
        for metric in experiment.metrics
    ]
    changed = experiment.changed(metrics=metrics, design=dict(experiment.design) | design)
    asked = {"mde": mde, "units": units, "weeks": weeks, **design}
    given = ", ".join(f"{name} {value:g}" for name, value in asked.items() if value is not None)
    if weeks is not None and planner.traffic:
        units = planner.traffic.units(_WEEK * weeks - planner.tail)
    answer = replace(planner, experiment=changed, given=units).result(result.language)
    return replace(answer, asked=(Message("plan.asked", {"given": given}),))


@dataclass(frozen=True)
class _Planner:
    """A spec and what is known, from which a plan follows; for ``given`` units, if asked."""

    experiment: Experiment
    past: Past
    as_of: datetime.date | None
    resampled: tuple[Resampled, ...] = ()
    given: float | None = None

    def result(self, language: Language) -> PlanResult:
        experiment, needs, traffic = self.experiment, self.units, self.traffic
        design, units = experiment.design, None
        if needs is not None:
            units = sum(ceil(needs * share - _WHOLE) for share in self.shares.values())
        days = traffic.days(needs) + self.tail if needs and traffic else None
        if design.units is not None and units:
            design = design.model_copy(update={"units": units})
        experiment = experiment.model_copy(update={"design": design})
        registered = {"registered": experiment.fingerprint, "registered_on": self.as_of}
        sequence = dict[str, Any]()
        if needs and self.looks:
            averages = [needs * average_sample(self.looks, drift) for drift in self.drifts]
            names = ("inflation", "average_units", "average_units_without")
            sequence = dict(
                zip(names, [inflation(self.looks, design.power), *averages], strict=True)
            )
        readings = self.past.readings
        return PlanResult(
            experiment=experiment.model_copy(update=registered),
            fingerprint=experiment.fingerprint,
            metrics=tuple(map(self._metric, self.parts)),
            weeks=tuple(self._weeks()),
            looks=tuple(self._looks()),
            **sequence,
            units=units,
            days=None if days is None else ceil(days - _WHOLE),
            traffic=tuple(
                {"weekday": weekday, "units": count}
                for weekday, count in enumerate(traffic.by_weekday if traffic else ())
            ),
            price=tuple(
                {"looks": looks, "rate": false_positive_rate(range(1, looks + 1), design.alpha)}
                for looks in range(2, max(experiment.planning.weeks, 5) + 1)
                if design.method == "fixed"
            ),
            resampled=self.resampled,
            readings=readings,
            sources=tuple(SourceFile(file.name, file.sha256, file.rows) for file in readings),
            checks=tuple(self._checks()),
            as_of=self.as_of,
            language=language,
            source=self,
        )

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of all units that each arm gets."""
        weights = self.experiment.weights or {}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    @cached_property
    def arm(self) -> str:
        """The arm that needs most units: the smallest."""
        others = [name for name in self.shares if name != self.experiment.arms.control]
        return min(others, key=self.shares.__getitem__)

    @property
    def weights(self) -> tuple[float, float]:
        """The shares of all units that this arm and the control get."""
        return self.shares[self.arm], self.shares[self.experiment.arms.control]

    @cached_property
    def traffic(self) -> Traffic | None:
        """The units that come, from the history or as assumed; None where nothing says so."""
        planning, period = self.experiment.planning, self.experiment.period
        arrivals, by_weekday = self.past.arrivals, ((planning.units_per_day or 0.0),) * _WEEK
        if arrivals and planning.history:
            by_weekday = usual(arrivals, planning.history.share)
        last = self.as_of or max(arrivals, default=_SUNDAY)
        start = (period.start if period else None) or last + _DAY
        return Traffic(by_weekday, start) if any(by_weekday) else None

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What is one metric's, in the spec's order."""
        return tuple(map(self._part, self.experiment.metrics))

    def _part(self, metric: Metric) -> Part:
        known = self._known(metric)
        assumed, sizing = self.experiment.planning.assumed.get(metric.name), None
        if not known.reason:
            finer = metric.per == "row" or (assumed is not None and assumed.rows > 1)
            estimate = estimate_of(metric, known, self.weights, finer=finer)
            design, alpha = self.experiment.design, self._alpha(metric)
            belief = belief_of(design, metric, known.baseline or 0.0)
            sizing = Sizing(estimate, alpha, design.power, self._boundaries(metric), belief)
        amount, size, units = metric.margin or metric.mde, None, None
        if amount and sizing:
            kind, size = amount.kind_and_size
            size *= abs(known.baseline or 0.0) if kind == "relative" else 1.0
            if 0 < size < sizing.estimate.largest:
                units = sizing.units(size)
        reason = known.reason
        if not reason and not (units and units < MOST):
            units, reason = None, "beyond" if size else "no_baseline" if amount else "no_effect"
        tail = self._tail(metric)
        return Part(metric, known, tail, self._alpha(metric), size or None, sizing, units, reason)

    def _tail(self, metric: Metric) -> float:
        """Return the days that a unit's values take to be known."""
        last = metric.window.end if metric.window else self.experiment.design.settled
        return (last or 0 * _DAY) / _DAY

    @cached_property
    def tail(self) -> float:
        """The longest of these."""
        return max(map(self._tail, self.experiment.metrics))

    def _known(self, metric: Metric) -> Known:
        assumed = self.experiment.planning.assumed.get(metric.name)
        here = self.past.known.get(metric.name, Known(reason="no_basis_secondary"))
        return Known.of(assumed) if assumed else here

    def _alpha(self, metric: Metric) -> float:
        """Return the error rate of a comparison: Holm's in the worst case."""
        primaries = sum(other.role == "primary" for other in self.experiment.metrics)
        family = primaries * (len(self.shares) - 1) if metric.role == "primary" else 1
        return self.experiment.design.alpha / family

    def _boundaries(self, metric: Metric) -> Boundaries | None:
        """Return the bounds of a metric at the planned looks."""
        design, alpha = self.experiment.design, self._alpha(metric)
        if design.method not in ("group_sequential", "always_valid"):
            return None
        shares = self._information
        if design.method == "group_sequential":
            spending, futility = design.spending or Spending(), design.futility
            hopeless = (futility.family, futility.exponent) if futility else None
            own = (spending.family, spending.exponent)
            return boundaries(
                shares, alpha, *own, final=True, futility=hopeless, power=design.power
            )
        bounds = tuple(
            multiplier(share * 1e9, 1e9, alpha) for share in shares
        )  # whatever their number
        return Boundaries(shares, bounds, (None,) * len(shares), (alpha,) * len(shares))

    @cached_property
    def _information(self) -> tuple[float, ...]:
        """The share of the planned units at each look; of an always-valid design one a day."""
        design, looks = self.experiment.design, self.experiment.design.looks
        if units := self._by_look:
            if units[0] <= 0 or units != sorted({*units}):
                raise SpecError(self.experiment.problem("plan.look_too_early", "design", "looks"))
            return tuple(known / units[-1] for known in units)
        count, first = len(looks) if isinstance(looks, tuple) else looks or _MOST_LOOKS, 0.0
        if looks is None and self.traffic:
            single = Design(alpha=design.alpha, power=design.power)
            fixed = replace(self, experiment=self.experiment.model_copy(update={"design": single}))
            units_needed = _LONGER * (fixed.units or 0.0)
            count = min(max(ceil(self.traffic.days(units_needed)), 2), _MOST_LOOKS)
            first = (design.smallest or 0) / max(units_needed * sum(self.weights), 1.0)
        shares = ((look + 1) / count for look in range(count))
        return tuple(share for share in shares if share >= min(first, 1.0))

    @cached_property
    def _by_look(self) -> list[float]:
        """Settled units at each planned look, where these are days."""
        looks, traffic = self.experiment.design.looks, self.traffic
        if traffic is None or not isinstance(looks, tuple):
            return []
        return [traffic.units((day - traffic.start) / _DAY + 1 - self.tail) for day in looks]

    @cached_property
    def units(self) -> float | None:
        """Planned units over all arms: as given, by the last look, or what most is needed of."""
        if self.given is not None or self._by_look:
            return self._by_look[-1] if self.given is None else self.given
        return max((part.units or 0.0 for part in self.parts if part.decides), default=None)

    @cached_property
    def first(self) -> Part:
        """The part of the first primary metric, which may end a sequential test."""
        return next(part for part in self.parts if part.metric.role == "primary")

    @property
    def looks(self) -> Boundaries | None:
        """The planned looks at it."""
        return self.first.sizing.looks if self.first.sizing else None

    @property
    def drifts(self) -> tuple[float, float]:
        """Expected z of the first primary metric with the planned units: for its mde, for none."""
        size, sizing = self.first.size, self.first.sizing
        return sizing.drift_at(self.units, size) if sizing and self.units and size else 0.0, 0.0

    def _metric(self, part: Part) -> MetricPlan:
        metric, known, needs = part.metric, part.known, part.units
        amount, assumed = metric.margin or metric.mde, self.experiment.planning.assumed
        return MetricPlan(
            metric.name,
            metric.role,
            metric.type,
            metric.goal,
            self.arm,
            self.experiment.arms.control,
            "assumed" if metric.name in assumed else "history",
            part.alpha,
            **{name: value for name, value in vars(known).items() if name != "reason"},
            effect=amount.kind_and_size if amount else None,
            difference=part.size,
            units=needs,
            days=self.traffic.days(needs) + part.tail if needs and self.traffic else None,
            mde=part.smallest(self.units),
            power=part.power(self.units),
            not_plannable=Message(f"plan.{part.reason}") if part.reason else None,
        )

    def _weeks(self) -> Iterator[Week]:
        traffic = self.traffic
        if traffic is None:
            return
        for week in range(1, self.experiment.planning.weeks + 1):
            settled = {
                part.metric.name: (part, traffic.units(_WEEK * week - part.tail))
                for part in self.parts
            }
            mde = {name: part.smallest(units) for name, (part, units) in settled.items()}
            power = {name: part.power(units) for name, (part, units) in settled.items()}
            yield Week(week, int(traffic.units(_WEEK * week)), mde, power)

    def _looks(self) -> Iterator[PlannedLook]:
        looks, units, traffic = self.looks, self.units, self.traffic
        planned: Any = self.experiment.design.looks
        if looks is None or units is None:
            return
        stops, without = (
            [*accumulate(map(sum, zip(*crossing(looks, drift), strict=True)))]
            for drift in self.drifts
        )
        for order, share in enumerate(looks.information):
            counted, efficacy = units * share - _WHOLE, looks.efficacy[order]
            day = None
            if self._by_look:
                day = planned[order]  # as declared
            elif traffic:
                day = traffic.start + (ceil(traffic.days(counted) + self.tail) - 1) * _DAY
            yield PlannedLook(
                order + 1,
                day,
                share,
                ceil(counted),
                efficacy,
                looks.futility[order],
                2 * float(ndtr(-efficacy)),
                looks.spent[order],
                stops[order],
                without[order],
            )

    def _checks(self) -> Iterator[Check]:
        period, traffic = self.experiment.period, self.traffic
        known, paced = bool(self.past.known), traffic is not None
        yield from check_history(self.past.arrivals, self.as_of, known=known, paced=paced)
        yield check_effects(self.experiment.metrics)
        yield from check_error_rate(self.resampled)
        powers = {}
        if traffic and period and period.end:
            units = traffic.units((period.end - traffic.start) / _DAY + 1)
            powers = {
                part.metric.name: part.power(units) or 0.0 for part in self.parts if part.decides
            }
        yield from check_period(period, powers, self.experiment.design.power)
