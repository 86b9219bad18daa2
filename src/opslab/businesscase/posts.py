"""Hard hours: freed hours are cash when a post is given up, or a unit is no longer bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from opslab.businesscase.claims import POST, is_time, unit_of
from opslab.businesscase.declarations import Benefit, Claim
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
    stated = line.claim.hours if isinstance(line.claim, Claim) and not evidence else None
    roles = [(stated or "").partition("/")[0], *(found.population for found in evidence)]
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
    cash, plan, hard = line.cash, at.plan, flow.kind == "hard"
    worth, quantity = plan.assumption(line.worth), plan.assumption(line.quantity)
    if not (hard and worth and is_time(worth.per)):
        said = quantity.statement if hard and line.gain == "time" and quantity else ""
        if cash:
            yield at.problem("idle_cash", "cash")
        elif any(POST.search(folded(spoken(said, language))) for language in LANGUAGES):
            yield at.problem("post_money", "quantity")
        return
    if cash is None:
        yield at.problem("no_cash", "kind")
        return
    if not names_somebody(cash.holder):
        yield at.problem("nobody", "cash", "holder", given=cash.holder)
    if not named(cash.budget):
        yield at.problem("nobody", "cash", "budget", given=cash.budget)
    finance = plan.finance
    starts, ends = finance.month(flow.start), finance.month(min(flow.end, finance.horizon_months))
    if not starts <= cash.date < ends:
        yield at.problem("release_day", "cash", "date", starts=starts, ends=ends)
    unit, per = unit_of(cash.unit or "hour"), unit_of(worth.per)
    own = [team.role for team in plan.teams if singular(team.role) in roles]
    if unit != per:
        yield at.problem("cash_unit", "cash", "unit", unit=unit, name=worth.id, per=per)
    elif not roles or (cash.posts and not test):
        yield at.problem("whose_hours", "claim", roles=sorted(roles))
    elif cash.unit and own:
        yield at.problem("own_staff", "cash", "unit", role=own[0])
    elif test:
        yield from _short(at, test)


def _short(line: DeclaredLine, test: PostTest) -> Iterator[Problem]:
    """Tell posts that the hours or the team do not hold, and parts of posts."""
    share = test.freed_hours / test.posts_hours * test.posts
    if min(share, test.people) < test.posts:
        yield line.problem("too_few_hours", "cash", "posts", share=share, **vars(test))
    for number, option in enumerate(line.plan.options):
        if test.line in option.benefits and option.part(test.line) * test.posts % 1:
            where = ("options", number, "reach", test.line)
            yield line.plan.problem("businesscase.part_of_post", *where, name=test.line)
