"""Flow of work: lines of stages with one server each, whose bottleneck and shares are known."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from opslab.operations.flow.history import History
from opslab.operations.flow.lifecycles import Lifecycles, lifecycles
from opslab.operations.flow.queues import little
from opslab.operations.flow.spec import Flow
from opslab.operations.flow.stages import bottleneck, efficiency, stage_rows
from simulations import Row, generator

ARRIVALS, DRAWS, WARM = 20, 1_000, 20
"""Tickets a week; draws of weeks; weeks before a steady line is looked at."""
SHORT = ((26, 17, 26), (26, 18, 26))
BALANCED = ((25, 25, 25), (22, 22, 22), (20, 20, 20))


def line(
    random: np.random.Generator, rates: tuple[int, ...], weeks: int, warm: int
) -> tuple[History, Lifecycles, Flow]:
    """Return a simulated line: `rates` are what each stage can do a week (Lindley, 1952)."""
    days = 7.0 * (weeks + warm)
    begin = random.exponential(7 / ARRIVALS, 2 * ARRIVALS * (weeks + warm)).cumsum()
    begin = begin[begin < days]
    moments = [begin]
    for rate in rates:
        service = random.exponential(7 / rate, len(begin))
        total = service.cumsum()
        done = total + np.maximum.accumulate(moments[-1] - total + service)
        moments += [done - service, done]
    entered = np.column_stack(moments)
    left = np.column_stack([*moments[1:], np.full(len(begin), np.nan)])
    ticket, status = np.indices(entered.shape)
    seen = entered < days
    names = [f"{part} {number}" for number in range(len(rates)) for part in ("queue", "work")]
    kinds = (*("waiting", "active") * len(rates), "done")
    flow = Flow(
        flow="line",
        tickets={"path": "none.csv"},
        start="created",
        stages=[
            {"stage": name, "kind": kind} for name, kind in zip([*names, "end"], kinds, strict=True)
        ],
    )
    history = History(
        keys=np.arange(len(begin)).astype(str),
        created=begin,
        resolved=np.full(len(begin), np.nan),
        statuses=(*names, "end"),
        kinds=kinds,
        ticket=ticket[seen],
        status=status[seen],
        entered=entered[seen],
        left=np.where(left < days, left, np.nan)[seen],
        start=7.0 * warm,
        end=days,
        attributes={},
        assignees=0,
        shape="changes",
        tool="",
        lacks=(),
        assumed=(),
        flags={},
        readings=(),
    )
    return history, lifecycles(history, flow), flow


def bottlenecks(experiments: int) -> Iterator[Row]:
    """How often a stage is named where it is short of capacity, and where all are alike."""
    runs = max(experiments // 20, 1)
    cases = [(rates, 52, 0) for rates in SHORT] + [(rates, 52, WARM) for rates in BALANCED]
    for rates, weeks, warm in [*cases, (SHORT[0], 26, 0), (BALANCED[0], 52, 0)]:
        name = f"{ARRIVALS} a week come, stages can do {rates}, {weeks} weeks" + " steady" * (
            warm > 0
        )
        random, named = generator(name), []
        for _ in range(runs):
            rows = stage_rows(*line(random, rates, weeks, warm), DRAWS, 1)
            named.append(bottleneck(rows))
        right = "queue 1" if rates in SHORT else ""
        rate = named.count(right) / runs if right else 1 - named.count("") / runs
        yield Row("bottleneck", name, runs, "named" if right else "named falsely", rate, None)
        others = 1 - (named.count(right) + named.count("")) / runs
        if right:
            yield Row("bottleneck", name, runs, "another named", others, None)


def active_shares(experiments: int) -> Iterator[Row]:
    """Of one stage: rho at work and rho^2 / (1 - rho) waiting, so that 1 - rho is active."""
    runs = max(experiments // 20, 1)
    for rate, weeks in product((25, 30, 40), (12, 26, 52, 104)):
        name = f"a line used at {ARRIVALS / rate:.0%}, {weeks} weeks"
        random, held = generator(name), []
        for _ in range(runs):
            _, low, high = efficiency(*line(random, (rate,), weeks, WARM), DRAWS, 1)
            held.append(low < 1 - ARRIVALS / rate < high)
        why = "few weeks that hang together say little of a rare long queue"
        yield Row("flow efficiency", name, runs, "coverage", float(np.mean(held)), 0.95, why)


def laws(experiments: int) -> Iterator[Row]:
    """How often Little's law is used on lines that are steady, and on such as grow."""
    runs = max(experiments // 20, 1)
    for rate, warm in ((40, WARM), (25, WARM), (18, 0), (17, 0)):
        name = f"{ARRIVALS} a week come, {rate} can be done, 52 weeks"
        random, used = generator(name), []
        for _ in range(runs):
            history, lives, _ = line(random, (rate,), 52, warm)
            law = little(history, lives)
            used.append(law is not None and law.holds)
        yield Row("Little's law", name, runs, "used", float(np.mean(used)), None)


PARTS = (bottlenecks, active_shares, laws)
