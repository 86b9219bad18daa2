"""Whether a checklist can carry a decision: statuses, blockers, owners, proof, days, briefing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opslab.names import named, names_somebody
from opslab.operations.launch_readiness.result import Judged, State
from opslab.operations.launch_readiness.spec import Launch
from opslab.results import Check, Message, Status

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
    undone = [judged for judged in now.items if judged.open]
    rows = {
        "statuses": [judged.row for judged in undone if not judged.item.status],
        "owners": [
            judged.row
            for judged in undone
            if not (names_somebody(judged.item.owner) and named(judged.item.function))
        ],
        "proof": [judged.row for judged in undone if judged.item.status in ("green", "na")],
        "due": [judged.row for judged in undone if not judged.due],
        "late": [judged.row for judged in undone if {"overdue", "after_launch"} & {*judged.why}],
        "repeated": now.twice,
    }

    def check(name: str, status: Status, said: str = "", **values: Any) -> None:
        detail = Message(f"launch_readiness.{name}_{said or status}", values)
        accepted = launch.accept.get("briefing", "") if name == "briefing" else ""
        checked.append(Check(name, status, detail, None, name == "statuses", accepted))

    for name, wrong in rows.items():
        few = name != "statuses" or len(wrong) * _HALF <= len(now.items)
        status: Status = "pass" if not wrong else "warn" if few else "fail"
        check(name, status, rows=[*wrong], count=len(wrong))
    asked = sum(judged.item.blocking for judged in now.items)
    check("blockers", "pass" if asked else "fail", count=asked)
    start, cells = now.start, [{judged.item for judged in known.items} for known in states[-3:]]
    over = not start or start < now.day
    check("timing", "warn" if over else "pass", "" if start else "none", day=start)
    same = all(items == cells[-1] for items in cells)
    check("fresh", "warn" if same else "pass", "" if cells[1:] else "none")
    lacking, many = sum(judged.open for judged in sessions), len(sessions)
    status = "fail" if not many else "warn" if lacking else "pass"
    check("briefing", status, count=lacking, all=many)
    return tuple(checked)
