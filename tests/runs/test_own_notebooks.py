"""Any notebook of the workspace with a parameters cell is listed, described, run and rendered."""

from __future__ import annotations

import json
import shutil
import time

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

import opslab
from conftest import make_workspace
from opslab.archive import read_run
from opslab.cli import main
from opslab.errors import InputError
from opslab.runs import own_notebooks, registry
from opslab.runs.failure import NotebookError

DATA = "shop,orders\nnorth,3\nsouth,5\n"
CELL = """inputs = ["data/orders.csv"]  # the files that are read
as_of = "2026-10-01"  # the day
least = 2  # orders that a shop must have
share = 0.5  # of the orders, # as a part
shops = ["north", "south"]
strict = False
name = "all"
"""
LOOK = """import pandas as pd
orders = pd.read_csv("data/orders.csv")
print(orders[orders["orders"] >= least]["shop"].tolist(), share, shops, strict, name)
"""


def markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": [*tags]} if tags else {})


def write(path, *cells, parameters=CELL, **metadata):
    given = [code(parameters, "parameters")] if parameters is not None else []
    notebook = nbformat.v4.new_notebook(cells=[cells[0], *given, *cells[1:]], metadata=metadata)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{number:08x}"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    folder = tmp_path / "workspace"
    (folder / "data").mkdir(parents=True)
    (folder / "opslab.toml").touch()
    (folder / "data/orders.csv").write_text(DATA, encoding="utf-8")
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def orders(workspace):
    return write(workspace / "weekly/orders.ipynb", markdown("# Orders of *all* shops"), code(LOOK))


def ask(*arguments):
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def about(run):
    return json.loads((run.folder / "run.json").read_text(encoding="utf-8"))


def printed(run):
    notebook = nbformat.read(run.folder / "notebook.ipynb", as_version=4)
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )


# It is found


def test_it_is_listed_as_the_workspaces_own(orders):
    lines = ask("list").stdout.splitlines()
    place = lines.index("This workspace's own:")
    assert place > len(registry.notebooks())
    assert lines[place + 1 :] == ["orders                Orders of all shops"]


def test_it_is_described_by_its_literals_and_comments(orders):
    said = ask("describe", "orders").stdout
    assert "orders: Orders of all shops\n" in said
    for line in (
        "inputs      the files that are read (default: data/orders.csv)",
        "as_of       day as of which the readout speaks, YYYY-MM-DD (default: 2026-10-01)",
        "language    language of the readout: en or fr (default: en)",
        "least       orders that a shop must have (default: 2)",
        "share       of the orders, # as a part (default: 0.5)",
        "shops       (default: north, south)",
        "strict      (default: False)",
    ):
        assert f"  {line}\n" in said, said
    assert f"Notebook: {orders}" in said


@pytest.mark.parametrize(
    "folder",
    [
        ".hidden",
        "reports",
        "notebooks/.ipynb_checkpoints",
        "elsewhere/orders/orders/2026-10-01-0123abcd",
        "elsewhere/orders/orders/2026-10-01-0123abcd.failed",
    ],
)
def test_what_is_none_of_the_users_work_is_passed_over(workspace, orders, folder):
    shutil.copytree(orders.parent, workspace / folder)
    assert ask("list").stdout.count("orders  ") == 1
    assert own_notebooks.find("orders").path == orders


def test_a_virtual_environment_is_passed_over(workspace, orders):
    shutil.copytree(orders.parent, workspace / "env/lib/examples")
    (workspace / "env/pyvenv.cfg").touch()
    assert own_notebooks.find("orders").path == orders


def test_outside_of_a_workspace_nothing_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "orders.ipynb", markdown("# x"))
    assert "own" not in ask("list").stdout


def test_a_notebook_without_parameters_is_not_listed_and_refused_where_named(workspace):
    write(workspace / "notes.ipynb", markdown("# x"), parameters=None)
    assert "notes" not in ask("list").stdout
    done = ask("run", "notes")
    assert done.exit_code == 2
    assert done.stderr.startswith("notes.ipynb: There must be one cell tagged parameters")


def test_a_misspelt_name_is_answered_with_the_near_one(orders):
    assert ask("run", "ordres").stderr == "There is no notebook ordres; did you mean orders?\n"


