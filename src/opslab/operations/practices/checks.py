"""Whether a review of practices can be relied on: who assessed, by what, do they agree."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from opslab.messages import Bilingual, text_of_both
from opslab.names import folded, named
from opslab.operations.practices.canvas import ROUND, Canvas, targets
from opslab.operations.practices.result import Action, Agreement, Capability
from opslab.operations.practices.spec import PracticeReview
from opslab.results import Check, Message, Status
from opslab.specs import refuse_unknown
from opslab.uncertainty.proportions import Interval

RELIABLE = 0.667
"""Alpha from which levels may be read as one (Krippendorff 2004, p. 241)."""
OLD = datetime.timedelta(200)
"""After which an assessment is old: a round each half-year, and some weeks."""
_HALF = 0.5

Findings = Mapping[str, Mapping[str, Sequence[str]]]
"""What is wrong, in names: by check, then by kind."""


def run(
    review: PracticeReview,
    canvas: Canvas,
    standing: Sequence[Capability],
    agreement: Agreement | None,
    listed: Sequence[Action],
    processes: Findings,
    day: datetime.date,
) -> tuple[Check, ...]:
    """Return the checks; blocking is that more than half of the assessors are missing.

    A condition on the numbers is a log of uses most of whose rows are like another one. Each check
    tells by kind what is wrong; nobody who assessed is named. Without a canvas nothing is told
    of it, nor of processes without cards.

    Parameters
    ----------
    review : PracticeReview
    canvas, standing, agreement, listed
    processes : Mapping
        What is wrong with processes.
    day : datetime.date
    """
    known = [("missing", *_missing(standing)), ("agreement", *_agreement(agreement))]
    known = known if standing else []
    wrong = _canvas(review, canvas, standing, listed, day) if standing else {}
    for name, kinds in {**wrong, **processes}.items():
        values: dict[str, Any] = {kind: [*dict.fromkeys(kinds[kind])] for kind in kinds}
        remarks = [
            text_of_both(f"practices.wrong_{kind}", names=names, count=len(names))
            for kind, names in values.items()
            if names
        ]
        values["told"], count = Bilingual.joined(" ", remarks), sum(map(len, kinds.values()))
        status: Status = "fail" if kinds.get("pasted") else "warn" if remarks else "pass"
        known.append((name, status, "", values, count))
    refuse_unknown(review, review.accept, [name for name, *_ in known], "accept")
    return tuple(
        Check(
            name,
            status,
            Message(f"practices.{name}_{word or status}", values),
            value,
            name == "missing" and name not in review.accept,
            review.accept.get(name, ""),
        )
        for name, status, word, values, value in known
    )


_Found = tuple[Status, str, dict[str, Any], float | None]
"""Status, word of the message where it is another one, values, the figure that decides."""


def _canvas(
    review: PracticeReview,
    canvas: Canvas,
    standing: Sequence[Capability],
    listed: Sequence[Action],
    day: datetime.date,
) -> Findings:
    """Return what is wrong with a canvas: with levels, with actions, with rows."""
    still = [act for act in listed if act.state != "done"]
    planned = {(folded(act.capability), folded(act.team)) for act in still}
    anchored = {*map(folded, review.anchors)}
    last = {folded(item.team): item.date for item in sorted(standing, key=lambda each: each.date)}
    wrong: dict[str, dict[str, list[str]]] = {check: {} for check in ("levels", "actions")}
    for item, ((name, team), (now, *_)) in zip(standing, canvas.rounds.items(), strict=True):
        levels = {
            "alone": item.assessors == 1,
            "evidence": item.up and not any(named(each.evidence) for each in now.values()),
            "old": item.date < max(day - OLD, last[team] - ROUND),
            "targets": len(targets(now)) != 1,
            "anchors": name not in anchored,
        }
        acts = {"planned": item.reached is False and (name, team) not in planned}
        for check, flags in (("levels", levels), ("actions", acts)):
            for kind, flag in flags.items():
                said = item.capability if kind == "anchors" else _titled(item)
                wrong[check].setdefault(kind, []).extend([said] * bool(flag))
    wrong["actions"] |= {
        "late": [act.action for act in still if act.state == "late"],
        "undated": [act.action for act in still if not (act.due and act.owner)],
        "doubtful": [act.action for act in listed if act.doubtful],
        "postponed": [act.action for act in listed if (act.due or day) > (act.promised or day)],
    }
    return {**wrong, "rows": {"future": [*map(str, canvas.future)]}}


def _missing(standing: Sequence[Capability]) -> _Found:
    """Return whether those who are to assess did."""
    missing = sum(item.missing for item in standing)
    share = missing / (missing + sum(item.assessors for item in standing) or 1)
    names = [_titled(item) for item in standing if item.missing]
    values = {"names": names, "count": missing, "share": share}
    return "fail" if share > _HALF else "warn" if missing else "pass", "", values, share


def _agreement(known: Agreement | None) -> _Found:
    """Return whether assessors read the levels alike; a failure where alpha is surely too low."""
    alpha = known.alpha if known else Interval(None)
    value, low = alpha.value, (alpha.high or 1) < RELIABLE
    values: dict[str, Any] = {"reliable": RELIABLE, "alpha": value}
    values |= {"count": known.units} if known else {}
    status: Status = "fail" if low else "warn" if (value or 0) < RELIABLE else "pass"
    word = "" if value is not None else "alike" if known else "none"
    return status, word, values, value


def _titled(item: Capability) -> Bilingual:
    """Return a capability and its team as a list names them."""
    return Bilingual.joined("", (item.capability, " (", item.team, ")"))
