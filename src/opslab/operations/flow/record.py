"""The record of a flow: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.operations.flow.lifecycles import elapsed
from opslab.operations.flow.result import FlowResult
from opslab.operations.flow.stages import calendar_days
from opslab.uncertainty.proportions import spread

KEYS = ("stage",)
"""Columns of the frame that name a row."""
MAIN = ("share", "share_low", "share_high", "percent")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_MOST = 500  # rows of a kind; the workbook has them all
_FIGURES = (
    "draws seed action total finished cancelled started_open not_started percentiles shares "
    "efficiency bottleneck little rework reopened defects limit since forecast"
)
_TABLES = "rules stages weeks ageing segments"
_OUTCOMES = ("open", "done", "cancelled")


def record(result: FlowResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null.

    An interval by itself is three numbers: value, low, high.
    """
    history = result.history
    tables = {name: rows[:_MOST] for name, rows in sheets(result).items()}
    figures = {name: getattr(result, name) for name in _FIGURES.split()}
    return {
        **to_jsonable_python(figures | tables),
        "schema": "opslab.flow/1",
        "inputs": result.flow.inputs(),
        "plan": result.flow.model_dump(mode="json"),
        "lacks": history.lacks,
        "imports": [reading.record() for reading in history.readings],
    }


def rows(result: FlowResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the statuses as rows; all their columns are those that one works with."""
    del full
    return sheets(result).get("stages", [])


def sheets(result: FlowResult) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the page as rows, in full."""
    tables = {
        name: [spread(row._asdict()) for row in getattr(result, name)] for name in _TABLES.split()
    }
    return {name: rows for name, rows in tables.items() if rows}


def tickets(result: FlowResult) -> pd.DataFrame:
    """Return a row for each ticket: its segments, start and end (UTC), outcome and days."""
    history, flow, lives = result.history, result.flow, result.lifecycles
    days, *_ = elapsed(lives, history.end, flow.calendar)
    started, ended = (pd.to_datetime(at, unit="D").round("s") for at in lives[:2])
    return pd.DataFrame(
        {
            "key": history.keys,
            **{name: history.attributes[name] for name in flow.segments},
            "started": started,
            "ended": ended,
            "outcome": np.take(_OUTCOMES, lives.outcome),
            "days": days,
        }
    )


def evidence(result: FlowResult) -> list[Evidence]:
    """Return the days from start to done, and of them those of waiting: elapsed, nobody's hours."""
    flow, history, lives = result.flow, result.history, result.lifecycles
    known = calendar_days(history, lives, flow, result.draws, result.seed)
    return [
        Evidence(
            f"{flow.slug}/{name}",
            "descriptive",
            (f"flow.evidence_{name[:4]}", {"flow": flow.shown_title}),
            Quantity.normal(value, low, high),
            Bilingual("calendar day", french="jour calendaire"),
            "unit",
            history.period,
            flow.shown_title,
            f"elapsed:{flow.slug}/{name}",
            "quality",
            "D",
            result.sources,
            date=result.as_of,
            owner=flow.owner,
        )
        for name, (value, low, high) in known.items()
        if value is not None and low is not None and high is not None and low < high
    ]