REFUSED = {
    "a computed parameter": (
        {"parameters": "x = open('/etc/passwd')"},
        "one cell tagged parameters",
    ),
    "an import": ({"parameters": "import os\nx = 1"}, "one cell tagged parameters"),
    "no python": ({"parameters": "x <- 1"}, "one cell tagged parameters"),
    "a mapping": ({"parameters": "x = {}"}, "parameter x must be a text, a number"),
    "nothing": ({"parameters": "x = None"}, "parameter x must be a text, a number"),
    "a list of numbers": ({"parameters": "x = [1]"}, "parameter x must be a text, a number"),
    "no files": ({"parameters": "inputs = 3"}, "parameter inputs must be a text"),
    "a token": (
        {"parameters": 'api_token = ""'},
        "api_token would be written into every filed run",
    ),
    "a password": ({"parameters": 'db_Password = "x"'}, "would be written into every filed run"),
    "an option of run": ({"parameters": "force = True"}, "parameter force has a use of its own"),
    "a name of the model's": ({"parameters": "given = 1"}, "parameter given has a use of its own"),
    "pydantic's": ({"parameters": "model_config = 1"}, "model_config has a use of its own"),
    "a private name": ({"parameters": "_x = 1"}, "parameter _x has a use of its own"),
    "R": (
        {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
        "only those in Python",
    ),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_run_is_refused_where_named_and_listed_with_the_reason(
    workspace, orders, change, said
):
    write(workspace / "mine.ipynb", markdown("# Mine"), **change)
    done = ask("run", "mine", "-p", "as_of=2026-10-01")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("mine.ipynb: ")
    assert said in done.stderr
    listed = ask("list").stdout
    assert "mine                  cannot be run: mine.ipynb: " in listed
    assert "orders                Orders of all shops" in listed
    assert not (workspace / "reports").exists()


@pytest.mark.parametrize("name", ["my notes", "été", "a.b", "-x", "1x", "x" * 61, "a\nb"])
def test_a_name_that_is_none_is_told(workspace, orders, name):
    write(workspace / f"{name}.ipynb", markdown("# x"))
    said = ask("list").stdout
    assert said.count("The name of a notebook has letters, digits, _ and - only") == 1
    with pytest.raises(InputError, match="rename the file"):
        opslab.run(name)


@pytest.mark.parametrize(
    "name", ["../workspace/weekly/orders", "/etc/passwd", "", "*", "weekly/orders"]
)
def test_a_path_is_no_name(orders, name):
    with pytest.raises(InputError, match="There is no notebook"):
        opslab.run(name)


@pytest.mark.parametrize(
    "content", ["", "{", '{"cells": ["parameters"]}', '["parameters"]', "\x00"]
)
def test_a_broken_file_is_in_nobodys_way(workspace, orders, content):
    (workspace / "broken.ipynb").write_text(content, encoding="utf-8")
    (workspace / "experiment_readout.ipynb").write_text(content, encoding="utf-8")
    listed = ask("list")
    assert listed.exit_code == 0
    assert "orders                Orders" in listed.stdout
    assert ("broken" in listed.stdout) == ("parameters" in content)
    assert own_notebooks.find("orders").path == orders
    assert own_notebooks.find("experiment_readout").file is None


def test_two_of_a_name_are_refused_and_listed(workspace, orders):
    shutil.copytree(orders.parent, workspace / "old")
    (workspace / "old/orders.ipynb").rename(workspace / "old/Orders.ipynb")
    for name in ("orders", "Orders"):
        said = ask("run", name).stderr
        assert "old/Orders.ipynb and weekly/orders.ipynb; rename all of them but one." in said
    assert ask("list").stdout.count("cannot be run: More than one notebook is called") == 2


def test_one_with_the_name_of_ours_is_refused_unless_it_bears_our_mark(workspace, orders):
    write(workspace / "time_saved.ipynb", markdown("# Mine"))
    done = ask("run", "time_saved")
    assert done.exit_code == 2
    assert "time_saved.ipynb and opslab: time_saved; rename all of them but one." in done.stderr
    assert "time_saved            cannot be run: More than one" in ask("list").stdout
    write(workspace / "time_saved.ipynb", markdown("# x"), opslab={"notebook": "time_saved"})
    assert own_notebooks.find("time_saved").file is None
    assert ask("list").stdout.count("time_saved") == 1


def test_a_link_out_of_the_workspace_is_refused(workspace, orders, tmp_path):
    write(tmp_path / "outside/secret.ipynb", markdown("# Outside"))
    (workspace / "linked.ipynb").symlink_to(tmp_path / "outside/secret.ipynb")
    (workspace / "folder").symlink_to(tmp_path / "outside")
    listed = ask("list").stdout
    assert "linked                cannot be run: linked.ipynb: This is a link out" in listed
    assert "Outside" not in listed
    assert ask("run", "linked").exit_code == 2
    assert ask("run", "secret").exit_code == 2


def test_a_huge_notebook_is_told_and_costs_nothing(workspace, orders):
    with (workspace / "huge.ipynb").open("wb") as stream:
        stream.seek(60_000_000)
        stream.write(b'"parameters"')
    since = time.perf_counter()
    listed = ask("list").stdout
    assert time.perf_counter() - since < 1
    assert (
        "huge                  cannot be run: huge.ipynb: This file is larger than 50 MB" in listed
    )
    assert "Orders of all shops" in listed


# It is run


def test_it_is_run_with_typed_values_and_filed(orders):
    run = opslab.run("orders", least="4", strict="true", shops="north, west", share=1)
    assert printed(run) == "['south'] 1.0 ['north', 'west'] True all\n"
    assert run.folder.relative_to(run.folder.parents[2]).parts[:2] == ("orders", "orders")
    assert run.folder.name.startswith("2026-10-01-")
    told = about(run)
    assert told["parameters"]["shops"] == ["north", "west"]
    assert [file["file"] for file in told["inputs"]] == ["data/orders.csv"]
    assert (run.exit_code, run.headline) == (0, "Orders of all shops")
    filed = nbformat.read(run.folder / "notebook.ipynb", as_version=4)
    assert 'shops = ["north", "west"]\nstrict = True\n' in filed.cells[1].source
    assert "least = 4  # orders that a shop must have\n" in filed.cells[1].source
    assert len(filed.cells) == 3


def test_without_a_record_it_is_a_run_like_any_other_and_no_evidence(orders):
    run = opslab.run("orders", language="fr")
    assert run.result() == {
        "schema": "opslab.notebook/1",
        "status": "complete",
        "title": "Orders of all shops",
        "notebook": "orders",
        "as_of": "2026-10-01",
        "inputs": about(run)["inputs"],
    }
    page = run.readout.read_text(encoding="utf-8")
    assert "<title>Orders of all shops</title>" in page
    assert page.count("<h1") == 1
    assert read_run(run.folder).altered is None
    assert ask("catalogue").exit_code == 0
    index = (run.folder.parents[2] / "index.html").read_text(encoding="utf-8")
    assert "Orders of all shops" in index
    assert "Orders of all shops" in ask("share", run.folder).stdout
    packed = ask("bundle", run.folder)
    assert (packed.exit_code, packed.stderr) == (0, "")


def test_the_same_inputs_are_the_same_run(workspace, orders):
    first = opslab.run("orders")
    assert opslab.run("orders").reused
    assert first.remark is None
    (workspace / "data/orders.csv").write_text(DATA + "west,9\n", encoding="utf-8")
    second = opslab.run("orders")
    assert not second.reused
    assert second.folder != first.folder
    assert opslab.run("orders", least=3).folder not in {first.folder, second.folder}


def test_what_else_it_reads_is_seen(workspace):
    """The helper is imported, the table opened: neither is declared, and neither passes unseen."""
    (workspace / "shops.py").write_text("NAMES = ['north']\n", encoding="utf-8")
    (workspace / "data/more.csv").write_text(DATA, encoding="utf-8")
    source = f"open('data/more.csv').close()\nimport shops\n{LOOK}"
    write(workspace / "orders.ipynb", markdown("# Orders"), code(source))
    run = opslab.run("orders")
    assert set(about(run)["also_read"]) == {"data/more.csv", "shops.py"}
    assert opslab.run("orders").reused
    (workspace / "data/more.csv").write_text("other\n", encoding="utf-8")
    again = opslab.run("orders")
    assert (again.reused, again.folder, again.altered) == (False, run.folder, "data/more.csv")


def test_a_batch_hears_what_its_notebooks_read_and_finds_the_modules_beside(workspace):
    """Its kernels are forked where that works: they listen too, and start beside the notebook."""
    (workspace / "weekly").mkdir()
    (workspace / "weekly/shops.py").write_text("NAMES = ['north']\n", encoding="utf-8")
    (workspace / "data/more.csv").write_text(DATA, encoding="utf-8")
    source = f"import shops\nopen('data/more.csv').close()\n{LOOK}"
    write(workspace / "weekly/orders.ipynb", markdown("# Orders"), code(source))
    plan = "batch: mine\nruns:\n  - {name: o, notebook: orders}\n"
    (workspace / "plan.yaml").write_text(plan, encoding="utf-8")
    done = ask("batch", "plan.yaml", "--jobs", "1")
    assert done.exit_code == 0, done.output
    run = opslab.run("orders")
    assert run.reused
    assert set(about(run)["also_read"]) == {"data/more.csv", "weekly/shops.py"}
    (workspace / "data/more.csv").write_text("other\n", encoding="utf-8")
    assert not opslab.run("orders").reused


@pytest.mark.parametrize(
    ("parameters", "source", "remark"),
    [
        ('as_of = "2026-10-01"', "x = 1", "runs.again_inputs"),
        ('inputs = ""\nas_of = "2026-10-01"', "x = 1", "runs.again_inputs"),
        (CELL, "import duckdb", "runs.again_unheard"),
        (CELL, "!cat data/orders.csv", "runs.again_unheard"),
        (CELL, "from pathlib import Path\n[*Path('data').glob('*')]", "runs.again_unheard"),
        (CELL, "open('/dev/null').close()", "runs.again_unheard"),
        (CELL, "import sqlite3", "runs.again_unheard"),
        (CELL, "import shops", "runs.again_unheard"),
    ],
)
def test_what_cannot_be_known_is_run_anew_and_told(workspace, parameters, source, remark):
    (workspace / "shops.py").write_text("import duckdb\n", encoding="utf-8")
    write(workspace / "mine.ipynb", markdown("# Mine"), code(source), parameters=parameters)
    assert opslab.run("mine").remark == remark
    done = ask("run", "mine")
    assert done.exit_code == 0
    assert "each command runs it anew.\n" in done.stdout
    assert "there already" not in done.stdout
    assert "anew" not in ask("run", "mine", "--quiet").output


def test_the_day_is_never_todays_in_silence(workspace):
    write(workspace / "mine.ipynb", markdown("# Mine"), parameters="least = 1")
    done = ask("run", "mine")
    assert done.exit_code == 2
    assert done.stderr.startswith("as_of: Give the day")
    assert opslab.run("mine", as_of="2026-09-30").folder.name.startswith("2026-09-30-")


def test_mistakes_are_all_told_before_a_kernel_starts(orders):
    given = {"leest": 1, "share": "much", "strict": "maybe", "language": "de", "as_of": "soon"}
    arguments = [item for pair in given.items() for item in ("-p", "{}={}".format(*pair))]
    done = ask("run", "orders", *arguments)
    assert done.exit_code == 2
    assert "There is no parameter leest; did you mean least?" in done.stderr
    for name in ("share", "strict", "language", "as_of"):
        assert f"\n{name}: " in f"\n{done.stderr}", name


def test_what_stands_wrong_in_the_cell_is_told_by_its_name(workspace):
    source = 'language = "de"\nas_of = "01/10/2026"'
    write(workspace / "mine.ipynb", markdown("# Mine"), parameters=source)
    said = ask("run", "mine").stderr
    assert "language: " in said
    assert "as_of: " in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "data/ordres.csv",
            "data/ordres.csv: This file, which `inputs` names, is not there; did you",
        ),
        ("data", "data: This file, which `inputs` names, is not there"),
        ("../away.csv", "../away.csv: This file, which `inputs` names, is not there"),
        ("data/orders.csv,nowhere/x\x00", "is not there"),
    ],
)
def test_a_missing_input_is_told_by_name(orders, given, said):
    done = ask("run", "orders", "-p", f"inputs={given}")
    assert done.exit_code == 2
    assert said in done.stderr


