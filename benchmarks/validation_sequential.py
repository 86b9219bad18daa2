"""Looking on the way: made-up paths of looks, and what the sequential methods say at each of them."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import sqrt
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtri

from opslab.experiments.sequential.boundaries import (
    Boundaries,
    average_sample,
    boundaries,
    crossing,
    drift_for,
    false_positive_rate,
)
from opslab.experiments.sequential.confidence_sequence import multiplier
from opslab.experiments.sequential.posteriors import (
    beta_posteriors,
    decision_values,
)
from opslab.experiments.sequential.split import sequential_sample_ratio
from opslab.experiments.sequential.stopping import after_stopping
from opslab.uncertainty.update import update
from simulations import BLOCK, Row, generator

PATHS = 20_000
"""At least so many of each."""
WORKERS = 2
FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)
UNEVEN = (0.1, 0.2, 0.3, 1.0)
LOOKS = 1_000
SMALLEST = (50, 200, 1_000, 5_000, 20_000, 50_000)
SEQUENCES = (
    ("normal values, 50:50", "normal", (10, 10), 1.0),
    ("skewed spending, 50:50", "spending", (10, 10), 1.5),
    ("mild skew (lognormal, .75), 10:90", "spending", (2, 18), 0.75),
    ("skewed spending, 10:90", "spending", (2, 18), 1.5),
    ("2 % convert, 50:50", "share", (10, 10), 0.02),
    ("2 % convert, 10:90", "share", (2, 18), 0.02),
    ("2 % convert, 10:90", "share", (20, 180), 0.02),
)
"""Values, their kind, units of the arms that come by each look, and their shape."""
FEW = "few units in the smaller arm at the first looks, whose tail decides"
MANY = "a bound that holds for any number of looks"


class World(NamedTuple):
    """A design and a true effect, as the z expected at the end."""

    name: str
    design: Boundaries
    drift: float


def worlds() -> Iterator[World]:
    """Yield designs, without an effect and with the planned one."""
    for name, information, family in (
        ("O'Brien-Fleming type, five equal looks", FIVE, "obrien_fleming"),
        ("Pocock type, five equal looks", FIVE, "pocock"),
        ("O'Brien-Fleming type, looks at 10, 20, 30, 100 %", UNEVEN, "obrien_fleming"),
    ):
        design = boundaries(information, 0.05, family)
        yield World(f"{name}, no effect", design, 0.0)
        yield World(f"{name}, planned effect", design, drift_for(design, 0.8))


def paths(name: str, information: tuple[float, ...], drift: float, count: int) -> np.ndarray:
    """Return z at each look, shape (paths, looks)."""
    shares = np.array(information)
    gains = np.diff(shares, prepend=0)
    steps = generator(name).normal(drift * gains, np.sqrt(gains), (count, len(shares)))
    return np.cumsum(steps, axis=1) / np.sqrt(shares)


def crossings(experiments: int) -> Iterator[Row]:
    """How often boundaries are crossed, with futility followed and not, and at what sample."""
    count = 10 * max(experiments, PATHS)
    for world in worlds():
        design, method = world.design, "Boundaries"
        z = paths(world.name, design.information, world.drift, count)
        beyond = z >= design.efficacy, z <= np.negative(design.efficacy)
        first = np.argmax(beyond[0] | beyond[1], axis=1)
        stopped = (beyond[0] | beyond[1]).any(axis=1)
        up = np.take_along_axis(beyond[0], first[:, None], axis=1)[:, 0]
        used = np.array(design.information)[np.where(stopped, first, -1)].mean()
        sample = average_sample(design, world.drift)
        why = f"average sample {used:.2%} of the planned one, computed {sample:.2%}"
        if world.drift == 0:
            yield Row(method, f"{world.name} ({why})", count, "false alarms", stopped.mean(), 0.05)
            fixed = (np.abs(z) > -ndtri(0.025)).any(axis=1).mean()
            rate = false_positive_rate(design.information, 0.05)
            yield Row(
                "Rate of a fixed test looked at", world.name, count, "false alarms", fixed, rate
            )
        else:
            yield Row(method, f"{world.name} ({why})", count, "power", up.mean(), 0.8)
            early = float(sum(crossing(design, world.drift).upper[:-1]))
            ahead = (up & (first < len(design.information) - 1)).mean()
            yield Row(method, world.name, count, "crossed before the end", ahead, early)
        held = np.abs(z - world.drift * np.sqrt(design.information)) < design.efficacy
        yield Row(
            "Repeated intervals", world.name, count, "coverage", held.all(axis=1).mean(), 0.95
        )
    yield from futilities(count)


def futilities(count: int) -> Iterator[Row]:
    """A futility boundary that is followed, and one that is ignored."""
    design = boundaries((1 / 3, 2 / 3, 1), 0.05, futility=("obrien_fleming", None), power=0.8)
    for name, drift in (("no effect", 0.0), ("planned effect", float(design.drift or 0))):
        z = paths(f"futility, {name}", design.information, drift, count)
        beyond = np.abs(z) >= design.efficacy
        hopeless = z < np.array(design.futility, dtype=float)
        first = np.argmax(beyond | hopeless, axis=1)[:, None]
        found = np.take_along_axis(beyond & (z > 0), first, axis=1)[:, 0]
        situation = f"O'Brien-Fleming type with futility, three looks, {name}"
        if drift:
            yield Row("Boundaries", situation, count, "power", found.mean(), 0.8)
        else:
            rate = beyond.any(axis=1).mean()
            where = f"{situation}, futility ignored"
            yield Row("Boundaries", where, count, "false alarms", rate, 0.05)
            rate = np.take_along_axis(beyond, first, axis=1).mean()
            expected = sum(map(sum, crossing(design, 0.0)[:2]))
            where = f"{situation}, futility followed"
            yield Row("Boundaries", where, count, "false alarms", rate, expected)


def ended(design: Boundaries, path: tuple[float, ...]) -> tuple[float, float, float, float, float]:
    """Return naive estimate, median, low and high on the scale of the drift, and the p-value."""
    end = next((k for k, z in enumerate(path) if abs(z) >= design.efficacy[k]), len(path) - 1) + 1
    looks = design.information[:end]
    stopped = after_stopping(path[:end], looks, design.efficacy[:end], 0.05)
    scale = sqrt(looks[-1])
    return path[end - 1] / scale, *(number / scale for number in stopped[1:]), stopped.p_value


def stops(experiments: int) -> Iterator[Row]:
    """What is said after stopping, beside what a naive reader would say."""
    count = max(experiments, PATHS)
    for world in [list(worlds())[place] for place in (0, 1, 3)]:
        design, truth = world.design, world.drift
        z = paths(f"stop, {world.name}", design.information, truth, count)
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
            told = np.array(
                list(pool.map(partial(ended, design), map(tuple, z.tolist()), chunksize=500))
            )
        naive, median, low, high, p_value = told.T
        end = np.argmax(np.abs(z) >= design.efficacy, axis=1)
        end = np.where((np.abs(z) >= design.efficacy).any(axis=1), end, len(design.information) - 1)
        error = 1 / np.sqrt(np.array(design.information)[end])
        held = ((low <= truth) & (truth <= high)).mean()
        yield Row("Stagewise interval", world.name, count, "coverage", held, 0.95)
        held = (np.abs(naive - truth) <= -ndtri(0.025) * error).mean()
        why = "the look was chosen by its result"
        yield Row("Naive interval (not used)", world.name, count, "coverage", held, 0.95, why)
        if not truth:
            rate = (p_value <= 0.05).mean()
            yield Row("Stagewise p", world.name, count, "false alarms", rate, 0.05)
            rate = (p_value <= 0.01).mean()
            yield Row("Stagewise p", world.name, count, "false alarms", rate, 0.01)
            continue
        above = (median > truth).mean()
        yield Row("Median-unbiased estimate", world.name, count, "above the truth", above, 0.5)
        bias = naive.mean() / truth - 1, median.mean() / truth - 1
        why = f"its mean is {bias[0]:.1%} too high, the median-unbiased one's {bias[1]:.1%}"
        above = (naive > truth).mean()
        yield Row(
            "Naive estimate (not used)", world.name, count, "above the truth", above, None, why
        )
        wins = naive[p_value <= 0.05].mean() / truth - 1, median[p_value <= 0.05].mean() / truth - 1
        why = f"of those found: {wins[0]:.1%} too high, the median-unbiased one {wins[1]:.1%}"
        share = (p_value <= 0.05).mean()
        yield Row("Naive estimate (not used)", world.name, count, "found", share, None, why)


def sequences(experiments: int) -> Iterator[Row]:
    """A thousand looks by confidence sequence: from which number of units on it keeps its promise."""
    count = max(experiments, PATHS)
    for name, kind, per_look, shape in SEQUENCES:
        units = sum(per_look)
        looks = units * np.arange(1, LOOKS + 1)
        reach = np.array([multiplier(n, looks[-1] / 2, 0.05) for n in looks.tolist()])
        random, misses, fixed = generator(f"{name} {units}"), Counter(dict.fromkeys(SMALLEST, 0)), 0
        block = BLOCK // (LOOKS * 2)
        for start in range(0, count, block):
            size = min(block, count - start)
            sides = [walk(random, kind, shape, (size, LOOKS, n)) for n in per_look]
            difference = sides[0][0] - sides[1][0]
            with np.errstate(divide="ignore", invalid="ignore"):
                z = np.abs(difference) / np.sqrt(sides[0][1] + sides[1][1])
            z = np.where(np.isfinite(z), z, 0.0)  # nothing varies yet: no interval is told
            for smallest in SMALLEST:
                misses[smallest] += int((z > reach)[:, looks >= smallest].any(axis=1).sum())
            fixed += int((z > -ndtri(0.025))[:, looks >= 500].any(axis=1).sum())
        for smallest in (each for each in SMALLEST if each >= units and each < looks[-1]):
            situation = f"{name}, looks each {units} units from {smallest:,} to {looks[-1]:,}"
            rate = 1 - misses[smallest] / count
            why = FEW if rate < 0.95 else MANY
            yield Row("Confidence sequence", situation, count, "coverage", rate, 0.95, why)
        situation, why = (
            f"{name}, the same looks from 500 on",
            "one look's interval at each of many",
        )
        rate = 1 - fixed / count
        yield Row("Fixed interval (not used)", situation, count, "coverage", rate, 0.95, why)


def walk(
    random: np.random.Generator, kind: str, shape: float, size: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return an arm's mean and its squared error at each look; values of `size` paths, looks, units."""
    if kind == "share":
        total = squares = np.cumsum(random.binomial(size[2], shape, size[:2]), axis=1)
    else:
        draw = random.normal if kind == "normal" else random.lognormal
        values = draw(0.0, shape, size)
        total, squares = (np.cumsum(each.sum(axis=2), axis=1) for each in (values, values**2))
    n = size[2] * np.arange(1, size[1] + 1)
    mean = total / n
    return mean, (squares / n - mean**2) / (n - 1)


