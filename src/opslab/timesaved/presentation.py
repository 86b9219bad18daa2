"""An estimate's readout, block by block: the first screen, then hours, drivers, evidence, checks, data, method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opslab.messages import Language, numbers, text
from opslab.report.blocks import Block, Cell, Facts, Heading, Paragraph, Points, Table, Tone, Verdict
from opslab.report.figures import Figure
from opslab.report.imports import import_report
from opslab.timesaved.result import Check, TimeSavedResult
from opslab.uncertainty.distributions import describe
from opslab.uncertainty.draws import Summary

_TONES: dict[str, Tone] = {"stop": "bad", "none": "plain", "measure": "open", "count": "good"}
_STATUS: dict[str, Tone] = {"pass": "good", "warn": "open", "fail": "bad"}
_REALITY = ("asana", "register", "metr", "uk")
_MOST = 8
_UNITS = [factor * 10.0**power for power in range(16) for factor in (1, 5)]


def hours(value: float, error: float, language: Language, *, signed: bool = False) -> str:
    """Return hours, rounded to what their Monte Carlo error leaves standing."""
    show = numbers.signed_decimal if signed else numbers.decimal
    unit = next(unit for unit in _UNITS if unit >= 2 * error)
    return show(round(value / unit) * unit, 0, language=language)


def mean(one: Summary, language: Language) -> str:
    """Return the mean of a sum."""
    return hours(one.mean, one.mean_error, language)


def span(one: Summary, language: Language) -> str:
    """Return the middle 90 % of a sum."""
    low, high = (hours(end, one.end_error, language) for end in (one.low, one.high))
    return text("words.range", language, low=low, high=high)


def quantity(name: str, language: Language) -> str:
    """Return what a stream of scores is called."""
    field, _, what = name.partition("/")
    return text(f"timesaved.quantity_{field}", language, what=what.replace("/", ", "))


def headline(result: TimeSavedResult, language: Language) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.action == "stop":
        return text("timesaved.headline_stop", language, **_check(result, "capacity").values)
    freed = result.freed
    return text("timesaved.headline", language, hours=mean(freed, language), level=0.9,
                span=span(freed, language), months=result.inventory.horizon_months,
                share=max(freed.mean, 0.0) / result.steps["gross"])  # fmt: skip


def _check(result: TimeSavedResult, name: str) -> Check:
    return next(one for one in result.checks if one.name == name)


def first_screen(result: TimeSavedResult, language: Language) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    named = [text("timesaved.kicker", language)]
    named += [numbers.date(result.as_of, language=language)] if result.as_of else []
    named += [result.inventory.owner] if result.inventory.owner else []
    first = _measure_first(result)
    driver = quantity(first[0], language) if first else ""
    wrong = [_say(one, language) for one in result.checks if one.status != "pass" and one.name != "evidence"]
    reasons = [text("timesaved.reason_evidence", language, **_check(result, "evidence").values)]
    reasons += [text("timesaved.reason_driver", language, name=driver)] if driver else []
    return Verdict(
        " · ".join(named), result.inventory.inventory, result.inventory.question,
        text(f"timesaved.action_{result.action}", language, name=driver, hours=hours(max(result.freed.low, 0.0), result.freed.end_error, language)),
        headline(result, language), _TONES[result.action], _facts(result, language), [*wrong, *reasons][:4],
    )  # fmt: skip


def _facts(result: TimeSavedResult, language: Language) -> Facts:
    none: list[tuple[str, str, Sequence[str]]] = []
    if result.action == "stop":
        return Facts(none)
    items = none
    for name in ("freed", "recaptured"):
        one = result.sums["step", name]
        remark = text("timesaved.fact_span", language, level=0.9, span=span(one, language))
        items.append((text(f"timesaved.fact_{name}", language), mean(one, language), (remark,)))
    hard = result.of("benefit").get("hard")
    items.append((text("timesaved.fact_hard", language), mean(hard, language) if hard else "0",
                  (text("timesaved.fact_hard_remark", language),)))  # fmt: skip
    passed = sum(one.status == "pass" for one in result.checks)
    wrong = [text(f"timesaved.check_{one.name}", language) for one in result.checks if one.status != "pass"]
    shown = text("timesaved.fact_checks_value", language, passed=passed, count=len(result.checks))
    items.append((text("timesaved.fact_checks", language), shown, wrong))
    return Facts(items)


def _measure_first(result: TimeSavedResult) -> list[str]:
    """Return the quantities worth measuring, the most telling first: not those that were."""
    measured = {one.name for one in result.updates if one.used == "both"}
    ranked = sorted((one for one in result.drivers if one.share), key=lambda one: -(one.share or 0.0))
    return [one.name for one in ranked if one.name not in measured]


def _say(one: Check, language: Language) -> str:
    return text(f"timesaved.{one.name}_{one.status}", language, **one.values)


def _table(name: str, columns: Sequence[str], rows: Sequence[Any], language: Language, **more: Any) -> Table:
    heads = [text(f"timesaved.column_{column}", language) for column in columns]
    return Table(text(f"timesaved.table_{name}", language, level=0.9), heads, rows, wide=True, **more)


def sections(result: TimeSavedResult, language: Language) -> dict[str, list[Block | Figure]]:
    """Return the readout's sections by name."""
    figures = result.figures(language)
    checks = [
        (text(f"timesaved.check_{one.name}", language), Cell(text(f"timesaved.status_{one.status}", language), tone=_STATUS[one.status]),
         text("words.yes" if one.blocking else "words.no", language), _say(one, language))
        for one in result.checks
    ]  # fmt: skip
    made: dict[str, list[Block | Figure]] = {
        "checks": [_table("checks", ("check", "status", "blocking", "detail"), checks, language)],
        "hours": _hours(result, figures["waterfall"], language),
        "drivers": _drivers(result, figures.get("tornado"), language),
        "evidence": [figures[one.name] for one in result.updates],
        "data": _data(result, language),
        "method": [Points(_method(result, language))],
    }
    if not result.updates:
        made["evidence"] = [Paragraph(text("timesaved.nothing_measured", language))]
    return {name: [Heading(text(f"timesaved.section_{name}", language)), *blocks] for name, blocks in made.items()}


