"""The sums behind an experiment against plain DuckDB SQL of the same sums, on one Parquet file.

Every run is a process of its own and measures only the call: CPU seconds of all threads, wall
seconds, and the peak memory of the process. Those that are compared take turns. tea-tasting takes
part where OPSLAB_TEA_PYTHON names an interpreter that can import it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

ROWS, TIMES = 10_000_000, 5
METRICS = ("converted", "revenue", "orders", "load_ms")
SUMMED = ("revenue", "converted", "orders", "revenue_before", "orders_before")
DIMENSIONS = ("CAST(country AS VARCHAR)", "CAST(platform AS VARCHAR)", "CAST(day AS VARCHAR)")
QUANTILES = (0.895, 0.9, 0.905)


@dataclass(frozen=True)
class Pair:
    """What is measured: the first side against the last; those between stand beside."""

    title: str
    sides: tuple[str, ...]
    target: str = ""
    against: str = "plain DuckDB SQL"


PAIRS = {
    "moments": Pair("moments of 4 metrics", ("moments_opslab", "moments_plain"), "1.3"),
    "units": Pair("units counted", ("units_opslab", "units_plain"), "1.2"),
    "cuped": Pair(
        "4 metrics with CUPED, one of them a ratio",
        ("cuped_opslab", "tea_duckdb", "tea_polars", "cuped_plain"),
        "1.3",
    ),
    "parts": Pair(
        "the same, with 2 segments and 28 days in the pass",
        ("parts_opslab", "cuped_opslab"),
        against="without them",
    ),
    "cap": Pair("cap: quantile .999 of all arms", ("cap_opslab", "cap_plain"), "1.2"),
    "quantile": Pair(
        "quantile .9 of each arm, three ranks", ("quantile_opslab", "quantile_plain"), "1.2"
    ),
}


def make(folder: Path, rows: int) -> Path:
    """Return the Parquet file of that many units; it is made when it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"experiment-{rows}.parquet"
    if path.is_file():
        return path

    def dice(
        sides: int, place: int
    ) -> str:  # independent of one another: each hashes numbers of its own
        return f"CAST(hash(i + {place} * 10000000019) % {sides} AS INTEGER)"

    def amount(place: int) -> str:
        return f"round(exp(3 + {dice(1000, place)} / 700.0), 2)"

    unfinished = path.with_suffix(".part")
    duckdb.sql(
        f"""COPY (
            SELECT i AS user_id,
                CASE WHEN {dice(2, 0)} = 0 THEN 'control' ELSE 'short_label' END AS arm,
                CAST({dice(100, 1)} < 12 AS INTEGER) AS converted,
                CASE WHEN {dice(100, 1)} < 12 THEN {amount(2)} ELSE 0 END AS revenue,
                CASE WHEN {dice(100, 3)} < 15 THEN {amount(4)} ELSE 0 END AS revenue_before,
                {dice(4, 5)} AS orders,
                {dice(4, 5)} + {dice(3, 6)} AS orders_before,
                400 + {dice(300, 7)} AS load_ms,
                round(exp(3 + {dice(1000000, 8)} / 500000.0), 3) AS seconds,
                ['FR', 'DE', 'US', 'CA'][1 + {dice(4, 9)}] AS country,
                ['web', 'app'][1 + {dice(2, 10)}] AS platform,
                DATE '2026-09-01' + {dice(28, 11)} AS day
            FROM range({rows}) AS numbers(i)
        ) TO '{unfinished}' (FORMAT parquet)"""
    )
    unfinished.rename(path)
    return path


def moments_opslab(path: Path) -> Callable[[], object]:
    from opslab.experiments.moments.collection import collect_by
    from opslab.experiments.moments.columns import Column

    columns = [Column(name, binary=name == "converted") for name in METRICS]
    table = _opened(path)
    return lambda: collect_by(table, "arm", columns)


def moments_plain(path: Path) -> Callable[[], object]:
    sums = ", ".join(f"count({name}), sum({name}), sum({name} * {name})" for name in METRICS)
    return _plain(f"SELECT arm, count(*), {sums} FROM read_parquet('{path}') GROUP BY arm")


def units_opslab(path: Path) -> Callable[[], object]:
    from opslab.experiments.units.unit_table import count_units

    table = _opened(path)
    return lambda: count_units(table, "user_id", "arm")


def units_plain(path: Path) -> Callable[[], object]:
    return _plain(f"SELECT count(*) FROM (SELECT user_id FROM read_parquet('{path}') GROUP BY 1)")


def cuped_opslab(path: Path, dimensions: Sequence[str] = ()) -> Callable[[], object]:
    """Give what `analyze` collects for four metrics with covariates, with its own types."""
    from opslab.experiments.inference.metric_columns import metric_columns
    from opslab.experiments.metrics import Mean, Proportion, Ratio
    from opslab.experiments.moments.collection import collect_by

    own = {"role": "primary", "goal": "increase"}
    before = ["revenue_before"]
    both = {"numerator": "revenue_before", "denominator": "orders_before"}
    metrics = [
        Mean(name="revenue", type="mean", column="revenue", covariates=before, **own),
        Proportion(
            name="converted", type="proportion", column="converted", covariates=before, **own
        ),
        Mean(name="orders", type="mean", column="orders", covariates=["orders_before"], **own),
        Ratio(
            name="basket",
            type="ratio",
            numerator="revenue",
            denominator="orders",
            covariates=[both],
            **own,
        ),
    ]
    joints = [joint for metric in metrics for joint in metric_columns(metric).joints]
    table = _opened(path)

    def call() -> dict[str, float]:
        arms = collect_by(table, "arm", [], joints=joints, dimensions=dimensions).whole
        return {arm: float(one.joint[joints[0]].scatter[0, 1]) for arm, one in arms.items()}

    return call


