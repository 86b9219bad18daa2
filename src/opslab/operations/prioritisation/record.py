"""The record of a prioritisation: what ``result.json`` holds."""

from __future__ import annotations

from typing import Any

from opslab.evidence import Evidence
from opslab.operations.prioritisation.result import PrioritisationResult

KEYS = ("item",)
"""Columns of the frame that name a row."""
MAIN = ("rice", "rice_low", "rice_high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_BESIDE = ("reasons", "evidence")


def record(result: PrioritisationResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    ratings = result.ratings
    names = ("draws", "seed", "action", "alone", "undecided", "concordance", "stability")
    return {name: getattr(result, name) for name in names} | {
        "schema": "opslab.prioritisation/1",
        "inputs": result.backlog.inputs(),
        "plan": result.backlog.model_dump(mode="json"),
        "counts": ratings.counts,
        "stated": ratings.scores,
        "standings": rows(result, full=True),
        "imports": [reading.record() for reading in ratings.readings if reading],
    }


def rows(result: PrioritisationResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the items as rows: what one works with, or every column there is."""
    return [
        {name: value for name, value in standing._asdict().items() if full or name not in _BESIDE}
        for standing in result.standings
    ]


def evidence(result: PrioritisationResult) -> list[Evidence]:
    """Return nothing: an order is a choice, and no gain that a case could count."""
    del result
    return []


def sheets(result: PrioritisationResult) -> dict[str, list[dict[str, Any]]]:
    """Return what each rater states of each item, as rows."""
    views = [view for said in result.views for view in said]
    return {
        "ratings": [
            {"item": view.rating.item, "rater": view.rater, "row": view.row} | view.stated
            for view in views
        ]
    }
