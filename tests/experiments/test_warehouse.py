"""PostgreSQL and Spark give DuckDB's digits, from the same SQL, and only sums leave them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import traceback
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from test_any_form import FORMS, table
from test_real_data import HILLSTROM, data_file

from opslab import experiments
from opslab.errors import DataError, ExtraError, InputError, MachineError, ParameterError, SpecError
from opslab.experiments.spec import Experiment

psycopg = pytest.importorskip("psycopg", reason="the extra warehouse is not installed")
pytest.importorskip("sqlglot", reason="the extra warehouse is not installed")

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
SAMPLES = ("checkout", "newsletter", "search_ranking", "stores", "onboarding", "express")
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
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",  # to compile a query takes longer than to run it
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.session.timeZone": "America/New_York",  # which must not matter
    }
    session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
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
        names = {field.name for field in fields(part)} - {"reading", "data_used", "source"}
        for name in sorted(names):
            yield from values(getattr(part, name), f"{where}.{name}")
    elif isinstance(part, dict):
        for name, value in part.items():
            if name not in ("row", "rows"):  # rows of a warehouse have no numbers
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
    different = {
        where: (known[where], value)
        for where, value in wanted.items()
        if known[where] != value
        if not isinstance(value, float) or known[where] != pytest.approx(value, rel=1e-9, abs=1e-12)
    }
    assert different == {}


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
    with pytest.raises(ParameterError, match="in a warehouse or in Spark stay there"):
        result.units()


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


def rich_units(n=4_000):
    """Return units with all that a unit table may hold: gaps, ties, extremes, units in two arms."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {"user": random.permutation(n), "Arm": random.choice(["a", "b", "it's"], n)}
    )
    start = np.datetime64("2026-10-20T22:30")
    frame["seen"] = start + (random.uniform(0, 14 * 86_400, n) * 1e6).astype("timedelta64[us]")
    frame["met"] = random.random(n) < 0.6
    frame["bought"] = random.integers(0, 2, n)
    frame["spend"] = np.where(random.random(n) < 0.3, random.lognormal(3, 1.5, n), 0.0)
    frame["far"] = 1e7 + random.normal(0, 1, n) + np.arange(n)  # the first rows are unlike the rest
    frame["late"] = np.where(random.random(n) < 0.1, np.nan, random.gamma(2, 120, n))
    frame["before"] = np.where(
        random.random(n) < 0.05, np.nan, frame.spend + random.normal(0, 9, n)
    )
    frame["orders"] = random.poisson(0.8, n)
    frame["land"] = random.choice(["fr", "de", None], n)
    twice = frame.iloc[:40].assign(Arm="a")
    return pd.concat([frame, twice], ignore_index=True)


RICH = {
    "experiment": "rich",
    "unit": "user",
    "arms": {"column": "Arm", "control": "a", "weights": {"a": 1, "b": 1, "it's": 1}},
    "period": {"time": "seen", "start": "2026-10-21", "end": "2026-11-02"},
    "segments": ["land"],
    "metrics": [
        {
            "name": "bought",
            "type": "proportion",
            "column": "bought",
            "role": "primary",
            "goal": "increase",
        },
        {
            "name": "spend",
            "type": "mean",
            "column": "spend",
            "role": "primary",
            "goal": "increase",
            "covariates": ["before"],
            "cap": {"quantile": 0.99},
        },
        {"name": "far", "type": "mean", "column": "far", "role": "secondary", "goal": "increase"},
        {
            "name": "late",
            "type": "mean",
            "column": "late",
            "role": "secondary",
            "goal": "decrease",
            "missing": "zero",
        },
        {
            "name": "p90",
            "type": "quantile",
            "column": "late",
            "quantile": 0.9,
            "role": "guardrail",
            "goal": "decrease",
            "margin": {"relative": 0.1},
            "missing": "drop",
        },
        {
            "name": "basket",
            "type": "ratio",
            "numerator": "spend",
            "denominator": "orders",
            "role": "secondary",
            "goal": "increase",
        },
    ],
}
WAYS = {
    "plain": {},
    "zone": {"data": {"timezone": "Europe/Paris"}},
    "trigger": {"trigger": "met"},
    "phases": {
        "phases": [
            {"from": "2026-10-21", "weights": {"a": 1, "b": 1, "it's": 1}},
            {"from": "2026-10-27", "weights": {"a": 2, "b": 1, "it's": 1}},
        ],
        "arms": {"column": "Arm", "control": "a"},
        "segments": [],
    },
}


def without_repeats(frame):
    """Return a unit table in which a unit that stands twice does so in two arms."""
    return frame.drop_duplicates(["user", "Arm"])


