"""The record of a launch: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.messages import text
from opslab.operations.launch_readiness.gate import identity
from opslab.operations.launch_readiness.result import Judged, ReadinessResult

KEYS = ("item", "function")
"""Columns of the frame that name a row."""
MAIN = ("ready", "low", "high", "percent")
"""Columns that tell a row beside another result's, and how they are written."""


def record(result: ReadinessResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    launch, now, days = result.launch, result.now, result.slips.values()

    def recorded(items: Iterable[Judged]) -> list[dict[str, Any]]:
        return [
            _row(judged, result) | {"counts_as": judged.counts, "why": judged.why}
            for judged in items
        ]

    kept: dict[str, Any] = to_jsonable_python(
        {
            "schema": "opslab.launch_readiness/1",
            "launch": launch.slug,
            "launch_date": launch.launch_date,
            "tier": launch.tier,
            "decision": result.decision,
            "action": result.action,
            "readiness": now.readiness,
            "threshold": launch.needed,
            "blockers": recorded(result.blockers),
            "conditions": recorded(result.demands),
            "items": recorded(now.items),
            "trend": [
                {
                    "date": known.day,
                    "launch_date": known.start,
                    "readiness": known.readiness,
                    "blockers": known.blockers,
                }
                for known in result.states
            ],
            "slips": {
                "items": len(days),
                "held": sum(day <= 0 for day in days),
                "mean_days": sum(days) / len(days) if days else None,
                "undated": sum(not judged.due for judged in now.items),
            },
            "briefing": result.briefed,
            "inputs": [
                {"file": source.name, "sha256": source.sha256}
                for source in result.sources
                if source.sha256
            ],
            "imports": [reading.record() for reading in result.readings],
        }
    )
    return kept


def rows(result: ReadinessResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the items as rows: what one works with, or every column there is."""
    more = ("row", "launch", "tier", "reason")
    return [
        _row(judged, result)
        | ({"row": judged.row, **judged.item.model_dump(include={*more})} if full else {})
        for judged in result.now.items
    ]


def _row(judged: Judged, result: ReadinessResult) -> dict[str, Any]:
    item, due = judged.item, judged.due
    why = [text(f"launch_readiness.why_{name}", result.language) for name in judged.why]
    return {
        "id": item.id,
        "item": item.item,
        "function": item.function,
        "owner": item.owner,
        "due": due,
        "days_left": (due - result.now.day).days if due else None,
        "slip_days": result.slips.get(identity(item)),
        "status": item.status,
        "counts_as": text(f"launch_readiness.counts_{judged.counts}", result.language),
        "ready": float(judged.counts == "green"),
        "blocking": item.blocking,
        "weight": item.weight,
        "evidence": item.evidence,
        "why": ", ".join(why),
    }


def evidence(result: ReadinessResult) -> list[Evidence]:
    """Return the weighted readiness: what people say of themselves, each with a proof."""
    launch, share = result.launch, result.now.readiness
    points = dict.fromkeys(("p5", "p50", "p95"), share)
    return [
        Evidence(
            id=f"{launch.slug}/readiness",
            kind="descriptive",
            statement=("launch_readiness.evidence", {"launch": launch.shown_title}),
            quantity=Quantity("quantiles", points, share, None, None, 0.9),
            unit="share",
            per="once",
            period=(None, result.as_of),
            population=launch.shown_title,
            claim=f"readiness:{launch.slug}",
            benefit="quality",
            grade="E",
            sources=result.sources,
            date=result.as_of,
            owner=launch.owner,
        )
    ]
