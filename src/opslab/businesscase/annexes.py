"""What stands behind the three pages: the last promise, scenarios, money, ledger, checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from opslab.businesscase.commitments import Kpi, Risk
from opslab.businesscase.declarations import Milestone
from opslab.businesscase.options import Scenario
from opslab.businesscase.result import (
    CaseResult,
    Change,
    Entry,
    Estimate,
    Line,
    Previous,
    Target,
)
from opslab.businesscase.voice import TONES, CaseVoice
from opslab.report.blocks import Cell, Paragraph, Points, Table
from opslab.report.voice import Blocks
from opslab.results import Message

Row = tuple[str | Cell, ...]

MOST = 8
"""Benefits, risks and targets that a page holds; where there are more, all stand here."""
BENEFITS = "benefit kind grade quantity present"
_MONEY, _NOTHING, _DRIVERS = ("benefit", "option"), Estimate(0.0, 0.0, 0.0), 10


def promised(result: CaseResult) -> bool:
    """Whether there is a promise to be held to by now."""
    return bool(result.previous) or any(one.status != "not_due" for one in result.targets)


def promise(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return what was promised and measured, and what has changed since the last case."""
    if not promised(result):
        return []
    rows = [_target(target, say) for target in result.targets]
    figures = result.figures(say.language)
    return [
        *(_last_case(result.previous, say) if result.previous else []),
        say.table("promise", "kpi promised measured together status", rows, numeric=(1, 2, 3)),
        *(figure for name, figure in figures.items() if name.startswith("measured")),
        *(_changes(result.previous, say) if result.previous else []),
    ]


def _last_case(last: Previous, say: CaseVoice) -> Blocks:
    words = say(
        "then_and_now",
        day=last.date,
        version=last.version,
        option=last.recommended,
        then=last.npv,
        then_chance=last.positive,
    )
    return [Paragraph(words, refs=say.readout(last.run, last.link))]


def _changes(last: Previous, say: CaseVoice) -> Blocks:
    kept = [change for change in last.changes if change.words or (change.before and change.after)]
    others = [change for change in last.changes if change not in kept]
    ends = {
        "came": [change.id for change in others if change.after],
        "went": [change.id for change in others if change.before],
    }
    rows = [_change(change, say) for change in kept]
    points = Points([say(key, names=names) for key, names in ends.items() if names])
    table = say.table("changes", "what kind before after", rows, numeric=(2, 3))
    return [table, points] if rows else [points]


def _target(target: Target, say: CaseVoice) -> Row:
    unit, none = target.kpi.unit, say.none
    day = say.date(target.on) if target.on else ""
    weight = say("weight", share=target.measured_share or 0.0)
    bands = ((target.promised, ""), (target.measured, day), (target.posterior, weight))
    return (
        Cell(target.kpi.name, say("due", day=target.due)),
        *(
            say.estimate(band.middle, band.low, band.high, unit, remark) if band else none
            for band, remark in bands
        ),
        Cell(say(f"status_{target.status}"), tone=TONES.get(target.status, "plain")),
    )


def _change(change: Change, say: CaseVoice) -> Row:
    what = say(f"what_{change.kind}")
    if change.words:
        return say(f"finance_{change.id}"), what, *change.words

    def shown(ends: Estimate) -> Cell:
        if change.kind in _MONEY:
            value, low, high = map(say.money, ends)
        elif change.id in say.entries:
            return say.estimate(*ends, say.unit_of(change.id))
        else:
            value, low, high = map(say.number, ends)
        return Cell(value, interval=say.range(low, high) if low != high else "")

    name = Cell(say.statement(change.id), refs=say.refs([change.id]))
    return name, what, shown(change.before or _NOTHING), shown(change.after or _NOTHING)


