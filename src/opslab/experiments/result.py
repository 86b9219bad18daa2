"""What an analysis returns: checks, comparisons, a decision. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from opslab.experiments import basis
from opslab.experiments.course import Effect, Interval, LookPath, Posterior, corrected
from opslab.results import Message

Goal = Literal["increase", "decrease"]
Verdict = Literal["won", "lost", "open", "safe", "harmed", "unproven", "not_estimable"]
Way = Literal["plain", "covariates", "capped", "trimmed", "ranks"]
NO_EFFECT = Effect(None, (None, None), None, (None, None), None)
BESIDE = ("raw", "uncapped", "diluted", "precision")
"""Fields of `Comparison` that hold such effects."""


@dataclass(frozen=True)
class ArmSummary:
    """One arm: its units, and the share that the design gave it."""

    name: str
    units: int
    expected: float


@dataclass(frozen=True)
class Comparison:
    """One metric in one arm against the control.

    Attributes
    ----------
    metric, role, type, goal, arm, control : str
    segment : str or None
    n : tuple of int
        Values used, in the arm and in the control.
    missing : tuple of int
        Empty values, in the arm and in the control.
    estimate : tuple of float or None
        In the arm and in the control.
    difference : float or None
        Arm less control, in the metric's unit.
    difference_interval : tuple
        Unadjusted interval at level 1 - alpha; it inverts the test behind `p_value`.
    lift : float or None
        Difference over the absolute value of the control's estimate.
    lift_interval : tuple
        None on a side that is not bounded.
    p_value : float or None
        Two-sided, of no difference.
    p_adjusted : float or None
        Over the family of the metric's role; None for guardrails, which take no correction.
    standard_error, degrees_of_freedom : float or None
        Of the difference; None where the method has none.
    method : str
        ``welch``, ``score``, ``ratio``, ``cuped``, ``ratio_cuped``, ``quantile`` or ``bayes``;
        ``paired_`` or ``stratified_`` before it within strata, where a plain mean is ``paired`` or
        ``stratified``.
    harm_p : float or None
        For a guardrail: one-sided p of a harm of at least the margin.
    margin, mde : tuple or None
        ``("relative" or "absolute", size)``: for a guardrail the harm that would be accepted, for
        others the smallest effect that is worth detecting.
    verdict : str
        What it says for the decision.
    not_estimable : Message or None
        Why there is no effect to report.
    raw : Effect or None
        With covariates: the effect without them.
    uncapped : Effect or None
        With a cap: the effect without it.
    variance_reduction : float or None
        1 less the adjusted variance of the difference over the raw one.
    diluted : Effect or None
        With a trigger: the effect on all units.
    bounds : tuple
        Of the difference, where empty values were left out: Manski's for proportions, Lee's for
        means; None where they are not computed.
    precision : Effect or None
        Within strata or phases: the effect with each weighed by how precisely it is known.
    notes : tuple of Message
        What a reader has to know about how it was computed.
    """

    metric: str
    role: str
    type: str
    goal: Goal
    arm: str
    control: str
    n: tuple[int, int]
    missing: tuple[int, int]
    estimate: tuple[float | None, float | None] = (None, None)
    segment: str | None = None
    difference: float | None = None
    difference_interval: Interval = (None, None)
    lift: float | None = None
    lift_interval: Interval = (None, None)
    p_value: float | None = None
    p_adjusted: float | None = None
    standard_error: float | None = None
    degrees_of_freedom: float | None = None
    method: str | None = None
    harm_p: float | None = None
    margin: tuple[str, float] | None = None
    mde: tuple[str, float] | None = None
    verdict: Verdict = "not_estimable"
    not_estimable: Message | None = None
    raw: Effect | None = None
    uncapped: Effect | None = None
    variance_reduction: float | None = None
    diluted: Effect | None = None
    bounds: Interval = (None, None)
    precision: Effect | None = None
    notes: tuple[Message, ...] = ()

    @property
    def adjusted(self) -> Comparison:
        """The same with estimates that lie as far apart as the difference says."""
        base = self.estimate[1]
        if self.difference is None or base is None:
            return self
        return replace(self, estimate=(base + self.difference, base))


@dataclass(frozen=True)
class Companion:
    """An effect on a mean or a ratio, computed in another way: it informs and does not decide.

    Attributes
    ----------
    metric, arm : str
    way : str
        ``plain``, with ``covariates``, ``capped`` (the .1 % of units farthest from the metric's
        value over both arms brought as near as the next; of a ratio by its linearised variable),
        ``trimmed`` (without them), or by ``ranks``: then the difference is that between one half
        and the share of pairs of units in which the arm's has more.
    effect : Effect
    """

    metric: str
    arm: str
    way: Way
    effect: Effect


@dataclass(frozen=True)
class Interaction:
    """The test of whether the effect on a metric differs between the levels of a segment column.

    Attributes
    ----------
    metric, role, arm, segment : str
    levels : int
        Segments compared.
    statistic, degrees_of_freedom, p_value, p_adjusted : float or None
        Cochran's Q, adjusted by Holm over the tests of all columns.
    not_estimable : Message or None
        Why there is no test.
    """

    metric: str
    role: str
    arm: str
    segment: str
    levels: int
    statistic: float | None = None
    degrees_of_freedom: int | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    not_estimable: Message | None = None


@dataclass(frozen=True)
class SpanEffect:
    """An effect in one span of time since exposure, with its interval."""

    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Trend:
    """An effect by time since exposure.

    Attributes
    ----------
    metric, arm : str
    days : int
        Length of a span.
    spans : tuple of SpanEffect
        From the start of the metric's window.
    slope : float or None
        Change of the effect from one span to the next.
    p_value : float or None
        Two-sided, of no trend.
    """

    kind: ClassVar = "trend"

    metric: str
    arm: str
    days: int
    spans: tuple[SpanEffect, ...]
    slope: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Calendar:
    """The effect on a metric by day of assignment.

    Attributes
    ----------
    metric, arm : str
    days : int
        Length of a span: 1, or 7 where there are many days.
    starts : tuple of datetime.date
        The first day of each span; with phases a span lies in one of them.
    spans : tuple of SpanEffect
    p_value : float or None
        Cochran's, of the same effect in all spans.
    """

    kind: ClassVar = "days"

    metric: str
    arm: str
    days: int
    starts: tuple[datetime.date, ...]
    spans: tuple[SpanEffect, ...]
    p_value: float | None = None


def metric_and_arm(
    effect: Comparison | Companion | Trend | Calendar | LookPath | Posterior,
) -> dict[str, Any]:
    """Return what an effect is one of, as sentences name it."""
    return {"metric": effect.metric, "arm": effect.arm}


@dataclass(frozen=True, kw_only=True, repr=False)
class ExperimentResult(basis.Explorable):
    """The result of `opslab.experiments.analyze`.

    Attributes
    ----------
    plan : Plan
    arms : tuple of ArmSummary
        In the spec's order, the control among them.
    comparisons : tuple of Comparison
        Metric by metric in the spec's order, each with every arm but the control.
    decision : Decision
    data_used : DataUsed
    segments : tuple of Comparison
        Effects within segments, each with its ``segment``.
    interactions : tuple of Interaction
    trends : tuple of Trend
    companions : tuple of Companion
        Effects on means and ratios in other ways, where they were computed.
    days : tuple of Calendar
        The effect on the first primary metric by day of assignment, for each arm.
    paths : tuple of LookPath
        Of a group sequential or always-valid design: its looks.
    posteriors : tuple of Posterior
        Of a Bayesian design.
    peeking : float or None
        Of a fixed design that was looked at on the way: its true false-positive rate.
    source : Source or None
        What it was made from; a copy that was pickled knows no data but the files of the spec.

    Ask
    ---
    In a cell ``result.checks``, ``effects``, ``segments``, ``trends``, ``data`` and ``method`` show
    themselves; ``result.figures["lift"]`` is a figure, ``result.explain("p_value")`` says in plain
    words what a term means.

    See ``result.units()``, the rows behind it. Ask on with ``result.by("country")``,
    ``result.without(units["revenue"] > 1000)``, ``result.with_metric(name=…, type=…, column=…)``
    and ``result.compare(other)``: each answers with a result, marked as exploratory, that decides
    nothing and is no evidence, and of which more can be asked.

    Take away ``result.frame()``, a row for each metric, arm and segment (``full=True``: with every
    column), ``result.to_csv(path)``, ``result.to_excel(path)``.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "checks": "checks",
        "arms": "arms",
        "design": "",
        "effects": "comparisons",
        "segments": "segments",
        "trends": "trends",
        "data": "",
        "method": "",
    }

    arms: tuple[ArmSummary, ...]
    comparisons: tuple[Comparison, ...]
    segments: tuple[Comparison, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    trends: tuple[Trend, ...] = ()
    companions: tuple[Companion, ...] = ()
    days: tuple[Calendar, ...] = ()
    paths: tuple[LookPath, ...] = ()
    posteriors: tuple[Posterior, ...] = ()
    peeking: float | None = None

    @property
    def corrected(self) -> Mapping[tuple[str, str], datetime.date | None]:
        """Metrics and arms whose effects allow for their looks or a prior, with their last look."""
        return corrected(self.plan.method, self.paths, self.posteriors)

    @property
    def over_time(self) -> tuple[Trend | Calendar, ...]:
        """The effects by time since exposure, and by day of assignment."""
        return (*self.trends, *self.days)
