"""The figure of a review of standards."""

from __future__ import annotations

from opslab.operations.standards.result import StandardsResult
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.voice import Voice


def figures(result: StandardsResult, say: Voice) -> dict[str, Figure]:
    """Return the bars of what is asked: how many documents have it, the rarest first."""
    rows = [
        Row(
            say(f"column_{kind}"),
            say("of", held=share.held, asked=share.asked),
            [(0, share.held, BLUE), (share.held, share.asked, GREY)],
        )
        for kind, share in result.kinds.items()
    ]
    if not rows:
        return {}
    title = say("asked_title", name=rows[0].label, value=rows[0].value)
    return {"asked": say.chart("asked", title, rows, say("axis_asked"))}
