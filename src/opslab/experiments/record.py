"""The record of an analysis: what ``result.json`` holds, the tidy table, and the evidence."""

from __future__ import annotations

import datetime
import math
from dataclasses import is_dataclass
from typing import Any

from scipy.special import ndtri

from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.experiments.gate import GRADES, state_of
from opslab.experiments.result import BESIDE, NO_EFFECT, Comparison, ExperimentResult
from opslab.experiments.sentences import is_share
from opslab.messages import text
from opslab.results import Message, flat

_LEAST_FREEDOM = 2  # below it Student's t has no variance, and a case could not draw it
KEYS = ("metric", "arm", "segment")
"""Columns of the frame that name a row."""
MAIN = ("lift", "lift_low", "lift_high", "signed_percent")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_SHORT = (
    "metric role arm segment n n_control estimate estimate_control difference difference_low "
    "difference_high lift lift_low lift_high p_value p_adjusted verdict"
)
SCHEMA = "opslab.experiment/1"
_PARTS = "interactions trends companions days decision paths posteriors peeking"
_ENDS = {
    **dict.fromkeys(("n", "missing", "estimate"), ("arm", "control")),
    **dict.fromkeys(("difference_interval", "lift_interval", "bounds"), ("low", "high")),
    **dict.fromkeys(("margin", "mde"), ("kind", "size")),
}


def record(result: ExperimentResult) -> dict[str, Any]:
    """Return the area's part of the record: no prose, missing numbers null."""
    plan, data = result.plan, result.data_used
    declared, used = plain(plan) | {"weights": dict(plan.weights)}, plain(data)
    del declared["title"], used["reading"], used["events"]  # words for readers; told as imports
    themes = {"themes": named} if (named := declared.pop("themes")) else {}
    readings = [reading for reading in (data.reading, data.events) if reading]
    files = [(plan.spec, plan.spec_sha256), *((one.name, one.sha256) for one in readings)]
    return {
        "schema": SCHEMA,
        "inputs": [{"file": file, "sha256": sha256} for file, sha256 in files if file and sha256],
        "plan": declared,
        **themes,
        "arms": plain(result.arms),
        "comparisons": plain((*result.comparisons, *result.segments)),
        **{name: plain(getattr(result, name)) for name in _PARTS.split()},
        "imports": [reading.record() for reading in readings],
        "data": {"rows": data.reading.rows, **used},
    }


def plain(value: Any) -> Any:
    """Return a value of a result as JSON takes it, each of a pair by its name."""
    if isinstance(value, Message):
        return value.record()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(map(plain, value))
    if not is_dataclass(value):
        return value
    return {
        name: dict(zip(_ENDS[name], part, strict=True))
        if name in _ENDS and isinstance(part, tuple) and part
        else plain(part)
        for name, part in vars(value).items()
    }


def rows(result: ExperimentResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each metric and arm, and after them one for each in each segment.

    With ``full`` it has every column there is. The verdict is the page's word for it; in a segment
    there is none.
    """
    rows = []
    for compared in (*result.comparisons, *result.segments):
        row = plain(compared)
        row |= {name: row[name] or plain(NO_EFFECT) for name in BESIDE}
        for name in ("margin", "mde"):
            amount = row[name] or {}
            row |= {name: amount.get("size"), f"{name}_kind": amount.get("kind")}
        row["not_estimable"] = compared.not_estimable.key if compared.not_estimable else None
        row["segment"], verdict = compared.segment or "", ""
        if compared.segment is None:
            key = "not_used" if result.broken else compared.verdict
            verdict = text(f"experiments.verdict_{key}", result.language)
        row["verdict"] = verdict
        del row["notes"]
        cells = {
            name.replace("_interval", "").removesuffix("_arm"): cell
            for name, cell in flat(row).items()
        }
        rows.append(cells if full else {name: cells[name] for name in _SHORT.split()})
    return rows


def evidence(result: ExperimentResult) -> list[Evidence]:
    """Return the effects on the primary metrics as evidence: of grade A on sound data, else B."""
    plan, data, grade = result.plan, result.data_used, GRADES[state_of(result.checks)]
    sources = [SourceFile(data.reading.name, data.reading.sha256, data.rows_used)]
    if data.events is not None:
        sources.append(SourceFile(data.events.name, data.events.sha256, data.events.rows))
    return [
        Evidence(
            id=f"{plan.slug}/{compared.metric}/{compared.arm}",
            kind="causal",
            statement=(
                "experiments.evidence",
                {name: getattr(compared, name) for name in ("metric", "arm", "control")},
            ),
            quantity=_quantity(compared, 1 - plan.alpha, plain=plan.method == "fixed"),
            unit="share" if is_share(compared) else compared.metric,
            per="unit",
            period=(plan.start, plan.end),
            population=plan.unit,
            claim=f"metric:{compared.metric}",
            benefit="enabled",
            grade=grade,
            sources=tuple(sources),
            date=result.as_of,
            owner=plan.owner,
        )
        for compared in result.comparisons
        if grade and compared.role == "primary" and compared.difference is not None
        if (compared.degrees_of_freedom or math.inf) > _LEAST_FREEDOM
    ]


def _quantity(compared: Comparison, level: float, *, plain: bool) -> Quantity:
    value = compared.difference or 0.0
    low, high = compared.difference_interval
    if not plain or compared.standard_error is None or compared.degrees_of_freedom is None:
        # The score test gives no standard error, and that of a design that was looked at on the way
        # is not all there is: the normal with the width of the interval stands for it.
        scale = ((high or 0.0) - (low or 0.0)) / (2 * float(ndtri((1 + level) / 2)))
        return Quantity("normal", {"location": value, "scale": scale}, value, low, high, level)
    parameters = {
        "location": value,
        "scale": compared.standard_error,
        "degrees_of_freedom": compared.degrees_of_freedom,
    }
    return Quantity("student_t", parameters, value, low, high, level)
