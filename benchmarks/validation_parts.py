"""Effects in parts: segments and their interaction, effects by day since exposure, triggered units, caps."""

from collections.abc import Iterator

import numpy as np

from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.comparisons import compare
from opslab.experiments.inference.metric_columns import metric_columns
from opslab.experiments.inference.over_time import trend
from opslab.experiments.inference.segments import by_segment
from opslab.experiments.metrics import Mean
from opslab.experiments.moments.arm_moments import ArmMoments, Moments
from opslab.experiments.result import Comparison, Interaction
from opslab.experiments.spec import Experiment
from opslab.experiments.units.trigger import Cell, diluted
from simulations import Row, blocks, generator, of_columns, rates, side_of

MEANS = {
    name: Mean(name=name, type="mean", column=name, role="primary", goal="increase")
    for name in ("a", "b")
}
EXPERIMENT = Experiment(
    experiment="simulated",
    unit="unit",
    arms={"column": "arm", "control": "control"},
    metrics=[*MEANS.values()],
)
MEASURED = {name: metric_columns(metric) for name, metric in MEANS.items()}
SHARES = (0.3, 0.2, 0.15, 0.12, 0.1, 0.06, 0.04, 0.03)


def in_segments(
    name: str,
    experiments: int,
    sizes: list[tuple[int, int]],
    log_deviation: float,
    effects: list[float],
) -> Iterator[tuple[list[Comparison], list[Interaction]]]:
    """Yield each experiment's effects and interactions on two metrics, as a readout makes them.

    The second metric shares half of its logarithm with the first; a segment's level and effect are
    its own.
    """
    random = generator(name)
    for size in blocks(experiments, 3 * sum(map(sum, sizes))):
        levels = []
        for level, counts in enumerate(sizes):
            arms = []
            for side, n in enumerate(counts):
                first, second = random.normal(0, 1, (2, size, n))
                both = (first, (first + second) / np.sqrt(2))
                added = effects[level] * (side == 0)
                arms.append(
                    [
                        of_columns((1 + level / 4) * np.exp(log_deviation * one) + added)
                        for one in both
                    ]
                )
            levels.append(arms)
        for place in range(size):
            found = {
                str(level): {
                    label: ArmMoments(
                        sizes[level][side],
                        {
                            one.own[0]: arms[side][k][place]
                            for k, one in enumerate(MEASURED.values())
                        },
                        {one.own[0]: 0 for one in MEASURED.values()},
                    )
                    for side, label in enumerate(("arm", "control"))
                }
                for level, arms in enumerate(levels)
            }
            segments = {"segment": {level: {None: arms} for level, arms in found.items()}}
            yield by_segment(Grounds(EXPERIMENT, None, None, MEASURED, {}, None, None, segments))


def segments(experiments: int) -> Iterator[Row]:
    """The test of interaction, and the family of the segments' own effects."""
    two, eight = [(600, 600), (300, 300)], [(round(4000 * share),) * 2 for share in SHARES]
    uneven = [(round(1000 * share), round(6000 * share)) for share in SHARES]
    tail = "the long tail leaves an effect and its error tied together, and the test weighs by the errors"
    situations = (
        ("2 segments, 600 and 300 an arm, mild skew", two, 0.5, ""),
        ("2 segments, 600 and 300 an arm, skewed spending", two, 1.5, tail),
        ("8 segments, 120 to 1,200 an arm, mild skew", eight, 0.5, ""),
        ("8 segments, 120 to 1,200 an arm, skewed spending", eight, 1.5, tail),
        ("8 segments, 30 to 300 against 180 to 1,800, skewed", uneven, 1.0, tail),
    )
    for name, sizes, log_deviation, why in situations:
        crossed = anything = 0
        for found, tests in in_segments(
            name, experiments, sizes, log_deviation, [0.0] * len(sizes)
        ):
            crossed += tests[0].p_value is not None and tests[0].p_value < 0.05
            anything += min(one.p_adjusted for one in found) < 0.05
        label = f"{name}, no effect"
        yield Row(
            "Interaction test", label, experiments, "false alarms", crossed / experiments, 0.05, why
        )
        told = "two metrics that go together, over all segments" + (f"; {why}" if why else "")
        rate = anything / experiments
        yield Row("Any segment by BH", label, experiments, "false alarms", rate, 0.05, told)
    name = "8 segments, mild skew, real effects in the 4 largest"
    share, least = 0.0, 0
    for found, tests in in_segments(name, experiments, eight, 0.5, [0.3] * 4 + [0.0] * 4):
        flagged = [int(one.segment.split(": ")[1]) for one in found if one.p_adjusted < 0.05]
        share += sum(level >= 4 for level in flagged) / max(len(flagged), 1)
        least += tests[0].p_value < 0.05
    why = (
        "BH holds the mean share of false finds below .05 x the share of segments without an effect"
    )
    yield Row(
        "False finds by BH", name, experiments, "false alarms", share / experiments, 0.05, why
    )
    yield Row("Interaction test", name, experiments, "power", least / experiments, None)


