"""The record of a review: every finding, and the evidence in it."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import Any

from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.operations.standards.adoption import LEVEL
from opslab.operations.standards.result import Finding, StandardsResult

KEYS = ("document",)
"""Columns of the frame that name a row."""
MAIN = ("share", "share_low", "share_high", "percent")
"""Columns that tell a row beside another result's, and how they are written."""
SCHEMA = "opslab.standards/1"


def record(result: StandardsResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    shares = {"all": result.share, **result.kinds}
    return {
        "schema": SCHEMA,
        "inputs": [{"file": source.name, "sha256": source.sha256} for source in result.sources],
        "plan": result.standard.model_dump(mode="json"),
        "action": result.action,
        "shares": {kind: share._asdict() for kind, share in shares.items()},
        "documents": rows(result, full=False),
        "movements": [
            {"as_of": movement.as_of.isoformat(), "new": movement.new, "gone": movement.gone}
            | {name: getattr(movement, name)._asdict() for name in ("before", "now", "all_before")}
            for movement in result.movements
        ],
        "unread": [{"file": problem.file, "key": problem.key} for problem in result.unread],
        "others": result.others,
    }


def rows(result: StandardsResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each document, or for each thing asked of one."""
    if full:
        return [finding._asdict() for finding in result.findings]
    return [_row(list(group)) for _, group in groupby(result.findings, key=attrgetter("document"))]


def _row(findings: list[Finding]) -> dict[str, Any]:
    states = [finding.state for finding in findings]
    held, asked = states.count("there"), len(states)
    about = dict(zip(Finding._fields, findings[0][:4], strict=False))
    counts = {state: states.count(state) for state in ("missing", "empty", "stale", "unclear")}
    lacking = [finding.asked for finding in findings if finding.state != "there"]
    return (
        about
        | {"asked": asked, "held": held, "share": held / asked}
        | counts
        | {"lacking": Bilingual.joined(", ", lacking)}
    )


def evidence(result: StandardsResult) -> list[Evidence]:
    """Return the share of documents that hold all that is asked of them."""
    share, standard = result.share, result.standard
    failed = share.documents - share.whole
    return [
        Evidence(
            id=f"{standard.slug}/adoption",
            kind="descriptive",
            statement=("standards.evidence", {"whole": share.whole, "count": share.documents}),
            quantity=Quantity(
                "beta",
                {"a": share.whole + 0.5, "b": failed + 0.5},  # Jeffreys' prior
                share.whole / share.documents,
                share.low,
                share.high,
                LEVEL,
            ),
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
