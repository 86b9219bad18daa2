"""The sponsor's document: the first screen, three pages to decide on, then what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opslab.businesscase import annexes
from opslab.businesscase.sentences import GAINS, MEASURED, TONES, Voice
from opslab.messages import Language
from opslab.parameters import slug
from opslab.report.blocks import Block, Cell, Facts, Group, Heading, Pairs, Paragraph, Table, Verdict

if TYPE_CHECKING:
    from opslab.businesscase.result import CaseResult, Difference, Line, OptionResult
    from opslab.report.figures import Figure

    Blocks = list[Block | Figure]

_PAGES = ("decision", "options", "depends")
_WITHOUT_MONEY = ("ledger", "checks", "method")
_RISKS, _TARGETS, _STEPS, _OTHERS = 6, 6, 5, 3
"""How many of each the three pages hold; the rest stands in the annexes."""


def headline(result: CaseResult, language: Language) -> str:
    """Return the sentence that a sponsor reads first."""
    say = Voice(result, language)
    if result.action == "stop":
        wrong = [say.check(one) for one in result.checks if one.blocking and one.status == "fail"]
        return say("businesscase.headline_stop", why=" ".join(wrong))
    best = result.recommended
    key = "businesscase.headline_never" if best.payback is None else "businesscase.headline"
    return say(key, option=best.name, npv=say.money(best.npv.p50), low=say.money(best.npv.p10),
               high=say.money(best.npv.p90), months=result.case.finance.horizon_months, chance=best.positive[0],
               payback=round(best.payback or 0), nothing=say.money(result.nothing.costs.p50))  # fmt: skip


def first_screen(result: CaseResult, language: Language) -> Verdict:
    """Return the ask, what it brings, how sure that is, what to decide."""
    say, case = Voice(result, language), result.case
    kicker = (say("businesscase.kicker"), say.day(result.as_of), say("businesscase.version", version=case.version),
              say("businesscase.sponsor", sponsor=case.sponsor))  # fmt: skip
    stopped = result.action == "stop"
    return Verdict(
        kicker=" · ".join(kicker),
        title=case.case,
        question=case.ask.sentence,
        action=_action(result, say),
        headline=headline(result, language),
        tone=TONES[result.action],
        facts=Facts(()) if stopped else _facts(result, say),
        reasons=[say("businesscase.not_to_use")] if stopped else _reasons(result, say),
    )


def _action(result: CaseResult, say: Voice) -> str:
    stage = next((one.name for one in result.case.roadmap if one.id == result.case.decision.stage), "")
    return say(f"businesscase.action_{result.action}", option=result.recommended.name, stage=stage)


def _facts(result: CaseResult, say: Voice) -> Facts:
    best, finance = result.recommended, result.case.finance
    paid = [say("businesscase.fact_discounted", payback=say.months(best.payback_discounted))]
    paid += [say("businesscase.fact_never", share=best.never, months=finance.horizon_months)]
    return Facts((
        (say("businesscase.fact_npv"), say.money(best.npv.p50),
         (say("businesscase.fact_spread", span=say.middle(best.npv)),
          say("businesscase.fact_terms", months=finance.horizon_months, rate=finance.rate))),
        (say("businesscase.fact_roi"), say.ratio(best.roi),
         (say("businesscase.roi_means"), say("businesscase.fact_hard", roi=say.ratio(best.roi_hard)))),
        (say("businesscase.fact_payback"), say.months(best.payback), paid),
        (say("businesscase.fact_positive"), say.chance(*best.positive),
         (say("businesscase.fact_worst", p5=say.money(best.p5), worst=say.money(best.worst)),
          say("businesscase.fact_loss", loss=say.money(best.expected_loss)))),
    ))  # fmt: skip


def _reasons(result: CaseResult, say: Voice) -> list[str]:
    """Return what a reader must know beside the figures: evidence, what it hangs on, what is not right."""
    counted = [one for one in result.lines if one.counted]
    total = sum(one.present.mean for one in counted) or 1.0
    firm = [one for one in counted if one.grade in MEASURED]
    said = [say("businesscase.reason_evidence", firm=len(firm), lines=len(counted),
                share=sum(one.present.mean for one in firm) / total)]  # fmt: skip
    if result.drivers:
        said.append(_switch(result, say))
    lost = [one.id for one in result.ledger if one.fallen]
    if lost:
        said.append(say("businesscase.reason_fallen", ids=lost))
    return said + [say.check(one) for one in result.checks if one.status != "pass"][:2]


def _switch(result: CaseResult, say: Voice) -> str:
    first = result.drivers[0]
    if first.switching is None:
        return say("businesscase.reason_no_switch", name=say.named(first.id))
    value = say.quantities([first.switching], say.unit_of(first.id))[0]
    return say("businesscase.reason_switch", name=say.named(first.id), value=value)


def sections(result: CaseResult, language: Language) -> dict[str, Blocks]:
    """Return the document's sections by name, in order: three pages, then the annexes."""
    say, figures = Voice(result, language), result.figures(language)
    made: dict[str, Blocks] = {
        "decision": _decision(result, say),
        "options": _options(result, figures, say),
        "depends": _depends(result, figures, say),
    }
    made |= annexes.sections(result, figures, say)
    for name in made if result.action == "stop" else ():
        if name not in _WITHOUT_MONEY:
            made[name].insert(0, Paragraph(say("businesscase.not_to_use"), "bad"))
    turned = (*_PAGES[1:], next(name for name in made if name not in _PAGES))
    return {
        name: [Heading(say(f"businesscase.section_{name}"), new_page=name in turned), *blocks]
        for name, blocks in made.items()
    }


