"""Simulated experiments: random numbers by situation, moments in bulk, and the rates that come of them."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from opslab.experiments.inference.comparisons import Side
from opslab.experiments.inference.covariates import Contrast
from opslab.experiments.moments.arm_moments import CrossMoments
from opslab.experiments.moments.arm_moments import Moments as OfColumn
from opslab.experiments.result import Comparison

SEED = 20260901
ERRORS_ALLOWED = 3  # with many rows, two errors would cry wolf several times in each run
CLOSE = 0.001  # for exact rates, which have no error: a tenth of a percentage point
BLOCK = 2_000_000  # values drawn at a time

Moments = tuple[float, float, int, float, float, int]
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One line of the table: a method in a situation, what it promises and what it did."""

    method: str
    situation: str
    experiments: int | None  # None: every possible outcome, weighted by its probability
    promise: str  # "coverage", "false alarms", or what is counted
    rate: float
    nominal: float | None  # None: no rate is promised
    why: str = ""

    @property
    def error(self) -> float:
        """Standard error of the rate when the nominal one is true."""
        if self.experiments is None:
            return 0.0
        rate = self.rate if self.nominal is None else self.nominal
        return sqrt(rate * (1 - rate) / self.experiments)

    @property
    def verdict(self) -> str:
        """Whether the rate is the promised one, or in which direction it misses."""
        if self.nominal is None:
            return f"no rate is promised{'; ' + self.why if self.why else ''}"
        if self.experiments and abs(self.rate - self.nominal) <= ERRORS_ALLOWED * self.error:
            return "within error"
        if self.experiments is None and abs(self.rate - self.nominal) <= CLOSE:
            return f"within {CLOSE * 100:.1f} points"
        cautious = (self.rate > self.nominal) == (self.promise == "coverage")
        side = "cautious" if cautious else "**promises too much**"
        return f"told: {side}{'; ' + self.why if self.why else ''}"

    def line(self) -> str:
        """Return the line of the Markdown table."""
        exact = self.experiments is None
        count = "all outcomes" if exact else f"{self.experiments:,}"
        rate = f"{self.rate:.2%}" if exact else f"{self.rate:.2%} ± {self.error:.2%}"
        nominal = "" if self.nominal is None else f"{self.nominal:.1%}"
        cells = (self.method, self.situation, count, self.promise, rate, nominal, self.verdict)
        return f"| {' | '.join(cells)} |"


def generator(name: str) -> np.random.Generator:
    """Return the random numbers of one situation; they stay when another situation is added."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def moments(
    name: str, experiments: int, arm: tuple[Draw, int], control: tuple[Draw, int]
) -> Iterator[Moments]:
    """Yield each simulated experiment's moments."""
    random = generator(name)
    (draw_arm, n_arm), (draw_control, n_control) = arm, control
    block = max(1, BLOCK // (n_arm + n_control))
    for start in range(0, experiments, block):
        size = min(block, experiments - start)
        x, y = draw_arm(random, (size, n_arm)), draw_control(random, (size, n_control))
        columns = [x.mean(1), x.var(1, ddof=1), y.mean(1), y.var(1, ddof=1)]
        for mean_arm, variance_arm, mean_control, variance_control in np.column_stack(
            columns
        ).tolist():
            yield mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control


def normal(mean: float, deviation: float) -> Draw:
    """Return a source of normal values."""
    return lambda random, shape: random.normal(mean, deviation, shape)


def spending(factor: float = 1.0) -> Draw:
    """Return a source of skewed amounts: lognormal, log deviation 1.5, mean 3.08 x factor, skewness 33."""
    return lambda random, shape: random.lognormal(0.0, 1.5, shape) * factor


def cross(columns: np.ndarray) -> CrossMoments:
    """Return the cross moments of one arm's columns."""
    means = columns.mean(0)
    apart = columns - means
    return CrossMoments(len(columns), len(columns), means, apart.T @ apart)


def side_of(name: str, moments: OfColumn | CrossMoments, missing: int = 0) -> Side[CrossMoments]:
    """Return an arm of a comparison."""
    known = moments.cross(moments.n) if isinstance(moments, OfColumn) else moments
    return Side(name, known, missing)


def covers(found: Contrast, truth: float) -> bool:
    """Whether the 95 % interval of a contrast holds the truth."""
    return abs(found.difference - truth) <= stdtrit(found.degrees_of_freedom, 0.975) * sqrt(
        found.variance
    )


def blocks(experiments: int, values: int) -> Iterator[int]:
    """Yield numbers of experiments that make up the whole, so many values each, for bounded memory."""
    block = max(1, BLOCK // values)
    for start in range(0, experiments, block):
        yield min(block, experiments - start)


def of_columns(values: np.ndarray) -> list[OfColumn]:
    """Return the moments of each experiment's values, shape (experiments, n)."""
    means = values.mean(1)
    squares = ((values - means[:, None]) ** 2).sum(1)
    n = values.shape[1]
    return [OfColumn(n, *pair) for pair in zip(means.tolist(), squares.tolist(), strict=True)]


def of_rows(*columns: np.ndarray) -> list[CrossMoments]:
    """Return the cross moments of each experiment's columns, each of shape (experiments, n)."""
    values = np.stack(columns, axis=-1)
    means = values.mean(1)
    apart = values - means[:, None, :]
    scatter = np.einsum("eni,enj->eij", apart, apart)
    n = values.shape[1]
    return [
        CrossMoments(n, n, mean, products) for mean, products in zip(means, scatter, strict=True)
    ]


def singles(*columns: np.ndarray) -> list[list[CrossMoments]]:
    """Return, for each experiment, the cross moments of its single units; columns as in `of_rows`."""
    nothing = np.zeros((len(columns), len(columns)))
    return [
        [CrossMoments(1, 1, unit, nothing) for unit in units]
        for units in np.stack(columns, axis=-1)
    ]


def rates(
    method: str,
    situation: str,
    found: Iterable[Comparison],
    truth: float,
    why: str = "",
    *,
    alarms: bool | None = None,
) -> Iterator[Row]:
    """Yield the coverage of the intervals, and where the truth is no effect the false alarms at .05.

    Comparisons that were refused are counted apart: the rates are those of the others.
    """
    covered = rejected = made = refused = 0
    for one in found:
        low, high = one.difference_interval
        if low is None or high is None or one.p_value is None:
            refused += 1
            continue
        made += 1
        covered += low <= truth <= high
        rejected += one.p_value < 0.05
    if refused:
        situation += f" ({refused / (made + refused):.1%} refused)"
    yield Row(method, situation, made, "coverage", covered / made, 0.95, why)
    if truth == 0 if alarms is None else alarms:
        yield Row(method, situation, made, "false alarms", rejected / made, 0.05, why)
