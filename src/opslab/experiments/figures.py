"""The figures of an experiment's readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure as Drawing

from opslab.experiments.result import Comparison, ExperimentResult, Trend
from opslab.experiments.sentences import (
    VERDICT_TONES,
    ExperimentVoice,
    bounded,
    differs,
    is_share,
    leading,
    named,
    primary_metric,
    trend_key,
)
from opslab.messages import one_line
from opslab.report.blocks import Tone
from opslab.report.drawing import Row, chart, ticks
from opslab.report.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    SMALL,
    Figure,
    framed,
    name_axis,
    style,
)

_COLOURS: dict[Tone, str] = {"good": GREEN, "bad": RED}
_BEYOND = 0.6  # a secondary metric's line may reach so far beyond those that decide, in their span
_HEIGHT, _LEFT = 1.6, 0.68  # inches: a trend's axes, and the room for its vertical axis


def figures(result: ExperimentResult, say: ExperimentVoice) -> dict[str, Figure]:
    """Return ``lift``, ``segments`` where there are any, and ``trend/<metric>/<arm>``."""
    drawn = {"lift": _lifts(result, say)}
    segments = _segments(result, say)
    if segments is not None:
        drawn["segments"] = segments
    for trend in result.trends:
        drawn[f"trend/{trend.metric}/{trend.arm}"] = _trend(trend, result, say)
    return drawn


def _lifts(result: ExperimentResult, say: ExperimentVoice) -> Figure:
    """Draw the lift of every metric and arm with its interval, the margins of guardrails marked.

    Effects without a bounded lift are named in the alt text and the table, and have no line here.
    """
    comparison = leading(result)
    if result.broken:
        title = say("forest_title_broken")
    elif comparison is None:
        title = say("forest_title_none")
    else:
        title = say("forest_title", **named(comparison, say.change(comparison)))
    comparisons = result.comparisons
    drawing, caption = _forest(comparisons, title, say, greyed=result.broken)
    return Figure(drawing, _alt(comparisons, say), " ".join([say("forest_caption"), *caption]))


def _segments(result: ExperimentResult, say: ExperimentVoice) -> Figure | None:
    """Draw the lift of the first primary metric in every segment that has a bounded one."""
    metric = primary_metric(result)
    drawn = [
        replace(comparison, metric=comparison.segment or "", verdict="open", margin=None)
        for comparison in result.segments
        if comparison.metric == metric and bounded(comparison)
    ]
    if not drawn:
        return None
    tests = [test for test in result.interactions if test.metric == metric]
    differing = dict.fromkeys(test.segment for test in tests if differs(test, result.plan.alpha))
    key = "segments_title_differ" if differing else "segments_title_alike"
    title = say(key, metric=metric, segments=list(differing))
    drawing, _ = _forest(drawn, title, say, greyed=result.broken)
    return Figure(drawing, _alt(drawn, say), say("segments_caption"))


def _forest(
    comparisons: Sequence[Comparison], title: str, say: ExperimentVoice, *, greyed: bool
) -> tuple[Drawing, list[str]]:
    """Return the drawing of the bounded lifts, and what its marks mean."""
    rows, deciding, metric = list[Row](), list[Row](), ""
    for comparison in filter(bounded, comparisons):
        row = _row(comparison, say, greyed=greyed)
        if say.arm is None:
            head = row.label if comparison.metric != metric else ""
            row = replace(row, head=head, label=say.spoken(comparison.arm), bold=False)
        rows.append(row)
        deciding += [row] * (comparison.role != "secondary")
        metric = comparison.metric
    whole, frame = _hull(rows), _frame(deciding or rows, rows)
    caption = []
    if any(row.mark for row in rows):
        caption.append(say("forest_caption_margin"))
    if whole[0] < frame[0] or whole[1] > frame[1]:
        caption.append(say("forest_caption_cut"))
    axis = say("forest_axis")
    return chart(title, rows, axis, say, frame=frame, percent=True, signed=True), caption


def _row(comparison: Comparison, say: ExperimentVoice, *, greyed: bool) -> Row:
    low, high = comparison.lift_interval
    colour = GREY if greyed else _COLOURS.get(VERDICT_TONES[comparison.verdict], BLUE)
    mark = None
    match comparison.margin:
        case ("relative", size):
            margin = size if comparison.goal == "decrease" else -size
            mark = (margin, say("forest_margin", margin=margin))
    return Row(
        say.spoken(comparison.metric),
        say("forest_effect", **named(comparison, say.lift(comparison))),
        [(low or 0.0, high or 0.0, colour)],
        comparison.lift,
        mark=mark,
        thin=True,
        bold=True,
    )


def _alt(comparisons: Sequence[Comparison], say: ExperimentVoice) -> str:
    sentences = [say("forest_alt")]
    for comparison in comparisons:
        key = "forest_alt_none" if comparison.difference is None else "forest_alt_line"
        sentences.append(say(key, **named(comparison, say.lift(comparison))))
    return " ".join(sentences)


def _frame(deciding: Sequence[Row], rows: Sequence[Row]) -> tuple[float, float]:
    """Return the ends of the axis: room for all that decides, and for others unless far wider."""
    (low, high), (far_low, far_high) = _hull(deciding), _hull(rows)
    reach = _BEYOND * max(high - low, 1e-9)
    low, high = max(far_low, low - reach), min(far_high, high + reach)
    space = 0.06 * (high - low) or 0.01
    return low - space, high + space


def _hull(rows: Sequence[Row]) -> tuple[float, float]:
    ends = [0.0, *(end for row in rows for end in row.ends)]
    return min(ends), max(ends)


def _trend(trend: Trend, result: ExperimentResult, say: ExperimentVoice) -> Figure:
    """Draw an effect by time since exposure, with the interval of each span."""
    share = any(is_share(known) for known in result.comparisons if known.metric == trend.metric)
    scale, show = (100.0, say.signed_points) if share else (1.0, say.signed_number)
    values = {"metric": trend.metric, "arm": trend.arm}
    title = say(f"trend_title_{trend_key(trend, result.plan.alpha)}", **values)
    alt = [say("trend_alt", **values)]
    with style():
        drawing, axes = framed(title, _HEIGHT, left=_LEFT)
        axes.axhline(0, color=INK, linewidth=0.9)
        for index, span in enumerate(trend.spans):
            if span.difference is None:
                continue
            day, ends = index * trend.days, [span.low or 0.0, span.high or 0.0]
            heights = [scale * end for end in ends]
            axes.plot([day] * 2, heights, color=BLUE, linewidth=2.2, solid_capstyle="butt")
            axes.plot([day], [scale * span.difference], "o", markersize=5.5, color=BLUE)
            effect, interval = show(span.difference), say.range(*map(show, ends))
            alt.append(say("trend_alt_line", day=day, effect=effect, interval=interval))
        axes.set_xticks([index * trend.days for index in range(len(trend.spans))])
        axes.set_yticks(*ticks(axes.get_ylim(), say, signed=True))
        name_axis(axes, say(f"trend_axis_{trend.days}"))
        unit = say("trend_points" if share else "trend_units")
        axes.set_ylabel(one_line(unit), fontsize=SMALL)
    return Figure(drawing, " ".join(alt), say("trend_caption"))
