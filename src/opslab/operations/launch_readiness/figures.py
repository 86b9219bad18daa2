"""The figures of a launch: its dates on one timeline, and its readiness by day."""

from __future__ import annotations

from opslab.operations.launch_readiness.result import Judged, ReadinessResult, State
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, RED, Figure
from opslab.report.voice import Voice

_MOST, _DOT = 14, 0.012  # functions, and of the axis the part that an item takes
_COLOURS = {"green": GREEN, "amber": ORANGE, "red": RED, "na": GREY}


def before(state: State, say: Voice) -> str:
    """Return how long it is until the launch, from the day of a state."""
    if not state.start:
        return say("launch_unknown")
    days = (state.start - state.day).days
    return say("days_before" if days >= 0 else "days_after", days=abs(days))


def figures(result: ReadinessResult, say: Voice) -> dict[str, Figure]:
    """Return every figure by name."""
    return {"dates": dates(result, say), "trend": trend(result, say)}


def _troubles(items: list[Judged]) -> tuple[int, int, int]:
    """Return how many items are late or impossible, without a day, and without an owner."""
    undone = [judged for judged in items if judged.open]
    return (
        sum("overdue" in judged.why or "after_launch" in judged.why for judged in undone),
        sum(not judged.due for judged in undone),
        sum(not judged.item.owner for judged in undone),
    )


def dates(result: ReadinessResult, say: Voice) -> Figure:
    """Draw when the items of each function are due, in days from the launch; the worst first."""
    now = result.now
    zero = now.start or now.day
    functions: dict[str, list[Judged]] = {}
    for judged in now.items:
        functions.setdefault(judged.item.function or say("missing"), []).append(judged)
    days = [(judged.due - zero).days for judged in now.items if judged.due]
    dot = _DOT * (max([0, *days]) - min([0, *days]) + 1)
    rows = []
    names = sorted(functions, key=lambda name: (*(-n for n in _troubles(functions[name])), name))
    for name in names[:_MOST]:
        items = functions[name]
        placed = sorted((judged.due - zero).days for judged in items if judged.due)
        band = [(placed[0], placed[-1], GREY)] if placed else []
        marks = [
            (
                (judged.due - zero).days - dot,
                (judged.due - zero).days + dot,
                _COLOURS[judged.counts],
            )
            for judged in items
            if judged.due
        ]
        late, undated, unowned = _troubles(items)
        value = say("dates_value", count=len(items), late=late, undated=undated, unowned=unowned)
        rows.append(Row(say.spoken(name), value, [*band, *marks]))
    late, undated, unowned = _troubles([*now.items])
    title = say("dates_title", late=late, undated=undated, unowned=unowned)
    return say.chart("dates", title, rows, say("axis_days" if now.start else "axis_today"))


def trend(result: ReadinessResult, say: Voice) -> Figure:
    """Draw the readiness and the open blockers by day."""
    rows = [
        Row(
            say.joined(say.date(state.day), before(state, say)),
            say("trend_value", share=state.readiness, count=state.blockers),
            [(0.0, state.readiness, BLUE)],
        )
        for state in result.states
    ]
    first, last = result.states[0], result.now
    title = say(
        "trend_title",
        before=first.readiness,
        share=last.readiness,
        was=first.blockers,
        count=last.blockers,
    )
    return say.chart("trend", title, rows, say("axis_readiness"), frame=(0, 1), percent=True)
