"""Shares of themes: invented customers whose themes are known, a sorting that errs, judges who see a part."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from opslab.feedback.shares import by_customer, true_shares, wilson
from simulations import Row, generator

MESSAGES = 1500
COVERED = 0.8  # the dial: so many messages are surely sorted
THIRDS = ("largest", "middle", "smallest")


@dataclass(frozen=True)
class World:
    """How themes are spread, and how they are mistaken for one another.

    Attributes
    ----------
    themes : int
        Their shares fall off as 1 / rank ** 0.8.
    precision : float
        Share of messages whose nearest theme is the right one; unsorted ones err twice as often.
    confusion : {"neighbours", "uniform"}
        A theme is mistaken for the two next to it, whatever their size, or for any other.
    judged : int
        Messages that people judge.
    several : float
        Share of messages that make a second point.
    faithful : float or None
        Chance that a customer's second message is on the theme of the first; None where customers
        write once. Two of three write a second time.
    unsaid : float
        Share of wrong ones of which the judges do not say where they belong.
    """

    themes: int
    precision: float
    confusion: str
    judged: int
    several: float = 0.0
    faithful: float | None = None
    unsaid: float = 0.0

    @property
    def name(self) -> str:
        """What the page calls it."""
        parts = [
            f"{self.themes} themes",
            f"{self.precision:.0%} right",
            f"mistaken for {'neighbours' if self.confusion == 'neighbours' else 'any other'}",
            f"{self.judged} judged" if self.judged else "none judged",
        ]
        if self.several:
            parts.append(f"{self.several:.0%} of the messages on two themes")
        if self.faithful is not None:
            parts.append(
                f"of customers, who write up to twice, {self.faithful:.0%} of them on one theme"
            )
        if self.unsaid:
            parts.append(f"{self.unsaid:.0%} of the wrong without the right theme")
        return ", ".join(parts)

    @property
    def shares(self) -> np.ndarray:
        """The true share of each theme among points."""
        weights = np.arange(1, self.themes + 1) ** -0.8
        return weights / weights.sum()

    @property
    def mistakes(self) -> np.ndarray:
        """Where errors go, from the true theme to the wrong one, as sums along a row."""
        away = np.full((self.themes, self.themes), 1.0)
        if self.confusion == "neighbours":
            places = np.random.default_rng(self.themes).permutation(self.themes)  # not by size
            apart = np.abs(places[:, None] - places)
            away = (np.minimum(apart, self.themes - apart) == 1).astype(float)
        np.fill_diagonal(away, 0)
        return (away / away.sum(axis=1, keepdims=True)).cumsum(axis=1)


@dataclass(frozen=True)
class Sorted:
    """Messages as sorting and as the truth has them: arrays of messages and themes, and writers."""

    inside: np.ndarray
    nearest: np.ndarray
    true: np.ndarray
    second: np.ndarray
    customers: np.ndarray | None


def sort(world: World, random: np.random.Generator, messages: int = MESSAGES) -> Sorted:
    """Return messages that were sorted with the world's errors."""
    first = random.choice(world.themes, messages, p=world.shares)
    customers = None
    if world.faithful is not None:  # every third writes once
        customers = np.arange(messages) * 3 // 5
        again = np.flatnonzero(np.diff(customers) == 0) + 1
        again = again[random.random(len(again)) < world.faithful]
        first[again] = first[again - 1]
    rows = np.append(np.arange(messages), np.flatnonzero(random.random(messages) < world.several))
    points = np.append(first, random.choice(world.themes, len(rows) - messages, p=world.shares))
    unsure = random.random(len(rows)) > COVERED
    error = (1 - world.precision) / (2 - COVERED)
    wrong = random.random(len(rows)) < np.where(unsure, np.minimum(2 * error, 0.95), error)
    lots = random.random((len(rows), 1))
    other = np.minimum((lots > world.mistakes[points]).sum(axis=1), world.themes - 1)
    met = np.where(wrong, other, points)
    inside, nearest, true = np.zeros((3, messages, world.themes), bool)
    true[rows, points] = nearest[rows, met] = True
    inside[rows[~unsure], met[~unsure]] = True
    second = np.where(
        random.random(messages) < 0.6, first, random.integers(0, world.themes, messages)
    )
    return Sorted(inside, nearest, true, second, customers)


