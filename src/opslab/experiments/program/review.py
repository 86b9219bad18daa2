"""What many experiments show together, and how fast they decide."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import bdtrc

from opslab.experiments.program import pooling
from opslab.experiments.program.broken_period import ALARM, LEAST, broken_period, by_month, is_in
from opslab.experiments.program.intake import Aside, take_in
from opslab.experiments.program.result import (
    CycleTime,
    Impact,
    ProgramResult,
    ProgramTest,
    Rate,
)
from opslab.experiments.program.spec import Idea, Program
from opslab.messages import Language
from opslab.results import Check, Message, Status
from opslab.tables.sheets import read_sheet, source_files
from opslab.uncertainty import survival

_BLOCKING = ("enough", "as_percentages")
_CHECKS = (
    "enough as_percentages ratios period dates effects selected broken rule control arms "
    "one_metric repeated later altered metrics"
)
_SHRUNK = ("shrunk", "shrunk_low", "shrunk_high")
_MOST = 5
"""Logarithm of the factor up to which what was shipped is compounded: about 150."""
_PERCENTAGES = 0.5
"""Median lift from which on lifts are taken for percentages."""
_FEWEST = 5
"""Ideas before the standard, and since, from which on a change is told."""


def review_program(
    program: Program,
    data: Any = None,
    as_of: datetime.date | None = None,
    language: Language = "en",
) -> ProgramResult:
    """Return what many experiments show together, and how long it takes to decide on an idea.

    A test with several arms is counted once, by the arm that was shipped, else the first: arms that
    share a control are not independent. All arms are shown and shrunk.

    Parameters
    ----------
    program : Program
    data : pandas.DataFrame or another frame, optional
        The table of tests, in the place of the spec's.
    as_of : datetime.date, optional
        The program's own date by default; what is later is left out.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError, SpecError
        With what contradicts itself: file, row, what, and what to do.
    """
    day = as_of or program.date
    tests, aside, reading = take_in(program, day, data)
    sheet = read_sheet(program, program.ideas, Idea, "program-ideas")
    known = [test for test in tests if test.counts and test.ratio_p is not None]
    ratios: Any = [(test.start, test.ratio_p) for test in known if test.start]
    period = broken_period(ratios)
    tests = [replace(test, left_out=_left_out(test, period)) for test in tests]
    firsts = [test for test in tests if test.counts]
    numbers = {"tests": tuple(tests)} | _rates(program, firsts)
    if sum(not test.left_out for test in firsts) >= pooling.FEWEST:
        numbers |= _together(tests)
    readings = tuple(filter(None, (reading, sheet.reading)))
    result = ProgramResult(
        program=program,
        as_of=day,
        language=language,
        **numbers,
        periods=by_month(ratios),
        broken_period=period,
        **_cycles(program, day, [idea for _, idea in sheet.rows if idea.date <= day]),
        readings=readings,
        sources=source_files(program, readings, len(firsts)),
        checks=(),
    )
    silent = {"ratios": not known, "period": len(ratios) < LEAST}
    return replace(result, checks=tuple(_checks(result, aside, silent)))


def _left_out(test: ProgramTest, period: Any) -> str:
    """Return why a test is not pooled."""
    if test.left_out != "broken" and is_in(period, test.start):
        return "period"
    return test.left_out or "ratios" * test.split_fails


def _together(tests: Sequence[ProgramTest]) -> dict[str, Any]:
    """Return the average, what it lets one believe of each test, and of what was shipped.

    On the scale of log(1 + lift), its sign turned where less is better: a ratio's error grows with
    its estimate, and losses would weigh more than wins. What was shipped is compounded on the
    metric of most of it.
    """
    arms: Any = [test for test in tests if not test.left_out]
    turn = np.array([-1 if test.goal == "decrease" else 1 for test in arms])
    factors = 1 + turn * [test.lift for test in arms]
    effects, errors = turn * np.log(factors), [test.error for test in arms] / factors
    kept = np.array([test.counts for test in arms])
    estimated = pooling.random_effects(effects[kept], errors[kept])
    believed = np.array(pooling.shrink(estimated, effects, errors))
    mean, error, _ = believed
    shrunk = turn * np.expm1(turn * (mean + pooling.Z * error * [[0], [-1], [1]]))
    ends = iter(shrunk.T.tolist())
    won = kept & [test.outcome == "won" for test in arms]
    over, wrong = pooling.overstated(effects[won], believed[:, won])
    shipped = kept & [test.shipped is True for test in arms]
    metrics = np.array([test.metric for test in arms])
    usual = Counter(metrics[shipped]).most_common(1)
    shipped &= metrics == (usual[0][0] if usual else "")
    mean, error, pull = believed[:, shipped]
    shared, sums = pull * estimated.error, np.array([effects[shipped].sum(), *[mean.sum()] * 3])
    half = pooling.Z * np.sqrt((error**2 - shared**2).sum() + shared.sum() ** 2)
    sums, side = sums + half * np.array([0, 0, -1, 1]), turn[shipped][:1].sum()
    among = sum(test.counts and test.shipped is True for test in tests)
    compounds = shipped.any() and abs(sums).max() < _MOST
    return {
        "pooled": pooling.pooled(estimated, 1 if turn[kept].sum() >= 0 else -1),
        "exaggeration": over,
        "wrong_sign": wrong,
        "impact": Impact(int(shipped.sum()), among, *(side * np.expm1(side * sums)).tolist())
        if compounds
        else None,
        "tests": tuple(
            test if test.left_out else replace(test, **dict(zip(_SHRUNK, next(ends), strict=True)))
            for test in tests
        ),
    }


def _rates(program: Program, firsts: Sequence[ProgramTest]) -> dict[str, Any]:
    """Return how many won, lost, had an effect, followed the rule, and the risk behind a win."""
    outcomes = Counter(test.outcome for test in firsts if not test.left_out)
    won, lost = (pooling.rate(outcomes[name], outcomes.total()) for name in ("won", "lost"))
    followed = [test.by_rule for test in firsts if test.by_rule is not None]
    rates: dict[str, Any] = {"by_rule": pooling.rate(sum(followed), len(followed))}
    if won is None:
        return rates
    plan, counts = (program.alpha, program.power), (won.count, won.among)
    shares = [
        pooling.success_rate(share, *plan) for share in (won.count / won.among, won.low, won.high)
    ]
    risk, high, low = (pooling.false_positive_risk(share, *plan) for share in shares)
    rates |= {"wins": won, "losses": lost, "success": Rate(*counts, *shares)}
    known = risk if 0 < shares[0] < 1 else None
    return rates | {"risk": Rate(*counts, known, low, high) if won.count else None}


def _cycles(program: Program, day: datetime.date, ideas: Sequence[Idea]) -> dict[str, Any]:
    """Return how long ideas took until they were decided, and what the standard changed."""
    days = np.array([(min(idea.decided or day, day) - idea.date).days for idea in ideas])
    decided = np.array([idea.decided is not None and idea.decided <= day for idea in ideas])
    standard = program.standardised or datetime.date.max
    since = np.array([idea.date >= standard for idea in ideas], bool)
    if not ideas:
        return {}
    groups = {"all": since | ~since}
    if since.any() and not since.all():
        groups |= {"before": ~since, "since": since}
    curves, cycles = [], []
    for name, part in groups.items():
        curve = survival.kaplan_meier(days[part], decided[part])
        still = int((part & ~decided).sum())
        median = survival.quantile(curve)
        cycles.append(CycleTime(name, int(part.sum()), still, *median, curve.longest))
        curves.append(curve)
    changed = None
    if min(sum(since), sum(~since)) >= _FEWEST and all(len(curve.days) for curve in curves):
        changed = survival.change(*curves[1:])
    known = changed and changed[1] < changed[2]
    return {"cycles": tuple(cycles), "cycle_change": changed if known else None}


def _checks(result: ProgramResult, aside: Aside, silent: Mapping[str, bool]) -> Iterator[Check]:
    """Give the checks, the blocking ones first; those that cannot tell are silent."""
    tests, wins, period = result.tests, result.wins, result.broken_period
    firsts = [test for test in tests if test.counts]
    for test in firsts:
        aside[test.left_out].append(test.test)
        aside["dates"] += [test.test] * (test.start is None)
        aside["rule"] += [test.test] * (not test.by_rule)
    aside["ratios"] = [test.test for test in firsts if test.split_fails]
    counts, metrics = (
        Counter(getattr(test, name) for test in tests) for name in ("test", "metric")
    )
    aside["arms"] = [name for name in counts if counts[name] > 1]
    aside["one_metric"] = [*metrics] * (len(metrics) > 1)
    few = len(aside[""]) < pooling.FEWEST and (firsts or not result.cycles)
    lifts = [abs(test.lift) for test in firsts if test.lift]
    aside["enough"] = [""] * bool(few)
    aside["as_percentages"] = [*counts] * bool(np.median(lifts or [0]) > _PERCENTAGES)
    if wins and bdtrc(wins.count - 1, wins.among, result.program.power) < ALARM:
        aside["selected"] = [
            test.test for test in firsts if test.outcome == "won" and not test.left_out
        ]
    inside = [test for test in firsts if is_in(period, test.start)]
    shared = {
        "all": len(firsts),
        "known": sum(test.ratio_p is not None for test in firsts),
        "inside": sum(test.split_fails for test in inside),
        "uncounted": sum(test.ratio_p is None for test in inside),
        "start": period and period.start,
        "end": period and period.end,
    }
    for name in _CHECKS.split():
        names, blocking = [*dict.fromkeys(aside[name])], name in _BLOCKING
        none = silent.get(name, False)
        status: Status = "pass" if not (names or none) else "fail" if blocking else "warn"
        values = shared | {"count": len(names), "names": names[:8]}
        detail = Message(f"program.{name}_{'none' if none else status}", values)
        yield Check(name, status, detail, float(len(names)), blocking)
