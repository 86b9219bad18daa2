"""Whether an order can be relied on: ranges, reach, raters, scale, names, the line of the top."""

from __future__ import annotations

from difflib import get_close_matches
from statistics import fmean

from opslab.operations.prioritisation.result import HALF, SURE, PrioritisationResult
from opslab.results import Check, Message, Status
from opslab.tables.numbers import plain_text

_SCALES = {"impact": (3, 2, 1, 0.5, 0.25), "confidence": (1, 0.8, 0.5)}
_ALIKE = 0.88  # of letters


def run(result: PrioritisationResult) -> tuple[Check, ...]:
    """Return the checks, the blocking first."""
    standings, w = result.standings, result.concordance
    views = [view for said in result.views for view in said]
    raters = len({view.rater for view in views})
    bare = {plain_text(standing.item): standing.item for standing in standings}
    counted = fmean(bool(view.rating.reach_evidence) for view in views)
    near = ((name, get_close_matches(name, bare, 2, _ALIKE)[1:]) for name in bare)
    findings: dict[str, object] = {
        "enough": len(standings) <= 1,
        "ranged": [standing.item for standing in standings if standing.exact],
        "counted": counted < HALF,
        "raters": w is None or w < HALF,
        "partly": [said[0].rating.item for said in result.views if len(said) < raters],
        "off_scale": sorted(
            {
                view.row
                for view in views
                for name, scale in _SCALES.items()
                if view.stated[name] not in scale
            }
        ),
        "similar": [bare[other] for name, others in near for other in others],
        "repeated": result.ratings.repeated,
        "line": [known.item for known in standings if SURE > (known.top or 1.0) > 1 - SURE],
    }
    values = {
        "count": len(standings),
        "share": counted,
        "raters": raters,
        "w": w,
        "agreement": w and round(w, 2),
    }
    checks = []
    for name, finding in findings.items():
        blocking = name == "enough"
        status: Status = "pass" if not finding else "fail" if blocking else "warn"
        detail = Message(f"prioritisation.{name}_{status}", values | {"found": finding})
        checks.append(Check(name, status, detail, blocking=blocking))
    return tuple(checks)
