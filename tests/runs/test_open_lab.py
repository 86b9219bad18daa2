"""JupyterLab is opened on the workspace, and left alone."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from opslab.cli import main
from opslab.runs import lab


def opslab(*arguments):
    return CliRunner().invoke(main, ["lab", *arguments])


@pytest.fixture
def launched(monkeypatch):
    found = {}

    def launch(command, environment):
        found.update(command=command, environment=environment)
        return found.get("code", 0)

    monkeypatch.setattr(lab, "launch", launch)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    return found


def test_it_opens_on_the_workspace_from_any_folder_in_it(workspace_folder, launched, monkeypatch):
    monkeypatch.chdir(workspace_folder / "data")
    assert (
        opslab(
            "--port", "9999", "--no-browser", "--LabApp.custom_css=True", "--", "--help"
        ).exit_code
        == 0
    )
    python, *rest = launched["command"]
    assert python == sys.executable
    assert rest == [
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={workspace_folder.resolve()}",
        "--LabApp.default_url=/lab/tree/notebooks",
        "--ServerApp.port=9999",
        "--no-browser",
        "--LabApp.custom_css=True",
        "--help",
    ]
    assert launched["environment"]["OPSLAB_WORKSPACE"] == str(workspace_folder.resolve())
    assert launched["environment"]["PATH"] == os.environ["PATH"]


def test_the_users_own_choice_of_kernels_and_a_folder_without_notebooks(
    tmp_path, launched, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    opslab()
    assert launched["command"][1:] == [
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={tmp_path.resolve()}",
    ]
    assert launched["environment"]["JUPYTER_PREFER_ENV_PATH"] == "0"


@pytest.mark.parametrize("code", [0, 1, 130])
def test_its_exit_code_passes_through(launched, code):
    launched["code"] = code
    assert opslab().exit_code == code


def test_without_jupyterlab_one_line_says_how_to_get_it(launched, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    done = opslab()
    assert done.exit_code == 2
    assert (
        done.stderr == 'JupyterLab is not installed; install it with: pip install "opslab[lab]"\n'
    )
    assert not launched


def test_the_launcher_waits_and_tells_how_it_ended():
    def launch(code):
        return lab.launch([sys.executable, "-c", code], {**os.environ, "GIVEN": "7"})

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert launch("import os, sys; sys.exit(int(os.environ['GIVEN']))") == 7
    if os.name == "posix":
        assert launch("import os; os.kill(os.getpid(), 9)") == 137
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_belongs_to_jupyterlab_and_an_end_is_passed_on(tmp_path):
    """Ctrl-C reaches both at once: the program decides, and we wait for what it decides."""
    child = "import os, signal, sys, time; signal.signal(signal.SIGINT, lambda *_: os.write(1, b'asked\\n')); signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); os.write(1, b'ready\\n'); [time.sleep(0.05) for _ in range(400)]"
    parent = f"import os, sys; from opslab.runs.lab import launch; sys.exit(launch([sys.executable, '-c', {child!r}], os.environ))"
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=180) == 5
    process.stdout.close()
