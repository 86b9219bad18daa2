"""The figure of a feedback readout: how much is said of what."""

from __future__ import annotations

from typing import Any

from opslab.feedback.result import FeedbackResult, Topic
from opslab.report.drawing import Row, chart
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.voice import Voice

_MOST_BARS = 15


def values_of(topic: Topic, say: Voice) -> dict[str, Any]:
    """Return what sentences name of a theme or of a group."""
    low, high = topic.interval
    return {"theme": topic.called(say.language), **vars(topic), "low": low, "high": high}


def shares(result: FeedbackResult, say: Voice) -> Figure:
    """Draw the share of what is said most, with its interval."""
    topics = [values_of(theme, say) for theme in result.themes[:_MOST_BARS]]
    full, pale = (GREY, "#c9ccd1") if result.broken else (BLUE, "#8cc0e0")
    rows = [
        Row(
            topic["theme"],
            say("bar_value", **topic),
            [(0.0, topic["low"], full), (*topic["interval"], pale)],
            topic["share"],
        )
        for topic in topics
    ]
    drawing = chart(
        say("bar_title", **topics[0]),
        rows,
        say("bar_axis"),
        say,
        frame=(0.0, 1.02 * max(topic["high"] for topic in topics)),
        percent=True,
    )
    lines = " ".join(say("bar_line", **topic) for topic in topics)
    return Figure(drawing, say("bar_alt", lines=lines), say("bar_caption"))
