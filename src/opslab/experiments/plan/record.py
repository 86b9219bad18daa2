"""The record of a plan: what ``result.json`` holds, the tidy table, and the spec as registered."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import yaml
from pydantic_core import to_jsonable_python

from opslab.experiments.plan.result import PlanResult
from opslab.messages import recorded

KEYS = ("metric",)
"""Columns of the frame that name a row."""
MAIN = ("units", "low", "high", "integer")
"""Columns that tell a row beside another result's, and how they are written; it has no limits."""
REGISTERED = "experiment.yaml"
"""Of a run's folder: the spec as it is registered."""
_SHORT = (
    "metric role arm source baseline deviation raw_deviation mde mde_kind detectable units days "
    "power alpha"
)
_PARTS = (
    "units days inflation average_units average_units_without fingerprint metrics weeks looks "
    "price traffic resampled sources"
)


class _Written(yaml.SafeDumper):
    """Writes a span of time as a spec has it."""


def _span(written: _Written, span: datetime.timedelta) -> Any:
    days = span / datetime.timedelta(days=1)
    return written.represent_str(f"{days:.0f}d" if days.is_integer() else f"{1440 * days:.12g}m")


_Written.add_representer(datetime.timedelta, _span)


def record(result: PlanResult) -> dict[str, Any]:
    """Return the area's part of the record: no prose, missing numbers null."""
    spec = result.experiment
    return {name: to_jsonable_python(getattr(result, name)) for name in _PARTS.split()} | {
        "schema": "opslab.experiment_plan/1",
        "inputs": [known for known in spec.inputs() if known["sha256"]],
        "registered": {
            "file": REGISTERED,
            "sha256": hashlib.sha256(result.files()[REGISTERED]).hexdigest(),
        },
        "plan": spec.model_dump(mode="json"),
        "imports": [reading.record() for reading in result.readings],
    }


def rows(result: PlanResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each metric: what it asks for, what the planned units find."""
    rows = []
    for metric in result.metrics:
        row = vars(metric) | {"detectable": metric.mde}
        row["mde_kind"], row["mde"] = row.pop("effect") or (None, None)
        row["not_plannable"] = metric.not_plannable and metric.not_plannable.key
        rows.append(row if full else {name: row[name] for name in _SHORT.split()})
    return rows


def evidence(result: PlanResult) -> list[Any]:
    """Return nothing: a plan has seen no effect."""
    del result
    return []


def files_of(result: PlanResult) -> dict[str, bytes]:
    """Return the spec as it is registered; its paths start where those of the spec itself do."""
    spec = result.experiment
    fields = {"title": spec.title} if spec.title else {}
    fields |= spec.model_dump(by_alias=True, exclude_defaults=True)
    text = yaml.dump(recorded(fields), Dumper=_Written, allow_unicode=True, sort_keys=False)
    return {REGISTERED: text.encode()}
