"""An estimate's readout: the first screen, then hours, checks, drivers, evidence, data, method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opslab.messages import Language, numbers, text
from opslab.report.blocks import (
    Block,
    Cell,
    Facts,
    Group,
    Heading,
    Paragraph,
    Points,
    Table,
    Tone,
    Verdict,
)
from opslab.report.import_report import import_report
from opslab.timesaved.checks import Check
from opslab.timesaved.inventory import AMOUNTS
from opslab.uncertainty.distributions import Fixed
from opslab.uncertainty.draws import Summary
from opslab.uncertainty.words import describe

if TYPE_CHECKING:
    from opslab.report.figures import Figure
    from opslab.timesaved.result import TimeSavedResult

    Blocks = list[Block | Figure]

_TONES: dict[str, Tone] = {
    "stop": "bad",
    "none": "plain",
    "measure": "open",
    "count": "good",
    "pass": "good",
    "warn": "open",
    "fail": "bad",
}
_MOST = 8
_UNITS = [factor * 10.0**power for power in range(16) for factor in (1, 5)]
_NOTHING = Summary(0, 0, 0, 0, 0, 0)
_REALITY = ("asana", "register", "metr", "uk")


def hours(value: float, error: float, language: Language, *, signed: bool = False) -> str:
    """Return hours, rounded to what their Monte Carlo error leaves standing."""
    show = numbers.signed_decimal if signed else numbers.decimal
    unit = next(unit for unit in _UNITS if unit >= 4 * error)
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
        return text("timesaved.headline_stop", language, **result.check("capacity").values)
    freed = result.freed
    values = {"hours": mean(freed, language), "span": span(freed, language), "level": 0.9}
    share = max(freed.mean, 0.0) / (result.gross or 1.0)
    months = result.inventory.horizon_months
    return text("timesaved.headline", language, months=months, share=share, **values)


def first_screen(result: TimeSavedResult, language: Language) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    day = numbers.date(result.as_of, language=language) if result.as_of else None
    kicker = [text("timesaved.kicker", language), day, result.inventory.owner]
    wrong = [one for one in result.checks if one.status != "pass" and one.name != "evidence"]
    reasons = [_say(one, language) for one in wrong]
    reasons.append(text("timesaved.reason_evidence", language, **result.check("evidence").values))
    first = next((quantity(name, language) for name in _to_measure(result)), "")
    reasons += [text("timesaved.reason_driver", language, name=first)] if first else []
    least = hours(max(result.freed.low, 0.0), result.freed.end_error, language)
    return Verdict(
        kicker=" · ".join(filter(None, kicker)),
        title=result.inventory.inventory,
        question=result.inventory.question,
        action=text(f"timesaved.action_{result.action}", language, name=first, hours=least),
        headline=headline(result, language),
        tone=_TONES[result.action],
        facts=_facts(result, language),
        reasons=reasons[:1] if result.action == "stop" else reasons[:4],
    )


def _facts(result: TimeSavedResult, language: Language) -> Facts:
    items: list[tuple[str, str, Sequence[str]]] = []
    keys = (("step", "freed"), ("step", "recaptured"), ("benefit", "hard"))
    for key in keys if result.action != "stop" else ():
        one = result.sums.get(key, _NOTHING)
        remark = text("timesaved.fact_span", language, level=0.9, span=span(one, language))
        items.append((text(f"timesaved.fact_{key[1]}", language), mean(one, language), (remark,)))
    wrong = [
        text(f"timesaved.check_{one.name}", language)
        for one in result.checks
        if one.status != "pass"
    ]
    count = len(result.checks)
    shown = text("timesaved.fact_checks_value", language, passed=count - len(wrong), count=count)
    return Facts([*items, (text("timesaved.fact_checks", language), shown, wrong)])


def _to_measure(result: TimeSavedResult) -> list[str]:
    """Return the quantities worth measuring, the most telling first; not those that were."""
    measured = {one.name for one in result.updates if one.used == "both"}
    ranked = sorted(
        (one for one in result.drivers if one.share), key=lambda one: -(one.share or 0.0)
    )
    return [one.name for one in ranked if one.name not in measured]


def _say(one: Check, language: Language) -> str:
    return text(f"timesaved.{one.name}_{one.status}", language, **one.values)


def _table(
    name: str, columns: str, language: Language, rows: Sequence[Any] = (), **more: Any
) -> Table:
    heads = [text(f"timesaved.column_{column}", language) for column in columns.split()]
    return Table(
        text(f"timesaved.table_{name}", language, level=0.9), heads, rows, wide=True, **more
    )


def sections(result: TimeSavedResult, language: Language) -> dict[str, Blocks]:
    """Return the readout's sections by name."""
    figures = result.figures(language)
    measured: Blocks = [figures[name] for name in figures if name.startswith("measured")]
    made: dict[str, Blocks] = {
        "hours": _hours(result, figures, language),
        "checks": [_checks(result, language)],
        "drivers": _drivers(result, figures, language),
        "evidence": measured or [Paragraph(text("timesaved.nothing_measured", language))],
        "data": _data(result, language),
        "method": [Points(_method(result, language))],
    }
    heads = {name: Heading(text(f"timesaved.section_{name}", language)) for name in made}
    return {name: [heads[name], *blocks] for name, blocks in made.items()}


