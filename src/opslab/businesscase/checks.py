"""Whether a case can be defended: what a sponsor and a CFO attack first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opslab.businesscase.options import OptionResult
from opslab.businesscase.result import Check, Entry, Line, Target
from opslab.businesscase.simulation import Drawn, Weights
from opslab.businesscase.spec import Case

_SAID = ("E", "F")
_MOST_SAID, _MUCH, _RECAPTURE, _MEASURED = 0.5, 0.1, 0.6, "D"


def run(
    case: Case,
    option: OptionResult,
    weights: Weights,
    drawn: Sequence[Drawn],
    lines: Sequence[Line],
    ledger: Sequence[Entry],
    targets: Sequence[Target],
    populations: Mapping[str, Mapping[str, float]],
) -> tuple[Check, ...]:
    """Return the checks, the blocking one first.

    Parameters
    ----------
    populations : Mapping of role to Mapping of line to float
        Mean hours a year at full use that each line frees of each role.
    """
    entries = {one.id: one for one in ledger}
    found = [_capacity(case, weights, lines, populations)]
    freed = {
        role
        for role, mine in populations.items()
        if any(weights.parts.get(name, 0.0) > 0 for name in mine)
    }
    alone = sorted(freed - {one.role for one in case.teams})

    def check(name: str, wrong: object, **values: Any) -> None:
        found.append(Check(name, "warn" if wrong else "pass", False, values))

    mine = [line for line in lines if line.counted and weights.parts.get(line.name, 0.0) > 0]
    flows = {one.flow.name: one.flow for one in drawn}
    known = {name for mine in populations.values() for name in mine}
    alone += [line.name for line in mine if flows[line.name].hours and line.name not in known]
    check("teams", alone, names=alone)
    total = sum(max(line.present.mean, 0.0) for line in mine) or 1.0
    said = sum(max(line.present.mean, 0.0) for line in mine if line.grade in _SAID) / total
    check("evidence", said > _MOST_SAID, share=said)
    lost = [one for one in ledger if one.fallen]
    check("files", lost, ids=[one.id for one in lost])
    late = [one.id for one in ledger if one.overdue]
    check("ledger", late, ids=late)
    hard = [line.name for line in mine if line.kind == "hard" and not line.owner]
    check("hard", hard, names=hard)
    high = [
        line.name
        for line in mine
        if (one := entries.get(flows[line.name].recapture or ""))
        and one.value > _RECAPTURE
        and one.grade > _MEASURED
    ]
    check("recapture", high, names=high, most=_RECAPTURE)
    hours = [line.name for line in mine if flows[line.name].hours]
    apart = {one.name for one in case.benefits if one.apart}
    twice = (
        [
            line.name
            for line in mine
            if line.gain == "decisions" and not flows[line.name].hours and line.name not in apart
        ]
        if hours
        else []
    )
    check("apart", twice, names=twice)
    check("cash", option.negative_again > 0.05, share=option.negative_again)  # noqa: PLR2004 - one draw in twenty
    debts = [one.kpi.name for one in targets if one.status in ("debt", "dropped")]
    check("debts", debts, names=debts)
    return tuple(found)


def _capacity(
    case: Case,
    weights: Weights,
    lines: Sequence[Line],
    populations: Mapping[str, Mapping[str, float]],
) -> Check:
    """Return whether the hours freed fit into the teams' time: a tenth of it needs logs, all of it fails."""
    blocking = "capacity" in case.blocking
    worst: tuple[float, str, bool] = (0.0, "", False)
    grades = {line.name: line.grade for line in lines}
    for team in case.teams:
        freed = {
            name: hours * max(weights.parts.get(name, 0.0), 0.0)
            for name, hours in populations.get(team.role, {}).items()
        }
        share = sum(freed.values()) / (team.people * team.hours)
        told = any(hours > 0 and grades.get(name, "F") in _SAID for name, hours in freed.items())
        worst = max(worst, (share, team.role, told))
    share, role, told = worst
    status: Any = "fail" if share > 1 else "warn" if share > _MUCH and told else "pass"
    return Check("capacity", status, blocking, {"role": role or "-", "share": share, "most": _MUCH})
