"""Incidents and what emerges, as a reader meets them: sentences, and a figure of the ratios."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from opslab.feedback.history import dated
from opslab.feedback.incidents import FALSE_ALARMS
from opslab.feedback.intake import cells
from opslab.feedback.result import FeedbackResult, Theme
from opslab.report.blocks import Points
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, RED, Figure
from opslab.report.voice import Blocks, Voice

_MOST, _WIDEST = 8, 30.0  # incidents that are shown; largest ratio that the figure shows


def blocks(result: FeedbackResult, say: Voice) -> Blocks:
    """Return on which days themes were said more than usual, and which are new or grow."""
    if not result.themes or result.broken:
        return []
    shown = [_sentence(row, say) for row in _told(result, say)]
    days = dated([each.date for each in result.intake.messages]).dropna()
    if not len(days):
        return []
    lines: Blocks = [Points(shown)] if shown else [say.paragraph("incidents_none")]
    if more := len(result.incidents) - len(shown):
        lines.append(say.remark("incidents_more", count=more))
    if result.emerging:
        names = [result.theme(name).called(say.language) for name in result.emerging]
        lines.append(say.paragraph("emerging", count=len(names), themes=names))
    rates = len(result.trends) and (result.trends["measure"] == "rate").all()
    span = (days.max() - days.min()).days + 1
    alarms = {"alarms": FALSE_ALARMS, "here": FALSE_ALARMS * span / 365, "days": span}
    return [
        say.heading("incidents", 3),
        *lines,
        *filter(None, [result.figures(say.language).get("incidents")]),
        say.remark("measure_rate" if rates else "measure_share"),
        say.remark("incidents", **alarms),
    ]


def marks(result: FeedbackResult, theme: Theme, say: Voice) -> list[str]:
    """Return what is said of a theme with an incident that is still on."""
    return [
        say("mark_incident", **row)
        for row in _told(result, say)
        if row["on"] and row["id"] == theme.id
    ]


def figures(result: FeedbackResult, say: Voice) -> dict[str, Figure]:
    """Return the figure of the incidents, none without any."""
    shown = _told(result, say)
    rows = [
        Row(
            say("incident_bar", **row),
            say("times", **row),
            [(row["low"], row["high"], RED if row["on"] else BLUE)],
            row["ratio"],
            thin=True,
        )
        for row in shown
    ]
    if not shown:
        return {}
    title, axis = say("incident_title", **shown[0]), say("incident_axis")
    top = min(max(row["high"] for row in shown) * 1.05, _WIDEST)
    lines = [_sentence(row, say) for row in shown[1:]]
    lines.insert(0, say("incident_alt", **shown[0]))
    return {"incidents": say.chart("incidents", title, rows, axis, lines, base=1, frame=(0, top))}


def _sentence(row: Mapping[str, Any], say: Voice) -> str:
    return say("incident_on" if row["on"] else "incident", **row)


def _told(result: FeedbackResult, say: Voice) -> list[dict[str, Any]]:
    """Return the incidents as sentences name them: those that are on first, then the newest."""
    ordered = sorted(
        cells(result.incidents), key=lambda row: (row["end"], -row["p"], row["theme"]), reverse=True
    )
    shown = []
    for row in ordered[:_MOST]:
        start, end = (datetime.date.fromisoformat(row[name]) for name in ("start", "end"))
        theme = result.theme(row["theme"]).called(say.language)
        shown.append(
            row
            | {"id": row["theme"], "theme": theme, "start": start}
            | {"when": say.period((start, end))}
        )
    return shown
