"""The figures of a business case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from opslab.businesscase.options import Band
from opslab.businesscase.result import CaseResult, Target
from opslab.businesscase.voice import CaseVoice
from opslab.report.drawing import Row, chart
from opslab.report.figures import (
    BLUE,
    GREEN,
    GREY,
    HALF,
    INK,
    ORANGE,
    RED,
    SMALL,
    Figure,
    framed,
    name_axis,
    style,
    width_of,
)

_MOST, _YEAR = 5, 12


def figures(result: CaseResult, say: CaseVoice) -> dict[str, Figure]:
    """Return every figure by name."""
    drawn = {
        "fan": fan(result, say),
        "options": options(result, say),
        "waterfall": waterfall(result, say),
    }
    if result.drivers:
        drawn["tornado"] = tornado(result, say)
    for target in result.targets:
        if target.measured:
            drawn[f"measured_{target.kpi.id}"] = measured(target, say)
    return drawn


def fan(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw cumulative net cash by month: eight tenths, the median, where it crosses zero."""
    best, first = result.recommended, result.months[0]
    low, middle, high = zip(*best.fan, strict=True)
    last = len(middle) - 1
    key = "fan_title_never" if best.payback is None else "fan_title"
    title = _title(say, say(key, months=last, payback=round(best.payback or 0)))
    with style():
        drawing, axes = framed(title, 1.32, width=HALF, below=0.48)
        axes.fill_between(range(last + 1), low, high, color=BLUE, alpha=0.22, linewidth=0)
        axes.plot(range(last + 1), middle, color=BLUE, linewidth=2)
        _lay_out(axes, best.fan, say)
        if best.payback is not None:
            axes.plot([best.payback], [0], "o", ms=7, color="white", mec="black", zorder=5)
        name_axis(axes, say("fan_axis", start=f"{first.month:02}/{first.year}"), HALF)
    points = []
    for month in sorted({*range(0, last, _YEAR), last}):
        shown = {name: say.money(value) for name, value in best.fan[month]._asdict().items()}
        points.append(say("fan_point", month=month, **shown))
    caption = say("fan_caption", option=best.name, deepest=say.money(max(-min(middle), 0.0)))
    return Figure(drawing, " ".join([title, *points]), caption)


def _lay_out(axes: Axes, bands: Sequence[Band], say: CaseVoice) -> None:
    """Set the axes out: amounts inside, above thin lines; the ends of the three lines named."""
    ends, last = bands[-1], len(bands) - 1
    right = max(width_of(say.money(end), SMALL) for end in ends) + 0.1
    inch = last / (HALF - right - 0.04)
    bottom, top = min(0.0, *(band.low for band in bands)), max(0.0, *(band.high for band in bands))
    room = 0.09 * (top - bottom or 1.0)
    axes.set(xlim=(-0.04 * inch, last + right * inch), ylim=(bottom - room, top + room), yticks=[])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xticks(range(0, last + 1, _YEAR if last > _YEAR else 3))
    axes.tick_params(axis="x", length=3)
    least, above = 0.085 * (top - bottom + 2 * room), -float("inf")
    for value, weight in zip(ends, ("normal", "bold", "normal"), strict=True):
        above = max(value, above + least)  # names that do not touch
        words = {"fontsize": SMALL, "va": "center", "weight": weight}
        axes.text(last + 0.05 * inch, above, say.money(value), **words)
    for at in MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(bottom, top):
        if bottom <= at <= top:
            line = {"color": GREY, "linewidth": 0.4} if at else {"color": INK, "linewidth": 0.9}
            axes.axhline(at, zorder=1, xmax=1 - right / HALF, **line)
            shade = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8}
            height = at + 0.02 * (top - bottom)
            axes.text(0.02 * inch, height, say.money(at), fontsize=SMALL, va="bottom", bbox=shade)


