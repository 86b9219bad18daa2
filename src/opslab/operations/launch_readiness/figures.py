"""The figures of a launch: its dates on one timeline, and its readiness by day."""

from __future__ import annotations

from collections.abc import Sequence

from opslab.operations.launch_readiness.checks import FLAGS
from opslab.operations.launch_readiness.result import Judged, ReadinessResult, State
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, RED, Figure
from opslab.report.voice import Voice

_MOST, _DOT = 20, 0.01  # functions, and of the axis the half of a mark
_COLOURS = {"green": GREEN, "amber": ORANGE, "red": RED, "na": GREY}


def before(state: State, say: Voice) -> str:
    """Return how long it is until the launch, from the day of a state."""
    if state.left is None:
        return say("launch_unknown")
    return say("days_before" if state.left >= 0 else "days_after", days=abs(state.left))


def figures(result: ReadinessResult, say: Voice) -> dict[str, Figure]:
    """Return when the items of each function are due, and the readiness by day."""
    now, functions = result.now, dict[str, list[Judged]]()
    for known in sorted(now.items, key=lambda known: known.function or ""):
        functions.setdefault(known.function or say("missing"), []).append(known)
    launch = now.left or 0
    days = [0, launch, *(known.days_left for known in now.items if known.days_left is not None)]
    dot = _DOT * (max(days) - min(days) + 1)
    due = [
        Row(
            say.joined(name, lacking(items, say)),
            "",
            [
                (day - dot, day + dot, _COLOURS[counts])
                for day, counts in sorted(
                    {(known.days_left, known.counts_as) for known in items}, key=str
                )
                if day is not None
            ],
        )
        for name, items in functions.items()
    ][:_MOST]
    by_day = [
        Row(
            say.joined(say.date(state.day), before(state, say)),
            say("trend_value", share=state.readiness, count=state.blockers),
            [(0.0, state.readiness, BLUE)],
        )
        for state in result.states
    ]
    late, moved = (
        lacking(now.items, say),
        say("trend_title", first=by_day[0].value, last=by_day[-1].value),
    )
    points = [f"({row.label})" for row in due]
    axis = say("axis_readiness")
    return {
        "dates": say.chart("dates", late, due, say("axis_days"), points, base=launch),
        "trend": say.chart("trend", moved, by_day, axis, frame=(0, 1), percent=True),
    }


def lacking(items: Sequence[Judged], say: Voice) -> str:
    """Return how many items are open, what they lack, and how many lack it."""
    counts = {flag: sum(flag in known.why for known in items) for flag in FLAGS}
    return say.joined(
        say("open_of", part=sum(known.open for known in items), count=len(items)),
        *(
            say("tally", what=say(f"why_{flag}"), count=counts[flag])
            for flag in FLAGS
            if counts[flag]
        ),
    )
