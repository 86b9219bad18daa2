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
from opslab.report.figures import BLUE, GREEN, GREY, HALF, INK, ORANGE, RED, Figure, style, width_of, wrapped

_MOST = 5
_TITLE, _SMALL, _SIDE = 11.0, 9.0, 0.03
_YEAR = 12


def all_of(result: CaseResult, language: Language) -> dict[str, Figure]:
    """Return every figure by name."""
    say = Voice(result, language)
    made = {"fan": fan(result, say), "options": options(result, say)}
    if result.drivers:
        made["tornado"] = tornado(result, say)
    made["waterfall"] = waterfall(result, say)
    strips = [one for one in result.targets if one.measured is not None]
    return made | {f"measured_{one.kpi.id}": measured(one, result, say) for one in strips}


def fan(result: CaseResult, say: Voice) -> Figure:
    """Draw cumulative net cash by month: the middle eight tenths, the median, where it crosses zero."""
    best = result.recommended
    low, middle, high = zip(*best.fan, strict=True)
    months = range(len(middle))
    key = "businesscase.fan_title_never" if best.payback is None else "businesscase.fan_title"
    title = _title(result, say, say(key, months=len(middle) - 1, payback=round(best.payback or 0)))
    shown = wrapped(one_line(title), HALF - 2 * _SIDE, _TITLE, "bold")
    with style():
        height = 2.3 + 0.19 * shown.count("\n")
        drawing = Drawing(figsize=(HALF, height))
        drawing.text(_SIDE / HALF, 1 - 0.04 / height, shown, fontsize=_TITLE, weight="bold", va="top")
        ends = [say.money(one) for one in (high[-1], middle[-1], low[-1])]
        right = max(width_of(one, _SMALL) for one in ends) + 0.1
        axes = drawing.add_axes((0.0, 0.48 / height, 1.0, 1.47 / height))
        axes.fill_between(months, low, high, color=BLUE, alpha=0.22, linewidth=0)
        axes.plot(months, middle, color=BLUE, linewidth=2)
        _frame(axes, low, high, middle, say, right)
        axes.axhline(0, color=INK, linewidth=0.9)
        if best.payback is not None and best.payback <= months[-1]:
            axes.plot(
                [best.payback], [0], "o", markersize=7, color="white", markeredgecolor="black", zorder=5
            )
        label = one_line(say("businesscase.fan_axis", start=say.month(result.months[0])))
        axes.set_xlabel(wrapped(label, HALF - 2 * _SIDE, _SMALL, most=1), fontsize=_SMALL)
    lines = [
        say("businesscase.fan_point", month=month, low=say.money(low[month]), middle=say.money(middle[month]),
            high=say.money(high[month]))
        for month in sorted({*range(0, len(middle), _YEAR), len(middle) - 1})
    ]  # fmt: skip
    caption = say("businesscase.fan_caption", option=best.name, deepest=say.money(max(-min(middle), 0.0)))
    return Figure(drawing, " ".join([title, *lines]), caption)


