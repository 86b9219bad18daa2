"""A launch's readout: first screen, gate, dates, actions, trend, briefing, brief, checks, data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from opslab.messages import Language
from opslab.operations.launch_readiness.figures import before, figures
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
_MOST, _MOST_REASONS = 60, 5
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
        demands=len(result.demands) + sum(not check.accepted for check in result.conditions),
        share=now.readiness,
        needed=result.launch.needed,
        count=len(now.items),
    )


def first_screen(result: ReadinessResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    launch, now, action = result.launch, result.now, result.action
    reasons = [
        say(
            "reason",
            item=known.item,
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
                say.fact("readiness", say.percent(now.readiness, 0), needed),
                say.checks_fact(result.checks),
            ]
        ),
        reasons=reasons[:_MOST_REASONS],
    )


def _values(result: ReadinessResult, say: Voice) -> dict[str, Any]:
    launch = result.launch
    return {"needed": launch.needed, "tier": say(f"tier_{launch.tier}"), "share": launch.briefed}


def _why(known: Judged, say: Voice) -> str:
    return ", ".join(say(f"why_{flag}") for flag in known.why or (known.counts_as,))


def _day(known: Judged, say: Voice) -> str:
    return say.date(known.due) if known.due else say("why_no_date")


def _table(name: str, items: Iterable[Judged], say: Voice) -> Blocks:
    """Return items as a table: what, who, when, and as what each counts."""
    rows: list[Cells] = [
        (
            Cell(known.item, known.function or ""),
            known.owner or Cell(say("missing"), tone="bad"),
            _day(known, say),
            Cell(
                say(f"counts_{known.counts_as}"),
                _why(known, say),
                _TONES.get(known.counts_as, "open"),
            ),
        )
        for known in items
    ]
    return (
        [say.table(name, "item owner due counts_as", rows[:_MOST], count=len(rows))] if rows else []
    )


def _gate(result: ReadinessResult, say: Voice) -> Blocks:
    otherwise = [known for known in result.now.items if known.counts_as != known.status]
    return [
        say.heading("gate"),
        say.paragraph(f"rule_{result.decision}", needed=result.launch.needed),
        *_table("blockers", result.blockers, say),
        *_table("demands", result.demands, say),
        *_table("otherwise", otherwise, say),
    ]


def _brief(result: ReadinessResult, say: Voice) -> Blocks:
    launch = result.launch
    lines = {
        name: getattr(launch, name) for name in ("what", "audience", "message", "where_to_ask")
    }
    lines |= {"since": say.date(launch.launch_date) if launch.launch_date else None}
    rows = [
        (
            Cell(known.function, known.audience or ""),
            say("of", part=known.briefed, whole=known.people),
            known.message or say.none,
            known.where_to_ask or say.none,
            known.open_questions or say.none,
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


PARTS: dict[str, Callable[[ReadinessResult, Voice], Blocks]] = {
    "gate": _gate,
    "dates": lambda result, say: [
        say.heading("dates"),
        result.figures(say.language)["dates"],
        say.paragraph("slips" if result.slips["items"] else "no_slips", **result.slips),
    ],
    "actions": lambda result, say: [say.heading("actions"), *_table("actions", result.todo, say)],
    "trend": lambda result, say: [say.heading("trend"), result.figures(say.language)["trend"]],
    "briefing": lambda result, say: [
        say.heading("briefing"),
        *(_table("briefing", result.sessions, say) or [say.paragraph("no_briefing")]),
    ],
    "brief": _brief,
    "checks": lambda result, say: [say.heading("checks"), say.checks(result.checks)],
    "data": lambda result, say: [
        say.heading("data"),
        *_table("items", result.now.items, say),
        *chain(*(import_report(reading, say.language) for reading in result.readings)),
    ],
    "method": lambda result, say: [
        say.heading("method"),
        Points([say(f"method_{name}", **_values(result, say)) for name in _METHOD.split()]),
    ],
}
