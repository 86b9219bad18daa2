"""The record of a contribution, the evidence that it passes on, what the next run compares with."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence
from opslab.messages import recorded
from opslab.operations.contribution.result import ContributionResult, Total

KEYS = ("id", "run")
"""Columns of the frame that name a row."""
MAIN = ("value", "low", "high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_SHORT = """
    gain name id state grade value low high level unit per run counted_in
    change change_value change_low change_high
"""
_TOLD = "id claim grade kind unit per population run"
_NUMBERS = "value low high level"


def record(result: ContributionResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    runs = {claim.run.id: claim.run for claim in result.claims}
    return {
        "schema": "opslab.contribution/1",
        "inputs": result.contribution.inputs(*(run.file for run in runs.values())),
        "plan": result.contribution.model_dump(mode="json"),
        "action": result.action,
        "seed": result.seed,
        "totals": {total.gain: _recorded(total) for total in result.totals},
        "claims": [
            {name: recorded(cell) for name, cell in row.items()} for row in rows(result, full=True)
        ],
        "missing": [
            missing._asdict() | {"reason": missing.reason.record()} for missing in result.missing
        ],
        "previous_day": to_jsonable_python(result.previous_day),
        "passed": list(result.passed),
        "cites": [run.id for run in runs.values() if run.at_hand],
    }


def _recorded(total: Total) -> dict[str, Any]:
    return {
        "state": total.state,
        "grade": total.grade,
        "ids": [claim.evidence.id for claim in total.claims],
        "quantity": to_jsonable_python(total.quantity),
        "change": total.change._asdict(),
        "beside": [*map(_recorded, total.beside)],
    }


def rows(result: ContributionResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the claims as rows: what one works with, or every column there is."""
    every = [
        {name: getattr(claim, name) for name in ("gain", "name", "state", "counted_in")}
        | {name: getattr(claim.evidence, name) for name in _TOLD.split()}
        | {name: getattr(claim.evidence.quantity, name) for name in _NUMBERS.split()}
        | {f"change_{name}": cell for name, cell in claim.change._asdict().items()}
        | {"change": claim.change.kind, "conditions": [each.key for each in claim.conditions]}
        for claim in result.claims
    ]
    return [{name: row[name] for name in (row if full else _SHORT.split())} for row in every]


def evidence(result: ContributionResult) -> list[Evidence]:
    """Return what counts, as its runs say it: with their claims, no case counts it twice."""
    return [claim.evidence for claim in result.counted]