def _frame(
    axes: Axes, low: Sequence[float], high: Sequence[float], middle: Sequence[float], say: Voice, right: float
) -> None:
    """Set the axes out: amounts as words inside, the ends of the three lines named at the right."""
    last = len(middle) - 1
    left = 0.04
    beyond = last * right / (HALF - right - left)
    bottom, top = min(0.0, *low), max(0.0, *high)
    room = 0.09 * (top - bottom or 1.0)
    axes.set(xlim=(-last * left / (HALF - right), last + beyond), ylim=(bottom - room, top + room), yticks=[])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xticks(range(0, last + 1, _YEAR if last > _YEAR else 3))
    axes.tick_params(axis="x", labelsize=_SMALL, length=3)
    places = _apart([low[-1], middle[-1], high[-1]], 0.085 * (top - bottom + 2 * room))
    for at, value, weight in zip(
        places, (low[-1], middle[-1], high[-1]), ("normal", "bold", "normal"), strict=True
    ):
        axes.text(
            last + 0.05 * beyond, at, f" {say.money(value)}", fontsize=_SMALL, va="center", weight=weight
        )
    for at in MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(bottom, top):
        if bottom <= at <= top and at:
            axes.axhline(at, color=GREY, linewidth=0.4, zorder=0, xmax=1 - right / HALF)
            axes.text(0, at, say.money(at), fontsize=8, va="bottom", color=INK, alpha=0.8)
    axes.text(0, 0, say.money(0.0), fontsize=8, va="bottom", alpha=0.8)


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Return rising places moved up so far that their words do not touch."""
    made = [places[0]]
    for place in places[1:]:
        made.append(max(place, made[-1] + least))
    return made


def options(result: CaseResult, say: Voice) -> Figure:
    """Draw the NPV of every option with its middle eight tenths, doing nothing at zero."""
    rows = []
    for one in result.options:
        colour = BLUE if one.kind == "recommended" else GREY
        rows.append(
            Row(one.name, say.money(one.npv.p50), [(one.npv.p10, one.npv.p90, colour)], point=one.npv.p50)
        )
    best = max(result.options, key=lambda one: one.npv.p50)
    title = say("businesscase.options_title", option=best.name)
    told = [
        say(
            "businesscase.options_point",
            option=one.name,
            npv=say.money(one.npv.p50),
            span=say.middle(one.npv),
        )
        for one in result.options
    ]
    return _figure("options", title, rows, result, say, told, width=HALF)


def tornado(result: CaseResult, say: Voice) -> Figure:
    """Draw how far each quantity moves the NPV, the widest first, with the value at which it is nothing."""
    rows, told = [], []
    for one in result.drivers[:_MOST]:
        unit = say.unit_of(one.id)
        span = value = say.range(*map(say.money, one.npv))
        if one.switching is not None:
            value = say("businesscase.tornado_switch", value=say.quantities([one.switching], unit)[0])
        parts = [(one.npv[0], result.base, ORANGE), (result.base, one.npv[1], BLUE)]
        rows.append(Row(say.label(one.id), value, parts))
        reach = " · ".join(dict.fromkeys((span, value)))
        told.append(
            say("businesscase.tornado_point", name=say.label(one.id), at=say.between(one.at, unit), npv=reach)
        )
    title = say("businesscase.tornado_title", name=rows[0].label)
    low = say(
        "businesscase.all_low", low=say.money(result.all_low), p10=say.money(result.recommended.npv.p10)
    )
    caption = f"{say('businesscase.caption_tornado')} {low}"
    return _figure("tornado", title, rows, result, say, told, base=result.base, caption=caption)


def waterfall(result: CaseResult, say: Voice) -> Figure:
    """Draw the way from what the gains could be to what is left: means, which add up."""
    rows, level = [], 0.0
    for name, value in result.waterfall:
        whole = name in ("gross", "benefits", "net")
        start, end = (0.0, value) if whole else (level, level + value)
        level = end
        colour = GREY if not whole else RED if value < 0 else GREEN if name == "net" else BLUE
        rows.append(
            Row(say(f"businesscase.step_{name}"), say.money(value, signed=not whole), [(start, end, colour)])
        )
    steps = dict(result.waterfall)
    share = steps["net"] / steps["gross"] if steps["gross"] else 0.0
    title = say(
        "businesscase.waterfall_title" if share > 0 else "businesscase.waterfall_title_none", share=share
    )
    told = [say("businesscase.pair", name=row.label, value=row.value) for row in rows]
    return _figure("waterfall", title, rows, result, say, told)


def measured(one: Target, result: CaseResult, say: Voice) -> Figure:
    """Draw what was promised of a target, what was measured, and both together, on one axis."""
    rows, unit = [], one.kpi.unit
    for name, ends, colour in (
        ("promised", one.promised, GREY),
        ("measured", one.measured, ORANGE),
        ("together", one.posterior, BLUE),
    ):
        if ends:
            low, value, high = say.told(ends, unit)
            words = say.spanned(value, low, high)
            rows.append(
                Row(say(f"businesscase.column_{name}"), words, [(ends[0], ends[2], colour)], point=ends[1])
            )
    title = say(
        "businesscase.measured_title", kpi=one.kpi.name, status=say(f"businesscase.status_{one.status}")
    )
    told = [say("businesscase.pair", name=row.label, value=row.value) for row in rows]
    base = one.kpi.baseline
    return _figure(
        "measured",
        title,
        rows,
        result,
        say,
        told,
        base=base,
        percent=unit == "share",
        axis=say.unit(unit),
        width=HALF,
    )


def _title(result: CaseResult, say: Voice, title: str) -> str:
    return say("businesscase.not_valid", title=title) if result.action == "stop" else title


def _figure(
    name: str,
    title: str,
    rows: Sequence[Row],
    result: CaseResult,
    say: Voice,
    told: Sequence[str],
    *,
    axis: str = "",
    base: float = 0.0,
    caption: str = "",
    **more: Any,
) -> Figure:
    title = _title(result, say, title)
    label = axis or say(f"businesscase.axis_{say.step:.0f}", currency=result.case.finance.currency)
    drawing = bars(
        title,
        rows if axis else [_scaled(row, say.step) for row in rows],
        label,
        say.language,
        base=base if axis else base / say.step,
        **more,
    )
    return Figure(drawing, " ".join([title, *told]), caption or say(f"businesscase.caption_{name}"))


def _scaled(row: Row, step: float) -> Row:
    """Return a row on an axis of thousands or millions."""
    parts = [(start / step, end / step, colour) for start, end, colour in row.segments]
    return Row(row.label, row.value, parts, None if row.point is None else row.point / step)
