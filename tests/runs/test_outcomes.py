"""How runs end: exit code, what stands in the folder, what is said."""

from __future__ import annotations

import json
import stat

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from opslab.cli import main


def notebook(folder, *sources):
    cells = [
        new_code_cell(
            'spec = "data/sample/checkout.yaml"\nas_of = ""\nlanguage = "en"',
            metadata={"tags": ["parameters"]},
        )
    ]
    cells += [new_code_cell(source) for source in sources]
    path = folder / "notebooks" / "experiment_readout.ipynb"
    nbformat.write(
        new_notebook(
            cells=cells,
            metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
        ),
        path,
    )


def opslab(*arguments):
    return CliRunner().invoke(main, [*arguments])


def run(*arguments):
    return opslab("run", "experiment_readout", *arguments)


FAIL = "from opslab.errors import DataError, Problem\nraise DataError(Problem('tables.empty_file', {}, 'x.csv'), Problem('tables.folder', {}, 'y'))"

OUTCOMES = {
    "a mistake in the data": (
        [FAIL],
        2,
        "x.csv: The file is empty; export it again.\ny: This is a folder; name one CSV or Parquet file.\n",
    ),
    "a defect": (["1 / 0"], 1, "The notebook stopped with an error (ZeroDivisionError): division by zero\n"),
    "a dead kernel": (
        ["import os, sys\nsys.__stderr__.write('out of memory'); os._exit(9)"],
        4,
        "The kernel died",
    ),
    "leaving early": (
        ["import sys\nsys.exit(0)", "print('not reached')"],
        4,
        "The notebook left before its last cell",
    ),
    "no result": (["1 + 1"], 1, "The notebook came to its end without publishing a result."),
}


@pytest.mark.parametrize(("sources", "code", "said"), OUTCOMES.values(), ids=OUTCOMES)
def test_a_failed_run_says_so_and_leaves_no_readout(workspace_folder, sources, code, said):
    notebook(workspace_folder, *sources)
    done = run()
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.output
    (failed,) = (workspace_folder / "reports/experiment_readout/checkout-button").iterdir()
    assert failed.name.endswith(".failed")
    assert {path.name for path in failed.iterdir()} == {"notebook.ipynb"}
    assert str(failed) in done.stderr.replace("\n", "")


def test_a_red_check_is_a_whole_readout_with_exit_code_3_also_when_reused(workspace_folder):
    first = run("-p", "spec=data/sample/search_ranking.yaml")
    assert first.exit_code == 3
    assert "A blocking check failed" in first.stdout
    again = run("-p", "spec=data/sample/search_ranking.yaml")
    assert again.exit_code == 3
    assert "there already" in again.stdout
    (folder,) = (workspace_folder / "reports/experiment_readout/search-ranking").iterdir()
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert record["status"] == "check_failed"
    assert record["decision"]["action"] == "stop_broken"
    assert record["evidence"] == []
    assert "search-ranking" in (workspace_folder / "reports/index.html").read_text(encoding="utf-8")


def test_all_mistakes_in_parameters_are_told_at_once(workspace_folder):
    done = run("-p", "spek=x", "-p", "language=de", "-p", "as_of=soon")
    assert done.exit_code == 2
    assert done.stderr == (
        "There is no parameter spek; did you mean spec?\n"
        "as_of: soon must be a date, written YYYY-MM-DD.\n"
        "language: de is not possible here; write en or fr.\n"
    )
    assert not (workspace_folder / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "spec"], "spec is no NAME=VALUE; write it like spec=my-experiment.yaml."),
        (["-p", "spec=a", "-p", "spec=b"], "spec is given twice; keep one of the two."),
        (["-p", "spec=data/sample/chekout.yaml"], "data/sample/chekout.yaml: This spec is not there; did you mean checkout.yaml?"),
        (["--params", "none.yaml"], "none.yaml: This spec is not there"),
        (["-p", "spec=data/sample/onboarding.yaml"], "data.assignments: This is understood, but not computed"),
    ],
)  # fmt: skip
def test_usage_is_corrected_before_a_kernel_starts(workspace_folder, arguments, said):
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (workspace_folder / "reports").exists()


def test_an_unknown_notebook_or_spec(workspace_folder):
    assert "did you mean experiment_readout?" in opslab("run", "experiment_readot").stderr
    assert opslab("schema", "experimnt").exit_code == 2
    assert opslab("describe", "nothing").exit_code == 2


def test_a_folder_that_cannot_be_written_is_exit_code_5(workspace_folder):
    blocked = workspace_folder / "file"
    blocked.write_text("no folder")
    done = run("--out", str(blocked))
    assert done.exit_code == 5
    assert "The machine refused" in done.stderr


def test_parameters_from_a_file_give_way_to_the_command_line(workspace_folder):
    (workspace_folder / "given.yaml").write_text(
        "spec: data/sample/nothing.yaml\nlanguage: fr\n", encoding="utf-8"
    )
    done = run("--params", "given.yaml", "-p", "spec=data/sample/chekout.yaml")
    assert done.stderr.startswith(
        "data/sample/chekout.yaml : Cette spécification est introuvable ; vouliez-vous dire"
    )


def test_braces_and_odd_names_in_the_output_path_stay_text(workspace_folder):
    notebook(workspace_folder, "1 / 0")
    out = workspace_folder / "re{x.__class__}ports '$(touch gone)'"
    assert run("--out", str(out)).exit_code == 1
    assert out.is_dir()
    assert not (workspace_folder / "gone").exists()


def test_readouts_keep_the_permissions_of_their_user(workspace_folder):
    notebook(workspace_folder, "1 / 0")
    run()
    (failed,) = (workspace_folder / "reports/experiment_readout/checkout-button").iterdir()
    assert stat.S_IMODE(failed.stat().st_mode) & 0o700 == 0o700
    assert stat.S_IMODE(failed.stat().st_mode) == stat.S_IMODE((workspace_folder / "data").stat().st_mode)
