"""The figures of a launch: its dates on one timeline, and its readiness by day."""

from __future__ import annotations

import math
from collections.abc import Sequence

from opslab.operations.launch_readiness.checks import FLAGS
from opslab.operations.launch_readiness.result import Judged, ReadinessResult, State
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, RED, Figure
from opslab.report.voice import Voice

_MOST, _DOT, _HAIR = 20, 0.01, 1e-6  # functions, and of the axis the half of a mark
_COLOURS = {"na": GREY, "green": GREEN, "amber": ORANGE, "red": RED}


def before(state: State, say: Voice) -> str:
    """Return how long it is until the launch, from the day of a state."""
    if state.left is None:
        return say("launch_unknown")
    return say("days_before" if state.left >= 0 else "days_after", days=abs(state.left))


def to_launch(days: int, say: Voice) -> str:
    """Return a day by its distance from the launch: T-10, J-10."""
    return say("from_launch", days=f"{days:+}".replace("-", "\N{MINUS SIGN}") if days else "")


def floored(share: float) -> float:
    """Return a share as it is told: never rounded up to what it does not reach.

    Examples
    --------
    >>> floored(0.7999), floored(0.8)
    (0.79, 0.8)
    """
    return math.floor(share * 100 + _HAIR) / 100


def figures(result: ReadinessResult, say: Voice) -> dict[str, Figure]:
    """Return when the items of each function are due, and the readiness by day."""
    now, functions = result.now, dict[str, list[Judged]]()
    for known in sorted(now.items, key=lambda known: known.function or ""):
        functions.setdefault(known.function or say("missing"), []).append(known)
    launch = now.left or 0
    places = [known.days_left - launch for known in now.items if known.days_left is not None]
    dot = _DOT * (max(-launch, 0, *places, 0) - min(-launch, 0, *places, 0) + 1)
    due = [
        Row(
            say.joined(name, lacking(items, say)),
            "",
            [
                (known.days_left - launch - dot, known.days_left - launch + dot, _COLOURS[counts])
                for counts in _COLOURS  # the worst lies on top
                for known in items
                if known.counts_as == counts and known.days_left is not None
            ],
        )
        for name, items in functions.items()
    ]
    by_day = [
        Row(
            say.joined(say.date(state.day), before(state, say)),
            say("trend_value", share=floored(state.readiness), count=state.blockers),
            [(0.0, state.readiness, BLUE)],
        )
        for state in result.states
    ]
    late, moved = (
        lacking(now.items, say),
        say("trend_title", first=by_day[0].value, last=by_day[-1].value),
    )
    more = say("more_functions", count=len(due) - _MOST) if due[_MOST:] else ""
    points = [f"({row.label})" for row in due]
    caption = f"{say('caption_dates')} {more}".strip()
    dates = say.chart("dates", late, due[:_MOST], say("axis_days"), points, caption)
    axes = dates.drawing.axes[0]
    axes.axvline(-launch, color=GREY, lw=0.9, ls=":", zorder=0)
    places = [round(place) for place in axes.get_xticks()]
    axes.set_xticks(places, [to_launch(place, say) for place in places])
    axis = say("axis_readiness")
    return {
        "dates": dates,
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
