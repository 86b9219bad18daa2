"""What stands behind the three pages: the last promise, scenarios, money, ledger, checks, method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opslab.businesscase.answers import answers, method
from opslab.businesscase.sentences import TONES, Voice
from opslab.messages import numbers, text
from opslab.report.blocks import Block, Cell, Paragraph, Points, Reference, Table

if TYPE_CHECKING:
    from opslab.businesscase.result import CaseResult, Change, Entry, Line, Target
    from opslab.businesscase.spec import Kpi, Milestone, Risk
    from opslab.report.figures import Figure

    Blocks = list[Block | Figure]

MOST = 8
"""Benefits, risks and targets that one of the pages holds; all of them stand here where there are more."""

BENEFITS = "benefit kind grade quantity present"
_MONEY, _NOTHING, _DRIVERS = ("benefit", "option"), (0.0, 0.0, 0.0), 10


def sections(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> dict[str, Blocks]:
    """Return the annexes by name, in order."""
    case, made = result.case, dict[str, "Blocks"]()
    if result.previous or any(one.status != "not_due" for one in result.targets):
        made["promise"] = _promise(result, figures, say)
    made["scenarios"] = [_scenarios(result, say), Paragraph(say("scenarios_note"), small=True)]
    made["scenarios"] += [_drivers(result, say)] if result.drivers else []
    steps = [(say(f"step_{name}"), say.money(value)) for name, value in result.waterfall]
    made["waterfall"] = [
        figures["waterfall"],
        say.table("waterfall", "step present", steps, numeric=(1,)),
    ]
    made["money"] = _money(result, say)
    ledger = [_line(one, say) for one in result.ledger]
    made["ledger"] = [
        say.table("ledger", "id statement value grade owner", ledger),
        Paragraph(say("ledger_note"), small=True),
    ]
    checks = [
        (
            say(f"check_{one.name}"),
            Cell(say(f"status_{one.status}"), tone=TONES[one.status]),
            text("words.yes" if one.blocking else "words.no", say.language),
            say.linked(say.check(one)),
        )
        for one in result.checks
    ]
    made["checks"] = [say.table("checks", "check status blocking detail", checks)]
    made["checks"] += [risks(say, case.risks)] if len(case.risks) > MOST else []
    made["checks"] += [kpis(say, case.kpis)] if len(case.kpis) > MOST else []
    made["checks"] += [roadmap(say, case.roadmap)] if len(case.roadmap) > MOST else []
    replies = [(question, say.linked(reply)) for question, reply in answers(result, say)]
    made["answers"] = [say.table("answers_to", "challenge reply", replies)]
    made["method"] = [Points(method(result, say))]
    return made


def benefit(one: Line, say: Voice) -> tuple[str | Cell, ...]:
    """Return a benefit's row: name and evidence, kind, grade, quantity a year, present value."""
    many = one.quantity
    amounts = say.told(many.p10, many.p50, many.p90, one.unit)
    if one.unit.partition("/")[0].strip() == say.result.case.finance.currency:
        amounts = say.money(many.p50), say.money(many.p10), say.money(many.p90)
    quantity = say.spanned(*amounts) if many.p10 < many.p90 else amounts[0]
    worth: str | Cell = say.spanned(
        *map(say.money, (one.present.p50, one.present.p10, one.present.p90))
    )
    if not one.counted:
        worth = Cell(say("outside"), str(worth))
    remarks = [say("owned", owner=one.owner)] if one.owner and one.kind == "hard" else []
    remarks += [say("signed", who=one.signed_by)] if one.signed_by else []
    name = Cell(one.name, " · ".join(remarks), refs=say.refs(one.refs))
    return name, say(f"kind_{one.kind}"), one.grade, quantity, worth


def risks(say: Voice, given: Sequence[Risk]) -> Table:
    """Return risks, each with the sign by which it is seen to come, and who answers for it."""
    rows = []
    for one in given:
        ends = (
            [end for end in (one.likelihood.low, one.likelihood.high) if end is not None]
            if one.likelihood
            else []
        )
        likely = one.likelihood.likely if one.likelihood else None
        chance = (
            say.between(ends, "share")
            if ends
            else say.none
            if likely is None
            else say.percent(likely)
        )
        rows.append((one.risk, chance, Cell(one.trigger, one.response or ""), one.owner))
    return say.table("risks", "risk likelihood trigger owner", rows)


