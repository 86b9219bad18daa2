"""The figures of an experiment's readout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from opslab.experiments import sentences
from opslab.experiments.result import Comparison, ExperimentResult, Trend
from opslab.messages import Language, numbers, one_line, text
from opslab.report.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    WIDTH,
    Figure,
    style,
    width_of,
    wrapped,
)

_COLOURS = {"won": GREEN, "safe": GREEN, "lost": RED, "harmed": RED}
_TEXT, _TITLE, _SMALL = 10.0, 11.0, 8.5  # points
_LINE = 0.19  # inches that a line of text takes
_SIDE = 0.03  # inches left free at either side
_BEYOND = 0.6  # a secondary metric's line may reach so far beyond those that decide, in their span


@dataclass(frozen=True)
class _Row:
    """One comparison as it is drawn: its words, and where its line stands, in inches from the top."""

    one: Comparison
    head: str
    label: str
    weight: str
    effect: str
    top: float
    place: float


def forest(result: ExperimentResult, language: Language) -> Figure:
    """Draw the lift of every metric and arm with its interval, the margins of guardrails marked.

    The words stand above each line, so that long names take no room from the lines. Effects without
    a bounded lift are named in the alt text and the table, and have no line here.
    """
    drawn = [one for one in result.comparisons if sentences.bounded(one)]
    drawing, frame = _forest(drawn, _finding(result, language), result, language)
    return Figure(
        drawing,
        alt=_alt(result.comparisons, result, language),
        caption=_caption(drawn, frame, language),
    )


def segment_forest(result: ExperimentResult, metric: str, language: Language) -> Figure | None:
    """Draw the lift of one metric in every segment; None where no segment has a bounded one."""
    drawn = [
        replace(one, metric=one.segment or "", verdict="open", margin=None)
        for one in result.segments
        if one.metric == metric and sentences.bounded(one)
    ]
    if not drawn:
        return None
    known = [
        one for one in result.interactions if one.metric == metric and one.p_adjusted is not None
    ]
    differing = [one.segment for one in known if (one.p_adjusted or 0.0) <= result.plan.alpha]
    key = "experiments.segments_title_differ" if differing else "experiments.segments_title_alike"
    title = text(key, language, metric=metric, segments=list(dict.fromkeys(differing)))
    drawing, _ = _forest(drawn, title, result, language)
    caption = text("experiments.segments_caption", language)
    return Figure(drawing, alt=_alt(drawn, result, language), caption=caption)


def trend_figure(one: Trend, result: ExperimentResult, language: Language) -> Figure:
    """Draw an effect by time since exposure, with the interval of each span."""
    share = (
        next(known.type for known in result.comparisons if known.metric == one.metric)
        == "proportion"
    )
    scale = 100.0 if share else 1.0
    title = text(
        f"experiments.trend_title_{trend_key(one, result.plan.alpha)}",
        language,
        metric=one.metric,
        arm=one.arm,
    )
    shown = wrapped(one_line(title), WIDTH - 2 * _SIDE, _TITLE, "bold")
    spans = [(place, span) for place, span in enumerate(one.spans) if span.difference is not None]
    with style():
        drawing = Drawing(figsize=(WIDTH, 2.6))
        drawing.text(_SIDE / WIDTH, 0.985, shown, fontsize=_TITLE, weight="bold", va="top")
        axes = drawing.add_axes((0.13, 0.19, 0.84, 0.62 - 0.07 * shown.count("\n")))
        axes.axhline(0, color=INK, linewidth=0.9)
        for place, span in spans:
            low, high = (scale * (bound or 0.0) for bound in (span.low, span.high))
            axes.plot([place, place], [low, high], color=BLUE, linewidth=2.2, solid_capstyle="butt")
            axes.plot(
                [place], [scale * (span.difference or 0.0)], marker="o", markersize=5.5, color=BLUE
            )
        axes.set_xticks(
            range(len(one.spans)), [str(place * one.days) for place in range(len(one.spans))]
        )
        axes.tick_params(labelsize=_SMALL)
        axis = text(f"experiments.trend_axis_{one.days}", language, level=1 - result.plan.alpha)
        axes.set_xlabel(one_line(axis), fontsize=_SMALL)
        unit = "experiments.trend_points" if share else "experiments.trend_units"
        axes.set_ylabel(one_line(text(unit, language)), fontsize=_SMALL)
    lines = [
        text(
            "experiments.trend_alt",
            language,
            metric=one.metric,
            arm=one.arm,
            level=1 - result.plan.alpha,
        )
    ]
    show = numbers.signed_points if share else numbers.signed_number
    for place, span in spans:
        ends = [show(bound or 0.0, language=language) for bound in (span.low, span.high)]
        lines.append(
            text(
                "experiments.trend_alt_line",
                language,
                day=place * one.days,
                effect=show(span.difference or 0.0, language=language),
                interval=text("words.range", language, low=ends[0], high=ends[1]),
            )
        )
    return Figure(drawing, alt=" ".join(lines), caption=text("experiments.trend_caption", language))


def trend_key(one: Trend, alpha: float) -> str:
    """Return what a trend's test says of the effect: ``steady``, ``grows``, ``fades`` or ``unknown``."""
    if one.p_value is None or one.slope is None:
        return "unknown"
    if one.p_value > alpha:
        return "steady"
    mean = sum(span.difference or 0.0 for span in one.spans)
    return "grows" if (one.slope > 0) == (mean > 0) else "fades"


