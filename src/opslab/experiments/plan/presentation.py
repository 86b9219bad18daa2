"""A plan's readout: its first screen, and a table or a chart for each of its parts."""

from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any

from babel.dates import get_day_names

from opslab.experiments.plan.record import REGISTERED
from opslab.experiments.plan.result import MetricPlan, PlanResult
from opslab.messages import Language
from opslab.report.blocks import Cell, Facts, Paragraph, Points, Reference, Table, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_COLUMNS = {
    "sizes": "metric:spoken role:spoken baseline:spoken raw_deviation:number deviation:number "
    "effect:spoken units:integer days:integer finds:spoken power:percent",
    "looks": "number:integer day:short_date units:integer information:percent efficacy:decimal "
    "futility:decimal alpha:p_value spent:p_value stops:percent stops_without:percent",
    "price": "looks:integer rate:percent",
    "resampled": "metric:spoken runs:integer expected:percent rate:percent:low:high",
}
"""Of each part that is a table: its columns, how they are written, and an interval's ends."""
_MOST = 12  # weeks that a chart shows


def voice(result: PlanResult, language: Language) -> Voice:
    """Return the voice of a plan."""
    del result
    return Voice(language, "plan")


def _scaled(plan: MetricPlan, difference: float) -> tuple[float, str]:
    """Return a difference on the scale of the effect that was declared, and how it is written."""
    if plan.baseline and (plan.effect or ("relative",))[0] == "relative":
        return difference / abs(plan.baseline), "percent"
    return difference, "points" if plan.type == "proportion" else "number"


def _size(plan: MetricPlan, difference: float | None, say: Voice) -> str:
    if difference is None:
        return say.none
    size, form = _scaled(plan, difference)
    return str(getattr(say, form)(size))


def _values(row: Any, say: Voice) -> dict[str, Any]:
    """Return what a row holds, of a metric as it is read."""
    if not isinstance(row, MetricPlan):
        return row if isinstance(row, dict) else vars(row)
    return vars(row) | {
        "role": say.joined(say(f"role_{row.role}"), say(f"source_{row.source}")),
        "baseline": say.percent(row.baseline)
        if row.type == "proportion"
        else say.number(row.baseline),
        "effect": _size(row, row.difference, say),
        "finds": _size(row, row.mde, say),
        "units": row.units and ceil(row.units),
        "days": row.days and ceil(row.days),
    }


def _cell(values: dict[str, Any], say: Voice, name: str, form: str, *ends: str) -> Cell:
    shown = [
        say.none if values[end] is None else getattr(say, form)(values[end])
        for end in (name, *ends)
    ]
    return Cell(shown[0], interval=say.range(*shown[1:]) if ends else "")


