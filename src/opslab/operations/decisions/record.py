"""The record of a review of decisions: what ``result.json`` holds, and the evidence in it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from opslab.claims import defined
from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual, text_of_both
from opslab.names import folded
from opslab.operations.decisions.result import DecisionsResult, Known
from opslab.operations.decisions.spec import DecisionReview
from opslab.uncertainty.proportions import Interval, fields_of, spread

KEYS = ("id",)
"""Column of the frame that names a row."""
MAIN = ("days", "integer")
"""Column that tells a row beside another result's, and how it is written."""
_OWN = (
    "seed action latencies qualities calibration alignment stability saved horizon misspelt "
    "taken_back"
)
_MOST = 1_000  # decisions in a record, which stays small; all are in the workbook beside it
_LONG = {"row", "entry"}
_DECISION = Bilingual("decision", french="décision")
_UNITS = {
    "weeks-saved": Bilingual("week of delay", french="semaine de retard"),
    "weeks-to-decision": "week",
    "brier": "score",
}
_CLAIMS = {"weeks-saved": "elapsed:decisions/{}", "weeks-to-decision": "decisions:{}/latency"}


def record(result: DecisionsResult) -> dict[str, Any]:
    """Return what is the result's own as JSON takes it: no prose, missing numbers null.

    An interval is three numbers: value, low, high. Of a long log it holds the decisions whose
    review is overdue, and those of the last days.
    """
    recent = sorted(result.decisions, key=_last)[-_MOST:]
    return {
        "schema": "opslab.decisions/1",
        "inputs": result.review.inputs(*result.cited),
        "imports": [reading.record() for reading in result.readings],
        "decisions_in_all": len(result.decisions),
        **to_jsonable_python(
            {name: fields_of(getattr(result, name)) for name in _OWN.split()}
            | {"decisions": fields_of((*sorted(recent, key=lambda at: (at.raised, at.id)),))}
        ),
    }


def _last(known: Known) -> tuple[bool, datetime.date, str]:
    """Return whether its outcome is overdue, and the last day on which something came of it."""
    return known.late, max(filter(None, (known.raised, known.ended, known.reversed))), known.id


def rows(result: DecisionsResult, *, full: bool) -> list[dict[str, Any]]:
    """Return the decisions as rows: what one works with, or every column there is."""
    names = [name for name in Known._fields if full or name not in _LONG]
    return [{name: getattr(known, name) for name in names} for known in result.decisions]


def sheets(result: DecisionsResult) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the page as rows, in full."""
    return {
        name: [spread(row._asdict()) for row in parts]
        for name, parts in result.tables.items()
        if parts
    }


def _quantities(result: DecisionsResult) -> dict[str, tuple[bool, Quantity | None]]:
    """Return each figure by name, and whether it is of what was raised since the change alone."""
    groups = {group.kind: group for group in result.latencies}
    usual = groups.get("since", groups["all"])
    mixed = any(at.name == "withdrawals" and not at.accepted for at in result.conditions)
    known = {
        "weeks-saved": (False, None if mixed else _normal(result.saved, 7)),
        "weeks-to-decision": (usual.kind == "since", _normal(usual.median, 7)),
    }
    for at in result.qualities:
        share = _share(at.latest, at.latest_count, at.latest_of)
        known[at.name] = at.since.value is not None, share
    if ahead := result.calibration:
        known["brier"] = ahead.newer, _normal(ahead.latest)
    if agreed := result.alignment:
        goal = _share(agreed.named, agreed.named_count, agreed.asked_goal)
        known["alignment-goal"] = False, goal
        known["alignment-overlap"] = False, _normal(agreed.overlap)
    if stable := result.stability:
        share = _share(stable.share, stable.unchanged, stable.items)
        known["roadmap-stability"] = False, share
    return known


def evidence(result: DecisionsResult) -> list[Evidence]:
    """Return delay, its change, shares, forecasts and alignment, each with its uncertainty.

    Of a change, what was raised since counts, as on the page. What is measured stands before and
    after it without a group beside: grade D. What people say of themselves is E. Of time saved
    there is none where it may come from more, or fewer, that are withdrawn.
    """
    review, title = result.review, result.review.shown_title
    first = min((at.raised for at in result.decisions), default=None)
    day = review.since.date if review.since else first
    since = text_of_both("decisions.of_since", decisions=title, day=day)
    return [
        Evidence(
            f"{review.slug}/{name}",
            "descriptive",
            (
                f"decisions.evidence_{name}",
                {"decisions": since if newer else title},
            ),
            quantity,
            _UNITS.get(name, "share"),
            "unit" if name == "weeks-saved" else "once",
            (day if newer else first, result.as_of),
            _DECISION if name == "weeks-saved" else title,
            defined(
                _CLAIMS.get(name, "decisions:{}/{}").format(review.slug, name),
                _definition(review, name, result.as_of, newer=newer),
            ),
            "quality",
            "E" if name.startswith("alignment") else "D",
            result.sources,
            date=result.as_of,
            owner=review.owner,
        )
        for name, (newer, quantity) in _quantities(result).items()
        if quantity
    ]


def _definition(
    review: DecisionReview, name: str, as_of: datetime.date | None, *, newer: bool
) -> dict[str, Any]:
    """Return what in a review says how a finding is counted: by another, no change can be told."""
    held = [survey for survey in review.surveys if not as_of or survey.date <= as_of]
    extra = {"evidence": review.least_grade, "reversed": review.reversal_days}
    change = review.since if newer or name == "weeks-saved" else None
    own: dict[str, dict[str, Any]] = {
        "alignment-goal": _values({"goal": held[-1].goal if held else ()}),
        "alignment-overlap": {"same": _values(review.same)},
        "roadmap-stability": {},
    }
    log = {
        "only": _values(review.only),
        "statuses": _values(review.statuses.model_dump()),
        "since": str(change and change.date),
        "threshold": extra.get(name),
    }
    return own.get(name, log)


def _values(named: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: sorted({*map(folded, values)}) for name, values in named.items()}


def _normal(interval: Interval, unit: float = 1) -> Quantity | None:
    """Return an interval as a quantity; None where an end is not known, or there is no width."""
    if None in interval or interval.low == interval.high:
        return None
    return Quantity.normal(*(end / unit for end in interval if end is not None))


def _share(share: Interval, count: int, of: int) -> Quantity | None:
    """Return a share as a quantity; None of nothing."""
    return Quantity.share(count, of, share.low, share.high) if of else None
