"""The business case at its full size: seconds, CPU and memory of one joint simulation.

40 lines, 60 months, 5 options, 100,000 draws; every benefit with a ramp, a slip and a decay of its
own, every cost with a trend of its own.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from typing import Any

LINES, MONTHS, OPTIONS, DRAWS = 40, 60, 5, 100_000


def case(lines: int = LINES, months: int = MONTHS, options: int = OPTIONS) -> dict[str, Any]:
    """Return a case of a given size as the fields of its spec."""
    assumptions: list[dict[str, Any]] = [
        {
            "id": "worth",
            "statement": "an hour",
            "low": 50,
            "high": 75,
            "currency": "EUR",
            "per": "hour",
        }
    ]
    roadmap, benefits, costs = [], [], []
    for k in range(lines // 2):
        share = {"share": True}
        assumptions += [
            {
                "id": f"hours{k}",
                "statement": f"hours of task {k}",
                "low": 300 + k,
                "high": 900 + k,
                "per": "hour",
            },
            {"id": f"use{k}", "statement": "use", "low": 0.5, "high": 0.9, **share},
            {"id": f"work{k}", "statement": "recapture", "low": 0.3, "high": 0.6, **share},
            {"id": f"wear{k}", "statement": "decay", "low": 0.05, "high": 0.2, **share},
            {
                "id": f"pay{k}",
                "statement": "pay",
                "low": 8e3 + k,
                "high": 1.3e4 + k,
                "currency": "EUR",
                "per": "year",
            },
            {"id": f"grow{k}", "statement": "trend", "low": 0.01, "high": 0.05, **share},
        ]
        month = 1 + k % 12
        roadmap.append(
            {
                "id": f"step{k}",
                "name": f"step {k}",
                "starts": f"2027-{month:02}-01",
                "ends": f"2027-{month:02}-28",
                "slip": {"low": 0.5, "high": 4},
            }
        )
        benefits.append(
            {
                "name": f"gain {k}",
                "gain": "time",
                "kind": "capacity",
                "quantity": f"hours{k}",
                "worth": "worth",
                "adoption": f"use{k}",
                "recapture": f"work{k}",
                "decay": f"wear{k}",
                "ramp_months": 3 + k % 7,
                "starts": f"step{k}",
                "claim": {"hours": f"product manager/task {k}", "of": "desk"},
            }
        )
        costs.append({"name": f"cost {k}", "amount": f"pay{k}", "starts": "2027-01-01"})
        costs[-1]["claim"] = {"budget": f"line {k}"}
        costs[-1]["trend"] = f"grow{k}"
    names = [one["name"] for one in benefits], [one["name"] for one in costs]
    kinds = ["minimum", "recommended", "stretch", *["other"] * options]
    made = [{"name": "nothing", "kind": "do_nothing", "costs": names[1][:3]}]
    made += [
        {
            "name": f"option {k}",
            "kind": kinds[k],
            "benefits": names[0],
            "costs": names[1],
            "reach": {"gain 0": 1 + k},
        }
        for k in range(options)
    ]
    return {
        "case": "size",
        "date": "2026-10-05",
        "owner": "ops",
        "sponsor": "cpo",
        "ask": {"sentence": "all of it", "problem": "size"},
        "decision": {"wanted": "approve", "by": "2026-12-01", "who": "cpo"},
        "finance": {"currency": "EUR", "start": "2027-01-01", "horizon_months": months},
        "assumptions": assumptions,
        "roadmap": roadmap,
        "benefits": benefits,
        "costs": costs,
        "options": made,
        "risks": [{"risk": "late", "owner": "ops", "trigger": "slip"}],
        "kpis": [
            {
                "id": "k",
                "name": "use",
                "gain": "time",
                "unit": "share",
                "baseline": 0,
                "target": 0.7,
                "low": 0.5,
                "high": 0.9,
                "date": "2027-12-31",
                "kill": 0.3,
                "source": "log",
                "owner": "o",
            }
        ],
    }


def measure() -> list[tuple[str, str, str, str]]:
    """Return the row of the benchmark page: medians of three fresh processes."""
    runs = [
        subprocess.run(
            [sys.executable, __file__], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    wall, plain, peak = (statistics.median(float(run[place]) for run in runs) for place in range(3))
    what = f"business case, {LINES} lines x {MONTHS} months x {OPTIONS} options x {DRAWS:,} draws, wall"
    beside = f"lines x months x options x draws multiplied out in numpy {plain:.1f} s"
    return [(what, "<= 5 s, < 1.5 GB", f"{wall:.1f} s, {peak:.0f} MiB at the peak", beside)]


def once() -> None:
    """Print the seconds of a case and of the plain way, and the peak of the former in MiB."""
    import numpy as np

    from opslab import businesscase

    declared = businesscase.Case(**case())
    businesscase.build(declared, draws=1_000)  # what is loaded at first use
    started = time.perf_counter()
    businesscase.build(declared, draws=DRAWS)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    random, total = np.random.default_rng(1), np.zeros((OPTIONS, MONTHS, DRAWS))
    for line in range(LINES):
        value, factor = random.lognormal(size=(2, DRAWS))
        for month in range(MONTHS):
            money = value * (factor * 0 + 0.99) ** (month / 12)
            for option in range(OPTIONS):
                total[option, month] += (1 + line % 3) * money
    print(seconds, time.perf_counter() - started, peak)


if __name__ == "__main__":
    once()
