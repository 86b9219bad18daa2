"""The gate: how often made-up experiments, sound and broken, end in "ship", and how often they are stopped."""

import os
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import sqrt
from multiprocessing import get_context

import numpy as np
from scipy.stats import beta, chi2, false_discovery_control

from opslab import experiments
from opslab.experiments.checks.rules import FAIL_BELOW
from opslab.experiments.checks.split import check_constant_split
from simulations import ERRORS_ALLOWED, SEED, Row, generator
from validation_worlds import CONSTANT, DATES, DAYS, World, ramp, worlds

SHIPPED, STOPPED = 0.025, 0.005
"""At most so many of sound experiments ship, and are stopped; the second also of broken ones that ship."""
WORKERS = 2
CHUNK = 50  # experiments that a worker is given at a time


@dataclass(frozen=True)
class Outcome:
    """What became of the experiments of a world."""

    world: World
    runs: int
    ships: int
    on_condition: int
    stopped: int
    covered: int

    @property
    def holds(self) -> bool | None:
        """Whether the world kept its bounds; None where nothing is promised."""
        either = self.ships + self.on_condition
        if self.world.right == "shown":
            return None
        if self.world.right == "sound":
            error = sqrt(SHIPPED * (1 - SHIPPED) / self.runs)
            rare = self.stopped <= STOPPED * self.runs
            return rare and either / self.runs <= SHIPPED + ERRORS_ALLOWED * error
        ships = self.ships if self.world.right == "flag" else either
        return upper(ships, self.runs) <= STOPPED

    def line(self) -> str:
        """Return the line of the Markdown table."""
        told = {True: "kept", False: "**not kept**", None: "nothing is promised"}[self.holds]
        right = {
            "sound": "may ship (alpha / 2), goes through",
            "stop": "never ships",
            "flag": "never ships without a condition",
            "shown": "",
        }[self.world.right]
        rates = (
            f"{count / self.runs:.2%} (at most {upper(count, self.runs):.2%})"
            for count in (self.ships, self.on_condition, self.stopped)
        )
        return f"| {' | '.join([self.world.name, f'{self.runs:,}', *rates, right, told])} |"

    def coverage(self) -> Row | None:
        """Return how often the interval held the effect, of all experiments, where it is known."""
        if self.world.truth is None:
            return None
        rate = self.covered / self.runs
        return Row("Through `analyze`", self.world.name, self.runs, "coverage", rate, 0.95)


def upper(count: int, runs: int) -> float:
    """Return the upper 95 % bound of a rate (Clopper and Pearson 1934), one-sided."""
    return float(beta.ppf(0.95, count + 1, runs - count)) if count < runs else 1.0


def run(name: str, first: int, last: int) -> Counter[str]:
    """Analyse some experiments of a world; each has random numbers of its own."""
    (world,) = (world for world in worlds() if world.name == name)
    experiment, tally = world.experiment, Counter[str]()
    for number in range(first, last):
        random = np.random.default_rng([SEED, zlib.crc32(name.encode()), number])
        result = experiments.analyze(experiment, world.draw(random), as_of=world.as_of)
        if result.decision.action == "ship":
            tally["on_condition" if result.conditions else "ships"] += 1
        tally["stopped"] += result.broken
        low, high = result.comparisons[0].difference_interval
        if world.truth is not None and low is not None and high is not None:
            tally["covered"] += low <= world.truth <= high
    return tally


def single_threaded() -> None:
    """Let a worker's engine use one thread: several experiments run at a time instead."""
    os.environ["OPSLAB_THREADS"] = "1"


def outcomes(runs: int, only: str = "") -> Iterator[Outcome]:
    """Yield what became of the experiments of each world, or of those whose name holds a text."""
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), single_threaded) as workers:
        for world in worlds():
            if only not in world.name:
                continue
            promised = world.right != "shown" or world.truth is not None
            count = runs if promised else max(runs // 4, 1)
            starts = range(0, count, CHUNK)
            ends = [min(start + CHUNK, count) for start in starts]
            tally = sum(workers.map(partial(run, world.name), starts, ends), Counter[str]())
            names = ("ships", "on_condition", "stopped", "covered")
            yield Outcome(world, count, *(tally[name] for name in names))


def splits(experiments: int) -> Iterator[Row]:
    """The test of a constant split over all days, and single days beside it."""
    runs = max(experiments // 5, 1)
    situations = (
        ("1:1, constant", 12_000, CONSTANT),
        ("1:1, constant", 4_000, CONSTANT),
        ("99:1, constant", 12_000, np.full(DAYS, 0.01)),
        ("from 45 to 55 %", 12_000, ramp(0.45, 0.55)),
        ("from 45 to 55 %", 4_000, ramp(0.45, 0.55)),
    )
    few = "few units a day in the small arm, so the counts come in steps"
    for label, n, shares in situations:
        name = f"{n:,} units over {DAYS} days, {label}"
        random, whole = generator(name), 0
        both = random.multinomial(n, np.full(DAYS, 1 / DAYS), runs)
        new = random.binomial(both, shares)
        for counts in np.stack([both - new, new], axis=-1).tolist():
            levels = dict(zip(map(str, DATES), counts, strict=True))
            check = check_constant_split(levels, ["old", "new"])
            whole += check is not None and check.status == "fail"
        days = float((single_days(both, new, float(shares.mean())) < FAIL_BELOW).mean())
        constant = "constant" in label
        promise, nominal = ("false alarms", FAIL_BELOW) if constant else ("power", None)
        yield Row("Constant split: fails", name, runs, promise, whole / runs, nominal)
        told = few if "99" in label else ""
        yield Row("Single days by BH (not used)", name, runs, promise, days, nominal, told)


def single_days(both: np.ndarray, new: np.ndarray, share: float) -> np.ndarray:
    """Return the smallest p-value of each experiment's days against the design, by BH."""
    off = (new - both * share) ** 2 / (both * share * (1 - share))
    return false_discovery_control(chi2.sf(off, 1), axis=1).min(axis=1)