def ways(way):
    extra = dict(WAYS[way])
    data = extra.pop("data", {})
    declared = RICH | extra
    if way == "phases":  # a quantile is not computed within them
        declared = declared | {"metrics": [m for m in RICH["metrics"] if m["type"] != "quantile"]}
    return declared, data, without_repeats(rich_units())


@pytest.mark.parametrize("way", WAYS)
def test_postgres_gives_the_digits_of_what_units_may_hold(way, warehouse):
    declared, data, frame = ways(way)
    stored = {"connection": "env:WAREHOUSE", "table": load(warehouse, "rich", frame)}
    result = experiments.analyze(Experiment(**declared, data=data | stored))
    assert_same(result, experiments.analyze(Experiment(**declared, data=data), frame))


def rich_logs(n=900):
    """Return logs with repeated events and ids, strangers, gaps, early assignments, moments of a zone."""
    random = np.random.default_rng(11)
    units = [f"u{order:05d}" for order in range(n)]
    start = pd.Timestamp("2026-10-20 21:00", tz="UTC")
    came = start + pd.to_timedelta(np.round(random.uniform(0, 10 * 86_400, n), 6), unit="s")
    assigned = pd.DataFrame({"unit": units, "arm": random.choice(["a", "b"], n), "at": came})
    assigned["land"] = random.choice(["fr", "de"], n)
    again = assigned.iloc[:60].assign(at=lambda rows: rows["at"] + pd.Timedelta("1h"))
    changed = again.iloc[:3].assign(arm=lambda rows: rows.arm.map({"a": "b", "b": "a"}))
    assigned = pd.concat([assigned, again, changed], ignore_index=True)
    who = random.integers(0, n + 20, 9 * n)
    when = start + pd.to_timedelta(
        np.round(random.uniform(-9 * 86_400, 30 * 86_400, 9 * n), 6), unit="s"
    )
    events = pd.DataFrame(
        {"unit": [f"U-{order}" if order >= n else units[order] for order in who], "when": when}
    )
    events["event"] = random.choice(["buy", "visit", "Buy"], 9 * n, p=[0.5, 0.45, 0.05])
    events["amount"] = np.where(random.random(9 * n) < 0.04, np.nan, random.gamma(2, 30, 9 * n))
    return {
        "assignments": assigned,
        "events": pd.concat([events, events.iloc[:50]], ignore_index=True),
    }


LOGS = {
    "experiment": "logs",
    "unit": "unit",
    "arms": {"column": "arm", "control": "a"},
    "period": {"time": "at", "start": "2026-10-22", "end": "2026-10-31"},
    "segments": ["land"],
    "metrics": [
        {
            "name": "back",
            "type": "proportion",
            "event": "visit",
            "window": {"from": "1d", "to": "2d"},
            "role": "primary",
            "goal": "increase",
        },
        {
            "name": "spend",
            "type": "mean",
            "event": "buy",
            "value": "amount",
            "window": {"to": "14d"},
            "covariate_window": {"from": "-7d", "to": "0d"},
            "role": "primary",
            "goal": "increase",
            "missing": "drop",
        },
    ],
}


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_postgres_gives_the_digits_of_what_logs_may_hold(zone, warehouse):
    logs, data = rich_logs(), {"timezone": zone} if zone else {}
    stored = {name: load(warehouse, f"log_{name}", frame) for name, frame in logs.items()}
    remote = Experiment(**LOGS, data={"connection": "env:WAREHOUSE", **data, **stored})
    local = Experiment(**LOGS, data=data | {"assignments": "a.csv", "events": "e.csv"})
    assert_same(experiments.analyze(remote), experiments.analyze(local, logs))


def units_spec(**data):
    return spec_of("segments", **{"connection": "env:WAREHOUSE", "table": "refused", **data})


@pytest.fixture
def refused(warehouse):
    load(warehouse, "refused", table("segments"))
    return warehouse