def test_an_input_outside_the_workspace_counts_too(workspace, orders, tmp_path):
    (tmp_path / "away.csv").write_text(DATA, encoding="utf-8")
    first = opslab.run("orders", inputs=["../away.csv"])
    assert about(first)["inputs"][0]["file"] == "away.csv", "whose folder is nobody's business"
    (tmp_path / "away.csv").write_text(DATA + "x,1\n", encoding="utf-8")
    assert opslab.run("orders", inputs=["../away.csv"]).folder != first.folder


def test_a_plan_and_a_file_of_parameters_can_name_it(workspace, orders):
    (workspace / "values.yaml").write_text("least: 4\nshops: [west]\n", encoding="utf-8")
    assert ask("run", "orders", "--params", "values.yaml").exit_code == 0
    plan = "batch: mine\nruns:\n  - {name: o, notebook: orders, params: {least: [1, 4]}}\n"
    (workspace / "plan.yaml").write_text(plan, encoding="utf-8")
    done = ask("batch", "plan.yaml", "--jobs", "1")
    assert done.exit_code == 0, done.output
    assert "mine: 2 done." in done.stdout
    (workspace / "plan.yaml").write_text(plan.replace("least", "leest"), encoding="utf-8")
    assert "did you mean least?" in ask("batch", "plan.yaml").stderr


