"""The decision, by the rule that the spec declared before the data was seen."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from opslab.experiments.basis import Decision
from opslab.experiments.course import LookPath, Posterior
from opslab.experiments.design import Design
from opslab.experiments.designs.looks import most_looks, planned_days
from opslab.experiments.inference.power import units_needed
from opslab.experiments.magnitude import beside_smallest, smallest
from opslab.experiments.metrics import scale_of
from opslab.experiments.result import Comparison, metric_and_arm
from opslab.experiments.spec import Experiment
from opslab.results import Check, Message

_SPLIT = ("sample_ratio", "constant_split")
_LOCATING = ("sample_ratio_days", "sample_ratio_segments")
_AGAINST = {("guardrail", "harmed"), ("primary", "lost")}
_SETTLED = _AGAINST | {("guardrail", "not_estimable")}
_OUT_OF_REACH = 10**12  # units: more than any experiment will see
_MORE = attrgetter("more")


@dataclass(frozen=True)
class Needed:
    """Units over all arms that a comparison asks for, and those there are."""

    units: int
    present: int

    @property
    def more(self) -> int:
        """Units still to be collected."""
        return self.units - self.present


@dataclass(frozen=True)
class Read:
    """What a design reads, in the order of metrics and arms.

    Attributes
    ----------
    comparisons : sequence of Comparison
    paths : tuple of LookPath
    posteriors : tuple of Posterior
    hopeless : frozenset
        Metrics and arms of which nothing more is hoped.
    ended : bool
        Whether the plan has no look left.
    nominal : float or None
        The level at which the first primary metric's last look is read.
    """

    comparisons: Sequence[Comparison]
    paths: tuple[LookPath, ...] = ()
    posteriors: tuple[Posterior, ...] = ()
    hopeless: frozenset[tuple[str, str]] = frozenset()
    ended: bool = False
    nominal: float | None = None


def decide(
    experiment: Experiment,
    checks: Sequence[Check],
    comparisons: Sequence[Comparison],
    deviations: Mapping[tuple[str, str], float],
    weights: Mapping[str, float],
    as_of: datetime.date | None,
    read: Read | None = None,
    units: int = 0,
) -> Decision:
    """Return the decision.

    Nothing is decided on broken data. A fixed design that is read before its end may stop for harm,
    and ships nothing. Where effects cannot be estimated and nothing speaks against an arm, nothing
    can be said.

    Parameters
    ----------
    experiment : Experiment
    checks : sequence of Check
    comparisons : sequence of Comparison
        Judged.
    deviations : mapping
        Pooled standard deviation by metric and arm: for the units that an open question still asks
        for.
    weights : mapping
        Designed weight of each arm.
    as_of : datetime.date or None
    read : Read or None
        By a design that is no fixed one.
    units : int
        So far.
    """
    broken = [check for check in checks if check.blocking and check.status == "fail"]
    if broken:
        where = [
            check
            for check in checks
            if check.name in _LOCATING and check.status != "pass" and check not in broken
        ]
        located = where if any(check.name in _SPLIT for check in broken) else []
        return Decision("stop_broken", None, tuple(check.detail for check in (*broken, *located)))
    deciding = [comparison for comparison in comparisons if comparison.role != "secondary"]
    reasons = tuple(map(reason, deciding))
    arms, left = _by_arm(deciding), _days_left(experiment, as_of)
    if read and experiment.design.method != "fixed":
        return _by_design(experiment, arms, reasons, as_of, read, units)
    if left and not all(map(_against, arms)):
        early = Message("experiments.reason_early", {"days": left})
        return Decision("extend", None, (early, *reasons), None, left)
    passing = [arm for arm in arms if _passes(experiment, arm)]
    if passing:
        return Decision("ship", max(passing, key=_gain)[0].arm, reasons)
    primaries = [comparison for comparison in deciding if comparison.role == "primary"]
    family = sum(comparison.p_value is not None for comparison in primaries)
    sizing = _Sizing(experiment, deviations, weights, family)
    needed = list(filter(None, map(sizing.needs, arms)))
    if needed:
        most = max(needed, key=_MORE)
        reasons += (Message("experiments.reason_extend"),)
        return Decision("extend", None, reasons, most.more, _days(experiment, most))
    if any(_unknown(experiment, arm) for arm in arms):
        return Decision("no_decision", None, reasons)
    unsized = dict.fromkeys(
        known.metric for known in primaries if known.verdict == "open" and known.mde is None
    )
    reasons += tuple(Message("experiments.no_mde", {"metric": name}) for name in unsized)
    return Decision("do_not_ship", None, reasons)


def ends(experiment: Experiment, comparisons: Sequence[Comparison]) -> bool:
    """Whether a look ends a test: an arm may be shipped, or a primary metric lost in each."""
    arms = _by_arm(comparisons)
    lost = [{(known.role, known.verdict) for known in arm} for arm in arms]
    return any(_passes(experiment, arm) for arm in arms) or all(
        ("primary", "lost") in verdicts for verdicts in lost
    )


def _by_arm(comparisons: Sequence[Comparison]) -> list[list[Comparison]]:
    names = dict.fromkeys(known.arm for known in comparisons)
    return [[known for known in comparisons if known.arm == name] for name in names]


def _by_design(
    experiment: Experiment,
    arms: Sequence[Sequence[Comparison]],
    reasons: tuple[Message, ...],
    as_of: datetime.date | None,
    read: Read,
    units: int,
) -> Decision:
    """Return the decision of a design that may be looked at on the way."""
    design, end = experiment.design, experiment.last_day
    passing = [arm for arm in arms if _passes(experiment, arm)]
    over = bool(passing) or all(map(_against, arms))
    reasons = (*_of_design(design, read, as_of, units, over=over), *reasons)
    if passing:
        return Decision("ship", max(passing, key=_gain)[0].arm, reasons)
    if over:
        return Decision("do_not_ship", None, reasons)
    rule = any if experiment.decision.primaries == "all" else all
    hopeless = read.hopeless | {
        (known.metric, known.arm)
        for arm in arms
        for known in arm
        if design.method == "always_valid" and _hopeless(known)
    }
    without_hope = [
        rule((known.metric, known.arm) in hopeless for known in arm if known.role == "primary")
        for arm in arms
    ]
    if all(lost or _against(arm) for lost, arm in zip(without_hope, arms, strict=True)):
        key = f"experiments.reason_hopeless_{design.method}"
        return Decision("do_not_ship", None, (*reasons, Message(key)))
    unknown = any(_unknown(experiment, arm) for arm in arms)
    if unknown and (read.ended or design.method == "bayesian"):
        return Decision("no_decision", None, reasons)
    if read.ended:
        return Decision("do_not_ship", None, (*reasons, Message("experiments.reason_plan_reached")))
    left = (end - as_of).days if end and as_of else 0
    following = [day for day in planned_days(design) if as_of and day > as_of]
    if following and as_of:
        day = following[0]
        reasons += (Message("experiments.reason_next_look", {"day": day}),)
        return Decision("extend", None, reasons, None, (day - as_of).days)
    more = max(design.units - units, 1) if design.units else None
    return Decision("extend", None, reasons, more, left if left > 0 else None)


def _of_design(
    design: Design, read: Read, as_of: datetime.date | None, units: int, *, over: bool
) -> Iterator[Message]:
    """Give what the design says itself: that it stopped the test, or what is believed."""
    if over and design.method == "group_sequential" and not read.ended:
        look = max(len(path.looks) for path in read.paths)
        values = {"look": look, "looks": most_looks(design), "day": as_of}
        yield Message("experiments.reason_stopped", values | {"units": units, "most": design.units})
    for known in read.posteriors:
        beliefs = {name: getattr(known, name) for name in ("metric", "arm", "wins", "loss")}
        beliefs["accepted"] = design.loss
        yield Message(f"experiments.reason_belief_{known.scale}", beliefs)


def reason(comparison: Comparison) -> Message:
    """Return what one comparison says for the decision, in one sentence."""
    values = metric_and_arm(comparison)
    if comparison.not_estimable is not None:
        return Message("experiments.reason_not_estimable", values)
    if comparison.role == "guardrail":
        kind, size = comparison.margin or ("absolute", 0.0)
        if kind == "absolute" and scale_of(comparison.type) == "share":
            kind = "points"
        figures = {"margin": size, "p": comparison.harm_p}
        return Message(f"experiments.reason_{comparison.verdict}_{kind}", values | figures)
    direction = "up" if (comparison.difference or 0) > 0 else "down"
    p_value = comparison.p_value if comparison.p_adjusted is None else comparison.p_adjusted
    return Message(f"experiments.reason_{comparison.verdict}_{direction}", values | {"p": p_value})


def _passes(experiment: Experiment, comparisons: Sequence[Comparison]) -> bool:
    rule = all if experiment.decision.primaries == "all" else any
    won = rule(known.verdict == "won" for known in comparisons if known.role == "primary")
    safe = all(known.verdict == "safe" for known in comparisons if known.role == "guardrail")
    return won and safe and not _against(comparisons)


def _against(comparisons: Sequence[Comparison]) -> bool:
    """Whether an arm does harm: worse on a primary metric, or beyond a guardrail's margin."""
    return any((known.role, known.verdict) in _AGAINST for known in comparisons)


