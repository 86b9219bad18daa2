"""What a program returns: its tests, what they show together, how fast it decides. No numerics."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from opslab.evidence import SourceFile
from opslab.experiments.program.spec import Program
from opslab.results import Result
from opslab.tables.import_report import Reading

FEW, LACKING, BROKEN, FALSE, BY_RULE, OVERSTATED = 10, 0.2, 0.05, 0.2, 0.8, 1.5
"""Limits of `ProgramResult.action`."""
MOST = 5
"""Leading tests, and months, that are shown."""
QUARTER = datetime.timedelta(92)
"""The last three months."""
FAILS = 0.001
"""Below this p-value a sample ratio fails."""


@dataclass(frozen=True)
class ProgramTest:
    """One test: a comparison of an arm with the control, its lift signed so that more is better.

    Attributes
    ----------
    test, arm, metric : str
    goal : str
        With ``decrease`` the sign of lift and ends is turned.
    start, end : datetime.date or None
    outcome : {"won", "lost", "open", "unknown"}
    shipped : bool or None
    by_rule : bool or None
        Whether it was decided by the rule registered beforehand.
    ratio_p : float or None
        Of the sample ratio.
    left_out : str
        Why it is not pooled, as the check that tells of it: ``ratios``, ``period``, ``broken``,
        ``effects``; empty where it is.
    lift, error, low, high, p_value : float or None
    shrunk, shrunk_low, shrunk_high : float or None
        The effect as the other tests let one believe it, with its 95 % interval.
    counts : bool
        Whether its test counts by this arm: the one that was shipped, else the first.
    """

    test: str
    arm: str
    metric: str
    goal: str
    start: datetime.date | None
    end: datetime.date | None
    outcome: str
    shipped: bool | None
    by_rule: bool | None
    ratio_p: float | None
    left_out: str
    lift: float | None
    error: float | None
    low: float | None
    high: float | None
    p_value: float | None
    shrunk: float | None = None
    shrunk_low: float | None = None
    shrunk_high: float | None = None
    counts: bool = False

    @property
    def split_fails(self) -> bool:
        """Whether its arms are off their planned shares."""
        return self.ratio_p is not None and self.ratio_p < FAILS


@dataclass(frozen=True)
class Pooled:
    """All effects together: REML, Knapp and Hartung.

    Attributes
    ----------
    count : int
    mean, low, high : float
        Average true lift, its 95 % interval.
    next_low, next_high : float
        Where the true lift of the next test lies, with 95 %.
    deviation : float
        Of true effects between tests (tau), on the scale of log(1 + lift).
    """

    count: int
    deviation: float
    mean: float
    low: float
    high: float
    next_low: float
    next_high: float


@dataclass(frozen=True)
class Rate:
    """A share with its exact 95 % interval; ``rate`` is None where only the interval is known."""

    count: int
    among: int
    rate: float | None
    low: float
    high: float


@dataclass(frozen=True)
class PeriodRatio:
    """Sample ratios of the tests that started in one month.

    Attributes
    ----------
    start : datetime.date
    tests, failures : int
        Failures: below .001.
    """

    start: datetime.date
    tests: int
    failures: int


@dataclass(frozen=True)
class BrokenPeriod:
    """The period in which units were not split as designed.

    Attributes
    ----------
    start, end : datetime.date
    tests : int
        In it: none of them is pooled.
    p_value : float
        Of a period as striking as this anywhere in the program, by permutation of the tests.
    """

    start: datetime.date
    end: datetime.date
    tests: int
    p_value: float


@dataclass(frozen=True)
class Impact:
    """What the shipped tests brought, added up.

    Attributes
    ----------
    shipped, among : int
        Tests added up, of all that were shipped: those left out are in neither sum.
    announced : float
        Their estimates compounded, as a list of winners has it.
    shrunk, low, high : float
        Shrunk effects compounded, with a 95 % interval.
    """

    shipped: int
    among: int
    announced: float
    shrunk: float
    low: float
    high: float


@dataclass(frozen=True)
class CycleTime:
    """Days from idea to decision, open ideas censored (Kaplan and Meier).

    Attributes
    ----------
    group : {"all", "before", "since"}
        Ideas written down before the standard, and since.
    ideas, open : int
    median, low, high : float or None
        Days, with the 95 % interval of Brookmeyer and Crowley; None where it is not reached.
    longest : float
        Days up to which anything is known.
    """

    group: str
    ideas: int
    open: int
    median: float | None
    low: float | None
    high: float | None
    longest: float


@dataclass(frozen=True, kw_only=True, repr=False)
class ProgramResult(Result):
    """The result of `opslab.experiments.review_program`.

    Attributes
    ----------
    program : Program
    tests : tuple of ProgramTest
    pooled : Pooled or None
        None with fewer than three tests.
    wins, losses : Rate or None
    by_rule : Rate or None
        Decided by the rule that was registered beforehand, of those that say.
    success : Rate or None
        Share of tests whose true effect is one, as the wins let one estimate it.
    risk : Rate or None
        False-positive risk of a win, its ``count`` and ``among`` those of wins.
    exaggeration, wrong_sign : float or None
        By how much wins overstate on average, and how often their sign is wrong.
    periods : tuple of PeriodRatio
    broken_period : BrokenPeriod or None
    impact : Impact or None
    cycles : tuple of CycleTime
    cycle_change : tuple or None
        (days saved on average, low, high, days up to which that is measured).
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "summary": "",
        "tests": "tests",
        "periods": "periods",
        "shipped": "",
        "cycles": "cycles",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    program: Program
    tests: tuple[ProgramTest, ...]
    pooled: Pooled | None = None
    wins: Rate | None = None
    losses: Rate | None = None
    by_rule: Rate | None = None
    success: Rate | None = None
    risk: Rate | None = None
    exaggeration: float | None = None
    wrong_sign: float | None = None
    periods: tuple[PeriodRatio, ...] = ()
    broken_period: BrokenPeriod | None = None
    impact: Impact | None = None
    cycles: tuple[CycleTime, ...] = ()
    cycle_change: tuple[float, float, float, float] | None = None
    readings: tuple[Reading, ...] = ()
    sources: tuple[SourceFile, ...] = ()

    @property
    def leading(self) -> list[ProgramTest]:
        """The tests with the largest effects, as one may believe them."""
        known = [(abs(test.shrunk), test) for test in self.tests if test.shrunk is not None]
        return [test for _, test in sorted(known, key=lambda pair: -pair[0])[:MOST]]

    @property
    def action(self) -> str:
        """What to do: the first of these that holds.

        ``stop`` where a blocking check failed; ``wait`` below 10 pooled effects; ``complete`` where
        more than 20 % of the tests have no effect, or clearly more won than the power lets win;
        ``repair`` where more than 1 in 20 tests of the last three months, or without a date, had a
        broken split; ``confirm`` above 20 % false-positive risk; ``rule`` unless 80 % are known to
        have followed the registered rule; ``bolder`` without a win; ``losing`` where more lost than
        won and the average is below 0; ``larger`` where wins promise at least 1.5 times what is to
        be believed of them, or nothing is; else ``trust``.
        """
        pooled, wins, risk = self.pooled, self.wins, self.risk
        if self.broken:
            return "stop"
        if not pooled or pooled.count < FEW or not wins or not self.losses:
            return "wait"
        tests = [test for test in self.tests if test.counts]
        last = self.as_of and self.as_of - QUARTER
        recent = [
            test.split_fails
            for test in tests
            if test.ratio_p is not None and not (test.start and last and test.start < last)
        ]
        lacking = sum(test.left_out == "effects" for test in tests)
        by_rule = sum(bool(test.by_rule) for test in tests)
        holds = {
            "complete": lacking > LACKING * len(tests) or self.check("selected").status != "pass",
            "repair": sum(recent) > BROKEN * len(recent),
            "confirm": risk and (risk.high if risk.rate is None else risk.rate) > FALSE,
            "rule": by_rule < BY_RULE * len(tests),
            "bolder": not wins.count,
            "losing": self.losses.count > wins.count and pooled.mean < 0,
            "larger": self.exaggeration is None or self.exaggeration >= OVERSTATED,
            "trust": True,
        }
        return next(name for name, true in holds.items() if true)
