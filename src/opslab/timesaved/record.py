"""The record of an estimate: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from opslab.evidence import Evidence, Quantity
from opslab.timesaved.estimate import POINTS
from opslab.timesaved.result import Saving, TimeSavedResult
from opslab.uncertainty.distributions import quantile

SCHEMA = "opslab.timesaved/1"


def record(result: TimeSavedResult) -> dict[str, Any]:
    """Return the result as JSON takes it: no prose, missing numbers null."""
    return {
        "schema": SCHEMA,
        "as_of": result.as_of.isoformat() if result.as_of else None,
        "inputs": [{"file": one.name, "sha256": one.sha256} for one in result.sources if one.sha256],
        "status": "check_failed" if result.action == "stop" else "complete",
        "decision": {"action": result.action},
        "plan": result.inventory.record(),
        "draws": result.draws,
        "seed": result.seed,
        "calibration": {"hit_rate": result.rate, "factor": result.factor, "past": len(result.past)},
        "currency": result.currency,
        "steps": dict(result.steps),
        "together": list(result.together),
        "sums": [{"kind": kind, "name": name} | asdict(one) for (kind, name), one in result.sums.items()],
        "savings": [saving(one) for one in result.savings],
        "base": result.base,
        "drivers": [asdict(one) for one in result.drivers],
        "promised": [
            {"name": one.name, "row": one.row, "assumed": one.assumed, "low": quantile(one.stated, 0.05),
             "high": quantile(one.stated, 0.95), "family": type(one.used).__name__.lower(), "used": asdict(one.used)}
            for one in result.known
        ],
        "updates": [asdict(one) for one in result.updates],
        "checks": [asdict(one) for one in result.checks],
        "imports": [one.record() for one in result.readings],
        "evidence": [one.record() for one in evidence(result)],
    }  # fmt: skip


def saving(one: Saving) -> dict[str, Any]:
    """Return one task as JSON takes it."""
    return asdict(one) | {"rows": list(one.rows), "parts": dict(one.parts)}


def evidence(result: TimeSavedResult) -> list[Evidence]:
    """Return each task's hours a year once all use the change: adoption and recapture are the case's to apply.

    Quantiles stand for the distribution: tasks are drawn independently of one another. Training is a second
    piece, once, below 0.
    """
    if result.action == "stop":
        return []
    found = []
    for one in result.savings:
        named = {"task": one.task, "role": one.role, "initiatives": [name for name, _ in one.parts]}
        kind = "causal" if one.grade < "E" else "descriptive" if one.grade == "E" else "opinion"
        quantiles = {f"p{share * 100:g}": value for share, value in zip(POINTS, one.full, strict=True)}
        hours = Quantity("quantiles", quantiles, one.full_mean, quantiles["p5"], quantiles["p95"], 0.9)
        pieces = [("hours", "year", hours)]
        if one.training:
            pieces.append(("training", "once", Quantity("fixed", {}, -one.training, None, None, 0.9)))
        found += [
            Evidence(
                id=f"{result.inventory.slug}/{claim}/{one.role}/{one.task}",
                kind=kind,
                statement=(f"timesaved.evidence_{claim}", named),
                quantity=quantity,
                unit="hours",
                per=per,
                period=(None, None),
                population=one.role,
                claim=f"{claim}:{one.role}/{one.task}",
                benefit=one.benefit,
                grade=one.grade,
                sources=result.sources,
                date=result.as_of,
                owner=one.owner or result.inventory.owner,
            )
            for claim, per, quantity in pieces
        ]
    return found