def _forest(
    drawn: Sequence[Comparison], finding: str, result: ExperimentResult, language: Language
) -> tuple[Drawing, tuple[float, float]]:
    """Return the drawing and the ends of its axis."""
    title = wrapped(one_line(finding), WIDTH - 2 * _SIDE, _TITLE, "bold")
    with style():
        rows, bottom = _layout(drawn, language)
        head = 0.12 + 0.21 * (title.count("\n") + 1)
        height = head + bottom + 0.62
        drawing = Drawing(figsize=(WIDTH, height))
        drawing.text(
            _SIDE / WIDTH, 1 - 0.04 / height, title, fontsize=_TITLE, weight="bold", va="top"
        )
        axes = drawing.add_axes(
            (_SIDE / WIDTH, 0.62 / height, 1 - 2 * _SIDE / WIDTH, bottom / height)
        )
        frame = _frame(drawn)
        axes.set_xlim(frame)
        axes.set_ylim(bottom, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        for row in rows:
            _words(axes, row)
            _line(axes, row, frame, greyed=result.broken, language=language)
        axes.set_xticks(*_ticks(frame, language))
        axes.tick_params(axis="x", labelsize=_SMALL)
        values = {"control": result.plan.control, "level": 1 - result.plan.alpha}
        label = one_line(text("experiments.forest_axis", language, **values))
        axes.set_xlabel(wrapped(label, WIDTH - 2 * _SIDE, _SMALL, most=1), fontsize=_SMALL)
    return drawing, frame


def _layout(drawn: Sequence[Comparison], language: Language) -> tuple[list[_Row], float]:
    """Return the rows from the top down, and the height that they take in inches."""
    several = len({one.arm for one in drawn}) > 1
    inside = WIDTH - 2 * _SIDE
    rows: list[_Row] = []
    top, metric = 0.06, ""
    for one in drawn:
        head = ""
        effect = text(
            "experiments.forest_effect",
            language,
            effect=sentences.lift(one, language),
            interval=sentences.lift_interval(one, language),
        )
        label = one_line(one.arm if several else one.metric)
        room = inside - width_of(effect, _TEXT) - 0.25
        if several and one.metric != metric:
            head = wrapped(one_line(one.metric), inside, _TEXT, "bold", most=2)
        elif not several and width_of(label, _TEXT, "bold") > room:
            head, label = wrapped(label, inside, _TEXT, "bold", most=2), ""
        weight = "normal" if several else "bold"
        label = wrapped(label, room, _TEXT, weight, most=1)
        top += 0.1 if several and head and rows else 0.0
        metric = one.metric
        lines = (head.count("\n") + 1 if head else 0) + 1
        place = top + _LINE * lines + 0.12
        rows.append(_Row(one, head, label, weight, effect, top, place))
        top = place + (0.32 if _edge(one) is not None else 0.2)
    return rows, top


def _words(axes: Axes, row: _Row) -> None:
    across = axes.get_yaxis_transform()
    if row.head:
        axes.text(0, row.top, row.head, transform=across, va="top", weight="bold", linespacing=1.15)
    baseline = row.place - 0.14
    axes.text(0, baseline, row.label, transform=across, va="baseline", weight=row.weight)
    axes.text(1, baseline, row.effect, transform=across, va="baseline", ha="right")


def _line(
    axes: Axes, row: _Row, frame: tuple[float, float], *, greyed: bool, language: Language
) -> None:
    one, place = row.one, row.place
    low, high = (bound for bound in one.lift_interval if bound is not None)
    axes.plot([0, 0], [place - 0.06, place + 0.06], color=INK, linewidth=0.9, zorder=0)
    colour = GREY if greyed else _COLOURS.get(one.verdict, BLUE)
    shown = (max(low, frame[0]), min(high, frame[1]))
    if shown[0] < shown[1]:
        axes.plot(shown, [place, place], color=colour, linewidth=2.4, solid_capstyle="butt")
    for cut, edge, marker in ((low < frame[0], frame[0], "<"), (high > frame[1], frame[1], ">")):
        if cut:
            axes.plot([edge], [place], marker=marker, markersize=6, color=colour, clip_on=False)
    if one.lift is not None and frame[0] <= one.lift <= frame[1]:
        axes.plot([one.lift], [place], marker="o", markersize=6.5, color=colour, clip_on=False)
    margin = _edge(one)
    if margin is not None:
        axes.plot(
            [margin, margin],
            [place - 0.08, place + 0.08],
            color=INK,
            linewidth=1.4,
            linestyle=(0, (2.2, 1.4)),
        )
        span = frame[1] - frame[0]
        side = (
            "left"
            if margin < frame[0] + span / 6
            else "right"
            if margin > frame[1] - span / 6
            else "center"
        )
        axes.text(
            margin,
            place + 0.13,
            text("experiments.forest_margin", language, margin=margin),
            fontsize=_SMALL,
            ha=side,
            va="top",
        )


def _edge(one: Comparison) -> float | None:
    """Return where a guardrail's relative margin stands on the axis."""
    if one.margin is None or one.margin[0] != "relative":
        return None
    return one.margin[1] if one.goal == "decrease" else -one.margin[1]


def _frame(drawn: Sequence[Comparison]) -> tuple[float, float]:
    """Return the ends of the axis: room for all that decides, and for others unless far wider."""
    deciding = [one for one in drawn if one.role != "secondary"] or list(drawn)
    low, high = _hull(deciding)
    reach = _BEYOND * max(high - low, 1e-9)
    far_low, far_high = _hull(drawn)
    low, high = max(far_low, low - reach), min(far_high, high + reach)
    space = 0.06 * (high - low) or 0.01
    return low - space, high + space


def _hull(drawn: Sequence[Comparison]) -> tuple[float, float]:
    ends = [0.0, *(_edge(one) or 0.0 for one in drawn)]
    ends += [bound for one in drawn for bound in one.lift_interval if bound is not None]
    return min(ends), max(ends)


def _ticks(frame: tuple[float, float], language: Language) -> tuple[list[float], list[str]]:
    """Return the places of the axis's ticks, none so near an end that its label is cut off, and their labels.

    The labels have the decimals that the distance between ticks asks for.
    """
    places = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(*frame)
    step, edge = places[1] - places[0], 0.06 * (frame[1] - frame[0])
    digits = max(0, math.ceil(-math.log10(step * 100) - 1e-9))
    inside = [float(place) for place in places if frame[0] <= place <= frame[1]]
    shown = [
        place
        for place in inside
        if _is_zero(place, step) or frame[0] + edge <= place <= frame[1] - edge
    ]
    labels = [
        "0" if _is_zero(place, step) else numbers.signed_percent(place, digits, language=language)
        for place in shown
    ]
    return shown, labels


def _is_zero(place: float, step: float) -> bool:
    return abs(place) < step / 2


def _finding(result: ExperimentResult, language: Language) -> str:
    if result.broken:
        return text("experiments.forest_title_broken", language)
    one = sentences.leading(result)
    if one is None or one.difference is None:
        return text("experiments.forest_title_none", language)
    effect, interval = (
        sentences.lift_or_difference(one, language),
        sentences.interval(one, language),
    )
    return text(
        "experiments.forest_title", language, metric=one.metric, effect=effect, interval=interval
    )


def _caption(drawn: Sequence[Comparison], frame: tuple[float, float], language: Language) -> str:
    said = [text("experiments.forest_caption", language)]
    if any(_edge(one) is not None for one in drawn):
        said.append(text("experiments.forest_caption_margin", language))
    low, high = _hull(drawn)
    if low < frame[0] or high > frame[1]:
        said.append(text("experiments.forest_caption_cut", language))
    return " ".join(said)


def _alt(told: Sequence[Comparison], result: ExperimentResult, language: Language) -> str:
    lines = [
        text(
            "experiments.forest_alt",
            language,
            level=1 - result.plan.alpha,
            control=result.plan.control,
        )
    ]
    for one in told:
        if one.difference is None:
            lines.append(
                text("experiments.forest_alt_none", language, metric=one.metric, arm=one.arm)
            )
            continue
        lines.append(
            text(
                "experiments.forest_alt_line",
                language,
                metric=one.metric,
                arm=one.arm,
                effect=sentences.lift(one, language),
                interval=sentences.lift_interval(one, language),
            )
        )
    return " ".join(lines)
