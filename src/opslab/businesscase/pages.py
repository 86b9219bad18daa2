"""The three pages to decide on: what is asked, options and benefits, what it depends on."""

from __future__ import annotations

from opslab.businesscase.annexes import (
    Row,
    benefit,
    kpis,
    released_by_gate,
    risks,
    roadmap,
)
from opslab.businesscase.options import Driver, OptionResult
from opslab.businesscase.result import CaseResult
from opslab.businesscase.voice import CaseVoice
from opslab.report.blocks import Cell, Group, Pairs, Paragraph, Table
from opslab.report.voice import Blocks

_GAINS = ("time", "decisions", "alignment")
_NEXT = 2


def decision(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return what is asked, what it brings, and the answers to sign."""
    case, drawn = result.case, result.figures(say.language)
    asked = {
        "people": case.ask.people,
        "mandate": case.ask.mandate,
        "problem": case.ask.problem,
        "nothing": None if result.broken else say.idle,
        "wanted": say(
            "by_whom", wanted=case.decision.wanted, day=case.decision.by, who=case.decision.who
        ),
        "conditions": say.joined(*case.decision.conditions),
    }
    pairs = [(say(f"ask_{name}"), say.spoken(words)) for name, words in asked.items() if words]
    answers = [] if result.broken or result.asked else [_answers(result, say)]
    return [Pairs(pairs), drawn["fan"], drawn["options"], *answers]


def _answers(result: CaseResult, say: CaseVoice) -> Table:
    """Return the answers, each with what it sets off and room to sign."""
    case, choice, ranked = result.case, result.choice, _to_measure(result, say)
    stage, action = case.stage, result.action
    ended = sum(line.present.mean for line in result.taken if line.ended)
    means = {"approve": say("means_approve"), "defer": say.waiting, "reject": say("means_reject")}
    means["approve"] += f" {say('means_gated' if released_by_gate(result) else 'means_at_once')}"
    if ended:
        means["reject"] += f" {say('means_ended', ended=say.money(ended))}"
    if ranked:
        means["defer"] += f" {say('means_measure', first=say.named(ranked[0].id))}"
    if stage:
        gate = f" {say('means_gate', gate=stage.gate)}" if stage.gate else ""
        until = say("means_stage", stage=say.money(result.recommended.stage), day=stage.ends)
        means["stage"] = until + gate
    if action == "other":
        other = result.option(choice.best)
        means["other"] = say("means_other", npv=other.npv, costs=other.costs)
    rows = []
    for name in ("approve", "stage", "other", "defer", "reject"):
        if name in means:
            speaks = say("figures_speak") if name == action else ""
            answer = Cell(f"☐ {say(f'answer_{name}')}", speaks)
            rows.append((answer, say.linked(means[name]), "\N{NO-BREAK SPACE}"))
    return say.table("answers", "answer sets_off signed", rows)


def options(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the options on the same draws, and the benefits of the recommended one."""
    none, nothing = say.none, result.nothing
    rows: list[Row] = [
        (nothing.name, none, say.money(nothing.costs.mean), *[none] * 4, say("reference"))
    ]
    rows += [_option(option, result, say) for option in result.options]
    columns = "option benefits costs npv loss roi payback more"
    return [
        say.table("options", columns, rows, numeric=range(1, 8)),
        *_benefits(result, say),
        *_beyond(result, say),
        *roadmap(result, say),
    ]


def _option(option: OptionResult, result: CaseResult, say: CaseVoice) -> Row:
    """Return an option, and what the recommended one brings more than it."""
    freed = option.hours.mean
    hours = say("cell_hours", hours=freed) if freed else None
    posts = say("cell_posts", posts=option.fte) if freed and option.fte is not None else None
    kind = say.joined(say(f"option_{option.kind}"), hours, posts)
    discounted = say("fact_discounted", payback=say.months(option.payback_discounted, "cell_never"))
    more: str | Cell = say.none
    for pair in result.differences:
        sign = {(pair.a, pair.b): 1, (pair.b, pair.a): -1}.get(
            (result.recommended.name, option.name)
        )
        if sign:
            better = say("cell_better", better=pair.better if sign > 0 else 1 - pair.better)
            more = say.spread(pair.npv.scaled(sign), better, signed=True)
    return (
        Cell(option.name, kind),
        say.money(option.benefits["all"].mean),
        say.money(option.costs.mean),
        say.spread(option.npv, say.irr(option.irr)),
        Cell(say.percent(option.loss[0], 0), say("cell_worst", worst=say.money(option.worst))),
        Cell(say.ratio(option.roi), say("cell_hard", roi=say.ratio(option.roi_hard))),
        Cell(say.months(option.payback, "cell_never"), discounted),
        more,
    )


def _benefits(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the benefits under the three gains; what is not measured is a debt."""
    groups = [_gain(gain, result, say) for gain in _GAINS]
    others = [line.name for line in result.lines if line not in result.taken]
    notes = [say.remark("others_only", names=others)] if others else []
    table = say.table("benefits", "benefit kind_grade present", groups=groups, numeric=(2,))
    return [table, *notes]


def _gain(gain: str, result: CaseResult, say: CaseVoice) -> Group:
    lines = [line for line in result.taken if line.gain == gain]
    owed = [
        say("debt", statement=debt.statement, measure=debt.measure, day=debt.by, owner=debt.owner)
        for debt in result.case.debts
        if debt.gain == gain
    ]
    if not owed and not lines:
        targets = [kpi.name for kpi in result.case.kpis if kpi.gain == gain]
        owed = [say("targets_only" if targets else "no_gain", names=targets)]
    head, total = say(f"gain_{gain}"), result.recommended.gains.get(gain)
    if total:
        head = say("gain_worth", gain=head, value=total)
    return Group(Cell(head, " ".join(owed)), [benefit(line, say) for line in lines])


def _beyond(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the gains that are not told in money: weights, scores, their weighted sums."""
    listed, options = result.case.beyond_money, result.case.options
    if not listed:
        return []
    names = [option.name for option in options]
    rows: list[Row] = [
        (
            say("cell_weight", name=gain.name, weight=gain.weight),
            *(say.given(gain.scores.get(name, 0.0)) for name in names),
        )
        for gain in listed
    ]
    sums = [sum(gain.weight * gain.scores.get(name, 0.0) for gain in listed) for name in names]
    rows.append((say("row_sum"), *(say.given(round(total, 2)) for total in sums)))
    heads = [say("column_beyond"), *map(say.spoken, names)]
    return [Table(say("table_beyond"), heads, rows, range(1, len(heads)), wide=True)]


def _to_measure(result: CaseResult, say: CaseVoice) -> list[Driver]:
    """Return the quantities whose knowledge is worth something, the most first."""
    ranked = sorted(result.drivers, key=lambda driver: -driver.worth)
    return [driver for driver in ranked if driver.worth >= say.scale.unit / 2][:_NEXT]


def depends(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return what moves the NPV, risks and targets, and what to measure next."""
    figures = result.figures(say.language)
    blocks: Blocks = [figures["tornado"]] if "tornado" in figures else []
    worth = [
        say("next_one", name=say.named(driver.id), worth=say.money(driver.worth))
        for driver in _to_measure(result, say)
    ]
    linked = say.linked(say("next" if worth else "next_none", pairs=worth))
    following = Paragraph(linked.text, refs=linked.refs)
    return [*blocks, risks(result, say), kpis(result, say), following]