def _decision(result: CaseResult, say: Voice) -> Blocks:
    case, nothing = result.case, result.nothing
    costs = say("businesscase.idle_costs", costs=say.money(nothing.costs.p50), span=say.middle(nothing.costs),
                months=case.finance.horizon_months, first=say.money(nothing.first_month),
                last=say.money(nothing.last_month))  # fmt: skip
    waiting = say("businesscase.waiting", months=case.finance.wait_months, loss=say.money(result.waiting))
    asked = (("people", case.ask.people), ("mandate", case.ask.mandate), ("problem", case.ask.problem),
             ("nothing", None if result.action == "stop" else f"{costs} {waiting}"), ("wanted", case.decision.wanted),
             ("by", say("businesscase.by_whom", day=say.day(case.decision.by), who=case.decision.who)),
             ("conditions", "; ".join(case.decision.conditions)))  # fmt: skip
    pairs = Pairs([(say(f"businesscase.ask_{name}"), words) for name, words in asked if words])
    return [pairs] if result.action == "stop" else [pairs, _answers(result, say)]


def _answers(result: CaseResult, say: Voice) -> Table:
    """Return the four answers, each with what it sets off and room to sign."""
    best, case = result.recommended, result.case
    step = next((one for one in case.roadmap if one.id == case.decision.stage), None)
    first = say.first_driver()
    meant = {
        "approve": say("businesscase.means_approve", option=best.name, costs=say.money(best.costs.mean)),
        "stage": step and best.stage is not None and say(
            "businesscase.means_stage", costs=say.money(best.stage), day=say.day(step.ends), gate=step.gate or step.name),
        "defer": say("businesscase.means_defer", months=case.finance.wait_months, loss=say.money(result.waiting),
                     first=say.named(first) if first else say("words.none")),
        "reject": say("businesscase.means_reject", costs=say.money(result.nothing.costs.p50)),
    }  # fmt: skip
    rows = []
    for name, words in meant.items():
        if words:
            speaks = name == result.action
            remark = say("businesscase.figures_speak") if speaks else ""
            rows.append(
                (Cell(f"☐ {say(f'businesscase.answer_{name}')}", remark), words, "\N{NO-BREAK SPACE}")
            )
    return say.table("answers", "answer sets_off signed", rows)


