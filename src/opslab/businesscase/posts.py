"""Hard hours: freed hours are cash when a post is given up, or a unit is no longer bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from opslab.businesscase.claims import POST, claimed_role, is_time, unit_of
from opslab.businesscase.declarations import Benefit, Release
from opslab.businesscase.ledger import Known
from opslab.businesscase.options import PostTest
from opslab.businesscase.plan import DeclaredLine, Plan
from opslab.businesscase.quantities import Quantities
from opslab.businesscase.simulation import Flow, share_of, units
from opslab.errors import Problem
from opslab.evidence import Evidence
from opslab.messages import LANGUAGES, spoken
from opslab.names import folded, named, names_somebody, singular
from opslab.uncertainty.distributions import Fixed


def roles_of(line: Benefit, evidence: Sequence[Evidence]) -> set[str]:
    """Return whose hours a line counts, as compared: by its evidence, else as its claim says."""
    roles = [found.population for found in evidence] or [claimed_role(line)]
    return {*filter(None, map(singular, roles))}


def post_test(
    plan: Plan, line: Benefit, flow: Flow, roles: set[str], known: Mapping[str, Known]
) -> PostTest | None:
    """Return the test of a line whose hours are cash as whole posts of one declared team.

    Parameters
    ----------
    plan : Plan
    line : Benefit
    flow : Flow
        The same line, before its release.
    roles : set of str
        Whose hours it counts.
    known : Mapping of str to Known
        The ledger.
    """
    team = next((team for team in plan.teams if {singular(team.role)} == roles), None)
    cash, months = line.cash, plan.finance.horizon_months
    if not (cash and cash.posts and team):
        return None
    means = {name: Fixed(quantity.used.mean) for name, quantity in known.items()}
    value = Quantities(means, lambda _: np.zeros(1))
    schedule = flow.schedule or tuple(filter(None, [flow.adoption]))
    planned = replace(flow, slip=None, schedule=schedule)  # a post waits for a step that is late
    first = max(plan.finance.month_of(cash.date, whole=True), 0)
    share = share_of(planned, value, months)[first : flow.end].min(initial=1) * 12
    freed = (share * units(flow, value)).item()
    given = (cash.posts, cash.budget, cash.holder, cash.date, team.people)
    return PostTest(flow.line, freed, cash.posts * team.hours, *given)


def not_cash(
    at: DeclaredLine, line: Benefit, flow: Flow, roles: set[str], test: PostTest | None
) -> Iterator[Problem]:
    """Tell why hours, or posts told in money, that are called hard are no cash.

    Parameters
    ----------
    at : DeclaredLine
    line : Benefit
    flow : Flow
        The same line, before its release.
    roles : set of str
        Whose hours it counts.
    test : PostTest or None
        Where they are cash as posts.
    """
    cash, hard, plan = line.cash, flow.kind == "hard", at.plan
    worth, quantity = plan.assumption(line.worth), plan.assumption(line.quantity)
    timed = hard and worth and is_time(worth.per)
    said = quantity.statement if hard and line.gain == "time" and quantity else ""
    if timed and cash:
        yield from _unpaid(at, flow, cash, roles, test)
    elif cash:
        yield at.problem("idle_cash", "cash")
    elif timed:
        yield at.problem("no_cash", "kind")
    elif any(POST.search(folded(spoken(said, language))) for language in LANGUAGES):
        yield at.problem("post_money", "quantity", name=line.quantity)


def _unpaid(
    at: DeclaredLine, flow: Flow, cash: Release, roles: set[str], test: PostTest | None
) -> Iterator[Problem]:
    """Tell the first reason why what is said to be released is not."""
    plan, finance, posts = at.plan, at.plan.finance, cash.posts or 0
    unit, worth = unit_of(cash.unit or "hour"), plan.assumption(flow.money[0])
    per = unit_of(worth.per if worth else None)
    starts, ends = map(finance.month, (flow.start, min(flow.end, finance.horizon_months)))
    own = roles.intersection(singular(team.role) for team in plan.teams)
    reasons = {
        "nobody_holds": not (names_somebody(cash.holder) and named(cash.budget)),
        "release_day": not starts <= cash.date < ends,
        "cash_unit": unit != per,
        "whose_hours": not roles or (posts and not test),
        "own_staff": cash.unit and own,
        "too_few_hours": test and (test.freed_hours < test.posts_hours or test.people < posts),
        "part_of_post": any(option.part(flow.line) * posts % 1 for option in plan.options),
    }
    values = {
        "starts": starts,
        "ends": ends,
        "unit": unit,
        "per": per,
        "role": min(own, default=""),
    }
    values |= vars(test) if test else {"holder": cash.holder, "budget": cash.budget}
    for key in [key for key, wrong in reasons.items() if wrong][:1]:
        yield at.problem(key, "cash", **values)
