"""Units that go together: pairs, strata, clusters of finer rows, quantiles of such rows, totals by day."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from opslab.experiments.inference.comparisons import Side, compare, compare_quantiles
from opslab.experiments.inference.covariates import contrast
from opslab.experiments.inference.effects import welch
from opslab.experiments.inference.permutation import permutation_p
from opslab.experiments.inference.quantiles import OrderStatistics, Ranked, inflation, ranks
from opslab.experiments.inference.strata import Strata
from opslab.experiments.metrics import Mean, Quantile, Ratio
from opslab.experiments.moments.arm_moments import CrossMoments
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import Comparison
from opslab.tables.reader import open_table
from simulations import Row, blocks, generator, of_columns, of_rows, rates, side_of, singles

MEAN = Mean(name="value", type="mean", column="value", role="primary", goal="increase")
RATIO = Ratio(
    name="ratio",
    type="ratio",
    numerator="above",
    denominator="below",
    role="primary",
    goal="increase",
)
IGNORED = "shown to say why not; no readout does this"


def within(strata: Strata, metric: Mean | Ratio = MEAN, covariates: int = 0) -> Comparison:
    """Return the comparison within strata, as a readout makes it."""
    treated, control = strata.sides
    named = [(f"before {place}", 1) for place in range(covariates)]
    return compare(
        metric, side_of("arm", treated), side_of("control", control), 0.05, named, strata
    )


def pairs(experiments: int) -> Iterator[Row]:
    """Matched pairs of skewed units, one of each pair treated by a coin."""
    for count, factor, covariates in (
        (10, 1.0, 0),
        (40, 1.3, 0),
        (40, 1.0, 0),
        (10, 1.0, 1),
        (40, 1.3, 1),
    ):
        name = f"{count} pairs, skewed amounts{', a covariate' if covariates else ''}"
        name += f", arm {factor - 1:.0%} higher" if factor > 1 else ", no effect"
        random, found = generator(name), []
        for size in blocks(experiments, 4 * count):
            base = random.lognormal(0, 1, (size, count))
            arms = []
            for times in (factor, 1.0):
                before = [base * random.lognormal(0, 0.3, base.shape)] * covariates
                arms.append(singles(times * base * random.lognormal(0, 0.5, base.shape), *before))
            cells = (tuple(zip(*both, strict=True)) for both in zip(*arms, strict=True))
            found += [within(Strata(cell), covariates=covariates) for cell in cells]
        why = (
            "the differences of skewed amounts are symmetric but long-tailed"
            if factor == 1
            else ("the mean and the error of skewed differences go together")
        )
        yield from rates("Pairs", name, found, (factor - 1) * np.exp(0.5 + 0.125), why)
    name, found = "20 pairs, sales per order, no effect", []
    random = generator(name)
    for size in blocks(experiments, 80):
        orders = random.lognormal(4, 1, (size, 20))
        arms = []
        for _ in range(2):
            count = 1 + random.poisson(orders)
            arms.append(
                singles(count * random.lognormal(3, 0.3, orders.shape), count.astype(float))
            )
        cells = (tuple(zip(*both, strict=True)) for both in zip(*arms, strict=True))
        found += [within(Strata(cell), RATIO) for cell in cells]
    yield from rates("Pairs, ratio", name, found, 0.0, "a ratio of few, unequal pairs")


UNEQUAL = ((20, 60), (20, 40), (40, 40), (60, 20), (5, 5))
THIN = (
    (1, 2),
    (2, 1),
    (1, 1),
    (3, 2),
    (1, 4),
    (2, 2),
    (4, 1),
    (2, 3),
    (1, 1),
    (5, 3),
    (3, 5),
    (1, 3),
)


def stratified(
    name: str,
    experiments: int,
    sizes: tuple[tuple[int, int], ...],
    *,
    growing: bool,
    slopes: tuple = (),
) -> Iterator[tuple[tuple[CrossMoments, CrossMoments], ...]]:
    """Yield each experiment's strata: skewed values whose mean is the stratum's level, and a covariate.

    The level rises from stratum to stratum; where it is ``growing``, the spread as well.
    """
    random = generator(name)
    for size in blocks(experiments, 2 * sum(map(sum, sizes))):
        cells = []
        for level, counts in enumerate(sizes):
            spread, arms = (1 + level / 2 if growing else 1.0), []
            for side, n in enumerate(counts):
                noise = spread * (random.lognormal(0, 0.8, (size, n)) - np.exp(0.32))
                before = [random.normal(level, 1, (size, n))] if slopes else []
                drift = slopes[side] * (before[0] - level) if slopes else 0.0
                arms.append(of_rows(level + noise + drift, *before))
            cells.append(list(zip(*arms, strict=True)))
        yield from zip(*cells, strict=True)


def strata(experiments: int) -> Iterator[Row]:
    """Strata with shares of their own, with single units, made afterwards, with a covariate."""
    shares, single = (
        "unequal shares in 5 strata",
        "12 strata of 2 to 8 units, 15 cells of one or two",
    )
    unlike = "a single unit's spread is taken from the other strata, where it is unlike its own"
    situations = (
        (f"{shares}, spread grows with the level", UNEQUAL, True, (), ""),
        (f"{shares}, covariate with one slope", UNEQUAL, True, (1.0, 1.0), ""),
        (f"{shares}, covariate with slopes 2 and 0", UNEQUAL, True, (2.0, 0.0), ""),
        (f"{single}, equal spread", THIN, False, (), "few units stand behind the error"),
        (f"{single}, spread grows with the level", THIN, True, (), unlike),
        (f"{single}, covariate", THIN, False, (1.0, 1.0), "few units stand behind the error"),
    )
    for name, sizes, growing, slopes, why in situations:
        made = stratified(name, experiments, sizes, growing=growing, slopes=slopes)
        found = (within(Strata(cells), covariates=len(slopes) // 2) for cells in made)
        yield from rates("Strata", f"{name}, no effect", found, 0.0, why)
    name = situations[0][0]
    found = []
    for cells in stratified(name, experiments, UNEQUAL, growing=True):
        sides = map(side_of, "ab", Strata(cells).sides)
        found.append(compare(MEAN, *sides, 0.05))
    why = f"the arms hold other mixes of strata; {IGNORED}"
    yield from rates("Strata ignored (not used)", f"{name}, no effect", found, 0.0, why)
    name = "48 units dealt by coins, then put into 8 strata, no effect"
    why = "many strata are too small to tell their own spread"
    yield from rates("Strata", name, dealt(name, experiments), 0.0, why)


def dealt(name: str, experiments: int) -> Iterator[Comparison]:
    """Yield experiments whose strata have whatever units of each arm chance gave them."""
    random = generator(name)
    for _ in range(experiments):
        level, arm = random.integers(0, 8, 48), random.integers(0, 2, 48)
        values = level + random.lognormal(0, 0.8, 48)
        cells: dict[str | None, dict[str, CrossMoments]] = {}
        for place in range(8):
            for treated, label in enumerate(("control", "arm")):
                own = values[(level == place) & (arm == treated)]
                if len(own):
                    cells.setdefault(str(place), {})[label] = of_rows(own[None, :])[0]
        yield within(Strata.of(cells, "arm", "control"))


def clusters(experiments: int) -> Iterator[Row]:
    """Rows finer than the unit: per row, per unit, and the error that takes rows for units."""
    spread_between, spread_within = np.sqrt(0.2), np.sqrt(0.8)
    for count, sizes in ((5, "even"), (10, "even"), (20, "even"), (100, "even"), (20, "long")):
        mean = (
            "1 to 60 rows a unit"
            if sizes == "even"
            else "sizes with a long tail, 5 to some thousand rows"
        )
        name = f"{count} units an arm, {mean}, correlation .2 within, no effect"
        random, ratios, totals, naive = generator(name), [], [], 0
        for size in blocks(experiments, 8 * count):
            arms = []
            for _ in range(2):
                shape = (size, count)
                rows = (
                    random.integers(1, 61, shape)
                    if sizes == "even"
                    else (5 + random.lognormal(3, 1.2, shape)).astype(int)
                )
                means = random.normal(5, spread_between, shape) + random.normal(
                    0, spread_within, shape
                ) / (np.sqrt(rows))
                inside = spread_within**2 * random.chisquare(np.maximum(rows - 1, 1)) * (rows > 1)
                whole = rows.sum(1)
                center = (rows * means).sum(1) / whole
                squares = inside.sum(1) + (rows * (means - center[:, None]) ** 2).sum(1)
                arms.append(
                    (
                        of_rows(rows * means, rows.astype(float)),
                        of_columns(rows * means),
                        center,
                        squares / (whole - 1),
                        whole,
                    )
                )
            for one, two in zip(arms[0][0], arms[1][0], strict=True):
                ratios.append(compare(RATIO, side_of("arm", one), side_of("control", two), 0.05))
            for one, two in zip(arms[0][1], arms[1][1], strict=True):
                totals.append(compare(MEAN, side_of("arm", one), side_of("control", two), 0.05))
            flat = [side[part].tolist() for side in arms for part in (2, 3, 4)]
            naive += sum(welch(*one).p_value < 0.05 for one in zip(*flat, strict=True))
        few = "few units of unequal sizes, of which the readout warns" if count < 40 else ""
        yield from rates("Finer rows, per row", name, ratios, 0.0, few)
        yield from rates("Finer rows, per unit", name, totals, 0.0, few)
        rate = naive / experiments
        yield Row(
            "Rows taken for units (not used)",
            name,
            experiments,
            "false alarms",
            rate,
            0.05,
            IGNORED,
        )


def permutations(experiments: int) -> Iterator[Row]:
    """The permutation test that stands beside the ratio of few units."""
    count, draws = 5, 252  # all of them
    name = f"{count} units an arm, 1 to 60 rows a unit, all {draws} assignments, no effect"
    random, rejected = generator(name), 0
    for _ in range(experiments):
        rows = random.integers(1, 61, (2, count))
        sums = rows * (random.normal(5, np.sqrt(0.2), rows.shape))
        sums += np.sqrt(0.8 * rows) * random.normal(0, 1, rows.shape)
        sides = np.stack([sums, rows], axis=-1)
        rejected += permutation_p(sides[0], sides[1], draws=draws) <= 0.05
    rate, steps = rejected / experiments, "p comes in steps of 2 / 252"
    yield Row("Permutation test, per row", name, experiments, "false alarms", rate, 0.05, steps)


def clustered_quantiles(experiments: int) -> Iterator[Row]:
    """Quantiles of rows that go together in units; the factor is compared with the readout's own query."""
    for count, quantile in ((10, 0.5), (30, 0.5), (30, 0.9), (100, 0.9)):
        name = (
            f"quantile {quantile:g} of skewed rows, {count} units an arm of 5 to 35 rows, no effect"
        )
        random, found, plain = generator(name), [], []
        metric = Quantile(
            name="value",
            type="quantile",
            column="value",
            quantile=quantile,
            role="primary",
            goal="increase",
        )
        for place in range(experiments):
            order, factors, counts, known = {}, {}, {}, {}
            for label in ("arm", "control"):
                rows = random.integers(5, 36, count)
                owner = np.repeat(np.arange(count), rows)
                values = np.exp(
                    random.normal(0, 0.6, count)[owner] + random.normal(0, 0.8, len(owner))
                )
                order[label] = order_of(values, quantile)
                below = np.bincount(owner, values <= order[label].value, count)
                (side,) = of_rows(below[None, :], rows[None, :].astype(float))
                spread = quantile * (1 - quantile) / len(values)
                factors[label] = contrast(side, side, own=2).control_variance / spread
                counts[label], known[label] = len(values), (owner, values)
            if place < 2:
                same_factor(known, order, factors, quantile)
            for comparisons, inflated in ((found, factors), (plain, {})):
                sides = [
                    Side(label, Ranked(counts[label], order[label], inflated.get(label)))
                    for label in ("arm", "control")
                ]
                comparisons.append(compare_quantiles(metric, *sides, 0.05))
        few = "normal quantiles with few units, of which the readout warns" if count < 40 else ""
        yield from rates("Quantile of finer rows", name, found, 0.0, few)
        yield from list(
            rates("Quantile, rows taken for units (not used)", name, plain, 0.0, IGNORED)
        )[1:]


