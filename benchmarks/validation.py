"""Check by simulation that tests and intervals keep the rates they promise; write docs/validation.md."""

import argparse
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, sqrt
from pathlib import Path

import numpy as np
from scipy.special import bdtr, ndtri, stdtrit

from opslab.experiments.covariates import Contrast, contrast
from opslab.experiments.cross_moments import CrossMoments
from opslab.experiments.effects import Lift, Welch, fieller, non_inferiority, welch
from opslab.experiments.proportions import miettinen_nurminen_difference, miettinen_nurminen_lift, score_test
from opslab.experiments.quantiles import OrderStatistics, quantile_contrast, ranks
from opslab.experiments.sample_ratio import sample_ratio

SEED = 20260901
ERRORS_ALLOWED = 3  # with some forty rows, two errors would cry wolf twice in each run
CLOSE = 0.001  # for exact rates, which have no error: a tenth of a percentage point
BLOCK = 2_000_000  # values drawn at a time
PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"

Moments = tuple[float, float, int, float, float, int]
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One line of the table: a method in a situation, what it promises and what it did."""

    method: str
    situation: str
    experiments: int | None  # None: every possible outcome, weighted by its probability
    promise: str  # "coverage" or "false alarms"
    rate: float
    nominal: float
    why: str = ""

    @property
    def error(self) -> float:
        """Standard error of the rate when the nominal one is true."""
        if self.experiments is None:
            return 0.0
        return sqrt(self.nominal * (1 - self.nominal) / self.experiments)

    @property
    def verdict(self) -> str:
        """Whether the rate is the promised one, or in which direction it misses."""
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
        nominal = f"{self.nominal:.1%}"
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
        for mean_arm, variance_arm, mean_control, variance_control in np.column_stack(columns).tolist():
            yield mean_arm, variance_arm, n_arm, mean_control, variance_control, n_control


def normal(mean: float, deviation: float) -> Draw:
    """Return a source of normal values."""
    return lambda random, shape: random.normal(mean, deviation, shape)


def spending(factor: float = 1.0) -> Draw:
    """Return a source of skewed amounts: lognormal, log deviation 1.5, mean 3.08 x factor, skewness 33."""
    return lambda random, shape: random.lognormal(0.0, 1.5, shape) * factor


def lift_of(one: Moments, result: Welch) -> Lift:
    """Return the unadjusted Fieller lift of one experiment."""
    error_control = one[4] / one[5]
    return fieller(
        result.difference,
        result.standard_error**2,
        one[3],
        error_control,
        -error_control,
        result.degrees_of_freedom,
    )


def means(experiments: int) -> Iterator[Row]:
    """Welch's test and interval."""
    skewed = "the long tail leaves the estimate and its error tied together"
    mean_spending = np.exp(1.5**2 / 2)
    situations = [
        ("normal, 20 an arm, no effect", (normal(5, 2), 20), (normal(5, 2), 20), 0.0, ""),
        ("normal, 500 an arm, no effect", (normal(5, 2), 500), (normal(5, 2), 500), 0.0, ""),
        (
            "100 against 1,000, deviation 3 against 1, no effect",
            (normal(5, 3), 100),
            (normal(5, 1), 1000),
            0.0,
            "",
        ),
        ("skewed spending, 200 an arm, no effect", (spending(), 200), (spending(), 200), 0.0, skewed),
        ("skewed spending, 2,000 an arm, no effect", (spending(), 2000), (spending(), 2000), 0.0, skewed),
        ("skewed spending, 200 against 2,000, no effect", (spending(), 200), (spending(), 2000), 0.0, skewed),
        (
            "skewed spending, 2,000 an arm, arm 10 % higher",
            (spending(1.1), 2000),
            (spending(), 2000),
            0.1 * mean_spending,
            skewed,
        ),
    ]
    for name, arm, control, truth, why in situations:
        covered = rejected = 0
        for one in moments(name, experiments, arm, control):
            result = welch(*one)
            covered += result.low <= truth <= result.high
            rejected += result.p_value < 0.05
        yield Row("Welch interval", name, experiments, "coverage", covered / experiments, 0.95, why)
        if truth == 0:
            yield Row("Welch test", name, experiments, "false alarms", rejected / experiments, 0.05, why)


