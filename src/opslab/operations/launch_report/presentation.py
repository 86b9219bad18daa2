"""A review's readout: first screen, and a table for each of its parts."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from opslab.messages import Language
from opslab.operations.launch_report.result import LaunchReportResult
from opslab.report.blocks import Cell, Facts, Table, Tone, Verdict
from opslab.report.drawing import ticks
from opslab.report.figures import BLUE, GREEN, GREY, INK, Figure, framed, name_axis, style
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_COLUMNS = {
    "kpis": "name before limits after change goal latest state",
    "feedback": "theme before after ratio",
    "experiment": "metric arm value interval",
    "gate": "decision readiness threshold blockers conditions",
    "calibration": "decision launches hurt interval",
    "lessons": "lesson owner",
}
"""Of each part that is a table, in the order of the page."""
COIN = 0.25
"""Brier score of always saying 50 %."""
_WORDS = ("change", "state", "decision", "direction", "timing")
_TONES: dict[Any, Tone] = {
    **dict.fromkeys(("stop", "act", "missed", "worse", "unstable", "no_go"), "bad"),
    **dict.fromkeys(("keep", "met", "better", "go"), "good"),
}


def voice(result: LaunchReportResult, language: Language) -> Voice:
    """Return the voice of a review."""
    del result
    return Voice(language, "launch_report")


def read_out(row: Mapping[str, Any], say: Voice) -> dict[str, str]:
    """Return the cells of a row as they are read, and the range of its ends under its names."""
    forms = {"%": say.percent, "points": say.signed_points}

    def shown(cell: Any) -> str:
        match cell:
            case None:
                return say.none
            case int():
                return say.integer(cell)
            case float() if form := forms.get(row.get("unit", "")):
                return form(cell)
            case float():
                digits = 2 if "theme" in row else 3
                return f"{say.number(cell, digits)} {say.spoken(row.get('unit', ''))}".strip()
            case date():
                return say.date(cell)
            case list():
                return say.listed([*map(shown, cell)]) or say.none
            case dict():
                return shown(cell.get(say.language, cell.get("item", [*cell.values(), ""][0])))
        return say.spoken(cell)

    cells = {
        name: say(f"{name}_{cell}") if name in _WORDS else shown(cell) for name, cell in row.items()
    }
    ends = say.range(cells["low"], cells["high"]) if row.get("low") is not None else say.none
    cells["goal"] = f"{cells.get('direction')} {cells.get('target')}"
    cells |= {"limits": ends, "interval": ends}
    ratio = "ratio" if row.get("high") else "ratio_new"
    cells["ratio"] = say(ratio, times=cells.get("times"), interval=ends, low=cells.get("low"))
    return cells | {"moved": say(f"moved_{row.get('change', 'unknown')}", **cells)}


def headline(result: LaunchReportResult, say: Voice) -> str:
    """Return what a sponsor reads first: of what is off target, else of the first."""
    if result.broken:
        return say("headline_stop")
    (_, first), *others = _reasons(result, say)
    due = [state for state, _ in others if state in ("met", "missed")]
    counts = {"met": due.count("met"), "count": len(due)}
    return " ".join([first, *([say(f"rest_{max(due)}", **counts)] if due else [])])


def _reasons(result: LaunchReportResult, say: Voice) -> list[tuple[str, str]]:
    """Return each figure's state, and how it is said: those that are off target first."""
    return [
        (row["state"], say(f"reason_{row['state']}", **read_out(row, say)))
        for row in sorted(result.kpis, key=lambda row: row not in result.off)
    ]


def first_screen(result: LaunchReportResult, say: Voice) -> Verdict:
    """Return what moved, against which target, and what to do."""
    review, day = result.review, result.as_of or result.review.date
    reviews = (review.launch_date + timedelta(weeks=weeks) for weeks in (2, 4, 8))
    upcoming = next((say.date(at) for at in reviews if at > day), say.none)
    weeks = say("weeks", count=(day - review.launch_date).days // 7)
    rising = [read_out(row, say)["theme"] for row in result.feedback if row["low"] > 1]
    reasons = [said for _, said in _reasons(result, say)[1:]]
    reasons += [say("rising", names=rising)] if rising else []
    return Verdict(
        kicker=say.joined(say("kicker"), say.date(day), review.owner),
        title=say.spoken(review.shown_title),
        question=say.spoken(review.question or ""),
        action=say(f"action_{result.action}", names=[row["name"] for row in result.off]),
        headline=headline(result, say),
        tone=_TONES.get(result.action, "open"),
        facts=Facts(
            [say.fact("weeks", weeks), say.fact("next", upcoming), say.checks_fact(result.checks)]
        ),
        reasons=[*reasons, say("not_causal")],
    )


def figures(result: LaunchReportResult, say: Voice) -> dict[str, Figure]:
    """Return each figure over time, with its limits, its target and the launch."""
    rows = enumerate(result.kpis, 1)
    return {f"kpi_{number}": _drawn(row, say) for number, row in rows if row["values"]}


def _drawn(row: Mapping[str, Any], say: Voice) -> Figure:
    words = read_out(row, say)
    title = say("pair", name=words["name"], value=words["moved"])
    band = [say("band")] * (row["low"] is not None)
    with style():
        drawing, axes = framed(title, 1.7, left=0.7)
        if row["low"] is not None:
            axes.axhspan(row["low"], row["high"], color=GREY, alpha=0.25, lw=0)
        axes.axhline(row["target"], color=GREEN, ls="--")
        axes.axvline(0, color=INK, lw=0.9)
        axes.plot(row["weeks"], row["values"], "o-", color=BLUE, ms=4)
        axes.set_xticks(*ticks(axes.get_xlim(), say, signed=True))
        axes.set_yticks(*ticks(axes.get_ylim(), say, percent=row["unit"] == "%"))
        name_axis(axes, say("axis"))
    return Figure(
        drawing, say("alt", title=title, **words), " ".join([*band, say("caption", **words)])
    )


def _table(name: str, result: LaunchReportResult, say: Voice) -> Blocks:
    """Return a part that is a table and its note, or what is missing for it."""
    columns, rows = _COLUMNS[name].split(), getattr(result, name)
    if not rows:
        return [say.paragraph(f"no_{name}")]
    cells = [
        [Cell(words[each], tone=_TONES.get(str(row.get(each)), "plain")) for each in columns]
        for row in rows
        for words in [read_out(row, say)]
    ]
    heads = [say(f"column_{column}") for column in columns]
    table = Table(say(f"table_{name}"), heads, cells, wide=True)
    drawn = result.figures(say.language).values() if name == "kpis" else ()
    notes = [f"note_{name}"]
    if name == "calibration":
        notes += ["overruled"] * (rows[-1]["decision"] == "no_go")
    if name == "calibration" and result.brier is not None:
        notes.append(f"brier_{'worse' if result.brier > COIN else 'better'}")
    words = read_out(rows[0], say) | {"score": result.brier}
    return [table, *(say.remark(note, **words) for note in notes), *drawn]


def _part(name: str, result: LaunchReportResult, say: Voice) -> Blocks:
    reports = (import_report(reading, say.language) for reading in result.readings)
    match name:
        case "checks":
            blocks: Blocks = [say.checks(result.checks)]
        case "data":
            blocks = [block for report in reports for block in report]
        case "method":
            blocks = [say.paragraph("method")]
        case _:
            blocks = _table(name, result, say)
    return [say.heading(name), *blocks]


PARTS = {name: partial(_part, name) for name in LaunchReportResult.PARTS}
