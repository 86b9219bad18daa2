"""Whether a case can be defended: what a sponsor and a CFO attack first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opslab.businesscase.declarations import Claim
from opslab.businesscase.plausibility import named, not_judged, questions
from opslab.businesscase.result import SAID, CaseResult, Line
from opslab.results import Check, Message, Status

_HALF, _MUCH, _RECAPTURE, _MEASURED = 0.5, 0.1, 0.6, "D"
_AGAIN = 0.05  # one draw in twenty
_SHOWN = 3  # questions of one check
_BUDGET_LINE = re.compile(r"(budget|line|ligne|account|compte|cent(er|re)).*\d", re.IGNORECASE)


Freed = Mapping[str, Mapping[str, float]]
"""Mean hours a year at full use, by role, then by the line that frees them."""


def checks(result: CaseResult, freed: Freed) -> tuple[Check, ...]:
    """Return the checks of what a case comes to: the blocking one, then by how much they matter.

    They look at the lines that count in the recommended option, ended costs among them. Where
    there is nothing to look at, a check says so.
    """
    ledger, best = result.ledger, result.recommended
    lines = [line for line in result.taken if line.counted]
    hours = [line for line in lines if line.unit in ("hour", "hours")]
    promised = [known for known in result.targets if known.before or known.due <= result.as_of]
    owed = [target.kpi.name for target in promised if target.status in ("debt", "dropped")]
    asked = {name: _asked(name, messages) for name, messages in questions(result).items()}
    unknown = not_judged(result.case)
    if unknown and asked["rates"].status == "pass":
        asked["rates"] = _check("rates", False, 0, unknown, names=unknown)
    return (
        *_capacity(result, freed, hours),
        _check("evidence", result.said > _HALF, result.said, not _worth(lines), share=result.said),
        _asked("hard", *_hard(result, lines)),
        *asked.values(),
        _apart(result, lines, hours),
        _recapture(result, lines),
        _unchecked(result, lines),
        _listed(
            "ledger",
            [entry.id for entry in ledger if entry.overdue],
            not any(entry.next_check for entry in ledger),
            "ids",
        ),
        _files(result),
        _check("cash", best.negative_again > _AGAIN, best.negative_again, best.never == 1, share=best.negative_again),
        _listed("debts", owed, not promised),
    )


def _check(name: str, wrong: object, value: float, absent: object = False, **values: Any) -> Check:
    """Return a check; where nothing is wrong since there is nothing, it says so."""
    status: Status = "warn" if wrong else "pass"
    key = "none" if absent and not wrong else status
    return Check(name, status, Message(f"businesscase.{name}_{key}", values), value)


def _listed(name: str, wrong: Sequence[str], absent: object, what: str = "names", **values: Any) -> Check:
    """Return a check that names what is not as it should be."""
    return _check(name, wrong, len(wrong), absent, **{what: [*wrong]}, **values)


def _asked(name: str, messages: Sequence[Message], absent: object = False) -> Check:
    """Return a check that asks questions, the first of them in full."""
    more = len(messages) - _SHOWN
    rest = [Message("businesscase.asked_more", {"count": more})] if more > 0 else []
    return _check(name, messages, len(messages), absent, asked=[*messages[:_SHOWN], *rest])


def _worth(lines: Sequence[Line]) -> float:
    """Return the present value that lines bring."""
    return sum(max(line.present.mean, 0.0) for line in lines)


def _capacity(result: CaseResult, freed: Freed, hours: Sequence[Line]) -> Iterator[Check]:
    """Give whether the hours freed fit into the teams' time: a tenth needs logs, all fails."""
    case, loads, posts = result.case, defaultdict[str, float](float), defaultdict[str, float](float)
    said = set[str]()
    for team in case.teams:
        posts[team.role] += team.people * team.hours
    for line in hours:
        for role, amount in _by_role(result, freed, line):
            loads[role] += amount
            said |= {role} if line.grade in SAID and amount > 0 else set()
    alone = sorted(loads.keys() - posts)
    shares = [(loads[role] / posts[role], role) for role in loads if role in posts]
    share, role = max(shares, default=(0.0, ""))
    status: Status = "fail" if share > 1 else "warn" if share > _MUCH and role in said else "pass"
    key = f"capacity_{status}"
    if not shares:
        status, key = ("warn", "teams_warn") if alone else ("pass", "capacity_none")
    values = {"role": role, "share": share, "most": _MUCH, "names": alone}
    detail = Message(f"businesscase.{key}", values)
    yield Check("capacity", status, detail, share, "capacity" in case.blocking)
    if shares:
        yield _listed("teams", alone, absent=False)


