"""A review of decisions as it is read: how long, on what, do forecasts come true, who agrees."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from opslab.operations.decisions.result import SURE, DecisionsResult
from opslab.operations.voice import Blocks, Voice
from opslab.report.blocks import Cell, Paragraph, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, Figure
from opslab.report.import_report import import_report
from opslab.results import flat
from opslab.uncertainty.proportions import Interval

_FACTS = "evidence_latest ahead_latest agreed_named"
_SENTENCES = {
    "headline": "half naive saved wrong",
    "latency": "raised / horizon_days / taken_back",
    "quality": "weak_name / fresh",
    "forecasts": (
        "ahead_brier / ahead_mean ahead_change / ahead_pending no_ahead_brier no_ahead_mean"
    ),
    "agreement": (
        "agreed_people agreed_small / agreed_named / agreed_overlap / "
        "agreed_change_overlap agreed_change_named / agreed_unsaid agreed_others / "
        "stable_items stable_moved stable_gone / no_agreed_people"
    ),
    "open": "waits no_open no_lates",
    "method": "within / ahead_forecasts / agreed_jaccard",
}
"""Of the first screen and of each part: by the values that they tell of, where there are any."""
_WEEKS = ("median", "p85", "decided_only", "days", "limit", "gap", "naive")
_COLUMNS = {
    "latency": "group raised decided open withdrawn median p85 decided_only",
    "quality": "name share count of unknown",
    "forecasts": "mean forecasts came_true",
    "priorities": "priority people first functions",
    "functions": "function people within across named top",
    "open": "decision owner team days",
    "late": "decision owner review",
}
_TABLES = {"agreement": "priorities functions", "open": "open late"}
_MOST, _BARS = 12, 8
_APART = 0.1  # of a median: from here on another one is told beside it


voice = Voice.of("decisions")


def _number(name: str, value: float, say: Voice) -> str:
    """Return a number as its name is written: days in weeks, scores, changes, shares."""
    if name.endswith(_WEEKS):
        return say.decimal(value / 7, 1)
    if name.startswith("ahead"):
        return (say.signed_decimal if name.endswith("change") else say.decimal)(value, 2)
    return say.signed_points(value, 0) if "change" in name else say.percent(value, 0)


def _cell(name: str, value: Any, say: Voice) -> Cell:
    """Return a value as a cell of a table, an interval in brackets."""
    match value:
        case Interval(low=float() | int()):
            middle, low, high = ("" if at is None else _number(name, at, say) for at in value)
            ends = say.range(low, high) if high else say("or_more", low=low)
            return Cell(middle or say("not_reached"), interval=ends)
        case Interval():
            return _cell(name, value.value, say)
        case datetime.date():
            return Cell(say.date(value))
        case int():
            return Cell(say.integer(value))
        case float():
            return Cell(_number(name, value, say))
        case tuple() if value:
            return Cell(say.listed([*map(say.spoken, value)]))
    return Cell(say.spoken(value) if value else say.none)


def _said(name: str, value: Any, say: Voice) -> str:
    """Return a number as it stands in a sentence, with its interval."""
    cell = _cell(name, value, say)
    if name.endswith(_WEEKS) and cell.text[-1].isdigit():
        cell = replace(cell, text=say("weeks", number=cell.text))
    return f"{cell.text} ({cell.interval})" if cell.interval else cell.text


def _tables(result: DecisionsResult, say: Voice) -> dict[str, Any]:
    """Return what the tables show, by name, under the names that a reader knows it by."""
    review = result.review
    day = review.since and review.since.date
    return result.tables | {
        "latency": [
            at._replace(group=at.group or say(f"group_{at.kind}", day=day))
            for at in result.latencies
        ],
        "quality": [
            at._replace(name=say(f"share_{at.name}", **vars(review))) for at in result.qualities
        ],
        "open": result.still_open,
        "late": result.overdue,
    }


def _numbers(result: DecisionsResult) -> dict[str, Any]:
    """Return the numbers that the sentences name, by the part that they are of."""
    kinds = {at.kind: at for at in result.latencies}
    usual, before = kinds["all"], kinds.get("before")
    now = kinds.get("since", usual)
    if before is None or None in (before.median.value, now.median.value):
        before, now = None, usual
    parts: dict[str, Any] = {at.name: at for at in result.qualities} | {
        "weak": next(iter(result.weakest), None),
        "before": before,
        "now": now,
        "ahead": result.calibration,
        "agreed": result.alignment,
        "stable": result.stability,
    }
    value, low, high = (end or 0 for end in result.saved)
    sure, median, naive = low * high > 0, now.median.value, now.decided_only
    return {
        **usual._asdict(),
        **flat(
            {
                name: part._asdict() | {"latest": getattr(part, "latest", None)}
                for name, part in parts.items()
                if part
            }
        ),
        "gap": Interval(abs(value), *sorted(map(abs, (low, high)))) if sure else result.saved,
        "saved": value and ("unsure" if not sure else "faster" if value > 0 else "slower"),
        "half": "none" if median is None else "half_since" if before else "half",
        "naive": naive if median and naive and naive < (1 - _APART) * median else None,
        "limit": result.limit,
        "horizon_days": result.horizon,
        "within": 0.5 if usual.p85.value is None else SURE,
    }


def _values(result: DecisionsResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name: intervals as they are read, all else as it is."""
    review, ahead = result.review, result.calibration
    day, weak = review.since and review.since.date, next(iter(result.weakest), None)
    values = {
        name: _said(name, at, say) if isinstance(at, Interval) or name.endswith(_WEEKS) else at
        for name, at in _numbers(result).items()
        if at not in (None, Interval(None))
    }
    waiting, late = (
        [say.joined(at.decision, at.owner or say("no_owner")) for at in known]
        for known in (result.waiting, result.overdue)
    )
    lately = say("lately", day=day) if day else ""
    if "weak_since" in values:
        values["weak_latest"] = say.joined(values["weak_latest"], lately)
    return {
        **vars(result),
        **values,
        "waiting": waiting,
        "late": late,
        "wrong": [say(f"check_{at.name}") for at in result.conditions if not at.accepted],
        "unsaid": [say(f"share_{name}", **vars(review)) for name in result.unsaid],
        "evidence_lately": lately if "evidence_since" in values else "",
        "ahead_lately": lately if ahead and ahead.newer else "",
        "weak_name": weak and say(f"share_{weak.name}", **vars(review)),
        "change": review.since and review.since.name,
        "day": day,
        "grade": review.least_grade,
        "reversal_days": review.reversal_days,
        "fresh": result.fresh,
        "waits": len(waiting),
        "lates": len(late),
        "ahead_mean": ahead and sum(at.mean * at.forecasts for at in ahead.bins) / ahead.forecasts,
    }


