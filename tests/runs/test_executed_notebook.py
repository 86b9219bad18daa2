"""A notebook that something else executed becomes the run that `opslab run` would have made."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import contextmanager

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

import opslab
from conftest import ROOT, make_workspace
from opslab.cli import main
from opslab.evidence import RECORD_TYPE
from opslab.runs.cells import is_exploration

GIVEN = {"spec": "data/sample/search_ranking.yaml", "as_of": "2026-10-01", "language": "fr"}
CELL = "\n".join(
    f"{name} = {value!r}" for name, value in GIVEN.items()
)  # other quotes, no comments
RENDERED = "<div><dt>Exécuté par</dt><dd>un autre programme, puis classé par opslab</dd></div>\n"
SAME = ("readout.html", "notebook.ipynb", "result.json")


@contextmanager
def inside(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        yield


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("render") / "workspace")


@pytest.fixture(scope="module")
def run(workspace):
    with inside(workspace):
        return opslab.run("experiment_readout", out="ran", **GIVEN)


@pytest.fixture(scope="module")
def by_hand(workspace):
    """Execute a copy whose parameters cell was edited, and save it as JupyterLab does."""
    notebook = nbformat.read(ROOT / "notebooks/experiment_readout.ipynb", as_version=4)
    next(cell for cell in notebook.cells if cell.id == "parameters").source = CELL
    with inside(workspace):
        NotebookClient(
            notebook, resources={"metadata": {"path": str(workspace / "notebooks")}}
        ).execute()
    return as_jupyterlab_saves(notebook)


def as_jupyterlab_saves(notebook):
    """Return a notebook with JupyterLab's metadata, its cell ids, and its outputs through JavaScript."""
    saved = json.loads(json.dumps(notebook), object_hook=through_javascript)
    saved["metadata"] |= {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
    }
    for cell in saved["cells"]:
        cell["id"] = f"{random.randrange(16**8):08x}-4d6e"
        cell["metadata"] |= {
            "collapsed": True,
            "editable": True,
            "jupyter": {"source_hidden": True},
            "scrolled": True,
        }
        if cell["cell_type"] == "code":
            cell["metadata"]["trusted"] = True
            for output in cell["outputs"]:
                if "metadata" in output:
                    output["metadata"]["isolated"] = False
        else:
            cell["attachments"] = {}
    return saved


def through_javascript(values):
    whole = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in values.items()
    }
    return dict(sorted(whole.items(), reverse=True))


def render(*arguments):
    return CliRunner().invoke(main, ["render", *map(str, arguments)])


def save(notebook, path):
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def the_run(reports):
    (folder,) = reports.glob("experiment_readout/*/*")
    return folder


def assert_same(rendered, run):
    """Compare a folder with that of `opslab run`; the page alone says another program ran it."""
    for name in SAME:
        filed, expected = ((folder / name).read_text("utf-8") for folder in (rendered, run))
        if name == "readout.html":
            assert filed.count(RENDERED) == 1
            filed = filed.replace(RENDERED, "")
        assert filed == expected, name


def test_by_hand_gives_the_same_bytes_and_exit_code(workspace, run, by_hand, tmp_path):
    assert any("execution" in cell["metadata"] for cell in by_hand["cells"])
    with inside(workspace):
        file = save(by_hand, tmp_path / "mine.ipynb")
        done = render(file, "--out", tmp_path / "reports")
        again = render(file, "--out", tmp_path / "reports")
    assert (done.exit_code, done.stderr) == (3, "")
    folder = the_run(tmp_path / "reports")
    assert folder.name == run.folder.name
    assert_same(folder, run.folder)
    told, made = (
        json.loads((one / "run.json").read_text(encoding="utf-8")) for one in (folder, run.folder)
    )
    seconds = told.pop("seconds_per_cell")
    assert len(seconds) == len(made.pop("seconds_per_cell"))
    assert sum(seconds) > 0
    for about in (told, made):
        del about["seal"], about["outputs"]["readout.html"]
    assert (told.pop("origin"), made.pop("origin")) == ("rendered", "run")
    assert (told.pop("kernel"), made.pop("kernel")) == (None, "started")
    assert told == made
    assert again.stdout == done.stdout
    assert (tmp_path / "reports/index.html").is_file()


