"""Whether a case can be defended: what a sponsor and a CFO attack first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opslab.businesscase.result import SAID, CaseResult, Line
from opslab.businesscase.spec import Case
from opslab.results import Check, Message, Status

_MOST_SAID, _MUCH, _RECAPTURE, _MEASURED = 0.5, 0.1, 0.6, "D"
_AGAIN = 0.05  # one draw in twenty


Freed = Mapping[str, Mapping[str, float]]
"""Mean hours a year at full use, by role, then by the line that frees them."""


def checks(result: CaseResult, freed: Freed) -> tuple[Check, ...]:
    """Return the checks of what a case comes to, the blocking one first."""
    case, ledger = result.case, result.ledger
    asked = next(option for option in case.options if option.kind == "recommended")
    taken = {name: asked.part(name) for name in asked.benefits if asked.part(name) > 0}
    lines = [line for line in result.lines if line.counted and line.name in taken]
    hours = [line.name for line in lines if line.unit in ("hour", "hours")]
    recaptures = {line.name: line.recapture for line in case.benefits}
    entries = {entry.id: entry for entry in ledger}
    high = [
        line.name
        for line in lines
        if (entry := entries.get(recaptures[line.name] or ""))
        and entry.value > _RECAPTURE
        and entry.grade > _MEASURED
    ]
    apart = [line.name for line in case.benefits if line.apart]
    twice = [
        line.name
        for line in lines
        if hours and line.gain == "decisions" and line.name not in {*hours, *apart}
    ]
    said, again = _said(lines), result.recommended.negative_again
    owed = [target.kpi.name for target in result.targets if target.status in ("debt", "dropped")]
    hard = [line.name for line in lines if line.kind == "hard" and not line.owner]
    return (
        _capacity(result, freed, taken),
        _listed("teams", _without_team(case, freed, taken, hours)),
        _check("evidence", said > _MOST_SAID, said, share=said),
        _listed("files", [entry.id for entry in ledger if entry.fallen], "ids"),
        _listed("ledger", [entry.id for entry in ledger if entry.overdue], "ids"),
        _listed("hard", hard),
        _listed("recapture", high, most=_RECAPTURE),
        _listed("apart", twice),
        _check("cash", again > _AGAIN, again, share=again),
        _listed("debts", owed),
    )


def _check(name: str, wrong: object, value: float, **values: Any) -> Check:
    status: Status = "warn" if wrong else "pass"
    return Check(name, status, Message(f"businesscase.{name}_{status}", values), value)


def _listed(name: str, wrong: Sequence[str], what: str = "names", **values: Any) -> Check:
    """Return a check that names what is not as it should be."""
    return _check(name, wrong, len(wrong), **{what: [*wrong]}, **values)


def _said(lines: Sequence[Line]) -> float:
    """Return the share of the present value that rests on what people say."""
    worth = {line.name: max(line.present.mean, 0.0) for line in lines}
    said = sum(worth[line.name] for line in lines if line.grade in SAID)
    return said / (sum(worth.values()) or 1.0)


def _without_team(
    case: Case, freed: Freed, taken: Mapping[str, float], hours: Sequence[str]
) -> list[str]:
    """Return roles whose hours are freed, and lines that free them, of no declared team."""
    roles = {role for role, lines in freed.items() if not taken.keys().isdisjoint(lines)}
    known = {name for lines in freed.values() for name in lines}
    alone = sorted(roles - {team.role for team in case.teams})
    return alone + [name for name in hours if name not in known]


class _Load(NamedTuple):
    """The share of a team's time that is freed, and whether people only say so."""

    share: float
    role: str
    said: bool


def _capacity(result: CaseResult, freed: Freed, taken: Mapping[str, float]) -> Check:
    """Return whether the hours freed fit into the teams' time: a tenth needs logs, all fails."""
    grades = {line.name: line.grade for line in result.lines}
    loads = [_Load(0.0, "", said=False)]
    for team in result.case.teams:
        lines = freed.get(team.role, {})
        hours = {name: lines[name] * taken[name] for name in lines if name in taken}
        said = any(hours[name] > 0 and grades.get(name, "F") in SAID for name in hours)
        loads.append(_Load(sum(hours.values()) / (team.people * team.hours), team.role, said))
    share, role, said = max(loads)
    status: Status = "fail" if share > 1 else "warn" if share > _MUCH and said else "pass"
    values = {"role": role or "-", "share": share, "most": _MUCH}
    detail = Message(f"businesscase.capacity_{status}", values)
    return Check("capacity", status, detail, share, "capacity" in result.case.blocking)
