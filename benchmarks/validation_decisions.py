"""Decisions: how sure a Brier score is, and how far people agree who were asked among more."""

import datetime
from collections.abc import Iterator
from itertools import permutations

import numpy as np

from opslab.operations.decisions.alignment import mean_overlap
from opslab.operations.decisions.calibration import calibrate
from opslab.operations.decisions.overlap import rank_biased_overlap
from opslab.operations.decisions.result import Known
from opslab.operations.decisions.spec import Change
from simulations import Row, generator

SIZES = (20, 50, 200)
LISTS = [*permutations("abcdefgh", 3)]
DAY = datetime.date(2026, 6, 1)
WORLDS = {
    "calibrated, 20 to 90%": ((0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9), None),
    "overconfident, 70 to 90% of which half come true": ((0.7, 0.8, 0.9), 0.5),
    "calibrated and sharp, 5, 90 and 95%": ((0.05, 0.9, 0.95), None),
}
"""What is said, and the chance that it comes true; None: as it is said."""
HARDLY = "hardly any forecast misses, and how far they may is not seen"
WEIGHTS = {
    "no priority before others": [1] * 8,
    "two priorities seven times as likely as others": [7, 7, *[1] * 6],
    "three priorities that nearly everybody names": [60, 40, 30, *[1] * 5],
}


def forecast(
    random: np.random.Generator, size: int, world: tuple[tuple[float, ...], float | None], days: int
) -> list[Known]:
    """Return decisions of a day with their forecasts and outcomes."""
    levels, chance = world
    said = random.choice(levels, size)
    came = random.random(size) < (said if chance is None else chance)
    raised = DAY + datetime.timedelta(days)
    return [
        Known(str(at), "", at, None, None, "decided", raised, raised, 0.0, probability=p, outcome=y)
        for at, (p, y) in enumerate(zip(said.tolist(), came.tolist(), strict=True))
    ]


def truth(world: tuple[tuple[float, ...], float | None]) -> float:
    """Return the mean squared error of all forecasts of a world."""
    said = np.array(world[0])
    come = said if world[1] is None else world[1]
    return float((come * (1 - said) ** 2 + (1 - come) * said**2).mean())


def scores(experiments: int) -> Iterator[Row]:
    """The Brier score of a log, and its change between two worlds."""
    programs = max(experiments // 5, 1)
    for name, world in WORLDS.items():
        for size in SIZES:
            situation = f"{size} forecasts, {name}"
            random, kept = generator(situation), []
            for seed in range(programs):
                known = calibrate(forecast(random, size, world, 0), None, seed)
                ends = known.brier if known else (None, None, None)
                low, high = (-1, 2) if ends[1] is None else ends[1:]  # not told is not wrong
                kept.append(low <= truth(world) <= high)
            why = HARDLY if "sharp" in name else "with other random numbers 95.1% of 1,000 hold"
            rate = float(np.mean(kept))
            yield Row("Brier score", situation, programs, "coverage", rate, 0.95, why)
    before, since = [*WORLDS.values()][1::-1]
    for size in SIZES:
        situation = f"{size} forecasts before and {size} since, overconfident, then calibrated"
        random, kept = generator(situation), []
        for seed in range(programs):
            known = forecast(random, size, before, -1) + forecast(random, size, since, 1)
            result = calibrate(known, Change(name="x", date=DAY), seed)
            true = truth(since) - truth(before)
            kept.append(result is not None and result.change[1] <= true <= result.change[2])
        rate = float(np.mean(kept))
        yield Row("change of the Brier score", situation, programs, "coverage", rate, 0.95)


def law(weights: list[float]) -> np.ndarray:
    """Return the chance of each list of three, drawn by weights one after the other."""
    chances = []
    for names in LISTS:
        left, chance = sum(weights), 1.0
        for name in names:
            weight = weights["abcdefgh".index(name)]
            left, chance = left - weight, chance * weight / left
        chances.append(chance)
    return np.array(chances)


def agreement(experiments: int) -> Iterator[Row]:
    """The mean overlap of people, and the same with people drawn twice compared with themselves."""
    programs = max(experiments // 20, 1)
    known = np.array([[rank_biased_overlap(a, b) for b in LISTS] for a in LISTS])
    for name, weights in WEIGHTS.items():
        chances = law(weights)
        true = chances @ known @ chances
        for size in (10, *SIZES):
            situation = f"{size} people, {name}"
            random, kept, naive = generator(situation), [], []
            for seed in range(programs):
                who = random.choice(len(LISTS), size, p=chances)
                pairs = known[np.ix_(who, who)]
                np.fill_diagonal(pairs, 0)
                _, low, high = mean_overlap(pairs, range(size), range(size), seed)
                kept.append(low is None or low <= true <= (high or 0))
                times = random.multinomial(size, [1 / size] * size, 2_000)
                own = (times * (times - 1)).sum(axis=1)
                drawn = (((times @ pairs) * times).sum(axis=1) + own) / (size * (size - 1))
                low, high = np.quantile(drawn, (0.025, 0.975))
                naive.append(low <= true <= high)
            why = "people hardly differ" if "nearly" in name else "no list is likelier than another"
            rate = float(np.mean(kept))
            yield Row("mean overlap of people", situation, programs, "coverage", rate, 0.95, why)
            label = "the same, people drawn twice agree with themselves (not used)"
            rate = float(np.mean(naive))
            yield Row(
                label, situation, programs, "coverage", rate, 0.95, "agreement that nobody showed"
            )


PARTS = (scores, agreement)
