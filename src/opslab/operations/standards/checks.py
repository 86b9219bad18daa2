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
    count = len({finding.document for finding in findings})
    wrong = {
        "read": [str(problem.file) for problem in unread],
        "followed": _with(findings, "missing", "template"),
        "clear": _with(findings, "unclear"),
        "fresh": _with(findings, "stale"),
    }
    lost: Status = "fail" if len(unread) >= count else "warn"
    checks = [
        _check(
            standard, name, (lost if name == "read" else "warn") if names else "pass", names, count
        )
        for name, names in wrong.items()
    ]
    moved = "pass" if standard.previous else "warn"
    return (*checks, _check(standard, "moved", moved, [], len(standard.previous)))


def _check(standard: Standard, name: str, status: Status, names: list[str], count: int) -> Check:
    accepted = str(standard.accept.get(name, ""))
    detail = Message(
        f"standards.{name}_{status}", {"names": names, "wrong": len(names), "count": count}
    )
    return Check(name, status, detail, blocking=name == "read" and not accepted, accepted=accepted)


def _with(findings: Sequence[Finding], state: str, kind: str = "") -> list[str]:
    return sorted(
        {
            finding.document
            for finding in findings
            if finding.state == state and kind in ("", finding.kind)
        }
    )
