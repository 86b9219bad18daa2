"""The sponsor's document: the first screen, three pages to decide on, what stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from opslab.businesscase import annexes, pages
from opslab.businesscase.answers import answers, kept, method
from opslab.businesscase.commitments import Kpi
from opslab.businesscase.figures import figures
from opslab.businesscase.options import OptionResult
from opslab.businesscase.result import CaseResult
from opslab.businesscase.verdict import Estimated
from opslab.businesscase.voice import TONES, CaseVoice
from opslab.errors import ExtraError
from opslab.messages import Language
from opslab.report.blocks import Cell, Fact, Facts, Folded, Heading, Verdict
from opslab.report.pdf import pdf
from opslab.report.voice import Blocks
from opslab.workspace import slug

__all__ = ["PARTS", "document", "figures", "first_screen", "headline", "voice"]

_SECTIONS: Mapping[str, Callable[[CaseResult, CaseVoice], Blocks]] = {
    "decision": pages.decision,
    "options": pages.options,
    "depends": pages.depends,
    "promise": annexes.promise,
    "waterfall": annexes.waterfall,
    "scenarios": annexes.scenarios,
    "money": annexes.money,
    "ledger": annexes.ledger,
    "checks": annexes.checks,
    "answers": answers,
    "method": method,
}
_PAGES: Mapping[str, int | None] = {"one_page": 1, "three_pages": 3, "full": None}
"""How many sections a document of a length has."""
_NAMED = 2
"""Benefits and warnings that the first page names."""
_FOLDED = ("ledger", "answers", "method")
_WITHOUT_MONEY = ("ledger", "checks", "method")


def voice(result: CaseResult, language: Language) -> CaseVoice:
    """Return the voice of a case."""
    return CaseVoice(language, "businesscase", result)


def headline(result: CaseResult, say: CaseVoice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        wrong = [check for check in result.checks if check.blocking and check.status == "fail"]
        return say("headline_stop", why=" ".join(say.message(check.detail) for check in wrong))
    return say("headline", verdict=_verdict(result, say))


def _verdict(result: CaseResult, say: CaseVoice) -> str:
    """Return the sentence that says what the verdict rests on."""
    choice, best = result.choice, result.recommended
    match result.action:
        case "stage" | "defer" as action:
            gate = result.case.stage.ends if result.case.stage else None
            return say(f"verdict_{action}", rule=say.rule, day=gate)
        case "other":
            key = "verdict_other" if choice.margin < 0 else "verdict_meets"
            return say(key, npv=result.option(choice.best).npv, rule=say.rule)
        case "reject":
            return say("verdict_reject", lost=say.gained(-best.npv.mean))
        case "close":
            if result.wide or choice.margin == choice.error == 0:
                return say("verdict_wide" if result.wide else "verdict_same")
            if Estimated(choice.margin, choice.error).against(0):
                return f"{say.rule} {say('verdict_bound')}"
            apart, error = (say.exact(abs(n), say.currency) for n in (choice.margin, choice.error))
            return say("verdict_close", apart=apart, error=error)
    if best.payback is None:
        return say("verdict_never")
    return say("verdict_paid", payback=round(best.payback))


def first_screen(result: CaseResult, say: CaseVoice) -> Verdict:
    """Return the ask, what it brings, how sure that is, what to decide."""
    case = result.case
    stage = case.stage.name if case.stage else ""
    return Verdict(
        kicker=say("kicker", sponsor=case.sponsor),
        title=say.spoken(case.shown_title),
        question=say.spoken(case.ask.sentence),
        action=say(f"action_{result.action}", stage=stage),
        headline=headline(result, say),
        tone=TONES[result.action],
        facts=Facts(() if result.broken else _facts(result, say)),
        reasons=[say("not_to_use")] if result.broken else _reasons(result, say),
    )


def _facts(result: CaseResult, say: CaseVoice) -> list[Fact]:
    """Return what it costs now, what it brings, how likely a loss is, when it is paid back."""
    best, stage = result.recommended, result.case.stage
    year = say("until_year", year=say.fiscal(best.fiscal[0].start))
    until = say("until_stage", day=stage.ends) if stage else year
    never = [say("fact_never", share=best.never)] if best.payback else []
    lowest = "end" if best.peak.month == len(result.months) else "peak"
    words = say(f"fact_{lowest}", lowest=say.money(-best.peak.amount))
    advanced = [words] if best.peak.amount else []
    loss = best.loss[0]
    what = "_asked" if result.action == "other" else "_staged" if stage else ""
    terms = say(f"fact_terms{what}")
    return [
        say.fact("now", say.money(best.stage), until, *_set_aside(best, say), say("fact_budget")),
        say.fact("npv", say.money(best.npv.mean), say("fact_spread"), terms),
        say.fact("loss", say.percent(loss, 0), say.odds(loss), say("fact_worst")),
        say.fact("payback", say.months(best.payback), *never, *advanced),
    ]


def _set_aside(option: OptionResult, say: CaseVoice) -> list[str]:
    """Return what is set aside for risks, where that is something."""
    provision = say.money(option.provision)
    return [say("set_aside", provision=provision)] if provision != say.money(0.0) else []


def _reasons(result: CaseResult, say: CaseVoice) -> list[Cell]:
    """Return what speaks for it, what it rests on, what would change it, what is not right."""
    choice = result.choice
    most = sorted(say.counted, key=lambda line: -line.present.mean)[:_NAMED]
    names = [
        say("next_one", name=say.gain_name(line), worth=say.money(line.present.mean))
        for line in most
        if line.present.mean > 0
    ]
    reasons = []
    if result.action == "approve" and choice.rival != result.nothing.name:
        reasons.append(say("reason_margin"))
    largest = [say("reason_largest", names=names)] if names else []
    reasons.append(" ".join([*largest, say("reason_evidence", share=result.said)]))
    gained = result.recommended.npv.mean > 0
    turning = [driver for driver in result.drivers if driver.switching is not None][:1]
    turns = [say.turn(driver, "turn" if gained else "would") for driver in turning]
    key = "none" if not turns else "loss" if gained else "gain"
    reasons.append(
        " ".join([say(f"reason_turn_{key}", turns=turns), *_stop(result.case.kpis, say)])
    )
    if result.previous:
        reasons.append(say("reason_last", **kept(result)))
    wrong = [check.name for check in result.checks if check.status != "pass"]
    if wrong:
        reasons.append(say("reason_open", names=[say(f"check_{name}") for name in wrong]))
    return [*map(say.linked, reasons)]


def _stop(kpis: Sequence[Kpi], say: CaseVoice) -> list[str]:
    """Return the first kill threshold between where a target starts and where it leads."""
    for kpi in kpis:
        if min(kpi.baseline, kpi.target) < kpi.kill < max(kpi.baseline, kpi.target):
            return [say("reason_stop", kpi=kpi.name, kill=say.quantity(kpi.kill, kpi.unit))]
    return []


def _part(name: str, result: CaseResult, say: CaseVoice) -> Blocks:
    """Return a section under its heading, marked where its amounts must not be used."""
    if name not in [*_SECTIONS][: _PAGES[result.length]]:
        return []
    blocks = _SECTIONS[name](result, say)
    if blocks and result.broken and name not in _WITHOUT_MONEY:
        blocks = [say.paragraph("not_to_use", "bad"), *blocks]
    heading = Heading(say(f"section_{name}"), new_page=name == "options")
    if blocks and name in _FOLDED:
        blocks = [Folded(say(f"fold_{name}", count=len(result.ledger)), blocks)]
    return [heading, *blocks] if blocks else []


PARTS: Mapping[str, Callable[[CaseResult, CaseVoice], Blocks]] = {
    name: partial(_part, name) for name in _SECTIONS
}


def document(result: CaseResult, say: CaseVoice) -> dict[str, bytes]:
    """Return the PDF by its name; nothing where the extra ``pdf`` is not installed."""
    case = result.case
    blocks = [block for part in PARTS.values() for block in part(result, say)]
    foot = say("foot", case=case.shown_title)
    try:
        content = pdf(
            [result.first_screen(say.language), *blocks],
            title=say.spoken(case.shown_title),
            language=say.language,
            date=result.as_of,
            author=say.spoken(case.owner),
            running_foot=foot,
        )
    except ExtraError:
        return {}
    return {f"{slug(case.case)}.pdf": content}