# Its errors are its author's


def test_an_error_in_it_is_its_authors(workspace):
    (workspace / "shops.py").write_text(
        "def largest(table):\n    rows = table\n    return rows['oders'].max()\n", encoding="utf-8"
    )
    source = f"\n# the largest shop\n{LOOK}import shops\nshops.largest(orders)"
    write(workspace / "mine.ipynb", markdown("# Mine"), code("x = 1"), code(source))
    done = ask("run", "mine")
    assert done.exit_code == 2
    error, *frames = done.stderr.splitlines()
    assert error == "Cell 3 (# the largest shop) stopped with an error (KeyError): 'oders'"
    assert frames[:-1] == [
        "line 6: shops.largest(orders)",
        "shops.py, line 3: return rows['oders'].max()",
    ]
    (failed,) = workspace.glob("reports/mine/mine/*.failed")
    assert frames[-1] == f"What the run got: {failed}"
    page = (failed / "failure.html").read_text(encoding="utf-8")
    assert "Cell 3 (# the largest shop) stopped" in page
    assert "shops.py, line 3" in page
    assert "site-packages" not in page
    assert page.count("<h2>Mine") + page.count("<h1>Mine") == 0, "the title stands above, once"
    assert page.count("<h1>") == 1
    assert "<dd></dd>" not in page
    french = ask("run", "mine", "-p", "language=fr").stderr
    assert french.startswith("La cellule 3 (# the largest shop) s'est arrêtée sur une erreur")
    assert "\nligne 6\xa0: shops" in french


