"""A batch of runs: its plan, how its runs end, and what is left when it is ended itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from conftest import ROOT, first_quickly
from opslab.archive import sealed
from opslab.cli import main
from opslab.errors import InputError
from opslab.runs.batch_plan import Plan, planned_runs
from opslab.runs.registry import notebooks
from opslab.runs.retention import remove_old

SECONDS = 240  # until a test gives up
READOUT = "experiment_readout"
FORKS = sys.platform == "linux"


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory, monkeypatch):
    """Give each test a folder for temporary files of its own, and see that nothing stays there."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def plan(runs: str, name: str = "plan.yaml") -> Path:
    path = Path(name)
    path.write_text(f"batch: Weekly readouts\nruns:\n{runs}", encoding="utf-8")
    return path


def batch(*arguments):
    return CliRunner().invoke(main, ["batch", "plan.yaml", *arguments])


def notebook(*sources):
    """Replace the experiments' notebook by one of these cells."""
    cells = [
        new_code_cell(
            'spec = "data/sample/checkout.yaml"\nas_of = ""\nlanguage = "en"',
            metadata={"tags": ["parameters"]},
        ),
        *(new_code_cell(source, id=f"c{number}") for number, source in enumerate(sources)),
    ]
    about = {"opslab": {"notebook": READOUT}}
    nbformat.write(new_notebook(cells=cells, metadata=about), f"notebooks/{READOUT}.ipynb")


def status() -> dict[str, dict]:
    content = json.loads(Path("reports/batch-weekly-readouts.json").read_text(encoding="utf-8"))
    return {run["name"]: run for run in content["runs"]}


def files(folder: str) -> dict[str, bytes]:
    """Return the files of all runs in a folder but what tells the machine and the seconds."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).glob("*/*/*/*")
        if path.name != "run.json"
    }


def kernels(folder: str) -> set[str]:
    return {json.loads(path.read_bytes())["kernel"] for path in Path(folder).glob("*/*/*/run.json")}


TWO = f"""
  - name: checkout
    notebook: {READOUT}
    params: {{language: [en, fr]}}
  - {{name: broken, notebook: {READOUT}, params: {{spec: data/sample/search_ranking.yaml}}}}
  - {{name: after the broken one, notebook: time_saved, after: [broken]}}
"""


def test_a_batch_runs_what_is_not_there_and_tells_how_it_went(workspace_folder, temporary):
    plan(TWO)
    done = batch("--jobs", "2")
    assert done.exit_code == 3, done.output
    assert {name: run["status"] for name, run in status().items()} == {
        "checkout language=en": "done",
        "checkout language=fr": "done",
        "broken": "check_failed",
        "after the broken one": "skipped",
    }
    assert "Not run: it needs broken, which gave no result to build on." in done.stdout
    assert "2 done, 1 blocking check failed and 1 skipped" in done.stdout
    assert "checkout-button" in Path("reports/index.html").read_text(encoding="utf-8")
    assert kernels("reports") == {"forked" if FORKS else "started"}
    again = batch("--quiet")
    assert again.exit_code == 3
    assert status()["checkout language=fr"]["status"] == "there_already"
    assert [line.split("  ")[0] for line in again.stdout.splitlines()[:2]] == [
        "blocking check failed",
        "skipped",
    ]
    assert len(again.stdout.splitlines()) == 3
    assert not list(temporary.glob("opslab-*[!k]")), "no folder stays"


@pytest.mark.slow
def test_a_forked_kernel_and_a_started_one_give_the_same_bytes(workspace_folder, monkeypatch):
    plan(TWO)
    batch()
    monkeypatch.setenv("OPSLAB_KERNEL", "start")
    batch("--out", "started")
    assert files("reports") == files("started")
    assert (kernels("started"), len(files("started"))) == ({"started"}, 12)


CELL_THAT_FAILS_ONCE = """
import os, pathlib
mark = pathlib.Path("tried")
if not mark.exists():
    mark.touch()
    os._exit(9)
