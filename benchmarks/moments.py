"""The sums behind an experiment against plain DuckDB SQL of the same sums, on one Parquet file.

Every run is a process of its own and measures only the call: CPU seconds of all threads, wall seconds, and
the peak memory of the process. The two of a pair take turns.
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
from collections.abc import Callable
from pathlib import Path

import duckdb

ROWS, TIMES = 10_000_000, 5
PAIRS = {"moments": ("moments_opslab", "moments_plain"), "units": ("units_opslab", "units_plain")}
TARGETS = {"moments": 1.3, "units": 1.2}
METRICS = ("converted", "revenue", "orders", "load_ms")


def make(folder: Path, rows: int) -> Path:
    """Return the Parquet file of that many units; it is made when it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"units-{rows}.parquet"
    if path.is_file():
        return path
    bought, amount = "hash(i, {}) % 100 < {}", "round(exp(3 + (hash(i, {}) % 1000) / 700.0), 2)"
    unfinished = path.with_suffix(".part")
    duckdb.sql(
        f"""COPY (
            SELECT i AS user_id,
                CASE WHEN hash(i) % 2 = 0 THEN 'control' ELSE 'short_label' END AS arm,
                CAST({bought.format(1, 12)} AS INTEGER) AS converted,
                CASE WHEN {bought.format(1, 12)} THEN {amount.format(2)} ELSE 0 END AS revenue,
                CASE WHEN {bought.format(3, 15)} THEN {amount.format(4)} ELSE 0 END AS revenue_before,
                CAST(hash(i, 5) % 4 AS INTEGER) AS orders,
                CAST(400 + hash(i, 6) % 300 AS INTEGER) AS load_ms,
                ['FR', 'DE', 'US', 'CA'][CAST(1 + hash(i, 7) % 4 AS BIGINT)] AS country
            FROM range({rows}) AS numbers(i)
        ) TO '{unfinished}' (FORMAT parquet)"""
    )
    unfinished.rename(path)
    return path


def moments_opslab(path: Path) -> Callable[[], object]:
    from opslab.experiments.moments import Column, collect

    columns = [Column(name, binary=name == "converted") for name in METRICS]
    table = _opened(path)
    return lambda: collect(table, "arm", columns)


def moments_plain(path: Path) -> Callable[[], object]:
    sums = ", ".join(f"count({name}), sum({name}), sum({name} * {name})" for name in METRICS)
    return _plain(f"SELECT arm, count(*), {sums} FROM read_parquet('{path}') GROUP BY arm")


def units_opslab(path: Path) -> Callable[[], object]:
    from opslab.experiments.units import count_units

    table = _opened(path)
    return lambda: count_units(table, "user_id", "arm")


def units_plain(path: Path) -> Callable[[], object]:
    return _plain(f"SELECT count(*) FROM (SELECT user_id FROM read_parquet('{path}') GROUP BY 1)")


def _opened(path: Path) -> object:
    from opslab.tables.opening import open_table

    global _opening  # noqa: PLW0603 - the table stays open until the process ends
    _opening = open_table(path)
    return _opening.__enter__()


def _plain(sql: str) -> Callable[[], object]:
    from opslab.tables.source import thread_count

    connection = duckdb.connect()
    connection.execute(f"SET threads = {thread_count()}")
    return lambda: connection.execute(sql).fetchall()


def once(name: str, path: Path) -> dict[str, float]:
    """Return what one call took in a process of its own."""
    command = [sys.executable, __file__, "--once", name, "--file", str(path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(found.stdout)


def compare(rows: int = ROWS, folder: Path | None = None, times: int = TIMES) -> dict[str, dict[str, float]]:
    """Return, for each pair, medians of both, and the ratios of opslab to plain SQL.

    A ratio is the median of the ratios of neighbouring runs, so that a busy minute touches both.
    """
    path = make(folder or Path(tempfile.gettempdir()) / "opslab-benchmarks", rows)
    found: dict[str, dict[str, float]] = {}
    for pair, names in PAIRS.items():
        runs: list[list[dict[str, float]]] = [[once(name, path) for name in names] for _ in range(times + 1)][
            1:
        ]
        one: dict[str, float] = {"rows": rows}
        for place, side in enumerate(("opslab", "plain")):
            for figure in ("cpu", "wall", "peak_mib"):
                one[f"{side}_{figure}"] = statistics.median(run[place][figure] for run in runs)
        for figure in ("cpu", "wall"):
            one[f"{figure}_ratio"] = statistics.median(run[0][figure] / run[1][figure] for run in runs)
        found[pair] = one
    return found


def measure(rows: int = ROWS, folder: Path | None = None) -> list[tuple[str, str, str, str]]:
    """Return rows: what, target, measured, beside."""
    titles = {"moments": "moments of 4 metrics", "units": "units counted"}
    lines = []
    for pair, one in compare(rows, folder).items():
        seconds = f"{one['opslab_cpu']:.2f} s against {one['plain_cpu']:.2f} s"
        lines.append(
            (
                f"{titles[pair]}, {rows / 1e6:g}M rows of Parquet, CPU",
                f"<= {TARGETS[pair]} x plain DuckDB SQL",
                f"{one['cpu_ratio']:.2f} x, {one['opslab_peak_mib']:.0f} MiB",
                f"{seconds}, {one['plain_peak_mib']:.0f} MiB",
            )
        )
    return lines


def main() -> dict[str, dict[str, float]]:
    """Measure, print a table, and return medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--folder", type=Path, help="keeps the made file; a temporary folder by default")
    given = parser.parse_args()
    found = compare(given.rows, given.folder, given.times)
    print(f"{'':10}{'side':8}{'CPU s':>8}{'wall s':>8}{'MiB':>7}{'CPU ratio':>11}{'wall ratio':>12}")
    for pair, one in found.items():
        for side in ("opslab", "plain"):
            ratios = f"{one['cpu_ratio']:>11.2f}{one['wall_ratio']:>12.2f}" if side == "opslab" else ""
            figures = f"{one[side + '_cpu']:>8.2f}{one[side + '_wall']:>8.2f}{one[side + '_peak_mib']:>7.0f}"
            print(f"{pair:10}{side:8}{figures}{ratios}")
    return found


def _child(name: str, path: Path) -> None:
    call = globals()[name](path)
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024**2 if sys.platform == "darwin" else 1024
    )
    print(json.dumps(figures | {"peak_mib": peak}))


if __name__ == "__main__":
    if "--once" in sys.argv:
        _child(sys.argv[sys.argv.index("--once") + 1], Path(sys.argv[sys.argv.index("--file") + 1]))
    else:
        main()
