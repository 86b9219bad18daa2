"""The record of a digest: what ``result.json`` holds."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence
from opslab.messages import text
from opslab.operations.digest.result import DigestResult, News
from opslab.uncertainty.proportions import spread

KEYS = ("finding",)
"""Column of the frame that names a row."""
MAIN = ("figure", "figure_low", "figure_high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""


def record(result: DigestResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    window = result.window
    items = [item._asdict() | {"words": item.words.record()} for item in result.news]
    lists = {name: [*getattr(result, name)] for name in ("quiet", "stopped", "unread")}
    own = {name: getattr(window, name) for name in ("since", "until", "altered", "failed")}
    cites = {run: None for item in result.news for run in (item.run, item.before)}
    return {
        "schema": "opslab.digest/1",
        "inputs": result.digest.inputs(*window.files()),
        "action": result.action,
        "cites": [run for run in cites if run in result.at_hand],
        "aside": dict(result.aside),
        "seen": [*window.seen],
        **to_jsonable_python({**own, **lists, "seen_since": window.first, "news": items}),
    }


def rows(result: DigestResult, *, full: bool) -> list[dict[str, Any]]:
    """Return what is told as rows: what one works with, or every column there is."""
    return [_row(item, result, full=full) for item in result.news]


def _row(item: News, result: DigestResult, *, full: bool) -> dict[str, Any]:
    notebook, readout, day = item.run.split("/") if item.run else ("", "", "")
    return {
        "section": text(f"digest.{item.section}", result.language),
        "finding": result.room("presentation").line(item, result, result.voice()),
        "readout": readout,
        "as_of": day[:10],
        **spread({"figure": item.now, "change_since": item.change}),
        **(spread({"before": item.then}) if full else {}),
        "unit": item.unit,
        "run": item.run,
        **({"notebook": notebook, "before_run": item.before, "by": item.by} if full else {}),
    }


def evidence(result: DigestResult) -> list[Evidence]:
    """Return nothing: a digest tells what others found."""
    del result
    return []
