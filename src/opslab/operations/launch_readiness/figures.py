"""The figures of a launch: its dates on one timeline, and its readiness by day."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from opslab.operations.launch_readiness.checks import FLAGS
from opslab.operations.launch_readiness.result import Judged, ReadinessResult
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, RED, Figure
from opslab.report.voice import Voice

_MOST, _DOT = 20, 0.01  # functions, and of the axis the half of a mark
_COLOURS = {"green": GREEN, "amber": ORANGE, "red": RED, "na": GREY}


def before(result: ReadinessResult, day: datetime.date, say: Voice) -> str:
    """Return how long it is from a day until the launch."""
    if not result.launch.launch_date:
        return say("launch_unknown")
    days = (result.launch.launch_date - day).days
    return say("days_before" if days >= 0 else "days_after", days=abs(days))


def figures(result: ReadinessResult, say: Voice) -> dict[str, Figure]:
    """Return when the items of each function are due, and the readiness by day."""
    now, last = result.now, result.states[0]
    zero = result.launch.launch_date or now.day
    days = [(judged.due - zero).days for judged in now.items if judged.due] or [0]
    dot = _DOT * (max(0, *days) - min(0, *days) + 1)
    due = [
        Row(
            say.spoken(name) or say("missing"),
            lacking(
                items := [judged for judged in now.items if (judged.function or "") == name], say
            ),
            [
                (
                    (judged.due - zero).days - dot,
                    (judged.due - zero).days + dot,
                    _COLOURS[judged.counts_as],
                )
                for judged in items
                if judged.due
            ],
        )
        for name in sorted({judged.function or "" for judged in now.items})[:_MOST]
    ]
    by_day = [
        Row(
            say.joined(say.date(state.day), before(result, state.day, say)),
            say("trend_value", share=state.readiness, count=state.blockers),
            [(0.0, state.readiness, BLUE)],
        )
        for state in result.states
    ]
    moved = say(
        "trend_title",
        before=last.readiness,
        share=now.readiness,
        was=last.blockers,
        count=now.blockers,
    )
    return {
        "dates": say.chart("dates", lacking(now.items, say), due, say("axis_days")),
        "trend": say.chart(
            "trend", moved, by_day, say("axis_readiness"), frame=(0, 1), percent=True
        ),
    }


def lacking(items: Sequence[Judged], say: Voice) -> str:
    """Return how many items are open, and what they lack."""
    counts = {flag: sum(flag in judged.why for judged in items) for flag in FLAGS}
    told = [
        say("tally", what=say(f"why_{flag}"), count=count)
        for flag, count in counts.items()
        if count
    ]
    return say.joined(
        say("open_of", part=sum(judged.open for judged in items), count=len(items)), *told
    )
