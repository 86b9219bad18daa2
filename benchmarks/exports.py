"""A CSV file of a million rows and 20 columns, and one of 5,000 columns, beside DuckDB's own reader.

Both end with a typed table in the engine that answers a query over every column; the door has then
decided each column on all of its rows, and knows the hash of the file. Each run is a process of its
own.
"""

from __future__ import annotations

import argparse
import csv
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
TARGET = 1.7
WIDE_COLUMNS, WIDE_ROWS, WIDE_SECONDS = 5_000, 3, 5
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


def make_wide(folder: Path) -> Path:
    """Write a file of many columns of numbers, words, days and times, and return its path."""
    path = folder / f"wide-{WIDE_COLUMNS}.csv"
    kinds = ("{row}{column}.25", "word {row}", "2026-03-{day:02}", "{column}", "12:{day:02}")
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(f"heading {column}" for column in range(WIDE_COLUMNS))
        for row in range(1, WIDE_ROWS + 1):
            writer.writerow(
                kinds[column % len(kinds)].format(row=row, column=column, day=row + column % 25)
                for column in range(WIDE_COLUMNS)
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
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "read": read,
        "asked": time.perf_counter() - started,
        "peak_mib": usage.ru_maxrss / 1024,
        "cpu": usage.ru_utime + usage.ru_stime,
    }


def _run(side: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--once", side, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_wide(folder: Path | None = None) -> list[tuple[str, str, str, str]]:
    """Return the row of the file of many columns: what, target, measured, beside."""
    path = make_wide(folder or Path(tempfile.gettempdir()) / "opslab-benchmarks")
    runs = [[_run(side, path) for side in ("opslab", "plain")] for _ in range(3)]
    (ours, cpu, peak), (plain, *_) = (
        [
            statistics.median(pair[side][figure] for pair in runs)
            for figure in ("read", "cpu", "peak_mib")
        ]
        for side in (0, 1)
    )
    return [
        (
            f"CSV of {WIDE_COLUMNS:,} columns, {WIDE_ROWS} rows: read through the door",
            f"<= {WIDE_SECONDS} s",
            f"{ours:.1f} s, {cpu:.1f} s of CPU in the process, {peak:.0f} MiB",
            f"DuckDB's own reader {plain:.1f} s",
        )
    ]


def measure(rows: int = ROWS, folder: Path | None = None) -> list[tuple[str, str, str, str]]:
    """Return rows: what, target, measured, beside."""
    path = make(folder or Path(tempfile.gettempdir()) / "opslab-benchmarks", rows)
    runs = [[_run(side, path) for side in ("opslab", "plain")] for _ in range(TIMES + 1)]
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
        print(*measure_wide(), *measure(given.rows), sep="\n")