def scenarios(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return three scenarios that add up, and what moves the NPV."""
    rows: list[Row] = []
    best, idle = result.recommended, say.money(result.nothing.costs.mean)
    for name in ("hours", "hard", "soft", "costs", "npv", "roi", "payback"):
        values = [_scenario(name, scenario, say) for scenario in best.scenarios]
        rows.append((say(f"row_{name}"), *values, idle if name == "costs" else say.none))
    columns = "measure prudent central ambitious nothing"
    table = say.table("scenarios", columns, rows, numeric=range(1, 5))
    drivers = [_drivers(result, say)] if result.drivers else []
    return [table, say.remark("scenarios_note"), *drivers]


def _scenario(name: str, scenario: Scenario, say: CaseVoice) -> str:
    match name:
        case "roi":
            return say.ratio(scenario.roi)
        case "payback":
            return say.months(scenario.payback, "cell_never")
        case "hours":
            return say.integer(scenario.hours)
        case _:
            return say.money(getattr(scenario, name))


def _drivers(result: CaseResult, say: CaseVoice) -> Table:
    rows = []
    for driver in result.drivers[:_DRIVERS]:
        unit, turn, worth = say.unit_of(driver.id), driver.switching, driver.knowing
        rows.append(
            (
                Cell(say.statement(driver.id), refs=say.refs([driver.id])),
                say.between(*driver.at, unit),
                say.range(*map(say.money, driver.npv)),
                say.none if turn is None else say.quantity(turn, unit),
                say.percent(driver.share, 0),
                say.none if worth is None else say.money(worth),
            )
        )
    columns = "driver at npv_there switching variance knowing"
    return say.table("drivers", columns, rows, numeric=range(1, 6))


def waterfall(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the way from gross to net."""
    steps = [(say(f"step_{name}"), say.money(value)) for name, value in result.waterfall]
    figure = result.figures(say.language)["waterfall"]
    return [figure, say.table("waterfall", "step present", steps, numeric=(1,))]


def money(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the cash by year, the TEI table, other rates, and how amounts are written."""
    finance, best = result.case.finance, result.recommended
    sums = accumulate(year.net for year in best.years)
    years = [
        (say("year", number=number), *map(say.money, (*year, year.net, net, idle)))
        for number, (year, net, idle) in enumerate(
            zip(best.years, sums, result.nothing.years, strict=True), 1
        )
    ]
    rates = [
        (say.given_percent(rate), say.money(npv), say.percent(chance, 0))
        for rate, npv, chance in result.by_rate
    ]
    exchange = [
        say("exchange_rate", **rate.model_dump(exclude={"date"}), day=rate.date)
        for rate in finance.exchange
    ]
    columns = "year benefits one_off running net cumulative idle"
    blocks: Blocks = [
        say.table("years", columns, years, numeric=range(1, 7)),
        *_tei(result, say),
        say.table("rates", "rate npv positive", rates, numeric=(1, 2)),
    ]
    if len(say.lines) > MOST:
        every = [benefit(line, say) for line in result.lines]
        blocks.append(say.table("every_benefit", BENEFITS, every, numeric=(3, 4)))
    return [*blocks, Points([say("currency_note"), *exchange])]


def _tei(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return Forrester's table, labelled as the other view of the same case."""
    tei = result.recommended.tei
    rows = [
        (
            say(f"column_{name}"),
            *map(say.money, (row.initial, *row.years, row.total, row.present_value)),
        )
        for name, row in (("benefits", tei.benefits), ("costs", tei.costs), ("net", tei.net))
    ]
    years = [say("year", number=number) for number in range(1, len(tei.net.years) + 1)]
    line, initial, total, present = map(
        say, ("column_line", "column_initial", "column_total", "column_present")
    )
    heads = [line, initial, *years, total, present]
    payback = say.months(tei.payback.months)
    return [
        Table(say("table_tei"), heads, rows, numeric=range(1, len(heads)), wide=True),
        say.remark("tei_note", npv=say.money(tei.npv), roi=say.ratio(tei.roi), payback=payback),
    ]


def ledger(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return everything that is taken for granted."""
    rows = [_entry(entry, say) for entry in result.ledger]
    table = say.table("ledger", "id statement value grade owner", rows)
    return [table, say.remark("ledger_note")]


def _entry(entry: Entry, say: CaseVoice) -> Row:
    link, unit, file = say.citations[entry.id], entry.unit, entry.file or ""
    law = say.message(Message(f"uncertainty.family_{entry.family}"))
    widened = None
    if entry.stated:
        span = say.between(entry.stated.low, entry.stated.high, unit)
        widened = say("widened", span=span)
    value = say.estimate(entry.value, entry.low, entry.high, unit, say.joined(law, widened))
    grade = Cell(entry.grade)
    if entry.fallen:
        why = say(f"fallen_{entry.fallen}", declared=entry.declared, file=file)
        grade = Cell(entry.grade, why, "bad")
    users = say("used_by", names=entry.used_by) if entry.used_by else None
    origin = say.joined(say(f"origin_{entry.kind}"), entry.source, file, users)
    also = entry.id if entry.id != link.label else ""
    return (
        Cell(link.label, also, anchor=link.href.removeprefix("#")),
        Cell(say.statement(entry.id), origin, refs=say.readout(entry.run or "", entry.link)),
        value,
        grade,
        Cell(
            entry.owner or say.none,
            ", ".join(_dates(entry, say)),
            "bad" if entry.overdue else "plain",
        ),
    )


def _dates(entry: Entry, say: CaseVoice) -> Iterator[str]:
    if entry.checked:
        yield say("checked", day=entry.checked)
    if entry.next_check:
        yield say("overdue" if entry.overdue else "next_check", day=entry.next_check)


def checks(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the checks, and what is too long for the pages."""
    case = result.case
    return [
        say.checks(result.checks),
        *([risks(case.risks, say)] if len(case.risks) > MOST else []),
        *([kpis(case.kpis, say)] if len(case.kpis) > MOST else []),
        *([roadmap(case.roadmap, say)] if len(case.roadmap) > MOST else []),
    ]


def benefit(line: Line, say: CaseVoice) -> Row:
    """Return a benefit: name and evidence, kind, grade, quantity a year, present value."""
    many, worth = line.quantity, say.spread(line.present)
    quantity = say.spread(many)
    if line.unit.partition("/")[0].strip() != say.currency:
        quantity = say.estimate(many.p50, many.p10, many.p90, line.unit)
    if not line.counted:
        worth = Cell(say("outside"), say.inline(worth))
    owner = say("owned", owner=line.owner) if line.owner and line.kind == "hard" else None
    signed = say("signed", who=line.signed_by) if line.signed_by else None
    name = Cell(line.name, say.joined(owner, signed), refs=say.refs(line.refs))
    return name, say(f"kind_{line.kind}"), line.grade, quantity, worth


def risks(listed: Sequence[Risk], say: CaseVoice) -> Table:
    """Return risks, each with the sign by which it is seen to come, and who answers for it."""
    rows = []
    for risk in listed:
        likely, chance = risk.likelihood, say.none
        if likely and likely.low is not None and likely.high is not None:
            chance = say.between(likely.low, likely.high, "share")
        elif likely and likely.likely is not None:
            chance = say.percent(likely.likely, 0)
        sign = Cell(risk.trigger, risk.response or "")
        rows.append((risk.risk, chance, sign, risk.owner))
    return say.table("risks", "risk likelihood trigger owner", rows)


def kpis(listed: Sequence[Kpi], say: CaseVoice) -> Table:
    """Return the targets that the team accepts to be held to."""
    rows = []
    for kpi in listed:
        baseline, target, kill = say.quantities([kpi.baseline, kpi.target, kpi.kill], kpi.unit)
        sources = say.joined(*dict.fromkeys((kpi.source, kpi.baseline_source)))
        promised = Cell(target, interval=say.between(kpi.low, kpi.high, kpi.unit))
        held = Cell(kpi.owner, say.date(kpi.date))
        rows.append((Cell(kpi.name, sources), baseline, promised, kill, held))
    return say.table("kpis", "kpi_source baseline target kill owner_date", rows, numeric=(1, 2, 3))


def roadmap(listed: Sequence[Milestone], say: CaseVoice) -> Table:
    """Return the steps, each with the gate at its end."""
    rows = [
        (
            step.name,
            say.period((step.starts, step.ends)),
            step.gate or say.none,
            step.owner or say.none,
        )
        for step in listed
    ]
    return say.table("roadmap", "step dates gate owner", rows)
