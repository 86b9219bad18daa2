"""From a case to the lines of its cash flow: what makes each, when it starts, who takes part in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from opslab.businesscase.citations import Finding, distribution
from opslab.businesscase.ledger import Known
from opslab.businesscase.references import (
    PER_YEAR,
    claims_of,
    day_of,
    ended,
    gains_of,
    month_of,
    twice,
)
from opslab.businesscase.simulation import ENDED, Flow, Weights
from opslab.businesscase.spec import Assumption, Benefit, Case, Cost, Option
from opslab.errors import InputError, Problem
from opslab.evidence import Benefit as Kind
from opslab.evidence import Evidence
from opslab.uncertainty.distributions import Normal, StudentT
from opslab.uncertainty.ramp import by_month, logistic

_HOURS = "hours"
_WEAR = ("capacity", "quality")
"""Kinds of benefit that wear off unless the case says how fast."""


def flows_of(
    case: Case, found: Sequence[Finding], known: Mapping[str, Known]
) -> tuple[list[Flow], dict[str, float], list[Problem]]:
    """Return the lines, the factor by which each line of value enabled was shrunk, and what cannot be."""
    cited: dict[str, list[Finding]] = {}
    for one in found:
        cited.setdefault(one.cited, []).append(one)
    shrinkage = shrink(
        [one for line in case.benefits for name in line.evidence for one in cited.get(name, ())]
    )
    flows, shrunk, problems = [], {}, []
    for place, line in enumerate(case.benefits):
        own = [one for name in line.evidence for one in cited.get(name, ())]
        told = list(_contradictions(case, line, own, place))
        problems += told
        if not told:
            flow = _benefit(case, line, own, known, shrinkage)
            flows.append(flow)
            if flow.kind == "enabled" and own:
                shrunk[line.name] = shrinkage
    costs = [_cost(case, line) for line in case.costs]
    nothing = next(one for one in case.options if one.kind == "do_nothing")
    pairs = zip(case.costs, costs, strict=True)
    flows += costs + [
        _ended(case, line, flow, known) for line, flow in pairs if line.name in nothing.costs
    ]
    problems += list(_claims(case, cited))
    return flows, shrunk, problems


def weights_of(case: Case) -> tuple[list[Weights], Weights]:
    """Return each option against doing nothing, and doing nothing itself: its costs, below 0."""
    nothing = next(one for one in case.options if one.kind == "do_nothing")
    idle = {name: nothing.reach.get(name, 1.0) for name in nothing.costs}

    def against(option: Option) -> Weights:
        gains = {name: option.reach.get(name, 1.0) for name in option.benefits}
        parts = ended(case, option)
        gains |= {ENDED + name: part for name, part in parts.items() if part > 0}
        return Weights(
            option.name, gains | {name: part for name, part in parts.items() if part < 0}
        )

    options = [against(one) for one in case.options if one.kind != "do_nothing"]
    return options, Weights(nothing.name, {name: -part for name, part in idle.items()})


def shrink(wins: Sequence[Finding]) -> float:
    """Return the factor by which wins are shrunk towards zero: 1 - 1 / mean of z^2, at least 0.

    The posterior mean of effects that are normal about zero, with a variance estimated from the
    wins themselves (Efron and Morris 1973): what was picked because it won is smaller than it
    looks.
    """
    squares = []
    for one in {one.evidence.id: one for one in wins if one.evidence.benefit == "enabled"}.values():
        made = distribution(one.evidence)
        if isinstance(made, Normal | StudentT):
            scale = made.scale if isinstance(made, StudentT) else made.sd
            squares.append((made.mean / scale) ** 2)
    return max(0.0, 1 - 1 / float(np.mean(squares))) if squares and any(squares) else 1.0


def _benefit(
    case: Case, line: Benefit, own: Sequence[Finding], known: Mapping[str, Known], shrinkage: float
) -> Flow:
    by_id = {one.id: one for one in case.assumptions}
    first = own[0].evidence if own else None
    hours = (first.unit if first else by_id[line.quantity or ""].per) in (_HOURS, "hour")
    kind: Kind = line.kind or (first.benefit if first else "capacity")
    per = first.per if first else (by_id[line.quantity or ""].per or "year")
    once = per == "once" and not line.volume
    scale = exchange(case, by_id[line.worth] if line.worth else by_id.get(line.quantity or ""))
    scale *= (
        1.0 if line.volume or not (first or by_id[line.quantity or ""].currency) else PER_YEAR[per]
    )
    if kind == "enabled" and own:
        scale *= shrinkage
    wears = kind in _WEAR and not once
    starts = day_of(case, line.starts, end=True)
    late = known.get(f"slip:{line.starts}")
    months = case.finance.horizon_months
    return Flow(
        name=line.name,
        cost=False,
        kind=kind,
        gain=line.gain,
        counted=kind != "enabled" or line.share is not None,
        amounts=tuple(one.id for one in own) or (line.quantity or "",),
        money=tuple(filter(None, (line.worth, line.volume, line.share))),
        scale=scale,
        start=month_of(case, starts, full=True),
        end=_end(case, line.ends),
        ramp=by_month(partial(logistic, to_90=line.ramp_months), months + 120),
        once=once,
        hours=hours,
        adoption=line.adoption,
        recapture=line.recapture or ("default-recapture" if hours and kind != "hard" else None),
        growth=line.decay or ("default-decay" if wears else None),
        slip=late.entry.id if late else None,
    )


def _ended(case: Case, line: Cost, flow: Flow, known: Mapping[str, Known]) -> Flow:
    """Return a cost of doing nothing as the gain of an option that ends it."""
    late = known.get(f"slip:{line.ended_from}")
    rid = (
        month_of(case, day_of(case, line.ended_from, end=True), full=True) if line.ended_from else 0
    )
    return replace(
        flow, name=ENDED + flow.name, ended=max(rid, 0), slip=late.entry.id if late else None
    )


def _cost(case: Case, line: Cost) -> Flow:
    one = next(other for other in case.assumptions if other.id == line.amount)
    return Flow(
        name=line.name,
        cost=True,
        kind=line.benefit,
        gain=line.gain,
        counted=True,
        amounts=(line.amount,),
        money=(),
        scale=exchange(case, one) * PER_YEAR[one.per or ""],
        start=month_of(case, day_of(case, line.starts, end=False), full=False),
        end=_end(case, line.ends),
        ramp=np.ones(1),
        once=one.per == "once",
        growth=line.trend,
        probability=line.probability,
    )


def exchange(case: Case, one: Assumption | None) -> float:
    """Return what a unit of an assumption's currency is worth in the case's."""
    if one is None or one.currency in (None, case.finance.currency):
        return 1.0
    return next(rate.rate for rate in case.finance.exchange if rate.given == one.currency)


def _end(case: Case, when: str | None) -> int:
    """Return the first month of the horizon that a line is no part of any more."""
    if when is None:
        return case.finance.horizon_months
    return min(
        month_of(case, day_of(case, when, end=True), full=False) + 1, case.finance.horizon_months
    )


def _contradictions(
    case: Case, line: Benefit, own: Sequence[Finding], place: int
) -> Iterator[Problem]:
    """Tell what the evidence of a benefit does not bear."""
    if not own:
        return
    first = own[0].evidence
    for name in ("unit", "per", *([] if line.kind else ["benefit"])):
        other = next(
            (one for one in own if getattr(one.evidence, name) != getattr(first, name)), None
        )
        if other:
            told = {"first": own[0].id, "second": other.id}
            told |= {"a": getattr(first, name), "b": getattr(other.evidence, name)}
            yield case.problem(f"businesscase.mixed_{name}", "benefits", place, "evidence", **told)
            return
    firm = next(
        (one for one in own if line.kind and _firmer(line.kind, one.evidence.benefit)), None
    )
    if firm:
        told = {"kind": str(line.kind), "id": firm.id, "known": firm.evidence.benefit}
        yield case.problem("businesscase.firmer", "benefits", place, "kind", **told)
    yield from _of_worth(case, line, first, place)


def _of_worth(case: Case, line: Benefit, first: Evidence, place: int) -> Iterator[Problem]:
    """Tell what is missing between a finding and money."""
    worth = next((one for one in case.assumptions if one.id == line.worth), None)
    money = first.unit == case.finance.currency
    if worth is None and not money:
        yield case.problem("businesscase.no_worth_given", "benefits", place, unit=first.unit)
    elif worth is not None and (
        money or (first.unit != "share" and _plain(worth.per) != _plain(first.unit))
    ):
        values = {"name": worth.id, "per": worth.per, "unit": first.unit}
        yield case.problem("businesscase.other_unit", "benefits", place, "worth", **values)
    each = first.per == "unit" or (first.unit == "share" and first.per != "year")
    if each != (line.volume is not None):
        key = "no_volume" if each else "idle_volume"
        yield case.problem(
            f"businesscase.{key}", "benefits", place, "volume", population=first.population
        )
    if first.unit == _HOURS and first.per != "year":
        yield case.problem(
            "businesscase.hours_a_year", "benefits", place, "evidence", per=first.per
        )
    if first.unit == _HOURS and line.adoption is None:
        yield case.problem("businesscase.no_adoption", "benefits", place, "adoption")


def _claims(case: Case, cited: Mapping[str, Sequence[Finding]]) -> Iterator[Problem]:
    """Tell claims that two lines of one option make on the same evidence."""
    found = {
        line.name: {one.evidence.claim for name in line.evidence for one in cited.get(name, ())}
        for line in case.benefits
    }
    for place, option in enumerate(case.options):
        names = gains_of(case, option)
        stated = [(name, claims_of(case, name)) for name in names]
        told = list(twice(case, stated, place))
        every = [(name, claims | found.get(name, set())) for name, claims in stated]
        yield from (one for one in twice(case, every, place) if one not in told)
    for place, line in enumerate(case.benefits):
        seen: dict[str, str] = {}
        for one in (one for name in line.evidence for one in cited.get(name, ())):
            if one.evidence.claim in seen:
                values = {
                    "claim": one.evidence.claim,
                    "first": seen[one.evidence.claim],
                    "second": one.id,
                }
                yield case.problem(
                    "businesscase.claimed_twice", "benefits", place, "evidence", **values
                )
            seen[one.evidence.claim] = one.id


def _firmer(kind: Kind, known: Kind) -> bool:
    """Return whether a case calls a benefit harder than its evidence does."""
    order = ("hard", "capacity", "quality", "enabled")
    return order.index(kind) < order.index(known)


def _plain(unit: str | None) -> str:
    return (unit or "").removesuffix("s")


def refuse(problems: Sequence[Problem]) -> None:
    """Raise an `InputError` with everything that was found wrong."""
    if problems:
        raise InputError(*sorted(problems, key=lambda one: one.line or 0))