1 / 0
"""


def test_a_retry_is_for_what_may_pass(workspace_folder):
    """A kernel that died is tried again; an error in a cell would come again."""
    notebook(CELL_THAT_FAILS_ONCE)
    plan(f"  - {{name: tried, notebook: {READOUT}, retries: 3}}\n")
    done = batch()
    assert done.exit_code == 2
    (run,) = status().values()
    assert (run["status"], run["attempts"], run["exit_code"]) == ("failed", 2, 2)
    assert "ZeroDivisionError" in run["reason"]
    assert "failure.html" in done.stdout


MARK = "import os, pathlib, time\npathlib.Path(f'{os.getpid()}.pid').touch()\ntime.sleep(600)"


def start(*arguments) -> subprocess.Popen:
    command = [sys.executable, "-m", "opslab.cli", "batch", "plan.yaml", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def pids(count: int) -> list[int]:
    until(lambda: len(list(Path().glob("*.pid"))) == count)
    return [int(path.stem) for path in Path().glob("*.pid")]


def until(true):
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


SLEEPERS = f"""
  - {{name: one, notebook: {READOUT}, params: {{language: [en, fr]}}, retries: 1}}
  - {{name: later, notebook: {READOUT}, params: {{as_of: 2026-10-01}}}}
"""


@pytest.mark.skipif(not FORKS, reason="looks into /proc")
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        signal.SIGKILL,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_a_batch_that_is_ended_leaves_no_kernel_behind(workspace_folder, temporary, number):
    notebook(MARK)
    plan(SLEEPERS)
    process = start("--jobs", "2")
    at_work = pids(2)
    assert batch().exit_code == 5, "the same plan at once"
    process.send_signal(number)
    output, _ = process.communicate(timeout=SECONDS)
    until(lambda: not any(map(alive, at_work)))
    if number == signal.SIGKILL:
        return
    assert process.returncode == 4, output
    assert "Traceback" not in output
    assert {name: (run["status"], run["attempts"]) for name, run in status().items()} == {
        "one language=en": ("interrupted", 1),
        "one language=fr": ("interrupted", 1),
        "later": ("interrupted", 0),
    }
    assert len(list(Path("reports").glob("*/*/*.failed"))) == 2
    assert not list(temporary.glob("opslab-*[!k]")), "no folder stays"


@pytest.mark.skipif(not FORKS, reason="looks into /proc")
@pytest.mark.parametrize("victim", first_quickly("worker", "kernel", "zygote"))
def test_a_killed_process_ends_its_kernel_and_the_run_is_tried_again(workspace_folder, victim):
    notebook(MARK)
    plan(f"  - {{name: one, notebook: {READOUT}, retries: 1}}\n")
    process = start()
    (kernel,) = pids(1)
    parents = parents_of_processes()
    zygote = parents[kernel]
    (worker,) = (pid for pid, parent in parents.items() if parent == zygote and pid != kernel)
    os.kill({"worker": worker, "kernel": kernel, "zygote": zygote}[victim], signal.SIGKILL)
    until(lambda: not alive(kernel))
    (again,) = set(pids(2)) - {kernel}
    process.terminate()
    process.communicate(timeout=SECONDS)
    until(lambda: not alive(again))
    assert [run["attempts"] for run in status().values()] == [2]


def parents_of_processes() -> dict[int, int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    return parents


def checked(runs: str, as_of: date | None = None):
    return planned_runs(Plan.load(plan(runs)), as_of)


def test_dates_and_lists_are_expanded(workspace_folder):
    runs = checked(
        f"""
  - name: weekly
    notebook: {READOUT}
    params: {{as_of: {{from: 2026-11-02, to: given, every: week}}, language: [en, fr]}}
  - {{name: monthly, notebook: time_saved, params: {{as_of: {{from: 2026-08-31, to: 2026-11-30, every: month}}}}}}
  - name: case
    notebook: business_case
    params: {{as_of: given}}
    after: [weekly, monthly]