def lifts(experiments: int) -> Iterator[Row]:
    """Fieller's interval, and beside it the absolute interval divided by the control mean."""
    ignored = "the error of the control mean is ignored"
    for errors_away, true_lift in ((3, 0.1), (20, 0.1), (20, 0.5)):
        # 100 units an arm with deviation 1: the standard error of the control mean is 0.1.
        baseline = errors_away * 0.1
        name = f"control mean {errors_away} standard errors from 0, true lift {true_lift:.0%}"
        covered = covered_naive = unbounded = 0
        arms = (normal(baseline * (1 + true_lift), 1), 100), (normal(baseline, 1), 100)
        for one in moments(name, experiments, *arms):
            result = welch(*one)
            lift = lift_of(one, result)
            scale = abs(one[3])
            covered_naive += result.low / scale <= true_lift <= result.high / scale
            if lift.low is None or lift.high is None:
                unbounded += 1
            else:
                covered += lift.low <= true_lift <= lift.high
        share = f", {unbounded / experiments:.1%} of intervals unbounded" if unbounded else ""
        why = "an unbounded interval counts as covering, though it says only that the lift is not known"
        rate = (covered + unbounded) / experiments
        yield Row("Fieller lift", name + share, experiments, "coverage", rate, 0.95, why)
        if unbounded:
            bounded = experiments - unbounded
            chosen = "bounded intervals only; those that happen to be bounded are not a fair sample"
            label = f"{name}, bounded intervals only"
            yield Row("Fieller lift", label, bounded, "coverage", covered / bounded, 0.95, chosen)
        rate = covered_naive / experiments
        label = "absolute interval / control mean (not used)"
        yield Row(label, name, experiments, "coverage", rate, 0.95, ignored)


def proportions() -> Iterator[Row]:
    """Score test and Miettinen-Nurminen intervals, over every possible pair of counts."""
    discrete = "counts come in steps, so no rate can be met exactly"
    situations = [(0.02, 0.02, 100, 100), (0.1, 0.1, 50, 200), (0.5, 0.5, 40, 40), (0.15, 0.1, 200, 200)]
    for p_arm, p_control, n_arm, n_control in situations:
        name = f"{p_arm:.0%} of {n_arm} against {p_control:.0%} of {n_control}"
        difference, lift = p_arm - p_control, p_arm / p_control - 1
        in_difference = in_lift = rejected = 0.0
        for x_arm, chance_arm in outcomes(n_arm, p_arm):
            for x_control, chance_control in outcomes(n_control, p_control):
                chance = chance_arm * chance_control
                if chance < 1e-9:
                    continue
                counts = (x_arm, n_arm, x_control, n_control)
                low, high = miettinen_nurminen_difference(*counts)
                in_difference += chance * (low <= difference <= high)
                low, limit = miettinen_nurminen_lift(*counts)
                in_lift += chance * (low <= lift <= (inf if limit is None else limit))
                rejected += chance * (score_test(*counts).p_value < 0.05)
        yield Row("Miettinen-Nurminen difference", name, None, "coverage", in_difference, 0.95, discrete)
        yield Row("Miettinen-Nurminen lift", name, None, "coverage", in_lift, 0.95, discrete)
        if difference == 0:
            yield Row("score test", name, None, "false alarms", rejected, 0.05, discrete)


def outcomes(n: int, p: float) -> list[tuple[int, float]]:
    """Return each number of successes with its binomial probability, the negligible ones left out."""
    cumulative = np.concatenate([[0.0], bdtr(np.arange(n + 1), n, p)])
    return [(x, chance) for x, chance in enumerate(np.diff(cumulative).tolist()) if chance > 1e-9]


