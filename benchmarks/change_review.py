"""How long two million time entries take to become a panel: each export in a process of its own."""

from __future__ import annotations

import datetime
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from timing import environment

ENTRIES, PEOPLE, TEAMS, WEEKS = 2_000_000, 600, 40, 104
START, DAY = datetime.date(2024, 9, 30), datetime.date(2026, 10, 5)
TASKS = {"toggl": "people mapped to teams", "clockify": "a column of teams, one project"}


def measure(times: int = 3) -> list[tuple[str, str, str, str]]:
    """Return a row each: what, target, measured, beside."""
    rows = []
    for task, how in TASKS.items():
        command = [sys.executable, __file__, task]
        runs = []
        for _ in range(times):
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment()
            )
            runs.append(tuple(map(float, done.stdout.split())))
        seconds, plain, peak = map(statistics.median, zip(*runs, strict=True))
        what = f"change review, panel of {ENTRIES:,} time entries ({how}), CPU"
        told = f"{seconds:.2f} s, {peak:.0f} MiB at the peak"
        rows.append((what, "<= 20 s, 1 GB", told, f"grouped by pandas {plain:.2f} s"))
    return rows


def entries() -> pd.DataFrame:
    """Return entries of a minute to four hours on working days, in the order of time."""
    random = np.random.default_rng(1)
    day = np.sort(random.integers(0, WEEKS * 5, ENTRIES))
    started = np.datetime64(START, "s") + (
        (day // 5 * 7 + day % 5) * 86_400 + random.integers(7 * 60, 19 * 60, ENTRIES) * 60
    )
    person = random.integers(0, PEOPLE, ENTRIES)
    return pd.DataFrame(
        {
            "person": person,
            "team": person % TEAMS,
            "project": random.integers(0, 12, ENTRIES),
            "text": random.integers(0, 5_000, ENTRIES),
            "started": started,
            "seconds": random.integers(60, 4 * 3_600, ENTRIES),
        }
    )


HEADINGS = {
    "toggl": """'Person ' || person AS "User", 'p' || person || '@example.test' AS "Email",
        'Client' AS "Client", 'Project ' || project AS "Project", '' AS "Task",
        'Work on ' || text AS "Description", 'No' AS "Billable",
        strftime(started, '%Y-%m-%d') AS "Start date", strftime(started, '%H:%M:%S') AS "Start time",
        strftime(ended, '%Y-%m-%d') AS "End date", strftime(ended, '%H:%M:%S') AS "End time",
        strftime(spent, '%H:%M:%S') AS "Duration", '' AS "Tags" """,
    "clockify": """'Project ' || project AS "Project", 'Client' AS "Client",
        'Work on ' || text AS "Description", '' AS "Task", 'Person ' || person AS "User",
        'Team ' || team AS "Group", 'p' || person || '@example.test' AS "Email", '' AS "Tags",
        'No' AS "Billable", strftime(started, '%m/%d/%Y') AS "Start Date",
        strftime(started, '%I:%M:%S %p') AS "Start Time", strftime(ended, '%m/%d/%Y') AS "End Date",
        strftime(ended, '%I:%M:%S %p') AS "End Time", strftime(spent, '%H:%M:%S') AS "Duration (h)",
        round(seconds / 3600, 2) AS "Duration (decimal)" """,
}


def written(folder: Path, task: str) -> None:
    """Write the export of a tool, the sheet of teams, and the spec of a review."""
    connection = duckdb.connect()
    connection.register("entries", entries())
    connection.execute(
        f"COPY (SELECT {HEADINGS[task]} FROM (SELECT *, started + to_seconds(seconds) AS ended, "
        "TIMESTAMP '2000-01-01' + to_seconds(seconds) AS spent FROM entries)) "
        f"TO '{folder / 'log.csv'}' (HEADER)"
    )
    members = [f"Person {person},Team {person % TEAMS}" for person in range(PEOPLE)]
    (folder / "teams.csv").write_text("\n".join(["person,team", *members]))
    by = (
        "unit: User, per: person}\nteams: {path: teams.csv}"
        if task == "toggl"
        else "unit: Group, only: {project: [Project 3]}}"
    )
    (folder / "change.yaml").write_text(
        "change: large\ndata: {path: log.csv}\n"
        "pilot: {chosen: staggered, starts: {Team 1: 2025-10-06, Team 2: 2026-01-05}}\n"
        f"measure: {{name: hours, quantity: hours, {by}\n"
    )


def plain(path: Path) -> None:
    """Sum the hours of each person and week, as pandas does."""
    frame = pd.read_csv(path)
    day, spent, person = (
        next(name for name in frame if name.lower() in names)
        for names in ({"start date"}, {"duration", "duration (h)"}, {"user"})
    )
    week = pd.to_datetime(frame[day]).dt.to_period("W")
    pd.to_timedelta(frame[spent]).dt.total_seconds().groupby([frame[person], week]).sum()


def once(task: str) -> None:
    """Print the CPU seconds of the panel, those of pandas, and the peak of the former in MiB."""
    from opslab.timesaved.change.panel import read_panel
    from opslab.timesaved.change.spec import ChangeReview

    with tempfile.TemporaryDirectory() as name:
        # The peak is of the panel alone: what writes the file is another process.
        command = [sys.executable, __file__, "write", name, task]
        subprocess.run(command, check=True, env=environment())
        started = time.process_time()
        read_panel(ChangeReview.load(Path(name, "change.yaml")), DAY)
        seconds = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.process_time()
        plain(Path(name, "log.csv"))
        print(seconds, time.process_time() - started, peak)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        written(Path(sys.argv[2]), sys.argv[3])
    else:
        once(sys.argv[1])
