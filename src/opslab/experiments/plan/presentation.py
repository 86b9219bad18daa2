"""A plan's readout: its first screen, and a table or a chart for each of its parts."""

from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any

from babel.dates import get_day_names

from opslab.experiments.designs.looks import waiting
from opslab.experiments.plan.result import MetricPlan, PlanResult, Week
from opslab.experiments.plan.sizing import whole
from opslab.messages import Language
from opslab.report.blocks import Facts, Paragraph, Points, Table, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import Message

_COLUMNS = {
    "sizes": "metric role:spoken baseline:spoken raw_deviation:number deviation:number "
    "effect:spoken units:integer days:integer finds:spoken power:percent",
    "looks": "number day:short_date information:percent efficacy:decimal futility:decimal "
    "alpha:p_value spent:p_value stops:percent stops_without:percent",
    "price": "looks rate:percent",
    "resampled": "metric runs:integer expected:given_percent rate:percent low:percent high:percent",
}
"""Of each part that is a table: what heads its rows, then how each column is written."""
_MOST, _NEAR = 16, 1e-6  # rows of a chart; a chance this near to the planned one is that one
_FACTS = {name: [name] for name in ("units", "days", "power", "rate", "fingerprint")}
_FACTS["days"] = ["last", "intake"]


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


def _metric(plan: MetricPlan, result: PlanResult, say: Voice) -> dict[str, Any]:
    """Return what is planned of a metric, as sentences and tables name it."""
    kind, size = plan.effect or ("", 0.0)
    relative = kind == "relative"
    effect = say.given_percent(size) if relative else _size(plan, plan.difference, say)
    share = say.percent if plan.type == "proportion" else say.number
    return vars(plan) | {
        "role": say.joined(say(f"role_{plan.role}"), say(f"source_{plan.source}")),
        "baseline": share(plan.baseline) if plan.baseline is not None else say.none,
        "effect": effect,
        "finds": _size(plan, plan.mde, say),
        "units": plan.units and whole(plan.units, result.experiment.shares.values()),
        "days": plan.days and ceil(plan.days),
    }


