"""How runs end: exit code, what stands in the folder, what is said."""

from __future__ import annotations

import contextlib
import errno
import html
import json
import os
import pickle
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from conftest import first_quickly
from opslab.cli import main
from opslab.errors import Problem
from opslab.runs.failure import NotebookError


def notebook(folder, *sources):
    cells = [
        new_code_cell(
            'spec = "data/sample/checkout.yaml"\nas_of = ""\nlanguage = "en"',
            metadata={"tags": ["parameters"]},
        )
    ]
    cells += [new_code_cell(source, id=f"c{place}") for place, source in enumerate(sources)]
    path = folder / "notebooks" / "experiment_readout.ipynb"
    nbformat.write(
        new_notebook(
            cells=cells,
            metadata={
                "kernelspec": {"name": "python3", "display_name": "", "language": "python"},
                "opslab": {"notebook": "experiment_readout"},
            },
        ),
        path,
    )


def opslab(*arguments):
    return CliRunner().invoke(main, [*arguments])


def run(*arguments):
    return opslab("run", "experiment_readout", *arguments)


SECONDS = 180  # until a test gives up
FAIL = "from opslab.errors import DataError, Problem\nraise DataError(Problem('tables.empty_file', {}, 'x.csv'), Problem('tables.folder', {}, 'y'))"

OUTCOMES = {
    "a mistake in the data": (
        [FAIL],
        [],
        2,
        "x.csv: The file is empty; export it again.\ny: This is a folder; name one file.\n",
    ),
    "a failing cell": (
        ["a = 1", "1 / 0", "2"],
        [],
        2,
        "Cell 3 (1 / 0) stopped with an error (ZeroDivisionError): division by zero\nline 1: 1 / 0\n",
    ),
    "a dead kernel": (
        [
            "import os, sys\nsys.__stderr__.write('Out of memory'); sys.__stderr__.flush(); os._exit(9)",
            "1",
        ],
        [],
        4,
        "The kernel died in the cell 2 (import os, sys), most often because memory ran out. Its last words: Out of memory\n",
    ),
    "a cell that takes too long": (
        ["import time\ntime.sleep(600)"],
        ["--cell-timeout", "5"],  # as long as the cell before it may take on a busy machine
        4,
        "Cell 2 (import time) took longer than a cell may; give it more time with --cell-timeout, or less data.\n",
    ),
    "a run that takes too long": (
        ["1", "import pathlib, time\npathlib.Path('at work').touch()\ntime.sleep(600)"],
        ["--timeout", "4"],
        4,
        "The run took longer than it may and was ended in the cell 3 (import pathlib, time); give it more time with --timeout, or less data.\n",
    ),
    "leaving early": (
        ["import sys\nsys.exit(0)", "print('not reached')"],
        [],
        4,
        "The notebook stopped in the cell 2 (import sys), before its end, so there is no complete readout.\n",
    ),
    "no result": (["1 + 1"], [], 2, "The notebook ran to its end without publishing a result.\n"),
}


@pytest.mark.parametrize(
    ("sources", "options", "code", "said"),
    [
        pytest.param(*values, id=name, marks=[pytest.mark.slow] * ("--cell-timeout" in values[1]))
        for name, values in OUTCOMES.items()
    ],
)
def test_a_failed_run_says_so_and_keeps_what_it_got(
    workspace_folder, monkeypatch, sources, options, code, said
):
    class AtWork(threading.Timer):
        """Ends the run once its cell is at work, however long a busy machine takes to get there."""

        def run(self):
            until((workspace_folder / "at work").exists)
            self.function(*self.args)

    monkeypatch.setattr("opslab.runs.execution.threading.Timer", AtWork)
    notebook(workspace_folder, *sources)
    done = run(*options)
    assert done.exit_code == code
    parent = workspace_folder / "reports/experiment_readout/checkout-button"
    (failed,) = parent.iterdir()
    assert done.stderr == f"{said}What the run got: {failed}\n"
    assert failed.name.endswith(".failed")
    assert {path.name for path in failed.iterdir()} == {
        "failure.html",
        "notebook.ipynb",
        "run.json",
    }
    told = json.loads((failed / "run.json").read_text(encoding="utf-8"))
    assert (told["status"], told["exit_code"], told["headline"]) == ("failed", code, said.strip())
    page = (failed / "failure.html").read_text(encoding="utf-8")
    assert (
        page.index("This run failed")
        < page.index(html.escape(said.splitlines()[0]))
        < page.index("<details")
    )
    assert "Traceback" not in page + done.output


