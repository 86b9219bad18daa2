"""The figure of a review of standards."""

from __future__ import annotations

from opslab.operations.standards.result import StandardsResult
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, Figure
from opslab.report.voice import Voice


def figures(result: StandardsResult, say: Voice) -> dict[str, Figure]:
    """Return the bars of what is asked: how often it is there, the rarest first."""
    rows = []
    for kind, (*_, held, asked, _, _) in result.kinds.items():
        name, value = say(f"column_{kind}"), say("of", held=held, asked=asked)
        rows.append(Row(name, value, [(0, held / asked, BLUE)]))
    if not rows:
        return {}
    title, axis = say("asked_title", name=rows[0].label, value=rows[0].value), say("axis_asked")
    return {"asked": say.chart("asked", title, rows, axis, frame=(0, 1), percent=True)}
