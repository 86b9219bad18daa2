"""Whether a measured change can be relied on: its design, what else happened, what was logged."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np

from opslab.evidence import Grade
from opslab.results import Check, Message, Status
from opslab.specs import refuse_unknown
from opslab.timesaved.change import differences, few_teams
from opslab.timesaved.change.belief import hope
from opslab.timesaved.change.design import DAYS, left_out, sides
from opslab.timesaved.change.result import ChangeResult
from opslab.uncertainty.distributions import Values, quantile
from opslab.uncertainty.proportions import newcombe, wilson

FEWEST, FEW = 4, 6
"""Teams below which a comparison is a condition on what it says, and below which it is told."""
SHORTEST, SHORT = 3, 8
"""The same of periods before the change."""
ODD = 0.05
"""Share of the rows, above which what is odd with them is a condition on the numbers, and by how
much that of the cancelled may change with the change."""
NEAR = 2
"""Periods around the start in which something else that happened cannot be told from the change."""
CHANCE = 0.05
UNLIKE, _UNLIKE = 1.5, 2.0
"""Times the variance that intervals take for granted, of an effect in noisy teams: told; a
condition."""
CORRELATED = 0.5
"""Correlation of what a series leaves with itself a period before, above which it is told."""
_UNTOLD = {"few_teams", "periods_before", "events", "season"}
_LEAST = 2.5  # assignments: the true one and its mirror image show as much in any case
_SHOWN = 5  # of what is odd
_GRAVE = (
    "log_blank log_cancelled log_doubtful log_empty log_negative log_overlap log_people "
    "log_several log_undated log_unmapped log_unnamed log_unread log_zeros"
)
_LOGGED = (
    "log_absent log_alike log_breaks log_capped log_clock log_cut log_differ log_future log_gaps "
    "log_gone log_late log_long log_running log_short log_twice log_young"
)
_MENDED = "log_alike log_breaks log_cancelled log_cut log_future log_running log_twice log_young"
"""What is told as passed: it is left out or counted once, and no doubt remains."""

Finding = tuple[str, float | None, bool, bool, dict[str, Any]]
"""A check's name, its figure, whether it fails, whether it warns, and what its words name."""


def run(result: ChangeResult, outcome: Values) -> tuple[Check, ...]:
    """Return the checks, the blocking first.

    Teams that were chosen as the worst without anything to compare, teams that moved apart before
    the change, and logarithms of many periods with nothing, block. A condition on the numbers are
    fewer than four teams, fewer than three periods before, something else that happened at the
    start, a series without a season, a lot that does not say so although the interval does, an
    effect that has gone by the end, more than a row in twenty that tells nothing, and tickets that
    are cancelled more or less often with the change. All else is told; of what was logged only what
    is odd.

    Raises
    ------
    SpecError
        For a check that is accepted, or a team of an event, that there is not.
    """
    review, checks = result.review, list[Check]()
    for number, event in enumerate(review.events):
        refuse_unknown(review, event.units, result.panel.units, "events", number, "units")
    findings = [*_of_design(result, outcome), *_of_effect(result), *_of_log(result)]
    known = [*_GRAVE.split(), *_LOGGED.split(), *(at[0] for at in findings)]
    refuse_unknown(review, review.accept, known, "accept")
    for name, value, fails, warns, values in findings:
        status: Status = "fail" if fails else "warn" if warns else "pass"
        detail = Message(f"change.{name}_{values.pop('word', '') or status}", values)
        reason = review.accept.get(name, "")
        blocking = name in ("pilot", "pre_trend", "log_empty") and not reason
        checks.append(Check(name, status, detail, value, blocking, reason))
    return tuple(checks)


def lowered(result: ChangeResult) -> Grade | None:
    """Return the grade that is left: B at best where a check failed that was not accepted.

    D where it says that nobody can tell: too few teams or periods, or two changes or a season.
    """
    failed = result.doubted
    worst: Grade = "D" if _UNTOLD & failed.keys() else "B" if failed else "A"
    return result.grade and max(result.grade, worst)


def _of_design(result: ChangeResult, outcome: Values) -> Iterator[Finding]:
    """Give what the choice of the pilot, the teams, and the periods allow."""
    design, chosen, days = result.design, result.review.pilot.chosen, result.not_estimable
    picked = result.grade is None
    if design == "plan":
        return
    alone = "everybody" if design != "did" and chosen != "worst_first" else chosen
    warns = alone not in ("drawn", "staggered")
    yield "pilot", None, picked, warns, {"word": "" if picked else alone}
    if design == "did":
        p, treated = result.pre_trend, sum(at.effect is not None for at in result.teams)
        first, after = result.panel.first, len(outcome.T) - result.panel.first
        count = int(sides(outcome, np.full(len(outcome), first))[2].sum())
        apart = p is not None and p < CHANCE
        untested = not apart and (p is None or count <= FEW)
        picked_by = apart and chosen == "worst_first" and not result.review.pilot.selected
        word = "unknown" if untested else "picked" if picked_by else ""
        yield "pre_trend", p, apart, untested, {"p": p, "word": word}
        few = count < FEW or treated == 1
        yield "few_teams", count, count < FEWEST, few, {"count": count, "treated": treated}
        unlike = differences.understated(outcome, result.panel.starts)
        yield "noise", unlike, unlike > _UNLIKE, unlike > UNLIKE, {"times": unlike**0.5}
        ends = {"first": days[0], "last": days[-1]} if days else {}
        most = len(days) > after / 2
        yield "no_comparison", len(days), most, bool(days), {"count": len(days)} | ends
    before, _, both = sides(outcome, result.panel.starts)
    fewest = int(before[both & (result.panel.starts < outcome.shape[1])].sum(axis=1).min())
    yield "periods_before", fewest, fewest < SHORTEST, fewest < SHORT, {"count": fewest}
    beside = dict(_beside(result))
    near = [name for name, at_start in beside.items() if at_start]
    yield "events", len(beside), bool(near), bool(beside), {"names": near or [*beside]}
    if line := result.series:
        left = line.autocorrelation
        values = {"correlation": left, "lag": line.lag}
        yield "autocorrelation", left, False, abs(left) > CORRELATED, values
        yield "season", None, not result.review.season, False, {}


