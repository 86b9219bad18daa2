"""Measure the budgets and write docs/benchmarks.md: ratios of pairs that ran in turn, on this machine."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import batch
import business_case
import experiment_plan
import experiment_program
import exports
import feedback
import flow
import frames
import logs
import moments
import operations
import readout
import startup
import time_saved
from timing import ROOT

HEAD = ("what", "target", "measured", "beside")
INTRODUCTION = """# Benchmarks

Made by `make benchmark`. Each figure is a median over several rounds in which the things compared took turns,
after one round that is not counted. Ratios travel between machines, seconds do not. The larger sizes are
asked for by name: `python benchmarks/moments.py --rows 50000000 --only cuped`, `python benchmarks/logs.py
--events 100000000 --times 1`. tea-tasting takes part where `OPSLAB_TEA_PYTHON` names a Python that has it
(`tea-tasting`, `ibis-framework[duckdb]` and `polars` in an environment of their own).
"""


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (HEAD, ("---",) * len(HEAD), *rows))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the experiment table")
    rows = parser.parse_args().rows
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "src")], check=True)
    found = [*startup.measure(), *readout.measure(), *moments.measure(rows)]
    found += [
        *logs.measure(),
        *frames.measure(),
        *exports.measure(),
        *exports.measure_wide(),
        *time_saved.measure(),
        *business_case.measure(),
        *experiment_plan.measure(),
        *operations.measure(),
        *experiment_program.measure(),
        *flow.measure(),
        *batch.measure(),
        *batch.measure_many(),
    ]
    names = ("duckdb", "papermill", "nbconvert", "matplotlib")
    machine = (
        f"Machine: {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; "
        + ", ".join(f"{name} {version(name)}" for name in names)
        + "."
    )
    page = f"{INTRODUCTION}\n{machine}\n\n{table(found)}\n"
    Path(ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    print(page)
    feedback.main([])


if __name__ == "__main__":
    main()
