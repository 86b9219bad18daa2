"""The looks at each comparison of a group sequential or always-valid design, and what they say."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from scipy.special import ndtr, ndtri

from opslab.errors import SpecError
from opslab.experiments.course import Look, LookPath
from opslab.experiments.design import Design, Spending
from opslab.experiments.designs.looks import Days, is_last, most_looks, waiting
from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.comparisons import bare, effect
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.result import Comparison
from opslab.experiments.sequential.boundaries import boundaries
from opslab.experiments.sequential.confidence_sequence import always_valid_p, multiplier
from opslab.experiments.sequential.stopping import after_stopping, repeated_p
from opslab.results import Message

FEWEST, FEWEST_COUNTED = 500, 10
"""Units of a pair, and successes and failures of a proportion in each arm, from which on a
confidence sequence speaks, where the plan says nothing."""
LEAST, _MOST = 1e-12, 1 - 1e-9
"""Nominal levels: the least costs the error rate no more than itself."""
MORE = 1.001  # times the units of the look before: information has to grow
_FARTHEST = 38.0  # standard errors that a double still tells from others
_Known = tuple[datetime.date | None, Grounds, Comparison]


def paths(grounds: Grounds, days: Days) -> list[tuple[Comparison, LookPath]]:
    """Return each comparison as its design reads it at its last look, with the looks before.

    Raises
    ------
    SpecError
        When no unit counted by a look, or the planned ones had been reached before it.
    """
    return [
        _read(grounds, columns, arm, days)
        for columns in grounds.metrics.values()
        for arm in grounds.arms
        if arm != grounds.control
    ]


def _read(
    grounds: Grounds, columns: MetricColumns, arm: str, days: Days
) -> tuple[Comparison, LookPath]:
    """Return one metric in one arm as the design reads it, and the path of its looks."""
    design, planned = grounds.experiment.design, grounds.planned(arm)
    metric, primary = columns.metric, columns.metric.role == "primary"
    group, path = design.method == "group_sequential", LookPath(metric.name, arm, metric.role, ())
    at, notes = _known(grounds, columns, arm, days)
    silent = [_silent(known, design) for *_, known in at]
    if silent[-1]:  # as all before
        return replace(bare(at[-1][2]), not_estimable=silent[-1]), path
    at = at[sum(map(bool, silent)) :]
    units = [sum(known.n) for *_, known in at]
    last = is_last(grounds.experiment, days) or units[-1] >= planned
    scores = [_statistic(known) for *_, known in at]
    scale = planned if primary else max(planned, units[-1])
    shares, alpha = [n / scale for n in units], design.alpha / (grounds.family if primary else 1)
    hopeless: Sequence[float | None] = [None] * len(at)
    if group:
        bounds, hopeless = _bounds(design, shares, alpha, final=last, primary=primary)
    else:
        bounds = tuple(multiplier(n, planned, alpha) for n in units)
    beyond = [n for n, z in enumerate(scores) if abs(z) >= bounds[n]]
    if not group and beyond and beyond[-1] < len(at) - 1:  # not shown any more is not claimed
        notes.append(Message("experiments.look_lapsed", {"day": at[beyond[-1]][0]}))
        beyond = []
    ended: Literal["", "efficacy", "harm", "futility", "last"] = "last" if last else ""
    if primary and beyond:
        crossed = beyond[0] if group else len(at) - 1
        ended = "efficacy" if scores[crossed] > 0 else "harm"
        at = at[: crossed + 1]
    elif primary and not last and scores[-1] < (hopeless[-1] or -math.inf):
        ended = "futility"
    p_values: list[float | None] = [None] * len(at)
    if group:
        whole, spending = last and len(at) == len(shares), design.spending or Spending()
        own = (shares[: len(at)], spending.family, spending.exponent)
        p_values[-1] = repeated_p(scores[len(at) - 1], *own, final=whole)
    else:
        p_values = [*_running(scores, units, planned, alpha)]
    read = [_compared(of[1], columns, arm, nominal(bounds[n])) for n, of in enumerate(at)]
    effects = [replace(effect(of), p_value=p) for of, p in zip(read, p_values, strict=True)]
    efficacy = [bound if math.isfinite(bound) else None for bound in bounds]
    rows = zip(at, shares, scores, efficacy, hopeless, effects, strict=False)
    looks = tuple(Look(day, known.n, *row) for (day, _, known), *row in rows)
    untested = read[-1].p_value is None or metric.role == "guardrail"
    p_value = None if untested else p_values[-1]
    after = replace(read[-1], p_value=p_value, harm_p=None, notes=(*read[-1].notes, *notes))
    if group and primary and ended not in ("", "futility") and after.difference is not None:
        after = _stopped(after, at[-1][1], columns, looks, bounds, alpha)
    return after, replace(path, looks=looks, ended=ended)


def _running(
    scores: Sequence[float], units: Sequence[int], planned: float, alpha: float
) -> Iterator[float]:
    """Give at each look the smallest p-value so far of effects with its sign.

    Where it would claim what the interval of the look does not, the look's own.
    """
    smallest = {True: 1.0, False: 1.0}
    for score, n in zip(scores, units, strict=True):
        p_value = always_valid_p(score, n, planned, alpha)
        least = smallest[score > 0] = min(p_value, smallest[score > 0])
        yield p_value if least <= alpha < p_value else least


def _known(
    grounds: Grounds, columns: MetricColumns, arm: str, days: Days
) -> tuple[list[_Known], list[Message]]:
    """Return what is known at each look that adds units, and notes on the others.

    Refused is a look by which none of a primary metric counted; any other may have to wait longer.
    """
    experiment, primary = grounds.experiment, columns.metric.role == "primary"
    design, wait = experiment.design, waiting(experiment.design, columns.metric)
    most = grounds.planned(arm) if primary and design.method == "group_sequential" else math.inf
    looks, notes, seen = list[_Known](), list[Message](), 0
    for day in days:
        cut = grounds.until(day - wait) if day and grounds.days else grounds
        pair = [cut.arms[name] for name in (arm, grounds.control) if name in cut.arms]
        counted = [moments.cross(columns.joint).n for moments in pair]
        if len(pair) < 2 or min(counted) < 2:  # noqa: PLR2004 - a variance takes two
            if primary:
                raise _refusal(grounds, columns, "look_empty", day)
        elif sum(counted) <= MORE * seen:
            notes.append(Message("experiments.look_merged", {"day": day}))
        elif seen < most:
            looks.append((day, cut, _compared(cut, columns, arm, design.alpha)))
            seen = sum(looks[-1][2].n)
        elif day in experiment.looked:
            raise _refusal(grounds, columns, "look_beyond", day)
        else:  # all planned units were there before: what comes does not count
            break
    none = replace(bare(_compared(grounds, columns, arm, design.alpha)), n=(0, 0))
    return looks or [(days[-1], grounds, none)], notes


def _compared(cut: Grounds, columns: MetricColumns, arm: str, alpha: float) -> Comparison:
    """Return the comparison of the units of a look, its intervals at level 1 - alpha."""
    pair = {name: cut.arms[name] for name in cut.arms if name in (arm, cut.control)}
    return compared(columns, replace(cut.sums(pair, cut.strata), alpha=alpha))[0]


def _refusal(
    grounds: Grounds, columns: MetricColumns, key: str, day: datetime.date | None
) -> SpecError:
    """Return the error of a look, a key without its area."""
    field = ("looked",) if grounds.experiment.looked else ("design", "looks")
    values = {"day": day, "metric": columns.metric.name}
    return SpecError(grounds.experiment.problem(f"experiments.{key}", *field, **values))


def _silent(known: Comparison, design: Design) -> Message | None:
    """Return why a design says nothing yet; None where it speaks."""
    if not any(known.n):
        return Message("experiments.look_none")
    least, sides = design.smallest or FEWEST, zip(known.estimate, known.n, strict=True)
    if design.method == "group_sequential":
        return None
    if sum(known.n) < least:
        return Message("experiments.look_early", {"n": sum(known.n), "count": least})
    counts = [(round((share or 0.0) * n), n) for share, n in sides]
    few = min(min(count, n - count) for count, n in counts)
    if design.smallest or known.type != "proportion" or few >= FEWEST_COUNTED:
        return None
    return Message("experiments.look_rare", {"few": few, "count": FEWEST_COUNTED})


def _bounds(
    design: Design, shares: Sequence[float], alpha: float, *, final: bool, primary: bool
) -> tuple[Sequence[float], Sequence[float | None]]:
    """Return the bounds of a group sequential design at its looks: of efficacy and futility."""
    spending, futility, drift = design.spending or Spending(), None, None
    own = (alpha, spending.family, spending.exponent)
    if design.futility and primary:
        futility, count = (design.futility.family, design.futility.exponent), most_looks(design)
        plan = [look / count for look in range(1, int(count) + 1)]
        drift = boundaries(plan, *own, futility=futility, power=design.power).drift
    more: dict[str, Any] = {"futility": futility, "power": design.power, "drift": drift}
    bounds = boundaries(shares, *own, final=final, **more)
    return bounds.efficacy, bounds.futility


def _stopped(
    known: Comparison,
    cut: Grounds,
    columns: MetricColumns,
    looks: Sequence[Look],
    bounds: Sequence[float],
    alpha: float,
) -> Comparison:
    """Return a comparison with what may be said of it after stopping.

    Ends are in units of z: each is read off the interval that reaches just so far to its side.
    """
    scores, shares = zip(*((look.statistic, look.information) for look in looks), strict=True)
    after = after_stopping(scores, shares, bounds[: len(looks)], alpha)
    sign, roots = (1 if known.goal == "increase" else -1), list[tuple[float | None, ...]]()
    for score in (after.median, *(after.low, after.high)[::sign]):
        reach = sign * (scores[-1] - score)
        ends = _compared(cut, columns, known.arm, nominal(abs(reach)))
        roots.append((ends.difference_interval[reach < 0], ends.lift_interval[reach < 0]))
    (difference, low, high), (lift, lift_low, lift_high) = zip(*roots, strict=True)
    return replace(
        known,
        difference=difference,
        difference_interval=(low, high),
        lift=lift,
        lift_interval=(lift_low, lift_high),
        p_value=after.p_value,
    )


def _statistic(known: Comparison) -> float:
    """Return the normal deviate of a two-sided p-value, signed so that more is better."""
    if known.difference is None or known.p_value is None:
        return 0.0
    sign = math.copysign(1, known.difference) * (1 if known.goal == "increase" else -1)
    return sign * min(-float(ndtri(known.p_value / 2)), _FARTHEST)


def nominal(bound: float) -> float:
    """Return the two-sided level of a look that is read at a bound."""
    return min(max(2 * float(ndtr(-bound)), LEAST), _MOST)