def _beside(result: ChangeResult) -> Iterator[tuple[str, bool]]:
    """Give what else happened since shortly before the change, and whether it did at the start.

    In a comparison what touched all teams alike is no matter; what touched some of them is. Without
    one, what touched a team with the change is.
    """
    span = datetime.timedelta(NEAR * DAYS[result.review.measure.period])
    every = {at.team: at.start for at in result.teams}
    for event in result.review.events:
        touched = {*event.units} or {*every}
        starts = [day for unit, day in every.items() if day and unit in touched]
        if touched != {*every} if result.design == "did" else starts:
            starts = starts or [day for day in every.values() if day]
            if event.date >= min(starts) - span:
                yield event.name, any(abs(event.date - day) <= span for day in starts)


def _of_effect(result: ChangeResult) -> Iterator[Finding]:
    """Give whether the effect is told apart from chance and agrees with the hope, and if it could.

    A hope that is smaller than what so many teams and weeks can show is no promise to test.
    """
    apart, hoped = result.apart, result.review.expected
    if result.verdicts and None not in result.effect:
        rare = {at.method: at.p < CHANCE for at in result.verdicts if at.p is not None}
        torn = [name for name in ("permutation", "bootstrap") if rare.get(name, apart) != apart]
        word = "unshown" if torn and not apart else ""
        drawn = result.review.pilot.chosen == "drawn"
        others = any(
            at.method == "permutation" and at.p > max(CHANCE, _LEAST / at.ways)
            for at in result.verdicts
            if at.p is not None and at.ways
        )
        yield "opposed", len(torn), apart and drawn and others, bool(torn), {"word": word}
    if (faded := result.faded) is not None:
        yield "lasting", None, faded, False, {}
    row = result.power
    least = result.smallest or (row and row.smallest)
    if not row and not least:
        yield "promise", None, False, True, {"word": "unknown"}
    elif result.relative:
        share = quantile(hope(result.review), 0.5) if hoped else None
        weak = least is None or (share is not None and share < least)
        said = "never" if least is None else "warn" if weak else "pass" if hoped else "unasked"
        word = f"measured_{said}" if result.smallest else said
        known = (row._asdict() if row else {}) | {"smallest": least, "hoped": share, "word": word}
        yield "promise", least, False, weak, known
    if hoped and result.design != "plan":
        belief = result.belief
        values = {"z": abs(belief.z)} if belief else {"word": "unknown"}
        yield "conflict", belief and belief.z, False, not belief or belief.conflict, values


def _of_log(result: ChangeResult) -> Iterator[Finding]:
    """Give what is odd with what was logged.

    Periods with nothing have no logarithm. Where they are more frequent in one group or on one side
    of the start, what is left out is chosen by the outcome: the share that counts is the largest.
    So it is where tickets are cancelled more or less often with the change: its difference counts.
    """
    rows, panel = sum(at.rows for at in result.readings), result.panel
    late = np.arange(len(panel.periods)) >= panel.first
    parts = (2 * late + (panel.starts < len(late))[:, None]).ravel()
    cells = panel.values.ravel()
    known, empty = (np.bincount(parts, at) for at in (~np.isnan(cells), cells == 0))
    counts = result.design == "its" and result.review.measure.quantity == "count"
    for odd, (count, examples) in sorted(result.panel.odd.items()):
        name, values = f"log_{odd}", {"count": count, "names": [*examples[:_SHOWN]]}
        share = count / rows
        if odd == "empty":
            if counts or not result.relative:
                continue  # nothing is left out
            share = (empty / np.maximum(known, 1)).max()
        elif odd == "cancelled":
            share = cancelled_otherwise(result)
        fails = name in _GRAVE.split() and (share > ODD or odd == "people")
        mended = name in _MENDED.split() and not fails
        yield name, count, fails, not mended, values | {"word": "warn" if mended else ""}


def cancelled_otherwise(result: ChangeResult) -> float:
    """Return by how much the share of cancelled tickets clearly changes with the change, else 0.

    Beside the teams that are compared; without any, beside before. What is left is then chosen by
    its outcome.
    """
    panel = result.panel
    begun = np.isnan(panel.values) & (panel.rows > 0)  # the period in which the change began
    out = left_out(result.review, panel) | begun
    every = np.where(out, 0, panel.cancelled + panel.rows)
    shares = np.ma.divide(panel.cancelled, every).filled(np.nan)  # of none
    if result.design == "did":
        (value,), (error,), freedom = few_teams.changes(differences.simple, shares, panel.starts)
        change = few_teams.interval(value, error, freedom)
    else:
        *halves, both = sides(shares, panel.starts)
        cells = np.array(halves)[:, None] & both[:, None]
        counts = np.sum(cells * [panel.cancelled, every], axis=(2, 3)).astype(int)
        change = newcombe(*(wilson(*half) for half in counts))
    middle, low, high = np.array(change, float)
    return abs(middle) if low * high > 0 else 0.0
