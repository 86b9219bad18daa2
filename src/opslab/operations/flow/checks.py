"""Whether a flow can be told from its export: what is missing, assumed, mended, too old or few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opslab.messages import text_of_both
from opslab.operations.flow.lifecycles import DONE
from opslab.operations.flow.result import FlowResult
from opslab.results import Check, Message, Status

FLAGS = {
    **dict.fromkeys(("unmatched", "unchanged", "disagree", "skipped", "undated"), 0.05),
    **dict.fromkeys(("resolved_open", "closed_early", "far"), 0.05),
    **dict.fromkeys(("epics", "clock", "same_instant", "repeated", "loops", "later"), np.inf),
}
"""Reasons for which rows are doubted, mended or left out: above which share of tickets it fails."""
CAPS = (1_000, 5_000, 10_000)
"""Rows at which tools stop an export."""
FEWEST, FEW, ORIGINS, STALE = 5, 20, 30, 14
"""Finished tickets for any number, and for firm ones; earlier forecasts; days behind the day."""
AGAIN, PROMISED = 0.1, 0.85
"""Of done tickets, so many reopened, or without a start, are too many; forecasts are to hold."""


def run(result: FlowResult) -> tuple[Check, ...]:
    """Return the checks, the blocking first: none passes because there is nothing to see."""
    history, ahead, lives = result.history, result.forecast, result.lifecycles
    day, (_, low, high) = result.as_of, ahead.rate
    unstarted = int(np.isnan(lives.started)[lives.outcome == DONE].sum())
    values: dict[str, Any] = {
        "count": result.finished - unstarted,
        "finished": result.finished,
        "unstarted": unstarted,
        "share": result.reopened.value,
        "days": (day - history.period[1]).days if day else 0,
        "complete": np.datetime64(int(np.nan_to_num(history.complete_from)), "D").item(),
        "origins": ahead.origins,
        "hits": ahead.hits,
        "low": low,
        "high": high and min(high, 0.99),  # no share is told as all
    }
    rows = {name: len(history.flags.get(name, ())) for name in FLAGS}
    rows["undated"] = max(rows["undated"], sum(known.rejected for known in history.readings))
    checked = []
    for name, finding, fails, worded in _findings(result, values, rows):
        wrong: Status = "fail" if finding and fails else "warn"
        status: Status = wrong if finding or finding is None else "pass"
        word = "none" if finding is None else (finding and worded) or status
        detail = Message(f"flow.{name}_{word}", values | {"found": finding, "rows": rows.get(name)})
        accepted = result.flow.accept.get(name, "")
        checked.append(Check(name, status, detail, None, name == "few", accepted))
    return tuple(checked)


def _findings(
    result: FlowResult, values: dict[str, Any], rows: dict[str, int]
) -> Iterator[tuple[Any, Any, bool, str]]:
    """Give the name of each check, what it found, whether that fails, and its word if it has one.

    None is found where there is nothing to tell it from.
    """
    history, ahead, little = result.history, result.forecast, result.little
    again = result.reopened.value
    low, high = ahead.rate.low or 0, ahead.rate.high or 1
    yield "few", values["count"] <= FEW, values["count"] < FEWEST, "nothing" * (not result.finished)
    yield "shape", [text_of_both(f"flow.lacks_{lack}") for lack in history.lacks], False, ""
    yield "assumed_stages", [*history.assumed], True, ""
    yield "filtered", history.filtered, True, history.filtered
    yield "fresh", values["days"] > STALE, True, ""
    yield "row_cap", [known.rows for known in history.readings if known.rows in CAPS], True, ""
    unstarted = values["unstarted"]
    yield "unstarted", unstarted, unstarted > AGAIN * result.finished, "rows"
    for name, share in FLAGS.items():
        untold = name == "unchanged" and "stages" in history.lacks
        finding = None if untold else [*history.flags.get(name, ())]
        yield name, finding, rows[name] > share * result.total, "rows"
    older = int((history.created < history.start).sum())
    yield "late_entry", None if "created" in history.lacks else older, False, ""
    yield "reopened", None if again is None else again > AGAIN, True, ""
    unequal = None if history.filtered == "done_only" else little and not little.holds
    yield "littles_law", unequal, False, ""
    off = high < PROMISED or low > PROMISED or ahead.origins < ORIGINS
    word = "late" * (low > PROMISED)
    yield "forecast_record", off if ahead.origins else None, high < PROMISED, word
