"""What a study says of the world: each theme's share, and handling times before and after."""

from __future__ import annotations

from typing import Any

from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.feedback.result import FeedbackResult
from opslab.feedback.shares import beta_of

_MOST = 20
"""Themes; more stand in the tables alone."""


def evidence(result: FeedbackResult) -> list[Evidence]:
    """Return each theme's share of the messages, and the part of its handling time that went.

    The share is descriptive, of the grade of a survey; the time of that of logs before and after.
    It bears the claim of the inventory's task that it is of, so that it counts once.
    """
    total, study, readings = len(result.assignments), result.study, result.intake.readings
    sources = tuple(SourceFile(each.name, each.sha256, each.rows) for each in readings)
    alike: dict[str, Any] = {
        "kind": "descriptive",
        "unit": "share",
        "per": "once",
        "sources": sources,
        "date": result.as_of,
        "owner": study.owner,
    }
    shares = [
        Evidence(
            id=f"{study.slug}/{theme.id}",
            statement=(
                "feedback.evidence",
                {"theme": theme.title, "messages": theme.messages, "total": total},
            ),
            quantity=Quantity("beta", beta_of(*theme.interval), theme.share, *theme.interval, 0.95),
            period=(study.start, study.end),
            population="message",
            claim=f"theme:{theme.title}",
            benefit="quality",
            grade="E",
            **alike,
        )
        for theme in result.themes[:_MOST]
    ]
    known: dict[str, Any] = {}
    for row in result.changes["done"]:
        if "saved" in row:  # of two on a day, the first
            known.setdefault(f"{study.slug}/{row['theme']}/{row['on']}", row)
    return shares + [
        Evidence(
            id=name,
            statement=("feedback.evidence_handling", {"theme": theme, "what": row["what"]}),
            quantity=Quantity.normal(row["saved"], row["saved_low"], row["saved_high"]),
            period=(row["on"], result.as_of),
            population=theme,
            claim=f"reduction:{row['role'] or ''}/{row['task'] or theme}",
            benefit="capacity",
            grade="D",
            **alike,
        )
        for name, row in known.items()
        for theme in [", ".join(result.theme(part).title for part in row["parts"])]
    ]


def measurement(result: FeedbackResult) -> dict[str, Any] | None:
    """Return what an inventory takes as measured: of what was done first that names its task."""
    for row in result.changes["done"]:
        if "saved" in row and row["task"]:
            return {
                "task": row["task"],
                "role": row["role"],
                "grade": "D",
                "quantity": "reduction",
                "basis": "before_after",
                "over": "everybody",
                "value": row["saved"],
                "low": row["saved_low"],
                "high": row["saved_high"],
            }
    return None
