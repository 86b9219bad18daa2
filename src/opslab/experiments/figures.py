"""The figures of an experiment's readout."""

from __future__ import annotations

import math
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, MaxNLocator

from opslab.experiments import sentences
from opslab.experiments.result import Comparison, ExperimentResult
from opslab.messages import Language, numbers, one_line, text
from opslab.report.figures import BLUE, GREEN, GREY, INK, RED, Figure, style

_COLOURS = {"won": GREEN, "safe": GREEN, "lost": RED, "harmed": RED}
_WIDTH, _ROW, _FRAME = 8.2, 0.52, 1.15
_LONGEST_LABEL = 30


def forest(result: ExperimentResult, language: Language) -> Figure:
    """Draw the lift of every metric and arm with its interval, the margins of guardrails marked.

    Effects without a bounded lift are named in the alt text and the table, and have no line here.
    """
    drawn = [one for one in result.comparisons if one.lift is not None and None not in one.lift_interval]
    several = len({one.arm for one in result.comparisons}) > 1
    with style():
        drawing = Drawing(figsize=(_WIDTH, _FRAME + _ROW * max(len(drawn), 1)), layout="constrained")
        axes = drawing.subplots()
        axes.axvline(0, color=INK, linewidth=1)
        for place, one in enumerate(reversed(drawn)):
            _line(axes, place, one, greyed=result.broken, language=language)
        axes.set_yticks(range(len(drawn)), [_label(one, several) for one in reversed(drawn)])
        axes.set_ylim(-0.7, len(drawn) - 0.3)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.18)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(partial(_tick, axes, language)))
        axes.set_xlabel(
            text(
                "experiments.forest_axis",
                language,
                control=_short(result.plan.control),
                level=1 - result.plan.alpha,
            )
        )
        # Over the whole figure, not over the axes alone: a long label to the left costs the title no room.
        drawing.suptitle(one_line(_finding(result, language)), x=0.01, ha="left", fontsize=11, weight="bold")
    return Figure(drawing, alt=_alt(result, language), caption=text("experiments.forest_caption", language))


def _line(axes: Axes, place: int, one: Comparison, *, greyed: bool, language: Language) -> None:
    low, high = (bound for bound in one.lift_interval if bound is not None)
    lift = one.lift or 0.0
    colour = GREY if greyed else _COLOURS.get(one.verdict, BLUE)
    axes.plot([low, high], [place, place], color=colour, linewidth=2.4, solid_capstyle="butt")
    axes.plot([lift], [place], marker="o", markersize=7, color=colour)
    axes.annotate(
        sentences.lift(one.lift, language), (lift, place), xytext=(0, 8), textcoords="offset points",
        ha="center", fontsize=9,
    )  # fmt: skip
    if one.margin is not None and one.margin[0] == "relative":
        edge = one.margin[1] if one.goal == "decrease" else -one.margin[1]
        axes.plot([edge, edge], [place - 0.32, place + 0.32], color=RED, linewidth=1.6, linestyle=(0, (2, 2)))
        axes.annotate(
            text("experiments.forest_margin", language), (edge, place - 0.32), xytext=(0, -9),
            textcoords="offset points", ha="center", fontsize=8, color=RED,
        )  # fmt: skip


def _tick(axes: Axes, language: Language, value: float, _place: int) -> str:
    """Return a tick's label with the decimals that the distance between ticks asks for."""
    if abs(value) < 1e-12:  # noqa: PLR2004 - the zero of the axis, give or take its rounding
        return "0"
    first, second, *_ = axes.xaxis.get_majorticklocs()
    digits = max(0, math.ceil(-math.log10((second - first) * 100) - 1e-9))
    return numbers.signed_percent(value, digits, language=language)


def _label(one: Comparison, several: bool) -> str:
    return _short(f"{one.metric} · {one.arm}" if several else one.metric)


def _short(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"


def _finding(result: ExperimentResult, language: Language) -> str:
    if result.broken:
        return text("experiments.forest_title_broken", language)
    one = sentences.leading(result)
    if one is None or one.difference is None:
        return text("experiments.forest_title_none", language)
    effect, interval = sentences.lift_or_difference(one, language), sentences.interval(one, language)
    return text(
        "experiments.forest_title", language, metric=_short(one.metric), effect=effect, interval=interval
    )


def _alt(result: ExperimentResult, language: Language) -> str:
    lines = [
        text("experiments.forest_alt", language, level=1 - result.plan.alpha, control=result.plan.control)
    ]
    for one in result.comparisons:
        if one.difference is None:
            lines.append(text("experiments.forest_alt_none", language, metric=one.metric, arm=one.arm))
            continue
        lines.append(
            text("experiments.forest_alt_line", language, metric=one.metric, arm=one.arm,
                 effect=sentences.lift(one.lift, language), interval=sentences.lift_interval(one, language))
        )  # fmt: skip
    return " ".join(lines)
