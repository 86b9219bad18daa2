"""The figures of a feedback readout: how much is said of what, and which themes are neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from matplotlib.axes import Axes

from opslab.feedback.result import FeedbackResult, Theme, Topic
from opslab.messages import one_line
from opslab.report.drawing import Row, chart
from opslab.report.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    SMALL,
    Figure,
    framed,
    style,
    wrapped,
)
from opslab.report.voice import Voice

_MOST_BARS, _MOST_NAMES, _MOST_GROUPS = 15, 16, 20
_MAP = 3.3  # inches
_COLOURS = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9", "#7a6f00")


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


def theme_map(result: FeedbackResult, say: Voice) -> Figure:
    """Draw each theme as a disc: area by messages, position by meaning, colour by group."""
    colours = {group.id: _COLOURS[at % len(_COLOURS)] for at, group in enumerate(result.groups)}
    largest = result.themes[0].messages
    with style():
        drawing, axes = framed(say("map_title"), _MAP, below=0.05)
        axes.set(xticks=[], yticks=[])
        axes.margins(0.2, 0.14)
        for theme in reversed(result.themes):
            axes.scatter(
                *theme.position,
                s=900 * theme.messages / largest + 20,
                color=GREY if result.broken else colours[theme.group],
                alpha=0.55,
                linewidths=0.8,
                edgecolors=INK,
            )
        for theme in _apart(result, axes):
            axes.annotate(
                wrapped(one_line(_short(theme, say)), 1.5, SMALL, most=1),
                theme.position,
                (0, 3 + math.sqrt(230 * theme.messages / largest)),
                textcoords="offset points",
                fontsize=SMALL,
                ha="center",
            )
    titles = {theme.id: theme.called(say.language) for theme in result.themes}
    lines = " ".join(
        say(
            "map_line",
            group=group.called(say.language),
            themes=[titles[theme] for theme in group.themes],
        )
        for group in result.groups[:_MOST_GROUPS]
    )
    return Figure(drawing, say("map_alt", lines=lines), say("map_caption"))


def _short(theme: Theme, say: Voice) -> str:
    """Return the most typical words of a theme."""
    own = [part for part in theme.phrases if part.language == say.language] or theme.phrases
    return own[0].phrases[0] if own and own[0].phrases else theme.title


def _apart(result: FeedbackResult, axes: Axes) -> Iterator[Theme]:
    """Yield the themes whose names have room: where two would overlap, the larger theme's."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    wide, tall = 0.26 * (right - left), 0.06 * (top - bottom)
    named: list[tuple[float, float]] = []
    for theme in result.themes[:_MOST_NAMES]:
        x, y = theme.position
        if not any(abs(x - across) < wide and abs(y - up) < tall for across, up in named):
            named.append(theme.position)
            yield theme
