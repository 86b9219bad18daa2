"""A launch's readout: first screen, gate, dates, actions, trend, briefing, brief, checks, data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from opslab.messages import Language
from opslab.operations.launch_readiness.figures import before, figures, floored, to_launch
from opslab.operations.launch_readiness.result import Judged, ReadinessResult
from opslab.report.blocks import Cell, Cells, Facts, Heading, Pairs, Points, Tone, Verdict
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
_MOST, _MOST_REASONS = 60, 6
_METHOD = "green overdue applies gate briefing slips"


def voice(result: ReadinessResult, language: Language) -> Voice:
    """Return the voice of a launch."""
    del result
    return Voice(language, "launch_readiness")


def headline(result: ReadinessResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    now = result.now
    return say(
        f"headline_{result.action}",
        when=before(now, say),
        blockers=now.blockers,
        asked=sum(judged.blocking for judged in now.items),
        demands=_demands(result),
        share=floored(now.readiness),
        needed=result.launch.needed,
        count=len(now.items),
    )


def first_screen(result: ReadinessResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    launch, now, action = result.launch, result.now, result.action
    reasons = [*filter(None, [_way(result, say)])]
    reasons += [
        say(
            "reason",
            item=_what(known, say),
            who=say.joined(known.function, known.owner, _day(known, say)),
            why=_why(known, say),
        )
        for known in result.blockers or result.demands
    ]
    reasons += [say.message(check.detail) for check in result.conditions if not check.accepted]
    needed = say("fact_needed", **_values(result, say))
    return Verdict(
        kicker=say.joined(say("kicker"), say.date(now.day), launch.owner),
        title=say.spoken(launch.shown_title),
        question=say.spoken(launch.question or ""),
        action=say(f"action_{action}", count=now.blockers),
        headline=headline(result, say),
        tone=_TONES.get(action, "open"),
        facts=Facts(
            [
                say.fact("blockers", say.integer(now.blockers)),
                say.fact("readiness", say.percent(floored(now.readiness), 0), needed),
                say.checks_fact(result.checks),
            ]
        ),
        reasons=reasons[:_MOST_REASONS],
    )


def _values(result: ReadinessResult, say: Voice) -> dict[str, Any]:
    launch = result.launch
    return {
        "needed": launch.needed,
        "tier": say(f"tier_{launch.tier if 'tier' in launch.model_fields_set else 'none'}"),
        "share": launch.briefed,
    }


def _way(result: ReadinessResult, say: Voice) -> str:
    """Return what would make it a go; nothing where it is one, or the launch has passed."""
    asked, day = result.action in ("no_go", "conditional"), result.launch.launch_date
    if not asked or not day or day < result.now.day:
        return ""
    blockers, demands = len(result.blockers), _demands(result)
    key = "way_both" if blockers and demands else "way_blockers" if blockers else "way_demands"
    return say(key, day=day, blockers=blockers, demands=demands)


def _demands(result: ReadinessResult) -> int:
    return len(result.demands) + sum(not check.accepted for check in result.conditions)


def _what(known: Judged, say: Voice) -> str:
    """Return an item, or whom to brief."""
    brief = known.briefing
    return (
        say(
            f"to_brief{'_asked' * (brief.unanswered > 0)}",
            function=brief.function,
            part=brief.briefed,
            whole=brief.people or say("unknown"),
            count=brief.unanswered,
        )
        if brief
        else known.item
    )


def _why(known: Judged, say: Voice) -> str:
    return ", ".join(say(f"why_{flag}") for flag in known.why or (known.counts_as,))


def _day(known: Judged, say: Voice) -> str:
    return say.date(known.due) if known.due else say("why_no_date")


def _table(name: str, items: Sequence[Judged], result: ReadinessResult, say: Voice) -> Blocks:
    """Return items as a table: what, who, when, and as what each counts."""
    start = result.launch.launch_date
    rows: list[Cells] = [
        (
            Cell(_what(known, say), say("blocks") if known.blocking else ""),
            Cell(known.owner or say("missing"), known.function or ""),
            Cell(_day(known, say), to_launch((known.due - start).days, say))
            if known.due and start
            else _day(known, say),
            Cell(
                say(f"counts_{known.counts_as}"),
                _why(known, say),
                _TONES.get(known.counts_as, "open"),
            ),
        )
        for known in items
    ]
    counts: dict[str, Any] = {
        "count": len(rows),
        "part": sum(known.open for known in result.now.items),
        "all": len(result.now.items),
        "briefings": sum(known.open for known in result.sessions),
        "functions": len(result.sessions),
    }
    return [say.table(name, "item owner due counts_as", rows[:_MOST], **counts)] if rows else []


def _brief(result: ReadinessResult, say: Voice) -> Blocks:
    launch = result.launch
    lines = {
        name: getattr(launch, name) for name in ("what", "audience", "message", "where_to_ask")
    }
    lines |= {"since": say.date(launch.launch_date) if launch.launch_date else None}
    rows = [
        (
            Cell(known.function, known.audience or ""),
            Cell(
                say("of", part=known.briefed, whole=known.people or say("unknown")),
                say.date(known.date) if known.date else "",
            ),
            known.message or say.none,
            known.where_to_ask or say.none,
            Cell(
                say("asked", count=known.asked, part=known.unanswered) if known.asked else say.none,
                " · ".join(known.questions_in(say.spoken(known.open_questions or ""))),
            ),
        )
        for known in result.briefed
    ]
    return [
        Heading(say("section_brief", launch=launch.shown_title), new_page=True),
        Pairs(
            [
                (say(f"brief_{name}"), say.spoken(line or say("missing")))
                for name, line in lines.items()
            ]
        ),
        say.table("brief", "function briefed message where_to_ask questions", rows),
    ]


def _slips(result: ReadinessResult) -> str:
    slips = result.slips
    return "slips" if slips["late_days"] else "slips_held" if slips["items"] else "no_slips"


PARTS: dict[str, Callable[[ReadinessResult, Voice], Blocks]] = {
    "gate": lambda result, say: [
        say.heading("gate"),
        say.paragraph(f"rule_{result.action}", needed=result.launch.needed),
        *_table("actions", result.todo, result, say),
    ],
    "dates": lambda result, say: [
        say.heading("dates"),
        result.figures(say.language)["dates"],
        say.paragraph(_slips(result), **result.slips),
    ],
    "trend": lambda result, say: [
        say.heading("trend"),
        result.figures(say.language)["trend"] if result.states[1:] else say.paragraph("no_trend"),
    ],
    "brief": _brief,
    "checks": lambda result, say: [
        Heading(say("section_checks"), new_page=True),
        say.checks(result.checks),
    ],
    "data": lambda result, say: [
        say.heading("data"),
        *_table("items", result.now.items, result, say),
        *chain(*(import_report(reading, say.language) for reading in result.readings)),
    ],
    "method": lambda result, say: [
        say.heading("method"),
        Points([say(f"method_{name}", **_values(result, say)) for name in _METHOD.split()]),
    ],
}
