"""The record of a launch: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.messages import text
from opslab.operations.launch_readiness.result import ReadinessResult

KEYS = ("item", "function")
"""Columns of the frame that name a row."""
MAIN = ("ready", "low", "high", "percent")
"""Columns that tell a row beside another result's, and how they are written."""
_MOST = 500  # of each kind in the record; the tables have them all
_LONG = {"launch", "row", "tier", "evidence", "reason"}


def record(result: ReadinessResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    launch, now = result.launch, result.now
    return {
        "schema": "opslab.launch_readiness/1",
        "inputs": launch.inputs(),
        "launch": launch.slug,
        **({"themes": launch.themes} if launch.themes else {}),
        "tier": launch.tier,
        "decision": result.action,
        "readiness": now.readiness,
        "threshold": launch.needed,
        "count": len(now.items),
        **to_jsonable_python(
            {
                "launch_date": launch.launch_date,
                "blockers": result.blockers[:_MOST],
                "conditions": result.demands[:_MOST],
                "items": now.items[:_MOST],
                "briefing": result.briefed,
                "trend": [
                    {
                        "date": known.day,
                        "readiness": known.readiness,
                        "blockers": known.blockers,
                    }
                    for known in result.states
                ],
            }
        ),
        "slips": result.slips,
        "imports": [reading.record() for reading in result.readings],
    }


def rows(result: ReadinessResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the items as rows: what one works with, or every column there is."""
    language = result.language
    return [
        judged.model_dump(exclude=set() if full else _LONG)
        | {
            "counts_as": text(f"launch_readiness.counts_{judged.counts_as}", language),
            "why": ", ".join(text(f"launch_readiness.why_{flag}", language) for flag in judged.why),
            "blocking": text(f"words.{'yes' if judged.blocking else 'no'}", language),
            "proof": judged.evidence,
            "ready": float(judged.counts_as == "green"),
        }
        for judged in result.now.items
    ]


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
