"""The record of an estimate: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from opslab.evidence import Evidence, Quantity
from opslab.uncertainty.distributions import Distribution, quantile

if TYPE_CHECKING:
    from opslab.timesaved.result import Saving, TimeSavedResult

SCHEMA = "opslab.timesaved/1"
POINTS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
"""Shares whose quantiles stand for a distribution in the evidence."""


def record(result: TimeSavedResult) -> dict[str, Any]:
    """Return the result as JSON takes it: no prose, missing numbers null."""
    names = ("draws", "seed", "rate", "factor", "currency", "base", "action")
    plain = {name: getattr(result, name) for name in names}
    lists = {name: [asdict(one) for one in getattr(result, name)] for name in ("drivers", "checks")}
    return (
        plain
        | lists
        | {
            "schema": SCHEMA,
            "as_of": result.as_of.isoformat() if result.as_of else None,
            "inputs": [
                {"file": one.name, "sha256": one.sha256} for one in result.sources if one.sha256
            ],
            "status": "check_failed" if result.action == "stop" else "complete",
            "plan": result.inventory.model_dump(
                mode="json", exclude={"lines", "measurements", "past"}
            ),
            "people": dict(result.people),
            "gross": result.gross,
            "sums": [
                {"kind": kind, "name": name} | asdict(one)
                for (kind, name), one in result.sums.items()
            ],
            "savings": [saving(one) for one in result.savings],
            "known": [_known(one, "stated", "used") for one in result.known],
            "updates": [
                _known(one, "stated", "prior", "data", "posterior") for one in result.updates
            ],
            "imports": [one.record() for one in result.readings],
            "evidence": [one.record() for one in evidence(result)],
        }
    )


def saving(one: Saving) -> dict[str, Any]:
    """Return one task as JSON takes it."""
    return asdict(one) | {"rows": list(one.rows), "parts": dict(one.parts), "full": list(one.full)}


def _known(one: Any, *distributions: str) -> dict[str, Any]:
    return asdict(one) | {name: _ends(getattr(one, name)) for name in distributions}


def _ends(one: Distribution) -> Any:
    family = {"family": type(one).__name__.lower(), "mean": one.mean}
    return family | {
        "low": quantile(one, 0.05),
        "median": quantile(one, 0.5),
        "high": quantile(one, 0.95),
    }


def evidence(result: TimeSavedResult) -> list[Evidence]:
    """Return each task's hours a year once all use the change: the case applies adoption and recapture.

    Quantiles stand for the distribution; the tasks are independent of one another.
    """
    found = []
    for one in result.savings if result.action != "stop" else ():
        named = {"task": one.task, "role": one.role, "initiatives": [name for name, _ in one.parts]}
        quantiles = {
            f"p{share * 100:g}": value for share, value in zip(POINTS, one.full, strict=True)
        }
        found.append(
            Evidence(
                id=f"{result.inventory.slug}/{one.role}/{one.task}",
                kind="causal"
                if one.grade < "E"
                else "descriptive"
                if one.grade == "E"
                else "opinion",
                statement=("timesaved.evidence", named),
                quantity=Quantity(
                    "quantiles", quantiles, one.full_mean, quantiles["p5"], quantiles["p95"], 0.9
                ),
                unit="hours",
                per="year",
                period=(None, None),
                population=one.role,
                claim=f"hours:{one.role}/{one.task}",
                benefit=one.benefit,
                grade=one.grade,
                sources=result.sources,
                date=result.as_of,
                owner=one.owner or result.inventory.owner,
            )
        )
    return found