def parts_opslab(path: Path) -> Callable[[], object]:
    return cuped_opslab(path, DIMENSIONS)


def cuped_plain(path: Path) -> Callable[[], object]:
    """Give counts, sums, squares and products of the five columns, each once."""
    products = [f"sum({one} * {two})" for at, one in enumerate(SUMMED) for two in SUMMED[at:]]
    sums = ", ".join([*(f"count({name}), sum({name})" for name in SUMMED), *products])
    return _plain(f"SELECT arm, count(*), {sums} FROM read_parquet('{path}') GROUP BY arm")


def cap_opslab(path: Path) -> Callable[[], object]:
    from opslab.experiments.moments.columns import Column
    from opslab.experiments.moments.values import cap_values

    table = _opened(path)
    return lambda: cap_values(table, [(Column("seconds"), 0.999)], "TRUE")


def cap_plain(path: Path) -> Callable[[], object]:
    return _plain(f"SELECT quantile_disc(seconds, 0.999) FROM read_parquet('{path}')")


def quantile_opslab(path: Path) -> Callable[[], object]:
    from opslab.experiments.inference.quantiles import order_statistics
    from opslab.experiments.moments.columns import Column

    table = _opened(path)
    counts = dict(table.fetch(f"SELECT arm, count(*) FROM {table.relation} GROUP BY 1"))
    column = Column("seconds")
    return lambda: order_statistics(table, "arm", column, counts, 0.9, 0.95, "TRUE")


def quantile_plain(path: Path) -> Callable[[], object]:
    wanted = list(QUANTILES)
    return _plain(
        f"SELECT arm, quantile_disc(seconds, {wanted}) FROM read_parquet('{path}') GROUP BY arm"
    )


def _opened(path: Path) -> Any:
    from opslab.tables.reader import open_table

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
    if name.startswith("tea_"):
        script = str(Path(__file__).with_name("peers.py"))
        command = [os.environ["OPSLAB_TEA_PYTHON"], script, name.removeprefix("tea_"), str(path)]
    else:
        command = [sys.executable, __file__, "--once", name, "--file", str(path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(found.stdout)


def tea_is_there() -> bool:
    """Return whether OPSLAB_TEA_PYTHON names an interpreter that can import tea-tasting."""
    named = os.environ.get("OPSLAB_TEA_PYTHON")
    if not named:
        return False
    command = [named, "-c", "import tea_tasting"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def compare(pair: str, path: Path, times: int = TIMES) -> dict[str, dict[str, float]]:
    """Return medians of every side of a pair, and its CPU and wall as ratios to the last side's.

    A ratio is the median of the ratios of neighbouring runs, so that a busy minute touches both.
    """
    sides = [side for side in PAIRS[pair].sides if not side.startswith("tea_") or tea_is_there()]
    if len(sides) < len(PAIRS[pair].sides):
        print(
            "tea-tasting is left out: OPSLAB_TEA_PYTHON names no interpreter that has it",
            file=sys.stderr,
        )
    runs = [[once(side, path) for side in sides] for _ in range(times + 1)][1:]
    found = {}
    for place, side in enumerate(sides):
        found[side] = {
            figure: statistics.median(run[place][figure] for run in runs)
            for figure in ("cpu", "wall", "peak_mib")
        }
        for figure in ("cpu", "wall"):
            ratios = [run[place][figure] / run[-1][figure] for run in runs]
            found[side][f"{figure}_ratio"] = statistics.median(ratios)
    return found


def measure(
    rows: int = ROWS, folder: Path | None = None, pairs: Sequence[str] = (), times: int = TIMES
) -> list[tuple[str, str, str, str]]:
    """Return rows: what, target, measured, beside; the file goes when no folder keeps it."""
    with tempfile.TemporaryDirectory(prefix="opslab-benchmarks-") as scratch:
        path = make(folder or Path(scratch), rows)
        return [_line(PAIRS[pair], rows, compare(pair, path, times)) for pair in pairs or PAIRS]


def _line(pair: Pair, rows: int, found: dict[str, dict[str, float]]) -> tuple[str, str, str, str]:
    own, *between, last = found.values()
    names = [side.replace("_", "-tasting, ") for side in found if side.startswith("tea_")]
    told = f"{own['cpu']:.2f} s against {last['cpu']:.2f} s, {last['peak_mib']:.0f} MiB"
    told += "".join(
        f"; {name} {one['cpu_ratio']:.2f} x, {one['peak_mib']:.0f} MiB"
        for name, one in zip(names, between, strict=True)
    )
    return (
        f"{pair.title}, {rows / 1e6:g}M rows of Parquet, CPU",
        f"<= {pair.target} x {pair.against}" if pair.target else f"told, against {pair.against}",
        f"{own['cpu_ratio']:.2f} x, {own['peak_mib']:.0f} MiB",
        told,
    )


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--only", nargs="*", default=[], choices=PAIRS, help="these pairs")
    parser.add_argument(
        "--folder", type=Path, help="keeps the made file; a temporary folder by default"
    )
    given = parser.parse_args()
    for row in measure(given.rows, given.folder, given.only, given.times):
        print("| " + " | ".join(row) + " |", flush=True)


def _child(name: str, path: Path) -> None:
    call = globals()[name](path)
    cpu, wall = time.process_time(), time.perf_counter()
    answer = call()
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024**2 if sys.platform == "darwin" else 1024
    )
    print(json.dumps(figures | {"peak_mib": peak}))
    if "--answer" in sys.argv:
        print(answer)


if __name__ == "__main__":
    if "--once" in sys.argv:
        _child(sys.argv[sys.argv.index("--once") + 1], Path(sys.argv[sys.argv.index("--file") + 1]))
    else:
        main()
