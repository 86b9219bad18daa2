"""A plan's readout: its first screen, and a table or a chart for each of its parts."""

from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any

from babel.dates import get_day_names

from opslab.experiments.plan.record import REGISTERED
from opslab.experiments.plan.result import MetricPlan, PlanResult
from opslab.messages import Language
from opslab.report.blocks import Facts, Paragraph, Points, Reference, Table, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_COLUMNS = {
    "sizes": "metric role:spoken baseline:spoken raw_deviation:number deviation:number "
    "effect:spoken units:integer days:integer finds:spoken power:percent",
    "looks": "number day:short_date information:percent efficacy:decimal futility:decimal "
    "alpha:p_value spent:p_value stops:percent stops_without:percent",
    "price": "looks rate:percent",
    "resampled": "metric runs:integer expected:percent rate:percent low:percent high:percent",
}
"""Of each part that is a table: what heads its rows, then how each column is written."""
_MOST, _NEAR = 16, 1e-6  # rows of a chart; a chance this near to the planned one is that one
_FACTS = ("units", "days", "power", "rate", "fingerprint")


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


def _metric(plan: MetricPlan, say: Voice) -> dict[str, Any]:
    """Return what is planned of a metric, as sentences and tables name it."""
    share = say.percent if plan.type == "proportion" else say.number
    return vars(plan) | {
        "role": say.joined(say(f"role_{plan.role}"), say(f"source_{plan.source}")),
        "baseline": share(plan.baseline) if plan.baseline is not None else say.none,
        "effect": _size(plan, plan.difference, say),
        "finds": _size(plan, plan.mde, say),
        "units": plan.units and ceil(plan.units),
        "days": plan.days and ceil(plan.days),
    }


def _words(result: PlanResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences of the page name: the plan, and its first primary metric."""
    plan, days = result.leading, result.days or 0
    start = result.experiment.period and result.experiment.period.start
    last = start + timedelta(days - 1) if start and days else None
    span = "span_until" if last else "span_days" if days else "span"
    words = _metric(plan, say) | vars(result)
    for row in (*result.weeks[-1:], *result.resampled[:1]):
        words = vars(row) | words
    return words | {
        "as_of": say.date(result.as_of) if result.as_of else say.none,
        "last": say.date(last) if last else say.none,
        "later": _size(plan, result.weeks[-1].mde[plan.metric], say) if result.weeks else None,
        "span": say(span, units=result.units or 0, days=days, last=last),
    }


def headline(result: PlanResult, say: Voice) -> str:
    """Return how many units find which effect, until when, how surely."""
    form = result.experiment.design.method if result.leading.power else "open"
    return say(f"headline_{form}", **_words(result, say))


def first_screen(result: PlanResult, say: Voice) -> Verdict:
    """Return how large and how long, what that finds, and what to do."""
    spec, words = result.experiment, _words(result, say)
    deciding = (plan.power or 1.0 for plan in result.metrics if plan.role != "secondary")
    short = result.conditions or min(deciding) < spec.design.power - _NEAR
    state = "open" if not result.leading.power else "short" if short else "ready"
    facts = [
        say.fact(name, say(f"value_{name}", **words), say(f"remark_{name}", **words))
        for name in _FACTS[0 if words["power"] else 3 :]  # without an effect nothing is planned
        if words.get(name)
    ]
    reasons = [say.message(check.detail) for check in result.checks if check.status != "pass"]
    reasons += [
        say("pair", name=plan.metric, value=say.message(plan.not_plannable))
        if plan.not_plannable
        else say(f"finds_{plan.role}", **_metric(plan, say))
        for plan in result.metrics
    ]
    return Verdict(
        kicker=say.joined(say("kicker"), words["as_of"], spec.owner),
        title=say.spoken(spec.shown_title),
        question=say.spoken(spec.question or ""),
        action=say(f"action_{state}"),
        headline=headline(result, say),
        tone="good" if state == "ready" else "open",
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=reasons,
    )


def figures(result: PlanResult, say: Voice) -> dict[str, Figure]:
    """Return what each week finds and the traffic, as far as known."""
    words, plan, days = _words(result, say), result.leading, get_day_names(locale=say.language)
    weeks = [(say("row_weeks", **vars(week)), week.mde[plan.metric]) for week in result.weeks]
    sizes = [(label, size) for label, size in weeks if size]
    rows = {
        "weeks": [
            Row(label, _size(plan, size, say), [(0.0, _scaled(plan, size)[0], BLUE)])
            for label, size in sizes[:: ceil(len(sizes) / _MOST) or 1]
        ],
        "traffic": [
            Row(days[weekday], say.integer(count), [(0.0, count, BLUE)])
            for weekday, count in enumerate(result.traffic)
        ],
    }
    return {
        name: say.chart(
            name,
            say(f"title_{name}", **words),
            bars,
            say(f"axis_{name}"),
            percent=name == "weeks",
        )
        for name, bars in rows.items()
        if bars
    }


def _table(name: str, result: PlanResult, say: Voice) -> Table:
    first, *columns = [column.partition(":")[::2] for column in _COLUMNS[name].split()]
    rows: list[dict[str, Any]] = [
        _metric(row, say) if name == "sizes" else row if name == "price" else vars(row)
        for row in getattr(result, name)
    ]
    cells = [
        [say(f"row_{name}", **row)]
        + [
            say.none if row[column] is None else getattr(say, form)(row[column])
            for column, form in columns
        ]
        for row in rows
    ]
    heads = " ".join(column for column, _ in (first, *columns))
    return say.table(name, heads, cells, numeric=range(1 + (name == "sizes"), 10))


def _weeks(result: PlanResult, say: Voice) -> Table:
    """Return what is found after each week, a column for each metric."""
    heads = [say("column_week"), *(say.spoken(plan.metric) for plan in result.metrics)]
    rows = [
        [
            say("row_weeks", **vars(week)),
            *(_size(plan, week.mde[plan.metric], say) for plan in result.metrics),
        ]
        for week in result.weeks
    ]
    return Table(say("table_weeks"), heads, rows, range(1, len(heads)), wide=True)


def _part(name: str, result: PlanResult, say: Voice) -> Blocks:
    values, figure = getattr(result, name), result.figures(say.language).get(name)
    blocks: Blocks = [say.heading(name)]
    if name == "checks":
        return [*blocks, say.checks(values)]
    for file in result.readings if name == "data" else ():
        blocks += import_report(file, say.language)
    if name == "registered":
        blocks.append(Paragraph(say("file"), refs=[Reference(REGISTERED, REGISTERED)]))
    if values and name == "weeks":
        blocks.append(_weeks(result, say))
    elif values and name in _COLUMNS:
        blocks.append(_table(name, result, say))
    blocks += [figure] if figure else []
    none = result.PARTS[name] and not values
    said = say(f"{'no' if none else 'note'}_{name}", **_words(result, say))
    return [*blocks, Points(said.split("\n")) if "\n" in said else Paragraph(said, small=True)]


PARTS = {name: partial(_part, name) for name in PlanResult.PARTS}
