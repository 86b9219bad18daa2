"""The record of a roadmap: what ``result.json`` holds, and what the next run compares with."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.operations.roadmap.result import RoadmapResult, Step

KEYS = ("initiative",)
"""Column of the frame that names a row."""
MAIN = ("slip_days", "slip_low", "slip_high", "decimal")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_OWN = "draws seed action planned half sure chance path merge_days previous_day dropped entered"
_SHORT = """
    id initiative owner horizon starts ends start half sure slip_days slip_low slip_high
    critical slack_days done tickets source moved_days
"""
_MONTH = 365.25 / 12  # days


def record(result: RoadmapResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    own = {name: getattr(result, name) for name in _OWN.split()}
    own |= {"steps": rows(result, full=True), "loads": [load._asdict() for load in result.loads]}
    return {
        "schema": "opslab.roadmap/1",
        "inputs": result.roadmap.inputs(),
        "imports": [reading.record() for reading in result.readings],
        **to_jsonable_python(own),
    }


def rows(result: RoadmapResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the initiatives as rows: what one works with, or every column there is."""
    names = Step._fields if full else _SHORT.split()
    return [{name: getattr(step, name) for name in names} for step in result.steps]


def evidence(result: RoadmapResult) -> Iterator[Evidence]:
    """Give by how many months each announced end slips, with its uncertainty.

    They count from the announced end, or from the day by which it is done in one course of twenty
    where that is earlier: so that announcing later, without work that moved, moves no case.
    Of a date of which nothing tells how sure it is there is no evidence.
    """
    past = result.slips
    known = {
        "finished": True,
        "window": past and past.used and past.unit == "days",
        "tickets": "ticket_record" not in {check.name for check in result.conditions},
    }
    for step in result.steps:
        if (ends := step.ends) and (step.uncertain or step.source == "finished"):
            typed = step.source == "window" and step.confidence
            early = max(math.ceil(-step.slip_low), 0)
            base = ends - datetime.timedelta(early)
            days = [-np.inf, (step.half - ends).days, (step.sure - ends).days, np.inf]
            moved = np.clip(days, step.slip_low, step.slip_high) + early
            low, half, sure, high = (moved / _MONTH).tolist()
            points = {"p5": low, "p50": half, "p85": sure, "p95": high}
            mean = (step.slip_days + early) / _MONTH
            yield Evidence(
                f"{result.roadmap.slug}/{step.id}",
                "descriptive",
                ("roadmap.evidence", {"initiative": step.initiative}),
                Quantity("quantiles", points, mean, low, high, 0.9),
                "month",
                "once",
                (min(step.starts or step.start, base), base),
                step.owner or "",
                f"slip:{result.roadmap.slug}/{step.id}",
                "quality",
                grade="D" if known.get(step.source) and not typed else "F",
                sources=result.sources,
                date=result.as_of,
                owner=step.owner or result.roadmap.owner,
            )
