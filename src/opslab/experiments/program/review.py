"""What many experiments show together, and how fast they decide."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import expm1, log1p, sqrt
from typing import Any

import numpy as np

from opslab.experiments.program.broken_period import FAILS, LEAST, broken_period, by_month, is_in
from opslab.experiments.program.cycle_time import change, cycle_time, kaplan_meier, log_rank
from opslab.experiments.program.intake import Intake, take_in
from opslab.experiments.program.pooling import (
    FEWEST,
    RandomEffects,
    Shrunk,
    Z,
    false_positive_risk,
    overstated,
    pooled,
    random_effects,
    rate,
    shrink,
    success_rate,
)
from opslab.experiments.program.result import Impact, ProgramResult, ProgramTest, Rate
from opslab.experiments.program.spec import Idea, Program
from opslab.messages import Language
from opslab.results import Check, Message, Status
from opslab.tables.sheets import read_sheet, source_files

_BLOCKING = ("enough", "as_percentages")


def review_program(
    program: Program,
    data: Any = None,
    as_of: datetime.date | None = None,
    language: Language = "en",
    seed: int = 0,
) -> ProgramResult:
    """Return what many experiments show together, and how long it takes to decide on an idea.

    A test with several arms is counted once, by its first arm: arms that share a control are not
    independent. All arms are shown, shrunk, and count in the impact when they were shipped.

    Parameters
    ----------
    program : Program
    data : pandas.DataFrame or another frame, optional
        The table of tests, in the place of the spec's.
    as_of : datetime.date, optional
        The program's own date by default; what is later is left out.
    language : {"en", "fr"}
        In which the result shows itself.
    seed : int
        Of the permutations behind the p-value of a broken period.

    Raises
    ------
    DataError, SpecError
        With what contradicts itself: file, row, what, and what to do.
    """
    day = as_of or program.date
    intake = take_in(program, day, data)
    sheet = read_sheet(program, program.ideas, Idea, "program-ideas")
    ideas = [idea for _, idea in sheet.rows if idea.date <= day]
    period = broken_period(intake.splits, seed)
    tests = [replace(test, left_out=_left_out(test, period)) for test in intake.tests]
    firsts = [*{test.test: test for test in reversed(tests)}.values()][::-1]
    kept = [test for test in firsts if not test.left_out]
    numbers: dict[str, Any] = {}
    if len(kept) >= FEWEST:
        estimated = random_effects(*_logs(kept))
        won = _logs([test for test in kept if test.outcome == "won"])
        numbers["exaggeration"], numbers["wrong_sign"] = overstated(won[0], shrink(estimated, *won))
        numbers |= {"pooled": pooled(estimated), "impact": _impact(tests, estimated)}
        tests = _beside(tests, shrink(estimated, *_logs(tests)))
    readings = tuple(filter(None, (*intake.readings, sheet.reading)))
    return ProgramResult(
        program=program,
        as_of=day,
        language=language,
        tests=tuple(tests),
        **numbers,
        **_rates(program, kept),
        **_by_rule(firsts),
        periods=by_month(intake.splits, period),
        broken_period=period,
        **_cycles(program, day, ideas),
        readings=readings,
        sources=source_files(program, readings, len(firsts)),
        checks=tuple(_checks(intake, firsts, ideas)),
    )


def _left_out(test: ProgramTest, period: Any) -> str:
    """Return why a test is not pooled."""
    if test.left_out == "broken" or not is_in(period, test.start):
        fails = not test.left_out and test.ratio_p is not None and test.ratio_p < FAILS
        return "ratio" if fails else test.left_out
    return "period"


def _logs(tests: Sequence[ProgramTest]) -> tuple[Any, Any]:
    """Return effects as log(1 + lift), with their errors; one that is left out tells nothing.

    A ratio's error grows with its estimate: on its own scale losses would weigh more than wins.
    """
    lifts = np.array([0.0 if test.left_out else test.lift for test in tests])
    errors = np.array([np.inf if test.left_out else test.error for test in tests])
    return np.log1p(lifts), errors / (1 + lifts)


def _beside(tests: Sequence[ProgramTest], shrunk: Shrunk) -> list[ProgramTest]:
    ends = (shrunk.mean + Z * side * shrunk.error for side in (0, -1, 1))
    names = ("shrunk", "shrunk_low", "shrunk_high")
    return [
        test if test.left_out else replace(test, **dict(zip(names, values, strict=True)))
        for test, values in zip(tests, np.expm1([*ends]).T.tolist(), strict=True)
    ]


def _impact(tests: Sequence[ProgramTest], estimated: RandomEffects) -> Impact | None:
    """Return what was shipped on the metric of most of it, compounded.

    Of a shipped test that is left out the program's average is believed.
    """
    shipped = [test for test in tests if test.shipped and (test.lift or -1) > -1]
    metrics = Counter(test.metric for test in shipped).most_common(1)
    shipped = [test for test in shipped if test.metric == metrics[0][0]]
    if not shipped:
        return None
    announced = sum(log1p(test.lift or 0) for test in shipped)
    mean, error, pull = shrink(estimated, *_logs(shipped))
    shared = pull * estimated.error
    half = Z * sqrt((error**2 - shared**2).sum() + shared.sum() ** 2)
    ends = (float(mean.sum()) + side * half for side in (0, -1, 1))
    return Impact(len(shipped), *map(expm1, (announced, *ends)))


def _rates(program: Program, kept: Sequence[ProgramTest]) -> dict[str, Any]:
    """Return how many won and lost, how many had an effect, and the risk behind a win."""
    outcomes = Counter(test.outcome for test in kept)
    among, rule = sum(outcomes.values()), (program.alpha, program.power)
    won, lost = (rate(outcomes[name], among) for name in ("won", "lost"))
    if won is None:
        return {}
    shares = [success_rate(share, *rule) for share in (won.rate, won.low, won.high)]
    risks = [false_positive_risk(share, *rule) for share in (shares[0], shares[2], shares[1])]
    counts = won.count, won.among
    rates = {
        "success": Rate(*counts, *shares),
        "risk": Rate(*counts, *risks) if won.count else None,
    }
    return {"wins": won, "losses": lost, **rates}


def _by_rule(firsts: Sequence[ProgramTest]) -> dict[str, Any]:
    """Return how many were decided by the registered rule, in all and by quarter of their end."""
    known = [test for test in firsts if test.by_rule is not None]
    quarters = defaultdict[datetime.date, list[ProgramTest]](list)
    for test in known:
        if over := test.end or test.start:
            quarters[over.replace(month=(over.month - 1) // 3 * 3 + 1, day=1)].append(test)

    def share(tests: Sequence[ProgramTest]) -> Rate | None:
        return rate(sum(test.by_rule is True for test in tests), len(tests))

    parts = tuple((day, share(part)) for day, part in sorted(quarters.items()))
    return {"by_rule": share(known), "by_rule_quarters": parts}


def _cycles(program: Program, day: datetime.date, ideas: Sequence[Idea]) -> dict[str, Any]:
    """Return how long ideas took until they were decided, and what the standard changed."""
    over = [min(idea.decided or day, day) for idea in ideas]
    days = np.array([(end - idea.date).days for end, idea in zip(over, ideas, strict=True)])
    decided = np.array([idea.decided is not None and idea.decided <= day for idea in ideas])
    start = program.standardised or day
    since = np.array([idea.date >= start for idea in ideas], bool)
    if not ideas:
        return {}
    cycles = [cycle_time("all", kaplan_meier(days, decided))]
    if since.all() or not since.any():
        return {"cycles": tuple(cycles)}
    before, after = (kaplan_meier(days[part], decided[part]) for part in (~since, since))
    cycles += [cycle_time("before", before), cycle_time("since", after)]
    saved, low, high, horizon = change(before, after)
    moved = saved, low, high, log_rank(days, decided, since)
    return {"cycles": tuple(cycles), "cycle_change": moved, "horizon": horizon}


def _checks(
    intake: Intake, firsts: Sequence[ProgramTest], ideas: Sequence[Idea]
) -> Iterator[Check]:
    """Give the checks, the blocking one first."""
    left = defaultdict[str, list[str]](list)
    for test in firsts:
        left[test.left_out].append(test.test)
    counts = Counter(test.test for test in intake.tests)
    metrics = dict.fromkeys(test.metric for test in firsts)
    dated = sum(split.start is not None for split in intake.splits)
    few = len(left[""]) < FEWEST and (firsts or not ideas)
    lifts = [abs(test.lift) for test in firsts if test.lift]
    wrong = {
        "enough": [""] * bool(few),
        "as_percentages": [test.test for test in firsts] * bool(np.median(lifts or [0]) > 1),
        "ratios": left["ratio"],
        "period": left["period"],
        "dates": [test.test for test in firsts if test.start is None],
        "effects": left["no_error"],
        "broken": left["broken"],
        "rule": [test.test for test in firsts if not test.by_rule],
        "arms": [name for name in counts if counts[name] > 1],
        "one_metric": [*metrics] * (len(metrics) > 1),
        **{name: intake.aside[name] for name in ("repeated", "later", "altered", "metrics")},
    }
    if ideas:
        wrong["ideas"] = [""] * (not any(idea.decided for idea in ideas))
    silent = {"ratios": not intake.splits, "period": dated < LEAST}
    for name, names in wrong.items():
        blocking = name in _BLOCKING
        status: Status = "fail" if blocking else "warn"
        none = silent.get(name, False)
        status = status if names or none else "pass"
        values = {"count": len(names), "all": len(firsts), "names": [*dict.fromkeys(names)][:8]}
        detail = Message(f"program.{name}_{'none' if none else status}", values)
        yield Check(name, status, detail, float(len(names)), blocking)
