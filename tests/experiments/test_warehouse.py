"""PostgreSQL and Spark give DuckDB's digits, from the same SQL, and only sums leave them."""

from __future__ import annotations

import math
import os
import pwd
import shutil
import subprocess
import tempfile
import traceback
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from test_any_form import FORMS, table
from test_real_data import HILLSTROM, data_file

from opslab import experiments
from opslab.errors import DataError, ExtraError, MachineError, SpecError
from opslab.experiments.spec import Experiment

psycopg = pytest.importorskip("psycopg", reason="the extra warehouse is not installed")
pytest.importorskip("sqlglot", reason="the extra warehouse is not installed")

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
SAMPLES = ("checkout", "newsletter", "search_ranking", "stores", "onboarding")
SECRET = "not-to-be-seen"


@pytest.fixture(scope="module")
def server():
    """Start a PostgreSQL of our own, in a temporary folder, on a socket; give its URL."""
    folders = [os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    initdb, control = (shutil.which(name, path=":".join(folders)) for name in ("initdb", "pg_ctl"))
    if not initdb or not control:
        pytest.skip("PostgreSQL is not installed")
    asroot = os.geteuid() == 0  # which may not run it
    users = {user.pw_name for user in pwd.getpwall()}
    owner = "postgres" if "postgres" in users else "nobody"
    folder = Path(tempfile.mkdtemp(prefix="opslab-postgres-"))
    if asroot:
        shutil.chown(folder, owner)

    def run(*command):
        user = owner if asroot else None
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, user=user)

    data, log = folder / "data", folder / "log"
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    run(initdb, "-D", data, "-A", "trust", "-U", "opslab", "--no-sync")
    run(control, "-D", data, "-l", log, "-w", "-o", options, "start")
    yield f"postgresql://opslab:{SECRET}@/postgres?host={folder}"
    run(control, "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def warehouse(server, monkeypatch):
    monkeypatch.setenv("WAREHOUSE", server)
    return server


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql", reason="the extra spark is not installed")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "America/New_York",  # which must not matter
    }
    builder = sql.SparkSession.builder.master("local[2]").config(map=settings)
    session = builder.getOrCreate()
    yield session
    session.stop()


KINDS = {"DOUBLE": "double precision", "VARCHAR": "text", "TIMESTAMP_NS": "timestamp"}


def load(server, name, data):
    """Put a frame or a CSV file into a table."""
    relation = duckdb.from_df(data) if isinstance(data, pd.DataFrame) else duckdb.read_csv(data)
    kinds = [KINDS.get(str(kind), str(kind)) for kind in relation.types]
    columns = ", ".join(f'"{n}" {kind}' for n, kind in zip(relation.columns, kinds, strict=True))
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        relation.write_csv(file.name)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(f"CREATE TABLE {name} ({columns})")
            with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv, HEADER)") as copy:
                copy.write(Path(file.name).read_bytes())
    return name


def values(part, where=""):
    """Give every value of a result with where it stands, but how the rows were read."""
    if is_dataclass(part):
        names = {field.name for field in fields(part)} - {"reading", "data_used"}
        for name in sorted(names):
            yield from values(getattr(part, name), f"{where}.{name}")
    elif isinstance(part, dict):
        for name, value in part.items():
            if name != "rows":  # rows of a warehouse have no numbers
                yield from values(value, f"{where}.{name}")
    elif isinstance(part, list | tuple):
        for order, value in enumerate(part):
            yield from values(value, f"{where}.{order}")
    else:
        yield where, part


def assert_same(result, expected):
    """Every number agrees to 1e-9, and all else is the same; ranks take the rows, which stay."""
    ranked = tuple(part for part in expected.companions if part.way != "ranks")
    known, wanted = (dict(values(side)) for side in (result, replace(expected, companions=ranked)))
    known, wanted = (
        {
            where: value
            for where, value in side.items()
            if ".bounds" not in where and "notes" not in where
        }
        for side in (known, wanted)
    )
    assert known.keys() == wanted.keys()
    assert sum(isinstance(value, float) for value in wanted.values()) > 40
    for where, value in wanted.items():
        close = isinstance(value, float) and not math.isnan(value)
        assert known[where] == (pytest.approx(value, rel=1e-9, abs=1e-12) if close else value), (
            where
        )


def spec_of(form, **data):
    rows, extra, metrics = FORMS[form]
    return Experiment(
        experiment="a test",
        unit="d" if form == "totals" else "unit",
        data=data or rows,
        metrics=metrics,
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        **extra,
    )


@pytest.mark.parametrize("form", FORMS)
def test_postgres_gives_the_digits_in_every_form(form, warehouse):
    data = table(form)
    if form == "logs":
        load(warehouse, "events", data["events"])
        stored = {
            "assignments": load(warehouse, "assignments", data["assignments"]),
            "events": "SELECT * FROM events WHERE event = 'buy'",
        }
    else:
        stored = {"table": load(warehouse, "units", data), "rows": FORMS[form][0]["rows"]}
    result = experiments.analyze(spec_of(form, connection="env:WAREHOUSE", **stored))
    assert_same(result, experiments.analyze(spec_of(form), data))


@pytest.mark.parametrize("name", SAMPLES)
def test_postgres_gives_the_digits_of_the_samples(name, warehouse):
    path = SAMPLE / f"{name}.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    stored = {
        "table" if field == "path" else field: load(warehouse, f"{name}_{field}", SAMPLE / value)
        if field in ("path", "assignments", "events")
        else value
        for field, value in declared["data"].items()
    }
    remote = Experiment(**declared | {"data": {"connection": "env:WAREHOUSE", **stored}})
    paths = ("path", "assignments", "events")
    here = {k: str(SAMPLE / v) if k in paths else v for k, v in declared["data"].items()}
    local = Experiment(**declared | {"data": here})
    assert_same(experiments.analyze(remote), experiments.analyze(local))


def hillstrom():
    path = data_file("hillstrom.csv")
    customers = pd.read_csv(path).rename_axis("customer").reset_index()
    text = HILLSTROM.format(path=path).replace(
        "column: spend,", "column: spend, covariates: [history],"
    )
    declared = yaml.safe_load(text)
    declared["segments"] = ["newbie", "zip_code"]
    return declared, customers


def test_postgres_gives_the_digits_of_hillstrom(warehouse):
    declared, customers = hillstrom()
    data = {"connection": "env:WAREHOUSE", "table": load(warehouse, "hillstrom", customers)}
    result = experiments.analyze(Experiment(**declared | {"data": data}))
    assert_same(result, experiments.analyze(Experiment(**declared), customers))
