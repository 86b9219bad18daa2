"""The record of an estimate: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from opslab.evidence import Evidence, Grade, Kind, Quantity
from opslab.messages import Bilingual, text
from opslab.results import flat
from opslab.timesaved.result import POINTS, Saving, TimeSavedResult
from opslab.uncertainty.distributions import Distribution, quantile

KEYS = ("task", "role")
"""Columns of the frame that name a row."""
MAIN = ("hours_freed", "low", "high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
SCHEMA = "opslab.timesaved/1"
_KINDS: dict[Grade, Kind] = {"E": "descriptive", "F": "opinion"}


def record(result: TimeSavedResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    names = ("draws", "seed", "rate", "factor", "currency", "base", "action", "gross")
    beside = {"lines", "measurements", "past"}
    return {name: getattr(result, name) for name in names} | {
        "schema": SCHEMA,
        "inputs": result.inventory.inputs(*result.cited),
        "plan": result.inventory.model_dump(mode="json", exclude=beside),
        "people": dict(result.people),
        "sums": [
            {"kind": kind, "name": name} | asdict(summary)
            for (kind, name), summary in result.sums.items()
        ],
        "savings": [_saving(saving) for saving in result.savings],
        "drivers": [asdict(driver) for driver in result.drivers],
        "known": [_quantity(quantity, "stated", "used") for quantity in result.known],
        "updates": [
            _quantity(update, "stated", "prior", "data", "posterior") for update in result.updates
        ],
        "imports": [reading.record() for reading in result.readings],
    }


def rows(result: TimeSavedResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the tasks as rows: what one works with, or every column there is."""
    if full:
        return [flat(_saving(saving)) for saving in result.savings]
    return [
        {
            "task": saving.task,
            "role": saving.role,
            "initiatives": Bilingual.joined(", ", [*dict(saving.parts)]),
            "hours_today": saving.gross,
            "hours_freed": saving.freed.mean,
            "low": saving.freed.low,
            "high": saving.freed.high,
            "recaptured": saving.recaptured,
            "full_use": saving.full_mean,
            "benefit": text(f"timesaved.benefit_{saving.benefit}", result.language),
            "grade": saving.grade,
            "owner": saving.owner,
        }
        for saving in result.savings
    ]


def sheets(result: TimeSavedResult) -> dict[str, list[dict[str, Any]]]:
    """Return every quantity as stated and as drawn, as rows."""
    return {"quantities": [flat(_quantity(known, "stated", "used")) for known in result.known]}


def _saving(saving: Saving) -> dict[str, Any]:
    lists = {"rows": list(saving.rows), "parts": dict(saving.parts), "full": list(saving.full)}
    return asdict(saving) | lists


def _quantity(quantity: Any, *distributions: str) -> dict[str, Any]:
    ends = {name: _ends(getattr(quantity, name)) for name in distributions}
    return asdict(quantity) | ends


def _ends(distribution: Distribution) -> dict[str, Any]:
    points = {"low": 0.05, "median": 0.5, "high": 0.95}
    return {"family": type(distribution).__name__.lower(), "mean": distribution.mean} | {
        name: quantile(distribution, share) for name, share in points.items()
    }


def evidence(result: TimeSavedResult) -> list[Evidence]:
    """Return each task's hours a year once all use the change.

    The case applies adoption and recapture.

    Quantiles stand for the distribution; the tasks are independent of one another.
    """
    known = []
    for saving in result.savings:
        task, role = saving.task, saving.role
        points = {f"p{at * 100:g}": value for at, value in zip(POINTS, saving.full, strict=True)}
        hours = Quantity("quantiles", points, saving.full_mean, points["p5"], points["p95"], 0.9)
        named = {"task": task, "role": role, "initiatives": [*dict(saving.parts)]}
        known.append(
            Evidence(
                id=f"{result.inventory.slug}/{role}/{task}",
                kind=_KINDS.get(saving.grade, "causal"),
                statement=("timesaved.evidence", named),
                quantity=hours,
                unit="hours",
                per="year",
                period=(None, None),
                population=role,
                claim=f"hours:{role}/{task}",
                benefit=saving.benefit,
                grade=saving.grade,
                sources=result.sources,
                date=result.as_of,
                owner=saving.owner or result.inventory.owner,
            )
        )
    return known
