"""A notebook of one's own to start from: the small one, or the copy of another."""

from __future__ import annotations

import csv
import json
import statistics

import nbformat
import pytest
from click.testing import CliRunner

import opslab
from opslab.cli import main
from opslab.experiments.parameters import ReadoutParameters
from opslab.runs import own_notebooks
from opslab.runs.job import json_of, source_digest


def new(*arguments):
    done = CliRunner(env={"LC_ALL": "C"}).invoke(main, ["new", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_the_small_one_runs_as_it_is(workspace_folder):
    done = new("first_look")
    file = workspace_folder / "notebooks/first_look.ipynb"
    assert done.stdout == f"{file} written. Next: opslab lab, or opslab run first_look\n"
    nbformat.validate(nbformat.read(file, as_version=4))
    assert json_of(file)["metadata"]["opslab"] == {"notebook": "first_look"}
    run = opslab.run("first_look")
    assert (run.exit_code, run.headline, run.remark) == (0, "Revenue by arm", None)
    page = run.readout.read_text(encoding="utf-8")
    with (workspace_folder / "data/sample/checkout.csv").open(encoding="utf-8") as stream:
        spent = [(row["variant"], float(row["revenue"])) for row in csv.DictReader(stream)]
    control, short = (
        statistics.mean(revenue for other, revenue in spent if other == arm)
        for arm in ("control", "short_label")
    )
    shown = f"control {control:.2f}; short_label {short:.2f}."
    assert f'alt="Mean revenue per user in euros: {shown}"' in page
    assert opslab.run("first_look").reused


def test_a_copy_keeps_the_typed_parameters_and_has_a_name_of_its_own(workspace_folder):
    assert new("mine", "--from", "experiment_readout").exit_code == 0
    mark = {"notebook": "mine", "from": "experiment_readout"}
    assert json_of(workspace_folder / "notebooks/mine.ipynb")["metadata"]["opslab"] == mark
    model = own_notebooks.find("mine").parameters()
    assert issubclass(model, ReadoutParameters)
    with pytest.raises(ValueError, match="did you mean spec"):
        opslab.run("mine", spce="x.yaml")
    run, ours = opslab.run("mine"), opslab.run("experiment_readout")
    assert run.folder.parents[1].name == "mine"
    assert run.result() == ours.result()
    assert run.result()["evidence"] or run.result()["comparisons"]
    assert opslab.run("mine").reused, "what it reads is known as that of the original is"
    assert source_digest(json_of(run.folder / "notebook.ipynb")) == source_digest(
        json_of(ours.folder / "notebook.ipynb")
    )


def test_the_copys_own_cell_decides(workspace_folder):
    """Its defaults are those in the cell, and it may have parameters of its own."""
    new("mine", "--from", "experiment_readout")
    file = workspace_folder / "notebooks/mine.ipynb"
    content = json_of(file)
    cell = next(cell for cell in content["cells"] if cell["id"] == "parameters")
    cell["source"] = (
        'spec = "data/sample/newsletter.yaml"\nextra = 3  # of mine\ninputs = ["more.csv"]\n'
    )
    file.write_text(json.dumps(content), encoding="utf-8")
    parameters = own_notebooks.find("mine").parameters().of(extra="4")
    assert (parameters.spec, parameters.extra) == ("data/sample/newsletter.yaml", 4)
    with pytest.raises(ValueError, match=r"more\.csv: This file, which `inputs` names"):
        parameters.stands_on()
    (workspace_folder / "more.csv").touch()
    files = [path.name for path in parameters.stands_on().files]
    assert files == ["newsletter.yaml", "newsletter.csv", "more.csv"]


def test_a_copy_of_a_copy_keeps_the_first_origin_and_nothing_that_was_run(workspace_folder):
    new("one", "--from", "time_saved")
    file = workspace_folder / "notebooks/one.ipynb"
    content = json_of(file)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 3
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    injected = {"cell_type": "code", "id": "x", "metadata": {"tags": ["injected-parameters"]}}
    content["cells"].append(injected | {"source": "", "outputs": [], "execution_count": 1})
    file.write_text(json.dumps(content), encoding="utf-8")
    assert new("two", "--from", "one").exit_code == 0
    copy = json_of(workspace_folder / "notebooks/two.ipynb")
    assert copy["metadata"]["opslab"] == {"notebook": "two", "from": "time_saved"}
    code = [cell for cell in copy["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert len(copy["cells"]) == len(content["cells"]) - 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["my notes"], "my notes cannot name a notebook"),
        (["../escape"], "../escape cannot name a notebook"),
        (["1st"], "1st cannot name a notebook"),
        (["été"], "été cannot name a notebook"),
        (["sheet"], "the sheets are alignment, backlog, briefing"),
        (["Time_Saved"], "Another notebook is called Time_Saved"),
        (["taken"], "Another notebook is called taken"),
        (["TAKEN"], "Another notebook is called TAKEN"),
        (["mine", "--from", "experiment_readuot"], "did you mean experiment_readout?"),
        (["mine", "--from", "tacken"], "did you mean taken?"),
        (["mine", "other"], "A notebook has one name"),
        (["digest", "mine"], "copy data/sample/product_digest.yaml"),
        (["contribution", "mine"], "copy data/sample/product_contribution.yaml"),
        (["mine", "--sheet"], "A notebook has one name"),
        (["case"], "opslab new case NAME"),
    ],
)
def test_what_cannot_be_written_is_refused(workspace_folder, arguments, said):
    (workspace_folder / "taken.ipynb").write_text("{}", encoding="utf-8")
    before = sorted(workspace_folder.rglob("*"))
    done = new(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(workspace_folder.rglob("*")) == before


def test_nothing_is_written_outside_of_a_workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert "This folder is not a workspace" in new("mine").stderr
    assert not list(tmp_path.iterdir())


def test_it_is_said_in_french(workspace_folder):
    done = CliRunner(env={"LC_ALL": "fr_FR.UTF-8"}).invoke(main, ["new", "mon bilan"])
    assert "mon bilan ne peut pas nommer un cahier" in done.stderr