def cross(columns: np.ndarray) -> CrossMoments:
    """Return the cross moments of one arm's columns."""
    means = columns.mean(0)
    apart = columns - means
    return CrossMoments(
        len(columns), len(columns), tuple(means.tolist()), tuple(map(tuple, (apart.T @ apart).tolist()))
    )


def covers(found: Contrast, truth: float) -> bool:
    """Whether the 95 % interval of a contrast holds the truth."""
    return abs(found.difference - truth) <= stdtrit(found.degrees_of_freedom, 0.975) * sqrt(found.variance)


def covariates(experiments: int) -> Iterator[Row]:
    """Covariate adjustment and ratios: the interval of the difference."""
    for slopes in ((1.5, 0.5), (2.0, 0.0)):
        for sizes in ((150, 450), (450, 150)):
            name = f"slopes {slopes[0]:g} and {slopes[1]:g}, {sizes[0]} against {sizes[1]} units"
            random, held, narrow = generator(name), 0, 0
            for _ in range(experiments):
                sides = []
                for slope, n in zip(slopes, sizes, strict=True):
                    x = random.normal(0, 1, n)
                    sides.append(cross(np.column_stack([slope * x + random.normal(0, 0.5, n), x])))
                found = contrast(*sides, 1, (1,), (0,))
                held += covers(found, 0.0)
                apart = slopes[0] - slopes[1]
                narrow += covers(found._replace(variance=found.variance - apart**2 / sum(sizes)), 0.0)
            yield Row("Covariates", name, experiments, "coverage", held / experiments, 0.95)
            why = "shown to say why the extra term is needed; no readout does this"
            without = "Covariates, without the extra term"
            yield Row(without, name, experiments, "coverage", narrow / experiments, 0.95, why)
    for n in (100, 1_000):
        name = f"orders per visit, skewed visits, {n} against {2 * n} units"
        random, held = generator(name), 0
        for _ in range(experiments):
            sides = []
            for size in (n, 2 * n):
                visits = random.geometric(0.25, size)
                sides.append(cross(np.column_stack([random.poisson(0.3 * visits), visits])))
            held += covers(contrast(*sides, 2), 0.0)
        yield Row("Ratio", name, experiments, "coverage", held / experiments, 0.95)


def quantiles(experiments: int) -> Iterator[Row]:
    """Quantiles by order statistics: the interval of the difference."""
    for quantile, sizes in (
        (0.5, (200, 400)),
        (0.9, (200, 400)),
        (0.9, (2_000, 2_000)),
        (0.99, (2_000, 6_000)),
    ):
        name = f"quantile {quantile:g} of skewed amounts, {sizes[0]} against {sizes[1]} units"
        random, held, truth = generator(name), 0, float(np.exp(1.5 * ndtri(quantile)))
        for _ in range(experiments):
            sides = []
            for size, factor in zip(sizes, (1.2, 1.0), strict=True):
                values = np.sort(random.lognormal(0.0, 1.5, size)) * factor
                places = ranks(size, quantile, 0.95)
                sides.append(OrderStatistics(*(float(values[place - 1]) for place in places or ())))
            held += covers(quantile_contrast(*sides, 0.95), 0.2 * truth)
        yield Row("Quantile", name, experiments, "coverage", held / experiments, 0.95,
                  "the spacing of order statistics is skewed in a short tail")  # fmt: skip


def sample_ratios(experiments: int) -> Iterator[Row]:
    """Sample ratio alarms when the assignment works as designed."""
    experiments *= 10  # rare alarms need more experiments, and these are cheap
    for units, weights in ((10_000, (1, 1)), (10_000, (2, 1, 1)), (200, (1, 1)), (200, (95, 5))):
        name = f"{units:,} units, designed {':'.join(map(str, weights))}"
        shares = np.array(weights) / sum(weights)
        found = generator(name).multinomial(units, shares, experiments)
        p_values = np.array([sample_ratio(counts, weights).p_value for counts in found.tolist()])
        for alpha in (0.01, 0.001):
            rate = float((p_values < alpha).mean())
            why = "few units, so the counts come in steps"
            yield Row("sample ratio test", name, experiments, "false alarms", rate, alpha, why)


