"""The sponsor's document: the first screen, three pages to decide on, what stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from opslab.businesscase import annexes, pages
from opslab.businesscase.answers import answers, method
from opslab.businesscase.figures import figures
from opslab.businesscase.result import CaseResult
from opslab.businesscase.voice import MEASURED, TONES, CaseVoice
from opslab.errors import ExtraError
from opslab.messages import Language
from opslab.report.blocks import Cell, Fact, Facts, Heading, Verdict
from opslab.report.pdf import pdf
from opslab.report.voice import Blocks
from opslab.workspace import slug

__all__ = ["PARTS", "document", "figures", "first_screen", "headline", "voice"]

_SECTIONS: Mapping[str, Callable[[CaseResult, CaseVoice], Blocks]] = {
    "decision": pages.decision,
    "options": pages.options,
    "depends": pages.depends,
    "promise": annexes.promise,
    "scenarios": annexes.scenarios,
    "waterfall": annexes.waterfall,
    "money": annexes.money,
    "ledger": annexes.ledger,
    "checks": annexes.checks,
    "answers": answers,
    "method": method,
}
_WITHOUT_MONEY = ("ledger", "checks", "method")


def voice(result: CaseResult, language: Language) -> CaseVoice:
    """Return the voice of a case."""
    return CaseVoice(language, "businesscase", result)


def headline(result: CaseResult, say: CaseVoice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        wrong = [check for check in result.checks if check.blocking and check.status == "fail"]
        return say("headline_stop", why=" ".join(say.message(check.detail) for check in wrong))
    best = result.recommended
    if best.payback is None:
        return say("headline_never")
    return say("headline", payback=round(best.payback))


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
    best = result.recommended
    hard = say("fact_hard", roi=say.ratio(best.roi_hard))
    discounted = say("fact_discounted", payback=say.months(best.payback_discounted))
    never = say("fact_never", share=best.never)
    sure = say("chance", chance_error=best.positive[1] * 100)
    return [
        say.fact("npv", say.money(best.npv.p50), say("fact_spread"), say("fact_terms")),
        say.fact("roi", say.ratio(best.roi), say("roi_means"), hard),
        say.fact("payback", say.months(best.payback), discounted, never),
        say.fact("positive", sure, say("fact_worst"), say("fact_loss")),
    ]


def _reasons(result: CaseResult, say: CaseVoice) -> list[Cell]:
    """Return what to know beside the figures: evidence, what it hangs on, what is not right."""
    worth = {line.name: line.present.mean for line in say.counted}
    firm = [line.name for line in say.counted if line.grade in MEASURED]
    share = sum(worth[name] for name in firm) / (sum(worth.values()) or 1.0)
    reasons = [Cell(say("reason_evidence", firm=len(firm), lines=len(worth), share=share))]
    for driver in result.drivers[:1]:
        name, turn = say.named(driver.id), driver.switching
        if turn is None:
            words = say("reason_no_switch", name=name)
        else:
            value = say.quantity(turn, say.unit_of(driver.id))
            words = say("reason_switch", name=name, value=value)
        reasons.append(say.linked(words))
    wrong = [check for check in result.checks if check.status != "pass"]
    return reasons + [say.finding(check) for check in wrong if check.name != "evidence"][:2]


def _part(name: str, result: CaseResult, say: CaseVoice) -> Blocks:
    """Return a section under its heading, marked where its amounts must not be used."""
    blocks = _SECTIONS[name](result, say)
    if blocks and result.broken and name not in _WITHOUT_MONEY:
        blocks = [say.paragraph("not_to_use", "bad"), *blocks]
    first_annex = "promise" if annexes.promised(result) else "scenarios"
    new_page = name in ("options", "depends", first_annex)
    heading = Heading(say(f"section_{name}"), new_page=new_page)
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
            [first_screen(result, say), *blocks],
            title=say.spoken(case.shown_title),
            language=say.language,
            date=result.as_of,
            author=say.spoken(case.owner),
            running_foot=foot,
        )
    except ExtraError:
        return {}
    return {f"{slug(case.case)}.pdf": content}