def kpis(say: Voice, given: Sequence[Kpi]) -> Table:
    """Return the targets that the team accepts to be held to."""
    rows = []
    for one in given:
        baseline, target, kill = say.quantities([one.baseline, one.target, one.kill], one.unit)
        sources = dict.fromkeys(filter(None, (one.source, one.baseline_source)))
        promised = Cell(target, say.between([one.low, one.high], one.unit))
        answers_for = Cell(one.owner, say.day(one.date))
        rows.append((Cell(one.name, " · ".join(sources)), baseline, promised, kill, answers_for))
    return say.table("kpis", "kpi_source baseline target kill owner_date", rows, numeric=(1, 2, 3))


def roadmap(say: Voice, given: Sequence[Milestone]) -> Table:
    """Return the steps, each with the gate at its end."""
    rows = [
        (
            one.name,
            numbers.period((one.starts, one.ends), language=say.language),
            one.gate or say.none,
            one.owner or say.none,
        )
        for one in given
    ]
    return say.table("roadmap", "step dates gate owner", rows)


def _promise(result: CaseResult, figures: Mapping[str, Figure], say: Voice) -> Blocks:
    rows = [_target(one, say) for one in result.targets]
    blocks: Blocks = [
        say.table("promise", "kpi promised measured together status", rows, numeric=(1, 2, 3))
    ]
    blocks += [figure for name, figure in figures.items() if name.startswith("measured")]
    last, best = result.previous, result.recommended
    if last is None:
        return blocks
    words = say(
        "then_and_now",
        day=last.date,
        version=last.version,
        option=last.recommended,
        then=last.npv,
        then_chance=last.positive,
        now=best.npv,
        now_chance=best.positive[0],
    )
    refs = (
        [Reference(say("readout"), last.link, say("readout_of", run=last.run))] if last.link else []
    )
    changes = [_change(one, say) for one in last.changes if one.told or (one.before and one.after)]
    blocks += (
        [say.table("changes", "what kind before after", changes, numeric=(2, 3))] if changes else []
    )
    came, went = (
        [one.id for one in last.changes if not (one.told or getattr(one, end))]
        for end in ("before", "after")
    )
    blocks += [
        Points([say(key, names=names) for key, names in (("came", came), ("went", went)) if names])
    ]
    return [Paragraph(words, refs=refs), *blocks]


def _target(one: Target, say: Voice) -> tuple[str | Cell, ...]:
    def ends(given: tuple[float, float, float] | None, remark: str = "") -> str | Cell:
        if given is None:
            return say.none
        value, low, high = say.told(*given, one.kpi.unit)
        return Cell(value, " · ".join(filter(None, (say.range(low, high), remark))))

    weight = say("weight", share=one.measured_share or 0.0)
    status = Cell(say(f"status_{one.status}"), tone=TONES[one.status])
    return (
        Cell(one.kpi.name, say("due", day=one.due)),
        ends(one.promised),
        ends(one.measured, say.day(one.on) if one.on else ""),
        ends(one.posterior, weight),
        status,
    )


def _change(one: Change, say: Voice) -> tuple[str | Cell, ...]:
    def told(values: tuple[float, float, float]) -> str | Cell:
        value, low, high = (numbers.number(each, language=say.language) for each in values)
        if one.kind in _MONEY:
            value, low, high = map(say.money, values)
        elif one.id in say.places:
            value, low, high = say.told(values[1], values[0], values[2], say.unit_of(one.id))
        return Cell(value, say.range(low, high)) if low != high else value

    if one.told:
        return say(f"finance_{one.id}"), say(f"what_{one.kind}"), *one.told
    name = Cell(say.statement(one.id), refs=say.refs([one.id]))
    return name, say(f"what_{one.kind}"), told(one.before or _NOTHING), told(one.after or _NOTHING)


def _scenarios(result: CaseResult, say: Voice) -> Table:
    rows = []
    for name in ("hours", "hard", "soft", "costs", "npv", "roi", "payback"):
        values = [getattr(one, name) for one in result.recommended.scenarios]
        shown = [
            say.ratio(value)
            if name == "roi"
            else say.months(value, "cell_never")
            if name == "payback"
            else say.quantity(round(value), "")
            if name == "hours"
            else say.money(value)
            for value in values
        ]
        idle = say.money(result.nothing.costs.mean) if name == "costs" else say.none
        rows.append((say(f"row_{name}"), *shown, idle))
    columns, about = (
        "measure prudent central ambitious nothing",
        {"option": result.recommended.name},
    )
    return say.table("scenarios", columns, rows, about, numeric=range(1, 5))


