"""What an analyst explores below the readout is no part of a run: not run, not known by, not filed."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

import opslab
from conftest import ROOT, make_workspace
from opslab.cli import main
from opslab.runs.cells import drop_exploration, first_line, is_exploration
from opslab.runs.job import json_of, source_digest

NAME = "experiment_readout"
TAGS = ["explore", "skip-execution", "nbval-skip"]
LOOKS = "import pandas as pd\nunits = pd.read_csv('data/sample/checkout.csv')"
SAME = ("notebook.ipynb", "result.json")


def cell(source, name, tags=None):
    tags = TAGS if tags is None else tags
    return nbformat.v4.new_code_cell(source, id=name, metadata={"tags": tags})


def with_cells(*cells, at=None):
    """Return our notebook with these cells of exploration alone, below the others or before one."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{NAME}.ipynb", as_version=4)
    drop_exploration(notebook)
    place = len(notebook.cells) if at is None else [one.id for one in notebook.cells].index(at)
    notebook.cells[place:place] = cells
    return notebook


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = make_workspace(tmp_path_factory.mktemp("explore") / "workspace")
    heading = nbformat.v4.new_markdown_cell("## Your turn", id="turn", metadata={"tags": TAGS})
    explored = (heading, cell(LOOKS, "look-units"), cell("1 / 0  # still wrong", "ask-more"))
    nbformat.write(with_cells(*explored), folder / "notebooks" / f"{NAME}.ipynb")
    return folder