def _words(result: PlanResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences of the page name: the plan, and its first primary metric."""
    plan, days, spec = result.leading, result.days or 0, result.experiment
    start = spec.period and spec.period.start
    last = start + timedelta(days - 1) if start and days else None
    tail = max(waiting(spec.design, metric) for metric in spec.metrics).days
    span = "span_until" if last else "span_days" if days else "span"
    words = _metric(plan, result, say) | vars(result)
    for row in (*result.weeks[-1:], *result.resampled[:1]):
        words = vars(row) | words
    return words | {
        "as_of": say.date(result.as_of) if result.as_of else say.none,
        "last": last and say.date(last),
        "intake": days > tail > 0 and days - tail,
        "tail": tail,
        "alpha": round(plan.alpha, 4),
        "later": _size(plan, result.weeks[-1].mde[plan.metric], say) if result.weeks else None,
        "span": say(span, units=result.units or 0, days=days, last=last),
    }


def headline(result: PlanResult, say: Voice) -> str:
    """Return how many units find which effect, until when, how surely."""
    design, plan, words = result.experiment.design, result.leading, _words(result, say)
    form = design.method if plan.power else "open"
    said = say(f"headline_{form}", **words)
    if plan.power and result.average_units and plan.alpha == design.alpha:  # none beside it
        said += " " + say(f"average_{form}", **words)
    return said


def first_screen(result: PlanResult, say: Voice) -> Verdict:
    """Return how large and how long, what that finds, and what to do."""
    spec, words = result.experiment, _words(result, say)
    deciding = (plan.power or 0.0 for plan in result.metrics if plan.role != "secondary")
    short = result.conditions or min(deciding) < spec.design.power - _NEAR
    state = "open" if not result.leading.power else "short" if short else "ready"
    facts = [
        say.fact(
            name,
            say(f"value_{name}", **words),
            *(say(f"remark_{remark}", **words) for remark in remarks if words.get(remark)),
        )
        for name, remarks in [*_FACTS.items()][0 if words["power"] else 3 :]  # else not planned
        if words.get(name)
    ]
    reasons = [say.message(check.detail) for check in result.checks if check.status != "pass"]
    reasons += [
        say("pair", name=plan.metric, value=say.message(plan.not_plannable))
        if plan.not_plannable
        else say(f"finds_{plan.role}", **_metric(plan, result, say))
        for plan in result.metrics
        if plan.not_plannable or plan is not result.leading
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
    weeks = [(_week(week, say), week.mde[plan.metric]) for week in result.weeks]
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
    assumed = {*result.traffic} == {result.experiment.planning.units_per_day}
    return {
        name: say.chart(
            "assumed" if name == "traffic" and assumed else name,
            say(f"title_{name}", **words),
            bars,
            say(f"axis_{name}"),
            percent=name == "weeks" and _scaled(plan, 0.0)[1] != "number",
        )
        for name, bars in rows.items()
        if bars
    }


def _table(name: str, result: PlanResult, say: Voice) -> Table:
    first, *columns = [column.partition(":")[::2] for column in _COLUMNS[name].split()]
    rows: list[dict[str, Any]] = [
        _metric(row, result, say) if name == "sizes" else row if name == "price" else vars(row)
        for row in getattr(result, name)
    ]
    caption = name
    if name == "looks":  # what is alike in each tells nothing; of a look a day every seventh
        several = len(rows) > 1
        columns = [of for of in columns if len({row[of[0]] for row in rows}) > several]
        if result.experiment.design.method == "always_valid":
            rows, caption = rows[(len(rows) - 1) % 7 :: 7], "daily"
    cells = [
        [say(f"row_{name}", **row)]
        + [
            say.none if row[column] is None else getattr(say, form)(row[column])
            for column, form in columns
        ]
        for row in rows
    ]
    heads = " ".join(column for column, _ in (first, *columns))
    return say.table(caption, heads, cells, numeric=range(1 + (name == "sizes"), 10))


def _week(week: Week, say: Voice) -> str:
    return say("row_weeks" if week.counted == week.units else "row_counted", **vars(week))


def _weeks(result: PlanResult, say: Voice) -> Table:
    """Return what is found after each week, a column for each metric."""
    heads = [say("column_week"), *(say.spoken(plan.metric) for plan in result.metrics)]
    rows = [
        [
            _week(week, say),
            *(_size(plan, week.mde[plan.metric], say) for plan in result.metrics),
        ]
        for week in result.weeks
    ]
    return Table(say("table_weeks"), heads, rows, range(1, len(heads)), wide=True)


def _part(name: str, result: PlanResult, say: Voice) -> Blocks:
    values, figure = getattr(result, name), result.figures(say.language).get(name)
    if name in ("price", "resampled") and not values:
        return []
    blocks: Blocks = [say.heading(name)]
    if name == "checks":
        return [*blocks, say.checks(values)]
    for file in result.readings if name == "data" else ():
        blocks += import_report(file, say.language)
    if values and name == "weeks":
        blocks.append(_weeks(result, say))
    elif values and name in _COLUMNS:
        blocks.append(_table(name, result, say))
    blocks += [figure] if figure else []
    none = not values if result.PARTS[name] else name == "registered" and bool(result.asked)
    said = _notes("no" if none else "note", name, result, say)
    return [*blocks, Points(said) if len(said) > 1 else Paragraph(said[0], small=True)]


def _notes(kind: str, name: str, result: PlanResult, say: Voice) -> list[str]:
    """Return what is said below a part, in the words of its design."""
    design, words = result.experiment.design, _words(result, say)
    method, prior, loss = design.method, design.prior, design.loss
    if name == "looks":
        notes = [say(f"{kind}_looks_{method}", **words)]
        notes += [say("note_futility")] if design.futility and result.looks else []
        if prior and loss:
            signed = say.signed_percent if prior.scale == "relative" else say.signed_number
            low, high = (signed(prior.mean + side * prior.sd) for side in (-1, 1))
            accepted = say.percent(loss, 2) if prior.scale == "relative" else say.number(loss)
            values = {"range": say.range(low, high), "accepted": accepted}
            notes.append(say.message(Message("experiments.design_bayesian", values)))
        return notes
    notes = say(f"{kind}_{name}", **words).split("\n")
    bayesian = name == "resampled" and method == "bayesian"
    more = f"method_{method}" if name == "method" else "resampled_bayesian" if bayesian else ""
    return [*notes, say(more)] if more else notes


PARTS = {name: partial(_part, name) for name in PlanResult.PARTS}
