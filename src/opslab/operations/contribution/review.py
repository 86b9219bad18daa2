"""The three gains: what counts once, what adds up, what moved since the last time."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from opslab.claims import counted
from opslab.errors import SpecError
from opslab.evidence import Evidence, Quantity
from opslab.messages import Language
from opslab.operations.cited import earlier_run
from opslab.operations.contribution import checks
from opslab.operations.contribution.citations import CitedSource, cited
from opslab.operations.contribution.result import (
    Change,
    Claim,
    ContributionResult,
    Missing,
    State,
    Total,
)
from opslab.operations.contribution.spec import GAINS, Contribution, Gain
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
    sources = [*cited(contribution, day, language)]
    _, last = earlier_run(contribution, "contribution", day)
    claims = counted_once([*_claims(sources, last.record, seed)])
    result = ContributionResult(
        contribution=contribution,
        as_of=day,
        language=language,
        totals=tuple(total(gain, claims, last.record, seed) for gain in GAINS),
        claims=tuple(claims),
        missing=tuple(
            Missing(source.gain, source.name, source.run, reason, run is not None)
            for source, run, _, reasons, _ in sources
            for reason in reasons
        ),
        previous_day=last.day,
        passed=tuple(path.name for path in last.passed),
        seed=seed,
        checks=(),
    )
    return replace(result, checks=tuple(checks.run(result)))


def _claims(sources: Sequence[CitedSource], last: Record, seed: int) -> Iterator[Claim]:
    """Give what the runs found, and how it moved; all of it counts so far."""
    past = past_evidence(last)
    for declared, run, findings, _, conditions in sources:
        if run is None:
            continue
        for finding in findings:
            now = replace(finding, run=run.id)
            change = moved([now], [past[now.id]] if now.id in past else [], seed)
            yield Claim(declared.gain, declared.name, now, run, state(now), conditions, "", change)


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
    behind = _told_alike(best)
    beside, rest = list[Total](), [claim for claim in hours if claim not in behind]
    while rest:
        alike = _told_alike(rest)
        beside.append(_total(alike, (), seed))
        rest = [claim for claim in rest if claim not in alike]
    return _total(behind, before, seed)._replace(beside=tuple(beside))


def _told_alike(claims: Sequence[Claim]) -> list[Claim]:
    """Return the first of some claims, and of hours all those that are told like it."""
    if not claims or not _hours(claims[0]):
        return [*claims[:1]]
    said = claims[0].evidence.statement[0]
    return [claim for claim in claims if _hours(claim) and claim.evidence.statement[0] == said]


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
