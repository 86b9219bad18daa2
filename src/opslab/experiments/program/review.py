"""What many experiments show together, and how fast they decide."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from opslab.experiments.program import cycle_time, pooling
from opslab.experiments.program.broken_period import FAILS, LEAST, broken_period, by_month, is_in
from opslab.experiments.program.intake import Aside, take_in
from opslab.experiments.program.result import CycleTime, Impact, ProgramResult, ProgramTest, Rate
from opslab.experiments.program.spec import Idea, Program
from opslab.messages import Language
from opslab.results import Check, Message, Status
from opslab.tables.sheets import read_sheet, source_files

_BLOCKING = ("enough", "as_percentages")
_CHECKS = (
    "enough as_percentages ratios period dates effects broken rule arms one_metric repeated later "
    "altered metrics"
)


def review_program(
    program: Program,
    data: Any = None,
    as_of: datetime.date | None = None,
    language: Language = "en",
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

    Raises
    ------
    DataError, SpecError
        With what contradicts itself: file, row, what, and what to do.
    """
    day = as_of or program.date
    tests, aside, reading = take_in(program, day, data)
    sheet = read_sheet(program, program.ideas, Idea, "program-ideas")
    known = {test.test: (test.start, test.ratio_p) for test in tests if test.ratio_p is not None}
    ratios = [(start, p_value) for start, p_value in known.values() if start]
    period = broken_period(ratios)
    tests = [replace(test, left_out=_left_out(test, period)) for test in tests]
    _, places = np.unique([test.test for test in tests], return_index=True)
    firsts = [tests[at] for at in sorted(places)]
    kept = [at for at in sorted(places) if not tests[at].left_out]
    numbers = {"tests": tuple(tests)} | _rates(program, firsts)
    if len(kept) >= pooling.FEWEST:
        numbers |= _together(tests, kept)
    silent = {"ratios": not known, "period": len(ratios) < LEAST}
    readings = tuple(filter(None, (reading, sheet.reading)))
    return ProgramResult(
        program=program,
        as_of=day,
        language=language,
        **numbers,
        periods=by_month(ratios),
        broken_period=period,
        **_cycles(program, day, [idea for _, idea in sheet.rows if idea.date <= day]),
        readings=readings,
        sources=source_files(program, readings, len(firsts)),
        checks=tuple(_checks(tests, firsts, aside, silent, bool(sheet.rows))),
    )


def _left_out(test: ProgramTest, period: Any) -> str:
    """Return why a test is not pooled."""
    if test.left_out != "broken" and is_in(period, test.start):
        return "period"
    fails = test.ratio_p is not None and test.ratio_p < FAILS
    return test.left_out or "ratios" * fails


def _together(tests: Sequence[ProgramTest], kept: Sequence[int]) -> dict[str, Any]:
    """Return the average, what it lets one believe of each test, and of what was shipped.

    On the scale of log(1 + lift): a ratio's error grows with its estimate, and losses would weigh
    more than wins. What was shipped is compounded on the metric of most of it; of a shipped test
    that is left out the average is believed.
    """
    lifts = [test.lift if test.lift and -1 < test.lift < np.inf else 0.0 for test in tests]
    effects = np.log1p(lifts)
    errors = np.array([np.inf if test.left_out else test.error for test in tests], float)
    errors /= np.add(lifts, 1)
    estimated = pooling.random_effects(effects[kept], errors[kept])
    believed = np.array(pooling.shrink(estimated, effects, errors))
    won = [at for at in kept if tests[at].outcome == "won"]
    shipped = [at for at, test in enumerate(tests) if test.shipped and lifts[at]]
    metrics = Counter(tests[at].metric for at in shipped).most_common(1)
    shipped = [at for at in shipped if tests[at].metric == metrics[0][0]]
    mean, error, pull = believed[:, shipped]
    shared, sums = pull * estimated.error, np.array([effects[shipped].sum(), *[mean.sum()] * 3])
    half = pooling.Z * np.sqrt((error**2 - shared**2).sum() + shared.sum() ** 2)
    impact = Impact(len(shipped), *np.expm1(sums + half * np.array([0, 0, -1, 1])).tolist())
    over, wrong = pooling.overstated(effects[won], believed[:, won])
    mean, error, _ = believed
    shrunk = np.expm1(mean + pooling.Z * error * [[0], [-1], [1]]).T.tolist()
    return {
        "pooled": pooling.pooled(estimated),
        "exaggeration": over,
        "wrong_sign": wrong,
        "impact": impact if shipped else None,
        "tests": tuple(
            test if test.left_out else replace(test, shrunk=mean, shrunk_low=low, shrunk_high=high)
            for test, (mean, low, high) in zip(tests, shrunk, strict=True)
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
    shares = [pooling.success_rate(share, *plan) for share in (won.rate, won.low, won.high)]
    risk, high, low = (pooling.false_positive_risk(share, *plan) for share in shares)
    rates |= {"wins": won, "losses": lost, "success": Rate(*counts, *shares)}
    return rates | {"risk": Rate(*counts, risk, low, high) if won.count else None}


def _cycles(program: Program, day: datetime.date, ideas: Sequence[Idea]) -> dict[str, Any]:
    """Return how long ideas took until they were decided, and what the standard changed."""
    days = np.array([(min(idea.decided or day, day) - idea.date).days for idea in ideas])
    decided = np.array([idea.decided is not None and idea.decided <= day for idea in ideas])
    since = np.array([idea.date >= (program.standardised or day) for idea in ideas], bool)
    if not ideas:
        return {}
    groups = {"all": since | ~since}
    if since.any() and not since.all():
        groups |= {"before": ~since, "since": since}
    curves, cycles = [], []
    for name, part in groups.items():
        curve = cycle_time.kaplan_meier(days[part], decided[part])
        still = int((part & ~decided).sum())
        median = cycle_time.median_days(curve)
        cycles.append(CycleTime(name, int(part.sum()), still, *median, curve.longest))
        curves.append(curve)
    changed = cycle_time.change(*curves[1:]) if len(groups) > 1 else None
    return {"cycles": tuple(cycles), "cycle_change": changed}


def _checks(
    tests: Sequence[ProgramTest],
    firsts: Sequence[ProgramTest],
    aside: Aside,
    silent: Mapping[str, bool],
    ideas: bool,
) -> Iterator[Check]:
    """Give the checks, the blocking ones first; those that cannot tell are silent."""
    for test in firsts:
        aside[test.left_out].append(test.test)
        aside["dates"] += [test.test] * (test.start is None)
        aside["rule"] += [test.test] * (not test.by_rule)
    counts, metrics = (
        Counter(getattr(test, name) for test in tests) for name in ("test", "metric")
    )
    aside["arms"] = [name for name in counts if counts[name] > 1]
    aside["one_metric"] = [*metrics] * (len(metrics) > 1)
    few = len(aside[""]) < pooling.FEWEST and (firsts or not ideas)
    percentages = np.median([abs(test.lift) for test in firsts if test.lift] or [0]) > 1
    aside |= {"enough": [""] * bool(few), "as_percentages": [*counts] * bool(percentages)}
    for name in _CHECKS.split():
        names, blocking = aside[name], name in _BLOCKING
        none = silent.get(name, False)
        status: Status = "pass" if not (names or none) else "fail" if blocking else "warn"
        values = {"count": len(names), "all": len(firsts), "names": [*dict.fromkeys(names)][:8]}
        detail = Message(f"program.{name}_{'none' if none else status}", values)
        yield Check(name, status, detail, float(len(names)), blocking)
