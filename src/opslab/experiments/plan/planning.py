"""From a spec with its planning to a plan: units, days, looks, weeks, and the registered spec."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, prod, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from opslab.errors import SpecError
from opslab.evidence import SourceFile
from opslab.experiments.design import Design, Spending
from opslab.experiments.metrics import Metric
from opslab.experiments.plan.checks import checks_of
from opslab.experiments.plan.history import Known, Past, read_past
from opslab.experiments.plan.resampling import resample
from opslab.experiments.plan.result import MetricPlan, PlannedLook, PlanResult, Resampled, Week
from opslab.experiments.plan.sizing import MOST, Belief, Means, Shares, Sizing
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
from opslab.results import Message

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
    (_, (arm, control)), runs = planner.pair, experiment.planning.resamples
    drawn = resample(past.buckets, arm / (arm + control), experiment.design.alpha, runs, seed)
    kept = past._replace(buckets={})  # for what is asked further
    return replace(planner, past=kept, resampled=drawn).result(language)


def what_if(result: PlanResult, **changes: float) -> PlanResult:
    """Return the plan with another mde of the primary metrics, alpha, power, or so many units."""
    planner, design = result.source, dict(changes)
    mde, units, weeks = (design.pop(name, None) for name in ("mde", "units", "weeks"))
    experiment, metrics = planner.experiment, []
    for metric in experiment.metrics:
        changed = mde is not None and metric.mde and metric.role == "primary"
        own = {"mde": {metric.mde.kind_and_size[0]: mde}} if changed else {}
        metrics.append(dict(metric) | own)
    asked = experiment.changed(metrics=metrics, design=dict(experiment.design) | design)
    if weeks is not None and planner.traffic:
        units = planner.traffic.units(_WEEK * weeks - planner.tail)
    answer = replace(planner, experiment=asked, given=units).result(result.language)
    given = ", ".join(f"{name} {value:g}" for name, value in changes.items())
    return replace(answer, asked=(Message("plan.asked", {"given": given}),))  # type: ignore[no-any-return]


class _Part(NamedTuple):
    """What of a plan is one metric's: its numbers, and how it is tested if it can be planned."""

    plan: MetricPlan
    sizing: Sizing | None

    def smallest(self, units: float | None) -> float | None:
        """Return the smallest difference that so many units find."""
        return self.sizing.difference(units) if self.sizing and units else None

    def power(self, units: float | None) -> float | None:
        """Return the power of so many units for its effect."""
        if not (self.sizing and self.plan.units and units and units >= self.sizing.fewest):
            return None
        return self.sizing.power(units, self.plan.difference or 0.0)


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
        design, units, days = experiment.design, None, None
        if needs:
            units = sum(ceil(needs * share - _WHOLE) for share in self.shares.values())
            days = ceil(traffic.days(needs) + self.tail - _WHOLE) if traffic else None
        if design.units is not None and units:
            design = design.model_copy(update={"units": units})
        experiment = experiment.model_copy(update={"design": design, "registered_on": self.as_of})
        fingerprint, readings = experiment.fingerprint, self.past.readings
        longest = max(experiment.planning.weeks, 5) if design.method == "fixed" else 0
        result = PlanResult(
            experiment=experiment.model_copy(update={"registered": fingerprint}),
            fingerprint=fingerprint,
            metrics=tuple(map(self._metric, self.parts)),
            weeks=tuple(self._weeks()),
            **self._sequence(),
            units=units,
            days=days,
            traffic=traffic.by_weekday if traffic else (),
            price=tuple(
                {"looks": looks, "rate": false_positive_rate(range(1, looks + 1), design.alpha)}
                for looks in range(2, longest + 1)
            ),
            resampled=self.resampled,
            readings=readings,
            sources=tuple(SourceFile(file.name, file.sha256, file.rows) for file in readings),
            checks=(),
            as_of=self.as_of,
            language=language,
            source=self,
        )
        powers, period = dict[str, float](), experiment.period
        if traffic and period and period.end:
            end = traffic.units((period.end - traffic.start) / _DAY + 1)
            powers = {part.plan.metric: part.power(end) or 0.0 for part in self._deciding}
        return replace(result, checks=tuple(checks_of(result, self.past, powers)))

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of all units that each arm gets."""
        weights = self.experiment.weights or {}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    @cached_property
    def pair(self) -> tuple[str, tuple[float, float]]:
        """The arm that needs most units, the smallest; the shares that it and the control get."""
        arms = dict(self.shares)
        control = arms.pop(self.experiment.arms.control)
        arm = min(arms, key=arms.__getitem__)
        return arm, (arms[arm], control)

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
    def tails(self) -> dict[str, float]:
        """By metric the days that a unit's values take to be known."""
        settled = self.experiment.design.settled or 0 * _DAY
        return {
            metric.name: (metric.window.end if metric.window else settled) / _DAY
            for metric in self.experiment.metrics
        }

    @property
    def tail(self) -> float:
        """The longest of these."""
        return max(self.tails.values())

    @cached_property
    def parts(self) -> tuple[_Part, ...]:
        """What is one metric's, in the spec's order."""
        return tuple(map(self._part, self.experiment.metrics))

    @property
    def _deciding(self) -> list[_Part]:
        """Those that the plan has to have enough units for."""
        return [part for part in self.parts if part.plan.units and part.plan.role != "secondary"]

    def _part(self, metric: Metric) -> _Part:
        design, assumed = self.experiment.design, self.experiment.planning.assumed.get(metric.name)
        known = self.past.known.get(metric.name, Known(reason="no_basis_secondary"))
        known = Known.of(assumed) if assumed else known
        (arm, weights), alpha = self.pair, design.alpha
        if metric.role == "primary":  # Holm's in the worst case
            primaries = sum(other.role == "primary" for other in self.experiment.metrics)
            alpha /= primaries * (len(self.shares) - 1)
        amount, reason = metric.margin or metric.mde, known.reason
        effect = amount.kind_and_size if amount else None
        sizing = size = units = None
        if not reason:
            finer = metric.per == "row" or (assumed is not None and assumed.rows > 1)
            estimate = _estimate(metric, known, weights, finer=finer)
            belief = _belief(design, metric, known.baseline or 0.0)
            sizing = Sizing(estimate, alpha, design.power, self._boundaries(alpha), belief)
            if effect:
                kind, size = effect
                size *= abs(known.baseline or 0.0) if kind == "relative" else 1.0
                units = sizing.units(size) if 0 < size < estimate.largest else None
            if not (units and units < MOST):
                units, reason = None, "beyond" if size else "no_baseline" if effect else "no_effect"
        plan = MetricPlan(
            *(metric.name, metric.role, metric.type, metric.goal, arm),
            "assumed" if assumed else "history",
            alpha,
            *known[:-1],
            effect=effect,
            difference=size or None,
            units=units,
            not_plannable=Message(f"plan.{reason}") if reason else None,
        )
        return _Part(plan, sizing)

    def _boundaries(self, alpha: float) -> Boundaries | None:
        """Return the bounds of a metric at the planned looks."""
        design = self.experiment.design
        if design.method == "always_valid":
            shares, none = self._information, (None,) * len(self._information)
            bounds = tuple(multiplier(share * 1e9, 1e9, alpha) for share in shares)
            return Boundaries(shares, bounds, none, (alpha,) * len(shares))  # whatever their number
        if design.method != "group_sequential":
            return None
        spending, futility = design.spending or Spending(), design.futility
        return boundaries(
            self._information,
            alpha,
            spending.family,
            spending.exponent,
            final=True,
            futility=(futility.family, futility.exponent) if futility else None,
            power=design.power,
        )

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
            longest = _LONGER * (fixed.units or 0.0)
            count = min(max(ceil(self.traffic.days(longest)), 2), _MOST_LOOKS)
            first = (design.smallest or 0) / max(longest * sum(self.pair[1]), 1.0)
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
        return max((part.plan.units or 0.0 for part in self._deciding), default=None)

    def _metric(self, part: _Part) -> MetricPlan:
        needs, traffic = part.plan.units, self.traffic
        return replace(
            part.plan,
            days=traffic.days(needs) + self.tails[part.plan.metric] if needs and traffic else None,
            mde=part.smallest(self.units),
            power=part.power(self.units),
        )

    def _weeks(self) -> Iterator[Week]:
        if (traffic := self.traffic) is None:
            return
        for week in range(1, self.experiment.planning.weeks + 1):
            days = _WEEK * week
            tails = zip(self.tails.items(), self.parts, strict=True)  # of the same metrics
            mde = {name: part.smallest(traffic.units(days - tail)) for (name, tail), part in tails}
            yield Week(week, int(traffic.units(days)), mde)

    def _sequence(self) -> dict[str, Any]:
        """Return the planned looks at the first primary metric, and what they cost."""
        first = next(part for part in self.parts if part.plan.role == "primary")
        sizing, units, traffic = first.sizing, self.units, self.traffic
        if sizing is None or sizing.looks is None or units is None:
            return {}
        looks, size = sizing.looks, first.plan.difference
        drifts = sizing.drift_at(units, size) if size else 0.0, 0.0
        stops = [np.sum(crossing(looks, drift), axis=0).cumsum().tolist() for drift in drifts]
        counts = [units * share - _WHOLE for share in looks.information]
        days: Any = self.experiment.design.looks if self._by_look else [None] * len(counts)
        if traffic and not self._by_look:
            ends = (ceil(traffic.days(count) + self.tail) - 1 for count in counts)
            days = [traffic.start + end * _DAY for end in ends]
        levels = (2 * ndtr(-np.array(looks.efficacy))).tolist()
        numbers, whole = range(1, len(counts) + 1), map(ceil, counts)
        bounds = (looks.efficacy, looks.futility, levels, looks.spent)
        rows = zip(numbers, days, looks.information, whole, *bounds, *stops, strict=True)
        averages = [units * average_sample(looks, drift) for drift in drifts]
        return {
            "looks": tuple(PlannedLook(*row) for row in rows),
            "inflation": inflation(looks, self.experiment.design.power),
            "average_units": averages[0],
            "average_units_without": averages[1],
        }


