"""The record of a review: what each document holds, and the evidence in it."""

from __future__ import annotations

from typing import Any

from scipy import stats

from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.operations.standards.pages import said
from opslab.operations.standards.result import Finding, StandardsResult, grouped
from opslab.operations.standards.review import read_day

LEVEL = 0.9
KEYS = ("document",)
"""Columns of the frame that name a row."""
MAIN = ("held_share", "low", "high", "percent")
"""Columns that tell a row beside another result's, and how they are written."""


def record(result: StandardsResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    shares = {"all": result.share, **result.kinds}
    return {
        "schema": "opslab.standards/1",
        "inputs": result.standard.inputs(),
        "plan": result.standard.model_dump(mode="json"),
        "action": result.action,
        "shares": {kind: share._asdict() for kind, share in shares.items()},
        "documents": rows(result, full=False),
        "movements": [{**moved._asdict(), "as_of": str(moved.as_of)} for moved in result.movements],
        "unread": [{"file": problem.file, "key": problem.key} for problem in result.unread],
        "others": result.others,
    }


def rows(result: StandardsResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each document, those that lack most first, or for each thing asked."""
    if full:
        return [finding._asdict() for finding in result.findings]
    table = []
    for findings in grouped(result.findings, "document").values():
        lacking = [_lack(result, finding) for finding in findings if finding.state != "there"]
        there = {each.kind: each.value for each in findings if each.state == "there"}
        asked, held = len(findings), len(findings) - len(lacking)
        table.append(
            {name: getattr(findings[0], name) for name in Finding._fields[:4]}
            | {
                "asked": asked,
                "held": held,
                "held_share": held / asked,
                "owner": there.get("owner", ""),
                "lacking": Bilingual.joined(" · ", lacking),
            }
        )
    return sorted(table, key=lambda row: row["held_share"])


def _lack(result: StandardsResult, finding: Finding) -> Bilingual:
    """Return what a finding lacks: of what is out of date its day, and since how long."""
    day, as_of = read_day(finding.value), result.as_of
    lasts = result.standard.stale_after_days * (finding.kind == "date")
    late = (as_of - day).days - lasts if as_of and day else 0
    return said(
        f"lack_{finding.state}", name=finding.asked, value=finding.value, day=day, late=late
    )


def evidence(result: StandardsResult) -> list[Evidence]:
    """Return the share of documents that hold all that is asked of them (Jeffreys' prior)."""
    (whole, count, *_), standard = result.share, result.standard
    low, high = map(float, stats.beta(whole + 0.5, count - whole + 0.5).interval(LEVEL))
    return [
        Evidence(
            id=f"{standard.slug}/adoption",
            kind="descriptive",
            statement=("standards.evidence", {"whole": whole, "count": count}),
            quantity=Quantity.share(whole, count, low, high, LEVEL),
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
