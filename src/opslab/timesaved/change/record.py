"""The record of a review of a change: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic_core import to_jsonable_python

from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.names import folded
from opslab.timesaved.change import design, differences
from opslab.timesaved.change.result import NOTHING, ChangeResult
from opslab.uncertainty.proportions import Interval, fields_of, spread

KEYS = ("team", "first_day")
"""Columns of the frame that name a row."""
MAIN = ("value", "number")
"""Column that tells a row beside another result's, and how it is written."""
_OWN = (
    "action design grade effect late relative teams averages steps verdicts powers two_way "
    "pre_trend not_estimable artefact series comparison belief per_year seed"
)


def record(result: ChangeResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null.

    An interval is three numbers: value, low, high. ``measurement`` is what an inventory of
    `time_saved` takes of it: the share that was saved of a task that is named; null of what is no
    work, or not known.
    """
    panel = result.panel
    return {
        "schema": "opslab.change/1",
        "inputs": result.review.inputs(),
        "imports": [reading.record() for reading in panel.readings],
        "plan": result.review.model_dump(mode="json"),
        "effort": panel.effort,
        "measurement": _measurement(result),
        **to_jsonable_python(
            {name: fields_of(getattr(result, name)) for name in _OWN.split()}
            | {"units": panel.units, "periods": panel.periods, "odd": panel.odd}
        ),
    }


def rows(result: ChangeResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each team and period: what came, and what would have come."""
    del full
    panel, outcome = result.panel, design.outcome(result.review, result.panel)
    cells = differences.impute(outcome, panel.starts).cells
    expected = panel.values / np.exp(cells) if result.relative else panel.values - cells
    columns = {
        "value": panel.values,
        "without_change": expected,
        "effect": panel.values - expected,
    }
    return [
        {
            "team": known.team,
            "first_day": day,
            "entries": int(panel.rows[team, at]),
            "started": known.start,
            "with_change": bool(at >= panel.starts[team]),
            "in_model": bool(np.isfinite(outcome[team, at])),
        }
        | {
            name: float(cell) if np.isfinite(cell := column[team, at]) else None
            for name, column in columns.items()
        }
        for team, known in enumerate(result.teams)
        for at, day in enumerate(panel.periods)
    ]


def sheets(result: ChangeResult) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the page as rows, in full."""
    return {
        name: [spread(row._asdict()) for row in parts]
        for name, parts in result.tables.items()
        if parts
    }


def _gain(result: ChangeResult, known: Interval) -> Interval:
    """Return a change with its interval, above 0 where it is what was wanted; None without both."""
    value, low, high = known
    if "lasting" in result.doubted or not result.grade:
        return NOTHING
    if value is None or low is None or high is None:
        return NOTHING
    wanted = result.review.measure.goal == "increase"
    return known if wanted else Interval(-value, -high, -low)


def _measurement(result: ChangeResult) -> dict[str, Any] | None:
    """Return the fields of what an inventory takes as measured; None where it can take nothing."""
    review, gain = result.review, _gain(result, result.effect)
    saves = review.task and result.relative and result.panel.effort
    if None in gain or not saves or review.measure.goal == "increase" or result.broken:
        return None
    drawn = result.design == "did" and review.pilot.chosen == "drawn"
    return {
        "task": review.task,
        "role": review.role,
        "initiative": review.initiative,
        "quantity": "reduction",
        "over": "everybody",
        **gain._asdict(),
        "basis": "randomised" if drawn else result.design,
        "grade": result.grade,
    }


def evidence(result: ChangeResult) -> list[Evidence]:
    """Return the share by which the measure got better, and hours of work a year.

    Compared with others, or with the series before, it is causal; before and after alone tell how
    things stand. Elapsed time, counts and shares are quality, never work. Hours bear the claim of
    the inventory's task, so that they count once, and are of its role
    where there is one. Of a level in another unit there are hours alone.
    """
    review, panel, measure = result.review, result.panel, result.review.measure
    treated = [known.team for known in result.measured]
    named = {"change": review.shown_title, "measure": measure.name, "teams": treated}
    task = f"{review.role or ''}/{review.task or review.slug}"
    own = (
        f"reduction:{task}"
        if review.task and panel.effort
        else f"change:{review.slug}/{folded(measure.name)}"
    )
    shares = result.effect if result.relative or measure.quantity == "share" else NOTHING
    name = "reduction" if measure.goal == "decrease" else "increase"
    hours = result.per_year if measure.goal == "decrease" else NOTHING
    return [
        Evidence(
            f"{review.slug}/{name}",
            "descriptive" if result.grade == "D" else "causal",
            (f"change.evidence_{name}", named),
            Quantity.normal(*(end for end in gain if end is not None)),
            "hours" if name == "hours" else "share",
            "year" if name == "hours" else "once",
            (panel.periods[0], result.as_of),
            (name == "hours" and review.role) or Bilingual.joined(", ", treated),
            claim,
            "capacity" if panel.effort else "quality",
            result.grade or "D",
            result.sources,
            date=result.as_of,
            owner=review.owner,
        )
        for name, claim, known in ((name, own, shares), ("hours", f"hours:{task}", hours))
        if None not in (gain := _gain(result, known))
    ]
