"""Hard hours: freed hours are cash when a post is given up, or a unit is no longer bought."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opslab.businesscase.claims import is_time, kind_of
from opslab.businesscase.declarations import Assumption, Benefit, Claim, Release, Team
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
    """

    line: str
    freed_hours: float
    posts_hours: float
    posts: int
    budget: str
    holder: str
    date: datetime.date

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


def post_tests(plan: Plan, evidence: Mapping[str, Sequence[Evidence]]) -> tuple[PostTest, ...]:
    """Return the test of each line whose hours are cash as whole posts.

    Parameters
    ----------
    plan : Plan
        For which `not_cash` has nothing to tell.
    evidence : Mapping of line to sequence of Evidence
    """
    tests = []
    for line in plan.benefits:
        own = evidence.get(line.name, ())
        teams = _teams(plan, roles_of(line, own))
        if line.cash and line.cash.posts and teams:
            tests.append(_test(plan, line, line.cash, own, teams[0]))
    return tuple(tests)


def not_cash(plan: Plan, evidence: Mapping[str, Sequence[Evidence]]) -> Iterator[Problem]:
    """Tell what is called hard and is no cash, and owners that are nobody.

    Parameters
    ----------
    plan : Plan
        That holds together otherwise.
    evidence : Mapping of line to sequence of Evidence
        Lines that stand on evidence and have none here are left out.
    """
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
            yield from _released(line, line.line, own, worth)
        elif line.line.cash:
            yield line.problem("idle_cash", "cash")


def _released(
    line: DeclaredLine, benefit: Benefit, own: Sequence[Evidence], worth: Assumption
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
        values = {"starts": starts, "ends": min(ends, plan.finance.end)}
        yield line.problem("release_day", "cash", "date", **values)
    roles = roles_of(benefit, own)
    teams = _teams(plan, roles)
    if not roles:
        yield line.problem("whose_hours", "claim")
    elif cash.unit and _unit(cash.unit) != _unit(worth.per):
        name, per = worth.id, worth.per
        yield line.problem("cash_unit", "cash", "unit", unit=cash.unit, name=name, per=per)
    elif cash.unit and teams:
        yield line.problem("own_staff", "cash", "unit", role=teams[0].role)
    elif cash.posts and _unit(worth.per) != "hour":
        yield line.problem("posts_in_hours", "worth", per=worth.per)
    elif cash.posts and not (teams and len(roles) == 1):
        yield line.problem("posts_team", "cash", "posts", roles=roles)
    elif cash.posts:
        yield from _short(line, benefit, _test(plan, benefit, cash, own, teams[0]), teams[0])


def _short(line: DeclaredLine, benefit: Benefit, test: PostTest, team: Team) -> Iterator[Problem]:
    """Tell posts that hold more hours than are freed, and parts of posts."""
    if test.freed_hours < test.posts_hours:
        values = {"share": test.freed_hours / team.hours, "people": team.people}
        yield line.problem("too_few_hours", "cash", "posts", posts=test.posts, **values)
    for number, option in enumerate(line.plan.options):
        if benefit.name in option.benefits and option.part(benefit.name) * test.posts % 1:
            where = ("options", number, "reach", benefit.name)
            yield line.plan.problem("businesscase.part_of_post", *where, name=benefit.name)


def _test(
    plan: Plan, line: Benefit, cash: Release, own: Sequence[Evidence], team: Team
) -> PostTest:
    stated = plan.assumption(line.quantity)
    hours = stated.distribution(share=False).mean if stated else 0.0
    hours += sum(found.quantity.distribution.mean for found in own)
    used = plan.assumption(line.schedule[-1] if line.schedule else line.adoption)
    adopted = used.distribution(share=True).mean if used else 1.0
    posts = cash.posts or 0
    given = (posts * team.hours, posts, cash.budget, cash.holder, cash.date)
    return PostTest(line.name, hours * adopted, *given)


def roles_of(line: Benefit, own: Sequence[Evidence]) -> list[str]:
    """Return whose hours a line counts."""
    claim = line.claim if isinstance(line.claim, Claim) else None
    stated = [claim.hours.partition("/")[0]] if claim and claim.hours and not own else []
    return [*dict.fromkeys([*stated, *(found.population for found in own)])]


def _teams(plan: Plan, roles: Sequence[str]) -> list[Team]:
    """Return the declared teams among the roles."""
    return [team for team in plan.teams if folded(team.role) in map(folded, roles)]


def _unit(per: str | None) -> str:
    return folded(per or "").removesuffix("s")
