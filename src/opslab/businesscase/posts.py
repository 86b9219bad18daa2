"""Hard hours: freed hours are cash when a post is given up, or a unit is no longer bought."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from opslab.businesscase.claims import is_time, unit_of
from opslab.businesscase.declarations import Assumption, Benefit, Claim, Release
from opslab.businesscase.ledger import Known
from opslab.businesscase.options import PostTest
from opslab.businesscase.plan import DeclaredLine, Plan
from opslab.businesscase.simulation import Flow
from opslab.errors import Problem
from opslab.evidence import Evidence
from opslab.names import folded, named, names_somebody


def roles_of(line: Benefit, evidence: Sequence[Evidence]) -> set[str]:
    """Return whose hours a line counts, folded: by its evidence, else as its claim says."""
    stated = line.claim.hours if isinstance(line.claim, Claim) and not evidence else None
    roles = [(stated or "").partition("/")[0], *(found.population for found in evidence)]
    return {*filter(None, map(folded, roles))}


def post_test(
    plan: Plan, line: Benefit, flow: Flow, roles: set[str], known: Mapping[str, Known]
) -> PostTest | None:
    """Return the test of a line whose hours are cash as whole posts of one declared team.

    Parameters
    ----------
    plan : Plan
    line : Benefit
    flow : Flow
        The same line.
    roles : set of str
        Whose hours it counts.
    known : Mapping of str to Known
        The ledger.
    """
    team = next((team for team in plan.teams if {folded(team.role)} == roles), None)
    cash = line.cash
    if cash is None or cash.posts is None or team is None:
        return None
    used = flow.schedule[-1:] or filter(None, [flow.adoption])
    freed = sum(known[name].used.mean for name in flow.amounts)
    freed *= math.prod(known[name].used.mean for name in used)
    given = (cash.posts, cash.budget, cash.holder, cash.date, team.people)
    return PostTest(flow.line, freed, cash.posts * team.hours, *given)


def not_cash(
    at: DeclaredLine, line: Benefit, flow: Flow, roles: set[str], test: PostTest | None
) -> Iterator[Problem]:
    """Tell why hours that are called hard are no cash.

    Parameters
    ----------
    at : DeclaredLine
    line : Benefit
    flow : Flow
        The same line.
    roles : set of str
        Whose hours it counts.
    test : PostTest or None
        Where they are cash as posts.
    """
    cash, worth = line.cash, at.plan.assumption(line.worth)
    if flow.kind != "hard" or worth is None or not is_time(worth.per):
        if cash:
            yield at.problem("idle_cash", "cash")
    elif cash is None:
        yield at.problem("no_cash", "kind")
    else:
        yield from _unpaid(at, cash, worth, roles, test)


def _unpaid(
    at: DeclaredLine, cash: Release, worth: Assumption, roles: set[str], test: PostTest | None
) -> Iterator[Problem]:
    """Tell why what is said to be released is not: its day, its unit, whose hours it is."""
    plan = at.plan
    if not names_somebody(cash.holder):
        yield at.problem("nobody", "cash", "holder", given=cash.holder)
    if not named(cash.budget):
        yield at.problem("nobody", "cash", "budget", given=cash.budget)
    starts, end = plan.day_of(at.line.starts, end=True), plan.finance.end
    ends = min(end, plan.day_of(at.line.ends or str(end), end=True))
    if not starts <= cash.date < ends:
        yield at.problem("release_day", "cash", "date", starts=starts, ends=ends)
    own = [team.role for team in plan.teams if folded(team.role) in roles]
    unit, per = unit_of(cash.unit or "hour"), unit_of(worth.per)
    if unit != per:
        values = {"unit": unit, "name": worth.id, "per": per}
        yield at.problem("cash_unit", "cash", "unit", **values)
    elif not roles or (cash.posts and not test):
        yield at.problem("whose_hours", "claim", roles=sorted(roles))
    elif cash.unit and own:
        yield at.problem("own_staff", "cash", "unit", role=own[0])
    elif test:
        yield from _short(at, test)


def _short(line: DeclaredLine, test: PostTest) -> Iterator[Problem]:
    """Tell posts that hold more hours than are freed, and parts of posts."""
    if test.freed_hours < test.posts_hours:
        share = test.freed_hours / test.posts_hours * test.posts
        values = {"share": share, "people": test.people, "posts": test.posts}
        yield line.problem("too_few_hours", "cash", "posts", **values)
    for number, option in enumerate(line.plan.options):
        if test.line in option.benefits and option.part(test.line) * test.posts % 1:
            where = ("options", number, "reach", test.line)
            yield line.plan.problem("businesscase.part_of_post", *where, name=test.line)
