"""What a line counts, and whether two lines of one option count the same thing at one time.

What decides is what is counted (hours of an inventory's task, the margin of a study's metric, a
budget line, a stated quantity), in which population and when. A text in one's own words can say
that two things are the same, and never that they are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from opslab.businesscase.declarations import PER_YEAR, Assumption, Benefit, Claim, Cost, Option
from opslab.businesscase.plan import DeclaredLine, Plan
from opslab.errors import Problem
from opslab.evidence import Benefit as Kind
from opslab.evidence import Evidence
from opslab.messages import LANGUAGES, spoken
from opslab.names import folded
from opslab.uncertainty.distributions import quantile

_TIME = re.compile(r"\b(hour|heure|h|hr|minute|min|fte|etp|poste?)s?\b")
_DAYS = re.compile(r"((day|jour|journee|man|person|homme|personne|work|working|half|demi)s?\b ?)+")
"""Units in which people's time is counted; those of days stand alone: a day of delay is nobody's
time."""
_LISTS = {"hours": "hours", "metric": "metric", "theme": "metric", "budget": "budget"}
_LOGS = "D"  # the worst grade of what rests on documents
_KEYS = ("claimed_twice", "claimed_inventories", "claimed_alike", "claimed_unsaid")
"""What is told of two lines: the first is certain, the others are open questions."""


class Counted(NamedTuple):
    """A thing that a line counts, its words folded.

    Attributes
    ----------
    thing : str
        ``hours``, ``metric``, ``budget``, ``quantity``; ``text``: in one's own words;
        ``statement``, ``range``: what a stated quantity says.
    name : tuple of str
        Of hours the role, and the task unless it is all of them.
    of : str
        The inventory or study; empty where there is none, or nobody says.
    """

    thing: str
    name: tuple[str, ...]
    of: str = ""

    def __str__(self) -> str:
        """Return it as a spec has it."""
        return f"{self.thing}: {'/'.join(self.name)}" + (f", of: {self.of}" if self.of else "")

    @property
    def listed(self) -> bool:
        """Whether it comes from a list, so that another one is another thing."""
        return self.thing == "budget" or bool(self.of)


@dataclass(frozen=True)
class Gain:
    """What an option gains by a line.

    Attributes
    ----------
    name : str
    at : tuple of str or int
        Where it is declared.
    months : range
        Of the horizon, in which it counts.
    counted : tuple of Counted
    hours : bool
        Whether it counts people's time.
    unsaid : bool
        Whether it is stated, and could be hours that another line counts.
    apart : bool
        Whether the analyst says why it is other money than the rest.
    ended : bool
        Whether it is a cost of doing nothing that the option ends.
    """

    name: str
    at: tuple[str | int, ...]
    months: range
    counted: tuple[Counted, ...]
    hours: bool = False
    unsaid: bool = False
    apart: bool = False
    ended: bool = False


class Overlap(NamedTuple):
    """Why two lines cannot both be counted as they stand: message, what they share, from when."""

    key: str
    what: str
    month: int


def counted(claim: str, of: str = "") -> Counted:
    """Return what a claim counts, as evidence writes it: ``hours:role/task``, ``metric:name``.

    Examples
    --------
    >>> counted("hours:Chef de produit/Trier", "desk")
    Counted(thing='hours', name=('chef de produit', 'trier'), of='desk')
    """
    written, _, what = claim.partition(":")
    thing = _LISTS.get(folded(written)) if what else None
    words = what.split("/") if thing == "hours" else [what if thing else claim]
    return Counted(thing or "text", tuple(filter(None, map(folded, words))), folded(of))


def overlap(first: Gain, second: Gain) -> Overlap | None:
    """Return what two lines of one option both count, or might for all that is said of them.

    Examples
    --------
    >>> tag, every = counted("hours:pm/tag", "desk"), counted("hours:pm", "desk")
    >>> overlap(Gain("Tags", (), range(12), (tag,)), Gain("Team", (), range(6, 36), (every,)))
    Overlap(key='claimed_twice', what='hours: pm/tag, of: desk', month=6)
    """
    month = max(first.months.start, second.months.start)
    if month >= min(first.months.stop, second.months.stop):
        return None
    lists = [{own.thing for own in gain.counted if own.listed} for gain in (first, second)]
    weak = {"statement", "range"} | ({"quantity"} if first.ended and second.ended else set())
    shared: dict[str, str] = {}
    for own in first.counted:
        for other in second.counted:
            depth = min(len(own.name), len(other.name))  # a role holds its tasks
            if own.thing != other.thing or own.name[:depth] != other.name[:depth]:
                continue
            if own.thing in weak:
                if not lists[0] & lists[1]:
                    shared["claimed_alike"] = str(own)
            elif own.of == other.of or not (own.of and other.of):
                shared["claimed_twice"] = str(own)
            elif own.thing == "hours":
                shared["claimed_inventories"] = str(own)
    if (first.hours and second.unsaid) or (first.unsaid and second.hours):
        shared["claimed_unsaid"] = ""
    keys = _KEYS[:1] if first.apart or second.apart else _KEYS
    return next((Overlap(key, shared[key], month) for key in keys if key in shared), None)


def claimed_twice(plan: Plan, evidence: Mapping[str, Sequence[Evidence]]) -> Iterator[Problem]:
    """Tell what a line, or two lines of one option, count twice, and what nobody says of them.

    Parameters
    ----------
    plan : Plan
        That holds together otherwise.
    evidence : Mapping of line to sequence of Evidence
        Lines that stand on evidence and have none here are left out.
    """
    problems: dict[tuple[str, ...], Problem] = {}
    for where, gains in _compared(plan, evidence):
        for first, second in combinations(gains, 2):
            both, names, at = overlap(first, second), (first.name, second.name), second.at
            if both is None:
                continue
            values = {"option": where, "what": both.what, "month": plan.finance.month(both.month)}
            alone = both.key == "claimed_unsaid"
            if alone and not (first.hours and second.unsaid):
                names, at = names[::-1], first.at
            values |= {"first": names[0], "second": names[1]}
            problem = plan.problem(f"businesscase.{both.key}", *at, **values)
            problems.setdefault(names[alone:], problem)
    told = {name for names in problems if len(names) > 1 for name in names}
    return (
        problem for names, problem in problems.items() if len(names) > 1 or names[0] not in told
    )


def _compared(
    plan: Plan, evidence: Mapping[str, Sequence[Evidence]]
) -> Iterator[tuple[str, list[Gain]]]:
    """Give what must not overlap: the findings of each line, and what each option gains."""
    lines = list(plan.lines())
    for line in lines:
        apart, at = getattr(line.line, "apart", None) is not None, line.at("evidence")
        found = evidence.get(line.line.name, ())
        parts = [(part.id, counted(part.claim, part.id.partition("/")[0])) for part in found]
        yield line.line.name, [Gain(name, at, range(1), (own,), apart=apart) for name, own in parts]
    for option in plan.proposals:
        taken = [line for line in lines if line.line.name in plan.gains_of(option)]
        every = [_gain(line, option, evidence.get(line.line.name, ())) for line in taken]
        yield option.name, [gain for gain in every if gain]


def _gain(line: DeclaredLine, option: Option, evidence: Sequence[Evidence]) -> Gain | None:
    """Return what an option gains by a line; None where that is nothing, or not counted."""
    plan, own, at = line.plan, line.line, line.at("claim")
    stated = plan.assumption(own.amount if isinstance(own, Cost) else own.quantity)
    part = plan.ended(option)[own.name] if isinstance(own, Cost) else option.part(own.name)
    if part <= 0 or (stated and stated.distribution(share=False).mean == 0):
        return None
    claims = tuple(_claims(plan, own, stated, evidence))
    months = _months(plan, own, option, once=stated is not None and stated.per == "once")
    bare = stated is not None and not any(claim.listed for claim in claims)
    if isinstance(own, Cost):
        documented = own.benefit == "hard" and stated is not None and stated.grade <= _LOGS
        return Gain(own.name, at, months, claims, unsaid=bare and not documented, ended=True)
    if kind_of(own, evidence) in (None, "enabled") and own.share is None:
        return None
    worth = plan.assumption(own.worth)
    hours = worth is not None and is_time(worth.per)
    unsaid = bare and (hours or worth is None or own.gain == "time")
    return Gain(own.name, at, months, claims, hours, unsaid, apart=own.apart is not None)


def kind_of(line: Benefit, evidence: Sequence[Evidence]) -> Kind | None:
    """Return the kind of a benefit; None where only evidence says, and it is not read yet."""
    return line.kind or (evidence[0].benefit if evidence else None)


def _claims(
    plan: Plan, line: Benefit | Cost, stated: Assumption | None, evidence: Sequence[Evidence]
) -> Iterator[Counted]:
    """Give what a line counts: by its evidence, by what it declares, by its quantity."""
    for part in evidence:
        yield counted(part.claim, part.id.partition("/")[0])
    claim = line.claim
    if isinstance(claim, Claim):
        named = {"hours": claim.hours, "metric": claim.metric, "budget": claim.budget}
        yield from (
            counted(f"{thing}:{name}", claim.of or "") for thing, name in named.items() if name
        )
    elif claim:
        yield counted(claim)
    if isinstance(line, Benefit) and line.cash:
        yield counted(f"budget:{line.cash.budget}")
    if stated:
        yield Counted("quantity", (stated.id,))
        for language in LANGUAGES:
            yield Counted("statement", (folded(spoken(stated.statement, language)),))
        yield Counted("range", (_range(plan, stated),))


def _range(plan: Plan, stated: Assumption) -> str:
    """Return mean and middle 90 % a year, money in the case's currency."""
    scale, unit = 1.0, folded(stated.per or "").removesuffix("s")
    if stated.currency:
        scale = plan.finance.exchange_rate(stated.currency) * PER_YEAR[stated.per or ""]
        unit = plan.finance.currency + " once" * (stated.per == "once")
    known = stated.distribution(share=stated.share)
    ends = (known.mean, quantile(known, 0.05), quantile(known, 0.95))
    mean, low, high = (f"{end * scale:.6g}" for end in ends)
    return f"{mean} ({low} - {high}) {unit}"


def _months(plan: Plan, line: Benefit | Cost, option: Option, *, once: bool) -> range:
    """Return the months in which a line counts; what is paid once counts from then on."""
    finance, gained = plan.finance, isinstance(line, Benefit)
    start = finance.month_of(plan.day_of(line.starts, end=gained), whole=gained)
    if isinstance(line, Cost):
        rid = plan.day_of(plan.rid_of(line, option), end=True)
        start = max(start, finance.month_of(rid, whole=True))
    stop = finance.horizon_months
    if line.ends and not once:
        stop = min(stop, finance.month_of(plan.day_of(line.ends, end=True)) + 1)
    return range(max(start, 0), stop)


def is_time(per: str | None) -> bool:
    """Return whether a unit is people's time: hours, minutes, posts, or days alone.

    Examples
    --------
    >>> is_time("product manager hours"), is_time("person-days"), is_time("day of delay")
    (True, True, False)
    """
    unit = folded(per or "")
    return bool(_TIME.search(unit) or _DAYS.fullmatch(unit))
