"""A flow's readout: first screen, rules, times, statuses, weeks, open work, groups, ahead."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from opslab.messages import Language
from opslab.operations.flow.result import FlowResult
from opslab.report.blocks import Cell, Facts, Paragraph, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, INK, SMALL, Figure, framed, name_axis, style
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import flat
from opslab.uncertainty.proportions import Interval

_TONES: dict[str, Tone] = {"stop": "bad", "hold": "good"}
_MOST, _BARS, _WEEKS, _SURE, _LEAST, _MANY = 12, 4, 26, 0.99, 0.05, 85
_COLUMNS = {
    "rules": "rule finished median_finished median",
    "where": "stage kind tickets visits_per_ticket visit days share waiting_now growth first",
    "week_by_week": "week created started done cancelled in_progress",
    "open": "key stage age passed",
    "groups": "by group tickets done median p85",
}
"""Of each part that is a table."""
_SENTENCES = {
    "headline": "little_arrivals times where wrong",
    "stop": "total rule calendar",
    "reasons": (
        "ahead record total reopened defects until rule calendar rule_resolved rule_created_last "
        "rule_active_last"
    ),
    "rules": "rule calendar",
    "times": "times shares percentiles_95 total reopened defects calendar",
    "where": "where efficiency rework limit_days calendar",
    "week_by_week": "little_rate",
    "open": "calendar",
    "groups": "assignees since_date calendar",
    "ahead": "ahead forecast_chance record",
    "method": "seed",
}
"""Of the first screen and of each part: by the values that they tell of, where there are any."""
_FACTS = "percentiles_50 percentiles_85 reopened most forecast_when_85"
_TOLD = (
    "total finished cancelled started_open not_started efficiency rework reopened "
    "defects limit since draws seed"
)
_SHARES = ("share", "first", "efficiency", "rework", "reopened", "chance")


def voice(_: FlowResult, language: Language) -> Voice:
    """Return the voice of a flow."""
    return Voice(language, "flow")


def _cell(name: str, value: Any, say: Voice) -> Cell:
    """Return a value as a cell of a table, with its interval."""
    if not isinstance(value, Interval):
        return Cell(_said(name, value, say))
    middle, low, high = (
        say("not_reached") if end is None else _said(name, end, say) for end in value
    )
    ends = say.range(low, high) if value.high is not None else say("or_more", low=low)
    return Cell(middle, interval=ends if value.low is not None else "")


def _said(name: str, value: Any, say: Voice) -> str:
    """Return a value as it is read, its interval in brackets; no share is told as all."""
    match value:
        case Interval():
            cell = _cell(name, value, say)
            return f"{cell.text} ({cell.interval})" if cell.interval else cell.text
        case list():
            return say.listed([_said(name, part, say) for part in value])
        case str():
            return say(f"{name}_{value}") if name in ("rule", "kind") else say.spoken(value)
        case datetime.date():
            return say.date(value)
        case int():
            return say.integer(value)
        case float() if name.endswith(_SHARES):
            return say("nearly_all") if value > _SURE else say.percent(value, 0)
        case float():
            return say.number(round(value, 2), 2)
    return say.none


def _gap(saved: Interval, unit: str, say: Voice) -> str:
    """Return how much faster or slower work became, or that nobody can be sure."""
    value, low, high = (number or 0 for number in saved)
    sure, kind = low * high > 0, "faster" if value > 0 else "slower"
    low, value, high = sorted(map(abs, (low, value, high)))
    gap = Interval(value, low, high) if sure else saved
    return say(f"since_{kind if sure else 'unsure'}", gap=_said("", gap, say), days=unit)


def _rules(result: FlowResult) -> dict[str, Interval]:
    """Return medians by rule: until resolved only where that is not done, within a twentieth."""
    rules = {known.rule: known.median for known in result.rules if known.median.value is not None}
    done = rules.get("created_last", rules.get("declared", Interval(None)))
    resolved = rules.get("resolved", done).value or 0
    same = np.isclose(resolved, done.value or 0, _LEAST, 0)
    rules.pop("resolved" if same else "created_last", None)
    return rules | {"done": done}


def _values(result: FlowResult, say: Voice) -> dict[str, str]:
    """Return what the sentences name, as it is read."""
    flow, history, ahead, last = result.flow, result.history, result.forecast, result.shares[-1]
    top, calendar, until = next(iter(result.stages), None), flow.calendar, history.period[1]
    unit = say("working_days" if calendar else "days")
    days = [at.value for at in result.percentiles.values() if at.value] or [last[0]]
    known = {
        **{name: at for name in _TOLD.split() if (at := getattr(result, name)) != Interval(None)},
        "stage": top and top._asdict(),
        "little": result.little and result.little._asdict(),
        "percentiles": {
            level: say("not_told")
            if at.value is None and last[1] >= level / 100
            else _said("", at, say) + f" {unit}" * bool(at.value)
            for level, at in result.percentiles.items()
        },
        "top_share": top and top.share.value,
        "most": top and say.joined(top.stage, _said("share", top.share.value, say)),
        "forecast": ahead._asdict()
        | {"when": {level: day or say("beyond") for level, day in ahead.when.items()}},
        "items": say("items_asked" if flow.forecast.items else "items_open", count=ahead.items),
        "rule": _rules(result),
        "wrong": [say(f"check_{known.name}") for known in result.conditions if not known.accepted],
        "assignees": history.assignees,
        "start": next((name for name in history.statuses if name == flow.start), flow.start),
        "since": {**result.since, **dict(flow.since or {})},
        "gap": _gap(saved, unit, say) if (saved := result.since.get("saved")) else None,
        "passed": [
            f"{say.percent(level / 100, 0)} ({_said('', at.value, say)})"
            for level, at in result.percentiles.items()
            if at.value
        ]
        or say("not_told"),
        "older": sum((row.passed or 0) >= _MANY for row in result.ageing),
        "day": result.as_of,
        "until": until if until != result.as_of else None,
        "calendar": [say(f"day_{day}") for day in calendar.days] if calendar else None,
        "shares": [
            say("share_by", days=f"{_said('', day, say)} {unit}", done=done, given=given, rest=rest)
            for reached in days
            for day, done, given, rest in [min(row for row in result.shares if row[0] >= reached)]
        ],
    }
    values = flat(known | {"days": unit})
    return {name: _said(name, value, say) for name, value in values.items() if value or value == 0}


def _sentences(part: str, result: FlowResult, say: Voice) -> list[str]:
    """Return what is said in a part, without what there is nothing to say of."""
    flow, ahead, values = result.flow, result.forecast, _values(result, say)
    half, most = (result.percentiles[level].value for level in (50, 85))
    start = flow.start if flow.start in ("created", "active") else "status"
    grows = "grows" if result.bottleneck else "steady"
    due = "due" if ahead.when.get(85) else "beyond"
    few = "thin" if result.shares[-1][1] >= 1 / 2 else "none"
    worded = {
        "rule": say(f"start_{start}_{flow.done}", **values),
        "times": say(f"times_{'most' if most else 'half' if half else few}", **values),
        "where": say(grows if result.stages else "no_stages", **values),
        "ahead": say(f"forecast_{ahead.refused or due}", **values),
    }
    if result.since:
        worded["since_date"] = say(f"since_{result.since.get('refused', 'told')}", **values)
    if ahead.origins:
        worded["record"] = say.message(result.check("forecast_record").detail)
    return [
        worded[name] if name in worded else say(f"on_{name}", **values)
        for name in _SENTENCES.get(part, "").split()
        if name in worded | values
    ]


def headline(result: FlowResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return say.message(result.check("few").detail)
    return " ".join(_sentences("headline", result, say))


def first_screen(result: FlowResult, say: Voice) -> Verdict:
    """Return how long work takes, where it waits, when it will be done, and what to do."""
    flow, values, broken = result.flow, _values(result, say), result.broken
    facts = [] if broken else [name for name in _FACTS.split() if name in values]
    return Verdict(
        say.joined(say("kicker"), values["day"], flow.owner),
        say.spoken(flow.shown_title),
        say.spoken(flow.question or ""),
        say(f"action_{result.action}", **values),
        headline(result, say),
        "open" if "wrong" in values and not broken else _TONES.get(result.action, "open"),
        Facts([*(say.fact(name, values[name]) for name in facts), say.checks_fact(result.checks)]),
        _sentences("stop" if broken else "reasons", result, say),
    )


def figures(result: FlowResult, say: Voice) -> dict[str, Figure]:
    """Return each figure that there is something for, by the part that it stands in."""
    values, fan, unit = _values(result, say), result.forecast.fan, result.flow.forecast.unit
    bars: dict[str, list[tuple[str, str, Interval]]] = {
        "where": [
            (say.spoken(row.stage), _said("share", row.share, say), row.share)
            for row in result.stages
        ],
        "open": [
            (
                say.joined(row.key, row.stage if result.stages else ""),
                f"{row.age:.0f} {values['days']}",
                Interval(row.age, 0, row.age),
            )
            for row in result.ageing
        ],
        "ahead": [
            (say(f"in_{unit}s", count=units), _said("", drawn, say), drawn)
            for units, low, middle, high in fan[1 :: len(fan) // _BARS + 1]
            for drawn in [Interval(middle, low, high)]
        ],
    }
    lines: dict[str, list[Any]] = {
        "open": [known.value for known in result.percentiles.values() if known.value],
        "ahead": [result.forecast.items],
    }
    drawn: dict[str, Figure] = {}
    if result.weeks and result.stages:
        drawn["week_by_week"] = _weeks(result, say)
    for name, known in bars.items():
        rows = [
            Row(label, value, [(at.low or 0, at.high, BLUE)], at.value)
            for label, value, at in known[:_BARS]
            if at.high is not None
        ]
        if not rows:
            continue
        title, axis = say(f"figure_{name}", **values), say(f"axis_{name}", **values)
        caption = say(f"caption_{name}", **values)
        drawn[name] = say.chart(name, title, rows, axis, (), caption, percent=name == "where")
        axes = drawn[name].drawing.axes[0]
        for at in lines.get(name, ()):
            axes.axvline(at, color=INK, ls=":", zorder=0)
        for words in axes.texts:  # a line stops where words stand
            words.set_bbox({"fc": "white", "ec": "none", "pad": 1})
    return drawn


def _weeks(result: FlowResult, say: Voice) -> Figure:
    """Return the cumulative flow: what has ended, and above it what is in progress, by status."""
    weeks, history = result.weeks[-_WEEKS:], result.history
    counts, names = [week.by_status for week in weeks], [*map(say.spoken, history.statuses)]
    frame = pd.DataFrame(counts, range(1 - len(weeks), 1), names)
    frame = frame.loc[:, np.isin(history.kinds, ("waiting", "active"))].iloc[:, ::-1]
    frame = frame.loc[:, frame.mean() >= _LEAST * frame.sum(axis=1).mean()]
    first, now = frame.iloc[0], frame.iloc[-1]
    stage = str((now - first).idxmax())
    until = say.date(weeks[-1].week + datetime.timedelta(6))
    frame.insert(0, say("ended"), np.cumsum([week.done + week.cancelled for week in weeks]))
    points = [say("pair", name=name, value=say.listed([*frame[name]])) for name in frame]
    title = say(
        "figure_week_by_week", stage=stage, first=first[stage], now=now[stage], weeks=len(weeks)
    )
    with style():
        drawing, axes = framed(title, 2.6, left=0.4)
        frame.plot.area(ax=axes, cmap="cividis", lw=0)
        axes.legend(reverse=True, loc="upper left", fontsize=SMALL)
        name_axis(axes, say("axis_week_by_week"))
    return Figure(drawing, " ".join([title, *points]), say("caption_week_by_week", until=until))


def _part(name: str, result: FlowResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, its figure, its table."""
    blocks: Blocks = [say.heading(name), *map(Paragraph, _sentences(name, result, say))]
    blocks += [figure for part, figure in result.figures(say.language).items() if part == name]
    if name in _COLUMNS and (rows := getattr(result, name)):
        cells = [
            [_cell(column, getattr(row, column), say) for column in _COLUMNS[name].split()]
            for row in (rows[-_MOST:] if name == "week_by_week" else rows[:_MOST])
        ]
        blocks.append(say.table(name, _COLUMNS[name], cells, count=len(rows), shown=len(cells)))
    if name == "checks":
        blocks.append(say.checks(result.checks))
    if name == "data":
        for reading in result.history.readings:
            blocks += import_report(reading, say.language)
    return blocks


PARTS = {name: partial(_part, name) for name in FlowResult.PARTS}
