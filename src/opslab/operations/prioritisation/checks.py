"""Whether an order can be relied on: ranges, reach, raters, scale, names, the line of the top."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from statistics import fmean

from opslab.names import folded
from opslab.operations.prioritisation.ratings import exact
from opslab.operations.prioritisation.result import HALF, SURE, PrioritisationResult
from opslab.results import Check, Message, Status

_SCALES = {"impact": (3, 2, 1, 0.5, 0.25), "confidence": (1, 0.8, 0.5)}
_ALIKE, _BESIDE = 0.88, 5  # of letters; how many names are compared with each, in two orders


def run(result: PrioritisationResult) -> tuple[Check, ...]:
    """Return the checks of the whole list, the blocking first."""
    ratings, raters, accord = result.ratings, result.raters, result.accord
    items, views = ratings.items, ratings.views
    spelt = [sorted({view.rating.item for view in said}) for said in items.values()]
    counted = fmean("reach_evidence" in view.backed for view in views)
    findings: dict[str, object] = {
        "enough": len(items) <= 1,
        "ranged": [item for item, said in items.items() if exact(said)],
        "aside": sum(view.rating.unsure and view.stated["confidence"] == 1 for view in views),
        "counted": counted < HALF,
        "lost": [view.row for view in views if view.lost],
        "off_scale": [
            view.row
            for view in views
            if any(view.stated[name] not in scale for name, scale in _SCALES.items())
        ],
        "similar": sorted({*_near(items)})
        + [" / ".join(names) for names in spelt if len({*map(folded, names)}) > 1],
        "repeated": [view.row for view in ratings.repeated],
    }
    if raters > 1:
        findings["raters"] = accord is None or accord < HALF
        findings["partly"] = [item for item, said in items.items() if len(said) < raters]
    if not result.flat:
        findings["line"] = [
            known.item
            for at, known in enumerate(result.standings)
            if abs((at >= result.backlog.top) - (known.top or 0.0)) < SURE
        ]
    values = {
        "count": len(items),
        "share": counted,
        "raters": raters,
        "accord": accord and round(accord, 2),
    }
    checks = []
    for name, finding in findings.items():
        blocking = name == "enough"
        status: Status = "pass" if not finding else "fail" if blocking else "warn"
        key = f"prioritisation.{name}_{status}"
        if name == "counted" and not counted:
            key = "prioritisation.counted_none"
        detail = Message(key, values | {"found": finding})
        checks.append(Check(name, status, detail, blocking=blocking))
    return tuple(checks)


def _near(items: Iterable[str]) -> Iterator[str]:
    """Give pairs of names that a few letters tell apart, and no number.

    Names that begin or end alike stand near each other in one of two orders.
    """
    named = [(folded(item), item) for item in items]
    for step in (1, -1):
        named.sort(key=lambda each: each[0][::step])
        for at, (bare, item) in enumerate(named):
            for other, beside in named[at + 1 : at + 1 + _BESIDE]:
                digits = [[*filter(str.isdigit, name)] for name in (bare, other)]
                alike = SequenceMatcher(None, min(bare, other), max(bare, other))
                if digits[0] == digits[1] and alike.ratio() >= _ALIKE:
                    yield " / ".join(sorted((item, beside)))
