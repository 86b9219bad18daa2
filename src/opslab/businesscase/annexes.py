"""What stands behind the three pages: the last promise, scenarios, money by year, the ledger, answers, method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opslab.businesscase.answers import answers, method
from opslab.businesscase.sentences import TONES, Voice
from opslab.messages import numbers
from opslab.report.blocks import Block, Cell, Paragraph, Points, Reference, Table

if TYPE_CHECKING:
    from opslab.businesscase.result import CaseResult, Change, Entry, Target
    from opslab.businesscase.spec import Kpi, Milestone, Risk
    from opslab.report.figures import Figure

    Blocks = list[Block | Figure]

_MONEY = ("benefit", "cost", "option")


def sections(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> dict[str, Blocks]:
    """Return the annexes by name, in order."""
    made: dict[str, Blocks] = {}
    told = result.previous or any(one.status != "not_due" for one in result.targets)
    if told:
        made["promise"] = _promise(result, figures, say)
    made["scenarios"] = [_scenarios(result, say), Paragraph(say("businesscase.scenarios_note"), small=True)]
    if result.drivers:
        made["scenarios"].append(_drivers(result, say))
    steps = [(say(f"businesscase.step_{name}"), say.money(value)) for name, value in result.waterfall]
    made["waterfall"] = [figures["waterfall"], say.table("waterfall", "step present", steps, numeric=(1,))]
    made["money"] = _money(result, say)
    made["ledger"] = [_ledger(result, say), Paragraph(say("businesscase.ledger_note"), small=True)]
    made["checks"] = [_checks(result, say)]
    made["answers"] = [say.table("answers_to", "challenge reply", answers(result, say))]
    made["method"] = [Points(method(result, say))]
    return made


def risks(say: Voice, given: Sequence[Risk]) -> Table:
    """Return risks, each with the sign by which it is seen to come, and who answers for it."""
    rows = []
    for one in given:
        part = one.likelihood
        ends = (
            []
            if part is None
            else [end for end in (part.low, part.high) if end is not None] or [part.likely or 0.0]
        )
        chance = (
            say.between(ends, "share")
            if len(ends) > 1
            else say.percent(ends[0])
            if ends
            else say("words.none")
        )
        rows.append((one.risk, chance, Cell(one.trigger, one.response or ""), one.owner))
    return say.table("risks", "risk likelihood trigger owner", rows)


def kpis(say: Voice, given: Sequence[Kpi]) -> Table:
    """Return the targets that the team accepts to be held to."""
    rows = []
    for one in given:
        baseline, target, kill = say.quantities([one.baseline, one.target, one.kill], one.unit)
        span = say.between([one.low, one.high], one.unit)
        rows.append((one.name, Cell(baseline, one.baseline_source or ""), Cell(target, span),
                     numbers.date(one.date, language=say.language), kill, Cell(one.owner, one.source)))  # fmt: skip
    return say.table("kpis", "kpi baseline target date kill answers", rows, numeric=(1, 2, 4))


def roadmap(say: Voice, given: Sequence[Milestone]) -> Table:
    """Return the steps, each with the gate at its end."""
    none = say("words.none")
    rows = [(one.name, numbers.period((one.starts, one.ends), language=say.language), one.gate or none, one.owner or none)
            for one in given]  # fmt: skip
    return say.table("roadmap", "step dates gate owner", rows)


def _promise(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> Blocks:
    blocks: Blocks = []
    if result.previous:
        last, best = result.previous, result.recommended
        words = say("businesscase.then_and_now", day=say.day(last.date), version=last.version, option=last.recommended,
                    then=say.money(last.npv.p50), then_span=say.middle(last.npv), then_chance=last.positive,
                    now=say.money(best.npv.p50), now_span=say.middle(best.npv), now_chance=best.positive[0])  # fmt: skip
        refs = [Reference(last.run.split("/")[1], last.link)] if last.link else []
        blocks.append(Paragraph(words, refs=refs))
    blocks.append(say.table("promise", "kpi promised measured together status",
                            [_target(one, say) for one in result.targets], numeric=(1, 2, 3)))  # fmt: skip
    blocks += [figure for name, figure in figures.items() if name.startswith("measured")]
    if result.previous and result.previous.changes:
        rows = [_change(one, say) for one in result.previous.changes]
        blocks.append(say.table("changes", "what kind before after", rows, numeric=(2, 3)))
    return blocks


def _target(one: Target, say: Voice) -> tuple[str | Cell, ...]:
    none, unit = say("words.none"), one.kpi.unit

    def ends(given: tuple[float, float, float] | None, remark: str = "") -> str | Cell:
        if given is None:
            return none
        low, value, high = say.told(given, unit)
        return Cell(value, " · ".join(filter(None, (say.range(low, high), remark))))

    weight = "" if one.measured_share is None else say("businesscase.weight", share=one.measured_share)
    status = Cell(say(f"businesscase.status_{one.status}"), tone=TONES[one.status])
    on = say.day(one.on) if one.on else ""
    return (Cell(one.kpi.name, say("businesscase.due", day=say.day(one.kpi.date))), ends(one.promised),
            ends(one.measured, on), ends(one.posterior, weight if one.posterior else ""), status)  # fmt: skip


def _change(one: Change, say: Voice) -> tuple[str | Cell, ...]:
    entry = say.entry(one.id)
    refs = say.refs([one.id])

    def told(values: tuple[float, float, float] | None) -> str | Cell:
        if values is None:
            return say("businesscase.not_there")
        if one.kind in _MONEY:
            value, low, high = map(say.money, values)
        elif entry:
            low, value, high = say.told((values[1], values[0], values[2]), entry.unit)
        else:
            value, low, high = (numbers.given(each, language=say.language) for each in values)
        return Cell(value, say.range(low, high)) if low != high else value

    name = Cell(say.statement(entry), refs=refs) if entry else one.id
    return name, say(f"businesscase.what_{one.kind}"), told(one.before), told(one.after)


def _scenarios(result: CaseResult, say: Voice) -> Table:
    none, nothing = say("words.none"), say.money(result.nothing.costs.mean)
    names = ("hours", "hard", "soft", "costs", "npv", "roi", "payback")
    rows = []
    for name in names:
        cells = []
        for one in result.recommended.scenarios:
            value = getattr(one, name)
            if name == "hours":
                cells.append(say.quantities([value], "")[0])
            elif name == "payback":
                cells.append(say("businesscase.cell_never") if value is None else say.months(value))
            else:
                cells.append(say.ratio(value) if name == "roi" else say.money(value))
        rows.append((say(f"businesscase.row_{name}"), *cells, nothing if name == "costs" else none))
    columns = "measure prudent central ambitious nothing"
    return say.table(
        "scenarios", columns, rows, numeric=(1, 2, 3, 4), caption={"option": result.recommended.name}
    )


def _drivers(result: CaseResult, say: Voice) -> Table:
    none, rows = say("words.none"), []
    for one in result.drivers:
        unit = say.unit_of(one.id)
        switching = none if one.switching is None else say.quantities([one.switching], unit)[0]
        knowing = none if one.knowing is None else say.money(one.knowing)
        npv = say.range(*(say.money(end) for end in one.npv))
        entry = say.entry(one.id)
        name = Cell(say.statement(entry) if entry else one.id, refs=say.refs([one.id]))
        rows.append((name, say.between(one.at, unit), npv, switching, say.percent(one.share), knowing))
    return say.table(
        "drivers", "driver at npv_there switching variance knowing", rows, numeric=(1, 2, 3, 4, 5)
    )


def _money(result: CaseResult, say: Voice) -> Blocks:
    case, best = result.case, result.recommended
    rows, total = [], 0.0
    for place, (gained, once, running) in enumerate(best.years):
        net = gained - once - running
        total += net
        idle = result.nothing.years[place] if place < len(result.nothing.years) else 0.0
        shown = map(say.money, (gained, once, running, net, total, idle))
        rows.append((say("businesscase.year", number=place + 1), *shown))
    columns = "year benefits one_off running net cumulative idle"
    blocks: Blocks = [say.table("years", columns, rows, numeric=range(1, 7), caption={"option": best.name})]
    blocks += _tei(result, say)
    rates = [(numbers.given_percent(rate, language=say.language), say.money(npv), say.percent(chance))
             for rate, npv, chance in result.by_rate]  # fmt: skip
    blocks.append(say.table("rates", "rate npv positive", rates, numeric=(1, 2)))
    told = [say("businesscase.exchange_rate", given=one.given, to=one.to, rate=one.rate, day=say.day(one.date),
                source=one.source) for one in case.finance.exchange]  # fmt: skip
    return [*blocks, Points([say("businesscase.currency_note", currency=case.finance.currency), *told])]


def _tei(result: CaseResult, say: Voice) -> Blocks:
    return []


def _ledger(result: CaseResult, say: Voice) -> Table:
    rows = [_line(place, one, say) for place, one in enumerate(result.ledger, 1)]
    return say.table("ledger", "id statement value grade owner", rows, numeric=(2,))


def _line(place: int, one: Entry, say: Voice) -> tuple[str | Cell, ...]:
    none = say("words.none")
    low, value, high = say.told((one.low, one.value, one.high), one.unit)
    law = say(f"uncertainty.family_{one.family}")
    told = law if low == high else say("businesscase.law", law=law, low=low, high=high)
    if one.stated:
        told += f" · {say('businesscase.widened', span=say.between(one.stated[1:], one.unit))}"
    grade = Cell(one.grade)
    if one.fallen:
        grade = Cell(
            one.grade,
            say(f"businesscase.fallen_{one.fallen}", declared=one.declared, file=one.file or ""),
            "bad",
        )
    dates = [say("businesscase.checked", day=say.day(one.checked))] if one.checked else []
    if one.next_check:
        due = "businesscase.overdue" if one.overdue else "businesscase.next_check"
        dates.append(say(due, day=say.day(one.next_check)))
    owner = Cell(one.owner or none, ", ".join(dates), "bad" if one.overdue else "plain")
    users = say("businesscase.used_by", names=one.used_by) if one.used_by else ""
    origin = " · ".join(filter(None, (say(f"businesscase.origin_{one.kind}"), one.source, one.file, users)))
    links = []
    if one.link:
        links = [
            Reference(
                say("businesscase.readout"), one.link, say("businesscase.readout_of", run=one.run or "")
            )
        ]
    name = Cell(one.id, anchor=f"ledger-{place}")
    return name, Cell(say.statement(one), origin, refs=links), Cell(value, told), grade, owner


def _checks(result: CaseResult, say: Voice) -> Table:
    rows = [
        (
            say(f"businesscase.check_{one.name}"),
            Cell(say(f"businesscase.status_{one.status}"), tone=TONES[one.status]),
            say("words.yes" if one.blocking else "words.no"),
            say.check(one),
        )
        for one in result.checks
    ]
    return say.table("checks", "check status blocking detail", rows)
