"""The review of practices: where capabilities stand, what came of actions, processes by a rule."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from opslab.errors import DataError, Problem
from opslab.messages import Bilingual, Language, text_of_both
from opslab.names import folded, named
from opslab.operations.cited import earlier_run
from opslab.operations.practices.agreement import agreement
from opslab.operations.practices.canvas import (
    ROUND,
    Canvas,
    actions,
    capabilities,
    counts,
    follow_through,
    movement,
    read_canvas,
    targets,
)
from opslab.operations.practices.processes import cards
from opslab.operations.practices.result import Agreement, Capability, PracticesResult
from opslab.operations.practices.spec import Assessment, PracticeReview
from opslab.results import Check, Message, Status
from opslab.specs import refuse_unknown
from opslab.tables.sheets import read_sheet, source_files
from opslab.uncertainty.proportions import Interval

RELIABLE = 0.667
"""Alpha from which levels may be read as one (Krippendorff 2004, p. 241)."""
OLD = timedelta(200)
"""After which an assessment is old: a round each half-year, and some weeks."""
_HALF = 0.5
Findings = Mapping[str, Mapping[str, Sequence[str]]]
"""What is wrong, in names: by check, then by kind."""
_Found = tuple[str, Status, str, dict[str, Any], float | None]
"""Name, status, word of the message where it is another one, values, the figure that decides."""


def review_practices(
    review: PracticeReview,
    as_of: datetime.date | None = None,
    *,
    draws: int = 10_000,
    seed: int = 1,
    language: Language = "en",
) -> PracticesResult:
    """Return where capabilities stand and moved, what came of actions, and processes by a rule.

    Of each capability of a team the last round counts: its last assessment and those of the 31 days
    before, of each assessor the last. Levels have an order and no size: there are medians, lowest
    and highest, never a mean. What moved is told of those only who assessed in this round and in
    the one before.

    Parameters
    ----------
    review : PracticeReview
    as_of : datetime.date, optional
        The review's own date by default.
    draws, seed : int
        Of the simulation of processes; the seed also of the interval of the agreement.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError, SpecError
        For sheets that contradict themselves: file, row, what, and what to do.

    Examples
    --------
    >>> import datetime
    >>> from opslab.operations import PracticeReview
    >>> seen = {"capability": "Launches", "team": "Shop", "date": datetime.date(2026, 9, 14)}
    >>> rows = [{**seen, "assessor": name, "level": name} for name in ("good", "best")]
    >>> result = review_practices(
    ...     PracticeReview(practices="shop", canvas=rows), datetime.date(2026, 10, 5)
    ... )
    >>> result.capabilities[0].median
    ('good', 'best')
    """
    day = review.day(as_of)
    sheet = read_sheet(review, review.canvas, Assessment, "canvas", french=review.french)
    canvas = read_canvas(sheet, day)
    if sheet.rows and not canvas.rows:
        raise DataError(Problem("practices.all_later", {"day": day}))
    teams = sorted({each.team for each in canvas.rows})
    refuse_unknown(review, review.assessors, teams, "assessors")
    review, before = earlier_run(review, "practice_review", day)
    known, listed = cards(review, day, draws, seed, before.record), actions(canvas, day)
    kept, fallen_due = follow_through(listed, day)
    readings = (*filter(None, (sheet.reading,)), *known.readings)
    result = PracticesResult(
        review=review,
        as_of=day,
        language=language,
        draws=draws,
        seed=seed,
        capabilities=capabilities(canvas, review.assessors),
        agreement_of=agreement(counts(canvas), seed),
        movement=movement(canvas),
        actions_due=listed,
        kept=kept,
        fallen_due=fallen_due,
        cards=known.cards,
        net=known.net,
        previous_day=before.day,
        passed=tuple(run.name for run in before.passed),
        readings=readings,
        sources=source_files(review, readings, len(sheet.rows) + len(known.cards)),
        checks=(),
    )
    return replace(result, checks=checks_of(result, canvas, known.findings))


def checks_of(result: PracticesResult, canvas: Canvas, processes: Findings) -> tuple[Check, ...]:
    """Return the checks; blocking is that more than half of the assessors are missing.

    A condition on the numbers is a log of uses most of whose rows are like another one. Each check
    tells by kind what is wrong; nobody who assessed is named. Without a canvas nothing is told
    of it, nor of processes without cards.

    Parameters
    ----------
    result : PracticesResult
    canvas : Canvas
    processes : Mapping
        What is wrong with processes.
    """
    review, standing, known = result.review, result.capabilities, list[tuple[Any, ...]]()
    if standing:
        known = [_missing(standing), _agreement(result.agreement_of)]
        processes = {**_canvas(result, canvas), **processes}
    for name, kinds in processes.items():
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


def _canvas(result: PracticesResult, canvas: Canvas) -> Findings:
    """Return what is wrong with a canvas: with levels, with actions, with rows."""
    standing, day, listed = result.capabilities, result.as_of or date.max, result.actions_due
    planned = {(folded(act.capability), folded(act.team)) for act in result.waiting}
    anchored = {*map(folded, result.review.anchors)}
    last = {folded(item.team): item.date for item in sorted(standing, key=lambda each: each.date)}
    flags = [
        {
            "alone": item.assessors == 1,
            "evidence": item.up and not any(named(each.evidence) for each in now.values()),
            "old": item.date < max(day - OLD, last[team] - ROUND),
            "targets": len(targets(now)) != 1,
            "anchors": name not in anchored,
            "planned": item.reached is False and (name, team) not in planned,
        }
        for item, ((name, team), (now, *_)) in zip(standing, canvas.rounds.items(), strict=True)
    ]
    levels: dict[str, list[str]] = {
        kind: [
            item.capability if kind == "anchors" else _titled(item)
            for item, own in zip(standing, flags, strict=True)
            if own[kind]
        ]
        for kind in flags[0]
    }
    actions = {
        "planned": levels.pop("planned"),
        "late": [act.action for act in result.waiting if act.state == "late"],
        "undated": [act.action for act in result.waiting if not (act.due and act.owner)],
        "doubtful": [act.action for act in listed if act.doubtful],
        "postponed": [act.action for act in listed if (act.due or day) > (act.promised or day)],
    }
    return {"levels": levels, "actions": actions, "rows": {"future": [*map(str, canvas.future)]}}


def _missing(standing: Sequence[Capability]) -> _Found:
    """Return whether those who are to assess did."""
    missing = sum(item.missing for item in standing)
    share = missing / (missing + sum(item.assessors for item in standing) or 1)
    names = [_titled(item) for item in standing if item.missing]
    values = {"names": names, "count": missing, "share": share}
    status: Status = "fail" if share > _HALF else "warn" if missing else "pass"
    return "missing", status, "", values, share


def _agreement(known: Agreement | None) -> _Found:
    """Return whether assessors read the levels alike; a failure where alpha is surely too low."""
    alpha = known.alpha if known else Interval(None)
    value, low = alpha.value, (alpha.high or 1) < RELIABLE
    values: dict[str, Any] = {"reliable": RELIABLE, "alpha": value}
    values |= {"count": known.units} if known else {}
    status: Status = "fail" if low else "warn" if (value or 0) < RELIABLE else "pass"
    word = "" if value is not None else "alike" if known else "none"
    return "agreement", status, word, values, value


def _titled(item: Capability) -> Bilingual:
    """Return a capability and its team as a list names them."""
    return Bilingual.joined("", (item.capability, " (", item.team, ")"))
