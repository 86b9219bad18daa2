"""What the tests share: the repository's root, a workspace of their own, a browser."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from scipy import stats

from opslab.runs.signals import ENDING

# No property is timed: a machine may be busy. The quick run tries the same examples each time.
settings.register_profile("long", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20, derandomize=True)
settings.load_profile("quick")

ROOT = Path(__file__).parents[1]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these a fresh Chromium looks up its maker's hosts by itself.
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def first_quickly(*values):
    """Give the values of a parameter: the first in every run of the tests, the rest in the long one."""
    return [values[0], *(pytest.param(value, marks=pytest.mark.slow) for value in values[1:])]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(autouse=True)
def signals_as_before():
    """A test that leaves a signal ignored makes every process deaf that a later one starts."""
    before = [signal.getsignal(number) for number in ENDING]
    yield
    after = [signal.getsignal(number) for number in ENDING]
    for number, handler in zip(ENDING, before, strict=True):
        signal.signal(number, handler)
    assert after == before, "call the command by CliRunner, or in a process of its own"


@pytest.fixture
def workspace_folder(tmp_path, monkeypatch):
    """Make a workspace with the sample data and go there."""
    folder = make_workspace(tmp_path / "workspace")
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(folder)
    return folder


def make_workspace(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "opslab.toml").touch()
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    return folder


def page_of(result, language: str) -> str:
    """Return the HTML of a result's first screen and of all its parts."""
    blocks = [result.first_screen(language)]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks(language)
    return "\n".join(block._repr_html_() for block in blocks if hasattr(block, "_repr_html_"))


@pytest.fixture(scope="session")
def browser():
    """Start the Chromium of this machine, or the one that OPSLAB_CHROMIUM names."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: install the extra browser"
    )
    path = os.environ.get("OPSLAB_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUM)), None
    )
    if path is None:
        pytest.skip("no Chromium: install it, or name it in OPSLAB_CHROMIUM")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=list(QUIET))
        yield found
        found.close()


def run_cells(notebook: str, **parameters) -> dict:
    """Run a notebook's code cells, those for exploring too, and return the names that they leave.

    What a cell shows at its end is under its id. Nothing is published.
    """
    names: dict = {}
    for cell in json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text("utf-8"))["cells"]:
        if cell["cell_type"] != "code" or cell["id"] == "publish":
            continue
        *lines, last = ast.parse("".join(cell["source"])).body
        shown = isinstance(last, ast.Expr)
        module = ast.Module(lines if shown else [*lines, last], [])
        exec(compile(module, cell["id"], "exec"), names)
        if shown:
            end = compile(ast.Expression(last.value), cell["id"], "eval")
            names[cell["id"]] = eval(end, names)
        if "parameters" in cell["metadata"].get("tags", ()):
            names.update(parameters)
    return names


def evpi_normal(mean, sd):
    """Return the EVPI of a normal net benefit against nothing: sd L(|mean| / sd).

    L(z) = phi(z) - z (1 - Phi(z)), the unit normal loss (Raiffa and Schlaifer 1961).
    """
    if sd == 0:
        return 0.0
    z = abs(mean) / sd
    return sd * (stats.norm.pdf(z) - z * stats.norm.sf(z))