def _checks(result: TimeSavedResult, language: Language) -> Table:
    rows = [
        (
            text(f"timesaved.check_{one.name}", language),
            Cell(text(f"timesaved.status_{one.status}", language), tone=_TONES[one.status]),
            text("words.yes" if one.blocking else "words.no", language),
            _say(one, language),
        )
        for one in result.checks
    ]
    return _table("checks", "check status blocking detail", language, rows)


def _hours(result: TimeSavedResult, figures: Mapping[str, Figure], language: Language) -> Blocks:
    tasks = []
    for one in sorted(result.savings, key=lambda one: -one.freed.mean):
        gross, recaptured = (
            hours(x, one.freed.mean_error, language) for x in (one.gross, one.recaptured)
        )
        name = Cell(one.task, " · ".join([one.role, ", ".join(name for name, _ in one.parts)]))
        freed = Cell(mean(one.freed, language), span(one.freed, language))
        kind = text(f"timesaved.benefit_{one.benefit}", language)
        tasks.append((name, gross, freed, recaptured, kind, one.grade))

    def rows(kind: str) -> list[Sequence[str]]:
        names = {name: name for name in result.of(kind)}
        if kind in ("benefit", "money"):
            names = {name: text(f"timesaved.benefit_{name}", language) for name in names}
        sums = result.of(kind).items()
        return [(names[name], mean(one, language), span(one, language)) for name, one in sums]

    kinds = ("initiative", "role", "benefit")
    groups = [Group(Cell(text(f"timesaved.kind_{kind}", language)), rows(kind)) for kind in kinds]
    week = result.freed.mean / sum(result.people.values()) / result.inventory.working_weeks
    share = week / result.inventory.contract_hours
    blocks: Blocks = [
        figures["waterfall"],
        _table(
            "tasks", "task gross freed recaptured benefit grade", language, tasks, numeric=(1, 2, 3)
        ),
        _table("groups", "group freed span", language, groups=groups, numeric=(1, 2)),
    ]
    if result.action == "stop":
        blocks.insert(0, Paragraph(text("timesaved.not_to_use", language), "bad"))
    if result.currency:
        blocks.append(
            _table("money", "benefit value span", language, rows("money"), numeric=(1, 2))
        )
        note = text("timesaved.money_note", language, currency=result.currency)
        blocks.append(Paragraph(note, small=True))
    blocks.append(
        Paragraph(text("timesaved.reality", language, hours=week, share=share), small=True)
    )
    return [*blocks, Points([text(f"timesaved.reality_{name}", language) for name in _REALITY])]


def _drivers(result: TimeSavedResult, figures: Mapping[str, Figure], language: Language) -> Blocks:
    if not result.drivers:
        return [Paragraph(text("timesaved.no_drivers", language))]
    first, measured = _to_measure(result), {one.name for one in result.updates}
    rows = []
    for one in result.drivers[:_MOST]:
        key = (
            "rank"
            if one.name in first
            else "rank_measured"
            if one.name in measured
            else "rank_none"
        )
        rank = first.index(one.name) + 1 if one.name in first else 0
        share = numbers.percent(one.share or 0.0, 0, language=language)
        rows.append(
            (quantity(one.name, language), share, text(f"timesaved.{key}", language, rank=rank))
        )
    table = _table("drivers", "quantity variance measure", language, rows, numeric=(1,))
    return [
        figures["tornado"],
        table,
        Paragraph(text("timesaved.drivers_note", language), small=True),
    ]


def _data(result: TimeSavedResult, language: Language) -> Blocks:
    rows = []
    for one in result.known:
        if isinstance(one.stated, Fixed) and not one.assumed:
            continue  # it stands in the inventory as it is
        share = one.name.partition("/")[0] not in AMOUNTS
        stated, used = (describe(made, language, share=share) for made in (one.stated, one.used))
        origin = text(f"timesaved.{'assumed' if one.assumed else 'given'}", language)
        place = Cell(quantity(one.name, language), text("errors.row", language, row=one.row))
        rows.append((place, stated, used, Cell(origin, tone="open" if one.assumed else "plain")))
    reports = [block for reading in result.readings for block in import_report(reading, language)]
    return [_table("known", "quantity stated used origin", language, rows), *reports]


def _method(result: TimeSavedResult, language: Language) -> list[str]:
    plan, error = result.inventory, result.freed.end_error
    ends = [sum(getattr(one.freed, end) for one in result.savings) for end in ("low", "high")]
    low, high = (hours(end, error, language) for end in ends)
    values = {
        "weeks": plan.working_weeks,
        "months": plan.horizon_months,
        "rate": result.rate,
        "factor": result.factor,
        "count": len(result.past),
        "draws": result.draws,
        "seed": result.seed,
        "error": result.freed.mean_error,
        "end": error,
        "low": low,
        "high": high,
    }
    return [text(f"timesaved.{key}", language, **values) for key in _METHOD]


_METHOD = [
    f"method_{name}"
    for name in (
        "hours",
        "ranges",
        "calibration",
        "several",
        "measured",
        "together",
        "recapture",
        "draws",
        "drivers",
        "grades",
    )
]
