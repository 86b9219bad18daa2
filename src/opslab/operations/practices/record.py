"""The record of a review of practices, and the evidence in it; nobody who assessed is in it."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from opslab import workspace
from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.names import folded
from opslab.operations.practices.result import PracticesResult
from opslab.uncertainty.proportions import Interval, spread, wilson

KEYS = ("kind", "subject", "team")
"""Columns of the frame that name a row."""
MAIN = ("figure", "figure_low", "figure_high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_SHORT = """
    kind subject team date level low high target at_target assessors missing up down
    verdict figure figure_low figure_high pays adoption
"""
_NET = ("net", "net_low", "net_high")
_UNITS = {"target": "share", "process": Bilingual("hours", french="heures")}
_NAMED = {"target": ("reached", "count"), "process": ("process",)}
_OWN = "draws seed action previous_day passed kept fallen_due net"


def record(result: PracticesResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null."""
    own = {name: getattr(result, name) for name in _OWN.split()}
    own |= {name: [row._asdict() for row in part] for name, part in _parts(result).items()}
    moves = [{"from": then, "to": now, "count": n} for (then, now), n in result.movement.items()]
    agreed = result.agreement_of and result.agreement_of._asdict()
    return {
        "schema": "opslab.practices/1",
        "inputs": result.review.inputs(),
        "plan": result.review.model_dump(mode="json", exclude={"canvas", "processes", "uses"}),
        "imports": [reading.record() for reading in result.readings],
        **to_jsonable_python(own | {"movement": moves, "agreement": agreed}),
    }


def rows(result: PracticesResult, *, full: bool) -> list[dict[str, Any]]:
    """Return a row for each capability of a team and each process.

    Its figure is of a capability the share of its assessors who see it at its target or above, of a
    process the hours a year that it saves beyond what it takes.
    """
    table, parts = list[dict[str, Any]](), sheets(result)
    for cells in parts.get("capabilities", ()):
        cells["kind"], cells["subject"] = "capability", cells["capability"]
        cells["level"] = "; ".join(cells["median"])
        cells["figure"] = cells["target"] and cells["at_target"] / cells["assessors"]
        table.append(cells)
    for cells in parts.get("cards", ()):
        cells["kind"], cells["subject"] = "process", cells["process"]
        cells["team"], cells["date"] = cells["owner"], cells["sunset"]
        table.append(cells | spread({"figure": Interval(*(cells[end] for end in _NET))}))
    names = dict.fromkeys([*_SHORT.split(), *(name for cells in table if full for name in cells)])
    return [{name: cells.get(name) for name in names} for cells in table]


def sheets(result: PracticesResult) -> dict[str, list[dict[str, Any]]]:
    """Return a table each of capabilities, actions and processes; of nothing none."""
    return {
        name: [spread(row._asdict()) for row in part]
        for name, part in _parts(result).items()
        if part
    }


def evidence(result: PracticesResult) -> list[Evidence]:
    """Return the share of capabilities at their target, and hours net of each process.

    Of a median between two levels the lower counts. People state what they stand on: grade E. The
    hours are of any role: nothing tells whose they are.
    """
    slug = result.review.slug
    states = [item.reached for item in result.capabilities if item.reached is not None]
    reached, of = sum(states), len(states)
    known = list[tuple[str, str, str, dict[str, Any], Quantity]]()
    if of:
        share = Quantity.share(reached, of, *wilson(reached, of)[1:])
        values, claim = {"reached": reached, "count": of}, f"practices:{slug}/at-target"
        known += [("target", "at-target", claim, values, share)]
    names = [workspace.slug(card.process) for card in result.cards]
    for card, name in zip(result.cards, names, strict=True):
        value, low, high = (float(end or 0) for end in card.net)
        hours, own = Quantity.normal(value, low, high, 0.9), folded(card.process)
        unique = name if name and names.count(name) == 1 else own.replace(" ", "-")
        known += [("process", unique, f"hours:/{own}", card._asdict(), hours)]
    return [
        Evidence(
            f"{slug}/{name}",
            "descriptive",
            (f"practices.evidence_{kind}", {key: values[key] for key in _NAMED[kind]}),
            quantity,
            _UNITS[kind],
            "year" if kind == "process" else "once",
            (None, result.as_of),
            result.review.shown_title,
            claim,
            "capacity" if kind == "process" else "quality",
            "E",
            result.sources,
            date=result.as_of,
            owner=values.get("owner", result.review.owner),
        )
        for kind, name, claim, values, quantity in known
    ]


def _parts(result: PracticesResult) -> dict[str, Any]:
    return {
        "capabilities": result.capabilities,
        "actions": result.actions_due,
        "cards": result.cards,
    }
