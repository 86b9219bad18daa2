"""The sentences of an estimate, and how its hours are rounded."""

from __future__ import annotations

from opslab.report.voice import Voice
from opslab.timesaved.result import TimeSavedResult
from opslab.uncertainty.draws import Summary

LEVEL = 0.9
_UNITS = [factor * 10.0**power for power in range(16) for factor in (1, 5)]


def hours(value: float, error: float, say: Voice, *, signed: bool = False) -> str:
    """Return hours, rounded to what their Monte Carlo error leaves standing."""
    unit = next(unit for unit in _UNITS if unit >= 4 * error)
    show = say.signed_decimal if signed else say.decimal
    return show(round(value / unit) * unit, 0)


def mean(summary: Summary, say: Voice) -> str:
    """Return the mean of a sum."""
    return hours(summary.mean, summary.mean_error, say)


def span(summary: Summary, say: Voice) -> str:
    """Return the middle 90 % of a sum."""
    return say.range(*(hours(end, summary.end_error, say) for end in (summary.low, summary.high)))


def quantity(name: str, say: Voice) -> str:
    """Return what a stream of scores is called."""
    field, _, what = say.spoken(name).partition("/")
    return say(f"quantity_{field}", what=what.replace("/", ", "))


def headline(result: TimeSavedResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return say("headline_stop", **result.check("capacity").detail.values)
    return say(
        "headline",
        hours=mean(result.freed, say),
        span=span(result.freed, say),
        level=LEVEL,
        months=result.inventory.horizon_months,
        share=max(result.freed.mean, 0.0) / (result.gross or 1.0),
    )