""",
        date(2026, 11, 16),
    )
    assert [name for name in runs if name.startswith("weekly")] == [
        f"weekly as_of=2026-11-{day} language={language}"
        for day in ("02", "09", "16")
        for language in ("en", "fr")
    ]
    assert [run.parameters["as_of"] for run in runs.values() if run.entry.name == "monthly"] == [
        "2026-08-31",
        "2026-09-30",
        "2026-10-31",
        "2026-11-30",
    ]
    assert runs["case"].parameters == {"as_of": "2026-11-16"}
    of_the_day = [f"weekly as_of=2026-11-16 language={language}" for language in ("en", "fr")]
    all_months = [name for name in runs if name.startswith("monthly")]
    assert list(runs["case"].after) == of_the_day + all_months


def test_all_mistakes_of_a_plan_are_told_at_once_and_nothing_runs(workspace_folder):
    plan(f"""
  - {{name: a, notebook: {READOUT}, params: {{spek: x, language: de}}}}
  - {{name: b, notebook: experiment_readot}}
  - {{name: c, notebook: {READOUT}, params: {{spec: data/sample/chekout.yaml}}, after: [aa]}}
  - {{name: c, notebook: {READOUT}, params: {{as_of: {{from: 2026-01-05, to: 2026-01-01, every: day}}}}}}
  - {{name: d, notebook: {READOUT}, params: {{as_of: given}}}}
