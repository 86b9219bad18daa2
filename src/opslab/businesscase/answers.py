"""The ten questions that sponsors and finance ask of a case, answered from its own numbers; how it was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opslab.businesscase.sentences import MEASURED, Voice

if TYPE_CHECKING:
    from opslab.businesscase.result import CaseResult

_COMPARED = ("A", "B")
_QUESTIONS = ("euros", "measured", "worst_team", "same_hours", "adoption", "best_case", "wait", "last_year", "rate",
              "mind")  # fmt: skip
_METHOD = ("against_nothing", "timing", "ratios", "draws", "ranges", "independent", "recapture", "shrunk", "scenarios",
           "knowing", "grades", "rounding")  # fmt: skip


def answers(result: CaseResult, say: Voice) -> list[tuple[str, str]]:
    """Return each question with its answer."""
    given = _figures(result, say)
    return [
        (
            say(f"businesscase.question_{name}"),
            say(f"businesscase.reply_{given[name].pop('key', name)}", **given[name]),
        )
        for name in _QUESTIONS
    ]


def _figures(result: CaseResult, say: Voice) -> dict[str, dict[str, Any]]:
    case, best = result.case, result.recommended
    counted = [one for one in result.lines if one.counted]
    measured = [one for one in counted if one.grade in MEASURED]
    compared = [one.name for one in counted if one.grade in _COMPARED]
    nothing = say.money(0.0)
    worth = {kind: say.money(best.benefits[kind].p50) if kind in best.benefits else nothing
             for kind in ("hard", "capacity", "quality")}  # fmt: skip
    steps = dict(result.waterfall)
    gross = steps["gross"] or 1.0
    rates = [say("businesscase.at_rate", rate=rate, npv=say.money(npv)) for rate, npv, _ in result.by_rate]
    switches = [one for one in result.drivers if one.switching is not None]
    mind: dict[str, Any] = {"kpi": case.kpis[0].name, "kill": _one(case.kpis[0].kill, case.kpis[0].unit, say)}
    if switches:
        first = switches[0]
        value = _one(first.switching or 0.0, say.unit_of(first.id), say)
        mind |= {"key": "mind_switch", "name": say.named(first.id), "value": value}
    kept = [one for one in result.targets if one.before]
    last: dict[str, Any] = {"key": "last_year_none", "count": len(case.kpis)}
    if result.previous:
        last = {"day": say.day(result.previous.date), "npv": say.money(result.previous.npv.p50), "count": len(kept),
                "reached": sum(one.status == "reached" for one in kept),
                "owed": sum(one.status == "debt" for one in kept)}  # fmt: skip
    return {
        "euros": worth | {"roi": say.ratio(best.roi_hard), "lost": say.money(-steps["not_recaptured"])},
        "measured": {"count": len(counted), "measured": len(measured), "told": len(counted) - len(measured)},
        "worst_team": {"key": "worst_team" if compared else "worst_team_none", "names": compared, "count": len(counted)},
        "same_hours": {"sentence": _capacity(result, say)},
        "adoption": {"unused": -steps["not_used"] / gross, "decayed": -steps["decayed"] / gross},
        "best_case": {"low": say.money(best.npv.p10), "high": say.money(best.npv.p90), "chance": best.positive[0],
                      "worst": say.money(best.worst)},
        "wait": {"nothing": say.money(result.nothing.costs.p50), "months": case.finance.wait_months,
                 "loss": say.money(result.waiting)},
        "last_year": last,
        "rate": {"rates": rates},
        "mind": mind,
    }  # fmt: skip


def _one(value: float, unit: str, say: Voice) -> str:
    return say.quantities([value], unit)[0]


def _capacity(result: CaseResult, say: Voice) -> str:
    """Return what the check of hours against contracts found; nothing where the case names no teams."""
    return next((say.check(one) for one in result.checks if one.name == "capacity"), "")


def method(result: CaseResult, say: Voice) -> list[str]:
    """Return the conventions of the computation, a sentence each, then runs and inputs by their hashes."""
    case, best = result.case, result.recommended
    finance = case.finance
    values = {
        "timing": say(f"businesscase.timing_{finance.timing}"), "terms": say(f"businesscase.terms_{finance.terms}"),
        "rate": finance.rate, "months": finance.horizon_months, "start": finance.start, "draws": result.draws,
        "seed": result.seed, "factor": result.factor, "error": say.exact(best.npv_error, finance.currency),
        "nothing": result.nothing.name, "again": best.negative_again,
        "factors": [one.shrunk for one in result.lines if one.shrunk is not None],
    }  # fmt: skip
    told = [
        say(f"businesscase.method_{name}", **values)
        for name in _METHOD
        if name != "shrunk" or values["factors"]
    ]
    runs = list(dict.fromkeys(one.run for one in result.ledger if one.run))
    if runs:
        told.append(say("businesscase.method_runs", runs=runs))
    inputs = [f"{one.name} ({(one.sha256 or '?')[:12]})" for one in result.sources]
    return [*told, say("businesscase.method_inputs", files=inputs)] if inputs else told
