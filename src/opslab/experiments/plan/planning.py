"""From a spec with its planning to a plan: units, days, looks, weeks, and the registered spec."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from math import ceil, isinf, sqrt
from typing import Any

from scipy.special import ndtr

from opslab.errors import SpecError, did_you_mean
from opslab.evidence import SourceFile
from opslab.experiments.metrics import Metric
from opslab.experiments.plan.checks import (
    check_effects,
    check_error_rate,
    check_history,
    check_period,
)
from opslab.experiments.plan.history import Known, Past, read_past
from opslab.experiments.plan.resampling import resample
from opslab.experiments.plan.result import MetricPlan, PlannedLook, PlanResult, Resampled, Week
from opslab.experiments.plan.sizing import Belief, Means, Shares, Sizing, design_effect
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

_DAY, _MONDAY = datetime.timedelta(days=1), datetime.date(2001, 1, 1)
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
    _refuse(experiment, data)
    planner = _Planner(experiment, read_past(experiment, data, as_of), as_of)
    arm, control = planner.pair
    runs, alpha = experiment.planning.resamples, experiment.design.alpha
    drawn = resample(planner.past.buckets, arm / (arm + control), alpha, runs, seed)
    return replace(planner, resampled=drawn).result(language)


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
    metrics = tuple(
        metric.model_copy(update={"mde": type(metric.mde)(**{metric.mde.kind_and_size[0]: mde})})
        if mde and metric.mde and metric.role == "primary"
        else metric
        for metric in experiment.metrics
    )
    changed = type(experiment.design)(**dict(experiment.design) | design)
    experiment = experiment.model_copy(update={"metrics": metrics, "design": changed})
    asked = {"mde": mde, "units": units, "weeks": weeks, **design}
    given = ", ".join(f"{name} {value:g}" for name, value in asked.items() if value is not None)
    planner = replace(planner, experiment=experiment, given=units, weeks=weeks)
    return replace(
        planner.result(result.language), asked=(Message("plan.asked", {"given": given}),)
    )


def _refuse(experiment: Experiment, data: Any) -> None:
    planning, names = experiment.planning, [metric.name for metric in experiment.metrics]
    problems = [
        experiment.problem(
            "plan.no_such_metric",
            "planning",
            "assumed",
            name,
            name=name,
            near=did_you_mean(name, names),
            names=names,
        )
        for name in planning.assumed
        if name not in names
    ]
    if experiment.weights is None:
        problems.append(experiment.problem("plan.no_weights", "arms"))
    for order, metric in enumerate(experiment.metrics):
        assumed = planning.assumed.get(metric.name)
        place = ("planning", "assumed", metric.name)
        share = metric.scale == "share"
        if (
            assumed is None
            and planning.history is None
            and data is None
            and metric.role != "secondary"
        ):
            problems.append(experiment.problem("plan.no_basis", "metrics", order, name=metric.name))
        elif assumed and share and not 0 < assumed.mean < 1:
            problems.append(experiment.problem("plan.assumed_share", *place, name=metric.name))
        elif assumed and not share and assumed.sd is None:
            problems.append(experiment.problem("plan.assumed_sd", *place, name=metric.name))
    if problems:
        raise SpecError(*problems)


@dataclass(frozen=True)
class _Planner:
    """A spec and what is known, from which a plan follows; ``given`` units, or weeks, if asked."""

    experiment: Experiment
    past: Past
    as_of: datetime.date | None
    resampled: tuple[Resampled, ...] = ()
    given: float | None = None
    weeks: float | None = None

    def result(self, language: Language) -> PlanResult:
        experiment, design = self.experiment, self.experiment.design
        units = self.units and sum(
            ceil(self.units * share - _WHOLE) for share in self.shares.values()
        )
        if design.units is not None and units:
            design = design.model_copy(update={"units": units})
        experiment = experiment.model_copy(update={"design": design})
        fingerprint = experiment.fingerprint
        registered = {"registered": fingerprint, "registered_on": self.as_of}
        days = self.units and self.traffic and self.traffic.days(self.units) + self.tail
        looks, averages = self.first.looks if self.first else None, [None, None]
        if looks and self.units:
            averages = [self.units * average_sample(looks, drift) for drift in self.drifts]
        return PlanResult(
            experiment=experiment.model_copy(update=registered),
            fingerprint=fingerprint,
            metrics=self.metrics,
            weeks=tuple(self._weeks()),
            looks=tuple(self._looks()),
            inflation=inflation(looks, design.power) if looks else None,
            average_units=averages[0],
            average_units_without=averages[1],
            units=units,
            days=days and ceil(days - _WHOLE),
            traffic=tuple(
                {"weekday": weekday, "units": count}
                for weekday, count in enumerate(self.traffic.by_weekday if self.traffic else ())
            ),
            price=tuple(self._price(days)),
            resampled=self.resampled,
            readings=self.past.readings,
            sources=tuple(
                SourceFile(reading.name, reading.sha256, reading.rows)
                for reading in self.past.readings
            ),
            checks=tuple(check for check in self._checks() if check),
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
    def pair(self) -> tuple[float, float]:
        """The shares of all units that this arm and the control get."""
        return self.shares[self.arm], self.shares[self.experiment.arms.control]

    @cached_property
    def traffic(self) -> Traffic | None:
        planning, period, arrivals = (
            self.experiment.planning,
            self.experiment.period,
            self.past.arrivals,
        )
        last = self.as_of or max(arrivals, default=_MONDAY - _DAY)
        start = (period.start if period else None) or last + _DAY
        by_weekday = ((planning.units_per_day or 0.0),) * 7
        if arrivals and planning.history:
            by_weekday = usual(arrivals, planning.history.share)
        return Traffic(by_weekday, start) if any(by_weekday) else None

    def tail_of(self, metric: Metric) -> float:
        """Return the days that a unit's values take to be known."""
        last = metric.window.end if metric.window else self.experiment.design.settled
        return (last or 0 * _DAY) / _DAY

    @cached_property
    def tail(self) -> float:
        return max(map(self.tail_of, self.experiment.metrics))

    @cached_property
    def known(self) -> dict[str, Known]:
        """What is known of each metric, from the history or as assumed."""
        known = dict(self.past.known)
        for metric in self.experiment.metrics:
            assumed = self.experiment.planning.assumed.get(metric.name)
            if assumed is None:
                known.setdefault(metric.name, Known(reason="no_basis_secondary"))
                continue
            mean, correlation = assumed.mean, assumed.correlation
            deviation = assumed.sd or sqrt(mean * (1 - mean))
            effect = design_effect(assumed.rows, assumed.icc, assumed.variation)
            raw = deviation * sqrt(effect / assumed.rows)
            clustered = (assumed.icc, assumed.rows) if assumed.rows > 1 else (None, None)
            left = raw * sqrt(1 - correlation**2)
            known[metric.name] = Known(mean, left, raw, correlation or None, *clustered)
        return known

    @cached_property
    def sizings(self) -> dict[str, Sizing]:
        """The sizing of each metric of which enough is known."""
        return {
            metric.name: self._sizing(metric, self._boundaries(self._alpha(metric)))
            for metric in self.experiment.metrics
            if not self.known[metric.name].reason
        }

    def _alpha(self, metric: Metric) -> float:
        """Return the error rate of a comparison: Holm's in the worst case."""
        primaries = sum(other.role == "primary" for other in self.experiment.metrics)
        family = primaries * (len(self.shares) - 1) if metric.role == "primary" else 1
        return self.experiment.design.alpha / family

    def _sizing(self, metric: Metric, looks: Boundaries | None) -> Sizing:
        known, design = self.known[metric.name], self.experiment.design
        weights = self.pair
        better = 1 if metric.goal == "increase" else -1
        kind = metric.margin.kind_and_size[0] if metric.margin else ""
        baseline, deviation, raw = (
            known.baseline or 0.0,
            known.deviation or 0.0,
            known.raw_deviation,
        )
        assumed, belief = self.experiment.planning.assumed.get(metric.name), None
        rows = metric.per == "row" or (assumed and assumed.rows > 1)
        estimate: Means | Shares
        if metric.scale == "share" and not rows:
            estimate = Shares(baseline, weights, better, kind, deviation / (raw or deviation))
        else:
            margin = better * baseline if kind == "relative" else None
            estimate = Means(deviation, weights, raw, margin, exact=not metric.ranked)
        if design.prior and design.loss and not kind:
            prior, unit = design.prior, abs(baseline) if design.prior.scale == "relative" else 1.0
            belief = Belief(better * prior.mean * unit, prior.sd * unit, design.loss * unit)
        return Sizing(estimate, self._alpha(metric), design.power, looks, belief)

    def _boundaries(self, alpha: float) -> Boundaries | None:
        """Return the bounds of the planned looks."""
        design = self.experiment.design
        if design.method == "group_sequential":
            spending, futility = design.spending, design.futility
            own = (spending.family, spending.exponent) if spending else ("obrien_fleming", None)
            hopeless = (futility.family, futility.exponent) if futility else None
            return boundaries(
                self.shares_of_looks,
                alpha,
                *own,
                final=True,
                futility=hopeless,
                power=design.power if hopeless else None,
            )
        if design.method != "always_valid":
            return None
        shares = self.shares_of_looks
        bounds = tuple(multiplier(share * 1e9, 1e9, alpha) for share in shares)
        return Boundaries(shares, bounds, (None,) * len(shares), (alpha,) * len(shares))

    @cached_property
    def shares_of_looks(self) -> tuple[float, ...]:
        """The share of the planned units at each look."""
        looks, traffic = self.experiment.design.looks, self.traffic
        if isinstance(looks, tuple) and traffic:
            days = [(day - traffic.start) / _DAY + 1 - self.tail for day in looks]
            units = [traffic.units(day) for day in days]
            if units[0] <= 0:
                raise SpecError(self.experiment.problem("plan.look_too_early", "design", "looks"))
            return tuple(known / units[-1] for known in units)
        count = len(looks) if isinstance(looks, tuple) else looks or self._daily
        return tuple((look + 1) / count for look in range(count))

    @cached_property
    def _daily(self) -> int:
        """The looks of an always-valid design: one a day, for as long as it may take."""
        if self.traffic is None:
            return _MOST_LOOKS
        needs = [
            self._sizing(metric, None).units(size) * _LONGER
            for metric in self.experiment.metrics
            if metric.role == "primary" and (size := self.size(metric))
        ]
        return min(max(ceil(self.traffic.days(max(needs, default=0.0))), 2), _MOST_LOOKS)

    def size(self, metric: Metric) -> float | None:
        """Return the effect to be found, or the margin to be kept, in the metric's unit."""
        amount, known = metric.margin or metric.mde, self.known[metric.name]
        if amount is None or known.baseline is None or known.reason:
            return None
        kind, size = amount.kind_and_size
        return size * (abs(known.baseline) if kind == "relative" else 1.0) or None

    @cached_property
    def needs(self) -> dict[str, float]:
        """Units that each metric's effect asks for, over all arms."""
        needs = {}
        for metric in self.experiment.metrics:
            size, sizing = self.size(metric), self.sizings.get(metric.name)
            if sizing and size and size <= sizing.estimate.largest:
                units = sizing.units(size)
                needs |= {} if isinf(units) else {metric.name: units}
        return needs

    @cached_property
    def units(self) -> float | None:
        """Planned units over all arms: as asked for, or what the most demanding metric needs."""
        if self.weeks is not None and self.traffic:
            return self.traffic.units(7 * self.weeks - self.tail)
        decide = [
            self.needs[metric.name]
            for metric in self.experiment.metrics
            if metric.name in self.needs and metric.role != "secondary"
        ]
        return self.given or max(decide, default=None)

    @cached_property
    def first(self) -> Sizing | None:
        """The sizing of the first primary metric."""
        name = next(known.name for known in self.experiment.metrics if known.role == "primary")
        return self.sizings.get(name)

    @property
    def drifts(self) -> tuple[float, float]:
        """Expected z of the first primary metric with the planned units: for its mde, and for none."""
        metric = next(known for known in self.experiment.metrics if known.role == "primary")
        size, first = self.size(metric), self.first
        known = first and self.units and size
        return (first.drift_at(self.units, size) if known else 0.0), 0.0

    @cached_property
    def metrics(self) -> tuple[MetricPlan, ...]:
        return tuple(map(self._metric, self.experiment.metrics))

    def _metric(self, metric: Metric) -> MetricPlan:
        known, sizing, size = (
            self.known[metric.name],
            self.sizings.get(metric.name),
            self.size(metric),
        )
        amount, needs, reason = (
            metric.margin or metric.mde,
            self.needs.get(metric.name),
            known.reason,
        )
        if not reason and needs is None:
            reason = "beyond" if size else "no_baseline" if amount else "no_effect"
        numbers = {name: value for name, value in vars(known).items() if name != "reason"}
        return MetricPlan(
            metric.name,
            metric.role,
            metric.type,
            metric.goal,
            self.arm,
            self.experiment.arms.control,
            "assumed" if metric.name in self.experiment.planning.assumed else "history",
            self._alpha(metric),
            **numbers,
            effect=amount.kind_and_size if amount else None,
            difference=size,
            units=needs,
            days=self.traffic.days(needs) + self.tail_of(metric)
            if needs and self.traffic
            else None,
            mde=sizing.difference(self.units) if sizing and self.units else None,
            power=sizing.power(self.units, size)
            if sizing and self.units and needs and size
            else None,
            not_plannable=Message(f"plan.{reason}", {"metric": metric.name}) if reason else None,
        )

    def _weeks(self) -> Iterator[Week]:
        for week in range(1, self.experiment.planning.weeks + 1) if self.traffic else ():
            mde, power = dict[str, float | None](), dict[str, float | None]()
            for metric in self.experiment.metrics:
                sizing = self.sizings.get(metric.name)
                units = self.traffic.units(7 * week - self.tail_of(metric))
                mde[metric.name] = power[metric.name] = None
                if sizing and units >= sizing.fewest:
                    mde[metric.name] = sizing.difference(units)
                    if metric.name in self.needs:
                        power[metric.name] = sizing.power(units, self.size(metric) or 0.0)
            yield Week(week, int(self.traffic.units(7 * week)), mde, power)

    def _looks(self) -> Iterator[PlannedLook]:
        sizing, units = self.first, self.units
        if sizing is None or sizing.looks is None or units is None:
            return
        looks = sizing.looks
        stops, without = (
            accumulate(map(sum, zip(*crossing(looks, drift), strict=True))) for drift in self.drifts
        )
        for order, share in enumerate(looks.information):
            day = None
            if self.traffic:
                days = ceil(self.traffic.days(units * share) + self.tail - _WHOLE)
                day = self.traffic.start + (days - 1) * _DAY
            yield PlannedLook(
                order + 1,
                day,
                share,
                ceil(units * share - _WHOLE),
                looks.efficacy[order],
                looks.futility[order],
                2 * float(ndtr(-looks.efficacy[order])),
                looks.spent[order],
                next(stops),
                next(without),
            )

    def _price(self, days: float | None) -> Iterator[dict[str, Any]]:
        design, weeks = self.experiment.design, self.experiment.planning.weeks
        looks = ceil((days or 7 * weeks) / 7 - _WHOLE)
        for count in range(2, min(max(looks, 5), 26) + 1) if design.method == "fixed" else ():
            rate = false_positive_rate(range(1, count + 1), design.alpha)
            yield {"looks": count, "rate": rate}

    def _checks(self) -> Iterator[Check | None]:
        experiment, traffic, period = self.experiment, self.traffic, self.experiment.period
        known, paced = bool(self.past.known), traffic is not None
        yield from check_history(self.past.arrivals, self.as_of, known=known, paced=paced)
        yield check_effects(experiment.metrics)
        yield check_error_rate(self.resampled)
        weakest = None
        if traffic and period and period.end:
            units = traffic.units((period.end - traffic.start).days + 1)
            powers = [
                (self.sizings[metric.name].power(units, self.size(metric) or 0.0), metric.name)
                for metric in experiment.metrics
                if metric.name in self.needs and metric.role != "secondary"
            ]
            weakest = min(powers, default=None)
        yield from check_period(period, weakest, experiment.design.power)
