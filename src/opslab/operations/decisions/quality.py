"""What decisions stand on, and whether they hold: shares of those of which it is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from opslab.names import folded
from opslab.operations.decisions.result import Known, Quality
from opslab.operations.decisions.spec import Change, Decision, DecisionReview
from opslab.operations.decisions.trials import Trial
from opslab.uncertainty.proportions import newcombe, wilson

ACTIONS = {"ship", "do_not_ship", "extend"}
"""What the rule of an experiment may ask for."""
_UNCOUNTED = re.compile(
    r"[,/|&+?]|\b(vs|versus|or|ou|and|et)\b|^\W*(\d|(yes|no|oui|non|none|aucune?|one|une?|two|deux|"
    r"three|trois|four|quatre|five|cinq|some|several|many|various|plusieurs|divers)\b)",
    re.IGNORECASE,
)
"""Of what stands alone: it may be several options, or a number in words, or none."""
_NOTHING = ("do nothing", "ne rien faire", "status quo")


def basis(item: Decision, trial: Trial | None) -> dict[str, Any]:
    """Return what a decision stands on: its options, grade, experiment, and whether its rule held.

    Options are a number, or names parted by ``;``, of which a single one is one: of what may be
    several (a comma, a slash, "or") nobody knows how many there were. Nobody can tell whether a
    rule was followed that was not registered beforehand, that said nothing, or where what was
    chosen is none of an experiment's actions.

    Examples
    --------
    >>> row = {"id": "a", "decision": "A", "raised": "2026-03-02", "options": "buy; do nothing"}
    >>> trial = Trial("ship", "A", registered=True, day=None, file=None)
    >>> basis(Decision(**row, grade="F", chosen="ship"), trial)
    {'options': 2, 'do_nothing': True, 'grade': 'A', 'experiment': None, 'followed': True}
    """
    names = [name for part in re.split("[;\n]", item.options or "") if (name := folded(part))]
    single = len(names) == 1 and not _UNCOUNTED.search(item.options or "")
    listed, number = single or len(names) > 1, re.fullmatch(r"(\d+)(?:[.,]0+)?", item.options or "")
    nothing = any(word in name for name in names for word in _NOTHING)
    rule = trial.action if trial and trial.registered else None
    return {
        "options": int(number[1]) if number else len(names) if listed else None,
        "do_nothing": item.do_nothing == "yes" if item.do_nothing else nothing if listed else None,
        "grade": (trial and trial.grade) or item.grade,
        "experiment": item.experiment,
        "followed": item.chosen == rule if {item.chosen, rule} <= ACTIONS else None,
    }


def qualities(
    decisions: Sequence[Known], review: DecisionReview, day: date, *, watched: bool
) -> tuple[Quality, ...]:
    """Return the shares of decisions that were taken, before and since a change too.

    A decision taken fewer days ago than a reversal may take is not known to hold, even where it was
    already taken back: else the last ones would count only if they are.

    Parameters
    ----------
    decisions : sequence of Known
    review : DecisionReview
    day : datetime.date
    watched : bool
        Whether anything would tell that a decision was taken back.
    """
    span = timedelta(review.reversal_days)
    decided = [at for at in decisions if at.state == "decided"]
    held: dict[str, list[Any]] = {
        "options": [(at, at.options and at.options > 1) for at in decided],
        "do_nothing": [(at, at.do_nothing) for at in decided],
        "evidence": [(at, at.grade and at.grade <= review.least_grade) for at in decided],
        "followed": [(at, at.followed) for at in decided if at.experiment],
        "reversed": [
            (at, at.reversed is not None and at.reversed <= at.ended + span)
            if watched and at.ended and at.ended + span <= day
            else (at, None)
            for at in decided
        ],
        "reviewed": [
            (at, at.review and not at.late)
            for at in decided
            if (at.review or at.probability is not None) and (at.review or day) <= day
        ],
    }
    return tuple(_share(name, pairs, review.since) for name, pairs in held.items())


def _share(name: str, held: Sequence[tuple[Known, Any]], change: Change | None) -> Quality:
    """Return a share of those of which it is known."""
    clear = [(known.raised, bool(holds)) for known, holds in held if holds is not None]
    every = [holds for _, holds in clear]
    late = [holds for raised, holds in clear if change and raised >= change.date]
    early = [holds for raised, holds in clear if change and raised < change.date]
    (count, of), latest, *_ = counts = [
        (sum(group), len(group)) for group in (every, late or every, early, late)
    ]
    share, _, before, since = (wilson(*group) for group in counts)
    changed = newcombe(before, since)
    return Quality(name, count, of, share, len(held) - of, before, since, changed, *latest)
