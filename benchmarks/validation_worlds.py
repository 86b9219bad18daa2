"""Made-up experiments, sound and broken, for the gate: how each comes about, and what is right about it."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from opslab.experiments.spec import Experiment

DAYS = 14
START, END = datetime.date(2026, 9, 1), datetime.date(2026, 9, DAYS)
DATES = [START + datetime.timedelta(day) for day in range(DAYS)]
CONSTANT = np.full(DAYS, 0.5)
SPEND = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
COVARIATE = SPEND | {"covariates": ["before"]}
BASKET = {
    "name": "basket",
    "type": "ratio",
    "numerator": "spend",
    "denominator": "orders",
    "role": "primary",
    "goal": "increase",
}
COMPLAINTS = {
    "name": "complaints",
    "type": "mean",
    "event": "complaint",
    "window": {"to": "7d"},
    "role": "primary",
    "goal": "decrease",
}

Draw = Callable[[np.random.Generator], Any]
Right = Literal["sound", "stop", "flag", "shown"]


@dataclass(frozen=True)
class World:
    """A kind of data, and what is right about it.

    ``sound`` may ship at alpha / 2; ``stop`` may not ship; ``flag`` may not ship without a condition;
    of ``shown`` nothing is promised.
    """

    name: str
    right: Right
    draw: Draw
    metric: Mapping[str, Any] = field(default_factory=lambda: COVARIATE)
    spec: Mapping[str, Any] = field(default_factory=dict)
    as_of: datetime.date | None = None
    truth: float | None = None  # the effect, where its interval is to hold it
    weights: tuple[float, float] = (1, 1)  # of the old arm and of the new one

    @property
    def experiment(self) -> Experiment:
        """Return the spec of the world."""
        logs = "event" in self.metric
        given = {"assignments": "a.csv", "events": "e.csv", "event_time": "when"} if logs else {}
        return Experiment(
            experiment="a world",
            unit="unit",
            data=given,
            arms={
                "column": "arm",
                "control": "old",
                "weights": dict(zip(("old", "new"), self.weights, strict=True)),
            },
            period={"time": "seen", "start": START, "end": END},
            metrics=[self.metric],
            **self.spec,
        )


def table(columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Return a table whose arms are called by their names."""
    labels = pa.array(["old", "new"])
    arms = pa.array(columns["new"].astype(np.int8))
    seen = np.array(DATES, dtype="datetime64[D]")[columns["day"]]
    others = {name: values for name, values in columns.items() if name not in {"new", "day"}}
    return pa.table(
        {
            "arm": pa.DictionaryArray.from_arrays(arms, labels).cast(pa.string()),
            "seen": seen,
            **others,
        }
    )


def units(
    random: np.random.Generator,
    n: int = 6_000,
    shares: np.ndarray = CONSTANT,
    rise: float = 0.0,
    week: float = 0.0,
    effect: float = 0.0,
) -> dict[str, np.ndarray]:
    """Return units over two weeks: spending, and as much of it before as goes together with it.

    ``shares`` are those of the new arm, day by day; spending rises by so much up to the last day, and
    is higher by so much at the weekend.
    """
    day = random.integers(0, DAYS, n)
    level = (1 + rise * np.arange(DAYS) / (DAYS - 1)) * (1 + week * (np.arange(DAYS) % 7 > 4))
    new, wealth = random.random(n) < shares[day], random.gamma(2.0, 0.5, n)
    return {
        "unit": np.arange(n),
        "new": new,
        "day": day,
        "before": wealth * random.gamma(2.0, 10.0, n),
        "spend": wealth * random.gamma(2.0, 10.0, n) * level[day] + effect * new,
        "orders": 1.0 + random.poisson(2.0, n),
    }


def ramp(low: float, high: float) -> np.ndarray:
    """Return shares that rise evenly from day to day."""
    return np.linspace(low, high, DAYS)


STEPS = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], [3, 3, 2, 3, 3])
"""The new arm's share, day by day, of a ramp in steps."""


def phases(shares: np.ndarray) -> list[dict[str, Any]]:
    """Return how a spec declares shares."""
    first = [day for day in range(DAYS) if day == 0 or shares[day] != shares[day - 1]]
    return [
        {"from": DATES[day], "weights": {"old": 1 - shares[day], "new": shares[day]}}
        for day in first
    ]


def plain(random: np.random.Generator, **how: Any) -> pa.Table:
    """Return units of which nothing else is to be told."""
    return table(units(random, **how))


def long_tail(random: np.random.Generator) -> pa.Table:
    """Return amounts with a log deviation of 1.5, the same in both arms."""
    columns = units(random)
    return table(columns | {"spend": random.lognormal(0.0, 1.5, len(columns["unit"]))})


def late(random: np.random.Generator) -> pa.Table:
    """Return a new arm that started a week later, while spending rises by 40 %."""
    return plain(random, shares=np.repeat([0.0, 2 / 3], 7), rise=0.4)


def bots(random: np.random.Generator, count: int) -> pa.Table:
    """Return units of whom some, all in the new arm, spend some 60,000 in a single order."""
    columns = units(random, 4_000)
    these = np.flatnonzero(columns["new"])[:count]
    columns["spend"][these] = 60_000 * random.uniform(0.9, 1.1, count)
    columns["orders"][these] = 1.0
    return table(columns)