def _drivers(result: CaseResult, say: Voice) -> Table:
    rows = []
    for one in result.drivers[:_DRIVERS]:
        unit = say.unit_of(one.id)
        switching = say.none if one.switching is None else say.quantity(one.switching, unit)
        knowing = say.none if one.knowing is None else say.money(one.knowing)
        name = Cell(say.statement(one.id), refs=say.refs([one.id]))
        rows.append(
            (
                name,
                say.between(one.at, unit),
                say.range(*map(say.money, one.npv)),
                switching,
                say.percent(one.share),
                knowing,
            )
        )
    return say.table(
        "drivers", "driver at npv_there switching variance knowing", rows, numeric=range(1, 6)
    )


def _money(result: CaseResult, say: Voice) -> Blocks:
    finance, best, rows, total = (
        result.case.finance,
        result.recommended,
        list[tuple[str, ...]](),
        0.0,
    )
    for place, ((gained, once, running), idle) in enumerate(
        zip(best.years, result.nothing.years, strict=True), 1
    ):
        net = gained - once - running
        total += net
        rows.append(
            (say("year", number=place), *map(say.money, (gained, once, running, net, total, idle)))
        )
    columns = "year benefits one_off running net cumulative idle"
    rates = [
        (numbers.given_percent(rate, language=say.language), say.money(npv), say.percent(chance))
        for rate, npv, chance in result.by_rate
    ]
    told = [
        say(
            "exchange_rate",
            given=one.given,
            to=one.to,
            rate=one.rate,
            day=one.date,
            source=one.source,
        )
        for one in finance.exchange
    ]
    every = [benefit(one, say) for one in result.lines] if len(say.lines) > MOST else []
    return [
        say.table("years", columns, rows, {"option": best.name}, numeric=range(1, 7)),
        *_tei(result, say),
        say.table("rates", "rate npv positive", rates, numeric=(1, 2)),
        *([say.table("every_benefit", BENEFITS, every, numeric=(3, 4))] if every else []),
        Points([say("currency_note", currency=finance.currency), *told]),
    ]


def _tei(result: CaseResult, say: Voice) -> Blocks:
    """Return Forrester's table, labelled as the other view of the same case."""
    made, finance = result.recommended.tei, result.case.finance
    rows = [
        (
            say(f"column_{name}"),
            *map(say.money, (row.initial, *row.years, row.total, row.present_value)),
        )
        for name, row in (("benefits", made.benefits), ("costs", made.costs), ("net", made.net))
    ]
    years = [say("year", number=place) for place in range(1, len(made.net.years) + 1)]
    heads = [
        say("column_line"),
        say("column_initial"),
        *years,
        say("column_total"),
        say("column_present"),
    ]
    caption = say("table_tei", benefit_risk=finance.benefit_risk, cost_risk=finance.cost_risk)
    payback = say.months(made.payback.months)
    note = say("tei_note", npv=say.money(made.npv), roi=say.ratio(made.roi), payback=payback)
    return [
        Table(caption, heads, rows, numeric=range(1, len(heads)), wide=True),
        Paragraph(note, small=True),
    ]


def _line(one: Entry, say: Voice) -> tuple[str | Cell, ...]:
    value, low, high = say.told(one.low, one.value, one.high, one.unit)
    law = text(f"uncertainty.family_{one.family}", say.language)
    spread = law if low == high else say("law", law=law, low=low, high=high)
    if one.stated:
        spread += f" · {say('widened', span=say.between(one.stated[1:], one.unit))}"
    grade = Cell(one.grade)
    if one.fallen:
        grade = Cell(
            one.grade,
            say(f"fallen_{one.fallen}", declared=one.declared, file=one.file or ""),
            "bad",
        )
    dates = [say("checked", day=one.checked)] if one.checked else []
    dates += (
        [say("overdue" if one.overdue else "next_check", day=one.next_check)]
        if one.next_check
        else []
    )
    users = say("used_by", names=one.used_by) if one.used_by else ""
    origin = " · ".join(filter(None, (say(f"origin_{one.kind}"), one.source, one.file, users)))
    links = (
        [Reference(say("readout"), one.link, say("readout_of", run=one.run or ""))]
        if one.link
        else []
    )
    cited = say.cited[one.id]
    name = Cell(cited, one.id if cited != one.id else "", anchor=f"ledger-{say.places[one.id]}")
    return (
        name,
        Cell(say.statement(one.id), origin, refs=links),
        Cell(value, spread),
        grade,
        Cell(one.owner or say.none, ", ".join(dates), "bad" if one.overdue else "plain"),
    )
