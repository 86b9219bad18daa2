"""The record of a review: what ``result.json`` holds, and the evidence in it."""

from math import sqrt
from typing import Any

from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.operations.launch_report.result import LaunchReportResult

KEYS = ("name",)
"""Columns of the frame that name a row."""
MAIN = ("after", "low", "high", "number")
"""Columns that tell a row beside another result's, its limits, how they are written."""
_SHORT = "name direction target by unit low before high after latest change state gaps"


def record(result: LaunchReportResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    names = ("action", "kpis", "feedback", "experiment", "gate", "calibration", "brier")
    return {name: to_jsonable_python(getattr(result, name)) for name in names} | {
        "schema": "opslab.launch_report/1",
        "inputs": result.review.inputs(),
        "plan": result.review.model_dump(mode="json"),
        "imports": [reading.record() for reading in result.readings],
    }


def rows(result: LaunchReportResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the figures as rows: what one works with, or every column there is."""
    return [
        {name: cell for name, cell in row.items() if full or name in _SHORT.split()}
        for row in result.kpis
    ]


def evidence(result: LaunchReportResult) -> list[Evidence]:
    """Return the difference of each figure that has limits: a description, and no cause."""
    rows = [row for row in result.kpis if row["change"] != "unknown"]
    return [_evidence(row, result) for row in rows if row["low"] < row["high"]]


def _evidence(row: dict[str, Any], result: LaunchReportResult) -> Evidence:
    review, name, value = result.review, row["name"], row["after"] - row["before"]
    since = sum(week >= 0 for week in row["weeks"])
    deviation = (row["high"] - row["before"]) / 3  # limits are three of them away
    error = deviation * sqrt(1 / since + 1 / (len(row["weeks"]) - since))
    ends = value, value - 1.96 * error, value + 1.96 * error
    return Evidence(
        id=f"{review.slug}/{name}",
        kind="descriptive",
        statement=("launch_report.evidence", {"name": name, "launch": review.review}),
        quantity=Quantity("normal", {"location": value, "scale": error}, *ends, 0.95),
        unit=row["unit"].replace("%", "share") or name,
        per="once",
        period=(review.launch_date, result.as_of),
        population=review.review,
        claim=f"metric:{name}",
        benefit="quality",
        grade="D",
        sources=result.sources,
        date=result.as_of,
        owner=review.owner,
    )
