"""The record of a case: what ``result.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslab.businesscase.options import OptionResult
    from opslab.businesscase.result import CaseResult, Entry, Target

SCHEMA = "opslab.case/1"
_PLAN = (
    "case",
    "version",
    "date",
    "owner",
    "sponsor",
    "ask",
    "decision",
    "finance",
    "calibration",
    "roadmap",
    "risks",
    "kpis",
    "debts",
    "teams",
)


def record(result: CaseResult) -> dict[str, Any]:
    """Return the result as JSON takes it: numbers, the analyst's own words, message keys."""
    plain = ("draws", "seed", "factor", "base", "all_low", "evpi", "waiting", "action", "cites")
    lists = ("differences", "lines", "drivers", "checks")
    plan = result.case.model_dump(mode="json", by_alias=True)
    return (
        {name: _plain(getattr(result, name)) for name in plain}
        | {name: [_plain(asdict(one)) for one in getattr(result, name)] for name in lists}
        | {
            "schema": SCHEMA,
            "as_of": result.as_of.isoformat(),
            "inputs": [
                {"file": one.name, "sha256": one.sha256} for one in result.sources if one.sha256
            ],
            "missing": [one.name for one in result.sources if not one.sha256],
            "status": "check_failed" if result.action == "stop" else "complete",
            "plan": {name: plan[name] for name in _PLAN},
            "options": [option(one) for one in result.options],
            "nothing": _plain(asdict(result.nothing)),
            "ledger": [_entry(one) for one in result.ledger],
            "waterfall": [{"step": name, "value": value} for name, value in result.waterfall],
            "by_rate": [
                dict(zip(("rate", "npv", "positive"), one, strict=True)) for one in result.by_rate
            ],
            "enabled": _plain(asdict(result.enabled)) if result.enabled else None,
            "targets": [_target(one) for one in result.targets],
            "previous": _plain(asdict(result.previous)) if result.previous else None,
            "evidence": [],
        }
    )


def option(one: OptionResult) -> dict[str, Any]:
    """Return one option as JSON takes it."""
    told: dict[str, Any] = _plain(asdict(one))
    return told


def _entry(one: Entry) -> dict[str, Any]:
    key, values = one.statement if isinstance(one.statement, tuple) else ("", {})
    statement: Any = {"key": key, "values": dict(values)} if key else one.statement
    return {name: _plain(value) for name, value in asdict(one).items()} | {"statement": statement}


def _target(one: Target) -> dict[str, Any]:
    names = ("promised", "measured", "posterior", "measured_share", "status", "before")
    told = {name: _plain(getattr(one, name)) for name in names}
    return told | {
        "id": one.kpi.id,
        "on": one.on.isoformat() if one.on else None,
        "due": one.due.isoformat(),
    }


def _plain(value: Any) -> Any:
    """Return a value in JSON's types: tuples as lists, days as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
