"""Hard hours: freed hours are cash when a post is given up, or a unit is no longer bought."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opslab.businesscase.claims import is_time, kind_of
from opslab.businesscase.declarations import Assumption, Benefit, Claim
from opslab.businesscase.plan import DeclaredLine, Plan
from opslab.errors import Problem
from opslab.evidence import Evidence
from opslab.names import folded, names_somebody


@dataclass(frozen=True)
class PostTest:
    """Whether a line frees the posts that are given up for it.

    Attributes
    ----------
    line : str
    freed_hours : float
        Mean hours a year at full use, by those who use it in the end.
    posts_hours : float
        Contract hours a year of the posts.
    posts : int
    budget, holder : str
        Budget line that falls, and who holds it.
    date : datetime.date
        Day from which it falls.
    people : float
        Of the team.
    """

    line: str
    freed_hours: float
    posts_hours: float
    posts: int
    budget: str
    holder: str
    date: datetime.date
    people: float = math.nan

    @property
    def factor(self) -> float:
        """Part of the freed hours that is cash: those that the posts hold.

        Examples
        --------
        >>> day = datetime.date(2027, 4, 1)
        >>> PostTest("Tags", 2000.0, 1600.0, 1, "6411", "RH", day).factor
        0.8
        """
        return min(1.0, self.posts_hours / (self.freed_hours or math.inf))


def post_tests(plan: Plan, evidence: Mapping[str, Sequence[Evidence]]) -> dict[str, PostTest]:
    """Return the test of each line whose hours are cash as whole posts of a declared team.

    Parameters
    ----------
    plan : Plan
        That holds together otherwise.
    evidence : Mapping of line to sequence of Evidence
    """
    teams = {folded(team.role): team for team in plan.teams}
    tests = {}
    for line in plan.benefits:
        own, cash = evidence.get(line.name, ()), line.cash
        roles = _roles(line, own)
        if cash is None or cash.posts is None or len(roles) != 1 or not roles <= teams.keys():
            continue
        team, used = teams[roles.pop()], line.schedule[-1] if line.schedule else line.adoption
        hours = sum(found.quantity.distribution.mean for found in own)
        hours += _mean(plan, line.quantity, 0.0)
        freed, held = hours * _mean(plan, used, 1.0), cash.posts * team.hours
        given = (cash.posts, cash.budget, cash.holder, cash.date, team.people)
        tests[line.name] = PostTest(line.name, freed, held, *given)
    return tests


def _mean(plan: Plan, name: str | None, missing: float) -> float:
    stated = plan.assumption(name)
    return stated.distribution(share=stated.share).mean if stated else missing


def not_cash(plan: Plan, evidence: Mapping[str, Sequence[Evidence]]) -> Iterator[Problem]:
    """Tell what is called hard and is no cash, and owners that are nobody.

    Parameters
    ----------
    plan : Plan
        That holds together otherwise.
    evidence : Mapping of line to sequence of Evidence
        Lines that stand on evidence and have none here are left out.
    """
    tests = post_tests(plan, evidence)
    for line in plan.lines():
        for name in ("owner", "signed_by"):
            given = getattr(line.line, name, None)
            if given and not names_somebody(given):
                yield line.problem("nobody", name, given=given)
        own = evidence.get(line.line.name, ())
        if not isinstance(line.line, Benefit) or (line.line.evidence and not own):
            continue
        worth = plan.assumption(line.line.worth)
        kinds = {kind_of(line.line, own), *(found.benefit for found in own)}
        if kinds == {"hard"} and worth and is_time(worth.per):
            yield from _released(line, line.line, worth, _roles(line.line, own))
            if test := tests.get(line.line.name):
                yield from _short(line, test)
        elif line.line.cash:
            yield line.problem("idle_cash", "cash")


def _released(
    line: DeclaredLine, benefit: Benefit, worth: Assumption, roles: set[str]
) -> Iterator[Problem]:
    """Tell why hard hours are no cash."""
    plan, cash = line.plan, benefit.cash
    if cash is None:
        yield line.problem("no_cash", "kind")
        return
    if not names_somebody(cash.holder):
        yield line.problem("nobody", "cash", "holder", given=cash.holder)
    starts = plan.day_of(benefit.starts, end=True)
    ends = plan.day_of(benefit.ends, end=True) if benefit.ends else plan.finance.end
    if not starts <= cash.date < min(ends, plan.finance.end):
        yield line.problem("release_day", "cash", "date", starts=starts, ends=ends)
    own = [team.role for team in plan.teams if folded(team.role) in roles]
    unit, per = (folded(name or "").removesuffix("s") for name in (cash.unit or "hour", worth.per))
    if unit != per:
        values = {"unit": unit, "name": worth.id, "per": per}
        yield line.problem("cash_unit", "cash", "unit", **values)
    elif not roles or (cash.posts and not len(roles) == len(own) == 1):
        yield line.problem("whose_hours", "claim", roles=sorted(roles))
    elif cash.unit and own:
        yield line.problem("own_staff", "cash", "unit", role=own[0])


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


def _roles(line: Benefit, own: Sequence[Evidence]) -> set[str]:
    """Return whose hours a line counts: by its evidence, else as it says."""
    claim = line.claim if isinstance(line.claim, Claim) else Claim(budget="-")
    stated = [] if own else [(claim.hours or "").partition("/")[0]]
    return {*filter(None, map(folded, [*stated, *(found.population for found in own)]))}