@pytest.mark.slow
def test_plain_papermill_gives_the_same_bytes(workspace, run, tmp_path):
    """As Airflow's operator calls it: values in a cell of their own, from a folder of its own."""
    output = tmp_path / "output.ipynb"
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(workspace / "notebooks/experiment_readout.ipynb"),
        str(output),
        "--no-progress-bar",
    ]
    for name, value in GIVEN.items():
        command += ["-r", name, value]
    environment = {**os.environ, "OPSLAB_WORKSPACE": str(workspace)}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert "injected-parameters" in output.read_text(encoding="utf-8")
    with inside(workspace):
        assert render(output, "--out", tmp_path / "reports").exit_code == 3
    folder = the_run(tmp_path / "reports")
    assert folder.name == run.folder.name
    assert_same(folder, run.folder)


def test_a_run_that_is_there_is_used(workspace, run, by_hand, tmp_path):
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    with inside(workspace):
        done = render(save(by_hand, tmp_path / "mine.ipynb"), "--out", "ran")
    assert done.exit_code == 3
    assert "déjà là" in done.stdout
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


def test_a_notebook_edited_and_run_in_its_place_gives_the_same_bytes(
    workspace, run, by_hand, tmp_path
):
    other = tmp_path / "other"
    shutil.copytree(workspace, other, ignore=shutil.ignore_patterns("ran"))
    with inside(other):
        save(by_hand, other / "notebooks/experiment_readout.ipynb")
        assert render("notebooks/experiment_readout.ipynb").exit_code == 3
    folder = the_run(other / "reports")
    assert folder.name == run.folder.name
    assert_same(folder, run.folder)


def test_a_changed_cell_is_a_run_of_its_own(workspace, run, by_hand, tmp_path):
    mine = copy.deepcopy(by_hand)
    mine["cells"][0]["source"] = "# Mine"
    for cell in mine["cells"]:
        del cell["id"]  # formats before 4.5
    mine["nbformat_minor"] = 4
    with inside(workspace):
        for out in ("one", "two"):
            assert (
                render(save(mine, tmp_path / "mine.ipynb"), "--out", tmp_path / out).exit_code == 3
            )
    one, two = the_run(tmp_path / "one"), the_run(tmp_path / "two")
    assert one.name == two.name != run.folder.name
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in SAME)


def code(notebook, place):
    return readout(notebook)[place]


