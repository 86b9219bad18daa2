"""Whether the shares can be relied on: what was read, recognised, clear, fresh, and compared."""

from __future__ import annotations

from collections.abc import Sequence

from opslab.errors import Problem
from opslab.operations.standards.result import Finding
from opslab.operations.standards.spec import Standard
from opslab.results import Check, Message, Status


def run(
    standard: Standard, findings: Sequence[Finding], unread: Sequence[Problem]
) -> tuple[Check, ...]:
    """Return the checks; blocking is that more documents were read than not."""
    count, checks = len({finding.document for finding in findings}), []
    wrong = {
        "read": [str(problem.file) for problem in unread],
        "followed": [
            one.document for one in findings if one.state == "absent" and one.kind == "template"
        ],
        "clear": [one.document for one in findings if one.state == "unclear"],
        "fresh": [one.document for one in findings if one.state == "stale"],
        "moved": [] if standard.previous else [standard.documents],
    }
    for name, all_wrong in wrong.items():
        names = [*dict.fromkeys(all_wrong)]
        much = name == "read" and len(names) >= count
        status: Status = "fail" if much else "warn" if names else "pass"
        detail = Message(
            f"standards.{name}_{status}", {"names": names, "wrong": len(names), "count": count}
        )
        accepted = next((why for known, why in standard.accept.items() if known == name), "")
        checks.append(
            Check(name, status, detail, blocking=much and not accepted, accepted=accepted)
        )
    return tuple(checks)