def ratios(experiments: int) -> Iterator[Row]:
    """The sample ratio day by day: false alarms, and how soon a mismatch is seen."""
    count, days = max(experiments, PATHS), 28
    for name, weights, true, daily in (
        ("50:50, 1,000 units a day", (1, 1), (0.5, 0.5), 1_000),
        ("50:50, 20,000 units a day", (1, 1), (0.5, 0.5), 20_000),
        ("90:10, 1,000 units a day", (9, 1), (0.9, 0.1), 1_000),
        ("three arms, 1,000 units a day", (1, 1, 1), (1 / 3,) * 3, 1_000),
        ("50:50, truly 60:40, 30 units a day", (1, 1), (0.6, 0.4), 30),
        ("50:50, truly 48:52, 1,000 units a day", (1, 1), (0.48, 0.52), 1_000),
        ("50:50, truly 49.5:50.5, 20,000 units a day", (1, 1), (0.495, 0.505), 20_000),
    ):
        sound = "truly" not in name
        counts = generator(name).multinomial(daily, true, (count if sound else count // 10, days))
        p_values = np.array([sequential_sample_ratio(path, weights) for path in counts])
        situation, runs = f"{name}, {days} looks", len(counts)
        if sound:
            seen = np.cumsum(counts, axis=1)
            expected = seen.sum(axis=2, keepdims=True) * np.array(weights) / sum(weights)
            daily_p = chdtrc(len(weights) - 1, ((seen - expected) ** 2 / expected).sum(axis=2))
            for level in (0.01, 0.001):
                rate = (p_values[:, -1] <= level).mean()
                why = "a bound that holds for any number of days"
                method = "Sequential sample ratio"
                yield Row(method, situation, runs, "false alarms", rate, level, why)
            rate = (daily_p <= 0.01).any(axis=1).mean()
            why = "one test at each of many looks"
            method = "Chi-square every day (not used)"
            yield Row(method, situation, runs, "false alarms", rate, 0.01, why)
        else:
            found = p_values <= 0.01
            day = np.median(np.argmax(found[found.any(axis=1)], axis=1) + 1)
            why = f"half of them by day {day:.0f}"
            rate = found.any(axis=1).mean()
            yield Row("Sequential sample ratio", situation, runs, "found", rate, None, why)


def beliefs(experiments: int) -> Iterator[Row]:
    """Bayes: of what is called 85 % likely, 85 % come true, where the prior is the world's."""
    count = max(experiments, PATHS)
    random = generator("beliefs")
    truth = random.normal(0.0, 0.02, count)
    estimate = random.normal(truth, 0.015)
    told = [update(0.0, 0.02, each, 0.015) for each in estimate.tolist()]
    values = [decision_values(each.mean, each.sd, 1, 0.01) for each in told]
    low, high = (np.array([e.mean + side * ndtri(0.975) * e.sd for e in told]) for side in (-1, 1))
    name = "effects of sd .02, errors of .015"
    held = ((low <= truth) & (truth <= high)).mean()
    yield Row("Normal posterior", name, count, "coverage", held, 0.95)
    chances = np.array([each.win for each in values]), np.array([each.exceed for each in values])
    yield from calibrated("Chance to win", name, chances[0], truth > 0)
    yield from calibrated("Chance to exceed", name, chances[1], truth > 0.01)
    shipped = np.array([each.loss_shipping for each in values]) < 0.001
    lost = np.maximum(-truth[shipped], 0).mean()
    expected = np.mean([each.loss_shipping for each in values if each.loss_shipping < 0.001])
    why = f"lost on average {lost:.6f} where {expected:.6f} was expected"
    yield Row("Shipped below a loss of .001", name, count, "shipped", shipped.mean(), None, why)
    shares = generator("beta beliefs").beta(2, 18, (count, 2))
    counts = generator("beta counts").binomial(60, shares)
    known = {pair: beta_of(pair) for pair in set(map(tuple, counts.tolist()))}
    posteriors = [known[tuple(pair)] for pair in counts.tolist()]
    effect = shares[:, 0] - shares[:, 1]
    held = [each.low <= e <= each.high for each, e in zip(posteriors, effect.tolist(), strict=True)]
    name = "shares of Beta(2, 18), 60 units an arm"
    yield Row("Beta posteriors", name, count, "coverage", float(np.mean(held)), 0.95)
    wins = np.array([each.values.win for each in posteriors])
    yield from calibrated("Beta: chance to win", name, wins, effect > 0)


def beta_of(pair: tuple[int, int]) -> object:
    """Return the posterior of two counts of 60."""
    return beta_posteriors(pair[0], 60, pair[1], 60, (2, 18))


def calibrated(method: str, name: str, told: np.ndarray, true: np.ndarray) -> Iterator[Row]:
    """Yield, by the chance that was told, how often it came true."""
    for low, high in ((0.05, 0.2), (0.4, 0.6), (0.8, 0.9), (0.95, 1.0)):
        inside = (told >= low) & (told < high)
        situation = f"{name}, told {low:.0%} to {high:.0%}"
        promised = float(told[inside].mean())
        yield Row(method, situation, int(inside.sum()), "came true", true[inside].mean(), promised)


def section(rows: list[Row]) -> str:
    """Return the section of the page."""
    table = "\n".join(row.line() for row in rows)
    return f"""## Looking on the way

Made-up paths of looks, and what the sequential designs say at each of them: at least {PATHS:,} paths a row.
The effect is the planned one where it is not none: of a size that the design finds in 80 of 100 tests.

- **Boundaries** spend exactly the error rate that was declared, at any looks, and futility that nobody
  follows takes nothing from it. The sample that is used on average is the one that was computed.
- **After stopping** a naive estimate is too high, because a lucky look is what stops a test: the
  median-unbiased one is above the truth as often as below, and the stagewise interval holds it as promised.
  Of the tests that were found, and of no others, every estimate is too high: that is the winner's curse,
  and no method after stopping takes it away.
- **Repeated intervals** hold the effect at all looks together, whatever was done at them.
- **Confidence sequences** keep their promise over a thousand looks where their first look is late enough.
  With arms of equal size skew cancels: from 50 units of the pair on they hold, for amounts as for
  conversions. With 10:90 the tail of the small arm decides: start at ten expected conversions in the
  smaller arm (here 5,000 units of the pair), and for amounts with a long tail at 5,000 units or more,
  capped: 1,000 units are too few. Amounts of a mild skew hold from 50 units on.
- **The sample ratio day by day** stays below its level for any number of days, and for 28 days far below.
- **Bayes**: where the prior is the world's, chances come true as often as they say, and about as much is
  lost on average as was expected. Of a prior that is not the world's nothing is promised.

| method | situation | experiments | what is counted | found | promised | verdict |
|---|---|---|---|---|---|---|
{table}"""


PARTS = (crossings, stops, sequences, ratios, beliefs)
