"""A scheduler that knows papermill only: green and red are told by errors, the readout is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import nbformat
import pytest
from click.testing import CliRunner

import opslab
from conftest import first_quickly, make_workspace
from opslab.cli import main
from opslab.errors import ON_BLOCKING
from opslab.evidence import RECORD_TYPE
from opslab.runs.cells import drop_exploration

GOOD, RED = "data/sample/checkout.yaml", "data/sample/search_ranking.yaml"
SAME = ("notebook.ipynb", "result.json")  # the page says that it was rendered
HEADLINE = "The data of this experiment cannot be trusted"
REASON = "The arms do not have their planned shares: old has 2,639 units"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("papermill") / "workspace")


@pytest.fixture
def inside(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    return workspace


def papermill(workspace, output, spec, asked=None):
    """Run the readout as Airflow's operator does, from a folder of its own."""
    notebook = str(workspace / "notebooks/experiment_readout.ipynb")
    command = [sys.executable, "-m", "papermill", notebook, str(output), "-r", "spec", spec]
    environment = {**os.environ, "OPSLAB_WORKSPACE": str(workspace)}
    environment |= {} if asked is None else {ON_BLOCKING: asked}
    return subprocess.run(
        [*command, "--no-progress-bar"],
        cwd=output.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def stopped(workspace, tmp_path_factory):
    """Return how papermill ended on a red experiment that was to raise, and what it saved."""
    output = tmp_path_factory.mktemp("stopped") / "output.ipynb"
    return papermill(workspace, output, RED, "raise"), output


def render(file, out):
    return CliRunner().invoke(main, ["render", str(file), "--out", str(out)])


def records(file):
    outputs = [o for cell in nbformat.read(file, 4).cells for o in cell.get("outputs", [])]
    return [output.data[RECORD_TYPE] for output in outputs if RECORD_TYPE in output.get("data", {})]


def the_run(reports):
    (folder,) = reports.glob("experiment_readout/*/*")
    return folder


def test_red_raises_after_the_record_is_attached(stopped):
    done, output = stopped
    assert done.returncode == 1
    assert f"BlockingCheckError: {HEADLINE}" in done.stderr
    assert REASON in done.stderr
    (record,) = records(output)
    assert record["status"] == "check_failed"


def test_what_was_stopped_is_rendered_to_the_bytes_of_a_run(stopped, inside, tmp_path):
    _, output = stopped
    done = render(output, tmp_path / "reports")
    assert (done.exit_code, done.stderr) == (3, "")
    headline, reason, path = done.stdout.splitlines()
    assert headline.startswith(HEADLINE)
    assert reason.startswith(REASON)
    run = opslab.run("experiment_readout", out=str(tmp_path / "ran"), spec=RED)
    folder = the_run(tmp_path / "reports")
    assert path == str(folder / "readout.html")
    assert folder.name == run.folder.name
    for name in SAME:
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes(), name


@pytest.mark.parametrize(
    "case", first_quickly((GOOD, "raise"), (RED, None), (RED, ""), (GOOD, None))
)
def test_all_others_end_green(workspace, inside, tmp_path, case):
    spec, asked = case
    output = tmp_path / "output.ipynb"
    done = papermill(workspace, output, spec, asked)
    assert done.returncode == 0, done.stderr
    assert len(records(output)) == 1
    assert render(output, tmp_path / "reports").exit_code == (3 if spec == RED else 0)


@pytest.mark.slow
def test_stopped_or_not_the_same_is_filed(stopped, workspace, inside, tmp_path):
    output = tmp_path / "output.ipynb"
    assert papermill(workspace, output, RED, "").returncode == 0
    for file, out in ((stopped[1], "stopped"), (output, "ended")):
        assert render(file, tmp_path / out).exit_code == 3
    one, other = the_run(tmp_path / "stopped"), the_run(tmp_path / "ended")
    assert one.name == other.name
    for name in ("readout.html", *SAME):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize(
    ("name", "place"), [("KeyError", -1), ("KeyError", 2), ("BlockingCheckError", 2)]
)
def test_any_other_error_is_refused(stopped, inside, tmp_path, name, place):
    notebook = nbformat.read(stopped[1], 4)
    drop_exploration(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    error = code[-1].outputs.pop()
    error.ename = name
    code[place].outputs.append(error)
    nbformat.write(notebook, tmp_path / "mine.ipynb")
    done = render(tmp_path / "mine.ipynb", tmp_path / "reports")
    assert done.exit_code == 2
    assert f"stopped with an error ({name}: {HEADLINE}" in done.stderr
    assert not (tmp_path / "reports").exists()


def test_ours_without_a_record_is_refused(stopped, inside, tmp_path):
    notebook = nbformat.read(stopped[1], 4)
    drop_exploration(notebook)
    del notebook.cells[-1].outputs[0]
    nbformat.write(notebook, tmp_path / "mine.ipynb")
    done = render(tmp_path / "mine.ipynb", tmp_path / "reports")
    assert done.exit_code == 2
    assert "has published no result" in done.stderr


def test_a_cell_that_bears_the_mark_of_papermill_still_counts(stopped, inside, tmp_path):
    """Only what papermill itself writes is left out: no code can hide behind its mark."""
    notebook = nbformat.read(stopped[1], 4)
    marked = {"tags": ["papermill-error-cell-tag"]}
    notebook.cells.insert(1, nbformat.v4.new_code_cell("x = 1", metadata=marked))
    nbformat.write(notebook, tmp_path / "mine.ipynb")
    done = render(tmp_path / "mine.ipynb", tmp_path / "reports")
    assert done.exit_code == 2
    assert "were not run once each" in done.stderr


@pytest.mark.parametrize("asked", first_quickly("raise", "rise"))
def test_a_run_of_our_own_tells_by_its_exit_code(inside, tmp_path, monkeypatch, asked):
    monkeypatch.setenv(ON_BLOCKING, asked)
    arguments = ["run", "experiment_readout", "-p", f"spec={RED}", "--out", str(tmp_path)]
    done = CliRunner().invoke(main, [*arguments, "--quiet"])
    folder = the_run(tmp_path)
    assert done.exit_code == 3
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"] == "check_failed"
    assert done.stdout == f"{folder / 'readout.html'}\n"
    headline, reason = done.stderr.splitlines()
    assert headline.startswith(HEADLINE)
    assert reason.startswith(REASON)