def _words(result: PlanResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences of the page name: the plan, and its first primary metric."""
    plan, weeks, days = result.leading, result.weeks, result.days or 0
    start = result.experiment.period and result.experiment.period.start
    last = start + timedelta(days - 1) if start and days else None
    span = "span_until" if last else "span_days" if days else "span"
    return {
        **vars(result.experiment.design),
        **_values(plan, say),
        **vars(result),
        "as_of": say.date(result.as_of) if result.as_of else say.none,
        "span": say(span, units=result.units or 0, days=days, last=last),
        "last": say.date(last) if last else say.none,
        "later": _size(plan, weeks[-1].mde[plan.metric], say) if weeks else None,
        "count": len(weeks),
    }


def _state(result: PlanResult) -> str:
    """Return what the plan comes to."""
    state = "open" if result.units is None else "short" if result.conditions else "ready"
    return "stop" if result.broken else state


def headline(result: PlanResult, say: Voice) -> str:
    """Return how many units find which effect, until when, how surely."""
    state = _state(result)
    form = state if state in ("stop", "open") else result.experiment.design.method
    return say(f"headline_{form}", **_words(result, say))


def first_screen(result: PlanResult, say: Voice) -> Verdict:
    """Return how large and how long, what that finds, and what to do."""
    spec, state, words = result.experiment, _state(result), _words(result, say)
    facts = [
        say.fact(name, say(f"value_{name}", **words), say(f"remark_{name}", **words))
        for name in ("units", "days", "power")
        if words[name]
    ]
    facts += [say.fact("rate", say("rate", **vars(row))) for row in result.resampled[:1]]
    facts.append(say.fact("registered", words["as_of"], result.fingerprint))
    reasons = [say.message(check.detail) for check in result.checks if check.status != "pass"]
    reasons += [_finds(plan, spec.design.power, say) for plan in result.metrics]
    return Verdict(
        kicker=say.joined(say("kicker"), words["as_of"], spec.owner),
        title=say.spoken(spec.shown_title),
        question=say.spoken(spec.question or ""),
        action=say(f"action_{state}"),
        headline=headline(result, say),
        tone="bad" if state == "stop" else "good" if state == "ready" else "open",
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=reasons,
    )


def _finds(plan: MetricPlan, wanted: float, say: Voice) -> str:
    """Return how surely the planned units find a metric's effect, or why that is not known."""
    if plan.not_plannable or plan.power is None:
        why = say.message(plan.not_plannable) if plan.not_plannable else say.none
        return say("pair", name=plan.metric, value=why)
    values = _values(plan, say) | {"wanted": wanted}
    more = [say("takes", **values)] * (plan.power < wanted - 1e-6)
    return " ".join([say(f"finds_{plan.role}", **values), *more])


def figures(result: PlanResult, say: Voice) -> dict[str, Figure]:
    """Return what each week finds, the bounds, the traffic and the A/A tests, as far as known."""
    plan, days = result.leading, get_day_names(locale=say.language)
    charts = {
        "weeks": [
            Row(
                say("week", **vars(week)),
                _size(plan, size, say),
                [(0, _scaled(plan, size)[0], BLUE if size <= (plan.difference or 0) else GREY)],
            )
            for week in result.weeks[:: ceil(len(result.weeks) / _MOST) or 1]
            if (size := week.mde[plan.metric])
        ],
        "looks": [
            Row(
                say("look", **vars(look)),
                say("bounds" if look.futility is None else "bounds_both", **vars(look)),
                [(look.futility or -look.efficacy, look.efficacy, BLUE)],
            )
            for look in result.looks
        ],
        "traffic": [
            Row(days[day["weekday"]], say.integer(day["units"]), [(0, day["units"], BLUE)])
            for day in result.traffic
        ],
        "resampled": [
            Row(
                say.spoken(row.metric),
                say("rate", **vars(row)),
                [(row.low, row.high, BLUE)],
                row.rate,
                mark=(row.expected, say("level", **vars(row))),
                thin=True,
            )
            for row in result.resampled
        ],
    }
    shares = {"weeks": bool(plan.baseline), "resampled": True}
    words = _words(result, say)
    return {
        name: say.chart(
            name, say(f"title_{name}", **words), rows, say(f"axis_{name}"), percent=name in shares
        )
        for name, rows in charts.items()
        if rows
    }


def _table(name: str, result: PlanResult, say: Voice) -> Table:
    columns = [column.split(":") for column in _COLUMNS[name].split()]
    values = [_values(row, say) for row in getattr(result, name)]
    rows = [[_cell(row, say, *column) for column in columns] for row in values]
    return say.table(name, " ".join(column[0] for column in columns), rows, numeric=range(2, 10))


def _weeks(result: PlanResult, say: Voice) -> Table:
    """Return what is found after each week, a column for each metric."""
    heads = [
        say("column_week"),
        say("column_units"),
        *(say.spoken(p.metric) for p in result.metrics),
    ]
    rows = [
        [
            say.integer(week.week),
            say.integer(week.units),
            *(_size(plan, week.mde[plan.metric], say) for plan in result.metrics),
        ]
        for week in result.weeks
    ]
    return Table(say("table_weeks"), heads, rows, range(1, len(heads)), wide=True)


def _part(name: str, result: PlanResult, say: Voice) -> Blocks:
    values, blocks = getattr(result, name), list[Any]()
    if name == "checks":
        blocks.append(say.checks(values))
    if values and name in _COLUMNS:
        blocks.append(_table(name, result, say))
    if values and name == "weeks":
        blocks.append(_weeks(result, say))
    if name == "data":
        blocks += (
            part for reading in result.readings for part in import_report(reading, say.language)
        )
    drawn = result.figures(say.language)
    blocks += [drawn[name]] if name in drawn else []
    key = "note" if values or result.PARTS[name] in ("", "checks") else "no"
    first, *more = say(f"{key}_{name}", **_words(result, say)).split("\n")
    blocks += [Points([first, *more]) if more else Paragraph(first, small=True)]
    if name == "registered":
        blocks.append(Paragraph(say("file"), refs=[Reference(REGISTERED, REGISTERED)]))
    return [say.heading(name), *blocks]


PARTS = {name: partial(_part, name) for name in PlanResult.PARTS}
