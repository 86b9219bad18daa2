"""The three gains: what counts once, what adds up, what moved since the last time."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from opslab.claims import counted
from opslab.errors import InputError, SpecError
from opslab.evidence import Evidence, Quantity
from opslab.filed_runs import Run, find_run, picked
from opslab.messages import Language, catalogue, text_of_both
from opslab.operations.cited import earlier_run
from opslab.operations.contribution.result import (
    Change,
    Claim,
    ContributionResult,
    Missing,
    State,
    Total,
)
from opslab.operations.contribution.spec import GAINS, Contribution, Gain
from opslab.results import Check, Message, Status
from opslab.uncertainty import draw
from opslab.uncertainty.distributions import Values

DRAWS = 20_000
"""Of a sum or a change: its ends hold to a hundredth of its width."""
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_WORST_MEASURED = "D"
_HOURS = ("hours", "year")
Record = Mapping[str, Any]
"""Of the last contribution; empty of none."""


def review_contribution(
    contribution: Contribution,
    as_of: datetime.date | None = None,
    *,
    seed: int = 1,
    language: Language = "en",
) -> ContributionResult:
    """Return what is measured of the three gains, what is estimated, and what is owed.

    A claim that two runs make is counted once: that of the better grade first; see `counted_once`.
    Hours a year that are told alike are added up, as if they were independent of one another;
    nothing else is, and nothing is made money.

    Parameters
    ----------
    contribution : Contribution
    as_of : datetime.date, optional
        Its own date by default; later runs are not used.
    seed : int
        Of the draws behind sums and changes.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    SpecError
        Where there is no day, or the last contribution cannot be compared with.

    Examples
    --------
    >>> import datetime
    >>> from opslab.operations import Contribution
    >>> nothing = Contribution(contribution="team")
    >>> review_contribution(nothing, datetime.date(2026, 10, 5)).action
    'measure'
    """
    day = as_of or contribution.date
    if day is None:
        raise SpecError(contribution.problem("parameters.as_of_needed", "date", field="date"))
    _, last = earlier_run(contribution, "contribution", day)
    claims, missing = _found(contribution, day, language, last.record, seed)
    claims = counted_once(claims)
    result = ContributionResult(
        contribution=contribution,
        as_of=day,
        language=language,
        totals=tuple(total(gain, claims, last.record, seed) for gain in GAINS),
        claims=tuple(claims),
        missing=tuple(missing),
        previous_day=last.day,
        passed=tuple(path.name for path in last.passed),
        seed=seed,
        checks=(),
    )
    return replace(result, checks=tuple(_checks(result)))


def _found(
    contribution: Contribution, day: datetime.date, language: Language, last: Record, seed: int
) -> tuple[list[Claim], list[Missing]]:
    """Return what the runs found and how it moved, and why nothing is used of others.

    Looked for in the reports first, then in the folders that the spec names. Not used: what is
    missing, altered, red, exploratory, later than the day, or older than the spec allows. All that
    was found counts so far.
    """
    claims, missing, past = list[Claim](), list[Missing](), past_evidence(last)
    oldest = day - datetime.timedelta(contribution.oldest_days)
    for source in contribution.gains:
        run, reasons = None, list[Message]()
        try:
            run = find_run(source.run, contribution.folders(), day, language)
            if run.day < oldest:
                days = contribution.oldest_days
                raise InputError.of("contribution.too_old", run=run.id, oldest=days)
            evidence, missed = picked(run, source.pick)
        except InputError as error:
            run, reasons = None, [Message(each.key, each.values) for each in error.problems]
        if run:
            reasons = [Message(key, values) for _, key, values in missed]
            conditions = [*_conditions(run)]
            for finding in sorted(evidence, key=lambda each: _place(each.id, source.pick)):
                now = replace(finding, run=run.id)
                then = [past[now.id]] if now.id in past else []
                change, gain, name = moved([now], then, seed), source.gain, source.name
                claims.append(Claim(gain, name, now, run, state(now), conditions, "", change))
        about = (source.gain, source.name, source.run)
        missing += [Missing(*about, reason, run is not None) for reason in reasons]
    return claims, missing


def state(evidence: Evidence) -> State:
    """Return whether something is measured or estimated: never by what it is called."""
    people = evidence.kind == "opinion" or evidence.grade > _WORST_MEASURED
    return "estimated" if people else "measured"


def counted_once(claims: Sequence[Claim]) -> list[Claim]:
    """Return claims, each that counts what a better one does marked with that one's name.

    Better is the better grade, then what is no projection (of `time_saved`, later than what it
    rests on), then the later run, then what the spec names first. Hours count the same where the
    one's role or task is among the other's, whatever list either comes from.
    """

    def rank(at: int) -> tuple[str, bool, int, int]:
        known, run = claims[at].evidence, claims[at].run
        projected = known.statement[0] == "timesaved.evidence"
        return known.grade, projected, -run.day.toordinal(), at

    kept, twins = list[int](), dict[int, str]()
    for at in sorted(range(len(claims)), key=rank):
        twin = next((other for other in kept if _alike(claims[at], claims[other])), None)
        if twin is None:
            kept.append(at)
        else:
            twins[at] = claims[twin].name
    return [claim._replace(counted_in=twins.get(at, "")) for at, claim in enumerate(claims)]


def _alike(claim: Claim, other: Claim) -> bool:
    """Whether two claims count the same; metrics of two studies are two things."""
    first, second = (
        counted(known.evidence.claim, known.evidence.id.partition("/")[0])
        for known in (claim, other)
    )
    if not (first.holds(second) or second.holds(first)):
        return False
    return first.thing == "hours" or first.of == second.of or not first.listed


def total(gain: Gain, claims: Sequence[Claim], last: Record, seed: int) -> Total:
    """Return the figure of a gain: hours a year of what is measured, else its first claim.

    Time is hours where there are any. Other hours stand beside them, a figure for each
    way in which they are told, and are not added.
    """
    own = [claim for claim in claims if claim.gain == gain and not claim.counted_in]
    past = past_evidence(last)
    before = [past[name] for name in last["totals"][gain]["ids"]] if last else []
    if not own:
        return Total(gain, "debt", change=moved([], before, seed))
    hours = [claim for claim in own if gain == "time" and _hours(claim)]
    best = [claim for claim in hours or own if claim.state == "measured"] or hours or own
    alike = [claim for claim in best if _hours(claim) and _said(claim) == _said(best[0])]
    behind, others = alike if _hours(best[0]) else best[:1], dict[str, list[Claim]]()
    for claim in hours:
        if claim not in behind:
            others.setdefault(_said(claim), []).append(claim)
    beside = tuple(_total(alike, (), seed) for alike in others.values())
    return _total(behind, before, seed)._replace(beside=beside)


def _said(claim: Claim) -> str:
    """Return in which words a claim is told."""
    return claim.evidence.statement[0]


def _total(claims: Sequence[Claim], before: Sequence[Evidence], seed: int) -> Total:
    evidence = [claim.evidence for claim in claims]
    return Total(
        gain=claims[0].gain,
        state=claims[0].state,
        claims=tuple(claims),
        quantity=added(evidence, seed),
        grade=max(each.grade for each in evidence),
        change=moved(evidence, before, seed),
    )


def added(evidence: Sequence[Evidence], seed: int) -> Quantity:
    """Return the sum of quantities that are independent of one another, with its 90 % interval."""
    if len(evidence) == 1:
        return evidence[0].quantity
    drawn = _drawn(evidence, seed)
    ends = np.quantile(drawn, _SHARES).tolist()
    points = {f"p{round(share * 100)}": end for share, end in zip(_SHARES, ends, strict=True)}
    value = math.fsum(each.quantity.value for each in evidence)
    return Quantity("quantiles", points, value, ends[0], ends[-1], 0.9)


def moved(now: Sequence[Evidence], then: Sequence[Evidence], seed: int) -> Change:
    """Return how a sum of the same findings moved; what stands on the same data moved by nothing.

    All else is drawn independently: where two runs share data, the interval is too wide.
    """
    if not then:
        return Change()
    before, value = (math.fsum(each.quantity.value for each in known) for known in (then, now))
    if {*map(_compared, now)} != {*map(_compared, then)}:
        return Change("other" if now else "gone", before)
    if {*map(_data, now)} == {*map(_data, then)}:
        return Change("same", before)
    ends = np.quantile(_drawn(now, seed) - _drawn(then, seed), [0.05, 0.95])
    return Change("moved", before, value - before, *map(float, ends))


def past_evidence(last: Record) -> dict[str, Evidence]:
    """Return what the last contribution passed on, by id."""
    return {record["id"]: Evidence.from_record(record) for record in last.get("evidence", ())}


def _compared(evidence: Evidence) -> tuple[str, ...]:
    return evidence.id, evidence.claim, str(evidence.unit), evidence.per


def _data(evidence: Evidence) -> str:
    """Return what a finding and its data are called: alike in two runs of the same files.

    Of a spec that is among them what counts is what it changes.
    """
    files = [source for source in evidence.sources if not source.name.endswith((".yaml", ".yml"))]
    hashes = sorted({source.sha256 for source in files if source.sha256})
    known = hashes or [str(evidence.run)]
    return " ".join([evidence.id, f"{evidence.quantity.value:.9g}", *known])


def _drawn(evidence: Sequence[Evidence], seed: int) -> Values:
    draws = [draw(each.quantity.distribution, _data(each), DRAWS, seed) for each in evidence]
    return np.asarray(np.sum(np.broadcast_arrays(np.zeros(DRAWS), *draws), axis=0))


def _hours(claim: Claim) -> bool:
    evidence = claim.evidence
    return counted(evidence.claim).thing == "hours" and (evidence.unit, evidence.per) == _HOURS


def _checks(result: ContributionResult) -> Iterator[Check]:
    """Give the checks of a contribution; one blocks: whether any of its runs can be used."""
    counted = result.counted
    known = {total.gain for total in result.totals if total.claims} | {*result.lost}
    known |= {debt.gain for debt in result.contribution.debts}
    wrong: dict[str, Iterable[str]] = {
        "readouts": [missing.run for missing in result.missing if not missing.used],
        "picks": [missing.name for missing in result.missing if missing.used],
        "conditions": [claim.run.id for claim in counted if claim.conditions],
        "counted_twice": [claim.name for claim in result.claims if claim.counted_in],
        "overdue": [debt.statement for debt in result.overdue],
        "unpromised": [text_of_both(f"contribution.{gain}") for gain in GAINS if gain not in known],
    }
    for name, every in wrong.items():
        names, blocking = [*dict.fromkeys(every)], name == "readouts"
        failed = name == "conditions" or (blocking and not result.claims)
        status: Status = ("fail" if failed else "warn") if names else "pass"
        detail = Message(f"contribution.{name}_{status}", {"names": names, "count": len(names)})
        yield Check(name, status, detail, len(names), blocking)


def _place(name: str, patterns: Sequence[str]) -> int:
    return [fnmatchcase(name, pattern) for pattern in patterns].index(True)


def _conditions(run: Run) -> Iterator[Message]:
    """Give the names of the checks on which what a run says depends."""
    for check in run.record.get("checks") or ():
        if check["status"] == "fail" and not check["blocking"] and not check["accepted"]:
            area, name = check["detail"]["key"].partition(".")[0], f"check_{check['name']}"
            yield Message(f"{area if name in catalogue('en', area) else 'words'}.{name}")
