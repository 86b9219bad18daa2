"""The figures of a feedback readout: how much each theme is said, and which themes lie near one another."""

from __future__ import annotations

import math

from matplotlib.figure import Figure as Drawing

from opslab.feedback.result import FeedbackResult
from opslab.messages import Language, numbers, one_line, text
from opslab.report.figures import BLUE, GREEN, GREY, INK, ORANGE, RED, WIDTH, Figure, style, wrapped

_MOST_BARS, _MOST_NAMES = 15, 14
_SIDE, _ROW = 0.03, 0.4  # inches
_COLOURS = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9", "#7a6f00")


def shares(result: FeedbackResult, language: Language) -> Figure:
    """Draw the share of each of the largest themes with its interval, its name above its bar."""
    drawn = result.themes[:_MOST_BARS]
    bottom = _ROW * max(len(drawn), 1)
    height = bottom + 1.0
    title = wrapped(one_line(_finding(result, language)), WIDTH - 2 * _SIDE, 11, "bold", most=2)
    with style():
        drawing = Drawing(figsize=(WIDTH, height))
        drawing.text(_SIDE / WIDTH, 1 - 0.04 / height, title, fontsize=11, weight="bold", va="top")
        axes = drawing.add_axes((_SIDE / WIDTH, 0.5 / height, 1 - 2 * _SIDE / WIDTH, bottom / height))
        axes.set_ylim(bottom, 0)
        axes.set_xlim(0, max((one.share_interval[1] for one in drawn), default=1) * 1.02)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        for place, one in enumerate(drawn):
            at = _ROW * place + 0.28
            axes.barh(at, one.share, height=0.11, color=GREY if result.broken else BLUE)
            axes.plot(one.share_interval, [at, at], color=INK, linewidth=1.2)
            name = wrapped(one_line(one.title), WIDTH - 1.6, 9.5, "bold", most=1)
            across = axes.get_yaxis_transform()
            axes.text(0, at - 0.1, name, transform=across, fontsize=9.5, weight="bold", va="baseline")
            said = text("feedback.bar_value", language, share=one.share, messages=one.messages)
            axes.text(1, at - 0.1, said, transform=across, fontsize=9, ha="right", va="baseline")
        ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= axes.get_xlim()[1] * 0.96]
        axes.set_xticks(ticks, [numbers.percent(float(tick), 0, language=language) for tick in ticks], fontsize=8.5)
        axes.set_xlabel(text("feedback.bar_axis", language), fontsize=8.5)
    alt = [text("feedback.bar_alt", language)] + [
        text("feedback.bar_alt_line", language, theme=one.title, share=one.share, messages=one.messages,
             low=one.share_interval[0], high=one.share_interval[1])
        for one in drawn
    ]  # fmt: skip
    return Figure(drawing, alt=" ".join(alt), caption=text("feedback.bar_caption", language))


def theme_map(result: FeedbackResult, language: Language) -> Figure:
    """Draw each theme as a disc: its area by messages, its place by meaning, its colour by group."""
    with style():
        drawing = Drawing(figsize=(WIDTH, 3.9))
        title = wrapped(text("feedback.map_title", language), WIDTH - 2 * _SIDE, 11, "bold", most=2)
        drawing.text(_SIDE / WIDTH, 1 - 0.04 / 3.9, title, fontsize=11, weight="bold", va="top")
        axes = drawing.add_axes((0.02, 0.02, 0.96, 0.84))
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set_color(GREY)
        largest = max((one.messages for one in result.themes), default=1)
        order = {group.id: place for place, group in enumerate(result.groups)}
        axes.margins(0.18, 0.14)
        for one in reversed(result.themes):
            place = order[one.group]
            colour = GREY if result.broken else _COLOURS[place % len(_COLOURS)]
            axes.scatter(*one.position, s=900 * one.messages / largest + 20, color=colour, alpha=0.55, linewidths=0.8, edgecolors=INK)
        taken: list[tuple[float, float]] = []
        spans = [abs(high - low) or 1.0 for low, high in (axes.get_xlim(), axes.get_ylim())]
        for one in result.themes[:_MOST_NAMES]:
            x, y = one.position
            near = [other for other in taken if abs(other[0] - x) < 0.24 * spans[0] and abs(other[1] - y) < 0.05 * spans[1]]
            if near:
                continue
            taken.append((x, y))
            shown = wrapped(one_line(one.title), 1.5, 8.5, most=1)
            axes.annotate(shown, (x, y), (0, 4 + math.sqrt(200 * one.messages / largest)), textcoords="offset points", fontsize=8.5, ha="center")
    alt = [text("feedback.map_alt", language)] + [
        text("feedback.map_alt_line", language, group=group.title, messages=group.messages,
             themes=[one.title for one in result.themes if one.id in group.themes])
        for group in result.groups[:20]
    ]  # fmt: skip
    return Figure(drawing, alt=" ".join(alt), caption=text("feedback.map_caption", language))


def _finding(result: FeedbackResult, language: Language) -> str:
    if not result.themes:
        return text("feedback.bar_title_none", language)
    one = result.themes[0]
    return text("feedback.bar_title", language, theme=one.title, share=one.share)