def non_inferiorities(experiments: int) -> Iterator[Row]:
    """Non-inferiority declared although the arm is worse by exactly the margin."""
    experiments *= 4  # the rate is small, so its error is relatively large
    situations = [
        ("absolute margin 0.5, 200 an arm", 9.5, 10.0, 200, 0.5, False),
        ("relative margin 5 %, 200 an arm", 9.5, 10.0, 200, 0.05, True),
        ("relative margin 20 %, 100 against 1,000", 8.0, 10.0, 100, 0.2, True),
        ("relative margin 5 %, negative baseline", -10.5, -10.0, 200, 0.05, True),
    ]
    for name, mean_arm, mean_control, n_arm, margin, relative in situations:
        n_control = 1000 if "1,000" in name else 200
        arms = (normal(mean_arm, 3), n_arm), (normal(mean_control, 2), n_control)
        passed = sum(
            non_inferiority(*one, margin, "increase", relative=relative).p_value < 0.025
            for one in moments(name, experiments, *arms)
        )
        label = f"{name}, loss equal to the margin"
        yield Row("non-inferiority", label, experiments, "false alarms", passed / experiments, 0.025)


def page(rows: list[Row], experiments: int) -> str:
    """Return the Markdown page."""
    missed = [row for row in rows if "too much" in row.verdict and "not used" not in row.method]
    worst = "\n".join(
        f"- **{row.method}**, {row.situation}: {row.promise} {row.rate:.2%} instead of {row.nominal:.1%} "
        f"({row.why or 'unexplained'})."
        for row in missed
    )
    table = "\n".join(row.line() for row in rows)
    return f"""# Do the tests and intervals keep their promises?

A 95 % interval promises to hold the true value in 95 of 100 experiments. A test at .05 promises a false
alarm in 5 of 100 experiments without an effect. This page checks the promises on made-up experiments whose
truth is known, by calling the very functions that the readouts call.

How to read the table:

- **coverage**: share of experiments whose interval held the true value; more is cautious, less is too bold.
- **false alarms**: share of experiments without an effect (for non-inferiority: with a loss equal to the
  margin; for the sample ratio: with a working assignment) that were flagged all the same.
- **±**: one standard error of the simulation, at the promised rate. "Within error" means within
  {ERRORS_ALLOWED} of them.
- **all outcomes**: nothing is simulated; each possible pair of counts enters with its probability, so the
  rate is exact. Counts come in steps, so such a rate never equals the promise to the last digit.
- **told**: the rate differs from the promise. *Cautious* costs some power; *promises too much* is the
  dangerous side.

## Where a method promises too much

{worst or "Nowhere in these situations."}

Three lessons:

- A heavy tail with few units can break a method that rests on the mean. With equal arms the skew of the
  two arms cancels and the test errs on the cautious side; with unequal arms it does not cancel. Cap the
  metric, or give the arms equal shares.
- Never divide the limits of a difference by the control mean to get the limits of a lift: the interval is
  too short, and the larger the true lift, the worse.
- Small counts of a proportion move in steps: an exact 95 % does not exist there, and the score methods stay
  near it on average rather than always above it.

## The table

| method | situation | experiments | what is counted | found | promised | verdict |
|---|---|---|---|---|---|---|
{table}

## Make this page again

`make validation`, which runs `python benchmarks/validation.py --experiments {experiments}`. The seed is
fixed ({SEED}), each situation has its own random numbers, and the same versions of the libraries give the
same page.
"""


def main() -> None:
    """Run all situations and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=10_000, help="simulated experiments per situation")
    experiments = parser.parse_args().experiments
    rows: list[Row] = []
    for part in (
        means(experiments),
        lifts(experiments),
        proportions(),
        covariates(experiments),
        quantiles(experiments),
        sample_ratios(experiments),
        non_inferiorities(experiments),
    ):
        for row in part:
            print(row.line(), flush=True)
            rows.append(row)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(rows, experiments), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
