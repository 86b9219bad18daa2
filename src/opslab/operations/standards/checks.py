"""Whether the shares can be relied on: what was read, recognised, clear, fresh, and compared."""

from __future__ import annotations

from collections.abc import Sequence

from opslab.errors import Problem
from opslab.operations.standards.result import Finding, Movement
from opslab.operations.standards.spec import Standard
from opslab.results import Check, Message, Status


def run(
    standard: Standard,
    findings: Sequence[Finding],
    unread: Sequence[Problem],
    movements: Sequence[Movement],
) -> tuple[Check, ...]:
    """Return the checks; blocking is that more documents were read than not."""
    count, checks = len({finding.document for finding in findings}), []
    wrong = {
        "read": [str(problem.file) for problem in unread],
        "followed": [finding.document for finding in findings if not finding.template],
        "moved": [standard.documents] * (not movements),
    }
    for state in ("unclear", "stale"):
        wrong[state] = [finding.document for finding in findings if finding.state == state]
    last = max(movements)._asdict() if movements else {}
    for name, named in wrong.items():
        names, why = sorted({*named}), dict[str, str](**standard.accept).get(name, "")
        much = name == "read" and len(names) >= count
        status: Status = "fail" if much else "warn" if names else "pass"
        values = {"names": names, "wrong": len(names), "count": count, **last}
        detail = Message(f"standards.{name}_{status}", values)
        checks.append(Check(name, status, detail, blocking=much and not why, accepted=why))
    return tuple(checks)
