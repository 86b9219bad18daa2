"""Whether an estimate can be defended: capacity, evidence, recapture, conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from opslab.timesaved.inventory import Inventory
from opslab.timesaved.known import Update, reported
from opslab.timesaved.simulation import Piece

Status = Literal["pass", "warn", "fail"]
FULL, CROWDED = 1.0, 0.9
"""Share of the contract time that the tasks of an inventory may take, and from which it is doubtful."""

MUCH = 0.1
"""Share of everybody's week from which a saving needs measured evidence."""

RECAPTURE = 0.6
"""Recapture above which it needs evidence: half is usual in published business cases (Forrester TEI)."""


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, whether its failure blocks, and what its sentence names."""

    name: str
    status: Status
    blocking: bool
    values: Mapping[str, Any]


def load(pieces: Sequence[Piece]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the hours a week that each role's tasks take of one person, at the means, and its people.

    Sum over tasks of people x eligible share x times x minutes / 60, over the people of the role.
    """
    hours: dict[str, float] = {}
    people: dict[str, float] = {}
    for piece in {piece.key: piece for piece in pieces}.values():
        role, share = piece.line.role, piece.line.people / 60
        for field in ("eligible_share", "frequency", "minutes"):
            share *= piece.quantities[field][1].mean
        hours[role] = hours.get(role, 0.0) + share
        people[role] = max(people.get(role, 0.0), piece.line.people)
    return {role: hours[role] / people[role] for role in hours}, people


def run(
    inventory: Inventory, pieces: Sequence[Piece], freed: Sequence[float], updates: Sequence[Update]
) -> tuple[Check, ...]:
    """Return the checks, the blocking one first; `freed` are the mean hours a year of each piece."""
    hours, people = load(pieces)
    role, most = max(hours, key=hours.__getitem__), inventory.contract_hours
    taken = hours[role] / most
    status: Status = "fail" if taken > FULL else "warn" if taken > CROWDED else "pass"
    rows = [piece.row for piece in pieces if piece.line.role == role]
    values = {"role": role, "share": taken, "hours": hours[role], "most": most, "rows": rows}
    found = [Check("capacity", status, "capacity" in inventory.blocking, values)]

    def check(name: str, wrong: object, **values: Any) -> None:
        found.append(Check(name, "warn" if wrong else "pass", False, values))

    gains = [max(one, 0.0) for one in freed]
    said = sum(one for one, piece in zip(gains, pieces, strict=True) if reported(piece.line))
    said /= sum(gains) or 1.0
    week = sum(freed) / (sum(people.values()) * most * inventory.working_weeks)
    check("evidence", said > 0.5, share=said)  # noqa: PLR2004 - more than half
    check("share_of_week", week > MUCH and found[-1].status == "warn", share=week, most=MUCH)
    high = [
        one
        for one in pieces
        if one.quantities["recapture"][1].mean > RECAPTURE and reported(one.line)
    ]
    check("recapture", high, rows=[one.row for one in high], most=RECAPTURE)
    hard = [
        one
        for one in pieces
        if one.line.benefit == "hard" and not (one.line.owner and one.line.source)
    ]
    check("hard", hard, rows=[one.row for one in hard])
    if updates:
        torn = [one.name.partition("/")[2] for one in updates if one.used != "both"]
        check("conflict", torn, names=torn, count=len(updates))
    return tuple(found)
