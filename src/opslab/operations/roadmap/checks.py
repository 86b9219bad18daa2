"""Whether a roadmap can carry its dates: what rows lack, tickets, load, past slips."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy.stats import binomtest

from opslab.messages import Bilingual, text_of_both
from opslab.operations.flow.backtest import rate
from opslab.operations.roadmap.binding import Tickets
from opslab.operations.roadmap.result import SURE, Load, Slips, Step
from opslab.operations.roadmap.slip import FEWEST
from opslab.operations.roadmap.spec import Initiative
from opslab.results import Check, Message, Status

OLD = 14
"""Days after which an export of tickets is stale."""
_RARE = 0.05  # of as few past dates held, were a confidence right


def run(
    rows: Sequence[tuple[int, Initiative]],
    steps: Sequence[Step],
    tickets: Tickets,
    loads: Sequence[Load],
    past: Slips | None,
    last: Mapping[str, Any],
    day: date,
) -> tuple[Check, ...]:
    """Return the checks; when more than half of what is open is past its date, that one blocks.

    Parameters
    ----------
    rows : sequence of (int, Initiative)
    steps : sequence of Step
    tickets, loads, past
    last : Mapping
        Steps of the last run by id, without case.
    day : datetime.date
    """
    items, still = {item.id: item for _, item in rows}, [s for s in steps if s.horizon != "done"]
    ends, never = {step.id: step.ends or day.min for step in still}, day.min
    keyless = {name for name, _ in tickets.unmatched}
    flags = [
        {
            "overdue": never < ends[step.id] < day,
            "refuted": step.refuted,
            "sequence": any(ends.get(i, never) > ends[step.id] > never for i in step.depends_on),
            "contradiction": _contradicts(items[step.id]),
            "uncertainty": not (step.uncertain or step.refuted),
            "overconfident": step.source == "window" and _doubted(step.confidence or 0, past),
            "no_owner": not step.owner,
            "several_owners": len(re.split(r"[;,/]| [&+] ", step.owner or "")) > 1,
            "no_gate": not step.gate,
            "no_kpi": not step.kpi,
            "cancelled": step.tickets == 0 and step.id not in keyless,
            "all_done": step.tickets and step.done == step.tickets,
            "unchanged": step.half > ends[step.id]
            and str(step.ends) == last.get(step.id.casefold(), {}).get("ends"),
        }
        for step in still
    ]
    names: dict[str, Sequence[str]] = {
        flag: [step.initiative for step, wrong in zip(still, flags, strict=True) if wrong[flag]]
        for flag in (*flags, {})[0]
    }
    stale = tickets.end and (day - tickets.end).days > OLD
    names |= {
        "unmatched": [
            Bilingual.joined(" ", (items[name].initiative, f"({key})"))
            for name, key in tickets.unmatched
            if not items[name].finished
        ],
        "shared": tickets.shared,
        "stale": [text_of_both("roadmap.last_day", day=tickets.end)] if stale else [],
        "load": [text_of_both("roadmap.over", **at._asdict()) for at in loads if at.load > 1],
        "slips": [str(past.count)] if past and not past.used else [],
    }
    fails = {"overdue": len(still) / 2, "sequence": 0, "refuted": 0}
    results = [_check(name, names[name], fails.get(name, math.inf)) for name in names]
    return (*results, _ticket_record(tickets))


def _check(name: str, wrong: Sequence[str], most: float) -> Check:
    status: Status = "fail" if len(wrong) > most else "warn" if wrong else "pass"
    detail = Message(f"roadmap.{name}_{status}", {"names": [*wrong], "count": len(wrong)})
    return Check(name, status, detail, len(wrong), blocking=name == "overdue")


def _ticket_record(tickets: Tickets) -> Check:
    """Return whether the 85 % days that the same way of forecasting gave earlier were kept."""
    hits, count = int(sum(tickets.past)), len(tickets.past)
    few: Status = "warn" if count < FEWEST or hits < SURE * count else "pass"
    status: Status = "fail" if (rate(tickets.past).high or 1) < SURE else few
    if not any(np.size(work.pace) for work in tickets.work.values()):
        status = "pass"
    detail = Message(f"roadmap.ticket_record_{status}", {"hits": hits, "count": count})
    return Check("ticket_record", status, detail, count)


def _doubted(confidence: float, past: Slips | None) -> bool:
    """Return whether as few of the past dates would rarely have held, were a confidence right."""
    held = (past.held, past.count) if past and past.used else (1, 1)
    return bool(binomtest(*held, confidence, "less").pvalue < _RARE)


def _contradicts(item: Initiative) -> bool:
    """Return whether a range of weeks is more than double its window, or less than half."""
    if not (item.weeks and item.starts and item.ends):
        return False
    middle = 7 * float(item.weeks.distribution(share=False).at(np.zeros(1))[0])
    return abs(math.log2(middle / ((item.ends - item.starts).days + 1))) > 1
