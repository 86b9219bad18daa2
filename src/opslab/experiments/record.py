"""The record of an analysis: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import Any

from scipy.special import ndtri

from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.experiments.result import Comparison, Effect, ExperimentResult
from opslab.results import Check, Message

SCHEMA = "opslab.experiment/1"
_BESIDE = ("raw", "uncapped", "diluted")


def record(result: ExperimentResult) -> dict[str, Any]:
    """Return the result as JSON takes it: no prose, missing numbers null."""
    plan = result.plan
    return {
        "schema": SCHEMA,
        "as_of": _day(result.as_of),
        "inputs": inputs(result),
        "status": "check_failed" if result.broken else "complete",
        "plan": asdict(plan)
        | {"start": _day(plan.start), "end": _day(plan.end), "weights": dict(plan.weights)},
        "arms": [asdict(arm) for arm in result.arms],
        "checks": [check(one) for one in result.checks],
        "comparisons": [comparison(one) for one in (*result.comparisons, *result.segments)],
        "interactions": [
            asdict(one)
            | {"not_estimable": message(one.not_estimable) if one.not_estimable else None}
            for one in result.interactions
        ],
        "trends": [asdict(one) for one in result.trends],
        "decision": asdict(result.decision)
        | {"reasons": [message(one) for one in result.decision.reasons]},
        "imports": [
            reading.record() for reading in (result.data.reading, result.data.events) if reading
        ],
        "data": {
            "rows": result.data.reading.rows,
            "rows_used": result.data.rows_used,
            "outside_period": result.data.outside_period,
            "leaked_rows": result.data.leaked_rows,
            "horizon": _day(result.data.horizon),
            "trigger_rate": result.data.trigger_rate,
        },
        "evidence": [one.record() for one in evidence(result)],
    }


def inputs(result: ExperimentResult) -> list[dict[str, str]]:
    """Return the files that the analysis read, with the SHA-256 of their bytes: the spec, then the data."""
    files = (
        (result.plan.spec, result.plan.spec_sha256),
        *(
            (reading.name, reading.sha256)
            for reading in (result.data.reading, result.data.events)
            if reading
        ),
    )
    return [{"file": file, "sha256": sha256} for file, sha256 in files if file and sha256]


def check(one: Check) -> dict[str, Any]:
    """Return one check as JSON takes it."""
    return asdict(one) | {"detail": message(one.detail)}


def comparison(one: Comparison, *, flat: bool = False) -> dict[str, Any]:
    """Return one comparison as JSON takes it, or ``flat``: a column for each figure."""
    pairs = {
        "n": ("arm", "control"),
        "missing": ("arm", "control"),
        "estimate": ("arm", "control"),
        "difference_interval": ("low", "high"),
        "lift_interval": ("low", "high"),
    }
    fields = asdict(one)
    kind, size = one.margin or (None, None)
    fields["margin"] = {"kind": kind, "size": size} if one.margin else None
    fields["not_estimable"] = message(one.not_estimable) if one.not_estimable else None
    fields["notes"] = [message(note) for note in one.notes]
    for shown in (fields, *(fields[name] or {} for name in _BESIDE)):
        for name, ends in pairs.items():
            if name in shown:
                shown[name] = dict(zip(ends, shown[name], strict=True))
    if not flat:
        return fields
    del fields["notes"]
    none = Effect(None, (None, None), None, (None, None), None)
    for beside in _BESIDE:
        other = fields.pop(beside) or asdict(none)
        fields |= {f"{beside}_{name}": value for name, value in other.items()}
    for name, ends in pairs.items():
        for place in (name, *(f"{beside}_{name}" for beside in _BESIDE)):
            if place not in fields:
                continue
            values = fields.pop(place)
            values = values.values() if isinstance(values, dict) else values
            fields |= {f"{place}_{end}": value for end, value in zip(ends, values, strict=True)}
    fields |= {"margin": size, "margin_kind": kind}
    fields["not_estimable"] = one.not_estimable.key if one.not_estimable else None
    return fields


def message(one: Message) -> dict[str, Any]:
    """Return a message as its key and values."""
    values = {
        name: _day(value) if isinstance(value, datetime.date) else value
        for name, value in one.values.items()
    }
    return {"key": one.key, "values": values}


def evidence(result: ExperimentResult) -> list[Evidence]:
    """Return the effects on the primary metrics as evidence of grade A: randomised, with logs."""
    if result.broken:
        return []
    reading = result.data.reading
    sources = [SourceFile(reading.name, reading.sha256, result.data.rows_used)]
    if result.data.events is not None:
        events = result.data.events
        sources.append(SourceFile(events.name, events.sha256, events.rows))
    found = []
    for one in result.comparisons:
        if one.role != "primary" or one.difference is None or (one.degrees_of_freedom or 3) <= 2:  # noqa: PLR2004 - t has no variance
            continue
        found.append(
            Evidence(
                id=f"{result.plan.slug}/{one.metric}/{one.arm}",
                kind="causal",
                statement=(
                    "experiments.evidence",
                    {"metric": one.metric, "arm": one.arm, "control": one.control},
                ),
                quantity=_quantity(one, 1 - result.plan.alpha),
                unit="share" if one.type == "proportion" else one.metric,
                per="unit",
                period=(result.plan.start, result.plan.end),
                population=result.plan.unit,
                claim=f"metric:{one.metric}",
                benefit="enabled",
                grade="A",
                sources=tuple(sources),
                date=result.as_of,
                owner=result.plan.owner,
            )
        )
    return found


def _quantity(one: Comparison, level: float) -> Quantity:
    value = one.difference or 0.0
    low, high = one.difference_interval
    if one.standard_error is None or one.degrees_of_freedom is None:
        # The score test gives no standard error: the normal with the width of its interval stands
        # for it.
        scale = ((high or 0.0) - (low or 0.0)) / (2 * float(ndtri((1 + level) / 2)))
        return Quantity("normal", {"location": value, "scale": scale}, value, low, high, level)
    parameters = {
        "location": value,
        "scale": one.standard_error,
        "degrees_of_freedom": one.degrees_of_freedom,
    }
    return Quantity("student_t", parameters, value, low, high, level)


def _day(value: datetime.date | None) -> str | None:
    return value.isoformat() if value else None