def test_a_long_way_down_is_told_in_ten_lines(workspace):
    source = "def down(n):\n    return 1 / n if n < 1 else down(n - 1)\n\ndown(30)"
    write(workspace / "mine.ipynb", markdown("# Mine"), code(source))
    lines = ask("run", "mine").stderr.splitlines()
    assert 3 <= len(lines) <= 10
    assert lines[0].endswith("(ZeroDivisionError): division by zero")
    assert lines[-2] == "line 2: return 1 / n if n < 1 else down(n - 1)"


def test_what_opslab_refuses_in_it_speaks_for_itself(workspace):
    source = "from opslab import experiments\nexperiments.Experiment.load('nowhere.yaml')"
    write(workspace / "mine.ipynb", markdown("# Mine"), code(source))
    done = ask("run", "mine")
    assert done.exit_code == 2
    assert done.stderr.startswith("nowhere.yaml: ")


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("x = = 1", 2, "Cell 2 (x = = 1) stopped with an error (SyntaxError)"),
        (
            "import sys; sys.exit(0)",
            4,
            "The notebook stopped in the cell 2 (import sys; sys.exit(0))",
        ),
        ("import os; os._exit(1)", 4, "The kernel died in the cell 2 (import os; os._exit(1))"),
    ],
)
def test_other_ends_name_the_cell_too(workspace, source, code, said):
    write(workspace / "mine.ipynb", markdown("# Mine"), globals()["code"](source))
    done = ask("run", "mine")
    assert done.exit_code == code
    assert done.stderr.startswith(said)


