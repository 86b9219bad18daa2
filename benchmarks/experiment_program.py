"""How long a program of 1,000 experiments takes to review: from a table, and from run folders."""

from __future__ import annotations

import datetime
import hashlib
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import environment

EXPERIMENTS, IDEAS = 1_000, 400
DAY = datetime.date(2026, 10, 5)
FIRST = datetime.date(2024, 1, 8)
TASKS = {
    "table": (f"program of {EXPERIMENTS:,} experiments, a row for each arm, CPU", "read by pandas"),
    "runs": (f"program of {EXPERIMENTS:,} run folders, CPU", "their records parsed"),
}


def measure(times: int = 3) -> list[tuple[str, str, str, str]]:
    """Return a row each: what, target, measured, beside."""
    rows = []
    for task, (what, beside) in TASKS.items():
        command = [sys.executable, __file__, task]
        runs = []
        for _ in range(times):
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment()
            )
            runs.append(tuple(map(float, done.stdout.split())))
        seconds, plain, peak = map(statistics.median, zip(*runs, strict=True))
        told = f"{seconds:.2f} s, {peak:.0f} MiB at the peak"
        rows.append((what, "<= 10 s, page included", told, f"{beside} {plain:.2f} s"))
    return rows


def table(folder: Path) -> str:
    """Write a table of arms with counts, and a list of ideas; return the program's spec."""
    draw = random.Random(1)
    lines = ["test,arm,units,successes,start,end,decision,by_rule"]
    for test in range(EXPERIMENTS):
        start = FIRST + datetime.timedelta(test)
        end = start + datetime.timedelta(21)
        for arm, lift in (("control", 1.0), ("variant", draw.gauss(1, 0.03))):
            units = draw.randint(9_800, 10_200)
            hits = round(draw.gauss(0.1 * lift * units, (0.09 * units) ** 0.5))
            decision = ("shipped", "dropped")[draw.random() < 0.7]
            rule = ("yes", "no")[test % 5 == 0]
            lines.append(f"test {test},{arm},{units},{hits},{start},{end},{decision},{rule}")
    (folder / "tests.csv").write_text("\n".join(lines))
    lines = ["idea,date,decided"]
    for idea in range(IDEAS):
        day = FIRST + datetime.timedelta(2 * idea)
        decided = day + datetime.timedelta(draw.randint(10, 90))
        lines.append(f"idea {idea},{day},{decided if draw.random() < 0.8 else ''}")
    (folder / "ideas.csv").write_text("\n".join(lines))
    return "tests: {path: tests.csv}\nideas: {path: ideas.csv}\nstandardised: 2025-06-01\n"


def runs(folder: Path) -> str:
    """File a readout of the sample under as many names; return the program's spec."""
    from opslab import archive, workspace

    sample = workspace.resolve("data/sample/runs/experiment_readout")
    filed = min(path.parent for path in sample.rglob(archive.RUN))
    record = json.loads((filed / archive.RESULT).read_text("utf-8"))
    about = json.loads((filed / archive.RUN).read_text("utf-8"))
    for number in range(EXPERIMENTS):
        home = folder / "runs" / "experiment_readout" / f"test-{number}" / filed.name
        home.mkdir(parents=True)
        record["plan"]["experiment"] = f"test {number}"
        content = json.dumps(record).encode()
        about["outputs"][archive.RESULT] = hashlib.sha256(content).hexdigest()
        (home / archive.RESULT).write_bytes(content)
        (home / archive.RUN).write_text(json.dumps(archive.sealed(about)), "utf-8")
    return "runs: [runs]\n"


def once(task: str) -> None:
    """Print the CPU seconds of a task, those of the plain way, and the peak of the former in MiB."""
    import pandas as pd

    from opslab import experiments

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = folder / "program.yaml"
        spec.write_text(
            f"program: large\ndate: {DAY}\n" + {"table": table, "runs": runs}[task](folder)
        )
        started = time.process_time()
        result = experiments.review_program(experiments.Program.load(spec))
        result.record()
        seconds = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.process_time()
        for sheet in folder.glob("*.csv"):
            pd.read_csv(sheet)
        for file in folder.rglob("result.json"):
            json.loads(file.read_bytes())
        print(seconds, time.process_time() - started, peak)


if __name__ == "__main__":
    once(sys.argv[1])
