"""Whether an estimate can be defended: capacity, evidence, recapture, conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opslab.timesaved.inventory import Inventory, Line
from opslab.timesaved.known import Update, told
from opslab.timesaved.result import Check, Saving, Status
from opslab.timesaved.simulation import Piece

FULL, CROWDED = 1.0, 0.9
"""Share of the contract time that the tasks of an inventory may take, and from which it is doubtful."""

MUCH = 0.1
"""Share of everybody's week from which a saving needs measured evidence."""

RECAPTURE = 0.6
"""Recapture above which it needs evidence: half is usual in published business cases (Forrester TEI)."""


def load(pieces: Sequence[Piece], weekly_hours: float) -> dict[str, float]:
    """Return the share of its contract time that each role's tasks take, at the mean of the ranges.

    Sum over tasks of people x eligible share x times x minutes / 60, over the people of the role x hours.
    """
    hours: dict[str, float] = {}
    people: dict[str, float] = {}
    for key in dict.fromkeys(piece.key for piece in pieces):
        piece = next(one for one in pieces if one.key == key)
        role, share = piece.line.role, piece.line.people / 60
        for field in ("eligible_share", "frequency", "minutes"):
            share *= piece.quantities[field][1].mean
        hours[role] = hours.get(role, 0.0) + share
        people[role] = max(people.get(role, 0.0), piece.line.people)
    return {role: hours[role] / people[role] / weekly_hours for role in hours}


def run(
    inventory: Inventory, pieces: Sequence[Piece], savings: Sequence[Saving], updates: Sequence[Update]
) -> tuple[Check, ...]:
    """Return the checks, the blocking one first."""
    loads = load(pieces, inventory.contract_hours)
    role = max(loads, key=loads.__getitem__)
    status: Status = "fail" if loads[role] > FULL else "warn" if loads[role] > CROWDED else "pass"
    hours = loads[role] * inventory.contract_hours
    rows = sorted(piece.row for piece in pieces if piece.line.role == role)
    values = {"role": role, "share": loads[role], "hours": hours, "most": inventory.contract_hours, "rows": rows}
    found = [Check("capacity", status, "capacity" in inventory.blocking, values)]

    people: dict[str, float] = {}
    for one in savings:
        people[one.role] = max(people.get(one.role, 0.0), one.people)
    capacity = sum(people.values()) * inventory.contract_hours * inventory.working_weeks
    freed = sum(one.freed.mean for one in savings)
    soft = sum(max(mean, 0.0) for mean, line in _means(savings, pieces) if told(line))
    said = soft / max(sum(max(mean, 0.0) for mean, _ in _means(savings, pieces)), 1e-9)
    share = freed / capacity
    found.append(_check("evidence", said > 0.5, share=said))
    found.append(_check("share_of_week", share > MUCH and said > 0.5, share=share, most=MUCH))
    high = [one.row for one in pieces if one.quantities["recapture"][1].mean > RECAPTURE and told(one.line)]
    found.append(_check("recapture", bool(high), rows=high, most=RECAPTURE))
    hard = [one.row for one in pieces if one.line.benefit == "hard" and not (one.line.owner and one.line.source)]
    found.append(_check("hard", bool(hard), rows=hard))
    torn = [one for one in updates if one.used != "both"]
    if updates:
        found.append(_check("conflict", bool(torn), names=[" / ".join(one.what) for one in torn], count=len(updates)))
    return tuple(found)


def _means(savings: Sequence[Saving], pieces: Sequence[Piece]) -> list[tuple[float, Line]]:
    """Return the mean hours that each line frees, with the line."""
    means = {(one.task, one.role, name): mean for one in savings for name, mean in one.parts}
    return [(means[(*piece.key, piece.line.initiative)], piece.line) for piece in pieces]


def _check(name: str, wrong: bool, **values: Any) -> Check:
    return Check(name, "warn" if wrong else "pass", False, values)
