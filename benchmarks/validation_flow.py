"""How long work takes: percentiles with open, cancelled and late-entering tickets."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import lognorm

from opslab.operations.flow.lifecycles import CANCELLED, DONE, OPEN, Lifecycles, elapsed
from opslab.uncertainty.survival import aalen_johansen, change, quantile
from simulations import Row, generator

START, END = 200.0, 365.0
"""Of what the export tells, in days since the first ticket."""


def export(
    random: np.random.Generator, tickets: int, given_up: float, spread: float, start: float
) -> Lifecycles:
    """Return tickets that ended in an export's days or are open at its end; medians of 20 days."""
    started = random.uniform(0, END, tickets)
    days = 20 * lognorm.rvs(spread, size=tickets, random_state=random)
    outcome = np.where(random.random(tickets) < given_up, CANCELLED, DONE)
    ended = np.where(started + days <= END, started + days, np.nan)
    lives = Lifecycles(
        started, ended, np.where(np.isnan(ended), OPEN, outcome), np.maximum(started, start)
    )
    return Lifecycles(*(values[~(ended < start)] for values in lives))


def held(ends: tuple[float | None, float | None], true: float) -> bool:
    """Whether an interval holds the true value; an end that is not reached is beyond any."""
    low, high = ends
    return (low is None or low <= true) and (high is None or true <= high)


def percentiles(experiments: int) -> Iterator[Row]:
    """Tickets of a year, a share of them cancelled; an export of its last 165 days, or of all."""
    programs = max(experiments // 5, 1)
    for tickets, given_up, spread, start in (
        (60, 0.08, 0.8, 0.0),
        (150, 0.08, 0.8, START),
        (400, 0.08, 1.2, START),
        (400, 0.3, 0.8, START),
    ):
        whole = f"{tickets} tickets in a year, {given_up:.0%} cancelled"
        name = f"{whole}, exported {'whole' if start == 0 else f'from day {start:.0f} on'}"
        random, shares = generator(name), [0.5, 0.85] if given_up < 0.15 else [0.5]
        kept = [[] for _ in shares]
        plain = []
        for _ in range(programs):
            lives = export(random, tickets, given_up, spread, start)
            known = elapsed(lives, END, None)
            curve = aalen_johansen(*known)
            naive = aalen_johansen(known[0, known[1] == DONE], DONE)
            for share, into in zip(shares, kept, strict=True):
                true = 20 * lognorm.ppf(share / (1 - given_up), spread)
                into.append(held(quantile(curve, share)[1:], true))
            true = 20 * lognorm.ppf(0.5 / (1 - given_up), spread)
            plain.append(held(quantile(naive)[1:], true))
        for share, into in zip(shares, kept, strict=True):
            label = f"days until {share:.0%} of tickets are done"
            yield Row(
                label,
                name,
                programs,
                "coverage",
                float(np.mean(into)),
                0.95,
                "the log-log scale, in steps of one ticket",
            )
        why = "open ones take longer, and are left out"
        label = "the same of 50%, from finished tickets alone (not used)"
        yield Row(label, name, programs, "coverage", float(np.mean(plain)), 0.95, why)


def changes(experiments: int) -> Iterator[Row]:
    """A change on a day, on which tickets that are open are cut; with an effect and without."""
    programs = max(experiments // 5, 1)
    for faster in (1.0, 1.5):
        name = f"300 tickets in a year, {faster:g} times as fast from day 200 on"
        random, kept = generator(name), []
        for _ in range(programs):
            started, work = random.uniform(0, END, 300), random.exponential(25, 300)
            before = np.maximum(START - started, 0)
            ended = started + np.where(work < before, work, before + (work - before) / faster)
            ended[ended > END] = np.nan
            lives = Lifecycles(started, ended, (ended > 0).astype(int), started)
            earlier, later = (
                aalen_johansen(*elapsed(lives, until, None)[:, (started < START) == early])
                for until, early in ((START, True), (END, False))
            )
            _, low, high, horizon = change(earlier, later)
            means = (25, 25 / faster)
            true = np.subtract(*(mean * (1 - np.exp(-horizon / mean)) for mean in means))
            kept.append(low <= true <= high)
        why = "few tickets reach the horizon"
        rate = float(np.mean(kept))
        yield Row("days saved by a change", name, programs, "coverage", rate, 0.95, why)


PARTS = (percentiles, changes)
