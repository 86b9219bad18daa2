"""A launch's readout: first screen, gate, dates, actions, trend, briefing, brief, checks, data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opslab.messages import Language
from opslab.operations.launch_readiness.figures import before, figures
from opslab.operations.launch_readiness.result import Judged, ReadinessResult
from opslab.report.blocks import Cell, Cells, Facts, Heading, Pairs, Points, Table, Tone, Verdict
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

__all__ = ["PARTS", "figures", "first_screen", "headline", "voice"]

_TONES: dict[str, Tone] = {
    "go": "good",
    "green": "good",
    "no_go": "bad",
    "stop": "bad",
    "red": "bad",
}
_MOST, _MOST_REASONS = 60, 4


def voice(result: ReadinessResult, language: Language) -> Voice:
    """Return the voice of a launch."""
    del result
    return Voice(language, "launch_readiness")


def headline(result: ReadinessResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    now = result.now
    asked = sum(judged.item.blocking for judged in now.items)
    return say(
        f"headline_{'stop' if result.broken else result.decision}",
        when=before(now, say),
        blockers=len(result.blockers),
        asked=asked,
        demands=len(result.demands) + len(result.conditions),
        share=now.readiness,
        needed=result.launch.needed,
        count=len(now.items),
    )


def first_screen(result: ReadinessResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    launch, now, action = result.launch, result.now, result.action
    people = sum(known.people or 0 for known in result.briefed)
    share = sum(known.briefed for known in result.briefed) / (people or 1.0)
    questions = sum(known.unanswered for known in result.briefed)
    reasons = [_reason(judged, say) for judged in result.blockers or result.demands]
    reasons += [say.message(check.detail) for check in result.conditions if not check.accepted]
    facts = (
        say.fact("blockers", say.integer(len(result.blockers))),
        say.fact(
            "readiness",
            say.percent(now.readiness, 0),
            say("fact_needed", needed=launch.needed, tier=say(f"tier_{launch.tier}")),
        ),
        say.fact(
            "briefed",
            say.percent(share, 0) if people else say.none,
            say("fact_questions", count=questions),
        ),
        say.checks_fact(result.checks),
    )
    return Verdict(
        kicker=say.joined(say("kicker"), say.date(now.day), launch.owner),
        title=say.spoken(launch.shown_title),
        question=launch.question and say.spoken(launch.question),
        action=say(f"action_{action}", count=len(result.blockers)),
        headline=headline(result, say),
        tone=_TONES.get(action, "open"),
        facts=Facts(facts),
        reasons=reasons[:_MOST_REASONS],
        more=reasons[_MOST_REASONS:_MOST],
        more_label=say("more", count=len(reasons) - _MOST_REASONS),
    )


def _why(judged: Judged, say: Voice) -> str:
    return ", ".join(say(f"why_{name}") for name in judged.why or (judged.counts,))


def _reason(judged: Judged, say: Voice) -> str:
    due = say.date(judged.due) if judged.due else None
    told = say.joined(judged.item.function, judged.item.owner, due)
    return say("reason", item=judged.item.item, told=told or say.none, why=_why(judged, say))


def _table(name: str, items: Iterable[Judged], say: Voice) -> Table:
    """Return items as a table: what, who, when, and how each counts."""
    missing = Cell(say("missing"), tone="bad")
    rows: list[Cells] = [
        (
            Cell(judged.item.item, judged.item.function or ""),
            judged.item.owner or missing,
            say.date(judged.due) if judged.due else missing,
            Cell(
                say(f"counts_{judged.counts}"), _why(judged, say), _TONES.get(judged.counts, "open")
            ),
        )
        for judged in items
    ]
    return say.table(name, "item owner due counts", rows[:_MOST], count=len(rows), most=_MOST)


def _gate(result: ReadinessResult, say: Voice) -> Blocks:
    tables = {
        "blockers": result.blockers,
        "demands": result.demands,
        "otherwise": [judged for judged in result.now.items if judged.counts != judged.item.status],
    }
    return [
        say.heading("gate"),
        say.paragraph(f"rule_{result.decision}", needed=result.launch.needed),
        *(_table(name, items, say) for name, items in tables.items() if items),
    ]


def _dates(result: ReadinessResult, say: Voice) -> Blocks:
    days = result.slips.values()
    held, mean = sum(day <= 0 for day in days), sum(days) / (len(days) or 1)
    key = "slips" if days else "no_slips"
    return [
        say.heading("dates"),
        result.figures(say.language)["dates"],
        say.paragraph(key, held=held, count=len(days), mean=mean),
    ]


def _actions(result: ReadinessResult, say: Voice) -> Blocks:
    return [say.heading("actions"), _table("actions", result.todo, say)]


def _trend(result: ReadinessResult, say: Voice) -> Blocks:
    alone = [] if result.states[1:] else [say.paragraph("no_trend")]
    return [say.heading("trend"), result.figures(say.language)["trend"], *alone]


def _briefing(result: ReadinessResult, say: Voice) -> Blocks:
    rows = [
        (
            Cell(known.function, known.audience or ""),
            say.joined(known.owner) or say.none,
            say.date(known.date) if known.date else say.none,
            say("of", part=known.briefed, whole=known.people),
            say.integer(known.unanswered),
        )
        for known in result.briefed
    ]
    told = say.table(
        "briefing",
        "function owner session briefed questions",
        rows,
        numeric=(4,),
        share=result.launch.briefed,
    )
    return [say.heading("briefing"), told if rows else say.paragraph("no_briefing")]


def _brief(result: ReadinessResult, say: Voice) -> Blocks:
    launch = result.launch
    lines = {
        "what": launch.what,
        "audience": launch.audience,
        "since": launch.launch_date and say.date(launch.launch_date),
        "message": launch.message,
        "where_to_ask": launch.where_to_ask,
    }
    rows = [
        (
            Cell(known.function, known.audience or ""),
            known.message or launch.message or say.none,
            known.where_to_ask or launch.where_to_ask or say.none,
            known.open_questions or say.none,
        )
        for known in result.briefed
    ]
    return [
        Heading(say("section_brief", launch=launch.shown_title), new_page=True),
        Pairs([(say(f"brief_{name}"), line or say("missing")) for name, line in lines.items()]),
        say.table("brief", "function message where_to_ask questions", rows),
    ]


def _checks(result: ReadinessResult, say: Voice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks)]


def _data(result: ReadinessResult, say: Voice) -> Blocks:
    reports = (import_report(reading, say.language) for reading in result.readings)
    return [
        say.heading("data"),
        _table("items", result.now.items, say),
        *(block for report in reports for block in report),
    ]


def _method(result: ReadinessResult, say: Voice) -> Blocks:
    launch = result.launch
    values = {"needed": launch.needed, "tier": say(f"tier_{launch.tier}"), "share": launch.briefed}
    names = "green overdue applies gate briefing slips"
    points = [say(f"method_{name}", **values) for name in names.split()]
    return [say.heading("method"), Points(points)]


PARTS: dict[str, Callable[[ReadinessResult, Voice], Blocks]] = {
    "gate": _gate,
    "dates": _dates,
    "actions": _actions,
    "trend": _trend,
    "briefing": _briefing,
    "brief": _brief,
    "checks": _checks,
    "data": _data,
    "method": _method,
}
