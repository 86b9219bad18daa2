"""What changed since the last run, what was done for themes, and incidents: a section."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from opslab.feedback.actions import read
from opslab.feedback.history import dated
from opslab.feedback.incidents import FALSE_ALARMS, FEWEST
from opslab.feedback.intake import cells
from opslab.feedback.naming import title
from opslab.feedback.result import FeedbackResult, Theme
from opslab.report.blocks import Cell, Points, Reference, Tone
from opslab.report.voice import Blocks, Voice

_MOST, _LONG = 20, 200  # changes; characters of a quote
_TONES: dict[str, Tone] = {"fell": "good", "rose": "bad", "unusable": "open"}
_MOST_INCIDENTS = 8  # incidents that are shown
_RARE = 0.5  # expected messages below which a ratio says little
_day = datetime.date.fromisoformat


def since(result: FeedbackResult, say: Voice) -> Blocks:
    """Return what is new, grew, shrank or came back, and what was done and came after it."""
    news = result.changes
    changes, done = news["themes"], news["done"]
    if result.broken:
        return []
    blocks: Blocks = [say.heading("since")]
    if result.known:
        more, line = len(changes) - _MOST, "since_line" if changes else "since_same"
        when = f" ({say.date(news['day'])})" if news["day"] else ""
        blocks.append(say.paragraph(line, count=len(changes), when=when))
        blocks += [say.paragraph("since_missed", "open", **news)] * bool(news["missed"])
        blocks += [say.paragraph("since_few", "open")] * (not news["compared"])
        blocks.append(Points([_change(change, result, say) for change in changes[:_MOST]]))
        blocks += [say.remark("since_more", count=more)] * (more > 0)
    else:
        blocks.append(say.paragraph("since_first"))
        blocks += [say.paragraph("done_first", "open")] * bool(done)
    if done:
        columns = "theme done on after" + " handling" * any("saved" in row for row in done)
        rows = [_row(row, result, say)[: len(columns.split())] for row in done]
        blocks += [say.table("done", columns, rows), say.remark("done_order")]
    return blocks + _incidents(result, say)


def _change(change: Mapping[str, Any], result: FeedbackResult, say: Voice) -> Cell:
    """Return what became of a theme, with its newest typical quote and a link to all."""
    names = [change["theme"], *change["others"]]
    known = [called(name, result, say) for name in names]
    theme, *others = (cell.text for cell in known)
    kind, ids = change["kind"], [each.id for each in result.themes]
    if kind == "split" and names[0] in ids:  # it goes on without what is now apart
        kind, names = "apart", names[1:]
    line = say(f"change_{kind}", **{**change, "theme": theme, "others": others})
    said = [quote for each in result.themes if each.id in names for quote in each.quotes]
    newest = max(said, key=lambda quote: quote.date or datetime.date.min, default=None)
    quoted = say("change_quote", quote=newest.text[:_LONG]) if newest else ""
    return Cell(line, quoted, refs=[link for cell in known for link in cell.refs])


def called(name: str, result: FeedbackResult, say: Voice) -> Cell:
    """Return what a theme is called, with a link to all quotes of it; or what it was called."""
    for theme in result.themes:
        if theme.id == name:
            return Cell(theme.called(say.language), refs=read(name, say))
    known = result.registry.theme(name)
    parts = known.phrases if known else ()
    own = [part for part in parts if part.language == say.language]
    return Cell(title(own or parts) or name)


def _row(row: Mapping[str, Any], result: FeedbackResult, say: Voice) -> list[str | Cell]:
    """Return what was done for a theme, and what came after it."""
    link, decision, state = row.get("link"), row.get("decision"), row["state"]
    note, minutes = say.message(row["reason"]) if "reason" in row else "", Cell(say.none)
    if "ratio" in row:
        note = say("done_ratio", **row)
    if "saved" in row:
        change, high, low = (-row[name] for name in ("saved", "saved_low", "saved_high"))
        time = say("done_time", change=change, low=low, high=high)
        minutes = Cell(say("done_minutes", **row), time)
    return [
        called(row["theme"], result, say),
        Cell(
            row["what"],
            say(f"decided_{decision}") if decision else "",
            refs=[Reference(say("done_open"), link)] if link else [],
        ),
        say.date(row["on"]) if row["on"] else say.none,
        Cell(say(f"done_{state}", **row), note, tone=_TONES.get(state, "plain")),
        minutes,
    ]


def _incidents(result: FeedbackResult, say: Voice) -> Blocks:
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


def incidents_on(result: FeedbackResult, theme: Theme, say: Voice) -> list[str]:
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
        for row in cells(newest[:_MOST_INCIDENTS])
        for ends in [(_day(row["start"]), _day(row["end"]))]
    ]
