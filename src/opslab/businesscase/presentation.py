"""The sponsor's document: the first screen, three pages to decide on, then what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opslab.businesscase import annexes
from opslab.businesscase.sentences import MEASURED, TONES, Voice
from opslab.errors import ExtraError
from opslab.messages import Language
from opslab.report.blocks import (
    Block,
    Cell,
    Facts,
    Group,
    Heading,
    Pairs,
    Paragraph,
    Table,
    Verdict,
)
from opslab.workspace import slug

if TYPE_CHECKING:
    from opslab.businesscase.options import OptionResult
    from opslab.businesscase.result import CaseResult
    from opslab.report.figures import Figure

    Blocks = list[Block | Figure]

_PAGES, _WITHOUT_MONEY = ("decision", "options", "depends"), ("ledger", "checks", "method")
_GAINS = ("time", "decisions", "alignment")
_NEXT = 2


def headline(result: CaseResult, language: Language) -> str:
    """Return the sentence that a sponsor reads first."""
    say, best = Voice(result, language), result.recommended
    if result.action == "stop":
        wrong = [say.check(one) for one in result.checks if one.blocking and one.status == "fail"]
        return say("headline_stop", why=" ".join(wrong))
    return say(
        "headline_never" if best.payback is None else "headline",
        option=best.name,
        npv=best.npv,
        months=result.case.finance.horizon_months,
        chance=best.positive[0],
        payback=round(best.payback or 0),
        nothing=result.nothing.costs,
    )


def first_screen(result: CaseResult, language: Language) -> Verdict:
    """Return the ask, what it brings, how sure that is, what to decide."""
    say, case = Voice(result, language), result.case
    stopped = result.action == "stop"
    stage = next((one.name for one in case.roadmap if one.id == case.decision.stage), "")
    return Verdict(
        kicker=say("kicker", day=result.as_of, version=case.version, sponsor=case.sponsor),
        title=case.case,
        question=case.ask.sentence,
        action=say(f"action_{result.action}", option=result.recommended.name, stage=stage),
        headline=headline(result, language),
        tone=TONES[result.action],
        facts=Facts(()) if stopped else _facts(result, say),
        reasons=[say("not_to_use")]
        if stopped
        else [say.linked(one) for one in _reasons(result, say)],
    )


def _facts(result: CaseResult, say: Voice) -> Facts:
    best, finance = result.recommended, result.case.finance
    worst = say("fact_worst", p5=say.money(best.p5), worst=say.money(best.worst))
    sure = say("chance", value=best.positive[0], error=best.positive[1] * 100)
    return Facts(
        (
            (
                say("fact_npv"),
                say.money(best.npv.p50),
                (
                    say("fact_spread", npv=best.npv),
                    say("fact_terms", months=finance.horizon_months, rate=finance.rate),
                ),
            ),
            (
                say("fact_roi"),
                say.ratio(best.roi),
                (say("roi_means"), say("fact_hard", roi=say.ratio(best.roi_hard))),
            ),
            (
                say("fact_payback"),
                say.months(best.payback),
                (
                    say("fact_discounted", payback=say.months(best.payback_discounted)),
                    say("fact_never", share=best.never, months=finance.horizon_months),
                ),
            ),
            (
                say("fact_positive"),
                sure,
                (worst, say("fact_loss", loss=say.money(best.expected_loss))),
            ),
        )
    )


def _reasons(result: CaseResult, say: Voice) -> list[str]:
    """Return what a reader must know beside the figures: evidence, what it hangs on, what is not right."""
    counted = [one for one in say.lines if one.counted]
    firm = [one for one in counted if one.grade in MEASURED]
    share = sum(one.present.mean for one in firm) / (
        sum(one.present.mean for one in counted) or 1.0
    )
    said = [say("reason_evidence", firm=len(firm), lines=len(counted), share=share)]
    for one in result.drivers[:1]:
        value = None if one.switching is None else say.quantity(one.switching, say.unit_of(one.id))
        said.append(
            say(
                "reason_switch" if value else "reason_no_switch",
                name=say.named(one.id),
                value=value,
            )
        )
    wrong = [one for one in result.checks if one.status != "pass" and one.name != "evidence"]
    return said + [say.check(one) for one in wrong[:2]]


def sections(result: CaseResult, language: Language) -> dict[str, Blocks]:
    """Return the document's sections by name, in order: three pages, then the annexes."""
    say, figures = Voice(result, language), result.figures(language)
    made: dict[str, Blocks] = {
        "decision": _decision(result, say),
        "options": _options(result, figures, say),
        "depends": _depends(result, figures, say),
        **annexes.sections(result, figures, say),
    }
    for name in made if result.action == "stop" else ():
        if name not in _WITHOUT_MONEY:
            made[name].insert(0, Paragraph(say("not_to_use"), "bad"))
    turned = (*_PAGES[1:], next(name for name in made if name not in _PAGES))
    return {
        name: [Heading(say(f"section_{name}"), new_page=name in turned), *blocks]
        for name, blocks in made.items()
    }