def _by_role(result: CaseResult, freed: Freed, line: Line) -> Iterator[tuple[str, float]]:
    """Give whose hours a line frees, and how many a year, as far as the option takes it."""
    option = next(known for known in result.case.options if known.name == result.recommended.name)
    measured = [(role, hours[line.name]) for role, hours in freed.items() if line.name in hours]
    for role, amount in measured:
        yield role, amount * option.part(line.name)
    if not measured:
        claims = [known.claim for known in result.case.benefits if known.name == line.name]
        role = next((claim.hours for claim in claims if isinstance(claim, Claim)), None)
        yield (role or line.gained_by or line.name).partition("/")[0], line.quantity.mean


def _hard(result: CaseResult, lines: Sequence[Line]) -> tuple[list[Message], bool]:
    """Return what hard benefits lack of owner, source and budget line; and whether there are none."""
    case, lacking = result.case, defaultdict[str, list[str]](list)
    hard = {line.name for line in lines if line.kind == "hard"}
    for known in case.lines():
        line = known.line
        if line.name not in hard:
            continue
        cash = getattr(line, "cash", None)
        owner = line.owner or (cash and cash.holder)
        budget = cash.budget if cash else getattr(line.claim, "budget", None)
        amount = case.assumption(getattr(line, "quantity", None) or getattr(line, "amount", None))
        there = {
            "owner": named(owner),
            "source": not amount or named(amount.source or amount.file),
            "budget": named(budget, str.isalnum) or _BUDGET_LINE.search(owner or ""),
        }
        for what, given in there.items():
            if not given:
                lacking[what].append(line.name)
    asked = [Message(f"businesscase.hard_{what}", {"names": names}) for what, names in lacking.items()]
    return asked, not hard


def _apart(result: CaseResult, lines: Sequence[Line], hours: Sequence[Line]) -> Check:
    """Return whether gains of decisions beside hours say why they are other money."""
    case = result.case
    apart = {line.name for line in case.benefits if line.apart}
    apart |= {line.name for line in case.costs if line.claim}
    decisions = [line for line in lines if line.gain == "decisions" and line not in hours]
    twice = [line.name for line in decisions if hours and line.name not in apart]
    return _listed("apart", twice, not (hours and decisions))


def _recapture(result: CaseResult, lines: Sequence[Line]) -> Check:
    """Return whether more freed hours than usual become work without evidence of it."""
    shares = {
        line.name: result.entry(factor.id)
        for line in lines
        for factor in line.factors
        if factor.role == "recapture"
    }
    high = [
        name
        for name, entry in shares.items()
        if entry.value > _RECAPTURE and entry.grade > _MEASURED
    ]
    return _listed("recapture", high, not shares, most=_RECAPTURE)


def _unchecked(result: CaseResult, lines: Sequence[Line]) -> Check:
    """Return whether hard benefits, or half of the value, stand on what was never checked."""

    def never(line: Line) -> bool:
        known = filter(None, map(result.case.assumption, line.refs))
        return any(not assumption.checked for assumption in known)

    unchecked = [line for line in lines if never(line)]
    share = _worth(unchecked) / (_worth(lines) or 1.0)
    wrong = share >= _HALF or any(line.kind == "hard" for line in unchecked)
    names = [line.name for line in unchecked]
    return _check("unchecked", wrong, share, share=share, names=names)


def _files(result: CaseResult) -> Check:
    """Return whether the files behind numbers and measured targets are there, unchanged."""
    ledger, gone = result.ledger, {source.name for source in result.sources if not source.sha256}
    measured = [(kpi.name, kpi.measured.file) for kpi in result.case.kpis if kpi.measured]
    wrong = [entry.id for entry in ledger if entry.fallen]
    wrong += [name for name, file in measured if file in gone]
    behind = any(entry.file or entry.kind == "evidence" for entry in ledger)
    return _listed("files", wrong, not (behind or any(file for _, file in measured)), "ids")
