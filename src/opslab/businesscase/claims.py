"""What a line counts, and whether two lines of one option count the same thing at one time.

What decides is what is counted (hours of an inventory's task, the margin of a study's metric, a
budget line, a stated quantity), in which population and when. A text in one's own words can say
that two things are the same, and never that they are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import NamedTuple

from opslab.businesscase.declarations import PER_YEAR, Assumption, Claim
from opslab.businesscase.plan import DeclaredLine, Plan
from opslab.businesscase.simulation import Flow, Weights
from opslab.errors import Problem
from opslab.evidence import Evidence
from opslab.messages import LANGUAGES, spoken
from opslab.names import folded, named
from opslab.uncertainty.distributions import quantile

_TIME = re.compile(r"\b(hour|heure|h|hr|minute|min|fte|etp|poste?)s?\b")
_DAYS = re.compile(
    r"(day|jour|journee)s?|((man|person|homme|personne|half|demi|work|working|"
    r"day|jour|week|semaine|month|mois|year|an)s? ?){2,}"
)
"""Units in which people's time is counted; days and person-weeks stand alone, since a day of delay
is nobody's time."""
HOURS = ("hour", "hours", "heure", "heures")
_LISTS = {"hours": "hours", "metric": "metric", "theme": "metric", "budget": "budget"}
_LINE = re.compile(r"\b(budget|line|ligne|account|compte)s?\b")
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
        Of hours the role, and the task unless it is all of them; of a budget line its number first.
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
        return named("".join(self.name)) and (self.thing == "budget" or named(self.of))


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
    if thing == "budget":  # line 6226 is 6226, and holds 6226 agency
        known = _LINE.sub("", folded(what)).split()
        words = sorted(known, key=lambda word: not word.isdigit()) or words
    return Counted(thing or "text", tuple(filter(None, map(folded, words))), folded(of))


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
                    shared.setdefault("claimed_alike", str(own))
            elif own.of == other.of or not (own.of and other.of):
                shared["claimed_twice"] = str(own)
            elif own.thing == "hours":
                shared["claimed_inventories"] = str(own)
    bare = second.ended and not lists[1] and "budget" in lists[0]
    if first.hours and (second.unsaid or bare):
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
            key, month = f"businesscase.{both.key}", plan.finance.month(both.month)
            problem = plan.problem(key, *second.at, what=both.what, month=month, **names)
            pair = {second.name} if both.key == "claimed_unsaid" else {first.name, second.name}
            problems.setdefault(frozenset(pair), problem)
    refused = {name for pair in problems if len(pair) > 1 for name in pair}
    return (known for pair, known in problems.items() if len(pair) > 1 or not pair & refused)


def _gain(line: DeclaredLine, flow: Flow, evidence: Sequence[Evidence]) -> Gain:
    """Return what an option gains by a line; what is paid once counts from then on."""
    plan, own, horizon = line.plan, line.line, line.plan.finance.horizon_months
    stated, worth = plan.assumption(flow.amounts[0]), plan.assumption(getattr(own, "worth", None))
    counts = tuple(_counted(line, stated, evidence))
    hours, unsaid = worth is not None and is_time(worth.per), False
    stop = horizon if flow.once else min(flow.end, horizon)
    if stated:
        stop *= stated.distribution(share=False).mean > 0
        documented = flow.cost and flow.kind == "hard" and stated.grade <= _LOGS
        documented = documented and named(stated.source or stated.file)
        said = documented or any(counted.listed for counted in counts)
        unsaid = not said and (hours or not worth or own.gain != "decisions")
    months = range(max(flow.start, flow.ended or 0, 0), stop)
    apart = named(getattr(own, "apart", None))
    return Gain(own.name, line.at("claim"), months, counts, hours, unsaid, apart, flow.cost)


def _cited(evidence: Evidence) -> Counted:
    return counted(evidence.claim, evidence.id.partition("/")[0])


def _counted(
    line: DeclaredLine, stated: Assumption | None, evidence: Sequence[Evidence]
) -> Iterator[Counted]:
    """Give what a line counts: by its evidence, by what it declares, by its quantity."""
    yield from map(_cited, evidence)
    claim, cash = line.line.claim, getattr(line.line, "cash", None)
    if isinstance(claim, Claim):
        for thing in ("hours", "metric", "budget"):
            if name := getattr(claim, thing):
                yield counted(f"{thing}:{name}", claim.of or "")
    elif claim:
        yield counted(claim)
    if cash:
        yield counted(f"budget:{cash.budget}")
    if stated:
        yield Counted("quantity", (stated.id,))
        for language in LANGUAGES:
            yield Counted("statement", (folded(spoken(stated.statement, language)),))
        yield Counted("range", (_range(line.plan, stated),))


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
    return bool(_TIME.search(unit) or _DAYS.fullmatch(unit))


def unit_of(per: str | None) -> str:
    """Return a unit in the singular, as far as it is told by an s; hours in one language."""
    unit = folded(per or "").removesuffix("s")
    return "hour" if unit in HOURS else unit
