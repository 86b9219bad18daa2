"""What a study says of the world: each theme's share, and handling times before and after."""

from __future__ import annotations

from typing import Any

from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.feedback.result import FeedbackResult
from opslab.feedback.shares import beta_of
from opslab.feedback.since import worked

_MOST = 20
"""Themes; more stand in the tables alone."""


def evidence(result: FeedbackResult) -> list[Evidence]:
    """Return each theme's share of the messages, and the part of its handling time that went.

    The share is descriptive, of the grade of a survey; the time of that of logs before and after.
    It bears the claim of the inventory's task that it is of, so that it counts once.
    """
    total, study = len(result.assignments), result.study
    sources = tuple(
        SourceFile(reading.name, reading.sha256, reading.rows) for reading in result.intake.readings
    )
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
            quantity=Quantity(
                "beta",
                beta_of(*theme.interval),
                theme.share,
                *theme.interval,
                0.95,
            ),
            period=(study.start, study.end),
            population="message",
            claim=f"theme:{theme.title}",
            benefit="quality",
            grade="E",
            **alike,
        )
        for theme in result.themes[:_MOST]
    ]
    return shares + worked(result, alike)
