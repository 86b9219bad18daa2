"""Incidents of feedback: false alarms in a panel-year, and what is found, on made-up days."""

from collections.abc import Iterator

import numpy as np

from opslab.feedback.incidents import FALSE_ALARMS, WEEKDAYS, WEEKS, searched
from simulations import Row, generator

SLOW = 10_000  # days that are watched, for ten thousand experiments
NOISE = {
    "counts by chance alone": 1.0,
    "counts of twice the variance": 2.0,
    "counts of one to six times the variance, by theme": 0.0,
    "log-shares correlated by .5 from day to day, sd .2": -0.2,
    "log-shares correlated by .5 from day to day, sd .3": -0.3,
}


def _days(random, days, themes, noise):
    """Return messages by day and theme, and what they are in proportion to."""
    volume = (100 if themes < 10 else 300) * np.exp(random.normal(0, 0.3, days))
    part = 0.8 / np.arange(2, themes + 2)
    mean = volume[:, None] * (part / max(part.sum(), 1) if themes > 1 else np.array([0.1]))
    if noise < 0:
        level = random.normal(0, 1, (days, themes))
        for day in range(1, days):
            level[day] = 0.5 * level[day - 1] + np.sqrt(0.75) * level[day]
        said = random.poisson(mean * np.exp(-noise * level))
    elif noise == 1:
        said = random.poisson(mean)
    else:
        times = noise or random.choice([1.0001, 1.5, 3, 6], themes)
        said = random.negative_binomial(mean / (times - 1), np.broadcast_to(1 / times, mean.shape))
    return said.astype(float), volume


def _found(said, volume):
    days = len(said)
    usual = volume[:, None] * said.sum(axis=0) / volume.sum()
    return searched(said, usual, WEEKDAYS * (days >= 7 * WEEKS))[0]


def incidents(experiments: int) -> Iterator[Row]:
    """Yield false alarms a day of watching all themes of a study."""
    for days in (8, 56, 365):
        for themes in (1, 5, 30):
            for name, noise in NOISE.items():
                situation = f"{days} days, {themes} theme{'s' * (themes > 1)}, {name}"
                random, alarms = generator(f"incidents {situation}"), 0
                runs = max(int(SLOW * experiments / 10_000 / days), 1)
                for _ in range(runs):
                    hit = _found(*_days(random, days, themes, noise)) < 1
                    alarms += (np.diff(hit.astype(int), axis=0, prepend=0) == 1).sum()
                rate, stated = alarms / runs / days, FALSE_ALARMS / 365
                why = f"{365 * rate:.1f} in a panel-year, {FALSE_ALARMS:.0f} stated"
                yield Row(
                    "incidents, per day watched",
                    situation,
                    runs * days,
                    "false alarms",
                    rate,
                    stated,
                    why,
                )


def planted(experiments: int) -> Iterator[Row]:
    """Yield how often an incident of three days is found, and to the day."""
    runs = max(experiments // 50, 1)
    for days, times in ((8, 3.0), (56, 2.0), (56, 3.0), (365, 3.0)):
        situation = (
            f"{days} days, 5 themes, {times:.0f} times as many on 3 days, twice the variance"
        )
        random, found, exact = generator(f"planted {situation}"), 0, 0
        total = max(runs * 8 // days, min(runs, 100))
        for _ in range(total):
            said, volume = _days(random, days, 5, 2.0)
            said[3:6, 1] += random.negative_binomial(said[3:6, 1] * (times - 1) + 1e-9, 0.5)
            hit = np.flatnonzero(_found(said, volume)[:, 1] < 1)
            found += bool(len(np.intersect1d(hit, [3, 4, 5])))
            exact += hit.tolist() == [3, 4, 5]
        yield Row("incidents", situation, total, "found", found / total, None)
        yield Row("incidents", situation, total, "first and last day right", exact / total, None)


PARTS = (incidents, planted)

if __name__ == "__main__":
    for part in PARTS:
        for row in part(10_000):
            print(row.line(), flush=True)
