"""The figures of a launch: its dates on one timeline, and its readiness by day."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from opslab.operations.launch_readiness.checks import FLAGS
from opslab.operations.launch_readiness.result import Judged, ReadinessResult
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, RED, Figure
from opslab.report.voice import Voice

_MOST, _DOT = 20, 0.01  # functions, and of the axis the half of a mark
_COLOURS = {"green": GREEN, "amber": ORANGE, "red": RED, "na": GREY}


def before(result: ReadinessResult, day: datetime.date, say: Voice) -> str:
    """Return how long it is from a day until the launch."""
    left = days_left(result, day)
    if left is None:
        return say("launch_unknown")
    return say("days_before" if left >= 0 else "days_after", days=abs(left))


def days_left(result: ReadinessResult, day: datetime.date) -> int | None:
    """Return the days from a day until the launch; None where nobody says when it is."""
    start = result.launch.launch_date
    return (start - day).days if start else None


def figures(result: ReadinessResult, say: Voice) -> dict[str, Figure]:
    """Return when the items of each function are due, and the readiness by day."""
    now, first = result.now, result.states[0]
    launch = days_left(result, now.day) or 0
    days = [0, launch, *(known.days_left for known in now.items if known.days_left is not None)]
    dot = _DOT * (max(days) - min(days) + 1)
    functions: dict[str, list[Judged]] = {}
    for known in sorted(now.items, key=lambda known: known.function or ""):
        functions.setdefault(known.function or say("missing"), []).append(known)
    due = [
        Row(
            say.joined(name, *lacking(items, say)),
            open_of(items, say),
            [
                (known.days_left - dot, known.days_left + dot, _COLOURS[known.counts_as])
                for known in items
                if known.days_left is not None
            ],
        )
        for name, items in functions.items()
    ]
    by_day = [
        Row(
            say.joined(say.date(state.day), before(result, state.day, say)),
            say("trend_value", share=state.readiness, count=state.blockers),
            [(0.0, state.readiness, BLUE)],
        )
        for state in result.states
    ]
    dated = say.joined(open_of(now.items, say), *lacking(now.items, say))
    moved = say(
        "trend_title",
        before=first.readiness,
        share=now.readiness,
        was=first.blockers,
        count=now.blockers,
    )
    axis = say("axis_readiness")
    return {
        "dates": say.chart("dates", dated, due[:_MOST], say("axis_days"), base=launch),
        "trend": say.chart("trend", moved, by_day, axis, frame=(0, 1), percent=True),
    }


def open_of(items: Sequence[Judged], say: Voice) -> str:
    """Return how many items are open."""
    return say("open_of", part=sum(known.open for known in items), count=len(items))


def lacking(items: Sequence[Judged], say: Voice) -> Iterator[str]:
    """Give what items lack, and how many lack it."""
    for flag in FLAGS:
        if count := sum(flag in known.why for known in items):
            yield say("tally", what=say(f"why_{flag}"), count=count)