def _estimate(
    metric: Metric, known: Known, weights: tuple[float, float], *, finer: bool
) -> Means | Shares:
    """Return how a metric's difference is estimated; ``finer``: as a mean over rows of units."""
    better = 1 if metric.goal == "increase" else -1
    kind: Literal["", "absolute", "relative"] = ""
    if metric.margin:
        kind = "relative" if metric.margin.relative else "absolute"
    baseline, deviation, raw = known.baseline or 0.0, known.deviation or 0.0, known.raw_deviation
    if metric.scale == "share" and not finer:
        return Shares(baseline, weights, better, kind, deviation / (raw or deviation))
    margin = better * baseline if kind == "relative" else None
    return Means(deviation, weights, raw, margin, exact=not metric.ranked)


def _belief(design: Design, metric: Metric, baseline: float) -> Belief | None:
    """Return what a Bayesian design ships a metric by; a guardrail keeps its margin instead."""
    prior = design.prior
    if prior is None or design.loss is None or metric.margin:
        return None
    unit = abs(baseline) if prior.scale == "relative" else 1.0
    if prior.beta and metric.scale == "share":  # two shares from it, and their difference
        total, parts = sum(prior.beta), prod(prior.beta)
        return Belief(0.0, sqrt(2 * parts / (total + 1)) / total, design.loss * unit)
    better = 1 if metric.goal == "increase" else -1
    return Belief(better * prior.mean * unit, prior.sd * unit, design.loss * unit)
