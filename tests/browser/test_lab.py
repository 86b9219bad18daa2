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
from click.testing import CliRunner

import opslab
from conftest import make_workspace
from opslab.cli import main
from opslab.evidence import RECORD_TYPE
from opslab.runs.cells import is_exploration
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


@contextlib.contextmanager
def opened(lab, browser, name):
    """Open a notebook in JupyterLab and run all of its cells, exploration too."""
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    try:
        page.goto(f"{lab}/lab/tree/notebooks/{name}.ipynb?token={TOKEN}&reset")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=WAIT)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=WAIT)
        _run_all(page, "Run All Cells")
        yield page
    finally:
        page.close()


def _run_all(page, item) -> None:
    """Run all cells by an item of the menu, and wait for the last one."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()
    page.wait_for_function(
        # It asks which kernel is meant when it is not ready yet, and whether it may restart it.
        "error => { document.querySelector('.jp-Dialog .jp-mod-accept')?.click(); return document.querySelector(error) || "
        "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(one => /\\d/.test(one.textContent)) }",
        arg=ERROR,
        timeout=WAIT,
    )
    _wait_until_idle(page)
    assert page.locator(f"{ERROR}, {STDERR}").all_inner_texts() == []


def _wait_until_idle(page) -> None:
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=WAIT)


POSIX = pytest.mark.skipif(os.name != "posix", reason="ends the server by its process group")


@POSIX
@pytest.mark.parametrize("name", list(notebooks()))
def test_a_notebook_runs_in_jupyterlab(lab, workspace, browser, monkeypatch, name):
    with opened(lab, browser, name) as page:
        assert page.locator(".jp-NotebookPanel .jp-CodeCell").count() > 5
        figures = page.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg")
        assert figures.count() >= 1
        assert figures.first.evaluate("one => one.getBoundingClientRect().width") > 300
        assert page.locator(".jp-OutputArea-output .verdict .action").last.inner_text()
        page.keyboard.press("Control+s")
        path = workspace / "notebooks" / f"{name}.ipynb"
        saved = _saved(path)
    told = [cell for cell in saved["cells"] if not is_exploration(cell)]
    assert len(told) < len(saved["cells"]) - 4
    outputs = [one for cell in told for one in cell.get("outputs", [])]
    records = [one["data"][RECORD_TYPE] for one in outputs if RECORD_TYPE in one.get("data", {})]
    assert len(records) == 1
    assert records[0]["status"] == "complete"
    assert not [one for one in outputs if one["output_type"] in ("error", "stream")]
    _is_the_page_of_a_run(path, name, workspace, monkeypatch)


ASKED = {
    "experiment_readout": (
        """import pandas as pd

rows = pd.read_csv("data/sample/checkout.csv")
rows["customer"] = rows["revenue_before"] > 0
experiments.analyze(experiment, rows).by("customer")""",
        "by customer",
    ),
    "feedback_themes": ('result.by("language")', "by language"),
    "time_saved": ('result.without("prepare a launch")', "prepare a launch"),
    "business_case": ('result.without("Faster product decisions")', "Faster product decisions"),
}
"""What is typed into the first cell that asks, and what its answer says of itself."""
PLOT = """import seaborn as sns

from opslab import report

report.style()
axes = sns.histplot(result.frame().select_dtypes("number").iloc[:, 0])
report.figure(axes, alt="A plot of my own <script>alert(1)</script>")"""


@POSIX
@pytest.mark.parametrize("name", list(ASKED))
def test_an_analyst_asks_further_and_adds_a_plot(lab, workspace, browser, monkeypatch, name):
    """The answer is marked; the notebook as it was saved becomes a run's folder with the plot."""
    path = workspace / "notebooks" / f"{name}.ipynb"
    before = path.read_bytes()
    ids = [cell["id"] for cell in json.loads(before)["cells"]]
    publishes = ids.index("publish")
    asks = 1 + next(at for at, name in enumerate(ids) if name.startswith("ask-"))  # below the plot
    source, said = ASKED[name]
    with opened(lab, browser, name) as page:
        cells = page.locator(".jp-NotebookPanel .jp-Cell")
        cells.nth(publishes).locator(".jp-InputPrompt").first.click()
        page.keyboard.press("b")  # a cell below
        page.keyboard.press("Enter")
        page.keyboard.insert_text(PLOT)
        _run_all(page, "Restart Kernel and Run All Cells…")
        plot = cells.nth(publishes + 1).locator(".jp-OutputArea-output")
        assert plot.locator("img, svg").first.is_visible()
        cells.nth(asks).locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(source)
        page.keyboard.press("Control+Enter")
        answer = cells.nth(asks).locator(".jp-OutputArea-output").get_by_text(said)
        answer.first.wait_for(timeout=WAIT)
        _wait_until_idle(page)
        assert "Exploratory, not in the plan" in answer.first.inner_text()
        assert page.locator(f"{ERROR}, {STDERR}").all_inner_texts() == []
        page.keyboard.press("Control+s")
        _saved(path, said)
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    rendered = CliRunner().invoke(main, ["render", str(path), "--out", f"asked-{name}"])
    path.write_bytes(before)
    assert rendered.exit_code == 0, rendered.output
    [folder] = (workspace / f"asked-{name}" / name).glob("*/*")
    html = (folder / "readout.html").read_text("utf-8")
    assert "A plot of my own &lt;script&gt;" in html
    assert "<script" not in html
    assert "Exploratory, not in the plan" not in html
    assert "exploratory" not in json.loads((folder / "result.json").read_text("utf-8"))


def _saved(path: Path, words: str = "") -> dict:
    """Return the notebook once its file has outputs, these words in them, and stays as it is."""
    until, before = time.monotonic() + SECONDS, b""
    while time.monotonic() < until:
        time.sleep(0.5)
        content, last = path.read_bytes(), before
        before = content
        with contextlib.suppress(json.JSONDecodeError):  # it is being written
            notebook = json.loads(content)
            shown = [cell["outputs"] for cell in notebook["cells"] if cell.get("outputs")]
            if content == last and shown and words in json.dumps(shown, ensure_ascii=False):
                return notebook
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