def options(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw the NPV of every option with its middle eight tenths, doing nothing at zero."""
    rows = []
    for option in result.options:
        npv, colour = option.npv, BLUE if option.kind == "recommended" else GREY
        segments = [(npv.p10, npv.p90, colour)]
        rows.append(Row(say.spoken(option.name), say.money(npv.p50), segments, point=npv.p50))
    best = max(result.options, key=lambda option: option.npv.p50)
    points = [say("options_point", option=one.name, npv=one.npv) for one in result.options]
    title = say("options_title", option=best.name)
    return _of_money("options", title, rows, say, points, width=HALF)


def tornado(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw how far each quantity moves the NPV, with the value at which it is nothing."""
    rows, points = [], []
    for driver in result.drivers[:_MOST]:
        unit, name = say.unit_of(driver.id), say.label(driver.id)
        span = value = say.range(*map(say.money, driver.npv))
        if driver.switching is not None:
            value = say("tornado_switch", value=say.quantity(driver.switching, unit))
        parts = [(driver.npv[0], result.base, ORANGE), (result.base, driver.npv[1], BLUE)]
        rows.append(Row(name, value, parts))
        reach = " · ".join(dict.fromkeys((span, value)))
        points.append(say("tornado_point", name=name, at=say.between(*driver.at, unit), npv=reach))
    p10 = say.money(result.recommended.npv.p10)
    low = say("all_low", low=say.money(result.all_low), p10=p10)
    title, caption = say("tornado_title", name=rows[0].label), f"{say('caption_tornado')} {low}"
    return _of_money("tornado", title, rows, say, points, base=result.base, caption=caption)


def waterfall(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw the way from what the gains could be to what is left: means, which add up."""
    rows, level, steps = [], 0.0, dict(result.waterfall)
    for name, value in result.waterfall:
        whole = name in ("gross", "benefits", "net")
        start, level = 0.0 if whole else level, value if whole else level + value
        colour = GREY if not whole else RED if value < 0 else GREEN if name == "net" else BLUE
        shown = say.money(value, signed=not whole)
        rows.append(Row(say(f"step_{name}"), shown, [(start, level, colour)]))
    share = steps["net"] / steps["gross"] if steps["gross"] else 0.0
    title = say("waterfall_title" if share > 0 else "waterfall_title_none", share=share)
    return _of_money("waterfall", title, rows, say)


def measured(target: Target, say: CaseVoice) -> Figure:
    """Draw what was promised of a target, what was measured, and both together, on one axis."""
    rows, kpi = [], target.kpi
    bands = {"promised": target.promised, "measured": target.measured, "together": target.posterior}
    for (name, band), colour in zip(bands.items(), (GREY, ORANGE, BLUE), strict=True):
        if band:
            words = say.inline(say.estimate(band.middle, band.low, band.high, kpi.unit))
            segments = [(band.low, band.high, colour)]
            rows.append(Row(say(f"column_{name}"), words, segments, point=band.middle))
    title = say("measured_title", kpi=kpi.name, status=say(f"status_{target.status}"))
    more = {"base": kpi.baseline, "percent": kpi.unit == "share", "width": HALF}
    return _figure("measured", title, rows, say.unit(kpi.unit), say, **more)


def _title(say: CaseVoice, title: str) -> str:
    return say("not_valid", title=title) if say.result.broken else title


def _of_money(
    name: str,
    title: str,
    rows: Sequence[Row],
    say: CaseVoice,
    points: Sequence[str] = (),
    base: float = 0.0,
    **more: Any,
) -> Figure:
    """Return a figure of money, in the document's unit."""
    unit = say.scale.unit
    scaled = [
        replace(
            row,
            segments=[(low / unit, high / unit, colour) for low, high, colour in row.segments],
            point=None if row.point is None else row.point / unit,
        )
        for row in rows
    ]
    axis = say(f"axis_{unit:.0f}", currency=say.currency)
    return _figure(name, title, scaled, axis, say, points, base=base / unit, **more)


def _figure(
    name: str,
    title: str,
    rows: Sequence[Row],
    axis: str,
    say: CaseVoice,
    points: Sequence[str] = (),
    caption: str = "",
    **more: Any,
) -> Figure:
    title = _title(say, title)
    points = points or [say("pair", name=row.label, value=row.value) for row in rows]
    drawing = chart(title, rows, axis, say, **more)
    return Figure(drawing, " ".join([title, *points]), caption or say(f"caption_{name}"))