def _decision(result: CaseResult, say: Voice) -> Blocks:
    case, nothing, stopped = result.case, result.nothing, result.action == "stop"
    idle = say(
        "idle_costs",
        costs=nothing.costs,
        months=case.finance.horizon_months,
        first=say.money(nothing.first_month),
        last=say.money(nothing.last_month),
    )
    none = say.money(result.waiting) == say.money(0.0)
    effect = "none" if none else "loses" if result.waiting > 0 else "gains"
    waiting = say(
        f"waiting_{effect}", months=case.finance.wait_months, loss=say.money(abs(result.waiting))
    )
    asked = {
        "people": case.ask.people,
        "mandate": case.ask.mandate,
        "problem": case.ask.problem,
        "nothing": "" if stopped else f"{idle} {waiting}",
        "wanted": case.decision.wanted,
        "by": say("by_whom", day=case.decision.by, who=case.decision.who),
        "conditions": "; ".join(case.decision.conditions),
    }
    pairs = Pairs([(say(f"ask_{name}"), words) for name, words in asked.items() if words])
    blocks: Blocks = [pairs] if stopped else [pairs, _answers(result, say)]
    return blocks + [annexes.roadmap(say, case.roadmap[: annexes.MOST]) for _ in case.roadmap[:1]]


def _answers(result: CaseResult, say: Voice) -> Table:
    """Return the four answers, each with what it sets off and room to sign."""
    best, case = result.recommended, result.case
    step = next((one for one in case.roadmap if one.id == case.decision.stage), None)
    first = next(
        (one.id for one in sorted(result.drivers, key=lambda one: -(one.knowing or 0.0))), None
    )
    values = {
        "option": best.name,
        "costs": say.money(best.costs.mean),
        "months": case.finance.wait_months,
        "loss": say.money(result.waiting),
        "first": say.named(first) if first else say.none,
        "nothing": result.nothing.costs,
    }
    if step:
        values |= {
            "stage": say.money(best.stage or 0.0),
            "day": step.ends,
            "gate": step.gate or step.name,
        }
    rows = []
    for name in ("approve", *(["stage"] if step else []), "defer", "reject"):
        answer = Cell(
            f"☐ {say(f'answer_{name}')}", say("figures_speak") if name == result.action else ""
        )
        rows.append((answer, say.linked(say(f"means_{name}", **values)), "\N{NO-BREAK SPACE}"))
    return say.table("answers", "answer sets_off signed", rows)


