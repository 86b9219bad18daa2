"""The ten questions that sponsors and finance ask, answered from the case; how it was computed."""

from __future__ import annotations

from typing import Any

from opslab.businesscase.result import SAID, CaseResult, Line
from opslab.businesscase.voice import CaseVoice
from opslab.report.blocks import Points
from opslab.report.voice import Blocks

_QUESTIONS = (
    "euros",
    "measured",
    "worst_team",
    "same_hours",
    "adoption",
    "best_case",
    "wait",
    "last_year",
    "rate",
    "mind",
)
_COMPARED, _KINDS = ("A", "B"), ("hard", "capacity", "quality")
_METHOD = (
    "against_nothing",
    "rule",
    "timing",
    "ratios",
    "draws",
    "ranges",
    "independent",
    "recapture",
    "enabled",
    "shrunk",
    "scenarios",
    "knowing",
    "grades",
    "rounding",
    "runs",
    "inputs",
)


def answers(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return each question with its answer."""
    steps = dict(result.waterfall)
    compared = [line.name for line in say.counted if _is_compared(line, say)]
    otherwise = {
        "euros": "" if steps["not_recaptured"] else "_none",
        "worst_team": "" if compared else "_none",
        "adoption": "" if steps["not_used"] else "_none",
        "last_year": "" if result.previous else "_none",
        "mind": "_switch" if any(one.switching is not None for one in result.drivers) else "",
    }
    values = _benefits(result, say) | _risks(result, say) | kept(result)
    rows = []
    for name in _QUESTIONS:
        reply = say(f"reply_{name}{otherwise.get(name, '')}", **values)
        if name == "wait" and result.case.stage:
            reply += f" {say('reply_stage')}"
        rows.append((say(f"question_{name}"), say.linked(reply)))
    return [say.table("answers_to", "challenge reply", rows)]


def _benefits(result: CaseResult, say: CaseVoice) -> dict[str, Any]:
    """Return what the replies name of the benefits."""
    best, steps = result.recommended, dict(result.waterfall)
    gross = steps["gross"] or 1.0
    grades = [line.grade for line in say.counted]
    said = sum(grade in SAID for grade in grades)
    load = [check for check in result.checks if check.name in ("capacity", "teams")]
    kinds = {kind: best.benefits[kind].mean if kind in best.benefits else 0.0 for kind in _KINDS}
    return {kind: say.money(value) for kind, value in kinds.items()} | {
        "roi": say.ratio(best.roi_hard),
        "lost": say.money(-steps["not_recaptured"]),
        "count": len(grades),
        "measured": len(grades) - said,
        "told": said,
        "names": [line.name for line in say.counted if _is_compared(line, say)],
        "fit": " ".join(say.message(check.detail) for check in load),
        "unused": -steps["not_used"] / gross,
        "decayed": -steps["decayed"] / gross,
    }


def _is_compared(line: Line, say: CaseVoice) -> bool:
    """Return whether what a benefit counts was measured against a comparison group."""
    return say.entries[line.refs[0]].grade in _COMPARED


def _risks(result: CaseResult, say: CaseVoice) -> dict[str, Any]:
    """Return what the replies name of waiting, other rates, turning points, the kill threshold."""
    kpi = result.case.kpis[0]
    switch = next((one for one in result.drivers if one.switching is not None), None)
    return {
        "idle_waiting": say.idle,
        "rates": [say("npv_at", rate=rate, npv=say.money(npv)) for rate, npv, _ in result.by_rate],
        "turn": say.turn(switch) if switch else "",
        "kpi": kpi.name,
        "kill": say.quantity(kpi.kill, kpi.unit),
    }


def kept(result: CaseResult) -> dict[str, Any]:
    """Return what is said of the last case: its NPV, and what became of its targets."""
    last, targets = result.previous, {"targets": len(result.case.kpis)}
    if last is None:
        return targets
    due = [target for target in result.targets if target.before and target.due <= result.as_of]
    states = [target.status for target in due]
    reached, owed = states.count("reached"), states.count("debt")
    return targets | {
        "due": len(due),
        "day": last.date,
        "then": last.npv,
        "reached": reached,
        "missed": len(due) - reached - owed,
        "owed": owed,
    }


def method(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the conventions of the computation, then runs and inputs by their hashes."""
    best, finance = result.recommended, result.case.finance
    shrunk = sorted({line.shrunk for line in result.lines if line.shrunk})
    values: dict[str, Any] = {
        "timing": say(f"timing_{finance.timing}"),
        "terms": say(f"terms_{finance.terms}"),
        "draws": result.draws,
        "seed": result.seed,
        "factor": result.factor,
        "error": say.exact(best.npv_error, finance.currency),
        "again": best.negative_again,
        "shrunk": [say.percent(factor, 0) for factor in shrunk],
        "runs": list(dict.fromkeys(entry.run for entry in result.ledger if entry.run)),
        "inputs": [f"{one.name} ({(one.sha256 or '?')[:8]})" for one in result.sources],
        "rule": say.rule,
        "enabled": result.enabled or [],
    }
    return [Points([say(f"method_{name}", **values) for name in _METHOD if values.get(name) != []])]
