"""An experiment from an assignment log and an event log, beside a plain DuckDB join of the same sums.

opslab runs the whole analysis: it opens both logs, finds units in two arms, windows that are not
over, the sums in each window, the effect by day since exposure, checks and decision. The plain
query only joins, sums three windows per unit, and sums those by arm. Each run is a process of its
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

EVENTS, EVENTS_A_UNIT, TIMES = 10_000_000, 10, 3
MOST_MIB = 3000
KINDS = "['session', 'session', 'view', 'view', 'purchase']"


def make(folder: Path, events: int) -> tuple[Path, Path]:
    """Return the two Parquet files; events come in the order of their time, units at random."""
    units = events // EVENTS_A_UNIT
    assigned, happened = (
        folder / f"assignments-{units}.parquet",
        folder / f"events-{events}.parquet",
    )
    connection = duckdb.connect(config={"temp_directory": str(folder), "memory_limit": "4GB"})
    connection.execute(
        f"""COPY (
            SELECT i AS user_id, ['control', 'checklist'][1 + CAST(hash(i) % 2 AS BIGINT)] AS variant,
                TIMESTAMP '2026-08-31' + to_seconds(i * {21 * 86_400} // {units}) AS assigned_at
            FROM range({units}) AS numbers(i)
        ) TO '{assigned}' (FORMAT parquet)"""
    )
    connection.execute(
        f"""COPY (
            SELECT CAST(hash(i) % {units} AS BIGINT) AS user_id,
                {KINDS}[1 + CAST(hash(i + 10000000019) % 5 AS BIGINT)] AS event,
                TIMESTAMP '2026-08-03' + to_seconds(i * {63 * 86_400} // {events}) AS happened_at,
                round(exp(2 + (hash(i + 20000000033) % 1000) / 500.0), 2) AS amount
            FROM range({events}) AS numbers(i)
        ) TO '{happened}' (FORMAT parquet)"""
    )
    connection.close()
    return assigned, happened


def opslab(assigned: Path, happened: Path) -> object:
    """Analyse as the worked spec of the log form does."""
    import datetime

    from opslab import experiments

    kept = {
        "name": "kept on day 7",
        "type": "proportion",
        "event": "session",
        "role": "primary",
        "goal": "increase",
        "window": {"from": "7d", "to": "8d"},
    }
    spent = {
        "name": "spend 14 days",
        "type": "mean",
        "event": "purchase",
        "value": "amount",
        "role": "secondary",
        "goal": "increase",
        "window": {"to": "14d"},
        "covariate_window": {"from": "-28d", "to": "0d"},
    }
    experiment = experiments.Experiment(
        experiment="logs",
        unit="user_id",
        arms={"column": "variant", "control": "control"},
        period={"time": "assigned_at", "start": "2026-08-31", "end": "2026-09-20"},
        metrics=[kept, spent],
    )
    day = datetime.date(2026, 10, 4)
    found = experiments.analyze(
        experiment, {"assignments": assigned, "events": happened}, as_of=day
    )
    return [(one.metric, one.n, one.estimate, one.difference) for one in found.comparisons]


def plain(assigned: Path, happened: Path) -> object:
    """Join the logs, sum by unit, then by arm."""
    connection = duckdb.connect(config={"temp_directory": str(assigned.parent)})
    windows = (
        "count(*) FILTER (event = 'session' AND happened_at >= assigned_at + INTERVAL 7 DAY "
        "AND happened_at < assigned_at + INTERVAL 8 DAY) > 0 AS kept, "
        "coalesce(sum(amount) FILTER (event = 'purchase' AND happened_at >= assigned_at "
        "AND happened_at < assigned_at + INTERVAL 14 DAY), 0) AS spent, "
        "coalesce(sum(amount) FILTER (event = 'purchase' AND happened_at < assigned_at "
        "AND happened_at >= assigned_at - INTERVAL 28 DAY), 0) AS before"
    )
    return connection.execute(
        f"""SELECT variant, count(*), avg(CAST(kept AS INTEGER)), avg(spent), var_samp(spent), avg(before),
            var_samp(before), covar_samp(spent, before)
        FROM (
            SELECT a.user_id, any_value(variant) AS variant, {windows}
            FROM read_parquet('{assigned}') AS a
            LEFT JOIN (
                SELECT * FROM read_parquet('{happened}') WHERE event IN ('session', 'purchase')
            ) AS e ON e.user_id = a.user_id
            GROUP BY a.user_id
        ) GROUP BY variant ORDER BY variant"""
    ).fetchall()


def once(side: str, files: tuple[Path, Path]) -> dict[str, float]:
    """Return what one run took in a process of its own."""
    command = [sys.executable, __file__, "--once", side, *map(str, files)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(events: int = EVENTS, times: int = TIMES) -> list[tuple[str, str, str, str]]:
    """Return a row: what, target, measured, beside; the files are made and removed."""
    with tempfile.TemporaryDirectory(prefix="opslab-benchmarks-") as folder:
        files = make(Path(folder), events)
        runs = [[once(side, files) for side in ("opslab", "plain")] for _ in range(times)]
    ratio = statistics.median(own["cpu"] / other["cpu"] for own, other in runs)
    (cpu, wall, peak), (cpu_plain, _, peak_plain) = (
        [
            statistics.median(run[side][figure] for run in runs)
            for figure in ("cpu", "wall", "peak_mib")
        ]
        for side in (0, 1)
    )
    what = f"logs: {events / 1e6:g}M events of {events / EVENTS_A_UNIT / 1e6:g}M units, whole analysis, CPU"
    beside = f"{cpu:.1f} s ({wall:.0f} s wall) against {cpu_plain:.1f} s, {peak_plain:.0f} MiB: "
    beside += "a plain DuckDB join and sums of three windows"
    return [(what, f"memory < {MOST_MIB} MiB", f"{ratio:.1f} x, {peak:.0f} MiB", beside)]


def main() -> None:
    """Measure and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--times", type=int, default=TIMES)
    given = parser.parse_args()
    for row in measure(given.events, given.times):
        print("| " + " | ".join(row) + " |")


def _child(side: str, files: list[str]) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    found = globals()[side](*map(Path, files))
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(figures | {"peak_mib": peak / (1024**2 if sys.platform == "darwin" else 1024)})
    )
    print(found, file=sys.stderr)


if __name__ == "__main__":
    if "--once" in sys.argv:
        _child(sys.argv[2], sys.argv[3:])
    else:
        main()
