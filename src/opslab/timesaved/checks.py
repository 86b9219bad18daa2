"""Whether an estimate can be defended: capacity, evidence, recapture, conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opslab.names import named, names_somebody
from opslab.results import Check, Message, Status
from opslab.timesaved.inventory import Inventory
from opslab.timesaved.quantities import Update, reported
from opslab.timesaved.simulation import Piece

FULL, CROWDED = 1.0, 0.9
"""Share of the contract time that the tasks may take, and from which it is doubtful."""

MUCH = 0.1
"""Share of everybody's week from which a saving needs measured evidence."""

HALF = 0.5
"""Share of the hours that may rest on what people say of themselves alone."""

RECAPTURE = 0.6
"""Recapture above which it needs evidence: half is usual in published cases (Forrester TEI)."""


def load(pieces: Sequence[Piece]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the hours a week that a role's tasks take of a person, at the means, and its people.

    Sum over tasks of eligible share x times x minutes / 60: of one who does them all.
    """
    hours: dict[str, float] = {}
    people: dict[str, float] = {}
    for piece in {piece.key: piece for piece in pieces}.values():
        role, share = piece.line.role, 1 / 60
        for field in ("eligible_share", "frequency", "minutes"):
            share *= piece.quantities[field][1].mean
        hours[role] = hours.get(role, 0.0) + share
        people[role] = max(people.get(role, 0.0), piece.line.people)
    return hours, people


def run(
    inventory: Inventory,
    pieces: Sequence[Piece],
    freed: Sequence[float],
    updates: Sequence[Update],
) -> tuple[Check, ...]:
    """Return the checks, the blocking first; `freed` are the mean hours a year of each piece."""
    hours, people = load(pieces)
    role, most = max(hours, key=hours.__getitem__), inventory.contract_hours
    taken = hours[role] / most
    status: Status = "fail" if taken > FULL else "warn" if taken > CROWDED else "pass"
    checks: list[Check] = []

    def check(name: str, status: Status, **values: Any) -> None:
        detail = Message(f"timesaved.{name}_{status}", values)
        checks.append(Check(name, status, detail, blocking=name in inventory.blocking))

    def warn(name: str, wrong: object, **values: Any) -> None:
        check(name, "warn" if wrong else "pass", **values)

    check(
        "capacity",
        status,
        role=role,
        share=taken,
        hours=hours[role],
        most=most,
        rows=[piece.row for piece in pieces if piece.line.role == role],
    )
    gains = [max(gain, 0.0) for gain in freed]
    said = sum(gain for gain, piece in zip(gains, pieces, strict=True) if reported(piece.line)) / (
        sum(gains) or 1.0
    )
    week = sum(freed) / (sum(people.values()) * most * inventory.working_weeks)
    warn("evidence", said > HALF, share=said)
    warn("share_of_week", week > MUCH and said > HALF, share=week, most=MUCH)
    high = [
        piece.row
        for piece in pieces
        if piece.quantities["recapture"][1].mean > RECAPTURE and reported(piece.line)
    ]
    warn("recapture", high, rows=high, most=RECAPTURE)
    hard = [
        piece.row
        for piece in pieces
        if piece.line.benefit == "hard"
        and not (names_somebody(piece.line.owner) and named(piece.line.source))
    ]
    warn("hard", hard, rows=hard)
    if updates:
        torn = [update.name.partition("/")[2] for update in updates if update.used != "both"]
        warn("conflict", torn, names=torn, count=len(updates))
    return tuple(checks)
