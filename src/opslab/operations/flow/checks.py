"""Whether a flow can be told from its export: what is missing, assumed, mended, too old or few."""

from __future__ import annotations

from typing import Any

import numpy as np

from opslab.messages import Bilingual, text
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
_CONDITIONS = ("assumed_stages", "filtered", "fresh", "row_cap", "reopened")


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
    fails = {
        "few": values["count"] < FEWEST,
        "forecast_record": (high or 1) < PROMISED,
        "unstarted": unstarted > AGAIN * result.finished,
        **{name: rows[name] > share * result.total for name, share in FLAGS.items()},
        **dict.fromkeys(_CONDITIONS, True),
    }
    worded = {
        **dict.fromkeys((*FLAGS, "unstarted"), "rows"),
        "filtered": history.filtered,
        "few": "" if result.finished else "nothing",
        "forecast_record": "late" if (low or 0) > PROMISED else "",
    }
    accepted = {str(name): reason for name, reason in result.flow.accept.items()}
    checked = []
    for name, finding in _findings(result, values).items():
        wrong: Status = "fail" if finding and fails.get(name) else "warn"
        status: Status = wrong if finding or finding is None else "pass"
        word = "none" if finding is None else (finding and worded.get(name)) or status
        detail = Message(f"flow.{name}_{word}", values | {"found": finding, "rows": rows.get(name)})
        reason = accepted.get(name, "")
        checked.append(Check(name, status, detail, None, name == "few", reason))
    return tuple(checked)


def _findings(result: FlowResult, values: dict[str, Any]) -> dict[str, Any]:
    """Return what each check has to tell; None where there is nothing to tell it from."""
    history, ahead, little = result.history, result.forecast, result.little
    staged, again = "stages" not in history.lacks, result.reopened.value
    keys = [f"flow.lacks_{lack}" for lack in history.lacks]
    older, (_, low, high) = int((history.created < history.start).sum()), ahead.rate
    off = (high or 1) < PROMISED or (low or 0) > PROMISED or ahead.origins < ORIGINS
    flags = {name: [*history.flags.get(name, ())] for name in FLAGS}
    return {
        "few": values["count"] <= FEW,
        "shape": [Bilingual(text(key), french=text(key, "fr")) for key in keys],
        "assumed_stages": [*history.assumed],
        "filtered": history.filtered,
        "fresh": values["days"] > STALE,
        "row_cap": [known.rows for known in history.readings if known.rows in CAPS],
        "unstarted": values["unstarted"],
        **flags,
        "unchanged": flags["unchanged"] if staged else None,
        "late_entry": None if "created" in history.lacks else older,
        "reopened": None if again is None else again > AGAIN,
        "littles_law": None if history.filtered == "done_only" else little and not little.holds,
        "forecast_record": off if ahead.origins else None,
    }
