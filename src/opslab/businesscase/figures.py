"""The figures of a business case."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from opslab.businesscase.options import Band
from opslab.businesscase.result import CaseResult
from opslab.businesscase.voice import CaseVoice
from opslab.report.drawing import Row
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

_MOST, _YEAR = 3, 12


def figures(result: CaseResult, say: CaseVoice) -> dict[str, Figure]:
    """Return every figure by name."""
    there = {tornado: result.drivers, risks: result.risks}
    drawn = [fan, options, waterfall, *(draw for draw in there if there[draw])]
    return {draw.__name__: draw(result, say) for draw in drawn}


def fan(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw cumulative net cash by month: eight tenths, the mean, where it crosses zero."""
    best, start = result.recommended, result.months[0]
    low, middle, high = zip(*best.fan, strict=True)
    last, months = len(middle) - 1, range(len(middle))
    key = "fan_title_never" if best.payback is None else "fan_title"
    title = _title(say(key, payback=round(best.payback or 0)), say)
    with style():
        drawing, axes = framed(title, 1.12, width=HALF, below=0.42)
        axes.fill_between(months, low, high, color=BLUE, alpha=0.22, linewidth=0)
        axes.plot(months, middle, color=BLUE, linewidth=2)
        _name_amounts(axes, best.fan, say)
        if best.payback is not None:
            axes.plot([best.payback], [0], "o", ms=7, color="white", mec="black", zorder=5)
        name_axis(axes, say("fan_axis", start=f"{start.month:02}/{start.year}"), HALF)
    points = []
    for month in sorted({*range(0, last, _YEAR), last}):
        shown = {name: say.money(value) for name, value in best.fan[month]._asdict().items()}
        points.append(say("fan_point", month=month, **shown))
    pays = (best.roi_hard or 0.0) > 0
    return Figure(
        drawing,
        " ".join([title, *points]),
        say("fan_caption", cashable=say("cashable_pays" if pays else "cashable_short")),
    )


def _name_amounts(axes: Axes, bands: Sequence[Band], say: CaseVoice) -> None:
    """Write amounts inside, above thin lines, and those of the three lines at their ends."""
    ends, last = bands[-1], len(bands) - 1
    right = max(width_of(say.money(end), SMALL) for end in ends) + 0.1
    inch = last / (HALF - right)
    bottom, top = min(0.0, *(band.low for band in bands)), max(0.0, *(band.high for band in bands))
    room = 0.09 * (top - bottom or 1.0)
    axes.set(xlim=(0, last + right * inch), ylim=(bottom - room, top + room), yticks=[])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xticks(range(0, last + 1, _YEAR if last > _YEAR else 3))
    above = -float("inf")
    for end in ends:
        above = max(end, above + room)  # names that do not touch
        weight = "bold" if end == ends.middle else "normal"
        axes.text(last + 0.05 * inch, above, say.money(end), size=SMALL, weight=weight, va="center")
    for amount in MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(bottom, top):
        if bottom <= amount <= top:
            axes.hlines(
                amount, 0, last, GREY if amount else INK, lw=0.4 if amount else 0.9, zorder=1
            )
            axes.text(0, amount + room / 5, say.money(amount), size=SMALL, va="bottom")


def options(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw the NPV of every option with its middle eight tenths, doing nothing at zero."""
    rows = []
    for option in result.options:
        npv = option.npv.scaled(1 / say.scale.unit)
        colour = BLUE if option.kind == "recommended" else GREY
        value = say.money(option.npv.mean)
        segments = [(npv.p10, npv.p90, colour)]
        rows.append(Row(say.spoken(option.name), value, segments, point=npv.mean))
    best = max(result.options, key=lambda option: option.npv.mean)
    points = [say("options_point", option=one.name, npv=one.npv) for one in result.options]
    points.append(say("pair", name=result.nothing.name, value=say.money(0.0)))
    gains = say.money(best.npv.mean) != say.money(0.0) and best.npv.mean > 0
    title = say("options_title" if gains else "options_title_none", option=best.name)
    return say.chart("options", _title(title, say), rows, say.axis, points, width=HALF)


def tornado(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw how far each quantity moves the NPV, with the value at which it is nothing."""
    rows, points, base = [], [], result.base / say.scale.unit
    for driver in result.drivers[:_MOST]:
        unit, name = say.unit_of(driver.id), say.label(driver.id)
        span = value = say.range(*map(say.money, driver.npv))
        if driver.switching is not None:
            turn = say.quantities([driver.switching], unit, bare=True)[0]
            value = say("tornado_switch", value=turn)
        low, high = (end / say.scale.unit for end in driver.npv)
        rows.append(Row(name, value, [(low, base, ORANGE), (base, high, BLUE)]))
        reach = " · ".join(dict.fromkeys((span, value)))
        points.append(say("tornado_point", name=name, at=say.between(*driver.at, unit), npv=reach))
    title = say("tornado_title", share=result.drivers[0].share)
    return say.chart("tornado", _title(title, say), rows, say.axis, points, base=base)


def waterfall(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw the way from what the gains could be to what is left: means, which add up."""
    rows, level, steps = [], 0.0, dict(result.waterfall)
    for name, value in result.waterfall:
        whole = name in ("gross", "benefits", "net")
        start, level = 0.0 if whole else level, value if whole else level + value
        colour = GREY if not whole else RED if value < 0 else GREEN if name == "net" else BLUE
        segment = (start / say.scale.unit, level / say.scale.unit, colour)
        rows.append(Row(say(f"step_{name}"), say.money(value, signed=not whole), [segment]))
    share = steps["net"] / steps["gross"] if steps["gross"] else 0.0
    title = say("waterfall_title" if share > 0 else "waterfall_title_none", share=share)
    return say.chart("waterfall", _title(title, say), rows, say.axis, width=HALF)


def risks(result: CaseResult, say: CaseVoice) -> Figure:
    """Draw what each risk that is simulated costs if it comes, and how likely that is."""
    rows, points = [], []
    for risk in result.risks:
        cost, likely = risk.cost.scaled(1 / say.scale.unit), say.percent(risk.likelihood, 0)
        words = {"risk": risk.risk, "likely": likely, "present": say.money(risk.present)}
        value, segments = say("risks_value", **words), [(cost.p10, cost.p90, ORANGE)]
        rows.append(Row(say.spoken(risk.risk), value, segments, point=cost.mean))
        points.append(say("risks_point", cost=risk.cost, **words))
    total = say.money(sum(risk.present for risk in result.risks))
    title = say("risks_title", total=total)
    return say.chart("risks", _title(title, say), rows, say.axis, points, width=HALF)


def _title(title: str, say: CaseVoice) -> str:
    return say("not_valid", title=title) if say.result.broken else title
