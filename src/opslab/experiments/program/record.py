"""The record of a program: what ``result.json`` holds, the tidy table, and the evidence."""

from typing import Any

from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.experiments.program.result import ProgramResult, ProgramTest

KEYS = ("test", "arm", "metric")
"""Columns of the frame that name a row."""
MAIN = ("shrunk", "shrunk_low", "shrunk_high", "signed_percent")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_FIELDS = (
    "action pooled wins losses by_rule success risk exaggeration wrong_sign periods "
    "broken_period impact cycles cycle_change"
)


def record(result: ProgramResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null.

    Of the tests the leading ones: the workbook beside it holds them all.
    """
    return {name: to_jsonable_python(getattr(result, name)) for name in _FIELDS.split()} | {
        "schema": "opslab.program/1",
        "tests": to_jsonable_python(result.leading),
        "inputs": result.program.inputs(),
        "plan": result.program.model_dump(mode="json", exclude={"tests", "ideas"}),
        "imports": [reading.record() for reading in result.readings],
    }


def rows(result: ProgramResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each test; with ``full`` its goal too."""
    names = [name for name in ProgramTest.__dataclass_fields__ if full or name != "goal"]
    return [{name: getattr(test, name) for name in names} for test in result.tests]


def evidence(result: ProgramResult) -> list[Evidence]:
    """Return by how much decisions came sooner since the standard: a description, no cause."""
    program, change = result.program, result.cycle_change
    if change is None:
        return []
    days, low, high, horizon = change
    parameters = {"location": days, "scale": (high - low) / 3.92}
    return [
        Evidence(
            id=f"{program.slug}/days",
            kind="descriptive",
            statement=("program.evidence", {"days": round(horizon)}),
            quantity=Quantity("normal", parameters, days, low, high, 0.95),
            unit="days",
            per="unit",
            period=(program.standardised, result.as_of),
            population=program.program,
            claim="days:idea to decision",
            benefit="quality",
            grade="D",
            sources=result.sources,
            date=result.as_of,
            owner=program.owner,
        )
    ]