def _paragraphs(part: str, result: DecisionsResult, say: Voice) -> Iterator[str]:
    """Give the paragraphs of a part, without what there is nothing to say of."""
    values = _values(result, say)
    for names in _SENTENCES.get(part, "").split(" / "):
        said = " ".join(
            say(f"on_{values[name] if name in ('half', 'saved') else name}", **values)
            for name in names.split()
            if bool(values.get(name.removeprefix("no_"))) != name.startswith("no_")
        )
        if said:
            yield said


def headline(result: DecisionsResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    red = [say.message(at.detail) for at in result.checks if at.blocking and at.status == "fail"]
    return " ".join(red or _paragraphs("headline", result, say))


def first_screen(result: DecisionsResult, say: Voice) -> Verdict:
    """Return how long decisions take, what they stand on, and what to do."""
    review, values, broken = result.review, _values(result, say), result.broken
    facts = [
        say.fact(name, *say(f"value_{name}", **values).splitlines())
        for name in _FACTS.split()
        if name in values and not broken
    ]
    return say.verdict(
        review,
        [*facts, say.checks_fact(result.checks)],
        kicker=say.joined(say("kicker", as_of=result.as_of), review.owner),
        action=say(f"action_{result.action}", **values),
        headline=headline(result, say),
        tone="bad" if broken else "open" if result.needs or values["wrong"] else "good",
        reasons=[
            *(say(f"need_{need}", **values) for need in result.needs),
            *(say.message(at.detail) for at in result.conditions if not at.accepted),
        ],
    )


def figures(result: DecisionsResult, say: Voice) -> dict[str, Figure]:
    """Return each figure that there is something for, by the part that it stands in."""
    values, agreed, tables = _values(result, say), result.alignment, _tables(result, say)
    bars: dict[str, list[Any]] = {
        "latency": [(at.group, at.raised, at.median, None) for at in tables["latency"]],
        "forecasts": [
            (say.percent(at.mean, 0), at.forecasts, at.came_true, at.mean)
            for at in tables["forecasts"]
        ],
        "agreement": [
            (at.function, at.people, at.within, at.across.value) for at in tables["functions"]
        ],
    }
    if agreed:
        bars["agreement"].insert(0, (bars["latency"][0][0], agreed.people, agreed.overlap, None))
    drawn = dict[str, Figure]()
    for part, known in bars.items():
        name, scale = ("days", 7) if part == "latency" else ("share", 1)
        rows = [
            Row(
                say(f"bar_{part}", name=label, count=count),
                _said(name, at, say),
                [(at.low / scale, (at.high or math.inf) / scale, BLUE)]
                if at.low is not None
                else [],
                None if at.value is None else at.value / scale,
                mark=None if other is None else (other / scale, say(f"mark_{part}")),
            )
            for label, count, at, other in known[:_BARS]
            if at != Interval(None)
        ]
        if rows:
            most = max((end for row in rows for end in row.ends if end < math.inf), default=1)
            title = say(f"figure_{values['half'] if part == 'latency' else part}", **values)
            frame, axis = (0.0, 1.1 * most), say(f"axis_{part}")
            drawn[part] = say.chart(part, title, rows, axis, percent=scale == 1, frame=frame)
    return drawn


def _part(part: str, result: DecisionsResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, its figure, its tables."""
    tables = _tables(result, say)
    blocks: Blocks = [say.heading(part), *map(Paragraph, _paragraphs(part, result, say))]
    blocks += [figure for name, figure in result.figures(say.language).items() if name == part]
    for name in _TABLES.get(part, part).split():
        names = _COLUMNS.get(name, "")
        if name == "quality" and result.review.since:
            names += " before since change"
        rows = [
            [_cell(column, getattr(at, column), say) for column in names.split()]
            for at in tables.get(name, ())
        ]
        if rows:
            blocks.append(say.table(name, names, rows[:_MOST], count=len(rows)))
    if part == "checks":
        blocks.append(say.checks(result.checks))
    if part == "data":
        for reading in result.readings:
            blocks += import_report(reading, say.language)
    return blocks


PARTS = {name: partial(_part, name) for name in DecisionsResult.PARTS}