@pytest.fixture
def inside(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    return workspace


@pytest.fixture(scope="module")
def run(workspace):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        return opslab.run(NAME, out="ran")


@pytest.fixture(scope="module")
def all_run(workspace):
    """Execute every cell as JupyterLab's Run All does: it knows none of the tags."""
    notebook = json_notebook(workspace)
    client = NotebookClient(notebook, allow_errors=True, skip_cells_with_tag="no such tag")
    client.resources = {"metadata": {"path": str(workspace)}}
    client.execute()
    assert all(one.execution_count for one in notebook.cells if one.cell_type == "code")
    return notebook


def json_notebook(workspace):
    return nbformat.read(workspace / "notebooks" / f"{NAME}.ipynb", as_version=4)


def explored(notebook):
    return [one for one in notebook.cells if one.cell_type == "code" and is_exploration(one)]


def render(notebook, tmp_path):
    nbformat.write(notebook, tmp_path / "mine.ipynb")
    arguments = ["render", str(tmp_path / "mine.ipynb"), "--out", str(tmp_path / "reports")]
    return CliRunner().invoke(main, arguments)


def assert_same(run, tmp_path):
    (folder,) = (tmp_path / "reports").glob(f"{NAME}/*/*")
    assert folder.name == run.folder.name
    for name in SAME:
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes(), name


def test_a_run_knows_nothing_of_it(run, workspace):
    """The cell that divides by nothing would have stopped it."""
    filed = nbformat.read(run.folder / "notebook.ipynb", as_version=4)
    plain = with_cells()
    assert [one.id for one in filed.cells] == [one.id for one in plain.cells]
    assert "Your turn" not in run.readout.read_text(encoding="utf-8")
    about = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    code = [one for one in plain.cells if one.cell_type == "code"]
    assert len(about["seconds_per_cell"]) == len(code)
    assert about["reusable"]


def test_edited_there_alone_it_is_the_same_run(run, inside):
    again = opslab.run(NAME, out="ran")
    assert again.reused
    file = inside / "notebooks" / f"{NAME}.ipynb"
    before = file.read_bytes()
    try:
        nbformat.write(with_cells(cell("another = 'idea'", "mine")), file)
        edited = opslab.run(NAME, out="ran")
        assert edited.reused
        assert edited.folder == run.folder
        nbformat.write(with_cells(cell("another = 'idea'", "mine", [])), file)
        assert source_digest(json_of(file)) != source_digest(with_cells())
    finally:
        file.write_bytes(before)


def test_progress_counts_the_cells_of_the_run(inside, tmp_path):
    from opslab.runs.runner import run_notebook

    steps = []
    run_notebook(NAME, {}, out=tmp_path, progress=lambda *step: steps.append(step))
    code = [one.id for one in with_cells().cells if one.cell_type == "code"]
    assert steps == [(number, len(code), name) for number, name in enumerate(code, 1)]


STATES = {
    "all run, one with an error": lambda _: None,
    "not run": lambda cells: [one.update(execution_count=None, outputs=[]) for one in cells],
    "partly run": lambda cells: cells[0].update(execution_count=None, outputs=[]),
    "run many times": lambda cells: cells[0].update(execution_count=90),
    "of an earlier kernel, whose count says nothing": lambda cells: [
        one.update(execution_count=number) for number, one in enumerate(cells, 1)
    ],
}


@pytest.mark.parametrize("change", STATES.values(), ids=STATES)
def test_what_was_explored_after_publishing_makes_no_difference(
    all_run, run, inside, tmp_path, change
):
    notebook = copy.deepcopy(all_run)
    change(explored(notebook))
    done = render(notebook, tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert_same(run, tmp_path)


def test_a_result_published_there_is_not_taken(all_run, run, inside, tmp_path):
    notebook = copy.deepcopy(all_run)
    own = next(one for one in notebook.cells if one.id == "publish")
    other = copy.deepcopy(own.outputs)
    other[-1]["data"]["text/plain"] = "Another headline"
    explored(notebook)[0].outputs = other
    assert render(notebook, tmp_path).exit_code == 0
    assert_same(run, tmp_path)


def test_what_ran_before_publishing_is_refused_by_name(inside, tmp_path):
    """Only our tag: papermill runs it, and it could have changed anything."""
    early = cell("\n\nresult = result  # or worse", "look-early", ["explore"])
    notebook = with_cells(early, at="checks")
    NotebookClient(notebook, resources={"metadata": {"path": str(inside)}}).execute()
    done = render(notebook, tmp_path)
    assert done.exit_code == 2
    said = "The exploration cell look-early (result = result  # or worse) ran before the result"
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "reports").exists()


def test_a_cell_above_that_ran_later_or_never_is_no_harm(inside, run, tmp_path):
    notebook = with_cells(cell("1 / 0", "look-early"), at="checks")
    NotebookClient(notebook, resources={"metadata": {"path": str(inside)}}).execute()
    assert render(notebook, tmp_path).exit_code == 0
    assert_same(run, tmp_path)


@pytest.mark.slow
def test_papermill_passes_over_them(workspace, inside, run, tmp_path):
    notebook, output = inside / "notebooks" / f"{NAME}.ipynb", tmp_path / "output.ipynb"
    command = [sys.executable, "-m", "papermill", str(notebook), str(output), "--no-progress-bar"]
    environment = {**os.environ, "OPSLAB_WORKSPACE": str(workspace)}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    executed = nbformat.read(output, as_version=4)
    assert [one.execution_count for one in explored(executed)] == [None, None]
    assert render(executed, tmp_path).exit_code == 0
    assert_same(run, tmp_path)


@pytest.mark.slow
def test_nbval_passes_over_them(workspace, tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax"]
    command += ["--nbval-current-env", f"--rootdir={tmp_path}", "-c", os.devnull]
    notebook = str(workspace / "notebooks" / f"{NAME}.ipynb")
    environment = {**os.environ, "OPSLAB_WORKSPACE": str(workspace)}
    done = subprocess.run(
        [*command, notebook],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 skipped" in done.stdout


def test_one_of_the_two_tags_is_enough():
    assert is_exploration(cell("", "x", ["explore"]))
    assert is_exploration(cell("", "x", ["skip-execution"]))
    assert not is_exploration(cell("", "x", ["nbval-skip", "analyst", "parameters"]))


def test_the_first_line_names_a_cell():
    assert first_line({"source": ["\n", "  x = 1\n", "y"]}) == "x = 1"
    assert first_line({"source": ""}) == ""
    assert first_line({"source": "x" * 200}) == "x" * 59 + "…"
