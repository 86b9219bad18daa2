"""Whether a case can be defended: what a sponsor and a CFO attack first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opslab.businesscase.ledger import SAID
from opslab.businesscase.result import Entry, Line, Target
from opslab.businesscase.simulation import Flow, Weights
from opslab.businesscase.spec import Case
from opslab.results import Check, Message, Status

_MOST_SAID, _MUCH, _RECAPTURE, _MEASURED = 0.5, 0.1, 0.6, "D"
_AGAIN = 0.05  # one draw in twenty


@dataclass(frozen=True)
class Defended:
    """What the checks look at: a case, and what its recommended option comes to.

    Attributes
    ----------
    option : Weights
        What the recommended option takes of each line.
    negative_again : float
        Share of draws in which it pays back and turns negative again.
    freed : Mapping of role to Mapping of line to float
        Mean hours a year at full use.
    """

    case: Case
    option: Weights
    negative_again: float
    flows: Sequence[Flow]
    lines: Sequence[Line]
    ledger: Sequence[Entry]
    targets: Sequence[Target]
    freed: Mapping[str, Mapping[str, float]]

    def taken(self, name: str) -> float:
        """Return the part of a benefit that the option takes."""
        return max(self.option.parts.get(name, 0.0), 0.0)


def checks(given: Defended) -> tuple[Check, ...]:
    """Return the checks, the blocking one first."""
    lines = [line for line in given.lines if line.counted and given.taken(line.name)]
    entries = {entry.id: entry for entry in given.ledger}
    flows = {flow.name: flow for flow in given.flows}
    hours = [line.name for line in lines if flows[line.name].hours]
    said = _said(lines)
    lost = [entry.id for entry in given.ledger if entry.fallen]
    late = [entry.id for entry in given.ledger if entry.overdue]
    hard = [line.name for line in lines if line.kind == "hard" and not line.owner]
    high = [
        line.name
        for line in lines
        if (entry := entries.get(flows[line.name].recapture or ""))
        and entry.value > _RECAPTURE
        and entry.grade > _MEASURED
    ]
    apart = {benefit.name for benefit in given.case.benefits if benefit.apart}
    twice = [
        line.name
        for line in lines
        if hours and line.gain == "decisions" and line.name not in {*hours, *apart}
    ]
    owed = [target.kpi.name for target in given.targets if target.status in ("debt", "dropped")]
    again = given.negative_again
    return (
        _capacity(given),
        _listed("teams", _without_team(given, hours)),
        _check("evidence", said > _MOST_SAID, said, share=said),
        _listed("files", lost, "ids"),
        _listed("ledger", late, "ids"),
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


def _without_team(given: Defended, hours: Sequence[str]) -> list[str]:
    """Return roles whose hours are freed, and lines that free them, of no declared team."""
    freed = {role for role, lines in given.freed.items() if any(map(given.taken, lines))}
    known = {name for lines in given.freed.values() for name in lines}
    alone = sorted(freed - {team.role for team in given.case.teams})
    return alone + [name for name in hours if name not in known]


class _Load(NamedTuple):
    """The share of a team's time that is freed, and whether people only say so."""

    share: float
    role: str
    said: bool


def _capacity(given: Defended) -> Check:
    """Return whether the hours freed fit into the teams' time: a tenth needs logs, all fails."""
    grades = {line.name: line.grade for line in given.lines}
    loads = [_Load(0.0, "", said=False)]
    for team in given.case.teams:
        lines = given.freed.get(team.role, {})
        freed = {name: hours * given.taken(name) for name, hours in lines.items()}
        said = any(hours > 0 and grades.get(name, "F") in SAID for name, hours in freed.items())
        loads.append(_Load(sum(freed.values()) / (team.people * team.hours), team.role, said))
    share, role, said = max(loads)
    status: Status = "fail" if share > 1 else "warn" if share > _MUCH and said else "pass"
    values = {"role": role or "-", "share": share, "most": _MUCH}
    detail = Message(f"businesscase.capacity_{status}", values)
    return Check("capacity", status, detail, share, "capacity" in given.case.blocking)
