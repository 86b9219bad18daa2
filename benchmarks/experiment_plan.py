"""How long a plan takes on a long history, and A/A tests on it: each in a process of its own."""

from __future__ import annotations

import datetime
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from timing import environment

UNITS, TESTS = 1_000_000, 100_000
DAY = datetime.date(2026, 11, 30)
TASKS = {
    0: (f"experiment plan, history of {UNITS:,} units, 4 metrics, CPU", "<= 4 s"),
    TESTS: (f"the same with {TESTS:,} A/A tests of each, CPU", "<= 20 s"),
}


def measure(times: int = 3) -> list[tuple[str, str, str, str]]:
    """Return a row each: what, target, measured, beside."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "history.parquet"
        history().to_parquet(file)
        for tests, (what, target) in TASKS.items():
            command = [sys.executable, __file__, str(file), str(tests)]
            runs = [
                tuple(
                    map(
                        float,
                        subprocess.run(
                            command, capture_output=True, text=True, check=True, env=environment()
                        ).stdout.split(),
                    )
                )
                for _ in range(times)
            ]
            seconds, plain, peak = map(statistics.median, zip(*runs, strict=True))
            told = f"{seconds:.1f} s, {peak:.0f} MiB at the peak"
            rows.append((what, target, told, f"read by pandas {plain:.2f} s"))
    return rows


def history() -> pd.DataFrame:
    """Return eight weeks of units with a share, an amount, its covariate and a ratio."""
    rng = np.random.default_rng(1)
    before = rng.gamma(0.5, 40.0, UNITS)
    seen = pd.Timestamp("2026-10-05") + pd.to_timedelta(rng.integers(0, 56, UNITS), unit="D")
    return pd.DataFrame(
        {
            "user": np.arange(UNITS),
            "seen": seen,
            "bought": rng.random(UNITS) < 0.05,
            "before": before,
            "revenue": 0.7 * before + rng.gamma(0.5, 40.0, UNITS),
            "orders": 1 + rng.poisson(2, UNITS),
        }
    )


def once(file: Path, tests: int) -> None:
    """Print the CPU seconds of a plan, those of reading the file, and the peak in MiB."""
    from opslab import experiments

    goal = {"goal": "increase", "mde": {"relative": 0.02}}
    adjusted = {"column": "revenue", "covariates": ["before"]}
    ratio = {"numerator": "revenue", "denominator": "orders"}
    experiment = experiments.Experiment(
        experiment="large",
        unit="user",
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        metrics=[
            {"name": "bought", "type": "proportion", "column": "bought", "role": "primary", **goal},
            {"name": "revenue", "type": "mean", "role": "secondary", **adjusted, **goal},
            {"name": "basket", "type": "ratio", "role": "secondary", **ratio, **goal},
            {"name": "raw", "type": "mean", "column": "revenue", "role": "secondary", **goal},
        ],
        planning={"history": {"path": str(file), "time": "seen"}, "resamples": tests},
    )
    started = time.process_time()
    experiments.plan_experiment(experiment, as_of=DAY)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    pd.read_parquet(file)
    print(seconds, time.process_time() - started, peak)


if __name__ == "__main__":
    once(Path(sys.argv[1]), int(sys.argv[2]))
