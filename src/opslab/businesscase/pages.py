"""The three pages to decide on: what is asked, options and benefits, what it depends on."""

from __future__ import annotations

from typing import Any

from opslab.businesscase.annexes import BENEFITS, MOST, Row, benefit, kpis, risks, roadmap
from opslab.businesscase.options import Difference, Driver, OptionResult
from opslab.businesscase.result import CaseResult, Line
from opslab.businesscase.voice import CaseVoice
from opslab.report.blocks import Cell, Group, Pairs, Paragraph, Table
from opslab.report.voice import Blocks

_GAINS = ("time", "decisions", "alignment")
_NEXT = 2


def decision(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return what is asked, the four answers, and the roadmap."""
    case = result.case
    asked = {
        "people": case.ask.people,
        "mandate": case.ask.mandate,
        "problem": case.ask.problem,
        "nothing": None if result.broken else _doing_nothing(result, say),
        "wanted": case.decision.wanted,
        "by": say("by_whom", day=case.decision.by, who=case.decision.who),
        "conditions": "; ".join(map(say.spoken, case.decision.conditions)),
    }
    pairs = [(say(f"ask_{name}"), say.spoken(words)) for name, words in asked.items() if words]
    blocks: Blocks = [Pairs(pairs)]
    blocks += [] if result.broken else [_answers(result, say)]
    return blocks + ([roadmap(case.roadmap[:MOST], say)] if case.roadmap else [])


def _doing_nothing(result: CaseResult, say: CaseVoice) -> str:
    nothing, waiting = result.nothing, say.money(abs(result.waiting))
    first, last = say.money(nothing.first_month), say.money(nothing.last_month)
    effect = "loses" if result.waiting > 0 else "gains"
    if waiting == say.money(0.0):
        effect = "none"
    idle = say("idle_costs", first=first, last=last)
    return f"{idle} {say(f'waiting_{effect}', waiting=waiting)}"


def _answers(result: CaseResult, say: CaseVoice) -> Table:
    """Return the four answers, each with what it sets off and room to sign."""
    stage, ranked = result.case.stage, _to_measure(result)
    values: dict[str, Any] = {"first": say.named(ranked[0].id) if ranked else say.none}
    if stage:
        values |= {"stage": say.money(result.recommended.stage or 0.0), "day": stage.ends}
        values["gate"] = stage.gate or stage.name
    rows = []
    for name in ("approve", *(["stage"] if stage else []), "defer", "reject"):
        speaks = say("figures_speak") if name == result.action else ""
        answer = Cell(f"☐ {say(f'answer_{name}')}", speaks)
        rows.append((answer, say.linked(say(f"means_{name}", **values)), "\N{NO-BREAK SPACE}"))
    return say.table("answers", "answer sets_off signed", rows)


def options(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the options on the same draws, and the benefits of the recommended one."""
    none, nothing, best = say.none, result.nothing, result.recommended.name
    idle = Cell(nothing.name, say("option_do_nothing"))
    rows: list[Row] = [(idle, none, say.spread(nothing.costs), say("reference"), none, none, none)]
    rows += [_option(option, say) for option in result.options]
    against = [_against(one, best, say) for one in result.differences if best in (one.a, one.b)]
    columns, figures = (
        "option benefits costs npv positive roi payback",
        result.figures(say.language),
    )
    return [
        say.table("options", columns, rows, numeric=range(1, 7)),
        say.table("differences", "against more better", against, numeric=(1, 2)),
        *_benefits(result, say),
        figures["fan"],
        figures["options"],
    ]


def _option(option: OptionResult, say: CaseVoice) -> Row:
    kind = say("cell_hours", kind=say(f"option_{option.kind}"), hours=option.hours.p50)
    worst = say("cell_worst", worst=say.money(option.worst))
    return (
        Cell(option.name, kind),
        say.spread(option.benefits["all"]),
        say.spread(option.costs),
        say.spread(option.npv),
        Cell(say.percent(option.positive[0], 0), worst),
        Cell(say.ratio(option.roi), say("cell_hard", roi=say.ratio(option.roi_hard))),
        say.months(option.payback, "cell_never"),
    )


def _against(difference: Difference, best: str, say: CaseVoice) -> Row:
    """Return what the recommended option brings more than another."""
    other, npv, better = difference.b, difference.npv, difference.better
    if difference.b == best:
        other, npv, better = difference.a, npv.scaled(-1), 1 - better
    return other, say.spread(npv, signed=True), say.percent(better, 0)


def _benefits(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the benefits under the three gains, the widest; what is not measured is a debt."""
    ranked = sorted(say.lines, key=lambda line: -abs(line.present.mean))[:MOST]
    groups = [_gain(gain, ranked, result, say) for gain in _GAINS]
    others = [line.name for line in result.lines if line not in say.lines]
    notes = [say("enabled", value=result.enabled)] if result.enabled else []
    notes += [say("others_only", names=others)] if others else []
    rest = len(say.lines) - MOST
    notes += [say("rest", count=rest)] if rest > 0 else []
    table = say.table("benefits", BENEFITS, groups=groups, numeric=(3, 4))
    return [table, Paragraph(" ".join(notes), small=True)] if notes else [table]


def _gain(gain: str, ranked: list[Line], result: CaseResult, say: CaseVoice) -> Group:
    lines = [line for line in say.lines if line.gain == gain]
    owed = [
        say("debt", statement=debt.statement, measure=debt.measure, day=debt.by, owner=debt.owner)
        for debt in result.case.debts
        if debt.gain == gain
    ]
    if not owed and not lines:
        owed = [say("no_gain")]
    head, total = say(f"gain_{gain}"), result.recommended.gains.get(gain)
    if total:
        head = say("gain_worth", gain=head, value=total)
    return Group(
        Cell(head, " ".join(owed)), [benefit(line, say) for line in lines if line in ranked]
    )


def _to_measure(result: CaseResult) -> list[Driver]:
    """Return the quantities by what knowing them is worth."""
    return sorted(result.drivers, key=lambda driver: -driver.worth)


def depends(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return what moves the NPV, risks and targets, and what to measure next."""
    case, figures = result.case, result.figures(say.language)
    blocks: Blocks = [figures["tornado"]] if "tornado" in figures else []
    blocks += [risks(case.risks[:MOST], say), kpis(case.kpis[:MOST], say)]
    rest = sum(max(len(listed) - MOST, 0) for listed in (case.risks, case.kpis, case.roadmap))
    blocks += [say.remark("rest", count=rest)] if rest else []
    worth = [
        say("next_one", name=say.named(driver.id), worth=say.money(driver.worth))
        for driver in _to_measure(result)[:_NEXT]
        if driver.worth >= say.scale.unit / 2
    ]
    following = say("next" if worth else "next_none", pairs=worth)
    linked = say.linked(following)
    return [*blocks, Paragraph(linked.text, refs=linked.refs)]
