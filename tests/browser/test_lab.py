"""Every notebook opened in JupyterLab and run from top to bottom, as an analyst does it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

import opslab
from conftest import make_workspace
from opslab.evidence import RECORD_TYPE
from opslab.runs.executed_notebook import file_executed, read_executed
from opslab.runs.registry import notebooks

pytestmark = pytest.mark.slow
TOKEN = secrets.token_hex(16)
SECONDS = 180  # until a test gives up
WAIT = 1_000 * SECONDS  # milliseconds
ERROR = "[data-mime-type='application/vnd.jupyter.error']"
STDERR = "[data-mime-type='application/vnd.jupyter.stderr']"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("lab") / "workspace")


@pytest.fixture(scope="module")
def lab(workspace, tmp_path_factory, browser):
    if find_spec("jupyterlab") is None:
        pytest.skip("no JupyterLab: install the extra lab")
    own = tmp_path_factory.mktemp("jupyter")
    folders = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    environment = os.environ | {
        f"JUPYTER_{name}_DIR": str(own / folder) for name, folder in folders.items()
    }
    environment |= {"IPYTHONDIR": str(own / "ipython"), "HOME": str(own)}
    environment.pop("OPSLAB_WORKSPACE", None)
    news = {"@jupyterlab/apputils-extension:announcements": True}  # it would ask for news
    _write(own / "config/labconfig/page_config.json", {"disabledExtensions": news})
    tracker = "config/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    _write(
        own / tracker, {"windowingMode": "none"}
    )  # every cell in the page, not only those in sight
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "opslab.cli",
        "lab",
        "--port",
        str(port),
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--IdentityProvider.token={TOKEN}",
        "--ServerApp.port_retries=0",
        "--allow-root",
    ]
    with (own / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, cwd=workspace, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api/status?token={TOKEN}", server, own / "log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


@pytest.mark.skipif(os.name != "posix", reason="ends the server by its process group")
@pytest.mark.parametrize("name", list(notebooks()))
def test_a_notebook_runs_in_jupyterlab(lab, workspace, browser, monkeypatch, name):
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    try:
        page.goto(f"{lab}/lab/tree/notebooks/{name}.ipynb?token={TOKEN}&reset")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=WAIT)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=WAIT)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        code = page.locator(".jp-NotebookPanel .jp-CodeCell")
        page.wait_for_function(
            # It asks which kernel is meant when it is not ready yet.
            "error => { document.querySelector('.jp-Dialog .jp-mod-accept')?.click(); return document.querySelector(error) || "
            "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(one => /\\d/.test(one.textContent)) }",
            arg=ERROR,
            timeout=WAIT,
        )
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=WAIT)
        assert code.count() > 5
        assert page.locator(f"{ERROR}, {STDERR}").all_inner_texts() == []
        figures = page.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg")
        assert figures.count() >= 1
        assert figures.first.evaluate("one => one.getBoundingClientRect().width") > 300
        assert page.locator(".jp-OutputArea-output .verdict .action").last.inner_text()
        page.keyboard.press("Control+s")
        path = workspace / "notebooks" / f"{name}.ipynb"
        saved = _saved(path)
    finally:
        page.close()
    outputs = [one for cell in saved["cells"] for one in cell.get("outputs", [])]
    records = [one["data"][RECORD_TYPE] for one in outputs if RECORD_TYPE in one.get("data", {})]
    assert len(records) == 1
    assert records[0]["status"] == "complete"
    assert not [one for one in outputs if one["output_type"] in ("error", "stream")]
    _is_the_page_of_a_run(path, name, workspace, monkeypatch)


def _saved(path: Path) -> dict:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(json.JSONDecodeError):  # it is being written
            notebook = json.loads(path.read_text(encoding="utf-8"))
            if any(cell.get("outputs") for cell in notebook["cells"]):
                return notebook
        time.sleep(0.2)
    return pytest.fail("JupyterLab did not save the notebook")


def _is_the_page_of_a_run(path: Path, name: str, workspace: Path, monkeypatch) -> None:
    """What JupyterLab saved becomes the page that a run gives, but for who has run it."""
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    kept = path.rename(workspace / "executed.ipynb")
    (workspace / "notebooks" / f"{name}.ipynb").write_bytes(
        (Path(__file__).parents[2] / "notebooks" / f"{name}.ipynb").read_bytes()
    )
    # Folders of their own: a case cites the runs that stand where it is filed.
    rendered = file_executed(read_executed(kept), f"rendered-{name}")
    ran = opslab.run(name, out=f"ran-{name}")
    said = "<div><dt>Run by</dt><dd>another program, and filed by opslab</dd></div>\n"
    for file in ("readout.html", "notebook.ipynb", "result.json"):
        page, expected = ((run.folder / file).read_text("utf-8") for run in (rendered, ran))
        assert page.count(said) == (file == "readout.html")
        assert page.replace(said, "") == expected, file
