"""The figures of an estimate of time saved."""

from __future__ import annotations

from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREEN, GREY, ORANGE, Figure
from opslab.report.voice import Voice
from opslab.timesaved.inventory import AMOUNTS
from opslab.timesaved.result import TimeSavedResult
from opslab.timesaved.sentences import hours, quantity
from opslab.uncertainty.distributions import quantile

_MOST = 6


def figures(result: TimeSavedResult, say: Voice) -> dict[str, Figure]:
    """Return every figure by name."""
    drawn = {"waterfall": waterfall(result, say)}
    if result.drivers:
        drawn["tornado"] = tornado(result, say)
    for field in ("minutes", "reduction"):
        if any(update.name.startswith(field) for update in result.updates):
            drawn[f"measured_{field}"] = measured(result, field, say)
    return drawn


def waterfall(result: TimeSavedResult, say: Voice) -> Figure:
    """Draw the way from what the changes could free to what is put to work, in means."""
    step = {name: summary.mean for name, summary in result.of("step").items()}
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
        error = result.freed.mean_error
        value = hours(high if whole else low - high, error, say, signed=not whole)
        colour = GREEN if name == "recaptured" else BLUE if whole else GREY
        rows.append(Row(say(f"step_{name}"), value, [(low, high, colour)]))
    title = say("waterfall_title", share=step["recaptured"] / (step["possible"] or 1.0))
    return say.chart("waterfall", title, rows, say("axis_hours"))


def tornado(result: TimeSavedResult, say: Voice) -> Figure:
    """Draw how far each quantity moves the hours, the widest first."""
    rows = []
    for driver in result.drivers[:_MOST]:
        low, high = (hours(end, result.freed.mean_error, say) for end in (driver.low, driver.high))
        parts = [(driver.low, result.base, ORANGE), (result.base, driver.high, BLUE)]
        rows.append(Row(quantity(driver.name, say), say.range(low, high), parts))
    title = say("tornado_title", name=rows[0].label)
    return say.chart("tornado", title, rows, say("axis_hours"), base=result.base)


def measured(result: TimeSavedResult, field: str, say: Voice) -> Figure:
    """Draw what was expected, measured and used of each quantity of one kind, on one axis."""
    share, rows = field not in AMOUNTS, []
    updates = [update for update in result.updates if update.name.startswith(field)]
    for update in updates:
        name = say.spoken(update.name).partition("/")[2].replace("/", ", ")
        for kind, colour in (("prior", GREY), ("data", ORANGE), ("posterior", BLUE)):
            low, middle, high = ends = [
                quantile(getattr(update, kind), point) for point in (0.05, 0.5, 0.95)
            ]
            shown = [say.percent(end, 0) if share else say.decimal(end, 1) for end in ends]
            value = say("measured_value", low=shown[0], middle=shown[1], high=shown[2])
            label = say(f"measured_{kind}", name=name)
            rows.append(Row(label, value, [(low, high, colour)], point=middle))
    torn = [quantity(update.name, say) for update in updates if update.used != "both"]
    weight = min(update.measured_share for update in updates)
    title = say("measured_torn" if torn else "measured_title", share=weight, names=torn)
    return say.chart("measured", title, rows, say(f"axis_{field}"), percent=share)
