"""The figures of a business case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from opslab.businesscase.result import CaseResult, Target
from opslab.businesscase.sentences import Voice
from opslab.messages import Language, one_line
from opslab.report.bars import Row, bars
from opslab.report.figures import (
    BLUE,
    GREEN,
    GREY,
    HALF,
    INK,
    ORANGE,
    RED,
    Figure,
    style,
    width_of,
    wrapped,
)

_MOST, _YEAR = 5, 12
_TITLE, _SMALL, _SIDE = 11.0, 9.0, 0.03  # points, and inches left free at either side


def all_of(result: CaseResult, language: Language) -> dict[str, Figure]:
    """Return every figure by name."""
    say = Voice(result, language)
    made = {
        "fan": fan(result, say),
        "options": options(result, say),
        "waterfall": waterfall(result, say),
    }
    if result.drivers:
        made["tornado"] = tornado(result, say)
    strips = [one for one in result.targets if one.measured is not None]
    return made | {f"measured_{one.kpi.id}": measured(one, say) for one in strips}


def fan(result: CaseResult, say: Voice) -> Figure:
    """Draw cumulative net cash by month: the middle eight tenths, the median, where it crosses zero."""
    best = result.recommended
    low, middle, high = zip(*best.fan, strict=True)
    last = len(middle) - 1
    key = "fan_title_never" if best.payback is None else "fan_title"
    title = _title(say, say(key, months=last, payback=round(best.payback or 0)))
    shown = wrapped(one_line(title), HALF - 2 * _SIDE, _TITLE, "bold")
    with style():
        height = 2.15 + 0.19 * shown.count("\n")
        drawing = Drawing(figsize=(HALF, height))
        drawing.text(
            _SIDE / HALF, 1 - 0.04 / height, shown, fontsize=_TITLE, weight="bold", va="top"
        )
        axes = drawing.add_axes((0.0, 0.48 / height, 1.0, 1.32 / height))
        axes.fill_between(range(last + 1), low, high, color=BLUE, alpha=0.22, linewidth=0)
        axes.plot(range(last + 1), middle, color=BLUE, linewidth=2)
        _frame(axes, low, middle, high, say)
        if best.payback is not None:
            axes.plot(
                [best.payback],
                [0],
                "o",
                markersize=7,
                color="white",
                markeredgecolor="black",
                zorder=5,
            )
        first = result.months[0]
        axes.set_xlabel(
            one_line(say("fan_axis", start=f"{first.month:02}/{first.year}")), fontsize=_SMALL
        )
    points = sorted({*range(0, last, _YEAR), last})
    told = [
        say(
            "fan_point",
            month=at,
            middle=say.money(middle[at]),
            low=say.money(low[at]),
            high=say.money(high[at]),
        )
        for at in points
    ]
    caption = say("fan_caption", option=best.name, deepest=say.money(max(-min(middle), 0.0)))
    return Figure(drawing, " ".join([title, *told]), caption)


def _frame(
    axes: Axes, low: Sequence[float], middle: Sequence[float], high: Sequence[float], say: Voice
) -> None:
    """Set the axes out: amounts inside, above thin lines; the ends of the three lines named at the right."""
    ends = [low[-1], middle[-1], high[-1]]
    last, right = len(middle) - 1, max(width_of(say.money(one), _SMALL) for one in ends) + 0.1
    inch = last / (HALF - right - 0.04)
    bottom, top = min(0.0, *low), max(0.0, *high)
    room = 0.09 * (top - bottom or 1.0)
    axes.set(xlim=(-0.04 * inch, last + right * inch), ylim=(bottom - room, top + room), yticks=[])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xticks(range(0, last + 1, _YEAR if last > _YEAR else 3))
    axes.tick_params(axis="x", labelsize=_SMALL, length=3)
    least, above = 0.085 * (top - bottom + 2 * room), -float("inf")
    for value, weight in zip(ends, ("normal", "bold", "normal"), strict=True):
        above = max(value, above + least)  # names that do not touch
        axes.text(
            last + 0.05 * inch, above, say.money(value), fontsize=_SMALL, va="center", weight=weight
        )
    for at in MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(bottom, top):
        if bottom <= at <= top:
            line, colour = (0.4, GREY) if at else (0.9, INK)
            axes.axhline(at, color=colour, linewidth=line, zorder=1, xmax=1 - right / HALF)
            shade = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8}
            axes.text(
                0.02 * inch,
                at + 0.02 * (top - bottom),
                say.money(at),
                fontsize=_SMALL,
                va="bottom",
                bbox=shade,
            )


def options(result: CaseResult, say: Voice) -> Figure:
    """Draw the NPV of every option with its middle eight tenths, doing nothing at zero."""
    rows = [
        Row(
            one.name,
            say.money(one.npv.p50),
            [(one.npv.p10, one.npv.p90, BLUE if one.kind == "recommended" else GREY)],
            point=one.npv.p50,
        )
        for one in result.options
    ]
    best = max(result.options, key=lambda one: one.npv.p50)
    told = [say("options_point", option=one.name, npv=one.npv) for one in result.options]
    return _figure("options", say("options_title", option=best.name), rows, say, told, width=HALF)


def tornado(result: CaseResult, say: Voice) -> Figure:
    """Draw how far each quantity moves the NPV, the widest first, with the value at which it is nothing."""
    rows, told = [], []
    for one in result.drivers[:_MOST]:
        unit = say.unit_of(one.id)
        span = value = say.range(*map(say.money, one.npv))
        if one.switching is not None:
            value = say("tornado_switch", value=say.quantity(one.switching, unit))
        parts = [(one.npv[0], result.base, ORANGE), (result.base, one.npv[1], BLUE)]
        rows.append(Row(say.label(one.id), value, parts))
        reach = " · ".join(dict.fromkeys((span, value)))
        told.append(
            say("tornado_point", name=say.label(one.id), at=say.between(one.at, unit), npv=reach)
        )
    low = say("all_low", low=say.money(result.all_low), p10=say.money(result.recommended.npv.p10))
    title, caption = say("tornado_title", name=rows[0].label), f"{say('caption_tornado')} {low}"
    return _figure("tornado", title, rows, say, told, base=result.base, caption=caption)


def waterfall(result: CaseResult, say: Voice) -> Figure:
    """Draw the way from what the gains could be to what is left: means, which add up."""
    rows, level, steps = [], 0.0, dict(result.waterfall)
    for name, value in result.waterfall:
        whole = name in ("gross", "benefits", "net")
        start, level = 0.0 if whole else level, value if whole else level + value
        colour = GREY if not whole else RED if value < 0 else GREEN if name == "net" else BLUE
        rows.append(
            Row(say(f"step_{name}"), say.money(value, signed=not whole), [(start, level, colour)])
        )
    share = steps["net"] / steps["gross"] if steps["gross"] else 0.0
    title = say("waterfall_title" if share > 0 else "waterfall_title_none", share=share)
    return _figure("waterfall", title, rows, say)


def measured(one: Target, say: Voice) -> Figure:
    """Draw what was promised of a target, what was measured, and both together, on one axis."""
    rows, unit = [], one.kpi.unit
    for name, colour in (("promised", GREY), ("measured", ORANGE), ("together", BLUE)):
        ends = one.posterior if name == "together" else getattr(one, name)
        if ends:
            words = say.spanned(*say.told(ends[0], ends[1], ends[2], unit))
            rows.append(
                Row(say(f"column_{name}"), words, [(ends[0], ends[2], colour)], point=ends[1])
            )
    title = say("measured_title", kpi=one.kpi.name, status=say(f"status_{one.status}"))
    return _figure(
        "measured",
        title,
        rows,
        say,
        axis=say.unit(unit),
        base=one.kpi.baseline,
        percent=unit == "share",
        width=HALF,
    )


def _title(say: Voice, title: str) -> str:
    return say("not_valid", title=title) if say.result.action == "stop" else title


def _figure(
    name: str,
    title: str,
    rows: Sequence[Row],
    say: Voice,
    told: Sequence[str] = (),
    *,
    axis: str = "",
    base: float = 0.0,
    caption: str = "",
    **more: Any,
) -> Figure:
    """Return a figure; without an axis of its own it is one of money, in the document's unit."""
    title = _title(say, title)
    told = told or [say("pair", name=row.label, value=row.value) for row in rows]
    if not axis:
        axis, step = (
            say(f"axis_{say.step:.0f}", currency=say.result.case.finance.currency),
            say.step,
        )
        rows = [
            Row(
                row.label,
                row.value,
                [(low / step, high / step, colour) for low, high, colour in row.segments],
                None if row.point is None else row.point / step,
            )
            for row in rows
        ]
        base /= step
    drawing = bars(title, rows, axis, say.language, base=base, **more)
    return Figure(drawing, " ".join([title, *told]), caption or say(f"caption_{name}"))
