"""How soon an analyst sees a million units, and in how much memory; each in a process of its own."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import environment

UNITS = 1_000_000
SPEC = """experiment: frames
data: {{path: "{path}", rows: unit}}
unit: unit
arms: {{column: arm, control: old, weights: {{old: 1, new: 1}}}}
period: {{time: day, start: 2026-09-01, end: 2026-09-28}}
metrics:
  - {{name: bought, type: proportion, column: bought, role: primary, goal: increase}}
  - {{name: spend, type: mean, column: spend, role: secondary, goal: increase, covariates: [before]}}
segments: [country, platform]
"""


def measure(times: int = 3) -> list[tuple[str, str, str, str]]:
    """Return a row for each form of the file: what, target, measured, beside."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return [row(Path(folder), ending, times) for ending in ("csv", "parquet")]


def row(folder: Path, ending: str, times: int) -> tuple[str, str, str, str]:
    """Return the row of a form."""
    command = [sys.executable, __file__, str(folder / f"{ending}.yaml")]
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
        for _ in range(times)
    ]
    figures = [[float(number) for number in run.stdout.split()] for run in runs]
    seconds, again, plain, peak = map(statistics.median, zip(*figures, strict=True))
    told = f"{seconds:.2f} s, {again:.3f} s again, {peak:.0f} MiB at the peak"
    beside = f"pandas alone reads all columns in {plain:.2f} s"
    return f"frame of {UNITS:,} units x 8 columns, {ending}", "<= 3 s, 1 GB", told, beside


def write(folder: Path) -> None:
    """Write the units as CSV and as Parquet, each with its spec."""
    import numpy as np
    import pandas as pd

    draw = np.random.default_rng(1)
    bought = draw.random(UNITS) < 0.3
    units = pd.DataFrame(
        {
            "unit": [f"u-{number:07}" for number in range(UNITS)],
            "arm": draw.choice(["old", "new"], UNITS),
            "day": pd.Timestamp("2026-09-01") + pd.to_timedelta(draw.integers(0, 28, UNITS), "D"),
            "country": draw.choice(["CA", "DE", "FR", "US"], UNITS),
            "platform": draw.choice(["android", "ios", "web"], UNITS),
            "before": draw.exponential(20, UNITS).round(2),
            "bought": bought.astype(int),
            "spend": (bought * draw.exponential(40, UNITS)).round(2),
        }
    )
    units.to_csv(folder / "units.csv", index=False)
    units.to_parquet(folder / "units.parquet", index=False)
    for ending in ("csv", "parquet"):
        spec = SPEC.format(path=folder / f"units.{ending}")
        (folder / f"{ending}.yaml").write_text(spec, encoding="utf-8")


def once(spec: str) -> None:
    """Print the seconds of the frame, of asking again and of pandas alone, and the peak in MiB."""
    import pandas as pd

    from opslab import experiments

    experiment = experiments.Experiment.load(spec)
    experiments.analyze  # noqa: B018 - has run before in the notebook, and is loaded
    started = time.perf_counter()
    units = experiment.units()
    seen = time.perf_counter()
    experiment.units()
    again = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if units.shape != (UNITS, 7):
        raise SystemExit(f"the frame has the shape {units.shape}")
    path = experiment.beside(experiment.data.path)
    (pd.read_csv if path.suffix == ".csv" else pd.read_parquet)(path)
    plain = time.perf_counter() - again
    print(seen - started, again - seen, plain, peak)


if __name__ == "__main__":
    once(sys.argv[1])
