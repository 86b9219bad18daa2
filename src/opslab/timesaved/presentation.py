"""An estimate's readout: first screen, hours, checks, drivers, measurements, data, method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from opslab.messages import Language
from opslab.report.blocks import Cell, Facts, Group, Points, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import Message
from opslab.timesaved.inventory import AMOUNTS
from opslab.timesaved.quantities import Update
from opslab.timesaved.result import Saving, TimeSavedResult
from opslab.uncertainty.distributions import Fixed, quantile
from opslab.uncertainty.draws import Summary
from opslab.uncertainty.words import describe

LEVEL = 0.9
_UNITS = [factor * 10.0**power for power in range(16) for factor in (1, 5)]
_TONES: dict[str, Tone] = {"stop": "bad", "none": "plain", "count": "good"}
_MOST, _MOST_DRAWN, _MOST_REASONS = 8, 6, 4
_NOTHING = Summary(0, 0, 0, 0, 0, 0)
_REALITY = ("asana", "register", "metr", "uk")
_METHOD = "hours ranges calibration several measured together recapture draws drivers grades"
_FALLS = {
    "possible": "possible",
    "not_adopted": "adopted possible",
    "decayed": "kept adopted",
    "new_work": "freed kept",
    "freed": "freed",
    "not_recaptured": "recaptured freed",
    "recaptured": "recaptured",
}
"""Bars of the waterfall: a step from nothing, or what is lost from one to another."""
_KINDS = {"prior": GREY, "data": ORANGE, "posterior": BLUE}


def voice(_: TimeSavedResult, language: Language) -> Voice:
    """Return the voice of an estimate."""
    return Voice(language, "timesaved")


def hours(value: float, error: float, say: Voice, *, signed: bool = False) -> str:
    """Return hours, rounded to what their Monte Carlo error leaves standing."""
    unit = next(unit for unit in _UNITS if unit >= 4 * error)
    show = say.signed_decimal if signed else say.decimal
    return show(round(value / unit) * unit, 0)


def mean(summary: Summary, say: Voice) -> str:
    """Return the mean of a sum."""
    return hours(summary.mean, summary.mean_error, say)


def span(summary: Summary, say: Voice) -> str:
    """Return the middle 90 % of a sum."""
    return say.range(*(hours(end, summary.end_error, say) for end in (summary.low, summary.high)))


def _called(name: str, say: Voice) -> str:
    """Return what a stream of scores is called."""
    field, _, what = say.spoken(name).partition("/")
    return say(f"quantity_{field}", what=what.replace("/", ", "))


def headline(result: TimeSavedResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return say("headline_stop", **result.check("capacity").detail.values)
    return say(
        "headline",
        hours=mean(result.freed, say),
        span=span(result.freed, say),
        level=LEVEL,
        months=result.inventory.horizon_months,
        share=max(result.freed.mean, 0.0) / (result.gross or 1.0),
    )


def first_screen(result: TimeSavedResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    plan, evidence = result.inventory, result.check("evidence")
    day = say.date(result.as_of) if result.as_of else None
    first = next((_called(name, say) for name in _to_measure(result)), "")
    least = hours(max(result.freed.low, 0.0), result.freed.end_error, say)
    reasons = [
        say.message(check.detail)
        for check in result.checks
        if check.status != "pass" and check is not evidence
    ]
    reasons += [say("reason_evidence", **evidence.detail.values)]
    reasons += [say("reason_driver", name=first)] if first else []
    known = {
        "freed": result.freed,
        "recaptured": result.sums["step", "recaptured"],
        "hard": result.sums.get(("benefit", "hard"), _NOTHING),
    }
    facts = [
        say.fact(name, mean(summary, say), say("fact_span", level=LEVEL, span=span(summary, say)))
        for name, summary in known.items()
        if not result.broken
    ]
    return Verdict(
        kicker=say.joined(say("kicker"), day, plan.owner),
        title=say.spoken(plan.shown_title),
        question=say.spoken(plan.question or ""),
        action=say(f"action_{result.action}", name=first, hours=least),
        headline=headline(result, say),
        tone=_TONES.get(result.action, "open"),
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=reasons[: 1 if result.broken else _MOST_REASONS],
    )


def _to_measure(result: TimeSavedResult) -> list[str]:
    """Return the quantities worth measuring, the most telling first; not those that were."""
    measured = {update.name for update in result.updates if update.used == "both"}
    ranked = sorted(result.drivers, key=lambda driver: -(driver.share or 0.0))
    return [driver.name for driver in ranked if driver.share and driver.name not in measured]


def figures(result: TimeSavedResult, say: Voice) -> dict[str, Figure]:
    """Return every figure by name."""
    drawn = {"waterfall": _waterfall(result, say)}
    if result.drivers:
        drawn["tornado"] = _tornado(result, say)
    for field in ("minutes", "reduction"):
        if updates := [update for update in result.updates if update.name.startswith(field)]:
            drawn[f"measured_{field}"] = _compared(updates, field, say)
    return drawn


def _waterfall(result: TimeSavedResult, say: Voice) -> Figure:
    """Draw the way from what the changes could free to what is put to work, in means."""
    step, rows = {name: summary.mean for name, summary in result.of("step").items()}, []
    for name, ends in _FALLS.items():
        *less, high = (step[end] for end in ends.split())
        low, colour = sum(less), GREY if less else GREEN if name == "recaptured" else BLUE
        change = low - high if less else high
        value = hours(change, result.freed.mean_error, say, signed=bool(less))
        rows.append(Row(say(f"step_{name}"), value, [(low, high, colour)]))
    title = say("waterfall_title", share=step["recaptured"] / (step["possible"] or 1.0))
    return say.chart("waterfall", title, rows, say("axis_hours"))


def _tornado(result: TimeSavedResult, say: Voice) -> Figure:
    """Draw how far each quantity moves the hours, the widest first."""
    rows = []
    for driver in result.drivers[:_MOST_DRAWN]:
        low, high = (hours(end, result.freed.mean_error, say) for end in (driver.low, driver.high))
        parts = [(driver.low, result.base, ORANGE), (result.base, driver.high, BLUE)]
        rows.append(Row(_called(driver.name, say), say.range(low, high), parts))
    title = say("tornado_title", name=rows[0].label)
    return say.chart("tornado", title, rows, say("axis_hours"), base=result.base)


def _compared(updates: Sequence[Update], field: str, say: Voice) -> Figure:
    """Draw what was expected, measured and used of each quantity of one kind, on one axis."""
    share, rows = field not in AMOUNTS, []
    for update in updates:
        name = say.spoken(update.name).partition("/")[2].replace("/", ", ")
        for kind, colour in _KINDS.items():
            low, middle, high = ends = [
                quantile(getattr(update, kind), point) for point in (0.05, 0.5, 0.95)
            ]
            shown = [say.percent(end, 0) if share else say.decimal(end, 1) for end in ends]
            value = say("measured_value", low=shown[0], middle=shown[1], high=shown[2])
            label = say(f"measured_{kind}", name=name)
            rows.append(Row(label, value, [(low, high, colour)], point=middle))
    torn = [_called(update.name, say) for update in updates if update.used != "both"]
    weight = min(update.measured_share for update in updates)
    title = say("measured_torn" if torn else "measured_title", share=weight, names=torn)
    return say.chart("measured", title, rows, say(f"axis_{field}"), percent=share)


def _hours(result: TimeSavedResult, say: Voice) -> Blocks:
    ranked = sorted(result.savings, key=lambda saving: -saving.freed.mean)
    tasks = [_task(saving, say) for saving in ranked]
    groups = [
        Group(Cell(say(f"kind_{kind}")), list(_sums(result, kind, say)))
        for kind in ("initiative", "role", "benefit")
    ]
    week = result.freed.mean / sum(result.people.values()) / result.inventory.working_weeks
    columns = "task gross freed recaptured benefit grade"
    blocks: Blocks = [
        say.heading("hours"),
        *[say.paragraph("not_to_use", "bad")] * result.broken,
        result.figures(say.language)["waterfall"],
        say.table("tasks", columns, tasks, numeric=(1, 2, 3), level=LEVEL),
        say.table("groups", "group freed span", groups=groups, numeric=(1, 2), level=LEVEL),
    ]
    if result.currency:
        money = _sums(result, "money", say)
        blocks += [
            say.table("money", "benefit value span", money, numeric=(1, 2)),
            say.remark("money_note", currency=result.currency),
        ]
    return [
        *blocks,
        say.remark("reality", hours=week, share=week / result.inventory.contract_hours),
        Points([say(f"reality_{name}") for name in _REALITY]),
    ]


def _task(saving: Saving, say: Voice) -> list[str | Cell]:
    error = saving.freed.mean_error
    return [
        Cell(saving.task, say.joined(saving.role, ", ".join(map(say.spoken, dict(saving.parts))))),
        hours(saving.gross, error, say),
        Cell(mean(saving.freed, say), interval=span(saving.freed, say)),
        hours(saving.recaptured, error, say),
        say(f"benefit_{saving.benefit}"),
        saving.grade,
    ]


def _sums(result: TimeSavedResult, kind: str, say: Voice) -> Iterator[tuple[str, str, str]]:
    ours = kind in ("benefit", "money")
    for name, summary in result.of(kind).items():
        yield say(f"benefit_{name}") if ours else name, mean(summary, say), span(summary, say)


def _checks(result: TimeSavedResult, say: Voice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks)]


def _drivers(result: TimeSavedResult, say: Voice) -> Blocks:
    if not result.drivers:
        return [say.heading("drivers"), say.paragraph("no_drivers")]
    words = {update.name: say("rank_measured") for update in result.updates}
    words |= {name: say("rank", rank=at) for at, name in enumerate(_to_measure(result), 1)}
    rows = [
        (_called(at.name, say), say.percent(at.share or 0.0, 0), words.get(at.name, say.none))
        for at in result.drivers[:_MOST]
    ]
    return [
        say.heading("drivers"),
        result.figures(say.language)["tornado"],
        say.table("drivers", "quantity variance measure", rows, numeric=(1,)),
        say.remark("drivers_note"),
    ]


def _measured(result: TimeSavedResult, say: Voice) -> Blocks:
    drawn = result.figures(say.language).items()
    measured: Blocks = [figure for name, figure in drawn if name.startswith("measured")]
    return [say.heading("evidence"), *(measured or [say.paragraph("nothing_measured")])]


def _data(result: TimeSavedResult, say: Voice) -> Blocks:
    rows = []
    for known in result.known:
        if isinstance(known.stated, Fixed) and not known.assumed:
            continue  # it stands in the inventory as it is
        share = known.name.partition("/")[0] not in AMOUNTS
        stated, used = (
            describe(distribution, say.language, share=share)
            for distribution in (known.stated, known.used)
        )
        origin = Cell(say("assumed"), tone="open") if known.assumed else say("given")
        name = Cell(
            _called(known.name, say), say.message(Message("errors.row", {"row": known.row}))
        )
        rows.append((name, stated, used, origin))
    return [
        say.heading("data"),
        say.table("known", "quantity stated used origin", rows),
        *(block for at in result.readings for block in import_report(at, say.language)),
    ]


def _method(result: TimeSavedResult, say: Voice) -> Blocks:
    error = result.freed.end_error
    low, high = (
        hours(sum(getattr(saving.freed, end) for saving in result.savings), error, say)
        for end in ("low", "high")
    )
    values = {
        "count": len(result.past),
        "error": result.freed.mean_error,
        "end": error,
        "low": low,
        "high": high,
    }
    known = {**vars(result.inventory), **vars(result), **values}
    points = [say(f"method_{name}", **known) for name in _METHOD.split()]
    return [say.heading("method"), Points(points)]


PARTS: dict[str, Callable[[TimeSavedResult, Voice], Blocks]] = {
    "hours": _hours,
    "checks": _checks,
    "drivers": _drivers,
    "measured": _measured,
    "data": _data,
    "method": _method,
}
