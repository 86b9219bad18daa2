"""How long 50 tasks over 36 months take with 100,000 draws, and how much memory, in a process of its own."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

from timing import environment

TASKS, MONTHS, DRAWS = 50, 36, 100_000


def measure(times: int = 5) -> list[tuple[str, str, str, str]]:
    """Return a row: what, target, measured, beside."""
    runs = [
        tuple(
            map(
                float,
                subprocess.run(
                    [sys.executable, __file__, "once"],
                    capture_output=True,
                    text=True,
                    check=True,
                    env=environment(),
                ).stdout.split(),
            )
        )
        for _ in range(times)
    ]
    seconds, plain, peak = map(statistics.median, zip(*runs, strict=True))
    what = f"time saved, {TASKS} tasks x {MONTHS} months x {DRAWS:,} draws, CPU"
    told = f"{seconds:.2f} s, {peak:.0f} MiB at the peak"
    return [
        (
            what,
            "<= 2 s, < 1 GB",
            told,
            f"tasks x months x draws multiplied out in numpy {plain:.2f} s",
        )
    ]


def inventory():
    """Return an inventory in which every quantity is a range and two changes meet on every tenth task."""
    from opslab.timesaved.inventory import Inventory

    ranged = {
        "people": 12,
        "frequency": {"low": 2, "high": 6},
        "minutes": {"low": 10, "high": 30},
        "adoption": {"low": 0.6, "high": 0.9},
        "ramp_months": 6,
        "new_minutes": {"low": 1, "high": 4},
        "rate": 60,
        "currency": "EUR",
    }
    lines = [
        {
            "task": f"task {place}",
            "role": f"role {place % 4}",
            "initiative": f"change {(place + more) % 5}",
            "reduction": {"low": 0.2 + (place + more) / 1000, "high": 0.6},
        }
        | ranged
        for place in range(TASKS)
        for more in range(1 + (place % 10 == 0))
    ]
    return Inventory(inventory="benchmark", contract_hours=60, horizon_months=MONTHS, lines=lines)


def once() -> None:
    """Print the CPU seconds of an estimate, those of the plain way, and the peak of the former in MiB."""
    import numpy as np

    from opslab.timesaved.estimation import estimate

    declared = inventory()
    started = time.process_time()
    estimate(declared, draws=DRAWS)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    random = np.random.default_rng(1)
    for _ in range(TASKS):
        hours, factor = random.lognormal(size=(2, DRAWS))
        for month in range(MONTHS):
            hours * random.random() * (factor * 0 + 0.99) ** month
    print(seconds, time.process_time() - started, peak)


if __name__ == "__main__":
    once()
