"""What of a plan is one metric's: what is known of it, how it is tested, what it asks for."""

from __future__ import annotations

from math import prod, sqrt
from typing import Literal, NamedTuple

from opslab.experiments.design import Design
from opslab.experiments.metrics import Metric
from opslab.experiments.plan.history import Known
from opslab.experiments.plan.result import MetricPlan
from opslab.experiments.plan.sizing import Belief, Means, Shares, Sizing


class Part(NamedTuple):
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


def estimate_of(
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


def belief_of(design: Design, metric: Metric, baseline: float) -> Belief | None:
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