def _options(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> Blocks:
    blocks: Blocks = [_criteria(result, say), _differences(result, say), *_benefits(result, say)]
    return [*blocks, figures["fan"], figures["options"]]


def _criteria(result: CaseResult, say: Voice) -> Table:
    none, nothing = say("words.none"), result.nothing
    rows = [(Cell(nothing.name, say("businesscase.option_do_nothing")), none, say.amount(nothing.costs),
             say("businesscase.reference"), none, none, none)]  # fmt: skip
    rows += [_option(one, say) for one in result.options]
    columns = "option benefits costs npv positive roi payback"
    return say.table("options", columns, rows, numeric=(1, 2, 3, 4, 5, 6))


def _option(one: OptionResult, say: Voice) -> tuple[str | Cell, ...]:
    hours = say("businesscase.cell_hours", kind=say.option_kind(one), hours=one.hours.p50)
    return (
        Cell(one.name, hours), say.amount(one.benefits["all"]), say.amount(one.costs),
        say.amount(one.npv), Cell(say.percent(one.positive[0]), say("businesscase.cell_worst", worst=say.money(one.worst))),
        Cell(say.ratio(one.roi), say("businesscase.cell_hard", roi=say.ratio(one.roi_hard))),
        say("businesscase.cell_never") if one.payback is None else say.months(one.payback),
    )  # fmt: skip


def _differences(result: CaseResult, say: Voice) -> Table:
    """Return the recommended option against each other one, on the same draws."""
    best = result.recommended.name
    rows = []
    for one in result.differences:
        if best in (one.a, one.b):
            turned = one.b == best
            other, better = (one.a, 1 - one.better) if turned else (one.b, one.better)
            rows.append((other, *_apart(one, say, turned=turned), say.percent(better)))
    return say.table(
        "differences", "against more span better", rows, numeric=(1, 2, 3), caption={"option": best}
    )


def _apart(one: Difference, say: Voice, *, turned: bool) -> tuple[str, str]:
    low, middle, high = one.npv.p10, one.npv.p50, one.npv.p90
    if turned:
        low, middle, high = -high, -middle, -low
    span = say.range(say.money(low, signed=True), say.money(high, signed=True))
    return say.money(middle, signed=True), span


def _benefits(result: CaseResult, say: Voice) -> Blocks:
    """Return the benefits under the three gains; what is not measured stands there as a debt."""
    none, groups = say("words.none"), []
    for gain in GAINS:
        rows = [_benefit(one, say) for one in result.lines if one.gain == gain]
        for debt in (one for one in result.case.debts if one.gain == gain):
            owed = say("businesscase.debt", measure=debt.measure, day=say.day(debt.by), owner=debt.owner)
            status = Cell(say("businesscase.status_debt"), tone="open")
            rows.append((Cell(debt.statement, owed), status, none, none, none))
        if not rows:
            rows.append((say("businesscase.no_gain"), none, none, none, none))
        total = result.recommended.gains.get(gain)
        head = say.gain(gain)
        if total:
            head = say(
                "businesscase.gain_worth", gain=head, value=say.money(total.p50), span=say.middle(total)
            )
        groups.append(Group(Cell(head), rows))
    blocks: Blocks = [
        say.table("benefits", "benefit kind grade quantity present", groups=groups, numeric=(3, 4))
    ]
    if result.enabled:
        words = say(
            "businesscase.enabled", value=say.money(result.enabled.p50), span=say.middle(result.enabled)
        )
        blocks.append(Paragraph(words, small=True))
    return blocks


def _benefit(one: Line, say: Voice) -> tuple[str | Cell, ...]:
    low, middle, high = say.told((one.quantity.p10, one.quantity.p50, one.quantity.p90), one.unit)
    quantity = say.spanned(middle, low, high)
    worth: str | Cell = say.spanned(*map(say.money, (one.present.p50, one.present.p10, one.present.p90)))
    if not one.counted:
        worth = Cell(say("businesscase.outside"), str(worth))
    owner = say("businesscase.owned", owner=one.owner) if one.owner else ""
    signed = say("businesscase.signed", who=one.signed_by) if one.signed_by else ""
    name = Cell(one.name, " · ".join(filter(None, (owner, signed))), refs=say.refs(one.refs))
    return name, say.kind(one.kind), one.grade, quantity, worth


def _depends(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> Blocks:
    case = result.case
    blocks: Blocks = [figures["tornado"]] if "tornado" in figures else []
    blocks += [annexes.risks(say, case.risks[:_RISKS]), annexes.kpis(say, case.kpis[:_TARGETS])]
    if case.roadmap:
        blocks.append(annexes.roadmap(say, case.roadmap[:_STEPS]))
    rest = (len(case.risks) - _RISKS, len(case.kpis) - _TARGETS, len(case.roadmap) - _STEPS)
    if max(rest) > 0:
        blocks.append(Paragraph(say("businesscase.rest", count=sum(max(one, 0) for one in rest)), small=True))
    return [*blocks, Paragraph(_next(result, say))]


def _next(result: CaseResult, say: Voice) -> str:
    """Return what to measure next, and what that is worth at most."""
    worth = [one for one in result.drivers if (one.knowing or 0.0) >= say.step / 2]
    known = sorted(worth, key=lambda one: -(one.knowing or 0.0))
    if not known:
        return say("businesscase.next_none", all=say.money(result.evpi))
    pairs = [say("businesscase.next_one", name=say.named(one.id), worth=say.money(one.knowing or 0.0))
             for one in known[:_OTHERS]]  # fmt: skip
    return say("businesscase.next", pairs=pairs, all=say.money(result.evpi))


def document(result: CaseResult, language: Language) -> tuple[str, bytes] | None:
    """Return name and bytes of the PDF; None where the extra ``pdf`` is not installed."""
    from opslab.errors import ExtraError
    from opslab.report.pdf import pdf

    say, case = Voice(result, language), result.case
    blocks = [one for section in sections(result, language).values() for one in section]
    foot = say("businesscase.foot", case=case.case, version=case.version, day=say.day(result.as_of))
    try:
        made = pdf([first_screen(result, language), *blocks], title=case.case, language=language,
                   date=result.as_of, author=case.owner, running_foot=foot)  # fmt: skip
    except ExtraError:
        return None
    return f"{slug(case.case)}.pdf", made