def order_of(values: np.ndarray, quantile: float) -> OrderStatistics:
    """Return the values at a quantile's ranks."""
    values = np.sort(values)
    return OrderStatistics(
        *(float(values[rank - 1]) for rank in ranks(len(values), quantile, 0.95) or ())
    )


def same_factor(
    known: dict[str, tuple[np.ndarray, np.ndarray]],
    order: dict[str, OrderStatistics],
    factors: dict[str, float],
    quantile: float,
) -> None:
    """Raise where the factor of the simulation is not the one that a readout asks of its table."""
    parts = [
        pd.DataFrame({"unit": [f"{label} {one}" for one in owner], "arm": label, "value": values})
        for label, (owner, values) in known.items()
    ]
    with open_table(pd.concat(parts, ignore_index=True)) as table:
        at = {label: one.value for label, one in order.items()}
        told = inflation(table, "unit", "arm", Column("value"), at, quantile, "TRUE")
    np.testing.assert_allclose(
        [told[label] for label in factors], list(factors.values()), rtol=1e-9
    )


def totals(experiments: int) -> Iterator[Row]:
    """Totals by arm and day: the days, which the arms share, take the place of units."""
    together = "the differences of neighbouring days go together, which no count of days can tell"
    situations = (
        ("20 days, overdispersed", 20, 0.1, 0.0, 1.0, ""),
        ("20 days, overdispersed, arm 20 % higher", 20, 0.1, 0.0, 1.2, ""),
        ("7 days, overdispersed", 7, 0.1, 0.0, 1.0, "few days"),
        ("20 days, differences correlated by .6 from day to day", 20, 0.1, 0.6, 1.0, together),
    )
    for name, days, extra, correlation, factor, why in situations:
        random, found, naive = generator(name), [], 0
        for size in blocks(experiments, 8 * days):
            shape = (size, days)
            shared = 0.1 * random.lognormal(-0.02, 0.2, shape)
            weekday = 1000 * (1 + 0.3 * (np.arange(days) % 7 > 4))
            arms, flat = [], []
            for times in (factor, 1.0):
                noise = random.normal(0, extra, shape)
                for day in range(1, days):
                    noise[:, day] = correlation * noise[:, day - 1] + (
                        np.sqrt(1 - correlation**2) * noise[:, day]
                    )
                units = random.poisson(weekday, shape)
                successes = random.binomial(
                    units, np.minimum(times * shared * np.exp(noise - extra**2 / 2), 1)
                )
                arms.append(singles(successes.astype(float), units.astype(float)))
                share, whole = successes.sum(1) / units.sum(1), units.sum(1)
                flat += [share.tolist(), (share * (1 - share)).tolist(), whole.tolist()]
            cells = (tuple(zip(*both, strict=True)) for both in zip(*arms, strict=True))
            found += [within(Strata(cell), RATIO) for cell in cells]
            if factor == 1:
                naive += sum(welch(*one).p_value < 0.05 for one in zip(*flat, strict=True))
        yield from rates("Totals by day", name, found, (factor - 1) * 0.1, why)
        if factor == 1:
            label, rate = "Totals taken for single units (not used)", naive / experiments
            yield Row(label, name, experiments, "false alarms", rate, 0.05, IGNORED)
