"""What stands behind the three pages: the last promise, scenarios, money, ledger, checks."""

from __future__ import annotations

import datetime
import re
from functools import partial
from itertools import accumulate
from typing import Any

from opslab.businesscase.result import (
    SAID,
    CaseResult,
    Change,
    Entry,
    Estimate,
    Line,
    Previous,
    Target,
)
from opslab.businesscase.voice import TONES, CaseVoice
from opslab.messages import catalogue
from opslab.report.blocks import Cell, Folded, Paragraph, Points, Table
from opslab.report.voice import Blocks
from opslab.results import Message

Row = tuple[str | Cell, ...]

_MONEY, _NOTHING, _DRIVERS = ("benefit", "option"), Estimate(0.0, 0.0, 0.0), 8


def promise(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return what was promised and measured, and what has changed since the last case."""
    if not result.previous and all(target.status == "not_due" for target in result.targets):
        return []
    rows = [_target(target, say) for target in result.targets]
    return [
        *(_last_case(result.previous, say) if result.previous else []),
        say.table("promise", "kpi promised measured together status", rows, numeric=(1, 2, 3)),
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
        "came": [change for change in others if change.after],
        "went": [change for change in others if change.before],
    }
    rows = [_change(change, say) for change in kept]
    lists = []
    for key, ended in ends.items():
        names = [change.id for change in ended if change.kind in _MONEY]
        rest = say("count_others", count=len(ended) - len(names))
        lists += [say(key, names=[*names, rest])] if ended else []
    table = say.table("changes", "what kind before after", rows, numeric=(2, 3))
    return [Folded(say("table_changes"), [*([table] if rows else []), Points(lists)])]


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
        return say(f"finance_{change.id}"), what, *(_spelt(words, say) for words in change.words)

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


def _spelt(words: str, say: CaseVoice) -> str:
    """Return a convention with its days and numbers as the reader writes them."""
    for key in (f"timing_{words}", f"terms_{words}"):
        if key in catalogue(say.language, say.area):
            return say(key)

    def spelt(match: re.Match[str]) -> str:
        if "-" in match[0]:
            return say.date(datetime.date.fromisoformat(match[0]))
        return say.given(float(match[0]))

    return re.sub(r"\d{4}-\d\d-\d\d|\d+(\.\d+)?", spelt, words)


def scenarios(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return three scenarios that add up, and what moves the NPV."""
    best, idle = result.recommended, say.money(result.nothing.costs.mean)
    rows: list[Row] = []
    never = partial(say.months, never="cell_never")
    shown: dict[str, Any] = {"roi": say.ratio, "payback": never, "hours": say.integer}
    freed = ["hours"] if best.hours.mean else []
    for name in (*freed, "hard", "soft", "costs", "npv", "roi", "payback"):
        values = [getattr(scenario, name) for scenario in best.scenarios]
        cells = (shown.get(name, say.money)(value) for value in values)
        rows.append((say(f"row_{name}"), *cells, idle if name == "costs" else say.none))
    columns = "measure prudent expected ambitious nothing"
    table = say.table("scenarios", columns, rows, numeric=range(1, 5))
    drivers = [_drivers(result, say)] if result.drivers else []
    return [table, say.remark("scenarios_note"), *drivers]


def _drivers(result: CaseResult, say: CaseVoice) -> Table:
    rows = []
    for driver in result.drivers[:_DRIVERS]:
        unit, turn = say.unit_of(driver.id), driver.switching
        at = say("driver_at", at=say.between(*driver.at, unit))
        rows.append(
            (
                Cell(say.statement(driver.id), at, refs=say.refs([driver.id])),
                say.range(*map(say.money, driver.npv)),
                say.none if turn is None else say.quantity(turn, unit),
                say.percent(driver.share, 0),
                say.money(driver.worth),
            )
        )
    return say.table(
        "drivers", "driver npv_there switching variance knowing", rows, numeric=range(1, 5)
    )


def waterfall(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the way from gross to net, and what the risks cost that are simulated."""
    figures = result.figures(say.language)
    return [figures[name] for name in ("waterfall", "risks") if name in figures]


def money(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the budget by fiscal year, the NPV otherwise, the TEI table, how amounts are told."""
    finance, best = result.case.finance, result.recommended
    nets = [year.benefits - year.one_off - year.running for year in best.fiscal]
    years = [
        (
            say.fiscal(year.start),
            *map(say.money, (year.benefits, year.one_off, year.running, net, total, year.idle)),
        )
        for year, net, total in zip(best.fiscal, nets, accumulate(nets), strict=True)
    ]
    exchange = [
        say("exchange_rate", **rate.model_dump(exclude={"date"}), day=rate.date)
        for rate in finance.exchange
    ]
    columns = "year benefits one_off running net cumulative idle"
    blocks: Blocks = [
        say.table("fiscal", columns, years, numeric=range(1, 7)),
        _otherwise(result, say),
        *_parties(result, say),
        *_tei(result, say),
    ]
    return [*blocks, Points([say("currency_note"), *exchange])]


def _parties(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return who gains and who pays, where the case names somebody."""
    rows = [
        (
            party.name or say("unnamed"),
            *map(say.money, (party.gains, party.pays, party.gains - party.pays)),
        )
        for party in result.parties
    ]
    named = any(party.name for party in result.parties)
    return [say.table("parties", "party gains pays net", rows, numeric=(1, 2, 3))] if named else []


def _otherwise(result: CaseResult, say: CaseVoice) -> Table:
    """Return the mean NPV at other rates and over other horizons."""
    rates, horizons = result.by_rate, result.recommended.horizons
    heads = [say("column_measure")]
    heads += [say("at_rate", rate=one.rate) for one in rates]
    heads += [say.months(one.months) for one in horizons]
    npvs = [one.npv for one in rates] + [one.npv for one in horizons]
    rows = [
        (say("row_npv"), *(say.money(npv) for npv in npvs)),
        (
            say("column_loss"),
            *(say.percent(1 - one.positive, 0) for one in rates),
            *[say.none] * len(horizons),
        ),
    ]
    return Table(say("table_otherwise"), heads, rows, range(1, len(heads)), wide=True)


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
    heads = [say("column_line"), say("column_initial"), *years]
    heads += [say("column_total"), say("column_present")]
    payback = say.months(tei.payback.months)
    return [
        Table(say("table_tei"), heads, rows, numeric=range(1, len(heads)), wide=True),
        say.remark("tei_note", npv=say.money(tei.npv), roi=say.ratio(tei.roi), payback=payback),
    ]


def ledger(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return everything that is taken for granted."""
    rows = [_entry(entry, say) for entry in result.ledger]
    return [
        say.table("ledger", "id statement value grade_checked", rows),
        say.remark("ledger_note"),
    ]


def _entry(entry: Entry, say: CaseVoice) -> Row:
    link, unit = say.citations[entry.id], entry.unit
    law = say.message(Message(f"uncertainty.family_{entry.family}"))
    widened = say("widened") if entry.stated else None
    value = say.estimate(entry.value, entry.low, entry.high, unit, say.joined(law, widened))
    grade = Cell(entry.grade, f"{entry.checked:%m/%Y}" if entry.checked else "")
    if entry.fallen:
        why = say(f"fallen_{entry.fallen}", declared=entry.declared, file=entry.file or "")
        grade = Cell(entry.grade, why, "bad")
    source = entry.source
    if entry.kind != "assumption":
        said = entry.kind == "evidence" and entry.grade in SAID
        source = say("origin_said" if said else f"origin_{entry.kind}")
    overdue = say("overdue", day=entry.next_check) if entry.overdue else None
    names = dict.fromkeys((source, entry.owner, overdue))
    return (
        Cell(link.label, anchor=link.href.removeprefix("#")),
        Cell(
            say.statement(entry.id),
            say.joined(*names),
            refs=say.readout(entry.run or "", entry.link),
        ),
        value,
        grade,
    )


def checks(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the checks that did not pass, then the others by name."""
    wrong = [check for check in result.checks if check.status != "pass"]
    blocks: Blocks = [say.checks(wrong)] if wrong else []
    named: dict[str, list[str]] = {"passed": [], "absent": []}
    for check in result.checks:
        if check.status == "pass":
            key = "absent" if check.detail.key.endswith("_none") else "passed"
            named[key].append(say(f"check_{check.name}"))
    return blocks + [say.paragraph(key, names=names) for key, names in named.items() if names]


def benefit(line: Line, say: CaseVoice) -> Row:
    """Return a benefit: name, evidence and calculation; kind, grade, present value."""
    worth = say.spread(line.present)
    if not line.counted:
        worth = Cell(say("outside"), say.inline(worth))
    owner = say("owned", owner=line.owner) if line.owner and line.kind == "hard" else None
    signed = say("signed", who=line.signed_by) if line.signed_by else None
    given = [say("posts", **vars(test)) for test in say.result.posts if test.line == line.name]
    remark = say.joined(_calculation(line, say), owner, signed, *given)
    name = Cell(say.gain_name(line), remark, refs=say.refs(line.refs))
    kind = Cell(say(f"kind_{line.kind}"), say("cell_grade", grade=line.grade))
    return name, kind, worth


def _calculation(line: Line, say: CaseVoice) -> str:
    """Return the factors of a benefit, whose product is its value a year at full use."""
    factors = []
    for factor in line.factors:
        unit = say.spoken(say.unit_of(factor.id)).partition("/")[0].strip()
        value = say.quantity(factor.mean, unit if factor.id else "share")
        if factor.role == "scale":
            value = say.given(round(factor.mean, 3))
        factors.append(say(f"factor_{factor.role}", value=value))
    product = " \N{MULTIPLICATION SIGN} ".join(factors)
    return say("calculation", product=product, value=say.gained(line.value.mean))


def risks(result: CaseResult, say: CaseVoice) -> Table:
    """Return risks, each with its sign, who answers for it, and its cost where it is simulated."""
    costs, rows = {one.risk: one for one in result.risks}, list[Row]()
    for risk in result.case.risks:
        likely, chance = risk.likelihood, say.none
        if likely and likely.low is not None and likely.high is not None:
            chance = say.between(likely.low, likely.high, "share")
        elif likely and likely.likely is not None:
            chance = say.percent(likely.likely, 0)
        known, answer = costs.get(risk.risk), say.joined(risk.response, risk.owner)
        mean = say("cell_mean", mean=say.money(known.present)) if known else ""
        cost = say.spread(known.cost) if known else say.none
        rows.append((risk.risk, Cell(risk.trigger, answer), Cell(chance, mean), cost))
    return say.table("risks", "risk trigger likelihood risk_cost", rows, numeric=(2, 3))


def kpis(result: CaseResult, say: CaseVoice) -> Table:
    """Return the targets that the team accepts to be held to, with what was measured last."""
    rows, targets = [], {target.kpi.id: target for target in result.targets}
    measured = any(target.measured for target in result.targets)
    for kpi in result.case.kpis:
        stated = (kpi.baseline, kpi.target, kpi.kill)
        baseline, target, kill = (say.quantity(value, kpi.unit) for value in stated)
        latest, on = targets[kpi.id].measured, targets[kpi.id].on
        day = f"{on:%m/%Y}" if on else ""
        last = Cell(say.quantity(latest.middle, kpi.unit), day) if latest else say.none
        sources = dict.fromkeys((kpi.source, kpi.baseline_source, kpi.owner))
        promised = Cell(target, interval=say.between(kpi.low, kpi.high, kpi.unit))
        remark = say.joined(say("due", day=kpi.date), *sources)
        rows.append((Cell(kpi.name, remark), baseline, *[last] * measured, promised, kill))
    columns = f"kpi_source baseline {'latest ' * measured}target kill"
    return say.table("kpis", columns, rows, numeric=range(1, 4 + measured))


def released_by_gate(result: CaseResult) -> bool:
    """Return whether a cost of the recommended option waits for the gate of a step."""
    case = result.case
    gates = [case.day_of(step.id, end=True) for step in case.roadmap if step.gate]
    waiting = [
        case.day_of(cost.starts, end=False)
        for cost in case.costs
        if cost.name in case.recommended.costs and case.step(cost.starts)
    ]
    return bool(gates and waiting) and max(waiting) > min(gates)


def roadmap(result: CaseResult, say: CaseVoice) -> Blocks:
    """Return the steps, each with the gate at its end where there are gates."""
    case, rows = result.case, list[Row]()
    gated = any(step.gate for step in case.roadmap)
    for step in case.roadmap:
        first, last = (case.day_of(step.id, end=end) for end in (False, True))
        late = say.entries.get(f"slip:{step.id}")
        refs = say.readout(late.run or "", late.link) if late else ()
        when = Cell(say.period((first, last)), step.owner or "", refs=refs)
        rows.append((step.name, when, *([step.gate or say.none] if gated else [])))
    name = "gates" if released_by_gate(result) else "roadmap"
    columns = "step dates gate" if gated else "step dates"
    return [say.table(name, columns, rows)] if rows else []
