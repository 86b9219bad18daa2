"""The figures of a feedback readout: how much each thing is said, and which themes lie near one another."""

from __future__ import annotations

import math

from matplotlib.figure import Figure as Drawing

from opslab.feedback.presentation import said
from opslab.feedback.result import FeedbackResult
from opslab.messages import Language, numbers, one_line, text
from opslab.report.figures import BLUE, GREEN, GREY, INK, ORANGE, RED, WIDTH, Figure, style, wrapped

_MOST_BARS, _MOST_NAMES = 15, 16
_SIDE, _ROW, _MAP = 0.03, 0.4, 3.9  # inches
_COLOURS = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9", "#7a6f00")


def shares(result: FeedbackResult, language: Language) -> Figure:
    """Draw the share of what is said most with its interval, its name above its bar."""
    drawn = said(result)[:_MOST_BARS]
    bottom = _ROW * len(drawn)
    height = bottom + 1.0
    values = {"theme": drawn[0].title, "share": drawn[0].share}
    title = wrapped(
        one_line(text("feedback.bar_title", language, **values)), WIDTH - 2 * _SIDE, 11, "bold", 2
    )
    with style():
        drawing = Drawing(figsize=(WIDTH, height))
        drawing.text(_SIDE / WIDTH, 1 - 0.04 / height, title, fontsize=11, weight="bold", va="top")
        axes = drawing.add_axes((0.03, 0.5 / height, 0.96, bottom / height))
        axes.set(
            ylim=(bottom, 0), xlim=(0, max(one.interval[1] for one in drawn) * 1.02), yticks=[]
        )
        axes.spines["left"].set_visible(False)
        for place, one in enumerate(drawn):
            at = _ROW * place + 0.28
            axes.barh(at, one.share, height=0.11, color=GREY if result.broken else BLUE)
            axes.plot(one.interval, [at, at], color=INK, linewidth=1.2)
            name = wrapped(one_line(one.title), WIDTH - 1.4, 9.5, "bold", 1)
            value = text("feedback.bar_value", language, share=one.share, messages=one.messages)
            for x, words, side, weight in (
                (0, name, "left", "bold"),
                (1, value, "right", "normal"),
            ):
                across = axes.get_yaxis_transform()
                axes.text(
                    x, at - 0.1, words, transform=across, fontsize=9.5, weight=weight, ha=side
                )
        ticks = [
            float(tick) for tick in axes.get_xticks() if 0 <= tick <= axes.get_xlim()[1] * 0.96
        ]
        axes.set_xticks(
            ticks, [numbers.percent(tick, 0, language=language) for tick in ticks], fontsize=8.5
        )
        axes.set_xlabel(text("feedback.bar_axis", language), fontsize=8.5)
    lines = [
        text(
            "feedback.bar_line",
            language,
            theme=one.title,
            share=one.share,
            messages=one.messages,
            low=one.interval[0],
            high=one.interval[1],
        )
        for one in drawn
    ]
    return Figure(
        drawing,
        text("feedback.bar_alt", language, lines=" ".join(lines)),
        text("feedback.bar_caption", language),
    )


def theme_map(result: FeedbackResult, language: Language) -> Figure:
    """Draw each theme as a disc: its area by messages, its place by meaning, its colour by group."""
    with style():
        drawing = Drawing(figsize=(WIDTH, _MAP))
        title = wrapped(text("feedback.map_title", language), WIDTH - 2 * _SIDE, 11, "bold", 2)
        drawing.text(_SIDE / WIDTH, 1 - 0.04 / _MAP, title, fontsize=11, weight="bold", va="top")
        axes = drawing.add_axes((0.02, 0.02, 0.96, 0.84))
        axes.set(xticks=[], yticks=[])
        axes.margins(0.2, 0.14)
        colours = {group.id: _COLOURS[at % len(_COLOURS)] for at, group in enumerate(result.groups)}
        largest = max(one.messages for one in result.themes)
        for one in reversed(result.themes):
            colour = GREY if result.broken else colours[one.group]
            size = 900 * one.messages / largest + 20
            axes.scatter(
                *one.position, s=size, color=colour, alpha=0.55, linewidths=0.8, edgecolors=INK
            )
        width, tall = (high - low for low, high in (axes.get_xlim(), axes.get_ylim()))
        taken: list[tuple[float, float]] = []
        for one in result.themes[:_MOST_NAMES]:
            x, y = one.position
            if any(
                abs(x - other) < 0.26 * width and abs(y - far) < 0.06 * tall for other, far in taken
            ):
                continue
            taken.append((x, y))
            above = 3 + math.sqrt(230 * one.messages / largest)
            name = wrapped(one_line(one.title), 1.5, 8.5, most=1)
            axes.annotate(
                name, (x, y), (0, above), textcoords="offset points", fontsize=8.5, ha="center"
            )
    titles = {one.id: one.title for one in result.themes}
    lines = [
        text(
            "feedback.map_line",
            language,
            group=group.title,
            themes=[titles[one] for one in group.themes],
        )
        for group in result.groups[:20]
    ]
    return Figure(
        drawing,
        text("feedback.map_alt", language, lines=" ".join(lines)),
        text("feedback.map_caption", language),
    )