def _unknown(experiment: Experiment, comparisons: Sequence[Comparison]) -> bool:
    """Whether what decides on an arm cannot be estimated, and nothing else speaks against it."""
    ruled_out = experiment.decision.primaries == "all" and any(
        known.verdict == "open" and _hopeless(known) for known in comparisons
    )
    unknown = any(known.verdict == "not_estimable" for known in comparisons)
    return unknown and not ruled_out and not _against(comparisons)


def _gain(comparisons: Sequence[Comparison]) -> float:
    first = next(comparison for comparison in comparisons if comparison.role == "primary")
    gain = first.lift if first.lift is not None else first.difference or 0.0
    return gain if first.goal == "increase" else -gain


@dataclass(frozen=True)
class _Sizing:
    """How many units open questions ask for.

    ``family`` is the number of p-values that Holm adjusts together: each primary is asked for at
    alpha over that number.
    """

    experiment: Experiment
    deviations: Mapping[tuple[str, str], float]
    weights: Mapping[str, float]
    family: int

    def needs(self, comparisons: Sequence[Comparison]) -> Needed | None:
        """Return the units an arm's open questions ask for; None when more would not help."""
        every = self.experiment.decision.primaries == "all"
        verdicts = {(comparison.role, comparison.verdict) for comparison in comparisons}
        settled = _SETTLED | ({("primary", "not_estimable")} if every else set())
        if verdicts & settled:
            return None
        asked = {
            role: [
                self._asked(comparison)
                for comparison in comparisons
                if comparison.role == role and comparison.verdict in ("open", "unproven")
            ]
            for role in ("primary", "guardrail")
        }
        if not every:  # one win will do: the nearest
            short = [needs for needs in asked["primary"] if needs and needs.more > 0]
            won = ("primary", "won") in verdicts
            asked["primary"] = [] if won else [min(short, key=_MORE, default=None)]
        needed = [needs for needs_of_role in asked.values() for needs in needs_of_role]
        if None in needed:
            return None
        return max((needs for needs in needed if needs and needs.more > 0), key=_MORE, default=None)

    def _asked(self, comparison: Comparison) -> Needed | None:
        """Return the units one open question asks for; None when no number would settle it."""
        size, deviation = _size(comparison), self._deviation(comparison)
        if not size or not deviation or _hopeless(comparison):
            return None
        pair = (self.weights[comparison.arm], self.weights[comparison.control])
        design = self.experiment.design
        family = 1 if comparison.role == "guardrail" else self.family
        both = units_needed(deviation, size, design.alpha / family, design.power, pair)
        share = sum(pair) / sum(self.weights.values())
        needs = Needed(math.ceil(both / share), math.ceil(sum(comparison.n) / share))
        return needs if needs.units < _OUT_OF_REACH else None

    def _deviation(self, comparison: Comparison) -> float:
        deviation = self.deviations[comparison.metric, comparison.arm]
        if deviation == 0 and scale_of(comparison.type) == "share":
            # 0 against all: the spread of both arms together.
            share = sum(estimate or 0.0 for estimate in comparison.estimate) / 2
            return math.sqrt(share * (1 - share))
        return deviation


def _size(comparison: Comparison) -> float | None:
    """Return the effect to be found in the metric's unit: the mde, or a guardrail's margin."""
    guardrail = comparison.role == "guardrail"
    return smallest(replace(comparison, mde=comparison.margin) if guardrail else comparison)


def _hopeless(comparison: Comparison) -> bool:
    """Whether the interval already rules out an effect as large as the one worth detecting."""
    return comparison.role == "primary" and beside_smallest(comparison) == "below"


def _days_left(experiment: Experiment, as_of: datetime.date | None) -> int:
    """Return the days until a fixed design ends; 0 once it has, and where no day is given."""
    end = experiment.period.end if experiment.period else None
    return max((end - as_of).days, 0) if end and as_of else 0


def _days(experiment: Experiment, needs: Needed) -> int | None:
    period = experiment.period
    if period is None or period.start is None or period.end is None or needs.present == 0:
        return None
    days = (period.end - period.start).days + 1
    return math.ceil(needs.more * days / needs.present)