def trends(experiments: int) -> Iterator[Row]:
    """The test of an effect's trend over the days since exposure, with days that go together."""
    fading = "in units the effect does fade with the use; it is the lift that stays"
    situations = (
        ("7 days, 100 an arm, no effect", 7, (100, 100), 0.0, 0.0, ""),
        (
            "14 days, 60 against 400, no effect",
            14,
            (60, 400),
            0.0,
            0.0,
            "skewed use with few units in one arm",
        ),
        ("7 days, 300 an arm, steady effect of 30 %", 7, (300, 300), 0.3, 0.0, ""),
        (
            "7 days, 300 an arm, use falls by 15 % a day, steady lift of 30 %",
            7,
            (300, 300),
            0.3,
            0.15,
            fading,
        ),
    )
    for name, days, counts, lift, fall, why in situations:
        random, flagged = generator(name), 0
        middle = np.arange(days) - (days - 1) / 2
        for size in blocks(experiments, 2 * days * sum(counts)):
            arms = []
            for side, n in enumerate(counts):
                # Users differ (gamma), and a user's good week lasts: the days of a user go
                # together.
                rate = random.gamma(1.0, 2.0, (size, n, 1))
                mood = np.repeat(random.gamma(2.0, 0.5, (size, n, (days + 2) // 3)), 3, axis=2)[
                    ..., :days
                ]
                level = (1 + lift * (side == 0)) * (1 - fall) ** np.arange(days)
                use = random.poisson(rate * mood * level).astype(float)
                arms.append(
                    [*(of_columns(use[..., day]) for day in range(days)), of_columns(use @ middle)]
                )
            for *spans, contrasts in zip(
                *(zip(*both, strict=True) for both in zip(*arms, strict=True)), strict=True
            ):
                found = trend("use", "arm", spans, contrasts, 0.05, 1)
                flagged += found.p_value is not None and found.p_value < 0.05
        yield Row(
            "Trend since exposure",
            name,
            experiments,
            "false alarms",
            flagged / experiments,
            0.05,
            why,
        )


def triggers(experiments: int) -> Iterator[Row]:
    """The effect on triggered units, diluted to all units: its difference and its lift."""
    few = "few triggered units, whose amounts are skewed"
    situations = (
        ("10 % of 2,000 an arm triggered, no effect", (2000, 2000), 0.1, 0.0, 0.5, ""),
        ("30 % of 500 an arm triggered, arm 40 % higher", (500, 500), 0.3, 0.4, 0.5, ""),
        (
            "5 % of 1,000 an arm triggered, arm three times as high",
            (1000, 1000),
            0.05,
            2.0,
            0.5,
            few,
        ),
        ("30 % of 300 against 3,000 triggered, skewed, no effect", (300, 3000), 0.3, 0.0, 1.0, few),
    )
    for name, sizes, share, factor, log_deviation, why in situations:
        random, covered, lifted, bounded, rejected = generator(name), 0, 0, 0, 0
        # Triggered units are worth 4, the others 1: the arms' means also move with the share
        # triggered.
        base = 4 * np.exp(log_deviation**2 / 2)
        truth = share * factor * base
        overall = share * base + (1 - share) * np.exp(log_deviation**2 / 2)
        for _ in range(experiments):
            inside, whole, met = [], [], 0
            for side, n in enumerate(sizes):
                count = int(random.binomial(n, share))
                values = np.exp(random.normal(0, log_deviation, n))
                values[:count] *= 4 * (1 + factor * (side == 0))
                inside += of_columns(values[None, :count])
                whole += of_columns(values[None, :])
                met += count
            one = compare(
                MEANS["a"], side_of("arm", inside[0]), side_of("control", inside[1]), 0.05
            )
            made = diluted(one, [Cell(met, sum(sizes), inside[1], whole[1])], 0.05)
            covered += made.difference_interval[0] <= truth <= made.difference_interval[1]
            rejected += made.p_value < 0.05
            if None not in made.lift_interval:
                bounded += 1
                lifted += made.lift_interval[0] <= truth / overall <= made.lift_interval[1]
        yield Row("Diluted effect", name, experiments, "coverage", covered / experiments, 0.95, why)
        yield Row("Diluted lift", name, bounded, "coverage", lifted / bounded, 0.95, why)
        if factor == 0:
            rate = rejected / experiments
            yield Row("Triggered units' test", name, experiments, "false alarms", rate, 0.05, why)


def caps(experiments: int) -> Iterator[Row]:
    """A cap at a quantile of both arms together, which is found from the same data."""
    for quantile, sizes in ((0.99, (200, 2000)), (0.95, (200, 2000)), (0.99, (2000, 2000))):
        units = f"{sizes[0]:,} against {sizes[1]:,}"
        name = f"skewed spending, {units}, capped at quantile {quantile:g}, no effect"
        random, found = generator(name), []
        for size in blocks(experiments, 4 * sum(sizes)):
            values = random.lognormal(0, 1.5, (size, sum(sizes)))
            place = int(np.ceil(quantile * sum(sizes))) - 1
            cap = np.partition(values, place, axis=1)[:, place]
            values = np.minimum(values, cap[:, None])
            sides = of_columns(values[:, : sizes[0]]), of_columns(values[:, sizes[0] :])
            found += [compared(*both) for both in zip(*sides, strict=True)]
        yield from rates("Capped mean", name, found, 0.0, "less of the tail is left, not none")


def compared(treated: Moments, control: Moments) -> Comparison:
    """Return the comparison of two means."""
    return compare(MEANS["a"], side_of("arm", treated), side_of("control", control), 0.05)
