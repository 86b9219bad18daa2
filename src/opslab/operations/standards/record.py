"""The record of a review: what each document holds, and the evidence in it."""

from __future__ import annotations

from typing import Any

from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.operations.standards.adoption import LEVEL, grouped
from opslab.operations.standards.result import StandardsResult
from opslab.operations.standards.templates import said

KEYS = ("document",)
"""Columns of the frame that name a row."""
MAIN = ("held_share", "low", "high", "percent")
"""Columns that tell a row beside another result's, and how they are written."""


def record(result: StandardsResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    shares = {"all": result.share, **result.kinds}
    return {
        "schema": "opslab.standards/1",
        "inputs": [{"file": source.name, "sha256": source.sha256} for source in result.sources],
        "plan": result.standard.model_dump(mode="json"),
        "action": result.action,
        "shares": {kind: share._asdict() for kind, share in shares.items()},
        "documents": rows(result, full=False),
        "movements": [{**moved._asdict(), "as_of": str(moved.as_of)} for moved in result.movements],
        "unread": [{"file": problem.file, "key": problem.key} for problem in result.unread],
        "others": result.others,
    }


def rows(result: StandardsResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each document, or for each thing asked of one."""
    if full:
        return [finding._asdict() for finding in result.findings]
    table = []
    for findings in grouped(result.findings, "document").values():
        about = [*findings[0]._asdict().items()][:4]
        states = [finding.state for finding in findings]
        counts = {state: states.count(state) for state in ("absent", "empty", "stale", "unclear")}
        lacking = [
            said(f"lack_{finding.state}", name=finding.asked, value=finding.value)
            for finding in findings
            if finding.state != "there"
        ]
        asked, held = len(states), states.count("there")
        numbers = {"asked": asked, "held": held, "held_share": held / asked, **counts}
        table.append({**dict(about), **numbers, "lacking": Bilingual.joined("; ", lacking)})
    return table


def evidence(result: StandardsResult) -> list[Evidence]:
    """Return the share of documents that hold all that is asked of them (Jeffreys' prior)."""
    (whole, count, _, _, low, high), standard = result.share, result.standard
    shape = {"a": whole + 0.5, "b": count - whole + 0.5}
    return [
        Evidence(
            id=f"{standard.slug}/adoption",
            kind="descriptive",
            statement=("standards.evidence", {"whole": whole, "count": count}),
            quantity=Quantity("beta", shape, whole / count, low, high, LEVEL),
            unit="share",
            per="once",
            period=(None, result.as_of),
            population=standard.shown_title,
            claim=f"adoption:{standard.slug}",
            benefit="quality",
            grade="E",
            sources=result.sources,
            date=result.as_of,
            owner=standard.owner,
        )
    ]
