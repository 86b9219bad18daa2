"""Incidents and what emerges, as a reader meets them."""

from __future__ import annotations

import datetime
from typing import Any

from opslab.feedback.history import dated
from opslab.feedback.incidents import FALSE_ALARMS, FEWEST
from opslab.feedback.intake import cells
from opslab.feedback.result import FeedbackResult, Theme
from opslab.report.blocks import Points
from opslab.report.voice import Blocks, Voice

_MOST = 8  # incidents that are shown
_RARE = 0.5  # expected messages below which a ratio says little
_day = datetime.date.fromisoformat


def blocks(result: FeedbackResult, say: Voice) -> Blocks:
    """Return on which days themes were said more than usual, and which are new or grow."""
    messages = result.intake.messages
    days = dated([each.date for each in messages]).dropna()
    if not len(days) or not result.themes:
        return []
    shown = [
        say("incident_rare" if row["expected"] < _RARE else "incident", **row)
        for row in _told(result, say)
    ]
    span = (days.max() - days.min()).days + 1
    none = "incidents_none" if result.known or span >= FEWEST else "incidents_few"
    lines: Blocks = [Points(shown) if shown else say.paragraph(none)]
    if undated := len(messages) - len(days):
        lines.append(say.paragraph("undated", "open", count=undated))
    if more := len(result.incidents) - len(shown):
        lines.append(say.remark("incidents_more", count=more))
    if result.emerging:
        names = [result.theme(name).called(say.language) for name in result.emerging]
        lines.append(say.paragraph("emerging", count=len(names), themes=names))
    rates = len(result.trends) and (result.trends["measure"] == "rate").all()
    alarms = {"alarms": FALSE_ALARMS, "here": FALSE_ALARMS * span / 365, "days": span}
    return [
        say.heading("incidents", 3),
        *lines,
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


def _told(result: FeedbackResult, say: Voice) -> list[dict[str, Any]]:
    """Return the incidents as sentences name them: those that are on first, then the newest."""
    newest = result.incidents.sort_values(["end", "p", "theme"], ascending=[False, True, False])
    return [
        row
        | {"id": row["theme"], "theme": result.theme(row["theme"]).called(say.language)}
        | {"start": ends[0], "when": say.period(ends)}
        | {"still": say("incident_still") if row["on"] else ""}
        for row in cells(newest[:_MOST])
        for ends in [(_day(row["start"]), _day(row["end"]))]
    ]
