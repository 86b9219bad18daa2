"""The record of a review of practices, and the evidence in it; nobody who assessed is in it."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from opslab import workspace
from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.names import folded
from opslab.operations.practices.result import PracticesResult
from opslab.uncertainty.proportions import spread, wilson

KEYS = ("kind", "subject", "team")
"""Columns of the frame that name a row."""
MAIN = ("figure", "figure_low", "figure_high", "number")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
_SHORT = """
    kind subject team date level low high target at_target assessors missing up down
    verdict figure figure_low figure_high pays adoption
"""
_HOURS = Bilingual("hours", french="heures")
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
    table = [
        spread(each._asdict())
        | {
            "kind": "capability",
            "subject": each.capability,
            "level": "; ".join(each.median),
            "figure": each.target and each.at_target / each.assessors,
        }
        for each in result.capabilities
    ]
    table += [
        spread({**card._asdict(), "figure": card.net})
        | {"kind": "process", "subject": card.process, "team": card.owner, "date": card.sunset}
        for card in result.cards
    ]
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
    review, slug = result.review, result.review.slug
    common: dict[str, Any] = {
        "kind": "descriptive",
        "period": (None, result.as_of),
        "population": review.shown_title,
        "grade": "E",
        "sources": result.sources,
        "date": result.as_of,
    }
    states = [item.reached for item in result.capabilities if item.reached is not None]
    reached, of = sum(states), len(states)
    known = [
        Evidence(
            id=f"{slug}/at-target",
            statement=("practices.evidence_target", {"reached": reached, "count": of}),
            quantity=Quantity.share(reached, of, *wilson(reached, of)[1:]),
            unit="share",
            per="once",
            claim=f"practices:{slug}/at-target",
            benefit="quality",
            owner=review.owner,
            **common,
        )
        for _ in states[:1]
    ]
    names = [workspace.slug(card.process) for card in result.cards]
    for card, name in zip(result.cards, names, strict=True):
        own = folded(card.process)
        unique = name if name and names.count(name) == 1 else own.replace(" ", "-")
        value, low, high = (float(end or 0) for end in card.net)
        known += [
            Evidence(
                id=f"{slug}/{unique}",
                statement=("practices.evidence_process", {"process": card.process}),
                quantity=Quantity.normal(value, low, high, 0.9),
                unit=_HOURS,
                per="year",
                claim=f"hours:/{own}",
                benefit="capacity",
                owner=card.owner,
                **common,
            )
        ]
    return known


def _parts(result: PracticesResult) -> dict[str, Any]:
    return {
        "capabilities": result.capabilities,
        "actions": result.actions_due,
        "cards": result.cards,
    }
