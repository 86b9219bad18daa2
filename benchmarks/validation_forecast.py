"""Forecasts of finished items, and of dates: simulated teams, and public histories where they are at hand."""

import csv
import datetime
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from opslab.operations.flow.backtest import AHEAD, held, rate
from opslab.operations.flow.forecast import futures, rolling, throughput
from opslab.operations.flow.spec import Ahead
from opslab.operations.roadmap.slip import next_interval, slips
from opslab.operations.roadmap.spec import Announcement
from simulations import Row, generator

ROOT = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
TICKETS, TARGETS = ROOT / "ops" / "aea_jira_history.csv", ROOT / "ops" / "kep_target_history.csv"
DRAWS, WEEKS = 1_000, 12
CARRIED = 0.25
HALFWAY = 28  # of the file's time, from September 2020 to July 2026
RELEASES = dict(  # days of v1.19 to v1.35 of Kubernetes, as its project tells them
    enumerate(
        [
            "2020-08-26",
            "2020-12-08",
            "2021-04-08",
            "2021-08-04",
            "2021-12-07",
            "2022-05-03",
            "2022-08-23",
            "2022-12-09",
            "2023-04-11",
            "2023-08-15",
            "2023-12-13",
            "2024-04-17",
            "2024-08-13",
            "2024-12-11",
            "2025-04-23",
            "2025-08-27",
            "2025-12-17",
            "later",
        ],
        start=19,
    )
)


def team(random: np.random.Generator, weeks: int, carried: float = CARRIED) -> np.ndarray:
    """Return weekly finished items: negative binomial, mean 6 and variance 18, some of it carried on.

    Integer autoregression (McKenzie 1986): each item of a week brings one in the next with a chance
    that is drawn anew each week, so that the counts stay negative binomial and correlate by `carried`.
    """
    size, chance = 3.0, 1 / 3
    counts = np.empty(weeks, dtype=int)
    now = random.negative_binomial(size, chance)
    for week in range(weeks):
        counts[week] = now
        kept = (
            random.binomial(now, random.beta(carried * size, (1 - carried) * size))
            if carried
            else 0
        )
        now = kept + random.negative_binomial((1 - carried) * size, chance)
    return counts


