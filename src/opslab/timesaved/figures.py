"""The figures of an estimate of time saved."""

from __future__ import annotations

from opslab.messages import Language, numbers, text
from opslab.report.bars import Row, bars
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, Figure
from opslab.timesaved import presentation as words
from opslab.timesaved.result import TimeSavedResult

_MOST = 8


def waterfall(result: TimeSavedResult, language: Language) -> Figure:
    """Draw the way from what a change could free to what is put to work; means, so that the steps add up."""
    steps = result.steps
    falls = {
        "possible": (0.0, steps["possible"]),
        "not_adopted": (steps["adopted"], steps["possible"]),
        "decayed": (steps["kept"], steps["adopted"]),
        "new_work": (steps["freed"], steps["kept"]),
        "freed": (0.0, steps["freed"]),
        "not_recaptured": (steps["recaptured"], steps["freed"]),
        "recaptured": (0.0, steps["recaptured"]),
    }
    rows, said = [], []
    for name, (low, high) in falls.items():
        whole = name in ("possible", "freed", "recaptured")
        label = text(f"timesaved.step_{name}", language)
        value = words.hours(high if whole else low - high, result.freed.mean_error, language, signed=not whole)
        rows.append(Row(label, value, [(low, high, GREEN if name == "recaptured" else BLUE if whole else GREY)]))
        said.append(text("timesaved.pair", language, name=label, value=value))
    title = text("timesaved.waterfall_title", language, share=steps["recaptured"] / (steps["possible"] or 1.0))
    drawing = bars(title, rows, text("timesaved.axis_hours", language), language)
    return Figure(drawing, alt=" ".join([f"{title}.", *said]), caption=text("timesaved.waterfall_caption", language))


def tornado(result: TimeSavedResult, language: Language) -> Figure:
    """Draw how far each quantity moves the hours, the widest first."""
    rows, said = [], []
    for one in result.drivers[:_MOST]:
        label, ends = words.quantity(one.name, language), (one.low, one.high)
        value = text("words.range", language, **{
            name: words.hours(end, result.freed.mean_error, language) for name, end in zip(("low", "high"), ends, strict=True)
        })  # fmt: skip
        rows.append(Row(label, value, [(one.low, result.base, ORANGE), (result.base, one.high, BLUE)]))
        said.append(text("timesaved.pair", language, name=label, value=value))
    title = text("timesaved.tornado_title", language, name=rows[0].label)
    drawing = bars(title, rows, text("timesaved.axis_hours", language), language, base=result.base)
    return Figure(drawing, alt=" ".join([f"{title}.", *said]), caption=text("timesaved.tornado_caption", language))


def updates(result: TimeSavedResult, language: Language) -> dict[str, Figure]:
    """Draw prior, data and posterior of each quantity that was measured, on one axis."""
    made = {}
    for one in result.updates:
        share = one.field == "reduction"
        show = numbers.percent if share else numbers.decimal
        rows, said = [], []
        for name, colour in (("prior", GREY), ("data", ORANGE), ("posterior", BLUE)):
            three = getattr(one, name)
            low, middle, high = (show(value, 0 if share else 1, language=language) for value in three)
            label = text(f"timesaved.update_{name}", language)
            value = f"{middle} ({text('words.range', language, low=low, high=high)})"
            rows.append(Row(label, value, [(three[0], three[2], colour)], point=three[1]))
            said.append(text("timesaved.pair", language, name=label, value=value))
        title = text(f"timesaved.update_title_{one.used}", language, name=words.quantity(one.name, language), share=one.measured_share)
        axis = text(f"timesaved.axis_{one.field}", language)
        drawing = bars(title, rows, axis, language, base=rows[0].segments[0][0] if not share else 0.0, percent=share)
        made[one.name] = Figure(drawing, alt=" ".join([f"{title}.", *said]))
    return made


def all_of(result: TimeSavedResult, language: Language) -> dict[str, Figure]:
    """Return every figure by name."""
    made = {"waterfall": waterfall(result, language)}
    if result.drivers:
        made["tornado"] = tornado(result, language)
    return made | updates(result, language)
