"""How long the everyday tools take on large sheets and folders: each in a process of its own."""

from __future__ import annotations

import datetime
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import environment

ROWS, DOCUMENTS = 5_000, 2_000
DAY = datetime.date(2026, 10, 5)
TASKS = {
    "prioritisation": (f"prioritisation, {ROWS:,} items with ranges, CPU", "read by pandas"),
    "readiness": (f"launch readiness, {ROWS:,} items, CPU", "read by pandas"),
    "standards": (f"standards review, {DOCUMENTS:,} documents, CPU", "their bytes read"),
}


def measure(times: int = 3) -> list[tuple[str, str, str, str]]:
    """Return a row each: what, target, measured, beside."""
    rows = []
    for task, (what, beside) in TASKS.items():
        runs = [
            tuple(
                map(
                    float,
                    subprocess.run(
                        [sys.executable, __file__, task],
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
        told = f"{seconds:.2f} s, {peak:.0f} MiB at the peak"
        rows.append((what, "<= 2 s", told, f"{beside} {plain:.2f} s"))
    return rows


def backlog(folder: Path) -> Path:
    """Write a sheet of items, each with three ranges."""
    lines = ["item,reach_low,reach_high,impact,effort_low,effort_high"]
    lines += [
        f"item {row},{100 + row % 977},{400 + row % 977 * 3},{(1, 2, 0.5)[row % 3]},"
        f"{1 + row % 7},{3 + row % 7 * 2}"
        for row in range(ROWS)
    ]
    sheet = folder / "backlog.csv"
    sheet.write_text("\n".join(lines))
    spec = folder / "backlog.yaml"
    spec.write_text(
        "prioritisation: large\nreach: customers a quarter\ndata: {path: backlog.csv}\n"
    )
    return spec


def checklist(folder: Path) -> Path:
    """Write a checklist of items in all states."""
    lines = ["item,function,owner,due,status,blocking,evidence"]
    lines += [
        f"item {row},function {row % 12},owner {row % 40},2026-{10 + row % 3}-{1 + row % 28:02},"
        f"{('green', 'amber', 'red')[row % 3]},{('yes', 'no')[row % 5 > 0]},"
        f"{'https://example.test/x' if row % 2 else ''}"
        for row in range(ROWS)
    ]
    (folder / "launch.csv").write_text("\n".join(lines))
    spec = folder / "launch.yaml"
    spec.write_text("launch: large\nlaunch_date: 2026-11-02\nchecklist: {path: launch.csv}\n")
    return spec


def documents(folder: Path) -> Path:
    """Write documents of every template, whole and with parts missing."""
    from opslab.operations.standards import review

    templates = sorted(Path(review.__file__).with_name("templates").glob("*.md"))
    for number in range(DOCUMENTS):
        home = folder / "documents" / f"team{number % 20}"
        home.mkdir(parents=True, exist_ok=True)
        text = templates[number % len(templates)].read_text("utf-8")
        filled = text.replace(
            "-->", "-->\nWe sold 1,200 on 2026-09-01, see https://example.test/1."
        )
        (home / f"{number}.md").write_text(filled, "utf-8")
    spec = folder / "standard.yaml"
    spec.write_text("standard: large\ndocuments: documents\n")
    return spec


def once(task: str) -> None:
    """Print the CPU seconds of a task, those of the plain way, and the peak of the former in MiB."""
    import pandas as pd

    from opslab import operations

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = {"prioritisation": backlog, "readiness": checklist, "standards": documents}[task](
            folder
        )
        started = time.process_time()
        if task == "prioritisation":
            operations.prioritise(operations.Backlog.load(spec), as_of=DAY)
        elif task == "readiness":
            operations.readiness(operations.Launch.load(spec), as_of=DAY)
        else:
            operations.review_standards(operations.Standard.load(spec), as_of=DAY)
        seconds = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.process_time()
        for sheet in folder.glob("*.csv"):
            pd.read_csv(sheet)
        for document in folder.rglob("*.md"):
            document.read_bytes()
        print(seconds, time.process_time() - started, peak)


if __name__ == "__main__":
    once(sys.argv[1])
