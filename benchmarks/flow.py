"""How long a review of a large history of tickets takes: each part in a process of its own."""

import datetime
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from timing import environment

CHANGES, TICKETS, STATUSES, YEARS = 1_000_000, 200_000, 20, 4
START = datetime.date(2022, 10, 3)
DAY = datetime.date(2026, 10, 5)
TASKS = {
    "weeks": "week by week",
    "little": "Little's law",
    "stages": "stages, 10,000 draws of weeks",
    "counters": "efficiency, rework, reopened, defects",
    "limit": "replay of a limit",
    "all": "all of these",
    "review": "the whole review, from its files",
}


def measure(times: int = 3) -> list[tuple[str, str, str, str]]:
    """Return a row each: what, target, measured, beside."""
    rows = []
    for task in ("all", "review"):
        command = [sys.executable, __file__, task]
        runs = []
        for _ in range(times):
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment()
            )
            runs.append(tuple(map(float, done.stdout.split())))
        seconds, plain, peak = map(statistics.median, zip(*runs, strict=True))
        what = f"flow of {CHANGES:,} status changes, {TASKS[task]}, CPU"
        limit = "<= 10 s, 1 GB" if task == "review" else "<= 3 s"
        told = f"{seconds:.2f} s, {peak:.0f} MiB at the peak"
        beside = "without a file"
        if task == "review":
            beside = f"{seconds / plain:.1f} times reading the files with DuckDB ({plain:.2f} s)"
        rows.append((what, limit, told, beside))
    return rows


def changes() -> pd.DataFrame:
    """Return status changes, newest first: 5 a ticket, onwards through 20 statuses, 5 % back."""
    random = np.random.default_rng(1)
    moves = CHANGES // TICKETS
    first = random.uniform(0, 365.25 * YEARS, TICKETS)
    instants = first[:, None] + random.exponential(4, (TICKETS, moves)).cumsum(axis=1)
    steps = random.integers(1, 8, (TICKETS, moves)) * random.choice(
        [1, -1], (TICKETS, moves), p=[0.95, 0.05]
    )
    status = np.clip(
        np.hstack([np.zeros((TICKETS, 1), int), steps]).cumsum(axis=1), 0, STATUSES - 1
    )
    seconds = (instants.ravel() * 86_400).astype("timedelta64[s]")
    table = pd.DataFrame(
        {
            "issue_key": np.repeat([f"BIG-{number}" for number in range(TICKETS)], moves),
            "changed_at": np.datetime64(START) + seconds,
            "from_status": [f"S{code:02}" for code in status[:, :-1].ravel()],
            "to_status": [f"S{code:02}" for code in status[:, 1:].ravel()],
        }
    )
    table = table[table.changed_at < np.datetime64(DAY)]
    return table.iloc[::-1].sort_values("changed_at", ascending=False, kind="stable")


def spec(folder: Path) -> Path:
    """Write the history (CSV), the tickets (CSV) and the spec of their flow."""
    table = changes()
    table.to_csv(folder / "history.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S+00:00")
    firsts = table.groupby("issue_key", sort=False).agg(
        created=("changed_at", "min"), status=("to_status", "first")
    )
    firsts.rename_axis("key").to_csv(folder / "tickets.csv", date_format="%Y-%m-%dT%H:%M:%S+00:00")
    kinds = ["backlog", *["active", "waiting"] * 9, "done"]
    lines = [f"  - {{stage: S{code:02}, kind: {kind}}}" for code, kind in enumerate(kinds)]
    path = folder / "flow.yaml"
    path.write_text(
        "flow: large\ntickets: {path: tickets.csv}\nhistory: {path: history.csv}\nlimit: 500\n"
        "stages:\n" + "\n".join(lines) + "\n"
    )
    return path


def history() -> tuple[Any, Any, Any]:
    """Return the same as History, lifecycles and flow, without any file."""
    from opslab.operations.flow.history import History
    from opslab.operations.flow.lifecycles import lifecycles
    from opslab.operations.flow.spec import Flow

    table = changes().iloc[::-1]
    ticket = table.issue_key.str[4:].astype(int).to_numpy()
    order = np.argsort(ticket, kind="stable")
    ticket = ticket[order]
    entered = table.changed_at.to_numpy()[order].astype("datetime64[s]").astype(float) / 86_400
    status = table.to_status.str[1:].astype(int).to_numpy()[order]
    keys, ticket = np.unique(ticket, return_inverse=True)
    last = np.append(np.diff(ticket) != 0, True)
    left = np.where(last, np.nan, np.append(entered[1:], np.nan))
    names = tuple(f"S{code:02}" for code in range(STATUSES))
    kinds = ("backlog", *("active", "waiting") * 9, "done")
    flow = Flow(
        flow="large",
        tickets={"path": "none.csv"},
        stages=[{"stage": name, "kind": kind} for name, kind in zip(names, kinds, strict=True)],
    )
    size = len(keys)
    known = History(
        keys=keys.astype(str),
        created=entered[np.append(True, np.diff(ticket) != 0)],
        resolved=np.full(size, np.nan),
        statuses=names,
        kinds=kinds,
        ticket=ticket,
        status=status,
        entered=entered,
        left=left,
        start=float(entered.min()),
        end=float(entered.max()),
        attributes={"type": np.where(keys % 4, "Story", "Bug")},
        assignees=0,
        shape="changes",
        tool="",
        lacks=(),
        assumed=(),
        flags={},
        readings=(),
    )
    return known, lifecycles(known, flow), flow


def parts() -> dict[str, Callable[[Any, Any, Any], Any]]:
    """Return what each task does with a history, its lifecycles and its flow."""
    from opslab.operations.flow import limits, queues, stages

    work = {
        "weeks": lambda known, lives, _: queues.week_rows(known, lives),
        "little": lambda known, lives, _: queues.little(known, lives),
        "stages": lambda *known: stages.stage_rows(*known, 10_000, 1),
        "counters": lambda *known: (
            stages.efficiency(*known, 10_000, 1),
            stages.rework(*known),
            stages.reopened(known[0]),
            stages.defects(*known),
        ),
        "limit": lambda known, lives, _: limits.replay(known, lives, 500),
    }
    return work | {"all": lambda *known: [do(*known) for do in work.values()]}


def once(task: str) -> None:
    """Print the CPU seconds of a task, those of DuckDB's reading, and the peak of the former in MiB."""
    with tempfile.TemporaryDirectory() as name:
        path = spec(Path(name)) if task == "review" else None
        known = None if path else history()
        do = None if path else parts()[task]
        started = time.process_time()
        if path:
            from opslab import operations

            operations.review_flow(operations.Flow.load(path), as_of=DAY).record()
        else:
            do(*known)
        seconds = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.process_time()
        for sheet in Path(name).glob("*.csv"):
            duckdb.read_csv(str(sheet)).to_arrow_table()
        print(seconds, time.process_time() - started, peak)


if __name__ == "__main__":
    once(sys.argv[1])
