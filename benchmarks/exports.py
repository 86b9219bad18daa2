"""A CSV file of a million rows and 20 columns through the door, beside DuckDB's own reader.

Both end with a typed table in the engine that answers a query over every column; the door has then
decided each column on all of its rows, and knows the hash of the file. Each run is a process of its
own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS, TIMES = 1_000_000, 5
TARGET = 2.0
COLUMNS = {
    "id": "i",
    "user_id": "'u' || (i * 7919 % 1000003)",
    "variant": "CASE WHEN i % 2 = 0 THEN 'control' ELSE 'short' END",
    "day": "DATE '2026-01-01' + (i % 365)::INTEGER",
    "seen": "TIMESTAMP '2026-01-01' + to_seconds(i * 13)",
    **{f"amount_{number}": f"(hash(i + {number}) % 100000) / 100" for number in range(6)},
    **{f"count_{number}": f"hash(i * {number + 3}) % 100000" for number in range(4)},
    **{
        f"text_{number}": f"'a text of some length ' || (i * {number + 3} % 977)"
        for number in range(3)
    },
    "flag": "i % 3 = 0",
    "language": "CASE WHEN i % 10 < 3 THEN NULL ELSE 'fr' END",
}


def make(folder: Path, rows: int) -> Path:
    """Write the file unless it is there, and return its path."""
    path = folder / f"export-{rows}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f"{sql} AS {name}" for name, sql in COLUMNS.items())
        duckdb.connect().execute(
            f"COPY (SELECT {columns} FROM range({rows}) r(i)) TO '{path}' (HEADER)"
        )
    return path


def _counted(types: dict[str, str]) -> str:
    return ", ".join(
        f'sum("{name}")' if kind in ("BIGINT", "DOUBLE") else f'count("{name}")'
        for name, kind in types.items()
    )


def once(side: str, path: Path) -> dict[str, float]:
    """Read the file and ask every column, in this process."""
    if side == "plain":
        connection = duckdb.connect()
        started = time.perf_counter()
        connection.execute(f"CREATE TABLE export AS SELECT * FROM read_csv('{path}')")
        read = time.perf_counter() - started
        types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE export").fetchall()}
        connection.execute(f"SELECT {_counted(types)} FROM export").fetchall()
    else:
        from opslab.tables import Answers, open_export

        started = time.perf_counter()
        with open_export(path, answers=Answers(profile="none")) as table:
            read = time.perf_counter() - started
            table.fetch(f"SELECT {_counted(table.types)} FROM {table.relation}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"read": read, "asked": time.perf_counter() - started, "peak_mib": peak}


def measure(rows: int = ROWS, folder: Path | None = None) -> list[tuple[str, str, str, str]]:
    """Return rows: what, target, measured, beside."""
    path = make(folder or Path(tempfile.gettempdir()) / "opslab-benchmarks", rows)
    runs = []
    for _ in range(TIMES + 1):
        pair = []
        for side in ("opslab", "plain"):
            command = [sys.executable, __file__, "--once", side, "--file", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            pair.append(json.loads(done.stdout))
        runs.append(pair)
    lines = []
    for figure, title in (("read", "read"), ("asked", "read, then every column summed or counted")):
        ours, plain = (
            statistics.median(pair[side][figure] for pair in runs[1:]) for side in (0, 1)
        )
        ratio = statistics.median(pair[0][figure] / pair[1][figure] for pair in runs[1:])
        peaks = [statistics.median(pair[side]["peak_mib"] for pair in runs[1:]) for side in (0, 1)]
        lines.append(
            (
                f"CSV of {rows / 1e6:g}M rows, {len(COLUMNS)} columns: {title}",
                f"<= {TARGET:g} x DuckDB's own reader",
                f"{ratio:.2f} x, {peaks[0]:.0f} MiB",
                f"{ours:.2f} s against {plain:.2f} s, {peaks[1]:.0f} MiB",
            )
        )
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", choices=["opslab", "plain"])
    parser.add_argument("--file", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    if given.once:
        print(json.dumps(once(given.once, given.file)))
    else:
        print(*measure(given.rows), sep="\n")
