"""The ten questions that sponsors and finance ask, answered from the case; how it was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opslab.businesscase.sentences import MEASURED, Voice

if TYPE_CHECKING:
    from opslab.businesscase.result import CaseResult

_COMPARED, _KINDS = ("A", "B"), ("hard", "capacity", "quality")
_METHOD = (
    "against_nothing",
    "timing",
    "ratios",
    "draws",
    "ranges",
    "independent",
    "recapture",
    "shrunk",
    "scenarios",
    "knowing",
    "grades",
    "rounding",
    "runs",
    "inputs",
)


def answers(result: CaseResult, say: Voice) -> list[tuple[str, str]]:
    """Return each question with its answer."""
    case, best, steps, last = (
        result.case,
        result.recommended,
        dict(result.waterfall),
        result.previous,
    )
    counted = [one for one in say.lines if one.counted]
    measured = sum(one.grade in MEASURED for one in counted)
    compared = [one.name for one in counted if one.grade in _COMPARED]
    kept = [one for one in result.targets if one.before]
    gross, kpi = steps["gross"] or 1.0, case.kpis[0]
    switch = next((one for one in result.drivers if one.switching is not None), None)
    values: dict[str, Any] = {
        **{
            kind: say.money(best.benefits[kind].p50 if kind in best.benefits else 0.0)
            for kind in _KINDS
        },
        "roi": say.ratio(best.roi_hard),
        "lost": say.money(-steps["not_recaptured"]),
        "count": len(counted),
        "measured": measured,
        "told": len(counted) - measured,
        "names": compared,
        "targets": len(case.kpis),
        "fit": " ".join(
            say.check(one) for one in result.checks if one.name in ("capacity", "teams")
        ),
        "unused": -steps["not_used"] / gross,
        "decayed": -steps["decayed"] / gross,
        "npv": best.npv,
        "chance": best.positive[0],
        "worst": say.money(best.worst),
        "nothing": result.nothing.costs,
        "months": case.finance.wait_months,
        "loss": say.money(result.waiting),
        "kpi": kpi.name,
        "kill": say.quantity(kpi.kill, kpi.unit),
        "kept": len(kept),
        "day": last.date if last else None,
        "then": last.npv if last else None,
        "reached": sum(one.status == "reached" for one in kept),
        "owed": sum(one.status == "debt" for one in kept),
        "rates": [say("at_rate", rate=rate, npv=say.money(npv)) for rate, npv, _ in result.by_rate],
        "name": say.named(switch.id) if switch else "",
        "value": say.quantity(switch.switching or 0.0, say.unit_of(switch.id)) if switch else "",
    }
    keys = {
        "euros": "euros",
        "measured": "measured",
        "worst_team": "worst_team" if compared else "worst_team_none",
        "same_hours": "same_hours",
        "adoption": "adoption",
        "best_case": "best_case",
        "wait": "wait",
        "last_year": "last_year" if last else "last_year_none",
        "rate": "rate",
        "mind": "mind_switch" if switch else "mind",
    }
    return [(say(f"question_{name}"), say(f"reply_{key}", **values)) for name, key in keys.items()]


def method(result: CaseResult, say: Voice) -> list[str]:
    """Return the conventions of the computation, a sentence each, then runs and inputs by their hashes."""
    best, finance = result.recommended, result.case.finance
    values: dict[str, Any] = {
        "timing": say(f"timing_{finance.timing}"),
        "terms": say(f"terms_{finance.terms}"),
        "rate": finance.rate,
        "months": finance.horizon_months,
        "start": finance.start,
        "draws": result.draws,
        "seed": result.seed,
        "factor": result.factor,
        "error": say.exact(best.npv_error, finance.currency),
        "nothing": result.nothing.name,
        "again": best.negative_again,
        "shrunk": [
            say.percent(one) for one in sorted({one.shrunk for one in result.lines if one.shrunk})
        ],
        "runs": list(dict.fromkeys(one.run for one in result.ledger if one.run)),
        "inputs": [f"{one.name} ({(one.sha256 or '?')[:12]})" for one in result.sources],
    }
    return [say(f"method_{name}", **values) for name in _METHOD if values.get(name, True) != []]