""")
    done = batch()
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "plan.yaml, line 4, runs[1]: There is no parameter spek; did you mean spec?",
        "plan.yaml, line 4, runs[1].language: de is not possible here; write en or fr.",
        "plan.yaml, line 5, runs[2]: There is no notebook experiment_readot; did you mean experiment_readout?",
        "plan.yaml, line 6, runs[3]: There is no run aa; did you mean a?",
        "data/sample/chekout.yaml: This spec is not there; did you mean checkout.yaml?",
        "plan.yaml, line 7, runs[4]: Another run is named c too; give each its own name.",
        "plan.yaml, line 7, runs[4].params: The last day is before the first, so there is nothing to run.",
        "plan.yaml, line 8, runs[5].params: The plan needs a day here; give it with --as-of YYYY-MM-DD.",
    ]
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ("  - {name: a, notebok: x}\n", "runs[1].notebok: "),
        (
            "  - {name: a, notebook: time_saved, params: {as_of: {from: soon, to: given, every: week}}}\n",
            "runs[1].params.as_of.from: soon must be a date",
        ),
        ("  - {name: a, notebook: time_saved, params: {as_of: []}}\n", "runs[1].params.as_of: "),
        ("  []\n", "runs: "),
    ],
)
def test_a_plan_is_a_spec(workspace_folder, runs, said):
    with pytest.raises(InputError) as error:
        checked(runs)
    assert said in str(error.value)


def test_a_day_that_no_run_takes_is_refused(workspace_folder):
    with pytest.raises(InputError, match="No run in this plan uses --as-of"):
        checked("  - {name: a, notebook: time_saved}\n", date(2026, 11, 16))


def test_the_plan_has_a_schema():
    done = CliRunner().invoke(main, ["schema", "plan"])
    assert "as_of" in done.stdout
    assert {"batch", "runs"} <= set(json.loads(done.stdout)["properties"])


def test_the_plan_of_the_sample_and_the_one_of_the_documentation_hold(workspace_folder):
    runs = planned_runs(Plan.load("data/sample/batch.yaml"))
    demo = {
        (notebook.name, given.get("spec"))
        for notebook in notebooks().values()
        for given in notebook.demo
    }
    assert {(run.entry.notebook, run.parameters.get("spec")) for run in runs.values()} == demo
    page = (ROOT / "docs/batch.md").read_text(encoding="utf-8")
    Path("weekly.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    runs = planned_runs(Plan.load("weekly.yaml"), date(2026, 10, 12))
    assert list(runs) == [
        "checkout as_of=2026-10-05 language=en",
        "checkout as_of=2026-10-05 language=fr",
        "checkout as_of=2026-10-12 language=en",
        "checkout as_of=2026-10-12 language=fr",
        "case",
    ]


@pytest.mark.slow
def test_the_sample_runs_to_its_end(workspace_folder):
    done = CliRunner().invoke(main, ["batch", "data/sample/batch.yaml"])
    assert done.exit_code == 3
    assert "24 done and 1 blocking check failed" in done.stdout


def filed(day: int, *, name="checkout", status="complete", cites=(), **parameters) -> Path:
    """File a run as the runner would, with another record for each day and set of parameters."""
    record = json.dumps({"day": day, "cites": list(cites), **parameters}).encode()
    digest = hashlib.sha256(record + status.encode()).hexdigest()
    files = {"result.json": record, "readout.html": b"<html>", "notebook.ipynb": b"{}"}
    about = {
        "notebook": READOUT,
        "name": name,
        "as_of": f"2026-11-{day:02}",
        "status": status,
        "headline": "",
        "digest": digest,
        "parameters": {"as_of": f"2026-11-{day:02}", **parameters},
        "outputs": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    folder = Path(f"reports/{READOUT}/{name}/2026-11-{day:02}-{digest[:8]}")
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    (folder / "run.json").write_text(json.dumps(sealed(about)), encoding="utf-8")
    return folder


def days(name="checkout") -> list[str]:
    return sorted(path.name[8:10] for path in Path(f"reports/{READOUT}/{name}").iterdir())


def test_old_runs_go_and_the_newest_stay(workspace_folder):
    runs = [filed(day) for day in (1, 2, 3, 4)]
    other = filed(1, language="fr")
    gone = remove_old(Path("reports"), {runs[-1]: 2})
    assert gone == [run.relative_to("reports").as_posix() for run in runs[:2]]
    assert (days(), other.is_dir()) == (["01", "03", "04"], True)


def test_the_last_good_run_stays_however_old_it_is(workspace_folder):
    filed(1), filed(2)
    red = [filed(day, status="check_failed") for day in (3, 4, 5)]
    remove_old(Path("reports"), {red[-1]: 2})
    assert days() == ["02", "04", "05"]


def test_what_a_run_that_stays_cites_stays(workspace_folder):
    runs = [filed(day) for day in (1, 2, 3, 4)]
    first, second = (run.relative_to("reports").as_posix() for run in runs[:2])
    filed(9, name="cites the first", cites=[first])
    remove_old(Path("reports"), {runs[-1]: 1})
    assert days() == ["01", "04"]
    runs += [filed(5, cites=[second]), filed(6)]
    remove_old(Path("reports"), {runs[-1]: 1})
    assert days() == ["01", "06"]


def test_what_the_plan_names_and_what_somebody_put_a_file_into_stays(workspace_folder):
    runs = [filed(day) for day in (1, 2, 3, 4)]
    (runs[1] / "my notes.txt").touch()
    remove_old(Path("reports"), {runs[0]: None, runs[-1]: 1})
    assert days() == ["01", "02", "04"]


def test_a_broken_run_is_not_the_last_good_one(workspace_folder):
    whole, broken = filed(1), filed(2)
    (broken / "readout.html").write_bytes(b"")
    remove_old(Path("reports"), {filed(3, status="check_failed"): 1})
    assert whole.is_dir()


def test_a_chain_of_citations_stays(workspace_folder):
    first = filed(1)
    second = filed(2, cites=[first.relative_to("reports").as_posix()])
    filed(9, name="case", cites=[second.relative_to("reports").as_posix()])
    remove_old(Path("reports"), {filed(3): 1})
    assert days() == ["01", "02", "03"]


def test_keep_is_for_the_runs_of_the_batch(workspace_folder):
    notebook("1 / 0")
    runs = [filed(day, name="checkout-button") for day in (1, 2, 3)]
    plan(f"  - {{name: fails, notebook: {READOUT}, keep: 1}}\n")
    assert batch().exit_code == 2
    assert all(run.is_dir() for run in runs), "a batch that brought nothing takes nothing away"