def _options(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> Blocks:
    none, nothing, best = say.none, result.nothing, result.recommended.name
    idle = (
        Cell(nothing.name, say("option_do_nothing")),
        none,
        say.amount(nothing.costs),
        say("reference"),
    )
    rows = [(*idle, none, none, none), *(_option(one, say) for one in result.options)]
    columns = "option benefits costs npv positive roi payback"
    against = []
    for one in result.differences:
        ends = (
            (one.npv.p50, one.npv.p10, one.npv.p90)
            if one.a == best
            else (-one.npv.p50, -one.npv.p90, -one.npv.p10)
        )
        middle, low, high = (say.money(end, signed=True) for end in ends)
        better = say.percent(one.better if one.a == best else 1 - one.better)
        against.append((one.b if one.a == best else one.a, middle, say.range(low, high), better))
    against = [
        row for one, row in zip(result.differences, against, strict=True) if best in (one.a, one.b)
    ]
    return [
        say.table("options", columns, rows, numeric=range(1, 7)),
        say.table(
            "differences", "against more span better", against, {"option": best}, numeric=(1, 2, 3)
        ),
        *_benefits(result, say),
        figures["fan"],
        figures["options"],
    ]


def _option(one: OptionResult, say: Voice) -> tuple[str | Cell, ...]:
    kind = say("cell_hours", kind=say(f"option_{one.kind}"), hours=one.hours.p50)
    sure = Cell(say.percent(one.positive[0]), say("cell_worst", worst=say.money(one.worst)))
    roi = Cell(say.ratio(one.roi), say("cell_hard", roi=say.ratio(one.roi_hard)))
    payback = say.months(one.payback, "cell_never")
    return (
        Cell(one.name, kind),
        say.amount(one.benefits["all"]),
        say.amount(one.costs),
        say.amount(one.npv),
        sure,
        roi,
        payback,
    )


def _benefits(result: CaseResult, say: Voice) -> Blocks:
    """Return the benefits under the three gains, the widest; what is not measured stands there as a debt."""
    groups = []
    kept = sorted(say.lines, key=lambda one: -abs(one.present.mean))[: annexes.MOST]
    for gain in _GAINS:
        rows = [annexes.benefit(one, say) for one in say.lines if one.gain == gain and one in kept]
        owed = [
            say("debt", statement=one.statement, measure=one.measure, day=one.by, owner=one.owner)
            for one in result.case.debts
            if one.gain == gain
        ]
        if not owed and not any(one.gain == gain for one in say.lines):
            owed = [say("no_gain")]
        total, head = result.recommended.gains.get(gain), say(f"gain_{gain}")
        head = say("gain_worth", gain=head, value=total) if total else head
        groups.append(Group(Cell(head, " ".join(owed)), rows))
    table = say.table("benefits", annexes.BENEFITS, groups=groups, numeric=(3, 4))
    others = [one.name for one in result.lines if one not in say.lines]
    notes = [say("enabled", value=result.enabled)] if result.enabled else []
    notes += [say("others_only", names=others)] if others else []
    notes += (
        [say("rest", count=len(say.lines) - annexes.MOST)] if len(say.lines) > annexes.MOST else []
    )
    return [table, *(Paragraph(" ".join(notes), small=True) for _ in notes[:1])]


def _depends(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> Blocks:
    case = result.case
    blocks: Blocks = [figures["tornado"]] if "tornado" in figures else []
    blocks += [
        annexes.risks(say, case.risks[: annexes.MOST]),
        annexes.kpis(say, case.kpis[: annexes.MOST]),
    ]
    rest = sum(max(len(one) - annexes.MOST, 0) for one in (case.risks, case.kpis, case.roadmap))
    blocks += [Paragraph(say("rest", count=rest), small=True)] if rest else []
    pairs = say.worth_knowing[:_NEXT]
    return [
        *blocks,
        say.paragraph(
            say("next" if pairs else "next_none", pairs=pairs, all=say.money(result.evpi))
        ),
    ]


def document(result: CaseResult, language: Language) -> tuple[str, bytes] | None:
    """Return name and bytes of the PDF; None where the extra ``pdf`` is not installed."""
    from opslab.report.pdf import pdf

    say, case = Voice(result, language), result.case
    blocks = [one for section in sections(result, language).values() for one in section]
    foot = say("foot", case=case.case, version=case.version, day=result.as_of)
    try:
        made = pdf(
            [first_screen(result, language), *blocks],
            title=case.case,
            language=language,
            date=result.as_of,
            author=case.owner,
            running_foot=foot,
        )
    except ExtraError:
        return None
    return f"{slug(case.case)}.pdf", made
