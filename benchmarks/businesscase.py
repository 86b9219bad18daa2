"""The business case at its full size: seconds, CPU and memory of one joint simulation.

python benchmarks/businesscase.py: 40 lines, 60 months, 5 options, 100,000 draws, every line with a ramp, a
slip, a decay or trend of its own. Budget: 5 s of wall clock, 1.5 GB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from typing import Any

LINES, MONTHS, OPTIONS, DRAWS = 40, 60, 5, 100_000


def case(lines: int = LINES, months: int = MONTHS, options: int = OPTIONS) -> dict[str, Any]:
    """Return a case of a given size as the fields of its spec."""
    assumptions: list[dict[str, Any]] = [
        {"id": "worth", "statement": "an hour", "low": 50, "high": 75, "currency": "EUR", "per": "hour"}
    ]
    roadmap, benefits, costs = [], [], []
    for k in range(lines // 2):
        share = {"share": True}
        assumptions += [
            {"id": f"hours{k}", "statement": "hours", "low": 300 + k, "high": 900 + k, "per": "hour"},
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
        roadmap.append({"id": f"step{k}", "name": f"step {k}", "starts": f"2027-{month:02}-01",
                        "ends": f"2027-{month:02}-28", "slip": {"low": 0.5, "high": 4}})  # fmt: skip
        benefits.append({"name": f"gain {k}", "gain": "time", "kind": "capacity", "quantity": f"hours{k}",
                         "worth": "worth", "adoption": f"use{k}", "recapture": f"work{k}", "decay": f"wear{k}",
                         "ramp_months": 3 + k % 7, "starts": f"step{k}"})  # fmt: skip
        costs.append({"name": f"cost {k}", "amount": f"pay{k}", "starts": "2027-01-01", "trend": f"grow{k}"})
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
        "case": "size", "date": "2026-10-05", "owner": "ops", "sponsor": "cpo",
        "ask": {"sentence": "all of it", "problem": "size"},
        "decision": {"wanted": "approve", "by": "2026-12-01", "who": "cpo"},
        "finance": {"currency": "EUR", "start": "2027-01-01", "horizon_months": months},
        "assumptions": assumptions, "roadmap": roadmap, "benefits": benefits, "costs": costs, "options": made,
        "risks": [{"risk": "late", "owner": "ops", "trigger": "slip"}],
        "kpis": [{"id": "k", "name": "use", "gain": "time", "unit": "share", "baseline": 0, "target": 0.7, "low": 0.5,
                  "high": 0.9, "date": "2027-12-31", "kill": 0.3, "source": "log", "owner": "ops"}],
    }  # fmt: skip


def measure() -> str:
    """Return wall clock, CPU and peak memory of building the case in this process, imports left out."""
    from opslab import businesscase

    declared = businesscase.Case(**case())
    businesscase.build(declared, draws=1_000)
    wall, cpu = time.perf_counter(), time.process_time()
    businesscase.build(declared, draws=DRAWS)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{wall:.2f} {cpu:.2f} {peak:.0f}"


def main(arguments: list[str]) -> str:
    """Return the section of the benchmark page: the median of three fresh processes."""
    if "--once" in arguments:
        return measure()
    runs = [
        subprocess.run(
            [sys.executable, __file__, "--once"], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    wall, cpu, peak = sorted(tuple(map(float, run)) for run in runs)[1]
    return (
        f"{LINES} lines, {MONTHS} months, {OPTIONS} options, {DRAWS:,} draws, one joint simulation with tornado, "
        f"switching values and EVPPI: {wall:.1f} s wall clock, {cpu:.1f} s CPU, {peak:.0f} MiB "
        "(target 5 s, 1.5 GB; median of three processes)."
    )


if __name__ == "__main__":
    print(main(sys.argv[1:]))