def told(spec, kind):
    """Return what a refusal says, which names no part of the connection, in its traceback neither."""
    with pytest.raises(kind) as caught:
        experiments.analyze(spec)
    whole = "".join(traceback.format_exception(caught.value))
    assert SECRET not in whole
    assert "opslab-postgres" not in whole
    return caught.value.exit_code, str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"table": "no_such"}, 'relation "no_such" does not exist'),
        ({"table": "refused; DROP TABLE refused"}, "single SELECT"),
        ({"table": None, "query": "DELETE FROM refused RETURNING *"}, "single SELECT"),
        ({"table": None, "query": "SELECT 1; SELECT 2"}, "single SELECT"),
        ({"table": None, "query": "SELECT * INTO other FROM refused"}, "single SELECT"),
        ({"table": None, "query": "SELECT * FROM refused FOR UPDATE"}, "single SELECT"),
        (
            {"table": None, "query": "WITH x AS (DELETE FROM refused RETURNING *) SELECT * FROM x"},
            "single SELECT",
        ),
        ({"table": None, "query": "SELEC * FROM refused"}, "single SELECT"),
        (
            {"table": None, "query": "SELECT nothing FROM refused"},
            'column "nothing" does not exist',
        ),
        ({"table": None, "query": "SELECT unit, arm FROM refused"}, "half"),
        (
            {"table": None, "query": "SELECT *, 1 / 0 AS fault FROM refused WHERE y / 0 > 1"},
            "DivisionByZero",
        ),
        (
            {"table": None, "query": "SELECT * FROM refused WHERE nextval('counted') > 0"},
            "ReadOnlySqlTransaction",
        ),
    ],
)
def test_what_cannot_be_read_is_told_and_changes_nothing(data, said, refused):
    with psycopg.connect(refused, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS counted")
        code, message = told(units_spec(**data), DataError)
        assert (code, said in message) == (2, True), message
        ((last,),) = connection.execute("SELECT is_called FROM counted").fetchall()
        ((rows,),) = connection.execute("SELECT count(*) FROM refused").fetchall()
        ((others,),) = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'opslab%' OR relname = 'other'"
        ).fetchall()
    assert (last, rows, others) == (False, 96, 0)


def test_a_connection_that_cannot_be_had_is_the_environment(refused, monkeypatch):
    monkeypatch.setenv("WAREHOUSE", refused.replace("/postgres?", "/nowhere?"))
    code, message = told(units_spec(), MachineError)
    assert (code, "WAREHOUSE" in message, "nowhere" in message) == (5, True, False)


@pytest.mark.parametrize("url", [None, "", f"snowflake://me:{SECRET}@account"])
def test_a_variable_without_such_a_url_is_told_by_its_name(url, monkeypatch):
    monkeypatch.delenv("WAREHOUSE", raising=False)
    if url is not None:
        monkeypatch.setenv("WAREHOUSE", url)
    code, message = told(units_spec(), DataError)
    assert (code, "WAREHOUSE" in message) == (2, True)


@pytest.mark.parametrize(
    "connection", [f"postgresql://me:{SECRET}@host/db", "env:", SECRET, "env:A B"]
)
def test_a_connection_is_named_and_never_written_out(connection):
    with pytest.raises(SpecError) as caught:
        units_spec(connection=connection)
    assert "env:NAME" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "data",
    [
        {"table": "t"},
        {"query": "SELECT 1"},
        {"connection": "env:A"},
        {"connection": "env:A", "path": "t.csv"},
        {"connection": "env:A", "table": "t", "query": "SELECT 1"},
        {"connection": "env:A", "table": "t", "assignments": "a", "events": "e"},
        {"connection": "env:A", "assignments": "a"},
    ],
)
def test_what_does_not_go_together_is_refused(data):
    with pytest.raises(SpecError, match="data"):
        spec_of("segments", **data)


def test_a_table_that_is_no_file_is_filed_under_the_name_of_its_state_only(refused, tmp_path):
    text = yaml.safe_dump(units_spec().model_dump(mode="json", exclude_defaults=True))
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    parameters = experiments.ReadoutParameters.of(
        spec=str(tmp_path / "spec.yaml"), as_of="2026-03-09"
    )
    with pytest.raises(InputError, match="snapshot"):
        parameters.stands_on()
    stated = text.replace("table: refused", "table: refused\n  snapshot: 2026-03-09")
    (tmp_path / "spec.yaml").write_text(
        stated.replace("snapshot: 2026-03-09", "snapshot: march"), encoding="utf-8"
    )
    assert parameters.stands_on().files == (tmp_path / "spec.yaml",)
    assert parameters.experiment().data.snapshot == "march"


def test_rows_stay_in_the_warehouse(refused, monkeypatch):
    """No query brings more rows than arms, levels and the farthest units of an outlier check."""
    from opslab.warehouse.table import RemoteTable

    brought, fetch = [], RemoteTable.fetch
    monkeypatch.setattr(
        RemoteTable,
        "fetch",
        lambda self, sql, **options: brought.append(rows := fetch(self, sql)) or rows,
    )
    load(refused, "rich", without_repeats(rich_units()))
    experiments.analyze(Experiment(**RICH, data={"connection": "env:WAREHOUSE", "table": "rich"}))
    assert len(brought) > 10
    assert max(map(len, brought)) <= 202


def test_an_extra_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "opslab.warehouse.postgres", raising=False)
    code, message = told(units_spec(), ExtraError)
    assert (code, "opslab[warehouse]" in message) == (5, True)


