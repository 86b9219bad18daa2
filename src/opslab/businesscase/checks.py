"""Whether a case can be defended: what a sponsor and a CFO attack first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opslab.businesscase.claims import budget_of
from opslab.businesscase.plausibility import QUESTIONS, YEAR
from opslab.businesscase.result import SAID, CaseResult, Line
from opslab.names import named, singular
from opslab.results import Check, Message, Status

_HALF, _MUCH, _RECAPTURE, _MEASURED = 0.5, 0.1, 0.6, "D"
_AGAIN = 0.05  # one draw in twenty
_SHOWN = 3  # questions of one check that are asked in full

Freed = Mapping[str, Mapping[str, float]]
"""Mean hours a year at full use, by role (or an empty text), then by the line that frees them."""


def checks(result: CaseResult, freed: Freed) -> tuple[Check, ...]:
    """Return the checks of what a case comes to: the blocking one, then by how much they matter.

    They look at the lines that count in the recommended option, ended costs among them. Where
    there is nothing to look at, a check says so.
    """
    ledger, again = result.ledger, result.recommended.negative_again
    lines = {line.name: line for line in result.taken if line.counted}
    hard = [line for line in lines.values() if line.kind == "hard"]
    due = [target for target in result.targets if target.before or target.due <= result.as_of]
    owed = [target.kpi.name for target in due if target.status in ("debt", "dropped")]
    overdue = [entry.id for entry in ledger if entry.overdue]
    dated = any(entry.next_check for entry in ledger)
    return (
        *_capacity(result, freed, lines),
        _check("evidence", result.said > _HALF, value=result.said, share=result.said),
        _check("wide", result.wide, ids=[*result.wide]),
        _asked("hard", _lacking(result, hard), hard),
        *(_asked(name, ask(result)) for name, ask in QUESTIONS.items()),
        _recapture(result, lines.values()),
        _unchecked(result, lines.values()),
        _check("ledger", overdue, dated, ids=overdue),
        _files(result),
        _check("cash", again > _AGAIN, result.recommended.never < 1, again, share=again),
        _check("debts", owed, due, names=owed),
    )


def _check(
    name: str, wrong: Any, there: object = True, value: float | None = None, **values: Any
) -> Check:
    """Return a check; `wrong`: what is, its count the value; `there`: whether it looked at any."""
    status: Status = "warn" if wrong else "pass"
    key = status if there or wrong else "none"
    value = len(wrong) if value is None else value
    return Check(name, status, Message(f"businesscase.{name}_{key}", values), value)


def _asked(name: str, questions: Iterable[Message], there: object = True) -> Check:
    """Return a check that asks, the first questions in full."""
    asked = [*questions]
    rest = Message("businesscase.asked_more", {"count": len(asked) - _SHOWN})
    return _check(name, asked, there, asked=asked[:_SHOWN] + [rest] * (len(asked) > _SHOWN))


def _capacity(result: CaseResult, freed: Freed, lines: Mapping[str, Line]) -> Iterator[Check]:
    """Give whether the hours freed fit into the teams' time: a tenth needs logs, all fails."""
    teams = {singular(team.role): team for team in result.case.teams}
    loads, said, alone = defaultdict[str, float](float), set[str](), set[str]()
    for whose, hours in freed.items():
        team = teams.get(singular(whose))
        for name in (name for name in hours if name in lines):
            if team is None:
                alone.add(whose or name)
                continue
            part = result.case.recommended.part(name) / (team.people * team.hours)
            loads[team.role] += hours[name] * part
            said |= {team.role} if lines[name].grade in SAID else set()
    role = max(loads, key=loads.__getitem__, default="")
    share, names = loads[role], sorted(alone)
    status: Status = "fail" if share > 1 else "warn" if share > _MUCH and role in said else "pass"
    key = f"capacity_{status}"
    if not role:
        status, key = ("warn", "teams_warn") if alone else ("pass", "capacity_none")
    values = {"role": role, "share": share, "most": _MUCH, "names": names}
    detail = Message(f"businesscase.{key}", values)
    yield Check("capacity", status, detail, share, "capacity" in result.case.blocking)
    if role:
        yield _check("teams", alone, names=names)


def _lacking(result: CaseResult, hard: Iterable[Line]) -> Iterator[Message]:
    """Give what hard benefits lack: an owner, a source, what names the budget line."""
    declared = {line.line.name: line.line for line in result.case.lines()}
    lacking = defaultdict[str, list[str]](list)
    for line in hard:
        known, amount = declared[line.name], result.entry(line.refs[0])
        there = {
            "owner": known.owner or getattr(known, "cash", None),
            "source": amount.kind != "assumption" or named(amount.source or amount.file),
            "budget": budget_of(known),
        }
        for what in (what for what, given in there.items() if not given):
            lacking[what].append(line.name)
    for what, names in lacking.items():
        yield Message(f"businesscase.hard_{what}", {"names": names})


def _recapture(result: CaseResult, lines: Iterable[Line]) -> Check:
    """Return whether more freed hours than usual become work without evidence of it."""
    shares = [
        (line.name, result.entry(factor.id))
        for line in lines
        for factor in line.factors
        if factor.role == "recapture"
    ]
    high = [name for name, entry in shares if entry.value > _RECAPTURE and entry.grade > _MEASURED]
    return _check("recapture", high, shares, names=high, most=_RECAPTURE)


def _unchecked(result: CaseResult, lines: Iterable[Line]) -> Check:
    """Return whether hard benefits, or half of the value, stand on what nobody checked of late."""
    stale = {
        known.id
        for known in result.case.assumptions
        if not known.checked or (result.as_of - known.checked).days > YEAR
    }
    unchecked = [line for line in lines if not stale.isdisjoint(line.refs)]
    worth, whole = (sum(max(line.present.mean, 0) for line in some) for some in (unchecked, lines))
    wrong = worth > _HALF * whole or any(line.kind == "hard" for line in unchecked)
    names = [line.name for line in unchecked]
    return _check("unchecked", wrong, value=len(names), names=names)


def _files(result: CaseResult) -> Check:
    """Return whether the files behind numbers are there, unchanged."""
    wrong = [entry.id for entry in result.ledger if entry.fallen]
    there = any(entry.file or entry.run for entry in result.ledger)
    return _check("files", wrong, there, ids=wrong)
