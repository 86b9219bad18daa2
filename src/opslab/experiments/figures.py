"""The figures of an experiment's readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opslab.experiments.design_page import design_figures
from opslab.experiments.magnitude import beside_smallest, smallest
from opslab.experiments.result import (
    Calendar,
    Comparison,
    ExperimentResult,
    Trend,
    metric_and_arm,
)
from opslab.experiments.sentences import (
    VERDICT_TONES,
    ExperimentVoice,
    bounded,
    course_of,
    differs,
    figure_of,
    finding,
    is_share,
    leading,
    named,
    primary_metric,
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
_MOST_DATES = 7  # on an axis
_HEIGHT, _LEFT = 1.6, 0.68  # inches: a trend's axes, and the room for its vertical axis


def figures(result: ExperimentResult, say: ExperimentVoice) -> dict[str, Figure]:
    """Return ``lift``, and where there are any ``size``, ``segments``, ``days`` and trends.

    Trends are ``trend/<metric>/<arm>``; with several arms days are ``days/<arm>``.

    Effects without a bounded lift are named in the alt text and the table, and have no line here.
    """
    state, values = finding(result, say)
    title = say(f"forest_title_{state}", **values)
    caption = say("forest_caption_bayesian" if result.posteriors else "forest_caption")
    lift = _forest(title, caption, result.comparisons, result, say)
    over_time = {
        figure_of(effects, result): _over_time(effects, result, say) for effects in result.over_time
    }
    sequential = dict(design_figures(result, say))
    return {**_size(result, say), "lift": lift, **_segments(result, say), **over_time, **sequential}


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
    alt = [f"{title}.", say("forest_alt"), say("forest_alt_line", **values)]
    return {"size": Figure(drawing, " ".join(alt))}


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
    if result.plan.method != "fixed":
        key = "segments_title_untested"
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


def _over_time(effects: Trend | Calendar, result: ExperimentResult, say: ExperimentVoice) -> Figure:
    """Draw an effect by time since exposure or by day of assignment, its intervals too."""
    share = any(is_share(shown) for shown in result.comparisons if shown.metric == effects.metric)
    scale, show = (100.0, say.signed_points) if share else (1.0, say.signed_number)
    kind, names, colour = effects.kind, metric_and_arm(effects), GREY if result.broken else BLUE
    title = say(f"{kind}_title_{course_of(effects, result)}", **names)
    alt = [say(f"{kind}_alt", **names)]
    days, labels = _days(effects, say)
    with style():
        drawing, axes = framed(title, _HEIGHT, left=_LEFT)
        axes.axhline(0, color=INK, linewidth=0.9)
        for day, label, span in zip(days, labels, effects.spans, strict=True):
            if span.difference is None:
                continue
            ends = [span.low or 0.0, span.high or 0.0]
            heights = [scale * end for end in ends]
            axes.plot([day] * 2, heights, color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot([day], [scale * span.difference], "o", markersize=5.5, color=colour)
            effect, interval = show(span.difference), say.range(*map(show, ends))
            alt.append(say("by_time_alt_line", day=label, effect=effect, interval=interval))
        axes.set_xticks(days)
        if isinstance(effects, Calendar):
            step = -(-len(days) // _MOST_DATES)
            axes.set_xticks(days[::step], list(map(say.short_date, effects.starts[::step])))
        axes.set_yticks(*ticks(axes.get_ylim(), say, signed=True))
        unit = say("trend_points" if share else "trend_units")
        axes.set_ylabel(one_line(unit), fontsize=SMALL)
        name_axis(axes, say(f"{kind}_axis_{effects.days}"))
    return Figure(drawing, " ".join(alt), say(f"{kind}_caption"))


def _days(effects: Trend | Calendar, say: ExperimentVoice) -> tuple[list[int], list[str]]:
    """Return the day on which each span begins, from the first, and its name."""
    if isinstance(effects, Calendar):
        days = [(start - effects.starts[0]).days for start in effects.starts]
        return days, list(map(say.date, effects.starts))
    days = [order * effects.days for order in range(len(effects.spans))]
    return days, [say("trend_day", day=day) for day in days]
