"""The figures of an experiment's readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from opslab.experiments.result import Comparison, ExperimentResult, SpanEffect, Trend
from opslab.experiments.sentences import (
    VERDICT_TONES,
    ExperimentVoice,
    bounded,
    differs,
    is_share,
    leading,
    primary_metric,
    trend_key,
)
from opslab.messages import one_line
from opslab.report.blocks import Tone
from opslab.report.drawing import Row, chart
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
    drawn = [comparison for comparison in result.comparisons if bounded(comparison)]
    caption = [say("forest_caption")]
    if any(_margin(comparison) is not None for comparison in drawn):
        caption.append(say("forest_caption_margin"))
    (low, high), frame = _hull(drawn), _frame(drawn)
    if low < frame[0] or high > frame[1]:
        caption.append(say("forest_caption_cut"))
    drawing = _forest(drawn, _finding(result, say), say, greyed=result.broken)
    return Figure(drawing, alt=_alt(result.comparisons, say), caption=" ".join(caption))


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
    drawing = _forest(drawn, title, say, greyed=result.broken)
    return Figure(drawing, alt=_alt(drawn, say), caption=say("segments_caption"))


def _forest(
    drawn: Sequence[Comparison], title: str, say: ExperimentVoice, *, greyed: bool
) -> Drawing:
    rows, metric = list[Row](), ""
    for comparison in drawn:
        lift, margin = say.lift(comparison), _margin(comparison)
        colour = GREY if greyed else _COLOURS.get(VERDICT_TONES[comparison.verdict], BLUE)
        row = Row(
            say.spoken(comparison.metric),
            say("forest_effect", effect=lift.text, interval=lift.interval),
            [(*_ends(comparison), colour)],
            point=comparison.lift,
            mark=None if margin is None else (margin, say("forest_margin", margin=margin)),
            thin=True,
            bold=True,
        )
        if say.arm is None:
            head = row.label if comparison.metric != metric else ""
            row = replace(row, head=head, label=say.spoken(comparison.arm), bold=False)
        rows.append(row)
        metric = comparison.metric
    axis, frame = say("forest_axis"), _frame(drawn)
    return chart(title, rows, axis, say, frame=frame, percent=True, signed=True)


def _alt(comparisons: Sequence[Comparison], say: ExperimentVoice) -> str:
    sentences = [say("forest_alt")]
    for comparison in comparisons:
        values = {"metric": comparison.metric, "arm": comparison.arm}
        if comparison.difference is None:
            sentences.append(say("forest_alt_none", **values))
            continue
        lift = say.lift(comparison)
        values |= {"effect": lift.text, "interval": lift.interval}
        sentences.append(say("forest_alt_line", **values))
    return " ".join(sentences)


def _finding(result: ExperimentResult, say: ExperimentVoice) -> str:
    if result.broken:
        return say("forest_title_broken")
    comparison = leading(result)
    if comparison is None or comparison.difference is None:
        return say("forest_title_none")
    change = say.change(comparison)
    values = {"effect": change.text, "interval": change.interval}
    return say("forest_title", metric=comparison.metric, **values)


def _frame(drawn: Sequence[Comparison]) -> tuple[float, float]:
    """Return the ends of the axis: room for all that decides, and for others unless far wider."""
    deciding = [comparison for comparison in drawn if comparison.role != "secondary"] or drawn
    low, high = _hull(deciding)
    reach = _BEYOND * max(high - low, 1e-9)
    far_low, far_high = _hull(drawn)
    low, high = max(far_low, low - reach), min(far_high, high + reach)
    space = 0.06 * (high - low) or 0.01
    return low - space, high + space


def _hull(drawn: Sequence[Comparison]) -> tuple[float, float]:
    ends = [0.0, *(_margin(comparison) or 0.0 for comparison in drawn)]
    ends += [end for comparison in drawn for end in _ends(comparison)]
    return min(ends), max(ends)


def _ends(comparison: Comparison) -> tuple[float, float]:
    low, high = comparison.lift_interval
    return low or 0.0, high or 0.0


def _margin(comparison: Comparison) -> float | None:
    """Return where a guardrail's relative margin stands on the axis."""
    match comparison.margin:
        case ("relative", size):
            return size if comparison.goal == "decrease" else -size
    return None


def _trend(trend: Trend, result: ExperimentResult, say: ExperimentVoice) -> Figure:
    """Draw an effect by time since exposure, with the interval of each span."""
    share = any(is_share(known) for known in result.comparisons if known.metric == trend.metric)
    values = {"metric": trend.metric, "arm": trend.arm}
    title = say(f"trend_title_{trend_key(trend, result.plan.alpha)}", **values)
    with style():
        drawing, axes = framed(title, _HEIGHT, left=_LEFT)
        _spans(axes, trend, 100.0 if share else 1.0)
        name_axis(axes, say(f"trend_axis_{trend.days}"))
        unit = say("trend_points" if share else "trend_units")
        axes.set_ylabel(one_line(unit), fontsize=SMALL)
        axes.yaxis.set_major_formatter(lambda value, _: say.given(value))
    show = say.signed_points if share else say.signed_number
    alt = [say("trend_alt", **values)]
    for day, span in _days(trend):
        interval = say.range(show(span.low or 0.0), show(span.high or 0.0))
        effect = show(span.difference or 0.0)
        alt.append(say("trend_alt_line", day=day, effect=effect, interval=interval))
    return Figure(drawing, alt=" ".join(alt), caption=say("trend_caption"))


def _spans(axes: Axes, trend: Trend, scale: float) -> None:
    axes.axhline(0, color=INK, linewidth=0.9)
    for day, span in _days(trend):
        ends = [scale * (end or 0.0) for end in (span.low, span.high)]
        axes.plot([day] * 2, ends, color=BLUE, linewidth=2.2, solid_capstyle="butt")
        axes.plot([day], [scale * (span.difference or 0.0)], "o", markersize=5.5, color=BLUE)
    axes.set_xticks([index * trend.days for index in range(len(trend.spans))])


def _days(trend: Trend) -> list[tuple[int, SpanEffect]]:
    """Return the spans that have an effect, each with its first day."""
    days = [(index * trend.days, span) for index, span in enumerate(trend.spans)]
    return [(day, span) for day, span in days if span.difference is not None]
