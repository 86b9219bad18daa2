"""From a case to the lines of its cash flow: what makes each, when it starts, who takes part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from opslab.businesscase.citations import Finding
from opslab.businesscase.claims import claimed_twice, is_time, unit_of
from opslab.businesscase.commitments import Risk
from opslab.businesscase.declarations import PER_YEAR, Benefit, Claim, Cost, Option, Release
from opslab.businesscase.ledger import Known, likelihood_id
from opslab.businesscase.options import PostTest
from opslab.businesscase.plan import DeclaredLine
from opslab.businesscase.posts import not_cash, post_test, roles_of
from opslab.businesscase.simulation import ENDED, KINDS, RISK, Flow, Weights
from opslab.businesscase.spec import Case
from opslab.errors import Problem
from opslab.evidence import Benefit as Kind
from opslab.evidence import Evidence
from opslab.uncertainty.distributions import Normal, StudentT
from opslab.uncertainty.ramp import by_month, logistic

_OPEN = 10_000  # months: a line without an end goes on
_WEAR = ("capacity", "quality")
_IN_USE = "practices.evidence_process", "change.evidence_hours"
"""Statements of hours that are saved as things are used today: nothing is to be adopted first."""
"""Kinds of benefit that wear off unless the case says how fast."""


class CashFlow(NamedTuple):
    """The lines of a case.

    Attributes
    ----------
    flows : list of Flow
    shrunk : dict of str to float
        Factor by which each line of value enabled was shrunk.
    problems : list of Problem
        What cannot be.
    posts : list of PostTest
        Of lines whose hours are cash as posts.
    """

    flows: list[Flow]
    shrunk: dict[str, float]
    problems: list[Problem]
    posts: list[PostTest]


def cash_flow(case: Case, findings: Sequence[Finding], known: Mapping[str, Known]) -> CashFlow:
    """Return the lines of a case: benefits, costs, and costs of doing nothing that can be ended."""
    cited = {
        line.name: [one for name in line.evidence for one in findings if one.cited == name]
        for line in case.benefits
    }
    shrinkage = shrink([finding for own in cited.values() for finding in own])
    evidence = {name: [finding.evidence for finding in own] for name, own in cited.items()}
    lines = CashFlow([], {}, [], [])
    for number, line in enumerate(case.benefits):
        own, declared = cited[line.name], DeclaredLine(case, "benefits", number, line)
        problems = list(_contradictions(declared, line, own))
        lines.problems.extend(problems)
        if problems:
            continue
        flow = _benefit(case, line, own, known)
        if flow.kind == "enabled" and own:
            flow = replace(flow, scale=flow.scale * shrinkage)
            lines.shrunk[line.name] = shrinkage
        roles = roles_of(line, evidence[line.name])
        test = post_test(case, line, flow, roles, known)
        lines.problems.extend(not_cash(declared, line, flow, roles, test))
        lines.posts.extend(filter(None, [test]))
        lines.flows.append(_released(case, flow, line.cash, test) if line.cash else flow)
    costs = {cost.name: _cost(case, cost, known) for cost in case.costs}
    ended: dict[str, Flow] = {}
    for cost in case.costs:
        for option in case.proposals if cost.name in case.nothing.costs else ():
            flow = _ended(case, cost, costs[cost.name], case.rid_of(cost, option), known)
            ended[flow.name] = flow
    risks = [_risk(case, number, risk) for number, risk in enumerate(case.risks) if risk.amount]
    lines.flows.extend([*costs.values(), *ended.values(), *risks])
    lines.problems.extend(claimed_twice(case, lines.flows, weights_of(case)[0], evidence))
    return lines


def weights_of(case: Case) -> tuple[list[Weights], Weights]:
    """Return each option against doing nothing, and doing nothing itself: its costs, below 0."""
    declared = {cost.name: cost for cost in case.costs}

    def against(option: Option) -> Weights:
        gains = {name: option.part(name) for name in option.benefits}
        parts = case.ended(option)
        for name, part in parts.items():
            if part > 0:
                gains[ended_name(name, case.rid_of(declared[name], option))] = part
        costs = {name: part for name, part in parts.items() if part < 0}
        risks = {
            RISK + risk.risk: -1.0
            for risk in case.risks
            if risk.amount and option.name in (risk.options or (option.name,))
        }
        return Weights(option.name, gains | costs | risks)

    nothing = case.nothing
    idle = {name: -nothing.part(name) for name in nothing.costs}
    return [*map(against, case.proposals)], Weights(nothing.name, idle)


def ended_name(cost: str, when: str) -> str:
    """Return the name of a cost of doing nothing as the gain of options that end it then."""
    return f"{ENDED}{cost} ({when})"


def shrink(wins: Sequence[Finding]) -> float:
    """Return the factor by which wins are shrunk towards zero: 1 - 1 / mean of z^2, at least 0.

    The posterior mean of effects that are normal about zero, with a variance estimated from the
    wins themselves (Efron and Morris 1973): what was picked because it won is smaller than it
    looks.
    """
    enabled = {win.evidence.id: win.evidence for win in wins if win.evidence.benefit == "enabled"}
    squares = []
    for evidence in enabled.values():
        effect = evidence.quantity.distribution
        if isinstance(effect, Normal | StudentT):
            scale = effect.scale if isinstance(effect, StudentT) else effect.sd
            squares.append((effect.mean / scale) ** 2)
    return max(0.0, 1 - 1 / float(np.mean(squares))) if any(squares) else 1.0


def _benefit(case: Case, line: Benefit, own: Sequence[Finding], known: Mapping[str, Known]) -> Flow:
    first = own[0].evidence if own else None
    quantity, worth = case.assumption(line.quantity), case.assumption(line.worth)
    per = first.per if first else (quantity and quantity.per) or "year"
    hours = unit_of(first.unit if first else per) == "hour"
    timed = hours or (isinstance(line.claim, Claim) and line.claim.hours)
    once = per == "once" and not line.volume
    kind: Kind = line.kind or (first.benefit if first else "capacity")
    priced = worth or quantity
    scale = case.finance.exchange_rate(priced.currency if priced else None)
    if not line.volume and (first or (quantity and quantity.currency)):
        scale *= PER_YEAR[per]
    months = case.finance.horizon_months
    return Flow(
        name=line.name,
        line=line.name,
        cost=False,
        kind=kind,
        gain=line.gain,
        counted=kind != "enabled" or line.share is not None,
        amounts=tuple(finding.id for finding in own) or (line.quantity or "",),
        money=tuple(filter(None, (line.worth, line.volume, line.share))),
        scale=scale,
        start=case.finance.month_of(case.day_of(line.starts, end=True), whole=True),
        end=_end(case, line.ends),
        ramp=by_month(partial(logistic, to_90=line.ramp_months), months + 120),
        once=once,
        hours=hours,
        adoption=line.adoption,
        schedule=line.schedule,
        recapture=line.recapture or ("default-recapture" if timed and kind != "hard" else None),
        growth=line.decay or ("default-decay" if kind in _WEAR and not once else None),
        slip=_slip(line.starts, known),
    )


def _released(case: Case, flow: Flow, cash: Release, test: PostTest | None) -> Flow:
    """Return hard hours as cash from the day of release: whole posts, or units as they are freed.

    A post is given up or not: what it costs is saved whole, without ramp, adoption or decay, and
    never more than that; `test` says that the hours allow it.
    """
    start = case.finance.month_of(cash.date, whole=True)
    if test:
        post = replace(flow, posts=test.posts_hours, start=start, ramp=np.ones(1))
        return replace(post, adoption=None, schedule=(), growth=None)
    return replace(flow, ramp=flow.ramp * (np.arange(len(flow.ramp)) >= start - flow.start))


def _ended(case: Case, line: Cost, flow: Flow, when: str, known: Mapping[str, Known]) -> Flow:
    """Return a cost of doing nothing as the gain of the options that end it at a step or day."""
    rid = case.finance.month_of(case.day_of(when, end=True), whole=True)
    name = ended_name(line.name, when)
    return replace(flow, name=name, ended=max(rid, 0), slip=_slip(when, known))


def _risk(case: Case, number: int, risk: Risk) -> Flow:
    """Return a risk as a cost that comes about or not."""
    start = 0
    if risk.starts:
        start = case.finance.month_of(case.day_of(risk.starts, end=True))
    flow = _cost(case, Cost(name="-", amount=risk.amount or "", starts=str(case.finance.start)), {})
    return replace(
        flow,
        name=RISK + risk.risk,
        line=risk.risk,
        start=start,
        probability=likelihood_id(number),
    )


def _cost(case: Case, line: Cost, known: Mapping[str, Known]) -> Flow:
    paid = next(one for one in case.assumptions if one.id == line.amount)
    return Flow(
        name=line.name,
        line=line.name,
        cost=True,
        kind=line.benefit,
        gain=line.gain,
        counted=True,
        amounts=(line.amount,),
        money=(),
        scale=case.finance.exchange_rate(paid.currency) * PER_YEAR[paid.per or ""],
        start=case.finance.month_of(case.day_of(line.starts, end=False)),
        end=_end(case, line.ends),
        ramp=np.ones(1),
        once=paid.per == "once",
        growth=line.trend,
        probability=line.probability,
        uplift=line.uplift,
        slip=_slip(line.ends, known),
    )


def _slip(when: str | None, known: Mapping[str, Known]) -> str | None:
    """Return the id of the months by which a step may be late, where it may be."""
    name = f"slip:{when}"
    return name if name in known else None


def _end(case: Case, when: str | None) -> int:
    """Return the first month that a line is no part of any more, beyond the horizon if open."""
    last = case.finance.month_of(case.day_of(when, end=True)) + 1 if when else _OPEN
    return last if last < case.finance.horizon_months else _OPEN


def _contradictions(
    declared: DeclaredLine, line: Benefit, own: Sequence[Finding]
) -> Iterator[Problem]:
    """Tell what the evidence of a benefit does not bear."""
    if not own:
        return
    first = own[0].evidence
    for name in ("unit", "per", *([] if line.kind else ["benefit"])):
        known = getattr(first, name)
        other = next((one for one in own if getattr(one.evidence, name) != known), None)
        if other:
            values = {"first": own[0].id, "second": other.id}
            values |= {"a": known, "b": getattr(other.evidence, name)}
            yield declared.problem(f"mixed_{name}", "evidence", **values)
            return
    used = [finding.id for finding in own if _in_use(finding.evidence)]
    full = [finding.id for finding in own if not _in_use(finding.evidence)]
    if used and full and unit_of(first.unit) == "hour":
        yield declared.problem("mixed_use", "evidence", first=used[0], second=full[0])
        return
    for finding in own:
        known = finding.evidence.benefit
        if line.kind and KINDS.index(line.kind) < KINDS.index(known):
            yield declared.problem("firmer", "kind", kind=line.kind, id=finding.id, known=known)
            break
    yield from _of_worth(declared, line, first)


def _of_worth(declared: DeclaredLine, line: Benefit, first: Evidence) -> Iterator[Problem]:
    """Tell what is missing between a finding and money."""
    worth, unit = declared.plan.assumption(line.worth), first.unit
    money, hours = unit == declared.plan.finance.currency, unit_of(unit) == "hour"
    if worth and first.claim.startswith("elapsed:") and is_time(worth.per):
        yield declared.problem("elapsed_wage", "worth", name=worth.id, per=worth.per, unit=unit)
    elif worth is None and not money:
        yield declared.problem("no_worth_given", unit=unit)
    elif worth and (money or (unit != "share" and unit_of(worth.per) != unit_of(unit))):
        yield declared.problem("other_unit", "worth", name=worth.id, per=worth.per, unit=unit)
    each = first.per == "unit" or (unit == "share" and first.per != "year")
    if each != (line.volume is not None):
        key = "no_volume" if each else "idle_volume"
        yield declared.problem(key, "volume", population=first.population)
    if hours and first.per != "year":
        yield declared.problem("hours_a_year", "evidence", per=first.per)
    adopted = "schedule" if line.schedule else "adoption"
    if hours and _in_use(first) and (line.adoption or line.schedule):
        yield declared.problem("adopted_already", adopted, field=adopted)
    elif hours and not _in_use(first) and not (line.adoption or line.schedule):
        yield declared.problem("no_adoption", "adoption")


def _in_use(evidence: Evidence) -> bool:
    """Whether its hours are saved as things are used today, not once everybody uses them."""
    return evidence.statement[0] in _IN_USE
