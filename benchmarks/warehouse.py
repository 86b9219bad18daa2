"""One analysis of a unit table from a Parquet file, from PostgreSQL and from Spark on this machine.

Every run is a process of its own and measures only the call: wall seconds, CPU seconds of the process
and of the engine's own processes, and the peak memory of both. The URL of an empty PostgreSQL stands in WAREHOUSE;
Spark takes part where pyspark is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb

from opslab import experiments
from opslab.experiments.spec import Experiment

SPEC = {
    "experiment": "scaling",
    "unit": "user",
    "arms": {"column": "arm", "control": "a", "weights": {"a": 1, "b": 1}},
    "period": {"time": "seen", "start": "2026-03-01", "end": "2026-03-28"},
    "segments": ["country"],
    "metrics": [
        {"name": "bought", "type": "proportion", "column": "bought", "role": "primary", "goal": "increase"},
        {"name": "revenue", "type": "mean", "column": "revenue", "covariates": ["revenue_before"], "role": "secondary", "goal": "increase"},
        {"name": "load", "type": "mean", "column": "load_ms", "role": "secondary", "goal": "decrease"},
        {"name": "basket", "type": "ratio", "numerator": "revenue", "denominator": "orders", "role": "secondary", "goal": "increase"},
    ],
}  # fmt: skip
ROWS = """
SELECT r AS user, CASE WHEN hash(r) % 2 = 0 THEN 'a' ELSE 'b' END AS arm,
  TIMESTAMP '2026-03-01' + to_microseconds(CAST(hash(r, 1) % 2419200000000 AS BIGINT)) AS seen,
  CAST(hash(r, 2) % 10 < 3 AS INTEGER) AS bought, CAST(hash(r, 3) % 4 AS INTEGER) AS orders,
  (hash(r, 4) % 100000) / 100.0 AS revenue, (hash(r, 4) % 100000 + hash(r, 5) % 50000) / 100.0 AS revenue_before,
  200 + (hash(r, 6) % 900000) / 1000.0 AS load_ms, 'c' || hash(r, 7) % 8 AS country
FROM range({rows}) AS t(r)
"""
COLUMNS = (
    '"user" bigint, arm text, seen timestamp, bought int, orders int, revenue double precision, '
    "revenue_before double precision, load_ms double precision, country text"
)


def loaded(file):
    """Put the rows into a table of PostgreSQL."""
    import psycopg

    with psycopg.connect(os.environ["WAREHOUSE"], autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS scaling; CREATE TABLE scaling ({COLUMNS})")
        with tempfile.NamedTemporaryFile(suffix=".csv") as rows:
            duckdb.sql(f"COPY (FROM '{file}') TO '{rows.name}'")
            with (
                connection.cursor().copy("COPY scaling FROM STDIN (FORMAT csv, HEADER)") as copy,
                Path(rows.name).open("rb") as stream,
            ):
                while part := stream.read(1 << 20):
                    copy.write(part)
        connection.execute("ANALYZE scaling")


def of_engine(name, seconds):
    """Return the memory, in MB, of an engine's processes, shared pages once; note their CPU seconds."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == name:
                times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
                used = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
                seconds.setdefault(process.name, [used, used])[1] = used
                sizes = (process / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in sizes if line.startswith("Pss:"))
        except OSError:
            continue
    return total / 1024


def measure(engine, file):
    data, spec = None, SPEC
    if engine == "duckdb":
        data = file
    elif engine == "postgres":
        spec = SPEC | {"data": {"connection": "env:WAREHOUSE", "table": "scaling"}}
    else:
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": "4g",
            "spark.sql.shuffle.partitions": "4",
        }
        session = SparkSession.builder.master("local[*]").config(map=settings).getOrCreate()
        data = session.read.parquet(file)
    peaks, used, over = [0.0], {}, threading.Event()
    name = {"postgres": "postgres", "spark": "java"}.get(engine, "-")
    peaks.append(of_engine(name, used))

    def watch():
        while not over.wait(0.2):
            peaks.append(of_engine(name, used))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start, begun = time.perf_counter(), time.process_time()
    result = experiments.analyze(Experiment(**spec), data)
    seconds, own_seconds = time.perf_counter() - start, time.process_time() - begun
    over.set()
    watcher.join()
    report = {
        "seconds": seconds,
        "cpu": own_seconds + sum(last - first for first, last in used.values()),
        "own": int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
        "engine": max(peaks),
        "effects": [known.difference for known in result.comparisons],
    }
    print(json.dumps(report))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", default=["duckdb", "postgres", "spark"])
    parser.add_argument("--measure", nargs=2)
    asked = parser.parse_args()
    if asked.measure:
        measure(*asked.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/rows.parquet"
        duckdb.sql(f"COPY ({ROWS.format(rows=asked.rows)}) TO '{file}'")
        if "postgres" in asked.only:
            loaded(file)
        first = None
        for engine in asked.only:
            command = [sys.executable, __file__, "--measure", engine, file]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            known = json.loads(output.splitlines()[-1])
            first = first or known["effects"]
            worst = max(
                abs(own / other - 1) for own, other in zip(known["effects"], first, strict=True)
            )
            print(
                f"{engine}: {asked.rows / known['seconds']:,.0f} rows a second ({asked.rows / known['cpu']:,.0f} a CPU second), {known['own']:,.0f} MB here, {known['engine']:,.0f} MB there, off by {worst:.0e}"
            )


if __name__ == "__main__":
    main()