@pytest.mark.slow
def test_the_last_good_run_stays_when_the_next_one_fails(workspace_folder, monkeypatch):
    good = run()
    assert good.exit_code == 0
    (folder,) = (workspace_folder / "reports/experiment_readout/checkout-button").iterdir()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with monkeypatch.context() as patch:
        at_once = partial(threading.Timer, 0)
        patch.setattr("opslab.runs.execution.threading.Timer", lambda _, *end: at_once(*end))
        assert run("--force", "--timeout", "60").exit_code == 4
    names = sorted(path.name for path in folder.parent.iterdir())
    assert names == [folder.name, f"{folder.name}.failed"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert run().stdout.endswith("(there already, nothing to do)\n")
    assert run("--force").exit_code == 0
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], (
        "a good run clears the failed one away"
    )


@pytest.mark.parametrize("number", first_quickly(signal.SIGTERM, signal.SIGINT))
def test_an_interrupted_run_leaves_no_kernel_behind(workspace_folder, number):
    mark = workspace_folder / "kernel.pid"
    notebook(
        workspace_folder,
        f"import os, time, pathlib\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\ntime.sleep(600)",
    )
    command = [sys.executable, "-m", "opslab.cli", "run", "experiment_readout"]
    process = subprocess.Popen(command, cwd=workspace_folder, stderr=subprocess.PIPE, text=True)
    until(lambda: mark.exists() and mark.read_text())
    process.send_signal(number)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 4
    assert said.startswith("The run was interrupted in the cell 2 (")
    assert "Traceback" not in said
    until(lambda: not alive(int(mark.read_text())))
    (failed,) = (workspace_folder / "reports/experiment_readout/checkout-button").iterdir()
    assert failed.name.endswith(".failed")


def test_the_same_run_twice_at_once_is_refused(workspace_folder):
    notebook(workspace_folder, "import time\ntime.sleep(600)")
    command = [sys.executable, "-m", "opslab.cli", "run", "experiment_readout"]
    process = subprocess.Popen(command, cwd=workspace_folder, stderr=subprocess.DEVNULL)
    try:
        until(lambda: list((workspace_folder / "reports").glob("*/*/.*")))
        second = run()
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)
    assert second.exit_code == 5
    assert "The same run is under way in another process" in second.stderr


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing_half_written(workspace_folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "readout.html")

    monkeypatch.setattr("opslab.runs.readout.file_away", full)
    done = run()
    assert done.exit_code == 5
    assert (
        done.stderr
        == "readout.html: The machine refused: No space left on device; check the disk, the permissions and the path.\n"
    )
    assert not list((workspace_folder / "reports").glob("*/*/*"))


def test_a_mistake_of_ours_is_told_as_ours(workspace_folder, monkeypatch):
    """Neither the notebook nor the disk nor the kernel is to blame for it."""

    def mistaken(*_, **__):
        raise mistake

    notebook(workspace_folder, "1 / 0")
    for where, mistake in (
        ("job.environment", KeyError("name")),
        ("readout.render", FileNotFoundError(2, "No such file", "template")),
        ("readout.normal_form", TypeError("wrong")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"opslab.runs.{where}", mistaken)
            done = run()
        assert done.exit_code == 1
        assert done.stderr.startswith(f"This is a defect of opslab: {type(mistake).__name__}: ")
        assert not list((workspace_folder / "reports").glob("*/*/*"))


@pytest.mark.parametrize("living", [True, False])
def test_a_dead_kernel_is_told_and_a_mistake_beside_a_living_one_is_ours(
    workspace_folder, monkeypatch, living
):
    from opslab.runs import execution

    def execute_notebook(*_, **__):
        raise RuntimeError("Kernel died before replying to kernel_info")

    notebook(workspace_folder, "1")
    monkeypatch.setattr(execution.papermill, "execute_notebook", execute_notebook)
    monkeypatch.setattr(execution._Kernel, "alive", lambda _: living)
    done = run()
    assert done.exit_code == (1 if living else 4)
    assert ("This is a defect of opslab: RuntimeError" in done.stderr) == living
    assert ("The kernel died in the cell -, " in done.stderr) != living


def test_a_kernel_that_died_on_a_full_disk_is_the_disks(workspace_folder, monkeypatch):
    from opslab.runs import execution

    def execute_notebook(*_, **__):
        raise RuntimeError("Kernel died before replying to kernel_info")

    notebook(workspace_folder, "1")
    monkeypatch.setattr(execution.papermill, "execute_notebook", execute_notebook)
    monkeypatch.setattr(execution, "_LEAST_BYTES", float("inf"))
    done = run()
    assert done.exit_code == 5
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", '{"cells": [1]}', "\x00"])
def test_a_notebook_that_is_none_is_to_be_restored(workspace_folder, content):
    path = workspace_folder / "notebooks" / "experiment_readout.ipynb"
    path.write_text(content, encoding="utf-8")
    done = run()
    assert done.exit_code == 2
    assert "This is not a notebook as JupyterLab or papermill saves it" in done.stderr
    assert not list((workspace_folder / "reports").glob("*/*/*"))


def test_a_notebook_without_parameters_is_refused(workspace_folder):
    path = workspace_folder / "notebooks" / "experiment_readout.ipynb"
    path.write_text('{"cells": []}', encoding="utf-8")
    assert "one cell tagged parameters" in run().stderr


def test_a_notebook_of_a_format_without_ids_runs(workspace_folder):
    notebook(workspace_folder, "1 / 0")
    path = workspace_folder / "notebooks" / "experiment_readout.ipynb"
    old = json.loads(path.read_text(encoding="utf-8")) | {"nbformat_minor": 4}
    for cell in old["cells"]:
        del cell["id"]
    path.write_text(json.dumps(old), encoding="utf-8")
    assert "Cell 2 (1 / 0) stopped with an error (ZeroDivisionError)" in run().stderr


def test_an_error_keeps_all_it_tells_across_processes(tmp_path):
    error = NotebookError(Problem("runs.no_record"), exit_code=3, folder=tmp_path)
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.exit_code, copied.folder, str(copied)) == (3, tmp_path, str(error))
    assert str(error).endswith(f"What the run got: {tmp_path}")


