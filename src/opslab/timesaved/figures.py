"""The figures of an estimate of time saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opslab.messages import Language, numbers, text
from opslab.report.bars import Row, bars
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, Figure
from opslab.timesaved.inventory import AMOUNTS
from opslab.timesaved.presentation import hours, quantity
from opslab.timesaved.result import TimeSavedResult
from opslab.uncertainty.distributions import quantile

_MOST = 6


def all_of(result: TimeSavedResult, language: Language) -> dict[str, Figure]:
    """Return every figure by name."""
    made = {"waterfall": waterfall(result, language)}
    if result.drivers:
        made["tornado"] = tornado(result, language)
    for field in ("minutes", "reduction"):
        if any(one.name.startswith(field) for one in result.updates):
            made[f"measured_{field}"] = measured(result, field, language)
    return made


def waterfall(result: TimeSavedResult, language: Language) -> Figure:
    """Draw the way from what the changes could free to what is put to work, in means: they add up."""
    step = {name: one.mean for name, one in result.of("step").items()}
    falls = (
        ("possible", 0.0, step["possible"]),
        ("not_adopted", step["adopted"], step["possible"]),
        ("decayed", step["kept"], step["adopted"]),
        ("new_work", step["freed"], step["kept"]),
        ("freed", 0.0, step["freed"]),
        ("not_recaptured", step["recaptured"], step["freed"]),
        ("recaptured", 0.0, step["recaptured"]),
    )
    rows = []
    for name, low, high in falls:
        whole = name in step and name != "new_work"
        value = hours(
            high if whole else low - high, result.freed.mean_error, language, signed=not whole
        )
        colour = GREEN if name == "recaptured" else BLUE if whole else GREY
        rows.append(Row(text(f"timesaved.step_{name}", language), value, [(low, high, colour)]))
    title = text(
        "timesaved.waterfall_title", language, share=step["recaptured"] / (step["possible"] or 1.0)
    )
    return _figure("waterfall", title, rows, "hours", language)


def tornado(result: TimeSavedResult, language: Language) -> Figure:
    """Draw how far each quantity moves the hours, the widest first."""
    rows = []
    for one in result.drivers[:_MOST]:
        low, high = (hours(end, result.freed.mean_error, language) for end in (one.low, one.high))
        parts = [(one.low, result.base, ORANGE), (result.base, one.high, BLUE)]
        value = text("words.range", language, low=low, high=high)
        rows.append(Row(quantity(one.name, language), value, parts))
    title = text("timesaved.tornado_title", language, name=rows[0].label)
    return _figure("tornado", title, rows, "hours", language, base=result.base)


def measured(result: TimeSavedResult, field: str, language: Language) -> Figure:
    """Draw what was expected, measured and used of each quantity of one kind, on one axis."""
    share, rows = field not in AMOUNTS, []
    updates = [one for one in result.updates if one.name.startswith(field)]
    for one in updates:
        name = one.name.partition("/")[2].replace("/", ", ")
        for kind, colour in (("prior", GREY), ("data", ORANGE), ("posterior", BLUE)):
            low, middle, high = ends = [
                quantile(getattr(one, kind), point) for point in (0.05, 0.5, 0.95)
            ]
            show = numbers.percent if share else numbers.decimal
            shown = [show(end, 0 if share else 1, language=language) for end in ends]
            value = text(
                "timesaved.measured_value", language, low=shown[0], middle=shown[1], high=shown[2]
            )
            label = text(f"timesaved.measured_{kind}", language, name=name)
            rows.append(Row(label, value, [(low, high, colour)], point=middle))
    torn = [quantity(one.name, language) for one in updates if one.used != "both"]
    key = "timesaved.measured_torn" if torn else "timesaved.measured_title"
    title = text(key, language, share=min(one.measured_share for one in updates), names=torn)
    return _figure("measured", title, rows, field, language, percent=share)


def _figure(
    name: str, title: str, rows: Sequence[Row], axis: str, language: Language, **more: Any
) -> Figure:
    label = text(f"timesaved.axis_{axis}", language)
    drawing = bars(title, rows, label, language, **more)
    said = [text("timesaved.pair", language, name=row.label, value=row.value) for row in rows]
    return Figure(drawing, " ".join([title, *said]), text(f"timesaved.caption_{name}", language))
