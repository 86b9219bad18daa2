"""Whether a checklist can carry a decision: what items lack, blockers, dates, briefing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from opslab.messages import Bilingual
from opslab.names import singular
from opslab.operations.launch_readiness.result import Judged, State
from opslab.operations.launch_readiness.spec import Launch
from opslab.results import Check, Message, Status

FLAGS = (
    "no_status",
    "no_evidence",
    "no_reason",
    "no_owner",
    "no_function",
    "no_date",
    "overdue",
    "after_launch",
)
"""What an open item may lack: a check each, and ``why_<name>`` in the words."""
ASIDE = ("repeated", "near", "unnamed", "others", "larger")
"""Rows that are no items of their own, or of another launch: a check each."""
_HALF = 2  # items, of which one may lack its status


def run(launch: Launch, states: Sequence[State], sessions: Sequence[Judged]) -> tuple[Check, ...]:
    """Return the checks, the blocking first.

    Parameters
    ----------
    launch : Launch
    states : sequence of State
        The checklist by day, today's last.
    sessions : sequence of Judged
        The briefings.
    """
    now, checked = states[-1], list[Check]()

    def check(name: str, status: Status, said: str = "", **values: Any) -> None:
        detail = Message(f"launch_readiness.{name}_{said or status}", values)
        accepted = next((launch.accept[key] for key in launch.accept if key == name), "")
        checked.append(Check(name, status, detail, None, name == "no_status", accepted))

    rows = {flag: [judged.row for judged in now.items if flag in judged.why] for flag in FLAGS}
    for name, wrong in {**rows, **now.aside}.items():
        many = name == "no_status" and len(wrong) * _HALF > len(now.items)
        check(
            name,
            "fail" if many or (wrong and name == "near") else "warn" if wrong else "pass",
            rows=wrong,
            count=len(wrong),
        )
    asked = sum(judged.blocking for judged in now.items)
    check("blockers", "pass" if asked else "fail", count=asked)
    said = "none" if now.left is None else ""
    check("timing", "fail" if said or (now.left or 0) < 0 else "pass", said, day=launch.launch_date)
    gone = _gone(states)
    if states[1:]:  # else `fresh` says that there is nothing to compare
        check(
            "withdrawn",
            "fail" if gone else "pass",
            names=[Bilingual.joined(" ", (name, f"({gone[name]})")) for name in gone],
        )
    cells = [
        {(known.item, known.status, known.due, known.evidence) for known in earlier.items}
        for earlier in states[-3:]
    ]
    same = all(items == cells[-1] for items in cells)
    check("fresh", "warn" if same else "pass", "" if cells[1:] else "none")
    lacking, all_of = sum(judged.open for judged in sessions), len(sessions)
    met: Status = "fail" if not all_of else "warn" if lacking else "pass"
    check("briefing", met, count=lacking, all=all_of)
    briefed = {singular(judged.item) for judged in sessions}
    asked_of = {judged.function for judged in now.items if judged.function}
    names = sorted(
        name
        for name in asked_of
        if singular(name) not in briefed
        and {singular(part) for part in re.split(r"(?i)[,;&/]|\b(?:et|and)\b", name)} - briefed
    )
    if sessions:
        check("functions", "fail" if names else "pass", names=names)
    return tuple(checked)


def _gone(states: Sequence[State]) -> dict[str, Any]:
    """Return what blocked and no longer does, each with its last day; not what left proven."""
    last = {
        key: (known.day, judged.counts_as == "green" or (known is states[-1] and judged.blocking))
        for known in states
        for judged in known.items
        for key in judged.known_as
    }  # whether it was proven when last seen, or still blocks
    return {
        judged.item: earlier.day
        for earlier in states[:-1]
        for judged in earlier.items
        if judged.blocking and not max(last[key] for key in judged.known_as)[1]
    }