def frame_of(spark, data):
    """Return a Spark frame: clock times as such, moments as moments."""
    relation = duckdb.from_df(data)
    kinds = {"TIMESTAMP": "timestamp_ntz", "TIMESTAMP_NS": "timestamp_ntz", "VARCHAR": "string"}
    kinds |= {"TIMESTAMP WITH TIME ZONE": "timestamp", "INTEGER": "int"}
    columns = list(zip(relation.columns, map(str, relation.types), strict=True))
    schema = ", ".join(f"`{name}` {kinds.get(kind, kind)}" for name, kind in columns)
    moments = [kind == "TIMESTAMP WITH TIME ZONE" for _, kind in columns]
    cells = [
        f'epoch_us("{name}")' if moment else f'"{name}"'
        for (name, _), moment in zip(columns, moments, strict=True)
    ]
    epoch, tick = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
    rows = [
        [epoch + cell * tick if moment else cell for cell, moment in zip(row, moments, strict=True)]
        for row in relation.project(", ".join(cells)).fetchall()
    ]
    return spark.createDataFrame(rows, schema)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_spark_gives_the_digits_in_every_form(form, spark):
    data = table(form)
    parts = data if form == "logs" else {"one": data}
    frames = {name: frame_of(spark, part) for name, part in parts.items()}
    result = experiments.analyze(spec_of(form), frames if form == "logs" else frames["one"])
    assert_same(result, experiments.analyze(spec_of(form), data))
    assert not [view.name for view in spark.catalog.listTables() if view.name.startswith("opslab")]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_spark_gives_the_digits_of_what_units_may_hold(way, spark):
    declared, data, frame = ways(way)
    experiment = Experiment(**declared, data=data)
    result = experiments.analyze(experiment, frame_of(spark, frame))
    assert_same(result, experiments.analyze(experiment, frame))


@pytest.mark.slow
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_spark_gives_the_digits_of_what_logs_may_hold(zone, spark):
    logs, data = rich_logs(), {"timezone": zone} if zone else {}
    experiment = Experiment(**LOGS, data=data | {"assignments": "a.csv", "events": "e.csv"})
    frames = {name: frame_of(spark, frame) for name, frame in logs.items()}
    assert_same(experiments.analyze(experiment, frames), experiments.analyze(experiment, logs))


@pytest.mark.slow
def test_spark_gives_the_digits_of_hillstrom(spark):
    declared, customers = hillstrom()
    result = experiments.analyze(Experiment(**declared), frame_of(spark, customers))
    assert_same(result, experiments.analyze(Experiment(**declared), customers))


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_spark_gives_the_digits_of_the_samples(name, spark):
    experiment = Experiment.load(SAMPLE / f"{name}.yaml")
    frames = {
        field: frame_of(spark, duckdb.read_csv(str(SAMPLE / file)).df())
        for field, file in experiment.data.sources.items()
    }
    result = experiments.analyze(experiment, frames.get("path") or frames)
    assert_same(result, experiments.analyze(experiment))


def test_two_columns_of_one_name_are_told(refused):
    query = "SELECT *, y AS arm FROM refused"
    code, message = told(units_spec(table=None, query=query), DataError)
    assert (code, "ambiguous" in message) == (2, True)


def test_frames_of_two_places_are_refused():
    """A frame of Spark beside one of pandas: nothing is brought over silently."""

    class Frame:
        columns, dtypes = ("unit",), (("unit", "bigint"),)

        @property
        def sparkSession(self):  # noqa: N802 - Spark's own name
            return self

    from opslab.warehouse.spark import session

    with pytest.raises(DataError, match="one Spark session"), session(Frame(), keeps=True) as rows:
        rows.beside(pd.DataFrame({"unit": [1]}), None)


@pytest.mark.parametrize("form", ["segments", "finer", "logs"])
def test_postgres_plans_as_files_do(form, warehouse):
    data = table(form)
    stored = {"rows": FORMS[form][0].get("rows", "unit")}
    here = dict(stored)
    if form == "logs":
        stored |= {name: load(warehouse, name, part) for name, part in data.items()}
    else:
        stored["table"] = load(warehouse, "units", data)
    plans = []
    for history, frames in (({"connection": "env:WAREHOUSE", **stored}, None), (here, data)):
        spec = spec_of(form).changed(planning={"history": history, "resamples": 200})
        plans.append(experiments.plan_experiment(spec, frames))
    for first, second in zip(plans[0].metrics, plans[1].metrics, strict=True):
        for name in ("baseline", "deviation", "correlation"):
            known, expected = (getattr(side, name) or 0.0 for side in (first, second))
            assert known == pytest.approx(expected, rel=1e-9), name
    assert plans[0].resampled == plans[1].resampled
