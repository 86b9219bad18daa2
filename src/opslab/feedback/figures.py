"""The figure of a feedback readout: how much is said of what."""

from __future__ import annotations

from typing import Any

from opslab.feedback.result import FeedbackResult, Topic
from opslab.report.drawing import Row, chart
from opslab.report.figures import (
    BLUE,
    GREY,
    Figure,
)
from opslab.report.voice import Voice

_MOST_BARS = 15


def values_of(topic: Topic, say: Voice) -> dict[str, Any]:
    """Return what sentences name of a theme or of a group."""
    low, high = topic.interval
    return {"theme": topic.called(say.language), **vars(topic), "low": low, "high": high}


def shares(result: FeedbackResult, say: Voice) -> Figure:
    """Draw the share of what is said most, with its interval."""
    topics = result.themes[:_MOST_BARS]
    full, pale = (GREY, "#c9ccd1") if result.broken else (BLUE, "#8cc0e0")
    rows = [
        Row(
            topic.called(say.language),
            say("bar_value", **values_of(topic, say)),
            [(0.0, topic.interval[0], full), (*topic.interval, pale)],
            topic.share,
        )
        for topic in topics
    ]
    drawing = chart(
        say("bar_title", **values_of(topics[0], say)),
        rows,
        say("bar_axis"),
        say,
        frame=(0.0, 1.02 * max(topic.interval[1] for topic in topics)),
        percent=True,
    )
    lines = " ".join(say("bar_line", **values_of(topic, say)) for topic in topics)
    return Figure(drawing, say("bar_alt", lines=lines), say("bar_caption"))