# It is rendered


def executed(file, folder):
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def test_rendered_it_is_the_run_that_opslab_makes(workspace, orders, tmp_path):
    run = opslab.run("orders", out="ran")
    notebook = executed(orders, workspace)
    nbformat.write(notebook, orders)
    done = ask("render", "weekly/orders.ipynb")
    assert (done.exit_code, done.stderr) == (0, "")
    (folder,) = (workspace / "reports/orders/orders").iterdir()
    assert folder.name == run.folder.name
    for name in ("notebook.ipynb", "result.json"):
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes()
    again = opslab.run("orders")
    assert not again.reused, "what another program has executed gives way"


def test_what_papermill_saved_elsewhere_knows_its_name(workspace, orders, tmp_path):
    notebook = executed(orders, workspace)
    notebook.metadata["papermill"] = {"input_path": "weekly/orders.ipynb"}
    nbformat.write(notebook, tmp_path / "output-17.ipynb")
    done = ask("render", tmp_path / "output-17.ipynb")
    assert (done.exit_code, done.stderr) == (0, "")
    assert (workspace / "reports/orders/orders").is_dir()


def test_one_with_an_error_or_a_cell_not_run_is_refused(workspace, orders):
    notebook = executed(orders, workspace)
    notebook.cells[2].execution_count = None
    nbformat.write(notebook, orders)
    assert "were not run once each" in ask("render", orders).stderr
    assert not (workspace / "reports").exists()


def test_one_that_takes_the_name_of_ours_is_refused(workspace, tmp_path):
    file = write(workspace / "time_saved.ipynb", markdown("# Mine"))
    nbformat.write(executed(file, workspace), file)
    assert "is not opslab's time_saved" in ask("render", file).stderr


# With a result of ours it is evidence


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("own") / "workspace")


def test_with_a_result_of_ours_it_is_evidence_as_usual(sample, monkeypatch):
    monkeypatch.chdir(sample)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    source = """from opslab import experiments, report
experiment = experiments.Experiment.load(spec)
result = experiments.analyze(experiment)
report.publish(result)"""
    parameters = 'spec = "data/sample/checkout.yaml"\nas_of = "2026-10-01"'
    file = write(sample / "mine.ipynb", markdown("# Mine"), code(source), parameters=parameters)
    run = opslab.run("mine")
    assert run.result()["schema"].startswith("opslab.experiment")
    assert run.result()["evidence"]
    assert about(run)["own"] is True
    assert "its cells are not those of opslab" in run.readout.read_text(encoding="utf-8")
    assert run.remark == "runs.again_inputs"
    assert {"data/sample/checkout.yaml", "data/sample/checkout.csv"} <= set(about(run)["also_read"])
    nbformat.write(executed(file, sample), file)
    done = ask("render", file, "--out", "rendered")
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_record_that_is_none_is_refused(workspace):
    source = """from IPython.display import display
display({"application/vnd.opslab.result+json": {"status": "good"}}, raw=True)"""
    write(workspace / "mine.ipynb", markdown("# Mine"), code(source))
    with pytest.raises(InputError, match="without publishing a result"):
        opslab.run("mine")
    assert not list(workspace.glob("reports/mine/mine/*"))


def test_what_ours_cannot_do_stays_our_defect(sample, monkeypatch):
    """The same error is ours in our own cells, and the user's in a copy that was changed."""
    monkeypatch.chdir(sample)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    path = sample / "notebooks/time_saved.ipynb"
    broken = nbformat.read(path, as_version=4)
    broken.cells[3].source = "1 / 0"
    before = path.read_bytes()
    nbformat.write(broken, path)
    with pytest.raises(NotebookError) as mine:
        opslab.run("time_saved")
    assert mine.value.exit_code == 2
    assert "Cell 3 (1 / 0) stopped" in str(mine.value)
    path.write_bytes(before)
    monkeypatch.setattr(registry.workspace, "bundled", lambda name: sample / name)
    nbformat.write(broken, path)
    with pytest.raises(NotebookError) as ours:
        opslab.run("time_saved")
    assert ours.value.exit_code == 1
    path.write_bytes(before)
