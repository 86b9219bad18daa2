"""The tests and intervals of one comparison: means, lifts, proportions, covariates, ratios, quantiles."""

from collections.abc import Iterator
from math import inf

import numpy as np
from scipy.special import bdtr, ndtri

from opslab.experiments.inference.covariates import contrast
from opslab.experiments.inference.effects import Lift, Welch, fieller, non_inferiority_p, welch
from opslab.experiments.inference.proportions import (
    miettinen_nurminen_difference,
    miettinen_nurminen_lift,
    score_test,
)
from opslab.experiments.inference.quantiles import OrderStatistics, quantile_contrast, ranks
from simulations import Moments, Row, covers, cross, generator, moments, normal, spending


def estimates(one: Moments, result: Welch) -> tuple[float, ...]:
    """Return one experiment as `fieller` and `non_inferiority_p` take it."""
    error = one[4] / one[5]
    variance, freedom = result.standard_error**2, result.degrees_of_freedom
    return result.difference, variance, one[3], error, -error, freedom


def lift_of(one: Moments, result: Welch) -> Lift:
    """Return the unadjusted Fieller lift of one experiment."""
    return fieller(*estimates(one, result))


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
        (
            "skewed spending, 200 an arm, no effect",
            (spending(), 200),
            (spending(), 200),
            0.0,
            skewed,
        ),
        (
            "skewed spending, 2,000 an arm, no effect",
            (spending(), 2000),
            (spending(), 2000),
            0.0,
            skewed,
        ),
        (
            "skewed spending, 200 against 2,000, no effect",
            (spending(), 200),
            (spending(), 2000),
            0.0,
            skewed,
        ),
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
            yield Row(
                "Welch test", name, experiments, "false alarms", rejected / experiments, 0.05, why
            )


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


def proportions(_experiments: int) -> Iterator[Row]:
    """Score test and Miettinen-Nurminen intervals, over every possible pair of counts."""
    discrete = "counts come in steps, so no rate can be met exactly"
    situations = [
        (0.02, 0.02, 100, 100),
        (0.1, 0.1, 50, 200),
        (0.5, 0.5, 40, 40),
        (0.15, 0.1, 200, 200),
    ]
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
        yield Row(
            "Miettinen-Nurminen difference", name, None, "coverage", in_difference, 0.95, discrete
        )
        yield Row("Miettinen-Nurminen lift", name, None, "coverage", in_lift, 0.95, discrete)
        if difference == 0:
            yield Row("score test", name, None, "false alarms", rejected, 0.05, discrete)


def outcomes(n: int, p: float) -> list[tuple[int, float]]:
    """Return each number of successes with its binomial probability, the negligible ones left out."""
    cumulative = np.concatenate([[0.0], bdtr(np.arange(n + 1), n, p)])
    return [(x, chance) for x, chance in enumerate(np.diff(cumulative).tolist()) if chance > 1e-9]


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
                narrow += covers(
                    found._replace(variance=found.variance - apart**2 / sum(sizes)), 0.0
                )
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
        yield Row(
            "Quantile",
            name,
            experiments,
            "coverage",
            held / experiments,
            0.95,
            "the spacing of order statistics is skewed in a short tail",
        )


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
            non_inferiority_p(
                *estimates(drawn, welch(*drawn)), margin, "increase", relative=relative
            )
            < 0.025
            for drawn in moments(name, experiments, *arms)
        )
        label = f"{name}, loss equal to the margin"
        yield Row(
            "non-inferiority", label, experiments, "false alarms", passed / experiments, 0.025
        )