def _hours(result: TimeSavedResult, waterfall: Figure, language: Language) -> list[Block | Figure]:
    blocks: list[Block | Figure] = []
    if result.action == "stop":
        blocks.append(Paragraph(text("timesaved.not_to_use", language), "bad"))
    tasks = [
        (Cell(one.task, f"{one.role} · {', '.join(name for name, _ in one.parts)}"), hours(one.gross, one.freed.mean_error, language),
         Cell(mean(one.freed, language), span(one.freed, language)),
         hours(one.recaptured, one.freed.mean_error, language), text(f"timesaved.benefit_{one.benefit}", language), one.grade)
        for one in sorted(result.savings, key=lambda one: -one.freed.mean)
    ]  # fmt: skip
    blocks += [waterfall, _table("tasks", ("task", "gross", "freed", "recaptured", "benefit", "grade"), tasks, language, numeric=(1, 2, 3))]
    groups = [
        (Cell(text("timesaved.year_name", language, name=name) if kind == "year" else text(f"timesaved.benefit_{name}", language) if kind == "benefit" else name,
              text(f"timesaved.kind_{kind}", language)),
         mean(one, language), span(one, language))
        for kind in ("year", "role", "initiative", "benefit")
        for name, one in result.of(kind).items()
    ]  # fmt: skip
    blocks.append(_table("groups", ("group", "freed", "span"), groups, language, numeric=(1, 2)))
    if money := result.of("money"):
        rows = [(text(f"timesaved.benefit_{name}", language), mean(one, language), span(one, language))
                for name, one in sorted(money.items(), key=lambda item: item[0] == "all")]  # fmt: skip
        blocks.append(_table("money", ("benefit", "value", "span"), rows, language, numeric=(1, 2)))
        blocks.append(Paragraph(text("timesaved.money_note", language, currency=result.currency), small=True))
    people: dict[str, float] = {}
    for one in result.savings:
        people[one.role] = max(people.get(one.role, 0.0), one.people)
    weekly = result.freed.mean / sum(people.values()) / result.inventory.working_weeks
    blocks.append(Paragraph(text("timesaved.reality", language, hours=weekly, share=weekly / result.inventory.contract_hours), small=True))
    blocks.append(Points([text(f"timesaved.reality_{name}", language) for name in _REALITY]))
    return blocks


def _drivers(result: TimeSavedResult, tornado: Figure | None, language: Language) -> list[Block | Figure]:
    if tornado is None:
        return [Paragraph(text("timesaved.no_drivers", language))]
    measured = _measure_first(result)
    rows = [
        (quantity(one.name, language), numbers.percent(one.share or 0.0, 0, language=language),
         text("timesaved.rank", language, rank=measured.index(one.name) + 1) if one.name in measured
         else text("timesaved.rank_measured" if one.share else "timesaved.rank_none", language))
        for one in result.drivers[:_MOST]
    ]  # fmt: skip
    return [tornado, _table("drivers", ("quantity", "variance", "measure"), rows, language, numeric=(1,)),
            Paragraph(text("timesaved.drivers_note", language), small=True)]  # fmt: skip


def _data(result: TimeSavedResult, language: Language) -> list[Block | Figure]:
    rows = [
        (quantity(one.name, language), numbers.integer(one.row, language=language),
         *(describe(made, language, share=one.field not in ("frequency", "minutes", "new_minutes")) for made in (one.stated, one.used)),
         Cell(text("timesaved.assumed" if one.assumed else "timesaved.given", language), tone="open" if one.assumed else "plain"))
        for one in result.known
    ]  # fmt: skip
    blocks: list[Block | Figure] = [_table("known", ("quantity", "row", "stated", "used", "origin"), rows, language, numeric=(1,))]
    for reading in result.readings:
        blocks += import_report(reading, language)
    return blocks


def _method(result: TimeSavedResult, language: Language) -> list[str]:
    plan = result.inventory
    values = {
        "hours": {"weeks": plan.working_weeks, "months": plan.horizon_months},
        "ranges": {},
        "calibration": {"rate": result.rate, "factor": result.factor, "count": len(result.past)},
        "several": {},
        "draws": {"draws": result.draws, "seed": result.seed, "error": result.freed.mean_error, "end": result.freed.end_error},
        "together": {"low": hours(result.together[0], result.freed.end_error, language), "high": hours(result.together[1], result.freed.end_error, language)},
        "measured": {},
        "drivers": {},
        "recapture": {},
        "grades": {},
    }  # fmt: skip
    return [text(f"timesaved.method_{name}", language, **value) for name, value in values.items()]
