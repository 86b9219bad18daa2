"""What a line counts, and whether two lines of one option count the same thing at one time.

What decides is what is counted (hours of an inventory's task, the margin of a study's metric, a
budget line, a stated quantity), in which population and when. A text in one's own words can say
that two things are the same, and never that they are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import NamedTuple

from opslab.businesscase.declarations import PER_YEAR, Assumption, Benefit, Claim, Cost
from opslab.businesscase.plan import DeclaredLine, Plan
from opslab.businesscase.simulation import Flow, Weights
from opslab.claims import Counted, budget_words, counted
from opslab.errors import Problem
from opslab.evidence import Evidence
from opslab.messages import LANGUAGES, spoken
from opslab.names import folded, named, singular
from opslab.uncertainty.distributions import quantile

POST = re.compile(r"\b(fte|etp|poste?|headcount|stelle)s?\b")
_TIME = re.compile(r"\b(hour|heure|h|hr|minute|min)s?\b")
_DAYS = re.compile(
    r"(day|jour|journee)s?|((man|person|homme|personne|half|demi|work|working|"
    r"day|jour|week|semaine|month|mois|year|an)s? ?){2,}"
)
"""Units in which people's time is counted; days and person-weeks stand alone, since a day of delay
is nobody's time."""
_BUDGET_LINE = re.compile(r"(budget|line|ligne|account|compte|cent(er|re)).*\d", re.IGNORECASE)
_LOGS = "D"  # the worst grade of what rests on documents
_KEYS = ("claimed_twice", "claimed_inventories", "claimed_alike", "claimed_unsaid")
"""What is told of two lines: the first is certain, the others are open questions."""


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
    bare : bool
        Whether it is a cost that the option ends, and comes from no list.
    """

    name: str
    at: tuple[str | int, ...]
    months: range
    counted: tuple[Counted, ...]
    hours: bool = False
    unsaid: bool = False
    apart: bool = False
    bare: bool = False


class Overlap(NamedTuple):
    """Why two lines cannot both be counted as they stand: message, what they share, from when."""

    key: str
    what: str
    month: int


def overlap(first: Gain, second: Gain) -> Overlap | None:
    """Return what two lines of one option both count, or might for all that is said of them.

    Of the second it is asked whether it is other money than the hours of the first.

    Examples
    --------
    >>> tag, every = counted("hours:pm/tag", "desk"), counted("hours:pm", "desk")
    >>> overlap(Gain("Tags", (), range(12), (tag,)), Gain("Team", (), range(6, 36), (every,)))
    Overlap(key='claimed_twice', what='hours: pm/tag, of: desk', month=6)
    """
    month = max(first.months.start, second.months.start)
    if month >= min(first.months.stop, second.months.stop):
        return None
    shared: dict[str, str] = {}
    for own, other in product(first.counted, second.counted):
        if own.holds(other) or other.holds(own):
            alike = own.thing in ("statement", "range")
            key = "claimed_alike" if alike else "claimed_twice"
            if own.of and other.of and own.of != other.of:
                key = "claimed_inventories" if own.thing == "hours" else ""
            shared.setdefault(key, own.written)
    billed = any(own.thing == "budget" for own in first.counted)
    if first.hours and (second.unsaid or (second.bare and billed)):
        shared["claimed_unsaid"] = ""
    keys = _KEYS[:1] if first.apart or second.apart else _KEYS
    return next((Overlap(key, shared[key], month) for key in keys if key in shared), None)


def claimed_twice(
    plan: Plan,
    flows: Sequence[Flow],
    options: Sequence[Weights],
    evidence: Mapping[str, Sequence[Evidence]],
) -> Iterator[Problem]:
    """Tell what a line, or two lines of one option, count twice, and what nobody says of them.

    Parameters
    ----------
    plan : Plan
    flows : sequence of Flow
        In the order of the plan.
    options : sequence of Weights
    evidence : Mapping of line to sequence of Evidence
    """
    lines = {line.line.name: line for line in plan.lines()}
    gains = [
        (flow, _gain(lines[flow.line], flow, evidence.get(flow.line, ())))
        for flow in flows
        if flow.line in lines
    ]
    pairs = []
    for (flow, first), (other, second) in permutations(gains, 2):
        takers = [way.name for way in options if min(way.counted(flow), way.counted(other)) > 0]
        pairs += [(name, first, second) for name in takers[:1]]
    for flow, gain in gains:
        part = replace(gain, at=lines[flow.line].at("evidence"))
        cited = evidence.get(flow.line, ())
        parts = [replace(part, name=known.id, counted=(_cited(known),)) for known in cited]
        pairs += [(flow.line, *pair) for pair in permutations(parts, 2)]
    problems: dict[frozenset[str], Problem] = {}
    for where, first, second in pairs:
        if both := overlap(first, second):
            names = {"option": where, "first": first.name, "second": second.name}
            values = names | {"what": both.what, "month": plan.finance.month(both.month)}
            pair = {second.name} if both.key == "claimed_unsaid" else {first.name, second.name}
            problem = plan.problem(f"businesscase.{both.key}", *second.at, **values)
            problems.setdefault(frozenset(pair), problem)
    shared = [problem for pair, problem in problems.items() if len(pair) > 1]
    return iter(shared or problems.values())  # what is unsaid is asked where all else is clear


def claimed_role(line: Benefit) -> str:
    """Return the role whose hours a line claims; an empty text where it claims none."""
    return (getattr(line.claim, "hours", None) or "").partition("/")[0]


def budget_of(line: Benefit | Cost) -> str | None:
    """Return the budget line that a line names: under cash, under claim, else with its owner."""
    declared = getattr(line, "cash", None) or line.claim
    budget: str | None = getattr(declared, "budget", None)
    behind = _BUDGET_LINE.search(line.owner or "")
    return budget if named(budget) else behind and behind[0]


def _gain(line: DeclaredLine, flow: Flow, evidence: Sequence[Evidence]) -> Gain:
    """Return what an option gains by a line; what is paid once counts from then on."""
    plan, own, hard = line.plan, line.line, flow.kind == "hard"
    stated, worth = plan.assumption(flow.amounts[0]), plan.assumption(getattr(own, "worth", None))
    counts = tuple(_counted(line, stated, evidence, hard=hard))
    cash = hard or flow.cost  # elsewhere a budget line is but a word
    listed = any(counted.listed and (cash or counted.thing != "budget") for counted in counts)
    hours, unsaid = worth is not None and is_time(worth.per), False
    stop = plan.finance.horizon_months if flow.once else flow.end
    if stated:
        stop *= stated.distribution(share=False).mean > 0
        billed = flow.cost and hard and stated.grade <= _LOGS
        said = listed or (billed and named(stated.source or stated.file))
        unsaid = not said and (hours or not worth or own.gain != "decisions")
    months = range(max(flow.start, flow.ended or 0, 0), stop)
    apart, bare = bool(getattr(own, "apart", None)), flow.cost and not listed
    return Gain(own.name, line.at("claim"), months, counts, hours, unsaid, apart, bare)


def _cited(evidence: Evidence) -> Counted:
    return counted(evidence.claim, evidence.id.partition("/")[0])


def _counted(
    line: DeclaredLine, stated: Assumption | None, evidence: Sequence[Evidence], *, hard: bool
) -> Iterator[Counted]:
    """Give what a line counts: by its evidence, by what it declares, by its quantity."""
    yield from map(_cited, evidence)
    claim, budget = line.line.claim, budget_of(line.line)
    if isinstance(claim, Claim):
        for thing in ("hours", "metric", "budget"):
            if name := getattr(claim, thing):
                yield counted(f"{thing}:{name}", claim.of or "")
    elif claim:
        yield counted(claim)
    if hard and budget:
        yield counted(f"budget:{budget}")
    if stated:
        known = " ".join(filter(str.isdigit, budget_words(budget or ""))) * (stated.grade <= _LOGS)
        said = [("quantity", stated.id, ""), ("range", _range(line.plan, stated), known)]
        texts = [spoken(stated.statement, language) for language in LANGUAGES]
        said += [("statement", singular(text), "") for text in texts]
        for thing, text, of in said:
            yield Counted(thing, frozenset([(0, text)]), of, f"{thing}: {text}")


def _range(plan: Plan, stated: Assumption) -> str:
    """Return the middle 90 % a year, to three digits, money in the case's currency."""
    scale, unit = 1.0, unit_of(stated.per)
    if stated.currency:
        scale = plan.finance.exchange_rate(stated.currency) * PER_YEAR[stated.per or ""]
        unit = plan.finance.currency + " once" * (stated.per == "once")
    known = stated.distribution(share=stated.share)
    ends = (quantile(known, share) * scale for share in (0.05, 0.95))
    low, high = (f"{float(f'{end:.3g}'):.15g}" for end in ends)
    return f"{low} - {high} {unit}"


def is_time(per: str | None) -> bool:
    """Return whether a unit is people's time: hours, minutes, posts, or days alone.

    Examples
    --------
    >>> is_time("product manager hours"), is_time("person-days"), is_time("day of delay")
    (True, True, False)
    """
    unit = folded(per or "")
    return bool(_TIME.search(unit) or POST.search(unit) or _DAYS.fullmatch(unit))


def unit_of(per: str | None) -> str:
    """Return a unit in the singular, to compare it; hours in one language."""
    unit = singular(per or "")
    return "hour" if unit == "heure" else unit