def until(true):
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_red_check_is_a_whole_readout_with_exit_code_3_also_when_reused(workspace_folder):
    first = run("-p", "spec=data/sample/search_ranking.yaml")
    assert first.exit_code == 3
    assert "\nThe arms do not have their planned shares: old has 2,639 units" in first.stdout
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
        (
            ["-p", "spec"],
            "spec is not of the form NAME=VALUE; write for example spec=my-experiment.yaml.",
        ),
        (["-p", "spec=a", "-p", "spec=b"], "spec is given twice; keep one of the two."),
        (
            ["-p", "spec=data/sample/chekout.yaml"],
            "data/sample/chekout.yaml: This spec is not there; did you mean checkout.yaml?",
        ),
        (["--params", "none.yaml"], "none.yaml: This spec is not there"),
        (["-p", "spec=sequential.yaml"], "design: The design always_valid also needs units"),
    ],
)
def test_usage_is_corrected_before_a_kernel_starts(workspace_folder, arguments, said):
    plan = (workspace_folder / "data/sample/checkout.yaml").read_text(encoding="utf-8")
    plan = plan.replace("method: fixed", "method: always_valid").replace(
        "checkout.csv", "data/sample/checkout.csv"
    )
    (workspace_folder / "sequential.yaml").write_text(plan, encoding="utf-8")
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


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="no folder that even root cannot write"
)
def test_a_folder_without_permission_is_exit_code_5(workspace_folder):
    done = run("--out", "/sys/kernel/opslab")
    assert done.exit_code == 5
    assert re.fullmatch(
        r"/sys/kernel/opslab\S*: The machine refused: [^;]+; check the disk, .*\n", done.stderr
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_sees_the_cell_at_work_on_one_line(workspace_folder, quiet):
    import pty

    notebook(workspace_folder, "1", "2")
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "opslab.cli",
        "run",
        "experiment_readout",
        *(["--quiet"] if quiet else []),
    ]
    with subprocess.Popen(
        command, cwd=workspace_folder, stderr=theirs, stdout=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while piece := os.read(ours, 4096):
                seen += piece
        process.wait(timeout=SECONDS)
    os.close(ours)
    progress = b"\r\x1b[2Kexperiment_readout: cell 2 of 3, c0\r\x1b[2Kexperiment_readout: cell 3 of 3, c1\r\x1b[2K"
    assert (progress in seen) != quiet
    assert b"The notebook ran to its end without publishing a result." in seen


def test_parameters_from_a_file_give_way_to_the_command_line(workspace_folder):
    (workspace_folder / "given.yaml").write_text(
        "spec: data/sample/nothing.yaml\nlanguage: fr\n", encoding="utf-8"
    )
    done = run("--params", "given.yaml", "-p", "spec=data/sample/chekout.yaml")
    assert done.stderr.startswith(
        "data/sample/chekout.yaml\u00a0: Cette spécification est introuvable\u00a0; vouliez-vous dire"
    )


def test_braces_and_odd_names_in_the_output_path_stay_text(workspace_folder):
    notebook(workspace_folder, "1 / 0")
    out = workspace_folder / "re{x.__class__}ports '$(touch gone)'"
    assert run("--out", str(out)).exit_code == 2
    assert out.is_dir()
    assert not (workspace_folder / "gone").exists()


def test_readouts_keep_the_permissions_of_their_user(workspace_folder):
    notebook(workspace_folder, "1 / 0")
    run()
    (failed,) = (workspace_folder / "reports/experiment_readout/checkout-button").iterdir()
    assert stat.S_IMODE(failed.stat().st_mode) & 0o700 == 0o700
    assert stat.S_IMODE(failed.stat().st_mode) == stat.S_IMODE(
        (workspace_folder / "data").stat().st_mode
    )
