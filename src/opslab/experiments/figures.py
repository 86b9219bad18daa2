"""The figures of an experiment's readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opslab.experiments.magnitude import beside_smallest, smallest
from opslab.experiments.result import Comparison, ExperimentResult, Trend
from opslab.experiments.sentences import (
    VERDICT_TONES,
    ExperimentVoice,
    bounded,
    differs,
    finding,
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
    """Return ``lift``, ``trend/<metric>/<arm>``, and ``size`` and ``segments`` where there are any.

    Effects without a bounded lift are named in the alt text and the table, and have no line here.
    """
    state, values = finding(result, say)
    title = say(f"forest_title_{state}", **values)
    lift = _forest(title, say("forest_caption"), result.comparisons, result, say)
    trends = {
        f"trend/{trend.metric}/{trend.arm}": _trend(trend, result, say) for trend in result.trends
    }
    return {**_size(result, say), "lift": lift, **_segments(result, say), **trends}


def _size(result: ExperimentResult, say: ExperimentVoice) -> dict[str, Figure]:
    """Draw the headline's effect beside the smallest one worth finding."""
    comparison = leading(result)
    if result.broken or comparison is None or not bounded(comparison):
        return {}
    values = named(comparison, say.lift(comparison))
    row, size, base = _row(comparison, say, greyed=False), smallest(comparison), comparison.estimate
    title = say("forest_title_effect", **values)
    if size and base[1]:
        lift = size / abs(base[1]) * (1 if comparison.goal == "increase" else -1)
        title = say(f"size_{beside_smallest(comparison)}", **values, mde=abs(lift))
        row = replace(row, mark=(lift, say("size_mark", mde=lift)))
    axis = say("forest_axis")
    drawing = chart(title, [row], axis, say, percent=True, signed=True)
    return {"size": Figure(drawing, f"{title}. {say('forest_alt_line', **values)}")}


def _segments(result: ExperimentResult, say: ExperimentVoice) -> dict[str, Figure]:
    """Draw the lift of the first primary metric in every segment that has a bounded one."""
    metric = primary_metric(result)
    drawn = [
        replace(comparison, metric=comparison.segment or "", verdict="open", margin=None)
        for comparison in result.segments
        if comparison.metric == metric and bounded(comparison)
    ]
    if not drawn:
        return {}
    tests = [test for test in result.interactions if test.metric == metric]
    differing = dict.fromkeys(test.segment for test in tests if differs(test, result.plan.alpha))
    key = "segments_title_differ" if differing else "segments_title_alike"
    title = say(key, metric=metric, segments=list(differing))
    return {"segments": _forest(title, say("segments_caption"), drawn, result, say)}


def _forest(
    title: str,
    caption: str,
    comparisons: Sequence[Comparison],
    result: ExperimentResult,
    say: ExperimentVoice,
) -> Figure:
    """Draw lifts with their intervals, the margins of guardrails marked."""
    rows, deciding, metric = list[Row](), list[Row](), ""
    for comparison in filter(bounded, comparisons):
        row = _row(comparison, say, greyed=result.broken)
        if say.arm is None:
            head = row.label if comparison.metric != metric else ""
            row = replace(row, head=head, label=say.spoken(comparison.arm), bold=False)
        rows.append(row)
        deciding += [row] * (comparison.role != "secondary")
        metric = comparison.metric
    (low, high), frame = _hull(rows), _frame(deciding or rows, rows)
    if any(row.mark for row in rows):
        caption += f" {say('forest_caption_margin')}"
    if low < frame[0] or high > frame[1]:
        caption += f" {say('forest_caption_cut')}"
    drawing = chart(title, rows, say("forest_axis"), say, frame=frame, percent=True, signed=True)
    alt = [say("forest_alt")]
    for comparison in comparisons:
        key = "forest_alt_none" if comparison.difference is None else "forest_alt_line"
        alt.append(say(key, **named(comparison, say.lift(comparison))))
    return Figure(drawing, " ".join(alt), caption)


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