def judge(world: World, data: Sorted, random: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Yield what people say of a random sample: sure, theme, true theme, and the likely one if unsaid."""
    places = np.argwhere(data.nearest)
    for row, met in random.permutation(places)[: world.judged].tolist():
        if data.true[row, met]:
            yield row, met, met, met
            continue
        missed = np.flatnonzero(data.true[row] & ~data.nearest[row])
        named = int(random.choice(missed)) if len(missed) else -1
        if random.random() < world.unsaid:
            yield row, met, -1, int(data.second[row])
        else:
            yield row, met, named, named


def interval(world: World, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the low and high ends of all themes in one experiment, as a readout has them."""
    data = sort(world, random)
    counted = [data.inside, data.nearest]
    if data.customers is not None:
        counted = [by_customer(part, data.customers) for part in counted]
    if not world.judged:
        return without_judges(*counted)
    judged = np.array([*judge(world, data, random)])
    if data.customers is not None:
        judged[:, 0] = data.customers[judged[:, 0]]
    low = true_shares(*counted, judged[:, :3])[1]
    return low, true_shares(*counted, judged[:, [0, 1, 3]])[2]


def without_judges(inside: np.ndarray, nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's low ends of the sure shares and high ends of those with the rest assigned."""
    total = len(inside)
    lows = [wilson(count, total)[0] for count in inside.sum(axis=0).tolist()]
    highs = [wilson(count, total)[1] for count in nearest.sum(axis=0).tolist()]
    return np.array(lows), np.array(highs)


def truth(world: World) -> np.ndarray:
    """Return the true share of messages, or of customers, in each theme."""
    if world.faithful is not None:
        data = sort(world, generator(f"truth of {world.name}"), 300_000)
        return by_customer(data.true, data.customers).mean(axis=0)
    return world.shares * (1 + world.several * (1 - world.shares))


def coverage(world: World, experiments: int) -> np.ndarray:
    """Return for each theme how often its interval held the true share."""
    random, target = generator(world.name), truth(world)
    covered = np.zeros(world.themes)
    for _ in range(experiments):
        low, high = interval(world, random)
        covered += (low <= target) & (target <= high)
    return covered / experiments


def shares(experiments: int) -> Iterator[Row]:
    """Shares of themes with their cautious intervals, by world and by the size of the theme."""
    count = max(experiments // 10, 1)
    method, why = "Share of a theme, judged", "of a rare theme few messages are judged"
    sizes: dict[tuple[int, str], list[float]] = {}
    least: dict[int, float] = {}
    for themes, precision, confusion, judged in product(
        (5, 13, 40), (0.6, 0.8, 0.95), ("neighbours", "uniform"), (120, 300)
    ):
        world = World(themes, precision, confusion, judged)
        rates = coverage(world, count)
        yield Row(method, world.name, count, "coverage", rates.mean(), 0.95, why)
        least[themes] = min(least.get(themes, 1.0), float(rates.min()))
        for third, part in zip(THIRDS, np.array_split(rates, 3), strict=True):
            sizes.setdefault((themes, third), []).append(part.mean())
    for (themes, third), rates in sizes.items():
        name = f"{themes} themes, the {third} third of them, over these worlds"
        total = count * len(rates)
        yield Row(
            method,
            name,
            total,
            "coverage",
            float(np.mean(rates)),
            0.95,
            why,
        )
    for themes, rate in least.items():
        name = f"{themes} themes, the one theme of all these worlds that is held least often"
        why = "it lies beside a large theme that is mistaken for it, or is one of many"
        yield Row(method, name, count, "coverage", rate, 0.95, why)
    for world, reason in _further():
        rates = coverage(world, count)
        yield Row(method, world.name, count, "coverage", rates.mean(), 0.95, reason)
    yield from _without_judges(count)


def _further() -> Iterator[tuple[World, str]]:
    """Yield worlds in which messages or customers stand in several themes, and small samples."""
    two = "a second theme that sorting missed is seen by no judge"
    for themes, judged in product((5, 13, 40), (120, 300)):
        yield World(themes, 0.8, "neighbours", judged, several=0.3), two
    for themes, judged, faithful in product((5, 13, 40), (120, 300), (0.0, 0.25, 0.5)):
        why = "who writes twice on a theme is in it more surely than one message tells"
        yield World(themes, 0.8, "uniform", judged, faithful=faithful), why
    for themes in (5, 13, 40):
        yield World(themes, 0.8, "neighbours", 120, unsaid=0.5), "the ends allow for both answers"
    for judged in (20, 50):
        yield World(13, 0.8, "uniform", judged), "few are judged"


def _without_judges(count: int) -> Iterator[Row]:
    """Yield what the interval without judges covers, and what it does not."""
    for themes in (5, 13, 40):
        random = generator(f"none judged, {themes}")
        world = World(themes, 1.0, "uniform", 0)
        belonging = random.random(themes)  # of the unsorted: to their nearest theme, or to none
        target = world.shares * (COVERED + (1 - COVERED) * belonging)
        covered = 0.0
        for _ in range(count):
            low, high = interval(world, random)
            covered += float(((low <= target) & (target <= high)).mean())
        name = f"{themes} themes, none judged, what is sure is right, the unsorted there or nowhere"
        why = "it spans all that the unsorted may be"
        yield Row("Share of a theme", name, count, "coverage", covered / count, 0.95, why)
    for themes, precision in product((5, 13, 40), (0.8, 0.95)):
        world = World(themes, precision, "neighbours", 0)
        rate = coverage(world, count).mean()
        why = "without judges the interval knows of no error of sorting, as the readout says"
        yield Row("Share of a theme", world.name, count, "coverage", rate, None, why)
