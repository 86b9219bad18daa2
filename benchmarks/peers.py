"""tea-tasting's answer to the four metrics with CUPED of moments.py; runs in an environment that has it."""

import json
import resource
import sys
import time

import tea_tasting


def main(engine: str, path: str) -> None:
    """Print the CPU and wall seconds of the analysis, and the peak memory of the process."""
    experiment = tea_tasting.Experiment(
        variant="arm",
        revenue=tea_tasting.Mean("revenue", "revenue_before"),
        converted=tea_tasting.Mean("converted", "revenue_before"),
        orders=tea_tasting.Mean("orders", "orders_before"),
        basket=tea_tasting.RatioOfMeans("revenue", "orders", "revenue_before", "orders_before"),
    )
    if engine == "duckdb":
        import ibis

        connection = ibis.duckdb.connect()
        connection.raw_sql("SET threads = 2")
        data = connection.read_parquet(path)
    else:
        import polars

        data = polars.scan_parquet(path)
    cpu, wall = time.process_time(), time.perf_counter()
    found = experiment.analyze(data, control="control")
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(figures | {"peak_mib": peak / (1024**2 if sys.platform == "darwin" else 1024)})
    )
    if "--answer" in sys.argv:
        print(found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