def naive(past: np.ndarray, units: int, block: int, random: np.random.Generator) -> np.ndarray:
    """Return totals drawn from the past as it stands, as other tools do."""
    firsts = random.integers(len(past), size=(DRAWS, -(-units // block)))
    blocks = past[(firsts[..., None] + np.arange(block)) % len(past)]
    return blocks.reshape(DRAWS, -1)[:, :units].sum(axis=1)


def forecasts(experiments: int) -> Iterator[Row]:
    """Items done in twelve weeks, said from 12, 26 or 52 weeks of the past."""
    teams = max(experiments // 4, 1)
    for weeks in (12, 26, 52):
        for carried in (0.0, CARRIED):
            name = f"{weeks} weeks of past, 12 ahead, neighbours correlated by {carried}"
            random = generator(name)
            results: dict[tuple[str, float], list[float]] = {}
            for _ in range(teams):
                counts = team(random, weeks + WEEKS, carried)
                past, came = counts[:weeks], counts[weeks:].sum()
                drawn = {
                    "items by a day": futures(past, WEEKS, 2, DRAWS, random)[:, -1],
                    "items by a day, from the past as it stands (not used)": naive(
                        past, WEEKS, 2, random
                    ),
                }
                for label, totals in drawn.items():
                    for said in (0.5, 0.85, 0.95):
                        results.setdefault((label, said), []).append(held(totals, came, said))
            for (label, said), hits in results.items():
                yield Row(
                    label,
                    name,
                    teams,
                    "coverage",
                    float(np.mean(hits)),
                    said,
                    "weeks go together for longer than blocks of two"
                    if carried
                    else "a short past does not show how far weeks can go",
                )


def origins(experiments: int) -> Iterator[Row]:
    """Backtests of simulated teams, each with 200 forecasts made at earlier days."""
    teams = max(experiments // 200, 1)
    name = f"200 forecasts each, neighbours correlated by {CARRIED}"
    random = generator(name)
    rates, holds = [], []
    for seed in range(teams):
        results = rolling(team(random, 200 + 7 + AHEAD), Ahead(), seed)[-200:]
        value, low, high = rate(results)
        rates.append(value)
        holds.append(low <= 0.85 <= high)
    within = float(np.mean([0.82 <= value <= 0.88 for value in rates]))
    yield Row(
        "backtest: forecasts that held",
        name,
        teams * 50,
        "coverage",
        float(np.mean(rates)),
        0.85,
        "weeks go together for longer than blocks of two",
    )
    yield Row(
        "backtest: interval of the rate",
        name,
        teams,
        "coverage",
        float(np.mean(holds)),
        0.95,
        "an exact interval is never short",
    )
    yield Row(
        "backtest: rate of a team within 82 to 88 %",
        name,
        teams,
        "found",
        within,
        None,
        "50 windows that do not overlap",
    )


def intervals(experiments: int) -> Iterator[Row]:
    """The next slip, after few or many past ones."""
    for count in (10, 19, 60):
        for label, draw in (
            ("days, skewed", lambda random, size: random.lognormal(3, 1, size)),
            (
                "releases, most on time",
                lambda random, size: random.negative_binomial(0.4, 0.2, size),
            ),
        ):
            name = f"{count} past ones, {label}"
            random = generator(name)
            hits = []
            for _ in range(experiments):
                past = draw(random, count + 1)
                low, high = next_interval(past[:-1])
                hits.append(low <= past[-1] <= high)
            yield Row(
                "next slip, middle 80 %",
                name,
                experiments,
                "coverage",
                float(np.mean(hits)),
                0.8,
                "ranks and releases come in steps",
            )


def half_a_history() -> list[float]:
    """Return how the forecasts of the second half held, by the settings that are there by default."""
    visits: dict[str, list[tuple[datetime.datetime, int, str]]] = {}
    with TICKETS.open(encoding="utf-8", newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):  # newest first
            at = datetime.datetime.fromisoformat(row["As.Of.Date"])
            visits.setdefault(row["ticket"], []).append((at, -place, row["Status"]))
    epoch, day = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(1)
    ended = []
    for changes in visits.values():
        changes.sort()
        entries = [
            at
            for (at, _, to), before in zip(changes, [None, *changes], strict=False)
            if to == "Done" and (before is None or before[2] != "Done")
        ]
        if changes[-1][2] == "Done":
            ended.append((entries[-1] - epoch) / day)
    times = [(at - epoch) / day for changes in visits.values() for at, _, _ in changes]
    done = np.array(ended)
    counts = throughput(done, np.ones(len(done)), min(times), max(times), "week")
    later = len(counts) - AHEAD - len(counts) // 2 + 1
    return rolling(counts, Ahead(), 1)[-later:]


def targets() -> list[Announcement]:
    """Return when each enhancement was to be stable, as announced; delivered where it is implemented."""
    said: dict[str, list[tuple[str, str]]] = {}
    last: dict[tuple[str, str], str] = {}
    with TARGETS.open(encoding="utf-8", newline="") as file:
        rows = sorted(
            csv.DictReader(file), key=lambda row: datetime.datetime.fromisoformat(row["changed"])
        )
    for row in rows:
        last[row["kep"], row["field"]] = row["to"]
        day, release = row["changed"][:10], row["to"]
        if row["field"] == "stable" and re.fullmatch(r"v?1\.\d+", release):
            came = RELEASES[min(max(number(release), 19), 36)]
            if row["kep"] in said or day < came:  # what is entered afterwards announces nothing
                said.setdefault(row["kep"], []).append((day, release))
    return [
        Announcement(
            initiative=name,
            announced=day,
            release=to,
            delivered=days[-1][1]
            if (last.get((name, "status")), last.get((name, "stage"))) == ("implemented", "stable")
            else None,
        )
        for name, days in said.items()
        for day, to in days
    ]


def histories(_: int) -> Iterator[Row]:
    """What public histories say, where they are at hand; nothing is chosen on what comes later."""
    if TICKETS.is_file():
        results = half_a_history()
        value, low, high = rate(results)
        yield Row(
            f"backtest: {len(results)} forecasts that held, interval {low:.0%} to {high:.0%}",
            "AEA Data Editor's tickets, second half of a year whose first half begins empty",
            len(results) // AHEAD,
            "coverage",
            value,
            0.85,
        )
    if TARGETS.is_file():
        for release in range(HALFWAY - 4, HALFWAY + 5, 2):
            low, high, inside = next_releases(release)
            yield Row(
                f"next slip: {low:.0f} to {high:.0f} releases",
                f"Kubernetes, from what came by v1.{release}, for first targets after it",
                len(inside),
                "coverage",
                float(np.mean(inside)),
                0.8,
                "what slips far comes after the file ends" if release > HALFWAY else "delays grew",
            )


def next_releases(release: int) -> tuple[float, float, list[bool]]:
    """Return the interval that was known at a release, and which later first targets came in it."""
    rows = targets()
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row.initiative, number(row.release))
    known = [row for row in rows if row.delivered and number(row.delivered) <= release]
    past = slips(known, datetime.date(2027, 1, 1), {})
    later = {
        row.initiative: number(row.delivered) - first[row.initiative]
        for row in rows
        if row.delivered and first[row.initiative] > release
    }
    return past.low, past.high, [past.low <= late <= past.high for late in later.values()]


def number(release: str) -> int:
    """Return 24 of v1.24."""
    return int(release.rpartition(".")[2])


PARTS = (forecasts, origins, intervals, histories)
