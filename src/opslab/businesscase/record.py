"""The record of a case: what ``result.json`` holds."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from opslab.businesscase.result import CaseResult, Target
from opslab.evidence import Evidence
from opslab.messages import recorded, text
from opslab.results import flat

KEYS = ("name",)
"""Columns of the frame that name a row."""
MAIN = ("npv", "npv_low", "npv_high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
SCHEMA = "opslab.case/2"
_OWN = (
    "draws",
    "seed",
    "factor",
    "base",
    "all_low",
    "evpi",
    "waiting",
    "action",
    "cites",
    "options",
    "nothing",
    "differences",
    "choice",
    "worst_together",
    "parties",
    "risks",
    "posts",
    "lines",
    "drivers",
    "enabled",
    "previous",
)
_SERIES = {"fan", "years", "fiscal", "horizons", "scenarios"}
"""Of an option: what has more than one row."""
_NO_PLAN = {
    "runs",
    "sources",
    "previous",
    "evidence",
    "assumptions",
    "benefits",
    "costs",
    "options",
    "blocking",
}


def record(result: CaseResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: numbers and the analyst's own words."""
    own: dict[str, Any] = to_jsonable_python({name: getattr(result, name) for name in _OWN})
    for line, known in zip(own["lines"], result.lines, strict=True):
        line["name"] = recorded(known.name)
    for change in (own["previous"] or {}).get("changes", ()):
        change["told"] = change.pop("words")
    named = [(source.name, source.sha256) for source in result.sources]
    return own | {
        "schema": SCHEMA,
        "inputs": [{"file": name, "sha256": sha256} for name, sha256 in named if sha256],
        "wanted": {
            name: recorded(getattr(result.case.decision, name)) for name in ("wanted", "who")
        },
        "missing": [name for name, sha256 in named if not sha256],
        "plan": result.case.model_dump(mode="json", by_alias=True, exclude=_NO_PLAN),
        "ledger": [to_jsonable_python(entry) | {"share": entry.share} for entry in result.ledger],
        "waterfall": [{"step": name, "value": value} for name, value in result.waterfall],
        "by_rate": [rate._asdict() for rate in result.by_rate],
        "targets": [_target(target) for target in result.targets],
    }


def _target(target: Target) -> dict[str, Any]:
    shown: dict[str, Any] = to_jsonable_python(target)
    return shown | {"id": shown.pop("kpi")["id"]}


def rows(result: CaseResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the options as rows: what one works with, or every column there is."""
    if full:
        return [flat(to_jsonable_python(one, exclude=_SERIES)) for one in result.options]
    language, nothing = result.language, result.nothing
    kind, idle = text("businesscase.column_nothing", language), nothing.costs.mean
    none = {"name": nothing.name, "kind": kind, "npv": 0.0, "costs": idle}
    options = [
        {
            "name": option.name,
            "kind": text(f"businesscase.option_{option.kind}", language),
            "npv": option.npv.mean,
            "npv_low": option.npv.p10,
            "npv_high": option.npv.p90,
            "positive": option.positive[0],
            "worst": option.worst,
            "payback_months": option.payback,
            "benefits": option.benefits["all"].mean,
            "costs": option.costs.mean,
            "roi": option.roi,
            "hours": option.hours.mean,
            "fte": option.fte,
        }
        for option in result.options
    ]
    return [dict.fromkeys(options[0]) | none, *options]


def sheets(result: CaseResult) -> dict[str, list[dict[str, Any]]]:
    """Return the ledger, and the budget by fiscal year, as rows."""
    say = result.voice()
    ledger = [vars(entry) | {"statement": say.statement(entry.id)} for entry in result.ledger]
    budget = [
        {"name": option.name, **year._asdict()}
        for option in result.options
        for year in option.fiscal
    ]
    return {"ledger": ledger, "budget": budget}


def currency(result: CaseResult) -> str:
    """Return what the rows are in: those of another currency stand beside none of them."""
    return result.case.finance.currency


def evidence(result: CaseResult) -> list[Evidence]:
    """Return nothing: a case uses evidence up."""
    del result
    return []