def leaks(random: np.random.Generator, share: float, *, leaning: bool) -> pa.Table:
    """Return units of whom some came to the other arm as well: any, or the new arm's low spenders."""
    columns = units(random)
    n = len(columns["unit"])
    low = columns["new"] & (columns["spend"] < 10)
    among = np.flatnonzero(low) if leaning else np.arange(n)
    again = random.choice(among, round(share * n), replace=False)
    more = {name: values[again] for name, values in columns.items()}
    more["new"] = ~more["new"]
    return table({name: np.concatenate([columns[name], more[name]]) for name in columns})


def after_exposure(random: np.random.Generator, drop: float) -> pa.Table:
    """Return units whose covariate was measured late: the new arm lowered it, and not the outcome."""
    columns = units(random)
    return table(columns | {"before": columns["before"] * (1 - drop * columns["new"])})


def gaps(random: np.random.Generator) -> pa.Table:
    """Return units of whom 5 % in either arm have no outcome."""
    columns = units(random)
    empty = random.random(len(columns["unit"])) < 0.05
    return table(columns | {"spend": np.where(empty, np.nan, columns["spend"])})


def logs(random: np.random.Generator, lost: float = 0.0) -> dict[str, pa.Table]:
    """Return logs of two complaints a unit on average, a share of the new arm's lost."""
    columns = units(random, 2_500)
    names = ("unit", "new", "day")
    counts = random.poisson(2.0 * random.gamma(2.0, 0.5, 2_500))
    unit = np.repeat(columns["unit"], counts)
    kept = ~(columns["new"][unit] & (random.random(len(unit)) < lost))
    hours = columns["day"][unit] * 24 + random.uniform(0, 21 * 24, len(unit))
    when = np.datetime64(START, "s") + (hours * 3_600).astype("timedelta64[s]")
    events = {"unit": unit[kept], "event": ["complaint"] * int(kept.sum()), "when": when[kept]}
    return {
        "assignments": table({name: columns[name] for name in names}),
        "events": pa.table(events),
    }


def worlds() -> list[World]:
    """Return all worlds."""
    w, declared = World, {"phases": phases(STEPS)}
    dropped = {"metric": COVARIATE | {"missing": "drop"}}
    read = DATES[6]
    return [
        w("A/A, 50:50 on each day", "sound", plain, truth=0.0),
        w("A/A, days that differ by 40 %", "sound", partial(plain, rise=0.4, week=0.3)),
        w("A/A, amounts with a long tail", "sound", long_tail, SPEND),
        w("A/A, 5 % of either arm without an outcome", "sound", gaps, **dropped),
        w(
            "A/A, .5 % of the units in both arms, at random",
            "sound",
            partial(leaks, share=0.005, leaning=False),
        ),
        w("A/A, logs", "sound", logs, COMPLAINTS),
        w(
            "A/A, ramp of 10 to 90 % in steps, declared",
            "sound",
            partial(plain, shares=STEPS, rise=0.4),
            spec=declared,
            truth=0.0,
        ),
        w(
            "ramp in steps, declared, effect of 1",
            "shown",
            partial(plain, shares=STEPS, rise=0.4, effect=1.0),
            spec=declared,
            truth=1.0,
        ),
        w(
            "A/A, ramp of 10 to 90 % in steps, undeclared",
            "stop",
            partial(plain, shares=STEPS, rise=0.4),
        ),
        w(
            "A/A, ramp from 10 to 90 %, undeclared",
            "stop",
            partial(plain, shares=ramp(0.1, 0.9), rise=0.4),
        ),
        w(
            "A/A, ramp from 45 to 55 %, undeclared, 12,000 units",
            "stop",
            partial(plain, n=12_000, shares=ramp(0.45, 0.55), rise=0.2),
        ),
        w("A/A, the new arm started a week later", "stop", late, weights=(2, 1)),
        *(
            w(
                f"A/A, {count} bots in the new arm, {name}",
                "flag",
                partial(bots, count=count),
                metric,
            )
            for name, metric in (("mean", SPEND), ("ratio", BASKET))
            for count in (1, 5, 10)
        ),
        w(
            "A/A, .8 % of the units in both arms, the new arm's low spenders",
            "stop",
            partial(leaks, share=0.008, leaning=True),
        ),
        w(
            "A/A, 3 % of the units in both arms, at random",
            "stop",
            partial(leaks, share=0.03, leaning=False),
        ),
        w(
            "covariate lowered by 20 % after exposure, no effect",
            "stop",
            partial(after_exposure, drop=0.2),
        ),
        w(
            "covariate lowered by 10 % after exposure, no effect",
            "shown",
            partial(after_exposure, drop=0.1),
        ),
        w("logs, all events of the new arm lost", "stop", partial(logs, lost=1.0), COMPLAINTS),
        w(
            "logs, half the events of the new arm lost",
            "shown",
            partial(logs, lost=0.5),
            COMPLAINTS,
        ),
        w("effect of 3, read on day 7 of 14", "stop", partial(plain, effect=3.0), as_of=read),
    ]