def readout(notebook):
    """Return the code cells that a run has: no exploration."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [cell for cell in cells if not is_exploration(cell)]


def parameters(notebook):
    return next(
        cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])
    )


def published(notebook):
    return code(notebook, -1)["outputs"][0]


def erring(notebook):
    code(notebook, 2)["outputs"] = [
        {"output_type": "error", "ename": "KeyError", "evalue": "x", "traceback": []}
    ]


def swapped(notebook):
    first, second = code(notebook, 3), code(notebook, 4)
    first["execution_count"], second["execution_count"] = (
        second["execution_count"],
        first["execution_count"],
    )


AGAIN = "restart the kernel, run all cells and save.\n"
REFUSED = {
    "none of ours, and no name for its own": (
        lambda n: n["metadata"].update(opslab={"notebook": "experiment readout"}),
        "The name of a notebook has letters, digits, _ and - only",
    ),
    "not all cells": (lambda n: code(n, -1).update(execution_count=None, outputs=[]), AGAIN),
    "one cell twice": (lambda n: code(n, 4).update(execution_count=20), AGAIN),
    "another order": (swapped, AGAIN),
    "a second time in one kernel": (
        lambda n: [c.update(execution_count=c["execution_count"] + 30) for c in readout(n)],
        AGAIN,
    ),
    "an error": (erring, "stopped with an error (KeyError: x)"),
    "no record": (lambda n: published(n)["data"].pop(RECORD_TYPE), "has published no result"),
    "no record of ours": (
        lambda n: published(n)["data"].update({RECORD_TYPE: {"status": "good"}}),
        "has published no result",
    ),
    "a record of another shape": (
        lambda n: published(n)["data"].update({RECORD_TYPE: ["complete"]}),
        "has published no result",
    ),
    "a computed parameter": (
        lambda n: parameters(n).update(source="import os\nspec = os.environ['SPEC']"),
        "with name = value lines and nothing else",
    ),
    "a magic": (
        lambda n: parameters(n).update(source="%env SPEC"),
        "with name = value lines and nothing else",
    ),
    "a called parameter": (
        lambda n: parameters(n).update(source="spec = str(1)"),
        "with name = value lines and nothing else",
    ),
    "no parameters cell": (
        lambda n: parameters(n)["metadata"].pop("tags"),
        "one cell tagged parameters",
    ),
    "an unknown parameter": (
        lambda n: parameters(n).update(source="cls = 1"),
        "There is no parameter cls; the parameters are as_of, language and spec.\n",
    ),
    "another day": (
        lambda n: parameters(n).update(source=CELL.replace("10-01", "10-02")),
        "does not hold what the notebook was run with",
    ),
    "another language": (
        lambda n: parameters(n).update(source=CELL.replace("'fr'", "'en'")),
        "does not hold what the notebook was run with",
    ),
    "another spec": (
        lambda n: parameters(n).update(source=CELL.replace("search_ranking", "checkout")),
        "The notebook has read data/sample/search_ranking.csv and data/sample/search_ranking.yaml, but its parameters name data/sample/checkout.csv and data/sample/checkout.yaml",
    ),
    "no inputs told": (
        lambda n: published(n)["data"][RECORD_TYPE].pop("inputs"),
        "The notebook has read -, but",
    ),
    "another opslab": (
        lambda n: published(n)["metadata"][RECORD_TYPE].update(opslab="0.0.9"),
        f"with opslab 0.0.9, and this is {opslab.__version__}",
    ),
    "an older format": (lambda n: n.update(nbformat=3), "This is not a notebook"),
    "no format": (lambda n: n.pop("nbformat"), "This is not a notebook"),
    "a cell of no kind": (
        lambda n: n["cells"].append({"cell_type": "x", "source": ""}),
        "This is not a notebook",
    ),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_whole_run_is_refused_in_one_line(workspace, by_hand, tmp_path, change, said):
    mine = copy.deepcopy(by_hand)
    change(mine)
    done = english(mine, workspace, tmp_path)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "reports").exists()


def test_what_is_said_is_in_the_language_of_the_notebook(workspace, by_hand, tmp_path):
    mine = copy.deepcopy(by_hand)
    parameters(mine)["source"] = CELL.replace("10-01", "10-02")
    with inside(workspace):
        said = render(save(mine, tmp_path / "mine.ipynb"), "--out", tmp_path / "reports").stderr
    assert "La cellule des paramètres ne contient pas ce avec quoi le cahier a été exécuté" in said


def english(notebook, workspace, tmp_path):
    """Ask with the messages in English: they follow the notebook's language, which is French."""
    from opslab.runs.executed_notebook import Executed

    with inside(workspace), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Executed, "language", "en")
        return render(save(notebook, tmp_path / "mine.ipynb"), "--out", tmp_path / "reports")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"cells": [1], "nbformat": 4}',
        "\x00",
        "[" * 100_000,
        '{"cells": 1, "nbformat": 4, "nbformat_minor": "x"}',
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.ipynb").write_text(content, encoding="utf-8")
    done = render("x.ipynb")
    assert done.exit_code == 2
    assert (
        done.stderr
        == "x.ipynb: This is not a notebook as JupyterLab or papermill saves it; restore it, or name another file.\n"
    )


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.ipynb").touch()
    assert (
        render("mime.ipynb").stderr
        == "mime.ipynb: This notebook is not there; did you mean mine.ipynb?\n"
    )
    assert render(".").exit_code == 2


@pytest.mark.parametrize("name", ["search_ranking.yaml", "search_ranking.csv"])
def test_inputs_that_changed_since_are_told_by_name(workspace, by_hand, tmp_path, name):
    other = tmp_path / "other"
    shutil.copytree(workspace, other, ignore=shutil.ignore_patterns("ran"))
    path = other / "data/sample" / name
    path.write_bytes(path.read_bytes() + b"\n")
    done = english(by_hand, other, tmp_path)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"data/sample/{name}: This file has changed since ")
    assert done.stderr.endswith(AGAIN)


def test_data_that_is_gone_is_told(workspace, by_hand, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(workspace, other, ignore=shutil.ignore_patterns("ran"))
    (other / "data/sample/search_ranking.csv").unlink()
    done = english(by_hand, other, tmp_path)
    assert done.exit_code == 2
    assert "search_ranking.csv" in done.stderr


def test_an_honest_new_name_for_the_same_spec_still_needs_a_run(workspace, by_hand, tmp_path):
    """The record names what it read: the same bytes under another name are another input."""
    other = tmp_path / "other"
    shutil.copytree(workspace, other, ignore=shutil.ignore_patterns("ran"))
    shutil.copy(other / "data/sample/search_ranking.yaml", other / "data/sample/mine.yaml")
    mine = copy.deepcopy(by_hand)
    parameters(mine)["source"] = CELL.replace("search_ranking", "mine")
    assert "but its parameters name data/sample/mine.yaml" in english(mine, other, tmp_path).stderr
