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
    "decisions": (
        f"decision review, {ROWS:,} decisions, {4 * ROWS:,} changes of status, 1,000 answers, CPU",
        "read by pandas",
    ),
    "practices": (
        f"practice review, canvas of {ROWS:,} rows, 60 processes, {ROWS:,} uses, CPU",
        "read by pandas",
    ),
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


def log(folder: Path) -> Path:
    """Write a log of decisions, the history of its statuses, and a survey."""
    first = datetime.date(2022, 1, 3)
    lines, changes = (
        ["id,decision,raised,status,probability,outcome,options,team"],
        ["id,changed,to"],
    )
    for row in range(ROWS):
        raised = first + datetime.timedelta(row % 1_600)
        steps = ["Open", "Proposed", "Open", ("Decided", "Withdrawn", "Open")[row % 7 % 3]]
        lines.append(
            f"D{row},question {row},{raised},{steps[-1]},{row % 10 / 10},"
            f"{('yes', 'no')[row % 3 > 0]},{row % 4},team {row % 12}"
        )
        for number, status in enumerate(steps):
            changes.append(f"D{row},{raised + datetime.timedelta(number * (5 + row % 9))},{status}")
    answers = ["person,function,priority_1,priority_2,priority_3,goal"] + [
        f"{row},function {row % 9},aim {row % 5},aim {5 + row % 3},aim {8 + row % 4},"
        f"{('more sales', '')[row % 2]}"
        for row in range(1_000)
    ]
    for name, rows in (("log", lines), ("history", changes), ("survey", answers)):
        (folder / f"{name}.csv").write_text("\n".join(rows))
    spec = folder / "decisions.yaml"
    spec.write_text(
        "decisions: large\nlog: {path: log.csv}\nhistory: {path: history.csv}\n"
        "since: {name: the log, date: 2024-06-03}\n"
        "surveys: [{path: survey.csv, date: 2026-09-07, goal: [more sales]}]\n"
    )
    return spec


def canvas(folder: Path) -> Path:
    """Write a canvas of two rounds, cards of processes and their log."""
    levels = ("below", "good", "better", "best")
    seen = ["capability,team,assessor,date,level,target"] + [
        f"capability {row // 2 % 25},team {row // 50 % 20},assessor {row // 1_000},"
        f"{('2026-03-02', '2026-09-07')[row % 2]},{levels[row * 7 // 3 % 4]},better"
        for row in range(ROWS)
    ]
    heads = (
        "process,problem,steps,owner,trigger,minutes_low,minutes_high,people,uses_low,uses_high,"
        "saved_low,saved_high,eligible,sunset"
    )
    cards = [heads] + [
        f"process {row},a problem,ask; write,owner {row % 9},a day,{5 + row},{20 + row},2,3,9,"
        f"{10 + row},{60 + row},20,2027-06-01"
        for row in range(60)
    ]
    uses = ["process,team,date"] + [
        f"process {row % 60},team {row % 20},{DAY - datetime.timedelta(row % 90)}"
        for row in range(ROWS)
    ]
    for name, rows in (("canvas", seen), ("cards", cards), ("uses", uses)):
        (folder / f"{name}.csv").write_text("\n".join(rows))
    spec = folder / "practices.yaml"
    spec.write_text(
        "practices: large\ncanvas: {path: canvas.csv}\nprocesses: {path: cards.csv}\n"
        "uses: {path: uses.csv}\n"
    )
    return spec


WRITERS = {
    "prioritisation": backlog,
    "readiness": checklist,
    "standards": documents,
    "decisions": log,
    "practices": canvas,
}


def once(task: str) -> None:
    """Print the CPU seconds of a task, those of the plain way, and the peak of the former in MiB."""
    import pandas as pd

    from opslab import operations

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = WRITERS[task](folder)
        started = time.process_time()
        if task == "prioritisation":
            operations.prioritise(operations.Backlog.load(spec), as_of=DAY)
        elif task == "readiness":
            operations.readiness(operations.Launch.load(spec), as_of=DAY)
        elif task == "decisions":
            operations.review_decisions(operations.DecisionReview.load(spec), as_of=DAY)
        elif task == "practices":
            operations.review_practices(operations.PracticeReview.load(spec), as_of=DAY)
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
