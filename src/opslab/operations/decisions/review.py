"""A review of decisions: the log is read, every question asked of it, the answers checked."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opslab.messages import Language
from opslab.operations.decisions import latency
from opslab.operations.decisions.alignment import align
from opslab.operations.decisions.calibration import calibrate
from opslab.operations.decisions.latency import SIDE
from opslab.operations.decisions.log import Log, read_log
from opslab.operations.decisions.quality import qualities
from opslab.operations.decisions.result import DecisionsResult
from opslab.operations.decisions.spec import DecisionReview
from opslab.operations.decisions.stability import stability
from opslab.operations.decisions.trials import Trials, trial_by, trials
from opslab.results import Check, Message, Status
from opslab.specs import refuse_unknown
from opslab.tables.sheets import source_files

FEWEST = 5
"""Decisions of a known day, and answers to a survey, below which nothing is told."""
FEW = 20
"""Below it the numbers are wide."""
WITHDRAWN = 0.2
"""By which the shares withdrawn differ, above which time saved is not time to decide."""
UNDECIDED = 10
"""Decisions, of which some are open or withdrawn unless the log was filtered."""
ODD = 0.05
"""Share of decisions, above which what is odd with them is a condition on the numbers."""
HALF, MOST = 0.5, 0.7
"""Shares of those asked, below which a survey tells little, and below which it is in doubt."""
APART = (20, 60)
"""Days between two runs of a roadmap that are about a month."""
_ODD = [
    "disagree",
    "undated",
    "early",
    "imported",
    "undeclared",
    "unmatched",
    "future",
    "premature",
]
Finding = tuple[str, int, bool, bool, dict[str, Any]]
"""A check's name, its count, whether it fails, whether it warns, and what its words name."""


def review_decisions(
    review: DecisionReview,
    as_of: datetime.date | None = None,
    *,
    seed: int = 1,
    language: Language = "en",
    data: Any = None,
) -> DecisionsResult:
    """Return how long decisions take, what they stand on, and whether forecasts come true.

    Parameters
    ----------
    review : DecisionReview
    as_of : datetime.date, optional
        The review's own date by default; what is dated later has not happened yet.
    seed : int
        Of the resampling.
    language : {"en", "fr"}
        In which the result shows itself.
    data : pandas.DataFrame or another frame, optional
        In the place of the log's file.

    Raises
    ------
    DataError, SpecError
        For sheets that contradict themselves: file, row, what, and what to do.
    """
    day, sheet = review.day(as_of), review.rows(data)
    known = trials(review, sheet, day)
    log = read_log(review, sheet, known, day, data)
    decisions, parted = log.decisions, latency.groups(log.decisions, review.since)
    saved, horizon = latency.saved(parted)
    agreed, surveys = align(review, day, seed)
    readings = (*log.readings, *surveys)
    result = DecisionsResult(
        review=review,
        as_of=day,
        language=language,
        seed=seed,
        decisions=decisions,
        latencies=tuple(latency.latency(*group) for group in parted),
        qualities=qualities(decisions, review, day, watched=log.watched),
        calibration=calibrate(decisions, review.since, seed),
        alignment=agreed,
        stability=stability(review, day),
        saved=saved,
        horizon=horizon,
        withdrawn=latency.withdrawn(parted, horizon),
        misspelt=log.misspelt,
        taken_back=sum(at.reversed is not None for at in decisions),
        readings=readings,
        sources=source_files(review, readings, len(decisions)),
        cited=tuple(trial.file for trial in known.values() if trial),
        checks=(),
    )
    return replace(result, checks=checks_of(result, log, known))


def checks_of(result: DecisionsResult, log: Log, trials: Trials) -> tuple[Check, ...]:
    """Return the checks, the blocking first.

    Too few decisions block. A condition on the numbers is a log without any open or withdrawn one,
    which would tell of the fast ones alone; more than one decision in twenty whose day is unknown
    or contradicted, or whose status is misspelt; many more or fewer withdrawn since a change; and a
    survey that fewer than half answered. All else is told.

    Parameters
    ----------
    result : DecisionsResult
    log : Log
    trials : Mapping
        What the run of its experiment tells, by decision.

    Raises
    ------
    SpecError
        For a check that is accepted and that there is not.
    """
    review, checks = result.review, list[Check]()
    for name, count, fails, warns, values in (
        *_of_log(result, log),
        *_of_lists(log, trials),
        *_of_others(result),
    ):
        status: Status = "fail" if fails else "warn" if warns else "pass"
        detail = Message(f"decisions.{name}_{status}", {"count": count} | values)
        reason = review.accept.get(name, "")
        checks += [Check(name, status, detail, count, name == "few" and not reason, reason)]
    refuse_unknown(review, review.accept, [check.name for check in checks], "accept")
    return (*checks,)


def _of_log(result: DecisionsResult, log: Log) -> Iterator[Finding]:
    """Give what is told of the log as a whole."""
    known, change = log.decisions, result.review.since
    taken = [at for at in known if at.state == "decided" and at.days is not None]
    count, filtered = len(taken), {at.state for at in known} == {"decided"}
    yield "few", count, count < FEWEST, count < FEW, {}
    yield "filtered", len(known), len(known) >= UNDECIDED and filtered, False, {}
    yield "reversals", len(known), False, not log.watched, {}
    if change:
        late = sum(at.raised >= change.date for at in taken)
        side = min(late, count - late)
        yield "sides", side, False, side < SIDE, {"since": late, "before": count - late}
    if result.withdrawn:
        before, since = result.withdrawn
        fails = round(abs(since - before), 9) > WITHDRAWN
        yield "withdrawals", len(known), fails, False, {"before": before, "since": since}


def _of_lists(log: Log, trials: Trials) -> Iterator[Finding]:
    """Give what is odd with decisions, each by its names."""
    known, many = log.decisions, ODD * len(log.decisions)
    cited = [
        (at.experiment, trial_by(trials[at.id], at.ended))
        for at in known
        if at.experiment and at.ended
    ]
    names: dict[str, Any] = {name: log.odd.get(name, []) for name in _ODD} | {
        "misspelt": [f"{word} → {status} ({n})" for word, (status, n) in log.misspelt.items()],
        "late_entry": [at.decision for at in known if at.entry],
        "uncited": {name for name, trial in cited if not trial},
        "unregistered": {name for name, trial in cited if trial and not trial.registered},
        "overdue": [at.decision for at in known if at.late],
    }
    grave = {name: len(names[name]) for name in _ODD[:3]}
    grave["misspelt"] = sum(count for _, count in log.misspelt.values())
    for name, odd in names.items():
        yield name, len(odd), grave.get(name, 0) > many, bool(odd), {"names": sorted(odd)}


def _of_others(result: DecisionsResult) -> Iterator[Finding]:
    """Give what is told of the last survey, and of the two roadmaps."""
    if agreed := result.alignment:
        people, invited = agreed.people, agreed.invited
        yield "answers", people, False, people < FEWEST, {}
        if invited:
            share, values = people / invited, {"people": people, "invited": invited}
            yield "response", people, share < HALF, share < MOST, values
        else:
            yield "unasked", people, False, True, {}
        yield "near", len(agreed.near), False, bool(agreed.near), {"names": agreed.near}
        yield "twice", agreed.twice, False, agreed.twice > 0, {}
    if stable := result.stability:
        days = (stable.later - stable.earlier).days
        yield "apart", days, False, not APART[0] <= days <= APART[1], {}
